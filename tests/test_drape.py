"""Albedo from files and with alpha: where it lies, what shows where it is clear, and what is refused."""

from __future__ import annotations

import logging
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vkforge as vf
from vkforge.sources import drape

UTM = "EPSG:32633"
WEST, NORTH, CELL = 500_000.0, 4_000_000.0, 10.0
SHAPE = (24, 30)


def ground(**options: Any) -> vf.Terrain:
    given = {"crs": UTM, "transform": (CELL, 0.0, WEST, 0.0, -CELL, NORTH), **options}
    return vf.Terrain(np.zeros(SHAPE), CELL, **given)


def picture(
    path: Path, values: Any, corner: Any = (WEST, NORTH), texel: float = CELL, crs: Any = UTM, **profile: Any
) -> Path:
    """Write (bands, rows, cols) as a GeoTIFF whose upper left corner lies there."""
    rasterio = pytest.importorskip("rasterio")
    palette = profile.pop("palette", None)
    bands, rows, cols = values.shape
    given: dict[str, Any] = {
        "driver": "GTiff",
        "count": bands,
        "height": rows,
        "width": cols,
        "dtype": values.dtype,
        "crs": crs,
    }
    if corner is not None:
        given["transform"] = rasterio.Affine(texel, 0.0, corner[0], 0.0, -texel, corner[1])
    with rasterio.open(path, "w", **given, **profile) as dataset:
        dataset.write(values)
        if palette:
            dataset.write_colormap(1, palette)
    return path


def colors(rows: int = SHAPE[0], cols: int = SHAPE[1]) -> np.ndarray:
    return np.random.default_rng(7).integers(20, 250, (3, rows, cols), np.uint8)


def overlay(terrain: vf.Terrain) -> np.ndarray:
    assert terrain.albedo.overlay is not None
    return terrain.albedo.overlay.pixels


def texture(terrain: vf.Terrain) -> np.ndarray:
    assert terrain.albedo.kind == "texture"
    assert terrain.albedo.pixels is not None
    return terrain.albedo.pixels


# Pillow's pictures and alpha


RED = (200, 30, 30)
PALETTE = Image.new("RGB", (4, 4), RED).convert("P", palette=Image.Palette.ADAPTIVE)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBX", "CMYK", "HSV", "YCbCr", "LAB"])
def test_colours_of_any_mode_are_colours(mode: str) -> None:
    red: Any = Image.new("RGB", (4, 4), RED)
    if mode == "LAB":
        from PIL import ImageCms

        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        red = ImageCms.profileToProfile(red, *profiles, outputMode="LAB")
    pixels = texture(vf.Terrain(np.zeros((3, 3)), albedo=red.convert(mode) if mode != "LAB" else red))
    assert np.abs(pixels[..., :3].astype(int) - RED).max() <= 2
    assert (pixels[..., 3] == 255).all()


def test_palettes_are_looked_up() -> None:
    np.testing.assert_array_equal(texture(vf.Terrain(np.zeros((3, 3)), albedo=PALETTE))[0, 0], (*RED, 255))


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "I", "F"])
def test_grey_of_any_mode(mode: str) -> None:
    grey = np.array([[0, 255], [255, 0]], np.uint8)
    given = {
        "1": Image.fromarray(grey).convert("1"),
        "L": Image.fromarray(grey),
        "I;16": Image.fromarray(grey.astype(np.uint16) * 257),
        "I": Image.fromarray(grey.astype(np.int32) * 257),
        "F": Image.fromarray(grey.astype(np.float32) / 255.0),
    }[mode]
    assert given.mode == mode
    pixels = texture(vf.Terrain(np.zeros((3, 3)), albedo=given)).astype(float)
    np.testing.assert_array_equal(pixels[..., 0] / pixels.max(), grey / 255.0)


def test_sixteen_bits_are_decoded() -> None:
    half = Image.fromarray(np.full((2, 2), 0x8080, np.uint16))
    assert texture(vf.Terrain(np.zeros((3, 3)), albedo=half))[0, 0, 0] == pytest.approx(0.215861, abs=1e-4)
    clear = half.copy()
    clear.info["transparency"] = 0x8080
    assert overlay(vf.Terrain(np.zeros((3, 3)), albedo=clear)).max() == 0
    with pytest.raises(vf.InputError, match="mode 'I' from -1 to -1; wanted 0 to 65535"):
        vf.Terrain(np.zeros((3, 3)), albedo=Image.fromarray(np.full((2, 2), -1, np.int32)))


