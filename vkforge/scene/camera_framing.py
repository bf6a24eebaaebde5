"""Where a camera stands and looks so that the terrain, or a place of it, is well in the frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vkforge.errors import InputError
from vkforge.scene.camera_rays import columns
from vkforge.scene.checks import LARGEST_METRES, Vector, field_of_view, number, show, vector
from vkforge.scene.georeferencing import grid_bearing
from vkforge.scene.vectors import basis, bearing_vector, dot, minus, plus, scaled

if TYPE_CHECKING:
    from vkforge.scene.terrain import Terrain

# Share of the frame's half-size that Camera.orbit leaves free on the side where the block fits most tightly.
FRAME_MARGIN = 0.04

_BEARINGS = 36  # sides that a place is looked at from
_SIGHT_SAMPLES = 400  # along a line of sight


class Placed(NamedTuple):
    """A parallel camera: the middle of the plane its rays start on, a target, and metres of the frame."""

    position: Vector
    target: Vector
    width: float
    height: float


def check_terrain(given: Any) -> None:
    """Raise InputError unless `given` is a Terrain."""
    from vkforge.scene.terrain import Terrain

    if not isinstance(given, Terrain):
        raise InputError(f"terrain is {show(given)}; wanted a vkforge.Terrain (of a Scene: scene.terrain)")


def longer_side(terrain: Terrain) -> float:
    """Return the metres of the terrain's longer side."""
    xmin, xmax, ymin, ymax = terrain.extent
    return max(xmax - xmin, ymax - ymin)


def _drawn_extent(terrain: Terrain) -> tuple[float, float, float, float]:
    """Return (xmin, xmax, ymin, ymax) in world metres of what is drawn: without a floor, of the known samples."""
    heights, (xmin, xmax, ymin, ymax), (dx, dy) = terrain.heights, terrain.extent, terrain.cell_size
    sides = (heights[:, 0], heights[:, -1], heights[0], heights[-1])
    if terrain.floor is not False or not any(np.isnan(side).all() for side in sides):
        return xmin, xmax, ymin, ymax
    known = ~np.isnan(heights)
    rows, cols = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
    return xmin + cols[0] * dx, xmin + cols[-1] * dx, ymax - rows[-1] * dy, ymax - rows[0] * dy


def corners(terrain: Terrain) -> list[Vector]:
    """Return the eight corners of the terrain's box in world metres, skirt included, opposite ones first and last."""
    xmin, xmax, ymin, ymax = (float(side) for side in _drawn_extent(terrain))
    base = terrain.min_height if terrain.skirt is None else terrain.skirt
    low, high = base * terrain.vertical_exaggeration, terrain.max_height * terrain.vertical_exaggeration
    return [(x, y, z) for x in (xmin, xmax) for y in (ymin, ymax) for z in (low, high)]


# The whole block


def orbit(
    terrain: Terrain, azimuth: Any, elevation: Any, distance: Any, fov: Any, target: Any, aspect: Any
) -> tuple[Vector, Vector, Vector]:
    """Return position, target and up of `Camera.orbit`, whose arguments these are."""
    bearing = math.radians(number("Camera orbit azimuth (degrees)", azimuth))
    tilt = math.radians(number("Camera orbit elevation (degrees)", elevation, -90.0, 90.0))
    fov = field_of_view("Camera fov", fov, below=180.0)
    aspect = number("Camera orbit aspect", aspect, above=0.0)
    backward = (
        math.cos(tilt) * math.sin(bearing),
        math.cos(tilt) * math.cos(bearing),
        math.sin(tilt),
    )
    forward = scaled(backward, -1.0)
    # Seen from straight above, keep the top of the frame where it tends to as the elevation nears 90 degrees.
    up = (0.0, 0.0, 1.0) if math.cos(tilt) > 1e-6 else (-math.sin(bearing), -math.cos(bearing), 0.0)
    right, frame_up = basis(forward, up)

    box = corners(terrain)
    middle = scaled(plus(box[0], box[-1]), 0.5)
    aim = middle if target is None else vector("Camera target", target)
    half_y = math.tan(math.radians(fov) / 2.0) * (1.0 - FRAME_MARGIN)
    half_x = half_y * aspect
    offsets = [minus(corner, aim) for corner in box]
    across = [(dot(offset, right), dot(offset, forward)) for offset in offsets]
    along = [(dot(offset, frame_up), dot(offset, forward)) for offset in offsets]
    free = target is None
    if distance is None:
        # A target between the terrain and the camera could ask for less than no distance.
        nearest = 1e-3 * math.dist(box[0], box[-1])
        distance = max(_distance(across, half_x, free), _distance(along, half_y, free), nearest)
    else:
        distance = number("Camera orbit distance (metres)", distance, high=LARGEST_METRES, above=0.0)
    if free:
        aim = plus(aim, scaled(right, _centre(across, distance)))
        aim = plus(aim, scaled(frame_up, _centre(along, distance)))
    return plus(aim, scaled(backward, distance)), aim, up


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


