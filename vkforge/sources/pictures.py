"""Readers of heightmaps in pictures: by rasterio where it is installed, else by Pillow; and OpenEXR."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from vkforge.errors import InputError, MissingDependencyError, suggest
from vkforge.scene.checks import show
from vkforge.sources import rasters
from vkforge.sources.colours import decode
from vkforge.sources.grid import Grid, Options
from vkforge.sources.sidecars import GEOREFERENCE_TAGS, has_aux_xml, read_prj, read_world

_BITS, _SAMPLES, _SAMPLE_FORMAT, _GDAL_METADATA, _GDAL_NODATA = 258, 277, 339, 42112, 42113

# (bits, sample format of TIFF 6.0) that Pillow keeps: unsigned integers and 32-bit floats.
_TRUSTED = {(8, 1), (16, 1), (32, 3)}

_EXR_KEYS = ("height", "Y", "Z", "R")


@contextmanager
def read_picture(name: str, options: Options) -> Iterator[Grid]:
    """Read a one-channel picture of 8, 16 or 32 bits; colours are refused, but for grey stored as RGB or an encoding.

    Raises:
        InputError: no picture, damaged, or coloured.
        MissingDependencyError: what Pillow narrows or leaves out, which takes rasterio.
    """
    if rasters.available():
        with rasters.read_raster(name, options) as grid:
            yield grid
        return
    from PIL import Image, UnidentifiedImageError

    options.refuse(name, "key", "band")
    try:
        opened = Image.open(name)
    except UnidentifiedImageError:
        raise MissingDependencyError(
            f"{name}: is a picture that Pillow can't read; it may take rasterio: pip install 'vkforge-renderer[geo]'"
        ) from None
    with opened as picture:
        _refuse_what_pillow_drops(name, picture)
        cols, rows = picture.size
        nodata = _tiff_nodata(name, picture)
        transform, prj = read_world(name), read_prj(name)
        loaded: list[np.ndarray] = []

        def read(top: int, end: int, left: int, right: int) -> np.ndarray:
            if not loaded:
                loaded.append(_values(name, picture, options))
            return loaded[0][top:end, left:right]

        dtype = np.dtype("f4" if picture.mode == "F" else "u2" if picture.mode.startswith("I") else "u1")
        full_scale = None if picture.mode == "F" or options.encoding else (1 << 8 * dtype.itemsize) - 1
        crs = prj.crs if transform is not None else None
        yield Grid((rows, cols), dtype, read, nodata=nodata, transform=transform, crs=crs, full_scale=full_scale)


def _refuse_what_pillow_drops(name: str, picture: Any) -> None:
    def refuse(what: str) -> None:
        raise MissingDependencyError(f"{name}: {what} takes rasterio: pip install 'vkforge-renderer[geo]'")

    if has_aux_xml(name):
        refuse("an .aux.xml beside it, which")
    tags = getattr(picture, "tag_v2", None)
    if tags is not None:
        if any(tag in tags for tag in GEOREFERENCE_TAGS):
            refuse("is a GeoTIFF, whose cell size and CRS")
        bits = tags.get(_BITS, (1,))
        kind = (bits[0] if isinstance(bits, tuple) else bits, np.ravel(tags.get(_SAMPLE_FORMAT, 1))[0])
        if kind not in _TRUSTED or tags.get(_SAMPLES, 1) != 1 or _GDAL_METADATA in tags:
            refuse(f"a TIFF of {kind[0]} bits, format {kind[1]} and {tags.get(_SAMPLES, 1)} channels")
    if picture.format == "PNG":
        with open(name, "rb") as stream:
            header = stream.read(26)
        if header[24] == 16 and header[25] != 0:  # bit depth and colour type of IHDR (PNG, W3C 2003, 11.2.2)
            refuse("a PNG of 16 bits with colours or alpha")


def _tiff_nodata(name: str, picture: Any) -> tuple[float, ...]:
    """Return what a TIFF's GDAL_NODATA tag or a PNG's tRNS says stands for nothing."""
    tags = getattr(picture, "tag_v2", {})
    if _GDAL_NODATA in tags:
        text = str(tags[_GDAL_NODATA]).strip("\0 ")
        try:
            return (float(text),)
        except ValueError:
            raise InputError(f"{name}: its nodata is {show(text)}, no number; nodata='none' leaves it out") from None
    clear = picture.info.get("transparency")
    return (float(clear),) if isinstance(clear, int) else ()


def _values(name: str, picture: Any, options: Options) -> np.ndarray:
    mode = picture.mode
    values = np.asarray(picture)
    alpha = values[..., -1] == 0 if mode in ("LA", "RGBA") else np.zeros(values.shape[:2], bool)
    if options.encoding is not None:
        if mode not in ("RGB", "RGBA"):
            raise InputError(f"{name}: encoding={options.encoding!r} wants red, green and blue of 8 bits")
        colours = np.moveaxis(values[..., :3], -1, 0)
        return decode(options.encoding, np.ma.masked_array(colours, np.broadcast_to(alpha, colours.shape)))
    if mode == "P" or values.ndim == 3:
        channels = values[..., :3] if mode in ("RGB", "RGBA") else values[..., :1]
        if mode not in ("RGB", "RGBA", "LA") or not (channels == channels[..., :1]).all():
            raise rasters.no_heights(name, f"mode {mode}")
        values = channels[..., 0]
    if mode == "1":
        values = values.astype(np.uint8)
    return np.ma.masked_array(values, alpha) if alpha.any() else values


@contextmanager
def read_exr(name: str, options: Options) -> Iterator[Grid]:
    """Read a channel of an OpenEXR file: that called `key`, or the only one, or height, Y, Z or R.

    Raises:
        InputError: damaged, or no such channel.
    """
    import OpenEXR

    options.refuse(name, "band", "encoding")
    with OpenEXR.File(name, header_only=True) as file:
        left, top = file.header()["dataWindow"][0]
        right, bottom = file.header()["dataWindow"][1]
    rows, cols = int(bottom - top) + 1, int(right - left) + 1
    loaded: list[np.ndarray] = []

    def read(first: int, end: int, start: int, stop: int) -> np.ndarray:
        if not loaded:
            with OpenEXR.File(name, separate_channels=True) as file:
                loaded.append(_exr_channel(name, file.channels(), options.key))
        return loaded[0][first:end, start:stop]

    if not math.prod((rows, cols)):
        raise InputError(f"{name}: has no pixels")
    yield Grid((rows, cols), np.dtype(np.float32), read)


def _exr_channel(name: str, channels: dict[str, Any], key: str | None) -> np.ndarray:
    if key is None:
        found = list(channels) if len(channels) == 1 else [word for word in _EXR_KEYS if word in channels]
        if not found:
            wanted = f"wanted one channel, or one called {', '.join(_EXR_KEYS)}, or key="
            raise InputError(f"{name}: {wanted}; it holds {', '.join(channels)}")
        key = found[0]
    if key not in channels:
        raise InputError(f"{name}: holds no channel {key!r}{suggest(key, channels)} (there are {', '.join(channels)})")
    return channels[key].pixels
