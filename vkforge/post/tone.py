"""A tone mapping with parameters of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from vkforge.errors import InputError
from vkforge.scene.checks import number, show
from vkforge.settings import tonemap_name

# What each operator takes, with what it is where nothing is said: the operator as published.
PARAMETERS: dict[str, dict[str, Any]] = {
    "reinhard": {"white": math.inf},
    "hable": {"white": 11.2, "coefficients": (0.15, 0.50, 0.10, 0.20, 0.02, 0.30)},
    "agx": {"contrast": 1.0, "saturation": 1.0},
    "neutral": {"start": 0.8, "desaturation": 0.15},
}
_RANGES = {
    "contrast": (0.1, 4.0),
    "saturation": (0.0, 4.0),
    "start": (0.05, 0.99),
    "desaturation": (0.0, 10.0),
}


@dataclass(frozen=True)
class Tonemap:
    """A tone mapping and its parameters; None is what the operator was published with.

    Attributes:
        operator: as `Settings.tonemap`: "linear", "reinhard", "hable", "aces-narkowicz", "aces-hill", "agx", "neutral".
        white: "reinhard" and "hable": the exposed radiance that becomes white, greater than 0. By it Reinhard's curve
            is x (1 + x / white^2) / (1 + x) (equation 4 of Reinhard et al. 2002), without it x / (1 + x), which never
            gets there; Hable's has 11.2.
        coefficients: "hable": shoulder strength A, linear strength B, linear angle C, toe strength D, toe numerator E
            and toe denominator F of (x (A x + C B) + D E) / (x (A x + B) + D F) - E / F, each greater than 0 but E,
            which may be 0 and is less than F. The published ones are 0.15, 0.50, 0.10, 0.20, 0.02, 0.30.
        contrast: "agx": exponent of the look, on what the curve gives, 0.1 to 4. 1.35 with a saturation of 1.4 is the
            look called punchy.
        saturation: "agx": distance from grey of the same, times this: 0 (grey) to 4.
        start: "neutral": the peak, up to which colours stay what they are, 0.05 to 0.99; published 0.8.
        desaturation: "neutral": how fast highlights go to white, 0 (never) to 10; published 0.15.

    Raises:
        InputError: an unknown operator, a parameter that it does not have, or a value out of its range.
    """

    operator: str
    white: float | None = None
    coefficients: tuple[float, ...] | None = None
    contrast: float | None = None
    saturation: float | None = None
    start: float | None = None
    desaturation: float | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "operator", tonemap_name(self.operator))
        taken = PARAMETERS.get(self.operator, {})
        for name in ("white", "coefficients", "contrast", "saturation", "start", "desaturation"):
            value = getattr(self, name)
            if value is None:
                continue
            if name not in taken:
                has = f"has {', '.join(taken)}" if taken else "has no parameters"
                others = [operator for operator, names in PARAMETERS.items() if name in names]
                raise InputError(
                    f"the tone mapping {self.operator!r} {has}, not {name}, which is for {', '.join(others)}"
                )
            put(self, name, _checked(name, value))

    def parameter(self, name: str) -> Any:
        """Return a parameter of the operator: as given, or as published.

        Raises:
            InputError: it has none of that name.
        """
        taken = PARAMETERS.get(self.operator, {})
        if not isinstance(name, str) or name not in taken:
            has = f"has {', '.join(taken)}" if taken else "has no parameters"
            raise InputError(f"the tone mapping {self.operator!r} {has}, not {show(name)}; ask for one that it has")
        value = getattr(self, name)
        return taken[name] if value is None else value

    @property
    def is_plain(self) -> bool:
        """Whether it is the operator as published."""
        return all(self.parameter(name) == plain for name, plain in PARAMETERS.get(self.operator, {}).items())


def as_tonemap(given: Any) -> Tonemap:
    """Return the tone mapping that a name or a `Tonemap` means.

    Raises:
        InputError: neither, or no such name.
    """
    return given if isinstance(given, Tonemap) else Tonemap(given)


def _checked(name: str, value: Any) -> Any:
    if name == "coefficients":
        try:
            parts = () if isinstance(value, str) else tuple(value)
        except TypeError:
            parts = ()
        if len(parts) != 6:
            raise InputError(f"Tonemap coefficients is {show(value)}; wanted six numbers, A to F of Hable's curve")
        numbers = tuple(
            number(f"Tonemap coefficient {letter}", part, 0.0, 1e4, above=None if letter == "E" else 0.0)
            for letter, part in zip("ABCDEF", parts, strict=True)
        )
        number("Tonemap coefficient E (less than F)", numbers[4], below=numbers[5])
        return numbers
    if name == "white":
        endless = isinstance(value, float) and value == math.inf
        return math.inf if endless else number("Tonemap white (exposed radiance)", value, 0.01, 65504.0)
    return number(f"Tonemap {name}", value, *_RANGES[name])
