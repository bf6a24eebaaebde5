"""From coordinates to metres of the ground."""

from __future__ import annotations

import math

import numpy as np

from vkforge.errors import MissingDependencyError
from vkforge.scene.crs import EARTH


def metres_per_degree(latitude: float, ellipsoid: tuple[float, float] = EARTH) -> tuple[float, float]:
    """Return the metres that a degree of longitude and one of latitude span at `latitude` on an ellipsoid.

    These are the lengths on the prime vertical (times the cosine of the latitude) and on the meridian, from the radii
    of curvature (Snyder 1987, equations 4-18 to 4-20).

    Args:
        latitude: degrees.
        ellipsoid: equatorial radius in metres and flattening; the WGS 84 ellipsoid's if not given.
    """
    radius, flattening = ellipsoid
    phi = math.radians(latitude)
    squared_eccentricity = flattening * (2 - flattening)
    factor = 1 - squared_eccentricity * math.sin(phi) ** 2
    prime_vertical = radius / math.sqrt(factor)
    meridian = radius * (1 - squared_eccentricity) / factor**1.5
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
    if not np.isfinite(ends).all():
        return None
    west, east, south, north = zip(*ends, strict=True)
    width, height = geod.inv(*west, *east)[2] / (2.0 * dx), geod.inv(*south, *north)[2] / (2.0 * dy)
    # As chords in space: bearings mean nothing at a pole.
    west, east, south, north = (_on_sphere(*end) for end in (west, east, south, north))
    across, along = east - west, north - south
    lengths = float(np.linalg.norm(across) * np.linalg.norm(along))
    if not (width > 0.0 and height > 0.0 and lengths > 0.0):
        return None
    return width, height, math.degrees(math.acos(np.clip(across @ along / lengths, -1.0, 1.0)))


def _on_sphere(longitude: float, latitude: float) -> np.ndarray:
    a, b = math.radians(longitude), math.radians(latitude)
    return np.array([math.cos(b) * math.cos(a), math.cos(b) * math.sin(a), math.sin(b)])
