"""Every kind of camera: there and back, its own geometry, and what both lanes render, pixel by pixel."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.scene.camera_rays import pixels_to_uv, rays_at

HILLS = 12.0 * np.sin(np.linspace(0, 9, 33))[:, None] * np.cos(np.linspace(0, 7, 41))
TERRAIN = vf.Terrain(HILLS, 5.0, vertical_exaggeration=1.3)
EYE = (7.0, -11.0, 60.0)
SIZE = (60, 44)
CAMERAS = {
    "perspective": vf.Camera.perspective(EYE, (20, 40, 3), fov=55),
    "shifted": vf.Camera.perspective((3, -150, 60), (0, 0, 0), fov_x=40, shift=(0.2, -0.3)),
    "orthographic": vf.Camera.orthographic((30, -120, 80), (0, 0, 0), height=120),
    "oblique": vf.Camera.oblique(TERRAIN, 160, z_scale=0.8),
    "military": vf.Camera.oblique(TERRAIN, 225, angle=45, north_up=False),
    "map": vf.Camera.map(TERRAIN),
    "panorama": vf.Camera.panorama(EYE, bearing=75),
    "strip": vf.Camera.panorama(EYE, bearing=-20, elevation=-25, fov_x=120, fov=50),
    "equidistant": vf.Camera.fisheye(EYE, (0, 30, 0)),
    "full frame": vf.Camera.fisheye(EYE, (0, 30, 0), full_frame=True),
    "equisolid": vf.Camera.fisheye(EYE, (0, 30, 40), fov=300, mapping="equisolid"),
    "all around": vf.Camera.fisheye(EYE, (0, 30, 40), fov=360),
}


def pixel_centres(size: tuple[int, int]) -> np.ndarray:
    y, x = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
    return np.stack([x.ravel(), y.ravel()], axis=1)


@pytest.mark.parametrize("name", CAMERAS)
def test_there_and_back(name: str) -> None:
    camera, pixels = CAMERAS[name], pixel_centres(SIZE)
    depth = np.random.default_rng(5).uniform(1.0, 500.0, len(pixels))
    world = camera.unproject(pixels, depth, SIZE)
    seen = np.isfinite(world).all(axis=1)
    back = camera.project(world[seen], SIZE)
    np.testing.assert_allclose(back, np.column_stack([pixels, depth])[seen], rtol=1e-9, atol=1e-7)
    assert seen.all() == (camera.kind != "fish-eye" or camera.full_frame)
    single = camera.project(world[seen][0], SIZE)
    np.testing.assert_allclose(single, back[0], atol=1e-9)
    np.testing.assert_allclose(camera.unproject(single[:2], single[2], SIZE), world[seen][0], rtol=1e-9, atol=1e-7)


@pytest.mark.gpu
@pytest.mark.parametrize("lane", ["lit", "path-traced"])
@pytest.mark.parametrize("name", CAMERAS)
def test_rendered_positions_project_onto_their_pixels(renderer: vf.Renderer, name: str, lane: str) -> None:
    """The shaders' rays, in float32, are those of `project`, in float64, to 0.01 pixels."""
    camera = CAMERAS[name]
    image = renderer.render(vf.Scene(TERRAIN, camera), SIZE, lane=lane, samples=1, aovs=("position", "depth"))
    depth = image.aovs["depth"].ravel()
    hit = np.isfinite(depth)
    assert 0.05 < hit.mean() <= 1.0
    seen = camera.project(image.aovs["position"].reshape(-1, 3)[hit], SIZE)
    off = np.abs(seen[:, :2] - pixel_centres(SIZE)[hit])
    assert off.max() < 0.01
    np.testing.assert_allclose(seen[:, 2], depth[hit], rtol=1e-5, atol=1e-3)


