"""From stored values to heights in metres, a window at a time: mask, scale, convert and, where wanted, average."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from vkforge.errors import InputError
from vkforge.sources.grid import Grid

logger = logging.getLogger("vkforge")

# No Vulkan device known takes images of more texels a side.
LARGEST_SIDE = 32768

_WINDOW = 1 << 20  # samples that are converted at a time: few enough that what lies between is small beside a DEM

# What grids often hold for nothing without saying so. Ground that lies so low is no island among far higher ground.
_USUAL_NODATA = (-32768.0, -32767.0, -9999.0, -99999.0)
_APART = 100.0
_IMPOSSIBLE = 1e30  # in any unit: what is beyond is no height


@dataclass
class Conversion:
    """How stored values become metres.

    Attributes:
        nodata: stored values that stand for nothing.
        scale: heights in metres are stored * scale + offset.
        offset: see `scale`.
    """

    nodata: tuple[float, ...]
    scale: float = 1.0
    offset: float = 0.0
    _usual: dict[float, list[float]] = field(default_factory=dict)  # to how often, and the lowest other value
    _impossible: int = 0

    def metres(self, stored: np.ndarray) -> np.ndarray:
        """Return heights, float32, NaN where nothing is."""
        mask = np.ma.getmask(stored)
        values = np.ma.getdata(stored)
        nothing = np.zeros(values.shape, bool) if mask is np.ma.nomask else np.array(mask, bool)
        for value in self.nodata:
            nothing |= stands_for(values, value)
        real = values.dtype.kind == "f"
        if real:
            with np.errstate(invalid="ignore"):
                impossible = (np.abs(values) > _IMPOSSIBLE) & ~nothing
            self._impossible += int(impossible.sum())
            nothing |= impossible
        with np.errstate(over="ignore", invalid="ignore"):
            if (self.scale, self.offset) == (1.0, 0.0):
                heights = values.astype(np.float32)
            else:
                heights = (values.astype(np.float64) * self.scale + self.offset).astype(np.float32)
        heights[nothing] = np.nan
        self._look_for_usual(values, nothing, real)
        return heights

    def _look_for_usual(self, values: np.ndarray, nothing: np.ndarray, real: bool) -> None:
        if values.dtype.kind not in "fi" or not values.size:
            return
        lowest = float(np.fmin.reduce(values, axis=None))
        if not lowest <= max(_USUAL_NODATA):
            return
        kept = values[~nothing]
        kept = kept[np.isfinite(kept)] if real else kept
        for value in _USUAL_NODATA:
            here = kept == value
            count = int(here.sum())
            if count or value in self._usual:
                seen = self._usual.setdefault(value, [0.0, math.inf])
                seen[0] += count
                others = kept[~here & (kept >= value)]
                seen[1] = min(seen[1], float(others.min()) if others.size else math.inf)

    def warn(self, name: str, lowest: float) -> None:
        """Warn of values that are most likely nothing and are not declared to be; `lowest` is the lowest in metres."""
        if self._impossible:
            logger.warning(
                "%s: %d values are beyond %g, no height, and become holes; nodata= says what stands for nothing",
                *(name, self._impossible, _IMPOSSIBLE),
            )
        for value, (count, above) in self._usual.items():
            deepest = math.isclose(value * self.scale + self.offset, lowest, rel_tol=1e-5) or self.scale < 0.0
            if count and above > value + _APART and deepest:
                logger.warning(
                    "%s: %d samples are %g, which the file does not call nothing; nodata=%g makes holes of them",
                    *(name, count, value, value),
                )


def stands_for(values: np.ndarray, nodata: float) -> np.ndarray:
    """Return where stored values are a nodata value, in their own precision: text has fewer or more digits of it."""
    if math.isnan(nodata):
        return np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    if values.dtype.kind != "f":
        return values == nodata
    with np.errstate(over="ignore"):
        wanted = values.dtype.type(nodata)
    if abs(nodata) > _IMPOSSIBLE:  # float32's lowest, however it is spelled
        with np.errstate(invalid="ignore", over="ignore"):
            return np.abs(values / 2 - wanted / 2) <= abs(nodata) * 1e-6 if np.isfinite(wanted) else values == wanted
    return values == wanted


def check_size(name: str, shape: tuple[int, int], max_size: int | None) -> None:
    """Raise InputError of a grid that no device can take, before anything of it is read."""
    rows, cols = shape
    if min(rows, cols) < 2:
        raise InputError(f"{name}: is {cols} x {rows} samples; wanted at least 2 x 2")
    if max_size is None and max(rows, cols) > LARGEST_SIDE:
        raise InputError(
            f"{name}: is {cols} x {rows} samples, and no device takes more than {LARGEST_SIDE} a side; "
            "max_size=8192 averages it down while it is read"
        )


def load(grid: Grid, conversion: Conversion, max_size: int | None) -> np.ndarray:
    """Return a grid's heights in metres, float32, averaged down to `max_size` samples along the longer side."""
    rows, cols = grid.shape
    if max_size is None or max(rows, cols) <= max_size:
        heights = np.empty((rows, cols), np.float32)
        for top, left, part in _metres(grid, conversion):
            heights[top : top + part.shape[0], left : left + part.shape[1]] = part
        return heights
    shape = tuple(max(2, round(side * max_size / max(rows, cols))) for side in (rows, cols))
    mean = Averaging(grid.shape, (shape[0], shape[1]))
    for top, left, part in _metres(grid, conversion):
        mean.add(top, left, part)
    logger.info("averaged down: %s x %s samples become %s x %s", cols, rows, shape[1], shape[0])
    return mean.result()


