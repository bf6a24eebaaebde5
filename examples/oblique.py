"""An oblique view of one's own making: camera, sun, sky and colour chosen by hand; the picture and its layers."""

import dataclasses

from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain

given = options(__doc__)

terrain = dataclasses.replace(
    demo_terrain(),
    cmap=["#848c72", "#a8a987", "#c9bd98", "#ddcfb2", "#f1ebdf"],  # sRGB, from the lowest point to the highest
    percentiles=(1, 99.5),
    skirt="auto",
    skirt_color="#a39a8c",
)
scene = vf.Scene(
    terrain,
    camera=vf.Camera.orbit(terrain, azimuth=150, elevation=28, fov=22),
    sun=vf.Sun(azimuth=235, elevation=24, irradiance=(4.6, 4.2, 3.5), angular_diameter=2.0),
    sky=vf.Sky.gradient(zenith=(0.16, 0.22, 0.34), horizon=(0.30, 0.32, 0.36), ground=(0.5, 0.48, 0.45)),
    background="#eeeae2",
)
with vf.Renderer() as renderer:
    image = renderer.render(scene, given.size(1200, 675), samples=16, sky_rays=8, aovs=("depth", "normal"))

print(image.save(given.folder / "oblique.jpg"))
print(image.save(given.folder / "oblique.exr", half=True))  # scene-linear radiance, depth and normals in layers
