"""Cameras to and from matrices, OpenCV, photographs and the Earth."""

from __future__ import annotations

import dataclasses
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


def test_opengl_projects_the_same() -> None:
    """GluPerspective and gluLookAt, written down as in their manual pages."""
    eye, aim, fov, aspect = np.array([30.0, -80.0, 45.0]), np.array([1.0, 2.0, 3.0]), 38.0, SIZE[0] / SIZE[1]
    camera = vf.Camera.perspective(eye, aim, fov=fov)
    forward = (aim - eye) / np.linalg.norm(aim - eye)
    side = np.cross(forward, (0, 0, 1))
    side /= np.linalg.norm(side)
    look = np.eye(4)
    look[:3, :3] = side, np.cross(side, forward), -forward
    look[:3, 3] = -look[:3, :3] @ eye
    np.testing.assert_allclose(camera.to_matrix("opengl", to="camera"), look, atol=1e-12)
    f, near, far = 1 / math.tan(math.radians(fov) / 2), 1.0, 1000.0
    lens = np.zeros((4, 4))
    lens[0, 0], lens[1, 1], lens[3, 2] = f / aspect, f, -1.0
    lens[2, 2:] = (far + near) / (near - far), 2 * far * near / (near - far)
    clip = np.c_[POINTS, np.ones(len(POINTS))] @ (lens @ look).T
    x, y = (clip[:, :2] / clip[:, 3:]).T
    seen = np.stack([(1 + x) / 2 * SIZE[0], (1 - y) / 2 * SIZE[1]], axis=1)
    np.testing.assert_allclose(camera.project(POINTS, SIZE)[:, :2], seen, atol=1e-9)


CALIBRATED = np.array([[1502.7, 0.0, 655.2], [0.0, 1508.3, 349.1], [0.0, 0.0, 1.0]])  # pixels 0.4 % wider than tall


def test_a_calibrated_k_with_two_focal_lengths() -> None:
    cv2 = pytest.importorskip("cv2")
    matrix, size = CAMERA.to_matrix("opencv", to="camera"), (1280, 720)
    camera = vf.Camera.from_matrix(matrix, "opencv", to="camera", intrinsics=CALIBRATED, size=size)
    assert camera.natural_size == size
    assert camera.pixel_aspect == pytest.approx(1508.3 / 1502.7)
    np.testing.assert_allclose(camera.intrinsics(size), CALIBRATED, atol=1e-9)
    np.testing.assert_allclose(camera.intrinsics((640, 360))[[0, 1], [0, 1]], (1502.7 / 2, 1508.3 / 2))
    lens = vf.Lens(k1=-0.12, k2=0.03, p1=1e-3, p2=-5e-4)
    pose = (cv2.Rodrigues(matrix[:3, :3])[0], matrix[:3, 3])
    seen, _ = cv2.projectPoints(POINTS, *pose, CALIBRATED, np.array([-0.12, 0.03, 1e-3, -5e-4]))
    np.testing.assert_allclose(seen[:, 0] + 0.5, camera.project(POINTS, size, lens=lens)[:, :2], atol=1e-6)
    both = vf.Camera.photographic((0, 0, 0), (0, 1, 0), focal_length=35, sensor=(36, 24))
    for aspect, size, fx in (
        (1.0, (300, 200), 300.0 / 36 * 35),  # the whole sensor
        (1.25, (300, 240), 300.0 / 36 * 35),  # its whole width
        (1.25, (300, 260), 260.0 / 24 * 35 / 1.25),  # its whole height
    ):
        k = dataclasses.replace(both, pixel_aspect=aspect).intrinsics(size)
        np.testing.assert_allclose((k[0, 0], k[1, 1]), (fx, fx * aspect))


