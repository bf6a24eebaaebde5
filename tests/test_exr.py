"""OpenEXR files, read back by the OpenEXR package."""

from __future__ import annotations

import dataclasses
import errno
import io
import math
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.aovs import AOVS, Aov
from vkforge.errors import InputError, OutputError
from vkforge.image import Image
from vkforge.io import exr, exr_names
from vkforge.io.exr import LOSSLESS, ExrOptions, write_exr
from vkforge.scene.info import scene_info

OpenEXR = pytest.importorskip("OpenEXR")

WIDTH, HEIGHT = 37, 23
REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)


def made(info: dict[str, Any] | None = None) -> Image:
    rng = np.random.default_rng(5)
    aovs = {}
    for aov in AOVS.values():
        shape = (HEIGHT, WIDTH) if aov.channels == 1 else (HEIGHT, WIDTH, aov.channels)
        aovs[aov.name] = rng.normal(scale=100.0, size=shape).astype(np.float32)
    aovs["depth"][0] = np.inf
    hdr = rng.lognormal(0.0, 2.0, (HEIGHT, WIDTH, 3)).astype(np.float32)
    hdr[3, 4] = 1e6
    return Image(np.zeros((HEIGHT, WIDTH, 4), np.uint8), hdr, aovs, None, info or {})


def read(path: Path) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """All channels of all parts by name, and the parts' headers."""
    file = OpenEXR.File(str(path), separate_channels=True)
    channels: dict[str, np.ndarray] = {}
    for index in range(len(file.parts)):
        part = {name: channel.pixels for name, channel in file.channels(index).items()}
        assert not channels.keys() & part.keys()
        channels |= part
    return channels, [file.header(index) for index in range(len(file.parts))]


def planes(image: Image, names: str = "vkforge") -> dict[str, np.ndarray]:
    """What the file of an image should hold by the names of `AOVS`, in 32 bits."""
    wanted = dict(zip("RGBA", (*np.moveaxis(image.hdr, -1, 0), np.ones((HEIGHT, WIDTH), np.float32)), strict=True))
    for name, values in image.aovs.items():
        stack = values[..., None] if values.ndim == 2 else values
        wanted |= dict(zip(AOVS[name].exr_channels, np.moveaxis(stack, -1, 0), strict=True))
    return wanted


# Values, types and layout


@pytest.mark.parametrize("parts", ["single", "multi"])
@pytest.mark.parametrize("compression", LOSSLESS)
def test_floats_come_back_to_the_bit(tmp_path: Path, compression: str, parts: str) -> None:
    image = made()
    channels, headers = read(image.save(tmp_path / "a.exr", half=False, compression=compression, parts=parts))
    wanted = planes(image)
    assert channels.keys() == wanted.keys()
    for name, values in wanted.items():
        assert channels[name].dtype == np.float32
        assert np.array_equal(channels[name], values), name
    for header in headers:
        name = "NO" if compression == "none" else compression.upper()
        assert header["compression"] == getattr(OpenEXR, f"{name}_COMPRESSION")
        assert header["type"] == OpenEXR.scanlineimage


def test_half_by_kind(tmp_path: Path) -> None:
    image = made()
    channels, _ = read(image.save(tmp_path / "a.exr"))
    wide = {"Z", "P.X", "P.Y", "P.Z", "depth_axis.Z", "object_id.V", "material_id.V", "variance.V"}
    wide |= {"motion.X", "motion.Y"}
    for name, values in planes(image).items():
        if name in wide:
            assert channels[name].dtype == np.float32
            assert np.array_equal(channels[name], values)
        else:
            assert channels[name].dtype == np.float16
            assert np.array_equal(channels[name], np.clip(values, -65504, 65504).astype(np.float16))
    assert channels["R"][3, 4] == 65504.0


