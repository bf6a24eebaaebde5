"""A camera that flies past hills, its shutter open for longer and longer: as a still, as samples in time, by vectors.

How near each comes to the mean of many pictures is printed as a table, by SSIM, PSNR and FLIP; that takes
`pip install flip-evaluator scikit-image`.
"""

import dataclasses

import flip_evaluator
import numpy as np
from _options import options
from PIL import Image, ImageDraw
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import vkforge as vf
from vkforge.demo import demo_terrain

OPEN = (1.0, 3.0, 9.0)  # seconds that the shutter is open
TRUTH = 128  # samples; docs/motion-blur.md has the figures with 512

given = options(__doc__)
size = given.size(480, 270)
terrain = dataclasses.replace(demo_terrain(), vertical_exaggeration=2.0, cmap="vkforge.relief")
sun = vf.Sun(azimuth=245, elevation=24, irradiance=(3.8, 3.3, 2.7))
sky = vf.Sky.gradient(zenith=(0.20, 0.32, 0.55), horizon=(0.48, 0.54, 0.62), ground=(0.42, 0.45, 0.48))


def at(t: float) -> vf.Scene:
    """Return the scene at a time: the camera glides to the right at 60 m/s and turns to the left, after a hill."""
    x = -6000 + 60.0 * t
    camera = vf.Camera.perspective((x, -16_000, 2500), (-6000 + 24.0 * t, -9000, 1100), fov=40)
    return vf.Scene(terrain, camera, sun, sky)


def scores(picture: np.ndarray, truth: np.ndarray) -> str:
    """Return SSIM, PSNR in dB and mean FLIP of two sRGB pictures."""
    ssim = structural_similarity(truth, picture, channel_axis=-1)
    flip = flip_evaluator.evaluate(np.float32(truth / 255.0), np.float32(picture / 255.0), "LDR")[1]
    return f"{ssim:8.4f}{peak_signal_noise_ratio(truth, picture):8.1f}{flip:8.4f}"


settings = vf.Settings(samples=16, sky_rays=4)
ways = {"still": settings, "samples": settings, "vectors": settings.replace(motion_blur="vectors")}
rows = []
with vf.Renderer() as renderer:
    print(f"{renderer.device.name}, {size[0]}x{size[1]}, against {TRUTH} samples")
    print("moves by (median, most)              SSIM    PSNR    FLIP")
    for seconds in OPEN:
        moving = vf.MovingScene(at, -seconds / 2, seconds / 2)
        truth = renderer.render(moving, size, settings=settings, samples=TRUTH, sky_rays=1)
        for name, way in ways.items():
            what = at(0.0) if name == "still" else moving
            image = renderer.render(what, size, settings=way, aovs=("motion", "hit"))
            if name == "samples":
                pixels = np.hypot(*image.aovs["motion"][image.aovs["hit"] > 0].T)
                moves = f"{np.median(pixels):5.1f} px {pixels.max():6.1f} px"
            rows.append((name, seconds, image.rgba[..., :3], scores(image.rgba[..., :3], truth.rgba[..., :3])))
        for name, _, _, figures in rows[-3:]:
            print(f"{moves}  {name:<10}{figures}")

width, height = size
sheet = Image.new("RGB", (3 * width, len(OPEN) * height))
write = ImageDraw.Draw(sheet)
for number, (name, seconds, picture, _) in enumerate(rows):
    corner = (number % 3 * width, number // 3 * height)
    sheet.paste(Image.fromarray(picture), corner)
    text = f"{name}, {seconds:g} s" if name != "still" else name
    write.text((corner[0] + 10, corner[1] + 8), text, fill="white", stroke_width=2, stroke_fill="black")
path = given.folder / "motion_blur.png"
sheet.save(path)
print(path)
