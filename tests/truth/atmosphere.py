"""Light in a spherical atmosphere in float64, by quadrature and by Monte Carlo over all orders of scattering.

Nothing here comes from vkforge: the constants are Hillaire's 2020 (table 1), typed again. The planet's centre is the
origin, the observer stands on the z axis, the sun is in the plane of x and z and has an irradiance of 1 outside.

    python -m truth.atmosphere        (in tests/) computes the reference values that the tests compare with, 20 minutes
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
STORED = Path(__file__).with_name("atmosphere.json")


@dataclass(frozen=True)
class Air:
    """An atmosphere, and the ground under it; lengths in metres, coefficients a metre."""

    ground: float = 6360e3
    top: float = 6460e3
    rayleigh: tuple[float, float, float] = (5.802e-6, 13.558e-6, 33.1e-6)
    mie_scattering: float = 3.996e-6
    mie_extinction: float = 4.44e-6
    g: float = 0.8
    ozone: tuple[float, float, float] = (0.650e-6, 1.881e-6, 0.085e-6)
    albedo: float = 0.3

    @classmethod
    def hazy(cls, turbidity: float) -> Air:
        """Air with aerosols for this turbidity: total over molecular vertical optical depth at 550 nm."""
        extinction = (turbidity - 1.0) * 13.558e-6 * 8000.0 / 1200.0
        return cls(mie_scattering=0.9 * extinction, mie_extinction=extinction)

    def scattering(self, altitude: Array) -> tuple[Array, Array]:
        """Scattering coefficients (..., 3) of molecules and of aerosols."""
        h = np.maximum(altitude, 0.0)[..., None]
        return np.exp(-h / 8000.0) * np.array(self.rayleigh), np.exp(-h / 1200.0) * np.full(3, self.mie_scattering)

    def densities(self, altitude: Array) -> tuple[Array, Array, Array]:
        """Of molecules, aerosols and ozone (...), as shares of where there is most of each."""
        h = np.maximum(altitude, 0.0)
        return np.exp(-h / 8000.0), np.exp(-h / 1200.0), np.maximum(0.0, 1.0 - np.abs(altitude - 25e3) / 15e3)

    def extinction_of(self, molecules: Array, aerosols: Array, ozone: Array) -> Array:
        """Extinction (..., 3) by densities, or optical depth by their integrals."""
        parts = np.stack([molecules, aerosols, ozone], axis=-1)
        return parts @ np.array([self.rayleigh, (self.mie_extinction,) * 3, self.ozone])

    def extinction(self, altitude: Array) -> Array:
        return self.extinction_of(*self.densities(altitude))

    def span(self, r: Array, mu: Array) -> tuple[Array, Array, Array]:
        """Where a ray from radius r enters the air, where it leaves it or meets the ground, and whether it meets it."""
        outer = (r * mu) ** 2 - r * r + self.top**2
        inner = (r * mu) ** 2 - r * r + self.ground**2
        root = np.sqrt(np.maximum(outer, 0.0))
        near = np.where(r > self.top, np.maximum(-r * mu - root, 0.0), 0.0)
        hits = (mu < 0.0) & (inner >= 0.0)
        far = np.where(hits, -r * mu - np.sqrt(np.maximum(inner, 0.0)), -r * mu + root)
        return near, np.where((outer > 0.0) & (far > near), far, near), hits


def rayleigh_phase(cosine: Array) -> Array:
    return 3.0 / (16.0 * np.pi) * (1.0 + cosine**2)


def mie_phase(cosine: Array, g: float) -> Array:
    """Cornette and Shanks 1992."""
    factor = 3.0 / (8.0 * np.pi) * (1.0 - g * g) / (2.0 + g * g)
    return factor * (1.0 + cosine**2) / (1.0 + g * g - 2.0 * g * cosine) ** 1.5


def nodes(near: Array, far: Array, lowest: Array, panels: int = 24, points: int = 8) -> tuple[Array, Array]:
    """Gauss-Legendre points and weights (..., n) on [near, far], in panels that shrink towards the lowest point."""
    x, w = np.polynomial.legendre.leggauss(points)
    edges = np.linspace(0.0, 1.0, panels + 1) ** 3
    u = (edges[:-1, None] + np.diff(edges)[:, None] * (x + 1) / 2).ravel()
    du = (np.diff(edges)[:, None] * w / 2).ravel()
    middle = np.clip(lowest, near, far)
    down, up = (middle - near)[..., None], (far - middle)[..., None]
    t = np.concatenate([middle[..., None] - down * u, middle[..., None] + up * u], -1)
    return t, np.concatenate([down * du, up * du], -1)


def optical_depth(air: Air, r: Array, mu: Array, length: Array | None = None) -> Array:
    """Optical depth (..., 3) from radius r along mu, over `length` metres or to the end of the ray."""
    r, mu = np.broadcast_arrays(np.asarray(r, float), np.asarray(mu, float))
    near, far, _ = air.span(r, mu)
    if length is not None:
        far = np.clip(length, near, far)
    t, weights = nodes(near, far, -r * mu)
    altitude = np.sqrt(r[..., None] ** 2 + t * t + 2 * t * (r * mu)[..., None]) - air.ground
    return (air.extinction(altitude) * weights[..., None]).sum(-2)


def transmittance(air: Air, altitude: float, elevation: float) -> Array:
    """Transmittance (3,) to space; 0 where the ground is in the way."""
    r, mu = np.array(air.ground + altitude), np.array(np.sin(np.radians(elevation)))
    return np.zeros(3) if air.span(r, mu)[2] else np.exp(-optical_depth(air, r, mu))


@cache
def _sunlight_table(air: Air) -> tuple[Array, int, int]:
    rows, columns = 160, 384
    rho = np.linspace(0, 1, rows)[:, None] * np.sqrt(air.top**2 - air.ground**2)
    r = np.sqrt(rho**2 + air.ground**2)
    reach = (air.top - r) + np.linspace(0, 1, columns) * (rho + rho[-1] - (air.top - r))
    mu = np.clip((air.top**2 - r * r - reach**2) / (2 * r * np.maximum(reach, 1e-9)), -1, 1)
    depth = np.empty((rows, columns, 3))
    for i in range(rows):
        span = reach[i]
        t, weights = nodes(0 * span, span, -r[i] * mu[i], 16, 6)
        altitude = np.sqrt(r[i] ** 2 + t * t + 2 * t * (r[i] * mu[i])[:, None]) - air.ground
        depth[i] = air.extinction_of(*((density * weights).sum(-1) for density in air.densities(altitude)))
    return depth, rows, columns


def sunlight(air: Air, r: Array, mu: Array) -> Array:
    """Transmittance (..., 3) towards the sun at cosine mu, 0 in the planet's shadow; from a fine table."""
    depth, rows, columns = _sunlight_table(air)
    height = np.sqrt(air.top**2 - air.ground**2)
    r = np.clip(r, air.ground, air.top)
    rho = np.sqrt(np.maximum(r * r - air.ground**2, 0.0))
    reach = -r * mu + np.sqrt(np.maximum((r * mu) ** 2 - r * r + air.top**2, 0.0))
    x = np.clip((reach - (air.top - r)) / (rho + height - (air.top - r)), 0, 1) * (columns - 1)
    y = rho / height * (rows - 1)
    i, j = np.minimum(y.astype(int), rows - 2), np.minimum(x.astype(int), columns - 2)
    fy, fx = (y - i)[..., None], (x - j)[..., None]
    low = depth[i, j] * (1 - fx) + depth[i, j + 1] * fx
    high = depth[i + 1, j] * (1 - fx) + depth[i + 1, j + 1] * fx
    shadow = (mu < 0) & ((r * mu) ** 2 - r * r + air.ground**2 >= 0)
    return np.where(shadow[..., None], 0.0, np.exp(-(low * (1 - fy) + high * fy)))


