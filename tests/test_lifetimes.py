"""Nothing drifts: after a thousand renderers, ten thousand frames and many terrains every counter is where it began."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf

pytestmark = pytest.mark.gpu

ROOT = Path(__file__).resolve().parents[1]
MIB = 2**20
RNG = np.random.default_rng(8)

# What a process holds: open files, resident bytes, threads, and the Python objects that wrap something of the device.
COUNTERS = """
import gc, json, os, sys
import numpy as np
import vkforge as vf

def counters():
    gc.collect()
    kinds = ("Device", "Owner", "Frame", "Image", "Buffer", "Commands", "Allocation", "_Block", "Renderer")
    alive = dict.fromkeys(kinds, 0)
    for thing in gc.get_objects():
        if type(thing).__name__ in kinds and type(thing).__module__.startswith("vkforge"):
            alive[type(thing).__name__] += 1
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {
        "files": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
        "resident": resident,
        "alive": alive,
    }

terrain = vf.Terrain(np.arange(9.0).reshape(3, 3))
"""


def in_a_process(script: str) -> Any:
    """Run a script in a process of its own, without the layers (they keep notes of all they saw); parse its output."""
    environment = os.environ | {"VKFORGE_VALIDATION": "0"}
    run = subprocess.run(
        [sys.executable, "-c", COUNTERS + script], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts by /proc")
def test_a_thousand_renderers_leave_nothing() -> None:
    before, after = in_a_process("""
def many(count):
    for i in range(count):
        with vf.Renderer() as renderer:
            if i % 50 == 0:
                renderer.render(vf.Scene(terrain), (4, 4), samples=1)
            elif i % 10 == 0:  # the same with fewer shaders to compile
                renderer.render(vf.Scene(terrain, sun=None, sky=None), (4, 4), samples=1)

many(100)
before = counters()
many(1000)
print(json.dumps([before, counters()]))
""")
    assert after["files"] == before["files"]
    assert after["threads"] == before["threads"]
    assert after["alive"] == before["alive"]
    # A leak of a single 64 KiB block a renderer would be over 60 MiB.
    assert after["resident"] - before["resident"] < 16 * MIB


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts by /proc")
def test_ten_thousand_frames_leave_every_counter_where_it_began() -> None:
    before, after = in_a_process("""
renderer = vf.Renderer()

def many(count):
    for i in range(count):
        camera = vf.Camera.perspective((5 * np.cos(i), 5 * np.sin(i), 20), (0, 0, 4))
        renderer.render(vf.Scene(terrain, camera=camera, sun=None, sky=None), (1, 1), samples=1)

def state():
    return counters() | {"report": repr(renderer.memory_report()), "plans": len(renderer._lanes["lit"]._compiled)}

