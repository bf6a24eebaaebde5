"""What a physical sky looks like, as numbers: answered by the tables and shaders that the renderer uses.

Everything runs on the renderer that `vkforge.render` keeps, in float32; light is in the unit of `Sun.irradiance`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from vkforge.errors import InputError
from vkforge.oneliner import kept_renderer
from vkforge.passes.atmosphere.tables import Sights
from vkforge.scene.checks import number, show
from vkforge.scene.sky import Sky
from vkforge.scene.sun import Sun

LookUp = Callable[[str, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
BATCH = 1 << 20
HIGHEST = 1.0e8  # metres of altitude


def radiance(
    sky: Sky, sun: Sun | None, directions: ArrayLike, altitude: float = 0.0, *, device: str | int = "auto"
) -> np.ndarray:
    """Return the radiance of the sky, without the sun's disc: all orders of scattering, and the ground's reflection.

    Args:
        sky: The air.
        sun: Its irradiance is that outside of the air; None for night without end.
        directions: (..., 3) directions to look in, of any length but zero; x east, y north, z up.
        altitude: Metres of the eye above the ground, 0 to 1e8: from space too.
        device: As `vkforge.Renderer` takes it.

    Returns:
        (..., 3) float32 linear RGB, W/m2/sr in the sun's unit.

    Raises:
        InputError: Something else than a Sky or a Sun, wrong shapes, values that are not finite, a zero direction.
    """
    looks = _directions(directions)
    look_up = _look_up(sky, sun, altitude, device)
    return _batches(look_up, "sky", looks.reshape(-1, 3), np.zeros(looks.size // 3))[0].reshape(looks.shape)


def transmittance(sky: Sky, altitude: ArrayLike, elevation: ArrayLike, *, device: str | int = "auto") -> np.ndarray:
    """Return the share of light that comes through the air from space.

    Args:
        sky: The air.
        altitude: Metres above the ground, 0 to 1e8, of any shape.
        elevation: Degrees above the horizontal, -90 to 90, of any shape that broadcasts with `altitude`.
        device: As `vkforge.Renderer` takes it.

    Returns:
        (..., 3) float32 from 0 to 1; 0 where the ground is in the way.

    Raises:
        InputError: Something else than a Sky, arrays that do not broadcast, or values out of their range.
    """
    heights = _numbers("altitude (metres)", altitude, 0.0, HIGHEST)
    angles = _numbers("elevation (degrees)", elevation, -90.0, 90.0)
    try:
        heights, angles = np.broadcast_arrays(heights, angles)
    except ValueError:
        raise InputError(
            f"altitude has shape {heights.shape} and elevation {angles.shape}; wanted shapes that broadcast"
        ) from None
    asked = np.stack([heights.ravel(), np.sin(np.radians(angles.ravel())), np.zeros(heights.size)], axis=1)
    found = _batches(_look_up(sky, None, 0.0, device), "transmittance", asked, np.zeros(heights.size))[1]
    return found.reshape(*heights.shape, 3)


def aerial_perspective(
    sky: Sky,
    sun: Sun | None,
    directions: ArrayLike,
    distances: ArrayLike,
    altitude: float = 0.0,
    *,
    device: str | int = "auto",
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the air does between an eye and things in the distance.

    Args:
        sky: The air; its `aerial_perspective` scales the distances.
        sun: Its irradiance is that outside of the air; None for night without end.
        directions: (..., 3) directions to look in, of any length but zero; x east, y north, z up.
        distances: Metres, at least 0, of a shape that broadcasts with that of `directions` less its last axis.
        altitude: Metres of the eye above the ground, 0 to 1e8.
        device: As `vkforge.Renderer` takes it.

    Returns:
        Radiance that the air sends to the eye from in between, and transmittance, both (..., 3) float32. What lies
        behind the ground counts as on it.

    Raises:
        InputError: Something else than a Sky or a Sun, wrong shapes, or values out of their range.
    """
    looks = _directions(directions)
    ways = _numbers("distances (metres)", distances, 0.0, np.inf)
    try:
        shape = np.broadcast_shapes(looks.shape[:-1], ways.shape)
    except ValueError:
        raise InputError(
            f"directions has shape {looks.shape} and distances {ways.shape}; wanted shapes that broadcast"
        ) from None
    looks = np.broadcast_to(looks, (*shape, 3)).reshape(-1, 3)
    ways = np.broadcast_to(ways, shape).ravel()
    light, left = _batches(_look_up(sky, sun, altitude, device), "air between", looks, ways)
    return light.reshape(*shape, 3), left.reshape(*shape, 3)


def _look_up(sky: Sky, sun: Sun | None, altitude: float, device: str | int) -> LookUp:
    if not isinstance(sky, Sky):
        raise InputError(f"sky is {show(sky)}; wanted a physical vkforge.Sky, as vkforge.Sky(turbidity=2)")
    if sun is not None and not isinstance(sun, Sun):
        raise InputError(f"sun is {show(sun)}; wanted a vkforge.Sun")
    height = number("altitude (metres)", altitude, 0.0, HIGHEST)
    sights = Sights(sky, sun, 0.0, (0.0, 0.0, height), sky.aerial_perspective)
    return partial(kept_renderer(device).sky_look_up, sights)


def _batches(look_up: LookUp, subject: str, asked: np.ndarray, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = [look_up(subject, asked[i : i + BATCH], distances[i : i + BATCH]) for i in range(0, len(asked), BATCH)]
    if not parts:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32)
    light, left = zip(*parts, strict=True)
    return np.concatenate(light), np.concatenate(left)


def _directions(values: ArrayLike) -> np.ndarray:
    """Return unit vectors."""
    vectors = _numbers("directions", values, -np.inf, np.inf)
    if vectors.ndim == 0 or vectors.shape[-1] != 3:
        raise InputError(f"directions has shape {vectors.shape}; wanted (..., 3)")
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if lengths.size and lengths.min() == 0.0:
        raise InputError("a direction is zero; wanted vectors of any length but zero")
    return vectors / lengths


def _numbers(name: str, values: ArrayLike, low: float, high: float) -> np.ndarray:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} is {show(values)}; wanted numbers") from None
    wrong = array[~(np.isfinite(array) & (array >= low) & (array <= high))]
    if wrong.size:
        wanted = "finite numbers"
        if np.isfinite(low):
            wanted += f" from {low:g} to {high:g}" if np.isfinite(high) else f" of at least {low:g}"
        raise InputError(f"{name} holds {wrong[0]:g}; wanted {wanted}")
    return array
