"""Presets: a light and a look of one name, and settings as TOML."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import vkforge as vf
from vkforge.post.presets import LOOKS
from vkforge.scene.presets import LIGHTS, TINTS
from vkforge.settings import PRESETS

SIZE = (64, 36)
LUT = vf.Lut(np.random.default_rng(1).random((2, 2, 2, 3)))


def ground(**options: object) -> vf.Terrain:
    y, x = np.mgrid[0:48, 0:64] / 8.0
    return vf.Terrain(300.0 + 120.0 * np.sin(x) * np.cos(y), 30.0, **options)  # type: ignore[arg-type]


@cache
def picture(name: str) -> vf.Image:
    """What the one line gives, once."""
    return vf.render(ground(), SIZE, preset=name, samples=2)


def luminance(image: vf.Image) -> np.ndarray:
    return image.rgba[..., :3] @ np.array([0.2126, 0.7152, 0.0722])


def test_each_preset_has_both_halves() -> None:
    assert set(PRESETS) == LOOKS.keys() == LIGHTS.keys()
    assert set(PRESETS) >= TINTS.keys()


@pytest.mark.gpu
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_makes_a_picture_in_one_line(name: str) -> None:
    image, others = picture(name), [picture(other) for other in PRESETS if other != name]
    assert all(image.rgba.tobytes() != other.rgba.tobytes() for other in others)
    values = luminance(image)
    assert 40.0 < values.mean() < 235.0, "neither night nor fog"
    assert np.percentile(values, 99) - np.percentile(values, 1) > 40.0, "and something to see"


@pytest.mark.gpu
def test_the_one_line_is_its_two_halves() -> None:
    name = "swiss"
    whole = picture(name)
    halves = vf.render(
        vf.Scene.portrait(ground(), SIZE, preset=name), SIZE, settings=vf.Settings.preset(name), samples=2
    )
    assert np.array_equal(whole.rgba, halves.rgba)
    scene = vf.render(vf.Scene.portrait(ground(cmap="vkforge.swiss"), SIZE), SIZE, preset=name, samples=2)
    assert np.array_equal(whole.rgba, scene.rgba)


@pytest.mark.gpu
def test_what_each_light_is() -> None:
    day, gold, blue = (vf.Scene.portrait(ground(), preset=name) for name in ("daylight", "golden-hour", "blue-hour"))
    assert day.sun.elevation > 30.0 > gold.sun.elevation > 0.0 > blue.sun.elevation
    assert all(isinstance(scene.sky, vf.Sky) for scene in (day, gold, blue))
    assert vf.Scene.portrait(ground(), preset="overcast").sun is None
    assert vf.Scene.portrait(ground(), preset="swiss").sun.azimuth == 315.0
    reds, blues = (
        [float(picture(name).rgba[..., channel].mean()) for name in ("golden-hour", "daylight", "blue-hour")]
        for channel in (0, 2)
    )
    assert reds[0] - blues[0] > reds[1] - blues[1] > reds[2] - blues[2], "warm, and cold"


@pytest.mark.gpu
def test_the_haze_lies_in_the_lowlands() -> None:
    terrain = ground(albedo=0.5)
    scene = vf.Scene.relief(terrain, preset="swiss")
    hazy = vf.render(scene, samples=1)
    clear = vf.render(dataclasses.replace(scene, fog=None), samples=1)
    gained = np.abs(hazy.hdr - clear.hdr).sum(axis=-1)
    low, high = np.percentile(terrain.heights, (10, 90))
    assert gained[terrain.heights < low].mean() > 3.0 * gained[terrain.heights > high].mean()


def test_a_light_leaves_the_rest_of_a_scene_alone() -> None:
    lamp = vf.PointLight((0.0, 0.0, 900.0), 5.0)
    scene = vf.Scene(ground(), lights=[lamp], water=vf.Water(250.0))
    lit = scene.lit_as("golden_hour")
    assert (lit.terrain, lit.camera, lit.water, lit.lights) == (scene.terrain, scene.camera, scene.water, (lamp,))
    assert lit.background is None, "a sky that was seen still is"
    assert vf.Scene(ground(), background="white").lit_as("studio-relief").background == (1.0, 1.0, 1.0)


@pytest.mark.gpu
def test_names() -> None:
    assert (
        vf.Settings.preset("studio_relief")
        == vf.Settings.preset("studio-relief")
        == vf.Settings.preset("studio relief")
    )
    for call in (vf.Settings.preset, vf.Scene(ground()).lit_as, lambda name: vf.Scene.portrait(ground(), preset=name)):
        with pytest.raises(vf.InputError, match="no preset called 'golden'; did you mean 'golden-hour'"):
            call("golden")
    with pytest.raises(vf.InputError, match="no preset called None"):
        vf.Settings.preset(None)  # type: ignore[arg-type]
    with pytest.raises(vf.InputError, match="a preset and settings"):
        vf.render(ground(), preset="swiss", settings=vf.Settings())


# TOML


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_printed_saved_and_loaded(name: str, tmp_path: Path) -> None:
    settings = vf.Settings.preset(name)
    assert isinstance(settings, vf.Settings)
    assert "samples=16" in repr(settings)
    assert vf.Settings.load(settings.save(tmp_path / "look.toml")) == settings


def test_every_group_comes_back(tmp_path: Path) -> None:
    LUT.save(tmp_path / "looks.cube")
    settings = vf.Settings(
        samples=3,
        time_limit=1.5,
        exposure=vf.AutoExposure((10, 80), compensation=-0.5),
        tonemap=vf.Tonemap("hable", white=4.0, coefficients=(0.2, 0.4, 0.1, 0.2, 0.02, 0.3)),
        grade=vf.Grade(temperature=5000.0, lift=(0.0, 0.01, 0.02)),
        lut=vf.Lut.open(tmp_path / "looks.cube", "scene"),
        dither=True,
        primaries="rec2020",
    )
    path = settings.save(tmp_path / "look.toml")
    assert vf.Settings.load(path) == settings
    assert "lift = [0.0, 0.01, 0.02]" in path.read_text()
    camera = settings.replace(exposure=vf.CameraExposure(8.0), tonemap=vf.Tonemap("reinhard", white=float("inf")))
    assert vf.Settings.load(camera.save(path)) == camera
    (tmp_path / "elsewhere").mkdir()
    moved = settings.save(tmp_path / "elsewhere" / "look.toml")
    assert 'path = "../looks.cube"' in moved.read_text()
    assert vf.Settings.load(moved) == settings


def test_edited_by_hand(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('# mine\ntonemap = "aces"\n\n[grade]\ncontrast = 1.2\nlift = 0.1\n')
    assert vf.Settings.load(tmp_path / "a.toml") == vf.Settings(tonemap="aces", grade=vf.Grade(contrast=1.2, lift=0.1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sampels = 3", "no setting called 'sampels'; did you mean 'samples'"),
        ("[grade]\ntemprature = 3", "no setting called 'grade.temprature'; did you mean 'temperature'"),
        ("[grade]\ntemperature = 3", "temperature .kelvin. is 3"),
        ("samples = 0", "samples is 0"),
        ("[samples]\na = 1", "samples. is a table"),
        ("[exposure]\nkey = 0.2", "no type; wanted one of 'CameraExposure', 'AutoExposure'"),
        ("[tonemap]\nwhite = 2", "tonemap.*operator"),
        ('[lut]\npath = "none.cube"', "none.cube: No such file"),
        ('[lut]\nfile = "none.cube"', "no setting called 'lut.file'"),
        ("[lut]\nspace = 'scene'", "lut. has no path"),
        ("exposure = ", "is not TOML"),
        ("exposure = 2026-01-01", "exposure"),
    ],
)
def test_bad_files_say_what_is_wanted(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(vf.InputError, match=message) as caught:
        vf.Settings.load(tmp_path / "bad.toml")
    assert "bad.toml" in str(caught.value)


def test_what_a_file_can_not_hold(tmp_path: Path) -> None:
    with pytest.raises(vf.InputError, match="the lut was not read from a file"):
        vf.Settings(lut=LUT).save(tmp_path / "a.toml")
    assert not (tmp_path / "a.toml").exists()
    with pytest.raises(vf.InputError, match="No such file"):
        vf.Settings.load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(vf.InputError, match="is not TOML"):
        vf.Settings.load(tmp_path / "bytes.toml")
    with pytest.raises(vf.OutputError):
        vf.Settings().save(tmp_path / "no such folder" / "a.toml")


# The command line


def test_options_change_what_a_preset_or_a_file_says(tmp_path: Path) -> None:
    from vkforge.cli.options import Options

    assert Options(dem="a").settings() == vf.Settings()
    gold = vf.Settings.preset("golden-hour")
    assert Options(dem="a", preset="golden-hour").settings() == gold
    # Said, the default counts too.
    assert Options(dem="a", preset="golden-hour", tonemap="neutral").settings() == gold.replace(tonemap="neutral")
    path = vf.Settings(samples=3, exposure=1.0).save(tmp_path / "mine.toml")
    options = Options(dem="a", preset="swiss", settings_file=path, exposure=2.0)
    assert options.settings() == vf.Settings(samples=3, exposure=2.0)
    scene, _ = options.portrait(ground())
    assert scene.sun == vf.Scene.portrait(ground(), preset="swiss").sun
