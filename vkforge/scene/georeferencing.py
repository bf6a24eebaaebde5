"""Between a terrain's world and the Earth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vkforge.errors import InputError, MissingDependencyError
from vkforge.scene.camera_rays import columns
from vkforge.scene.checks import show

if TYPE_CHECKING:
    from vkforge.scene.terrain import Affine, Terrain

GEOGRAPHIC = "EPSG:4326"

# Metres of the world in a unit of a CRS, from which on the unit is a degree.
_DEGREE = 1e4


def to_world(terrain: Terrain, points: Any, crs: str | None) -> np.ndarray:
    """Answer `Terrain.to_world`."""
    rows, single = columns("points", points, (2, 3))
    a, b, c, d, e, f = _transform(terrain)
    x, y = _converted(terrain, rows[:, 0], rows[:, 1], crs, inverse=False)
    (height, width), (dx, dy) = terrain.shape, terrain.cell_size
    if dy > _DEGREE * abs(e):
        # A longitude is one turned all around, too: that in the terrain's half of the world.
        middle = c + a * width / 2.0
        x = middle + (x - middle + 180.0) % 360.0 - 180.0
    column, row = np.linalg.solve(np.array([[a, b], [d, e]]), np.stack([x - c, y - f]))
    east, north = (column - width / 2.0) * dx, (height / 2.0 - row) * dy
    up = terrain.height_at(east, north) if rows.shape[1] == 2 else rows[:, 2] * terrain.vertical_exaggeration
    world = np.stack([east, north, up], axis=1)
    return world[0] if single else world


def to_geographic(terrain: Terrain, points: Any, crs: str | None) -> np.ndarray:
    """Answer `Terrain.to_geographic`."""
    rows, single = columns("points", points, (3,))
    a, b, c, d, e, f = _transform(terrain)
    (height, width), (dx, dy) = terrain.shape, terrain.cell_size
    column, row = rows[:, 0] / dx + width / 2.0, height / 2.0 - rows[:, 1] / dy
    x, y = _converted(terrain, a * column + b * row + c, d * column + e * row + f, crs, inverse=True)
    there = np.stack([x, y, rows[:, 2] / terrain.vertical_exaggeration], axis=1)
    return there[0] if single else there


def _transform(terrain: Terrain) -> Affine:
    if terrain.transform is None:
        raise InputError("this terrain does not know where on the Earth it lies; give it a transform and a crs")
    return terrain.transform


def _converted(terrain: Terrain, x: np.ndarray, y: np.ndarray, crs: str | None, *, inverse: bool) -> Any:
    """Return coordinates of `crs` in the terrain's own, or the other way."""
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
