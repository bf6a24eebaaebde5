"""The AOV "motion", and pictures blurred by it, for cameras of every kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import vkforge as vf

LANES = ("lit", "path-traced")
RNG = np.random.default_rng(4)
X = np.arange(33)
HILLS = vf.Terrain(20 * np.sin(X / 4)[:, None] * np.cos(X / 5) + RNG.random((33, 33)), 10.0)

# A camera of each kind, as a function of seconds: all of them move, turn, and where they can, zoom.
CAMERAS: dict[str, Callable[[float], vf.Camera]] = {
    "perspective": lambda t: vf.Camera.perspective((-60 + 30 * t, -220, 70), (20 * t, 0, 5 * t), fov=40 - 5 * t),
    "orthographic": lambda t: vf.Camera.orthographic((9 * t, -220, 150), (20 * t, 0, 0), height=120 + 9 * t),
    "oblique": lambda t: vf.Camera.oblique(HILLS, 160 + 40 * t, z_scale=0.8 + 1.5 * t),
    "map": lambda t: dataclasses.replace(vf.Camera.map(HILLS), position=(29 * t, 9 * t, 90), target=(29 * t, 9 * t, 0)),
    "panorama": lambda t: vf.Camera.panorama((9 * t, -7 * t, 45 + 6 * t), 160 + 40 * t, 0),
    "part of a panorama": lambda t: vf.Camera.panorama((9 * t, 0, 45), 30 * t, -10 - 9 * t, fov_x=200 - 20 * t, fov=90),
    "fish-eye": lambda t: vf.Camera.fisheye((9 * t, 0, 45 + 4 * t), (30 * t, 30, 0), fov=180 - 12 * t),
    "fish-eye all around": lambda t: vf.Camera.fisheye((9 * t, 0, 45), (20 * t, 30, 0), fov=330),
    "equisolid": lambda t: vf.Camera.fisheye((9 * t, 0, 45), (30 * t, 30, 0), fov=200 + 9 * t, mapping="equisolid"),
    "full frame": lambda t: vf.Camera.fisheye((9 * t, 0, 45), (30 * t, 30, 0), fov=150, full_frame=True),
}


def moving(name: str, **rest: Any) -> vf.MovingScene:
    return vf.MovingScene(lambda t: vf.Scene(HILLS, CAMERAS[name](t), **rest), 0.0, 1.0)


def shorter_way(moved: NDArray[np.float64], camera: vf.Camera, width: int) -> NDArray[np.float64]:
    """Return movements in pixels by the shorter way around a panorama."""
    if camera.kind == "panorama":
        around = width * 360.0 / (camera.fov_x or 360.0)
        moved[:, 0] -= around * np.rint(moved[:, 0] / around)
    return moved


@pytest.mark.gpu
@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("name", CAMERAS)
def test_motion_is_where_the_cameras_see_each_point(renderer: vf.Renderer, lane: str, name: str) -> None:
    """What moves, of the points seen in the middle of the exposure, by the cameras' own projection in float64."""
    size = (96, 56)
    image = renderer.render(moving(name), size, lane=lane, samples=1, aovs=("motion", "position", "hit"))
    points = image.aovs["position"].reshape(-1, 3).astype(np.float64)
    opening, closing = (CAMERAS[name](t) for t in (0.0, 1.0))
    wanted = closing.project(points, size)[:, :2] - opening.project(points, size)[:, :2]
    seen = (image.aovs["hit"].ravel() > 0) & np.isfinite(wanted).all(axis=1)
    assert seen.mean() > 0.1
    if name == "part of a panorama":  # which zooms: the way around is another one at its end
        seen &= np.abs(wanted[:, 0]) < 48
    wanted = shorter_way(wanted, closing, size[0])
    found = image.aovs["motion"].reshape(-1, 2)
    assert np.hypot(*wanted[seen].T).max() > 3.0
    np.testing.assert_allclose(found[seen], wanted[seen], atol=0.02)


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["panorama", "part of a panorama", "fish-eye", "equisolid", "perspective"])
def test_motion_of_the_sky_is_that_of_what_is_far_away(renderer: vf.Renderer, name: str) -> None:
    size = (96, 56)
    image = renderer.render(moving(name), size, samples=1, aovs=("motion", "hit"))
    opening, middle, closing = (CAMERAS[name](t) for t in (0.0, 0.5, 1.0))
    pixels = np.stack(np.meshgrid(np.arange(96) + 0.5, np.arange(56) + 0.5), axis=-1).reshape(-1, 2)
    far = middle.unproject(pixels, 1.0, size) - middle.position  # directions
    seen = [camera.project(far * 1e12 + camera.position, size)[:, :2] for camera in (opening, closing)]
    wanted = seen[1] - seen[0]
    sky = (image.aovs["hit"].ravel() == 0) & np.isfinite(wanted).all(axis=1)
    if name == "part of a panorama":
        sky &= np.abs(wanted[:, 0]) < 48
    wanted = shorter_way(wanted, closing, size[0])
    assert sky.any()
    # Of a panorama's zenith no bearing is right.
    away = 1.0 if "panorama" not in name else np.cos(np.arctan2(far[:, 2], np.hypot(*far[:, :2].T)))[sky, None]
    np.testing.assert_allclose(image.aovs["motion"].reshape(-1, 2)[sky] * away, wanted[sky] * away, atol=0.02)
    none = np.isnan(far).any(axis=1)
    assert not image.aovs["motion"].reshape(-1, 2)[none].any(), "nothing moves beside a fish-eye's circle"


