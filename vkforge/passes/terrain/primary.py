"""Primary visibility: the G-buffer, by one camera ray a pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vkforge.graph.builder import Graph, ImageResource

GBUFFER = {"position": "rgba32f", "normal": "rgba16f", "geometric_normal": "rgba16f", "albedo": "rgba16f"}


def primary(
    graph: Graph,
    size: tuple[int, int],
    heightfield: dict[str, Any],
    frame: Any,
    albedo_map: ImageResource,
    *,
    tracer: Mapping[str, int],
) -> dict[str, ImageResource]:
    """Declare the pass; return the G-buffer's images by name."""
    gbuffer: dict[str, Any] = {name: graph.image(name, format, size) for name, format in GBUFFER.items()}
    graph.compute(
        "primary",
        "terrain/primary.comp",
        size,
        specialization=tracer,
        **heightfield,
        frame=frame,
        albedo_map=albedo_map,
        **gbuffer,
    )
    return gbuffer
