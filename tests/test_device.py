"""The Vulkan layer's edges: which device and why, structs that live, typed results, the cache on disk, no Vulkan."""

from __future__ import annotations

import gc
import hashlib
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.errors import DeviceError, DeviceLostError, InputError, OutOfMemoryError, VulkanMissingError
from vkforge.vk.instance import DeviceInfo, choose_device, drain_validation_messages, list_devices

ROOT = Path(__file__).resolve().parents[1]


def device(index: int, name: str, type: str, *reasons: str) -> DeviceInfo:
    return DeviceInfo(
        index=index,
        name=name,
        type=type,
        driver="a driver 1.0",
        api_version=(1, 3, 0),
        vendor_id=0x10DE,
        heaps=(),
        limits={},
        extensions={},
        suitable=not reasons,
        reasons=reasons,
    )


CPU = device(0, "llvmpipe (LLVM 15.0.6, 256 bits)", "cpu")
INTEGRATED = device(1, "Intel(R) Iris(R) Xe Graphics", "integrated")
VIRTUAL = device(2, "Virtio-GPU Venus", "virtual")
DISCRETE = device(3, "NVIDIA RTX A6000", "discrete")
SECOND = device(4, "NVIDIA H200", "discrete")
OLD = device(5, "GeForce GT 710", "discrete", "it lacks the extension VK_KHR_synchronization2", "it is old")
ALL = [CPU, INTEGRATED, VIRTUAL, DISCRETE, SECOND, OLD]


