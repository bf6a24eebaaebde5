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
    soft: bool,
) -> ImageResource:
    """Declare the pass; return this sample's sunlight (RGB radiance, and visibility in w)."""
    light = graph.image("sun_light", "rgba32f", size)
    surface: dict[str, Any] = {name: gbuffer[name] for name in ("position", "normal", "albedo", "material")}
    variant = {**tracer, "GLOSSY": glossy, "SOFT": soft}
    graph.compute(
        "sun",
        "lighting/sun.comp",
        size,
        specialization=variant,
        **heightfield,
        frame=frame,
        sun_light=light,
        split_sum=split_sum,
        **surface,
    )
    return light
