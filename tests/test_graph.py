"""The frame graph's pure half: schedules as text, a judge of hazards over random graphs, the builder's errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_checker import problems

from vkforge.graph.access import Access, Layout, Memory, Stage, access_of
from vkforge.graph.alias import Life, place
from vkforge.graph.builder import Graph, ImageResource
from vkforge.graph.plan import Plan, PlannedImage, PlannedPass
from vkforge.graph.sync import Schedule, Use, derive
from vkforge.vk.spirv import Binding, Shader

SAMPLED, READ, WRITE = Access.SAMPLED, Access.STORAGE_READ, Access.STORAGE_WRITE
READ_WRITE = Access.STORAGE_READ_WRITE
COPY_FROM, COPY_TO, HOST = Access.COPY_SOURCE, Access.COPY_DESTINATION, Access.HOST_READ


def passes(*declared: dict[str, Access]) -> list[list[Use]]:
    return [[Use(name, access.value) for name, access in one.items()] for one in declared]


def schedule(*declared: dict[str, Access], **options: Any) -> list[str]:
    """Return the derived schedule as lines, after asking the judge."""
    uses = passes(*declared)
    derived = derive(uses, **options)
    assert problems(uses, derived, **options) == []
    return str(derived).splitlines()


# The vocabulary


@pytest.mark.gpu
def test_the_numbers_are_vulkans() -> None:
    import vulkan

    stages = {"NONE": "NONE", "COMPUTE": "COMPUTE_SHADER_BIT", "HOST": "HOST_BIT", "COPY": "COPY_BIT"}
    memories = {"SAMPLED_READ": "SHADER_SAMPLED_READ", "STORAGE_READ": "SHADER_STORAGE_READ"}
    memories |= {"STORAGE_WRITE": "SHADER_STORAGE_WRITE", "NONE": "NONE"}
    layouts = {"SHADER_READ_ONLY": "SHADER_READ_ONLY_OPTIMAL", "TRANSFER_SOURCE": "TRANSFER_SRC_OPTIMAL"}
    layouts |= {"TRANSFER_DESTINATION": "TRANSFER_DST_OPTIMAL"}
    assert stages.keys() == Stage.__members__.keys()
    for name, member in Stage.__members__.items():
        assert member == getattr(vulkan, f"VK_PIPELINE_STAGE_2_{stages[name]}")
    for name, member in Memory.__members__.items():
        assert member == getattr(vulkan, f"VK_ACCESS_2_{memories.get(name, name)}" + "_BIT" * (name != "NONE"))
    for name, member in Layout.__members__.items():
        assert member == getattr(vulkan, f"VK_IMAGE_LAYOUT_{layouts.get(name, name)}")


def test_which_accesses_write() -> None:
    assert {access for access in Access if access.value.writes} == {WRITE, READ_WRITE, COPY_TO}


@pytest.mark.parametrize(
    ("kind", "readable", "writable", "access"),
    [
        ("combined_image_sampler", True, False, SAMPLED),
        ("sampled_image", True, False, SAMPLED),
        ("storage_image", True, False, READ),
        ("storage_image", False, True, WRITE),
        ("storage_buffer", True, True, READ_WRITE),
    ],
)
def test_the_access_follows_from_the_descriptor(kind: str, readable: bool, writable: bool, access: Access) -> None:
    assert access_of(kind, readable, writable) is access


@pytest.mark.parametrize(("kind", "flags"), [("sampler", (True, True)), ("storage_image", (False, False))])
def test_a_descriptor_that_nothing_can_touch(kind: str, flags: tuple[bool, bool]) -> None:
    with pytest.raises(ValueError, match=kind):
        access_of(kind, *flags)


# Schedules


def test_a_read_waits_for_the_write() -> None:
    assert schedule({"a": WRITE}, {"a": READ}, once=True) == [
        "0: a: none:none -> compute:storage_write [undefined -> general]",
        "1: a: compute:storage_write -> compute:storage_read",
    ]


def test_a_write_waits_for_the_read() -> None:
    met = {"a": Layout.GENERAL}
    assert schedule({"a": READ}, {"a": WRITE}, initial_layouts=met, once=True) == [
        "1: a: compute:none -> compute:storage_write",
    ]


def test_a_write_waits_for_the_write() -> None:
    met = {"a": Layout.GENERAL}
    assert schedule({"a": WRITE}, {"a": WRITE}, initial_layouts=met, once=True) == [
        "1: a: compute:storage_write -> compute:storage_write",
    ]


def test_reads_do_not_wait_for_reads() -> None:
    met = {"a": Layout.GENERAL}
    assert schedule({"a": READ}, {"a": READ}, {"a": READ}, initial_layouts=met) == []


def test_the_second_reader_of_one_kind_waits_for_nothing_more() -> None:
    assert schedule({"a": WRITE}, {"a": READ}, {"a": READ}, once=True)[1:] == [
        "1: a: compute:storage_write -> compute:storage_read",
    ]


def test_a_reader_of_another_kind_waits_too() -> None:
    lines = schedule({"a": WRITE}, {"a": READ}, {"a": HOST}, {"a": HOST}, once=True)
    assert lines[1:] == [
        "1: a: compute:storage_write -> compute:storage_read",
        "2: a: compute:storage_write -> host:host_read",
    ]


def test_a_write_waits_for_every_reader_since() -> None:
    lines = schedule({"a": WRITE}, {"a": READ}, {"a": HOST}, {"a": WRITE}, once=True)
    assert lines[-1] == "3: a: compute|host:storage_write -> compute:storage_write"


def test_a_change_of_layout_counts_as_a_write() -> None:
    assert schedule({"a": WRITE}, {"a": SAMPLED}, {"a": COPY_FROM}, {"a": SAMPLED}, once=True) == [
        "0: a: none:none -> compute:storage_write [undefined -> general]",
        "1: a: compute:storage_write -> compute:sampled_read [general -> shader_read_only]",
        "2: a: compute:none -> copy:transfer_read [shader_read_only -> transfer_source]",
        "3: a: copy:none -> compute:sampled_read [transfer_source -> shader_read_only]",
    ]


def test_a_later_reader_waits_for_the_change_of_layout() -> None:
    """The change was made for the first reader's eyes alone."""
    lines = schedule({"a": READ}, {"a": HOST}, initial_layouts={"a": Layout.SHADER_READ_ONLY}, once=True)
    assert lines == [
        "0: a: none:none -> compute:storage_read [shader_read_only -> general]",
        "1: a: compute:none -> host:host_read",
    ]


