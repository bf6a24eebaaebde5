"""The environment map on the device: its radiance, and the shares of light by which directions are drawn from it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from vkforge.errors import InputError
from vkforge.graph.builder import Graph, ImageResource
from vkforge.scene.environment import Environment
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import Image
from vkforge.vk.transfer import upload

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec.709

_serials = itertools.count()


class DeviceEnvironment:
    """One environment map: a texel's radiance, and in two more numbers how light is shared out over it.

    Rotation and intensity are not in it (`fill_environment` writes them), so that turning a map costs nothing.
    """

    def __init__(self, device: Device, environment: Environment) -> None:
        width, height = environment.size
        largest = int(device.info.limits["maxImageDimension2D"])
        if width > largest:
            raise InputError(
                f"the environment is {width} x {height} texels; {device.info.name} takes at most {largest} along a "
                "side: resample it"
            )
        rows, columns = shares(environment.radiance)
        self.owner = Owner(device, f"environment#{next(_serials)}")
        self.prefiltered: Image | None = None  # made by vkforge.passes.lighting.prefilter when it is first asked for

        def fill(target: np.ndarray, first: int) -> None:
            part = slice(first, first + len(target))
            target[..., :3] = environment.radiance[part]
            target[..., 3] = columns[part]

        def fill_rows(target: np.ndarray, first: int) -> None:
            target[:, 0, 0] = rows[first : first + len(target)]

        usages = frozenset(["sampled", "copy_destination"])
        with self.owner:
            self.image = Image(self.owner, "environment_map", "rgba32f", (width, height), usages).allocate()
            upload(device, self.image, fill)
            self.rows = Image(self.owner, "environment_rows", "r32f", (1, height), usages).allocate()
            upload(device, self.rows, fill_rows)

    def release(self) -> None:
        """Give the images back."""
        if self.prefiltered is not None:
            self.prefiltered.owner.release()
        self.owner.release()


def shares(radiance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how a map's light is shared out over its rows, and each row's over its texels.

    A texel's light is the mean luminance of the bilinear map over it, times its solid angle: so no direction from which
    light comes has a density of 0, which the texel's own value alone would leave beside a bright one.

    Args:
        radiance: (h, w, 3) float32.

    Returns:
        (h,) and (h, w) float32: running sums up to and including each row of the map and each texel of its row, from
        near 0 to exactly 1. Where there is no light at all every texel, or every solid angle, gets the same.
    """
    height, width = radiance.shape[:2]
    largest = radiance.max() or 1.0  # out of the way of overflow
    light = (radiance / largest) @ LUMINANCE
    light = 0.75 * light + 0.125 * (np.roll(light, 1, axis=1) + np.roll(light, -1, axis=1))
    across_the_pole = np.roll(light[[0, -1]], width // 2, axis=1)
    padded = np.concatenate([across_the_pole[:1], light, across_the_pole[1:]])
    light = 0.75 * light + 0.125 * (padded[:-2] + padded[2:])
    columns = np.cumsum(light, axis=1, dtype=np.float64)
    sums = columns[:, -1].copy()
    columns[sums == 0.0] = np.arange(1, width + 1)
    columns /= columns[:, -1:]
    edges = np.cos(np.linspace(0.0, np.pi, height + 1))
    rows = np.cumsum((edges[:-1] - edges[1:]) * (sums if sums.any() else 1.0))
    return (rows / rows[-1]).astype(np.float32), columns.astype(np.float32)


def fill_environment(block: Any, sky: Any) -> None:
    """Write the `environment` block of include/environment.glsl; nothing reads it where the sky is something else."""
    if not isinstance(sky, Environment):
        return
    block["size"] = sky.size
    block["turn"] = sky.rotation / 360.0 % 1.0
    block["intensity"] = sky.intensity


def import_environment(
    graph: Graph, environment: DeviceEnvironment | None, instead: ImageResource | None = None
) -> dict[str, Any]:
    """Bring the map into a graph; return the bindings that include/environment.glsl wants.

    The host fills the block "environment" by `fill_environment`. Where there is no map nothing reads it, but something
    must be bound all the same: `instead`, any image that is sampled.
    """
    images = {"environment_map": instead, "environment_rows": instead}
    if environment is not None:
        parts = {"environment_map": environment.image, "environment_rows": environment.rows}
        images = {name: graph.import_image(name, image) for name, image in parts.items()}
    return {"environment": graph.block("environment"), **images}