@pytest.fixture(autouse=True)
def no_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice must not depend on what whoever runs the tests prefers."""
    monkeypatch.delenv("VKFORGE_DEVICE", raising=False)


# The choice


@pytest.mark.parametrize(
    ("devices", "best"),
    [
        (ALL, DISCRETE),
        (ALL[::-1], DISCRETE),  # the lowest index among equals, in whatever order
        ([CPU, INTEGRATED, VIRTUAL], INTEGRATED),
        ([CPU, VIRTUAL], VIRTUAL),
        ([OLD, CPU], CPU),  # what can't run vkforge is passed over
    ],
)
def test_discrete_over_integrated_over_virtual_over_cpu(devices: list[DeviceInfo], best: DeviceInfo) -> None:
    chosen, reason = choose_device(devices)
    assert chosen is best
    assert reason


def test_the_reason_says_what_decided() -> None:
    assert choose_device([CPU])[1] == "the only suitable device"
    assert choose_device(ALL)[1] == "the first discrete device of 5 suitable ones"
    assert choose_device(ALL, "iris")[1] == "asked for by device='iris'"


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (0, CPU),
        ("2", VIRTUAL),
        (4, SECOND),
        ("llvmpipe", CPU),
        ("IRIS", INTEGRATED),
        ("nvidia", DISCRETE),
        ("H200", SECOND),
    ],
)
def test_by_index_and_by_name_part(wanted: str | int, chosen: DeviceInfo) -> None:
    assert choose_device(ALL, wanted)[0] is chosen


def test_the_environment_chooses_where_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VKFORGE_DEVICE", "iris")
    chosen, reason = choose_device(ALL)
    assert chosen is INTEGRATED
    assert reason == "asked for by VKFORGE_DEVICE=iris"
    assert choose_device(ALL, "llvmpipe")[0] is CPU
    monkeypatch.setenv("VKFORGE_DEVICE", "auto")
    assert choose_device(ALL)[0] is DISCRETE


def test_an_unknown_device_lists_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        InputError, match=r"no Vulkan device matches device='NVIDIA H20O'.*0: llvmpipe.*'NVIDIA H200'\?"
    ):
        choose_device(ALL, "NVIDIA H20O")
    with pytest.raises(InputError, match="device=9"):
        choose_device(ALL, 9)
    monkeypatch.setenv("VKFORGE_DEVICE", "radeon")
    with pytest.raises(InputError, match="VKFORGE_DEVICE=radeon"):
        choose_device(ALL)


@pytest.mark.parametrize("wanted", ["", "\t", -1, "-1", "0x0"])
def test_odd_wishes_choose_nothing_by_accident(wanted: str | int) -> None:
    with pytest.raises(InputError, match="no Vulkan device matches"):
        choose_device([CPU, DISCRETE], wanted)


def test_an_unsuitable_device_says_what_it_lacks() -> None:
    with pytest.raises(DeviceError, match="GeForce GT 710.*VK_KHR_synchronization2.*it is old"):
        choose_device(ALL, "GT 710")
    with pytest.raises(DeviceError, match=r"baseline.*GeForce GT 710.*VK_KHR_synchronization2"):
        choose_device([OLD])


def test_no_device_at_all_says_what_to_install() -> None:
    with pytest.raises(VulkanMissingError, match="apt-get install"):
        choose_device([])


def test_a_name_part_beats_an_unsuitable_namesake() -> None:
    """A wish that fits several devices goes to one that can be used."""
    old = device(0, "NVIDIA GT 710", "discrete", "it is old")
    assert choose_device([old, SECOND], "nvidia")[0] is SECOND


@pytest.mark.gpu
def test_the_real_devices_are_described() -> None:
    devices = list_devices()
    assert [info.index for info in devices] == list(range(len(devices)))
    for info in devices:
        assert info.name
        assert info.heaps
        assert info.heaps[0]["bytes"] > 0
        assert info.suitable == (not info.reasons)
        assert info.limits["maxImageDimension2D"] >= 4096 or not info.suitable
        assert "handle" not in info.to_dict()


@pytest.mark.gpu
@pytest.mark.parametrize("wanted", [None, 1.5, True, ["llvmpipe"]])
def test_a_device_of_the_wrong_type(wanted: Any) -> None:
    with pytest.raises(InputError, match="wanted 'auto', an index or part of a name"):
        vf.Renderer(wanted)


# Structs and results


@pytest.mark.gpu
def test_structs_keep_their_children_alive() -> None:
    from vkforge.vk.ffi import ffi, string, struct

    def queue(priorities: list[float]) -> Any:
        return struct("VkDeviceQueueCreateInfo", queueFamilyIndex=3, pQueuePriorities=priorities)

    made = []
    for i in range(300):
        features = struct("VkPhysicalDeviceVulkan12Features", timelineSemaphore=1)
        info = struct(
            "VkDeviceCreateInfo",
            pNext=struct("VkPhysicalDeviceFeatures2", pNext=features),
            queueCreateInfoCount=2,
            pQueueCreateInfos=[queue([i / 300, 0.25]), queue([0.5])],
            ppEnabledExtensionNames=["VK_KHR_swapchain", f"VK_TEST_{i}"],
        )
        del features
        made.append(info)
        if i % 50 == 0:
            gc.collect()
            np.full(100_000, 7.0)  # something to overwrite what was freed
    gc.collect()
    for i, info in enumerate(made):
        first, second = info.pQueueCreateInfos[0], info.pQueueCreateInfos[1]
        assert list(ffi.unpack(first.pQueuePriorities, 2)) == [np.float32(i / 300), 0.25]
        assert second.pQueuePriorities[0] == 0.5
        assert second.queueFamilyIndex == 3
        assert string(info.ppEnabledExtensionNames[1]) == f"VK_TEST_{i}"
        chained: Any = ffi.cast("VkPhysicalDeviceFeatures2*", info.pNext)
        vulkan12: Any = ffi.cast("VkPhysicalDeviceVulkan12Features*", chained.pNext)
        assert vulkan12.timelineSemaphore == 1


@pytest.mark.gpu
def test_structs_know_their_type_and_fields() -> None:
    from vkforge.vk.ffi import C, ffi, struct, structs

    assert struct("VkBufferCreateInfo", size=0).sType == C.VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO
    assert struct("VkSubmitInfo2").sType == C.VK_STRUCTURE_TYPE_SUBMIT_INFO_2
    assert all(one.sType == C.VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO for one in structs("VkMemoryAllocateInfo", 3))
    with pytest.raises(AttributeError, match="VkBufferCreateInfo has no field 'sise'"):
        struct("VkBufferCreateInfo", sise=4)
    assert struct("VkBufferCreateInfo", pNext=None).pNext == ffi.NULL
    stage = struct("VkPipelineShaderStageCreateInfo", pName="main")
    info = struct("VkComputePipelineCreateInfo", stage=stage)
    del stage
    gc.collect()
    assert ffi.string(info.stage.pName) == b"main"


@pytest.mark.gpu
def test_results_become_typed_errors() -> None:
    from vkforge.vk.ffi import C, check

    assert check(C.VK_SUCCESS, "x") == 0
    assert check(C.VK_TIMEOUT, "x") == C.VK_TIMEOUT
    with pytest.raises(DeviceLostError, match="lost during making tea"):
        check(C.VK_ERROR_DEVICE_LOST, "making tea")
    with pytest.raises(OutOfMemoryError, match="out of device memory during making tea"):
        check(C.VK_ERROR_OUT_OF_DEVICE_MEMORY, "making tea")
    with pytest.raises(OutOfMemoryError, match="out of host memory"):
        check(C.VK_ERROR_OUT_OF_HOST_MEMORY, "making tea")
    with pytest.raises(DeviceError, match="making tea failed with VK_ERROR_FEATURE_NOT_PRESENT"):
        check(C.VK_ERROR_FEATURE_NOT_PRESENT, "making tea")
    with pytest.raises(DeviceError, match="failed with -12345"):
        check(-12345, "making tea")


@pytest.mark.gpu
def test_an_entry_point_that_the_driver_lacks(renderer: vf.Renderer) -> None:
    with pytest.raises(DeviceError, match="no vkCmdTraceRaysNV"):
        _ = renderer._device.fn.vkCmdTraceRaysNV


@pytest.mark.gpu
def test_validation_messages_are_raised() -> None:
    """The layers complain about an object that nobody destroys; closing the renderer must say so."""
    from vkforge.vk.ffi import struct

    renderer = vf.Renderer(validation=True)
    left = renderer._device.create("Fence", struct("VkFenceCreateInfo"), "the forgotten fence")
    assert left
    with pytest.raises(vf.ValidationLayerError, match="closing the renderer"):
        renderer.close()
    assert drain_validation_messages() == []


# The pipeline cache


TERRAIN = vf.Terrain(np.arange(12.0).reshape(3, 4))


def picture() -> bytes:
    with vf.Renderer() as renderer:
        return renderer.render(TERRAIN, (8, 6), samples=1).rgba.tobytes()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VKFORGE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.gpu
def test_the_cache_is_one_checked_file_a_driver(cache: Path) -> None:
    first = picture()
    (path,) = cache.glob("pipelines-*")
    content = path.read_bytes()
    assert hashlib.sha256(content[32:]).digest() == content[:32]
    assert picture() == first
    assert [entry for entry in cache.iterdir() if not entry.name.startswith("sky-")] == [path]


@pytest.mark.gpu
@pytest.mark.parametrize("harm", ["flipped", "truncated", "empty", "text", "signed nonsense", "a folder"])
def test_a_broken_cache_is_harmless(cache: Path, harm: str, caplog: pytest.LogCaptureFixture) -> None:
    first = picture()
    (path,) = cache.glob("pipelines-*")
    content = path.read_bytes()
    nonsense = os.urandom(500)
    broken = {
        "flipped": content[:-1] + bytes([content[-1] ^ 1]),
        "truncated": content[:-5],
        "empty": b"",
        "text": b"not a cache at all" * 9,
        "signed nonsense": hashlib.sha256(nonsense).digest() + nonsense,
    }
    if harm == "a folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(broken[harm])
    with caplog.at_level(logging.WARNING, logger="vkforge"):
        assert picture() == first
    assert ("ignoring the corrupt pipeline cache" in caplog.text) == (harm in ("flipped", "truncated", "text"))
    if harm != "a folder":
        healed = path.read_bytes()
        assert hashlib.sha256(healed[32:]).digest() == healed[:32]
    assert [entry.name for entry in cache.iterdir() if not entry.name.startswith("sky-")] == [path.name]


@pytest.mark.gpu
def test_a_folder_that_takes_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VKFORGE_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with caplog.at_level(logging.WARNING, logger="vkforge"):
        picture()
    assert "could not be written" in caplog.text


@pytest.mark.gpu
def test_a_failed_write_leaves_the_old_cache_and_nothing_else(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture()
    (path,) = cache.glob("pipelines-*")
    path.write_bytes(b"the old one")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("vkforge.io.atomic.os.replace", full)
        picture()
    assert path.read_bytes() == b"the old one"
    assert [entry for entry in cache.iterdir() if not entry.name.startswith("sky-")] == [path]


# No Vulkan on the machine

SCENE = """
import numpy as np
import vkforge as vf
terrain = vf.Terrain(np.arange(12.0).reshape(3, 4), cell_size=30)
scene = vf.Scene(terrain, camera=vf.Camera.orbit(terrain), sun=vf.Sun(), sky=vf.Sky.gradient())
vf.Scene.relief(terrain), vf.Settings(samples=2), vf.Material(), vf.tonemap(np.ones((1, 1, 3)), "aces")
"""


@pytest.fixture
def without_loader(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine with no libvulkan: the binding raises OSError when it is imported."""
    (tmp_path / "vulkan").mkdir()
    (tmp_path / "vulkan" / "__init__.py").write_text(
        'raise OSError("libvulkan.so.1: cannot open shared object file")\n'
    )
    return os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}


