"""Scenes that move while the shutter is open, shown by samples that are spread over its time."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import vkforge as vf

LANES = ("lit", "path-traced")


# The shutter


def test_intervals() -> None:
    assert vf.Shutter().interval(24.0) == pytest.approx((-1 / 96, 1 / 96))
    assert vf.Shutter(angle=360.0, centre=0.5).interval(25.0) == pytest.approx((0.0, 0.04))
    assert vf.Shutter(seconds=0.01, centre=-0.5).interval(25.0) == pytest.approx((-0.01, 0.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"angle": 361}, "angle .* 361"),
        ({"angle": 0}, "angle"),
        ({"angle": -90}, "angle"),
        ({"angle": float("nan")}, "angle"),
        ({"seconds": 0}, "seconds"),
        ({"angle": 180, "seconds": 1}, "one of them"),
        ({"centre": 1}, "centre"),
        ({"ramp": 0.6}, "ramp"),
    ],
)
def test_bad_shutters(options: dict[str, Any], message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        vf.Shutter(**options)


def test_a_shutter_longer_than_a_frame() -> None:
    with pytest.raises(vf.InputError, match="an angle of 720 degrees"):
        vf.Shutter(seconds=0.08).interval(25.0)


@pytest.mark.parametrize("ramp", [0.0, 0.1, 0.25, 0.5])
def test_times_follow_the_opening(ramp: float) -> None:
    """Shares of the light against the integral of the opening, a trapezoid with ramps that long."""
    x = np.linspace(0.0, 1.0, 100_001)
    opening = np.ones_like(x) if ramp == 0 else np.clip(np.minimum(x, 1 - x) / ramp, 0.0, 1.0)
    light = np.cumsum((opening[1:] + opening[:-1]) / 2)
    shares = np.linspace(0.0, 1.0, 41)
    wanted = 3.0 + 2.0 * np.interp(shares * light[-1], np.concatenate([[0.0], light]), x)
    moving = vf.MovingScene(lambda t: None, 3.0, 5.0, ramp)  # type: ignore[arg-type, return-value]
    np.testing.assert_allclose([moving.time(share) for share in shares], wanted, atol=2e-3)


@pytest.mark.parametrize(("open_", "close"), [(1.0, 1.0), (1.0, 0.5), (float("nan"), 1.0)])
def test_bad_moving_scenes(open_: float, close: float) -> None:
    with pytest.raises(vf.InputError, match="MovingScene"):
        vf.MovingScene(lambda t: None, open_, close)  # type: ignore[arg-type, return-value]


@pytest.mark.gpu
def test_samples_are_spread_over_the_light() -> None:
    from vkforge.lanes.blocks import exposure_share, progressive_share

    for count in (1, 2, 3, 16, 33, 64):
        shares = sorted(exposure_share(i, count) for i in range(count))
        np.testing.assert_allclose(shares, (np.arange(count) + 0.5) / count, atol=0.5 / count + 1e-12)
        assert exposure_share(count - 1, count) == 0.5
    shares = sorted(progressive_share(i, 64) for i in range(64))
    np.testing.assert_allclose(shares, (np.arange(64) + 0.5) / 64)


# Pictures


def edge_scene(x: float = 0.0) -> vf.Scene:
    """Return level ground, black in the west and white in the east, seen from above by a camera at `x` metres."""
    albedo = np.zeros((1, 1300, 3), np.float32)
    albedo[:, 650:] = 1.0
    terrain = vf.Terrain(np.zeros((65, 65)), cell_size=1.0, albedo=albedo)
    camera = vf.Camera.orthographic((x, 0, 50), (x, 0, 0), (0, 1, 0), height=8.0)
    return vf.Scene(terrain, camera, vf.Sun(0, 90, angular_diameter=0.0), None)


SCENE = edge_scene()


def gliding(t: float) -> vf.Scene:
    camera = dataclasses.replace(SCENE.camera, position=(t, 0, 50), target=(t, 0, 0))
    return dataclasses.replace(SCENE, camera=camera)


def profile(image: vf.Image) -> NDArray[np.float64]:
    row = image.hdr[..., 0].mean(axis=0, dtype=np.float64)
    return row / row[-1]


def light_after(x: NDArray[np.float64], ramp: float) -> NDArray[np.float64]:
    """Return the share of the light that has come in after shares x of the time."""
    fine = np.linspace(0.0, 1.0, 20_001)
    opening = np.ones_like(fine) if ramp == 0 else np.clip(np.minimum(fine, 1 - fine) / ramp, 0.0, 1.0)
    total = np.concatenate([[0.0], np.cumsum((opening[1:] + opening[:-1]) / 2)])
    return np.interp(x, fine, total / total[-1])


@pytest.mark.gpu
@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("ramp", [0.0, 0.5])
@pytest.mark.parametrize("pixels", [2.5, 12.0])
def test_the_profile_of_a_moving_edge(renderer: vf.Renderer, lane: str, ramp: float, pixels: float) -> None:
    """The shutter's opening, as far as the edge moves, convolved with a pixel: a trapezoid where it is a box."""
    width = 64  # of 16 m: 4 pixels a metre
    metres = pixels / 4.0
    moving = vf.MovingScene(gliding, -metres / 2, metres / 2, ramp)
    found = profile(renderer.render(moving, (width, width // 2), lane=lane, samples=128))
    fine = (np.arange(width * 64) + 0.5) / 64  # the camera goes east, so the edge goes west
    edge = light_after(np.clip((fine - width / 2 + pixels / 2) / pixels, 0.0, 1.0), ramp)
    wanted = edge.reshape(width, 64).mean(axis=1)
    np.testing.assert_allclose(found, wanted, atol=0.03)
    assert np.abs(found - (np.arange(width) >= width / 2)).max() > 0.1  # it does move


@pytest.mark.gpu
@pytest.mark.parametrize("lane", LANES)
def test_a_gliding_camera_is_its_moving_scene(renderer: vf.Renderer, lane: str) -> None:
    moving = vf.MovingScene(gliding, -1.0, 1.0)
    scene = dataclasses.replace(SCENE, camera=gliding(-1.0).camera.moving(gliding(1.0).camera))
    frames = [profile(renderer.render(what, (32, 16), lane=lane, samples=128)) for what in (moving, scene)]
    np.testing.assert_allclose(frames[0], frames[1], atol=0.03)


@pytest.mark.gpu
@pytest.mark.parametrize("lane", LANES)
def test_the_sun_moves(renderer: vf.Renderer, lane: str) -> None:
    """Level ground under a sun that climbs evenly from 10 to 70 degrees: the mean of the sine of its elevation."""

    def at(t: float) -> vf.Scene:
        return dataclasses.replace(SCENE, sun=vf.Sun(0, 10 + 60 * t, irradiance=(1, 1, 1), angular_diameter=0.0))

    image = renderer.render(vf.MovingScene(at, 0.0, 1.0), (8, 4), lane=lane, samples=64)
    a, b = np.radians([10.0, 70.0])
    assert image.hdr[:, -1].mean() == pytest.approx((np.cos(a) - np.cos(b)) / (b - a) / np.pi, rel=2e-3)


@pytest.mark.gpu
@pytest.mark.parametrize("lane", LANES)
def test_a_scene_that_stays_is_the_scene(renderer: vf.Renderer, lane: str) -> None:
    still = renderer.render(SCENE, (16, 8), lane=lane, samples=4)
    image = renderer.render(vf.MovingScene(lambda t: SCENE, 0.0, 1.0), (16, 8), lane=lane, samples=4)
    if lane == "lit":
        assert image.hdr.tobytes() == still.hdr.tobytes()
    else:  # whose batches are of one sample
        np.testing.assert_allclose(image.hdr, still.hdr, rtol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("lane", LANES)
def test_what_may_not_change(renderer: vf.Renderer, lane: str) -> None:
    def other_heights(t: float) -> vf.Scene:
        return dataclasses.replace(SCENE, terrain=dataclasses.replace(SCENE.terrain, heights=np.full((65, 65), t)))

    def other_sun(t: float) -> vf.Scene:
        return SCENE if t < 0.6 else dataclasses.replace(SCENE, sun=None)

    for at, message in ((other_heights, "terrain's heights is another"), (other_sun, "changes in kind")):
        with pytest.raises(vf.InputError, match=message):
            renderer.render(vf.MovingScene(at, 0.0, 1.0), (8, 4), lane=lane, samples=8)
    with pytest.raises(vf.InputError, match=r"gave a int; wanted a Scene"):
        renderer.render(vf.MovingScene(lambda t: 3, 0.0, 1.0), (8, 4), lane=lane)  # type: ignore[arg-type, return-value]
    assert renderer.render(SCENE, (8, 4), lane=lane, samples=1).hdr.any()


# Blur by motion vectors


@pytest.mark.gpu
@pytest.mark.parametrize("ramp", [0.0, 0.5])
@pytest.mark.parametrize("pixels", [2.5, 12.0, 60.0])
def test_the_profile_of_an_edge_by_motion_vectors(renderer: vf.Renderer, ramp: float, pixels: float) -> None:
    width, metres = 128, pixels / 4.0
    moving = vf.MovingScene(gliding, -metres / 2, metres / 2, ramp)
    wide = dataclasses.replace(SCENE.camera, height=16.0)
    scene = dataclasses.replace(moving, at=lambda t: dataclasses.replace(gliding(t), camera=moved(wide, t)))
    found = profile(renderer.render(scene, (width, width // 2), samples=32, motion_blur="vectors"))
    fine = (np.arange(width * 64) + 0.5) / 64
    edge = light_after(np.clip((fine - width / 2 + pixels / 2) / pixels, 0.0, 1.0), ramp)
    np.testing.assert_allclose(found, edge.reshape(width, 64).mean(axis=1), atol=0.03)


def from_above(terrain: vf.Terrain, east: float, pixels: float, turned: float = 0.0) -> vf.Scene:
    """Return what shines, seen from above `east` by a camera that moves east by so many pixels of a metre.

    It is turned by so many degrees clockwise.
    """
    up = (float(np.sin(np.radians(turned))), float(np.cos(np.radians(turned))), 0.0)
    cameras = (
        vf.Camera.orthographic((x, 0, 500), (x, 0, 0), up, height=24.0) for x in (east - pixels / 2, east + pixels / 2)
    )
    start, end = cameras
    return vf.Scene(terrain, start.moving(end), None, None, background="black")


def worst_off(
    renderer: vf.Renderer, scene: vf.Scene, angle: float, edge: float, pixels: float, turned: float = 0.0
) -> float:
    """Return the largest difference to what is lit up to `edge`, east of the middle, aslant by `angle` degrees."""
    size, across = (96, 24), np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    image = renderer.render(scene, size, samples=256, motion_blur="vectors").hdr[..., 0]
    within = (np.arange(16) + 0.5) / 16
    x = np.arange(size[0])[:, None] + within - size[0] / 2
    y = size[1] / 2 - np.arange(size[1])[:, None] - within
    x, y = x[None, :, None, :], y[:, None, :, None]
    cos, sin = np.cos(np.radians(turned)), np.sin(np.radians(turned))
    beyond = across[0] * (cos * x + sin * y - edge) + across[1] * (cos * y - sin * x)
    wanted = np.clip(0.5 - beyond / (pixels * across[0]), 0.0, 1.0).mean(axis=(2, 3))
    found = float(np.abs(image - wanted)[4:-4, 16:-16].max())
    print(f"{pixels:g} pixels, {angle:g} degrees, turned by {turned:g}, edge at {edge:g}: worst {found:.4f}")
    return found


@pytest.mark.gpu
@pytest.mark.parametrize("angle", [0.0, 23.0, 44.0])
def test_vectors_know_where_in_a_pixel_an_edge_is(renderer: vf.Renderer, angle: float) -> None:
    """Over one plane: an edge that is aslant crosses pixels everywhere."""
    across = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    row, column = (np.mgrid[0:384, 0:1152] - [[[191.5]], [[575.5]]]) / 12.0  # metres
    lit = np.clip(0.5 - 12.0 * (across[0] * column - across[1] * row), 0.0, 1.0)
    material = vf.Material(emission=1.0, emission_map=np.repeat(lit[..., None], 3, axis=-1).astype(np.float32))
    terrain = vf.Terrain(np.zeros((32, 96)), 1.0, albedo=0.0, material=material)
    for pixels in (0.5, 1.0, 1.5, 2.7, 5.0, 12.0):
        for edge in (0.0, -0.3, -0.5) if angle == 0 else (-0.3,):
            assert worst_off(renderer, from_above(terrain, -edge, pixels), angle, edge, pixels) < 0.03


@pytest.mark.gpu
@pytest.mark.parametrize("turned", [27.0, 45.0, 60.0])
def test_vectors_move_edges_any_way(renderer: vf.Renderer, turned: float) -> None:
    """Over one plane: an edge across the movement, and both aslant in the picture."""
    column = (np.arange(96 * 32) + 0.5) / 32 - 48
    lit = np.repeat(np.clip(0.5 - 12.0 * column, 0.0, 1.0)[None, :, None], 3, axis=-1)
    material = vf.Material(emission=1.0, emission_map=lit.astype(np.float32))
    terrain = vf.Terrain(np.zeros((96, 96)), 1.0, albedo=0.0, material=material)
    for pixels in (0.5, 1.0, 2.0, 3.0, 5.0):
        for edge in (0.0, -0.5):
            scene = from_above(terrain, -edge, pixels, turned)
            assert worst_off(renderer, scene, 0.0, edge, pixels, turned) < 0.03


@pytest.mark.gpu
@pytest.mark.parametrize("edge", [0.0, -0.3, -0.75])
def test_vectors_move_a_rim_before_the_sky(renderer: vf.Renderer, edge: float) -> None:
    """What is behind the ground's end has another motion, and light of the ground is in pixels whose middle is sky."""
    terrain = vf.Terrain(np.zeros((64, 400)), 1.0, albedo=0.0, material=vf.Material(emission=1.0))
    for pixels in (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0):
        assert worst_off(renderer, from_above(terrain, 199.5 - edge, pixels), 0.0, edge, pixels) < 0.03


@pytest.mark.gpu
@pytest.mark.parametrize("turned", [0.0, 30.0])
@pytest.mark.parametrize("bright", ["plateau", "ground"])
def test_vectors_move_the_edge_of_what_is_near(renderer: vf.Renderer, bright: str, turned: float) -> None:
    """A plateau moves faster than the ground under it; some pixels look at its side, which moves as neither does."""
    cells, cell, altitude, near, size, pixel = 768, 0.0625, 100.0, 70.0, (64, 48), 0.4  # pixel: metres on the ground
    heights = np.tile(np.where(np.arange(cells) < cells // 2, altitude - near, 0.0), (cells, 1))
    on_plateau = np.tile(np.arange(8 * cells) < 4 * cells - 4, (4, 1))[..., None]  # the side shines as the ground does
    shining = np.repeat(on_plateau == (bright == "plateau"), 3, axis=2).astype(np.float32)
    terrain = vf.Terrain(heights, cell, albedo=0.0, material=vf.Material(emission=1.0, emission_map=shining))
    fov_x = float(2.0 * np.degrees(np.arctan(pixel * size[0] / 2.0 / altitude)))
    turn, a_pixel = np.radians(turned), pixel * near / altitude  # on the plateau
    x, y = ((np.arange(16 * n) + 0.5) / 16 - n / 2 for n in size)
    for pixels in (1.0, 2.0, 4.0, 8.0):
        for within in (0.0, 0.5):
            cameras = (
                vf.Camera.perspective(
                    (east, 0.0, altitude),
                    (east, 0.0, 0.0),
                    up=(float(np.sin(turn)), float(np.cos(turn)), 0.0),
                    fov_x=fov_x,
                )
                for east in (-cell / 2.0 + (within + step * pixels) * a_pixel for step in (-0.5, 0.5))
            )
            start, end = cameras
            scene = vf.Scene(terrain, start.moving(end), None, None, background="black")
            found = renderer.render(scene, size, samples=256, motion_blur="vectors").hdr[..., 0]
            outward = np.cos(turn) * x - np.sin(turn) * y[:, None] + within
            covered = np.clip(0.5 - outward / pixels, 0.0, 1.0).reshape(size[1], 16, size[0], 16).mean(axis=(1, 3))
            error = float(np.abs(found - (covered if bright == "plateau" else 1.0 - covered))[12:-12, 12:-12].max())
            print(f"{bright} bright, {turned:g} degrees, {pixels:g} pixels, {within:g} within: worst {error:.4f}")
            assert error < 0.03


def moved(camera: vf.Camera, t: float) -> vf.Camera:
    return dataclasses.replace(camera, position=(t, 0, 50), target=(t, 0, 0))


def flight(t: float) -> vf.Scene:
    """Return hills seen by a camera that flies past, turns and zooms."""
    rng = np.random.default_rng(4)
    x = np.arange(33)
    heights = 20 * np.sin(x / 4)[:, None] * np.cos(x / 5) + rng.random((33, 33))
    camera = vf.Camera.perspective((-60 + 30 * t, -220, 70), (20 * t, 0, 5 * t), fov=40 - 5 * t)
    return vf.Scene(FLOWN.setdefault("terrain", vf.Terrain(heights, 10.0)), camera)


FLOWN: dict[str, vf.Terrain] = {}


@pytest.mark.gpu
@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("lens", [None, vf.Lens(k1=-0.1, p1=0.01)])
def test_motion_is_where_the_cameras_see_each_point(renderer: vf.Renderer, lane: str, lens: vf.Lens | None) -> None:
    """What moves, of the points seen in the middle of the exposure, by the cameras' own projection in float64."""
    size = (40, 28)
    scene = vf.MovingScene(flight, 0.0, 1.0)
    image = renderer.render(scene, size, lane=lane, samples=1, aovs=("motion", "position", "hit"), lens=lens)
    points = image.aovs["position"].reshape(-1, 3)
    pixels = [flight(t).camera.project(points, size)[:, :2] for t in (0.0, 1.0)]
    if lens is not None:
        pixels = [shown(lens, flight(t).camera, at, size) for t, at in zip((0.0, 1.0), pixels, strict=True)]
    hit = image.aovs["hit"].ravel() > 0
    found = image.aovs["motion"].reshape(-1, 2)
    assert np.hypot(*found[hit].T).max() > 3.0
    # Distortion is undone to a small part of a pixel: see Lens.
    np.testing.assert_allclose(found[hit], (pixels[1] - pixels[0])[hit], atol=0.01 if lens is None else 0.05)
    still = renderer.render(flight(0.0), size, lane=lane, samples=1, aovs=("motion",))
    assert not still.aovs["motion"].any()


def shown(lens: vf.Lens, camera: vf.Camera, pixels: Any, size: tuple[int, int]) -> Any:
    k = camera.intrinsics(size)
    focal, centre = k[[0, 1], [0, 1]], k[:2, 2]
    return lens.distort((pixels - centre) / focal) * focal + centre


@pytest.mark.gpu
def test_motion_vectors_come_near_to_samples(renderer: vf.Renderer) -> None:
    scene, size = vf.MovingScene(flight, 0.0, 1.0), (192, 128)
    truth = renderer.render(scene, size, samples=128).hdr.astype(np.float64)

    def error(image: vf.Image) -> float:
        return float((((image.hdr - truth) ** 2) / (truth**2 + 1e-2 * truth.mean() ** 2)).mean())

    blurred = renderer.render(scene, size, samples=32, motion_blur="vectors")
    still = renderer.render(flight(0.5), size, samples=32)
    assert error(blurred) < 0.4 * error(still)


@pytest.mark.gpu
def test_what_motion_vectors_can_not_show(renderer: vf.Renderer) -> None:
    def climbing(t: float) -> vf.Scene:
        return dataclasses.replace(SCENE, sun=vf.Sun(0, 30 + t))

    with pytest.raises(vf.InputError, match="sun changes while the shutter is open"):
        renderer.render(vf.MovingScene(climbing, 0.0, 1.0), (8, 4), motion_blur="vectors")
    with pytest.raises(vf.InputError, match="path-traced lane has no use for motion_blur"):
        renderer.render(vf.MovingScene(gliding, 0.0, 1.0), (8, 4), lane="path-traced", motion_blur="vectors")

    def rising(t: float) -> vf.Scene:
        return dataclasses.replace(SCENE, terrain=dataclasses.replace(SCENE.terrain, vertical_exaggeration=1.0 + t))

    with pytest.raises(vf.InputError, match="vertical_exaggeration goes from 1.0 to 2.0 while the shutter is open"):
        renderer.render(vf.MovingScene(rising, 0.0, 1.0), (8, 4), samples=2, aovs=("motion",))
    with pytest.raises(vf.InputError, match="no motion_blur called"):
        vf.Settings(motion_blur="vector")


@pytest.mark.gpu
@pytest.mark.parametrize("lane", LANES)
def test_what_is_said_of_a_moving_camera_is_of_the_middle(renderer: vf.Renderer, lane: str) -> None:
    """Depths, matrices and the place of the eye, as the other AOVs are."""
    begin = flight(0.0).camera
    way = np.array([9.0, 5.0, 2.0])
    end = dataclasses.replace(begin, position=begin.position + way, target=begin.target + way)
    glides = dataclasses.replace(flight(0.0), camera=begin.moving(end))
    stays = dataclasses.replace(glides, camera=glides.camera.middle)
    options: dict[str, Any] = {"lane": lane, "samples": 2, "aovs": ("depth_axis", "position")}
    moving, still = (renderer.render(scene, (40, 28), **options) for scene in (glides, stays))
    np.testing.assert_allclose(moving.aovs["depth_axis"], still.aovs["depth_axis"], rtol=1e-5)
    assert moving.info["camera"]["position"] == still.info["camera"]["position"] != begin.position
    np.testing.assert_allclose(moving.info["camera"]["world_to_ndc"], still.info["camera"]["world_to_ndc"])
    refocused = dataclasses.replace(end, aperture_radius=1.0)
    with pytest.raises(vf.InputError, match="wanted the same lens"):
        begin.moving(refocused)


@pytest.mark.gpu
@pytest.mark.parametrize("lane", LANES)
def test_no_cut_while_the_shutter_is_open(renderer: vf.Renderer, lane: str) -> None:
    def cut(t: float) -> vf.Scene:
        return SCENE if t < 0.5 else dataclasses.replace(SCENE, camera=vf.Camera.panorama((0, 0, 90)))

    with pytest.raises(vf.InputError, match="while the shutter is open; it may only move"):
        renderer.render(vf.MovingScene(cut, 0.0, 1.0), (8, 4), lane=lane, samples=4)
