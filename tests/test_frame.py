"""The compiled frame on the device: its schedule, what validation says without parts of it, what survives."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from device_lab import HANDED_OVER, loader, read_images, run_frame

import vkforge as vf
from vkforge.graph import frame as frame_module
from vkforge.graph.access import Access, Layout, Memory, Stage
from vkforge.graph.builder import Graph, ImageResource
from vkforge.graph.frame import Frame
from vkforge.graph.sync import Barrier, Schedule, derive
from vkforge.lanes.lane import OUTPUTS
from vkforge.lanes.picture import Frames
from vkforge.vk.commands import Commands
from vkforge.vk.instance import drain_validation_messages

pytestmark = pytest.mark.gpu

TERRAIN = vf.Terrain(np.random.default_rng(3).random((9, 12)) * 4.0)
SIZE = (24, 16)

LIT = """\
0: position: compute:storage_write -> compute:storage_write [undefined -> general]
0: normal: compute:storage_write -> compute:storage_write [undefined -> general]
0: geometric_normal: compute:storage_write -> compute:storage_write [undefined -> general]
0: albedo: compute:storage_write -> compute:storage_write [undefined -> general]
1: position: compute:storage_write -> compute:storage_read
1: normal: compute:storage_write -> compute:storage_read
1: albedo: compute:storage_write -> compute:storage_read
1: sun_light: compute:storage_write -> compute:storage_read+storage_write [undefined -> general]
2: sky_light: compute:storage_write -> compute:storage_read+storage_write [undefined -> general]
3: sun_light: compute:storage_write -> compute:storage_read
3: sky_light: compute:storage_write -> compute:storage_read
3: radiance: copy:none -> compute:storage_read+storage_write [transfer_source -> general]
3: sun_visibility: compute:storage_write -> compute:storage_read+storage_write
3: sky_visibility: compute:storage_write -> compute:storage_read+storage_write
4: radiance: compute:storage_write -> copy:transfer_read [general -> transfer_source]"""

PICTURE = """\
0: radiance: copy:none -> compute:storage_read [transfer_source -> general]
0: display: copy:none -> compute:storage_write [undefined -> general]
1: radiance: compute:none -> copy:transfer_read [general -> transfer_source]
1: display: compute:storage_write -> copy:transfer_read [general -> transfer_source]"""


def lit_frames(renderer: vf.Renderer, size: tuple[int, int] = SIZE, aovs: tuple[str, ...] = ()) -> Frames:
    """Return the compiled frames that `renderer` uses for TERRAIN."""
    return renderer._lanes["lit"].compiled(renderer._prepare(vf.Scene(TERRAIN), size, "lit", aovs, None, {}))


def lit_frame(renderer: vf.Renderer, size: tuple[int, int] = SIZE, aovs: tuple[str, ...] = ()) -> Frame:
    """Return that of the light alone."""
    return lit_frames(renderer, size, aovs).light


def test_the_schedules_of_the_lit_frames(renderer: vf.Renderer) -> None:
    assert str(lit_frames(renderer).light.schedule) == LIT
    assert str(lit_frames(renderer).picture.schedule) == PICTURE


def test_an_aov_is_handed_over_and_costs_its_barrier(renderer: vf.Renderer) -> None:
    lines = str(lit_frame(renderer, aovs=("albedo",)).schedule).splitlines()
    assert "4: albedo: compute:storage_write -> copy:transfer_read [general -> transfer_source]" in lines
    # In the next frame the image is begun anew, after the copy.
    assert "0: albedo: copy:none -> compute:storage_write [undefined -> general]" in lines


# Validation


@pytest.fixture
def watched() -> Iterator[vf.Renderer]:
    """A renderer of its own under the validation layers, whatever the environment says."""
    made = vf.Renderer(validation=True)
    yield made
    drain_validation_messages()
    made.close()


def complaints(renderer: vf.Renderer, monkeypatch: pytest.MonkeyPatch, change: Any) -> list[str]:
    """Return what the layers say of a picture whose lit frames have `change(schedule)` for a schedule."""

    def derive_and_change(*arguments: Any, **options: Any) -> Schedule:
        schedule = derive(*arguments, **options)
        return schedule if options["once"] else change(schedule)

    messages: list[str] = []
    renderer._lanes["lit"].shutdown()
    with monkeypatch.context() as patch:
        patch.setattr(frame_module, "derive", derive_and_change)
        patch.setattr(renderer._device, "check_validation", lambda what: messages.extend(drain_validation_messages()))
        renderer.render(vf.Scene(TERRAIN), SIZE, samples=2)
        renderer._lanes["lit"].shutdown()
        renderer._device.wait(renderer._device.submitted, "the last frame")
    return messages + drain_validation_messages()


def without_batch(schedule: Schedule, index: int) -> Schedule:
    return replace(schedule, barriers=(*schedule.barriers[:index], (), *schedule.barriers[index + 1 :]))


def test_validation_is_silent_about_the_derived_schedule(watched: vf.Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert complaints(watched, monkeypatch, lambda schedule: schedule) == []


def test_validation_complains_of_every_batch_that_is_missing(
    watched: vf.Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation test: were a batch not needed, or validation not on, this would be silent."""
    frames = lit_frames(watched)
    batches = [len(frame.schedule.barriers) for frame in (frames.light, frames.picture)]
    assert batches == [5, 2]

    def without(count: int, index: int) -> list[str]:
        return complaints(watched, monkeypatch, lambda s: without_batch(s, index) if len(s.barriers) == count else s)

    found = {(count, index): without(count, index) for count in batches for index in range(count)}
    assert all(found.values()), {key: len(messages) for key, messages in found.items()}
    # Within a frame a missing batch is a hazard. What only changes layouts, or serves another submission, shows as a
    # wrong layout: the layer sees no hazards between submissions.
    hazards = {key for key, messages in found.items() if any("SYNC-HAZARD" in message for message in messages)}
    assert hazards >= {(5, 1), (5, 3)}


