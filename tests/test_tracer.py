"""The traced heightfield against float64 brute force over the exact bilinear patches.

A ray may disagree only where a shift of it by float32 rounding changes the exact answer too (`heightfield.margin`):
it then passes an edge, a silhouette or a crease. Those are counted, and may be one in ten thousand random rays. Depths
of hits less than a cell away are counted apart: float32 coordinates leave fewer than four digits of the shortest.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest
from truth import heightfield

import vkforge as vf

RELATIVE_DEPTH, DEGREES = 1e-4, 0.1
ROUNDINGS = 16  # float32 roundings of the largest coordinate that a ray's arithmetic may add up to
SHARE = 1e-4


@dataclass
class Dem:
    """A DEM in both worlds."""

    heights: np.ndarray
    cell_size: tuple[float, float] = (1.0, 1.0)
    exaggeration: float = 1.0
    skirt: float | None = None
    terrain: "vf.Terrain" = field(init=False)

    def __post_init__(self) -> None:
        self.heights = np.asarray(self.heights, np.float32)
        self.terrain = vf.Terrain(
            self.heights, cell_size=self.cell_size, vertical_exaggeration=self.exaggeration, skirt=self.skirt
        )

    @property
    def half(self) -> np.ndarray:
        """Half the extent in x and y, metres."""
        return (np.array(self.heights.shape[::-1]) - 1) / 2 * self.cell_size

    @property
    def range(self) -> tuple[float, float]:
        return float(np.nanmin(self.heights) * self.exaggeration), float(np.nanmax(self.heights) * self.exaggeration)


def compare(renderer: "vf.Renderer", dem: Dem, origins: np.ndarray, directions: np.ndarray) -> dict[str, int]:
    """Trace in both worlds; fail on any unexplained disagreement, return how many of each kind are explained."""
    origins = np.ascontiguousarray(origins, np.float32)
    directions = np.ascontiguousarray(directions / np.linalg.norm(directions, axis=-1, keepdims=True), np.float32)
    arguments = (dem.heights, dem.cell_size, origins, directions, dem.exaggeration, dem.skirt)
    truth = heightfield.intersect(*arguments)
    hits = renderer.trace(dem.terrain, origins, directions)
    assert not np.isnan(hits.t).any()
    assert (hits.t > 0).all()
    wrong = heightfield.differs(hits.t, hits.normal, truth, RELATIVE_DEPTH, DEGREES)
    wrong["near depth"] = wrong["depth"] & (truth.t < min(dem.cell_size))
    wrong["depth"] &= ~wrong["near depth"]
    suspects = np.nonzero(np.any(list(wrong.values()), axis=0))[0]
    if len(suspects):
        tried = suspects[:2000]  # more than that is no rounding, and this keeps the report quick
        near = heightfield.margin(
            *arguments[:2], origins[tried], directions[tried], *arguments[4:], RELATIVE_DEPTH, DEGREES
        )
        wild = near > ROUNDINGS
        report = "".join(
            f"\n  ray {i}: o {origins[i].tolist()} d {directions[i].tolist()}: t {hits.t[i]:.9g} n {hits.normal[i]}, "
            f"truth t {truth.t[i]:.9g} n {truth.normal[i]} cell {truth.cell[i].tolist()}, margin {margin:g}"
            for i, margin in list(zip(tried[wild], near[wild], strict=True))[:6]
        )
        counts = {kind: int(mask.sum()) for kind, mask in wrong.items()}
        if wild.any():
            pytest.fail(f"{wild.sum()} of {len(origins)} rays are wrong, not just rounded; all {counts}:{report}")
    return {"rays": len(origins), "hits": int(truth.hit.sum())} | {
        kind: int(mask.sum()) for kind, mask in wrong.items()
    }


def rough(rng: np.random.Generator, rows: int, cols: int, low: float, high: float, holes: float = 0.0) -> np.ndarray:
    """White noise over a few broad waves, scaled to [low, high]; a share of samples NaN."""
    y, x = np.mgrid[:rows, :cols]
    waves = [np.sin(x * rng.normal(0, 0.3) + y * rng.normal(0, 0.3) + rng.uniform(0, 6)) for _ in range(4)]
    heights = np.sum(waves, axis=0) + rng.uniform(-1.5, 1.5, (rows, cols))
    span = float(np.ptp(heights)) or 1.0
    heights = low + (heights - heights.min()) / span * (high - low)
    heights[rng.random((rows, cols)) < holes] = np.nan
    return heights


def spikes(rng: np.random.Generator, rows: int, cols: int) -> np.ndarray:
    """A plain at 10 m with steep towers up to 300 m on one sample in fifty."""
    return np.where(rng.random((rows, cols)) < 0.02, rng.uniform(50, 300, (rows, cols)), 10.0)


def random_rays(rng: np.random.Generator, dem: Dem, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Half from around the block, half from inside its bounds; aimed at points in it, or (one in five) anywhere."""
    low, high = dem.range
    size = np.array([*dem.half, max((high - low) / 2, 0.02 * dem.half.max())])
    centre = np.array([0.0, 0.0, (low + high) / 2])
    far = centre + rng.normal(size=(n, 3)) * size.max() * 2
    inside = centre + rng.uniform(-1, 1, (n, 3)) * size
    origins = np.where(rng.random((n, 1)) < 0.5, far, inside)
    aimed = centre + rng.uniform(-1, 1, (n, 3)) * size - origins
    return origins, np.where(rng.random((n, 1)) < 0.2, rng.normal(size=(n, 3)), aimed)


