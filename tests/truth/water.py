"""Water in float64: Fresnel's equations by angles, light under a calm surface by quadrature, waves as a sum."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def fresnel(angle: ArrayLike, ior: float) -> Array:
    """Return the reflectance for unpolarised light out of the air, at an angle of incidence in radians (over 0)."""
    i = np.maximum(np.asarray(angle, np.float64), 1e-7)
    t = np.arcsin(np.sin(i) / ior)
    s, p = np.sin(i - t) / np.sin(i + t), np.tan(i - t) / np.tan(i + t)
    return (s * s + p * p) / 2


def refracted(angle: ArrayLike, ior: float) -> Array:
    """Return the angle in the water, radians."""
    return np.arcsin(np.sin(np.asarray(angle, np.float64)) / ior)


def sky_on_the_bottom(depth: float, absorption: Array, ior: float) -> Array:
    """Return the irradiance under `depth` metres of calm water, of a sky of radiance 1."""
    x, weight = np.polynomial.legendre.leggauss(400)
    u, weight = (x + 1) / 2, weight / 2
    mu = 1 - u * u  # crowded where the reflectance is steep: at the horizon mu is small
    mu, weight = mu[::-1], (weight * 2 * u)[::-1]
    angle = np.arccos(mu)
    wet = np.cos(refracted(angle, ior))
    left = np.exp(-np.asarray(absorption)[:, None] * depth / wet)
    return 2 * np.pi * ((1 - fresnel(angle, ior)) * mu * weight * left).sum(axis=1)


def sun_on_the_bottom(depth: float, absorption: Array, ior: float, elevation: float) -> Array:
    """Return the irradiance there of a sun of irradiance 1 (on a plane that faces it), `elevation` radians high."""
    angle = np.pi / 2 - elevation
    left = np.exp(-np.asarray(absorption) * depth / np.cos(refracted(angle, ior)))
    return (1 - fresnel(angle, ior)) * np.cos(angle) * left


def returned_to_the_bottom(depth: float, absorption: Array, ior: float) -> Array:
    """Return the share of a Lambert bottom's light that the surface above throws back on it."""
    mu = (np.arange(100_000) + 0.5) / 100_000
    sine = np.sqrt(1 - mu * mu) * ior
    outside = np.arcsin(np.minimum(sine, 1.0))
    reflectance = np.where(sine < 1, fresnel(np.minimum(outside, np.pi / 2 - 1e-9), ior), 1.0)
    left = np.exp(-2 * np.asarray(absorption)[:, None] * depth / mu)
    return (2 * mu * reflectance * left).mean(axis=1)


def seen_from_above(
    depth: float, absorption: Array, ior: float, angle: float, radiosity: Array, sky: float = 1.0
) -> Array:
    """Return the radiance at an angle of incidence: the mirrored sky and a bottom of this radiosity."""
    reflectance = fresnel(angle, ior)
    left = np.exp(-np.asarray(absorption) * depth / np.cos(refracted(angle, ior)))
    return reflectance * sky + (1 - reflectance) / ior**2 * left * radiosity / np.pi


def scattered_sun(
    depth: float, absorption: Array, scattering: Array, ior: float, angle_in: ArrayLike, angle_out: float
) -> Array:
    """Return the radiance under the surface of a sun's light that was scattered once; irradiance 1 that faces it.

    `angle_in` may be an array: the result is then (channels, n).
    """
    angle_in = np.asarray(angle_in, np.float64)
    b = np.asarray(scattering)[:, None]
    c = np.asarray(absorption)[:, None] + b
    sun, eye = np.cos(refracted(angle_in, ior)).reshape(1, -1), np.cos(refracted(angle_out, ior))
    enters = (1 - fresnel(angle_in, ior)) * np.cos(angle_in) / sun
    rate = c * (1 + eye / sun)
    result = b / (4 * np.pi) * enters * (1 - np.exp(-rate * depth / eye)) / rate
    return result if angle_in.ndim else result[:, 0]


def scattered_sky(depth: float, absorption: Array, scattering: Array, ior: float, angle_out: float) -> Array:
    """Return the same for a sky of radiance 1."""
    x, weight = np.polynomial.legendre.leggauss(400)
    u, weight = (x + 1) / 2, weight / 2
    angle = np.arccos(1 - u * u)
    return (
        2 * np.pi * (scattered_sun(depth, absorption, scattering, ior, angle, angle_out) * 2 * u * weight).sum(axis=1)
    )


def wave_normals(waves: Array, x: Array, y: Array) -> Array:
    """Return unit normals (..., 3) of a surface whose slopes are a sum of sines, as `Water.waves` lists them."""
    slope = np.zeros((*x.shape, 2))
    for east, north, steep, phase in waves:
        cycles = east * x + north * y + phase
        slope += (
            steep
            * np.cos(2 * np.pi * (cycles - np.floor(cycles) - 0.5))[..., None]
            * np.array([east, north])
            / np.hypot(east, north)
        )
    normals = np.stack([-slope[..., 0], -slope[..., 1], np.ones(x.shape)], axis=-1)
    return normals / np.linalg.norm(normals, axis=-1, keepdims=True)


def glint(angle_in: float, angle_out: float, alpha: float, ior: float) -> float:
    """Return the radiance of water lit by irradiance 1, rough by GGX, seen in the plane of incidence beyond the normal.

    Light comes from `angle_in` on one side of the normal and leaves at `angle_out` on the other: F times the density of
    the mirrored directions of visible facets, D G1 / (4 cos).
    """
    tilt, half = (angle_out - angle_in) / 2, (angle_in + angle_out) / 2
    d = alpha**2 / (np.pi * (np.cos(tilt) ** 2 * (alpha**2 - 1) + 1) ** 2)
    g1 = 2 / (1 + np.sqrt(1 + (alpha * np.tan(angle_out)) ** 2))
    return float(fresnel(half, ior) * d * g1 / (4 * np.cos(angle_out)))
