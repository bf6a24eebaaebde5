"""What a picture costs after its light: motion, depth of field, lens, bloom, tone, grain.

A part of `python -m benchmarks.run`, which prints the figures.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from benchmarks.light import Add, passes_of
from benchmarks.scenes import View, lit
from vkforge import AutoExposure, Bloom, Grade, Grain, Lens, Lut, MovingScene, Renderer, Scene, Settings, Terrain

FEW = Settings(samples=1, sun_rays=1, sky_rays=1)
LENS = Lens(k1=-0.1, red=0.0005, blue=-0.0005, vignette=1.0, mask_strength=0.3)

GRADE = Grade(temperature=5500.0, contrast=1.1, saturation=1.1, lift=0.02, gain=1.02)
_AXIS = np.linspace(0.0, 1.0, 33)
LUT = Lut(np.stack(np.meshgrid(_AXIS, _AXIS, _AXIS, indexing="ij")[::-1], axis=-1) ** 1.1)


# Figure -> settings, and the shaders whose passes are summed up.
EFFECTS: dict[str, tuple[Settings, tuple[str, ...]]] = {
    "gpu: tone": (FEW, ("post/display",)),
    "gpu: automatic exposure": (FEW.replace(exposure=AutoExposure()), ("post/meter", "post/exposure")),
    "gpu: tone, grade and table": (FEW.replace(grade=GRADE, lut=LUT), ("post/display",)),
    "gpu: lens and tone": (FEW.replace(lens=LENS), ("post/lens", "post/display")),
    "gpu: bloom": (FEW.replace(bloom=Bloom()), ("post/bloom_",)),
    "gpu: tone and grain": (FEW.replace(grain=Grain()), ("post/display",)),
}

# (figure, DEM side, picture) -> the most it shall be on an H200, ms.
WANTED = {
    ("gpu: lens and tone", None, "1920x1080"): 0.2,
    ("gpu: depth of field", None, "1920x1080"): 1.0,
    ("gpu: motion blur by vectors", None, "1920x1080"): 0.5,
}

# Depth of field: figure -> radius of the sky's circle of blur, as a share of the picture's width. The terrain's reach
# from that, before the plane in focus, to half of it behind.
APERTURES = {"gpu: depth of field": 0.0125, "gpu: wide depth of field": 0.05}


def measure(renderer: Renderer, terrain: Terrain, size: tuple[int, int], seconds: float, add: Add) -> None:
    """Measure every effect for one DEM at one size, and hand each figure to `add`."""
    scene = lit(terrain, View.of(terrain).camera())
    for name, (settings, shaders) in EFFECTS.items():
        times = passes_of(renderer, scene, size, settings, seconds, shaders)
        add(name, "ms", times, terrain.shape[0], f"{size[0]}x{size[1]}")
    camera = scene.camera
    across = 2.0 * math.hypot(*camera.rays(*size).direction_u)  # metres of the frame, a metre before the eye
    for name, share in APERTURES.items():
        radius = share * across * math.dist(camera.position, camera.target)
        behind = dataclasses.replace(scene, camera=dataclasses.replace(camera, aperture_radius=radius))
        times = passes_of(renderer, behind, size, FEW, seconds, ("post/dof_",))
        add(name, "ms", times, terrain.shape[0], f"{size[0]}x{size[1]}")
    times = passes_of(renderer, gliding(scene), size, FEW.replace(motion_blur="vectors"), seconds, ("post/motion",))
    add("gpu: motion blur by vectors", "ms", times, terrain.shape[0], f"{size[0]}x{size[1]}")


def gliding(scene: Scene) -> MovingScene:
    """Return the scene with a camera that passes by, a hundredth of its distance while the shutter is open."""
    camera = scene.camera
    way = 0.01 * math.dist(camera.position, camera.target) * np.array(camera.axes[0])

    def at(t: float) -> Scene:
        moved = dataclasses.replace(camera, position=np.array(camera.position) + t * way)
        return dataclasses.replace(scene, camera=moved)

    return MovingScene(at, 0.0, 1.0)
