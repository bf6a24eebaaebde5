"""A day in October as a video: the real sun over the place, from before it rises until after it has set.

The sun outside the air is the same all the while: how bright and red it arrives is the air's doing. The exposure
follows the light half of the way, as an eye does, through keys that small pictures of these moments give.
"""

import dataclasses
from datetime import datetime, timedelta, timezone

import numpy as np
from _options import options
from _video import contact_sheet

import vkforge as vf
from vkforge.demo import demo_terrain

PLACE = (36.59, -84.25)  # the middle of the DEM, in Tennessee
SUMMER_TIME = timezone(timedelta(hours=-4))  # which it keeps until November
DURATION = 6.0

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
scene = vf.Scene(terrain, camera, vf.Sun(), vf.Sky(turbidity=1.5))

dates = {
    0.0: datetime(2026, 10, 21, 7, 35, tzinfo=SUMMER_TIME),
    DURATION: datetime(2026, 10, 21, 19, 5, tzinfo=SUMMER_TIME),
}
day = vf.Animation(scene, {"sun": dates}, place=PLACE)

with vf.Renderer() as renderer:
    moments = np.linspace(0.0, DURATION, 25).tolist()
    probes = renderer.render_many([day.scene(moment) for moment in moments], (48, 27), samples=4)
    exposure = {
        moment: float(0.5 * np.log2(0.4 / np.median(probe.hdr))) for moment, probe in zip(moments, probes, strict=True)
    }
    film = vf.Animation(
        scene, {"sun": dates, "settings.exposure": exposure}, fps=8, place=PLACE, settings=vf.Settings(tonemap="agx")
    )
    video = film.render(
        given.folder / "time_of_day.mp4",
        given.size(480, 270),
        renderer=renderer,
        samples=4,
        denoise="atrous",
        resume=False,
    )

print(video)
print(contact_sheet(video, 3, 3))
