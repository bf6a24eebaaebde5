"""Keys of every field there is, of the scene's parts and of the settings: what stands halfway between two.

One table a class, driven from the class' own fields: a field that is missing from it fails.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.scene.albedo import Albedo

RNG = np.random.default_rng(31)
HEIGHTS = RNG.random((17, 23)) * 5.0
ALBEDO = RNG.random((4, 5, 3))
NORMALS = np.full((4, 4, 3), (0.5, 0.5, 1.0))
FIELD = RNG.random((2, 3, 4))
BOX = (-5.0, 5.0, -5.0, 5.0, 0.0, 9.0)
WIDE = (-9.0, 9.0, -5.0, 5.0, 0.0, 9.0)
SKY = RNG.random((4, 8, 3)).astype(np.float32)
TABLE, OTHER_TABLE = (np.linspace(0, top, 81).reshape(3, 3, 3, 3) for top in (1.0, 0.9))
EYE, TARGET = (0.0, -60.0, 40.0), (0.0, 0.0, 2.0)

HELD = object()  # what nothing lies between: the first key's until the second


def between(a: Any, b: Any) -> Any:
    """Return the middle of two numbers or vectors."""
    middle = (np.asarray(a, np.float64) + np.asarray(b, np.float64)) / 2.0
    return pytest.approx(tuple(middle.tolist()) if middle.ndim else float(middle), rel=1e-12)


class Row:
    """Two values of a field, what stands between them, and what else the part has, for the field to mean anything."""

    def __init__(self, a: Any, b: Any, middle: Any = None, **more: Any) -> None:
        self.a, self.b, self.more = a, b, more
        self.middle = between(a, b) if middle is None else middle


def held(a: Any, b: Any, **more: Any) -> Row:
    return Row(a, b, HELD, **more)


PERSPECTIVE = {"kind": "perspective", "position": EYE, "target": TARGET, "fov": 30.0}
LENS = {"aperture_radius": 1.0}
MAP = {"kind": "map", "position": (0, 0, 90), "target": (0, 0, 0), "up": (0, 1, 0), "fov": None}
MAP |= {"height": 17.0, "width": 23.0, "natural_size": (23, 17)}
END = vf.Camera.perspective((5.0, -60.0, 40.0), TARGET, fov=30)
LIGHTS = (vf.PointLight((0, 0, 20), 50.0), vf.SpotLight((0, 0, 20), (1, 0, 0), 9.0))

TABLES: dict[type, tuple[dict[str, Any], dict[str, Row]]] = {
    vf.Sun: (
        {},
        {
            "azimuth": Row(90.0, 180.0),
            "elevation": Row(10.0, 50.0),
            "irradiance": Row((1, 2, 3), 4.0, pytest.approx((2.5, 3.0, 3.5))),
            "angular_diameter": Row(0.0, 10.0),
        },
    ),
    vf.GradientSky: ({}, {name: Row((0.1, 0.2, 0.3), 0.5) for name in ("zenith", "horizon", "ground")}),
    vf.Sky: (
        {},
        {
            "turbidity": Row(2.0, 4.0),
            "ground_albedo": Row(0.1, 0.5, pytest.approx((0.3, 0.3, 0.3))),
            "ground_radius": Row(6360e3, 6000e3),
            "top_radius": Row(6460e3, 6400e3),
            "rayleigh_scattering": Row((5e-6, 13e-6, 33e-6), (6e-6, 14e-6, 34e-6)),
            "rayleigh_scale_height": Row(8000.0, 7000.0),
            "mie_scattering": Row((4e-6,) * 3, (3e-6,) * 3),
            "mie_extinction": Row((5e-6,) * 3, (6e-6,) * 3),
            "mie_scale_height": Row(1200.0, 1000.0),
            "mie_anisotropy": Row(0.8, 0.0),
            "ozone_absorption": Row((1e-6,) * 3, (0.0,) * 3),
            "ozone_altitude": Row(25e3, 20e3),
            "ozone_half_width": Row(15e3, 10e3),
            "aerial_perspective": Row(1.0, 0.0),
        },
    ),
    vf.Environment: (
        {"radiance": SKY},
        {"radiance": held(SKY, 2.0 * SKY), "rotation": Row(350.0, 370.0), "intensity": Row(0.0, 2.0)},
    ),
    vf.Fog: (
        {"scattering": 1e-3},
        {
            "scattering": Row(0.0, 2e-3, pytest.approx((1e-3,) * 3)),
            "absorption": Row((0.0, 0.0, 0.0), (1e-3, 2e-3, 3e-3)),
            "anisotropy": Row(-0.5, 0.5),
            "base": Row(0.0, 10.0, scale_height=50.0),
            "scale_height": Row(50.0, 100.0),
            "density": held(FIELD, FIELD[::-1], bounds=BOX),
            "bounds": Row(BOX, WIDE, density=FIELD),
        },
    ),
    vf.Clouds: (
        {},
        {
            "coverage": Row(0.0, 1.0),
            "base": Row(2000.0, 3000.0),
            "thickness": Row(600.0, 800.0),
            "extinction": Row(0.0, 0.06),
            "size": Row(3000.0, 2000.0),
            "anisotropy": Row(0.0, 0.7),
            "seed": held(0, 9),
        },
    ),
    vf.Water: (
        {"level": 1.0},
        {
            "level": Row(1.0, 2.0),
            "mask": held(np.ones((3, 3)), np.eye(3)),
            "absorption": Row((0.0, 0.0, 0.0), (0.1, 0.2, 0.3)),
            "scattering": Row((0.0, 0.0, 0.0), (0.1, 0.2, 0.3)),
            "ior": Row(1.0, 1.5),
            "wave_height": Row(0.0, 0.2),
            "wave_length": Row(1.0, 3.0),
            "roughness": Row(0.0, 0.5),
            "seed": held(3, 4),
            "tint": held(None, vf.WaterTint()),
        },
    ),
    vf.Material: (
        {},
        {
            "roughness": Row(1.0, 0.0),
            "metallic": Row(0.0, 1.0),
            "specular": Row(0.0, 0.5),
            "metallic_roughness_map": held(ALBEDO, ALBEDO[::-1]),
            "normal_map": held(None, NORMALS),
            "normal_strength": Row(0.0, 1.0),
            "detail_normal_map": held(NORMALS, None),
            "detail_normal_period": Row(10.0, 5.0),
            "detail_normal_strength": Row(0.0, 2.0),
            "emission": Row(0.0, (1.0, 2.0, 3.0), pytest.approx((0.5, 1.0, 1.5))),
            "emission_map": held(ALBEDO, ALBEDO[::-1], emission=1.0),
        },
    ),
    vf.PointLight: (
        {"position": (0, 0, 20), "intensity": 50.0},
        {"position": Row((0, 0, 20), (4, 0, 20)), "intensity": Row((0, 0, 0), (10, 20, 30))},
    ),
    vf.SpotLight: (
        {"position": (0, 0, 20), "target": (0, 0, 0), "intensity": 50.0},
        {
            "position": Row((0, 0, 20), (4, 0, 20)),
            "target": Row((0, 0, 0), (0, 6, 0)),
            "intensity": Row((0, 0, 0), (10, 20, 30)),
            "cone_angle": Row(30.0, 90.0),
            "blend": Row(0.0, 1.0),
        },
    ),
    vf.Terrain: (
        {"heights": HEIGHTS},
        {
            "heights": held(HEIGHTS, HEIGHTS + 1.0),
            "cell_size": Row((1.0, 1.0), (2.0, 3.0)),
            "albedo": Row("black", (0.5, 0.25, 1.0), Albedo.constant((0.25, 0.125, 0.5))),
            "material": Row(vf.Material(0.25), vf.Material(0.75), vf.Material(0.5)),
            "vertical_exaggeration": Row(1.0, 3.0),
            "skirt": Row(-3.0, -1.0),
            "floor": held(True, False),
            "skirt_color": Row("black", "white", pytest.approx((0.5, 0.5, 0.5))),
            "crs": held("EPSG:32616", "EPSG:26916"),
            "transform": Row((1, 0, 5, 0, -1, 9), (1, 0, 7, 0, -1, 9)),
        },
    ),
    vf.Camera: (
        PERSPECTIVE,
        {
            "position": Row(EYE, (10.0, -60.0, 40.0)),
            "target": Row(TARGET, (4.0, 0.0, 2.0)),
            "up": Row((0, 0, 1), (0.4, 0, 1)),
            "fov": Row(20.0, 40.0),
            "fov_x": Row(20.0, 40.0, fov=None),
            "height": Row(20.0, 40.0, kind="orthographic", fov=None),
            "width": Row(23.0, 33.0, **MAP),
            "natural_size": Row((23, 17), (35, 17), (29, 17), **MAP),
            "aperture_radius": Row(0.0, 2.0),
            "focus_distance": Row(40.0, 60.0, **LENS),
            "shutter_end": held(None, END),
            "blades": held(0, 6, **LENS),
            "blade_rotation": Row(0.0, 60.0, blades=3, **LENS),
            "tilt": Row((0.0, 0.0), (0.0, 30.0), **LENS),
            "shift": Row((0.0, 0.0), (0.1, 0.2)),
            "pixel_aspect": Row(1.0, 2.0),
            "mapping": held("equidistant", "equisolid", kind="fish-eye", fov=90.0),
            "full_frame": held(False, True, kind="fish-eye", fov=90.0),
            "scale": Row(1.0, 100.0),
            "sensor": Row((36.0, 24.0), (24.0, 16.0)),
        },
    ),
    vf.Settings: (
        {},
        {
            "samples": Row(1, 4, 2),
            "sun_rays": Row(1, 3, 2),
            "sky_rays": Row(0, 4, 2),
            "max_depth": Row(2, 8, 5),
            "time_limit": Row(1, 2),
            "noise_threshold": Row(0.1, 0.2),
            "ao_rays": Row(2, 4, 3),
            "ao_distance": held(None, 10.0),
            "motion_blur": held("samples", "vectors"),
            "seed": Row(0, 240, 120),
            "exposure": Row(-1, 3),
            "tonemap": held("agx", "aces"),
            "grade": Row(vf.Grade(tint=0.0), vf.Grade(tint=10.0), vf.Grade(tint=5.0)),
            "lut": held(vf.Lut(TABLE), vf.Lut(OTHER_TABLE)),
            "dither": held(None, True),
            "primaries": held("rec709", "rec2020"),
            "lens": Row(vf.Lens(k1=0.0), vf.Lens(k1=0.25), vf.Lens(k1=0.125)),
            "bloom": Row(vf.Bloom(0.25), vf.Bloom(0.75), vf.Bloom(0.5)),
            "grain": Row(vf.Grain(frame=0), vf.Grain(frame=9), vf.Grain(frame=4)),
            "miniature": Row(vf.Miniature(angle=0), vf.Miniature(angle=9), vf.Miniature(angle=4.5)),
            "denoise": held(None, "atrous"),
            "aov_effects": held(False, True),
        },
    ),
    vf.Lens: (
        {},
        {
            **{name: Row(0.0, 0.01) for name in ("k1", "k2", "k3", "p1", "p2", "red", "blue")},
            **{name: Row(0.0, 1.0) for name in ("vignette", "mask_strength", "mask_radius", "mask_roundness")},
            "mask_softness": Row(0.5, 1.0),
        },
    ),
    vf.Bloom: ({}, {"intensity": Row(0.0, 0.4), "radius": Row(0.1, 0.3), "threshold": Row(0.0, 5.0)}),
    vf.Grain: (
        {},
        {
            "amount": Row(0.0, 0.3),
            "size": Row(1.0, 2.0),
            "color": Row(0.0, 1.0),
            "highlights": Row(0.0, 2.0),
            "frame": Row(0, 240, 120),
        },
    ),
    vf.Miniature: (
        {},
        {
            "radius": Row(0.0, 0.1),
            "center": Row(0.2, 0.8),
            "width": Row(0.0, 0.4),
            "fade": Row(0.2, 0.6),
            "angle": Row(-10.0, 30.0),
            "blades": held(0, 5),
        },
    ),
    vf.Grade: (
        {},
        {
            "temperature": Row(5000.0, 7000.0),
            "tint": Row(-10.0, 30.0),
            "contrast": Row(1.0, 2.0),
            "saturation": Row(0.0, 1.0),
            **{name: Row((0.5, 0.5, 0.5), 1.0, pytest.approx((0.75,) * 3)) for name in ("lift", "gamma", "gain")},
        },
    ),
    vf.Tonemap: (
        {"operator": "agx"},
        {
            "operator": held("agx", "neutral"),
            "white": Row(None, 2.0, 4.0, operator="reinhard"),  # its inverse: 0 and a half
            "coefficients": Row((0.2, 0.5, 0.1, 0.2, 0.02, 0.3), (0.4, 0.5, 0.1, 0.2, 0.02, 0.3), operator="hable"),
            "contrast": Row(None, 2.0, 1.5),
            "saturation": Row(0.0, 2.0),
            "start": Row(None, 0.4, pytest.approx(0.6), operator="neutral"),
            "desaturation": Row(0.0, 1.0, operator="neutral"),
        },
    ),
    vf.AutoExposure: (
        {},
        {
            "percentiles": Row((5, 95), (25, 75)),
            "min_stops": Row(-8, -4),
            "max_stops": Row(4, 8),
            "compensation": Row(-1, 1),
            "key": Row(0.1, 0.3),
        },
    ),
    vf.CameraExposure: (
        {},
        {
            "f_number": Row(8.0, 16.0),
            "shutter": Row(0.01, 0.03),
            "iso": Row(100, 300),
            "compensation": Row(-1, 1),
            "luminance": Row(1e4, 2e4),
        },
    ),
}

GROUND = vf.Terrain(HEIGHTS)
SCENE: dict[str, Row] = {
    "terrain": Row(GROUND, dataclasses.replace(GROUND, cell_size=3.0), dataclasses.replace(GROUND, cell_size=2.0)),
    "camera": held(vf.Camera(**PERSPECTIVE), vf.Camera.orthographic(EYE, TARGET, height=20.0)),
    "sun": held(None, vf.Sun()),
    "sky": held(vf.Sky(), vf.GradientSky()),
    "background": Row("black", (0.5, 0.25, 1.0), (0.25, 0.125, 0.5)),
    "fog": held(vf.Fog(1e-3), None),
    "lights": Row(
        (vf.PointLight((0, 0, 20), 4.0), vf.PointLight((0, 0, 9), 1.0)),
        (vf.PointLight((0, 0, 30), 8.0), vf.PointLight((0, 0, 9), 1.0)),
        (vf.PointLight((0, 0, 25), 6.0), vf.PointLight((0, 0, 9), 1.0)),
    ),
    "clouds": held(vf.Clouds(seed=1), vf.Clouds(seed=2)),
    "water": held(None, vf.Water(1.0)),
}

# Where a part of each class stands in a scene or among the settings.
PATHS: dict[type, str] = {
    vf.Sun: "sun",
    vf.GradientSky: "sky",
    vf.Sky: "sky",
    vf.Environment: "sky",
    vf.Fog: "fog",
    vf.Clouds: "clouds",
    vf.Water: "water",
    vf.Material: "terrain.material",
    vf.PointLight: "lights.0",
    vf.SpotLight: "lights.0",
    vf.Terrain: "terrain",
    vf.Camera: "camera",
    vf.Settings: "settings",
    vf.Lens: "settings.lens",
    vf.Bloom: "settings.bloom",
    vf.Grain: "settings.grain",
    vf.Miniature: "settings.miniature",
    vf.Grade: "settings.grade",
    vf.Tonemap: "settings.tonemap",
    vf.AutoExposure: "settings.exposure",
    vf.CameraExposure: "settings.exposure",
}
ROWS = [(cls, name) for cls, (_, rows) in TABLES.items() for name in rows]


def test_every_field_has_a_row() -> None:
    for cls, (_, rows) in TABLES.items():
        names = {field.name for field in dataclasses.fields(cls) if field.init}
        assert rows.keys() == names - ({"kind"} if cls is vf.Camera else set()), cls
    assert SCENE.keys() == {field.name for field in dataclasses.fields(vf.Scene)}
    assert PATHS.keys() == TABLES.keys()


@pytest.mark.gpu
def test_every_part_is_looked_at() -> None:
    """All public records that a scene or the settings hold, by their annotations."""
    for cls in (vf.Scene, vf.Terrain, vf.Settings):
        words = " ".join(str(field.type) for field in dataclasses.fields(cls)).replace("vkforge.post.lens.", "")
        for name in vf.__all__:
            part = getattr(vf, name)
            if isinstance(part, type) and dataclasses.is_dataclass(part) and name in words.replace("|", " ").split():
                assert part in PATHS, name


def film(path: str, part: Any, keys: dict[float, Any]) -> vf.Animation:
    """Return the animation of a scene that has `part` where `path` leads, or of such settings."""
    root, _, rest = path.partition(".")
    parts: dict[str, Any] = {"terrain": vf.Terrain(HEIGHTS), "camera": vf.Camera.perspective(EYE, TARGET, fov=30)}
    settings = vf.Settings()
    if isinstance(part, vf.Settings):
        settings = part
    elif root == "settings":
        settings = vf.Settings(**{rest.partition(".")[0]: part})
    elif isinstance(part, vf.Material):
        parts["terrain"] = vf.Terrain(HEIGHTS, material=part)
    elif root == "lights":
        parts["lights"] = (part,)
    else:
        parts[root] = part
    return vf.Animation(vf.Scene(**parts), {path: keys}, duration=2.0, settings=settings, interpolation="linear")


def found(made: vf.Animation, path: str, time: float) -> Any:
    part: Any = made.settings(time) if path.startswith("settings") else made.scene(time)
    for name in path.split(".")[path.startswith("settings") :]:
        part = part[int(name)] if name.isdecimal() else getattr(part, name)
    return part


def same(a: Any, b: Any) -> bool:
    if dataclasses.is_dataclass(a) and type(a) is type(b):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a) if f.init)
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b


@pytest.mark.parametrize(("cls", "name"), ROWS, ids=[f"{cls.__name__}.{name}" for cls, name in ROWS])
def test_halfway_between_keys_of_a_field(cls: Any, name: str) -> None:
    """A track of the field alone, and one of the whole part, have at their middle what the row says."""
    given, rows = TABLES[cls]
    row, path = rows[name], PATHS[cls]
    one, other = (cls(**{**given, **row.more, name: value}) for value in (row.a, row.b))
    single = film(f"{path}.{name}", one, {0.0: row.a, 2.0: row.b})
    check(found(single, f"{path}.{name}", 1.0), row, getattr(one, name))
    if row.a is not None:
        assert same(found(single, f"{path}.{name}", 0.0), getattr(one, name))
    assert same(found(single, f"{path}.{name}", 2.0), getattr(other, name))
    if cls is vf.Settings:
        return  # which are animated one by one
    whole = film(path, one, {0.0: one, 2.0: other})
    assert found(whole, path, 0.0) is one
    assert found(whole, path, 2.0) is other
    if cls is vf.Camera and name in ("up", "position", "target", "tilt"):
        assert whole.scene(1.0).camera != one  # test_animation_cameras.py says how
    else:
        check(getattr(found(whole, path, 1.0), name), row, getattr(one, name))


@pytest.mark.parametrize("name", SCENE)
def test_halfway_between_keys_of_the_scene(name: str) -> None:
    row = SCENE[name]
    keys = {0.0: row.a, 2.0: row.b}
    made = vf.Animation(vf.Scene(GROUND, SCENE["camera"].a), {name: keys}, interpolation="linear")
    check(getattr(made.scene(1.0), name), row, row.a)
    assert made.cuts == ((2.0,) if row.middle is HELD else ())


def check(value: Any, row: Row, first: Any) -> None:
    assert same(value, first if row.middle is HELD else row.middle)
