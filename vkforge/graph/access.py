"""The one vocabulary of how a pass touches a resource, and what each word means to a Vulkan barrier.

The numbers are those of VkPipelineStageFlagBits2, VkAccessFlagBits2 and VkImageLayout (Vulkan 1.3, chapters 7 and 12);
they are written here, and checked against the binding by a test, so that this module needs no Vulkan.
"""

from __future__ import annotations

import enum
from typing import NamedTuple


class Stage(enum.IntFlag):
    """Pipeline stages (VkPipelineStageFlagBits2)."""

    NONE = 0
    COMPUTE = 0x800
    HOST = 0x4000
    COPY = 0x100000000


class Memory(enum.IntFlag):
    """Kinds of memory access (VkAccessFlagBits2)."""

    NONE = 0
    TRANSFER_READ = 0x800
    TRANSFER_WRITE = 0x1000
    HOST_READ = 0x2000
    HOST_WRITE = 0x4000
    SAMPLED_READ = 0x100000000
    STORAGE_READ = 0x200000000
    STORAGE_WRITE = 0x400000000


WRITES = Memory.TRANSFER_WRITE | Memory.HOST_WRITE | Memory.STORAGE_WRITE


class Layout(enum.IntEnum):
    """Image layouts (VkImageLayout)."""

    UNDEFINED = 0
    GENERAL = 1
    SHADER_READ_ONLY = 5
    TRANSFER_SOURCE = 6
    TRANSFER_DESTINATION = 7


class Scope(NamedTuple):
    """Where and how a resource is touched, and the layout an image must be in for it."""

    stage: Stage
    memory: Memory
    layout: Layout

    @property
    def writes(self) -> bool:
        """Whether the access writes."""
        return bool(self.memory & WRITES)


class Access(enum.Enum):
    """How a pass touches a resource."""

    SAMPLED = Scope(Stage.COMPUTE, Memory.SAMPLED_READ, Layout.SHADER_READ_ONLY)
    STORAGE_READ = Scope(Stage.COMPUTE, Memory.STORAGE_READ, Layout.GENERAL)
    STORAGE_WRITE = Scope(Stage.COMPUTE, Memory.STORAGE_WRITE, Layout.GENERAL)
    STORAGE_READ_WRITE = Scope(Stage.COMPUTE, Memory.STORAGE_READ | Memory.STORAGE_WRITE, Layout.GENERAL)
    COPY_SOURCE = Scope(Stage.COPY, Memory.TRANSFER_READ, Layout.TRANSFER_SOURCE)
    COPY_DESTINATION = Scope(Stage.COPY, Memory.TRANSFER_WRITE, Layout.TRANSFER_DESTINATION)
    HOST_READ = Scope(Stage.HOST, Memory.HOST_READ, Layout.GENERAL)


def access_of(kind: str, readable: bool, writable: bool) -> Access:
    """Return the access that a shader's descriptor implies.

    Args:
        kind: The descriptor's kind as reflection names it.
        readable: Whether the shader may read it (no `writeonly`).
        writable: Whether the shader may write it (no `readonly`).

    Raises:
        ValueError: The kind is unknown, or the descriptor can be neither read nor written.
    """
    if kind in ("combined_image_sampler", "sampled_image"):
        return Access.SAMPLED
    if kind in ("storage_image", "storage_buffer") and (readable or writable):
        if readable and writable:
            return Access.STORAGE_READ_WRITE
        return Access.STORAGE_WRITE if writable else Access.STORAGE_READ
    raise ValueError(f"no access for a descriptor of kind {kind!r} (readable={readable}, writable={writable})")
