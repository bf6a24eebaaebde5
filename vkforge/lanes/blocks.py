"""What the host writes into the `frame` block of include/frame.glsl."""

from __future__ import annotations

import math
from typing import Any

from vkforge.passes.atmosphere.sky import sun_on_the_ground
from vkforge.scene.scene import Scene
from vkforge.scene.sky import GradientSky, Sky
from vkforge.settings import Settings

CENTRE = (0.5, 0.5)  # the jitter that looks through the middle of each pixel


def fill_frame(block: Any, scene: Scene, size: tuple[int, int], settings: Settings) -> None:
    """Write what stays the same over the samples of a picture into the `frame` block."""
    rays = scene.camera.rays(*size)
    block["origin"] = rays.origin
    block["origin_u"] = rays.origin_u
    block["origin_v"] = rays.origin_v
    block["direction"] = rays.direction
    block["direction_u"] = rays.direction_u
    block["direction_v"] = rays.direction_v
    block["clamp_to_ground"] = scene.camera.kind == "map"
    block["size"] = size
    block["sample_count"] = settings.samples
    block["seed"] = settings.seed
    sun, sky = scene.sun, scene.sky
    block["sun_rays"] = settings.sun_rays
    if sun is not None:
        block["sun_direction"] = sun.direction
        block["sun_irradiance"] = sun_on_the_ground(scene)
        block["sun_cos_radius"] = math.cos(math.radians(sun.angular_diameter / 2))
    block["sky_rays"] = settings.sky_rays
    black = (0.0, 0.0, 0.0)
    gradient = sky if isinstance(sky, GradientSky) else Sky.uniform(black)
    block["sky_zenith"] = gradient.zenith
    block["sky_horizon"] = gradient.horizon
    block["sky_ground"] = gradient.ground
    block["has_background"] = scene.background is not None
    block["background"] = scene.background or black
    block["exposure_scale"] = 2.0**settings.exposure


def fill_sample(block: Any, index: int, count: int) -> None:
    """Write what changes from sample to sample: its index, and where in the pixel it looks.

    The places are the Hammersley set of `count` points, shifted so that the last sample looks through the pixel's
    centre: the G-buffer it leaves is the one at pixel centres.
    """
    step = count - 1 - index
    block["sample_index"] = index
    block["jitter"] = ((0.5 + step / count) % 1.0, (0.5 + _radical_inverse(step)) % 1.0)


def _radical_inverse(index: int) -> float:
    """Return `index` with its binary digits mirrored at the point (van der Corput 1935)."""
    result, digit = 0.0, 0.5
    while index:
        result += digit * (index & 1)
        index >>= 1
        digit /= 2
    return result
