"""The path-traced lane: closed forms, the shared ground-truth scene, convergence, and what stops it."""

from __future__ import annotations

import _thread
import itertools
import threading
import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from test_reference import SIZE, compare, description, ground_truth_scene  # noqa: F401  (fixtures)

import vkforge as vf

pytestmark = pytest.mark.gpu

RNG = np.random.default_rng(33)
ROUGH = vf.Terrain(RNG.random((13, 17)) * 4.0, cell_size=1.0, albedo=(0.6, 0.5, 0.4))
CAMERA = vf.Camera.perspective((2.0, -24.0, 16.0), (0.0, 0.0, 1.0), fov=22)
SCENE = vf.Scene(ROUGH, CAMERA, vf.Sun(angular_diameter=5.0), vf.Sky.gradient())
SMALL = (48, 32)
EVERYWHERE = vf.Sky.gradient(zenith=1.0, horizon=1.0, ground=1.0)


def path_traced(renderer: vf.Renderer, scene: vf.Scene, size: tuple[int, int], **options: Any) -> NDArray[np.float32]:
    return renderer.render(scene, size, lane="path-traced", **options).hdr


# Closed forms


def bowl(radius: float, depth: float, samples: int, **options: Any) -> vf.Terrain:
    """A spherical cap of a bowl in level ground, as a DEM of `samples` squared over 2.2 times its width."""
    rim = np.sqrt(radius**2 - (radius - depth) ** 2)
    step = 2.2 * rim / (samples - 1)
    x = (np.arange(samples) - (samples - 1) / 2) * step
    r2 = np.minimum(x**2 + x[:, None] ** 2, rim**2)
    return vf.Terrain(radius - depth - np.sqrt(radius**2 - r2), cell_size=step, **options)


@pytest.mark.parametrize(("depth", "albedo"), [(40.0, 0.8), (100.0, 0.5), (100.0, 0.9)])
def test_light_bounced_in_a_bowl(renderer: vf.Renderer, depth: float, albedo: float) -> None:
    """Radiosity of a spherical bowl under a uniform sky L: pi L r F / (1 - r (1 - F)), F = 1 - D / 2R, everywhere."""
    radius = 100.0
    terrain = bowl(radius, depth, 301, albedo=albedo)
    rim = np.sqrt(radius**2 - (radius - depth) ** 2)
    camera = vf.Camera.orthographic(
        (0, 0, 10), (0, 0, 0), (0, 1, 0), height=1.2 * rim
    )  # the bowl's floor, 0.85 rims wide
    scene = vf.Scene(terrain, camera, None, vf.Sky.uniform(2.0))
    light = path_traced(renderer, scene, (24, 24), samples=512, max_depth=200)
    free = 1 - depth / (2 * radius)
    wanted = 2.0 * albedo * free / (1 - albedo * (1 - free))
    assert light.mean() == pytest.approx(wanted, rel=0.01)
    # Everywhere: no ring of the floor departs from it.
    y, x = np.indices((24, 24)) - 11.5
    ring = np.hypot(x, y)
    for inner, outer in itertools.pairwise((0, 4, 8, 12, 17)):
        assert light[(ring >= inner) & (ring < outer)].mean() == pytest.approx(wanted, rel=0.01)


def test_two_segments_are_direct_light_alone(renderer: vf.Renderer) -> None:
    lit = renderer.render(SCENE, SMALL, samples=256, sky_rays=4).hdr
    direct = path_traced(renderer, SCENE, SMALL, samples=1024, max_depth=2)
    more = path_traced(renderer, SCENE, SMALL, samples=256, max_depth=3)
    assert direct.mean() == pytest.approx(lit.mean(), rel=2e-3)
    assert np.abs(direct - lit).mean() < 0.01 * lit.mean()
    assert more.mean() > 1.02 * direct.mean()


