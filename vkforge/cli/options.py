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
from vkforge.settings import DENOISERS, LANES, TONEMAPS, Settings

if TYPE_CHECKING:
    from vkforge.scene import Camera, Scene, Terrain

PORTRAIT_SIZE = (1920, 1080)

# Which options each kind of camera listens to; any other one given with it is an error, not silence.
CAMERA_OPTIONS = {
    "orbit": ("azimuth", "elevation", "distance", "fov", "target"),
    "perspective": ("position", "target", "fov"),
    "orthographic": ("azimuth", "elevation", "position", "target", "height"),
    "map": (),
}


def _option(*names: str, panel: str, words: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=words, rich_help_panel=panel, metavar=metavar)


_OUT, _SEE, _GROUND, _LIGHT, _QUALITY = "Output", "Camera", "Ground", "Light", "Quality"

Dem = Annotated[str, typer.Argument(help="Elevation model: GeoTIFF, .npy, .npz, .asc, .hgt, 16-bit PNG or TIFF.")]
Output = Annotated[
    Path | None, _option("-o", "--output", panel=_OUT, words="Picture: .png .jpg .exr .tif .npy .npz.", metavar="OUT")
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
Half = Annotated[bool, _option("--half", panel=_OUT, words="16-bit floats in .exr.")]
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
Key = Annotated[str | None, _option("--key", panel=_GROUND, words="Name of the array in an .npz.")]
Colour = Annotated[
    str | None, _option("--albedo", panel=_GROUND, words="A name, #rrggbb, or linear r,g,b.", metavar="COLOUR")
]
Cmap = Annotated[
    str | None, _option("--cmap", panel=_GROUND, words="Colormap over elevation, as vkforge.relief, viridis.")
]
Vmin = Annotated[float | None, _option("--vmin", panel=_GROUND, words="Elevation of the colormap's low end.")]
Vmax = Annotated[float | None, _option("--vmax", panel=_GROUND, words="Elevation of its high end.")]
Percentiles = Annotated[
    str | None, _option("--percentiles", panel=_GROUND, words="The ends as percentiles, as 2,98.", metavar="LO,HI")
]
Skirt = Annotated[bool | None, _option("--skirt/--no-skirt", panel=_GROUND, words="Close the block's sides, or not.")]

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
Background = Annotated[
    str | None, _option("--background", panel=_LIGHT, words="Behind the terrain, or sky.", metavar="COLOUR")
]

Lane = Annotated[str, _option("--lane", panel=_QUALITY, words=f"{', '.join(LANES)}.")]
Samples = Annotated[int, _option("--samples", panel=_QUALITY, words="Samples a pixel.")]
SunRays = Annotated[int, _option("--sun-rays", panel=_QUALITY, words="Shadow rays a sample.")]
SkyRays = Annotated[int, _option("--sky-rays", panel=_QUALITY, words="Sky rays a sample.")]
MaxDepth = Annotated[
    int, _option("--max-depth", panel=_QUALITY, words="Segments of a path; 2 is direct light (path-traced).")
]
TimeLimit = Annotated[
    float | None, _option("--time-limit", panel=_QUALITY, words="Seconds to begin samples in (path-traced).")
]
NoiseThreshold = Annotated[
    float | None, _option("--noise-threshold", panel=_QUALITY, words="Relative error to stop at (path-traced).")
]
Seed = Annotated[int, _option("--seed", panel=_QUALITY, words="Same seed, same picture.")]
Tonemap = Annotated[str, _option("--tonemap", panel=_QUALITY, words=f"{', '.join(TONEMAPS)}.")]
Exposure = Annotated[float, _option("--exposure", panel=_QUALITY, words="Stops (EV).")]
Denoise = Annotated[str | None, _option("--denoise", panel=_QUALITY, words=f"{' or '.join(DENOISERS)}.")]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for on the command line; None is whatever gives a good picture."""

    dem: str
    output: Path | None = None
    size: str | None = None
    aov: list[str] | None = None
    half: bool = False
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
    albedo: str | None = None
    cmap: str | None = None
    vmin: float | None = None
    vmax: float | None = None
    percentiles: str | None = None
    skirt: bool | None = None
    sun: bool = True
    sun_azimuth: float | None = None
    sun_elevation: float | None = None
    sun_size: float | None = None
    sun_irradiance: str | None = None
    sky: str | None = None
    sky_horizon: str | None = None
    background: str | None = None
    lane: str = LANES[0]
    samples: int = Settings.samples
    sun_rays: int = Settings.sun_rays
    sky_rays: int = Settings.sky_rays
    max_depth: int = Settings.max_depth
    time_limit: float | None = Settings.time_limit
    noise_threshold: float | None = Settings.noise_threshold
    seed: int = Settings.seed
    tonemap: str = Settings.tonemap
    exposure: float = Settings.exposure
    denoise: str | None = Settings.denoise

    def settings(self) -> Settings:
        """Return the render settings asked for."""
        return Settings(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Settings)})

    def aov_names(self) -> tuple[str, ...]:
        """Return the AOVs asked for, checked; the word "all" stands for every one."""
        return check_aovs(AOVS if "all" in (self.aov or ()) else self.aov or ())

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

    def picture_size(self) -> tuple[int, int] | None:
        """Return --size as (width, height), or None where it isn't given."""
        if self.size is None:
            return None
        width, cross, height = self.size.lower().partition("x")
        if not (cross and width.strip().isdecimal() and height.strip().isdecimal() and int(width) * int(height)):
            raise InputError(f"--size is {self.size!r}; wanted pixels as WIDTHxHEIGHT, as in 1920x1080")
        return int(width), int(height)

    def open_terrain(self) -> Terrain:
        """Read the DEM with the ground's options."""
        from vkforge.scene import Terrain

        names = ("max_size", "band", "key", "cmap", "vmin", "vmax")
        wanted: dict[str, Any] = {name: getattr(self, name) for name in names}
        wanted["albedo"] = None if self.albedo is None else _color("--albedo", self.albedo)
        wanted["cell_size"] = None if self.cell_size is None else _numbers("--cell-size", self.cell_size, (1, 2))
        if self.percentiles is not None:
            wanted["percentiles"] = _numbers("--percentiles", self.percentiles, (2,))
        given = {name: value for name, value in wanted.items() if value is not None}
        if not {"albedo", "cmap"} & given.keys() and {"vmin", "vmax", "percentiles"} & given.keys():
            given["cmap"] = "vkforge.relief"  # the tint that the ready-made scenes use
        return Terrain.open(self.dem, vertical_exaggeration=self.exaggeration, **given)

    def lit(self, scene: Scene) -> Scene:
        """Return `scene` with the lights and the background asked for."""
        from vkforge.scene import Sky

        sun = {"azimuth": self.sun_azimuth, "elevation": self.sun_elevation, "angular_diameter": self.sun_size}
        if self.sun_irradiance is not None:
            sun["irradiance"] = _numbers("--sun-irradiance", self.sun_irradiance, (1, 3))
        changes: dict[str, Any] = {"sun": None}
        if self.sun and scene.sun is not None:
            given = {name: value for name, value in sun.items() if value is not None}
            changes["sun"] = dataclasses.replace(scene.sun, **given)
        horizon = None if self.sky_horizon is None else _numbers("--sky-horizon", self.sky_horizon, (1, 3))
        if self.sky == "none":
            changes["sky"] = None
        elif self.sky is not None:
            zenith = _numbers("--sky", self.sky, (1, 3))
            changes["sky"] = Sky.uniform(zenith) if horizon is None else Sky.gradient(zenith, horizon)
        elif horizon is not None:
            changes["sky"] = Sky.gradient(horizon=horizon)
        if self.background is not None:
            changes["background"] = None if self.background == "sky" else _color("--background", self.background)
        return dataclasses.replace(scene, **changes)

    def portrait(self, terrain: Terrain) -> tuple[Scene, tuple[int, int]]:
        """Return the oblique scene asked for and the size of its picture."""
        from vkforge.scene import Camera, Scene

        kind = self.camera_kind()
        size = self.picture_size() or (PORTRAIT_SIZE if kind != "map" else (terrain.shape[1], terrain.shape[0]))
        scene = Scene.portrait(terrain, size)
        ground = scene.terrain
        if self.skirt is not None:
            ground = dataclasses.replace(ground, skirt="auto" if self.skirt else None)
        target = None if self.target is None else _numbers("--target", self.target, (3,))
        if kind == "map":
            camera = Camera.map(ground)
        elif self.position is None:
            camera = self._orbit(ground, target, size[0] / size[1])
        else:
            position = _numbers("--position", self.position, (3,))
            middle = (ground.min_height + ground.max_height) / 2.0 * ground.vertical_exaggeration
            target = (0.0, 0.0, middle) if target is None else target
            camera = Camera.perspective(position, target, fov=self.fov)
        if kind == "orthographic":
            camera = _orthographic(camera, self.height)
        return self.lit(dataclasses.replace(scene, terrain=ground, camera=camera)), size

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


def _numbers(option: str, text: str, counts: tuple[int, ...]) -> Any:
    """Read "x" or "x,y,z"; one number comes back alone."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in counts:
        wanted = " or ".join(str(count) for count in counts)
        raise InputError(f"{option} is {text!r}; wanted {wanted} number{'s' * (counts != (1,))} with commas between")
    return numbers[0] if len(numbers) == 1 else numbers


def _color(option: str, text: str) -> Any:
    """Read a colour: numbers are linear, words are for the library to know."""
    return _numbers(option, text, (1, 3)) if text[:1].isdigit() or "," in text else text