def test_frame_n_plus_one_follows_frame_n() -> None:
    """In the steady state even the first pass waits: for what the frame before did."""
    assert schedule({"a": WRITE}, {"a": READ}, {"b": WRITE}) == [
        "0: a: compute:storage_write -> compute:storage_write",
        "1: a: compute:storage_write -> compute:storage_read",
        "2: b: compute:storage_write -> compute:storage_write",
    ]


def test_a_persistent_image_is_entered_as_it_was_left() -> None:
    uses = passes({"sum": READ_WRITE}, {"sum": COPY_FROM})
    derived = derive(uses)
    assert derived.entry_layouts == {"sum": Layout.TRANSFER_SOURCE}
    assert str(derived).splitlines() == [
        "0: sum: copy:none -> compute:storage_read+storage_write [transfer_source -> general]",
        "1: sum: compute:storage_write -> copy:transfer_read [general -> transfer_source]",
    ]


def test_what_is_only_read_enters_as_it_was_met() -> None:
    derived = derive(passes({"heights": SAMPLED}), initial_layouts={"heights": Layout.SHADER_READ_ONLY})
    assert str(derived) == ""
    assert derived.entry_layouts == {"heights": Layout.SHADER_READ_ONLY}


def test_a_transient_starts_with_nothing_each_frame() -> None:
    lines = schedule({"a": WRITE}, {"a": SAMPLED}, transient=frozenset("a"))
    assert lines == [
        "0: a: compute:none -> compute:storage_write [undefined -> general]",
        "1: a: compute:storage_write -> compute:sampled_read [general -> shader_read_only]",
    ]
    assert derive(passes({"a": WRITE}), transient=frozenset("a")).entry_layouts == {}


