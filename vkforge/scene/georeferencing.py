"""Between a terrain's world and the Earth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vkforge.errors import InputError, MissingDependencyError
from vkforge.scene.camera_rays import columns
from vkforge.scene.checks import show
from vkforge.scene.crs import WGS84, read_crs

if TYPE_CHECKING:
    from vkforge.scene.camera_view import CameraView
    from vkforge.scene.terrain import Affine, Terrain

# Longitude and latitude in degrees: of WGS 84 on the Earth, and on another body those of the terrain's own ellipsoid.
GEOGRAPHIC = "geographic"

_STEP = 1e-4  # degrees to the north and the south, some 11 m, that tell where north is in a terrain's world

# How far from plumb parallel rays may be, as a tangent: a centimetre over ten kilometres of relief.
_PLUMB = 1e-6


def is_plan(camera: CameraView) -> bool:
    """Return whether a camera sees the plan of the ground: by parallel rays that go straight down.

    Those of `Camera.map`, of `Camera.orthographic` whose target is right below it and of an oblique camera at 90
    degrees do. From one eye, relief is displaced whatever way it looks.
    """
    x, y, z = camera.axes[2]
    return camera.kind in ("map", "orthographic", "oblique") and math.hypot(x, y) <= _PLUMB and z < 0.0


def pixel_transform(terrain: Terrain, camera: CameraView, size: tuple[int, int]) -> Affine | None:
    """Return where the pixels of a plan lie on the Earth, however it is turned.

    Args:
        terrain: what is seen.
        camera: by which.
        size: (width, height) of the picture in pixels.

    Returns:
        (a, b, c, d, e, f): a place in the terrain's CRS is (a col + b row + c, d col + e row + f), with (0, 0) at the
        outer corner of the upper left pixel. None where the terrain does not know its place or the view is no plan.
    """
    if terrain.transform is None or not is_plan(camera):
        return None
    (rows, cols), (dx, dy), (width, height) = terrain.shape, terrain.cell_size, size
    rays = camera.rays(width, height)
    origin, right, up = (np.array(part[:2]) for part in (rays.origin, rays.origin_u, rays.origin_v))
    # From pixels to metres of the world, from those to samples of the DEM, and on to the CRS.
    to_world = _affine(2.0 * right / width, -2.0 * up / height, origin - right + up)
    to_samples = np.array([[1.0 / dx, 0.0, cols / 2.0], [0.0, -1.0 / dy, rows / 2.0], [0.0, 0.0, 1.0]])
    a, b, c, d, e, f = terrain.transform
    to_crs = _affine((a, d), (b, e), (c, f))
    first, second, _ = (to_crs @ to_samples @ to_world).tolist()
    return first[0], first[1], first[2], second[0], second[1], second[2]


def _affine(x: Any, y: Any, origin: Any) -> np.ndarray:
    """Return the (3, 3) matrix of a plane's affine map by its columns."""
    return np.concatenate([np.stack([x, y, origin], axis=1), [[0.0, 0.0, 1.0]]])


def to_world(terrain: Terrain, points: Any, crs: str | None) -> np.ndarray:
    """Answer `Terrain.to_world`."""
    rows, single = columns("points", points, (2, 3))
    a, b, c, d, e, f = _transform(terrain)
    x, y = _converted(terrain, rows[:, 0], rows[:, 1], crs, inverse=False)
    (height, width), (dx, dy) = terrain.shape, terrain.cell_size
    if _in_degrees(terrain.crs):
        # A longitude is one turned all around, too: that in the terrain's half of the world.
        middle = c + a * width / 2.0
        x = middle + (x - middle + 180.0) % 360.0 - 180.0
    column, row = np.linalg.solve(np.array([[a, b], [d, e]]), np.stack([x - c, y - f]))
    east, north = (column - width / 2.0) * dx, (height / 2.0 - row) * dy
    up = terrain.height_at(east, north) if rows.shape[1] == 2 else rows[:, 2] * terrain.vertical_exaggeration
    world = np.stack([east, north, up], axis=1)
    return world[0] if single else world


