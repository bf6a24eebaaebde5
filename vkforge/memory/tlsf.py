"""Two-level segregated fit: places spans in an address range in constant time.

After Masmano, Ripoll, Crespo and Real, "TLSF: a new dynamic memory allocator for real-time systems", ECRTS 2004. It
keeps its books outside the range it manages, so the range may be device memory that the host can't touch.

Invariants, all restored before every return:

* the spans tile [0, size) in address order with no gap;
* no two free spans are neighbours (freeing coalesces at once);
* a free span is in the list of its own size class and nowhere else;
* a bit of a bitmap is set exactly when its list (or level) is not empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

# Each power of two is split into 2**5 classes, so a class spans at most 1/32 of its size.
_SECOND_BITS = 5
_SECOND_COUNT = 1 << _SECOND_BITS


class Span(NamedTuple):
    """A stretch of the range, free or given out; offset and size in bytes."""

    offset: int
    size: int
    is_free: bool


@dataclass(frozen=True, slots=True)
class TlsfStatistics:
    """Where the bytes of a range are.

    Attributes:
        size, used, free: bytes; used + free == size.
        largest_free: bytes of the largest free span.
        allocations, free_spans: counts of spans.
    """

    size: int
    used: int
    free: int
    largest_free: int
    allocations: int
    free_spans: int

    @property
    def fragmentation(self) -> float:
        """Share of the free bytes outside the largest free span: 0 is one span (or none), towards 1 is crumbs."""
        return 1.0 - self.largest_free / self.free if self.free else 0.0


class _Node:
    """A span with its neighbours in address order and, while free, in the list of its size class."""

    __slots__ = ("after", "before", "is_free", "next", "offset", "previous", "size")

    def __init__(self, offset: int, size: int, before: _Node | None, after: _Node | None) -> None:
        self.offset = offset
        self.size = size
        self.is_free = False
        self.before = before
        self.after = after
        self.previous: _Node | None = None
        self.next: _Node | None = None


def size_class(size: int) -> tuple[int, int]:
    """Return the (first, second) level indices of the class that a free span of `size` bytes belongs to."""
    shift = size.bit_length() - 1 - _SECOND_BITS
    if shift < 0:
        return 0, size
    return shift + 1, (size >> shift) - _SECOND_COUNT


def rounded_up(size: int) -> int:
    """Return the smallest size of a class that is at least `size`: every span of that class then holds it."""
    shift = max(size.bit_length() - 1 - _SECOND_BITS, 0)
    return (size + (1 << shift) - 1) >> shift << shift


class TLSF:
    """Allocates spans of the address range [0, size).

    `allocate` and `free` take constant time. Not thread-safe.

    Args:
        size: bytes of the range, positive.
    """

    def __init__(self, size: int) -> None:
        if size <= 0:
            raise ValueError(f"a range of {size} bytes was asked for; the size must be positive")
        self.size = size
        self.used = 0
        levels = size_class(size)[0] + 1
        self._first_map = 0
        self._second_maps = [0] * levels
        self._heads: list[list[_Node | None]] = [[None] * _SECOND_COUNT for _ in range(levels)]
        self._given: dict[int, _Node] = {}  # by offset
        # The node at offset 0 is never merged into another, so it starts every walk.
        self._start = _Node(0, size, None, None)
        self._list(self._start)

    @classmethod
    def holding(cls, size: int, given: Mapping[int, int]) -> TLSF:
        """Return a range in which spans are given out already, none over another: bytes by offset."""
        made = cls(size)
        rest, end = made._start, 0
        made._unlist(rest)
        for offset in sorted(given):
            if offset > end:  # a gap before it
                free, rest = rest, made._split(rest, offset - end)
                made._list(free)
            node, end = rest, offset + given[offset]
            made._given[offset] = node
            made.used += given[offset]
            if end == size:
                return made
            rest = made._split(node, given[offset])
        made._list(rest)
        return made

    def allocate(self, size: int, alignment: int = 1) -> int | None:
        """Give out `size` bytes at a multiple of `alignment`.

        Three spans are tried, tightest first: the head of the request's own class, the smallest that surely holds
        `size`, the smallest that surely holds it wherever the alignment falls. So it always succeeds when some free
        span has `rounded_up(size + alignment - 1)` bytes or more, and may or may not when the largest is smaller.

        Args:
            size: bytes, positive.
            alignment: bytes, a power of two.

        Returns:
            The offset in bytes, or None when no tried span holds the request.

        Raises:
            ValueError: `size` is not positive or `alignment` not a power of two.
        """
        if size <= 0:
            raise ValueError(f"{size} bytes were asked for; the size must be positive")
        if alignment <= 0 or alignment & (alignment - 1):
            raise ValueError(f"alignment {alignment} was asked for; it must be a power of two")
        if size > self.size - self.used:
            return None

        first, second = size_class(size)
        node = self._heads[first][second]
        if node is None or not _holds(node, size, alignment):
            node = self._smallest_of(size)
            if node is not None and not _holds(node, size, alignment):
                node = self._smallest_of(size + alignment - 1)
            if node is None:
                return None

        self._unlist(node)
        padding = -node.offset & (alignment - 1)
        if padding:
            aligned = self._split(node, padding)
            self._list(node)
            node = aligned
        if node.size > size:
            self._list(self._split(node, size))
        self._given[node.offset] = node
        self.used += size
        return node.offset

    def free(self, offset: int) -> int:
        """Take back the span that `allocate` gave out at `offset`, and return its size in bytes.

        Raises:
            ValueError: no span is given out at that offset.
        """
        node = self._given.pop(offset, None)
        if node is None:
            raise ValueError(f"nothing is allocated at offset {offset}; it was freed before or never given out")
        size = node.size
        self.used -= size
        before, after = node.before, node.after
        if before is not None and before.is_free:
            self._unlist(before)
            node = self._merge(before, node)
        if after is not None and after.is_free:
            self._unlist(after)
            node = self._merge(node, after)
        self._list(node)
        return size

    def spans(self) -> Iterator[Span]:
        """Iterate over all spans, free and given out, in address order."""
        node: _Node | None = self._start
        while node is not None:
            yield Span(node.offset, node.size, node.is_free)
            node = node.after

    def statistics(self) -> TlsfStatistics:
        """Count the range's bytes and spans; takes time linear in the number of spans."""
        free = [span.size for span in self.spans() if span.is_free]
        return TlsfStatistics(
            size=self.size,
            used=self.used,
            free=self.size - self.used,
            largest_free=max(free, default=0),
            allocations=len(self._given),
            free_spans=len(free),
        )

    def _smallest_of(self, size: int) -> _Node | None:
        """Return a free span of the smallest non-empty class whose every span has `size` bytes or more."""
        first, second = size_class(rounded_up(size))
        if first >= len(self._second_maps):
            return None
        second_map = self._second_maps[first] >> second << second
        if not second_map:
            first_map = self._first_map >> (first + 1) << (first + 1)
            if not first_map:
                return None
            first = _lowest_bit(first_map)
            second_map = self._second_maps[first]
        return self._heads[first][_lowest_bit(second_map)]

    def _list(self, node: _Node) -> None:
        """Mark a span free and put it at the head of its class's list."""
        first, second = size_class(node.size)
        head = self._heads[first][second]
        node.is_free = True
        node.previous, node.next = None, head
        if head is not None:
            head.previous = node
        self._heads[first][second] = node
        self._first_map |= 1 << first
        self._second_maps[first] |= 1 << second

    def _unlist(self, node: _Node) -> None:
        """Mark a span given out and take it from its class's list."""
        node.is_free = False
        if node.next is not None:
            node.next.previous = node.previous
        if node.previous is not None:
            node.previous.next = node.next
        else:
            first, second = size_class(node.size)
            self._heads[first][second] = node.next
            if node.next is None:
                self._second_maps[first] &= ~(1 << second)
                if not self._second_maps[first]:
                    self._first_map &= ~(1 << first)
        node.previous = node.next = None

    @staticmethod
    def _split(node: _Node, size: int) -> _Node:
        """Cut an unlisted span to `size` bytes and return what is left of it, unlisted too."""
        rest = _Node(node.offset + size, node.size - size, node, node.after)
        if node.after is not None:
            node.after.before = rest
        node.after = rest
        node.size = size
        return rest

    @staticmethod
    def _merge(left: _Node, right: _Node) -> _Node:
        """Join two unlisted neighbours into the left one."""
        left.size += right.size
        left.after = right.after
        if right.after is not None:
            right.after.before = left
        return left


def _holds(node: _Node, size: int, alignment: int) -> bool:
    """Whether `size` bytes fit in a span once its start is aligned."""
    return (-node.offset & (alignment - 1)) + size <= node.size


def _lowest_bit(bits: int) -> int:
    """Return the index of the lowest set bit of a positive integer."""
    return (bits & -bits).bit_length() - 1
