"""Light by name: sun, sky, fog and background, each the other half of a look of the same name (`Settings.preset`).

Suns are as strong as it takes for a picture at exposure 0, whatever the hour, so that all of it can be changed by hand
from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from vkforge.scene.camera import Camera
from vkforge.scene.fog import Fog
from vkforge.scene.sky import Sky
from vkforge.scene.sun import Sun
from vkforge.scene.terrain import Terrain
from vkforge.scene.veil import air

Light = dict[str, Any]

# What ground that has no colour of its own looks like in a preset.
TINTS: dict[str, dict[str, Any]] = {
    "studio-relief": {"cmap": "vkforge.plaster", "skirt_color": (0.72, 0.71, 0.69)},
    "swiss": {"cmap": "vkforge.swiss"},
}
_LAYERS = 24  # of haze, from the lowest ground to the highest


def _daylight(terrain: Terrain, camera: Camera) -> Light:
    return {
        "sun": Sun(azimuth=315.0, elevation=46.0, irradiance=4.6),
        "sky": Sky(turbidity=1.5, ground_albedo=0.6, aerial_perspective=air(camera)),
        "background": "#eef1f3",
        "fog": None,
    }


def _golden_hour(terrain: Terrain, camera: Camera) -> Light:
    return {
        "sun": Sun(azimuth=290.0, elevation=10.0, irradiance=16.0, angular_diameter=1.0),
        "sky": Sky(turbidity=2.2, ground_albedo=0.5, aerial_perspective=air(camera, 9_000.0)),
        "background": "#ffeed8",
        "fog": None,
    }


def _overcast(terrain: Terrain, camera: Camera) -> Light:
    # The CIE standard overcast sky (Moon and Spencer 1942): three times as bright at the zenith as at the horizon.
    return {
        "sun": None,
        "sky": Sky.gradient(zenith=(1.12, 1.17, 1.23), horizon=(0.373, 0.39, 0.41), ground=0.3),
        "background": "#e4e7e9",
        "fog": _haze(terrain, camera, 0.12, (0.95, 1.0, 1.05)),
    }


def _blue_hour(terrain: Terrain, camera: Camera) -> Light:
    return {
        "sun": Sun(azimuth=295.0, elevation=-5.5, irradiance=9500.0),
        "sky": Sky(turbidity=1.2, ground_albedo=0.5, aerial_perspective=air(camera, 9_000.0)),
        "background": "#6c567c",
        "fog": None,
    }


def _studio(terrain: Terrain, camera: Camera) -> Light:
    return {
        "sun": Sun(azimuth=315.0, elevation=45.0, irradiance=1.75, angular_diameter=30.0),
        "sky": Sky.gradient(zenith=0.42, horizon=0.36, ground=0.4),
        "background": "white",
        "fog": None,
    }


def _swiss(terrain: Terrain, camera: Camera) -> Light:
    return {
        "sun": Sun(azimuth=315.0, elevation=36.0, irradiance=(3.6, 3.3, 2.75), angular_diameter=4.0),
        "sky": Sky.gradient(zenith=(0.25, 0.30, 0.45), horizon=(0.32, 0.36, 0.47), ground=(0.45, 0.44, 0.42)),
        "background": "#f8f5ec",
        "fog": _haze(terrain, camera, 0.22, (0.85, 1.0, 1.2)),
    }


def _haze(terrain: Terrain, camera: Camera, depth: float, color: tuple[float, float, float]) -> Fog:
    """Return haze over the terrain, and nowhere else, that lies in its lowlands and leaves its summits alone.

    `depth` is the optical depth from the lowest ground up, along the camera's direction.
    """
    low, high = (height * terrain.vertical_exaggeration for height in (terrain.min_height, terrain.max_height))
    thickness = max(high - low, 1.0)
    down = abs(camera.position[2] - camera.target[2]) / max(math.dist(camera.position, camera.target), 1e-6)
    profile = np.exp(-np.linspace(0.0, 4.0, _LAYERS))
    density = depth * max(down, 0.1) / (thickness * float(profile.mean()))
    x0, x1, y0, y1 = terrain.extent
    red, green, blue = (density * part for part in color)
    bounds = (x0, x1, y0, y1, low, low + thickness)
    return Fog((red, green, blue), density=profile.reshape(-1, 1, 1), bounds=bounds)


LIGHTS: dict[str, Callable[[Terrain, Camera], Light]] = {
    "daylight": _daylight,
    "golden-hour": _golden_hour,
    "overcast": _overcast,
    "blue-hour": _blue_hour,
    "studio-relief": _studio,
    "swiss": _swiss,
}
