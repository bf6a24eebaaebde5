"""Pillow's pictures as arrays of colours, whatever way they are stored."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from vkforge.errors import InputError
from vkforge.scene.colors import decode_srgb_array

_GREY = ("1", "L")
_AS_STORED = ("L", "RGB", "RGBA", "F")
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_FULL = 65_535.0


def picture_array(name: str, given: Any) -> Any:
    """Return the colours of a Pillow picture; anything else as it is.

    Numbers are not always colours: those of a palette are indices, of CMYK inks, of HSV an angle among others.

    Args:
        name: what it is for, in error messages.
        given: a `PIL.Image.Image`, or anything.

    Returns:
        uint8, sRGB-encoded, (h, w), (h, w, 3) or, where any of it is transparent by alpha or by a transparent colour,
        (h, w, 4); float32 of modes F (linear, as it is) and I;16 (decoded, for uint8 would lose its steps).

    Raises:
        InputError: a mode whose colours nobody knows.
    """
    library = sys.modules.get("PIL.Image")  # a picture of Pillow's has imported it
    if library is None or not isinstance(given, library.Image):
        return given
    mode, clear = given.mode, given.info.get("transparency")
    if mode in _SIXTEEN_BITS:
        return _sixteen_bits(name, np.asarray(given), clear)
    if mode == "LAB":
        return np.asarray(_from_lab(given))
    has_alpha = mode in ("LA", "La", "PA", "RGBA", "RGBa") or (clear is not None and mode in ("1", "L", "P", "RGB"))
    try:
        if mode == "La":  # which Pillow turns into LA alone
            given = given.convert("LA")
        wanted = "RGBA" if has_alpha else "L" if mode in _GREY else mode if mode in _AS_STORED else "RGB"
        return np.asarray(given if given.mode == wanted and clear is None else given.convert(wanted))
    except ValueError as error:
        raise InputError(f"{name} is a Pillow picture of mode {mode!r}; convert it to RGB or RGBA first") from error


def _sixteen_bits(name: str, values: np.ndarray, clear: Any) -> np.ndarray:
    """Return linear grey of 16 bits in the sRGB encoding, with an alpha where one value is transparent."""
    if values.min() < 0 or values.max() > _FULL:
        raise InputError(
            f"{name} is a Pillow picture of mode 'I' from {values.min()} to {values.max()}; wanted 0 to 65535"
        )
    encoded = values.astype(np.float32) / np.float32(_FULL)
    grey = decode_srgb_array(encoded).astype(np.float32)
    if not isinstance(clear, int):
        return grey
    return np.dstack([grey, grey, grey, (values != clear).astype(np.float32)])


def _from_lab(picture: Any) -> Any:
    from PIL import ImageCms

    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(picture, *profiles, outputMode="RGB")
