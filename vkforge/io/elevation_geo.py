"""Whether georeferenced rasters can be opened."""

from __future__ import annotations

import importlib.util


def available() -> bool:
    """Return whether rasterio (the `geo` extra) is installed."""
    return importlib.util.find_spec("rasterio") is not None
