"""Terrain, sun, sky, material and scene: values worked out by hand."""

import copy
import dataclasses
import math
import pickle
from typing import Any

import numpy as np
import pytest

from vkforge.errors import InputError
from vkforge.scene import Camera, Material, Scene, Sky, Sun, Terrain
from vkforge.scene.albedo import NEUTRAL

HEIGHTS = np.array([[0.0, 10.0, 20.0], [30.0, 40.0, 80.0]])


@pytest.mark.parametrize(
    "given",
    [
        HEIGHTS.tolist(),
        HEIGHTS.astype(np.uint8),
        HEIGHTS.astype(np.int64),
        HEIGHTS.astype(">f8"),
        HEIGHTS.astype(">i2"),
        HEIGHTS.astype(np.float16),
        HEIGHTS.astype(np.longdouble),
        np.asfortranarray(HEIGHTS),
        np.repeat(HEIGHTS, 2, axis=1)[:, ::2],
        HEIGHTS[::-1][::-1],
        np.ma.masked_array(HEIGHTS),
    ],
    ids=["list", "uint8", "int64", "f8 big", "i2 big", "f2", "longdouble", "fortran", "strided", "negative", "masked"],
)
def test_any_real_array_will_do(given: Any) -> None:
    terrain = Terrain(given, 5)
    np.testing.assert_array_equal(terrain.heights, HEIGHTS)
    assert terrain.heights.dtype == np.float32
    assert terrain.heights.dtype.isnative
    assert terrain.heights.flags.c_contiguous
    assert not terrain.heights.flags.writeable


def test_masked_samples_and_nan_are_holes() -> None:
    masked = np.ma.masked_equal(np.array([[1, 2], [3, -9999]], np.int16), -9999)
    terrain = Terrain(masked)
    np.testing.assert_array_equal(terrain.heights, [[1, 2], [3, np.nan]])
    assert (terrain.min_height, terrain.max_height) == (1.0, 3.0)
    assert masked.data[1, 1] == -9999


def test_heights_are_copied_once_and_then_shared() -> None:
    mine = HEIGHTS.astype(np.float32)
    terrain = Terrain(mine, 5)
    mine[:] = -1
    np.testing.assert_array_equal(terrain.heights, HEIGHTS)
    higher = dataclasses.replace(terrain, vertical_exaggeration=3.0)
    assert higher.heights is terrain.heights
    assert (higher.min_height, higher.max_height) == (0.0, 80.0)
    frozen = HEIGHTS.astype(np.float32)
    frozen.flags.writeable = False
    assert Terrain(frozen).heights is not frozen  # somebody else's: it may be made writeable again


def test_frame_and_extent() -> None:
    terrain = Terrain(HEIGHTS, (5.0, 8.0), vertical_exaggeration=2.0)
    assert terrain.shape == (2, 3)
    assert terrain.cell_size == (5.0, 8.0)
    assert terrain.extent == (-5.0, 5.0, -4.0, 4.0)
    assert Terrain(HEIGHTS, 4).cell_size == Terrain(HEIGHTS, np.array([4, 4])).cell_size == (4.0, 4.0)


def test_height_at() -> None:
    terrain = Terrain(HEIGHTS, (5.0, 8.0), vertical_exaggeration=2.0)
    assert terrain.height_at(-5, 4) == 0.0  # north-west sample
    assert terrain.height_at(5, -4) == 160.0  # south-east sample, on the last row and column
    assert terrain.height_at(0, 0) == 2 * (10 + 40) / 2
    # cell with corners 10, 20, 40, 80 at u = 0.5, v = 0.25: (15 * 0.75 + 60 * 0.25) * 2
    assert terrain.height_at(2.5, 2.0) == pytest.approx(52.5)
    assert math.isnan(terrain.height_at(5.001, 0))
    assert math.isnan(terrain.height_at(math.nan, 0))
    np.testing.assert_allclose(terrain.height_at([-5, 0, 9], [[4], [-4]]), [[0, 20, np.nan], [60, 80, np.nan]])


def test_height_at_a_hole() -> None:
    terrain = Terrain([[np.nan, 1, 2], [3, 4, 5]])
    assert math.isnan(terrain.height_at(-0.9, 0.4))
    assert terrain.height_at(-0.4, -0.4) == pytest.approx(3.3)  # the triangle of the other three: u + 3 v
    assert terrain.height_at(0.5, 0.0) == 3.0


def test_skirt() -> None:
    assert Terrain(HEIGHTS, 10).skirt is None
    assert Terrain(HEIGHTS, 10, skirt=-3).skirt == -3.0
    # 5 % of the longer side, 20 m, as seen: half of it in heights at an exaggeration of 2
    assert Terrain(HEIGHTS, 10, skirt="auto", vertical_exaggeration=2).skirt == pytest.approx(-0.5)
    with pytest.raises(InputError, match="skirt is at 1 m, above the lowest height, 0 m"):
        Terrain(HEIGHTS, 10, skirt=1)


def test_sun_direction() -> None:
    north_west = Sun(azimuth=315, elevation=0).direction
    np.testing.assert_allclose(north_west, (-math.sqrt(0.5), math.sqrt(0.5), 0), atol=1e-15)
    # the reference scene's sun
    expected = (-0.8955908308443075, -0.23997283987345028, 0.374606593415912)
    np.testing.assert_allclose(Sun(azimuth=255, elevation=22).direction, expected, atol=1e-12)
    assert Sun(elevation=-30).direction[2] == pytest.approx(-0.5)  # night is no error
    assert Sun(irradiance=2).irradiance == (2.0, 2.0, 2.0)


