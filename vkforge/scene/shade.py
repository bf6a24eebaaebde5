"""Where a light far away surely reaches a heightfield, and where it surely does not: bounds for every cell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NONE = np.float32(-1.0e30)
_CORNERS = 16  # of the polygon around a disc
_MOST_ACROSS = 2.0  # cells for one along the main axis
_ROUNDING = 1.0e-9  # of a row: rays that go along an edge between two are in either

Heights = NDArray[np.floating]
Span = tuple[float, float]


@dataclass(frozen=True)
class Beam:
    """All rays to a light, by how they go over a grid, with y down: for each cell along one axis, the main one.

    Attributes:
        axis: The main axis, 0 for x and 1 for y.
        forward: Whether rays go up it.
        across: The least and the most cells up the other axis.
        rise: The least and the most height.
    """

    axis: int
    forward: bool
    across: Span
    rise: Span


def beam_to_disc(direction: tuple[float, ...], radius: float, scale: tuple[float, ...]) -> Beam | None:
    """Return the rays to a disc in the sky, and a few more.

    Args:
        direction: Towards its centre, unit length.
        radius: Its angular radius in radians.
        scale: (x, y, z) of the grid's units in those of `direction`.

    Returns:
        The beam; None where there is no main axis, as for a light overhead, or where a ray to it does not rise.
    """
    centre = np.array(direction)
    if radius >= math.pi / 4 or centre[2] <= 0.0:
        return None
    side = np.cross(centre, np.eye(3)[np.argmin(abs(centre))])
    side /= np.linalg.norm(side)
    # A disc seen in a plane is a convex shape, and in the polygon whose corners are those of one around the disc.
    angle = np.arange(_CORNERS)[:, None] * (2.0 * math.pi / _CORNERS)
    reach = math.tan(radius) / math.cos(math.pi / _CORNERS)
    corners = centre + reach * (np.cos(angle) * side + np.sin(angle) * np.cross(centre, side))
    middle, steps = centre * scale, corners * scale
    axis = int(abs(middle[1]) > abs(middle[0]))
    forward = bool(middle[axis] > 0.0)
    along = steps[:, axis] if forward else -steps[:, axis]
    across, rise = steps[:, 1 - axis], steps[:, 2]
    if (along <= 0.0).any() or (abs(across) > _MOST_ACROSS * along).any() or (rise <= 0.0).any():
        return None
    across, rise = across / along, rise / along
    return Beam(axis, forward, (float(across.min()), float(across.max())), (float(rise.min()), float(rise.max())))


def shade(heights: NDArray[np.floating], beam: Beam) -> tuple[Heights, Heights]:
    """Return how high a ray of the beam must be over each cell to meet no ground any more, and how low to meet some.

    Both count where the ray leaves the cell's column, whatever row it is in then: above the first where it rises as
    little as any, below the second where it rises as much.

    From the height of the ground everywhere take what the ray has risen by until there: then the ray is level, and it
    meets ground that is as high. Over a cell where the ground so lowered falls all along the ray it is nowhere higher
    than where the ray comes in, so only cells where it rises somewhere can be in the way of what is above them: the
    highest corner of those that rays from a cell may come over is the first bound. The lowest that rays meet where they
    cross a column's edge is as high as the lower one of two samples, and the highest of those is the second. Both are
    found for 1, 2, 4, ... columns at a time: what enters a column in one row enters the one n further on in one of few.

    Args:
        heights: (rows, columns), finite, from 0 to 65,535, at least 2 by 2.
        beam: The rays, in its units.

    Returns:
        Two arrays (rows - 1, columns - 1), -1e30 where there is nothing to meet.
    """
    z = _turned(heights.astype(np.float32), beam)
    least, most = beam.across
    # A patch's slope along a direction is bilinear, and linear in the direction: it is steepest at a corner.
    along = np.maximum(z[:-1, 1:] - z[:-1, :-1], z[1:, 1:] - z[1:, :-1])
    down = z[1:] - z[:-1]
    down = np.maximum(np.float32(least) * down, np.float32(most) * down)
    along += np.maximum(down[:, :-1], down[:, 1:])
    low, high = (np.float32(rise) for rise in beam.rise)
    highest = np.maximum(z[:-1], z[1:])
    blocking = np.maximum(highest[:, :-1], highest[:, 1:] - low)
    blocking[along <= low] = _NONE
    # A ray from anywhere in a cell leaves its column within these rows.
    rows = _rows(min(least, 0.0), max(most, 0.0), 1)
    blocking = _over_rows(blocking, *rows, np.maximum)
    beyond = _over_rows(_further_on(blocking, beam.across, low, np.maximum)[:, 1:], *rows, np.maximum)
    blocking += low
    np.maximum(blocking[:, :-1], beyond, out=blocking[:, :-1])
    edges = _further_on(np.minimum(z[:-1], z[1:]), beam.across, high, np.minimum)
    hiding = _over_rows(edges[:, 1:], *rows, np.minimum)
    return _turned_back(blocking, beam), _turned_back(hiding, beam)


def _turned(z: Heights, beam: Beam) -> Heights:
    """Return `z` turned so that the beam goes right."""
    z = z.T if beam.axis else z
    return np.ascontiguousarray(z if beam.forward else z[:, ::-1])


def _turned_back(z: Heights, beam: Beam) -> Heights:
    z = z if beam.forward else z[:, ::-1]
    return z.T if beam.axis else z


def _rows(least: float, most: float, columns: int) -> tuple[int, int]:
    """Return into which rows rays come from row 0 over so many columns, the first and the last."""
    return math.floor(least * columns + _ROUNDING), math.ceil(most * columns - _ROUNDING)


def _further_on(here: Heights, across: Span, rise: np.float32, join: np.ufunc) -> Heights:
    """Return the highest that rays which enter a cell meet from there on, given that of each column alone.

    Of the rows in which they may come to a column, the highest (np.maximum) or the lowest (np.minimum) counts.
    """
    found, columns = here.copy(), 1
    while columns < found.shape[1] and columns * rise < 65536.0:
        beyond = _over_rows(found[:, columns:], *_rows(*across, columns), join)
        beyond -= columns * rise
        np.maximum(found[:, :-columns], beyond, out=found[:, :-columns])
        columns *= 2
    return found


def _over_rows(z: Heights, first: int, last: int, join: np.ufunc) -> Heights:
    """Return for each row the join of those from `first` to `last` after it, of which there are none outside `z`."""
    rows = len(z)
    if first >= rows or last <= -rows:
        return np.full_like(z, _NONE)
    joined = np.pad(z, ((max(-first, 0), max(last, 0)), (0, 0)), constant_values=_NONE)[max(first, 0) :]
    wide = 1
    while (more := min(wide, last - first + 1 - wide)) > 0:
        joined = join(joined[:-more], joined[more:])
        wide += more
    return joined[:rows]
