"""Readers of scene-linear pictures, for environments: Radiance RGBE and OpenEXR."""

from __future__ import annotations

import os
import re
from typing import Any, BinaryIO

import numpy as np

from vkforge.errors import InputError
from vkforge.scene.checks import file_path

LARGEST_SIDE = 24_576  # texels; such a map of all directions takes 3.6 GB as an array

_SIZE = re.compile(rb"-Y (\d{1,9}) \+X (\d{1,9})\n")
_LONGEST_HEADER = 1 << 16
_EXR_MAGIC = b"\x76\x2f\x31\x01"
_REC709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)  # x and y of red, green, blue and white


def read_radiance(path: str | os.PathLike[str]) -> np.ndarray:
    """Return a picture as (h, w, 3) float32 linear RGB, its top row first. What kind it is, its first bytes say.

    A Radiance picture's EXPOSURE lines are undone, so that its pixels are W/m2/sr as the format means them; its
    primaries and an OpenEXR file's are taken to be Rec.709's. OpenEXR files need channels R, G and B; or Y for grey,
    with RY and BY for colours. They are as large as their display window: black where the data window does not reach.

    Raises:
        InputError: no path, no such file, neither kind, damaged or cut short, a layout that is not read, or more than
            24,576 texels a side, which is told before they are read.
    """
    name = os.fspath(file_path(path))
    try:
        with open(name, "rb") as stream:
            head = stream.read(4)
            if head in (b"#?RA", b"#?RG"):
                return _read_rgbe(name, head, stream)
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise InputError(f"{name}: can't be read: {getattr(error, 'strerror', None) or error}") from None
    if head == _EXR_MAGIC:
        return _read_exr(name)
    raise InputError(f"{name}: is neither a Radiance picture (.hdr) nor OpenEXR; wanted one of these")


def _check_size(name: str, width: int, height: int) -> None:
    if not width or not height:
        raise InputError(f"{name}: has no pixels ({width} x {height})")
    if max(width, height) > LARGEST_SIDE:
        raise InputError(
            f"{name}: is {width} x {height} texels, and {LARGEST_SIDE} a side is the limit; make it smaller first"
        )


