"""The lens on the camera: circles of confusion, the plane in focus, blades and shift, against what is traced."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

import vkforge as vf

SIZE = (64, 64)
DOWN: dict[str, Any] = {"position": (0, 0, 100), "target": (0, 0, 0), "up": (0, 1, 0)}


def test_circle_of_confusion_is_the_closed_form() -> None:
    camera = vf.Camera.perspective((0, 0, 100), (0, 0, 0), fov_x=20, aperture_radius=8.0, focus_distance=80.0)
    z = np.array([40.0, 80.0, 200.0])
    expected = 8.0 * abs(z - 80) / (z * 80) * 320 / math.tan(math.radians(10))
    np.testing.assert_allclose(camera.circle_of_confusion(z, (640, 360)), expected, rtol=1e-12)


def test_the_plane_in_focus_is_a_plane_and_follows_the_hinge_rule() -> None:
    """With the lens turned down the plane in focus goes through the line focal / sin(angle) below the eye."""
    angle, focal = 5.0, 0.05 * 40.0
    camera = vf.Camera.photographic((0, 0, 0), (0, 60, 0), focal_length=50, f_number=2, scale=40, lens_tilt=(0, angle))
    lens = camera.lens
    assert lens is not None
    assert lens.radius == pytest.approx(focal / 4)
    hinge = -focal / math.sin(math.radians(angle))
    assert lens.focus_distance + lens.slope[1] * hinge == pytest.approx(0.0, abs=1e-9)
    # On the plane nothing is blurred, wherever in the frame.
    pixels = np.array([(3.0, 5.0), (40.0, 20.0), (60.0, 30.0)])
    ends = camera.unproject(pixels, 1.0, SIZE)
    x, y = ends[:, 0] / ends[:, 1], ends[:, 2] / ends[:, 1]  # tangents: it looks north
    focus = 1.0 / lens.inverse_focus(x, y)
    np.testing.assert_allclose(camera.circle_of_confusion(focus, SIZE, pixels), 0.0, atol=1e-9)
    points = np.column_stack([x * focus, y * focus, focus])
    np.testing.assert_allclose(points[:, 2], lens.focus_distance + lens.slope[1] * points[:, 1], rtol=1e-9)


def test_focus_on_a_point_beside_the_axis() -> None:
    for tilt in ((0.0, 0.0), (2.0, -3.0)):
        place = (12.0, 90.0, -7.0)
        camera = vf.Camera.photographic((0, 0, 0), (0, 1, 0), focus_on=place, scale=100, lens_tilt=tilt, shift=(0.1, 0))
        x, y, _ = camera.project(place, SIZE)
        assert camera.circle_of_confusion([90.0], SIZE, [(x, y)]) == pytest.approx(0.0, abs=1e-9)


def test_a_photographic_camera_knows_its_numbers() -> None:
    """Whatever is changed of it since: they follow from the sensor, the angles and the aperture."""
    camera = vf.Camera.photographic((0, 0, 0), (0, 90, 0), focal_length=35, sensor=(22.5, 15), f_number=4, scale=50)
    assert (camera.focal_length, camera.f_number) == (pytest.approx(35.0), pytest.approx(4.0))
    opened = dataclasses.replace(camera, aperture_radius=2 * camera.aperture_radius)
    assert opened.f_number == pytest.approx(2.0)
    zoomed = dataclasses.replace(camera, fov=camera.fov_x, fov_x=None, sensor=(22.5, 22.5))
    assert zoomed.focal_length == pytest.approx(35.0)
    assert dataclasses.replace(camera, aperture_radius=0.0).f_number is None
    other = vf.Camera.perspective((0, 0, 0), (0, 1, 0), aperture_radius=1.0)
    assert (other.sensor, other.focal_length, other.f_number) == (None, None, None)
    for changes, message in (({"sensor": (36, 0)}, "Camera sensor"), ({"scale": 0}, "Camera scale")):
        with pytest.raises(vf.InputError, match=message):
            dataclasses.replace(camera, **changes)  # type: ignore[arg-type]


def test_photographic_angles_and_crops() -> None:
    camera = vf.Camera.photographic((0, 0, 0), (0, 1, 0), focal_length=35, sensor=(36, 24))
    for size, half_x in (((300, 200), 18 / 35), ((400, 200), 18 / 35), ((200, 200), 12 / 35), ((100, 200), 6 / 35)):
        assert np.hypot(*camera.rays(*size).direction_u[:2]) == pytest.approx(half_x)


def test_shift_moves_the_frame_and_not_the_eye() -> None:
    plain = vf.Camera.perspective((0, 0, 0), (0, 1, 0), fov=50)
    shifted = dataclasses.replace(plain, shift=(0.25, -0.5))
    point = (3.0, 20.0, 1.0)
    x, y, distance = plain.project(point, (400, 300))
    assert shifted.project(point, (400, 300)) == pytest.approx((x - 100.0, y - 150.0, distance))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vf.Camera.photographic((0, 0, 0), (0, 1, 0), f_number=0), "f_number is 0"),
        (lambda: vf.Camera.photographic((0, 0, 0), (0, 1, 0), focal_length=-5), "focal_length .* is -5"),
        (lambda: vf.Camera.photographic((0, 0, 0), (0, 1, 0), sensor=36), "sensor .* is 36; wanted two numbers"),
        (
            lambda: vf.Camera.photographic((0, 0, 0), (0, 1, 0), focus_on=(0, -5, 0)),
            "focus_on is 5 m behind the camera",
        ),
        (lambda: vf.Camera.photographic((0, 0, 0), (0, 1, 0), focus_on=(3, 0, 0)), "focus_on is 0 m behind"),
        (lambda: vf.Camera.photographic((0, 0, 0), (0, 1, 0), focus_on=(0, 5, 0), focus_distance=5), "both given"),
        (lambda: vf.Camera.photographic((0, 0, 0), (0, 1, 0), scale=100), "focal length, by scale, 5 m"),
        (lambda: vf.Camera.perspective((0, 0, 0), (0, 1, 0), focus_distance=-3), "focus_distance .* is -3"),
        (lambda: vf.Camera.perspective((0, 0, 0), (0, 1, 0), aperture_radius=-1), "aperture_radius .* is -1"),
        (lambda: vf.Camera.perspective((0, 0, 0), (0, 1, 0), blades=2), "blades is 2"),
        (lambda: vf.Camera.perspective((0, 0, 0), (0, 1, 0), tilt=(0, 90)), "tilt .* is 90"),
        (lambda: vf.Camera.perspective((0, 0, 0), (0, 1, 0), shift=0.5), "shift .* is 0.5; wanted two numbers"),
        (lambda: vf.Camera("fish-eye", (0, 0, 0), (0, 1, 0), fov=90, aperture_radius=1), "has no lens"),
        (lambda: vf.Camera("panorama", (0, 0, 0), (0, 1, 0), (1, 0, 1), fov=90, fov_x=90), "knows no up"),
        (lambda: vf.Camera.fisheye((0, 0, 0), (0, 1, 0), fov=361), "fish-eye fov .* is 361"),
        (lambda: vf.Camera.fisheye((0, 0, 0), (0, 1, 0), mapping="equisolit"), "did you mean 'equisolid'"),
        (lambda: vf.Camera.panorama((0, 0, 0), fov_x=400), "fov_x .* is 400"),
        (lambda: vf.Camera.panorama((0, 0, 0), elevation=30, fov=140), "reaches 100 degrees"),
        (lambda: vf.Camera.oblique(vf.Terrain(np.zeros((2, 2))), angle=30, z_scale=1), "one of angle"),
        (lambda: vf.Camera.oblique(vf.Terrain(np.zeros((2, 2))), angle=0), "angle .* is 0"),
        (lambda: vf.Camera.map(vf.Terrain(np.zeros((2, 2))), pixels="round"), "pixels is 'round'"),
        (lambda: vf.Camera.flyover(vf.Terrain(np.zeros((2, 2))), [(0, 0), (0, 0)]), "fewer than two different"),
        (lambda: vf.Camera.flyover(vf.Terrain(np.zeros((2, 2))), frames=1), "frames is 1"),
        (lambda: vf.Camera.look_at_feature(vf.Terrain(np.zeros((2, 2))), "peak"), "where is 'peak'"),
        (lambda: vf.Camera.look_at_feature(vf.Terrain(np.zeros((2, 2))), (9, 9)), "beside the terrain"),
        (lambda: vf.Camera.perspective((0, 0, 0), (0, 1, 0)).circle_of_confusion(5, (4, 4)), "has no lens"),
        (lambda: vf.Camera.perspective((0, 0, 0), (0, 1, 0)).project("abc", (4, 4)), "points is 'abc'"),
        (lambda: vf.Camera.perspective((0, 0, 0), (0, 1, 0)).unproject([(1, 2)], [1, 2], (4, 4)), "depth has shape"),
        (
            lambda: vf.Camera.panorama((0, 0, 0)).moving(vf.Camera.perspective((0, 0, 0), (0, 1, 0))),
            "wanted a Camera of kind 'panorama'",
        ),
    ],
)
def test_bad_input(make: Any, message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        make()


# What the path tracer makes of it


def spot(camera: vf.Camera, renderer: vf.Renderer, x: float = 0.0, samples: int = 1024) -> np.ndarray:
    """Render a small glowing square on black ground, 100 m below the eye; return it as (h, w) shares of its light."""
    image = np.zeros((101, 101, 3))
    image[50, 50 + round(x)] = 1.0
    material = vf.Material(emission=1.0, emission_map=image)
    ground = vf.Terrain(np.zeros((102, 102)), 1.0, albedo=0.0, material=material)
    scene = vf.Scene(ground, camera, sun=None, sky=None, background="black")
    seen = renderer.render(scene, SIZE, lane="path-traced", samples=samples).hdr[..., 0]
    return seen / seen.sum()


@pytest.mark.gpu
def test_blades_make_a_polygon_of_the_right_size_and_turn(renderer: vf.Renderer) -> None:
    """The blur of a point before the plane in focus has the aperture's shape turned by 180 degrees."""
    blur = {}
    y, x = (SIZE[1] / 2 - 0.5 - np.mgrid[0:64, 0:64][0], np.mgrid[0:64, 0:64][1] - SIZE[0] / 2 + 0.5)
    for blades, turn in ((0, 0.0), (3, 90.0), (4, 45.0)):
        lens = {"aperture_radius": 20.0, "focus_distance": 400.0, "blades": blades, "blade_rotation": turn}
        camera = vf.Camera.perspective(**DOWN, fov=40, **lens)
        blur[blades] = spot(camera, renderer)
        radius = float(camera.circle_of_confusion(100.0, SIZE))
        assert 8 < radius < 24
        # The mean square radius of a regular polygon with corners at 1 is (2 + cos(2 pi / n)) / 6; a disc's 1/2.
        share = 0.5 if blades == 0 else (2.0 + math.cos(2 * math.pi / blades)) / 6
        moment = (blur[blades] * (x**2 + y**2)).sum()
        assert math.sqrt(moment) == pytest.approx(radius * math.sqrt(share), abs=0.5)
    square, triangle = (blur[n] > 0.3 * blur[n][28:36, 28:36].mean() for n in (4, 3))
    assert np.ptp(x[square]) == pytest.approx(np.ptp(y[square]), abs=2)  # a corner at 45 degrees: upright sides
    assert abs(x[triangle & (y < 0.8 * y[triangle].min())]).max() < 4  # a corner at the bottom: that at the top
    assert np.ptp(x[triangle & (y > 0.6 * y[triangle].max())]) > 20


