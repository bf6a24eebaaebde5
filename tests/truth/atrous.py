"""The à-trous filter in float64 NumPy, over whole images: its weights from the papers, term by term."""

from __future__ import annotations

import numpy as np

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def shifted(image: np.ndarray, dy: int, dx: int) -> np.ndarray:
    """Return `image` at (y + dy, x + dx), 0 where that lies outside."""
    rows, cols = image.shape[:2]
    result = np.zeros_like(image)
    if abs(dy) < rows and abs(dx) < cols:
        here = np.s_[max(0, -dy) : rows - max(0, dy), max(0, -dx) : cols - max(0, dx)]
        there = np.s_[max(0, dy) : rows - max(0, -dy), max(0, dx) : cols - max(0, -dx)]
        result[here] = image[there]
    return result


def same_surface(position: np.ndarray, normal: np.ndarray, hit: np.ndarray, dy: int, dx: int) -> np.ndarray:
    """(rows, cols) weight of the neighbour: cosine to the 48, and the slope of the offset over the tangent plane."""
    offset = shifted(position, dy, dx) - position
    length = np.maximum(np.linalg.norm(offset, axis=-1), 1e-10)
    sine = np.abs((offset * normal).sum(-1)) / length
    cosine = np.maximum((normal * shifted(normal, dy, dx)).sum(-1), 0.0)
    return np.where(hit & shifted(hit, dy, dx), cosine**48 * np.exp(-sine / 0.25), 0.0)


def filter_radiance(
    radiance: np.ndarray,
    variance: np.ndarray,
    albedo: np.ndarray,
    position: np.ndarray,
    normal: np.ndarray,
    hit: np.ndarray,
    levels: int = 5,
) -> np.ndarray:
    """Return (rows, cols, 3) filtered radiance; `variance` is that of the mean luminance."""
    divisor = np.where(hit[..., None], np.maximum(albedo, 0.01), 1.0)
    signal = radiance / divisor
    variance = np.where(hit, variance / (divisor @ LUMINANCE) ** 2, 0.0)
    spline = {0: 1.0, 1: 0.5}
    taps = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    for level in range(levels):
        step = 2**level
        blurred = sum(spline[abs(y)] * spline[abs(x)] * shifted(variance, y, x) for y, x in taps)
        weight = sum(spline[abs(y)] * spline[abs(x)] * shifted(hit.astype(float), y, x) for y, x in taps)
        width = (1.5 + 4.5 / step) ** 2 * blurred / np.maximum(weight, 1e-9)
        brightness = signal @ LUMINANCE
        total, light, spread = np.ones(hit.shape), signal.copy(), variance.copy()
        for y, x in taps:
            if y == x == 0:
                continue
            dy, dx = y * step, x * step
            unlike = (shifted(brightness, dy, dx) - brightness) ** 2 / np.maximum(width, 1e-12)
            w = spline[abs(y)] * spline[abs(x)] * same_surface(position, normal, hit, dy, dx) * np.exp(-unlike)
            total += w
            light += w[..., None] * shifted(signal, dy, dx)
            spread += w**2 * shifted(variance, dy, dx)
        signal = np.where(hit[..., None], light / total[..., None], signal)
        variance = spread / total**2
    return signal * divisor


def over_pixels(normal: np.ndarray, albedo: np.ndarray, hit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the normals and albedos of pixel centres spread over pixels: 0.15 of each neighbour, along both axes."""

    def spread(image: np.ndarray) -> np.ndarray:
        edged = np.pad(image * hit[..., None], ((1, 1), (1, 1), (0, 0)), mode="edge")
        rows, cols = hit.shape
        side = (0.15, 1.0, 0.15)
        shifts = [side[y] * side[x] * edged[y : y + rows, x : x + cols] for y in range(3) for x in range(3)]
        return np.sum(shifts, axis=0) / 1.69

    soft = spread(normal)
    length = np.maximum(np.linalg.norm(soft, axis=-1, keepdims=True), 1e-9)
    return soft / length * hit[..., None], spread(albedo)
