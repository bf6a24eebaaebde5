"""Pixels on their way back and heights on their way in: overlap, ownership, and bands under a small host-memory cap."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.vk.transfer import Readback

pytestmark = pytest.mark.gpu

MIB = 2**20
RNG = np.random.default_rng(11)
TERRAIN = vf.Terrain(RNG.random((17, 23)) * 5.0)
SIZE = (40, 24)
ALL = tuple(vf.AOVS)


def turning(count: int, terrain: vf.Terrain = TERRAIN) -> list[vf.Scene]:
    """Scenes seen from all around."""
    cameras = [vf.Camera.orbit(terrain, azimuth=360.0 * i / count) for i in range(count)]
    return [vf.Scene(terrain, camera=camera) for camera in cameras]


def buffers(image: vf.Image) -> dict[str, np.ndarray]:
    return {"rgba": image.rgba, "hdr": image.hdr, **image.aovs}


def assert_same(one: vf.Image, other: vf.Image) -> None:
    assert buffers(one).keys() == buffers(other).keys()
    for name, pixels in buffers(one).items():
        assert pixels.tobytes() == buffers(other)[name].tobytes(), name


# Overlap


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_many_are_the_same_pictures_as_one_by_one(renderer: vf.Renderer, count: int) -> None:
    scenes = turning(max(count, 1))[:count]
    many = list(renderer.render_many(scenes, SIZE, samples=3, aovs=ALL, seed=5))
    assert len(many) == count
    for scene, image in zip(scenes, many, strict=True):
        assert_same(image, renderer.render(scene, SIZE, samples=3, aovs=ALL, seed=5))


def test_many_terrains(renderer: vf.Renderer) -> None:
    """Each scene evicts the terrain of one that is still on its way back."""
    terrains = [vf.Terrain(RNG.random((8, 8)) * 3.0) for _ in range(5)]
    for terrain, image in zip(terrains, renderer.render_many(terrains, SIZE, samples=2), strict=True):
        assert_same(image, renderer.render(terrain, SIZE, samples=2))


@pytest.fixture
def events(renderer: vf.Renderer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is submitted to be read back, and what is collected, in order."""
    recorded: list[str] = []
    start, collect = Readback.start, Readback._collect

    def start_and_tell(self: Readback, images: Any) -> Any:
        recorded.append("start")
        return start(self, images)

    def collect_and_tell(self: Readback, pending: Any) -> Any:
        recorded.append(f"collect in {threading.current_thread().name}")
        return collect(self, pending)

    monkeypatch.setattr(Readback, "start", start_and_tell)
    monkeypatch.setattr(Readback, "_collect", collect_and_tell)
    return recorded


def test_the_next_frame_is_submitted_before_the_last_is_read(renderer: vf.Renderer, events: list[str]) -> None:
    assert len(list(renderer.render_many(turning(6), SIZE, samples=1))) == 6
    starts = [i for i, event in enumerate(events) if event == "start"]
    collects = [i for i, event in enumerate(events) if event != "start"]
    assert len(starts) == len(collects) == 6
    for picture in range(5):
        assert collects[picture] > starts[picture + 1]
    # By a thread of its own, unless this one needs the ring's slot before that has begun.
    assert any("readback" in events[i] for i in collects)


def test_many_are_lazy(renderer: vf.Renderer, events: list[str]) -> None:
    """Three pictures are in flight, not all that the caller might ever ask for."""

    def endless() -> Iterator[vf.Scene]:
        while True:
            yield from turning(3)

    images = renderer.render_many(endless(), SIZE, samples=1)
    assert events == []
    for count in (3, 4, 5):
        next(images)
        assert events.count("start") == count
    images.close()  # type: ignore[attr-defined]
    assert_same(renderer.render(turning(1)[0], SIZE), renderer.render(turning(1)[0], SIZE))


def test_settings_may_go_with_each_scene(renderer: vf.Renderer) -> None:
    pairs = [(scene, vf.Settings(samples=1, exposure=float(i))) for i, scene in enumerate(turning(4))]
    for (scene, settings), image in zip(pairs, renderer.render_many(pairs, SIZE, seed=3), strict=True):
        assert_same(image, renderer.render(scene, SIZE, settings=settings, seed=3))


def test_a_bad_scene_among_many(renderer: vf.Renderer) -> None:
    good = turning(1)[0]
    images = renderer.render_many([good, good, "no scene"], SIZE, samples=1)  # type: ignore[list-item]
    assert_same(next(images), renderer.render(good, SIZE, samples=1))
    with pytest.raises(vf.InputError, match="wanted a vkforge.Scene"):
        list(images)
    renderer.render(good, SIZE, samples=1)


# Ownership


def test_arrays_belong_to_the_caller() -> None:
    first, second = turning(2)
    with vf.Renderer() as renderer:
        image = renderer.render(first, SIZE, samples=2, aovs=ALL)
        kept = {name: pixels.copy() for name, pixels in buffers(image).items()}
        others = [*renderer.render_many([second, first, second], SIZE, samples=2, aovs=ALL)]
    for name, pixels in buffers(image).items():
        assert pixels.flags.writeable, name
        base: Any = pixels
        while getattr(base, "base", None) is not None:
            base = base.base
        assert isinstance(base, np.ndarray), f"{name} is a view of {type(base).__name__}"
        assert not any(np.shares_memory(pixels, buffers(other)[name]) for other in others)
        np.testing.assert_array_equal(pixels, kept[name])
        pixels[...] = 0  # after close, as the caller likes
    assert_same(others[0], others[2])