def single_scattering(air: Air, altitude: float, direction: Array, sun: Array, length: float = np.inf) -> Array:
    """Radiance (3,) of light scattered once by the air or once by the ground, from the first `length` metres."""
    origin = np.array([0.0, 0.0, air.ground + altitude])
    near, far, hits = air.span(origin[2], direction[2])
    ends_on_ground = bool(hits) and far <= length
    far = np.clip(length, near, far)
    # Panels so many that the planet's shadow, where the sun goes out on the way, is resolved.
    t, weights = nodes(near, far, -origin[2] * direction[2], 240, 4)
    order = np.argsort(t)
    t, weights = t[order], weights[order]
    points = origin + t[:, None] * direction
    r = np.linalg.norm(points, axis=-1)
    rayleigh, mie = air.scattering(r - air.ground)
    cosine = direction @ sun
    source = rayleigh * rayleigh_phase(cosine) + mie * mie_phase(cosine, air.g)
    step = air.extinction(r - air.ground) * weights[:, None]
    depth = np.cumsum(step, 0) - step / 2
    light = (np.exp(-depth) * source * sunlight(air, r, points @ sun / r) * weights[:, None]).sum(0)
    if ends_on_ground:
        up = (origin + far * direction) / air.ground
        mu = max(float(up @ sun), 0.0)
        direct = sunlight(air, np.array(air.ground), np.array(mu)) * mu
        light = light + np.exp(-step.sum(0)) * air.albedo / np.pi * direct
    return light


