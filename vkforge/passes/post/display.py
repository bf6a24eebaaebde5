"""Exposure, tone mapping and the sRGB transfer function."""

from __future__ import annotations

from typing import Any

from vkforge.graph.builder import Graph, ImageResource


def display(
    graph: Graph,
    size: tuple[int, int],
    frame: Any,
    radiance: ImageResource,
    operator: int,
    *,
    dither: bool = False,
) -> ImageResource:
    """Declare the pass; return the display-referred picture.

    `operator` indexes `vkforge.tonemapping.OPERATORS`; `dither` keeps smooth skies from showing bands at 8 bits.
    """
    picture = graph.image("display", "rgba8", size)
    graph.compute(
        "display",
        "post/display.comp",
        size,
        specialization={"OPERATOR": operator, "DITHER": dither},
        frame=frame,
        radiance=radiance,
        display=picture,
    )
    return picture
