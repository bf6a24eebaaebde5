"""The logical device: one queue behind a timeline semaphore, memory, names, and a queue of deletions."""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from vkforge.errors import DeviceError, DeviceLostError, OutOfMemoryError, ValidationLayerError, VkforgeError
from vkforge.memory.allocator import Allocator
from vkforge.memory.intents import MemoryType
from vkforge.vk import pipeline_cache
from vkforge.vk.ffi import C, Functions, check, enumerate_all, ffi, struct
from vkforge.vk.instance import (
    REQUIRED_EXTENSIONS,
    REQUIRED_FEATURES,
    DeviceInfo,
    Instance,
    choose_device,
    drain_validation_messages,
)

log = logging.getLogger("vkforge")

WAIT_SLICE_NS = 200_000_000  # waits come up for air this often, so that Ctrl-C stops a long render
HANG_SECONDS = 600


class _VulkanMemory:
    """What `Allocator` asks of Vulkan (its Backend protocol)."""

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

    def allocate(self, type_index: int, size: int, name: str) -> Any:
        handle = ffi.new("VkDeviceMemory*")
        create_info = struct("VkMemoryAllocateInfo", allocationSize=size, memoryTypeIndex=type_index)
        what = f"allocating {size / 2**20:.1f} MiB for {name}"
        check(self._device.fn.vkAllocateMemory(self._device.handle, create_info, ffi.NULL, handle), what)
        self._device.set_name(C.VK_OBJECT_TYPE_DEVICE_MEMORY, handle[0], name)
        return handle[0]

    def free(self, handle: Any) -> None:
        self._device.fn.vkFreeMemory(self._device.handle, handle, ffi.NULL)

    def map(self, handle: Any, size: int) -> memoryview:
        address = ffi.new("void**")
        check(self._device.fn.vkMapMemory(self._device.handle, handle, 0, size, 0, address), "mapping memory")
        return memoryview(ffi.buffer(address[0], size))


