"""Fog: closed forms, quadrature and a brute-force march against the lit lane; lamps; what Fog refuses."""

from typing import Any

import numpy as np
import pytest
from truth import airlight

import vkforge as vf
from vkforge.passes.volumetrics import fog as froxels

E = np.array([3.0, 2.0, 1.0])
SS = np.array([2e-4, 3e-4, 5e-4])
SA = np.array([1e-4, 5e-5, 2e-4])
BLACK = {"sky": None, "background": (0, 0, 0)}


def plain(size: float = 40_000.0, z: float = 0.0, albedo: Any = 0.0) -> "vf.Terrain":
    """Level ground, black unless said otherwise: what is seen is the fog."""
    return vf.Terrain(np.full((9, 9), z), cell_size=size / 8, albedo=albedo)


def down(height: float, x: float = 0.0, y: float = 0.0, across: float = 100.0) -> "vf.Camera":
    return vf.Camera.orthographic((x, y, height), (x, y, 0.0), up=(0, 1, 0), height=across)


def sun_of(azimuth: float = 200.0, elevation: float = 40.0) -> "vf.Sun":
    return vf.Sun(azimuth, elevation, tuple(E), 0.0)


def hdr(renderer: "vf.Renderer", terrain: "vf.Terrain", camera: "vf.Camera", size=(32, 18), samples=16, **parts: Any):
    scene = vf.Scene(terrain, camera=camera, **{**BLACK, **parts})
    return renderer.render(scene, size, samples=samples).hdr.astype(np.float64)


def view(camera: "vf.Camera", size: tuple[int, int]) -> np.ndarray:
    """(height, width, 3) unit directions through the pixels' centres."""
    rays = camera.rays(*size)
    u, v = 2 * (np.arange(size[0]) + 0.5) / size[0] - 1, 1 - 2 * (np.arange(size[1]) + 0.5) / size[1]
    along = np.array(rays.direction) + u[None, :, None] * np.array(rays.direction_u)
    along = along + v[:, None, None] * np.array(rays.direction_v)
    return along / np.linalg.norm(along, axis=-1, keepdims=True)


def worst(got: np.ndarray, wanted: np.ndarray) -> float:
    error = float(np.abs(got / wanted - 1).max())
    print(f"largest relative error {error:.2e}")
    return error


@pytest.mark.parametrize("g", [0.0, 0.5, -0.3])
@pytest.mark.parametrize("d", [30.0, 1500.0, 20_000.0])
def test_homogeneous(renderer: "vf.Renderer", d: float, g: float) -> None:
    sun = sun_of()
    got = hdr(renderer, plain(), down(d), sun=sun, fog=vf.Fog(SS, SA, g))
    phase = airlight.henyey_greenstein(np.array([0, 0, -1.0]) @ sun.direction, g)
    assert worst(got, airlight.homogeneous(SS, SS + SA, phase, E, d)) < 1e-3


@pytest.mark.parametrize("g", [0.0, 0.8])
def test_homogeneous_in_perspective_and_against_the_sky(renderer: "vf.Renderer", g: float) -> None:
    """Depths from 100 m to infinity, and a phase function that changes over the picture."""
    camera, size = vf.Camera.perspective((0, -1000, 50), (0, 500, 60), fov=50), (64, 36)
    sun = sun_of(azimuth=20.0, elevation=20.0)
    got = hdr(renderer, plain(4e6), camera, size, 64, sun=sun, fog=vf.Fog(SS, SA, g))
    # Twelve times as many rays a side: what a pixel's square averages.
    fine = view(camera, (size[0] * 12, size[1] * 12))
    with np.errstate(divide="ignore"):
        d = np.where(fine[..., 2] < 0, -50.0 / fine[..., 2], np.inf)
    phase = airlight.henyey_greenstein(fine @ sun.direction, g)
    wanted = airlight.homogeneous(SS, SS + SA, phase, E, d)
    wanted = wanted.reshape(size[1], 12, size[0], 12, 3).mean((1, 3))
    error = np.abs(got / wanted - 1).max(-1)
    horizon = np.isinf(d).reshape(size[1], 12, size[0], 12).any((1, 3)) & ~np.isinf(d)[::12, ::12]
    print(f"largest {error[~horizon].max():.2e}, mean {error.mean():.2e}")
    assert error[~horizon].max() < 0.01


