"""The running means over the samples of a picture."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from vkforge.graph.builder import Graph, ImageResource

MEANS = {"radiance": "rgba32f", "sun_visibility": "r32f", "sky_visibility": "r32f"}

# What is kept only where it is asked for: the parts that make up the radiance (all four if any), and so on.
PARTS = ("direct", "indirect", "emitted", "air")
SHARED = {**dict.fromkeys(PARTS, "rgba32f"), "water_coverage": "r32f"}  # include/parts.glsl, in every lane
ON_REQUEST = {**SHARED, "inverse_distance": "r32f", "light_place": "rgba32f", "deviation": "r32f"}


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
    kept: Collection[str],
    emissive: bool,
    lamp_light: ImageResource | None = None,
    fog: tuple[ImageResource, ImageResource] | None = None,
    water_light: ImageResource | None = None,
    map_water: bool = False,
) -> dict[str, ImageResource]:
    """Declare the pass; return the means by name. They keep their contents from sample to sample.

    `kept` names what of ON_REQUEST comes with them; "deviation" is the sum of the luminance's squared deviations. `fog`
    is the light it adds, and the share it lets through. `water_light` stands for all other light where it is seen;
    `map_water` is lit as the ground is.
    """
    means: dict[str, Any] = {name: graph.image(name, format, size, persistent=True) for name, format in MEANS.items()}
    made, bound = on_request(graph, size, ON_REQUEST, kept, means)
    position, unread = gbuffer["position"], sky_bindings["optical_depths"]  # which is sampled, whatever it is
    graph.compute(
        "accumulate",
        "lighting/accumulate.comp",
        size,
        frame=frame,
        position=position,
        specialization={
            "HAS_SUN": sun_light is not None,
            "HAS_SKY": sky_light is not None,
            "HAS_DEVIATION": "deviation" in made,
            "KEEPS_PARTS": "direct" in made,
            "KEEPS_WATER": "water_coverage" in made,
            "KEEPS_DISTANCE": "inverse_distance" in made,
            "KEEPS_PLACE": "light_place" in made,
            "SKY_KIND": sky_kind,
            "KEEPS_EMISSION": emissive,
            "HAS_LAMPS": lamp_light is not None,
            "HAS_FOG": fog is not None,
            "HAS_WATER": water_light is not None,
            "MAP_WATER": map_water,
        },
        # What is not there is not read. What few pictures have is sampled: some drivers have few storage images.
        sun_light=sun_light or position,
        sky_light=sky_light or position,
        lamp_light=lamp_light or unread,
        water_light=water_light or unread,
        emission=gbuffer["emission"] if emissive else unread,
        normal=gbuffer["normal"] if map_water else unread,
        fog_light=unread if fog is None else fog[0],
        fog_left=unread if fog is None else fog[1],
        **sky_bindings,
        **means,
        **bound,
    )
    return {**means, **made}


def on_request(
    graph: Graph, size: tuple[int, int], formats: Mapping[str, str], kept: Collection[str], means: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Declare what of `formats`, by name, is kept; return that, and what is bound to each name.

    What nobody asks for is neither read nor written, but something must be bound all the same.
    """
    wanted = {name for name in formats if name in kept or (name in PARTS and set(PARTS) & set(kept))}
    instead = {"rgba32f": means["radiance"], "r32f": means["sun_visibility"]}
    made: dict[str, Any] = {
        name: graph.image(name, format, size, persistent=True) for name, format in formats.items() if name in wanted
    }
    return made, {name: made.get(name, instead[format]) for name, format in formats.items()}
