"""The picture of a memory report, drawn with Pillow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from vkforge.errors import MissingDependencyError
from vkforge.memory.report import mib

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

    from vkforge.memory.report import MemoryReport

# Owners' colours, most bytes first: six of Okabe and Ito's (2008), which colour-blind
# readers tell apart too, and two more. Owners past the last share the grey.
_COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#a6761d")
_DARK = ("#0072b2", "#009e73", "#d55e00", "#8c6bb1", "#a6761d")  # those that take white text
_OTHERS = "#b0b0b0"
_FREE = "#eceff1"
_INK, _FAINT, _PAPER, _CAP = "#263238", "#78909c", "#ffffff", "#c62828"

# Pixels: the page, its margin, the column of labels, a bar, a bar with its gap, and the text.
_WIDTH, _MARGIN, _LABEL, _BAR, _ROW, _TEXT = 1200, 28, 250, 20, 28, 15
_MOST_BARS = 60


def draw_report(report: MemoryReport) -> bytes:
    """Draw host memory against its cap, then each block as a bar with its spans coloured by owner.

    Returns:
        A PNG file's bytes.

    Raises:
        MissingDependencyError: Pillow is not installed.
    """
    return _Picture(report).png()


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


class _Picture:
    """Draws one report; `y` is the pen, in pixels from the top."""

    def __init__(self, report: MemoryReport) -> None:
        try:
            from PIL import Image, ImageDraw, ImageFont
        except ImportError as error:
            raise MissingDependencyError("drawing a memory report needs Pillow: pip install pillow") from error
        self.report = report
        largest = sorted(range(len(report.blocks)), key=lambda i: -report.blocks[i].size)[:_MOST_BARS]
        self.shown = [report.blocks[i] for i in sorted(largest)]
        self.colors = dict(zip(report.by_owner, _COLORS, strict=False))
        self.font = ImageFont.load_default(_TEXT)
        self.bold = ImageFont.load_default(_TEXT + 5)
        sections = sum(usage.blocks > 0 for usage in report.by_intent.values())
        legend_rows = -(-len(self._legend()) // 3)
        height = 2 * _MARGIN + 150 + sections * 54 + (len(self.shown) + legend_rows + 2) * _ROW
        self.image = Image.new("RGB", (_WIDTH, height), _PAPER)
        self.draw: ImageDraw = ImageDraw.Draw(self.image)
        self.y = _MARGIN

    def png(self) -> bytes:
        """Draw everything from the top down."""
        report = self.report
        self._text(_MARGIN, "vkforge memory", font=self.bold)
        self._text(
            _WIDTH - _MARGIN,
            f"{mib(report.used)} used of {mib(report.reserved)} reserved   ·   peak {mib(report.peak.used)} of "
            f"{mib(report.peak.reserved)}   ·   {_count(report.allocations, 'allocation')}",
            anchor="ra",
        )
        self.y += 44
        self._host_bar()
        for intent, usage in report.by_intent.items():
            if usage.blocks:
                self._section(intent)
        hidden = len(report.blocks) - len(self.shown)
        if hidden:
            rest = report.reserved - sum(block.size for block in self.shown)
            self._text(_MARGIN, f"and {_count(hidden, 'smaller block')}, {mib(rest)}", fill=_FAINT)
            self.y += _ROW
        self.y += 14
        for i, (color, text) in enumerate(self._legend()):
            x = _MARGIN + i % 3 * (_WIDTH - 2 * _MARGIN) // 3
            y = self.y + i // 3 * _ROW
            self.draw.rectangle((x, y + 2, x + 13, y + 15), fill=color, outline=_FAINT if color == _FREE else color)
            self.draw.text((x + 22, y), text, font=self.font, fill=_INK)
        self.y += -(-len(self._legend()) // 3) * _ROW + _MARGIN // 2
        stream = io.BytesIO()
        self.image.crop((0, 0, _WIDTH, self.y)).save(stream, "PNG", optimize=True)
        return stream.getvalue()

    def _legend(self) -> list[tuple[str, str]]:
        """Return the colours and what each stands for."""
        rows = [
            (self.colors[owner], f"{owner}: {mib(usage.used)} in {_count(usage.allocations, 'allocation')}")
            for owner, usage in self.report.by_owner.items()
            if owner in self.colors
        ]
        others = [usage for owner, usage in self.report.by_owner.items() if owner not in self.colors]
        if others:
            rows.append((_OTHERS, f"{_count(len(others), 'other owner')}: {mib(sum(usage.used for usage in others))}"))
        return [*rows, (_FREE, f"free in blocks: {mib(self.report.reserved - self.report.used)}")]

    def _host_bar(self) -> None:
        """Draw what host intents reserve against the cap, which is the red line at the end of the bar."""
        report = self.report
        self._text(_MARGIN, "host memory", fill=_INK)
        self._text(_WIDTH - _MARGIN - 8, f"cap {mib(report.host_cap)}", fill=_CAP, anchor="ra")
        share = report.host_reserved / report.host_cap
        self._text(_MARGIN + _LABEL, f"{mib(report.host_reserved)} reserved, {share:.0%} of the cap", fill=_FAINT)
        self.y += 22
        used: dict[str, int] = {}
        for span in (span for block in report.host_blocks for span in block.spans):
            if span.owner is not None:
                used[span.owner] = used.get(span.owner, 0) + span.size
        left, right = _MARGIN + _LABEL, _WIDTH - _MARGIN
        scale = (right - left) / report.host_cap
        self.draw.rectangle((left, self.y, right, self.y + _BAR), outline=_FREE)
        self.draw.rectangle((left, self.y, left + report.host_reserved * scale, self.y + _BAR), fill=_FREE)
        x = float(left)
        for owner in report.by_owner:
            if owner in used:
                self._span(x, used[owner] * scale, self.colors.get(owner, _OTHERS))
                x += used[owner] * scale
        self.draw.line((right, self.y - 5, right, self.y + _BAR + 5), fill=_CAP, width=3)
        self.y += _BAR + 24

    def _section(self, intent: str) -> None:
        """Draw an intent's blocks, each as wide as the page whatever its size."""
        usage = self.report.by_intent[intent]
        self._text(_MARGIN, intent, font=self.bold)
        self.y += 4
        self._text(
            _MARGIN + _LABEL,
            f"{mib(usage.used)} used of {mib(usage.reserved)} in {_count(usage.blocks, 'block')}",
            fill=_FAINT,
        )
        self.y += 26
        left, right = _MARGIN + _LABEL, _WIDTH - _MARGIN
        for block in self.shown:
            if block.intent == intent:
                self._text(_MARGIN, mib(block.size), fill=_INK)
                self._text(left - 12, block.kind, fill=_FAINT, anchor="ra")
                self.draw.rectangle((left, self.y, right, self.y + _BAR), fill=_FREE)
                scale = (right - left) / block.size
                for span in block.spans:
                    if span.owner is not None:
                        color = self.colors.get(span.owner, _OTHERS)
                        self._span(left + span.offset * scale, span.size * scale, color, span.name or "")
                self.y += _ROW
        self.y += 14

    def _span(self, x: float, width: float, color: str, label: str = "") -> None:
        """Draw a span at least one pixel wide, with a gap to the next and its label if there is room."""
        gap = 2 if width > 4 else 0
        self.draw.rectangle((round(x), self.y, max(round(x + width) - 1 - gap, round(x)), self.y + _BAR), fill=color)
        if label and self.draw.textlength(label, font=self.font) + 12 < width:
            ink = _PAPER if color in _DARK else _INK
            self.draw.text((x + 6, self.y + 2), label, font=self.font, fill=ink)

    def _text(self, x: float, text: str, *, fill: str = _INK, anchor: str = "la", font: Any = None) -> None:
        """Write one line at the pen's height."""
        self.draw.text((x, self.y), text, font=font or self.font, fill=fill, anchor=anchor)
