"""Depth of field by the post pass, held against closed forms, a mean of pinholes, the path tracer and Mitsuba."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from test_reference import FOLDER, compare, description, ground_truth_scene  # noqa: F401
from truth import depth_of_field as truth

import vkforge as vf
from vkforge.post.resample import catmull_rom
from vkforge.scene.camera_rays import pixels_to_uv, uv_to_pixels

pytestmark = pytest.mark.gpu

SIZE = (160, 96)
ALTITUDE = 100.0  # of the camera that looks straight down, above the ground at 0
METRES = 64.0  # that the frame's width shows there


def light_table(heights: Any, emission: Any, radius: float, focus: float, **lens: Any) -> vf.Scene:
    """A scene of nothing but what shines, (512, 512) samples of an eighth of a metre, seen from straight above."""
    rgb = np.repeat(np.asarray(emission, np.float32)[..., None], 3, axis=-1)
    material = vf.Material(emission=1.0, emission_map=rgb)
    terrain = vf.Terrain(np.asarray(heights, float), cell_size=0.125, albedo=0.0, material=material)
    fov_x = 2 * np.degrees(np.arctan(METRES / 2 / ALTITUDE))
    camera = vf.Camera.perspective(
        (0, 0, ALTITUDE), (0, 0, 0), up=(0, 1, 0), fov_x=fov_x, aperture_radius=radius, focus_distance=focus, **lens
    )
    return vf.Scene(terrain, camera, sun=None, sky=None, background="black")


def seen(renderer: vf.Renderer, scene: vf.Scene, **options: Any) -> np.ndarray:
    options = {"size": SIZE, "samples": 16, "sky_rays": 0, **options}
    return renderer.render(scene, **options).hdr[..., 1].astype(np.float64)


def pinhole(scene: vf.Scene) -> vf.Scene:
    camera = dataclasses.replace(scene.camera, aperture_radius=0.0, focus_distance=None, blades=0, blade_rotation=0.0)
    return dataclasses.replace(scene, camera=camera)


STEP = np.arange(512) < 256  # the western half
FLAT = np.zeros((512, 512))
FLAT[0, 0] = -1.0  # a box with no height loses rays
# Pixels' centres east of the step, which is in the middle of the frame.
EAST = np.arange(SIZE[0]) + 0.5 - SIZE[0] / 2


def edge(radius: float) -> np.ndarray:
    """The step through a lens, as pixels see it: a mean over each."""
    return np.mean([truth.disc_edge(-EAST - within, radius) for within in (np.arange(8) - 3.5) / 8], axis=0)


@pytest.mark.parametrize("focus", [60.0, 85.0, 115.0, 180.0])
def test_an_edge_on_the_ground_has_the_profile_of_the_disc(renderer: vf.Renderer, focus: float) -> None:
    scene = light_table(FLAT, np.tile(STEP, (512, 1)), 8.0, focus)
    radius = float(scene.camera.circle_of_confusion(ALTITUDE, SIZE))
    profile = seen(renderer, scene)[40:56].mean(axis=0)
    middle = slice(30, -30)
    error = np.abs(profile - edge(radius))[middle].max()
    print(f"focus {focus:g} m, circles of {radius:.1f} pixels: worst {error:.4f}")
    assert error < 0.03


def test_wide_circles_have_the_profile_of_the_disc(renderer: vf.Renderer) -> None:
    """Wherever the edge lies in the coarse pictures: a little light at the rim of the dark must not move the dark."""
    size = (256, 64)
    for east in (256, 261, 270):
        lit = np.tile(np.arange(512) < east, (512, 1))
        x = np.arange(size[0])[:, None] + (np.arange(8) + 0.5) / 8 - size[0] / 2 - (east - 256) / 2
        for radius in (20.0, 28.0, 31.0):
            image = seen(renderer, focus_for(light_table(FLAT, lit, 8.0, ALTITUDE), radius, size), size=size)
            error = np.abs(image[20:44].mean(axis=0) - truth.disc_edge(-x, radius).mean(axis=1))[16:-16].max()
            print(f"edge at {east}, circles of {radius:g} pixels: worst {error:.4f}")
            assert error < 0.03


def focus_for(scene: vf.Scene, radius: float, size: tuple[int, int]) -> vf.Scene:
    """Return the scene with something behind the ground in focus: the ground's circles have that radius in pixels."""
    nearness = scene.camera.aperture_radius * size[0] / 2 / (METRES / 2 / ALTITUDE)  # pixels times metres
    focus = 1.0 / (1.0 / ALTITUDE - radius / nearness)
    found = dataclasses.replace(scene, camera=dataclasses.replace(scene.camera, focus_distance=focus))
    assert float(found.camera.circle_of_confusion(ALTITUDE, size)) == pytest.approx(radius)
    return found


