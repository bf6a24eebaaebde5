"""Images and buffers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vkforge.memory.intents import Intent
from vkforge.vk.device import Device, Owner
from vkforge.vk.ffi import C, check, ffi, struct


@dataclass(frozen=True)
class Format:
    """A texel format: its Vulkan number, and the NumPy view of one texel."""

    vulkan: int
    dtype: np.dtype
    channels: int

    @property
    def texel_bytes(self) -> int:
        """Bytes a texel."""
        return self.dtype.itemsize * self.channels


FORMATS = {
    "r32f": Format(C.VK_FORMAT_R32_SFLOAT, np.dtype(np.float32), 1),
    "rgba32f": Format(C.VK_FORMAT_R32G32B32A32_SFLOAT, np.dtype(np.float32), 4),
    "rgba16f": Format(C.VK_FORMAT_R16G16B16A16_SFLOAT, np.dtype(np.float16), 4),
    "r32ui": Format(C.VK_FORMAT_R32_UINT, np.dtype(np.uint32), 1),
    "rgba8": Format(C.VK_FORMAT_R8G8B8A8_UNORM, np.dtype(np.uint8), 4),
    "rgba8_srgb": Format(C.VK_FORMAT_R8G8B8A8_SRGB, np.dtype(np.uint8), 4),
}

IMAGE_USAGES = {
    "sampled": C.VK_IMAGE_USAGE_SAMPLED_BIT,
    "storage": C.VK_IMAGE_USAGE_STORAGE_BIT,
    "copy_source": C.VK_IMAGE_USAGE_TRANSFER_SRC_BIT,
    "copy_destination": C.VK_IMAGE_USAGE_TRANSFER_DST_BIT,
}
BUFFER_USAGES = {
    "storage": C.VK_BUFFER_USAGE_STORAGE_BUFFER_BIT,
    "copy_source": C.VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
    "copy_destination": C.VK_BUFFER_USAGE_TRANSFER_DST_BIT,
}


class Image:
    """A 2-D image with optional mip levels, and a view of the whole and of each level.

    Memory is bound by `allocate` (its own) or `bind` (somewhere in a shared range).
    """

    def __init__(
        self, owner: Owner, name: str, format: str, size: tuple[int, int], usages: frozenset[str], levels: int = 1
    ) -> None:
        self.name, self.format, self.size, self.levels = name, format, size, levels
        self._owner = owner
        self._device: Device = owner.device
        usage = 0
        for word in usages:
            usage |= IMAGE_USAGES[word]
        self.handle = owner.create(
            "Image",
            struct(
                "VkImageCreateInfo",
                imageType=C.VK_IMAGE_TYPE_2D,
                format=FORMATS[format].vulkan,
                extent=(size[0], size[1], 1),
                mipLevels=levels,
                arrayLayers=1,
                samples=C.VK_SAMPLE_COUNT_1_BIT,
                tiling=C.VK_IMAGE_TILING_OPTIMAL,
                usage=usage,
                sharingMode=C.VK_SHARING_MODE_EXCLUSIVE,
                initialLayout=C.VK_IMAGE_LAYOUT_UNDEFINED,
            ),
            name,
        )
        self.requirements: Any = ffi.new("VkMemoryRequirements*")
        self._device.fn.vkGetImageMemoryRequirements(self._device.handle, self.handle, self.requirements)
        self.view: Any = None
        self.level_views: list[Any] = []

    @property
    def owner(self) -> Owner:
        """Who destroys it."""
        return self._owner

    def allocate(self) -> Image:
        """Give the image device memory of its own."""
        allocation = self._owner.allocate(self.requirements, Intent.DEVICE, self.name, linear=False)
        return self.bind(allocation, 0)

    def bind(self, allocation: Any, offset: int) -> Image:
        """Bind the image at `offset` inside `allocation` and make its views."""
        memory, place = allocation.handle.handle, allocation.offset + offset
        bind = self._device.fn.vkBindImageMemory
        check(bind(self._device.handle, self.handle, memory, place), f"giving memory to image {self.name}")
        self.view = self._make_view(0, self.levels, self.name)
        if self.levels > 1:
            self.level_views = [self._make_view(i, 1, f"{self.name}[{i}]") for i in range(self.levels)]
        else:
            self.level_views = [self.view]
        return self

    def _make_view(self, level: int, count: int, name: str) -> Any:
        return self._owner.create(
            "ImageView",
            struct(
                "VkImageViewCreateInfo",
                image=self.handle,
                viewType=C.VK_IMAGE_VIEW_TYPE_2D,
                format=FORMATS[self.format].vulkan,
                subresourceRange=(C.VK_IMAGE_ASPECT_COLOR_BIT, level, count, 0, 1),
            ),
            name,
        )


class Buffer:
    """A buffer with memory of its own; host intents are mapped for its whole life (`mapped`, a memoryview)."""

    def __init__(self, owner: Owner, name: str, size: int, usages: frozenset[str], intent: Intent) -> None:
        self.name, self.size = name, size
        device = owner.device
        usage = 0
        for word in usages:
            usage |= BUFFER_USAGES[word]
        self.handle = owner.create("Buffer", struct("VkBufferCreateInfo", size=size, usage=usage), name)
        requirements = ffi.new("VkMemoryRequirements*")
        device.fn.vkGetBufferMemoryRequirements(device.handle, self.handle, requirements)
        allocation = owner.allocate(requirements, intent, name, linear=True)
        bind, memory = device.fn.vkBindBufferMemory, allocation.handle.handle
        check(bind(device.handle, self.handle, memory, allocation.offset), f"giving memory to buffer {name}")
        self._owner, self._device, self._allocation = owner, device, allocation
        self.mapped: memoryview | None = allocation.mapped

    def array(self, dtype: np.dtype | type, count: int, offset: int = 0) -> np.ndarray:
        """Return a view of mapped memory as an array; internal, never to be handed to users."""
        assert self.mapped is not None
        return np.frombuffer(self.mapped, dtype, count, offset)

    def invalidate(self) -> None:
        """Make what the GPU wrote visible to the host, where memory is not coherent."""
        if self._allocation.needs_invalidate:
            memory_range = struct(
                "VkMappedMemoryRange",
                memory=self._allocation.handle.handle,
                offset=self._allocation.offset,
                size=self._allocation.footprint,
            )
            invalidate = self._device.fn.vkInvalidateMappedMemoryRanges
            check(invalidate(self._device.handle, 1, memory_range), f"reading what the device wrote into {self.name}")


def sampler(device: Device, filter: str) -> Any:
    """Return the device's sampler: "nearest" or "linear", which clamp to the edge, or "repeat", linear and tiling."""
    if filter not in device.samplers:
        mode = C.VK_FILTER_NEAREST if filter == "nearest" else C.VK_FILTER_LINEAR
        repeats = filter == "repeat"
        edge = C.VK_SAMPLER_ADDRESS_MODE_REPEAT if repeats else C.VK_SAMPLER_ADDRESS_MODE_CLAMP_TO_EDGE
        create_info = struct(
            "VkSamplerCreateInfo",
            magFilter=mode,
            minFilter=mode,
            mipmapMode=C.VK_SAMPLER_MIPMAP_MODE_NEAREST,
            addressModeU=edge,
            addressModeV=edge,
            addressModeW=edge,
            maxLod=1000.0,
        )
        device.samplers[filter] = device.owner.create("Sampler", create_info, filter)
    return device.samplers[filter]