@pytest.mark.gpu
def test_circles_on_oblong_pixels_are_ellipses(renderer: vf.Renderer) -> None:
    """Which the path tracer draws, and the pass after the picture refuses, from 2 % on."""
    lens: dict[str, Any] = {"aperture_radius": 20.0, "focus_distance": 400.0}
    plain = vf.Camera.perspective(**DOWN, fov=40, **lens)
    camera = dataclasses.replace(plain, fov=None, fov_x=40.0, pixel_aspect=0.6)
    blur = spot(camera, renderer)
    y, x = np.mgrid[0:64, 0:64] - 31.5
    across, along = (math.sqrt((blur * axis**2).sum()) for axis in (x, y))
    assert along / across == pytest.approx(0.6, abs=0.03)  # of a thousand hits
    radius = float(camera.circle_of_confusion(100.0, SIZE))
    assert radius == pytest.approx(2.0 * math.sqrt(across * along), abs=0.3)  # of a disc half its radius
    assert radius == pytest.approx(float(plain.circle_of_confusion(100.0, SIZE)) * math.sqrt(0.6))
    scene = vf.Scene(vf.Terrain(np.zeros((9, 9)), 10.0), camera)
    with pytest.raises(vf.InputError, match=r"pixel_aspect=0\.6 they are ellipses; wanted at most 2%"):
        renderer.render(scene, SIZE, samples=1)
    renderer.render(dataclasses.replace(scene, camera=dataclasses.replace(camera, pixel_aspect=1.004)), SIZE, samples=1)


@pytest.mark.gpu
def test_a_tilted_plane_is_sharp_where_it_meets_the_ground(renderer: vf.Renderer) -> None:
    """Over level ground, with the plane in focus leaning to the right, only one column of the picture is sharp."""
    lens = {"aperture_radius": 10.0, "focus_distance": 80.0, "tilt": (60.0, 0.0)}
    camera = vf.Camera.perspective(**DOWN, fov=40, **lens)
    sharp = (100.0 - 80.0) / math.tan(math.radians(60.0))  # metres east, where 80 + x tan(60) is 100
    assert camera.circle_of_confusion([100.0], SIZE, [camera.project((sharp, 0, 0), SIZE)[:2]]) < 1e-9
    for at in (-20, round(sharp), 25):
        px = camera.project((at, 0, 0), SIZE)[0]
        expected = float(camera.circle_of_confusion([100.0], SIZE, [(px, 32.0)])[0])
        blur = spot(camera, renderer, at, 256)
        y = np.mgrid[0:64, 0:64][0] - 31.5
        found = math.sqrt((blur * y**2).sum())  # of a disc: half its radius; and of the square pixels, a little
        assert found == pytest.approx(math.sqrt(expected**2 / 4 + 0.25), abs=0.5)
