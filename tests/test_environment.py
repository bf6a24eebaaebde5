"""Light by environment maps: what scenes make of them, and what maps may be made of."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from truth import environments as truth

import vkforge as vf
from vkforge.io.radiance import read_radiance

ALBEDO = (0.5, 0.4, 0.3)
FLAT = vf.Terrain(np.zeros((9, 9)), albedo=ALBEDO)
UP = np.array([[0.0, 0.0, 1.0]])
RNG = np.random.default_rng(8)


def open_ground(renderer: vf.Renderer, sky: vf.Environment, **parts: object) -> np.ndarray:
    """Return the (h, w, 3) radiance of a plane in the open: every pixel sees the same, by rays of its own."""
    scene = vf.Scene(FLAT, **{"camera": vf.Camera.map(FLAT), "sun": None, "sky": sky, **parts})  # type: ignore[arg-type]
    return renderer.render(scene, (20, 20), samples=64, sky_rays=8).hdr[2:-2, 2:-2].astype(np.float64)


def lamp(row: int, column: int, height: int = 32) -> np.ndarray:
    texels = np.zeros((height, 2 * height, 3))
    texels[row, column] = (1000.0, 500.0, 100.0)
    return texels


# On the ground


@pytest.mark.gpu
def test_one_radiance_all_around_gives_albedo_times_it(renderer: vf.Renderer) -> None:
    light = open_ground(renderer, vf.Environment(np.full((4, 8, 3), 2.0), intensity=1.5))
    ratio = light.mean(axis=(0, 1)) / (3.0 * np.array(ALBEDO))
    print(f"over albedo times radiance: {ratio}")
    assert np.abs(ratio - 1).max() < 0.002


@pytest.mark.gpu
def test_one_bright_texel_lights_by_its_solid_angle_and_cosine(renderer: vf.Renderer) -> None:
    """The closed form of a distant lamp: L w cos / pi. The bilinear texel's own shape is worth 0.3 % here."""
    row = 9
    towards, solid_angle = truth.directions(32)
    light = open_ground(renderer, vf.Environment(lamp(row, 40), rotation=123.0)).mean(axis=(0, 1))
    expected = np.array(ALBEDO) / np.pi * np.array([1000, 500, 100]) * solid_angle[row, 0] * towards[row, 40, 2]
    print(f"over the closed form: {light / expected}")
    assert np.abs(light / expected - 1).max() < 0.01


@pytest.mark.gpu
def test_a_rough_map_gives_the_irradiance_of_quadrature(renderer: vf.Renderer) -> None:
    texels = RNG.random((16, 32, 3)) ** 3
    light = open_ground(renderer, vf.Environment(texels)).mean(axis=(0, 1))
    expected = truth.irradiance(texels, UP, 256)[0] * ALBEDO / np.pi
    print(f"over quadrature: {light / expected}")
    assert np.abs(light / expected - 1).max() < 0.005


@pytest.mark.gpu
def test_a_sun_beside_it_adds_to_it(renderer: vf.Renderer) -> None:
    sky = vf.Environment(np.full((4, 8, 3), 0.5))
    sun = vf.Sun(elevation=30.0, irradiance=2.0, angular_diameter=0.0)
    both = open_ground(renderer, sky, sun=sun).mean(axis=(0, 1))
    expected = np.array(ALBEDO) * (0.5 + 2.0 * np.sin(np.radians(30.0)) / np.pi)
    assert np.abs(both / expected - 1).max() < 0.002


@pytest.mark.gpu
@pytest.mark.parametrize(("rotation", "lit"), [(0.0, "north"), (90.0, "east"), (180.0, "south"), (270.0, "west")])
def test_rotation_turns_the_light_clockwise(renderer: vf.Renderer, rotation: float, lit: str) -> None:
    """A lamp in the map's north, low over a hill of four sides: the one that faces it is lit, that behind is dark."""
    texels = np.zeros((32, 64, 3))
    texels[13, 31:33] = 100.0
    x, y = np.meshgrid(np.arange(41.0) - 20, 20 - np.arange(41.0))
    terrain = vf.Terrain(16.0 - np.maximum(np.abs(x), np.abs(y)), cell_size=1.0)
    scene = vf.Scene(terrain, camera=vf.Camera.map(terrain), sun=None, sky=vf.Environment(texels, rotation))
    light = renderer.render(scene, (41, 41), samples=8, sky_rays=8).hdr[..., 1]
    sides = {"north": light[5, 20], "east": light[20, 35], "south": light[35, 20], "west": light[20, 5]}
    behind = {"north": "south", "east": "west", "south": "north", "west": "east"}[lit]
    print(sides)
    assert max(sides, key=sides.__getitem__) == lit
    assert sides[behind] < 0.02 * sides[lit]


