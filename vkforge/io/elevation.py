"""Terrain from files: which reader a file goes to, and what becomes of units, scale and size on the way."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vkforge.errors import InputError, MissingDependencyError, VkforgeError, suggest
from vkforge.io.geodesy import ground_scale, metres_per_degree
from vkforge.scene.checks import number, show
from vkforge.scene.terrain import Affine, Terrain

logger = logging.getLogger("vkforge")

# How far from 1 the scale of a projection may be that is left as it is: in its zone that of UTM is 0.9996 to 1.001.
_TRUE_TO_SCALE = 0.002
_SKEW = 2.0  # degrees from a right angle between a CRS's axes on the ground, of which one is warned


@dataclass
class Grid:
    """What a reader finds in a file.

    Attributes:
        heights: (rows, cols), row 0 in the north, NaN where there is no data; masked arrays and any real dtype will do.
        cell_size: (dx, dy) in `units`, both positive, or None where the file doesn't say.
        units: metres for each unit of `cell_size`, or "degrees".
        latitude: of the grid's centre in degrees, where `units` is "degrees".
        crs: WKT or "EPSG:...", or None.
        transform: affine (a, b, c, d, e, f) in CRS units from the outer corner of the upper left pixel, or None.
        full_scale: the dtype's largest value where heights are stored as integers of a picture, for `height_range`.
    """

    heights: np.ndarray
    cell_size: tuple[float, float] | None = None
    units: float | str = 1.0
    latitude: float = 0.0
    crs: str | None = None
    transform: Affine | None = None
    full_scale: int | None = None


@dataclass(frozen=True)
class Options:
    """The arguments of `open_terrain` that are for readers."""

    key: str | None
    band: int
    max_size: int | None


Reader = Callable[[str, Options], Grid]


def open_terrain(
    path: str | os.PathLike[str],
    *,
    key: str | None = None,
    band: int = 1,
    scale: float = 1.0,
    offset: float = 0.0,
    height_range: tuple[float, float] | None = None,
    max_size: int | None = None,
    **terrain: Any,
) -> Terrain:
    """Read a terrain from a file.

    The formats are NumPy `.npy` and `.npz`; `.png` and `.tif` heightmaps (8, 16 or 32 bits, one channel); Esri ASCII
    grid `.asc` and SRTM `.hgt` (both also with `.gz`); and, with the `geo` extra, GeoTIFF and whatever else rasterio
    opens. Cell size, CRS, nodata, bounds and units come from the file: degrees become metres at the DEM's centre
    latitude on the WGS 84 ellipsoid, feet become metres, and so do the units of a projection that stretches the ground
    by more than 0.2 % at the DEM's centre (Web Mercator, by pyproj); south-up rasters are flipped. `crs` and
    `transform` stay the file's. Each such choice is logged (logger "vkforge", level INFO).

    Args:
        path: the file, or for rasterio a "/vsi..." path or URL.
        key: which array of an `.npz`; None takes the only 2-D one, or the one called elevation, heights, dem or z.
        band: which band of a raster that rasterio opens, from 1.
        scale: heights in metres are stored values * scale + offset.
        offset: metres.
        height_range: (low, high) metres for the stored 0 and the largest value that the picture's integers hold,
            instead of `scale` and `offset`, for `.png` and `.tif` heightmaps.
        max_size: longest side in samples; larger grids are averaged down to it.
        **terrain: passed on to `Terrain`; `cell_size`, `crs` and `transform` stand in for what the file says.

    Raises:
        InputError: the file is missing, empty, truncated, or of no known format, or holds no elevation grid.
        MissingDependencyError: the format needs a library that is not installed.
    """
    try:
        name = os.fsdecode(path)
    except TypeError:
        raise InputError(f"Terrain.open got {show(path)}; wanted the path of a file") from None
    band = _whole("band", band, 1)
    max_size = None if max_size is None else _whole("max_size", max_size, 2)
    scale, offset = number("scale", scale), number("offset", offset)
    if not _is_remote(name):
        _check_file(name)
    reader = _reader(name)
    try:
        grid = reader(name, Options(key, band, max_size))
        heights = _in_metres(grid, scale, offset, height_range)
        if max_size is not None and max(heights.shape) > max_size:
            heights = _shrink(heights, grid, max_size)
    except VkforgeError:
        raise
    except Exception as error:  # a damaged file can make a reader fail in any way
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{name}: can't be read, it is damaged or no elevation grid ({reason})") from error
    try:
        return Terrain(heights, **{**_georeference(name, grid, heights.shape, "cell_size" in terrain), **terrain})
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _whole(name: str, value: Any, low: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
        raise InputError(f"{name} is {show(value)}; wanted a whole number of at least {low}")
    return int(value)


def _is_remote(name: str) -> bool:
    return name.startswith("/vsi") or "://" in name


def _check_file(name: str) -> None:
    path = Path(name)
    try:
        size = path.stat().st_size
        if path.is_file():
            path.open("rb").close()
    except FileNotFoundError:
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(f"{name}: no such file{suggest(path.name, siblings)}") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise InputError(f"{name}: can't be read ({getattr(error, 'strerror', None) or error})") from None
    if size == 0:
        raise InputError(f"{name}: the file is empty (0 bytes); wanted an elevation grid")


def _reader(name: str) -> Reader:
    """Return the reader for a file's extension; what has none of ours goes to rasterio where that is installed."""
    from vkforge.io import elevation_geo, elevation_grids, elevation_images

    readers: dict[str, Reader] = {
        ".npy": elevation_grids.read_npy,
        ".npz": elevation_grids.read_npz,
        ".asc": elevation_grids.read_asc,
        ".hgt": elevation_grids.read_hgt,
        ".png": elevation_images.read_picture,
        ".tif": elevation_geo.read_tiff,
        ".tiff": elevation_geo.read_tiff,
    }
    suffix = Path(name.lower().removesuffix(".gz")).suffix
    if suffix in readers and not _is_remote(name) and not Path(name).is_dir():
        return readers[suffix]
    if elevation_geo.available():
        return elevation_geo.read_raster
    wanted = f"wanted one of {', '.join(readers)}, or pip install 'vkforge-renderer[geo]' for what rasterio opens"
    raise InputError(f"{name}: unknown file extension {suffix!r}{suggest(suffix, readers)}; {wanted}")


