"""Cameras by what they shall show, and from elsewhere."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from vkforge.errors import InputError
from vkforge.scene import camera_framing, camera_matrices
from vkforge.scene.camera_view import CameraView
from vkforge.scene.checks import Vector, number, vector
from vkforge.scene.flight import flight, path_in_world, targets
from vkforge.scene.vectors import bearing_vector, plus, scaled

if TYPE_CHECKING:
    from vkforge.scene.terrain import Terrain

DEFAULT_FOV = 40.0


@dataclass(frozen=True)
class CameraPresets(CameraView):
    """Base of `Camera`: the ways to make one that find position and target by themselves."""

    # By what shall be seen

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
    ) -> Self:
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
        camera_framing.check_terrain(terrain)
        position, aim, up = camera_framing.orbit(terrain, azimuth, elevation, distance, fov, target, aspect)
        return cls("perspective", position, aim, up, fov=fov)

    @classmethod
    def at(
        cls,
        terrain: Terrain,
        lon: float | None = None,
        lat: float | None = None,
        *,
        x: float | None = None,
        y: float | None = None,
        above_ground: float = 2.0,
        bearing: float = 0.0,
        pitch: float = 0.0,
        fov: float = DEFAULT_FOV,
    ) -> Self:
        """Return a perspective camera that stands over a place of the terrain, as somebody on the ground sees it.

        The place is said by `lon` and `lat`, or by `x` and `y`.

        Args:
            terrain: the ground, as it is drawn: its vertical exaggeration counts.
            lon: longitude in degrees, WGS 84; one turned all around is the same place.
            lat: latitude in degrees, -90 to 90.
            x: metres east of the world's origin instead, as for a terrain that does not know where on the Earth it is.
            y: metres north of it.
            above_ground: metres of the world over the ground as it is drawn, greater than 0; they are not exaggerated.
                Of a place under water, over its bottom.
            bearing: of the view, degrees clockwise: with `lon` and `lat` from true north, which is turned to the north
                of the terrain's grid as `Sun.at` does; with `x` and `y` from the north of that grid, the world's y.
            pitch: degrees of the view above the horizon, -89 to 89.
            fov: vertical angle of view in degrees.

        Raises:
            InputError: not one place, a place beside the terrain or over a hole, longitude and latitude of a terrain
                that does not know where it is, a value NaN or out of range.
            MissingDependencyError: pyproj (extra geo) is missing, which longitude and latitude want.
        """
        camera_framing.check_terrain(terrain)
        eye, heading = camera_framing.standing(terrain, lon, lat, x, y, above_ground, bearing)
        view = bearing_vector(heading, number("Camera pitch (degrees)", pitch, -89.0, 89.0))
        return cls("perspective", eye, ahead(eye, view), fov=fov)

    @classmethod
    def look_at_feature(
        cls,
        terrain: Terrain,
        where: Any = "summit",
        *,
        azimuth: float | None = None,
        elevation: float = 15.0,
        distance: float | None = None,
        fov: float = 35.0,
        crs: str | None = None,
    ) -> Self:
        """Return a perspective camera that shows a place of the terrain from a good side, with nothing in between.

        The side is the one from which the place stands highest over the ground before it. Where the ground hides the
        place from every side the camera rises until it does not.

        Args:
            terrain: the ground, without holes at the place.
            where: "summit", "lowest", or (x, y) or (x, y, z); z in world metres, None or left out is the ground's.
            azimuth: compass bearing from the place to the camera; None is the best of 36.
            elevation: degrees of the camera above the place, -10 to 85, if nothing hides it from there.
            distance: metres to the camera; None is a quarter of the terrain's longer side.
            fov: vertical angle of view in degrees.
            crs: what x and y are in, as "EPSG:4326" for longitude and latitude; None is world metres.

        Raises:
            InputError: a place beside the terrain or over a hole, a value NaN or out of range.
            MissingDependencyError: `crs` asks for pyproj.
        """
        camera_framing.check_terrain(terrain)
        place = camera_framing.place(terrain, where, crs)
        position = camera_framing.viewpoint(terrain, place, azimuth, elevation, distance)
        return cls("perspective", position, place, fov=fov)

    @classmethod
    def flyover(
        cls,
        terrain: Terrain,
        path: Any = None,
        *,
        frames: int = 240,
        above_ground: float | None = None,
        pitch: float = -12.0,
        fov: float = 50.0,
        crs: str | None = None,
    ) -> list[Self]:
        """Return perspective cameras along a flight over the terrain, as many metres of the path apart each.

        Args:
            terrain: the ground.
            path: (n, 2) points that the flight passes on a smooth curve; None flies across, from south-west to
                north-east.
            frames: how many cameras, from 2.
            above_ground: metres of the world above the ground as it is drawn that the flight keeps at least, smoothly;
                None is 4 % of the longer side.
            pitch: degrees of the view above the horizon, -89 to 89.
            fov: vertical angle of view in degrees.
            crs: what the points are in, as "EPSG:4326"; None is world metres.

        Raises:
            InputError: fewer than two different points, a value NaN or out of range.
            MissingDependencyError: `crs` asks for pyproj.
        """
        camera_framing.check_terrain(terrain)
        points = None if path is None else path_in_world(terrain, path, crs)
        positions, bearings = flight(terrain, points, frames, above_ground)
        return [
            cls("perspective", eye, target, fov=fov)
            for eye, target in zip(positions, targets(terrain, positions, bearings, pitch), strict=True)
        ]

    # From elsewhere

    @classmethod
    def from_matrix(
        cls,
        matrix: Any,
        convention: str = "opengl",
        *,
        to: str = "world",
        fov: float | None = None,
        fov_x: float | None = None,
        intrinsics: Any = None,
        size: tuple[int, int] | None = None,
    ) -> Self:
        """Return the perspective camera of a pose matrix.

        Args:
            matrix: (4, 4) or (3, 4), applied to column vectors; a rotation and a translation in world metres.
            convention: the camera's own axes: "opengl" and "blender" have x right, y up and look along -z; "opencv" has
                x right, y down and looks along +z. Blender's `camera.matrix_world` is "blender", `to="world"`.
            to: "world" for a matrix from the camera to the world, "camera" for one from the world to the camera
                (OpenGL's view matrix, OpenCV's R and t).
            fov: vertical angle of view in degrees; 40 where nothing is given.
            fov_x: horizontal angle of view instead.
            intrinsics: OpenCV's K instead, which also says the shift, and the shape of pixels where its two focal
                lengths differ. The distortion that was calibrated with it is a `Lens`.
            size: (width, height) of the pictures that K is for, and then the camera's natural size.

        Raises:
            InputError: a matrix that is no pose, an unknown convention, more than one way to say the angle, a K with
                skew, or with pixels more than 4 times as long as wide.
        """
        position, up, forward = camera_matrices.read_pose(matrix, convention, to)
        frame: dict[str, Any] = {"fov": fov, "fov_x": fov_x}
        if intrinsics is not None:
            if fov is not None or fov_x is not None:
                raise InputError("intrinsics and an angle of view are both given; wanted one of them")
            frame = camera_matrices.read_intrinsics(intrinsics, size)
        elif size is not None:
            raise InputError("size is given without intrinsics, which it belongs to; leave it out")
        elif fov is not None and fov_x is not None:
            raise InputError("fov and fov_x are both given; wanted one of them")
        elif fov is None and fov_x is None:
            frame = {"fov": DEFAULT_FOV}
        return cls("perspective", position, ahead(position, forward), up, **frame)

    @classmethod
    def from_exif(
        cls,
        path: str | os.PathLike[str],
        terrain: Terrain,
        *,
        position: Any = None,
        bearing: float | None = None,
        pitch: float = 0.0,
        fov_x: float | None = None,
    ) -> Self:
        """Return the camera that took a photograph, by what its file says (EXIF) and by what is given here.

        Args:
            path: a JPEG, TIFF, PNG, WebP or other picture that Pillow opens; HEIF with pi-heif or pillow-heif.
            terrain: the ground, which knows its CRS; the place and the altitude are turned into its world.
            position: world metres; None is the file's GPS position.
            bearing: compass bearing of the view in degrees, from the world's north (y); None is the file's image
                direction, which must be from true north and is turned to the north of the terrain's grid.
            pitch: degrees of the view above the horizon, which EXIF does not know, -89 to 89.
            fov_x: horizontal angle of view in degrees; None is the file's, from the focal length as of 35 mm film or
                from the focal length and the sensor's resolution. A picture that was cropped since has another one,
                which is noticed only where the file still tells its first size.

        Raises:
            InputError: no picture, or one that lacks what is not given.
            MissingDependencyError: pyproj (extra geo), or what Pillow needs for HEIF, is missing.
        """
        from vkforge.io.exif import read_photograph

        camera_framing.check_terrain(terrain)
        photo = read_photograph(path)
        eye = photo.position(terrain) if position is None else vector("Camera position", position)
        heading = photo.heading(terrain, eye) if bearing is None else number("bearing (degrees)", bearing)
        angle = photo.wanted("fov_x") if fov_x is None else fov_x
        view = bearing_vector(heading, number("pitch (degrees)", pitch, -89.0, 89.0))
        return cls("perspective", eye, ahead(eye, view), fov_x=angle, natural_size=photo.size)


def ahead(eye: Vector, direction: Vector) -> Vector:
    """Return a target along `direction`, far enough that no digit of it is lost beside the eye's."""
    return plus(eye, scaled(direction, max(1.0, math.hypot(*eye))))
