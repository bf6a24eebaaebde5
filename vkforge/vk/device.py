"""The logical device: one queue behind a timeline semaphore, memory, names, and a queue of deletions."""

from __future__ import annotations

import itertools
import logging
import sys
import weakref
from collections import deque
from functools import partial
from operator import setitem
from typing import Any

from vkforge.errors import DeviceError, ValidationLayerError
from vkforge.memory.allocator import Allocator
from vkforge.vk import pipeline_cache
from vkforge.vk.ffi import C, Functions, check, enumerate_all, ffi, struct
from vkforge.vk.instance import (
    REQUIRED_EXTENSIONS,
    REQUIRED_FEATURES,
    Instance,
    choose_device,
    drain_validation_messages,
    forked,
)
from vkforge.vk.memory import VulkanMemory
from vkforge.vk.owner import Holding, Owner, at_once

__all__ = ["Device", "Owner"]

log = logging.getLogger("vkforge")

WAIT_SLICE_NS = 200_000_000  # waits come up for air this often, so that Ctrl-C stops a long render
HANG_SECONDS = 600


class Device:
    """A VkDevice with everything that lives and dies with it.

    Submissions go to one queue and signal one timeline semaphore, whose value says what the GPU has finished. Objects
    belong to an `Owner`, and are destroyed once the GPU has passed the value they were last used at.

    Attributes:
        closed: Whether `close` was called: it takes no more work.
        gone: Whether all of it is given back.
        lost: Whether the driver said so.
        owner: Has what lives as long as the device does.
    """

    gone = True  # until there is something
    allocator: Allocator

    def __init__(self, wanted: str | int, host_memory_cap: int, validation: bool) -> None:
        instance = Instance.shared(validation)
        self.info, self.reason = choose_device(instance.devices(), wanted)
        log.info("device %s (%s): %s", self.info.name, self.info.driver, self.reason)
        self._instance = instance
        self._physical = self.info.handle
        self.validation = validation
        self.closed = self.lost = False
        self.pipeline_cache: Any = None
        self.family = self._choose_family()
        self._keys = itertools.count()
        # Of owners that have not released theirs; the reference notes in `_dropped`, in C alone, that one is gone.
        self._holdings: dict[int, tuple[Holding, weakref.ref[Owner]]] = {}
        self._dropped: dict[int, Any] = {}
        self._deferred: deque[tuple[int, Holding]] = deque()  # of those that have, with what the GPU must have reached
        self._timeline = [0]  # the value that the last submission signals
        self._cell = ffi.new("VkDevice*")
        self.gone = False
        try:
            self._create()
            self._open(host_memory_cap)
        except BaseException:
            self.close()
            raise

    def _create(self) -> None:
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
        fn, what = self._instance.fn, f"opening {self.info.name}"
        self.fn = Functions(
            lambda name: fn.vkGetDeviceProcAddr(self.handle, name)
        )  # first: what is interrupted is closed
        result = fn.vkCreateDevice(self._physical, create_info, ffi.NULL, self._cell)
        if result < 0:
            self._cell[0] = ffi.NULL
        check(result, what)

    @property
    def handle(self) -> Any:
        """The VkDevice."""
        return self._cell[0]

    def _open(self, host_memory_cap: int) -> None:
        """Make what lives as long as the device does."""
        properties = struct("VkPhysicalDeviceMemoryProperties")
        self._instance.fn.vkGetPhysicalDeviceMemoryProperties(self._physical, properties)
        self.allocator = Allocator(VulkanMemory(self, self.info, properties), host_cap=host_memory_cap)
        self.owner = Owner(self, "device")
        self._make_timeline()
        queue_handle = ffi.new("VkQueue*")
        self.fn.vkGetDeviceQueue(self.handle, self.family, 0, queue_handle)
        self.queue = queue_handle[0]
        self.pipelines: dict[tuple[Any, ...], Any] = {}
        self.samplers: dict[str, Any] = {}
        self.pipeline_cache = pipeline_cache.create(self)

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
        self.timeline = self.owner.create("Semaphore", struct("VkSemaphoreCreateInfo", pNext=kind), "timeline")
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
        """Create and name a Vulkan object that nobody owns; return its handle."""
        handle = ffi.new(f"Vk{kind}*")
        check(
            getattr(self.fn, f"vkCreate{kind}")(self.handle, create_info, ffi.NULL, handle), f"creating {kind} {name}"
        )
        self.name_object(kind, handle[0], name)
        return handle[0]

    def name_object(self, kind: str, handle: Any, name: str) -> None:
        """Name an object of `kind` ("Image") for debuggers and validation messages."""
        if not self._instance.debug_utils:
            return
        words = "".join("_" + c if c.isupper() else c for c in kind).upper()
        info = struct(
            "VkDebugUtilsObjectNameInfoEXT",
            objectType=getattr(C, f"VK_OBJECT_TYPE{words}"),
            objectHandle=int(ffi.cast("uintptr_t", handle)),
            pObjectName=name,
        )
        self.fn.vkSetDebugUtilsObjectNameEXT(self.handle, info)

    def new_holding(self, owner: Owner) -> Holding:
        """Return what a new owner has: nothing. It is destroyed once the owner releases it, or is gone."""
        holding = Holding(next(self._keys))
        gone = weakref.ref(owner, partial(setitem, self._dropped, holding.key))
        self._holdings[holding.key] = holding, gone
        return holding

    def defer(self, holding: Holding) -> None:
        """Have what an owner had destroyed once the GPU has finished everything submitted so far.

        Nothing is destroyed here: iterators release what they have whenever Python drops them.
        """
        if holding.key in self._holdings:
            self._deferred.append((self.submitted, holding))
            self._holdings.pop(holding.key, None)

    def collect(self) -> None:
        """Destroy what was deferred and whose time has come."""
        for key in list(self._dropped):
            if key in self._holdings:
                self.defer(self._holdings[key][0])
            self._dropped.pop(key)
        if not self._deferred:
            return
        done = self.completed()
        while self._deferred and self._deferred[0][0] <= done:
            self._deferred[0][1].destroy(self)
            self._deferred.popleft()  # only now: what cuts this off leaves the rest to be destroyed next time

    # Work

    @property
    def submitted(self) -> int:
        """The timeline value of the last submission."""
        return self._timeline[0]

    def completed(self) -> int:
        """Return the timeline value that the GPU has reached."""
        value = ffi.new("uint64_t*")
        result = self.fn.vkGetSemaphoreCounterValue(self.handle, self.timeline, value)
        if result != 0:
            self._failed(result, "reading the timeline")
        return value[0]

    def submit(self, command_buffer: Any, what: str) -> int:
        """Submit a recorded command buffer and return the timeline value that it will signal.

        Args:
            command_buffer: A VkCommandBuffer handle.
            what: What it does, for errors.

        Raises:
            DeviceLostError, OutOfMemoryError: As the driver says.
        """
        value = self.submitted + 1
        self._command_info.commandBuffer = command_buffer
        self._signal.value = value
        # Counted in the same breath: no Ctrl-C may have a value signalled twice, or one waited for that never comes.
        submit = partial(self._fn_submit, self.queue, 1, self._submit_info, ffi.NULL)
        result, _ = at_once(submit, partial(setitem, self._timeline, 0, value))
        if result != 0:
            self._timeline[0] = value - 1
            self._failed(result, what)
        return value

    def wait(self, value: int, what: str) -> None:
        """Wait until the timeline reaches `value`, or the last that was submitted if that is less.

        Ctrl-C gets through within a fifth of a second.

        Raises:
            DeviceLostError: The device was lost meanwhile; the message names `what`.
            DeviceError: Nothing came for ten minutes.
            ValidationLayerError: The validation layers said something since the last wait.
        """
        self._wait_value[0] = min(value, self.submitted)
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
        """Wait for the GPU, destroy everything, and return the names of allocations that no owner knew of.

        Cut off, it goes on where it was when it is called again; once all is gone it does nothing.
        """
        self.closed = True
        if self.gone or forked():
            return []
        leaks: list[str] = []
        if self.handle != ffi.NULL:
            self.fn.vkDeviceWaitIdle(self.handle)  # a lost one says so in finite time
            if self.pipeline_cache is not None and not self.lost:
                pipeline_cache.save(self)
            self.pipeline_cache = None
            for _, holding in list(self._deferred):
                holding.destroy(self)
            for holding, _ in list(self._holdings.values())[::-1]:  # the device's own comes last
                holding.destroy(self)
            if hasattr(self, "allocator"):
                leaks = self.allocator.close()
            destroy = partial(self.fn.vkDestroyDevice, self.handle, ffi.NULL)
            at_once(destroy, partial(setitem, self._cell, 0, ffi.NULL))
        self.gone = True
        return leaks

    def __del__(self) -> None:
        if not (self.gone or sys.is_finalizing()):  # an interrupt came before anybody had it
            self.close()
