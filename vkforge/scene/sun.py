"""The sun: a distant disc of constant radiance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vkforge.errors import InputError, MissingDependencyError
from vkforge.scene.checks import Light, Vector, light, number, show

if TYPE_CHECKING:
    from vkforge.scene.terrain import Terrain

DEFAULT_IRRADIANCE: Vector = (3.0, 3.0, 3.0)
DEFAULT_DIAMETER = 0.53


@dataclass(frozen=True, init=False)
class Sun:
    """Direct light from one direction.

    Attributes:
        azimuth: compass bearing of the sun in degrees, clockwise from north (the default, 315, is the north-west, where
            cartographers put it).
        elevation: degrees above the horizon, -90 to 90. Below 0 is night: the sun gives no light but to a physical sky.
        irradiance: linear RGB on a plane that faces the sun, W/m2 in any consistent unit; one number means grey. Under
            a physical `Sky` it is the sun's outside of the atmosphere.
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
        irradiance: Light = DEFAULT_IRRADIANCE,
        angular_diameter: float = DEFAULT_DIAMETER,
    ) -> None:
        put = object.__setattr__
        put(self, "azimuth", number("Sun azimuth (degrees)", azimuth))
        put(self, "elevation", number("Sun elevation (degrees)", elevation, -90.0, 90.0))
        put(self, "irradiance", light("Sun irradiance", irradiance))
        put(self, "angular_diameter", number("Sun angular_diameter (degrees)", angular_diameter, 0.0, 90.0))

    @classmethod
    def at(
        cls,
        latitude: float,
        longitude: float,
        when: datetime,
        irradiance: Light = DEFAULT_IRRADIANCE,
        angular_diameter: float = DEFAULT_DIAMETER,
        *,
        terrain: Terrain | None = None,
    ) -> Sun:
        """Return the sun as it stands over a place on the Earth at a time.

        The position is the apparent one: lifted by the refraction of a standard atmosphere (0.5 degrees at the
        horizon), since rays here are straight. The ephemeris is that of the library `astral` (extra `sun`), by the
        solar calculator of the NOAA after Meeus: within 0.02 degrees from 1950 to 2050, and 0.2 at the poles.

        Args:
            latitude: degrees, north positive, -90 to 90.
            longitude: degrees, east positive, -360 to 360; one turned all around is the same place.
            when: a date and time with a time zone.
            irradiance: as the attribute.
            angular_diameter: as the attribute.
            terrain: what it shines on. The world's north is that of the terrain's grid, and a projection turns it from
                the true north that the sun keeps to, by 2 degrees at the border of a UTM zone at a latitude of 45. None
                takes the two for one, as a terrain with no CRS does.

        Raises:
            InputError: a value out of its range, a time that does not say its time zone, or no terrain, or one of
                another body than the Earth.
            MissingDependencyError: `astral` is not installed, or pyproj, which a terrain with a CRS wants.
        """
        north = number("Sun latitude (degrees)", latitude, -90.0, 90.0)
        east = number("Sun longitude (degrees)", longitude, -360.0, 360.0)
        east -= 360.0 * round(east / 360.0)
        if not isinstance(when, datetime):
            raise InputError(f"Sun when is {show(when)}; wanted a datetime with a time zone")
        if when.utcoffset() is None:
            raise InputError(
                f"Sun when is {when.isoformat()}, which says no time zone; wanted one, as in "
                "datetime(2026, 6, 21, 5, 30, tzinfo=ZoneInfo('Europe/Zurich'))"
            )
        try:
            from astral import Observer
            from astral.sun import azimuth, elevation
        except ImportError:
            raise MissingDependencyError(
                'Sun.at needs the library astral; install it with: pip install "vkforge-renderer[sun]"'
            ) from None
        observer, moment = Observer(north, east, 0.0), when.astimezone(UTC)
        height = min(elevation(observer, moment, with_refraction=True), 90.0)
        bearing = azimuth(observer, moment)
        if terrain is not None:
            from vkforge.scene.georeferencing import grid_bearing, is_earthly
            from vkforge.scene.terrain import Terrain

            if not isinstance(terrain, Terrain):
                raise InputError(f"Sun terrain is {show(terrain)}; wanted a vkforge.Terrain or None")
            if not is_earthly(terrain):
                raise InputError(
                    "Sun.at knows the sun over the Earth, and this terrain's CRS is on another body; "
                    "give Sun(azimuth=..., elevation=...)"
                )
            bearing = grid_bearing(terrain, bearing, north, east)
        return cls(bearing, height, irradiance, angular_diameter)

    @property
    def direction(self) -> Vector:
        """Unit vector (x east, y north, z up) from the ground to the centre of the sun."""
        azimuth, elevation = math.radians(self.azimuth), math.radians(self.elevation)
        return (
            math.cos(elevation) * math.sin(azimuth),
            math.cos(elevation) * math.cos(azimuth),
            math.sin(elevation),
        )
