"""Scenes and settings at random, extremes included, and what holds of every picture: for tests/test_random_walk.py.

Nothing here knows the ranges of the settings. A value is drawn about those that tests/test_settings_alive.py has for
its parameter, near and far, and what vkforge refuses in its own words is drawn again: so a new setting is walked over
as soon as it has its row there.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from test_settings_alive import DEFAULT, MAP, NAMED, TABLE

import vkforge as vf

AOVS = tuple(vf.AOVS)
PARTS = ("direct", "indirect", "emitted", "air")

# What each AOV states of its values; a direction's length and what belongs to the sky stand in `check`.
RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("beauty", "emission", "variance", *PARTS), (0.0, math.inf)),
    **dict.fromkeys(("albedo", "roughness", "metallic", "sun_visibility", "sky_visibility"), (0.0, 1.0)),
    **dict.fromkeys(("coverage", "ambient_occlusion", "hit", "water"), (0.0, 1.0)),
    **dict.fromkeys(("object_id", "material_id"), (0.0, 2.0)),
    **dict.fromkeys(("normal", "geometric_normal"), (-1.001, 1.001)),
    "depth": (0.0, math.inf),
}
WHOLE = ("hit", "water", "object_id", "material_id")
EMPTY = inspect.Parameter.empty
# What time alone forbids: a picture of the walk takes milliseconds.
DEAREST = {
    "Settings.samples": 9,
    "Settings.sun_rays": 9,
    "Settings.sky_rays": 70,
    "Settings.ao_rays": 70,
    "Camera.flyover.frames": 9,
}
AS_THEY_ARE = ("Lut.open.path", "Lut.open.space")  # pairs of the table, which files are made of
GROUPS = {"grade": "Grade", "lens": "Lens", "bloom": "Bloom", "grain": "Grain", "miniature": "Miniature"}
EDGES = (0.0, -0.0, 1e-45, 1e-30, 1e-9, 1.0, -1.0, 90.0, 1e4, 1e6, 1e9, 1e30, 3e38, 1e300)


def check(image: vf.Image, told: str, *, adds_up: bool) -> None:
    """Fail where a picture isn't finite, or an AOV is not what it says that it is.

    `adds_up` says that nothing is done to the picture that is not done to the parts of its light.
    """
    assert np.isfinite(image.hdr).all(), f"radiance: {told}"
    assert (image.hdr >= 0.0).all() or image.info["primaries"] != "rec709", f"radiance below zero: {told}"
    seen = image.aovs["hit"] > 0.0
    for name, pixels in image.aovs.items():
        finite = np.isfinite(pixels)
        if name in ("depth", "depth_axis"):
            assert (finite == seen).all() and not np.isnan(pixels).any(), f"{name}: {told}"
        else:
            assert finite.all(), f"{name} is not finite: {told}"
        low, high = RANGES.get(name, (-math.inf, math.inf))
        lowest, highest = float(pixels.min()), float(pixels.max())
        assert low <= lowest and highest <= high, f"{name} from {lowest:.9g} to {highest:.9g}: {told}"
        if name in WHOLE:
            assert (pixels == pixels.round()).all(), f"{name}: {told}"
        if name.endswith("normal"):
            assert np.abs(np.linalg.norm(pixels, axis=-1) - 1.0).max() < 2e-3, f"{name}'s length: {told}"
    if adds_up:
        total = sum(image.aovs[name].astype(np.float64) for name in PARTS)
        assert np.abs(total - image.hdr).max() <= 1e-4 * image.hdr.max() + 1e-6, f"parts: {told}"
    for mattes in image.mattes.values():
        for share in mattes.values():
            assert np.isfinite(share).all() and share.min() >= 0.0 and share.max() <= 1.0, f"mattes: {told}"


def attempt(make: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Return what was made, or None where vkforge refused what it was given, on one line."""
    try:
        return make(*arguments, **options)
    except (vf.InputError, vf.MissingDependencyError) as error:
        said = str(error)
    assert said and "\n" not in said
    return None


