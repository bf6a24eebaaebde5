"""What light costs: path tracing, the sky's tables, fog, taking noise out.

A part of `python -m benchmarks.run`, which prints the figures.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence

from benchmarks.measure import repeat
from benchmarks.scenes import View, lit
from vkforge import Fog, Renderer, Scene, Settings, Sky, Sun, Terrain
from vkforge.passes.atmosphere.tables import Sights
from vkforge.renderer import AnyScene

PATHS = Settings(samples=64, max_depth=6)
FEW_PATHS = Settings(samples=4, max_depth=6)  # of which a CPU makes 64 in a minute
NOISY = Settings(samples=4, sun_rays=1, sky_rays=1)

# (figure, DEM side, picture) -> the most it shall be on an H200, ms.
WANTED = {
    ("wall: path-traced, 64 samples of depth 6", 1024, "1920x1080"): 260.0,
    ("gpu: sky tables", None, None): 1.0,
    ("gpu: fog", 1024, "1920x1080"): 2.0,
    ("gpu: a-trous", 1024, "1920x1080"): 3.0,
}
# The shaders of a subject, whose passes are summed up.
FOG = ("volumetrics/",)
ATROUS = ("post/guides", "post/demodulate", "post/share", "post/atrous")

Add = Callable[[str, str, Sequence[float], int | None, str | None], None]


def measure(renderer: Renderer, terrain: Terrain, size: tuple[int, int], seconds: float, add: Add) -> None:
    """Measure all of it for one DEM at one size, and hand each figure to `add`."""
    side, picture = terrain.shape[0], f"{size[0]}x{size[1]}"
    scene = lit(terrain, View.of(terrain).camera())
    paths = FEW_PATHS if renderer.device.type == "cpu" else PATHS

    def path_traced() -> dict[str, float]:
        began = time.perf_counter()
        renderer.render(scene, size, lane="path-traced", settings=paths)
        return {"wall": 1e3 * (time.perf_counter() - began)}

    name = f"wall: path-traced, {paths.samples} samples of depth {paths.max_depth}"
    add(name, "ms", repeat(path_traced, seconds, least=1, most=10)["wall"], side, picture)

    foggy = dataclasses.replace(scene, fog=Fog(2e-5, scale_height=800.0))
    add("gpu: fog", "ms", passes_of(renderer, foggy, size, NOISY, seconds, FOG), side, picture)
    filtered = dataclasses.replace(NOISY, denoise="atrous")
    add("gpu: a-trous", "ms", passes_of(renderer, scene, size, filtered, seconds, ATROUS), side, picture)


def sky_tables(renderer: Renderer, terrain: Terrain, seconds: float, add: Add) -> None:
    """Measure the tables of a physical sky, each time of another one."""
    count = 0

    def once() -> dict[str, float]:
        nonlocal count
        count += 1
        sky = Sky(ground_albedo=0.3 + 1e-4 * count)
        scene = Scene(terrain, View.of(terrain).camera(), Sun(elevation=20.0 + 0.01 * count), sky)
        renderer.render(scene, (16, 9), samples=1, sky_rays=1)
        return {"gpu": sum(renderer.sky_tables(Sights.of(scene)).pass_times().values())}

    add("gpu: sky tables", "ms", repeat(once, seconds, least=1, most=20)["gpu"], None, None)


def passes_of(
    renderer: Renderer,
    scene: AnyScene,
    size: tuple[int, int],
    settings: Settings,
    seconds: float,
    shaders: tuple[str, ...],
) -> list[float]:
    """Return the GPU milliseconds of the passes of a frame with these shaders, run after run."""

    def once() -> dict[str, float]:
        renderer.render(scene, size, settings=settings)
        passes = renderer.plan(scene, size, settings=settings).passes
        return {"gpu": sum(item.gpu_ms or 0.0 for item in passes if item.shader.startswith(shaders))}

    return repeat(once, seconds, least=1, most=10)["gpu"]
