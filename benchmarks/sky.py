"""What a physical sky costs beside a gradient: `python -m benchmarks.sky`.

CPU seconds of whole processes that render one picture (caches empty, full, and Mesa's shader cache empty too), and CPU
milliseconds of the pictures after it: again, with a moved camera, a moved sun, another sky and back. Each figure is the
median of RUNS runs, physical and gradient in turn; what is printed is both, and their difference. With `--large` also
960x540 with 16 samples.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

RUNS = 5
PICTURES = 24  # of each kind, in one process
SIZE, LARGE = (64, 36), (960, 540)


def cpu_of(kind: str, sky: str, environment: dict[str, str]) -> dict[str, float]:
    """Return what a process of its own prints, and its CPU seconds as "process"."""
    before = os.times()
    command = [sys.executable, "-m", "benchmarks.sky", "--one", kind, sky]
    run = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    after = os.times()
    taken = after.children_user + after.children_system - before.children_user - before.children_system
    return {"process": 1e3 * taken, **json.loads(run.stdout)}


def one(kind: str, name: str) -> None:
    """Render in this process: the first picture alone, those after it, or a large one."""
    import numpy as np

    import vkforge as vf

    y, x = np.mgrid[:64, :64]
    terrain = vf.Terrain((200 * np.sin(x / 9) * np.cos(y / 7)).astype(np.float32), cell_size=30.0)
    cameras = [vf.Camera.orbit(terrain, azimuth=angle) for angle in range(PICTURES)]
    skies = [vf.Sky(), vf.Sky(turbidity=1.5)] if name == "physical" else [vf.Sky.gradient(), vf.Sky.uniform(0.3)]

    def scene(camera: int = 0, elevation: float = 35.0, sky: int = 0) -> vf.Scene:
        return vf.Scene(terrain, cameras[camera], vf.Sun(315, elevation), skies[sky])

    with vf.Renderer() as renderer:
        said = {}

        def timed(what: str, scenes: Iterator[vf.Scene], size: tuple[int, int] = SIZE) -> None:
            began, count = time.process_time(), 0
            for each in scenes:
                renderer.render(each, size)
                count += 1
            said[what] = 1e3 * (time.process_time() - began) / count

        timed("first picture", iter([scene()]))
        if kind == "after":
            renderer.render(scene(sky=1), SIZE)
            timed("again", (scene() for _ in range(PICTURES)))
            timed("moved camera", (scene(camera=i) for i in range(PICTURES)))
            timed("moved sun", (scene(elevation=20.0 + i) for i in range(PICTURES)))
            timed("two skies in turn", (scene(sky=i % 2) for i in range(PICTURES)))
        if kind == "large":
            renderer.render(scene(), LARGE, samples=1)
            timed("960x540, 16 samples", iter([scene()]), LARGE)
    print(json.dumps(said))


def compare(what: str, figure: str, measure: Callable[[str], dict[str, float]], runs: int = RUNS) -> None:
    """Print the medians of both skies and their difference; in turn, so that both see the same machine."""
    found = [(measure("gradient")[figure], measure("physical")[figure]) for _ in range(runs)]
    gradient, physical = (statistics.median(column) for column in zip(*found, strict=True))
    more, times = physical - gradient, physical / gradient
    print(f"{what:44s} {gradient:9.1f} {physical:9.1f} {more:9.1f} ms more, {times:5.2f} times")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", nargs=2, metavar=("KIND", "SKY"), help=argparse.SUPPRESS)
    parser.add_argument("--large", action="store_true", help="also 960x540 with 16 samples")
    parser.add_argument("--runs", type=int, default=RUNS)
    given = parser.parse_args()
    if given.one:
        one(*given.one)
        return
    print(f"{'CPU milliseconds':44s} {'gradient':>9s} {'physical':>9s}")

    def empty(kind: str, **more: str) -> Callable[[str], dict[str, float]]:
        def measure(sky: str) -> dict[str, float]:
            with tempfile.TemporaryDirectory() as folder:
                return cpu_of(kind, sky, {"VKFORGE_CACHE_DIR": folder, **more})

        return measure

    with tempfile.TemporaryDirectory() as kept:
        full = {"VKFORGE_CACHE_DIR": str(Path(kept))}
        for sky in ("gradient", "physical"):
            cpu_of("after", sky, full)
        without_mesas = empty("first", MESA_SHADER_CACHE_DISABLE="true")
        compare("first process, our caches empty", "process", empty("first"), given.runs)
        compare("first process, Mesa's shader cache empty too", "process", without_mesas, given.runs)
        compare("first process, caches full", "process", lambda sky: cpu_of("first", sky, full), given.runs)
        for figure in ("again", "moved camera", "moved sun", "two skies in turn"):
            compare(f"a picture, {figure}", figure, lambda sky: cpu_of("after", sky, full), given.runs)
        if given.large:
            large = "960x540, 16 samples"
            compare(large, large, lambda sky: cpu_of("large", sky, full), given.runs)


if __name__ == "__main__":
    main()