@pytest.mark.gpu
def test_oblong_pixels_are_rendered(renderer: vf.Renderer) -> None:
    size, k = (96, 54), CALIBRATED * [[0.075], [0.075], [1.0]]
    pose = vf.Camera.perspective((300, -2000, 2500), (0, 0, 700)).to_matrix()
    for fy in (k[1, 1], 0.6 * k[0, 0]):
        k[1, 1] = fy
        camera = vf.Camera.from_matrix(pose, intrinsics=k, size=size)
        image = renderer.render(vf.Scene(GROUND, camera), samples=1, aovs=("position", "hit"))
        row, column = np.nonzero(image.aovs["hit"] > 0)
        assert image.rgba.shape[:2] == size[::-1]
        assert len(row) > 200
        seen = camera.project(image.aovs["position"][row, column].astype(np.float64), size)
        assert np.abs(seen[:, :2] - np.stack([column, row], axis=1) - 0.5).max() < 0.01
        world_to_ndc = np.array(image.info["camera"]["world_to_ndc"])
        ndc = world_to_ndc @ [10.0, 20.0, 700.0, 1.0]
        np.testing.assert_allclose(ndc[:2] / ndc[3] * size, camera.project((10, 20, 700), size)[:2], rtol=1e-9)
        assert image.info["camera"]["pixel_aspect"] == camera.pixel_aspect


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


@pytest.mark.parametrize(
    ("crs", "transform", "cell", "place"),
    [
        ("EPSG:32719", (25.0, 0.0, 400_000.0, 0.0, -25.0, 6_400_000.0), 25.0, (-70.0596, -32.5363)),  # Aconcagua, south
        ("EPSG:2193", (25.0, 0.0, 1_570_000.0, 0.0, -25.0, 5_180_000.0), 25.0, (172.6349, -43.5357)),  # axes y, x
        ("EPSG:4326", (1 / 3600, 0.0, 8.0, 0.0, -1 / 3600, 46.5), (21.3246, 30.8781), (8.0056, 46.4958)),
    ],
)
def test_any_crs(crs: str, transform: Any, cell: Any, place: tuple[float, float]) -> None:
    """Against pyproj by hand; pyproj itself is within micrometres of its own way back."""
    pyproj = pytest.importorskip("pyproj")
    ground = vf.Terrain(HEIGHTS, cell, crs=crs, transform=transform)
    world = np.array([(0.0, 0.0, 350.0), (-300.0, 200.0, 400.0)])
    dx, dy = ground.cell_size
    column, row = world[:, 0] / dx + 20.0, 15.0 - world[:, 1] / dy
    own = transform[2] + transform[0] * column, transform[5] + transform[4] * row
    for other in ("EPSG:4326", "EPSG:3857"):
        expected = pyproj.Transformer.from_crs(crs, other, always_xy=True).transform(*own)
        found = ground.to_geographic(world, other)
        np.testing.assert_allclose(found[:, :2], np.stack(expected, axis=1), rtol=1e-12)
        np.testing.assert_allclose(ground.to_world(found, other), world, atol=1e-5)
    np.testing.assert_allclose(ground.to_geographic(world)[0, :2], place, atol=1e-4)


def test_a_longitude_may_be_one_turned_all_around() -> None:
    ground = vf.Terrain(HEIGHTS, 30.0, crs="EPSG:4326", transform=(1 / 3600, 0.0, 179.995, 0.0, -1 / 3600, 0.1))
    world = np.array([(500.0, -100.0, 350.0), (-500.0, 100.0, 350.0)])
    there = ground.to_geographic(world)
    # The date line crosses it, and places east of it have longitudes of their own.
    np.testing.assert_allclose(there[:, 0], (-179.994815, 179.996481), atol=3e-3)
    assert there[0, 0] < -179.99 and there[1, 0] > 179.99
    for turn in (-360.0, 0.0, 360.0):
        np.testing.assert_allclose(ground.to_world(there + np.array([turn, 0.0, 0.0])), world, atol=1e-6)


def photograph(path: Path, gps: dict[int, Any], **tags: Any) -> Path:
    from PIL import Image

    picture = Image.new("RGB", (400, 300))
    exif = picture.getexif()
    exif[0x0112] = tags.get("orientation", 1)
    shot = exif.get_ifd(0x8769)
    shot |= {0x920A: tags.get("focal", 4.25), **({0xA405: tags["film"]} if "film" in tags else {})}
    shot |= dict(zip((0xA002, 0xA003), tags.get("made", ()), strict=False))
    if "resolution" in tags:
        shot |= {0xA20E: tags["resolution"], 0xA210: 3}
    exif.get_ifd(0x8825).update(gps)
    picture.save(path, exif=exif)
    return path


