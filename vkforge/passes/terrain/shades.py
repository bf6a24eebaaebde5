"""Which ground is surely in the sun's light and which surely is not, as include/horizon.glsl reads it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vkforge.passes.terrain.horizons import ROUNDING_SHARE, ROUNDING_STEPS
from vkforge.scene.shade import Beam, shade

_ROUNDING_PLACE = 2.0e-6  # by this share of the grid's side the tracer may be beside a place


def safe_beam(beam: Beam) -> Beam:
    """Return the beam with rays that rise less and more, by the tracer's rounding, as bounds count them."""
    low, high = beam.rise
    rise = (low - ROUNDING_STEPS) / (1.0 + ROUNDING_SHARE), high * (1.0 + ROUNDING_SHARE) + ROUNDING_STEPS
    return Beam(beam.axis, beam.forward, beam.across, rise)


def packed_shades(heights: NDArray[np.floating], beam: Beam) -> NDArray[np.uint32]:
    """Return the image of bounds: where the light surely comes above in the upper 16 bits, and surely not below.

    Args:
        heights: (rows, columns) in grid space, finite, from 0 to 65,535.
        beam: That of `safe_beam`.

    Returns:
        (rows - 1, columns - 1).
    """
    clear, hidden = shade(heights, beam)
    steepest = max(float(abs(np.diff(heights, axis=axis)).max()) for axis in (0, 1))
    margin = np.float32(ROUNDING_STEPS + _ROUNDING_PLACE * max(heights.shape) * steepest)
    above = np.clip(np.ceil(clear + margin), 0.0, 65535.0).astype(np.uint32)
    below = np.clip(np.floor(hidden - margin), 0.0, 65535.0).astype(np.uint32)
    return (above << np.uint32(16)) | below


def fill_shades(block: Any, beam: Beam | None) -> None:
    """Write the beam, as of `safe_beam`, into the `path` block; of none nothing is read."""
    if beam is None:
        return
    towards = 1.0 if beam.forward else -1.0
    block["sun_axis"] = (0.0, towards) if beam.axis else (towards, 0.0)
    block["sun_rise"] = beam.rise