@pytest.mark.gpu
@pytest.mark.parametrize("lane", ["lit", "path-traced"])
@pytest.mark.parametrize("cell", [3.0, (3.0, 4.4)])
def test_positions_of_a_map_finer_than_its_samples(renderer: vf.Renderer, lane: str, cell: Any) -> None:
    """Border pixels lie up to half a cell beside the surface: they show its edge, at their own place."""
    ground = vf.Terrain(np.arange(12 * 9, dtype=float).reshape(12, 9), cell)
    camera = vf.Camera.map(ground)
    width, height = camera.natural_size or (0, 0)
    size = 4 * width, 4 * height
    image = renderer.render(vf.Scene(ground, camera), size, lane=lane, samples=1, aovs=("position", "depth", "hit"))
    assert image.aovs["hit"].all()
    position = image.aovs["position"].reshape(-1, 3)
    seen = camera.project(position, size)
    assert np.abs(seen[:, :2] - pixel_centres(size)).max() < 0.01
    np.testing.assert_allclose(seen[:, 2], image.aovs["depth"].ravel(), rtol=1e-5)
    _, xmax, _, ymax = ground.extent
    inside = (np.clip(position[:, axis], -edge, edge) for axis, edge in enumerate(0.999999 * np.array((xmax, ymax))))
    np.testing.assert_allclose(position[:, 2], ground.height_at(*inside), atol=1e-3)


@pytest.mark.gpu
@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_a_fisheye_is_black_outside_its_circle(renderer: vf.Renderer, lane: str) -> None:
    sky = vf.Sky.gradient(1.0, 1.0, ground=1.0)
    scene = vf.Scene(TERRAIN, vf.Camera.fisheye(EYE, (0, 30, 0)), sky=sky, background=None)
    image = renderer.render(scene, SIZE, lane=lane, samples=4, aovs=("hit",))
    radius = np.hypot(*(pixel_centres(SIZE) - np.array(SIZE) / 2).T).reshape(SIZE[::-1]) / (min(SIZE) / 2)
    assert not image.hdr[radius > 1.05].any()
    assert not image.aovs["hit"][radius > 1.05].any()
    assert (image.hdr[radius < 0.95] > 0).all()


@pytest.mark.gpu
def test_a_panorama_of_an_environment_is_the_environment(renderer: vf.Renderer) -> None:
    """Its rows and columns are those of an equirectangular map with north in the middle: one texel, one pixel."""
    texels = np.random.default_rng(3).uniform(0.1, 1.0, (16, 32, 3))
    scene = vf.Scene(TERRAIN, vf.Camera.panorama((0, 0, 9000)), sun=None, sky=vf.Environment(texels))
    image = renderer.render(scene, (32, 16), samples=1)
    np.testing.assert_allclose(image.hdr[:7], texels[:7], rtol=2e-3)


def across_the_border(picture: np.ndarray) -> tuple[float, float]:
    """Return the mean step of a picture's logarithm from its last column to its first, and around that."""
    level = np.log(np.maximum(np.roll(picture, 6, axis=1)[:, :12], 1e-4))
    steps = np.abs(np.diff(level, axis=1)).mean(axis=(0, 2))
    return float(steps[5]), float(np.delete(steps, 5).max())


@pytest.mark.gpu
@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_a_panorama_all_around_has_no_seam(renderer: vf.Renderer, lane: str) -> None:
    """Bloom and the filter of noise go on at the other border; of a panorama of 359 degrees they do not."""
    lamp = vf.Sun(azimuth=172, elevation=20, irradiance=3, angular_diameter=4)
    options: dict[str, Any] = {"lane": lane, "samples": 4, "bloom": vf.Bloom(0.4, 0.1)}
    for denoise in (None, "atrous"):
        seen = [
            renderer.render(
                vf.Scene(TERRAIN, vf.Camera.panorama(EYE, fov_x=fov_x, fov=179), lamp, vf.Sky()),
                (128, 64),
                denoise=denoise,
                **options,
            ).hdr
            for fov_x in (360.0, 359.0)
        ]
        here, around = across_the_border(seen[0])
        assert here < 1.5 * around
        here, around = across_the_border(seen[1])
        assert here > 5.0 * around
    camera = vf.Camera.panorama(EYE)
    assert (camera.wraps, vf.Camera.panorama(EYE, fov_x=359.0).wraps) == (True, False)
    scene, bloom = vf.Scene(TERRAIN, camera, lamp, vf.Sky()), vf.Bloom(0.4, 0.2)
    plain = renderer.render(scene, (75, 41), samples=1).hdr
    bloomed = renderer.render(scene, (75, 41), samples=1, bloom=bloom).hdr
    np.testing.assert_allclose(bloomed, bloom.apply(plain, wraps=True), rtol=1e-4, atol=1e-6)
    assert bloomed.mean() == pytest.approx(plain.mean(), rel=1e-4)


