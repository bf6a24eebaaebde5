"""Sun visibility: where shadows end, how soft they are, that nothing shadows itself and nothing leaks."""

import numpy as np
import pytest
from truth import heightfield, skies
from truth.shading import sun_direction

import vkforge as vf


def sun_map(
    renderer: "vf.Renderer", terrain: "vf.Terrain", sun: "vf.Sun", samples: int = 1, aovs: tuple[str, ...] = ()
):
    """The AOVs of a map of `terrain`, one pixel a sample, under `sun` alone."""
    scene = vf.Scene(terrain, camera=vf.Camera.map(terrain, pixels="samples"), sun=sun, sky=None)
    rows, cols = terrain.shape
    return renderer.render(scene, (cols, rows), samples=samples, aovs=("sun_visibility", *aovs)).aovs


def wall(size: int, column: int, height: float) -> np.ndarray:
    """A wall along y, three samples thick, whose eastern top edge is at `column`."""
    heights = np.zeros((size, size))
    heights[:, column - 2 : column + 1] = height
    return heights


@pytest.mark.parametrize("azimuth", [270.0, 255.0, 300.0, 225.0, 317.3])
@pytest.mark.parametrize("elevation", [20.0, 45.0])
def test_shadow_length(renderer: "vf.Renderer", azimuth: float, elevation: float) -> None:
    """The shadow runs H / tan(elevation) away from the sun; its reach square to the wall is that times the cosine."""
    heights, top = wall(161, 60, 12.0), 60
    terrain = vf.Terrain(heights, cell_size=1.0)
    sun = vf.Sun(azimuth=azimuth, elevation=elevation, angular_diameter=0.0)
    visible = sun_map(renderer, terrain, sun, samples=16)["sun_visibility"]
    expected = 12.0 / np.tan(np.radians(elevation)) * np.cos(np.radians(azimuth - 270.0))
    rows = visible[60:101, top + 1 :]  # pixel j covers j - 0.5 to j + 0.5: half a cell of shadow lies before them
    reach = 0.5 + (1 - rows).sum(axis=1)
    error = reach - expected
    print(
        f"azimuth {azimuth}, elevation {elevation}: {expected:.3f} cells, off {error.min():+.3f} to {error.max():+.3f}"
    )
    assert np.abs(error).max() < 0.2


@pytest.mark.parametrize("azimuth", [225.0, 250.0])
def test_shadow_of_a_diagonal_wall(renderer: "vf.Renderer", azimuth: float) -> None:
    """The same for a wall that runs from north-west to south-east: within one cell."""
    i, j = np.mgrid[:161, :161]
    across = (j - i) / np.sqrt(2)  # distance north-east of the diagonal, in cells
    terrain = vf.Terrain(np.where(np.abs(across + 10) <= 2, 15.0, 0.0), cell_size=1.0)
    sun = vf.Sun(azimuth=azimuth, elevation=30.0, angular_diameter=0.0)
    visible = sun_map(renderer, terrain, sun, samples=16)["sun_visibility"]
    edge = np.floor(-8 * np.sqrt(2)) / np.sqrt(2)  # the last diagonal of samples on the wall
    expected = 15.0 / np.tan(np.radians(30.0)) * np.cos(np.radians(azimuth - 225.0))
    middle = (np.abs(i + j - 160) <= 40) & (across > edge + 1) & (across < edge + 60)
    lit = visible[middle] > 0.5
    reach = across[middle] - edge
    nearest_lit, farthest_dark = reach[lit].min(), reach[~lit].max()
    print(f"azimuth {azimuth}: {expected:.2f} cells, lit from {nearest_lit:.2f}, dark up to {farthest_dark:.2f}")
    assert abs(nearest_lit - expected) <= 1.0
    assert abs(farthest_dark - expected) <= 1.0


