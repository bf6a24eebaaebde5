"""The sky: a physical atmosphere, or a gradient."""

from __future__ import annotations

from dataclasses import dataclass

from vkforge.scene.checks import Light, Vector, light, number

# Irradiance of a gradient sky on level ground is pi * (horizon + 2 * zenith) / 3. These defaults give (0.46, 0.55,
# 0.74), 28 % in luminance of the 1.93 that the default sun gives there: shadows stay readable and a little blue.
DEFAULT_ZENITH: Vector = (0.12, 0.158, 0.237)
DEFAULT_HORIZON: Vector = (0.20, 0.21, 0.23)

# The turbidity of Hillaire's constants: at 550 nm molecules have a vertical optical depth of 13.558e-6 x 8000 and
# aerosols one of 4.44e-6 x 1200.
CLEAREST = 1.0
DEFAULT_TURBIDITY = 1.0 + 4.44e-6 * 1200.0 / (13.558e-6 * 8000.0)


@dataclass(frozen=True, init=False)
class GradientSky:
    """Radiance by direction d: ``horizon + (zenith - horizon) * d.z`` where d.z > 0, `ground` where d.z <= 0.

    `Sky.gradient` and `Sky.uniform` make one; `GradientSky()` is a gentle blue gradient that suits the default sun.

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

    def radiance(self, direction: Vector) -> Vector:
        """Return the linear RGB radiance that comes from `direction`, a unit vector pointing away from the ground."""
        z = direction[2]
        if z <= 0.0:
            return self.ground
        red, green, blue = (h + (top - h) * z for h, top in zip(self.horizon, self.zenith, strict=True))
        return red, green, blue


@dataclass(frozen=True, init=False)
class Sky:
    """A physical sky: sunlight scattered by molecules and aerosols, absorbed by ozone, thrown back by the ground.

    After Hillaire 2020, "A Scalable and Production Ready Sky and Atmosphere Rendering Technique"; the defaults are the
    Earth with the constants of its table 1. The planet is a sphere whose surface touches the world's origin: z = 0 is
    sea level, and what lies below it counts as at it. The scene's sun lights it: `Sun.irradiance` is then the sun's
    outside of the atmosphere, and what reaches the terrain comes through it. With no sun the sky is black.

    Coefficients are linear RGB per metre at the ground (one number means the same in all channels); densities fall
    with exp(-altitude / scale height).

    Attributes:
        turbidity: total over molecular vertical optical depth at 550 nm, as atmospheric optics has it, for the Earth's
            coefficients: 1 is air without aerosols, the default (1.049) is Hillaire's very clear air, 2 a clear day, 3
            to 5 haze. It multiplies both Mie coefficients by (turbidity - 1) / (default - 1). At most 10.
            The sky's error grows with it, to several percent at 10: docs, "Sky".
        ground_albedo: what the ground reflects, Lambertian, linear RGB from 0 to 1.
        ground_radius: metres.
        top_radius: where the atmosphere ends, metres.
        rayleigh_scattering: of molecules.
        rayleigh_scale_height: metres.
        mie_scattering: of aerosols.
        mie_extinction: scattering and absorption of aerosols, at least `mie_scattering`.
        mie_scale_height: metres.
        mie_anisotropy: g of the Cornette-Shanks phase function, -0.95 to 0.95.
        ozone_absorption: at `ozone_altitude`; it falls linearly to nothing `ozone_half_width` above and below.
        ozone_altitude: metres.
        ozone_half_width: metres.
        aerial_perspective: scales the distances over which the air veils the terrain: 1 is the truth, 0 none. Over
            ground so wide that the planet falls away under its corners by more than a quarter of
            `rayleigh_scale_height` (225 km square on the Earth) at most 18 km of air lie before the camera's target,
            and a warning says so.

    Raises:
        InputError: a value out of its range, NaN or not a number.
    """

    turbidity: float
    ground_albedo: Vector
    ground_radius: float
    top_radius: float
    rayleigh_scattering: Vector
    rayleigh_scale_height: float
    mie_scattering: Vector
    mie_extinction: Vector
    mie_scale_height: float
    mie_anisotropy: float
    ozone_absorption: Vector
    ozone_altitude: float
    ozone_half_width: float
    aerial_perspective: float

    def __init__(
        self,
        turbidity: float = DEFAULT_TURBIDITY,
        ground_albedo: Light = 0.3,
        *,
        ground_radius: float = 6360e3,
        top_radius: float = 6460e3,
        rayleigh_scattering: Light = (5.802e-6, 13.558e-6, 33.1e-6),
        rayleigh_scale_height: float = 8000.0,
        mie_scattering: Light = 3.996e-6,
        mie_extinction: Light = 4.44e-6,
        mie_scale_height: float = 1200.0,
        mie_anisotropy: float = 0.8,
        ozone_absorption: Light = (0.650e-6, 1.881e-6, 0.085e-6),
        ozone_altitude: float = 25e3,
        ozone_half_width: float = 15e3,
        aerial_perspective: float = 1.0,
    ) -> None:
        put = object.__setattr__
        put(self, "turbidity", number("Sky turbidity", turbidity, CLEAREST, 10.0))
        albedo = light("Sky ground_albedo", ground_albedo)
        put(self, "ground_albedo", tuple(number("Sky ground_albedo", part, 0.0, 1.0) for part in albedo))
        radius = number("Sky ground_radius (metres)", ground_radius, 1e5, 1e8)
        put(self, "ground_radius", radius)
        put(self, "top_radius", number("Sky top_radius (metres)", top_radius, radius * 1.0001, radius * 1.5))
        for name, coefficient in (
            ("rayleigh_scattering", rayleigh_scattering),
            ("mie_scattering", mie_scattering),
            ("mie_extinction", mie_extinction),
            ("ozone_absorption", ozone_absorption),
        ):
            parts = light(f"Sky {name} (per metre)", coefficient)
            put(self, name, tuple(number(f"Sky {name} (per metre)", part, 0.0, 0.1) for part in parts))
        for scattered, lost in zip(self.mie_scattering, self.mie_extinction, strict=True):
            number("Sky mie_extinction (per metre; it includes scattering)", lost, scattered)
        for name, length in (
            ("rayleigh_scale_height", rayleigh_scale_height),
            ("mie_scale_height", mie_scale_height),
            ("ozone_half_width", ozone_half_width),
        ):
            put(self, name, number(f"Sky {name} (metres)", length, 1.0, 1e6))
        put(self, "mie_anisotropy", number("Sky mie_anisotropy", mie_anisotropy, -0.95, 0.95))
        put(self, "ozone_altitude", number("Sky ozone_altitude (metres)", ozone_altitude, 0.0, 1e6))
        put(self, "aerial_perspective", number("Sky aerial_perspective", aerial_perspective, 0.0, 1e4))

    @property
    def aerosols(self) -> float:
        """What `turbidity` multiplies the Mie coefficients by: exactly 1 at its default."""
        return (self.turbidity - CLEAREST) / (DEFAULT_TURBIDITY - CLEAREST)

    @staticmethod
    def uniform(radiance: Light) -> GradientSky:
        """Return a sky of one linear RGB `radiance` (or grey number) above the horizon and none below it."""
        return GradientSky(radiance, radiance)

    @staticmethod
    def gradient(zenith: Light = DEFAULT_ZENITH, horizon: Light = DEFAULT_HORIZON, ground: Light = 0.0) -> GradientSky:
        """Return a sky that goes linearly in d.z from `horizon` to `zenith`, all linear RGB or grey radiance."""
        return GradientSky(zenith, horizon, ground)
