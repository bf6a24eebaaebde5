"""Ground with holes as a block, in float64: truth/heightfield.py's, and a wall under each edge of the outline.

A cell of four samples is their bilinear patch, one of three their triangle, and one of fewer nothing. Walls stand where
ground has none beside it, from the surface down to the base; the base lies under the ground, or everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from truth import heightfield

Array = NDArray[np.float64]
CORNERS = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])  # of a cell (column, row), around it


def rings(heights: Array) -> list[NDArray[np.int64]]:
    """Return the corners (column, row) around each cell's ground: four or three of them."""
    rows, cols = heights.shape
    found = []
    for row in range(rows - 1):
        for col in range(cols - 1):
            ring = np.array([c for c in np.add(CORNERS, (col, row)) if np.isfinite(heights[c[1], c[0]])])
            if len(ring) >= 3:
                found.append(ring)
    return found


def outline(heights: Array) -> NDArray[np.int64]:
    """Return the edges (n, 2 ends, column and row) that only one cell's ground has, with the ground on their right."""
    edges = {}
    for ring in rings(heights):
        for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            key = frozenset([(*a,), (*b,)])
            if key in edges:
                del edges[key]
            else:
                edges[key] = (a, b)
    return np.array(list(edges.values()))


def covered(heights: Array, places: Array) -> NDArray[np.bool_]:
    """Return whether there is ground at places (n, 2) of grid space: inside an odd number of the outline's loops."""
    (ax, ay), (bx, by) = outline(heights).transpose(1, 2, 0)
    x, y = places[:, :1], places[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        right = ax + (y - ay) / (by - ay) * (bx - ax) > x
    return (((ay > y) != (by > y)) & right).sum(axis=1) % 2 == 1


def intersect(
    heights: Array, cell_size: tuple[float, float], o: Array, d: Array, base: float, floor: bool
) -> tuple[Array, Array]:
    """Return the distance (n,) and the normal (n, 3) of what rays meet first; inf and NaN where they meet nothing."""
    rows, cols = heights.shape
    found = heightfield.intersect(heights, cell_size, o, d)
    t, normal = found.t, found.normal.copy()
    scale, shift = np.array([cell_size[0], -cell_size[1]]), np.array([(cols - 1) / 2, (rows - 1) / 2])

    def meet(distance: Array, within: NDArray[np.bool_], facing: Array) -> None:
        nearer = within & (distance > 0) & (distance < t)
        t[nearer], normal[nearer] = distance[nearer], facing

    def corner(place: NDArray[np.int64]) -> Array:
        return np.array([*((place - shift) * scale), heights[place[1], place[0]]])

    with np.errstate(divide="ignore", invalid="ignore"):
        for place, end in outline(heights):
            a, b = corner(place), corner(end)
            along = (b - a)[:2]
            away = np.array([-along[1], along[0], 0.0]) / np.linalg.norm(along)
            distance = (a - o) @ away / (d @ away)
            at = o + distance[:, None] * d
            share = (at[:, :2] - a[:2]) @ along / (along @ along)
            top = a[2] + share * (b - a)[2]
            meet(distance, (share >= 0) & (share <= 1) & (at[:, 2] >= base) & (at[:, 2] <= top), away)
        distance = (base - o[:, 2]) / d[:, 2]
        places = (o + distance[:, None] * d)[:, :2] / scale + shift
        ground = np.zeros(len(o), bool)
        plausible = np.isfinite(distance) & (distance > 0)
        ground[plausible] = covered(heights, places[plausible])
        inside = (places >= 0).all(axis=1) & (places <= (cols - 1, rows - 1)).all(axis=1)
        meet(distance, ground | (inside & floor), np.array([0.0, 0.0, -1.0]))
        seen_from_above = (t == distance) & (d[:, 2] < 0) & (normal[:, 2] == -1.0)
        normal[seen_from_above, 2] = 1.0
    return t, normal
