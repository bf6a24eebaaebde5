"""Cameras against hand-computed rays, the reference scene's first rays, and projected corners."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest

from vkforge.scene import Camera, Terrain

# The camera and first rays of a scene computed by Mitsuba 3.9.1 (float32): position, target, pixel and unit direction.
REFERENCE = ((-1655.0, -3055.0, 1250.0), (195.0, 445.0, 430.0))
FIRST_RAYS = {
    (0, 0): (0.10298515856266022, 0.9944326877593994, 0.022310076281428337),
    (639, 359): (0.7238873839378357, 0.5699206590652466, -0.3888157606124878),
    (320, 180): (0.4581049382686615, 0.8653000593185425, -0.2034592628479004),
}


def ray(camera: Camera, size: tuple[int, int], px: float, py: float) -> tuple[np.ndarray, np.ndarray]:
    """Return origin and unit direction of the ray through the centre of pixel (px, py)."""
    rays = camera.rays(*size)
    u, v = 2 * (px + 0.5) / size[0] - 1, 1 - 2 * (py + 0.5) / size[1]
    origin = np.array(rays.origin) + u * np.array(rays.origin_u) + v * np.array(rays.origin_v)
    direction = np.array(rays.direction) + u * np.array(rays.direction_u) + v * np.array(rays.direction_v)
    return origin, direction / np.linalg.norm(direction)


def project(camera: Camera, size: tuple[int, int], points: np.ndarray) -> np.ndarray:
    """Return the (u, v) at which a perspective camera sees `points`, all in front of it."""
    rays = camera.rays(*size)
    offsets = points - np.array(rays.origin)
    right, up, forward = (np.array(axis) for axis in (rays.direction_u, rays.direction_v, rays.direction))
    depth = offsets @ forward
    assert (depth > 0).all()
    return np.stack([offsets @ right / (right @ right) / depth, offsets @ up / (up @ up) / depth], axis=-1)


def box(terrain: Terrain) -> np.ndarray:
    xmin, xmax, ymin, ymax = terrain.extent
    low = terrain.min_height if terrain.skirt is None else terrain.skirt
    heights = (low * terrain.vertical_exaggeration, terrain.max_height * terrain.vertical_exaggeration)
    return np.array(list(itertools.product((xmin, xmax), (ymin, ymax), heights)))


@pytest.mark.parametrize(("pixel", "expected"), FIRST_RAYS.items())
def test_first_rays_of_the_reference(pixel: tuple[int, int], expected: tuple[float, float, float]) -> None:
    camera = Camera.perspective(*REFERENCE, fov_x=45)
    origin, direction = ray(camera, (640, 360), *pixel)
    np.testing.assert_array_equal(origin, REFERENCE[0])
    np.testing.assert_allclose(direction, expected, atol=1e-6)


def test_vertical_and_horizontal_field_of_view_agree() -> None:
    vertical = math.degrees(2 * math.atan(math.tan(math.radians(45) / 2) * 9 / 16))
    wide = Camera.perspective(*REFERENCE, fov_x=45).rays(640, 360)
    tall = Camera.perspective(*REFERENCE, fov=vertical).rays(640, 360)
    np.testing.assert_allclose(np.array(wide), np.array(tall), atol=1e-12)


def test_looking_north_has_east_to_the_right_and_up_above() -> None:
    rays = Camera.perspective((0, 0, 0), (0, 5, 0), fov=90).rays(200, 100)
    np.testing.assert_allclose(rays.direction, (0, 1, 0), atol=1e-15)
    np.testing.assert_allclose(rays.direction_u, (2, 0, 0), atol=1e-15)
    np.testing.assert_allclose(rays.direction_v, (0, 0, 1), atol=1e-15)


def test_straight_down_has_north_at_the_top() -> None:
    rays = Camera.perspective((3, 4, 100), (3, 4, 0), fov=90).rays(100, 100)
    np.testing.assert_allclose(rays.direction, (0, 0, -1), atol=1e-15)
    np.testing.assert_allclose(rays.direction_u, (1, 0, 0), atol=1e-15)
    np.testing.assert_allclose(rays.direction_v, (0, 1, 0), atol=1e-15)


def test_up_along_a_level_view_falls_back_to_world_up() -> None:
    rays = Camera.perspective((0, 0, 0), (1, 0, 0), up=(-2, 0, 0), fov=90).rays(10, 10)
    np.testing.assert_allclose(rays.direction_v, (0, 0, 1), atol=1e-15)


def test_orthographic_rays_are_parallel_and_span_the_height() -> None:
    camera = Camera.orthographic((0, -100, 50), (0, 0, 50), height=40)
    assert camera.span(200, 100) == (80.0, 40.0)
    first, direction = ray(camera, (200, 100), 0, 0)
    last, same = ray(camera, (200, 100), 199, 99)
    np.testing.assert_allclose(direction, (0, 1, 0), atol=1e-15)
    np.testing.assert_array_equal(direction, same)
    np.testing.assert_allclose(first, (-39.8, -100, 69.8), atol=1e-12)
    np.testing.assert_allclose(last, (39.8, -100, 30.2), atol=1e-12)


def test_map_pixels_are_the_samples() -> None:
    terrain = Terrain(np.arange(12.0).reshape(3, 4), (10.0, 20.0), vertical_exaggeration=2.0)
    camera = Camera.map(terrain, pixels="samples")
    assert camera.natural_size == (4, 3)
    for (px, x), (py, y) in itertools.product(enumerate((-15, -5, 5, 15)), enumerate((20, 0, -20))):
        origin, direction = ray(camera, (4, 3), px, py)
        np.testing.assert_allclose(origin[:2], (x, y), atol=1e-12)
        np.testing.assert_array_equal(direction, (0, 0, -1))
        assert origin[2] > 22.0  # above the highest ground, exaggeration included


def test_map_pixels_are_square_on_the_ground() -> None:
    camera = Camera.map(Terrain(np.zeros((30, 40)) + 5, (10.0, 12.01)))
    assert camera.natural_size == (40, 36)  # 36.03
    assert camera.span(40, 36) == pytest.approx((400.0, 360.3))  # the DEM's extent, to its edges
    same = Terrain(np.zeros((3, 4)) + 5, 10.0)
    assert Camera.map(same) == Camera.map(same, pixels="samples")


def test_map_at_other_sizes() -> None:
    camera = Camera.map(Terrain(np.zeros((3, 4)) + 5, (10.0, 20.0)), pixels="samples")
    assert camera.span(4, 3) == pytest.approx((40.0, 60.0))
    assert camera.span(400, 300) == pytest.approx((40.0, 60.0))  # the same ground, finer
    assert camera.span(8, 3) == pytest.approx((80.0, 60.0))  # a margin on both sides, nothing stretched
    assert camera.span(4, 6) == pytest.approx((40.0, 120.0))


def terrains() -> Iterator[Terrain]:
    rough = np.random.default_rng(1).random((40, 70)) * 500 + 1200
    yield Terrain(rough, 30.0)
    yield Terrain(rough, 30.0, skirt="auto", vertical_exaggeration=3.0)
    yield Terrain(rough.T.copy(), (5.0, 300.0), skirt=-4000.0)
    yield Terrain(np.full((2, 2), 7.0))


@pytest.mark.parametrize("terrain", list(terrains()), ids=repr)
@pytest.mark.parametrize("angles", [(200, 35), (200, 90), (0, -60), (135, 0), (-725.5, 15)])
@pytest.mark.parametrize("size", [(1920, 1080), (500, 900)])
def test_orbit_frames_the_block_snugly(terrain: Terrain, angles: tuple[float, float], size: tuple[int, int]) -> None:
    camera = Camera.orbit(terrain, *angles, aspect=size[0] / size[1])
    seen = project(camera, size, box(terrain))
    low, high = seen.min(axis=0), seen.max(axis=0)
    np.testing.assert_allclose(low, -high, atol=1e-6)  # centred
    assert high.max() == pytest.approx(0.96, abs=1e-6)  # 4 % margin on the tighter side


def test_orbit_azimuth_is_the_bearing_of_the_camera() -> None:
    terrain = Terrain(np.zeros((11, 11)), 10.0)
    east = Camera.orbit(terrain, azimuth=90, elevation=30, distance=200, target=(1, 2, 3))
    expected = (1 + 200 * math.cos(math.radians(30)), 2, 3 + 200 * 0.5)
    np.testing.assert_allclose(east.position, expected, atol=1e-9)
    assert east.target == (1, 2, 3)
    south_southwest = Camera.orbit(terrain)
    assert south_southwest.position[0] < 0
    assert south_southwest.position[1] < -50


def test_orbit_around_a_target_still_shows_everything() -> None:
    terrain = Terrain(np.random.default_rng(2).random((30, 50)) * 90, 10.0)
    camera = Camera.orbit(terrain, target=(-200, 100, 50))
    seen = np.abs(project(camera, (1600, 900), box(terrain)))
    assert seen.max() == pytest.approx(0.96, abs=1e-9)
    np.testing.assert_allclose(project(camera, (1600, 900), np.array([[-200.0, 100.0, 50.0]])), 0.0, atol=1e-9)


def test_cameras_compare_by_value() -> None:
    assert Camera.perspective(*REFERENCE) == Camera.perspective(*REFERENCE, fov=40)
    assert Camera.perspective(*REFERENCE) != Camera.perspective(*REFERENCE, fov=41)
    assert len({Camera.perspective(*REFERENCE), Camera.perspective(*REFERENCE)}) == 1
