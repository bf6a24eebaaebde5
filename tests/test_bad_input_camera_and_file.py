"""Bad and odd input to cameras, lenses, film, tone and files: typed one-line errors; the neutral changes nothing."""

# The arguments are wrong on purpose.
# pyright: reportArgumentType=false, reportCallIssue=false

from __future__ import annotations

import importlib.util
import math
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import vkforge as vf
from vkforge.cli import app
from vkforge.io.exr import ExrOptions
from vkforge.io.exr_header import header_attributes
from vkforge.post.display import finish

NAN, INF = math.nan, math.inf
ODD = [
    *(None, True, "x", "", b"a", [], [1], (1, 2), (1, 2, 3), 1j, {}, {1: 2}, [[1, 2], [3]], object(), vf),
    *(NAN, INF, -INF, 0, -1, -0.0, 1e-45, 1e308, 10**400, 2**63, np.float32(2), np.datetime64("2026-01-01")),
    *(np.array(1.5), np.array([]), np.zeros((2, 2)), np.zeros((3, 3, 3)), np.array(["a"]), np.array([1.0, 2.0, 3.0])),
]
SIZE = (64, 48)
GROUND = vf.Terrain(np.arange(9.0).reshape(3, 3), 10)
PLACED = vf.Terrain(GROUND.heights, 10, crs="EPSG:32633", transform=(10, 0, 499_985, 0, -10, 15))
EYE: dict[str, Any] = {"position": (0, 0, 50), "target": (0, 10, 0)}
CAMERAS = {
    "pinhole": vf.Camera.perspective(**EYE),
    "lens": vf.Camera.perspective(**EYE, aperture_radius=1.0),
    "orthographic": vf.Camera.orthographic(**EYE, height=10),
    "fish-eye": vf.Camera.fisheye(**EYE),
    "panorama": vf.Camera.panorama((0, 0, 50)),
    "map": vf.Camera.map(GROUND),
    "oblique": vf.Camera.oblique(GROUND),
}
LUT = vf.Lut(np.zeros((2, 2, 2, 3)))
FILM: dict[str, Any] = {"scene": vf.Scene(GROUND, CAMERAS["pinhole"]), "tracks": {"sun.azimuth": {0: 0, 2: 9}}}


def survives(call: Any, *arguments: Any, **options: Any) -> None:
    """Call it: it works, or refuses in vkforge's own words, on one line. Where warnings are errors, without one."""
    said = None
    try:
        call(*arguments, **options)
    except vf.VkforgeError as error:
        said = str(error)
    assert said is None or (said and "\n" not in said)


