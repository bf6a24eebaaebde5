"""Circles of blur of a few pixels: how pixels spread over their neighbours.

With one mean a pixel, the profile of an edge within it is a line from half a pixel to the next, and the disc's is bent:
no positive weights come nearer than 0.046 to the profile of a disc of 0.9 pixels, over all places of an edge within its
pixel. So the centroid of a pixel's light counts too, to the first order (`light_place` of lighting/accumulate.comp).
"""

from __future__ import annotations

import math

import numpy as np

# Twins of post/dof_gather.comp.
_SHARP = 0.5
_SOFT = 5.0 / 12.0
_LARGEST = 5.0  # pixels: SMALL there

# By the circle's radius in steps of a tenth of a pixel, up to two: the radius whose soft edge, one pixel wide, gives
# each pixel around the weight clamp(radius - distance + 1/2), to which the shader adds what the place of the light
# brings. Judged by straight edges from level to 45 degrees, at all places within the pixel, against the disc convolved
# with the pixel, and in between the steps too: the worst errors are 0.025.
SMALL_RADII = np.array(
    [
        *(0.5, 0.51, 0.525, 0.545, 0.58, 0.625, 0.68, 0.75, 0.84, 0.93),
        *(1.0, 1.06, 1.205, 1.285, 1.385, 1.56, 1.69, 1.775, 1.805, 1.86, 1.913),
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
    """Return the (51, 2) radii of circles and the sums of their weights over all pixels around, for an aperture.

    Circles are of 0 to 5 pixels, in steps of a tenth. Radii are `SMALL_RADII`, and then those whose soft edge spreads
    by as much as the circle.
    """
    wide = np.arange(len(SMALL_RADII), round(10 * _LARGEST) + 1) / 10.0
    radii = np.concatenate([SMALL_RADII, np.sqrt(wide**2 - _SOFT)])
    y, x = np.mgrid[-6:7, -6:7]
    offsets = np.stack([x, y], axis=-1)
    reached = (offsets @ sides(blades, rotation).T).max(axis=-1) if blades else np.hypot(x, y)
    weights = np.clip(radii[:, None, None] - reached + _SHARP, 0.0, 1.0)
    return np.stack([radii, weights.sum(axis=(1, 2))], axis=-1)
