"""Water against closed forms: Fresnel, the bottom under it, mirror images, the sun's glint, masks, waves."""

from typing import Any

import numpy as np
import pytest
from truth import water as truth

import vkforge as vf

A = np.array([0.25, 0.08, 0.05])
RHO = 0.4
CLEAR: dict[str, Any] = {"scattering": 0.0}
BLACK: dict[str, Any] = {"absorption": 1e3, **CLEAR}
UNIFORM = vf.Sky.gradient(1.0, 1.0, 1.0)
SIZE = (40, 24)


def basin(depth: float, albedo: Any = RHO, size: float = 40_000.0) -> "vf.Terrain":
    """A level bottom under the surface at 0, without shores."""
    return vf.Terrain(np.full((9, 9), -depth), cell_size=size / 8, albedo=albedo)


def tilted(angle: float, across: float = 1.0) -> "vf.Camera":
    """Parallel rays from the south that meet the surface at the origin, `angle` radians from the vertical."""
    position = 100.0 * np.array([0.0, -np.sin(angle), np.cos(angle)])
    return vf.Camera.orthographic(tuple(position), (0, 0, 0), up=(0, 1, 0), height=across)


def hdr(renderer: "vf.Renderer", terrain: "vf.Terrain", camera: "vf.Camera", size=(8, 8), samples=64, **parts: Any):
    options = {name: parts.pop(name) for name in ("lane", "max_depth") if name in parts}
    parts = {"sun": None, "sky": None, **parts}
    return renderer.render(vf.Scene(terrain, camera, **parts), size, samples=samples, **options).hdr.astype(np.float64)


def worst(got: Any, wanted: Any) -> float:
    error = float(np.abs(np.asarray(got) / wanted - 1).max())
    print(f"largest relative error {error:.2e}")
    return error


def test_truth_of_fresnel() -> None:
    """Straight on ((n - 1) / (n + 1))^2; all is reflected at grazing incidence; p vanishes at Brewster's angle."""
    n = 1.333
    assert truth.fresnel(0.0, n) == pytest.approx(((n - 1) / (n + 1)) ** 2, rel=1e-6)
    assert truth.fresnel(np.pi / 2 - 1e-6, n) == pytest.approx(1.0, abs=1e-4)
    brewster = np.arctan(n)
    assert truth.fresnel(brewster, n) == pytest.approx(((n * n - 1) / (n * n + 1)) ** 2 / 2, rel=1e-9)
    # A white surface that is left and entered by all light is in balance: n^2 (1 - inner) = 1 - outer reflectance.
    outer = 1 - truth.sky_on_the_bottom(0.0, np.zeros(1), n) / np.pi
    inner = truth.returned_to_the_bottom(0.0, np.zeros(1), n)
    assert n * n * (1 - inner) == pytest.approx(1 - outer, rel=1e-4)


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
@pytest.mark.parametrize("degrees", [0.0, 45.0, 80.0, 89.0])
def test_fresnel(renderer: "vf.Renderer", degrees: float, lane: str) -> None:
    """Black depths under a uniform sky of 1: what is seen is the reflectance."""
    for ior in (1.333, 1.6):
        angle = np.radians(degrees)
        water = vf.Water(0.0, **BLACK, wave_height=0.0, ior=ior)
        got = hdr(renderer, basin(20.0), tilted(angle), sky=UNIFORM, water=water, samples=256, lane=lane)
        noise = 0.05 if lane == "path-traced" and degrees < 60 else 0.01  # that lane tosses for it
        assert worst(got.mean((0, 1)), truth.fresnel(angle, ior)) < noise


@pytest.mark.parametrize("degrees", [0.0, 60.0])
@pytest.mark.parametrize("depth", [1.0, 7.0])
def test_level_bottom(renderer: "vf.Renderer", depth: float, degrees: float) -> None:
    """The mirrored sky, and the bottom through it, lit by the sky or by the sun through the surface."""
    angle, elevation = np.radians(degrees), np.radians(35.0)
    water = vf.Water(0.0, absorption=A, wave_height=0.0, **CLEAR)
    seen = (renderer, basin(depth), tilted(angle))
    got = hdr(*seen, sky=UNIFORM, water=water, samples=128).mean((0, 1))
    radiosity = RHO * truth.sky_on_the_bottom(depth, A, 1.333)
    assert worst(got, truth.seen_from_above(depth, A, 1.333, angle, radiosity)) < 0.01
    sun = vf.Sun(90.0, 35.0, (2.0, 2.0, 2.0), 0.0)
    got = hdr(*seen, sun=sun, water=water, samples=16).mean((0, 1))
    radiosity = 2.0 * RHO * truth.sun_on_the_bottom(depth, A, 1.333, elevation)
    assert worst(got, truth.seen_from_above(depth, A, 1.333, angle, radiosity, 0.0)) < 0.01


