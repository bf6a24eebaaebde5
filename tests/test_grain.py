"""Film grain: its mean, variance and size, what it follows from, and the device against NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vkforge as vf
from vkforge.tonemapping import srgb_encode

SIZE = (96, 64)


def decoded(encoded: np.ndarray) -> np.ndarray:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def scene() -> vf.Scene:
    ground = vf.Terrain(np.random.default_rng(8).random((20, 30)) * 3.0, 1.0, cmap="vkforge.relief")
    return vf.Scene(ground, vf.Camera.perspective((0, -22, 14), (0, 0, 0), fov=50))


@pytest.mark.parametrize("size", [1.0, 1.7, 4.0])
def test_the_noise_is_gaussian_and_the_same_at_every_pixel(size: float) -> None:
    noise = np.stack([vf.Grain(size=size, frame=frame).noise((160, 120)) for frame in range(24)])
    assert noise.mean() == pytest.approx(0.0, abs=0.02)
    assert noise.std() == pytest.approx(1.0, abs=0.01)
    assert (noise**3).mean() == pytest.approx(0.0, abs=0.04)
    assert (noise**4).mean() == pytest.approx(3.0, abs=0.25)
    # No grid shows: the variance over the frames is alike wherever a pixel lies between the nodes.
    variance = noise[..., 0].var(axis=0, ddof=1)
    columns = variance.mean(axis=0)
    phase = np.arange(160) % size < size / 2
    assert columns[phase].mean() == pytest.approx(columns[~phase].mean() if (~phase).any() else 1.0, abs=0.04)


def test_clumps_are_as_large_as_said() -> None:
    for size in (2.0, 6.0):
        noise = vf.Grain(size=size, color=0.0).noise((400, 400))[..., 0]
        beside = [np.mean(noise[:, shift:] * noise[:, : 400 - shift]) for shift in range(1, 30)]
        half = next(shift for shift, value in enumerate(beside, 1) if value < 0.5)
        assert 0.5 * size <= half <= 1.5 * size


def test_colours_share_as_much_as_said() -> None:
    for color in (0.0, 0.5, 1.0):
        red, green, _ = np.moveaxis(vf.Grain(size=1.0, color=color).noise((256, 256)), -1, 0)
        assert np.corrcoef(red.ravel(), green.ravel())[0, 1] == pytest.approx(1.0 - color**2, abs=0.02)


@pytest.mark.parametrize("level", [0.02, 0.18, 0.5, 0.8, 1.0])
def test_the_mean_stays_and_the_deviation_fades_towards_white(level: float) -> None:
    amount, highlights = 0.4, 1.5
    picture = np.full((512, 512, 3), srgb_encode(np.array(level)))
    seen = decoded(vf.Grain(amount, 1.0, highlights=highlights).apply(picture))
    assert seen.mean() == pytest.approx(level, rel=1e-3)
    stops = np.log2(seen / level).std()
    assert stops == pytest.approx(amount * (1.0 - level) ** highlights, rel=0.01, abs=1e-6)


def test_it_follows_from_seed_and_frame_alone() -> None:
    grain = vf.Grain(frame=3)
    picture = np.full((20, 30, 3), 0.4)
    assert (grain.apply(picture, 5) == vf.Grain(frame=3).apply(picture, 5)).all()
    for other in (vf.Grain(frame=4).apply(picture, 5), grain.apply(picture, 6)):
        assert abs(np.corrcoef(other[..., 0].ravel(), grain.apply(picture, 5)[..., 0].ravel())[0, 1]) < 0.2


def test_bad_parameters_are_refused() -> None:
    for wrong in ({"amount": -0.1}, {"size": 0.5}, {"color": 2.0}, {"highlights": 9.0}, {"frame": -1}, {"frame": 1.5}):
        with pytest.raises(vf.InputError, match=f"Grain {next(iter(wrong))}"):
            vf.Grain(**wrong)  # type: ignore[arg-type]
    with pytest.raises(vf.InputError, match="height, width, 3"):
        vf.Grain().apply(np.zeros((4, 5)))
    with pytest.raises(vf.InputError, match="wanted a vkforge.Grain"):
        vf.Settings(grain="film")  # type: ignore[arg-type]


@pytest.mark.gpu
@pytest.mark.parametrize(
    "grain", [vf.Grain(), vf.Grain(0.5, 3.3, 1.0, 0.0, frame=9), vf.Grain(1.0, 1.0, 0.0, 4.0, frame=2**32 - 1)]
)
def test_the_device_does_what_numpy_does(renderer: vf.Renderer, grain: vf.Grain) -> None:
    plain = renderer.render(scene(), SIZE, samples=1, seed=7)
    image = renderer.render(scene(), SIZE, samples=1, seed=7, grain=grain)
    assert image.hdr.tobytes() == plain.hdr.tobytes()  # a film comes after the light
    assert plain.finish is not None
    wanted = 255.0 * grain.apply(plain.finish(plain.hdr), 7)
    assert np.abs(image.rgba[..., :3] - wanted).max() < 0.6  # of a step, as hardware may round to 8 bits
    assert (image.rgba != plain.rgba).mean() > 0.2
    again = renderer.render(scene(), SIZE, samples=1, seed=7, grain=grain)
    assert again.rgba.tobytes() == image.rgba.tobytes()


@pytest.mark.gpu
def test_files_of_16_bits_have_the_same_grain(renderer: vf.Renderer) -> None:
    image = renderer.render(scene(), SIZE, samples=1, grain=vf.Grain(0.5))
    assert image.finish is not None
    assert np.abs(255.0 * image.finish(image.hdr) - image.rgba[..., :3]).max() < 0.6


def test_the_deviation_is_in_stops() -> None:
    assert vf.Grain(1.0).deviation == pytest.approx(math.log(2.0))
