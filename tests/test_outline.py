"""The outline of ground with holes: along the diagonal where a corner is missing, with walls that let no ray in.

Held against float64 (truth/outline.py), which knows each patch, triangle and wall by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from truth import outline

import vkforge as vf

pytestmark = pytest.mark.gpu

Array = NDArray[np.float64]


def ragged(rng: np.random.Generator, rows: int, cols: int) -> Array:
    """Rough ground in a ragged collar of nodata, with holes in it, some of them of a single sample."""
    y, x = np.mgrid[:rows, :cols]
    heights = 20.0 + 3.0 * rng.random((rows, cols)) + 2.0 * np.sin(x / 2.0)
    around = np.hypot((x - cols / 2) / cols, (y - rows / 2) / rows) + 0.08 * rng.normal(size=(rows, cols))
    heights[(around > 0.42) | (rng.random((rows, cols)) < 0.06)] = np.nan
    return heights


def rays(rng: np.random.Generator, count: int, half: Array) -> tuple[Array, Array]:
    """From all around, below too, to places in the box of the block, up to which they are in the air."""
    origins = rng.normal(size=(count, 3))
    origins *= 4.0 * half.max() / np.linalg.norm(origins, axis=1, keepdims=True)
    ends = rng.uniform(-1.0, 1.0, (count, 3)) * (*half, 6.0) + (0.0, 0.0, 18.0)
    directions = ends - origins
    return origins, directions / np.linalg.norm(directions, axis=1, keepdims=True)


def blocks() -> Iterator[tuple[Array, tuple[float, float]]]:
    rng = np.random.default_rng(3)
    for shape, cell in (((13, 17), (1.0, 1.0)), ((9, 21), (3.0, 2.0)), ((4, 5), (5.0, 7.0)), ((24, 20), (0.5, 2.0))):
        yield ragged(rng, *shape), cell


@pytest.mark.parametrize("floor", [True, False])
def test_rays_meet_the_walls_along_the_outline(renderer: vf.Renderer, floor: bool) -> None:
    """Hit, distance and normal of random rays from all sides are those of float64, but beside an edge."""
    total = wrong = 0
    for index, (heights, cell) in enumerate(blocks()):
        terrain = vf.Terrain(heights, cell, skirt=14.0, floor=floor)
        known = np.asarray(terrain.heights, np.float64)
        origins, directions = (
            a.astype(np.float32) for a in rays(np.random.default_rng(index), 5000, np.array(terrain.extent[1::2]))
        )
        hits = renderer.trace(terrain, origins, directions)
        o, d = origins.astype(np.float64), directions.astype(np.float64)
        t, normal = outline.intersect(known, cell, o, d, 14.0, floor)
        assert 0.2 < np.isfinite(t).mean() < 0.98
        off = np.isfinite(hits.t) != np.isfinite(t)
        with np.errstate(invalid="ignore"):
            off |= (abs(hits.t - t) > 1e-4 * t) | (np.linalg.norm(hits.normal - normal, axis=1) > 2e-3)
        off &= np.isfinite(hits.t) | np.isfinite(t)
        for i in np.flatnonzero(off):  # each of those is so near an edge that a hair's shift changes float64's answer
            shifts = 3e-5 * np.random.default_rng(i).normal(size=(40, 3)) * max(cell)
            near_t, near_normal = outline.intersect(known, cell, o[i] + shifts, np.tile(d[i], (40, 1)), 14.0, floor)
            agrees = np.isclose(near_t, hits.t[i], rtol=1e-4)
            if np.isfinite(hits.t[i]):
                agrees &= np.linalg.norm(near_normal - hits.normal[i], axis=1) < 2e-3
            assert agrees.any(), f"ray {i} of {index}: {hits.t[i]} {hits.normal[i]}, wanted {t[i]} {normal[i]}"
        total, wrong = total + len(t), wrong + int(off.sum())
    assert wrong <= 2e-3 * total, f"{wrong} of {total} pass an edge"


def test_no_ray_gets_into_the_block(renderer: vf.Renderer) -> None:
    """All that is seen from outside faces the ray, through no corner is anything seen from within: no light leaks."""
    for index, (heights, cell) in enumerate(blocks()):
        for floor in (True, False):
            terrain = vf.Terrain(heights, cell, skirt=14.0, floor=floor)
            half = np.array(terrain.extent[1::2])
            rng = np.random.default_rng(50 + index)
            origins, directions = rays(rng, 40_000, half)
            # Half of them exactly at samples and along edges, where patches, triangles and walls meet.
            rows, cols = terrain.shape
            corners = np.column_stack([rng.integers(0, cols, 20_000), rng.integers(0, rows, 20_000)]) * cell - half
            ends = np.column_stack([corners, rng.uniform(14.0, 26.0, 20_000)])
            directions[:20_000] = ends - origins[:20_000]
            hits = renderer.trace(terrain, origins, directions / np.linalg.norm(directions, axis=1, keepdims=True))
            facing = (hits.normal * directions).sum(axis=1)
            assert facing[np.isfinite(hits.t)].max() <= 1e-6


@pytest.mark.parametrize("skirt", [None, "auto"])
def test_a_map_shows_the_outline(renderer: vf.Renderer, skirt: str | None) -> None:
    """From straight above, what is covered is the outline's inside, to the pixel's centre."""
    heights = ragged(np.random.default_rng(8), 25, 31)
    terrain = vf.Terrain(heights, 2.0, skirt=skirt, floor=False)
    places = np.random.default_rng(9).uniform(0, 1, (20_000, 2)) * (30, 24)
    wanted = outline.covered(heights, places)
    assert 0.3 < wanted.mean() < 0.9
    world = (places - (15, 12)) * (2.0, -2.0)
    assert (np.isfinite(terrain.height_at(*world.T)) == wanted).all()
    hits = renderer.trace(
        terrain, np.column_stack([world, np.full(len(world), 99.0)]), np.tile([0.0, 0.0, -1.0], (len(world), 1))
    )
    assert (np.isfinite(hits.t) != wanted).mean() < 1e-4
    seen = np.isfinite(hits.t) & wanted
    np.testing.assert_allclose(99.0 - hits.t[seen], terrain.height_at(*world[seen].T), atol=1e-3)


@pytest.mark.parametrize("floor", [True, False])
def test_shadows_at_ragged_walls(renderer: vf.Renderer, floor: bool) -> None:
    """Each pixel that shows a wall or the floor is in the sun where float64 says so, but beside an edge of a shadow."""
    for azimuth, heights in ((230.0, ragged(np.random.default_rng(4), 13, 17)), (70.0, next(blocks())[0])):
        terrain = vf.Terrain(heights, 2.0, skirt=10.0, floor=floor)
        camera = vf.Camera.orbit(terrain, azimuth=azimuth + 60, elevation=25)
        sun = vf.Sun(azimuth, 35, angular_diameter=0)
        aovs = ("sun_visibility", "position", "hit", "geometric_normal")
        image = renderer.render(vf.Scene(terrain, camera, sun, sky=None), (96, 64), samples=1, aovs=aovs)
        normal = image.aovs["geometric_normal"].reshape(-1, 3).astype(np.float64)
        on = (image.aovs["hit"] > 0).reshape(-1) & ((abs(normal[:, 2]) < 0.01) | (normal[:, 2] > 0.9999))
        assert on.mean() > 0.05
        to_sun = np.tile(np.asarray(sun.direction), (int(on.sum()), 1))
        start = image.aovs["position"].reshape(-1, 3)[on] + 1e-4 * normal[on]
        t, _ = outline.intersect(np.asarray(terrain.heights, np.float64), (2.0, 2.0), start, to_sun, 10.0, floor)
        wanted = np.isinf(t) & ((normal[on] * to_sun).sum(axis=1) > 0)
        assert 0.1 < wanted.mean() < 0.95
        assert (image.aovs["sun_visibility"].reshape(-1)[on] != wanted).mean() < 5e-3


def test_both_lanes_light_ragged_walls_alike(renderer: vf.Renderer) -> None:
    heights = ragged(np.random.default_rng(4), 13, 17)
    terrain = vf.Terrain(heights, 2.0, skirt=10.0, floor=False)
    sky = vf.Sky.gradient((0.4, 0.5, 0.7), (0.6, 0.6, 0.6))
    scene = vf.Scene(terrain, vf.Camera.orbit(terrain, azimuth=240, elevation=20), vf.Sun(250, 35), sky)
    aovs = ("sun_visibility", "sky_visibility", "hit", "geometric_normal")
    lit = renderer.render(scene, (96, 64), samples=16, sky_rays=8, aovs=aovs)
    traced = renderer.render(scene, (96, 64), samples=96, lane="path-traced", max_depth=2, aovs=aovs)
    walls = (lit.aovs["hit"] > 0) & (abs(lit.aovs["geometric_normal"][..., 2]) < 0.01)
    assert walls.mean() > 0.05
    for name in ("sun_visibility", "sky_visibility"):
        off = (lit.aovs[name] - traced.aovs[name])[walls]
        assert abs(off.mean()) < 0.01, name
        assert abs(off).mean() < 0.08, name
