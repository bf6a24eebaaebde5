"""What a denoiser does: path-traced light with 4 samples a pixel, the same denoised on the device, and 96 samples."""

import dataclasses

import numpy as np
from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain
from vkforge.io.png import write_png

given = options(__doc__)

terrain = dataclasses.replace(
    demo_terrain(), vertical_exaggeration=3.0, cmap=["#6b7355", "#a3966a", "#c9b78c", "#e8dcc0"], percentiles=(1, 99.5)
)
x, y = -6000.0, -11000.0
eye = (x, y, float(terrain.height_at(x, y)) + 2200.0)
camera = vf.Camera.perspective(eye, (0.0, 0.0, 600.0), fov_x=40)
scene = vf.Scene(terrain, camera, vf.Sun(azimuth=290, elevation=25, irradiance=4.0), vf.Sky(turbidity=1.5))
size = given.size(320, 300)
with vf.Renderer() as renderer:
    noisy = renderer.render(scene, size, lane="path-traced", samples=4)
    clean = renderer.render(scene, size, lane="path-traced", samples=4, denoise="atrous")
    truth = renderer.render(scene, size, lane="path-traced", samples=96)

for name, image in (("4 samples", noisy), ("denoised", clean)):
    error = np.mean((image.hdr - truth.hdr) ** 2 / (truth.hdr**2 + 1e-2))
    print(f"{name}: relative mean squared error {error:.1e}")
path = given.folder / "denoise.png"
write_png(
    path,
    np.hstack([np.pad(image.rgba, ((4, 4), (4, 4), (0, 0)), constant_values=255) for image in (noisy, clean, truth)]),
)
print(path)
