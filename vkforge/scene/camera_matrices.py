"""Cameras as matrices: poses in the conventions of OpenGL, OpenCV and Blender, and OpenCV's K."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vkforge.errors import InputError, suggest
from vkforge.scene.checks import Vector, float_array, picture_size, show

# The signs of right, up and forward in a camera's own x, y and z. Blender's camera object is OpenGL's camera.
CONVENTIONS = {"opengl": (1.0, 1.0, -1.0), "opencv": (1.0, -1.0, 1.0), "blender": (1.0, 1.0, -1.0)}
DIRECTIONS = ("world", "camera")


def _signs(convention: Any, to: Any) -> np.ndarray:
    if not isinstance(convention, str) or convention not in CONVENTIONS:
        hint, known = suggest(str(convention), CONVENTIONS), ", ".join(CONVENTIONS)
        raise InputError(f"no matrix convention called {show(convention)}{hint} (there are {known})")
    if not isinstance(to, str) or to not in DIRECTIONS:
        raise InputError(f"to is {show(to)}; wanted 'world' (camera to world) or 'camera' (world to camera)")
    return np.array(CONVENTIONS[convention])


def pose(position: Vector, axes: tuple[Vector, Vector, Vector], convention: str, to: str) -> np.ndarray:
    """Return the (4, 4) matrix of a camera at `position` with unit axes right, up and forward.

    Raises:
        InputError: an unknown convention or direction.
    """
    signs = _signs(convention, to)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(axes).T * signs
    matrix[:3, 3] = position
    if to == "camera":
        rotation = matrix[:3, :3].T
        matrix[:3, :3], matrix[:3, 3] = rotation, -rotation @ np.array(position)
    return matrix


def read_pose(matrix: Any, convention: str, to: str) -> tuple[Vector, Vector, Vector]:
    """Return position, unit up and unit forward of a (4, 4) or (3, 4) matrix.

    Raises:
        InputError: an unknown convention or direction, another shape, or a matrix that is not rigid.
    """
    signs = _signs(convention, to)
    given = float_array("camera matrix", matrix, "finite numbers of shape (4, 4) or (3, 4)")
    if given.shape not in ((4, 4), (3, 4)) or not np.isfinite(given).all():
        raise InputError(f"camera matrix is {show(matrix)}; wanted finite numbers of shape (4, 4) or (3, 4)")
    if given.shape == (4, 4) and not np.allclose(given[3], (0.0, 0.0, 0.0, 1.0), atol=1e-9):
        raise InputError(
            f"camera matrix has the last row {given[3].tolist()}; wanted 0, 0, 0, 1 (a pose, not a projection; "
            "transpose it where its translation is in the last row)"
        )
    rotation, translation = given[:3, :3], given[:3, 3]
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-5) or np.linalg.det(rotation) < 0.0:
        raise InputError("camera matrix scales, shears or mirrors; wanted a rotation and a translation alone")
    if to == "camera":
        rotation, translation = rotation.T, -rotation.T @ translation
    _, up, forward = (rotation * signs).T
    return _vector(translation), _vector(up), _vector(forward)


def _vector(values: np.ndarray) -> Vector:
    x, y, z = values.tolist()
    return x, y, z


def intrinsics(half: tuple[float, float], shift: tuple[float, float], size: tuple[int, int]) -> np.ndarray:
    """Return OpenCV's K from the tangents of half the angles of view and the shift."""
    width, height = size
    return np.array(
        [
            [width / 2.0 / half[0], 0.0, width * (0.5 - shift[0]) - 0.5],
            [0.0, height / 2.0 / half[1], height * (0.5 + shift[1]) - 0.5],
            [0.0, 0.0, 1.0],
        ]
    )


def read_intrinsics(k: Any, size: Any) -> dict[str, Any]:
    """Return fov_x (degrees), shift, pixel_aspect and natural_size of a camera by OpenCV's K for pictures of `size`.

    Raises:
        InputError: another shape, skew, no `size`.
    """
    if size is None:
        raise InputError("intrinsics wants size=(width, height), that of the pictures K is for")
    width, height = size = picture_size(size)
    wanted = "OpenCV's K, 3x3, with positive focal lengths in pixels"
    given = float_array("intrinsics", k, wanted)
    if given.shape != (3, 3) or not np.isfinite(given).all() or min(given[0, 0], given[1, 1]) <= 0.0:
        raise InputError(f"intrinsics is {show(k)}; wanted {wanted}")
    if abs(given[0, 1]) > 1e-9 * given[0, 0]:
        raise InputError(
            f"intrinsics has the skew {given[0, 1]:g} pixels; wanted 0, as sensors have it: calibrate again without it"
        )
    if given[[1, 2, 2], [0, 0, 1]].any():
        raise InputError(f"intrinsics is {show(k)}; wanted {wanted}, and 0 below the diagonal: transpose it if need be")
    fx, fy, cx, cy = given[[0, 1, 0, 1], [0, 1, 2, 2]].tolist()
    return {
        "fov_x": 2.0 * math.degrees(math.atan(width / 2.0 / fx)),
        "shift": (0.5 - (cx + 0.5) / width, (cy + 0.5) / height - 0.5),
        "pixel_aspect": fy / fx,
        "natural_size": size,
    }
