"""The lens: distortion against OpenCV, aberration and vignette against closed forms and against NumPy on the device."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

import vkforge as vf
from vkforge.post.resample import catmull_rom

SIZE = (96, 64)
LENSES = [
    vf.Lens(k1=-0.25, k2=0.05),
    vf.Lens(k1=0.3),
    vf.Lens(k1=-0.2, k2=0.08, k3=-0.01, p1=0.006, p2=-0.009),
]
HEIGHTS = np.random.default_rng(4).random((30, 40)) * 3.0


def camera(**more: Any) -> vf.Camera:
    return vf.Camera.perspective((3.0, -26.0, 18.0), (0.0, 0.0, 1.0), **{"fov": 50, **more})


def scene(**more: Any) -> vf.Scene:
    return vf.Scene(vf.Terrain(HEIGHTS, 1.0, albedo="#c8a060"), **{"camera": camera(), **more})


def opencv(lens: vf.Lens) -> np.ndarray:
    return np.array([lens.k1, lens.k2, lens.p1, lens.p2, lens.k3])


# Distortion


@pytest.mark.parametrize("lens", LENSES)
def test_distortion_is_opencvs(lens: vf.Lens) -> None:
    points = np.random.default_rng(1).uniform(-0.5, 0.5, (200, 2))
    ahead = np.concatenate([points, np.ones((200, 1))], axis=1)
    wanted = cv2.projectPoints(ahead, np.zeros(3), np.zeros(3), np.eye(3), opencv(lens))[0][:, 0]
    np.testing.assert_allclose(lens.distort(points), wanted, atol=1e-12)
    np.testing.assert_allclose(lens.undistort(wanted), points, atol=1e-12)


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
@pytest.mark.parametrize("lens", LENSES)
def test_the_device_sees_points_where_opencv_projects_them(renderer: vf.Renderer, lens: vf.Lens, lane: str) -> None:
    """What a pixel's ray met, projected by OpenCV, is in the middle of the pixel: to a tenth of one, and far better."""
    image = renderer.render(scene(), SIZE, lane=lane, samples=1, aovs=("position", "hit"), lens=lens)
    hit = image.aovs["hit"] > 0
    assert hit.mean() > 0.5
    pose = camera().to_matrix("opencv", to="camera")
    rotation, _ = cv2.Rodrigues(pose[:3, :3])
    points = image.aovs["position"][hit].astype(np.float64)
    seen = cv2.projectPoints(points, rotation, pose[:3, 3], camera().intrinsics(SIZE), opencv(lens))[0][:, 0]
    row, column = np.nonzero(hit)
    assert np.abs(seen - np.stack([column, row], axis=1)).max() < 0.01


@pytest.mark.parametrize(
    "lens", [*LENSES, vf.Lens(k1=-0.1), vf.Lens(k2=0.2), vf.Lens(p1=0.02), vf.Lens(p2=-0.02), vf.Lens(red=0.01)]
)
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.2, -0.1)])
def test_project_and_unproject_know_the_lens(renderer: vf.Renderer, lens: vf.Lens, shift: tuple[float, float]) -> None:
    shifted = camera(shift=shift)
    image = renderer.render(scene(camera=shifted), SIZE, samples=1, aovs=("position", "depth"), lens=lens)
    depth = image.aovs["depth"]
    hit = np.isfinite(depth)
    row, column = np.nonzero(hit)
    pixels = np.stack([column, row], axis=1) + 0.5
    points = image.aovs["position"][hit].astype(np.float64)
    seen = shifted.project(points, SIZE, lens=lens)
    assert np.abs(seen[:, :2] - pixels).max() < 0.01
    np.testing.assert_allclose(seen[:, 2], depth[hit], rtol=1e-5)
    if lens.distorts:
        assert np.abs(shifted.project(points, SIZE)[:, :2] - pixels).max() > 0.5
    world = shifted.unproject(pixels, depth[hit], SIZE, lens=lens)
    assert np.abs(world - points).max() < 1e-3
    np.testing.assert_allclose(
        shifted.project(world, SIZE, lens=lens), np.column_stack([pixels, depth[hit]]), rtol=0, atol=1e-6
    )


