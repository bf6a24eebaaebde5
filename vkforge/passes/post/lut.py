"""A look-up table on the device."""

from __future__ import annotations

import itertools
import math

import numpy as np

from vkforge.errors import InputError
from vkforge.graph.access import Access, Layout
from vkforge.graph.builder import Graph, ImageResource
from vkforge.post.lut import Lut
from vkforge.vk.commands import Commands
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import Image
from vkforge.vk.transfer import upload

_serials = itertools.count()


def slices_a_row(side: int) -> int:
    """Return how many slices of a table lie beside one another in its image: about as many as below."""
    return math.isqrt(side - 1) + 1


class DeviceLut:
    """A table as an image of its slices, as include/lut.glsl reads it."""

    def __init__(self, device: Device, lut: Lut) -> None:
        side = len(lut.table)
        columns = slices_a_row(side)
        rows = -(-side // columns)
        largest = int(device.info.limits["maxImageDimension2D"])
        if columns * side > largest:
            raise InputError(f"the lut has {side} entries a side, too many for {device.info.name}: resample it")
        # (row, column, green, red, channel), alpha left out of the question
        slices = np.zeros((rows * columns, side, side, 4), np.float32)
        slices[:side, ..., :3] = lut.table
        pixels = slices.reshape(rows, columns, side, side, 4).swapaxes(1, 2).reshape(rows * side, columns * side, 4)
        self.owner = Owner(device, f"lut#{next(_serials)}")

        def fill(target: np.ndarray, first: int) -> None:
            target[...] = pixels[first : first + len(target)]

        with self.owner:
            usages = frozenset(["storage", "sampled", "copy_destination"])  # sampled: how an upload ends
            self.image = Image(self.owner, "lut", "rgba32f", (columns * side, rows * side), usages).allocate()
            upload(device, self.image, fill)
            commands = Commands(self.owner, "to storage")
            with commands:
                commands.transition(self.image, Access.SAMPLED, Access.STORAGE_READ)
            device.wait(device.submit(commands.handle, "lut"), "lut")

    def release(self) -> None:
        """Give the image back."""
        self.owner.release()


def import_lut(graph: Graph, lut: DeviceLut | None) -> ImageResource | None:
    """Bring the table into a graph, where there is one."""
    return None if lut is None else graph.import_image("lut", lut.image, layout=Layout.GENERAL)
