"""The scene: all that a picture is made of, and two ready-made ones."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vkforge.errors import InputError
from vkforge.scene.camera import Camera
from vkforge.scene.checks import Vector, brief, number, show
from vkforge.scene.clouds import Clouds
from vkforge.scene.colors import Color, linear_color
from vkforge.scene.environment import Environment
from vkforge.scene.fog import Fog
from vkforge.scene.lights import PointLight, SpotLight, check_lights
from vkforge.scene.presets import LIGHTS, TINTS
from vkforge.scene.sky import GradientSky, Sky
from vkforge.scene.sun import Sun
from vkforge.scene.terrain import Terrain
from vkforge.scene.veil import air
from vkforge.scene.water import Water
from vkforge.settings import preset_name

# Warm white, like uncoated paper: light enough to let the block stand out, not so white that snow drowns in it.
PAPER: Vector = (0.86, 0.84, 0.79)

# The light of shaded relief: a low, soft, warm sun from the north-west (cartography's convention, which keeps relief
# from reading inside out), and a cool sky for the shade.
RELIEF_SUN = Sun(azimuth=315.0, elevation=32.0, irradiance=(3.9, 3.74, 3.52), angular_diameter=10.0)
RELIEF_SKY = Sky.gradient(zenith=(0.31, 0.345, 0.40), horizon=(0.42, 0.435, 0.45), ground=(0.55, 0.52, 0.47))

# The light of the portrait: the same sun as it is above the air, through which it comes warm, and the sky's own blue in
# the shade. The ground about the block is as light as PAPER, and throws that much back on its walls.
PORTRAIT_SUN = Sun(azimuth=315.0, elevation=42.0, irradiance=4.5, angular_diameter=6.0)
PORTRAIT_TURBIDITY = 2.0  # a clear day: cleaner air leaves the shade darker and bluer than cartographers like
PORTRAIT_GROUND_ALBEDO = 0.8

_logger = logging.getLogger("vkforge")

TRANSPARENT = "transparent"  # the background that is none

_SUN = Sun()
_SKY = Sky.gradient()


@dataclass(frozen=True, eq=False, init=False)
class Scene:
    """A terrain, who looks at it, and what lights it.

    Attributes:
        terrain: the ground.
        camera: who looks; where None is given, `Camera.orbit(terrain)`, which frames the whole of it.
        sun: None for none.
        sky: None for none. Where there is no `background`, it is also what camera rays that miss the ground see.
        background: what camera rays that miss the ground see instead of the sky: linear RGB, or a colour string such as
            "white" or "#f4f1ea" (sRGB). It lights nothing. Or "transparent" for nothing at all, fog and clouds before
            it left out: the picture then has an alpha, which is its coverage (`Image.alpha`).
        fog: what is in the air; None for nothing.
        lights: points and spots, at most 64. Kept as a tuple.
        clouds: a layer of them, or None.
        water: a lake or a sea over the ground, or None. One that lies below all ground is warned of (logger "vkforge").

    Raises:
        InputError: a part of the wrong type, or a camera with an eye inside the ground, or any under water.
    """

    terrain: Terrain
    camera: Camera
    sun: Sun | None
    sky: Sky | GradientSky | Environment | None
    background: Vector | str | None
    fog: Fog | None
    lights: tuple[PointLight | SpotLight, ...]
    clouds: Clouds | None
    water: Water | None
    __repr__ = brief

    def __init__(
        self,
        terrain: Terrain,
        camera: Camera | None = None,
        sun: Sun | None = _SUN,
        sky: Sky | GradientSky | Environment | None = _SKY,
        background: Color | None = None,
        fog: Fog | None = None,
        lights: Sequence[PointLight | SpotLight] = (),
        clouds: Clouds | None = None,
        water: Water | None = None,
    ) -> None:
        if not isinstance(terrain, Terrain):
            raise InputError(f"Scene terrain is {show(terrain)}; wanted a Terrain, as Terrain(heights, cell_size=30)")
        parts = (
            ("camera", camera, (Camera,)),
            ("sun", sun, (Sun,)),
            ("sky", sky, (Sky, GradientSky, Environment)),
            ("fog", fog, (Fog,)),
            ("clouds", clouds, (Clouds,)),
            ("water", water, (Water,)),
        )
        for name, part, wanted in parts:
            if part is not None and not isinstance(part, wanted):
                raise InputError(f"Scene {name} is {show(part)}; wanted a {wanted[0].__name__} or None")
        put = object.__setattr__
        put(self, "terrain", terrain)
        put(self, "camera", Camera.orbit(terrain) if camera is None else camera)
        put(self, "sun", sun)
        put(self, "sky", sky)
        put(self, "background", _background(background))
        put(self, "fog", fog)
        put(self, "lights", check_lights(lights))
        put(self, "clouds", clouds)
        put(self, "water", water)
        if self.camera.kind in ("perspective", "panorama", "fish-eye"):
            self._check_above_ground()
        if water is not None:
            self._check_above_water(water)
            if water.level < terrain.min_height:
                _say_dry(terrain.min_height)

    @property
    def is_transparent(self) -> bool:
        """Whether there is nothing behind the ground, so that the picture has an alpha."""
        return self.background == TRANSPARENT

    def _check_above_ground(self) -> None:
        x, y, z = self.camera.position
        ground = self.terrain.height_at(x, y)
        base = self.terrain.skirt
        beneath_block = base is not None and z < base * self.terrain.vertical_exaggeration
        # A NaN ground (outside the terrain, over a hole) compares false: there is nothing to be inside of.
        if z < ground and not beneath_block:
            raise InputError(
                f"Camera position is inside the ground: its z is {z:.6g} m and the surface there, exaggeration "
                f"included, is at {ground:.6g} m; raise the camera"
            )

    def _check_above_water(self, water: Water) -> None:
        x, y, z = self.camera.position
        surface = water.level * self.terrain.vertical_exaggeration
        if self.terrain.height_at(x, y) <= z <= surface and water.covers(self.terrain, x, y):
            raise InputError(
                f"Camera position is under water: its z is {z:.6g} m and the water's surface, exaggeration "
                f"included, is at {surface:.6g} m; raise the camera"
            )

    def lit_as(self, preset: str) -> Scene:
        """Return this scene in the light of a preset: its sun, sky and fog, and its background where there is a colour.

        Terrain, camera, lights, clouds and water stay. The other half of the preset is `Settings.preset`.

        Args:
            preset: "daylight", "golden-hour", "overcast", "blue-hour", "studio-relief" or "swiss".

        Raises:
            InputError: no such preset.
        """
        light = LIGHTS[preset_name(preset)](self.terrain, self.camera)
        kept = {"background": self.background} if self.background is None or self.is_transparent else {}
        return dataclasses.replace(self, **{**light, **kept})

    @classmethod
    def portrait(cls, terrain: Terrain, size: tuple[int, int] | None = None, *, preset: str | None = None) -> Scene:
        """Return the scene that `vkforge.render(terrain)` shows: the whole block, obliquely, on a pale ground.

        The block gets a skirt where the terrain has open edges, but no floor in holes and around the data, and the
        hypsometric tint "vkforge.relief" where it has no albedo of its own (in any other scene such a terrain is
        neutral grey, 0.5). The sun is soft and stands in the north-west, 42 degrees high; its colour, the sky and the
        haze towards the far edge are those of the physical `Sky` (over bright ground), the haze that of at most 18 km
        of air. The vertical exaggeration stays what the terrain says.

        Args:
            terrain: the ground.
            size: (width, height) in pixels of the picture that the block is framed for; None frames for 16:9.
            preset: the light of a preset instead, as `lit_as` gives it, and its tint.
        """
        terrain = tinted(terrain, preset)
        skirt, floor = "auto" if terrain.skirt is None else terrain.skirt, bool(terrain.floor)
        terrain = dataclasses.replace(terrain, skirt=skirt, floor=floor)
        camera = Camera.orbit(terrain, aspect=16.0 / 9.0 if size is None else _aspect(size))
        sky = Sky(PORTRAIT_TURBIDITY, PORTRAIT_GROUND_ALBEDO, aerial_perspective=air(camera))
        scene = cls(terrain, camera, PORTRAIT_SUN, sky, PAPER)
        return scene if preset is None else scene.lit_as(preset)

    @classmethod
    def relief(cls, terrain: Terrain, *, preset: str | None = None, water: Water | float | None = None) -> Scene:
        """Return the scene that `vkforge relief` shows: shaded relief, straight down, a pixel for a cell.

        The light is a soft sun from the north-west, 32 degrees high, and the sky; a terrain with no albedo of its own
        gets the hypsometric tint "vkforge.relief".

        Args:
            terrain: the ground.
            preset: the light of a preset instead, as `lit_as` gives it, and its tint.
            water: of a level in metres, drawn as on a map (`Water.map`); or a `Water`, as it is.
        """
        terrain = tinted(terrain, preset)
        if water is not None and not isinstance(water, Water):
            water = Water.map(water)
        scene = cls(terrain, Camera.map(terrain), RELIEF_SUN, RELIEF_SKY, PAPER, water=water)
        return scene if preset is None else scene.lit_as(preset)


@lru_cache(maxsize=1)  # a level that rises says it once
def _say_dry(lowest: float) -> None:
    _logger.warning("the water floods nothing: its level is below the lowest ground, at %g m", lowest)


def _background(given: Any) -> Vector | str | None:
    if given is None:
        return None
    if isinstance(given, str) and given.strip().lower() == TRANSPARENT:
        return TRANSPARENT
    return linear_color("Scene background (a colour, 'transparent' or None)", given)


def _aspect(size: Any) -> float:
    try:
        width, height = size
    except (TypeError, ValueError):
        raise InputError(f"size is {show(size)}; wanted (width, height) in pixels") from None
    return number("width (pixels)", width, 1) / number("height (pixels)", height, 1)


def tinted(terrain: Terrain, preset: str | None = None) -> Terrain:
    """Return `terrain` with the built-in hypsometric tint, a preset's own, if nobody chose its colour, else itself."""
    if not isinstance(terrain, Terrain):
        raise InputError(f"terrain is {show(terrain)}; wanted a vkforge.Terrain")
    if not terrain.surface_albedo.is_default:
        return terrain
    tint = {} if preset is None else TINTS.get(preset_name(preset), {})
    return dataclasses.replace(terrain, **{"cmap": "vkforge.relief", **tint})
