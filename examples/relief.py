"""Shaded relief: straight down, north up, square pixels on the ground; a picture and a GeoTIFF."""

import dataclasses

from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain

given = options(__doc__)

terrain = demo_terrain()
sun = vf.Sun(azimuth=315.0, elevation=38.0, irradiance=(4.2, 4.05, 3.85), angular_diameter=4.0)
scene = dataclasses.replace(vf.Scene.relief(terrain), sun=sun)  # relief() brings the sky and the hypsometric tint

width, height = scene.camera.natural_size or terrain.shape[::-1]
with vf.Renderer() as renderer:
    image = renderer.render(scene, given.size(2 * width, 2 * height), samples=16)  # two pixels a cell, square ones

print(image.save(given.folder / "relief.png"))
try:
    print(image.save(given.folder / "relief.tif"))  # the DEM's own CRS and place, pixels of half its size
except vf.MissingDependencyError as missing:
    print(missing)
