"""Aerial perspective over flat ground on a round planet: what it is up to some 225 km, then the portrait's."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest

import vkforge as vf
from vkforge.scene import veil

SUN = vf.Sun(315, 42, 4.5)


def ground(km: float, **options: object) -> vf.Terrain:
    heights = np.random.default_rng(3).random((9, 9)) * 2000.0
    return vf.Terrain(heights, km * 1e3 / 8, **options)  # type: ignore[arg-type]


def scene(km: float, sky: vf.Sky | None = None, **options: object) -> vf.Scene:
    terrain = ground(km, **options)
    return vf.Scene(terrain, vf.Camera.orbit(terrain, elevation=25), SUN, sky or vf.Sky(2.0), background="white")


def veiled(scene: vf.Scene) -> float:
    assert isinstance(scene.sky, vf.Sky)
    return veil.aerial_perspective(scene.terrain, scene.camera, scene.sky)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What the logger says, of grounds that it may have warned of before."""
    veil._warn.cache_clear()
    caplog.set_level(logging.WARNING, "vkforge")
    return caplog


@pytest.mark.parametrize("km", [1.0, 225.0, 4000.0, 1e5])
def test_how_far_the_planet_falls_away(km: float) -> None:
    terrain, radius = ground(km), 6360e3
    x, y = (side * 1e3 * km / 2 for side in (1.0, 1.0))
    wanted = float(np.sqrt(np.longdouble(x) ** 2 + np.longdouble(y) ** 2 + np.longdouble(radius) ** 2) - radius)
    assert veil.falls_away(terrain, vf.Sky()) == pytest.approx(wanted, rel=1e-6)


def test_on_both_sides_of_the_widest_ground(said: pytest.LogCaptureFixture) -> None:
    widest = 2.0 * math.sqrt((6360e3 + 2e3) ** 2 - 6360e3**2) / math.sqrt(2.0) / 1e3
    assert widest == pytest.approx(225.6, abs=0.1)
    assert veiled(scene(widest * 0.999)) == 1.0
    assert not said.records
    wide = scene(widest * 1.001)
    distance = math.dist(wide.camera.position, wide.camera.target)
    assert veiled(wide) == pytest.approx(18e3 / distance)
    assert veiled(wide) == veiled(wide)
    (record,) = said.records  # once
    assert "225.8 by 225.8 km" in record.getMessage()
    assert "falls away by 2 km" in record.getMessage()
    assert "18 km of air" in record.getMessage()


def test_the_planet_and_its_air_decide(said: pytest.LogCaptureFixture) -> None:
    assert veiled(scene(180, vf.Sky(ground_radius=3390e3, top_radius=3500e3, rayleigh_scale_height=11100.0))) == 1.0
    assert veiled(scene(200, vf.Sky(rayleigh_scale_height=1000.0))) < 0.1
    assert veiled(scene(800, vf.Sky(ground_radius=1e8, top_radius=1.001e8))) == 1.0


def test_who_asks_for_less_is_not_warned(said: pytest.LogCaptureFixture) -> None:
    assert veiled(scene(1000, vf.Sky(aerial_perspective=0.0))) == 0.0
    assert veiled(vf.Scene.portrait(ground(4000))) > 0.0
    for preset in ("daylight", "golden-hour", "blue-hour"):
        veiled(vf.Scene.portrait(ground(1000), preset=preset))
    assert not said.records


@pytest.mark.gpu
@pytest.mark.parametrize("km", [50, 150, 1000, 4000])
def test_walls_have_no_band(renderer: vf.Renderer, km: float, said: pytest.LogCaptureFixture) -> None:
    """Black walls show the air alone, which changes little by little down them, and not where the sphere comes out."""
    width = 1e3 * km
    terrain = ground(km, albedo=0.0, skirt=-0.3 * width, skirt_color=(0.0, 0.0, 0.0))
    camera = vf.Camera.perspective((0.0, -2.0 * width, 0.5 * width), (0.0, -0.5 * width, -0.15 * width), fov=12)
    image = renderer.render(vf.Scene(terrain, camera, SUN, vf.Sky(2.0)), (24, 96), samples=1, aovs=("position",))
    wall = image.aovs["position"][..., 2] < -1.0
    assert wall.mean() > 0.8
    steps = np.abs(np.diff(image.hdr, axis=0)).max(axis=-1)[wall[1:] & wall[:-1]]
    print(f"{km} km: steps of up to {steps.max():.4f}, of air that is up to {image.hdr.max():.3f}")
    assert steps.max() < 0.02  # 0.09 and 0.1 over the two widest, were they veiled as if the ground were narrow
    assert len(said.records) == (km > 225)


@pytest.mark.gpu
def test_wide_ground_looks_like_its_portrait(renderer: vf.Renderer) -> None:
    made = scene(1000)
    capped = vf.Scene(made.terrain, made.camera, SUN, vf.Sky(2.0, aerial_perspective=veil.air(made.camera)), "white")
    for lane in ("lit", "path-traced"):
        pictures = [renderer.render(each, (24, 16), samples=2, lane=lane).hdr for each in (made, capped)]
        assert pictures[0].tobytes() == pictures[1].tobytes()