def test_project_sees_nothing_beyond_a_fold_and_refuses_what_the_renderer_refuses() -> None:
    ahead = vf.Camera.perspective((0, 0, 0), (0, 1, 0), fov=15)
    lens = vf.Lens(k1=-1.5)  # folds at the tangent sqrt(1 / 4.5) = 0.4714
    seen = ahead.project([(0.47, 1.0, 0.0), (0.48, 1.0, 0.0), (0.9, 1.0, 0.0)], SIZE, lens=lens)
    assert np.isfinite(seen[0]).all()
    assert np.isnan(seen[1:]).all()
    assert np.isnan(ahead.unproject((2000.0, 32.0), 1.0, SIZE, lens=lens)).all()
    single = ahead.project((0.1, 1.0, 0.05), SIZE, lens=lens)
    np.testing.assert_allclose(ahead.unproject(single[:2], single[2], SIZE, lens=lens), (0.1, 1.0, 0.05), atol=1e-12)
    for other in (
        vf.Camera.orthographic((0, 0, 50), (0, 0, 0), height=20),
        vf.Camera.fisheye((0, 0, 50), (0, 0, 0)),
        vf.Camera.panorama((0, 0, 50)),
    ):
        with pytest.raises(vf.InputError, match="axis of a perspective camera"):
            other.project((0.1, 5.0, 0.1), SIZE, lens=lens)
        with pytest.raises(vf.InputError, match="axis of a perspective camera"):
            other.unproject((1.0, 5.0), 1.0, SIZE, lens=lens)
        seen = other.project((0.1, 5.0, 0.1), SIZE, lens=vf.Lens(red=0.01))
        assert seen.tolist() == other.project((0.1, 5.0, 0.1), SIZE).tolist()
    with pytest.raises(vf.InputError, match="folds the picture"):
        camera().project((0, 0, 0), SIZE, lens=lens)
    with pytest.raises(vf.InputError, match=r"wanted a vkforge\.Lens"):
        camera().project((0, 0, 0), SIZE, lens=0.1)  # type: ignore[arg-type]


def test_the_header_says_the_distortion(renderer: vf.Renderer) -> None:
    plain = renderer.render(scene(), SIZE, samples=1).info["camera"]
    bent = renderer.render(scene(), SIZE, samples=1, lens=LENSES[2]).info["camera"]
    said = {"distortion_radial": (-0.2, 0.08, -0.01), "distortion_tangential": (0.006, -0.009)}
    assert bent == plain | said


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_a_lens_put_on_bends_the_next_picture_and_taken_off_no_more(renderer: vf.Renderer, lane: str) -> None:
    # Shaders for a camera without one know no distortion, so they must not serve another.
    same, lenses = scene(), (None, vf.Lens(k1=0.25), vf.Lens(k1=-0.1), None)
    pictures = [renderer.render(same, SIZE, lane=lane, samples=1, lens=lens).hdr for lens in lenses]
    assert np.array_equal(pictures[0], pictures[3])
    assert len({picture.tobytes() for picture in pictures}) == 3


def test_light_is_of_the_distorted_picture_too(renderer: vf.Renderer) -> None:
    """Straightened, a distorted picture of both lanes is the pinhole's, but for what is resampled."""
    lens = vf.Lens(k1=0.25, p1=0.01)  # a pincushion: the pinhole's picture lies within it
    stripes = 0.5 + 0.4 * np.sin(np.arange(40) / 1.5)[None, :, None] * np.ones((30, 1, 3))
    smooth = vf.Terrain(np.zeros((30, 40)), 1.0, albedo=stripes)
    hills = vf.Scene(smooth, camera=vf.Camera.perspective((3.0, -26.0, 18.0), (0.0, 0.0, 1.0), fov=25))
    for lane in ("lit", "path-traced"):
        options: dict[str, Any] = {"lane": lane, "samples": 64}
        plain = renderer.render(hills, SIZE, **options).hdr
        bent = renderer.render(hills, SIZE, lens=lens, **options).hdr
        straight = lens.undistort_image(bent, hills.camera)
        inside = (slice(6, -6), slice(6, -6))
        assert np.abs(straight - plain)[inside].mean() < 0.02 * plain.mean()
        assert np.abs(bent - plain)[inside].mean() > 2.0 * np.abs(straight - plain)[inside].mean()


@pytest.mark.parametrize("lens", LENSES)
def test_undistort_image_looks_where_opencvs_map_does(lens: vf.Lens) -> None:
    k = camera().intrinsics(SIZE)
    x, y = cv2.initUndistortRectifyMap(k, opencv(lens), None, k, SIZE, cv2.CV_32FC1)
    ramp = np.stack(np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1])), axis=-1).astype(np.float64)
    found = lens.undistort_image(ramp, camera())
    inside = (x > 1) & (x < SIZE[0] - 2) & (y > 1) & (y < SIZE[1] - 2)
    assert inside.mean() > 0.5
    assert np.abs(found - np.stack([x, y], axis=-1))[inside].max() < 0.01
    outside = (x < -0.6) | (x > SIZE[0] - 0.4) | (y < -0.6) | (y > SIZE[1] - 0.4)
    assert not found[outside].any()
    eight = lens.undistort_image((ramp[..., 0] * 2).astype(np.uint8), camera())
    assert eight.dtype == np.uint8
    assert np.abs(eight[inside] - 2.0 * x[inside]).max() < 1.1


