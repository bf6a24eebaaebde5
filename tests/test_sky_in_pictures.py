"""The physical sky as pictures: the same as its numbers, with a sun, veiled terrain, and no seam and no bands."""

from __future__ import annotations

import numpy as np
import pytest
from truth import atmosphere as truth

import vkforge as vf
from vkforge.passes.atmosphere.sky import transmittance_to_space

pytestmark = pytest.mark.gpu

SKY = vf.Sky()
FLAT = vf.Terrain(np.full((5, 5), 100.0, np.float32), cell_size=10.0, albedo=0.5)
LANES = ("lit", "path-traced")
EAST = 90.0  # where the truth has its sun


def looking(up: float, azimuth: float = 0.0, fov: float = 40.0, altitude: float = 102.0) -> vf.Camera:
    """A camera on the z axis that looks north (or to another bearing), so many degrees up."""
    e, a = np.radians(up), np.radians(azimuth)
    d = 1e4 * np.array([np.cos(e) * np.sin(a), np.cos(e) * np.cos(a), np.sin(e)])
    return vf.Camera.perspective((0.0, 0.0, altitude), (d[0], d[1], d[2] + altitude), fov=fov)


def directions(camera: vf.Camera, size: tuple[int, int]) -> np.ndarray:
    rays = camera.rays(*size)
    u = (np.arange(size[0]) + 0.5) / size[0] * 2 - 1
    v = 1 - (np.arange(size[1]) + 0.5) / size[1] * 2
    d = (
        np.array(rays.direction)
        + u[None, :, None] * np.array(rays.direction_u)
        + v[:, None, None] * np.array(rays.direction_v)
    )
    return d / np.linalg.norm(d, axis=-1, keepdims=True)


@pytest.mark.parametrize("lane", LANES)
def test_the_picture_shows_the_numbers(renderer: vf.Renderer, lane: str) -> None:
    size, camera, sun = (40, 24), looking(30), vf.Sun(azimuth=120, elevation=20)
    image = renderer.render(vf.Scene(FLAT, camera, sun=sun, sky=SKY), size, samples=1, lane=lane)
    wanted = vf.atmosphere.radiance(SKY, sun, directions(camera, size), 102.0)
    middle = np.s_[6:-6, 6:-6] if lane == "path-traced" else np.s_[:]  # whose sample looks elsewhere in the pixel
    np.testing.assert_allclose(image.hdr[middle], wanted[middle], rtol=0.1 if lane == "path-traced" else 1e-3)


def test_from_the_ground_to_space(renderer: vf.Renderer) -> None:
    for altitude in (200.0, 30e3, 100e3, 2000e3, 30000e3):
        camera = looking(-np.degrees(np.arccos(6360e3 / (6360e3 + altitude))), fov=60, altitude=altitude)
        image = renderer.render(vf.Scene(FLAT, camera, sun=vf.Sun(elevation=30), sky=SKY), (48, 32), samples=1)
        assert np.isfinite(image.hdr).all() and (image.hdr >= 0).all()
        assert image.hdr.max() > 0.01
        if altitude >= 100e3:  # blue rim, then the black of space
            wanted = vf.atmosphere.radiance(SKY, vf.Sun(elevation=30), directions(camera, (48, 32)), altitude)
            np.testing.assert_allclose(image.hdr, wanted, rtol=0.02, atol=2e-4)


def test_the_suns_disc(renderer: vf.Renderer) -> None:
    sun = vf.Sun(azimuth=0, elevation=35, irradiance=(1, 1, 1), angular_diameter=0.53)
    camera, size = looking(35, fov=1.0), (100, 100)
    with_disc = renderer.render(vf.Scene(FLAT, camera, sun=sun, sky=SKY), size, samples=16).hdr
    halo = vf.atmosphere.radiance(SKY, sun, directions(camera, size), 102.0)
    disc = (with_disc - halo).clip(0)
    pixel = np.radians(1.0 / 100) ** 2
    left = transmittance_to_space(SKY, 102.0, sun.direction[2])
    np.testing.assert_allclose(disc.sum((0, 1)) * pixel, left, rtol=0.01)  # all of its irradiance, through the air
    centre, limb = disc[50, 50], disc[50, 50 + 24]
    assert (limb / centre < 0.75).all()
    assert limb[2] / centre[2] < limb[0] / centre[0]  # darker in blue (Hestroffer and Magnan 1998)
    below = renderer.render(vf.Scene(FLAT, looking(-35, fov=1.0, altitude=500), sun=sun, sky=SKY), (9, 9), samples=1)
    assert below.hdr.max() < 1