class Device:
    """A VkDevice with everything that lives and dies with it.

    Submissions go to one queue and signal one timeline semaphore, whose value says what the GPU has finished. Objects
    are destroyed through `defer`, once the GPU has passed the value they were last used at.
    """

    def __init__(self, wanted: str | int, host_memory_cap: int, validation: bool) -> None:
        instance = Instance.shared(validation)
        self.info, self.reason = choose_device(instance.devices(), wanted)
        log.info("device %s (%s): %s", self.info.name, self.info.driver, self.reason)
        self._instance = instance
        self._physical = self.info.handle
        self.validation = validation
        self.closed = False
        self.lost = False
        self.family = self._choose_family()
        features = Instance.feature_chain()
        for chained in features[1:]:
            for name in REQUIRED_FEATURES:
                if hasattr(chained, name):
                    setattr(chained, name, 1)
        queue = struct("VkDeviceQueueCreateInfo", queueFamilyIndex=self.family, queueCount=1, pQueuePriorities=[1.0])
        create_info = struct(
            "VkDeviceCreateInfo",
            pNext=features[0],
            queueCreateInfoCount=1,
            pQueueCreateInfos=[queue],
            enabledExtensionCount=len(REQUIRED_EXTENSIONS),
            ppEnabledExtensionNames=REQUIRED_EXTENSIONS,
        )
        handle = ffi.new("VkDevice*")
        check(instance.fn.vkCreateDevice(self._physical, create_info, ffi.NULL, handle), f"opening {self.info.name}")
        self.handle = handle[0]
        resolve = instance.fn.vkGetDeviceProcAddr
        self.fn = Functions(lambda name: resolve(self.handle, name))
        self._make_timeline()
        try:
            self._open(host_memory_cap)
        except BaseException:
            self.destroy("Semaphore", self.timeline)
            self.fn.vkDestroyDevice(self.handle, ffi.NULL)
            raise

    def _open(self, host_memory_cap: int) -> None:
        """Make what lives as long as the device does."""
        queue_handle = ffi.new("VkQueue*")
        self.fn.vkGetDeviceQueue(self.handle, self.family, 0, queue_handle)
        self.queue = queue_handle[0]
        properties = struct("VkPhysicalDeviceMemoryProperties")
        self._instance.fn.vkGetPhysicalDeviceMemoryProperties(self._physical, properties)
        self.allocator = Allocator(_VulkanMemory(self, self.info, properties), host_cap=host_memory_cap)
        self._deferred: deque[tuple[int, Callable[[], None]]] = deque()
        self.pipeline_cache = pipeline_cache.create(self)
        self.pipelines: dict[tuple[Any, ...], Any] = {}
        self.samplers: dict[str, Any] = {}

    def _choose_family(self) -> int:
        """Return a queue family that computes, preferring one that also draws (for lanes to come)."""
        families = enumerate_all(
            self._instance.fn.vkGetPhysicalDeviceQueueFamilyProperties, "VkQueueFamilyProperties", self._physical
        )
        computing = [i for i, family in enumerate(families) if family.queueFlags & C.VK_QUEUE_COMPUTE_BIT]
        if not computing:
            raise DeviceError(
                f"{self.info.name} has no compute queue; choose another device (vkforge probe lists them)"
            )
        best = max(computing, key=lambda i: (bool(families[i].queueFlags & C.VK_QUEUE_GRAPHICS_BIT), -i))
        self.timestamp_bits = families[best].timestampValidBits
        return best

    def _make_timeline(self) -> None:
        kind = struct("VkSemaphoreTypeCreateInfo", semaphoreType=C.VK_SEMAPHORE_TYPE_TIMELINE)
        self.timeline = self.create("Semaphore", struct("VkSemaphoreCreateInfo", pNext=kind), "timeline")
        self._submitted = 0
        # The hot path: these structs are made once, a submission only changes two fields.
        self._command_info = struct("VkCommandBufferSubmitInfo")
        self._signal = struct(
            "VkSemaphoreSubmitInfo", semaphore=self.timeline, stageMask=C.VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT
        )
        self._submit_info = struct(
            "VkSubmitInfo2",
            commandBufferInfoCount=1,
            pCommandBufferInfos=self._command_info,
            signalSemaphoreInfoCount=1,
            pSignalSemaphoreInfos=self._signal,
        )
        self._wait_value = ffi.new("uint64_t*")
        self._wait_semaphore = ffi.new("VkSemaphore*", self.timeline)
        self._wait_info = struct(
            "VkSemaphoreWaitInfo", semaphoreCount=1, pSemaphores=self._wait_semaphore, pValues=self._wait_value
        )
        self._fn_submit = self.fn.vkQueueSubmit2KHR
        self._fn_wait = self.fn.vkWaitSemaphores

    @property
    def debug_utils(self) -> bool:
        """Whether names and labels reach the driver."""
        return self._instance.debug_utils

    # Objects

    def create(self, kind: str, create_info: Any, name: str) -> Any:
        """Create and name a Vulkan object of `kind` ("Image" for vkCreateImage); return its handle."""
        handle = ffi.new(f"Vk{kind}*")
        check(
            getattr(self.fn, f"vkCreate{kind}")(self.handle, create_info, ffi.NULL, handle), f"creating {kind} {name}"
        )
        words = "".join("_" + c if c.isupper() else c for c in kind).upper()
        self.set_name(getattr(C, f"VK_OBJECT_TYPE{words}"), handle[0], name)
        return handle[0]

    def destroy(self, kind: str, handle: Any) -> None:
        """Destroy an object of `kind` now; the caller knows the GPU is done with it."""
        getattr(self.fn, f"vkDestroy{kind}")(self.handle, handle, ffi.NULL)

    def set_name(self, object_type: int, handle: Any, name: str) -> None:
        """Name an object for debuggers and validation messages."""
        if not self._instance.debug_utils:
            return
        info = struct(
            "VkDebugUtilsObjectNameInfoEXT",
            objectType=object_type,
            objectHandle=int(ffi.cast("uintptr_t", handle)),
            pObjectName=name,
        )
        self.fn.vkSetDebugUtilsObjectNameEXT(self.handle, info)

    def defer(self, destroy: Callable[[], None]) -> None:
        """Run `destroy` once the GPU has finished everything submitted so far."""
        self._deferred.append((self._submitted, destroy))
        self.collect()

    def collect(self) -> None:
        """Run the deferred deletions whose time has come."""
        if not self._deferred:
            return
        done = self.completed()
        while self._deferred and self._deferred[0][0] <= done:
            self._deferred.popleft()[1]()

    # Work

    @property
    def submitted(self) -> int:
        """The timeline value of the last submission."""
        return self._submitted

    def completed(self) -> int:
        """Return the timeline value that the GPU has reached."""
        value = ffi.new("uint64_t*")
        check(self.fn.vkGetSemaphoreCounterValue(self.handle, self.timeline, value), "reading the timeline")
        return value[0]

    def submit(self, command_buffer: Any, what: str) -> int:
        """Submit a recorded command buffer and return the timeline value that it will signal.

        Args:
            command_buffer: A VkCommandBuffer handle.
            what: What it does, for errors.

        Raises:
            DeviceLostError, OutOfMemoryError: As the driver says.
        """
        # Counted before it is submitted: a Ctrl-C that arrives in between must not have the value signalled twice.
        value = self._submitted = self._submitted + 1
        self._command_info.commandBuffer = command_buffer
        self._signal.value = value
        result = self._fn_submit(self.queue, 1, self._submit_info, ffi.NULL)
        if result != 0:
            self._submitted = value - 1
            self._failed(result, what)
        return value

    def wait(self, value: int, what: str) -> None:
        """Wait until the timeline reaches `value`; Ctrl-C gets through within a fifth of a second.

        Raises:
            DeviceLostError: The device was lost meanwhile; the message names `what`.
            DeviceError: Nothing came for ten minutes.
            ValidationLayerError: The validation layers said something since the last wait.
        """
        self._wait_value[0] = value
        for _ in range(int(HANG_SECONDS * 1e9 / WAIT_SLICE_NS)):
            result = self._fn_wait(self.handle, self._wait_info, WAIT_SLICE_NS)
            if result == 0:
                break
            if result != C.VK_TIMEOUT:
                self._failed(result, what)
        else:
            raise DeviceError(f"{what} did not finish within {HANG_SECONDS} s; the driver hangs, try another device")
        if self.validation:
            self.check_validation(what)

    def check_validation(self, what: str) -> None:
        """Raise ValidationLayerError if the layers complained since the last call."""
        messages = drain_validation_messages()
        if messages:
            raise ValidationLayerError(f"{len(messages)} validation message(s) by {what}; the first: {messages[0]}")

    def _failed(self, result: int, what: str) -> None:
        if result == C.VK_ERROR_DEVICE_LOST:
            self.lost = True
        check(result, what)

    def close(self) -> list[str]:
        """Wait for the GPU, destroy everything, and return the names of allocations that nobody freed."""
        if self.closed:
            return []
        for pipeline in self.pipelines.values():
            pipeline.release()
        self.closed = True
        if not self.lost:
            self.fn.vkDeviceWaitIdle(self.handle)
        for _, destroy in self._deferred:
            destroy()
        self._deferred.clear()
        for sampler in self.samplers.values():
            self.destroy("Sampler", sampler)
        if not self.lost:
            pipeline_cache.save(self)
        self.destroy("PipelineCache", self.pipeline_cache)
        self.destroy("Semaphore", self.timeline)
        leaks = self.allocator.close()
        self.fn.vkDestroyDevice(self.handle, ffi.NULL)
        return leaks


