"""The Vulkan instance, its validation messages, and the choice among physical devices."""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from vkforge.errors import DeviceError, InputError, VulkanMissingError, suggest
from vkforge.vk.ffi import INSTALL_HINT, C, Functions, check, enumerate_all, ffi, lib, string, struct
from vkforge.vk.needs import lacking

log = logging.getLogger("vkforge")

API_VERSION = (1 << 22) | (2 << 12)  # Vulkan 1.2
VALIDATION_LAYER = "VK_LAYER_KHRONOS_validation"
REQUIRED_EXTENSIONS = ("VK_KHR_dynamic_rendering", "VK_KHR_synchronization2")
NOTED_EXTENSIONS = (
    *REQUIRED_EXTENSIONS,
    "VK_EXT_descriptor_indexing",
    "VK_EXT_memory_budget",
    "VK_EXT_external_memory_host",
    "VK_EXT_mesh_shader",
    "VK_KHR_ray_query",
    "VK_KHR_ray_tracing_pipeline",
)
REQUIRED_FEATURES = ("timelineSemaphore", "scalarBlockLayout", "dynamicRendering", "synchronization2")
# Those that `vkforge.vk.needs` knows are what the shaders use (a test compares them), or what every driver has.
REQUIRED_LIMITS = {
    "maxImageDimension2D": 4096,
    "maxComputeWorkGroupInvocations": 256,
    "maxPerStageDescriptorStorageImages": 14,
    "maxPerStageDescriptorStorageBuffers": 8,
    "maxPerStageDescriptorSampledImages": 16,
    "maxPerStageDescriptorSamplers": 16,
    "maxPerStageResources": 128,
    "maxPushConstantsSize": 128,
    "maxStorageBufferRange": 2**27,
}
NOTED_LIMITS = (
    *REQUIRED_LIMITS,
    "maxMemoryAllocationCount",
    "bufferImageGranularity",
    "nonCoherentAtomSize",
    "minStorageBufferOffsetAlignment",
    "optimalBufferCopyOffsetAlignment",
    "optimalBufferCopyRowPitchAlignment",
    "timestampComputeAndGraphics",
    "timestampPeriod",
)
_TYPES = {0: "other", 1: "integrated", 2: "discrete", 3: "virtual", 4: "cpu"}
_PREFERENCE = ("discrete", "integrated", "virtual", "cpu", "other")

_messages: list[str] = []


