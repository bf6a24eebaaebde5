"""The terminator: on a coarse DEM light fades as on a fine one, and other ground casts what it always did."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from truth import heightfield
from truth.shading import sun_direction

import vkforge as vf

pytestmark = pytest.mark.gpu

EXTENT = 24.0  # metres; so many cells of a coarse DEM
SIZE = (96, 96)
AZIMUTH = 290.0


def hill(name: str, per_metre: int) -> np.ndarray:
    s = np.linspace(-1.0, 1.0, int(EXTENT) * per_metre + 1)
    x, y = np.meshgrid(s, -s)
    if name == "hill":
        return 9.0 * np.exp(-((x - 0.05) ** 2 + (y + 0.03) ** 2) / (2.0 * 0.35**2))
    return 9.0 / (1.0 + (2.5 * (x + 0.6 * y)) ** 2)  # a ridge across the grid, whose patches are twisted


def seen(renderer: vf.Renderer, heights: np.ndarray, light: dict[str, Any], **options: Any) -> dict[str, np.ndarray]:
    """Return `radiance` and AOVs of the ground seen straight from above, a few pixels a coarse cell."""
    terrain = vf.Terrain(heights, EXTENT / (len(heights) - 1), albedo=1.0)
    camera = vf.Camera.orthographic((0, 0, 100), (0, 0, 0), (0, 1, 0), height=0.99 * EXTENT)
    scene = vf.Scene(terrain, camera, **{"sun": None, "sky": None, **light}, background=(0, 0, 0))
    given = {"samples": 4, "aovs": ("sun_visibility", "normal"), **options}
    image = renderer.render(scene, SIZE, **given)
    return {"radiance": image.hdr[..., 0].astype(np.float64), **image.aovs}


def sunlight(elevation: float) -> dict[str, Any]:
    return {"sun": vf.Sun(AZIMUTH, elevation, np.pi, angular_diameter=0.0)}


def errors(renderer: vf.Renderer, name: str, elevation: float, per_metre: int = 1, **options: Any) -> np.ndarray:
    """Return how far radiance is from the fine DEM's about its terminator, where nothing else casts a shadow there."""
    fine = seen(renderer, hill(name, 16), sunlight(elevation))
    coarse = seen(renderer, hill(name, per_metre), sunlight(elevation), **options)
    facing = fine["normal"] @ sun_direction(AZIMUTH, elevation)
    open_ground = (fine["sun_visibility"] == 1.0) | (facing <= 0.0)
    return np.abs(coarse["radiance"] - fine["radiance"])[open_ground & (np.abs(facing) < 0.3)]


@pytest.mark.parametrize("elevation", [5.0, 10.0, 20.0, 35.0])
@pytest.mark.parametrize(("name", "worst"), [("hill", 0.05), ("ridge", 0.08)])
def test_light_fades_as_on_the_fine_dem(renderer: vf.Renderer, name: str, worst: float, elevation: float) -> None:
    """Light is 1 where the ground faces the sun; in steps of cells the worst errors were 0.12 and 0.28."""
    off = errors(renderer, name, elevation)
    print(f"{name}, sun at {elevation:g}: mean {off.mean():.4f}, worst {off.max():.3f} of {off.size}")
    assert off.max() < worst
    assert off.mean() < 0.012


def test_it_converges(renderer: vf.Renderer) -> None:
    """Twice as fine, the error falls by three or more: slopes by central differences have one of the second order."""
    coarse, finer = (errors(renderer, "hill", 10.0, per_metre).mean() for per_metre in (1, 2))
    print(f"mean error {coarse:.5f}, of cells half as wide {finer:.5f}")
    assert finer < coarse / 3.0


def test_paths_tell_the_same(renderer: vf.Renderer) -> None:
    off = errors(renderer, "ridge", 10.0, lane="path-traced", samples=16, max_depth=2)
    assert off.mean() < 0.012
    assert np.percentile(off, 99.0) < 0.08  # by 16 places in a pixel instead of 4


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_a_lamp_fades_too(renderer: vf.Renderer, lane: str) -> None:
    """A lamp as far as this is a sun, but for its shadow rays' end."""
    toward = sun_direction(AZIMUTH, 10.0)
    lamp = {"lights": (vf.PointLight(tuple(1e4 * toward), np.pi * 1e8),)}
    options = {"lane": lane, "samples": 4, **({"max_depth": 2} if lane == "path-traced" else {})}
    by_lamp = seen(renderer, hill("ridge", 1), lamp, **options)["radiance"]
    by_sun = seen(renderer, hill("ridge", 1), sunlight(10.0), **options)["radiance"]
    assert np.abs(by_lamp - by_sun).mean() < 2e-3


@pytest.mark.parametrize("elevation", [8.0, 18.0, 40.0])
def test_what_other_ground_casts_is_as_it_was(renderer: vf.Renderer, elevation: float) -> None:
    """Rough hills, away from the vertices, against float64 rays from the patches themselves.

    That is where all of a patch faces the sun, or where its shading normal does not.
    """
    rng = np.random.default_rng(4)
    i, j = np.mgrid[:49, :49]
    waves = [5.0 * np.sin(i * rng.normal(0, 0.2) + j * rng.normal(0, 0.2) + rng.uniform(0, 6)) for _ in range(5)]
    heights = (np.sum(waves, axis=0) + rng.uniform(-0.4, 0.4, i.shape)).astype(np.float32)
    toward, cell = sun_direction(AZIMUTH, elevation), (0.5, 0.5)
    found = seen(renderer, heights, sunlight(elevation), samples=1, aovs=("position", "normal", "sun_visibility"))
    at = found["position"].reshape(-1, 3).astype(np.float64)
    column, row = at[:, 0] / 0.5 + 24.0, 24.0 - at[:, 1] / 0.5
    c, r = np.floor(column).astype(int), np.floor(row).astype(int)
    east = np.stack([heights[r + k, c + 1] - heights[r + k, c] for k in (0, 1)]) / 0.5
    north = np.stack([heights[r, c + k] - heights[r + 1, c + k] for k in (0, 1)]) / 0.5
    rise = (east * toward[0]).max(axis=0) + (north * toward[1]).max(axis=0)
    as_before = (toward[2] > rise + 0.01) | (found["normal"].reshape(-1, 3) @ toward < -0.01)
    start = at + np.array([0.0, 0.0, 2e-5])
    lit = ~heightfield.intersect(heights, cell, start, np.tile(toward, (len(at), 1))).hit
    differing = ((found["sun_visibility"].ravel() > 0.5) != lit)[as_before]
    shadowed = (~lit & (toward[2] > rise + 0.01)).mean()
    print(f"{as_before.mean():.0%} as before, {shadowed:.0%} in the shadow of others, {differing.mean():.2%} differ")
    assert shadowed > (0.005 if elevation == 40.0 else 0.05)
    assert differing.mean() < 2e-3
