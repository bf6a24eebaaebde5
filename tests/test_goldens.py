"""Pictures that a person has looked at, kept small in tests/goldens and compared on lavapipe alone.

Why so tight: on one driver the same scene gives the same bits, so on the machine that made them the goldens match
exactly. What may differ elsewhere is the LLVM that compiles the shaders (it contracts and reorders float32 arithmetic
its own way), which moves a channel by a rounding step, and a ray now and then to the other side of a ridge or of a
shadow's edge. At 4 of 255 in all but 0.5 % of the pixels both pass, and nothing that an eye would notice does.

After a change that is meant: ``./dev test tests/test_goldens.py --update-goldens``, and look at what git says changed.
What happens to a picture after its light is in test_goldens_of_effects.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import conftest
import numpy as np
import pytest
from PIL import Image

import vkforge as vf
from vkforge.settings import PRESETS, TONEMAPS

Check = Callable[[str, np.ndarray], None]
Jacksboro = tuple[np.ndarray, tuple[float, float]]

# Height of every golden, in pixels; the widest is 320.
HEIGHT = 180


def block(jacksboro: Jacksboro, **options: Any) -> vf.Terrain:
    """Return the real DEM with its heights doubled."""
    heights, cell_size = jacksboro
    return vf.Terrain(heights, cell_size, **{"vertical_exaggeration": 2.0, **options})


def hills(size: int = 96) -> np.ndarray:
    """Return (size, size) float64 smooth hills, 0 to about 14 high, for cells of 1."""
    y, x = np.mgrid[0:size, 0:size] / size * 2.0 * np.pi
    return 6.0 + 3.5 * np.sin(2.0 * x + 0.6) * np.cos(1.5 * y) + 2.5 * np.cos(3.0 * y - x) + 2.0 * np.sin(x * y * 0.3)


def strip(renderer: vf.Renderer, scenes: list[vf.Scene], width: int, **options: Any) -> np.ndarray:
    """Render scenes side by side, each `width` pixels wide with a pixel of white between, as (h, w, 3) uint8."""
    tiles = [renderer.render(scene, (width, HEIGHT), samples=8, **options).rgba[..., :3] for scene in scenes]
    gap = np.full((HEIGHT, 1, 3), 255, np.uint8)
    return np.concatenate([part for tile in tiles for part in (gap, tile)][1:], axis=1)


def test_portrait(renderer: vf.Renderer, golden: Check, jacksboro: Jacksboro) -> None:
    size = (320, HEIGHT)
    golden("portrait", renderer.render(vf.Scene.portrait(block(jacksboro), size), size, samples=8).rgba)


def test_relief(renderer: vf.Renderer, golden: Check, jacksboro: Jacksboro) -> None:
    scene = vf.Scene.relief(block(jacksboro))
    scene = dataclasses.replace(scene, camera=vf.Camera.map(scene.terrain, pixels="samples"))
    golden("relief", renderer.render(scene, (211, HEIGHT), samples=8).rgba)


def test_inside_the_terrain(renderer: vf.Renderer, golden: Check, jacksboro: Jacksboro) -> None:
    """The eye stands in a valley, within the bounds and below the peaks, under the gradient sky."""
    terrain = block(jacksboro, cmap="vkforge.relief", vertical_exaggeration=3.0)
    x, y = -4000.0, -9000.0
    eye = (x, y, float(terrain.height_at(x, y)) + 150.0)
    camera = vf.Camera.perspective(eye, (x - 2500.0, y + 4000.0, eye[2] + 200.0), fov=50)
    assert eye[2] < terrain.max_height * terrain.vertical_exaggeration
    sun = vf.Sun(azimuth=250, elevation=22, irradiance=(3.6, 3.2, 2.7))
    sky = vf.Sky.gradient((0.10, 0.17, 0.33), (0.42, 0.45, 0.48), ground=(0.3, 0.3, 0.28))
    golden("inside", renderer.render(vf.Scene(terrain, camera, sun, sky), (320, HEIGHT), samples=8).rgba)


def test_holes_open_edges_and_skirts(renderer: vf.Renderer, golden: Check) -> None:
    """Left: a sheet with open edges, a round hole and single missing samples. Right: the same, closed to a block."""
    heights = hills()
    row, column = np.mgrid[0:96, 0:96]
    heights[np.hypot(row - 60, column - 30) < 12] = np.nan
    heights[20:36:3, 60:84:3] = np.nan
    sheet = vf.Terrain(heights, albedo="#b8a98c")
    closed = dataclasses.replace(sheet, skirt=-12.0, skirt_color="#a08068")
    camera = vf.Camera.orbit(closed, azimuth=205, elevation=28, aspect=160 / HEIGHT)
    sky = vf.Sky.gradient((0.2, 0.25, 0.35), (0.3, 0.32, 0.35), ground=(0.3, 0.28, 0.25))
    scenes = [vf.Scene(terrain, camera, sky=sky, background="#f4f1ea") for terrain in (sheet, closed)]
    golden("edges", strip(renderer, scenes, 159))


def test_materials(renderer: vf.Renderer, golden: Check) -> None:
    """Matt, glossy dielectric, rough metal and smooth metal, against the sun and with a parallel projection."""
    materials = [
        vf.Material(),
        vf.Material(roughness=0.3, specular=1.0),
        vf.Material(roughness=0.6, metallic=1.0),
        vf.Material(roughness=0.3, metallic=0.7, specular=0.5),
    ]
    sun = vf.Sun(azimuth=20, elevation=35, angular_diameter=2.0)
    scenes = []
    for material in materials:
        terrain = vf.Terrain(hills(), albedo=(0.45, 0.27, 0.12), material=material)
        camera = vf.Camera.orthographic((0, -80, 70), (0, 0, 6), height=90)
        scenes.append(vf.Scene(terrain, camera, sun, background="black"))
    golden("materials", strip(renderer, scenes, 79, exposure=-0.5))


def test_colours(renderer: vf.Renderer, golden: Check) -> None:
    """Left: a colormap over another raster than the heights, coarser than they are. Right: an RGB image as albedo."""
    v, u = np.mgrid[0:24, 0:24] / 23.0
    rings = np.sin(np.hypot(u - 0.3, v - 0.6) * 14.0)
    v, u = np.mgrid[0:200, 0:200] / 199.0
    checks = (np.floor(u * 8) + np.floor(v * 8)) % 2
    rgb = np.stack([0.15 + 0.6 * u, 0.15 + 0.6 * v, 0.2 + 0.5 * checks], axis=-1)
    grounds = [
        vf.Terrain(hills(), cmap="viridis", cmap_data=rings, percentiles=(2, 98)),
        vf.Terrain(hills(), albedo=rgb),
    ]
    camera = vf.Camera.orbit(grounds[0], azimuth=150, elevation=50, aspect=159 / HEIGHT)
    golden("colours", strip(renderer, [vf.Scene(ground, camera, background="white") for ground in grounds], 159))


def test_sky_alone(renderer: vf.Renderer, golden: Check, jacksboro: Jacksboro) -> None:
    """No sun: what shapes the ground is how much of the gradient sky each place sees."""
    terrain = block(jacksboro, albedo=0.6, vertical_exaggeration=4.0)
    camera = vf.Camera.orbit(terrain, azimuth=160, elevation=30, distance=22_000)
    scene = vf.Scene(terrain, camera, None, vf.Sky.gradient((0.25, 0.33, 0.5), (0.5, 0.45, 0.38)), "#f4f1ea")
    golden("sky", renderer.render(scene, (320, HEIGHT), samples=8, exposure=1.0).rgba)


def test_tone_mapping(renderer: vf.Renderer, golden: Check) -> None:
    """One bright, colourful scene under each operator, in the order of TONEMAPS."""
    ramp = vf.Terrain(hills(), cmap=["#d02020", "#e0c020", "#20a040", "#2050d0"])
    sun = vf.Sun(azimuth=240, elevation=25, irradiance=(14.0, 12.0, 9.0))
    camera = vf.Camera.orthographic((0, 0, 50), (0, 0, 0), (0, 1, 0), height=90)
    scene = vf.Scene(ramp, camera, sun, vf.Sky.uniform((0.1, 0.2, 0.5)))
    tiles = [strip(renderer, [scene], 45, tonemap=operator) for operator in TONEMAPS]
    golden("tonemaps", np.concatenate(tiles, axis=1))


def test_light_that_is_opted_into(renderer: vf.Renderer, golden: Check) -> None:
    """Paths, a low sun in a physical sky, fog with the ridges' shadows in it, and an environment map."""
    ground = vf.Terrain(hills() * 60.0, cell_size=60.0, albedo=0.4)
    camera = vf.Camera.perspective((0, -4200, 1900), (0, 0, 400), fov=45)
    low = vf.Sun(azimuth=300, elevation=12, irradiance=6.0)
    lamp = np.full((8, 16, 3), 0.2)
    lamp[2, 3] = (30.0, 12.0, 4.0)
    scenes = (
        (vf.Scene(ground, camera, low, vf.Sky.gradient()), {"lane": "path-traced", "denoise": "atrous"}),
        (vf.Scene(ground, camera, low, vf.Sky()), {}),
        (vf.Scene(ground, camera, low, vf.Sky.gradient(), fog=vf.Fog(4e-4, scale_height=400.0, anisotropy=0.5)), {}),
        (vf.Scene(ground, camera, None, vf.Environment(lamp)), {}),
    )
    tiles = [strip(renderer, [scene], 79, **options) for scene, options in scenes]
    golden("light", np.concatenate(tiles, axis=1))


