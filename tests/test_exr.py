"""OpenEXR files, read back by the OpenEXR package."""

from __future__ import annotations

import dataclasses
import errno
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vkforge.aovs import AOVS, Aov
from vkforge.errors import InputError, OutputError
from vkforge.image import Image
from vkforge.io import exr, exr_names
from vkforge.io.exr import LOSSLESS, ExrOptions, write_exr

OpenEXR = pytest.importorskip("OpenEXR")

WIDTH, HEIGHT = 37, 23


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
        if name == "beauty":
            continue
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
    assert len(names) == len(set(names)) == len(AOVS) - 1, "beauty and coverage are the picture itself"
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
        ("Depth.Z", image.aovs["depth_axis"]),
        ("depth_along_ray.Z", image.aovs["depth"]),
        *((f"Normal.{c}", image.aovs["normal"][..., i]) for i, c in enumerate("XYZ")),
        *((f"Position.{c}", image.aovs["position"][..., i]) for i, c in enumerate("XYZ")),
        *((f"Diffuse Color.{c}", image.aovs["albedo"][..., i]) for i, c in enumerate("RGB")),
        ("roughness.X", image.aovs["roughness"]),
        ("hit.X", image.aovs["hit"]),
    ):
        assert np.array_equal(channels[f"ViewLayer.{channel}"], values), channel
    assert len(channels) == len(planes(image))
    if parts == "multi":
        assert [header["name"] for header in headers][:2] == ["ViewLayer.Combined", "ViewLayer.depth_along_ray"]


def test_blenders_depth_is_along_the_axis(tmp_path: Path) -> None:
    """Where the frame is flat; of a panorama Blender means the ray. Its value where there is nothing is 1e10."""
    depths = {name: np.full((HEIGHT, WIDTH), np.inf, np.float32) for name in ("depth", "depth_axis")}
    depths["depth"][5:], depths["depth_axis"][5:] = 7.0, 6.0
    both, ray, axis = depths, {"depth": depths["depth"]}, {"depth_axis": depths["depth_axis"]}
    cases: list[tuple[str, dict[str, np.ndarray], dict[str, float]]] = [
        ("perspective", both, {"Depth.Z": 6.0, "depth_along_ray.Z": 7.0}),
        ("perspective", ray, {"depth_along_ray.Z": 7.0}),
        ("map", axis, {"Depth.Z": 6.0}),
        ("panorama", both, {"Depth.Z": 7.0, "depth_axis.Z": 6.0}),
        ("fish-eye", ray, {"Depth.Z": 7.0}),
    ]
    for kind, aovs, wanted in cases:
        image = dataclasses.replace(made({"camera": {"kind": kind}}), aovs=aovs)
        channels, _ = read(image.save(tmp_path / "a.exr", names="blender"))
        there = {name.removeprefix("ViewLayer."): values for name, values in channels.items() if "epth" in name}
        assert there.keys() == wanted.keys()
        for name, value in wanted.items():
            assert (there[name][5:] == value).all()
            assert (there[name][:5] == (np.float32(1e10) if name == "Depth.Z" else np.inf)).all()
    channels, _ = read(dataclasses.replace(made(), aovs=both).save(tmp_path / "a.exr"))
    assert (channels["Z"][5:] == 7.0).all()
    assert (channels["depth_axis.Z"][5:] == 6.0).all()


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
    colors = {aov.name for aov in AOVS.values() if aov.kind == "color" and aov.name != "beauty"}
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


# The same file for the same picture


@pytest.mark.parametrize("parts", ["single", "multi"])
def test_same_picture_same_file(tmp_path: Path, parts: str) -> None:
    first = made({"samples": 4, "submit_seconds": 1.0}).save(tmp_path / "a.exr", parts=parts).read_bytes()
    assert made({"samples": 4, "submit_seconds": 2.0}).save(tmp_path / "b.exr", parts=parts).read_bytes() == first


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
