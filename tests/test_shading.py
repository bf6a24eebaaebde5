"""Radiance of open planes against closed forms and float64 quadrature: Lambert and GGX under a sun and under skies."""

import numpy as np
import pytest
from truth import shading, skies

import vkforge as vf

ALBEDO = np.array([0.8, 0.4, 0.1])
IRRADIANCE = np.array([3.0, 2.0, 1.0])
UP = np.array([0.0, 0.0, 1.0])


def tilted(tilt: float, **kwargs) -> "tuple[vf.Terrain, np.ndarray]":
    """A plane that falls to the west by `tilt` degrees, and its normal."""
    heights = np.tile(np.arange(33) * np.tan(np.radians(tilt)), (33, 1))
    normal = np.array([-np.sin(np.radians(tilt)), 0.0, np.cos(np.radians(tilt))])
    return vf.Terrain(heights, cell_size=1.0, albedo=tuple(ALBEDO), **kwargs), normal


def radiance(
    renderer: "vf.Renderer",
    terrain: "vf.Terrain",
    sun: "vf.Sun | None",
    sky: "vf.GradientSky | None",
    samples: int,
    sky_rays: int = 4,
    view: np.ndarray = UP,
) -> np.ndarray:
    """(3,) mean radiance of the plane's middle towards `view`, a unit vector, by an orthographic camera."""
    middle = np.array([0.0, 0.0, float(terrain.height_at(0.0, 0.0))])
    up = (0, 1, 0) if abs(view[1]) < 0.9 else (0, 0, 1)
    camera = vf.Camera.orthographic(tuple(middle + 40 * view), tuple(middle), up=up, height=2.0)
    image = renderer.render(
        vf.Scene(terrain, camera=camera, sun=sun, sky=sky), (16, 16), samples=samples, sky_rays=sky_rays
    )
    return image.hdr.reshape(-1, 3).mean(axis=0, dtype=np.float64)


@pytest.mark.parametrize("tilt", [0.0, 20.0, 50.0])
@pytest.mark.parametrize(("azimuth", "elevation"), [(270.0, 30.0), (300.0, 60.0), (90.0, 10.0)])
def test_lambert_under_the_sun(renderer: "vf.Renderer", tilt: float, azimuth: float, elevation: float) -> None:
    """Radiance is albedo / pi * E * max(0, n.l)."""
    terrain, normal = tilted(tilt)
    sun = vf.Sun(azimuth=azimuth, elevation=elevation, irradiance=tuple(IRRADIANCE), angular_diameter=0.0)
    cosine = max(0.0, float(normal @ shading.sun_direction(azimuth, elevation)))
    np.testing.assert_allclose(
        radiance(renderer, terrain, sun, None, 1), ALBEDO / np.pi * IRRADIANCE * cosine, rtol=2e-3
    )


def test_a_wide_sun_gives_the_same_irradiance(renderer: "vf.Renderer") -> None:
    """The mean of n.l over a cone of half angle r is that of its axis times the mean cosine in it, (1 + cos r) / 2."""
    terrain, normal = tilted(20.0)
    sun = vf.Sun(azimuth=290.0, elevation=50.0, irradiance=tuple(IRRADIANCE), angular_diameter=20.0)
    expected = (
        ALBEDO / np.pi * IRRADIANCE * (normal @ shading.sun_direction(290.0, 50.0)) * (1 + np.cos(np.radians(10))) / 2
    )
    np.testing.assert_allclose(radiance(renderer, terrain, sun, None, 256), expected, rtol=2e-3)


@pytest.mark.parametrize("tilt", [0.0, 30.0, 60.0])
def test_lambert_under_a_uniform_sky(renderer: "vf.Renderer", tilt: float) -> None:
    """Radiance is albedo * L * (1 + cos tilt) / 2: the sky ends at the horizon."""
    terrain, _ = tilted(tilt)
    expected = ALBEDO * IRRADIANCE * skies.slope(tilt)
    seen = radiance(renderer, terrain, None, vf.Sky.uniform(tuple(IRRADIANCE)), 64)
    np.testing.assert_allclose(seen, expected, rtol=3e-3)


def test_lambert_under_a_gradient_sky(renderer: "vf.Renderer") -> None:
    terrain, _ = tilted(0.0)
    zenith, horizon = (0.2, 0.5, 1.0), (1.0, 0.8, 0.6)
    expected = ALBEDO / np.pi * [skies.gradient_irradiance(z, h) for z, h in zip(zenith, horizon, strict=True)]
    seen = radiance(renderer, terrain, None, vf.Sky.gradient(zenith, horizon), 64)
    np.testing.assert_allclose(seen, expected, rtol=3e-3)


def test_a_sky_with_a_ground_lights_slopes_from_below(renderer: "vf.Renderer") -> None:
    """A gradient of one colour with the same ground is a full sphere of light: albedo * L at any tilt."""
    terrain, _ = tilted(40.0)
    seen = radiance(renderer, terrain, None, vf.Sky.gradient(1.0, 1.0, 1.0), 64)
    np.testing.assert_allclose(seen, ALBEDO, rtol=3e-3)


