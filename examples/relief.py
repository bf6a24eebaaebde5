"""Shaded relief: straight down, north up, pixels aligned with the DEM's samples; a picture and a GeoTIFF."""

import dataclasses

from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain

given = options(__doc__)

terrain = demo_terrain()
scene = vf.Scene.relief(terrain)  # a soft sun from the north-west, and the hypsometric tint
scene = dataclasses.replace(scene, sun=dataclasses.replace(scene.sun, elevation=38.0))

rows, cols = terrain.shape
with vf.Renderer() as renderer:
    image = renderer.render(scene, given.size(2 * cols, 2 * rows), samples=16)  # two pixels a sample

print(image.save(given.folder / "relief.png"))
try:
    print(image.save(given.folder / "relief.tif"))  # the DEM's own CRS and place, pixels of half its size
except vf.MissingDependencyError as missing:
    print(missing)
