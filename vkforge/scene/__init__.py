"""What a picture is made of: plain frozen dataclasses in float64, with no Vulkan."""

from vkforge.scene.albedo import Albedo
from vkforge.scene.camera import Camera, CameraRays
from vkforge.scene.clouds import Clouds
from vkforge.scene.environment import Environment
from vkforge.scene.fog import Fog
from vkforge.scene.lights import PointLight, SpotLight
from vkforge.scene.material import Material
from vkforge.scene.scene import Scene
from vkforge.scene.sky import GradientSky, Sky
from vkforge.scene.sun import Sun
from vkforge.scene.terrain import Terrain
from vkforge.scene.water import Water, WaterTint

__all__ = [
    "Albedo",
    "Camera",
    "CameraRays",
    "Clouds",
    "Environment",
    "Fog",
    "GradientSky",
    "Material",
    "PointLight",
    "Scene",
    "Sky",
    "SpotLight",
    "Sun",
    "Terrain",
    "Water",
    "WaterTint",
]
