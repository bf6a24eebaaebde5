"""The AOVs: what each says, against what is known of the scene, and that the light's parts make up the picture."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from truth import skies

import vkforge as vf

pytestmark = pytest.mark.gpu

HEIGHTS = np.random.default_rng(5).random((33, 33)) * 40.0
HEIGHTS.flags.writeable = False
SIZE = (48, 32)
PARTS = ("direct", "indirect", "emitted", "air")
LANES = ("lit", "path-traced")


def hilly(**options: Any) -> vf.Terrain:
    return vf.Terrain(HEIGHTS, 10.0, **options)


def everything() -> vf.Scene:
    """Return a scene with light of every kind: sun, sky, lamp, glow, fog and water, seen against the sky."""
    terrain = hilly(material=vf.Material(emission=(0.2, 0.1, 0.0)), skirt=-20.0)
    return vf.Scene(
        terrain,
        camera=vf.Camera.orbit(terrain, elevation=12.0),
        sun=vf.Sun(315, 40),
        sky=vf.Sky.gradient(),
        fog=vf.Fog(scattering=2e-4),
        lights=(vf.PointLight((0.0, 0.0, 80.0), 5000.0),),
        water=vf.Water(level=12.0),
    )


@pytest.mark.parametrize("lane", LANES)
def test_the_parts_make_up_the_picture(renderer: vf.Renderer, lane: str) -> None:
    image = renderer.render(everything(), SIZE, lane=lane, samples=4, aovs=PARTS)
    total = sum(image.aovs[name].astype(np.float64) for name in PARTS)
    np.testing.assert_allclose(total, image.hdr, rtol=1e-5, atol=1e-6)
    for name in PARTS:
        assert image.aovs[name].max() > 0.0, f"nothing is {name}"


EFFECTS: dict[str, dict[str, Any]] = {
    "aberration": {"lens": vf.Lens(red=0.02, blue=-0.02)},
    "vignette": {"lens": vf.Lens(vignette=1.0, mask_strength=0.5)},
    "bloom": {"bloom": vf.Bloom(0.5)},
    "bloom of what is bright": {"bloom": vf.Bloom(0.5, threshold=0.3)},
    "miniature": {"miniature": vf.Miniature(radius=0.1)},
    "all": {
        "lens": vf.Lens(k1=-0.05, red=0.02, blue=-0.02, vignette=1.0),
        "bloom": vf.Bloom(0.5, threshold=0.3),
        "miniature": vf.Miniature(radius=0.1),
    },
}


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("effect", EFFECTS)
def test_parts_make_up_the_picture_behind_a_lens_where_asked(renderer: vf.Renderer, effect: str, lane: str) -> None:
    options: dict[str, Any] = {"lane": lane, "samples": 4, "aovs": PARTS, **EFFECTS[effect]}
    alone = renderer.render(everything(), SIZE, **options)
    image = renderer.render(everything(), SIZE, aov_effects=True, **options)
    assert image.hdr.tobytes() == alone.hdr.tobytes()
    total = sum(image.aovs[name].astype(np.float64) for name in PARTS)
    np.testing.assert_allclose(total, image.hdr, rtol=1e-5, atol=1e-6)
    assert min(image.aovs[name].min() for name in PARTS) >= 0.0
    unasked = sum(alone.aovs[name].astype(np.float64) for name in PARTS)
    assert np.abs(unasked - image.hdr).max() > 0.03 * image.hdr.max()


def through_a_lens() -> vf.Scene:
    scene = everything()
    return dataclasses.replace(scene, camera=dataclasses.replace(scene.camera, aperture_radius=12.0))


def in_motion() -> vf.MovingScene:
    scene = everything()
    x, y, z = scene.camera.position

    def at(t: float) -> vf.Scene:
        return dataclasses.replace(scene, camera=dataclasses.replace(scene.camera, position=(x + 30 * t, y, z)))

    return vf.MovingScene(at, 0.0, 1.0)


@pytest.mark.parametrize(("scene", "options"), [(through_a_lens, {}), (in_motion, {"motion_blur": "vectors"})])
def test_what_spreads_points_spreads_parts_and_shares(renderer: vf.Renderer, scene: Any, options: Any) -> None:
    options = {"samples": 4, "aovs": (*PARTS, "coverage", "object_id"), **options}
    alone = renderer.render(scene(), SIZE, **options)
    image = renderer.render(scene(), SIZE, aov_effects=True, **options)
    assert image.hdr.tobytes() == alone.hdr.tobytes()
    total = sum(image.aovs[name].astype(np.float64) for name in PARTS)
    np.testing.assert_allclose(total, image.hdr, rtol=1e-5, atol=1e-6)
    before, after = alone.aovs["coverage"], image.aovs["coverage"]
    partly = [int(((share > 0.02) & (share < 0.98)).sum()) for share in (before, after)]
    print(f"pixels that are covered in part: {partly[0]}, spread {partly[1]}")
    assert partly[1] > 1.5 * partly[0]  # in motion 512 samples at as many times have 132, and 80 without
    assert after.max() <= 1.0
    assert after.mean() == pytest.approx(before.mean(), abs=0.02)
    np.testing.assert_allclose(sum(image.mattes["object"].values()), after, atol=1e-6)
    assert image.aovs["object_id"].tobytes() == alone.aovs["object_id"].tobytes()


@pytest.mark.parametrize("lane", LANES)
def test_each_part_is_of_its_own_light(renderer: vf.Renderer, lane: str) -> None:
    """Without water, fog and sky behind, what is left is direct light and glow; and bounces, where there are any."""
    terrain = hilly(material=vf.Material(emission=(0.25, 0.25, 0.25)))
    scene = vf.Scene(terrain, camera=vf.Camera.map(terrain), sun=vf.Sun(315, 40), sky=None)
    parts = renderer.render(scene, (33, 33), lane=lane, samples=8, aovs=PARTS).aovs
    inner = (slice(2, -2), slice(2, -2))
    np.testing.assert_allclose(parts["emitted"][inner], 0.25, rtol=1e-5)
    assert not parts["air"][inner].any()
    assert bool(parts["indirect"].any()) == (lane == "path-traced")
    dark = dataclasses.replace(scene, terrain=dataclasses.replace(terrain, material=vf.Material()))
    straight: dict[str, Any] = {"max_depth": 2} if lane == "path-traced" else {}
    lit = renderer.render(dark, (33, 33), lane=lane, samples=8, **straight).hdr
    if lane == "lit":
        np.testing.assert_allclose(parts["direct"][inner], lit[inner], rtol=1e-5)
    else:
        assert parts["direct"][inner].mean() == pytest.approx(lit[inner].mean(), rel=0.02)


@pytest.mark.parametrize("material", [vf.Material(), vf.Material(roughness=0.1, metallic=1.0)])
@pytest.mark.parametrize("water", [None, vf.Water(20.0, wave_height=0.2, wave_length=8.0)])
def test_visibilities_mean_the_same_in_both_lanes(renderer: vf.Renderer, material: vf.Material, water: Any) -> None:
    """Whatever directions the paths leave the ground in; at water and its walls, too."""
    terrain = hilly(material=material, skirt=-5.0)
    camera = vf.Camera.orbit(terrain, elevation=50.0)
    scene = vf.Scene(terrain, camera, vf.Sun(300, 25, angular_diameter=5.0), vf.Sky.gradient(), water=water)
    shares = ("sun_visibility", "sky_visibility")
    lit = renderer.render(scene, (24, 16), samples=64, aovs=(*shares, "hit", "water")).aovs
    paths = renderer.render(scene, (24, 16), lane="path-traced", samples=256, max_depth=2, aovs=shares).aovs
    for share in shares:
        for kind in (0.0, 1.0) if water else (0.0,):
            where = (lit["water"] == kind) & (lit["hit"] == 1.0)
            assert paths[share][where].mean() == pytest.approx(lit[share][where].mean(), abs=0.01), (share, kind)
            assert np.abs(paths[share] - lit[share])[where].mean() < 0.05, (share, kind)
        assert min(lit[share].min(), paths[share].min()) >= 0.0
        assert max(lit[share].max(), paths[share].max()) <= 1.0


@pytest.mark.parametrize("rays", [3, 7, 10, 41])
def test_shares_are_at_most_one(renderer: vf.Renderer, rays: int) -> None:
    """A sum of equal parts is rounded: ten tenths come to more than 1."""
    terrain = vf.Terrain(np.zeros((5, 5)), 10.0)
    scene = vf.Scene(terrain, vf.Camera.map(terrain), vf.Sun(0, 60), vf.Sky.gradient())
    names = ("sun_visibility", "sky_visibility", "ambient_occlusion")
    counts: dict[str, Any] = {"sun_rays": rays, "sky_rays": rays, "ao_rays": rays}
    found = renderer.render(scene, (5, 5), samples=3, aovs=names, **counts).aovs
    for name in names:
        assert 1.0 - 1e-6 < found[name].max() <= 1.0, name


def test_the_variance_of_light_too_bright_to_square(renderer: vf.Renderer) -> None:
    sun = vf.Sun(0, 35, 1e9, angular_diameter=1e-4)
    camera = vf.Camera.perspective((0, 0, 50), tuple(np.array((0, 0, 50)) + 100 * np.array(sun.direction)), fov=2e-4)
    scene = vf.Scene(vf.Terrain(np.zeros((5, 5)), 10.0), camera, sun, vf.Sky())
    for lane in LANES:
        image = renderer.render(scene, (9, 9), lane=lane, samples=4, aovs=("variance",), denoise="atrous")
        assert image.hdr.max() > 1e18
        assert np.isfinite(image.aovs["variance"]).all() and np.isfinite(image.hdr).all()


@pytest.mark.parametrize("lane", LANES)
def test_asking_changes_nothing_else(renderer: vf.Renderer, lane: str) -> None:
    plain = renderer.render(everything(), SIZE, lane=lane, samples=2)
    asked = renderer.render(everything(), SIZE, lane=lane, samples=2, aovs=tuple(vf.AOVS))
    if renderer.device.type == "cpu":
        assert plain.rgba.tobytes() == asked.rgba.tobytes()
        assert plain.hdr.tobytes() == asked.hdr.tobytes()
    else:  # a compiler may join other multiplications and additions in another variant of a shader
        np.testing.assert_allclose(asked.hdr, plain.hdr, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("aov", ["ambient_occlusion", "sky_visibility"])
def test_a_thousand_rays_in_a_bowl(renderer: vf.Renderer, lane: str, aov: str) -> None:
    """A spherical bowl shows 1 - D / 2R of the sky, by the cosine, at every point (as tests/truth/skies.py).

    So many rays, each of many steps, are more than one invocation may trace on llvmpipe (passes/lighting/rays.py).
    """
    heights, cell, rim = skies.bowl_dem(200.0, 120.0)
    camera = vf.Camera.orthographic((0, 0, 500), (0, 0, 0), (0, 1, 0), height=0.5 * rim)
    scene = vf.Scene(vf.Terrain(heights, cell), camera, None, None)
    many: dict[str, Any] = {"ao_rays": 1024} if aov == "ambient_occlusion" else {"sky_rays": 1024}
    if lane == "path-traced":
        many = {"ao_rays": 1024, "samples": 1024, "max_depth": 2}
    found = renderer.render(scene, (12, 12), lane=lane, aovs=(aov,), **{"samples": 1, **many}).aovs[aov]
    assert found.mean() == pytest.approx(skies.bowl(200.0, 120.0), abs=0.002)
    assert np.abs(found.mean(axis=1) - found.mean()).max() < 0.005  # no row of the picture is another
    assert np.abs(found - found.mean()).max() < 0.02


def test_ambient_occlusion_by_distance(renderer: vf.Renderer) -> None:
    """At the foot of a wall half of the hemisphere is taken; from farther than the reach, nothing is."""
    heights = np.zeros((65, 65))
    heights[:, 32:] = 1000.0
    terrain = vf.Terrain(heights, 1.0)
    camera = vf.Camera.orthographic((-16, 0, 2000), (-16, 0, 0), (0, 1, 0), height=30.0)
    scene = vf.Scene(terrain, camera, None, None)

    def row(distance: float | None) -> Any:
        image = renderer.render(
            scene, (30, 30), samples=1, aovs=("ambient_occlusion",), ao_rays=512, ao_distance=distance
        )
        return image.aovs["ambient_occlusion"].mean(axis=0)

    assert row(None)[-1] == pytest.approx(0.5, abs=0.03)  # half a metre from a wall a kilometre high
    near = row(5.0)
    assert (near[:-7] == 1.0).all()
    assert near[-1] < 0.6


@pytest.mark.parametrize("lane", LANES)
def test_ids_and_mattes(renderer: vf.Renderer, lane: str) -> None:
    image = renderer.render(
        everything(), SIZE, lane=lane, samples=64, aovs=("object_id", "material_id", "hit", "water", "coverage")
    )
    ids = image.aovs["object_id"]
    np.testing.assert_array_equal(ids > 0, image.aovs["hit"] > 0)
    np.testing.assert_array_equal(ids == 2, image.aovs["water"] > 0)
    assert set(np.unique(ids)) == {0.0, 1.0, 2.0}
    assert image.mattes.keys() == {"object", "material"}
    mattes = image.mattes["object"]
    np.testing.assert_allclose(mattes["terrain"] + mattes["water"], image.aovs["coverage"], atol=1e-6)
    for index, name in ((1, "terrain"), (2, "water")):
        inside = mattes[name] == 1.0
        assert inside.any()
        assert (ids[inside] == index).all()
        assert ((mattes[name] > 0.0) & ~inside).any(), f"the edge of {name} is not antialiased"


@pytest.mark.parametrize("camera", ["perspective", "orthographic"])
def test_depth_along_the_axis(renderer: vf.Renderer, camera: str) -> None:
    """Level ground seen from straight above is equally far along the axis, and farther along rays that slant."""
    terrain = vf.Terrain(np.zeros((33, 33)), 10.0)
    views = {
        "perspective": vf.Camera.perspective((0, 0, 100), (0, 0, 0), (0, 1, 0), fov=60),
        "orthographic": vf.Camera.orthographic((0, 0, 100), (0, 0, 0), (0, 1, 0), height=100),
    }
    image = renderer.render(vf.Scene(terrain, views[camera]), (32, 32), samples=1, aovs=("depth", "depth_axis"))
    np.testing.assert_allclose(image.aovs["depth_axis"], 100.0, rtol=1e-5)
    assert (image.aovs["depth"].max() > 115.0) == (camera == "perspective")
    up = vf.Camera.perspective((0, 0, 100), (0, 100, 150))
    sky = renderer.render(vf.Scene(terrain, up), (8, 8), samples=1, aovs=("depth_axis",))
    assert np.isinf(sky.aovs["depth_axis"]).all()


def test_flat_ground_lets_no_ray_through(renderer: vf.Renderer) -> None:
    """A million camera rays from a kilometre away, where z of a ray is rounded by more than the ground is rough."""
    terrain = vf.Terrain(np.zeros((96, 96)), 20.0)
    camera = vf.Camera.perspective((0.0, -300.0, 800.0), (0.0, 0.0, 0.0), fov=40)
    image = renderer.render(vf.Scene(terrain, camera, sky=None), (320, 213), samples=16, aovs=("coverage",))
    assert image.aovs["coverage"].min() == 1.0
