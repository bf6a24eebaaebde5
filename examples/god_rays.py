"""God rays: the low sun behind a ridge, in fog that fills the valley before it."""

import dataclasses

from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain

given = options(__doc__)

terrain = dataclasses.replace(
    demo_terrain(), vertical_exaggeration=4.0, cmap=["#55604a", "#8a8a6a", "#b5ad90", "#d8d0b8"]
)


def above_ground(x: float, y: float, metres: float) -> tuple[float, float, float]:
    return x, y, float(terrain.height_at(x, y)) + metres


scene = vf.Scene(
    terrain,
    camera=vf.Camera.perspective(above_ground(-5000, 4000, 700), above_ground(3000, -3000, 600), fov=50),
    sun=vf.Sun(azimuth=135, elevation=12, irradiance=(9.0, 7.0, 4.6)),
    sky=vf.Sky.gradient(zenith=(0.10, 0.15, 0.26), horizon=(0.20, 0.20, 0.19)),
    # Thickest on the valley's floor, thinner by a factor e every 1,500 m; it scatters mostly forward, as droplets do.
    fog=vf.Fog(scattering=2.2e-4, absorption=2e-5, anisotropy=0.7, base=4.0 * terrain.min_height, scale_height=1500.0),
)
with vf.Renderer() as renderer:
    image = renderer.render(scene, given.size(800, 450), samples=16)

print(image.save(given.folder / "god_rays.jpg"))
