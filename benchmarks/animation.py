"""What a frame of an animation costs: rendering, reading back and encoding, each alone, and all at once.

A part of `python -m benchmarks.run`, which prints the figures; `python -m benchmarks.animation` prints these alone. The
encoder is x264 where PyAV is installed, and numbered PNG elsewhere.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.measure import show
from benchmarks.scenes import View, fractal_heights, lit, make_terrain
from vkforge import Animation, Renderer, Settings, Terrain
from vkforge.io.reel import job, open_reel

SIZE = (1280, 720)
FRAMES, FEW_FRAMES = 240, 12  # of which a CPU makes as many in the time
FPS = 30.0

# One sample a pixel, with which encoding takes the longest on a GPU, and sixteen, with which rendering does; on a CPU
# rendering always does, and the first is enough.
QUALITIES = {"1 sample": Settings(samples=1, sky_rays=8), "16 samples": Settings(samples=16, sky_rays=8)}

# (figure, DEM side, picture) -> the most it shall be: the whole is bounded by the slowest part and not by their sum.
WANTED = {(f"animation, {name}: together over the slowest", None, None): 1.15 for name in QUALITIES}

Add = Callable[[str, str, Sequence[float], int | None, str | None], None]


def measure(renderer: Renderer, terrain: Terrain, frames: int, size: tuple[int, int], add: Add) -> None:
    """Measure all four, in milliseconds a frame, and hand each figure to `add`."""
    side, picture = terrain.shape[0], f"{size[0]}x{size[1]}"
    for name, settings in list(QUALITIES.items())[: 1 if renderer.device.type == "cpu" else None]:
        scene = lit(terrain, View.of(terrain).camera())
        film = Animation.orbit(scene, duration=frames / FPS, fps=FPS, settings=settings)
        times = {
            "rendering": _rendering(renderer, film, size),
            "reading back": _reading_back(renderer, film, size),
            "encoding": _encoding(renderer, film, size),
            "together": _together(renderer, film, size),
        }
        for part, seconds in times.items():
            add(f"animation, {name}: {part}", "ms", [1e3 * seconds / frames], side, picture)
        slowest = max(seconds for part, seconds in times.items() if part != "together")
        add(f"animation, {name}: together over the slowest", "", [times["together"] / slowest], side, picture)


def _rendering(renderer: Renderer, film: Animation, size: tuple[int, int]) -> float:
    """Return the seconds that all frames take on the device, one after the other with no gap."""
    lane = renderer._lanes["lit"]

    def run(frames: int) -> None:
        last = None
        for frame in range(frames):
            moment = film.time(frame)
            request = renderer._prepare(film.scene(moment), size, "lit", (), film.settings(moment), {})
            last = lane.execute(request, None)
        if last is not None:
            last.wait()

    run(2)
    began = time.perf_counter()
    run(film.frames)
    return time.perf_counter() - began


def _reading_back(renderer: Renderer, film: Animation, size: tuple[int, int]) -> float:
    """Return the seconds from as many pictures that are done on the device to as many images."""
    request = renderer._prepare(film.scene(0.0), size, "lit", (), film.settings(0.0), {})
    rendered = renderer._lanes["lit"].execute(request, None)
    rendered.wait()
    renderer._read(rendered, request, "lit", (), 0.0).result()
    began = time.perf_counter()
    for _ in range(film.frames):
        renderer._read(rendered, request, "lit", (), 0.0).result()
    return time.perf_counter() - began


def _encoding(renderer: Renderer, film: Animation, size: tuple[int, int]) -> float:
    """Return the seconds from as many images, of which eight are different, to a file."""
    moments = [film.time(frame) for frame in range(8)]
    images = list(renderer.render_many([(film.scene(m), film.settings(m)) for m in moments], size))
    with tempfile.TemporaryDirectory(prefix="vkforge-bench-") as folder:
        began = time.perf_counter()
        reel = open_reel(_output(folder), film.frames, film.fps, size, (), {})
        with job(reel, {}, resume=True) as missing:
            for frame in missing:
                reel.write(frame, images[frame % 8])
            reel.finish()
        return time.perf_counter() - began


def _together(renderer: Renderer, film: Animation, size: tuple[int, int]) -> float:
    """Return the seconds that the animation takes."""
    with tempfile.TemporaryDirectory(prefix="vkforge-bench-") as folder:
        began = time.perf_counter()
        film.render(_output(folder), size, renderer=renderer, progress=lambda _: None)
        return time.perf_counter() - began


def _output(folder: str) -> Path:
    return Path(folder, "film.mp4" if importlib.util.find_spec("av") else "frame_%04d.png")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.animation", description=__doc__)
    parser.add_argument("--device", default="auto", help="as Renderer takes it (default: auto)")
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--dem", type=int, default=1024, metavar="SIDE")
    options = parser.parse_args()
    with Renderer(options.device) as renderer:
        print(f"{renderer.device.name}, {options.frames} frames, {_output('.').name}")
        terrain = make_terrain(fractal_heights(options.dem))
        measure(
            renderer,
            terrain,
            options.frames,
            SIZE,
            lambda name, unit, values, *_: print(f"{name}: {show(values[0])} {unit}"),
        )


if __name__ == "__main__":
    main()
