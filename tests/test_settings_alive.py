"""No setting is read by nothing: for each there is a picture that it changes.

One table drives all. A parameter that is missing from it, or a row for one that is gone, fails.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

import vkforge as vf

pytestmark = pytest.mark.gpu

SIZE = (32, 20)
RNG = np.random.default_rng(21)
ROUGH = RNG.random((13, 17)) * 4.0
ROUGH.flags.writeable = False
TORN = np.where(np.hypot(*np.mgrid[-6:7, -8:9]) < 3, np.nan, ROUGH)
IMAGE = RNG.random((5, 6, 3))
RASTER = RNG.random((7, 9))
MAP = np.random.default_rng(23).random((4, 8, 3))
NORMALS = 0.25 + 0.49 * np.random.default_rng(22).random((5, 6, 3)) + (0.0, 0.0, 0.25)
TRANSFORM = (30.0, 0.0, 500_000.0, 0.0, -30.0, 4_000_000.0)
SHINY = {"roughness": 0.4, "specular": 0.9}


DEFAULT = object()


class Row(NamedTuple):
    """Two values of a parameter, a scene (and options of the render) made with each, and where the difference shows.

    `value` may be DEFAULT: what the signature says. `where` is "rgba", "hdr", "size", "georeference" or an AOV.
    """

    make: Callable[[Any], Any]
    value: Any
    other: Any
    where: str = "hdr"


def terrain(heights: Any = ROUGH, **options: Any) -> vf.Terrain:
    return vf.Terrain(heights, **{"cell_size": 1.0, **options})


def scene(ground: vf.Terrain | None = None, **parts: Any) -> vf.Scene:
    ground = ground or terrain()
    # From the south, so that the camera does not move with what the terrain's own rows change.
    camera = vf.Camera.perspective((2.0, -24.0, 16.0), (0.0, 0.0, 1.0), fov=40)
    return vf.Scene(ground, **{"camera": camera, **parts})


def with_terrain(name: str, **more: Any) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(terrain(**{name: value, **more}))


def on_a_map(name: str, **more: Any) -> Callable[[Any], vf.Scene]:
    def make(value: Any) -> vf.Scene:
        ground = terrain(**{name: value, **more})
        return vf.Scene(ground, camera=vf.Camera.map(ground))

    return make


def with_material(name: str, **more: Any) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(terrain(material=vf.Material(**{**more, name: value})))


def with_sun(name: str) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(sun=vf.Sun(**{name: value}))


NOON = datetime(2026, 6, 21, 11, 0, tzinfo=UTC)


def with_sun_at(name: str) -> Callable[[Any], vf.Scene]:
    where = {"latitude": 47.0, "longitude": 8.0, "when": NOON}
    return lambda value: scene(sun=vf.Sun.at(**{**where, name: value}))


def with_sky(maker: Callable[..., Any], name: str) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(sky=maker(**{name: value}))


def with_environment(name: str) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(sky=vf.Environment(**{"radiance": MAP, name: value}))


def looking_down(value: Any) -> vf.Scene:
    """A sky's ground shows where camera rays go down and miss."""
    camera = vf.Camera.perspective((0.0, -30.0, 5.0), (0.0, -20.0, -10.0))
    return scene(camera=camera, sky=vf.GradientSky(ground=value))


def looking_down_at_a_gradient(value: Any) -> vf.Scene:
    camera = vf.Camera.perspective((0.0, -30.0, 5.0), (0.0, -20.0, -10.0))
    return scene(camera=camera, sky=vf.Sky.gradient(ground=value))


def with_camera(maker: Callable[..., vf.Camera], name: str, **more: Any) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(camera=maker(**{**more, name: value}))


def with_setting(name: str) -> Callable[[Any], tuple[vf.Scene, dict[str, Any]]]:
    return lambda value: (scene(sun=vf.Sun(angular_diameter=20.0)), {name: value})


def path_traced(name: str, **more: Any) -> Callable[[Any], tuple[vf.Scene, dict[str, Any]]]:
    return lambda value: (scene(), {"lane": "path-traced", **more, name: value})


def path_traced_camera(name: str, **more: Any) -> Callable[[Any], tuple[vf.Scene, dict[str, Any]]]:
    def make(value: Any) -> tuple[vf.Scene, dict[str, Any]]:
        camera = vf.Camera.perspective((0.0, -20.0, 15.0), (0.0, 0.0, 1.0), **{**more, name: value})
        return scene(camera=camera), {"lane": "path-traced"}

    return make


COLORS = np.random.default_rng(24).random((3, 3, 3, 3))
CURVES = np.linspace(0.0, 1.0, 9)[:, None] ** (0.5, 1.5, 2.0)


def with_group(setting: str, maker: Callable[..., Any], name: str, **more: Any) -> Callable[[Any], Any]:
    return lambda value: (scene(), {setting: maker(**{**more, name: value})})


def with_preset(name: str) -> tuple[vf.Scene, dict[str, Any]]:
    return scene(), {"settings": vf.Settings.preset(name)}


