"""`vkforge.Animation`: a scene and its settings as functions of time."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vkforge.animation.cameras import flyover_cameras, swung
from vkforge.animation.curves import KINDS
from vkforge.animation.meanings import kept, meant
from vkforge.animation.paths import Node, look_up
from vkforge.animation.progress import Progress
from vkforge.animation.tracks import Keys, Place, make_track, read_keys
from vkforge.aovs import check_aovs
from vkforge.errors import InputError, suggest
from vkforge.scene.checks import number, picture_size, show
from vkforge.scene.scene import Scene
from vkforge.scene.shutter import MovingScene, Shutter
from vkforge.scene.terrain import Terrain
from vkforge.settings import LANES, Settings, lane_name

if TYPE_CHECKING:
    from vkforge.renderer import Renderer

DEFAULT_FPS = 30.0
Keyed = Mapping[Any, Any] | Sequence[tuple[float, Any]]  # what users write: {0: 90, 5: 270}
MOST_FRAMES = 10_000_000
MOST_DEGREES = 36_000.0
ORBIT_STEP = 60.0  # degrees at most between the cameras of an orbit: less than half a turn, whose way round is clear


class Animation:
    """A scene that changes with time.

    A track is the path of what changes, and its keys: ``{"sun.azimuth": {0: 90, 5: 270}}`` has the sun at 90 degrees at
    the start and at 270 degrees after 5 seconds. A path is the names from the scene down with dots between, as
    "camera", "camera.fov", "sun", "terrain.vertical_exaggeration", "fog.scattering", "water.level" or
    "lights.0.intensity", or starts with "settings", as "settings.exposure". A value is whatever the field takes. Before
    its first key and after its last one, a track stays as it is there.

    Between its keys, the interpolation "smooth" changes numbers without overshooting, colours in linear light, and
    whole parts, such as a `Fog`, field by field. Angles that are numbers change as given: from 350 to 370 a bearing
    goes through north, from 350 to 10 all the way back; between two whole suns it takes the shorter way. Positions and
    targets move along a curve with a speed that is even between evenly spaced keys. Cameras turn by quaternions, stay
    level where all keys are, and circle what they all look at. Keys of "sun" that are dates have the real sun over
    `place`. "linear" draws straight lines instead, and "step" holds a value until the next key.

    Whatever the interpolation, a value is held until the next key where nothing lies between the two: names, True and
    False, arrays, numbers that are names (`blades`, the `seed` of water and clouds), parts of two types, cameras of two
    kinds, and None, but where it stands for a number (a camera's `focus_distance`, the parameters of a `Tonemap`).

    Attributes:
        tracks: the keys by path, each a tuple of (seconds, value).
        interpolation: the tracks' by path.
        fps: frames a second.
        duration: seconds. The end has no frame of its own, so that what ends as it began loops.
        place: latitude and longitude in degrees, or None.
        shutter: when each frame's light is gathered, or None where a frame shows one moment.

    Args:
        scene: what does not change; a bare terrain is shown as `Scene.portrait` shows it.
        tracks: path to keys, which are a mapping from seconds to values or a sequence of such pairs, in order.
        fps: frames a second, up to 1000.
        duration: seconds; None is the time of the last key.
        settings: what does not change of the render; None is the defaults.
        interpolation: "smooth", "linear" or "step" for all tracks, or a mapping from paths, where those that are
            missing are smooth.
        place: (latitude, longitude) in degrees, for dates.
        shutter: blurs what moves: each frame shows the scene while its shutter is open (see `Settings.motion_blur`),
            with the settings of the frame's own time. None shows it at that time alone.

    Raises:
        InputError: no such path, keys out of order or two at one time, a value that its field does not take.
    """

    def __init__(
        self,
        scene: Scene | Terrain,
        tracks: Mapping[str, Keyed],
        *,
        fps: float = DEFAULT_FPS,
        duration: float | None = None,
        settings: Settings | None = None,
        interpolation: str | Mapping[str, str] = "smooth",
        place: Place | None = None,
        shutter: Shutter | None = None,
    ) -> None:
        scene = Scene.portrait(scene) if isinstance(scene, Terrain) else scene
        settings = Settings() if settings is None else settings
        for name, given, wanted in (
            ("scene", scene, Scene),
            ("tracks", tracks, Mapping),
            ("settings", settings, Settings),
        ):
            if not isinstance(given, wanted):
                raise InputError(f"Animation {name} is {show(given)}; wanted a {wanted.__name__}")
        self._scene, self._settings = scene, settings
        self.fps = number("Animation fps (frames a second)", fps, high=1000.0, above=0.0)
        self.place = None if place is None else _place(place)
        self.shutter = shutter
        for path in tracks:
            if not isinstance(path, str):
                raise InputError(f"a track is called {show(path)}; wanted the path of what changes, as 'sun.azimuth'")
        keys = {path: read_keys(path, given) for path, given in tracks.items()}
        self.tracks = {path: tuple(pairs) for path, pairs in keys.items()}
        self.interpolation = _kinds(interpolation, keys)
        self._roots = {"scene": Node(), "settings": Node()}
        self._cuts: set[float] = set()
        # A camera before its angle, and what None stands for after what that depends on.
        for path in sorted(keys, key=lambda path: (path.count("."), any(value is None for _, value in keys[path]))):
            self._plant(path, keys[path])
        self.duration = _duration(duration, keys)
        if self.duration * self.fps > MOST_FRAMES:
            wanted = f"wanted at most {MOST_FRAMES} frames"
            raise InputError(f"{self.duration:g} s at {self.fps:g} frames a second are too many frames; {wanted}")
        for time in sorted({time for pairs in keys.values() for time, _ in pairs}):
            self._check(time, f"at the key at {time:g} s")

    def _plant(self, path: str, keys: Keys) -> None:
        """Hang a track where it belongs, with what stands there as the first key finds it."""
        names = path.split(".")
        root = names.pop(0) if names[0] == "settings" else "scene"
        if not names:
            raise InputError("'settings' can't be animated as a whole; name one of them, as 'settings.exposure'")
        now = look_up(path, names[-1], self._part(root, names[:-1], keys[0][0], path), ".".join((root, *names[:-1])))
        parts = [self._part(root, names[:-1], time) for time, _ in keys]
        values = [kept(part, names[-1], value) for part, (_, value) in zip(parts, keys, strict=True)]
        values = meant(parts, names[-1], values)
        keys = [(time, value) for (time, _), value in zip(keys, values, strict=True)]
        track = make_track(path, keys, self.interpolation[path], now, self.place, self._scene.terrain)
        self._roots[root].node(".".join(names)).track = track
        if root == "scene":
            self._cuts.update(track.cuts)

    def _part(self, root: str, names: Sequence[str], time: float, path: str | None = None) -> Any:
        """Return the part of the scene or of the settings that a path leads to, as the tracks so far have it.

        Raises:
            InputError: there is none; where no `path` is given for errors, it is None then.
        """
        part: Any = self._settings if root == "settings" else self._scene
        node, where = self._roots[root], root
        for name in names:
            try:
                part = look_up(path or "", name, part, where)
            except InputError:
                if path is None:
                    return None
                raise
            node, where = node.node(name), f"{where}.{name}"
            if node.track is not None:
                part = node.track(time)
        if names and part is not None:
            with contextlib.suppress(InputError):  # of a moment that can't be, as another track will make it possible
                return dataclasses.replace(node, track=None).at(time, part)
        return part

    @classmethod
    def orbit(
        cls,
        scene: Scene | Terrain,
        degrees: float = 360.0,
        duration: float = 8.0,
        *,
        tracks: Mapping[str, Keyed] | None = None,
        **options: Any,
    ) -> Animation:
        """Return the animation in which the scene's camera goes around what it looks at, at an even pace.

        Args:
            scene: as of an `Animation`.
            degrees: how far: positive is clockwise as seen from above, as a compass bearing grows.
            duration: seconds that it takes.
            tracks: what else changes; not the camera.
            options: everything else that `Animation` takes.

        Raises:
            InputError: as `Animation`.
        """
        scene, duration, tracks = _moved_by("an orbit", scene, duration, tracks)
        degrees = number("Animation orbit degrees", degrees, -MOST_DEGREES, MOST_DEGREES)
        steps = max(2, math.ceil(abs(degrees) / ORBIT_STEP))
        # Keys before the beginning and after the end too: an open shutter looks there, and a loop goes on as it began.
        around = range(-steps, 2 * steps + 1)
        keys = {duration * i / steps: swung(scene.camera, degrees * i / steps) for i in around}
        return cls(scene, {"camera": keys, **tracks}, duration=duration, **options)

    @classmethod
    def flyover(
        cls,
        scene: Scene | Terrain,
        path: Any = None,
        duration: float = 20.0,
        *,
        above_ground: float | None = None,
        pitch: float = -12.0,
        fov: float = 50.0,
        crs: str | None = None,
        tracks: Mapping[str, Keyed] | None = None,
        **options: Any,
    ) -> Animation:
        """Return the animation in which the camera flies along a path over the ground, at an even pace, looking ahead.

        The path and its turns are smoothed by a Gaussian whose standard deviation is what the camera flies in
        0.75 seconds, or a twentieth of the path where that is less. `Camera.flyover` passes its points instead.

        Args:
            scene: as of an `Animation`; its camera is left out.
            path: the name of a GPX file (extra gpx), whose track or else route it is, its elevations left out; or
                (n, 2) points; None flies across the terrain, from south-west to north-east.
            duration: seconds that it takes.
            above_ground: metres of the world above the ground as it is drawn, or the water there, that the flight keeps
                at least, smoothly; they are not exaggerated. None is 4 % of the terrain's longer side.
            pitch: degrees of the view above the horizon, -89 to 89.
            fov: vertical angle of view in degrees.
            crs: what points are in, as "EPSG:4326" for longitude and latitude; None is world metres.
            tracks: what else changes; not the camera. The ground is that of the scene as it is given.
            options: everything else that `Animation` takes.

        Raises:
            InputError: as `Animation`; no GPX file or one without points, fewer than two different points, points
                beside the terrain, a value NaN or out of range.
            MissingDependencyError: gpxpy for a GPX file, or pyproj for longitude and latitude, is missing.
        """
        scene, duration, tracks = _moved_by("a flyover", scene, duration, tracks)
        cameras = flyover_cameras(scene, path, duration, above_ground, pitch, fov, crs)
        keys = {duration * i / (len(cameras) - 1): camera for i, camera in enumerate(cameras)}
        return cls(
            dataclasses.replace(scene, camera=cameras[0]), {"camera": keys, **tracks}, duration=duration, **options
        )

    # As functions of time

    @property
    def frames(self) -> int:
        """How many frames there are: duration times fps, rounded, and at least one."""
        return max(1, round(self.duration * self.fps))

    @property
    def cuts(self) -> tuple[float, ...]:
        """Seconds at which something of the scene jumps: a key of interpolation "step", or of what can only be held."""
        return tuple(sorted(self._cuts))

    def time(self, frame: int) -> float:
        """Return the time of a frame in seconds; that of frame 0 is 0."""
        return number("frame", frame) / self.fps

    def scene(self, time: float) -> Scene:
        """Return the scene at a time in seconds, any time: before the first keys and after the last ones it stays.

        A pure function, cheap (well under a millisecond but for dates) and computed in float64. Whatever does not
        change is the same object each time, so that it stays on the device.

        Raises:
            InputError: `time` is no finite number, or there can be no such scene, as one whose camera is in the ground.
        """
        return self._roots["scene"].at(number("time (seconds)", time), self._scene)

    def exposure(self, time: float) -> Scene | MovingScene:
        """Return what a frame at a time in seconds shows: the scene at that time, or while the shutter is open.

        At a cut a frame shows one side of it: that on which more of its light falls.
        """
        if self.shutter is None:
            return self.scene(time)
        opens, closes = self.shutter.interval(self.fps)
        time = number("time (seconds)", time)
        opens, closes = time + opens, time + closes
        middle = (opens + closes) / 2.0
        for cut in self.cuts:
            if opens < cut <= middle:
                opens = cut
            elif middle < cut <= closes:
                closes = math.nextafter(cut, -math.inf)
        return MovingScene(self.scene, opens, closes, self.shutter.ramp)

    def settings(self, time: float) -> Settings:
        """Return the settings at a time in seconds, as `scene` does."""
        return self._roots["settings"].at(number("time (seconds)", time), self._settings)

    def with_settings(self, **overrides: Any) -> Animation:
        """Return this animation with some settings changed that are not animated.

        Raises:
            InputError: a name that is no setting or an animated one, or a value out of its range.
        """
        for name in overrides:
            if f"settings.{name}" in self.tracks:
                raise InputError(f"{name} is given, and 'settings.{name}' is animated; leave one of them out")
        return Animation(
            self._scene,
            self.tracks,
            fps=self.fps,
            duration=self.duration,
            settings=self._settings.replace(**overrides),
            interpolation=self.interpolation,
            place=self.place,
            shutter=self.shutter,
        )

    def check(self, aovs: Iterable[str] = (), *, lane: str = LANES[0], size: tuple[int, int] = (1280, 720)) -> None:
        """Make the scene and the settings of every frame, so that one that can't be is told before any is rendered.

        Where there is a shutter, how the scene is while it is open too, and whether `motion_blur` and the AOV "motion"
        can say what moves then.

        Args:
            aovs: names of the AOVs that shall be rendered.
            lane: how, which decides what it has no use for.
            size: (width, height) in pixels, which decides how much of a lens is seen.

        Raises:
            InputError: the frame and its fault, such as a camera inside the ground.
        """
        from vkforge.renderer import LANE_TYPES

        aovs, refuse = check_aovs(aovs), partial(LANE_TYPES[lane_name(lane)].refuse, size=picture_size(size))
        for frame in range(self.frames):
            self._check(self.time(frame), f"frame {frame}, at {self.time(frame):.3g} s", aovs, refuse)

    def _check(
        self,
        time: float,
        where: str,
        aovs: tuple[str, ...] = (),
        refuse: Callable[[Scene, Settings], None] | None = None,
    ) -> None:
        try:
            scene, settings, shown = self.scene(time), self.settings(time), self.exposure(time)
            if refuse is None:
                return
            refuse(scene, settings)
            if not isinstance(shown, MovingScene):
                return
            middle = shown.scene(0.5)
            for scene in shown.during():
                shown.check(scene, middle)
            if settings.motion_blur == "vectors":
                shown.check_that_the_camera_alone_moves()
            if "motion" in aovs:
                shown.check_that_the_ground_stays()
        except InputError as error:
            raise InputError(f"{where}: {error}") from None

    # As a video

    def render(
        self,
        path: str | os.PathLike[str],
        size: tuple[int, int] | None = None,
        *,
        renderer: Renderer | None = None,
        lane: str = "lit",
        aovs: str | Iterable[str] = (),
        resume: bool = True,
        crf: int | None = None,
        quality: int | None = None,
        save: Mapping[str, Any] | None = None,
        progress: Callable[[Progress], None] | None = None,
        **overrides: Any,
    ) -> Path:
        """Render every frame into a video or into numbered pictures.

        Frames are rendered, read back and encoded at the same time and never held all at once. A job that was stopped,
        by Ctrl-C, a full disk or a power cut, goes on at the first missing frame when the same call is made again.

        =====================  ==================================================================================
        .mp4                   H.264 by PyAV (extra `video`), 4:2:0; width and height must be even
        .gif                   256 colours a frame, at most 50 frames a second
        .webp                  animated WebP
        frame_%04d.png, .exr   one file a frame, from 0; any format that `Image.save` writes
        =====================  ==================================================================================

        Args:
            path: where to; its extension says what. A video appears whole or not at all, and what is done of it lies
                in PATH.parts meanwhile.
            size: as of `Renderer.render`.
            renderer: who renders; None makes one for the while.
            lane: as of `Renderer.render`.
            aovs: for numbered .exr and .npz, as of `Renderer.render`; and for numbered .tif, whose bands are those that
                `save` names.
            resume: go on with what a stopped job left; False starts over and deletes that.
            crf: .mp4: constant rate factor, 0 (lossless) to 51, 18 unless given.
            quality: .webp: 0 to 100, 90 unless given.
            save: numbered pictures: what `Image.save` takes, as {"half": False}.
            progress: called after each frame; None prints a line to the terminal, if stderr is one.
            overrides: single settings by name, as `samples=64`.

        Returns:
            The path.

        Raises:
            InputError: an argument that can't be used, a frame that can't be, or a job of other frames at that path.
            OutputError: the file can't be written, or another process is at it; an earlier file is untouched.
            MissingDependencyError: PyAV, which .mp4 needs, is missing.
        """
        from vkforge.animation.film import Film

        animation = self.with_settings(**overrides) if overrides else self
        film = Film(animation, path, size, lane=lane, aovs=aovs, crf=crf, quality=quality, save=save)
        return film.make(renderer, resume=resume, progress=progress)

    def __reduce__(self) -> Any:
        """Return how to make it again: what it is made of can be pickled, the functions of its tracks can't."""
        given = {name: getattr(self, name) for name in ("fps", "duration", "interpolation", "place", "shutter")}
        return partial(Animation, self._scene, self.tracks, settings=self._settings, **given), ()

    @property
    def shutter(self) -> Shutter | None:
        """When each frame's light is gathered; None shows a moment. It may be set."""
        return self._shutter

    @shutter.setter
    def shutter(self, shutter: Shutter | None) -> None:
        if shutter is not None and not isinstance(shutter, Shutter):
            raise InputError(f"Animation shutter is {show(shutter)}; wanted a vkforge.Shutter or None")
        if shutter is not None:
            shutter.interval(self.fps)  # which some are too long for
        self._shutter = shutter

    def __repr__(self) -> str:
        what = ", ".join(self.tracks) or "nothing"
        return f"Animation({what}; {self.duration:g} s at {self.fps:g} frames a second, {self.frames} frames)"


def _place(given: Any) -> Place:
    try:
        latitude, longitude = given
    except (TypeError, ValueError):
        raise InputError(f"Animation place is {show(given)}; wanted (latitude, longitude) in degrees") from None
    return (
        number("Animation place's latitude (degrees)", latitude, -90.0, 90.0),
        number("Animation place's longitude (degrees)", longitude, -360.0, 360.0),
    )


def _kinds(given: Any, paths: Iterable[str]) -> dict[str, str]:
    """Return each track's interpolation."""
    paths = list(paths)
    kinds = dict.fromkeys(paths, given) if isinstance(given, str) or not isinstance(given, Mapping) else given
    for path in kinds:
        if path not in paths:
            hint = suggest(str(path), paths)
            raise InputError(f"interpolation names {path!r}, and there is no such track{hint}")
    kinds = {path: kinds.get(path, "smooth") for path in paths}
    for kind in [given, *kinds.values()] if isinstance(given, str) else kinds.values():
        if not isinstance(kind, str) or kind not in KINDS:
            raise InputError(
                f"no interpolation called {show(kind)}{suggest(str(kind), KINDS)} (there are {', '.join(KINDS)})"
            )
    return kinds


def _duration(given: float | None, keys: Mapping[str, Keys]) -> float:
    if given is not None:
        return number("Animation duration (seconds)", given, above=0.0)
    last = max((pairs[-1][0] for pairs in keys.values()), default=0.0)
    if last <= 0.0:
        raise InputError("the animation has no key after 0 s, and so no end; give duration= in seconds")
    return last


def _moved_by(
    what: str, scene: Scene | Terrain, duration: Any, tracks: Mapping[str, Keyed] | None
) -> tuple[Scene, float, Mapping[str, Keyed]]:
    """Return scene, duration and tracks of an animation whose camera something moves, checked."""
    scene = Scene.portrait(scene) if isinstance(scene, Terrain) else scene
    if not isinstance(scene, Scene):
        raise InputError(f"Animation scene is {show(scene)}; wanted a Scene")
    tracks = {} if tracks is None else tracks
    if not isinstance(tracks, Mapping):
        raise InputError(f"Animation tracks is {show(tracks)}; wanted a Mapping")
    if "camera" in tracks:
        raise InputError(f"{what} moves the camera, and 'camera' is among its tracks; leave it out")
    return scene, number("Animation duration (seconds)", duration, above=0.0), tracks
