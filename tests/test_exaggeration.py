"""What vertical exaggeration does to places and levels: as each docstring says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import vkforge as vf

SIZE = (32, 24)
HEIGHTS = np.random.default_rng(5).uniform(100.0, 140.0, (12, 16))
LEVEL = np.zeros((8, 8))  # at height 0 exaggeration moves nothing, so that what else moves shows


def ground(exaggeration: float, heights: Any = HEIGHTS, **more: Any) -> vf.Terrain:
    return vf.Terrain(heights, 20.0, vertical_exaggeration=exaggeration, **more)


def picture(renderer: vf.Renderer, terrain: vf.Terrain, **parts: Any) -> np.ndarray:
    camera = vf.Camera.perspective((0.0, -70.0, 30.0), (0.0, 60.0, 60.0))
    scene = vf.Scene(terrain, parts.pop("camera", camera), **parts)
    return np.array(renderer.render(scene, SIZE, samples=2, sky_rays=1).hdr)


def test_water_floods_the_same_ground_whatever_the_exaggeration(renderer: vf.Renderer) -> None:
    for exaggeration in (1.0, 3.0):
        terrain = ground(exaggeration)
        scene = vf.Scene(terrain, vf.Camera.map(terrain), water=vf.Water(120.0))
        shown = renderer.render(scene, samples=1, aovs=("water", "position"))
        water, z = shown.aovs["water"] > 0, shown.aovs["position"][..., 2] / exaggeration
        assert 0.2 < water.mean() < 0.8
        assert (z[~water] >= 120.0 - 1e-2).all()
        assert scene.water is not None
        covered = [scene.water.covers(terrain, x, y) for x, y in ((0.0, 0.0), (31.0, -44.0), (-70.0, 60.0))]
        assert covered == [
            vf.Water(120.0).covers(ground(1.0), *at) for at in ((0.0, 0.0), (31.0, -44.0), (-70.0, 60.0))
        ]
    under = terrain.height_at(0.0, 0.0) + 1.0
    with pytest.raises(vf.InputError, match="under water: its z is .* is at 450 m"):
        vf.Scene(terrain, vf.Camera.perspective((0.0, 0.0, under), (0, 90, under)), water=vf.Water(150.0))


def test_a_skirt_reaches_down_to_its_elevation_times_the_exaggeration(renderer: vf.Renderer) -> None:
    for exaggeration in (1.0, 3.0):
        terrain = ground(exaggeration, skirt=60.0)
        camera = vf.Camera.orthographic((0.0, -900.0, 150.0), (0.0, 0.0, 150.0), height=600.0)
        shown = renderer.render(vf.Scene(terrain, camera), (30, 600), samples=1, aovs=("position", "hit"))
        z = shown.aovs["position"][..., 2][shown.aovs["hit"] > 0]
        assert z.min() == pytest.approx(60.0 * exaggeration, abs=1.5)  # a pixel is a metre


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("fog", vf.Fog(3e-3, base=10.0, scale_height=20.0), vf.Fog(3e-3, base=30.0, scale_height=20.0)),
        ("clouds", vf.Clouds(0.6, base=200.0, size=300.0, seed=3), vf.Clouds(0.6, base=600.0, size=300.0, seed=3)),
    ],
)
def test_bases_are_of_the_world_and_stay_where_they_are(renderer: vf.Renderer, name: str, low: Any, high: Any) -> None:
    flat = picture(renderer, ground(1.0, LEVEL), **{name: low})
    np.testing.assert_allclose(picture(renderer, ground(3.0, LEVEL), **{name: low}), flat, rtol=1e-4, atol=1e-6)
    assert np.abs(picture(renderer, ground(1.0, LEVEL), **{name: high}) - flat).max() > 0.02  # a third of it would show


# Cameras over a place

UTM = (25.0, 0.0, 740_000.0, 0.0, -25.0, 5_100_000.0)  # at the zone's border, where the grid's north is 2 degrees off
PLACED = vf.Terrain(
    np.random.default_rng(9).uniform(300, 400, (30, 40)),
    25.0,
    crs="EPSG:32632",
    transform=UTM,
    vertical_exaggeration=2.5,
)


@pytest.mark.parametrize("exaggeration", [1.0, 2.5, 0.5])
def test_a_camera_stands_over_the_ground_as_it_is_drawn(exaggeration: float, renderer: vf.Renderer) -> None:
    terrain = ground(exaggeration)
    camera = vf.Camera.at(terrain, x=33.0, y=-21.0, above_ground=2.0, bearing=270.0)
    assert camera.position == pytest.approx((33.0, -21.0, terrain.height_at(33.0, -21.0) + 2.0))
    assert camera.fov == 40.0
    assert np.subtract(camera.target, camera.position) / np.linalg.norm(
        np.subtract(camera.target, camera.position)
    ) == pytest.approx((-1.0, 0.0, 0.0), abs=1e-12)
    x, y, _ = camera.position
    down = vf.Camera.at(terrain, x=x, y=y, above_ground=2.0, pitch=-89.0, fov=1.0)
    shown = renderer.render(vf.Scene(terrain, down), (9, 9), samples=1, aovs=("depth",))
    assert shown.aovs["depth"][4, 4] == pytest.approx(2.0, abs=0.2)


def test_a_place_by_longitude_and_latitude() -> None:
    pyproj = pytest.importorskip("pyproj")
    world = np.array([120.0, -80.0, PLACED.height_at(120.0, -80.0)])
    lon, lat, _ = PLACED.to_geographic(world)
    camera = vf.Camera.at(PLACED, lon, lat, bearing=30.0, pitch=10.0, fov=55.0)
    assert camera.position == pytest.approx(world + np.array([0.0, 0.0, 2.0]), abs=1e-4)
    assert camera.fov == 55.0
    for turn in (-360.0, 360.0):
        assert vf.Camera.at(PLACED, lon + turn, lat, bearing=30.0).position == pytest.approx(camera.position, abs=1e-4)
    # Along the geodesic that leaves at 30 degrees from true north.
    east, north, _ = pyproj.Geod(ellps="WGS84").fwd(lon, lat, 30.0, 200.0)
    ahead = PLACED.to_world((east, north, 0.0))[:2] - world[:2]
    seen = np.subtract(camera.target, camera.position)
    turned = np.degrees(np.arctan2(*seen[:2]) - np.arctan2(*ahead))
    assert turned == pytest.approx(0.0, abs=0.01)
    assert abs(np.degrees(np.arctan2(*seen[:2])) - 30.0) > 1.5  # which is not where the grid has it
    assert np.degrees(np.arctan2(seen[2], np.hypot(*seen[:2]))) == pytest.approx(10.0)


def test_a_terrain_across_the_date_line() -> None:
    pytest.importorskip("pyproj")
    terrain = vf.Terrain(HEIGHTS, 30.0, crs="EPSG:4326", transform=(1 / 3600, 0.0, 179.998, 0.0, -1 / 3600, 0.1))
    places = [vf.Camera.at(terrain, lon, 0.0985).position for lon in (180.0005, -179.9995, 540.0005)]
    for place in places:
        assert place == pytest.approx(places[0], abs=1e-6)
    with pytest.raises(
        vf.InputError, match=r"lon 170, lat 0 is beside .* from lon -180\.002 to -179\.998 and from lat"
    ):
        vf.Camera.at(terrain, 170.0, 0.0)


def test_places_that_are_none() -> None:
    pytest.importorskip("pyproj")
    holed = HEIGHTS.copy()
    holed[6, 8] = np.nan
    lone, hole = ground(2.0), ground(2.0, holed)
    for call, message in (
        (
            lambda: vf.Camera.at(lone, 8.0, 46.0),
            r"does not know where .* crs and a transform, or the place as x= and y=",
        ),
        (lambda: vf.Camera.at(lone), "wants one place"),
        (lambda: vf.Camera.at(lone, x=1.0), "wants one place"),
        (lambda: vf.Camera.at(PLACED, 8.0, 46.0, x=1.0, y=2.0), "wants one place"),
        (lambda: vf.Camera.at(PLACED, 8.0, y=2.0), "wants one place"),
        (
            lambda: vf.Camera.at(lone, x=151.0, y=0.0),
            "x = 151, y = 0 m is beside .* from x = -150 to 150 and from y = -110",
        ),
        (lambda: vf.Camera.at(hole, x=12.0, y=-10.0), "over a hole of the terrain, which reaches from x = -150"),
        (lambda: vf.Camera.at(PLACED, 8.0, 46.0), r"lon 8, lat 46 is beside the terrain, which reaches from lon 12\."),
        (lambda: vf.Camera.at(PLACED, 8.0, 95.0), "lat"),
        (lambda: vf.Camera.at(lone, x=0.0, y=0.0, above_ground=0.0), "above_ground"),
        (lambda: vf.Camera.at(lone, x=0.0, y=0.0, pitch=90.0), "pitch"),
    ):
        with pytest.raises(vf.InputError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)
