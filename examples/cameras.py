"""One terrain through every kind of camera: nine pictures on a sheet."""

import dataclasses

import numpy as np
from _options import options
from PIL import Image

import vkforge as vf
from vkforge.demo import demo_terrain
from vkforge.io.png import write_png

given = options(__doc__)

terrain = dataclasses.replace(demo_terrain(), cmap="vkforge.relief", vertical_exaggeration=2.5, skirt="auto")
summit = vf.Camera.look_at_feature(terrain, "summit", distance=6000)
x, y, z = summit.target
above = (x, y, z + 300.0)  # metres over the summit

flight = vf.Camera.flyover(terrain, frames=100, above_ground=900)
model = vf.Camera.orbit(terrain, azimuth=220, elevation=40, fov=24)
cameras = (
    model,
    vf.Camera.photographic(
        *(model.position, model.target), focal_length=85, f_number=5.6, scale=60_000, blades=7, lens_tilt=(0, -8)
    ),
    vf.Camera.orthographic(model.position, model.target, height=22_000),
    vf.Camera.map(terrain),
    vf.Camera.oblique(terrain, azimuth=180, z_scale=2.0),
    vf.Camera.panorama(above, bearing=0, elevation=-5, fov_x=360, fov=160),
    vf.Camera.fisheye(above, (x, y + 1000, z - 200), fov=220),
    summit,
    flight[20],
)

size = given.size(420, 280)
sun = vf.Sun(azimuth=300, elevation=30, irradiance=6, angular_diameter=2)
tiles = []
with vf.Renderer() as renderer:
    for camera in cameras:
        image = renderer.render(vf.Scene(terrain, camera, sun, vf.Sky()), size, samples=12)
        tiles.append(np.asarray(Image.fromarray(image.rgba).convert("RGB")))

rows = [np.concatenate(tiles[first : first + 3], axis=1) for first in (0, 3, 6)]
path = given.folder / "cameras.png"
write_png(path, np.concatenate(rows))
print(path)
