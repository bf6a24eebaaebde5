"""Looking a picture up between its pixels, in float64 NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from vkforge.errors import InputError
from vkforge.scene.checks import show


def as_picture(name: str, values: Any) -> np.ndarray:
    """Return `values` as an array of shape (h, w) or (h, w, n), not empty.

    Raises:
        InputError: another shape, or no numbers.
    """
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):  # rows of different lengths
        array = np.empty(0)
    if array.ndim not in (2, 3) or array.size == 0 or array.dtype.kind not in "fiu":
        raise InputError(f"{name} is {show(values)}; wanted numbers of shape (height, width) or (height, width, n)")
    return array


def as_rgb_picture(name: str, values: Any) -> np.ndarray:
    """Return `values` as a float64 array of shape (h, w, 3), not empty.

    Raises:
        InputError: another shape, or no numbers.
    """
    image = as_picture(name, values).astype(np.float64)
    if image.ndim != 3 or image.shape[2] != 3:
        raise InputError(f"{name} has shape {image.shape}; wanted (height, width, 3)")
    return image


def catmull_rom(picture: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return `picture` at pixel coordinates: Catmull-Rom's cubic, held within the four pixels around (no ringing).

    Args:
        picture: (h, w, ...) values at pixel centres; its edge goes on outside of it.
        at: (..., 2) pixel coordinates (x, y) from the upper left corner: the first pixel's centre is (0.5, 0.5).

    Returns:
        float64 of the shape of `at` without its last axis, and then that of a pixel.
    """
    height, width = picture.shape[:2]
    base = np.floor(at - 0.5)
    t = at - 0.5 - base
    base = base.astype(np.int64)
    weights = np.stack(
        [
            t * (-0.5 + t * (1.0 - 0.5 * t)),
            1.0 + t * t * (-2.5 + 1.5 * t),
            t * (0.5 + t * (2.0 - 1.5 * t)),
            t * t * (-0.5 + 0.5 * t),
        ]
    )
    total: Any = 0.0
    inner = []
    for j in range(4):
        rows = np.clip(base[..., 1] + j - 1, 0, height - 1)
        for i in range(4):
            there = picture[rows, np.clip(base[..., 0] + i - 1, 0, width - 1)].astype(np.float64)
            weight = weights[i, ..., 0] * weights[j, ..., 1]
            total = total + weight.reshape(weight.shape + (1,) * (there.ndim - weight.ndim)) * there
            if i in (1, 2) and j in (1, 2):
                inner.append(there)
    return np.clip(total, np.minimum.reduce(inner), np.maximum.reduce(inner))
