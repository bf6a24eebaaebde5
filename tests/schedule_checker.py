"""A naive judge of schedules: it plays two frames after each other and asks of every pair of touches what Vulkan asks.

It shares no rule with `vkforge.graph.sync`. There is a chain of happens-before where a barrier's first scope holds the
earlier touch, each further barrier's first scope meets the second scope of one before it, and one of the second scopes
holds the later touch. A write must also be made available by a barrier over its memory and, to be read, made visible by
that one or a later one of the chain. A change of layout is a write of its own, available as soon as it is done.
(Vulkan 1.3, chapter 7.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vkforge.graph.access import WRITES, Layout, Memory, Stage
from vkforge.graph.sync import Barrier, Schedule, Use

FRAMES = 2


@dataclass(frozen=True)
class Touch:
    """Something that happens to a resource: a pass's access or, where `barrier` is set, its change of layout."""

    what: str
    resource: str
    stage: Stage
    memory: Memory
    barrier: Barrier | None = None

    @property
    def writes(self) -> bool:
        return self.barrier is not None or bool(self.memory & WRITES)

    @property
    def reads(self) -> bool:
        return self.barrier is None and bool(self.memory & ~WRITES)


def problems(
    passes: Sequence[Sequence[Use]],
    schedule: Schedule,
    *,
    transient: frozenset[str] = frozenset(),
    aliases: Mapping[str, frozenset[str]] | None = None,
    initial_layouts: Mapping[str, Layout] | None = None,
    once: bool = False,
) -> list[str]:
    """Return what is wrong with a schedule, one sentence each; takes what `derive` took, and what it gave."""
    aliases = aliases or {}
    timeline, found = _play(passes, schedule, transient, dict(initial_layouts or {}), once)
    for i, earlier in enumerate(timeline):
        if isinstance(earlier, Touch):
            found += _unordered(earlier, timeline[i + 1 :], aliases)
    return found


def _play(
    passes: Sequence[Sequence[Use]],
    schedule: Schedule,
    transient: frozenset[str],
    initial: dict[str, Layout],
    once: bool,
) -> tuple[list[Touch | Barrier], list[str]]:
    """Return everything that happens, in order, and what is wrong with the layouts."""
    found: list[str] = []
    timeline: list[Touch | Barrier] = []
    layouts = dict(initial if once else schedule.entry_layouts)
    written: set[str] = set()
    for frame in range(1 if once else FRAMES):
        for name in transient:
            layouts[name] = Layout.UNDEFINED
        for index, (uses, barriers) in enumerate(zip(passes, schedule.barriers, strict=True)):
            at = f"frame {frame}, pass {index}"
            for barrier in barriers:
                name, now = barrier.resource, layouts.get(barrier.resource, Layout.UNDEFINED)
                if barrier.old_layout != now:
                    found.append(f"{at}: {name} is {now.name}, the barrier says {barrier.old_layout.name}")
                if barrier.old_layout == Layout.UNDEFINED and name in written and name not in transient:
                    found.append(f"{at}: the barrier throws away what {name} holds")
                timeline.append(barrier)
                if barrier.new_layout != barrier.old_layout:
                    change = f"{at}: change of layout of {name}"
                    timeline.append(Touch(change, name, Stage.NONE, Memory.NONE, barrier))
                layouts[name] = barrier.new_layout
            for use in uses:
                now = layouts.get(use.resource, Layout.UNDEFINED)
                if now != use.scope.layout:
                    found.append(f"{at}: {use.resource} is {now.name}, the pass wants {use.scope.layout.name}")
                timeline.append(Touch(f"{at}: {use.resource}", use.resource, use.scope.stage, use.scope.memory))
                if use.scope.writes:
                    written.add(use.resource)
    return timeline, found


def _unordered(
    earlier: Touch, later: Sequence[Touch | Barrier], aliases: Mapping[str, frozenset[str]]
) -> Iterator[str]:
    """Yield a sentence for each later touch of the same memory that does not follow `earlier`, or misses its write."""
    memory = {earlier.resource} | aliases.get(earlier.resource, frozenset())
    changed = earlier.barrier
    ordered = changed.destination_stage if changed else Stage.NONE  # stages that happen after `earlier`
    available = changed is not None
    visible = [(changed.destination_stage, changed.destination_memory)] if changed else []
    # Whether the last barrier met is ordered after `earlier`, for the change of layout that it makes.
    follows = False
    for event in later:
        if isinstance(event, Barrier):
            holds_earlier = bool(event.source_stage & earlier.stage)
            follows = holds_earlier or bool(event.source_stage & ordered)
            if not follows:
                continue
            ordered |= event.destination_stage
            if event.resource in memory:
                if holds_earlier and not earlier.memory & WRITES & ~event.source_memory:
                    available = True
                if available:
                    visible.append((event.destination_stage, event.destination_memory))
            continue
        if event.resource not in memory or not (earlier.writes or event.writes):
            continue
        pair = f"{event.what} after {earlier.what}"
        if event.barrier is not None:
            if not follows:
                yield f"{pair}: nothing orders them"
            elif earlier.writes and not available:
                yield f"{pair}: the write is not available"
            continue
        if event.stage & ~ordered:
            yield f"{pair}: nothing orders them"
        elif earlier.writes and not available:
            yield f"{pair}: the write is not available"
        elif earlier.writes and event.reads and event.resource == earlier.resource:
            wanted = event.memory & ~WRITES
            if not any(not event.stage & ~stage and not wanted & ~kinds for stage, kinds in visible):
                yield f"{pair}: the write is not visible"
