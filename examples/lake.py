"""A reservoir among hills: valleys flooded up to a level, the sun low behind them."""

import dataclasses

from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain

given = options(__doc__)

LEVEL = 320.0  # metres, as the DEM's elevations are
terrain = dataclasses.replace(
    demo_terrain(), vertical_exaggeration=3.0, cmap=["#4d5a3a", "#6e7349", "#958c66", "#b3a88a"]
)
shore = LEVEL * terrain.vertical_exaggeration

scene = vf.Scene(
    terrain,
    camera=vf.Camera.perspective((10_500, -15_300, shore + 430), (6_500, -7_000, shore + 60), fov=45),
    sun=vf.Sun(azimuth=322, elevation=17),
    sky=vf.Sky(turbidity=1.5),
    water=vf.Water(LEVEL, wave_height=0.05),
)
with vf.Renderer() as renderer:
    image = renderer.render(scene, given.size(800, 450), samples=16, exposure=0.8)

print(image.save(given.folder / "lake.jpg"))
