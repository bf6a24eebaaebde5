"""The simple tilt-shift of photographs of models: sharp in a band across the picture, blurred away from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vkforge.errors import InputError
from vkforge.scene.checks import number, picture_size, show


@dataclass(frozen=True)
class Miniature:
    """A band across the picture stays sharp, and the blur grows away from it: what was far looks like a model.

    It knows nothing of depth. A lens that is truly tilted is `Camera.perspective(tilt=...)`. All lengths are shares of
    the picture's height, so that it looks the same at any size.

    Attributes:
        radius: of the circles of blur where they are largest, 0 to 0.1. Circles end at 256 pixels.
        center: where the band's middle crosses the middle column, from 0 (top) to 1 (bottom).
        width: of the band in which all is sharp, 0 to 2.
        fade: from the band's border to where the blur is largest, 0.01 to 2.
        angle: degrees by which the band is turned anticlockwise from level.
        blades: straight sides of the aperture, 3 to 16, or 0 for a round one.

    Raises:
        InputError: a value out of its range or of the wrong type.
    """

    radius: float = 0.015
    center: float = 0.55
    width: float = 0.12
    fade: float = 0.4
    angle: float = 0.0
    blades: int = 0

    def __post_init__(self) -> None:
        put = object.__setattr__
        ranges = {"radius": (0.0, 0.1), "center": (0.0, 1.0), "width": (0.0, 2.0), "fade": (0.01, 2.0)}
        for name, (low, high) in ranges.items():
            what = f"Miniature {name} (shares of the picture's height)"
            put(self, name, number(what, getattr(self, name), low, high))
        put(self, "angle", number("Miniature angle (degrees)", self.angle, -180.0, 180.0))
        blades: Any = self.blades
        if isinstance(blades, bool) or not isinstance(blades, Integral) or blades not in (0, *range(3, 17)):
            raise InputError(f"Miniature blades is {show(blades)}; wanted 0 (round) or a whole number from 3 to 16")
        put(self, "blades", int(blades))

    def across(self, size: tuple[int, int]) -> tuple[tuple[float, float], float]:
        """Return ((a, b), c): pixel (x, y) is ``a x + b y + c`` pixels beside the band's middle line."""
        turn = math.radians(self.angle)
        normal = (math.sin(turn), math.cos(turn))
        width, height = picture_size(size)
        return normal, -(normal[0] * width / 2.0 + normal[1] * self.center * height)

    def circles(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """Return the (height, width) radii of blur in pixels, of a picture of (width, height) pixels."""
        (a, b), c = self.across(size)
        width, height = picture_size(size)
        y, x = np.mgrid[0:height, 0:width] + 0.5
        outside = np.abs(a * x + b * y + c) - self.width / 2.0 * height
        share = np.clip(outside / (self.fade * height), 0.0, 1.0)
        return self.radius * height * share * share * (3.0 - 2.0 * share)