def test_lights_add_up(renderer: "vf.Renderer") -> None:
    """Sun and sky in one frame are the sum of two frames, with the same sequences: hills, with shadows."""
    i, j = np.mgrid[:48, :64]
    terrain = vf.Terrain(8 * np.sin(i / 5) * np.cos(j / 7), cell_size=2.0, albedo=tuple(ALBEDO))
    sun, sky = vf.Sun(elevation=20.0, irradiance=tuple(IRRADIANCE)), vf.Sky.gradient((0.2, 0.5, 1.0), (1.0, 0.8, 0.6))
    both, sun_alone, sky_alone = (
        renderer.render(vf.Scene(terrain, sun=s, sky=k, background=(0, 0, 0)), (64, 48), samples=4).hdr
        for s, k in ((sun, sky), (sun, None), (None, sky))
    )
    np.testing.assert_allclose(both, sun_alone + sky_alone, rtol=1e-5, atol=1e-6)


VIEWS = {"vertical": (0.0, 90.0), "mirror": (90.0, 40.0), "oblique": (150.0, 25.0)}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("roughness", [0.15, 0.5, 1.0])
@pytest.mark.parametrize(("metallic", "specular"), [(0.0, 0.5), (0.0, 1.0), (1.0, 0.5), (0.4, 0.2)])
def test_ggx_under_the_sun(
    renderer: "vf.Renderer", view: str, roughness: float, metallic: float, specular: float
) -> None:
    material = vf.Material(roughness=roughness, metallic=metallic, specular=specular)
    terrain, normal = tilted(0.0, material=material)
    sun = vf.Sun(azimuth=270.0, elevation=40.0, irradiance=tuple(IRRADIANCE), angular_diameter=0.0)
    to_view, to_sun = shading.sun_direction(*VIEWS[view]), shading.sun_direction(270.0, 40.0)
    expected = shading.brdf(normal, to_view, to_sun, ALBEDO, roughness, metallic, specular) * IRRADIANCE * to_sun[2]
    np.testing.assert_allclose(radiance(renderer, terrain, sun, None, 1, view=to_view), expected, rtol=5e-3)


@pytest.mark.parametrize("roughness", [0.2, 0.5, 1.0])
@pytest.mark.parametrize(("tilt", "metallic", "specular"), [(0.0, 1.0, 0.0), (0.0, 0.0, 0.5), (35.0, 0.5, 1.0)])
def test_ggx_under_a_gradient_sky(
    renderer: "vf.Renderer", roughness: float, tilt: float, metallic: float, specular: float
) -> None:
    material = vf.Material(roughness=roughness, metallic=metallic, specular=specular)
    terrain, normal = tilted(tilt, material=material)
    zenith, horizon = np.array([0.2, 0.5, 1.0]), np.array([1.0, 0.8, 0.6])
    view = shading.sun_direction(240.0, 35.0)

    def sky(d: np.ndarray) -> np.ndarray:
        return np.where(d[:, 2:] > 0, horizon + (zenith - horizon) * d[:, 2:], 0.0)

    expected = shading.reflected(normal, view, sky, ALBEDO, roughness, metallic, specular)
    seen = radiance(renderer, terrain, None, vf.Sky.gradient(tuple(zenith), tuple(horizon)), 128, 8, view)
    print(f"roughness {roughness}, tilt {tilt}, metallic {metallic}: {seen} for {expected}")
    np.testing.assert_allclose(seen, expected, rtol=1e-2)


def test_specular_and_metallic_zero_is_pure_lambert() -> None:
    """No GPU: the reference itself, at a grazing angle too."""
    n, v = np.array([0.0, 0.0, 1.0]), shading.sun_direction(10.0, 5.0)
    for light in (shading.sun_direction(190.0, 5.0), shading.sun_direction(90.0, 60.0)):
        np.testing.assert_allclose(shading.brdf(n, v, light, ALBEDO, 0.3, 0.0, 0.0), ALBEDO / np.pi)


@pytest.mark.parametrize("roughness", [0.3, 0.6, 1.0])
@pytest.mark.parametrize(("metallic", "specular"), [(1.0, 0.0), (0.0, 0.5), (0.5, 1.0)])
def test_reference_reflects_what_it_gets(roughness: float, metallic: float, specular: float) -> None:
    """No GPU: a white surface in a white furnace reflects all."""
    n, v = np.array([0.0, 0.0, 1.0]), shading.sun_direction(0.0, 50.0)
    total = shading.reflected(n, v, lambda d: np.ones_like(d), np.ones(3), roughness, metallic, specular)
    np.testing.assert_allclose(total, 1.0, atol=2e-3)


def test_a_map_of_other_proportions_has_margins(renderer: "vf.Renderer") -> None:
    """Only the half cell beyond the outermost samples belongs to the ground; the rest of the frame does not."""
    terrain = vf.Terrain(np.random.default_rng(0).random((32, 32)) * 4)
    scene = vf.Scene(terrain, vf.Camera.map(terrain), background="white")
    hit = renderer.render(scene, (32, 96), samples=4, aovs=("hit",)).aovs["hit"]
    expected = np.zeros((96, 32))
    expected[32:64] = 1
    np.testing.assert_array_equal(hit, expected)