def test_a_part_a_layer(tmp_path: Path) -> None:
    image = made()
    channels, headers = read(image.save(tmp_path / "a.exr", parts="multi"))
    names = [header["name"] for header in headers]
    assert names[:4] == ["rgba", "depth", "P", "N"]
    assert len(names) == len(set(names)) == len(AOVS), "coverage is the picture's alpha and no layer"
    assert "name" not in read(image.save(tmp_path / "b.exr"))[1][0]
    single, _ = read(tmp_path / "b.exr")
    assert all(np.array_equal(single[name], values) for name, values in channels.items())
    spaces = {header["name"]: header["colorInteropID"] for header in headers}
    assert spaces["rgba"] == spaces["albedo"] == "lin_rec709_scene"
    assert spaces["N"] == spaces["depth"] == "data"


@pytest.mark.parametrize("parts", ["single", "multi"])
def test_blenders_names(tmp_path: Path, parts: str) -> None:
    image = made()
    path = image.save(tmp_path / "a.exr", names="blender", parts=parts, half=False)
    channels, headers = read(path)
    assert headers[0]["BlenderMultiChannel"].startswith("Blender V2.5")
    for channel, values in (
        *((f"Combined.{c}", image.hdr[..., i]) for i, c in enumerate("RGB")),
        ("Combined.A", image.aovs["coverage"]),
        ("Depth.Z", image.aovs["depth"]),
        *((f"Normal.{c}", image.aovs["normal"][..., i]) for i, c in enumerate("XYZ")),
        *((f"Position.{c}", image.aovs["position"][..., i]) for i, c in enumerate("XYZ")),
        *((f"Diffuse Color.{c}", image.aovs["albedo"][..., i]) for i, c in enumerate("RGB")),
        ("roughness.X", image.aovs["roughness"]),
        ("hit.X", image.aovs["hit"]),
    ):
        assert np.array_equal(channels[f"ViewLayer.{channel}"], values), channel
    assert len(channels) == len(planes(image))
    if parts == "multi":
        assert [header["name"] for header in headers][:2] == ["ViewLayer.Combined", "ViewLayer.Depth"]


def test_alpha_is_coverage(tmp_path: Path) -> None:
    coverage = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    image = dataclasses.replace(made(), aovs={"coverage": coverage})
    for aovs in (None, (), ("coverage",)):
        channels, _ = read(image.save(tmp_path / "a.exr", aovs=aovs, half=False))
        assert set(channels) == set("RGBA")
        assert np.array_equal(channels["A"], coverage)
    channels, _ = read(dataclasses.replace(image, aovs={}).save(tmp_path / "a.exr"))
    assert (channels["A"] == 1.0).all()


def test_two_channels_and_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AOVS, "motion", Aov("motion", 2, "px", "", ("motion.X", "motion.Y"), "exact"))
    motion = np.random.default_rng(1).normal(size=(HEIGHT, WIDTH, 2)).astype(np.float32)
    ids = np.arange(HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH) + 2**20
    image = dataclasses.replace(made(), aovs={"motion": motion, "object_id": ids})
    channels, _ = read(image.save(tmp_path / "a.exr"))
    assert np.array_equal(np.dstack([channels["motion.X"], channels["motion.Y"]]), motion)
    assert np.array_equal(channels["object_id.V"], ids)
    channels, _ = read(image.save(tmp_path / "a.exr", names="blender"))
    assert np.array_equal(channels["ViewLayer.Object Index.X"], ids)
    assert np.array_equal(channels["ViewLayer.motion.Y"], motion[..., 1])


