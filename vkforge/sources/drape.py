"""Pictures to lay over a terrain: orthophotos and maps, reprojected to where they lie."""

from __future__ import annotations

import logging
import math
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vkforge.errors import InputError, MissingDependencyError, VkforgeError, suggest
from vkforge.scene.checks import file_path
from vkforge.scene.pictures import picture_array
from vkforge.sources.grid import is_remote
from vkforge.sources.rasters import http_settings
from vkforge.sources.sidecars import GEOREFERENCE_TAGS, has_aux_xml, read_world

if TYPE_CHECKING:
    from vkforge.scene.terrain import Terrain

_logger = logging.getLogger("vkforge")

LARGEST_SIDE = 16_384  # texels of what is read at most: every device that vkforge knows takes as many
_CACHE = 64  # MiB of GDAL's blocks, whose default is a twentieth of the machine's memory
_STRIP = 1 << 18  # texels that are read at once
_ALIKE = 0.05  # how far two proportions may be apart for a stretch to be no distortion
_AVERAGES = 1.5  # texels of the file for one of ours, from which on they are averaged

_PLANE = "EPSG:3857"  # stands for a plane of which nobody knows more: from itself to itself nothing is projected


def read_drape(path: str | os.PathLike[str], terrain: Terrain) -> np.ndarray:
    """Read a picture as it lies over a terrain.

    With a georeference it is reprojected by rasterio (extra `geo`) to the terrain's outer extent, at its own resolution
    or down to 16,384 texels a side; without one it is stretched over that, and the logger "vkforge" says so. Bytes and
    16-bit integers are colours in the sRGB encoding, floats linear reflectance; palettes are looked up.

    Args:
        path: of whatever rasterio opens, or without that of a picture that Pillow opens and that has no georeference.
        terrain: with its `crs` and `transform`, where the picture has them.

    Returns:
        (h, w, 4) uint8 or float32, alpha not multiplied in: 0 where the picture does not reach, has nodata or is clear.

    Raises:
        InputError: no such picture or none of colours; one that lies elsewhere, or whose place can't be told from the
            terrain's; one without a place whose proportions are not the terrain's.
        MissingDependencyError: a georeference, and no rasterio.
    """
    name = os.fspath(file_path(path)) if isinstance(path, os.PathLike) else path
    if not is_remote(name) and not Path(name).is_file():
        folder = Path(name).parent
        there = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        hint = suggest(Path(name).name, there)
        raise InputError(f"albedo {name!r}: no such file{hint}; wanted a picture's path, a colour or an array")
    try:
        import rasterio  # noqa: F401
    except ImportError:
        return _by_pillow(name, terrain)
    try:
        return _by_rasterio(name, terrain)
    except VkforgeError:
        raise
    except Exception as error:  # GDAL's and PROJ's, of many kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"albedo {name!r}: can't be read as a picture ({reason})") from error


def _by_rasterio(name: str, terrain: Terrain) -> np.ndarray:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    with warnings.catch_warnings(), rasterio.Env(GDAL_CACHEMAX=_CACHE, **http_settings()):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(name) as dataset:
            colors, table = _colors(name, dataset)
            if dataset.gcps[0]:
                raise InputError(
                    f"albedo {name!r} is placed by ground control points; rectify it first: gdalwarp {name} placed.tif"
                )
            if dataset.crs is None and dataset.transform.is_identity:
                _check_proportions(name, (dataset.width, dataset.height), terrain)
                size = _fitting(dataset.width, dataset.height)
                return _read(name, dataset, size, colors, table, dataset.dtypes[0])
            return _placed(name, dataset, terrain, colors, table)


def _colors(name: str, dataset: Any) -> tuple[list[int], np.ndarray | None]:
    """Return the bands that are colours, one or three, and the palette (256, 4) of one that holds indices."""
    kinds = [kind.name for kind in dataset.colorinterp]
    if np.dtype(dataset.dtypes[0]).kind not in "uf" or dataset.dtypes[0] not in (
        "uint8",
        "uint16",
        "float32",
        "float64",
    ):
        raise InputError(
            f"albedo {name!r} holds {dataset.dtypes[0]}; wanted colours as uint8 or uint16 (sRGB), or floats in [0, 1]"
        )
    if kinds[0] == "palette":
        table = np.zeros((256, 4), np.uint8)
        for index, color in dataset.colormap(1).items():
            if index < len(table):
                table[index] = color
        return [1], table
    if {"red", "green", "blue"} <= set(kinds):
        return [kinds.index(color) + 1 for color in ("red", "green", "blue")], None
    bands = [index for index, kind in enumerate(kinds, 1) if kind != "alpha"]
    return (bands[:3] if len(bands) >= 3 else bands[:1]), None


