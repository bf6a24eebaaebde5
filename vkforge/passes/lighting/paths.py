"""Path tracing: a batch of samples of each pixel in a band of rows, and where the camera's rays of it begin."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from vkforge.graph.builder import Graph, ImageResource
from vkforge.passes.lighting.accumulate import SHARED, on_request
from vkforge.scene.camera import Camera

# What the samples of a pixel come to, kept from batch to batch.
SUMS = {"radiance": "rgba32f", "deviation": "r32f", "sun_visibility": "r32f", "sky_visibility": "r32f"}
ON_REQUEST = {**SHARED, "coverage": "r32f"}
TILE = 8  # include/path.glsl
ROULETTE_DEPTH = 4  # vertices that no path is ended before by chance: most light has arrived by then


def paths(
    graph: Graph,
    size: tuple[int, int],
    rows: int,
    bindings: Mapping[str, Any],
    specialization: Mapping[str, int],
    kept: Collection[str],
) -> dict[str, ImageResource]:
    """Declare the passes over a band of `rows`; return what they add up by name, and what is `kept` of ON_REQUEST.

    Where `kept` does not name "sky_visibility", that is told of Lambert's ground without water alone.
    """
    sums: dict[str, Any] = {name: graph.image(name, format, size, persistent=True) for name, format in SUMS.items()}
    made, bound = on_request(graph, size, ON_REQUEST, kept, sums)
    path = graph.block("path")
    beams = declare_beams(graph, (size[0], rows), {**bindings, "path": path}, specialization)
    graph.compute(
        "paths",
        "path/paths.comp",
        (size[0], rows),
        specialization={
            **specialization,
            "KEEPS_PARTS": "direct" in made,
            "KEEPS_WATER": "water_coverage" in made,
            "KEEPS_COVERAGE": "coverage" in made,
            "ASKS_SKY": "sky_visibility" in kept and (specialization["GLOSSY"] or specialization["HAS_WATER"]),
        },
        path=path,
        beams=beams,
        **bindings,
        **bound,
        **sums,
    )
    return {**sums, **made}


def declare_beams(
    graph: Graph, size: tuple[int, int], bindings: Mapping[str, Any], specialization: Mapping[str, int]
) -> ImageResource:
    """Declare the pass that says how deep the rays of each tile of a band are above the ground; return its depths."""
    beams = graph.image("beams", "r32f", (-(-size[0] // TILE), -(-size[1] // TILE)))
    graph.compute(
        "beams",
        "path/beams.comp",
        beams.size,
        specialization={name: specialization[name] for name in ("THIN_LENS", "SHUTTER")},
        **{name: bindings[name] for name in ("terrain", "heights", "pyramid", "frame", "path")},
        beams=beams,
    )
    return beams


def fill_path(block: Any, max_depth: int, camera: Camera, size: tuple[int, int]) -> None:
    """Write what stays the same over the batches of a picture into the `path` block.

    Args:
        block: The block.
        max_depth: Segments of a path.
        camera: Its lens, and its rays where the shutter closes.
        size: (width, height) of the picture.
    """
    block["max_depth"] = max_depth
    block["roulette_depth"] = ROULETTE_DEPTH
    lens = camera.lens
    if lens is None:  # or only at another time of the exposure
        block["lens_u"] = block["lens_v"] = block["inverse_focus"] = (0.0, 0.0, 0.0)
        block["blades"] = 0
    else:
        right, up, _ = np.array(camera.axes)
        turn = math.radians(lens.blade_rotation)
        block["lens_u"] = lens.radius * (math.cos(turn) * right + math.sin(turn) * up)
        block["lens_v"] = lens.radius * (math.cos(turn) * up - math.sin(turn) * right)
        block["blades"] = lens.blades
        block["inverse_focus"] = camera.focus(*size)
    for name, value in (camera.shutter_end or camera).rays(*size)._asdict().items():
        block[f"end_{name}"] = value
