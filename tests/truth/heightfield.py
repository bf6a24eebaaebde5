"""Rays against the exact bilinear patches of a DEM, in float64 and with no acceleration structure.

Every grid line a ray crosses is listed and sorted, so that each interval between two crossings lies in one cell;
the patch of that cell is then a quadratic in t. Nothing here is shared with the renderer: no pyramid, no stepping.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
ROUNDING = 2.0**-24  # half a unit in the last place of float32, relative
_CHUNK = 1_500_000  # (ray, crossing) pairs held at once


@dataclass(frozen=True)
class Hits:
    """First hits of n rays.

    Attributes:
        t: (n,) distance in units of the direction's length, inf for a miss.
        normal: (n, 3) unit geometric normal: upward on the surface, outward on the skirt; NaN for a miss.
        cell: (n, 2) row and column of the patch; -1 for a miss or the skirt.
    """

    t: Array
    normal: Array
    cell: NDArray[np.int64]

    @property
    def hit(self) -> NDArray[np.bool_]:
        """(n,) whether each ray hits."""
        return np.isfinite(self.t)


def intersect(
    heights: ArrayLike,
    cell_size: tuple[float, float],
    origins: ArrayLike,
    directions: ArrayLike,
    exaggeration: float = 1.0,
    base: float | None = None,
) -> Hits:
    """First hit with t > 0 of each ray with the two-sided surface, and with its skirt where `base` is given.

    Args:
        heights: (rows, cols) metres, row 0 is north; a cell with one NaN corner is the triangle of the others, with
            more a hole.
        cell_size: (dx, dy) metres.
        origins: (n, 3) in the world frame (x east, y north, z up, origin at the centre).
        directions: (n, 3), of any length.
        exaggeration: factor on heights and base.
        base: elevation of the skirt's base plane in metres of `heights`, None for open edges.
    """
    z = np.asarray(heights, np.float64) * exaggeration
    rows, cols = z.shape
    o, d = (np.atleast_2d(np.asarray(a, np.float64)) for a in (origins, directions))
    scale = np.array([1 / cell_size[0], -1 / cell_size[1], 1.0])
    grid_o, grid_d = o * scale + [(cols - 1) / 2, (rows - 1) / 2, 0.0], d * scale  # (column, row, z)
    step = max(1, _CHUNK // (rows + cols))
    parts = [_chunk(z, grid_o[i : i + step], grid_d[i : i + step]) for i in range(0, len(o), step)]
    t = np.concatenate([part[0] for part in parts])
    cell = np.concatenate([part[1] for part in parts])
    normal = _normals(z, cell_size, grid_o, grid_d, t, cell)
    if base is not None:
        for side_t, side_normal in _skirt(z, cell_size, o, d, base * exaggeration):
            nearer = side_t < t
            t = np.where(nearer, side_t, t)
            normal[nearer], cell[nearer] = side_normal, -1
    return Hits(t, normal, cell)


def _corners(z: Array) -> tuple[Array, Array]:
    """Return the cells' corners (4, rows - 1, cols - 1), and (a, b, c) of each, with ground where a u + b v + c >= 0.

    A lone missing corner is put onto the plane of the others, whose side of the diagonal is ground.
    """
    corners = np.stack([z[:-1, :-1], z[:-1, 1:], z[1:, :-1], z[1:, 1:]])
    within = np.zeros((3, *corners.shape[1:]))
    within[2] = 1.0
    lone = np.isnan(corners) & (np.isnan(corners).sum(axis=0) == 1)
    for i, side in enumerate([(1, 1, -1), (-1, 1, 0), (1, -1, 0), (-1, -1, 1)]):
        beside, across = [k for k in range(4) if k not in (i, 3 - i)], 3 - i
        corners[i][lone[i]] = (corners[beside[0]] + corners[beside[1]] - corners[across])[lone[i]]
        within[:, lone[i]] = np.array(side)[:, None]
    return corners, within


def _chunk(z: Array, o: Array, d: Array) -> tuple[Array, NDArray[np.int64]]:
    rows, cols = z.shape
    corners, within = _corners(z)
    low, high = corners.min(0), corners.max(0)  # NaN where more than one corner is missing
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        lines = [(np.arange(size) - o[:, [axis]]) / d[:, [axis]] for axis, size in ((0, cols), (1, rows))]
        crossings = np.concatenate([np.zeros((len(o), 1)), *lines], axis=1)
        crossings[~(crossings >= 0)] = np.inf  # behind the start, or never: the ray runs along that axis
        crossings = np.sort(crossings, axis=1)
        # A vertical ray crosses no line: its one interval is [0, inf).
        crossings = np.concatenate([crossings, np.full((len(o), 1), np.inf)], axis=1)
        vertical = (d[:, 0] == 0) & (d[:, 1] == 0)
        near, far = crossings[:, :-1], crossings[:, 1:]
        ray, k = np.nonzero((far > near) & (np.isfinite(far) | vertical[:, None]))
        a, b = near[ray, k], far[ray, k]
        middle = np.where(np.isfinite(b), 0.5 * (a + b), a)
        col, row = (np.floor(o[ray, i] + middle * d[ray, i]) for i in (0, 1))
        # The surface includes its outer edge.
        col = np.where(o[ray, 0] + middle * d[ray, 0] == cols - 1, cols - 2, col).astype(np.int64)
        row = np.where(o[ray, 1] + middle * d[ray, 1] == rows - 1, rows - 2, row).astype(np.int64)
        inside = (col >= 0) & (col < cols - 1) & (row >= 0) & (row < rows - 1)
        ray, a, b, col, row = (values[inside] for values in (ray, a, b, col, row))
        za, zb = o[ray, 2] + a * d[ray, 2], o[ray, 2] + np.where(d[ray, 2] == 0, 0.0, b * d[ray, 2])
        slack = 1e-9 * (1 + np.abs(za))
        meets = (np.minimum(za, zb) <= high[row, col] + slack) & (np.maximum(za, zb) >= low[row, col] - slack)
        ray, a, b, col, row = (values[meets] for values in (ray, a, b, col, row))

        # The ray from the interval's start in the cell's coordinates; patch minus ray is q2 s^2 + q1 s + q0.
        h00, h01, h10, h11 = corners[:, row, col]
        p, q, r = h01 - h00, h10 - h00, h00 - h01 - h10 + h11
        du, dv, dz = d[ray].T
        u, v, za = o[ray, 0] + a * du - col, o[ray, 1] + a * dv - row, o[ray, 2] + a * dz
        q2, q1, q0 = r * du * dv, p * du + q * dv + r * (u * dv + v * du) - dz, h00 + p * u + q * v + r * u * v - za
        w = -0.5 * (q1 + np.where(q1 < 0, -1.0, 1.0) * np.sqrt(q1 * q1 - 4 * q2 * q0))
        roots = np.stack([w / q2, q0 / w])
        slack = 1e-12 * (1 + a)  # neighbouring patches meet, so a root lost between two intervals is no choice
        at_u, at_v = u + roots * du, v + roots * dv
        over = within[0, row, col] * at_u + within[1, row, col] * at_v + within[2, row, col] >= 0
        roots = np.where(over & (roots >= -slack) & (roots <= b - a + slack) & (a + roots > 0), roots, np.inf)
        s = roots.min(0)
    found = np.isfinite(s)
    ray, index = np.unique(ray[found], return_index=True)  # intervals are in order of t: the first is the nearest
    t, cell = np.full(len(o), np.inf), np.full((len(o), 2), -1)
    t[ray] = (a + s)[found][index]
    cell[ray] = np.stack([row, col], axis=-1)[found][index]
    return t, cell


def _normals(z: Array, cell_size: tuple[float, float], o: Array, d: Array, t: Array, cell: NDArray[np.int64]) -> Array:
    hit = np.isfinite(t)
    row, col = cell[hit].T
    u, v = (o[hit, :2] + t[hit, None] * d[hit, :2] - cell[hit][:, ::-1]).T
    h00, h01, h10, h11 = _corners(z)[0][:, row, col]
    east = ((h01 - h00) * (1 - v) + (h11 - h10) * v) / cell_size[0]
    north = -((h10 - h00) * (1 - u) + (h11 - h01) * u) / cell_size[1]
    normal = np.full((len(t), 3), np.nan)
    normal[hit] = np.stack([-east, -north, np.ones_like(east)], axis=-1)
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def _skirt(z: Array, cell_size: tuple[float, float], o: Array, d: Array, base: float):
    """Yield (t, normal) of the four side walls, below the surface's edge and above the base, and of the base plane."""
    half = [(z.shape[1] - 1) / 2 * cell_size[0], (z.shape[0] - 1) / 2 * cell_size[1]]
    edges = {(0, -1): z[::-1, 0], (0, 1): z[::-1, -1], (1, -1): z[-1], (1, 1): z[0]}  # by growing x or y
    with np.errstate(divide="ignore", invalid="ignore"):
        for (axis, sign), edge in edges.items():
            t = (sign * half[axis] - o[:, axis]) / d[:, axis]
            along, height = (o[:, i] + t * d[:, i] for i in (1 - axis, 2))
            top = np.interp(along, np.linspace(-half[1 - axis], half[1 - axis], len(edge)), edge)
            on_wall = (t > 0) & (np.abs(along) <= half[1 - axis]) & (height >= base) & (height <= top)
            yield np.where(on_wall, t, np.inf), sign * np.eye(3)[axis]
        t = (base - o[:, 2]) / d[:, 2]
        on_base = (t > 0) & (np.abs(o[:, :2] + t[:, None] * d[:, :2]) <= half).all(axis=1)
        yield np.where(on_base, t, np.inf), np.array([0.0, 0.0, -1.0])


