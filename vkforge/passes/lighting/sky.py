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
    sky_bindings: Mapping[str, Any],
    sky_kind: int,
) -> ImageResource:
    """Declare the pass; return this sample's skylight (RGB radiance, and visibility in w)."""
    light = graph.image("sky_light", "rgba32f", size)
    surface: dict[str, Any] = {name: gbuffer[name] for name in ("position", "normal", "albedo", "material")}
    variant = {**tracer, "GLOSSY": glossy, "SKY_KIND": sky_kind}
    graph.compute(
        "sky",
        "lighting/sky.comp",
        size,
        specialization=variant,
        **heightfield,
        frame=frame,
        sky_light=light,
        split_sum=split_sum,
        **sky_bindings,
        **surface,
    )
    return light
