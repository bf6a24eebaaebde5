"""Fog and lamps on the device: the density as an image, and the blocks that tell shaders about them."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from vkforge.errors import InputError
from vkforge.graph.builder import Graph, ImageResource
from vkforge.scene.fog import Fog
from vkforge.scene.lights import PointLight, SpotLight
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import Image
from vkforge.vk.transfer import upload

KINDS = {"uniform": 1, "height": 2, "field": 3}  # include/medium.glsl; without fog it is 0

_serials = itertools.count()


def medium_kind(fog: Fog | None) -> int:
    """Return the specialisation constant MEDIUM_KIND that suits a scene's fog."""
    return 0 if fog is None else KINDS[fog.kind]


class DeviceFog:
    """The density of a field of fog as an image, layer beside layer."""

    def __init__(self, device: Device, fog: Fog) -> None:
        density = np.ones((1, 1, 1), np.float32) if fog.density is None else fog.density
        # Shaders want two voxels along each axis to interpolate between; one alone is the same throughout.
        for axis in range(3):
            density = density.repeat(2 if density.shape[axis] == 1 else 1, axis=axis)
        layers, height, width = density.shape
        largest = int(device.info.limits["maxImageDimension2D"])
        self.voxels = (width, height, layers)
        self.across = max(1, min(layers, largest // width, math.ceil(math.sqrt(layers * height / width))))
        rows = -(-layers // self.across)
        if width > largest or rows * height > largest:
            raise InputError(
                f"the fog's density is {width} x {height} x {layers} voxels; {device.info.name} lays its layers "
                f"into an image of at most {largest} along a side, and they don't fit: make it coarser"
            )
        texels = np.zeros((rows * height, self.across * width), np.float32)
        for layer in range(layers):
            row, column = divmod(layer, self.across)
            texels[row * height : (row + 1) * height, column * width : (column + 1) * width] = density[layer]
        self.owner = Owner(device, f"fog#{next(_serials)}")

        def fill(target: np.ndarray, first: int) -> None:
            target[..., 0] = texels[first : first + len(target)]

        with self.owner:
            usages = frozenset(["sampled", "copy_destination"])
            size = (texels.shape[1], texels.shape[0])
            self.image = Image(self.owner, "density_map", "r32f", size, usages).allocate()
            upload(device, self.image, fill)

    def release(self) -> None:
        """Give the image back."""
        self.owner.release()


def import_medium(graph: Graph, fog: DeviceFog | None, stand_in: ImageResource) -> dict[str, Any]:
    """Bring the medium into a graph; return the bindings that include/medium.glsl wants.

    Without a field nothing reads its image, but something must be bound: `stand_in`, a sampled one.
    """
    image = stand_in if fog is None else graph.import_image("density_map", fog.image)
    return {"fog": graph.block("fog"), "density_map": image}


def fill_medium(block: Any, fog: Fog | None, on_device: DeviceFog | None) -> None:
    """Write the `fog` block. Without fog nothing reads it."""
    if fog is None:
        return
    block["scattering"] = fog.scattering
    block["absorption"] = fog.absorption
    block["extinction"] = fog.extinction
    block["albedo"] = [s / e if e > 0.0 else 0.0 for s, e in zip(fog.scattering, fog.extinction, strict=True)]
    block["anisotropy"] = fog.anisotropy
    block["base"] = fog.base or 0.0
    block["scale_height"] = fog.scale_height or 1.0
    if fog.bounds is not None and on_device is not None:
        block["low"], block["high"] = fog.bounds[0::2], fog.bounds[1::2]
        block["voxels"] = on_device.voxels
        block["across"] = on_device.across


def fill_lights(block: Any, lights: tuple[PointLight | SpotLight, ...]) -> None:
    """Write the `lights` block of include/lights.glsl."""
    block["count"] = len(lights)
    for lamp, light in zip(block["lamps"], lights, strict=False):
        lamp["position"] = light.position
        lamp["intensity"] = light.intensity
        spot = isinstance(light, SpotLight)
        outer = math.radians(light.cone_angle / 2) if spot else 4.0
        lamp["axis"] = light.direction if spot else (0.0, 0.0, 1.0)
        lamp["outer"] = outer
        lamp["inner"] = outer * (1.0 - light.blend) if spot else 0.0
