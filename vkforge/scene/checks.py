"""Checks of numbers and vectors that the scene classes share: each returns Python floats or says what is wanted."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from vkforge.errors import InputError

Vector = tuple[float, float, float]
Light = float | Sequence[float] | np.ndarray  # what users write: one grey number, or linear RGB

# The renderer works in float32: beyond this, squared distances start to leave its range and the maths is noise.
LARGEST_METRES = 1.0e9
# Nor does it divide by much less, or tell narrower directions apart.
SMALLEST_METRES = 1.0e-9
NARROWEST = 1.0e-6  # degrees


def show(value: object) -> str:
    """Return `value` for an error message: short, and on one line."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."


def brief(self: Any) -> str:
    """Return a dataclass's repr on one line: the ``__repr__`` of those that may hold arrays or much else.

    An array is its shape and dtype, a function its name, and a part of the record that would take long just its type.
    """
    names = (field.name for field in dataclasses.fields(self) if field.repr)
    parts = ", ".join(f"{name}={_brief(getattr(self, name))}" for name in names)
    return f"{type(self).__name__}({parts})"


def _brief(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"<array {value.shape} {value.dtype}>"
    if callable(value):  # the repr of a partial has those of all its arguments
        return f"<{getattr(value, '__qualname__', type(value).__name__)}>"
    text = " ".join(repr(value).split())
    if len(text) <= 120:
        return text
    return f"<{len(value)} of them>" if isinstance(value, tuple) else f"{type(value).__name__}(...)"


def number(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    above: float | None = None,
    below: float | None = None,
) -> float:
    """Return `value` as a finite float in [low, high], and strictly over `above` and under `below`.

    Raises:
        InputError: not a real number, NaN, infinite or out of range.
    """
    wanted = "a finite number"
    if above is not None and below is not None:
        wanted += f" between {above:g} and {below:g} (both excluded)"
    elif above is not None:
        wanted += f" greater than {above:g}"
        if math.isfinite(high):
            wanted += f" and at most {high:g}"
    elif math.isfinite(low) and math.isfinite(high):
        wanted += f" from {low:g} to {high:g}"
    elif math.isfinite(low):
        wanted += f" of at least {low:g}"
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise InputError(f"{name} is {show(value)}; wanted {wanted}")
    try:
        result = float(value)
    except (OverflowError, TypeError):  # a huge integer; np.timedelta64, which passes for a real number
        result = math.nan
    inside = low <= result <= high and (above is None or result > above) and (below is None or result < below)
    if not math.isfinite(result) or not inside:
        raise InputError(f"{name} is {show(value)}; wanted {wanted}")
    return result


def field_of_view(name: str, value: Any, **limits: float) -> float:
    """Return an angle in degrees as `number` does, greater than 0 and wide enough to be told from none.

    Raises:
        InputError: not a number within those limits.
    """
    angle = number(f"{name} (degrees)", value, above=0.0, **limits)
    if angle < NARROWEST:
        raise InputError(f"{name} (degrees) is {show(value)}; wanted at least {NARROWEST:g}")
    return angle


def vector(name: str, value: Any) -> Vector:
    """Return three finite floats.

    Raises:
        InputError: not a sequence of three finite real numbers.
    """
    try:
        parts = tuple(value)
    except TypeError:
        parts = ()
    if isinstance(value, str) or len(parts) != 3:
        raise InputError(f"{name} is {show(value)}; wanted three numbers (x, y, z) in metres")
    x, y, z = (number(f"{name}[{i}]", part, -LARGEST_METRES, LARGEST_METRES) for i, part in enumerate(parts))
    return x, y, z


def light(name: str, value: Any) -> Vector:
    """Return a linear RGB quantity of light: a number means the same in all three channels.

    Raises:
        InputError: not one or three finite numbers of at least 0.
    """
    try:
        parts = () if isinstance(value, str) else tuple(value)
    except TypeError:
        parts = (value,) * 3
    if len(parts) != 3:
        raise InputError(f"{name} is {show(value)}; wanted a number or linear RGB (r, g, b), each of at least 0")
    red, green, blue = (number(name, part, 0.0, LARGEST_METRES) for part in parts)
    return red, green, blue


def flag(name: str, value: Any) -> bool:
    """Return a truth value.

    Raises:
        InputError: anything else; the word "no" would count as true.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(f"{name} is {show(value)}; wanted True or False")
    return bool(value)


def float_array(name: str, value: Any, wanted: str) -> np.ndarray:
    """Return real numbers as a float64 array, NaN and infinity among them; `wanted` says which, for the error.

    Raises:
        InputError: no real numbers, or rows of different lengths.
    """
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        array = np.empty(0, object)
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} is {show(value)}; wanted {wanted}")
    return array.astype(np.float64, copy=False)


def rgb_array(name: str, value: Any) -> np.ndarray:
    """Return (..., 3) real numbers as a float64 array.

    Raises:
        InputError: anything else.
    """
    wanted = "an array of RGB triples, (..., 3)"
    array = float_array(name, value, wanted)
    if array.ndim == 0 or array.shape[-1] != 3:
        raise InputError(f"{name} has shape {array.shape}; wanted {wanted}")
    return array


def picture_size(value: Any) -> tuple[int, int]:
    """Return (width, height) in pixels.

    Raises:
        InputError: not two whole numbers of at least 1, or more than any file holds.
    """
    try:
        width, height = (int(side) for side in value if side == int(side))
    except (TypeError, ValueError, OverflowError):
        width = height = 0
    if min(width, height) < 1 or max(width, height) >= 2**31:
        raise InputError(f"size is {show(value)}; wanted (width, height) in whole pixels, as (1920, 1080)")
    return width, height


def file_path(value: Any) -> Path:
    """Return the path of a file that shall be read or written.

    Raises:
        InputError: no path.
    """
    try:
        return Path(value)
    except TypeError:
        raise InputError(f"the path is {show(value)}; wanted that of a file") from None
