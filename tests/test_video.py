"""Animations as files: read back by other people's libraries, stopped at any point, and taken up again."""

from __future__ import annotations

import dataclasses
import errno
import gc
import itertools
import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.animation.film import WAITING, encode
from vkforge.animation.progress import Progress
from vkforge.errors import InputError, MissingDependencyError, OutputError
from vkforge.image import Image
from vkforge.io import atomic, video
from vkforge.io.lock import locked
from vkforge.io.reel import Reel, job, open_reel

av = pytest.importorskip("av")
SIZE = (64, 48)
MADE_OF = {"scene": "a", "size": "64x48"}
TERRAIN = vf.Terrain(np.random.default_rng(31).random((17, 23)) * 5.0)
NAMES = ("a.mp4", "a.gif", "a.webp", "a_%03d.png", "a_%d.exr")


def picture(frame: int, size: tuple[int, int] = SIZE) -> Image:
    """A wave that wanders, and the frame's number as brightness of a corner."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    waves = [128 + 80 * np.sin((x + 2 * frame) / 9 + phase) * np.cos(y / 11) for phase in (0.0, 1.0, 2.0)]
    rgba = np.stack([*waves, np.full(x.shape, 255.0)], axis=-1)
    rgba[:16, :16, :3] = frame * 4 % 256
    return Image(rgba.astype(np.uint8), np.full((size[1], size[0], 3), frame, np.float32))


def shoot(path: Path, count: int, *, fail_at: int | None = None, fps: float = 25, **options: Any) -> list[int]:
    """Run a job; return the frames that it rendered."""
    resume = options.pop("resume", True)
    reel, made = open_reel(path, count, fps, SIZE, (), options), []

    def images(missing: list[int]) -> Generator[Image, None, None]:
        for frame in missing:
            if frame == fail_at:
                raise KeyboardInterrupt
            made.append(frame)
            yield picture(frame)

    with job(reel, MADE_OF, resume=resume) as missing:
        encode(missing, images(missing), reel, lambda _: None)
        reel.finish()
    return made


def stop(path: Path, count: int, at: int, **options: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        shoot(path, count, fail_at=at, **options)


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def shown(path: Path) -> Iterator[tuple[np.ndarray, int]]:
    """The frames of a GIF or WebP, with their milliseconds."""
    from PIL import Image as Pillow

    with Pillow.open(path) as read:
        for frame in range(read.n_frames):  # type: ignore[attr-defined]
            read.seek(frame)
            read.load()
            yield np.asarray(read.convert("RGB")), read.info["duration"]


# What is in the files


def test_mp4(tmp_path: Path) -> None:
    count = 2 * video.SEGMENT + 7
    assert shoot(tmp_path / "a.mp4", count, fps=24, crf=10) == list(range(count))
    assert os.listdir(tmp_path) == ["a.mp4"]
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt, stream.frames) == ("h264", "yuv420p", count)
        assert (stream.width, stream.height, stream.average_rate) == (*SIZE, 24)
        assert float(stream.duration * stream.time_base) == pytest.approx(count / 24)
        context = stream.codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
        frames = list(container.decode(stream))
    assert [frame.pts * frame.time_base * 24 for frame in frames] == list(range(count))
    assert [i for i, frame in enumerate(frames) if frame.key_frame] == [0, 48, 48 + 27, 48 + 27 + 14]
    for i, frame in enumerate(frames):
        pixels = frame.to_ndarray(format="rgb24").astype(float)
        assert np.abs(pixels - picture(i).rgba[..., :3]).mean() < 3.0
        assert pixels[4:12, 4:12].mean(axis=(0, 1)) == pytest.approx([i * 4 % 256] * 3, abs=3.0)


@pytest.mark.parametrize("stops", [(1,), (2,), (1, 2, 3), (10, 11), (28,), (29,), (49,), (50, 52)])
def test_an_mp4_in_segments_of_any_length(tmp_path: Path, stops: tuple[int, ...]) -> None:
    """A segment of a frame or two has no B-frames, and so none of the delay that the others have."""
    path, count = tmp_path / "a.mp4", 60 if stops[0] > 30 else 30
    for at in stops:
        stop(path, count, at)
    shoot(path, count)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert (stream.average_rate, float(stream.duration * stream.time_base)) == (25, pytest.approx(count / 25))
    assert [frame.pts * frame.time_base * 25 for frame in frames] == list(range(count))
    corners = [frame.to_ndarray(format="rgb24")[4:12, 4:12].mean() / 4 for frame in frames]
    assert [round(corner) for corner in corners] == list(range(count))


def boxes(path: Path) -> list[str]:
    """The boxes of an .mp4 (ISO/IEC 14496-12), in order."""
    content, at, found = path.read_bytes(), 0, []
    while at < len(content):
        found.append(content[at + 4 : at + 8].decode())
        at += int.from_bytes(content[at : at + 4], "big")
    assert at == len(content)
    return found


@pytest.mark.parametrize("count", [1, video.SEGMENT + 5])
def test_an_mp4_plays_while_it_loads(tmp_path: Path, count: int) -> None:
    """Its index lies before its frames, also where a stopped job was taken up again."""
    shoot(tmp_path / "a.mp4", count)
    if count > 1:
        stop(tmp_path / "b.mp4", count, 7)
    shoot(tmp_path / "b.mp4", count)
    for name in ("a.mp4", "b.mp4"):
        assert [box for box in boxes(tmp_path / name) if box in ("ftyp", "moov", "mdat")] == ["ftyp", "moov", "mdat"]
        assert len(decoded(tmp_path / name)) == count


def test_mp4_has_true_colours(tmp_path: Path) -> None:
    """Saturated colours come back through BT.709's matrix; through BT.601's they would be off by up to 30."""
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 150, 100), (255, 255, 255), (0, 0, 0)]
    pixels = np.repeat(np.array(colours, np.uint8)[None], 48, axis=0).repeat(16, axis=1)
    reel = open_reel(tmp_path / "a.mp4", 1, 25, (96, 48), (), {"crf": 4})
    rgba = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    with job(reel, MADE_OF, resume=True):
        reel.write(0, Image(rgba, np.zeros((48, 96, 3), np.float32)))
        reel.finish()
    with av.open(str(tmp_path / "a.mp4")) as container:
        planes = next(container.decode(video=0)).to_ndarray()
    luma, blue, red = planes[:48], planes[48:60].reshape(24, 48), planes[60:].reshape(24, 48)
    for i, colour in enumerate(np.array(colours) / 255.0):
        y = float(colour @ (0.2126, 0.7152, 0.0722))  # ITU-R BT.709, 8 bits: Y' 16 to 235, C' 16 to 240
        assert luma[24, 16 * i + 8] == pytest.approx(16 + 219 * y, abs=1.5)
        assert blue[12, 8 * i + 4] == pytest.approx(128 + 224 * (colour[2] - y) / 1.8556, abs=1.5)
        assert red[12, 8 * i + 4] == pytest.approx(128 + 224 * (colour[0] - y) / 1.5748, abs=1.5)


def test_crf_decides_the_size(tmp_path: Path) -> None:
    sizes = []
    for crf in (4, 18, 40):
        shoot(tmp_path / f"{crf}.mp4", 20, crf=crf)
        sizes.append((tmp_path / f"{crf}.mp4").stat().st_size)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 2 * sizes[2]


@pytest.mark.parametrize(("name", "fps", "most"), [("a.gif", 30, 6.0), ("a.webp", 30, 4.0), ("a.webp", 12.5, 4.0)])
def test_gif_and_webp(tmp_path: Path, name: str, fps: float, most: float) -> None:
    shoot(tmp_path / name, 20, fps=fps)
    assert os.listdir(tmp_path) == [name]
    frames = list(shown(tmp_path / name))
    assert len(frames) == 20
    assert sum(milliseconds for _, milliseconds in frames) == pytest.approx(20_000 / fps, abs=6)
    for i, (pixels, _) in enumerate(frames):
        assert np.abs(pixels.astype(float) - picture(i).rgba[..., :3]).mean() < most
        assert pixels[4:12, 4:12].mean() == pytest.approx(i * 4, abs=6.0)
    if name == "a.webp":
        shoot(tmp_path / "small.webp", 20, fps=fps, quality=20)
        assert (tmp_path / "small.webp").stat().st_size < (tmp_path / name).stat().st_size


def test_numbered_pictures(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    shoot(tmp_path / "a_%03d.png", 5)
    assert sorted(os.listdir(tmp_path)) == ["a_%03d.png.json", *(f"a_{i:03}.png" for i in range(5))]
    for i in range(5):
        with Pillow.open(tmp_path / f"a_{i:03}.png") as read:
            assert np.array_equal(np.asarray(read), picture(i).rgba[..., :3])
    OpenEXR = pytest.importorskip("OpenEXR")
    shoot(tmp_path / "b%d.exr", 3, save={"half": True})
    pixels = OpenEXR.File(str(tmp_path / "b2.exr"), separate_channels=True).channels()["R"].pixels
    assert pixels.dtype == np.float16
    assert (pixels == 2).all()
    header = OpenEXR.File(str(tmp_path / "b2.exr"), separate_channels=True).header()
    assert header["imageCounter"] == 2
    assert "framesPerSecond" in header
    shoot(tmp_path / "b%d.exr", 2, resume=False)  # the third belongs to the job that is gone
    assert not (tmp_path / "b2.exr").exists()


# Stopped and taken up again


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("left", [1, 7, 8])
def test_a_stopped_job_goes_on_at_the_first_missing_frame(tmp_path: Path, name: str, left: int) -> None:
    count = video.SEGMENT + 12 if name.endswith(".mp4") else 8
    stop(tmp_path / name, count, count - left)
    assert not (tmp_path / name).exists()
    assert shoot(tmp_path / name, count) == list(range(count - left, count))
    whole = tmp_path / "whole"
    whole.mkdir()
    shoot(whole / name, count)
    assert sorted(os.listdir(tmp_path)) == sorted([*os.listdir(whole), "whole"])
    if name.endswith(".mp4"):
        for frames in (decoded(tmp_path / name), decoded(whole / name)):
            assert [round(frame[4:12, 4:12].mean() / 4) for frame in frames] == [i % 64 for i in range(count)]
    else:
        for path in whole.iterdir():
            if path.suffix != ".json":
                assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_a_job_stopped_twice(tmp_path: Path) -> None:
    for at in (20, 70, 100):
        stop(tmp_path / "a.mp4", 110, at)
    assert shoot(tmp_path / "a.mp4", 110) == list(range(100, 110))
    frames = decoded(tmp_path / "a.mp4")
    assert [round(frame[4:12, 4:12].mean() / 4) for frame in frames] == [i % 64 for i in range(110)]


@pytest.mark.parametrize("gone", [3, 17])
def test_holes_among_numbered_pictures_are_filled(tmp_path: Path, gone: int) -> None:
    shoot(tmp_path / "a_%02d.png", 20)
    assert shoot(tmp_path / "a_%02d.png", 20) == []
    (tmp_path / f"a_{gone:02}.png").unlink()
    assert shoot(tmp_path / "a_%02d.png", 20) == [gone]


KILLED = """
import sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_video import *
video.SLOW = {slow}
def images(missing):
    for frame in missing:
        if frame == {at}:
            while {slow} == 9.0 and not reel._segments():  # the segment that is ending
                time.sleep(0.01)
            print("ready", flush=True)
            time.sleep(60)
        if {slow} == 0.0:
            time.sleep(0.002)
        yield picture(frame)
