"""A camera as data: what it is, checked."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from vkforge.errors import InputError, suggest
from vkforge.scene.checks import (
    LARGEST_METRES,
    SMALLEST_METRES,
    Vector,
    field_of_view,
    flag,
    number,
    picture_size,
    show,
    vector,
)
from vkforge.scene.vectors import basis, cross, minus, normalized

if TYPE_CHECKING:
    from vkforge.scene.camera_view import CameraView

# What a camera of each kind can be given beside position and target.
_OPTIONAL = {
    "perspective": (
        *("up", "fov", "fov_x", "pixel_aspect"),
        *("aperture_radius", "focus_distance", "blades", "blade_rotation", "tilt", "shift", "sensor", "scale"),
    ),
    "orthographic": ("up", "height"),
    "oblique": ("up", "height", "width"),
    "map": ("up", "height", "width"),
    "panorama": ("fov", "fov_x"),
    "fish-eye": ("up", "fov", "mapping", "full_frame"),
}
KINDS = tuple(_OPTIONAL)
MAPPINGS = ("equidistant", "equisolid")
_MOST_BLADES = 64


@dataclass(frozen=True)
class CameraData:
    """Base of `Camera`: what it is.

    Attributes:
        kind: "perspective", "orthographic", "oblique" (parallel rays, the ground's plan undistorted), "map"
            (orthographic, straight down), "panorama" (equirectangular) or "fish-eye".
        position: the eye, or the centre of the plane where the parallel rays start.
        target: the point in the middle of the frame; of a shifted lens, on its axis.
        up: what shall point to the top of the frame; where it runs along the view, world up or north stands in.
        fov: angle of view in degrees: from bottom to top (perspective, panorama), or across the image circle
        (fish-eye).
        fov_x: angle of view from left to right in degrees (perspective, panorama). A perspective camera has either or
            both; with both, the picture shows the largest part of that frame that has its own proportions.
        height: metres of the world from bottom to top of the frame (orthographic, oblique, map).
        width: metres of the world from left to right of the frame at its natural size (oblique, map; otherwise it
            follows from `height` and the picture's shape).
        natural_size: (width, height) in pixels that the camera is made for, or None where any size serves.
        aperture_radius: metres of the world from the lens' centre to its rim (perspective); 0 is a pinhole.
        focus_distance: metres along the axis to the plane in focus; None is the target's distance.
        shutter_end: the camera as it stands when the shutter closes, of the same kind; None where it stays.
        blades: straight sides of the aperture, 3 to 64; 0 is a round one.
        blade_rotation: degrees anticlockwise from the right to one of the aperture's corners.
        tilt: degrees (x, y) by which the plane in focus leans away from one that faces the camera, farther at the right
            and at the top, -90 to 90 (both excluded).
        shift: how far the frame is moved rightwards and upwards over the axis, in widths and heights of it, -10 to 10.
        pixel_aspect: width of a pixel over its height on the sensor, 0.25 to 4 (perspective): K's fy over fx.
        sensor: (width, height) in millimetres of the sensor that the angles of view are of, or None where nobody knows
            (perspective). It changes no picture: focal length and f-number follow from it.
        scale: metres of the world in a metre before the lens of such a camera; as for `Camera.photographic`.
        mapping: "equidistant" or "equisolid" (fish-eye).
        full_frame: whether a fish-eye's circle goes around the frame instead of fitting in it.

    Raises:
        InputError: a value that is out of its range, NaN or not a number, or that its kind does not know; a position
            equal to the target.
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
    shutter_end: CameraView | None = None
    blades: int = 0
    blade_rotation: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)
    shift: tuple[float, float] = (0.0, 0.0)
    pixel_aspect: float = 1.0
    sensor: tuple[float, float] | None = None
    scale: float = 1.0
    mapping: str = "equidistant"
    full_frame: bool = False
    _axes: tuple[Vector, Vector, Vector] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            hint = suggest(str(self.kind), KINDS)
            raise InputError(f"no camera kind called {show(self.kind)}{hint} (there are {', '.join(KINDS)})")
        for name in ("position", "target", "up"):
            self._put(name, vector(f"Camera {name}", getattr(self, name)))
        view = minus(self.target, self.position)
        # The distance that counts as none is what float32 can't tell apart at this distance from the world's origin.
        if math.hypot(*view) <= 1e-7 * math.hypot(*self.position):
            raise InputError(f"Camera position and target are both {self.position}; move one of them")
        if math.hypot(*self.up) == 0.0:
            raise InputError("Camera up is (0, 0, 0); wanted a direction such as (0, 0, 1)")
        if self.natural_size is not None:
            self._put("natural_size", picture_size(self.natural_size))
        self._put("full_frame", flag("fish-eye full_frame", self.full_frame))
        self._check_frame()
        self._check_lens()
        self._check_kind()
        forward = normalized(view)
        if self.kind == "oblique":
            up = normalized((self.up[0], self.up[1], 0.0))
            axes = cross(up, (0.0, 0.0, 1.0)), up, forward
        elif self.kind == "panorama":
            level = normalized((view[0], view[1], 0.0))
            axes = cross(level, (0.0, 0.0, 1.0)), (0.0, 0.0, 1.0), level
        else:
            axes = *basis(forward, self.up), forward
        self._put("_axes", axes)
        self._check_shutter()

    def _put(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_frame(self) -> None:
        """Check angles and metres of the frame, by kind."""
        if self.kind == "perspective":
            if self.fov is None and self.fov_x is None:
                raise InputError("a perspective camera wants fov (vertical degrees) or fov_x (horizontal degrees)")
            for name in ("fov", "fov_x"):
                if getattr(self, name) is not None:
                    self._put(name, field_of_view(f"Camera {name}", getattr(self, name), below=180.0))
            self._put("pixel_aspect", number("Camera pixel_aspect", self.pixel_aspect, 0.25, 4.0))
        elif self.kind == "fish-eye":
            self._put("fov", field_of_view("fish-eye fov", self.fov, high=360.0))
            if not isinstance(self.mapping, str) or self.mapping not in MAPPINGS:
                hint = suggest(str(self.mapping), MAPPINGS)
                raise InputError(f"no fish-eye mapping called {show(self.mapping)}{hint} ({' or '.join(MAPPINGS)})")
        elif self.kind == "panorama":
            self._put("fov_x", field_of_view("panorama fov_x", self.fov_x, high=360.0))
            self._put("fov", field_of_view("panorama fov", self.fov, high=180.0))
            if math.hypot(*minus(self.target, self.position)[:2]) <= 1e-6 * math.dist(self.target, self.position):
                raise InputError("a panorama's target is straight above or below it; wanted one with a bearing")
            edge = abs(math.degrees(self._elevation())) + (self.fov or 0.0) / 2.0
            if edge > 90.0 + 1e-9:
                raise InputError(
                    f"the panorama reaches {edge:g} degrees above or below the horizon; wanted at most 90: "
                    "lower fov or the elevation"
                )
        else:
            self._put("height", number("Camera height (metres)", self.height, SMALLEST_METRES, LARGEST_METRES))
        if self.kind in ("map", "oblique"):
            self._put("width", number("Camera width (metres)", self.width, SMALLEST_METRES, LARGEST_METRES))
            if self.natural_size is None:
                raise InputError(f"a camera of kind {self.kind!r} wants natural_size; make it with Camera.{self.kind}")
        if self.kind == "oblique" and (self.target[2] >= self.position[2] or math.hypot(*self.up[:2]) == 0.0):
            raise InputError("an oblique camera looks down, with a level up; make it with Camera.oblique(terrain)")

    def _check_lens(self) -> None:
        name, high = "Camera aperture_radius (metres)", LARGEST_METRES
        self._put("aperture_radius", number(name, self.aperture_radius, 0.0, high))
        if self.focus_distance is not None:
            name = "Camera focus_distance (metres)"
            self._put("focus_distance", number(name, self.focus_distance, SMALLEST_METRES, high))
        blades = number("Camera blades", self.blades, 0, _MOST_BLADES)
        if blades != int(blades) or 0 < blades < 3:
            raise InputError(f"Camera blades is {show(self.blades)}; wanted 0 (round) or a whole number of at least 3")
        self._put("blades", int(blades))
        self._put("blade_rotation", number("Camera blade_rotation (degrees)", self.blade_rotation))
        self._put("tilt", pair("Camera tilt (degrees)", self.tilt, above=-90.0, below=90.0))
        self._put("shift", pair("Camera shift (shares of the frame)", self.shift, -10.0, 10.0))
        if self.sensor is not None:
            self._put("sensor", pair("Camera sensor (mm)", self.sensor, SMALLEST_METRES))
        self._put("scale", number("Camera scale", self.scale, above=0.0))

    def _check_kind(self) -> None:
        """Refuse what the kind does not know."""
        for spec in dataclasses.fields(CameraData):
            if spec.name in ("kind", "position", "target", "natural_size", "shutter_end", "_axes"):
                continue
            value = getattr(self, spec.name)
            if spec.name not in _OPTIONAL[self.kind] and (isinstance(value, np.ndarray) or value != spec.default):
                lens = spec.name in ("aperture_radius", "focus_distance", "blades", "blade_rotation", "tilt", "shift")
                what = "has no lens" if lens else f"knows no {spec.name}"
                takers = ", ".join(kind for kind, names in _OPTIONAL.items() if spec.name in names)
                raise InputError(f"a camera of kind {self.kind!r} {what}: {spec.name} is for {takers}")

    def _check_shutter(self) -> None:
        end = self.shutter_end
        if end is None:
            return
        if not isinstance(end, CameraData) or end.kind != self.kind or end.mapping != self.mapping:
            raise InputError(f"Camera shutter_end is {show(end)}; wanted a Camera of kind {self.kind!r}")
        if end.shutter_end is not None:
            raise InputError("Camera shutter_end moves itself; wanted a camera that stays")
        for name in ("aperture_radius", "focus_distance", "blades", "blade_rotation", "tilt"):
            before, after = getattr(self, name), getattr(end, name)
            if before != after:
                raise InputError(
                    f"Camera shutter_end has {name} {after}, and the camera {before}; wanted the same lens, or a "
                    "vkforge.MovingScene, which may refocus, by the path-traced lane"
                )

    def _elevation(self) -> float:
        """Return how far above the horizon the target is, in radians."""
        x, y, z = minus(self.target, self.position)
        return math.atan2(z, math.hypot(x, y))


def pair(name: str, value: Any, *limits: float, **open_limits: float) -> tuple[float, float]:
    """Return two finite floats within limits, as `number` takes them.

    Raises:
        InputError: not two such numbers.
    """
    try:
        parts = () if isinstance(value, str) else tuple(value)
    except TypeError:
        parts = ()
    if len(parts) != 2:
        raise InputError(f"{name} is {show(value)}; wanted two numbers (x, y)")
    x, y = (number(f"{name}[{i}]", part, *limits, **open_limits) for i, part in enumerate(parts))
    return x, y