def test_transmittance(renderer: "vf.Renderer") -> None:
    """Fog that only absorbs leaves exp(-sa d) of what the ground sends."""
    ground, sun = plain(albedo=0.5), sun_of()
    bare = hdr(renderer, ground, down(2000.0), sun=sun)
    got = hdr(renderer, ground, down(2000.0), sun=sun, fog=vf.Fog(0.0, SA))
    assert worst(got, bare * airlight.transmittance(SA, 2000.0)) < 1e-4
    # Of a height fog the sun's way counts too: down to the ground, at 40 degrees.
    got = hdr(renderer, ground, down(2000.0), sun=sun, fog=vf.Fog(0.0, SA, scale_height=300.0))
    column = airlight.exponential_depth(2000.0, -1.0, 2000.0, 0.0, 300.0)
    column = column + airlight.exponential_depth(0.0, sun.direction[2], 1e9, 0.0, 300.0)
    assert worst(got, bare * airlight.transmittance(SA, column)) < 1e-4


@pytest.mark.parametrize("target", [(0, 0, 0), (0, 20_000, 80), (0, 20_000, 800), (0, 20_000, 9000)])
@pytest.mark.parametrize("scale", [60.0, 900.0])
def test_exponential(renderer: "vf.Renderer", target: tuple[float, float, float], scale: float) -> None:
    """Down, nearly along the ground, and up into the sky, under an attenuated sun."""
    origin, g = np.array([0.0, -2000.0, 100.0]), 0.4
    camera = vf.Camera.orthographic(tuple(origin), target, up=(0, 0.1, 1), height=0.01)
    fog = vf.Fog(20 * SS, 20 * SA, g, base=-20.0, scale_height=scale)
    got = hdr(renderer, plain(80_000.0), camera, (8, 8), 64, sun=sun_of(), fog=fog).mean((0, 1))
    direction = np.array(target) - origin
    direction /= np.linalg.norm(direction)
    d = 100.0 / -direction[2] if direction[2] < 0 else 30 * scale / direction[2]
    d = min(d, 40_000.0)
    coefficients = 20 * SS, 20 * (SS + SA)
    wanted = airlight.exponential(*coefficients, g, E, -20.0, scale, origin, direction, np.array(sun_of().direction), d)
    assert worst(got, wanted) < 0.01


@pytest.mark.parametrize("slices", [48, 200])
@pytest.mark.parametrize("kind", [{}, {"scale_height": 400.0}])
def test_slicing_changes_nothing(
    renderer: "vf.Renderer", monkeypatch: pytest.MonkeyPatch, slices: int, kind: dict[str, float]
) -> None:
    camera = vf.Camera.perspective((0, -3000, 900), (0, 0, 0), fov=25)
    parts: dict[str, Any] = {"sun": sun_of(), "fog": vf.Fog(SS, SA, 0.2, **kind)}
    # Each terrain has frames of its own.
    usual = hdr(renderer, plain(), camera, (30, 17), 64, **parts)
    monkeypatch.setattr(froxels, "SLICES", slices)
    other = hdr(renderer, plain(), camera, (30, 17), 64, **parts)
    assert worst(other, usual) < 0.005


def test_shadowed_gap(renderer: "vf.Renderer") -> None:
    """From above, behind a wall 100 m high: the closed form with the gap from the shadow's top to the ground."""
    heights = np.zeros((41, 241))
    heights[:, 20:23] = 100.0  # its eastern top edge stands 98 cells west of the middle
    terrain = vf.Terrain(heights, cell_size=(2.0, 400.0), albedo=0.0)
    sun = sun_of(azimuth=270.0, elevation=30.0)
    fog, size = vf.Fog(50 * SS, 50 * SA), (120, 8)
    got = hdr(renderer, terrain, down(150.0, x=-60.0, across=8.0), size, 64, sun=sun, fog=fog).mean(0)
    x = -60.0 + 8.0 / size[1] * (np.arange(size[0]) - size[0] / 2 + 0.5)
    top = np.maximum(100.0 - (x + 196.0) * np.tan(np.radians(30.0)), 0.0)
    wanted = airlight.homogeneous(
        50 * SS, 50 * (SS + SA), np.full(len(x), 0.25 / np.pi), E, 150.0, (150.0 - top, 150.0)
    )
    assert top.min() == 0 < 40 < top.max()
    assert worst(got, wanted) < 0.01


