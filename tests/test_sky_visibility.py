"""Sky visibility at 1,024 rays a pixel against closed forms, within 0.01.

Each probe is an orthographic view straight down, a millimetre high: all its 256 pixels see one point of the terrain,
each with a sequence of its own. So their mean tells the bias, which may be a quarter of the bar, and their spread the
noise of one pixel: 99 in 100 must be within the bar.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from truth import heightfield, skies

import vkforge as vf

BAR = 0.01


class Case(NamedTuple):
    """A DEM, a point (x, y) on it, the shading normal there, and the closed form."""

    heights: np.ndarray
    cell_size: tuple[float, float]
    point: tuple[float, float]
    normal: np.ndarray
    expected: float


UP = np.array([0.0, 0.0, 1.0])


def wall(height: float, *distances: int, along: int = 1) -> Case:
    heights, cell_size, point = skies.wall_dem(height, distances, along)
    if len(distances) == 1:
        return Case(heights, cell_size, point, UP, skies.wall(height, distances[0]))
    return Case(heights, cell_size, point, UP, skies.canyon(height, abs(distances[0]), distances[1]))


def valley(tilt: float) -> Case:
    heights, cell_size, point = skies.valley_dem(tilt)
    normal = np.array([-np.sin(np.radians(tilt)), 0.0, np.cos(np.radians(tilt))])
    return Case(heights, cell_size, point, normal, skies.valley(tilt))


def bowl(radius: float, depth: float, where: float) -> Case:
    heights, cell_size, rim = skies.bowl_dem(radius, depth)
    x, y = where * rim * np.array([np.cos(0.7), np.sin(0.7)])
    normal = np.array([-x, -y, np.sqrt(radius**2 - x**2 - y**2)]) / radius
    return Case(heights, cell_size, (x, y), normal, skies.bowl(radius, depth))


def pit(height: float, radius: float) -> Case:
    return Case(*skies.pit_dem(height, radius), UP, skies.pit(height, radius))


def plane(tilt: float) -> Case:
    heights = np.tile(np.arange(33) * np.tan(np.radians(tilt)), (33, 1))
    normal = np.array([-np.sin(np.radians(tilt)), 0.0, np.cos(np.radians(tilt))])
    return Case(heights, (1.0, 1.0), (0.3, 0.4), normal, skies.slope(tilt))


CASES: dict[str, Callable[[], Case]] = {
    "wall 10 m at 10 m, east": lambda: wall(10.0, 10),
    "wall 30 m at 10 m, south": lambda: wall(30.0, 10, along=0),
    "wall 10 m at 40 m, east": lambda: wall(10.0, 40),
    "canyon 20 m, 20 and 20 m": lambda: wall(20.0, -20, 20),
    "canyon 30 m, 10 and 40 m": lambda: wall(30.0, -10, 40, along=0),
    "valley of 20 degrees": lambda: valley(20.0),
    "valley of 35 degrees": lambda: valley(35.0),
    "valley of 45 degrees": lambda: valley(45.0),
    "bowl 0.6 R deep, centre": lambda: bowl(200.0, 120.0, 0.0),
    "bowl 0.6 R deep, half way": lambda: bowl(200.0, 120.0, 0.5),
    "bowl 0.3 R deep, 0.8 out": lambda: bowl(200.0, 60.0, 0.8),
    "pit 60 m, radius 150 m": lambda: pit(60.0, 150.0),
    "pit 150 m, radius 150 m": lambda: pit(150.0, 150.0),
    "plane tilted 30 degrees": lambda: plane(30.0),
    "plane tilted 60 degrees": lambda: plane(60.0),
}


@pytest.mark.parametrize("name", CASES)
def test_the_dems_hold_the_closed_forms(name: str) -> None:
    """No GPU: what discretisation leaves of the bar, by float64 brute force."""
    case = CASES[name]()
    seen = skies.brute_force(case.heights, case.cell_size, case.point, case.normal)
    print(f"{name}: closed form {case.expected:.4f}, brute force {seen:.4f}")
    assert abs(seen - case.expected) < 0.003


def probe(renderer: "vf.Renderer", case: Case, samples: int, sky_rays: int) -> np.ndarray:
    terrain = vf.Terrain(case.heights, cell_size=case.cell_size)
    (x, y), top = case.point, float(terrain.max_height) + 50.0
    z = top - heightfield.intersect(case.heights, case.cell_size, [x, y, top], [0.0, 0.0, -1.0]).t[0]
    camera = vf.Camera.orthographic((x, y, top), (x, y, z), up=(0, 1, 0), height=1e-3)
    scene = vf.Scene(terrain, camera=camera, sun=None, sky=vf.Sky.uniform(1.0))
    image = renderer.render(scene, (16, 16), samples=samples, sky_rays=sky_rays, aovs=("sky_visibility",))
    return image.aovs["sky_visibility"].astype(np.float64)


@pytest.mark.parametrize("name", CASES)
def test_closed_form(renderer: "vf.Renderer", name: str) -> None:
    case = CASES[name]()
    error = probe(renderer, case, samples=64, sky_rays=16) - case.expected
    print(f"{name}: {case.expected:.4f}, error {error.mean():+.5f}, largest of {error.size}: {np.abs(error).max():.5f}")
    assert abs(error.mean()) < BAR / 4
    assert np.sqrt(np.mean(error**2)) < BAR / 3  # so that a pixel is within the bar by three standard deviations


@pytest.mark.parametrize(("samples", "sky_rays"), [(256, 4), (16, 64), (4, 256)])
def test_rays_may_be_split_over_samples_in_any_way(renderer: "vf.Renderer", samples: int, sky_rays: int) -> None:
    case = CASES["canyon 30 m, 10 and 40 m"]()
    error = probe(renderer, case, samples, sky_rays) - case.expected
    print(f"{samples} x {sky_rays}: mean error {error.mean():+.5f}, largest {np.abs(error).max():.5f}")
    assert abs(error.mean()) < BAR / 4
    assert np.sqrt(np.mean(error**2)) < BAR / 3  # so that a pixel is within the bar by three standard deviations


@pytest.mark.parametrize("datum", [0.0, 4000.0])
def test_flat_plane_sees_the_whole_sky(renderer: "vf.Renderer", datum: float) -> None:
    """Exactly 1 at every pixel: one ray lost to self-intersection anywhere would show."""
    terrain = vf.Terrain(np.full((65, 97), datum), cell_size=30.0)
    scene = vf.Scene(terrain, camera=vf.Camera.map(terrain), sun=None, sky=vf.Sky.uniform(1.0))
    image = renderer.render(scene, (97, 65), samples=16, sky_rays=16, aovs=("sky_visibility",))
    assert (image.aovs["sky_visibility"][1:-1, 1:-1] == 1.0).all()
