"""Images of what the ground is made of, on the device."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from vkforge.errors import InputError
from vkforge.graph.builder import Graph, ImageResource
from vkforge.scene.material import Material
from vkforge.scene.terrain import Terrain
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import Image
from vkforge.vk.transfer import upload

ALBEDO_KINDS = {"constant": 0, "texture": 1, "ramp": 2}  # include/surface.glsl

_serials = itertools.count()


class DeviceTexture:
    """An image that shaders sample."""

    def __init__(self, device: Device, name: str, pixels: np.ndarray, encoded: bool) -> None:
        """Upload (h, w, 4) float16, or uint8 that is sRGB-encoded or not; `name` is for errors and reports."""
        largest = int(device.info.limits["maxImageDimension2D"])
        if max(pixels.shape[:2]) > largest:
            raise InputError(
                f"the {name} is {pixels.shape[1]} x {pixels.shape[0]} pixels; {device.info.name} takes at most "
                f"{largest} along a side: resample it"
            )
        self.owner = Owner(device, f"{name}#{next(_serials)}")
        format = "rgba16f" if pixels.dtype == np.float16 else "rgba8_srgb" if encoded else "rgba8"
        size = (pixels.shape[1], pixels.shape[0])

        def fill(target: np.ndarray, first: int) -> None:
            target[...] = pixels[first : first + len(target)]

        with self.owner:
            usages = frozenset(["sampled", "copy_destination"])
            self.image = Image(self.owner, name, format, size, usages).allocate()
            upload(device, self.image, fill)

    def release(self) -> None:
        """Give the image back."""
        self.owner.release()


def import_maps(
    graph: Graph, maps: Mapping[str, DeviceTexture | None], instead: ImageResource
) -> dict[str, ImageResource]:
    """Bring a material's maps into a graph; where there is none, `instead`, which is bound but not read."""
    return {
        name: instead
        if texture is None
        else graph.import_image(name, texture.image, sampler="repeat" if name == "detail_normal_map" else "linear")
        for name, texture in maps.items()
    }


def surface_variant(terrain: Terrain) -> dict[str, int]:
    """Return the specialisation constants of include/surface.glsl that suit what a terrain is made of."""
    maps = {f"HAS_{name.upper()}": texture is not None for name, texture in terrain.material.maps.items()}
    albedo = terrain.surface_albedo
    return {"ALBEDO_KIND": ALBEDO_KINDS[albedo.kind], "HAS_ALBEDO_OVERLAY": albedo.overlay is not None, **maps}


def fill_material(block: Any, material: Material) -> None:
    """Write the material's part of the `terrain` block."""
    block["roughness"] = material.roughness
    block["metallic"] = material.metallic
    block["specular"] = material.specular
    block["normal_strength"] = material.normal_strength
    block["detail_normal_strength"] = material.detail_normal_strength
    block["detail_normal_frequency"] = 1.0 / material.detail_normal_period
    block["emission"] = material.emission
    block["reads_material"] = material.metallic_roughness_map is not None
