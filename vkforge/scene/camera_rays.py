"""The rays of a frame, and the ways between pixels and the world, in float64: what the shaders compute in float32."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vkforge.errors import InputError
from vkforge.scene.checks import Vector, float_array, show
from vkforge.scene.vectors import ZERO

# How (u, v) become a direction; the place in this list is CAMERA_KIND of include/frame.glsl.
PROJECTIONS = ("linear", "panorama", "equidistant", "equisolid")


class CameraRays(NamedTuple):
    """The rays of a frame as functions of (u, v), each in [-1, 1] across the frame: u to the right, v up.

    The ray starts at ``origin + u * origin_u + v * origin_v``. Where `Camera.projection` is "linear" it goes along
    ``normalize(direction + u * direction_u + v * direction_v)``. Else `direction`, `direction_u` and `direction_v` are
    unit vectors forward, right and up, and `angles` says how far they turn:

    - "panorama": ``angles`` are radians from the middle to the right edge, from the middle to the top, and of the
      middle above the horizon; longitude is ``u * angles[0]`` and latitude ``angles[2] + v * angles[1]``.
    - "equidistant", "equisolid" (fish-eyes): the point is ``q = (u * angles[1], v * angles[2])``, with the image circle
      at ``|q| = 1`` and ``angles[0]`` radians from the axis there. The angle from the axis is ``|q| * angles[0]``, or
      ``2 asin(|q| sin(angles[0] / 2))``; outside of the circle there is no ray.

    The centre of pixel (px, py), row 0 at the top, is at ``u = 2 * (px + 0.5) / width - 1`` and
    ``v = 1 - 2 * (py + 0.5) / height``.
    """

    origin: Vector
    origin_u: Vector
    origin_v: Vector
    direction: Vector
    direction_u: Vector
    direction_v: Vector
    angles: Vector = ZERO


def rays_at(rays: CameraRays, projection: str, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the origins and unit directions of the rays through (n, 2) `uv`; NaN directions where there is no ray."""
    o, ou, ov, d, du, dv = (np.array(vector) for vector in rays[:6])
    u, v = uv[:, :1], uv[:, 1:]
    origins = o + u * ou + v * ov
    if projection == "linear":
        directions = d + u * du + v * dv
    elif projection == "panorama":
        longitude, latitude = u * rays.angles[0], rays.angles[2] + v * rays.angles[1]
        level = np.cos(longitude) * d + np.sin(longitude) * du
        directions = np.cos(latitude) * level + np.sin(latitude) * dv
    else:
        x, y = u * rays.angles[1], v * rays.angles[2]
        radius = np.hypot(x, y)
        with np.errstate(invalid="ignore"):
            if projection == "equidistant":
                angle = np.where(radius <= 1.0, radius * rays.angles[0], np.nan)
            else:
                angle = 2.0 * np.arcsin(np.where(radius <= 1.0, radius * np.sin(rays.angles[0] / 2.0), np.nan))
        away = np.where(radius > 0.0, np.sin(angle) / np.maximum(radius, 1e-300), 0.0)
        directions = np.cos(angle) * d + away * (x * du + y * dv)
    return origins, directions / np.linalg.norm(directions, axis=1, keepdims=True)


def project(rays: CameraRays, projection: str, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the (n, 2) uv at which (n, 3) points are seen, and their (n,) distances along the rays.

    Both are NaN where no ray of the camera, in the frame or outside of it, meets the point: behind it, or beyond a
    fish-eye's circle.
    """
    o, ou, ov, d, du, dv = (np.array(vector) for vector in rays[:6])
    offsets = points - o
    distance = np.linalg.norm(offsets, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if projection == "linear" and ou.any():
            along = d / np.linalg.norm(d)
            u, v, distance = np.linalg.solve(np.stack([ou, ov, along], axis=1), offsets.T)
            seen = distance >= 0.0
        elif projection == "linear":
            a, b, c = np.linalg.solve(np.stack([du, dv, d], axis=1), offsets.T)
            u, v, seen = a / c, b / c, c > 0.0
        else:
            right, up, forward = offsets @ du, offsets @ dv, offsets @ d
            if projection == "panorama":
                u = np.arctan2(right, forward) / rays.angles[0]
                v = (np.arctan2(up, np.hypot(right, forward)) - rays.angles[2]) / rays.angles[1]
                seen = distance > 0.0
            else:
                aside = np.hypot(right, up)
                angle = np.arctan2(aside, forward)
                if projection == "equidistant":
                    radius = angle / rays.angles[0]
                else:
                    radius = np.sin(angle / 2.0) / np.sin(rays.angles[0] / 2.0)
                per_metre = np.where(aside > 0.0, radius / np.maximum(aside, 1e-300), 0.0)
                u, v = per_metre * right / rays.angles[1], per_metre * up / rays.angles[2]
                seen = (distance > 0.0) & (radius <= 1.0 + 1e-9)
    uv = np.where(seen[:, None], np.stack([u, v], axis=1), np.nan)
    return uv, np.where(seen, distance, np.nan)


def pixels_to_uv(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return (n, 2) uv of pixel coordinates from the upper left corner."""
    return np.array([2.0, -2.0]) * pixels / np.array(size, np.float64) + np.array([-1.0, 1.0])


def uv_to_pixels(uv: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return (n, 2) pixel coordinates from the upper left corner of uv."""
    return (uv - np.array([-1.0, 1.0])) * np.array(size, np.float64) * np.array([0.5, -0.5])


def columns(name: str, values: Any, wanted: tuple[int, ...]) -> tuple[np.ndarray, bool]:
    """Return `values` as float64 rows of `wanted` numbers each, and whether it was a single row.

    Raises:
        InputError: not numbers, or another shape.
    """
    shape = f"numbers of shape (n, {' or '.join(map(str, wanted))}), or one row of them"
    array = float_array(name, values, shape)
    if array.ndim not in (1, 2) or array.shape[-1] not in wanted:
        raise InputError(f"{name} is {show(values)}; wanted {shape}")
    return np.atleast_2d(array), array.ndim == 1
