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
from vkforge.post.lens import Lens
from vkforge.post.small_circles import sides, small_circles
from vkforge.scene.aperture import Aperture
from vkforge.scene.camera import Camera


@dataclass(frozen=True)
class Blur:
    """Something that spreads points over circles, in its variant.

    Attributes:
        by: What blurs, and the name of the block that says how.
        blades: Straight sides of the aperture, or 0 of a round one.
        bent: Whether a lens distorts what it blurs: the circles too.
    """

    by: Literal["aperture", "miniature"]
    blades: int
    bent: bool


def blurs_of(aperture: Aperture | None, lens: Lens | None, miniature: Miniature | None) -> tuple[Blur, ...]:
    """Return what spreads points, in the order in which it does. A miniature's circles are the picture's own."""
    found = []
    if aperture is not None:
        found.append(Blur("aperture", aperture.blades, lens is not None and lens.distorts))
    if miniature is not None:
        found.append(Blur("miniature", miniature.blades, False))
    return tuple(found)


# How oblong pixels may be for circles: those of 24 pixels are a quarter of a pixel off then.
_MOST_OBLONG = 0.02

# Twins of include/blur.glsl.
TILE = 16
LEVELS = 7
ATLAS = ("near", "far", "near_place", "far_place", "behind")


def depth_of_field(
    graph: Graph,
    size: tuple[int, int],
    frame: Any,
    blur: Blur,
    light: Mapping[str, Any],
    radiance: ImageResource,
    picture: ImageResource,
) -> ImageResource:
    """Declare the passes; return the blurred picture.

    Args:
        graph: The frame.
        size: (width, height) in pixels.
        frame: The `frame` block.
        blur: What spreads points.
        light: A lens reads "position", of the G-buffer at pixel centres, whose w is the distance along the ray, and
            "inverse_distance", the mean over each pixel. "light_place", where it is known, is where in each pixel the
            light is.
        radiance: All the light of the picture (rgba32f) or a part of it.
        picture: All of it.

    Returns:
        An rgba32f image of that light, with 1 in w.
    """
    by = blur.by
    seen: dict[str, Any] = {"frame": frame, "blur": graph.block(by)}
    bent = {"BENT": blur.bent}
    tile_count = (-(-size[0] // TILE), -(-size[1] // TILE))
    nearness, amount = (graph.image(f"{by} {name}", "r32f", size) for name in ("nearness", "amount"))
    front = graph.image(f"{by} front", "rgba32f", size)
    tiles, reach = (graph.image(f"{by} {name}", "rgba32f", tile_count) for name in ("tiles", "reach"))
    graph.compute(
        f"{by} circles",
        "post/dof_circles.comp",
        size,
        specialization={"MINIATURE": by == "miniature", "IS_PART": radiance is not picture, **bent},
        # A band asks for no depth; something must be bound all the same.
        position=light["position"] if by == "aperture" else radiance,
        inverse_distance=light["inverse_distance"] if by == "aperture" else nearness,
        radiance=radiance,
        picture=picture,
        nearness=nearness,
        front=front,
        amount=amount,
        tiles=tiles,
        **seen,
    )
    extent = (8 * tile_count[0], 8 * tile_count[1])  # a group a tile
    graph.compute(f"{by} reach", "post/dof_reach.comp", extent, tiles=tiles, reach=reach, **seen)
    levels = [(-(-size[0] // (1 << level)), -(-size[1] // (1 << level))) for level in range(1, LEVELS + 1)]
    atlas_size = (levels[0][0], sum(height for _, height in levels))
    atlas: dict[str, Any] = {name: graph.image(f"{by} {name}", "rgba32f", atlas_size) for name in ATLAS}
    atlas["circles"] = graph.image(f"{by} circles", "r32f", atlas_size)
    bound: dict[str, Any] = {"nearness": nearness, **atlas, **seen}
    for level, extent in enumerate(levels, start=1):
        variant, read = {"LEVEL": level, **bent}, {"front_light": front, "amount": amount}
        shader = "post/dof_shrink.comp"
        graph.compute(f"{by} level {level}", shader, extent, specialization=variant, **read, **bound)
    blurred = graph.image(f"{by} blurred", "rgba32f", size)
    placed = by == "aperture" and light.get("light_place") is not None
    variant = {"BLADES": blur.blades, "HAS_PLACE": placed, **bent}
    bound["light_place"] = light["light_place"] if placed else front
    shader = "post/dof_gather.comp"
    bound |= {"front": front, "radiance": radiance, "reach": reach, "blurred": blurred}
    graph.compute(f"{by} blur", shader, size, specialization=variant, **bound)
    return blurred


def check_pixels(camera: Camera) -> None:
    """Check that a camera's pixels suit circles.

    Raises:
        InputError: they are too oblong.
    """
    if abs(camera.pixel_aspect - 1.0) > _MOST_OBLONG:
        raise InputError(
            f"depth of field after the picture has circles, and with pixel_aspect={camera.pixel_aspect:g} they are "
            f"ellipses; wanted at most {_MOST_OBLONG:.0%} from 1, or lane='path-traced', which takes any"
        )


def fill_aperture(block: Any, camera: Camera, size: tuple[int, int]) -> None:
    """Write a camera's lens into the block "aperture".

    Raises:
        InputError: the camera has no lens.
    """
    lens = camera.lens
    if lens is None:
        raise InputError(f"the camera of kind {camera.kind!r} has no lens; use Camera.perspective(aperture_radius=...)")
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
    block["small"] = small_circles(blades, rotation)
    if blades:
        block["sides"][:blades] = sides(blades, rotation)
