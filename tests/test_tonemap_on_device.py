"""The display shader against its NumPy twin: every operator, over the radiance of a picture, at several exposures."""

from __future__ import annotations

import numpy as np
import pytest

import vkforge as vf
from vkforge.settings import TONEMAPS

# What each operator makes of middle grey, 0.18, before sRGB encoding: the values that test_tonemap.py holds too.
MIDDLE_GREY = {
    "linear": 0.1800,
    "reinhard": 0.1525,
    "hable": 0.0671,
    "aces-narkowicz": 0.2669,
    "aces-hill": 0.1056,
    "agx": 0.2145,
    "neutral": 0.1400,
}


def srgb(linear: float) -> float:
    """IEC 61966-2-1, the encoding."""
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055


def colourful() -> vf.Scene:
    """Ground whose radiance runs from black through saturated colours to forty times white."""
    rng = np.random.default_rng(11)
    albedo = rng.random((32, 32, 3), dtype=np.float32) ** 3
    terrain = vf.Terrain(rng.random((24, 24)) * 3.0, 1.0, albedo=albedo)
    # Low and sharp, so that shadows and the sky's share of light fill the dark end.
    sun = vf.Sun(azimuth=300, elevation=25, irradiance=(400.0, 240.0, 90.0), angular_diameter=0.0)
    return vf.Scene(terrain, sun=sun, sky=vf.Sky.gradient((0.001, 0.004, 0.03), (0.05, 0.02, 0.2)))


@pytest.mark.parametrize("exposure", [-2.0, 0.0, 1.5])
@pytest.mark.parametrize("operator", TONEMAPS)
def test_display_is_the_tone_mapped_radiance(renderer: vf.Renderer, operator: str, exposure: float) -> None:
    image = renderer.render(colourful(), (96, 54), samples=2, tonemap=operator, exposure=exposure)
    wanted = vf.tonemap(image.hdr, operator, exposure)
    assert (image.rgba[..., 3] == 255).all()
    assert np.abs(image.rgba[..., :3] / 255.0 - wanted).max() <= 1.0 / 255.0
    # The picture puts the question: dark and bright, grey and saturated.
    assert image.hdr.min() < 0.01
    assert image.hdr.max() > 20.0
    assert np.ptp(image.rgba[..., :3], axis=-1).max() > 100


@pytest.mark.parametrize("operator", TONEMAPS)
def test_radiance_is_not_touched_by_display(renderer: vf.Renderer, operator: str) -> None:
    plain = renderer.render(colourful(), (96, 54), samples=2, tonemap="linear")
    other = renderer.render(colourful(), (96, 54), samples=2, tonemap=operator, exposure=1.5)
    assert np.array_equal(plain.hdr, other.hdr)


@pytest.mark.parametrize("operator", MIDDLE_GREY)
def test_middle_grey(renderer: vf.Renderer, operator: str) -> None:
    """A background of 0.18, which reaches the display as it is, comes out as the operator says."""
    terrain = vf.Terrain(np.zeros((2, 2)))
    away = vf.Camera.perspective((0, 0, 10), (0, 0, 20))
    image = renderer.render(vf.Scene(terrain, away, background=(0.18, 0.18, 0.18)), (8, 8), samples=1, tonemap=operator)
    assert image.hdr == pytest.approx(0.18, rel=1e-6)
    assert vf.tonemap(np.full(3, 0.18), operator) == pytest.approx(srgb(MIDDLE_GREY[operator]), abs=2e-4)
    assert np.abs(image.rgba[..., :3] / 255.0 - srgb(MIDDLE_GREY[operator])).max() <= 1.0 / 255.0


def test_every_operator_has_its_grey() -> None:
    assert set(MIDDLE_GREY) == set(TONEMAPS)
