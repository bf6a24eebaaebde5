"""Rays that leave the ground: bounds are never too low, and pictures have the same bits with them and without."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

import vkforge as vf
from vkforge.lanes import path_traced
from vkforge.passes.terrain.horizons import packed_horizons
from vkforge.scene.horizon import TILT, horizons

RNG = np.random.default_rng(19)
GROUNDS = {
    "noise": RNG.standard_normal((61, 90)),
    "hills": RNG.standard_normal((130, 70)).cumsum(0).cumsum(1) * 0.02,
    "pillars": np.where(RNG.random((50, 50)) < 0.04, 30.0, 0.0) + RNG.random((50, 50)),
    "flat": np.zeros((9, 14)),
    "one cell": np.array([[0.0, 3.0], [1.0, 2.0]]),
}


def height(z: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the bilinear height at (x, y) places, -inf outside."""
    last = np.array(z.shape[::-1]) - 1
    cell = np.clip(np.floor(at).astype(int), 0, last - 1)
    (x, y), (u, v) = np.moveaxis(cell, -1, 0), np.moveaxis(at - cell, -1, 0)
    top = z[y, x] * (1 - u) + z[y, x + 1] * u
    bottom = z[y + 1, x] * (1 - u) + z[y + 1, x + 1] * u
    return np.where(((at < 0) | (at > last)).any(-1), -np.inf, top * (1 - v) + bottom * v)


def octant_and_run(direction: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return which octant directions (x, y) lie in, and how long they are as horizons measure it."""
    x, y = np.moveaxis(direction, -1, 0)
    wide, narrow = np.maximum(abs(x), abs(y)), np.minimum(abs(x), abs(y))
    return 4 * (abs(y) > abs(x)) + 2 * (y > 0) + (x > 0), wide + TILT * narrow


@pytest.mark.parametrize("name", GROUNDS)
def test_no_ray_meets_ground_above_its_horizon(name: str) -> None:
    z = GROUNDS[name]
    bounds = np.stack(list(horizons(z)), -1)
    assert bounds.shape == (z.shape[0] - 1, z.shape[1] - 1, 8)
    rays, steps = 20_000, np.geomspace(0.01, 150.0, 120)
    start = RNG.random((rays, 2)) * (np.array(z.shape[::-1]) - 1)
    start[::7] = np.round(start[::7])  # samples, and points on edges between cells
    start[1::7, 0] = np.round(start[1::7, 0])
    angle = RNG.random(rays) * 2.0 * np.pi
    angle[::3] = np.round(angle[::3] * 4.0 / np.pi) * np.pi / 4.0 + 1e-9  # beside the octants' sides
    direction = np.stack([np.cos(angle), np.sin(angle)], -1)
    octant, run = octant_and_run(direction)
    cell = np.minimum(np.floor(start).astype(int), np.array(z.shape[::-1]) - 2)
    bound = bounds[cell[:, 1], cell[:, 0], octant]
    places = start[:, None] + steps[:, None] * direction[:, None]
    rise = (height(z, places) - height(z, start)[:, None]) / (steps * run[:, None])
    assert (rise.max(1) <= np.maximum(bound, -1e29) + 1e-5 * (1.0 + abs(z).max())).all()


def test_the_horizon_of_a_plane_is_its_slope() -> None:
    """3 x + 2 y, in every octant: steepest along one of its sides."""
    x, y = np.meshgrid(np.arange(49.0), np.arange(33.0))  # whole multiples of the coarsest step
    for octant, found in enumerate(horizons(3.0 * x + 2.0 * y)):
        steep, down, right = octant >> 2, 2 * (octant >> 1 & 1) - 1, 2 * (octant & 1) - 1
        side = 2.0 * down if steep else 3.0 * right
        diagonal = (3.0 * right + 2.0 * down) / (1.0 + TILT)
        np.testing.assert_allclose(found[10:20, 15:25], max(side, diagonal), rtol=1e-5)


def test_packed_bounds_are_rounded_up() -> None:
    z = np.abs(RNG.standard_normal((20, 30))) * 10_000.0
    packed = packed_horizons(z)
    assert packed.shape == (19, 58)
    codes = packed.view(np.uint8).reshape(19, 29, 8).astype(np.uint32)
    unpacked = ((codes << 19) + np.float32(2.0).view(np.uint32)).view(np.float32)
    bounds = np.maximum(np.stack(list(horizons(z)), -1), 0.0)
    assert (unpacked >= bounds + 2.0).all()
    assert (unpacked <= (bounds * (1.0 + 1.0 / 128.0) + 2.0) * (1.0 + 1.0 / 16.0) * 1.0001).all()


SUNS = {"low and soft": vf.Sun(10, 4, angular_diameter=8.0), "hard": vf.Sun(300, 25, angular_diameter=0.0)}


def assert_same_bits_without(
    renderer: vf.Renderer, scene: vf.Scene, bounds: str, leave_out: Callable[[], None]
) -> None:
    """Check that a path-traced scene has the same bits with an image of bounds, which CPU drivers use, as without."""
    aovs = ("sun_visibility", "sky_visibility", "direct", "indirect")

    def render() -> tuple[set[str], vf.Image]:
        options = {"lane": "path-traced", "samples": 32}
        bound = {image.name for image in renderer.plan(scene, (96, 64), **options).images}
        return bound, renderer.render(scene, (96, 64), aovs=aovs, **options)

    bound, image = render()
    leave_out()
    bound_without, without = render()
    assert bounds not in bound_without
    if renderer.device.type == "cpu":
        assert bounds in bound
    np.testing.assert_array_equal(image.hdr, without.hdr)
    for aov in aovs:
        np.testing.assert_array_equal(image.aovs[aov], without.aovs[aov])


@pytest.mark.gpu
@pytest.mark.parametrize(("name", "sun"), list(product(GROUNDS, SUNS)))
def test_pictures_have_the_same_bits_without(
    renderer: vf.Renderer, monkeypatch: pytest.MonkeyPatch, name: str, sun: str
) -> None:
    terrain = vf.Terrain(GROUNDS[name], (1.0, 1.4), skirt="auto" if sun == "hard" else None)
    fog = vf.Fog(scattering=1e-3) if sun == "hard" else None
    scene = vf.Scene(terrain, sun=SUNS[sun], sky=vf.Sky.gradient(), fog=fog)
    assert_same_bits_without(
        renderer, scene, "horizons", lambda: monkeypatch.setattr(path_traced, "PATHS_FOR_HORIZONS", np.inf)
    )
