"""The shutter: how long light falls on a frame, and a scene that moves meanwhile."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vkforge.errors import InputError
from vkforge.scene.checks import brief, number, show
from vkforge.scene.environment import Environment
from vkforge.scene.scene import Scene

_LOOKED_AT = (0.0, 0.25, 0.5, 0.75, 1.0)  # shares of the light at which it is found out what kind of scene is shown


@dataclass(frozen=True)
class Shutter:
    """When a frame's light is gathered, about its time.

    The shutter opens and closes evenly over `ramp` of the time that it is not fully shut: 0 is a box, 0.5 a triangle.

    Attributes:
        angle: degrees of a rotary disc that are open: 180, the custom of film, is half of the time from frame to frame.
            0 to 360 (0 excluded). None where `seconds` is given.
        seconds: for how long it is not fully shut. None where `angle` is given.
        centre: where that time's middle lies, in shares of it after the frame's time: 0 is about the frame's time, 0.5
            begins with it, -0.5 ends with it.
        ramp: share of that time in which it opens, and in which it closes, 0 to 0.5.

    Raises:
        InputError: neither or both of `angle` and `seconds`, or a value out of its range.
    """

    angle: float | None = None
    seconds: float | None = None
    centre: float = 0.0
    ramp: float = 0.0

    def __post_init__(self) -> None:
        put = object.__setattr__
        if self.angle is None and self.seconds is None:
            put(self, "angle", 180.0)
        if self.angle is not None and self.seconds is not None:
            raise InputError(f"Shutter has both angle {self.angle} and seconds {self.seconds}; give one of them")
        if self.angle is not None:
            put(self, "angle", number("Shutter angle (degrees)", self.angle, high=360.0, above=0.0))
        else:
            put(self, "seconds", number("Shutter seconds", self.seconds, above=0.0))
        put(self, "centre", number("Shutter centre", self.centre, -0.5, 0.5))
        put(self, "ramp", number("Shutter ramp", self.ramp, 0.0, 0.5))

    def interval(self, fps: float) -> tuple[float, float]:
        """Return when it begins to open and when it is shut again, in seconds after the time of a frame.

        Raises:
            InputError: `fps` is not greater than 0, or `seconds` is longer than the time from one frame to the next.
        """
        fps = number("fps (frames a second)", fps, above=0.0)
        length = self.seconds if self.angle is None else self.angle / 360.0 / fps
        assert length is not None
        if length * fps > 1.0 + 1e-9:
            raise InputError(
                f"a shutter of {length:g} s is open for longer than a frame lasts at {fps:g} frames a second, an angle "
                f"of {360.0 * length * fps:g} degrees; wanted at most {1.0 / fps:g} s"
            )
        middle = self.centre * length
        return middle - length / 2.0, middle + length / 2.0


@dataclass(frozen=True)
class MovingScene:
    """A scene that moves while the shutter is open: what `Renderer.render` takes in the place of a `Scene`.

    The samples of a picture show it at times that are spread over the opening, which is exact in the limit: use many,
    as 64, where much moves. Whatever a scene is made of may change from time to time but the arrays on the device
    (heights, textures, density fields): those of the middle serve throughout, and so do the tables of a physical sky,
    while the sun's direction and colour move. The lit lane's depth of field is that of the middle too; a focus that is
    pulled within the exposure is for the path-traced lane.

    Attributes:
        at: the scene at a time in seconds; a pure function.
        open: when the shutter begins to open, seconds.
        close: when it is shut again, later than `open`.
        ramp: as that of `Shutter`.

    Raises:
        InputError: `close` does not come after `open`, or a value out of its range.
    """

    at: Callable[[float], Scene]
    open: float
    close: float
    ramp: float = 0.0
    __repr__ = brief

    def __post_init__(self) -> None:
        put = object.__setattr__
        if not callable(self.at):
            raise InputError(f"MovingScene at is {show(self.at)}; wanted a function of seconds that gives a Scene")
        put(self, "open", number("MovingScene open (seconds)", self.open))
        put(self, "close", number("MovingScene close (seconds)", self.close, above=self.open))
        put(self, "ramp", number("MovingScene ramp", self.ramp, 0.0, 0.5))

    def time(self, share: float) -> float:
        """Return the time by which this share of the light, 0 to 1, has come in."""
        share = number("MovingScene share of the light", share, 0.0, 1.0)
        # The shutter's opening is a trapezoid over [0, 1] with ramps of length r, whose area is 1 - r.
        r, area = self.ramp, share * (1.0 - self.ramp)
        if area < r / 2.0:
            x = math.sqrt(2.0 * r * area)
        elif area <= 1.0 - 1.5 * r:
            x = area + r / 2.0
        else:
            x = 1.0 - math.sqrt(2.0 * r * max(1.0 - r - area, 0.0))
        return self.open + x * (self.close - self.open)

    def scene(self, share: float) -> Scene:
        """Return the scene as it is at `time(share)`.

        Raises:
            InputError: `at` gave something else than a Scene.
        """
        scene = self.at(self.time(share))
        if not isinstance(scene, Scene):
            raise InputError(f"MovingScene at({self.time(share):g}) gave a {type(scene).__name__}; wanted a Scene")
        return scene

    def during(self) -> tuple[Scene, ...]:
        """Return the scene at some times from `open` to `close`: what a picture of all that is between is compiled for.

        Raises:
            InputError: as `scene`.
        """
        return tuple(self.scene(share) for share in _LOOKED_AT)

    def check_that_the_camera_alone_moves(self) -> None:
        """Check that motion vectors of the camera's movement tell all that moves.

        Raises:
            InputError: something else differs between `open` and `close`.
        """
        before, after = self.scene(0.0), self.scene(1.0)
        for name in (field.name for field in dataclasses.fields(Scene)):
            a, b = getattr(before, name), getattr(after, name)
            if name != "camera" and a is not b and not _alike(a, b):
                raise InputError(
                    f"the scene's {name} changes while the shutter is open, and motion_blur='vectors' shows the "
                    "camera's movement alone; use motion_blur='samples'"
                )

    def check_that_the_ground_stays(self) -> None:
        """Check that motion vectors of the camera's movement tell where everything seen goes.

        Raises:
            InputError: the ground or the water is another at `open` than at `close`.
        """
        before, after = self.scene(0.0), self.scene(1.0)
        moved = {
            "terrain's vertical_exaggeration": (
                before.terrain.vertical_exaggeration,
                after.terrain.vertical_exaggeration,
            ),
            "water": (before.water and before.water.level, after.water and after.water.level),
        }
        for name, (a, b) in moved.items():
            if a != b:
                raise InputError(
                    f"the {name} goes from {a} to {b} while the shutter is open, and the AOV 'motion' knows the "
                    "camera's movement alone; leave it out, or let the shutter close sooner"
                )

    def check(self, scene: Scene, middle: Scene) -> None:
        """Check that `scene` can be shown with the arrays and by the kind of camera of `middle`.

        Raises:
            InputError: something that lies on the device as an array is another, or the camera is of another kind; no
                scenes.
        """
        for name, given in (("scene", scene), ("middle", middle)):
            if not isinstance(given, Scene):
                raise InputError(f"MovingScene check was given {show(given)} as {name}; wanted a Scene")
        kinds = [(seen.camera.kind, seen.camera.mapping) for seen in (scene, middle)]
        if kinds[0] != kinds[1]:
            raise InputError(
                f"the camera is of kind {scene.camera.kind!r} and {middle.camera.kind!r} while the shutter is open; it "
                "may only move then: cut from one to the other between two frames"
            )
        if scene.is_transparent != middle.is_transparent:
            raise InputError(
                "the background becomes transparent, or a colour, while the shutter is open; let it be one throughout: "
                "cut between two frames"
            )
        for name, now in _arrays(scene).items():
            then = _arrays(middle)[name]
            if now is not then and not (isinstance(now, (bytes, int)) and now == then):
                raise InputError(
                    f"the {name} is another while the shutter is open; only what is no array may change then: "
                    "keep the same array, or render a Scene of one moment"
                )


def _alike(a: Any, b: Any) -> bool:
    """Whether two parts of a scene are the same: records by their fields, arrays by identity, the rest by value."""
    if type(a) is not type(b):
        return False
    if dataclasses.is_dataclass(a):
        return all(_alike(getattr(a, field.name), getattr(b, field.name)) for field in dataclasses.fields(a))
    return a is b if isinstance(a, np.ndarray) else a == b


def _arrays(scene: Scene) -> dict[str, Any]:
    """Return what of a scene lies on the device as arrays, by name: to be compared by identity, bytes by value."""
    terrain, fog, water, clouds = scene.terrain, scene.fog, scene.water, scene.clouds
    albedo = terrain.surface_albedo
    pixels = albedo.pixels if albedo.kind == "texture" or albedo.pixels is None else albedo.pixels.tobytes()
    return {
        "terrain's heights": terrain.heights,
        "terrain's albedo": pixels,
        "overlay of the terrain's albedo": albedo.overlay,
        **{name.replace("_", " "): texture for name, texture in terrain.material.maps.items()},
        "environment map": scene.sky.radiance if isinstance(scene.sky, Environment) else None,
        "density of the fog": None if fog is None else fog.density,
        "clouds' seed": None if clouds is None else clouds.seed,
        "mask of the water": None if water is None else water.mask,
    }
