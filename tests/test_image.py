"""Images and their files, read back by other people's libraries."""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vkforge.aovs import AOVS, check_aovs
from vkforge.errors import InputError, OutputError
from vkforge.image import GeoReference, Image, known_extensions
from vkforge.io import atomic
from vkforge.io.png import encode_png, write_png

WIDTH, HEIGHT = 37, 23
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


# EXR


def test_exr_read_back(tmp_path: Path) -> None:
    OpenEXR = pytest.importorskip("OpenEXR")
    image = make_image()
    image.save(tmp_path / "a.exr")
    read = OpenEXR.File(str(tmp_path / "a.exr"), separate_channels=True)
    channels = {name: channel.pixels for name, channel in read.channels().items()}
    for i, name in enumerate("RGB"):
        assert channels.pop(name).tolist() == image.hdr[..., i].tolist()
    for name, values in image.aovs.items():
        for i, channel in enumerate(AOVS[name].exr_channels):
            wanted = values if values.ndim == 2 else values[..., i]
            assert channels.pop(channel).tolist() == wanted.tolist()
    assert not channels
    header = read.header()
    assert header["chromaticities"] == pytest.approx((0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290))
    assert header["software"].startswith("vkforge ")
    assert header["compression"] == OpenEXR.ZIP_COMPRESSION


def test_exr_half(tmp_path: Path) -> None:
    OpenEXR = pytest.importorskip("OpenEXR")
    image = make_image()
    image.hdr[3, 4] = 1e6
    image.save(tmp_path / "a.exr", half=True, aovs=("depth", "albedo"))
    channels = OpenEXR.File(str(tmp_path / "a.exr"), separate_channels=True).channels()
    assert set(channels) == {"R", "G", "B", "Z", "albedo.R", "albedo.G", "albedo.B"}
    assert channels["Z"].pixels.dtype == np.float32
    assert channels["G"].pixels.dtype == channels["albedo.R"].pixels.dtype == np.float16
    assert channels["R"].pixels[3, 4] == 65504.0
    assert channels["B"].pixels == pytest.approx(np.minimum(image.hdr[..., 2], 65504.0), rel=1e-3)


def test_exr_layers_as_a_compositor_sees_them(tmp_path: Path) -> None:
    pytest.importorskip("OpenEXR")
    oiiotool = shutil.which("oiiotool")
    if oiiotool is None:
        pytest.skip("no oiiotool on PATH (Debian: openimageio-tools)")
    make_image().save(tmp_path / "a.exr")
    said = subprocess.run(
        [oiiotool, "--info", "-v", str(tmp_path / "a.exr")], capture_output=True, text=True, check=True
    )
    listed = next(line for line in said.stdout.splitlines() if "channel list:" in line)
    names = {name.strip().split(" ")[0] for name in listed.partition(":")[2].split(",")}
    assert {"R", "G", "B", "Z", "N.X", "N.Y", "N.Z", "P.X", "albedo.R", "sun_visibility.V", "hit.V"} <= names
    assert f"{WIDTH} x" in said.stdout


def test_layer_names_are_safe() -> None:
    channels = [channel for aov in AOVS.values() for channel in aov.exr_channels]
    assert len(set(channels)) == len(channels)
    for aov in AOVS.values():
        assert len(aov.exr_channels) == aov.channels
        for channel in aov.exr_channels:
            assert channel.count(".") <= 1
            assert not channel[0].isdigit()


# GeoTIFF


def test_geotiff_rgba(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    image = make_image()
    image.save(tmp_path / "a.tif")
    with rasterio.open(tmp_path / "a.tif") as read:
        assert read.crs.to_epsg() == 32616
        assert read.colorinterp[3].name == "alpha"
        assert np.array_equal(np.moveaxis(read.read(), 0, -1), image.rgba)
        # centre of pixel (row 10, column 20), half a pixel being the bar and rounding the error
        assert read.xy(10, 20) == pytest.approx((743_000 + 20.5 * 30, 4_070_000 - 10.5 * 30), abs=1e-6)


def test_geotiff_aovs(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    image = make_image()
    image.save(tmp_path / "a.tif", aovs=("depth", "normal"))
    with rasterio.open(tmp_path / "a.tif") as read:
        assert read.descriptions == ("depth", "normal.x", "normal.y", "normal.z")
        assert read.units[0] == "m"
        assert np.array_equal(read.read(1), image.aovs["depth"])
        assert np.array_equal(read.read(3), image.aovs["normal"][..., 1])
        assert read.transform.a == 30.0


def test_geotiff_wants_a_georeference(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no georeference.*vkforge relief"):
        make_image(georeference=None).save(tmp_path / "a.tif")
    assert not list(tmp_path.iterdir())


def test_geotiff_refuses_an_unknown_crs(tmp_path: Path) -> None:
    pytest.importorskip("rasterio")
    with pytest.raises(InputError, match="EPSG:999999"):
        make_image(georeference=GeoReference("EPSG:999999", UTM.transform)).save(tmp_path / "a.tif")
    assert not list(tmp_path.iterdir())


def test_georeference_resized_covers_the_same_ground() -> None:
    half = UTM.resized((WIDTH, HEIGHT), (2 * WIDTH, 4 * HEIGHT))
    assert half.transform == (15.0, 0.0, 743_000.0, 0.0, -7.5, 4_070_000.0)
    for bad in [(1, 2, 3), (1, 0, 0, 0, 0, 0), (1, 0, np.nan, 0, 1, 0), None]:
        with pytest.raises(InputError, match="transform"):
            GeoReference(None, bad)  # type: ignore[arg-type]


# The rest of save()


def test_npz_npy_jpg(tmp_path: Path) -> None:
    from PIL import Image as Pillow

    image = make_image()
    with np.load(image.save(tmp_path / "a.npz")) as read:
        assert set(read) == {"rgba", "hdr", "crs", "transform", "info", *AOVS}
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
    with pytest.raises(InputError, match="half"):
        image.save(tmp_path / "a.tif", half=True)
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
    with pytest.raises(InputError, match="list of names"):
        check_aovs("depth")
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
        child.send_signal(signal.SIGKILL)
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


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = make_image().save(tmp_path / "a.png")
    old = target.read_bytes()
    opened = os.fdopen

    def full(descriptor: int, mode: str) -> object:
        os.close(descriptor)
        return opened(os.open("/dev/full", os.O_RDWR), mode)

    monkeypatch.setattr(atomic.os, "fdopen", full)
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
    with pytest.raises(OutputError, match="not a regular file"), atomic.replacing("/dev/null"):
        pass
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(OutputError, match="too long"):
        image.save(tmp_path / ("a" * 300 + ".png"))
    with pytest.raises(OutputError, match="null"):
        image.save(tmp_path / "a\0.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="no permission"):
        make_image().save(tmp_path / "a.png")
    tmp_path.chmod(0o755)


def test_refused_folder_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic.os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="no permission to write there; choose another folder"):
        make_image().save(tmp_path / "a.png")


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
