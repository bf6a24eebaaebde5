"""The float64 brute force that the tracer is tested against, itself against dense sampling along each ray."""

import numpy as np
import pytest
from truth import heightfield


def random_rays(rng: np.random.Generator, n: int, extent: tuple[float, float], low: float, high: float):
    """Origins in and around the bounds, aimed at points in and around them; (n, 3) float64 each."""
    size = np.array([*extent, max(high - low, 0.1 * max(extent))])
    centre = np.array([0.0, 0.0, (low + high) / 2])
    origins = centre + rng.uniform(-0.9, 0.9, (n, 3)) * size
    targets = centre + rng.uniform(-0.55, 0.55, (n, 3)) * size
    directions = targets - origins
    return origins, directions / np.linalg.norm(directions, axis=1, keepdims=True)


def bilinear(heights: np.ndarray, cell_size: tuple[float, float], x: np.ndarray, y: np.ndarray):
    """Height and flat cell index at world points, NaN and -1 outside and in holes; of three corners, their triangle."""
    rows, cols = heights.shape
    u, v = x / cell_size[0] + (cols - 1) / 2, (rows - 1) / 2 - y / cell_size[1]
    inside = (u >= 0) & (u <= cols - 1) & (v >= 0) & (v <= rows - 1)
    col = np.clip(np.floor(np.where(inside, u, 0)).astype(int), 0, cols - 2)
    row = np.clip(np.floor(np.where(inside, v, 0)).astype(int), 0, rows - 2)
    fu, fv = u - col, v - row
    a, b, c, d = heights[row, col], heights[row, col + 1], heights[row + 1, col], heights[row + 1, col + 1]
    height = (a * (1 - fu) + b * fu) * (1 - fv) + (c * (1 - fu) + d * fu) * fv
    # Seen from the corner across from the missing one, along the two sides that meet there, at most half the cell.
    for corner, along, down, u1, v1 in (
        (a, b, c, fu, fv),
        (b, a, d, 1 - fu, fv),
        (c, d, a, fu, 1 - fv),
        (d, c, b, 1 - fu, 1 - fv),
    ):
        triangle = np.isnan(height) & (u1 + v1 <= 1 + 1e-9)
        height = np.where(triangle, corner + u1 * (along - corner) + v1 * (down - corner), height)
    height = np.where(inside, height, np.nan)
    return height, np.where(np.isnan(height), -1, row * cols + col)


@pytest.mark.parametrize(("shape", "holes"), [((2, 2), 0.0), ((3, 7), 0.0), ((9, 6), 0.15), ((17, 23), 0.1)])
def test_first_hits_against_dense_sampling(shape: tuple[int, int], holes: float) -> None:
    rng = np.random.default_rng(shape[0] * 100 + shape[1])
    heights = rng.uniform(-4, 6, shape)
    heights[rng.random(shape) < holes] = np.nan
    cell_size, exaggeration = (1.5, 2.5), 1.25
    extent = ((shape[1] - 1) * 1.5, (shape[0] - 1) * 2.5)
    origins, directions = random_rays(rng, 400, extent, -5.0, 7.5)
    hits = heightfield.intersect(heights, cell_size, origins, directions, exaggeration)
    assert 0.2 < hits.hit.mean() < 0.98

    points = (origins + np.where(hits.hit, hits.t, 0)[:, None] * directions)[hits.hit]
    height, _ = bilinear(heights * exaggeration, cell_size, *points[:, :2].T)
    np.testing.assert_allclose(height, points[:, 2], atol=1e-9)  # every hit lies on the surface

    # No hit is missed: along the ray, up to the hit, the surface stays on one side of it within every cell.
    reach = np.where(hits.hit, hits.t * (1 - 1e-9), 4 * max(extent))
    t = np.linspace(0, 1, 20_001)[1:, None] * reach
    x, y, z = (origins[:, i] + t * directions[:, i] for i in range(3))
    height, cell = bilinear(heights * exaggeration, cell_size, x, y)
    above = z > height
    same_surface = (cell[1:] == cell[:-1]) & (cell[1:] >= 0) if holes else (cell[1:] >= 0) & (cell[:-1] >= 0)
    assert not np.any((above[1:] != above[:-1]) & same_surface)


def test_normals_are_the_gradient_of_the_patch() -> None:
    rng = np.random.default_rng(5)
    heights = rng.uniform(-1, 1, (8, 11))
    origins, directions = random_rays(rng, 300, (30.0, 14.0), -1.0, 1.0)
    hits = heightfield.intersect(heights, (3.0, 2.0), origins, directions)
    points = (origins + np.where(hits.hit, hits.t, 0)[:, None] * directions)[hits.hit]
    e = 1e-6
    slope = [
        (bilinear(heights, (3.0, 2.0), x1, y1)[0] - bilinear(heights, (3.0, 2.0), x0, y0)[0]) / (2 * e)
        for x1, y1, x0, y0 in (
            (points[:, 0] + e, points[:, 1], points[:, 0] - e, points[:, 1]),
            (points[:, 0], points[:, 1] + e, points[:, 0], points[:, 1] - e),
        )
    ]
    expected = np.stack([-slope[0], -slope[1], np.ones(len(points))], axis=1)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    error = heightfield.degrees_between(hits.normal[hits.hit], expected)
    assert np.quantile(error[np.isfinite(error)], 0.99) < 1e-3  # a few difference quotients straddle a crease


def test_plane_and_vertical_rays_are_exact() -> None:
    j, i = np.meshgrid(np.arange(5), np.arange(4))
    heights = 0.5 * j - 0.25 * i + 4000.0
    origins = np.array([[0.3, 0.2, 5000.0], [0.3, 0.2, 0.0], [0.3, 0.2, 5000.0], [9.0, 0.0, 5000.0]])
    directions = np.array([[0.0, 0, -1], [0, 0, 1], [0, 0, 1], [0, 0, -1]])
    hits = heightfield.intersect(heights, (2.0, 2.0), origins, directions)
    z = 4000 + 0.5 * (0.3 / 2 + 2) - 0.25 * (1.5 - 0.2 / 2)
    np.testing.assert_allclose(hits.t, [5000 - z, z, np.inf, np.inf])
    assert hits.cell.tolist() == [[1, 2], [1, 2], [-1, -1], [-1, -1]]
    up = np.array([-0.25, -0.125, 1]) / np.linalg.norm([-0.25, -0.125, 1])
    np.testing.assert_allclose(hits.normal[:2], [up, up], atol=1e-12)


def test_skirt_closes_the_block() -> None:
    hits = heightfield.intersect(
        np.full((3, 3), 10.0),
        (5.0, 5.0),
        [[20, 1, 2], [20, 1, -6], [0, 0, -50], [-20, 1, 8]],
        [[-1.0, 0, 0], [-1, 0, 0], [0, 0, 1], [1, 0, 0]],
        base=-5.0,
    )
    np.testing.assert_allclose(hits.t, [15, np.inf, 45, 15])
    np.testing.assert_allclose(hits.normal[[0, 2, 3]], [[1, 0, 0], [0, 0, -1], [-1, 0, 0]])


def test_margin_finds_the_silhouette() -> None:
    heights = np.zeros((5, 9))
    heights[:, 4] = 10.0  # a ridge along y
    origins = np.array([[-20.0, 0.1, 10.0 + gap] for gap in (-1e-6, 1e-6, -0.1, 0.1)])
    margins = heightfield.margin(heights, (1.0, 1.0), origins, np.tile([1.0, 0, 0], (4, 1)))
    assert (margins[:2] <= 2).all()
    assert np.isinf(margins[2:]).all()
