"""The primaries that radiance is handed out in: Rec.709, or Rec.2020."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vkforge.tonemapping import REC709_TO_REC2020, REC2020_TO_REC709


def from_rec709(rgb: NDArray[np.float32], primaries: str) -> NDArray[np.float32]:
    """Return (..., 3) linear Rec.709 with other primaries, one of `vkforge.settings.PRIMARIES`."""
    if primaries == "rec709":
        return rgb
    return (rgb.astype(np.float64) @ REC709_TO_REC2020.T).astype(np.float32)


def to_rec709(rgb: NDArray[np.float64], primaries: str) -> NDArray[np.float64]:
    """Return (..., 3) linear light of these primaries in Rec.709."""
    return rgb if primaries == "rec709" else rgb @ REC2020_TO_REC709.T
