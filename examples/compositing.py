"""A compositing recipe: the picture's parts from one OpenEXR file, added up again, and then balanced anew.

The lens darkens corners and scatters light, and does the same to the parts (`aov_effects`), so that they still add up.
The highest ground glows, as if it were hot, so that each of the four parts has something to show.
"""

import dataclasses

import numpy as np
import OpenEXR
from _options import options
from PIL import Image, ImageDraw

import vkforge as vf
from vkforge.demo import demo_terrain

PARTS = ("direct", "indirect", "emitted", "air")

given = options(__doc__)
size = given.size(640, 360)
terrain = demo_terrain()
hot = np.clip((terrain.heights - 780.0) / 200.0, 0.0, 1.0)
glow = vf.Material(emission=(2.0, 0.4, 0.05), emission_map=np.repeat(hot[..., None], 3, axis=2))
terrain = dataclasses.replace(terrain, cmap="vkforge.relief", vertical_exaggeration=2.5, material=glow)
camera = vf.Camera.orbit(terrain, azimuth=150, elevation=24, fov=22)
scene = vf.Scene(terrain, camera, vf.Sun(azimuth=60, elevation=26, irradiance=6.0), vf.Sky(turbidity=2.0))
aovs = (*PARTS, "coverage", "depth", "object_id")
with vf.Renderer() as renderer:
    settings = vf.Settings(samples=48, lens=vf.Lens(vignette=0.8), bloom=vf.Bloom(0.1), aov_effects=True)
    image = renderer.render(scene, size, lane="path-traced", aovs=aovs, settings=settings)
# Half floats, which are the default, would round each part by up to 0.05 %.
path = image.save(given.folder / "compositing.exr", half=False)
print(path)

# From here on, what any compositor does: read the layers and add them.
layers = OpenEXR.File(str(path)).channels()
beauty = layers["RGBA"].pixels[..., :3]
parts = {name: layers[name].pixels for name in PARTS}
error = np.abs(sum(parts.values()) - beauty).max() / beauty.max()
print(f"the parts make up the picture within {error:.1e} of its brightest pixel")

# Warm sunlight, bounced light and glow twice as strong, half of the haze.
balanced = parts["direct"] * (1.15, 1.0, 0.8) + 2.0 * (parts["indirect"] + parts["emitted"])
balanced += parts["air"] * (1.0 - 0.5 * layers["RGBA"].pixels[..., 3:])  # the sky behind it stays

tiles = {"R G B": beauty, **parts, "balanced anew": balanced}
tiles["indirect, times 4"] = 4.0 * tiles.pop("indirect")
order = ("R G B", "direct", "indirect, times 4", "emitted", "air", "balanced anew")
sheet = Image.new("RGB", (2 * size[0], 3 * size[1]))
write = ImageDraw.Draw(sheet)
for number, name in enumerate(order):
    corner = (number % 2 * size[0], number // 2 * size[1])
    picture = vf.tonemap(tiles[name], "neutral")
    sheet.paste(Image.fromarray(np.rint(255 * picture).astype(np.uint8)), corner)
    write.text((corner[0] + 10, corner[1] + 8), name, fill="white", stroke_width=2, stroke_fill="black")
path = given.folder / "compositing.png"
sheet.save(path)
print(path)
