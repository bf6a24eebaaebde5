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
    sun_light: ImageResource | None,
    sky_light: ImageResource | None,
    *,
    deviation: bool,
) -> dict[str, ImageResource]:
    """Declare the pass; return the means by name. They keep their contents from sample to sample.

    With `deviation` they come with the sum of the luminance's squared deviations.
    """
    means: dict[str, Any] = {name: graph.image(name, format, size, persistent=True) for name, format in MEANS.items()}
    sums = {"deviation": graph.image("deviation", "r32f", size, persistent=True)} if deviation else {}
    graph.compute(
        "accumulate",
        "lighting/accumulate.comp",
        size,
        frame=frame,
        position=position,
        specialization={"HAS_SUN": sun_light is not None, "HAS_SKY": sky_light is not None, "HAS_DEVIATION": deviation},
        # What is not there is not read; something must be bound all the same.
        sun_light=sun_light or position,
        sky_light=sky_light or position,
        **means,
        deviation=sums.get("deviation", means["sun_visibility"]),
    )
    return {**means, **sums}
