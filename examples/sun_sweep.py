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
width, height = noon.camera.natural_size or terrain.shape[::-1]


def at(hour: float) -> vf.Scene:
    """Return the scene with the sun of an hour from 6 to 18, on a simple arc that is 45 degrees high at noon."""
    share = (hour - 6.0) / 12.0
    height = np.sin(np.pi * share)
    light = (4.2, 3.9 - 0.6 * (1.0 - height), 3.6 - 1.5 * (1.0 - height))  # warmer when low
    sun = vf.Sun(azimuth=90.0 + 180.0 * share, elevation=45.0 * height, irradiance=light, angular_diameter=1.0)
    return dataclasses.replace(noon, sun=sun)


hours = np.linspace(7.0, 17.0, 9)
with vf.Renderer() as renderer:
    images = renderer.render_many(map(at, hours), given.size(width, height), samples=8, exposure=-0.4)
    pictures = [np.pad(image.rgba, ((4, 4), (4, 4), (0, 0)), constant_values=255) for image in images]

sheet = np.vstack([np.hstack(pictures[start : start + 3]) for start in (0, 3, 6)])
path = given.folder / "sun_sweep.png"
write_png(path, sheet)
print(path)