def test_one_segment_sees_light_and_no_ground(renderer: vf.Renderer) -> None:
    scene = vf.Scene(ROUGH, vf.Camera.perspective((2, -24, 6), (0, 0, 5), fov=40), SCENE.sun, SCENE.sky)
    image = renderer.render(scene, SMALL, lane="path-traced", samples=1, max_depth=1, aovs=("hit",))
    assert image.hdr[0, 0].min() > 0  # the sky
    assert image.hdr[image.aovs["hit"] == 1].min(axis=-1).min() == 0


def test_white_ground_in_white_light_vanishes(renderer: vf.Renderer) -> None:
    """A furnace: wherever a path ends it meets radiance 1, so a smooth white surface shows 1."""
    y, x = np.mgrid[-1:1:65j, -1:1:65j]
    terrain = vf.Terrain(4.0 * np.exp(-4 * (x * x + y * y)), cell_size=1.0, albedo=1.0)
    scene = vf.Scene(terrain, vf.Camera.map(terrain), None, EVERYWHERE)
    light = path_traced(renderer, scene, (33, 33), samples=64, max_depth=200)
    # Where shading and geometric normals differ a path in a hundred thousand ends under the ground.
    assert light.mean() == pytest.approx(1, abs=1e-4)
    assert np.abs(light - 1).max() < 0.05


def test_visibilities_are_those_of_the_lit_lane(renderer: vf.Renderer) -> None:
    names = ("sun_visibility", "sky_visibility", "hit")
    lit = renderer.render(SCENE, SMALL, samples=64, sky_rays=16, sun_rays=4, aovs=names).aovs
    near = [np.roll(lit["hit"], (y, x), (0, 1)) for y in range(-2, 3) for x in range(-2, 3)]
    inside = np.all(near, axis=0)  # away from the edges, where pixels hold different shares of the ground
    materials = (vf.Material(), vf.Material(roughness=0.3, specular=1.0), vf.Material(roughness=0.6, metallic=1.0))
    for material, albedo, noise in zip(materials, (0.0, 0.5, 0.5), (0.02, 0.04, 0.06), strict=True):
        terrain = vf.Terrain(ROUGH.heights, cell_size=1.0, albedo=albedo, material=material)
        scene = vf.Scene(terrain, CAMERA, SCENE.sun, SCENE.sky)
        ours = renderer.render(scene, SMALL, lane="path-traced", samples=512, aovs=names).aovs
        for name in names:
            assert ours[name][inside].mean() == pytest.approx(lit[name][inside].mean(), rel=0.005), (name, material)
            assert np.abs(ours[name] - lit[name])[inside].mean() < noise, (name, material)


@pytest.mark.parametrize(
    "material", [vf.Material(roughness=0.4, specular=1.0), vf.Material(roughness=0.5, metallic=1.0)]
)
def test_glossy_direct_light_is_that_of_the_lit_lane(renderer: vf.Renderer, material: vf.Material) -> None:
    terrain = vf.Terrain(ROUGH.heights, cell_size=1.0, albedo=(0.6, 0.5, 0.4), material=material)
    scene = vf.Scene(terrain, CAMERA, SCENE.sun, SCENE.sky)
    lit = renderer.render(scene, SMALL, samples=256, sky_rays=16).hdr
    direct = path_traced(renderer, scene, SMALL, samples=2048, max_depth=2)
    assert direct.mean() == pytest.approx(lit.mean(), rel=5e-3)
    assert np.abs(direct - lit).mean() < 0.02 * lit.mean()


