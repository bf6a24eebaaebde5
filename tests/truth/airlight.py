"""Light that a medium scatters once into a ray of sight, and what it lets through: closed forms and float64 quadrature.

Notation: ss and st are the coefficients of scattering and extinction per metre (3,), E the sun's irradiance (3,), p the
phase function. All return (..., 3).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from truth import heightfield

Array = NDArray[np.float64]


def henyey_greenstein(cosine: ArrayLike, g: float) -> Array:
    """Per steradian, of the cosine between the light's ways before and after (Henyey and Greenstein 1941)."""
    c = np.asarray(cosine, np.float64)
    return (1 - g * g) / (4 * np.pi * (1 + g * g - 2 * g * c) ** 1.5)


def gauss(low: Any, high: Any, panels: int = 400) -> tuple[Array, Array]:
    """Nodes and weights on [low, high]: 8 Gauss points in each of `panels` panels."""
    x, w = np.polynomial.legendre.leggauss(8)
    edges = np.linspace(low, high, panels + 1)[:-1, None]
    half = (high - low) / panels / 2
    return (edges + half * (x + 1)).ravel(), np.tile(w * half, panels)


def transmittance(st: Array, d: ArrayLike) -> Array:
    """Beer and Lambert's law over d metres, which may be infinite."""
    return np.exp(-st * np.minimum(np.asarray(d, np.float64), 1e30)[..., None])


def homogeneous(ss: Array, st: Array, phase: ArrayLike, E: Array, d: ArrayLike, gap=(0.0, 0.0)) -> Array:
    """L = (ss / st) p E (1 - exp(-st d)) under an unattenuated sun; `gap` [t0, t1] lies in shadow."""
    t0, t1 = (np.minimum(limit, d) for limit in gap)
    lit = 1 - transmittance(st, d) - (transmittance(st, t0) - transmittance(st, t1))
    return ss / st * np.asarray(phase)[..., None] * E * lit


def exponential_depth(origin_z: Any, direction_z: Any, t: Any, base: float, scale: float) -> Array:
    """The integral of exp(-(z - base) / scale) over t metres of a ray, by expm1."""
    here = np.exp(-(np.asarray(origin_z, np.float64) - base) / scale)
    a = np.asarray(direction_z, np.float64) / scale
    with np.errstate(divide="ignore", invalid="ignore"):
        return here * np.where(a == 0, t, -np.expm1(-a * t) / a)


def exponential(
    ss: Array, st: Array, g: float, E: Array, base: float, scale: float, origin: Array, direction: Array, sun: Array, d
) -> Array:
    """The same in density exp(-(z - base) / scale) under a sun that it attenuates, by quadrature on [0, d]."""
    t, w = gauss(0.0, d)
    z = origin[2] + t * direction[2]
    rho = np.exp(-(z - base) / scale)
    depth = exponential_depth(origin[2], direction[2], t, base, scale) + rho * scale / sun[2]
    phase = henyey_greenstein(direction @ sun, g)
    return (w * rho)[None] @ np.exp(-st * depth[:, None]) * ss * phase * E


def point_light(
    ss: Array, st: Array, g: float, intensity: Array, origin: Array, direction: Array, lamp: Array, d: float, scale=1e30
) -> Array:
    """The airlight integral of a point light (Sun et al. 2005, eq. 4), in a medium of density exp(-z / scale).

    The substitution t = near + aside tan(angle) takes the pole away: what is left is smooth.
    """
    near = (lamp - origin) @ direction
    aside = np.linalg.norm(lamp - origin - near * direction)
    low, high = np.arctan2(-near, aside), np.arctan2(d - near, aside)
    angle, w = gauss(low, high)
    t, r = near + aside * np.tan(angle), aside / np.cos(angle)
    cosine = (near - t) / r
    z = origin[2] + t * direction[2]
    met = exponential_depth(origin[2], direction[2], t, 0.0, scale)
    met = met + exponential_depth(z, (lamp[2] - z) / r, r, 0.0, scale)
    attenuated = np.exp(-st * met[:, None]) * (w * np.exp(-z / scale) * henyey_greenstein(cosine, g))[:, None]
    return ss * intensity / aside * attenuated.sum(0)


def march(
    heights: Array,
    cell_size: tuple[float, float],
    origins: Array,
    directions: Array,
    ends: Array,
    sun: Array,
    steps: int,
    inscatter: Callable[[Array, Array], Array],
) -> Array:
    """Single scattering of the sun along n rays with brute-force shadows, by `steps` even points of each; (n, 3).

    Where the points lie in their steps differs from ray to ray, by the golden section, so that errors do not line up.

    Args:
        heights: The DEM, as `heightfield.intersect` takes it.
        cell_size: Likewise.
        origins: (n, 3) world metres.
        directions: (n, 3), unit.
        ends: (n,) metres, finite.
        sun: (3,) to the sun, a point.
        steps: To a ray.
        inscatter: Of (m, 3) points and (m,) distances from the eye: radiance per metre that arrives there of an
            unshadowed sun, (m, 3).
    """
    light, offset = np.zeros((len(origins), 3)), np.arange(len(origins)) * (np.sqrt(5) - 1) / 2 % 1
    for step in range(steps):
        t = ends * (step + offset) / steps
        points = origins + t[:, None] * directions
        lit = ~heightfield.intersect(heights, cell_size, points, np.tile(sun, (len(points), 1))).hit
        light += lit[:, None] * inscatter(points, t) * (ends / steps)[:, None]
    return light
