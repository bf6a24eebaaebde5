"""The directional albedo of GGX, computed on the device."""

from __future__ import annotations

import numpy as np

from vkforge.graph.access import Access, Layout
from vkforge.graph.builder import Graph, ImageResource
from vkforge.graph.frame import Frame
from vkforge.pbr import TABLE_SIZE
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import Image
from vkforge.vk.transfer import Readback

SIZE = (TABLE_SIZE, TABLE_SIZE)


class DeviceSplitSum:
    """The split-sum table as an image that shaders sample."""

    def __init__(self, device: Device) -> None:
        self.owner = Owner(device, "split_sum")
        with self.owner:
            self.image = Image(self.owner, "split_sum", "rgba32f", SIZE, frozenset(["sampled", "storage"])).allocate()
            graph = Graph("split_sum")
            table = graph.import_image("split_sum", self.image, layout=Layout.UNDEFINED)
            _run(device, graph, table, Access.SAMPLED).release()

    def release(self) -> None:
        """Give the image back."""
        self.owner.release()


def read_split_sum(device: Device) -> np.ndarray:
    """Compute the table; return it as (TABLE_SIZE, TABLE_SIZE, 2) float32: by roughness, and by the cosine's root."""
    graph = Graph("split_sum")
    frame = _run(device, graph, graph.image("split_sum", "rgba32f", SIZE), Access.COPY_SOURCE)
    ring = Readback(device)
    try:
        return ring.start([frame.images["split_sum"]]).result()[0][..., :2].copy()
    finally:
        ring.release()
        frame.release()


def _run(device: Device, graph: Graph, table: ImageResource, then: Access) -> Frame:
    """Fill `table` and leave it ready for what comes `then`; return the finished frame, to be released."""
    graph.compute("split_sum", "materials/split_sum.comp", SIZE, table=table)
    graph.hand_over("table", then, table)
    frame = Frame(device, graph, slots=1, once=True)
    try:
        frame.acquire()
        frame.wait(frame.submit())
    except BaseException:
        frame.release()
        raise
    return frame


def import_split_sum(graph: Graph, split_sum: DeviceSplitSum | None, instead: ImageResource) -> ImageResource:
    """Bring the table into a graph; where there is none, `instead`, which is bound but not read."""
    return instead if split_sum is None else graph.import_image("split_sum", split_sum.image)