def clear_corner(mode: str) -> Image.Image:
    """Red, but for the first pixel, which is clear."""
    rgba = np.full((4, 4, 4), (*RED, 255), np.uint8)
    rgba[0, 0, 3] = 0
    if mode in ("RGBA", "LA"):
        return Image.fromarray(rgba).convert(mode)
    if mode == "P":
        indices = np.ones((4, 4), np.uint8)
        indices[0, 0] = 0
        picture = Image.fromarray(indices).convert("P")
        picture.putpalette([9, 9, 9, *RED])
        picture.info["transparency"] = 0
        return picture
    rgba[0, 0, :3] = 7
    picture = Image.fromarray(rgba).convert(mode)
    picture.info["transparency"] = (7, 7, 7) if mode == "RGB" else 7
    return picture


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB", "L"])
def test_alpha_and_transparent_colours(mode: str) -> None:
    pixels = overlay(vf.Terrain(np.zeros((3, 3)), albedo=clear_corner(mode)))
    assert not pixels[0, 0].any()
    assert (pixels[1:, :, 3] == 255).all()


def test_maps_of_a_material_are_converted_too() -> None:
    given: Any = PALETTE
    texture = vf.Material(emission=1.0, emission_map=given).maps["emission_map"]
    assert texture is not None
    np.testing.assert_array_equal(texture.pixels[0, 0], (*RED, 255))


def test_masked_pixels_are_clear() -> None:
    image = np.ma.masked_equal(np.full((4, 4, 3), 0.25), 0.25)
    assert not overlay(vf.Terrain(np.zeros((3, 3)), albedo=image)).any()


def albedo_of(renderer: vf.Renderer, terrain: vf.Terrain, lane: str = "lit", size: Any = None) -> np.ndarray:
    scene = vf.Scene(terrain, vf.Camera.map(terrain))
    return renderer.render(scene, size, samples=1, lane=lane, aovs="albedo").aovs["albedo"]


@pytest.mark.gpu
@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_the_grounds_own_colour_shows_through(renderer: vf.Renderer, lane: str) -> None:
    image = np.zeros((*SHAPE, 4), np.float32)
    image[:, 10:20] = (1.0, 0.0, 0.0, 0.5)
    image[:, 20:] = (0.0, 0.0, 1.0, 1.0)
    heights = np.add.outer(np.zeros(SHAPE[0]), np.arange(SHAPE[1], dtype=float))
    owns: tuple[dict[str, Any], ...] = ({}, {"cmap": ["black", "white"]})
    for own in owns:
        wanted = albedo_of(renderer, vf.Terrain(heights, CELL, **own), lane)[12]
        assert own or (wanted == 0.5).all()
        found = albedo_of(renderer, vf.Terrain(heights, CELL, albedo=image, **own), lane)[12]
        np.testing.assert_allclose(found[:9], wanted[:9], atol=1e-3)
        np.testing.assert_allclose(found[11:19], 0.5 * wanted[11:19] + (0.5, 0.0, 0.0), atol=1e-3)
        np.testing.assert_allclose(found[21:], np.broadcast_to((0.0, 0.0, 1.0), (9, 3)), atol=1e-3)


@pytest.mark.gpu
def test_clear_texels_have_no_colour_to_lend(renderer: vf.Renderer) -> None:
    """Between white and clear green there is no green, of bytes neither."""
    image = np.array([[[255, 255, 255, 255], [0, 255, 0, 0]]], np.uint8).repeat(2, axis=0)
    found = albedo_of(renderer, vf.Terrain(np.zeros(SHAPE), CELL, albedo=image))[12]
    share = np.clip(1.5 - (np.arange(SHAPE[1]) + 0.5) / SHAPE[1] * 2.0, 0.0, 1.0)
    np.testing.assert_allclose(found, np.repeat((0.5 + 0.5 * share)[:, None], 3, axis=1), atol=2e-3)


def test_ready_made_scenes_tint_what_shows_through() -> None:
    clear = np.zeros((2, 2, 4), np.uint8)
    scene = vf.Scene.relief(vf.Terrain(np.eye(9), albedo=clear))
    assert scene.terrain.albedo.kind == "ramp"
    assert scene.terrain.albedo.overlay is not None
    with pytest.raises(vf.InputError, match="both albedo and cmap are given, and the albedo has no alpha"):
        vf.Terrain(np.eye(9), albedo=np.zeros((2, 2, 3)), cmap="vkforge.relief")


# Files


