"""Readers of plain grids: Esri ASCII grids, SRTM tiles, raw heightmaps."""

from __future__ import annotations

import gzip
import logging
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np

from vkforge.errors import InputError
from vkforge.scene.crs import WGS84
from vkforge.scene.terrain import Affine
from vkforge.sources.grid import Grid, Options
from vkforge.sources.load import LARGEST_SIDE
from vkforge.sources.sidecars import read_prj

logger = logging.getLogger("vkforge")

PACKED = (".asc", ".hgt")  # of which .gz is read too

_HGT_NAME = re.compile(r"([NS])(\d{1,2})([EW])(\d{1,3})", re.IGNORECASE)
_HGT_VOID = -32768.0
# Rows of a tile of 3, 1 and 1/3 arc seconds; towards the poles columns are 2 to 10 times as far apart.
_HGT_ROWS = (1201, 3601, 10801)
_HGT_SPARSER = (1, 1.5, 2, 3, 4, 5, 6, 10)

_HEADER_BYTES = 65536
_CHUNK = 1 << 18  # bytes of text that are read at a time


def _open(name: str) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(name)) if name.lower().endswith(".gz") else open(name, "rb")


@contextmanager
def read_asc(name: str, options: Options) -> Iterator[Grid]:
    """Read an Esri ASCII grid, with the `.prj` beside it where there is one."""
    options.refuse(name, "key", "band", "encoding")
    with _open(name) as stream:
        header, start = _asc_header(name, stream.read(_HEADER_BYTES))
        missing = [entry for entry in ("ncols", "nrows") if entry not in header]
        if missing or not ("cellsize" in header or {"dx", "dy"} <= header.keys()):
            raise InputError(f"{name}: no Esri ASCII grid, the header lacks {', '.join(missing) or 'cellsize'}")
        numbers = {key: _asc_number(name, key, word) for key, word in header.items() if key != "nodata_value"}
        rows, cols = int(numbers["nrows"]), int(numbers["ncols"])
        dx, dy = (numbers.get(step, numbers.get("cellsize", 0.0)) for step in ("dx", "dy"))
        if not (dx > 0 and dy > 0):
            raise InputError(f"{name}: cellsize is {min(dx, dy):g}; wanted more than 0")
        west = numbers.get("xllcorner", numbers.get("xllcenter", dx / 2) - dx / 2)
        south = numbers.get("yllcorner", numbers.get("yllcenter", dy / 2) - dy / 2)
        prj = read_prj(name)
        transform: Affine = (dx, 0.0, west, 0.0, -dy, south + rows * dy)
        stream.seek(start)
        yield Grid(
            (rows, cols),
            np.dtype(np.float32),
            _AscValues(name, stream, rows, cols).read,
            nodata=_asc_nodata(header.get("nodata_value")),
            scale=1.0 / prj.z_scale,
            z_unit=prj.z_unit,
            transform=transform,
            crs=prj.crs,
        )


def _asc_header(name: str, content: bytes) -> tuple[dict[str, str], int]:
    """Return the words of the header by their names in lower case, and where the heights begin."""
    header: dict[str, str] = {}
    position = 0
    for line in re.finditer(rb"[^\r\n]*(?:\r\n|\r|\n|$)", content):
        words = line.group().split()
        if words and (not words[0][:1].isalpha() or words[0].lower() in (b"nan", b"null", b"inf")):
            break
        if words:
            if len(words) != 2:
                raise InputError(
                    f"{name}: header line {line.group()[:60]!r} is not a name and a number; no Esri ASCII grid"
                )
            header[words[0].decode("ascii", "replace").lower()] = words[1].decode("ascii", "replace")
        position = line.end()
        if position >= len(content):
            break
    return header, position


