"""The shared ground-truth scene, by a path tracer that shares nothing with vkforge, at 16 or 24 samples a pixel.

The figures and bars are those of its own compare.py, which prints one line a layer.
"""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from truth import heightfield

import vkforge as vf

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "reference"
SAMPLES, SKY_SAMPLES = 16, 24
SIZE = (640, 360)

pytestmark = pytest.mark.skipif(
    not (FOLDER / "reference.exr").exists(),
    reason="the ground-truth scene, ../shared/reference, is not beside this checkout",
)


@pytest.fixture(scope="module")
def compare() -> ModuleType:
    pytest.importorskip("OpenEXR")
    pytest.importorskip("flip_evaluator")
    spec = importlib.util.spec_from_file_location("reference_compare", FOLDER / "compare.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def description() -> dict:
    return json.loads((FOLDER / "scene.json").read_text())


def ground_truth_scene(description: dict, layer: str) -> "vf.Scene":
    """The scene behind a layer of radiance."""
    camera, sun, lens = description["camera"], description["sun"], description["thin_lens"]
    terrain = vf.Terrain(
        np.load(FOLDER / "heights.npy"), cell_size=description["cell_size"], albedo=np.load(FOLDER / "albedo.npy")
    )
    optics = (
        {"aperture_radius": lens["aperture_radius_m"], "focus_distance": lens["focus_distance_m"]}
        if layer == "dof_sun_direct"
        else {}
    )
    view = vf.Camera.perspective(
        tuple(camera["position"]),
        tuple(camera["target"]),
        up=tuple(camera["up"]),
        fov_x=camera["horizontal_fov_deg"],
        **optics,
    )
    diameter = 2 * description["soft_sun"]["angular_radius_deg"] if layer == "softsun_direct" else 0.0
    return vf.Scene(
        terrain,
        camera=view,
        sun=None
        if layer == "sky_direct"
        else vf.Sun(sun["azimuth_deg"], sun["elevation_deg"], tuple(sun["irradiance_rgb"]), diameter),
        sky=vf.Sky.uniform(tuple(description["sky"]["radiance_rgb"])) if layer in ("sky_direct", "gi6") else None,
    )


@pytest.fixture(scope="module")
def images(renderer: "vf.Renderer", description: dict) -> "dict[str, vf.Image]":
    """The scene under the sun, the soft sun and the sky, each alone."""

    def render(layer: str, *aovs: str) -> "vf.Image":
        samples = SKY_SAMPLES if layer == "sky_direct" else SAMPLES
        return renderer.render(ground_truth_scene(description, layer), SIZE, samples=samples, aovs=aovs)

    return {
        "sun": render("sun_direct", "depth", "normal", "sun_visibility"),
        "soft": render("softsun_direct"),
        "sky": render("sky_direct", "sky_visibility"),
    }


LAYERS = {
    "sun_direct": ("sun", "hdr"),
    "softsun_direct": ("soft", "hdr"),
    "sky_direct": ("sky", "hdr"),
    "depth_t": ("sun", "depth"),
    "N_shading": ("sun", "normal"),
    "sun_vis": ("sun", "sun_visibility"),
    "sky_ao": ("sky", "sky_visibility"),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_layer(compare: ModuleType, images: "dict[str, vf.Image]", layer: str, tmp_path: Path) -> None:
    light, name = LAYERS[layer]
    image = images[light]
    arrays: dict[str, Any] = {layer: image.hdr if name == "hdr" else image.aovs[name]}
    np.savez(tmp_path / "render.npz", **arrays)
    assert compare.main(tmp_path / "render.npz") == 0


def test_background_is_the_sky(compare: ModuleType, images: "dict[str, vf.Image]") -> None:
    """Camera rays that miss see the sky above the horizon (in row 20), and nothing below it or without a sky."""
    reference, mask = compare.load_reference()
    near = [np.roll(mask, (y, x), (0, 1)) for y in range(-2, 3) for x in range(-2, 3)]
    background = ~np.any(near, axis=0)
    background[19:22] = False
    assert background[:19].any()
    assert background[22:].any()
    assert (images["sun"].hdr[background] == 0).all()
    assert np.isinf(images["sun"].aovs["depth"][background]).all()
    np.testing.assert_allclose(images["sky"].hdr[background], reference["sky_direct"][background], atol=5e-4)


def test_brute_force_agrees_with_the_path_tracer(compare: ModuleType, description: dict) -> None:
    """No GPU: the float64 truth of the other tests against the reference's depths (triangles there, patches here)."""
    reference, mask = compare.load_reference()
    camera = description["camera"]
    position = np.array(camera["position"])
    forward = np.array(camera["target"]) - position
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rows, cols = (pixels[:: 1 + len(pixels) // 3000] for pixels in np.nonzero(mask))
    half = np.tan(np.radians(camera["horizontal_fov_deg"] / 2))
    u, v = (2 * (cols + 0.5) / SIZE[0] - 1) * half, (1 - 2 * (rows + 0.5) / SIZE[1]) * half * SIZE[1] / SIZE[0]
    directions = forward + u[:, None] * right + v[:, None] * np.cross(right, forward)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    heights = np.load(FOLDER / "heights.npy")
    hits = heightfield.intersect(heights, (10.0, 10.0), np.tile(position, (len(u), 1)), directions)
    error = np.abs(hits.t / reference["depth_t"][rows, cols] - 1)
    print(f"depth of {len(u)} pixels: median {np.median(error):.1e}, 99th percentile {np.quantile(error, 0.99):.1e}")
    assert np.quantile(error, 0.99) < 5e-4


def test_denoisers(compare: ModuleType, renderer: "vf.Renderer", description: dict) -> None:
    """Bounced light at 4 samples a pixel. The wanted figures are for a noisy relative MSE of 0.036; ours is a tenth."""
    structural_similarity = pytest.importorskip("skimage.metrics").structural_similarity
    pytest.importorskip("pyoidn")
    reference, mask = compare.load_reference()
    wanted = reference["gi6"]
    scene = ground_truth_scene(description, "gi6")
    errors, similarities = {}, {}
    for denoise in (None, "atrous", "oidn"):
        image = renderer.render(scene, SIZE, lane="path-traced", samples=4, max_depth=6, denoise=denoise)
        shown, ideal = (compare.display(np.where(mask[..., None], hdr, 0.0)) for hdr in (image.hdr, wanted))
        errors[denoise] = compare.relative_mse(image.hdr, wanted, mask)
        similarities[denoise] = structural_similarity(shown, ideal, channel_axis=-1, data_range=1.0)
        print(f"{denoise}: relative MSE {errors[denoise]:.2e}, SSIM {similarities[denoise]:.4f}")
    assert errors["oidn"] < 0.0015
    assert similarities["oidn"] > 0.985
    assert errors["atrous"] < errors[None] / 4.8
    assert errors["atrous"] < 0.036 / 5
