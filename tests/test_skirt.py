"""Rays that start on the skirt of a block: on its floor in the holes, its walls and its underside.

What the block is in the way of is held against float64 in test_tracer.py. Here the ground is missing nearly everywhere,
so that each surface of the skirt is a plane in the open, of which closed forms and flat ground tell the light.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import vkforge as vf

pytestmark = pytest.mark.gpu

SIZE = (48, 32)
COLOR = (0.6, 0.5, 0.4)
LANES: dict[str, dict[str, Any]] = {"lit": {"sky_rays": 4}, "path-traced": {"max_depth": 4}}


def draw(rng: np.random.Generator) -> tuple[float, float, float]:
    """Return a cell size, the ground's elevation and the base's, whose sums round in all ways."""
    cell = float(10.0 ** rng.uniform(-1, 3))
    datum = float(rng.choice([0.0, -40.0, 1234.5, 4000.0]) + rng.uniform(0, 9))
    return cell, datum, datum - float(10.0 ** rng.uniform(-2, 0.2)) * cell


def block(cell: float, datum: float, base: float, known: tuple[slice, slice]) -> vf.Terrain:
    heights = np.full((24, 32), np.nan)
    heights[known] = datum
    return vf.Terrain(heights, cell, skirt=base, skirt_color=COLOR)


NORTH_EAST = (slice(0, 2), slice(30, 32))


def shows(image: vf.Image, normal: tuple[float, float, float]) -> NDArray[np.bool_]:
    """Return which pixels show a plane of that normal, with all around them."""
    seen = (image.aovs["hit"] > 0) & (image.aovs["geometric_normal"] @ np.array(normal) > 0.999)
    inner = seen[1:-1, 1:-1].copy()
    for row in (0, 1, 2):
        for column in (0, 1, 2):
            inner &= seen[row : row + seen.shape[0] - 2, column : column + seen.shape[1] - 2]
    return np.pad(inner, 1)


@pytest.mark.parametrize("lane", LANES)
def test_a_floor_is_lit_as_flat_ground_is(renderer: vf.Renderer, lane: str) -> None:
    """Sun, sky, lamp, fog and bounces at the floor of a hole are those at a plane, whatever its elevation rounds to."""
    rng = np.random.default_rng(14)
    for samples in (1, 4, 1):
        cell, datum, base = draw(rng)
        holed = block(cell, datum, base, NORTH_EAST)
        plane = vf.Terrain(np.full((24, 32), base), cell, albedo=COLOR)
        size = 24.0 * cell
        eye = (-0.9 * size, -0.5 * size, base + 0.8 * size)
        camera = vf.Camera.perspective(eye, (-0.2 * size, 0.0, base), fov=35)
        parts: dict[str, Any] = {
            "camera": camera,
            "sun": vf.Sun(azimuth=rng.uniform(150, 350), elevation=rng.uniform(5, 80)),
            "sky": vf.Sky.gradient((0.2, 0.3, 0.5), (0.5, 0.5, 0.5)),
            "lights": [vf.PointLight((-0.3 * size, 0.0, base + 0.3 * size), 0.2 * size**2)],
        }
        for fog in (None, vf.Fog(0.3 / size, base=base, scale_height=0.2 * size)):
            aovs = ("hit", "geometric_normal", "sun_visibility", "sky_visibility", "ambient_occlusion")
            options: dict[str, Any] = {"samples": samples, "lane": lane, "aovs": aovs, "ao_rays": 16, **LANES[lane]}
            found, wanted = (renderer.render(vf.Scene(t, fog=fog, **parts), SIZE, **options) for t in (holed, plane))
            floor = shows(found, (0, 0, 1))
            assert floor.mean() > 0.4
            if fog is None:
                assert found.aovs["sun_visibility"][floor].min() == 1.0
            for name in ("sun_visibility", "sky_visibility", "ambient_occlusion"):
                off = abs(found.aovs[name] - wanted.aovs[name])[floor]
                assert (off > 1e-5).mean() < 0.03, f"{name}: few rays meet the block"
            off = abs(found.hdr - wanted.hdr)[floor] / wanted.hdr[floor].mean()
            assert off.mean() < 2e-3


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("side", ["west", "north", "below"])
def test_a_wall_and_the_underside_see_all_that_they_face(renderer: vf.Renderer, lane: str, side: str) -> None:
    """A wall sends what it gets of the sun; the underside, in light from everywhere, its albedo."""
    known, normal, azimuth = {
        "west": ((slice(0, 24), slice(20, 32)), (-1.0, 0.0, 0.0), 270.0),
        "north": ((slice(12, 24), slice(0, 32)), (0.0, 1.0, 0.0), 0.0),
        "below": ((slice(0, 24), slice(20, 32)), (0.0, 0.0, -1.0), 270.0),
    }[side]
    rng = np.random.default_rng(15)
    for samples in (1, 4):
        cell, datum, base = draw(rng)
        terrain = block(cell, datum, base if side == "below" else datum - rng.uniform(4, 9) * cell, known)
        base = float(terrain.skirt or 0.0)
        target = np.array([0.0, 0.0, base if side == "below" else (base + datum) / 2])
        target[0] = {"west": 4.5, "below": -5.0, "north": 0.0}[side] * cell
        eye = target + np.add(normal, (0.2, 0.2, 0.1)) * 20 * cell
        camera = vf.Camera.perspective(tuple(eye), tuple(target), fov=25)
        light: dict[str, Any] = {"sun": None, "sky": vf.Environment(np.ones((4, 8, 3)))}
        wanted = 1.0
        if side != "below":
            sun = vf.Sun(azimuth=azimuth + rng.uniform(-50, 50), elevation=rng.uniform(5, 60), irradiance=1.0)
            light, wanted = {"sun": sun, "sky": None}, float(np.dot(sun.direction, normal)) / np.pi
        options: dict[str, Any] = {"samples": samples, "lane": lane, "aovs": ("hit", "geometric_normal")}
        if lane == "path-traced":
            options["max_depth"] = 2
        image = renderer.render(vf.Scene(terrain, camera, **light), SIZE, **options)
        plane = shows(image, normal)
        assert plane.mean() > 0.05
        found = image.hdr[plane] / COLOR
        if side == "below":
            found = found.mean(axis=0)  # what is drawn by a map's light and by the cosine is noisy
        np.testing.assert_allclose(found, wanted, rtol=0.02)


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("skirt", [None, 3000.0])
def test_open_water_sees_all_of_sun_and_sky(renderer: vf.Renderer, lane: str, skirt: float | None) -> None:
    """Over a deep bowl, and over a shelf nearer than float32 tells heights in the world there."""
    row, column = np.mgrid[-20:21, -30:31]
    heights = 4000.25 - np.maximum(40.0 - 4.0 * np.hypot(row, column), 0.0)
    terrain = vf.Terrain(heights, 2.0, skirt=skirt, vertical_exaggeration=1.37)
    scene = vf.Scene(terrain, vf.Camera.map(terrain), vf.Sun(90, 50), sky=None, water=vf.Water(4000.2501))
    options: dict[str, Any] = {"samples": 1, "lane": lane, "ao_rays": 4}
    image = renderer.render(scene, (60, 40), aovs=("sun_visibility", "ambient_occlusion", "water"), **options)
    assert (image.aovs["water"] == 1.0).mean() > 0.9
    inside = (slice(2, -2), slice(2, -2))
    assert image.aovs["sun_visibility"][inside].min() == 1.0
    assert image.aovs["ambient_occlusion"][inside].min() == 1.0
