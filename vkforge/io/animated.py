"""Animated GIF and WebP: frames that Pillow encodes one by one, put together without ever holding more than one.

GIF after the specification of CompuServe (89a) and Netscape's extension for loops, WebP after RFC 9649.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vkforge.errors import InputError
from vkforge.image import Image
from vkforge.io.reel import PartsReel, damaged
from vkforge.scene.checks import show

_WEBP_QUALITY = 90
_WEBP_HEADERS = 4 + 18 + 14  # bytes of what comes before the frames: WEBP, VP8X and ANIM
_WEBP_BYTES = 2**32 - 10  # after the first 8 (RFC 9649, section 2.3)


def _delays(reel: PartsReel, unit: float) -> Iterator[int]:
    """Return how long each frame stays, in units that are 1/`unit` of a second, with rounding that does not add up."""
    ends = [round(unit * (frame + 1) / reel.fps) for frame in range(reel.frames)]
    return (end - begin for begin, end in zip([0, *ends[:-1]], ends, strict=True))


def _picture(image: Image) -> Any:
    from PIL import Image as Pillow

    return Pillow.fromarray(np.ascontiguousarray(image.rgba[..., : 3 if image.alpha is None else 4]))


class GifReel(PartsReel):
    """256 colours a frame, chosen for each, with error diffusion."""

    SUFFIX = ".gif"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if self.fps > 50:
            raise InputError(f"a GIF shows at most 50 frames a second, and fps is {self.fps:g}; use .mp4 or .webp")
        _check_side(self, 65_535)

    def encode(self, image: Image) -> bytes:
        """Return a GIF of one frame."""
        from PIL import Image as Pillow

        picture = _picture(image)
        palette = picture.quantize(256, method=Pillow.Quantize.MEDIANCUT)
        stream = io.BytesIO()
        picture.quantize(palette=palette, dither=Pillow.Dither.FLOYDSTEINBERG).save(stream, format="gif")
        return stream.getvalue()

    def join(self, stream: BinaryIO) -> None:
        """Give each frame its palette and its delay, after a header that says to loop."""
        stream.write(b"GIF89a" + struct.pack("<HHBBB", *self.size, 0x70, 0, 0))
        stream.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
        for frame, delay in enumerate(_delays(self, 100.0)):
            stream.write(struct.pack("<BBBBHBB", 0x21, 0xF9, 4, 0x04, delay, 0, 0))
            data = self.path(frame).read_bytes()
            if not (data.startswith(b"GIF8") and data.endswith(b"\x3b")):
                raise damaged(self.path(frame))
            stream.write(_gif_image(data))
        stream.write(b"\x3b")


def _gif_image(data: bytes) -> bytes:
    """Return the image of a GIF of one frame as a block of its own: its global colours made local."""
    flags = data[10]
    colors = 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
    palette, at = data[13 : 13 + colors], 13 + colors
    while data[at] == 0x21:  # extensions: a label, then blocks, each after its length
        at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    begin, packed = data[at : at + 9], data[at + 9]
    pixels = data[at + 10 :].removesuffix(b"\x3b")
    if packed & 0x80:
        return begin + bytes([packed]) + pixels
    return begin + bytes([packed & 0x40 | 0x80 | flags & 7]) + palette + pixels


class WebpReel(PartsReel):
    """Lossy frames, each by itself; their alpha is without loss."""

    TAKES = ("quality",)
    SUFFIX = ".webp"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        quality = self.options.setdefault("quality", _WEBP_QUALITY)
        if isinstance(quality, bool) or not isinstance(quality, int) or not 0 <= quality <= 100:
            raise InputError(f"quality is {show(quality)}; wanted a whole number from 0 to 100")
        _check_side(self, 16_383)
        self._bytes: int | None = None  # of the film so far, once one is known

    def check_alpha(self) -> None:
        """Let it pass: WebP has one."""

    def write(self, frame: int, image: Image) -> None:
        """Encode a frame, unless the film is too long for a WebP by it."""
        super().write(frame, image)
        there = [frame] if self._bytes is not None else [i for i in range(self.frames) if self.path(i).exists()]
        self._bytes = (self._bytes or _WEBP_HEADERS) + sum(map(self._share, there))
        _check_bytes(self, self._bytes)

    def _share(self, frame: int) -> int:
        """Return the bytes of a frame in the film: of a part all but its headers, and 8 + 16 around that."""
        with self.path(frame).open("rb") as part:
            return self.path(frame).stat().st_size - _headers(part.read(16)) + 24

    def encode(self, image: Image) -> bytes:
        """Return a WebP of one frame."""
        stream = io.BytesIO()
        _picture(image).save(stream, format="webp", quality=self.options["quality"], method=4)
        return stream.getvalue()

    def join(self, stream: BinaryIO) -> None:
        """Wrap each frame's bitstream with its delay, after a header that says to loop."""
        width, height = (struct.pack("<I", side - 1)[:3] for side in self.size)
        parts = [self.path(frame) for frame in range(self.frames)]
        for path in parts:
            with path.open("rb") as part:
                if part.read(12) != b"RIFF" + struct.pack("<I", path.stat().st_size - 8 & 0xFFFFFFFF) + b"WEBP":
                    raise damaged(path)
        total = _WEBP_HEADERS + sum(map(self._share, range(self.frames)))
        _check_bytes(self, total)
        stream.write(b"RIFF" + struct.pack("<I", total) + b"WEBP")
        alpha = any(map(_has_alpha, parts))
        stream.write(b"VP8X" + struct.pack("<IBxxx", 10, 0x12 if alpha else 0x02) + width + height)
        stream.write(b"ANIM" + struct.pack("<IIH", 6, 0 if alpha else 0xFF000000, 0))
        for path, delay in zip(parts, _delays(self, 1000.0), strict=True):
            chunk = path.read_bytes()
            chunk = chunk[_headers(chunk) :]
            header = bytes(6) + width + height + struct.pack("<I", delay)[:3] + b"\x02"
            stream.write(b"ANMF" + struct.pack("<I", len(header) + len(chunk)) + header + chunk)


def _headers(part: bytes) -> int:
    """Return how many bytes come before a frame's chunks: RIFF's, and VP8X's where it says that there is an alpha."""
    return 30 if part[12:16] == b"VP8X" else 12


def _has_alpha(path: Path) -> bool:
    with path.open("rb") as part:
        return part.read(16)[12:] == b"VP8X"


def _check_bytes(reel: PartsReel, count: int) -> None:
    if count > _WEBP_BYTES:
        raise InputError(
            f"{reel.target.name!r} would have more than 4 GiB, where a WebP ends; use .mp4, or lower quality= or the "
            "size and start over with resume=False (--no-resume)"
        )


def _check_side(reel: PartsReel, most: int) -> None:
    if max(reel.size) > most:
        raise InputError(f"{reel.target.suffix} ends at {most} pixels a side, and size is {reel.size}; use .mp4")
