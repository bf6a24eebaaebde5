"""Heights that are stored in the colours of a picture."""

from __future__ import annotations

import numpy as np


def decode(encoding: str, colours: np.ndarray) -> np.ndarray:
    """Return the heights in metres, float32 and masked, that red, green and blue stand for.

    Mapbox's Terrain-RGB (docs.mapbox.com, "Mapbox Terrain-RGB v1") counts tenths of a metre from -10000 m; Terrarium
    (github.com/tilezen/joerd, docs/formats.md) counts 256ths from -32768 m.

    Args:
        encoding: "mapbox" or "terrarium".
        colours: (3, h, w) uint8, masked where a pixel is clear.
    """
    mask = np.ma.getmaskarray(colours).any(axis=0)
    red, green, blue = np.ma.getdata(colours).astype(np.float64)
    if encoding == "mapbox":
        heights = -10000.0 + (red * 65536.0 + green * 256.0 + blue) * 0.1
    else:
        heights = red * 256.0 + green + blue / 256.0 - 32768.0
    return np.ma.masked_array(heights.astype(np.float32), mask)