def oblique(terrain: Terrain, away: Vector, up: Vector, lean: float) -> Placed:
    """Return the frame of `Camera.oblique` around the block: each metre of height goes `lean` metres `away`."""
    right = (up[1], -up[0], 0.0)
    base = corners(terrain)[0][2]
    shown = [plus(corner, scaled(away, lean * (corner[2] - base))) for corner in corners(terrain)]
    across, along = [dot(point, right) for point in shown], [dot(point, up) for point in shown]
    width, height = max(across) - min(across), max(along) - min(along)
    middle = plus(scaled(right, (max(across) + min(across)) / 2.0), scaled(up, (max(along) + min(along)) / 2.0))
    above = corners(terrain)[-1][2] - base + 0.05 * max(width, height)
    target = (middle[0], middle[1], base)
    return Placed(plus(target, plus(scaled(away, -lean * above), (0.0, 0.0, above))), target, width, height)


# A place


def place(terrain: Terrain, where: Any, crs: str | None) -> Vector:
    """Return the world point that `Camera.look_at_feature` is to show."""
    if isinstance(where, str):
        if where not in ("summit", "lowest"):
            raise InputError(f"where is {where!r}; wanted 'summit', 'lowest' or a point (x, y) or (x, y, z)")
        find = np.nanargmax if where == "summit" else np.nanargmin
        row, column = np.unravel_index(int(find(terrain.heights)), terrain.shape)
        (rows, cols), (dx, dy) = terrain.shape, terrain.cell_size
        z = float(terrain.heights[row, column]) * terrain.vertical_exaggeration
        return (float(column) - (cols - 1) / 2) * dx, ((rows - 1) / 2 - float(row)) * dy, z
    point, _ = columns("where", where, (2, 3))
    if len(point) != 1:
        raise InputError(f"where is {show(where)}; wanted one point")
    x, y = point[0, :2].tolist() if crs is None else terrain.to_world(point[0, :2], crs)[:2].tolist()
    ground = terrain.height_at(x, y)
    if math.isnan(ground):
        raise InputError(f"where is at world ({x:g}, {y:g}) m, beside the terrain or over a hole")
    return vector("where", (x, y, point[0, 2] if point.shape[1] == 3 else ground))