def _turn(direction: Array, cosine: Array, rng: np.random.Generator) -> Array:
    """Directions at `cosine` to the given ones, at random azimuths."""
    angle = rng.uniform(0, 2 * np.pi, len(cosine))
    sine = np.sqrt(np.maximum(0, 1 - cosine**2))
    helper = np.where(np.abs(direction[:, :1]) < 0.7, [[1.0, 0, 0]], [[0, 1.0, 0]])
    a = np.cross(direction, helper)
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b = np.cross(direction, a)
    return (sine * np.cos(angle))[:, None] * a + (sine * np.sin(angle))[:, None] * b + cosine[:, None] * direction


@cache
def _mie_angles(g: float) -> tuple[Array, Array]:
    cosine = np.cos(np.linspace(np.pi, 0, 4001))
    density = mie_phase(cosine, g)
    cumulative = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(cosine))])
    return cumulative / cumulative[-1], cosine


def _scatter(air: Air, direction: Array, molecular: Array, rng: np.random.Generator) -> Array:
    """New directions after scattering by molecules (where `molecular`) or aerosols, by their phase functions."""
    u = rng.uniform(0, 1, len(direction))
    z = 4 * u - 2
    root = np.cbrt(z + np.sqrt(z * z + 1))
    return _turn(direction, np.where(molecular, root - 1 / root, np.interp(u, *_mie_angles(air.g))), rng)


def higher_orders(
    air: Air,
    altitude: float,
    direction: Array,
    sun: Array,
    paths: int,
    rng: np.random.Generator,
    length: float = np.inf,
) -> tuple[Array, Array]:
    """Radiance (3,) of light scattered twice or more, by Monte Carlo, and its standard error.

    Each channel walks alone: a first collision inside `length` from the ray's own optical depth, and one on the ground
    where the ray meets it, then delta tracking with the sun looked for at every vertex.
    """
    mean, error = np.zeros(3), np.zeros(3)
    origin = np.array([0.0, 0.0, air.ground + altitude])
    near, far, hits = (np.asarray(v)[()] for v in air.span(origin[2], direction[2]))
    on_ground = bool(hits) and far <= length
    far = np.clip(length, near, far)
    t = near + (far - near) * np.linspace(0, 1, 4001)
    r = np.linalg.norm(origin + t[:, None] * direction, axis=1)
    sigma = air.extinction(r - air.ground)
    depth = np.concatenate([np.zeros((1, 3)), np.cumsum((sigma[1:] + sigma[:-1]) / 2 * np.diff(t)[:, None], 0)])
    for c in range(3):
        through = np.exp(-depth[-1, c])
        u = (np.arange(paths) + rng.uniform(0, 1, paths)) / paths
        at = np.interp(-np.log1p(-u * (1 - through)), depth[:, c], t)
        found = _walk(air, c, origin + at[:, None] * direction, direction, np.full(paths, 1 - through), sun, rng, False)
        if on_ground and air.albedo > 0:
            start = np.repeat((origin + far * direction)[None], paths, 0)
            found = found + _walk(air, c, start, direction, np.full(paths, through), sun, rng, True)
        mean[c], error[c] = found.mean(), found.std() / np.sqrt(paths)
    return mean, error


