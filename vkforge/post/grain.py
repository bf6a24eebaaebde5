"""Film grain: noise in the density of a film, the same for the same seed and frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from vkforge.errors import InputError
from vkforge.post.bloom import LUMINANCE
from vkforge.post.resample import as_rgb_picture
from vkforge.scene.checks import number, picture_size, show
from vkforge.scene.colors import decode_srgb_array
from vkforge.tonemapping import srgb_encode

# The sum of a hash's four bytes, to a mean of 0 and a variance of 1.
BYTES_MEAN, BYTES_DEVIATION = 4 * 127.5, math.sqrt(4 * (256**2 - 1) / 12)
_PURPOSE = 0x60  # PURPOSE_GRAIN of include/grain.glsl; the next three are the channels'


@dataclass(frozen=True)
class Grain:
    """Film grain: noise in density, which is a factor on light, applied to the tone-mapped picture in linear light.

    The logarithm of the factor is a Gaussian field, smooth over `size` pixels and, for each pixel, of the same
    variance; the factor's mean is 1. The field follows from `Settings.seed` and from `frame`, never from the time of
    day.

    Attributes:
        amount: standard deviation in stops where the picture is dark, 0 to 1.
        size: of a clump in pixels, 1 to 64.
        color: 0 for grain that is the same in all channels, 1 for one of its own in each.
        highlights: how fast grain fades towards white: it is multiplied by (1 - luminance) to this power, 0 to 8. At 0
            white has as much, and darkens, as it can't get brighter.
        frame: number of the picture in a sequence, 0 to 2**32 - 1: each has another grain.

    Raises:
        InputError: a value that is out of its range, NaN or not a number.
    """

    amount: float = 0.15
    size: float = 1.5
    color: float = 0.3
    highlights: float = 1.0
    frame: int = 0

    def __post_init__(self) -> None:
        ranges = {"amount": (0.0, 1.0), "size": (1.0, 64.0), "color": (0.0, 1.0), "highlights": (0.0, 8.0)}
        for name, (low, high) in ranges.items():
            object.__setattr__(self, name, number(f"Grain {name}", getattr(self, name), low, high))
        object.__setattr__(self, "frame", _word("Grain frame", self.frame))

    @property
    def deviation(self) -> float:
        """The standard deviation of the factor's natural logarithm, where the picture is dark."""
        return self.amount * math.log(2.0)

    @property
    def shares(self) -> tuple[float, float]:
        """What goes into a channel of the noise that all share, and of its own: squares that sum to 1."""
        return math.sqrt(1.0 - self.color**2), self.color

    def key(self, seed: int) -> int:
        """Return what starts the hashes of this frame."""
        return (_word("seed", seed) + self.frame * 0x9E3779B9) % 2**32

    def noise(self, size: tuple[int, int], seed: int = 0) -> np.ndarray:
        """Return the (h, w, 3) field, of mean 0 and variance 1, for a picture of (width, height) pixels."""
        size = picture_size(size)
        shared, single = self.shares
        common, *channels = (self._field(size, seed, channel) for channel in range(4))
        return np.stack([shared * common + single * channel for channel in channels], axis=-1)

    def _field(self, size: tuple[int, int], seed: int, channel: int) -> np.ndarray:
        """Return (h, w) quadratic B-splines on a grid of random numbers, over their deviation at each pixel."""
        key = _hash(np.uint32(_PURPOSE + channel) + _hash(np.uint32(self.key(seed))))
        (columns, x_weights), (rows, y_weights) = (self._splines(side) for side in size)
        total: Any = 0.0
        for j in range(3):
            for i in range(3):
                node = _hash((columns + np.uint32(i))[None, :] + _hash((rows + np.uint32(j))[:, None] + key))
                parts = sum((node >> np.uint32(shift) & np.uint32(255)).astype(np.float64) for shift in (0, 8, 16, 24))
                total = total + y_weights[j][:, None] * x_weights[i] * (parts - BYTES_MEAN) / BYTES_DEVIATION
        return total / np.sqrt((y_weights**2).sum(axis=0)[:, None] * (x_weights**2).sum(axis=0))

    def _splines(self, side: int) -> tuple[np.ndarray, np.ndarray]:
        """Return, for each pixel of a row, the first of its three nodes, and their (3, side) weights."""
        at = (np.arange(side) + 0.5) / self.size
        node = np.floor(at)
        t = at - node
        weights = np.stack([0.5 * (1.0 - t) ** 2, 0.75 - (t - 0.5) ** 2, 0.5 * t * t])
        return node.astype(np.uint32), weights

    def apply(self, picture: Any, seed: int = 0) -> np.ndarray:
        """Return an (h, w, 3) picture with its grain, sRGB-encoded as it was given: what the device computes.

        Args:
            picture: (h, w, 3) in [0, 1], tone-mapped and sRGB-encoded.
            seed: that of `Settings`.

        Raises:
            InputError: another shape.
        """
        encoded = as_rgb_picture("picture", picture)
        light = decode_srgb_array(encoded)
        dark = np.clip(1.0 - light @ LUMINANCE, 0.0, 1.0)[..., None]
        deviation = self.deviation * dark**self.highlights
        noise = self.noise((encoded.shape[1], encoded.shape[0]), seed)
        return srgb_encode(np.minimum(light * np.exp(deviation * (noise - 0.5 * deviation)), 1.0))


def _word(name: str, value: Any) -> int:
    """Return a whole number of 32 bits.

    Raises:
        InputError: anything else.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or not 0 <= int(value) < 2**32:
        raise InputError(f"{name} is {show(value)}; wanted a whole number from 0 to {2**32 - 1}")
    return int(value)


def _hash(x: Any) -> Any:
    """Return the hash of uint32 numbers that include/sampling.glsl has."""
    with np.errstate(over="ignore"):
        x = (x ^ x >> np.uint32(16)) * np.uint32(0x7FEB352D)
        x = (x ^ x >> np.uint32(15)) * np.uint32(0x846CA68B)
        return x ^ x >> np.uint32(16)