def test_what_shares_memory_waits_for_each_other() -> None:
    aliases = {"a": frozenset("b"), "b": frozenset("a")}
    lines = schedule(
        {"a": WRITE}, {"a": COPY_FROM}, {"b": WRITE}, {"b": READ}, transient=frozenset("ab"), aliases=aliases
    )
    assert lines == [
        # b was read by a compute pass of the frame before, a was read by its copy.
        "0: a: compute|copy:storage_write -> compute:storage_write [undefined -> general]",
        "1: a: compute:storage_write -> copy:transfer_read [general -> transfer_source]",
        "2: b: compute|copy:storage_write -> compute:storage_write [undefined -> general]",
        "3: b: compute:storage_write -> compute:storage_read",
    ]


def test_what_shares_memory_waits_for_readers_too() -> None:
    aliases = {"a": frozenset("b"), "b": frozenset("a")}
    lines = schedule({"a": WRITE}, {"a": HOST}, {"b": WRITE}, transient=frozenset("ab"), aliases=aliases)
    assert lines[2] == "2: b: compute|host:storage_write -> compute:storage_write [undefined -> general]"


def test_one_resource_twice_in_a_pass() -> None:
    with pytest.raises(ValueError, match="pass 1 uses one resource twice"):
        derive([[Use("a", WRITE.value)], [Use("a", READ.value), Use("a", WRITE.value)]])


def test_a_transient_read_before_it_is_written() -> None:
    with pytest.raises(ValueError, match="transient 'a' is read by pass 0"):
        derive(passes({"a": READ}, {"a": WRITE}), transient=frozenset("a"))


# The judge


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[dict[str, Access]], dict[str, Any]]:
    """Passes over a few images and buffers, with transients placed over each other."""
    names = "abcde"[: draw(st.integers(1, 5))]
    transient = frozenset(name for name in names if draw(st.booleans()))
    met = {name: draw(st.sampled_from(Layout)) for name in names if name not in transient and draw(st.booleans())}
    declared: list[dict[str, Access]] = []
    begun: set[str] = set()
    for _ in range(draw(st.integers(1, 6))):
        uses: dict[str, Access] = {}
        for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=4)):
            first = name in transient and name not in begun
            uses[name] = draw(st.sampled_from([WRITE, COPY_TO] if first else list(Access)))
            begun.add(name)
        declared.append(uses)
    lives = {}
    for name in transient & begun:
        users = [i for i, uses in enumerate(declared) if name in uses]
        lives[name] = Life(users[0], users[-1], draw(st.integers(1, 3)), 1)
    options = {"transient": transient, "aliases": place(lives).aliases, "initial_layouts": met}
    return declared, options | {"once": draw(st.booleans())}


@given(graphs())
@settings(derandomize=True, max_examples=400, deadline=None)
def test_every_hazard_of_a_random_graph_is_covered(graph: tuple[list[dict[str, Access]], dict[str, Any]]) -> None:
    declared, options = graph
    uses = passes(*declared)
    assert problems(uses, derive(uses, **options), **options) == []


def without(schedule: Schedule, index: int, one: int) -> Schedule:
    before = schedule.barriers[index]
    changed = (*before[:one], *before[one + 1 :])
    return replace(schedule, barriers=(*schedule.barriers[:index], changed, *schedule.barriers[index + 1 :]))


