"""Images laid over the ground that say what it is made of, in the form that the renderer takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vkforge.errors import InputError
from vkforge.scene.checks import brief, show
from vkforge.scene.frozen import ReadOnlyArrays
from vkforge.scene.pictures import picture_array

LARGEST_HALF = 65504.0  # of float16, which is how float images reach the device


@dataclass(frozen=True, eq=False)
class Texture(ReadOnlyArrays):
    """An image on its way to the device; two are the same only if they are one.

    Attributes:
        pixels: (h, w, 4) uint8 or float16, read-only; row 0 is north.
        encoded: whether uint8 pixels are colours in the sRGB encoding; if not they are numbers, 255 standing for 1.
    """

    pixels: np.ndarray
    encoded: bool
    __repr__ = brief


def data_texture(name: str, image: Any) -> Texture:
    """Return an image of numbers in [0, 1], as (h, w, 3) or (h, w, 4) float, or uint8 which is divided by 255.

    Raises:
        InputError: another shape or dtype, or values outside [0, 1].
    """
    return _texture(name, image, 1.0, encoded=False)


def normal_texture(name: str, image: Any) -> Texture:
    """Return a normal map in glTF's encoding: x, y, z from -1 to 1 are stored from 0 to 1, or 0 to 255.

    Raises:
        InputError: another shape, dtype or range, or a normal that does not point out of the surface.
    """
    texture = _texture(name, image, 1.0, encoded=False)
    half = 127 if texture.pixels.dtype == np.uint8 else 0.5
    lowest = texture.pixels[..., 2].min()
    if lowest <= half:
        raise InputError(
            f"{name} has a blue value of {lowest:.3g}, a normal that points into the surface; wanted tangent-space "
            f"normals with blue over {half:g} everywhere"
        )
    return texture


def light_texture(name: str, image: Any) -> Texture:
    """Return an image of light, as (h, w, 3) or (h, w, 4) float and linear, or uint8 and sRGB-encoded.

    Raises:
        InputError: another shape or dtype, or values that are negative, NaN or over 65504.
    """
    return _texture(name, image, LARGEST_HALF, encoded=True)


def _texture(name: str, image: Any, highest: float, *, encoded: bool) -> Texture:
    if isinstance(image, Texture):  # from dataclasses.replace, which hands back what was made before
        return image
    wanted = f"wanted an image (h, w, 3) or (h, w, 4), uint8 or float in [0, {highest:g}]"
    image = picture_array(name, image)
    try:
        array = np.asarray(image)
    except ValueError:
        raise InputError(f"{name} is {show(image)}; {wanted}") from None
    if array.ndim != 3 or array.shape[2] not in (3, 4) or array.size == 0:
        raise InputError(f"{name} is {show(array)}; {wanted}")
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise InputError(f"{name} is {show(array)}; {wanted}")
    floating = array.dtype.kind == "f"
    color = array[..., :3]
    if floating and not (color.min() >= 0.0 and color.max() <= highest):  # NaN fails too
        raise InputError(f"{name} runs from {color.min():g} to {color.max():g}; {wanted}, with no NaN")
    pixels = np.empty((*array.shape[:2], 4), np.float16 if floating else np.uint8)
    pixels[..., :3] = color
    pixels[..., 3] = 1 if floating else 255
    pixels.flags.writeable = False
    return Texture(pixels, encoded)
