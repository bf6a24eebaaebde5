"""What a camera sees: its rays, its circles of confusion, and the ways between its pixels and the world."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from vkforge.errors import InputError
from vkforge.scene import camera_matrices
from vkforge.scene.aperture import Aperture
from vkforge.scene.camera_data import CameraData
from vkforge.scene.camera_rays import (
    PROJECTIONS,
    CameraRays,
    columns,
    pixels_to_uv,
    project,
    rays_at,
    uv_to_pixels,
)
from vkforge.scene.checks import Vector, float_array, picture_size, show
from vkforge.scene.vectors import ZERO, plus, scaled

if TYPE_CHECKING:
    from vkforge.post.lens import Lens


@dataclass(frozen=True)
class CameraView(CameraData):
    """Base of `Camera`: what it sees, without the ways to make one."""

    # What the renderer reads

    @property
    def projection(self) -> str:
        """How its frame becomes directions: "linear", "panorama", "equidistant" or "equisolid" (see `CameraRays`)."""
        return self.mapping if self.kind == "fish-eye" else "panorama" if self.kind == "panorama" else PROJECTIONS[0]

    @property
    def wraps(self) -> bool:
        """Whether the picture's left and right borders are one: a panorama all around."""
        return self.kind == "panorama" and self.fov_x == 360.0

    @property
    def lens(self) -> Aperture | None:
        """The thin lens, or None of a pinhole and of the kinds that have none."""
        if self.aperture_radius == 0.0:
            return None
        focus = math.dist(self.position, self.target) if self.focus_distance is None else self.focus_distance
        slope = (math.tan(math.radians(self.tilt[0])), math.tan(math.radians(self.tilt[1])))
        return Aperture(self.aperture_radius, focus, slope, self.blades, self.blade_rotation)

    @property
    def focal_length(self) -> float | None:
        """Millimetres from the lens to the sensor when it is focused at infinity; None where the sensor is unknown."""
        if self.sensor is None:
            return None
        side, angle = (self.sensor[0], self.fov_x) if self.fov is None else (self.sensor[1], self.fov)
        assert angle is not None
        return side / 2.0 / math.tan(math.radians(angle) / 2.0)

    @property
    def f_number(self) -> float | None:
        """Focal length over the diameter of the aperture; None of a pinhole and where the sensor is unknown."""
        focal = self.focal_length
        if focal is None or self.aperture_radius == 0.0:
            return None
        return focal / 1000.0 * self.scale / (2.0 * self.aperture_radius)

    @property
    def middle(self) -> Self:
        """The camera halfway to `shutter_end`, which stays there; this one where there is none."""
        end = self.shutter_end
        if end is None:
            return self
        halves: dict[str, Any] = {"shutter_end": None}
        for name in ("position", "target", "up"):
            halves[name] = tuple(0.5 * (a + b) for a, b in zip(getattr(self, name), getattr(end, name), strict=True))
        for name in ("fov", "fov_x", "height", "width"):
            before, after = getattr(self, name), getattr(end, name)
            if before is not None and after is not None:
                halves[name] = 0.5 * (before + after)
        return dataclasses.replace(self, **halves)

    @property
    def axes(self) -> tuple[Vector, Vector, Vector]:
        """Unit vectors right, up and forward; of an oblique camera right and up lie level and forward does not."""
        return self._axes

    def focus(self, width: int, height: int) -> Vector:
        """Return (a, b, c): one over the depth in focus is ``a + b u + c v`` over the frame (see `CameraRays`), 1/m.

        Raises:
            InputError: the camera has no lens.
        """
        lens = self.lens
        if lens is None:
            raise InputError("this camera has no lens; give it an aperture_radius")
        half_x, half_y = self._half_frame(*picture_size((width, height)))
        middle = lens.inverse_focus(half_x * 2.0 * self.shift[0], half_y * 2.0 * self.shift[1])
        distance = lens.focus_distance
        return middle, -lens.slope[0] * half_x / distance, -lens.slope[1] * half_y / distance

    def circle_of_confusion(self, depth: Any, size: tuple[int, int], pixels: Any = None) -> np.ndarray:
        """Return the radius in pixels over which a point is blurred by the lens.

        It is ``R |z - zf| / (z zf)`` in tangents, times the pixels in a tangent of 1. Of a polygonal aperture it is
        that to the corners. Where pixels are oblong it is the geometric mean of the ellipse's half axes.

        Args:
            depth: (n,) metres along the axis, greater than 0, or a number.
            size: (width, height) of the picture.
            pixels: (n, 2) pixel coordinates of the points, which a tilted plane in focus asks for; None is on the axis.

        Raises:
            InputError: the camera has no lens; depths that are not greater than 0.
        """
        lens = self.lens
        if lens is None:
            raise InputError("this camera has no lens; give it an aperture_radius")
        size, wanted = picture_size(size), "metres along the axis, greater than 0"
        z = float_array("depth", depth, wanted)
        if not (z > 0.0).all():
            raise InputError(f"depth is {show(depth)}; wanted {wanted}")
        inverse: Any = 1.0 / lens.focus_distance
        if pixels is not None:
            rows = columns("pixels", pixels, (2,))[0]
            if len(rows) != z.size:
                raise InputError(f"there are {len(rows)} pixels and {z.size} depths; wanted as many of each")
            uv = pixels_to_uv(rows, size)
            a, b, c = self.focus(*size)
            inverse = (a + uv @ np.array([b, c])).reshape(z.shape)
        pixels_a_tangent = (size[0] / 2.0) / self._half_frame(*size)[0] * math.sqrt(self.pixel_aspect)
        return lens.radius * np.abs(1.0 / z - inverse) * pixels_a_tangent

    def _half_frame(self, width: int, height: int) -> tuple[float, float]:
        """Return the tangents of half the angles of view of a perspective frame."""
        half_x = None if self.fov_x is None else math.tan(math.radians(self.fov_x) / 2.0)
        half_y = None if self.fov is None else math.tan(math.radians(self.fov) / 2.0)
        across = width * self.pixel_aspect  # in heights of a pixel
        if half_x is not None and (half_y is None or half_x * height <= half_y * across):
            return half_x, half_x * height / across
        assert half_y is not None
        return half_y * across / height, half_y

    def span(self, width: int, height: int) -> tuple[float, float]:
        """Return the metres of the world across and up a frame of `width` by `height` pixels (parallel rays)."""
        width, height = picture_size((width, height))
        if self.height is None:
            raise InputError(f"a {self.kind} camera has no span in metres; it grows with the distance")
        if self.width is None or self.natural_size is None:
            return self.height * width / height, self.height
        columns, rows = self.natural_size
        # Natural pixels a pixel: one number for both axes, so that the ground keeps its proportions in any frame.
        scale = max(columns / width, rows / height)
        return self.width * (width * scale / columns), self.height * (height * scale / rows)

    def rays(self, width: int, height: int) -> CameraRays:
        """Return the rays of a frame of `width` by `height` pixels, as float64 vectors."""
        width, height = picture_size((width, height))
        right, up, forward = self._axes
        if self.kind == "perspective":
            half_x, half_y = self._half_frame(width, height)
            across, along = scaled(right, half_x), scaled(up, half_y)
            if self.shift != (0.0, 0.0):
                shifted = plus(scaled(across, 2.0 * self.shift[0]), scaled(along, 2.0 * self.shift[1]))
                forward = plus(forward, shifted)
            return CameraRays(self.position, ZERO, ZERO, forward, across, along)
        if self.kind == "panorama":
            angles = (math.radians(self.fov_x or 0.0) / 2.0, math.radians(self.fov or 0.0) / 2.0, self._elevation())
            return CameraRays(self.position, ZERO, ZERO, forward, right, up, angles)
        if self.kind == "fish-eye":
            diameter = math.hypot(width, height) if self.full_frame else min(width, height)
            angles = (math.radians(self.fov or 0.0) / 2.0, width / diameter, height / diameter)
            return CameraRays(self.position, ZERO, ZERO, forward, right, up, angles)
        across, along = self.span(width, height)
        return CameraRays(self.position, scaled(right, across / 2.0), scaled(up, along / 2.0), forward, ZERO, ZERO)

    # Between pixels and the world

    def project(self, points: Any, size: tuple[int, int], *, lens: Lens | None = None) -> np.ndarray:
        """Return where world points appear in a picture.

        Args:
            points: (n, 3) world metres, or one point.
            size: (width, height) of the picture.
            lens: that of the picture's settings, whose distortion bends the rays (of what it aberrates, where green
                is); None for a picture without one.

        Returns:
            (n, 3) float64, or (3,) of one point: pixel x and y from the upper left corner (pixel centres at halves) and
            the distance along the ray in metres, which is the AOV "depth". Points beside the frame have pixels beside
            it; those that no ray meets, behind the camera, beyond a fish-eye's circle or where the distortion folds,
            are NaN. Whether something stands before a point is not looked at.

        Raises:
            InputError: `points` of another shape, or a `lens` that does not suit the camera (see `Lens.frame`).
        """
        size = picture_size(size)
        rows, single = columns("points", points, (3,))
        uv, distance = project(self.rays(*size), self.projection, rows)
        if lens is not None:
            uv = _checked(lens).distort_uv(uv, self, size)
            distance = np.where(np.isnan(uv[:, 0]), np.nan, distance)
        seen = np.concatenate([uv_to_pixels(uv, size), distance[:, None]], axis=1)
        return seen[0] if single else seen

    def unproject(self, pixels: Any, depth: Any, size: tuple[int, int], *, lens: Lens | None = None) -> np.ndarray:
        """Return the world points that pixels show.

        Args:
            pixels: (n, 2) pixel coordinates from the upper left corner, or one pair.
            depth: (n,) metres along the rays, as in the AOV "depth", or a number for all.
            size: (width, height) of the picture.
            lens: that of the picture's settings, as in `project`.

        Returns:
            (n, 3) float64 world metres, or (3,) of one pair; NaN where there is no ray.

        Raises:
            InputError: arrays of other shapes, or a `lens` that does not suit the camera (see `Lens.frame`).
        """
        size = picture_size(size)
        rows, single = columns("pixels", pixels, (2,))
        uv = pixels_to_uv(rows, size)
        if lens is not None:
            uv = _checked(lens).undistort_uv(uv, self, size)
        origins, directions = rays_at(self.rays(*size), self.projection, uv)
        distances = float_array("depth", depth, "metres along the rays, a number or one for each pixel")
        if distances.ndim and distances.shape != rows.shape[:1]:
            raise InputError(
                f"depth has shape {distances.shape}; wanted a number or ({len(rows)},), one for each pixel"
            )
        with np.errstate(invalid="ignore"):  # of the sky, whose depth is infinite: points that are not finite
            world = origins + directions * distances.reshape(-1, 1)
        return world[0] if single else world

    def to_matrix(self, convention: str = "opengl", *, to: str = "world") -> np.ndarray:
        """Return the camera's pose as a (4, 4) float64 matrix; see `Camera.from_matrix` for the conventions.

        Raises:
            InputError: an unknown convention or direction; an oblique camera or a panorama, which have no such pose.
        """
        if self.kind in ("oblique", "panorama"):
            raise InputError(
                f"a camera of kind {self.kind!r} has no rigid pose; only those that face their target have"
            )
        return camera_matrices.pose(self.position, self._axes, convention, to)

    def intrinsics(self, size: tuple[int, int]) -> np.ndarray:
        """Return OpenCV's (3, 3) float64 camera matrix K of a perspective camera.

        OpenCV counts pixels from the centre of the first one: its coordinates are ours less one half.

        Raises:
            InputError: another kind of camera.
        """
        if self.kind != "perspective":
            raise InputError(f"a camera of kind {self.kind!r} has no matrix K; only a perspective one has")
        size = picture_size(size)
        return camera_matrices.intrinsics(self._half_frame(*size), self.shift, size)


def _checked(lens: Any) -> Lens:
    from vkforge.post.lens import Lens  # which asks cameras for their frames

    if not isinstance(lens, Lens):
        raise InputError(f"lens is {show(lens)}; wanted a vkforge.Lens or None")
    return lens
