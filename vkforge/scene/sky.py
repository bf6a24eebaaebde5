"""The sky: light from every direction above the horizon."""

from __future__ import annotations

from dataclasses import dataclass

from vkforge.scene.checks import Light, Vector, light

# Irradiance of a gradient sky on level ground is pi * (horizon + 2 * zenith) / 3. These defaults give (0.46, 0.55,
# 0.74), 28 % in luminance of the 1.93 that the default sun gives there: shadows stay readable and a little blue.
DEFAULT_ZENITH: Vector = (0.12, 0.158, 0.237)
DEFAULT_HORIZON: Vector = (0.20, 0.21, 0.23)


@dataclass(frozen=True, init=False)
class Sky:
    """Radiance by direction d: ``horizon + (zenith - horizon) * d.z`` where d.z > 0, `ground` where d.z <= 0.

    Make one with `Sky.gradient` or `Sky.uniform`; `Sky()` is a gentle blue gradient that suits the default sun.

    Attributes:
        zenith: linear RGB radiance straight up, W/m2/sr in the sun's unit; one number means grey.
        horizon: the same at the horizon.
        ground: the same for directions at or below the horizon.

    Raises:
        InputError: a radiance that is negative, NaN, infinite or not one or three numbers.
    """

    zenith: Vector
    horizon: Vector
    ground: Vector

    def __init__(
        self, zenith: Light = DEFAULT_ZENITH, horizon: Light = DEFAULT_HORIZON, ground: Light = (0.0, 0.0, 0.0)
    ) -> None:
        for name, radiance in (("zenith", zenith), ("horizon", horizon), ("ground", ground)):
            object.__setattr__(self, name, light(f"Sky {name} radiance", radiance))

    @classmethod
    def uniform(cls, radiance: Light) -> Sky:
        """Return a sky of one linear RGB `radiance` (or grey number) above the horizon and none below it."""
        return cls(radiance, radiance)

    @classmethod
    def gradient(cls, zenith: Light = DEFAULT_ZENITH, horizon: Light = DEFAULT_HORIZON, ground: Light = 0.0) -> Sky:
        """Return a sky that goes linearly in d.z from `horizon` to `zenith`, all linear RGB or grey radiance."""
        return cls(zenith, horizon, ground)

    def radiance(self, direction: Vector) -> Vector:
        """Return the linear RGB radiance that comes from `direction`, a unit vector pointing away from the ground."""
        z = direction[2]
        if z <= 0.0:
            return self.ground
        red, green, blue = (h + (top - h) * z for h, top in zip(self.horizon, self.zenith, strict=True))
        return red, green, blue
