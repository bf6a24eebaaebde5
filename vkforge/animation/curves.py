"""Curves through keys, in float64: numbers that don't overshoot, paths at an even speed, rotations by quaternions.

All are functions of time that stay at their first key's value before it and at their last key's after it.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

KINDS = ("smooth", "linear", "step")

_PIECES = 64  # in which a stretch of a path is measured
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)


def _slopes(times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the slopes at the keys of a cubic that is monotone wherever the keys are (Fritsch and Butland 1984).

    Args:
        times: (n,) increasing, n of at least 2.
        values: (n, k).

    Returns:
        (n, k).
    """
    steps = np.diff(times)[:, None]
    secants = np.diff(values, axis=0) / steps
    slopes = np.empty_like(values)
    if len(times) == 2:
        slopes[:] = secants
        return slopes
    before, after = secants[:-1], secants[1:]
    near, far = 2 * steps[1:] + steps[:-1], steps[1:] + 2 * steps[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (near + far) / (near / before + far / after)
    slopes[1:-1] = np.where(before * after > 0, mean, 0.0)
    for end, inner, ahead in ((0, 0, 1), (-1, -1, -2)):
        first, second = secants[inner], secants[ahead]
        slope = ((2 * steps[inner] + steps[ahead]) * first - steps[inner] * second) / (steps[inner] + steps[ahead])
        slope = np.where(slope * first > 0, slope, 0.0)
        turns = (first * second < 0) & (np.abs(slope) > 3 * np.abs(first))
        slopes[end] = np.where(turns, 3 * first, slope)
    return slopes


class Curve:
    """Numbers over time.

    Args:
        times: (n,) increasing.
        values: (n, k); their shape after the first axis is the result's.
        kind: "smooth" for cubics with continuous speed that never leave the range of two neighbouring keys, "linear" or
            "step".
        slopes: (n, k) to use instead of such as don't overshoot.
    """

    def __init__(self, times: np.ndarray, values: np.ndarray, kind: str, slopes: np.ndarray | None = None) -> None:
        self.times, self.values, self.kind = times, values, kind
        if kind == "smooth" and len(times) > 1:
            self.slopes = _slopes(times, values) if slopes is None else slopes

    def __call__(self, time: float) -> np.ndarray:
        """Return the k numbers at a time."""
        i = int(np.searchsorted(self.times, time, side="right")) - 1
        if i < 0 or i >= len(self.times) - 1 or self.kind == "step":
            return self.values[min(max(i, 0), len(self.times) - 1)]
        step = self.times[i + 1] - self.times[i]
        u = (time - self.times[i]) / step
        a, b = self.values[i], self.values[i + 1]
        if self.kind == "linear":
            return a + (b - a) * u
        tilt = u * (1 - u) * step * ((1 - u) * self.slopes[i] - u * self.slopes[i + 1])
        return a + (b - a) * (u * u * (3 - 2 * u)) + tilt


class Path:
    """A point that moves through keys, its speed a continuous function of time.

    Where it goes is a centripetal Catmull-Rom spline (Yuksel, Schaefer and Keyser 2011), or straight lines where the
    kind is "linear". When it is where is a matter of its own: the distance gone since the first key, by arc length, is
    a monotone curve over time. So keys that are evenly spaced in time and along the way make an even speed, whatever
    the bends in between.

    Args:
        times: (n,) increasing.
        points: (n, 3).
        kind: As of a `Curve`.
    """

    def __init__(self, times: np.ndarray, points: np.ndarray, kind: str) -> None:
        moved = np.concatenate([[True], np.any(points[1:] != points[:-1], axis=1)])
        corners = points[moved]  # a point that stays for a while is one place on the way
        knots = np.concatenate([[0.0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(corners, axis=0), axis=1)))])
        spline = kind == "smooth" and len(corners) > 2
        self._shape = Curve(knots, corners, kind, _tangents(knots, corners) if spline else None)
        self._measure(knots, corners, spline)
        gone = self._lengths[np.searchsorted(self._knots, knots)][np.cumsum(moved) - 1]
        self._gone = Curve(times, gone[:, None], kind)
        self.length = float(gone[-1])

    def _measure(self, knots: np.ndarray, corners: np.ndarray, spline: bool) -> None:
        """Tabulate the length of the way at its knots and between them."""
        pieces = _PIECES if spline else 1
        ends = [np.linspace(a, b, pieces, endpoint=False) for a, b in itertools.pairwise(knots)]
        self._knots = np.concatenate([*ends, knots[-1:]])
        half = np.diff(self._knots)[:, None] / 2
        middles = self._knots[:-1, None] + half
        lengths = (self._speeds(middles + half * _NODES) * _WEIGHTS * half).sum(axis=1)
        self._lengths = np.concatenate([[0.0], np.cumsum(lengths)])
        # The knot at a length, as a cubic with the slopes that it truly has.
        pace = 1.0 / np.maximum(self._speeds(self._knots), 1e-300)
        self._inverse = Curve(self._lengths, self._knots[:, None], "smooth" if spline else "linear", pace[:, None])

    def _speeds(self, knots: np.ndarray) -> np.ndarray:
        """Return the lengths of the way's derivative by its parameter."""
        shape = self._shape
        if len(shape.times) == 1:
            return np.ones_like(knots)
        i = np.clip(np.searchsorted(shape.times, knots, side="right") - 1, 0, len(shape.times) - 2)
        step = (shape.times[i + 1] - shape.times[i])[..., None]
        slopes = (shape.values[i + 1] - shape.values[i]) / step
        if shape.kind == "smooth":
            u = (knots - shape.times[i])[..., None] / step
            before, after = shape.slopes[i], shape.slopes[i + 1]
            slopes = slopes * (6 * u * (1 - u)) + before * (1 - u) * (1 - 3 * u) + after * u * (3 * u - 2)
        return np.linalg.norm(slopes, axis=-1)

    def __call__(self, time: float) -> np.ndarray:
        """Return the point, (3,), at a time."""
        return self._shape(float(self._inverse(float(self._gone(time)[0]))[0]))


