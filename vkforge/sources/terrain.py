"""Terrain from files: which reader a file goes to, and the one path from what it finds to a `Terrain`."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np

from vkforge.errors import InputError, VkforgeError, suggest
from vkforge.scene.checks import number, show
from vkforge.scene.crs import WGS84, Crs, read_crs
from vkforge.scene.terrain import Terrain, affine, give, metres_of_cell
from vkforge.sources import arrays, grids, pictures, place, rasters
from vkforge.sources.grid import ENCODINGS, Grid, Options, Reader, check_file, is_remote, printable
from vkforge.sources.load import Conversion, check_size, load
from vkforge.sources.units import checked_unit, metres_per_unit

logger = logging.getLogger("vkforge")

READERS: dict[str, Reader] = {
    ".npy": arrays.read_npy,
    ".npz": arrays.read_npz,
    ".asc": grids.read_asc,
    ".hgt": grids.read_hgt,
    ".r16": grids.read_raw,
    ".r32": grids.read_raw,
    ".exr": pictures.read_exr,
    ".png": pictures.read_picture,
    ".jpg": pictures.read_picture,
    ".jpeg": pictures.read_picture,
    ".webp": pictures.read_picture,
    ".tif": pictures.read_picture,
    ".tiff": pictures.read_picture,
}


def open_terrain(
    path: str | os.PathLike[str],
    *,
    key: str | None = None,
    band: int | None = None,
    scale: float = 1.0,
    offset: float = 0.0,
    height_range: tuple[float, float] | None = None,
    z_unit: str | float | None = None,
    nodata: float | str | tuple[float, ...] | None = None,
    encoding: str | None = None,
    max_size: int | None = None,
    **terrain: Any,
) -> Terrain:
    """Read a terrain from a file.

    The formats are NumPy `.npy` and `.npz`; heightmaps `.png`, `.tif`, `.jpg`, `.webp` (one channel of 8, 16 or 32
    bits, or an `encoding`), `.exr`, and square raw `.r16` and `.r32`; Esri ASCII grid `.asc` and SRTM `.hgt` (both also
    with `.gz`); and, with the `geo` extra, GeoTIFF and whatever else rasterio opens, by a path, a URL or one of GDAL's
    names of subdatasets, as ``netcdf:grid.nc:z``. All of them go the same way: read, mask, scale, place, convert.

    Cell size, CRS, nodata, scale, offset, bounds and units come from the file: degrees become metres at the DEM's
    centre latitude on the ellipsoid of the CRS, of the Earth or another body; heights in kilometres, feet and every
    other unit of length become metres; depths are turned; and so do the units of a projection that stretches the ground
    by more than 0.2 % at the DEM's centre (Web Mercator, by pyproj). South-up rasters are flipped. `crs` and
    `transform` stay the file's. Each such choice is logged (logger "vkforge", level INFO), and what is doubtful is
    warned of: a unit or CRS that is not known, values that are most likely nothing, an absurd relief.

    Args:
        path: the file, or for rasterio a "/vsi..." path, URL or connection string.
        key: which array of an `.npz` (None takes the only 2-D one, or the one called elevation, heights, dem or z),
            channel of an `.exr`, or variable of a netCDF or HDF5 file.
        band: which band of a raster that rasterio opens, from 1; None is the first.
        scale: heights in metres are values * scale + offset, after the file's own scale, offset and unit.
        offset: metres.
        height_range: (low, high) metres for the stored 0 and the largest value that the picture's integers hold,
            instead of `scale`, `offset` and what the file says of them, for heightmaps of integers.
        z_unit: unit of the file's heights, whatever it says itself: a name, as "feet" or "km", or metres per unit,
            negative where values are depths.
        nodata: stored values that stand for nothing, beside what the file declares: a number or several; "none" is
            none at all, whatever it declares.
        encoding: "mapbox" (Terrain-RGB) or "terrarium", for pictures whose colours hold heights; the clear is a hole.
        max_size: longest side in samples; larger grids are averaged down to it while they are read, from what the file
            holds and not from its overviews.
        **terrain: passed on to `Terrain`; `cell_size`, `crs` and `transform` stand in for what the file says of its own
            samples, before `max_size`.

    Raises:
        InputError: the file is missing, empty, truncated, or of no known format, or holds no elevation grid; an option
            that this kind of file can't honour.
        MissingDependencyError: the format needs a library that is not installed.
    """
    try:
        name = os.fsdecode(path)
    except TypeError:
        raise InputError(f"Terrain.open got {show(path)}; wanted the path of a file") from None
    options = _options(key, band, encoding, "cell_size" in terrain)
    max_size = None if max_size is None else _whole("max_size", max_size, 2)
    unit, numbers = checked_unit(z_unit), (number("scale", scale), number("offset", offset))
    if not is_remote(name):
        check_file(name)
    reader, shown = _reader(name), printable(name)
    said_crs, said_transform = terrain.pop("crs", None), terrain.pop("transform", None)
    try:
        with reader(name, options) as grid:
            if said_transform is not None:
                grid.transform = affine(said_transform)
            check_size(shown, grid.shape, max_size)
            crs = place.crs_of(shown, grid, said_crs)
            conversion = _conversion(shown, grid, crs, unit, numbers, height_range, nodata)
            try:
                heights = load(grid, conversion, max_size)
            except MemoryError:
                rows, cols = grid.shape
                raise InputError(
                    f"{shown}: {cols} x {rows} samples don't fit into memory; max_size=4096 averages them down"
                ) from None
    except VkforgeError:
        raise
    except Exception as error:  # a damaged file can make a reader fail in any way
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{shown}: can't be read, it is damaged or no elevation grid ({reason})") from error
    heights, known = _placed(shown, grid, heights, crs, cell_size_given="cell_size" in terrain)
    if heights.shape != grid.shape and "cell_size" in terrain:  # it is that of the file's samples
        x, y = grid.shape[1] / heights.shape[1], grid.shape[0] / heights.shape[0]
        dx, dy = metres_of_cell(terrain["cell_size"])
        terrain["cell_size"] = dx * x, dy * y
    try:
        made = Terrain(give(heights), **{**known, **terrain})
    except InputError as error:
        raise InputError(f"{shown}: {error}") from None
    conversion.warn(shown, made.min_height)
    relief = made.max_height - made.min_height
    place.warn_of_relief(shown, relief, made.shape, made.cell_size, placed=made.transform is not None)
    return made


def _options(key: Any, band: Any, encoding: Any, cell_size_given: bool) -> Options:
    if key is not None and not isinstance(key, str):
        raise InputError(f"key is {show(key)}; wanted the name of an array or variable")
    if encoding is not None and encoding not in ENCODINGS:
        hint = suggest(str(encoding), ENCODINGS)
        raise InputError(f"encoding is {show(encoding)}; wanted one of {', '.join(ENCODINGS)}, or None{hint}")
    return Options(key, None if band is None else _whole("band", band, 1), encoding, cell_size_given)


def _whole(name: str, value: Any, low: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
        raise InputError(f"{name} is {show(value)}; wanted a whole number of at least {low}")
    return int(value)


def _reader(name: str) -> Reader:
    """Return the reader for a file's extension; what has none of ours goes to rasterio where that is installed."""
    lower = Path(name).name.lower()
    inner = Path(lower.removesuffix(".gz")).suffix
    packed = lower.endswith(".gz")
    if inner in READERS and not is_remote(name) and not Path(name).is_dir() and (not packed or inner in grids.PACKED):
        return READERS[inner]
    if rasters.available():
        return rasters.read_raster
    suffix = inner + ".gz" if packed else inner
    fitting = [*READERS, *(known + ".gz" for known in grids.PACKED)]
    wanted = f"wanted one of {', '.join(READERS)}, or pip install 'vkforge-renderer[geo]' for what rasterio opens"
    raise InputError(f"{printable(name)}: unknown file extension {suffix!r}{suggest(suffix, fitting)}; {wanted}")


