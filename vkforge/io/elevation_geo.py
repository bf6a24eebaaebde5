"""Reader of georeferenced rasters, by rasterio (the `geo` extra)."""

from __future__ import annotations

import importlib.util
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from vkforge.errors import InputError, suggest
from vkforge.io.elevation import Grid, Options, logger
from vkforge.io.elevation_images import read_picture
from vkforge.io.geodesy import looks_like_degrees, metres_per_unit
from vkforge.scene.terrain import Affine

_KNOWN = (
    ".npy",
    ".npz",
    ".asc",
    ".hgt",
    ".png",
    ".tif",
    ".tiff",
    ".vrt",
    ".img",
    ".dem",
    ".jp2",
    ".nc",
    ".bil",
    ".flt",
)


def available() -> bool:
    """Return whether rasterio is installed."""
    return importlib.util.find_spec("rasterio") is not None


def read_tiff(name: str, options: Options) -> Grid:
    """Read a TIFF by rasterio, or where that is missing by Pillow, which takes only plain heightmaps."""
    return read_raster(name, options) if available() else read_picture(name, options)


def read_raster(name: str, options: Options) -> Grid:
    """Read a band of whatever rasterio opens: nodata and masks become NaN, the rows run from north to south.

    Raises:
        InputError: not a raster, no such band, or a grid that is rotated against its CRS.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a plain heightmap is welcome
        try:
            with rasterio.open(name) as dataset:
                return _read(name, dataset, options)
        except RasterioIOError as error:
            suffix = Path(name).suffix.lower()
            hint = "" if suffix in _KNOWN else suggest(suffix, _KNOWN)
            reason = " ".join(str(error).split())
            raise InputError(f"{name}: not a raster that rasterio can read, or truncated{hint} ({reason})") from error


def _read(name: str, dataset: Any, options: Options) -> Grid:
    band = options.band
    if dataset.count == 0 and dataset.subdatasets:
        raise InputError(f"{name}: holds several rasters; open one of them: {', '.join(dataset.subdatasets)}")
    if band > dataset.count:
        raise InputError(f"{name}: has no band {band}; it has {dataset.count}")
    if np.dtype(dataset.dtypes[band - 1]).kind not in "fiub":
        raise InputError(f"{name}: band {band} holds {dataset.dtypes[band - 1]}; wanted real numbers")
    if band == 1 and dataset.count in (3, 4) and dataset.dtypes[0] == "uint8" and dataset.colorinterp[0].name == "red":
        raise InputError(f"{name}: is a colour picture; wanted heights (band= picks one band if that is what it is)")
    heights, shrink = _pixels(dataset, options)
    a, b, c, d, e, f = tuple(dataset.transform)[:6]
    if dataset.transform.is_identity:
        full_scale = int(np.iinfo(heights.dtype).max) if heights.dtype.kind in "iu" else None
        return Grid(heights, full_scale=full_scale)
    if math.hypot(b, d) > 1e-6 * math.hypot(a, e):
        raise InputError(f"{name}: is rotated against its CRS; make it north-up first: gdalwarp {name} north_up.tif")
    a, e = a * shrink[1], e * shrink[0]
    rows, cols = heights.shape
    if e > 0:
        heights, e, f = heights[::-1], -e, f + e * rows
        logger.info("%s: is stored south-up; flipped", name)
    if a < 0:
        heights, a, c = heights[:, ::-1], -a, c + a * cols
        logger.info("%s: is stored east to west; flipped", name)
    transform: Affine = (a, 0.0, c, 0.0, e, f)
    grid = Grid(_to_metres(name, dataset, band, heights), (a, -e), transform=transform)
    _set_units(name, dataset.crs, grid)
    return grid


def _pixels(dataset: Any, options: Options) -> tuple[np.ndarray, tuple[float, float]]:
    """Return the band, averaged down to `max_size` while it is read, and how many (rows, columns) went into one."""
    from rasterio.enums import Resampling

    rows, cols = dataset.height, dataset.width
    largest = max(rows, cols)
    if options.max_size is None or largest <= options.max_size:
        return dataset.read(options.band, masked=True), (1.0, 1.0)
    shape = tuple(max(2, round(side * options.max_size / largest)) for side in (rows, cols))
    heights = dataset.read(options.band, masked=True, out_shape=shape, resampling=Resampling.average)
    return heights, (rows / shape[0], cols / shape[1])


def _to_metres(name: str, dataset: Any, band: int, heights: np.ndarray) -> np.ndarray:
    """Return heights with the band's own scale and offset applied, and its unit of feet turned into metres."""
    unit = dataset.units[band - 1]
    metres = metres_per_unit(unit)
    scale, offset = dataset.scales[band - 1] * metres, dataset.offsets[band - 1] * metres
    if metres != 1.0:
        logger.info("%s: heights in %s are turned into metres", name, unit)
    if (scale, offset) == (1.0, 0.0):
        return heights
    return heights.astype(np.float32) * np.float32(scale) + np.float32(offset)


def _set_units(name: str, crs: Any, grid: Grid) -> None:
    """Fill in what the CRS says about the grid's coordinates."""
    assert grid.cell_size is not None
    assert grid.transform is not None
    (dx, dy), (rows, cols) = grid.cell_size, grid.heights.shape
    west, north = grid.transform[2], grid.transform[5]
    if not crs:
        if looks_like_degrees(dx, dy, west, north, rows, cols):
            grid.units, grid.latitude, grid.crs = "degrees", north - rows * dy / 2, "EPSG:4326"
            logger.info("%s: has no CRS; its extent reads as longitudes and latitudes (WGS 84)", name)
        return
    code = crs.to_epsg()
    grid.crs = crs.to_wkt() if code is None else f"EPSG:{code}"
    unit, factor = crs.units_factor
    if not crs.is_geographic:
        grid.units = factor
        if factor != 1.0:
            logger.info("%s: coordinates in %s are turned into metres", name, unit)
        return
    # Angles other than degrees are rare (gons, radians) but stated: units_factor is in radians.
    degrees = math.degrees(factor)
    grid.units, grid.latitude = "degrees", (north - rows * dy / 2) * degrees
    grid.cell_size = (dx * degrees, dy * degrees)
