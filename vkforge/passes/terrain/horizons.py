"""How steeply rays must rise to leave the ground for good, as include/horizon.glsl reads it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vkforge.scene.horizon import horizons

# Added to a bound for the tracer's rounding: it takes a ray over an edge between cells a few ten-thousandths of a cell
# early or late, and a height is right to a hundredth of a step.
ROUNDING_SHARE, ROUNDING_STEPS = 1.0 / 128.0, 2.0
_CODE_OF_TWO = 0x40000000  # the bits of 2.0, the least bound
_DROPPED_BITS = 19  # of the 23 after a float's exponent


def packed_horizons(heights: NDArray[np.floating]) -> NDArray[np.uint32]:
    """Return the image of bounds: a byte for each octant of a cell, the first four in one texel.

    A byte is a float's exponent and the first four bits after it, rounded up, so that bounds from 2 to 2^17 are at most
    a sixteenth too high.

    Args:
        heights: (rows, columns) in grid space, finite, from 0 to 65,535.

    Returns:
        (rows - 1, 2 columns - 2).
    """
    rows, cols = heights.shape
    codes = np.empty((rows - 1, cols - 1, 8), np.uint8)
    for octant, found in enumerate(horizons(heights)):
        bound = np.maximum(found, 0.0) * np.float32(1.0 + ROUNDING_SHARE) + np.float32(ROUNDING_STEPS)
        above_two = bound.view(np.uint32) - _CODE_OF_TWO
        codes[..., octant] = (above_two + ((1 << _DROPPED_BITS) - 1)) >> _DROPPED_BITS
    return codes.view("<u4").reshape(rows - 1, -1)
