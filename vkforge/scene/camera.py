"""Cameras: where the rays of each pixel start and point."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from vkforge.errors import InputError, suggest
from vkforge.scene.checks import LARGEST_METRES, Vector, number, show, vector

if TYPE_CHECKING:
    from vkforge.scene.terrain import Terrain

KINDS = ("perspective", "orthographic", "map")
DEFAULT_FOV = 40.0

# Share of the frame's half-size that Camera.orbit leaves free on the side where the block fits most tightly.
FRAME_MARGIN = 0.04


class CameraRays(NamedTuple):
    """The rays of a frame as linear functions of (u, v), each in [-1, 1] across the frame: u to the right, v up.

    The ray starts at ``origin + u * origin_u + v * origin_v`` and goes along
    ``normalize(direction + u * direction_u + v * direction_v)``. The centre of pixel (px, py), row 0 at the top, is at
    ``u = 2 * (px + 0.5) / width - 1`` and ``v = 1 - 2 * (py + 0.5) / height``.
    """

    origin: Vector
    origin_u: Vector
    origin_v: Vector
    direction: Vector
    direction_u: Vector
    direction_v: Vector


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _scaled(a: Vector, factor: float) -> Vector:
    return a[0] * factor, a[1] * factor, a[2] * factor


def _plus(a: Vector, b: Vector) -> Vector:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _normalized(a: Vector) -> Vector:
    return _scaled(a, 1.0 / math.hypot(*a))


def _basis(forward: Vector, up: Vector) -> tuple[Vector, Vector]:
    """Return the unit right and up of a frame that looks along the unit vector `forward`.

    An `up` along the view says nothing about the roll; world up takes its place, and north where that is along the view
    too, so that a camera looking straight down has north at the top.
    """
    for candidate in (_normalized(up), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)):
        right = _cross(forward, candidate)
        if math.hypot(*right) > 1e-6:
            right = _normalized(right)
            return right, _cross(right, forward)
    raise AssertionError("a direction can't be parallel to both z and y")


_ZERO: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Camera:
    """A camera in the world frame (metres, x east, y north, z up; heights are exaggerated).

    Make one with `Camera.perspective`, `Camera.orbit`, `Camera.orthographic` or `Camera.map`.

    Attributes:
        kind: "perspective", "orthographic" or "map" (orthographic, straight down, aligned with the samples of a DEM).
        position: the eye, or the centre of the plane where the parallel rays start.
        target: the point in the middle of the frame.
        up: what shall point to the top of the frame; where it runs along the view, world up or north stands in.
        fov: angle of view from bottom to top in degrees (perspective; None where `fov_x` is given).
        fov_x: angle of view from left to right in degrees (perspective; None where `fov` is given).
        height: metres of the world from bottom to top of the frame (orthographic and map).
        width: metres of the world from left to right of the frame at its natural size (map; otherwise it follows from
            `height` and the picture's shape).
        natural_size: (width, height) in pixels that the camera is made for, or None where any size serves.
        aperture_radius: metres of the world from the lens' centre to its rim (perspective); 0 is a pinhole.
        focus_distance: metres along the axis to the plane in focus; None is the target's distance.
        shutter_end: the camera as it stands when the shutter closes, of the same kind; None where it stays.

    Raises:
        InputError: a value that is out of its range, NaN or not a number; a position equal to the target.
    """

    kind: str
    position: Vector
    target: Vector
    up: Vector = (0.0, 0.0, 1.0)
    fov: float | None = None
    fov_x: float | None = None
    height: float | None = None
    width: float | None = None
    natural_size: tuple[int, int] | None = None
    aperture_radius: float = 0.0
    focus_distance: float | None = None
    shutter_end: Camera | None = None
    _axes: tuple[Vector, Vector, Vector] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            hint = suggest(str(self.kind), KINDS)
            raise InputError(f"no camera kind called {show(self.kind)}{hint} (there are {', '.join(KINDS)})")
        put = object.__setattr__
        for name in ("position", "target", "up"):
            put(self, name, vector(f"Camera {name}", getattr(self, name)))
        view = _plus(self.target, _scaled(self.position, -1.0))
        # The distance that counts as none is what float32 can't tell apart at this distance from the world's origin.
        if math.hypot(*view) <= 1e-7 * math.hypot(*self.position):
            raise InputError(f"Camera position and target are both {self.position}; move one of them")
        if math.hypot(*self.up) == 0.0:
            raise InputError("Camera up is (0, 0, 0); wanted a direction such as (0, 0, 1)")
        if self.kind == "perspective":
            if (self.fov is None) == (self.fov_x is None):
                raise InputError(
                    "a perspective camera wants one of fov (vertical degrees) and fov_x (horizontal degrees)"
                )
            for name in ("fov", "fov_x"):
                if getattr(self, name) is not None:
                    put(self, name, number(f"Camera {name} (degrees)", getattr(self, name), above=0.0, below=180.0))
        else:
            put(self, "height", number("Camera height (metres)", self.height, high=LARGEST_METRES, above=0.0))
        if self.kind == "map":
            put(self, "width", number("Camera width (metres)", self.width, high=LARGEST_METRES, above=0.0))
            if self.natural_size is None:
                raise InputError("a map camera wants natural_size; make it with Camera.map(terrain)")
        forward = _normalized(view)
        right, up = _basis(forward, self.up)
        put(self, "_axes", (right, up, forward))
        self._check_lens_and_shutter()

    def _check_lens_and_shutter(self) -> None:
        put = object.__setattr__
        name, high = "Camera aperture_radius (metres)", LARGEST_METRES
        put(self, "aperture_radius", number(name, self.aperture_radius, 0.0, high))
        if self.focus_distance is not None:
            name = "Camera focus_distance (metres)"
            put(self, "focus_distance", number(name, self.focus_distance, high=high, above=0.0))
        if self.kind != "perspective" and (self.aperture_radius > 0.0 or self.focus_distance is not None):
            raise InputError(f"a camera of kind {self.kind!r} has no lens; use Camera.perspective")
        end = self.shutter_end
        if end is None:
            return
        if not isinstance(end, Camera) or end.kind != self.kind:
            raise InputError(f"Camera shutter_end is {show(end)}; wanted a Camera of kind {self.kind!r}")
        if end.shutter_end is not None:
            raise InputError("Camera shutter_end moves itself; wanted a camera that stays")

    @property
    def lens(self) -> tuple[Vector, Vector, float]:
        """World metres from the lens' centre to its rim, rightwards and upwards, and the distance in focus."""
        right, up, _ = self._axes
        focus = math.dist(self.position, self.target) if self.focus_distance is None else self.focus_distance
        return _scaled(right, self.aperture_radius), _scaled(up, self.aperture_radius), focus

    def moving(self, end: Camera) -> Camera:
        """Return this camera moving to `end` while the shutter is open: evenly along straight lines.

        Rays go from those of one to those of the other linearly in time, which is exact for a camera that glides and
        close for one that turns a few degrees.

        Raises:
            InputError: `end` is no camera of the same kind, or moves itself.
        """
        return dataclasses.replace(self, shutter_end=end)

    @classmethod
    def perspective(
        cls,
        position: Any,
        target: Any,
        up: Any = (0.0, 0.0, 1.0),
        fov: float | None = None,
        fov_x: float | None = None,
        *,
        aperture_radius: float = 0.0,
        focus_distance: float | None = None,
    ) -> Camera:
        """Return a camera at `position` that looks at `target`: a pinhole, or a thin lens (path-traced lane).

        Args:
            position: eye in world metres.
            target: point in the middle of the frame.
            up: direction towards the top of the frame.
            fov: vertical angle of view in degrees, 0 to 180 (both excluded); 40 where neither angle is given.
            fov_x: horizontal angle of view instead.
            aperture_radius: metres of the world from the lens' centre to its rim; 0 is a pinhole.
            focus_distance: metres along the axis to the plane in focus; None is the target's distance.

        Raises:
            InputError: `position` equals `target`, both angles given, a value NaN or out of range.
        """
        if fov is None and fov_x is None:
            fov = DEFAULT_FOV
        return cls(
            "perspective",
            position,
            target,
            up,
            fov=fov,
            fov_x=fov_x,
            aperture_radius=aperture_radius,
            focus_distance=focus_distance,
        )

    @classmethod
    def orthographic(cls, position: Any, target: Any, up: Any = (0.0, 0.0, 1.0), *, height: float) -> Camera:
        """Return a camera of parallel rays that start on the plane through `position` facing `target`.

        Args:
            position: centre of that plane in world metres; what lies behind it is not seen.
            target: point in the middle of the frame.
            up: direction towards the top of the frame.
            height: metres of the world from bottom to top of the frame.

        Raises:
            InputError: `position` equals `target`, `height` not positive, a value NaN.
        """
        return cls("orthographic", position, target, up, height=height)

    @classmethod
    def map(cls, terrain: Terrain) -> Camera:
        """Return a camera straight above `terrain`, north up, whose pixels are the DEM's samples.

        At its natural size, (cols, rows), pixel centres fall on the samples. At another size of the same proportions
        the frame shows the same ground more finely or more coarsely; at other proportions the whole DEM is shown in
        the middle.
        """
        rows, cols = terrain.shape
        dx, dy = terrain.cell_size
        top = terrain.max_height * terrain.vertical_exaggeration
        above = 0.05 * max(cols * dx, rows * dy)
        return cls(
            "map",
            (0.0, 0.0, top + above),
            (0.0, 0.0, top),
            (0.0, 1.0, 0.0),
            height=rows * dy,
            width=cols * dx,
            natural_size=(cols, rows),
        )

    @classmethod
    def orbit(
        cls,
        terrain: Terrain,
        azimuth: float = 200.0,
        elevation: float = 35.0,
        distance: float | None = None,
        fov: float = 30.0,
        target: Any = None,
        *,
        aspect: float = 16.0 / 9.0,
    ) -> Camera:
        """Return a perspective camera on a sphere around the terrain, looking in.

        Args:
            terrain: what to look at, skirt included.
            azimuth: compass bearing in degrees from the target to the camera: 180 looks north, 200 north-north-east.
            elevation: degrees of the camera above the target's horizon, -90 to 90.
            distance: metres from target to camera; None frames the whole block snugly.
            fov: vertical angle of view in degrees.
            target: point in the middle of the frame; None is the middle of the block as seen.
            aspect: width over height of the picture that the block is framed for.

        Raises:
            InputError: a value that is out of its range, NaN or not a number.
        """
        bearing = math.radians(number("Camera orbit azimuth (degrees)", azimuth))
        tilt = math.radians(number("Camera orbit elevation (degrees)", elevation, -90.0, 90.0))
        fov = number("Camera fov (degrees)", fov, above=0.0, below=180.0)
        aspect = number("Camera orbit aspect", aspect, above=0.0)
        backward = (
            math.cos(tilt) * math.sin(bearing),
            math.cos(tilt) * math.cos(bearing),
            math.sin(tilt),
        )
        forward = _scaled(backward, -1.0)
        # Seen from straight above, keep the top of the frame where it tends to as the elevation nears 90 degrees.
        up = (0.0, 0.0, 1.0) if math.cos(tilt) > 1e-6 else (-math.sin(bearing), -math.cos(bearing), 0.0)
        right, frame_up = _basis(forward, up)

        corners = _corners(terrain)
        middle = _scaled(_plus(corners[0], corners[-1]), 0.5)
        aim = middle if target is None else vector("Camera target", target)
        half_y = math.tan(math.radians(fov) / 2.0) * (1.0 - FRAME_MARGIN)
        half_x = half_y * aspect
        offsets = [_plus(corner, _scaled(aim, -1.0)) for corner in corners]
        across = [(_dot(offset, right), _dot(offset, forward)) for offset in offsets]
        along = [(_dot(offset, frame_up), _dot(offset, forward)) for offset in offsets]
        free = target is None
        if distance is None:
            # A target between the terrain and the camera could ask for less than no distance.
            nearest = 1e-3 * math.dist(corners[0], corners[-1])
            distance = max(_distance(across, half_x, free), _distance(along, half_y, free), nearest)
        else:
            distance = number("Camera orbit distance (metres)", distance, high=LARGEST_METRES, above=0.0)
        if free:
            aim = _plus(aim, _scaled(right, _centre(across, distance)))
            aim = _plus(aim, _scaled(frame_up, _centre(along, distance)))
        return cls("perspective", _plus(aim, _scaled(backward, distance)), aim, up, fov=fov)

    def span(self, width: int, height: int) -> tuple[float, float]:
        """Return the metres of the world across and up a frame of `width` by `height` pixels (orthographic and map)."""
        if self.height is None:
            raise InputError("a perspective camera has no span in metres; it grows with the distance")
        if self.width is None or self.natural_size is None:
            return self.height * width / height, self.height
        columns, rows = self.natural_size
        # DEM samples a pixel: one number for both axes, so that the DEM keeps its proportions in any frame.
        scale = max(columns / width, rows / height)
        return self.width * (width * scale / columns), self.height * (height * scale / rows)

    def rays(self, width: int, height: int) -> CameraRays:
        """Return the rays of a frame of `width` by `height` pixels, as float64 vectors."""
        right, up, forward = self._axes
        if self.kind == "perspective":
            if self.fov_x is not None:
                half_x = math.tan(math.radians(self.fov_x) / 2.0)
                half_y = half_x * height / width
            else:
                half_y = math.tan(math.radians(self.fov or DEFAULT_FOV) / 2.0)
                half_x = half_y * width / height
            return CameraRays(self.position, _ZERO, _ZERO, forward, _scaled(right, half_x), _scaled(up, half_y))
        across, along = self.span(width, height)
        return CameraRays(self.position, _scaled(right, across / 2.0), _scaled(up, along / 2.0), forward, _ZERO, _ZERO)


def _corners(terrain: Terrain) -> list[Vector]:
    """Return the eight corners of the terrain's box in world metres, skirt included, opposite ones first and last."""
    xmin, xmax, ymin, ymax = terrain.extent
    base = terrain.min_height if terrain.skirt is None else terrain.skirt
    low, high = base * terrain.vertical_exaggeration, terrain.max_height * terrain.vertical_exaggeration
    return [(x, y, z) for x in (xmin, xmax) for y in (ymin, ymax) for z in (low, high)]


def _width(points: list[tuple[float, float]], half: float) -> float:
    """Return how wide a view through points (offset a, depth c) must be at depth 0, in a frame of tangent `half`.

    The point (a, c) fits at a sideways shift and a distance where ``|a - shift| <= half * (c + distance)``: two bounds
    on the shift, and there is one that suits all points as soon as ``2 * half * distance`` reaches this width.
    """
    return max(a - half * c for a, c in points) - min(a + half * c for a, c in points)


def _distance(points: list[tuple[float, float]], half: float, free: bool) -> float:
    """Return the least distance at which points (offset a, depth c) fit, with a `free` sideways shift or with none."""
    if free:
        return _width(points, half) / (2.0 * half)
    return max(abs(a) / half - c for a, c in points)


def _centre(points: list[tuple[float, float]], distance: float) -> float:
    """Return the sideways shift that puts the projections of points (offset a, depth c) in the frame's middle.

    The narrowest frame that holds them all touches both sides, so bisection on its tangent finds the middle. Where a
    point lies behind the camera there is no such thing, and the shift is 0.
    """
    if min(c for _, c in points) + distance <= 0.0:
        return 0.0
    low, high = 0.0, max(abs(a) / (c + distance) for a, c in points)
    for _ in range(60):
        half = (low + high) / 2.0
        if _width(points, half) <= 2.0 * half * distance:
            high = half
        else:
            low = half
    return (max(a - high * c for a, c in points) + min(a + high * c for a, c in points)) / 2.0
