"""Bloom: the picture down a pyramid of pictures and up again."""

from __future__ import annotations

from typing import Any

from vkforge.graph.builder import Graph, ImageResource
from vkforge.post.bloom import Bloom


def bloom(
    graph: Graph, size: tuple[int, int], levels: int, radiance: ImageResource, picture: ImageResource, *, wraps: bool
) -> ImageResource:
    """Declare the passes; return the radiance (rgba32f) with its bloom.

    `radiance` is all the light of `picture` or a part of it: what is bright is told by the whole. `levels` is how many
    `Bloom.levels` has. `wraps` is `Camera.wraps`.
    """
    block = graph.block("bloom")
    pictures: list[Any] = [radiance]
    for level in range(1, levels + 1):
        size = (size[0] + 1) // 2, (size[1] + 1) // 2
        coarser = graph.image(f"bloom down {level}", "rgba32f", size)
        graph.compute(
            f"bloom down {level}",
            "post/bloom_down.comp",
            size,
            specialization={"LEVEL": level, "WRAPS": wraps},
            bloom=block,
            picture=picture,
            finer=pictures[-1],
            coarser=coarser,
        )
        pictures.append(coarser)
    spread = pictures.pop()
    for level in reversed(range(levels)):
        finer = pictures.pop()
        together = graph.image(f"bloom up {level}", "rgba32f", finer.size)
        graph.compute(
            f"bloom up {level}",
            "post/bloom_up.comp",
            finer.size,
            specialization={"LEVEL": level, "WRAPS": wraps},
            bloom=block,
            picture=picture,
            coarser=spread,
            finer=finer,
            together=together,
        )
        spread = together
    return spread


def fill_bloom(block: Any, bloom: Bloom, size: tuple[int, int]) -> None:
    """Write the `bloom` block."""
    block["intensity"] = bloom.intensity
    block["threshold"] = bloom.threshold
    for index, level in enumerate(bloom.levels(size)):
        block["onwards"][index] = level.onwards