def test_lossy_compression_is_for_colours(tmp_path: Path) -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    image = made()
    smooth = np.dstack([x / WIDTH, y / HEIGHT, x * y / WIDTH / HEIGHT])
    colors = {aov.name for aov in AOVS.values() if aov.kind == "color"}
    image = dataclasses.replace(image, hdr=smooth, aovs={**image.aovs, **dict.fromkeys(colors, smooth)})
    for compression in ("dwaa", "dwab"):
        channels, headers = read(image.save(tmp_path / "a.exr", compression=compression, parts="multi", half=False))
        lossy = OpenEXR.DWAA_COMPRESSION if compression == "dwaa" else OpenEXR.DWAB_COMPRESSION
        assert {header["name"] for header in headers if header["compression"] == lossy} == {"rgba", *colors}
        for name, values in planes(image).items():
            if name in "RGB" or name.rpartition(".")[0] in colors:
                assert 0 < np.abs(channels[name] - values).max() < 0.02
            else:
                assert np.array_equal(channels[name], values), name
        # OpenEXR takes any channel called Y for luminance, a position's too.
        with pytest.raises(InputError, match=r"in a single part would spoil P\.X, P\.Y, P\.Z; add parts='multi'"):
            image.save(tmp_path / "b.exr", compression=compression, aovs=("position",))
        channels, _ = read(
            image.save(tmp_path / "b.exr", compression=compression, aovs=("depth", "roughness"), half=False)
        )
        assert np.array_equal(channels["Z"], image.aovs["depth"])
        assert np.array_equal(channels["roughness.V"], image.aovs["roughness"])


# The header


def test_matrices_take_points_where_they_are_seen(tmp_path: Path) -> None:
    fov, aspect = 40.0, WIDTH / HEIGHT
    camera = vf.Camera.perspective((10.0, -50.0, 30.0), (10.0, 0.0, 30.0), fov=fov)
    scene = vf.Scene(vf.Terrain(np.zeros((4, 4), np.float32), 1.0), camera=camera, sun=vf.Sun(azimuth=90, elevation=30))
    _, (header,) = read(made(scene_info(scene, (WIDTH, HEIGHT), 0.0)).save(tmp_path / "a.exr"))
    # Looking north: a point 20 m ahead, 3 m to the east, 2 m up.
    point = np.array([13.0, -30.0, 32.0, 1.0])
    assert point @ header["worldToCamera"] == pytest.approx([3.0, 2.0, 20.0, 1.0], abs=1e-5)  # left-handed
    ndc = point @ header["worldToNDC"]
    half_height = 20 * math.tan(math.radians(fov) / 2)
    seen = (0.5 + 3.0 / (2 * half_height * aspect), 0.5 - 2.0 / (2 * half_height))
    assert ndc[:2] / ndc[3] == pytest.approx(seen, abs=1e-6)
    assert ndc[2:] == pytest.approx([1.0, 20.0], abs=1e-5)
    assert header["vkforge/camera/kind"] == "perspective"
    assert header["vkforge/camera/position"].tolist() == [10.0, -50.0, 30.0]
    assert header["vkforge/sun/direction"] == pytest.approx([math.cos(math.radians(30)), 0, 0.5], abs=1e-6)


def test_matrices_of_every_camera_agree_with_its_projection(tmp_path: Path) -> None:
    terrain = vf.Terrain(100 * np.random.default_rng(1).random((30, 40)).astype(np.float32), 10.0)
    points = np.random.default_rng(2).uniform((-190, -140, 0), (190, 140, 100), (50, 3))
    shifted = dataclasses.replace(vf.Camera.orbit(terrain), shift=(0.2, -0.3))
    for camera in (vf.Camera.orbit(terrain), shifted, vf.Camera.map(terrain), vf.Camera.oblique(terrain)):
        info = scene_info(vf.Scene(terrain, camera=camera), (WIDTH, HEIGHT), 0.0)
        _, (header,) = read(made(info).save(tmp_path / "a.exr"))
        ndc = np.c_[points, np.ones(50)] @ header["worldToNDC"]
        seen = camera.project(points, (WIDTH, HEIGHT))[:, :2] / (WIDTH, HEIGHT)
        assert ndc[:, :2] / ndc[:, 3:] == pytest.approx(seen, abs=2e-5), camera.kind
    info = scene_info(
        vf.Scene(terrain, camera=vf.Camera.panorama((0.0, 0.0, 500.0))), (WIDTH, HEIGHT), vf.CameraExposure(8.0)
    )
    _, (header,) = read(made(info).save(tmp_path / "a.exr"))
    assert not {"worldToCamera", "worldToNDC"} & header.keys()
    assert (header["aperture"], header["isoSpeed"]) == (8.0, 100.0)