def test_presets(renderer: vf.Renderer, golden: Check, jacksboro: Jacksboro) -> None:
    tiles = []
    for name in PRESETS:
        scene = vf.Scene.portrait(block(jacksboro), (106, 90), preset=name)
        tiles.append(renderer.render(scene, (106, 90), settings=vf.Settings.preset(name).replace(samples=8)).rgba)
    rows = [np.concatenate(tiles[start : start + 3], axis=1) for start in (0, 3)]
    golden("presets", np.concatenate(rows))


def test_cameras(renderer: vf.Renderer, golden: Check) -> None:
    """A panorama, both fish-eyes, an oblique view, a shifted frame and a lens of 24 mm, each from two places."""
    ground = vf.Terrain(hills(), albedo="#b8a98c", skirt=-4.0)
    cameras = []
    for x in (-20.0, 20.0):
        eye, there = (x, -30.0, 26.0), (0.0, 0.0, 8.0)
        cameras += [
            vf.Camera.panorama(eye, 0.1 * x),
            vf.Camera.fisheye(eye, there),
            vf.Camera.fisheye(eye, there, mapping="equisolid", full_frame=True),
            vf.Camera.oblique(ground, azimuth=180.0 + x),
            vf.Camera.perspective(eye, there, shift=(0.01 * x, 0.2)),
            vf.Camera.photographic(eye, there, focal_length=24.0),
        ]
    scenes = [vf.Scene(ground, camera, vf.Sun(300, 30), vf.Sky.gradient()) for camera in cameras]
    tiles = [renderer.render(scene, (106, 45), samples=8).rgba[..., :3] for scene in scenes]
    golden("cameras", np.concatenate([np.concatenate(tiles[i : i + 3], axis=1) for i in (0, 3, 6, 9)]))


