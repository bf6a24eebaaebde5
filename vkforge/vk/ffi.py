"""The one door to the `vulkan` binding: its cffi declarations, a struct builder, function tables and result checks.

The binding's own wrappers free nested structs too early, drop falsy arguments and cost tens of microseconds a call, so
vkforge uses only its declarations (`ffi`), its constants (`C`) and the loader's library (`lib`).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

from vkforge.errors import DeviceError, DeviceLostError, OutOfMemoryError, VulkanMissingError

INSTALL_HINT = "install it with: sudo apt-get install -y libvulkan1 mesa-vulkan-drivers (or your GPU's driver)"

try:
    import vulkan
    from vulkan import _vulkan, _vulkancache
except OSError as error:  # what the binding raises when it can't open libvulkan
    raise VulkanMissingError(f"the Vulkan loader (libvulkan.so.1) is not on this machine; {INSTALL_HINT}") from error

# The binding has no types (typings/vulkan says so to pyright).
C: Any = vulkan
ffi: Any = _vulkancache.ffi
lib: Any = _vulkan.lib

__all__ = ["C", "Functions", "check", "ffi", "lib", "string", "struct", "structs"]

_KEEP_ALIVE: weakref.WeakKeyDictionary[Any, list[Any]] = weakref.WeakKeyDictionary()
_RESULT_NAMES: dict[int, str] = dict(ffi.typeof("VkResult").elements)
_STRUCTURE_TYPES = {
    name.removeprefix("VK_STRUCTURE_TYPE_").replace("_", "").lower(): value
    for name, value in ffi.typeof("VkStructureType").relements.items()
}
_FIELDS: dict[str, dict[str, Any]] = {}


def _fields(name: str) -> dict[str, Any]:
    """Return {field: cffi type} of the struct called `name`, remembered."""
    if name not in _FIELDS:
        _FIELDS[name] = {field: info.type for field, info in ffi.typeof(name).fields}
    return _FIELDS[name]


def struct(name: str, **values: Any) -> Any:
    """Return an owned pointer to a new struct `name` with `values`, whose children live as long as it does.

    `sType` is filled in. A pointer field takes None, a string, a struct made here, a cffi array or pointer, or a
    sequence of numbers, handles, strings or structs; a struct field takes a struct made here or a tuple. An unknown
    field raises AttributeError.
    """
    made = ffi.new(name + "*")
    fields = _fields(name)
    children: list[Any] = []
    if "sType" in fields:
        made.sType = _STRUCTURE_TYPES[name.removeprefix("Vk").lower()]
    for field, value in values.items():
        if field not in fields:
            raise AttributeError(f"{name} has no field {field!r}")
        kind = fields[field].kind
        if value is None:
            continue
        if kind == "pointer":
            value = _pointer(fields[field], value, children)
        elif kind == "struct" and isinstance(value, ffi.CData) and ffi.typeof(value).kind == "pointer":
            children.append(value)
            value = value[0]
        setattr(made, field, value)
    _KEEP_ALIVE[made] = children
    return made


def _pointer(ctype: Any, value: Any, children: list[Any]) -> Any:
    """Return `value` as a field of pointer type `ctype` takes it; what it needs alive joins `children`."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes) and ctype.item.cname in ("char", "void", "uint32_t"):
        value = ffi.from_buffer(value) if ctype.item.cname != "char" else ffi.new("char[]", value)
        children.append(value)
        return ffi.cast(ctype, value)
    if isinstance(value, ffi.CData):
        children.append(value)
        return ffi.cast(ctype, value) if ctype.item.kind == "void" else value
    items: list[Any] = list(value)
    if ctype.item.kind == "struct":
        children.extend(items)
        array = ffi.new(ctype.item.cname + "[]", [item[0] for item in items])
    elif ctype.item.kind == "pointer" and items and isinstance(items[0], str):
        strings = [ffi.new("char[]", item.encode()) for item in items]
        children.extend(strings)
        array = ffi.new("char*[]", strings)
    else:
        array = ffi.new(ctype.item.cname + "[]", items)
    children.append(array)
    return array


def structs(name: str, count: int) -> Any:
    """Return an array of `count` zeroed structs `name` with their `sType` set, for drivers to fill."""
    array = ffi.new(name + "[]", count)
    if "sType" in _fields(name):
        for element in array:
            element.sType = _STRUCTURE_TYPES[name.removeprefix("Vk").lower()]
    return array


def string(chars: Any) -> str:
    """Return a C string as a Python one."""
    return ffi.string(chars).decode("utf-8", "replace")


def enumerate_all(function: Callable[..., Any], name: str, *arguments: Any) -> Sequence[Any]:
    """Call a two-step Vulkan enumeration (count, then fill) and return the cffi array of `name`."""
    count, what = ffi.new("uint32_t*"), f"listing {name}"
    check(function(*arguments, count, ffi.NULL) or 0, what)  # some return nothing
    array = structs(name, count[0]) if ffi.typeof(name).kind == "struct" else ffi.new(name + "[]", count[0])
    check(function(*arguments, count, array) or 0, what)
    return array


def check(result: int, what: str) -> int:
    """Return a non-negative VkResult; raise the typed error for a negative one, naming `what` was being done."""
    if result >= 0:
        return result
    name = _RESULT_NAMES.get(result, str(result))
    if result == C.VK_ERROR_DEVICE_LOST:
        raise DeviceLostError(f"the device was lost during {what}; close this renderer and make a new one")
    if result in (C.VK_ERROR_OUT_OF_DEVICE_MEMORY, C.VK_ERROR_OUT_OF_HOST_MEMORY):
        where = "device" if result == C.VK_ERROR_OUT_OF_DEVICE_MEMORY else "host"
        raise OutOfMemoryError(f"out of {where} memory during {what}; render smaller, or free some memory")
    raise DeviceError(f"{what} failed with {name}")


class Functions:
    """Vulkan entry points resolved on first use: raw cffi pointers, no wrapper, no checks."""

    def __init__(self, resolve: Callable[[bytes], Any]) -> None:
        self._resolve = resolve

    def __getattr__(self, name: str) -> Any:
        pointer = self._resolve(name.encode())
        if pointer == ffi.NULL:
            raise DeviceError(f"the driver has no {name}")
        function = ffi.cast(f"PFN_{name}", pointer)
        setattr(self, name, function)
        return function
