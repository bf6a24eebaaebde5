"""Clouds: their noise on the device, and the pass that shows them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from vkforge.graph.builder import Graph, ImageResource
from vkforge.scene.clouds import Clouds
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import Image
from vkforge.vk.transfer import upload

TEXELS = 512  # along a side of the noise, which repeats
CLOUDS_ACROSS = 12  # typical clouds to a period

_serials = itertools.count()


def cloud_noise(seed: int) -> np.ndarray:
    """Return (TEXELS, TEXELS) float32 of periodic noise whose values are spread evenly over [0, 1).

    Gaussian noise, filtered to a spectrum that peaks at CLOUDS_ACROSS and falls off with the power -3, by rank: so the
    share of it above 1 - c is exactly c.
    """
    rng = np.random.default_rng(seed)
    fx, fy = np.fft.rfftfreq(TEXELS, 1 / TEXELS), np.fft.fftfreq(TEXELS, 1 / TEXELS)
    frequency = np.hypot(fy[:, None], fx[None, :]) / CLOUDS_ACROSS
    spectrum = np.fft.rfft2(rng.standard_normal((TEXELS, TEXELS)))
    noise = np.fft.irfft2(spectrum * frequency / (1 + frequency**2) ** 2, s=(TEXELS, TEXELS))
    ranks = np.empty(noise.size, np.float32)
    ranks[np.argsort(noise, axis=None, kind="stable")] = np.arange(noise.size) / noise.size
    return ranks.reshape(noise.shape)


class DeviceClouds:
    """The noise of a layer of clouds as an image, its first row and column repeated after the last."""

    def __init__(self, device: Device, seed: int) -> None:
        self.owner = Owner(device, f"clouds#{next(_serials)}")
        texels = np.pad(cloud_noise(seed), (0, 1), mode="wrap")

        def fill(target: np.ndarray, first: int) -> None:
            target[..., 0] = texels[first : first + len(target)]

        with self.owner:
            usages = frozenset(["sampled", "copy_destination"])
            self.image = Image(self.owner, "cloud_map", "r32f", texels.shape, usages).allocate()
            upload(device, self.image, fill)

    def release(self) -> None:
        """Give the image back."""
        self.owner.release()


def import_clouds(graph: Graph, clouds: DeviceClouds | None, stand_in: ImageResource) -> dict[str, Any]:
    """Bring clouds into a graph; return the bindings that include/clouds.glsl wants.

    Without clouds nothing reads the image, but something must be bound: `stand_in`, a sampled one.
    """
    image = stand_in if clouds is None else graph.import_image("cloud_map", clouds.image)
    return {"clouds": graph.block("clouds"), "cloud_map": image}


def fill_clouds(block: Any, clouds: Clouds | None) -> None:
    """Write the `clouds` block. Without clouds nothing reads it."""
    if clouds is None:
        return
    block["coverage"] = clouds.coverage
    block["base"] = clouds.base
    block["thickness"] = clouds.thickness
    block["extinction"] = clouds.extinction
    block["anisotropy"] = clouds.anisotropy
    block["period"] = clouds.size * CLOUDS_ACROSS


def show_clouds(
    graph: Graph,
    size: tuple[int, int],
    frame: Any,
    position: ImageResource,
    sun_light: ImageResource | None,
    *,
    clouds: dict[str, Any],
    sky: dict[str, Any],
    sky_kind: int,
    has_sky: bool,
) -> tuple[ImageResource, ImageResource]:
    """Declare the pass; return the light that clouds add, and the share they let through (with their distance in w).

    `sun_light` is shaded in place.
    """
    light, left = graph.image("cloud_light", "rgba32f", size), graph.image("cloud_left", "rgba32f", size)
    graph.compute(
        "clouds",
        "volumetrics/clouds.comp",
        size,
        specialization={"SKY_KIND": sky_kind, "HAS_SUN": sun_light is not None, "HAS_SKY": has_sky},
        frame=frame,
        position=position,
        **clouds,
        **sky,
        sun_light=sun_light or light,
        cloud_light=light,
        cloud_left=left,
    )
    return light, left
