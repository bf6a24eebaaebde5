"""The options that commands share, and what their words mean: text from the shell to terrain, scene and settings."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vkforge.aovs import AOVS, check_aovs
from vkforge.errors import InputError, suggest
from vkforge.settings import DENOISERS, LANES, MOTION_BLURS, PRESETS, TONEMAPS, Settings

if TYPE_CHECKING:
    from vkforge.scene import Camera, Fog, Scene, Terrain, Water

PORTRAIT_SIZE = (1920, 1080)

# Of --fog: the optical depth of what is as far as one sees, of which 5 % are left (the meteorological optical range,
# WMO-No. 8); and how much onwards droplets scatter.
FOG_AT_SIGHT, FOG_ANISOTROPY = 3.0, 0.7

# Which options each kind of camera listens to; any other one given with it is an error, not silence.
CAMERA_OPTIONS = {
    "orbit": ("azimuth", "elevation", "distance", "fov", "target"),
    "perspective": ("position", "target", "fov"),
    "orthographic": ("azimuth", "elevation", "position", "target", "height"),
    "oblique": ("azimuth", "elevation"),
    "map": (),
    "panorama": ("position", "target"),
    "fish-eye": ("position", "target", "fov"),
}


def _option(*names: str, panel: str, words: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=words, rich_help_panel=panel, metavar=metavar)


_OUT, _SEE, _GROUND, _LIGHT, _QUALITY = "Output", "Camera", "Ground", "Light", "Quality"

Dem = Annotated[str, typer.Argument(help="Elevation model: GeoTIFF, .npy, .npz, .asc, .hgt, 16-bit PNG or TIFF.")]
Output = Annotated[
    Path | None,
    _option("-o", "--output", panel=_OUT, words="Picture: .png .jpg .webp .exr .tif .npy .npz.", metavar="OUT"),
]
Size = Annotated[str | None, _option("--size", panel=_OUT, words="Pixels, as 1920x1080.", metavar="WxH")]
Aovs = Annotated[
    list[str] | None,
    _option(
        "--aov",
        panel=_OUT,
        metavar="NAME",
        words=f"Also write this buffer (repeatable): {', '.join(AOVS)}, or all. Into OUT where that is .exr or .npz, "
        "else beside it as OUT_NAME.exr (OUT_NAME.tif where OUT is .tif).",
    ),
]
Half = Annotated[
    bool | None,
    _option("--half/--float", panel=_OUT, words="16-bit floats in .exr where they do (the default), or 32 bits."),
]
Device = Annotated[str, _option("--device", panel=_OUT, words="Vulkan device: auto, its number or part of its name.")]
Quiet = Annotated[bool, _option("-q", "--quiet", panel=_OUT, words="Say nothing but errors.")]
Debug = Annotated[bool, _option("--debug", panel=_OUT, words="Show the trace of an error.")]

CameraKind = Annotated[str | None, _option("--camera", panel=_SEE, words=f"{', '.join(CAMERA_OPTIONS)}.")]
Azimuth = Annotated[
    float | None, _option("--azimuth", panel=_SEE, words="Compass bearing from the target to the camera.")
]
Elevation = Annotated[
    float | None, _option("--elevation", panel=_SEE, words="Degrees of the camera above the horizon.")
]
Distance = Annotated[float | None, _option("--distance", panel=_SEE, words="Metres to the target; else all in frame.")]
Fov = Annotated[float | None, _option("--fov", panel=_SEE, words="Vertical angle of view in degrees.")]
Height = Annotated[float | None, _option("--height", panel=_SEE, words="Metres from bottom to top (orthographic).")]
Position = Annotated[str | None, _option("--position", panel=_SEE, words="Of the camera, in metres.", metavar="X,Y,Z")]
Target = Annotated[str | None, _option("--target", panel=_SEE, words="What it looks at, in metres.", metavar="X,Y,Z")]

Exaggeration = Annotated[
    float, _option("-z", "--exaggeration", "--vertical-exaggeration", panel=_GROUND, words="Factor on the heights.")
]
CellSize = Annotated[
    str | None,
    _option("--cell-size", panel=_GROUND, words="Metres between samples; else the file's.", metavar="D | DX,DY"),
]
MaxSize = Annotated[int | None, _option("--max-size", panel=_GROUND, words="Average the DEM down to N samples a side.")]
Band = Annotated[int | None, _option("--band", panel=_GROUND, words="Band of a raster file, from 1.")]
Key = Annotated[
    str | None, _option("--key", panel=_GROUND, words="Array of an .npz, variable of a netCDF or HDF5 file.")
]
Nodata = Annotated[
    str | None,
    _option("--nodata", panel=_GROUND, words="Stored values that stand for nothing, or none.", metavar="V[,V...]"),
]
ZUnit = Annotated[
    str | None, _option("--z-unit", panel=_GROUND, words="Of the file's heights: feet, km, ..., or metres per unit.")
]
Encoding = Annotated[
    str | None, _option("--encoding", panel=_GROUND, words="Heights in colours: mapbox (Terrain-RGB) or terrarium.")
]
CrsOption = Annotated[
    str | None, _option("--crs", panel=_GROUND, words="Of the file's coordinates, as EPSG:32616; else the file's.")
]
Colour = Annotated[
    str | None,
    _option("--albedo", panel=_GROUND, words="A name, #rrggbb, linear r,g,b, or a picture.", metavar="COLOUR | FILE"),
]
Cmap = Annotated[
    str | None, _option("--cmap", panel=_GROUND, words="Colormap over elevation, as vkforge.relief, viridis.")
]
Vmin = Annotated[float | None, _option("--vmin", panel=_GROUND, words="Elevation of the colormap's low end.")]
Vmax = Annotated[float | None, _option("--vmax", panel=_GROUND, words="Elevation of its high end.")]
Percentiles = Annotated[
    str | None, _option("--percentiles", panel=_GROUND, words="The ends as percentiles, as 2,98.", metavar="LO,HI")
]
WaterLevel = Annotated[
    float | None, _option("--water", panel=_GROUND, words="Water up to this elevation.", metavar="LEVEL")
]
WaterColour = Annotated[
    str | None,
    _option(
        "--water-color",
        panel=_GROUND,
        words="Drawn as on a map, in this colour where it is deep; or physical. A relief's is a quiet blue.",
        metavar="COLOUR",
    ),
]
Skirt = Annotated[bool | None, _option("--skirt/--no-skirt", panel=_GROUND, words="Close the block's sides, or not.")]

Preset = Annotated[
    str | None, _option("--preset", panel=_LIGHT, words=f"Light and look: {', '.join(PRESETS)}.", metavar="NAME")
]
SunOn = Annotated[bool, _option("--sun/--no-sun", panel=_LIGHT, words="The sun, or no sun.")]
SunAzimuth = Annotated[float | None, _option("--sun-azimuth", panel=_LIGHT, words="Degrees clockwise from north.")]
SunElevation = Annotated[float | None, _option("--sun-elevation", panel=_LIGHT, words="Degrees above the horizon.")]
SunSize = Annotated[float | None, _option("--sun-size", panel=_LIGHT, words="Degrees across; 0 for hard shadows.")]
SunIrradiance = Annotated[
    str | None, _option("--sun-irradiance", panel=_LIGHT, words="Linear, on a plane facing it.", metavar="E | R,G,B")
]
SkyRadiance = Annotated[
    str | None,
    _option("--sky", panel=_LIGHT, words="Radiance (at the zenith with --sky-horizon), or none.", metavar="L | R,G,B"),
]
SkyHorizon = Annotated[
    str | None, _option("--sky-horizon", panel=_LIGHT, words="Radiance at the horizon.", metavar="L | R,G,B")
]
FogSeen = Annotated[
    str | None,
    _option(
        "--fog",
        panel=_LIGHT,
        words="How many metres one sees through it (to a twentieth of the contrast), at an elevation BASE and e times "
        "farther each DEPTH above; alike everywhere without these. Or none.",
        metavar="D | D,BASE,DEPTH",
    ),
]
Background = Annotated[
    str | None,
    _option("--background", panel=_LIGHT, words="Behind the terrain; or sky, or transparent.", metavar="COLOUR"),
]

SettingsFile = Annotated[
    Path | None, _option("--settings", panel=_QUALITY, words="Read these and more from a TOML file.", metavar="FILE")
]
Lane = Annotated[str, _option("--lane", panel=_QUALITY, words=f"{', '.join(LANES)}.")]


def _setting(name: str, words: str) -> Any:
    """An option that is one of the settings: unsaid, it is as a preset or a file has it, or as by default."""
    default = getattr(Settings, name)
    words = words if default is None else f"{words} \\[default: {default}]"
    return _option(f"--{name.replace('_', '-')}", panel=_QUALITY, words=words)


Samples = Annotated[int | None, _setting("samples", "Samples a pixel.")]
SunRays = Annotated[int | None, _setting("sun_rays", "Shadow rays a sample.")]
SkyRays = Annotated[int | None, _setting("sky_rays", "Sky rays a sample.")]
MaxDepth = Annotated[int | None, _setting("max_depth", "Segments of a path; 2 is direct light (path-traced).")]
TimeLimit = Annotated[float | None, _setting("time_limit", "Seconds to begin samples in (path-traced).")]
NoiseThreshold = Annotated[float | None, _setting("noise_threshold", "Relative error to stop at (path-traced).")]
Seed = Annotated[int | None, _setting("seed", "Same seed, same picture.")]
Tonemap = Annotated[str | None, _setting("tonemap", f"{', '.join(TONEMAPS)}.")]
Exposure = Annotated[float | None, _setting("exposure", "Stops (EV).")]
MotionBlur = Annotated[
    str | None, _setting("motion_blur", f"How what moves under --shutter is shown: {', '.join(MOTION_BLURS)}.")
]
Denoise = Annotated[str | None, _setting("denoise", f"{' or '.join(DENOISERS)}.")]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for on the command line; None is whatever gives a good picture."""

    dem: str
    output: Path | None = None
    size: str | None = None
    aov: list[str] | None = None
    half: bool | None = None
    device: str = "auto"
    quiet: bool = False
    debug: bool = False
    camera: str | None = None
    azimuth: float | None = None
    elevation: float | None = None
    distance: float | None = None
    fov: float | None = None
    height: float | None = None
    position: str | None = None
    target: str | None = None
    exaggeration: float = 1.0
    cell_size: str | None = None
    max_size: int | None = None
    band: int | None = None
    key: str | None = None
    nodata: str | None = None
    z_unit: str | None = None
    encoding: str | None = None
    crs: str | None = None
    albedo: str | None = None
    cmap: str | None = None
    vmin: float | None = None
    vmax: float | None = None
    percentiles: str | None = None
    water: float | None = None
    water_color: str | None = None
    skirt: bool | None = None
    preset: str | None = None
    sun: bool = True
    sun_azimuth: float | None = None
    sun_elevation: float | None = None
    sun_size: float | None = None
    sun_irradiance: str | None = None
    sky: str | None = None
    sky_horizon: str | None = None
    fog: str | None = None
    background: str | None = None
    settings_file: Path | None = None
    lane: str = LANES[0]
    samples: int | None = None
    sun_rays: int | None = None
    sky_rays: int | None = None
    max_depth: int | None = None
    time_limit: float | None = None
    noise_threshold: float | None = None
    seed: int | None = None
    tonemap: str | None = None
    exposure: float | None = None
    denoise: str | None = None
    motion_blur: str | None = None

    def settings(self) -> Settings:
        """Return the render settings asked for: those of a preset or of a file, changed by what the options say."""
        settings = Settings()
        if self.preset is not None:
            settings = Settings.preset(self.preset)
        if self.settings_file is not None:
            settings = Settings.load(self.settings_file)
        names = [field.name for field in dataclasses.fields(Settings) if hasattr(self, field.name)]
        said = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return settings.replace(**said)

    def aov_names(self) -> tuple[str, ...]:
        """Return the AOVs asked for, checked; the word "all" stands for every one."""
        return check_aovs(self.aov or ())

    def camera_kind(self) -> str:
        """Return the kind of camera asked for or implied, checked against the options given with it."""
        kind = self.camera or ("perspective" if self.position else "orbit")
        if kind not in CAMERA_OPTIONS:
            known = ", ".join(CAMERA_OPTIONS)
            raise InputError(f"no camera called {kind!r}{suggest(kind, CAMERA_OPTIONS)} (there are {known})")
        for name in dict.fromkeys(name for names in CAMERA_OPTIONS.values() for name in names):
            if getattr(self, name) is not None and name not in CAMERA_OPTIONS[kind]:
                takers = ", ".join(other for other, names in CAMERA_OPTIONS.items() if name in names)
                raise InputError(f"--{name} means nothing to --camera {kind}; leave it out or use --camera {takers}")
        if kind == "perspective" and self.position is None:
            raise InputError("--camera perspective wants --position x,y,z")
        return kind

    @property
    def is_transparent(self) -> bool:
        """Whether --background asks for none."""
        return (self.background or "").strip().lower() == "transparent"

    def picture_size(self) -> tuple[int, int] | None:
        """Return --size as (width, height), or None where it isn't given."""
        return None if self.size is None else parsed_size(self.size)

    def open_terrain(self) -> Terrain:
        """Read the DEM with the ground's options."""
        from vkforge.scene import Terrain

        names = ("max_size", "band", "key", "nodata", "z_unit", "encoding", "crs", "cmap", "vmin", "vmax")
        wanted: dict[str, Any] = {name: getattr(self, name) for name in names}
        wanted["albedo"] = None if self.albedo is None else _albedo(self.albedo)
        wanted["cell_size"] = None if self.cell_size is None else numbers("--cell-size", self.cell_size, (1, 2))
        if self.percentiles is not None:
            wanted["percentiles"] = numbers("--percentiles", self.percentiles, (2,))
        given = {name: value for name, value in wanted.items() if value is not None}
        if not {"albedo", "cmap"} & given.keys() and {"vmin", "vmax", "percentiles"} & given.keys():
            given["cmap"] = "vkforge.relief"  # the tint that the ready-made scenes use
        return Terrain.open(self.dem, vertical_exaggeration=self.exaggeration, **given)

    def lit(self, scene: Scene, *, on_map: bool = False) -> Scene:
        """Return `scene` with the lights, the fog, the water (as a map draws it?) and the background asked for."""
        from vkforge.scene import Sky

        sun = {"azimuth": self.sun_azimuth, "elevation": self.sun_elevation, "angular_diameter": self.sun_size}
        if self.sun_irradiance is not None:
            sun["irradiance"] = numbers("--sun-irradiance", self.sun_irradiance, (1, 3))
        changes: dict[str, Any] = {"sun": None}
        if self.sun and scene.sun is not None:
            given = {name: value for name, value in sun.items() if value is not None}
            changes["sun"] = dataclasses.replace(scene.sun, **given)
        horizon = None if self.sky_horizon is None else numbers("--sky-horizon", self.sky_horizon, (1, 3))
        if self.sky == "none":
            changes["sky"] = None
        elif self.sky is not None:
            zenith = numbers("--sky", self.sky, (1, 3))
            changes["sky"] = Sky.uniform(zenith) if horizon is None else Sky.gradient(zenith, horizon)
        elif horizon is not None:
            changes["sky"] = Sky.gradient(horizon=horizon)
        if self.fog is not None:
            changes["fog"] = None if self.fog == "none" else _fog(self.fog, self.exaggeration)
        if self.water is not None:
            changes["water"] = self._water(self.water, on_map)
        if self.background is not None:
            changes["background"] = None if self.background == "sky" else _color("--background", self.background)
        return dataclasses.replace(scene, **changes)

    def check_water(self) -> None:
        """Refuse a colour of water where there is none."""
        if self.water_color is not None and self.water is None:
            raise InputError("--water-color is that of --water; give its level too, or leave it out")

    def _water(self, level: float, on_map: bool) -> Water:
        from vkforge.scene import Water

        if self.water_color == "physical" or (self.water_color is None and not on_map):
            return Water(level)
        return Water.map(level, None if self.water_color is None else _color("--water-color", self.water_color))

    def portrait(self, terrain: Terrain) -> tuple[Scene, tuple[int, int]]:
        """Return the oblique scene asked for and the size of its picture."""
        from vkforge.scene import Camera, Scene

        kind = self.camera_kind()
        rows, cols = terrain.shape
        size = self.picture_size()
        framed = size or (PORTRAIT_SIZE if kind != "map" else (cols, rows))
        scene = Scene.portrait(terrain, framed, preset=self.preset)
        ground = scene.terrain
        if self.skirt is not None:
            ground = dataclasses.replace(ground, skirt="auto" if self.skirt else None)
        elif kind == "map":
            ground = dataclasses.replace(ground, skirt=None)  # seen from above it is but a floor in the holes
        target = None if self.target is None else numbers("--target", self.target, (3,))
        if kind == "map":
            camera = Camera.map(ground)
        elif kind == "oblique":
            camera = Camera.oblique(ground, 180.0 if self.azimuth is None else self.azimuth, angle=self.elevation)
        elif kind in ("panorama", "fish-eye"):
            camera = self._around(kind, ground, target)
        elif self.position is None:
            camera = self._orbit(ground, target, framed[0] / framed[1])
        else:
            position = numbers("--position", self.position, (3,))
            middle = (ground.min_height + ground.max_height) / 2.0 * ground.vertical_exaggeration
            target = (0.0, 0.0, middle) if target is None else target
            camera = Camera.perspective(position, target, fov=self.fov)
        if kind == "orthographic":
            camera = _orthographic(camera, self.height)
        scene = dataclasses.replace(scene, terrain=ground, camera=camera)
        scene = self.lit(scene if self.preset is None else scene.lit_as(self.preset))
        return scene, size or camera.natural_size or PORTRAIT_SIZE

    def _around(self, kind: str, terrain: Terrain, target: Any) -> Camera:
        """The view around a place: that above the middle where none is given, of the north or of the ground below."""
        from vkforge.scene import Camera

        xmin, xmax, ymin, ymax = terrain.extent
        top = terrain.max_height * terrain.vertical_exaggeration
        position = (0.0, 0.0, top + 0.05 * max(xmax - xmin, ymax - ymin))
        if self.position is not None:
            position = numbers("--position", self.position, (3,))
        x, y, z = position
        if kind == "fish-eye":
            target = (x, y, z - 1000.0) if target is None else target
            return Camera.fisheye(position, target, fov=180.0 if self.fov is None else self.fov)
        east, north, up = (0.0, 1.0, 0.0) if target is None else (target[0] - x, target[1] - y, target[2] - z)
        bearing = math.degrees(math.atan2(east, north))
        elevation = math.degrees(math.atan2(up, math.hypot(east, north)))
        return Camera.panorama(position, bearing, elevation, fov=180.0 - 2.0 * abs(elevation))

    def _orbit(self, terrain: Terrain, target: Any, aspect: float) -> Camera:
        from vkforge.scene import Camera

        angles = {"azimuth": self.azimuth, "elevation": self.elevation, "distance": self.distance, "fov": self.fov}
        given: dict[str, Any] = {name: value for name, value in angles.items() if value is not None}
        return Camera.orbit(terrain, target=target, aspect=aspect, **given)