def test_metadata(tmp_path: Path) -> None:
    info = {
        "lane": "path-traced",
        "samples": 64,
        "seed": 2**32 - 1,
        "exposure": -1.5,
        "tonemap": "agx",
        "device": "some device",
        "submit_seconds": 0.123,
        "frame": 17,
        "frames_per_second": 24000 / 1001,
        "sun": {"azimuth": 315.0, "elevation": 35.0, "direction": (-0.5, 0.5, 0.75), "irradiance": [3, 3, 2]},
        "camera": {"f_number": 2.8, "focus_distance": 1200.0, "exposure_time": 0.02, "iso": 400, "fov": 40.0},
    }
    _, headers = read(made(info).save(tmp_path / "a.exr", parts="multi"))
    for header in headers:
        assert header["software"].startswith("vkforge ")
        assert header["chromaticities"] == pytest.approx(REC709)
        assert header["vkforge/unit"] == "metre"
        assert (header["vkforge/lane"], header["vkforge/samples"]) == ("path-traced", 64)
        assert (header["vkforge/exposure"], header["vkforge/tonemap"]) == (-1.5, "agx")
        assert header["vkforge/seed"] == "4294967295"
        assert (header["vkforge/sun/azimuth"], header["vkforge/sun/elevation"]) == (315.0, 35.0)
        assert header["vkforge/sun/direction"].tolist() == [-0.5, 0.5, 0.75]
        assert header["vkforge/sun/irradiance"].tolist() == [3.0, 3.0, 2.0]
        assert header["imageCounter"] == 17
        assert header["framesPerSecond"] == Fraction(24000, 1001)
        assert header["aperture"] == pytest.approx(2.8)
        assert (header["focus"], header["isoSpeed"], header["vkforge/camera/fov"]) == (1200.0, 400.0, 40.0)
        assert header["expTime"] == pytest.approx(0.02)
        # nothing of when and where it was made
        assert not {"capDate", "vkforge/device", "vkforge/submit_seconds"} & header.keys()


def test_rec2020(tmp_path: Path) -> None:
    _, (header,) = read(made({"primaries": "rec2020"}).save(tmp_path / "a.exr"))
    assert header["chromaticities"] == pytest.approx((0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290))
    assert header["colorInteropID"] == "lin_rec2020_scene"


@pytest.mark.parametrize("parts", ["single", "multi"])
def test_same_picture_same_file(tmp_path: Path, parts: str) -> None:
    first = made({"samples": 4, "submit_seconds": 1.0}).save(tmp_path / "a.exr", parts=parts).read_bytes()
    assert made({"samples": 4, "submit_seconds": 2.0}).save(tmp_path / "b.exr", parts=parts).read_bytes() == first


@pytest.mark.gpu
def test_a_rendered_picture_says_how_it_was_seen(tmp_path: Path, renderer: vf.Renderer) -> None:
    """The header's matrix and the position AOV agree on where each pixel is."""
    heights = 40 * np.hypot(*np.mgrid[-20:20, -30:30]).astype(np.float32)
    aovs = ("position", "hit", "coverage", "object_id")
    image = renderer.render(vf.Terrain(heights, 30.0), (96, 54), samples=2, aovs=aovs)
    channels, (header,) = read(image.save(tmp_path / "a.exr"))
    y, x = np.nonzero(channels["hit.V"])
    points = np.stack([channels[f"P.{c}"][y, x] for c in "XYZ"] + [np.ones(len(x))], axis=1)
    ndc = points @ header["worldToNDC"]
    pixels = ndc[:, :2] / ndc[:, 3:] * (96, 54)
    assert len(x) > 1000
    assert np.abs(pixels - np.stack([x + 0.5, y + 0.5], axis=1)).max() < 0.02
    assert {"vkforge/sun/azimuth", "vkforge/sun/elevation", "vkforge/exposure", "vkforge/tonemap"} <= header.keys()
    assert np.array_equal(channels["A"], image.aovs["coverage"].astype(np.float16))
    assert {"CryptoObject00.R", "CryptoObject02.A"} <= channels.keys()


# Names that compositors keep


