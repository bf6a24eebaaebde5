"""Tracks: from keys of any kind that scenes hold, numbers, colours, suns, whole parts, to a function of time."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from numbers import Integral, Real
from typing import Any

import numpy as np

from vkforge.animation.cameras import camera_track
from vkforge.animation.curves import Curve, Path
from vkforge.errors import InputError
from vkforge.scene.camera import Camera
from vkforge.scene.checks import number, show
from vkforge.scene.colors import linear_color
from vkforge.scene.environment import Environment
from vkforge.scene.sun import Sun

Track = Callable[[float], Any]
Keys = list[tuple[float, Any]]
Place = tuple[float, float]

# Seconds, and numbers of all kinds: beyond these, curves between keys leave the range of float64.
_LARGEST_TIME, _SMALLEST_STEP, _LARGEST_NUMBER = 4e9, 1e-6, 1e30

# Points of the world, which move along a path; any other vector changes number by number.
_POINTS = ("position", "target")
# What goes round: between whole parts the shorter way is taken.
_ROUND = {Sun: ("azimuth",), Environment: ("rotation",)}


def read_keys(path: str, given: Any) -> Keys:
    """Return the keys of a track, checked: at least one, at finite times that increase.

    Args:
        path: whose, for errors.
        given: a mapping from seconds to values, or a sequence of (seconds, value).
    """
    wanted = "wanted {seconds: value, ...}, as {0: 90, 5: 270}"
    pairs = given.items() if isinstance(given, Mapping) else given
    try:
        what = f"the time of a key of {path!r} (seconds)"
        keys = [(number(what, time, -_LARGEST_TIME, _LARGEST_TIME), value) for time, value in pairs]
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the keys of {path!r} are {show(given)}; {wanted}") from None
    if not keys:
        raise InputError(f"{path!r} has no keys; {wanted}")
    for (before, _), (after, _) in itertools.pairwise(keys):
        if abs(after - before) < _SMALLEST_STEP:
            raise InputError(f"{path!r} has two keys at {after:g} s; give one, or set the other a little later")
        if after < before:
            raise InputError(f"the keys of {path!r} are out of order: {after:g} s comes after {before:g} s; sort them")
    return keys


def make_track(path: str, keys: Keys, kind: str, now: Any, place: Place | None) -> Track:
    """Return the function of time that passes through `keys`.

    Args:
        path: what it is for: the names from the scene down, joined by dots.
        keys: as `read_keys` gives them.
        kind: "smooth", "linear" or "step".
        now: what the scene has there; a whole number keeps its track to whole numbers, and dates change this sun.
        place: latitude and longitude, where dates stand for the sun.

    Raises:
        InputError: values that nothing lies between, such as names, unless the kind is "step".
    """
    times, values = np.array([time for time, _ in keys]), [value for _, value in keys]
    name = path.rpartition(".")[2]
    if any(isinstance(value, datetime) for value in values):
        return _dates(path, times, values, kind, now, place)
    if kind == "step":
        return lambda time: values[max(int(np.searchsorted(times, time, side="right")) - 1, 0)]
    if all(value is values[0] for value in values):
        return lambda _: values[0]
    if all(isinstance(value, Camera) for value in values):
        return camera_track(times, values, kind)
    if dataclasses.is_dataclass(values[0]) and all(type(value) is type(values[0]) for value in values):
        return _fields(path, keys, kind, now)
    if all(isinstance(value, str) for value in values) and not path.startswith("settings."):
        values = [linear_color(path, value) for value in values]
    numbers = _numbers(path, values)
    if numbers is None:
        shown = " and ".join(show(value) for value in values[:2])
        raise InputError(f"nothing lies between the keys of {path!r}, {shown}; give it interpolation 'step'")
    if name in _POINTS and numbers.shape[1:] == (3,):
        return _vector(Path(times, numbers, kind))
    curve = Curve(times, numbers.reshape(len(keys), -1), kind)
    if numbers.ndim > 1:
        return _vector(curve)
    if isinstance(now, Integral) and not isinstance(now, bool):
        return lambda time: round(float(curve(time)[0]))
    return lambda time: float(curve(time)[0])


def _vector(curve: Callable[[float], np.ndarray]) -> Track:
    return lambda time: tuple(curve(time).tolist())


def _numbers(path: str, values: Sequence[Any]) -> np.ndarray | None:
    """Return numbers (n,), or vectors (n, k) where a number among them stands for one of k times itself, or None.

    Raises:
        InputError: NaN, infinity or a number beyond all measure.
    """
    rows = [value.tolist() if isinstance(value, np.ndarray) else value for value in values]
    sizes = {len(row) for row in rows if isinstance(row, (tuple, list))}
    rows = [row if isinstance(row, (tuple, list)) else [row] for row in rows]
    parts = list(itertools.chain.from_iterable(rows))
    if (
        len(sizes) > 1
        or not parts
        or not all(isinstance(part, Real) and not isinstance(part, (bool, np.bool_)) for part in parts)
    ):
        return None
    for part in parts:
        number(f"a key of {path!r}", part, -_LARGEST_NUMBER, _LARGEST_NUMBER)
    array = np.array([np.broadcast_to(np.array(row, np.float64), tuple(sizes) or (1,)) for row in rows])
    return array if sizes else array[:, 0]


def _dates(path: str, times: np.ndarray, values: list[Any], kind: str, now: Any, place: Place | None) -> Track:
    """Return the sun over a place as the clock goes from date to date."""
    if path != "sun" or not all(isinstance(value, datetime) for value in values):
        raise InputError(f"{path!r} has dates among its keys; they stand for the sun: {{'sun': {{0: date, 8: date}}}}")
    if place is None:
        raise InputError("dates stand for the sun over a place, and there is none; give place=(latitude, longitude)")
    given = {} if now is None else {"irradiance": now.irradiance, "angular_diameter": now.angular_diameter}
    for value in values:
        Sun.at(*place, value)  # a date without a time zone is told here
    clock = Curve(times, np.array([[value.timestamp()] for value in values]), kind)
    return lambda time: Sun.at(*place, datetime.fromtimestamp(float(clock(time)[0]), UTC), **given)


def _fields(path: str, keys: Keys, kind: str, now: Any) -> Track:
    """Return the track of a whole part, a dataclass, whose fields change one by one."""
    first = keys[0][1]
    tracks: dict[str, Track] = {}
    for field in (field for field in dataclasses.fields(first) if field.init):
        values = [getattr(value, field.name) for _, value in keys]
        if all(same(value, values[0]) for value in values):
            continue
        if field.name in _ROUND.get(type(first), ()):
            values = np.unwrap(values, period=360.0).tolist()
        inner = [(time, value) for (time, _), value in zip(keys, values, strict=True)]
        tracks[field.name] = make_track(f"{path}.{field.name}", inner, kind, getattr(now, field.name, None), None)
    exact = dict(keys)

    def part(time: float) -> Any:
        if time in exact:
            return exact[time]
        return dataclasses.replace(first, **{name: track(time) for name, track in tracks.items()})

    return part


def same(a: Any, b: Any) -> bool:
    """Return whether two values of a field are one: arrays, which are large, only where they are the same object."""
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return False
    return type(a) is type(b) and bool(a == b)