@pytest.mark.parametrize(("angle", "lens"), [(2.0, None), (23.0, None), (44.0, None), (23.0, vf.Lens(k1=1e-6))])
def test_small_circles_have_the_profile_of_the_disc(renderer: vf.Renderer, angle: float, lens: vf.Lens | None) -> None:
    """An edge that is a little aslant crosses pixels everywhere: about as large as one, circles are told apart."""
    size = (64, 48)
    across = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    row, column = (np.mgrid[0:512, 0:512] - 255.5) / 8.0
    lit = np.clip(0.5 - 8.0 * (across[0] * column - across[1] * row), 0.0, 1.0)
    table = light_table(FLAT, lit, 8.0, ALTITUDE)
    within = (np.arange(16) + 0.5) / 16
    x = np.arange(size[0])[:, None] + within - size[0] / 2
    y = size[1] / 2 - np.arange(size[1])[:, None] - within
    beyond = across[0] * x[None, :, None, :] + across[1] * y[:, None, :, None]  # pixels
    inner = slice(6, -6)
    for radius in (0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 0.95, 1.1, 1.2, 1.35, 1.7, 1.9, 2.2):
        image = renderer.render(focus_for(table, radius, size), size, samples=128, sky_rays=0, lens=lens).hdr[..., 1]
        error = np.abs(image - truth.disc_edge(-beyond, radius).mean(axis=(2, 3)))[inner, inner].max()
        print(f"edge at {angle:g} degrees, circles of {radius:g} pixels: worst {error:.4f}")
        assert error < 0.03


