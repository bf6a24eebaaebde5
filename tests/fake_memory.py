"""A device memory backend in plain Python, which counts what it gives and refuses what it has not got."""

from __future__ import annotations

from vkforge.errors import OutOfMemoryError
from vkforge.memory.intents import MemoryType

MIB = 2**20
# As on lavapipe: one type that is everything at once.
ALL_IN_ONE = (MemoryType(0, 0, 2048 * MIB, True, True, True, True),)
# As on a discrete GPU: device memory, staging, cached readback, and a device-local window that the host can see.
DISCRETE = (
    MemoryType(0, 0, 8192 * MIB, True, False, False, False),
    MemoryType(1, 1, 4096 * MIB, False, True, True, False),
    MemoryType(2, 1, 4096 * MIB, False, True, True, True),
    MemoryType(3, 2, 256 * MIB, True, True, True, False),
)
# As on some mobile GPUs: what is cached is not coherent.
NON_COHERENT = (
    MemoryType(0, 0, 1024 * MIB, True, True, True, False),
    MemoryType(1, 0, 1024 * MIB, True, True, False, True),
)


class FakeBackend:
    """Hands out numbered handles; host memory is a bytearray for each.

    Args:
        memory_types: the device's.
        capacity: bytes that it has, over all types.
    """

    def __init__(self, memory_types: tuple[MemoryType, ...] = ALL_IN_ONE, capacity: int = 2**40) -> None:
        self.memory_types = memory_types
        self.non_coherent_atom_size = 64
        self.capacity = capacity
        self.live: dict[int, tuple[int, int, str]] = {}
        self.mappings: dict[int, memoryview] = {}
        self.calls = 0
        self.failures = 0  # so many of the next calls fail, whatever there is
        self.map_fails = False

    @property
    def reserved(self) -> int:
        return sum(size for _, size, _ in self.live.values())

    def allocate(self, type_index: int, size: int, name: str) -> int:
        assert type_index < len(self.memory_types)
        assert size > 0
        assert name
        self.calls += 1
        if self.failures:
            self.failures -= 1
            raise OutOfMemoryError("the driver says no")
        if self.reserved + size > self.capacity:
            raise OutOfMemoryError("the driver has no more")
        self.live[self.calls] = (type_index, size, name)
        return self.calls

    def free(self, handle: int) -> None:
        del self.live[handle]
        self.mappings.pop(handle, None)

    def map(self, handle: int, size: int) -> memoryview:
        assert handle not in self.mappings, "mapped twice"
        assert self.live[handle][1] == size
        if self.map_fails:
            raise OutOfMemoryError("the driver can't map")
        self.mappings[handle] = memoryview(bytearray(size))
        return self.mappings[handle]
