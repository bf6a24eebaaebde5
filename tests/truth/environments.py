"""Environment maps in float64: what comes from a direction, and what planes and rough mirrors make of it all."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def directions(height: int) -> tuple[Array, Array]:
    """Return unit directions (h, 2 h, 3) of the cells of an equirectangular grid, and their solid angles (h, 1).

    Row 0 is the zenith, the middle column is north, columns go clockwise.
    """
    bearing = (2 * np.pi * ((np.arange(2 * height) + 0.5) / (2 * height) - 0.5))[None, :]
    edges = np.linspace(0.0, np.pi, height + 1)
    zenith = ((edges[:-1] + edges[1:]) / 2)[:, None]
    x, y = np.sin(zenith) * np.sin(bearing), np.sin(zenith) * np.cos(bearing)
    z = np.broadcast_to(np.cos(zenith), x.shape)
    return np.stack([x, y, z], axis=-1), ((np.cos(edges[:-1]) - np.cos(edges[1:])) * np.pi / height)[:, None]


def radiance(texels: Array, towards: Array, rotation: float = 0.0) -> Array:
    """Return the bilinear map's radiance (n, 3) from directions (n, 3); `rotation` in degrees clockwise."""
    height, width = texels.shape[:2]
    bearing = np.arctan2(towards[:, 0], towards[:, 1]) - np.radians(rotation)
    column = (bearing / (2 * np.pi) + 0.5) * width - 0.5
    row = np.arctan2(np.hypot(towards[:, 0], towards[:, 1]), towards[:, 2]) / np.pi * height - 0.5
    left, top = np.floor(column).astype(int), np.floor(row).astype(int)
    across, down = (column - left)[:, None], (row - top)[:, None]

    def texel(j: NDArray[np.int_], i: NDArray[np.int_]) -> Array:
        over_a_pole = (i < 0) | (i >= height)
        i = np.where(i < 0, -1 - i, np.where(i >= height, 2 * height - 1 - i, i))
        return texels[i, (j + np.where(over_a_pole, width // 2, 0)) % width]

    upper = (1 - across) * texel(left, top) + across * texel(left + 1, top)
    lower = (1 - across) * texel(left, top + 1) + across * texel(left + 1, top + 1)
    return (1 - down) * upper + down * lower


def prefiltered(texels: Array, axes: Array, roughness: float, height: int = 512) -> Array:
    """Return (n, 3): the mean radiance about each axis weighted by D(h) n.l, with n = v = axis and alpha = roughness^2.

    By the midpoint rule over `height` rows of directions.
    """
    towards, solid_angle = directions(height)
    flat = towards.reshape(-1, 3)
    light = radiance(texels, flat)
    per_direction = np.broadcast_to(solid_angle, towards.shape[:2]).reshape(-1)
    results = []
    for axis in axes:
        cosine = flat @ axis
        half = np.sqrt(np.maximum(0.0, (1 + cosine) / 2))
        distribution = 1.0 / (half**2 * (roughness**4 - 1) + 1) ** 2
        weight = distribution * np.maximum(0.0, cosine) * per_direction
        results.append(weight @ light / weight.sum())
    return np.array(results)


def lobe_about(cosine: Array, roughness: float) -> Array:
    """Return D(h) n.l with n = v at the angle of this cosine from l, up to the factor that its integral be 1."""
    alpha2 = roughness**4
    rest = 1.0 - alpha2
    t = (1.0 - cosine) / 2  # sin^2 of half the angle; D is 1 / (alpha2 + rest t)^2, and the sphere's measure 4 pi dt
    last = alpha2 + rest / 2  # where n.l is 0
    flux = 4 * np.pi * (((1 + 2 * alpha2 / rest) * (1 / alpha2 - 1 / last) - 2 * np.log(last / alpha2) / rest) / rest)
    return np.maximum(cosine, 0.0) / (alpha2 + rest * t) ** 2 / flux


def lone_texel(axes: Array, roughness: float, height: int, row: int, column: int, points: int = 384) -> Array:
    """Return (n,): `prefiltered` of a map of nothing but one texel of 1, by the midpoint rule over all its light."""
    across = (np.arange(2 * points) + 0.5) / points - 1
    zenith = ((row + 0.5 + across) * np.pi / height)[:, None]
    bearing = ((column + 0.5 + across) * np.pi / height - np.pi)[None, :]
    towards = [np.sin(zenith) * np.sin(bearing), np.sin(zenith) * np.cos(bearing), np.cos(zenith) + 0 * bearing]
    towards = np.stack(towards, axis=-1)
    hat = 1 - np.abs(across)
    light = hat[:, None] * hat * np.sin(zenith) * (np.pi / height / points) ** 2
    # By the chord: the cosine itself would lose the digits of a narrow lobe.
    cosines = (1 - ((towards - axis) ** 2).sum(-1) / 2 for axis in axes)
    return np.array([(light * lobe_about(cosine, roughness)).sum() for cosine in cosines])


def irradiance(texels: Array, normals: Array, height: int = 512) -> Array:
    """Return (n, 3): the integral of the radiance by the cosine, by the midpoint rule over `height` rows."""
    towards, solid_angle = directions(height)
    flat = towards.reshape(-1, 3)
    light = radiance(texels, flat) * np.broadcast_to(solid_angle, towards.shape[:2]).reshape(-1, 1)
    return np.array([np.maximum(0.0, flat @ normal) @ light for normal in normals])
