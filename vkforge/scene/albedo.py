"""What colour the ground is: constants, textures, and ramps over elevation, in the forms that the renderer takes."""

from __future__ import annotations

import dataclasses
import math
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vkforge.errors import InputError
from vkforge.scene.checks import LARGEST_METRES, Vector, number, show
from vkforge.scene.colormaps import Colormap
from vkforge.scene.colors import decode_srgb_array, linear_color
from vkforge.scene.frozen import ReadOnlyArrays
from vkforge.scene.pictures import picture_array
from vkforge.scene.texture import Texture

# Rows are coloured in slabs of about this many values, so that what stands in memory is the result and little more.
_SLAB = 1 << 20

# Percentiles of larger rasters are taken from an even grid of about this many of their values.
_PERCENTILE_VALUES = 1 << 22

# Where a raster that is looked up in a colormap has no value: middle grey (0.5 linear), sRGB-encoded.
_NO_VALUE = (188, 188, 188, 255)


@dataclass(frozen=True, eq=False)
class Albedo(ReadOnlyArrays):
    """Reflectance of the ground.

    Attributes:
        kind: "constant", "texture" or "ramp".
        color: linear RGB in [0, 1] (constant).
        pixels: texture: (h, w, 4) uint8 sRGB-encoded, or float16 linear, laid over the DEM's outer extent (a pixel is
            an area, row 0 is north); ramp: (n, 4) uint8 sRGB-encoded colours evenly spaced from `low` to `high`.
        low: elevation in metres, before exaggeration, of a ramp's first colour; lower ground has it too.
        high: the same of its last colour.
        colormap: what a ramp or a texture was looked up in, or None. No pixel is made of it any more.
        overlay: an image laid over this colour where it is not clear, its colours multiplied by its alpha, or None.
        is_default: whether nobody chose this colour, so that `Scene.portrait` and `Scene.relief` may.
    """

    kind: str
    color: Vector = (0.5, 0.5, 0.5)
    pixels: np.ndarray | None = field(default=None, repr=False)
    low: float = 0.0
    high: float = 1.0
    colormap: Colormap | None = None
    overlay: Texture | None = None
    is_default: bool = False

    @classmethod
    def constant(cls, color: Any) -> Albedo:
        """Return one colour: linear RGB floats, a grey number, a uint8 sRGB triple as an array, or a colour string."""
        return cls("constant", linear_color("albedo", color))

    @classmethod
    def texture(cls, pixels: np.ndarray) -> Albedo:
        """Return an image (h, w), (h, w, 3) or (h, w, 4): float is linear in [0, 1], uint8 is sRGB-encoded.

        Where its alpha is less than 1, or its values are masked, it is an overlay of the default colour.
        """
        own = _read_only(_rgba(pixels))
        opaque = 255 if own.dtype == np.uint8 else 1.0
        if own[..., 3].min() == opaque:
            return cls("texture", pixels=own)
        return dataclasses.replace(NEUTRAL, overlay=Texture(own, encoded=True))

    @classmethod
    def ramp(cls, colormap: Colormap) -> Albedo:
        """Return the colours of a colormap over elevations."""
        low, high = colormap.limits
        return cls("ramp", pixels=colormap.table, low=low, high=high, colormap=colormap)

    @classmethod
    def mapped(cls, values: np.ndarray, colormap: Colormap) -> Albedo:
        """Return the texture of 2-D `values` looked up in a colormap; NaN is grey."""
        pixels = _look_up(values, colormap.table, *colormap.limits)
        return cls("texture", pixels=_read_only(pixels), colormap=colormap)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # NEUTRAL is known by identity, which pickling and copying must not lose.
        return "NEUTRAL" if self is NEUTRAL else super().__reduce_ex__(protocol)


# What a terrain gets that was given no albedo.
NEUTRAL = Albedo("constant", (0.5, 0.5, 0.5), is_default=True)


def is_file(given: Any) -> bool:
    """Return whether an albedo is given as a path: no colour has a dot, a slash or a colon in it."""
    return isinstance(given, os.PathLike) or (isinstance(given, str) and not set("./\\:").isdisjoint(given))


def normalize_albedo(given: Any) -> Albedo:
    """Return the Albedo of whatever `Terrain` accepts as one.

    Raises:
        InputError: a shape, dtype, range or name that is no colour and no image.
    """
    if isinstance(given, Albedo):
        return given
    if isinstance(given, str):
        return Albedo.constant(given)
    given = picture_array("albedo", given)
    try:
        image = np.asanyarray(given)
    except ValueError:
        raise InputError(f"albedo is {show(given)}; wanted a colour or an image (h, w, 3)") from None
    return Albedo.constant(given) if image.ndim < 2 else Albedo.texture(image)


def raster(name: str, given: Any) -> np.ndarray:
    """Return a 2-D array of real numbers with masked values as NaN.

    Raises:
        InputError: another shape or dtype, or no values.
    """
    values = (
        np.ma.filled(given.astype(np.float32), np.nan) if isinstance(given, np.ma.MaskedArray) else np.asarray(given)
    )
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "fiub":
        raise InputError(f"{name} is {show(values)}; wanted a 2-D array of real numbers")
    return values


