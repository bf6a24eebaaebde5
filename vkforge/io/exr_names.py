"""Layers of an OpenEXR file, and what compositors and Blender call them and their channels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vkforge.aovs import AOVS, Aov
from vkforge.errors import InputError
from vkforge.io.cryptomatte import layer_of, matte_header, matte_layers

NAMES = ("vkforge", "blender")
VIEW_LAYER = "ViewLayer"  # as a new file of Blender's calls its only one
_BLENDER_SKY = np.float32(1e10)  # Blender's Depth where there is nothing

_PICTURE = "RGBA"
_SAFE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# Blender's passes that mean what an AOV means; the others keep their names, as Blender's own AOVs do. Its Depth is
# along the camera's axis where the frame is flat, and along the ray where it is not.
_BLENDER_PASSES = {
    "beauty": "Combined",
    "position": "Position",
    "normal": "Normal",
    "albedo": "Diffuse Color",
    "emission": "Emission",
    "ambient_occlusion": "Ambient Occlusion",
    "object_id": "Object Index",
    "material_id": "Material Index",
}


@dataclass(frozen=True)
class Layer:
    """One layer of a file.

    Attributes:
        part: its name, which is its part's in a file of several.
        channels: (h, w) planes by their names in the file.
        color: whether it is light or colour, which a lossy compression may touch.
        half: whether half floats hold what matters of it.
        matte: whether it is one of Cryptomatte's.
    """

    part: str
    channels: Mapping[str, NDArray[np.float32]]
    color: bool = False
    half: bool = False
    matte: bool = False


def picture_layer(hdr: NDArray[np.float32], alpha: NDArray[np.float32] | None, names: str) -> Layer:
    """Return the layer of the radiance, ``R G B A``; without `alpha` it is 1 throughout."""
    if alpha is None:
        alpha = np.ones(hdr.shape[:2], np.float32)
    planes = (*np.moveaxis(hdr, -1, 0), alpha)
    if names == "blender":
        return Layer(f"{VIEW_LAYER}.Combined", _channels(f"{VIEW_LAYER}.Combined", _PICTURE, planes), True, True)
    return Layer("rgba", dict(zip(_PICTURE, planes, strict=True)), True, True)


def aov_layer(name: str, values: NDArray[np.float32], names: str, *, flat: bool = True) -> Layer:
    """Return the layer of an AOV, by the names of `AOVS` or by Blender's.

    Args:
        name: out of `AOVS`.
        values: (h, w) or (h, w, channels).
        names: one of `NAMES`.
        flat: whether the frame is: False of panoramas and fish-eyes, of which Blender's Depth is another.
    """
    aov = AOVS[name]
    planes = tuple(np.moveaxis(values, -1, 0)) if values.ndim == 3 else (values,)
    color, half = aov.kind == "color", aov.kind != "exact"
    if names == "blender":
        own = _BLENDER_PASSES.get(name)
        if name == ("depth_axis" if flat else "depth"):
            own, planes = "Depth", tuple(np.where(np.isinf(plane), _BLENDER_SKY, plane) for plane in planes)
        elif name == "depth":
            own = "depth_along_ray"
        part = f"{VIEW_LAYER}.{own or _safe(name)}"
        return Layer(part, _channels(part, _blender_suffixes(aov), planes), color, half)
    layer = aov.exr_channels[0].rpartition(".")[0] or name
    return Layer(_safe(layer), dict(zip(aov.exr_channels, planes, strict=True)), color, half)


def matte_set(
    matte_set: str, mattes: Mapping[str, NDArray[np.float32]], names: str
) -> tuple[list[Layer], dict[str, str]]:
    """Return the Cryptomatte layers of a set of mattes, and the header's attributes that go with them."""
    layer = _safe(layer_of(matte_set))
    suffixes = _PICTURE
    if names == "blender":
        layer, suffixes = f"{VIEW_LAYER}.{layer}", _PICTURE.lower()
    layers = [
        Layer(part, _channels(part, suffixes, planes), matte=True)
        for part, planes in matte_layers(layer, mattes).items()
    ]
    return layers, matte_header(layer, mattes)


def _blender_suffixes(aov: Aov) -> Iterator[str]:
    """The last parts of the channels' names: Blender's single values are Z for depths and X for all others."""
    for channel in aov.exr_channels:
        suffix = channel.rpartition(".")[2]
        yield suffix if aov.channels > 1 or suffix == "Z" else "X"


def _channels(layer: str, suffixes: str | Iterator[str], planes: tuple[NDArray[np.float32], ...]) -> dict:
    return {f"{layer}.{suffix}": plane for suffix, plane in zip(suffixes, planes, strict=True)}


def _safe(layer: str) -> str:
    """`layer`, if compositors keep it as it is: Nuke mangles dots, digits in front and odd characters."""
    if not _SAFE.fullmatch(layer):
        raise InputError(
            f"a layer can't be called {layer!r}; wanted letters, digits and _, with no digit first and no dot"
        )
    return layer
