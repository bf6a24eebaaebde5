"""What a lens does to a picture: its rays' distortion, its colours' sizes, its vignette."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vkforge.graph.builder import Graph, ImageResource
from vkforge.post.lens import Lens
from vkforge.scene.camera import Camera


@dataclass(frozen=True)
class LensVariant:
    """What decides whether a picture has the pass, and in which variant.

    Attributes:
        aberration: Whether colours are of different sizes.
        vignette: Whether light falls towards the corners.
    """

    aberration: bool
    vignette: bool

    @classmethod
    def of(cls, lens: Lens | None) -> LensVariant | None:
        """Return what a lens needs, or None where it does nothing once its rays are drawn."""
        if lens is None:
            return None
        variant = cls(lens.aberrates, lens.vignette > 0.0 or lens.mask_strength > 0.0)
        return variant if variant.aberration or variant.vignette else None


def lens(
    graph: Graph,
    size: tuple[int, int],
    frame: Any,
    variant: LensVariant,
    radiance: ImageResource,
    picture: ImageResource,
) -> ImageResource:
    """Declare the pass; return the radiance (rgba32f) behind the lens: all the light of `picture` or a part of it."""
    behind = graph.image("radiance behind the lens", "rgba32f", size)
    graph.compute(
        "lens",
        "post/lens.comp",
        size,
        specialization={
            "ABERRATION": variant.aberration,
            "VIGNETTE": variant.vignette,
            "IS_PART": radiance is not picture,
        },
        frame=frame,
        lens=graph.block("lens"),
        radiance=radiance,
        picture=picture,
        behind=behind,
    )
    return behind


def fill_distortion(block: Any, lens: Lens | None, camera: Camera, size: tuple[int, int]) -> None:
    """Write what bends the camera's rays into the `frame` block."""
    if lens is None:
        block["lens_steps"] = 0
        return
    frame = lens.frame(camera, size)
    block["lens_half"], block["lens_centre"], block["lens_steps"] = frame
    block["lens_radial"] = lens.k1, lens.k2, lens.k3
    block["lens_tangential"] = -lens.p1, lens.p2  # the model's y points down, and the frame's up


def fill_lens(block: Any, lens: Lens, camera: Camera, size: tuple[int, int]) -> None:
    """Write the `lens` block of the pass."""
    frame = lens.frame(camera, size)
    block["axis"] = lens.axis(frame, size)
    block["taps"] = lens.taps(frame, size)
    for name in ("red", "blue", "vignette", "mask_strength", "mask_radius", "mask_softness"):
        block[name] = getattr(lens, name)
    block["mask_reach"] = lens.mask_reach(size)
