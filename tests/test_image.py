"""Images and their files, read back by other people's libraries."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import stat
import struct
import subprocess
import sys
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.aovs import AOVS, check_aovs
from vkforge.errors import InputError, OutputError
from vkforge.image import GeoReference, Image, known_extensions
from vkforge.io import atomic
from vkforge.io.png import encode_png, write_png
from vkforge.tonemapping import tonemap

WIDTH, HEIGHT = 37, 23
posix = pytest.mark.skipif(os.name != "posix", reason="what a name, a device and a permission are is POSIX's here")
UTM = GeoReference("EPSG:32616", (30.0, 0.0, 743_000.0, 0.0, -30.0, 4_070_000.0))


def make_image(width: int = WIDTH, height: int = HEIGHT, georeference: GeoReference | None = UTM) -> Image:
    rng = np.random.default_rng(5)
    rgba = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    hdr = rng.lognormal(0.0, 2.0, (height, width, 3)).astype(np.float32)
    aovs = {}
    for aov in AOVS.values():
        shape = (height, width) if aov.channels == 1 else (height, width, aov.channels)
        aovs[aov.name] = rng.normal(size=shape).astype(np.float32)
    aovs["depth"][0] = np.inf
    return Image(rgba, hdr, aovs, georeference, {"device": "none", "frame_ms": 1.5})


# PNG


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 7, 4), (9, 1, 4), (64, 50, 3), (700, 3000, 4)])
def test_png_round_trip(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    from PIL import Image as Pillow

    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    write_png(tmp_path / "a.png", pixels)
    with Pillow.open(tmp_path / "a.png") as read:
        assert read.info["srgb"] == 0
        assert read.mode == ("RGBA" if shape[2] == 4 else "RGB")
        assert np.array_equal(np.asarray(read), pixels)


def read_png16(path: Path) -> np.ndarray:
    """A 16-bit PNG's samples: Pillow narrows them to 8, so after ISO/IEC 15948 and by hand, for the Average filter."""
    data = path.read_bytes()
    at, chunks = 8, {}
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        assert zlib.crc32(data[at + 4 : at + 8 + length]) == int.from_bytes(data[at + 8 + length : at + 12 + length])
        chunks[kind] = chunks.get(kind, b"") + data[at + 8 : at + 8 + length]
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"sRGB", b"IDAT", b"IEND"]
    width, height, depth, color = struct.unpack(">IIBB3x", chunks[b"IHDR"])
    assert (depth, chunks[b"sRGB"]) == (16, b"\0")
    channels = {2: 3, 6: 4}[color]
    step = 2 * channels
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + width * step).astype(int)
    assert (rows[:, 0] == 3).all()
    out = np.zeros((height + 1, step + width * step), int)
    for row in range(height):
        for i in range(width * step):
            mean = (out[row + 1, i] + out[row, step + i]) // 2
            out[row + 1, step + i] = (rows[row, 1 + i] + mean) % 256
    return out[1:, step:].astype(np.uint8).view(">u2").reshape(height, width, channels).astype(np.uint16)


@pytest.mark.parametrize("shape", [(1, 1, 3), (9, 1, 4), (23, 37, 4), (12, 31, 3)])
def test_png_of_16_bits(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 65536, shape, dtype=np.uint16)
    write_png(tmp_path / "a.png", pixels)
    assert np.array_equal(read_png16(tmp_path / "a.png"), pixels)
    write_png(tmp_path / "a.png", pixels[::-1, ::-1, :3])
    assert np.array_equal(read_png16(tmp_path / "a.png"), pixels[::-1, ::-1, :3])


