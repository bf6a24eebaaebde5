"""Keys to scenes: what stands between them, who is told what is wrong with them, and how cheap a moment is."""

from __future__ import annotations

import dataclasses
import math
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path as Folder
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.animation.curves import Curve, Path, Turning, axes, conjugate, product, rotation, turn, turned
from vkforge.animation.fingerprint import fingerprint
from vkforge.animation.progress import Progress, Stopwatch

RNG = np.random.default_rng(31)
TERRAIN = vf.Terrain(RNG.random((17, 23)) * 5.0)
CAMERA = vf.Camera.perspective((0.0, -60.0, 40.0), (0.0, 0.0, 2.0), fov=30)
SCENE = vf.Scene(
    TERRAIN,
    CAMERA,
    fog=vf.Fog(1e-3),
    water=vf.Water(1.0),
    lights=[vf.PointLight((0.0, 0.0, 20.0), 50.0), vf.PointLight((5.0, 0.0, 20.0), 50.0)],
)


def animation(**tracks: Any) -> vf.Animation:
    return vf.Animation(SCENE, {path.replace("__", "."): keys for path, keys in tracks.items()})


# Curves


def test_a_smooth_curve_passes_its_keys_and_never_overshoots() -> None:
    times = np.cumsum(RNG.random(40) + 0.05)
    values = RNG.normal(size=(40, 3))
    curve = Curve(times, values, "smooth")
    for key, value in zip(times, values, strict=True):
        assert curve(key) == pytest.approx(value, abs=1e-12)
    for i in range(39):
        low, high = np.minimum(values[i], values[i + 1]), np.maximum(values[i], values[i + 1])
        for moment in np.linspace(times[i], times[i + 1], 9):
            assert (curve(moment) >= low - 1e-12).all()
            assert (curve(moment) <= high + 1e-12).all()


def test_a_smooth_curve_has_a_continuous_speed() -> None:
    times = np.array([0.0, 1.0, 1.5, 4.0, 5.0])
    curve = Curve(times, np.array([[0.0], [2.0], [2.5], [9.0], [3.0]]), "smooth")
    step = 1e-6
    for key in times[1:-1]:
        before, after = (curve(key) - curve(key - step)) / step, (curve(key + step) - curve(key)) / step
        assert before == pytest.approx(after, abs=1e-4)


def test_a_smooth_curve_agrees_with_scipy() -> None:
    interpolate = pytest.importorskip("scipy.interpolate")
    times, values = np.cumsum(RNG.random(20) + 0.1), RNG.normal(size=(20, 2))
    wanted = interpolate.PchipInterpolator(times, values)
    curve = Curve(times, values, "smooth")
    for moment in np.linspace(times[0], times[-1], 200):
        assert curve(moment) == pytest.approx(wanted(moment), abs=1e-12)


def test_curves_stay_outside_their_keys() -> None:
    for kind in ("smooth", "linear", "step"):
        curve = Curve(np.array([1.0, 2.0]), np.array([[3.0], [5.0]]), kind)
        assert [curve(t)[0] for t in (-9.0, 1.0, 2.0, 99.0)] == [3.0, 3.0, 5.0, 5.0]
    assert curve(1.999)[0] == 3.0


def speeds(path: Any, end: float, count: int = 4000) -> np.ndarray:
    points = np.array([path(t) for t in np.linspace(0.0, end, count + 1)])
    return np.linalg.norm(np.diff(points, axis=0), axis=1) / (end / count)


def test_a_path_has_an_even_speed_by_arc_length() -> None:
    """Two keys and a wild way between: times say how fast, bends do not."""
    corners = np.array([[0, 0, 0], [10, 0, 0], [10, 1, 0], [0, 8, 3], [0, 8, 30], [5, 5, 5]], np.float64)
    lengths = [0.0]
    for _ in range(6):  # times that are evenly spaced along the way: found by looking how long it is
        path = Path(np.arange(6.0) if len(lengths) < 2 else np.array(lengths), corners, "smooth")
        lengths = [float(s) for s in path._gone.values[:, 0]]
    seen = speeds(path, lengths[-1])
    assert seen == pytest.approx(1.0, abs=5e-3)  # at the hairpin; 1e-5 elsewhere
    assert np.quantile(np.abs(seen - 1.0), 0.95) < 1e-4
    fine = np.array([path(t) for t in np.linspace(0.0, lengths[-1], 20_001)])
    assert path.length == pytest.approx(np.linalg.norm(np.diff(fine, axis=0), axis=1).sum(), rel=1e-6)
    for moment, corner in zip(lengths, corners, strict=True):
        assert path(moment) == pytest.approx(corner, abs=1e-9)


