"""Light that surely arrives, and that surely does not: bounds on the safe side, and pictures with the same bits."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

import vkforge as vf
from tests.test_horizons import GROUNDS, assert_same_bits_without, height
from vkforge.lanes.path_traced import PathTracedLane
from vkforge.passes.terrain.shades import packed_shades, safe_beam
from vkforge.scene.shade import Beam, beam_to_disc, shade

RNG = np.random.default_rng(23)
CLIFF = np.where(np.arange(80) < 37, 0.0, 40.0) + RNG.random((40, 80))
SPIKE = RNG.random((30, 34)) * 0.1
SPIKE[17, 21] = 25.0
TERRAINS = {**GROUNDS, "cliff": CLIFF, "spike": SPIKE}
# Compass bearing and elevation in degrees: along axes, along a diagonal, all quarters; and the disc's radius.
LIGHTS = [(90, 20, 0.0), (180, 45, 2.0), (315, 25, 0.0), (45, 8, 0.3), (250, 30, 0.25), (140, 70, 5.0), (20, 3, 0.3)]


def towards(bearing: float, elevation: float) -> tuple[float, float, float]:
    """Return the unit vector."""
    a, e = math.radians(bearing), math.radians(elevation)
    return math.sin(a) * math.cos(e), math.cos(a) * math.cos(e), math.sin(e)


def drawn_from(direction: tuple[float, float, float], radius: float, count: int) -> NDArray[np.float64]:
    """Return directions within a disc, the middle and the rim among them."""
    axis = np.array(direction)
    side = np.cross(axis, (0.3, 0.5, -0.8))
    side /= np.linalg.norm(side)
    angle, tilt = RNG.random(count) * 2.0 * np.pi, np.tan(radius) * np.clip(RNG.random(count) * 1.5 - 0.2, 0.0, 1.0)
    around = np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * np.cross(axis, side)
    drawn = axis + tilt[:, None] * around
    return drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)


@pytest.mark.parametrize(("name", "light"), list(product(TERRAINS, LIGHTS)))
def test_bounds_are_on_the_safe_side(name: str, light: tuple[float, float, float]) -> None:
    """Rays above the first meet nothing, those below the second do: from the ground, and from the air above it."""
    bearing, elevation, degrees = light
    z = TERRAINS[name] - TERRAINS[name].min()
    scale, radius = np.array((1.0, -1.0, 1.0)), math.radians(degrees)
    beam = beam_to_disc(towards(bearing, elevation), radius, tuple(scale))
    assert beam is not None
    clear, hidden = shade(z, beam)
    assert clear.shape == hidden.shape == (z.shape[0] - 1, z.shape[1] - 1)
    rays = 4000
    start = RNG.random((rays, 2)) * (np.array(z.shape[::-1]) - 1)
    start[::7] = np.round(start[::7])  # samples, and points on edges between cells
    start[1::7, 0] = np.round(start[1::7, 0])
    start = np.clip(start, 1e-6, np.array(z.shape[::-1]) - 1 - 1e-6)  # rays along the border may be in or out
    direction = drawn_from(towards(bearing, elevation), radius, rays) * scale
    direction /= abs(direction[:, beam.axis, None])
    assert (direction[:, 1 - beam.axis] >= beam.across[0] - 1e-12).all()
    assert (direction[:, 1 - beam.axis] <= beam.across[1] + 1e-12).all()
    assert (direction[:, 2] >= beam.rise[0] - 1e-12).all() and (direction[:, 2] <= beam.rise[1] + 1e-12).all()
    ground = height(z, start)
    at = ground + np.where(np.arange(rays) % 3 == 0, RNG.random(rays) * 3.0, 0.0)
    cell = np.minimum(np.floor(start).astype(int), np.array(z.shape[::-1]) - 2)
    along = (start - cell)[:, beam.axis]
    ahead = 1.0 - along if beam.forward else along
    index = cell[:, 1], cell[:, 0]
    # Near and far, and where rays cross the edges of columns.
    columns = ahead[:, None] + np.arange(z.shape[1 - beam.axis]) - 1e-9  # and not out of the grid
    steps = np.concatenate([np.tile(np.geomspace(0.02, 130.0, 200), (rays, 1)), columns], 1)
    places = start[:, None] + steps[..., None] * direction[:, None, :2]
    over = (height(z, places) - at[:, None] - steps * direction[:, 2:]).max(1)  # the ground over the ray
    error = 1e-4 * (1.0 + abs(z).max())
    assert (over[at + beam.rise[0] * ahead > clear[index]] <= error).all()
    hides = at + beam.rise[1] * ahead < hidden[index]
    assert (over[hides] >= -error).all()


def test_a_wall_hides_what_is_behind_it_and_nothing_else() -> None:
    """A wall of 10 in flat ground, from a light that rises by a half a cell: 20 cells of shade."""
    z = np.zeros((9, 60))
    z[:, 40] = 10.0
    clear, hidden = shade(z, Beam(0, True, (0.0, 0.0), (0.5, 0.5)))
    middle = np.arange(59) + 0.5
    shaded, lit = hidden[4] > 0.25, clear[4] < 0.25  # rays from the middles of cells have risen by so much
    np.testing.assert_array_equal(shaded, (middle > 20.0) & (middle < 40.0))
    np.testing.assert_array_equal(lit, (middle < 20.0) | (middle > 40.0))


def test_lights_with_no_main_axis_have_no_beam() -> None:
    assert beam_to_disc((0.0, 0.0, 1.0), 0.0, (1.0, -1.0, 1.0)) is None
    assert beam_to_disc(towards(30, 85), math.radians(8), (1.0, -1.0, 1.0)) is None
    assert beam_to_disc(towards(30, -1), 0.0, (1.0, -1.0, 1.0)) is None
    assert beam_to_disc(towards(30, 1), math.radians(2), (1.0, -1.0, 1.0)) is None  # part of it is below the horizon


def test_packed_bounds_are_rounded_to_the_safe_side() -> None:
    z = RNG.random((20, 30)) * 65_000.0
    beam = safe_beam(Beam(1, False, (-0.3, -0.2), (900.0, 1000.0)))
    assert beam.rise[0] < 900.0 and beam.rise[1] > 1000.0
    packed, (clear, hidden) = packed_shades(z, beam), shade(z, beam)
    above, below = packed >> 16, packed & 0xFFFF
    assert ((above >= clear + 2.0) | (above == 65535)).all()
    assert ((below <= np.maximum(hidden - 2.0, 0.0)) & (below <= 65535)).all()


SUNS = {
    "hard": vf.Sun(300, 25, angular_diameter=0.0),
    "diagonal": vf.Sun(315, 35, angular_diameter=0.0),
    "soft": vf.Sun(80, 12, angular_diameter=3.0),
    "real": vf.Sun(200, 6),
}


@pytest.mark.gpu
@pytest.mark.parametrize(("name", "sun"), list(product(("noise", "hills", "pillars", "cliff", "spike"), SUNS)))
def test_pictures_have_the_same_bits_without(
    renderer: vf.Renderer, monkeypatch: pytest.MonkeyPatch, name: str, sun: str
) -> None:
    """Exaggerated, with a skirt or none, fog or none."""
    hard = SUNS[sun].angular_diameter == 0.0
    terrain = vf.Terrain(
        TERRAINS[name], (1.0, 1.4), skirt="auto" if hard else None, vertical_exaggeration=2.0 if sun == "real" else 1.0
    )
    fog = vf.Fog(scattering=1e-3) if hard else None
    scene = vf.Scene(terrain, sun=SUNS[sun], sky=vf.Sky.gradient(), fog=fog)
    assert_same_bits_without(
        renderer, scene, "shades", lambda: monkeypatch.setattr(PathTracedLane, "_sun_beam", lambda self, request: None)
    )


@pytest.mark.gpu
def test_the_sun_moves_between_pictures_and_while_one_is_made(renderer: vf.Renderer) -> None:
    terrain = vf.Terrain(GROUNDS["hills"], (1.0, 1.0))
    scenes = [vf.Scene(terrain, sun=sun, sky=vf.Sky.gradient()) for sun in (SUNS["hard"], SUNS["soft"], SUNS["hard"])]
    exaggerated = replace(scenes[0], terrain=replace(terrain, vertical_exaggeration=3.0))
    options = {"lane": "path-traced", "samples": 16}
    first, soft, again = (renderer.render(scene, (96, 64), **options).hdr for scene in scenes)
    np.testing.assert_array_equal(first, again)
    assert (first != soft).any()
    pictures = renderer.accumulate(scenes[0], (96, 64), samples=16)
    for last in pictures:  # noqa: B007
        renderer.render(scenes[1], (96, 64), **options)
        renderer.render(exaggerated, (96, 64), **options)
    np.testing.assert_array_equal(last.hdr, first)
