"""Environments from files of unusual layouts: luminance and chroma, windows of two sizes, sizes that are too large."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.io import radiance
from vkforge.io.radiance import read_radiance

RNG = np.random.default_rng(11)
REC709 = np.array((0.2126, 0.7152, 0.0722))
ACESCG = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)


def write_exr(path: Path, planes: dict[str, Any], windows: Any, rates: Any = (1, 1), extra: bytes = b"") -> Path:
    """Write an uncompressed OpenEXR file of 32-bit floats ("OpenEXR File Layout"); RY and BY are sampled at `rates`.

    `planes` are whole, at every pixel of the data window; the OpenEXR package can't write what is sampled sparsely.
    """
    display, data = windows
    rate = {name: rates if name in ("RY", "BY") else (1, 1) for name in planes}

    def attribute(name: str, kind: str, value: bytes) -> bytes:
        return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value

    channels = b"".join(name.encode() + b"\0" + struct.pack("<iB3xii", 2, 0, *rate[name]) for name in sorted(planes))
    header = b"\x76\x2f\x31\x01\x02\0\0\0" + attribute("channels", "chlist", channels + b"\0")
    header += attribute("compression", "compression", b"\0") + attribute("lineOrder", "lineOrder", b"\0")
    header += attribute("dataWindow", "box2i", struct.pack("<4i", *data))
    header += attribute("displayWindow", "box2i", struct.pack("<4i", *display))
    header += attribute("pixelAspectRatio", "float", struct.pack("<f", 1.0))
    header += attribute("screenWindowCenter", "v2f", bytes(8))
    header += attribute("screenWindowWidth", "float", struct.pack("<f", 1.0)) + extra + b"\0"
    x0, y0, x1, y1 = data
    x, lines = np.arange(x0, x1 + 1), []
    for y in range(y0, y1 + 1):
        seen = [name for name in sorted(planes) if y % rate[name][1] == 0]
        values = b"".join(planes[name][y - y0, x % rate[name][0] == 0].astype("<f4").tobytes() for name in seen)
        lines.append(struct.pack("<ii", y, len(values)) + values)
    starts = len(header) + 8 * len(lines) + np.cumsum([0, *map(len, lines[:-1])])
    path.write_bytes(header + struct.pack(f"<{len(lines)}Q", *starts) + b"".join(lines))
    return path


def luminance_chroma(rgb: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    y = rgb @ weights
    return {"Y": y, "RY": (rgb[..., 0] - y) / y, "BY": (rgb[..., 2] - y) / y}


def smooth(height: int = 8, width: int = 16) -> np.ndarray:
    """Colours whose chroma is linear from pixel to pixel, so that sparse samples of it tell all."""
    row, col = np.mgrid[0:height, 0:width]
    y, ry, by = 1.0 + 0.1 * ((row + col) % 3), 0.02 * col - 0.1, 0.1 - 0.03 * row
    red, blue = (1.0 + ry) * y, (1.0 + by) * y
    return np.stack([red, (y - REC709[0] * red - REC709[2] * blue) / REC709[1], blue], axis=-1)


@pytest.mark.parametrize("rates", [(1, 1), (2, 2), (2, 1)])
def test_luminance_and_chroma_are_colours(tmp_path: Path, rates: tuple[int, int]) -> None:
    rgb, window = smooth(), (0, 0, 15, 7)
    path = write_exr(tmp_path / "yc.exr", luminance_chroma(rgb, REC709), (window, window), rates)
    found = read_radiance(path)
    inner = (slice(0, 7), slice(0, 15))  # beyond the last sparse sample chroma goes on as it was
    np.testing.assert_allclose(found[inner], rgb[inner], rtol=1e-3)
    assert vf.Environment.open(path).size == (16, 8)


def test_chroma_is_that_of_the_files_primaries(tmp_path: Path) -> None:
    x_y = np.array(ACESCG).reshape(4, 2)
    xyz = np.array([(x / y, 1.0, (1.0 - x - y) / y) for x, y in x_y])
    weights = np.linalg.solve(xyz[:3].T, xyz[3])
    assert weights.sum() == pytest.approx(1.0)
    extra = b"chromaticities\0chromaticities\0" + struct.pack("<i8f", 32, *ACESCG)
    rgb, window = RNG.random((8, 16, 3)) + 0.1, (0, 0, 15, 7)
    path = write_exr(tmp_path / "yc.exr", luminance_chroma(rgb, weights), (window, window), extra=extra)
    np.testing.assert_allclose(read_radiance(path), rgb, rtol=1e-4)


@pytest.mark.parametrize("names", ["RGB", "Y", "YC"])
@pytest.mark.parametrize(
    ("data", "display"),
    [
        ((2, 1, 9, 4), (0, 0, 15, 7)),  # smaller: black around it
        ((-4, -2, 19, 9), (0, 0, 15, 7)),  # larger, as an overscan: cut off
        ((100, 52, 107, 55), (98, 50, 113, 57)),  # neither begins at 0
        ((-8, 2, 3, 11), (0, 0, 15, 7)),  # across a corner
        ((30, 30, 33, 33), (0, 0, 15, 7)),  # beside it
    ],
)
def test_windows_of_two_sizes(tmp_path: Path, names: str, data: Any, display: Any) -> None:
    height, width = data[3] - data[1] + 1, data[2] - data[0] + 1
    rgb = RNG.random((height, width, 3)) + 0.1
    if names == "Y":
        rgb[...] = rgb[..., :1]
    planes = luminance_chroma(rgb, REC709)
    planes = {"Y": planes["Y"]} if names == "Y" else planes
    if names == "RGB":
        planes = dict(zip("RGB", np.moveaxis(rgb, -1, 0), strict=True))
    found = read_radiance(write_exr(tmp_path / "w.exr", planes, (display, data)))
    wanted = np.zeros((8, 16, 3))
    for y in range(8):
        for x in range(16):
            at = y + display[1] - data[1], x + display[0] - data[0]
            if 0 <= at[0] < height and 0 <= at[1] < width:
                wanted[y, x] = rgb[at]
    np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=1e-6)


def rgbe(path: Path, width: int, height: int, rows: bytes = b"") -> Path:
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % (height, width) + rows)
    return path


def test_a_size_is_told_before_anything_is_read(tmp_path: Path) -> None:
    """Each of these claims gigabytes."""
    row = bytes([2, 2, 117, 48]) + (bytes([255, 0]) * 236 + bytes([128 + 28, 0])) * 4
    wide = 0, 0, 29_999, 0
    cases = (
        (
            rgbe(tmp_path / "r.hdr", 30_000, 15_000, row * 300),
            r"is 30000 x 15000 texels, and 24576 a side is the limit",
        ),
        (rgbe(tmp_path / "s.hdr", 20_000, 10_000, row * 30), "is cut short: 20000 x 10000 pixels don't fit into"),
        (rgbe(tmp_path / "t.hdr", 999_999_999, 1), "is 999999999 x 1 texels"),
        (write_exr(tmp_path / "r.exr", {"Y": np.ones((1, 30_000))}, (wide, wide)), "is 30000 x 1 texels"),
        (
            write_exr(tmp_path / "d.exr", {"Y": np.ones((2, 2))}, ((0, 0, 99_999, 49_999), (0, 0, 1, 1))),
            "is 100000 x 50000 texels, and 24576",
        ),
    )
    for path, message in cases:
        tracemalloc.start()
        with pytest.raises(vf.InputError, match=message) as caught:
            vf.Environment.open(path)
        assert tracemalloc.get_traced_memory()[1] < 1e7
        tracemalloc.stop()
        assert str(path) in str(caught.value)


def test_memory_of_a_map_is_at_most_three_times_the_array(tmp_path: Path) -> None:
    pixels = np.full((256, 512, 4), (128, 64, 32, 129), np.uint8)
    path = rgbe(tmp_path / "m.hdr", 512, 256, pixels.tobytes())
    tracemalloc.start()
    array = read_radiance(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(array[0, 0], (1.0, 0.5, 0.25))
    assert peak < 3.0 * array.nbytes + radiance._LONGEST_HEADER


@pytest.mark.parametrize("given", [3, None, 2.5, b"\0", "a\0b"])
def test_what_is_no_path_is_said_to_be_none(given: Any) -> None:
    with pytest.raises(vf.InputError):
        vf.Environment.open(given)
