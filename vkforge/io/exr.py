"""OpenEXR: scene-linear radiance and the AOVs as layers of one file."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vkforge.aovs import AOVS
from vkforge.io.atomic import replacing

REC709_CHROMATICITIES = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)  # red, green, blue, white: ITU-R BT.709


def write_exr(
    path: str | os.PathLike[str],
    hdr: NDArray[np.float32] | None,
    aovs: Mapping[str, NDArray[np.float32]],
    *,
    half: bool = False,
    software: str = "vkforge",
) -> None:
    """Write a scanline OpenEXR file, ZIP-compressed, atomically.

    R, G, B hold the radiance; each AOV has the channels that `AOVS` names (depth is Z, normals are N.X, N.Y, N.Z).

    Args:
        path: file to write or replace.
        hdr: (h, w, 3) float32 scene-linear radiance, or None for a file of AOVs alone.
        aovs: AOV names to float32 arrays, (h, w) or (h, w, 3).
        half: store all but depth and position as 16-bit floats, which halves the file and clips radiance at 65504.
        software: value of the `software` attribute.

    Raises:
        OutputError: the file can't be written; what was there is untouched.
    """
    import OpenEXR

    channels: dict[str, NDArray] = {}
    if hdr is not None:
        channels["RGB"] = np.ascontiguousarray(_narrow(hdr, half))
    for name, values in aovs.items():
        exact = AOVS[name].unit == "m"  # half a metre in a kilometre is what a half float would leave of a depth
        planes = np.moveaxis(values, -1, 0) if values.ndim == 3 else (values,)
        for channel, plane in zip(AOVS[name].exr_channels, planes, strict=True):
            # OpenEXR reads a strided array as if it were contiguous, so each plane is copied out here.
            channels[channel] = np.ascontiguousarray(_narrow(plane, half and not exact))
    header = {
        "type": OpenEXR.scanlineimage,
        "compression": OpenEXR.ZIP_COMPRESSION,
        "chromaticities": REC709_CHROMATICITIES,
        "software": software,
    }
    with replacing(path) as stream:
        OpenEXR.File(header, channels).write(stream)


def _narrow(values: NDArray, half: bool) -> NDArray:
    if not half:
        return np.asarray(values, dtype=np.float32)
    limit = float(np.finfo(np.float16).max)
    return np.clip(values, -limit, limit).astype(np.float16)
