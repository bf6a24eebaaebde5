"""The environment map as rough mirrors see it: tables made once a map, and what they say about any directions."""

from __future__ import annotations

from typing import Any

import numpy as np

from vkforge.graph.access import Access, Layout
from vkforge.graph.builder import BufferResource, Graph
from vkforge.graph.frame import Frame
from vkforge.passes.lighting.environment import DeviceEnvironment, fill_environment, import_environment
from vkforge.passes.query import ask
from vkforge.scene.environment import Environment
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import Image

TABLES_SIZE = (512, 832)  # include/prefiltered.glsl
LIGHT_SIZE, LIGHT_LEVELS = (512, 256), 9  # down to two cells


def prefiltered(
    device: Device, held: DeviceEnvironment, environment: Environment, directions: np.ndarray, roughness: np.ndarray
) -> np.ndarray:
    """Return (n, 3) float32 prefiltered radiance: see `Environment.prefiltered`, which checked the arguments.

    Args:
        device: The device.
        held: The map on it; its tables are made if this is the first question.
        environment: The map, its rotation and its intensity.
        directions: (n, 3) unit vectors.
        roughness: (n,) in [0, 1].
    """
    if held.prefiltered is None:
        held.prefiltered = _make_tables(device, held, environment)

    def declare(graph: Graph, extent: tuple[int, int], queries: BufferResource, answers: BufferResource) -> None:
        graph.compute(
            "look up",
            "environment/look_up.comp",
            extent,
            tables=graph.import_image("tables", held.prefiltered),
            queries=queries,
            answers=answers,
            **import_environment(graph, held),
        )

    rows = np.column_stack([directions, roughness])
    fill = lambda blocks: fill_environment(blocks["environment"], environment)  # noqa: E731
    return ask(device, "environment look-up", rows, 3, declare, fill)


def _make_tables(device: Device, held: DeviceEnvironment, environment: Environment) -> Image:
    usages = frozenset(["sampled", "storage"])
    scratch = Owner(device, f"{held.owner.name} prefilter")
    try:
        pyramid = {
            name: Image(scratch, name, "rgba32f", LIGHT_SIZE, usages, LIGHT_LEVELS).allocate()
            for name in ("light", "centre", "middle")
        }
        graph = Graph("environment pyramid")
        bindings = import_environment(graph, held)
        levels = [
            {
                name: graph.import_image(f"{name} {level}", image, level=level, layout=Layout.UNDEFINED)
                for name, image in pyramid.items()
            }
            for level in range(LIGHT_LEVELS)
        ]
        for level, made in enumerate(levels):
            finer = {f"finer_{name}": image for name, image in levels[max(0, level - 1)].items()}
            graph.compute(
                f"level {level}",
                "environment/cluster.comp",
                (LIGHT_SIZE[0] >> level, LIGHT_SIZE[1] >> level),
                specialization={"FIRST": level == 0},
                **finer,
                **made,
                **bindings,
            )
        graph.hand_over("sampled", Access.SAMPLED, *(image for made in levels for image in made.values()))
        _run_once(device, graph, environment)

        with Owner(device, held.owner.name) as owner:
            tables = Image(owner, "prefiltered", "rgba32f", TABLES_SIZE, usages).allocate()
            graph = Graph("environment prefilter")
            output = graph.import_image("tables", tables, layout=Layout.UNDEFINED)
            graph.compute(
                "prefilter",
                "environment/prefilter.comp",
                TABLES_SIZE,
                tables=output,
                **{name: graph.import_image(name, image) for name, image in pyramid.items()},
                **import_environment(graph, held),
            )
            graph.hand_over("sampled", Access.SAMPLED, output)
            _run_once(device, graph, environment)
            return tables
    finally:
        scratch.release()


def _run_once(device: Device, graph: Graph, environment: Any) -> None:
    frame = Frame(device, graph, slots=1, once=True)
    try:
        fill_environment(frame.blocks[frame.acquire()]["environment"], environment)
        frame.wait(frame.submit())
    finally:
        frame.release()