def _walk(
    air: Air, c: int, points: Array, direction: Array, weight: Array, sun: Array, rng: np.random.Generator, ground: bool
) -> Array:
    """What paths that begin with a collision at `points` gather from their second vertex on, in channel c."""
    gathered = np.zeros(len(points))
    index = np.arange(len(points))
    direction = np.repeat(direction[None], len(points), 0)
    grounded = np.full(len(points), ground)
    majorant = air.extinction(np.linspace(0, 40e3, 400))[:, c].max()
    for order in range(1, 80):
        r = np.linalg.norm(points, axis=1)
        up = points / r[:, None]
        rayleigh, mie = (s[:, c] for s in air.scattering(r - air.ground))
        total = air.extinction(r - air.ground)[:, c]
        if order > 1:
            mu = (up * sun).sum(1)
            cosine = direction @ sun
            in_air = (rayleigh * rayleigh_phase(cosine) + mie * mie_phase(cosine, air.g)) / total
            seen = np.where(grounded, air.albedo / np.pi * np.maximum(mu, 0), in_air)
            np.add.at(gathered, index, weight * seen * sunlight(air, r, mu)[:, c])
        weight = weight * np.where(grounded, air.albedo, (rayleigh + mie) / total)
        keep = rng.uniform(0, 1, len(weight)) * np.where(weight < 0.1, 0.1, weight) < weight
        weight = np.maximum(weight, 0.1 * (weight < 0.1))[keep]
        points, up, direction, grounded, index = (a[keep] for a in (points, up, direction, grounded, index))
        molecular = rng.uniform(0, 1, len(weight)) * (rayleigh + mie)[keep] < rayleigh[keep]
        lambertian = _turn(up, np.sqrt(rng.uniform(0, 1, len(weight))), rng)
        direction = np.where(grounded[:, None], lambertian, _scatter(air, direction, molecular, rng))
        points, arrived, grounded = _fly(air, c, points, direction, grounded, majorant, rng)
        points, direction, grounded, weight, index = (a[arrived] for a in (points, direction, grounded, weight, index))
        if not len(weight):
            break
    return gathered


def _fly(
    air: Air, c: int, points: Array, direction: Array, grounded: Array, majorant: float, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Woodcock's delta tracking to the next collision: where, whether there is one, and whether it is the ground."""
    r = np.linalg.norm(points, axis=1)
    mu = (points * direction).sum(1) / r
    _, far, hits = air.span(r, np.where(grounded, np.maximum(mu, 1e-9), mu))
    hits &= ~grounded
    t = np.zeros(len(points))
    flying = np.ones(len(points), bool)
    arrived, on_ground = np.zeros(len(points), bool), np.zeros(len(points), bool)
    while flying.any():
        i = np.flatnonzero(flying)
        t[i] -= np.log1p(-rng.uniform(0, 1, len(i))) / majorant
        out = t[i] >= far[i]
        t[i] = np.minimum(t[i], far[i])
        altitude = np.sqrt(r[i] ** 2 + t[i] ** 2 + 2 * t[i] * r[i] * mu[i]) - air.ground
        real = rng.uniform(0, 1, len(i)) * majorant < air.extinction(altitude)[:, c]
        arrived[i] = (out & hits[i]) | (~out & real)
        on_ground[i] = out & hits[i]
        flying[i] = ~out & ~real
    return points + t[:, None] * direction, arrived, on_ground


def unit(elevation: float, azimuth: float = 0.0) -> Array:
    """A direction; the azimuth counts from the sun's."""
    e, a = np.radians(elevation), np.radians(azimuth)
    return np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])