def test_level_bottom_with_all_bounces(renderer: "vf.Renderer") -> None:
    """In the path-traced lane light goes to and fro between bottom and surface: a geometric series."""
    water, depth = vf.Water(0.0, absorption=A, wave_height=0.0, **CLEAR), 1.5
    seen = (renderer, basin(depth, 0.8), tilted(0.0))
    parts: dict[str, Any] = {"water": water, "lane": "path-traced", "max_depth": 32, "samples": 768}
    got = hdr(*seen, (12, 12), sky=UNIFORM, **parts).mean((0, 1))
    series = 0.8 / (1 - 0.8 * truth.returned_to_the_bottom(depth, A, 1.333))
    sky = series * truth.sky_on_the_bottom(depth, A, 1.333)
    assert worst(got, truth.seen_from_above(depth, A, 1.333, 0.0, sky)) < 0.01
    got = hdr(*seen, (12, 12), sun=vf.Sun(90.0, 35.0, 2.0, 0.0), **parts).mean((0, 1))
    sun = 2.0 * series * truth.sun_on_the_bottom(depth, A, 1.333, np.radians(35.0))
    assert worst(got, truth.seen_from_above(depth, A, 1.333, 0.0, sun, 0.0)) < 0.01


def hills(sink: float = 0.0) -> np.ndarray:
    y, x = np.mgrid[-1:1:41j, -1:1:41j]
    return 30.0 * (np.hypot(x, y) - 0.6) + 4.0 * np.sin(9 * x) * np.cos(7 * y) - sink


def shore(water: "vf.Water | None", **parts: Any) -> "vf.Scene":
    """A lake among hills, and a camera on its shore."""
    ground = vf.Terrain(hills(), cell_size=5.0, albedo=0.5)
    camera = vf.Camera.perspective((0.0, -70.0, 14.0), (0.0, 20.0, -3.0), fov=55)
    return vf.Scene(ground, camera, water=water, **parts)


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
@pytest.mark.parametrize("depth", [2.0, 300.0])
def test_scattered_once(renderer: "vf.Renderer", depth: float, lane: str) -> None:
    """Over a black bottom: the sun, and a sky, in turbid water, to the eye through the surface."""
    into, out = np.radians(55.0), np.radians(40.0)
    b = np.array([0.02, 0.03, 0.05])
    water = vf.Water(0.0, absorption=A, scattering=b, wave_height=0.0)
    options: dict[str, Any] = {"lane": lane, "water": water, "samples": 4096 if lane == "path-traced" else 256}
    options |= {"max_depth": 2} if lane == "path-traced" else {}
    seen = (renderer, basin(depth, 0.0), tilted(out))
    got = hdr(*seen, sun=vf.Sun(90.0, 35.0, 2.0, 0.0), **options).mean((0, 1))
    through = truth.seen_from_above(0.0, A, 1.333, out, np.full(3, np.pi), 0.0)
    wanted = through * 2.0 * truth.scattered_sun(depth, A, b, 1.333, into, out)
    assert worst(got, wanted) < 0.015
    got = hdr(*seen, sky=UNIFORM, **options).mean((0, 1)) - truth.fresnel(out, 1.333)
    assert worst(got, through * truth.scattered_sky(depth, A, b, 1.333, out)) < 0.015


def test_water_of_no_density_is_not_there(renderer: "vf.Renderer") -> None:
    """Index of refraction 1 and no absorption: the same light, by all of the water's own code."""
    settings = vf.Settings(samples=64, sky_rays=4)
    parts: dict[str, Any] = {"sun": vf.Sun(250.0, 25.0, 3.0), "sky": vf.Sky.gradient()}
    dry = renderer.render(shore(None, **parts), SIZE, settings=settings).hdr
    for waves in (0.0, 0.3):
        nothing = vf.Water(0.0, absorption=0.0, ior=1.0, wave_height=waves, **CLEAR)
        image = renderer.render(shore(nothing, **parts), SIZE, aovs=["water"], settings=settings)
        assert 0.2 < image.aovs["water"].mean() < 0.8
        assert np.abs(image.hdr - dry).max() < 0.06
        assert image.hdr.mean() == pytest.approx(dry.mean(), rel=2e-3)


