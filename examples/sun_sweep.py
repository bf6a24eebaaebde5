"""A day's light on one terrain: nine suns through `render_many`, which renders one while it reads the last one back."""

import dataclasses

import numpy as np
from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain
from vkforge.io.png import write_png

given = options(__doc__)

terrain = demo_terrain()
noon = vf.Scene.relief(terrain)
rows, cols = terrain.shape


def at(hour: float) -> vf.Scene:
    """Return the scene with the sun of an hour from 6 to 18, on a simple arc that is 60 degrees high at noon."""
    share = (hour - 6.0) / 12.0
    height = np.sin(np.pi * share)
    warmth = np.array([4.6, 4.2 - 0.7 * (1 - height), 3.9 - 1.9 * (1 - height)])
    sun = vf.Sun(azimuth=90.0 + 180.0 * share, elevation=60.0 * height, irradiance=warmth, angular_diameter=1.0)
    return dataclasses.replace(noon, sun=sun)


hours = np.linspace(7.0, 17.0, 9)
with vf.Renderer() as renderer:
    pictures = [image.rgba for image in renderer.render_many(map(at, hours), given.size(cols, rows), samples=8)]

sheet = np.vstack([np.hstack(pictures[start : start + 3]) for start in (0, 3, 6)])
path = given.folder / "sun_sweep.png"
write_png(path, sheet)
print(path)
