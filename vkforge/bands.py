"""Copies of large arrays by several threads: one can't keep up with a GPU's bus, and fresh pages cost it most."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

_THREADS = min(8, os.cpu_count() or 1)
_SMALL = 1 << 20  # bytes that one thread copies sooner than several


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Return the threads of a process: a fork has none of its parent's."""
    return ThreadPoolExecutor(_THREADS, "vkforge copy")


def copied(source: NDArray[Any], dtype: Any = None) -> NDArray[Any]:
    """Return a copy of `source`, in C order, as `dtype` where it is given."""
    target = np.empty(source.shape, source.dtype if dtype is None else dtype)
    copy(target, source)
    return target


def copy(target: NDArray[Any], source: NDArray[Any]) -> None:
    """Copy `source` into `target`, of the same shape.

    NumPy lets other threads run while it copies, so bands of the first axis are copied side by side.
    """
    if target.nbytes < 2 * _SMALL or _THREADS == 1 or target.shape[0] < _THREADS:
        target[...] = source
        return
    edges = np.linspace(0, target.shape[0], _THREADS + 1, dtype=int)

    def copy_band(first: int, last: int) -> None:
        target[first:last] = source[first:last]

    for done in [_pool(os.getpid()).submit(copy_band, *span) for span in pairwise(edges)]:
        done.result()
