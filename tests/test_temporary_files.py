"""What killed writers leave is swept by the next save into the folder; what somebody holds stays."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from vkforge.io import atomic
from vkforge.io.atomic import TEMPORARY, replacing, sweep

WRITER = """
import sys, time
from pathlib import Path
from vkforge.io.atomic import replacing
with replacing(Path(sys.argv[1])) as stream:
    stream.write(b"half")
    stream.flush()
    print("half", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def not_swept_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "_swept", {})


def writer(path: Path) -> subprocess.Popen[bytes]:
    """Return a process that is in the middle of writing a file."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == b"half\n"
    return process


def left(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{TEMPORARY}*"))


def save(path: Path) -> None:
    with replacing(path) as stream:
        stream.write(b"whole")


def test_files_of_killed_writers_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    killed, living = writer(tmp_path / "a.png"), writer(tmp_path / "b.png")
    try:
        killed.kill()
        killed.wait()
        assert len(left(tmp_path)) == 2
        save(tmp_path / "c.png")
        assert len(left(tmp_path)) == 1
    finally:
        living.kill()
        living.wait()
    sweep(tmp_path)
    assert left(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["c.png"]


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    others = [tmp_path / name for name in (f"{TEMPORARY}notes", f"{TEMPORARY}0123456789abc", "0123456789ab.png")]
    for path in others:
        path.write_bytes(b"mine")
    (tmp_path / f"{TEMPORARY}0123456789ab").mkdir()
    (tmp_path / f"{TEMPORARY}0123456789cd").symlink_to(others[0])
    before = sorted(tmp_path.iterdir())
    sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_one_that_we_are_writing_stays(tmp_path: Path) -> None:
    with replacing(tmp_path / "a.png") as stream:
        sweep(tmp_path)
        save(tmp_path / "b.png")
        stream.write(b"whole")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes() == b"whole"


def test_writers_and_sweepers_at_once(tmp_path: Path) -> None:
    """A sweeper that comes between a writer's opening and locking makes it take another name."""
    done = threading.Event()

    def sweeper() -> None:
        while not done.is_set():
            sweep(tmp_path)

    threads = [threading.Thread(target=sweeper) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for i in range(200):
            save(tmp_path / f"{i % 5}.png")
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert left(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 5


def test_a_folder_is_looked_through_once_in_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(atomic, "sweep", looked.append)
    for i in range(20):
        save(tmp_path / f"{i}.png")
    assert looked == [tmp_path]
    later = time.monotonic() + 61.0
    monkeypatch.setattr(time, "monotonic", lambda: later)
    save(tmp_path / "late.png")
    assert looked == [tmp_path] * 2


def test_where_there_are_no_locks_nothing_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> bool:
        raise OSError("no locks")

    monkeypatch.setattr(atomic, "try_lock", refuse)
    old = tmp_path / f"{TEMPORARY}0123456789ab.png"
    old.touch()
    save(tmp_path / "a.png")
    assert old.exists()
    with contextlib.suppress(ZeroDivisionError), replacing(tmp_path / "b.png"):
        _ = 1 / 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [old.name, "a.png"]