def test_aovs_have_the_shapes_and_dtypes_that_the_table_says(renderer: vf.Renderer) -> None:
    image = renderer.render(turning(1)[0], SIZE, samples=1, aovs=ALL)
    width, height = SIZE
    assert image.rgba.shape == (height, width, 4)
    assert image.rgba.dtype == np.uint8
    assert image.hdr.shape == (height, width, 3)
    assert image.hdr.dtype == np.float32
    for name, aov in vf.AOVS.items():
        assert image.aovs[name].shape == ((height, width) if aov.channels == 1 else (height, width, aov.channels))
        assert image.aovs[name].dtype == np.float32
        assert image.aovs[name].flags.c_contiguous


# A small cap


@pytest.fixture
def small() -> Iterator[vf.Renderer]:
    with vf.Renderer(host_memory_cap=2 * MIB) as made:
        yield made
        report = made.memory_report()
        assert 0 < report.peak.host_reserved <= report.host_cap == 2 * MIB


def test_a_big_picture_comes_back_in_bands(
    renderer: vf.Renderer, small: vf.Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1000 x 700 pixels of radiance alone are 10.7 MiB."""
    bands: list[int] = []
    real = Readback._in_bands
    monkeypatch.setattr(Readback, "_in_bands", lambda *a: bands.append(1) or real(*a))
    size = (1000, 700)
    scene = turning(1)[0]
    banded = small.render(scene, size, samples=1, sky_rays=1, aovs=("position", "normal"))
    assert bands
    bands.clear()
    assert_same(banded, renderer.render(scene, size, samples=1, sky_rays=1, aovs=("position", "normal")))
    assert not bands
    assert all(pixels.flags.writeable for pixels in buffers(banded).values())


def test_many_big_pictures(renderer: vf.Renderer, small: vf.Renderer) -> None:
    scenes = turning(3)
    for scene, image in zip(scenes, small.render_many(scenes, (300, 200), samples=1), strict=True):
        assert_same(image, renderer.render(scene, (300, 200), samples=1))


def test_large_and_small_pictures_in_turn(renderer: vf.Renderer, small: vf.Renderer) -> None:
    """Whole copies and bands share the ring; a copy that is still pending must not be overwritten."""
    scene = turning(1)[0]
    for size in ((20, 10), (400, 300), (100, 80), (500, 200), (20, 10)):
        assert_same(small.render(scene, size, samples=1), renderer.render(scene, size, samples=1))


def test_a_big_dem_streams_in(renderer: vf.Renderer, small: vf.Renderer) -> None:
    """2048 x 2048 heights are 16 MiB, eight times the cap; every one of them must arrive."""
    heights = np.random.default_rng(1).random((2048, 2048), dtype=np.float32)
    heights[777, 1234] = np.nan
    terrain = vf.Terrain(heights)
    with_cap, without = (
        one.render(
            vf.Scene(terrain, camera=vf.Camera.map(terrain), sun=None, sky=None),
            (1024, 1024),
            samples=1,
            sky_rays=0,
            aovs=("depth",),
        )
        for one in (small, renderer)
    )
    assert_same(with_cap, without)
    assert np.isfinite(with_cap.aovs["depth"]).mean() > 0.99


def test_every_row_of_a_big_dem_arrives(small: vf.Renderer) -> None:
    """A ray straight down onto a sample meets its height."""
    rng = np.random.default_rng(2)
    heights = rng.random((1500, 700), dtype=np.float32) * 10.0
    terrain = vf.Terrain(heights)
    i, j = rng.integers(1, 1499, 4000), rng.integers(1, 699, 4000)
    origins = np.stack([j - 699 / 2, 1499 / 2 - i, np.full(4000, 20.0)], axis=1)
    hits = small.trace(terrain, origins, np.broadcast_to([0.0, 0.0, -1.0], (4000, 3)))
    np.testing.assert_allclose(20.0 - hits.t, heights[i, j], atol=2e-4)


def test_more_rays_than_the_cap_holds(renderer: vf.Renderer, small: vf.Renderer) -> None:
    """Data larger than the cap streams: 200,000 rays are 4.6 MiB, their results 3.1."""
    rng = np.random.default_rng(4)
    origins = np.concatenate([rng.uniform(-8, 8, (200_000, 2)), np.full((200_000, 1), 9.0)], axis=1)
    directions = np.concatenate([rng.uniform(-1, 1, (200_000, 2)), np.full((200_000, 1), -1.0)], axis=1)
    few, many = (one.trace(TERRAIN, origins, directions) for one in (small, renderer))
    np.testing.assert_array_equal(few.t, many.t)
    np.testing.assert_array_equal(few.normal, many.normal)


@pytest.mark.parametrize("cap", [0, -1, MIB - 1, 1.5e9, True, "1 GiB", None])
def test_a_cap_that_makes_no_sense(cap: Any) -> None:
    with pytest.raises(vf.InputError, match="host_memory_cap"):
        vf.Renderer(host_memory_cap=cap)
