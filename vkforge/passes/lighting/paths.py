"""Path tracing: a batch of samples of each pixel in a band of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vkforge.graph.builder import Graph, ImageResource
from vkforge.scene.camera import CameraRays

# What the samples of a pixel come to, kept from batch to batch.
SUMS = {"radiance": "rgba32f", "deviation": "r32f", "sun_visibility": "r32f", "sky_visibility": "r32f"}
ROULETTE_DEPTH = 4  # vertices that no path is ended before by chance: most light has arrived by then


def paths(
    graph: Graph,
    size: tuple[int, int],
    rows: int,
    bindings: Mapping[str, Any],
    specialization: Mapping[str, int],
) -> dict[str, ImageResource]:
    """Declare the pass over a band of `rows`; return what it accumulates, by name."""
    sums: dict[str, Any] = {name: graph.image(name, format, size, persistent=True) for name, format in SUMS.items()}
    graph.compute(
        "paths",
        "path/paths.comp",
        (size[0], rows),
        specialization=specialization,
        path=graph.block("path"),
        **bindings,
        **sums,
    )
    return sums


def fill_path(
    block: Any, max_depth: int, lens: tuple[tuple[float, ...], tuple[float, ...], float], end: CameraRays
) -> None:
    """Write what stays the same over the batches of a picture into the `path` block.

    Args:
        block: The block.
        max_depth: Segments of a path.
        lens: (centre to rim rightwards, upwards, distance to the plane in focus), as `Camera.lens` gives it.
        end: The camera's rays where the shutter closes.
    """
    block["max_depth"] = max_depth
    block["roulette_depth"] = ROULETTE_DEPTH
    block["lens_u"], block["lens_v"], block["focus_distance"] = lens
    for name, value in end._asdict().items():
        block[f"end_{name}"] = value
