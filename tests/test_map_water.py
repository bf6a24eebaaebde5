"""Water as maps draw it, and ground that lies just as high as the water."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.scene.scene import _say_dry

pytestmark = pytest.mark.gpu

LANES = ("lit", "path-traced")
DEEP, SHALLOW = np.array((0.1, 0.2, 0.4)), np.array((0.5, 0.7, 0.9))
LEVEL, FADE = 100.0, 12.0


def basin(**options: Any) -> vf.Terrain:
    """A trough whose bed falls from 130 to 60 m and rises again, 41 samples wide."""
    across = 60.0 + 3.5 * np.abs(np.arange(41) - 20.0)
    return vf.Terrain(np.broadcast_to(across, (21, 41)), 10.0, **options)


def water(**options: Any) -> vf.Water:
    return vf.Water.map(LEVEL, tuple(DEEP), shallow=tuple(SHALLOW), fade=FADE, **options)


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("material", [{}, {"metallic": 1.0, "roughness": 0.2}], ids=["lambert", "metal"])
def test_its_colour_tells_its_depth_and_it_is_matte(renderer: vf.Renderer, lane: str, material: Any) -> None:
    """In light of 1 from all of the sky level matte water has the radiance of its albedo, which is as published."""
    terrain = basin(material=vf.Material(**material))
    scene = vf.Scene(terrain, vf.Camera.map(terrain), sun=None, sky=vf.Sky.uniform(1.0), water=water())
    names = ("albedo", "water", "normal", "position", "object_id", "direct", "coverage")
    image = renderer.render(scene, (41, 21), samples=16, lane=lane, aovs=names)
    bed = terrain.height_at(*np.moveaxis(image.aovs["position"][..., :2], -1, 0))
    wet = image.aovs["water"] == 1.0
    np.testing.assert_array_equal(wet, bed < LEVEL)
    assert 20 < wet[0].sum() < 25
    share = np.exp(-(LEVEL - bed[wet]) / FADE)[:, None]
    np.testing.assert_allclose(image.aovs["albedo"][wet], DEEP + share * (SHALLOW - DEEP), atol=1e-3)
    np.testing.assert_allclose(image.aovs["position"][wet][:, 2], LEVEL, atol=1e-3)
    np.testing.assert_allclose(image.aovs["normal"][wet], [(0.0, 0.0, 1.0)] * wet.sum(), atol=1e-3)
    assert (image.aovs["object_id"][wet] == 2).all()
    inside = wet & (np.roll(wet, 3, 1) & np.roll(wet, -3, 1))
    np.testing.assert_array_equal(image.mattes["object"]["water"][inside], 1.0)
    # Walls of the trough hide some of the sky, and shine on it: the middle sees nearly all of it.
    middle = image.hdr[5:16, 20] / image.aovs["albedo"][5:16, 20]
    assert 0.9 < middle.mean() < 1.05
    np.testing.assert_allclose(image.hdr[inside], image.aovs["direct"][inside], atol=0.12)


def test_both_lanes_agree_and_shadows_fall_on_it(renderer: vf.Renderer) -> None:
    terrain = basin(albedo=0.0)
    sun = vf.Sun(azimuth=90.0, elevation=10.0, angular_diameter=2.0)
    scene = vf.Scene(terrain, vf.Camera.map(terrain), sun, vf.Sky.uniform(0.3), water=water())
    lit = renderer.render(scene, (41, 21), samples=64, aovs="sun_visibility")
    traced = renderer.render(scene, (41, 21), samples=64, lane="path-traced", max_depth=2)
    np.testing.assert_allclose(lit.hdr.mean(axis=0), traced.hdr.mean(axis=0), atol=0.02)
    visible = lit.aovs["sun_visibility"][10]
    shore = 20 + int((LEVEL - 60.0) / 3.5)
    assert visible[shore - 1] < 0.1
    assert visible[12] > 0.95


def test_a_relief_with_water_is_a_map(renderer: vf.Renderer) -> None:
    """It was sRGB (2, 27, 31)."""
    terrain = basin()
    image = renderer.render(vf.Scene.relief(terrain, water=LEVEL), samples=4, aovs="water")
    assert vf.Scene.relief(terrain, water=vf.Water(LEVEL)).water is not None
    wet = image.aovs["water"] == 1.0
    red, green, blue = (image.rgba[wet][:, i].astype(int) for i in range(3))
    assert red.min() > 90
    assert (blue > green).all()
    assert (green > red).all()
    row = image.rgba[10, wet[10]].astype(int).sum(axis=-1)
    assert row[len(row) // 2] < row[0] - 60 or row[len(row) // 2] < row[-1] - 60  # lighter in the shallows


@pytest.mark.parametrize("tall", [0.5, 30.0, 8000.0])
@pytest.mark.parametrize("given", [0.0, 0.1, -3.7])
def test_a_sea_as_high_as_the_water_is_flooded(renderer: vf.Renderer, tall: float, given: float) -> None:
    """The sea of a coastal DEM is 0 without a bottom: all of it is water, and nothing of the land."""
    rng = np.random.default_rng(4)
    land = np.hypot(*np.mgrid[-20:21, -20:21]) < 12.0
    heights = np.where(land, given + tall * rng.uniform(0.2, 1.0, land.shape), given)
    heights[30:35, 2:8] = given - 0.3 * tall  # and a hollow below it, so that it is not the lowest ground
    cell = max(25.0, tall / 10.0)
    terrain = vf.Terrain(heights, cell)
    sea = ~land[:-1, :-1] & ~land[1:, :-1] & ~land[:-1, 1:] & ~land[1:, 1:]  # cells
    for surface in (vf.Water(given), vf.Water.map(given)):
        for camera in (vf.Camera.map(terrain), vf.Camera.orbit(terrain, elevation=50.0)):
            scene = vf.Scene(terrain, camera, water=surface)
            image = renderer.render(scene, (120, 120), samples=1, sky_rays=1, aovs=("water", "position", "hit"))
            x, y, _ = np.moveaxis(image.aovs["position"], -1, 0)
            column, row = np.floor(x / cell + 20.0).astype(int), np.floor(20.0 - y / cell).astype(int)
            seen = (image.aovs["hit"] > 0) & (column >= 0) & (column < 40) & (row >= 0) & (row < 40)
            at_sea = sea[row[seen], column[seen]]
            wet = image.aovs["water"][seen] == 1.0
            assert at_sea.mean() > 0.3
            assert wet[at_sea].all()
            assert wet[~at_sea].mean() < 0.01
    assert vf.Water(given).covers(terrain, -16.0 * cell, 16.0 * cell)


def test_water_below_all_ground_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    _say_dry.cache_clear()
    for level in (10.0, 20.0):
        vf.Scene(basin(), water=vf.Water(level))
    assert caplog.messages == ["the water floods nothing: its level is below the lowest ground, at 60 m"]
    with caplog.at_level(logging.WARNING):
        vf.Scene(basin(), water=vf.Water(60.0))
    assert len(caplog.messages) == 1


def test_what_a_tint_takes() -> None:
    tint = vf.Water.map(3.0, "#7fa8c9").tint
    assert tint is not None
    deep, shallow = np.array(tint.deep), np.array(tint.shallow)
    assert ((deep < shallow) & (shallow < 1.0)).all()
    with pytest.raises(vf.InputError, match="WaterTint fade"):
        vf.Water.map(3.0, fade=0.0)
    with pytest.raises(vf.InputError, match="WaterTint deep: no colour 'bleu'; did you mean 'blue'"):
        vf.Water.map(3.0, "bleu")
    given: Any = "blue"
    with pytest.raises(vf.InputError, match=r"Water tint is 'blue'; wanted a vkforge.WaterTint"):
        vf.Water(3.0, tint=given)
