"""Depth of field: a picture through a pinhole becomes one through a lens, or of a miniature."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from vkforge.errors import InputError
from vkforge.graph.builder import Graph, ImageResource
from vkforge.post.depth_of_field import Miniature
from vkforge.scene.aperture import Aperture
from vkforge.scene.camera import Camera


@dataclass(frozen=True)
class Blur:
    """Something that spreads points over circles, in its variant.

    Attributes:
        by: What blurs, and the name of the block that says how.
        blades: Straight sides of the aperture, or 0 of a round one.
    """

    by: Literal["aperture", "miniature"]
    blades: int


def blurs_of(lens: Aperture | None, miniature: Miniature | None) -> tuple[Blur, ...]:
    """Return what spreads points, in the order in which it does."""
    found = []
    if lens is not None:
        found.append(Blur("aperture", lens.blades))
    if miniature is not None:
        found.append(Blur("miniature", miniature.blades))
    return tuple(found)


# How oblong pixels may be for circles: those of 24 pixels are a quarter of a pixel off then.
_MOST_OBLONG = 0.02

# Twins of include/blur.glsl.
TILE = 16
LEVELS = 7
ATLAS = ("near", "far", "shares", "behind")


def depth_of_field(
    graph: Graph,
    size: tuple[int, int],
    frame: Any,
    radiance: ImageResource,
    blur: Blur,
    light: Mapping[str, Any],
) -> ImageResource:
    """Declare the passes; return the blurred picture.

    Args:
        graph: The frame.
        size: (width, height) in pixels.
        frame: The `frame` block.
        radiance: The picture (rgba32f).
        blur: What spreads points.
        light: A lens reads "position", of the G-buffer at pixel centres, whose w is the distance along the ray, and
            "inverse_distance", the mean over each pixel.

    Returns:
        An rgba32f image with 1 in w.
    """
    by = blur.by
    seen: dict[str, Any] = {"frame": frame, "blur": graph.block(by)}
    tile_count = (-(-size[0] // TILE), -(-size[1] // TILE))
    nearness = graph.image(f"{by} nearness", "r32f", size)
    front = graph.image(f"{by} front", "rgba32f", size)
    tiles, reach = (graph.image(f"{by} {name}", "rgba32f", tile_count) for name in ("tiles", "reach"))
    graph.compute(
        f"{by} circles",
        "post/dof_circles.comp",
        size,
        specialization={"MINIATURE": by == "miniature"},
        # A band asks for no depth; something must be bound all the same.
        position=light["position"] if by == "aperture" else radiance,
        inverse_distance=light["inverse_distance"] if by == "aperture" else nearness,
        radiance=radiance,
        nearness=nearness,
        front=front,
        tiles=tiles,
        **seen,
    )
    extent = (8 * tile_count[0], 8 * tile_count[1])  # a group a tile
    graph.compute(f"{by} reach", "post/dof_reach.comp", extent, tiles=tiles, reach=reach, **seen)
    levels = [(-(-size[0] // (1 << level)), -(-size[1] // (1 << level))) for level in range(1, LEVELS + 1)]
    atlas_size = (levels[0][0], sum(height for _, height in levels))
    atlas: dict[str, Any] = {name: graph.image(f"{by} {name}", "rgba32f", atlas_size) for name in ATLAS}
    picture: dict[str, Any] = {"nearness": nearness, **atlas, **seen}
    for level, extent in enumerate(levels, start=1):
        variant = {"LEVEL": level}
        graph.compute(
            f"{by} level {level}", "post/dof_shrink.comp", extent, specialization=variant, front_light=front, **picture
        )
    blurred = graph.image(f"{by} blurred", "rgba32f", size)
    variant = {"BLADES": blur.blades}
    shader = "post/dof_gather.comp"
    picture |= {"front": front, "radiance": radiance, "reach": reach, "blurred": blurred}
    graph.compute(f"{by} blur", shader, size, specialization=variant, **picture)
    return blurred


def fill_aperture(block: Any, camera: Camera, size: tuple[int, int]) -> None:
    """Write a camera's lens into the block "aperture".

    Raises:
        InputError: the camera has no lens, or its pixels are more oblong than circles suit.
    """
    lens = camera.lens
    if lens is None:
        raise InputError(f"the camera of kind {camera.kind!r} has no lens; use Camera.perspective(aperture_radius=...)")
    if abs(camera.pixel_aspect - 1.0) > _MOST_OBLONG:
        raise InputError(
            f"depth of field after the picture has circles, and with pixel_aspect={camera.pixel_aspect:g} they are "
            f"ellipses; wanted at most {_MOST_OBLONG:.0%} from 1, or lane='path-traced', which takes any"
        )
    pixels = lens.radius * size[0] / 2.0 / math.hypot(*camera.rays(*size).direction_u) * math.sqrt(camera.pixel_aspect)
    block["scale"] = pixels
    block["focus"] = pixels * np.array(camera.focus(*size))
    _fill_shape(block, lens.blades, lens.blade_rotation)


def fill_miniature(block: Any, miniature: Miniature, size: tuple[int, int]) -> None:
    """Write a miniature's band into the block "miniature"."""
    block["focus"] = 0.0
    block["across"], block["offset"] = miniature.across(size)
    height = size[1]
    block["half_width"] = miniature.width / 2.0 * height
    block["fade"] = miniature.fade * height
    block["largest"] = miniature.radius * height
    _fill_shape(block, miniature.blades, 0.0)


def _fill_shape(block: Any, blades: int, rotation: float) -> None:
    block["area"] = blades / 2.0 * math.sin(2.0 * math.pi / blades) if blades else math.pi
    if blades:
        normals = math.radians(rotation) + math.pi / blades * (2.0 * np.arange(blades) + 1.0)
        block["sides"][:blades] = np.stack([np.cos(normals), np.sin(normals)], axis=-1) / math.cos(math.pi / blades)