def test_level_ground_gets_what_comes_through_the_air(renderer: vf.Renderer) -> None:
    sun = vf.Sun(azimuth=0, elevation=40, irradiance=(3, 3, 3))
    camera = vf.Camera.map(FLAT)
    off = vf.Sky(aerial_perspective=0.0)
    lit = renderer.render(vf.Scene(FLAT, camera, sun=sun, sky=off), (4, 4), samples=64, sky_rays=64)
    rng = np.random.default_rng(4)
    z = np.sqrt(rng.random(200_000))  # cosine-weighted
    angle = rng.random(z.size) * 2 * np.pi
    looks = np.stack([np.sqrt(1 - z * z) * np.cos(angle), np.sqrt(1 - z * z) * np.sin(angle), z], 1)
    from_sky = vf.atmosphere.radiance(off, sun, looks, 100.0).mean(0) * np.pi
    from_sun = 3 * np.array(transmittance_to_space(off, 100.0, sun.direction[2])) * sun.direction[2]
    np.testing.assert_allclose(lit.hdr.mean((0, 1)), 0.5 / np.pi * (from_sun + from_sky), rtol=0.01)


@pytest.mark.parametrize("lane", LANES)
def test_aerial_perspective_veils_by_distance(renderer: vf.Renderer, lane: str) -> None:
    """Black ground shows the air alone."""
    black = vf.Terrain(np.zeros((3, 3), np.float32), cell_size=40e3, albedo=0.0)
    sun, size = vf.Sun(azimuth=90, elevation=25), (24, 16)
    camera = vf.Camera.perspective((0.0, -39e3, 3000.0), (0.0, 0.0, 500.0), fov=12)
    options = {"samples": 1, "aovs": ("depth",), "lane": lane}
    image = renderer.render(vf.Scene(black, camera, sun=sun, sky=SKY), size, **options)
    hit = np.isfinite(image.aovs["depth"])
    assert hit.mean() > 0.4
    eye = (np.hypot(np.hypot(*camera.position[:2]), camera.position[2] + 6360e3)) - 6360e3
    up = np.add(camera.position, (0, 0, 6360e3))
    up /= np.linalg.norm(up)
    # The numbers have their eye on the z axis; here it stands 39 km beside it: the vertical leans by 0.35 degrees.
    tilt = np.arctan2(up[1], up[2])
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    looks = directions(camera, size)[hit] @ turn.T
    turned = turn @ np.array(sun.direction)
    turned_sun = vf.Sun(
        azimuth=np.degrees(np.arctan2(turned[0], turned[1])), elevation=np.degrees(np.arcsin(turned[2]))
    )
    light, _ = vf.atmosphere.aerial_perspective(SKY, turned_sun, looks, image.aovs["depth"][hit], eye)
    tolerance = 1e-2 if lane == "lit" else 0.15  # whose sample looks elsewhere in the pixel
    np.testing.assert_allclose(image.hdr[hit], light, rtol=tolerance)
    clear = renderer.render(vf.Scene(black, camera, sun=sun, sky=vf.Sky(aerial_perspective=0.0)), size, **options)
    assert clear.hdr[hit].max() == 0


def test_no_seam_at_the_horizon(renderer: vf.Renderer) -> None:
    """Down through the horizon the light changes once, at the ground, and never overshoots either side."""
    for altitude in (3000.0, 60e3, 800e3):
        dip = -np.degrees(np.arccos(6360e3 / (6360e3 + altitude)))
        camera = looking(dip, azimuth=60, fov=2.0, altitude=altitude)
        image = renderer.render(
            vf.Scene(FLAT, camera, sun=vf.Sun(azimuth=0, elevation=30), sky=SKY), (1, 200), samples=4
        )
        for channel in image.hdr[:, 0].T:
            steps = np.abs(np.diff(channel)) / channel.max()
            assert np.sort(steps)[-3:].max() < 0.2
            assert (np.sort(steps)[:-3] < 0.05).all()


