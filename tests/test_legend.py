"""A terrain's colormap, read back for a legend: against the libraries' own colours and what is drawn."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.scene.colormaps import Colormap, resolve
from vkforge.scene.colors import encode_srgb

HEIGHTS = np.random.default_rng(3).uniform(210.0, 890.0, (20, 30))


def legend_of(terrain: vf.Terrain) -> Colormap:
    assert terrain.colormap is not None
    return terrain.colormap


def legend(**options: Any) -> Colormap:
    return legend_of(vf.Terrain(HEIGHTS, 10.0, **options))


def test_what_was_given_is_told() -> None:
    shown = legend(cmap="vkforge.relief", vmin=200, vmax=900)
    assert (shown.name, shown.limits, shown.of_elevation) == ("vkforge.relief", (200.0, 900.0), True)
    assert legend(cmap=["red", "blue"]).name == ""
    heights = vf.Terrain(HEIGHTS).heights
    assert legend(cmap="vkforge.grey").limits == (heights.min(), heights.max())
    assert legend(cmap="vkforge.grey", percentiles=(2, 98)).limits == pytest.approx(np.percentile(heights, (2, 98)))
    other = legend(cmap="vkforge.grey", cmap_data=np.array([[0.0, 1.0], [2.0, 7.0]]))
    assert (other.limits, other.of_elevation) == ((0.0, 7.0), False)
    with pytest.raises(dataclasses.FrozenInstanceError):
        shown.name = "x"  # type: ignore[misc]


def test_there_is_none_without_a_colormap() -> None:
    assert vf.Terrain(HEIGHTS).colormap is None
    assert vf.Terrain(HEIGHTS, albedo="tan").colormap is None
    assert vf.Terrain(HEIGHTS, albedo=np.full((3, 3), 0.4)).colormap is None


def test_changed_copies_keep_it() -> None:
    terrain = vf.Terrain(HEIGHTS, cmap="vkforge.relief")
    assert dataclasses.replace(terrain, vertical_exaggeration=3.0).colormap is terrain.colormap
    again = pickle.loads(pickle.dumps(terrain)).colormap
    assert (again.name, again.limits) == (terrain.colormap.name, terrain.colormap.limits)
    assert dataclasses.replace(terrain, albedo="tan").colormap is None
    assert dataclasses.replace(terrain, cmap="vkforge.grey").colormap.name == "vkforge.grey"
    assert vf.Scene.portrait(vf.Terrain(HEIGHTS)).terrain.colormap.name == "vkforge.relief"  # the tint it has there


def test_colours_are_those_of_the_library() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    shown = legend(cmap=matplotlib.colormaps["viridis"], vmin=0, vmax=1000)
    assert shown.name == "viridis"
    np.testing.assert_allclose(shown.colors(256), matplotlib.colormaps["viridis"](np.arange(256))[:, :3], atol=1 / 509)
    assert shown.colors(7).shape == (7, 3)
    np.testing.assert_array_equal(shown.colors(3)[[0, 2]], shown([0.0, 1000.0]))
    np.testing.assert_array_equal(shown([-5.0, 2000.0]), shown([0.0, 1000.0]))  # beyond the limits: the ends' colours
    assert shown(500.0).shape == (3,)
    assert shown(np.zeros((4, 5))).shape == (4, 5, 3)
    assert np.isnan(shown(np.nan)).all()
    np.testing.assert_array_equal(shown.table, resolve("viridis"))
    halves: Any = 2.5
    for bad in (lambda: shown.colors(1), lambda: shown.ticks(halves), lambda: shown("high"), lambda: shown.ticks(1)):
        with pytest.raises(vf.InputError):
            bad()


@pytest.mark.parametrize(
    ("limits", "count", "ticks"),
    [
        ((210, 890), 5, [400, 600, 800]),
        ((210, 890), 8, [300, 400, 500, 600, 700, 800]),
        ((0, 1), 6, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ((-0.3, 0.3), 3, [-0.2, 0.0, 0.2]),
        ((-5000, 8848), 3, [-5000, 0, 5000]),
        ((1e6, 1e6 + 1), 5, [1e6, 1e6 + 0.5, 1e6 + 1]),
    ],
)
def test_ticks_are_round_and_within_the_limits(limits: Any, count: int, ticks: list[float]) -> None:
    assert legend(cmap="vkforge.grey", vmin=limits[0], vmax=limits[1]).ticks(count) == ticks


def test_ticks_of_any_limits() -> None:
    rng = np.random.default_rng(4)
    table = resolve("vkforge.grey")
    for _ in range(2000):
        low = rng.uniform(-5000, 5000)
        high, count = low + 10 ** rng.uniform(-1, 4), int(rng.integers(2, 20))
        ticks = Colormap("", (low, high), True, table).ticks(count)
        assert 1 <= len(ticks) <= count
        assert low - 1e-6 <= ticks[0] <= ticks[-1] <= high + 1e-6
        assert len(set(ticks)) == len(ticks)


@pytest.mark.parametrize("data", [None, HEIGHTS * -2.0 + 30.0])
def test_the_picture_has_these_colours(renderer: vf.Renderer, data: Any) -> None:
    options = {} if data is None else {"cmap_data": data}
    terrain = vf.Terrain(HEIGHTS, 10.0, cmap="vkforge.swiss", vertical_exaggeration=2.0, **options)
    scene = vf.Scene(terrain, vf.Camera.map(terrain, pixels="samples"))
    drawn = renderer.render(scene, samples=1, aovs=("albedo",)).aovs["albedo"]
    values = terrain.heights if data is None else data
    np.testing.assert_allclose(np.vectorize(encode_srgb)(drawn), legend_of(terrain)(values), atol=0.006)