def _read_rgbe(name: str, head: bytes, stream: BinaryIO) -> np.ndarray:
    """Decode a Radiance picture (Ward 1991, "Real Pixels", and the file format's reference, radsite.lbl.gov)."""
    data = head + stream.read(_LONGEST_HEADER)
    end = data.find(b"\n\n")
    header = data[: max(end, 0)].split(b"\n")
    size = _SIZE.match(data, end + 2)
    if end < 0 or size is None:
        raise InputError(f"{name}: has no Radiance header with rows from the top and columns from the left (-Y +X)")
    height, width = int(size[1]), int(size[2])
    _check_size(name, width, height)
    formats = [line[7:].strip() for line in header if line.startswith(b"FORMAT=")]
    if formats != [b"32-bit_rle_rgbe"]:
        raise InputError(f"{name}: has the format {b' '.join(formats).decode('ascii', 'replace')!r}; wanted RGBE")
    try:
        exposure = np.prod([float(line[9:]) for line in header if line.startswith(b"EXPOSURE=")])
    except ValueError:
        exposure = 0.0
    if not 0.0 < exposure < np.inf:
        raise InputError(f"{name}: has an EXPOSURE that is no positive number")
    data += stream.read()
    # A damaged size must not ask for memory that the file can't fill: the longest run has 127 texels, in two bytes.
    coded = 8 <= width < 0x8000
    if height * (4 + 8 * -(-width // 127) if coded else 4 * width) > len(data) - size.end():
        raise InputError(f"{name}: is cut short: {width} x {height} pixels don't fit into {len(data)} bytes")
    # Mantissas are taken as they are, as nearly all readers do; Radiance's own adds half a step. Exponent 0 is black.
    scales = np.ldexp(np.float32(1.0), np.arange(256) - 136) / np.float32(exposure)
    scales[0] = 0.0
    pixels, texels = np.empty((height, width, 3), np.float32), np.empty((width, 4), np.uint8)
    at, coded_bytes = size.end(), np.frombuffer(data, np.uint8)
    for row in pixels:
        at = _scanline(name, coded_bytes, at, texels)
        np.multiply(texels[:, :3], scales[texels[:, 3:]], out=row)
    return pixels


def _scanline(name: str, data: np.ndarray, at: int, row: np.ndarray) -> int:
    """Fill `row` (w, 4) from `data` at `at`, run-length coded by channel or flat, and return where it ends."""
    width = len(row)
    cut_short = InputError(f"{name}: is cut short, or its run lengths are damaged")
    head = data[at : at + 4]
    if len(head) < 4:
        raise cut_short
    if not (8 <= width < 0x8000 and head[0] == 2 and head[1] == 2 and head[2] < 128):
        flat = data[at : at + 4 * width]
        if len(flat) < 4 * width:
            raise cut_short
        row[:] = flat.reshape(width, 4)
        if (row[:, :3] == 1).all(axis=1).any():  # a mantissa of a normalised pixel is over 127
            raise InputError(f"{name}: has run lengths of the kind from before 1991; save it anew with any other tool")
        return at + 4 * width
    if int(head[2]) << 8 | int(head[3]) != width:
        raise cut_short
    at += 4
    for channel in range(4):
        filled = 0
        while filled < width:
            if at + 1 >= len(data):
                raise cut_short
            count = int(data[at])
            run = count > 128
            count = count - 128 if run else count
            values = data[at + 1 : at + 2] if run else data[at + 1 : at + 1 + count]
            if count == 0 or filled + count > width or len(values) < (1 if run else count):
                raise cut_short
            row[filled : filled + count, channel] = values
            filled += count
            at += 1 + len(values)
    return at


def _read_exr(name: str) -> np.ndarray:
    import OpenEXR

    try:
        with OpenEXR.File(name, header_only=True) as file:
            header = dict(file.header())  # which is emptied when the file closes
            windows = [[corner.tolist() for corner in header[key]] for key in ("displayWindow", "dataWindow")]
        for (left, top), (right, bottom) in windows:
            _check_size(name, max(right - left + 1, 0), max(bottom - top + 1, 0))
        with OpenEXR.File(name, separate_channels=True) as file:
            channels = file.channels()
            return _in_display_window(name, windows, channels, header)
    except InputError:
        raise
    except Exception as error:  # OpenEXR raises what its C++ throws, of several kinds
        raise InputError(f"{name}: can't be read as OpenEXR: {' '.join(str(error).split())}") from None


def _in_display_window(name: str, windows: Any, channels: dict[str, Any], header: dict[str, Any]) -> np.ndarray:
    """Return the pixels of the display window; they are black outside of the data window."""
    ((left, top), (right, bottom)), ((x0, y0), (x1, y1)) = windows
    names = next((wanted for wanted in ("RGB", "Y") if channels.keys() >= set(wanted)), None)
    if names is None:
        raise InputError(f"{name}: has the channels {', '.join(channels) or 'none'}; wanted R, G and B, or Y")
    shape = (y1 - y0 + 1, x1 - x0 + 1)
    planes = [_at_every_pixel(channels[channel], (x0, y0), shape) for channel in names]
    if names == "Y" and channels.keys() >= {"RY", "BY"}:
        ry, by = (_at_every_pixel(channels[channel], (x0, y0), shape) for channel in ("RY", "BY"))
        planes = _from_chroma(planes[0], ry, by, header.get("chromaticities", _REC709))
    pixels = np.zeros((bottom - top + 1, right - left + 1, 3), np.float32)
    ours = (slice(max(y0 - top, 0), max(y1 + 1 - top, 0)), slice(max(x0 - left, 0), max(x1 + 1 - left, 0)))
    theirs = (slice(max(top - y0, 0), max(bottom + 1 - y0, 0)), slice(max(left - x0, 0), max(right + 1 - x0, 0)))
    for channel in range(3):
        pixels[..., channel][ours] = planes[channel % len(planes)][theirs]
    return pixels


def _at_every_pixel(channel: Any, corner: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Return a channel's values at all pixels: of one that is sampled more sparsely, between its samples linearly.

    Its samples are where the coordinates are multiples of its sampling rates.
    """
    plane = np.asarray(channel.pixels)
    for axis, (rate, first) in enumerate(((channel.ySampling, corner[1]), (channel.xSampling, corner[0]))):
        if rate == 1:
            continue
        at = (first + np.arange(shape[axis])) / rate - -(-first // rate)
        low = np.clip(np.floor(at).astype(int), 0, plane.shape[axis] - 1)
        high = np.minimum(low + 1, plane.shape[axis] - 1)
        part = np.clip(at - low, 0.0, 1.0).astype(np.float32)
        part = part[:, None] if axis == 0 else part
        plane = plane.take(low, axis).astype(np.float32) * (1 - part) + plane.take(high, axis).astype(np.float32) * part
    if plane.shape != shape:
        raise ValueError(f"a channel has {plane.shape} values where the window has {shape}")
    return plane


def _from_chroma(y: np.ndarray, ry: np.ndarray, by: np.ndarray, chromaticities: Any) -> list[np.ndarray]:
    """Return R, G and B of luminance and chroma: RY = (R - Y) / Y and BY = (B - Y) / Y.

    As in the "Technical Introduction to OpenEXR"; how much of the luminance each has, the file's primaries say.
    """
    x_y = np.array(chromaticities, np.float64).reshape(4, 2)
    xyz = np.column_stack([x_y[:, 0] / x_y[:, 1], np.ones(4), (1.0 - x_y.sum(axis=1)) / x_y[:, 1]])
    # How much of each primary makes white of luminance 1 is the luminance of that primary.
    of_red, of_green, of_blue = np.linalg.solve(xyz[:3].T, xyz[3])
    y = y.astype(np.float32)
    red, blue = (ry + np.float32(1.0)) * y, (by + np.float32(1.0)) * y
    return [red, (y - np.float32(of_red) * red - np.float32(of_blue) * blue) / np.float32(of_green), blue]
