"""Bringing arrays onto the device and pictures back, in pieces that fit under the host-memory cap."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vkforge.bands import copied, copy
from vkforge.errors import DeviceError, HostCapError
from vkforge.graph.access import Access
from vkforge.memory.intents import Intent
from vkforge.vk.commands import Commands
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import FORMATS, Buffer, Image

UPLOAD_CHUNK = 16 * 2**20
READBACK_SLOTS = 2
READING = "reading the picture back"  # for errors

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


class Slot:
    """A buffer of the ring and the commands that fill it.

    Attributes:
        value: What their last submission signals, if there was one.
        pending: The copy whose pixels the buffer holds, until they are taken out.
        released: Whether the ring gave it back.
    """

    def __init__(self, device: Device, name: str, size: int) -> None:
        self.value = 0
        self.pending: PendingCopy | None = None
        self.released = False
        self._owner = Owner(device, f"readback#{next(_serials)}")
        with self._owner:
            self.buffer = Buffer(self._owner, name, size, frozenset(["copy_destination"]), Intent.READBACK)
            self.commands = Commands(self._owner, name)

    def submit(self, device: Device, images: Sequence[tuple[Image, int, int, int]]) -> int:
        """Submit the copies of (image, first row, rows, offset in the buffer); return their timeline value."""
        with self.commands as commands:
            for image, first, rows, offset in images:
                commands.copy_from_image(image, first, rows, self.buffer, offset)
            commands.memory_barrier(Access.COPY_DESTINATION, Access.HOST_READ)
        self.value = device.submitted + 1  # if it gets so far; an interrupt may come first
        return device.submit(self.commands.handle, READING)

    def release(self) -> None:
        """Give it back; the pixels in it are lost."""
        self.released = True
        self._owner.release()


class PendingCopy:
    """Images on their way back. `result()` waits and returns arrays that the caller owns.

    After `arrive()` another thread may call `result()`, while this one goes on submitting work.
    """

    def __init__(
        self, readback: Readback, slot: Slot | None, value: int, shapes: list[tuple[int, ...]], dtypes: list[Any]
    ):
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
        # On one line: an interrupt between its end and the lock's would leave the other thread waiting for ever.
        with self._readback.copying: arrays = self._taken()  # fmt: skip  # noqa: E701
        return arrays

    def _taken(self) -> list[np.ndarray]:
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
        self._slots: list[Slot | None] = [None] * READBACK_SLOTS
        self._next = 0
        self.copying = threading.RLock()  # held while arrays are copied out, by whichever thread

    def check(self, images: Sequence[Image]) -> None:
        """Check, before anything is rendered, that every image can be read back, if only row by row.

        Raises:
            HostCapError: Not even one row of the widest image fits under the cap.
        """
        self._device.collect()
        self._limit(images)

    def _limit(self, images: Sequence[Image]) -> int:
        """Return how many bytes one buffer of the ring may have."""
        allocator = self._device.allocator
        held = sum(slot.buffer.size for slot in self._slots if slot is not None)
        limit = (allocator.host_cap - allocator.host_reserved + held) // (2 * READBACK_SLOTS)
        for image in images:
            row_bytes = image.size[0] * FORMATS[image.format].texel_bytes
            if row_bytes > limit:
                holders = allocator.report().top_owners(host_only=True)
                raise HostCapError(
                    f"a row of {image.name} takes {row_bytes / 2**20:.1f} MiB and the host-memory cap of "
                    f"{allocator.host_cap / 2**20:.0f} MiB leaves {limit / 2**20:.1f} MiB "
                    f"(holders: {holders}); render narrower, or raise host_memory_cap"
                )
        return limit

    def start(self, images: Sequence[Image]) -> PendingCopy:
        """Submit the copies of whole images and return at once.

        Raises:
            HostCapError: Not even one row of the widest image fits under the cap.
        """
        texels = [FORMATS[image.format] for image in images]
        shapes = [(image.size[1], image.size[0], texel.channels) for image, texel in zip(images, texels, strict=True)]
        dtypes = [texel.dtype for texel in texels]
        sizes = [_aligned(int(np.prod(shape)) * dtype.itemsize) for shape, dtype in zip(shapes, dtypes, strict=True)]
        total, limit = sum(sizes), self._limit(images)
        if total > limit:
            return self._in_bands(images, shapes, dtypes, limit)
        slot = self._acquire(total)
        offsets = itertools.accumulate(sizes[:-1], initial=0)
        copies = [(image, 0, image.size[1], offset) for image, offset in zip(images, offsets, strict=True)]
        pending = PendingCopy(self, slot, slot.submit(self._device, copies), shapes, dtypes)
        slot.pending = pending
        return pending

    def _in_bands(
        self, images: Sequence[Image], shapes: list[tuple[int, ...]], dtypes: list[Any], limit: int
    ) -> PendingCopy:
        """Copy more than the ring holds: band after band of rows, one in flight while the one before is read."""
        arrays = [np.empty(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
        in_flight: list[tuple[Slot, int, np.ndarray]] = []

        def finish() -> None:
            slot, value, target = in_flight.pop(0)
            self._device.wait(value, READING)
            slot.buffer.invalidate()
            copy(target, slot.buffer.array(target.dtype, target.size).reshape(target.shape))

        for image, array in zip(images, arrays, strict=True):
            rows = limit // array[0].nbytes
            for first in range(0, array.shape[0], rows):
                target = array[first : first + rows]
                if len(in_flight) == READBACK_SLOTS:
                    finish()
                slot = self._acquire(target.nbytes)
                in_flight.append((slot, slot.submit(self._device, [(image, first, len(target), 0)]), target))
        while in_flight:
            finish()
        done = PendingCopy(self, None, 0, shapes, dtypes)
        done._arrays, done._arrived = arrays, True
        return done

    def _acquire(self, size: int) -> Slot:
        """Return the next slot, in no use, its last contents taken out and its buffer at least `size` bytes long."""
        index = self._next
        self._next = (index + 1) % READBACK_SLOTS
        slot = self._slots[index]
        if slot is not None:
            if slot.pending is not None:
                slot.pending.result()
            self._device.wait(slot.value, READING)  # for one that was cut off
            if slot.buffer.size >= size:
                return slot
            self._slots[index] = None
            slot.release()
            self._device.wait(self._device.submitted, READING)
            self._device.collect()  # or the cap would have to hold both
        slot = self._slots[index] = Slot(self._device, f"ring {index}", size)
        return slot

    def _arrive(self, pending: PendingCopy) -> None:
        self._device.wait(pending._value, READING)
        assert pending._slot is not None, "bands have arrived"
        pending._slot.buffer.invalidate()

    def _collect(self, pending: PendingCopy) -> list[np.ndarray]:
        slot = pending._slot
        assert slot is not None, "bands are collected"
        if slot.released:
            raise DeviceError("this renderer was closed before the picture was read back")
        arrays, offset = [], 0
        for shape, dtype in zip(pending._shapes, pending._dtypes, strict=True):
            count = int(np.prod(shape))
            arrays.append(copied(slot.buffer.array(dtype, count, offset).reshape(shape)))
            offset += _aligned(count * dtype.itemsize)
        slot.pending = None
        return arrays

    def release(self) -> None:
        """Give the ring back; copies still pending are lost."""
        with self.copying: self._release()  # fmt: skip  # noqa: E701  # as in `PendingCopy.result`

    def _release(self) -> None:
        for index, slot in enumerate(self._slots):
            if slot is not None:
                slot.release()
                self._slots[index] = None


def _aligned(size: int) -> int:
    """Return `size` rounded up so that what follows it is aligned for any format and copy."""
    return -(-size // 256) * 256
