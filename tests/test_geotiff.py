"""GeoTIFF, read back by rasterio and by GDAL's own program: bands, nodata, alpha, and where on the Earth pixels lie."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_image import HEIGHT, UTM, WIDTH, make_image

import vkforge as vf
from vkforge.aovs import AOVS
from vkforge.errors import InputError
from vkforge.image import GeoReference
from vkforge.scene.georeferencing import is_plan, pixel_transform

rasterio = pytest.importorskip("rasterio")

COUNT_NOTHING = {"hit", "water", "coverage", "object_id", "material_id"}


def bands_of(path: Path) -> dict[str, np.ndarray]:
    with rasterio.open(path) as read:
        return dict(zip(read.descriptions, read.read(), strict=True))


def names_of(name: str) -> list[str]:
    """The bands of an AOV."""
    channels = AOVS[name].exr_channels
    return [name] if len(channels) == 1 else [f"{name}.{channel.rpartition('.')[2].lower()}" for channel in channels]


# What is in the file


def test_the_picture(tmp_path: Path) -> None:
    image = dataclasses.replace(make_image(), aovs={})
    image.save(tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif") as read:
        assert read.crs.to_epsg() == 32616
        assert read.colorinterp[3].name == "alpha"
        assert np.array_equal(np.moveaxis(read.read(), 0, -1), image.rgba)
        # centre of pixel (row 10, column 20), half a pixel being the bar and rounding the error
        assert read.xy(10, 20) == pytest.approx((743_000 + 20.5 * 30, 4_070_000 - 10.5 * 30), abs=1e-6)


def test_alpha_is_coverage(tmp_path: Path) -> None:
    image = make_image()
    coverage = np.linspace(0.0, 1.0, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    image = dataclasses.replace(image, aovs={"coverage": coverage})
    before = image.rgba.copy()
    with rasterio.open(image.save(tmp_path / "a.tif")) as read:
        assert np.array_equal(read.read(4), np.rint(255 * coverage))
        assert np.array_equal(np.moveaxis(read.read((1, 2, 3)), 0, -1), image.rgba[..., :3])
        assert (read.dataset_mask()[coverage == 0] == 0).all()
    assert np.array_equal(image.rgba, before)


def test_every_aov_is_a_band(tmp_path: Path) -> None:
    image = make_image()
    path = image.save(tmp_path / "a.tif", aovs=tuple(image.aovs))
    with rasterio.open(path) as read:
        units = dict(zip(read.descriptions, read.units, strict=True))
        assert math.isnan(read.nodata)
    bands = bands_of(path)
    assert len(bands) == sum(AOVS[name].channels for name in image.aovs)
    for name, values in image.aovs.items():
        wanted = image.hdr if name == "beauty" else values
        for i, band in enumerate(names_of(name)):
            assert units[band] == AOVS[name].unit
            assert np.array_equal(bands[band], wanted if wanted.ndim == 2 else wanted[..., i])
    some = bands_of(image.save(tmp_path / "a.tif", aovs=("depth", "normal")))
    assert list(some) == ["depth", "normal.x", "normal.y", "normal.z"]


def test_light_is_a_band_without_being_asked_for_before(tmp_path: Path) -> None:
    image = dataclasses.replace(make_image(), aovs={})
    for aovs in ("beauty", ("beauty",)):
        bands = bands_of(image.save(tmp_path / "a.tif", aovs=aovs))
        assert list(bands) == ["beauty.r", "beauty.g", "beauty.b"]
        assert np.array_equal(np.dstack([*bands.values()]), image.hdr)
    assert np.array_equal(np.load(image.save(tmp_path / "a.npz", aovs="beauty"))["beauty"], image.hdr)


@pytest.mark.parametrize("knows", ["hit", "object_id", "material_id", "depth", "depth_axis", None])
def test_nothing_is_no_data(tmp_path: Path, knows: str | None, caplog: pytest.LogCaptureFixture) -> None:
    """Whichever AOV tells where nothing is hit, and whether or not it is saved; with none of them, a warning."""
    empty = np.zeros((HEIGHT, WIDTH), bool)
    empty[3:7, 5:9] = True
    normal = np.where(empty[..., None], 0.0, 1.0).astype(np.float32) * np.array([0, 0, 1], np.float32)
    aovs = {"normal": normal, "coverage": np.where(empty, 0.0, 1.0).astype(np.float32)}
    if knows in ("depth", "depth_axis"):
        aovs[knows] = np.where(empty, np.inf, 5.0).astype(np.float32)
    elif knows is not None:
        aovs[knows] = np.where(empty, 0.0, 1.0).astype(np.float32)
    image = dataclasses.replace(make_image(), aovs=aovs)
    with caplog.at_level(logging.WARNING, "vkforge"):
        path = image.save(tmp_path / "a.tif", aovs=("normal", "coverage", "beauty"))
    bands = bands_of(path)
    assert np.array_equal(bands["coverage"], aovs["coverage"])
    if knows is None:
        assert "render the AOV 'hit' too" in caplog.text
        assert np.array_equal(bands["normal.z"], normal[..., 2])
        return
    assert not caplog.text
    for band in ("normal.x", "normal.z", "beauty.g"):
        assert np.array_equal(np.isnan(bands[band]), empty)
    assert np.nanmin(bands["normal.z"]) == 1.0
    with rasterio.open(path) as read:
        assert np.array_equal(read.read_masks(1) == 0, empty)
    whole = bands_of(image.save(tmp_path / "b.tif", aovs=knows))
    if knows in COUNT_NOTHING:
        assert np.array_equal(whole[knows], aovs[knows])
    else:
        assert np.array_equal(np.isnan(whole[knows]), empty)


def test_as_gdal_sees_it(tmp_path: Path) -> None:
    """Every AOV a band with a description and a unit; the corners and the centre where they belong."""
    gdalinfo = shutil.which("gdalinfo")
    if gdalinfo is None:
        pytest.skip("no gdalinfo on PATH (Debian: gdal-bin)")
    image = make_image()
    path = image.save(tmp_path / "a.tif", aovs=tuple(image.aovs))
    said = json.loads(subprocess.run([gdalinfo, "-json", str(path)], capture_output=True, check=True).stdout)
    assert said["size"] == [WIDTH, HEIGHT]
    assert said["geoTransform"] == [743_000.0, 30.0, 0.0, 4_070_000.0, 0.0, -30.0]
    assert said["metadata"][""]["AREA_OR_POINT"] == "Area"
    assert said["cornerCoordinates"]["center"] == [743_000 + WIDTH * 15.0, 4_070_000 - HEIGHT * 15.0]
    assert '"EPSG",32616' in said["coordinateSystem"]["wkt"]
    bands = [(band["description"], band.get("unit", "")) for band in said["bands"]]
    assert len(bands) == sum(AOVS[name].channels for name in image.aovs)
    for aov in AOVS.values():
        assert all((band, aov.unit) in bands for band in names_of(aov.name))
    assert {str(band["noDataValue"]).lower() for band in said["bands"]} == {"nan"}


# Where it is


def sloping(transform: Any = (25.0, 0.0, 500_000.0, 0.0, -25.0, 4_100_000.0), holes: bool = False) -> vf.Terrain:
    rows, cols = 24, 40
    row, col = np.mgrid[:rows, :cols]
    heights = (3.0 * col + 100.0 * row).astype(np.float32)  # linear, so that each height has one place
    if holes:
        heights[8:14, 10:20] = np.nan
    return vf.Terrain(heights, 25.0, crs="EPSG:32633", transform=transform)


@pytest.mark.gpu
@pytest.mark.parametrize("scale", [1, 2])
def test_it_lies_right_to_half_a_pixel(tmp_path: Path, renderer: vf.Renderer, scale: int) -> None:
    """What a band says lies at a pixel is what the elevation model has there."""
    terrain = sloping()
    rows, cols = terrain.shape
    scene = vf.Scene(terrain, camera=vf.Camera.map(terrain))
    image = renderer.render(scene, (scale * cols, scale * rows), aovs=("position", "hit"), samples=1)
    with rasterio.open(image.save(tmp_path / "a.tif", aovs=("position", "hit"))) as read:
        bands = dict(zip(read.descriptions, read.read(), strict=True))
        inside = bands["hit"] > 0
        inside[[0, -1]] = inside[:, [0, -1]] = False  # beyond the outermost samples there are no heights
        assert inside.mean() > 0.8
        y, x = np.nonzero(inside)
        east, north = (np.asarray(values) for values in rasterio.transform.xy(read.transform, y, x))
        # Sample (0, 0) of the DEM is a cell whose centre is half a cell in from the corner.
        wanted = 3.0 * (east - 500_000.0) / 25.0 - 1.5 + 100.0 * (4_100_000.0 - north) / 25.0 - 50.0
        assert np.abs(bands["position.z"][inside] - wanted).max() < 0.1  # half a pixel down is 25 m and more


@pytest.mark.gpu
@pytest.mark.parametrize("up", [(0, 1, 0), (1, 0, 0), (0.3, -0.8, 0.0), (0, 0, 1)])
@pytest.mark.parametrize("turned", [False, True])
def test_orthographic_from_right_above(tmp_path: Path, renderer: vf.Renderer, up: Any, turned: bool) -> None:
    """However the camera is turned, off its middle, over a DEM that is turned itself: to a hundredth of a pixel."""
    transform = (24.0, 7.0, 500_000.0, 7.0, -24.0, 4_100_000.0) if turned else (25.0, 0.0, 5e5, 0.0, -25.0, 4.1e6)
    terrain = sloping(transform)
    camera = vf.Camera.orthographic((40.0, -30.0, 9000.0), (40.0, -30.0, 0.0), up, height=700.0)
    image = renderer.render(vf.Scene(terrain, camera), (64, 48), aovs=("position", "hit"), samples=1)
    with rasterio.open(image.save(tmp_path / "a.tif", aovs=("position", "hit"))) as read:
        bands = dict(zip(read.descriptions, read.read(), strict=True))
        y, x = np.nonzero(bands["hit"] > 0)
        assert len(x) > 1000
        world = np.stack([bands[f"position.{c}"][y, x] for c in "xyz"], axis=1).astype(float)
        places = terrain.to_geographic(world, crs=None)
        rows, columns = rasterio.transform.rowcol(read.transform, *places[:, :2].T, op=lambda value: value)
        assert np.abs(np.subtract(columns, x + 0.5)).max() < 0.01
        assert np.abs(np.subtract(rows, y + 0.5)).max() < 0.01


@pytest.mark.gpu
@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_holes_and_the_outside_of_a_map(tmp_path: Path, renderer: vf.Renderer, lane: str) -> None:
    """A rendered map whose frame is larger than the DEM: all that is no ground is nodata, and transparent."""
    terrain = sloping(holes=True)
    scene = vf.Scene.relief(terrain)
    image = renderer.render(scene, (60, 24), lane=lane, samples=2, aovs=(*AOVS,))
    assert np.array_equal(image.aovs["beauty"], image.hdr)
    empty = image.aovs["hit"] == 0
    assert empty[10:12, 22:28].all()  # the hole, in a frame with 10 columns more at both sides
    assert empty[:, :9].all()
    for name, band in bands_of(image.save(tmp_path / "a.tif", aovs=tuple(AOVS))).items():
        if name in COUNT_NOTHING:
            assert np.isfinite(band).all(), name
        else:
            assert np.array_equal(np.isnan(band), empty), name
    with rasterio.open(image.save(tmp_path / "b.tif")) as read:
        alpha = read.read(4)
    assert (alpha[10:12, 22:28] == 0).all()
    assert (alpha[:, :9] == 0).all()
    assert (alpha[2:6, 15:45] == 255).all()
    assert (image.rgba[..., 3] == 255).all()


def test_only_plans_are_maps() -> None:
    terrain = sloping()
    above, below = (0.0, 0.0, 5000.0), (0.0, 0.0, 0.0)
    plans = [
        vf.Camera.map(terrain),
        vf.Camera.orthographic(above, below, height=500.0),
        vf.Camera.oblique(terrain, angle=90.0),
    ]
    others = [
        vf.Camera.perspective(above, below, fov=10.0),
        vf.Camera.orthographic(below, above, height=500.0),
        vf.Camera.orthographic((5.0, 0.0, 5000.0), below, height=500.0),
        vf.Camera.oblique(terrain),
        vf.Camera.fisheye(above, below),
    ]
    assert all(is_plan(camera) for camera in plans)
    assert not any(is_plan(camera) for camera in others)
    for camera in plans:
        transform = pixel_transform(terrain, camera, (50, 40))
        assert transform is not None
        a, b, c, d, e, f = transform
        for pixel in ((0.5, 0.5), (31.0, 7.5), (50.0, 40.0)):
            world = camera.unproject(pixel, 10.0, (50, 40))
            there = terrain.to_geographic(world, crs=None)
            x, y = pixel
            assert (a * x + b * y + c, d * x + e * y + f) == pytest.approx(tuple(there[:2]), abs=1e-6)
    assert pixel_transform(terrain, others[0], (50, 40)) is None
    assert pixel_transform(vf.Terrain(terrain.heights, 25.0), plans[0], (50, 40)) is None


def test_it_wants_a_georeference(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no georeference.*vkforge relief.*in perspective"):
        make_image(georeference=None).save(tmp_path / "a.tif")
    assert not list(tmp_path.iterdir())


def test_it_refuses_an_unknown_crs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="EPSG:999999"):
        make_image(georeference=GeoReference("EPSG:999999", UTM.transform)).save(tmp_path / "a.tif")
    assert not list(tmp_path.iterdir())


def test_georeference_resized_covers_the_same_ground() -> None:
    half = UTM.resized((WIDTH, HEIGHT), (2 * WIDTH, 4 * HEIGHT))
    assert half.transform == (15.0, 0.0, 743_000.0, 0.0, -7.5, 4_070_000.0)
    bad: list[Any] = [(1, 2, 3), (1, 0, 0, 0, 0, 0), (1, 0, np.nan, 0, 1, 0), None]
    for transform in bad:
        with pytest.raises(InputError, match="transform"):
            GeoReference(None, transform)