@pytest.mark.gpu
@pytest.mark.parametrize("name", CAMERAS)
def test_what_stays_has_no_motion(renderer: vf.Renderer, name: str) -> None:
    still = renderer.render(moving(name).scene(0.3), (40, 28), samples=1, aovs=("motion",))
    assert np.abs(still.aovs["motion"]).max() < 1e-3


# Blur by vectors, against samples in time


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["panorama", "part of a panorama", "fish-eye", "equisolid"])
def test_vectors_come_near_to_samples(renderer: vf.Renderer, name: str) -> None:
    """And around a panorama's seam no worse than elsewhere. In a fish-eye all goes bent ways, and they are straight."""
    size, scene = (192, 96), dataclasses.replace(moving(name), open=0.25, close=0.75)
    truth = renderer.render(scene, size, samples=96).hdr.astype(np.float64)

    def error(image: vf.Image) -> NDArray[np.float64]:
        return ((image.hdr - truth) ** 2).mean(axis=(0, 2))

    blurred = error(renderer.render(scene, size, samples=48, motion_blur="vectors"))
    sharp = error(renderer.render(scene, size, samples=48, motion_blur="none"))
    assert blurred.mean() < (0.25 if "panorama" in name else 0.5) * sharp.mean()
    if name == "panorama":
        seam = np.r_[0:8, -8:0]
        assert blurred[seam].mean() < 3.0 * blurred.mean()


@pytest.mark.gpu
def test_the_blur_of_a_panorama_goes_around(renderer: vf.Renderer) -> None:
    """A camera that turns to the left by half a frame's columns shows the same, moved by as many, blurred alike."""
    scene = moving("panorama")

    def turned(t: float, bearing: float) -> vf.Scene:
        camera = vf.Camera.panorama((9 * t, -7 * t, 45 + 6 * t), bearing + 20 * t, 0)
        return dataclasses.replace(scene.scene(0.5), camera=camera)

    options: dict[str, Any] = {"samples": 16, "motion_blur": "vectors", "sun_rays": 4}
    size = (192, 96)
    images = [
        renderer.render(vf.MovingScene(lambda t, b=bearing: turned(t, b), 0.0, 1.0), size, **options).hdr
        for bearing in (0.0, 180.0)
    ]
    other = np.roll(images[1], 96, axis=1)
    # Other random numbers at each pixel: edges and noise differ, and no column of the seam more than others.
    columns = np.abs(images[0] - other).mean(axis=(0, 2))
    assert columns[[0, 1, 95, 96, -2, -1]].max() < 2.0 * np.quantile(columns, 0.9)


# No blur


@pytest.mark.gpu
@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("name", ["perspective", "panorama"])
def test_a_sharp_picture_with_motion_vectors_beside_it(renderer: vf.Renderer, lane: str, name: str) -> None:
    """motion_blur="none" is the picture of the middle, to the bit, and the AOV "motion" that of the blurred one."""
    scene, options = moving(name), {"lane": lane, "samples": 4, "size": (40, 28)}
    sharp = renderer.render(scene, **options, motion_blur="none", aovs=("motion", "depth"))
    still = renderer.render(scene.scene(0.5), **options, aovs=("motion", "depth"))
    assert sharp.hdr.tobytes() == still.hdr.tobytes()
    assert sharp.aovs["depth"].tobytes() == still.aovs["depth"].tobytes()
    blurred = renderer.render(scene, **options, aovs=("motion",))
    np.testing.assert_array_equal(sharp.aovs["motion"], blurred.aovs["motion"])
    assert (blurred.hdr != sharp.hdr).any()
    assert np.abs(sharp.aovs["motion"]).max() > 1.0
    assert not np.abs(still.aovs["motion"]).max() > 1e-3


@pytest.mark.gpu
@pytest.mark.parametrize("lane", LANES)
def test_a_camera_that_moves_by_itself_is_sharp_too(renderer: vf.Renderer, lane: str) -> None:
    begin = CAMERAS["perspective"](0.0)
    way = np.array([9.0, 5.0, 2.0])
    end = dataclasses.replace(begin, position=begin.position + way, target=begin.target + way)
    scene = vf.Scene(HILLS, begin.moving(end))
    options: dict[str, Any] = {"lane": lane, "samples": 4, "size": (40, 28)}
    sharp = renderer.render(scene, **options, motion_blur="none", aovs=("motion",))
    still = renderer.render(vf.Scene(HILLS, scene.camera.middle), **options)
    np.testing.assert_allclose(sharp.hdr, still.hdr, rtol=2e-3, atol=1e-3)
    assert np.hypot(*np.moveaxis(sharp.aovs["motion"], -1, 0)).max() > 1.0


def test_what_may_change_where_nothing_is_blurred(renderer: vf.Renderer) -> None:
    """The sun, which vectors can't show."""

    def at(t: float) -> vf.Scene:
        return vf.Scene(HILLS, CAMERAS["map"](t), vf.Sun(0, 30 + 9 * t))

    options: dict[str, Any] = {"size": (16, 12), "samples": 2}
    image = renderer.render(vf.MovingScene(at, 0.0, 1.0), **options, motion_blur="none")
    assert image.hdr.tobytes() == renderer.render(at(0.5), **options).hdr.tobytes()
