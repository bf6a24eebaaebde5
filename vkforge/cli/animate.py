"""`vkforge animate`."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vkforge.cli import options as o
from vkforge.cli.report import progress_bar, reported
from vkforge.errors import InputError, MissingDependencyError
from vkforge.settings import LANES, lane_name

if TYPE_CHECKING:
    from vkforge.animation.animation import Animation
    from vkforge.animation.progress import Progress
    from vkforge.scene import Camera, Scene, Terrain
    from vkforge.scene.shutter import Shutter

VIDEO_SIZE = "1280x720"
_TURNING = ("orbit", "perspective", "orthographic")  # cameras that go around where nothing is said
_MOTION = "Motion"

Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        help="Video: .mp4 .gif .webp, or frame_%04d.png (.exr ...).",
        metavar="OUT",
        rich_help_panel="Output",
    ),
]
Crf = Annotated[
    int | None, typer.Option("--crf", help=".mp4: 0 (lossless) to 51; 18 unless given.", rich_help_panel="Output")
]
Quality = Annotated[
    int | None, typer.Option("--quality", help=".webp: 0 to 100; 90 unless given.", rich_help_panel="Output")
]
Resume = Annotated[
    bool,
    typer.Option("--resume/--no-resume", help="Go on with a stopped job, or start over.", rich_help_panel="Output"),
]
Size = Annotated[
    str | None,
    typer.Option(
        "--size",
        help=f"Pixels; {VIDEO_SIZE} unless given, and of maps, oblique views and panoramas their own.",
        metavar="WxH",
        rich_help_panel="Output",
    ),
]
Aovs = Annotated[
    list[str] | None,
    typer.Option(
        "--aov",
        help="Also write this buffer (repeatable), or all: into numbered .exr and .npz; numbered .tif of a map are its "
        "bands then, and the picture's light is beauty.",
        metavar="NAME",
        rich_help_panel="Output",
    ),
]
Duration = Annotated[float, typer.Option("--duration", help="Seconds.", rich_help_panel=_MOTION)]
Fps = Annotated[float, typer.Option("--fps", help="Frames a second.", rich_help_panel=_MOTION)]
ShutterAngle = Annotated[
    float | None,
    typer.Option(
        "--shutter",
        help="Blur what moves by a shutter of so many degrees: 180 is open for half of a frame's time.",
        rich_help_panel=_MOTION,
    ),
]
Orbit = Annotated[
    float | None,
    typer.Option(
        "--orbit",
        help="Degrees that the camera goes around, clockwise; 360 where nothing else is asked to move.",
        rich_help_panel=_MOTION,
    ),
]
Flyover = Annotated[
    Path | None,
    typer.Option(
        "--flyover",
        help="The camera flies along the track, or else the route, of a GPX file, looking ahead (extra gpx).",
        metavar="PATH.gpx",
        rich_help_panel=_MOTION,
    ),
]
AboveGround = Annotated[
    float | None,
    typer.Option(
        "--above-ground",
        help="Metres above the ground as it is drawn that --flyover keeps; 4 % of the longer side unless given.",
        rich_help_panel=_MOTION,
    ),
]
SunDay = Annotated[
    str | None,
    typer.Option(
        "--sun-day", help="The real sun over the place, that day.", metavar="YYYY-MM-DD", rich_help_panel=_MOTION
    ),
]
SunHours = Annotated[
    str | None,
    typer.Option(
        "--sun-hours",
        help="From when to when, local mean time; else sunrise to sunset.",
        metavar="FROM,TO",
        rich_help_panel=_MOTION,
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        "--place", help="Where that is, in degrees; else the DEM's middle.", metavar="LAT,LON", rich_help_panel=_MOTION
    ),
]
Tracks = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        help="A number that changes, as sun.elevation=0:10,8:40 (repeatable): a path and seconds:value.",
        metavar="PATH=T:V,...",
        rich_help_panel=_MOTION,
    ),
]


@reported
def animate(
    dem: o.Dem,
    output: Output = None,
    size: Size = None,
    aov: Aovs = None,
    duration: Duration = 8.0,
    fps: Fps = 30.0,
    shutter: ShutterAngle = None,
    orbit: Orbit = None,
    flyover: Flyover = None,
    above_ground: AboveGround = None,
    sun_day: SunDay = None,
    sun_hours: SunHours = None,
    place: At = None,
    key: Tracks = None,
    crf: Crf = None,
    quality: Quality = None,
    resume: Resume = True,
    device: o.Device = "auto",
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    camera: o.CameraKind = None,
    azimuth: o.Azimuth = None,
    elevation: o.Elevation = None,
    distance: o.Distance = None,
    fov: o.Fov = None,
    height: o.Height = None,
    position: o.Position = None,
    target: o.Target = None,
    exaggeration: o.Exaggeration = 1.0,
    cell_size: o.CellSize = None,
    max_size: o.MaxSize = None,
    nodata: o.Nodata = None,
    z_unit: o.ZUnit = None,
    encoding: o.Encoding = None,
    crs: o.CrsOption = None,
    albedo: o.Colour = None,
    cmap: o.Cmap = None,
    vmin: o.Vmin = None,
    vmax: o.Vmax = None,
    percentiles: o.Percentiles = None,
    water: o.WaterLevel = None,
    water_color: o.WaterColour = None,
    skirt: o.Skirt = None,
    preset: o.Preset = None,
    sun_azimuth: o.SunAzimuth = None,
    sun_elevation: o.SunElevation = None,
    sun_size: o.SunSize = None,
    fog: o.FogSeen = None,
    background: o.Background = None,
    settings_file: o.SettingsFile = None,
    lane: o.Lane = LANES[0],
    samples: o.Samples = None,
    sky_rays: o.SkyRays = None,
    seed: o.Seed = None,
    tonemap: o.Tonemap = None,
    exposure: o.Exposure = None,
    denoise: o.Denoise = None,
    motion_blur: o.MotionBlur = None,
) -> None:
    """Make a video of a DEM: by default the camera goes around the block once.

    Without -o it is DEM_animate.mp4 in this folder. A job that was stopped goes on when the command is given again.
    """
    given = locals()
    from vkforge.animation.film import Film

    known = {field.name for field in dataclasses.fields(o.Options)}
    options = o.Options(**{name: value for name, value in given.items() if name in known and name != "key"})
    path = output or Path(f"{Path(dem).stem}_animate.mp4")
    # Whatever can be wrong with the words alone is found before the DEM is read.
    settings, blur = options.settings(), _shutter(shutter)
    kind, names = options.camera_kind(), options.aov_names()
    if size is None and kind in _TURNING:
        options = dataclasses.replace(options, size=VIDEO_SIZE)
    options.picture_size()
    options.check_water()
    lane_name(lane)
    if path.resolve() == Path(dem).resolve():
        raise InputError(f"{path} is the DEM itself; choose another name with -o")
    tracks = _tracks(key or ())
    if flyover is not None:
        _check_flyover(flyover, options, orbit)
    elif above_ground is not None:
        raise InputError("--above-ground is how high --flyover flies; give that too, or leave it out")
    elif orbit is None and sun_day is None and not tracks:
        if kind not in _TURNING:
            raise InputError(f"--camera {kind} stays where it is; say what moves with --sun-day, --key or --orbit")
        orbit = 360.0
    if place is not None and sun_day is None:
        raise InputError("--place says where the sun of --sun-day stands; give that too, or leave it out")
    if sun_hours is not None and sun_day is None:
        raise InputError("--sun-hours are hours of --sun-day; give that too, or leave them out")
    with progress_bar(quiet) as report:
        report("reading", 0, 0)
        scene, (width, height) = options.portrait(options.open_terrain())
        if orbit is not None and kind == "orbit" and distance is None and target is None:
            scene = dataclasses.replace(scene, camera=_framed_all_round(scene.terrain, options, width / height))
        where = None if sun_day is None else _place(place, scene.terrain)
        if sun_day is not None and where is not None:
            tracks["sun"] = _sun_of(sun_day, sun_hours, where, duration)
        rest = {"fps": fps, "settings": settings, "place": where, "shutter": blur}
        if flyover is None:
            animation = _animation(scene, orbit, duration, tracks, rest)
        else:
            view = {} if fov is None else {"fov": fov}
            animation = _flyover(scene, flyover, duration, above_ground, tracks, {**view, **rest})
        film = Film(animation, path, (width, height), lane=lane, crf=crf, quality=quality, **_buffers(path, names))
        began, frames = time.perf_counter(), 0

        def tell(progress: Progress) -> None:
            nonlocal frames
            frames += 1
            report(str(progress), progress.done, progress.total)

        from vkforge.renderer import Renderer

        report("starting the device", 0, 0)
        with Renderer(device=device) as renderer:
            film.make(renderer, resume=resume, progress=tell)
            name = renderer.device.name
    if not quiet:
        seconds = time.perf_counter() - began
        pace = f"{frames} of them now in {seconds:.1f} s" if frames else "all there already"
        typer.echo(f"{path}: {width}x{height}, {animation.frames} frames, {pace} on {name}")


def _animation(
    scene: Scene,
    orbit: float | None,
    duration: float,
    tracks: dict[str, Any],
    rest: dict[str, Any],
) -> Animation:
    from vkforge.animation.animation import Animation

    if orbit is None:
        return Animation(scene, tracks, duration=duration, **rest)
    return Animation.orbit(scene, orbit, duration, tracks=tracks, **rest)


def _check_flyover(path: Path, options: o.Options, orbit: float | None) -> None:
    """Refuse what says another way where the camera is, and a file that is not there."""
    said = {"orbit": orbit, "camera": options.camera}
    said |= {name: getattr(options, name) for names in o.CAMERA_OPTIONS.values() for name in names if name != "fov"}
    for name, value in said.items():
        if value is not None:
            raise InputError(f"--{name} and --flyover both say where the camera is; leave one of them out")
    if not path.is_file():
        raise InputError(f"--flyover is {str(path)!r}, and there is no such file; wanted a GPX file")


def _flyover(
    scene: Scene, path: Path, duration: float, above_ground: float | None, tracks: dict[str, Any], rest: dict[str, Any]
) -> Animation:
    from vkforge.animation.animation import Animation

    return Animation.flyover(scene, path, duration, above_ground=above_ground, tracks=tracks, **rest)


def _buffers(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """Return how AOVs are rendered and saved; those of a map with what says where it is transparent or has no data."""
    if path.suffix.lower() not in (".tif", ".tiff"):
        return {"aovs": names}
    if not names:
        return {"aovs": ("coverage",)}
    return {"aovs": (*names, "hit"), "save": {"aovs": names}}


def _shutter(angle: float | None) -> Shutter | None:
    from vkforge.scene.shutter import Shutter

    return None if angle is None else Shutter(angle)


def _framed_all_round(terrain: Terrain, options: o.Options, aspect: float) -> Camera:
    """Return a camera that goes on seeing the whole block wherever on its orbit it stands."""
    from vkforge.scene import Camera

    base = terrain.min_height if terrain.skirt is None else terrain.skirt
    middle = (0.0, 0.0, (base + terrain.max_height) / 2.0 * terrain.vertical_exaggeration)
    angles: dict[str, Any] = {"elevation": options.elevation, "fov": options.fov}
    given = {name: value for name, value in angles.items() if value is not None}
    around = [Camera.orbit(terrain, turn, target=middle, aspect=aspect, **given) for turn in range(0, 360, 10)]
    distance = max(math.dist(camera.position, camera.target) for camera in around)
    azimuth = {} if options.azimuth is None else {"azimuth": options.azimuth}
    return Camera.orbit(terrain, target=middle, distance=distance, aspect=aspect, **azimuth, **given)


def _tracks(given: Sequence[str]) -> dict[str, Any]:
    """Read PATH=T:V,T:V,... of each --key."""
    tracks: dict[str, Any] = {}
    for text in given:
        path, equals, pairs = text.partition("=")
        try:
            keys = [(float(time), float(value)) for time, value in (pair.split(":") for pair in pairs.split(","))]
        except ValueError:
            keys = []
        if not (path and equals and keys):
            raise InputError(f"--key is {text!r}; wanted PATH=SECONDS:NUMBER,..., as in sun.elevation=0:10,8:40")
        if path in tracks:
            raise InputError(f"--key names {path!r} twice; give all its numbers in one")
        tracks[path] = keys
    return tracks


def _place(given: str | None, terrain: Terrain) -> tuple[float, float]:
    """Return latitude and longitude: those given, or the DEM's middle."""
    if given is not None:
        latitude, longitude = o.numbers("--place", given, (2,))
        if not (abs(latitude) <= 90.0 and abs(longitude) <= 360.0):
            raise InputError(f"--place is {given!r}; wanted LAT,LON in degrees, from -90 to 90 and from -360 to 360")
        return latitude, longitude
    if terrain.crs is None or terrain.transform is None:
        raise InputError("the DEM does not say where on the Earth it is; give --place LAT,LON for the sun of --sun-day")
    from vkforge.scene.georeferencing import middle

    try:
        longitude, latitude = middle(terrain)
    except MissingDependencyError as error:
        raise MissingDependencyError(f"{error}, or give --place") from None
    return latitude, longitude