def test_a_path_is_a_centripetal_spline_and_its_speed_does_not_jump() -> None:
    points = RNG.normal(size=(6, 3)) * (50.0, 50.0, 5.0)
    path = Path(np.array([0.0, 1.0, 3.0, 3.5, 5.0, 7.0]), points, "smooth")
    seen = speeds(path, 7.0, 7000)
    assert np.abs(np.diff(seen)).max() < 0.02 * seen.max()


def test_a_path_may_pause_and_be_straight() -> None:
    path = Path(np.arange(4.0), np.array([[0, 0, 0], [4, 0, 0], [4, 0, 0], [8, 0, 0.0]]), "smooth")
    assert path(1.5) == pytest.approx([4, 0, 0])
    assert Path(np.arange(2.0), np.zeros((2, 3)), "smooth")(0.5) == pytest.approx([0, 0, 0])
    straight = Path(np.array([0.0, 1.0, 3.0]), np.array([[0, 0, 0], [2, 0, 0], [2, 2, 0.0]]), "linear")
    assert straight(2.0) == pytest.approx([2, 1, 0])


def random_rotation() -> np.ndarray:
    quaternion = RNG.normal(size=4)
    return quaternion / np.linalg.norm(quaternion)


def test_quaternions_are_rotations() -> None:
    for _ in range(50):
        a, b = random_rotation(), random_rotation()
        assert axes(a) @ axes(a).T == pytest.approx(np.eye(3), abs=1e-12)
        assert np.linalg.det(axes(a)) == pytest.approx(1.0)
        assert abs(rotation(axes(a)) @ a) == pytest.approx(1.0)
        # rows are images: those of b, turned by a
        assert axes(product(a, b)) == pytest.approx(axes(b) @ axes(a), abs=1e-12)
        assert abs(turned(turn(a)) @ a) == pytest.approx(1.0)
        assert product(a, conjugate(a)) == pytest.approx([1, 0, 0, 0], abs=1e-12)


def test_turning_passes_its_keys_without_jumps_in_spin() -> None:
    times = np.array([0.0, 1.0, 1.5, 4.0, 5.0])
    keys = np.array([random_rotation() for _ in times])
    turning = Turning(times, keys, "smooth")

    def spin(a: float, b: float) -> np.ndarray:
        return turn(product(conjugate(turning(a)), turning(b))) / (b - a)

    for moment, key in zip(times, keys, strict=True):
        assert abs(turning(moment) @ key) == pytest.approx(1.0, abs=1e-12)
    for key in times[1:-1]:
        assert spin(key - 1e-5, key) == pytest.approx(spin(key, key + 1e-5), abs=1e-3)


def test_turning_about_one_axis_is_even() -> None:
    keys = np.array([turned(np.array([0.0, 0.0, angle])) for angle in (0.0, 2.0, 4.0, 6.0)])
    for kind in ("smooth", "linear"):
        turning = Turning(np.arange(4.0), keys, kind)
        for moment in np.linspace(0.0, 3.0, 50):
            assert abs(turning(moment) @ turned(np.array([0.0, 0.0, 2.0 * moment]))) == pytest.approx(1.0, abs=1e-12)


# Tracks


def test_a_track_changes_what_it_names_and_nothing_else() -> None:
    film = animation(sun__azimuth={0: 90, 5: 270})
    now = film.scene(2.5)
    assert now.sun == vf.Sun(azimuth=180.0)
    for part in ("terrain", "camera", "sky", "fog", "lights", "water"):
        assert getattr(now, part) is getattr(SCENE, part)
    assert film.settings(2.5) == vf.Settings()
    assert animation(settings__exposure={0: 0, 5: 1}).scene(2.5) is SCENE


