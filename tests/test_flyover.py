"""Flights over the ground along a path or a GPX file: clear of the ground, even, smooth, and told what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.io.gpx import read_path
from vkforge.scene.flight import smoothed_path

RNG = np.random.default_rng(12)
UTM = (20.0, 0.0, 500_000.0, 0.0, -20.0, 4_100_000.0)


def rugged() -> np.ndarray:
    """Hills with towers a cell wide that rise out of them."""
    y, x = np.mgrid[0:80, 0:120]
    heights = 300.0 + 60.0 * np.sin(x / 9.0) * np.cos(y / 7.0)
    heights[RNG.random(heights.shape) < 0.02] += 150.0
    return heights


TERRAIN = vf.Terrain(rugged(), 20.0, crs="EPSG:32616", transform=UTM, vertical_exaggeration=2.0)
WAY = np.linspace(0.0, 1.0, 400)
TRACK = np.stack([-1000.0 + 2000.0 * WAY, 500.0 * np.sin(9.0 * WAY)], axis=1) + RNG.normal(0.0, 6.0, (400, 2))


def gpx(points: Any, kind: str = "trk") -> str:
    tag = {"trk": "trkpt", "rte": "rtept", "wpt": "wpt"}[kind]
    inside = "".join(f'<{tag} lat="{lat:.8f}" lon="{lon:.8f}"><ele>9999</ele></{tag}>' for lon, lat in points)
    inside = {"trk": f"<trk><trkseg>{inside}</trkseg></trk>", "rte": f"<rte>{inside}</rte>", "wpt": inside}[kind]
    return (
        f'<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">{inside}</gpx>'
    )


def on_earth(points: np.ndarray = TRACK) -> np.ndarray:
    pytest.importorskip("pyproj")
    return TERRAIN.to_geographic(np.column_stack([points, np.zeros(len(points))]))[:, :2]


def places(film: vf.Animation, a_second: int = 50) -> tuple[np.ndarray, np.ndarray]:
    cameras = [film.scene(t).camera for t in np.arange(0.0, film.duration, 1.0 / a_second)]
    return np.array([c.position for c in cameras]), np.array([np.subtract(c.target, c.position) for c in cameras])


@pytest.mark.parametrize("above", [5.0, 80.0])
@pytest.mark.parametrize("path", [TRACK, TRACK[::40], np.concatenate([TRACK, TRACK[::-1]]), TRACK[[0, -1]], None])
def test_a_flight_is_clear_of_the_drawn_ground_even_and_smooth(path: Any, above: float) -> None:
    film = vf.Animation.flyover(TERRAIN, path, 12.0, above_ground=above)
    assert film.duration == 12.0
    eyes, views = places(film)
    clear = eyes[:, 2] - TERRAIN.height_at(eyes[:, 0], eyes[:, 1])
    assert clear.min() >= above * 0.98
    steps = np.hypot(*np.diff(eyes[:, :2], axis=0).T)
    assert np.quantile(steps, 0.05) > 0.9 * steps.mean() or len(TRACK) * 2 == len(np.atleast_1d(path))
    heading = np.unwrap(np.arctan2(views[:, 0], views[:, 1]))
    assert np.abs(np.diff(heading)).max() * 50 < np.radians(200.0)  # a second, at a hairpin's point too
    assert np.degrees(np.arctan2(views[:, 2], np.hypot(views[:, 0], views[:, 1]))) == pytest.approx(-12.0, abs=0.5)
    film.check()


def test_it_looks_along_the_way_it_flies() -> None:
    eyes, views = places(vf.Animation.flyover(TERRAIN, TRACK, 20.0))
    ahead = np.diff(eyes[:, :2], axis=0)
    off = np.arctan2(views[:-1, 0], views[:-1, 1]) - np.arctan2(ahead[:, 0], ahead[:, 1])
    assert np.abs((off + np.pi) % (2 * np.pi) - np.pi).max() < np.radians(
        25.0
    )  # in the bends, whose turns are smoothed


def test_a_smoothed_path_keeps_its_ends_and_straight_lines() -> None:
    for deviation in (5.0, 60.0, 1e5):
        path = smoothed_path(TRACK, deviation)
        np.testing.assert_allclose(path[[0, -1]], TRACK[[0, -1]], atol=1e-6)
    straight = smoothed_path(np.array([(0.0, 0.0), (1.0, 2.0), (10.0, 20.0)]), 3.0)
    np.testing.assert_allclose(straight[:, 1], 2.0 * straight[:, 0], atol=1e-9)
    # Of what a receiver scatters, a tenth is left: the way is no longer than that without it.
    lengths = [np.hypot(*np.diff(way, axis=0).T).sum() for way in (TRACK, smoothed_path(TRACK, 40.0))]
    assert lengths[0] > 1.4 * lengths[1]


def test_exaggeration_moves_the_ground_and_not_the_height_above_it() -> None:
    for exaggeration in (1.0, 4.0):
        flat = vf.Terrain(np.full((30, 30), 200.0), 50.0, vertical_exaggeration=exaggeration)
        eyes, _ = places(vf.Animation.flyover(flat, [(-500, 0), (500, 100)], 3.0, above_ground=35.0), 10)
        assert eyes[:, 2] == pytest.approx(200.0 * exaggeration + 35.0)


def test_it_flies_over_water() -> None:
    flat = vf.Terrain(np.full((30, 30), 200.0), 50.0, vertical_exaggeration=2.0)
    scene = vf.Scene(flat, vf.Camera.orbit(flat), water=vf.Water(260.0))
    film = vf.Animation.flyover(scene, [(-500, 0), (500, 100)], 3.0, above_ground=10.0)
    assert places(film, 10)[0][:, 2] == pytest.approx(530.0)


def test_a_track_in_a_file(tmp_path: Path) -> None:
    pytest.importorskip("gpxpy")
    (tmp_path / "way.gpx").write_text(gpx(on_earth()))
    (tmp_path / "route.gpx").write_text(gpx(on_earth()[::10], "rte"), encoding="utf-8-sig")
    np.testing.assert_allclose(read_path(tmp_path / "way.gpx"), on_earth(), atol=1e-8)
    np.testing.assert_allclose(read_path(str(tmp_path / "route.gpx")), on_earth()[::10], atol=1e-8)
    film = vf.Animation.flyover(TERRAIN, tmp_path / "way.gpx", 6.0, above_ground=30.0, fov=70.0, fps=10)
    same = vf.Animation.flyover(TERRAIN, on_earth(), 6.0, above_ground=30.0, crs="EPSG:4326")
    around = vf.Animation.flyover(TERRAIN, on_earth() + np.array([360.0, 0.0]), 6.0, above_ground=30.0, crs="EPSG:4326")
    # The file's last digit is a millimetre, and the towers rise 15 metres in one.
    np.testing.assert_allclose(places(film, 10)[0], places(same, 10)[0], atol=0.5)
    np.testing.assert_allclose(places(around, 10)[0], places(same, 10)[0], atol=0.05)
    assert film.scene(1.0).camera.fov == 70.0
    assert film.frames == 60
    assert film.scene(0.0).camera.position[:2] == pytest.approx(TRACK[0], abs=0.01)


def test_what_is_no_way_is_told(tmp_path: Path) -> None:
    pytest.importorskip("gpxpy")
    (tmp_path / "empty.gpx").write_text(gpx([]))
    (tmp_path / "marks.gpx").write_text(gpx(on_earth()[:3], "wpt"))
    (tmp_path / "text.gpx").write_text("not xml\nat all")
    (tmp_path / "bytes.gpx").write_bytes(b"\xff\xfe\x00\x81")
    (tmp_path / "words.gpx").write_text(gpx(on_earth()).replace('lat="3', 'lat="x3'))
    (tmp_path / "pole.gpx").write_text(gpx([(8.0, 99.0), (8.0, 98.0)]))
    (tmp_path / "one.gpx").write_text(gpx(on_earth()[:1]))
    (tmp_path / "alps.gpx").write_text(gpx([(8.0, 46.0), (8.1, 46.1), *on_earth()[:2]]))
    (tmp_path / "way.gpx").write_text(gpx(on_earth()))
    lone = vf.Terrain(rugged(), 20.0)
    for name, message in (
        ("none.gpx", "No such file"),
        ("empty.gpx", "holds no track and no route; wanted"),
        ("marks.gpx", "no track and no route, only 3 waypoints"),
        ("text.gpx", "is no GPX file: Error parsing XML"),
        ("bytes.gpx", "no text in UTF-8"),
        ("words.gpx", "is no GPX file: "),
        ("pole.gpx", "a place that is none"),
        ("one.gpx", "fewer than two different points"),
        ("alps.gpx", r"2 of the 4 points of the flyover path lie beside the terrain, which reaches from lon -8"),
        (".", "wanted a GPX file"),
    ):
        with pytest.raises(vf.InputError, match=message) as caught:
            vf.Animation.flyover(TERRAIN, tmp_path / name)
        assert "\n" not in str(caught.value)
    for call, message in (
        (lambda: vf.Animation.flyover(lone, tmp_path / "way.gpx"), "does not know where on the Earth"),
        (lambda: vf.Animation.flyover(lone, [(0, 0), (9999, 0)]), "1 of the 2 points .* from x = -1190 to 1190"),
        (lambda: vf.Animation.flyover(lone, tmp_path / "way.gpx", crs="EPSG:4326"), "crs is given with a GPX file"),
        (lambda: vf.Animation.flyover(lone, tracks={"camera": {0: 1}}), "moves the camera"),
        (lambda: vf.Animation.flyover(lone, above_ground=-1.0), "above_ground"),
        (lambda: vf.Animation.flyover(lone, [(0, np.nan), (1, 1)]), "NaN"),
    ):
        with pytest.raises(vf.InputError, match=message):
            call()


def test_without_gpxpy_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpxpy", None)
    with pytest.raises(vf.MissingDependencyError, match=r"pip install 'vkforge-renderer\[gpx\]'"):
        vf.Animation.flyover(TERRAIN, "way.gpx")


# On the command line


def animate(*arguments: str) -> Any:
    from typer.testing import CliRunner

    from vkforge.cli import app

    small = ["--cell-size", "20", "--size", "64x36", "--samples", "1", "--sky-rays", "1"]
    return CliRunner().invoke(app, ["animate", "dem.npy", *small, *arguments])


@pytest.mark.gpu
def test_vkforge_animate_flies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rasterio = pytest.importorskip("rasterio")
    pytest.importorskip("gpxpy")
    from typer.testing import CliRunner

    from vkforge.cli import app

    monkeypatch.chdir(tmp_path)
    profile = {"driver": "GTiff", "width": 120, "height": 80, "count": 1, "dtype": "float32"}
    with rasterio.open("dem.tif", "w", crs="EPSG:32616", transform=rasterio.Affine(*UTM), **profile) as dataset:
        dataset.write(TERRAIN.heights, 1)
    Path("way.gpx").write_text(gpx(on_earth()))
    few = ["--size", "64x36", "--samples", "1", "--sky-rays", "1", "--duration", "2", "--fps", "2", "-z", "2"]
    fly = ["--flyover", "way.gpx", "--above-ground", "40", "--fov", "60", "-o", "f_%d.exr", "--aov", "depth"]
    result = CliRunner().invoke(app, ["animate", "dem.tif", *few, *fly])
    assert result.exit_code == 0, result.output
    assert "f_%d.exr: 64x36, 4 frames" in result.output
    assert [path.name for path in sorted(tmp_path.glob("f_*.exr"))] == [f"f_{i}.exr" for i in range(4)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--above-ground", "40"), "--above-ground is how high --flyover flies"),
        (("--flyover", "none.gpx"), "there is no such file; wanted a GPX file"),
        (("--flyover", "way.gpx", "--orbit", "90"), "--orbit and --flyover both say where the camera is"),
        (("--flyover", "way.gpx", "--camera", "map"), "--camera and --flyover both say where the camera is"),
        (("--flyover", "way.gpx", "--azimuth", "9"), "--azimuth and --flyover both say where the camera is"),
        (("--flyover", "way.gpx"), "does not know where on the Earth it lies"),
    ],
)
def test_vkforge_animate_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    pytest.importorskip("gpxpy")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vkforge.renderer.Renderer.__init__", lambda *_, **__: pytest.fail("a device was started"))
    np.save("dem.npy", rugged())
    Path("way.gpx").write_text(gpx(on_earth()))
    result = animate(*arguments)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split())