many(200)
before = state()
many(10_000)
print(json.dumps([before, state()]))
""")
    assert after["report"] == before["report"]
    assert after["plans"] == before["plans"] == 1
    assert after["alive"] == before["alive"]
    assert (after["files"], after["threads"]) == (before["files"], before["threads"])
    assert after["resident"] - before["resident"] < 8 * MIB


def counts(renderer: vf.Renderer) -> tuple[int, int, int, int]:
    report = renderer.memory_report()
    return report.used, report.reserved, report.host_reserved, report.allocations


def test_many_terrains_in_turn() -> None:
    with vf.Renderer() as renderer:

        def show(count: int) -> None:
            for _ in range(count):
                terrain = vf.Terrain(RNG.random((40, 30)), albedo=RNG.random((8, 8, 3)))
                renderer.render(terrain, (8, 8), samples=1)

        show(4)
        before = counts(renderer)
        show(30)
        assert counts(renderer) == before


def test_terrains_that_share_heights_share_them_on_the_device() -> None:
    from dataclasses import replace

    with vf.Renderer() as renderer:
        terrain = vf.Terrain(RNG.random((200, 200)))
        renderer.render(terrain, (8, 8), samples=1)
        owners = {owner for owner in renderer.memory_report().by_owner if owner.startswith("terrain#")}
        for i in range(1, 5):
            renderer.render(replace(terrain, vertical_exaggeration=float(i)), (8, 8), samples=1)
        assert {owner for owner in renderer.memory_report().by_owner if owner.startswith("terrain#")} == owners


def test_outputs_and_sizes_in_turn() -> None:
    with vf.Renderer() as renderer:
        terrain = vf.Terrain(RNG.random((10, 10)))

        def show() -> None:
            for aovs in ((), ("depth",), tuple(vf.AOVS)):
                for size in ((8, 8), (60, 40), (9, 300)):
                    renderer.render(terrain, size, samples=1, aovs=aovs)

        for _ in range(2):  # until both buffers of the readback ring have met the largest picture
            show()
        before = counts(renderer)
        for _ in range(4):
            show()
        assert counts(renderer) == before


def test_traces_leave_nothing(renderer: vf.Renderer) -> None:
    terrain = vf.Terrain(RNG.random((10, 10)))
    down = np.tile([0.0, 0.0, -1.0], (500, 1))
    above = RNG.uniform((-4.0, -4.0, 16.0), (4.0, 4.0, 24.0), (500, 3))
    renderer.trace(terrain, above, down)
    before = counts(renderer)
    for _ in range(20):
        renderer.trace(terrain, above, down)
    assert counts(renderer) == before


def test_a_failed_render_leaves_nothing(renderer: vf.Renderer) -> None:
    terrain = vf.Terrain(RNG.random((10, 10)))
    renderer.render(terrain, (8, 8), samples=1)
    before = counts(renderer)
    for _ in range(5):
        wrongs: list[dict[str, Any]] = [{"size": (0, 1)}, {"aovs": ("depht",)}, {"samples": 0}, {"lane": "lid"}]
        for wrong in wrongs:
            with pytest.raises(vf.InputError):
                renderer.render(terrain, **wrong)
    assert counts(renderer) == before


def test_an_image_keeps_no_renderer_alive() -> None:
    import gc
    import weakref

    renderer = vf.Renderer()
    image = renderer.render(vf.Terrain(RNG.random((5, 5))), (8, 8), samples=1)
    renderer.close()
    gone = weakref.ref(renderer)
    del renderer
    gc.collect()
    assert gone() is None
    assert image.rgba.shape == (8, 8, 4)


# Closing


def test_closing_twice() -> None:
    renderer = vf.Renderer()
    renderer.render(vf.Terrain(RNG.random((5, 5))), (8, 8), samples=1)
    renderer.close()
    renderer.close()
    with vf.Renderer() as other:
        other.close()


def test_closing_at_once() -> None:
    vf.Renderer().close()


def test_closing_with_pictures_in_flight() -> None:
    terrain = vf.Terrain(RNG.random((5, 5)))
    with vf.Renderer() as renderer:
        images = renderer.render_many([terrain] * 4, (64, 64), samples=2)
        next(images)
    with pytest.raises(vf.DeviceError, match="closed"):
        next(images)
    with vf.Renderer() as renderer:
        images = renderer.render_many([terrain] * 3, (64, 64), samples=2)
        next(images)
        next(images)
    with pytest.raises(vf.DeviceError, match="closed"):  # though nothing is left to be submitted
        next(images)


def test_an_error_in_the_body_closes_and_comes_through() -> None:
    with pytest.raises(ZeroDivisionError), vf.Renderer() as renderer:
        _ = 1 / 0
    with pytest.raises(vf.DeviceError, match="closed"):
        renderer.memory_report()


def test_closing_while_a_picture_accumulates() -> None:
    """What it has goes; whoever asks for more is told; leaving the iterator is nothing."""
    terrain = vf.Terrain(RNG.random((5, 5)))
    with vf.Renderer() as renderer:
        steps, other = (renderer.accumulate(terrain, (8, 8), samples=64) for _ in range(2))
        next(steps)
        next(other)
    with pytest.raises(vf.DeviceError, match="closed"):
        next(steps)
    other.close()
    renderer = vf.Renderer()
    steps = renderer.accumulate(terrain, (8, 8), samples=64)
    next(steps)
    with pytest.raises(ZeroDivisionError), renderer:
        _ = 1 / 0


def test_what_goes_wrong_at_closing_hides_nothing(caplog: pytest.LogCaptureFixture) -> None:
    for body in (True, False):
        renderer = vf.Renderer()
        real = renderer._device.close
        renderer._device.close = lambda real=real: [*real(), "a thing"]  # type: ignore[method-assign]
        with pytest.raises(ZeroDivisionError if body else vf.DeviceError) as caught, renderer:
            _ = 1 / (0 if body else 1)
        assert "a thing" in (caplog.text if body else str(caught.value))
        caplog.clear()


def test_an_iterator_that_is_left_gives_back_what_it_has(renderer: vf.Renderer) -> None:
    terrain = vf.Terrain(RNG.random((5, 5)))
    list(renderer.accumulate(terrain, (8, 8), samples=4))
    before = counts(renderer)
    for _ in range(3):
        next(renderer.accumulate(terrain, (8, 8), samples=4))
    assert counts(renderer) == before


def test_one_renderer_in_two_with_blocks() -> None:
    terrain = vf.Terrain(RNG.random((5, 5)))
    with vf.Renderer() as renderer:
        with renderer as same:
            assert same is renderer
        renderer.render(terrain, (8, 8), samples=1)  # the inner one ended nothing
    with pytest.raises(vf.DeviceError, match="closed"):
        renderer.render(terrain, (8, 8), samples=1)


def test_a_renderer_that_nobody_closes_is_given_back() -> None:
    terrain = vf.Terrain(RNG.random((5, 5)))
    renderer = vf.Renderer()
    renderer.render(terrain, (8, 8), samples=1, sky_rays=1)
    device = renderer._device
    with pytest.warns(ResourceWarning, match="never closed"):
        del renderer  # by its count of references alone: no cycle holds it
    assert device.gone


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts by /proc")
def test_a_hundred_renderers_that_nobody_closes_leave_nothing() -> None:
    before, after = in_a_process("""
