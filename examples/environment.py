"""An environment map turned around a scene: six bearings of one evening, which is painted here, and the map itself."""

import dataclasses

import numpy as np
from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain
from vkforge.io.png import write_png

given = options(__doc__)


def evening(height: int = 256) -> np.ndarray:
    """Return (h, 2 h, 3) radiance: a low sun in the north, its glow, bands of cloud, blue overhead, dark land below."""
    zenith = (np.arange(height) + 0.5)[:, None] * np.pi / height
    bearing = (np.arange(2 * height) + 0.5)[None, :] * np.pi / height - np.pi  # 0 in the middle: north
    up, elevation = np.cos(zenith), np.pi / 2 - zenith
    towards_sun = np.sin(zenith) * np.cos(bearing) * np.cos(0.16) + up * np.sin(0.16)
    angle = np.arccos(np.clip(towards_sun, -1.0, 1.0))[..., None]
    blue, dusk = np.array([0.10, 0.19, 0.42]), np.array([0.62, 0.38, 0.33])
    sky = blue + (dusk - blue) * np.exp(-3.0 * np.abs(elevation))[..., None]
    sky = (
        sky + np.array([2.6, 1.1, 0.30]) * np.exp(-4.0 * angle) + np.array([220.0, 120.0, 42.0]) * np.exp(-70.0 * angle)
    )
    streaks = np.sin(34 * elevation + 1.4 * np.sin(2 * bearing + 0.5) + 0.6 * np.sin(7 * bearing))
    patches = 0.5 + 0.3 * np.sin(3 * bearing + 6 * elevation) + 0.3 * np.sin(8 * bearing - 11 * elevation + 1.0)
    cloud = (np.clip(streaks * patches, 0.0, 1.0) * np.exp(-14.0 * (elevation - 0.42) ** 2))[..., None]
    sky = sky * (1.0 - 0.5 * cloud) + cloud * (0.12 + np.array([1.3, 0.7, 0.4]) * np.exp(-1.2 * angle))
    return np.where(up[..., None] > 0, sky, np.array([0.16, 0.15, 0.16]))


def gap(picture: np.ndarray) -> np.ndarray:
    """Return (h + 8, w + 8, 3): the picture in a white frame."""
    return np.pad(picture[..., :3], ((4, 4), (4, 4), (0, 0)), constant_values=255)


terrain = dataclasses.replace(
    demo_terrain(),
    albedo=(0.46, 0.43, 0.40),
    vertical_exaggeration=3.0,
    material=vf.Material(roughness=0.4, specular=1.0),
)
south = terrain.extent[2]
camera = vf.Camera.perspective((0.0, 0.98 * south, 3900.0), (0.0, 0.0, 3100.0), fov_x=62)
sky = vf.Environment(evening())
scenes = [
    vf.Scene(terrain, camera, sun=None, sky=dataclasses.replace(sky, rotation=turn)) for turn in range(0, 360, 60)
]
with vf.Renderer() as renderer:
    images = renderer.render_many(scenes, given.size(400, 260), samples=16, sky_rays=8, exposure=0.6)
    pictures = [gap(image.rgba) for image in images]

sheet = np.vstack([np.hstack(pictures[:3]), np.hstack(pictures[3:])])
# Below, the map, a degree of bearing as wide as one of elevation: the middle is north.
width = sheet.shape[1] - 8
rows, columns = np.arange(width // 4) + width // 16, np.arange(width)
shown = sky.radiance[rows[:, None] * 2 * 256 // width, columns[None, :] * 2 * 256 // width]
sheet = np.vstack([sheet, gap(np.rint(255 * vf.tonemap(shown, "neutral", 0.6)).astype(np.uint8))])
path = given.folder / "environment.png"
write_png(path, sheet)
print(path)