def test_the_judge_misses_no_missing_barrier() -> None:
    aliases = {"a": frozenset("b"), "b": frozenset("a")}
    uses = passes({"a": WRITE, "sum": READ_WRITE}, {"a": COPY_FROM}, {"b": WRITE}, {"b": SAMPLED}, {"sum": COPY_FROM})
    options: dict[str, Any] = {"transient": frozenset("ab"), "aliases": aliases}
    derived = derive(uses, **options)
    assert problems(uses, derived, **options) == []
    dropped = 0
    for index, before in enumerate(derived.barriers):
        for one, barrier in enumerate(before):
            assert problems(uses, without(derived, index, one), **options), str(barrier)
            dropped += 1
    assert dropped == 6


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("source_stage", Stage.NONE, "nothing orders them"),
        ("destination_stage", Stage.HOST, "nothing orders them"),
        ("source_memory", Memory.NONE, "not available"),
        ("destination_memory", Memory.NONE, "not visible"),
        ("old_layout", Layout.SHADER_READ_ONLY, "the barrier says"),
        ("new_layout", Layout.SHADER_READ_ONLY, "the pass wants"),
    ],
)
def test_the_judge_sees_each_part_of_a_barrier(field: str, value: Any, complaint: str) -> None:
    uses = passes({"a": WRITE}, {"a": READ})
    derived = derive(uses)
    barrier = replace(derived.barriers[1][0], **{field: value})
    broken = replace(derived, barriers=(derived.barriers[0], (barrier,)))
    assert any(complaint in problem for problem in problems(uses, broken))


# The builder


def block(*fields: str) -> np.dtype:
    return np.dtype([(field, "<f4") for field in fields])


def binding(name: str, slot: int, kind: str, **values: Any) -> Binding:
    flags: dict[str, Any] = {"readable": kind != "storage_image", "writable": kind.startswith("storage")} | values
    return Binding(name=name, block_name="", set=0, binding=slot, kind=kind, **flags)


FRAME = binding("frame", 0, "storage_buffer", writable=False, dtype=block("x", "y"))
SHADERS = {
    "fill.comp": (FRAME, binding("target", 1, "storage_image", image_format="rgba8")),
    "blur.comp": (
        binding("source", 1, "combined_image_sampler"),
        binding("target", 2, "storage_image", image_format="rgba8"),
    ),
    "add.comp": (
        binding("one", 1, "storage_image", readable=True, writable=False, image_format="rgba8"),
        binding("sum", 2, "storage_image", image_format="rgba8"),
    ),
    "count.comp": (binding("counts", 0, "storage_buffer"),),
    "other.comp": (replace(FRAME, dtype=block("x", "z")),),
}
CONSTANTS = {"count.comp": np.dtype([("level", "<i4"), ("scale", "<f4")])}


def load_shader(name: str) -> Shader:
    constants = CONSTANTS.get(name)
    size = constants.itemsize if constants is not None else 0
    return Shader(name, "compute", b"", SHADERS[name], (8, 8, 1), constants, size)


SIZE = (16, 16)


@pytest.fixture
def graph() -> Graph:
    return Graph("test", load_shader=load_shader)


def test_accesses_come_from_the_shaders(graph: Graph) -> None:
    frame, image, blurred = graph.block("frame"), graph.image("image", "rgba8", SIZE), graph.image("b", "rgba8", SIZE)
    graph.compute("fill", "fill.comp", SIZE, frame=frame, target=image)
    graph.compute("blur", "blur.comp", SIZE, source=image, target=blurred)
    graph.hand_over("read back", COPY_FROM, blurred)
    assert [item.uses for item in graph.passes] == [
        (Use("image", WRITE.value),),
        (Use("image", SAMPLED.value), Use("b", WRITE.value)),
        (Use("b", COPY_FROM.value),),
    ]
    assert graph.blocks == {"frame": block("x", "y")}
    assert (image.lifetime, image.format, image.size) == ("transient", "rgba8", SIZE)


def test_one_image_under_two_names_is_used_once(graph: Graph) -> None:
    image = graph.image("image", "rgba8", SIZE, persistent=True)
    graph.compute("add", "add.comp", SIZE, one=image, sum=image)
    assert graph.passes[0].uses == (Use("image", READ_WRITE.value),)
    assert image.lifetime == "persistent"