MAKERS: list[tuple[Any, dict[str, Any], tuple[str, ...]]] = [
    (vf.Shutter, {}, ("angle", "seconds", "centre", "ramp")),
    (vf.MovingScene, {"at": id, "open": 0, "close": 1}, ("at", "open", "close", "ramp")),
    (vf.Lens, {}, ("k1", "p2", "red", "vignette", "mask_radius", "mask_softness")),
    (vf.Bloom, {}, ("intensity", "radius", "threshold")),
    (vf.Grain, {}, ("amount", "size", "color", "highlights", "frame")),
    (vf.Miniature, {}, ("radius", "center", "width", "fade", "angle", "blades")),
    (vf.CameraExposure, {}, ("f_number", "shutter", "iso", "compensation", "luminance")),
    (vf.AutoExposure, {}, ("percentiles", "min_stops", "max_stops", "compensation", "key")),
    (vf.Grade, {}, ("temperature", "tint", "contrast", "lift", "gamma", "gain")),
    (vf.Tonemap, {"operator": "hable"}, ("operator", "white", "coefficients", "contrast")),
    (vf.Tonemap, {"operator": "reinhard"}, ("white",)),
    (vf.Lut, {"table": np.zeros((2, 2, 2, 3))}, ("table", "space", "domain_min", "domain_max")),
    (vf.Settings, {}, ("ao_rays", "ao_distance", "motion_blur", "exposure", "tonemap", "grade", "lut", "dither")),
    (vf.Settings, {}, ("primaries", "lens", "bloom", "grain", "miniature", "denoise")),
    (vf.Camera.perspective, EYE, ("aperture_radius", "focus_distance", "blades", "blade_rotation", "tilt", "shift")),
    (vf.Camera.photographic, EYE, ("focal_length", "sensor", "f_number", "focus_distance", "focus_on", "scale")),
    (vf.Camera.photographic, EYE, ("blades", "blade_rotation", "lens_tilt", "shift")),
    (vf.Camera.panorama, {"position": (0, 0, 5)}, ("position", "bearing", "elevation", "fov_x", "fov")),
    (vf.Camera.fisheye, EYE, ("up", "fov", "mapping", "full_frame")),
    (vf.Camera.oblique, {"terrain": GROUND}, ("terrain", "azimuth", "angle", "z_scale", "north_up")),
    (vf.Camera.map, {"terrain": GROUND}, ("terrain", "pixels")),
    (vf.Camera.orbit, {"terrain": GROUND}, ("terrain", "target", "aspect")),
    (
        vf.Camera.at,
        {"terrain": GROUND, "x": 0, "y": 0},
        ("terrain", "x", "y", "above_ground", "bearing", "pitch", "fov"),
    ),
    (vf.Camera.at, {"terrain": PLACED, "lon": 15.0, "lat": 0.0}, ("terrain", "lon", "lat", "x", "bearing")),
    (vf.Camera.look_at_feature, {"terrain": GROUND}, ("terrain", "where", "azimuth", "distance", "crs")),
    (
        vf.Camera.flyover,
        {"terrain": GROUND, "frames": 3},
        ("terrain", "path", "frames", "above_ground", "pitch", "crs"),
    ),
    (vf.Camera.from_matrix, {"matrix": np.eye(4)}, ("matrix", "convention", "to", "fov", "intrinsics", "size")),
    (vf.Camera.from_matrix, {"matrix": np.eye(4), "intrinsics": np.eye(3), "size": SIZE}, ("intrinsics", "size")),
    (vf.Camera.from_exif, {"path": "nowhere.jpg", "terrain": GROUND}, ("path", "terrain", "position", "bearing")),
    (partial(vf.Camera, "map", **EYE), {"height": 9, "width": 9, "natural_size": (4, 4)}, ("fov", "natural_size")),
    (partial(vf.Camera, "fish-eye", **EYE), {"fov": 90}, ("height", "full_frame", "shutter_end", "tilt")),
    (vf.ev100, {"f_number": 1, "shutter": 1}, ("f_number", "shutter", "iso")),
    (vf.Animation, FILM, ("scene", "tracks", "fps", "duration", "settings", "interpolation", "place", "shutter")),
    (vf.Animation.orbit, {"scene": FILM["scene"]}, ("scene", "degrees", "duration", "tracks", "fps", "settings")),
    (vf.Animation.flyover, {"scene": FILM["scene"]}, ("scene", "path", "duration", "above_ground", "pitch", "fov")),
    (vf.Animation.flyover, {"scene": FILM["scene"], "path": [(0, 0), (5, 5)]}, ("path", "crs", "tracks", "fps")),
    (vf.Scene.portrait, {"terrain": GROUND}, ("terrain", "size", "preset")),
    (vf.Scene.relief, {"terrain": GROUND}, ("terrain", "preset")),
    (vf.GeoReference, {"crs": None, "transform": (1, 0, 0, 0, 1, 0)}, ("transform",)),
    (ExrOptions, {}, ("half", "parts", "compression", "names")),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("make", "base", "names"), MAKERS, ids=lambda item: getattr(item, "__qualname__", None))
