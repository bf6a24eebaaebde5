"""An old camera: one valley at dusk, lit by lamps, without and with the faults of its lens and its film."""

import dataclasses

import numpy as np
from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain

given = options(__doc__)

terrain = demo_terrain()
rows, cols = terrain.shape
lamps = np.zeros((rows, cols, 3))
random = np.random.default_rng(3)
lamps[random.integers(0, rows, 60), random.integers(0, cols, 60)] = (90.0, 52.0, 20.0)
terrain = dataclasses.replace(
    terrain,
    vertical_exaggeration=3.0,
    cmap=["#38492f", "#6f7350", "#a8a083", "#d9d5c8"],
    material=vf.Material(emission=1.0, emission_map=lamps),
)
scene = vf.Scene(
    terrain,
    camera=vf.Camera.orbit(terrain, azimuth=205, elevation=24, distance=17_000, fov=42, aspect=16 / 18),
    sun=vf.Sun(azimuth=285, elevation=9, irradiance=(1.5, 0.9, 0.5)),
    sky=vf.Sky.gradient(zenith=(0.08, 0.12, 0.25), horizon=(0.32, 0.24, 0.20)),
    background=(0.07, 0.06, 0.08),
)
plain = vf.Settings(samples=8, exposure=1.0)
faults = plain.replace(
    lens=vf.Lens(k1=-0.18, k2=0.03, red=0.004, blue=-0.003, vignette=0.8, mask_strength=0.5),
    bloom=vf.Bloom(intensity=0.25, radius=0.06),
    grain=vf.Grain(amount=0.22, size=1.6),
)
width, height = given.size(800, 450)
with vf.Renderer() as renderer:
    halves = [renderer.render(scene, (width // 2, height), settings=settings) for settings in (plain, faults)]

image = vf.Image(
    rgba=np.concatenate([half.rgba for half in halves], axis=1),
    hdr=np.concatenate([half.hdr for half in halves], axis=1),
)
print(image.save(given.folder / "old_camera.jpg"))
