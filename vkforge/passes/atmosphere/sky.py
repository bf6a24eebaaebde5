"""What include/sky.glsl is given: which kind of sky a scene has, and its bindings."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from vkforge.graph.builder import Graph, ImageResource
from vkforge.passes.atmosphere.tables import DeviceSky, ground_altitude
from vkforge.passes.lighting.environment import DeviceEnvironment, import_environment
from vkforge.scene.checks import Vector
from vkforge.scene.scene import Scene
from vkforge.scene.sky import GradientSky, Sky

GRADIENT, PHYSICAL, ENVIRONMENT = 0, 1, 2  # SKY_KIND


def sky_kind(sky: Any) -> int:
    """Return the SKY_KIND of a scene's sky; no sky is a gradient of nothing."""
    if sky is None or isinstance(sky, GradientSky):
        return GRADIENT
    return PHYSICAL if isinstance(sky, Sky) else ENVIRONMENT


def import_sky(
    graph: Graph, sky: DeviceSky | None, environment: DeviceEnvironment | None, instead: ImageResource
) -> dict[str, Any]:
    """Bring the sky into a graph; return the bindings that include/sky.glsl wants, beside the frame.

    Where there are no tables an empty block stands for the air, and `instead`, any image that is sampled, for them and
    for the map where there is none; nothing reads them.
    """
    bindings: dict[str, Any] = {name: graph.resources.get(name, instead) for name in ("optical_depths", "sky_view")}
    if "atmosphere" in graph.resources:  # brought in before
        bindings["atmosphere"] = graph.resources["atmosphere"]
    elif sky is None:
        bindings["atmosphere"] = graph.block("atmosphere")
    else:
        bindings = sky.bindings(graph)
    return {**bindings, **import_environment(graph, environment, instead)}


def sun_on_the_ground(scene: Scene) -> Vector:
    """Return the sun's irradiance where the terrain is: what is left of it there under a physical sky."""
    sun, sky = scene.sun, scene.sky
    if sun is None:
        return (0.0, 0.0, 0.0)
    if not isinstance(sky, Sky):
        return sun.irradiance
    left = transmittance_to_space(sky, ground_altitude(scene), sun.direction[2])
    red, green, blue = (light * share for light, share in zip(sun.irradiance, left, strict=True))
    return red, green, blue


@lru_cache(maxsize=64)
def transmittance_to_space(sky: Sky, altitude: float, cosine: float) -> Vector:
    """Return the share of light that comes through the air, in float64 by Gauss-Legendre quadrature.

    Args:
        sky: The air.
        altitude: Metres above the ground: inside the air, or above it, from where a ray may go down through it again.
        cosine: Of the angle with the vertical; what lies below the horizon counts as at it.
    """
    radius = sky.ground_radius + altitude
    horizon = -np.sqrt(altitude * (2.0 * sky.ground_radius + altitude)) / radius
    slope = radius * max(cosine, horizon)
    over = altitude - (sky.top_radius - sky.ground_radius)
    square = slope * slope - over * (radius + sky.top_radius)  # half of the way through the air, squared
    if over >= 0.0:
        if slope >= 0.0 or square <= 0.0:
            return (1.0, 1.0, 1.0)
        radius, slope = sky.top_radius, -np.sqrt(square)  # from where the ray enters
    reach = np.sqrt(square) - slope
    u, weight = _panels(12)
    t, step = reach * u * u, 2.0 * weight * reach * u  # dense where the air is: t = reach u^2
    h = np.maximum(np.sqrt(radius * radius + t * t + 2.0 * t * slope) - sky.ground_radius, 0.0)
    rayleigh = (step * np.exp(-h / sky.rayleigh_scale_height)).sum()
    mie = (step * np.exp(-h / sky.mie_scale_height)).sum() * sky.aerosols
    ozone = (step * np.maximum(0.0, 1.0 - np.abs(h - sky.ozone_altitude) / sky.ozone_half_width)).sum()
    depth = (
        np.multiply(sky.rayleigh_scattering, rayleigh)
        + np.multiply(sky.mie_extinction, mie)
        + np.multiply(sky.ozone_absorption, ozone)
    )
    red, green, blue = np.exp(-depth).tolist()
    return red, green, blue


@lru_cache
def _panels(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the points and weights of Gauss-Legendre quadrature in each of `count` equal parts of 0 to 1.

    8 points a part: finding many more takes linear algebra that starts threads.
    """
    node, weight = np.polynomial.legendre.leggauss(8)
    points = (np.arange(count)[:, None] + (node + 1.0) / 2.0) / count
    return points.ravel(), np.tile(weight / (2.0 * count), count)