def test_whatever_is_made_of_odd_values(make: Any, base: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        for value in ODD:
            survives(make, **{**base, name: value})


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", CAMERAS)
def test_whatever_cameras_are_asked(kind: str) -> None:
    camera = CAMERAS[kind]
    for value in ODD:
        survives(camera.project, value, SIZE)
        survives(camera.project, (0, 10, 0), value)
        survives(camera.unproject, value, 1.0, SIZE)
        survives(camera.unproject, [[1, 2]], value, SIZE)
        survives(camera.unproject, [1, 2], 5, value)
        survives(camera.to_matrix, value)
        survives(camera.to_matrix, to=value)
        survives(camera.intrinsics, value)
        survives(camera.circle_of_confusion, value, SIZE)
        survives(camera.circle_of_confusion, 5.0, value)
        survives(camera.circle_of_confusion, [5.0], SIZE, value)
        survives(camera.moving, value)


PATHS = ("camera", "camera.position", "camera.fov", "sun", "sun.azimuth", "sun.irradiance", "terrain", "background")
PATHS += ("terrain.vertical_exaggeration", "terrain.material", "water", "water.level", "lights.0.position", "sky")
PATHS += ("settings.exposure", "settings.samples", "settings.tonemap", "settings.lens", "settings.time_limit")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", ["smooth", "linear", "step"])
def test_whatever_keys_hold(path: str, kind: str) -> None:
    scene = vf.Scene(GROUND, CAMERAS["pinhole"], water=vf.Water(1.0), lights=[vf.PointLight((0, 0, 20), 50.0)])
    settings = vf.Settings(lens=vf.Lens(), time_limit=1.0)
    now: Any = settings if path.startswith("settings.") else scene
    for name in path.removeprefix("settings.").split("."):
        now = now[int(name)] if name.isdecimal() else getattr(now, name)

    def made(keys: Any) -> None:
        film = vf.Animation(scene, {path: keys}, settings=settings, interpolation=kind, duration=2)
        for time in (-1, 0, 0.3, 1, 1.7, 9):
            film.scene(time)
            film.settings(time)

    for value in ODD:
        survives(made, value)
        survives(made, [(value, now), (1, now)])
        for keys in ([(0, value)], [(0, now), (1, value)], [(0, value), (1, now), (2, value)]):
            survives(made, keys)


@pytest.mark.filterwarnings("error")
def test_whatever_animations_and_moving_scenes_are_asked() -> None:
    still, blurred = vf.Animation(**FILM), vf.Animation(**FILM, shutter=vf.Shutter())
    moving = vf.MovingScene(lambda _: FILM["scene"], 0, 1, 0.2)
    for value in ODD:
        for film in (still, blurred):
            for call in (film.scene, film.settings, film.exposure, film.time):
                survives(call, value)
        survives(still.with_settings, samples=value)
        survives(moving.time, value)
        survives(moving.scene, value)
        survives(moving.check, value, FILM["scene"])
        survives(moving.check, FILM["scene"], value)
        survives(vf.MovingScene(lambda _, value=value: value, 0, 1).scene, 0.5)


@pytest.mark.filterwarnings("error")
def test_whatever_the_references_are_given() -> None:
    lens, camera = vf.Lens(k1=-0.1, red=0.001, vignette=1, mask_strength=1), CAMERAS["pinhole"]
    picture = np.ones((2, 2, 3))
    for value in ODD:
        for call in (lens.distort, lens.undistort, vf.Shutter().interval, vf.Shutter(seconds=0.01).interval):
            survives(call, value)
        for call in (lens.undistort_image, lens.aberrate, lens.apply):
            survives(call, value, camera)
            survives(call, picture, value)
        survives(lens.falloff, camera, value)
        survives(vf.Miniature().circles, value)
        survives(vf.Miniature().across, value)
        survives(lens.frame, value, SIZE)
        for call in (lens.distort_uv, lens.undistort_uv):
            survives(call, value, camera, SIZE)
            survives(call, np.zeros((1, 2)), value, SIZE)
            survives(call, np.zeros((1, 2)), camera, value)
        for call in (lens.axis, lens.taps):
            survives(call, value, SIZE)
            survives(call, lens.frame(camera, SIZE), value)
        survives(lens.mask_reach, value)
        survives(vf.Tonemap("agx").parameter, value)
        survives(vf.Tonemap("linear").parameter, value)
        for call in (vf.Bloom().apply, vf.Bloom().levels, vf.Grain().apply, vf.Grain().noise, vf.AutoExposure().stops):
            survives(call, value)
        survives(vf.Grain().apply, picture, value)
        for call in (LUT.apply, LUT.save, vf.Lut.open, vf.Settings.load, vf.Settings.preset, vf.Settings().save):
            if not isinstance(value, str):  # which is the name of a file
                survives(call, value)
        survives(vf.Grade(contrast=2).light, value)
        survives(vf.Grade().display, value)
        survives(vf.tonemap, value, "agx")
        survives(vf.tonemap, picture, value)
        survives(vf.tonemap, picture, "agx", value)
        survives(finish, value, vf.Settings(grain=vf.Grain()))
        survives(finish, picture, vf.Settings(), value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vf.Shutter().interval(0), "fps .* is 0; wanted a finite number greater than 0"),
        (lambda: vf.Camera.fisheye(**EYE, fov=361), "is 361; wanted a finite number greater than 0 and at most 360"),
        (lambda: vf.Camera.fisheye(**EYE, full_frame="no"), "full_frame is 'no'; wanted True or False"),
        (lambda: vf.Camera.oblique(GROUND, north_up="no"), "north_up is 'no'; wanted True or False"),
        (lambda: vf.Camera.map(np.eye(3)), r"terrain is an array .*; wanted a vkforge.Terrain"),
        (lambda: CAMERAS["lens"].project((0, 0, 0), (0, 9)), r"size is \(0, 9\); wanted \(width, height\) in whole"),
        (lambda: CAMERAS["lens"].rays(0, 9), "size is"),
        (lambda: CAMERAS["lens"].circle_of_confusion([1, 2], SIZE, [[0, 0]]), "1 pixels and 2 depths"),
        (lambda: vf.Camera.from_matrix(np.eye(4), intrinsics=np.eye(3)), "intrinsics wants size="),
        (lambda: vf.Lens().frame(None, SIZE), "camera is None; wanted a vkforge.Camera"),
        (lambda: vf.Grain().apply(np.ones((2, 2, 3)), seed=-1), "seed is -1; wanted a whole number"),
        (lambda: vf.AutoExposure().stops(np.ones((2, 2))), r"hdr has shape \(2, 2\); wanted an array of RGB triples"),
        (lambda: finish(np.ones((2, 3)), vf.Settings(), NAN), "stops is nan"),
        (lambda: vf.Lut.open(3), "the path is 3; wanted that of a file"),
        (lambda: vf.Settings().save(None), "the path is None; wanted that of a file"),
        (lambda: vf.Miniature().circles((0, 9)), r"size is \(0, 9\); wanted \(width, height\) in whole pixels"),
        (lambda: vf.Miniature().circles(9), r"size is 9; wanted \(width, height\)"),
        (lambda: CAMERAS["map"].span(10**400, 9), r"size is .*; wanted \(width, height\) in whole pixels"),
        (lambda: vf.Animation(**FILM).scene(NAN), r"time \(seconds\) is nan; wanted a finite number"),
        (lambda: vf.Animation(**FILM).settings("a"), "is 'a'; wanted a finite number"),
        (lambda: vf.Animation.orbit(FILM["scene"], tracks=3), "tracks is 3; wanted a Mapping"),
        (lambda: vf.Animation.orbit(FILM["scene"], tracks={"camera": {}}), "an orbit moves the camera"),
        (lambda: vf.MovingScene(id, 0, 1).time(1.5), "share of the light is 1.5; wanted a finite number from 0 to 1"),
        (lambda: vf.Scene.portrait(None), "terrain is None; wanted a vkforge.Terrain"),
    ],
)
def test_words(make: Any, message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        make()


@pytest.mark.gpu  # none is started, but what would start one is imported
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vf.Animation(**FILM).render(3), "the path is 3; wanted that of a file"),
        (lambda: vf.Animation(**FILM).render("a_%d.png", save=3), "the options of a picture are 3; wanted a dict"),
        (lambda: vf.Animation(**FILM).render("a.gif", aovs="depth"), "'a.gif' holds no AOVs"),
        (lambda: vf.render(FILM["scene"], device=[]), r"device is \[\]; wanted 'auto'"),
        (lambda: vf.render(FILM["scene"], device=np.eye(2)), r"device is an array of shape \(2, 2\)"),
    ],
)
def test_words_about_a_render(make: Any, message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        make()


def test_the_sky_unprojects_to_infinity() -> None:
    with np.errstate(all="raise"):
        point = CAMERAS["map"].unproject([1.0, 1.0], INF, SIZE)
    assert point[2] == -INF


# Tables


ENTRIES = "".join(f"{i % 2} {i // 2 % 2} {i // 4}\n" for i in range(8))


@pytest.mark.parametrize(
    "text",
    [
        "LUT_3D_SIZE 2\n" + ENTRIES,
        ("LUT_3D_SIZE 2\n" + ENTRIES).replace("\n", "\r\n"),
        '\ufeff# first\n\nTITLE "# none"\nDOMAIN_MAX 1 1 1\nLUT_3D_SIZE 2 # two\n' + ENTRIES.rstrip() + "# end",
        "LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0 1\n" + ENTRIES.replace(" ", "\t"),
    ],
)
def test_odd_tables_that_are_fine(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.cube").write_bytes(text.encode())
    colors = np.random.default_rng(1).random((50, 3))
    assert vf.Lut.open(tmp_path / "a.cube").apply(colors) == pytest.approx(colors)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LUT_3D_SIZE 2\nLUT_3D_SIZE 2\n" + ENTRIES, "line 2: LUT_3D_SIZE comes twice"),
        ("LUT_3D_SIZE 2\n" + ENTRIES + "DOMAIN_MAX 4 4 4\n", "line 10: DOMAIN_MAX after the colours"),
        ("LUT_3D_SIZE " + "9" * 5000, "wanted LUT_3D_SIZE and a whole number, 2 to 256"),
        ("LUT_3D_SIZE 2\nLUT_3D_INPUT_RANGE 0\n" + ENTRIES, "wanted LUT_3D_INPUT_RANGE and two numbers"),
        ("LUT_3D_SIZE 2\nDOMAIN_MIN 1 1 1\nDOMAIN_MAX 0 0 0\n" + ENTRIES, "domain reaches from"),
        ("LUT_3D_SIZE 2\n" + ENTRIES[:30], "truncated"),
        ("LUT_3D_SIZE 2\n" + ENTRIES.replace("1", "nan"), "wanted three finite numbers"),
        ("LUT_3D_SIEZ 2\n", "did you mean 'LUT_3D_SIZE'"),
        ("\x89PNG\r\n\x1a\n\0\0", "numbers before LUT_3D_SIZE"),
    ],
)
def test_tables_that_are_not(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.cube").write_bytes(text.encode())
    with pytest.raises(vf.InputError, match=message):
        vf.Lut.open(tmp_path / "a.cube")


def _damaged(content: bytes, times: int, low: int, high: int) -> list[bytes]:
    rng = np.random.default_rng(7)
    made = []
    for turn in range(times):
        copy = bytearray(content)
        for _ in range(rng.integers(1, 6)):
            copy[rng.integers(len(copy))] = rng.integers(low, high)
        made.append(bytes(copy[: rng.integers(1, len(copy))] if turn % 3 == 0 else copy))
    return made


@pytest.mark.filterwarnings("ignore")  # Pillow's, about tags
def test_damaged_files(tmp_path: Path) -> None:
    from PIL import Image

    settings = vf.Settings(
        grade=vf.Grade(lift=(0, 0.1, 0)), tonemap=vf.Tonemap("reinhard"), exposure=vf.AutoExposure(), lens=vf.Lens()
    )
    settings.save(tmp_path / "a.toml")
    for damaged in _damaged((tmp_path / "a.toml").read_bytes(), 200, 32, 127):
        (tmp_path / "a.toml").write_bytes(damaged)
        survives(vf.Settings.load, tmp_path / "a.toml")
    for damaged in _damaged(("LUT_3D_SIZE 2\n" + ENTRIES).encode(), 200, 0, 256):
        (tmp_path / "a.cube").write_bytes(damaged)
        survives(vf.Lut.open, tmp_path / "a.cube")
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0xA405] = 28
    tags.get_ifd(0x8825).update({1: "N", 2: (45.0, 9.0, 0.0), 3: "E", 4: (15.0, 0.0, 0.0), 6: 200.0, 17: 90.0})
    for suffix in ("jpg", "png", "tif"):
        path = tmp_path / f"photo.{suffix}"
        Image.new("RGB", (40, 30)).save(path, exif=tags)
        for damaged in _damaged(path.read_bytes()[:900], 150, 0, 256):
            path.write_bytes(damaged)
            survives(vf.Camera.from_exif, path, GROUND, position=(0, 0, 9))
    (tmp_path / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\x86\xa0\0\1\x86\xa0\x08\2\0\0\0" + b"\x6a\xb3\x2a\x16"
    )
    survives(vf.Camera.from_exif, tmp_path / "bomb.png", GROUND, position=(0, 0, 9))


# Settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[exposure]\ntype = ['AutoExposure']", "has type .*; wanted one of"),
        ("[exposure]\niso = 100.0", "has no type; wanted one of"),
        ("[tonemap]\nwhite = 3.0", "tonemap. has no operator, which it can't do without"),
        ("samples = " + "[" * 5000 + "]" * 5000, "is not TOML"),
        ("seed = " + "9" * 5000, "is not TOML"),
        ("[grade.contrast]\nx = 1", "grade.contrast is one value"),
        ("[[grade]]\ncontrast = 2.0", "wanted a vkforge.Grade"),
        ("samples = 2026-01-01", "samples is datetime.date"),
        ("exposure = nan", "is nan; wanted"),
    ],
)
def test_settings_files(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(vf.InputError, match=message) as caught:
        vf.Settings.load(tmp_path / "a.toml")
    assert "\n" not in str(caught.value)


def test_settings_of_notepad_and_tables_of_odd_names(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes("\ufeffsamples = 4\r\n".encode())
    assert vf.Settings.load(tmp_path / "a.toml").samples == 4
    name = tmp_path / 'we\x7f"i\\rd\n.cube'
    LUT.save(name)
    settings = vf.Settings(lut=vf.Lut.open(name))
    settings.save(tmp_path / "a.toml")
    assert vf.Settings.load(tmp_path / "a.toml") == settings


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text are Linux's")
def test_a_table_whose_name_is_no_text(tmp_path: Path) -> None:
    name = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.cube"))
    LUT.save(name)
    (tmp_path / "a.toml").write_text("samples = 4")
    with pytest.raises(vf.InputError, match="no Unicode text"):
        vf.Settings(lut=vf.Lut.open(name)).save(tmp_path / "a.toml")
    assert (tmp_path / "a.toml").read_text() == "samples = 4"


# Pictures in files


def picture(**changes: Any) -> vf.Image:
    hdr = np.ones((5, 7, 3), np.float32)
    hdr[0, :4] = np.array([NAN, INF, -INF, 1e30])[:, None]
    settings = {"settings": vf.Settings(), "stops": 0.0}
    parts: dict[str, Any] = {"rgba": np.zeros((5, 7, 4), np.uint8), "hdr": hdr, "finish": partial(finish, **settings)}
    return vf.Image(**{**parts, **changes})


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".exr", ".tif", ".npy", ".npz", ".bmp", ""])
def test_options_of_save(tmp_path: Path, suffix: str) -> None:
    image = picture(aovs={"depth": np.full((5, 7), INF, np.float32)})
    path = tmp_path / f"a{suffix}"
    for name in ("bits", "half", "parts", "compression", "names"):
        for value in (
            8,
            16,
            7,
            "16",
            True,
            "single",
            "multi",
            "dwaa",
            "ZIP",
            "blender",
            [],
            np.array([1, 2]),
            object(),
        ):
            survives(image.save, path, **{name: value})
    for aovs in ((), ("depth",), "depth", ("dpth",), 3, [None], ("normal",)):
        survives(image.save, path, aovs=aovs)
    for odd in (None, 3, b"a.png", tmp_path, "a\0.exr"):
        with pytest.raises(vf.VkforgeError):
            image.save(odd)
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".vkforge")]


