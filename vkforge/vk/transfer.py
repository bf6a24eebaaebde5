"""Bringing arrays onto the device and pictures back, in pieces that fit under the host-memory cap."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vkforge.bands import copied, copy
from vkforge.errors import HostCapError
from vkforge.graph.access import Access
from vkforge.memory.intents import Intent
from vkforge.vk.commands import Commands
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import FORMATS, Buffer, Image

UPLOAD_CHUNK = 16 * 2**20
READBACK_SLOTS = 2

_serials = itertools.count()


def upload(
    device: Device, image: Image, fill: Callable[[np.ndarray, int], None], *, then: Access = Access.SAMPLED
) -> None:
    """Fill an image through two staging buffers, so that copying one overlaps filling the other.

    Args:
        device: The image's device.
        image: In no use; what it holds is lost.
        fill: `fill(rows, first)` writes rows first, first + 1, ... of the image into `rows`, an array
            (count, width, channels) of the format's dtype.
        then: What the image ends ready for.

    Raises:
        HostCapError: Not even one row fits under the cap.
    """
    texel = FORMATS[image.format]
    width, height = image.size
    row_bytes = width * texel.texel_bytes
    allocator = device.allocator
    budget = min(UPLOAD_CHUNK, max(0, allocator.host_cap - allocator.host_reserved) // 4)
    rows = min(height, max(1, budget // row_bytes))
    owner = Owner(device, f"upload {image.name}#{next(_serials)}")
    try:
        staging = [
            (
                Buffer(owner, f"staging {i}", rows * row_bytes, frozenset(["copy_source"]), Intent.UPLOAD),
                Commands(owner, f"copy {i}"),
            )
            for i in range(min(2, -(-height // rows)))
        ]
        done = [0] * len(staging)
        for index, first in enumerate(range(0, height, rows)):
            buffer, commands = staging[index % len(staging)]
            count = min(rows, height - first)
            if done[index % len(staging)]:
                device.wait(done[index % len(staging)], f"upload of {image.name}")
            view = buffer.array(texel.dtype, count * width * texel.channels)
            fill(view.reshape(count, width, texel.channels), first)
            with commands:
                if first == 0:
                    commands.transition(image, None, Access.COPY_DESTINATION)
                commands.copy_to_image(buffer, 0, image, first, count)
                if first + count == height:
                    commands.transition(image, Access.COPY_DESTINATION, then)
            done[index % len(staging)] = device.submit(commands.handle, f"upload of {image.name}")
        device.wait(device.submitted, f"upload of {image.name}")
    finally:
        owner.release()


class PendingCopy:
    """Images on their way back. `result()` waits and returns arrays that the caller owns.

    After `arrive()` another thread may call `result()`, while this one goes on submitting work.
    """

    def __init__(self, readback: Readback, slot: int, value: int, shapes: list[tuple[int, ...]], dtypes: list[Any]):
        self._readback, self._slot, self._value = readback, slot, value
        self._shapes, self._dtypes = shapes, dtypes
        self._arrays: list[np.ndarray] | None = None
        self._arrived = False

    def arrive(self) -> None:
        """Wait until all is in the host's memory."""
        if not self._arrived:
            self._readback._arrive(self)
            self._arrived = True

    def result(self) -> list[np.ndarray]:
        """Return one (height, width, channels) array an image, in the order asked."""
        with self._readback.copying:
            if self._arrays is None:
                self.arrive()
                self._arrays = self._readback._collect(self)
        return self._arrays


