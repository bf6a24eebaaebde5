"""The ground: a digital elevation model and how its surface looks."""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from vkforge.errors import InputError
from vkforge.scene.albedo import NEUTRAL, Albedo, is_file, normalize_albedo, raster, value_range
from vkforge.scene.checks import LARGEST_METRES, SMALLEST_METRES, Vector, flag, number, show
from vkforge.scene.colormaps import Colormap, colormap_name, resolve
from vkforge.scene.colors import Color, linear_color
from vkforge.scene.crs import crs_text
from vkforge.scene.frozen import ReadOnlyArrays
from vkforge.scene.material import Material

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Affine = tuple[float, float, float, float, float, float]

_MATERIAL = Material()

# Depth of the automatic skirt below the lowest point, as a share of the block's longer side in the picture.
SKIRT_SHARE = 0.05

# Heights that a Terrain has made its own, with their range, by id: dataclasses.replace() hands them back to the
# constructor, which then neither copies nor scans them again. An entry goes when its array does.
_owned: dict[int, tuple[weakref.ref[np.ndarray], float, float]] = {}


@dataclass(frozen=True, eq=False, init=False)
class Terrain(ReadOnlyArrays):
    """A heightfield: a bilinear surface through evenly spaced samples.

    A cell with one sample missing is the triangle of the other three; with more it is a hole.

    Row 0 is north and column 0 is west. Sample (i, j) stands at x = (j - (cols-1)/2) * dx, y = ((rows-1)/2 - i) * dy
    and z = height * vertical_exaggeration, in world metres. `dataclasses.replace` makes a changed copy that shares the
    heights.

    Attributes:
        heights: (rows, cols) elevations in metres, at least 2x2; NaN is a hole. Any real dtype, byte order and memory
            layout is taken, and masked samples become holes; kept as a read-only C-contiguous float32 copy.
        cell_size: metres between samples: a number, or (dx, dy). Kept as (dx, dy).
        albedo: reflectance of the surface: a colour (linear RGB floats in [0, 1], a grey number, or a colour string
            such as "tan" or "#c8b89a", which is sRGB), or an image (h, w), (h, w, 3) or (h, w, 4) of any resolution
            laid over the DEM's outer extent: float is linear [0, 1], uint8 is sRGB-encoded, Pillow's pictures are
            converted. Or the path of one: it is reprojected and laid where it lies (`vkforge.sources.drape`). None is
            neutral grey, 0.5, which `Scene.portrait` and `Scene.relief` replace by a hypsometric tint; that, or what
            `cmap` says, is also what shows where an image is clear, masked, or ends. Kept as an `Albedo`.
        material: roughness, metallic, specular.
        vertical_exaggeration: factor on the heights in the picture, 1e-6 to 1e6.
        skirt: None for open edges, or the elevation in metres (before exaggeration, at most the lowest height) of the
            base plane down to which walls close the block: it is drawn at world z = skirt * vertical_exaggeration.
            "auto" puts it 5 % of the longer side below the lowest height, as seen in the picture. Kept as a number or
            None. Walls follow the outline of the data, around holes too.
        floor: whether the base plane of a skirt lies under holes and around the data as well, up to the DEM's outer
            extent, like the floor of a tray. None leaves that to the scene: `Scene.portrait` leaves the floor out, so
            that a ragged DEM is a ragged block; any other has it.
        skirt_color: linear RGB or colour string of those walls.
        crs: coordinate reference system, for georeferenced outputs and places on the Earth: an EPSG number, "EPSG:...",
            WKT or a CRS object of rasterio or pyproj. Kept as "EPSG:..." or WKT.
        transform: affine (a, b, c, d, e, f) from (column, row) to CRS coordinates, x = a*col + b*row + c and
            y = d*col + e*row + f, with (0, 0) at the outer corner of the upper left pixel (rasterio's order).

    Args:
        cmap: colour the surface by a colormap instead of `albedo`, or below one that is not opaque: a name ("viridis",
            "cmocean.deep", "cet_fire", "cmc.batlow", "vkforge.relief", each also with "_r"), a Matplotlib colormap or a
            list of colours.
        cmap_data: 2-D raster of any shape, laid over the DEM's extent, that the colormap is looked up by; None is the
            elevation itself.
        vmin: value at the colormap's low end; None is the data's minimum.
        vmax: value at the colormap's high end; None is the data's maximum.
        percentiles: (low, high) in percent of the data, used where `vmin` or `vmax` is None, as in (2, 98).

    Raises:
        InputError: an array, number or name that can't be used; the message says what is wanted.
    """

    heights: np.ndarray
    cell_size: tuple[float, float]
    albedo: Albedo
    material: Material
    vertical_exaggeration: float
    skirt: float | None
    floor: bool | None
    skirt_color: Vector
    crs: str | None
    transform: Affine | None
    _range: tuple[float, float] = field(init=False, repr=False)

    def __init__(
        self,
        heights: ArrayLike,
        cell_size: float | Sequence[float] | np.ndarray = 1.0,
        *,
        albedo: Color | ArrayLike | Albedo | Picture | os.PathLike[str] | None = None,
        cmap: Any = None,
        cmap_data: ArrayLike | None = None,
        vmin: float | None = None,
        vmax: float | None = None,
        percentiles: tuple[float, float] | None = None,
        material: Material = _MATERIAL,
        vertical_exaggeration: float = 1.0,
        skirt: float | str | None = None,
        floor: bool | None = None,
        skirt_color: Color = (0.58, 0.47, 0.33),
        crs: Any = None,
        transform: Sequence[float] | None = None,
    ) -> None:
        put = object.__setattr__
        owned, low, high = _own(heights)
        put(self, "heights", owned)
        put(self, "_range", (low, high))
        put(self, "cell_size", metres_of_cell(cell_size))
        put(self, "vertical_exaggeration", number("vertical_exaggeration", vertical_exaggeration, 1e-6, 1e6))
        self._check_reach()
        if not isinstance(material, Material):
            raise InputError(f"material is {show(material)}; wanted a Material, as Material(roughness=0.5)")
        put(self, "material", material)
        put(self, "skirt", self._resolve_skirt(skirt))
        put(self, "floor", None if floor is None else flag("floor", floor))
        put(self, "skirt_color", linear_color("skirt_color", skirt_color))
        put(self, "crs", crs_text(crs))
        put(self, "transform", None if transform is None else affine(transform))
        put(self, "albedo", self._resolve_albedo(albedo, cmap, cmap_data, vmin, vmax, percentiles))

    def _check_reach(self) -> None:
        (rows, cols), (dx, dy) = self.shape, self.cell_size
        tallest = max(abs(self.min_height), abs(self.max_height)) * self.vertical_exaggeration
        reach = max(cols * dx, rows * dy, tallest)
        if reach > LARGEST_METRES:
            raise InputError(
                f"the terrain reaches {reach:g} m at cell_size {self.cell_size} and vertical_exaggeration "
                f"{self.vertical_exaggeration:g}; wanted at most {LARGEST_METRES:g} m"
            )

    def _resolve_albedo(self, albedo: Any, cmap: Any, cmap_data: Any, vmin: Any, vmax: Any, percentiles: Any) -> Albedo:
        if cmap is None:
            extras = {"cmap_data": cmap_data, "vmin": vmin, "vmax": vmax, "percentiles": percentiles}
            if unused := [name for name, value in extras.items() if value is not None]:
                raise InputError(f"{unused[0]} is given without a colormap; add cmap=, as in cmap='viridis'")
            return NEUTRAL if albedo is None else self._own_albedo(albedo)
        # An Albedo comes from dataclasses.replace(terrain, cmap=...), which means to replace it, but for its overlay.
        given = None if albedo is None else self._own_albedo(albedo)
        overlay = None if given is None else given.overlay
        if given is not None and overlay is None and not isinstance(albedo, Albedo):
            if is_file(albedo):
                return given  # which covers all of the ground: that depends on the file
            raise InputError("both albedo and cmap are given, and the albedo has no alpha; wanted one of them")
        values = self.heights if cmap_data is None else raster("cmap_data", cmap_data)
        low, high = value_range(values, vmin, vmax, percentiles)
        colormap = Colormap(colormap_name(cmap), (low, high), cmap_data is None, resolve(cmap))
        below = Albedo.ramp(colormap) if cmap_data is None else Albedo.mapped(values, colormap)
        return below if overlay is None else replace(below, overlay=overlay)

    def _own_albedo(self, given: Any) -> Albedo:
        """Return an albedo in the renderer's form; one in a file as it lies on this terrain."""
        if not is_file(given):
            return normalize_albedo(given)
        from vkforge.sources.drape import read_drape

        return Albedo.texture(read_drape(given, self))

    def _resolve_skirt(self, skirt: Any) -> float | None:
        if skirt is None:
            return None
        if isinstance(skirt, str):
            if skirt != "auto":
                raise InputError(f"skirt is {skirt!r}; wanted 'auto', None or an elevation in metres")
            xmin, xmax, ymin, ymax = self.extent
            return self.min_height - SKIRT_SHARE * max(xmax - xmin, ymax - ymin) / self.vertical_exaggeration
        base = number("skirt (elevation in metres)", skirt, -LARGEST_METRES, LARGEST_METRES)
        if base > self.min_height:
            raise InputError(
                f"skirt is at {base:g} m, above the lowest height, {self.min_height:g} m; "
                "wanted a base plane at or below it, or skirt='auto'"
            )
        return base

    @classmethod
    def open(cls, path: str | os.PathLike[str], **kwargs: Any) -> Terrain:
        """Read a terrain from a file: see `vkforge.sources.terrain.open_terrain`, whose arguments these are."""
        from vkforge.sources.terrain import open_terrain

        return open_terrain(path, **kwargs)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, cols) of the heights."""
        rows, cols = self.heights.shape
        return rows, cols

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """(xmin, xmax, ymin, ymax) of the outermost sample centres, in world metres: the surface ends there."""
        (rows, cols), (dx, dy) = self.shape, self.cell_size
        x, y = (cols - 1) / 2 * dx, (rows - 1) / 2 * dy
        return -x, x, -y, y

    @property
    def min_height(self) -> float:
        """Lowest height in metres, before exaggeration; holes don't count."""
        return self._range[0]

    @property
    def max_height(self) -> float:
        """Highest height in metres, before exaggeration; holes don't count."""
        return self._range[1]

    @property
    def surface_albedo(self) -> Albedo:
        """The surface's reflectance, in the one form that the renderer takes."""
        return self.albedo

    @property
    def colormap(self) -> Colormap | None:
        """The colormap that `cmap` gave the surface, with its limits, for a legend; None where `albedo` colours it."""
        return self.albedo.colormap

    def height_at(self, x: Any, y: Any) -> Any:
        """Return the world z in metres, exaggeration included, of the surface at world (x, y).

        Args:
            x: number or array of metres east of the centre.
            y: the same north of it; the two broadcast.

        Returns:
            float64 number or array; NaN outside the extent and in holes.
        """
        (rows, cols), (dx, dy) = self.shape, self.cell_size
        column = np.asarray(x, np.float64) / dx + (cols - 1) / 2
        row = (rows - 1) / 2 - np.asarray(y, np.float64) / dy
        column, row = np.broadcast_arrays(column, row)
        with np.errstate(invalid="ignore"):
            inside = (column >= 0) & (column <= cols - 1) & (row >= 0) & (row <= rows - 1)
        j = np.clip(np.where(inside, column, 0), 0, cols - 2).astype(np.intp)
        i = np.clip(np.where(inside, row, 0), 0, rows - 2).astype(np.intp)
        u, v = np.where(inside, column, np.nan) - j, np.where(inside, row, np.nan) - i
        h = self.heights
        h00, h01, h10, h11 = h[i, j], h[i, j + 1], h[i + 1, j], h[i + 1, j + 1]
        if np.isnan(h00 + h01 + h10 + h11).any():
            h00, h01, h10, h11 = _triangles(h00, h01, h10, h11, u, v)
        north = h00 * (1 - u) + h01 * u
        south = h10 * (1 - u) + h11 * u
        z = (north * (1 - v) + south * v) * self.vertical_exaggeration
        return float(z) if z.ndim == 0 else z

    def filled(self, max_hole: int | None = None) -> Terrain:
        """Return this terrain with its holes filled, as smoothly as what is known around each allows.

        Each missing sample becomes the mean of its four neighbours, weighted by the inverse squares of their distances:
        Laplace's equation, as a soap film solves it. So nothing filled is higher or lower than the rim of its hole, and
        a hole in a plane is the plane. What is missing at the DEM's border, a collar of nodata, stays.

        Args:
            max_hole: the most samples that a hole may have to be filled, 1 or more; None fills them all. Samples belong
                together where they touch along a row or a column.

        Raises:
            InputError: `max_hole` is no number of at least 1.
        """
        from vkforge.scene.filling import enclosed, film

        most = math.inf if max_hole is None else number("max_hole (samples)", max_hole, 1)
        holes = enclosed(np.isnan(self.heights), most)
        if not holes.any():
            return self
        dx, dy = self.cell_size
        heights = self.heights.copy()
        heights[holes] = film(heights, holes, ((dy / (dx + dy)) ** 2, (dx / (dx + dy)) ** 2))
        return replace(self, heights=give(heights))

    def to_world(self, points: Any, crs: Any = "geographic") -> np.ndarray:
        """Return the world coordinates of places on the Earth, or the body that the terrain is on.

        Args:
            points: (n, 2) or (n, 3), or one place: easting and northing in `crs`, for degrees longitude then latitude;
                and the elevation in metres, not exaggerated. Without one the place lies on the ground.
            crs: what they are in, anything that pyproj takes; "geographic" is longitude and latitude of WGS 84 on the
                Earth, and of its own ellipsoid on another body; None is the terrain's own CRS.

        Returns:
            (n, 3) float64 world metres, or (3,) of one place; z is NaN where there is no ground to lie on.

        Raises:
            InputError: the terrain has no transform, or no CRS to convert to; another shape.
            MissingDependencyError: pyproj (extra geo) is missing, which any CRS but the terrain's own wants.
        """
        from vkforge.scene.georeferencing import to_world

        return to_world(self, points, crs)

    def to_geographic(self, points: Any, crs: Any = "geographic") -> np.ndarray:
        """Return where on the Earth, or the body that the terrain is on, world points lie: the inverse of `to_world`.

        Args:
            points: (n, 3) world metres, or one point.
            crs: what to give them in, as for `to_world`; longitudes run from -180 to 180.

        Returns:
            (n, 3) float64, or (3,) of one point: easting and northing in `crs`, for degrees longitude then latitude;
            and the elevation in metres, not exaggerated.

        Raises:
            InputError: the terrain has no transform, or no CRS to convert from; another shape.
            MissingDependencyError: pyproj (extra geo) is missing, which any CRS but the terrain's own wants.
        """
        from vkforge.scene.georeferencing import to_geographic

        return to_geographic(self, points, crs)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self.heights.flags.owndata:  # and not a buffer that pickle was given, which others may write to
            _remember(self.heights, *self._range)

    def __repr__(self) -> str:
        rows, cols = self.shape
        dx, dy = self.cell_size
        size = f"{dx:g}" if dx == dy else f"({dx:g}, {dy:g})"
        text = f"Terrain({rows}x{cols}, cell_size={size} m, heights {self.min_height:g} to {self.max_height:g} m"
        if self.vertical_exaggeration != 1.0:
            text += f", vertical_exaggeration={self.vertical_exaggeration:g}"
        return text + ")"


