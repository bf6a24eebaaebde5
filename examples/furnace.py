"""A furnace: white ground of every roughness in light that comes from everywhere. What loses no light vanishes.

Left to right roughness 0 to 1; above a white metal, below white stone. Both are shown as the distance of the radiance
from 1, ten times: black is exact.
"""

import numpy as np
from _options import options

import vkforge as vf
from vkforge.io.png import write_png

given = options(__doc__)

everywhere = vf.Sky.gradient(zenith=1.0, horizon=1.0, ground=1.0)
y, x = np.mgrid[-1:1:65j, -1:1:65j]
dome = 32.0 * np.sqrt(np.maximum(1.25 - x * x - y * y, 0.25))  # a cap, seen at every angle up to 60 degrees

rows = []
with vf.Renderer() as renderer:
    for metallic in (1.0, 0.0):
        tiles = []
        for roughness in np.linspace(0.0, 1.0, 6):
            material = vf.Material(roughness=roughness, metallic=metallic, specular=0.5)
            terrain = vf.Terrain(dome, cell_size=1.0, albedo=1.0, material=material)
            scene = vf.Scene(terrain, vf.Camera.map(terrain), sun=None, sky=everywhere)
            image = renderer.render(scene, given.size(120, 120), lane="path-traced", samples=256, max_depth=64)
            tiles.append(np.abs(1.0 - image.hdr) * 10.0)
            print(f"metallic {metallic:g}, roughness {roughness:g}: mean radiance {image.hdr.mean():.4f}")
        rows.append(np.hstack(tiles))

loss = (255 * np.clip(np.vstack(rows), 0, 1)).astype(np.uint8)
path = given.folder / "furnace.png"
write_png(path, loss)
print(path)
