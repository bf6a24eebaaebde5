"""What a render gives back: the picture, the radiance behind it and the AOVs, as arrays that belong to the caller."""

from __future__ import annotations

import io
import json
import logging
import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vkforge.aovs import AOVS, check_aovs
from vkforge.errors import InputError, suggest
from vkforge.io.atomic import check_target, replacing
from vkforge.io.exr import ExrOptions, write_exr
from vkforge.io.geotiff import nothing_hit, write_geotiff_aovs, write_geotiff_rgba
from vkforge.io.png import encode_png, write_png
from vkforge.scene.checks import file_path, show

_JPEG_QUALITY = 95
_logger = logging.getLogger("vkforge")


@dataclass(frozen=True)
class GeoReference:
    """Where an image lies on the Earth.

    Attributes:
        crs: coordinate reference system as WKT or "EPSG:n"; None when only the transform is known.
        transform: (a, b, c, d, e, f) in rasterio's order: x = a*col + b*row + c and y = d*col + e*row + f, with (0, 0)
            at the outer corner of the upper-left pixel.

    Raises:
        InputError: a transform that isn't six finite numbers or that squeezes the plane onto a line.
    """

    crs: str | None
    transform: tuple[float, float, float, float, float, float]

    def __post_init__(self) -> None:
        numbers = self._numbers()
        a, b, _, d, e, _ = numbers
        if not all(map(math.isfinite, numbers)) or a * e == b * d:
            raise InputError(f"georeference transform is {numbers}; give six finite numbers a..f with a*e != b*d")
        object.__setattr__(self, "transform", numbers)

    def _numbers(self) -> tuple[float, ...]:
        try:
            numbers = tuple(float(number) for number in self.transform)
        except (TypeError, ValueError):
            numbers = ()
        if len(numbers) != 6:
            raise InputError(f"georeference transform is {show(self.transform)}; give six numbers (a, b, c, d, e, f)")
        return numbers

    def resized(self, size: tuple[int, int], new_size: tuple[int, int]) -> GeoReference:
        """Return that of the same ground in an image of `new_size` instead of `size`, both (width, height)."""
        a, b, c, d, e, f = self.transform
        x, y = size[0] / new_size[0], size[1] / new_size[1]
        return GeoReference(self.crs, (a * x, b * y, c, d * x, e * y, f))


