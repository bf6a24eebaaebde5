"""Cameras: where the rays of each pixel start and point."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vkforge.errors import InputError
from vkforge.scene import camera_framing
from vkforge.scene.camera_data import KINDS, pair
from vkforge.scene.camera_presets import DEFAULT_FOV, CameraPresets, ahead
from vkforge.scene.camera_rays import CameraRays
from vkforge.scene.checks import LARGEST_METRES, SMALLEST_METRES, field_of_view, flag, number, show, vector
from vkforge.scene.vectors import bearing_vector, dot, minus, scaled

if TYPE_CHECKING:
    from vkforge.scene.terrain import Terrain

__all__ = ["DEFAULT_FOV", "KINDS", "Camera", "CameraRays"]

_PANORAMA_WIDTH = 2048  # pixels of a panorama whose size nobody says


@dataclass(frozen=True)
class Camera(CameraPresets):
    """A camera in the world frame (metres, x east, y north, z up; heights are exaggerated).

    Make one with the methods below; all of them return plain data, as `Camera.kind`, `Camera.position` and the other
    attributes of `CameraData`.
    """

    # By rays from a point

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
        blades: int = 0,
        blade_rotation: float = 0.0,
        tilt: Any = (0.0, 0.0),
        shift: Any = (0.0, 0.0),
    ) -> Camera:
        """Return a camera at `position` that looks at `target`: a pinhole, or a thin lens.

        Args:
            position: eye in world metres.
            target: point in the middle of the frame.
            up: direction towards the top of the frame.
            fov: vertical angle of view in degrees, 0 to 180 (both excluded); 40 where neither angle is given.
            fov_x: horizontal angle of view instead.
            aperture_radius: metres of the world from the lens' centre to its rim; 0 is a pinhole.
            focus_distance: metres along the axis to the plane in focus; None is the target's distance.
            blades: straight sides of the aperture, 3 to 64; 0 is a round one.
            blade_rotation: degrees anticlockwise from the right to one of the aperture's corners.
            tilt: degrees (x, y) by which the plane in focus leans away from one that faces the camera: farther at the
                right, farther at the top. -90 to 90, both excluded.
            shift: (x, y), how far the frame is moved rightwards and upwards while the camera stays, in widths and
                heights of it: a level camera with (0, 0.3) shows more above and keeps upright edges upright.

        Raises:
            InputError: `position` equals `target`, both angles given, a value NaN or out of range.
        """
        if fov is None and fov_x is None:
            fov = DEFAULT_FOV
        if fov is not None and fov_x is not None:
            raise InputError("a perspective camera wants one of fov (vertical degrees) and fov_x (horizontal degrees)")
        lens: dict[str, Any] = {"blades": blades, "blade_rotation": blade_rotation, "tilt": tilt, "shift": shift}
        lens |= {"aperture_radius": aperture_radius, "focus_distance": focus_distance}
        return cls("perspective", position, target, up, fov=fov, fov_x=fov_x, **lens)

    @classmethod
    def photographic(
        cls,
        position: Any,
        target: Any,
        up: Any = (0.0, 0.0, 1.0),
        *,
        focal_length: float = 50.0,
        sensor: Any = (36.0, 24.0),
        f_number: float = 2.8,
        focus_distance: float | None = None,
        focus_on: Any = None,
        scale: float = 1.0,
        blades: int = 0,
        blade_rotation: float = 0.0,
        lens_tilt: Any = (0.0, 0.0),
        shift: Any = (0.0, 0.0),
    ) -> Camera:
        """Return a perspective camera as a photographer would set it.

        The angle of view is that of focus at infinity: ``2 atan(sensor / (2 focal_length))``. The lens' radius is
        ``focal_length / (2 f_number)``, times `scale`.

        Args:
            position: eye in world metres.
            target: point in the middle of the frame.
            up: direction towards the top of the frame.
            focal_length: millimetres, greater than 0.
            sensor: (width, height) in millimetres; the picture is the largest part of it that has its proportions.
            f_number: focal length over the aperture's diameter, greater than 0.
            focus_distance: world metres along the axis to the plane in focus; None is the target's distance.
            focus_on: world point that is in focus, instead of a distance.
            scale: metres of the world in a metre before the lens. At 1 a landscape is sharp from near to far; at 10,000
                ten kilometres of it are photographed as a model one metre long.
            blades: straight sides of the aperture, 3 to 64; 0 is a round one.
            blade_rotation: degrees anticlockwise from the right to one of the aperture's corners.
            lens_tilt: degrees (x, y) by which the lens is turned against the sensor, as written on a tilt-shift lens:
                to the left, so that the plane in focus leans away at the right; and downwards, so that it leans away at
                the top. By the hinge rule it goes through the line focal_length / sin(lens_tilt) beside the lens.
            shift: as in `Camera.perspective`.

        Raises:
            InputError: a value NaN or out of range, a focus that is behind the camera or nearer than the focal length,
                or both ways to say it.
        """
        focal_length, scale = number("focal_length (mm)", focal_length, above=0.0), number("scale", scale, above=0.0)
        focal = focal_length / 1000.0 * scale
        width, height = pair("sensor (mm)", sensor, SMALLEST_METRES)
        radius = focal / (2.0 * number("f_number", f_number, above=0.0))
        angles = [2.0 * math.degrees(math.atan(side / 2.0 / focal_length)) for side in (width, height)]
        turned = pair("lens_tilt (degrees)", lens_tilt, -45.0, 45.0)
        hinge = [math.sin(math.radians(angle)) / focal for angle in turned]
        pinhole = cls("perspective", position, target, up, fov=angles[1], fov_x=angles[0], shift=shift)
        if focus_on is None:
            focus = focus_distance
            if focus is None:
                focus = math.dist(pinhole.position, pinhole.target)
            focus = number("focus_distance (metres)", focus, SMALLEST_METRES, LARGEST_METRES)
        elif focus_distance is not None:
            raise InputError("focus_distance and focus_on are both given; wanted one of them")
        else:
            offset = minus(vector("focus_on", focus_on), pinhole.position)
            across, along, depth = (dot(offset, axis) for axis in pinhole.axes)
            if depth <= 0.0:
                raise InputError(f"focus_on is {abs(depth):g} m behind the camera; wanted a point in front of it")
            # On the tilted plane 1 / zf falls by the hinge's share from the axis to the point.
            inverse = 1.0 / depth + (hinge[0] * across + hinge[1] * along) / depth
            if inverse <= 0.0:
                raise InputError("with this lens_tilt the plane through focus_on crosses the axis behind the camera")
            focus = 1.0 / inverse
        if focus <= focal:
            raise InputError(
                f"the focus is {focus:g} m away and the focal length, by scale, {focal:g} m; wanted it farther"
            )
        tilt = tuple(math.degrees(math.atan(slope * focus)) for slope in hinge)
        lens: dict[str, Any] = {"blades": blades, "blade_rotation": blade_rotation, "tilt": tilt}
        lens |= {"sensor": (width, height), "scale": scale}
        return dataclasses.replace(pinhole, aperture_radius=radius, focus_distance=focus, **lens)

    @classmethod
    def panorama(
        cls,
        position: Any,
        bearing: float = 0.0,
        elevation: float = 0.0,
        *,
        fov_x: float = 360.0,
        fov: float | None = None,
    ) -> Camera:
        """Return an equirectangular camera: columns are evenly spaced bearings, and rows elevations.

        Args:
            position: eye in world metres.
            bearing: compass bearing of the middle column in degrees: 0 has north in the middle, east to its right.
            elevation: degrees above the horizon of the middle row.
            fov_x: degrees from left to right, up to 360.
            fov: degrees from bottom to top, up to 180; None is half of `fov_x`. The natural size has square pixels in
                the middle; a picture of other proportions shows the same angles, stretched.

        Raises:
            InputError: a value NaN or out of range; rows beyond the zenith or the nadir.
        """
        eye = vector("Camera position", position)
        across = field_of_view("panorama fov_x", fov_x, high=360.0)
        along = across / 2.0 if fov is None else field_of_view("panorama fov", fov, high=180.0)
        rise = number("panorama elevation (degrees)", elevation, -90.0, 90.0, above=-90.0, below=90.0)
        target = ahead(eye, bearing_vector(number("panorama bearing (degrees)", bearing), rise))
        size = (_PANORAMA_WIDTH, max(1, round(_PANORAMA_WIDTH * along / across)))
        return cls("panorama", eye, target, fov=along, fov_x=across, natural_size=size)

    @classmethod
    def fisheye(
        cls,
        position: Any,
        target: Any,
        up: Any = (0.0, 0.0, 1.0),
        fov: float = 180.0,
        *,
        mapping: str = "equidistant",
        full_frame: bool = False,
    ) -> Camera:
        """Return a fish-eye camera: a disc in which the distance from the middle says the angle from the axis.

        Args:
            position: eye in world metres.
            target: point in the middle of the disc.
            up: direction towards the top of the frame.
            fov: degrees across the disc, up to 360, where its rim is the point behind the camera.
            mapping: "equidistant" (the distance is proportional to the angle) or "equisolid" (to the sine of half the
                angle: equal areas of the disc are equal solid angles).
            full_frame: False for the whole disc in the frame, black outside of it; True for a disc around the frame,
                whose diagonal then has the angle `fov`.

        Raises:
            InputError: a value NaN or out of range, an unknown mapping.
        """
        return cls("fish-eye", position, target, up, fov=fov, mapping=mapping, full_frame=full_frame)

    # By parallel rays

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
    def oblique(
        cls,
        terrain: Terrain,
        azimuth: float = 180.0,
        *,
        angle: float | None = None,
        z_scale: float | None = None,
        north_up: bool = True,
    ) -> Camera:
        """Return a cartographer's oblique view: the plan undistorted, heights displaced along one direction.

        A point appears where a map would show it, moved away from the viewer by `z_scale` times its height above the
        block's base. The whole block is in the frame; the natural size has a pixel for the shorter side of a cell.

        Args:
            terrain: what to look at, skirt included.
            azimuth: compass bearing from the ground to the viewer: 180 moves heights to the north.
            angle: degrees of the rays above the horizon, ``z_scale = 1 / tan(angle)``; 45 where neither is given.
            z_scale: metres of the picture in a metre of height: 1 is a cavalier or military projection, 0.5 a cabinet
                one. 0 is a map.
            north_up: True keeps north at the top; False turns the plan so that heights rise straight up the picture.

        Raises:
            InputError: both `angle` and `z_scale`, a value NaN or out of range.
        """
        camera_framing.check_terrain(terrain)
        if angle is not None and z_scale is not None:
            raise InputError("an oblique camera wants one of angle (degrees) and z_scale")
        if z_scale is None:
            rise = 45.0 if angle is None else number("oblique angle (degrees)", angle, 5.0, 90.0)
            z_scale = 1.0 / math.tan(math.radians(rise)) if rise < 90.0 else 0.0
        lean = number("oblique z_scale", z_scale, 0.0, 12.0)
        away = scaled(bearing_vector(number("oblique azimuth (degrees)", azimuth)), -1.0)
        up = (0.0, 1.0, 0.0) if flag("oblique north_up", north_up) else away
        view = camera_framing.oblique(terrain, away, up, lean)
        # A whole number of pixels, so that they are square to the last digit: the plan is true in every direction.
        side = min(terrain.cell_size)
        size = max(1, math.ceil(view.width / side)), max(1, math.ceil(view.height / side))
        frame = {"width": size[0] * side, "height": size[1] * side, "natural_size": size}
        return cls("oblique", view.position, view.target, up, **frame)

    @classmethod
    def map(cls, terrain: Terrain, *, pixels: str = "square") -> Camera:
        """Return a camera straight above `terrain`, north up, that shows the DEM's outer extent.

        At another size than the natural one, of the same proportions, the frame shows the same ground more finely or
        more coarsely; at other proportions the whole DEM is shown in the middle.

        Args:
            terrain: what to look at.
            pixels: "square" has a natural size with pixels as wide on the ground as they are tall (to half a pixel over
                the whole frame), as wide as the shorter side of a cell; "samples" has that of the DEM, (cols, rows),
                and pixel centres on the samples. Where cells are square the two are one.

        Raises:
            InputError: another word.
        """
        camera_framing.check_terrain(terrain)
        rows, cols = terrain.shape
        dx, dy = terrain.cell_size
        if not isinstance(pixels, str) or pixels not in ("square", "samples"):
            raise InputError(f"pixels is {show(pixels)}; wanted 'square' or 'samples'")
        side = min(dx, dy)
        square = pixels == "square"
        size = (round(cols * (dx / side)), round(rows * (dy / side))) if square else (cols, rows)
        top = terrain.max_height * terrain.vertical_exaggeration
        above = 0.05 * max(cols * dx, rows * dy)
        position, up = (0.0, 0.0, top + above), (0.0, 1.0, 0.0)
        return cls("map", position, (0.0, 0.0, top), up, height=rows * dy, width=cols * dx, natural_size=size)

    def moving(self, end: Camera) -> Camera:
        """Return this camera moving to `end` while the shutter is open: evenly along straight lines.

        Rays go from those of one to those of the other linearly in time, which is exact for a camera that glides and
        close for one that turns a few degrees.

        Raises:
            InputError: `end` is no camera of the same kind, or moves itself.
        """
        return dataclasses.replace(self, shutter_end=end)
