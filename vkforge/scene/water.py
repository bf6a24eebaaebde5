"""Water: a level surface over the ground that mirrors, lets through and absorbs."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vkforge.errors import InputError
from vkforge.scene.checks import LARGEST_METRES, Light, Vector, light, number, show
from vkforge.scene.colors import Color, linear_color
from vkforge.scene.terrain import Terrain
from vkforge.scene.texture import Texture

# Clear lake water at 610, 550 and 465 nm: pure water (Pope and Fry 1997: 0.264, 0.0565, 0.0101 per metre) and dissolved
# organic matter of 0.1 per metre at 440 nm, falling by exp(-0.014 per nm) (Bricaud, Morel and Prieur 1981).
CLEAR_LAKE: Vector = (0.274, 0.078, 0.081)
# And its particles: they scatter 0.5 per metre at 550 nm, by 1/wavelength, and 1.8 % of that backwards (Petzold 1972);
# light scattered alike in all directions goes half backwards.
CLEAR_LAKE_PARTICLES: Vector = (0.016, 0.018, 0.021)

WAVES = 16  # include/water.glsl: MOST_WAVES
OCTAVES = 3.0  # from the longest wave to the shortest
STEEPNESS = 1.5  # amplitudes go by this power of the wavelength
_WHITE = 0.45  # of it there is in the shallows' colour, where nobody chose that
_DEPTHS = 1 << 20  # samples of the ground, at least a quarter of it, that the median depth is taken of
_KEPT = 8
_floods: dict[tuple[int, float], tuple[weakref.ref[np.ndarray], Flood]] = {}

SPREAD = math.radians(40.0)  # standard deviation of the waves' directions about the wind's


@dataclass(frozen=True)
class WaterTint:
    """How water is drawn on a map: opaque and matte, in a colour that tells its depth.

    Attributes:
        deep: linear RGB in [0, 1], or a colour string, of deep water.
        shallow: the same of the shore; None is `deep` on almost half its way to white. Kept as a colour.
        fade: metres of depth over which all but 1/e of the way from `shallow` to `deep` is gone; None is the median
            depth of the water.

    Raises:
        InputError: no colours, or a depth that is not over 0.
    """

    deep: Color = (0.21, 0.39, 0.57)
    shallow: Color | None = None
    fade: float | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        deep = linear_color("WaterTint deep", self.deep)
        lighter = tuple(part + _WHITE * (1.0 - part) for part in deep)
        put(self, "deep", deep)
        put(self, "shallow", linear_color("WaterTint shallow", lighter if self.shallow is None else self.shallow))
        if self.fade is not None:
            put(self, "fade", number("WaterTint fade (metres)", self.fade, 1e-3, LARGEST_METRES))


@dataclass(frozen=True, eq=False, init=False)
class Water:
    """Still water with small waves: it fills the terrain's extent up to a level, where the ground lies lower.

    Its surface reflects by Fresnel's equations and refracts by Snell's law, and what it mirrors is traced: terrain, sky
    and sun. The bottom is the terrain below, lit by sun and sky through the calm surface. Light is absorbed on its way
    down and on its way to the eye, and scattered: once in the lane "lit", as often as `max_depth` allows in the lane
    "path-traced". There are no caustics, and waves turn the surface's normal without displacing it. Where the extent
    cuts the water, it ends in plane sides.

    A DEM often has a lake's surface, not its bottom: lower it there, as in `heights[lake] -= 20`, or all is shore.

    Attributes:
        level: elevation of the surface in metres, before exaggeration, as the terrain's heights are: it is drawn at
            world z = level * vertical_exaggeration, and floods the same ground whatever that is. Ground just as high
            is flooded, as a sea at 0 is.
        mask: None for water wherever the ground is no higher; or a raster (h, w) of any resolution, laid over the DEM's
            outer extent, bool or float in [0, 1], with water where its bilinear interpolation is at least a half. Kept
            as a `Texture`.
        absorption: per metre, linear RGB, or one number. The default is a clear lake.
        scattering: per metre, likewise, alike in all directions. Of particles, which scatter mostly onwards, count
            twice what they scatter backwards.
        ior: index of refraction, 1 to 4.
        wave_height: significant height of the waves in metres: four standard deviations of the surface. 0 is a mirror.
        wave_length: metres from crest to crest of the longest waves; there are shorter ones, down to an eighth.
        roughness: of the surface between these waves, 0 to 1; the GGX alpha is its square.
        seed: picks the waves and their wind, 0 to 2**32 - 1.
        tint: None for water as light finds it; or how a map draws it (`Water.map`), for which all of the above but
            `level` and `mask` means nothing.

    Raises:
        InputError: a value out of its range, NaN or of the wrong type; a mask of another shape or range.
    """

    level: float
    mask: Texture | None
    absorption: Vector
    scattering: Vector
    ior: float
    wave_height: float
    wave_length: float
    roughness: float
    seed: int
    tint: WaterTint | None

    def __init__(
        self,
        level: float,
        mask: ArrayLike | Texture | None = None,
        absorption: Light = CLEAR_LAKE,
        scattering: Light = CLEAR_LAKE_PARTICLES,
        ior: float = 1.333,
        wave_height: float = 0.02,
        wave_length: float = 1.5,
        roughness: float = 0.0,
        seed: int = 0,
        tint: WaterTint | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "level", number("Water level (elevation in metres)", level, -LARGEST_METRES, LARGEST_METRES))
        put(self, "mask", mask if mask is None or isinstance(mask, Texture) else _mask(mask))
        put(self, "absorption", light("Water absorption (per metre)", absorption))
        put(self, "scattering", light("Water scattering (per metre)", scattering))
        put(self, "ior", number("Water ior", ior, 1.0, 4.0))
        put(self, "wave_height", number("Water wave_height (metres)", wave_height, 0.0, LARGEST_METRES))
        put(self, "wave_length", number("Water wave_length (metres)", wave_length, 1e-3, LARGEST_METRES))
        put(self, "roughness", number("Water roughness", roughness, 0.0, 1.0))
        if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= int(seed) < 2**32:
            raise InputError(f"Water seed is {show(seed)}; wanted a whole number from 0 to {2**32 - 1}")
        put(self, "seed", int(seed))
        if tint is not None and not isinstance(tint, WaterTint):
            raise InputError(f"Water tint is {show(tint)}; wanted a vkforge.WaterTint or None")
        put(self, "tint", tint)

    @classmethod
    def map(
        cls,
        level: float,
        color: Color | None = None,
        mask: ArrayLike | Texture | None = None,
        shallow: Color | None = None,
        fade: float | None = None,
    ) -> Water:
        """Return water as a map draws it: a calm matte colour, lighter in the shallows, in the light of the relief.

        Of a DEM that has the lake's surface and not its bottom, all is shallow.

        Args:
            level: elevation of the surface in metres.
            color: of deep water: linear RGB or a colour string; None is a quiet blue.
            mask: as of `Water`.
            shallow: of the shore; None is `color` on almost half its way to white.
            fade: metres of depth, as `WaterTint` has them; None is the median depth.

        Raises:
            InputError: as `Water` and `WaterTint`.
        """
        return cls(level, mask, tint=WaterTint(WaterTint.deep if color is None else color, shallow, fade))

    def waves(self) -> np.ndarray:
        """Return the waves that the surface is the sum of.

        Returns:
            (n, 4) float64: cycles per metre east and north, amplitude of the slope, phase in cycles; no rows where it
            is calm.
        """
        if self.wave_height == 0.0:
            return np.zeros((0, 4))
        rng = np.random.default_rng(self.seed)
        wind = rng.uniform(0.0, 2.0 * math.pi)
        octave = OCTAVES * (np.arange(WAVES) + rng.uniform(0.0, 1.0, WAVES)) / WAVES
        octave[0] = 0.0
        length = self.wave_length * 2.0**-octave
        heading = wind + SPREAD * rng.standard_normal(WAVES)
        amplitude = length**STEEPNESS
        amplitude *= self.wave_height / 4.0 / math.sqrt(0.5 * float(amplitude @ amplitude))
        phase = rng.uniform(0.0, 1.0, WAVES)
        slope = 2.0 * math.pi / length * amplitude
        return np.stack([np.cos(heading) / length, np.sin(heading) / length, slope, phase], axis=1)

    def covers(self, terrain: Terrain, x: float, y: float) -> bool:
        """Whether there is water over a place of the terrain, world metres."""
        ground = terrain.height_at(x, y)
        surface = max(self.level, float(np.float32(self.level))) * terrain.vertical_exaggeration  # as heights are kept
        if not (
            ground < surface or math.isclose(ground, surface, rel_tol=1e-9, abs_tol=1e-9)
        ):  # NaN outside the extent and over holes
            return False
        if self.mask is None:
            return True
        (rows, columns), (dx, dy) = terrain.shape, terrain.cell_size
        height, width = self.mask.pixels.shape[:2]
        row = int((0.5 - y / (rows * dy)) * height)
        column = int((0.5 + x / (columns * dx)) * width)
        return bool(self.mask.pixels[min(row, height - 1), min(column, width - 1), 0] >= 128)


class Flood(NamedTuple):
    """What water does to a terrain.

    Attributes:
        touches: whether ground lies just as high as the water, to be flooded too.
        depth: the median depth of what it floods, mask or not, in metres before exaggeration; 1 where that is nothing.
    """

    touches: bool
    depth: float


def flood_of(water: Water, terrain: Terrain) -> Flood:
    """Return what water does to a terrain; of the latest levels it is known already."""
    key = (id(terrain.heights), water.level)
    if (known := _floods.get(key)) is not None and known[0]() is terrain.heights:
        return known[1]
    level = np.float32(water.level)
    step = max(1, math.ceil(math.sqrt(terrain.heights.size / _DEPTHS)))
    few = terrain.heights[::step, ::step]
    depths = water.level - few[few < level].astype(np.float64)  # a hole is NaN, and no lower than anything
    touches = bool(terrain.min_height <= level <= terrain.max_height and (terrain.heights == level).any())
    flood = Flood(touches, float(np.median(depths)) if depths.size else 1.0)
    while len(_floods) >= _KEPT:
        _floods.pop(next(iter(_floods)))
    _floods[key] = (weakref.ref(terrain.heights), flood)
    return flood


def _mask(given: Any) -> Texture:
    wanted = "a raster (h, w), bool or float in [0, 1]"
    try:
        array = np.asarray(given)
    except ValueError:
        raise InputError(f"Water mask is {show(given)}; wanted {wanted}") from None
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "bf":
        raise InputError(f"Water mask is {show(array)}; wanted {wanted}")
    if array.dtype.kind == "f" and not (array.min() >= 0.0 and array.max() <= 1.0):  # NaN fails too
        raise InputError(f"Water mask runs from {array.min():g} to {array.max():g}; wanted {wanted}, with no NaN")
    pixels = np.zeros((*array.shape, 4), np.uint8)
    pixels[..., 0] = np.rint(255.0 * array.astype(np.float64))
    pixels.flags.writeable = False
    return Texture(pixels, encoded=False)
