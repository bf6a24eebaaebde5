"""Fog in the lit lane: froxels lit by traced rays, added up along each column, and applied to each pixel."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from vkforge.graph.builder import Graph, ImageResource
from vkforge.scene.scene import Scene

SLICES = 64
ACROSS = 8  # slices side by side in the images
COLUMNS = 160  # along a picture's longer side, until a column has LARGEST_TILE pixels
LARGEST_TILE = 8
LARGEST_RATE = 6.0  # logarithm of how much longer the last slice is than the first
OPAQUE = 14.0  # an optical depth: less than a millionth gets through


def froxel_grid(size: tuple[int, int]) -> tuple[int, tuple[int, int]]:
    """Return the pixels a column is wide, and the columns along x and y, for a picture of `size`."""
    tile = min(-(-max(size) // COLUMNS), LARGEST_TILE)
    return tile, (-(-size[0] // tile) + 2, -(-size[1] // tile) + 2)


def froxel_range(scene: Scene, size: tuple[int, int]) -> tuple[float, float]:
    """Return the distances along camera rays within which a scene's shadows, or its box of fog, are to be seen."""
    x0, x1, y0, y1 = scene.terrain.extent
    scale = scene.terrain.vertical_exaggeration
    base = scene.terrain.min_height if scene.terrain.skirt is None else scene.terrain.skirt
    box = np.array([(x0, x1), (y0, y1), (base * scale, scene.terrain.max_height * scale)])
    if scene.fog is not None and scene.fog.bounds is not None:
        box = np.array(scene.fog.bounds).reshape(3, 2)
    corners = np.array(list(itertools.product(*box)))
    rays = scene.camera.rays(*size)
    origin, direction = np.array(rays.origin), np.array(rays.direction)
    if np.any(rays.origin_u):  # parallel rays: all start on one plane
        along = (corners - origin) @ (direction / np.linalg.norm(direction))
        if scene.camera.kind == "oblique":  # and don't leave it straight
            along = (corners[:, 2] - origin[2]) / (direction[2] / np.linalg.norm(direction))
        near, far = along.min(), along.max()
    else:
        near = np.linalg.norm(origin - np.clip(origin, box[:, 0], box[:, 1]))
        far = np.linalg.norm(corners - origin, axis=1).max()
    far = max(float(far), 1e-3)
    if scene.fog is not None and scene.fog.kind == "uniform":
        far = min(far, OPAQUE / max(min(scene.fog.extinction), 1e-30))
    return min(max(float(near), 0.0), 0.999 * far), far


def fill_volume(block: Any, scene: Scene, size: tuple[int, int]) -> None:
    """Write the `volume` block of include/froxels.glsl."""
    near, far = froxel_range(scene, size)
    tile, columns = froxel_grid(size)
    block["columns"] = columns
    block["slices"] = SLICES
    block["across"] = ACROSS
    block["tile"] = tile
    block["near"] = near
    block["far"] = far
    block["rate"] = min(LARGEST_RATE, max(0.05, math.log(far / near))) if near > 0.0 else LARGEST_RATE


def fog(
    graph: Graph,
    size: tuple[int, int],
    heightfield: dict[str, Any],
    frame: Any,
    position: ImageResource,
    sun_light: ImageResource | None,
    sky_light: ImageResource | None,
    *,
    medium: dict[str, Any],
    sky: dict[str, Any],
    lights: Any,
    clouds: dict[str, Any],
    clouds_seen: tuple[ImageResource, ImageResource] | None,
    tracer: Mapping[str, int],
    variant: Mapping[str, int],
) -> tuple[ImageResource, ImageResource]:
    """Declare the passes; return the light that fog adds, and the share it lets through (this sample's).

    Args:
        graph: Where to.
        size: (width, height) in pixels.
        heightfield: Bindings of include/heightfield.glsl.
        frame: The `frame` block.
        position: Of the G-buffer.
        sun_light: What the ground reflects of the sun, which fog attenuates in place, or None.
        sky_light: The same of the sky.
        medium: Bindings of include/medium.glsl.
        sky: Bindings of include/sky.glsl, beside the frame.
        lights: The `lights` block.
        clouds: Bindings of include/clouds.glsl.
        clouds_seen: What `show_clouds` returned, which then counts in the result; None without clouds.
        tracer: The tracer's specialisation constants.
        variant: Specialisation constants of include/medium.glsl and include/sky.glsl, and HAS_SUN, HAS_SKY, HAS_LAMPS.
    """
    _, columns = froxel_grid(size)
    volume = graph.block("volume")
    atlas = (columns[0] * ACROSS, columns[1] * -(-SLICES // ACROSS))
    inscatter = graph.image("inscatter", "rgba32f", atlas)
    fog_volume = graph.image("fog_volume", "rgba32f", atlas)
    light, left = graph.image("fog_light", "rgba32f", size), graph.image("fog_left", "rgba32f", size)
    kind = {"MEDIUM_KIND": variant["MEDIUM_KIND"]}
    graph.compute(
        "fog light",
        "volumetrics/inscatter.comp",
        atlas,
        specialization={**tracer, **variant, "HAS_CLOUDS": clouds_seen is not None},
        **heightfield,
        frame=frame,
        **medium,
        **sky,
        lights=lights,
        **clouds,
        volume=volume,
        inscatter=inscatter,
    )
    graph.compute(
        "fog sum",
        "volumetrics/integrate.comp",
        columns,
        specialization=kind,
        frame=frame,
        **medium,
        volume=volume,
        inscatter=inscatter,
        fog_volume=fog_volume,
    )
    graph.compute(
        "fog",
        "volumetrics/fog.comp",
        size,
        specialization={
            **kind,
            "HAS_SUN": sun_light is not None,
            "HAS_SKY": sky_light is not None,
            "HAS_CLOUDS": clouds_seen is not None,
        },
        frame=frame,
        position=position,
        **medium,
        volume=volume,
        fog_volume=fog_volume,
        cloud_light=position if clouds_seen is None else clouds_seen[0],
        cloud_left=position if clouds_seen is None else clouds_seen[1],
        sun_light=sun_light or light,
        sky_light=sky_light or light,
        fog_light=light,
        fog_left=left,
    )
    return light, left
