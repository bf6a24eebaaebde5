"""The picture of a compiled plan, drawn with Pillow: passes across, images down, barriers on the lines between."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from vkforge.errors import MissingDependencyError
from vkforge.memory.report import mib

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

    from vkforge.graph.plan import Plan, PlannedImage, PlannedPass

# A lifetime's colour, which takes white text, and what the legend says of it: three of Okabe and Ito's (2008), which
# colour-blind readers tell apart too.
_LIFETIMES = {
    "transient": ("#0072b2", "transient: memory that others may use before and after"),
    "persistent": ("#009e73", "persistent: keeps its contents between frames"),
    "imported": ("#8c6bb1", "imported: made elsewhere"),
}
_BARRIER, _TIME = "#d55e00", "#e69f00"
_INK, _FAINT, _LINE, _BAND, _PAPER = "#263238", "#78909c", "#cfd8dc", "#f5f7f8", "#ffffff"

# Pixels: the page's margin, a row, the bar in it, the head over the columns, a text's distance to its cell's edge.
_MARGIN, _ROW, _BAR, _HEAD, _PAD = 28, 30, 22, 104, 14
_NARROWEST, _TEXT = 116, 14


def draw_plan(plan: Plan) -> bytes:
    """Draw a plan.

    A column is a pass, with the GPU time of its last run where it ran; a row is an image, with its bytes, its life as a
    bar in the colour of its lifetime, and how each pass uses it. A diamond on the line before a pass is a barrier on
    that row's image, filled where the image changes its layout.

    Returns:
        A PNG file's bytes.

    Raises:
        MissingDependencyError: Pillow is not installed.
    """
    return _Picture(plan).png()


class _Picture:
    """Draws one plan; `top` is where the rows begin, `lefts` where the columns do, in pixels."""

    def __init__(self, plan: Plan) -> None:
        try:
            from PIL import Image, ImageDraw, ImageFont
        except ImportError as error:
            raise MissingDependencyError("drawing a plan needs Pillow: pip install pillow") from error
        self.plan = plan
        order = list(_LIFETIMES)
        self.images = sorted(plan.images, key=lambda image: (order.index(image.lifetime), image.first, image.last))
        self.font, self.bold = ImageFont.load_default(_TEXT), ImageFont.load_default(_TEXT + 5)

        names = self._widest([image.name for image in self.images])
        details = self._widest([_describe(image) for image in self.images])
        self.detail_x = _MARGIN + names + _PAD
        self.bytes_x = self.detail_x + details + self._widest([mib(image.bytes) for image in self.images]) + 2 * _PAD
        x = self.bytes_x + 2 * _PAD
        self.lefts = [x]
        for item in plan.passes:
            x += max(_NARROWEST, self._widest([item.name, *_shader_lines(item)]) + 2 * _PAD)
            self.lefts.append(x)
        self.top = _MARGIN + 52 + _HEAD
        self.bottom = self.top + len(self.images) * _ROW
        legend = 2 + len(_LIFETIMES)
        width = max(x, self.detail_x + self._widest([text for _, text in _LIFETIMES.values()])) + _MARGIN
        self.page = Image.new("RGB", (width, self.bottom + legend * 24 + _MARGIN + 16), _PAPER)
        self.draw: ImageDraw = ImageDraw.Draw(self.page)

    def png(self) -> bytes:
        """Draw everything, what lies behind first."""
        plan = self.plan
        self.draw.text((_MARGIN, _MARGIN - 6), f"frame {plan.name}", font=self.bold, fill=_INK)
        self.draw.text((_MARGIN, _MARGIN + 22), self._summary(), font=self.font, fill=_FAINT)
        for row in range(0, len(self.images), 2):
            y = self.top + row * _ROW
            self.draw.rectangle((_MARGIN - 8, y, self.lefts[-1], y + _ROW - 1), fill=_BAND)
        for x in self.lefts:
            self.draw.line((x, self.top - _HEAD + 8, x, self.bottom), fill=_LINE)
        slowest = max((item.gpu_ms or 0.0 for item in plan.passes), default=0.0)
        for index, item in enumerate(plan.passes):
            self._head(index, item, slowest)
        for row, image in enumerate(self.images):
            self._image(self.top + row * _ROW, image)
        for index, item in enumerate(plan.passes):
            self._barriers(self.lefts[index], item)
        self._legend()
        stream = io.BytesIO()
        self.page.save(stream, "PNG", optimize=True)
        return stream.getvalue()

    def _summary(self) -> str:
        times = [item.gpu_ms for item in self.plan.passes if item.gpu_ms is not None]
        own = sum(image.bytes for image in self.images if image.lifetime == "transient")
        parts = [f"{len(self.plan.passes)} passes", f"{sum(len(item.barriers) for item in self.plan.passes)} barriers"]
        if times:
            parts.append(f"{sum(times):.3f} ms on the GPU")
        parts.append(f"transients: {mib(own)} in {mib(self.plan.transient_bytes)} of shared memory")
        return "   ·   ".join(parts)

    def _head(self, index: int, item: PlannedPass, slowest: float) -> None:
        """Write a pass's name, shader, extent and time, with a bar for its share of the slowest's."""
        left, right, y = self.lefts[index], self.lefts[index + 1], self.top - _HEAD + 6
        x = left + _PAD
        self.draw.text((x, y), item.name, font=self.font, fill=_INK, stroke_width=0.4, stroke_fill=_INK)
        for line, text in enumerate(_shader_lines(item)):
            self.draw.text((x, y + 21 + line * 18), text, font=self.font, fill=_FAINT)
        if item.gpu_ms is not None:
            self.draw.text((x, y + 61), f"{item.gpu_ms:.3f} ms", font=self.font, fill=_INK)
            if slowest > 0.0:
                end = x + max((right - _PAD - x) * item.gpu_ms / slowest, 1)
                self.draw.rectangle((x, y + 82, round(end), y + 87), fill=_TIME)

    def _image(self, y: int, image: PlannedImage) -> None:
        """Draw an image's row: what it is, its life, and who reads and writes it."""
        middle = y + _ROW // 2
        color = _LIFETIMES[image.lifetime][0]
        self.draw.text((_MARGIN, middle), image.name, font=self.font, fill=_INK, anchor="lm")
        self.draw.text((self.detail_x, middle), _describe(image), font=self.font, fill=_FAINT, anchor="lm")
        self.draw.text((self.bytes_x, middle), mib(image.bytes), font=self.font, fill=_INK, anchor="rm")
        if image.lifetime != "transient":  # it is there before the first pass that uses it, and after the last
            self.draw.line((self.lefts[0], middle, self.lefts[-1], middle), fill=color, width=2)
        top = y + (_ROW - _BAR) // 2
        box = (self.lefts[image.first] + 7, top, self.lefts[image.last + 1] - 7, top + _BAR)
        self.draw.rounded_rectangle(box, radius=5, fill=color)
        for index, item in enumerate(self.plan.passes):
            use = "write" if image.name in item.writes else "read" if image.name in item.reads else ""
            x = (self.lefts[index] + self.lefts[index + 1]) // 2
            self.draw.text((x, middle), use, font=self.font, fill=_PAPER, anchor="mm")

    def _barriers(self, x: int, item: PlannedPass) -> None:
        """Draw the barriers before a pass, each on its image's row."""
        rows = {image.name: self.top + row * _ROW + _ROW // 2 for row, image in enumerate(self.images)}
        for barrier in item.barriers:
            y = rows.get(barrier.partition(":")[0])
            if y is not None:
                self._diamond(x, y, filled=barrier.endswith("]"))

    def _diamond(self, x: int, y: int, filled: bool) -> None:
        corners = [(x - 6, y), (x, y - 6), (x + 6, y), (x, y + 6)]
        self.draw.polygon(corners, fill=_BARRIER if filled else _PAPER, outline=_BARRIER, width=2)

    def _legend(self) -> None:
        y = self.bottom + 28
        for color, text in _LIFETIMES.values():
            self.draw.rounded_rectangle((_MARGIN, y - 6, _MARGIN + 24, y + 6), radius=4, fill=color)
            self.draw.text((_MARGIN + 36, y), text, font=self.font, fill=_INK, anchor="lm")
            y += 24
        for filled, text in ((False, "barrier"), (True, "barrier with a change of layout")):
            self._diamond(_MARGIN + 12, y, filled)
            self.draw.text((_MARGIN + 36, y), text, font=self.font, fill=_INK, anchor="lm")
            y += 24

    def _widest(self, texts: list[str]) -> int:
        return max((int(self.font.getlength(text)) + 1 for text in texts), default=0)


def _describe(image: PlannedImage) -> str:
    """Return an image's format, size and, for a transient, where its bytes lie."""
    place = "" if image.offset is None else f" at {mib(image.offset)}"
    return f"{image.format} {image.size[0]}x{image.size[1]}{place}"


def _shader_lines(item: PlannedPass) -> tuple[str, str]:
    """Return what stands under a pass's name: its shader and its extent."""
    return item.shader, f"{item.extent[0]}x{item.extent[1]}" if any(item.extent) else ""