def dems() -> dict[str, Dem]:
    rng = np.random.default_rng(2024)
    return {
        "2x2": Dem(rough(rng, 2, 2, -3, 5), (10.0, 10.0)),
        "3x7": Dem(rough(rng, 3, 7, 0, 8), (2.0, 3.0)),
        "33x65": Dem(rough(rng, 33, 65, 100, 400), (30.0, 30.0)),
        "128x100 holes": Dem(rough(rng, 128, 100, 0, 60, holes=0.08), (5.0, 5.0)),
        "257x129 exaggerated": Dem(rough(rng, 257, 129, -50, 90), (20.0, 25.0), 2.5),
        "64x64 spikes": Dem(spikes(rng, 64, 64), (10.0, 10.0)),
        "65x40 at 4000 m": Dem(rough(rng, 65, 40, 4000, 4090), (4.0, 4.0)),
        "100x3 tiny cells": Dem(rough(rng, 100, 3, 0, 0.02), (0.01, 0.003)),
        "50x70 flat": Dem(np.full((50, 70), 12.5), (10.0, 10.0)),
    }


def test_random_rays(renderer: "vf.Renderer") -> None:
    """108,000 random rays over nine rough DEMs: hit or miss, depth within 1e-4, normals within 0.1 degree."""
    total: dict[str, int] = {}
    for index, (name, dem) in enumerate(dems().items()):
        counts = compare(renderer, dem, *random_rays(np.random.default_rng(index), dem, 12_000))
        print(f"{name}: {counts}")
        total = {key: total.get(key, 0) + value for key, value in counts.items()}
    print(f"all: {total}")
    assert total["rays"] >= 100_000
    assert 0.3 < total["hits"] / total["rays"] < 0.95
    for kind in ("hit", "depth", "normal"):
        assert total[kind] < SHARE * total["rays"], f"{kind}: {total}"


@pytest.fixture(scope="module")
def ground() -> Dem:
    """Rough hills, 49 by 81 samples of 8 by 5 metres."""
    return Dem(rough(np.random.default_rng(7), 49, 81, 20, 70), (8.0, 5.0))


def surface_points(rng: np.random.Generator, dem: Dem, n: int) -> np.ndarray:
    """(n, 3) points on the surface of a DEM with no holes."""
    xy = rng.uniform(-0.98, 0.98, (n, 2)) * dem.half
    top = dem.range[1] + 10.0
    down = heightfield.intersect(
        dem.heights,
        dem.cell_size,
        np.column_stack([xy, np.full(n, top)]),
        np.tile([0.0, 0, -1], (n, 1)),
        dem.exaggeration,
    )
    return np.column_stack([xy, top - down.t])


def test_grazing_rays(renderer: "vf.Renderer", ground: Dem) -> None:
    """Within half a degree of the horizontal, at heights where the peaks are: many near misses."""
    rng = np.random.default_rng(1)
    n, angle, slope = 8000, rng.uniform(0, 2 * np.pi, 8000), rng.uniform(-0.008, 0.008, 8000)
    directions = np.column_stack([np.cos(angle), np.sin(angle), slope])
    through = np.column_stack([rng.uniform(-1, 1, (n, 2)) * ground.half, rng.uniform(45, 70, n)])
    print(compare(renderer, ground, through - 300 * directions, directions))