reel = open_reel(Path({path!r}), {count}, 25, SIZE, (), {{}})
with job(reel, MADE_OF, resume=True) as missing:
    encode(missing, images(missing), reel, lambda _: None)
"""


@pytest.mark.parametrize(("name", "slow"), [("a.mp4", 0.0), ("a.mp4", 9.0), ("a_%03d.png", 0.0), ("a.webp", 0.0)])
def test_a_killed_job(tmp_path: Path, name: str, slow: float) -> None:
    """A kill leaves no time to put anything in order. Slow frames are lost by no more than the queue holds."""
    path, at, count = tmp_path / name, video.SEGMENT + 7, 2 * video.SEGMENT + 24
    old = b"the film of last year"
    if not path.match("*%*"):
        path.write_bytes(old)
    script = KILLED.format(tests=str(Path(__file__).parent), slow=slow, at=at, count=count, path=str(path))
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        with pytest.raises(OutputError, match=rf"process {child.pid} on .* is writing it; wait for it, or choose"):
            shoot(path, count)
        child.kill()
    if not path.match("*%*"):
        assert path.read_bytes() == old
    made = shoot(path, count)
    assert made == list(range(made[0], count))
    assert made[0] == video.SEGMENT if slow == 9.0 else at - WAITING - 1 <= made[0] <= at
    if name == "a.mp4":
        frames = decoded(path)
        assert [round(frame[4:12, 4:12].mean() / 4) for frame in frames] == [i % 64 for i in range(count)]


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webp"])
def test_joining_leaves_nothing_beside_the_film(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever it is killed: the film grows among its parts, and what a killed process left there goes."""
    path, beside, inside = tmp_path / name, [], []
    stop(path, 6, 3)
    left = tmp_path / f"{name}.parts" / f".vkforge-0123456789ab{path.suffix}"
    left.write_text("half a film")
    kind: Any = type(open_reel(path, 6, 25, SIZE, (), {}))
    join = kind.join

    def watched(self: Any, stream: Any) -> None:
        beside.extend(os.listdir(tmp_path))
        inside.extend(file.name for file in left.parent.glob(".vkforge-*"))
        join(self, stream)

    monkeypatch.setattr(kind, "join", watched)
    shoot(path, 6)
    assert sorted(beside) == sorted([f"{name}.parts", f".{name}.lock"])
    assert len(inside) == 1
    assert left.name not in inside
    assert os.listdir(tmp_path) == [name]


