"""Cameras between cameras: where they stand, how they turn and how their plane in focus leans."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vkforge.animation.curves import Curve, Path, Turning, axes, rotation
from vkforge.errors import InputError
from vkforge.io.gpx import read_path
from vkforge.scene.camera import Camera
from vkforge.scene.crs import WGS84
from vkforge.scene.flight import check_over_terrain, flight, is_geographic, path_in_world, targets

if TYPE_CHECKING:
    from vkforge.scene.scene import Scene

# Length of the view's horizontal part from which on a level camera is kept level; closer to straight up or down the
# horizon says less and less about which way is up.
_LEVEL = 0.2

# Of a flyover: seconds of the flight, or the share of the path where that is less, of the Gaussian that smooths it; and
# its keys.
_SMOOTHING, _MOST_SMOOTHING = 0.75, 0.05
_KEYS_A_SECOND, _FEWEST_KEYS, _MOST_KEYS = 8.0, 128, 4096

# What `camera_moves` gives; all else of a camera changes by itself.
PLACE = ("position", "target", "up", "tilt")

# What of a camera is another at a time, given what else is by then.
Move = Callable[[float, dict[str, Any]], dict[str, Any]]


def camera_moves(times: np.ndarray, cameras: Sequence[Camera], kind: str) -> list[Move]:
    """Return what moves cameras of one kind through their keys, in the order in which they are asked.

    They turn as `Turning` does. Where all look at one point, they stay on that, and swing around it: on an exact circle
    between cameras that differ by a turn about it. Elsewhere the eye moves as a `Path`, and the target lies ahead at a
    distance that changes as a number does. Where all cameras are level, so is every one between. Oblique cameras keep
    the plan undistorted: what changes evenly is how far a metre of height leans, and the bearing of the top.

    The plane in focus leans as a lens makes it that is turned evenly: by the hinge rule, tan(tilt) over the distance in
    focus changes as a number does, and stays where a tilted lens is focused elsewhere.
    """
    moves = []
    if any((camera.position, camera.target, camera.up) != _place(cameras[0]) for camera in cameras):
        moves.append((_oblique if cameras[0].kind == "oblique" else _way)(times, cameras, kind))
    if any(camera.tilt != cameras[0].tilt for camera in cameras):
        moves.append(_lean(times, cameras, kind))
    return moves


def _place(camera: Camera) -> tuple[Any, Any, Any]:
    return camera.position, camera.target, camera.up


def _way(times: np.ndarray, cameras: Sequence[Camera], kind: str) -> Move:
    frames = [_frame(camera) for camera in cameras]
    turning = Turning(times, np.array([rotation(frame) for frame in frames]), kind)
    eyes, targets, far = _eyes(times, cameras, kind)
    circling = bool(np.abs(targets - targets[0]).max() <= 1e-9 * np.linalg.norm(targets - eyes, axis=1).max())
    path = None if circling else Path(times, eyes, kind)
    level = all(abs(frame[0][2]) < 1e-9 and frame[1][2] > -1e-9 for frame in frames)
    has_up = cameras[0].kind != "panorama"

    def move(time: float, _: dict[str, Any]) -> dict[str, Any]:
        right, up, backward = axes(turning(time))
        if level:
            up = _levelled(right, up, backward)
        distance = math.exp(float(far(time)[0]))
        eye = targets[0] + distance * backward if path is None else path(time)
        target = targets[0] if path is None else eye - distance * backward
        place = {"position": tuple(eye.tolist()), "target": tuple(target.tolist())}
        return {**place, "up": tuple(up.tolist())} if has_up else place

    return move


def _frame(camera: Camera) -> np.ndarray:
    """Return (3, 3), unit vectors right, up and backward; those of a panorama that looks up or down lean with it."""
    right, up, forward = np.array(camera.axes)
    if camera.kind == "panorama":
        ahead = np.subtract(camera.target, camera.position)
        forward = ahead / np.linalg.norm(ahead)
        up = np.cross(right, forward)
    return np.array([right, up, -forward])


def _eyes(times: np.ndarray, cameras: Sequence[Camera], kind: str) -> tuple[np.ndarray, np.ndarray, Curve]:
    """Return the (n, 3) eyes and targets, and the logarithm of the distance between them over time."""
    eyes = np.array([camera.position for camera in cameras], np.float64)
    targets = np.array([camera.target for camera in cameras], np.float64)
    return eyes, targets, Curve(times, np.log(np.linalg.norm(targets - eyes, axis=1))[:, None], kind)


def _levelled(right: np.ndarray, up: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """Return `up` turned about the view until `right` is horizontal; less so where the view is steep."""
    flat = math.hypot(backward[0], backward[1])
    share = min(flat / _LEVEL, 1.0)
    share *= share * (3.0 - 2.0 * share)
    roll = math.atan2(right[2], up[2]) * share
    return up * math.cos(roll) + right * math.sin(roll)


def _oblique(times: np.ndarray, cameras: Sequence[Camera], kind: str) -> Move:
    eyes, targets, far = _eyes(times, cameras, kind)
    path, ahead = Path(times, eyes, kind), targets - eyes
    lean = Curve(times, ahead[:, :2] / -ahead[:, 2:], kind)
    bearings = np.unwrap([math.atan2(camera.up[0], camera.up[1]) for camera in cameras])
    bearing = Curve(times, bearings[:, None], kind)

    def move(time: float, _: dict[str, Any]) -> dict[str, Any]:
        eye, forward, turn = path(time), np.array([*lean(time), -1.0]), float(bearing(time)[0])
        target = eye + math.exp(float(far(time)[0])) / np.linalg.norm(forward) * forward
        up = (math.sin(turn), math.cos(turn), 0.0)
        return {"position": tuple(eye.tolist()), "target": tuple(target.tolist()), "up": up}

    return move


def _lean(times: np.ndarray, cameras: Sequence[Camera], kind: str) -> Move:
    def focus(camera: Any) -> float:
        own = camera["focus_distance"]
        return math.dist(camera["position"], camera["target"]) if own is None else own

    distances = np.array([focus(vars(camera)) for camera in cameras])
    slopes = np.tan(np.radians([camera.tilt for camera in cameras]))
    hinge = Curve(times, slopes / distances[:, None], kind)

    def move(time: float, changes: dict[str, Any]) -> dict[str, Any]:
        slope = hinge(time) * focus({**vars(cameras[0]), **changes})
        return {"tilt": tuple(np.degrees(np.arctan(slope)).tolist())}

    return move


def flyover_cameras(
    scene: Scene, path: Any, duration: float, above_ground: Any, pitch: Any, fov: Any, crs: Any
) -> list[Camera]:
    """Return the cameras of `Animation.flyover`, whose arguments these are, evenly spaced in time."""
    terrain, points, from_file = scene.terrain, None, isinstance(path, (str, os.PathLike))
    if from_file and crs is not None:
        raise InputError("crs is given with a GPX file, which is in longitude and latitude; leave it out")
    if path is not None:
        crs = WGS84 if from_file else crs
        points = path_in_world(terrain, read_path(path) if from_file else path, crs)
        check_over_terrain(terrain, points, degrees=is_geographic(crs))
    smoothing = 0.0
    if points is not None:
        length = float(np.hypot(*np.diff(points, axis=0).T).sum())
        smoothing = length * min(_SMOOTHING / duration, _MOST_SMOOTHING)
    count = int(min(max(_KEYS_A_SECOND * duration, _FEWEST_KEYS), _MOST_KEYS))
    level = -math.inf if scene.water is None else scene.water.level * terrain.vertical_exaggeration
    places, bearings = flight(terrain, points, count, above_ground, smoothing=smoothing, level=level)
    aims = targets(terrain, places, bearings, pitch)
    return [Camera.perspective(eye, aim, fov=fov) for eye, aim in zip(places, aims, strict=True)]


def swung(camera: Camera, degrees: float) -> Camera:
    """Return a camera swung about the vertical through its target, clockwise from above."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def swing(x: float, y: float, z: float) -> tuple[float, float, float]:
        return cosine * x + sine * y, cosine * y - sine * x, z

    ahead = swing(*(a - b for a, b in zip(camera.position, camera.target, strict=True)))
    eye = tuple(a + b for a, b in zip(camera.target, ahead, strict=True))
    return dataclasses.replace(camera, position=eye, up=swing(*camera.up))