def standing(terrain: Terrain, lon: Any, lat: Any, x: Any, y: Any, above: Any, bearing: Any) -> tuple[Vector, float]:
    """Return the eye of `Camera.at` and the bearing of its view from the north of the terrain's grid."""
    above = number("Camera above_ground (metres)", above, high=LARGEST_METRES, above=0.0)
    bearing = number("Camera bearing (degrees)", bearing)
    by_degrees, by_metres = (lon is not None, lat is not None), (x is not None, y is not None)
    if (by_degrees, by_metres) not in (((True, True), (False, False)), ((False, False), (True, True))):
        raise InputError("Camera.at wants one place: lon and lat in degrees, or x= and y= in metres of the world")
    if all(by_metres):
        east, north = number("Camera x (metres)", x), number("Camera y (metres)", y)
        where = f"x = {east:g}, y = {north:g} m"
    else:
        if terrain.transform is None or terrain.crs is None:
            raise InputError(
                "this terrain does not know where on the Earth it lies, and Camera.at was given lon and lat; "
                "give the terrain a crs and a transform, or the place as x= and y= in metres of the world"
            )
        longitude, latitude = number("Camera lon (degrees)", lon), number("Camera lat (degrees)", lat, -90.0, 90.0)
        where = f"lon {longitude:g}, lat {latitude:g}"
        longitude -= 360.0 * round(longitude / 360.0)
        east, north = terrain.to_world((longitude, latitude, 0.0))[:2].tolist()
        bearing = grid_bearing(terrain, bearing, latitude, longitude)
    ground = terrain.height_at(east, north)
    if math.isnan(ground):
        xmin, xmax, ymin, ymax = terrain.extent
        what = "over a hole of the terrain" if xmin <= east <= xmax and ymin <= north <= ymax else "beside the terrain"
        raise InputError(f"{where} is {what}, which {extent_in_words(terrain, degrees=all(by_degrees))}")
    return (east, north, ground + above), bearing


def extent_in_words(terrain: Terrain, *, degrees: bool) -> str:
    """Return how far a terrain reaches, for errors: in degrees of longitude and latitude, or in metres of its world."""
    xmin, xmax, ymin, ymax = terrain.extent
    if not degrees:
        return f"reaches from x = {xmin:g} to {xmax:g} and from y = {ymin:g} to {ymax:g} m"
    steps = np.linspace(0.0, 1.0, 9)
    xs, ys = xmin + steps * (xmax - xmin), ymin + steps * (ymax - ymin)
    rim = [*((x, y, 0.0) for x in xs for y in (ymin, ymax)), *((x, y, 0.0) for x in (xmin, xmax) for y in ys)]
    lon, lat = terrain.to_geographic([(0.0, 0.0, 0.0), *rim])[:, :2].T
    lon = lon[0] + (lon - lon[0] + 180.0) % 360.0 - 180.0  # the date line may cross it
    return f"reaches from lon {lon.min():.6g} to {lon.max():.6g} and from lat {lat.min():.6g} to {lat.max():.6g}"


def viewpoint(terrain: Terrain, target: Vector, azimuth: Any, elevation: Any, distance: Any) -> Vector:
    """Return where to see `target` from: unhidden, and where the ground before it lies lowest."""
    rise = number("look_at_feature elevation (degrees)", elevation, -10.0, 85.0)
    reach = 0.25 * longer_side(terrain)
    if distance is not None:
        reach = number("look_at_feature distance (metres)", distance, high=LARGEST_METRES, above=0.0)
    if azimuth is None:
        bearings = np.arange(_BEARINGS) * (360.0 / _BEARINGS)
    else:
        bearings = np.array([number("look_at_feature azimuth (degrees)", azimuth)])
    while True:
        openness = [_openness(terrain, target, plus(target, scaled(bearing_vector(b, rise), reach))) for b in bearings]
        best = int(np.argmax(openness))
        if openness[best] > -math.inf or rise > 89.0:
            return plus(target, scaled(bearing_vector(float(bearings[best]), min(rise, 89.9)), reach))
        rise += 2.5


def _openness(terrain: Terrain, target: Vector, eye: Vector) -> float:
    """Return how far the ground lies below the line of sight on its way, a mean in metres; -inf where it is cut.

    Ground within the last hundredth of the way, which the place itself stands on, does not count.
    """
    way = np.linspace(0.01, 1.0, _SIGHT_SAMPLES)[:, None]
    points = np.array(target) + way * (np.array(eye) - np.array(target))
    free = points[:, 2] - terrain.height_at(points[:, 0], points[:, 1])
    over = free[~np.isnan(free)]  # beside the terrain nothing is in the way
    if over.size == 0:
        return 0.0
    return -math.inf if over.min() <= 0.0 else float(over.mean())
