"""Shares of pixels as a picture, so that what spreads light spreads them too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vkforge.graph.builder import Graph, ImageResource


def pack_shares(graph: Graph, size: tuple[int, int], frame: Any, light: Mapping[str, Any]) -> ImageResource:
    """Declare the pass; return the shares (rgba32f) that all that is hit covers, in x, and water, in y.

    `light` has "water_coverage", and "coverage" or that in w of "radiance".
    """
    packed = graph.image("packed", "rgba32f", size)
    water = light["water_coverage"]
    graph.compute(
        "pack",
        "post/pack_shares.comp",
        size,
        specialization={"IN_RADIANCE": "coverage" not in light},
        frame=frame,
        radiance=light["radiance"],
        coverage=light.get("coverage", water),  # what is not there is not read
        water_coverage=water,
        packed=packed,
    )
    return packed