def test_no_bands(renderer: vf.Renderer) -> None:
    """A smooth sky at 8 bits: the mean over neighbours is the picture before it was rounded."""
    scene = vf.Scene(FLAT, looking(50, fov=8), sun=vf.Sun(azimuth=180, elevation=20), sky=SKY)
    image = renderer.render(scene, (256, 128), samples=1, exposure=2.0)
    exact = 255 * np.asarray(vf.tonemap(image.hdr, image.info["tonemap"], image.info["exposure"]))
    error = image.rgba[..., :3] - exact
    assert np.abs(error).max() <= 1.1  # a step of dither, and what drivers make of pow()
    blocks = error.reshape(8, 16, 16, 16, 3).mean((1, 3))
    assert np.abs(blocks).max() < 0.15  # rounding alone goes to 0.5
    again = renderer.render(scene, (256, 128), samples=1, exposure=2.0)
    np.testing.assert_array_equal(again.rgba, image.rgba)


def test_twilight_lights_the_ground(renderer: vf.Renderer) -> None:
    before = np.inf
    for elevation in (0.0, -3.0, -6.0, -9.0, -12.0):
        scene = vf.Scene(FLAT, vf.Camera.map(FLAT), sun=vf.Sun(elevation=elevation), sky=SKY)
        seen = renderer.render(scene, (4, 4), samples=4, sky_rays=32).hdr.mean()
        assert 0 < seen < before
        before = seen


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize(("height", "sky", "elevation"), [(150e3, SKY, 1.0), (2e3, vf.Sky(top_radius=6361e3), 5.0)])
def test_ground_above_the_air(renderer: vf.Renderer, height: float, sky: vf.Sky, elevation: float, lane: str) -> None:
    """The sun shines on it past the air, from below the horizontal too, and nothing is NaN."""
    terrain = vf.Terrain(height + 10.0 * np.random.default_rng(1).random((9, 9)), 30.0, albedo=0.5)
    sun, plane = vf.Sun(300, elevation), vf.Terrain(np.full((5, 5), height), 30.0, albedo=0.5)
    image = renderer.render(vf.Scene(terrain, vf.Camera.orbit(terrain), sun, sky), (32, 18), samples=2, lane=lane)
    assert np.isfinite(image.hdr).all() and (image.hdr >= 0.0).all()
    none = vf.Sky(rayleigh_scattering=0.0, mie_scattering=0.0, mie_extinction=0.0, ozone_absorption=0.0)
    levels = [vf.Scene(plane, vf.Camera.map(plane), sun, air) for air in (sky, none)]
    above, in_vacuum = (renderer.render(each, (4, 4), samples=4, lane=lane).hdr.mean() for each in levels)
    assert above == pytest.approx(in_vacuum, rel=0.05)


def test_two_skies_in_turn_are_the_same_as_alone(renderer: vf.Renderer) -> None:
    scenes = [
        vf.Scene(FLAT, looking(20), sun=vf.Sun(elevation=elevation), sky=sky)
        for elevation in (10.0, 30.0)
        for sky in (SKY, vf.Sky(turbidity=1.5), vf.Sky.gradient())
    ]
    many = [image.hdr for image in renderer.render_many(scenes, (16, 12), samples=2)]
    for scene, hdr in zip(scenes, many, strict=True):
        np.testing.assert_array_equal(renderer.render(scene, (16, 12), samples=2).hdr, hdr)


def test_a_picture_in_progress_keeps_its_sky(renderer: vf.Renderer) -> None:
    scene = vf.Scene(FLAT, looking(20), sun=vf.Sun(elevation=10), sky=SKY)
    other = vf.Scene(FLAT, looking(20), sun=vf.Sun(elevation=60), sky=SKY)
    wanted = renderer.render(scene, (16, 12), samples=4, lane="path-traced").hdr
    seen = np.zeros_like(wanted)
    for image in renderer.accumulate(scene, (16, 12), samples=4):
        renderer.render(other, (16, 12), samples=1)
        seen = image.hdr
    np.testing.assert_array_equal(seen, wanted)


def test_numbers_by_the_truth_for_a_picture(renderer: vf.Renderer) -> None:
    """One whole picture against the Monte Carlo's first order and a bound for the rest: no direction is left out."""
    camera, size = looking(25, azimuth=EAST, fov=50), (8, 6)
    image = renderer.render(vf.Scene(FLAT, camera, sun=vf.Sun(EAST, 20, 1.0), sky=SKY), size, samples=1)
    for d, seen in zip(directions(camera, size).reshape(-1, 3), image.hdr.reshape(-1, 3), strict=True):
        if d @ truth.unit(20) < np.cos(np.radians(0.6)) and d[2] > 0.02:
            first = truth.single_scattering(truth.Air(), 102.0, d, truth.unit(20))
            assert (seen > 1.05 * first).all() and (seen < 2.6 * first).all()
