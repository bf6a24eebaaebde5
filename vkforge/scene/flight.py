"""A flight over the ground: the way of `Camera.flyover` and of `Animation.flyover`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vkforge.errors import InputError
from vkforge.scene.camera_framing import extent_in_words, longer_side
from vkforge.scene.camera_rays import columns
from vkforge.scene.checks import LARGEST_METRES, Vector, number, show
from vkforge.scene.crs import WGS84
from vkforge.scene.georeferencing import GEOGRAPHIC
from vkforge.scene.vectors import bearing_vector, plus, scaled

if TYPE_CHECKING:
    from vkforge.scene.terrain import Terrain

_CURVE_SAMPLES = 64  # between two points of a path
_BLOCKS = 2048  # in which the ground under a long way is looked at
_MOST_SAMPLES = 4_000_000  # of the ground under a way
_FINE = 8  # samples of a smoothed path to a point of it, and to a standard deviation of what smooths it
_MOST_STEPS = 1 << 14  # of a smoothed path


def is_geographic(crs: Any) -> bool:
    """Return whether a CRS is longitude and latitude as everybody writes it; another one may be, too."""
    return isinstance(crs, str) and crs in (GEOGRAPHIC, WGS84)


def path_in_world(terrain: Terrain, path: Any, crs: str | None) -> np.ndarray:
    """Return the (n, 2) points of a path in world metres, n of at least 2, no two neighbours the same.

    Args:
        terrain: the ground.
        path: (n, 2) points.
        crs: what they are in; None is world metres.

    Raises:
        InputError: fewer than two different points, NaN or places too far away.
    """
    points, _ = columns("flyover path", path, (2,))
    if is_geographic(crs) and np.isfinite(points).all():
        points = points.copy()
        points[:, 0] -= 360.0 * np.round(points[:, 0] / 360.0)
    points = points if crs is None else terrain.to_world(np.column_stack([points, np.zeros(len(points))]), crs)[:, :2]
    if not np.isfinite(points).all() or np.abs(points).max() > LARGEST_METRES:
        raise InputError("flyover path holds NaN or places too far away; wanted finite points")
    points = points[np.concatenate([[True], (np.diff(points, axis=0) != 0.0).any(axis=1)])]
    if len(points) < 2:
        raise InputError("flyover path has fewer than two different points; wanted at least two")
    return points


def check_over_terrain(terrain: Terrain, points: np.ndarray, *, degrees: bool) -> None:
    """Raise InputError where points (n, 2) in world metres lie beside the terrain, which it says how far it reaches."""
    xmin, xmax, ymin, ymax = terrain.extent
    x, y = points.T
    beside = int(((x < xmin) | (x > xmax) | (y < ymin) | (y > ymax)).sum())
    if beside:
        raise InputError(
            f"{beside} of the {len(points)} points of the flyover path lie beside the terrain, which "
            f"{extent_in_words(terrain, degrees=degrees)}"
        )


def flight(
    terrain: Terrain,
    points: np.ndarray | None,
    count: Any,
    above: Any,
    *,
    smoothing: float = 0.0,
    level: float = -math.inf,
) -> tuple[list[Vector], list[float]]:
    """Return the positions and compass bearings of a flight, evenly by length of the way over the ground.

    Args:
        terrain: the ground, as it is drawn.
        points: (n, 2) in world metres, as `path_in_world` gives them; None flies across.
        count: how many positions, from 2.
        above: metres above the ground that are kept at least; None is 4 % of the terrain's longer side.
        smoothing: metres of the standard deviation by which the path and its bearings are smoothed; 0 passes the points
            on a smooth curve.
        level: world z below which there is something else than air anywhere, such as water.

    Raises:
        InputError: a value NaN or out of range.
    """
    frames = number("flyover frames", count, 2, 1_000_000)
    if frames != int(frames):
        raise InputError(f"flyover frames is {show(count)}; wanted a whole number")
    keep = 0.04 * longer_side(terrain)
    if above is not None:
        keep = number("flyover above_ground (metres)", above, high=LARGEST_METRES, above=0.0)
    if points is None:
        xmin, xmax, ymin, ymax = terrain.extent
        points = 0.7 * np.array([(xmin, ymin), (0.3 * xmin, 0.1 * ymax), (0.3 * xmax, 0.1 * ymin), (xmax, ymax)])
    curve = _curve(points) if smoothing == 0.0 else smoothed_path(points, smoothing)
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])
    even = np.linspace(0.0, way[-1], max(int(frames), 512))
    fine = np.stack([np.interp(even, way, curve[:, axis]) for axis in (0, 1)], axis=1)
    slope = np.gradient(fine, even, axis=0)
    heading = np.unwrap(np.arctan2(slope[:, 0], slope[:, 1]))
    if smoothing > 0.0:
        heading = _smoothed(heading[:, None], smoothing / even[1])[:, 0]
    at = np.linspace(0.0, way[-1], int(frames))
    z = _over_ground(terrain, curve, way, at, level) + keep
    x, y, heading = (np.interp(at, even, values) for values in (fine[:, 0], fine[:, 1], heading))
    return list(zip(x.tolist(), y.tolist(), z.tolist(), strict=True)), np.degrees(heading).tolist()


def targets(terrain: Terrain, positions: list[Vector], bearings: list[float], pitch: Any) -> list[Vector]:
    """Return what the cameras of a flight look at, ahead of each."""
    rise = number("flyover pitch (degrees)", pitch, -89.0, 89.0)
    reach = 0.2 * longer_side(terrain)
    views = (scaled(bearing_vector(bearing, rise), reach) for bearing in bearings)
    return [plus(eye, view) for eye, view in zip(positions, views, strict=True)]


def _curve(points: np.ndarray) -> np.ndarray:
    """Return a dense centripetal Catmull-Rom curve through (n, 2) points (Barry and Goldman 1988), free of loops."""
    ends = np.concatenate([[2.0 * points[0] - points[1]], points, [2.0 * points[-1] - points[-2]]])
    pieces = []
    for p in (ends[i : i + 4] for i in range(len(points) - 1)):
        knots = np.concatenate([[0.0], np.cumsum(np.sqrt(np.hypot(*np.diff(p, axis=0).T)))])
        t = np.linspace(knots[1], knots[2], _CURVE_SAMPLES, endpoint=False)[:, None]
        level: list[np.ndarray] = list(p)
        for spans in (((0, 1), (1, 2), (2, 3)), ((0, 2), (1, 3)), ((1, 2),)):
            level = [
                ((knots[b] - t) * level[i] + (t - knots[a]) * level[i + 1]) / (knots[b] - knots[a])
                for i, (a, b) in enumerate(spans)
            ]
        pieces.append(level[0])
    return np.concatenate([*pieces, points[-1:]])


def smoothed_path(points: np.ndarray, deviation: float) -> np.ndarray:
    """Return (m, 2) points of the lines through (n, 2) points, smoothed by a Gaussian along their length.

    The first and the last point stay where they are.

    Args:
        points: (n, 2) in metres.
        deviation: the Gaussian's, in metres.
    """
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    # Finely enough that what a receiver scatters from point to point is averaged, and not sampled.
    steps = min(max(math.ceil(way[-1] / deviation * _FINE), _FINE * len(points)), _MOST_STEPS)
    even = np.linspace(0.0, way[-1], steps + 1)
    lines = np.stack([np.interp(even, way, points[:, axis]) for axis in (0, 1)], axis=1)
    return _smoothed(lines, deviation / even[1])


def _smoothed(values: np.ndarray, deviation: float) -> np.ndarray:
    """Return (n, k) values smoothed by a Gaussian of so many samples; what is mirrored in the ends keeps them."""
    half = min(max(1, round(4.0 * deviation)), len(values) - 1)
    before = 2.0 * values[:1] - values[half:0:-1]
    after = 2.0 * values[-1:] - values[-2 : -half - 2 : -1]
    padded = np.concatenate([before, values, after])
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / max(deviation, 1e-9)) ** 2)
    weights /= weights.sum()
    return np.stack([np.convolve(column, weights, mode="valid") for column in padded.T], axis=1)


def _over_ground(terrain: Terrain, curve: np.ndarray, way: np.ndarray, at: np.ndarray, level: float) -> np.ndarray:
    """Return smooth heights `at` metres of the `way` along a curve, nowhere below the ground: a running maximum's mean.

    The ground is looked at twice a cell and kept as the maxima of blocks. A mean over a window narrower than that of
    the maximum, by a block at each side, is at least the highest ground of its own block and of both neighbours, and so
    is what lies on a straight line between two of them. Beside the terrain the lowest height counts.
    """
    each = 2.0 * way[-1] / min(terrain.cell_size)
    samples = math.ceil(min(max(each, _BLOCKS), _MOST_SAMPLES) / _BLOCKS)  # to a block
    place = np.linspace(0.0, way[-1], _BLOCKS * samples + 1)
    x, y = (np.interp(place, way, curve[:, axis]) for axis in (0, 1))
    ground = terrain.height_at(x, y)
    ground = np.where(np.isnan(ground), terrain.min_height * terrain.vertical_exaggeration, ground)
    ground = np.maximum(ground, level)
    blocks = np.maximum(ground[:-1].reshape(_BLOCKS, samples).max(axis=1), ground[samples::samples])
    half = round(0.06 * _BLOCKS)
    padded = np.pad(blocks, 2 * half + 1, mode="edge")
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 3).max(axis=1)
    window = np.hanning(2 * half + 3)[1:-1]
    mean = np.convolve(highest, window / window.sum(), mode="valid")
    return np.interp(at, (np.arange(_BLOCKS) + 0.5) * (way[-1] / _BLOCKS), mean)
