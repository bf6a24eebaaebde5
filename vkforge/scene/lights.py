"""Lights that stand somewhere: points and spots."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from vkforge.errors import InputError
from vkforge.scene.checks import Light, Vector, light, number, vector

MOST_LIGHTS = 64  # include/lights.glsl has room for so many


@dataclass(frozen=True, init=False)
class PointLight:
    """A point that shines alike in all directions. A surface at r metres that faces it gets intensity / r^2.

    Attributes:
        position: world metres.
        intensity: linear RGB radiant intensity, W/sr in the unit of the sun's irradiance times a square metre; one
            number means grey.

    Raises:
        InputError: a value out of its range, NaN or not a number.
    """

    position: Vector
    intensity: Vector

    def __init__(self, position: Any, intensity: Light) -> None:
        object.__setattr__(self, "position", vector("PointLight position", position))
        object.__setattr__(self, "intensity", light("PointLight intensity", intensity))


@dataclass(frozen=True, init=False)
class SpotLight:
    """A point that shines into a cone.

    Attributes:
        position: world metres.
        target: what the cone's axis points at, world metres.
        intensity: linear RGB radiant intensity along the axis, as of a `PointLight`.
        cone_angle: full opening angle in degrees, greater than 0, at most 180; nothing is lit outside.
        blend: the share of the cone's half angle, counted from its edge, over which the light fades in, smoothly in the
            angle: 0 (a hard edge) to 1.

    Raises:
        InputError: a value out of its range, NaN or not a number, or a target at the position.
    """

    position: Vector
    target: Vector
    intensity: Vector
    cone_angle: float
    blend: float

    def __init__(
        self, position: Any, target: Any, intensity: Light, cone_angle: float = 45.0, blend: float = 0.15
    ) -> None:
        put = object.__setattr__
        put(self, "position", vector("SpotLight position", position))
        put(self, "target", vector("SpotLight target", target))
        put(self, "intensity", light("SpotLight intensity", intensity))
        put(self, "cone_angle", number("SpotLight cone_angle (degrees)", cone_angle, high=180.0, above=0.0))
        put(self, "blend", number("SpotLight blend", blend, 0.0, 1.0))
        if math.dist(self.position, self.target) <= 1e-7 * math.hypot(*self.position):
            raise InputError(f"SpotLight position and target are both {self.position}; move one of them")

    @property
    def direction(self) -> Vector:
        """Unit vector from the position to the target."""
        length = math.dist(self.position, self.target)
        x, y, z = ((t - p) / length for t, p in zip(self.target, self.position, strict=True))
        return x, y, z


def check_lights(given: Any) -> tuple[PointLight | SpotLight, ...]:
    """Return the lights of a scene as a tuple.

    Raises:
        InputError: no sequence of PointLight and SpotLight, or more than MOST_LIGHTS.
    """
    wanted = "a sequence of PointLight and SpotLight"
    try:
        lights = tuple(given)
    except TypeError:
        raise InputError(f"Scene lights is a {type(given).__name__}; wanted {wanted}") from None
    for i, item in enumerate(lights):
        if not isinstance(item, (PointLight, SpotLight)):
            raise InputError(f"Scene lights[{i}] is a {type(item).__name__}; wanted {wanted}")
    if len(lights) > MOST_LIGHTS:
        raise InputError(f"Scene has {len(lights)} lights; wanted at most {MOST_LIGHTS}")
    return lights