def test_penumbra_of_a_straight_edge(renderer: "vf.Renderer") -> None:
    """From a point the edge is a great circle, atan(H / distance) high: what it leaves of the disc is a segment."""
    height, elevation, diameter = 50.0, 30.0, 5.0
    terrain = vf.Terrain(wall(221, 90, height), cell_size=1.0)
    sun = vf.Sun(azimuth=270.0, elevation=elevation, angular_diameter=diameter)
    visible = sun_map(renderer, terrain, sun, samples=256)["sun_visibility"]
    distance = np.arange(60.0, 121.0)
    profile = visible[80:141, 90 + distance.astype(int)]
    # A pixel is a cell wide; the mean over it is that of points across it.
    across = distance[:, None] + np.linspace(-0.5, 0.5, 22)[1::2]
    offset = np.radians(elevation) - np.arctan(height / across)
    expected = skies.disc_above(np.sin(offset) / np.sin(np.radians(diameter / 2))).mean(axis=1)
    assert expected[0] == 0
    assert expected[-1] == 1
    error = profile.mean(axis=0) - expected
    worst = np.abs(profile - expected).max()
    print(f"penumbra: rows' mean off by at most {np.abs(error).max():.4f}, one pixel by {worst:.4f}")
    assert np.abs(error).max() < 0.005
    assert worst < 0.05


@pytest.mark.parametrize(("datum", "cell"), [(0.0, 1.0), (4000.0, 30.0)])
@pytest.mark.parametrize("elevation", [0.5, 3.0, 40.0])
def test_no_acne_on_planes(renderer: "vf.Renderer", datum: float, cell: float, elevation: float) -> None:
    i, j = np.mgrid[:97, :129]
    for slope_x, slope_y in ((0.0, 0.0), (0.31, -0.173), (-0.007, 0.0041)):
        terrain = vf.Terrain(datum + (slope_x * j - slope_y * i) * cell, cell_size=cell)
        for azimuth in (0.0, 45.0, 133.7, 270.0):
            sun = vf.Sun(azimuth=azimuth, elevation=elevation, angular_diameter=0.0)
            # Heights are rounded to float32, which tilts cells by that much.
            tilt = 4 * np.spacing(np.float32(terrain.max_height + 1e-3)) / cell
            facing = float(sun_direction(azimuth, elevation) @ [-slope_x, -slope_y, 1.0])
            visible = sun_map(renderer, terrain, sun, samples=4)["sun_visibility"]
            if facing > tilt:
                assert (visible == 1).all(), f"{(visible < 1).sum()} pixels in shadow of a plane, azimuth {azimuth}"
            elif facing < -tilt:
                assert (visible == 0).all(), f"{(visible > 0).sum()} pixels lit through a plane, azimuth {azimuth}"


@pytest.mark.parametrize("elevation", [0.5, 2.0, 10.0, 30.0])
def test_no_acne_on_a_convex_hill(renderer: "vf.Renderer", elevation: float) -> None:
    """No part of it can shade a part that faces the sun, however low the sun stands.

    A height of -(x^2 + y^2) / 512 in whole cells is exact in float32, and its bilinear surface has no hollow anywhere.
    """
    i, j = np.mgrid[-64:65, -96:97]
    terrain = vf.Terrain(1024.0 - (i * i + j * j) / 512.0, cell_size=1.0)
    for azimuth in (10.0, 45.0, 200.0, 270.0):
        sun = vf.Sun(azimuth=azimuth, elevation=elevation, angular_diameter=0.0)
        aovs = sun_map(renderer, terrain, sun, aovs=("geometric_normal",))
        facing = aovs["geometric_normal"] @ sun_direction(azimuth, elevation)
        visible = aovs["sun_visibility"]
        # Pixel centres are vertices, so the ray may leave over a neighbour of the patch whose normal this is; from one
        # cell to the next the hill's slopes change by 2 / 512. The normal comes in half floats besides.
        front, behind = facing > 2.5 * 2 / 512, facing < -2.5 * 2 / 512
        assert (visible[front] == 1).all(), f"{(visible[front] < 1).sum()} pixels shade themselves"
        assert (visible[behind] == 0).all(), f"{(visible[behind] > 0).sum()} pixels lit from behind"


