"""Holes in a DEM, filled as a soap film would: what is missing lies as smooth as what is known around it allows.

The film's heights solve Laplace's equation with the known samples as boundary values: each is the mean of its four
neighbours, weighted by the inverse squares of their distances. They are found by conjugate gradients, preconditioned by
multigrid on blocks of two by two samples that move together (plain aggregation: Notay 2010, "An aggregation-based
algebraic multigrid method"), so that the work grows as the number of samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1.0e-8  # of the rims' range: how far a height may be from its neighbours' mean
_MOST_STEPS = 500  # a few dozen do
_DAMPING = 0.6  # of Jacobi's smoothing
_FEW = 256  # unknowns whose equations are solved at once

Heights = NDArray[np.floating]
Numbers = NDArray[np.float64]
Places = NDArray[np.intp]
Mask = NDArray[np.bool_]


def enclosed(missing: Mask, most: float) -> Mask:
    """Return which of the missing samples belong to holes: groups, joined along rows and columns, that end inside.

    Args:
        missing: (rows, columns).
        most: Groups of more samples are left out.
    """
    rows, cols = missing.shape
    # Runs along rows, as places in rows with a gap after each; every second change of what is missing ends one.
    flags = np.zeros((rows, cols + 2), bool)
    flags[:, 1:-1] = missing
    changes = np.flatnonzero(flags.ravel()[1:] != flags.ravel()[:-1]) + 1
    starts, ends = changes[::2], changes[1::2]
    # Each with those of the next row that share a column with it.
    first = np.searchsorted(ends, starts + cols + 2, side="right")
    count = np.searchsorted(starts, ends + cols + 2, side="left") - first
    upper = np.repeat(np.arange(len(starts)), count)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    group = _joined(len(starts), upper, lower)
    size = np.bincount(group, weights=ends - starts, minlength=len(starts))
    row, left, right = starts // (cols + 2), starts % (cols + 2), ends % (cols + 2)
    open_runs = (row == 0) | (row == rows - 1) | (left == 1) | (right == cols + 1)
    kept = size <= most
    kept[group[open_runs]] = False
    kept_runs = kept[group]
    steps = np.zeros(flags.size, np.int8)
    steps[starts[kept_runs]], steps[ends[kept_runs]] = 1, -1
    return np.cumsum(steps, dtype=np.int8).astype(bool).reshape(flags.shape)[:, 1:-1]


def _joined(count: int, a: Places, b: Places) -> Places:
    """Return the lowest of the group of each of `count` things, of which `a` and `b` pair by pair are together."""
    group = np.arange(count)
    while True:
        lowest, joined = np.minimum(group[a], group[b]), group.copy()
        np.minimum.at(joined, group[a], lowest)
        np.minimum.at(joined, group[b], lowest)
        while (joined != joined[joined]).any():
            joined = joined[joined]
        if (joined == group).all():
            return group
        group = joined


def film(heights: Heights, holes: Mask, tension: tuple[float, float]) -> Numbers:
    """Return the heights of the film over what is missing, in the order of rows.

    Args:
        heights: (rows, columns).
        holes: (rows, columns), as `enclosed` gives them; at least one.
        tension: What a neighbour weighs along a row, and along a column.
    """
    places, columns, z = np.flatnonzero(holes), heights.shape[1], heights.reshape(-1)
    load = np.zeros(len(places))
    edges: list[tuple[Places, Places, Numbers]] = []
    rim = [z[places + side][~holes.reshape(-1)[places + side]] for side in (-1, 1, -columns, columns)]
    low, high = (float(end(np.concatenate(rim))) for end in (np.min, np.max))
    for step, weight in ((1, tension[0]), (columns, tension[1])):
        for side in (-step, step):
            known = ~holes.reshape(-1)[places + side]
            load[known] += weight * (z[(places + side)[known]].astype(np.float64) - low)
        a = np.flatnonzero(holes.reshape(-1)[places + step])
        edges.append((a, np.searchsorted(places, places[a] + step), np.full(len(a), weight)))
    diagonal = np.full(len(places), 2.0 * sum(tension))
    joined = [np.concatenate(parts) for parts in zip(*edges, strict=True)]
    levels = _levels(places // columns, places % columns, diagonal, *joined)
    return low + _solved(levels, load, _ROUNDING * (high - low) * 2.0 * sum(tension))


@dataclass(frozen=True)
class _Level:
    """Equations of a film: diagonal times each height, less tension times its neighbours' heights, is a load."""

    diagonal: Numbers
    a: Places  # one end of each tension, and the other
    b: Places
    tension: Numbers
    block: Places  # which of the next level's unknowns each is a part of; at the last, nothing

    def pull(self, x: Numbers) -> Numbers:
        """Return the equations' left sides."""
        to_a = np.bincount(self.a, self.tension * x[self.b], len(x))
        return self.diagonal * x - to_a - np.bincount(self.b, self.tension * x[self.a], len(x))


def _levels(row: Places, column: Places, diagonal: Numbers, a: Places, b: Places, tension: Numbers) -> list[_Level]:
    """Return the equations of the film, and of films of which blocks of two by two have a height in common."""
    levels: list[_Level] = []
    while len(diagonal) > _FEW:
        wide = int(column.max()) // 2 + 1
        _, first, block = np.unique(row // 2 * wide + column // 2, return_index=True, return_inverse=True)
        levels.append(_Level(diagonal, a, b, tension, block))
        row, column, count = row[first] // 2, column[first] // 2, len(first)
        a, b = np.minimum(block[a], block[b]), np.maximum(block[a], block[b])
        within = a == b
        inner = np.bincount(a[within], tension[within], count)
        diagonal = np.asarray(np.bincount(block, diagonal) - 2.0 * inner, np.float64)
        pairs, which = np.unique(a[~within] * count + b[~within], return_inverse=True)
        a, b = pairs // count, pairs % count
        tension = np.asarray(np.bincount(which, tension[~within], len(pairs)), np.float64)
    return [*levels, _Level(diagonal, a, b, tension, np.empty(0, np.intp))]


def _inverse(level: _Level) -> Numbers:
    matrix = np.diag(level.diagonal)
    matrix[level.a, level.b] = matrix[level.b, level.a] = -level.tension
    return np.linalg.inv(matrix).astype(np.float64)


def _cycle(levels: list[_Level], last: Numbers, load: Numbers) -> Numbers:
    """Return about what solves the first level's equations: a W-cycle. `last` is the inverse of the last level's."""
    level = levels[0]
    if len(levels) == 1:
        return last @ load
    x = _DAMPING * load / level.diagonal
    for _ in range(2):
        rest = np.asarray(np.bincount(level.block, load - level.pull(x)), np.float64)
        x += _cycle(levels[1:], last, rest)[level.block]
    return x + _DAMPING * (load - level.pull(x)) / level.diagonal


def _solved(levels: list[_Level], load: Numbers, rounding: float) -> Numbers:
    """Return what solves the first level's equations, each to `rounding`: Hestenes and Stiefel 1952."""
    x, last = np.zeros_like(load), _inverse(levels[-1])
    residual, direction, before = load.copy(), np.zeros_like(load), 1.0
    for _ in range(_MOST_STEPS):
        if abs(residual).max() <= rounding:
            break
        better = _cycle(levels, last, residual)
        now = float(residual @ better)
        direction = better + now / before * direction
        pulled, before = levels[0].pull(direction), now
        step = now / float(direction @ pulled)
        x += step * direction
        residual -= step * pulled
    return x
