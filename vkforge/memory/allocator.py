"""The sub-allocator: named allocations by intent, placed in large blocks, under one cap on host memory.

Invariants, which hold whenever the lock is free:

* every allocation lies in one block, overlaps no other, and is freed exactly once;
* a block belongs to one pool: one memory type, one intent, one kind of resource. Linear resources (buffers, linear
  images) and optimally tiled images never share a block, so `bufferImageGranularity` can't be violated;
* a pool keeps at most one empty block, and an empty block that held a dedicated allocation is given back at once;
* the bytes reserved from the driver by host intents never pass the cap, whatever flags their memory types have;
* a block of a host intent is mapped for as long as it lives.

What is true is which blocks there are and which allocations live in them (`_pools` and `live`, each changed in one
step). All else, from the free spans to the sums, follows from it, and is worked out anew after a call that did not come
to its end: an error, or a Ctrl-C between any two lines.

The caller frees an allocation only once the device is done with it (`vk`'s deletion queue sees to that).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from vkforge.errors import HostCapError, OutOfMemoryError
from vkforge.memory.intents import Intent, MemoryType, choose_memory_type
from vkforge.memory.report import BlockReport, MemoryReport, Peak, SpanReport, mib
from vkforge.memory.tlsf import TLSF

MIB = 2**20
DEFAULT_HOST_CAP = 512 * MIB

_DEVICE_BLOCK = 64 * MIB
_HOST_BLOCK = 8 * MIB
# A pool's first block is this part of its largest; each later one doubles, so a small job reserves little.
_FIRST_BLOCK_PART = 8
# No block takes more than this part of its heap, nor a host block of the cap.
_SHARE = 8


class Backend(Protocol):
    """The few things that the allocator needs of a device."""

    @property
    def memory_types(self) -> Sequence[MemoryType]:
        """The device's memory types, in its own order."""
        ...

    @property
    def non_coherent_atom_size(self) -> int:
        """Bytes to which flushes and invalidations are aligned, a power of two (`nonCoherentAtomSize`)."""
        ...

    def allocate(self, type_index: int, size: int, name: str) -> Any:
        """Reserve bytes of a memory type and return their handle; raise `OutOfMemoryError` when the driver can't."""
        ...

    def free(self, handle: Any) -> None:
        """Give the memory back; a mapping of it ends with it."""
        ...

    def map(self, handle: Any, size: int) -> memoryview:
        """Map the whole of a host-visible allocation: `size` writable bytes (format "B"), until it is freed."""
        ...


class _Pool(NamedTuple):
    """What the allocations of one block have in common."""

    memory_type: MemoryType
    intent: Intent
    linear: bool


class _Block:
    """One reservation from the driver and the allocations in it, by offset."""

    __slots__ = ("dedicated", "handle", "live", "mapped", "pool", "size", "tlsf")

    def __init__(self, pool: _Pool, handle: Any, size: int, dedicated: bool, mapped: memoryview | None) -> None:
        self.pool = pool
        self.handle = handle
        self.size = size
        self.dedicated = dedicated
        self.mapped = mapped
        self.tlsf = TLSF(size)
        self.live: dict[int, Allocation] = {}


@dataclass(slots=True, eq=False)
class Allocation:
    """A stretch of device memory with a name and an owner.

    Attributes:
        handle: the block's handle, as the backend gave it (`VkDeviceMemory`); shared with other allocations.
        offset: bytes from the start of the block.
        size: bytes asked for.
        footprint: bytes taken from the block: `size`, rounded up to whole atoms where the type is not coherent.
        intent: what it is for.
        name, owner: for reports and errors.
        memory_type: index of the memory type.
        mapped: writable bytes (`size` of them) for host intents, None for DEVICE. Freeing the allocation releases it;
            arrays made from it must be dropped before that, they would point at memory that is gone.
        needs_invalidate: the host must invalidate [offset, offset + footprint) before it reads what the device wrote.
    """

    handle: Any
    offset: int
    size: int
    footprint: int
    intent: Intent
    name: str
    owner: str
    memory_type: int
    mapped: memoryview | None = field(repr=False)
    needs_invalidate: bool
    _block: _Block | None = field(repr=False)

    @property
    def is_live(self) -> bool:
        """Whether it has its memory: from the end of `Allocator.allocate` to `Allocator.free`."""
        return self._block is not None and self._block.live.get(self.offset) is self