def _asc_number(name: str, key: str, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{name}: {key} is {word!r} in the header; wanted a number")
    return value


def _asc_nodata(word: str | None) -> tuple[float, ...]:
    """Return what stands for nothing: -9999 where the header is silent; "null" is float32's lowest, as for GDAL."""
    if word is None:
        return (-9999.0,)
    if word.lower() == "null":
        return (float(np.finfo(np.float32).min),)
    try:
        return (float(word),)
    except ValueError:
        return (-9999.0,)


class _AscValues:
    """The numbers of an ASCII grid, parsed as they are asked for."""

    def __init__(self, name: str, stream: IO[bytes], rows: int, cols: int) -> None:
        self._name, self._stream, self._rows, self._cols = name, stream, rows, cols
        self._text, self._values, self._found = b"", np.empty(0, np.float32), 0

    def read(self, top: int, end: int, left: int, right: int) -> np.ndarray:
        """Return rows, which come in their order."""
        wanted = (end - top) * self._cols
        while len(self._values) < wanted:
            more = self._parse()
            if more is None:
                raise self._count(self._found)
            self._values = np.concatenate([self._values, more])
        values, self._values = self._values[:wanted], self._values[wanted:]
        while end == self._rows and not len(self._values):
            more = self._parse()
            if more is None:
                break
            self._values = more
        if end == self._rows and len(self._values):
            raise self._count(self._found)
        return values.reshape(end - top, self._cols)

    def _count(self, found: int) -> InputError:
        wanted = f"wanted {self._rows} rows of {self._cols} heights, found {found} numbers"
        short = found < self._rows * self._cols
        return InputError(f"{self._name}: {wanted}{'; is it truncated?' if short else ' or more'}")

    def _parse(self) -> np.ndarray | None:
        """Return the numbers of the next chunk of text, or None at its end."""
        chunk = self._stream.read(_CHUNK)
        text = self._text + chunk
        if not text.strip():
            return None
        cut = len(text)
        if chunk:
            cut = max(text.rfind(space) for space in (b" ", b"\n", b"\t", b"\r")) + 1
            if cut == 0 and len(text) > _CHUNK:
                raise InputError(f"{self._name}: holds a word of {len(text)} letters; no Esri ASCII grid")
        self._text = text[cut:]
        words = text[:cut].decode("ascii").replace("null", "nan").replace("NULL", "nan")
        numbers = np.fromstring(words, dtype=np.float64, sep=" ") if words.strip() else np.empty(0)
        self._found += len(numbers)
        with np.errstate(over="ignore"):
            return numbers.astype(np.float32)


@contextmanager
def read_hgt(name: str, options: Options) -> Iterator[Grid]:
    """Read an SRTM tile: one degree square of big-endian int16, named by its south-west corner, edges included.

    Towards the poles tiles have fewer columns than rows.
    """
    options.refuse(name, "key", "band", "encoding")
    largest = 2 * max(_HGT_ROWS) ** 2
    with _open(name) as stream:
        content = stream.read(largest + 1)
    shape = _hgt_shape(len(content))
    if shape is None:
        found = f"more than {largest}" if len(content) > largest else len(content)
        raise InputError(
            f"{name}: {found} bytes are no tile of 16-bit heights; truncated? wanted 1201x1201, 3601x3601, or fewer "
            "columns of as many rows"
        )
    rows, cols = shape
    heights = np.frombuffer(content, ">i2").reshape(rows, cols)
    if (tile := _HGT_NAME.match(Path(name).name)) is None:
        logger.info("%s: the name gives no position, as N36W085.hgt does", name)
        yield Grid.of_array(heights, nodata=(_HGT_VOID,))
        return
    latitude = int(tile[2]) * (1 if tile[1] in "Nn" else -1)
    longitude = int(tile[4]) * (1 if tile[3] in "Ee" else -1)
    dx, dy = 1.0 / (cols - 1), 1.0 / (rows - 1)
    transform: Affine = (dx, 0.0, longitude - dx / 2, 0.0, -dy, latitude + 1 + dy / 2)
    yield Grid.of_array(heights, nodata=(_HGT_VOID,), transform=transform, crs=WGS84)


def _hgt_shape(size: int) -> tuple[int, int] | None:
    samples = size // 2
    side = math.isqrt(samples)
    if size % 2 or side < 2:
        return None
    if side * side == samples:
        return side, side
    wide = {(rows, round((rows - 1) / factor) + 1) for rows in _HGT_ROWS for factor in _HGT_SPARSER}
    return next((shape for shape in wide if shape[0] * shape[1] == samples), None)


@contextmanager
def read_raw(name: str, options: Options) -> Iterator[Grid]:
    """Read a square raw heightmap: `.r16` little-endian unsigned 16-bit integers, `.r32` 32-bit floats."""
    options.refuse(name, "key", "band", "encoding")
    dtype = np.dtype("<u2") if name.lower().endswith(".r16") else np.dtype("<f4")
    size = Path(name).stat().st_size
    side = math.isqrt(size // dtype.itemsize)
    if side * side * dtype.itemsize != size or side > LARGEST_SIDE:
        raise InputError(
            f"{name}: {size} bytes are no square of {dtype.itemsize * 8}-bit heights; of another shape it takes "
            f"Terrain(np.fromfile(path, {dtype.str!r}).reshape(rows, cols))"
        )
    full_scale = 65535 if dtype.kind == "u" else None
    yield Grid.of_array(np.memmap(name, dtype, "r", shape=(side, side)), full_scale=full_scale)
