"""What a scene's camera and sun are, as plain values for `Image.info`."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from vkforge.post.exposure import CameraExposure
from vkforge.post.lens import Lens
from vkforge.scene.camera import Camera
from vkforge.scene.camera_view import CameraView
from vkforge.scene.scene import Scene
from vkforge.scene.shutter import MovingScene

# Where a camera's frame, u and v from -1 to 1 with v up, lies in the picture: 0 to 1 with y down.
_FRAME_TO_PICTURE = np.array([[0.5, 0, 0, 0.5], [0, -0.5, 0, 0.5], [0, 0, 1, 0], [0, 0, 0, 1]])


def scene_info(
    scene: Scene, size: tuple[int, int], exposure: Any, lens: Lens | None = None, moving: MovingScene | None = None
) -> dict[str, dict[str, Any]]:
    """Return "camera" and, where there are some, "sun", "camera_exposure" and "shutter": numbers, text, tuples of them.

    A perspective camera's ``fov`` and ``fov_x`` are the picture's, which is the largest part of the sensor's frame that
    has its proportions, and a view by parallel rays has ``width`` and ``height`` in metres. What the lens is
    (``focus_distance``, ``aperture_radius``, ``blades``, ``tilt``, ...) is there where the camera has one.

    ``f_number`` is the lens', where it is known; of a pinhole it is that of a `CameraExposure`, and so is
    ``exposure_time`` where nothing moves while a shutter is open. "camera_exposure" has the numbers of the latter
    whatever the lens and the shutter are.

    The camera's matrices are for column vectors. ``world_to_camera`` has x right, y up and looks along -z;
    ``world_to_ndc`` gives, after division by w, the place in the picture: (0, 0) is its upper left corner and (1, 1)
    its lower right one. A panorama or a fish-eye has no such matrix. Of a picture that a lens distorts it is that of
    the pinhole, and ``distortion_radial`` (k1, k2, k3) and ``distortion_tangential`` (p1, p2) say the rest. Of a camera
    that moves while the shutter is open all of it is of the middle, as the AOVs are.

    Args:
        scene: what is rendered.
        size: (width, height) of the picture in pixels.
        exposure: `Settings.exposure`.
        lens: `Settings.lens`.
        moving: how the scene moves while the shutter is open, where it does.
    """
    camera = scene.camera.middle
    found: dict[str, Any] = {"kind": camera.kind, "position": camera.position, "target": camera.target}
    found |= _frame(camera, size) | _lens(camera)
    if lens is not None and lens.distorts:
        found |= {"distortion_radial": (lens.k1, lens.k2, lens.k3), "distortion_tangential": (lens.p1, lens.p2)}
    groups: dict[str, dict[str, Any]] = {"camera": found}
    if isinstance(exposure, CameraExposure):
        groups["camera_exposure"] = dataclasses.asdict(exposure)
        found |= {"exposure_time": exposure.shutter, "iso": exposure.iso}
        if camera.lens is None:
            found["f_number"] = exposure.f_number
    if moving is not None:
        groups["shutter"] = {"open": moving.open, "close": moving.close, "ramp": moving.ramp}
        found["exposure_time"] = moving.close - moving.open
    if camera.kind not in ("oblique", "panorama"):
        found["world_to_camera"] = _plain(camera.to_matrix("opengl", to="camera"))
    if camera.projection == "linear":
        found["world_to_ndc"] = _plain(world_to_ndc(camera, size))
    if scene.sun is not None:
        sun = scene.sun
        groups["sun"] = {
            "azimuth": float(sun.azimuth),
            "elevation": float(sun.elevation),
            "direction": sun.direction,
            "irradiance": tuple(float(channel) for channel in sun.irradiance),
            "angular_diameter": float(sun.angular_diameter),
        }
    return groups


def _frame(camera: CameraView, size: tuple[int, int]) -> dict[str, Any]:
    """Return what of the world the picture shows."""
    if camera.height is not None:
        width, height = camera.span(*size)
        return {"width": width, "height": height}
    if camera.kind != "perspective":
        return {name: value for name in ("fov", "fov_x") if (value := getattr(camera, name)) is not None}
    rays = camera.rays(*size)
    half = {"fov": math.hypot(*rays.direction_v), "fov_x": math.hypot(*rays.direction_u)}
    found: dict[str, Any] = {name: 2.0 * math.degrees(math.atan(tangent)) for name, tangent in half.items()}
    if camera.shift != (0.0, 0.0):
        found["shift"] = camera.shift
    if camera.pixel_aspect != 1.0:
        found["pixel_aspect"] = camera.pixel_aspect
    return found


def _lens(camera: CameraView) -> dict[str, Any]:
    """Return what is known of a camera's sensor and of its thin lens."""
    found: dict[str, Any] = {}
    if camera.sensor is not None:
        found |= {"focal_length": camera.focal_length, "sensor": camera.sensor, "scale": camera.scale}
    lens = camera.lens
    if lens is None:
        return found
    found |= {"aperture_radius": lens.radius, "focus_distance": lens.focus_distance, "blades": lens.blades}
    if lens.blades:
        found["blade_rotation"] = lens.blade_rotation
    if camera.tilt != (0.0, 0.0):
        found["tilt"] = camera.tilt
    if camera.f_number is not None:
        found["f_number"] = camera.f_number
    return found


def world_to_ndc(camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """Return the (4, 4) float64 matrix that takes points (column vectors) to a picture of `size`; see `scene_info`.

    Of parallel rays its third row gives the depth along them in metres; of a perspective camera w is the depth along
    the axis, and the third row makes one over it.

    Args:
        camera: a camera whose frame is flat: perspective, orthographic, oblique or map.
        size: (width, height) of the picture in pixels.
    """
    rays = camera.rays(*size)
    forward = np.array(rays.direction) / np.linalg.norm(rays.direction)
    parallel = any(rays.origin_u)
    right, up = (rays.origin_u, rays.origin_v) if parallel else (rays.direction_u, rays.direction_v)
    across = np.linalg.inv(np.stack([right, up, forward if parallel else rays.direction], axis=1))
    to_frame = np.zeros((4, 4))
    if parallel:
        to_frame[:3, :3], to_frame[3, 3] = across, 1.0
    else:
        to_frame[:2, :3], to_frame[2, 3], to_frame[3, :3] = across[:2], 1.0, across[2]
    from_origin = np.eye(4)
    from_origin[:3, 3] = -np.array(rays.origin)
    return _FRAME_TO_PICTURE @ to_frame @ from_origin


def _plain(matrix: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())