def test_constants_are_packed_as_the_shader_lays_them_out(graph: Graph) -> None:
    graph.compute("count", "count.comp", SIZE, {"scale": 2.5, "level": 7}, counts=graph.import_buffer("counts", None))
    assert graph.passes[0].constants == np.array([(7, 2.5)], CONSTANTS["count.comp"]).tobytes()


def test_a_binding_left_out(graph: Graph) -> None:
    with pytest.raises(ValueError, match=r"pass 'fill': shader fill.comp needs 'target'"):
        graph.compute("fill", "fill.comp", SIZE, frame=graph.block("frame"))


def test_a_name_that_the_shader_lacks(graph: Graph) -> None:
    image = graph.image("image", "rgba8", SIZE)
    with pytest.raises(ValueError, match=r"pass 'fill': shader fill.comp has no variable 'tarket'.*'target'"):
        graph.compute("fill", "fill.comp", SIZE, frame=graph.block("frame"), target=image, tarket=image)


def test_another_format(graph: Graph) -> None:
    image = graph.image("image", "r32f", SIZE)
    with pytest.raises(ValueError, match=r"'target' of shader fill.comp wants format rgba8, 'image' is r32f"):
        graph.compute("fill", "fill.comp", SIZE, frame=graph.block("frame"), target=image)


def test_one_image_in_two_layouts(graph: Graph) -> None:
    image = graph.image("image", "rgba8", SIZE)
    with pytest.raises(
        ValueError, match=r"'target' of shader blur.comp: 'image' is already bound in layout SHADER_READ"
    ):
        graph.compute("blur", "blur.comp", SIZE, source=image, target=image)


def test_shaders_that_disagree_about_a_block(graph: Graph) -> None:
    frame = graph.block("frame")
    graph.compute("fill", "fill.comp", SIZE, frame=frame, target=graph.image("image", "rgba8", SIZE))
    with pytest.raises(ValueError, match=r"'frame' of shader other.comp has another layout"):
        graph.compute("other", "other.comp", SIZE, frame=frame)


def test_a_resource_of_the_wrong_kind(graph: Graph) -> None:
    frame, image = graph.block("frame"), graph.image("image", "rgba8", SIZE)
    with pytest.raises(ValueError, match=r"'target' of shader fill.comp is a storage_image, not a readonly buffer"):
        graph.compute("fill", "fill.comp", SIZE, frame=frame, target=frame)
    with pytest.raises(ValueError, match=r"'frame' of shader fill.comp is a storage_buffer, which 'image' can't be"):
        graph.compute("fill", "fill.comp", SIZE, frame=image, target=image)
    with pytest.raises(ValueError, match=r"'counts' of shader count.comp is a storage_buffer, which 'image' can't be"):
        graph.compute("count", "count.comp", SIZE, counts=image)


@pytest.mark.parametrize("shader", ["count.comp", "add.comp"])
def test_a_constant_that_the_shader_lacks(graph: Graph, shader: str) -> None:
    """One with a push-constant block that has no such member, and one with no such block."""
    resources: dict[str, Any] = {"counts": graph.import_buffer("counts", None)}
    if shader == "add.comp":
        image = graph.image("image", "rgba8", SIZE)
        resources = {"one": image, "sum": image}
    with pytest.raises(ValueError, match=f"pass 'p'.*{shader}.*'lewel'"):
        graph.compute("p", shader, SIZE, {"lewel": 1}, **resources)


def test_a_constant_left_out(graph: Graph) -> None:
    with pytest.raises(ValueError, match=r"pass 'count'.*count.comp.*'scale'"):
        graph.compute("count", "count.comp", SIZE, {"level": 1}, counts=graph.import_buffer("counts", None))


def test_two_resources_of_one_name(graph: Graph) -> None:
    graph.block("frame")
    with pytest.raises(ValueError, match="graph 'test' has two resources named 'frame'"):
        graph.image("frame", "rgba8", SIZE)