def _triangles(h00: Any, h01: Any, h10: Any, h11: Any, u: Any, v: Any) -> list[np.ndarray]:
    """Return the corners of cells with a lone missing one put onto the others' plane, where (u, v) is on their side."""
    missing = [np.isnan(h) for h in (h00, h01, h10, h11)]
    sides = (u + v >= 1, v >= u, u >= v, u + v <= 1)
    planes = (h01 + h10 - h11, h00 + h11 - h10, h00 + h11 - h01, h01 + h10 - h00)
    found = zip((h00, h01, h10, h11), missing, sides, planes, strict=True)
    return [np.where(none & side, plane, h) for h, none, side, plane in found]


def metres_of_cell(given: Any) -> tuple[float, float]:
    """Return (dx, dy) in metres of a cell size as users give it.

    Raises:
        InputError: neither a positive number nor two.
    """
    pair = given if isinstance(given, (tuple, list)) or np.ndim(given) == 1 else (given, given)
    if isinstance(given, str) or len(pair) != 2:
        raise InputError(f"cell_size is {show(given)}; wanted metres as a number, or as (dx, dy)")
    dx, dy = (number("cell_size (metres)", part, SMALLEST_METRES) for part in pair)
    return dx, dy


def affine(given: Any) -> Affine:
    """Return the six numbers of an affine transform.

    Raises:
        InputError: not six finite numbers, or nine as rasterio's Affine has.
    """
    try:
        parts = tuple(given)[:6]  # rasterio's Affine has nine, the last three constant
    except TypeError:
        parts = ()
    if len(parts) != 6:
        raise InputError(f"transform is {show(given)}; wanted six numbers (a, b, c, d, e, f)")
    a, b, c, d, e, f = (number("transform", part) for part in parts)
    return a, b, c, d, e, f