def _tangents(knots: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return a Catmull-Rom spline's derivatives at its knots; at its ends those of a parabola through three points."""
    steps = np.diff(knots)[:, None]
    secants = np.diff(points, axis=0) / steps
    inner = (secants[:-1] * steps[1:] + secants[1:] * steps[:-1]) / (steps[:-1] + steps[1:])
    return np.concatenate([2 * secants[:1] - inner[:1], inner, 2 * secants[-1:] - inner[-1:]])


# Rotations: unit quaternions (w, x, y, z), and rotation vectors (radians times axis)


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the quaternion that turns by `b` first and by `a` then."""
    w = a[0] * b[0] - a[1:] @ b[1:]
    return np.concatenate([[w], a[0] * b[1:] + b[0] * a[1:] + np.cross(a[1:], b[1:])])


def conjugate(a: np.ndarray) -> np.ndarray:
    """Return the turn back."""
    return a * (1.0, -1.0, -1.0, -1.0)


def turned(vector: np.ndarray) -> np.ndarray:
    """Return the quaternion of a rotation vector."""
    half = np.linalg.norm(vector) / 2
    return np.concatenate([[math.cos(half)], np.sinc(half / math.pi) / 2 * vector])


def turn(a: np.ndarray) -> np.ndarray:
    """Return the rotation vector of a quaternion, of at most half a turn."""
    a = -a if a[0] < 0 else a
    sine = float(np.linalg.norm(a[1:]))
    return a[1:] * (2.0 if sine < 1e-12 else 2.0 * math.atan2(sine, a[0]) / sine)


def rotation(axes: np.ndarray) -> np.ndarray:
    """Return the quaternion that turns x, y, z into the rows of `axes`, a right-handed orthonormal (3, 3)."""
    columns = np.asarray(axes, np.float64).T
    # Of the four ways to write it down, the one that divides by the largest number (Shepperd 1978).
    diagonal = np.diag(columns)
    squares = np.array([diagonal.sum(), *(2 * diagonal - diagonal.sum())])
    best = int(np.argmax(squares))
    result = np.empty(4)
    result[best] = 1.0 + squares[best]
    twist = [columns[(i + 2) % 3, (i + 1) % 3] - columns[(i + 1) % 3, (i + 2) % 3] for i in range(3)]
    if best == 0:
        result[1:] = twist
    else:
        i = best - 1
        j, k = (i + 1) % 3, (i + 2) % 3
        result[0], result[1 + j], result[1 + k] = (
            twist[i],
            columns[i, j] + columns[j, i],
            columns[i, k] + columns[k, i],
        )
    return result / np.linalg.norm(result)


def axes(a: np.ndarray) -> np.ndarray:
    """Return what a quaternion turns x, y and z into, as the rows of a (3, 3)."""
    w, x, y, z = a
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)],
            [2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)],
            [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


class Turning:
    """An orientation that passes through keys, each time the shorter way round.

    "smooth" is the cubic quaternion curve of Kim, Kim and Shin (1995), which has a given spin at each key; the spin is
    the harmonic mean of those before and after, which doesn't overshoot. "linear" is slerp (Shoemake 1985).

    Args:
        times: (n,) increasing.
        quaternions: (n, 4), of unit length.
        kind: As of a `Curve`.
    """

    def __init__(self, times: np.ndarray, quaternions: np.ndarray, kind: str) -> None:
        self._times, self._keys, self._kind = times, quaternions, kind
        steps = np.diff(times)
        self._turns = [turn(product(conjugate(a), b)) for a, b in itertools.pairwise(quaternions)]
        spins = [turned_by / step for turned_by, step in zip(self._turns, steps, strict=True)]
        inner = [_mean_spin(*item) for item in zip(spins[:-1], spins[1:], steps[:-1], steps[1:], strict=True)]
        self._spins = [*spins[:1], *inner, *spins[-1:]]

    def __call__(self, time: float) -> np.ndarray:
        """Return the quaternion at a time."""
        i = int(np.searchsorted(self._times, time, side="right")) - 1
        if i < 0 or i >= len(self._times) - 1 or self._kind == "step":
            return self._keys[min(max(i, 0), len(self._keys) - 1)]
        step = self._times[i + 1] - self._times[i]
        u = (time - self._times[i]) / step
        if self._kind == "linear":
            return product(self._keys[i], turned(u * self._turns[i]))
        first, last = step / 3 * self._spins[i], step / 3 * self._spins[i + 1]
        middle = turn(product(product(conjugate(turned(first)), turned(self._turns[i])), conjugate(turned(last))))
        # Cumulative Bernstein polynomials of degree 3.
        shares = (1 - (1 - u) ** 3, u * u * (3 - 2 * u), u**3)
        result = self._keys[i]
        for share, vector in zip(shares, (first, middle, last), strict=True):
            result = product(result, turned(share * vector))
        return result


def _mean_spin(a: np.ndarray, b: np.ndarray, before: float, after: float) -> np.ndarray:
    """Return the spin at a key between spins `a` and `b` that last `before` and `after`; none where they oppose."""
    slow, fast = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if a @ b <= 0.0:
        return np.zeros(3)
    near, far = 2 * after + before, after + 2 * before
    axis = a / slow + b / fast
    return axis * ((near + far) / (near / slow + far / fast) / np.linalg.norm(axis))