def test_mirror_image(renderer: "vf.Renderer") -> None:
    """Black ground under a white sky: calm water is black exactly where the mirrored ray meets ground."""
    heights = np.full((41, 41), -30.0)
    heights[4:8] = 25.0  # a ridge across, in the north
    ground = vf.Terrain(heights, cell_size=10.0, albedo=0.0)
    camera = vf.Camera.perspective((0.0, -150.0, 12.0), (0.0, 0.0, 0.0), fov=40)
    water = vf.Water(0.0, **BLACK, wave_height=0.0)
    size = (120, 90)
    scene = vf.Scene(ground, camera, sun=None, sky=UNIFORM, water=water)
    image = renderer.render(scene, size, samples=1, aovs=["water", "position", "depth"])
    seen = image.aovs["water"] == 1
    at = image.aovs["position"][seen].astype(np.float64)
    along = at - np.array(camera.position)
    np.testing.assert_allclose(at[:, 2], 0.0, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(along, axis=1), image.aovs["depth"][seen], rtol=1e-5)
    hits = renderer.trace(ground, at + np.array([0, 0, 1e-3]), along * (1, 1, -1))
    sine = np.abs(along[:, 2]) / np.linalg.norm(along, axis=1)
    wanted = np.where(np.isinf(hits.t), truth.fresnel(np.arccos(sine), 1.333), 0.0)
    off = np.abs(image.hdr[seen][:, 1] - wanted) > 0.01
    assert 0.2 < (wanted == 0).mean() < 0.8
    assert off.mean() < 0.02
    # In the middle column the ridge's upper edge, 25 m over y = 120, is mirrored as if it stood at -25 m.
    rays = camera.rays(*size)
    v = 1 - 2 * (np.arange(size[1]) + 0.5) / size[1]
    down = np.array(rays.direction)[None] + v[:, None] * np.array(rays.direction_v)
    depression = np.arctan2(-down[:, 2], down[:, 1])
    column, wet = image.hdr[:, 60, 1], seen[:, 60]
    edge = depression[wet & (column > 0.01)].min()
    assert edge == pytest.approx(np.arctan2(25.0 + 12.0, 150.0 + 120.0), abs=2 * abs(depression[1] - depression[0]))


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_glint(renderer: "vf.Renderer", lane: str) -> None:
    """The sun on rough water by the microfacets' density, and its disc in a mirror."""
    into, out = np.radians(40.0), np.radians(55.0)
    parts: dict[str, Any] = {"lane": lane, "samples": 256}
    for diameter in (0.0, 0.53):
        for roughness in (0.3, 0.6):
            water = vf.Water(0.0, **BLACK, wave_height=0.0, roughness=roughness)
            sun = vf.Sun(0.0, 50.0, 3.0, diameter)  # in the north, where the camera looks
            got = hdr(renderer, basin(20.0), tilted(out), sun=sun, water=water, **parts).mean()
            assert worst(got, 3.0 * truth.glint(into, out, roughness**2, 1.333)) < 0.01
    mirror = vf.Water(0.0, **BLACK, wave_height=0.0)
    for diameter in (0.53, 4.0):
        sun = vf.Sun(0.0, 50.0, 3.0, diameter)
        got = hdr(renderer, basin(20.0), tilted(into), sun=sun, water=mirror, **parts).mean()
        disc = 2 * np.pi * (1 - np.cos(np.radians(diameter / 2)))
        # GGX has long tails: even the smoothest surface throws a part of a narrow sun's image beside it.
        lost = 1 / (1 + (np.radians(diameter / 2) / 2 / 1e-3) ** 2)
        assert worst(got, 3.0 / disc * truth.fresnel(into, 1.333) * (1 - lost)) < (0.08 if diameter < 1 else 0.02)


def test_white_furnace(renderer: "vf.Renderer") -> None:
    """White ground and water that absorbs nothing return what comes from everywhere: no crossing loses any."""
    sky = vf.Sky.gradient(0.7, 0.7, 0.7)
    white = vf.Terrain(hills(), cell_size=5.0, albedo=1.0)
    camera = vf.Camera.perspective((0.0, -70.0, 14.0), (0.0, 20.0, -3.0), fov=55)
    for waves, scattering in ((0.0, 0.0), (0.3, 0.0), (0.1, (0.05, 0.1, 0.2))):
        water = vf.Water(0.0, absorption=0.0, wave_height=waves, scattering=scattering)
        got = hdr(renderer, white, camera, (24, 16), 64, sky=sky, water=water, lane="path-traced", max_depth=512)
        assert worst(got.mean(), 0.7) < 0.01