@pytest.mark.parametrize("thickness", [1, 4])
def test_no_leaks_into_a_walled_yard(renderer: "vf.Renderer", thickness: int) -> None:
    """A yard 40 m across behind walls of 50 m gets no sun below 45 degrees, not even at the foot of the walls."""
    heights = np.zeros((81, 81))
    outer = slice(20 - thickness + 1, 61 + thickness - 1)
    heights[outer, outer] = 50.0
    heights[21:60, 21:60] = 0.0
    terrain = vf.Terrain(heights, cell_size=1.0)
    for azimuth in [*range(0, 360, 45), 17.0, 101.5, 244.4, 333.0]:
        for diameter in (0.0, 4.0):
            sun = vf.Sun(azimuth=azimuth, elevation=15.0, angular_diameter=diameter)
            yard = sun_map(renderer, terrain, sun, samples=4)["sun_visibility"][21:60, 21:60]
            assert (yard == 0).all(), f"azimuth {azimuth}: {(yard > 0).sum()} pixels of the yard see the sun"


def test_hard_shadows_against_brute_force(renderer: "vf.Renderer") -> None:
    """Rough hills: the pixel centres' sun visibility against float64 rays from the exact hit points."""
    rng = np.random.default_rng(3)
    i, j = np.mgrid[:96, :128]
    waves = [9 * np.sin(i * rng.normal(0, 0.15) + j * rng.normal(0, 0.15) + rng.uniform(0, 6)) for _ in range(5)]
    heights = (np.sum(waves, axis=0) + rng.uniform(-1, 1, i.shape)).astype(np.float32)
    terrain = vf.Terrain(heights, cell_size=(3.0, 4.0))
    sun = vf.Sun(azimuth=222.0, elevation=18.0, angular_diameter=0.0)
    aovs = sun_map(renderer, terrain, sun, aovs=("position",))
    at = aovs["position"][1:-1, 1:-1].reshape(-1, 3).astype(np.float64)
    down = np.tile([0.0, 0.0, -1.0], (len(at), 1))
    start = np.column_stack([at[:, :2], np.full(len(at), 100.0)])
    hits = heightfield.intersect(heights, (3.0, 4.0), start, down)
    ground = start + hits.t[:, None] * down
    assert np.abs(ground - at).max() < 1e-3
    to_sun = np.tile(sun_direction(222.0, 18.0), (len(at), 1))
    # The points are vertices, where four patches meet: what counts is the one that the ray leaves over, so the start is
    # lifted straight up and no single patch's normal is asked.
    lit = ~heightfield.intersect(heights, (3.0, 4.0), ground + np.array([0.0, 0.0, 1e-7]), to_sun).hit
    differing = (aovs["sun_visibility"][1:-1, 1:-1].ravel() > 0.5) != lit
    print(f"{lit.mean():.1%} lit, {differing.sum()} of {len(lit)} pixels differ")
    assert differing.mean() < 1e-3


@pytest.mark.parametrize("elevation", [-0.1, -10.0, -90.0])
def test_sun_below_the_horizon_is_night(renderer: "vf.Renderer", elevation: float) -> None:
    """No light, not even on a slope that faces where the sun went down."""
    terrain = vf.Terrain(np.tile(np.arange(33.0), (33, 1)), cell_size=1.0)
    sun = vf.Sun(azimuth=270.0, elevation=elevation, angular_diameter=0.0)
    scene = vf.Scene(terrain, camera=vf.Camera.map(terrain), sun=sun, sky=None, background=(0, 0, 0))
    image = renderer.render(scene, (33, 33), samples=2, aovs=("sun_visibility",))
    assert (image.hdr == 0).all()
    assert (image.aovs["sun_visibility"] == 0).all()


def test_a_disc_half_below_the_horizon_gives_half_its_light(renderer: "vf.Renderer") -> None:
    terrain = vf.Terrain(np.zeros((17, 17)), cell_size=1.0)
    visible = sun_map(renderer, terrain, vf.Sun(elevation=0.0, angular_diameter=6.0), samples=256)["sun_visibility"]
    assert abs(visible.mean() - 0.5) < 0.01
