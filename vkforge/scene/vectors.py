"""Three numbers at a time, for what is too small for NumPy."""

from __future__ import annotations

import math

from vkforge.scene.checks import Vector

ZERO: Vector = (0.0, 0.0, 0.0)


def dot(a: Vector, b: Vector) -> float:
    """Return the scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """Return the vector product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def scaled(a: Vector, factor: float) -> Vector:
    """Return `a` times `factor`."""
    return a[0] * factor, a[1] * factor, a[2] * factor


def plus(a: Vector, b: Vector) -> Vector:
    """Return the sum."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def minus(a: Vector, b: Vector) -> Vector:
    """Return the difference."""
    return plus(a, scaled(b, -1.0))


def normalized(a: Vector) -> Vector:
    """Return the unit vector along `a`, which is not zero."""
    return scaled(a, 1.0 / math.hypot(*a))


def bearing_vector(bearing: float, elevation: float = 0.0) -> Vector:
    """Return the unit vector towards a compass bearing and an elevation above the horizon, both in degrees."""
    azimuth, tilt = math.radians(bearing), math.radians(elevation)
    return math.cos(tilt) * math.sin(azimuth), math.cos(tilt) * math.cos(azimuth), math.sin(tilt)


def basis(forward: Vector, up: Vector) -> tuple[Vector, Vector]:
    """Return the unit right and up of a frame that looks along the unit vector `forward`.

    An `up` along the view says nothing about the roll; world up takes its place, and north where that is along the view
    too, so that a camera looking straight down has north at the top.
    """
    for candidate in (normalized(up), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)):
        right = cross(forward, candidate)
        if math.hypot(*right) > 1e-6:
            right = normalized(right)
            return right, cross(right, forward)
    raise AssertionError("a direction can't be parallel to both z and y")