class Draws:
    """What is drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def chance(self, share: float) -> bool:
        """Whether something happens that does so often."""
        return bool(self.rng.random() < share)

    def pick(self, choices: Any) -> Any:
        """Return one of the choices."""
        return choices[int(self.rng.integers(len(choices)))]

    def number(self, about: float) -> float:
        """Return a number: as it is, near, at other scales, or from the edge of what floats can say."""
        kind = self.rng.random()
        if kind < 0.25:
            return about
        if kind < 0.5:
            return float(about + self.rng.normal() * (abs(about) or 1.0))
        if kind < 0.85:
            return float(self.pick((1.0, -1.0)) * (abs(about) or 1.0) * 10.0 ** self.rng.uniform(-6.0, 6.0))
        return float(self.pick(EDGES))

    def like(self, value: Any) -> Any:
        """Return a value of the same kind."""
        if isinstance(value, bool) or value is None or isinstance(value, str):
            return value
        if isinstance(value, int):
            return int(np.clip(self.number(value), -1e9, 1e9))
        if isinstance(value, float):
            return self.number(value)
        if isinstance(value, tuple) and value and all(isinstance(part, (int, float)) for part in value):
            return tuple(self.like(part) for part in value)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            return value * abs(self.number(1.0)) if self.chance(0.3) else value
        return value

    def setting(self, key: str) -> Any:
        """Return a value for a parameter: like its default, or like either of those in the table."""
        name, _, parameter = key.rpartition(".")
        row = TABLE[key]
        default = inspect.signature(NAMED[name]).parameters[parameter].default
        known = [value for value in (row.value, row.other) if value is not DEFAULT]
        if key in AS_THEY_ARE:
            return self.pick(known)
        value = self.like(self.pick([*known, default] if default is not EMPTY else known))
        return min(value, DEAREST[key]) if key in DEAREST and value is not None else value

    def made(self, name: str, **given: Any) -> Any:
        """Return what a public maker makes of what is given and of some parameters at random, or None where refused."""
        keys = [key for key in TABLE if key.rpartition(".")[0] == name and key.rpartition(".")[2] not in given]
        several = self.pick((0, 1, 1, 2, 3))
        drawn = {keys[i].rpartition(".")[2]: self.setting(keys[i]) for i in self.rng.permutation(len(keys))[:several]}
        return attempt(NAMED[name], **given, **drawn)

    def heights(self) -> np.ndarray:
        """Return heights of any relief, perhaps flat, perhaps with holes."""
        rows, cols = self.rng.integers(2, 9, 2)
        scale = self.pick((0.0, 1e-6, 4.0, 4.0, 100.0, 9e3, 1e6))
        heights = self.pick((0.0, 0.0, 0.0, -1e4, 2e5)) + scale * self.rng.random((rows, cols))
        if self.chance(0.2):
            heights[self.rng.random((rows, cols)) < 0.3] = np.nan
            heights[0, 0] = 0.0
        return heights

    def terrain(self) -> Any:
        """Return a terrain, or None."""
        given = {"heights": self.heights(), "cell_size": self.pick((1.0, 1.0, 30.0, 1e4))}
        if self.chance(0.5):
            given["material"] = self.made("Material") or vf.Material()
        return self.made("Terrain", **given)

    def camera(self, terrain: vf.Terrain) -> Any:
        """Return a camera of any kind, or None; half of them frame the terrain."""
        kind = self.pick(("orbit", "orbit", "map", "oblique", "at", "panorama", "fisheye", "perspective"))
        reach = max(terrain.extent[1], terrain.max_height - terrain.min_height, 1.0)
        x, y = self.rng.uniform(-1.0, 1.0, 2) * reach
        above = terrain.max_height * terrain.vertical_exaggeration + reach * 10.0 ** self.rng.uniform(-3.0, 1.0)
        if kind in ("orbit", "map", "oblique"):
            return self.made(f"Camera.{kind}", terrain=terrain)
        if kind == "at":
            return self.made("Camera.at", terrain=terrain, x=x, y=y)
        if kind == "panorama":
            return self.made("Camera.panorama", position=(x, y, above))
        return self.made(f"Camera.{kind}", position=(x, y, above), target=(0.0, 0.0, float(terrain.min_height)))

    def sky(self) -> Any:
        """Return a sky of any kind, or None. The tables of a physical one cost most of all here."""
        kind = self.rng.random()
        if kind < 0.2:
            return self.made("Environment", radiance=self.like(MAP))
        if kind < 0.3:
            return None
        return self.made("Sky") if kind < 0.5 else self.made("GradientSky")

    def lights(self) -> tuple[Any, ...]:
        """Return some lamps."""
        point = {"position": self.like((0.0, 0.0, 9.0)), "intensity": self.number(50.0)}
        drawn = (self.made("PointLight", **point), self.made("SpotLight", **point, target=(0.0, 0.0, 0.0)))
        return tuple(lamp for lamp in drawn if lamp is not None and self.chance(0.7))

    def scene(self) -> Any:
        """Return a scene, or None."""
        terrain = self.terrain()
        if terrain is None:
            return None
        middle = 0.5 * (terrain.min_height + terrain.max_height)
        fog = {"scattering": self.setting("Fog.scattering")}
        if self.chance(0.5):
            fog["bounds"] = self.like((-9.0, 9.0, -9.0, 9.0, 0.0, 12.0))
        return attempt(
            vf.Scene,
            terrain,
            camera=self.camera(terrain),
            sun=self.made("Sun") if self.chance(0.8) else None,
            sky=self.sky(),
            background="tomato" if self.chance(0.2) else None,
            fog=self.made("Fog", **fog) if self.chance(0.3) else None,
            lights=self.lights() if self.chance(0.3) else (),
            clouds=self.made("Clouds", base=self.number(20.0), thickness=10.0) if self.chance(0.1) else None,
            water=self.made("Water", level=self.pick((middle, self.number(2.5)))) if self.chance(0.3) else None,
        )

    def options(self) -> dict[str, Any]:
        """Return some settings, and a lane."""
        keys = [key for key in TABLE if key.startswith("Settings.") and key.count(".") == 1]
        drawn = {keys[i].rpartition(".")[2]: self.setting(keys[i]) for i in self.rng.permutation(len(keys))[:3]}
        for name, group in GROUPS.items():
            if name in drawn and drawn[name] is not None and self.chance(0.7):
                drawn[name] = self.made(group)
        return {"samples": int(self.pick((1, 2, 5))), "lane": self.pick(("lit", "path-traced")), **drawn}
