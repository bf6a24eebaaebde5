"""What memory is reserved, what is used, and by whom: as numbers, as text, as JSON and as a picture.

*Reserved* bytes were taken from the driver in blocks; *used* bytes of them belong to live allocations. A report is a
frozen copy: reading it later costs nothing and locks nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vkforge.io.atomic import replacing
from vkforge.memory.intents import Intent


def mib(size: int) -> str:
    """Write bytes as MiB, or as KiB below a tenth of one."""
    return f"{size / 2**20:.1f} MiB" if size >= 2**20 // 10 or size == 0 else f"{size / 2**10:.1f} KiB"


@dataclass(frozen=True, slots=True)
class Usage:
    """Sums over some allocations: bytes used and reserved, counts of allocations and blocks.

    An owner has allocations in blocks that it shares, so by owner `reserved` and `blocks` are 0.
    """

    used: int
    reserved: int = 0
    allocations: int = 0
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class Peak:
    """The most bytes there ever were at once, each on its own: used, reserved, and reserved by host intents."""

    used: int
    reserved: int
    host_reserved: int


@dataclass(frozen=True, slots=True)
class SpanReport:
    """A stretch of a block, in bytes; name and owner are None where it is free."""

    offset: int
    size: int
    name: str | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class BlockReport:
    """One reservation from the driver.

    Attributes:
        intent: "device", "upload", "readback" or "dynamic".
        memory_type: index of the device's memory type.
        linear: whether it holds buffers (and linear images) or optimally tiled images.
        dedicated: whether it was made for one allocation.
        size: bytes.
        used: bytes.
        largest_free: bytes.
        fragmentation: share of the free bytes outside the largest free span, 0 to 1.
        spans: all of it in address order.
    """

    intent: str
    memory_type: int
    linear: bool
    dedicated: bool
    size: int
    used: int
    largest_free: int
    fragmentation: float
    spans: tuple[SpanReport, ...]

    @property
    def kind(self) -> str:
        """What it holds, in words."""
        return ("buffers" if self.linear else "images") + (", dedicated" if self.dedicated else "")


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """All of an allocator's memory at one moment; sizes in bytes.

    Attributes:
        host_cap: most that host intents may reserve.
        used: bytes of live allocations, now.
        reserved: bytes taken from the driver, now.
        host_reserved: the part of them that counts against the cap.
        peak: the most there was.
        by_intent: sums for each of the four intents.
        by_owner: sums for each owner, most bytes first.
        blocks: by intent, then by age.
    """

    host_cap: int
    used: int
    reserved: int
    host_reserved: int
    peak: Peak
    by_intent: dict[str, Usage]
    by_owner: dict[str, Usage]
    blocks: tuple[BlockReport, ...]

    @classmethod
    def of(cls, host_cap: int, peak: Peak, blocks: Sequence[BlockReport]) -> MemoryReport:
        """Sum up an allocator's blocks, which come by intent and then by age."""
        by_intent = {intent.value: _sum([b for b in blocks if b.intent == intent.value]) for intent in Intent}
        return cls(
            host_cap=host_cap,
            used=sum(usage.used for usage in by_intent.values()),
            reserved=sum(usage.reserved for usage in by_intent.values()),
            host_reserved=sum(by_intent[intent.value].reserved for intent in Intent if intent.is_host),
            peak=peak,
            by_intent=by_intent,
            by_owner=_by_owner(blocks),
            blocks=tuple(blocks),
        )

    @property
    def host_blocks(self) -> list[BlockReport]:
        """The blocks of host intents."""
        return [block for block in self.blocks if Intent(block.intent).is_host]

    @property
    def host_used(self) -> int:
        """Bytes of host intents that belong to live allocations."""
        return sum(block.used for block in self.host_blocks)

    @property
    def allocations(self) -> int:
        """How many allocations are live."""
        return sum(usage.allocations for usage in self.by_intent.values())

    @property
    def fragmentation(self) -> float:
        """Share of the free reserved bytes outside the largest free span of their block, 0 to 1."""
        free = self.reserved - self.used
        return 1.0 - sum(block.largest_free for block in self.blocks) / free if free else 0.0

    def top_owners(self, host_only: bool = False) -> str:
        """Name the four owners that use most, with their bytes, and sum up the rest; errors quote this."""
        owners = _by_owner(self.host_blocks) if host_only else self.by_owner
        named = [f"{owner!r} {mib(usage.used)}" for owner, usage in list(owners.items())[:4]]
        rest = [usage.used for usage in list(owners.values())[4:]]
        if rest:
            named.append(f"{len(rest)} more {mib(sum(rest))}")
        return ", ".join(named) or "nobody"

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain dicts, lists, strings and numbers."""
        return {**asdict(self), "allocations": self.allocations, "fragmentation": self.fragmentation}

    def to_json(self) -> str:
        """Return the report as JSON, indented."""
        return json.dumps(self.to_dict(), indent=2)

    def __str__(self) -> str:
        """Return tables by intent, by owner and by block."""
        intents = [
            (name, mib(u.used), mib(u.reserved), str(u.allocations), str(u.blocks))
            for name, u in self.by_intent.items()
        ]
        intents.append(("all", mib(self.used), mib(self.reserved), str(self.allocations), str(len(self.blocks))))
        owners = [(owner, mib(u.used), str(u.allocations)) for owner, u in self.by_owner.items()]
        rows = [
            (
                block.intent,
                block.kind,
                mib(block.size),
                mib(block.used),
                mib(block.largest_free),
                f"{block.fragmentation:.0%}",
                str(sum(span.owner is not None for span in block.spans)),
            )
            for block in self.blocks
        ]
        parts = [
            f"host memory: {mib(self.host_reserved)} reserved of a cap of {mib(self.host_cap)}\n"
            f"peaks: {mib(self.peak.used)} used, {mib(self.peak.reserved)} reserved, "
            f"{mib(self.peak.host_reserved)} reserved for the host",
            _table(("intent", "used", "reserved", "allocations", "blocks"), intents, 1),
            _table(("owner", "used", "allocations"), owners, 1),
            _table(("block", "kind", "size", "used", "largest free", "fragmented", "allocations"), rows, 2),
        ]
        return "\n\n".join(parts)

    def to_png(self, path: str | os.PathLike[str]) -> None:
        """Write the picture: host memory against its cap, then each block as a bar with its spans coloured by owner.

        The file appears whole or not at all.

        Raises:
            MissingDependencyError: Pillow is not installed.
            OutputError: the file can't be written.
        """
        picture = self._repr_png_()
        with replacing(path) as stream:
            stream.write(picture)

    def _repr_png_(self) -> bytes:
        """Return the picture as PNG bytes, as notebooks show it."""
        from vkforge.memory.picture import draw_report

        return draw_report(self)


def _sum(blocks: Sequence[BlockReport]) -> Usage:
    """Sum up some blocks."""
    return Usage(
        used=sum(block.used for block in blocks),
        reserved=sum(block.size for block in blocks),
        allocations=sum(span.owner is not None for block in blocks for span in block.spans),
        blocks=len(blocks),
    )


def _by_owner(blocks: Sequence[BlockReport]) -> dict[str, Usage]:
    """Sum up each owner's allocations, most bytes first."""
    sizes: dict[str, list[int]] = {}
    for block in blocks:
        for span in block.spans:
            if span.owner is not None:
                sizes.setdefault(span.owner, []).append(span.size)
    usages = {owner: Usage(used=sum(each), allocations=len(each)) for owner, each in sizes.items()}
    return dict(sorted(usages.items(), key=lambda item: (-item[1].used, item[0])))


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]], left: int) -> str:
    """Align columns: the first `left` to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: tuple[str, ...]) -> str:
        cells = (f"{cell:{'<' if i < left else '>'}{widths[i]}}" for i, cell in enumerate(row))
        return "  ".join(cells).rstrip()

    return "\n".join([line(head), "  ".join("-" * width for width in widths), *map(line, rows)])