@pytest.mark.parametrize(
    ("path", "keys", "value"),
    [
        ("sun.azimuth", {0: 350, 2: 370}, 360.0),
        ("sun.azimuth", {0: 350, 2: 10}, 180.0),
        ("sun", {0: vf.Sun(350, 20), 2: vf.Sun(10, 30)}, vf.Sun(360, 25)),
        ("sun.irradiance", {0: 1.0, 2: (1.0, 2.0, 3.0)}, (1.0, 1.5, 2.0)),
        ("terrain.vertical_exaggeration", {0: 1, 2: 2}, 1.5),
        ("terrain.skirt_color", {0: "black", 2: "white"}, (0.5, 0.5, 0.5)),
        ("terrain.material.roughness", {0: 0.2, 2: 0.4}, pytest.approx(0.3)),
        ("background", {0: "#000", 2: (0.2, 0.4, 0.6)}, pytest.approx((0.1, 0.2, 0.3))),
        ("background", {0: 0.0, 2: (0.2, 0.4, 0.6)}, pytest.approx((0.1, 0.2, 0.3))),
        ("fog.scattering", {0: 1e-3, 2: 3e-3}, pytest.approx((2e-3,) * 3)),
        ("water.level", {0: 1, 2: 2}, 1.5),
        ("lights.1.intensity", {0: 10, 2: (10, 20, 30)}, (10.0, 15.0, 20.0)),
        ("lights.0.position", {0: (0, 0, 20), 2: (4, 0, 20)}, (2.0, 0.0, 20.0)),
        ("camera.fov", {0: 20, 2: 40}, 30.0),
        ("camera.position", {0: (0, -60, 40), 2: (10, -60, 40)}, (5.0, -60.0, 40.0)),
        ("settings.exposure", {0: -1, 2: 1}, 0.0),
        ("settings.samples", {0: 1, 2: 4}, 2),
        ("settings.time_limit", {0: 1, 2: 2}, 1.5),
    ],
)
def test_what_lies_between(path: str, keys: dict[float, Any], value: Any) -> None:
    part: Any = vf.Animation(SCENE, {path: keys}, interpolation="linear")
    part = part.settings(1.0) if path.startswith("settings.") else part.scene(1.0)
    for name in path.removeprefix("settings.").split("."):
        part = part[int(name)] if name.isdecimal() else getattr(part, name)
    assert part == value


def test_several_tracks_below_one_part_change_it_at_once() -> None:
    """The camera's eye passes where its target was, and both move."""
    film = animation(
        camera={0: CAMERA, 4: dataclasses.replace(CAMERA, fov=60)},
        camera__target={0: (0, 0, 2), 4: (0, -120, 2)},
        camera__position={0: (0, 60, 40), 4: (0, -60, 40)},
    )
    now = film.scene(2.0).camera
    assert (now.position, now.target, now.fov) == ((0.0, 0.0, 40.0), (0.0, -60.0, 2.0), 45.0)


def test_step_holds_a_value_until_the_next() -> None:
    film = vf.Animation(
        SCENE,
        {
            "settings.tonemap": {0: "agx", 2: "neutral"},
            "fog": [(0, None), (1, vf.Fog(1e-3))],
            "sun.azimuth": {0: 0, 2: 8},
        },
        interpolation={"settings.tonemap": "step", "fog": "step"},
    )
    assert [film.settings(t).tonemap for t in (-1, 0, 1.99, 2, 9)] == ["agx"] * 3 + ["neutral"] * 2
    assert film.scene(0.99).fog is None
    assert film.scene(1.0).fog is not None
    assert film.scene(1.0).sun.azimuth == 4.0


def test_dates_are_the_real_sun() -> None:
    pytest.importorskip("astral")
    dawn = datetime(2026, 6, 21, 4, 0, tzinfo=UTC)
    keys = {0: dawn, 8: dawn + timedelta(hours=16)}
    scene = dataclasses.replace(SCENE, sun=vf.Sun(irradiance=5.0, angular_diameter=2.0))
    film = vf.Animation(scene, {"sun": keys}, place=(47.4, 8.5))
    for seconds, hours in ((0, 0), (3, 6), (8, 16)):
        when = dawn + timedelta(hours=hours)
        assert film.scene(seconds).sun == vf.Sun.at(47.4, 8.5, when, irradiance=5.0, angular_diameter=2.0)
    with pytest.raises(vf.InputError, match=r"give place=\(latitude, longitude\)"):
        vf.Animation(scene, {"sun": keys})
    with pytest.raises(vf.InputError, match="time zone"):
        vf.Animation(scene, {"sun": {0: dawn.replace(tzinfo=None), 1: dawn}}, place=(47.4, 8.5))
    with pytest.raises(vf.InputError, match="they stand for the sun"):
        vf.Animation(scene, {"sun.azimuth": keys}, place=(47.4, 8.5))


# Time


def test_frames_and_times() -> None:
    film = vf.Animation(SCENE, {"sun.azimuth": {0: 0, 2.5: 9}}, fps=24)
    assert (film.duration, film.frames, film.time(24)) == (2.5, 60, 1.0)
    assert vf.Animation(SCENE, {}, duration=0.001).frames == 1
    assert "60 frames" in repr(film)