def _conversion(
    name: str,
    grid: Grid,
    crs: Crs | None,
    unit: float | None,
    scale_offset: tuple[float, float],
    height_range: Any,
    nodata: Any,
) -> Conversion:
    """Return how a grid's stored values become metres."""
    holes = _nodata(grid, nodata)
    if height_range is not None:
        if grid.full_scale is None:
            raise InputError("height_range is for heightmaps of integers (.png, .tif); use scale and offset here")
        if scale_offset != (1.0, 0.0):
            raise InputError("both height_range and scale or offset are given; wanted one or the other")
        try:
            low, high = height_range
        except (TypeError, ValueError):
            raise InputError(f"height_range is {show(height_range)}; wanted (low, high) in metres") from None
        bottom = number("height_range", low)
        return Conversion(holes, (number("height_range", high) - bottom) / grid.full_scale, bottom)
    metres = _height_unit(name, grid, crs) if unit is None else unit
    scale, offset = scale_offset
    return Conversion(holes, grid.scale * metres * scale, grid.offset * metres * scale + offset)


def _nodata(grid: Grid, said: Any) -> tuple[float, ...]:
    if said is None:
        return grid.nodata
    if isinstance(said, str):
        text = said.strip().lower()
        if text == "none":
            return ()
        parts: Any = text.split(",")
    else:
        parts = said if isinstance(said, (tuple, list, set, np.ndarray)) else (said,)
    wanted = f"nodata is {show(said)}; wanted a number, several, or 'none'"
    try:
        values = tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        raise InputError(wanted) from None
    if any(isinstance(part, bool) for part in parts):
        raise InputError(wanted)
    return (*grid.nodata, *values)


