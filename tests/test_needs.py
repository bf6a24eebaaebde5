"""What is asked of a device is what the shaders use, and every limit that is too low is named with who needs more."""

from __future__ import annotations

import numpy as np
import pytest

import vkforge as vf
from vkforge.vk.needs import feature_of, limits_of, needs
from vkforge.vk.shaders import load, names

pytestmark = pytest.mark.gpu  # the binding holds the limits that are asked for

# What Vulkan 1.2 guarantees (its table "Required Limits"): more must be asked for, less need not be.
GUARANTEED = {
    "maxPerStageDescriptorStorageImages": 4,
    "maxPerStageDescriptorStorageBuffers": 4,
    "maxPerStageDescriptorSampledImages": 16,
    "maxPerStageDescriptorSamplers": 16,
    "maxPerStageResources": 128,
    "maxComputeWorkGroupInvocations": 128,
    "maxPushConstantsSize": 128,
}
SWIFTSHADER = {"maxPerStageDescriptorStorageImages": 16, "maxComputeWorkGroupInvocations": 256}


def test_what_is_asked_for_is_what_the_shaders_use() -> None:
    from vkforge.vk.instance import REQUIRED_LIMITS

    most = {limit: max(features.values()) for limit, features in needs().items()}
    assert most.keys() == GUARANTEED.keys()
    assert {limit: REQUIRED_LIMITS[limit] for limit in most} == {
        limit: max(count, GUARANTEED[limit]) for limit, count in most.items()
    }


def test_a_real_driver_with_low_limits_is_enough() -> None:
    for name in names():
        used = limits_of(load(name))
        for limit, most in SWIFTSHADER.items():
            assert used[limit] <= most, f"{name} uses {used[limit]} of {limit}"


def test_every_shader_is_somebodys() -> None:
    assert all(feature_of(name) != name for name in names())


def test_a_limit_that_is_too_low_is_named_with_who_needs_more(renderer: vf.Renderer) -> None:
    from vkforge.vk.instance import REQUIRED_LIMITS, missed

    enough = dict(renderer.device.limits)
    assert missed(enough) == []
    for limit, least in REQUIRED_LIMITS.items():
        (reason,) = missed({**enough, limit: least - 1})
        assert f"its limit {limit} is {least - 1}, vkforge needs {least}" in reason
    (reason,) = missed({**enough, "maxPerStageDescriptorStorageImages": 12})
    assert "the path-traced lane 14" in reason and "the lit lane 14" in reason
    assert "depth of field" not in reason
    (reason,) = missed({**enough, "maxPerStageDescriptorStorageImages": 8})
    assert "depth of field 12" in reason


def test_a_picture_too_wide_for_the_cap_is_refused_before_it_is_rendered() -> None:
    terrain = vf.Terrain(np.arange(12.0).reshape(3, 4))
    with vf.Renderer(host_memory_cap=2**20) as renderer:
        wide = min(16384, int(renderer.device.limits["maxImageDimension2D"]))
        for lane in ("lit", "path-traced"):
            done: list[int] = []
            with pytest.raises(vf.HostCapError, match="a row of radiance takes"):
                renderer.render(terrain, (wide, 2), samples=2, lane=lane, progress=lambda n, _: done.append(n))  # noqa: B023
            with pytest.raises(vf.HostCapError):
                next(renderer.accumulate(terrain, (wide, 2), samples=2, progress=lambda n, _: done.append(n)))  # noqa: B023
            assert done == []
        assert renderer.render(terrain, (64, 2), samples=1).rgba.shape == (2, 64, 4)
