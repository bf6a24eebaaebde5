"""A process forked after a render can't go on with Vulkan: it is told so, names "spawn", and never hangs."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.bands import copied

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="nobody can fork here"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

TERRAIN = vf.Terrain(np.random.default_rng(3).random((9, 8)) * 4.0)
SIZE = (12, 8)
MIB = 2**20


def pixels(renderer: vf.Renderer | None = None) -> bytes:
    render = vf.render if renderer is None else renderer.render
    return render(TERRAIN, SIZE, samples=2).hdr.tobytes()


def in_a_fork(work: Callable[[], Any]) -> Any:
    """Return what `work` returns in a forked process, or "Type: message" of what it raises."""
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)

    def run() -> None:
        try:
            found = work()
        except BaseException as error:
            found = f"{type(error).__name__}: {error}"
        sending.send(found)

    process = context.Process(target=run)
    process.start()
    try:
        assert receiving.poll(60), "the forked process hangs"
        found = receiving.recv()
        process.join(60)
        assert process.exitcode == 0
        return found
    finally:
        process.kill()
        process.join()


def in_a_spawned(renderer: Any = None) -> bytes:
    return pixels(renderer)


def test_the_kept_renderer() -> None:
    wanted = pixels()
    assert "DeviceError: this process was forked" in in_a_fork(pixels)
    assert "'spawn'" in in_a_fork(pixels)
    assert pixels() == wanted


def test_a_renderer_that_was_handed_over() -> None:
    with vf.Renderer() as renderer:
        wanted = pixels(renderer)
        many = renderer.render_many([TERRAIN] * 4, SIZE, samples=2)
        steps = renderer.accumulate(TERRAIN, SIZE, samples=8)
        next(many)
        next(steps)
        uses: list[Callable[[], Any]] = [
            lambda: pixels(renderer),
            lambda: next(many),
            lambda: next(steps),
            renderer.memory_report,
            vf.Renderer,
            lambda: vf.atmosphere.radiance(vf.Sky(), None, [[0.0, 0.0, 1.0]]),
        ]
        for use in uses:
            found = in_a_fork(use)
            assert "DeviceError" in found
            assert "'spawn'" in found
        # Leaving costs the child nothing and takes nothing from the parent.
        assert in_a_fork(renderer.close) is None
        assert in_a_fork(steps.close) is None
        assert pixels(renderer) == wanted
        assert len(list(many)) == 3


def test_a_fork_before_the_first_render(tmp_path: Path) -> None:
    """Two children of a parent that has only imported vkforge render, each for itself."""
    script = tmp_path / "parent.py"
    script.write_text("""
import multiprocessing, numpy as np, vkforge as vf
TERRAIN = vf.Terrain(np.eye(8))
def work(_):
    return vf.render(TERRAIN, (12, 8), samples=1, progress=False).hdr.tobytes()
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        one, other = pool.map(work, range(2), chunksize=1)
    assert one == other
""")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, str(script)], env=environment, check=True, timeout=120)


def test_a_forked_process_ends_by_itself(tmp_path: Path) -> None:
    """By its last line and by sys.exit, with whatever Python does then, and its parent goes on."""
    script = tmp_path / "parent.py"
    script.write_text("""
import os, sys, numpy as np, vkforge as vf
TERRAIN = vf.Terrain(np.eye(8))
wanted = vf.render(TERRAIN, (12, 8), samples=1, progress=False).hdr.tobytes()
for leave in (lambda: sys.exit(0), lambda: None):
    process = os.fork()
    if process == 0:
        leave()
        break
    assert os.waitpid(process, 0)[1] == 0
    assert vf.render(TERRAIN, (12, 8), samples=1, progress=False).hdr.tobytes() == wanted
""")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run([sys.executable, str(script)], env=environment, check=True, timeout=120)


def test_a_lock_that_another_thread_holds_is_not_waited_for() -> None:
    with vf.Renderer() as renderer:
        pixels(renderer)
        found: list[str] = []
        renderer.render(TERRAIN, SIZE, samples=1, progress=lambda *_: found.append(in_a_fork(lambda: pixels(renderer))))
        assert "'spawn'" in found[0]


def test_pictures_may_be_handed_over() -> None:
    big = np.arange(MIB, dtype=np.float32).reshape(1024, -1)
    copied(big)  # by threads, which a fork has not
    assert in_a_fork(lambda: float(copied(big).sum())) == float(big.sum())


def test_spawned_processes_render() -> None:
    wanted = pixels()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(in_a_spawned) == wanted


def test_a_renderer_is_not_pickled(renderer: vf.Renderer) -> None:
    with pytest.raises(vf.InputError, match="make one in each process"):
        pickle.dumps(renderer)