@pytest.mark.gpu
def test_a_denoised_panorama_has_no_seam(renderer: vf.Renderer) -> None:
    pytest.importorskip("pyoidn")
    scene = vf.Scene(TERRAIN, vf.Camera.panorama(EYE))
    image = renderer.render(scene, (128, 64), lane="path-traced", samples=1, denoise="oidn")
    here, around = across_the_border(image.hdr)
    assert here < 1.5 * around


@pytest.mark.gpu
def test_fog_of_a_panorama_has_no_seam_and_that_of_an_oblique_view_reaches_the_ground(renderer: vf.Renderer) -> None:
    """Uniform fog over level ground takes exp(-extinction times distance), whatever the camera."""
    glowing = vf.Terrain(np.zeros((9, 9)), 50.0, material=vf.Material(emission=1.0), albedo=0.0)
    extinction = 0.004
    fog = vf.Fog(0.0, absorption=extinction)
    for camera in (vf.Camera.panorama((0, 0, 80), bearing=180), vf.Camera.oblique(glowing), CAMERAS["equidistant"]):
        scene = vf.Scene(glowing, camera, sun=None, sky=None, fog=fog)
        image = renderer.render(scene, SIZE, samples=1, aovs=("depth",))
        hit = np.isfinite(image.aovs["depth"])
        expected = np.exp(-extinction * image.aovs["depth"][hit])
        np.testing.assert_allclose(image.hdr[..., 0][hit], expected, rtol=2e-3)


# The geometry of each, in words


def directions(camera: vf.Camera, size: tuple[int, int], pixels: Any) -> np.ndarray:
    return rays_at(camera.rays(*size), camera.projection, pixels_to_uv(np.array(pixels, float), size))[1]


def test_panorama_bearings_and_the_horizon() -> None:
    camera = vf.Camera.panorama((5, 6, 7))
    assert camera.natural_size == (2048, 1024)
    seen = directions(camera, (360, 180), [(180, 90), (270, 90), (90, 90), (0, 90), (180, 0), (180, 45)])
    expected = [(0, 1, 0), (1, 0, 0), (-1, 0, 0), (0, -1, 0), (0, 0, 1), (0, math.sqrt(0.5), math.sqrt(0.5))]
    np.testing.assert_allclose(seen, expected, atol=1e-12)
    level = camera.project(
        [(5 + 100 * math.sin(a), 6 + 100 * math.cos(a), 7) for a in np.linspace(0, 6.2, 40)], (360, 180)
    )
    np.testing.assert_allclose(level[:, 1], 90.0, atol=1e-9)


@pytest.mark.parametrize("mapping", ["equidistant", "equisolid"])
def test_fisheye_radius_says_the_angle(mapping: str) -> None:
    camera = vf.Camera.fisheye((0, 0, 0), (0, 1, 0), fov=200, mapping=mapping)
    for angle in (10, 55, 90, 100):
        point = (100 * math.sin(math.radians(angle)), 100 * math.cos(math.radians(angle)), 0)
        x, y, distance = camera.project(point, (300, 200))
        share = (
            angle / 100 if mapping == "equidistant" else math.sin(math.radians(angle / 2)) / math.sin(math.radians(50))
        )
        assert (x, y, distance) == pytest.approx((150 + 100 * share, 100, 100))
    assert np.isnan(camera.project((math.sin(1.8), math.cos(1.8), 0), (300, 200))).all()  # 103 degrees
    full = vf.Camera.fisheye((0, 0, 0), (0, 1, 0), fov=180, full_frame=True)
    assert directions(full, (300, 200), [(300, 0)])[0, 1] == pytest.approx(
        0.0, abs=1e-12
    )  # the corner is 90 degrees off


def test_oblique_keeps_the_plan_and_displaces_heights() -> None:
    """Distances on level ground are the map's in any direction; a height h rises by z_scale * h."""
    camera = vf.Camera.oblique(TERRAIN, azimuth=180, z_scale=0.5)
    size = camera.natural_size
    assert size is not None
    plan = np.array([(0.0, 0.0, -3.0), (40.0, 0.0, -3.0), (0.0, 40.0, -3.0), (0.0, 0.0, 17.0)])
    x, y, _ = camera.project(plan, size).T
    scale = size[0] / camera.span(*size)[0]
    np.testing.assert_allclose(np.hypot(x[1:3] - x[0], y[1:3] - y[0]), 40.0 * scale, rtol=1e-6)
    assert (x[3] - x[0], y[3] - y[0]) == pytest.approx((0.0, -0.5 * 20.0 * size[1] / camera.span(*size)[1]), abs=1e-6)
    sideways = vf.Camera.oblique(TERRAIN, azimuth=270, angle=45).project(plan, (100, 100))
    assert sideways[3, 0] - sideways[0, 0] == pytest.approx((sideways[1, 0] - sideways[0, 0]) / 2)  # to the east
    assert sideways[3, 1] == pytest.approx(sideways[0, 1])


