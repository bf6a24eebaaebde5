"""Every Vulkan call fails once, in every part that is made when it is first needed; the next pictures are right.

Two pictures of each kind are rendered after each failure, since a frame has two slots. Some of the calls of each kind
fail, or all of them with ``pytest --interrupt-stride=1``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

import vkforge as vf

pytestmark = pytest.mark.gpu

OUT_OF_HOST, OUT_OF_DEVICE = -1, -2
RNG = np.random.default_rng(9)
GROUND = vf.Terrain(
    RNG.random((9, 8), dtype=np.float32) * 4.0,
    albedo=RNG.random((3, 3, 3)),
    material=vf.Material(roughness=0.4, emission_map=RNG.random((2, 2, 3)), emission=1.0),
)
PLAIN = vf.Terrain(RNG.random((9, 8), dtype=np.float32) * 4.0)
ENVIRONMENT = vf.Environment(RNG.random((4, 8, 3)))
FOG = vf.Fog(0.01, density=RNG.random((2, 3, 4)), bounds=(-4, 4, -4, 4, 0, 9))
CAMERA = vf.Camera.orbit(GROUND, elevation=40)
SIZE = (10, 6)
LOOK: dict[str, Any] = {
    "lut": vf.Lut(RNG.random((3, 3, 3, 3))),
    "bloom": vf.Bloom(),
    "grain": vf.Grain(),
    "exposure": vf.AutoExposure(),
}


MASK = RNG.random((4, 4))


def everything(renderer: vf.Renderer) -> list[bytes]:
    """Render with each part that is made late, all of them new to the renderer."""
    ground, plain, environment, fog, look = copy.deepcopy((GROUND, PLAIN, ENVIRONMENT, FOG, LOOK))
    air = vf.Scene(ground, CAMERA, sky=environment, fog=fog, water=vf.Water(1.0, mask=MASK))
    clouded = vf.Scene(plain, CAMERA, sky=vf.Sky(), clouds=vf.Clouds(0.5, base=50.0, seed=3))
    paths = vf.Scene(plain, CAMERA, sky=vf.Sky.gradient())
    shots: list[tuple[vf.Scene, dict[str, Any]]] = [
        (air, {"samples": 2, "aovs": ("motion", "coverage", "emission"), **look}),
        (clouded, {"samples": 1}),
        (paths, {"samples": 8, "lane": "path-traced"}),
    ]
    found = [renderer.render(scene, SIZE, **options).hdr.tobytes() for scene, options in shots for _ in range(2)]
    found.append(renderer.trace(plain, [[0.0, 0.0, 99.0]], [[0.0, 0.0, -1.0]]).t.tobytes())
    return found


# Each with the errors that it may give (Vulkan 1.3, of each command), but for the loss of the device, a renderer's end.
OUT_OF_MEMORY = (OUT_OF_HOST, OUT_OF_DEVICE)
CALLS = {
    "vkAllocateMemory": (*OUT_OF_MEMORY, -10),  # VK_ERROR_TOO_MANY_OBJECTS
    "vkMapMemory": (*OUT_OF_MEMORY, -5),  # VK_ERROR_MEMORY_MAP_FAILED
    "vkBindImageMemory": OUT_OF_MEMORY,
    "vkBindBufferMemory": OUT_OF_MEMORY,
    "vkCreateImage": OUT_OF_MEMORY,
    "vkCreateImageView": OUT_OF_MEMORY,
    "vkCreateBuffer": OUT_OF_MEMORY,
    "vkCreateCommandPool": OUT_OF_MEMORY,
    "vkAllocateCommandBuffers": OUT_OF_MEMORY,
    "vkBeginCommandBuffer": OUT_OF_MEMORY,
    "vkEndCommandBuffer": OUT_OF_MEMORY,
    "vkCreateDescriptorPool": (*OUT_OF_MEMORY, -1000161000),  # VK_ERROR_FRAGMENTATION
    "vkAllocateDescriptorSets": (*OUT_OF_MEMORY, -12, -1000069000),  # VK_ERROR_FRAGMENTED_POOL, _OUT_OF_POOL_MEMORY
    "vkCreateQueryPool": OUT_OF_MEMORY,
    "vkGetSemaphoreCounterValue": OUT_OF_MEMORY,
    "_fn_wait": OUT_OF_MEMORY,
    "_fn_submit": OUT_OF_MEMORY,
}


class Failing:
    """Counts the calls of one function, and fails one of them."""

    def __init__(self, renderer: vf.Renderer, name: str, result: int = 0, nth: int = 0) -> None:
        self._holder: Any = renderer._device if name.startswith("_") else renderer._device.fn
        self._name, self._result, self._nth = name, result, nth
        self.calls = 0

    def __enter__(self) -> Failing:
        self._real = getattr(self._holder, self._name)
        setattr(self._holder, self._name, self._call)
        return self

    def __exit__(self, *_: object) -> None:
        setattr(self._holder, self._name, self._real)

    def _call(self, *arguments: Any) -> Any:
        self.calls += 1
        return self._result if self.calls == self._nth else self._real(*arguments)


def used(renderer: vf.Renderer) -> tuple[int, int]:
    renderer._readback.release()
    renderer._device.wait(renderer._device.submitted, "everything")
    report = renderer.memory_report()
    return report.used, report.allocations


@pytest.fixture(scope="module")
def own() -> Iterator[vf.Renderer]:
    with vf.Renderer(validation=False) as made:  # the layers would take a minute
        for _ in range(5):  # until there are as many maps as are kept
            everything(made)
        yield made


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_fails_once(own: vf.Renderer, name: str, request: pytest.FixtureRequest) -> None:
    wanted = everything(own)
    held = used(own)
    own._device.allocator.trim()
    with Failing(own, name) as counting:
        assert everything(own) == wanted
    assert counting.calls > 0
    stride = min(int(request.config.getoption("--interrupt-stride") or 1), max(1, counting.calls // 2))
    every = list(range(1, counting.calls + 1, stride))
    if stride == 1:
        failures = [(nth, error) for nth in every for error in CALLS[name]]
    else:  # one error each, and all of them among them
        every += every[-1:] * (len(CALLS[name]) - len(every))
        failures = [(nth, CALLS[name][i % len(CALLS[name])]) for i, nth in enumerate(every)]
    for nth, error in failures:
        used(own)
        own._device.allocator.trim()
        with Failing(own, name, error, nth), suppress(vf.DeviceError):  # the allocator gets over some
            everything(own)
        assert not own.lost
        assert everything(own) == wanted, f"after failure {error} of call {nth} of {counting.calls}"
        assert used(own) == held, f"after failure {error} of call {nth} of {counting.calls}"
