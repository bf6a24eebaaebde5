"""Where a grid lies: rows from north to south, columns from west to east, and cells in metres of the ground."""

from __future__ import annotations

import logging
import math
from typing import Any

import numpy as np

from vkforge.errors import InputError, MissingDependencyError
from vkforge.scene.crs import EARTH, WGS84, Crs, UnreadableCrsError, crs_text, read_crs
from vkforge.scene.terrain import Affine
from vkforge.sources.geodesy import ground_scale, metres_per_degree
from vkforge.sources.grid import Grid

logger = logging.getLogger("vkforge")

# How far from 1 the scale of a projection may be that is left as it is: in its zone that of UTM is 0.9996 to 1.001.
_TRUE_TO_SCALE = 0.002
_SKEW = 2.0  # degrees from a right angle between a CRS's axes on the ground, of which one is warned

# A terrain's relief beside its longer side, outside of which something is wrong with its units.
_STEEPEST, _FLATTEST = 1.0, 1e-5


def crs_of(name: str, grid: Grid, said: Any) -> Crs | None:
    """Return the CRS of a grid: what the user says, or what the file does; None where neither says anything.

    One of the file that can't be read is warned of; it has no text, and units of metres.

    Raises:
        InputError: the user's can't be read.
    """
    if said is not None:
        return _known(str(crs_text(said)))
    if grid.crs is None:
        return None
    try:
        return _known(str(crs_text(grid.crs)))
    except UnreadableCrsError as error:
        logger.warning(
            "%s: its %s. Its coordinates are taken for metres; crs='EPSG:...' says what they are", name, error
        )
        return Crs("", False, 1.0)


def _known(text: str) -> Crs:
    found = read_crs(text)
    if found is not None:
        return found
    # Neither pyproj nor rasterio: the one code that everybody uses, and what WKT begins with.
    degrees = text.upper() == WGS84 or text.lstrip().upper().startswith(("GEOGCS", "GEOGCRS"))
    return Crs(text, degrees, 1.0)


def upright(
    name: str, heights: np.ndarray, transform: Affine, crs: Crs | None
) -> tuple[np.ndarray, Affine, tuple[float, float]]:
    """Return heights with row 0 in the north and column 0 in the west, their transform and their steps in CRS units.

    Raises:
        InputError: a step of 0, a grid that is rotated against its CRS, a CRS whose x runs to the south.
    """
    a, b, c, d, e, f = transform
    if crs is not None and crs.crossed:
        raise InputError(f"{name}: x of its CRS runs along the meridians; reproject it first: gdalwarp -t_srs EPSG:...")
    if not all(map(math.isfinite, transform)) or a * e - b * d == 0.0:
        raise InputError(
            f"{name}: its geotransform {transform} has cells of no size; give a transform=, or a cell_size="
        )
    if math.hypot(b, d) > 1e-6 * math.hypot(a, e):
        raise InputError(f"{name}: is rotated against its CRS; make it north-up first: gdalwarp {name} north_up.tif")
    east, south = (1, -1) if crs is None else (crs.turned[0], -crs.turned[1])
    rows, cols = heights.shape
    if e * south < 0.0:
        heights, e, f = heights[::-1], -e, f + e * rows
        logger.info("%s: is stored south-up; flipped", name)
    if a * east < 0.0:
        heights, a, c = heights[:, ::-1], -a, c + a * cols
        logger.info("%s: is stored east to west; flipped", name)
    return heights, (a, 0.0, c, 0.0, e, f), (abs(a), abs(e))


def must_be_degrees(name: str, grid: Grid, heights: np.ndarray, transform: Affine) -> bool:
    """Return whether a grid without CRS can only be longitudes and latitudes, which is warned of.

    That is so where the file's axes say so; where the grid spans the whole globe; and where it lies on the globe and
    would, in metres, be higher than it is wide, though not in degrees. What may be either is taken for metres.
    """
    (rows, cols), (a, _, c, _, e, f) = heights.shape, transform
    dx, dy = abs(a), abs(e)
    west, north = min(c, c + a * cols), max(f, f + e * rows)
    on_globe = west >= -180.5 and west + cols * dx <= 360.5 and north <= 90.5 and north - rows * dy >= -90.5
    if grid.degrees and on_globe:
        logger.info("%s: has no CRS; its axes are in degrees, taken as those of WGS 84", name)
        return True
    whole = cols * dx >= 359.0 and rows * dy >= 120.0
    relief = float(np.nanmax(heights) - np.nanmin(heights)) if np.isfinite(heights).any() else 0.0
    tall = relief > max(cols * dx, rows * dy) and relief < max(cols * dx, rows * dy) * 1.1e5
    if on_globe and (whole or (tall and max(dx, dy) <= 1.0)):
        logger.warning(
            "%s: has no CRS; its extent and heights can only be longitudes and latitudes, taken as those of WGS 84 "
            "(crs= says otherwise)",
            name,
        )
        return True
    return False


