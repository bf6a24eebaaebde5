"""Fog and lamps in the path-traced lane, against closed forms and float64 quadrature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vkforge as vf

pytestmark = pytest.mark.gpu

BLACK = vf.Terrain(np.zeros((9, 9)), cell_size=100.0, albedo=0.0)
SUN = vf.Sun(azimuth=90.0, elevation=30.0, irradiance=(3.0, 2.0, 1.0), angular_diameter=0.0)
EVERYWHERE = vf.Sky.gradient(zenith=1.0, horizon=1.0, ground=1.0)
HEIGHT = 200.0  # of the camera above the ground


def from_above(terrain: vf.Terrain = BLACK, span: float = 20.0, **parts: Any) -> vf.Scene:
    camera = vf.Camera.orthographic((0, 0, HEIGHT), (0, 0, 0), (0, 1, 0), height=span)
    return vf.Scene(terrain, camera, **{"sun": None, "sky": None, **parts})


def light(renderer: vf.Renderer, scene: vf.Scene, samples: int, **options: Any) -> np.ndarray:
    """The mean radiance of a small picture of what is the same all over."""
    image = renderer.render(scene, (16, 16), lane="path-traced", samples=samples, **options)
    return image.hdr.mean(axis=(0, 1))


def henyey_greenstein(cosine: float, g: float) -> float:
    return (1 - g * g) / (4 * np.pi * (1 + g * g - 2 * g * cosine) ** 1.5)


@pytest.mark.parametrize("g", [0.0, 0.7, -0.4])
def test_sunlit_uniform_fog_is_the_closed_form(renderer: vf.Renderer, g: float) -> None:
    """L = (ss / st) p E (1 - exp(-st d)), the sun being as measured in the fog."""
    scattering, absorption = np.array([2e-3, 4e-3, 8e-3]), np.array([1e-3, 0.0, 2e-3])
    fog = vf.Fog(scattering, absorption, anisotropy=g)
    extinction = scattering + absorption
    got = light(renderer, from_above(sun=SUN, fog=fog), 1024)
    phase = henyey_greenstein(-0.5, g)  # looking down, towards a sun that is 30 degrees high
    expected = scattering / extinction * phase * np.array(SUN.irradiance) * (1 - np.exp(-extinction * HEIGHT))
    np.testing.assert_allclose(got, expected, rtol=5e-3)


def test_sunlit_height_fog_scattered_once_is_the_quadrature(renderer: vf.Renderer) -> None:
    scattering, scale = np.array([2e-3, 4e-3, 8e-3]), 60.0
    fog = vf.Fog(scattering, base=0.0, scale_height=scale)
    got = light(renderer, from_above(sun=SUN, fog=fog), 1024, max_depth=2)
    z = (np.arange(20000) + 0.5) / 20000 * HEIGHT
    density = np.exp(-z / scale)
    above = scale * (density - np.exp(-HEIGHT / scale))  # density metres up to the camera, and to the sun
    to_sun = scale * density / 0.5
    depth = np.multiply.outer(above + to_sun, scattering)
    expected = np.array(SUN.irradiance) / (4 * np.pi) * (scattering * density[:, None] * np.exp(-depth)).sum(0)
    np.testing.assert_allclose(got, expected * HEIGHT / 20000, rtol=5e-3)


@pytest.mark.parametrize(
    "fog",
    [
        vf.Fog((2e-3, 5e-3, 1e-2), anisotropy=0.6, base=0.0, scale_height=50.0),
        vf.Fog((2e-3, 5e-3, 1e-2), anisotropy=-0.3, bounds=(-150, 150, -150, 150, -10, 120)),
    ],
    ids=["height", "box"],
)
def test_a_white_medium_in_constant_light_vanishes(renderer: vf.Renderer, fog: vf.Fog) -> None:
    # Wide, because under the height of its base a height fog is ever denser, and a path that strays there is trapped.
    white = vf.Terrain(np.zeros((9, 9)), cell_size=5000.0, albedo=1.0)
    got = light(renderer, from_above(white, sky=EVERYWHERE, fog=fog), 4096, max_depth=1000)
    np.testing.assert_allclose(got, 1.0, atol=5e-3)


def test_a_medium_cut_in_two_is_the_same(renderer: vf.Renderer) -> None:
    whole = vf.Fog(5e-3, 1e-3, bounds=(-400, 400, -400, 400, 0, 100))
    layers = np.ones((8, 3, 3))
    cut = vf.Fog(5e-3, 1e-3, density=layers, bounds=(-400, 400, -400, 400, 0, 100))
    one, two = (light(renderer, from_above(sun=SUN, sky=EVERYWHERE, fog=fog), 256) for fog in (whole, cut))
    np.testing.assert_allclose(two, one, rtol=1e-3)


def test_fog_about_a_lamp_is_the_airlight_integral(renderer: vf.Renderer) -> None:
    """Single scattering of a point light in fog along a ray that passes it (Sun et al. 2005), by quadrature."""
    extinction, aside = 5e-3, 30.0
    fog = vf.Fog(extinction, bounds=(-1000, 1000, -1000, 1000, -10, 1000))
    lamp = vf.PointLight((aside, 0.0, 80.0), intensity=1000.0)
    got = light(renderer, from_above(span=0.5, fog=fog, lights=(lamp,)), 4096, max_depth=2)
    s = (np.arange(100000) + 0.5) / 100000 * HEIGHT
    distance = np.hypot(aside, HEIGHT - s - 80.0)
    expected = (extinction / (4 * np.pi) * 1000.0 / distance**2 * np.exp(-extinction * (s + distance))).mean() * HEIGHT
    np.testing.assert_allclose(got, expected, rtol=5e-3)


def test_lamps_light_the_ground_as_in_the_lit_lane(renderer: vf.Renderer) -> None:
    rng = np.random.default_rng(5)
    terrain = vf.Terrain(rng.random((17, 17)) * 20.0, cell_size=10.0, albedo=0.6)
    lamps = (
        vf.PointLight((20.0, 10.0, 60.0), intensity=(900.0, 500.0, 200.0)),
        vf.SpotLight((-40.0, 0.0, 80.0), target=(0.0, 0.0, 0.0), intensity=3000.0, cone_angle=50.0),
    )
    scene = from_above(terrain, span=140.0, lights=lamps)
    lit = renderer.render(scene, (32, 32), samples=64).hdr
    traced = renderer.render(scene, (32, 32), lane="path-traced", samples=1024, max_depth=2).hdr
    assert traced.mean() == pytest.approx(lit.mean(), rel=5e-3)
    assert np.abs(traced - lit).mean() < 0.02 * lit.mean()


def test_transmittance_is_beer_and_lamberts(renderer: vf.Renderer) -> None:
    glow = vf.Terrain(np.zeros((9, 9)), cell_size=100.0, albedo=0.0, material=vf.Material(emission=1.0))
    absorption = np.array([1e-3, 5e-3, 2e-2])
    for fog, metres in (
        (vf.Fog(0.0, absorption), HEIGHT),
        (vf.Fog(0.0, absorption, base=0.0, scale_height=50.0), 50.0 * (1 - np.exp(-HEIGHT / 50.0))),
        (vf.Fog(0.0, absorption, bounds=(-400, 400, -400, 400, 20, 120)), 100.0),
    ):
        got = light(renderer, from_above(glow, fog=fog), 1024)
        np.testing.assert_allclose(got, np.exp(-absorption * metres), rtol=5e-3, atol=1e-3)
