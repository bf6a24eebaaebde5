"""The sun: a distant disc of constant radiance."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vkforge.scene.checks import Light, Vector, light, number


@dataclass(frozen=True, init=False)
class Sun:
    """Direct light from one direction.

    Attributes:
        azimuth: compass bearing of the sun in degrees, clockwise from north (the default, 315, is the north-west, where
            cartographers put it).
        elevation: degrees above the horizon, -90 to 90. Below 0 is night: the sun gives no light.
        irradiance: linear RGB on a plane that faces the sun, W/m2 in any consistent unit; one number means grey.
        angular_diameter: degrees across the disc, 0 to 90. 0 gives hard shadows; the real sun's is 0.53.

    Raises:
        InputError: a value out of its range, NaN or not a number.
    """

    azimuth: float
    elevation: float
    irradiance: Vector
    angular_diameter: float

    def __init__(
        self,
        azimuth: float = 315.0,
        elevation: float = 40.0,
        irradiance: Light = (3.0, 3.0, 3.0),
        angular_diameter: float = 0.53,
    ) -> None:
        put = object.__setattr__
        put(self, "azimuth", number("Sun azimuth (degrees)", azimuth))
        put(self, "elevation", number("Sun elevation (degrees)", elevation, -90.0, 90.0))
        put(self, "irradiance", light("Sun irradiance", irradiance))
        put(self, "angular_diameter", number("Sun angular_diameter (degrees)", angular_diameter, 0.0, 90.0))

    @property
    def direction(self) -> Vector:
        """Unit vector (x east, y north, z up) from the ground to the centre of the sun."""
        azimuth, elevation = math.radians(self.azimuth), math.radians(self.elevation)
        return (
            math.cos(elevation) * math.sin(azimuth),
            math.cos(elevation) * math.cos(azimuth),
            math.sin(elevation),
        )
