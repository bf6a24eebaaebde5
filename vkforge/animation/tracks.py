"""Tracks: from keys of any kind that scenes hold, numbers, colours, suns, whole parts, to a function of time."""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from numbers import Integral, Real
from typing import Any

import numpy as np

from vkforge.animation.cameras import PLACE, camera_moves
from vkforge.animation.curves import Curve, Path
from vkforge.animation.meanings import meant
from vkforge.errors import InputError
from vkforge.post.tone import Tonemap
from vkforge.scene.albedo import Albedo
from vkforge.scene.camera import Camera
from vkforge.scene.checks import number, show
from vkforge.scene.environment import Environment
from vkforge.scene.sun import Sun
from vkforge.scene.terrain import Terrain

Keys = list[tuple[float, Any]]
Place = tuple[float, float]

# Seconds, and numbers of all kinds: beyond these, curves between keys leave the range of float64.
_LARGEST_TIME, _SMALLEST_STEP, _LARGEST_NUMBER = 4e9, 1e-6, 1e30

# Points of the world, which move along a path; any other vector changes number by number.
_POINTS = ("position", "target")
# What goes round: between whole parts the shorter way is taken.
_ROUND = {Sun: ("azimuth",), Environment: ("rotation",)}
# Whole numbers that are names: what is between two of them is not between what they name. The seed of the settings is
# drawn anew where it passes other numbers, which is what its tracks are for.
_NAMES = ("blades", "seed")
# What parts of one type need to have in common for anything to lie between them.
_KINDS: dict[type, str] = {Camera: "kind", Tonemap: "operator", Albedo: "kind"}
_NUMBER = ("numbers", 0)  # and of a vector its length
_ENDLESS = 65504.0  # a white point beyond this is none


@dataclass(frozen=True)
class Track:
    """A value over time.

    Attributes:
        at: The value at a time in seconds.
        cuts: Seconds at which it jumps; from there on it is the new one.
        holds: Whether it does nothing else.
    """

    at: Callable[[float], Any]
    cuts: tuple[float, ...] = ()
    holds: bool = False

    def __call__(self, time: float) -> Any:
        """Return the value at a time."""
        return self.at(time)


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


def make_track(
    path: str, keys: Keys, kind: str, now: Any, place: Place | None = None, terrain: Terrain | None = None
) -> Track:
    """Return the function of time that passes through `keys`.

    What has nothing in between is held until the next key: names, truths, arrays, None and anything else, cameras of
    two kinds.

    Args:
        path: what it is for: the names from the scene down, joined by dots.
        keys: as `read_keys` gives them, their values as `kept` and `meant` do.
        kind: "smooth", "linear" or "step".
        now: what the scene has there; a whole number keeps its track to whole numbers, and dates change this sun.
        place: latitude and longitude, where dates stand for the sun.
        terrain: what that sun shines on.

    Raises:
        InputError: numbers that are not finite, or dates where there is no place.
    """
    if any(isinstance(value, datetime) for _, value in keys):
        return Track(_dates(path, keys, kind, now, place, terrain))
    # Keys between which something lies, run by run.
    runs: list[Keys] = []
    before: Hashable = None
    for key in keys:
        nature = None if kind == "step" else _nature(path, key[1])
        if runs and (same(key[1], runs[-1][-1][1]) or (nature is not None and _go_together(before, nature))):
            runs[-1].append(key)
            before = before if nature == _NUMBER and _are_numbers(before, nature) else nature
        else:
            runs.append([key])
            before = nature
    tracks = [_between(path, run, kind, now) for run in runs]
    starts = [run[0][0] for run in runs]
    cuts = sorted([*starts[1:], *itertools.chain.from_iterable(track.cuts for track in tracks)])

    def value(time: float) -> Any:
        return tracks[max(bisect.bisect_right(starts, time) - 1, 0)](time)

    return Track(value, tuple(cuts), all(track.holds for track in tracks))


def _nature(path: str, value: Any) -> Hashable:
    """Return what values have in common between which something lies; None of what has no such neighbours."""
    name = path.rpartition(".")[2]
    if value is None or isinstance(value, (str, bool, np.bool_)):
        return None
    if isinstance(value, Real):
        return None if name in _NAMES and path != "settings.seed" else _NUMBER
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if isinstance(value, (tuple, list)) and value:
        if all(isinstance(part, Real) and not isinstance(part, (bool, np.bool_)) for part in value):
            return ("numbers", len(value))
        if all(map(_is_record, value)):
            return ("items", *map(type, value))
    if _is_record(value):
        return type(value), getattr(value, _KINDS.get(type(value), ""), None)
    return None


