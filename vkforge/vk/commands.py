"""Command buffers and what is recorded into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vkforge.graph.access import Access, Layout, Memory, Stage
from vkforge.graph.sync import Barrier
from vkforge.vk.device import Owner
from vkforge.vk.ffi import C, check, ffi, struct
from vkforge.vk.pipelines import ComputePipeline
from vkforge.vk.resources import Buffer, Image


class Commands:
    """One command buffer, recorded once and submitted as often as wanted.

    Use as a context manager to record: everything recorded before is replaced.
    """

    def __init__(self, owner: Owner, name: str) -> None:
        self.name = name
        self._owner = owner
        self._device = device = owner.device
        self._pool = owner.create(
            "CommandPool",
            struct(
                "VkCommandPoolCreateInfo",
                flags=C.VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
                queueFamilyIndex=device.family,
            ),
            name,
        )
        info = struct("VkCommandBufferAllocateInfo", commandPool=self._pool, commandBufferCount=1)
        handle = ffi.new("VkCommandBuffer*")
        check(device.fn.vkAllocateCommandBuffers(device.handle, info, handle), f"command buffer {name}")
        self.handle = handle[0]
        device.name_object("CommandBuffer", self.handle, f"{owner.name}/{name}")
        self._recording = False

    def __enter__(self) -> Commands:
        if self._recording:  # what was cut off before it began to end
            check(self._device.fn.vkResetCommandBuffer(self.handle, 0), f"recording {self.name}")
        self._recording = True
        begin = struct("VkCommandBufferBeginInfo")
        check(self._device.fn.vkBeginCommandBuffer(self.handle, begin), f"recording {self.name}")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        result = self._device.fn.vkEndCommandBuffer(self.handle)
        self._recording = False
        if kind is None:
            check(result, f"recording {self.name}")

    def label(self, text: str) -> None:
        """Begin a debug label, which `end_label` ends."""
        if self._device.debug_utils:
            self._device.fn.vkCmdBeginDebugUtilsLabelEXT(self.handle, struct("VkDebugUtilsLabelEXT", pLabelName=text))

    def end_label(self) -> None:
        """End the innermost debug label."""
        if self._device.debug_utils:
            self._device.fn.vkCmdEndDebugUtilsLabelEXT(self.handle)

    def barriers(self, barriers: Iterable[Barrier], images: Mapping[str, tuple[Image, int, int]]) -> None:
        """Record barriers; those that change no layout, or discard, become one barrier over all memory.

        Args:
            barriers: From `vkforge.graph.sync`.
            images: For each resource that is an image: it, its first mip level, and how many.
        """
        image_barriers = []
        source_stage, source_memory = Stage.NONE, Memory.NONE
        destination_stage, destination_memory = Stage.NONE, Memory.NONE
        for barrier in barriers:
            changes_layout = barrier.resource in images and barrier.old_layout != barrier.new_layout
            if changes_layout:
                image, level, count = images[barrier.resource]
                image_barriers.append(
                    struct(
                        "VkImageMemoryBarrier2",
                        srcStageMask=int(barrier.source_stage),
                        srcAccessMask=int(barrier.source_memory),
                        dstStageMask=int(barrier.destination_stage),
                        dstAccessMask=int(barrier.destination_memory),
                        oldLayout=int(barrier.old_layout),
                        newLayout=int(barrier.new_layout),
                        srcQueueFamilyIndex=C.VK_QUEUE_FAMILY_IGNORED,
                        dstQueueFamilyIndex=C.VK_QUEUE_FAMILY_IGNORED,
                        image=image.handle,
                        subresourceRange=(C.VK_IMAGE_ASPECT_COLOR_BIT, level, count, 0, 1),
                    )
                )
            # What is discarded may have been written through another image over the same memory, whose writes only a
            # barrier over all memory covers.
            aliased = barrier.old_layout == Layout.UNDEFINED and bool(barrier.source_stage)
            if not changes_layout or aliased:
                source_stage |= barrier.source_stage
                source_memory |= barrier.source_memory
                destination_stage |= barrier.destination_stage
                destination_memory |= barrier.destination_memory
        memory_barriers = []
        if destination_stage:
            memory_barriers.append(
                struct(
                    "VkMemoryBarrier2",
                    srcStageMask=int(source_stage),
                    srcAccessMask=int(source_memory),
                    dstStageMask=int(destination_stage),
                    dstAccessMask=int(destination_memory),
                )
            )
        if not (image_barriers or memory_barriers):
            return
        dependency = struct(
            "VkDependencyInfo",
            memoryBarrierCount=len(memory_barriers),
            pMemoryBarriers=memory_barriers,
            imageMemoryBarrierCount=len(image_barriers),
            pImageMemoryBarriers=image_barriers,
        )
        self._device.fn.vkCmdPipelineBarrier2KHR(self.handle, dependency)

    def transition(self, image: Image, before: Access | None, after: Access) -> None:
        """Record the change of a whole image from one access to another; None is "nothing yet"."""
        source = before.value if before else None
        barrier = Barrier(
            image.name,
            source.stage if source else Stage.NONE,
            source.memory if source else Memory.NONE,
            after.value.stage,
            after.value.memory,
            source.layout if source else Layout.UNDEFINED,
            after.value.layout,
        )
        self.barriers([barrier], {image.name: (image, 0, image.levels)})

    def dispatch(
        self, pipeline: ComputePipeline, descriptors: Any, extent: tuple[int, int], constants: bytes = b""
    ) -> None:
        """Record a dispatch that covers `extent` invocations."""
        fn = self._device.fn
        fn.vkCmdBindPipeline(self.handle, C.VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle)
        sets = ffi.new("VkDescriptorSet[]", [descriptors])
        fn.vkCmdBindDescriptorSets(
            self.handle, C.VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout, 0, 1, sets, 0, ffi.NULL
        )
        if constants:
            data = ffi.from_buffer(constants)
            stage = C.VK_SHADER_STAGE_COMPUTE_BIT
            fn.vkCmdPushConstants(self.handle, pipeline.layout, stage, 0, len(constants), data)
        fn.vkCmdDispatch(self.handle, *pipeline.groups(extent), 1)

    def copy_to_image(self, buffer: Buffer, offset: int, image: Image, first_row: int, rows: int) -> None:
        """Record the copy of tightly packed rows from a buffer into an image in the transfer layout."""
        self._device.fn.vkCmdCopyBufferToImage(
            self.handle,
            buffer.handle,
            image.handle,
            C.VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
            1,
            _rows_region(offset, image, first_row, rows),
        )

    def copy_from_image(self, image: Image, first_row: int, rows: int, buffer: Buffer, offset: int) -> None:
        """Record the copy of rows of an image in the transfer layout into a buffer, tightly packed."""
        self._device.fn.vkCmdCopyImageToBuffer(
            self.handle,
            image.handle,
            C.VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
            buffer.handle,
            1,
            _rows_region(offset, image, first_row, rows),
        )

    def memory_barrier(self, before: Access, after: Access) -> None:
        """Record a barrier over all memory between two accesses."""
        a, b = before.value, after.value
        self.barriers([Barrier("memory", a.stage, a.memory, b.stage, b.memory, a.layout, a.layout)], {})

    def reset_timestamps(self, pool: Any, count: int) -> None:
        """Record the reset of a timestamp query pool."""
        self._device.fn.vkCmdResetQueryPool(self.handle, pool, 0, count)

    def timestamp(self, pool: Any, index: int) -> None:
        """Record a timestamp once everything before it is done."""
        self._device.fn.vkCmdWriteTimestamp2KHR(self.handle, C.VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, pool, index)


def _rows_region(offset: int, image: Image, first_row: int, rows: int) -> Any:
    return struct(
        "VkBufferImageCopy",
        bufferOffset=offset,
        imageSubresource=(C.VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1),
        imageOffset=(0, first_row, 0),
        imageExtent=(image.size[0], rows, 1),
    )