@dataclass(frozen=True, eq=False)
class Image:
    """A rendered frame. The arrays are ordinary NumPy arrays that no renderer touches again.

    Attributes:
        rgba: (h, w, 4) uint8, display-referred, sRGB-encoded; row 0 is the top. Its alpha is not multiplied in.
        hdr: (h, w, 3) float32, scene-linear radiance with Rec.709 primaries, before exposure and tone mapping; with an
            `alpha`, that is multiplied in: what is seen over nothing.
        aovs: name to float32 array, (h, w) or (h, w, channels); names and units are in `vkforge.aovs.AOVS`.
        georeference: where the pixels lie on the Earth, for a view straight down (`Camera.map`, or orthographic) of a
            terrain that knows it; else None.
        info: how the image came about (device, times, settings); plain values only. What an OpenEXR header takes of it
            is in `vkforge.io.exr_header.header_attributes`.
        mattes: sets of mattes, as "object" and "material": each a name to the share of each pixel that the thing so
            named covers, (h, w) float32, 0 to 1. An OpenEXR file has them as Cryptomattes.
        finish: how `hdr` became `rgba`: takes `hdr`, gives (h, w, 3) float64 in [0, 1], sRGB-encoded; None where nobody
            knows. `display16` asks it.
        alpha: (h, w) float32, 0 to 1: the share of each pixel that terrain and water cover, before a transparent
            background (``Scene(background="transparent")``); else None, and the picture is opaque.

    Raises:
        InputError: arrays whose shapes or dtypes are not those above, or an unknown AOV name.
    """

    rgba: NDArray[np.uint8]
    hdr: NDArray[np.float32]
    aovs: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    georeference: GeoReference | None = None
    info: Mapping[str, Any] = field(default_factory=dict)
    mattes: Mapping[str, Mapping[str, NDArray[np.float32]]] = field(default_factory=dict)
    finish: Callable[[NDArray[np.float32]], NDArray[np.float64]] | None = None
    alpha: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.rgba, np.ndarray):
            raise InputError(f"Image rgba is {show(self.rgba)}; wanted an array (height, width, 4) of uint8")
        for name in ("aovs", "info", "mattes"):
            if not isinstance(getattr(self, name), Mapping):
                raise InputError(f"Image {name} is {show(getattr(self, name))}; wanted a dict")
        if self.rgba.ndim != 3 or self.rgba.size == 0:
            raise InputError(f"Image rgba has shape {self.rgba.shape}; wanted (height, width, 4), not empty")
        shape = self.rgba.shape[:2]
        _check_array("rgba", self.rgba, (*shape, 4), np.uint8)
        _check_array("hdr", self.hdr, (*shape, 3), np.float32)
        for name in check_aovs(self.aovs):
            wanted = shape if AOVS[name].channels == 1 else (*shape, AOVS[name].channels)
            _check_array(f"AOV {name}", self.aovs[name], wanted, np.float32)
        if self.alpha is not None:
            _check_array("alpha", self.alpha, shape, np.float32)
        for matte_set, mattes in self.mattes.items():
            for name, coverage in mattes.items():
                _check_array(f"{matte_set} matte {name!r}", coverage, shape, np.float32)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.rgba.shape[1], self.rgba.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return `rgba`, so that ``plt.imshow(image)`` and ``np.asarray(image)`` do what they say."""
        return np.array(self.rgba, dtype, copy=copy)

    def __repr__(self) -> str:
        place = f", {self.georeference.crs or 'georeferenced'}" if self.georeference else ""
        return f"<vkforge.Image {self.size[0]}x{self.size[1]}, AOVs: {', '.join(self.aovs) or 'none'}{place}>"

    def display16(self) -> NDArray[np.uint16]:
        """Return the picture in 16 bits, made anew from `hdr`: (h, w, 4) uint16, display-referred, sRGB-encoded.

        Raises:
            InputError: nobody knows how `hdr` became `rgba`.
        """
        if self.finish is None:
            raise InputError(
                "this image has no finish, which says how its hdr becomes a picture, so there are 8 bits and no more; "
                "save it with bits=8, or as .exr"
            )
        if self.alpha is None:
            alpha = self.rgba[..., 3:].astype(np.uint16) * 257
            return np.concatenate([np.rint(65535.0 * self.finish(self.hdr)).astype(np.uint16), alpha], axis=-1)
        alpha = self.alpha[..., None]
        light = np.divide(self.hdr, alpha, out=np.zeros_like(self.hdr), where=alpha > 0.0)
        picture = np.concatenate([np.where(alpha > 0.0, self.finish(light), 0.0), alpha], axis=-1)
        return np.rint(65535.0 * picture).astype(np.uint16)

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        encode_png(stream, self.rgba)
        return stream.getvalue()

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        aovs: str | Iterable[str] | None = None,
        bits: int | None = None,
        half: bool | None = None,
        parts: str | None = None,
        compression: str | None = None,
        names: str | None = None,
    ) -> Path:
        """Write the image in the format that the extension names. A file appears whole or not at all.

        ======================  =================================================================================
        .png, .jpg, .jpeg       `rgba` (JPEG without its alpha); .png with `bits=16` has `display16`
        .webp                   `rgba`, without loss
        .exr                    `hdr`, the AOVs as layers, and the mattes as Cryptomattes; A is the alpha, which the
                                radiance is multiplied by, or the AOV "coverage"
        .tif, .tiff             GeoTIFF: `rgba`, or float32 bands of the AOVs that `aovs` names; wants a georeference.
                                Alpha is the image's, or the AOV "coverage" where it has that; bands are NaN (nodata)
                                where nothing is hit as far as it has "hit", an id or a depth
        .npy                    `hdr`
        .npz                    everything: rgba, hdr, alpha where there is one, the AOVs by name, mattes as
                                matte.SET.NAME, crs, transform, and info as JSON
        ======================  =================================================================================

        Args:
            path: file to write or replace.
            aovs: which AOVs go into an .exr, .tif or .npz, by name or names; None is all of them, but for .tif, where
                it is none. "beauty", which is `hdr`, is there without being rendered; an .exr has it as R, G and B.
            bits: of a .png's channels, 8 or 16; None is 8.
            half: for .exr: True, which None is, stores colours, directions and ratios as 16-bit floats (radiance is
                clipped at 65504); False is 32 bits throughout. Depths, positions, ids and mattes always have 32.
            parts: for .exr: "single", which None is, or "multi" for a part a layer.
            compression: for .exr: "zip", which None is, "none", "rle", "zips" or "piz", all lossless; or "dwaa" or
                "dwab", which lose some of the colours.
            names: for .exr: "vkforge", which None is, for the names of `vkforge.aovs.AOVS`, or "blender" for those of
                Blender's multilayer files.

        Returns:
            The path.

        Raises:
            InputError: an unknown extension, an option that the format hasn't got or a value that it doesn't know, an
                AOV that this image hasn't got, no georeference for a GeoTIFF, a transparent picture as JPEG.
            OutputError: the file can't be written; what was there is untouched.
            MissingDependencyError: rasterio, which GeoTIFF needs, is missing.
        """
        path = file_path(path)
        if self.alpha is not None:
            check_alpha(path)
        options = {"aovs": aovs, "bits": bits, "half": half, "parts": parts, "compression": compression, "names": names}
        given = check_options(path, options)
        chosen = self._pick(given.pop("aovs")) if "aovs" in given else None
        _WRITERS[_extension(path)].write(self, path, chosen, **given)
        return path

    def _pick(self, names: tuple[str, ...]) -> dict[str, NDArray[np.float32]]:
        chosen = {}
        for name in names:
            if name == "beauty":
                chosen[name] = self.hdr
                continue
            if name not in self.aovs:
                has = ", ".join(self.aovs) or "none"
                raise InputError(f"this image has no AOV {name!r} (it has {has}); render with aovs=({name!r},)")
            chosen[name] = self.aovs[name]
        return chosen


def known_extensions() -> tuple[str, ...]:
    """Extensions that `Image.save` knows, with their dots."""
    return tuple(_WRITERS)


def check_path(path: str | os.PathLike[str]) -> None:
    """Check, before spending time on a render, that `Image.save` knows the extension of `path` and could write there.

    Raises:
        InputError: an unknown extension.
        OutputError: a missing or read-only folder, or something at `path` that is not a writable file.
    """
    path = file_path(path)
    _extension(path)
    check_target(path)


def check_alpha(path: Path) -> None:
    """Check, before spending time on a render, that a picture with a transparent background can be saved at a path.

    Raises:
        InputError: an unknown extension, or a format without alpha.
    """
    extension = _extension(path)
    if not _WRITERS[extension].alpha:
        those = " ".join(name for name, writer in _WRITERS.items() if writer.alpha)
        raise InputError(
            f"{extension} has no alpha, and the background of this picture is transparent; save it as {those}, or give "
            "the scene a background"
        )


def check_options(path: Path, options: Any) -> dict[str, Any]:
    """Check, before spending time on a render, that `Image.save` takes these options, by name, for a path.

    Returns:
        Those that are not None, AOVs as a tuple of names.

    Raises:
        InputError: an unknown extension, no options, one that the format hasn't got, or a value that it doesn't know.
    """
    extension = _extension(path)
    writer = _WRITERS[extension]
    known = ("aovs", *dict.fromkeys(name for other in _WRITERS.values() for name in other.options))
    if not isinstance(options, Mapping):
        raise InputError(f"the options of a picture are {show(options)}; wanted a dict, as {{'half': False}}")
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in known:
            raise InputError(f"pictures have no option {show(name)}{suggest(str(name), known)} ({', '.join(known)})")
        if name == "aovs" and not writer.aovs:
            raise InputError(f"{extension} holds no AOVs; save them as .exr, .npz or .tif")
        if name != "aovs" and name not in writer.options:
            those = " or ".join(other for other, it in _WRITERS.items() if name in it.options)
            raise InputError(f"{extension} has no option {name}; it is for {those}")
    if "aovs" in given:
        given["aovs"] = check_aovs(given["aovs"])
    writer.check(**{name: value for name, value in given.items() if name != "aovs"})
    return given


def _extension(path: Path) -> str:
    extension = path.suffix.lower()
    if extension not in _WRITERS:
        hint, known = suggest(extension, _WRITERS), " ".join(_WRITERS)
        raise InputError(f"can't save as {path.suffix or path.name!r}{hint} (known extensions: {known})")
    return extension


def _check_array(name: str, array: NDArray, shape: tuple[int, ...], dtype: type) -> None:
    wanted = np.dtype(dtype).name
    if not isinstance(array, np.ndarray):
        raise InputError(f"Image {name} is {show(array)}; wanted an array {shape} of {wanted}")
    if array.shape != shape or array.dtype != dtype:
        raise InputError(f"Image {name} is {array.dtype} of shape {array.shape}; wanted {wanted} of shape {shape}")


_Chosen = dict[str, NDArray[np.float32]] | None


def _check_png(bits: Any = 8) -> None:
    if not isinstance(bits, int) or bits not in (8, 16):
        raise InputError(f"bits is {show(bits)}; a .png has 8 or 16 a channel")


def _save_png(image: Image, path: Path, chosen: _Chosen, bits: int = 8) -> None:
    write_png(path, image.rgba if bits == 8 else image.display16())


def _save_jpeg(image: Image, path: Path, chosen: _Chosen) -> None:
    from PIL import Image as Pillow

    if max(image.size) > 65_535:
        raise InputError(f"JPEG ends at 65535 pixels a side and this image is {image.size}; save as .png or .tif")
    picture, content = Pillow.fromarray(np.ascontiguousarray(image.rgba[..., :3])), io.BytesIO()
    # In memory first: Pillow takes no notice of a disk that is full for the last of a file.
    picture.save(content, format="jpeg", quality=_JPEG_QUALITY, subsampling=0)
    with replacing(path) as stream:
        stream.write(content.getbuffer())


def _save_webp(image: Image, path: Path, chosen: _Chosen) -> None:
    from PIL import Image as Pillow

    if max(image.size) > 16_383:
        raise InputError(f"WebP ends at 16383 pixels a side and this image is {image.size}; save as .png or .tif")
    channels = 3 if image.alpha is None else 4
    picture, content = Pillow.fromarray(np.ascontiguousarray(image.rgba[..., :channels])), io.BytesIO()
    picture.save(content, format="webp", lossless=True)
    with replacing(path) as stream:
        stream.write(content.getbuffer())


def _save_exr(image: Image, path: Path, chosen: _Chosen, **options: Any) -> None:
    aovs = dict(image.aovs if chosen is None else chosen)
    for own in ("beauty", "coverage"):  # R, G, B and A, whoever asks
        aovs.pop(own, None)
    write_exr(
        path,
        image.hdr,
        aovs,
        alpha=image.aovs.get("coverage") if image.alpha is None else image.alpha,
        mattes=image.mattes,
        info=image.info,
        options=ExrOptions(**options),
        software=_software(),
    )


def _save_tiff(image: Image, path: Path, chosen: _Chosen) -> None:
    if image.georeference is None:
        raise InputError(
            f"can't save {path.name!r} as GeoTIFF: this image has no georeference, which only views straight down by "
            "parallel rays have (Camera.map, Camera.orthographic from right above, vkforge relief) of a terrain with a "
            "transform; in perspective, relief is not where a map has it. Save as .png or .exr instead"
        )
    if chosen:
        nothing = nothing_hit(image.aovs)
        if nothing is None and not chosen.keys() <= {"coverage", "water"}:
            _logger.warning(
                "%s: nothing in this image says where the terrain ends or has holes, so no pixel is nodata; render the "
                "AOV 'hit' too",
                path,
            )
        write_geotiff_aovs(path, chosen, image.georeference, nothing=nothing, software=_software())
        return
    rgba = image.rgba
    if image.alpha is None and "coverage" in image.aovs:
        alpha = np.rint(255.0 * np.clip(image.aovs["coverage"], 0.0, 1.0)).astype(np.uint8)
        rgba = np.dstack([rgba[..., :3], alpha])
    write_geotiff_rgba(path, rgba, image.georeference, software=_software())


def _save_npy(image: Image, path: Path, chosen: _Chosen) -> None:
    hdr = np.ascontiguousarray(image.hdr)
    with replacing(path) as stream:
        # Not np.save: on a real file it writes behind the stream's back and loses the reason of a failure.
        np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(hdr))
        stream.write(hdr.data.cast("B"))


def _save_npz(image: Image, path: Path, chosen: _Chosen) -> None:
    arrays: dict[str, Any] = {"rgba": image.rgba, "hdr": image.hdr}
    if image.alpha is not None:
        arrays["alpha"] = image.alpha
    arrays |= image.aovs if chosen is None else chosen
    for matte_set, mattes in image.mattes.items():
        arrays |= {f"matte.{matte_set}.{name}": coverage for name, coverage in mattes.items()}
    if image.georeference is not None:
        arrays |= {"crs": image.georeference.crs or "", "transform": image.georeference.transform}
    arrays["info"] = json.dumps(dict(image.info), default=str)
    with replacing(path) as stream:
        np.savez(stream, **arrays)


def _software() -> str:
    from vkforge import __version__

    return f"vkforge {__version__}"


@dataclass(frozen=True)
class _Writer:
    """What writes a format.

    Attributes:
        write: a function of image, path, chosen AOVs and options.
        aovs: whether it holds AOVs.
        options: their names.
        check: takes the options and refuses values that there are not.
        alpha: whether it holds that of a transparent background.
    """

    write: Callable[..., None]
    aovs: bool = False
    options: tuple[str, ...] = ()
    check: Callable[..., object] = dict
    alpha: bool = True


_WRITERS: dict[str, _Writer] = {
    ".png": _Writer(_save_png, options=("bits",), check=_check_png),
    ".jpg": _Writer(_save_jpeg, alpha=False),
    ".jpeg": _Writer(_save_jpeg, alpha=False),
    ".webp": _Writer(_save_webp),
    ".exr": _Writer(_save_exr, aovs=True, options=("half", "parts", "compression", "names"), check=ExrOptions),
    ".tif": _Writer(_save_tiff, aovs=True),
    ".tiff": _Writer(_save_tiff, aovs=True),
    ".npy": _Writer(_save_npy),
    ".npz": _Writer(_save_npz, aovs=True),
}