@pytest.mark.parametrize("material", [vf.Material(), vf.Material(roughness=0.4, specular=1.0)])
def test_a_small_bright_lamp_of_an_environment_is_found(renderer: vf.Renderer, material: vf.Material) -> None:
    """One texel of a map holds most of its light, and 64 paths that sample it see it without much noise."""
    radiance = np.full((32, 64, 3), 0.05, np.float32)
    radiance[6, 20] = (400.0, 300.0, 200.0)
    terrain = vf.Terrain(ROUGH.heights, cell_size=1.0, albedo=0.5, material=material)
    scene = vf.Scene(terrain, CAMERA, None, vf.Environment(radiance))
    lit = renderer.render(scene, SMALL, samples=256, sky_rays=16).hdr
    image = renderer.render(scene, SMALL, lane="path-traced", samples=64, max_depth=2, aovs=("variance",))
    assert image.hdr.mean() == pytest.approx(lit.mean(), rel=0.01)
    assert np.abs(image.hdr - lit).mean() < 0.1 * lit.mean()
    assert np.sqrt(image.aovs["variance"].mean()) < 0.3 * lit.mean()  # 2.8 where the map is not sampled


# The shared scene, whose bars are those of its compare.py. They are for 64 to 1,024 samples; these few already do.

LAYERS = {"softsun_direct": (8, 2), "gi6": (16, 6), "dof_sun_direct": (16, 2)}  # layer: samples, segments


@pytest.mark.parametrize("layer", LAYERS)
def test_the_ground_truth_scene(renderer: vf.Renderer, compare: Any, description: dict, layer: str) -> None:  # noqa: F811
    samples, depth = LAYERS[layer]
    scene = ground_truth_scene(description, layer)
    image = path_traced(renderer, scene, SIZE, samples=samples, max_depth=depth)
    reference, mask = compare.load_reference()
    truth = reference[layer]
    error = compare.relative_mse(image.astype(np.float64), truth, mask)
    ratio = image[mask].mean() / truth[mask].mean()
    print(f"{layer} at {samples} samples: relative MSE {error:.2e}, mean ratio {ratio:.4f}")
    assert error < compare.RADIANCE_BARS[layer][0]
    assert ratio == pytest.approx(1, abs=0.003)


# Convergence and stopping


def test_the_error_falls_at_least_as_fast_as_one_over_the_samples(renderer: vf.Renderer) -> None:
    truth = path_traced(renderer, SCENE, SMALL, samples=4096, seed=7)
    counts = (4, 16, 64, 256)
    errors = [np.mean((path_traced(renderer, SCENE, SMALL, samples=n) - truth) ** 2) for n in counts]
    slope = np.polyfit(np.log(counts), np.log(errors), 1)[0]
    print(f"mean squared error at {counts} samples: {errors}, slope {slope:.2f}")
    assert slope < -0.9


def test_the_variance_is_that_of_many_pictures(renderer: vf.Renderer) -> None:
    """With one sample a picture nothing is stratified: their spread is the variance that 64 samples estimate."""
    ones = np.stack([path_traced(renderer, SCENE, SMALL, samples=1, seed=s) for s in range(64)])
    spread = (ones @ np.array([0.2126, 0.7152, 0.0722])).var(axis=0, ddof=1).mean()
    image = renderer.render(SCENE, SMALL, lane="path-traced", samples=64, aovs=("variance",))
    assert 64 * image.aovs["variance"].mean() == pytest.approx(spread, rel=0.1)
    assert renderer.render(SCENE, SMALL, lane="path-traced", samples=1, aovs=("variance",)).aovs["variance"].max() == 0


def test_noise_threshold_stops_when_it_is_reached(renderer: vf.Renderer) -> None:
    counts = []
    for threshold in (0.2, 0.05, 0.02):
        image = renderer.render(
            SCENE, SMALL, lane="path-traced", samples=4096, noise_threshold=threshold, aovs=("variance",)
        )
        luminance = image.hdr @ np.array([0.2126, 0.7152, 0.0722])
        assert np.sqrt(image.aovs["variance"].mean()) / luminance.mean() <= threshold
        counts.append(image.info["samples"])
    assert counts == sorted(counts)
    assert 16 <= counts[0] < counts[-1] < 4096
    same = renderer.render(SCENE, SMALL, lane="path-traced", samples=counts[1])
    stopped = renderer.render(SCENE, SMALL, lane="path-traced", samples=4096, noise_threshold=0.05)
    assert (same.hdr == stopped.hdr).all()
    assert (same.rgba == stopped.rgba).all()


