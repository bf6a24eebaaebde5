"""Bloom: light that the glass and the film scatter about bright things, none of it lost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from vkforge.post.resample import as_rgb_picture
from vkforge.scene.checks import number, picture_size

LUMINANCE = (0.2126, 0.7152, 0.0722)
_FAINTEST = 1e-3  # share of the scattered light for which no further level is made


class Level(NamedTuple):
    """A level of the pyramid.

    Attributes:
        size: (width, height) in pixels.
        onwards: Share of the light that gets here which the coarser levels spread; 0 for the last.
    """

    size: tuple[int, int]
    onwards: float


@dataclass(frozen=True)
class Bloom:
    """A halo about what is bright, made of light that is missing there: the mean of the picture stays.

    A point is spread so that the share ``1 - exp(-r / R)`` of what it scatters stays within the radius r, a density of
    ``exp(-r / R) / (2 pi R r)``: narrow and bright in the middle, with wide skirts, as glare is in eyes and lenses
    (Spencer et al. 1995, "Physically-Based Glare Effects for Digital Images"). What would leave the frame is mirrored
    back at its border.

    Attributes:
        intensity: share of the light that is scattered, 0 to 1.
        radius: R as a share of the picture's height, above 0, to 1.
        threshold: luminance (scene-linear, before exposure) that scatters nothing, up to 1e30; what goes beyond it
            does. At 0, as in nature, all light scatters alike.

    Raises:
        InputError: a value that is out of its range, NaN or not a number.
    """

    intensity: float = 0.1
    radius: float = 0.05
    threshold: float = 0.0

    def __post_init__(self) -> None:
        ranges: dict[str, dict[str, float]] = {
            "intensity": {"low": 0.0, "high": 1.0},
            "radius": {"above": 0.0, "high": 1.0},
            "threshold": {"low": 0.0, "high": 1.0e30},
        }
        for name, allowed in ranges.items():
            object.__setattr__(self, name, number(f"Bloom {name}", getattr(self, name), **allowed))

    def levels(self, size: tuple[int, int]) -> tuple[Level, ...]:
        """Return the levels of a picture of (width, height) pixels, finest first; a single pixel has none.

        ``exp(-r / R) / (2 pi R r)`` is the mean of Gaussians whose standard deviation is normally distributed with
        deviation R (by its absolute value). Each level takes the part of that distribution which is next to its own.
        """
        size = picture_size(size)
        scale = self.radius * size[1] * math.sqrt(2.0)
        sizes, shares, taken = [], [], 0.0
        while max(size) > 1 and (not shares or taken < 1.0 - _FAINTEST):
            size = (size[0] + 1) // 2, (size[1] + 1) // 2
            sizes.append(size)
            # Down to level l and back up has variance 13/18 (4^l - 1); the border to the next lies between the two.
            here, beyond = (13.0 / 18.0 * (4.0 ** (len(sizes) + i) - 1.0) for i in (0, 1))
            border = math.erf((here * beyond) ** 0.25 / scale)
            shares.append(border - taken)
            taken = border
        if shares:
            shares[-1] += 1.0 - taken
        left = np.cumsum(shares[::-1])[::-1]
        onwards = [*(left[1:] / left[:-1]).tolist(), 0.0]
        return tuple(map(Level, sizes, onwards))

    def apply(self, picture: Any, *, wraps: bool = False) -> np.ndarray:
        """Return an (h, w, 3) scene-linear picture with its bloom, as float64: what the device computes.

        Args:
            picture: the light.
            wraps: whether its left and right borders are one, as of `Camera.wraps`.

        Raises:
            InputError: another shape.
        """
        image = as_rgb_picture("picture", picture)
        levels = self.levels((image.shape[1], image.shape[0]))
        if not levels:
            return image
        bright = image
        if self.threshold > 0.0:
            luminance = np.maximum(image @ LUMINANCE, 1e-30)
            bright = image * np.maximum(1.0 - self.threshold / luminance, 0.0)[..., None]
        spread = [bright]
        for _ in levels:
            finer = spread[-1]
            rows, columns = halving(finer.shape[0]), halving(finer.shape[1], wraps=wraps)
            spread.append(np.einsum("ij,jkc,lk->ilc", rows, finer, columns, optimize=True))
        together = spread[-1]
        for level, own in zip(reversed((Level((0, 0), 1.0), *levels[:-1])), reversed(spread[:-1]), strict=True):
            rows, columns = doubling(own.shape[0]), doubling(own.shape[1], wraps=wraps)
            upwards = np.einsum("ij,jkc,lk->ilc", rows, together, columns, optimize=True)
            together = (1.0 - level.onwards) * own + level.onwards * upwards
        return image + self.intensity * (together - bright)


def halving(side: int, *, wraps: bool = False) -> np.ndarray:
    """Return the ((side + 1) // 2, side) matrix that takes a row of pixels to one of half as many.

    The weights are the overlaps of pixels with quadratic B-splines on the coarser pixels, mirrored at the ends, or
    going on at the other end where the row `wraps`. Those are a partition of unity, whatever the ratio: each pixel's
    light goes on in full, and the mean of the rows is kept. They reproduce what is linear: the middle of a spot stays
    where it is.
    """
    half = (side + 1) // 2
    ratio = side / half
    matrix = np.zeros((half, side))
    for row in range(half):
        middle = (row + 0.5) * ratio
        for pixel in range(math.floor(middle) - 3, math.floor(middle) + 4):
            weight = _rise((pixel + 1.0 - middle) / ratio) - _rise((pixel - middle) / ratio)
            mirrored = pixel % (2 * side)
            matrix[row, pixel % side if wraps else min(mirrored, 2 * side - 1 - mirrored)] += weight
    return matrix


def doubling(side: int, *, wraps: bool = False) -> np.ndarray:
    """Return the (side, (side + 1) // 2) matrix that takes the coarser pixels back: `halving` turned over."""
    return halving(side, wraps=wraps).T * (side / ((side + 1) // 2))


def _rise(x: float) -> float:
    """Return the integral of the quadratic B-spline up to x."""
    away = min(abs(x), 1.5)
    beside = 0.75 * away - away**3 / 3.0 if away < 0.5 else 0.5 - (1.5 - away) ** 3 / 6.0
    return 0.5 + math.copysign(beside, x)
