"""From an ordered list of passes to the barriers before each: a pure function of who touches what.

The schedule is that of the steady state: the state in which a frame leaves its resources is the one in which the next
finds them, so that a command buffer recorded once can be submitted again and again. Rules (Vulkan 1.3, chapter 7):
a read waits for the last write unless that write was already made visible to it; a write waits for the last write and
for every read since; a change of layout counts as a write. Resources that share memory wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vkforge.graph.access import WRITES, Layout, Memory, Scope, Stage


@dataclass(frozen=True)
class Use:
    """One pass's touch of one resource.

    Attributes:
        resource: The resource's name.
        scope: Stage, kind of memory access and layout.
    """

    resource: str
    scope: Scope


@dataclass(frozen=True)
class Barrier:
    """One dependency before a pass: `resource` goes from `source` to `destination`, changing layout if they differ."""

    resource: str
    source_stage: Stage
    source_memory: Memory
    destination_stage: Stage
    destination_memory: Memory
    old_layout: Layout
    new_layout: Layout

    def __str__(self) -> str:
        def scope(stage: Stage, memory: Memory) -> str:
            names = "+".join(m.name.lower() for m in Memory if m and m in memory and m.name)
            return f"{(stage.name or 'none').lower()}:{names or 'none'}"

        text = f"{self.resource}: {scope(self.source_stage, self.source_memory)} -> "
        text += scope(self.destination_stage, self.destination_memory)
        if self.old_layout != self.new_layout:
            text += f" [{self.old_layout.name.lower()} -> {self.new_layout.name.lower()}]"
        return text


@dataclass
class _State:
    """What has happened to a resource so far."""

    layout: Layout = Layout.UNDEFINED
    write_stage: Stage = Stage.NONE
    write_memory: Memory = Memory.NONE
    read_stage: Stage = Stage.NONE
    visible: set[tuple[Stage, Memory]] = field(default_factory=set)


@dataclass(frozen=True)
class Schedule:
    """The barriers of a steady frame.

    Attributes:
        barriers: For each pass, in order, the barriers before it.
        entry_layouts: The layout in which each non-transient resource must be when a frame begins.
    """

    barriers: tuple[tuple[Barrier, ...], ...]
    entry_layouts: dict[str, Layout]

    def __str__(self) -> str:
        return "\n".join(f"{index}: {barrier}" for index, before in enumerate(self.barriers) for barrier in before)


def derive(
    passes: Sequence[Sequence[Use]],
    *,
    transient: frozenset[str] = frozenset(),
    aliases: Mapping[str, frozenset[str]] | None = None,
    initial_layouts: Mapping[str, Layout] | None = None,
    once: bool = False,
) -> Schedule:
    """Derive the barriers of a frame in its steady state.

    Args:
        passes: What each pass uses, in execution order; a resource at most once a pass.
        transient: Resources whose contents do not survive the frame: their first use discards what was there.
        aliases: For each transient, the others that share some of its memory.
        initial_layouts: Layouts in which resources made elsewhere are met first; every other starts undefined.
        once: Derive for a single run from those layouts instead.

    Returns:
        The schedule; submitting it again and again is correct once the entry layouts hold.

    Raises:
        ValueError: A pass uses one resource twice, or a transient is read before it is written.
    """
    aliases = aliases or {}
    states: dict[str, _State] = {name: _State(layout=layout) for name, layout in (initial_layouts or {}).items()}
    previous: tuple[tuple[Barrier, ...], ...] | None = None
    while True:
        schedule = _one_frame(passes, states, transient, aliases)
        if schedule == previous or once:
            break
        previous = schedule
    return Schedule(schedule, {name: state.layout for name, state in states.items() if name not in transient})


def _one_frame(
    passes: Sequence[Sequence[Use]],
    states: dict[str, _State],
    transient: frozenset[str],
    aliases: Mapping[str, frozenset[str]],
) -> tuple[tuple[Barrier, ...], ...]:
    """Advance `states` through one frame and return the barriers it needs."""
    begun: set[str] = set()
    schedule = []
    for index, uses in enumerate(passes):
        if len({use.resource for use in uses}) != len(uses):
            raise ValueError(f"pass {index} uses one resource twice")
        before = []
        for use in uses:
            state = states.setdefault(use.resource, _State())
            if use.resource in transient and use.resource not in begun:
                begun.add(use.resource)
                if use.scope.memory & ~WRITES and not use.scope.writes:
                    raise ValueError(f"transient {use.resource!r} is read by pass {index} before anything wrote it")
                # Its memory may last have been touched through another name.
                for other in aliases.get(use.resource, frozenset()):
                    if other in states:
                        state.write_stage |= states[other].write_stage
                        state.write_memory |= states[other].write_memory
                        state.read_stage |= states[other].read_stage
                state.layout = Layout.UNDEFINED
            barrier = _touch(use, state)
            if barrier is not None:
                before.append(barrier)
        schedule.append(tuple(before))
    return tuple(schedule)


def _touch(use: Use, state: _State) -> Barrier | None:
    """Return the barrier that `use` needs after `state`, if any, and advance the state."""
    scope = use.scope
    key = (scope.stage, scope.memory)
    changes_layout = state.layout != scope.layout
    touched = state.write_stage | state.read_stage
    barrier = None
    if scope.writes or changes_layout:
        if touched or changes_layout:
            barrier = Barrier(
                use.resource, touched, state.write_memory, scope.stage, scope.memory, state.layout, scope.layout
            )
    elif state.write_stage and key not in state.visible:
        barrier = Barrier(
            use.resource, state.write_stage, state.write_memory, scope.stage, scope.memory, state.layout, scope.layout
        )
    if scope.writes:
        state.write_stage, state.write_memory = scope.stage, scope.memory & WRITES
        state.read_stage, state.visible = Stage.NONE, set()
    elif changes_layout:
        # The transition is a write that the barrier already made available and visible to this read alone; a later
        # reader elsewhere must still wait for it, through this stage.
        state.write_stage, state.write_memory = scope.stage, Memory.NONE
        state.read_stage, state.visible = scope.stage, {key}
    else:
        state.read_stage |= scope.stage
        state.visible.add(key)
    state.layout = scope.layout
    return barrier
