"""Environment maps on the device: what comes from a direction, what directions are drawn, what rough mirrors see."""

from __future__ import annotations

import dataclasses

import device_lab
import numpy as np
import pytest
from truth import environments as truth

import vkforge as vf
from vkforge.graph.access import Access
from vkforge.graph.builder import Graph
from vkforge.graph.frame import Frame
from vkforge.memory.intents import Intent
from vkforge.passes.lighting.environment import DeviceEnvironment, fill_environment, import_environment, shares
from vkforge.vk.device import Owner
from vkforge.vk.resources import Buffer

PROBE = """
#extension GL_GOOGLE_include_directive : require
#include "include/environment.glsl"
layout(local_size_x = 64) in;
struct Answer { vec3 radiance; float density; vec3 drawn; float drawn_density; float same_density; };
layout(set = 0, binding = 50, scalar) readonly buffer Queries { uint count; vec3 items[]; } queries;
layout(set = 0, binding = 51, scalar) writeonly buffer Answers { Answer items[]; } answers;
void main() {
    uint index = gl_GlobalInvocationID.x;
    if (index >= queries.count) return;
    vec3 query = queries.items[index];
    Answer answer;
    answer.radiance = environment_radiance(query);
    answer.density = environment_density(query);
    answer.drawn = sample_environment(query.xy, answer.drawn_density);
    answer.same_density = environment_density(answer.drawn);
    answers.items[index] = answer;
}
"""
ANSWER = np.dtype(
    [("radiance", "3f4"), ("density", "f4"), ("drawn", "3f4"), ("drawn_density", "f4"), ("same_density", "f4")]
)
RNG = np.random.default_rng(5)
# Rough, with a lamp four hundred times as bright as the rest and a dark quarter.
ROUGH = RNG.random((24, 48, 3))
ROUGH[7, 40] = (400.0, 300.0, 200.0)
ROUGH[12:, :12] = 0.0


def spread(count: int) -> np.ndarray:
    """(count, 3) unit directions all over, with both poles and the seam among them."""
    made = RNG.normal(size=(count, 3))
    made[:4] = (0, 0, 1), (0, 0, -1), (0, -1, 0), (1e-7, -1, 0.2)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def probe(renderer: vf.Renderer, environment: vf.Environment, queries: np.ndarray) -> np.ndarray:
    """Return an ANSWER for each of `queries` (n, 3), which are directions and points of the unit square at once."""
    device, count = renderer._device, len(queries)
    owner, held, frame = Owner(device, "probe"), DeviceEnvironment(device, environment), None
    try:
        given = Buffer(owner, "queries", 4 + 12 * count, frozenset(["storage"]), Intent.UPLOAD)
        answers = Buffer(owner, "answers", ANSWER.itemsize * count, frozenset(["storage"]), Intent.READBACK)
        given.array(np.uint32, 1)[0] = count
        given.array(np.float32, 3 * count, 4)[:] = queries.ravel()
        graph = Graph("probe", load_shader=device_lab.loader({"probe": PROBE}))
        output = graph.import_buffer("answers", answers)
        graph.compute(
            "probe",
            "probe",
            (count, 1),
            queries=graph.import_buffer("queries", given),
            answers=output,
            **import_environment(graph, held),
        )
        graph.hand_over("read back", Access.HOST_READ, output)
        frame = Frame(device, graph, slots=1, once=True)
        fill_environment(frame.blocks[frame.acquire()]["environment"], environment)
        frame.wait(frame.submit())
        answers.invalidate()
        return answers.array(ANSWER, count).copy()
    finally:
        if frame is not None:
            frame.release()
        held.release()
        owner.release()


# Radiance


@pytest.mark.parametrize("rotation", [0.0, 77.0, -90.0, 725.0])
def test_radiance_is_the_bilinear_map_turned(renderer: vf.Renderer, rotation: float) -> None:
    """Over the seam and the poles too: within 1e-4 of the brightest texel."""
    towards = spread(4000)
    got = probe(renderer, vf.Environment(ROUGH, rotation, 2.0), towards)["radiance"]
    error = np.abs(got - 2.0 * truth.radiance(ROUGH, towards, rotation)).max()
    print(f"turned by {rotation}: largest error {error:.2e} of {ROUGH.max()}")
    assert error < 1e-4 * ROUGH.max()  # float32 angles, times the step of the lamp