def test_a_webp_beyond_its_four_gibibytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told by the frame that is too much, which here ends a film of less."""
    path = tmp_path / "a.webp"
    parts = tmp_path / "a.webp.parts"

    def total() -> int:
        return 36 + sum(part.stat().st_size + 12 for part in parts.glob("*.webp"))

    stop(path, 6, 3)
    monkeypatch.setattr("vkforge.io.animated._WEBP_BYTES", total() + 100)
    with pytest.raises(
        InputError, match=r"'a.webp' would have more than 4 GiB, where a WebP ends; use .mp4, or lower quality="
    ):
        shoot(path, 6)
    assert len(list(parts.glob("*.webp"))) == 4
    monkeypatch.undo()
    reel = open_reel(path, 6, 25, SIZE, (), {})
    for frame in (4, 5):
        reel.write(frame, picture(frame))
    size = total()
    monkeypatch.setattr("vkforge.io.animated._WEBP_BYTES", size - 1)
    with pytest.raises(InputError, match="more than 4 GiB"):  # with all parts there
        shoot(path, 6)
    monkeypatch.setattr("vkforge.io.animated._WEBP_BYTES", size)
    assert shoot(path, 6) == []
    assert path.stat().st_size == size + 8


def test_other_frames_are_not_mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.mp4", "a_%02d.png"):
        stop(tmp_path / name, 9, 4)
        with monkeypatch.context() as patch:
            patch.setitem(MADE_OF, "scene", "b")
            with pytest.raises(InputError, match=r"begun with other frames \(what differs: scene\); start over with"):
                shoot(tmp_path / name, 9)
            patch.setitem(MADE_OF, "size", "32x24")
            with pytest.raises(InputError, match=r"\(what differs: scene, size\)"):
                shoot(tmp_path / name, 9)
            assert shoot(tmp_path / name, 9, resume=False) == list(range(9))
    assert shoot(tmp_path / "a_%02d.png", 9, resume=False) == list(range(9))
    (tmp_path / "a_%02d.png.json").write_text("{")
    with pytest.raises(InputError, match="is damaged, so nobody knows"):
        shoot(tmp_path / "a_%02d.png", 9)
    (tmp_path / "a_%02d.png.json").unlink()
    with pytest.raises(InputError, match=r"a_00.png is there and nothing says what made it; start over"):
        shoot(tmp_path / "a_%02d.png", 9)


def test_the_record_is_for_people_too(tmp_path: Path) -> None:
    shoot(tmp_path / "a_%02d.png", 2)
    assert json.loads((tmp_path / "a_%02d.png.json").read_text()) == {"frames": 2, "made_of": MADE_OF}


# A full disk, and others at the same output


@pytest.mark.parametrize("name", ["a.mp4", "a.webp", "a_%02d.png"])
def test_a_full_disk_in_the_middle(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path, count = tmp_path / name, 2 * video.SEGMENT
    if "%" not in name:
        path.write_bytes(b"the film of last year")
    room = [2, 1]  # files that still fit: the record, then frames or segments

    class Full:
        """A file on a disk that is full: it takes nothing."""

        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def __getattr__(self, attribute: str) -> Any:
            return getattr(self._stream, attribute)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            self._stream.close()

    def limited(path: Path, mode: str) -> Any:
        stream = open(path, mode)  # noqa: SIM115
        room[0] -= 1
        return stream if room[0] >= 0 else Full(stream)

    monkeypatch.setattr(atomic, "open", limited, raising=False)
    with pytest.raises(OutputError, match="the disk is full; free some space"):
        shoot(path, count)
    monkeypatch.undo()
    if "%" not in name:
        assert path.read_bytes() == b"the film of last year"
    done = video.SEGMENT if name == "a.mp4" else 1
    assert shoot(path, count) == list(range(done, count))


def test_a_disk_that_fills_while_the_parts_are_joined(tmp_path: Path) -> None:
    """By a limit on the size of files, which makes FFmpeg's own writes fail."""
    resource = pytest.importorskip("resource", reason="limits are POSIX's")
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the film of last year")
    count = 3 * video.SEGMENT
    stop(path, count, count - 1, crf=0)
    sizes = [part.stat().st_size for part in (tmp_path / "a.mp4.parts").glob("*.mp4")]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(sizes) + 1000, hard))
    try:
        with pytest.raises(OutputError, match="size limit"):
            shoot(path, count, crf=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"the film of last year"
    assert shoot(path, count, crf=0) == []
    assert len(decoded(path)) == count


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99])
def test_a_disk_that_fills_while_the_index_is_put_in_front(tmp_path: Path, share: float) -> None:
    resource = pytest.importorskip("resource", reason="limits are POSIX's")
    path, count = tmp_path / "a.mp4", 2 * video.SEGMENT
    shoot(path, count)
    whole = path.read_bytes()
    stop(path, count, count - 1, resume=False)
    reel = open_reel(path, count, 25, SIZE, (), {})
    with job(reel, MADE_OF, resume=True) as missing:
        encode(missing, (picture(frame) for frame in missing), reel, lambda _: None)
        assert isinstance(reel, video.Mp4Reel)
        reel._settle()  # it is the film that does not fit, and not its last segment
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * len(whole)), hard))
        try:
            with pytest.raises(OutputError, match="size limit"):
                reel.finish()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == whole
    assert sorted(os.listdir(tmp_path)) == ["a.mp4", "a.mp4.parts"]
    assert shoot(path, count) == []


