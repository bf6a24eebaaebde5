"""A flight over the fault: five cameras, and a way between them at an even pace that stays level.

The eye follows a spline through the keys, and what it looks at lies a little further along the same way. A shutter that
is open for half of each frame's time blurs what passes by, so that ten frames a second look even.
"""

import dataclasses

import numpy as np
from _options import options
from _video import contact_sheet

import vkforge as vf
from vkforge.demo import demo_terrain

SECONDS = 5.0
CLEARANCE = 900.0  # metres above the highest ground nearby
AHEAD = 4000.0

given = options(__doc__)

terrain = dataclasses.replace(demo_terrain(), vertical_exaggeration=2.0, cmap="vkforge.relief")

way = np.array([(-11_000, -13_000), (-4_500, -8_500), (-1_500, -2_000), (-2_500, 5_000), (-8_500, 9_500)], np.float64)
headings = np.gradient(way, axis=0)
headings /= np.linalg.norm(headings, axis=1, keepdims=True)


def over(point: np.ndarray) -> float:
    """Return an elevation that is well above the ground around a point."""
    offsets = np.linspace(-1500.0, 1500.0, 7)
    east, north = np.meshgrid(point[0] + offsets, point[1] + offsets)
    return float(np.nanmax(terrain.height_at(east, north))) + CLEARANCE


def camera(point: np.ndarray, heading: np.ndarray) -> vf.Camera:
    """Return a camera at a point of the way that looks along it, a little down."""
    z = over(point)
    target = point + AHEAD * heading
    return vf.Camera.perspective((*point, z), (*target, z - 0.35 * AHEAD), fov_x=65)


gaps = np.linalg.norm(np.diff(way, axis=0), axis=1)
times = SECONDS * np.concatenate([[0.0], np.cumsum(gaps)]) / gaps.sum()  # as far apart as the keys: an even pace
keys = {float(time): camera(*place) for time, place in zip(times, zip(way, headings, strict=True), strict=True)}

scene = vf.Scene(terrain, keys[0.0], vf.Sun(azimuth=250, elevation=24), vf.Sky(turbidity=2.0))
settings = vf.Settings(samples=4, denoise="atrous", exposure=0.3, motion_blur="vectors")
film = vf.Animation(scene, {"camera": keys}, fps=10, settings=settings, shutter=vf.Shutter(180))
video = film.render(given.folder / "flight.mp4", given.size(480, 270), resume=False)

print(video)
print(contact_sheet(video, 3, 2))