def test_lanes_agree(renderer: "vf.Renderer") -> None:
    """Direct light, which is all that the lit lane has, over and under water."""
    parts: dict[str, Any] = {"sun": vf.Sun(250.0, 30.0, 3.0), "sky": vf.Sky.gradient()}
    scene, size = shore(vf.Water(0.0, absorption=A), **parts), (40, 24)
    lit = renderer.render(scene, size, samples=256, aovs=["water"])
    traced = renderer.render(scene, size, samples=512, max_depth=2, lane="path-traced", aovs=["water"])
    np.testing.assert_array_equal(lit.aovs["water"], traced.aovs["water"])
    wet = lit.aovs["water"] == 1
    assert worst(lit.hdr[wet].mean(0), traced.hdr[wet].mean(0)) < 0.02
    blocks = [image.hdr.reshape(6, 4, 10, 4, 3).mean((1, 3)) for image in (lit, traced)]
    assert np.median(np.abs(blocks[0] / blocks[1] - 1)) < 0.02


def test_mask(renderer: "vf.Renderer") -> None:
    """Water where the raster over the DEM's outer extent says so, and the ground is lower."""
    heights = np.full((20, 30), -5.0)
    heights[:, :6] = 5.0
    ground = vf.Terrain(heights, cell_size=2.0)
    mask = np.zeros((4, 6))
    mask[1:3, :4] = 1.0
    scene = vf.Scene(ground, vf.Camera.map(ground), water=vf.Water(0.0, mask))
    aovs = renderer.render(scene, samples=1, aovs=["water", "depth"]).aovs
    wanted = np.zeros((20, 30))
    wanted[5:15, 6:20] = 1.0
    # Bilinear: a half lies between the centres of texels, and the corners are round.
    assert (aovs["water"] != wanted).sum() <= 6 + 10
    assert (aovs["water"][6:14, 6:19] == 1).all()
    full = renderer.render(vf.Scene(ground, vf.Camera.map(ground), water=vf.Water(0.0)), samples=1, aovs=["water"])
    np.testing.assert_array_equal(full.aovs["water"][:, 7:], 1.0)
    np.testing.assert_array_equal(full.aovs["water"][:, :5], 0.0)
    low = aovs["depth"][aovs["water"] == 0].max()
    assert low - aovs["depth"][aovs["water"] == 1].max() == pytest.approx(5.0, abs=1e-3)


def test_exaggeration_lifts_the_level(renderer: "vf.Renderer") -> None:
    heights = np.full((9, 9), -10.0)
    heights[4, 4] = 5.0
    ground = vf.Terrain(heights, cell_size=10.0, vertical_exaggeration=3.0)
    scene = vf.Scene(ground, vf.Camera.map(ground), water=vf.Water(-4.0))
    position = renderer.render(scene, samples=1, aovs=["position"]).aovs["position"]
    np.testing.assert_allclose(position[[0, 8, 2], [0, 8, 6], 2], -12.0, atol=1e-3)
    assert position[4, 4, 2] == pytest.approx(15.0)


def test_sides_of_the_water(renderer: "vf.Renderer") -> None:
    """Where the block is cut through the lake, its side is water down to the ground, and wall below."""
    ground = vf.Terrain(np.full((9, 9), -10.0), cell_size=10.0, skirt=-20.0)
    camera = vf.Camera.orthographic((0, -200, -10), (0, 0, -10), height=40.0)
    image = renderer.render(
        vf.Scene(ground, camera, water=vf.Water(0.0)), (20, 40), samples=1, aovs=["water", "normal"]
    )
    wet = image.aovs["water"][:, 10]
    z = 10.0 - (np.arange(40) + 0.5)
    np.testing.assert_array_equal(wet, (z < 0) & (z > -10))
    np.testing.assert_allclose(image.aovs["normal"][15, 10], (0, -1, 0), atol=1e-3)


