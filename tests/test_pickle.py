"""Scenes and animations go to other processes and come out the same, and as read-only as they were."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import vkforge as vf

RNG = np.random.default_rng(2)
TERRAIN = vf.Terrain(RNG.random((6, 7)) * 5.0, 2.0, cmap=["black", "white"])
COPIES: tuple[Callable[[Any], Any], ...] = (lambda thing: pickle.loads(pickle.dumps(thing)), copy.deepcopy)
THINGS = {
    "ramp": TERRAIN,
    "texture": vf.Terrain(np.eye(4), albedo=RNG.random((3, 3, 3))),
    "material": vf.Material(emission_map=RNG.random((4, 4, 3)), emission=1.0),
    "environment": vf.Environment(RNG.random((4, 8, 3))),
    "fog": vf.Fog(0.1, density=RNG.random((2, 3, 4)), bounds=(0, 1, 0, 1, 0, 1)),
    "lut": vf.Lut(RNG.random((3, 3, 3, 3))),
    "water": vf.Water(1.0, mask=RNG.random((4, 4))),
}


def arrays(thing: Any) -> Iterator[np.ndarray]:
    if isinstance(thing, np.ndarray):
        yield thing
    elif isinstance(thing, (tuple, list)):
        for part in thing:
            yield from arrays(part)
    elif type(thing).__module__.startswith("vkforge") and hasattr(thing, "__dict__"):
        yield from arrays(list(vars(thing).values()))


@pytest.mark.parametrize("copied", COPIES, ids=["pickle", "deepcopy"])
@pytest.mark.parametrize("name", THINGS)
def test_arrays_stay_read_only(name: str, copied: Callable[[Any], Any]) -> None:
    thing = THINGS[name]
    before, after = list(arrays(thing)), list(arrays(copied(thing)))
    assert len(before) == len(after) > 0
    for one, other in zip(before, after, strict=True):
        assert not other.flags.writeable
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("copied", COPIES, ids=["pickle", "deepcopy"])
def test_a_terrain_keeps_its_range_and_shares_its_heights(copied: Callable[[Any], Any]) -> None:
    terrain = copied(TERRAIN)
    with pytest.raises(ValueError, match="read-only"):
        terrain.heights[0, 0] = 99.0
    assert (terrain.min_height, terrain.max_height) == (terrain.heights.min(), terrain.heights.max())
    assert dataclasses.replace(terrain, vertical_exaggeration=2.0).heights is terrain.heights


def test_a_buffer_that_others_may_write_to_is_not_kept() -> None:
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(vf.Terrain(np.eye(4)), protocol=5, buffer_callback=buffers.append)
    ours = [bytearray(buffer.raw()) for buffer in buffers]
    terrain = pickle.loads(data, buffers=ours)
    changed = dataclasses.replace(terrain, cell_size=2.0)
    assert ours and not np.shares_memory(changed.heights, np.frombuffer(ours[0], np.uint8))


@pytest.mark.parametrize("copied", COPIES, ids=["pickle", "deepcopy"])
def test_an_animation_is_the_same(copied: Callable[[Any], Any]) -> None:
    scene = vf.Scene(TERRAIN, sun=vf.Sun(90, 40))
    plain = vf.Animation(
        scene,
        {"sun.azimuth": {0: 90, 2: 180}, "settings.exposure": {0: 0.0, 1: 1.0}},
        fps=4,
        interpolation={"sun.azimuth": "linear"},
        settings=vf.Settings(samples=3),
        shutter=vf.Shutter(),
    )
    for one in (plain, vf.Animation.orbit(scene, 90.0, 2.0), vf.Animation.flyover(scene, duration=2.0)):
        other = copied(one)
        assert repr(other) == repr(one)
        assert (other.frames, other.fps, other.duration, other.cuts) == (one.frames, one.fps, one.duration, one.cuts)
        for time in (0.0, 0.3, 1.7):
            assert repr(other.scene(time)) == repr(one.scene(time))
            assert repr(other.settings(time)) == repr(one.settings(time))
        shown = copied(one.exposure(0.5))
        assert type(shown) is type(one.exposure(0.5))