@pytest.mark.gpu
def test_what_stands_in_the_way_casts_a_shadow(renderer: vf.Renderer) -> None:
    """A lamp of one texel behind a wall: the ground before the wall is lit, the ground behind it is not."""
    heights = np.zeros((41, 41))
    heights[:, 20] = 10.0
    terrain = vf.Terrain(heights, cell_size=1.0)
    sky = vf.Environment(lamp(12, 32 + 16))  # in the east, 20 degrees up
    image = renderer.render(
        vf.Scene(terrain, camera=vf.Camera.map(terrain), sun=None, sky=sky), (41, 41), samples=8, sky_rays=8
    )
    assert image.hdr[20, 30, 0] > 0.2
    assert image.hdr[20, 12, 0] < 1e-3


@pytest.mark.gpu
def test_glossy_ground_shows_the_map(renderer: vf.Renderer) -> None:
    """All but a mirror, seen from the south at 45 degrees: it shows what stands 45 degrees up in the north."""
    towards, _ = truth.directions(32)
    texels = np.maximum(0.0, 2.0 + towards)
    terrain = vf.Terrain(np.zeros((9, 9)), albedo=(1.0, 1.0, 1.0), material=vf.Material(roughness=0.05, metallic=1.0))
    camera = vf.Camera.orthographic((0, -10, 10), (0, 0, 0), height=1e-3)
    scene = vf.Scene(terrain, camera=camera, sun=None, sky=vf.Environment(texels))
    light = renderer.render(scene, (8, 8), samples=64, sky_rays=16).hdr.mean(axis=(0, 1))
    expected = truth.radiance(texels, np.array([[0.0, 1.0, 1.0]]) / np.sqrt(2))[0]
    print(f"over the mirrored radiance: {light / expected}")
    assert np.abs(light / expected - 1).max() < 0.02


# In the camera


@pytest.mark.gpu
def test_rays_that_miss_see_the_map_above_and_below(renderer: vf.Renderer) -> None:
    texels = RNG.random((32, 64, 3))
    sky = vf.Environment(texels, rotation=40.0, intensity=3.0)
    camera = vf.Camera.perspective((0.0, -100.0, 50.0), (60.0, -150.0, 40.0), fov=70)
    image = renderer.render(vf.Scene(FLAT, camera=camera, sky=sky), (40, 30), samples=1, aovs=("depth",))
    rays = camera.rays(40, 30)
    u = ((np.arange(40) + 0.5) / 20 - 1)[None, :, None]
    v = (1 - (np.arange(30) + 0.5) / 15)[:, None, None]
    towards = np.array(rays.direction) + u * np.array(rays.direction_u) + v * np.array(rays.direction_v)
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    assert np.isinf(image.aovs["depth"]).all()
    assert towards[..., 2].min() < -0.3 < 0.3 < towards[..., 2].max()
    expected = 3.0 * truth.radiance(texels, towards.reshape(-1, 3), 40.0).reshape(30, 40, 3)
    assert np.abs(image.hdr - expected).max() < 1e-3
    plain = dataclasses.replace(vf.Scene(FLAT, camera=camera, sky=sky), background="white")
    assert np.allclose(renderer.render(plain, (8, 6), samples=1).hdr, 1.0)


@pytest.mark.gpu
def test_turning_a_map_compiles_nothing(renderer: vf.Renderer) -> None:
    sky = vf.Environment(RNG.random((8, 16, 3)))
    open_ground(renderer, sky)
    compiled = dict(renderer._lanes["lit"]._compiled)
    open_ground(renderer, dataclasses.replace(sky, rotation=45.0, intensity=2.0))
    assert renderer._lanes["lit"]._compiled == compiled


# What an environment may be


def test_it_keeps_a_copy_of_its_own() -> None:
    texels = np.ones((2, 4, 3), np.float32)
    sky = vf.Environment(texels)
    texels[:] = 5.0
    assert sky.radiance.max() == 1.0 and sky.size == (4, 2)
    with pytest.raises(ValueError, match="read-only"):
        sky.radiance[:] = 0.0
    assert vf.Environment(np.ones((1, 2, 3), int)).radiance.dtype == np.float32
    assert vf.Environment(np.asfortranarray(RNG.random((4, 8, 3)))).radiance.flags.c_contiguous
    assert dataclasses.replace(sky, rotation=3.0).radiance is sky.radiance


