"""How much air veils what a camera looks at: the portrait's cap, and the ground that is too wide to go without it.

A physical sky's planet is round and touches the world's origin, and the terrain is flat. Where ground is wide its far
parts stand so high above the planet that there is little air over them, or none, and the walls of its block reach down
through all of it: what veils it then tells of the sphere, in bands, and not of how far things are.
"""

from __future__ import annotations

import logging
import math
from functools import lru_cache

from vkforge.scene.camera import Camera
from vkforge.scene.sky import Sky
from vkforge.scene.terrain import Terrain

log = logging.getLogger("vkforge")

# Air between the camera and what it looks at, metres: less where the terrain is small, no more where it is large, or a
# country would drown in the haze that gives a valley its depth.
AIR = 18_000.0

# How far the planet may fall away under the ground's corners, in scale heights of molecules: a fifth of the air is
# missing there then. On the Earth that is 2 km, under ground of 225 km square.
_FLAT = 0.25


def air(camera: Camera, most: float = AIR) -> float:
    """Return the `aerial_perspective` that leaves at most so many metres of air between a camera and its target."""
    return min(1.0, most / max(math.dist(camera.position, camera.target), 1.0))


def falls_away(terrain: Terrain, sky: Sky) -> float:
    """Return how far a sky's planet has fallen away below z = 0 under the terrain's farthest corner, in metres."""
    x0, x1, y0, y1 = terrain.extent
    reach = math.hypot(max(-x0, x1), max(-y0, y1))
    return reach * (reach / (math.hypot(reach, sky.ground_radius) + sky.ground_radius))


def aerial_perspective(terrain: Terrain, camera: Camera, sky: Sky) -> float:
    """Return what the distances of aerial perspective are scaled by: the sky's own number, or less over wide ground.

    Where the planet falls away by more than a quarter of the molecules' scale height under the terrain's farthest
    corner, at most 18 km of air lie between the camera and its target, as in `Scene.portrait`, and a warning says so.
    """
    drop, most = falls_away(terrain, sky), _FLAT * sky.rayleigh_scale_height
    held = air(camera)
    if drop <= most or sky.aerial_perspective <= held:
        return sky.aerial_perspective
    x0, x1, y0, y1 = terrain.extent
    _warn(x1 - x0, y1 - y0, drop, most)
    return held


@lru_cache(maxsize=64)  # once for each ground, however many pictures are made of it
def _warn(width: float, length: float, drop: float, most: float) -> None:
    log.warning(
        "the ground is flat and %.4g by %.4g km wide, and the sky's planet falls away by %.3g km under its corners "
        "(haze is true up to %.3g): at most %g km of air veil what the camera looks at; Sky(aerial_perspective=...) "
        "may ask for less",
        width / 1e3,
        length / 1e3,
        drop / 1e3,
        most / 1e3,
        AIR / 1e3,
    )