def test_a_disk_with_no_room_for_the_first_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock holds all the same and leaves no file, nor does the folder of parts stay to be in the way."""
    full = OSError(errno.ENOSPC, "No space left on device")

    def refuse(*_: object) -> Any:
        raise full

    monkeypatch.setattr("vkforge.io.lock._say", refuse)
    monkeypatch.setattr(atomic, "open", refuse, raising=False)
    descriptors = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for name in ("a.mp4", "a_%d.png"):
        with pytest.raises(OutputError, match="the disk is full; free some space"):
            shoot(tmp_path / name, 3)
    assert descriptors == (len(os.listdir("/proc/self/fd")) if descriptors else 0)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == []
    assert shoot(tmp_path / "a.mp4", 3) == [0, 1, 2]


@pytest.mark.parametrize("name", ["a.mp4", "a.gif", "a.webp"])
@pytest.mark.parametrize("how", ["empty", "cut", "other"])
def test_damaged_parts(tmp_path: Path, name: str, how: str) -> None:
    path = tmp_path / name
    stop(path, 6, 3)
    part = min(part for part in (tmp_path / f"{name}.parts").iterdir() if part.suffix == path.suffix)
    content = part.read_bytes()
    part.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "other": b"GIF?" * 50}[how])
    with pytest.raises(InputError, match=f"{part.name} is damaged; remove it and what is missing is made again"):
        shoot(path, 6)
    assert not path.exists()
    part.unlink()
    (part.parent / "not-ours.mp4").write_text("what somebody put there")
    shoot(path, 6)
    assert os.listdir(tmp_path) == [name]


def test_folders_and_files_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "a_1.png").mkdir()
    (tmp_path / "b.webp.parts").write_text("a file")
    (tmp_path / "c_%d.png.json").mkdir()
    for name, said in (("a_%d.png", "nothing says what"), ("b.webp", "nothing says what"), ("c_%d.png", "is damaged")):
        with pytest.raises(InputError, match=said):
            shoot(tmp_path / name, 2)
    for name in ("a_%d.png", "c_%d.png"):
        with pytest.raises(OutputError, match=f"can't remove what an earlier job left for '{name}'"):
            shoot(tmp_path / name, 2, resume=False)
    assert shoot(tmp_path / "b.webp", 2, resume=False) == [0, 1]


def test_two_threads_at_one_output(tmp_path: Path) -> None:
    with locked(tmp_path / "a.mp4"), pytest.raises(OutputError, match=f"process {os.getpid()} on"):
        shoot(tmp_path / "a.mp4", 3)
    shoot(tmp_path / "a.mp4", 3)
    assert os.listdir(tmp_path) == ["a.mp4"]


def test_a_lock_file_that_somebody_left_locks_nothing(tmp_path: Path) -> None:
    (tmp_path / ".a.mp4.lock").write_text("process 1 on nowhere")
    shoot(tmp_path / "a.mp4", 3)
    assert os.listdir(tmp_path) == ["a.mp4"]


# Streaming


def test_frames_are_never_all_in_memory(tmp_path: Path) -> None:
    alive: weakref.WeakSet[Image] = weakref.WeakSet()
    most = 0
    reel = open_reel(tmp_path / "a.mp4", 60, 25, SIZE, (), {})

    def images() -> Generator[Image, None, None]:
        nonlocal most
        for frame in range(60):
            if frame % 10 == 9:
                gc.collect()
            most = max(most, len(alive))
            image = picture(frame)
            alive.add(image)
            yield image
            del image

    with job(reel, MADE_OF, resume=True) as missing:
        encode(missing, images(), reel, lambda _: None)
        reel.finish()
    assert 1 <= most <= WAITING + 3


def test_the_encoder_works_while_frames_are_made(tmp_path: Path) -> None:
    threads: set[str] = set()
    at_once = threading.Event()

    class Slow(Reel):
        @property
        def record(self) -> Path:
            return tmp_path / "none"

        def missing(self) -> list[int]:
            return list(range(self.frames))

        def write(self, frame: int, image: Image) -> None:
            threads.add(threading.current_thread().name)
            if frame == 0:
                assert at_once.wait(20.0), "the next frame is made while this one is encoded"

        def finish(self) -> None: ...
        def discard(self) -> None: ...
        def unknown(self) -> None: ...

    def images() -> Generator[Image, None, None]:
        yield picture(0)
        at_once.set()
        yield picture(1)

    told: list[Progress] = []
    encode([0, 1], images(), Slow(tmp_path / "a", 2, 25, SIZE, {}), told.append)
    assert threads == {"vkforge encoder"}
    assert [progress.done for progress in told] == [1, 2]
    assert told[-1].seconds_left == 0.0


def test_what_the_encoder_or_the_callback_raises_ends_the_job(tmp_path: Path) -> None:
    class Broken(Reel):
        @property
        def record(self) -> Path:
            return tmp_path / "none"

        stopped = 0

        def missing(self) -> list[int]:
            return []

        def write(self, frame: int, image: Image) -> None:
            if frame == 2:
                raise OutputError("broken")

        def stop(self) -> None:
            self.stopped += 1

        def finish(self) -> None: ...
        def discard(self) -> None: ...
        def unknown(self) -> None: ...

    made: list[int] = []

    def images() -> Generator[Image, None, None]:
        for frame in range(100):
            made.append(frame)
            yield picture(frame)

    reel = Broken(tmp_path / "a", 100, 25, SIZE, {})
    with pytest.raises(OutputError, match="broken"):
        encode(list(range(100)), images(), reel, lambda _: None)
    assert len(made) <= 2 + WAITING + 3
    assert reel.stopped == 1

    def refuse(_: Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        encode([0, 1], (picture(i) for i in range(2)), reel, refuse)
    assert reel.stopped == 2
    assert not [thread for thread in threading.enumerate() if thread.name == "vkforge encoder"]


# What can't be made is said before anything is rendered


@pytest.mark.parametrize(
    ("name", "size", "options", "message"),
    [
        ("a.avi", SIZE, {}, r"can't make a video 'a.avi'.*\(known extensions: .mp4 .gif .webp\)"),
        ("a.mp5", SIZE, {}, "did you mean '.mp4'"),
        ("a.png", SIZE, {}, r"for numbered pictures say a_%04d.png"),
        ("a_%d_%d.png", SIZE, {}, "wanted one %04d"),
        ("a_%d.mp4", SIZE, {}, "wanted one %04d and an extension among"),
        ("a.mp4", (65, 47), {}, "wants an even width and height, and size is 65x47; use 66x48"),
        ("a.mp4", SIZE, {"crf": 52}, "crf is 52; wanted a whole number from 0"),
        ("a.mp4", SIZE, {"quality": 5}, "quality means nothing to 'a.mp4'"),
        ("a.webp", SIZE, {"crf": 5}, "crf means nothing"),
        ("a.webp", SIZE, {"quality": 101}, "quality is 101"),
        ("a.webp", SIZE, {"save": {"half": True}}, "save means nothing"),
        ("a.webp", SIZE, {"quality": np.zeros((2, 2))}, r"quality is an array of shape \(2, 2\)"),
        ("a_%d.png", SIZE, {"save": 3}, "the options of a picture are 3; wanted a dict"),
        ("a_%d.png", SIZE, {"save": {"bit": 16}}, "no option 'bit'; did you mean 'bits'"),
        ("a_%d.png", SIZE, {"save": {3: 16}}, "no option 3"),
        ("a_%d.png", SIZE, {"save": {"bits": 7}}, "bits is 7; a .png has 8 or 16"),
        ("a_%d.png", SIZE, {"save": {"half": True}}, ".png has no option half; it is for .exr"),
        ("a_%d.exr", SIZE, {"save": {"compression": "zap"}}, "no OpenEXR compression called 'zap'"),
        ("a_%d.exr", SIZE, {"save": {"aovs": "depth"}}, "the AOV 'depth', which is not rendered"),
        ("a_%d.exr", SIZE, {"save": {"aovs": "dpth"}}, "unknown AOV 'dpth'"),
        ("a.webp", (16_384, 4), {}, "ends at 16383 pixels a side"),
        ("a.gif", (65_536, 4), {}, "ends at 65535 pixels a side"),
    ],
)
def test_bad_input(tmp_path: Path, name: str, size: tuple[int, int], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_reel(tmp_path / name, 5, 25, size, (), options)


def test_more_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="at most 50 frames a second, and fps is 60"):
        open_reel(tmp_path / "a.gif", 5, 60, SIZE, (), {})
    with pytest.raises(InputError, match="holds no AOVs; use numbered pictures"):
        open_reel(tmp_path / "a.mp4", 5, 25, SIZE, ("depth",), {})
    with pytest.raises(OutputError, match="does not exist; create it first"):
        open_reel(tmp_path / "no" / "a.mp4", 5, 25, SIZE, (), {})
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "vkforge-renderer\[video\]"'):
        open_reel(tmp_path / "a.mp4", 5, 25, SIZE, (), {})


# From a scene to a film


@pytest.mark.gpu
def test_an_animation_is_the_pictures_of_its_moments(renderer: vf.Renderer, tmp_path: Path) -> None:
    from PIL import Image as Pillow

    film = vf.Animation.orbit(
        vf.Scene(TERRAIN),
        90,
        duration=0.5,
        fps=20,
        tracks={"sun.azimuth": {0: 0, 0.5: 90}, "settings.exposure": {0: 0, 0.5: 1}},
        settings=vf.Settings(samples=3, seed=4),
    )
    told: list[Progress] = []
    path = tmp_path / "a_%02d.png"
    assert film.render(path, SIZE, renderer=renderer, sky_rays=2, progress=told.append) == path
    assert [progress.done for progress in told] == list(range(1, 11))
    settings = vf.Settings(samples=3, seed=4, sky_rays=2)
    for frame in range(10):
        moment = frame / 20
        settings = settings.replace(exposure=film.settings(moment).exposure)
        wanted = renderer.render(film.scene(moment), SIZE, settings=settings)
        with Pillow.open(tmp_path / f"a_{frame:02}.png") as read:
            assert np.array_equal(np.asarray(read.convert("RGBA")), wanted.rgba)
    assert film.render(path, SIZE, renderer=renderer, sky_rays=2, progress=told.append) == path
    assert len(told) == 10, "nothing was missing"
    with pytest.raises(InputError, match=r"\(what differs: settings\)"):
        film.render(path, SIZE, renderer=renderer, sky_rays=3)


@pytest.mark.gpu
def test_animations_of_every_kind(renderer: vf.Renderer, tmp_path: Path) -> None:
    film = vf.Animation(vf.Scene(TERRAIN), {"sun.azimuth": {0: 0, 1: 90}}, fps=3)
    for name in NAMES:
        film.render(tmp_path / name, SIZE, renderer=renderer, samples=1, sky_rays=1)
    assert len(decoded(tmp_path / "a.mp4")) == 3
    film.render(tmp_path / "b%d.exr", SIZE, renderer=renderer, samples=1, aovs="depth", save={"half": False})
    OpenEXR = pytest.importorskip("OpenEXR")
    assert "Z" in OpenEXR.File(str(tmp_path / "b1.exr"), separate_channels=True).channels()
    with pytest.raises(InputError, match="half"):
        film.render(tmp_path / "c%d.png", SIZE, renderer=renderer, samples=1, save={"half": True})
    with pytest.raises(InputError, match="wanted .width, height. in whole pixels"):
        film.render(tmp_path / "c.webp", (1.5, 3), renderer=renderer)  # type: ignore[arg-type]
    assert not [path for path in tmp_path.iterdir() if path.name[0] in ".c" or path.suffix == ".parts"]


@pytest.mark.gpu
def test_starting_over_with_what_can_not_be_rendered_keeps_earlier_frames(
    renderer: vf.Renderer, tmp_path: Path
) -> None:
    film = vf.Animation(vf.Scene(TERRAIN), {"sun.azimuth": {0: 0, 1: 90}}, fps=3)
    path = tmp_path / "a_%d.exr"
    film.render(path, SIZE, renderer=renderer, samples=1, sky_rays=1)
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"lane": "nope"}, "no lane called 'nope'"),
        ({"size": (1, 10**6)}, "the limit of"),
        ({"size": "big"}, "size is 'big'"),
        ({"max_depth": 3}, "no use for max_depth"),
        ({"aovs": "dpth"}, "unknown AOV 'dpth'"),
        ({"save": {"parts": 3}}, "no OpenEXR parts called 3"),
        ({"renderer": 3}, "renderer is 3; wanted a vkforge.Renderer"),
        ({"progress": 3}, "progress is 3; wanted a function"),
        ({"crf": 3}, "crf means nothing"),
        ({"resume": "no"}, "resume is 'no'; wanted True or False"),
    ]
    for options, said in cases:
        for resume in (True, False):
            known = "begun with other frames" if resume and said == "the limit of" else said
            with pytest.raises(InputError, match=known):
                film.render(path, **{"size": SIZE, "renderer": renderer, "resume": resume, "samples": 1, **options})
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before
    with pytest.raises(InputError, match="a GeoTIFF has a georeference"):
        film.render(tmp_path / "a_%d.tif", SIZE, renderer=renderer)
    with pytest.raises(InputError, match=r"bands of AOVs; say which for 'a_%d.tif', as save=.'aovs': .'depth',"):
        film.render(tmp_path / "a_%d.tif", SIZE, renderer=renderer, aovs="depth")
    with pytest.raises(InputError, match="wanted that of a file"):
        film.render(3, SIZE, renderer=renderer)  # type: ignore[arg-type]


@pytest.mark.gpu
def test_an_odd_size_is_told_before_a_device_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also that which nobody gave: the natural size of a map."""
    monkeypatch.setattr("vkforge.renderer.Renderer.__init__", lambda *_: pytest.fail("a device was started"))
    scene = vf.Scene(TERRAIN, vf.Camera.map(TERRAIN))
    film = vf.Animation(scene, {"sun.azimuth": {0: 0, 1: 90}}, fps=3)
    with pytest.raises(InputError, match="size is 23x17; use 24x18"):
        film.render(tmp_path / "a.mp4")
    assert os.listdir(tmp_path) == []