@pytest.mark.alone
def test_time_limit_stops_and_still_gives_a_whole_picture(renderer: vf.Renderer) -> None:
    began = time.perf_counter()
    image = renderer.render(SCENE, SMALL, lane="path-traced", samples=1_000_000, time_limit=0.3)
    assert time.perf_counter() - began < 5
    assert 1 <= image.info["samples"] < 1_000_000
    assert (image.hdr > 0).any(axis=-1).mean() > 0.5


def test_accumulate_gives_better_and_better_pictures_and_ends_with_that_of_render(renderer: vf.Renderer) -> None:
    whole = renderer.render(SCENE, SMALL, lane="path-traced", samples=11, aovs=("depth", "variance"))
    seen = []
    for image in renderer.accumulate(SCENE, SMALL, samples=11, aovs=("depth", "variance")):
        seen.append(image)
        # What is rendered in between, of other terrains too, disturbs nothing.
        for shift in (1.0, 2.0, 3.0):
            renderer.render(vf.Scene(vf.Terrain(ROUGH.heights + shift, 1.0)), (8, 8), lane="path-traced", samples=2)
    assert [image.info["samples"] for image in seen] == [1, 2, 4, 8, 11]
    errors = [np.mean((image.hdr - whole.hdr) ** 2) for image in seen]
    assert errors[0] > errors[2] > errors[-1] == 0
    for name in whole.aovs:
        np.testing.assert_array_equal(seen[-1].aovs[name], whole.aovs[name])
    np.testing.assert_array_equal(seen[-1].rgba, whole.rgba)


def test_an_accumulation_that_is_dropped_gives_back_what_it_held(renderer: vf.Renderer) -> None:
    renderer.render(SCENE, SMALL, lane="path-traced", samples=1)
    before = str(renderer.memory_report())
    pictures = renderer.accumulate(SCENE, SMALL, samples=64)
    next(pictures)
    pictures.close()
    renderer._device.wait(renderer._device.submitted, "what was still on its way")
    assert len(before.splitlines()) == len(str(renderer.memory_report()).splitlines())