def test_an_imported_image_keeps_its_source(graph: Graph) -> None:
    class Made:
        format, size = "rgba8", SIZE

    image = graph.import_image("made", Made, sampler="linear", level=2, layout=Layout.UNDEFINED)
    assert isinstance(image, ImageResource)
    assert (image.lifetime, image.source, image.level, image.layout) == ("imported", Made, 2, Layout.UNDEFINED)


# The plan


def test_a_plan_reads_as_text() -> None:
    barrier = "a: compute:storage_write -> compute:storage_read"
    plan = Plan(
        "lit",
        (
            PlannedPass("fill", "fill.comp", SIZE, (), ("a",), (), 0.25),
            PlannedPass("blur", "blur.comp", SIZE, ("a",), ("b",), (barrier,)),
        ),
        (
            PlannedImage("a", "rgba8", SIZE, "transient", 2**20, 0, 1, 0),
            PlannedImage("b", "rgba8", SIZE, "persistent", 2**20, 1, 1),
        ),
        2**20,
    )
    text = str(plan)
    assert text.splitlines()[0] == "frame lit: 2 passes"
    for part in ("0.250 ms", f"barrier {barrier}", "1.00 MiB transient, passes 0 to 1 at 0", "persistent"):
        assert part in text
    assert "transients 1.0 MiB in 1.0 MiB" in text


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"set": 1}, "is in descriptor set 1; a graph binds set 0 alone"),
        ({"count": 4}, "is an array of 4 descriptors"),
        ({"image_dim": "3d"}, "is an image of kind 3d"),
        ({"image_dim": "2d_array"}, "is an image of kind 2d_array"),
        ({"kind": "sampled_image", "writable": False}, "is a sampled_image; a graph binds"),
    ],
)
def test_what_a_graph_cannot_bind(changed: dict[str, Any], words: str) -> None:
    def odd(name: str) -> Shader:
        shader = load_shader(name)
        return replace(
            shader, bindings=tuple(replace(b, **changed) if b.name == "target" else b for b in shader.bindings)
        )

    graph = Graph("test", load_shader=odd)
    with pytest.raises(ValueError, match=f"'target' of shader fill.comp {words}"):
        graph.compute("p", "fill.comp", SIZE, frame=graph.block("frame"), target=graph.image("i", "rgba8", SIZE))


def test_one_source_has_one_name(graph: Graph) -> None:
    class Made:
        format, size = "rgba8", SIZE

    one, other = Made(), Made()
    graph.import_image("one", one, level=0)
    graph.import_image("next level", one, level=1)
    graph.import_image("other", other)
    for level, source in ((0, one), (None, one), (3, other)):
        with pytest.raises(ValueError, match=r"has '(one|other)' already, and imports it as 'again' again"):
            graph.import_image("again", source, level=level)
    graph.import_buffer("buffer", one_buffer := Made())
    with pytest.raises(ValueError, match="has 'buffer' already"):
        graph.import_buffer("again", one_buffer)


@pytest.mark.gpu
def test_an_image_that_no_pass_uses_is_named() -> None:
    import vkforge as vf
    from vkforge.graph.frame import Frame

    with vf.Renderer() as renderer:
        graph = Graph("idle")
        graph.image("forgotten", "rgba8", SIZE)
        with pytest.raises(ValueError, match="graph 'idle': no pass uses the image 'forgotten'"):
            Frame(renderer._device, graph, slots=1)


@pytest.mark.gpu
def test_two_shaders_of_one_name_have_a_pipeline_each() -> None:
    import vkforge as vf
    from vkforge.vk.pipelines import compute_pipeline
    from vkforge.vk.shaders import load

    one = load("terrain/pyramid.comp")
    other = replace(load("post/display.comp"), name=one.name)
    with vf.Renderer() as renderer:
        made = compute_pipeline(renderer._device, one, {})
        assert compute_pipeline(renderer._device, one, {}) is made
        assert compute_pipeline(renderer._device, other, {}) is not made
