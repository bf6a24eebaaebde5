"""TLSF against a naive model: no overlap, alignment kept, exact bitmaps and sums, everything coalesces back."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from vkforge.memory.tlsf import TLSF, rounded_up, size_class


def free_spans_of(size: int, given_out: dict[int, int]) -> list[tuple[int, int]]:
    """The naive model: walk what is given out (offset to size) and collect the gaps."""
    gaps, end = [], 0
    for offset, length in sorted(given_out.items()):
        assert offset >= end, "spans overlap"
        if offset > end:
            gaps.append((end, offset - end))
        end = offset + length
    assert end <= size, "a span leaves the range"
    return [*gaps, (end, size - end)] if end < size else gaps


def check_lists(tlsf: TLSF) -> None:
    """Each free span is in the list of its class and in no other, and a bit is set exactly for a list with spans."""
    listed = {}
    for first, heads in enumerate(tlsf._heads):
        for second, node in enumerate(heads):
            assert bool(tlsf._second_maps[first] >> second & 1) == (node is not None)
            previous = None
            while node is not None:
                assert node.is_free
                assert node.previous is previous
                assert size_class(node.size) == (first, second)
                assert node.offset not in listed
                listed[node.offset] = node.size
                previous, node = node, node.next
        assert bool(tlsf._first_map >> first & 1) == bool(tlsf._second_maps[first])
    assert listed == {span.offset: span.size for span in tlsf.spans() if span.is_free}


class TlsfMachine(RuleBasedStateMachine):
    """Random sequences of allocate and free beside the naive model."""

    offsets = Bundle("offsets")

    @initialize(size=st.one_of(st.integers(1, 4096), st.sampled_from([2**16, 2**26, 2**33 + 12345])))
    def start(self, size: int) -> None:
        self.size = size
        self.tlsf = TLSF(size)
        self.model: dict[int, int] = {}

    @rule(target=offsets, data=st.data(), alignment=st.sampled_from([1, 1, 2, 16, 64, 256, 4096]))
    def allocate(self, data: st.DataObject, alignment: int) -> int:
        part = data.draw(st.sampled_from([1, 8, 100, 10_000]))
        size = data.draw(st.integers(1, max(1, self.size // part)))
        offset = self.tlsf.allocate(size, alignment)
        if offset is None:
            largest = max((length for _, length in free_spans_of(self.size, self.model)), default=0)
            assert largest < rounded_up(size + alignment - 1), "room was there"
            return -1
        assert offset % alignment == 0
        assert offset not in self.model
        self.model[offset] = size
        return offset

    @rule(offset=consumes(offsets))
    def free(self, offset: int) -> None:
        if offset >= 0:
            assert self.tlsf.free(offset) == self.model.pop(offset)
            with pytest.raises(ValueError, match="freed before"):
                self.tlsf.free(offset)

    @invariant()
    def agrees_with_the_model(self) -> None:
        gaps = free_spans_of(self.size, self.model)
        spans = list(self.tlsf.spans())
        assert [(s.offset, s.size) for s in spans if s.is_free] == gaps
        assert {s.offset: s.size for s in spans if not s.is_free} == self.model
        statistics = self.tlsf.statistics()
        assert statistics.used == sum(self.model.values()) == self.tlsf.used
        assert statistics.used + statistics.free == statistics.size == self.size
        assert statistics.largest_free == max((length for _, length in gaps), default=0)
        assert (statistics.allocations, statistics.free_spans) == (len(self.model), len(gaps))
        assert 0.0 <= statistics.fragmentation < 1.0
        check_lists(self.tlsf)

    def teardown(self) -> None:
        if hasattr(self, "tlsf"):
            for offset in self.model:
                self.tlsf.free(offset)
            assert list(self.tlsf.spans()) == [(0, self.size, True)]
            check_lists(self.tlsf)


TestTlsf = TlsfMachine.TestCase
TestTlsf.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


@given(st.integers(1, 2**40))
def test_classes_partition_the_sizes(size: int) -> None:
    up = rounded_up(size)
    assert size <= up <= size + size // 32
    # The least of a class: one byte less is in an earlier one.
    assert up == 1 or size_class(up - 1) < size_class(up)
    assert size_class(size) <= size_class(size + 1)


@pytest.mark.parametrize("size", [1, 31, 32, 33, 63, 64, 65, 100, 1000, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**30 + 7])
def test_the_whole_range_can_be_one_allocation(size: int) -> None:
    tlsf = TLSF(size)
    assert tlsf.allocate(size, 4096) == 0
    assert tlsf.allocate(1) is None
    assert tlsf.statistics().fragmentation == 0.0
    assert tlsf.free(0) == size
    assert list(tlsf.spans()) == [(0, size, True)]


def test_alignment_padding_stays_usable() -> None:
    tlsf = TLSF(1024)
    assert tlsf.allocate(10) == 0
    assert tlsf.allocate(256, 256) == 256
    assert tlsf.allocate(246) == 10, "the gap before the aligned span is given out again"
    assert [tuple(span) for span in tlsf.spans()] == [
        (0, 10, False),
        (10, 246, False),
        (256, 256, False),
        (512, 512, True),
    ]


def test_neighbours_coalesce_whatever_the_order() -> None:
    for order in ([0, 1, 2], [2, 1, 0], [0, 2, 1], [1, 0, 2]):
        tlsf = TLSF(300)
        offsets = [tlsf.allocate(100) for _ in range(3)]
        assert offsets == [0, 100, 200]
        for i in order:
            tlsf.free(100 * i)
        assert list(tlsf.spans()) == [(0, 300, True)]


@pytest.mark.parametrize("size", [0, -1])
def test_sizes_must_be_positive(size: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        TLSF(size)
    with pytest.raises(ValueError, match="must be positive"):
        TLSF(10).allocate(size)


@pytest.mark.parametrize("alignment", [0, -4, 3, 48])
def test_alignment_must_be_a_power_of_two(alignment: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        TLSF(100).allocate(10, alignment)


def test_unknown_offsets_are_refused() -> None:
    tlsf = TLSF(100)
    tlsf.allocate(50)
    with pytest.raises(ValueError, match="offset 7"):
        tlsf.free(7)
    assert tlsf.used == 50


@pytest.mark.alone
def test_a_hundred_thousand_operations() -> None:
    rng = random.Random(7)
    tlsf = TLSF(64 * 2**20)
    live: list[int] = []
    refused = 0
    # Drawn first, so that the clock sees the allocator alone.
    steps = [(rng.random(), int(2 ** rng.uniform(4, 18)), 1 << rng.randrange(9)) for _ in range(100_000)]
    start = time.process_time()
    for chance, size, alignment in steps:
        if live and chance < 0.45:
            i = int(chance / 0.45 * len(live))
            live[i], live[-1] = live[-1], live[i]
            tlsf.free(live.pop())
        elif (offset := tlsf.allocate(size, alignment)) is not None:
            live.append(offset)
        else:
            refused += 1
    seconds = time.process_time() - start
    check_lists(tlsf)
    statistics = tlsf.statistics()
    assert refused > 0, "the range was meant to fill up"
    assert statistics.used > 0.9 * statistics.size
    for offset in live:
        tlsf.free(offset)
    assert list(tlsf.spans()) == [(0, tlsf.size, True)]
    assert seconds < 3.0