class Allocator:
    """Sub-allocates a device's memory. Thread-safe.

    Args:
        backend: the device.
        host_cap: most bytes that host intents (UPLOAD, READBACK, DYNAMIC) may reserve from the driver together.
    """

    def __init__(self, backend: Backend, host_cap: int = DEFAULT_HOST_CAP) -> None:
        if host_cap <= 0:
            raise ValueError(f"a host memory cap of {host_cap} bytes was given; it must be positive")
        self.host_cap = host_cap
        self._backend = backend
        self._lock = threading.RLock()
        self._settled = True  # whether the books are in order
        self._pools: dict[_Pool, list[_Block]] = {}
        self._closed = False
        self._used = self._reserved = self._host_reserved = 0
        self._peak = Peak(used=0, reserved=0, host_reserved=0)

    def allocate(
        self,
        size: int,
        alignment: int,
        type_bits: int,
        intent: Intent,
        name: str,
        owner: str,
        *,
        linear: bool,
        dedicated: bool = False,
        into: list[Allocation] | None = None,
    ) -> Allocation:
        """Find a place for a resource.

        Args:
            size: bytes, positive.
            alignment: bytes, a power of two.
            type_bits: the memory types that the resource allows, one bit each.
            intent: what it is for.
            name: for reports, errors and debuggers.
            owner: the part of vkforge that holds it, for reports and errors.
            linear: True for buffers and linear images, False for optimally tiled images.
            dedicated: give it a block of its own. One that is over half a full-grown block gets one anyway.
            into: a list that it joins before it takes any memory, so that nobody loses it.

        Raises:
            HostCapError: the cap on host memory would be passed.
            OutOfMemoryError: the driver has no memory left, or the heap is smaller than the request.
            DeviceError: no allowed memory type serves the intent.
            ValueError: `size` is not positive or `alignment` not a power of two.
            RuntimeError: the allocator is closed.
        """
        if size <= 0:
            raise ValueError(f"{size} bytes were asked for {name!r} (owner {owner!r}); the size must be positive")
        if alignment <= 0 or alignment & (alignment - 1):
            raise ValueError(f"{name!r} (owner {owner!r}) wants alignment {alignment}; it must be a power of two")
        memory_type = choose_memory_type(self._backend.memory_types, type_bits, intent)
        pool = _Pool(memory_type, intent, linear)
        footprint = size
        if intent.is_host and not memory_type.host_coherent:
            # Whole atoms, so that invalidating one allocation never touches another's bytes.
            atom = self._backend.non_coherent_atom_size
            alignment = max(alignment, atom)
            footprint = -(-size // atom) * atom

        with self._books():
            if self._closed:
                raise RuntimeError(f"{name!r} (owner {owner!r}) was asked of an allocator that is closed")
            block, offset = None, None
            if not dedicated and footprint <= self._block_limit(pool) // 2:
                for block in self._pools.get(pool, ()):
                    if (offset := block.tlsf.allocate(footprint, alignment)) is not None:
                        break
            if block is None or offset is None:
                block = self._add_block(pool, footprint, dedicated, name, owner)
                offset = block.tlsf.allocate(footprint, alignment)
                assert offset == 0, "a new block holds what it was made for"
            allocation = Allocation(
                handle=block.handle,
                offset=offset,
                size=size,
                footprint=footprint,
                intent=intent,
                name=name,
                owner=owner,
                memory_type=memory_type.index,
                mapped=None if block.mapped is None else block.mapped[offset : offset + size],
                needs_invalidate=intent.is_host and not memory_type.host_coherent,
                _block=block,
            )
            if into is not None:
                into.append(allocation)
            block.live[offset] = allocation
            self._used += footprint
            self._note_peak()
        return allocation

    def free(self, allocation: Allocation) -> None:
        """Take an allocation back. The device must be done with it.

        Raises:
            RuntimeError: it was freed before (or its allocator closed), or it is another allocator's.
        """
        with self._books():
            block, what = allocation._block, f"{allocation.name!r} (owner {allocation.owner!r})"
            if block is None or not allocation.is_live:
                raise RuntimeError(f"{what} is freed a second time, or after its allocator was closed")
            if block not in self._pools.get(block.pool, ()):
                raise RuntimeError(f"{what} belongs to another allocator; free it there")
            self._retire(allocation)
            if not block.live:
                spare = any(not other.live for other in self._pools[block.pool] if other is not block)
                if block.dedicated or spare:
                    self._remove_block(block)

    @property
    def used(self) -> int:
        """Bytes of blocks that live allocations take."""
        with self._books():
            return self._used

    @property
    def reserved(self) -> int:
        """Bytes taken from the driver."""
        with self._books():
            return self._reserved

    @property
    def host_reserved(self) -> int:
        """Bytes taken from the driver by host intents: what the cap counts."""
        with self._books():
            return self._host_reserved

    def trim(self) -> int:
        """Give all empty blocks back to the driver and return how many bytes they were."""
        with self._books():
            return self._trim()

    def close(self) -> list[str]:
        """Give everything back to the driver, and return the names of the allocations that nobody had freed.

        Those are leaks: their handles are invalid from now on. A second call does nothing and returns an empty list.
        """
        with self._books():
            self._closed = True
            leaks = []
            for block in list(self._blocks()):
                for allocation in list(block.live.values()):
                    leaks.append(allocation.name)
                    self._retire(allocation)
                self._remove_block(block)
            return leaks

    def report(self) -> MemoryReport:
        """Describe all blocks and allocations as they are now."""
        with self._books():
            return self._report()

    @contextlib.contextmanager
    def _books(self) -> Iterator[None]:
        """Have the books to oneself, in order."""
        with self._lock:
            if not self._settled:
                self._settle()
            self._settled = False
            yield
            self._settled = True

    def _settle(self) -> None:
        """Work out anew all that follows from the blocks and what lives in them."""
        for pool, blocks in list(self._pools.items()):
            empty = [block for block in blocks if not block.live]
            spare = next((block for block in empty if not block.dedicated), None)
            kept = [block for block in blocks if block.live or block is spare]
            if kept:
                self._pools[pool] = kept
            else:
                del self._pools[pool]
            for block in empty:
                if block is not spare:
                    self._give_back(block)
            for block in kept:
                block.tlsf = TLSF.holding(block.size, {at: held.footprint for at, held in block.live.items()})
        blocks = list(self._blocks())
        self._used = sum(held.footprint for block in blocks for held in block.live.values())
        self._reserved = sum(block.size for block in blocks)
        self._host_reserved = sum(block.size for block in blocks if block.pool.intent.is_host)

    def _report(self) -> MemoryReport:
        """Do what `report` does, under the caller's lock."""
        return MemoryReport.of(self.host_cap, self._peak, [_describe(block) for block in self._blocks()])

    def _blocks(self) -> Iterator[_Block]:
        """Iterate over all blocks, by intent and then by age."""
        for intent in Intent:
            for pool, blocks in self._pools.items():
                if pool.intent is intent:
                    yield from blocks

    def _block_limit(self, pool: _Pool) -> int:
        """Return the size in bytes of a pool's full-grown block, a power of two."""
        limit = min(_HOST_BLOCK if pool.intent.is_host else _DEVICE_BLOCK, pool.memory_type.heap_size // _SHARE)
        if pool.intent.is_host:
            limit = min(limit, self.host_cap // _SHARE)
        return 1 << max(limit.bit_length() - 1, 0)

    def _block_sizes(self, pool: _Pool, footprint: int, dedicated: bool) -> list[int]:
        """Return the sizes that a new block may have, the one to prefer first, the footprint itself last."""
        limit = self._block_limit(pool)
        if dedicated or footprint > limit // 2:
            return [footprint]
        largest = max((block.size for block in self._pools.get(pool, ()) if not block.dedicated), default=0)
        least = 1 << footprint.bit_length()  # a power of two with room for more than the request
        preferred = min(limit, max(2 * largest, limit // _FIRST_BLOCK_PART, least))
        sizes = [footprint]
        while least <= preferred:
            sizes.insert(0, least)
            least *= 2
        return sizes

    def _add_block(self, pool: _Pool, footprint: int, dedicated: bool, name: str, owner: str) -> _Block:
        """Reserve a block that holds `footprint` bytes: as large as is sensible, as small as the cap demands."""
        sizes = self._block_sizes(pool, footprint, dedicated)
        if pool.intent.is_host:
            if footprint > self.host_cap - self._host_reserved:
                self._trim()
            room = self.host_cap - self._host_reserved
            if footprint > room:
                raise HostCapError(self._cap_message(footprint, name, owner))
            sizes = [size for size in sizes if size <= room]
        if footprint > pool.memory_type.heap_size:
            raise OutOfMemoryError(self._exhausted_message(pool, footprint, name, owner))
        block_name = name if sizes[0] == footprint else f"{pool.intent.value} block"
        try:
            return self._reserve(pool, sizes[0], sizes[0] == footprint, block_name)
        except OutOfMemoryError:
            self._trim()
        try:
            return self._reserve(pool, footprint, True, name)
        except OutOfMemoryError as error:
            raise OutOfMemoryError(self._exhausted_message(pool, footprint, name, owner)) from error

    def _reserve(self, pool: _Pool, size: int, dedicated: bool, name: str) -> _Block:
        """Take a block from the driver, map it if its intent is a host one, and count it."""
        handle = self._backend.allocate(pool.memory_type.index, size, name)
        try:
            mapped = self._backend.map(handle, size) if pool.intent.is_host else None
        except BaseException:
            self._backend.free(handle)
            raise
        block = _Block(pool, handle, size, dedicated, mapped)
        self._pools.setdefault(pool, []).append(block)
        self._reserved += size
        if pool.intent.is_host:
            self._host_reserved += size
        return block

    def _remove_block(self, block: _Block) -> None:
        """Give an empty block back to the driver."""
        blocks = self._pools[block.pool]
        blocks.remove(block)
        if not blocks:
            del self._pools[block.pool]
        self._reserved -= block.size
        if block.pool.intent.is_host:
            self._host_reserved -= block.size
        self._give_back(block)

    def _give_back(self, block: _Block) -> None:
        """Give the memory of a block that is in no pool any more to the driver."""
        _release(block.mapped)
        self._backend.free(block.handle)

    def _retire(self, allocation: Allocation) -> None:
        """Take an allocation's bytes back into its block."""
        block = allocation._block
        assert block is not None
        del block.live[allocation.offset]
        self._used -= block.tlsf.free(allocation.offset)
        _release(allocation.mapped)
        allocation.mapped = allocation._block = None

    def _trim(self) -> int:
        """Do what `trim` does, under the caller's lock."""
        empty = [block for block in self._blocks() if not block.live]
        for block in empty:
            self._remove_block(block)
        return sum(block.size for block in empty)

    def _note_peak(self) -> None:
        """Raise the peaks to what there is now."""
        peak = self._peak
        if self._used > peak.used or self._reserved > peak.reserved or self._host_reserved > peak.host_reserved:
            self._peak = Peak(
                used=max(self._used, peak.used),
                reserved=max(self._reserved, peak.reserved),
                host_reserved=max(self._host_reserved, peak.host_reserved),
            )

    def _cap_message(self, footprint: int, name: str, owner: str) -> str:
        """Name the cap, what was asked and who holds the rest."""
        report = self._report()
        return (
            f"the host memory cap of {mib(self.host_cap)} would be passed: {name!r} (owner {owner!r}) asks for "
            f"{mib(footprint)} and {mib(report.host_reserved)} is reserved, "
            f"{mib(report.host_reserved - report.host_used)} of that free in pieces; "
            f"holders: {report.top_owners(host_only=True)}; free some, ask for less, or raise host_memory_cap"
        )

    def _exhausted_message(self, pool: _Pool, footprint: int, name: str, owner: str) -> str:
        """Name the heap, what was asked and who holds what this process has of it."""
        report = self._report()
        return (
            f"out of memory: {name!r} (owner {owner!r}) asks for {mib(footprint)} of {pool.intent.value} memory from "
            f"heap {pool.memory_type.heap} of {mib(pool.memory_type.heap_size)}; this renderer has reserved "
            f"{mib(report.reserved)}; holders: {report.top_owners()}; "
            "use a smaller picture or DEM, or free memory on the device"
        )


def _describe(block: _Block) -> BlockReport:
    """Copy a block into its report."""
    statistics = block.tlsf.statistics()
    spans = []
    for span in block.tlsf.spans():
        held = block.live.get(span.offset)
        names = (held.name, held.owner) if held is not None else (None, None)
        spans.append(SpanReport(span.offset, span.size, *names))
    return BlockReport(
        intent=block.pool.intent.value,
        memory_type=block.pool.memory_type.index,
        linear=block.pool.linear,
        dedicated=block.dedicated,
        size=block.size,
        used=statistics.used,
        largest_free=statistics.largest_free,
        fragmentation=statistics.fragmentation,
        spans=tuple(spans),
    )


def _release(view: memoryview | None) -> None:
    """Make a mapped view unusable, so that writing to freed memory raises ValueError."""
    if view is not None:
        # A NumPy array made from the view holds it, and can't be revoked.
        with contextlib.suppress(BufferError):
            view.release()
