"""The thin lens of a camera: what the path tracer draws its rays from, and depth of field its circles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Aperture:
    """A thin lens with its diaphragm in the plane through the eye that faces the camera's axis.

    The plane in focus is ``z = focus_distance + slope[0] * X + slope[1] * Y``: X, Y, z are metres rightwards, upwards
    and along the axis from the eye. Seen in the picture that is the Scheimpflug rule: one over the depth in focus is
    linear in the tangents (x, y) = (X / z, Y / z), ``1 / zf = (1 - slope[0] x - slope[1] y) / focus_distance``.

    A ray from the point o of the diaphragm goes along ``(x, y, 1) - o / zf``. A point at depth z is thus spread over
    ``o * (1 / zf - 1 / z)`` in tangents, over all o: behind the plane in focus its blur has the aperture's shape,
    before it that shape turned by half a turn.

    Attributes:
        radius: world metres from the lens' centre to its rim; to the corners where it has blades.
        focus_distance: metres along the axis to where the plane in focus crosses it, greater than 0.
        slope: how many metres the plane in focus recedes for each metre rightwards and upwards.
        blades: straight sides of the aperture, from 3; 0 is a round one.
        blade_rotation: degrees anticlockwise, as the photographer sees it, from the right to a corner.
    """

    radius: float
    focus_distance: float
    slope: tuple[float, float] = (0.0, 0.0)
    blades: int = 0
    blade_rotation: float = 0.0

    def inverse_focus(self, x: Any, y: Any) -> Any:
        """Return one over the depth in focus, 1/m, at tangents (x, y) from the axis; numbers or arrays that broadcast.

        It is 0 where the ray runs along the plane in focus and negative where it would meet it behind the eye.
        """
        return (1.0 - self.slope[0] * x - self.slope[1] * y) / self.focus_distance

    def corners(self) -> np.ndarray:
        """Return the (blades, 2) corners of the aperture at unit radius, right and up; none of a round one."""
        turn = math.radians(self.blade_rotation) + 2.0 * np.pi * np.arange(self.blades) / max(self.blades, 1)
        return np.stack([np.cos(turn), np.sin(turn)], axis=-1)
