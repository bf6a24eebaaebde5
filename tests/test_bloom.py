"""Bloom: none of the light is lost, points stay round and where they are, and the device does what NumPy does."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vkforge as vf
from vkforge.post.bloom import doubling, halving

SIDES = [1, 2, 3, 5, 8, 33, 360, 1921]
SIZES = [(201, 151), (200, 150), (64, 64), (7, 3), (2, 1), (1, 1)]


def lamp(size: tuple[int, int], x: int, y: int, light: float = 1000.0) -> np.ndarray:
    """Return a picture of (width, height), black but for one pixel."""
    picture = np.zeros((size[1], size[0], 3))
    picture[y, x] = light
    return picture


@pytest.mark.parametrize("side", SIDES)
def test_no_level_gains_or_loses_light(side: int) -> None:
    down, up = halving(side), doubling(side)
    np.testing.assert_allclose(down.sum(axis=1), 1.0)
    np.testing.assert_allclose(down.sum(axis=0), len(down) / side)
    np.testing.assert_allclose(up.sum(axis=1), 1.0)
    np.testing.assert_allclose(up.sum(axis=0), side / len(down))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("threshold", [0.0, 10.0])
def test_the_mean_of_the_picture_stays(size: tuple[int, int], threshold: float) -> None:
    for x, y in ((size[0] // 2, size[1] // 2), (0, 0), (size[0] - 1, size[1] // 3)):
        picture = lamp(size, x, y) + 0.3
        seen = vf.Bloom(1.0, 0.1, threshold).apply(picture)
        np.testing.assert_allclose(seen.mean(axis=(0, 1)), picture.mean(axis=(0, 1)), rtol=1e-12)
        assert seen.min() > 0.0
    np.testing.assert_allclose(vf.Bloom(1.0).apply(np.full((size[1], size[0], 3), 0.7)), 0.7)


@pytest.mark.parametrize("size", [(201, 151), (200, 150), (333, 256)])
def test_a_point_stays_where_it_is_and_spreads_as_said(size: tuple[int, int]) -> None:
    y, x = np.mgrid[: size[1], : size[0]]
    for radius in (0.04, 0.08):
        for step in ((0, 0), (3, -5), (-2, 6)):
            at = size[0] // 2 + step[0], size[1] // 2 + step[1]
            spread = vf.Bloom(1.0, radius).apply(lamp(size, *at, light=1.0))[..., 0]
            assert (spread * x).sum() == pytest.approx(at[0], abs=0.05)
            assert (spread * y).sum() == pytest.approx(at[1], abs=0.05)
            way = np.hypot(x - at[0], y - at[1])
            for share in (0.5, 1.0, 2.0, 3.0):
                within = spread[way <= share * radius * size[1]].sum()
                assert within == pytest.approx(1.0 - math.exp(-share), abs=0.03)


def test_the_halo_is_round_and_does_not_flicker() -> None:
    """Round a ring, and as the point moves pixel by pixel, the halo stays as bright."""
    size, bloom = (400, 300), vf.Bloom(1.0, 0.05)
    y, x = np.mgrid[: size[1], : size[0]]
    beside = []
    for step in range(8):
        spread = bloom.apply(lamp(size, 190 + step, 150))[..., 0]
        beside.append([spread[150, 190 + step + offset] for offset in (1, 3, 8, 20, 50)])
        if step % 5 == 0:
            way = np.hypot(x - 190 - step, y - 150)
            for radius in (2, 4, 8, 16, 32, 60):
                ring = np.abs(way - radius) < 0.5
                level = spread[ring] * way[ring]
                assert level.std() < 0.1 * level.mean()
    assert (np.std(beside, axis=0) < 0.08 * np.mean(beside, axis=0)).all()


def test_the_levels_share_all_of_the_light() -> None:
    for size in SIZES[:-1]:
        left, shares = 1.0, []
        for level in vf.Bloom(0.5, 0.07).levels(size):
            shares.append(left * (1.0 - level.onwards))
            left *= level.onwards
        assert sum(shares) == pytest.approx(1.0)
    assert vf.Bloom().levels((1, 1)) == ()
    assert len(vf.Bloom(radius=0.01).levels((1920, 1080))) < len(vf.Bloom(radius=1.0).levels((1920, 1080))) <= 16
    assert len(vf.Bloom(radius=1.0).levels((65_536, 65_536))) <= 16  # places in include/bloom.glsl


def test_bad_parameters_are_refused() -> None:
    for wrong in ({"intensity": 1.1}, {"radius": 0.0}, {"threshold": -1.0}, {"radius": float("nan")}):
        with pytest.raises(vf.InputError, match=f"Bloom {next(iter(wrong))}"):
            vf.Bloom(**wrong)
    with pytest.raises(vf.InputError, match="height, width, 3"):
        vf.Bloom().apply(np.zeros((4, 5)))
    with pytest.raises(vf.InputError, match="wanted a vkforge.Bloom"):
        vf.Settings(bloom=True)  # type: ignore[arg-type]


def night() -> vf.Scene:
    """A dark plain with a lamp in its middle, one at its edge, and one over it."""
    lamps = np.zeros((24, 32, 3))
    lamps[12, 16], lamps[0, 9], lamps[20, 31] = (80.0, 60.0, 30.0), (10.0, 40.0, 90.0), (200.0, 200.0, 200.0)
    glow = vf.Material(emission=1.0, emission_map=lamps)
    ground = vf.Terrain(np.zeros((24, 32)), 1.0, material=glow)
    return vf.Scene(ground, vf.Camera.map(ground), vf.Sun(elevation=20.0, irradiance=0.1))


@pytest.mark.gpu
@pytest.mark.parametrize("size", [(96, 72), (97, 71), (5, 2), (1, 1)])
def test_the_device_does_what_numpy_does(renderer: vf.Renderer, size: tuple[int, int]) -> None:
    plain = renderer.render(night(), size, samples=1).hdr.astype(np.float64)
    for bloom in (vf.Bloom(1.0, 0.2), vf.Bloom(0.5, 0.2, threshold=0.5)):
        seen = renderer.render(night(), size, samples=1, bloom=bloom).hdr
        np.testing.assert_allclose(seen, bloom.apply(plain), rtol=1e-4, atol=1e-7 * plain.max())
        assert seen.mean(dtype=np.float64) == pytest.approx(plain.mean(), rel=1e-5)


@pytest.mark.gpu
def test_the_path_traced_lane_blooms_alike(renderer: vf.Renderer) -> None:
    options = {"lane": "path-traced", "samples": 4}
    plain = renderer.render(night(), (64, 48), **options).hdr
    seen = renderer.render(night(), (64, 48), **options, bloom=vf.Bloom(0.3)).hdr
    np.testing.assert_allclose(seen, vf.Bloom(0.3).apply(plain), rtol=1e-4, atol=1e-5)
