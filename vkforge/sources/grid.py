"""What readers find in a file before they read its heights, and what users may say of it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vkforge.errors import InputError, suggest
from vkforge.scene.terrain import Affine

ENCODINGS = ("mapbox", "terrarium")

# Of drives on Windows one letter; of GDAL and rasterio two or more, as in netcdf:, HDF5:, zip+https:, s3:.
_CONNECTION = re.compile(r"[A-Za-z][A-Za-z0-9_+.]+:")


@dataclass(frozen=True)
class Options:
    """The arguments of `open_terrain` that are for readers.

    Attributes:
        key: name of an array or variable, or None.
        band: number of a band from 1, or None for the first.
        encoding: one of ENCODINGS, or None.
        cell_size_given: the user says where samples stand, so that a reader need not find out.
    """

    key: str | None = None
    band: int | None = None
    encoding: str | None = None
    cell_size_given: bool = False

    def refuse(self, name: str, *words: str) -> None:
        """Raise InputError where one of these options is given, which this kind of file can't honour."""
        for word in words:
            if getattr(self, word) is not None:
                raise InputError(
                    f"{name}: {word}={getattr(self, word)!r} means nothing to this kind of file; leave it out"
                )


@dataclass
class Grid:
    """What a reader finds in a file's header. Heights come later, by `read`.

    Attributes:
        shape: (rows, cols).
        dtype: of what is stored.
        read: (first row, end row, first column, end column) to that window of stored values, masked or NaN where the
            file itself says that there is nothing. Windows are asked for in order, each once.
        window: (rows, cols) of windows that suit the file.
        nodata: stored values that stand for nothing.
        scale: heights in the file's unit are stored * scale + offset.
        offset: see `scale`.
        z_unit: that unit as the file names it, or None.
        depth: the file says that its values are depths.
        transform: affine (a, b, c, d, e, f) in CRS units from the outer corner of the upper left pixel, or None.
        cell_size: (dx, dy) in the CRS's units, of a grid without position.
        crs: text or object of a CRS, or None.
        degrees: the file says that coordinates are longitude and latitude, with no CRS.
        full_scale: the dtype's largest value where heights are stored as integers of a picture, for `height_range`.
    """

    shape: tuple[int, int]
    dtype: np.dtype
    read: Callable[[int, int, int, int], np.ndarray]
    window: tuple[int, int] | None = None
    nodata: tuple[float, ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    z_unit: str | None = None
    depth: bool = False
    transform: Affine | None = None
    cell_size: tuple[float, float] | None = None
    crs: Any = None
    degrees: bool = False
    full_scale: int | None = None

    @classmethod
    def of_array(cls, values: np.ndarray, **known: Any) -> Grid:
        """Return that of an array in memory or mapped."""
        if values.ndim != 2:
            raise InputError(f"heights have shape {values.shape}; wanted a 2-D array (rows, cols)")
        rows, cols = values.shape
        return cls((rows, cols), values.dtype, lambda top, end, left, right: values[top:end, left:right], **known)


# A reader opens a file; leaving its context closes it.
Reader = Callable[[str, Options], AbstractContextManager[Grid]]


def is_remote(name: str) -> bool:
    """Return whether a name is rasterio's to find: no file of that name is there, and it looks like one of GDAL's."""
    if name.startswith("/vsi") or "://" in name:
        return True
    return bool(_CONNECTION.match(name)) and not os.path.lexists(name)


def check_file(name: str) -> None:
    """Raise InputError where there is no file that can be read, or nothing in it."""
    path = Path(name)
    try:
        state = path.stat()
        if stat.S_ISREG(state.st_mode):
            path.open("rb").close()
    except FileNotFoundError:
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise InputError(f"{printable(name)}: no such file{suggest(path.name, siblings)}") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise InputError(f"{printable(name)}: can't be read ({getattr(error, 'strerror', None) or error})") from None
    if stat.S_ISDIR(state.st_mode):
        return  # some grids are folders
    if not stat.S_ISREG(state.st_mode):
        raise InputError(
            f"{printable(name)}: is a pipe or a device, no file; save it into one, or give an array of heights"
        )
    if state.st_size == 0:
        raise InputError(f"{printable(name)}: the file is empty (0 bytes); wanted an elevation grid")


def printable(name: str) -> str:
    """Return a path that any terminal can show: bytes that are not UTF-8 as escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace") if not name.isascii() else name