@pytest.mark.gpu
def test_a_bad_moment_is_told_before_anything_is_written(renderer: vf.Renderer, tmp_path: Path) -> None:
    camera = vf.Camera.perspective((0.0, -60.0, 40.0), (0.0, 0.0, 2.0))
    scene = vf.Scene(dataclasses.replace(TERRAIN, skirt=-1.0), camera)
    film = vf.Animation(scene, {"camera.position": {0: (-5, 0, 6), 1: (0, 0, -20), 2: (5, 0, 6)}})
    with pytest.raises(InputError, match=r"frame \d+, at .* s: Camera position is inside the ground"):
        film.render(tmp_path / "a.mp4", SIZE, renderer=renderer)
    assert os.listdir(tmp_path) == []


@pytest.mark.gpu
def test_the_host_cap_holds_for_any_number_of_frames(tmp_path: Path) -> None:
    peaks = []
    with vf.Renderer(host_memory_cap=4 * 2**20) as small:
        for name, speed in (("a.webp", 4), ("b.webp", 12)):
            film = vf.Animation.orbit(vf.Scene(TERRAIN), duration=1.0, fps=speed)
            film.render(tmp_path / name, (160, 90), renderer=small, samples=1, sky_rays=1)
            peaks.append(small.memory_report().peak.host_reserved)
    assert peaks[0] == peaks[1] <= 4 * 2**20