def test_layer_names_are_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    channels = [channel for aov in AOVS.values() for channel in aov.exr_channels]
    assert len(set(channels)) == len(channels)
    for aov in AOVS.values():
        assert len(aov.exr_channels) == aov.channels
        for names, dots in (("vkforge", 1), ("blender", 2)):
            shape = (2, 2) if aov.channels == 1 else (2, 2, aov.channels)
            layer = exr_names.aov_layer(aov.name, np.zeros(shape, np.float32), names)
            for channel in layer.channels:
                assert channel.count(".") <= dots
                assert not any(part[0].isdigit() for part in channel.split("."))
    for bad in ("2nd.V", "a.b.V", "ä.V", "two words.V", "-.V"):
        monkeypatch.setitem(AOVS, "bad", Aov("bad", 1, "1", "", (bad,)))
        with pytest.raises(InputError, match="a layer can't be called"):
            exr_names.aov_layer("bad", np.zeros((2, 2), np.float32), "vkforge")


# Bad input


def test_unknown_options(tmp_path: Path) -> None:
    image = made()
    cases: list[tuple[dict[str, Any], str]] = [
        ({"compression": "zipp"}, r"no OpenEXR compression called 'zipp'; did you mean 'zip'\? \(there is none, rle"),
        ({"compression": "b44"}, "no OpenEXR compression called 'b44'"),
        ({"compression": 3}, "no OpenEXR compression called 3"),
        ({"parts": "many"}, r"no OpenEXR parts called 'many'.*single, multi"),
        ({"names": "Blender"}, "no OpenEXR names called 'Blender'; did you mean 'blender'"),
        ({"half": 16}, "half is 16; wanted True"),
        ({"bits": 16}, r"\.exr has no option bits; it is for \.png"),
        ({"aovs": ("depht",)}, "did you mean 'depth'"),
    ]
    for options, message in cases:
        with pytest.raises(InputError, match=message):
            image.save(tmp_path / "a.exr", **options)
    assert not list(tmp_path.iterdir())


def test_info_that_no_header_holds(tmp_path: Path) -> None:
    for info, message in (
        ({"sun": {"azimuth": None}}, r"info\['sun'\]\['azimuth'\] is None, which an OpenEXR header can't hold"),
        ({"camera": {"position": [1, 2, 3, 4]}}, "wanted a number, text, or 2 or 3 numbers"),
        ({"camera": {"world_to_camera": [[1, 2], [3, 4]]}}, r"has shape \(2, 2\); wanted 4 x 4"),
        ({"primaries": "rec2002"}, r"'rec2002'; did you mean 'rec2020'\?; wanted rec709 or rec2020"),
    ):
        with pytest.raises(InputError, match=message):
            made(info).save(tmp_path / "a.exr")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = made()
    path = image.save(tmp_path / "a.exr", parts="multi")
    old = path.read_bytes()

    class Full(io.FileIO):
        """A disk with room for 10,000 bytes."""

        def write(self, data: Any) -> int:
            if self.tell() + len(data) > 10_000:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    monkeypatch.setattr("vkforge.io.atomic.open", lambda path, mode: Full(path, "x+"), raising=False)
    cases: list[dict[str, Any]] = [{}, {"parts": "multi"}, {"parts": "multi", "compression": "dwaa"}]
    for options in cases:
        with pytest.raises(OutputError, match="the disk is full; free some space"):
            image.save(path, **options)
    monkeypatch.undo()
    assert path.read_bytes() == old
    assert [file.name for file in tmp_path.iterdir()] == ["a.exr"]


def test_aovs_alone(tmp_path: Path) -> None:
    image = made()
    write_exr(tmp_path / "a.exr", None, {"normal": image.aovs["normal"]}, options=ExrOptions(half=False))
    channels, (header,) = read(tmp_path / "a.exr")
    assert set(channels) == {"N.X", "N.Y", "N.Z"}
    assert np.array_equal(channels["N.Y"], image.aovs["normal"][..., 1])
    assert header["colorInteropID"] == "data"
    assert exr.LOSSY == ("dwaa", "dwab")
