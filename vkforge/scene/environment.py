"""Light from every direction, as a panorama of measured or painted radiance."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vkforge.errors import InputError
from vkforge.scene.checks import brief, number, show
from vkforge.scene.frozen import ReadOnlyArrays

# So that float32 holds the squares that a picture's variance adds up, mirrors and many samples included.
BRIGHTEST = 1.0e12


@dataclass(frozen=True, eq=False, init=False)
class Environment(ReadOnlyArrays):
    """Radiance from all directions: an equirectangular map, used in a scene as `sky=`.

    Row 0 is the zenith and the last row the nadir; the middle of the map's width looks north (+y), columns go
    clockwise as on a compass, so that east (+x) is a quarter of the width right of it, and the map's two ends meet in
    the south. Texel (row, col) of an (h, w) map holds the radiance that comes from zenith angle 180 (row + 0.5) / h and
    bearing 360 (col + 0.5) / w - 180, in degrees; between texels the radiance is bilinear, over the poles as well.

    It lights from below the horizon as from above, wherever the ground is not in the way; camera rays that miss the
    ground see it, unless the scene has a background. A `Sun` beside it adds to what the map holds.

    Attributes:
        radiance: (h, 2 h, 3) float32, read-only: linear RGB with Rec.709 primaries, W/m2/sr in the sun's unit.
        rotation: degrees by which the map is turned clockwise, as seen from above: what it shows in the north appears
            at this bearing, and at 90 in the east.
        intensity: what its radiance is multiplied by, 0 to 1e9; the product is at most 1e12.

    Raises:
        InputError: an array of another shape or kind, radiance that is negative, NaN, infinite or too great, or a
            rotation or intensity that is no number or out of its range.
    """

    radiance: np.ndarray
    rotation: float
    intensity: float
    __repr__ = brief

    def __init__(self, radiance: ArrayLike, rotation: float = 0.0, intensity: float = 1.0) -> None:
        put = object.__setattr__
        put(self, "radiance", _own(radiance))
        put(self, "rotation", number("Environment rotation (degrees)", rotation))
        put(self, "intensity", number("Environment intensity", intensity, 0.0, 1.0e9))
        brightest = float(self.radiance.max()) * self.intensity
        if brightest > BRIGHTEST:
            raise InputError(
                f"Environment radiance times intensity comes to {brightest:.3g}; wanted at most {BRIGHTEST:g} (the "
                "sun's disc has 2e7 W/m2/sr, or 2e9 cd/m2)"
            )

    @classmethod
    def open(cls, path: str | os.PathLike[str], rotation: float = 0.0, intensity: float = 1.0) -> Environment:
        """Read a map from a Radiance picture (`.hdr`, `.pic`) or an OpenEXR file (`.exr`).

        Args:
            path: the file; its top row is the zenith.
            rotation: degrees clockwise, as the attribute.
            intensity: as the attribute.

        Raises:
            InputError: no such file, another kind of file, a damaged one, or pixels that are no environment.
        """
        from vkforge.io.radiance import read_radiance

        pixels = read_radiance(path)
        try:
            return cls(pixels, rotation, intensity)
        except InputError as error:
            raise InputError(f"{os.fspath(path)}: {error}") from None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the map in texels."""
        height, width = self.radiance.shape[:2]
        return width, height

    def prefiltered(self, directions: ArrayLike, roughness: ArrayLike, *, device: str | int = "auto") -> np.ndarray:
        """Return the map's radiance as a rough mirror sees it, with nothing in the way.

        This is the first factor of the split sum (Karis 2013): the mean of the radiance about a direction r, seen and
        reflected along r, weighted by D(h) n.l with the GGX distribution D, n = r and alpha = roughness^2. From tables
        on the device; at roughness 0 it is the map itself.

        Args:
            directions: (n, 3), of any length but zero.
            roughness: one number or (n,), 0 to 1.
            device: as `Renderer` takes it; the renderer that `vkforge.render` keeps for it is used.

        Returns:
            (n, 3) float32 linear RGB radiance, rotation and intensity included.

        Raises:
            InputError: wrong shapes, zero or infinite directions, or a roughness out of its range.
        """
        from vkforge.oneliner import kept_renderer

        axes = _directions("directions", directions)
        try:
            rough = np.broadcast_to(np.asarray(roughness, np.float64), len(axes))
        except (TypeError, ValueError):
            raise InputError(f"roughness is {show(roughness)}; wanted one number or one for each direction") from None
        if not ((rough >= 0.0) & (rough <= 1.0)).all():  # NaN fails too
            raise InputError(f"roughness is {show(roughness)}; wanted numbers from 0 to 1")
        return kept_renderer(device).prefiltered(self, axes, rough)

    def irradiance(self, normals: ArrayLike, *, device: str | int = "auto") -> np.ndarray:
        """Return the irradiance on planes in the open, the map convolved with the cosine.

        At roughness 1 the prefiltered radiance is weighted by the cosine alone, so this is pi times that.

        Args:
            normals: (n, 3), of any length but zero.
            device: as in `prefiltered`.

        Returns:
            (n, 3) float32 linear RGB irradiance, rotation and intensity included.

        Raises:
            InputError: wrong shapes, or zero or infinite normals.
        """
        return np.float32(np.pi) * self.prefiltered(_directions("normals", normals), 1.0, device=device)


def _own(radiance: Any) -> np.ndarray:
    """Return a read-only float32 copy, or `radiance` itself where it is such a copy, after its checks."""
    try:
        given = np.asarray(radiance)
    except ValueError:  # rows of unequal length
        raise InputError(f"Environment radiance is {show(radiance)}; wanted an array (h, 2 h, 3)") from None
    if given.ndim != 3 or given.shape[2] != 3 or given.size == 0 or given.dtype.kind not in "fiu":
        raise InputError(f"Environment radiance is {show(given)}; wanted linear RGB of shape (h, 2 h, 3)")
    if given.shape[1] != 2 * given.shape[0]:
        raise InputError(
            f"Environment radiance is {given.shape[1]} x {given.shape[0]} texels; wanted an equirectangular map of all "
            "directions, twice as wide as high"
        )
    if not (given.dtype == np.float32 and given.flags.owndata and not given.flags.writeable):
        with np.errstate(over="ignore"):
            given = np.array(given, np.float32, order="C")  # what overflows is infinite, and told below
        given.flags.writeable = False
    low, high = float(given.min()), float(given.max())
    if not 0.0 <= low <= high < np.inf:
        at = np.argwhere(~((given >= 0.0) & (given < np.inf)))[0]
        raise InputError(
            f"Environment radiance is {given[tuple(at)]:g} at row {at[0]}, column {at[1]}; wanted finite values of at "
            "least 0"
        )
    return given


def _directions(name: str, values: Any) -> np.ndarray:
    """Return (n, 3) float64 unit vectors."""
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} is {show(values)}; wanted numbers of shape (n, 3)") from None
    if array.ndim != 2 or array.shape[1] != 3:
        raise InputError(f"{name} has shape {array.shape}; wanted (n, 3)")
    lengths = np.linalg.norm(array, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0.0)).all():
        raise InputError(f"{name} holds zero, NaN or infinite vectors; wanted directions of any length but zero")
    return array / lengths