def _sun_of(day: str, hours: str | None, place: tuple[float, float], duration: float) -> dict[float, datetime]:
    """Return the dates between which the sun goes: the hours given, or from when it rises until it has set."""
    from vkforge.scene import Sun

    try:
        midnight = datetime.combine(date.fromisoformat(day), datetime.min.time())
    except ValueError:
        raise InputError(f"--sun-day is {day!r}; wanted a date as 2026-06-21") from None
    if not 1900 <= midnight.year <= 2100:
        raise InputError(f"--sun-day is {day!r}; the sun's places are known from 1900 to 2100")
    midnight = midnight.replace(tzinfo=timezone(timedelta(hours=place[1] / 15.0)))
    if hours is not None:
        first, last = o.numbers("--sun-hours", hours, (2,))
        if not 0.0 <= first < last <= 24.0:
            raise InputError(f"--sun-hours is {hours!r}; wanted two hours from 0 to 24, the earlier first, as 5,21")
    else:
        steps = [step / 10.0 for step in range(241)]
        up = [step for step in steps if Sun.at(*place, midnight + timedelta(hours=step)).elevation > 0.0]
        if not up:
            raise InputError(f"the sun does not rise there on {day}; give --sun-hours for the twilight")
        first, last = up[0], up[-1]
    return {0.0: midnight + timedelta(hours=first), duration: midnight + timedelta(hours=last)}
