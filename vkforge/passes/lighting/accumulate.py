"""The running means over the samples of a picture."""

from __future__ import annotations

from typing import Any

from vkforge.graph.builder import Graph, ImageResource

MEANS = {"radiance": "rgba32f", "sun_visibility": "r32f", "sky_visibility": "r32f"}


def accumulate(
    graph: Graph,
    size: tuple[int, int],
    frame: Any,
    position: ImageResource,
    sun_light: ImageResource,
    sky_light: ImageResource,
) -> dict[str, ImageResource]:
    """Declare the pass; return the means by name. They keep their contents from sample to sample."""
    means: dict[str, Any] = {name: graph.image(name, format, size, persistent=True) for name, format in MEANS.items()}
    graph.compute(
        "accumulate",
        "lighting/accumulate.comp",
        size,
        frame=frame,
        position=position,
        sun_light=sun_light,
        sky_light=sky_light,
        **means,
    )
    return means
