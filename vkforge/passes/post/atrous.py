"""The à-trous filter: noise out of light or of a share of it, guided by what the camera sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vkforge.graph.builder import Graph, ImageResource

LEVELS = 5  # with taps 1, 2, 4, 8 and 16 pixels apart, 31 pixels to each side


def guides(graph: Graph, size: tuple[int, int], frame: Any, gbuffer: Mapping[str, ImageResource]) -> dict[str, Any]:
    """Declare the pass that makes of the G-buffer at pixel centres the guides of `atrous`; return them."""
    centres: dict[str, Any] = {name: gbuffer[name] for name in ("position", "normal", "albedo")}
    area: dict[str, Any] = {name: graph.image(f"area_{name}", "rgba16f", size) for name in ("normal", "albedo")}
    written = {f"area_{name}": image for name, image in area.items()}
    graph.compute("guides", "post/guides.comp", size, frame=frame, **centres, **written)
    return {"position": gbuffer["position"], **area}


def atrous(
    graph: Graph,
    size: tuple[int, int],
    frame: Any,
    guides: Mapping[str, Any],
    noisy: ImageResource,
    deviation: ImageResource | None = None,
    *,
    wraps: bool,
) -> ImageResource:
    """Declare the passes; return what is left of `noisy` without its noise.

    Args:
        graph: The frame.
        size: (width, height) in pixels.
        frame: The `frame` block, whose `sample_count` is that of `noisy`.
        guides: The images that the function `guides` returns.
        noisy: Mean radiance (rgba32f), or a share of light that is seen (r32f).
        deviation: The sum of squared deviations of the samples' luminance (r32f), which radiance needs. The noise of a
            share is told from its neighbourhood.
        wraps: `Camera.wraps`.

    Returns:
        An rgba32f image: radiance with 1 in w, or the share in x.
    """
    signal = graph.image(f"{noisy.name} signal", "rgba32f", size)
    if deviation is not None:
        bindings: dict[str, Any] = {**guides, "radiance": noisy, "deviation": deviation}
        first = "post/demodulate.comp"
    else:
        bindings, first = {**guides, "share": noisy}, "post/share.comp"
    graph.compute(f"{noisy.name} noise", first, size, frame=frame, signal=signal, **bindings)
    for level in range(LEVELS):
        last = level == LEVELS - 1
        name = f"{noisy.name} denoised" if last else f"{noisy.name} level {level + 1}"
        filtered = graph.image(name, "rgba32f", size)
        graph.compute(
            name,
            "post/atrous.comp",
            size,
            specialization={"STEP": 1 << level, "REMODULATE": last and deviation is not None, "WRAPS": wraps},
            frame=frame,
            signal=signal,
            filtered=filtered,
            **guides,
        )
        signal = filtered
    return signal
