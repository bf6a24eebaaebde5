"""Reflection in float64: Lambert and GGX as the renderer's materials define them, under a sun or a whole sky."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from truth.skies import hemisphere

Array = NDArray[np.float64]


def normalize(v: Array) -> Array:
    """Unit vectors along the last axis."""
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def directional_albedo(cosine: float, roughness: float, count: int = 240) -> tuple[float, float]:
    """Scale and bias of GGX's directional albedo by F0, by quadrature over the microfacets' normals.

    Normals are drawn by D cos (Walter et al. 2007, eq. 35), which leaves F G2 v.h / (n.v n.h); Gauss-Legendre in the
    radial dimension, crowded towards the distribution's tail, and the midpoint rule around.
    """
    alpha = max(roughness * roughness, 1e-3)
    x, weight = np.polynomial.legendre.leggauss(count)
    rest = (1 - (x + 1) / 2)[:, None]  # 1 - u is its cube
    weight = weight[:, None] / 2 * 3 * rest**2
    tangent = alpha * np.sqrt((1 - rest**3) / rest**3)
    nh = 1 / np.sqrt(1 + tangent**2)
    azimuth = (np.arange(count) + 0.5) * np.pi / count
    vh = nh * (tangent * np.cos(azimuth) * np.sqrt(1 - cosine * cosine) + cosine)
    nl = 2 * vh * nh - cosine
    lit = (vh > 0) & (nl > 0)
    nl = np.where(lit, nl, 1.0)
    g2 = (
        2
        * cosine
        * nl
        / (nl * np.hypot(alpha, np.sqrt(1 - alpha**2) * cosine) + cosine * np.hypot(alpha, np.sqrt(1 - alpha**2) * nl))
    )
    part = np.where(lit, weight * g2 * vh / (cosine * nh), 0.0) / count
    schlick = np.clip(1 - vh, 0, 1) ** 5
    return float((part * (1 - schlick)).sum()), float((part * schlick).sum())


def brdf(n: Array, v: Array, light: Array, albedo: Array, roughness: float, metallic: float, specular: float) -> Array:
    """The BRDF, without the cosine; (..., 3).

    GGX distribution with alpha = roughness^2 (Walter et al. 2007; Burley 2012), height-correlated Smith masking
    (Heitz 2014, eq. 99) and Schlick's Fresnel up to F90 = 1; times 1 + F0 (1 - E) / E, E being the albedo of GGX at
    F0 = 1 (Turquin 2019). A dielectric has F0 = 0.08 specular over a Lambert base times 1 less the interface's albedo,
    a metal F0 = albedo; they are mixed by metallic. A dielectric with specular 0 is Lambert alone.

    Args:
        n: (3,) unit normal.
        v: (3,) unit vector to the viewer.
        light: (..., 3) unit vectors to the light.
        albedo: (3,) linear.
        roughness: 0 to 1.
        metallic: 0 to 1.
        specular: 0 to 1.
    """
    alpha = max(roughness * roughness, 1e-3)
    h = normalize(v + light)
    nv, nl, nh, vh = (np.maximum((a * b).sum(-1, keepdims=True), 1e-9) for a, b in ((n, v), (n, light), (n, h), (v, h)))
    distribution = alpha**2 / (np.pi * (nh**2 * (alpha**2 - 1) + 1) ** 2)
    smith = 0.5 / (nl * np.sqrt(nv**2 * (1 - alpha**2) + alpha**2) + nv * np.sqrt(nl**2 * (1 - alpha**2) + alpha**2))
    scale, bias = directional_albedo(float(nv[0]), roughness)
    whole = scale + bias
    schlick = (1 - vh) ** 5

    def interface(f0: Array) -> tuple[Array, Array]:
        """Its BRDF and its albedo."""
        gain = 1 + f0 * (1 - whole) / whole
        return gain * (f0 + (1 - f0) * schlick) * distribution * smith, gain * (f0 * scale + bias)

    metal, _ = interface(albedo)
    shine, share = interface(np.full(3, 0.08 * specular)) if specular > 0 else (np.zeros(3), np.zeros(3))
    return (1 - metallic) * (albedo / np.pi * (1 - share) + shine) + metallic * metal


def reflected(
    n: Array,
    v: Array,
    sky: Callable[[Array], Array],
    albedo: Array,
    roughness: float,
    metallic: float,
    specular: float,
    count: int = 200_000,
) -> Array:
    """(3,) radiance towards v of an open surface under `sky`, a function of (m, 3) directions to (m, 3) radiance."""
    directions = hemisphere(n, count)
    return np.pi * (brdf(n, v, directions, albedo, roughness, metallic, specular) * sky(directions)).mean(0)


def sun_direction(azimuth: float, elevation: float) -> Array:
    """(3,) to the sun: azimuth clockwise from north (y), degrees."""
    a, e = np.radians([azimuth, elevation])
    return np.array([np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)])
