"""A transparent background: what is seen over nothing, in every format that has an alpha."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageSequence

import vkforge as vf

pytestmark = pytest.mark.gpu

SIZE = (48, 32)
HEIGHTS = np.random.default_rng(5).random((17, 21)) * 4.0
GROUND = vf.Terrain(HEIGHTS, 1.0, crs="EPSG:32616", transform=(1.0, 0.0, 500_000.0, 0.0, -1.0, 4_000_000.0))
CAMERA = vf.Camera.orbit(GROUND, aspect=1.5, distance=40.0)
FOG = vf.Fog(0.02)


def scene(background: Any = "transparent", **parts: Any) -> vf.Scene:
    return vf.Scene(GROUND, **{"camera": CAMERA, "background": background, **parts})


def over(image: vf.Image, color: float) -> np.ndarray:
    """What the light is before a background of that grey."""
    assert image.alpha is not None
    return image.hdr + (1.0 - image.alpha[..., None]) * color


@pytest.mark.parametrize("options", [{}, {"lane": "path-traced", "max_depth": 3}], ids=["lit", "path-traced"])
def test_over_any_colour_it_is_the_picture_before_that_colour(renderer: vf.Renderer, options: Any) -> None:
    clear, grey, black = (
        renderer.render(scene(b), SIZE, samples=8, aovs="coverage", **options) for b in ("transparent", 0.3, "black")
    )
    assert clear.alpha is not None
    assert grey.alpha is None
    assert 0.0 == clear.alpha.min() < clear.alpha.mean() < clear.alpha.max() == 1.0
    assert ((clear.alpha > 0.0) & (clear.alpha < 1.0)).sum() > 20  # edges
    np.testing.assert_array_equal(clear.alpha, clear.aovs["coverage"])
    np.testing.assert_array_equal(clear.hdr, black.hdr)  # multiplied by alpha
    np.testing.assert_allclose(over(clear, 0.3), grey.hdr, atol=2e-6)
    assert np.abs(clear.rgba[..., 3] - 255.0 * clear.alpha).max() <= 0.5001  # where two are as near, drivers differ
    inside = clear.alpha == 1.0
    np.testing.assert_array_equal(clear.rgba[inside], black.rgba[inside])
    assert not clear.rgba[clear.alpha == 0.0].any()


def test_colours_are_not_multiplied_by_alpha(renderer: vf.Renderer) -> None:
    flat = vf.Terrain(np.zeros((9, 9)), 1.0, albedo=0.5)
    shown = vf.Scene(
        flat, vf.Camera.orbit(flat, distance=20.0), background="transparent", sun=None, sky=vf.Sky.uniform(0.5)
    )
    image = renderer.render(shown, SIZE, samples=16, sky_rays=1)
    assert image.alpha is not None
    seen = image.rgba[image.alpha > 0.0][:, :3].astype(int)
    assert seen.max(axis=0).tolist() == seen.min(axis=0).tolist()  # the same up to the edge
    deep = image.display16()
    np.testing.assert_array_equal(deep[..., 3], np.rint(65535.0 * image.alpha))
    np.testing.assert_allclose(deep[..., :3] / 257.0, image.rgba[..., :3], atol=0.51)


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_fog_before_nothing_is_left_out_and_before_the_ground_it_stays(renderer: vf.Renderer, lane: str) -> None:
    given = {"samples": 4, "lane": lane, "aovs": ("coverage", "direct", "indirect", "emitted", "air")}
    clear, foggy = (renderer.render(scene(b, fog=FOG), SIZE, **given) for b in ("transparent", "black"))
    assert clear.alpha is not None
    np.testing.assert_array_equal(clear.alpha, clear.aovs["coverage"])
    assert not clear.hdr[clear.alpha == 0.0].any()
    inside = clear.alpha == 1.0
    np.testing.assert_array_equal(clear.hdr[inside], foggy.hdr[inside])
    assert foggy.hdr[clear.alpha == 0.0].min() > 0.0
    parts = sum(clear.aovs[name] for name in given["aovs"][1:])
    np.testing.assert_allclose(parts, clear.hdr, rtol=1e-4, atol=1e-5)


def test_what_spreads_light_spreads_alpha(renderer: vf.Renderer) -> None:
    options: dict[str, Any] = {"samples": 8, "miniature": vf.Miniature(radius=0.05, width=0.05)}
    clear, grey = (renderer.render(scene(b), SIZE, aovs="coverage", **options) for b in ("transparent", 0.3))
    assert clear.alpha is not None
    assert np.abs(clear.alpha - clear.aovs["coverage"]).max() > 0.1
    np.testing.assert_allclose(over(clear, 0.3), grey.hdr, atol=2e-3)


@pytest.fixture(scope="module")
def image(renderer: vf.Renderer) -> vf.Image:
    camera = vf.Camera.orthographic((0.0, 0.0, 50.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0), height=20.0)
    return renderer.render(scene(camera=camera), SIZE, samples=4, aovs="depth")


@pytest.mark.parametrize(("name", "options"), [("p.png", {}), ("p.png", {"bits": 16}), ("p.webp", {}), ("p.tif", {})])
def test_files_hold_straight_alpha(image: vf.Image, tmp_path: Path, name: str, options: Any) -> None:
    path = image.save(tmp_path / name, **options)
    if name == "p.tif":
        rasterio = pytest.importorskip("rasterio")
        with rasterio.open(path) as opened:
            assert opened.colorinterp[3].name == "alpha"
            assert opened.tags(ns="IMAGE_STRUCTURE").get("ALPHA") != "PREMULTIPLIED"
            read = np.moveaxis(opened.read(), 0, -1)
    else:
        with Pillow.open(path) as opened:
            assert opened.mode == "RGBA"
            read = np.asarray(opened)
    seen = image.rgba[..., 3] > 0
    np.testing.assert_array_equal(read[..., 3], image.rgba[..., 3])
    np.testing.assert_allclose(read[seen].astype(int), image.rgba[seen], atol=0 if not options else 1)


def test_openexr_holds_it_multiplied_in(image: vf.Image, tmp_path: Path) -> None:
    import OpenEXR

    with OpenEXR.File(str(image.save(tmp_path / "p.exr", half=False))) as opened:
        pixels = opened.channels()["RGBA"].pixels
    np.testing.assert_array_equal(pixels[..., :3], image.hdr)
    np.testing.assert_array_equal(pixels[..., 3], image.alpha)
    with np.load(image.save(tmp_path / "p.npz")) as arrays:
        np.testing.assert_array_equal(arrays["alpha"], image.alpha)


def test_what_has_no_alpha_says_so(image: vf.Image, tmp_path: Path) -> None:
    with pytest.raises(vf.InputError, match=r"\.jpg has no alpha.*\.png .webp"):
        image.save(tmp_path / "p.jpg")
    assert not (tmp_path / "p.jpg").exists()
    film = vf.Animation(scene(), {"sun.azimuth": {0: 0, 1: 90}}, fps=2)
    for name in ("film.mp4", "film.gif", "film_%02d.jpg"):
        with pytest.raises(vf.InputError, match="has no alpha"):
            film.render(tmp_path / name, SIZE)
    later = vf.Animation(scene("white"), {"background": {0: "white", 1: "transparent"}}, fps=2)
    with pytest.raises(vf.InputError, match="has no alpha"):
        later.render(tmp_path / "film.gif", SIZE)


def test_an_animated_webp_has_alpha(renderer: vf.Renderer, tmp_path: Path) -> None:
    film = vf.Animation(scene(), {"sun.azimuth": {0: 0, 1: 90}}, fps=3, settings=vf.Settings(samples=2, sky_rays=1))
    film.render(tmp_path / "film.webp", SIZE, renderer=renderer, progress=lambda _: None)
    with Pillow.open(tmp_path / "film.webp") as opened:
        alphas = [np.asarray(frame.convert("RGBA"))[..., 3] for frame in ImageSequence.Iterator(opened)]
    assert len(alphas) == 3
    for frame, alpha in enumerate(alphas):
        wanted = renderer.render(film.scene(film.time(frame)), SIZE, settings=film.settings(0.0)).rgba[..., 3]
        np.testing.assert_array_equal(alpha, wanted)


def test_presets_keep_it_and_words_are_checked() -> None:
    assert scene().lit_as("swiss").is_transparent
    assert not scene("white").lit_as("swiss").is_transparent
    assert scene(" Transparent").background == "transparent"
    with pytest.raises(vf.InputError, match="'transparent' or None"):
        scene("transparency")


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_a_background_is_of_one_kind_while_the_shutter_is_open(renderer: vf.Renderer, lane: str) -> None:
    moving = vf.MovingScene(lambda t: scene("transparent" if t < 0.7 else "white"), 0.0, 1.0)
    with pytest.raises(vf.InputError, match="becomes transparent, or a colour, while the shutter is open"):
        renderer.render(moving, SIZE, samples=4, lane=lane)
    still = renderer.render(vf.MovingScene(lambda t: scene(sun=vf.Sun(90 * t)), 0.0, 1.0), SIZE, samples=2, lane=lane)
    assert still.alpha is not None