def gps_at(world: Any, bearing: float, ground: vf.Terrain = GROUND) -> dict[int, Any]:
    lon, lat, up = ground.to_geographic(world)

    def parts(angle: float) -> tuple[float, float, float]:
        minutes = abs(angle) % 1 * 60
        return float(int(abs(angle))), float(int(minutes)), minutes % 1 * 60

    sides = "NS"[int(lat < 0)], "EW"[int(lon < 0)]
    return {1: sides[0], 2: parts(lat), 3: sides[1], 4: parts(lon), 5: b"\x00", 6: up, 16: "T", 17: bearing}


def test_exif(tmp_path: Path) -> None:
    pytest.importorskip("pyproj")
    path = photograph(tmp_path / "a.jpg", gps_at((40.0, -60.0, 1200.0), 75.5), film=28)
    camera = vf.Camera.from_exif(path, GROUND, pitch=-10)
    np.testing.assert_allclose(camera.position, (40, -60, 1200), atol=0.5)
    x, y, z = np.array(camera.target) - camera.position
    assert math.degrees(math.atan2(x, y)) == pytest.approx(75.5, abs=5e-3)  # grid north is 0.004 degrees off
    assert math.degrees(math.atan2(z, math.hypot(x, y))) == pytest.approx(-10)
    assert camera.natural_size == (400, 300)
    # 28 mm is by the diagonal of film: tan(fov_x / 2) = 43.27 / 2 / 28 * 400 / 500.
    assert math.tan(math.radians(camera.fov_x or 0.0) / 2) == pytest.approx(math.hypot(36, 24) / 56 * 0.8)
    upright = photograph(tmp_path / "b.jpg", gps_at((40.0, -60.0, 1200.0), 75.5), film=28, orientation=6)
    camera = vf.Camera.from_exif(upright, GROUND)
    assert camera.natural_size == (300, 400)
    assert math.tan(math.radians(camera.fov_x or 0.0) / 2) == pytest.approx(math.hypot(36, 24) / 56 * 0.6)
    sensor = photograph(tmp_path / "c.jpg", {}, focal=10.0, resolution=400 / 0.8)  # 8 mm wide
    resized = photograph(tmp_path / "d.jpg", {}, focal=10.0, resolution=4000 / 0.8, made=(4000, 3000))
    for path in (sensor, resized):
        camera = vf.Camera.from_exif(path, GROUND, position=(0, 0, 2000), bearing=0)
        assert math.tan(math.radians(camera.fov_x or 0.0) / 2) == pytest.approx(0.4)


def test_a_photographs_bearing_is_from_true_north(tmp_path: Path) -> None:
    """In the south, and at the edge of a zone, where the grid is turned by more than a degree and a half."""
    pytest.importorskip("pyproj")
    transform = (25.0, 0.0, 225_000.0, 0.0, -25.0, 6_400_000.0)
    ground = vf.Terrain(HEIGHTS, 25.0, crs="EPSG:32719", transform=transform)
    eye = (40.0, -60.0, 1200.0)
    path = photograph(tmp_path / "a.jpg", gps_at(eye, 30.0, ground), film=28)
    camera = vf.Camera.from_exif(path, ground)
    np.testing.assert_allclose(camera.position, eye, atol=0.5)
    x, y, _ = np.array(camera.target) - camera.position
    lon, lat, _ = ground.to_geographic(eye)
    convergence = math.degrees(math.atan(math.tan(math.radians(lon + 69)) * math.sin(math.radians(lat))))
    assert convergence == pytest.approx(1.58, abs=0.05)
    assert math.degrees(math.atan2(x, y)) == pytest.approx(30.0 - convergence, abs=5e-3)
    said = vf.Camera.from_exif(path, ground, bearing=30.0)  # what is given is from the world's north
    x, y, _ = np.array(said.target) - said.position
    assert math.degrees(math.atan2(x, y)) == pytest.approx(30.0)


def test_a_photograph_may_be_taken_from_outside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("pyproj")
    for metres, warned in ((1200.0, False), (30_000.0, True)):
        eye = (metres, -60.0, 1200.0)
        path = photograph(tmp_path / "a.jpg", gps_at(eye, 270.0), film=28)
        np.testing.assert_allclose(vf.Camera.from_exif(path, GROUND).position, eye, atol=0.5)
        assert ("29.5 km outside of the terrain" in caplog.text) == warned


