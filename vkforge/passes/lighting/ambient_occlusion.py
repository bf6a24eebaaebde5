"""Ambient occlusion: how open the ground lies, whatever the light."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vkforge.graph.builder import Graph, ImageResource

NO_LIMIT = 1e30  # metres


def ambient_occlusion(
    graph: Graph,
    size: tuple[int, int],
    heightfield: Mapping[str, Any],
    frame: Any,
    gbuffer: Mapping[str, ImageResource],
    *,
    tracer: Mapping[str, int],
    rays: int,
    at_once: int,
    distance: float,
) -> ImageResource:
    """Declare the passes; return the share of directions, out of `rays`, in which nothing is met within `distance`.

    Each pass traces `at_once` rays, as `rays_at_once` says.
    """
    share = graph.image("ambient_occlusion", "r32f", size)
    for first in range(0, rays, at_once):
        graph.compute(
            "ambient occlusion",
            "lighting/ambient_occlusion.comp",
            size,
            constants={"distance": distance, "rays": rays, "first": first, "end": min(first + at_once, rays)},
            specialization=tracer,
            **heightfield,
            frame=frame,
            position=gbuffer["position"],
            normal=gbuffer["normal"],
            ambient_occlusion=share,
        )
    return share
