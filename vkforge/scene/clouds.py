"""Clouds: one procedural layer."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

from vkforge.errors import InputError
from vkforge.scene.checks import LARGEST_METRES, number, show


@dataclass(frozen=True)
class Clouds:
    """One layer of heaped clouds without end, made of noise: seen by camera rays, and shading ground and fog.

    White (nothing is absorbed), and lit by the sky and the sun: scattered once by the phase function of Henyey and
    Greenstein, more often by octaves of that (Wrenninge, Kulla and Lundqvist 2013). The same parameters give the same
    clouds on every device.

    Attributes:
        coverage: the share of the sky, straight up, that clouds stand in: 0 to 1.
        base: world z in metres of their flat undersides. It does not change with the terrain's vertical exaggeration:
            for an elevation give elevation * vertical_exaggeration.
        thickness: metres from there to the highest tops, greater than 0.
        extinction: per metre where they are densest, 0 to 1e9; fair-weather clouds have 0.02 to 0.06.
        size: metres across a typical cloud with its gap, greater than 0.
        anisotropy: g of the phase function, -0.99 to 0.99.
        seed: which clouds, 0 to 2**32 - 1.

    Raises:
        InputError: a value out of its range, NaN or not a number.
    """

    coverage: float = 0.5
    base: float = 2000.0
    thickness: float = 600.0
    extinction: float = 0.03
    size: float = 3000.0
    anisotropy: float = 0.7
    seed: int = 0

    def __post_init__(self) -> None:
        def put(name: str, value: float) -> None:
            object.__setattr__(self, name, value)

        put("coverage", number("Clouds coverage", self.coverage, 0.0, 1.0))
        put("base", number("Clouds base (metres)", self.base, -LARGEST_METRES, LARGEST_METRES))
        put("thickness", number("Clouds thickness (metres)", self.thickness, 1e-3, LARGEST_METRES))
        put("extinction", number("Clouds extinction (per metre)", self.extinction, 0.0, LARGEST_METRES))
        put("size", number("Clouds size (metres)", self.size, 1e-3, LARGEST_METRES))
        put("anisotropy", number("Clouds anisotropy", self.anisotropy, -0.99, 0.99))
        if isinstance(self.seed, bool) or not isinstance(self.seed, Integral) or not 0 <= int(self.seed) < 2**32:
            raise InputError(f"Clouds seed is {show(self.seed)}; wanted a whole number from 0 to {2**32 - 1}")
        put("seed", int(self.seed))
