"""How steeply a ray must rise to leave a heightfield for good: bounds for every cell and direction, never too low."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

TILT = 2.0**0.5 - 1.0  # tan(22.5 degrees): distances are measured along the middle of an octant
NEAR = 6  # the steps from point to point that a level looks at: on level 0 all up to this, further up the outer half
_STRIP = 64  # rows at a time, which stay in a core's cache
_NONE = np.float32(-1.0e30)

Heights = NDArray[np.floating]


def horizons(heights: NDArray[np.floating]) -> Iterator[Heights]:
    """Yield, octant by octant, how steeply a ray from the ground of each cell must rise to meet no ground any more.

    A ray over (dx, dy) cells, to the right and downwards, rises by m where its height grows by
    m (max(|dx|, |dy|) + TILT min(|dx|, |dy|)). Heights between samples are bilinear.

    The rise from P to Q = P + w is bilinear in P where neither P nor Q changes its cell, and bilinear in w, and that
    distance is linear in w. So the steepest lies where P or Q is a sample and the other one too; or, on an octant's
    diagonal, along which the rise is quadratic, it is bounded by the middle of the two samples beside it, by the
    quadratic's Bezier points. Far away the same is done with every 2^j-th sample, raised where Q is and lowered where P
    is until bilinear patches between them are above and below all the ground.

    Args:
        heights: (rows, columns), finite, at least 2 by 2, in any unit.

    Yields:
        (rows - 1, columns - 1), in that unit a cell; -1e30 where an octant has no ground. Octant
        4 s + 2 d + r is that of rays that go right (r) and down (d) rather than left and up, and further along y than
        along x (s).
    """
    rows, cols = heights.shape
    level = 0
    while NEAR << level < max(rows, cols):
        level += 1
    padding = tuple((0, -(n - 1) % (1 << level)) for n in (rows, cols))
    above = [np.pad(heights.astype(np.float32), padding, mode="edge")]
    below = list(above)
    for _ in range(level):
        above.append(_every_second(above[-1], np.maximum))
        below.append(_every_second(below[-1], np.minimum))
    for steep, down, right in product((0, 1), repeat=3):
        flip = (slice(None, None, 1 if down else -1), slice(None, None, 1 if right else -1))
        turned = [[np.ascontiguousarray(z[flip].T if steep else z[flip]) for z in levels] for levels in (above, below)]
        found = _first_octant(*turned)
        yield (found.T if steep else found)[flip][: rows - 1, : cols - 1]


def _every_second(z: Heights, extreme: np.ufunc) -> Heights:
    """Return every second sample, moved until their bilinear patches are above (np.maximum) or below those of `z`."""
    kept = z[::2, ::2]
    move = np.zeros_like(kept)
    across = z[::2, 1::2] - (kept[:, :-1] + kept[:, 1:]) / 2
    along = z[1::2, ::2] - (kept[:-1] + kept[1:]) / 2
    inside = z[1::2, 1::2] - (kept[:-1, :-1] + kept[1:, :-1] + kept[:-1, 1:] + kept[1:, 1:]) / 4
    first, last = slice(None, -1), slice(1, None)
    for x in (first, last):
        extreme(move[:, x], across, out=move[:, x])
        extreme(move[x], along, out=move[x])
        for y in (first, last):
            extreme(move[y, x], inside, out=move[y, x])
    return kept + move


def _first_octant(above: list[Heights], below: list[Heights]) -> Heights:
    """Return the horizons of rays that go right and down, further to the right than down."""
    found = np.full((1, 1), _NONE)
    for level in range(len(above) - 1, -1, -1):
        here = _rises(above[level], below[level], NEAR // 2 if level else 0) / np.float32(1 << level)
        wider = found.repeat(2, 0).repeat(2, 1) if level + 1 < len(above) else _NONE
        found = np.maximum(here, wider, out=here)
    return found


def _rises(above: Heights, below: Heights, first: int) -> Heights:
    """Return the steepest rises in the first octant from each cell, over `first` to NEAR steps to the right."""
    cells = np.empty((above.shape[0] - 1, above.shape[1] - 1), np.float32)
    for row in range(0, len(cells), _STRIP):
        strip = cells[row : row + _STRIP]
        _rises_of_strip(above[row : row + len(strip) + 1 + NEAR], below[row : row + len(strip) + 1], first, strip)
    return cells


def _rises_of_strip(above: Heights, below: Heights, first: int, cells: Heights) -> None:
    steepest = np.full(below.shape, _NONE)
    scratch = np.empty_like(steepest)

    def look(to: Heights, start: Heights, distance: float, found: Heights) -> None:
        """Join the rises to `to`, which lies as `start` and `found` do but may end before them."""
        here = tuple(slice(0, min(a, b)) for a, b in zip(to.shape, found.shape, strict=True))
        rise = np.subtract(to[here], start[here], out=scratch[here])
        np.multiply(rise, np.float32(1.0 / distance), out=rise)
        np.maximum(found[here], rise, out=found[here])

    for right in range(max(first, 1), NEAR + 1):
        for down in range(right + 1):
            look(above[down:, right:], below, right + TILT * down, steepest)
    middle = (above[:-1, 1:] + above[1:, :-1]) / 2
    for both in range(first, NEAR):
        look(middle[both:, both:], below, (both + 0.5) * (1.0 + TILT), steepest)
    # From the ground of a cell to a sample, or from one of its samples to the ground.
    np.maximum(steepest[:-1], steepest[1:], out=scratch[:-1])
    np.maximum(scratch[:-1, :-1], scratch[:-1, 1:], out=cells)
    middle = (below[:-1, 1:] + below[1:, :-1]) / 2
    for both in range(first, NEAR):
        look(above[both + 1 :, both + 1 :], middle, (both + 0.5) * (1.0 + TILT), cells)