def test_rays_from_just_above_the_surface(renderer: "vf.Renderer", ground: Dem) -> None:
    """A centimetre above it, into the upper hemisphere: what sun and sky rays are."""
    rng = np.random.default_rng(2)
    directions = rng.normal(size=(8000, 3))
    directions[:, 2] = np.abs(directions[:, 2])
    print(compare(renderer, ground, surface_points(rng, ground, 8000) + np.array([0, 0, 0.01]), directions))


def test_rays_from_inside_the_bounds_below_the_highest_peak(renderer: "vf.Renderer", ground: Dem) -> None:
    rng = np.random.default_rng(3)
    origins = surface_points(rng, ground, 8000)
    origins[:, 2] += (ground.range[1] - origins[:, 2]) * rng.uniform(0.05, 1, 8000)
    print(compare(renderer, ground, origins, rng.normal(size=(8000, 3)) * [1, 1, 0.2]))


def test_rays_from_below(renderer: "vf.Renderer", ground: Dem) -> None:
    rng = np.random.default_rng(4)
    origins = surface_points(rng, ground, 6000) - np.column_stack([np.zeros((6000, 2)), rng.uniform(0.5, 200, 6000)])
    print(compare(renderer, ground, origins, rng.normal(size=(6000, 3)) + np.array([0, 0, 0.5])))


def test_rays_from_100_km(renderer: "vf.Renderer") -> None:
    dem = Dem(rough(np.random.default_rng(8), 80, 60, 0, 900), (30.0, 30.0))
    rng = np.random.default_rng(5)
    directions = rng.normal(size=(6000, 3))
    directions[:, 2] = -np.abs(directions[:, 2])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    print(compare(renderer, dem, surface_points(rng, dem, 6000) - 100_000 * directions, directions))