def give(heights: np.ndarray) -> np.ndarray:
    """Give float32 heights to the `Terrain` that is made of them next, which then does not copy them.

    The caller writes to them no more.

    Args:
        heights: (rows, cols) float32, NaN for holes.
    """
    owned = np.ascontiguousarray(heights)
    if owned.dtype != np.float32 or owned.ndim != 2 or min(owned.shape) < 2:
        return heights
    return _keep(owned)[0]


def _own(heights: Any) -> tuple[np.ndarray, float, float]:
    """Return a read-only float32 copy of `heights` that nobody else writes to, and its lowest and highest value."""
    if (known := _owned.get(id(heights))) is not None and known[0]() is heights:
        return heights, known[1], known[2]
    mask = np.ma.getmask(heights)
    try:
        given = np.asarray(np.ma.getdata(heights) if mask is not np.ma.nomask else heights)
    except ValueError as error:
        raise InputError(f"heights are {show(heights)}; wanted a 2-D array of numbers ({error})") from None
    if given.dtype.kind not in "fiub":
        raise InputError(f"heights have dtype {given.dtype}; wanted real numbers (float or integer), in metres")
    if given.ndim != 2 or min(given.shape) < 2:
        raise InputError(f"heights have shape {given.shape}; wanted a 2-D array (rows, cols) of at least 2x2 samples")
    with np.errstate(over="ignore"):  # what float32 can't hold becomes infinite, and is told below
        owned = np.array(given, dtype=np.float32, order="C", subok=False)
    if mask is not np.ma.nomask:
        owned[mask] = np.nan
    return _keep(owned)


def _keep(owned: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Remember heights that nobody else writes to, with their range."""
    low, high = float(np.fmin.reduce(owned, axis=None)), float(np.fmax.reduce(owned, axis=None))
    if math.isnan(low):
        raise InputError(f"all {owned.size} heights are NaN or masked; wanted at least one finite height")
    if not -LARGEST_METRES <= low <= high <= LARGEST_METRES:
        raise InputError(
            f"heights run from {low:g} to {high:g} m; wanted finite ones within {LARGEST_METRES:g} (NaN marks a hole)"
        )
    owned.flags.writeable = False
    _remember(owned, low, high)
    return owned, low, high


def _remember(owned: np.ndarray, low: float, high: float) -> None:
    """Have `_own` take an array as it is from now on."""
    key = id(owned)
    _owned[key] = (weakref.ref(owned, lambda _: _owned.pop(key, None)), low, high)