@dataclasses.dataclass(frozen=True)
class DeviceInfo:
    """What a physical device is and whether vkforge can use it.

    Attributes:
        index: Its place in the driver's list; `device=` takes it.
        name: The driver's name for it; `device=` takes any part of it.
        type: "discrete", "integrated", "virtual", "cpu" or "other".
        driver: Driver name and version text.
        api_version: (major, minor, patch).
        vendor_id: PCI or Khronos vendor id.
        heaps: One dict a memory heap: size in bytes and whether it is device-local.
        limits: The limits that matter to vkforge.
        extensions: Whether each extension that matters is there.
        suitable: Whether it meets the baseline.
        reasons: What it lacks, one sentence each.
    """

    index: int
    name: str
    type: str
    driver: str
    api_version: tuple[int, int, int]
    vendor_id: int
    heaps: tuple[dict[str, Any], ...]
    limits: dict[str, float]
    extensions: dict[str, bool]
    suitable: bool
    reasons: tuple[str, ...]
    handle: Any = dataclasses.field(repr=False, compare=False, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the handle, ready for JSON."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del values["handle"]
        return values


def missed(limits: Mapping[str, float]) -> list[str]:
    """Return which limits of a device are too low, a sentence each, with the features that use more."""
    low = {name: least for name, least in REQUIRED_LIMITS.items() if limits[name] < least}
    features = lacking(limits) if low else {}
    return [
        f"its limit {name} is {limits[name]:.10g}, vkforge needs {least}"
        + (f" ({features[name]})" if features.get(name) else "")
        for name, least in low.items()
    ]


def validation_wanted() -> bool:
    """Whether the environment asks for validation layers (VKFORGE_VALIDATION=1)."""
    return os.environ.get("VKFORGE_VALIDATION", "0") not in ("", "0")


def drain_validation_messages() -> list[str]:
    """Return the validation messages collected since the last call, and forget them."""
    drained = list(_messages)
    _messages.clear()
    return drained


@ffi.callback(
    "VkBool32(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,"
    " const VkDebugUtilsMessengerCallbackDataEXT*, void*)"
)
def _collect(severity: int, kind: int, data: Any, user: Any) -> int:
    # An exception in here would be swallowed by cffi, so messages are only collected; whoever waits next raises.
    name = string(data.pMessageIdName) if data.pMessageIdName != ffi.NULL else ""
    _messages.append(f"{name}: {string(data.pMessage)}")
    return 0


def forked() -> bool:
    """Whether this process was forked from one that had used Vulkan: a driver's threads stayed there."""
    return Instance.process not in (None, os.getpid())


def check_process() -> None:
    """Refuse Vulkan to a forked process, which would wait for ever for the driver's threads.

    Raises:
        DeviceError: This process was forked from one that had used Vulkan.
    """
    if forked():
        raise DeviceError(
            "this process was forked from one that had used Vulkan, which does not outlive a fork; start workers by "
            "'spawn': multiprocessing.get_context('spawn'), DataLoader(multiprocessing_context='spawn')"
        )


class Instance:
    """A VkInstance with its function table; one for each validation setting, shared by the whole process."""

    process: ClassVar[int | None] = None  # that made the first
    _shared: ClassVar[dict[bool, Instance]] = {}
    _lock = threading.Lock()

    @classmethod
    def shared(cls, validation: bool) -> Instance:
        """Return the process's instance, made on first use.

        Raises:
            VulkanMissingError: No driver, or validation was asked for and its layer is missing.
            DeviceError: This process was forked from one that had used Vulkan.
        """
        check_process()  # before the lock, which nobody may be there to release
        with cls._lock:
            cls.process = os.getpid()
            if validation not in cls._shared:
                cls._shared[validation] = cls(validation)
            return cls._shared[validation]

    def __init__(self, validation: bool) -> None:
        self.validation = validation
        resolve = lib.vkGetInstanceProcAddr
        start = Functions(lambda name: resolve(ffi.NULL, name))
        layers = {
            string(layer.layerName)
            for layer in enumerate_all(start.vkEnumerateInstanceLayerProperties, "VkLayerProperties")
        }
        if validation and VALIDATION_LAYER not in layers:
            raise VulkanMissingError(
                f"VKFORGE_VALIDATION is set but the layer {VALIDATION_LAYER} is not installed;"
                " install it with: sudo apt-get install -y vulkan-validationlayers"
            )
        available = {
            string(extension.extensionName)
            for extension in enumerate_all(
                start.vkEnumerateInstanceExtensionProperties, "VkExtensionProperties", ffi.NULL
            )
        }
        self.debug_utils = "VK_EXT_debug_utils" in available or validation
        messenger = struct(
            "VkDebugUtilsMessengerCreateInfoEXT",
            messageSeverity=C.VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT
            | C.VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
            messageType=C.VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT
            | C.VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT,
            pfnUserCallback=_collect,
        )
        features = struct(
            "VkValidationFeaturesEXT",
            enabledValidationFeatureCount=1,
            pEnabledValidationFeatures=[C.VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT],
            pNext=messenger,
        )
        application = struct(
            "VkApplicationInfo", pApplicationName="vkforge", pEngineName="vkforge", apiVersion=API_VERSION
        )
        extensions = ["VK_EXT_debug_utils"] if self.debug_utils else []
        create_info = struct(
            "VkInstanceCreateInfo",
            pNext=features if validation else None,
            pApplicationInfo=application,
            enabledLayerCount=int(validation),
            ppEnabledLayerNames=[VALIDATION_LAYER] if validation else None,
            enabledExtensionCount=len(extensions),
            ppEnabledExtensionNames=extensions or None,
        )
        handle = ffi.new("VkInstance*")
        result = start.vkCreateInstance(create_info, ffi.NULL, handle)
        if result == C.VK_ERROR_INCOMPATIBLE_DRIVER:
            raise VulkanMissingError(f"the Vulkan loader found no driver; {INSTALL_HINT}")
        check(result, "creating the Vulkan instance")
        self.handle = handle[0]
        self.fn = Functions(lambda name: resolve(self.handle, name))
        if validation:
            check(
                self.fn.vkCreateDebugUtilsMessengerEXT(
                    self.handle, messenger, ffi.NULL, ffi.new("VkDebugUtilsMessengerEXT*")
                ),
                "creating the debug messenger",
            )

    def devices(self) -> list[DeviceInfo]:
        """Return every physical device, suitable or not, in the driver's order."""
        handles = enumerate_all(self.fn.vkEnumeratePhysicalDevices, "VkPhysicalDevice", self.handle)
        return [self._describe(index, handle) for index, handle in enumerate(handles)]

    def _describe(self, index: int, handle: Any) -> DeviceInfo:
        driver = struct("VkPhysicalDeviceDriverProperties")
        properties2 = struct("VkPhysicalDeviceProperties2", pNext=driver)
        self.fn.vkGetPhysicalDeviceProperties(handle, ffi.addressof(properties2, "properties"))
        properties = properties2.properties
        version = (properties.apiVersion >> 22, (properties.apiVersion >> 12) & 0x3FF, properties.apiVersion & 0xFFF)
        available = {
            string(extension.extensionName)
            for extension in enumerate_all(
                self.fn.vkEnumerateDeviceExtensionProperties, "VkExtensionProperties", handle, ffi.NULL
            )
        }
        extensions = {name: name in available for name in NOTED_EXTENSIONS}
        limits = {name: getattr(properties.limits, name) for name in NOTED_LIMITS}
        reasons = []
        if version < (1, 2, 0):
            reasons.append(f"it offers Vulkan {version[0]}.{version[1]}, vkforge needs 1.2")
        reasons += [f"it lacks the extension {name}" for name in REQUIRED_EXTENSIONS if not extensions[name]]
        reasons += missed(limits)
        if not reasons:
            self.fn.vkGetPhysicalDeviceProperties2(handle, properties2)
            features = self.feature_chain()
            self.fn.vkGetPhysicalDeviceFeatures2(handle, features[0])
            have = {
                name: getattr(chained, name)
                for chained in features[1:]
                for name in REQUIRED_FEATURES
                if hasattr(chained, name)
            }
            reasons += [f"it lacks the feature {name}" for name in REQUIRED_FEATURES if not have[name]]
        memory = struct("VkPhysicalDeviceMemoryProperties")
        self.fn.vkGetPhysicalDeviceMemoryProperties(handle, memory)
        heaps = tuple(
            {
                "bytes": memory.memoryHeaps[i].size,
                "device_local": bool(memory.memoryHeaps[i].flags & C.VK_MEMORY_HEAP_DEVICE_LOCAL_BIT),
            }
            for i in range(memory.memoryHeapCount)
        )
        return DeviceInfo(
            index=index,
            name=string(properties.deviceName),
            type=_TYPES.get(properties.deviceType, "other"),
            driver=f"{string(driver.driverName)} {string(driver.driverInfo)}".strip(),
            api_version=version,
            vendor_id=properties.vendorID,
            heaps=heaps,
            limits=limits,
            extensions=extensions,
            suitable=not reasons,
            reasons=tuple(reasons),
            handle=handle,
        )

    @staticmethod
    def feature_chain() -> list[Any]:
        """Return the feature structs vkforge asks about, chained: [VkPhysicalDeviceFeatures2, 1.2, rendering, sync]."""
        sync = struct("VkPhysicalDeviceSynchronization2Features")
        rendering = struct("VkPhysicalDeviceDynamicRenderingFeatures", pNext=sync)
        vulkan12 = struct("VkPhysicalDeviceVulkan12Features", pNext=rendering)
        return [struct("VkPhysicalDeviceFeatures2", pNext=vulkan12), vulkan12, rendering, sync]


def list_devices() -> list[DeviceInfo]:
    """Return every Vulkan device of the machine.

    Raises:
        VulkanMissingError: No loader or no driver.
    """
    return Instance.shared(validation_wanted()).devices()


def choose_device(devices: list[DeviceInfo], wanted: str | int = "auto") -> tuple[DeviceInfo, str]:
    """Choose a device and say why.

    Args:
        devices: What `list_devices` gave.
        wanted: "auto" (VKFORGE_DEVICE if set, else discrete over integrated over virtual over CPU), an index, or part
            of a name, in any case.

    Returns:
        The device and the reason, a sentence.

    Raises:
        InputError: No device matches `wanted`.
        DeviceError: The wanted device, or every device, lacks something vkforge needs.
        VulkanMissingError: There is no device at all.
    """
    if not devices:
        raise VulkanMissingError(f"the Vulkan loader found no device; {INSTALL_HINT}")
    source = f"device={wanted!r}"
    if wanted == "auto" and os.environ.get("VKFORGE_DEVICE", "auto") != "auto":
        wanted = os.environ["VKFORGE_DEVICE"]
        source = f"VKFORGE_DEVICE={wanted}"
    if wanted != "auto":
        text = str(wanted)
        listed = "; ".join(f"{device.index}: {device.name}" for device in devices)
        if text.isdigit():
            matches = [device for device in devices if device.index == int(text)]
        else:
            matches = [device for device in devices if text and text.lower() in device.name.lower()]
        if not matches:
            hint = suggest(text, [device.name for device in devices])
            raise InputError(f"no Vulkan device matches {source}; there is {listed}{hint}")
        matches.sort(key=lambda device: not device.suitable)
        if not matches[0].suitable:
            raise DeviceError(f"{matches[0].name} can't run vkforge: {', and '.join(matches[0].reasons)}")
        return matches[0], f"asked for by {source}"
    suitable = [device for device in devices if device.suitable]
    if not suitable:
        lacks = "; ".join(f"{device.name}: {', '.join(device.reasons)}" for device in devices)
        raise DeviceError(f"no Vulkan device meets the baseline (Vulkan 1.2): {lacks}")
    best = min(suitable, key=lambda device: (_PREFERENCE.index(device.type), device.index))
    others = len(suitable) - 1
    reason = "the only suitable device" if not others else f"the first {best.type} device of {others + 1} suitable ones"
    return best, reason
