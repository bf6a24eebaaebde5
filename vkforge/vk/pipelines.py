"""Compute pipelines, made once a shader and kept for the device's life, and descriptor sets that fit them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vkforge.vk.device import Device, Owner
from vkforge.vk.ffi import C, check, ffi, struct
from vkforge.vk.spirv import Shader

DESCRIPTOR_TYPES = {
    "storage_buffer": C.VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
    "combined_image_sampler": C.VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
    "storage_image": C.VK_DESCRIPTOR_TYPE_STORAGE_IMAGE,
}


@dataclass(frozen=True)
class BoundBuffer:
    """A range of a buffer, for a descriptor."""

    handle: Any
    offset: int
    size: int


@dataclass(frozen=True)
class BoundImage:
    """An image view in a layout, with a sampler where the descriptor samples."""

    view: Any
    layout: int
    sampler: Any = None


class ComputePipeline:
    """A shader's pipeline for certain specialisation constants, and its layouts."""

    def __init__(self, device: Device, shader: Shader, specialization: Mapping[str, int]) -> None:
        self.shader = shader
        self._owner = Owner(device, "pipelines")
        with self._owner:
            self._make(shader, specialization)

    def _make(self, shader: Shader, specialization: Mapping[str, int]) -> None:
        owner, device, name = self._owner, self._owner.device, shader.name
        bindings = [
            struct(
                "VkDescriptorSetLayoutBinding",
                binding=binding.binding,
                descriptorType=DESCRIPTOR_TYPES[binding.kind],
                descriptorCount=binding.count,
                stageFlags=C.VK_SHADER_STAGE_COMPUTE_BIT,
            )
            for binding in shader.bindings
        ]
        self.set_layout = owner.create(
            "DescriptorSetLayout",
            struct("VkDescriptorSetLayoutCreateInfo", bindingCount=len(bindings), pBindings=bindings),
            name,
        )
        constants = struct(
            "VkPushConstantRange", stageFlags=C.VK_SHADER_STAGE_COMPUTE_BIT, size=shader.push_constant_size
        )
        self.layout = owner.create(
            "PipelineLayout",
            struct(
                "VkPipelineLayoutCreateInfo",
                setLayoutCount=1,
                pSetLayouts=[self.set_layout],
                pushConstantRangeCount=int(shader.push_constant_size > 0),
                pPushConstantRanges=[constants],
            ),
            name,
        )
        code = shader.code
        module = owner.create("ShaderModule", struct("VkShaderModuleCreateInfo", codeSize=len(code), pCode=code), name)
        values = np.array(list(specialization.values()), np.uint32)
        entries = [
            struct("VkSpecializationMapEntry", constantID=shader.specializations[key], offset=4 * i, size=4)
            for i, key in enumerate(specialization)
        ]
        specialized = struct(
            "VkSpecializationInfo",
            mapEntryCount=len(entries),
            pMapEntries=entries,
            dataSize=values.nbytes,
            pData=values.tobytes(),
        )
        stage = struct(
            "VkPipelineShaderStageCreateInfo",
            stage=C.VK_SHADER_STAGE_COMPUTE_BIT,
            module=module,
            pName="main",
            pSpecializationInfo=specialized,
        )
        create_info = struct("VkComputePipelineCreateInfo", stage=stage, layout=self.layout)
        create, cache = device.fn.vkCreateComputePipelines, device.pipeline_cache
        self.handle = owner.make(
            "Pipeline", lambda cell: create(device.handle, cache, 1, create_info, ffi.NULL, cell), name
        )

    def release(self) -> None:
        """Destroy everything once the GPU is done with it."""
        self._owner.release()

    def groups(self, extent: tuple[int, int]) -> tuple[int, int]:
        """Return how many work groups cover `extent` invocations."""
        x, y, _ = self.shader.local_size
        return -(-extent[0] // x), -(-extent[1] // y)


def compute_pipeline(device: Device, shader: Shader, specialization: Mapping[str, int]) -> ComputePipeline:
    """Return the device's pipeline of a shader with certain specialisation constants, made on first use."""
    key = (shader.digest, *sorted(specialization.items()))
    if key not in device.pipelines:
        device.pipelines[key] = ComputePipeline(device, shader, specialization)
    return device.pipelines[key]


def make_descriptor_sets(
    owner: Owner,
    pipelines: Sequence[ComputePipeline],
    contents: Sequence[Mapping[str, BoundBuffer | BoundImage]],
) -> list[Any]:
    """Allocate and fill one descriptor set for each pipeline, out of one pool.

    Args:
        owner: Owns the pool.
        pipelines: One for each set.
        contents: For each set, what each binding's name stands for.
    """
    device = owner.device
    counts: dict[int, int] = {}
    for pipeline in pipelines:
        for binding in pipeline.shader.bindings:
            kind = DESCRIPTOR_TYPES[binding.kind]
            counts[kind] = counts.get(kind, 0) + binding.count
    sizes = [struct("VkDescriptorPoolSize", type=kind, descriptorCount=count) for kind, count in counts.items()]
    pool = owner.create(
        "DescriptorPool",
        struct("VkDescriptorPoolCreateInfo", maxSets=len(pipelines), poolSizeCount=len(sizes), pPoolSizes=sizes),
        "descriptors",
    )
    layouts = [pipeline.set_layout for pipeline in pipelines]
    sets = ffi.new("VkDescriptorSet[]", len(pipelines))
    allocate_info = struct(
        "VkDescriptorSetAllocateInfo", descriptorPool=pool, descriptorSetCount=len(layouts), pSetLayouts=layouts
    )
    check(device.fn.vkAllocateDescriptorSets(device.handle, allocate_info, sets), f"descriptors of {owner.name}")
    writes = []
    for handle, pipeline, content in zip(sets, pipelines, contents, strict=True):
        for binding in pipeline.shader.bindings:
            bound = content[binding.name]
            if isinstance(bound, BoundBuffer):
                info = struct("VkDescriptorBufferInfo", buffer=bound.handle, offset=bound.offset, range=bound.size)
                where = {"pBufferInfo": info}
            else:
                info = struct(
                    "VkDescriptorImageInfo", sampler=bound.sampler, imageView=bound.view, imageLayout=bound.layout
                )
                where = {"pImageInfo": info}
            writes.append(
                struct(
                    "VkWriteDescriptorSet",
                    dstSet=handle,
                    dstBinding=binding.binding,
                    descriptorCount=1,
                    descriptorType=DESCRIPTOR_TYPES[binding.kind],
                    **where,
                )
            )
    array = ffi.new("VkWriteDescriptorSet[]", [write[0] for write in writes])
    device.fn.vkUpdateDescriptorSets(device.handle, len(writes), array, 0, ffi.NULL)
    return list(sets)
