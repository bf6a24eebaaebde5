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
_CURVE_WIDTH = 1024  # texels of a row, at least, of curves that are as long


def slices_a_row(side: int) -> int:
    """Return how many slices of a table lie beside one another in its image: about as many as below."""
    return math.isqrt(side - 1) + 1


def table_rows(lut: Lut) -> int:
    """Return the rows of the image that the slices of a table take; the curves before it lie below."""
    side = len(lut.table)
    return -(-side // slices_a_row(side)) * side


class DeviceLut:
    """A table as an image of its slices, and the curves below them, as include/lut.glsl reads it."""

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
        pixels = _with_curves(pixels, lut.shaper)
        self.owner = Owner(device, f"lut#{next(_serials)}")

        def fill(target: np.ndarray, first: int) -> None:
            target[...] = pixels[first : first + len(target)]

        with self.owner:
            usages = frozenset(["storage", "sampled", "copy_destination"])  # sampled: how an upload ends
            self.image = Image(self.owner, "lut", "rgba32f", pixels.shape[1::-1], usages).allocate()
            upload(device, self.image, fill)
            commands = Commands(self.owner, "to storage")
            with commands:
                commands.transition(self.image, Access.SAMPLED, Access.STORAGE_READ)
            device.wait(device.submit(commands.handle, "lut"), "lut")

    def release(self) -> None:
        """Give the image back."""
        self.owner.release()


def _with_curves(pixels: np.ndarray, curves: np.ndarray | None) -> np.ndarray:
    """Return the slices with the entries of curves below them, row by row over the whole width."""
    if curves is None:
        return pixels
    height, width = pixels.shape[0], max(pixels.shape[1], min(len(curves), _CURVE_WIDTH))
    image = np.zeros((height + -(-len(curves) // width), width, 4), np.float32)
    image[:height, : pixels.shape[1]] = pixels
    image[height:].reshape(-1, 4)[: len(curves), :3] = curves
    return image


def import_lut(graph: Graph, lut: DeviceLut | None) -> ImageResource | None:
    """Bring the table into a graph, where there is one."""
    return None if lut is None else graph.import_image("lut", lut.image, layout=Layout.GENERAL)
