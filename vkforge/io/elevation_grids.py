"""Readers of plain grids: NumPy files, Esri ASCII grids, SRTM tiles."""

from __future__ import annotations

import gzip
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from vkforge.errors import InputError, suggest
from vkforge.io.elevation import Grid, Options, logger
from vkforge.io.geodesy import looks_like_degrees
from vkforge.scene.terrain import Affine

_KEYS = ("elevation", "heights", "dem", "z")
_HGT_NAME = re.compile(r"([NS])(\d{1,2})([EW])(\d{1,3})", re.IGNORECASE)
_HGT_VOID = -32768


def read_npy(name: str, options: Options) -> Grid:
    """Read the one array of a `.npy` file, memory-mapped: Terrain makes the only copy."""
    return Grid(np.load(name, mmap_mode="r", allow_pickle=False))


def read_npz(name: str, options: Options) -> Grid:
    """Read an array of a `.npz` file, with `dx`, `dy` and `xmin`, `xmax`, `ymin`, `ymax` where it has them.

    Matplotlib's sample `jacksboro_fault_dem.npz` is laid out so. `ymin` and `ymax` may stand in either order (that
    file has the first row's in `ymin`); row 0 is north.
    """
    with np.load(name, allow_pickle=False) as file:
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise InputError(f"{name}: is a single array, not an .npz archive; name it .npy")
        heights = file[_npz_key(name, file, options.key)]
        numbers = {
            key: float(file[key]) for key in ("dx", "dy", "xmin", "xmax", "ymin", "ymax") if _is_number(file, key)
        }
    if "dx" not in numbers:
        return Grid(heights)
    dx, dy = abs(numbers["dx"]), abs(numbers.get("dy", numbers["dx"]))
    if not {"xmin", "ymin", "ymax"} <= numbers.keys():
        return Grid(heights, (dx, dy))
    return _placed(heights, dx, dy, numbers["xmin"], max(numbers["ymin"], numbers["ymax"]), name)


def _is_number(file: Any, key: str) -> bool:
    return key in file and file[key].size == 1 and file[key].dtype.kind in "fiu"


def _npz_key(name: str, file: Any, key: str | None) -> str:
    if key is not None:
        if key not in file:
            raise InputError(f"{name}: holds no array {key!r}{suggest(key, file)} (there are {', '.join(file)})")
        return key
    flat = [entry for entry in file if file[entry].ndim == 2]
    chosen = flat if len(flat) == 1 else [entry for entry in _KEYS if entry in flat]
    if not chosen:
        held = ", ".join(f"{entry} {file[entry].shape}" for entry in file) or "nothing"
        raise InputError(f"{name}: wanted one 2-D array, or one called {', '.join(_KEYS)}, or key=; it holds {held}")
    return chosen[0]


def _placed(
    heights: np.ndarray, dx: float, dy: float, west: float, north: float, name: str, prj: str | None = None
) -> Grid:
    """Return the grid whose outer upper left corner is at (west, north), in degrees if its CRS or its looks say so."""
    rows, cols = heights.shape
    transform: Affine = (dx, 0.0, west, 0.0, -dy, north)
    if prj is None:
        geographic = looks_like_degrees(dx, dy, west, north, rows, cols)
        if geographic:
            logger.info("%s: has no CRS; its extent reads as longitudes and latitudes (WGS 84)", name)
    else:
        geographic = prj.lstrip().upper().startswith(("GEOGCS", "GEOGCRS"))
    if not geographic:
        return Grid(heights, (dx, dy), crs=prj, transform=transform)
    latitude = north - rows * dy / 2
    return Grid(heights, (dx, dy), "degrees", latitude, prj or "EPSG:4326", transform)


def read_asc(name: str, options: Options) -> Grid:
    """Read an Esri ASCII grid, with the `.prj` beside it where there is one."""
    content = _content(name)
    header: dict[str, float] = {}
    position = 0
    for line in re.finditer(rb"[^\r\n]*(?:\r\n|\r|\n|$)", content):
        words = line.group().split()
        if words and not words[0][:1].isalpha():
            break
        if words:
            if len(words) != 2:
                raise InputError(
                    f"{name}: header line {line.group()[:60]!r} is not a name and a number; no Esri ASCII grid"
                )
            header[words[0].decode("ascii", "replace").lower()] = float(words[1])
        position = line.end()
        if position >= len(content):
            break
    missing = [entry for entry in ("ncols", "nrows") if entry not in header]
    if missing or not ("cellsize" in header or {"dx", "dy"} <= header.keys()):
        raise InputError(f"{name}: no Esri ASCII grid, the header lacks {', '.join(missing) or 'cellsize'}")
    rows, cols = int(header["nrows"]), int(header["ncols"])
    values = np.fromstring(content[position:].decode("ascii"), dtype=np.float64, sep=" ")
    if rows < 1 or cols < 1 or values.size != rows * cols:
        raise InputError(f"{name}: wanted {rows} rows of {cols} heights, found {values.size} numbers; is it truncated?")
    heights = values.reshape(rows, cols)
    nodata = header.get("nodata_value", -9999.0)
    if not math.isnan(nodata):
        heights[heights == nodata] = np.nan
    dx, dy = header.get("dx", header.get("cellsize", 0.0)), header.get("dy", header.get("cellsize", 0.0))
    if not (dx > 0 and dy > 0):
        raise InputError(f"{name}: cellsize is {dx:g}; wanted more than 0")
    west = header.get("xllcorner", header.get("xllcenter", dx / 2) - dx / 2)
    south = header.get("yllcorner", header.get("yllcenter", dy / 2) - dy / 2)
    prj = Path(name.removesuffix(".gz")).with_suffix(".prj")
    wkt = prj.read_text(errors="replace").strip() if prj.is_file() else None
    return _placed(heights, dx, dy, west, south + rows * dy, name, wkt or None)


def read_hgt(name: str, options: Options) -> Grid:
    """Read an SRTM tile: one degree square of big-endian int16, named by its south-west corner, edges included."""
    content = _content(name)
    side = math.isqrt(len(content) // 2)
    if 2 * side * side != len(content) or side < 2:
        raise InputError(
            f"{name}: {len(content)} bytes is no square of 16-bit heights; truncated? wanted 1201x1201 or 3601x3601"
        )
    heights = np.frombuffer(content, ">i2").reshape(side, side).astype(np.float32)
    heights[heights == _HGT_VOID] = np.nan
    if (tile := _HGT_NAME.match(Path(name).name)) is None:
        logger.info("%s: the name gives no position, as N36W085.hgt does", name)
        return Grid(heights)
    latitude = int(tile[2]) * (1 if tile[1] in "Nn" else -1)
    longitude = int(tile[4]) * (1 if tile[3] in "Ee" else -1)
    cell = 1.0 / (side - 1)
    transform: Affine = (cell, 0.0, longitude - cell / 2, 0.0, -cell, latitude + 1 + cell / 2)
    return Grid(heights, (cell, cell), "degrees", latitude + 0.5, "EPSG:4326", transform)


def _content(name: str) -> bytes:
    if name.lower().endswith(".gz"):
        with gzip.open(name) as file:
            return file.read()
    return Path(name).read_bytes()
