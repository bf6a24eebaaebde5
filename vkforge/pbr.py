"""How materials reflect, in float64: the NumPy twin of shaders/glsl/include/brdf.glsl, for arrays of directions.

A dielectric is an interface with F0 = 0.08 specular (Burley 2012, "Physically-Based Shading at Disney") over a Lambert
base, which gets what the interface lets through; a metal is an interface with F0 = base color; metallic mixes the two.
An interface is GGX with alpha = roughness^2, height-correlated Smith masking (Heitz 2014, "Understanding the
Masking-Shadowing Function in Microfacet-Based BRDFs") and Schlick's Fresnel (1994). The light that single scattering
loses between microfacets comes back by the factor 1 + F0 (1 - E) / E, E being the directional albedo at F0 = 1 (Turquin
2019, "Practical multiple scattering compensation for microfacet models"): a white surface reflects all it receives.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vkforge.errors import InputError
from vkforge.scene.checks import show

# Those of include/ggx.glsl, which says why.
SMOOTHEST = 1.0e-3
GRAZING = 1.0e-4

# The table of directional albedos, and its quadrature, are those of shaders/glsl/materials/split_sum.comp.
TABLE_SIZE = 64
_AZIMUTHS, _ROWS = 16, 32

Array = NDArray[np.float64]


def evaluate_brdf(
    normal: ArrayLike,
    view: ArrayLike,
    light: ArrayLike,
    base_color: ArrayLike,
    roughness: ArrayLike,
    metallic: ArrayLike,
    specular: ArrayLike = 0.5,
) -> Array:
    """Return the BRDF that the renderer shades with, per steradian and without the cosine of the light.

    All arguments broadcast over their leading axes. The BRDF is energy-conserving but, as Turquin's compensation
    depends on the view alone, not reciprocal.

    Args:
        normal: (..., 3) shading normals, of any length but zero, as all directions here.
        view: (..., 3) directions to the viewer.
        light: (..., 3) directions to the light.
        base_color: (..., 3) linear RGB in [0, 1]: the terrain's albedo; or one grey number.
        roughness: (...) 0 to 1, perceptual; below 0.032 it counts as that, a mirror for all that is ever seen.
        metallic: (...) 0 to 1.
        specular: (...) 0 to 1; a dielectric reflects 0.08 of this at normal incidence, and at 0 has no interface.

    Returns:
        (..., 3) float64; 0 where light or view lies below the surface. Shaders, where a shading normal may turn away
        from a viewer who sees the surface all the same, take such a view as grazing.

    Raises:
        InputError: Shapes that do not fit, zero or non-finite directions, or values outside [0, 1].
    """
    n, v, to_light = _directions("normal", normal), _directions("view", view), _directions("light", light)
    color = _shares("base_color", base_color)
    if color.ndim and color.shape[-1] != 3:
        raise InputError(f"base_color has shape {color.shape}; wanted (..., 3) or one number")
    named = {"roughness": roughness, "metallic": metallic, "specular": specular}
    scalars = {name: _shares(name, value)[..., None] for name, value in named.items()}
    try:
        shape = np.broadcast_shapes(n.shape, v.shape, to_light.shape, color.shape, *(x.shape for x in scalars.values()))
    except ValueError:
        raise InputError(
            f"the arguments do not broadcast: normal {n.shape}, view {v.shape}, light {to_light.shape}, base_color "
            f"{color.shape}, " + ", ".join(f"{name} {x.shape[:-1]}" for name, x in scalars.items())
        ) from None
    rough, metal, interface = scalars.values()
    cos_v, cos_l = _dot(n, v), _dot(n, to_light)
    seen = (cos_v > 0) & (cos_l > 0)
    cos_v, cos_l = np.maximum(cos_v, GRAZING), np.where(seen, cos_l, 1.0)

    albedo = _interpolate(_table(), cos_v[..., 0], rough[..., 0])
    single = albedo.sum(-1, keepdims=True)
    lost = (1 - single) / single
    low, high = 0.08 * interface, np.where(interface > 0, 1.0, 0.0)
    gain = 1 + low * lost
    kept = gain * (low * albedo[..., :1] + high * albedo[..., 1:])
    diffuse = (1 - metal) * (1 - kept) * color / np.pi
    f0 = (1 - metal) * gain * low + metal * (1 + color * lost) * color
    f90 = (1 - metal) * gain * high + metal * (1 + color * lost)

    half = np.where(seen, v + to_light, n)
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    alpha = _alpha(rough)
    fresnel = f0 + (f90 - f0) * (1 - np.clip(_dot(v, half), 0, 1)) ** 5
    facets = _distribution(n, half, alpha) * _visibility(cos_v, cos_l, alpha)
    return np.broadcast_to(np.where(seen, diffuse + fresnel * facets, 0.0), (*shape[:-1], 3)).copy()


def split_sum(mu: ArrayLike, roughness: ArrayLike) -> Array:
    """Return scale and bias of GGX's directional albedo by F0 (Karis 2013, "Real Shading in Unreal Engine 4").

    They come from the table that a GPU computes for the renderer's shaders, interpolated as these do; the device is the
    one that `vkforge.render` uses, and the table is read once. Multiple scattering is not in it: 1 - scale - bias is
    what it would add.

    Args:
        mu: (...) cosines between normal and view, 0 to 1.
        roughness: (...) 0 to 1, perceptual.

    Returns:
        (..., 2) float64: an interface with reflectance F0 at normal incidence reflects scale * F0 + bias of uniform
        light.

    Raises:
        InputError: Values outside [0, 1], or shapes that do not broadcast.
        DeviceError: Vulkan or the device is missing or fails.
    """
    cosines, rough = _shares("mu", mu), _shares("roughness", roughness)
    try:
        cosines, rough = np.broadcast_arrays(cosines, rough)
    except ValueError:
        raise InputError(f"mu {cosines.shape} and roughness {rough.shape} do not broadcast") from None
    return _interpolate(_device_table(), cosines, rough)


@cache
def _device_table() -> Array:
    from vkforge.oneliner import kept_renderer

    return kept_renderer("auto").split_sum().astype(np.float64)


@cache
def _table() -> Array:
    """Return (TABLE_SIZE, TABLE_SIZE, 2): scale and bias, by roughness and by the square root of the view's cosine.

    The integral over light is one over visible normals (Dupuy and Benyoub 2023, "Sampling Visible GGX Normals with
    Spherical Caps"), where what is left to sum is Fresnel times G2 / G1.
    """
    nodes = np.linspace(0.0, 1.0, TABLE_SIZE)
    cos_v = np.maximum(nodes**2, GRAZING)[:, None, None]
    sin_v = np.sqrt(1 - cos_v**2)
    phi = np.pi * (np.arange(_AZIMUTHS) + 0.5) / _AZIMUTHS
    s = 1 - (np.arange(_ROWS)[:, None] + 0.5) / _ROWS  # rows crowd, as 1 - s^2, where a smooth surface's tail is
    rows = []
    for rough in nodes:
        alpha = _alpha(rough)
        stretched = np.hypot(alpha * sin_v, cos_v)
        z = s * s * (1 + cos_v / stretched) - cos_v / stretched
        sine = np.sqrt(np.clip(1 - z * z, 0, 1))
        x = alpha * (sine * np.cos(phi) + alpha * sin_v / stretched)
        y, z = alpha * sine * np.sin(phi), z + cos_v / stretched
        length = np.sqrt(x * x + y * y + z * z)
        cos_vh = (sin_v * x + cos_v * z) / length
        cos_l = 2 * cos_vh * z / length - cos_v
        lit = cos_l > 0
        masked = 1 + _lambda(cos_v, alpha)
        weight = np.where(lit, 2 * s * masked / (masked + _lambda(np.where(lit, cos_l, 1.0), alpha)), 0.0)
        fresnel = (1 - np.clip(cos_vh, 0, 1)) ** 5
        rows.append(np.stack([(weight * (1 - fresnel)).mean((1, 2)), (weight * fresnel).mean((1, 2))], -1))
    return np.stack(rows)


def _interpolate(table: Array, cos_v: Array, roughness: Array) -> Array:
    """Return (..., 2) entries of a table, bilinear between its nodes."""
    last = TABLE_SIZE - 1
    column, row = np.clip(np.sqrt(cos_v), 0, 1) * last, roughness * last
    i, j = np.minimum(row.astype(np.intp), last - 1), np.minimum(column.astype(np.intp), last - 1)
    u, v = (column - j)[..., None], (row - i)[..., None]
    low = table[i, j] * (1 - u) + table[i, j + 1] * u
    high = table[i + 1, j] * (1 - u) + table[i + 1, j + 1] * u
    return low * (1 - v) + high * v


def _alpha(roughness: Any) -> Any:
    return np.maximum(roughness * roughness, SMOOTHEST)


def _distribution(n: Array, h: Array, alpha: Array) -> Array:
    across = np.cross(n, h)  # for the sine: 1 - cos^2 would lose the digits of a smooth surface's lobe
    return alpha**2 / (np.pi * (_dot(across, across) + alpha**2 * _dot(n, h) ** 2) ** 2)


def _visibility(cos_v: Array, cos_l: Array, alpha: Array) -> Array:
    """Smith's masking and shadowing over 4 cos_v cos_l."""
    a2 = alpha**2
    return 0.5 / (cos_l * np.sqrt(a2 + (1 - a2) * cos_v**2) + cos_v * np.sqrt(a2 + (1 - a2) * cos_l**2))


def _lambda(cos_n: Array, alpha: Array) -> Array:
    c2 = np.maximum(cos_n * cos_n, 1e-18)
    return 0.5 * (np.sqrt(1 + alpha**2 * (1 - c2) / c2) - 1)


def _dot(a: Array, b: Array) -> Array:
    return (a * b).sum(-1, keepdims=True)


def _directions(name: str, given: ArrayLike) -> Array:
    array = _numbers(name, given)
    if array.ndim == 0 or array.shape[-1] != 3:
        raise InputError(f"{name} has shape {array.shape}; wanted (..., 3)")
    lengths = np.linalg.norm(array, axis=-1, keepdims=True)
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise InputError(f"{name} holds a zero or non-finite vector; wanted directions of any length but zero")
    return array / lengths


def _shares(name: str, given: ArrayLike) -> Array:
    array = _numbers(name, given)
    if not ((array >= 0) & (array <= 1)).all():  # NaN fails too
        raise InputError(f"{name} runs from {array.min():g} to {array.max():g}; wanted values in [0, 1]")
    return array


def _numbers(name: str, given: ArrayLike) -> Array:
    try:
        array = np.asarray(given)
    except ValueError:
        raise InputError(f"{name} is {show(given)}; wanted an array of numbers") from None
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} is {show(given)}; wanted real numbers")
    return array.astype(np.float64)
