"""Cameras between cameras: where they stand, what they see, and what of them is held."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest

import vkforge as vf

RNG = np.random.default_rng(31)
TERRAIN = vf.Terrain(RNG.random((17, 23)) * 5.0)
CAMERA = vf.Camera.perspective((0.0, -60.0, 40.0), (0.0, 0.0, 2.0), fov=30)
SCENE = vf.Scene(TERRAIN, CAMERA)


def camera_between(a: vf.Camera, b: vf.Camera, share: float = 0.5, **options: Any) -> vf.Camera:
    made = vf.Animation(SCENE, {"camera": {0.0: a, 1.0: b}}, **options)
    assert made.scene(0.0).camera is a
    assert made.scene(1.0).camera is b
    return made.scene(share).camera


def test_an_orbit_is_a_circle_at_an_even_speed() -> None:
    film = vf.Animation.orbit(SCENE, 360, duration=4.0)
    cameras = [film.scene(t).camera for t in np.linspace(0.0, 4.0, 97)]
    arms = np.array([camera.position for camera in cameras]) - CAMERA.target
    assert np.linalg.norm(arms, axis=1) == pytest.approx(np.linalg.norm(arms[0]), rel=1e-12)
    assert arms[:, 2] == pytest.approx(arms[0, 2], rel=1e-12)
    bearings = np.unwrap(np.degrees(np.arctan2(arms[:, 0], arms[:, 1])), period=360.0)
    assert bearings - bearings[0] == pytest.approx(np.linspace(0.0, 360.0, 97), abs=1e-9)
    assert {camera.target for camera in cameras} == {CAMERA.target}
    assert vf.Animation.orbit(SCENE, -90, 1).scene(0.5).camera.position[0] > 0.0  # anticlockwise: from south to east


def test_an_orbit_goes_on_beyond_its_ends_so_that_a_loop_has_one_blur() -> None:
    film = vf.Animation.orbit(SCENE, 360, duration=4.0, fps=4.0, shutter=vf.Shutter(360))
    ways = []
    for frame in (0, 7, 15):
        moving = film.exposure(film.time(frame))
        assert isinstance(moving, vf.MovingScene)
        ways.append(np.subtract(moving.scene(1.0).camera.position, moving.scene(0.0).camera.position))
    assert np.linalg.norm(ways, axis=1) == pytest.approx(np.linalg.norm(ways[0]), rel=1e-9)


@pytest.mark.parametrize("centre", [-0.5, 0.0, 0.5])
def test_a_frame_is_on_one_side_of_a_cut(centre: float) -> None:
    shots = {0.0: CAMERA, 0.5: dataclasses.replace(CAMERA, position=(9.0, 9.0, 9.0))}
    shutter = vf.Shutter(360, centre=centre)
    film = vf.Animation(SCENE, {"camera": shots}, duration=1.0, fps=8.0, interpolation="step", shutter=shutter)
    for frame in range(film.frames):
        moving = film.exposure(film.time(frame))
        assert isinstance(moving, vf.MovingScene)
        seen = {moving.scene(share).camera.position for share in (0.0, 0.2, 0.5, 0.8, 1.0)}
        assert seen == {shots[0.5 if frame >= (5 if centre < 0 else 4) else 0.0].position}, frame


def test_a_level_flight_stays_level_and_its_keys_are_exact() -> None:
    keys = {
        0.0: vf.Camera.perspective((-40, -60, 30), (0, 0, 0)),
        2.0: vf.Camera.perspective((40, -50, 12), (0, 10, 5)),
        3.0: vf.Camera.perspective((50, 50, 40), (-20, 0, 0)),
        5.0: vf.Camera.perspective((0, 20, 60), (0, 19.99, 0)),
    }
    film = vf.Animation(SCENE, {"camera": keys})
    for time_, camera in keys.items():
        assert film.scene(time_).camera is camera
    for moment in np.linspace(0.0, 4.5, 200):
        right, up, _ = film.scene(moment).camera._axes
        assert abs(right[2]) < 1e-9
        assert up[2] > 0.0
    turns = [np.array(film.scene(t).camera._axes) for t in np.linspace(0.0, 5.0, 1001)]
    steps = [float(np.abs(b - a).max()) for a, b in itertools.pairwise(turns)]
    assert max(steps) < 0.03, "no axis jumps"
    near = [np.array(film.scene(t).camera._axes) for t in (2.0 - 1e-7, 2.0, 2.0 + 1e-7)]
    assert near[0] == pytest.approx(near[1], abs=1e-5)
    assert near[2] == pytest.approx(near[1], abs=1e-5)


def test_a_rolled_camera_keeps_its_roll() -> None:
    tilted = vf.Camera.perspective((0, -60, 40), (0, 0, 2), up=(0.5, 0, 1))
    other = vf.Camera.perspective((10, -60, 40), (10, 0, 2), up=(0.5, 0, 1))
    now = vf.Animation(SCENE, {"camera": {0: tilted, 2: other}}).scene(1.0).camera
    assert np.array(now._axes) == pytest.approx(np.array(tilted._axes), abs=1e-12)
    assert now.position == pytest.approx((5, -60, 40))


def test_cameras_of_two_kinds_are_cut() -> None:
    flat = vf.Camera.orthographic((0, -60, 40), (0, 0, 2), height=40)
    film = vf.Animation(SCENE, {"camera": {0: CAMERA, 2: flat, 4: dataclasses.replace(flat, height=80.0)}})
    assert film.scene(1.999).camera is CAMERA
    assert film.scene(2.0).camera is flat
    assert film.scene(3.0).camera.height == pytest.approx(60.0)
    assert film.cuts == (2.0,)


def test_angles_of_two_kinds_are_held() -> None:
    wide = vf.Camera.perspective((8, -60, 40), (8, 0, 2), fov_x=50)
    film = vf.Animation(SCENE, {"camera": {0: CAMERA, 2: wide}})
    now = film.scene(1.0).camera
    assert (now.fov, now.fov_x, now.position) == (30.0, None, pytest.approx((4, -60, 40)))
    assert film.cuts == (2.0,)


def test_a_rack_focus_from_the_target() -> None:
    """Without a distance the focus is on the target, and so it is between numbers."""
    near = dataclasses.replace(CAMERA, aperture_radius=1.0)
    far = dataclasses.replace(near, focus_distance=200.0)
    distance = math.dist(near.position, near.target)
    assert camera_between(near, far).focus_distance == pytest.approx((distance + 200.0) / 2.0)
    film = vf.Animation(vf.Scene(TERRAIN, near), {"camera.focus_distance": {0: None, 1: 200}})
    assert film.scene(0.5).camera.focus_distance == pytest.approx((distance + 200.0) / 2.0)
    # What None stands for is seen at its key, where another track has moved the camera.
    moves = {"camera.focus_distance": {0: None, 1: 200}, "camera.position": {0: (0, -30, 40), 1: (0, -60, 40)}}
    film = vf.Animation(vf.Scene(TERRAIN, near), moves)
    assert film.scene(0.0).camera.focus_distance == pytest.approx(math.dist((0, -30, 40), near.target))


def test_a_tilted_lens_is_focused_elsewhere() -> None:
    """Halfway it is the same lens, tilted as much, focused halfway: its plane turns about the same hinge."""
    lens: dict[str, Any] = {
        "position": CAMERA.position,
        "target": CAMERA.target,
        "scale": 30.0,
        "lens_tilt": (1.0, 4.0),
    }
    near, far = (vf.Camera.photographic(**lens, focus_distance=distance) for distance in (20.0, 90.0))
    now, wanted = camera_between(near, far), vf.Camera.photographic(**lens, focus_distance=55.0)
    assert now.focus_distance == pytest.approx(55.0)
    assert now.tilt == pytest.approx(wanted.tilt, abs=1e-9)
    assert near.tilt != pytest.approx(far.tilt, abs=1.0)


def test_a_lens_that_is_tilted_and_shifted() -> None:
    flat = dataclasses.replace(CAMERA, aperture_radius=1.0)
    leans = dataclasses.replace(flat, tilt=(0.0, 40.0), shift=(0.2, 0.4), position=(10.0, -60.0, 40.0))
    now = camera_between(flat, leans)
    assert now.shift == pytest.approx((0.1, 0.2))
    focus = [math.dist(camera.position, camera.target) for camera in (leans, now)]
    assert math.tan(math.radians(now.tilt[1])) == pytest.approx(
        math.tan(math.radians(40.0)) / focus[0] / 2.0 * focus[1]
    )


def test_a_panorama_that_looks_down_goes_on_looking_down() -> None:
    one, other = (
        vf.Camera.panorama((x, 0.0, 30.0), bearing, -20.0, fov_x=120.0, fov=60.0)
        for x, bearing in ((0.0, 10.0), (8.0, 50.0))
    )
    now = camera_between(one, other)
    assert now.position == pytest.approx((4.0, 0.0, 30.0))
    ahead = np.subtract(now.target, now.position)
    assert math.degrees(math.atan2(ahead[0], ahead[1])) == pytest.approx(30.0, abs=0.5)
    assert math.degrees(math.atan2(ahead[2], math.hypot(ahead[0], ahead[1]))) == pytest.approx(-20.0, abs=1.5)
    cameras = [camera_between(one, other, share) for share in np.linspace(0.0, 1.0, 101)]
    looks = [np.subtract(camera.target, camera.position) for camera in cameras]
    looks = [look / np.linalg.norm(look) for look in looks]
    assert max(math.dist(a, b) for a, b in itertools.pairwise(looks)) < 0.01, "no jump at the keys"


def test_an_oblique_view_keeps_its_plan() -> None:
    """Halfway heights are displaced halfway, and the plan turned halfway."""
    one = vf.Camera.oblique(TERRAIN, 180.0, z_scale=0.5)
    other = vf.Camera.oblique(TERRAIN, 90.0, z_scale=1.5, north_up=False)
    now = camera_between(one, other)
    assert now.kind == "oblique"
    right, up, forward = now.axes
    assert right[2] == up[2] == 0.0
    assert math.degrees(math.atan2(up[0], up[1])) == pytest.approx(-45.0)
    leans = [np.array(camera.axes[2][:2]) / -camera.axes[2][2] for camera in (one, now, other)]
    np.testing.assert_allclose(leans[1], (leans[0] + leans[2]) / 2.0, atol=1e-12)
    assert forward[2] < 0.0
    width, height = now.natural_size or (0, 0)
    assert abs((now.width or 0.0) / width - (now.height or 0.0) / height) < 0.6 / min(width, height)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: vf.Camera.perspective((x, -60, 40), (x, 0, 2), fov=30 + x),
        lambda x: vf.Camera.photographic((x, -60, 40), (x, 0, 2), f_number=2.8 + x, focal_length=35 + x),
        lambda x: vf.Camera.orthographic((x, -60, 40), (x, 0, 2), height=40 + x),
        lambda x: vf.Camera.oblique(TERRAIN, 180 + x, z_scale=1 + x / 9),
        lambda x: vf.Camera.map(dataclasses.replace(TERRAIN, cell_size=1 + x)),
        lambda x: vf.Camera.panorama((x, 0, 40), x, x),
        lambda x: vf.Camera.fisheye((x, 0, 40), (x, 9, 30), fov=90 + x, full_frame=True),
        lambda x: vf.Camera.orbit(TERRAIN, azimuth=180 + x, elevation=30 + x),
        lambda x: vf.Camera.look_at_feature(TERRAIN, azimuth=180 + x),
        lambda x: vf.Camera.perspective((x, -60, 40), (x, 0, 2)).moving(vf.Camera.perspective((x, -50, 40), (0, x, 2))),
    ],
)
def test_cameras_of_every_constructor(make: Any) -> None:
    """Each between two of its kind: near its keys near them, and every field in their range."""
    if make(0.0).kind == "panorama":
        make = lambda x: vf.Camera.panorama((x, 0, 40), x, x, fov_x=90 + x)  # noqa: E731
    one, other = make(0.0), make(4.0)
    near, middle = camera_between(one, other, 1e-9), camera_between(one, other)
    np.testing.assert_allclose(near.axes, one.axes, atol=1e-6)
    for field in (field for field in dataclasses.fields(vf.Camera) if field.init):
        a, b, now = (getattr(camera, field.name) for camera in (one, other, middle))
        if field.name == "shutter_end" and a is not None:
            a, b, now = a.position, b.position, now.position
        elif isinstance(a, (str, bool)) or a is None:
            assert now == a
            continue
        elif field.name != "up":
            assert getattr(near, field.name) == pytest.approx(a, abs=1e-6)
        low, high = np.minimum(a, b), np.maximum(a, b)
        if field.name not in ("target", "up", "position"):
            assert (np.greater_equal(now, low - 1e-9) & np.less_equal(now, high + 1e-9)).all(), field.name
    seen = [camera.project((0.0, 0.0, 3.0), (160, 90))[:2] for camera in (one, middle, other)]
    if not np.isnan(seen).any():
        low, high = np.minimum(seen[0], seen[2]) - 8.0, np.maximum(seen[0], seen[2]) + 8.0
        assert ((seen[1] >= low) & (seen[1] <= high)).all()