import warnings
warnings.simplefilter("ignore", ResourceWarning)

def many(count):
    for i in range(count):
        renderer = vf.Renderer()
        if i % 10 == 0:
            renderer.render(vf.Scene(terrain), (4, 4), samples=1)

many(11)
before = counters()
many(100)
print(json.dumps([before, counters()]))
""")
    assert (after["files"], after["threads"]) == (before["files"], before["threads"])
    assert after["alive"] == before["alive"]
    assert after["resident"] - before["resident"] < 16 * MIB


@pytest.mark.parametrize(
    "use",
    [
        lambda r, t: r.render(t),
        lambda r, t: next(r.render_many([t])),
        lambda r, t: r.plan(t),
        lambda r, t: r.trace(t, [[0.0, 0.0, 9.0]], [[0.0, 0.0, -1.0]]),
        lambda r, t: r.memory_report(),
        lambda r, t: r.__enter__(),
    ],
    ids=["render", "render_many", "plan", "trace", "memory_report", "with"],
)
def test_use_after_close(use: Any) -> None:
    renderer = vf.Renderer()
    renderer.close()
    with pytest.raises(vf.DeviceError, match="this renderer is closed; make a new vkforge.Renderer"):
        use(renderer, vf.Terrain(RNG.random((5, 5))))
    assert renderer.device.name
    assert not renderer.lost


def test_two_renderers_at_once() -> None:
    terrain = vf.Terrain(RNG.random((12, 12)))
    with vf.Renderer() as one, vf.Renderer() as other:
        first = one.render(terrain, (16, 16), samples=2)
        second = other.render(terrain, (16, 16), samples=2)
        assert first.rgba.tobytes() == second.rgba.tobytes()
        other.close()
        assert one.render(terrain, (16, 16), samples=2).rgba.tobytes() == first.rgba.tobytes()


def test_nearly_flat_ground_is_packed_again_for_other_cells(renderer: vf.Renderer) -> None:
    """Its scale in grid space goes by the cells: the same heights at another cell size are another pyramid."""
    ground = vf.Terrain(np.random.default_rng(1).random((40, 50)) * 5.0, 1.0)
    wide = dataclasses.replace(ground, cell_size=100.0)

    def picture(terrain: vf.Terrain, by: vf.Renderer) -> bytes:
        scene = vf.Scene(terrain, sun=vf.Sun(300, 1.0), sky=vf.Sky.gradient())
        return by.render(scene, (64, 48), samples=2).hdr.tobytes()

    picture(ground, renderer)
    with vf.Renderer() as fresh:
        assert picture(wide, renderer) == picture(wide, fresh)