def run(environment: dict[str, str], script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_scenes_work_without_vulkan(without_loader: dict[str, str]) -> None:
    ran = run(without_loader, SCENE)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("arguments", [("--help",), ("render", "--help"), ("probe", "--help")])
def test_help_works_without_vulkan(without_loader: dict[str, str], arguments: tuple[str, ...]) -> None:
    ran = run(without_loader, "from vkforge.cli import main; main()", *arguments)
    assert ran.returncode == 0, ran.stderr
    assert "Usage" in ran.stdout


@pytest.mark.parametrize("call", ["vf.Renderer()", "vf.render(terrain)"])
def test_what_needs_a_device_says_what_to_install(without_loader: dict[str, str], call: str) -> None:
    script = f"""{SCENE}
try:
    {call}
except vf.VulkanMissingError as error:
    print("said:", error)
"""
    ran = run(without_loader, script)
    assert ran.returncode == 0, ran.stderr
    assert "libvulkan.so.1" in ran.stdout
    assert "sudo apt-get install -y libvulkan1" in ran.stdout


def test_the_command_line_says_it_in_one_line(without_loader: dict[str, str]) -> None:
    ran = run(without_loader, "from vkforge.cli import main; main()", "probe")
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "libvulkan1" in " ".join(ran.stderr.split())


@pytest.mark.gpu
def test_a_loader_with_no_driver(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none.json")
    drivers = {"VK_DRIVER_FILES": nowhere, "VK_ICD_FILENAMES": nowhere, "VKFORGE_VALIDATION": "0"}
    script = "import vkforge as vf\ntry:\n    vf.Renderer()\nexcept vf.VulkanMissingError as error:\n    print(error)"
    ran = run(os.environ | drivers, script)
    assert ran.returncode == 0, ran.stderr
    assert "apt-get install" in ran.stdout
