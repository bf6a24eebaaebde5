"""Questions to the device: rows of numbers in, rows of numbers out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vkforge.graph.access import Access
from vkforge.graph.builder import BufferResource, Graph
from vkforge.graph.frame import Frame
from vkforge.memory.intents import Intent
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import Buffer

BATCH = 1 << 20  # rows at a time, or as many as take a quarter of what is left under the host-memory cap


def ask(
    device: Device,
    name: str,
    rows: np.ndarray,
    width: int,
    declare: Callable[[Graph, tuple[int, int], BufferResource, BufferResource], None],
    fill: Callable[[Mapping[str, Any]], None] | None = None,
) -> np.ndarray:
    """Run a shader over rows of numbers and return a row of answers for each.

    Args:
        device: The device.
        name: Of the question, in labels and the memory report.
        rows: (n, k) numbers; the shader finds their count as a uint, and then the rows as float32.
        width: Numbers of an answer.
        declare: Called with the graph, the extent, and the buffers of questions and answers; declares the pass.
        fill: Writes the blocks of the pass, where it has any.

    Returns:
        (n, width) float32.

    Raises:
        OutOfMemoryError: A batch does not fit on the device.
    """
    allocator = device.allocator
    free = (allocator.host_cap - allocator.host_reserved) // 4
    batch = max(1, min(BATCH, free // (4 * (rows.shape[1] + width))))
    answers = [_ask_batch(device, name, rows[i : i + batch], width, declare, fill) for i in range(0, len(rows), batch)]
    return np.concatenate(answers) if answers else np.zeros((0, width), np.float32)


def _ask_batch(device: Device, name: str, rows: np.ndarray, width: int, declare: Any, fill: Any) -> np.ndarray:
    count = len(rows)
    owner = Owner(device, name)
    frame = None
    try:
        queries = Buffer(owner, "queries", 4 + 4 * rows.size, frozenset(["storage"]), Intent.UPLOAD)
        answers = Buffer(owner, "answers", 4 * width * count, frozenset(["storage"]), Intent.READBACK)
        queries.array(np.uint32, 1)[0] = count
        queries.array(np.float32, rows.size, 4).reshape(rows.shape)[...] = rows
        graph = Graph(name)
        output = graph.import_buffer("answers", answers)
        declare(graph, (count, 1), graph.import_buffer("queries", queries), output)
        graph.hand_over("read back", Access.HOST_READ, output)
        frame = Frame(device, graph, slots=1, once=True)
        slot = frame.acquire()
        if fill is not None:
            fill(frame.blocks[slot])
        frame.wait(frame.submit())
        answers.invalidate()
        return answers.array(np.float32, width * count).reshape(count, width).copy()
    finally:
        if frame is not None:
            frame.release()
        owner.release()
