"""Animations with a shutter: what is open over a key, a cut or nothing at all is told or shown, never broken off."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.animation.film import Film

RNG = np.random.default_rng(5)
TERRAIN = vf.Terrain(RNG.random((9, 9)) * 2.0)
CAMERA = vf.Camera.perspective((0.0, -12.0, 9.0), (0.0, 0.0, 0.0), fov=45)
SCENE = vf.Scene(TERRAIN, CAMERA, fog=vf.Fog(0.0), water=vf.Water(0.5))


def film(tracks: dict[str, Any], **options: Any) -> vf.Animation:
    given: dict[str, Any] = {"fps": 4.0, "shutter": vf.Shutter(360.0), "settings": vf.Settings(samples=4)}
    return vf.Animation(SCENE, tracks, **{**given, **options})


@pytest.mark.gpu
@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_tracks_from_nothing_render_to_their_end(renderer: vf.Renderer, lane: str, tmp_path: Path) -> None:
    """All that may be zero is zero at a key, and its exposure begins or ends there."""
    clouds = {0.0: None} if lane == "path-traced" else {0.0: None, 0.6: vf.Clouds(seed=1), 0.9: vf.Clouds(seed=2)}
    made = film(
        {
            "sun.angular_diameter": {0.0: 0.0, 0.5: 9.0, 1.0: 0.0},
            "fog.scattering": {0.25: 0.0, 1.0: 0.01},
            "terrain.material.metallic": {0.0: 0.4, 0.75: 0.0, 1.0: 0.0},
            "terrain.material.emission": {0.0: 0.0, 1.0: (1.0, 2.0, 3.0)},
            "camera.aperture_radius": {0.5: 0.0, 1.0: 0.3},
            "water.wave_height": {0.0: 0.0, 1.0: 0.1},
            "lights": {0.0: (), 0.4: (vf.PointLight((0, 0, 5), 5.0),), 0.8: ()},
            "clouds": clouds,
        }
    )
    made.render(tmp_path / "%d.npy", (8, 6), renderer=renderer, lane=lane, progress=lambda _: None)
    assert len(list(tmp_path.glob("*.npy"))) == made.frames == 4


@pytest.mark.gpu
def test_what_comes_and_goes_is_a_cut(renderer: vf.Renderer, tmp_path: Path) -> None:
    """Suns, skies, seas and cameras that appear while a shutter is open."""
    flat = vf.Camera.map(TERRAIN)
    made = film(
        {
            "sun": {0.0: vf.Sun(200, 40), 0.3: None, 0.8: vf.Sun(100, 20)},
            "sky": {0.0: vf.GradientSky(), 0.45: vf.Sky()},
            "water": {0.0: None, 0.55: vf.Water(0.3, seed=1), 0.7: vf.Water(0.5, seed=2)},
            "camera": {0.0: CAMERA, 0.4: dataclasses.replace(CAMERA, fov=60.0), 0.62: flat},
            "settings.denoise": {0.0: None, 0.6: "atrous"},
        },
        duration=1.0,
    )
    assert made.cuts == (0.3, 0.45, 0.55, 0.62, 0.7, 0.8)
    made.render(tmp_path / "%d.npy", (8, 6), renderer=renderer, progress=lambda _: None)
    assert len(list(tmp_path.glob("*.npy"))) == 4


def test_settings_cut_nothing() -> None:
    """A frame has the settings of its own time, and so its whole exposure."""
    made = film({"settings.tonemap": {0.0: "agx", 0.51: "neutral"}}, duration=1.0)
    assert made.cuts == ()
    shown = made.exposure(0.5)
    assert isinstance(shown, vf.MovingScene)
    assert (shown.open, shown.close) == (0.375, 0.625)


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("tracks", "options", "aovs", "message"),
    [
        (
            {"sun.azimuth": {0.4: 0, 1: 9}},
            {"motion_blur": "vectors"},
            (),
            r"frame 2, at 0.5 s: the scene's sun changes",
        ),
        (
            {"terrain.vertical_exaggeration": {0.6: 1, 1: 2}},
            {},
            ("motion",),
            r"frame 2, at 0.5 s: the terrain's vertical",
        ),
        (
            {"camera.position": {0.5: (-20, 1, -1), 0.625: (20, 1, -1), 1: (20, 1, 9)}},
            {},
            (),
            r"frame 2, .*inside the",
        ),
    ],
)
def test_what_can_not_be_shown_is_told_before_the_job(
    tmp_path: Path, tracks: Any, options: Any, aovs: tuple[str, ...], message: str
) -> None:
    made = film(tracks, settings=vf.Settings(**options), interpolation="linear")
    with pytest.raises(vf.InputError, match=message):
        Film(made, tmp_path / "%d.npz", (8, 6), aovs=aovs)
    assert not list(tmp_path.iterdir())


def test_a_shutter_that_is_set_later_is_one() -> None:
    made = film({"sun.azimuth": {0.0: 0.0, 1.0: 90.0}}, shutter=None)
    assert isinstance(made.exposure(0.5), vf.Scene)
    made.shutter = vf.Shutter(180.0)
    moving = made.exposure(0.5)
    assert isinstance(moving, vf.MovingScene)
    assert moving.close - moving.open == pytest.approx(0.125)
    with pytest.raises(vf.InputError, match="Animation shutter is 180"):
        made.shutter = 180  # type: ignore[assignment]
