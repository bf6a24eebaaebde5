"""What an OpenEXR header says of a picture: its camera, its sun, its colours, how it was rendered.

Standard attributes (OpenEXR's "Standard Attributes" page) where there is one, else ``vkforge/...``. Nothing in it says
when or how fast a picture was made, so that the same picture gives the same file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vkforge.errors import InputError, suggest
from vkforge.scene.checks import float_array, number, show

# Red, green, blue and white as CIE x, y: ITU-R BT.709 and BT.2020; and the names of their linear spaces in OpenEXR's
# colorInteropID.
PRIMARIES: dict[str, tuple[tuple[float, ...], str]] = {
    "rec709": ((0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290), "lin_rec709_scene"),
    "rec2020": ((0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290), "lin_rec2020_scene"),
}

_GROUPS = ("camera", "sun", "shutter", "camera_exposure")
_RENDER_KEYS = ("lane", "samples", "seed", "exposure", "tonemap")

# Keys of info["camera"] that have a standard attribute, all float but the sensor.
_CAMERA_KEYS = {
    "focal_length": "pinholeFocalLength",  # mm
    "sensor": "sensorOverallDimensions",  # mm
    "f_number": "aperture",
    "focus_distance": "focus",  # m
    "exposure_time": "expTime",  # s
    "iso": "isoSpeed",
    "pixel_aspect": "pixelAspectRatio",
}

# From the camera space of OpenGL, which looks along -z, to that of OpenEXR (and RenderMan), which looks along +z.
_LOOK_ALONG_Z = np.diag([1.0, 1.0, -1.0, 1.0])
_MATRICES = {"world_to_camera": ("worldToCamera", _LOOK_ALONG_Z), "world_to_ndc": ("worldToNDC", np.eye(4))}


def color_space(info: Mapping[str, Any]) -> tuple[tuple[float, ...], str]:
    """Return the chromaticities and the colorInteropID of a picture whose `info` says "primaries", by default Rec.709.

    Raises:
        InputError: primaries other than "rec709" and "rec2020".
    """
    primaries = info.get("primaries", "rec709")
    if primaries not in PRIMARIES:
        raise InputError(
            f"info['primaries'] is {primaries!r}{suggest(str(primaries), PRIMARIES)}; wanted {' or '.join(PRIMARIES)}"
        )
    return PRIMARIES[primaries]


def header_attributes(info: Mapping[str, Any], software: str) -> dict[str, Any]:
    """Return the attributes for what `Image.info` tells; every key of it may be missing.

    ==================================================  =============================================================
    ``camera``: ``world_to_camera``, ``world_to_ndc``   ``worldToCamera``, ``worldToNDC``; given for column vectors, the
                                                        first in OpenGL's camera space (see `vkforge.scene.info`)
    ``camera``: ``f_number``, ``focus_distance``,       ``aperture``, ``focus`` (m), ``expTime`` (s), ``isoSpeed``,
    ``exposure_time``, ``iso``, ``pixel_aspect``,       ``pixelAspectRatio``,
    ``focal_length``, ``sensor``                        ``pinholeFocalLength`` (mm), ``sensorOverallDimensions`` (mm)
    ``shutter``: ``open`` and ``close`` (s), with       ``shutterAngle`` (degrees)
    ``frames_per_second``
    ``camera``, ``sun``, ``shutter``,                   ``vkforge/camera/...``, ``vkforge/sun/...``, ...
    ``camera_exposure``: anything else
    ``primaries``                                       ``chromaticities``
    ``frames_per_second``, ``frame``                    ``framesPerSecond``, ``imageCounter``
    ``lane``, ``samples``, ``seed``, ``exposure``,      ``vkforge/lane``, ...
    ``tonemap``
    ==================================================  =============================================================

    Matrices are stored as OpenEXR has them, for row vectors (``p * M``): transposed, and in its left-handed camera
    space whose z is the viewing direction. Whole numbers beyond 32 bits are stored as text.

    Args:
        info: plain values: numbers, text, lists of numbers.
        software: value of the ``software`` attribute.

    Raises:
        InputError: a value that can't be stored, or primaries that nobody knows.
    """
    attributes: dict[str, Any] = {"software": software, "vkforge/unit": "metre", "chromaticities": color_space(info)[0]}
    for key in _RENDER_KEYS:
        if key in info:
            attributes[f"vkforge/{key}"] = _plain(info[key], f"info[{key!r}]")
    if "frames_per_second" in info:
        # A float 24000 / 1001 is that ratio again.
        pace = number("info['frames_per_second']", info["frames_per_second"], above=0.0)
        attributes["framesPerSecond"] = Fraction(pace).limit_denominator(1001)
    if "frame" in info:
        attributes["imageCounter"] = int(number("info['frame']", info["frame"], -(2.0**31), 2.0**31 - 1.0))
    for group in _GROUPS:
        if not isinstance(info.get(group, {}), Mapping):
            raise InputError(f"info[{group!r}] is {show(info[group])}; wanted a dict")
    camera = dict(info.get("camera", {}))
    for key, (standard, change) in _MATRICES.items():
        if key in camera:
            matrix = change @ _matrix(camera.pop(key), key)
            attributes[standard] = np.ascontiguousarray(matrix.T, np.float32)
    shutter = info.get("shutter", {})
    if {"open", "close"} <= shutter.keys() and "frames_per_second" in info:
        times = [number(f"info['shutter'][{name!r}]", shutter[name]) for name in ("open", "close")]
        attributes["shutterAngle"] = 360.0 * (times[1] - times[0]) * float(info["frames_per_second"])
    for group in _GROUPS:
        for key, value in (camera if group == "camera" else info.get(group, {})).items():
            standard = _CAMERA_KEYS.get(key) if group == "camera" else None
            name = f"info[{group!r}][{key!r}]"
            one = standard is not None and key != "sensor"
            attributes[standard or f"vkforge/{group}/{key}"] = number(name, value) if one else _plain(value, name)
    return attributes


def _matrix(values: Any, name: str) -> NDArray[np.float64]:
    matrix = float_array(f"info['camera'][{name!r}]", values, "4 x 4 finite numbers")
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise InputError(f"info['camera'][{name!r}] has shape {matrix.shape}; wanted 4 x 4 finite numbers")
    return matrix


def _plain(value: Any, name: str) -> Any:
    """The value as one of the types that an attribute can have: int, float, text, or a vector of 2 to 3 floats."""
    if isinstance(value, (str, float)):
        return value
    if isinstance(value, (bool, int)):
        return int(value) if abs(value) < 2**31 else str(value)
    if isinstance(value, Sequence) and len(value) in (2, 3):
        return tuple(number(name, part) for part in value)
    raise InputError(
        f"{name} is {value!r}, which an OpenEXR header can't hold; wanted a number, text, or 2 or 3 numbers"
    )
