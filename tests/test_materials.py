"""Maps of the ground's material: where they lie, what their channels mean, which way their normals point, and light."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from truth import skies

import vkforge as vf
from vkforge.errors import InputError

HALF = 1.5e-3  # the G-buffer's normals and materials are of half precision


def unit(*components: float) -> np.ndarray:
    vector = np.array(components, np.float64)
    return vector / np.linalg.norm(vector)


def encoded(normal: np.ndarray, size: tuple[int, int] = (2, 2)) -> np.ndarray:
    """Return a constant normal map, as glTF stores it, in floats."""
    return np.tile(normal / 2 + 0.5, (*size, 1))


def plane(slope_x: float, slope_y: float, material: vf.Material, **options: Any) -> tuple[vf.Terrain, np.ndarray]:
    """Return z = slope_x x + slope_y y over 40 x 40 m, and its normal."""
    y, x = np.mgrid[20:-21:-1, -20:21].astype(np.float64)
    return vf.Terrain(slope_x * x + slope_y * y, material=material, **options), unit(-slope_x, -slope_y, 1)


def from_above(terrain: vf.Terrain, **lights: Any) -> vf.Scene:
    return vf.Scene(terrain, camera=vf.Camera.map(terrain), **{"sun": None, "sky": None, **lights})


def seen(renderer: vf.Renderer, terrain: vf.Terrain, aov: str) -> np.ndarray:
    """Return the AOV from straight above, one pixel a sample."""
    return renderer.render(from_above(terrain), samples=1, aovs=(aov,)).aovs[aov]


def turned(onto: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return `vector` under the shortest rotation that takes +z onto a unit vector (Rodrigues)."""
    axis = np.cross((0, 0, 1), onto)
    sine, cosine = np.linalg.norm(axis), onto[2]
    if sine == 0:
        return vector
    axis /= sine
    return vector * cosine + np.cross(axis, vector) * sine + axis * (axis @ vector) * (1 - cosine)


# Normals

TILTS = {"east": unit(0.5, 0, 1), "north": unit(0, 0.5, 1), "south-west": unit(-0.6, -0.4, 1)}
SLOPES = {"flat": (0.0, 0.0), "falls west": (0.8, 0.0), "falls south": (0.0, 0.7), "both": (-0.6, 0.9)}


@pytest.mark.parametrize("slope", SLOPES)
@pytest.mark.parametrize("tilt", TILTS)
def test_a_tilted_normal_map(renderer: vf.Renderer, slope: str, tilt: str) -> None:
    """On z = a x + b y east along the ground is (1, 0, a), normalised, and the map's y axis is n x that."""
    m = TILTS[tilt]
    terrain, n = plane(*SLOPES[slope], vf.Material(normal_map=encoded(m)))
    east = unit(1, 0, SLOPES[slope][0])
    expected = m[0] * east + m[1] * np.cross(n, east) + m[2] * n
    found = seen(renderer, terrain, "normal")
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=HALF)
    geometric = seen(renderer, terrain, "geometric_normal")
    np.testing.assert_allclose(geometric, np.broadcast_to(n, geometric.shape), atol=HALF)


def test_normals_in_bytes_are_gltfs(renderer: vf.Renderer) -> None:
    """255 is 1, 0 is -1, and 128 is a little over 0."""
    terrain, _ = plane(0, 0, vf.Material(normal_map=np.full((2, 2, 3), (255, 128, 200), np.uint8)))
    expected = unit(1, 2 * 128 / 255 - 1, 2 * 200 / 255 - 1)
    np.testing.assert_allclose(seen(renderer, terrain, "normal")[5, 5], expected, atol=HALF)


