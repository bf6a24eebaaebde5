"""How AOVs and mattes come out of a lane's images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vkforge.bands import copied
from vkforge.lanes.lane import Request

Arrays = Mapping[str, NDArray[Any]]

# What w of the G-buffer's normal says (HIT_... of include/heightfield.glsl), and the ids that stand for it.
_HIT_NOTHING, _HIT_WATER = 0, 3
OBJECTS = MATERIALS = {"terrain": 1, "water": 2}


_AT_THE_EDGE = 1e-3  # cells; float32 tells it over ten thousand of them

_SHARES = ("coverage", "water_coverage")  # in the order in which post/pack_shares.comp has them


@dataclass(frozen=True)
class Source:
    """Where an AOV is read from.

    Attributes:
        images: Names out of OUTPUTS.
        read: Makes the AOV of their pixels, by name; of the request; and of the samples that each pixel has.
    """

    images: tuple[str, ...]
    read: Callable[[Arrays, Request, int], NDArray[np.float32]]


def _color(image: str) -> Source:
    return Source((image,), lambda arrays, *_: copied(arrays[image][..., :3], np.float32))


def _channel(image: str, index: int = 0) -> Source:
    return Source((image,), lambda arrays, *_: copied(arrays[image][..., index], np.float32))


def _share(arrays: Arrays, name: str) -> NDArray[np.float32]:
    """Return the share of each pixel that all covers, or water: as it is, else as lens and shutter spread it."""
    if name in arrays:
        return copied(arrays[name][..., -1], np.float32)
    return np.minimum(arrays["shares"][..., _SHARES.index(name)], 1.0)


def read_alpha(arrays: Arrays) -> NDArray[np.float32]:
    """Return the share of each pixel that what is seen covers, lens and shutter included."""
    return np.clip(arrays["shares"][..., 0], 0.0, 1.0).astype(np.float32)


def _position(arrays: Arrays, request: Request, _: int) -> NDArray[np.float32]:
    """Return what pixels show; those of a map that lie beside the surface, whose edge they show, where they lie."""
    found = copied(arrays["position"][..., :3], np.float32)
    camera, terrain = request.scene.camera.middle, request.scene.terrain
    if camera.kind == "map":
        edge = np.array(terrain.extent[1::2]) - _AT_THE_EDGE * np.array(terrain.cell_size)
        rows, cols = np.nonzero((np.abs(found[..., :2]) > edge.astype(np.float32)).any(axis=-1))
        centres = np.stack([cols, rows], axis=1) + 0.5
        found[rows, cols, :2] = camera.unproject(centres, 0.0, request.size, lens=request.settings.lens)[:, :2]
    return found


def _depth_axis(arrays: Arrays, request: Request, _: int) -> NDArray[np.float32]:
    camera, position = request.scene.camera.middle, arrays["position"]
    along = (position[..., :3] - np.array(camera.position)) @ np.array(camera.axes[2])
    return np.where(np.isinf(position[..., 3]), np.inf, along).astype(np.float32)


def _ids(arrays: Arrays, *_: Any) -> NDArray[np.float32]:
    kind = arrays["normal"][..., 3]
    return np.select([kind == _HIT_NOTHING, kind == _HIT_WATER], [0, 2], 1).astype(np.float32)


def _variance(arrays: Arrays, _: Request, samples: int) -> NDArray[np.float32]:
    # Of a mean of n: the squared deviations over (n - 1), over n; of one sample, 0.
    return (arrays["deviation"][..., 0] / max(samples * (samples - 1), 1)).astype(np.float32)


SOURCES: dict[str, Source] = {
    "beauty": Source(("radiance",), lambda arrays, *_: arrays["radiance"][..., :3]),  # which the renderer finishes
    "depth": _channel("position", 3),
    "depth_axis": Source(("position",), _depth_axis),
    "position": Source(("position",), _position),
    "normal": _color("normal"),
    "geometric_normal": _color("geometric_normal"),
    "albedo": _color("albedo"),
    "roughness": _channel("material", 0),
    "metallic": _channel("material", 1),
    "emission": _color("emission"),
    "sun_visibility": _channel("sun_visibility"),
    "sky_visibility": _channel("sky_visibility"),
    "ambient_occlusion": _channel("ambient_occlusion"),
    "direct": _color("direct"),
    "indirect": _color("indirect"),
    "emitted": _color("emitted"),
    "air": _color("air"),
    "variance": Source(("deviation",), _variance),
    "hit": Source(("normal",), lambda arrays, *_: (arrays["normal"][..., 3] > 0).astype(np.float32)),
    "water": Source(("normal",), lambda arrays, *_: (arrays["normal"][..., 3] == _HIT_WATER).astype(np.float32)),
    "coverage": Source(("coverage",), lambda arrays, *_: _share(arrays, "coverage")),
    "motion": Source(("motion",), lambda arrays, *_: copied(arrays["motion"][..., :2])),
    "object_id": Source(("normal",), _ids),
    "material_id": Source(("normal",), _ids),
}
"""Where each AOV of `vkforge.aovs.AOVS` comes from."""

# AOVs that come with mattes of what they tell apart: the name of the set.
_MATTES = {"object_id": "object", "material_id": "material"}


def images_for(aovs: Iterable[str], *, effects: bool) -> tuple[str, ...]:
    """Return the names out of OUTPUTS that these AOVs and their mattes are made of.

    `effects` is whether what the lens does to the picture is done to them.
    """
    needed: list[str] = []
    for name in aovs:
        needed += SOURCES[name].images
        if name in _MATTES:
            needed += _SHARES
    return tuple(dict.fromkeys("shares" if effects and name in _SHARES else name for name in needed))


def read_aovs(aovs: Iterable[str], arrays: Arrays, request: Request, samples: int) -> dict[str, NDArray[np.float32]]:
    """Return the AOVs by name, as arrays of their own."""
    return {name: SOURCES[name].read(arrays, request, samples) for name in aovs}


def read_mattes(aovs: Iterable[str], arrays: Arrays) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Return, for each AOV of ids, the share of each pixel that each thing covers, by the thing's name."""
    sets = [_MATTES[name] for name in aovs if name in _MATTES]
    if not sets:
        return {}
    water = _share(arrays, "water_coverage")
    ground = np.maximum(_share(arrays, "coverage") - water, 0.0)
    return {name: {"terrain": ground.copy(), "water": water.copy()} for name in sets}