def grid_bearing(terrain: Terrain, bearing: float, latitude: float, longitude: float) -> float:
    """Return a bearing from true north, at a place on the Earth, as one from the north of a terrain's grid.

    They differ by the convergence of the meridians, which grows to degrees away from the middle of a projection. Of a
    terrain that does not know where it lies, grid north is all the north there is.

    Args:
        terrain: whose grid.
        bearing: degrees clockwise from true north.
        latitude: degrees.
        longitude: degrees.

    Raises:
        MissingDependencyError: pyproj (extra geo) is missing.
    """
    if terrain.transform is None or terrain.crs is None:
        return bearing
    south, north = max(latitude - _STEP, -90.0), min(latitude + _STEP, 90.0)
    ends = to_world(terrain, [(longitude, south, 0.0), (longitude, north, 0.0)], GEOGRAPHIC)
    right, up, _ = (ends[1] - ends[0]).tolist()
    return bearing + math.degrees(math.atan2(right, up))


def to_geographic(terrain: Terrain, points: Any, crs: str | None) -> np.ndarray:
    """Answer `Terrain.to_geographic`."""
    rows, single = columns("points", points, (3,))
    a, b, c, d, e, f = _transform(terrain)
    (height, width), (dx, dy) = terrain.shape, terrain.cell_size
    column, row = rows[:, 0] / dx + width / 2.0, height / 2.0 - rows[:, 1] / dy
    x, y = _converted(terrain, a * column + b * row + c, d * column + e * row + f, crs, inverse=True)
    if crs is not None and (crs == GEOGRAPHIC or _in_degrees(crs)):
        x = np.asarray(x) - 360.0 * np.round(np.asarray(x) / 360.0)  # of grids from 0 to 360, too
    there = np.stack([x, y, rows[:, 2] / terrain.vertical_exaggeration], axis=1)
    return there[0] if single else there


def is_earthly(terrain: Terrain) -> bool:
    """Return whether a terrain lies on the Earth, as its CRS says; one without CRS does."""
    known = None if terrain.crs is None else read_crs(terrain.crs)
    return known is None or known.earthly


def middle(terrain: Terrain) -> tuple[float, float]:
    """Return longitude and latitude, in degrees, of a terrain's middle.

    Raises:
        InputError: it has no transform or no CRS.
        MissingDependencyError: pyproj (extra geo) is missing.
    """
    longitude, latitude, _ = to_geographic(terrain, (0.0, 0.0, 0.0), GEOGRAPHIC).tolist()
    return longitude, latitude


def _in_degrees(crs: str | None) -> bool:
    known = None if crs is None or crs == GEOGRAPHIC else read_crs(crs)
    return known is not None and known.geographic


def _geographic(crs: str) -> str:
    """Return the CRS of longitude and latitude on the body that `crs` is on."""
    known = read_crs(crs)
    if known is None or known.earthly:
        return WGS84
    if known.geographic:
        return crs
    from pyproj import CRS  # without it read_crs leaves the Earth only by rasterio, and converting wants pyproj anyway

    return str(CRS.from_user_input(crs).geodetic_crs)


def _transform(terrain: Terrain) -> Affine:
    if terrain.transform is None:
        raise InputError("this terrain does not know where on the Earth it lies; give it a transform and a crs")
    return terrain.transform


def _converted(terrain: Terrain, x: np.ndarray, y: np.ndarray, crs: str | None, *, inverse: bool) -> Any:
    """Return coordinates of `crs` in the terrain's own, or the other way."""
    if crs == GEOGRAPHIC and terrain.crs is not None:
        crs = _geographic(terrain.crs)
    if crs is None or crs == terrain.crs:
        return x, y
    if terrain.crs is None:
        raise InputError("this terrain has no crs, so nothing can be converted to it; give it one, or say crs=None")
    try:
        from pyproj import Transformer
        from pyproj.exceptions import ProjError
    except ImportError as error:
        raise MissingDependencyError(
            "converting coordinates needs pyproj: pip install 'vkforge-renderer[geo]'"
        ) from error
    ends = (terrain.crs, crs) if inverse else (crs, terrain.crs)
    try:
        transformer = Transformer.from_crs(*ends, always_xy=True)
    except ProjError as error:
        raise InputError(f"no way from CRS {show(ends[0])} to {show(ends[1])}: {error}") from error
    return transformer.transform(x, y)
