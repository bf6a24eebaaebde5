"""What the shaders ask of a device's limits, as reflection tells, and which feature asks for it."""

from __future__ import annotations

from collections.abc import Mapping

from vkforge.errors import ShaderBuildError
from vkforge.vk.shaders import load, names
from vkforge.vk.spirv import Shader

# Features by how the names of their shaders begin; the first that fits.
FEATURES = {
    "terrain/": "every picture",
    "lighting/water": "water",
    "lighting/lamps": "lamps",
    "lighting/": "the lit lane",
    "path/": "the path-traced lane",
    "volumetrics/clouds": "clouds",
    "volumetrics/": "fog",
    "atmosphere/": "a physical sky",
    "environment/": "rough mirrors of an environment map",
    "materials/": "glossy ground",
    "post/dof_": "depth of field",
    "post/motion": "motion blur",
    "post/meter": "automatic exposure",
    "post/exposure": "automatic exposure",
    "post/bloom": "bloom",
    "post/lens": "a lens",
    "post/": "every picture",
    "query/": "Renderer.trace",
}


def limits_of(shader: Shader) -> dict[str, int]:
    """Return what a shader uses of the limits of VkPhysicalDeviceLimits."""
    counts: dict[str, int] = dict.fromkeys(("storage_image", "storage_buffer", "combined_image_sampler"), 0)
    for binding in shader.bindings:
        counts[binding.kind] += binding.count
    x, y, z = shader.local_size
    return {
        "maxPerStageDescriptorStorageImages": counts["storage_image"],
        "maxPerStageDescriptorStorageBuffers": counts["storage_buffer"],
        "maxPerStageDescriptorSampledImages": counts["combined_image_sampler"],
        "maxPerStageDescriptorSamplers": counts["combined_image_sampler"],
        "maxPerStageResources": sum(counts.values()),
        "maxComputeWorkGroupInvocations": x * y * z,
        "maxPushConstantsSize": shader.push_constant_size,
    }


def feature_of(shader: str) -> str:
    """Return what a shader is for."""
    return next((feature for start, feature in FEATURES.items() if shader.startswith(start)), shader)


def needs() -> dict[str, dict[str, int]]:
    """Return, for each limit, the most that each feature uses of it, the feature that uses most first.

    Raises:
        ShaderBuildError: The shaders are not compiled.
    """
    found: dict[str, dict[str, int]] = {}
    for name in names():
        for limit, count in limits_of(load(name)).items():
            features = found.setdefault(limit, {})
            feature = feature_of(name)
            features[feature] = max(count, features.get(feature, 0))
    return {limit: dict(sorted(used.items(), key=lambda item: -item[1])) for limit, used in found.items()}


def lacking(limits: Mapping[str, float]) -> dict[str, str]:
    """Return the features that a device can't have, by limit, in words for errors: empty where nobody can tell."""
    try:
        known = needs()
    except ShaderBuildError:
        return {}
    return {
        limit: ", ".join(f"{feature} {count}" for feature, count in features.items() if count > limits[limit])
        for limit, features in known.items()
        if limit in limits and next(iter(features.values())) > limits[limit]
    }
