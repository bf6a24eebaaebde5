"""The end of an October day, by the real sun over the place: eight moments of one view, until dusk.

The sun outside the air is the same all the while: how bright and red it arrives, and what the sky does, is the air's
doing. As an eye would, the exposure follows the light, and as with an eye, half of the way.
"""

import dataclasses
from datetime import datetime, timedelta, timezone

import numpy as np
from _options import options

import vkforge as vf
from vkforge.demo import demo_terrain
from vkforge.io.png import write_png

LATITUDE, LONGITUDE = 36.59, -84.25  # the middle of the DEM, in Tennessee
SUMMER_TIME = timezone(timedelta(hours=-4))  # which it keeps until November

given = options(__doc__)

terrain = dataclasses.replace(
    demo_terrain(),
    vertical_exaggeration=2.5,
    cmap=["#414b2f", "#57593a", "#6e6544", "#7f7152", "#8f8266"],
    percentiles=(1, 99.5),
)
x, y = -6000.0, -11000.0
eye = (x, y, float(terrain.height_at(x, y)) + 2200.0)
camera = vf.Camera.perspective(eye, (0.0, 4000.0, 700.0), fov_x=55)  # to the north-north-east
air = vf.Sky(turbidity=1.5)

first, last = datetime(2026, 10, 21, 17, 45, tzinfo=SUMMER_TIME), datetime(2026, 10, 21, 19, 2, tzinfo=SUMMER_TIME)
moments = [first + (last - first) * step / 7 for step in range(8)]
suns = [vf.Sun.at(LATITUDE, LONGITUDE, when) for when in moments]
scenes = [vf.Scene(terrain, camera, sun, air) for sun in suns]

pictures = []
with vf.Renderer() as renderer:
    images = renderer.render_many(scenes, given.size(480, 270), samples=8, denoise="atrous")
    for when, sun, image in zip(moments, suns, images, strict=True):
        exposure = float(0.5 * np.log2(0.4 / np.median(image.hdr)))
        print(f"{when:%H:%M}: sun {sun.elevation:.1f} degrees high at bearing {sun.azimuth:.0f}, {exposure:+.1f} EV")
        picture = np.rint(255 * vf.tonemap(image.hdr, "agx", exposure)).astype(np.uint8)
        pictures.append(np.pad(picture, ((4, 4), (4, 4), (0, 0)), constant_values=255))

path = given.folder / "golden_hour.png"
write_png(path, np.vstack([np.hstack(pictures[start : start + 2]) for start in (0, 2, 4, 6)]))
print(path)