# The goldens themselves, and the one who compares them


def test_goldens_are_small_and_all_in_use() -> None:
    folder = Path(__file__).parent
    source = "".join((folder / f"{name}.py").read_text() for name in ("test_goldens", "test_goldens_of_effects"))
    for path in sorted(conftest.GOLDENS.glob("*")):
        assert path.suffix == ".png"
        used = (f'golden("{path.stem}"', f'"{path.stem}": Sheet(')
        assert any(use in source for use in used), f"no test compares {path}"
        assert path.stat().st_size < 100_000
        with Image.open(path) as picture:
            assert picture.width <= 320
            assert picture.height == HEIGHT


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Point the helper to an empty folder, with the flag off."""
    monkeypatch.setattr(conftest, "GOLDENS", tmp_path / "goldens")
    monkeypatch.setattr(conftest, "FAILURES", tmp_path / "failures")
    monkeypatch.setattr(request.config.option, "update_goldens", False)
    return tmp_path


def test_a_golden_is_written_by_the_flag_alone(
    golden: Check, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 4), np.uint8)
    with pytest.raises(pytest.fail.Exception, match="--update-goldens"):
        golden("new", pixels)
    assert not list(elsewhere.rglob("*.png"))
    monkeypatch.setattr(request.config.option, "update_goldens", True)
    golden("new", pixels)
    monkeypatch.setattr(request.config.option, "update_goldens", False)
    golden("new", pixels)
    written = (elsewhere / "goldens" / "new.png").read_bytes()
    with pytest.raises(pytest.fail.Exception):
        golden("new", 255 - pixels)
    assert (elsewhere / "goldens" / "new.png").read_bytes() == written


def test_a_difference_is_noticed_and_kept(golden: Check, elsewhere: Path) -> None:
    pixels = np.full((100, 100, 3), 100, np.uint8)
    (elsewhere / "goldens").mkdir()
    Image.fromarray(pixels).save(elsewhere / "goldens" / "grey.png")
    golden("grey", pixels + np.uint8(4))  # rounding, everywhere
    speckled = pixels.copy()
    speckled[0, :50, 1] = 255
    golden("grey", speckled)  # 0.5 % of the pixels
    assert not (elsewhere / "failures").exists()
    speckled[0, 50, 1] = 105
    with pytest.raises(pytest.fail.Exception, match=r"0\.51% of the pixels"):
        golden("grey", speckled)
    with Image.open(elsewhere / "failures" / "grey.png") as kept:
        assert kept.size == (300, 100)
        assert kept.getpixel((250, 0)) == (0, 40, 0)
    with pytest.raises(pytest.fail.Exception, match=r"\(100, 100, 3\)"):
        golden("grey", pixels[:50])