def _placed(name: str, dataset: Any, terrain: Terrain, colors: list[int], table: Any) -> np.ndarray:
    """Return a picture with a georeference, reprojected."""
    from rasterio import Affine
    from rasterio.enums import ColorInterp, Resampling
    from rasterio.vrt import WarpedVRT
    from rasterio.warp import calculate_default_transform, transform_bounds

    source, target = _systems(name, dataset, terrain)
    (rows, cols), (a, b, c, d, e, f) = terrain.shape, _transform(terrain)
    x = [a * col + b * row + c for col in (0, cols) for row in (0, rows)]
    y = [d * col + e * row + f for col in (0, cols) for row in (0, rows)]
    west, south, east, north = transform_bounds(source, target, *dataset.bounds)
    if max(x) <= west or min(x) >= east or max(y) <= south or min(y) >= north:
        raise InputError(
            f"albedo {name!r} lies beside the terrain: from ({west:.9g}, {south:.9g}) to ({east:.9g}, {north:.9g}) "
            f"where the terrain goes from ({min(x):.9g}, {min(y):.9g}) to ({max(x):.9g}, {max(y):.9g}) in {target}; "
            "give one of the same place, or mend the crs or transform of either"
        )
    texel = abs(calculate_default_transform(source, target, dataset.width, dataset.height, *dataset.bounds)[0].a)
    if source == target:
        texel = min(dataset.res)
    along, down = cols * math.hypot(a, d) / texel, rows * math.hypot(b, e) / texel
    size = width, height = _fitting(along, down)
    shrink = max(along / width, down / height)
    right, below = cols / width, rows / height  # samples of the terrain in a texel
    resampling = Resampling.average if shrink > _AVERAGES else Resampling.bilinear
    options = {
        "src_crs": source,
        "crs": target,
        "transform": Affine(a * right, b * below, c, d * right, e * below, f),
        "width": width,
        "height": height,
        "resampling": Resampling.nearest if table is not None else resampling,
        "add_alpha": ColorInterp.alpha not in dataset.colorinterp,
    }
    with WarpedVRT(dataset, **options) as warped:
        pixels = _read(name, warped, size, colors, table, dataset.dtypes[0], added_alpha=options["add_alpha"])
    _logger.info("%s: laid over the terrain with %d x %d texels, from %s to %s", name, width, height, source, target)
    return pixels


def _systems(name: str, dataset: Any, terrain: Terrain) -> tuple[Any, Any]:
    """Return the CRS of a picture and of the terrain."""
    from rasterio.crs import CRS

    if terrain.transform is None:
        raise InputError(
            f"albedo {name!r} knows where it lies and the terrain does not; give the terrain its crs= and transform=, "
            "or the picture as an array, which is stretched over it"
        )
    if (dataset.crs is None) != (terrain.crs is None):
        without, other = ("the terrain", "picture") if terrain.crs is None else (f"albedo {name!r}", "terrain")
        known = dataset.crs or terrain.crs
        raise InputError(
            f"{without} has a transform and no CRS, and the {other} has {str(known)[:60]!r}; say the CRS: "
            + ("give the terrain crs=" if terrain.crs is None else f"gdal_edit.py -a_srs EPSG:... {name}")
        )
    if dataset.crs is None:
        return CRS.from_user_input(_PLANE), CRS.from_user_input(_PLANE)
    return dataset.crs, CRS.from_user_input(terrain.crs)


def _transform(terrain: Terrain) -> tuple[float, ...]:
    assert terrain.transform is not None  # `_systems` has looked
    return terrain.transform


def _fitting(width: float, height: float) -> tuple[int, int]:
    """Return a size in whole texels, with no side beyond the largest: each by itself, for texels may be oblong."""
    return min(max(round(width), 1), LARGEST_SIDE), min(max(round(height), 1), LARGEST_SIDE)