@pytest.mark.parametrize("relief", [0.0, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("distance", [30.0, 3000.0, 30_000.0])
def test_level_ground_seen_from_afar(renderer: "vf.Renderer", relief: float, distance: float) -> None:
    """A sea with one islet, and a plateau with one dent seen from below: most of the ground lies at an extreme."""
    rng = np.random.default_rng(18)
    for sign in (1.0, -1.0):
        heights = np.full((60, 70), 100.0)
        heights[30, 30] += sign * relief
        dem = Dem(heights, (10.0, 10.0))
        directions = rng.normal(size=(3000, 3))
        directions[:, 2] = -sign * np.abs(directions[:, 2])
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        print(compare(renderer, dem, surface_points(rng, dem, 3000) - distance * directions, directions))


def test_vertical_rays(renderer: "vf.Renderer", ground: Dem) -> None:
    """Down and up, at random points, on samples (vertices), and outside."""
    rng = np.random.default_rng(6)
    cols, rows = rng.integers(1, 80, 1000), rng.integers(1, 48, 1000)
    vertices = np.column_stack([(cols - 40) * 8.0, (24 - rows) * 5.0])
    xy = np.concatenate([rng.uniform(-1.2, 1.2, (3000, 2)) * ground.half, vertices])
    for z, sign in ((100.0, -1.0), (0.0, 1.0), (100.0, 1.0)):
        origins = np.column_stack([xy, np.full(len(xy), z)])
        print(compare(renderer, ground, origins, np.tile([0.0, 0.0, sign], (len(xy), 1))))


@pytest.mark.parametrize("zero", ["x", "y", "z", "negative zeros"])
def test_zero_components(renderer: "vf.Renderer", ground: Dem, zero: str) -> None:
    rng = np.random.default_rng(9)
    origins, directions = random_rays(rng, ground, 3000)
    if zero == "negative zeros":
        axis = rng.integers(0, 3, len(directions))
        directions[np.arange(len(directions)), axis] = -0.0
    else:
        directions[:, "xyz".index(zero)] = 0.0
        if zero == "z":
            origins[:, 2] = rng.uniform(25, 65, len(origins))
    print(compare(renderer, ground, origins, directions))


@pytest.mark.parametrize("axis", [0, 1])
def test_rays_along_cell_edges(renderer: "vf.Renderer", ground: Dem, axis: int) -> None:
    """Over a grid line, parallel to it, level or sloping: always in two cells at once."""
    rng = np.random.default_rng(10 + axis)
    n, across = 3000, 1 - axis
    samples = ground.heights.shape[1 - across]
    origins, directions = np.zeros((n, 3)), np.zeros((n, 3))
    origins[:, across] = (rng.integers(1, samples - 1, n) - samples // 2) * ground.cell_size[across]
    sign = rng.choice([-1.0, 1.0], n)
    origins[:, axis] = -sign * rng.uniform(0, 1.3, n) * ground.half[axis]
    origins[:, 2] = rng.uniform(30, 80, n)
    directions[:, axis] = sign
    directions[:, 2] = np.where(rng.random(n) < 0.3, 0.0, rng.normal(0, 0.1, n))
    print(compare(renderer, ground, origins, directions))


def test_rays_through_vertices(renderer: "vf.Renderer", ground: Dem) -> None:
    """Along the cells' diagonals over vertices, and straight at vertices from anywhere."""
    rng = np.random.default_rng(12)
    n = 3000
    cols, rows = rng.integers(1, 80, n), rng.integers(1, 48, n)
    vertices = np.column_stack([(cols - 40) * 8.0, (24 - rows) * 5.0, ground.heights[rows, cols]])
    diagonals = rng.choice([-1.0, 1.0], (n, 2)) * [8.0, 5.0]
    level = np.column_stack([vertices[:, :2] - 16 * diagonals, rng.uniform(30, 70, n)])
    directions = np.column_stack([diagonals, np.where(rng.random(n) < 0.3, 0.0, rng.normal(0, 0.3, n))])
    print(compare(renderer, ground, level, directions))
    origins = rng.normal(size=(n, 3)) * [200, 200, 60] + [0, 0, 130]
    print(compare(renderer, ground, origins, vertices - origins))


def test_rays_through_holes(renderer: "vf.Renderer") -> None:
    """A hole takes the four cells about each NaN sample, to their edges and no further."""
    heights = rough(np.random.default_rng(13), 40, 40, 0, 30)
    heights[10:30, 12:25] = np.nan
    heights[5, 33] = heights[0, 0] = heights[39, 20] = np.nan
    dem = Dem(heights, (4.0, 4.0))
    rng = np.random.default_rng(14)
    targets = np.column_stack([rng.uniform(-40, 40, (8000, 2)), rng.uniform(0, 30, 8000)])
    origins = rng.normal(size=(8000, 3)) * [80, 80, 60] + [0, 0, 20]
    print(compare(renderer, dem, origins, targets - origins))


def test_a_single_cell_in_a_field_of_holes(renderer: "vf.Renderer") -> None:
    heights = np.full((20, 30), np.nan)
    heights[7:9, 11:13] = [[1, 4], [6, 2]]
    dem = Dem(heights, (10.0, 10.0))
    rng = np.random.default_rng(15)
    targets = np.column_stack([rng.uniform(-35, -22, 3000), rng.uniform(8, 28, 3000), rng.uniform(0, 7, 3000)])
    origins = rng.normal(size=(3000, 3)) * 100
    print(compare(renderer, dem, origins, targets - origins))


def test_skirted_block(renderer: "vf.Renderer") -> None:
    """Side walls from the surface's edge to the base plane, outward normals, from outside, above and below."""
    dem = Dem(rough(np.random.default_rng(16), 33, 21, 10, 60), (5.0, 4.0), 1.5, skirt=-8.0)
    rng = np.random.default_rng(17)
    origins = rng.normal(size=(12_000, 3))
    origins *= 250 / np.linalg.norm(origins, axis=1, keepdims=True)
    targets = rng.uniform(-1.1, 1.1, (12_000, 3)) * [*dem.half, 60] + [0, 0, 30]
    print(compare(renderer, dem, origins, targets - origins))


def test_skirt_closed_forms(renderer: "vf.Renderer") -> None:
    terrain = vf.Terrain(np.full((3, 5), 10.0), cell_size=5.0, skirt=-5.0, vertical_exaggeration=2.0)
    origins = [[20, 1, 2], [20, 1, -11], [20, 1, 21], [1, 1, -50], [-20, 1, 18], [3, 9, 0], [3, -9, 0]]
    directions = [[-1, 0, 0], [-1, 0, 0], [-1, 0, 0], [0, 0, 1], [1, 0, 0], [0, -1, 0], [0, 1, 0]]
    hits = renderer.trace(terrain, np.array(origins, np.float32), np.array(directions, np.float32))
    np.testing.assert_allclose(hits.t, [10, np.inf, np.inf, 40, 10, 4, 4], rtol=1e-5)
    hit = np.isfinite(hits.t)
    np.testing.assert_allclose(hits.normal[hit], [[1, 0, 0], [0, 0, -1], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], atol=1e-6)


def test_shapes_of_no_rays_and_one_ray(renderer: "vf.Renderer", ground: Dem) -> None:
    for n in (0, 1):
        hits = renderer.trace(
            ground.terrain, np.zeros((n, 3), np.float32), np.tile(np.array([0, 0, 1], np.float32), (n, 1))
        )
        assert hits.t.shape == (n,)
        assert hits.normal.shape == (n, 3)
        assert hits.t.dtype == np.float32


def test_a_hole_in_a_closed_block_has_walls(renderer: "vf.Renderer") -> None:
    """A shaft 120 m wide through a flat block 30 m thick: rays that go in meet its far wall, or the base."""
    heights = np.zeros((21, 21))
    heights[5:16, 5:16] = np.nan  # cells 4 to 15 are holes: the shaft spans -60 to 60 m each way
    terrain = vf.Terrain(heights, cell_size=10.0, skirt=-30.0)
    slopes = np.array([0.25, 0.5, 1.0, 2.0])
    for axis, sign in ((0, 1.0), (0, -1.0), (1, 1.0), (1, -1.0)):
        along = np.zeros(3)
        along[axis] = sign
        start = -50.0 * along + (0.0, 0.0, 1.0)
        start[1 - axis] = 3.0
        directions = along - slopes[:, None] * np.array([0.0, 0.0, 1.0])
        hits = renderer.trace(terrain, np.tile(start, (4, 1)), directions)
        # 110 m to the far wall, 31 m down to the base; the steepest lands on the base, the first on the wall.
        run = np.minimum(110.0, 31.0 / slopes)
        np.testing.assert_allclose(hits.t, run * np.hypot(1.0, slopes), rtol=1e-4)
        wall = run == 110.0
        assert wall.any()
        assert not wall.all()
        np.testing.assert_allclose(hits.normal[wall], np.tile(-along, (wall.sum(), 1)), atol=1e-6)
        np.testing.assert_allclose(hits.normal[~wall], np.tile([0.0, 0.0, 1.0], ((~wall).sum(), 1)), atol=1e-6)


def test_up_to_the_devices_limit(renderer: "vf.Renderer") -> None:
    """From 2 x 2 samples to the longest side that the device takes, and one more, which is refused."""
    rng = np.random.default_rng(5)
    longest = int(renderer.device.limits["maxImageDimension2D"])
    for shape in ((2, 2), (2, longest), (longest, 2), (3, longest)):
        terrain = vf.Terrain(5 * rng.random(shape, dtype=np.float32), cell_size=1.0)
        share = rng.uniform(-0.49, 0.49, (500, 2))
        origins = np.column_stack([share * (shape[1] - 1, shape[0] - 1), np.full(500, 50.0)])
        hits = renderer.trace(terrain, origins, np.tile([0.0, 0.0, -1.0], (500, 1)))
        ground = [terrain.height_at(x, y) for x, y, _ in origins]
        # float32 knows x to 2^-24 of itself, counted from the edge, and the ground rises by up to 5 m a cell.
        np.testing.assert_allclose(50.0 - hits.t, ground, atol=max(1e-3, 5.0 * max(shape) * 2.0**-24))
    with pytest.raises(vf.InputError, match=f"{longest + 1} x 2 samples.*resample"):
        renderer.render(vf.Terrain(np.zeros((2, longest + 1))), (8, 8))


@pytest.mark.parametrize("relief", [0.0, 0.01, 3.0])
def test_ground_far_below_has_no_gaps(renderer: "vf.Renderer", relief: float) -> None:
    """From 1 to 1000 km above, flat and all but flat, where a height rounds to metres on the way: every ray arrives."""
    rng = np.random.default_rng(16)
    for kilometres in (1, 3, 10, 30, 100, 200, 500, 1000):
        terrain = vf.Terrain(4000.0 + relief * rng.random((65, 65)), 10.0)
        ends = np.append(rng.uniform(-315, 315, (60_000, 2)), np.full((60_000, 1), 4000.0), axis=1)
        origins = np.add(ends, (*rng.uniform(-300, 300, 2) * kilometres, kilometres * 1e3))
        directions = (ends - origins) / np.linalg.norm(ends - origins, axis=1, keepdims=True)
        hits = renderer.trace(terrain, origins, directions)
        assert np.isinf(hits.t).sum() == 0, f"from {kilometres} km"
        np.testing.assert_allclose(hits.t, np.linalg.norm(ends - origins, axis=1), rtol=1e-6, atol=1.5 * relief)
