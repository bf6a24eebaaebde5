"""Readers of scene-linear pictures, for environments: Radiance RGBE and OpenEXR."""

from __future__ import annotations

import os
import re

import numpy as np

from vkforge.errors import InputError

_SIZE = re.compile(rb"-Y (\d{1,6}) \+X (\d{1,6})\n")
_EXR_MAGIC = b"\x76\x2f\x31\x01"


def read_radiance(path: str | os.PathLike[str]) -> np.ndarray:
    """Return a picture as (h, w, 3) float32 linear RGB, its top row first. What kind it is, its first bytes say.

    A Radiance picture's EXPOSURE lines are undone, so that its pixels are W/m2/sr as the format means them; its
    primaries and an OpenEXR file's are taken to be Rec.709's. OpenEXR files need channels R, G and B, or Y for grey.

    Raises:
        InputError: no such file, neither kind, damaged or cut short, or a layout that is not read.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as stream:
            head = stream.read(4)
            rest = stream.read() if head == b"#?RA" or head == b"#?RG" else b""
    except OSError as error:
        raise InputError(f"{name}: can't be read: {error.strerror}") from None
    if rest:
        return _read_rgbe(name, head + rest)
    if head == _EXR_MAGIC:
        return _read_exr(name)
    raise InputError(f"{name}: is neither a Radiance picture (.hdr) nor OpenEXR; wanted one of these")


def _read_rgbe(name: str, data: bytes) -> np.ndarray:
    """Decode a Radiance picture (Ward 1991, "Real Pixels", and the file format's reference, radsite.lbl.gov)."""
    end = data.find(b"\n\n")
    header = data[: max(end, 0)].split(b"\n")
    size = _SIZE.match(data, end + 2)
    if end < 0 or size is None:
        raise InputError(f"{name}: has no Radiance header with rows from the top and columns from the left (-Y +X)")
    formats = [line[7:].strip() for line in header if line.startswith(b"FORMAT=")]
    if formats != [b"32-bit_rle_rgbe"]:
        raise InputError(f"{name}: has the format {b' '.join(formats).decode('ascii', 'replace')!r}; wanted RGBE")
    height, width = int(size[1]), int(size[2])
    if not width or not height:
        raise InputError(f"{name}: has no pixels ({width} x {height})")
    try:
        exposure = np.prod([float(line[9:]) for line in header if line.startswith(b"EXPOSURE=")])
    except ValueError:
        exposure = 0.0
    if not 0.0 < exposure < np.inf:
        raise InputError(f"{name}: has an EXPOSURE that is no positive number")
    # A row takes at least a few bytes: a damaged size must not ask for memory that the file can't fill.
    if height > len(data):
        raise InputError(f"{name}: is cut short: {width} x {height} pixels don't fit into {len(data)} bytes")
    texels = np.empty((height, width, 4), np.uint8)
    bytes_ = np.frombuffer(data, np.uint8)
    at = size.end()
    for row in texels:
        at = _scanline(name, bytes_, at, row)
    # Mantissas are taken as they are, as nearly all readers do; Radiance's own adds half a step. Exponent 0 is black.
    exponents = texels[..., 3:].astype(np.int32)
    scale = np.where(exponents == 0, np.float32(0.0), np.ldexp(np.float32(1.0), exponents - 136))
    return texels[..., :3] * (scale / np.float32(exposure))


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
        with OpenEXR.File(name, separate_channels=True) as file:
            planes = {key: np.array(channel.pixels, np.float32) for key, channel in file.channels().items()}
    except Exception as error:  # OpenEXR raises what its C++ throws, of several kinds
        raise InputError(f"{name}: can't be read as OpenEXR: {' '.join(str(error).split())}") from None
    for wanted in (("R", "G", "B"), ("Y", "Y", "Y")):
        if planes.keys() >= set(wanted):
            if len({planes[key].shape for key in wanted}) > 1:
                break
            return np.stack([planes[key] for key in wanted], axis=-1)
    raise InputError(f"{name}: has the channels {', '.join(planes) or 'none'}; wanted R, G and B, or Y, of one size")