def hills() -> np.ndarray:
    i, j = np.mgrid[:33, :41]
    ridge = 260.0 * np.exp(-(((j - 16) / 2.5) ** 2)) * (1 - 0.75 * np.exp(-(((i - 15) / 2.0) ** 2)))
    return (ridge + 30 * np.sin(i * 0.7) * np.cos(j * 0.45) + 30).astype(np.float32)


def test_shafts_of_light(renderer: "vf.Renderer") -> None:
    """The shadow of a notched ridge in fog, against a march in float64 with brute-force shadows."""
    heights, cell, size = hills(), (50.0, 50.0), (48, 27)
    terrain = vf.Terrain(heights, cell_size=cell, albedo=0.0)
    sun, g = sun_of(azimuth=272.0, elevation=14.0), 0.3
    camera = vf.Camera.perspective((900.0, -1500.0, 330.0), (50.0, 200.0, 120.0), fov=38)
    ss, st = 4 * SS, 4 * (SS + SA)
    parts: dict[str, Any] = {"sun": sun, "fog": vf.Fog(ss, st - ss, g, scale_height=500.0)}
    got = hdr(renderer, terrain, camera, size, 64, **parts)
    fine = (3 * size[0], 3 * size[1])
    image = renderer.render(vf.Scene(terrain, camera, **BLACK), fine, samples=1, aovs=("depth",))
    depth, hit = image.aovs["depth"].astype(np.float64), np.isfinite(image.aovs["depth"])
    directions = view(camera, fine)[hit]
    origins = np.tile(np.array(camera.position), (len(directions), 1))
    to_sun = np.array(sun.direction)
    phase = airlight.henyey_greenstein(directions @ to_sun, g)[:, None]

    def inscatter(points: np.ndarray, t: np.ndarray) -> np.ndarray:
        rho = np.exp(-points[:, 2] / 500.0)
        met = airlight.exponential_depth(camera.position[2], directions[:, 2], t, 0.0, 500.0) + rho * 500.0 / to_sun[2]
        return phase * E * ss * rho[:, None] * np.exp(-met[:, None] * st)

    def pixels(light: np.ndarray) -> np.ndarray:
        """The mean over each pixel's nine rays; of those that all hit."""
        whole = np.full((*hit.shape, 3), np.nan)
        whole[hit] = light
        whole = whole.reshape(size[1], 3, size[0], 3, 3).mean((1, 3))
        return whole[np.isfinite(whole[..., 0])]

    march = (heights, cell, origins, directions, depth[hit], to_sun, 40)
    wanted = pixels(airlight.march(*march, inscatter))
    unshadowed = pixels(airlight.march(np.full((2, 2), -1e6), (1e6, 1e6), *march[2:], inscatter))
    got = got[hit.reshape(size[1], 3, size[0], 3).all((1, 3))]
    relative_mse = float(np.mean((got - wanted) ** 2 / (wanted**2 + 1e-2 * np.mean(wanted**2))))
    correlation = float(np.corrcoef((unshadowed - got).ravel(), (unshadowed - wanted).ravel())[0, 1])
    share = 1 - wanted.sum() / unshadowed.sum()
    print(f"relative MSE {relative_mse:.2e}, correlation of the shadow {correlation:.4f}, {share:.0%} in shadow")
    assert share > 0.05
    assert relative_mse < 2e-3
    assert correlation > 0.95


def test_a_field_is_what_its_voxels_say(renderer: "vf.Renderer") -> None:
    """A box as a whole, and one whose density rises with height, under a sun that the box itself attenuates."""
    bounds, sun = (-500.0, 500.0, -400.0, 400.0, 50.0, 350.0), sun_of(elevation=90.0)
    k = np.arange(6.0)
    rising = np.tile((0.2 + k)[:, None, None], (1, 5, 7))
    for density, rho in ((None, np.ones(6)), (rising, 0.2 + k)):
        fog = vf.Fog(10 * SS, 10 * SA, density=density, bounds=bounds)
        got = hdr(renderer, plain(), down(600.0), (16, 9), 64, sun=sun, fog=fog).mean((0, 1))
        z = np.linspace(350.0, 50.0, 30_001)
        at = np.interp(z, 75.0 + 50.0 * k, rho)
        dz = z[0] - z[1]
        depth = np.concatenate([[0], np.cumsum((at[1:] + at[:-1]) / 2 * dz)])
        light = at[:, None] * np.exp(-2 * 10 * (SS + SA) * depth[:, None])  # to the eye and from the sun
        wanted = E * 10 * SS * 0.25 / np.pi * np.trapezoid(light, dx=dz, axis=0)
        assert worst(got, wanted) < 0.01