@pytest.mark.parametrize(
    ("radiance", "message"),
    [
        (np.ones((4, 8)), "linear RGB of shape"),
        (np.ones((4, 8, 4)), "linear RGB of shape"),
        (np.ones((0, 0, 3)), "linear RGB of shape"),
        (np.ones((4, 8, 3), complex), "linear RGB of shape"),
        (np.ones((8, 8, 3)), "twice as wide as high"),
        (np.full((1, 2, 3), -1.0), "-1 at row 0, column 0"),
        (np.full((1, 2, 3), np.nan), "nan at row 0"),
        (np.full((1, 2, 3), np.inf), "inf at row 0"),
        (np.full((1, 2, 3), 1e300), "inf at row 0"),
        ([[[1, 2, 3]], [[1]]], "wanted an array"),
        ("sky.hdr", "linear RGB of shape"),
        (None, "linear RGB of shape"),
    ],
)
def test_arrays_that_are_no_environment(radiance: object, message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        vf.Environment(radiance)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["rotation", "intensity"])
@pytest.mark.parametrize("value", [np.nan, np.inf, "north", None, (1.0,)])
def test_numbers_that_are_none(name: str, value: object) -> None:
    with pytest.raises(vf.InputError, match=f"Environment {name}"):
        vf.Environment(np.ones((1, 2, 3)), **{name: value})  # type: ignore[arg-type]


def test_light_is_not_negative() -> None:
    with pytest.raises(vf.InputError, match="Environment intensity is -1"):
        vf.Environment(np.ones((1, 2, 3)), intensity=-1)


# Files


def rgbe(texels: np.ndarray) -> np.ndarray:
    """Encode (h, w, 3) as (h, w, 4) uint8: mantissas of the largest channel's exponent, cut off."""
    _, exponent = np.frexp(texels.max(axis=-1))
    mantissas = texels * np.ldexp(256.0, -exponent)[..., None]
    return np.concatenate([mantissas, (exponent + 128)[..., None]], axis=-1).astype(np.uint8)


def flat_file(texels: np.ndarray, *lines: str) -> bytes:
    height, width = texels.shape[:2]
    head = "\n".join(["#?RADIANCE", *lines, "FORMAT=32-bit_rle_rgbe", "", f"-Y {height} +X {width}", ""])
    return head.encode() + rgbe(texels).tobytes()


def coded_file(texels: np.ndarray) -> bytes:
    """Each row by channel, as a run of its first value where it repeats, and the rest as it is."""
    height, width = texels.shape[:2]
    out = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n".encode()
    for row in rgbe(texels):
        out += bytes([2, 2, width >> 8, width & 255])
        for channel in row.T:
            run = min(127, int(np.argmax(channel != channel[0])) or width)
            out += bytes([128 + run, channel[0]])
            for start in range(run, width, 128):
                part = channel[start : start + 128]
                out += bytes([len(part)]) + part.tobytes()
    return out


def picture() -> np.ndarray:
    texels = 10.0 ** RNG.uniform(-3, 3, (16, 32, 1)) * RNG.uniform(0.5, 1.0, (16, 32, 3))
    texels[:, :9] = (1.0, 0.5, 0.25)
    return texels


@pytest.mark.parametrize("encode", [flat_file, coded_file])
def test_radiance_pictures(tmp_path: Path, encode: object) -> None:
    """Exact but for the format's 8 bits, which are cut off and not rounded."""
    texels = picture()
    (tmp_path / "sky.hdr").write_bytes(encode(texels))  # type: ignore[operator]
    sky = vf.Environment.open(tmp_path / "sky.hdr", rotation=10.0, intensity=2.0)
    assert (sky.rotation, sky.intensity) == (10.0, 2.0)
    off = texels - sky.radiance
    assert (off >= -1e-6 * texels).all() and (off <= texels.max(axis=-1, keepdims=True) / 128).all()
    black = np.zeros((2, 4, 3))
    (tmp_path / "black.hdr").write_bytes(flat_file(black)[:-32] + bytes(32))
    assert (read_radiance(tmp_path / "black.hdr") == 0).all()


