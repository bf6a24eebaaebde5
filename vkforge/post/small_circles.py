"""Circles of blur about as large as a pixel: how pixels spread over their neighbours for those of up to two.

A picture has one mean a pixel, and knows no more of where in the pixel an edge lies. Spread over neighbours with
whatever weights, its profile is a line from half a pixel to the next, and the disc's is bent: no weights that are
positive come nearer than 0.046 to the profile of a disc of 0.9 pixels, over all places of an edge within its pixel.
"""

from __future__ import annotations

import math

import numpy as np

# Twin of SHARP of post/dof_gather.comp.
_SHARP = 0.5

# By the circle's radius in steps of a tenth of a pixel: the radius whose soft edge, one pixel wide, gives each pixel
# around the weight clamp(radius - distance + 1/2). Judged by straight edges from level to 45 degrees, at all places
# within the pixel, against the disc convolved with the pixel: of the radii whose worst error is within a tenth of the
# least that there is, the one with the least squares. The worst errors are 0.022 at 0.2 pixels, 0.042 at 0.5, 0.050
# from 0.8 to 0.95, 0.042 at 1.2, and below 0.03 from 1.35 on.
SMALL_RADII = np.array(
    [
        *(0.5, 0.509, 0.522, 0.54, 0.56, 0.586, 0.619, 0.666, 0.73, 0.824),
        *(0.948, 0.97, 1.023, 1.095, 1.195, 1.384, 1.569, 1.68, 1.77, 1.822, 1.893),
    ]
)


def sides(blades: int, rotation: float) -> np.ndarray:
    """Return the (blades, 2) normals of a polygon's sides, right and up, over their distance from the middle.

    The largest product of these with an offset is its length in the polygon's own measure: 1 all along its sides.
    `rotation` is in degrees, that of `Aperture.blade_rotation`.
    """
    normals = math.radians(rotation) + math.pi / blades * (2.0 * np.arange(blades) + 1.0)
    return np.stack([np.cos(normals), np.sin(normals)], axis=-1) / math.cos(math.pi / blades)


def small_circles(blades: int, rotation: float) -> np.ndarray:
    """Return the (21, 2) `SMALL_RADII` and the sums of their weights over all pixels around, for an aperture."""
    y, x = np.mgrid[-4:5, -4:5]
    offsets = np.stack([x, y], axis=-1)
    reached = (offsets @ sides(blades, rotation).T).max(axis=-1) if blades else np.hypot(x, y)
    weights = np.clip(SMALL_RADII[:, None, None] - reached + _SHARP, 0.0, 1.0)
    return np.stack([SMALL_RADII, weights.sum(axis=(1, 2))], axis=-1)