def with_loaded(text: str) -> tuple[vf.Scene, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "settings.toml"
        path.write_text(text)
        return scene(), {"settings": vf.Settings.load(path)}


def with_table(value: tuple[np.ndarray, Any]) -> tuple[vf.Scene, dict[str, Any]]:
    table, space = value
    with tempfile.TemporaryDirectory() as folder:
        return scene(), {"lut": vf.Lut.open(vf.Lut(table).save(Path(folder) / "table.cube"), space)}


BOX = (-9.0, 9.0, -9.0, 9.0, 0.0, 12.0)
SPOT = {"position": (0.0, 0.0, 9.0), "target": (0.0, 0.0, 0.0)}
LAMP = {"position": (0.0, 0.0, 9.0), "intensity": 50.0}


def with_fog(name: str, **more: Any) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(fog=vf.Fog(**{"scattering": 0.01, **more, name: value}))


def with_light(maker: Callable[..., Any], name: str, **more: Any) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(lights=[maker(**{**LAMP, **more, name: value})], sun=None, sky=None)


CLOUDS: dict[str, Any] = {"base": 20.0, "thickness": 10.0, "extinction": 1.0, "size": 10.0}


def with_clouds(name: str) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(clouds=vf.Clouds(**{**CLOUDS, name: value}))


def with_water(name: str, **more: Any) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(water=vf.Water(**{"level": 2.5, **more, name: value}))


def on_a_map_with_water(name: str) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(water=vf.Water.map(**{"level": 2.5, name: value}))


def with_tint(name: str) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(water=vf.Water(2.5, tint=vf.WaterTint(**{name: value})))


PERSPECTIVE = {"position": (0.0, -20.0, 15.0), "target": (0.0, 0.0, 1.0)}
ORTHOGRAPHIC = {**PERSPECTIVE, "height": 12.0}
ORBIT = {"terrain": terrain()}
ABOVE = (0.5, -1.0, 9.0)
FISHEYE = {"position": ABOVE, "target": (0.0, 9.0, 0.0)}
OBLONG = vf.Terrain(ROUGH, (1.0, 1.5))
GEOREFERENCED = terrain(crs="EPSG:32616", transform=(1.0, 0.0, 500_000.0, 0.0, -1.0, 3_999_813.0))
PLACE = GEOREFERENCED.to_geographic((1.0, -3.0, 0.0))[:2].tolist()
POSE = vf.Camera.perspective((0.0, -20.0, 15.0), (0.0, 0.0, 1.0)).to_matrix()
ROLLED = vf.Camera.perspective((7.5, -20.0, 15.0), (7.5, 0.0, 2.0), (1.0, 0.0, 0.0)).to_matrix()
MOVED = np.zeros((4, 4))
MOVED[0, 3] = 1.0
K = vf.Camera.perspective((0.0, -20.0, 15.0), (0.0, 0.0, 1.0)).intrinsics(SIZE)


def photographic(name: str, **more: Any) -> Callable[[Any], tuple[vf.Scene, dict[str, Any]]]:
    given = {"position": (0.0, -20.0, 15.0), "target": (0.0, 0.0, 1.0), "scale": 100.0, **more}
    return lambda value: (scene(camera=vf.Camera.photographic(**{**given, name: value})), {"lane": "path-traced"})


def feature(name: str, **more: Any) -> Callable[[Any], vf.Scene]:
    given = {"terrain": GEOREFERENCED, **more}
    return lambda value: scene(camera=vf.Camera.look_at_feature(**{**given, name: value}))


def standing(name: str, **more: Any) -> Callable[[Any], vf.Scene]:
    given = {"terrain": GEOREFERENCED, "x": 1.0, "y": -3.0, "above_ground": 4.0, "pitch": -20.0, **more}
    return lambda value: scene(camera=vf.Camera.at(**{**given, name: value}))


def flight(name: str, **more: Any) -> Callable[[Any], vf.Scene]:
    given = {"terrain": GEOREFERENCED, "frames": 5, **more}
    return lambda value: scene(camera=vf.Camera.flyover(**{**given, name: value})[2])


def from_matrix(name: str, **more: Any) -> Callable[[Any], vf.Scene]:
    return lambda value: scene(camera=vf.Camera.from_matrix(**{"matrix": POSE, **more, name: value}))


def passing(name: str, **more: Any) -> Callable[[Any], tuple[Any, dict[str, Any]]]:
    """A scene whose camera passes by while the shutter is open."""

    def at(t: float) -> vf.Scene:
        return scene(LEVEL, camera=vf.Camera.perspective((2.0 + t, -24.0, 16.0), (t * t, 0.0, 1.0)))

    given = {"at": at, "open": 0.0, "close": 1.0, **more}
    return lambda value: (vf.MovingScene(**{**given, name: value}), {"samples": 8})


def shuttered(name: str) -> Callable[[Any], tuple[Any, dict[str, Any]]]:
    def make(value: Any) -> tuple[Any, dict[str, Any]]:
        shutter = vf.Shutter(**{name: value})
        opens, closes = shutter.interval(1.0)
        return passing("close", open=opens, ramp=shutter.ramp)(closes)

    return make


LEVEL = terrain()
FOLDER = tempfile.TemporaryDirectory()


def photo(longitude_seconds: float) -> str:
    """A photograph of 36 mm film taken over GEOREFERENCED, looking north."""
    picture, path = Image.new("RGB", (32, 20)), f"{FOLDER.name}/{longitude_seconds}.jpg"
    exif = picture.getexif()
    exif.get_ifd(0x8769)[0xA405] = 24
    place = {1: "N", 2: (36.0, 8.0, 34.6), 3: "W", 4: (86.0, 59.0, longitude_seconds), 6: 11.0, 17: 0.0}
    exif.get_ifd(0x8825).update(place)
    picture.save(path, exif=exif)
    return path


PHOTO, OTHER_PHOTO = photo(59.66), photo(59.6)


def from_exif(name: str) -> Callable[[Any], vf.Scene]:
    given = {"path": PHOTO, "terrain": GEOREFERENCED, "pitch": -50.0}
    return lambda value: scene(camera=vf.Camera.from_exif(**{**given, name: value}))


NAMED: dict[str, Callable[..., Any]] = {
    "Settings": vf.Settings,
    "Settings.preset": vf.Settings.preset,
    "Settings.load": vf.Settings.load,
    "CameraExposure": vf.CameraExposure,
    "AutoExposure": vf.AutoExposure,
    "Tonemap": vf.Tonemap,
    "Grade": vf.Grade,
    "Lut": vf.Lut,
    "Lut.open": vf.Lut.open,
    "Camera.perspective": vf.Camera.perspective,
    "Camera.orbit": vf.Camera.orbit,
    "Camera.orthographic": vf.Camera.orthographic,
    "Camera.map": vf.Camera.map,
    "Camera.photographic": vf.Camera.photographic,
    "Camera.panorama": vf.Camera.panorama,
    "Camera.fisheye": vf.Camera.fisheye,
    "Camera.oblique": vf.Camera.oblique,
    "Camera.at": vf.Camera.at,
    "Camera.look_at_feature": vf.Camera.look_at_feature,
    "Camera.flyover": vf.Camera.flyover,
    "Camera.from_matrix": vf.Camera.from_matrix,
    "Camera.from_exif": vf.Camera.from_exif,
    "Sun": vf.Sun,
    "Sun.at": vf.Sun.at,
    "Sky": vf.Sky,
    "GradientSky": vf.GradientSky,
    "Sky.uniform": vf.Sky.uniform,
    "Sky.gradient": vf.Sky.gradient,
    "Environment": vf.Environment,
    "Material": vf.Material,
    "Terrain": vf.Terrain,
    "Scene": vf.Scene,
    "Fog": vf.Fog,
    "Clouds": vf.Clouds,
    "Water": vf.Water,
    "Water.map": vf.Water.map,
    "WaterTint": vf.WaterTint,
    "PointLight": vf.PointLight,
    "SpotLight": vf.SpotLight,
    "Scene.portrait": vf.Scene.portrait,
    "Scene.relief": vf.Scene.relief,
    "MovingScene": vf.MovingScene,
    "Shutter": vf.Shutter,
    "Lens": vf.Lens,
    "Bloom": vf.Bloom,
    "Grain": vf.Grain,
    "Miniature": vf.Miniature,
}
TABLE: dict[str, Row] = {
    "Settings.samples": Row(with_setting("samples"), 1, 2),
    "Settings.sun_rays": Row(with_setting("sun_rays"), DEFAULT, 3, "sun_visibility"),
    "Settings.sky_rays": Row(with_setting("sky_rays"), DEFAULT, 0, "sky_visibility"),
    "Settings.max_depth": Row(path_traced("max_depth"), DEFAULT, 2),
    "Settings.time_limit": Row(path_traced("time_limit", samples=64), DEFAULT, 1e-6),
    "Settings.noise_threshold": Row(path_traced("noise_threshold", samples=64), DEFAULT, 10.0),
    "Settings.ao_rays": Row(with_setting("ao_rays"), DEFAULT, 65, "ambient_occlusion"),
    "Settings.ao_distance": Row(with_setting("ao_distance"), DEFAULT, 0.5, "ambient_occlusion"),
    "Settings.motion_blur": Row(lambda v: (passing("ramp")(0.0)[0], {"motion_blur": v}), DEFAULT, "vectors"),
    "Settings.aov_effects": Row(
        lambda v: (scene(), {"aov_effects": v, "lens": vf.Lens(vignette=1.0)}),
        DEFAULT,
        True,
        "direct",
    ),
    "MovingScene.at": Row(passing("at"), lambda t: scene(LEVEL), lambda t: scene(LEVEL, sun=vf.Sun(90 + 90 * t, 30))),
    "MovingScene.open": Row(passing("open"), 0.0, -3.0),
    "MovingScene.close": Row(passing("close"), 1.0, 5.0),
    "MovingScene.ramp": Row(passing("ramp", close=6.0), DEFAULT, 0.5),
    "Shutter.angle": Row(shuttered("angle"), 10.0, 360.0),
    "Shutter.seconds": Row(shuttered("seconds"), 0.1, 1.0),
    "Shutter.centre": Row(shuttered("centre"), DEFAULT, 0.5),
    "Shutter.ramp": Row(shuttered("ramp"), DEFAULT, 0.5),
    "Settings.seed": Row(with_setting("seed"), DEFAULT, 1, "sky_visibility"),
    "Settings.exposure": Row(with_setting("exposure"), DEFAULT, 1.5, "rgba"),
    "Settings.tonemap": Row(with_setting("tonemap"), DEFAULT, "agx", "rgba"),
    "Settings.denoise": Row(with_setting("denoise"), DEFAULT, "atrous"),
    "Camera.perspective.position": Row(
        with_camera(vf.Camera.perspective, "position", target=(0, 0, 1)), (0, -20, 15), (3, -20, 15), "depth"
    ),
    "Camera.perspective.target": Row(
        with_camera(vf.Camera.perspective, "target", position=(0, -20, 15)), (0, 0, 1), (1, 0, 1), "depth"
    ),
    "Camera.perspective.up": Row(with_camera(vf.Camera.perspective, "up", **PERSPECTIVE), DEFAULT, (1, 0, 1), "depth"),
    "Camera.perspective.fov": Row(with_camera(vf.Camera.perspective, "fov", **PERSPECTIVE), DEFAULT, 60.0, "depth"),
    "Camera.perspective.fov_x": Row(with_camera(vf.Camera.perspective, "fov_x", **PERSPECTIVE), DEFAULT, 30.0, "depth"),
    "Camera.perspective.aperture_radius": Row(path_traced_camera("aperture_radius"), DEFAULT, 1.0),
    "Camera.perspective.focus_distance": Row(path_traced_camera("focus_distance", aperture_radius=1.0), DEFAULT, 9.0),
    "Camera.orbit.terrain": Row(
        lambda value: scene(camera=vf.Camera.orbit(value)), terrain(), terrain(cell_size=2.0), "depth"
    ),
    "Camera.orbit.azimuth": Row(with_camera(vf.Camera.orbit, "azimuth", **ORBIT), DEFAULT, 20.0, "depth"),
    "Camera.orbit.elevation": Row(with_camera(vf.Camera.orbit, "elevation", **ORBIT), DEFAULT, 60.0, "depth"),
    "Camera.orbit.distance": Row(with_camera(vf.Camera.orbit, "distance", **ORBIT), DEFAULT, 90.0, "depth"),
    "Camera.orbit.fov": Row(with_camera(vf.Camera.orbit, "fov", **ORBIT), DEFAULT, 15.0, "depth"),
    "Camera.orbit.target": Row(with_camera(vf.Camera.orbit, "target", **ORBIT), DEFAULT, (3.0, 0.0, 0.0), "depth"),
    "Camera.orbit.aspect": Row(with_camera(vf.Camera.orbit, "aspect", **ORBIT), DEFAULT, 0.5, "depth"),
    "Camera.orthographic.position": Row(
        with_camera(vf.Camera.orthographic, "position", target=(0, 0, 1), height=12.0),
        (0, -20, 15),
        (3, -20, 15),
        "depth",
    ),
    "Camera.orthographic.target": Row(
        with_camera(vf.Camera.orthographic, "target", position=(0, -20, 15), height=12.0), (0, 0, 1), (2, 0, 1), "depth"
    ),
    "Camera.orthographic.up": Row(
        with_camera(vf.Camera.orthographic, "up", **ORTHOGRAPHIC), DEFAULT, (1, 0, 1), "depth"
    ),
    "Camera.orthographic.height": Row(with_camera(vf.Camera.orthographic, "height", **PERSPECTIVE), 12.0, 6.0, "depth"),
    "Camera.map.terrain": Row(
        lambda value: scene(value, camera=vf.Camera.map(value)), terrain(), terrain(ROUGH[:9]), "size"
    ),
    "Sun.azimuth": Row(with_sun("azimuth"), DEFAULT, 90.0),
    "Sun.elevation": Row(with_sun("elevation"), DEFAULT, 15.0, "sun_visibility"),
    "Sun.irradiance": Row(with_sun("irradiance"), DEFAULT, (3.0, 3.0, 2.0)),
    "Sun.angular_diameter": Row(with_sun("angular_diameter"), DEFAULT, 30.0, "sun_visibility"),
    "Sun.at.latitude": Row(with_sun_at("latitude"), 47.0, 52.0),
    "Sun.at.longitude": Row(with_sun_at("longitude"), 8.0, 20.0),
    "Sun.at.when": Row(with_sun_at("when"), NOON, NOON + timedelta(hours=3)),
    "Sun.at.irradiance": Row(with_sun_at("irradiance"), DEFAULT, (3.0, 3.0, 2.0)),
    "Sun.at.terrain": Row(with_sun_at("terrain"), DEFAULT, GEOREFERENCED),
    "Sun.at.angular_diameter": Row(with_sun_at("angular_diameter"), DEFAULT, 30.0, "sun_visibility"),
    "GradientSky.zenith": Row(with_sky(vf.GradientSky, "zenith"), DEFAULT, (0.12, 0.158, 0.5)),
    "GradientSky.horizon": Row(with_sky(vf.GradientSky, "horizon"), DEFAULT, (0.5, 0.21, 0.23)),
    "GradientSky.ground": Row(looking_down, DEFAULT, (0.1, 0.2, 0.0)),
    "Sky.turbidity": Row(with_sky(vf.Sky, "turbidity"), DEFAULT, 2.0),
    "Sky.ground_albedo": Row(with_sky(vf.Sky, "ground_albedo"), DEFAULT, (0.3, 0.3, 0.6)),
    "Sky.ground_radius": Row(with_sky(vf.Sky, "ground_radius"), DEFAULT, 6400e3),
    "Sky.top_radius": Row(with_sky(vf.Sky, "top_radius"), DEFAULT, 6420e3),
    "Sky.rayleigh_scattering": Row(with_sky(vf.Sky, "rayleigh_scattering"), DEFAULT, 1e-5),
    "Sky.rayleigh_scale_height": Row(with_sky(vf.Sky, "rayleigh_scale_height"), DEFAULT, 9000.0),
    "Sky.mie_scattering": Row(with_sky(vf.Sky, "mie_scattering"), DEFAULT, 2e-6),
    "Sky.mie_extinction": Row(with_sky(vf.Sky, "mie_extinction"), DEFAULT, 6e-6),
    "Sky.mie_scale_height": Row(with_sky(vf.Sky, "mie_scale_height"), DEFAULT, 2000.0),
    "Sky.mie_anisotropy": Row(with_sky(vf.Sky, "mie_anisotropy"), DEFAULT, 0.5),
    "Sky.ozone_absorption": Row(with_sky(vf.Sky, "ozone_absorption"), DEFAULT, 0.0),
    "Sky.ozone_altitude": Row(with_sky(vf.Sky, "ozone_altitude"), DEFAULT, 10e3),
    "Sky.ozone_half_width": Row(with_sky(vf.Sky, "ozone_half_width"), DEFAULT, 5e3),
    "Sky.aerial_perspective": Row(with_sky(vf.Sky, "aerial_perspective"), DEFAULT, 50.0),
    "Sky.uniform.radiance": Row(with_sky(vf.Sky.uniform, "radiance"), 0.3, (0.3, 0.3, 0.4)),
    "Sky.gradient.zenith": Row(with_sky(vf.Sky.gradient, "zenith"), DEFAULT, 0.5),
    "Sky.gradient.horizon": Row(with_sky(vf.Sky.gradient, "horizon"), DEFAULT, 0.5),
    "Sky.gradient.ground": Row(looking_down_at_a_gradient, DEFAULT, 0.2),
    "Material.roughness": Row(with_material("roughness", specular=0.9), DEFAULT, 0.3),
    "Material.metallic": Row(with_material("metallic", **SHINY), DEFAULT, 1.0),
    "Material.specular": Row(with_material("specular", roughness=0.4), DEFAULT, 0.5),
    "Material.metallic_roughness_map": Row(
        with_material("metallic_roughness_map", metallic=1.0, specular=0.5), DEFAULT, IMAGE
    ),
    "Material.normal_map": Row(with_material("normal_map"), DEFAULT, NORMALS, "normal"),
    "Material.normal_strength": Row(with_material("normal_strength", normal_map=NORMALS), DEFAULT, 0.5),
    "Material.detail_normal_map": Row(with_material("detail_normal_map"), DEFAULT, NORMALS, "normal"),
    "Material.detail_normal_period": Row(
        with_material("detail_normal_period", detail_normal_map=NORMALS), DEFAULT, 3.0, "normal"
    ),
    "Material.detail_normal_strength": Row(
        with_material("detail_normal_strength", detail_normal_map=NORMALS), DEFAULT, 0.5, "normal"
    ),
    "Material.emission": Row(with_material("emission"), DEFAULT, (0.1, 0.2, 0.3)),
    "Material.emission_map": Row(with_material("emission_map", emission=1.0), DEFAULT, IMAGE),
    "Terrain.heights": Row(with_terrain("heights"), ROUGH, ROUGH * 0.5, "depth"),
    "Terrain.cell_size": Row(with_terrain("cell_size"), DEFAULT, (1.0, 1.2), "depth"),
    "Terrain.albedo": Row(with_terrain("albedo"), DEFAULT, IMAGE, "albedo"),
    "Terrain.cmap": Row(with_terrain("cmap"), DEFAULT, "vkforge.relief", "albedo"),
    "Terrain.cmap_data": Row(with_terrain("cmap_data", cmap="vkforge.relief"), DEFAULT, RASTER, "albedo"),
    "Terrain.vmin": Row(with_terrain("vmin", cmap="vkforge.relief"), DEFAULT, 2.0, "albedo"),
    "Terrain.vmax": Row(with_terrain("vmax", cmap="vkforge.relief"), DEFAULT, 2.0, "albedo"),
    "Terrain.percentiles": Row(with_terrain("percentiles", cmap="vkforge.relief"), DEFAULT, (20, 80), "albedo"),
    "Terrain.material": Row(with_terrain("material"), DEFAULT, vf.Material(**SHINY)),
    "Terrain.vertical_exaggeration": Row(with_terrain("vertical_exaggeration"), DEFAULT, 1.5, "depth"),
    "Terrain.skirt": Row(with_terrain("skirt"), DEFAULT, "auto", "hit"),
    "Terrain.floor": Row(with_terrain("floor", heights=TORN, skirt=-0.2), DEFAULT, False, "hit"),
    "Terrain.skirt_color": Row(with_terrain("skirt_color", skirt=-4.0), DEFAULT, "crimson", "albedo"),
    "Terrain.crs": Row(on_a_map("crs", transform=TRANSFORM), DEFAULT, "EPSG:32616", "georeference"),
    "Terrain.transform": Row(on_a_map("transform", crs="EPSG:32616"), DEFAULT, TRANSFORM, "georeference"),
    "Scene.terrain": Row(scene, terrain(), terrain(ROUGH[::-1]), "depth"),
    "Scene.camera": Row(lambda value: scene(camera=value), DEFAULT, vf.Camera.orbit(terrain(), azimuth=70.0), "depth"),
    "Scene.sun": Row(lambda value: scene(sun=value), DEFAULT, None),
    "Scene.sky": Row(lambda value: scene(sky=value), DEFAULT, None),
    "Scene.background": Row(lambda value: scene(background=value), DEFAULT, "tomato"),
    "Scene.portrait.terrain": Row(vf.Scene.portrait, terrain(), terrain(ROUGH[::-1]), "depth"),
    "Scene.portrait.size": Row(lambda value: vf.Scene.portrait(terrain(), value), DEFAULT, (20, 60), "depth"),
    "Scene.relief.terrain": Row(vf.Scene.relief, terrain(), terrain(ROUGH[::-1])),
    "Environment.radiance": Row(with_environment("radiance"), MAP, MAP[::-1]),
    "Environment.rotation": Row(with_environment("rotation"), DEFAULT, 45.0),
    "Environment.intensity": Row(with_environment("intensity"), DEFAULT, 2.0),
    "Scene.fog": Row(lambda value: scene(fog=value), DEFAULT, vf.Fog(0.01)),
    "Scene.lights": Row(lambda value: scene(lights=value), DEFAULT, [vf.PointLight((0.0, 0.0, 9.0), 50.0)]),
    "Fog.scattering": Row(with_fog("scattering"), 0.01, (0.01, 0.01, 0.02)),
    "Fog.absorption": Row(with_fog("absorption"), DEFAULT, 0.01),
    "Fog.anisotropy": Row(with_fog("anisotropy"), DEFAULT, 0.6),
    "Fog.base": Row(with_fog("base", scale_height=3.0), DEFAULT, 2.0),
    "Fog.scale_height": Row(with_fog("scale_height"), DEFAULT, 3.0),
    "Fog.density": Row(with_fog("density", bounds=BOX), DEFAULT, RNG.random((2, 3, 4))),
    "Fog.bounds": Row(with_fog("bounds"), DEFAULT, BOX),
    "PointLight.position": Row(with_light(vf.PointLight, "position"), (0.0, 0.0, 9.0), (2.0, 0.0, 9.0)),
    "PointLight.intensity": Row(with_light(vf.PointLight, "intensity"), 50.0, (50.0, 50.0, 60.0)),
    "SpotLight.position": Row(with_light(vf.SpotLight, "position", **SPOT), (0.0, 0.0, 9.0), (2.0, 0.0, 9.0)),
    "SpotLight.target": Row(with_light(vf.SpotLight, "target", **SPOT), (0.0, 0.0, 0.0), (2.0, 1.0, 0.0)),
    "SpotLight.intensity": Row(with_light(vf.SpotLight, "intensity", **SPOT), 50.0, (50.0, 50.0, 60.0)),
    "SpotLight.cone_angle": Row(with_light(vf.SpotLight, "cone_angle", **SPOT), DEFAULT, 60.0),
    "SpotLight.blend": Row(with_light(vf.SpotLight, "blend", **SPOT), DEFAULT, 0.9),
    "Scene.clouds": Row(lambda value: scene(clouds=value), DEFAULT, vf.Clouds(**CLOUDS)),
    "Clouds.coverage": Row(with_clouds("coverage"), DEFAULT, 0.8),
    "Clouds.base": Row(with_clouds("base"), 20.0, 22.0),
    "Clouds.thickness": Row(with_clouds("thickness"), 10.0, 13.0),
    "Clouds.extinction": Row(with_clouds("extinction"), 1.0, 0.5),
    "Clouds.size": Row(with_clouds("size"), 10.0, 15.0),
    "Clouds.anisotropy": Row(with_clouds("anisotropy"), DEFAULT, 0.0),
    "Clouds.seed": Row(with_clouds("seed"), DEFAULT, 1),
    "Scene.water": Row(lambda value: scene(water=value), DEFAULT, vf.Water(2.5), "water"),
    "Water.level": Row(with_water("level"), 2.5, 2.0, "depth"),
    "Water.mask": Row(with_water("mask"), DEFAULT, RASTER, "water"),
    "Water.absorption": Row(with_water("absorption"), DEFAULT, 1.0),
    "Water.scattering": Row(with_water("scattering"), DEFAULT, 1.0),
    "Water.ior": Row(with_water("ior"), DEFAULT, 1.5),
    "Water.wave_height": Row(with_water("wave_height"), DEFAULT, 0.05, "normal"),
    "Water.wave_length": Row(with_water("wave_length", wave_height=0.1), 9.0, 12.0, "normal"),
    "Water.roughness": Row(with_water("roughness"), DEFAULT, 0.4),
    "Water.tint": Row(with_water("tint"), DEFAULT, vf.WaterTint()),
    "Water.map.level": Row(on_a_map_with_water("level"), 2.5, 2.0, "depth"),
    "Water.map.color": Row(on_a_map_with_water("color"), DEFAULT, "tomato", "albedo"),
    "Water.map.mask": Row(on_a_map_with_water("mask"), DEFAULT, RASTER, "water"),
    "Water.map.shallow": Row(on_a_map_with_water("shallow"), DEFAULT, "tomato", "albedo"),
    "Water.map.fade": Row(on_a_map_with_water("fade"), DEFAULT, 0.1, "albedo"),
    "WaterTint.deep": Row(with_tint("deep"), DEFAULT, "tomato", "albedo"),
    "WaterTint.shallow": Row(with_tint("shallow"), DEFAULT, "tomato", "albedo"),
    "WaterTint.fade": Row(with_tint("fade"), DEFAULT, 0.1, "albedo"),
    "Water.seed": Row(with_water("seed", wave_height=0.1, wave_length=9.0), DEFAULT, 1, "normal"),
    "Settings.grade": Row(with_setting("grade"), DEFAULT, vf.Grade(contrast=1.2), "rgba"),
    "Settings.lut": Row(with_setting("lut"), DEFAULT, vf.Lut(COLORS), "rgba"),
    "Settings.dither": Row(with_setting("dither"), DEFAULT, True, "rgba"),
    "Settings.primaries": Row(with_setting("primaries"), DEFAULT, "rec2020"),
    "Settings.preset.name": Row(with_preset, "daylight", "swiss", "rgba"),
    "Settings.load.path": Row(with_loaded, "exposure = 1.0", "exposure = 2.0", "rgba"),
    "CameraExposure.f_number": Row(with_group("exposure", vf.CameraExposure, "f_number"), DEFAULT, 11.0, "rgba"),
    "CameraExposure.shutter": Row(with_group("exposure", vf.CameraExposure, "shutter"), DEFAULT, 0.02, "rgba"),
    "CameraExposure.iso": Row(with_group("exposure", vf.CameraExposure, "iso"), DEFAULT, 200.0, "rgba"),
    "CameraExposure.compensation": Row(with_group("exposure", vf.CameraExposure, "compensation"), DEFAULT, 1.0, "rgba"),
    "CameraExposure.luminance": Row(with_group("exposure", vf.CameraExposure, "luminance"), DEFAULT, 1e4, "rgba"),
    "AutoExposure.percentiles": Row(with_group("exposure", vf.AutoExposure, "percentiles"), DEFAULT, (50, 99), "rgba"),
    "AutoExposure.min_stops": Row(with_group("exposure", vf.AutoExposure, "min_stops"), DEFAULT, 1.0, "rgba"),
    "AutoExposure.max_stops": Row(with_group("exposure", vf.AutoExposure, "max_stops"), DEFAULT, -3.0, "rgba"),
    "AutoExposure.compensation": Row(with_group("exposure", vf.AutoExposure, "compensation"), DEFAULT, 1.0, "rgba"),
    "AutoExposure.key": Row(with_group("exposure", vf.AutoExposure, "key"), DEFAULT, 0.3, "rgba"),
    "Tonemap.operator": Row(with_group("tonemap", vf.Tonemap, "operator"), "agx", "hable", "rgba"),
    "Tonemap.white": Row(with_group("tonemap", vf.Tonemap, "white", operator="reinhard"), DEFAULT, 2.0, "rgba"),
    "Tonemap.coefficients": Row(
        with_group("tonemap", vf.Tonemap, "coefficients", operator="hable"),
        DEFAULT,
        (0.3, 0.5, 0.1, 0.2, 0.02, 0.3),
        "rgba",
    ),
    "Tonemap.contrast": Row(with_group("tonemap", vf.Tonemap, "contrast", operator="agx"), DEFAULT, 1.4, "rgba"),
    "Tonemap.saturation": Row(with_group("tonemap", vf.Tonemap, "saturation", operator="agx"), DEFAULT, 1.9, "rgba"),
    "Tonemap.start": Row(with_group("tonemap", vf.Tonemap, "start", operator="neutral"), DEFAULT, 0.3, "rgba"),
    "Tonemap.desaturation": Row(
        with_group("tonemap", vf.Tonemap, "desaturation", operator="neutral", start=0.1), DEFAULT, 3.0, "rgba"
    ),
    "Grade.temperature": Row(with_group("grade", vf.Grade, "temperature"), DEFAULT, 5000.0, "rgba"),
    "Grade.tint": Row(with_group("grade", vf.Grade, "tint"), DEFAULT, 40.0, "rgba"),
    "Grade.contrast": Row(with_group("grade", vf.Grade, "contrast"), DEFAULT, 1.3, "rgba"),
    "Grade.saturation": Row(with_group("grade", vf.Grade, "saturation"), DEFAULT, 0.0, "rgba"),
    "Grade.lift": Row(with_group("grade", vf.Grade, "lift"), DEFAULT, 0.1, "rgba"),
    "Grade.gamma": Row(with_group("grade", vf.Grade, "gamma"), DEFAULT, (1.0, 1.0, 1.2), "rgba"),
    "Grade.gain": Row(with_group("grade", vf.Grade, "gain"), DEFAULT, 0.9, "rgba"),
    "Lut.table": Row(with_group("lut", vf.Lut, "table"), COLORS, COLORS**2, "rgba"),
    "Lut.space": Row(with_group("lut", vf.Lut, "space", table=COLORS), DEFAULT, "scene", "rgba"),
    "Lut.domain_min": Row(with_group("lut", vf.Lut, "domain_min", table=COLORS), DEFAULT, (0.2, 0.0, 0.0), "rgba"),
    "Lut.domain_max": Row(with_group("lut", vf.Lut, "domain_max", table=COLORS), DEFAULT, (1.0, 2.0, 1.0), "rgba"),
    "Lut.shaper": Row(with_group("lut", vf.Lut, "shaper", table=COLORS), DEFAULT, CURVES, "rgba"),
    "Lut.shaper_range": Row(
        with_group("lut", vf.Lut, "shaper_range", table=COLORS, shaper=CURVES), DEFAULT, (0.0, 2.0), "rgba"
    ),
    "Lut.open.path": Row(with_table, (COLORS, "display"), (COLORS**2, "display"), "rgba"),
    "Lut.open.space": Row(with_table, (COLORS, "display"), (COLORS, "scene"), "rgba"),
    "Scene.portrait.preset": Row(lambda value: vf.Scene.portrait(terrain(), preset=value), DEFAULT, "overcast"),
    "Scene.relief.preset": Row(lambda value: vf.Scene.relief(terrain(), preset=value), DEFAULT, "studio-relief"),
    "Scene.relief.water": Row(lambda value: vf.Scene.relief(terrain(), water=value), DEFAULT, 2.5, "water"),
    "Camera.perspective.blades": Row(path_traced_camera("blades", aperture_radius=1.0), DEFAULT, 5),
    "Camera.perspective.blade_rotation": Row(
        path_traced_camera("blade_rotation", aperture_radius=1.0, blades=3), DEFAULT, 20.0
    ),
    "Camera.perspective.tilt": Row(path_traced_camera("tilt", aperture_radius=1.0), DEFAULT, (0.0, 50.0)),
    "Camera.perspective.shift": Row(with_camera(vf.Camera.perspective, "shift", **PERSPECTIVE), DEFAULT, (0.1, 0.0)),
    "Camera.photographic.position": Row(photographic("position"), (0, -20, 15), (3, -20, 15), "depth"),
    "Camera.photographic.target": Row(photographic("target"), (0, 0, 1), (1, 0, 1), "depth"),
    "Camera.photographic.up": Row(photographic("up"), DEFAULT, (1, 0, 1), "depth"),
    "Camera.photographic.focal_length": Row(photographic("focal_length"), DEFAULT, 85.0, "depth"),
    "Camera.photographic.sensor": Row(photographic("sensor"), DEFAULT, (24.0, 16.0), "depth"),
    "Camera.photographic.f_number": Row(photographic("f_number"), DEFAULT, 8.0),
    "Camera.photographic.focus_distance": Row(photographic("focus_distance"), DEFAULT, 12.0),
    "Camera.photographic.focus_on": Row(photographic("focus_on"), DEFAULT, (0.0, -8.0, 1.0)),
    "Camera.photographic.scale": Row(photographic("scale"), 100.0, 30.0),
    "Camera.photographic.blades": Row(photographic("blades"), DEFAULT, 5),
    "Camera.photographic.blade_rotation": Row(photographic("blade_rotation", blades=3), DEFAULT, 20.0),
    "Camera.photographic.lens_tilt": Row(photographic("lens_tilt"), DEFAULT, (0.0, 8.0)),
    "Camera.photographic.shift": Row(photographic("shift"), DEFAULT, (0.1, 0.0), "depth"),
    "Camera.panorama.position": Row(with_camera(vf.Camera.panorama, "position"), ABOVE, (1.0, 2.0, 9.0), "depth"),
    "Camera.panorama.bearing": Row(with_camera(vf.Camera.panorama, "bearing", position=ABOVE), DEFAULT, 40.0, "depth"),
    "Camera.panorama.elevation": Row(
        with_camera(vf.Camera.panorama, "elevation", position=ABOVE, fov=60.0), DEFAULT, -20.0, "depth"
    ),
    "Camera.panorama.fov_x": Row(
        with_camera(vf.Camera.panorama, "fov_x", position=ABOVE, fov=90.0), DEFAULT, 200.0, "depth"
    ),
    "Camera.panorama.fov": Row(with_camera(vf.Camera.panorama, "fov", position=ABOVE), DEFAULT, 120.0, "depth"),
    "Camera.fisheye.position": Row(
        with_camera(vf.Camera.fisheye, "position", target=(0, 9, 0)), ABOVE, (1.0, 2.0, 9.0), "depth"
    ),
    "Camera.fisheye.target": Row(
        with_camera(vf.Camera.fisheye, "target", position=ABOVE), (0, 9, 0), (5, 9, 0), "depth"
    ),
    "Camera.fisheye.up": Row(with_camera(vf.Camera.fisheye, "up", **FISHEYE), DEFAULT, (1, 0, 1), "depth"),
    "Camera.fisheye.fov": Row(with_camera(vf.Camera.fisheye, "fov", **FISHEYE), DEFAULT, 130.0, "depth"),
    "Camera.fisheye.mapping": Row(with_camera(vf.Camera.fisheye, "mapping", **FISHEYE), DEFAULT, "equisolid", "depth"),
    "Camera.fisheye.full_frame": Row(with_camera(vf.Camera.fisheye, "full_frame", **FISHEYE), DEFAULT, True, "depth"),
    "Camera.oblique.terrain": Row(
        lambda value: scene(value, camera=vf.Camera.oblique(value)), terrain(), terrain(ROUGH[:9]), "size"
    ),
    "Camera.oblique.azimuth": Row(with_camera(vf.Camera.oblique, "azimuth", **ORBIT), DEFAULT, 120.0, "depth"),
    "Camera.oblique.angle": Row(with_camera(vf.Camera.oblique, "angle", **ORBIT), DEFAULT, 30.0, "depth"),
    "Camera.oblique.z_scale": Row(with_camera(vf.Camera.oblique, "z_scale", **ORBIT), DEFAULT, 0.5, "depth"),
    "Camera.oblique.north_up": Row(
        with_camera(vf.Camera.oblique, "north_up", azimuth=140.0, **ORBIT), DEFAULT, False, "depth"
    ),
    "Camera.map.pixels": Row(
        lambda value: scene(OBLONG, camera=vf.Camera.map(OBLONG, pixels=value)), DEFAULT, "samples", "size"
    ),
    "Camera.look_at_feature.terrain": Row(
        lambda value: scene(camera=vf.Camera.look_at_feature(value)), terrain(), terrain(ROUGH[::-1]), "depth"
    ),
    "Camera.at.terrain": Row(standing("terrain"), terrain(), terrain(ROUGH * 0.5), "depth"),
    "Camera.at.lon": Row(standing("lon", x=None, y=None, lat=PLACE[1]), PLACE[0], PLACE[0] + 2e-5, "depth"),
    "Camera.at.lat": Row(standing("lat", x=None, y=None, lon=PLACE[0]), PLACE[1], PLACE[1] + 2e-5, "depth"),
    "Camera.at.x": Row(standing("x"), 1.0, 2.0, "depth"),
    "Camera.at.y": Row(standing("y"), -3.0, -4.0, "depth"),
    "Camera.at.above_ground": Row(standing("above_ground"), DEFAULT, 5.0, "depth"),
    "Camera.at.bearing": Row(standing("bearing"), DEFAULT, 33.0, "depth"),
    "Camera.at.pitch": Row(standing("pitch"), DEFAULT, -40.0, "depth"),
    "Camera.at.fov": Row(standing("fov"), DEFAULT, 70.0, "depth"),
    "Camera.look_at_feature.where": Row(feature("where"), DEFAULT, "lowest", "depth"),
    "Camera.look_at_feature.azimuth": Row(feature("azimuth", elevation=60.0), DEFAULT, 33.0, "depth"),
    "Camera.look_at_feature.elevation": Row(feature("elevation", azimuth=200.0), 50.0, 60.0, "depth"),
    "Camera.look_at_feature.distance": Row(feature("distance"), DEFAULT, 12.0, "depth"),
    "Camera.look_at_feature.fov": Row(feature("fov"), DEFAULT, 60.0, "depth"),
    "Camera.look_at_feature.crs": Row(
        feature("crs", where=(500_006.0, 3_999_806.0)), "EPSG:32616", "EPSG:26916", "depth"
    ),
    "Camera.flyover.terrain": Row(
        lambda value: scene(camera=vf.Camera.flyover(value, frames=5)[2]), terrain(), terrain(ROUGH * 2.0), "depth"
    ),
    "Camera.flyover.path": Row(flight("path"), DEFAULT, [(-5.0, 3.0), (6.0, -2.0)], "depth"),
    "Camera.flyover.frames": Row(flight("frames"), 5, 9, "depth"),
    "Camera.flyover.above_ground": Row(flight("above_ground"), DEFAULT, 3.0, "depth"),
    "Camera.flyover.pitch": Row(flight("pitch"), DEFAULT, -40.0, "depth"),
    "Camera.flyover.fov": Row(flight("fov"), DEFAULT, 70.0, "depth"),
    "Camera.flyover.crs": Row(
        flight("crs", path=[(500_003.0, 3_999_803.0), (500_012.0, 3_999_809.0)]), "EPSG:32616", "EPSG:26916", "depth"
    ),
    "Camera.from_matrix.matrix": Row(from_matrix("matrix"), POSE, POSE + MOVED, "depth"),
    "Camera.from_matrix.convention": Row(from_matrix("convention"), DEFAULT, "opencv", "hit"),
    "Camera.from_matrix.to": Row(from_matrix("to", matrix=ROLLED), DEFAULT, "camera", "hit"),
    "Camera.from_matrix.fov": Row(from_matrix("fov"), DEFAULT, 60.0, "depth"),
    "Camera.from_matrix.fov_x": Row(from_matrix("fov_x"), DEFAULT, 30.0, "depth"),
    "Camera.from_matrix.intrinsics": Row(from_matrix("intrinsics", size=SIZE), K, K * (1, 1, 1.3), "depth"),
    "Camera.from_matrix.size": Row(from_matrix("size", intrinsics=K), SIZE, (16, 10), "depth"),
    "Camera.from_exif.path": Row(from_exif("path"), PHOTO, OTHER_PHOTO, "depth"),
    "Camera.from_exif.terrain": Row(
        lambda value: scene(camera=vf.Camera.from_exif(PHOTO, value, pitch=-50.0)),
        GEOREFERENCED,
        terrain(crs="EPSG:32616", transform=(1.0, 0.0, 499_999.0, 0.0, -1.0, 3_999_815.0)),
        "depth",
    ),
    "Camera.from_exif.position": Row(from_exif("position"), DEFAULT, (0.0, -9.0, 8.0), "depth"),
    "Camera.from_exif.bearing": Row(from_exif("bearing"), DEFAULT, 30.0, "depth"),
    "Camera.from_exif.pitch": Row(from_exif("pitch"), DEFAULT, -20.0, "depth"),
    "Camera.from_exif.fov_x": Row(from_exif("fov_x"), DEFAULT, 80.0, "depth"),
    "Settings.lens": Row(with_setting("lens"), DEFAULT, vf.Lens(vignette=1.0)),
    "Settings.bloom": Row(with_setting("bloom"), DEFAULT, vf.Bloom()),
    "Settings.grain": Row(with_setting("grain"), DEFAULT, vf.Grain(), "rgba"),
    **{
        f"Lens.{name}": Row(with_group("lens", vf.Lens, name), DEFAULT, 0.01, "depth")
        for name in ("k1", "k2", "k3", "p1", "p2")
    },
    "Lens.red": Row(with_group("lens", vf.Lens, "red"), DEFAULT, 0.01),
    "Lens.blue": Row(with_group("lens", vf.Lens, "blue"), DEFAULT, 0.01),
    "Lens.vignette": Row(with_group("lens", vf.Lens, "vignette"), DEFAULT, 0.5),
    "Lens.mask_strength": Row(with_group("lens", vf.Lens, "mask_strength", mask_radius=0.0), DEFAULT, 0.5),
    "Lens.mask_radius": Row(with_group("lens", vf.Lens, "mask_radius", mask_strength=1.0), DEFAULT, 0.3),
    **{
        f"Lens.{name}": Row(with_group("lens", vf.Lens, name, mask_strength=1.0, mask_radius=0.0), DEFAULT, other)
        for name, other in (("mask_softness", 0.2), ("mask_roundness", 0.0))
    },
    "Bloom.intensity": Row(with_group("bloom", vf.Bloom, "intensity"), DEFAULT, 0.5),
    "Bloom.radius": Row(with_group("bloom", vf.Bloom, "radius"), DEFAULT, 0.5),
    "Bloom.threshold": Row(with_group("bloom", vf.Bloom, "threshold"), DEFAULT, 0.3),
    "Grain.amount": Row(with_group("grain", vf.Grain, "amount"), DEFAULT, 0.5, "rgba"),
    "Grain.size": Row(with_group("grain", vf.Grain, "size"), DEFAULT, 3.0, "rgba"),
    "Grain.color": Row(with_group("grain", vf.Grain, "color"), DEFAULT, 1.0, "rgba"),
    "Grain.highlights": Row(with_group("grain", vf.Grain, "highlights"), DEFAULT, 4.0, "rgba"),
    "Grain.frame": Row(with_group("grain", vf.Grain, "frame"), DEFAULT, 1, "rgba"),
    "Settings.miniature": Row(with_setting("miniature"), DEFAULT, vf.Miniature(0.1)),
    **{
        f"Miniature.{name}": Row(with_group("miniature", vf.Miniature, name, radius=0.1), value, other)
        for name, value, other in (
            ("radius", 0.05, 0.1),
            ("center", DEFAULT, 0.3),
            ("width", DEFAULT, 0.3),
            ("fade", DEFAULT, 0.2),
            ("angle", DEFAULT, 20.0),
            ("blades", DEFAULT, 5),
        )
    },
}


def parameters() -> set[str]:
    """Return "callable.parameter" for every public parameter of what makes a picture."""
    return {
        f"{name}.{parameter}"
        for name, function in NAMED.items()
        for parameter in inspect.signature(function).parameters
        if not parameter.startswith("_")
    }


def test_every_parameter_has_a_row() -> None:
    assert parameters() == TABLE.keys()


def test_every_public_class_that_makes_a_picture_is_looked_at() -> None:
    """A new kind of camera or of sky must join the table too."""
    makers = set(NAMED)
    for cls in (vf.Camera, vf.Sky, vf.GradientSky, vf.Sun, vf.Scene, vf.Material, vf.Settings):
        for name, member in vars(cls).items():
            if isinstance(member, classmethod) and not name.startswith("_"):
                assert f"{cls.__name__}.{name}" in makers


def seen(renderer: vf.Renderer, row: Row, value: Any) -> Any:
    """Return what `value` makes of a picture, where the row says to look."""
    made = row.make(value)
    subject, options = made if isinstance(made, tuple) else (made, {})
    aovs = (row.where,) if row.where in vf.AOVS else ()
    size = None if row.where in ("size", "georeference") else SIZE
    image = renderer.render(
        subject, size, aovs=aovs, **{"samples": 1, **({} if "lane" in options else {"sky_rays": 2}), **options}
    )
    if row.where in vf.AOVS:
        return image.aovs[row.where].tobytes()
    look = getattr(image, row.where)
    return look.tobytes() if isinstance(look, np.ndarray) else look


@pytest.mark.parametrize("key", TABLE)
def test_the_parameter_changes_the_picture(renderer: vf.Renderer, key: str) -> None:
    row = TABLE[key]
    name, _, parameter = key.rpartition(".")
    value = inspect.signature(NAMED[name]).parameters[parameter].default if row.value is DEFAULT else row.value
    before = seen(renderer, row, value)
    assert seen(renderer, row, value) == before, f"{key}: the picture changes by itself"
    assert seen(renderer, row, row.other) != before, f"{key} is read by nothing"


# What `render` takes beside the scene and its settings.

RENDER: dict[str, Callable[[vf.Renderer], bool]] = {
    "scene": lambda r: r.render(scene(), SIZE).hdr.tobytes() != r.render(terrain(), SIZE).hdr.tobytes(),
    "size": lambda r: (
        r.render(scene(), (9, 7), samples=1).size == (9, 7) and r.render(scene(), samples=1).size == (1280, 720)
    ),
    "lane": lambda r: r.render(scene(), SIZE, lane="lit").info["lane"] == "lit",
    "aovs": lambda r: list(r.render(scene(), SIZE, aovs=("hit", "depth")).aovs) == ["hit", "depth"],
    "settings": lambda r: r.render(scene(), SIZE, settings=vf.Settings(seed=9)).info["seed"] == 9,
    "progress": lambda r: bool(told(r)),
    "overrides": lambda r: r.render(scene(), SIZE, settings=vf.Settings(seed=9), samples=2).info["samples"] == 2,
}


def told(renderer: vf.Renderer) -> list[tuple[int, int]]:
    calls: list[tuple[int, int]] = []
    renderer.render(scene(), SIZE, progress=lambda *call: calls.append(call))
    return calls


def test_every_argument_of_render_has_a_check() -> None:
    assert inspect.signature(vf.Renderer.render).parameters.keys() - {"self"} == RENDER.keys()
    many = inspect.signature(vf.Renderer.render_many).parameters.keys() - {"self", "scenes"}
    assert many == RENDER.keys() - {"scene", "progress"}


@pytest.mark.parametrize("name", RENDER)
def test_the_argument_of_render_does_something(renderer: vf.Renderer, name: str) -> None:
    assert RENDER[name](renderer)
