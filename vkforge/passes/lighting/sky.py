"""The sky's direct light, with traced visibility."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vkforge.graph.builder import Graph, ImageResource


def sky(
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
    sky_bindings: Mapping[str, Any],
    sky_kind: int,
) -> ImageResource:
    """Declare the passes; return this sample's skylight (RGB radiance, and visibility in w).

    Each traces up to `at_once` of the rays, as `rays_at_once` says.
    """
    light = graph.image("sky_light", "rgba32f", size)
    surface: dict[str, Any] = {name: gbuffer[name] for name in ("position", "normal", "albedo", "material")}
    variant = {**tracer, "GLOSSY": glossy, "SKY_KIND": sky_kind}
    for index in range(passes):
        graph.compute(
            "sky",
            "lighting/sky.comp",
            size,
            specialization=variant,
            constants={"first": index * at_once, "at_once": at_once},
            **heightfield,
            frame=frame,
            sky_light=light,
            split_sum=split_sum,
            **sky_bindings,
            **surface,
        )
    return light
