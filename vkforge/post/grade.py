"""The grade: white balance, contrast and saturation before tone mapping, lift, gamma and gain after it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vkforge.errors import InputError
from vkforge.post.exposure import LUMINANCE, MIDDLE_GREY
from vkforge.scene.checks import Light, Vector, number, rgb_array, show

Pixels = NDArray[np.float64]

NEUTRAL_TEMPERATURE = 6504.0  # of D65
TINT_A_DUV = 3000.0  # steps of tint in a distance of 1 in CIE 1960 u, v: those of Adobe's DNG

# The least that any cone makes of light of a luminance of 1 which can look white: beyond there is no such light.
_FAINTEST = 0.01

# From linear Rec.709 to XYZ (ITU-R BT.709, white D65), and from XYZ to the cones of Bradford (Lam 1985; ICC.1).
_TO_XYZ = np.array(
    [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923], [0.0193308, 0.1191948, 0.9505322]]
)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True)
class Grade:
    """The colours of a picture, as one changes them by hand.

    In this order: white balance, contrast and saturation of the exposed radiance; tone mapping and sRGB encoding; lift,
    gamma and gain of what is encoded.

    Attributes:
        temperature: kelvin of the light that shall look white, 1667 to 25000: more makes the picture warmer. 6504, the
            light that Rec.709's white stands for, changes nothing.
        tint: how far that light is from the daylight's and the black body's towards green, -150 to 150, in steps of
            1/3000 in CIE 1960 u, v: more makes the picture more magenta. Up to 4000 K the greenest light that there is
            comes sooner: 50 at 2500 K.
        contrast: exponent about middle grey, per channel: 0.18 (x / 0.18)^contrast. 0.1 to 4.
        saturation: distance from grey of the same luminance, times this: 0 to 4.
        lift: what black becomes, on the encoded values: -1 to 1, a number or (r, g, b). White stays.
        gamma: middle tones become x^(1 / gamma), on the encoded values: 0.1 to 10.
        gain: what white becomes, on the encoded values: 0 to 4.

    Raises:
        InputError: a value out of its range; a temperature and a tint that are no light's together.
    """

    temperature: float = NEUTRAL_TEMPERATURE
    tint: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0
    lift: Light = 0.0
    gamma: Light = 1.0
    gain: Light = 1.0

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "temperature", number("Grade temperature (kelvin)", self.temperature, 1667.0, 25_000.0))
        put(self, "tint", number("Grade tint", self.tint, -150.0, 150.0))
        if not _is_light(self.temperature, self.tint):
            most = next(tint for tint in range(math.floor(self.tint), -150, -1) if _is_light(self.temperature, tint))
            raise InputError(
                f"Grade tint is {self.tint:g} at a temperature of {self.temperature:g} K, and no light is as green; "
                f"wanted at most {most} there"
            )
        put(self, "contrast", number("Grade contrast", self.contrast, 0.1, 4.0))
        put(self, "saturation", number("Grade saturation", self.saturation, 0.0, 4.0))
        put(self, "lift", _three("lift", self.lift, -1.0, 1.0))
        put(self, "gamma", _three("gamma", self.gamma, 0.1, 10.0))
        put(self, "gain", _three("gain", self.gain, 0.0, 4.0))

    @property
    def changes_light(self) -> bool:
        """Whether anything is done before tone mapping."""
        return (self.temperature, self.tint, self.contrast, self.saturation) != (NEUTRAL_TEMPERATURE, 0.0, 1.0, 1.0)

    @property
    def changes_display(self) -> bool:
        """Whether anything is done after tone mapping."""
        return (self.lift, self.gamma, self.gain) != ((0.0,) * 3, (1.0,) * 3, (1.0,) * 3)

    def light(self, rgb: ArrayLike) -> Pixels:
        """Return (..., 3) exposed radiance of at least 0 with white balance, contrast and saturation."""
        balanced = np.maximum(rgb_array("rgb", rgb) @ white_balance(self.temperature, self.tint).T, 0.0)
        contrasted = MIDDLE_GREY * (balanced / MIDDLE_GREY) ** self.contrast
        grey = (contrasted @ np.array(LUMINANCE))[..., None]
        return grey + self.saturation * (contrasted - grey)

    def display(self, encoded: ArrayLike) -> Pixels:
        """Return (..., 3) sRGB-encoded values in [0, 1] with lift, gamma and gain."""
        encoded = rgb_array("encoded", encoded)
        lift, gamma, gain = (np.array(value) for value in (self.lift, self.gamma, self.gain))
        return np.clip(gain * encoded + lift * (1.0 - encoded), 0.0, 1.0) ** (1.0 / gamma)


def white_balance(temperature: float, tint: float = 0.0) -> Pixels:
    """Return the matrix (3, 3) that takes light of this colour to white: linear Rec.709, column vectors.

    Von Kries' adaptation on Bradford's cones, from `white_point` to that of 6504 K, so that 6504 K changes nothing.
    """
    to_cones = _BRADFORD @ _TO_XYZ
    gains = _cones(NEUTRAL_TEMPERATURE, 0.0) / _cones(temperature, tint)
    return np.linalg.inv(to_cones) @ np.diag(gains) @ to_cones


def _cones(temperature: float, tint: float) -> Pixels:
    """Return what the three cones make of light of a luminance of 1."""
    return _BRADFORD @ _xyz(*white_point(temperature, tint))


def _is_light(temperature: float, tint: float) -> bool:
    return bool((_cones(temperature, tint) >= _FAINTEST).all())


def white_point(temperature: float, tint: float = 0.0) -> tuple[float, float]:
    """Return the chromaticity CIE x, y of light of a correlated colour temperature.

    From 5000 K up CIE daylight (CIE 15:2018), up to 4000 K a black body (Krystek 1985's fit), between them a mixture,
    as IES TM-30 has it. `tint` / 3000 is the distance from that line in CIE 1960 u, v, at a right angle, towards green.
    """
    u, v = _uv(*_locus(temperature))
    if tint:
        below, above = (np.array(_uv(*_locus(temperature * factor))) for factor in (0.999, 1.001))
        along = (above - below) / np.linalg.norm(above - below)  # towards blue, which is down and to the left
        u, v = u + along[1] * tint / TINT_A_DUV, v - along[0] * tint / TINT_A_DUV
    return 3.0 * u / (2.0 * u - 8.0 * v + 4.0), 2.0 * v / (2.0 * u - 8.0 * v + 4.0)


def _locus(temperature: float) -> tuple[float, float]:
    daylight = min(max((temperature - 4000.0) / 1000.0, 0.0), 1.0)
    x, y = _daylight(max(temperature, 4000.0))
    black_x, black_y = _black_body(temperature)
    return black_x + daylight * (x - black_x), black_y + daylight * (y - black_y)


def _daylight(t: float) -> tuple[float, float]:
    """CIE 15:2018, equations 4.9 to 4.11, 4000 to 25000 K."""
    if t <= 7000.0:
        x = 0.244063 + 0.09911e3 / t + 2.9678e6 / t**2 - 4.6070e9 / t**3
    else:
        x = 0.237040 + 0.24748e3 / t + 1.9018e6 / t**2 - 2.0064e9 / t**3
    return x, -3.0 * x**2 + 2.870 * x - 0.275


def _black_body(t: float) -> tuple[float, float]:
    """Krystek 1985, "An algorithm to calculate correlated colour temperature", 1000 to 15000 K."""
    t = min(t, 15_000.0)  # beyond 5000 K it has no part in the mixture
    u = (0.860117757 + 1.54118254e-4 * t + 1.28641212e-7 * t**2) / (1.0 + 8.42420235e-4 * t + 7.08145163e-7 * t**2)
    v = (0.317398726 + 4.22806245e-5 * t + 4.20481691e-8 * t**2) / (1.0 - 2.89741816e-5 * t + 1.61456053e-7 * t**2)
    return 3.0 * u / (2.0 * u - 8.0 * v + 4.0), 2.0 * v / (2.0 * u - 8.0 * v + 4.0)


def _uv(x: float, y: float) -> tuple[float, float]:
    """CIE 1960 u, v."""
    return 4.0 * x / (-2.0 * x + 12.0 * y + 3.0), 6.0 * y / (-2.0 * x + 12.0 * y + 3.0)


def _xyz(x: float, y: float) -> Pixels:
    return np.array([x / y, 1.0, (1.0 - x - y) / y])


def _three(name: str, value: Any, low: float, high: float) -> Vector:
    """Return three numbers in a range: one means the same for all three."""
    try:
        parts = () if isinstance(value, str) else tuple(value)
    except TypeError:
        parts = (value,) * 3
    if len(parts) != 3:
        raise InputError(f"Grade {name} is {show(value)}; wanted a number or (r, g, b), from {low:g} to {high:g}")
    red, green, blue = (number(f"Grade {name}", part, low, high) for part in parts)
    return red, green, blue
