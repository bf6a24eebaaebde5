"""Coordinate reference systems as users and files give them: what they measure in, which way, and on which body."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from vkforge.errors import InputError
from vkforge.scene.checks import show

WGS84 = "EPSG:4326"

# Equatorial radius in metres and flattening of the WGS 84 ellipsoid (NIMA TR8350.2).
EARTH = (6378137.0, 1 / 298.257223563)

_CODE = re.compile(r"EPSG:\d+", re.IGNORECASE)
_WKT = re.compile(r"\s*[A-Za-z_]+\s*\[")
_SPHEROID = re.compile(r'(?:SPHEROID|ELLIPSOID)\s*\[\s*"[^"]*"\s*,\s*([-+.\deE]+)\s*,\s*([-+.\deE]+)', re.IGNORECASE)


class UnreadableCrsError(InputError):
    """A text or object that no CRS can be made of."""


@dataclass(frozen=True)
class Crs:
    """What a coordinate reference system says about coordinates.

    Attributes:
        text: "EPSG:n" where that is certain, else WKT; of a compound CRS whose heights are not metres upwards its
            horizontal part.
        geographic: coordinates are angles, longitude and latitude.
        unit: metres in a unit of the coordinates; degrees where they are angles.
        ellipsoid: equatorial radius in metres and flattening of the body; the Earth's where it isn't said.
        turned: 1, or -1 where x grows to the west, and 1, or -1 where y grows to the south.
        crossed: x runs along the meridians and y across them.
        height: metres in a unit of its vertical axis, negative where that points down; None without such an axis.
        height_unit: that unit's name, or "".
    """

    text: str
    geographic: bool
    unit: float
    ellipsoid: tuple[float, float] = EARTH
    turned: tuple[int, int] = (1, 1)
    crossed: bool = False
    height: float | None = None
    height_unit: str = ""

    @property
    def earthly(self) -> bool:
        """Whether it lies on the Earth, as its ellipsoid's size tells."""
        return is_earth(self.ellipsoid)


def is_earth(ellipsoid: tuple[float, float]) -> bool:
    """Return whether an ellipsoid, (equatorial radius in metres, flattening), is one of the Earth's."""
    return abs(ellipsoid[0] / EARTH[0] - 1.0) < 0.01


def crs_text(given: Any) -> str | None:
    """Return a CRS as the text that a `Terrain` keeps: "EPSG:n", or WKT.

    Args:
        given: an EPSG number, "EPSG:n", WKT, a PROJ string or whatever else pyproj reads, a CRS object of rasterio or
            pyproj, or None.

    Raises:
        InputError: no CRS that PROJ knows. Where neither pyproj nor rasterio is installed, text is taken as it is.
    """
    if given is None:
        return None
    if isinstance(given, (int, np.integer)) and not isinstance(given, bool):
        given = f"EPSG:{given}"
    elif not isinstance(given, str):
        to_wkt = getattr(given, "to_wkt", None)
        if not callable(to_wkt):
            raise InputError(f"crs is {show(given)}; wanted WKT, an EPSG number or a string such as 'EPSG:32616'")
        given = _certain_code(given) or str(to_wkt())
    return _checked(given.strip())


@lru_cache(maxsize=64)
def _checked(text: str) -> str:
    known = _library_crs(text)
    if known is None:
        return text
    if _CODE.fullmatch(text):
        return text.upper()
    return text if _WKT.match(text) else _certain_code(known) or str(known.to_wkt())


@lru_cache(maxsize=64)
def read_crs(text: str) -> Crs | None:
    """Return what a CRS says, by pyproj or else by rasterio; None where neither is installed.

    Args:
        text: as `crs_text` gives it.

    Raises:
        InputError: no CRS that PROJ knows.
    """
    known = _library_crs(text)
    if known is None:
        return None
    return _by_pyproj(text, known) if hasattr(known, "axis_info") else _by_rasterio(text, known)


def _library_crs(text: str) -> Any:
    """Return the object of pyproj, or else of rasterio, that a text stands for; None where neither is installed."""
    unreadable = f"crs {show(text)} is none that PROJ can read; wanted WKT or a string such as 'EPSG:32616'"
    try:
        from pyproj import CRS
        from pyproj.exceptions import ProjError
    except ImportError:
        pass
    else:
        try:
            return CRS.from_user_input(text)
        except ProjError:
            raise UnreadableCrsError(unreadable) from None
    try:
        from rasterio import CRS as RasterCrs
        from rasterio.errors import CRSError
    except ImportError:
        return None
    try:
        return RasterCrs.from_user_input(text)
    except CRSError:
        raise UnreadableCrsError(unreadable) from None


def _certain_code(known: Any) -> str | None:
    """Return "EPSG:n" of a CRS object where it says nothing else than that code does."""
    try:
        code = known.to_epsg(100)  # of pyproj and rasterio alike: percent of confidence
    except Exception:  # objects of other libraries: their WKT says all
        code = None
    return None if code is None else f"EPSG:{code}"


def _by_pyproj(text: str, known: Any) -> Crs:
    height = next((axis for axis in known.axis_info if axis.direction in ("up", "down")), None)
    flat = known.sub_crs_list[0] if known.is_compound else known
    flat = flat.source_crs if flat.is_bound else flat
    axes = [axis for axis in flat.axis_info if axis.direction not in ("up", "down")]
    if not axes:
        raise UnreadableCrsError(f"crs {show(text)} has heights alone; wanted one of places, as 'EPSG:32616'")
    body = flat.ellipsoid
    ellipsoid = EARTH
    if body is not None:
        ellipsoid = body.semi_major_metre, 1.0 / body.inverse_flattening if body.inverse_flattening else 0.0
    geographic = bool(flat.is_geographic)
    factor = axes[0].unit_conversion_factor or 1.0
    ways = [axis.direction for axis in axes[:2]]
    polar = len(set(ways)) == 1  # both run along meridians: away from a pole, each on its own
    # PROJ brings north and east into the order of pictures, and leaves every other pair as it is.
    crossed = not polar and ways[0] in ("north", "south") and ways != ["north", "east"]
    made = Crs(
        text=text,
        geographic=geographic,
        unit=math.degrees(factor) if geographic else factor,
        ellipsoid=ellipsoid,
        turned=(1, 1) if polar else (-1 if "west" in ways else 1, -1 if "south" in ways else 1),
        crossed=crossed and not geographic,
    )
    if height is None:
        return made
    metres = (height.unit_conversion_factor or 1.0) * (-1.0 if height.direction == "down" else 1.0)
    if metres != 1.0:
        flat = flat if known.is_compound else known.to_2d()
        made = replace(made, text=_certain_code(flat) or flat.to_wkt())
    return replace(made, height=metres, height_unit=height.unit_name)


def _by_rasterio(text: str, known: Any) -> Crs:
    """Return what rasterio tells: no axes, and nothing of heights."""
    geographic = bool(known.is_geographic)
    factor = known.units_factor[1]
    size = _SPHEROID.search(known.to_wkt())
    ellipsoid = EARTH
    if size is not None:
        inverse = float(size[2])
        ellipsoid = float(size[1]), 1.0 / inverse if inverse else 0.0
    return Crs(text, geographic, math.degrees(factor) if geographic else factor, ellipsoid)
