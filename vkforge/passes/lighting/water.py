"""Water: its surface in the G-buffer, and what it sends to the camera."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from vkforge.graph.builder import Graph, ImageResource
from vkforge.passes.materials.textures import DeviceTexture
from vkforge.passes.terrain.heightfield import LOWEST
from vkforge.passes.terrain.primary import EXTRAS, GBUFFER
from vkforge.scene.terrain import Terrain
from vkforge.scene.water import Water, flood_of

# Grid units, twice SHALLOWEST of include/water.glsl, and some centimetres on a mountain: ground that lies just as high
# as the water is flooded, as the sea of a coastal DEM is at 0.
LIFT = 0.2
SLACK = 1.0 + 1e-5


def water_variant(water: Water | None) -> dict[str, int]:
    """Return the specialisation constants of include/water.glsl that suit a scene's water; none where there is none."""
    return {} if water is None else {"HAS_WATER_MASK": water.mask is not None, "MAP_WATER": water.tint is not None}


def import_water(graph: Graph, mask: DeviceTexture | None, instead: ImageResource) -> dict[str, Any]:
    """Bring the water into a graph; return the bindings that include/water.glsl wants.

    Without a mask nothing reads its image, but something must be bound: `instead`, a sampled one.
    """
    image = instead if mask is None else graph.import_image("water_mask", mask.image, sampler="linear")
    return {"water": graph.block("water"), "water_mask": image}


def fill_water(block: Any, water: Water | None, filled: Any, terrain: Terrain) -> None:
    """Write the `water` block; without water nothing reads it. `filled` is the `terrain` block of that terrain."""
    if water is None:
        return
    low, scale = float(filled["height_low"]), float(filled["height_scale"])
    flood = flood_of(water, terrain)
    block["level"] = (water.level - low) * scale + LOWEST + (LIFT if flood.touches else 0.0)
    block["ior"] = water.ior
    block["scattering"] = water.scattering
    block["extinction"] = [s + a for s, a in zip(water.scattering, water.absorption, strict=True)]
    block["alpha_squared"] = water.roughness**4
    if water.tint is not None:
        block["deep"] = water.tint.deep
        block["shallow"] = water.tint.shallow
        block["fade"] = 1.0 / (water.tint.fade or flood.depth)
    block["slack"] = SLACK if flood.touches else 1.0
    waves = water.waves()
    block["wave_count"] = len(waves)
    for wave, (east, north, slope, phase) in zip(block["waves"], waves, strict=False):
        wave["number"] = (east, north)
        wave["slope"] = slope
        wave["phase"] = phase


def water_surface(
    graph: Graph,
    size: tuple[int, int],
    heightfield: Mapping[str, Any],
    frame: Any,
    gbuffer: Mapping[str, ImageResource],
    water: Mapping[str, Any],
    *,
    tracer: Mapping[str, int],
    variant: Mapping[str, int],
    extras: Collection[str] = (),
) -> None:
    """Declare the pass that puts the surface into the G-buffer, over the ground that lies behind it.

    Args:
        graph: The frame.
        size: (width, height).
        heightfield: As `import_heightfield` gives it.
        frame: The block.
        gbuffer: As `primary` gives it.
        water: As `import_water` gives it.
        tracer: The tracer's variant.
        variant: As `water_variant` gives it.
        extras: Those of the G-buffer, as `primary` was given them.
    """
    kept = {f"KEEPS_{name.upper()}": name in extras for name in EXTRAS}
    channels: dict[str, Any] = {name: gbuffer[name] for name in (*GBUFFER, *EXTRAS)}
    graph.compute(
        "water surface",
        "lighting/water_surface.comp",
        size,
        specialization={**tracer, **variant, **kept},
        **heightfield,
        frame=frame,
        **channels,
        **water,
    )


def water_light(
    graph: Graph,
    size: tuple[int, int],
    heightfield: Mapping[str, Any],
    frame: Any,
    gbuffer: Mapping[str, ImageResource],
    split_sum: ImageResource,
    *,
    water: Mapping[str, Any],
    surface_maps: Mapping[str, ImageResource],
    sky_bindings: Mapping[str, Any],
    tracer: Mapping[str, int],
    variant: Mapping[str, int],
) -> ImageResource:
    """Declare the pass; return this sample's light of the water (RGB radiance; w is 1 where there is some).

    Beside the arguments of `water_surface`, `variant` has those of include/surface.glsl, include/brdf.glsl and
    include/sky.glsl, SOFT and HAS_SUN.
    """
    light = graph.image("water_light", "rgba32f", size)
    seen: dict[str, Any] = {name: gbuffer[name] for name in ("position", "normal", "geometric_normal")}
    graph.compute(
        "water",
        "lighting/water.comp",
        size,
        specialization={**tracer, **variant},
        **heightfield,
        frame=frame,
        split_sum=split_sum,
        **surface_maps,
        **sky_bindings,
        **water,
        **seen,
        water_light=light,
    )
    return light
