"""The sub-allocator over a fake device: intents, blocks, the host cap, errors, and counters that don't drift."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import random
import threading

import pytest
from fake_memory import ALL_IN_ONE, DISCRETE, MIB, NON_COHERENT, FakeBackend
from hypothesis import given, settings
from hypothesis import strategies as st

from vkforge.errors import DeviceError, HostCapError, OutOfMemoryError
from vkforge.memory.allocator import DEFAULT_HOST_CAP, Allocation, Allocator
from vkforge.memory.intents import Intent, MemoryType, choose_memory_type


def take(allocator: Allocator, size: int, intent: Intent = Intent.DEVICE, name: str = "thing", **given) -> Allocation:
    options = {"alignment": 256, "type_bits": 0xFF, "owner": "test", "linear": True, **given}
    return allocator.allocate(size, intent=intent, name=name, **options)


def assert_consistent(allocator: Allocator, backend: FakeBackend, live: list[Allocation]) -> None:
    """No overlap, alignment kept, the cap kept, and every sum the same however it is counted."""
    report = allocator.report()
    assert allocator.used == report.used == sum(a.footprint for a in live)
    assert allocator.reserved == report.reserved == backend.reserved
    assert allocator.host_reserved == report.host_reserved <= allocator.host_cap
    assert report.allocations == len(live)
    by_handle: dict[int, list[Allocation]] = {}
    for allocation in live:
        by_handle.setdefault(allocation.handle, []).append(allocation)
    for handle, inside in by_handle.items():
        inside.sort(key=lambda a: a.offset)
        for a, b in itertools.pairwise(inside):
            assert a.offset + a.footprint <= b.offset
        assert inside[-1].offset + inside[-1].footprint <= backend.live[handle][1]
        assert len({(a.memory_type, a.intent) for a in inside}) == 1


class TestMemoryTypes:
    @pytest.mark.parametrize(
        ("types", "intent", "index"),
        [
            (DISCRETE, Intent.DEVICE, 0),
            (DISCRETE, Intent.UPLOAD, 1),
            (DISCRETE, Intent.READBACK, 2),
            (DISCRETE, Intent.DYNAMIC, 3),
            *[(ALL_IN_ONE, intent, 0) for intent in Intent],
            (NON_COHERENT, Intent.UPLOAD, 0),
            (NON_COHERENT, Intent.READBACK, 1),
        ],
    )
    def test_each_intent_gets_its_type(self, types: tuple[MemoryType, ...], intent: Intent, index: int) -> None:
        assert choose_memory_type(types, 0xFF, intent).index == index

    def test_type_bits_are_kept(self) -> None:
        assert choose_memory_type(DISCRETE, 0b1000, Intent.DEVICE).index == 3
        assert choose_memory_type(DISCRETE, 0b0100, Intent.UPLOAD).index == 2
        assert choose_memory_type(DISCRETE, 0b0010, Intent.READBACK).index == 1

    def test_equals_go_to_the_first(self) -> None:
        twice = (*DISCRETE, *[dataclasses.replace(t, index=t.index + 4) for t in DISCRETE])
        assert [choose_memory_type(twice, 0xFF, intent).index for intent in Intent] == [0, 1, 2, 3]

    @pytest.mark.parametrize(
        ("bits", "intent"), [(0b0001, Intent.UPLOAD), (0b0110, Intent.DEVICE), (0, Intent.READBACK)]
    )
    def test_none_fits(self, bits: int, intent: Intent) -> None:
        with pytest.raises(DeviceError, match=f"no memory type for {intent.value} memory"):
            choose_memory_type(DISCRETE, bits, intent)

    def test_uploads_and_uniforms_are_never_incoherent(self) -> None:
        for intent in (Intent.UPLOAD, Intent.DYNAMIC):
            with pytest.raises(DeviceError, match="host-visible and coherent"):
                choose_memory_type(NON_COHERENT, 0b10, intent)


class TestBlocks:
    def test_small_allocations_share_a_block(self) -> None:
        backend = FakeBackend()
        allocator = Allocator(backend)
        live = [take(allocator, 1000) for _ in range(100)]
        assert len(backend.live) == 1
        assert all(a.offset % 256 == 0 and a.mapped is None and not a.needs_invalidate for a in live)
        assert_consistent(allocator, backend, live)

    def test_blocks_grow_from_small_to_full(self) -> None:
        backend = FakeBackend()
        allocator = Allocator(backend)
        for _ in range(200):
            take(allocator, MIB)
        assert [size // MIB for _, size, _ in backend.live.values()] == [8, 16, 32, 64, 64, 64]

    def test_blocks_stay_within_an_eighth_of_the_heap(self) -> None:
        backend = FakeBackend((MemoryType(0, 0, 100 * MIB, True, True, True, True),))
        allocator = Allocator(backend)
        for _ in range(24):
            take(allocator, MIB)
        assert max(size for _, size, _ in backend.live.values()) == 8 * MIB

    @pytest.mark.parametrize(("intent", "half"), [(Intent.DEVICE, 32 * MIB), (Intent.UPLOAD, 4 * MIB)])
    def test_over_half_a_block_is_dedicated(self, intent: Intent, half: int) -> None:
        backend = FakeBackend()
        allocator = Allocator(backend)
        shared, alone = take(allocator, half, intent), take(allocator, half + 1, intent, "big")
        assert [d.dedicated for d in allocator.report().blocks] == [False, True]
        assert alone.offset == 0
        assert backend.live[alone.handle] == (0, half + 1, "big")
        allocator.free(alone)
        assert list(backend.live) == [shared.handle], "a dedicated block is not cached"

    def test_dedicated_when_asked(self) -> None:
        backend = FakeBackend()
        allocator = Allocator(backend)
        take(allocator, 100)
        alone = take(allocator, 100, dedicated=True)
        assert backend.live[alone.handle][1] == 100
        assert take(allocator, 100).handle != alone.handle

    def test_buffers_and_images_never_share(self) -> None:
        allocator = Allocator(FakeBackend())
        assert take(allocator, 100, linear=True).handle != take(allocator, 100, linear=False).handle

    def test_intents_never_share_even_in_one_type(self) -> None:
        allocator = Allocator(FakeBackend(ALL_IN_ONE))
        assert len({take(allocator, 100, intent).handle for intent in Intent}) == 4

    def test_one_empty_block_is_kept_and_trimmed(self) -> None:
        backend = FakeBackend()
        allocator = Allocator(backend)
        live = [take(allocator, MIB) for _ in range(100)]
        assert len(backend.live) == 4
        for a in live:
            allocator.free(a)
        assert len(backend.live) == 1
        kept = backend.reserved
        again = take(allocator, MIB)
        assert backend.reserved == kept, "the kept block is used again"
        assert allocator.trim() == 0
        allocator.free(again)
        assert allocator.trim() == kept
        assert not backend.live
        assert allocator.reserved == allocator.used == 0

    @pytest.mark.parametrize("size", [0, -1])
    def test_sizes_must_be_positive(self, size: int) -> None:
        with pytest.raises(ValueError, match=r"'thing' \(owner 'test'\); the size must be positive"):
            take(Allocator(FakeBackend()), size)

    @pytest.mark.parametrize("alignment", [0, -256, 3])
    def test_alignment_must_be_a_power_of_two(self, alignment: int) -> None:
        with pytest.raises(ValueError, match="power of two"):
            take(Allocator(FakeBackend()), 10, alignment=alignment)

    def test_the_cap_must_be_positive(self) -> None:
        with pytest.raises(ValueError, match="cap of 0 bytes"):
            Allocator(FakeBackend(), host_cap=0)


class TestMapping:
    @pytest.mark.parametrize("intent", [Intent.UPLOAD, Intent.READBACK, Intent.DYNAMIC])
    def test_host_blocks_are_mapped_once(self, intent: Intent) -> None:
        backend = FakeBackend(DISCRETE)
        allocator = Allocator(backend)
        live = [take(allocator, 300, intent) for _ in range(20)]
        for i, a in enumerate(live):
            assert a.mapped is not None
            assert len(a.mapped) == 300
            a.mapped[:] = bytes([i]) * 300
        (block,) = backend.mappings.values()
        assert all(bytes(block[a.offset : a.offset + 300]) == bytes([i]) * 300 for i, a in enumerate(live))

    def test_freed_views_are_dead(self) -> None:
        allocator = Allocator(FakeBackend())
        allocation = take(allocator, 100, Intent.DYNAMIC)
        view = allocation.mapped
        assert view is not None
        allocator.free(allocation)
        assert allocation.mapped is None
        with pytest.raises(ValueError, match="released"):
            view[0] = 1

    def test_incoherent_readback_takes_whole_atoms(self) -> None:
        allocator = Allocator(FakeBackend(NON_COHERENT))
        a, b = (take(allocator, 100, Intent.READBACK, alignment=4) for _ in range(2))
        assert a.needs_invalidate
        assert b.needs_invalidate
        assert a.size == 100
        assert a.footprint == 128
        assert a.offset % 64 == b.offset % 64 == 0
        assert a.mapped is not None
        assert len(a.mapped) == 100
        assert not take(allocator, 100, Intent.UPLOAD).needs_invalidate

    def test_a_failing_map_gives_the_memory_back(self) -> None:
        backend = FakeBackend()
        backend.map_fails = True
        allocator = Allocator(backend)
        with pytest.raises(OutOfMemoryError, match="out of memory: 'thing'"):
            take(allocator, 100, Intent.UPLOAD)
        assert not backend.live
        assert allocator.reserved == 0


class TestHostCap:
    def test_default(self) -> None:
        assert Allocator(FakeBackend()).host_cap == DEFAULT_HOST_CAP == 512 * MIB

    def test_the_error_names_everything(self) -> None:
        allocator = Allocator(FakeBackend(), host_cap=100 * MIB)
        take(allocator, 60 * MIB, Intent.READBACK, "slot", owner="readback ring")
        take(allocator, 30 * MIB, Intent.UPLOAD, "staging", owner="uploader")
        with pytest.raises(HostCapError) as caught:
            take(allocator, 20 * MIB, Intent.UPLOAD, "pixels", owner="texture")
        assert str(caught.value) == (
            "the host memory cap of 100.0 MiB would be passed: 'pixels' (owner 'texture') asks for 20.0 MiB and "
            "90.0 MiB is reserved, 0.0 MiB of that free in pieces; holders: 'readback ring' 60.0 MiB, "
            "'uploader' 30.0 MiB; free some, ask for less, or raise host_memory_cap"
        )

    def test_the_cap_counts_intents_and_not_types(self) -> None:
        allocator = Allocator(FakeBackend(ALL_IN_ONE), host_cap=MIB)
        take(allocator, 500 * MIB, Intent.DEVICE)
        assert allocator.host_reserved == 0

    def test_the_cap_can_be_filled_to_the_last_byte(self) -> None:
        allocator = Allocator(FakeBackend(), host_cap=10 * MIB)
        take(allocator, 10 * MIB - 1000, Intent.READBACK)
        take(allocator, 1000, Intent.UPLOAD)
        assert allocator.host_reserved == 10 * MIB
        with pytest.raises(HostCapError):
            take(allocator, 1, Intent.DYNAMIC)

    def test_a_smaller_block_is_made_when_a_full_one_would_pass(self) -> None:
        allocator = Allocator(FakeBackend(), host_cap=64 * MIB)
        take(allocator, 63 * MIB + 512 * 1024, Intent.READBACK)
        take(allocator, 1000, Intent.UPLOAD)
        assert [block.size for block in allocator.report().blocks if block.intent == "upload"] == [512 * 1024]

    def test_many_small_allocations_nearly_fill_the_cap(self) -> None:
        allocator = Allocator(FakeBackend(), host_cap=32 * MIB)
        count = 0
        with contextlib.suppress(HostCapError):
            while True:
                take(allocator, 100_000, Intent.UPLOAD)
                count += 1
        assert count * 100_000 > 0.95 * 32 * MIB

    def test_empty_blocks_are_released_first(self) -> None:
        backend = FakeBackend()
        allocator = Allocator(backend, host_cap=16 * MIB)
        allocator.free(take(allocator, 1000, Intent.UPLOAD))
        assert allocator.host_reserved > 0, "an empty block is cached"
        take(allocator, 16 * MIB, Intent.READBACK)
        assert allocator.host_reserved == backend.reserved == 16 * MIB

    def test_the_allocator_works_on_after_the_error(self) -> None:
        backend = FakeBackend()
        allocator = Allocator(backend, host_cap=16 * MIB)
        held = take(allocator, 10 * MIB, Intent.UPLOAD)
        with pytest.raises(HostCapError):
            take(allocator, 10 * MIB, Intent.READBACK)
        allocator.free(held)
        assert_consistent(allocator, backend, [take(allocator, 10 * MIB, Intent.READBACK)])


class TestOutOfMemory:
    def test_the_heap_is_too_small(self) -> None:
        backend = FakeBackend()
        with pytest.raises(OutOfMemoryError, match=r"asks for 3000\.0 MiB of device memory from heap 0 of 2048\.0 MiB"):
            take(Allocator(backend), 3000 * MIB, name="dem")
        assert backend.calls == 0, "the driver is never asked for more than its heap"

    def test_empty_blocks_are_released_and_the_driver_asked_again(self) -> None:
        backend = FakeBackend(capacity=100 * MIB)
        allocator = Allocator(backend)
        allocator.free(take(allocator, 20 * MIB))
        assert backend.reserved == 32 * MIB
        big = take(allocator, 90 * MIB)
        assert backend.reserved == big.footprint

    def test_the_second_try_asks_for_no_more_than_is_needed(self) -> None:
        backend = FakeBackend(capacity=5 * MIB)
        allocator = Allocator(backend)
        small = take(allocator, 1000)
        assert backend.live[small.handle][1] == 1000

    def test_two_failures_are_an_error_that_names_the_request(self) -> None:
        backend = FakeBackend()
        allocator = Allocator(backend)
        held = take(allocator, 5 * MIB, owner="terrain")
        backend.failures = 2
        with pytest.raises(
            OutOfMemoryError, match=r"'dem' \(owner 'test'\) asks for 100.0 MiB .*'terrain' 5.0 MiB"
        ) as caught:
            take(allocator, 100 * MIB, name="dem")
        assert not isinstance(caught.value, HostCapError)
        assert str(caught.value.__cause__) == "the driver says no"
        assert_consistent(allocator, backend, [held])
        take(allocator, 100 * MIB, name="dem")


class TestFreeing:
    def test_a_second_free_is_an_error(self) -> None:
        allocator = Allocator(FakeBackend())
        a = take(allocator, 100, name="a")
        allocator.free(a)
        with pytest.raises(RuntimeError, match=r"'a' \(owner 'test'\) is freed a second time"):
            allocator.free(a)
        assert allocator.used == 0

    def test_a_second_free_never_takes_another_allocation(self) -> None:
        allocator = Allocator(FakeBackend())
        a = take(allocator, 100)
        allocator.free(a)
        b = take(allocator, 100)
        assert (b.handle, b.offset) == (a.handle, a.offset)
        with pytest.raises(RuntimeError):
            allocator.free(a)
        assert allocator.report().allocations == 1

    def test_another_allocators_is_refused(self) -> None:
        one, other = Allocator(FakeBackend()), Allocator(FakeBackend())
        a = take(one, 100, name="a")
        take(other, 100)
        with pytest.raises(RuntimeError, match=r"'a' .* belongs to another allocator"):
            other.free(a)
        one.free(a)
        assert one.used == 0
        assert other.used == 100

    def test_close_returns_the_leaks_and_frees_everything(self) -> None:
        backend = FakeBackend()
        allocator = Allocator(backend)
        gone = take(allocator, 100)
        leaks = [take(allocator, 100, intent, name) for intent, name in [(Intent.DEVICE, "x"), (Intent.UPLOAD, "y")]]
        allocator.free(gone)
        assert allocator.close() == ["x", "y"]
        assert not backend.live
        assert allocator.used == allocator.reserved == allocator.host_reserved == 0
        assert allocator.close() == []
        with pytest.raises(RuntimeError, match="after its allocator was closed"):
            allocator.free(leaks[0])
        with pytest.raises(RuntimeError, match="closed"):
            take(allocator, 100)

    def test_closing_with_nothing_left_has_no_leaks(self) -> None:
        backend = FakeBackend()
        allocator = Allocator(backend)
        allocator.free(take(allocator, 100))
        assert allocator.close() == []
        assert not backend.live


OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "take", "free", "free", "trim"]),
        st.sampled_from([1, 100, 4096, 70_000, MIB, 5 * MIB, 40 * MIB]),
        st.integers(0, 1000),
        st.sampled_from([1, 64, 4096]),
        st.sampled_from(list(Intent)),
        st.booleans(),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([ALL_IN_ONE, DISCRETE, NON_COHERENT]), OPERATIONS)
def test_any_sequence_keeps_the_books(types: tuple[MemoryType, ...], operations: list) -> None:
    backend = FakeBackend(types, capacity=200 * MIB)
    allocator = Allocator(backend, host_cap=24 * MIB)
    live: list[Allocation] = []
    for what, size, salt, alignment, intent, linear in operations:
        if what == "take":
            try:
                allocation = take(allocator, size + salt, intent, alignment=alignment, linear=linear)
            except OutOfMemoryError:
                continue
            assert allocation.offset % alignment == 0
            live.append(allocation)
        elif what == "free" and live:
            allocator.free(live.pop(salt % len(live)))
        elif what == "trim":
            allocator.trim()
            assert all(block.used for block in allocator.report().blocks)
        assert_consistent(allocator, backend, live)
        assert allocator.host_reserved <= 24 * MIB
    for allocation in live:
        allocator.free(allocation)
    assert_consistent(allocator, backend, [])
    assert allocator.close() == []
    assert not backend.live


def test_threads_share_an_allocator() -> None:
    backend = FakeBackend()
    allocator = Allocator(backend)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        rng = random.Random(seed)
        mine: list[Allocation] = []
        try:
            for i in range(800):
                if mine and rng.random() < 0.5:
                    a = mine.pop(rng.randrange(len(mine)))
                    assert a.mapped is not None
                    assert set(bytes(a.mapped)) == {seed}, "another thread wrote here"
                    allocator.free(a)
                else:
                    a = take(allocator, rng.randrange(1, 3000), Intent.DYNAMIC, f"{seed}.{i}")
                    assert a.mapped is not None
                    a.mapped[:] = bytes([seed]) * a.size
                    mine.append(a)
            for a in mine:
                allocator.free(a)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert_consistent(allocator, backend, [])
    assert allocator.close() == []
