"""MP4 with H.264, by PyAV: encoded in segments that stand by themselves, joined without encoding again."""

from __future__ import annotations

import io
import re
import time
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vkforge.errors import InputError, MissingDependencyError
from vkforge.image import Image
from vkforge.io.atomic import replacing
from vkforge.io.png import write_png
from vkforge.io.reel import PartsReel, damaged
from vkforge.scene.checks import show

SEGMENT = 48  # frames from one key frame to the next; after a power cut those of three are rendered again, at the most
_SHORTEST = 12  # to which segments shrink towards the end, so that little is left to do when the last frame has come
_ENDING = SEGMENT + SEGMENT // 2 + _SHORTEST  # frames of segments that wait to be encoded: one, and those at the end
SLOW = 1.0  # seconds; a frame that took longer is kept as a picture until its segment is there, and is not lost either
_CRF = 18  # at which few people see a difference
_DELAY = 2  # frames that x264 decodes ahead of those that it shows, of its B-frames that others refer to
_NAME = re.compile(r"(\d+)-(\d+)\.mp4")
_BT709 = 1  # primaries, transfer and matrix, in the numbers of ITU-T H.273


def require_av() -> Any:
    """Return PyAV.

    Raises:
        MissingDependencyError: It is not installed, or built without x264.
    """
    try:
        import av
    except ImportError:
        raise MissingDependencyError(
            'a video (.mp4) needs the library av; install it with: pip install "vkforge-renderer[video]" '
            "(.gif, .webp and numbered pictures do without)"
        ) from None
    if "libx264" not in av.codecs_available:
        raise MissingDependencyError("this build of the library av has no libx264; install the wheel that PyPI has")
    return av


