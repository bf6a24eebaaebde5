"""The memory report: sums, text, JSON, picture, and counters that come back to where they began."""

from __future__ import annotations

import dataclasses
import io
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from fake_memory import ALL_IN_ONE, MIB, FakeBackend

from vkforge.errors import MissingDependencyError, OutputError
from vkforge.memory.allocator import Allocation, Allocator
from vkforge.memory.intents import Intent
from vkforge.memory.report import Peak, Usage, mib


def filled() -> tuple[Allocator, list[Allocation]]:
    """A small renderer's worth of memory: two images, two buffers with a hole between, a readback slot."""
    allocator = Allocator(FakeBackend(ALL_IN_ONE), host_cap=64 * MIB)

    def take(size: int, intent: Intent, name: str, owner: str, linear: bool = True) -> Allocation:
        return allocator.allocate(size, 256, 1, intent, name, owner, linear=linear)

    live = [
        take(100 * MIB, Intent.DEVICE, "heights", "terrain", linear=False),
        take(2 * MIB, Intent.DEVICE, "depth", "frame", linear=False),
        take(1 * MIB, Intent.DEVICE, "rays", "frame"),
        take(1 * MIB, Intent.DEVICE, "scratch", "frame"),
        take(1 * MIB, Intent.DEVICE, "hits", "tracer"),
        take(16 * MIB, Intent.READBACK, "slot 0", "readback ring"),
        take(1024, Intent.DYNAMIC, "uniforms", "frame"),
    ]
    allocator.free(live.pop(3))
    return allocator, live


def test_sums() -> None:
    report = filled()[0].report()
    assert report.by_intent == {
        "device": Usage(used=104 * MIB, reserved=116 * MIB, allocations=4, blocks=3),
        "upload": Usage(used=0),
        "readback": Usage(used=16 * MIB, reserved=16 * MIB, allocations=1, blocks=1),
        "dynamic": Usage(used=1024, reserved=MIB, allocations=1, blocks=1),
    }
    assert list(report.by_owner.items()) == [
        ("terrain", Usage(used=100 * MIB, allocations=1)),
        ("readback ring", Usage(used=16 * MIB, allocations=1)),
        ("frame", Usage(used=3 * MIB + 1024, allocations=3)),
        ("tracer", Usage(used=MIB, allocations=1)),
    ]
    assert (report.used, report.reserved) == (120 * MIB + 1024, 133 * MIB)
    assert (report.host_used, report.host_reserved, report.host_cap) == (16 * MIB + 1024, 17 * MIB, 64 * MIB)
    assert report.allocations == 6
    assert report.peak == Peak(used=121 * MIB + 1024, reserved=133 * MIB, host_reserved=17 * MIB)


