"""From degrees and feet to metres."""

from __future__ import annotations

import math

from vkforge.errors import MissingDependencyError

# WGS 84 (NIMA TR8350.2): equatorial radius in metres and flattening.
_EQUATORIAL_RADIUS = 6378137.0
_FLATTENING = 1 / 298.257223563

# Feet as files spell them. The US survey foot is 1200/3937 m, the international one 0.3048 m.
_FEET = {
    "ft": 0.3048,
    "feet": 0.3048,
    "foot": 0.3048,
    "international foot": 0.3048,
    "us survey foot": 1200 / 3937,
    "us-ft": 1200 / 3937,
    "ftus": 1200 / 3937,
}


def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Return the metres that a degree of longitude and one of latitude span at `latitude` on the WGS 84 ellipsoid.

    These are the lengths on the prime vertical (times the cosine of the latitude) and on the meridian, from the radii
    of curvature (Snyder 1987, equations 4-18 to 4-20).
    """
    phi = math.radians(latitude)
    squared_eccentricity = _FLATTENING * (2 - _FLATTENING)
    factor = 1 - squared_eccentricity * math.sin(phi) ** 2
    prime_vertical = _EQUATORIAL_RADIUS / math.sqrt(factor)
    meridian = _EQUATORIAL_RADIUS * (1 - squared_eccentricity) / factor**1.5
    return math.radians(prime_vertical * math.cos(phi)), math.radians(meridian)


def ground_scale(crs: str, place: tuple[float, float], step: tuple[float, float]) -> tuple[float, float, float] | None:
    """Return what a unit of a projected CRS is on the ground, as map projections stretch it: in Mercator twice at 60 N.

    The scale is that of geodesics on the CRS's own ellipsoid, of the Earth or of another body.

    Args:
        crs: WKT or "EPSG:...".
        place: x and y where, in units of the CRS.
        step: how far to the sides it is measured, in units of the CRS along x and y.

    Returns:
        Metres of the ground in a unit along x and along y, and the angle in degrees at which the two axes meet there;
        None of a CRS that PROJ does not know or that is on no body, and of a place outside of what it covers.

    Raises:
        MissingDependencyError: pyproj (extra geo) is missing.
    """
    try:
        from pyproj import CRS, Transformer
        from pyproj.exceptions import ProjError
    except ImportError as error:
        raise MissingDependencyError("the scale of a CRS wants pyproj: pip install 'vkforge-renderer[geo]'") from error
    (x, y), (dx, dy) = place, step
    try:
        known = CRS.from_user_input(crs)
        geod, geographic = known.get_geod(), known.geodetic_crs
        if geod is None or geographic is None:
            return None
        ends = Transformer.from_crs(known, geographic, always_xy=True).transform(
            [x - dx, x + dx, x, x], [y, y, y - dy, y + dy]
        )
    except ProjError:
        return None
    (west, east, south, north) = zip(*ends, strict=True)
    (across, _, width), (along, _, height) = geod.inv(*west, *east), geod.inv(*south, *north)
    found = width / (2.0 * dx), height / (2.0 * dy), abs((across - along + 180.0) % 360.0 - 180.0)
    return found if all(map(math.isfinite, found)) and min(found) > 0.0 else None


def metres_per_unit(unit: str | None) -> float:
    """Return the metres in a vertical unit as files name it; 1 for metres, for none and for names not known as feet."""
    return _FEET.get((unit or "").strip().lower().replace("_", " "), 1.0)


def looks_like_degrees(dx: float, dy: float, west: float, north: float, rows: int, cols: int) -> bool:
    """Return whether a grid with no stated CRS must be longitudes and latitudes.

    That is so when its whole extent is on the globe and its cells are small as degrees go, while in metres they would
    be centimetres; a grid that starts at (0, 0) has no position and is taken for metres.
    """
    on_globe = west >= -180.5 and west + cols * dx <= 360.5 and north <= 90.5 and north - rows * dy >= -90.5
    south_west = (west, north - rows * dy)
    return on_globe and max(dx, dy) <= 0.1 and south_west != (0.0, 0.0)
