"""The automatic exposure: a histogram of the picture, and what is made of it."""

from __future__ import annotations

import math
from typing import Any

from vkforge.graph.builder import Graph, ImageResource
from vkforge.post.exposure import BINS, AutoExposure

TILE = 4  # pixels along a side for each invocation of post/meter.comp


def exposure(graph: Graph, size: tuple[int, int], frame: Any, radiance: ImageResource) -> ImageResource:
    """Declare the passes; return the image of one pixel that holds what radiance is multiplied by, and its stops."""
    histogram = graph.image("histogram", "r32ui", (BINS, 1))
    graph.compute("clear the meter", "post/meter_clear.comp", (BINS, 1), histogram=histogram)
    extent = (-(-size[0] // TILE), -(-size[1] // TILE))
    graph.compute("meter", "post/meter.comp", extent, frame=frame, radiance=radiance, histogram=histogram)
    found = graph.image("exposure", "rgba32f", (1, 1))
    metering = graph.block("metering")
    graph.compute("exposure", "post/exposure.comp", (1, 1), metering=metering, histogram=histogram, exposure=found)
    return found


def fill_metering(block: Any, auto: AutoExposure) -> None:
    """Write the `metering` block."""
    low, high = auto.percentiles
    block["low"] = low / 100.0
    block["high"] = high / 100.0
    block["key"] = math.log2(auto.key)
    block["min_stops"] = auto.min_stops
    block["max_stops"] = auto.max_stops
    block["compensation"] = auto.compensation
