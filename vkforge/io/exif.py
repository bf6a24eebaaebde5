"""What a photograph's file says about the camera that took it (EXIF 3.0, CIPA DC-008-2023)."""

from __future__ import annotations

import importlib
import logging
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vkforge.errors import InputError, MissingDependencyError
from vkforge.scene.checks import Vector, file_path, show
from vkforge.scene.georeferencing import grid_bearing

if TYPE_CHECKING:
    from vkforge.scene.terrain import Terrain

logger = logging.getLogger("vkforge")

_EXIF, _GPS = 0x8769, 0x8825  # directories
_ORIENTATION, _FOCAL_LENGTH, _FOCAL_LENGTH_35MM = 0x0112, 0x920A, 0xA405
_PIXELS_PER_UNIT_X, _UNIT = 0xA20E, 0xA210
_WIDTH, _HEIGHT = 0xA002, 0xA003  # as the camera wrote them
_MILLIMETRES = {2: 25.4, 3: 10.0, 4: 1.0, 5: 1e-3}
_LATITUDE, _LONGITUDE, _ALTITUDE, _BEARING = 2, 4, 6, 17
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_BELOW = (1, 3)  # what the altitude's reference says of one below the ellipsoid or the sea
_FILM_DIAGONAL = math.hypot(36.0, 24.0)  # equivalent focal lengths are by the diagonal (CIPA DCG-001)
_MOST = {"latitude": 90.0, "longitude": 180.0}  # degrees
_FARTHEST = 500e3  # metres; from the ground nothing on Earth is seen from farther away
_ALIKE = 0.01  # proportions that differ by more are another frame's, and not rounded


@dataclass(frozen=True)
class Photograph:
    """What was found; None where the file does not say.

    Attributes:
        name: The file.
        size: (width, height) in pixels, upright.
        fov_x: Angle of view from left to right in degrees.
        bearing: Of the view, degrees clockwise from true north.
        place: (longitude, latitude) in degrees, WGS 84.
        altitude: Metres above sea level.
        doubts: Of what it says and can't be used, by name, why.
    """

    name: str
    size: tuple[int, int]
    fov_x: float | None
    bearing: float | None
    place: tuple[float, float] | None
    altitude: float | None
    doubts: Mapping[str, str]

    def wanted(self, name: str) -> float:
        """Return `fov_x` or `bearing`.

        Raises:
            InputError: The file does not say, or not in a way that can be used.
        """
        value = getattr(self, name)
        if value is None:
            raise InputError(f"{self.name}: {self.doubts.get(name, f'its EXIF does not say {name}')}; give {name}=")
        return value

    def heading(self, terrain: Terrain, eye: Vector) -> float:
        """Return the bearing of the view in the world of `terrain`, from the north of its grid.

        Args:
            terrain: The ground; of one with no CRS, grid north is all the north there is.
            eye: Where it was taken, world metres.

        Raises:
            InputError: See `wanted`.
        """
        bearing = self.wanted("bearing")
        if terrain.transform is None or terrain.crs is None:
            return bearing
        longitude, latitude, _ = terrain.to_geographic(eye).tolist()
        return grid_bearing(terrain, bearing, latitude, longitude)

    def position(self, terrain: Terrain) -> Vector:
        """Return where it was taken, in the world of `terrain`.

        A place that is farther outside of the terrain than that is long is logged as a warning.

        Raises:
            InputError: The file does not say, or a place so far away that nothing of the terrain is seen from there;
                or the terrain does not know its place on the Earth.
        """
        if self.place is None or self.altitude is None:
            what = "a GPS position" if self.place is None else "a GPS altitude"
            raise InputError(f"{self.name}: {self.doubts.get('place', f'its EXIF has not {what}')}; give position=")
        x, y, z = terrain.to_world((*self.place, self.altitude)).tolist()
        _, xmax, _, ymax = terrain.extent
        outside = math.hypot(max(abs(x) - xmax, 0.0), max(abs(y) - ymax, 0.0))
        longitude, latitude = self.place
        where = f"{self.name}: its EXIF says latitude {latitude:.6g}, longitude {longitude:.6g}"
        if not outside <= _FARTHEST:  # nor is NaN, of a place that the terrain's CRS does not reach
            away = f"{outside / 1000.0:.0f} km outside of the terrain" if math.isfinite(outside) else "not in its CRS"
            raise InputError(f"{where}, which is {away}; open the DEM of that place, or give position=")
        if outside > 2.0 * max(xmax, ymax):
            logger.warning("%s, which is %.3g km outside of the terrain", where, outside / 1000.0)
        return x, y, z


