"""Dotted paths: which part of a scene or of settings a track changes, and how the changed copy is made."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from vkforge.animation.tracks import Track
from vkforge.errors import InputError, suggest
from vkforge.scene.checks import show


@dataclass
class Node:
    """A part that changes: as a whole by its own track, in its parts by their nodes, or both."""

    track: Track | None = None
    parts: dict[str, Node] = field(default_factory=dict)

    def at(self, time: float, part: Any) -> Any:
        """Return the part as it is at a time; what does not change is shared with `part`.

        Raises:
            InputError: it has not what changes by a track of its own, or can't be so.
        """
        if self.track is not None:
            part = self.track(time)
        if not self.parts or part is None:  # what is not there then has nothing to change
            return part
        many = isinstance(part, tuple)
        missing = [name for name in self.parts if not (int(name) < len(part) if many else hasattr(part, name))]
        if missing:
            raise InputError(
                f"{missing[0]!r} is animated, and at {time:g} s {show(part)} has none; have it there throughout"
            )
        if many:
            return tuple(self.parts[str(i)].at(time, x) if str(i) in self.parts else x for i, x in enumerate(part))
        # All at once: a camera whose position alone has moved may stand where its target was.
        changes = {name: node.at(time, getattr(part, name)) for name, node in self.parts.items()}
        return dataclasses.replace(part, **changes)

    def node(self, path: str) -> Node:
        """Return the node at a path below this one, made where there was none."""
        node = self
        for name in path.split("."):
            node = node.parts.setdefault(name, Node())
        return node


def look_up(path: str, name: str, part: Any, where: str) -> Any:
    """Return the part called `name` of a part.

    Args:
        path: the whole path, for errors.
        name: a field's name, or the index of one of several.
        part: where to look.
        where: what that is, for errors, as "scene.sun".

    Raises:
        InputError: there is no such thing; the message has the name that was probably meant.
    """
    if isinstance(part, tuple):
        if not name.isdecimal() or int(name) >= len(part):
            raise InputError(f"no {path!r} to animate: {where} has {len(part)} items; wanted a number from 0 on")
        return part[int(name)]
    if part is None:
        option = f" (--{where[6:]} on the command line)" if where in ("scene.fog", "scene.water") else ""
        start = f"give the scene one, with the values to start from{option}"
        raise InputError(f"no {path!r} to animate: {where} is None; {start}")
    names = [item.name for item in dataclasses.fields(part) if item.init] if dataclasses.is_dataclass(part) else []
    if name not in names:
        has = f"it has {', '.join(names)}" if names else f"it is a {type(part).__name__}, which has no parts"
        raise InputError(f"no {path!r} to animate: {where} has no {name!r}{suggest(name, names)} ({has})")
    return getattr(part, name)