def test_bands_and_batches_leave_the_samples_alone(renderer: vf.Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a picture is cut into submissions, the same numbers are averaged; only their rounding differs."""
    from vkforge.lanes import path_traced as lane

    whole = path_traced(renderer, SCENE, SMALL, samples=24)
    with vf.Renderer() as other, monkeypatch.context() as patch:
        patch.setattr(lane.PathTracedLane, "_paths_per_submission", lambda self: 1)
        cut = path_traced(other, SCENE, SMALL, samples=24)
    np.testing.assert_allclose(cut, whole, rtol=1e-5, atol=1e-6)


def test_progress_counts_the_samples(renderer: vf.Renderer) -> None:
    calls: list[tuple[int, int]] = []
    renderer.render(SCENE, SMALL, lane="path-traced", samples=9, progress=lambda *call: calls.append(call))
    assert calls[-1] == (9, 9)
    assert calls == sorted(calls)


@pytest.mark.alone
def test_ctrl_c_is_heard_within_a_second(renderer: vf.Renderer) -> None:
    before = path_traced(renderer, SCENE, SMALL, samples=2)
    asked: list[float] = []

    def interrupt() -> None:
        asked.append(time.perf_counter())
        _thread.interrupt_main()

    timer = threading.Timer(0.5, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        path_traced(renderer, SCENE, (1280, 720), samples=100_000, time_limit=30)
    assert time.perf_counter() - asked[0] < 1
    timer.join()
    np.testing.assert_array_equal(path_traced(renderer, SCENE, SMALL, samples=2), before)


def test_each_lane_accounts_for_its_memory() -> None:
    """What a lane holds is on the report by name, is printed, and is given back by the end."""
    with vf.Renderer() as renderer:
        for lane, frames in (("lit", ("lit#",)), ("path-traced", ("paths#", "picture#"))):
            renderer.render(SCENE, SMALL, lane=lane, samples=1)
            report = str(renderer.memory_report())
            print(f"{lane}:\n{report}")
            for name in frames:
                assert name in report


# Lens and shutter


def test_a_thin_lens_blurs_by_its_circle_of_confusion(renderer: vf.Renderer) -> None:
    """A step edge on level ground, out of focus: its profile is the share of a disc on one side of a chord."""
    albedo = np.zeros((1, 1300, 3), np.float32)
    albedo[:, 650:] = 1.0
    terrain = vf.Terrain(np.zeros((65, 65)), cell_size=1.0, albedo=albedo)  # the edge is in the middle
    half = 100 * np.tan(np.radians(10))  # metres of ground from the middle of the picture to its side
    x = (np.arange(128 * 32) + 0.5) / (128 * 32) * 2 * half - half

    def row(focus: float) -> NDArray[np.float64]:
        camera = vf.Camera.perspective(
            (0, 0, 100), (0, 0, 0), (0, 1, 0), fov_x=20, aperture_radius=8.0, focus_distance=focus
        )
        return path_traced(renderer, vf.Scene(terrain, camera, None, vf.Sky.uniform(1.0)), (128, 16), samples=256)[
            ..., 0
        ].mean(0)

    for focus in (100.0, 80.0, 130.0):
        radius = max(8.0 * abs(100 - focus) / focus, 1e-6)  # metres on the ground
        t = np.clip(x / radius, -1, 1)
        disc = 0.5 + (t * np.sqrt(1 - t * t) + np.arcsin(t)) / np.pi
        expected = disc.reshape(128, 32).mean(1)
        assert np.abs(row(focus) - expected).max() < 0.03, focus


def test_a_shutter_smears_along_the_motion(renderer: vf.Renderer) -> None:
    """A step edge under a camera that glides by 8 pixels becomes a ramp of 8 pixels: box shutter over box pixel."""
    albedo = np.zeros((257, 257, 3), np.float32)
    albedo[:, 129:] = 1.0
    terrain = vf.Terrain(np.zeros((257, 257)), cell_size=0.25, albedo=albedo)
    camera = vf.Camera.orthographic((0, 0, 10), (0, 0, 0), (0, 1, 0), height=16.0)  # 64 x 16 pixels of a metre
    moved = vf.Camera.orthographic((8, 0, 10), (8, 0, 0), (0, 1, 0), height=16.0)
    scene = vf.Scene(terrain, camera.moving(moved), None, vf.Sky.uniform(1.0))
    light = path_traced(renderer, scene, (64, 16), samples=256)[..., 0].mean(0)
    edge = 0.125  # metres east of the middle: half a texel of 0.25 m
    x = np.arange(64) + 0.5 - 32  # pixel centres in metres
    fine = (np.arange(6400) + 0.5) / 100 - 32
    inside = np.clip((fine + 8 - edge) / 8, 0, 1)  # share of the shutter's time that a point spends right of the edge
    expected = inside.reshape(64, 100).mean(1)
    assert np.abs(light - expected)[4:-12].max() < 0.03, (x, light, expected)


def test_what_a_lane_cannot_show_is_refused(renderer: vf.Renderer) -> None:
    several: tuple[dict[str, Any], ...] = ({"sun_rays": 4}, {"sky_rays": 2})
    for options in several:
        with pytest.raises(vf.InputError, match="path-traced lane has no use for"):
            renderer.render(SCENE, SMALL, lane="path-traced", **options)
    several = ({"max_depth": 3}, {"time_limit": 1.0}, {"noise_threshold": 0.1})
    for options in several:
        with pytest.raises(vf.InputError, match="lit lane has no use for"):
            renderer.render(SCENE, SMALL, **options)
    renderer.render(SCENE, SMALL, samples=1)