# From the command line


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run `vkforge animate dem.npy` with small pictures and a few frames."""
    from typer.testing import CliRunner

    from vkforge.cli import app

    monkeypatch.chdir(tmp_path)
    np.save("dem.npy", np.asarray(TERRAIN.heights) * 20.0)
    small = [
        "--cell-size",
        "30",
        "--size",
        "64x36",
        "--duration",
        "1",
        "--fps",
        "4",
        "--samples",
        "1",
        "--sky-rays",
        "1",
    ]

    def run(*arguments: str, code: int = 0, dem: str = "dem.npy") -> Any:
        result = CliRunner().invoke(app, ["animate", dem, *small, *arguments])
        assert result.exit_code == code, (result.output, result.stderr)
        return result

    return run


@pytest.mark.gpu
def test_animate_makes_an_orbit_by_default(command: Callable[..., Any]) -> None:
    assert "dem_animate.mp4: 64x36, 4 frames, 4 of them now" in command().output
    frames = decoded(Path("dem_animate.mp4"))
    assert len(frames) == 4
    for one, other in itertools.combinations(frames, 2):
        assert np.abs(one.astype(float) - other).mean() > 3.0
    for frame in frames:  # the whole block is seen from all around, and its paper about it
        border = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
        assert np.abs(border.astype(float) - frame[0, 0]).max() < 12.0


@pytest.mark.gpu
def test_animate_goes_on_with_a_stopped_job(command: Callable[..., Any]) -> None:
    pytest.importorskip("astral")
    day = ("-o", "f_%02d.png", "--sun-day", "2026-06-21", "--place", "47,8", "--key", "settings.exposure=0:0,1:1")
    command(*day)
    Path("f_02.png").unlink()
    assert "4 frames, 1 of them now" in command(*day).output
    assert "4 frames, all there already" in command(*day).output
    assert (
        "begun with other frames (what differs: settings); start over with"
        in command(*day, "--seed", "1", code=2).stderr
    )


@pytest.mark.gpu
def test_animate_water_and_fog(command: Callable[..., Any]) -> None:
    """Options give what keys start from."""
    from PIL import Image as Pillow

    rising, thinning = ("--key", "water.level=0:20,1:80"), ("--key", "fog.scattering=0:0.01,1:0.0001")
    assert "(--water on the command line)" in command(*rising, code=2).stderr
    assert "(--fog on the command line)" in command(*thinning, code=2).stderr
    command("-o", "w_%d.png", "--water", "20", *rising)
    command("-o", "f_%d.png", "--fog", "300", *thinning)
    for name in "wf":
        frames = [np.asarray(Pillow.open(f"{name}_{frame}.png").convert("RGB"), float) for frame in range(4)]
        for one, other in itertools.pairwise(frames):
            assert np.abs(one - other).mean() > 0.5


@pytest.mark.gpu
def test_animate_writes_buffers(command: Callable[..., Any]) -> None:
    OpenEXR = pytest.importorskip("OpenEXR")
    command("-o", "f_%d.exr", "--aov", "depth", "--aov", "depth_axis")
    assert {"R", "Z", "depth_axis.Z"} <= set(OpenEXR.File("f_3.exr", separate_channels=True).channels())
    for path in ("a.mp4", "a.gif", "f_%d.png"):
        assert "holds no AOVs; use numbered pictures" in command("-o", path, "--aov", "depth", code=2).stderr
    assert "did you mean 'depth'" in command("-o", "f_%d.exr", "--aov", "dept", code=2).stderr


@pytest.mark.gpu
def test_animate_a_map(command: Callable[..., Any]) -> None:
    """Numbered GeoTIFFs: pictures, or bands of the buffers asked for."""
    rasterio = pytest.importorskip("rasterio")
    place = rasterio.Affine(30.0, 0.0, 500_000.0, 0.0, -30.0, 4_100_000.0)
    heights = np.load("dem.npy").astype(np.float32)
    rows, cols = heights.shape
    heights[rows // 2 - 1 : rows // 2 + 2, cols // 2 - 1 : cols // 2 + 2] = np.nan
    profile = {"driver": "GTiff", "width": cols, "height": rows, "count": 1, "dtype": "float32"}
    with rasterio.open("dem.tif", "w", crs="EPSG:32633", transform=place, **profile) as dataset:
        dataset.write(heights, 1)
    still = ("--camera", "map")
    assert "stays where it is" in " ".join(command(*still, code=2).stderr.split())
    move = (*still, "--key", "sun.azimuth=0:0,1:90")
    command("-o", "f_%d.tif", *move, dem="dem.tif")
    command("-o", "b_%d.tif", *move, "--aov", "sun_visibility", "--aov", "beauty", dem="dem.tif")
    with rasterio.open("f_0.tif") as picture, rasterio.open("b_0.tif") as bands:
        assert picture.count == 4
        assert bands.descriptions == ("sun_visibility", "beauty.r", "beauty.g", "beauty.b")
        assert bands.transform == picture.transform
        # 64 x 36 pixels of a frame in whose middle the DEM is.
        assert picture.xy(17.5, 31.5) == pytest.approx((500_000.0 + 15.0 * cols, 4_100_000.0 - 15.0 * rows))
        alpha, nothing = picture.read(4), np.isnan(bands.read(1))
    for outside in (np.s_[:, 0], np.s_[18, 32]):  # beside the DEM and in its hole
        assert (alpha[outside] == 0).all()
        assert nothing[outside].all()
    assert not nothing[18, 20]
    assert alpha[18, 20] == 255


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--key", "sun.azimuth"), "wanted PATH=SECONDS:NUMBER"),
        (("--key", "sun.azimuth=0:1", "--key", "sun.azimuth=0:2"), "twice"),
        (("--key", "sun.azimut=0:1"), "did you mean 'azimuth'"),
        (("--place", "47,8"), "--place says where the sun of --sun-day stands"),
        (("--sun-hours", "4,8"), "--sun-hours are hours of --sun-day"),
        (("--sun-day", "2026-06-21"), "does not say where on the Earth it is"),
        (("--sun-day", "June", "--place", "47,8"), "wanted a date as 2026-06-21"),
        (("--sun-day", "2026-06-21", "--place", "47,8", "--sun-hours", "8,4"), "the earlier first"),
        (("--sun-day", "2026-12-21", "--place", "80,8"), "the sun does not rise there"),
        (("-o", "dem.npy"), "dem.npy is the DEM itself"),
        (("--size", "65x36"), "use 66x36"),
        (("--lane", "nope"), "no lane called 'nope'"),
        (("--crf", "99"), "crf is 99"),
        (("-o", "a.avi"), "can't make a video 'a.avi'"),
        (("--key", "sun.azimuth=0:1e308,1:-1e308"), "a key of 'sun.azimuth' is 1e+308"),
        (("--shutter", "361"), "Shutter angle"),
    ],
)
def test_animate_says_what_is_wrong(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    """Before a device is started."""
    pytest.importorskip("astral")
    monkeypatch.setattr("vkforge.renderer.Renderer.__init__", lambda *_, **__: pytest.fail("a device was started"))
    assert message in " ".join(command(*arguments, code=2).stderr.split())