def test_the_compass() -> None:
    """The convention itself, in the reference: north in the middle, east right of it, rotation clockwise."""
    texels = np.zeros((16, 32, 3))
    texels[8, 15:17] = 1.0
    north, east, south, west = np.array([[0, 1, 0], [1, 0, 0], [0, -1, 0], [-1, 0, 0.0]])
    assert truth.radiance(texels, np.array([north, east, south, west]))[:, 0].round(6).tolist() == [0.5, 0, 0, 0]
    assert truth.radiance(texels, np.array([east]), rotation=90.0)[0, 0].round(6) == 0.5
    texels[:] = 0
    texels[8, 23:25] = 1.0
    assert truth.radiance(texels, np.array([north, east, south, west]))[:, 0].round(6).tolist() == [0, 0.5, 0, 0]


def test_a_smooth_map_is_smooth_over_seam_and_poles(renderer: vf.Renderer) -> None:
    """A map of a linear function of the direction: interpolation is off by a second order, and by no more anywhere."""
    height = 64
    towards, _ = truth.directions(height)
    texels = np.stack([2 + towards[..., axis] for axis in range(3)], axis=-1)
    bearing = np.linspace(-np.pi, np.pi, 33)
    rings = [
        np.stack([np.sin(t) * np.sin(bearing), np.sin(t) * np.cos(bearing), np.full(33, np.cos(t))], axis=-1)
        for t in (1e-4, 0.3 * np.pi / height, 0.7 * np.pi / height, 1.0, np.pi - 0.3 * np.pi / height)
    ]
    around = np.concatenate(rings)
    got = probe(renderer, vf.Environment(texels), around)["radiance"]
    error = np.abs(got - (2 + around)).max()
    print(f"largest error {error:.2e}; a row's step is {np.pi / height:.2e}")
    assert error < (np.pi / height) ** 2


def test_a_turn_by_a_quarter_is_a_map_rolled_by_a_quarter(renderer: vf.Renderer) -> None:
    towards = spread(2000)
    turned = probe(renderer, vf.Environment(ROUGH, rotation=90.0), towards)
    rolled = probe(renderer, vf.Environment(np.roll(ROUGH, 12, axis=1)), towards)
    assert np.allclose(turned["radiance"], rolled["radiance"], rtol=1e-4, atol=1e-3)


# Drawing directions


def test_the_density_integrates_to_one_and_covers_all_light(renderer: vf.Renderer) -> None:
    towards, solid_angle = truth.directions(24 * 4)
    got = probe(renderer, vf.Environment(ROUGH, rotation=7.5), towards.reshape(-1, 3))
    total = (got["density"].reshape(towards.shape[:2]) * solid_angle).sum()
    print(f"integral of the density: {total:.6f}")
    assert abs(total - 1) < 1e-4
    lit = got["radiance"].max(axis=1) > 0
    assert (got["density"][lit] > 0).all()


def test_directions_are_drawn_by_their_density(renderer: vf.Renderer) -> None:
    """Over 16 x 8 bins: counts within 5 standard deviations, and the density that is told is the one looked up."""
    count = 1 << 17
    squares = np.zeros((count, 3))
    squares[:, :2] = RNG.random((count, 2)) * (1 - 2**-24)
    environment = vf.Environment(ROUGH, rotation=30.0)
    got = probe(renderer, environment, squares)
    assert np.allclose(np.linalg.norm(got["drawn"], axis=1), 1.0, atol=1e-5)
    # A direction on the edge of two texels may be looked up in the other.
    assert np.mean(np.isclose(got["same_density"], got["drawn_density"], rtol=1e-3)) > 0.999

    towards, solid_angle = truth.directions(24 * 4)
    density = probe(renderer, environment, towards.reshape(-1, 3))["density"].reshape(towards.shape[:2])
    expected = (density * solid_angle).reshape(8, 12, 16, 12).sum(axis=(1, 3))
    drawn = got["drawn"].astype(np.float64)
    column = ((np.arctan2(drawn[:, 0], drawn[:, 1]) / (2 * np.pi) + 0.5) * 16).astype(int).clip(0, 15)
    row = (np.arccos(drawn[:, 2].clip(-1, 1)) / np.pi * 8).astype(int).clip(0, 7)
    counts = np.bincount(row * 16 + column, minlength=128).reshape(8, 16)
    deviation = np.abs(counts - count * expected) / np.sqrt(count * expected * (1 - expected) + 1)
    print(f"largest deviation {deviation.max():.2f} sigma")
    assert deviation.max() < 5


