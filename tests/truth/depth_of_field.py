"""A thin lens without a shader of its own: the mean of pinholes all over it, each framed on the plane in focus."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vkforge as vf


def aperture_points(count: int, corners: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Return (count or fewer, 2) points spread evenly over the unit disc, or over the polygon with these corners."""
    if corners is None:
        index = np.arange(count)
        radius, angle = np.sqrt((index + 0.5) / count), index * math.pi * (3.0 - math.sqrt(5.0))  # Vogel 1979
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    disc = aperture_points(math.ceil(count * 1.3))
    following = np.roll(corners, -1, axis=0)
    side = following - corners
    outward = np.stack([side[:, 1], -side[:, 0]], axis=-1)
    return disc[(disc @ outward.T <= (corners * outward).sum(axis=-1)).all(axis=-1)]


def through_a_lens(renderer: vf.Renderer, scene: vf.Scene, size: tuple[int, int], count: int, **options: Any) -> Any:
    """Return the (height, width, 3) float64 mean radiance of `count` pinholes on the lens of an untilted camera.

    Each pinhole is moved on the lens and its frame shifted by as much at the plane in focus, so that this plane stays
    where it is in the picture. Light is that of the lit lane.
    """
    camera = scene.camera
    lens = camera.lens
    assert lens is not None
    assert lens.slope == (0.0, 0.0)
    right, up, _ = (np.array(axis) for axis in camera.axes)
    rays = camera.rays(*size)
    half = math.hypot(*rays.direction_u), math.hypot(*rays.direction_v)
    total = np.zeros((size[1], size[0], 3))
    points = aperture_points(count, lens.corners() if lens.blades else None)
    for seed, (x, y) in enumerate(points * lens.radius):
        moved = x * right + y * up
        shift = [
            before - offset / (2.0 * across * lens.focus_distance)
            for before, offset, across in zip(camera.shift, (x, y), half, strict=True)
        ]
        pinhole = dataclasses.replace(
            camera,
            position=tuple(np.array(camera.position) + moved),
            target=tuple(np.array(camera.target) + moved),
            shift=tuple(shift),
            aperture_radius=0.0,
            focus_distance=None,
            blades=0,
            blade_rotation=0.0,
        )
        total += renderer.render(dataclasses.replace(scene, camera=pinhole), size, seed=seed, **options).hdr
    return total / len(points)


def disc_edge(distance: Any, radius: float) -> NDArray[np.float64]:
    """Return the share of a disc that lies beyond a straight edge, by the signed distance of its centre past the edge.

    0 at -radius and before, 1 at radius and beyond: the profile of a sharp edge through a round lens.
    """
    s = np.clip(np.asarray(distance, np.float64) / radius, -1.0, 1.0)
    return 0.5 + (s * np.sqrt(1.0 - s * s) + np.arcsin(s)) / math.pi
