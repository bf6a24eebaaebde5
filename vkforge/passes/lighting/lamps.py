"""The direct light of points and spots, with traced shadows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vkforge.graph.builder import Graph, ImageResource


def lamps(
    graph: Graph,
    size: tuple[int, int],
    heightfield: dict[str, Any],
    frame: Any,
    gbuffer: dict[str, ImageResource],
    split_sum: ImageResource,
    *,
    medium: dict[str, Any],
    lights: Any,
    tracer: Mapping[str, int],
    glossy: bool,
    medium_kind: int,
) -> ImageResource:
    """Declare the pass; return this sample's light of the lamps."""
    light = graph.image("lamp_light", "rgba32f", size)
    surface: dict[str, Any] = {name: gbuffer[name] for name in ("position", "normal", "albedo", "material")}
    graph.compute(
        "lamps",
        "lighting/lamps.comp",
        size,
        specialization={**tracer, "GLOSSY": glossy, "MEDIUM_KIND": medium_kind},
        **heightfield,
        frame=frame,
        split_sum=split_sum,
        **medium,
        lights=lights,
        lamp_light=light,
        **surface,
    )
    return light
