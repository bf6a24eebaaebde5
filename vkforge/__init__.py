"""vkforge: elevation models in, physically based pictures out.

The public names, nothing else. They load on first use, so that importing vkforge costs nothing and needs no Vulkan.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vkforge import atmosphere
    from vkforge.animation.animation import Animation
    from vkforge.aovs import AOVS
    from vkforge.errors import (
        DeviceError,
        DeviceLostError,
        HostCapError,
        InputError,
        MissingDependencyError,
        OutOfMemoryError,
        OutputError,
        ShaderBuildError,
        ValidationLayerError,
        VkforgeError,
        VulkanMissingError,
    )
    from vkforge.image import GeoReference, Image
    from vkforge.oneliner import render
    from vkforge.post.bloom import Bloom
    from vkforge.post.depth_of_field import Miniature
    from vkforge.post.exposure import AutoExposure, CameraExposure, ev100
    from vkforge.post.grade import Grade
    from vkforge.post.grain import Grain
    from vkforge.post.lens import Lens
    from vkforge.post.lut import Lut
    from vkforge.post.tone import Tonemap
    from vkforge.renderer import Hits, Renderer
    from vkforge.scene.camera import Camera
    from vkforge.scene.clouds import Clouds
    from vkforge.scene.environment import Environment
    from vkforge.scene.fog import Fog
    from vkforge.scene.lights import PointLight, SpotLight
    from vkforge.scene.material import Material
    from vkforge.scene.scene import Scene
    from vkforge.scene.shutter import MovingScene, Shutter
    from vkforge.scene.sky import GradientSky, Sky
    from vkforge.scene.sun import Sun
    from vkforge.scene.terrain import Terrain
    from vkforge.scene.water import Water, WaterTint
    from vkforge.settings import Settings
    from vkforge.tonemapping import tonemap

_HOMES = {
    "vkforge.animation.animation": ("Animation",),
    "vkforge.aovs": ("AOVS",),
    "vkforge.errors": (
        "DeviceError",
        "DeviceLostError",
        "HostCapError",
        "InputError",
        "MissingDependencyError",
        "OutOfMemoryError",
        "OutputError",
        "ShaderBuildError",
        "ValidationLayerError",
        "VkforgeError",
        "VulkanMissingError",
    ),
    "vkforge.image": ("GeoReference", "Image"),
    "vkforge.oneliner": ("render",),
    "vkforge.post.exposure": ("AutoExposure", "CameraExposure", "ev100"),
    "vkforge.post.bloom": ("Bloom",),
    "vkforge.post.depth_of_field": ("Miniature",),
    "vkforge.post.grade": ("Grade",),
    "vkforge.post.grain": ("Grain",),
    "vkforge.post.lens": ("Lens",),
    "vkforge.post.lut": ("Lut",),
    "vkforge.post.tone": ("Tonemap",),
    "vkforge.renderer": ("Hits", "Renderer"),
    "vkforge.scene.camera": ("Camera",),
    "vkforge.scene.environment": ("Environment",),
    "vkforge.scene.clouds": ("Clouds",),
    "vkforge.scene.fog": ("Fog",),
    "vkforge.scene.lights": ("PointLight", "SpotLight"),
    "vkforge.scene.material": ("Material",),
    "vkforge.scene.scene": ("Scene",),
    "vkforge.scene.shutter": ("MovingScene", "Shutter"),
    "vkforge.scene.sky": ("GradientSky", "Sky"),
    "vkforge.scene.sun": ("Sun",),
    "vkforge.scene.terrain": ("Terrain",),
    "vkforge.scene.water": ("Water", "WaterTint"),
    "vkforge.settings": ("Settings",),
    "vkforge.tonemapping": ("tonemap",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

_MODULES = ("atmosphere",)

__all__ = [*_HOME_OF, *_MODULES, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("vkforge-renderer")
    if name in _MODULES:
        return importlib.import_module(f"vkforge.{name}")
    if name in _HOME_OF:
        value = getattr(importlib.import_module(_HOME_OF[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'vkforge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