def test_a_shifted_camera_distorts_about_its_axis(renderer: vf.Renderer) -> None:
    """What lies on the axis stays where it is, wherever that is in the frame."""
    lens, shifted = vf.Lens(k1=-0.1), camera(shift=(0.2, -0.1))
    image = renderer.render(scene(camera=shifted), SIZE, samples=1, aovs=("position", "hit"), lens=lens)
    hit = image.aovs["hit"] > 0
    pose = shifted.to_matrix("opencv", to="camera")
    points = image.aovs["position"][hit].astype(np.float64)
    rotation, _ = cv2.Rodrigues(pose[:3, :3])
    seen = cv2.projectPoints(points, rotation, pose[:3, 3], shifted.intrinsics(SIZE), opencv(lens))[0][:, 0]
    row, column = np.nonzero(hit)
    assert np.abs(seen - np.stack([column, row], axis=1)).max() < 0.01


def test_a_distortion_that_folds_the_picture_is_refused(renderer: vf.Renderer) -> None:
    with pytest.raises(
        vf.InputError, match=r"k1=-1\.5 folds the picture: what lies beyond radius 0\.4714 .* reaches out"
    ):
        renderer.render(scene(), SIZE, lens=vf.Lens(k1=-1.5))
    with pytest.raises(vf.InputError, match=r"p2=0\.4 folds the picture: the tangential terms"):
        vf.Lens(p2=0.4).frame(camera(), SIZE)
    # The same coefficients do for a narrower view, up to the fold and not over it: there d/dr (r + k1 r^3) is 0.
    narrow = vf.Lens(k1=-1.5)
    narrow.frame(camera(fov=15), SIZE)
    r = (1.0 / 4.5) ** 0.5
    edge = r - 1.5 * r**3
    for fov, folds in ((0.97, False), (1.01, True)):
        fits = vf.Camera.perspective((0, -9, 5), (0, 0, 0), fov=2.0 * np.degrees(np.arctan(fov * edge / 2**0.5)))
        if folds:
            with pytest.raises(vf.InputError, match="folds"):
                narrow.frame(fits, (64, 64))
        else:
            assert narrow.frame(fits, (64, 64)).steps <= 8
    assert np.isnan(narrow.undistort([[2.0, 0.0]])).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"k1": float("nan")}, "Lens k1"),
        ({"red": 0.5}, "Lens red"),
        ({"vignette": 1.5}, "Lens vignette"),
        ({"mask_softness": 0.0}, "Lens mask_softness"),
    ],
)
def test_bad_parameters_are_refused(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(vf.InputError, match=says):
        vf.Lens(**wrong)


def test_what_goes_by_the_axis_wants_a_perspective_camera(renderer: vf.Renderer) -> None:
    flat = scene(camera=vf.Camera.orthographic((0, 0, 50), (0, 0, 0), height=20))
    for lens in (vf.Lens(k1=0.1), vf.Lens(vignette=1.0)):
        with pytest.raises(vf.InputError, match="axis of a perspective camera"):
            renderer.render(flat, SIZE, lens=lens)
    assert renderer.render(flat, SIZE, samples=1, lens=vf.Lens(mask_strength=1.0)).hdr[0, 0].max() < 0.01
    with pytest.raises(vf.InputError, match="wanted a vkforge.Lens"):
        vf.Settings(lens=0.1)  # type: ignore[arg-type]
    with pytest.raises(vf.InputError, match=r"\(n, 2\)"):
        vf.Lens().distort([1.0, 2.0])


# Aberration and vignette


def test_catmull_rom_keeps_pixels_and_ramps_and_does_not_ring() -> None:
    ramp = np.stack(np.meshgrid(np.arange(9.0), np.arange(7.0)), axis=-1)
    at = np.random.default_rng(5).uniform(2.0, 5.0, (50, 2))
    np.testing.assert_allclose(catmull_rom(ramp, at), at - 0.5, atol=1e-12)
    spike = np.zeros((9, 9))
    spike[4, 4] = 1e4
    assert catmull_rom(spike, np.random.default_rng(5).uniform(0.0, 9.0, (500, 2))).min() >= 0.0
    assert catmull_rom(spike, np.array([4.5, 4.5])) == 1e4


def _middle(picture: np.ndarray) -> float:
    """Return the light's mean distance from the left edge, in pixels."""
    return float((picture.sum(axis=0) * (np.arange(picture.shape[1]) + 0.5)).sum() / picture.sum())


@pytest.mark.parametrize("larger", [0.0008, 0.004, 0.02])
def test_aberration_moves_red_and_blue_and_never_green(larger: float) -> None:
    size = (401, 301)
    picture = np.zeros((size[1], size[0], 3))
    picture[149:152, 360:364] = 1.0  # a lamp 161.5 pixels to the right of the middle
    seen = vf.Lens(red=larger, blue=-larger).aberrate(picture, camera())
    assert (seen[..., 1] == picture[..., 1]).all()
    away = 362.0 - 200.5
    assert _middle(seen[..., 0]) - 200.5 == pytest.approx(away * (1.0 + larger), abs=0.05)
    assert _middle(seen[..., 2]) - 200.5 == pytest.approx(away * (1.0 - larger), abs=0.05)
    # No second picture: along the radius red rises to one top and falls again.
    steps = np.sign(np.round(np.diff(seen[150, :, 0]), 6))
    steps = steps[steps != 0]
    assert (np.diff(steps) != 0).sum() == 1


def test_the_vignette_is_the_fourth_power_of_the_cosine() -> None:
    wide = camera(fov=90)
    falloff = vf.Lens(vignette=1.0).falloff(wide, (201, 201))
    angle = np.arctan((np.arange(201) - 100) / 100.5)
    np.testing.assert_allclose(falloff[100], np.cos(angle) ** 4, rtol=1e-12)
    half = vf.Lens(vignette=0.5).falloff(wide, (201, 201))
    np.testing.assert_allclose(half, 0.5 + 0.5 * falloff, rtol=1e-12)
    # By the angle of what is seen, not of where it is shown.
    bent = vf.Lens(vignette=1.0, k1=-0.05).falloff(wide, (201, 201))
    assert bent[0, 0] < falloff[0, 0]


def test_the_mask_begins_and_ends_where_it_says() -> None:
    lens = vf.Lens(mask_strength=0.8, mask_radius=0.4, mask_softness=0.2)
    falloff = lens.falloff(camera(), (201, 101))
    way = np.hypot(np.arange(201) - 100, 0.0) / (np.hypot(201, 101) / 2)
    row = falloff[50]
    assert (row[way <= 0.4] == 1.0).all()
    np.testing.assert_allclose(row[way >= 0.6], 0.2)
    grown = np.clip((way - 0.4) / 0.2, 0, 1)
    np.testing.assert_allclose(row, 1.0 - 0.8 * grown**2 * (3 - 2 * grown), rtol=1e-12)
    oval = vf.Lens(mask_strength=1.0, mask_roundness=0.0).falloff(camera(), (200, 100))
    assert oval[0, 100] == pytest.approx(oval[50, 0], abs=0.02)  # as dark at the top as at the left


@pytest.mark.parametrize("size", [SIZE, (97, 61), (1, 1), (2, 5)])
def test_the_device_does_what_numpy_does(renderer: vf.Renderer, size: tuple[int, int]) -> None:
    lens = vf.Lens(
        k1=-0.1, p1=0.003, red=0.012, blue=-0.006, vignette=0.9, mask_strength=0.5, mask_roundness=0.4, mask_radius=0.3
    )
    plain = renderer.render(scene(), size, samples=2, lens=vf.Lens(k1=-0.1, p1=0.003))
    image = renderer.render(scene(), size, samples=2, lens=lens)
    np.testing.assert_allclose(image.hdr, lens.apply(plain.hdr, camera()), rtol=1e-3, atol=1e-6)


def test_a_lens_that_does_nothing_leaves_no_pass_and_the_same_bits(renderer: vf.Renderer) -> None:
    plain = renderer.render(scene(), SIZE, samples=2)
    image = renderer.render(scene(), SIZE, samples=2, lens=vf.Lens())
    assert image.hdr.tobytes() == plain.hdr.tobytes()
    names = [item.name for item in renderer.plan(scene(), SIZE, samples=2, lens=vf.Lens(k1=-0.1)).passes]
    assert "lens" not in names
    assert "lens" in [item.name for item in renderer.plan(scene(), SIZE, lens=vf.Lens(red=0.001)).passes]


def test_the_host_denoiser_comes_before_the_lens(renderer: vf.Renderer) -> None:
    pytest.importorskip("pyoidn")
    lens, bloom = vf.Lens(red=0.01, vignette=1.0), vf.Bloom(0.3)
    clean = renderer.render(scene(), SIZE, samples=1, denoise="oidn").hdr
    image = renderer.render(scene(), SIZE, samples=1, denoise="oidn", lens=lens, bloom=bloom, grain=vf.Grain())
    np.testing.assert_allclose(image.hdr, bloom.apply(lens.apply(clean, camera())), rtol=1e-4, atol=1e-6)
    assert (image.rgba[..., :3] != renderer.render(scene(), SIZE, samples=1, denoise="oidn").rgba[..., :3]).any()