def test_bad_input(tmp_path: Path) -> None:
    pose = np.eye(4)
    mirrored, moved = np.diag([1.0, 1.0, -1.0, 1.0]), np.eye(4)
    moved[3, 0] = 5.0
    bare = photograph(tmp_path / "bare.jpg", {})
    (tmp_path / "no.jpg").write_text("no picture")
    k = CAMERA.intrinsics(SIZE)
    squashed = k * ((1, 1, 1), (1, 5.0, 1), (1, 1, 1))
    skewed = k + np.diag([0.1, 0.0], 1)
    at_eye = gps_at((40.0, -60.0, 1200.0), 75.5)
    magnetic = photograph(tmp_path / "magnetic.jpg", at_eye | {16: "M"}, film=28)
    sideless = photograph(tmp_path / "sideless.jpg", {tag: value for tag, value in at_eye.items() if tag != 3})
    cropped = photograph(tmp_path / "cropped.jpg", at_eye, film=28, made=(4000, 2250))
    plain = vf.Terrain(HEIGHTS)
    beyond = photograph(tmp_path / "beyond.jpg", at_eye | {2: (200.0, 0.0, 0.0)}, film=28)
    minutes = photograph(tmp_path / "minutes.jpg", at_eye | {2: (36.0, 900.0, 0.0)}, film=28)
    seconds = photograph(tmp_path / "seconds.jpg", at_eye | {4: (36.0, 0.0, 61.0)}, film=28)
    sydney = photograph(tmp_path / "sydney.jpg", at_eye | {1: "S", 2: (33.0, 51.0, 0.0), 3: "E", 4: (151.0, 12.0, 0.0)})
    other_side = photograph(tmp_path / "other.jpg", at_eye | {2: (0.0, 0.0, 0.0), 3: "E", 4: (3.0, 0.0, 0.0)})
    cases: list[tuple[Any, str]] = [
        (lambda: vf.Camera.from_matrix(pose, "opengll"), "did you mean 'opengl'"),
        (lambda: vf.Camera.from_matrix(pose, to="view"), "to is 'view'"),
        (lambda: vf.Camera.from_matrix(np.eye(3)), "wanted finite numbers of shape"),
        (lambda: vf.Camera.from_matrix(mirrored), "mirrors"),
        (lambda: vf.Camera.from_matrix(moved), "last row"),
        (lambda: vf.Camera.from_matrix(pose, intrinsics=k, size=SIZE, fov=30), "both given"),
        (lambda: vf.Camera.from_matrix(pose, intrinsics=k), "size="),
        (lambda: vf.Camera.from_matrix(pose, intrinsics=squashed, size=SIZE), "pixel_aspect"),
        (lambda: vf.Camera.from_matrix(pose, intrinsics=skewed, size=SIZE), "has the skew 0.1"),
        (lambda: vf.Camera.from_matrix(pose, intrinsics=k.T, size=SIZE), "transpose it"),
        (lambda: dataclasses.replace(vf.Camera.map(GROUND), pixel_aspect=1.1), "knows no pixel_aspect"),
        (lambda: vf.Camera.from_exif(magnetic, GROUND), "75.5 degrees from magnetic north"),
        (lambda: vf.Camera.from_exif(sideless, GROUND), "has not a GPS position"),
        (
            lambda: vf.Camera.from_exif(beyond, GROUND),
            "beyond.jpg: its EXIF has a latitude of 200 degrees; wanted 0 to 90",
        ),
        (lambda: vf.Camera.from_exif(minutes, GROUND), "36 degrees and 900 minutes; wanted minutes from 0 to 60; give"),
        (lambda: vf.Camera.from_exif(seconds, GROUND), "longitude of 36 degrees and 61 seconds"),
        (
            lambda: vf.Camera.from_exif(sydney, GROUND),
            "sydney.jpg: .* -33.85, longitude 151.2, .* outside of the terrain",
        ),
        (
            lambda: vf.Camera.from_exif(other_side, GROUND),
            "other.jpg: .* open the DEM of that place, or give position=",
        ),
        (lambda: vf.Camera.from_exif(cropped, GROUND), "400 x 300 pixels and was taken with 4000 x 2250"),
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