def test_a_picture_of_the_same_grid_is_taken_pixel_by_pixel(tmp_path: Path) -> None:
    values = colors()
    terrain = ground(albedo=picture(tmp_path / "o.tif", values))
    np.testing.assert_array_equal(texture(terrain)[..., :3], np.moveaxis(values, 0, -1))
    assert not terrain.albedo.is_default


def test_it_lies_where_it_lies_and_the_ground_shows_beside(tmp_path: Path) -> None:
    values = colors(6, 8)
    path = picture(tmp_path / "o.tif", values, (WEST + 5 * CELL, NORTH - 3 * CELL))
    pixels = overlay(ground(albedo=str(path)))
    wanted = np.zeros((*SHAPE, 4), np.uint8)
    wanted[3:9, 5:13] = (*np.moveaxis(np.concatenate([values, np.full((1, 6, 8), 255, np.uint8)]), 0, -1),)
    np.testing.assert_array_equal(pixels, wanted)
    tinted = ground(albedo=path, cmap="vkforge.relief")
    assert (tinted.albedo.kind, tinted.albedo.overlay is None) == ("ramp", False)


def test_another_crs_is_reprojected(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each texel is the colour that the file has where pyproj says that the texel's middle lies."""
    pyproj = pytest.importorskip("pyproj")
    to_degrees = pyproj.Transformer.from_crs(UTM, "EPSG:4326", always_xy=True)
    west, north, texel = 15.0005, 36.1437, 2e-5
    rows, cols = np.mgrid[0:200, 0:260]
    values = np.stack([cols * 0.9, rows * 1.2, 0 * rows + 80.0]).astype(np.uint8)
    path = picture(tmp_path / "o.tif", values, (west, north), texel, "EPSG:4326")
    with caplog.at_level(logging.INFO, "vkforge"):
        terrain = ground(albedo=path)
    assert "laid over the terrain" in caplog.text
    pixels = overlay(terrain)
    height, width = pixels.shape[:2]
    x = WEST + (np.arange(width) + 0.5) * SHAPE[1] * CELL / width
    y = NORTH - (np.arange(height) + 0.5) * SHAPE[0] * CELL / height
    longitude, latitude = to_degrees.transform(*np.meshgrid(x, y))
    column, row = (longitude - west) / texel - 0.5, (north - latitude) / texel - 0.5
    inside = (column > 1) & (column < 258) & (row > 1) & (row < 198)
    assert 0.2 < inside.mean() < 0.95
    assert (pixels[inside][:, 3] == 255).all()
    np.testing.assert_allclose(pixels[inside][:, 0], column[inside] * 0.9, atol=1.6)
    np.testing.assert_allclose(pixels[inside][:, 1], row[inside] * 1.2, atol=2.0)
    beyond = (column < -1) | (column > 261) | (row < -1) | (row > 201)
    assert not pixels[beyond].any()


def test_finer_pictures_keep_their_texels_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = colors(4 * SHAPE[0], 4 * SHAPE[1])
    path = picture(tmp_path / "o.tif", values, texel=CELL / 4)
    assert texture(ground(albedo=path)).shape == (96, 120, 4)
    monkeypatch.setattr(drape, "LARGEST_SIDE", 30)
    means = values.reshape(3, SHAPE[0], 4, SHAPE[1], 4).mean(axis=(2, 4))
    found = texture(ground(albedo=path))
    assert found.shape == (30, 30, 4)
    assert np.abs(found[..., 0].mean() - means[0].mean()) < 1.0


@pytest.mark.parametrize("kind", ["palette", "grey", "nodata", "alpha", "uint16", "float32", "float alpha"])
def test_what_bands_hold(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    values: np.ndarray = colors()
    profile: dict[str, Any] = {"photometric": "RGB"}
    wanted = np.moveaxis(values, 0, -1)
    alpha = np.full(SHAPE, 255, np.uint8)
    alpha[:, 20:] = 0
    if kind == "palette":
        index = (np.arange(SHAPE[1]) % 2).astype(np.uint8)
        values, profile = np.broadcast_to(index, (1, *SHAPE)), {"palette": {0: (*RED, 255), 1: (1, 2, 3, 255)}}
        wanted = np.array([RED, (1, 2, 3)])[values[0]]
    elif kind == "grey":
        values, profile = values[:1], {}
        wanted = np.repeat(wanted[..., :1], 3, axis=-1)
    elif kind == "nodata":
        values = np.where(alpha > 0, values, 0).astype(np.uint8)
        profile["nodata"] = 0
    elif kind == "alpha":
        values = np.concatenate([values, alpha[None]])
        profile["alpha"] = "YES"
    elif kind == "uint16":
        values = values.astype(np.uint16) * 257
    else:
        values = (values / np.float32(255.0)).astype(np.float32)
        wanted = wanted / 255.0
        if kind == "float alpha":
            values, profile["alpha"] = np.concatenate([values, alpha[None].astype(np.float32) / 255.0]), "YES"
    terrain = ground(albedo=picture(tmp_path / "o.tif", values, **profile))
    if kind in ("nodata", "alpha", "float alpha"):
        pixels = overlay(terrain)
        assert not pixels[:, 20:].any()
        np.testing.assert_allclose(pixels[:, :20, :3], wanted[:, :20], atol=1e-3)
    else:
        np.testing.assert_allclose(texture(terrain)[..., :3], wanted, atol=1e-3)
    assert "dark" not in caplog.text


def test_dark_sixteen_bits_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ground(albedo=picture(tmp_path / "o.tif", colors().astype(np.uint16) * 8))
    assert "gdal_translate -ot Byte" in caplog.text


def test_without_a_georeference_it_is_stretched_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Image.fromarray(np.moveaxis(colors(48, 60), 0, -1)).save(tmp_path / "map.png")
    with caplog.at_level(logging.INFO, "vkforge"):
        pixels = texture(ground(albedo=tmp_path / "map.png"))
    assert "no georeference; stretched" in caplog.text
    np.testing.assert_array_equal(pixels[..., :3], np.moveaxis(colors(48, 60), 0, -1))


def test_what_does_not_fit_says_what_to_do(tmp_path: Path) -> None:
    placed = picture(tmp_path / "o.tif", colors())
    Image.new("RGB", (90, 20)).save(tmp_path / "wide.png")
    (tmp_path / "text.tif").write_text("no picture")
    far = picture(tmp_path / "far.tif", colors(), (WEST + 9000.0, NORTH))
    plain = picture(tmp_path / "plain.tif", colors(), crs=None)
    whole = picture(tmp_path / "whole.tif", colors().astype(np.int16))
    empty = picture(tmp_path / "empty.tif", np.zeros_like(colors()), nodata=0)
    cases: tuple[tuple[Any, dict[str, Any], str], ...] = (
        (placed, {"crs": None, "transform": None}, "the terrain does not; give the terrain its crs= and transform="),
        (placed, {"crs": None}, "the terrain has a transform and no CRS"),
        (plain, {}, "gdal_edit.py -a_srs"),
        (far, {}, "lies beside the terrain"),
        (tmp_path / "wide.png", {}, "90 x 20 pixels and no georeference, and the terrain 30 x 24"),
        (tmp_path / "text.tif", {}, "can't be read as a picture"),
        (str(tmp_path / "o.tiff"), {}, "no such file; did you mean 'o.tif'"),
        (whole, {}, "holds int16; wanted colours"),
        (empty, {}, "nothing but nodata"),
        (placed, {"crs": "nonsense"}, "none that PROJ can read"),
    )
    for given, options, said in cases:
        with pytest.raises(vf.InputError, match=said) as caught:
            ground(albedo=given, **options)
        assert "\n" not in str(caught.value)
    ground(albedo=plain, crs=None)  # the same plane, as far as anybody knows


def test_without_rasterio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = picture(tmp_path / "o.tif", colors())
    Image.fromarray(np.moveaxis(colors(), 0, -1)).save(tmp_path / "map.png")
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(vf.MissingDependencyError, match=r"pip install 'vkforge-renderer\[geo\]'"):
        ground(albedo=placed)
    np.testing.assert_array_equal(texture(ground(albedo=tmp_path / "map.png"))[..., :3], np.moveaxis(colors(), 0, -1))
    (tmp_path / "map.pgw").write_text("1\n0\n0\n-1\n0\n0\n")
    with pytest.raises(vf.MissingDependencyError, match="georeference"):
        ground(albedo=tmp_path / "map.png")
    with pytest.raises(vf.InputError, match="Pillow can't read it"):
        ground(albedo=Path(__file__))


def test_memory_is_at_most_three_times_the_array(tmp_path: Path) -> None:
    path = picture(tmp_path / "o.tif", np.tile(colors(), (1, 60, 60)), texel=CELL / 60)
    tracemalloc.start()
    array = texture(ground(albedo=path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert array.nbytes > 1e7
    assert peak < 3.0 * array.nbytes