# Sun's elevation, altitude, ground albedo; directions are those below.
SKIES = [(60, 2, 0.3), (30, 2, 0.3), (15, 2, 0.3), (5, 2, 0.3), (2, 2, 0.3), (0, 2, 0.3), (-4, 2, 0.3)]
SKIES += [(30, 2, 0.0), (30, 2, 0.8), (15, 3000, 0.3), (3, 3000, 0.3), (30, 10e3, 0.3), (5, 10e3, 0.0)]
SKIES += [(40, 50e3, 0.3), (40, 400e3, 0.3)]
UPWARDS = [(e, a) for e in (1.5, 6, 20, 45, 70) for a in (0, 40, 90, 180)] + [(90, 0)]
DOWNWARDS = [(e, a) for e in (-8, -30, -70) for a in (0, 90, 180)]
# Turbidity, the sun's elevation, the ray's elevation, its azimuth; 2 m above the ground. With a turbidity of 10 and a
# low sun so little light is left that the Monte Carlo finds none of it.
HAZY = [
    (turbidity, sun, elevation, azimuth)
    for turbidity in (1.5, 2, 4, 10)
    for sun in ((60, 30, 10, 2) if turbidity < 10 else (60, 30, 10))
    for elevation in (3, 12, 40)
    for azimuth in (0, 60, 180)
]
# Sun's elevation, altitude, ray's elevation, its azimuth, distance.
HAZES = [
    (sun, altitude, elevation, azimuth, distance)
    for sun in (40, 15, 3)
    for altitude, elevation in ((500, 0.5), (3000, -1.0), (8000, -4.0))
    for azimuth in (0, 90, 180)
    for distance in (2e3, 8e3, 30e3, 80e3)
]


def views(altitude: float) -> Sequence[tuple[float, float]]:
    """Directions to look in from an altitude: below the horizon too where the ground is far."""
    if altitude > 100e3:  # the disc of the ground, and the limb
        dip = np.degrees(np.arccos(6360e3 / (6360e3 + altitude)))
        return [(-90, 0), *((-dip + d, a) for d in (-25.0, -8.0, -1.0, 0.15, 0.5) for a in (0, 90, 180))]
    return UPWARDS + (DOWNWARDS if altitude > 1000 else [])


def hazy_row(index: int, paths: int = 40000) -> list:
    """A row of the reference values of hazy skies, HAZY's of this index, with random numbers of its own."""
    turbidity, sun, elevation, azimuth = HAZY[index]
    air, d, s = Air.hazy(turbidity), unit(elevation, azimuth), unit(sun)
    first = single_scattering(air, 2, d, s)
    rest, error = higher_orders(air, 2, d, s, paths, np.random.default_rng([2021, index]))
    return [list(HAZY[index]), (first + rest).tolist(), error.tolist()]


def compute(paths: int = 40000) -> dict:
    """The reference values, all orders: rows of what was asked, radiance and its standard error."""
    rng = np.random.default_rng(2020)

    def rows() -> Iterator[list]:
        for sun, altitude, albedo in SKIES:
            air = Air(albedo=albedo)
            for e, a in views(altitude):
                d, s = unit(e, a), unit(sun)
                first = single_scattering(air, altitude, d, s)
                rest, error = higher_orders(air, altitude, d, s, paths, rng)
                yield [[sun, altitude, albedo, e, a], (first + rest).tolist(), error.tolist(), first.tolist()]

    def hazes() -> Iterator[list]:
        for sun, altitude, e, a, distance in HAZES:
            d, s = unit(e, a), unit(sun)
            first = single_scattering(Air(), altitude, d, s, distance)
            rest, error = higher_orders(Air(), altitude, d, s, paths // 4, rng, distance)
            r = np.array(Air().ground + altitude)
            through = np.exp(-optical_depth(Air(), r, np.array(d[2]), np.array(distance)))
            yield [[sun, altitude, e, a, distance], (first + rest).tolist(), error.tolist(), through.tolist()]

    with Pool() as pool:
        hazy = pool.map(hazy_row, range(len(HAZY)), chunksize=1)
    return {"sky": list(rows()), "haze": list(hazes()), "hazy": hazy}


if __name__ == "__main__":
    text = json.dumps(compute(), separators=(",", ":")).replace("]],[[", "]],\n[[")
    import re

    STORED.write_text(re.sub(r"-?\d+\.\d+(e-?\d+)?", lambda m: f"{float(m[0]):.5g}", text) + "\n")