def test_blocks_and_spans() -> None:
    report = filled()[0].report()
    assert [(b.intent, b.kind, b.size // MIB) for b in report.blocks] == [
        ("device", "images, dedicated", 100),
        ("device", "images", 8),
        ("device", "buffers", 8),
        ("readback", "buffers, dedicated", 16),
        ("dynamic", "buffers", 1),
    ]
    buffers = report.blocks[2]
    assert [(s.offset // MIB, s.size // MIB, s.name, s.owner) for s in buffers.spans] == [
        (0, 1, "rays", "frame"),
        (1, 1, None, None),
        (2, 1, "hits", "tracer"),
        (3, 5, None, None),
    ]
    assert (buffers.used, buffers.largest_free) == (2 * MIB, 5 * MIB)
    assert buffers.fragmentation == pytest.approx(1 / 6)
    for block in report.blocks:
        assert sum(span.size for span in block.spans) == block.size
    free = sum(block.size - block.used for block in report.blocks)
    assert report.fragmentation == pytest.approx(MIB / free)


def test_a_report_is_frozen_in_time() -> None:
    allocator, live = filled()
    report = allocator.report()
    before = report.to_dict()
    for allocation in live:
        allocator.free(allocation)
    assert report.to_dict() == before
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.used = 0  # pyright: ignore[reportAttributeAccessIssue]


def test_json_is_the_dict() -> None:
    report = filled()[0].report()
    assert json.loads(report.to_json()) == json.loads(json.dumps(report.to_dict()))
    assert json.loads(report.to_json())["by_intent"]["readback"]["reserved"] == 16 * MIB


def test_text() -> None:
    assert str(filled()[0].report()) == (
        """\
host memory: 17.0 MiB reserved of a cap of 64.0 MiB
peaks: 121.0 MiB used, 133.0 MiB reserved, 17.0 MiB reserved for the host

intent         used   reserved  allocations  blocks
--------  ---------  ---------  -----------  ------
device    104.0 MiB  116.0 MiB            4       3
upload      0.0 MiB    0.0 MiB            0       0
readback   16.0 MiB   16.0 MiB            1       1
dynamic     1.0 KiB    1.0 MiB            1       1
all       120.0 MiB  133.0 MiB            6       5

owner               used  allocations
-------------  ---------  -----------
terrain        100.0 MiB            1
readback ring   16.0 MiB            1
frame            3.0 MiB            3
tracer           1.0 MiB            1

block     kind                     size       used  largest free  fragmented  allocations
--------  ------------------  ---------  ---------  ------------  ----------  -----------
device    images, dedicated   100.0 MiB  100.0 MiB       0.0 MiB          0%            1
device    images                8.0 MiB    2.0 MiB       6.0 MiB          0%            1
device    buffers               8.0 MiB    2.0 MiB       5.0 MiB         17%            2
readback  buffers, dedicated   16.0 MiB   16.0 MiB       0.0 MiB          0%            1
dynamic   buffers               1.0 MiB    1.0 KiB       1.0 MiB          0%            1"""
    )


def test_units() -> None:
    assert [mib(n) for n in (0, 1, 1536, MIB // 2, MIB, 300 * MIB)] == [
        "0.0 MiB",
        "0.0 KiB",
        "1.5 KiB",
        "0.5 MiB",
        "1.0 MiB",
        "300.0 MiB",
    ]


def test_counters_return_to_where_they_began() -> None:
    rng = random.Random(3)
    backend = FakeBackend(ALL_IN_ONE)
    allocator = Allocator(backend)
    began = dataclasses.replace(allocator.report(), peak=Peak(0, 0, 0))
    for _ in range(5):
        live = []
        for i in range(300):
            size = int(2 ** rng.uniform(4, 21))
            intent, linear = rng.choice(list(Intent)), rng.random() < 0.5
            live.append(allocator.allocate(size, 256, 1, intent, f"thing {i}", f"owner {i % 7}", linear=linear))
        rng.shuffle(live)
        for allocation in live:
            allocator.free(allocation)
        now = allocator.report()
        assert now.used == now.allocations == 0
        assert not now.by_owner
        allocator.trim()
        assert dataclasses.replace(allocator.report(), peak=Peak(0, 0, 0)) == began
        assert backend.reserved == 0


def test_top_owners() -> None:
    allocator = Allocator(FakeBackend())
    assert allocator.report().top_owners() == "nobody"
    for i in range(6):
        allocator.allocate((i + 1) * MIB, 256, 1, Intent.DEVICE, "x", f"o{i}", linear=True)
    assert allocator.report().top_owners() == "'o5' 6.0 MiB, 'o4' 5.0 MiB, 'o3' 4.0 MiB, 'o2' 3.0 MiB, 2 more 3.0 MiB"
    assert allocator.report().top_owners(host_only=True) == "nobody"


class TestPicture:
    def test_it_shows_each_owner_and_the_cap(self, tmp_path: Path) -> None:
        pillow = pytest.importorskip("PIL.Image")
        report = filled()[0].report()
        report.to_png(tmp_path / "memory.png")
        assert [p.name for p in tmp_path.iterdir()] == ["memory.png"]
        picture = pillow.open(tmp_path / "memory.png").convert("RGB")
        assert picture.width == 1200
        colors = {color for count, color in picture.getcolors(1 << 20) if count > 100}
        four_owners_and_the_cap = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#c62828"]
        assert {tuple(bytes.fromhex(color[1:])) for color in four_owners_and_the_cap} <= colors

    def test_empty_and_crowded_reports(self) -> None:
        pillow = pytest.importorskip("PIL.Image")
        allocator = Allocator(FakeBackend())
        empty = pillow.open(io.BytesIO(allocator.report()._repr_png_()))
        for i in range(200):
            allocator.allocate(1 + i, 1, 1, Intent.DEVICE, "x", f"owner {i}", linear=True, dedicated=True)
        crowded = pillow.open(io.BytesIO(allocator.report()._repr_png_()))
        assert empty.height < 300 < crowded.height < 2500

    def test_bad_paths_are_one_line(self, tmp_path: Path) -> None:
        pytest.importorskip("PIL.Image")
        with pytest.raises(OutputError, match="does not exist"):
            filled()[0].report().to_png(tmp_path / "nowhere" / "memory.png")

    def test_without_pillow(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setitem(sys.modules, "PIL", None)
        with pytest.raises(MissingDependencyError, match="pip install pillow"):
            filled()[0].report().to_png(tmp_path / "memory.png")
        assert not list(tmp_path.iterdir())


def test_memory_needs_neither_vulkan_nor_pillow() -> None:
    code = (
        "import sys; import vkforge.memory.allocator; "
        "sys.exit(any(name in sys.modules for name in ('vulkan', 'PIL', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