def test_waves(renderer: "vf.Renderer") -> None:
    """Near by, the normal is that of the sum of sines; far away, waves are roughness instead."""
    water = vf.Water(0.0, wave_height=0.1, wave_length=3.0, seed=4)
    waves = water.waves()
    heights = waves[:, 2] / (2 * np.pi * np.hypot(waves[:, 0], waves[:, 1]))
    assert 4 * np.sqrt(0.5 * (heights**2).sum()) == pytest.approx(0.1)
    ground = basin(5.0, size=400.0)
    near = vf.Camera.orthographic((3, 4, 50), (3, 4, 0), up=(0, 1, 0), height=2.0)
    aovs = renderer.render(vf.Scene(ground, near, water=water), (60, 60), samples=1, aovs=["normal", "position"]).aovs
    x, y = (aovs["position"][..., i].astype(np.float64) for i in (0, 1))
    wanted = truth.wave_normals(waves, x, y)
    np.testing.assert_allclose(aovs["normal"], wanted, atol=6e-3)
    assert wanted[..., 0].std() > 0.03
    far = vf.Camera.orthographic((0, 0, 50), (0, 0, 0), up=(0, 1, 0), height=390.0)
    aovs = renderer.render(vf.Scene(ground, far, water=water), (20, 20), samples=1, aovs=["normal", "roughness"]).aovs
    assert aovs["normal"][..., 2].min() > 0.9999
    np.testing.assert_allclose(aovs["roughness"], (0.5 * (waves[:, 2] ** 2).sum()) ** 0.25, rtol=1e-2)


def test_same_bits(renderer: "vf.Renderer") -> None:
    size, aovs = (40, 24), ["sun_visibility", "sky_visibility", "depth", "water"]
    for lane in ("lit", "path-traced"):
        dry = renderer.render(shore(None), size, lane=lane, aovs=aovs, samples=4)
        wet, again = (renderer.render(shore(vf.Water(0.0)), size, lane=lane, aovs=aovs, samples=4) for _ in range(2))
        far = renderer.render(shore(vf.Water(-1e4)), size, lane=lane, aovs=aovs, samples=4)
        assert wet.hdr.tobytes() == again.hdr.tobytes() != dry.hdr.tobytes()
        assert far.hdr.tobytes() == dry.hdr.tobytes()
        assert dry.aovs["water"].max() == 0.0
        on_land = wet.aovs["water"] == 0
        np.testing.assert_array_equal(wet.aovs["depth"][on_land], dry.aovs["depth"][on_land])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": float("nan")}, "level"),
        ({"level": "high"}, "level"),
        ({"level": 0, "mask": np.zeros(4)}, r"mask is an array of shape \(4,\)"),
        ({"level": 0, "mask": np.full((2, 2), np.nan)}, "mask runs from nan"),
        ({"level": 0, "mask": np.full((2, 2), 3.0)}, "mask runs from 3 to 3"),
        ({"level": 0, "mask": np.ones((2, 2), int)}, "bool or float"),
        ({"level": 0, "absorption": -1.0}, "absorption"),
        ({"level": 0, "scattering": (1, 2)}, "scattering"),
        ({"level": 0, "ior": 0.9}, "ior"),
        ({"level": 0, "wave_height": -1.0}, "wave_height"),
        ({"level": 0, "wave_length": 0.0}, "wave_length"),
        ({"level": 0, "roughness": 1.1}, "roughness"),
        ({"level": 0, "seed": -1}, "seed"),
        ({"level": 0, "seed": 1.5}, "seed"),
    ],
)
def test_what_water_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        vf.Water(**arguments)


def test_what_scenes_refuse() -> None:
    with pytest.raises(vf.InputError, match="water is 3; wanted a Water"):
        vf.Scene(basin(9.0), water=3)  # type: ignore[arg-type]
    camera = vf.Camera.perspective((0.0, 0.0, -2.0), (0.0, 10.0, -3.0))
    with pytest.raises(vf.InputError, match="under water"):
        vf.Scene(basin(9.0), camera, water=vf.Water(0.0))
    east = np.arange(8) > 5
    vf.Scene(basin(9.0), camera, water=vf.Water(0.0, np.tile(east, (8, 1))))  # dry where the camera is


@pytest.mark.gpu
def test_more_rays_than_a_cpu_can_trace_over_water_are_refused(renderer: vf.Renderer) -> None:
    """Its pass traces a sample's rays at once, and llvmpipe would end the last ones in silence."""
    if renderer.device.type != "cpu":
        pytest.skip("a limit of CPU drivers")
    scene = vf.Scene(vf.Terrain(np.zeros((9, 9)), 1.0), water=vf.Water(1.0))
    with pytest.raises(vf.InputError, match=r"sky_rays is 65, .* can trace 64 a sample; take more samples"):
        renderer.render(scene, (8, 6), samples=1, sky_rays=65)
    renderer.render(scene, (8, 6), samples=1, sky_rays=64)
