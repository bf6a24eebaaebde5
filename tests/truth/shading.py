"""Reflection in float64: Lambert and GGX as the renderer's materials define them, under a sun or a whole sky."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from truth.skies import hemisphere

Array = NDArray[np.float64]


def normalize(v: Array) -> Array:
    """Unit vectors along the last axis."""
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def brdf(n: Array, v: Array, light: Array, albedo: Array, roughness: float, metallic: float, specular: float) -> Array:
    """The BRDF, without the cosine; (..., 3).

    GGX distribution with alpha = roughness^2 (Walter et al. 2007; Burley 2012), height-correlated Smith masking
    (Heitz 2014, eq. 99), Schlick's Fresnel with F0 = lerp(0.08 specular, albedo, metallic) and F90 = min(50 max(F0),
    1), over a Lambert base weighted by (1 - metallic)(1 - F). With specular 0 and metallic 0 it is Lambert alone.

    Args:
        n: (..., 3) unit normals.
        v: (..., 3) unit vectors to the viewer.
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
    f0 = 0.08 * specular * (1 - metallic) + albedo * metallic
    fresnel = f0 + (np.minimum(50 * f0.max(), 1) - f0) * (1 - vh) ** 5
    return (1 - metallic) * albedo / np.pi * (1 - fresnel) + distribution * smith * fresnel


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