def _metres(grid: Grid, conversion: Conversion) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield the first row and column of each window of a grid, and its heights."""
    rows, cols = grid.shape
    high, wide = grid.window or (max(1, _WINDOW // cols), cols)
    for top in range(0, rows, high):
        for left in range(0, cols, wide):
            stored = grid.read(top, min(top + high, rows), left, min(left + wide, cols))
            step = max(1, _WINDOW // stored.shape[1])
            for first in range(0, stored.shape[0], step):
                yield top + first, left, conversion.metres(stored[first : first + step])


class Averaging:
    """Means of a grid over the cells of a coarser one of the same extent, by area; holes don't count.

    Args:
        fine: (rows, cols) of what is added.
        coarse: (rows, cols) of the result, each at most as many.
    """

    def __init__(self, fine: tuple[int, int], coarse: tuple[int, int]) -> None:
        self._total, self._weight = np.zeros(coarse), np.zeros(coarse)
        self._fine, self._coarse = fine, coarse

    def add(self, top: int, left: int, part: np.ndarray) -> None:
        """Add a window, whose first row and column these are."""
        known = np.isfinite(part)
        first, rows = _edges(top, part.shape[0], self._fine[0], self._coarse[0])
        begin, cols = _edges(left, part.shape[1], self._fine[1], self._coarse[1])
        at = np.s_[first : first + len(rows) - 1, begin : begin + len(cols) - 1]
        self._total[at] += _sums(_sums(np.where(known, part, 0.0), rows).T, cols).T
        if known.all():
            self._weight[at] += np.outer(np.diff(rows), np.diff(cols))
        else:
            self._weight[at] += _sums(_sums(known.astype(np.float64), rows).T, cols).T

    def result(self) -> np.ndarray:
        """Return the means, float32, NaN where all is holes."""
        with np.errstate(invalid="ignore", divide="ignore"):
            means = self._total / self._weight
        means[self._weight < 1e-9] = np.nan
        return means.astype(np.float32)


def _edges(start: int, count: int, fine: int, coarse: int) -> tuple[int, np.ndarray]:
    """Return the first coarse cell that a run of fine ones meets, and where edges cut the run, from 0 to `count`."""
    width = fine / coarse
    first = int(start / width)
    last = min(coarse, math.ceil((start + count) / width - 1e-9))
    return first, np.clip(np.arange(first, last + 1) * width - start, 0.0, count)


def _sums(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the sums of rows between edges, which may cut a row in two."""
    running = np.zeros((values.shape[0] + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=running[1:])
    row = np.minimum(edges.astype(np.intp), values.shape[0] - 1)
    return np.diff(running[row] + (edges - row)[:, None] * values[row], axis=0)