def _read(
    name: str,
    reader: Any,
    size: tuple[int, int],
    colors: list[int],
    table: Any,
    dtype: str,
    *,
    added_alpha: bool = False,
) -> np.ndarray:
    """Return (h, w, 4) of a dataset or of a warped one, read strip by strip."""
    from rasterio.enums import ColorInterp, Resampling
    from rasterio.windows import Window

    (width, height), floating = size, dtype.startswith("float")
    across, down = reader.width / width, reader.height / height
    kinds = [kind.name for kind in reader.colorinterp]
    alpha_band = kinds.index(ColorInterp.alpha.name) + 1 if ColorInterp.alpha.name in kinds else None
    opaque = 255.0 if added_alpha else 1.0  # of floats, as GDAL adds it and as files have it
    opaque = {"uint8": 255.0, "uint16": 65_535.0}.get(dtype, opaque)
    pixels = np.empty((height, width, 4), np.float32 if floating else np.uint8)
    smooth = Resampling.nearest if table is not None or max(across, down) == 1.0 else Resampling.average
    brightest = 0.0
    for top in range(0, height, strip := max(1, _STRIP // width)):
        rows = min(strip, height - top)
        window = Window(0.0, top * down, reader.width, rows * down)  # type: ignore[call-arg]
        asked = {"window": window, "out_shape": (rows, width), "resampling": smooth}
        into = pixels[top : top + rows]
        for channel in range(3):
            plane = reader.read(colors[min(channel, len(colors) - 1)], **asked)
            if table is not None:
                into[..., channel] = table[np.minimum(plane, 255), channel]
                continue
            brightest = max(brightest, float(plane.max()))
            into[..., channel] = plane if dtype != "uint16" else np.rint(plane / np.float32(257.0))
        if alpha_band is None:
            share = reader.dataset_mask(window=window, out_shape=(rows, width)) / np.float32(255.0)
        else:
            share = reader.read(alpha_band, **asked) / np.float32(opaque)
        if table is not None:
            share = share * (table[np.minimum(plane, 255), 3] / np.float32(255.0))
        if floating:  # what is not there may be anything, NaN too
            into[share == 0.0] = 0.0
        into[..., 3] = share if floating else np.rint(255.0 * share)
    if not pixels[..., 3].any():
        raise InputError(f"albedo {name!r} has nothing but nodata or clear pixels over the terrain")
    if dtype == "uint16" and brightest < 0.25 * 65_535.0:
        _logger.warning(
            "%s: its 16-bit colours end at %g of 65535, so the ground is dark; stretch them to 8 bits, as by "
            "gdal_translate -ot Byte -scale 0 %g 0 255",
            *(name, brightest, brightest),
        )
    return pixels


def _check_proportions(name: str, size: tuple[int, int], terrain: Terrain) -> None:
    """Check that a picture that does not know its place may be that of all the terrain, and say that it is taken so."""
    (rows, cols), (dx, dy), (width, height) = terrain.shape, terrain.cell_size, size
    shape = width / height
    if all(abs(shape / wanted - 1.0) > _ALIKE for wanted in (cols / rows, cols * dx / (rows * dy))):
        raise InputError(
            f"albedo {name!r} has {width} x {height} pixels and no georeference, and the terrain {cols} x {rows} "
            "samples: of other proportions it can't be a picture of the same ground; crop it, give it a world file and "
            "a CRS, or pass it as an array"
        )
    _logger.info("%s: has no georeference; stretched over the whole terrain", name)


def _by_pillow(name: str, terrain: Terrain) -> np.ndarray:
    """Return a picture without a georeference where rasterio is missing."""
    from PIL import Image, UnidentifiedImageError

    needs = MissingDependencyError(
        f"albedo {name!r} has a georeference, which takes rasterio: pip install 'vkforge-renderer[geo]'"
    )
    if read_world(name) is not None or has_aux_xml(name):
        raise needs
    try:
        with Image.open(name) as picture:
            if any(tag in getattr(picture, "tag_v2", {}) for tag in GEOREFERENCE_TAGS):
                raise needs
            _check_proportions(name, picture.size, terrain)
            if max(picture.size) > LARGEST_SIDE:
                picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
            picture.load()
            return picture_array("albedo", picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"albedo {name!r}: Pillow can't read it ({reason}); rasters take rasterio: pip install "
            "'vkforge-renderer[geo]'"
        ) from error