def _is_record(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _are_numbers(a: Any, b: Any) -> bool:
    return isinstance(a, tuple) and isinstance(b, tuple) and a[0] == b[0] == "numbers"


def _go_together(a: Any, b: Any) -> bool:
    """Whether something lies between values of these natures: a number stands for a vector of any length."""
    return a == b or (_are_numbers(a, b) and _NUMBER in (a, b))


def _between(path: str, keys: Keys, kind: str, now: Any) -> Track:
    """Return the track of keys between which something lies, or of a single one."""
    times, values = np.array([time for time, _ in keys]), [value for _, value in keys]
    name = path.rpartition(".")[2]
    if all(same(value, values[0]) for value in values):
        return Track(lambda _: values[0], holds=True)
    if _is_record(values[0]):
        return _fields(path, keys, kind)
    if isinstance(values[0], tuple) and all(map(_is_record, values[0])):
        items = [
            make_track(f"{path}.{i}", [(time, value[i]) for time, value in keys], kind, values[0][i])
            for i in range(len(values[0]))
        ]
        cuts = tuple(itertools.chain.from_iterable(item.cuts for item in items))
        return Track(lambda time: tuple(item(time) for item in items), cuts, all(item.holds for item in items))
    if name == "white" and math.inf in values:  # none at all: what goes evenly then is its inverse
        inverse = Curve(times, np.array([[1.0 / value] for value in values]), kind)
        return Track(lambda time: _endless(float(inverse(time)[0])))
    numbers = _numbers(path, values)
    if name in _POINTS and numbers.shape[1:] == (3,):
        return Track(_vector(Path(times, numbers, kind)))
    curve = Curve(times, numbers.reshape(len(keys), -1), kind)
    if name == "natural_size":
        return Track(lambda time: tuple(round(part) for part in curve(time).tolist()))
    if numbers.ndim > 1:
        return Track(_vector(curve))
    if isinstance(now, Integral) and not isinstance(now, bool):
        return Track(lambda time: round(float(curve(time)[0])))
    return Track(lambda time: float(curve(time)[0]))


def _vector(curve: Callable[[float], np.ndarray]) -> Callable[[float], tuple[float, ...]]:
    return lambda time: tuple(curve(time).tolist())


def _endless(inverse: float) -> float:
    return math.inf if inverse * _ENDLESS < 1.0 else 1.0 / inverse


def _numbers(path: str, values: Sequence[Any]) -> np.ndarray:
    """Return numbers (n,), or vectors (n, k) where a number among them stands for one of k times itself.

    Raises:
        InputError: NaN, infinity or a number beyond all measure.
    """
    rows = [value.tolist() if isinstance(value, np.ndarray) else value for value in values]
    sizes = {len(row) for row in rows if isinstance(row, (tuple, list))}
    rows = [row if isinstance(row, (tuple, list)) else [row] for row in rows]
    for part in itertools.chain.from_iterable(rows):
        number(f"a key of {path!r}", part, -_LARGEST_NUMBER, _LARGEST_NUMBER)
    array = np.array([np.broadcast_to(np.array(row, np.float64), tuple(sizes) or (1,)) for row in rows])
    return array if sizes else array[:, 0]


def _dates(
    path: str, keys: Keys, kind: str, now: Any, place: Place | None, terrain: Terrain | None
) -> Callable[[float], Sun]:
    """Return the sun over a place as the clock goes from date to date."""
    times, values = np.array([time for time, _ in keys]), [value for _, value in keys]
    if path != "sun" or not all(isinstance(value, datetime) for value in values):
        raise InputError(f"{path!r} has dates among its keys; they stand for the sun: {{'sun': {{0: date, 8: date}}}}")
    if place is None:
        raise InputError("dates stand for the sun over a place, and there is none; give place=(latitude, longitude)")
    given: dict[str, Any] = {"terrain": terrain}
    if now is not None:
        given |= {"irradiance": now.irradiance, "angular_diameter": now.angular_diameter}
    for value in values:
        Sun.at(*place, value)  # a date without a time zone is told here
    clock = Curve(times, np.array([[value.timestamp()] for value in values]), kind)
    return lambda time: Sun.at(*place, datetime.fromtimestamp(float(clock(time)[0]), UTC), **given)


def _fields(path: str, keys: Keys, kind: str) -> Track:
    """Return the track of a whole part, a dataclass, whose fields change one by one; at its keys it is just those."""
    times, parts = [time for time, _ in keys], [part for _, part in keys]
    first = parts[0]
    tracks: dict[str, Track] = {}
    for field in (field for field in dataclasses.fields(first) if field.init):
        values = [getattr(part, field.name) for part in parts]
        if all(same(value, values[0]) for value in values):
            continue
        if isinstance(first, Camera) and field.name in PLACE:
            continue
        values = meant(parts, field.name, values)
        if field.name in _ROUND.get(type(first), ()):
            values = np.unwrap(values, period=360.0).tolist()
        inner = list(zip(times, values, strict=True))
        tracks[field.name] = make_track(f"{path}.{field.name}", inner, kind, values[0])
    moves = camera_moves(np.array(times), parts, kind) if isinstance(first, Camera) else []
    cuts = tuple(sorted({cut for track in tracks.values() for cut in track.cuts}))
    if not moves and all(track.holds for track in tracks.values()):
        return Track(_held(keys), cuts, holds=True)  # what was given, and so lies on the device, and no copies of it

    def part(time: float) -> Any:
        time = min(max(time, times[0]), times[-1])
        i = bisect.bisect_left(times, time)
        if times[i] == time:
            return parts[i]
        changes = {name: track(time) for name, track in tracks.items()}
        for move in moves:
            changes |= move(time, changes)
        return dataclasses.replace(first, **changes)

    return Track(part, cuts)


def _held(keys: Keys) -> Callable[[float], Any]:
    """Return what holds each value until the next key."""
    times = [time for time, _ in keys]
    return lambda time: keys[max(bisect.bisect_right(times, time) - 1, 0)][1]


def same(a: Any, b: Any) -> bool:
    """Return whether two values of a field are one: arrays, which are large, only where they are the same object."""
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return False
    return type(a) is type(b) and bool(a == b)