def _orthographic(camera: Camera, height: float | None) -> Camera:
    """The parallel view of as much at the target as the perspective `camera` frames there, or of `height` metres."""
    from vkforge.scene import Camera

    if height is None:
        distance = math.dist(camera.position, camera.target)
        height = 2.0 * distance * math.tan(math.radians(camera.fov or 0.0) / 2.0)
    return Camera.orthographic(camera.position, camera.target, camera.up, height=height)


def numbers(option: str, text: str, counts: tuple[int, ...]) -> Any:
    """Read "x" or "x,y,z"; one number comes back alone."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in counts:
        wanted = " or ".join(str(count) for count in counts)
        raise InputError(f"{option} is {text!r}; wanted {wanted} number{'s' * (counts != (1,))} with commas between")
    return numbers[0] if len(numbers) == 1 else numbers


def _fog(text: str, exaggeration: float) -> Fog:
    """Read how far one sees through fog and, of fog that thins with height, from what elevation on and how fast."""
    from vkforge.scene import Fog
    from vkforge.scene.checks import number

    given = numbers("--fog", text, (1, 3))
    seen, *height = given if isinstance(given, tuple) else (given,)
    scattering = FOG_AT_SIGHT / number("--fog", seen, above=0.0)
    if not height:
        return Fog(scattering, anisotropy=FOG_ANISOTROPY)
    base, depth = (part * exaggeration for part in height)
    return Fog(scattering, anisotropy=FOG_ANISOTROPY, base=base, scale_height=depth)


def _color(option: str, text: str) -> Any:
    """Read a colour: numbers are linear, words are for the library to know."""
    return numbers(option, text, (1, 3)) if text[:1].isdigit() or "," in text else text


def _albedo(text: str) -> Any:
    """Read a colour, or the name of a picture: that has letters after a dot, or is there."""
    return text if Path(text).suffix[1:2].isalpha() or Path(text).is_file() else _color("--albedo", text)


def parsed_size(text: str) -> tuple[int, int]:
    """Return what --size says as (width, height)."""
    width, cross, height = text.lower().partition("x")
    if not (cross and width.strip().isdecimal() and height.strip().isdecimal() and int(width) * int(height)):
        raise InputError(f"--size is {text!r}; wanted pixels as WIDTHxHEIGHT, as in 1920x1080")
    return int(width), int(height)
