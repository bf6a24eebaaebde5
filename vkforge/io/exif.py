"""What a photograph's file says about the camera that took it (EXIF 2.32, CIPA DC-008)."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vkforge.errors import InputError
from vkforge.scene.checks import Vector, file_path, show

if TYPE_CHECKING:
    from vkforge.scene.terrain import Terrain

_EXIF, _GPS = 0x8769, 0x8825  # directories
_ORIENTATION, _FOCAL_LENGTH, _FOCAL_LENGTH_35MM = 0x0112, 0x920A, 0xA405
_PIXELS_PER_UNIT_X, _UNIT = 0xA20E, 0xA210
_MILLIMETRES = {2: 25.4, 3: 10.0, 4: 1.0, 5: 1e-3}
_LATITUDE, _LONGITUDE, _ALTITUDE, _BEARING = 2, 4, 6, 17
_FILM_DIAGONAL = math.hypot(36.0, 24.0)  # equivalent focal lengths are by the diagonal (CIPA DCG-001)


@dataclass(frozen=True)
class Photograph:
    """What was found; None where the file does not say.

    Attributes:
        name: The file.
        size: (width, height) in pixels, upright.
        fov_x: Angle of view from left to right in degrees.
        bearing: Compass bearing of the view in degrees.
        place: (longitude, latitude) in degrees, WGS 84.
        altitude: Metres above sea level.
    """

    name: str
    size: tuple[int, int]
    fov_x: float | None
    bearing: float | None
    place: tuple[float, float] | None
    altitude: float | None

    def wanted(self, name: str) -> float:
        """Return `fov_x` or `bearing`.

        Raises:
            InputError: The file does not say.
        """
        value = getattr(self, name)
        if value is None:
            raise InputError(f"{self.name}: its EXIF does not say {name}; give {name}=")
        return value

    def position(self, terrain: Terrain) -> Vector:
        """Return where it was taken, in the world of `terrain`.

        Raises:
            InputError: The file does not say, or the terrain does not know its place on the Earth.
        """
        if self.place is None or self.altitude is None:
            what = "a GPS position" if self.place is None else "a GPS altitude"
            raise InputError(f"{self.name}: its EXIF has not {what}; give position=")
        x, y, z = terrain.to_world((*self.place, self.altitude)).tolist()
        return x, y, z


def read_photograph(path: str | os.PathLike[str]) -> Photograph:
    """Return what the EXIF of a picture says.

    Raises:
        InputError: No picture that Pillow opens.
    """
    from PIL import Image

    name = str(file_path(path))
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            tags = picture.getexif()
            shot, gps = tags.get_ifd(_EXIF), tags.get_ifd(_GPS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{show(name)}: no picture that Pillow opens ({' '.join(str(error).split())})") from error
    fov_x = _fov_x(shot, width, height)
    if tags.get(_ORIENTATION, 1) in (5, 6, 7, 8):  # stored on its side
        if fov_x is not None:
            fov_x = _degrees(math.tan(math.radians(fov_x) / 2.0) * height / width)
        width, height = height, width
    latitude, longitude = _angle(gps, _LATITUDE, "S"), _angle(gps, _LONGITUDE, "W")
    place = None if latitude is None or longitude is None else (longitude, latitude)
    altitude = _number(gps.get(_ALTITUDE))
    if altitude is not None and gps.get(_ALTITUDE - 1) in (1, b"\x01"):  # below sea level
        altitude = -altitude
    return Photograph(name, (width, height), fov_x, _number(gps.get(_BEARING)), place, altitude)


def _fov_x(shot: Any, width: int, height: int) -> float | None:
    """Return the horizontal angle of view, by the 35 mm equivalent or by the sensor's resolution."""
    equivalent = _number(shot.get(_FOCAL_LENGTH_35MM))
    if equivalent:
        return _degrees(_FILM_DIAGONAL / 2.0 / equivalent * width / math.hypot(width, height))
    focal, resolution = _number(shot.get(_FOCAL_LENGTH)), _number(shot.get(_PIXELS_PER_UNIT_X))
    unit = _MILLIMETRES.get(shot.get(_UNIT, 2))
    if not focal or not resolution or unit is None:
        return None
    return _degrees(width / resolution * unit / 2.0 / focal)


def _degrees(tangent: float) -> float:
    return 2.0 * math.degrees(math.atan(tangent))


def _number(value: Any) -> float | None:
    """Return a rational as a float; None where there is none, or it is 0/0."""
    try:
        found = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return found if math.isfinite(found) else None


def _angle(gps: Any, tag: int, negative: str) -> float | None:
    """Return degrees from degrees, minutes and seconds; the letter before says on which side."""
    try:
        parts = [_number(part) for part in gps[tag]]
    except (KeyError, TypeError):
        return None
    if len(parts) != 3 or any(part is None for part in parts):
        return None
    degrees = sum((part or 0.0) / 60.0**power for power, part in enumerate(parts))
    return -degrees if str(gps.get(tag - 1, "")).startswith(negative) else degrees
