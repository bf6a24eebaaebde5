"""Denoising: what must not change, what must become better, and the device's filter against float64 NumPy."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from truth import atrous as truth

import vkforge as vf
from vkforge import denoising
from vkforge.errors import InputError, MissingDependencyError

SIZE = (160, 96)


def hills(**options: Any) -> vf.Terrain:
    """A bowl in rolling ground, in stripes of two colours that run into each other."""
    y, x = np.mgrid[-1:1:65j, -1:1:65j]
    heights = 6.0 * np.cos(5 * x) * np.sin(4 * y) + 9.0 * (x * x + y * y)
    stripes = 0.5 + 0.5 * np.sin(12 * (x + y))[..., None]
    albedo = stripes * (0.8, 0.6, 0.3) + (1 - stripes) * (0.1, 0.2, 0.4)
    return vf.Terrain(heights, 1.0, **{"albedo": albedo.astype(np.float32), **options})


def view(terrain: vf.Terrain, **lights: Any) -> vf.Scene:
    camera = vf.Camera.perspective((-30.0, -55.0, 40.0), (0.0, 0.0, 0.0), fov=45)
    return vf.Scene(terrain, **{"camera": camera, "sun": None, "sky": vf.Sky.uniform(0.5), **lights})


def close() -> vf.Scene:
    """Nothing but ground, under a grey sky: little but noise, few edges."""
    return view(hills(), camera=vf.Camera.perspective((-12.0, -18.0, 30.0), (0.0, 0.0, 0.0), fov=40))


def sunny() -> dict[str, Any]:
    return {"sun": vf.Sun(240, 25, (2.0, 2.0, 2.0), 0.0), "sky": vf.Sky.uniform((0.2, 0.3, 0.5))}


def relative_mse(image: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.mean((image - wanted) ** 2 / (wanted**2 + 1e-2)))


@pytest.fixture(scope="module")
def noisy(renderer: vf.Renderer) -> dict[Any, np.ndarray]:
    """The hills from close by under a grey sky: by four paths a pixel, with and without the filter; and by many."""
    scene, size = close(), SIZE
    options: dict[str, Any] = {"lane": "path-traced", "max_depth": 4}
    pictures: dict[Any, np.ndarray] = {
        name: renderer.render(scene, size, samples=4, denoise=name, **options).hdr for name in (None, "atrous")
    }
    pictures["truth"] = renderer.render(scene, size, samples=128, **options).hdr
    return pictures


def test_atrous_takes_the_noise_out(noisy: dict[Any, np.ndarray]) -> None:
    before, after = (relative_mse(noisy[name], noisy["truth"]) for name in (None, "atrous"))
    print(f"relative MSE {before:.2e}, filtered {after:.2e}: {before / after:.1f} times less")
    assert after < before / 5
    assert noisy["atrous"].mean() == pytest.approx(noisy["truth"].mean(), rel=0.01)


def test_oidn_takes_the_noise_out(renderer: vf.Renderer, noisy: dict[Any, np.ndarray]) -> None:
    pytest.importorskip("pyoidn")
    options: dict[str, Any] = {"lane": "path-traced", "max_depth": 4, "samples": 4, "denoise": "oidn"}
    image = renderer.render(close(), SIZE, **options)
    before, after = (relative_mse(picture, noisy["truth"]) for picture in (noisy[None], image.hdr))
    print(f"relative MSE {before:.2e}, Open Image Denoise {after:.2e}: {before / after:.1f} times less")
    assert after < before / 5
    shown = vf.tonemap(image.hdr, "neutral")
    assert np.abs(image.rgba[..., :3] / 255.0 - shown).max() <= 0.5 / 255 + 1e-6
    again = renderer.render(close(), SIZE, **options)
    assert np.array_equal(image.hdr, again.hdr)


def test_atrous_is_the_filter_of_the_papers(renderer: vf.Renderer) -> None:
    """Against float64 over a whole noisy picture, from its own AOVs. Guides are told apart by a map without texture."""
    scene = view(hills(albedo=(0.6, 0.5, 0.4)), **sunny())
    options: dict[str, Any] = {"lane": "path-traced", "samples": 4, "max_depth": 3}
    aovs = ("albedo", "normal", "position", "hit", "variance")
    image = renderer.render(scene, SIZE, aovs=aovs, **options)
    guides = {name: array.astype(np.float64) for name, array in image.aovs.items()}
    hit = guides["hit"] > 0
    normal, albedo = truth.over_pixels(guides["normal"], guides["albedo"], hit)
    wanted = truth.filter_radiance(
        image.hdr.astype(np.float64), guides["variance"], albedo, guides["position"], normal, hit
    )
    got = renderer.render(scene, SIZE, denoise="atrous", **options).hdr
    error = (np.abs(got - wanted) / (np.abs(wanted) + 1e-3))[hit]
    print(f"relative difference: median {np.median(error):.1e}, 99th percentile {np.quantile(error, 0.99):.1e}")
    assert np.median(error) < 5e-4
    assert np.quantile(error, 0.99) < 5e-3  # guides are half floats on the device
    assert np.abs(image.hdr - wanted).max() > 0.05  # it does something


def test_texture_comes_back(renderer: vf.Renderer) -> None:
    """A hard sun on level ground of random colours: divided out, filtered, multiplied back. Half floats hold them."""
    rng = np.random.default_rng(5)
    terrain = vf.Terrain(np.zeros((40, 40)), 1.0, albedo=rng.uniform(0.05, 0.9, (40, 40, 3)).astype(np.float32))
    scene = vf.Scene(terrain, vf.Camera.map(terrain), sun=vf.Sun(angular_diameter=0.0), sky=None)
    plain, clean = (renderer.render(scene, (160, 160), samples=1, denoise=name).hdr for name in (None, "atrous"))
    np.testing.assert_allclose(clean, plain, rtol=1e-3)
    # Of several samples, what differs within a pixel counts as noise, and the filter touches it; but only that.
    options: dict[str, Any] = {"lane": "path-traced", "max_depth": 2}
    wanted = renderer.render(scene, (160, 160), samples=256, **options).hdr
    plain, clean = (renderer.render(scene, (160, 160), samples=4, denoise=d, **options).hdr for d in (None, "atrous"))
    print(f"texture: relative MSE {relative_mse(plain, wanted):.1e}, filtered {relative_mse(clean, wanted):.1e}")
    assert relative_mse(clean, wanted) < 5e-4


def test_a_constant_picture_stays_constant(renderer: vf.Renderer) -> None:
    """Level ground of one colour: not a pixel moves by more than the rounding of a division and a multiplication."""
    terrain = vf.Terrain(np.zeros((8, 8)), 1.0, albedo=(0.3, 0.5, 0.7))
    scene = vf.Scene(terrain, vf.Camera.map(terrain), sun=vf.Sun(angular_diameter=0.0), sky=None)
    for lane in ("lit", "path-traced"):
        pictures = [renderer.render(scene, (64, 64), samples=4, lane=lane, denoise=d).hdr for d in (None, "atrous")]
        np.testing.assert_allclose(pictures[1], pictures[0], rtol=5e-7)


def test_the_sky_is_not_touched(renderer: vf.Renderer) -> None:
    scene = view(hills(), **sunny())
    plain, clean = (renderer.render(scene, SIZE, samples=4, denoise=name, aovs=("hit",)) for name in (None, "atrous"))
    sky = plain.aovs["hit"] == 0
    assert sky.any()
    assert np.array_equal(plain.hdr[sky], clean.hdr[sky])


def test_light_does_not_cross_depth_or_normals(renderer: vf.Renderer) -> None:
    """A wall of 20 m over a plain, from above, under a noisy sky: both keep their own light, up to the edge."""
    heights = np.zeros((64, 64))
    heights[:, 32:] = 20.0
    terrain = vf.Terrain(heights, 1.0, albedo=0.5)
    scene = vf.Scene(terrain, vf.Camera.map(terrain), sun=None, sky=vf.Sky.uniform(1.0))
    options: dict[str, Any] = {"lane": "path-traced", "max_depth": 2}
    clean = renderer.render(scene, (128, 128), samples=4, denoise="atrous", **options).hdr.mean(axis=(0, 2))
    wanted = renderer.render(scene, (128, 128), samples=512, **options).hdr.mean(axis=(0, 2))
    step = np.argmax(np.diff(wanted))  # the plain ends in the dark, the plateau sees all of the sky
    assert wanted[step + 4] > 1.5 * wanted[step - 4]
    np.testing.assert_allclose(clean[step + 3 : -2], wanted[step + 3 : -2], rtol=0.02)
    np.testing.assert_allclose(clean[step - 20 : step - 3], wanted[step - 20 : step - 3], rtol=0.08)


def test_a_hard_shadow_keeps_its_edge(renderer: vf.Renderer) -> None:
    """One sample a pixel, where only neighbours tell noise from picture."""
    heights = np.zeros((64, 64))
    heights[:, 30:34] = 6.0
    terrain = vf.Terrain(heights, 1.0, albedo=0.5)
    scene = vf.Scene(terrain, vf.Camera.map(terrain), sun=vf.Sun(270, 30, (3, 3, 3), 0.0), sky=None)
    plain, clean = (renderer.render(scene, (192, 192), samples=1, denoise=d).hdr[..., 0] for d in (None, "atrous"))
    assert (plain == 0).mean() > 0.1
    assert np.mean(np.abs(clean - plain) > 0.05 * plain.max()) < 0.02


@pytest.mark.parametrize("share", ["sun_visibility", "sky_visibility"])
def test_shares_of_light_are_filtered_too(renderer: vf.Renderer, share: str) -> None:
    scene = view(hills(), sun=vf.Sun(240, 30, (2.0, 2.0, 2.0), 12.0))
    rays: dict[str, Any] = {"samples": 1, "sky_rays": 4, "sun_rays": 4, "aovs": (share,)}
    plain, clean = (renderer.render(scene, SIZE, denoise=d, **rays).aovs[share] for d in (None, "atrous"))
    wanted = renderer.render(scene, SIZE, **{**rays, "sun_rays": 256, "sky_rays": 256}).aovs[share]
    assert clean.shape == plain.shape
    before, after = (float(np.mean((image - wanted) ** 2)) for image in (plain, clean))
    print(f"{share}: MSE {before:.1e}, filtered {after:.1e}")
    assert after < before / 3


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_same_bits(renderer: vf.Renderer, lane: str) -> None:
    scene = view(hills(), **sunny())
    first, second = (renderer.render(scene, SIZE, lane=lane, samples=3, denoise="atrous") for _ in range(2))
    assert np.array_equal(first.hdr, second.hdr)
    assert np.array_equal(first.rgba, second.rgba)


def test_what_is_shown_is_what_is_denoised(renderer: vf.Renderer) -> None:
    image = renderer.render(view(hills(), **sunny()), SIZE, samples=2, denoise="atrous")
    assert np.abs(image.rgba[..., :3] / 255.0 - vf.tonemap(image.hdr, "neutral")).max() <= 1.0 / 255.0


# Open Image Denoise on arrays


def test_oidn_comes_before_the_lens_blurs(renderer: vf.Renderer) -> None:
    """Albedo and normals are sharp: beside a picture that is blurred already they lead the filter astray."""
    pytest.importorskip("pyoidn")
    camera = vf.Camera.perspective((-12.0, -18.0, 30.0), (0.0, 0.0, 0.0), fov=40, aperture_radius=1.0)
    scene = view(hills(), camera=camera)
    noisy: dict[str, Any] = {"samples": 1, "sky_rays": 1}
    truth = renderer.render(scene, SIZE, samples=64, sky_rays=16).hdr
    image = renderer.render(scene, SIZE, aovs=("albedo", "normal"), **noisy)
    afterwards = relative_mse(denoising.oidn(image.hdr, image.aovs["albedo"], image.aovs["normal"]), truth)
    before = relative_mse(renderer.render(scene, SIZE, denoise="oidn", **noisy).hdr, truth)
    print(f"relative MSE {relative_mse(image.hdr, truth):.2e} noisy, {afterwards:.2e} blurred first, {before:.2e}")
    assert before < 0.6 * afterwards


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 1), (3, 40)])
def test_oidn_keeps_the_brightness_of_small_pictures(size: tuple[int, int]) -> None:
    pytest.importorskip("pyoidn")
    picture, normal = np.full((*size, 3), 0.2, np.float32), np.zeros((*size, 3), np.float32)
    normal[..., 2] = 1.0
    for wraps in (False, True):
        clean = denoising.oidn(picture, picture, normal, wraps=wraps)
        assert clean.shape == picture.shape
        assert clean.mean() == pytest.approx(0.2, rel=0.02)  # single pixels of a corner are off by themselves


def test_oidn_on_arrays() -> None:
    pytest.importorskip("pyoidn")
    rng = np.random.default_rng(2)
    albedo, normal = np.full((64, 80, 3), 0.5), np.tile([0.0, 0.0, 1.0], (64, 80, 1))
    noise = rng.gamma(2.0, 0.5, (64, 80, 3))
    clean = denoising.oidn(noise, albedo, normal)
    assert clean.dtype == np.float32
    assert clean.std() < noise.std() / 5
    assert clean.mean() == pytest.approx(noise.mean(), rel=0.05)
    assert np.isfinite(denoising.oidn(np.full((16, 16, 3), np.nan), albedo[:16, :16], normal[:16, :16])).all()


def test_bad_input(renderer: vf.Renderer) -> None:
    with pytest.raises(InputError, match="no denoiser called 'odin'; did you mean 'oidn'"):
        renderer.render(hills(), (8, 8), denoise="odin")
    with pytest.raises(InputError, match="no denoiser called True"):
        vf.Settings(denoise=True)  # type: ignore[arg-type]
    pytest.importorskip("pyoidn")
    with pytest.raises(InputError, match=r"radiance has shape \(4, 4\)"):
        denoising.oidn(np.zeros((4, 4)), np.zeros((4, 4, 3)), np.zeros((4, 4, 3)))
    with pytest.raises(InputError, match=r"normal has shape \(5, 4, 3\)"):
        denoising.oidn(np.zeros((4, 4, 3)), np.zeros((4, 4, 3)), np.zeros((5, 4, 3)))


def test_a_missing_library_says_what_to_install(renderer: vf.Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    there = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name == "pyoidn":
            raise ImportError("no module named pyoidn")
        return there(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match=r"pip install 'vkforge-renderer\[oidn\]'"):
        renderer.render(hills(), (8, 8), denoise="oidn")