def metres(
    name: str, crs: Crs | None, transform: Affine | None, shape: tuple[int, int], steps: tuple[float, float]
) -> tuple[float, float]:
    """Return the metres of the ground in steps along x and y of a CRS, at a grid's centre."""
    dx, dy = steps
    if crs is None:
        return dx, dy
    if crs.geographic:
        latitude = 0.0 if transform is None else (transform[5] + transform[4] * shape[0] / 2) * crs.unit
        if abs(latitude) > 90.0:
            raise InputError(f"{name}: its centre lies at a latitude of {latitude:g} degrees; wanted -90 to 90")
        along_x, along_y = metres_per_degree(latitude, crs.ellipsoid)
        cell = dx * crs.unit * along_x, dy * crs.unit * along_y
        body = "WGS 84" if crs.ellipsoid == EARTH else f"an ellipsoid of {crs.ellipsoid[0] / 1000.0:g} km"
        logger.info(
            "%s: cells of %.8g x %.8g degrees are %.6g x %.6g m at the centre latitude, %.4f degrees (%s)",
            *(name, dx * crs.unit, dy * crs.unit, *cell, latitude, body),
        )
        return cell
    along_x, along_y = _projected(name, crs, transform, shape, steps)
    cell = dx * along_x, dy * along_y
    if (along_x, along_y) != (1.0, 1.0):
        logger.info("%s: cells of %g x %g units are %g x %g m", name, dx, dy, *cell)
    return cell


def _projected(
    name: str, crs: Crs, transform: Affine | None, shape: tuple[int, int], steps: tuple[float, float]
) -> tuple[float, float]:
    """Return the metres of the ground in a unit of a CRS, along x and y: its own unit where it is true to scale."""
    unit = crs.unit
    if transform is None or not crs.text:
        return unit, unit
    (rows, cols), (a, _, c, _, e, f) = shape, transform
    try:
        found = ground_scale(crs.text, (c + a * cols / 2.0, f + e * rows / 2.0), steps)
    except MissingDependencyError as error:
        logger.warning("%s: its CRS is taken to be true to scale (%s)", name, error)
        return unit, unit
    if found is None:
        logger.info("%s: PROJ can't tell the scale of its CRS there, which is taken to be true", name)
        return unit, unit
    along_x, along_y, angle = found
    if max(abs(along_x / unit - 1.0), abs(along_y / unit - 1.0)) <= _TRUE_TO_SCALE:
        return unit, unit
    logger.info(
        "%s: a unit of its CRS is %.6g x %.6g m on the ground at the centre, and not %.6g as it says",
        *(name, along_x, along_y, unit),
    )
    if abs(angle - 90.0) > _SKEW:
        logger.warning(
            "%s: the axes of its CRS meet at %.0f degrees on the ground, and are taken to meet at right angles; "
            "reproject it to UTM for true shapes",
            *(name, angle),
        )
    return along_x, along_y


def warn_of_relief(name: str, relief: float, shape: tuple[int, int], cell_size: Any, *, placed: bool) -> None:
    """Warn of a relief that is absurd beside the terrain's longer side, and say what is likely wrong."""
    dx, dy = np.broadcast_to(np.asarray(cell_size, np.float64), (2,)).tolist()
    side = max(dx * (shape[1] - 1), dy * (shape[0] - 1))
    if relief == 0.0 or _FLATTEST <= relief / side <= _STEEPEST:
        return
    causes = "z_unit= (the unit of heights), nodata= (a value that stands for nothing)"
    causes += ", crs= (degrees or feet)" if placed else ", cell_size= (metres between samples), scale= or height_range="
    logger.warning(
        "%s: the relief is %.3g m over %.3g m of ground; if that is wrong, see %s", name, relief, side, causes
    )
