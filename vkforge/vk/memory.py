"""Vulkan's memory, as the allocator asks for it."""

from __future__ import annotations

from functools import partial
from operator import setitem
from typing import TYPE_CHECKING, Any

from vkforge.memory.intents import MemoryType
from vkforge.vk.ffi import C, check, ffi, struct
from vkforge.vk.owner import at_once

if TYPE_CHECKING:
    from vkforge.vk.device import Device
    from vkforge.vk.instance import DeviceInfo


class DeviceMemory:
    """One reservation from the driver; given back when nobody has it any more, if it was not before."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._cell = ffi.new("VkDeviceMemory*")

    @property
    def handle(self) -> Any:
        """The VkDeviceMemory."""
        return self._cell[0]

    def reserve(self, type_index: int, size: int, name: str) -> None:
        """Take `size` bytes of a memory type."""
        create_info = struct("VkMemoryAllocateInfo", allocationSize=size, memoryTypeIndex=type_index)
        result = self._device.fn.vkAllocateMemory(self._device.handle, create_info, ffi.NULL, self._cell)
        if result < 0:
            self._cell[0] = ffi.NULL
        check(result, f"allocating {size / 2**20:.1f} MiB for {name}")
        self._device.name_object("DeviceMemory", self.handle, name)

    def free(self) -> None:
        """Give it back; a second call does nothing."""
        if self.handle != ffi.NULL:
            free = partial(self._device.fn.vkFreeMemory, self._device.handle, self.handle, ffi.NULL)
            at_once(free, partial(setitem, self._cell, 0, ffi.NULL))

    def __del__(self) -> None:
        if hasattr(self, "_cell") and not self._device.gone:
            self.free()


class VulkanMemory:
    """What `Allocator` asks of Vulkan (its Backend protocol); handles are `DeviceMemory`."""

    def __init__(self, device: Device, info: DeviceInfo, properties: Any) -> None:
        self._device = device
        self.memory_types = [
            MemoryType(
                index=i,
                heap=properties.memoryTypes[i].heapIndex,
                heap_size=properties.memoryHeaps[properties.memoryTypes[i].heapIndex].size,
                device_local=bool(flags & C.VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT),
                host_visible=bool(flags & C.VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT),
                host_coherent=bool(flags & C.VK_MEMORY_PROPERTY_HOST_COHERENT_BIT),
                host_cached=bool(flags & C.VK_MEMORY_PROPERTY_HOST_CACHED_BIT),
            )
            for i in range(properties.memoryTypeCount)
            for flags in (properties.memoryTypes[i].propertyFlags,)
        ]
        self.non_coherent_atom_size = int(info.limits["nonCoherentAtomSize"])

    def allocate(self, type_index: int, size: int, name: str) -> DeviceMemory:
        """Reserve bytes of a memory type."""
        memory = DeviceMemory(self._device)
        memory.reserve(type_index, size, name)
        return memory

    def free(self, handle: DeviceMemory) -> None:
        """Give the memory back."""
        handle.free()

    def map(self, handle: DeviceMemory, size: int) -> memoryview:
        """Map the whole of it."""
        address = ffi.new("void**")
        fn = self._device.fn.vkMapMemory
        check(fn(self._device.handle, handle.handle, 0, size, 0, address), "mapping memory")
        return memoryview(ffi.buffer(address[0], size))
