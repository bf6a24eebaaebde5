"""Who owns what on a device, so that it is made whole or taken down, and destroyed once, whenever Ctrl-C comes.

Python may raise KeyboardInterrupt between any two bytecodes. So a handle has its place in the books of its owner before
the driver fills it in, and what was destroyed is crossed out in the same breath (`at_once`). Nothing here has to be
caught, and whatever is cut off goes on where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from operator import setitem
from typing import TYPE_CHECKING, Any

from vkforge.memory.allocator import Allocation
from vkforge.vk.ffi import check, ffi

if TYPE_CHECKING:
    from types import TracebackType

    from vkforge.vk.device import Device


def at_once(*calls: partial[Any]) -> list[Any]:
    """Call functions of C one after the other with no bytecode in between, at which Python could raise an interrupt."""
    return list(map(partial.__call__, calls))


@dataclass(eq=False)
class Holding:
    """What an owner has, in the order in which it was made.

    Attributes:
        key: Tells it from all others of the device.
        objects: (kind, cell) of each Vulkan object; the cell holds its handle, or NULL where there is none (any more).
        memory: Allocations, live or not.
    """

    key: int
    objects: list[tuple[str, Any]] = field(default_factory=list)
    memory: list[Allocation] = field(default_factory=list)

    def destroy(self, device: Device) -> None:
        """Destroy all of it now, in reverse; cut off, it goes on with what is left when it is called again."""
        while self.objects:
            kind, cell = self.objects[-1]
            if cell[0] != ffi.NULL:
                destroyer = getattr(device.fn, f"vkDestroy{kind}")
                at_once(partial(destroyer, device.handle, cell[0], ffi.NULL), partial(setitem, cell, 0, ffi.NULL))
            self.objects.pop()
        while self.memory:
            if self.memory[-1].is_live:
                device.allocator.free(self.memory[-1])
            self.memory.pop()


class Owner:
    """Vulkan objects and memory that live together, and are given back together when the GPU is done with them.

    That is when `release` is called, when an exception leaves ``with owner:``, or when nobody has the owner any more:
    images, buffers and commands keep theirs.
    """

    def __init__(self, device: Device, name: str) -> None:
        self.device = device
        self.name = name
        self._holding = device.new_holding(self)

    def create(self, kind: str, create_info: Any, name: str) -> Any:
        """Create an object of `kind` ("Image" for vkCreateImage); `name` is prefixed with the owner's."""
        create = getattr(self.device.fn, f"vkCreate{kind}")
        return self.make(kind, lambda cell: create(self.device.handle, create_info, ffi.NULL, cell), name)

    def make(self, kind: str, call: Any, name: str) -> Any:
        """Return the handle of an object that `call` puts into the cell which it is given."""
        cell = ffi.new(f"Vk{kind}*")
        self._holding.objects.append((kind, cell))
        result = call(cell)
        if result < 0:
            cell[0] = ffi.NULL  # whatever the driver left there
        check(result, f"creating {kind} {self.name}/{name}")
        self.device.name_object(kind, cell[0], f"{self.name}/{name}")
        return cell[0]

    def allocate(self, requirements: Any, intent: Any, name: str, *, linear: bool) -> Allocation:
        """Sub-allocate memory.

        Args:
            requirements: A VkMemoryRequirements.
            intent: A `vkforge.memory.intents.Intent`.
            name: What it is for.
            linear: Whether it backs a buffer (or linear image) rather than an optimally tiled image.

        Raises:
            OutOfMemoryError, HostCapError: The message names the object and the owner.
        """
        self.device.collect()  # what others have given back may be just what is wanted
        return self.device.allocator.allocate(
            requirements.size,
            requirements.alignment,
            requirements.memoryTypeBits,
            intent,
            name=name,
            owner=self.name,
            linear=linear,
            into=self._holding.memory,
        )

    def release(self) -> None:
        """Have everything destroyed once the GPU has finished what was submitted so far; a second call does nothing."""
        self.device.defer(self._holding)

    def __enter__(self) -> Owner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.release()