def read_photograph(path: str | os.PathLike[str]) -> Photograph:
    """Return what the EXIF of a picture says.

    Raises:
        InputError: No picture that Pillow opens.
        MissingDependencyError: A HEIF file, as iPhones write, and neither pi-heif nor pillow-heif is installed.
    """
    from PIL import Image

    name = str(file_path(path))
    try:
        _prepare_heif(name)
        with Image.open(path) as picture:
            width, height = picture.size
            tags = picture.getexif()
            shot, gps = tags.get_ifd(_EXIF), tags.get_ifd(_GPS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{show(name)}: no picture that Pillow opens ({' '.join(str(error).split())})") from error
    if tags.get(_ORIENTATION, 1) in (5, 6, 7, 8):  # stored on its side
        width, height = height, width
    doubts: dict[str, str] = {}
    latitude, longitude = _angle(gps, _LATITUDE, "NS"), _angle(gps, _LONGITUDE, "EW")
    place = None if latitude is None or longitude is None else (longitude, latitude)
    for angle, tag in (("longitude", _LONGITUDE), ("latitude", _LATITUDE)):
        if (doubt := _doubt(gps, tag, angle)) is not None:
            place, doubts["place"] = None, doubt
    altitude, above = _number(gps.get(_ALTITUDE)), gps.get(_ALTITUDE - 1, 0)
    if altitude is not None and (above[:1] in (b"\1", b"\3") if isinstance(above, bytes) else above in _BELOW):
        altitude = -altitude
    bearing = _number(gps.get(_BEARING))
    if bearing is not None and _letter(gps, _BEARING) == "M":
        doubts["bearing"] = f"its EXIF has a bearing of {bearing:g} degrees from magnetic north: add the declination"
        bearing = None
    made = _number(shot.get(_WIDTH)) or width, _number(shot.get(_HEIGHT)) or height
    slope = _diagonal_slope(shot, made)
    if abs(min(made) / max(made) * max(width, height) / min(width, height) - 1.0) > _ALIKE:
        doubts["fov_x"] = (
            f"it has {width} x {height} pixels and was taken with {made[0]:g} x {made[1]:g}, so what its EXIF says of "
            "the angle of view is another frame's"
        )
        slope = None
    fov_x = None if slope is None else 2.0 * math.degrees(math.atan(slope * width / math.hypot(width, height)))
    return Photograph(name, (width, height), fov_x, bearing, place, altitude, doubts)


def _prepare_heif(name: str) -> None:
    """Teach Pillow to open a file that is HEIF (ISO/IEC 23008-12), by the plug-in that is installed."""
    with open(name, "rb") as file:
        head = file.read(12)
    if head[4:8] != b"ftyp" or head[8:12] not in _HEIF_BRANDS:
        return
    for plugin in ("pi_heif", "pillow_heif"):  # the first decodes alone; both have the same licence and calls
        try:
            importlib.import_module(plugin).register_heif_opener()
            return
        except ImportError:
            continue
    raise MissingDependencyError(f"{show(name)}: is HEIF, which Pillow opens with a plug-in: pip install pi-heif")


def _diagonal_slope(shot: Any, made: tuple[float, float]) -> float | None:
    """Return the tangent of the angle from the axis to a corner, by the 35 mm equivalent or by the sensor's resolution.

    Args:
        shot: The directory of the shot.
        made: The picture's width and height in pixels when it was taken.
    """
    equivalent = _number(shot.get(_FOCAL_LENGTH_35MM))
    if equivalent:
        return _FILM_DIAGONAL / 2.0 / equivalent
    focal, resolution = _number(shot.get(_FOCAL_LENGTH)), _number(shot.get(_PIXELS_PER_UNIT_X))
    unit = _MILLIMETRES.get(shot.get(_UNIT, 2))
    if not focal or not resolution or unit is None:
        return None
    return math.hypot(*made) / resolution * unit / 2.0 / focal


def _number(value: Any) -> float | None:
    """Return a rational as a float; None where there is none, or it is 0/0."""
    try:
        found = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return found if math.isfinite(found) else None


def _letter(gps: Any, tag: int) -> str:
    """Return the letter in the tag before, which says what a value is counted from."""
    found = gps.get(tag - 1, "")
    return (found.decode("ascii", "replace") if isinstance(found, bytes) else str(found))[:1].upper()


def _parts(gps: Any, tag: int) -> list[float | None]:
    """Return degrees, minutes and seconds; nothing where there is no such tag."""
    try:
        return [_number(part) for part in gps[tag]]
    except (KeyError, TypeError):
        return []


def _angle(gps: Any, tag: int, sides: str) -> float | None:
    """Return degrees from degrees, minutes and seconds; negative on the second of its two sides."""
    parts, side = _parts(gps, tag), _letter(gps, tag)
    if len(parts) != 3 or any(part is None for part in parts) or not side or side not in sides:
        return None
    degrees = sum((part or 0.0) / 60.0**power for power, part in enumerate(parts))
    return -degrees if side == sides[1] else degrees


def _doubt(gps: Any, tag: int, name: str) -> str | None:
    """Return why degrees, minutes and seconds are no angle, where they are none: 60 may be 59.999 rounded."""
    parts = [part or 0.0 for part in _parts(gps, tag)]
    degrees = sum(part / 60.0**power for power, part in enumerate(parts))
    for part, word in zip(parts[1:], ("minutes", "seconds"), strict=False):
        if not 0.0 <= part <= 60.0:
            return f"its EXIF has a {name} of {parts[0]:g} degrees and {part:g} {word}; wanted {word} from 0 to 60"
    if not 0.0 <= degrees <= _MOST[name]:
        return f"its EXIF has a {name} of {degrees:g} degrees; wanted 0 to {_MOST[name]:g}"
    return None
