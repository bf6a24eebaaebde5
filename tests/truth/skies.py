"""Closed forms of sky visibility, sun penumbrae and sky light, and the DEMs that they hold for.

Sky visibility is the cosine-weighted fraction of the upper hemisphere about the normal from which the sky, which ends
at the horizon, is seen. In a scene that is infinite along one axis it is the difference of the sines, from the normal,
of the two limits of the sky in cross-section, halved (Nusselt's analogue; Howell, Menguc and Daun 2020, chapter 4).
"""

import numpy as np
from numpy.typing import NDArray

from truth import heightfield

Array = NDArray[np.float64]


def wall(height: float, distance: float) -> float:
    """Horizontal ground before an infinite wall: the sky spans -90 to 90 - b degrees from the zenith."""
    return (1 + np.cos(np.arctan2(height, distance))) / 2


def canyon(height: float, left: float, right: float) -> float:
    """Floor between two infinite walls: the sky spans -(90 - b1) to 90 - b2 degrees from the zenith."""
    return (np.cos(np.arctan2(height, left)) + np.cos(np.arctan2(height, right))) / 2


def valley(slope: float) -> float:
    """V-valley with sides of `slope` degrees, from a point on one of them.

    The side's own plane is 90 degrees from the normal, the other side 90 - 2 slope: (1 + cos 2 slope) / 2.
    """
    return np.cos(np.radians(slope)) ** 2


def bowl(radius: float, depth: float) -> float:
    """Spherical cap: from inside a sphere every part of it has a view factor proportional to its area.

    The sky is seen through what was cut off, an area of 2 pi R (2R - D) of 4 pi R^2.
    """
    return 1 - depth / (2 * radius)


def pit(height: float, radius: float) -> float:
    """Centre of a round pit's floor: the integral of 2 sin cos over zenith angles up to 90 - b, sin^2(90 - b)."""
    return np.cos(np.arctan2(height, radius)) ** 2


def slope(tilt: float) -> float:
    """Open plane tilted by `tilt` degrees: the horizon cuts the downhill side at 90 - tilt degrees from the normal."""
    return (1 + np.cos(np.radians(tilt))) / 2


def disc_above(edge: Array) -> Array:
    """Fraction of a unit disc above a horizontal line `edge` below its centre, in radii: a circular segment's area."""
    x = np.clip(edge, -1, 1)
    return 0.5 + (np.arcsin(x) + x * np.sqrt(1 - x * x)) / np.pi


def gradient_irradiance(zenith: float, horizon: float) -> float:
    """On a horizontal plane under L = horizon + (zenith - horizon) cos t: pi and 2 pi / 3 weigh the two terms."""
    return np.pi * horizon + 2 * np.pi / 3 * (zenith - horizon)


def wall_dem(height: float, distances: tuple[int, ...], along: int, half_length: float = 3000.0):
    """Walls one cell wide, of top edges at `distances` metres (negative: west) from a point on a flat floor.

    The slope up to the top sample never hides more than the top edge does, so the closed forms hold exactly.

    Args:
        height: metres.
        distances: whole metres from the point to each top edge.
        along: 1 for walls that run north-south, 0 for walls that run east-west (west becomes north).
        half_length: metres that the walls run either way.

    Returns:
        heights, cell_size and the point (x, y) where the closed form holds; cells are 1 m across the walls.
    """
    columns = np.arange(-60, 61)
    profile = np.zeros(columns.shape)
    for distance in distances:
        profile[columns >= distance if distance > 0 else columns <= distance] = height
    heights, dx, dy = np.tile(profile, (61, 1)), 1.0, half_length / 30
    return (heights, (dx, dy), (0.0, 0.0)) if along == 1 else (heights.T, (dy, dx), (0.0, 0.0))


def valley_dem(tilt: float):
    """V-valley along y with sides of 800 m, ten times as long, and a point on it.

    The point is 1.5 cells up one side, where the shading normal is the side's; seen from there the far rim is lower
    than the closed form's by 3 / 800, which is worth less than 0.001.
    """
    x = np.arange(-800.0, 801.0)
    return np.tile(np.abs(x) * np.tan(np.radians(tilt)), (81, 1)), (1.0, 200.0), (1.5, 0.0)


def bowl_dem(radius: float, depth: float):
    """Spherical cap in a plane at z = 0, on cells of 1 m; the cap's rim radius is also returned."""
    rim = np.sqrt(radius**2 - (radius - depth) ** 2)
    half = int(np.ceil(rim)) + 4
    j, i = np.meshgrid(np.arange(-half, half + 1), np.arange(-half, half + 1))
    sphere = (radius - depth) - np.sqrt(np.maximum(radius**2 - j**2 - i**2, 0))
    return np.where(j**2 + i**2 < rim**2, sphere, 0.0), (1.0, 1.0), rim


def pit_dem(height: float, radius: float):
    """Round pit with a step of a wall, on cells of 1 m: the rim's samples lie up to a cell outside the circle."""
    half = int(radius) + 4
    j, i = np.meshgrid(np.arange(-half, half + 1), np.arange(-half, half + 1))
    return np.where(j**2 + i**2 < (radius - 0.5) ** 2, 0.0, height), (1.0, 1.0), (0.0, 0.0)


def brute_force(heights: Array, cell_size: tuple[float, float], point: tuple[float, float], normal: Array) -> float:
    """Sky visibility at one point of a DEM about `normal`, from 4,096 evenly spread rays of `heightfield.intersect`."""
    down = heightfield.intersect(heights, cell_size, [*point, 1e5], [0.0, 0.0, -1.0])
    start = np.array([*point, 1e5 - down.t[0]]) + 1e-6 * down.normal[0]
    directions = hemisphere(normal, 4096)
    seen = ~heightfield.intersect(heights, cell_size, np.tile(start, (len(directions), 1)), directions).hit
    return float(np.mean(seen & (directions[:, 2] > 0) & (directions @ down.normal[0] > 0)))


def hemisphere(normal: Array, count: int) -> Array:
    """(count, 3) directions that share out the cosine-weighted hemisphere about `normal` evenly: a Fibonacci spiral."""
    k = np.arange(count)
    c2, phi = (k + 0.5) / count, np.pi * (1 + np.sqrt(5)) * k
    tangent = np.cross(normal, [0.0, 1.0, 0.0] if abs(normal[1]) < 0.9 else [1.0, 0.0, 0.0])
    tangent /= np.linalg.norm(tangent)
    x, y = np.sqrt(1 - c2) * np.cos(phi), np.sqrt(1 - c2) * np.sin(phi)
    return x[:, None] * tangent + y[:, None] * np.cross(normal, tangent) + np.sqrt(c2)[:, None] * normal