def test_an_estimate_from_drawn_directions_is_the_integral(renderer: vf.Renderer) -> None:
    """Light over density averages to the whole sphere's flux, with little noise: that is what drawing by it is for."""
    squares = np.zeros((1 << 16, 3))
    squares[:, :2] = RNG.random((1 << 16, 2)) * (1 - 2**-24)
    got = probe(renderer, vf.Environment(ROUGH), squares)
    light = truth.radiance(ROUGH, got["drawn"].astype(np.float64)) / got["drawn_density"][:, None]
    fine, solid_angle = truth.directions(24 * 16)
    flux = (truth.radiance(ROUGH, fine.reshape(-1, 3)).reshape(*fine.shape) * solid_angle[..., None]).sum(axis=(0, 1))
    error = np.abs(light.mean(axis=0) / flux - 1)
    print(f"flux {flux}, relative error {error}")
    assert (error < 0.01).all()


def test_shares_of_the_dark_and_of_the_bright() -> None:
    rows, columns = shares(np.zeros((8, 16, 3), np.float32))
    assert np.allclose(columns, np.arange(1, 17) / 16)
    assert np.allclose(rows, (1 - np.cos(np.arange(1, 9) * np.pi / 8)) / 2, atol=1e-7)
    huge = np.full((8, 16, 3), np.finfo(np.float32).max)
    assert np.isfinite(shares(huge)[0]).all()
    rows, columns = shares(ROUGH.astype(np.float32))
    assert (rows[-1], *columns[:, -1]) == (1.0,) * 25
    assert (np.diff(rows) >= 0).all() and (np.diff(columns, axis=1) >= 0).all()


# Rough mirrors and planes

