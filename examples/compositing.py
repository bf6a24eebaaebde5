"""A compositing recipe: the picture's parts from one OpenEXR file, added up again, and then balanced anew."""

import numpy as np
import OpenEXR
from _options import options
from PIL import Image

import vkforge as vf
from vkforge.demo import demo_terrain

given = options(__doc__)

PARTS = ("direct", "indirect", "emitted", "air")
terrain = demo_terrain()
camera = vf.Camera.orbit(terrain, azimuth=150, elevation=24)
scene = vf.Scene(terrain, camera, vf.Sun(azimuth=60, elevation=26), vf.Sky(turbidity=2.0))
with vf.Renderer() as renderer:
    image = renderer.render(
        scene, given.size(640, 360), lane="path-traced", samples=24, aovs=(*PARTS, "coverage", "depth", "object_id")
    )
# Half floats, which are the default, would round each part by up to 0.05 %.
path = image.save(given.folder / "compositing.exr", half=False)

# From here on, what any compositor does: read the layers and add them.
layers = OpenEXR.File(str(path)).channels()
beauty = layers["RGBA"].pixels[..., :3]
parts = {name: layers[name].pixels for name in PARTS}
rebuilt = sum(parts.values())
error = np.abs(rebuilt - beauty).max() / beauty.max()
print(f"the parts make up the picture within {error:.1e} of its brightest pixel")

# Warm sunlight, bounced light twice as strong, half of the haze.
balanced = parts["direct"] * (1.15, 1.0, 0.8) + 2.0 * parts["indirect"] + parts["emitted"]
coverage = layers["RGBA"].pixels[..., 3:]
balanced += parts["air"] * (1.0 - 0.5 * coverage)

gain = float(0.35 / np.mean(beauty))  # the same for all three
tiles = [beauty, *parts.values(), balanced]
rows = [np.concatenate(tiles[i : i + 2], axis=1) for i in (0, 2, 4)]
sheet = vf.tonemap(gain * np.concatenate(rows), "neutral")

Image.fromarray(np.rint(255 * sheet).astype(np.uint8)).save(given.folder / "compositing.jpg", quality=92)
print(given.folder / "compositing.jpg")
