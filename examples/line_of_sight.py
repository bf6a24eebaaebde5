"""What a tower sees: one ray to each sample of the DEM, by `Renderer.trace`, drawn onto a shaded relief.

The Earth is flat here; over the 20 km of this DEM its curve hides some 30 m.
"""

import dataclasses

import numpy as np
from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain

MAST = 30.0  # metres above the ground
EYES = 2.0

given = options(__doc__)

terrain = demo_terrain()  # its heights are doubled; sight lines shall not be
terrain = dataclasses.replace(terrain, vertical_exaggeration=1.0)
rows, cols = terrain.shape
xmin, xmax, ymin, ymax = terrain.extent
x, y = np.meshgrid(np.linspace(xmin, xmax, cols), np.linspace(ymax, ymin, rows))
ground = np.stack([x, y, terrain.heights], axis=-1, dtype=np.float64)

tower = ground.reshape(-1, 3)[np.argmax(terrain.heights)] + np.array((0.0, 0.0, MAST))
watched = ground.reshape(-1, 3) + np.array((0.0, 0.0, EYES))
ways = watched - tower
distances = np.linalg.norm(ways, axis=1)

with vf.Renderer() as renderer:
    hits = renderer.trace(terrain, np.broadcast_to(tower, ways.shape), ways)
    seen = (hits.t >= distances).reshape(rows, cols)  # inf where nothing is hit

    colour = np.where(seen[..., None], (0.72, 0.42, 0.16), (0.58, 0.58, 0.55))  # linear Rec.709
    near = np.hypot(x - tower[0], y - tower[1]) < 250.0
    colour[near] = (0.05, 0.05, 0.05)
    painted = dataclasses.replace(terrain, albedo=colour, vertical_exaggeration=2.0)
    high_sun = vf.Sun(elevation=50.0, irradiance=4.0, angular_diameter=4.0)  # little shade under the colours
    scene = dataclasses.replace(vf.Scene.relief(painted), sun=high_sun)
    width, height = scene.camera.natural_size or (cols, rows)
    image = renderer.render(scene, given.size(2 * width, 2 * height), samples=16, exposure=-0.5)

print(f"the tower sees {seen.mean():.1%} of the map")
print(image.save(given.folder / "line_of_sight.png"))
