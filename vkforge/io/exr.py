"""OpenEXR: scene-linear radiance, the AOVs and Cryptomattes as layers of one file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vkforge.errors import InputError, suggest
from vkforge.io.atomic import replacing
from vkforge.io.exr_header import color_space, header_attributes
from vkforge.io.exr_names import NAMES, Layer, aov_layer, matte_set, picture_layer
from vkforge.scene.checks import show

# Names for users to those of the OpenEXR package.
_LOSSLESS = {"none": "NO", "rle": "RLE", "zips": "ZIPS", "zip": "ZIP", "piz": "PIZ"}
_LOSSY = {"dwaa": "DWAA", "dwab": "DWAB"}
_COMPRESSIONS = _LOSSLESS | _LOSSY
LOSSLESS, LOSSY = tuple(_LOSSLESS), tuple(_LOSSY)
PARTS = ("single", "multi")

# OpenEXR's DWA compression takes channels of these names for colours and loses some of them, whatever their layer: a
# position's Y as much as a colour's R. All others it keeps to the bit.
_DWA_COLORS = {"R", "G", "B", "Y", "BY", "RY"}

_LARGEST_HALF = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class ExrOptions:
    """How an OpenEXR file is laid out.

    Attributes:
        half: store colours, directions and ratios as 16-bit floats (11 significant bits; radiance is clipped at 65504).
            Depths, positions, ids, motion, variance and mattes are 32-bit floats whatever this says.
        parts: "single" for one part with all layers, "multi" for a part a layer.
        compression: one of `LOSSLESS` or, for colours alone, of `LOSSY`: other layers are then ZIP-compressed parts.
        names: "vkforge" for the names of `AOVS`, "blender" for those of Blender's multilayer files.

    Raises:
        InputError: anything else.
    """

    half: bool = True
    parts: str = "single"
    compression: str = "zip"
    names: str = "vkforge"

    def __post_init__(self) -> None:
        if not isinstance(self.half, bool):
            raise InputError(
                f"half is {show(self.half)}; wanted True (16 bits where they do) or False (32 bits throughout)"
            )
        for name, known in (("parts", PARTS), ("compression", tuple(_COMPRESSIONS)), ("names", NAMES)):
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                hint = suggest(str(value), known)
                raise InputError(f"no OpenEXR {name} called {show(value)}{hint} (there is {', '.join(known)})")


def write_exr(
    path: str | os.PathLike[str],
    hdr: NDArray[np.float32] | None,
    aovs: Mapping[str, NDArray[np.float32]],
    *,
    alpha: NDArray[np.float32] | None = None,
    mattes: Mapping[str, Mapping[str, NDArray[np.float32]]] | None = None,
    info: Mapping[str, Any] | None = None,
    options: ExrOptions | None = None,
    software: str = "vkforge",
) -> None:
    """Write a scanline OpenEXR file, atomically.

    Args:
        path: file to write or replace.
        hdr: (h, w, 3) float32 scene-linear radiance, the channels R, G, B; None for a file of AOVs alone.
        aovs: AOV names to float32 arrays, (h, w) or (h, w, channels).
        alpha: (h, w) float32, the channel A beside `hdr`; None is 1 throughout.
        mattes: set of mattes ("object") to name to coverage, (h, w) float32, 0 to 1: Cryptomatte layers.
        info: what the header tells; see `exr_header.header_attributes`.
        options: layout, types, compression and names; None is `ExrOptions()`.
        software: value of the `software` attribute.

    Raises:
        InputError: a lossy compression in a single part with layers that it would spoil, coverage out of range, a layer
            without a safe name, values of `info` that a header can't hold.
        OutputError: the file can't be written; what was there is untouched.
    """
    import OpenEXR

    options, info = options or ExrOptions(), info or {}
    header = header_attributes(info, software)
    layers = [] if hdr is None else [picture_layer(hdr, alpha, options.names)]
    flat = info.get("camera", {}).get("kind") not in ("panorama", "fish-eye")
    layers += [aov_layer(name, values, options.names, flat=flat) for name, values in aovs.items()]
    if options.names == "blender":
        header["BlenderMultiChannel"] = "Blender V2.55.1 and newer"  # what tells Blender to look for layers
    for name, members in (mattes or {}).items():
        if members:
            added, attributes = matte_set(name, members, options.names)
            layers += added
            header |= attributes
    parts = []
    for name, members in _parts(layers, options).items():
        color = any(layer.color for layer in members)
        compression = "zip" if options.compression in LOSSY and not color else options.compression
        attributes = header | {
            "type": OpenEXR.scanlineimage,
            "compression": getattr(OpenEXR, f"{_COMPRESSIONS[compression]}_COMPRESSION"),
            "colorInteropID": color_space(info)[1] if color else "data",
        }
        planes = {
            channel: _stored(plane, layer.half and options.half)
            for layer in members
            for channel, plane in layer.channels.items()
        }
        parts.append(OpenEXR.Part(attributes, planes, name))
    with replacing(path) as stream:
        OpenEXR.File(parts).write(stream)


def _parts(layers: list[Layer], options: ExrOptions) -> dict[str, list[Layer]]:
    """The layers of each part, by the part's name."""
    if options.parts == "multi":
        return {layer.part: [layer] for layer in layers}
    if options.compression in LOSSY:
        for layer in layers:
            suffixes = {channel.rpartition(".")[2] for channel in layer.channels}
            if layer.matte or (not layer.color and suffixes & _DWA_COLORS):
                raise InputError(
                    f"compression={options.compression!r} in a single part would spoil {', '.join(layer.channels)}; "
                    "add parts='multi', which compresses what is no colour without loss, or take another compression"
                )
    return {"": layers}


def _stored(plane: NDArray[np.float32], half: bool) -> NDArray:
    # OpenEXR reads a strided array as if it were contiguous, so each plane is copied out here.
    if not half:
        return np.ascontiguousarray(plane, np.float32)
    return np.ascontiguousarray(np.clip(plane, -_LARGEST_HALF, _LARGEST_HALF), np.float16)