@pytest.mark.parametrize("strength", [0.0, 0.5, 2.0])
def test_strength_scales_the_tilt(renderer: vf.Renderer, strength: float) -> None:
    m = TILTS["south-west"]
    terrain, _ = plane(0, 0, vf.Material(normal_map=encoded(m), normal_strength=strength))
    np.testing.assert_allclose(seen(renderer, terrain, "normal")[7, 7], unit(*(m[:2] * strength), m[2]), atol=HALF)
    material = vf.Material(detail_normal_map=encoded(m), detail_normal_strength=strength)
    found = seen(renderer, plane(0, 0, material)[0], "normal")[7, 7]
    np.testing.assert_allclose(found, unit(*(m[:2] * strength), m[2]), atol=HALF)


@pytest.mark.parametrize("base", TILTS)
@pytest.mark.parametrize("detail", TILTS)
def test_details_are_turned_with_the_map_under_them(renderer: vf.Renderer, base: str, detail: str) -> None:
    """Reoriented normal mapping is the shortest rotation from +z onto the base, applied to the detail."""
    material = vf.Material(normal_map=encoded(TILTS[base]), detail_normal_map=encoded(TILTS[detail]))
    terrain, _ = plane(0, 0, material)
    expected = turned(TILTS[base], TILTS[detail])
    np.testing.assert_allclose(seen(renderer, terrain, "normal")[9, 9], expected, atol=HALF)


def test_details_repeat_every_period(renderer: vf.Renderer) -> None:
    """A tile of four colours, its upper left corner at the terrain's centre and a seam that interpolates around."""
    period = 8.0
    tile = np.empty((16, 16, 3))
    tile[:, :8, 0], tile[:, 8:, 0] = 0.7, 0.3  # leans east, then west
    tile[:8, :, 1], tile[8:, :, 1] = 0.6, 0.4  # leans north, then south
    tile[..., 2] = 0.9
    material = vf.Material(detail_normal_map=tile, detail_normal_period=period)
    terrain, _ = plane(0, 0, material)
    found = seen(renderer, terrain, "normal")
    y, x = np.mgrid[20:-21:-1, -20:21] + 0.0  # of the pixels' centres
    u, v = (x / period) % 1, (-y / period) % 1
    inside = (np.abs(u % 0.5 - 0.25) < 0.2) & (np.abs(v % 0.5 - 0.25) < 0.2)
    assert inside.sum() > 500
    expected_x, expected_y = np.where(u < 0.5, 0.4, -0.4), np.where(v < 0.5, 0.2, -0.2)
    length = np.sqrt(0.4**2 + 0.2**2 + 0.8**2)
    np.testing.assert_allclose(found[inside][:, 0], expected_x[inside] / length, atol=HALF)
    np.testing.assert_allclose(found[inside][:, 1], expected_y[inside] / length, atol=HALF)
    seam = np.isclose(u, 0) & inside.any(axis=0)
    np.testing.assert_allclose(found[seam][:, 0], 0, atol=HALF)  # halfway from west to east


# Roughness and metallic


def test_a_map_lies_where_an_albedo_would(renderer: vf.Renderer) -> None:
    image = np.random.default_rng(1).random((5, 7, 3))
    material = vf.Material(roughness=1.0, metallic=1.0, metallic_roughness_map=image)
    terrain, _ = plane(0.3, 0.1, material, albedo=image)
    colors = seen(renderer, terrain, "albedo")
    np.testing.assert_allclose(seen(renderer, terrain, "roughness"), colors[..., 1], atol=HALF)
    np.testing.assert_allclose(seen(renderer, terrain, "metallic"), colors[..., 2], atol=HALF)


def test_maps_are_factors_and_bytes_are_linear(renderer: vf.Renderer) -> None:
    image = np.full((2, 2, 4), (9, 128, 51, 0), np.uint8)
    terrain, _ = plane(0, 0, vf.Material(roughness=0.5, metallic=0.25, metallic_roughness_map=image))
    np.testing.assert_allclose(seen(renderer, terrain, "roughness"), 0.5 * 128 / 255, atol=HALF)
    np.testing.assert_allclose(seen(renderer, terrain, "metallic"), 0.25 * 51 / 255, atol=HALF)