def test_exposure_is_undone(tmp_path: Path) -> None:
    texels = picture()
    (tmp_path / "a.hdr").write_bytes(flat_file(texels))
    (tmp_path / "b.hdr").write_bytes(flat_file(texels, "EXPOSURE=2", "EXPOSURE= 4.0"))
    assert np.allclose(read_radiance(tmp_path / "b.hdr"), read_radiance(tmp_path / "a.hdr") / 8, rtol=1e-6)


@pytest.mark.skipif(not shutil.which("oiiotool"), reason="needs oiiotool")
def test_radiance_pictures_are_read_as_openimageio_reads_them(tmp_path: Path) -> None:
    noise = "--noise:type=uniform:min=0:max=3 --mulc 2.5,.01,100 -d float"
    for command in (f"--create 64x32 3 {noise} -o a.exr", "a.exr -o a.hdr", "a.hdr -d float -o b.exr"):
        subprocess.run(["oiiotool", *command.split()], cwd=tmp_path, check=True)
    assert np.array_equal(read_radiance(tmp_path / "a.hdr"), read_radiance(tmp_path / "b.exr"))


def test_openexr_files(tmp_path: Path) -> None:
    import OpenEXR

    texels = picture().astype(np.float32)
    header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.ZIP_COMPRESSION}
    for name, channels in (("rgb", {"RGB": texels}), ("half", {"RGB": texels.astype(np.float16)})):
        OpenEXR.File(header, channels).write(str(tmp_path / f"{name}.exr"))
    with_alpha = np.concatenate([texels, np.ones((16, 32, 1), np.float32)], axis=-1)
    OpenEXR.File(header, {"RGBA": with_alpha}).write(str(tmp_path / "rgba.exr"))
    OpenEXR.File(header, {"Y": texels[..., 0].copy()}).write(str(tmp_path / "grey.exr"))
    OpenEXR.File(header, {"Z": texels[..., 0].copy()}).write(str(tmp_path / "depth.exr"))
    assert np.array_equal(vf.Environment.open(tmp_path / "rgb.exr").radiance, texels)
    assert np.array_equal(vf.Environment.open(tmp_path / "rgba.exr").radiance, texels)
    assert np.allclose(vf.Environment.open(tmp_path / "half.exr").radiance, texels, rtol=1e-3)
    assert np.array_equal(vf.Environment.open(tmp_path / "grey.exr").radiance[..., 2], texels[..., 0])
    with pytest.raises(vf.InputError, match="has the channels Z; wanted R, G and B"):
        vf.Environment.open(tmp_path / "depth.exr")


@pytest.mark.parametrize("kind", ["flat", "coded", "exr"])
def test_files_that_are_cut_short(tmp_path: Path, kind: str) -> None:
    texels = picture()
    if kind == "exr":
        import OpenEXR

        header = {"type": OpenEXR.scanlineimage, "compression": OpenEXR.NO_COMPRESSION}
        OpenEXR.File(header, {"RGB": texels.astype(np.float32)}).write(str(tmp_path / "whole.exr"))
        whole = (tmp_path / "whole.exr").read_bytes()
    else:
        whole = flat_file(texels) if kind == "flat" else coded_file(texels)
    for length in (0, 3, 12, len(whole) // 3, len(whole) - 1):
        (tmp_path / "short").write_bytes(whole[:length])
        with pytest.raises(vf.InputError, match="short: "):
            vf.Environment.open(tmp_path / "short")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n", "neither a Radiance picture"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_xyze\n\n-Y 1 +X 2\n" + bytes(8), "wanted RGBE"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n+Y 1 +X 2\n" + bytes(8), "rows from the top"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 0 +X 2\n" + bytes(8), "no pixels"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 9999 +X 19998\n" + bytes(8), "cut short"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\nEXPOSURE=0\n\n-Y 1 +X 2\n" + bytes(8), "EXPOSURE"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2\n\1\1\1\2" + bytes(4), "before 1991"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 2\n" + bytes(16), "twice as wide"),
    ],
)
def test_files_that_are_no_environment(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "sky.hdr").write_bytes(content)
    with pytest.raises(vf.InputError, match=f"sky.hdr: .*{message}"):
        vf.Environment.open(tmp_path / "sky.hdr")
    with pytest.raises(vf.InputError, match="none.hdr: can't be read"):
        vf.Environment.open(tmp_path / "none.hdr")
