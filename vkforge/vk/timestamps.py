"""GPU timestamps around passes."""

from __future__ import annotations

from collections.abc import Sequence

from vkforge.vk.commands import Commands
from vkforge.vk.device import Owner
from vkforge.vk.ffi import C, check, ffi, struct


class Timestamps:
    """A pair of timestamps for each named pass; nothing at all on a queue that has none."""

    def __init__(self, owner: Owner, names: Sequence[str]) -> None:
        self.names = list(names)
        self._device = owner.device
        self._enabled = owner.device.timestamp_bits > 0
        self._count = 2 * len(self.names)
        if self._enabled:
            create_info = struct("VkQueryPoolCreateInfo", queryType=C.VK_QUERY_TYPE_TIMESTAMP, queryCount=self._count)
            self._pool = owner.create("QueryPool", create_info, "timestamps")

    def reset(self, commands: Commands) -> None:
        """Record the reset that each submission begins with."""
        if self._enabled:
            commands.reset_timestamps(self._pool, self._count)

    def begin(self, commands: Commands, index: int) -> None:
        """Record the start of pass `index`."""
        if self._enabled:
            commands.timestamp(self._pool, 2 * index)

    def end(self, commands: Commands, index: int) -> None:
        """Record the end of pass `index`."""
        if self._enabled:
            commands.timestamp(self._pool, 2 * index + 1)

    def _read(self) -> list[tuple[int, bool]]:
        """Return (ticks, whether they are there) of each query."""
        data = ffi.new("uint64_t[]", 2 * self._count)
        flags = C.VK_QUERY_RESULT_64_BIT | C.VK_QUERY_RESULT_WITH_AVAILABILITY_BIT
        size = ffi.sizeof(data)
        fn = self._device.fn.vkGetQueryPoolResults
        check(fn(self._device.handle, self._pool, 0, self._count, size, data, 16, flags), "reading timestamps")
        return [(data[2 * i], bool(data[2 * i + 1])) for i in range(self._count)]

    def milliseconds(self) -> dict[str, float]:
        """Return the GPU time of each pass whose timestamps are there."""
        if not self._enabled:
            return {}
        queries = self._read()
        mask = (1 << self._device.timestamp_bits) - 1
        scale = self._device.info.limits["timestampPeriod"] * 1e-6
        return {
            name: ((queries[2 * i + 1][0] - queries[2 * i][0]) & mask) * scale
            for i, name in enumerate(self.names)
            if queries[2 * i][1] and queries[2 * i + 1][1]
        }

    def first_unfinished(self) -> str | None:
        """Return the first pass without an end, None if all ended or nobody can tell."""
        if not self._enabled:
            return None
        queries = self._read()
        return next((name for i, name in enumerate(self.names) if not queries[2 * i + 1][1]), None)
