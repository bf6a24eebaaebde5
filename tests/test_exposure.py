"""Exposure: a camera's numbers, the histogram of the automatic one in NumPy and on the device, and dither."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vkforge as vf
from vkforge.post.display import finish

SIZE = (96, 54)


def hills(**parts: object) -> vf.Scene:
    rng = np.random.default_rng(4)
    terrain = vf.Terrain(rng.random((20, 30)) * 4.0, 1.0, albedo=rng.random((8, 8, 3)))
    return vf.Scene(terrain, **parts)  # type: ignore[arg-type]


def test_ev100_is_that_of_the_tables() -> None:
    assert vf.ev100(16.0, 1 / 125) == pytest.approx(14.966, abs=1e-3)  # sunny 16
    assert vf.ev100(1.0, 1.0) == 0.0
    assert vf.ev100(2.8, 1 / 60, 800) == pytest.approx(vf.ev100(2.8, 1 / 60) - 3.0)


def test_what_saturates_the_sensor_is_exposed_to_one() -> None:
    camera = vf.CameraExposure(8.0, 1 / 250, 200.0)
    saturating = 1.2 * 2.0 ** vf.ev100(8.0, 1 / 250, 200.0)  # cd/m2
    assert saturating / camera.luminance * 2.0**camera.stops == pytest.approx(1.0)
    assert vf.CameraExposure(8.0, 1 / 250, 200.0, compensation=1.5).stops == pytest.approx(camera.stops + 1.5)
    assert abs(vf.CameraExposure().stops) < 0.15  # the default sun, by the rule of sunny 16, is as `exposure=0`


def test_the_camera_exposes_the_picture(renderer: vf.Renderer) -> None:
    camera = vf.CameraExposure(11.0, 1 / 60, 200.0)
    image = renderer.render(hills(), SIZE, samples=2, exposure=camera)
    stops = renderer.render(hills(), SIZE, samples=2, exposure=camera.stops)
    assert np.array_equal(image.rgba, stops.rgba)
    assert image.info["exposure"] == camera.stops


def test_a_grey_card_comes_out_as_the_key() -> None:
    for radiance in (1e-4, 0.18, 700.0):
        card = np.full((6, 5, 3), radiance)
        # Within half of a bin.
        assert abs(vf.AutoExposure().stops(card) - math.log2(0.18 / radiance)) <= 1 / 32 + 1e-9
        assert vf.AutoExposure(key=0.36).stops(card) == pytest.approx(vf.AutoExposure().stops(card) + 1.0)


def test_percentiles_leave_out_the_ends() -> None:
    picture = np.full((100, 3), 0.5)
    picture[:10], picture[90:] = 1e-3, 1e3
    middle = math.log2(0.18 / 0.5)
    assert vf.AutoExposure((10, 90)).stops(picture) == pytest.approx(middle, abs=1 / 32)
    low = (math.log2(1e-3) + math.log2(0.5)) / 2.0
    assert vf.AutoExposure((0, 20)).stops(picture) == pytest.approx(math.log2(0.18) - low, abs=1 / 32)
    # A bin that a percentile cuts counts in part: three quarters of what lies from 5 to 25 are at 0.5.
    part = 0.25 * math.log2(1e-3) + 0.75 * math.log2(0.5)
    assert vf.AutoExposure((5, 25)).stops(picture) == pytest.approx(math.log2(0.18) - part, abs=1 / 32)


def test_limits_and_compensation() -> None:
    dark, bright = np.full((4, 3), 1e-6), np.full((4, 3), 1e4)
    auto = vf.AutoExposure(min_stops=-3.0, max_stops=2.0, compensation=0.5)
    assert auto.stops(dark) == 2.5
    assert auto.stops(bright) == -2.5
    assert auto.stops(np.zeros((4, 3))) == 0.5
    assert vf.AutoExposure(min_stops=1.0).stops(np.zeros((4, 3))) == 1.0
    odd = np.array([[np.nan] * 3, [-1.0] * 3, [0.18] * 3])
    assert abs(vf.AutoExposure().stops(odd)) <= 1 / 32


@pytest.mark.parametrize(
    "auto",
    [
        vf.AutoExposure(),
        vf.AutoExposure((0, 40), compensation=-1.0),
        vf.AutoExposure((60, 100), key=0.4),
        vf.AutoExposure(max_stops=-3.0),
    ],
)
@pytest.mark.parametrize("size", [(96, 54), (131, 67)])
def test_the_device_finds_what_numpy_finds(renderer: vf.Renderer, auto: vf.AutoExposure, size: tuple[int, int]) -> None:
    scene = hills(background="black", sun=vf.Sun(irradiance=(90.0, 60.0, 30.0)))
    image = renderer.render(scene, size, samples=2, exposure=auto, dither=False)
    # A pixel whose logarithm is a hair beside a bin's border may fall to its other side.
    assert image.info["exposure"] == pytest.approx(auto.stops(image.hdr), abs=1e-3)
    wanted = finish(image.hdr, vf.Settings(exposure=auto), image.info["exposure"])
    assert np.abs(image.rgba[..., :3] - 255.0 * wanted).max() < 0.6  # of a step, as hardware may round to 8 bits


def test_the_same_picture_has_the_same_exposure(renderer: vf.Renderer) -> None:
    images = [renderer.render(hills(), SIZE, samples=2, exposure=vf.AutoExposure()) for _ in range(3)]
    assert len({image.info["exposure"] for image in images}) == 1
    assert len({image.rgba.tobytes() for image in images}) == 1


def test_auto_exposure_follows_the_light(renderer: vf.Renderer) -> None:
    """Four times the light, two stops less, and the same picture."""
    found = []
    for light in (1.0, 4.0):
        scene = hills(sun=vf.Sun(irradiance=3.0 * light), sky=vf.Sky.uniform(0.2 * light), background="black")
        image = renderer.render(scene, SIZE, samples=2, exposure=vf.AutoExposure())
        found.append(image)
    assert found[0].info["exposure"] - found[1].info["exposure"] == pytest.approx(2.0, abs=1e-4)
    assert np.abs(found[0].rgba.astype(int) - found[1].rgba).max() <= 1


def test_dither_is_what_it_was_unless_said(renderer: vf.Renderer) -> None:
    pictures = {}
    for name, sky in (("gradient", vf.Sky.gradient()), ("physical", vf.Sky())):
        for dither in (None, False, True):
            pictures[name, dither] = renderer.render(hills(sky=sky), SIZE, samples=1, dither=dither).rgba.tobytes()
        assert pictures[name, True] != pictures[name, False]
    assert pictures["gradient", None] == pictures["gradient", False]
    assert pictures["physical", None] == pictures["physical", True]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vf.ev100(0.0, 1.0), "f_number is 0.0"),
        (lambda: vf.CameraExposure(16.0, 0.0), "shutter .seconds. is 0.0"),
        (lambda: vf.CameraExposure(iso=math.nan), "iso is nan"),
        (lambda: vf.CameraExposure(luminance=0.0), "luminance"),
        (lambda: vf.AutoExposure((90, 10)), "wanted the low one first"),
        (lambda: vf.AutoExposure((5,)), "wanted .low, high."),  # type: ignore[arg-type]
        (lambda: vf.AutoExposure((-1, 50)), r"percentiles\[0\] is -1"),
        (lambda: vf.AutoExposure(min_stops=4.0, max_stops=2.0), "max_stops .at least min_stops. is 2.0"),
        (lambda: vf.AutoExposure(key=0.0), "key is 0.0"),
        (lambda: vf.Settings(exposure=True), "exposure"),
        (lambda: vf.Settings(dither=1), "dither is 1; wanted True, False or None"),  # type: ignore[arg-type]
    ],
)
def test_bad_values_say_what_is_wanted(make: object, message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        make()  # type: ignore[operator]
