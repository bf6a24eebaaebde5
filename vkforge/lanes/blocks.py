"""What the host writes into the `frame` block of include/frame.glsl."""

from __future__ import annotations

import math
from typing import Any

from vkforge.passes.atmosphere.sky import sun_on_the_ground
from vkforge.passes.post.lens import fill_distortion
from vkforge.post.lens import Lens
from vkforge.scene.camera import Camera
from vkforge.scene.camera_rays import PROJECTIONS
from vkforge.scene.checks import Vector
from vkforge.scene.scene import Scene
from vkforge.scene.sky import GradientSky, Sky
from vkforge.settings import Settings

CENTRE = (0.5, 0.5)  # the jitter that looks through the middle of each pixel
_SKY, _COLOUR, _NONE = range(3)  # include/frame.glsl: BACKGROUND_...


def camera_variant(camera: Camera, lens: Lens | None = None) -> dict[str, int]:
    """Return the specialisation constants of include/frame.glsl that say how pixels become directions."""
    return {"CAMERA_KIND": PROJECTIONS.index(camera.projection), "LENS_DISTORTS": lens is not None}


def fill_frame(block: Any, scene: Scene, size: tuple[int, int], settings: Settings, share: float = 0.0) -> None:
    """Write what a sample needs to know, but for its index, into the `frame` block.

    Of a camera that moves while the shutter is open come the rays after this share of the time.
    """
    for name, ray in rays_after(share, scene.camera, size).items():
        block[name] = ray
    fill_distortion(block, settings.lens, scene.camera, size)
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
    kind = _SKY if scene.background is None else _NONE if scene.is_transparent else _COLOUR
    block["background_kind"] = kind
    block["background"] = scene.background if kind == _COLOUR else black
    block["exposure_scale"] = 2.0 ** (settings.stops or 0.0)  # an automatic one has an image of its own


def rays_after(share: float, camera: Camera, size: tuple[int, int]) -> dict[str, Vector]:
    """Return the rays of a camera, by name, after this share of its movement; of one that stays, its own."""
    rays = camera.rays(*size)._asdict()
    if camera.shutter_end is None:
        return rays
    end = camera.shutter_end.rays(*size)._asdict()
    return {
        name: tuple(a + share * (b - a) for a, b in zip(ray, end[name], strict=True))  # type: ignore[misc]
        for name, ray in rays.items()
    }


def exposure_share(index: int, count: int) -> float:
    """Return how much of the light has come in when a sample is taken: they are spread evenly, the last in the middle.

    Beside the places in the pixel that `fill_sample` gives, they make a lattice: steps of the golden ratio, rounded to
    what is prime to `count`, keep a sample's time apart from its place.
    """
    stride = max(1, round(count / 1.618034))
    while math.gcd(stride, count) > 1:
        stride += 1
    step = count - 1 - index
    return 0.5 if step == 0 else ((count // 2 + step * stride) % count + 0.5) / count


def progressive_share(index: int, count: int) -> float:
    """Return the same for a picture that may end with any sample: van der Corput's sequence, which fills in evenly."""
    return (_radical_inverse(index) + 0.5 / count) % 1.0


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
