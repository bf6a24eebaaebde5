"""What keys stand for: the values of a field in the one form in which they can be compared."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from datetime import datetime
from numbers import Real
from typing import Any

from vkforge.errors import InputError
from vkforge.post.exposure import CameraExposure
from vkforge.post.tone import PARAMETERS, Tonemap, as_tonemap
from vkforge.scene.camera import Camera


def kept(part: Any, name: str, value: Any) -> Any:
    """Return `value` as `part` keeps it in its field `name`: colours as linear RGB, arrays as its own copy, made once.

    What it does not take stays as it is, to be told when a whole scene is made of it.
    """
    if value is None or isinstance(value, datetime) or dataclasses.is_dataclass(value):
        return value
    if isinstance(part, tuple) or not dataclasses.is_dataclass(part):
        return value
    try:
        return getattr(dataclasses.replace(part, **{name: value}), name)  # type: ignore[type-var]
    except InputError:
        return value


def meant(parts: Sequence[Any], name: str, values: Sequence[Any]) -> list[Any]:
    """Return what values stand for, where numbers and something that stands for one are mixed.

    None of a camera's focus is its target's distance, and None of a tone mapping's parameter the published one. A
    `CameraExposure` between numbers stands for its stops, and a name between tone mappings for that one.

    Args:
        parts: what has the field, at each value's time.
        name: the field's.
        values: as `kept` gives them.
    """
    if all(value is None for value in values) or all(type(value) is type(values[0]) for value in values):
        return list(values)
    if name == "exposure" and any(isinstance(value, Real) for value in values):
        return [value.stops if isinstance(value, CameraExposure) else value for value in values]
    if name == "tonemap" and all(isinstance(value, (str, Tonemap)) for value in values):
        return [as_tonemap(value) for value in values]
    return [_number(part, name) if value is None else value for part, value in zip(parts, values, strict=True)]


def _number(part: Any, name: str) -> float | None:
    """Return the number that None stands for, or None where it stands for none."""
    if isinstance(part, Camera) and name == "focus_distance" and part.kind == "perspective":
        return math.dist(part.position, part.target)
    if isinstance(part, Tonemap):
        return PARAMETERS.get(part.operator, {}).get(name)
    return None