def test_16_bits_are_made_of_the_radiance(tmp_path: Path) -> None:
    ramp = np.linspace(0.2, 0.21, 400, dtype=np.float32)
    hdr = np.repeat(ramp[None, :, None], 3, axis=2)
    rgba = np.full((1, 400, 4), 255, np.uint8)
    rgba[..., :3] = np.rint(255 * tonemap(hdr, "neutral", 0.5))
    image = Image(rgba, hdr, finish=partial(tonemap, operator="neutral", exposure=0.5))
    read = read_png16(image.save(tmp_path / "a.png", bits=16))
    assert read.shape == (1, 400, 3)
    assert np.array_equal(read, np.rint(65535 * tonemap(hdr, "neutral", 0.5)))
    assert len(np.unique(read)) > 300 > 10 > len(np.unique(rgba)), "one step of 8 bits has many of 16"
    assert np.abs(read / 257.0 - rgba[..., :3]).max() <= 0.51
    half = dataclasses.replace(image, rgba=rgba // 2)
    assert (read_png16(half.save(tmp_path / "a.png", bits=16))[..., 3] == 127 * 257).all()


@pytest.mark.gpu
def test_16_bits_of_a_rendered_picture(renderer: vf.Renderer) -> None:
    heights = 40 * np.hypot(*np.mgrid[-20:20, -30:30]).astype(np.float32)
    cases: list[dict[str, Any]] = [{}, {"tonemap": "agx", "exposure": 1.0}, {"denoise": "atrous"}]
    for settings in cases:
        image = renderer.render(vf.Terrain(heights, 30.0), (96, 54), samples=2, **settings)
        deep = image.display16()
        assert deep.dtype == np.uint16
        # Half a step of dithering and half a step of rounding; an H200 rounds 0.04 of a step past the half.
        assert np.abs(deep / 257.0 - image.rgba).max() < (1.0 if renderer.device.type == "cpu" else 1.05)
        assert (deep % 257 != 0).mean() > 0.5


def test_an_image_is_an_array_of_what_a_screen_shows() -> None:
    image = make_image()
    np.testing.assert_array_equal(np.asarray(image), image.rgba)
    assert np.asarray(image, np.float32).dtype == np.float32
    pyplot = pytest.importorskip("matplotlib.figure")
    shown = pyplot.Figure().subplots().imshow(image)
    np.testing.assert_array_equal(shown.get_array(), image.rgba)


def test_all_aovs_by_one_word() -> None:
    assert check_aovs("all") == check_aovs(["depth", "all"]) == tuple(AOVS)


def test_png_needs_no_other_library(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "for name in ('OpenEXR', 'rasterio', 'PIL', 'pyproj', 'osgeo', 'vulkan'): sys.modules[name] = None\n"
        "import numpy as np\n"
        "from functools import partial\n"
        "from vkforge.image import Image\n"
        "from vkforge.tonemapping import tonemap\n"
        "rgba, hdr = np.full((5, 6, 4), 200, np.uint8), np.full((5, 6, 3), 0.5, np.float32)\n"
        "image = Image(rgba, hdr, finish=partial(tonemap, operator='agx'))\n"
        f"image.save({str(tmp_path / '8.png')!r})\n"
        f"image.save({str(tmp_path / '16.png')!r}, bits=16)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[1], check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["16.png", "8.png"]
    assert read_png16(tmp_path / "16.png").shape == (5, 6, 4)


def test_png_of_views_and_opaque_alpha() -> None:
    from PIL import Image as Pillow

    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    stream = io.BytesIO()
    encode_png(stream, pixels[::-2, ::3])
    with Pillow.open(stream) as read:
        assert read.mode == "RGB"
        assert np.array_equal(np.asarray(read), pixels[::-2, ::3, :3])


def test_notebook_picture() -> None:
    from PIL import Image as Pillow

    image = make_image()
    with Pillow.open(io.BytesIO(image._repr_png_())) as read:
        assert np.array_equal(np.asarray(read), image.rgba)


# The rest of save()


def test_npz_npy_jpg(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    image = make_image()
    cover = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    image = dataclasses.replace(image, mattes={"object": {"water": cover}})
    with np.load(image.save(tmp_path / "a.npz")) as read:
        assert set(read) == {"rgba", "hdr", "crs", "transform", "info", "matte.object.water", *AOVS}
        assert np.array_equal(read["matte.object.water"], cover)
        assert np.array_equal(read["albedo"], image.aovs["albedo"])
        assert str(read["crs"]) == "EPSG:32616"
        assert json.loads(str(read["info"])) == image.info
    assert np.array_equal(np.load(image.save(tmp_path / "a.npy")), image.hdr)
    flat = Image(np.full((HEIGHT, WIDTH, 4), 100, np.uint8), image.hdr)
    with Pillow.open(flat.save(tmp_path / "a.JPG")) as read:
        assert read.mode == "RGB"
        assert np.asarray(read) == pytest.approx(100, abs=1)


def test_save_says_what_it_cannot_do(tmp_path: Path) -> None:
    image = make_image()
    with pytest.raises(InputError, match=r"'\.pgn'; did you mean '\.png'\? \(known extensions: \.png"):
        image.save(tmp_path / "a.pgn")
    with pytest.raises(InputError, match="known extensions"):
        image.save(tmp_path / "a")
    with pytest.raises(InputError, match="holds no AOVs"):
        image.save(tmp_path / "a.png", aovs=("depth",))
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("a.tif", {"half": True}, r"\.tif has no option half; it is for \.exr"),
        ("a.png", {"compression": "zip"}, r"\.png has no option compression; it is for \.exr"),
        ("a.npz", {"names": "blender"}, "has no option names"),
        ("a.jpg", {"bits": 16}, r"\.jpg has no option bits; it is for \.png"),
        ("a.png", {"bits": 12}, "bits is 12; a .png has 8 or 16"),
        ("a.png", {"bits": 16}, r"has no finish.*save it with bits=8, or as \.exr"),
    ]
    for name, options, message in cases:
        with pytest.raises(InputError, match=message):
            image.save(tmp_path / name, **options)
    with pytest.raises(InputError, match="did you mean 'depth'"):
        image.save(tmp_path / "a.exr", aovs=("depht",))
    with pytest.raises(InputError, match="has no AOV 'normal'"):
        Image(image.rgba, image.hdr).save(tmp_path / "a.exr", aovs=("normal",))
    assert not list(tmp_path.iterdir())


def test_image_checks_its_arrays() -> None:
    image = make_image()
    assert image.size == (WIDTH, HEIGHT)
    assert "depth" in repr(image)
    assert "37x23" in repr(image)
    with pytest.raises(InputError, match="hdr is float64"):
        Image(image.rgba, image.hdr.astype(np.float64))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="AOV normal is"):
        Image(image.rgba, image.hdr, {"normal": image.aovs["depth"]})
    with pytest.raises(InputError, match="rgba has shape"):
        Image(np.zeros((0, 4), np.uint8), image.hdr)
    with pytest.raises(InputError, match="aovs is 3; wanted a name or several"):
        check_aovs(3)  # type: ignore[arg-type]
    assert check_aovs("depth") == ("depth",), "one AOV, and not the letters of its name"
    assert check_aovs(["hit", "depth", "hit"]) == ("hit", "depth")


# Atomic files


def test_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    old = make_image().save(target).read_bytes()
    writer = (
        "import sys, time\n"
        "from vkforge.io.atomic import replacing\n"
        "with replacing(sys.argv[1]) as stream:\n"
        "    stream.write(b'half of a picture')\n"
        "    stream.flush()\n"
        "    print('half', flush=True)\n"
        "    time.sleep(60)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", writer, str(target)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"half\n"
        assert len(list(tmp_path.iterdir())) == 2
        child.kill()
    assert target.read_bytes() == old


def test_failing_body_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")

    def interrupted() -> None:
        with atomic.replacing(target) as stream:
            stream.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("extension", known_extensions())
def test_failing_write_keeps_the_old_file(tmp_path: Path, extension: str) -> None:
    """A file-size limit makes every kind of write fail midway, in Python and in C alike."""
    resource = pytest.importorskip("resource", reason="limits are POSIX's")
    image = make_image(400, 300)
    target = image.save(tmp_path / f"a{extension}")
    old = target.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(OutputError, match="size limit") as caught:
            image.save(target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(caught.value)
    assert target.read_bytes() == old
    assert os.listdir(tmp_path) == [target.name]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = make_image().save(tmp_path / "a.png")
    old = target.read_bytes()

    def full(path: Path, mode: str) -> object:
        path.touch(exist_ok=False)
        return open("/dev/full", "w+b")

    monkeypatch.setattr(atomic, "open", full, raising=False)
    monkeypatch.setattr(atomic, "is_there", lambda *_: True)  # it is another file that is open
    with pytest.raises(OutputError, match="the disk is full"):
        make_image().save(target)
    monkeypatch.undo()
    assert target.read_bytes() == old
    assert os.listdir(tmp_path) == ["a.png"]


def test_bad_targets(tmp_path: Path) -> None:
    image = make_image()
    with pytest.raises(OutputError, match="does not exist; create it first"):
        image.save(tmp_path / "no" / "a.png")
    (tmp_path / "b.png").mkdir()
    with pytest.raises(OutputError, match="it is a folder"):
        image.save(tmp_path / "b.png")
    with pytest.raises(OutputError, match="null"):
        image.save(tmp_path / "a\0.png")


@posix
def test_bad_targets_on_posix(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="not a regular file"), atomic.replacing("/dev/null"):
        pass
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(OutputError, match="too long"):
        make_image().save(tmp_path / ("a" * 300 + ".png"))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="no permission"):
        make_image().save(tmp_path / "a.png")
    tmp_path.chmod(0o755)


def test_refused_folder_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic.os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="no permission to write there; choose another folder"):
        make_image().save(tmp_path / "a.png")


@posix
def test_permissions_and_links(tmp_path: Path) -> None:
    image = make_image()
    before = os.umask(0o027)
    try:
        new = image.save(tmp_path / "new.png")
    finally:
        os.umask(before)
    assert stat.S_IMODE(new.stat().st_mode) == 0o640
    new.chmod(0o600)
    image.save(new)
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    link = tmp_path / "link.png"
    link.symlink_to("new.png")
    new.write_bytes(b"")
    image.save(link)
    assert link.is_symlink()
    assert new.stat().st_size > 0
