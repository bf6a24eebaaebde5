"""What is nothing at one time of an exposure and something at another: rendered, not refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import vkforge as vf

LANES = ("lit", "path-traced")
RNG = np.random.default_rng(8)
HILLS = vf.Terrain(RNG.random((9, 9)) * 2.0, skirt=-1.0)
CAMERA = vf.Camera.perspective((0.0, -12.0, 9.0), (0.0, 0.0, 0.0), fov=45)
BASE = vf.Scene(HILLS, CAMERA, vf.Sun(200, 35), vf.GradientSky(), lights=[vf.PointLight((0, 0, 9), 20.0)])


def ground(**material: Any) -> dict[str, Any]:
    return {"terrain": dataclasses.replace(HILLS, material=vf.Material(**material))}


# From nothing, where the share of the time is 0, to something where it is 1.
GROWS = {
    "sun's disc": lambda x: {"sun": vf.Sun(200, 35, angular_diameter=40 * x)},
    "sun's light": lambda x: {"sun": vf.Sun(200, 35, irradiance=3 * x)},
    "metallic": lambda x: ground(metallic=x, roughness=0.4),
    "specular": lambda x: ground(specular=x, roughness=0.4),
    "emission": lambda x: ground(emission=2 * x),
    "fog": lambda x: {"fog": vf.Fog(0.05 * x, anisotropy=0.3)},
    "sky": lambda x: {"sky": vf.Sky.uniform(x)},
    "waves": lambda x: {"water": vf.Water(0.8, wave_height=0.2 * x)},
    "rough water": lambda x: {"water": vf.Water(0.8, roughness=0.5 * x)},
    "lamp": lambda x: {"lights": [vf.PointLight((0, 0, 9), 50 * x)]},
    "lamps": lambda x: {"lights": [vf.PointLight((0, 0, 9), 50.0)] if x > 0.5 else []},
    "aperture": lambda x: {"camera": dataclasses.replace(CAMERA, aperture_radius=x, focus_distance=6.0)},
}


@pytest.mark.gpu
# The lit lane's depth of field is that of the middle: see below.
@pytest.mark.parametrize(("lane", "name"), [(b, a) for a in GROWS for b in LANES if (a, b) != ("aperture", "lit")])
def test_what_comes_from_nothing(renderer: vf.Renderer, lane: str, name: str) -> None:
    """The picture of the exposure is the mean of those of its moments, whichever end has nothing."""
    count = 16
    options: dict[str, Any] = {"lane": lane, "sky_rays": 1} if lane == "lit" else {"lane": lane, "max_depth": 2}
    means = []
    for turn in (lambda x: x, lambda x: 1.0 - x):

        def at(t: float, turn: Any = turn) -> vf.Scene:
            # Nothing for a third of the time, so that some moments are without it.
            return dataclasses.replace(BASE, **GROWS[name](max(1.5 * turn(t) - 0.5, 0.0)))

        blurred = renderer.render(vf.MovingScene(at, 0.0, 1.0), (12, 8), samples=8 * count, **options)
        moments = [renderer.render(at((i + 0.5) / count), (12, 8), samples=8, seed=i, **options) for i in range(count)]
        truth = np.mean([image.hdr for image in moments], axis=0, dtype=np.float64)
        difference = blurred.hdr.mean(dtype=np.float64) / truth.mean() - 1.0
        assert abs(difference) < 0.02, (name, difference)
        np.testing.assert_allclose(blurred.hdr, truth, atol=0.25 * truth.max())
        means.append(blurred.hdr.mean(dtype=np.float64))
    assert means[0] == pytest.approx(means[1], rel=0.03)


@pytest.mark.gpu
def test_the_depth_of_field_of_the_lit_lane_is_that_of_the_middle(renderer: vf.Renderer) -> None:
    def at(t: float) -> vf.Scene:
        return dataclasses.replace(BASE, **GROWS["aperture"](max(t - 0.4, 0.0)))

    blurred = renderer.render(vf.MovingScene(at, 0.0, 1.0), (24, 16), samples=4)
    np.testing.assert_array_equal(blurred.hdr, renderer.render(at(0.5), (24, 16), samples=4).hdr)


@pytest.mark.gpu
@pytest.mark.parametrize("lane", LANES)
def test_a_still_scene_that_might_shine_is_the_still_scene(renderer: vf.Renderer, lane: str) -> None:
    """What is compiled for more than is there shows no more: a metal for a moment, elsewhere plain ground."""
    base = dataclasses.replace(BASE, sky=None)  # to which glossy ground draws rays in another way

    def at(t: float) -> vf.Scene:
        return dataclasses.replace(base, **ground(metallic=1e-12 if t == 0.0 else 0.0))

    options: dict[str, Any] = {"lane": lane, "samples": 16}
    still = renderer.render(base, (12, 8), **options)
    moving = renderer.render(vf.MovingScene(at, 0.0, 1.0), (12, 8), **options)
    np.testing.assert_allclose(moving.hdr, still.hdr, rtol=2e-3, atol=1e-4)