def test_validation_complains_of_barriers_that_order_nothing(
    watched: vf.Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every layout right and no dependency left, only synchronization validation can tell."""

    def hollow(schedule: Schedule) -> Schedule:
        def emptied(barrier: Barrier) -> Barrier:
            nothing = {"source_stage": Stage.NONE, "source_memory": Memory.NONE}
            return replace(barrier, **nothing)

        return replace(schedule, barriers=tuple(tuple(map(emptied, before)) for before in schedule.barriers))

    messages = complaints(watched, monkeypatch, hollow)
    assert messages
    assert all("SYNC-HAZARD" in message for message in messages)
    for hazard in ("READ-AFTER-WRITE", "WRITE-AFTER-"):
        assert any(hazard in message for message in messages)


def test_a_complaint_is_raised_by_the_render_that_caused_it(
    watched: vf.Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched._resident.heights(TERRAIN)  # has a frame of its own
    with monkeypatch.context() as patch:
        patch.setattr(frame_module, "derive", lambda *a, **o: without_batch(derive(*a, **o), 3))
        with pytest.raises(vf.ValidationLayerError, match="SYNC-HAZARD"):
            watched.render(vf.Scene(TERRAIN), SIZE)


def test_the_first_frame_waits_for_its_images_to_enter(renderer: vf.Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first frame, persistent images change layout in a submission of their own.

    The frame's first barrier on such an image must wait for that change, so the stages that the change comes before
    must meet those that the barrier waits for.
    """
    recorded: list[list[Barrier]] = []
    real = Commands.barriers

    def spy(self: Commands, barriers: Any, images: Any) -> None:
        recorded.append(list(barriers))
        real(self, recorded[-1], images)

    renderer._lanes["lit"].shutdown()
    with monkeypatch.context() as patch:
        patch.setattr(Commands, "barriers", spy)
        frame = lit_frame(renderer, (20, 10))
    entering = {barrier.resource: barrier for barrier in recorded[0]}
    assert entering.keys() == {"radiance", "sun_visibility", "sky_visibility"}
    for name, change in entering.items():
        assert change.new_layout == frame.schedule.entry_layouts[name]
        first = next(b for before in frame.schedule.barriers for b in before if b.resource == name)
        assert change.destination_stage & first.source_stage, f"{name}: {change}, and then {first}"


# The plan


def test_the_plan_reads_as_text(renderer: vf.Renderer) -> None:
    renderer.render(vf.Scene(TERRAIN), (31, 17), samples=1)
    plan = renderer.plan(vf.Scene(TERRAIN), (31, 17))
    text = str(plan)
    for name in ("primary", "sun", "sky", "accumulate", "display", "read back"):
        assert name in text
    for part in (
        "31x17",
        "lighting/accumulate.comp",
        "barrier radiance: copy:none -> compute",
        "transient, passes 0 to",
    ):
        assert part in text
    assert [item.shader for item in plan.passes][-1] == "(handed over)"
    primary = plan.passes[0]
    assert set(primary.reads) == {"heights", "pyramid", "albedo_map"}
    assert set(primary.writes) == {"position", "normal", "geometric_normal", "albedo"}


def test_bytes_in_the_plan_are_exact(renderer: vf.Renderer) -> None:
    plan = renderer.plan(vf.Scene(TERRAIN), (64, 64))
    images = {image.name: image for image in plan.images}
    assert images["radiance"].bytes >= 64 * 64 * 16
    assert images["display"].bytes >= 64 * 64 * 4
    frames = lit_frames(renderer, (64, 64))
    report = renderer.memory_report()
    owners = {frame._owner.name for frame in (frames.light, frames.picture)}
    persistent = sum(image.bytes for image in plan.images if image.lifetime == "persistent")
    blocks = sum(span.size for block in report.host_blocks for span in block.spans if span.owner in owners)
    assert sum(report.by_owner[owner].used for owner in owners) == persistent + plan.transient_bytes + blocks


def test_pass_times(renderer: vf.Renderer) -> None:
    if renderer._device.timestamp_bits == 0:
        pytest.skip(f"{renderer.device.name} has no timestamps")
    size = (37, 19)
    assert all(item.gpu_ms is None for item in renderer.plan(vf.Scene(TERRAIN), size).passes)
    renderer.render(vf.Scene(TERRAIN), size, samples=3)
    frames = lit_frames(renderer, size)
    times = frames.light.pass_times() | frames.picture.pass_times()
    assert list(times) == ["primary", "sun", "sky", "accumulate", "display"]
    assert all(0.0 <= time < 60_000.0 for time in times.values())
    assert sum(times.values()) > 0.0
    text = str(renderer.plan(vf.Scene(TERRAIN), size))
    assert f"{times['sky']:.3f} ms" in text


# Life


COUNT = """
layout(local_size_x = 8, local_size_y = 8) in;
layout(set = 0, binding = 0, scalar) readonly buffer Step { uint first; float add; } step_;
layout(set = 0, binding = 1, r32f) uniform image2D total;
void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    if (any(greaterThanEqual(at, imageSize(total)))) return;
    float before = step_.first == 1u ? 0.0 : imageLoad(total, at).r;
    imageStore(total, at, vec4(before + step_.add + float(at.x)));
}
"""
START = """
layout(local_size_x = 8, local_size_y = 8) in;
layout(set = 0, binding = 0, scalar) readonly buffer Step { uint first; float add; } step_;
layout(set = 0, binding = 1, r32f) writeonly uniform image2D target;
void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    if (all(lessThan(at, imageSize(target)))) imageStore(target, at, vec4(step_.add + float(at.x + 100 * at.y)));
}
"""
DOUBLE = """
layout(local_size_x = 8, local_size_y = 8) in;
layout(set = 0, binding = 0, r32f) readonly uniform image2D source;
layout(set = 0, binding = 1, r32f) writeonly uniform image2D target;
void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    if (all(lessThan(at, imageSize(target)))) imageStore(target, at, 2.0 * imageLoad(source, at));
}
"""
SOURCES = {"test/count.comp": COUNT, "test/start.comp": START, "test/double.comp": DOUBLE}


def lab_graph(renderer: vf.Renderer) -> Graph:
    return Graph("lab", load_shader=loader(SOURCES))


def test_persistent_images_survive_from_frame_to_frame(renderer: vf.Renderer) -> None:
    graph = lab_graph(renderer)
    total = graph.image("total", "r32f", (13, 5), persistent=True)
    graph.compute("count", "test/count.comp", (13, 5), step_=graph.block("step"), total=total)
    graph.hand_over("read back", HANDED_OVER, total)
    frame = Frame(renderer._device, graph)
    try:
        for i in range(5):
            run_frame(frame, step={"first": i == 0, "add": float(i)})
        (pixels,) = read_images(renderer._device, frame.images["total"])
    finally:
        frame.release()
    np.testing.assert_array_equal(pixels[..., 0], np.broadcast_to(10.0 + 5.0 * np.arange(13), (5, 13)))


def chain(graph: Graph, length: int, size: tuple[int, int]) -> ImageResource:
    """Declare passes that each double what the one before wrote, each into a transient of its own."""
    image = graph.image("image 0", "r32f", size)
    graph.compute("start", "test/start.comp", size, step_=graph.block("step"), target=image)
    for i in range(1, length):
        target = graph.image(f"image {i}", "r32f", size)
        graph.compute(f"double {i}", "test/double.comp", size, source=image, target=target)
        image = target
    return image


def test_transients_that_share_memory_hold_their_own_pixels(renderer: vf.Renderer) -> None:
    size = (70, 40)
    graph = lab_graph(renderer)
    last = chain(graph, 6, size)
    graph.hand_over("read back", HANDED_OVER, last)
    frame = Frame(renderer._device, graph)
    try:
        shared = {name for name, others in frame.placement.aliases.items() if others}
        assert len(shared) >= 4
        one: Any = frame.images["image 0"].requirements
        assert frame.placement.size < 4 * one.size
        column, row = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
        for add in (1.0, 7.0, -3.0):
            run_frame(frame, step={"add": add})
            (pixels,) = read_images(renderer._device, frame.images[last.name])
            np.testing.assert_array_equal(pixels[..., 0], 32.0 * (add + column + 100.0 * row))
    finally:
        frame.release()


def test_a_single_run_starts_from_nothing(renderer: vf.Renderer) -> None:
    graph = lab_graph(renderer)
    last = chain(graph, 2, (16, 16))
    graph.hand_over("read back", HANDED_OVER, last)
    frame = Frame(renderer._device, graph, slots=1, once=True)
    try:
        run_frame(frame, step={"add": 1.0})
        (pixels,) = read_images(renderer._device, frame.images[last.name])
        assert pixels[0, 0, 0] == 2.0
        assert all(b.old_layout == Layout.UNDEFINED for b in frame.schedule.barriers[0])
    finally:
        frame.release()


def test_slots_have_blocks_of_their_own(renderer: vf.Renderer) -> None:
    """Writing the next frame's block must not reach the frame that the device still runs."""
    frame = lit_frame(renderer)
    addresses = {block["frame"].__array_interface__["data"][0] for block in frame.blocks}
    assert len(addresses) == len(frame.blocks) == 2


def test_a_frame_gives_its_memory_back(renderer: vf.Renderer) -> None:
    def compiled() -> None:
        graph = lab_graph(renderer)
        graph.hand_over("read back", Access.COPY_SOURCE, chain(graph, 3, (128, 128)))
        frame = Frame(renderer._device, graph)
        run_frame(frame, step={"add": 1.0})
        frame.release()

    compiled()
    gc.collect()
    before = renderer.memory_report()
    for _ in range(3):
        compiled()
    after = renderer.memory_report()
    assert (after.used, after.allocations, after.reserved) == (before.used, before.allocations, before.reserved)
    assert not [owner for owner in after.by_owner if owner.startswith("lab#")]


def test_sizes_in_turn_give_their_memory_back(renderer: vf.Renderer) -> None:
    def all_sizes() -> vf.Renderer:
        for size in ((64, 64), (128, 32), (16, 16), (200, 100)):
            renderer.render(vf.Scene(TERRAIN), size, samples=1, aovs=[*vf.AOVS])
        return renderer

    before = all_sizes().memory_report()
    after = all_sizes().memory_report()
    assert (after.used, after.allocations) == (before.used, before.allocations)


def test_every_output_can_be_handed_over(renderer: vf.Renderer) -> None:
    """Whatever is asked for ends in the layout of copies, in one of the two frames."""
    settings, asked = vf.Settings(exposure=vf.AutoExposure()), set()
    for effects in (False, True):
        settings = settings.replace(aov_effects=effects)
        request = renderer._prepare(vf.Scene(TERRAIN), (8, 8), "lit", tuple(vf.AOVS), settings, {})
        frames = renderer._lanes["lit"].compiled(request)
        ready = [
            frame.images[use.resource]
            for frame in (frames.light, frames.picture)
            for use in frame.graph.passes[-1].uses
            if use.scope == Access.COPY_SOURCE.value
        ]
        assert all(frames.images[name] in ready for name in request.outputs)
        asked.update(request.outputs)
    assert asked == set(OUTPUTS)
