"""Primary visibility: the G-buffer, by one camera ray a pixel."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from vkforge.graph.builder import Graph, ImageResource

GBUFFER = {"position": "rgba32f", "normal": "rgba16f", "geometric_normal": "rgba16f", "albedo": "rgba16f"}

# Channels that few pictures need, and what is bound in their place, neither written nor read, by those that don't.
EXTRAS = {"material": ("rgba16f", "albedo"), "emission": ("rgba32f", "position")}


def primary(
    graph: Graph,
    size: tuple[int, int],
    heightfield: dict[str, Any],
    frame: Any,
    surface_maps: Mapping[str, ImageResource],
    *,
    tracer: Mapping[str, int],
    surface: Mapping[str, int],
    extras: Collection[str] = (),
) -> dict[str, ImageResource]:
    """Declare the pass; return the G-buffer's images by name, with those of EXTRAS that are asked for.

    Args:
        graph: The frame.
        size: (width, height).
        heightfield: As `import_heightfield` gives it.
        frame: The block.
        surface_maps: As `import_surface` gives them.
        tracer: The tracer's variant.
        surface: The surface's variant, as `surface_variant` gives it.
        extras: Names out of EXTRAS.
    """
    gbuffer: dict[str, Any] = {name: graph.image(name, format, size) for name, format in GBUFFER.items()}
    for name, (format, instead) in EXTRAS.items():
        gbuffer[name] = graph.image(name, format, size) if name in extras else gbuffer[instead]
    kept = {f"KEEPS_{name.upper()}": name in extras for name in EXTRAS}
    graph.compute(
        "primary",
        "terrain/primary.comp",
        size,
        specialization={**tracer, **surface, **kept},
        **heightfield,
        frame=frame,
        **surface_maps,
        **gbuffer,
    )
    return gbuffer