class Mp4Reel(PartsReel):
    """Segments of frames, named after their first and last.

    x264 looks ahead, so that most of a segment's work comes when it ends: a thread does that while the next begins.
    """

    TAKES = ("crf",)
    SUFFIX = ".mp4"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        require_av()
        crf = self.options.setdefault("crf", _CRF)
        if isinstance(crf, bool) or not isinstance(crf, int) or not 0 <= crf <= 51:
            raise InputError(f"crf is {show(crf)}; wanted a whole number from 0 (lossless) to 51, such as {_CRF}")
        width, height = self.size
        if width % 2 or height % 2:
            even = f"{width + width % 2}x{height + height % 2}"
            raise InputError(f"an .mp4 wants an even width and height, and size is {width}x{height}; use {even}")
        self._segment: _Segment | None = None
        self._next: int | None = None  # frame that follows the segment that ended last
        self._ending: list[tuple[_Segment, Future[None]]] = []
        self._thread = ThreadPoolExecutor(1, "vkforge segment")
        self._came = time.perf_counter()

    def _segments(self) -> list[tuple[int, int, Path]]:
        """Return (first frame, last frame, file) of the segments that follow each other from frame 0 on."""
        found: list[tuple[int, int, Path]] = []
        named = ((_NAME.fullmatch(path.name), path) for path in self.folder.glob("*.mp4"))
        for first, last, path in sorted((int(name[1]), int(name[2]), path) for name, path in named if name):
            if first == (found[-1][1] + 1 if found else 0):
                found.append((first, last, path))
        return found

    def _begun(self) -> tuple[int, int]:
        """Return the first frame after the segments, and the first after the single pictures that follow them."""
        segments = self._segments()
        first = end = segments[-1][1] + 1 if segments else 0
        while self._loose(end).exists():
            end += 1
        return first, end

    def _loose(self, frame: int) -> Path:
        return self.folder / f"{frame:06}.png"

    def missing(self) -> list[int]:
        """Return the frames after the segments and the single pictures."""
        return list(range(self._begun()[1], self.frames))

    def write(self, frame: int, image: Image) -> None:
        """Encode a frame; the last of a segment writes that to the disk."""
        now = time.perf_counter()
        slow, self._came = now - self._came > SLOW, now
        segment = self._open()
        assert segment.end == frame
        segment.add(image.rgba)
        if slow:
            write_png(self._loose(frame), image.rgba)
        if segment.end >= segment.first + _length(self.frames - segment.first):
            self._close()

    def _open(self) -> _Segment:
        """Return the segment that is being written, begun with the single pictures that an earlier job left."""
        if self._segment is None:
            from PIL import Image as Pillow

            first, end = self._begun() if self._next is None else (self._next, self._next)
            self._segment = _Segment(first, Fraction(self.fps).limit_denominator(1001), self.size, self.options["crf"])
            for frame in range(first, end):
                try:
                    with Pillow.open(self._loose(frame)) as picture:
                        pixels = np.asarray(picture.convert("RGBA"))
                except (OSError, ValueError, SyntaxError) as error:
                    raise damaged(self._loose(frame)) from error
                self._segment.add(pixels)
        return self._segment

    def _close(self) -> None:
        """End the segment, if there is one, in the other thread; wait where that has too much to do already."""
        segment, self._segment = self._segment, None
        if segment is not None:
            self._settle(_ENDING - segment.frames)
            self._next = segment.end
            self._ending.append((segment, self._thread.submit(self._keep, segment)))

    def _settle(self, most: int = 0) -> None:
        """Wait until the segments that are ending have so many frames at the most."""
        while sum(segment.frames for segment, _ in self._ending) > most:
            self._ending.pop(0)[1].result()

    def _keep(self, segment: _Segment) -> None:
        """Write a segment, which then stands for its single pictures."""
        with replacing(self.folder / f"{segment.first:06}-{segment.end - 1:06}.mp4") as stream:
            stream.write(segment.finish())
        for frame in range(segment.first, segment.end):
            self._loose(frame).unlink(missing_ok=True)

    def stop(self) -> None:
        """Close the segment early: a shorter one costs a key frame and nothing else."""
        try:
            self._close()
            self._settle()
        finally:
            self._thread.shutdown()

    def finish(self) -> None:
        """Join the segments and remove them."""
        try:
            self._settle()
            if self._begun()[0] < self.frames:  # stopped between its last picture and the end of its segment
                self._next = None
                self._open()
                self._close()
                self._settle()
        finally:
            self._thread.shutdown()  # waits: nobody writes here once the lock is given back
        super().finish()

    def join(self, stream: BinaryIO) -> None:
        """Copy the packets of all segments, each at its time, behind an index that lets the film play while it loads.

        FFmpeg opens the file by its name: it reads what it wrote to move that behind the index.
        """
        av = require_av()
        with av.open(stream.name, "w", format="mp4", container_options={"movflags": "+faststart"}) as output:
            copy = None
            for first, last, path in self._segments():
                copied = 0
                try:
                    with av.open(str(path)) as part:
                        source = part.streams.video[0]
                        copy = copy or output.add_stream_from_template(source)
                        frame = 1 / Fraction(self.fps).limit_denominator(1001) / source.time_base
                        for packet in part.demux(source):
                            if packet.dts is None:  # the end
                                continue
                            # Decoded one after the other throughout: a segment of a frame or two knows no delay.
                            decoded = round((first + copied - _DELAY) * frame)
                            packet.pts, packet.dts, packet.stream = packet.pts + round(first * frame), decoded, copy
                            output.mux(packet)
                            copied += 1
                except (ValueError, LookupError, EOFError) as error:  # a full disk is an OSError
                    raise damaged(path) from error
                if copied != last - first + 1:
                    raise damaged(path)


def _length(left: int) -> int:
    """Return the frames of a segment, where so many are left of the film."""
    return left if left < 2 * _SHORTEST else min(SEGMENT, left // 2)


class _Segment:
    """Frames that begin with a key frame and refer to nothing outside, encoded into memory."""

    def __init__(self, first: int, fps: Fraction, size: tuple[int, int], crf: int) -> None:
        self._av = require_av()
        self._convert = self._av.video.reformatter.VideoReformatter()
        self.first = self.end = first
        self._buffer = io.BytesIO()
        self._container = self._av.open(self._buffer, "w", format="mp4")
        options = {"crf": str(crf), "preset": "medium", "g": str(SEGMENT), "sc_threshold": "0"}
        self._stream = self._container.add_stream("libx264", rate=fps, options=options)
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = _BT709
        context.color_range = 1  # MPEG's: black is 16, white 235

    @property
    def frames(self) -> int:
        """How many there are."""
        return self.end - self.first

    def add(self, pixels: np.ndarray) -> None:
        """Encode (h, w, 4) uint8, sRGB-encoded; alpha is left out."""
        rgba = self._av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(pixels), format="rgba")
        frame = self._convert.reformat(
            rgba, format="yuv420p", src_colorspace="ITU709", dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        frame.pts = self.end - self.first
        self.end += 1
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> bytes:
        """Return the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._buffer.getvalue()
