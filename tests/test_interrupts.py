"""Ctrl-C between any two lines: the next pictures are right to the bit, and every counter comes back.

A KeyboardInterrupt is raised at the first, the middle or the last time that a line of vkforge's own is reached: at some
of them, or at all with ``pytest --interrupt-stride=1`` (half an hour).
"""

from __future__ import annotations

import gc
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

import vkforge as vf

pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]

PACKAGE = Path(vf.__file__).parent
# What takes and gives back, waits, copies, keeps and hands out.
FILES = (
    *("memory/allocator.py", "memory/tlsf.py"),
    *("vk/owner.py", "vk/memory.py", "vk/device.py", "vk/transfer.py", "vk/commands.py", "vk/resources.py"),
    *("graph/frame.py", "residency.py", "renderer.py", "lanes/lane.py", "lanes/picture.py", "lanes/path_traced.py"),
    *("lanes/lit.py", "passes/terrain/heightfield.py", "passes/atmosphere/tables.py", "passes/query.py"),
    *("animation/film.py", "io/reel.py", "io/lock.py", "io/atomic.py"),
)
RNG = np.random.default_rng(12)
TERRAINS = [vf.Terrain(RNG.random((9, 8), dtype=np.float32) * 4.0) for _ in range(2)]
SIZE = (10, 6)
Job = Callable[[vf.Renderer, Path], None]


def scene(terrain: vf.Terrain, sky: Any = vf.Sky.gradient()) -> vf.Scene:  # noqa: B008
    return vf.Scene(terrain, vf.Camera.orbit(terrain, elevation=40), sky=sky)


def pictures(renderer: vf.Renderer) -> list[bytes]:
    """Render what fills every place on the device anew, and each picture in both of its slots."""
    shots = (("lit", 0), ("path-traced", 0), ("path-traced", 1), ("lit", 1), ("lit", 1))
    return [renderer.render(SCENES[i], SIZE, samples=COUNTS[lane], lane=lane).hdr.tobytes() for lane, i in shots]


SCENES = [scene(terrain) for terrain in TERRAINS]
COUNTS = {"lit": 2, "path-traced": 8}


class Lines:
    """Counts the lines of FILES that a job reaches, and raises KeyboardInterrupt when one is reached for the nth time.

    Attributes:
        reached: How often each was, by (file, line).
    """

    def __init__(self, line: tuple[str, int] | None = None, nth: int = 0) -> None:
        self.reached: Counter[tuple[str, int]] = Counter()
        self._line, self._nth = line, nth
        self._files = {str(PACKAGE / name): name for name in FILES}
        self._thread = threading.get_ident()

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        return self._at if frame.f_code.co_filename in self._files else None

    def _at(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            line = self._files[frame.f_code.co_filename], frame.f_lineno
            self.reached[line] += 1
            if line == self._line and self.reached[line] == self._nth:
                raise KeyboardInterrupt
        return self._at

    def run(self, job: Callable[[], None]) -> bool:
        """Return whether the job came to its end."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            job()
        except KeyboardInterrupt:
            return False
        finally:
            sys.settrace(before)
        return True


def lit(renderer: vf.Renderer, folder: Path) -> None:
    """Another terrain pushes one out, and a larger picture wants a larger ring."""
    ground = vf.Terrain(np.arange(72.0).reshape(9, 8))
    renderer.render(scene(ground), (14, 9), samples=2, aovs=("depth",))


def path_traced(renderer: vf.Renderer, folder: Path) -> None:
    """Horizons, shades, and pixels that are looked at meanwhile."""
    ground = vf.Terrain(np.arange(72.0).reshape(9, 8) % 7)
    renderer.render(scene(ground), SIZE, samples=20, lane="path-traced", noise_threshold=1e-6)


def accumulated(renderer: vf.Renderer, folder: Path) -> None:
    """One iterator to its end with another picture in between, and one that is left."""
    for i, _ in enumerate(renderer.accumulate(scene(TERRAINS[0]), SIZE, samples=6)):
        if i == 1:
            renderer.render(scene(vf.Terrain(np.arange(72.0).reshape(9, 8) % 5)), SIZE, samples=1)
    next(renderer.accumulate(scene(TERRAINS[1]), SIZE, samples=6))


def many(renderer: vf.Renderer, folder: Path) -> None:
    grounds = [vf.Terrain(np.arange(72.0).reshape(9, 8) % (k + 2)) for k in range(4)]
    assert len(list(renderer.render_many(map(scene, grounds), SIZE, samples=1))) == 4


def queried(renderer: vf.Renderer, folder: Path) -> None:
    renderer.trace(vf.Terrain(np.arange(72.0).reshape(9, 8) % 3), [[0.0, 0.0, 99.0]], [[0.0, 0.0, -1.0]])
    renderer.memory_report()


def animated(renderer: vf.Renderer, folder: Path) -> None:
    film = vf.Animation(scene(TERRAINS[0]), {"sun.azimuth": {0: 0, 1: 90}}, fps=3)
    film.render(folder / "%02d.png", SIZE, renderer=renderer, samples=1, progress=lambda _: None)


def closed(renderer: vf.Renderer, folder: Path) -> None:
    """Another renderer, from its making to its end."""
    with vf.Renderer(validation=False) as other:
        other.render(scene(TERRAINS[0]), SIZE, samples=1)


@pytest.fixture(scope="module")
def own() -> Iterator[vf.Renderer]:
    with vf.Renderer(validation=False) as made:  # the layers would take a minute
        pictures(made)
        yield made


def state(renderer: vf.Renderer) -> tuple[int, int, int]:
    """Return what counts, without the readback ring, whose slots come in turn and grow."""
    renderer._readback.release()
    report = renderer.memory_report()
    return report.used, report.allocations, len(renderer._device._holdings)


@pytest.mark.parametrize("job", [lit, path_traced, accumulated, many, queried, animated, closed])
def test_an_interrupt_at_any_line(
    own: vf.Renderer, job: Job, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = pictures(own)
    job(own, tmp_path)  # with whatever is done once in a process
    counting, folder = Lines(), tmp_path / "whole"
    folder.mkdir()
    assert counting.run(lambda: job(own, folder))
    assert pictures(own) == wanted
    began = state(own)
    threads = threading.active_count()
    cases = [(line, nth) for line, count in counting.reached.items() for nth in sorted({1, (count + 1) // 2, count})]
    cases = cases[:: request.config.getoption("--interrupt-stride")]
    assert len(cases) > 10
    interrupted = 0
    for number, (line, nth) in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        interrupted += not Lines(line, nth).run(lambda: job(own, folder))  # noqa: B023
        assert pictures(own) == wanted, (line, nth)
        if state(own) != began:
            gc.collect()  # what Python has not dropped yet, as its cycles hold it
            assert state(own) == began, (line, nth)
    assert interrupted > 0.8 * len(cases)
    with suppress(TimeoutError):
        assert threading.active_count() == threads
