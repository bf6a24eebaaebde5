"""A compiled frame: the graph's images, pipelines and one recorded command buffer a slot, submitted again and again."""

from __future__ import annotations

import itertools
from typing import Any

from vkforge.errors import DeviceLostError, OutOfMemoryError
from vkforge.graph.access import Layout, Memory, Stage
from vkforge.graph.alias import Life, place
from vkforge.graph.builder import BlockResource, BufferResource, Graph, ImageResource, Resource
from vkforge.graph.plan import Plan, PlannedImage, PlannedPass
from vkforge.graph.sync import Barrier, Schedule, derive
from vkforge.memory.intents import Intent
from vkforge.vk.commands import Commands
from vkforge.vk.device import Device, Owner
from vkforge.vk.pipelines import BoundBuffer, BoundImage, ComputePipeline, compute_pipeline, make_descriptor_sets
from vkforge.vk.resources import Buffer, Image, sampler
from vkforge.vk.timestamps import Timestamps

_serials = itertools.count()


class Frame:
    """A graph made real.

    A frame of the picture is: `acquire` a slot (waits until its last submission is done), write its `blocks`,
    `submit` it, wait for the value. `records` are the same blocks as arrays of one, to be written whole.
    With `once=True` the schedule is that of a single run instead of the steady state.
    """

    def __init__(self, device: Device, graph: Graph, *, slots: int = 2, once: bool = False) -> None:
        self.graph = graph
        self.name = graph.name
        self._device = device
        self._owner = Owner(device, f"{graph.name}#{next(_serials)}")
        try:
            with self._owner:
                self._build(slots, once)
        except OutOfMemoryError as error:
            passes = ", ".join(item.name for item in graph.passes)
            raise type(error)(f"{error} (while preparing frame {self.name!r} with passes {passes})") from error

    # Compilation, step by step

    def _build(self, slots: int, once: bool) -> None:
        self._pipelines: list[ComputePipeline | None] = [
            compute_pipeline(self._device, item.shader, item.specialization) if item.shader else None
            for item in self.graph.passes
        ]
        self.images: dict[str, Image] = {}
        self._make_images()
        self._place_transients()
        self.schedule = self._derive(once)
        self._make_blocks(slots)
        self._record(slots, once)

    def _make_images(self) -> None:
        """Create the graph's own images with just the usages that its passes ask for."""
        usages: dict[str, set[str]] = {}
        words = {
            Layout.GENERAL: "storage",
            Layout.SHADER_READ_ONLY: "sampled",
            Layout.TRANSFER_SOURCE: "copy_source",
            Layout.TRANSFER_DESTINATION: "copy_destination",
        }
        for item in self.graph.passes:
            for use in item.uses:
                usages.setdefault(use.resource, set()).add(words[use.scope.layout])
        for name, resource in self.graph.resources.items():
            if not isinstance(resource, ImageResource):
                continue
            if resource.lifetime == "imported":
                self.images[name] = resource.source
                continue
            if name not in usages:
                raise ValueError(f"graph {self.graph.name!r}: no pass uses the image {name!r}; bind or leave it out")
            image = Image(self._owner, name, resource.format, resource.size, frozenset(usages[name]))
            self.images[name] = image if resource.lifetime == "transient" else image.allocate()

    def _place_transients(self) -> None:
        """Bind all transients into one allocation, those that never live together over each other."""
        self._lives: dict[str, Life] = {}
        last_pass = len(self.graph.passes) - 1
        handed_over = {use.resource for item in self.graph.passes if item.shader is None for use in item.uses}
        for name, resource in self.graph.resources.items():
            if not isinstance(resource, ImageResource):
                continue
            users = [i for i, item in enumerate(self.graph.passes) if any(use.resource == name for use in item.uses)]
            if not users and resource.lifetime == "imported":
                continue  # brought in for passes that this variant does not have
            requirements = self.images[name].requirements
            first, last = (0, last_pass) if name in handed_over else (users[0], users[-1])
            self._lives[name] = Life(first, last, requirements.size, requirements.alignment)
        transients = {
            name: life
            for name, life in self._lives.items()
            if self.graph.resources[name].lifetime == "transient"  # type: ignore[union-attr]
        }
        self.placement = place(transients)
        if not transients:
            return
        pool: Any = self.images[next(iter(transients))].requirements
        pool.size = self.placement.size
        for name in transients:
            pool.alignment = max(pool.alignment, self.images[name].requirements.alignment)
            pool.memoryTypeBits &= self.images[name].requirements.memoryTypeBits
        allocation = self._owner.allocate(pool, Intent.DEVICE, "transients", linear=False)
        for name in transients:
            self.images[name].bind(allocation, self.placement.offsets[name])

    def _derive(self, once: bool) -> Schedule:
        images = {n: r for n, r in self.graph.resources.items() if isinstance(r, ImageResource)}
        return derive(
            [item.uses for item in self.graph.passes],
            transient=frozenset(n for n, r in images.items() if r.lifetime == "transient"),
            aliases=self.placement.aliases,
            initial_layouts={n: r.layout for n, r in images.items() if r.lifetime == "imported"},
            once=once,
        )

    def _make_blocks(self, slots: int) -> None:
        """Lay the blocks of all slots into one host-written buffer, and view each as a record."""
        align = int(self._device.info.limits["minStorageBufferOffsetAlignment"])
        self.records: list[dict[str, Any]] = [{} for _ in range(slots)]
        self.blocks: list[dict[str, Any]] = [{} for _ in range(slots)]
        self._ranges: list[dict[str, BoundBuffer]] = [{} for _ in range(slots)]
        offsets, end = [], 0
        for _ in range(slots):
            for name, dtype in self.graph.blocks.items():
                offsets.append((name, end))
                end += -(-dtype.itemsize // align) * align
        if not end:
            return
        buffer = Buffer(self._owner, "blocks", end, frozenset(["storage"]), Intent.DYNAMIC)
        for i, (name, offset) in enumerate(offsets):
            slot = i // len(self.graph.blocks)
            dtype = self.graph.blocks[name]
            self.records[slot][name] = buffer.array(dtype, 1, offset)
            self.blocks[slot][name] = self.records[slot][name][0]
            self._ranges[slot][name] = BoundBuffer(buffer.handle, offset, dtype.itemsize)

    def _bound(self, resource: Resource, use_layout: int, slot: int) -> BoundBuffer | BoundImage:
        if isinstance(resource, BlockResource):
            return self._ranges[slot][resource.name]
        if isinstance(resource, BufferResource):
            return BoundBuffer(resource.source.handle, 0, resource.source.size)
        image = self.images[resource.name]
        view = image.view if resource.level is None else image.level_views[resource.level]
        return BoundImage(view, use_layout, sampler(self._device, resource.sampler))

    def _record(self, slots: int, once: bool) -> None:
        """Record one command buffer a slot: labels, timestamps, barriers, dispatches."""
        shading = [(item, pipe) for item, pipe in zip(self.graph.passes, self._pipelines, strict=True) if pipe]
        self._slot_values = [0] * slots
        self._slot = -1
        self._commands: list[Commands] = []
        self._timestamps: list[Timestamps] = []
        if not once:
            self._enter_steady_state()
        for slot in range(slots):
            contents = []
            for item, _ in shading:
                layouts = {use.resource: int(use.scope.layout) for use in item.uses}
                contents.append(
                    {name: self._bound(r, layouts.get(r.name, 0), slot) for name, r in item.bindings.items()}
                )
            sets = make_descriptor_sets(self._owner, [pipe for _, pipe in shading], contents)
            timestamps = Timestamps(self._owner, [item.name for item, _ in shading])
            by_pass = iter(zip(sets, range(len(sets)), strict=True))
            with Commands(self._owner, f"slot {slot}") as commands:
                timestamps.reset(commands)
                for i, (item, pipeline) in enumerate(zip(self.graph.passes, self._pipelines, strict=True)):
                    commands.label(item.name)
                    commands.barriers(self.schedule.barriers[i], self._barrier_images())
                    if pipeline is not None:
                        descriptors, index = next(by_pass)
                        timestamps.begin(commands, index)
                        commands.dispatch(pipeline, descriptors, item.extent, item.constants)
                        timestamps.end(commands, index)
                    commands.end_label()
            self._commands.append(commands)
            self._timestamps.append(timestamps)

    def _barrier_images(self) -> dict[str, tuple[Image, int, int]]:
        ranges = {}
        for name, image in self.images.items():
            level = self.graph.resources[name].level  # type: ignore[union-attr]
            ranges[name] = (image, level or 0, image.levels if level is None else 1)
        return ranges

    def _enter_steady_state(self) -> None:
        """Bring persistent images into the layout in which every frame will find them."""
        barriers = [
            # To every stage that a frame may begin with: its first barriers wait for how the frame before it ended.
            Barrier(name, Stage.NONE, Memory.NONE, Stage.COMPUTE | Stage.COPY, Memory.NONE, Layout.UNDEFINED, layout)
            for name, layout in self.schedule.entry_layouts.items()
            if name in self.images and self.graph.resources[name].lifetime == "persistent"  # type: ignore[union-attr]
        ]
        if not barriers:
            return
        with Commands(self._owner, "enter") as commands:
            commands.barriers(barriers, self._barrier_images())
        self._device.submit(commands.handle, f"frame {self.name!r}")

    # A frame of the picture

    def acquire(self) -> int:
        """Return the next slot, once the GPU is done with what was last submitted from it."""
        self._slot = (self._slot + 1) % len(self._commands)
        if self._slot_values[self._slot]:
            self.wait(self._slot_values[self._slot])
        return self._slot

    def submit(self) -> int:
        """Submit the acquired slot and return its timeline value."""
        self._slot_values[self._slot] = self._device.submitted + 1  # if it gets so far; an interrupt may come first
        try:
            value = self._device.submit(self._commands[self._slot].handle, f"frame {self.name!r}")
        except DeviceLostError as error:
            raise self._located(error) from error
        return value

    def wait(self, value: int) -> None:
        """Wait for a submission; a lost device's error names the pass that had not finished."""
        try:
            self._device.wait(value, f"frame {self.name!r}")
        except DeviceLostError as error:
            raise self._located(error) from error

    def _located(self, error: DeviceLostError) -> DeviceLostError:
        try:
            name = self._timestamps[self._slot].first_unfinished()
        except DeviceLostError:
            name = None
        at = f"pass {name!r}" if name else f"one of {', '.join(item.name for item in self.graph.passes)}"
        return DeviceLostError(f"{error}; it was in {at} of frame {self.name!r}")

    def pass_times(self) -> dict[str, float]:
        """Return GPU milliseconds by pass of the last finished submission; empty before the first."""
        if self._slot < 0 or not self._slot_values[self._slot]:
            return {}
        self.wait(self._slot_values[self._slot])
        return self._timestamps[self._slot].milliseconds()

    def plan(self) -> Plan:
        """Return the compiled frame as a printable plan."""
        times = self.pass_times()
        passes = []
        for item, barriers in zip(self.graph.passes, self.schedule.barriers, strict=True):
            shader = item.shader.name if item.shader else "(handed over)"
            reads = tuple(use.resource for use in item.uses if not use.scope.writes)
            writes = tuple(use.resource for use in item.uses if use.scope.writes)
            texts = tuple(str(barrier) for barrier in barriers)
            passes.append(PlannedPass(item.name, shader, item.extent, reads, writes, texts, times.get(item.name)))
        images = []
        for name, life in self._lives.items():
            resource = self.graph.resources[name]
            assert isinstance(resource, ImageResource)
            images.append(
                PlannedImage(
                    name,
                    resource.format,
                    resource.size,
                    resource.lifetime,
                    life.size,
                    life.first,
                    life.last,
                    self.placement.offsets.get(name),
                )
            )
        return Plan(self.name, tuple(passes), tuple(images), self.placement.size)

    def release(self) -> None:
        """Give everything back once the GPU is done with it."""
        self.blocks, self.records = [], []
        self._owner.release()