AXES = spread(60)
LAMP_TOWARDS = truth.directions(24)[0][7, 40]
AXES[4:12] = LAMP_TOWARDS + 0.02 * 2.0 ** np.arange(8)[:, None] * AXES[4:12]
AXES /= np.linalg.norm(AXES, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def rough(renderer: vf.Renderer) -> vf.Environment:
    return vf.Environment(ROUGH)


def test_a_perfect_mirror_shows_the_map(renderer: vf.Renderer, rough: vf.Environment) -> None:
    got = renderer.prefiltered(rough, AXES, np.zeros(60))
    assert np.array_equal(got, probe(renderer, rough, AXES)["radiance"])


@pytest.mark.parametrize(
    ("roughness", "bound"),
    # 0.25, 0.5 and 1 have tables of their own, at the others two are mixed.
    [(0.25, 0.02), (0.3, 0.08), (0.5, 0.02), (0.6, 0.08), (1.0, 0.005)],
)
def test_a_rough_mirror_sees_what_quadrature_gives(
    renderer: vf.Renderer, rough: vf.Environment, roughness: float, bound: float
) -> None:
    """Within a share of the most that any of the directions gives, around the lamp and away from it."""
    expected = truth.prefiltered(ROUGH, AXES, roughness)
    error = np.abs(renderer.prefiltered(rough, AXES, np.full(60, roughness)) - expected).max() / expected.max()
    print(f"roughness {roughness}: largest error {error:.4f} of the largest value")
    assert error < bound


def test_how_far_off_a_smooth_mirror_is(renderer: vf.Renderer) -> None:
    """Under a roughness of 0.177 the map itself is mixed in, which keeps a lone texel's core: docs/environment-maps.md.

    Red is one texel, bounded by its radiance, and at 0.175 by what is seen of it; blue is linear in the direction.
    """
    height = 300
    every, _ = truth.directions(height)
    texels = np.zeros((height, 2 * height, 3), np.float32)
    lamp = (111, 513)
    texels[lamp][0] = 1000.0
    texels[..., 2] = 2 + every[..., 1]
    environment = vf.Environment(texels)
    towards, aside = every[lamp], spread(12)
    t, weight = np.polynomial.legendre.leggauss(300)
    sine2 = np.exp((t - 1) * 12)  # of half the angle, over the lobe's decades
    for roughness, bound in ((0.03, 0.22), (0.05, 0.18), (0.1, 0.06), (0.14, 0.02), (0.175, 0.001)):
        width = np.hypot(np.pi / height, roughness**2)  # of what is seen of the texel
        axes = towards + width * np.linspace(0, 4, 12)[:, None] * aside
        axes = np.concatenate([axes / np.linalg.norm(axes, axis=1, keepdims=True), AXES])
        found = renderer.prefiltered(environment, axes, np.full(len(axes), roughness))
        expected = 1000.0 * truth.lone_texel(axes[:12], roughness, height, *lamp)
        error = np.abs(found[:12, 0] - expected).max()
        lobe = truth.lobe_about(1 - 2 * sine2, roughness) * sine2 * weight
        dimmed = (lobe * (1 - 2 * sine2)).sum() / lobe.sum()
        smooth = np.abs(found[:, 2] - 2 - dimmed * axes[:, 1]).max() / 2
        print(f"{roughness}: {error / 1000:.4f} of the texel, {error / expected.max():.3f} of the peak; {smooth:.4f}")
        assert error < 1000.0 * bound
        assert smooth < 0.01
    assert error < 0.05 * expected.max()


def test_irradiance_is_what_quadrature_gives(renderer: vf.Renderer, rough: vf.Environment) -> None:
    expected = truth.irradiance(ROUGH, AXES)
    got = np.pi * renderer.prefiltered(rough, AXES, np.ones(60))
    error = np.abs(got - expected).max() / expected.max()
    print(f"largest error {error:.4f} of the largest irradiance")
    assert error < 0.005


def test_the_public_functions(renderer: vf.Renderer) -> None:
    """A map of one radiance: every mirror and every plane sees it; rotation and intensity are seen to."""
    grey = vf.Environment(np.full((4, 8, 3), 0.7), intensity=2.0)
    assert np.allclose(grey.prefiltered(AXES * 3.0, np.linspace(0, 1, 60)), 1.4, rtol=1e-5)
    assert np.allclose(grey.irradiance(AXES), 1.4 * np.pi, rtol=1e-5)
    brighter = dataclasses.replace(grey, intensity=3.0, rotation=90.0)
    assert brighter.radiance is grey.radiance, "the map is not copied, and not prefiltered again"
    assert np.allclose(brighter.irradiance(AXES[:1]), 2.1 * np.pi, rtol=1e-5)
    assert grey.prefiltered(np.zeros((0, 3)), 0.5).shape == (0, 3)


@pytest.mark.parametrize(
    ("directions", "roughness", "message"),
    [
        ([[0, 0, 0]], 0.5, "zero, NaN or infinite"),
        ([[0, 0, np.nan]], 0.5, "zero, NaN or infinite"),
        ([0, 0, 1], 0.5, r"shape \(3,\)"),
        ("up", 0.5, "wanted numbers"),
        ([[0, 0, 1]], 1.5, "from 0 to 1"),
        ([[0, 0, 1]], np.nan, "from 0 to 1"),
        ([[0, 0, 1]], [0.1, 0.2], "one for each direction"),
    ],
)
def test_bad_questions(directions: object, roughness: object, message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        vf.Environment(np.zeros((1, 2, 3))).prefiltered(directions, roughness)  # type: ignore[arg-type]