class Readback:
    """A ring of host buffers: while one is read, the device renders the next frame and copies it into another.

    The images must be in the copy-source layout whenever `start` is called (a graph's `hand_over` leaves them so). What
    does not fit into one buffer of the ring comes back in bands of rows, before `start` returns.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._owners: list[Owner | None] = [None] * READBACK_SLOTS
        self._buffers: list[Buffer | None] = [None] * READBACK_SLOTS
        self._commands: list[Commands | None] = [None] * READBACK_SLOTS
        self._pending: list[PendingCopy | None] = [None] * READBACK_SLOTS
        self._next = 0
        self.copying = threading.Lock()  # held while arrays are copied out, by whichever thread

    def start(self, images: Sequence[Image]) -> PendingCopy:
        """Submit the copies of whole images and return at once.

        Raises:
            HostCapError: Not even one row of the widest image fits under the cap.
        """
        texels = [FORMATS[image.format] for image in images]
        shapes = [(image.size[1], image.size[0], texel.channels) for image, texel in zip(images, texels, strict=True)]
        dtypes = [texel.dtype for texel in texels]
        sizes = [int(np.prod(shape)) * dtype.itemsize for shape, dtype in zip(shapes, dtypes, strict=True)]
        total = sum(_aligned(size) for size in sizes)
        allocator = self._device.allocator
        held = sum(buffer.size for buffer in self._buffers if buffer is not None)
        limit = (allocator.host_cap - allocator.host_reserved + held) // (2 * READBACK_SLOTS)
        if total > limit:
            return self._in_bands(images, shapes, dtypes, limit)
        slot = self._acquire(total)
        buffer, commands = self._buffers[slot], self._commands[slot]
        assert buffer is not None and commands is not None
        with commands:
            offset = 0
            for image, size in zip(images, sizes, strict=True):
                commands.copy_from_image(image, 0, image.size[1], buffer, offset)
                offset += _aligned(size)
            commands.memory_barrier(Access.COPY_DESTINATION, Access.HOST_READ)
        value = self._device.submit(commands.handle, "reading the picture back")
        pending = PendingCopy(self, slot, value, shapes, dtypes)
        self._pending[slot] = pending
        return pending

    def _in_bands(
        self, images: Sequence[Image], shapes: list[tuple[int, ...]], dtypes: list[Any], limit: int
    ) -> PendingCopy:
        """Copy more than the ring holds: band after band of rows, one in flight while the one before is read."""
        arrays = [np.empty(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
        in_flight: list[tuple[int, int, np.ndarray]] = []

        def finish() -> None:
            slot, value, target = in_flight.pop(0)
            self._device.wait(value, "reading the picture back")
            buffer = self._buffers[slot]
            assert buffer is not None
            buffer.invalidate()
            copy(target, buffer.array(target.dtype, target.size).reshape(target.shape))

        for image, array in zip(images, arrays, strict=True):
            row_bytes = array[0].nbytes
            rows = limit // row_bytes
            if rows == 0:
                holders = self._device.allocator.report().top_owners(host_only=True)
                raise HostCapError(
                    f"a row of {image.name} takes {row_bytes / 2**20:.1f} MiB and the host-memory cap of "
                    f"{self._device.allocator.host_cap / 2**20:.0f} MiB leaves {limit / 2**20:.1f} MiB "
                    f"(holders: {holders}); render narrower, or raise host_memory_cap"
                )
            for first in range(0, array.shape[0], rows):
                target = array[first : first + rows]
                if len(in_flight) == READBACK_SLOTS:
                    finish()
                slot = self._acquire(target.nbytes)
                buffer, commands = self._buffers[slot], self._commands[slot]
                assert buffer is not None and commands is not None
                with commands:
                    commands.copy_from_image(image, first, target.shape[0], buffer, 0)
                    commands.memory_barrier(Access.COPY_DESTINATION, Access.HOST_READ)
                in_flight.append((slot, self._device.submit(commands.handle, "reading the picture back"), target))
        while in_flight:
            finish()
        done = PendingCopy(self, -1, 0, shapes, dtypes)
        done._arrays, done._arrived = arrays, True
        return done

    def _acquire(self, size: int) -> int:
        """Return the next slot, its last contents collected and its buffer at least `size` bytes long."""
        slot = self._next
        self._next = (slot + 1) % READBACK_SLOTS
        pending = self._pending[slot]
        if pending is not None:
            pending.result()
        buffer = self._buffers[slot]
        if buffer is None or buffer.size < size:
            self._drop(slot)
            owner = Owner(self._device, f"readback#{next(_serials)}")
            self._owners[slot] = owner
            self._buffers[slot] = Buffer(owner, f"ring {slot}", size, frozenset(["copy_destination"]), Intent.READBACK)
            self._commands[slot] = Commands(owner, f"ring {slot}")
        return slot

    def _arrive(self, pending: PendingCopy) -> None:
        self._device.wait(pending._value, "reading the picture back")
        buffer = self._buffers[pending._slot]
        assert buffer is not None
        buffer.invalidate()

    def _collect(self, pending: PendingCopy) -> list[np.ndarray]:
        buffer = self._buffers[pending._slot]
        assert buffer is not None
        arrays, offset = [], 0
        for shape, dtype in zip(pending._shapes, pending._dtypes, strict=True):
            count = int(np.prod(shape))
            arrays.append(copied(buffer.array(dtype, count, offset).reshape(shape)))
            offset += _aligned(count * dtype.itemsize)
        self._pending[pending._slot] = None
        return arrays

    def _drop(self, slot: int) -> None:
        owner = self._owners[slot]
        if owner is not None:
            self._buffers[slot] = self._commands[slot] = self._owners[slot] = None
            owner.release()
            self._device.wait(self._device.submitted, "reading the picture back")
            self._device.collect()

    def release(self) -> None:
        """Give the ring back; copies still pending are lost."""
        with self.copying:
            for slot in range(READBACK_SLOTS):
                owner = self._owners[slot]
                self._buffers[slot] = self._commands[slot] = self._owners[slot] = self._pending[slot] = None
                if owner is not None:
                    owner.release()


def _aligned(size: int) -> int:
    """Return `size` rounded up so that what follows it is aligned for any format and copy."""
    return -(-size // 256) * 256
