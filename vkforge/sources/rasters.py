"""Reader of whatever rasterio opens (the `geo` extra): GeoTIFF, netCDF, pictures, subdatasets, URLs."""

from __future__ import annotations

import logging
import math
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from vkforge.errors import InputError, suggest
from vkforge.io import elevation_geo
from vkforge.scene.terrain import Affine
from vkforge.sources.colours import decode
from vkforge.sources.grid import Grid, Options, printable
from vkforge.sources.sidecars import read_prj, read_world

logger = logging.getLogger("vkforge")

_WINDOW = 1 << 22  # samples that are read at a time, unless one block of the file has more

# A server that does not answer is given up after these seconds, and one that stalls as long, unless the user says else.
HTTP = {"GDAL_HTTP_CONNECTTIMEOUT": "15", "GDAL_HTTP_LOW_SPEED_TIME": "20", "GDAL_HTTP_LOW_SPEED_LIMIT": "1"}

_COLOURS = {"red", "cyan", "hue", "Y", "palette"}  # what the first band of a colour picture is
_PICTURES = {"PNG", "JPEG", "WEBP", "BMP"}
_EAST = re.compile(r"degrees?_?e(ast)?", re.IGNORECASE)
_NORTH = re.compile(r"degrees?_?n(orth)?", re.IGNORECASE)
_DEPTHS = re.compile(r"depth|sea_floor_depth", re.IGNORECASE)  # standard names of CF that are positive downwards

# How far, in pixels, ground control points may lie beside the best affine transform that counts as theirs.
_ASTRAY = 0.1


def available() -> bool:
    """Return whether rasterio is installed."""
    return elevation_geo.available()


def http_settings() -> dict[str, Any]:
    """Return how long GDAL is to wait for servers, but for what the user or an environment of rasterio's says."""
    from rasterio.env import getenv, hasenv

    given = getenv() if hasenv() else {}
    return {key: value for key, value in HTTP.items() if key not in os.environ and key not in given}


@contextmanager
def read_raster(name: str, options: Options) -> Iterator[Grid]:
    """Read a band of whatever rasterio opens.

    Raises:
        InputError: not a raster, no such band or variable, colours or a palette where heights are wanted, ground
            control points that no affine transform fits.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    shown = printable(name)
    if shown != name and not _is_utf8(name):
        raise InputError(f"{shown}: has a name that is not UTF-8, which GDAL can't take; rename the file")
    packed = name.lower().endswith(".gz") and os.path.isfile(name)
    target = f"/vsigzip/{os.path.abspath(name)}" if packed else name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a plain heightmap is welcome
        try:
            with rasterio.Env(**http_settings()), rasterio.open(target) as dataset:
                inner = _subdataset(shown, dataset, options.key)
                if inner is None:
                    yield _grid(name, dataset, options)
                else:
                    with rasterio.open(inner) as one:
                        yield _grid(name, one, options)
        except RasterioError as error:
            raise InputError(
                f"{shown}: not a raster that rasterio can read, or truncated{_why(name, error)}"
            ) from error


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _why(name: str, error: Exception) -> str:
    """Return a hint at the suffix that may be meant, and GDAL's reason."""
    from rasterio.drivers import raster_driver_extensions

    suffix = Path(name).suffix.lower()
    known = [f".{extension}" for extension in raster_driver_extensions()] + [".npy", ".npz", ".gz"]
    hint = "" if suffix in known or not suffix else suggest(suffix, known)
    reasons = dict.fromkeys(" ".join(str(each).split()) for each in (error, error.__cause__) if each is not None)
    return f"{hint} ({'; '.join(filter(None, reasons)) or type(error).__name__})"


def _subdataset(name: str, dataset: Any, key: str | None) -> str | None:
    """Return the connection string of the variable `key`, or None where the dataset itself is meant."""
    inner = list(dataset.subdatasets)
    if key is not None:
        own = dataset.tags(1).get("NETCDF_VARNAME") if dataset.count else None
        if own == key:
            return None
        names = {each.rpartition(":")[2].lstrip("/"): each for each in inner}
        if not names and own is None:
            raise InputError(f"{name}: key={key!r} means nothing to this kind of file; leave it out")
        if key not in names:
            held = ", ".join(names) or own
            raise InputError(f"{name}: holds no variable {key!r}{suggest(key, names)} (there are {held})")
        return names[key]
    if dataset.count == 0 and inner:
        raise InputError(f"{name}: holds several rasters; open one of them by key= or by its name: {', '.join(inner)}")
    return None