@pytest.mark.parametrize(("azimuth", "north_up"), [(180, True), (200, True), (225, False), (30, False)])
def test_oblique_frames_the_block(azimuth: float, north_up: bool) -> None:
    block = vf.Terrain(HILLS, 5.0, skirt=-30.0)
    camera = vf.Camera.oblique(block, azimuth, z_scale=1.5, north_up=north_up)
    xmin, xmax, ymin, ymax = block.extent
    corners = [(x, y, z) for x in (xmin, xmax) for y in (ymin, ymax) for z in (-30.0, block.max_height)]
    size = camera.natural_size
    assert size is not None
    seen = camera.project(corners, size)[:, :2]
    assert (seen.min(axis=0) >= 0).all()
    np.testing.assert_allclose(seen.min(axis=0), np.array(size) - seen.max(axis=0), atol=1e-9)
    assert (seen.min(axis=0) < 0.5).all()  # less than a pixel is left free


def test_what_nothing_sees_is_nan() -> None:
    camera = vf.Camera.perspective((0, 0, 0), (0, 1, 0))
    assert np.isnan(camera.project([(0, -1, 0), (0, 0, 0), (1, 0, 0)], (10, 10))).all()
    assert np.isnan(CAMERAS["orthographic"].project((60, -240, 160), SIZE)).all()
    beside = camera.project((50, 1, 0), (10, 10))  # in front, and beside the frame
    assert beside[0] > 10
    assert camera.project(np.empty((0, 3)), (10, 10)).shape == (0, 3)


# Presets


def test_look_at_feature_sees_its_place() -> None:
    for where in ("summit", "lowest", (20.0, -30.0), (20.0, -30.0, 25.0)):
        camera = vf.Camera.look_at_feature(TERRAIN, where)
        way = np.linspace(0.02, 1, 200)[:, None]
        line = np.array(camera.target) + way * (np.array(camera.position) - np.array(camera.target))
        free = line[:, 2] - TERRAIN.height_at(line[:, 0], line[:, 1])
        assert not (free < 0).any()
    x, y, z = vf.Camera.look_at_feature(TERRAIN, "summit").target
    assert z == pytest.approx(TERRAIN.max_height * 1.3)
    assert TERRAIN.height_at(x, y) == pytest.approx(z)
    assert vf.Camera.look_at_feature(TERRAIN, (0, 0), distance=50, azimuth=90).position[0] > 5


def test_flyover_is_even_smooth_and_clear_of_the_ground() -> None:
    path = [(-80, -60), (0, -70), (20, 40), (80, 60)]
    cameras = vf.Camera.flyover(TERRAIN, path, frames=60, above_ground=15)
    places = np.array([camera.position for camera in cameras])
    assert len(cameras) == 60
    np.testing.assert_allclose(places[[0, -1], :2], [path[0], path[-1]], atol=1e-6)
    steps = np.hypot(*np.diff(places[:, :2], axis=0).T)
    assert np.ptp(steps) < 0.02 * steps.mean()
    for passed in path:
        assert np.hypot(*(places[:, :2] - passed).T).min() <= steps.max()
    assert (places[:, 2] - TERRAIN.height_at(places[:, 0], places[:, 1])).min() >= 15 - 1e-6
    assert np.abs(np.diff(places[:, 2], 2)).max() < 0.3 * steps.mean()
    ahead = np.array([camera.target for camera in cameras]) - places
    turn = (
        np.einsum("ij,ij->i", ahead[1:], ahead[:-1])
        / np.linalg.norm(ahead[1:], axis=1)
        / np.linalg.norm(ahead[:-1], axis=1)
    )
    assert turn.min() > math.cos(math.radians(20))
    assert len(vf.Camera.flyover(TERRAIN, frames=5)) == 5