@pytest.mark.parametrize(
    "focus", [0.5, 2.0]
)  # of the ground's distance: the sky is blurred twice as widely, and as widely
@pytest.mark.parametrize("within", [0.0, 0.25, 0.5, 0.75])
def test_a_rim_before_the_sky_has_the_profile_of_the_disc(renderer: vf.Renderer, focus: float, within: float) -> None:
    """Where the ground ends, wherever in a pixel that is, what is behind is nowhere seen whole."""
    material, altitude, size = vf.Material(emission=1.0), 3000.0, (160, 64)
    terrain = vf.Terrain(np.zeros((3, 3), np.float32), 995.0, albedo=0.0, material=material)  # few cells
    half = np.tan(np.radians(10.0))
    east = 995.0 + within * 2 * altitude * half / size[1]  # the ground ends so much of a pixel before the middle
    x = np.arange(size[0])[:, None] + (np.arange(64) + 0.5) / 64 - size[0] / 2 + within
    for radius in (0.35, 0.5, 0.95, 1.35, 1.8, 2.2, 4.0, 8.9, 13.3):
        focused = focus * altitude
        aperture = radius * altitude * focused / abs(altitude - focused) * half / (size[1] / 2)
        camera = vf.Camera.perspective(
            (east, 0, altitude), (east, 0, 0), up=(0, 1, 0), fov=20.0, aperture_radius=aperture, focus_distance=focused
        )
        scene = vf.Scene(terrain, camera, sun=None, sky=None, background="black")
        profile = seen(renderer, scene, size=size, samples=128)[size[1] // 2]
        error = np.abs(profile - truth.disc_edge(-x, radius).mean(axis=1))[32:-32].max()
        print(f"rim at {within:g}, focus {focus:g}, circles of {radius:g} pixels: worst {error:.4f}")
        assert error < 0.03


@pytest.mark.parametrize("blades", [0, 5, 6])
@pytest.mark.parametrize("side", [1, 3])  # eighths of a metre; a pixel has four tenths
def test_small_circles_keep_their_light(renderer: vf.Renderer, side: int, blades: int) -> None:
    lamp = np.zeros((512, 512))
    lamp[260 : 260 + side, 270 : 270 + side] = 100.0
    scene = light_table(FLAT, lamp, 8.0, ALTITUDE, blades=blades, blade_rotation=11.0)
    before = seen(renderer, pinhole(scene)).sum()
    for radius in (0.15, 0.55, 0.95, 1.4, 1.9):
        light = seen(renderer, focus_for(scene, radius, SIZE)).sum()
        print(f"{blades} blades, circles of {radius:g} pixels: {light / before:.4f} of the light")
        assert light == pytest.approx(before, rel=0.01)


@pytest.mark.parametrize("focus", ["ground", "beyond", "edge", "before"])
@pytest.mark.parametrize(("near", "slant", "within"), [(50.0, 0.0, 0.4), (70.0, 45.0, 0.7), (85.0, 20.0, 0.0)])
def test_an_edge_over_another_surface(
    renderer: vf.Renderer, near: float, slant: float, within: float, focus: str
) -> None:
    """A plateau above ground, one of them bright: sharp or not it ends as its own circles say.

    Some pixels' middles look at the plateau's side, whose depth is neither's.
    """
    cells, cell, altitude, size = 768, 0.0625, 100.0, (60, 44)
    pixel = 0.4  # metres on the ground
    plateau_ends = -cell / 2.0
    # The same from south to north, in two cells: quickly traced.
    heights = np.tile(np.where(np.arange(cells) < cells // 2, altitude - near, 0.0), (3, 1))
    on_plateau = np.tile(np.arange(8 * cells) < 4 * cells - 4, (4, 1))[..., None]  # the side shines as the ground does
    fov_x = float(2.0 * np.degrees(np.arctan(pixel * size[0] / 2.0 / altitude)))
    focused = {"ground": altitude, "beyond": 1.4 * altitude, "edge": near, "before": 0.8 * near}[focus]
    blurred = altitude if focus == "edge" else near
    turn, east = np.radians(slant), plateau_ends + within * pixel * near / altitude
    x, y = ((np.arange(8 * n) + 0.5) / 8 - n / 2 for n in size)
    outward = np.cos(turn) * x - np.sin(turn) * y[:, None] + within  # pixels from the edge
    worst = {}
    for bright in ("plateau", "ground"):
        shining = np.repeat(on_plateau == (bright == "plateau"), 3, axis=2).astype(np.float32)
        material = vf.Material(emission=1.0, emission_map=shining)
        terrain = vf.Terrain(heights, (cell, cell * (cells - 1) / 2), albedo=0.0, material=material)
        for radius in (0.5, 0.85, 1.25, 2.5, 5.0, 13.0):
            camera = vf.Camera.perspective(
                (east, 0, altitude),
                (east, 0, 0),
                up=(float(np.sin(turn)), float(np.cos(turn)), 0.0),
                fov_x=fov_x,
                aperture_radius=radius * pixel / altitude / abs(1.0 / blurred - 1.0 / focused),
                focus_distance=focused,
            )
            scene = vf.Scene(terrain, camera, sun=None, sky=None, background="black")
            covered = truth.disc_edge(-outward, 0.1 if focus == "edge" else radius)
            covered = covered.reshape(size[1], 8, size[0], 8).mean(axis=(1, 3))
            wanted = covered if bright == "plateau" else 1.0 - covered
            error = np.abs(seen(renderer, scene, size=size, samples=64) - wanted)
            worst[bright, radius] = float(error[14:-14, 14:-14].max())
    print(f"plateau at {near:g} m, {slant:g} degrees, focus on {focus}: worst {max(worst.values()):.4f}")
    assert max(worst.values()) < 0.03, {where: error for where, error in worst.items() if error >= 0.03}


@pytest.mark.parametrize("radius", [2.0, 6.0])
def test_a_near_edge_covers_what_is_sharp_behind_it_by_the_share_of_the_lens(
    renderer: vf.Renderer, radius: float
) -> None:
    """A bright plateau above a dark ground in focus: beyond its edge it is seen through, and so it is before it."""
    scene = light_table(np.tile(30.0 * STEP, (512, 1)), np.tile(STEP, (512, 1)), radius, ALTITUDE)
    blur = float(scene.camera.circle_of_confusion(ALTITUDE - 30.0, SIZE))
    profile = seen(renderer, scene)[40:56].mean(axis=0)
    error = np.abs(profile - edge(blur))[30:-30].max()
    print(f"near edge with circles of {blur:.1f} pixels: worst {error:.4f}")
    assert error < 0.03


def test_what_is_sharp_in_front_does_not_leak_into_the_blur_behind_it(renderer: vf.Renderer) -> None:
    """A bright plateau in focus above a dark ground that is not: the ground stays dark right up to the edge."""
    shining = np.roll(STEP, -2) & STEP  # not the wall, at whose foot it would be the ground that shines
    scene = light_table(np.tile(30.0 * STEP, (512, 1)), np.tile(shining, (512, 1)), 3.0, ALTITUDE - 30.0)
    assert scene.camera.circle_of_confusion(ALTITUDE, SIZE) > 3.0
    profile = seen(renderer, scene)[40:56].mean(axis=0)
    assert profile[EAST > 1.5].max() < 0.005
    assert profile[(EAST < -2.5) & (EAST > -40)].min() > 0.995


@pytest.mark.parametrize("blades", [0, 5, 6])
@pytest.mark.parametrize("focus", [70.0, 160.0])
def test_a_point_becomes_the_aperture_and_keeps_its_light(renderer: vf.Renderer, focus: float, blades: int) -> None:
    lamp = np.zeros((512, 512))
    lamp[254:258, 254:258] = 100.0
    scene = light_table(FLAT, lamp, 10.0, focus, blades=blades, blade_rotation=20.0)
    lens = scene.camera.lens
    assert lens is not None
    radius = float(scene.camera.circle_of_confusion(ALTITUDE, SIZE))
    light, before = seen(renderer, scene), seen(renderer, pinhole(scene))
    assert light.sum() == pytest.approx(before.sum(), rel=0.02)
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]] + 0.5
    x, y = x - SIZE[0] / 2, SIZE[1] / 2 - y
    spread = np.sqrt(2 * (np.average(x**2 + y**2, weights=light) - np.average(x**2 + y**2, weights=before)))
    # Of a disc the mean of d^2 is r^2 / 2; of a polygon of n sides with corners at r, (2 + cos(2 pi / n)) r^2 / 6.
    wanted = radius * (1.0 if blades == 0 else np.sqrt((2 + np.cos(2 * np.pi / blades)) / 3))
    print(f"circles of {radius:.1f} pixels, {blades} blades: spread {spread:.2f}, wanted {wanted:.2f}")
    assert spread == pytest.approx(wanted, abs=0.5)
    if blades:
        # p = q - c o (see Lens): behind the plane in focus the aperture's own shape, before it turned around.
        corners = lens.corners() * (1.0 if focus < ALTITUDE else -1.0) * (radius + 1.0)
        side = np.roll(corners, -1, axis=0) - corners
        outward = np.stack([side[:, 1], -side[:, 0]], axis=-1)
        inside = ((x[..., None] * outward[:, 0] + y[..., None] * outward[:, 1]) <= (corners * outward).sum(-1)).all(-1)
        assert light[inside].sum() > 0.95 * light.sum()
        assert light[inside].sum() > light[inside[::-1, ::-1]].sum() + (0.02 * light.sum() if blades == 5 else -1.0)


@pytest.mark.parametrize("radius", [12.0, 24.0, 27.0, 34.0, 48.0])
def test_circles_move_with_what_makes_them(renderer: vf.Renderer, radius: float) -> None:
    """A lamp of one pixel, moved by one at a time over a texel of the coarsest picture it is read from, aslant."""
    size, pixel = (256, 160), METRES / 256
    lamp = np.zeros((512, 512))
    lamp[256:258, 256:258] = 1000.0
    scene = focus_for(light_table(FLAT, lamp, 20.0, ALTITUDE), radius, size)
    y, x = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
    angles = np.linspace(-np.pi, np.pi, 72)
    away = np.linspace(0.0, 1.5 * radius, 1000)[:, None]
    for step in range(8):
        eye = (-step * pixel, step * pixel, ALTITUDE)
        camera = dataclasses.replace(scene.camera, position=eye, target=(*eye[:2], 0.0))
        moved = dataclasses.replace(scene, camera=camera)
        light, sharp = (seen(renderer, s, size=size, samples=1) for s in (moved, pinhole(moved)))
        place, wanted = ([np.average(along, weights=image) for along in (x, y)] for image in (light, sharp))
        full = sharp.sum() / (np.pi * radius**2)
        around = [wanted[0] + away * np.cos(angles), wanted[1] + away * np.sin(angles)]
        along = catmull_rom(light, np.clip(np.stack(around, axis=-1), 0.5, np.array(size) - 0.5)) / full
        outline = away[(along > 0.5).sum(axis=0) - 1, 0]
        inside = light[np.hypot(x - wanted[0], y - wanted[1]) < 0.75 * radius] / full
        off, error = np.abs(np.subtract(place, wanted)).max(), np.abs(outline - radius)
        print(f"{off:.2f} pixels off, outline {error.max():.2f} at worst, {inside.min():.2f} to {inside.max():.2f}")
        assert off < 0.1
        assert error.max() < 0.5
        assert np.abs(inside - 1.0).max() < 0.06
        assert light.sum() == pytest.approx(sharp.sum(), rel=0.005)


def bent_outline(lens: vf.Lens | None, camera: vf.Camera, size: tuple[int, int]) -> np.ndarray:
    """Return the (n, 2) pixels of the rim of a lamp's circle; the lamp is at the world's origin, on the ground."""
    radius = float(camera.circle_of_confusion(ALTITUDE, size))
    angles = np.linspace(0.0, 2.0 * np.pi, 2000)
    rim = camera.project(np.zeros((1, 3)), size)[:, :2] + radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return rim if lens is None else uv_to_pixels(lens.distort_uv(pixels_to_uv(rim, size), camera, size), size)


@pytest.mark.parametrize("focus", [60.0, 300.0])
@pytest.mark.parametrize(
    "faults", [None, {"k1": -0.1}, {"k1": 0.1}, {"p1": 0.03, "p2": -0.02}, {"k1": -0.1, "k2": 0.02, "p1": 0.01}]
)
def test_circles_are_bent_by_the_lens_as_all_that_it_shows(
    renderer: vf.Renderer, faults: dict[str, float] | None, focus: float
) -> None:
    """The outline of circles of 24 pixels, near the corner and in the middle, against the model of the distortion."""
    size, half = (320, 180), np.tan(np.radians(20.0)) * np.array([320 / 180, 1.0])
    lens = None if faults is None else vf.Lens(**faults)
    lamp = np.zeros((512, 512, 3), np.float32)
    lamp[255:257, 255:257] = 1000.0
    material = vf.Material(emission=1.0, emission_map=lamp)
    ground = vf.Terrain(FLAT, cell_size=0.45, albedo=0.0, material=material)
    wide = 24.0 / abs(ALTITUDE - focus) * focus * ALTITUDE / (size[0] / 2) * half[0]
    for shown in ((272, 48), (160, 88)):
        optics: dict[str, Any] = {"fov": 40, "aperture_radius": wide, "focus_distance": focus, "up": (0, 1, 0)}
        camera = vf.Camera.perspective((0, 0, ALTITUDE), (0, 0, 0), **optics)
        uv = pixels_to_uv(np.array([shown], float), size)
        x, y = -ALTITUDE * half * (uv if lens is None else lens.undistort_uv(uv, camera, size))[0]
        camera = vf.Camera.perspective((x, y, ALTITUDE), (x, y, 0), **optics)
        scene = vf.Scene(ground, camera, sun=None, sky=None, background="black")
        light, sharp = (seen(renderer, s, lens=lens, size=size) for s in (scene, pinhole(scene)))
        rim = bent_outline(lens, camera, size) - shown
        angles = np.linspace(-3.1, 3.1, 60)
        order = np.argsort(np.arctan2(rim[:, 1], rim[:, 0]))
        wanted = np.interp(angles, np.arctan2(rim[:, 1], rim[:, 0])[order], np.hypot(*rim.T)[order], period=2 * np.pi)
        away = np.linspace(0.0, 45.0, 901)[:, None]
        places = np.stack([shown[0] + away * np.cos(angles), shown[1] + away * np.sin(angles)], axis=-1)
        along = catmull_rom(light, np.clip(places, 0.5, np.array(size) - 0.5))
        found = away[(along > 0.5 * np.median(along[:400])).sum(axis=0) - 1, 0]
        error = np.abs(found - wanted)
        print(f"{faults}, at {shown}: worst {error.max():.2f}, median {np.median(error):.2f} pixels")
        assert error.max() < 0.35
        assert np.median(error) < 0.25
        assert light.sum() == pytest.approx(sharp.sum(), rel=0.02)


def test_what_is_in_focus_stays_sharp_through_a_lens_that_distorts(renderer: vf.Renderer) -> None:
    scene = light_table(FLAT, np.tile(STEP, (512, 1)), 8.0, ALTITUDE)
    bent = vf.Lens(k1=-0.2, p1=0.05)
    sharp, focused = (seen(renderer, s, lens=bent) for s in (pinhole(scene), scene))
    middle = slice(56, -56)  # beyond the ground it is not
    np.testing.assert_array_equal(focused[:, middle], sharp[:, middle])


RNG = np.random.default_rng(5)
ROWS, COLUMNS = np.mgrid[0:96, 0:96] / 96
HILLS = 40 * np.sin(9 * COLUMNS + np.sin(6 * ROWS)) * np.cos(7 * ROWS) + 9 * np.sin(40 * COLUMNS) * np.cos(33 * ROWS)
CHECKS = np.stack([0.25 + 0.5 * ((np.floor(COLUMNS * 24) + np.floor(ROWS * 24)) % 2), 0.5 * COLUMNS, 0.4 * ROWS], -1)


def hills(radius: float, **options: Any) -> vf.Scene:
    camera = vf.Camera.perspective(
        (0, -500, 120), (0, 100, -10), fov=40, aperture_radius=radius, **{"focus_distance": 480.0, **options}
    )
    sky = vf.Sky.uniform((0.5, 0.6, 0.8))
    return vf.Scene(vf.Terrain(HILLS, cell_size=10.0, albedo=CHECKS), camera, vf.Sun(azimuth=250, elevation=30), sky)


def decibels(image: np.ndarray, wanted: np.ndarray) -> float:
    """Return the PSNR of two pictures of light, bent as a screen bends it."""
    bent = [np.sqrt(np.clip(array, 0, None) / (1 + np.clip(array, 0, None))) for array in (image, wanted)]
    return float(-10 * np.log10(np.mean((bent[0] - bent[1]) ** 2)))


@pytest.mark.parametrize(("radius", "bar"), [(4.0, 38.0), (8.0, 39.0), (16.0, 39.0)])
def test_it_is_the_mean_of_pinholes_on_the_lens(renderer: vf.Renderer, radius: float, bar: float) -> None:
    scene = hills(radius)
    wanted = truth.through_a_lens(renderer, scene, SIZE, 64, samples=4, sky_rays=1)
    image = renderer.render(scene, SIZE, samples=16).hdr
    sharp = renderer.render(pinhole(scene), SIZE, samples=16).hdr
    print(f"radius {radius:g} m: PSNR {decibels(image, wanted):.1f}, of the pinhole {decibels(sharp, wanted):.1f}")
    assert decibels(image, wanted) > max(bar, decibels(sharp, wanted) + 3.0)


def test_a_tilted_lens_is_that_of_the_path_tracer(renderer: vf.Renderer) -> None:
    scene = hills(14.0, tilt=(25.0, 45.0))
    wanted = renderer.render(scene, SIZE, lane="path-traced", samples=256, max_depth=2, denoise=None).hdr
    image = renderer.render(scene, SIZE, samples=16, sky_rays=16).hdr
    straight = renderer.render(hills(14.0), SIZE, samples=16, sky_rays=16).hdr
    print(f"PSNR {decibels(image, wanted):.1f}, with the lens straight {decibels(straight, wanted):.1f}")
    assert decibels(image, wanted) > max(33.0, decibels(straight, wanted) + 6.0)


def test_the_tilted_plane_in_focus_is_sharp_to_the_bit(renderer: vf.Renderer) -> None:
    """The Scheimpflug rule: a camera looks down on flat ground at 30 degrees, with its plane in focus laid there."""
    ground = vf.Terrain(np.zeros((96, 96)), cell_size=20.0, albedo=CHECKS)
    eye, target = (0.0, -600.0, 300.0), (0.0, -600.0 + 300.0 * np.sqrt(3.0), 0.0)
    camera = vf.Camera.perspective(eye, target, fov=30, aperture_radius=20.0, tilt=(0.0, 60.0))
    scene = vf.Scene(ground, camera, sky=vf.Sky.uniform((0.5, 0.5, 0.5)))
    sharp = renderer.render(pinhole(dataclasses.replace(scene, camera=dataclasses.replace(camera, tilt=(0, 0)))), SIZE)
    near = slice(SIZE[1] // 3, None)  # no sky, and no edge of the ground before it
    assert np.isfinite(renderer.render(scene, SIZE, samples=1, aovs=("depth",)).aovs["depth"][near]).all()
    tilted = renderer.render(scene, SIZE).hdr
    np.testing.assert_array_equal(tilted[near], sharp.hdr[near])
    level = renderer.render(dataclasses.replace(scene, camera=dataclasses.replace(camera, tilt=(0, 0))), SIZE).hdr
    assert np.abs(level[near] - sharp.hdr[near]).max() > 0.03


@pytest.mark.skipif(not (FOLDER / "reference.exr").exists(), reason="../shared/reference is not there")
def test_the_ground_truth_scene(renderer: vf.Renderer, compare: Any, description: dict) -> None:  # noqa: F811
    flip_evaluator = pytest.importorskip("flip_evaluator")
    scene = ground_truth_scene(description, "dof_sun_direct")
    reference, mask = compare.load_reference()
    image = renderer.render(scene, (640, 360), samples=16).hdr
    image, wanted = (np.where(mask[..., None], array, 0.0) for array in (image, reference["dof_sun_direct"]))
    error = compare.relative_mse(image.astype(np.float64), wanted, mask)
    flip = flip_evaluator.evaluate(compare.display(wanted), compare.display(image), "LDR")[1]
    print(f"relative MSE {error:.2e}, FLIP {flip:.4f}")
    assert error < 4e-4
    assert flip < 0.012


def passes(renderer: vf.Renderer, scene: vf.Scene, **options: Any) -> list[str]:
    return [item.name for item in renderer.plan(scene, SIZE, samples=1, **options).passes]


def test_no_aperture_no_pass(renderer: vf.Renderer) -> None:
    closed, plain = hills(0.0), pinhole(hills(1.0))
    assert not [name for name in passes(renderer, closed) if "aperture" in name or "miniature" in name]
    np.testing.assert_array_equal(
        renderer.render(closed, SIZE, samples=2).hdr, renderer.render(plain, SIZE, samples=2).hdr
    )
    assert [name for name in passes(renderer, hills(1.0)) if "aperture" in name]
    assert not [name for name in passes(renderer, hills(1.0), lane="path-traced") if "aperture" in name]


def test_the_same_bits_every_time(renderer: vf.Renderer) -> None:
    first, second = (renderer.render(hills(9.0, blades=7), SIZE, samples=2).hdr for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("optics", [{"aperture_radius": -1.0}, {"aperture_radius": 1.0, "focus_distance": -5.0}])
def test_a_lens_that_can_not_be_is_refused(optics: dict[str, Any]) -> None:
    with pytest.raises(vf.InputError, match=r"aperture_radius|focus_distance"):
        vf.Camera.perspective((0, -10, 5), (0, 0, 0), **optics)


# Miniature


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_a_miniature_is_sharp_in_its_band_and_blurred_beside_it(renderer: vf.Renderer, lane: str) -> None:
    miniature = vf.Miniature(radius=0.08, center=0.6, width=0.2, fade=0.3, angle=10.0)
    scene = hills(0.0)
    options: dict[str, Any] = {"lane": lane, "samples": 2}
    before, after = (renderer.render(scene, SIZE, miniature=m, **options).hdr for m in (None, miniature))
    circles = miniature.circles(SIZE)
    assert circles.max() == pytest.approx(0.08 * SIZE[1])
    sharp = circles == 0.0
    assert 0.1 < sharp.mean() < 0.3
    # Blurred neighbours would have to reach it: the blur begins gently, and no circle reaches into the band's middle.
    (a, b), c = miniature.across(SIZE)
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]] + 0.5
    middle = np.abs(a * x + b * y + c) < 0.06 * SIZE[1]
    np.testing.assert_array_equal(after[middle], before[middle])
    rough = [np.abs(np.diff(image, axis=1)).mean(axis=-1)[circles[:, 1:] > 5.0].mean() for image in (before, after)]
    assert rough[1] < 0.5 * rough[0]


def test_a_miniature_blurs_by_its_circles(renderer: vf.Renderer) -> None:
    lamp = np.zeros((512, 512))
    lamp[340:344, 254:258] = 100.0
    scene = light_table(FLAT, lamp, 0.0, ALTITUDE)
    miniature = vf.Miniature(radius=0.09, center=0.2, width=0.1, fade=0.3)
    light, before = seen(renderer, scene, miniature=miniature), seen(renderer, scene)
    assert light.sum() == pytest.approx(before.sum(), rel=0.02)
    row, column = np.unravel_index(before.argmax(), before.shape)
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    d2 = (x - column) ** 2 + (y - row) ** 2
    spread = np.sqrt(2 * (d2 * light).sum() / light.sum())
    assert spread == pytest.approx(miniature.circles(SIZE)[row, column], abs=0.7)


@pytest.mark.parametrize(
    "wrong",
    [{"radius": -0.1}, {"radius": 0.2}, {"center": 2}, {"width": -1}, {"fade": 0}, {"angle": "flat"}, {"blades": 2}],
)
def test_a_miniature_that_can_not_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(vf.InputError, match=next(iter(wrong))):
        vf.Miniature(**wrong)


def test_settings_want_a_miniature() -> None:
    with pytest.raises(vf.InputError, match="miniature"):
        vf.Settings(miniature=0.5)  # type: ignore[arg-type]