def _height_unit(name: str, grid: Grid, crs: Crs | None) -> float:
    """Return the metres in a unit of a grid's heights, negative for depths: the band's unit, or the CRS's."""
    axis = None if crs is None else crs.height
    down = grid.depth or (axis is not None and axis < 0.0)
    said = (grid.z_unit or "").strip()
    metres = metres_per_unit(said) if said else abs(axis or 1.0)
    if metres is None:
        logger.warning(
            "%s: its heights are in %r, no unit of length that is known, and taken for metres; z_unit= says otherwise",
            name,
            said,
        )
        metres = 1.0
    elif metres != 1.0:
        logger.info("%s: heights in %s are turned into metres", name, said or (crs.height_unit if crs else ""))
    if down:
        logger.info("%s: holds depths, which are turned into heights; z_unit='m' takes them as they are", name)
    return -metres if down else metres


def _placed(
    name: str, grid: Grid, heights: np.ndarray, crs: Crs | None, *, cell_size_given: bool
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return heights from north to south and the arguments of `Terrain` that the file tells."""
    steps, transform = grid.cell_size, grid.transform
    if transform is not None:
        (rows, cols), (fine_rows, fine_cols) = heights.shape, grid.shape
        a, b, c, d, e, f = transform
        x, y = fine_cols / cols, fine_rows / rows
        transform = (a * x, b * y, c, d * x, e * y, f)
        heights, transform, steps = place.upright(name, heights, transform, crs)
    elif steps is not None:
        steps = steps[0] * grid.shape[1] / heights.shape[1], steps[1] * grid.shape[0] / heights.shape[0]
    if crs is None and transform is not None and place.must_be_degrees(name, grid, heights, transform):
        crs = read_crs(WGS84) or Crs(WGS84, True, 1.0)
    known: dict[str, Any] = {"crs": crs.text or None if crs else None, "transform": transform}
    if cell_size_given:
        return heights, known
    if steps is None:
        logger.info("%s: says no cell size; taking 1 m (cell_size= sets it)", name)
        # What is averaged down stands that much wider apart.
        known["cell_size"] = grid.shape[1] / heights.shape[1], grid.shape[0] / heights.shape[0]
        return heights, known
    known["cell_size"] = place.metres(name, crs, transform, (heights.shape[0], heights.shape[1]), steps)
    return heights, known
