"""A random walk over scenes and all public settings: no NaN, no AOV out of its range, refusals in vkforge's own words.

The seeds are fixed. ``pytest tests/test_random_walk.py --walk 60`` goes on for so many seconds with seeds of its own.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from random_scenes import AOVS, Draws, attempt, check
from test_settings_alive import TABLE

import vkforge as vf

pytestmark = pytest.mark.gpu

SIZE = (9, 6)
SCENES = 20  # of a walk
WALKS = 6
EFFECTS = ("denoise", "lens", "bloom", "miniature", "primaries", "motion_blur", "settings")
KEYS = sorted(TABLE)


def looked_at(renderer: vf.Renderer, subject: Any, options: dict[str, Any], told: str) -> bool:
    """Render and look; return whether there was a picture to look at."""
    image = attempt(renderer.render, subject, SIZE, aovs=AOVS, **options)
    if image is not None:
        plain = isinstance(subject, vf.Scene) and subject.camera.aperture_radius == 0.0
        check(image, told, adds_up=plain and not any(options.get(name) for name in EFFECTS))
    return image is not None


def walked_one(renderer: vf.Renderer, seed: int, number: int) -> bool:
    """Look at one scene of a seed; return whether it was rendered."""
    draws = Draws(1000 * seed + number)
    scene, options = draws.scene(), draws.options()
    told = f"seed {seed}, scene {number}: {options} {scene}"
    return scene is not None and looked_at(renderer, scene, options, told)


def walked(renderer: vf.Renderer, seed: int) -> int:
    """Look at the scenes of a seed; return how many were rendered."""
    return sum(walked_one(renderer, seed, number) for number in range(SCENES))


def settings_at_their_edges(renderer: vf.Renderer, seed: int, keys: list[str]) -> int:
    """Look at a picture of each setting with a value at random; return how many were rendered."""
    rendered = 0
    for key in keys:
        draws = Draws(seed * len(KEYS) + KEYS.index(key))
        value = draws.setting(key)
        made = attempt(TABLE[key].make, value)
        if made is not None:
            subject, options = made if isinstance(made, tuple) else (made, {})
            options = {"samples": 1, **({} if "lane" in options else {"sky_rays": 3}), **options}
            rendered += looked_at(renderer, subject, options, f"seed {seed}, {key} = {value!r}")
    return rendered


@pytest.mark.parametrize("walk", range(WALKS))
def test_scenes(renderer: vf.Renderer, walk: int) -> None:
    assert walked(renderer, walk) > SCENES / 10


@pytest.mark.parametrize("part", range(4))
def test_each_setting(renderer: vf.Renderer, part: int) -> None:
    keys = KEYS[part::4]
    assert settings_at_their_edges(renderer, 0, keys) > len(keys) / 4


def test_as_long_as_asked(renderer: vf.Renderer, request: pytest.FixtureRequest) -> None:
    seconds = request.config.getoption("--walk")
    if not seconds:
        pytest.skip("--walk SECONDS goes on")
    begun = time.monotonic()
    for seed in itertools.count(1000):
        walked(renderer, seed)
        settings_at_their_edges(renderer, seed, KEYS[seed % 8 :: 8])
        if time.monotonic() - begun > seconds:
            return