def test_a_field_lies_where_its_axes_say(renderer: "vf.Renderer") -> None:
    """One dense voxel of 4 x 3 x 2, seen from above: third from the west, first from the south."""
    density = np.zeros((2, 3, 4))
    density[1, 0, 2] = 1.0
    fog = vf.Fog(0.05, density=density, bounds=(-200.0, 200.0, -150.0, 150.0, 20.0, 60.0))
    seen = hdr(renderer, plain(), down(200.0, across=300.0), (40, 30), sun=sun_of(), fog=fog)[..., 1]
    row, column = np.unravel_index(seen.argmax(), seen.shape)
    assert 22 <= column < 28
    assert row >= 22
    far = np.ones(seen.shape, bool)
    far[10:, 10:40] = False  # trilinear: nothing reaches further than a voxel
    assert seen[far].max() == 0.0


@pytest.mark.parametrize("scale", [None, 150.0])
def test_airlight_of_a_point_light(renderer: "vf.Renderer", scale: float | None) -> None:
    """Sun et al. 2005, past the lamp at 5 and at 60 m."""
    intensity, g = np.array([900.0, 700.0, 500.0]), 0.3
    fog = vf.Fog(20 * SS, 20 * SA, g, scale_height=scale)
    lamp = vf.PointLight((0.0, 0.0, 120.0), tuple(intensity))
    for x in (5.0, 60.0):
        camera = down(300.0, x=x, across=0.01)
        got = hdr(renderer, plain(), camera, (8, 8), 64, sun=None, fog=fog, lights=[lamp]).mean((0, 1))
        origin = np.array([x, 0.0, 300.0])
        along, at = np.array([0, 0, -1.0]), np.array(lamp.position)
        wanted = airlight.point_light(20 * SS, 20 * (SS + SA), g, intensity, origin, along, at, 300.0, scale or 1e30)
        assert worst(got, wanted) < 0.01


def test_lamps_light_the_ground(renderer: "vf.Renderer") -> None:
    """I cos / r^2 on Lambert ground, nothing outside the cone of a spot, nothing behind a wall."""
    ground = plain(400.0, albedo=0.5)
    point, spot = (10.0, 5.0, 40.0), (-60.0, 0.0, 50.0)
    lights = [
        vf.PointLight(point, (1000.0, 0.0, 0.0)),
        vf.SpotLight(spot, (-60.0, 0.0, 0.0), (0.0, 1000.0, 0.0), cone_angle=40.0, blend=0.5),
    ]
    size = (80, 60)
    camera = vf.Camera.orthographic((0, 0, 500), (0, 0, 0), up=(0, 1, 0), height=150.0)
    got = hdr(renderer, ground, camera, size, 16, sun=None, lights=lights)
    x = (np.arange(80) - 39.5) * 2.5
    y = (29.5 - np.arange(60)) * 2.5
    x, y = np.meshgrid(x, y)

    def level(position: tuple[float, float, float]) -> np.ndarray:
        r2 = (x - position[0]) ** 2 + (y - position[1]) ** 2 + position[2] ** 2
        return 1000.0 * 0.5 / np.pi * position[2] / r2**1.5

    assert worst(got[..., 0], level(point)) < 0.01
    angle = np.degrees(np.arctan2(np.hypot(x - spot[0], y - spot[1]), spot[2]))
    s = np.clip((angle - 10.0) / 10.0, 0, 1)
    expected = level(spot) * (1 - s * s * (3 - 2 * s))
    np.testing.assert_allclose(got[..., 1], expected, atol=0.03 * expected.max())
    assert (got[..., 1][angle > 23.0] == 0).all()

    heights = np.zeros((41, 41))
    heights[:, 24:26] = 30.0
    walled = vf.Terrain(heights, cell_size=5.0, albedo=0.5)
    got = hdr(renderer, walled, camera, size, 4, sun=None, lights=lights[:1])[..., 0]
    # The wall's top runs from x = 20 to 25 at z = 30; a ray over its eastern edge comes down at 10 + 15 * 40 / 10.
    assert (got[:, (x[0] > 33.0) & (x[0] < 67.0)][20:40] == 0).all()
    assert (got[25:35, x[0] > 73.0] > 0).all()


