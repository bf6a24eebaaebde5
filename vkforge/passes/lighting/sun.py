"""The sun's direct light, with traced shadows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vkforge.graph.builder import Graph, ImageResource


def sun(
    graph: Graph,
    size: tuple[int, int],
    heightfield: dict[str, Any],
    frame: Any,
    gbuffer: dict[str, ImageResource],
    split_sum: ImageResource,
    *,
    tracer: Mapping[str, int],
    glossy: bool,
    at_once: int,
    passes: int,
    soft: bool,
) -> ImageResource:
    """Declare the passes; return this sample's sunlight (RGB radiance, and visibility in w).

    Each traces up to `at_once` of the rays, as `rays_at_once` says.
    """
    light = graph.image("sun_light", "rgba32f", size)
    surface: dict[str, Any] = {name: gbuffer[name] for name in ("position", "normal", "albedo", "material")}
    variant = {**tracer, "GLOSSY": glossy, "SOFT": soft}
    for index in range(passes):
        graph.compute(
            "sun",
            "lighting/sun.comp",
            size,
            specialization=variant,
            constants={"first": index * at_once, "at_once": at_once},
            **heightfield,
            frame=frame,
            sun_light=light,
            split_sum=split_sum,
            **surface,
        )
    return light
