"""The running means over the samples of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vkforge.graph.builder import Graph, ImageResource

MEANS = {"radiance": "rgba32f", "sun_visibility": "r32f", "sky_visibility": "r32f"}


def accumulate(
    graph: Graph,
    size: tuple[int, int],
    frame: Any,
    gbuffer: dict[str, ImageResource],
    sun_light: ImageResource | None,
    sky_light: ImageResource | None,
    *,
    sky_bindings: Mapping[str, Any],
    sky_kind: int,
    deviation: bool,
    emissive: bool,
    lamp_light: ImageResource | None = None,
    fog: tuple[ImageResource, ImageResource] | None = None,
    water_light: ImageResource | None = None,
) -> dict[str, ImageResource]:
    """Declare the pass; return the means by name. They keep their contents from sample to sample.

    With `deviation` they come with the sum of the luminance's squared deviations. `fog` is the light it adds, and the
    share it lets through. `water_light` stands for all other light where it is seen.
    """
    means: dict[str, Any] = {name: graph.image(name, format, size, persistent=True) for name, format in MEANS.items()}
    sums = {"deviation": graph.image("deviation", "r32f", size, persistent=True)} if deviation else {}
    position = gbuffer["position"]
    graph.compute(
        "accumulate",
        "lighting/accumulate.comp",
        size,
        frame=frame,
        position=position,
        specialization={
            "HAS_SUN": sun_light is not None,
            "HAS_SKY": sky_light is not None,
            "HAS_DEVIATION": deviation,
            "SKY_KIND": sky_kind,
            "KEEPS_EMISSION": emissive,
            "HAS_LAMPS": lamp_light is not None,
            "HAS_FOG": fog is not None,
            "HAS_WATER": water_light is not None,
        },
        # What is not there is not read; something must be bound all the same.
        sun_light=sun_light or position,
        sky_light=sky_light or position,
        lamp_light=lamp_light or position,
        water_light=water_light or position,
        emission=gbuffer["emission"],
        fog_light=position if fog is None else fog[0],
        fog_left=position if fog is None else fog[1],
        **sky_bindings,
        **means,
        deviation=sums["deviation"] if deviation else means["sun_visibility"],
    )
    return {**means, **sums}
