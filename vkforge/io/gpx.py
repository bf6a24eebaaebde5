"""Paths out of GPX files (GPX 1.0 and 1.1, topografix.com/gpx.asp)."""

from __future__ import annotations

import os

import numpy as np

from vkforge.errors import InputError, MissingDependencyError
from vkforge.scene.checks import file_path, show


def read_path(path: str | os.PathLike[str]) -> np.ndarray:
    """Return the way that a GPX file describes: its track's points, or its route's where it has no track.

    All tracks and segments, in order, are one way. Elevations are left out: a receiver's are rough, and a flight keeps
    to the ground that is drawn.

    Args:
        path: the file.

    Returns:
        (n, 2) float64, longitude and latitude in degrees, WGS 84.

    Raises:
        InputError: no such file, no GPX, or no points in it.
        MissingDependencyError: gpxpy (extra gpx) is missing.
    """
    try:
        import gpxpy
        from gpxpy.gpx import GPXException
    except ImportError as error:
        raise MissingDependencyError("reading GPX needs gpxpy: pip install 'vkforge-renderer[gpx]'") from error
    file = file_path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise InputError(f"can't read {show(str(file))}: {reason}; wanted a GPX file") from None
    try:
        gpx = gpxpy.parse(text)
    except (GPXException, ValueError, TypeError, LookupError, AttributeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{file} is no GPX file: {reason}") from None
    points = [point for track in gpx.tracks for segment in track.segments for point in segment.points]
    points = points or [point for route in gpx.routes for point in route.points]
    if not points:
        extra = f", only {len(gpx.waypoints)} waypoints" if gpx.waypoints else ""
        raise InputError(f"{file} holds no track and no route{extra}; wanted a GPX file with points along a way")
    places = np.array([(point.longitude, point.latitude) for point in points], np.float64)
    if not (np.isfinite(places).all() and np.abs(places[:, 1]).max() <= 90.0 and np.abs(places[:, 0]).max() <= 360.0):
        raise InputError(f"{file} holds a place that is none; wanted longitudes and latitudes in degrees")
    return places