@pytest.mark.parametrize("lane", ["lit", "path-traced"])
def test_a_constant_map_shades_as_the_numbers_do(renderer: vf.Renderer, lane: str) -> None:
    """Sun and sky on hills; half of the ground by the map's other half must differ."""
    i, j = np.mgrid[:48, :64]
    heights = 6 * np.sin(i / 6) * np.cos(j / 7)
    image = np.full((4, 4, 3), (0.0, 0.25, 0.75))
    shared = {"sun": vf.Sun(elevation=50, angular_diameter=5.0), "background": "black"}
    pictures = []
    for material in (
        vf.Material(roughness=0.25, metallic=0.75, specular=0.5),
        vf.Material(roughness=1.0, metallic=1.0, specular=0.5, metallic_roughness_map=image),
        vf.Material(roughness=1.0, metallic=1.0, specular=0.5),
    ):
        terrain = vf.Terrain(heights, albedo=(0.8, 0.5, 0.2), material=material)
        pictures.append(renderer.render(vf.Scene(terrain, **shared), (64, 40), samples=4, lane=lane).hdr)
    np.testing.assert_allclose(pictures[1], pictures[0], rtol=1e-3, atol=1e-4)
    assert np.abs(pictures[2] - pictures[0]).mean() > 0.02


def test_walls_have_the_numbers_alone(renderer: vf.Renderer) -> None:
    maps = {"metallic_roughness_map": np.zeros((2, 2, 3)), "normal_map": encoded(TILTS["east"])}
    material = vf.Material(roughness=0.5, metallic=0.25, emission=2.0, **maps)
    terrain, _ = plane(0, 0, material, skirt=-20.0)
    camera = vf.Camera.orthographic((0, -60, -10), (0, 0, -10), height=10)
    aovs = renderer.render(
        vf.Scene(terrain, camera, None, None), (8, 8), samples=1, aovs=("roughness", "metallic", "emission", "normal")
    ).aovs
    assert (aovs["roughness"] == 0.5).all()
    assert (aovs["metallic"] == 0.25).all()
    assert (aovs["emission"] == 0).all()
    assert (aovs["normal"] == (0, -1, 0)).all()


# Emission


@pytest.mark.parametrize(("lane", "height"), [("lit", 60.0), ("path-traced", 10.0)])
def test_what_glows_is_seen_as_bright_as_it_is(renderer: vf.Renderer, lane: str, height: float) -> None:
    """The first camera sees beyond the ground; the second does not, as paths look elsewhere in a pixel than AOVs."""
    terrain, _ = plane(0.2, 0, vf.Material(emission=(3.0, 0.5, 0.0), specular=0.5))
    camera = vf.Camera.orthographic((0, -20, 30), (0, 0, 0), height=height)
    image = renderer.render(
        vf.Scene(terrain, camera, None, None), (48, 48), samples=1, lane=lane, aovs=("hit", "emission")
    )
    expected = image.aovs["hit"][..., None] * np.array([3.0, 0.5, 0.0], np.float32)
    np.testing.assert_array_equal(image.hdr, expected)
    np.testing.assert_array_equal(image.aovs["emission"], expected)
    assert (image.aovs["hit"].mean() < 0.8) == (height > 40)


def test_emission_maps_are_encoded_in_bytes_and_linear_in_floats(renderer: vf.Renderer) -> None:
    for image, factor in (
        (np.full((2, 2, 3), (188, 255, 0), np.uint8), (0.502886, 1.0, 0.0)),
        (np.full((2, 2, 3), (0.5, 4.0, 300.0), np.float32), (0.5, 4.0, 300.0)),
    ):
        terrain, _ = plane(0, 0, vf.Material(emission=2.0, emission_map=image))
        found = seen(renderer, terrain, "emission")
        np.testing.assert_allclose(found, np.broadcast_to(2 * np.array(factor), found.shape), rtol=3e-3)