def test_radiance_that_is_not_finite_makes_a_picture() -> None:
    shown = picture().display16()[0, :4, 0]
    assert shown.tolist() == [0, 65535, 0, 65535]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rgba": "abc"}, "rgba is 'abc'; wanted an array"),
        ({"hdr": None}, "hdr is None; wanted an array"),
        ({"aovs": {"depth": 3}}, "depth is 3; wanted an array"),
        ({"mattes": 3}, "mattes is 3; wanted a dict"),
    ],
)
def test_images(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        picture(**changes)


@pytest.mark.parametrize(
    "info",
    [
        {"camera": 3},
        {"sun": [1]},
        {"frame": "x"},
        {"frames_per_second": 0},
        {"frames_per_second": NAN},
        {"frames_per_second": "x"},
        {"camera": {"f_number": "x"}},
        {"camera": {"world_to_camera": "x"}},
        {"sun": {"direction": ("a", "b", "c")}},
        {"primaries": "p3"},
    ],
)
def test_headers(info: dict[str, Any]) -> None:
    with pytest.raises(vf.InputError, match="info"):
        header_attributes(info, "vkforge")


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX's")
def test_a_file_that_grows_too_large_leaves_the_one_before(tmp_path: Path) -> None:
    """In a process of its own, whose files end at a quarter, at a half and just before their ends."""
    program = f"""
import numpy as np, os, resource, signal, vkforge as vf
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
rng = np.random.default_rng(0)
image = vf.Image(rng.integers(0, 255, (120, 120, 4), np.uint8), rng.random((120, 120, 3), np.float32))
for suffix in (".png", ".jpg", ".exr", ".npy", ".npz"):
    path = os.path.join({str(tmp_path)!r}, "a" + suffix)
    image.save(path)
    before = open(path, "rb").read()
    for limit in (len(before) // 4, len(before) // 2, len(before) - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            image.save(path)
        except vf.OutputError as error:
            assert "size limit" in str(error), error
        else:
            raise SystemExit(f"{{suffix}} was cut at {{limit}} of {{len(before)}} bytes")
        assert open(path, "rb").read() == before, suffix
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert len(os.listdir({str(tmp_path)!r})) == 5
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# The command line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--preset nope", "no preset called 'nope'"),
        ("--settings nope.toml", "can't read the settings nope.toml"),
        ("--settings dem.npy", "is not TOML"),
        ("--camera fisheye", "did you mean 'fish-eye'"),
        ("--camera fish-eye --fov 361", "at most 360"),
        ("--camera panorama --position 0,0,9 --target 0,0,0", "panorama fov"),
        ("--camera oblique --elevation nan", "oblique angle"),
        ("--camera map --fov 40", "--fov means nothing"),
        ("--denoise median", "no denoiser called 'median'"),
        ("--exposure nan", "exposure .* is nan"),
        ("--half -o a.png", "--half and --float are for .exr"),
        ("--aov dpth", "unknown AOV 'dpth'"),
        ("--lane nope", "no lane called 'nope'"),
        ("-o a.bmp", "can't save as '.bmp'"),
    ],
)
def test_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("dem.npy", np.eye(4))
    done = CliRunner().invoke(app, ["render", "dem.npy", *words.split()])
    assert done.exit_code == 2
    said = " ".join(done.output.split())
    assert "unexpected" not in said
    assert re.search(message, said), said
    assert os.listdir() == ["dem.npy"]


@pytest.mark.gpu
def test_all_aovs_are_those_that_the_camera_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("dem.npy", np.eye(4))
    options = "--aov all --camera fish-eye --size 8x8 --samples 1 --sky-rays 1 -o a.npz"
    done = CliRunner().invoke(app, ["render", "dem.npy", *options.split()])
    assert done.exit_code == 0, done.output
    assert set(np.load("a.npz")) >= set(vf.AOVS) - {"motion"}


# On the device


def hills() -> vf.Terrain:
    x, y = np.meshgrid(np.linspace(-2, 2, 33), np.linspace(-2, 2, 33))
    return vf.Terrain(200 * np.exp(-(x * x + y * y)) + 20 * np.sin(3 * x) * np.cos(2 * y), 30, albedo="tan")


def identity(space: Any) -> vf.Lut:
    ramp = np.linspace(0, 1, 5)
    return vf.Lut(np.stack(np.meshgrid(ramp, ramp, ramp, indexing="ij")[::-1], axis=-1), space)


NEUTRAL: dict[str, dict[str, Any]] = {
    "lens": {"lens": vf.Lens()},
    "mask of no strength": {"lens": vf.Lens(mask_strength=0, mask_radius=0)},
    "no bloom": {"bloom": vf.Bloom(0.0)},
    "nothing blooms": {"bloom": vf.Bloom(1.0, threshold=1e30)},
    "grain": {"grain": vf.Grain(0.0)},
    "miniature": {"miniature": vf.Miniature(0.0)},
    "grade": {"grade": vf.Grade()},
    "table": {"lut": identity("display")},
    "table of the scene": {"lut": identity("scene")},
    "tonemap": {"tonemap": vf.Tonemap("neutral", start=0.8, desaturation=0.15)},
    "ao_rays": {"ao_rays": 8},
    "motion_blur": {"motion_blur": "vectors"},
}


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_what_is_neutral_changes_nothing(renderer: vf.Renderer, lane: str) -> None:
    scene = vf.Scene(hills(), camera=vf.Camera.perspective((600, -600, 500), (0, 0, 80)))
    seen = partial(renderer.render, size=(32, 24), lane=lane, samples=2)
    plain = seen(scene)
    for name, settings in NEUTRAL.items():
        if lane == "path-traced" and name == "motion_blur":
            continue
        image = seen(scene, **settings)
        assert np.array_equal(image.hdr, plain.hdr), name
        assert np.abs(image.rgba.astype(int) - plain.rgba).max() <= ("table" in name), name
    assert np.array_equal(seen(vf.MovingScene(lambda _: scene, 0, 1)).hdr, plain.hdr)


def everything(camera: vf.Camera) -> dict[str, Any]:
    """Every effect that a camera may have."""
    bends = {"k1": -0.05, "p1": 0.01, "vignette": 1} if camera.kind == "perspective" else {}
    return {
        "lens": vf.Lens(**bends, red=0.005, blue=-0.005, mask_strength=0.5),
        "bloom": vf.Bloom(0.2),
        "grain": vf.Grain(0.3),
        "miniature": vf.Miniature(0.02),
        "exposure": vf.AutoExposure(),
        "grade": vf.Grade(5000, 10, 1.2, 1.1, 0.02, 1.1, 0.98),
        "lut": vf.Lut(identity("display").table * np.float32([1, 0.9, 0.8])),
        "primaries": "rec2020",
        "dither": True,
        "tonemap": vf.Tonemap("agx", contrast=1.1),
    }


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 60), (9, 7)])
def test_everything_at_once(renderer: vf.Renderer, lane: str, size: tuple[int, int]) -> None:
    eye: Any = ((600, -600, 500), (0, 0, 80))
    lens = vf.Camera.perspective(*eye, aperture_radius=20, blades=6, tilt=(10, 20), shift=(0.1, 0.1))
    fish = vf.Camera.fisheye((0, 0, 300), (0, 100, 200), fov=360, mapping="equisolid", full_frame=True)
    for camera in (lens, fish):
        scene = vf.Scene(hills(), camera=camera, water=vf.Water(level=40.0))
        aovs = [name for name in vf.AOVS if camera is lens or name != "motion"]
        denoisers = (None, "atrous", "oidn") if importlib.util.find_spec("pyoidn") else (None, "atrous")
        for denoise in ("atrous",) if min(size) == 1 else denoisers:
            settings = {**everything(camera), "samples": 2, "ao_rays": 2, "denoise": denoise}
            image = renderer.render(scene, size, lane=lane, aovs=aovs, **settings)
            assert np.isfinite(image.hdr).all()
            assert not [name for name, values in image.aovs.items() if np.isnan(values).any()]
            assert image.finish is not None
            again = np.rint(255 * image.finish(image.hdr))
            assert np.abs(again - image.rgba[..., :3]).max() <= 8  # dither, grain and half floats apart


@pytest.mark.parametrize("stops", [-32.0, 32.0, vf.CameraExposure(0.1, 1e6, 1e7, 32, 1e12)])
def test_light_beyond_all_measure(renderer: vf.Renderer, stops: Any) -> None:
    scene = vf.Scene(hills(), sun=vf.Sun(irradiance=1e9))
    effects = {"lens": vf.Lens(mask_strength=1, mask_radius=0, mask_softness=0.01), "bloom": vf.Bloom(1, 1)}
    image = renderer.render(scene, (8, 6), samples=1, exposure=stops, tonemap="agx", grain=vf.Grain(1), **effects)
    assert np.isfinite(image.hdr).all()
    assert image.finish is not None
    assert np.isfinite(image.finish(image.hdr)).all()