def test_scenes_are_pure_and_defined_at_any_time() -> None:
    film = animation(
        camera={0: CAMERA, 5: vf.Camera.perspective((60, 0, 40), (0, 0, 2), fov=50)}, sun__azimuth={1: 0, 4: 9}
    )
    assert film.scene(-3.0).camera is film.scene(0.0).camera
    assert film.scene(99.0).camera is film.scene(5.0).camera
    there = film.scene(3.21)
    film.scene(0.5)
    assert fingerprint(film.scene(3.21)) == fingerprint(there)
    assert film.scene(3.21 + 1e-9).camera.position != there.camera.position, "float64 to the last"


@pytest.mark.alone
def test_a_moment_is_cheap() -> None:
    film = vf.Animation.orbit(
        SCENE, tracks={"terrain.vertical_exaggeration": {0: 1, 8: 2}, "fog.scattering": {0: 1e-3, 8: 2e-3}}
    )
    best = math.inf
    for _ in range(20):
        began = time.perf_counter()
        film.scene(3.3)
        best = min(best, time.perf_counter() - began)
    assert best < 2e-3
    assert film.scene(3.3).terrain.heights is TERRAIN.heights


@pytest.mark.gpu
def test_nothing_is_uploaded_for_what_does_not_change(renderer: vf.Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    field = vf.Fog(1e-3, density=RNG.random((2, 3, 4)), bounds=(-5, 5, -5, 5, 0, 9))
    film = vf.Animation(
        vf.Scene(TERRAIN, CAMERA, sky=None, fog=field),
        {"terrain.vertical_exaggeration": {0: 1, 8: 2}, "fog.scattering": {0: 1e-3, 8: 2e-3}},
    )
    renderer.render(film.scene(0.0), (16, 9), samples=1)
    uploads: list[str] = []
    for module in ("terrain.heightfield", "volumetrics.medium"):
        monkeypatch.setattr(f"vkforge.passes.{module}.upload", lambda *_: uploads.append("upload"))
    renderer.render(film.scene(4.0), (16, 9), samples=1)
    assert uploads == []


# What is wrong is said at once


@pytest.mark.parametrize(
    ("tracks", "message"),
    [
        ({"sun.azimut": {0: 1, 2: 3}}, "scene.sun has no 'azimut'; did you mean 'azimuth'"),
        ({"camra": {0: CAMERA}}, "scene has no 'camra'; did you mean 'camera'"),
        ({"settings.exposre": {0: 1, 2: 3}}, "settings has no 'exposre'; did you mean 'exposure'"),
        ({"settings": {0: vf.Settings()}}, "can't be animated as a whole"),
        ({"clouds.coverage": {0: 0, 2: 1}}, "scene.clouds is None; give the scene one, with the values to start from$"),
        ({"sun.azimuth.degrees": {0: 0, 2: 1}}, "it is a float, which has no parts"),
        ({"lights.2.intensity": {0: 0, 2: 1}}, "scene.lights has 2 items"),
        ({"sun.azimuth": {2: 0, 1: 5}}, "out of order: 1 s comes after 2 s"),
        ({"sun.azimuth": [(0, 0), (1, 5), (1, 6)]}, "two keys at 1 s"),
        ({"sun.azimuth": {0: 0, math.nan: 5}}, "the time of a key"),
        ({"sun.azimuth": {}}, "has no keys"),
        ({3: {0: 1, 2: 3}}, "a track is called 3; wanted the path of what changes"),
        ({None: {0: 1}}, "a track is called None"),
        ({"sun.azimuth": {0: 0, 1e10: 5}}, "the time of a key .* is 1e10|10000000000"),
        ({"sun.azimuth": {0: 0, 1e-9: 5}}, "two keys at 1e-09 s"),
        ({"sun.azimuth": {0: 0, 2: math.inf}}, "a key of 'sun.azimuth' is inf"),
        ({"settings.samples": {0: 1, 2: math.nan}}, "a key of 'settings.samples' is nan"),
        ({"settings.exposure": {0: 1e308, 2: -1e308}}, "a key of 'settings.exposure' is 1e"),
        ({"lights.0.position": {0: [], 2: []}}, "at the key at 0 s: PointLight position"),
        ({"lights.0.position": {0: [[1, 2], [3]], 2: (0, 0, 1)}}, "at the key at 0 s: PointLight position"),
        ({"sun.azimuth": {0: 1, 2: "west"}}, "at the key at 2 s: Sun azimuth .* is 'west'"),
        ({"sun.azimuth": 5}, "wanted {seconds: value"),
        ({"sun.elevation": {0: 0, 2: 100}}, "at the key at 2 s: Sun elevation"),
        ({"settings.tonemap": {0: "agx", 2: "neutrl"}}, "at the key at 2 s: no tone mapping called 'neutrl'"),
        (
            {"lights": {0: SCENE.lights, 2: SCENE.lights[:1]}, "lights.1.intensity": {0: 1, 2: 3}},
            "'1' is animated",
        ),
        (
            {"camera.position": {0: (0, -60, 40), 2: (0, 0, -60)}},
            "at the key at 2 s: Camera position is inside the ground",
        ),
    ],
)
def test_bad_tracks(tracks: Any, message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        vf.Animation(SCENE, tracks)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fps": 0}, "fps .* is 0"),
        ({"fps": 1e6}, "fps"),
        ({"duration": -1}, "duration"),
        ({"interpolation": "smoth"}, "did you mean 'smooth'"),
        ({"interpolation": {"sun.azimut": "linear"}}, "no such track; did you mean 'sun.azimuth'"),
        ({"interpolation": {"sun.azimuth": 3}}, "no interpolation called 3"),
        ({"place": (100, 0)}, "latitude"),
        ({"place": 3}, "wanted .latitude, longitude"),
        ({"settings": 3}, "wanted a Settings"),
        ({"shutter": 180}, "wanted a vkforge.Shutter"),
    ],
)
def test_bad_options(options: Any, message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        vf.Animation(SCENE, {"sun.azimuth": {0: 0, 2: 9}}, **options)


def test_other_bad_arguments() -> None:
    with pytest.raises(vf.InputError, match="no end; give duration="):
        vf.Animation(SCENE, {"sun.azimuth": {0: 0}})
    with pytest.raises(vf.InputError, match="wanted a Scene"):
        vf.Animation(3, {})  # type: ignore[arg-type]
    with pytest.raises(vf.InputError, match="wanted a Scene"):
        vf.Animation.orbit(3)  # type: ignore[arg-type]
    with pytest.raises(vf.InputError, match="leave one of them out"):
        animation(settings__exposure={0: 0, 1: 1}).with_settings(exposure=2.0)
    with pytest.raises(vf.InputError, match="no setting called 'sample'"):
        animation(sun__azimuth={0: 0, 1: 1}).with_settings(sample=2)


@pytest.mark.gpu
def test_a_camera_that_dives_into_the_ground_is_told_with_its_frame() -> None:
    film = vf.Animation(
        SCENE,
        {
            "camera.position": {0: (-5, 0, 6), 1: (0, 0, -20), 2: (5, 0, 6)},
            "terrain.skirt": {0: -1.0, 1: -1.0, 2: -1.0},
        },
    )
    with pytest.raises(vf.InputError, match=r"frame \d+, at 0\.\d+ s: Camera position is inside the ground"):
        film.check()


# Progress


def test_progress_counts_earlier_frames_but_not_their_time() -> None:
    stopwatch = Stopwatch(done=90, total=100)
    began = time.perf_counter() + 20.0  # the device starts and shaders are compiled
    for frame in range(9):
        said = stopwatch.tick(began + 0.5 * frame)
        if frame < 3:
            assert (said.frames_per_second, said.seconds_left) == (0.0, None)
            assert str(said) == f"frame {91 + frame} of 100"
        else:
            assert said.frames_per_second == pytest.approx(2.0)
            assert said.seconds_left == pytest.approx((9 - frame) / 2.0)
    assert (said.done, said.total) == (99, 100)
    assert said.seconds > 20.0
    assert Stopwatch(done=1, total=2).tick(began).seconds_left == 0.0
    assert str(Progress(3, 9, 1.5, 2.0, 4000.0)) == "frame 3 of 9, 1.5 frames a second, 1:06:40 left"
    assert str(Progress(3, 9, 1.5, 2.0, 61.0)).endswith("1:01 left")


def test_fingerprints_tell_what_makes_frames() -> None:
    seen = {fingerprint(SCENE), fingerprint(dataclasses.replace(SCENE, sun=vf.Sun(10)))}
    other = vf.Terrain(TERRAIN.heights + 1)
    seen |= {fingerprint(dataclasses.replace(SCENE, terrain=other)), fingerprint([1, 2]), fingerprint([12])}
    assert len(seen) == 5
    again = vf.Scene(vf.Terrain(TERRAIN.heights.copy()), CAMERA)
    assert fingerprint(again) == fingerprint(vf.Scene(TERRAIN, CAMERA))
    with pytest.raises(TypeError, match="has no fingerprint"):
        fingerprint(object())


@pytest.mark.parametrize(
    ("options", "message"), [({"duration": 1e9}, "too many frames"), ({"degrees": 1e9}, "degrees")]
)
def test_more_than_anybody_can_want(options: dict[str, Any], message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        vf.Animation.orbit(SCENE, **options)


def test_a_table_has_a_fingerprint() -> None:
    tables = [np.random.default_rng(seed).random((3, 3, 3, 3)) for seed in (1, 1, 2)]
    prints = [fingerprint(vf.Settings(lut=vf.Lut(table))) for table in tables]
    assert prints[0] == prints[1] != prints[2]


# The shutter


def test_a_frame_shows_the_scene_while_its_shutter_is_open() -> None:
    film = vf.Animation(SCENE, {"sun.azimuth": {0: 0, 10: 100}}, fps=25, shutter=vf.Shutter(90, centre=0.5, ramp=0.2))
    shown = film.exposure(4.0)
    assert isinstance(shown, vf.MovingScene)
    assert (shown.open, shown.close, shown.ramp) == pytest.approx((4.0, 4.01, 0.2))
    assert shown.scene(0.0).sun == film.scene(4.0).sun
    assert film.with_settings(samples=2).shutter == film.shutter
    assert vf.Animation.orbit(SCENE, shutter=vf.Shutter()).shutter == vf.Shutter()
    assert isinstance(vf.Animation(SCENE, {}, duration=1.0).exposure(0.0), vf.Scene)


@pytest.mark.parametrize(
    ("shutter", "message"), [(180, "Animation shutter is 180"), (vf.Shutter(seconds=0.1), "an angle of 900 degrees")]
)
def test_bad_shutters(shutter: Any, message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        vf.Animation(SCENE, {}, duration=1.0, fps=25, shutter=shutter)


@pytest.mark.gpu
def test_frames_are_those_of_their_exposures(renderer: vf.Renderer, tmp_path: Folder) -> None:
    """Numbered pictures of an orbit, against each exposure by itself; and they are not those of its moments."""
    film = vf.Animation.orbit(SCENE, 90.0, 0.3, fps=10, shutter=vf.Shutter(360), settings=vf.Settings(samples=4))
    film.render(tmp_path / "frame_%d.npy", (16, 12), renderer=renderer, progress=lambda _: None)
    for frame in range(3):
        found = np.load(tmp_path / f"frame_{frame}.npy")
        alone = renderer.render(film.exposure(film.time(frame)), (16, 12), samples=4)
        np.testing.assert_array_equal(found, alone.hdr)
        assert (renderer.render(film.scene(film.time(frame)), (16, 12), samples=4).hdr != found).any()


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("tracks", "options", "message"),
    [
        ({"settings.max_depth": {0: 8, 0.5: 4}}, {}, "the lit lane has no use for max_depth"),
        (
            {"settings.sky_rays": {0: 8, 0.5: 4}},
            {"lane": "path-traced"},
            "the path-traced lane has no use for sky_rays",
        ),
        ({"settings.motion_blur": {0: "samples", 0.5: "vectors"}}, {"lane": "path-traced"}, "no use for motion_blur"),
        ({"camera.fov": {0: 20.0, 0.5: 120.0}}, {"settings": vf.Settings(lens=vf.Lens(k1=-0.2))}, "folds"),
        ({"clouds": {0: None, 0.5: vf.Clouds()}}, {"lane": "path-traced"}, "knows no clouds"),
    ],
)
def test_what_a_lane_can_not_honour_is_told_before_the_first_frame(
    tmp_path: Folder, tracks: Any, options: Any, message: str
) -> None:
    terrain = vf.Terrain(np.zeros((8, 8)), 30.0)
    camera = vf.Camera.perspective((0, -1800, 700), (0, 0, 0), fov=20)
    scene, settings = vf.Scene(terrain, camera), options.pop("settings", vf.Settings(samples=1))
    film = vf.Animation(scene, tracks, fps=4, duration=1.0, settings=settings)
    with pytest.raises(vf.InputError, match=rf"^frame \d, at .* s: .*{message}"):
        film.render(tmp_path / "f_%03d.png", (32, 18), **options)
    assert not list(tmp_path.iterdir())
