"""When things go wrong: typed errors that say where, a process that goes on, and nothing left behind."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.vk.timestamps import Timestamps

pytestmark = pytest.mark.gpu

MIB = 2**20
OUT_OF_HOST, OUT_OF_DEVICE, LOST = -1, -2, -4
SIZE = (20, 14)
TERRAIN = vf.Terrain(np.random.default_rng(5).random((11, 9)) * 3.0)
PASSES = ("primary", "sun", "sky", "accumulate", "display")


def picture(renderer: vf.Renderer, **options: Any) -> bytes:
    image = renderer.render(TERRAIN, SIZE, **{"samples": 3, **options})
    return image.rgba.tobytes() + image.hdr.tobytes()


@pytest.fixture
def wanted(renderer: vf.Renderer) -> bytes:
    """The picture that must come out when nothing is wrong (any more)."""
    return picture(renderer)


@pytest.fixture
def own() -> Iterator[vf.Renderer]:
    """A renderer to be broken; closing it says whether any object was left behind (the layers count them)."""
    made = vf.Renderer(validation=True)
    yield made
    made.close()


@contextmanager
def replaced(holder: Any, name: str, make: Callable[[Any], Any]) -> Iterator[None]:
    """Put `make(what was there)` in a place for a while."""
    before = getattr(holder, name)
    setattr(holder, name, make(before))
    try:
        yield
    finally:
        setattr(holder, name, before)


def failing(result: int, *, after: int = 0, once: bool = False) -> Callable[[Any], Any]:
    """Return a maker of a Vulkan function that fails with `result` once it was called `after` times."""

    def make(real: Any) -> Any:
        calls = 0

        def function(*arguments: Any) -> int:
            nonlocal calls
            calls += 1
            if calls <= after or (once and calls > after + 1):
                return real(*arguments)
            return result

        return function

    return make


def losing(*, after: int = 0) -> Callable[[Any], Any]:
    """Return a maker of waits that find the device lost, once `after` of them went well.

    The work is really done, so that everything may be destroyed.
    """

    def make(real: Any) -> Any:
        calls = 0

        def function(*arguments: Any) -> int:
            nonlocal calls
            calls += 1
            result = real(*arguments)
            return LOST if calls > after else result

        return function

    return make


# Device loss


def test_a_submission_that_loses_the_device(own: vf.Renderer, wanted: bytes) -> None:
    with replaced(own._device, "_fn_submit", failing(LOST)), pytest.raises(vf.DeviceLostError, match="lost during"):
        picture(own)
    assert own.lost
    with pytest.raises(vf.DeviceLostError, match="make a new vkforge.Renderer"):
        picture(own)
    own.close()
    with vf.Renderer() as new:
        assert picture(new) == wanted


def test_a_loss_in_a_frame_names_the_frame_and_its_passes(own: vf.Renderer, wanted: bytes) -> None:
    picture(own)  # the terrain is there, so that the next submission is a frame's
    with (
        replaced(own._device, "_fn_submit", failing(LOST)),
        pytest.raises(vf.DeviceLostError, match="frame 'lit'") as caught,
    ):
        picture(own)
    assert any(name in str(caught.value) for name in PASSES)
    assert "\n" not in str(caught.value)
    own.close()
    with vf.Renderer() as new:
        assert picture(new) == wanted


@pytest.mark.parametrize("after", range(4))
def test_a_wait_that_finds_the_device_lost(own: vf.Renderer, wanted: bytes, after: int) -> None:
    """Whichever wait it is (three for a slot to fall free, then one for the pixels), it says which frame was lost."""
    picture(own, samples=3)
    with (
        replaced(own._device, "_fn_wait", losing(after=after)),
        pytest.raises(vf.DeviceLostError, match="frame 'lit'" if after < 3 else "frame 'picture'") as caught,
    ):
        picture(own, samples=3)
    assert any(name in str(caught.value) for name in PASSES)
    assert own.lost
    own.close()
    with vf.Renderer() as new:
        assert picture(new) == wanted


def test_the_pass_that_had_not_finished_is_named(own: vf.Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    if own._device.timestamp_bits == 0:
        pytest.skip("without timestamps nobody can tell")
    picture(own)
    # Three passes have both timestamps, the fourth only began.
    monkeypatch.setattr(Timestamps, "_read", lambda self: [(i, i < 7) for i in range(10)])
    with (
        replaced(own._device, "_fn_wait", losing()),
        pytest.raises(vf.DeviceLostError, match="in pass 'accumulate' of frame 'lit'"),
    ):
        picture(own, samples=8)


def test_a_loss_while_timestamps_are_read(own: vf.Renderer) -> None:
    """A driver may answer any question about a lost device with "lost"."""
    picture(own)
    with (
        replaced(own._device, "_fn_wait", losing()),
        replaced(own._device.fn, "vkGetQueryPoolResults", failing(LOST)),
        pytest.raises(vf.DeviceLostError, match="one of primary, sun, sky"),
    ):
        picture(own, samples=8)


def test_a_loss_while_a_terrain_is_uploaded(own: vf.Renderer, wanted: bytes) -> None:
    with (
        replaced(own._device, "_fn_wait", losing()),
        pytest.raises(vf.DeviceLostError, match="upload of heights"),
    ):
        picture(own)
    assert own.lost
    own.close()
    with vf.Renderer() as new:
        assert picture(new) == wanted


def test_a_loss_while_tracing(own: vf.Renderer) -> None:
    down = ([[0.0, 0.0, 9.0]], [[0.0, 0.0, -1.0]])
    own.trace(TERRAIN, *down)
    with replaced(own._device, "_fn_wait", losing()), pytest.raises(vf.DeviceLostError, match="'trace'"):
        own.trace(TERRAIN, *down)


def test_the_one_liner_gets_over_a_loss(wanted: bytes) -> None:
    from vkforge import oneliner

    first = vf.render(TERRAIN, SIZE, samples=3)
    assert first.rgba.tobytes() + first.hdr.tobytes() == wanted
    (renderer,) = oneliner._renderers.values()
    with replaced(renderer._device, "_fn_submit", failing(LOST)), pytest.raises(vf.DeviceLostError):
        vf.render(TERRAIN, SIZE, samples=3)
    again = vf.render(TERRAIN, SIZE, samples=3)
    assert again.rgba.tobytes() + again.hdr.tobytes() == wanted
    oneliner._close_all()


# Out of memory


def used(renderer: vf.Renderer) -> tuple[int, int]:
    report = renderer.memory_report()
    return report.used, report.allocations


def test_no_device_memory_names_what_asked_and_leaves_all_usable(own: vf.Renderer, wanted: bytes) -> None:
    with (
        replaced(own._device.fn, "vkAllocateMemory", failing(OUT_OF_DEVICE)),
        pytest.raises(vf.OutOfMemoryError, match="out of memory: 'heights'") as caught,
    ):
        picture(own)
    assert isinstance(caught.value, MemoryError)
    assert not isinstance(caught.value, vf.HostCapError)
    assert used(own) == (0, 0)
    assert picture(own) == wanted


def test_a_frame_that_does_not_fit_names_its_passes(own: vf.Renderer, wanted: bytes) -> None:
    picture(own)
    own._lanes["lit"].shutdown()
    own._device.wait(own._device.submitted, "everything")
    before = used(own)
    own._device.allocator.trim()
    with (
        replaced(own._device.fn, "vkAllocateMemory", failing(OUT_OF_DEVICE)),
        pytest.raises(vf.OutOfMemoryError, match=r"frame 'lit' with passes primary, sun, sky") as caught,
    ):
        own.render(TERRAIN, (900, 700), samples=1)
    assert "asks for" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert used(own) == before
    assert picture(own) == wanted


# Everything that can fail for want of memory while a terrain and a frame are made.
CREATORS = (
    "vkAllocateMemory",
    "vkMapMemory",
    "vkCreateImage",
    "vkCreateImageView",
    "vkCreateBuffer",
    "vkCreateCommandPool",
    "vkAllocateCommandBuffers",
    "vkBeginCommandBuffer",
    "vkEndCommandBuffer",
    "vkCreateDescriptorPool",
    "vkAllocateDescriptorSets",
    "vkCreateQueryPool",
    "vkCreateSampler",
    "vkCreateShaderModule",
    "vkCreateDescriptorSetLayout",
    "vkCreatePipelineLayout",
    "vkCreateComputePipelines",
    "vkQueueSubmit2KHR",
)


@pytest.mark.parametrize("name", CREATORS)
def test_any_call_may_run_out_of_memory(wanted: bytes, name: str) -> None:
    """Fail each call of one kind in turn, then go on with the same renderer; at its close the layers count objects."""
    with vf.Renderer(validation=True) as counting:
        calls = 0

        def count(real: Any) -> Any:
            def function(*arguments: Any) -> Any:
                nonlocal calls
                calls += 1
                return real(*arguments)

            return function

        with replaced(*place(counting, name), count):
            picture(counting)
    assert calls > 0
    for after in sorted({0, calls // 2, calls - 1}):  # test_failing_calls.py has those between
        with vf.Renderer(validation=True) as renderer:
            with replaced(*place(renderer, name), failing(OUT_OF_HOST, after=after, once=True)):
                if name in ("vkAllocateMemory", "vkMapMemory"):  # one refusal is met by a second try with a small block
                    assert picture(renderer) == wanted
                else:
                    with pytest.raises(vf.OutOfMemoryError):
                        picture(renderer)
            assert picture(renderer) == wanted, f"after failure of call {after + 1} of {calls}"


def place(renderer: vf.Renderer, name: str) -> tuple[Any, str]:
    """Return where the device keeps a function: the hot path has a copy of its own."""
    return (renderer._device, "_fn_submit") if name == "vkQueueSubmit2KHR" else (renderer._device.fn, name)


def test_no_memory_for_the_readback_ring(own: vf.Renderer, wanted: bytes) -> None:
    """The ring is made last: every part of it may fail, and the next picture makes it anew."""
    picture(own)
    for name in ("vkCreateBuffer", "vkAllocateMemory", "vkCreateCommandPool", "vkAllocateCommandBuffers"):
        own._readback.release()
        own._device.wait(own._device.submitted, "everything")
        own._device.collect()
        own._device.allocator.trim()
        with replaced(own._device.fn, name, failing(OUT_OF_DEVICE)), pytest.raises(vf.OutOfMemoryError):
            picture(own)
        assert picture(own) == wanted, name


def test_a_renderer_that_can_not_be_made_leaves_nothing(monkeypatch: pytest.MonkeyPatch, wanted: bytes) -> None:
    from vkforge.vk import device as device_module

    def refuse(*_: object) -> None:
        raise vf.OutOfMemoryError("no memory for a pipeline cache")

    with monkeypatch.context() as patch:
        patch.setattr(device_module.pipeline_cache, "create", refuse)
        with pytest.raises(vf.OutOfMemoryError, match="pipeline cache"):
            vf.Renderer()
    with vf.Renderer() as renderer:
        assert picture(renderer) == wanted


def test_the_cap_names_itself_the_request_and_the_holders() -> None:
    with vf.Renderer(host_memory_cap=MIB) as renderer:
        picture(renderer)
        with pytest.raises(vf.HostCapError) as caught:
            # Wider than one row in a quarter of the cap.
            renderer.render(TERRAIN, (16384, 2), samples=1)
        text = str(caught.value)
        for part in ("host", "cap", "1 MiB", "0.2 MiB", "holders", "picture#"):
            assert part in text, f"{part!r} is missing from: {text}"
        assert "\n" not in text
        picture(renderer)


def test_the_allocators_own_cap_message(own: vf.Renderer) -> None:
    from vkforge.memory.intents import Intent
    from vkforge.vk.device import Owner
    from vkforge.vk.resources import Buffer

    picture(own)
    owner = Owner(own._device, "a test")
    with pytest.raises(vf.HostCapError) as caught:
        Buffer(owner, "everything", 600 * MIB, frozenset(["storage"]), Intent.UPLOAD)
    text = str(caught.value)
    for part in (
        "cap of 512.0 MiB",
        "'everything' (owner 'a test')",
        "600.0 MiB",
        "holders: ",
        "lit#",
        "host_memory_cap",
    ):
        assert part in text
    assert not [name for name in own.memory_report().by_owner if name == "a test"]


# Arguments


@pytest.mark.parametrize(
    "size",
    [
        *[
            (0, 10),
            (10, 0),
            (-1, 10),
            (10, -5),
            (10**9, 10),
            (10, 2**40),
            (float("nan"), 4),
            (float("inf"), 4),
            (2.5, 4),
        ],
        *[(4,), (4, 4, 4), "4x4", 4, ("a", "b"), (None, None), ((1, 2), 3), [], {}],
    ],
)
def test_a_size_that_makes_no_picture(renderer: vf.Renderer, size: Any) -> None:
    with pytest.raises(vf.InputError, match=r"size is .*; wanted"):
        renderer.render(TERRAIN, size)


def test_a_size_over_the_limit_names_it(renderer: vf.Renderer) -> None:
    limit = int(renderer.device.limits["maxImageDimension2D"])
    with pytest.raises(
        vf.InputError, match=f"wanted 1 to {limit} pixels a side, the limit of {renderer.device.name[:8]}"
    ):
        renderer.render(TERRAIN, (limit + 1, 4))


@pytest.mark.parametrize("size", [(7, 5), [7, 5], (7.0, 5.0), np.array([7, 5]), (np.int64(7), np.uint8(5))])
def test_sizes_that_are_fine(renderer: vf.Renderer, size: Any) -> None:
    assert renderer.render(TERRAIN, size, samples=1).rgba.shape == (5, 7, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"aovs": ("depht",)}, r"unknown AOV 'depht'; did you mean 'depth'\?"),
        ({"aovs": "dpeth"}, "unknown AOV .dpeth.; did you mean .depth."),
        ({"aovs": (1,)}, "unknown AOV 1"),
        ({"aovs": None}, "aovs"),
        ({"aovs": 5}, "aovs"),
        ({"lane": "lits"}, r"no lane called 'lits'; did you mean 'lit'\?"),
        ({"lane": None}, "no lane called None"),
        ({"lane": ["lit"]}, "no lane called"),
        ({"tonemap": "asec"}, r"no tone mapping called 'asec'; did you mean 'aces'\?"),
        ({"sampels": 4}, r"no setting called 'sampels'; did you mean 'samples'\?"),
        ({"samples": 0}, "samples is 0; wanted a whole number from 1"),
        ({"samples": 1.5}, "samples is 1.5"),
        ({"seed": -1}, "seed is -1"),
        ({"exposure": float("nan")}, "exposure"),
        ({"lane": np.zeros(0)}, "no lane called"),
        ({"lane": np.zeros(2)}, "no lane called"),
        ({"tonemap": np.zeros(0)}, "no tone mapping called"),
        ({"tonemap": ["aces", "agx"]}, "no tone mapping called"),
        ({"aovs": ([],)}, "unknown AOV"),
        ({"settings": {"samples": 4}}, "settings"),
        ({"settings": 16}, "settings"),
    ],
)
def test_options_that_are_wrong(renderer: vf.Renderer, options: dict[str, Any], message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        renderer.render(TERRAIN, SIZE, **options)


@pytest.mark.parametrize("scene", [None, "dem.tif", np.zeros((4, 4)), 5, vf.Terrain, vf.Sun()])
def test_what_is_no_scene(renderer: vf.Renderer, scene: Any) -> None:
    with pytest.raises(vf.InputError, match="wanted a vkforge.Scene, MovingScene or Terrain"):
        renderer.render(scene)


def test_a_dem_over_the_limit(renderer: vf.Renderer) -> None:
    limit = int(renderer.device.limits["maxImageDimension2D"])
    with pytest.raises(vf.InputError, match=f"at most {limit} along a side"):
        renderer.render(vf.Terrain(np.zeros((2, limit + 1), np.float32)), SIZE)


@pytest.mark.parametrize(
    ("origins", "directions"),
    [
        ([[0, 0, 1]], [[0, 0, 0]]),
        ([[0, 0, 1]], [[0, 0, -1], [0, 0, -1]]),
        ([[0, 0, float("nan")]], [[0, 0, -1]]),
        ([[0, 0, 1]], [[0, 0, float("inf")]]),
        ([0, 0, 1], [0, 0, -1]),
        ("up", "down"),
        (None, None),
        ([[1j, 0, 0]], [[0, 0, -1]]),
    ],
)
def test_rays_that_are_wrong(renderer: vf.Renderer, origins: Any, directions: Any) -> None:
    with pytest.raises(vf.InputError):
        renderer.trace(TERRAIN, origins, directions)


def test_no_rays_at_all(renderer: vf.Renderer) -> None:
    hits = renderer.trace(TERRAIN, np.zeros((0, 3)), np.zeros((0, 3)))
    assert hits.t.shape == (0,)
    assert hits.normal.shape == (0, 3)


# Ctrl-C


def test_an_interrupted_render_changes_nothing(own: vf.Renderer, wanted: bytes) -> None:
    def interrupt(done: int, of: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        own.render(TERRAIN, SIZE, samples=10, seed=9, progress=interrupt)
    assert picture(own) == wanted
    before = used(own)
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            own.render(TERRAIN, SIZE, samples=10, progress=interrupt)
    assert used(own) == before
    assert picture(own) == wanted


def test_ctrl_c_stops_a_long_render(own: vf.Renderer, wanted: bytes) -> None:
    picture(own)
    timer = threading.Timer(0.3, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        own.render(TERRAIN, (64, 64), samples=100_000)
    timer.join()
    assert picture(own) == wanted


def test_an_error_in_the_callers_progress_comes_through(own: vf.Renderer, wanted: bytes) -> None:
    def divide(done: int, of: int) -> None:
        _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        own.render(TERRAIN, SIZE, samples=4, progress=divide)
    assert picture(own) == wanted


def test_progress_counts_every_sample(renderer: vf.Renderer) -> None:
    told: list[tuple[int, int]] = []
    renderer.render(TERRAIN, SIZE, samples=5, progress=lambda done, of: told.append((done, of)))
    assert told == [(i, 5) for i in range(1, 6)]
