"""The lit lane: traced visibility, the sun with shadows, the sky with traced visibility."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from vkforge.graph.access import Access
from vkforge.graph.builder import Graph
from vkforge.graph.frame import Frame
from vkforge.passes.lighting.accumulate import accumulate
from vkforge.passes.lighting.sky import sky
from vkforge.passes.lighting.sun import sun
from vkforge.passes.post.display import display
from vkforge.passes.terrain.heightfield import (
    DeviceAlbedo,
    DeviceHeights,
    import_albedo,
    import_heightfield,
    tracer_variant,
)
from vkforge.passes.terrain.primary import primary
from vkforge.scene.scene import Scene
from vkforge.settings import Settings
from vkforge.tonemapping import OPERATORS
from vkforge.vk.device import Device

# Images that a frame can hand to the readback, by what the renderer calls them.
OUTPUTS = (
    "display",
    "radiance",
    "position",
    "normal",
    "geometric_normal",
    "albedo",
    "sun_visibility",
    "sky_visibility",
)


@dataclass(frozen=True)
class Features:
    """What decides which passes a frame has, and in which variant.

    Attributes:
        tracer: The tracer's variant, as `tracer_variant` gives it.
        sun: Whether there is one.
        soft_sun: Whether it is a disc.
        sky: Whether rays are sent to the sky.
        glossy: Whether the surface is more than Lambert.
        tonemap: Index of the operator in `vkforge.tonemapping.OPERATORS`.
    """

    tracer: tuple[tuple[str, int], ...]
    sun: bool
    soft_sun: bool
    sky: bool
    glossy: bool
    tonemap: int

    @classmethod
    def of(cls, device: Device, scene: Scene, settings: Settings, outputs: tuple[str, ...]) -> Features:
        """Return what a scene needs; asked for, the sky's visibility is traced without a sky too."""
        material = scene.terrain.material
        return cls(
            tracer=tuple(tracer_variant(device, scene.terrain).items()),
            sun=scene.sun is not None,
            soft_sun=scene.sun is not None and scene.sun.angular_diameter > 0,
            sky=settings.sky_rays > 0 and (scene.sky is not None or "sky_visibility" in outputs),
            glossy=material.specular > 0 or material.metallic > 0,
            tonemap=OPERATORS.index(settings.tonemap),
        )


def build(
    size: tuple[int, int],
    heights: DeviceHeights,
    albedo: DeviceAlbedo,
    outputs: tuple[str, ...],
    features: Features,
) -> Graph:
    """Declare a frame of the lane.

    Args:
        size: (width, height) in pixels.
        heights: The terrain's shape on the device.
        albedo: Its colour on the device.
        outputs: Names out of OUTPUTS, which the frame ends ready to be copied.
        features: Which passes, in which variant.
    """
    graph = Graph("lit")
    heightfield = import_heightfield(graph, heights)
    tracer = dict(features.tracer)
    frame = graph.block("frame")
    gbuffer = primary(graph, size, heightfield, frame, import_albedo(graph, albedo), tracer=tracer)
    surface = (graph, size, heightfield, frame, gbuffer)
    glossy = features.glossy
    sun_light = sun(*surface, tracer=tracer, glossy=glossy, soft=features.soft_sun) if features.sun else None
    sky_light = sky(*surface, tracer=tracer, glossy=glossy) if features.sky else None
    means = accumulate(graph, size, frame, gbuffer["position"], sun_light, sky_light)
    images = {**gbuffer, **means, "display": display(graph, size, frame, means["radiance"], features.tonemap)}
    graph.hand_over("read back", Access.COPY_SOURCE, *(images[name] for name in outputs))
    return graph


class LitLane:
    """The lane on one device: keeps the frames it compiled last, so that a new camera costs no compilation."""

    name = "lit"
    kind = "terrain"
    KEPT_FRAMES = 2

    def __init__(self, device: Device) -> None:
        self._device = device
        self._frames: dict[Any, Frame] = {}

    def frame(
        self,
        size: tuple[int, int],
        heights: DeviceHeights,
        albedo: DeviceAlbedo,
        outputs: tuple[str, ...],
        features: Features,
    ) -> Frame:
        """Return the compiled frame for this size, terrain, set of outputs and features."""
        key = (size, id(heights), id(albedo), outputs, features)
        frame = self._frames.pop(key, None)
        if frame is None:
            while len(self._frames) >= self.KEPT_FRAMES:
                self._frames.pop(next(iter(self._frames))).release()
            frame = Frame(self._device, build(size, heights, albedo, outputs, features))
        self._frames[key] = frame
        return frame

    def forget(self, part: DeviceHeights | DeviceAlbedo) -> None:
        """Release the frames that use a part of a terrain which is about to go."""
        for key in [key for key in self._frames if id(part) in key[1:3]]:
            self._frames.pop(key).release()

    def shutdown(self) -> None:
        """Release every frame."""
        for frame in self._frames.values():
            frame.release()
        self._frames.clear()


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
        block["sun_irradiance"] = sun.irradiance
        block["sun_cos_radius"] = math.cos(math.radians(sun.angular_diameter / 2))
    block["sky_rays"] = settings.sky_rays
    black = (0.0, 0.0, 0.0)
    block["sky_zenith"] = black if sky is None else sky.zenith
    block["sky_horizon"] = black if sky is None else sky.horizon
    block["sky_ground"] = black if sky is None else sky.ground
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