class Owner:
    """Vulkan objects that live together: created through it and destroyed by it, in reverse, when the GPU is done."""

    _serial = itertools.count()

    def __init__(self, device: Device, name: str) -> None:
        self.device = device
        self.name = name
        self._destroyers: list[Callable[[], None]] = []

    def create(self, kind: str, create_info: Any, name: str) -> Any:
        """Create an object of `kind` that this owner will destroy; `name` is prefixed with the owner's."""
        try:
            handle = self.device.create(kind, create_info, f"{self.name}/{name}")
        except VkforgeError:
            self.release()
            raise
        self._destroyers.append(lambda: self.device.destroy(kind, handle))
        return handle

    def allocate(self, requirements: Any, intent: Any, name: str, *, linear: bool) -> Any:
        """Sub-allocate memory that this owner will free.

        Args:
            requirements: A VkMemoryRequirements.
            intent: A `vkforge.memory.intents.Intent`.
            name: What it is for.
            linear: Whether it backs a buffer (or linear image) rather than an optimally tiled image.

        Raises:
            OutOfMemoryError, HostCapError: The message names the object and the owner.
        """
        allocator = self.device.allocator
        try:
            allocation = allocator.allocate(
                requirements.size,
                requirements.alignment,
                requirements.memoryTypeBits,
                intent,
                name=name,
                owner=self.name,
                linear=linear,
            )
        except OutOfMemoryError:
            self.release()
            raise
        self._destroyers.append(lambda: allocator.free(allocation))
        return allocation

    def on_release(self, action: Callable[[], None]) -> None:
        """Also run `action` when this owner is released."""
        self._destroyers.append(action)

    def release(self) -> None:
        """Destroy everything once the GPU has finished what was submitted so far; a second call does nothing."""
        destroyers, self._destroyers = self._destroyers[::-1], []
        if self.device.closed or not destroyers:
            return

        def run() -> None:
            for destroy in destroyers:
                destroy()

        try:
            self.device.defer(run)
        except DeviceLostError:
            self.device.lost = True
