"""Placing transients in one range of memory: property-tested against the definition."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vkforge.graph.alias import Life, place


@st.composite
def lives(draw: st.DrawFn) -> dict[str, Life]:
    found = {}
    for index in range(draw(st.integers(0, 9))):
        first = draw(st.integers(0, 7))
        last = draw(st.integers(first, 7))
        alignment = 2 ** draw(st.integers(0, 9))
        found[f"image {index}"] = Life(first, last, draw(st.integers(1, 2000)), alignment)
    return found


def together(a: Life, b: Life) -> bool:
    """Whether any pass has both alive."""
    return bool(set(range(a.first, a.last + 1)) & set(range(b.first, b.last + 1)))


def overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return max(a[0], b[0]) < min(a[1], b[1])


@given(lives())
@settings(derandomize=True, max_examples=300, deadline=None)
def test_placements_hold_what_they_promise(wanted: dict[str, Life]) -> None:
    placement = place(wanted)
    assert placement.offsets.keys() == placement.aliases.keys() == wanted.keys()
    spans = {name: (placement.offsets[name], placement.offsets[name] + life.size) for name, life in wanted.items()}
    for name, life in wanted.items():
        start, end = spans[name]
        assert start >= 0
        assert start % life.alignment == 0
        assert end <= placement.size
        sharing = {other for other in wanted if other != name and overlap(spans[name], spans[other])}
        assert placement.aliases[name] == sharing
        assert not any(together(life, wanted[other]) for other in sharing)
    assert placement.size == max((end for _, end in spans.values()), default=0)


@given(lives())
@settings(derandomize=True, max_examples=200, deadline=None)
def test_never_larger_than_side_by_side_nor_smaller_than_the_fullest_pass(wanted: dict[str, Life]) -> None:
    size = place(wanted).size
    assert size <= sum(life.size + life.alignment - 1 for life in wanted.values())
    for index in range(8):
        assert size >= sum(life.size for life in wanted.values() if life.first <= index <= life.last)


@given(lives())
@settings(derandomize=True, max_examples=100, deadline=None)
def test_the_order_of_declaration_does_not_matter(wanted: dict[str, Life]) -> None:
    backwards = dict(reversed(wanted.items()))
    assert place(backwards) == place(wanted)


@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        ({}, 0),
        ({"a": Life(0, 3, 100, 64)}, 100),
        # One after the other: they all share the same bytes.
        ({"a": Life(0, 1, 100, 64), "b": Life(2, 3, 300, 64), "c": Life(4, 4, 200, 64)}, 300),
        # All at once: side by side, each on its alignment.
        ({"a": Life(0, 2, 128, 64), "b": Life(1, 2, 128, 64), "c": Life(2, 3, 64, 64)}, 320),
        # A chain, each alive with its neighbours only: the third reuses the first.
        ({"a": Life(0, 1, 256, 256), "b": Life(1, 2, 256, 256), "c": Life(2, 3, 256, 256)}, 512),
        # Two small ones in the room of a large one that is gone.
        ({"large": Life(0, 0, 512, 256), "a": Life(1, 1, 256, 256), "b": Life(1, 1, 256, 256)}, 512),
    ],
)
def test_trivial_cases_waste_nothing(wanted: dict[str, Life], size: int) -> None:
    assert place(wanted).size == size


def test_a_shared_boundary_is_no_alias() -> None:
    placement = place({"a": Life(0, 1, 256, 256), "b": Life(0, 1, 256, 256)})
    assert sorted(placement.offsets.values()) == [0, 256]
    assert placement.aliases == {"a": frozenset(), "b": frozenset()}


def test_lives_that_meet_in_one_pass_overlap() -> None:
    """A pass that reads one and writes the other needs both at once."""
    placement = place({"read": Life(0, 1, 100, 1), "written": Life(1, 2, 100, 1)})
    assert placement.size == 200
