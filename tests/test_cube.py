"""Tables of one dimension, and the curves that come before those of three."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.post.display import finish

RNG = np.random.default_rng(31)
TOP = 16.0


def lines(values: np.ndarray) -> str:
    return "".join(f"{r:.9g} {g:.9g} {b:.9g}\n" for r, g, b in values.reshape(-1, 3))


def to_log(x: Any) -> np.ndarray:
    """From 0 to 16 to 0 to 1, straight below a hundredth."""
    return np.log2(1.0 + 1023.0 * np.asarray(x) / TOP) / 10.0


def look(v: Any) -> np.ndarray:
    """From that logarithm to a picture: linear, so that a table of any size has all of it."""
    return np.asarray(v) * (0.8, 0.9, 0.7) + (0.05, 0.0, 0.2)


def with_shaper(folder: Path, entries: int = 4096, side: int = 5) -> Path:
    """A file as Resolve and OpenColorIO write it: the curve first, then the table."""
    curve = to_log(np.linspace(0.0, TOP, entries))[:, None].repeat(3, axis=1)
    axis = np.linspace(0.0, 1.0, side)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    table = look(np.stack([red, green, blue], axis=-1))
    head = f"LUT_1D_SIZE {entries}\nLUT_1D_INPUT_RANGE 0 {TOP}\nLUT_3D_SIZE {side}\nLUT_3D_INPUT_RANGE 0 1\n"
    path = folder / "shaper.cube"
    path.write_text(head + lines(curve) + lines(table))
    return path


@pytest.mark.parametrize("words", ["LUT_1D_INPUT_RANGE -0.5 2", "DOMAIN_MIN -0.5 -0.5 -0.5\nDOMAIN_MAX 2 2 2"])
def test_one_dimension_is_a_curve_for_each_channel(tmp_path: Path, words: str) -> None:
    curve = RNG.random((17, 3)) * (1.0, 3.0, 0.0) - (0.0, 1.0, -0.25)  # the last is always 0.25
    (tmp_path / "curve.cube").write_text(f"LUT_1D_SIZE 17\n{words}\n{lines(curve)}")
    lut = vf.Lut.open(tmp_path / "curve.cube")
    x = RNG.random((50, 3)) * 4.0 - 1.0
    places = np.linspace(-0.5, 2.0, 17)
    wanted = np.stack([np.interp(x[:, i], places, curve[:, i]) for i in range(3)], axis=-1)
    np.testing.assert_allclose(lut.apply(x), wanted, atol=1e-6)


def test_a_shaper_comes_before_the_table(tmp_path: Path) -> None:
    lut = vf.Lut.open(with_shaper(tmp_path), "linear")
    x = np.concatenate([RNG.random((50, 3)) * TOP, 10.0 ** -(RNG.random((50, 3)) * 3.0)])
    np.testing.assert_allclose(lut.apply(x), look(to_log(x)), atol=2e-3)  # straight between 4096 entries
    x = np.linspace(0.0, TOP, 4096)[[0, 1, 77, 4095]][:, None].repeat(3, axis=1)
    np.testing.assert_allclose(lut.apply(x), look(to_log(x)), atol=1e-6)  # and at them
    np.testing.assert_allclose(lut.apply([[99.0, -1.0, 0.0]]), look([[1.0, 0.0, 0.0]]), atol=1e-6)


def test_files_with_curves_come_back(tmp_path: Path) -> None:
    lut = vf.Lut(RNG.random((3, 3, 3, 3)), "linear", (0.0, 0.1, 0.0), 3 * (0.9,), RNG.random((5, 3)), (-1.0, 7.0))
    again = vf.Lut.open(lut.save(tmp_path / "l.cube"), "linear")
    assert again == lut
    others: tuple[dict[str, Any], ...] = ({}, {"shaper": lut.shaper}, {"shaper": RNG.random((5, 3))})
    assert all(vf.Lut(lut.table, "linear", lut.domain_min, lut.domain_max, **other) != lut for other in others)
    settings = vf.Settings(lut=again)
    assert vf.Settings.load(settings.save(tmp_path / "s.toml")) == settings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shaper": np.zeros((1, 3))}, r"shaper has shape \(1, 3\); wanted \(m, 3\)"),
        ({"shaper": np.zeros((4, 2))}, r"shape \(4, 2\)"),
        ({"shaper": np.full((4, 3), np.nan)}, "shaper holds NaN"),
        ({"shaper": "log"}, "shaper is 'log'"),
        ({"shaper_range": (1.0, 1.0)}, "shaper_range goes from 1 to 1"),
        ({"shaper_range": 3}, "shaper_range is 3"),
    ],
)
def test_bad_curves_say_what_is_wanted(given: Any, message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        vf.Lut(np.zeros((2, 2, 2, 3)), **given)


@pytest.mark.gpu
@pytest.mark.parametrize("space", ["display", "scene", "linear"])
@pytest.mark.parametrize("entries", [5, 3000])
def test_the_device_agrees(renderer: vf.Renderer, space: Any, entries: int, tmp_path: Path) -> None:
    albedo = RNG.random((32, 32, 3), dtype=np.float32) ** 3
    terrain = vf.Terrain(RNG.random((24, 24)) * 3.0, 1.0, albedo=albedo)
    scene = vf.Scene(terrain, sun=vf.Sun(irradiance=(60.0, 40.0, 20.0), angular_diameter=0.0))
    curve = np.sort(RNG.random((entries, 3)), axis=0)
    lut = vf.Lut(RNG.random((7, 7, 7, 3)), space, shaper=curve, shaper_range=(0.0, 1.0 if space != "linear" else 8.0))
    settings = vf.Settings(lut=lut, samples=1, sky_rays=1)
    image = renderer.render(scene, (64, 48), settings=settings)
    np.testing.assert_allclose(image.rgba[..., :3], 255.0 * finish(image.hdr, settings), atol=0.75)


@pytest.mark.gpu
def test_a_linear_table_is_the_tone_mapping(renderer: vf.Renderer, tmp_path: Path) -> None:
    lut = vf.Lut.open(with_shaper(tmp_path), "linear")
    terrain = vf.Terrain(np.random.default_rng(2).random((24, 24)) * 3.0, 1.0)
    options: dict[str, Any] = {"samples": 1, "sky_rays": 1, "lut": lut, "exposure": 1.5}
    images = [renderer.render(vf.Scene(terrain), (64, 48), tonemap=name, **options) for name in ("neutral", "agx")]
    np.testing.assert_array_equal(images[0].rgba, images[1].rgba)
    wanted = np.clip(look(to_log(images[0].hdr * 2.0**1.5)), 0.0, 1.0)
    np.testing.assert_allclose(images[0].rgba[..., :3], 255.0 * wanted, atol=1.0)
