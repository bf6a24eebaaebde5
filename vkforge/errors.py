"""Every exception vkforge raises on purpose, in one tree.

`InputError` is the caller's to mend (the command line exits with 2), everything else is the machine's (exit code 1).
Each message is one line: what was given, what is wanted, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class VkforgeError(Exception):
    """Base of every error that vkforge raises on purpose."""


class InputError(VkforgeError, ValueError):
    """An argument, array or file that can't be used as given."""


class MissingDependencyError(VkforgeError, ImportError):
    """An optional library is needed; the message names the extra that brings it."""


class OutputError(VkforgeError, OSError):
    """A picture could not be written; whatever stood at the path before is untouched."""


class DeviceError(VkforgeError, RuntimeError):
    """The Vulkan device or its driver can't do what is needed."""


class VulkanMissingError(DeviceError):
    """No Vulkan loader, or no driver behind it; the message has the command that installs one."""


class DeviceLostError(DeviceError):
    """The device was lost while it worked; this renderer is finished, a new one can be made."""


class OutOfMemoryError(DeviceError, MemoryError):
    """The device, or the host on the driver's behalf, is out of memory."""


class HostCapError(OutOfMemoryError):
    """An allocation would pass the cap on host-visible memory."""


class ShaderBuildError(VkforgeError):
    """Compiled shaders are missing, stale or broken; the message has the command that rebuilds them."""


class ValidationLayerError(DeviceError):
    """The Vulkan validation layers complained about what vkforge did."""


def suggest(given: str, options: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the option nearest to `given`, or an empty string."""
    nearest = difflib.get_close_matches(str(given), list(options), n=1, cutoff=0.5)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""