def test_a_glowing_bowl_lights_itself(renderer: vf.Renderer) -> None:
    """In a spherical bowl every part sees 1 - F = D / 2R of it from everywhere: L = e / (1 - r (1 - F))."""
    radius, depth, albedo, emission = 100.0, 80.0, 0.7, 1.5
    heights, cell_size, rim = skies.bowl_dem(radius, depth)
    rows, cols = heights.shape
    y, x = np.mgrid[:rows, :cols]
    distance = np.hypot(x - (cols - 1) / 2, y - (rows - 1) / 2) * cell_size[0]
    inside = np.repeat((distance < rim).astype(np.float32)[..., None], 3, axis=2)
    material = vf.Material(emission=emission, emission_map=inside)
    terrain = vf.Terrain(heights, cell_size, albedo=albedo, material=material)
    floor = float(heights.min())
    camera = vf.Camera.orthographic((0, 0, floor + 500), (0, 0, floor), (0, 1, 0), height=1.2 * rim)
    scene = vf.Scene(terrain, camera, None, None)
    found = renderer.render(scene, (24, 24), samples=64, max_depth=24, lane="path-traced").hdr.mean()
    assert found == pytest.approx(emission / (1 - albedo * depth / (2 * radius)), rel=0.01)


# Bad input, and what is not asked for

GOOD = np.full((2, 2, 3), 0.75)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"normal_map": np.zeros((4, 4))}, r"Material normal_map is an array of shape \(4, 4\).*wanted an image"),
        ({"normal_map": np.full((2, 2, 3), 0.4)}, "blue value of 0.4"),
        ({"normal_map": np.full((2, 2, 3), 127, np.uint8)}, "blue value of 127"),
        ({"detail_normal_map": np.full((2, 2, 3), 1.5)}, "detail_normal_map runs from 1.5 to 1.5"),
        ({"metallic_roughness_map": GOOD.astype(np.int32)}, "dtype int32.*uint8 or float"),
        ({"metallic_roughness_map": np.full((2, 2, 3), np.nan)}, "no NaN"),
        ({"metallic_roughness_map": np.zeros((2, 0, 3))}, "wanted an image"),
        ({"metallic_roughness_map": "rough.png"}, "wanted an image"),
        ({"emission": 1.0, "emission_map": -GOOD}, "emission_map runs from -0.75"),
        ({"emission_map": GOOD}, "its emission is 0"),
        ({"emission": (1.0, -2.0, 0.0)}, "Material emission is -2.0"),
        ({"normal_strength": -1.0}, "Material normal_strength is -1.0"),
        ({"detail_normal_strength": np.inf}, "Material detail_normal_strength is inf"),
        ({"detail_normal_period": 0.0}, "detail_normal_period"),
    ],
)
def test_bad_materials(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        vf.Material(**arguments)


def test_maps_are_copied_once_and_shared() -> None:
    image = GOOD.copy()
    material = vf.Material(normal_map=image)
    image[:] = 0
    texture = material.maps["normal_map"]
    assert texture is not None
    assert texture.pixels[0, 0, 0] == 0.75
    assert not texture.pixels.flags.writeable
    other = dataclasses.replace(material, roughness=0.5)
    assert other.maps["normal_map"] is texture
    assert material == dataclasses.replace(other, roughness=1.0)


def test_a_plain_picture_carries_nothing_of_this(renderer: vf.Renderer) -> None:
    plain = renderer.plan(plane(0, 0, vf.Material())[0], (64, 64))
    names = {image.name for image in plain.images}
    assert not names & {"material", "emission", "split_sum", *vf.Material().maps}
    mapped = plane(0, 0, vf.Material(metallic=1.0, metallic_roughness_map=GOOD, emission=1.0))[0]
    names = {image.name for image in renderer.plan(mapped, (64, 64)).images}
    assert {"material", "emission", "split_sum", "metallic_roughness_map"} <= names
