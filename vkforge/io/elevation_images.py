"""Readers of heightmap pictures, by Pillow."""

from __future__ import annotations

import numpy as np

from vkforge.errors import InputError, MissingDependencyError
from vkforge.io.elevation import Grid, Options

# GeoTIFF 1.1: ModelPixelScale, ModelTiepoint, ModelTransformation, GeoKeyDirectory.
_GEOREFERENCE_TAGS = (33550, 33922, 34264, 34735)


def read_picture(name: str, options: Options) -> Grid:
    """Read a one-channel picture of 8, 16 or 32 bits; colours are refused, but for grey stored as RGB.

    Raises:
        InputError: no picture that Pillow knows, damaged, or coloured.
        MissingDependencyError: the file is a GeoTIFF, which takes rasterio.
    """
    from PIL import Image

    with Image.open(name) as picture:
        tags = getattr(picture, "tag_v2", {})
        if any(tag in tags for tag in _GEOREFERENCE_TAGS):
            raise MissingDependencyError(
                f"{name}: is a GeoTIFF, whose cell size and CRS take rasterio: pip install 'vkforge-renderer[geo]'"
            )
        mode = picture.mode
        values = np.asarray(picture)
    if mode == "P" or values.ndim == 3:
        values = _grey(name, values, mode)
    if values.dtype == np.int32 and values.min() >= 0 and values.max() <= 0xFFFF:
        values = values.astype(np.uint16)  # Pillow widens some 16-bit pictures
    full_scale = int(np.iinfo(values.dtype).max) if values.dtype.kind in "iu" else None
    return Grid(values, full_scale=full_scale)


def _grey(name: str, values: np.ndarray, mode: str) -> np.ndarray:
    channels = values[..., :3] if mode in ("RGB", "RGBA") else values[..., :1]
    if mode == "P" or not (channels == channels[..., :1]).all():
        raise InputError(f"{name}: is a colour picture (mode {mode}); wanted one channel of heights, best with 16 bits")
    return channels[..., 0]
