"""Where transients lie in one shared range of memory: those whose lives do not overlap may overlap in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Life:
    """A transient's needs.

    Attributes:
        first: Index of the first pass that uses it.
        last: Index of the last one.
        size: Bytes.
        alignment: Its offset must be a multiple of this.
    """

    first: int
    last: int
    size: int
    alignment: int


@dataclass(frozen=True)
class Placement:
    """Offsets in one range of `size` bytes, and for each resource the others that share bytes with it."""

    offsets: dict[str, int]
    size: int
    aliases: dict[str, frozenset[str]]


def place(lives: Mapping[str, Life]) -> Placement:
    """Place transients by greedy first fit, the largest first (the order that wastes least in practice).

    Args:
        lives: Each transient's life and needs.

    Returns:
        The placement: two resources that are alive at one time never share a byte.
    """
    offsets: dict[str, int] = {}
    for name in sorted(lives, key=lambda key: (-lives[key].size, lives[key].first, key)):
        life = lives[name]
        busy = sorted(
            (offsets[other], offsets[other] + lives[other].size)
            for other in offsets
            if lives[other].first <= life.last and life.first <= lives[other].last
        )
        offset = 0
        for start, end in busy:
            if offset + life.size <= start:
                break
            offset = max(offset, -(-end // life.alignment) * life.alignment)
        offsets[name] = offset
    ends = {name: offsets[name] + lives[name].size for name in offsets}
    aliases = {
        name: frozenset(
            other for other in offsets if other != name and offsets[other] < ends[name] and offsets[name] < ends[other]
        )
        for name in offsets
    }
    return Placement(offsets, max(ends.values(), default=0), aliases)
