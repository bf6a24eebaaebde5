"""Cameras between cameras."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np

from vkforge.animation.curves import Curve, Path, Turning, axes, rotation
from vkforge.errors import InputError
from vkforge.scene.camera import Camera
from vkforge.scene.checks import show

# Length of the view's horizontal part from which on a level camera is kept level; closer to straight up or down the
# horizon says less and less about which way is up.
_LEVEL = 0.2

_PLACE = ("position", "target", "up")


def camera_track(times: np.ndarray, cameras: Sequence[Camera], kind: str) -> Callable[[float], Camera]:
    """Return the camera that passes through `cameras`, and is each of them at its time.

    It turns as `Turning` does. Where all look at one point, it stays on that, and swings around it: on an exact circle
    between cameras that differ by a turn about it. Elsewhere the eye moves as a `Path`, and the target lies ahead at a
    distance that changes as a number does. Where all cameras are level, so is every one between.

    Raises:
        InputError: cameras of two kinds, or with lenses of two kinds.
    """
    constant, curves = _numbers(times, cameras, kind)
    frames = [np.array(camera._axes) for camera in cameras]  # right, up, forward
    turning = Turning(times, np.array([rotation(np.array([f[0], f[1], -f[2]])) for f in frames]), kind)
    eyes = np.array([camera.position for camera in cameras], np.float64)
    targets = np.array([camera.target for camera in cameras], np.float64)
    distances = np.linalg.norm(targets - eyes, axis=1)
    far = Curve(times, np.log(distances)[:, None], kind)
    circling = bool(np.abs(targets - targets[0]).max() <= 1e-9 * distances.max())
    path = None if circling else Path(times, eyes, kind)
    level = all(abs(frame[0][2]) < 1e-9 and frame[1][2] > -1e-9 for frame in frames)
    exact = dict(zip(times.tolist(), cameras, strict=True))
    last = float(times[-1])

    def camera(time: float) -> Camera:
        time = min(max(time, float(times[0])), last)
        if time in exact:
            return exact[time]
        right, up, backward = axes(turning(time))
        if level:
            up = _levelled(right, up, backward)
        distance = math.exp(float(far(time)[0]))
        eye = targets[0] + distance * backward if path is None else path(time)
        target = targets[0] if path is None else eye - distance * backward
        place = {"position": tuple(eye.tolist()), "target": tuple(target.tolist()), "up": tuple(up.tolist())}
        numbers = {name: float(curve(time)[0]) for name, curve in curves.items()}
        return dataclasses.replace(cameras[0], **place, **constant, **numbers)

    return camera


def _numbers(times: np.ndarray, cameras: Sequence[Camera], kind: str) -> tuple[dict[str, object], dict[str, Curve]]:
    """Return what all cameras have in common, and the curves of what they have not."""
    constant, curves = {}, {}
    for field in (field for field in dataclasses.fields(Camera) if field.init and field.name not in _PLACE):
        values = [getattr(camera, field.name) for camera in cameras]
        if all(value == values[0] for value in values):
            constant[field.name] = values[0]
        elif all(isinstance(value, float) for value in values):
            curves[field.name] = Curve(times, np.array(values)[:, None], kind)
        else:
            one, other = values[0], next(value for value in values if value != values[0])
            raise InputError(
                f"nothing lies between cameras whose {field.name} is {show(one)} and {show(other)}; give all of them "
                "the same, or the camera the interpolation 'step'"
            )
    return constant, curves


def _levelled(right: np.ndarray, up: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """Return `up` turned about the view until `right` is horizontal; less so where the view is steep."""
    flat = math.hypot(backward[0], backward[1])
    share = min(flat / _LEVEL, 1.0)
    share *= share * (3.0 - 2.0 * share)
    roll = math.atan2(right[2], up[2]) * share
    return up * math.cos(roll) + right * math.sin(roll)
