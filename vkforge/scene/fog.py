"""Fog: a participating medium in the air, uniform, thinning with height, or a field."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from vkforge.errors import InputError
from vkforge.scene.checks import LARGEST_METRES, Light, Vector, brief, light, number, show
from vkforge.scene.frozen import ReadOnlyArrays

Bounds = tuple[float, float, float, float, float, float]

# Henyey-Greenstein at 1 is a delta function; up to here its peak still fits a float.
LARGEST_ANISOTROPY = 0.99


@dataclass(frozen=True, eq=False, init=False)
class Fog(ReadOnlyArrays):
    """A medium that scatters and absorbs light. Its arguments say which kind it is.

    - Neither `scale_height` nor `bounds`: **uniform**, everywhere and without end. No light of a sun at infinity would
      get through that, so sun and sky are taken as measured inside it: they reach every point of it, and the ground,
      unattenuated (shadows of the terrain remain), and their light is scattered once, what is scattered more often
      being part of what was measured. Between the eye and what it sees, light is lost: over d metres
      exp(-extinction d) of it is left, and nothing of a sky behind.
    - `scale_height`: the density is exp(-(z - base) / scale_height), without end sideways. Sun, sky and lights are
      attenuated on their way.
    - `bounds`: the density inside that box, and nothing outside; `density` says which, and without it it is 1. Sun, sky
      and lights are attenuated likewise.

    The lane "lit" scatters the light of sun and lamps once; of the sky's it takes away on the way to the fog only what
    is absorbed, because what fog scatters out of one path it scatters into another. The lane "path-traced" scatters as
    often as its `max_depth` allows.

    Attributes:
        scattering: coefficient per metre at density 1, linear RGB (or one number): 3e-5 is haze, 1e-3 a thick fog. At
            least 0. Kept as three numbers, like `absorption`.
        absorption: what is lost to the medium, per metre at density 1, likewise. Extinction is the sum of the two.
        anisotropy: g of the phase function of Henyey and Greenstein (1941), -0.99 (back) over 0 (alike in all
            directions) to 0.99 (straight on); the phase function's mean cosine. Mist has 0.7 to 0.9.
        base: height fog: world z in metres where the density is 1. 0 where it is not given. It does not change with
            the terrain's vertical exaggeration: for an elevation give elevation * vertical_exaggeration.
        scale_height: height fog: metres over which the density falls by a factor e, greater than 0.
        density: field: (nz, ny, nx) numbers of at least 0, from low to high, south to north and west to east: voxels
            that fill `bounds`. Their values hold at their centres, with straight lines between them (trilinear) and no
            change beyond the outermost centres. Kept as a read-only float32 copy.
        bounds: box: (x_min, x_max, y_min, y_max, z_min, z_max), world metres.

    Raises:
        InputError: a value out of its range, NaN or not a number; `base` without `scale_height`; `density` without
            `bounds`; `scale_height` and `bounds` both.
    """

    scattering: Vector
    absorption: Vector
    anisotropy: float
    base: float | None
    scale_height: float | None
    density: np.ndarray | None
    bounds: Bounds | None
    __repr__ = brief

    def __init__(
        self,
        scattering: Light,
        absorption: Light = 0.0,
        anisotropy: float = 0.0,
        *,
        base: float | None = None,
        scale_height: float | None = None,
        density: ArrayLike | None = None,
        bounds: Any = None,
    ) -> None:
        if scale_height is not None and bounds is not None:
            raise InputError("Fog has both scale_height and bounds; a medium thins with height or fills a box")
        if base is not None and scale_height is None:
            raise InputError("Fog has a base and no scale_height; give scale_height too, or leave base away")
        if density is not None and bounds is None:
            raise InputError("Fog has a density and no bounds; say where it is: bounds=(x0, x1, y0, y1, z0, z1)")
        put = object.__setattr__
        put(self, "scattering", light("Fog scattering (per metre)", scattering))
        put(self, "absorption", light("Fog absorption (per metre)", absorption))
        limit = LARGEST_ANISOTROPY
        put(self, "anisotropy", number("Fog anisotropy", anisotropy, -limit, limit))
        if scale_height is not None:
            scale_height = number("Fog scale_height (metres)", scale_height, 1e-3, LARGEST_METRES)
            base = number("Fog base (metres)", 0.0 if base is None else base, -LARGEST_METRES, LARGEST_METRES)
        put(self, "base", base)
        put(self, "scale_height", scale_height)
        put(self, "density", None if density is None else _field(density))
        put(self, "bounds", None if bounds is None else _box(bounds))

    @property
    def kind(self) -> Literal["uniform", "height", "field"]:
        """What the arguments say it is."""
        return "height" if self.scale_height is not None else "uniform" if self.bounds is None else "field"

    @property
    def extinction(self) -> Vector:
        """What is scattered and absorbed per metre at density 1, linear RGB."""
        red, green, blue = (s + a for s, a in zip(self.scattering, self.absorption, strict=True))
        return red, green, blue


def _field(density: ArrayLike) -> np.ndarray:
    wanted = "an array (nz, ny, nx) of finite numbers of at least 0"
    try:
        array = np.asarray(density)
        flags = array.flags
        # An earlier fog's copy is taken as it is, so that dataclasses.replace() has nothing to upload again.
        if not (array.dtype == np.float32 and flags.owndata and flags.c_contiguous and not flags.writeable):
            array = np.array(array, np.float32, order="C")
    except (TypeError, ValueError):
        raise InputError(f"Fog density is {show(density)}; wanted {wanted}") from None
    if array.ndim != 3 or array.size == 0:
        raise InputError(f"Fog density has shape {array.shape}; wanted {wanted}")
    if not (np.isfinite(array).all() and array.min() >= 0.0):
        raise InputError(f"Fog density holds negative, NaN or infinite values; wanted {wanted}")
    array.flags.writeable = False
    return array


def _box(bounds: Any) -> Bounds:
    wanted = "(x_min, x_max, y_min, y_max, z_min, z_max) in world metres"
    try:
        values = tuple(bounds)
    except TypeError:
        values = ()
    if isinstance(bounds, str) or len(values) != 6:
        raise InputError(f"Fog bounds is {show(bounds)}; wanted {wanted}")
    x0, x1, y0, y1, z0, z1 = (number("Fog bounds", value, -LARGEST_METRES, LARGEST_METRES) for value in values)
    for axis, low, high in (("x", x0, x1), ("y", y0, y1), ("z", z0, z1)):
        if not math.nextafter(low, math.inf) < high:
            raise InputError(f"Fog bounds reach from {axis} = {low:g} to {high:g}; wanted {wanted}, minimum first")
    return x0, x1, y0, y1, z0, z1
