"""Holes filled as by a soap film, against closed forms, and which holes there are against flood fill."""

from __future__ import annotations

import time

import numpy as np
import pytest
from skimage.measure import label

import vkforge as vf
from vkforge.scene.filling import enclosed

ROW, COLUMN = np.mgrid[0:40, 0:60].astype(np.float64)


def torn(heights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Holes of a sample to hundreds, one with an island in it, a slit, and a collar that stays."""
    heights = heights.astype(np.float32)
    heights[rng.random(heights.shape) < 0.05] = np.nan
    away = np.hypot(ROW - 20, COLUMN - 30)
    heights[(away < 9) & (away > 3)] = np.nan
    heights[5, 10:50] = np.nan
    heights[:, 57:] = np.nan
    heights[:2] = np.nan
    return heights


@pytest.mark.parametrize("cell", [(30.0, 30.0), (10.0, 25.0)])
@pytest.mark.parametrize("name", ["plane", "saddle", "product", "cubic"])
def test_a_hole_in_a_harmonic_surface_is_that_surface(name: str, cell: tuple[float, float]) -> None:
    """A plane above all; and what else the five-point Laplacian has as zero, to float32."""
    x, y = (COLUMN - 30) * cell[0], (ROW - 20) * cell[1]
    truth = {"plane": 800 + 0.3 * x - 0.7 * y, "saddle": (x**2 - y**2) / 1e3, "product": x * y / 1e3}.get(name)
    if truth is None:
        truth = (x**3 - 3 * x * y**2) / 1e6
    terrain = vf.Terrain(torn(truth, np.random.default_rng(5)), cell, skirt="auto", floor=False, albedo="tan")
    filled = terrain.filled()
    missing = np.isnan(terrain.heights)
    holes = enclosed(missing, np.inf)
    assert 300 < holes.sum() < missing.sum()
    assert (np.isnan(filled.heights) == (missing & ~holes)).all()
    np.testing.assert_allclose(filled.heights[holes], truth[holes], atol=2e-6 * np.ptp(truth))
    assert (filled.heights[~missing] == terrain.heights[~missing]).all()
    kept = ("cell_size", "albedo", "skirt", "floor", "crs", "transform", "vertical_exaggeration")
    assert [getattr(filled, part) for part in kept] == [getattr(terrain, part) for part in kept]


def test_what_is_filled_lies_within_the_rim() -> None:
    rng = np.random.default_rng(6)
    heights = torn(rng.normal(size=ROW.shape).cumsum(0), rng)
    filled = vf.Terrain(heights, 1.0).filled().heights
    holes = enclosed(np.isnan(heights), np.inf)
    each = np.asarray(label(holes, connectivity=1))
    for number in range(1, each.max() + 1):
        hole = np.pad(each == number, 1)
        rim = (np.roll(hole, 1, 0) | np.roll(hole, -1, 0) | np.roll(hole, 1, 1) | np.roll(hole, -1, 1)) & ~hole
        around, inside = heights[rim[1:-1, 1:-1]], filled[each == number]
        assert np.nanmin(around) - 1e-5 <= inside.min() <= inside.max() <= np.nanmax(around) + 1e-5


@pytest.mark.parametrize("most", [1, 2, 5, 40, np.inf])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.7])
def test_holes_are_those_of_a_flood_fill(share: float, most: float) -> None:
    missing = np.random.default_rng(7).random((43, 61)) < share
    groups = np.asarray(label(missing, connectivity=1))
    border = np.concatenate([groups[0], groups[-1], groups[:, 0], groups[:, -1]])
    small = np.bincount(groups.ravel()) <= most
    small[np.unique(border)] = False
    small[0] = False
    assert (enclosed(missing, most) == small[groups]).all()


def test_max_hole_and_nothing_to_fill() -> None:
    heights = torn(ROW, np.random.default_rng(5))
    terrain = vf.Terrain(heights, 1.0)
    assert np.isnan(terrain.filled(max_hole=30).heights[20, 25])
    assert np.isfinite(terrain.filled().heights[20, 25])
    whole = vf.Terrain(ROW, 1.0)
    assert whole.filled() is whole
    for wrong in (0, -3, np.nan, "all"):
        with pytest.raises(vf.InputError, match=r"max_hole \(samples\) is .*; wanted a finite number of at least 1"):
            terrain.filled(max_hole=wrong)  # type: ignore[arg-type]


def test_a_large_hole_takes_no_long() -> None:
    """A hole of 160,000 samples, on a plane, in seconds: the coarse grids carry the rim's heights inwards."""
    row, column = np.mgrid[0:520, 0:520]
    truth = 0.2 * row + 0.1 * column
    heights = np.where(np.hypot(row - 260, column - 260) < 226, np.nan, truth)
    begin = time.process_time()
    filled = vf.Terrain(heights, 1.0).filled().heights
    assert time.process_time() - begin < 10.0
    np.testing.assert_allclose(filled, truth, atol=1e-3)
