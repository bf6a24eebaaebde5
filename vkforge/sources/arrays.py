"""Readers of NumPy files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from vkforge.errors import InputError, suggest
from vkforge.scene.terrain import Affine
from vkforge.sources.grid import Grid, Options

_KEYS = ("elevation", "heights", "dem", "z")
_NUMBERS = ("dx", "dy", "xmin", "xmax", "ymin", "ymax")


@contextmanager
def read_npy(name: str, options: Options) -> Iterator[Grid]:
    """Read the one array of a `.npy` file."""
    options.refuse(name, "key", "band", "encoding")
    if zipfile.is_zipfile(name):
        raise InputError(f"{name}: is an archive of arrays; name it .npz")
    with open(name, "rb") as stream:
        header = _read_header(stream)
        _check(name, "it", header)
        yield Grid((header[0][0], header[0][1]), header[2], _rows(name, stream, header))


@contextmanager
def read_npz(name: str, options: Options) -> Iterator[Grid]:
    """Read an array of a `.npz` file, with `dx`, `dy` and `xmin`, `xmax`, `ymin`, `ymax` where it has them.

    Matplotlib's sample `jacksboro_fault_dem.npz` is laid out so. `ymin` and `ymax` may stand in either order (that
    file has the first row's in `ymin`); row 0 is north. Members beside these are not unpacked.
    """
    options.refuse(name, "band", "encoding")
    with zipfile.ZipFile(name) as archive:
        members = {entry.removesuffix(".npy"): _header(archive, entry) for entry in archive.namelist()}
        key = _chosen(name, members, options.key)
        numbers = {word: _number(archive, word) for word in _NUMBERS if _is_number(members.get(word))}
        header = members[key]
        _check(name, repr(key), header)
        with archive.open(f"{key}.npy") as stream:
            _read_header(stream)
            yield Grid((header[0][0], header[0][1]), header[2], _rows(name, stream, header), **_placed(numbers))


Header = tuple[tuple[int, ...], bool, np.dtype]  # shape, stored by columns, dtype


def _header(archive: zipfile.ZipFile, entry: str) -> Header:
    """Return what stands before a member's numbers; of what is no array shape () and dtype object."""
    with archive.open(entry) as stream:
        try:
            return _read_header(stream)
        except ValueError:
            return (), False, np.dtype(object)


def _read_header(stream: IO[bytes]) -> Header:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(stream)


def _is_number(header: Header | None) -> bool:
    return header is not None and int(np.prod(header[0])) == 1 and header[2].kind in "fiu"


def _number(archive: zipfile.ZipFile, word: str) -> float:
    with archive.open(f"{word}.npy") as stream:
        return float(np.lib.format.read_array(stream, allow_pickle=False).ravel()[0])


def _chosen(name: str, members: dict[str, Header], key: str | None) -> str:
    if key is not None:
        if key not in members:
            raise InputError(f"{name}: holds no array {key!r}{suggest(key, members)} (there are {', '.join(members)})")
        return key
    flat = [entry for entry, (shape, _, dtype) in members.items() if len(shape) == 2 and dtype.kind in "fiub"]
    chosen = flat if len(flat) == 1 else [entry for entry in _KEYS if entry in flat]
    if not chosen:
        held = ", ".join(f"{entry} {members[entry][0]}" for entry in members) or "nothing"
        raise InputError(f"{name}: wanted one 2-D array, or one called {', '.join(_KEYS)}, or key=; it holds {held}")
    return chosen[0]


def _check(name: str, what: str, header: Header) -> None:
    shape, _, dtype = header
    if dtype.kind not in "fiub":
        raise InputError(f"{name}: {what} holds {dtype}; wanted real numbers (float or integer)")
    if len(shape) != 2:
        raise InputError(f"{name}: {what} has shape {shape}; wanted a 2-D array (rows, cols)")


def _rows(name: str, stream: IO[bytes], header: Header) -> Any:
    """Return a reader of windows of what follows a header, which goes never further than that claims."""
    (rows, cols), by_columns, dtype = header
    whole: list[np.ndarray] = []

    def take(count: int) -> np.ndarray:
        data = stream.read(count * dtype.itemsize)
        if len(data) != count * dtype.itemsize:
            raise InputError(f"{name}: is cut short; its header has {rows} rows of {cols} {dtype}")
        return np.frombuffer(data, dtype)

    def read(top: int, end: int, left: int, right: int) -> np.ndarray:
        if not by_columns:
            return take((end - top) * cols).reshape(end - top, cols)
        if not whole:
            whole.append(take(rows * cols).reshape(cols, rows).T)
        return whole[0][top:end, left:right]

    return read


def _placed(numbers: dict[str, float]) -> dict[str, Any]:
    if "dx" not in numbers:
        return {}
    dx, dy = abs(numbers["dx"]), abs(numbers.get("dy", numbers["dx"]))
    if not {"xmin", "ymin", "ymax"} <= numbers.keys():
        return {"cell_size": (dx, dy)}
    transform: Affine = (dx, 0.0, numbers["xmin"], 0.0, -dy, max(numbers["ymin"], numbers["ymax"]))
    return {"transform": transform}
