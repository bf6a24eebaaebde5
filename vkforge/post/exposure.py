"""How much light a picture takes: stops, a camera's numbers, or by a look at the picture itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from vkforge.errors import InputError
from vkforge.scene.checks import number, rgb_array, show

# Sun on the ground that faces it is 100,000 lx, and `Sun()` has an irradiance of 3 there.
DAYLIGHT_LUMINANCE = 100_000.0 / 3.0

# The histogram of the automatic exposure: sixteenths of a stop of luminance. Twin of include/metering.glsl.
DARKEST_STOP, BINS, BINS_A_STOP = -24, 640, 16
LUMINANCE = (0.2126, 0.7152, 0.0722)  # Rec.709
MIDDLE_GREY = 0.18


def ev100(f_number: float, shutter: float, iso: float = 100.0) -> float:
    """Return the exposure value at ISO 100 of a camera's numbers: log2(N^2 / t * 100 / S) (ISO 2720, ISO 12232).

    Args:
        f_number: N, focal length over the diameter of the aperture, 0.1 to 1000.
        shutter: t, seconds, 1e-6 to 1e6.
        iso: S, 1 to 10 million.

    Raises:
        InputError: a value out of its range.
    """
    f_number = number("f_number", f_number, 0.1, 1000.0)
    shutter = number("shutter (seconds)", shutter, 1e-6, 1e6)
    iso = number("iso", iso, 1.0, 1e7)
    return math.log2(f_number**2 / shutter * 100.0 / iso)


@dataclass(frozen=True)
class CameraExposure:
    """The exposure of a camera with these numbers, by its saturation-based sensitivity (ISO 12232).

    What just saturates the sensor has a luminance of 1.2 * 2^EV100 cd/m2 (Lagarde and de Rousiers 2014, "Moving
    Frostbite to Physically Based Rendering", section 4.8), and is exposed to 1.

    Radiance here is in any consistent unit, so something must say how bright 1 of it is: `luminance`. Its default
    makes the default sun, with an irradiance of 3, one of 100,000 lx; f/16, 1/100 s and ISO 100 are then within an
    eighth of a stop of ``exposure=0``. Scenes in W/m2 of real sunlight (1361 outside the air) want 97.8.

    Attributes:
        f_number: focal length over the diameter of the aperture, 0.1 to 1000. It changes no depth of field.
        shutter: seconds, 1e-6 to 1e6. It changes no motion blur.
        iso: sensitivity, 1 to 10 million.
        compensation: stops on top, -32 to 32.
        luminance: cd/m2 of white light whose radiance is 1, greater than 0.

    Raises:
        InputError: a value out of its range.
    """

    f_number: float = 16.0
    shutter: float = 1.0 / 100.0
    iso: float = 100.0
    compensation: float = 0.0
    luminance: float = DAYLIGHT_LUMINANCE

    def __post_init__(self) -> None:
        ev100(self.f_number, self.shutter, self.iso)
        put = object.__setattr__
        for name in ("f_number", "shutter", "iso"):
            put(self, name, float(getattr(self, name)))
        put(self, "compensation", number("compensation (EV stops)", self.compensation, -32.0, 32.0))
        put(self, "luminance", number("luminance (cd/m2 of radiance 1)", self.luminance, 1e-6, 1e12))

    @property
    def ev100(self) -> float:
        """The exposure value at ISO 100."""
        return ev100(self.f_number, self.shutter, self.iso)

    @property
    def stops(self) -> float:
        """The stops that radiance is raised by."""
        return math.log2(self.luminance / 1.2) - self.ev100 + self.compensation


@dataclass(frozen=True)
class AutoExposure:
    """An exposure that looks at the picture: what is bright on average comes out as middle grey.

    The average is that of the logarithm of the luminance, between two percentiles of the pixels that are not black,
    from a histogram of sixteenths of a stop. The same picture gives the same exposure, to the bit. It is reported as
    ``image.info["exposure"]``.

    Attributes:
        percentiles: (low, high) of the pixels that count, 0 to 100: (5, 95) leaves out the darkest and the brightest
            twentieth.
        min_stops: the least exposure, in stops, -32 to 32.
        max_stops: the most, at least `min_stops`. A night stays a night by it.
        compensation: stops on top of what was found and limited, -32 to 32.
        key: what the average comes out as, 0.001 to 1; 0.18 is middle grey.

    Raises:
        InputError: a value out of its range.
    """

    percentiles: tuple[float, float] = (5.0, 95.0)
    min_stops: float = -16.0
    max_stops: float = 16.0
    compensation: float = 0.0
    key: float = MIDDLE_GREY

    def __post_init__(self) -> None:
        put = object.__setattr__
        try:
            low, high = self.percentiles
        except (TypeError, ValueError):
            raise InputError(f"percentiles is {show(self.percentiles)}; wanted (low, high), as (5, 95)") from None
        low, high = number("percentiles[0]", low, 0.0, 100.0), number("percentiles[1]", high, 0.0, 100.0)
        if high - low < 0.1:
            raise InputError(f"percentiles is ({low:g}, {high:g}); wanted the low one first, at least 0.1 apart")
        put(self, "percentiles", (low, high))
        put(self, "min_stops", number("min_stops", self.min_stops, -32.0, 32.0))
        put(self, "max_stops", number("max_stops (at least min_stops)", self.max_stops, self.min_stops, 32.0))
        put(self, "compensation", number("compensation (EV stops)", self.compensation, -32.0, 32.0))
        put(self, "key", number("key", self.key, 0.001, 1.0))

    def stops(self, hdr: ArrayLike) -> float:
        """Return the exposure of a picture: what the device finds, in float64.

        Args:
            hdr: (..., 3) scene-linear radiance with Rec.709 primaries.

        Returns:
            Stops; of a picture that is black, 0 within the limits, plus the compensation.
        """
        luminance = rgb_array("hdr", hdr).reshape(-1, 3) @ np.array(LUMINANCE)
        with np.errstate(invalid="ignore"):
            luminance = np.minimum(luminance[luminance > 2.0**DARKEST_STOP], 65504.0)
        bins = np.minimum(((np.log2(luminance) - DARKEST_STOP) * BINS_A_STOP).astype(np.int64), BINS - 1)
        counts = np.bincount(bins, minlength=BINS).astype(np.float64)
        low, high = (percentile / 100.0 * counts.sum() for percentile in self.percentiles)
        until = np.cumsum(counts)
        counted = np.maximum(np.minimum(until, high) - np.maximum(until - counts, low), 0.0)
        found = 0.0
        if counted.sum() > 0.0:
            middles = DARKEST_STOP + (np.arange(BINS) + 0.5) / BINS_A_STOP
            found = math.log2(self.key) - float(counted @ middles / counted.sum())
        return min(max(found, self.min_stops), self.max_stops) + self.compensation


def checked_exposure(value: Any) -> float | CameraExposure | AutoExposure:
    """Return what `Settings.exposure` may be.

    Raises:
        InputError: neither stops from -32 to 32 nor a `CameraExposure` nor an `AutoExposure`.
    """
    if isinstance(value, (CameraExposure, AutoExposure)):
        return value
    return number("exposure (EV stops, or a CameraExposure or AutoExposure)", value, -32.0, 32.0)
