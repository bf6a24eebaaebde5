"""What memory is for, and which of a device's memory types serves that best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from vkforge.errors import DeviceError


class Intent(Enum):
    """What an allocation is for; the value is the name that reports print.

    DEVICE: read and written by the device alone (images, DEM tiles, scratch buffers).
    UPLOAD: written once by the host, then copied from by the device (staging).
    READBACK: written by the device, then read by the host.
    DYNAMIC: written by the host every frame and read by shaders where it lies (a frame's blocks).
    """

    DEVICE = "device"
    UPLOAD = "upload"
    READBACK = "readback"
    DYNAMIC = "dynamic"

    @property
    def is_host(self) -> bool:
        """Whether the host maps it. These intents are what the host cap counts, whatever flags the memory type has."""
        return self is not Intent.DEVICE


@dataclass(frozen=True, slots=True)
class MemoryType:
    """One of the device's memory types.

    Attributes:
        index: position in the device's list, as allocations name it.
        heap: index of the heap it lives in.
        heap_size: bytes of that heap.
        device_local, host_visible, host_coherent, host_cached: the property flags of that name.
    """

    index: int
    heap: int
    heap_size: int
    device_local: bool
    host_visible: bool
    host_coherent: bool
    host_cached: bool


# For each intent: what a memory type must have, and its rank among those that do (higher is better).
_Rule = tuple[str, Callable[[MemoryType], bool], Callable[[MemoryType], tuple[bool, ...]]]
_RULES: dict[Intent, _Rule] = {
    Intent.DEVICE: ("device-local", lambda t: t.device_local, lambda t: (not t.host_visible,)),
    Intent.UPLOAD: (
        "host-visible and coherent",
        lambda t: t.host_visible and t.host_coherent,
        # Uncached memory is written in bursts (write-combining), and leaves a small device-local window to DYNAMIC.
        lambda t: (not t.device_local, not t.host_cached),
    ),
    Intent.READBACK: (
        "host-visible",
        # Uncached reads are tens of times slower than an explicit invalidation, so cached comes before coherent.
        lambda t: t.host_visible,
        lambda t: (t.host_cached, t.host_coherent, not t.device_local),
    ),
    Intent.DYNAMIC: (
        "host-visible and coherent",
        lambda t: t.host_visible and t.host_coherent,
        lambda t: (t.device_local, not t.host_cached),
    ),
}


def choose_memory_type(types: Sequence[MemoryType], type_bits: int, intent: Intent) -> MemoryType:
    """Choose the memory type that serves an intent best.

    Equals go to the lowest index: Vulkan lists faster types of equal flags first.

    Args:
        types: the device's memory types.
        type_bits: bit i allows the type of index i (`VkMemoryRequirements.memoryTypeBits`).
        intent: what the memory is for.

    Raises:
        DeviceError: none of the allowed types has what the intent must have.
    """
    wanted, suits, rank = _RULES[intent]
    fitting = [t for t in types if type_bits >> t.index & 1 and suits(t)]
    if not fitting:
        raise DeviceError(
            f"no memory type for {intent.value} memory: the resource allows types {type_bits:#b} and none of them is "
            f"{wanted}; choose another device (see `vkforge probe`)"
        )
    return max(fitting, key=lambda t: (rank(t), -t.index))
