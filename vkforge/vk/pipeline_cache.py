"""The pipeline cache on disk: one file a driver in the user's cache folder, written whole or not at all."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vkforge.errors import OutputError
from vkforge.io.atomic import replacing
from vkforge.io.table_cache import folder
from vkforge.vk.ffi import C, ffi, struct

if TYPE_CHECKING:
    from vkforge.vk.device import Device

log = logging.getLogger("vkforge")


def path_for(device: Device) -> Path:
    """Return the cache file of the device's driver: another driver, or another version of it, has another file.

    VKFORGE_CACHE_DIR overrides the user's cache folder.
    """
    return folder() / f"pipelines-{hashlib.sha256(driver_key(device).encode()).hexdigest()[:16]}.bin"


def driver_key(device: Device) -> str:
    """Return what tells a device's driver from another, and from another version of it."""
    info = device.info
    return f"{info.vendor_id}/{info.name}/{info.driver}/{info.api_version}"


def create(device: Device) -> Any:
    """Return a VkPipelineCache with what the file holds; a missing or corrupt file gives an empty one.

    The file starts with the SHA-256 of the rest, so that a torn or edited file never reaches the driver; the driver
    itself ignores data of another version (Vulkan 1.3, 10.7.1).
    """
    try:
        content = path_for(device).read_bytes()
    except OSError:
        content = b""
    digest, data = content[:32], content[32:]
    if data and hashlib.sha256(data).digest() != digest:
        log.warning("ignoring the corrupt pipeline cache %s", path_for(device))
        data = b""
    initial = ffi.from_buffer(data) if data else None
    create_info = struct("VkPipelineCacheCreateInfo", initialDataSize=len(data), pInitialData=initial)
    return device.owner.create("PipelineCache", create_info, "pipelines")


def save(device: Device) -> None:
    """Write the cache's data beside its file and move it into place; trouble is logged, never raised."""
    size = ffi.new("size_t*")
    if device.fn.vkGetPipelineCacheData(device.handle, device.pipeline_cache, size, ffi.NULL) != C.VK_SUCCESS:
        return
    buffer = bytearray(size[0])
    if not buffer:
        return
    view = ffi.from_buffer(buffer)
    if device.fn.vkGetPipelineCacheData(device.handle, device.pipeline_cache, size, view) != C.VK_SUCCESS:
        return
    data = bytes(buffer[: size[0]])
    content = hashlib.sha256(data).digest() + data
    path = path_for(device)
    try:
        if path.exists() and path.stat().st_size == len(content) and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as stream:
            stream.write(content)
    except (OSError, OutputError) as error:
        log.warning("the pipeline cache %s could not be written: %s", path, error)
