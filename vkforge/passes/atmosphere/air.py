"""The tables of the air itself, which depend on a `Sky` alone: how they are made, and how they are kept."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from vkforge.graph.builder import Graph, ImageResource
from vkforge.io import table_cache
from vkforge.scene.sky import Sky
from vkforge.vk.device import Device
from vkforge.vk.pipeline_cache import driver_key
from vkforge.vk.shaders import load

# Sizes as in include/transmittance.glsl, include/places.glsl and include/arriving.glsl (a test compares them).
DEPTH_SIZE = (256, 64)
PLACES = (48, 16)
MOMENTS = 5
HALO_SIZE = (8, 16)
COSINES = 16
SCATTERED_SIZE = (PLACES[0], (MOMENTS + math.prod(HALO_SIZE)) * PLACES[1])

SHADERS = tuple(f"atmosphere/{name}.comp" for name in ("transmittance", "arriving", "scattering"))

KEPT = 8  # skies in memory, of 1.4 MiB each


@dataclass(frozen=True)
class Effort:
    """What is spent on a sky's scattered light, by how dense its aerosols are.

    Attributes:
        orders: How many orders of scattering are computed one by one; a geometric series stands for the rest. In haze
            they look unlike each other for longer.
        azimuths: At how many the first order is looked at, whose light is narrow, and the others.
    """

    orders: int
    azimuths: tuple[int, int]

    @classmethod
    def of(cls, sky: Sky) -> Effort:
        """Return what is spent on a sky."""
        depth = max(sky.mie_extinction) * sky.aerosols * sky.mie_scale_height
        return cls(min(8, 3 + int(depth / 0.15)), (8, 4 if depth < 0.03 else 8))


def declare_air(
    graph: Graph, atmosphere: Any, optical_depths: ImageResource, scattered: ImageResource, effort: Effort
) -> None:
    """Declare the passes that fill the two tables, at that effort."""
    graph.compute("transmittance", SHADERS[0], DEPTH_SIZE, atmosphere=atmosphere, optical_depths=optical_depths)
    before = optical_depths  # nothing is read of it in the first order
    for order in range(1, effort.orders + 1):
        first = order == 1
        azimuths = effort.azimuths[0 if first else 1]
        size = (PLACES[0] * azimuths, PLACES[1] * COSINES * (2 if first else 1))
        arriving = graph.image(f"arriving {order}", "rgba32f", size)
        graph.compute(
            f"order {order}: arriving",
            SHADERS[1],
            (size[0], PLACES[1] * COSINES),
            {"azimuths": azimuths},
            {"FIRST": int(first)},
            atmosphere=atmosphere,
            optical_depths=optical_depths,
            scattered=before,
            arriving=arriving,
        )
        on = graph.image(f"order {order}", "rgba32f", SCATTERED_SIZE)
        graph.compute(
            f"order {order}: scattering",
            SHADERS[2],
            SCATTERED_SIZE,
            {"last": int(order == effort.orders), "azimuths": azimuths},
            {"FIRST": int(first)},
            atmosphere=atmosphere,
            before=before,
            arriving=arriving,
            on=on,
            all_orders=scattered,
        )
        before = on


# Tables made or read before, by what they depend on, for all renderers of the process: the newest come last.
_kept: OrderedDict[bytes, tuple[np.ndarray, np.ndarray]] = OrderedDict()
_kept_lock = threading.RLock()


class KeptAirs:
    """Tables that were made before: the newest in memory, more on disk.

    For CPU drivers alone, where they take a good part of a second; a GPU makes them in less time than it takes to bring
    them there.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self.wanted = device.info.type == "cpu"

    @cached_property
    def _version(self) -> bytes:
        """What made the tables: a driver has last bits of its own."""
        return driver_key(self._device).encode() + b"".join(load(name).code for name in SHADERS)

    def find(self, sky: Sky) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the two tables of a sky, (rows, columns, 3) float32, or None."""
        if not self.wanted:
            return None
        key = self._key(sky)
        with _kept_lock:
            if key in _kept:
                _kept.move_to_end(key)
                return _kept[key]
        shapes = [(*size[::-1], 3) for size in (DEPTH_SIZE, SCATTERED_SIZE)]
        data = table_cache.load("sky", key)
        if data is None or len(data) != sum(4 * math.prod(shape) for shape in shapes):
            return None
        numbers = np.frombuffer(data, "<f4")
        split = math.prod(shapes[0])
        return _remember(key, numbers[:split].reshape(shapes[0]), numbers[split:].reshape(shapes[1]))

    def keep(self, sky: Sky, optical_depths: np.ndarray, scattered: np.ndarray) -> None:
        """Keep the tables of a sky: (rows, columns, at least 3) float32."""
        key = self._key(sky)
        kept = _remember(
            key, np.ascontiguousarray(optical_depths[..., :3], "<f4"), np.ascontiguousarray(scattered[..., :3], "<f4")
        )
        table_cache.store("sky", key, b"".join(table.tobytes() for table in kept))

    def _key(self, sky: Sky) -> bytes:
        air = replace(sky, aerial_perspective=1.0)  # which it does not depend on
        return hashlib.sha256(self._version + repr((astuple(air), Effort.of(sky))).encode()).digest()


def _remember(key: bytes, optical_depths: np.ndarray, scattered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with _kept_lock:
        _kept[key] = optical_depths, scattered
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return optical_depths, scattered
