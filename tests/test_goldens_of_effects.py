"""Goldens of what happens to a picture after its light: a sheet an effect, every parameter low, in the middle and high.

How goldens are compared, and how they are made anew, is told in test_goldens.py. A parameter that is on no sheet fails,
and so does one that changes nothing there.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from test_goldens import HEIGHT, Check, hills

import vkforge as vf
from vkforge.scene.aperture import Aperture
from vkforge.settings import MOTION_BLURS, TONEMAPS

Shown = tuple[vf.Scene | vf.MovingScene, dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """A parameter's values, each on a tile, with what else it takes to see them."""

    name: str
    values: Sequence[Any]
    beside: dict[str, Any]


def row(name: str, *values: Any, **beside: Any) -> Row:
    return Row(name, values, beside)


@dataclass(frozen=True)
class Sheet:
    """An effect's rows.

    Attributes:
        of: What has the parameters.
        show: The scene and the options of `render` that show it with some of them.
        rows: By parameter.
        width: Of the sheet in pixels.
    """

    of: Callable[..., Any]
    show: Callable[..., Shown]
    rows: tuple[Row, ...]
    width: int = 320


@cache
def lamps() -> vf.Scene:
    """Return hills with checks and lamps."""
    y, x = np.mgrid[0:96, 0:96]
    shining = np.zeros((96, 96, 3))
    shining[(y % 31 == 16) & (x % 29 == 15)] = (40.0, 28.0, 14.0)
    checks = np.where(((y // 8 + x // 8) % 2)[..., None], (0.8, 0.75, 0.7), (0.25, 0.3, 0.4))
    ground = vf.Terrain(hills(), albedo=checks, material=vf.Material(emission=1.0, emission_map=shining))
    camera = vf.Camera.perspective((0, -62, 46), (0, -4, 4), fov=60)
    return vf.Scene(ground, camera, vf.Sun(300, 30, irradiance=2.0), background="#8090a0")


@cache
def colours() -> vf.Scene:
    """Return a ramp through the hues in light that leaves no tone mapping at rest."""
    ramp = vf.Terrain(hills(), cmap=["#d02020", "#e0c020", "#20a040", "#2050d0", "#c8c8c8"])
    sun = vf.Sun(azimuth=240, elevation=25, irradiance=(8.0, 7.0, 6.0))
    camera = vf.Camera.orthographic((0, 0, 50), (0, 0, 0), (0, 1, 0), height=55)
    return vf.Scene(ramp, camera, sun, vf.Sky.uniform((0.15, 0.2, 0.35)))


def on(scene: Callable[[], vf.Scene], setting: str, effect: Callable[..., Any]) -> Callable[..., Shown]:
    """Return what shows an effect as a setting of a scene's render."""
    return lambda **parameters: (scene(), {setting: effect(**parameters)})


def through_an_aperture(**parameters: Any) -> Shown:
    """Show `Aperture`'s parameters, by the names that the camera has for them."""
    names = {"radius": "aperture_radius", "slope": "tilt"}
    optics: dict[str, Any] = {"aperture_radius": 8.0, "focus_distance": 62.0}
    optics |= {names.get(name, name): value for name, value in parameters.items()}
    camera = vf.Camera.perspective((0, -62, 46), (0, -4, 4), fov=60, **optics)
    return dataclasses.replace(lamps(), camera=camera), {}


@cache
def bare() -> vf.Terrain:
    return vf.Terrain(hills(), albedo="#b8a98c")


def while_open(motion_blur: str = "samples", **parameters: Any) -> Shown:
    """Show a flight of a second through a `Shutter`."""

    def at(t: float) -> vf.Scene:
        camera = vf.Camera.perspective((30 * t, -62, 46), (20 * t, -4, 4 + 4 * t * t), fov=60)
        return vf.Scene(bare(), camera, vf.Sun(300, 30), background="#8090a0")

    shutter = vf.Shutter(**parameters)
    return vf.MovingScene(at, *shutter.interval(1.0), shutter.ramp), {"samples": 16, "motion_blur": motion_blur}


def open_for(how: str) -> tuple[Row, ...]:
    """Return the rows of a shutter whose blur is made in one of two ways."""
    return (
        row("angle", 20.0, 110.0, 360.0, motion_blur=how),
        row("seconds", 0.05, 0.3, 1.0, motion_blur=how),
        row("centre", -0.5, 0.0, 0.5, motion_blur=how, seconds=0.5),
        row("ramp", 0.0, 0.25, 0.5, motion_blur=how, seconds=0.8),
    )


AXIS = np.linspace(0.0, 1.0, 9)
BLUE, GREEN, RED = np.meshgrid(AXIS, AXIS, AXIS, indexing="ij")
SWAPPED = np.stack([BLUE, RED**2.0, GREEN], axis=-1)
STEPS = np.round(np.stack([RED, GREEN, BLUE], axis=-1) * 4.0) / 4.0
HABLE = np.array([0.15, 0.50, 0.10, 0.20, 0.02, 0.30])  # as published


def coefficients() -> tuple[Row, ...]:
    """Return a row for each of Hable's coefficients."""
    changed = [
        [tuple(np.where(np.arange(6) == i, factor * HABLE, HABLE).tolist()) for factor in factors]
        for i, factors in enumerate([(0.3, 1.0, 3.0)] * 4 + [(0.0, 1.0, 2.5), (0.4, 1.0, 4.0)])
    ]
    return tuple(row("coefficients", *values, operator="hable") for values in changed)


RAMP = np.repeat(np.linspace(0.0, 1.0, 33)[:, None], 3, axis=1)  # a curve for each channel
SHEETS: dict[str, Sheet] = {
    "lens": Sheet(
        vf.Lens,
        on(lamps, "lens", vf.Lens),
        (
            row("k1", -0.1, 0.1, 0.3),
            *(row(name, -0.02, 0.1, 0.3) for name in ("k2", "k3")),
            *(row(name, -0.04, 0.02, 0.05) for name in ("p1", "p2")),
            *(row(name, -0.02, 0.005, 0.02) for name in ("red", "blue")),
            row("vignette", 0.2, 0.6, 1.0),
            row("mask_strength", 0.2, 0.6, 1.0),
            row("mask_softness", 0.2, 0.6, 1.0, mask_strength=1.0),
            row("mask_radius", 0.0, 0.4, 0.8, mask_strength=1.0),
            row("mask_roundness", 0.0, 0.5, 1.0, mask_strength=1.0),
        ),
    ),
    "bloom": Sheet(
        vf.Bloom,
        on(lamps, "bloom", vf.Bloom),
        (
            row("intensity", 0.05, 0.3, 1.0),
            row("radius", 0.02, 0.1, 1.0, intensity=0.4),
            row("threshold", 0.0, 0.5, 5.0, intensity=0.4),
        ),
    ),
    "grain": Sheet(
        vf.Grain,
        on(lamps, "grain", vf.Grain),
        (
            row("amount", 0.05, 0.3, 1.0),
            row("size", 1.0, 2.0, 6.0, amount=0.4),
            row("color", 0.0, 0.5, 1.0, amount=0.4),
            row("highlights", 0.0, 2.0, 8.0, amount=0.4),
            row("frame", 0, 1, 2**32 - 1, amount=0.4, size=4.0),
        ),
        width=210,  # noise makes large files
    ),
    "aperture": Sheet(
        Aperture,
        through_an_aperture,
        (
            row("radius", 2.0, 6.0, 16.0),
            row("focus_distance", 40.0, 70.0, 200.0),
            row("slope", (-60.0, 20.0), (0.0, 20.0), (60.0, 20.0)),
            row("slope", (0.0, -60.0), (0.0, 0.0), (0.0, 60.0)),
            row("blades", 3, 5, 8, focus_distance=30.0),
            row("blade_rotation", 0.0, 20.0, 60.0, blades=3, focus_distance=30.0),
        ),
    ),
    "miniature": Sheet(
        vf.Miniature,
        on(lamps, "miniature", vf.Miniature),
        (
            row("radius", 0.01, 0.04, 0.1),
            row("center", 0.2, 0.5, 0.8, radius=0.06),
            row("width", 0.0, 0.3, 0.8, radius=0.06),
            row("fade", 0.1, 0.5, 1.0, radius=0.06),
            row("angle", -45.0, 20.0, 90.0, radius=0.06),
            row("blades", 3, 5, 8, radius=0.1),
        ),
    ),
    "motion_blur": Sheet(
        vf.Shutter,
        while_open,
        (
            *open_for("samples"),
            *open_for("vectors"),
            row("motion_blur", *MOTION_BLURS, seconds=0.8),
        ),
    ),
    "grade": Sheet(
        vf.Grade,
        on(colours, "grade", vf.Grade),
        (
            row("temperature", 3000.0, 5500.0, 15_000.0),
            row("tint", -80.0, 20.0, 80.0),
            row("contrast", 0.6, 1.2, 2.0),
            row("saturation", 0.0, 0.6, 2.0),
            row("lift", -0.2, 0.1, (0.0, 0.1, 0.3)),
            row("gamma", 0.6, 1.3, (1.4, 1.0, 0.7)),
            row("gain", 0.6, 1.2, (1.1, 1.0, 0.7)),
        ),
    ),
    "camera_exposure": Sheet(
        vf.CameraExposure,
        on(colours, "exposure", vf.CameraExposure),
        (
            row("f_number", 45.0, 22.0, 11.0),
            row("shutter", 1 / 800, 1 / 200, 1 / 50),
            row("iso", 12.0, 50.0, 200.0),
            row("compensation", -3.0, -1.0, 1.0),
            row("luminance", 4e3, 16e3, 64e3),
        ),
    ),
    "auto_exposure": Sheet(
        vf.AutoExposure,
        on(colours, "exposure", vf.AutoExposure),
        (
            row("percentiles", (0, 20), (5, 95), (90, 100)),
            row("min_stops", -16.0, 0.5, 2.0),
            row("max_stops", -4.0, -2.0, 16.0),
            row("compensation", -2.0, 0.5, 2.0),
            row("key", 0.05, 0.18, 0.5),
        ),
    ),
    "tones": Sheet(
        vf.Tonemap,
        on(colours, "tonemap", vf.Tonemap),
        (
            row("white", 1.2, 3.0, 20.0, operator="reinhard"),
            row("white", 2.0, 6.0, 30.0, operator="hable"),
            *coefficients(),
            row("contrast", 0.7, 1.2, 2.0, operator="agx"),
            row("saturation", 0.0, 1.4, 2.5, operator="agx"),
            row("start", 0.1, 0.5, 0.95, operator="neutral"),
            row("desaturation", 0.0, 0.5, 4.0, operator="neutral"),
            row("operator", *TONEMAPS),
        ),
    ),
    "lut": Sheet(
        vf.Lut,
        on(colours, "lut", vf.Lut),
        (
            row("table", SWAPPED, STEPS, 1.0 - SWAPPED),
            row("table", SWAPPED, STEPS, 1.0 - SWAPPED, space="scene"),
            row("space", "display", "scene", table=STEPS),
            row("domain_min", (-0.5, -0.5, -0.5), (0.1, 0.1, 0.1), (0.4, 0.0, 0.0), table=STEPS),
            row("domain_max", (0.4, 0.4, 0.4), (0.8, 0.8, 0.8), (2.0, 1.0, 1.0), table=STEPS),
            row("shaper", RAMP**0.5, RAMP**2, 1.0 - RAMP, table=STEPS),
            row("shaper_range", (0.0, 0.5), (0.25, 0.75), (0.0, 2.0), table=STEPS, shaper=RAMP),
        ),
    ),
}


def rendered(renderer: vf.Renderer, sheet: Sheet) -> np.ndarray:
    """Render a sheet, up to three parameters abreast, as (HEIGHT, width, 3) uint8; no two of a parameter are alike."""
    tiles: list[np.ndarray] = []
    count = sum(len(line.values) for line in sheet.rows)
    columns = 3 if count <= 9 else 6 if count <= 36 else 9
    size = sheet.width // columns, HEIGHT // -(-count // columns)
    for line in sheet.rows:
        row_of = []
        for value in line.values:
            scene, options = sheet.show(**line.beside, **{line.name: value})
            row_of.append(renderer.render(scene, size, **{"samples": 4, **options}).rgba[..., :3])
        same = [i for i in range(1, len(row_of)) if any((row_of[i] == other).all() for other in row_of[:i])]
        assert not same, f"{line.name} of {line.values[same[0]]!r} looks like another value of it"
        tiles += row_of
    canvas = np.full((HEIGHT, sheet.width, 3), 255, np.uint8)
    for i, tile in enumerate(tiles):
        y, x = i // columns * size[1], i % columns * size[0]
        canvas[y : y + size[1], x : x + size[0]] = tile
    return canvas


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet(renderer: vf.Renderer, golden: Check, name: str) -> None:
    golden(name, rendered(renderer, SHEETS[name]))


def test_dither(renderer: vf.Renderer, golden: Check) -> None:
    """A dusky sky without dither and with it, its steps of 8 bits by turns dark and bright."""
    ground = vf.Terrain(np.zeros((8, 8)), cell_size=10.0, albedo=0.0)
    camera = vf.Camera.perspective((0, 0, 30), (0, 100, 75), fov=50)
    scene = vf.Scene(ground, camera, None, vf.Sky.gradient((0.012, 0.016, 0.026), (0.03, 0.034, 0.04)))
    tiles = [renderer.render(scene, (106, HEIGHT), samples=1, dither=dither).rgba[..., :3] for dither in (False, True)]
    steps = [np.where(tile % 2 == 1, 200, 60).astype(np.uint8) for tile in tiles]
    golden("dither", np.concatenate(steps, axis=1))


def effects() -> dict[str, Callable[..., Any]]:
    """Return by name the public classes that say what happens to a picture after its light."""
    found = {name: getattr(vf, name) for name in vf.__all__}
    return {name: it for name, it in found.items() if inspect.isclass(it) and it.__module__.startswith("vkforge.post.")}


@pytest.mark.parametrize("effect", [*effects().values(), vf.Shutter, Aperture], ids=lambda effect: effect.__name__)
def test_every_parameter_of_every_effect_is_on_a_sheet_three_times(effect: Callable[..., Any]) -> None:
    sheets = [sheet for sheet in SHEETS.values() if sheet.of is effect]
    assert len(sheets) == 1, f"{effect} has no sheet, or two"
    for name in inspect.signature(effect).parameters:
        shown = [len(line.values) for line in sheets[0].rows if line.name == name]
        named = name == "space"  # the third is of tables that are the tone mapping
        assert shown, f"no sheet shows {name} of {effect}"
        assert min(shown) >= (2 if named else 3), f"{name} of {effect} is shown with fewer than three values"
