"""A valley as a model on a table: a tilted lens that sees it from close by, and the band of blur that mimics one."""

import dataclasses

import numpy as np
from _options import options
from PIL import Image

import vkforge as vf
from vkforge.demo import demo_terrain

given = options(__doc__)

terrain = dataclasses.replace(
    demo_terrain(), vertical_exaggeration=2.0, cmap=["#5f7a3c", "#8a9a4e", "#c2ad72", "#b58a5c", "#e8dcc8"]
)
target = (-1_000.0, -5_000.0, 600.0)
camera = vf.Camera.perspective((-6_500, -21_000, 9_500), target, fov=26)

# The plane in focus is laid along the ground: a lens wide open, and yet all is sharp but the peaks. Turned the other
# way it cuts through the ground, as in photographs of models, and only a narrow wedge is sharp.
lens = {"aperture_radius": 500.0, "blades": 7}
size = given.size(600, 338)
scenes = [
    vf.Scene(terrain, dataclasses.replace(camera, tilt=tilt, **lens), vf.Sun(260, 32), vf.Sky())
    for tilt in ((0.0, 60.0), (0.0, -55.0))
]
plain = vf.Scene(terrain, camera, vf.Sun(260, 32), vf.Sky())
vivid = vf.Settings(samples=8, exposure=0.3, grade=vf.Grade(saturation=1.3, contrast=1.15))

with vf.Renderer() as renderer:
    sharp = renderer.render(plain, size, settings=vivid)
    floor, wedge = (renderer.render(scene, size, settings=vivid) for scene in scenes)
    band = renderer.render(plain, size, settings=vivid, miniature=vf.Miniature(0.02, center=0.56))

rows = [np.concatenate([left.rgba, right.rgba], axis=1) for left, right in ((sharp, floor), (wedge, band))]
path = given.folder / "miniature.jpg"
Image.fromarray(np.concatenate(rows)[..., :3]).save(path, quality=92)
print(path)