def _in_metres(grid: Grid, scale: float, offset: float, height_range: Any) -> np.ndarray:
    """Return the grid's heights with the user's scale and offset applied, untouched where those do nothing."""
    if height_range is not None:
        if grid.full_scale is None:
            raise InputError("height_range is for heightmaps of integers (.png, .tif); use scale and offset here")
        if (scale, offset) != (1.0, 0.0):
            raise InputError("both height_range and scale or offset are given; wanted one or the other")
        try:
            low, high = height_range
        except (TypeError, ValueError):
            raise InputError(f"height_range is {show(height_range)}; wanted (low, high) in metres") from None
        offset = number("height_range", low)
        scale = (number("height_range", high) - offset) / grid.full_scale
    if (scale, offset) == (1.0, 0.0):
        return grid.heights
    return np.ma.filled(np.ma.asarray(grid.heights).astype(np.float32), np.nan) * np.float32(scale) + np.float32(offset)


def _shrink(heights: np.ndarray, grid: Grid, max_size: int) -> np.ndarray:
    """Return block means of `heights`, with `grid`'s cell size and transform made to match; holes don't count."""
    factor = -(-max(heights.shape) // max_size)
    rows, cols = (side // factor for side in heights.shape)
    if min(rows, cols) < 2:
        raise InputError(f"max_size {max_size} leaves {rows}x{cols} samples of {heights.shape}; wanted at least 2x2")
    total = np.zeros((rows, cols), np.float64)
    count = np.zeros((rows, cols), np.float64)
    # One of the block's samples at a time: no temporary larger than the result, and no warning about all-NaN blocks.
    for i in range(factor):
        for j in range(factor):
            part = heights[i : rows * factor : factor, j : cols * factor : factor]
            part = np.ma.filled(np.ma.asarray(part).astype(np.float64), np.nan)
            known = np.isfinite(part)
            total += np.where(known, part, 0.0)
            count += known
    with np.errstate(invalid="ignore"):
        means = total / count
    if grid.cell_size is not None:
        grid.cell_size = (grid.cell_size[0] * factor, grid.cell_size[1] * factor)
    if grid.transform is not None:
        a, b, c, d, e, f = grid.transform
        grid.transform = (a * factor, b * factor, c, d * factor, e * factor, f)
    logger.info("averaged %d x %d samples into one: %s becomes %s", factor, factor, heights.shape, means.shape)
    return means


def _georeference(name: str, grid: Grid, shape: tuple[int, ...], cell_size_given: bool) -> dict[str, Any]:
    """Return the Terrain arguments that the file tells: cell size in metres, CRS, transform."""
    known: dict[str, Any] = {"crs": grid.crs, "transform": grid.transform}
    if cell_size_given:
        return known
    if grid.cell_size is None:
        logger.info("%s: says no cell size; taking 1 m (cell_size= sets it)", name)
        return known
    dx, dy = grid.cell_size
    if isinstance(grid.units, str):
        along_x, along_y = metres_per_degree(grid.latitude)
        known["cell_size"] = (dx * along_x, dy * along_y)
        logger.info(
            "%s: cells of %.8g x %.8g degrees are %.6g x %.6g m at the centre latitude, %.4f degrees (WGS 84)",
            *(name, dx, dy, *known["cell_size"], grid.latitude),
        )
        return known
    along_x, along_y = _projected_units(name, grid, grid.units, shape)
    known["cell_size"] = (dx * along_x, dy * along_y)
    if (along_x, along_y) != (1.0, 1.0):
        logger.info("%s: cells of %g x %g units are %g x %g m", name, dx, dy, *known["cell_size"])
    return known


def _projected_units(name: str, grid: Grid, unit: float, shape: tuple[int, ...]) -> tuple[float, float]:
    """Return the metres of the ground in a unit of the grid's CRS, along x and y: `unit` where it is true to scale."""
    if grid.crs is None or grid.transform is None or grid.cell_size is None:
        return unit, unit
    (rows, cols), (a, _, c, _, e, f) = shape, grid.transform
    try:
        found = ground_scale(grid.crs, (c + a * cols / 2.0, f + e * rows / 2.0), grid.cell_size)
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