def _grid(name: str, dataset: Any, options: Options) -> Grid:
    shown, band = printable(name), options.band or 1
    if band > dataset.count:
        raise InputError(f"{shown}: has no band {band}; it has {dataset.count}")
    dtype = np.dtype(dataset.dtypes[band - 1])
    if dtype.kind not in "fiub":
        raise InputError(f"{shown}: band {band} holds {dtype}; wanted real numbers")
    transform = _transform(name, dataset, options)
    crs = dataset.crs or (dataset.gcps[1] if transform is not None else None) or None
    prj = read_prj(name) if crs is None and transform is not None and os.path.isfile(name) else None
    block_rows, block_cols = dataset.block_shapes[band - 1]
    grid = Grid(
        (dataset.height, dataset.width),
        dtype,
        _reading(shown, dataset, options),
        window=_window(dataset.width, block_rows, block_cols),
        transform=transform,
        crs=crs if prj is None else prj.crs,
        degrees=crs is None and _says_degrees(dataset),
    )
    if options.encoding is not None:
        return grid
    if dtype.kind in "iu":
        bits = dataset.tags(band, ns="IMAGE_STRUCTURE").get("NBITS")
        grid.full_scale = (1 << int(bits)) - 1 if bits else int(np.iinfo(dtype).max)
    tags = dataset.tags(band)
    grid.nodata = () if dataset.nodatavals[band - 1] is None else (float(dataset.nodatavals[band - 1]),)
    grid.scale, grid.offset = dataset.scales[band - 1], dataset.offsets[band - 1]
    grid.z_unit = dataset.units[band - 1] or (prj.z_unit if prj else None)
    positive, standard = tags.get("positive", "").lower(), tags.get("standard_name", "")
    grid.depth = positive == "down" or (positive != "up" and bool(_DEPTHS.match(standard)))
    return grid


def _window(cols: int, block_rows: int, block_cols: int) -> tuple[int, int]:
    """Return the rows and columns of windows made of whole blocks."""
    wide = min(cols, max(1, _WINDOW // (block_rows * block_cols)) * block_cols)
    return max(1, _WINDOW // (wide * block_rows)) * block_rows, wide


def _reading(name: str, dataset: Any, options: Options) -> Any:
    """Return a reader of windows: one band, or what an encoding makes of the colours; grey stored as RGB will do."""
    from rasterio.enums import MaskFlags
    from rasterio.windows import Window

    band, grey = options.band or 1, _may_be_grey(dataset)
    by_value = MaskFlags.nodata in dataset.mask_flag_enums[band - 1]  # which the path of all readers does

    def read(top: int, end: int, left: int, right: int) -> np.ndarray:
        window = Window.from_slices((top, end), (left, right))
        if options.encoding is not None:
            return decode(options.encoding, dataset.read((1, 2, 3), window=window, masked=True))
        values = dataset.read(band, window=window, masked=not by_value)
        if grey and options.band is None:
            others = dataset.read((2, 3), window=window)
            if not (others == np.ma.getdata(values)).all():
                raise no_heights(name, "red, green and blue")
        return values

    if options.encoding is not None:
        if dataset.count < 3 or dataset.dtypes[0] != "uint8":
            raise InputError(f"{name}: encoding={options.encoding!r} wants red, green and blue of 8 bits")
        if options.band is not None:
            raise InputError(f"{name}: both band and encoding are given; wanted one or the other")
    elif options.band is None and dataset.colorinterp[0].name in _COLOURS and not grey:
        raise no_heights(name, "a palette" if dataset.colorinterp[0].name == "palette" else "its colours")
    return read


def _may_be_grey(dataset: Any) -> bool:
    """Return whether a picture has colours that may all be grey, as drawing programs save heightmaps."""
    return dataset.driver in _PICTURES and dataset.count >= 3 and dataset.colorinterp[0].name == "red"


def no_heights(name: str, what: str) -> InputError:
    """Return the error of a picture whose channels are colours."""
    return InputError(
        f"{name}: is a colour picture ({what}); wanted one channel of heights, best with 16 bits (encoding='mapbox' or "
        "'terrarium' if its colours hold heights, band=1 if the numbers of that band are heights)"
    )


def _transform(name: str, dataset: Any, options: Options) -> Affine | None:
    """Return the dataset's transform, or that of its ground control points; None of a plain heightmap."""
    if dataset.driver == "PNM":
        return read_world(name)  # GDAL makes up one from memory that it did not write
    if not dataset.transform.is_identity:
        a, b, c, d, e, f = tuple(dataset.transform)[:6]
        return a, b, c, d, e, f
    shown = printable(name)
    points, _ = dataset.gcps
    if points and not options.cell_size_given:
        return _of_points(shown, points)
    if points or dataset.rpcs is not None:
        logger.warning(
            "%s: lies by ground control points or RPCs, which are left out; gdalwarp makes a raster on a grid of it",
            shown,
        )
    return None


def _of_points(name: str, points: Any) -> Affine:
    """Return the affine transform that ground control points lie on.

    Raises:
        InputError: they lie on none.
    """
    from rasterio.transform import from_gcps

    a, b, c, d, e, f = tuple(from_gcps(points))[:6]
    advice = "gdalwarp makes a raster on a grid of it; cell_size= takes it as it is"
    off = [(a * p.col + b * p.row + c - p.x, d * p.col + e * p.row + f - p.y) for p in points]
    step = max(min(math.hypot(a, d), math.hypot(b, e)), 1e-30)
    astray = max(math.hypot(*each) for each in off) / step
    if astray > _ASTRAY or len(points) < 3:
        raise InputError(
            f"{name}: is placed by {len(points)} ground control points, {astray:.2g} pixels off any grid; {advice}"
        )
    logger.info("%s: is placed by %d ground control points", name, len(points))
    return a, b, c, d, e, f


def _says_degrees(dataset: Any) -> bool:
    """Return whether the axes of a netCDF grid say degrees_east and degrees_north (CF conventions 4.1 and 4.2)."""
    units = [value for key, value in dataset.tags().items() if key.lower().endswith("#units")]
    return any(map(_EAST.fullmatch, units)) and any(map(_NORTH.fullmatch, units))