def degrees_between(a: Array, b: Array) -> Array:
    """(n,) angle between unit vectors, accurate for small ones."""
    return np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(a - b, axis=-1) / 2, 0, 1)))


def differs(t: Array, normal: Array, truth: Hits, relative_t: float, degrees: float) -> dict[str, NDArray[np.bool_]]:
    """Which rays disagree with `truth`: on hit or miss; where both hit, on relative depth; failing that, on normals."""
    hit = np.isfinite(t)
    both = hit & truth.hit
    with np.errstate(invalid="ignore"):
        depth = both & (np.abs(t - truth.t) > relative_t * truth.t)
        return {
            "hit": hit != truth.hit,
            "depth": depth,
            "normal": both & ~depth & ~(degrees_between(normal, truth.normal) <= degrees),
        }


def margin(
    heights: ArrayLike,
    cell_size: tuple[float, float],
    origins: ArrayLike,
    directions: ArrayLike,
    exaggeration: float = 1.0,
    base: float | None = None,
    relative_t: float = 1e-4,
    degrees: float = 0.1,
) -> Array:
    """How near each ray passes an edge, silhouette or crease: the smallest shift that changes its answer.

    The ray is shifted in fourteen directions by 1, 2, 4 ... 1024 float32 roundings of the largest coordinate it meets.

    Returns:
        (n,) roundings, inf where the answer (as `differs` tells) is the same under every shift: a renderer that
        disagrees there is wrong.
    """
    o, d = (np.atleast_2d(np.asarray(a, np.float64)) for a in (origins, directions))
    truth = intersect(heights, cell_size, o, d, exaggeration, base)
    rows, cols = np.shape(heights)
    extent = max(
        (cols - 1) / 2 * cell_size[0], (rows - 1) / 2 * cell_size[1], np.nanmax(np.abs(heights)) * exaggeration
    )
    largest = np.maximum(np.abs(o).max(axis=1), extent)
    shifts = np.array([(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)], np.float64)
    shifts = shifts[np.isin(np.abs(shifts).sum(1), (1, 3))]
    found = np.full(len(o), np.inf)
    for roundings in 2.0 ** np.arange(10, -1, -1):
        for shift in shifts:
            moved = intersect(
                heights, cell_size, o + shift * (roundings * ROUNDING * largest)[:, None], d, exaggeration, base
            )
            for changed in differs(moved.t, moved.normal, truth, relative_t, degrees).values():
                found[changed] = roundings
    return found
