"""Cameras to and from matrices, OpenCV, photographs and the Earth."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf

SIZE = (640, 480)
CAMERA = vf.Camera.perspective((120, -340, 250), (10, 25, 40), (0.1, 0.05, 1), fov=38, shift=(0.08, -0.12))
POINTS = np.random.default_rng(8).uniform((-60, -40, 0), (60, 80, 90), (50, 3))
HEIGHTS = np.random.default_rng(9).uniform(300, 400, (30, 40))
UTM = (25.0, 0.0, 500_000.0, 0.0, -25.0, 4_100_000.0)
GROUND = vf.Terrain(HEIGHTS, 25.0, crs="EPSG:32616", transform=UTM, vertical_exaggeration=2.0)


@pytest.mark.parametrize("convention", ["opengl", "opencv", "blender"])
@pytest.mark.parametrize("to", ["world", "camera"])
def test_matrices_there_and_back(convention: str, to: str) -> None:
    matrix, k = CAMERA.to_matrix(convention, to=to), CAMERA.intrinsics(SIZE)
    for given in (matrix, matrix[:3]):
        camera = vf.Camera.from_matrix(given, convention, to=to, intrinsics=k, size=SIZE)
        np.testing.assert_allclose(camera.project(POINTS, SIZE), CAMERA.project(POINTS, SIZE), rtol=1e-9)
    np.testing.assert_allclose(
        matrix @ CAMERA.to_matrix(convention, to="camera" if to == "world" else "world"), np.eye(4), atol=1e-9
    )


def test_the_conventions_say_where_the_camera_looks() -> None:
    north = vf.Camera.perspective((1, 2, 3), (1, 9, 3))
    right, up, back, eye = north.to_matrix("opengl").T[:, :3]
    assert (right.tolist(), up.tolist(), back.tolist(), eye.tolist()) == ([1, 0, 0], [0, 0, 1], [0, -1, 0], [1, 2, 3])
    np.testing.assert_allclose(north.to_matrix("opencv")[:3, :3].T, [(1, 0, 0), (0, 0, -1), (0, 1, 0)])
    np.testing.assert_array_equal(north.to_matrix("blender"), north.to_matrix("opengl"))


def test_opencv_projects_the_same() -> None:
    cv2 = pytest.importorskip("cv2")
    matrix = CAMERA.to_matrix("opencv", to="camera")
    pose = (cv2.Rodrigues(matrix[:3, :3])[0], matrix[:3, 3])
    seen, _ = cv2.projectPoints(POINTS, *pose, CAMERA.intrinsics(SIZE), None)
    # OpenCV counts from the first pixel's centre.
    np.testing.assert_allclose(seen[:, 0] + 0.5, CAMERA.project(POINTS, SIZE)[:, :2], atol=1e-6)


def test_world_and_geographic() -> None:
    pytest.importorskip("pyproj")
    world = np.array([(0.0, 0.0, 100.0), (-480.0, 360.0, 700.0)])
    utm = GROUND.to_geographic(world, crs=None)
    np.testing.assert_allclose(utm, [(500_500, 4_099_625, 50), (500_020, 4_099_985, 350)])
    np.testing.assert_allclose(GROUND.to_world(utm, crs=None), world, atol=1e-6)
    lonlat = GROUND.to_geographic(world)
    assert -87.1 < lonlat[0, 0] < -86.9
    assert 37.0 < lonlat[0, 1] < 37.1
    np.testing.assert_allclose(GROUND.to_world(lonlat), world, atol=1e-4)
    on_ground = GROUND.to_world(lonlat[0, :2])
    assert on_ground[2] == pytest.approx(GROUND.height_at(0, 0))
    camera = vf.Camera.look_at_feature(GROUND, lonlat[0, :2], crs="EPSG:4326")
    np.testing.assert_allclose(camera.target, on_ground, atol=1e-3)
    path = GROUND.to_geographic([(-300, -200, 0), (300, 200, 0)])[:, :2]
    np.testing.assert_allclose(
        vf.Camera.flyover(GROUND, path, frames=9, crs="EPSG:4326")[0].position[:2], (-300, -200), atol=1e-3
    )


def photograph(path: Path, gps: dict[int, Any], **tags: Any) -> Path:
    from PIL import Image

    picture = Image.new("RGB", (400, 300))
    exif = picture.getexif()
    exif[0x0112] = tags.get("orientation", 1)
    shot = exif.get_ifd(0x8769)
    shot |= {0x920A: tags.get("focal", 4.25), **({0xA405: tags["film"]} if "film" in tags else {})}
    if "resolution" in tags:
        shot |= {0xA20E: tags["resolution"], 0xA210: 3}
    exif.get_ifd(0x8825).update(gps)
    picture.save(path, exif=exif)
    return path


def gps_at(world: Any, bearing: float) -> dict[int, Any]:
    lon, lat, up = GROUND.to_geographic(world)

    def parts(angle: float) -> tuple[float, float, float]:
        minutes = abs(angle) % 1 * 60
        return float(int(abs(angle))), float(int(minutes)), minutes % 1 * 60

    return {1: "N", 2: parts(lat), 3: "W", 4: parts(lon), 5: b"\x00", 6: up, 16: "T", 17: bearing}


def test_exif(tmp_path: Path) -> None:
    pytest.importorskip("pyproj")
    path = photograph(tmp_path / "a.jpg", gps_at((40.0, -60.0, 1200.0), 75.5), film=28)
    camera = vf.Camera.from_exif(path, GROUND, pitch=-10)
    np.testing.assert_allclose(camera.position, (40, -60, 1200), atol=0.5)
    x, y, z = np.array(camera.target) - camera.position
    assert math.degrees(math.atan2(x, y)) == pytest.approx(75.5, abs=1e-3)
    assert math.degrees(math.atan2(z, math.hypot(x, y))) == pytest.approx(-10)
    assert camera.natural_size == (400, 300)
    # 28 mm is by the diagonal of film: tan(fov_x / 2) = 43.27 / 2 / 28 * 400 / 500.
    assert math.tan(math.radians(camera.fov_x or 0.0) / 2) == pytest.approx(math.hypot(36, 24) / 56 * 0.8)
    upright = photograph(tmp_path / "b.jpg", gps_at((40.0, -60.0, 1200.0), 75.5), film=28, orientation=6)
    camera = vf.Camera.from_exif(upright, GROUND)
    assert camera.natural_size == (300, 400)
    assert math.tan(math.radians(camera.fov_x or 0.0) / 2) == pytest.approx(math.hypot(36, 24) / 56 * 0.6)
    sensor = photograph(tmp_path / "c.jpg", {}, focal=10.0, resolution=400 / 0.8)  # 8 mm wide
    camera = vf.Camera.from_exif(sensor, GROUND, position=(0, 0, 2000), bearing=0)
    assert math.tan(math.radians(camera.fov_x or 0.0) / 2) == pytest.approx(0.4)


def test_bad_input(tmp_path: Path) -> None:
    pose = np.eye(4)
    mirrored, moved = np.diag([1.0, 1.0, -1.0, 1.0]), np.eye(4)
    moved[3, 0] = 5.0
    bare = photograph(tmp_path / "bare.jpg", {})
    (tmp_path / "no.jpg").write_text("no picture")
    k = CAMERA.intrinsics(SIZE)
    squashed = k * ((1, 1, 1), (1, 1.2, 1), (1, 1, 1))
    plain = vf.Terrain(HEIGHTS)
    cases: list[tuple[Any, str]] = [
        (lambda: vf.Camera.from_matrix(pose, "opengll"), "did you mean 'opengl'"),
        (lambda: vf.Camera.from_matrix(pose, to="view"), "to is 'view'"),
        (lambda: vf.Camera.from_matrix(np.eye(3)), "wanted finite numbers of shape"),
        (lambda: vf.Camera.from_matrix(mirrored), "mirrors"),
        (lambda: vf.Camera.from_matrix(moved), "last row"),
        (lambda: vf.Camera.from_matrix(pose, intrinsics=k, size=SIZE, fov=30), "both given"),
        (lambda: vf.Camera.from_matrix(pose, intrinsics=k), "size="),
        (lambda: vf.Camera.from_matrix(pose, intrinsics=squashed, size=SIZE), "square pixels"),
        (lambda: vf.Camera.from_matrix(pose, size=SIZE), "size is given without"),
        (lambda: vf.Camera.from_matrix(pose, fov=30, fov_x=30), "both given"),
        (lambda: vf.Camera.panorama((0, 0, 0)).to_matrix(), "no rigid pose"),
        (lambda: vf.Camera.fisheye((0, 0, 0), (0, 1, 0)).intrinsics(SIZE), "no matrix K"),
        (lambda: vf.Camera.from_exif(tmp_path / "no.jpg", GROUND), "no picture that Pillow opens"),
        (lambda: vf.Camera.from_exif(bare, GROUND), "has not a GPS position"),
        (lambda: vf.Camera.from_exif(bare, GROUND, position=(0, 0, 900)), "does not say bearing"),
        (lambda: vf.Camera.from_exif(bare, GROUND, position=(0, 0, 900), bearing=3), "does not say fov_x"),
        (lambda: plain.to_world((1, 2)), "does not know where"),
        (lambda: vf.Terrain(HEIGHTS, transform=UTM).to_geographic((1, 2, 3)), "has no crs"),
        (lambda: GROUND.to_world((1, 2), crs="EPSG:nonsense"), "no way from CRS"),
        (lambda: GROUND.to_world((1, 2, 3, 4)), "wanted numbers of shape"),
    ]
    for make, message in cases:
        with pytest.raises(vf.InputError, match=message):
            make()


@pytest.mark.gpu
def test_the_georeference_of_a_map_is_that_of_its_frame(renderer: vf.Renderer) -> None:
    """Of any size and proportions: the ground at a pixel's centre is where the transform says."""
    oblong = vf.Terrain(HEIGHTS, (25.0, 40.0), crs="EPSG:32616", transform=(25.0, 0, 5e5, 0, -40.0, 4.1e6))
    for ground, pixels, size in (
        (GROUND, "square", None),
        (oblong, "square", None),
        (oblong, "samples", None),
        (oblong, "square", (70, 31)),
    ):
        camera = vf.Camera.map(ground, pixels=pixels)
        image = renderer.render(vf.Scene(ground, camera), size, samples=1)
        a, _, c, _, e, f = image.georeference.transform
        rows, cols = image.rgba.shape[:2]
        for px, py in ((cols / 2 + 0.5, rows / 2 + 0.5), (cols / 3, rows / 4)):
            world = camera.unproject((px, py), 10.0, (cols, rows))
            utm = ground.to_geographic(world, crs=None)
            assert (a * px + c, e * py + f) == pytest.approx(tuple(utm[:2]), abs=1e-6)
        if pixels == "square":
            assert a == pytest.approx(-e, rel=0.02)
        elif size is None:
            assert image.georeference.transform == pytest.approx(ground.transform)