def test_sky() -> None:
    uniform = Sky.uniform((1, 2, 3))
    assert uniform.radiance((0, 0.6, 0.8)) == (1.0, 2.0, 3.0)
    assert uniform.radiance((1, 0, 0)) == uniform.radiance((0, 0, -1)) == (0.0, 0.0, 0.0)
    gradient = Sky.gradient(zenith=1.0, horizon=(3.0, 1.0, 0.0), ground=0.2)
    assert gradient.radiance((0, 0, 1)) == (1.0, 1.0, 1.0)
    np.testing.assert_allclose(gradient.radiance((math.sqrt(0.75), 0, 0.5)), (2.0, 1.0, 0.5))
    assert gradient.radiance((0, 0, -1)) == (0.2, 0.2, 0.2)


def test_default_sky_gives_level_ground_a_quarter_of_the_suns_light() -> None:
    sky, sun = Sky.gradient(), Sun()
    luminance = np.array([0.2126, 0.7152, 0.0722])
    mu = (np.arange(10_000) + 0.5) / 10_000  # cosine of the zenith angle
    radiance = np.array([sky.radiance((0, 0, m)) for m in mu])
    irradiance = 2 * np.pi * (radiance * mu[:, None]).mean(axis=0)
    share = irradiance @ luminance / (np.array(sun.irradiance) @ luminance * sun.direction[2])
    assert 0.25 < share < 0.30


def test_values_compare_and_hash() -> None:
    assert Sun() == Sun(315, 40)
    assert hash(Sky()) == hash(Sky())
    assert Material() == Material(1, 0, 0)
    terrain = Terrain(HEIGHTS)
    assert terrain == terrain
    assert terrain != Terrain(HEIGHTS)
    assert len({terrain, terrain}) == 1


def test_scene_defaults() -> None:
    terrain = Terrain(HEIGHTS, 30)
    scene = Scene(terrain)
    assert scene.camera == Camera.orbit(terrain)
    assert scene.sun == Sun()
    assert scene.sky == Sky.gradient()
    assert scene.background is None
    assert scene.terrain.surface_albedo is NEUTRAL
    dark = Scene(terrain, sun=None, sky=None, background="white")
    assert dark.sun is None
    assert dark.sky is None
    assert dark.background == (1.0, 1.0, 1.0)


def test_camera_inside_the_ground() -> None:
    terrain = Terrain(np.full((5, 5), 100.0), 10, vertical_exaggeration=2)
    with pytest.raises(InputError, match=r"inside the ground: its z is 150 m and the surface there.* at 200 m"):
        Scene(terrain, Camera.perspective((0, 0, 150), (100, 0, 150)))
    Scene(terrain, Camera.perspective((0, 0, 201), (100, 0, 150)))  # above
    Scene(terrain, Camera.perspective((21, 0, 150), (100, 0, 150)))  # beside
    block = dataclasses.replace(terrain, skirt=50)
    Scene(block, Camera.perspective((0, 0, 90), (100, 0, 150)))  # under the block, which ends at z = 100
    hole = np.full((5, 5), 100.0)
    hole[2, 2] = np.nan
    Scene(Terrain(hole, 10), Camera.perspective((0, 0, 50), (100, 0, 150)))


def test_portrait() -> None:
    bare = Terrain(HEIGHTS, 30, vertical_exaggeration=1.5)
    scene = Scene.portrait(bare)
    assert scene.terrain.skirt is not None
    assert scene.terrain.heights is bare.heights
    assert scene.terrain.vertical_exaggeration == 1.5
    assert (scene.terrain.surface_albedo.kind, scene.terrain.surface_albedo.low) == ("ramp", 0.0)
    assert scene.sun is not None
    assert scene.sun.azimuth == 315
    assert scene.sun.angular_diameter > 1
    assert isinstance(scene.background, tuple)
    assert min(scene.background) > 0.7
    mine = Scene.portrait(Terrain(HEIGHTS, 30, albedo="tan", skirt=-100), (800, 800))
    assert mine.terrain.surface_albedo.kind == "constant"
    assert mine.terrain.skirt == -100
    assert mine.camera == Camera.orbit(mine.terrain, aspect=1.0)


@pytest.mark.gpu
def test_ready_made_scenes_expose_level_ground_in_the_upper_midtones(renderer: Any) -> None:
    ground = Terrain(np.full((9, 9), 300.0), 30.0, albedo=0.5)
    for scene in (Scene.portrait(ground), Scene.relief(ground)):
        flat = dataclasses.replace(scene, camera=Camera.map(scene.terrain))
        radiance = renderer.render(flat, (9, 9), samples=16).hdr.mean(axis=(0, 1))
        display = 1.055 * radiance ** (1 / 2.4) - 0.055
        assert (display > 0.6).all()
        assert (display < 0.78).all()


def test_a_terrain_survives_pickling() -> None:
    terrain = Terrain(HEIGHTS, 30, vertical_exaggeration=2)
    for twin in (pickle.loads(pickle.dumps(terrain)), copy.deepcopy(terrain)):
        np.testing.assert_array_equal(twin.heights, terrain.heights)
        assert twin.vertical_exaggeration == 2
        assert twin.max_height == 80
        assert Scene.portrait(twin).terrain.surface_albedo.kind == "ramp"
    assert pickle.loads(pickle.dumps(Terrain(HEIGHTS, albedo=0.5))).surface_albedo.color == (0.5, 0.5, 0.5)


def test_relief() -> None:
    scene = Scene.relief(Terrain(HEIGHTS, 30))
    assert scene.camera.kind == "map"
    assert scene.camera.natural_size == (3, 2)
    assert scene.terrain.surface_albedo.kind == "ramp"
    assert scene.terrain.skirt is None