def test_white_fog_in_a_constant_environment(renderer: "vf.Renderer") -> None:
    """It returns that, whatever the medium; the ground is small and far below."""
    sky = vf.Sky.gradient(0.7, 0.7, 0.7)
    ground = plain(100.0, z=-5000.0)
    camera = vf.Camera.perspective((0, 0, 0), (0, 10, 3), fov=40)
    box = (-3000.0, 3000.0, -3000.0, 3000.0, -3000.0, 3000.0)
    for fog in (
        vf.Fog(1e-3),
        vf.Fog(1e-3, anisotropy=0.7),
        vf.Fog(3e-3, scale_height=200.0),
        vf.Fog(1e-3, bounds=box),
        vf.Fog(0.1, density=np.random.default_rng(3).random((3, 4, 5)), bounds=box),
    ):
        got = hdr(renderer, ground, camera, (32, 18), 16, sun=None, sky=sky, background=None, fog=fog)
        assert worst(got, np.full_like(got, 0.7)) < 0.01


def test_no_fog_and_fog_of_nothing(renderer: "vf.Renderer") -> None:
    ground = vf.Terrain(hills(), cell_size=50.0)
    camera = vf.Camera.orbit(ground)
    bare = vf.Scene(ground, camera)
    empty = vf.Scene(ground, camera, fog=vf.Fog(0.0), lights=[vf.PointLight((0, 0, 500), 0.0)])
    size = (48, 27)
    before, nothing = (renderer.render(scene, size).hdr for scene in (bare, empty))
    np.testing.assert_allclose(nothing, before, atol=1e-6)
    thick = vf.Scene(ground, camera, fog=vf.Fog(1e-3, anisotropy=0.5, scale_height=100.0))
    one, two = (renderer.render(thick, size).hdr.tobytes() for _ in range(2))
    assert one == two
    assert renderer.render(bare, size).hdr.tobytes() == before.tobytes()


BOX = (0.0, 1.0, 0.0, 1.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scattering": -1e-3}, "scattering"),
        ({"scattering": (1, 2)}, "scattering"),
        ({"scattering": 1e-3, "absorption": float("nan")}, "absorption"),
        ({"scattering": 1e-3, "anisotropy": 1.0}, "anisotropy"),
        ({"scattering": 1e-3, "scale_height": 0.0}, "scale_height"),
        ({"scattering": 1e-3, "base": 3.0}, "give scale_height too"),
        ({"scattering": 1e-3, "scale_height": 9.0, "bounds": BOX}, "both"),
        ({"scattering": 1e-3, "density": np.ones((2, 2, 2))}, "bounds="),
        ({"scattering": 1e-3, "density": np.ones((2, 2)), "bounds": BOX}, r"shape \(2, 2\)"),
        ({"scattering": 1e-3, "density": -np.ones((2, 2, 2)), "bounds": BOX}, "negative"),
        ({"scattering": 1e-3, "density": "thick", "bounds": BOX}, "density"),
        ({"scattering": 1e-3, "bounds": (0, 1, 1, 0, 0, 1)}, "from y = 1 to 0"),
        ({"scattering": 1e-3, "bounds": 4}, "bounds"),
    ],
)
def test_what_fog_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        vf.Fog(**arguments)


def test_what_lights_refuse() -> None:
    with pytest.raises(vf.InputError, match="position"):
        vf.PointLight((0, 1), 3.0)
    with pytest.raises(vf.InputError, match="intensity"):
        vf.PointLight((0, 1, 2), -3.0)
    with pytest.raises(vf.InputError, match="both"):
        vf.SpotLight((0, 1, 2), (0, 1, 2), 1.0)
    with pytest.raises(vf.InputError, match="cone_angle"):
        vf.SpotLight((0, 1, 2), (0, 1, 0), 1.0, cone_angle=200.0)
    with pytest.raises(vf.InputError, match=r"lights\[1\]"):
        vf.Scene(plain(), lights=[vf.PointLight((0, 0, 9), 1.0), vf.Sun()])  # type: ignore[arg-type]
    with pytest.raises(vf.InputError, match="at most 64"):
        vf.Scene(plain(), lights=[vf.PointLight((0, 0, 9), 1.0)] * 65)
    with pytest.raises(vf.InputError, match="fog"):
        vf.Scene(plain(), fog=0.1)  # type: ignore[arg-type]