def value_range(values: np.ndarray, vmin: Any, vmax: Any, percentiles: Any) -> tuple[float, float]:
    """Return the values at the two ends of a colormap, low < high.

    Args:
        values: 2-D array; NaN is no value.
        vmin: low end, or None for the minimum or the lower percentile.
        vmax: high end, or None for the maximum or the upper percentile.
        percentiles: (low, high) in percent, or None. Taken from an even grid of some 4 million values of larger arrays.

    Raises:
        InputError: no finite values, a range that is empty or upside down, percentiles outside 0 to 100.
    """
    low = None if vmin is None else number("vmin", vmin, -LARGEST_METRES, LARGEST_METRES)
    high = None if vmax is None else number("vmax", vmax, -LARGEST_METRES, LARGEST_METRES)
    if percentiles is not None:
        bounds = list(percentiles) if np.ndim(percentiles) == 1 else []
        if len(bounds) != 2:
            raise InputError(f"percentiles is {show(percentiles)}; wanted two numbers in percent, such as (2, 98)")
        first, last = (number("percentiles", bound, 0.0, 100.0) for bound in bounds)
        if first >= last:
            raise InputError(f"percentiles is {show(percentiles)}; wanted the lower one first")
        step = max(1, math.ceil(math.sqrt(values.size / _PERCENTILE_VALUES)))
        grid = values[::step, ::step]
        finite = grid[np.isfinite(grid)]
        if finite.size:
            ends = np.percentile(finite, (first, last))
            low = float(ends[0]) if low is None else low
            high = float(ends[1]) if high is None else high
    if low is None:
        low = float(np.fmin.reduce(values, axis=None))
    if high is None:
        high = float(np.fmax.reduce(values, axis=None))
    if not math.isfinite(low) or not math.isfinite(high):
        raise InputError(f"the colormap's data runs from {low:g} to {high:g}; wanted finite values, or vmin and vmax")
    if low == high and vmin is None and vmax is None:
        return low - 0.5, high + 0.5  # all of one value: give it the colormap's middle
    if np.float32(low) >= np.float32(high):  # the shaders work in float32
        raise InputError(f"the colormap runs from vmin {low:g} to vmax {high:g}; wanted vmin less than vmax")
    return low, high


def _read_only(pixels: np.ndarray) -> np.ndarray:
    pixels.flags.writeable = False
    return pixels


def _rgba(image: np.ndarray) -> np.ndarray:
    """Return a copy of an image as RGBA, colours multiplied by alpha: uint8 stays, any float becomes float16.

    Multiplied, because the sampler's interpolation is right for those alone: clear texels have no colour to lend. uint8
    is multiplied as light, and encoded again.
    """
    wanted = "wanted (h, w), (h, w, 3) or (h, w, 4), float and linear in [0, 1] or uint8 and sRGB-encoded"
    if image.ndim not in (2, 3) or image.size == 0 or (image.ndim == 3 and image.shape[2] not in (3, 4)):
        raise InputError(f"albedo is {show(image)}; {wanted}")
    if image.dtype != np.uint8 and image.dtype.kind != "f":
        raise InputError(f"albedo is {show(image)}; {wanted}")
    color = np.ma.getdata(image)[..., None] if image.ndim == 2 else np.ma.getdata(image)[..., :3]
    floating = image.dtype.kind == "f"
    if floating:
        low, high = float(color.min()), float(color.max())
        if not 0.0 <= low <= high <= 1.0:  # NaN fails too
            raise InputError(f"albedo runs from {low:g} to {high:g}; wanted linear reflectance in [0, 1], with no NaN")
    pixels = np.empty((*image.shape[:2], 4), np.float16 if floating else np.uint8)
    pixels[..., :3] = color
    pixels[..., 3] = 1 if floating else 255
    if image.ndim == 3 and image.shape[2] == 4:
        alpha = np.ma.getdata(image)[..., 3]
        if floating and not (alpha.min() >= 0.0 and alpha.max() <= 1.0):
            raise InputError(f"albedo's alpha runs from {alpha.min():g} to {alpha.max():g}; wanted 0 to 1, with no NaN")
        pixels[..., 3] = alpha
    mask = np.ma.getmask(image)
    if mask is not np.ma.nomask:
        pixels[mask if image.ndim == 2 else mask.any(axis=-1)] = 0
    if floating:
        pixels[..., :3] *= pixels[..., 3:]
    elif pixels[..., 3].min() < 255:
        _multiply(pixels)
    return pixels


def _multiply(pixels: np.ndarray) -> None:
    """Multiply the light of sRGB-encoded colours by their alpha, in place."""
    share = np.arange(256) / 255.0
    light = decode_srgb_array(share)[:, None] * share
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    table = np.rint(255.0 * encoded).astype(np.uint8)  # by colour and alpha
    slab = max(1, (_SLAB >> 4) // pixels.shape[1])
    for start in range(0, len(pixels), slab):
        part = pixels[start : start + slab]
        part[..., :3] = table[part[..., :3], part[..., 3:]]


def _look_up(values: np.ndarray, colors: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return (h, w, 4) uint8: each value's colour, the nearest of `colors` spread over [low, high]."""
    last = len(colors) - 1
    table = np.concatenate([colors, np.array([_NO_VALUE], np.uint8)]).view(np.uint32).ravel()
    rows, cols = values.shape
    pixels = np.empty((rows, cols), np.uint32)
    slab = max(1, _SLAB // cols)
    # float32 holds any raster's steps well enough for 256 colours, once `low` is taken off at full precision.
    precision = np.float64 if values.dtype.itemsize > 4 else np.float32
    for start in range(0, rows, slab):
        part = values[start : start + slab]
        place = np.subtract(part, low, dtype=precision).astype(np.float32, copy=False)
        place *= last / (high - low)
        place += 0.5
        missing = np.isnan(place)
        np.clip(place, 0, last, out=place)
        place[missing] = last + 1
        np.take(table, place.astype(np.uint16), out=pixels[start : start + slab], mode="clip")
    return pixels.view(np.uint8).reshape(rows, cols, 4)
