"""GeoTIFF: the picture, or its AOVs as bands, where it belongs on the map.

Bands of numbers have NaN where there is nothing, and say so (GDAL's nodata), so that statistics, contours and colour
ramps leave those pixels out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vkforge.aovs import AOVS
from vkforge.errors import InputError, MissingDependencyError
from vkforge.io.atomic import replacing

if TYPE_CHECKING:
    from vkforge.image import GeoReference

# AOVs whose 0 is an answer where nothing is hit, and not the lack of one.
_COUNT_NOTHING = {"hit", "water", "coverage", "object_id", "material_id"}


def nothing_hit(aovs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.bool_] | None:
    """Return which pixels' rays meet nothing, outside the terrain and in its holes, as far as AOVs tell.

    Args:
        aovs: names to float32 arrays, all that there are.

    Returns:
        (h, w), or None where there is none of "hit", the ids and the depths, which know.
    """
    for name in ("hit", "object_id", "material_id"):
        if name in aovs:
            return aovs[name] == 0.0
    for name in ("depth", "depth_axis"):
        if name in aovs:
            return ~np.isfinite(aovs[name])
    return None


def write_geotiff_rgba(
    path: str | os.PathLike[str], rgba: NDArray[np.uint8], georeference: GeoReference, *, software: str = "vkforge"
) -> None:
    """Write the display-referred picture as a tiled, deflated GeoTIFF of red, green, blue and alpha, atomically.

    Args:
        path: file to write or replace.
        rgba: (h, w, 4) uint8, sRGB-encoded; alpha is not multiplied in.
        georeference: where the picture lies.
        software: value of the TIFFTAG_SOFTWARE tag.

    Raises:
        OutputError: the file can't be written; what was there is untouched.
        MissingDependencyError: rasterio is missing.
        InputError: a CRS that PROJ can't read.
    """
    bands = [(f"{name}", "", rgba[..., i]) for i, name in enumerate(("red", "green", "blue", "alpha"))]
    _write(path, bands, georeference, software, dtype="uint8", predictor=2, photometric="RGB", alpha="YES")


def write_geotiff_aovs(
    path: str | os.PathLike[str],
    aovs: Mapping[str, NDArray[np.float32]],
    georeference: GeoReference,
    *,
    nothing: NDArray[np.bool_] | None = None,
    software: str = "vkforge",
) -> None:
    """Write AOVs as a tiled, deflated float32 GeoTIFF, atomically.

    Each channel is a band whose description is the AOV's name (``depth``, ``normal.x``, ``albedo.r``) and whose unit is
    the AOV's. The bands' nodata is NaN. Errors are those of `write_geotiff_rgba`.

    Args:
        path: file to write or replace.
        aovs: AOV names to float32 arrays, (h, w) or (h, w, channels).
        georeference: where the picture lies.
        nothing: (h, w), the pixels where nothing is hit, as of `nothing_hit`: nodata in all bands but "hit", "water",
            "coverage" and ids, which have 0 there. None is not to know.
        software: value of the TIFFTAG_SOFTWARE tag.
    """
    bands = []
    for name, values in aovs.items():
        if nothing is not None and name not in _COUNT_NOTHING:
            values = np.where(nothing.reshape(nothing.shape + (1,) * (values.ndim - 2)), np.float32(np.nan), values)
        planes = np.moveaxis(values, -1, 0) if values.ndim == 3 else (values,)
        for channel, plane in zip(AOVS[name].exr_channels, planes, strict=True):
            description = name if len(planes) == 1 else f"{name}.{channel.rpartition('.')[2].lower()}"
            bands.append((description, AOVS[name].unit, plane))
    _write(path, bands, georeference, software, dtype="float32", predictor=3, nodata=np.nan)


def _write(
    path: str | os.PathLike[str],
    bands: list[tuple[str, str, NDArray]],
    georeference: GeoReference,
    software: str,
    **profile: Any,
) -> None:
    try:
        import rasterio
        from rasterio.errors import CRSError
        from rasterio.io import MemoryFile
    except ImportError as error:
        raise MissingDependencyError("writing GeoTIFF needs rasterio: pip install 'vkforge-renderer[geo]'") from error
    height, width = bands[0][2].shape
    try:
        crs = rasterio.CRS.from_user_input(georeference.crs) if georeference.crs else None
    except CRSError as error:
        raise InputError(f"{georeference.crs!r} is no CRS that PROJ knows; give an EPSG code or WKT") from error
    profile |= {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": len(bands),
        "crs": crs,
        "transform": rasterio.Affine(*georeference.transform),
        "tiled": True,
        "compress": "deflate",
        "zlevel": 3,
        "interleave": "band" if profile["dtype"] == "float32" else "pixel",
        "bigtiff": "IF_SAFER",
    }
    # In memory first: GDAL drops errors that come up while it closes a file, a full disk among them.
    with MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            dataset.update_tags(TIFFTAG_SOFTWARE=software)
            for index, (description, unit, plane) in enumerate(bands, start=1):
                dataset.write(plane, index)
                dataset.set_band_description(index, description)
                if unit:
                    dataset.set_band_unit(index, unit)
        with replacing(path) as stream:
            stream.write(memory.getbuffer())
