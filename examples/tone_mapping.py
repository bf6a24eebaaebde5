"""One render of a low sun, kept as light in Rec.2020, and what four tone mappings make of it, from dark to bright.

The render is done once: `vkforge.post.display.finish` turns its light into a picture as often as one likes.
"""

import dataclasses

import numpy as np
from _options import options
from PIL import Image, ImageDraw

import vkforge as vf
from vkforge.demo import demo_terrain
from vkforge.post.display import finish

OPERATORS = ("reinhard", "aces", "agx", "neutral")
STOPS = (-2.0, 0.0, 2.0)

given = options(__doc__)
size = given.size(480, 270)

terrain = dataclasses.replace(demo_terrain(), vertical_exaggeration=3.0, cmap="vkforge.swiss")
x, y = 2000.0, -13_000.0
eye = (x, y, float(terrain.height_at(x, y)) * 3.0 + 900.0)
camera = vf.Camera.perspective(eye, (-12000.0, 2000.0, 3000.0), fov_x=60)  # to the north-west, where the sun is
scene = vf.Scene(terrain, camera, vf.Sun(azimuth=305.0, elevation=4.0, irradiance=16.0), vf.Sky(turbidity=2.0))

with vf.Renderer() as renderer:
    image = renderer.render(scene, size, samples=16, primaries="rec2020", exposure=vf.AutoExposure())
path = given.folder / "tone_mapping.exr"
print(image.save(path))  # its chromaticities say Rec.2020

found = image.info["exposure"]
print(f"radiance from {image.hdr.min():.2g} to {image.hdr.max():.2g}, exposed by {found:+.1f} EV")
rows = []
for operator in OPERATORS:
    settings = vf.Settings(tonemap=operator, primaries="rec2020")
    tiles = [finish(image.hdr, settings, found + stops) for stops in STOPS]
    rows.append(np.hstack([np.pad(tile, ((4, 4), (4, 4), (0, 0)), constant_values=1.0) for tile in tiles]))
sheet = Image.fromarray(np.rint(255 * np.vstack(rows)).astype(np.uint8))

write = ImageDraw.Draw(sheet)
for row, operator in enumerate(OPERATORS):
    for column, stops in enumerate(STOPS):
        corner = (column * (size[0] + 8) + 14, row * (size[1] + 8) + 10)
        write.text(corner, f"{operator} {stops:+.0f} EV", fill="white", stroke_width=2, stroke_fill="black")
path = given.folder / "tone_mapping.png"
sheet.save(path)
print(path)
