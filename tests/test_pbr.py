"""`vkforge.pbr`: reflection in float64 against closed forms, quadrature and a furnace, and the shaders against it."""

from __future__ import annotations

from typing import Any

import device_lab
import numpy as np
import pytest
from truth import shading

import vkforge as vf
from vkforge import pbr
from vkforge.errors import InputError
from vkforge.graph.access import Access
from vkforge.graph.builder import Graph
from vkforge.graph.frame import Frame
from vkforge.memory.intents import Intent
from vkforge.passes.materials.split_sum import DeviceSplitSum
from vkforge.vk.device import Owner
from vkforge.vk.resources import Buffer

UP = np.array([0.0, 0.0, 1.0])


def around(rng: np.random.Generator, axis: np.ndarray, lowest: float) -> np.ndarray:
    """Return (n, 3) unit vectors uniform over the part of the hemispheres about `axis` (n, 3) above a cosine."""
    cosine = rng.uniform(lowest, 1.0, (len(axis), 1))
    side = np.cross(axis, rng.normal(size=axis.shape))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    return cosine * axis + np.sqrt(1 - cosine**2) * side


def furnace(view: np.ndarray, color: float, roughness: float, metallic: float, specular: float) -> float:
    """Return what a surface reflects of uniform light, by quadrature over a hemisphere with the lobe well sampled.

    The hemisphere is walked twice, by half vectors drawn as GGX has them and by the cosine, each weighted by its share
    of the joint density (the balance heuristic), which suits narrow lobes and wide ones.
    """
    n = 160
    x, weight = np.polynomial.legendre.leggauss(n)
    x, weight = (x + 1) / 2, weight / 2
    azimuth = (np.arange(n) + 0.5) * 2 * np.pi / n
    circle = np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros(n)], -1)
    alpha = max(roughness**2, 1e-3)

    def density(light: np.ndarray) -> np.ndarray:
        half = shading.normalize(view + light)
        d = alpha**2 / (np.pi * (half[..., 0] ** 2 + half[..., 1] ** 2 + (alpha * half[..., 2]) ** 2) ** 2)
        by_lobe = d * half[..., 2] / (4 * np.maximum((half * view).sum(-1), 1e-9))
        return by_lobe + light[..., 2] / np.pi

    rest = 1 - x
    tangent = alpha * np.sqrt((1 - rest**3) / rest**3)
    half = shading.normalize(tangent[:, None, None] * circle + UP)
    lobe = 2 * (half * view).sum(-1, keepdims=True) * half - view
    sine = np.sqrt(x)
    cosine = sine[:, None, None] * circle + np.sqrt(1 - x)[:, None, None] * UP
    total = 0.0
    for light, measure in ((lobe, weight * 3 * rest**2), (cosine, weight)):
        up = light[..., 2] > 1e-9
        light = np.where(up[..., None], light, UP)
        value = pbr.evaluate_brdf(UP, view, light, color, roughness, metallic, specular)[..., 0] * light[..., 2]
        total += float((measure[:, None] * np.where(up, value / density(light), 0.0)).sum() / n)
    return total


@pytest.mark.parametrize("roughness", [0.0, 0.05, 0.2, 0.45, 0.7, 1.0])
@pytest.mark.parametrize(("metallic", "specular"), [(1.0, 0.0), (0.0, 0.5), (0.0, 1.0), (0.3, 0.5)])
def test_a_white_surface_returns_a_white_furnace(roughness: float, metallic: float, specular: float) -> None:
    for cosine in (0.1, 0.5, 1.0):
        view = np.array([np.sqrt(1 - cosine**2), 0.0, cosine])
        assert furnace(view, 1.0, roughness, metallic, specular) == pytest.approx(1.0, abs=0.01)


def test_without_compensation_the_furnace_would_be_dark() -> None:
    """What single scattering loses at roughness 1, so that the test above can fail; the truth's own quadrature."""
    assert 0.2 < sum(shading.directional_albedo(0.8, 1.0)) < 0.5


def test_grey_metal_reflects_less_at_every_bounce() -> None:
    """Between facets light is absorbed again and again: half-reflecting rough metal gives back less than half."""
    view = np.array([0.6, 0.0, 0.8])
    whole = sum(shading.directional_albedo(0.8, 1.0))
    single = 0.5 * shading.directional_albedo(0.8, 1.0)[0] + shading.directional_albedo(0.8, 1.0)[1]
    found = furnace(view, 0.5, 1.0, 1.0, 0.0)
    assert single < found < 0.5
    assert found == pytest.approx(single * (1 + 0.5 * (1 - whole) / whole), abs=2e-3)


def test_against_another_derivation() -> None:
    """tests/truth has the same model in other forms: its albedo by another quadrature, its lobe by other algebra."""
    rng = np.random.default_rng(3)
    for _ in range(30):
        view, color = around(rng, UP[None], 0.05)[0], rng.random(3)
        light = around(rng, np.tile(UP, (50, 1)), 0.02)
        rough, metallic, specular = rng.random(3)
        expected = shading.brdf(UP, view, light, color, max(rough, 0.1), metallic, specular)
        found = pbr.evaluate_brdf(UP, view, light, color, max(rough, 0.1), metallic, specular)
        np.testing.assert_allclose(found, expected, rtol=5e-3, atol=2e-4)


def test_lambert_is_exact() -> None:
    rng = np.random.default_rng(4)
    light = around(rng, np.tile(UP, (20, 1)), 0.0)
    found = pbr.evaluate_brdf(UP, (0.6, 0, 0.8), light, (0.8, 0.4, 0.1), rng.random(20), 0.0, 0.0)
    np.testing.assert_allclose(found, np.tile(np.array([0.8, 0.4, 0.1]) / np.pi, (20, 1)), rtol=1e-14)


def test_shapes_broadcast_and_lengths_do_not_matter() -> None:
    rng = np.random.default_rng(5)
    normal, view = rng.normal(size=(4, 1, 3)), rng.normal(size=(7, 3))
    found = pbr.evaluate_brdf(normal, view, (1, 2, 3), rng.random((7, 3)), rng.random((4, 7)), 0.5)
    assert found.shape == (4, 7, 3)
    assert found.dtype == np.float64
    assert pbr.evaluate_brdf(UP, UP, UP, 0.5, 0.5, 0.5).shape == (3,)
    scaled = pbr.evaluate_brdf(5 * normal, 2 * view, (2, 4, 6), 0.3, 0.4, 0.5)
    np.testing.assert_allclose(scaled, pbr.evaluate_brdf(normal, view, (1, 2, 3), 0.3, 0.4, 0.5), rtol=1e-12)


def test_below_the_surface_there_is_nothing() -> None:
    below = (0.3, 0.1, -0.2)
    assert (pbr.evaluate_brdf(UP, below, UP, 1.0, 0.5, 0.5) == 0).all()
    assert (pbr.evaluate_brdf(UP, UP, below, 1.0, 0.5, 0.5) == 0).all()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"normal": (0, 0)}, r"normal has shape \(2,\); wanted \(\.\.\., 3\)"),
        ({"view": (0, 0, 0)}, "view holds a zero"),
        ({"light": (0, np.nan, 1)}, "light holds a zero or non-finite"),
        ({"base_color": 1.5}, r"base_color runs from 1\.5 to 1\.5; wanted values in \[0, 1\]"),
        ({"base_color": (0.1, 0.2)}, r"base_color has shape \(2,\)"),
        ({"roughness": -0.1}, "roughness runs from"),
        ({"metallic": np.nan}, "metallic runs from"),
        ({"specular": "high"}, "specular is 'high'; wanted real numbers"),
        ({"roughness": np.zeros(4), "metallic": np.zeros(5)}, "do not broadcast"),
    ],
)
def test_bad_arguments(changed: dict[str, Any], told: str) -> None:
    given = {"normal": UP, "view": UP, "light": UP, "base_color": 0.5, "roughness": 0.5, "metallic": 0.0, **changed}
    with pytest.raises(InputError, match=told):
        pbr.evaluate_brdf(**given)


# The split-sum table


def test_split_sum_against_quadrature(renderer: vf.Renderer) -> None:
    """Over all roughnesses and cosines, and none of them at a node of the table."""
    rng = np.random.default_rng(6)
    mu = np.concatenate([rng.uniform(0.05, 1.0, 90), rng.uniform(0.005, 0.05, 30)])
    rough = rng.random(120)
    found = pbr.split_sum(mu, rough)
    assert found.shape == (120, 2)
    expected = np.array([shading.directional_albedo(float(m), float(r)) for m, r in zip(mu, rough, strict=True)])
    errors = np.abs(found - expected).max(-1)
    print(f"worst over 0.05: {errors[:90].max():.5f}, under: {errors[90:].max():.5f}")
    assert (errors < np.where(mu < 0.05, 0.01, 0.003)).all()


def test_the_host_knows_the_same_table(renderer: vf.Renderer) -> None:
    table = renderer.split_sum()
    assert table.shape == (pbr.TABLE_SIZE, pbr.TABLE_SIZE, 2)
    np.testing.assert_allclose(table, pbr._table(), atol=1e-5)


def test_split_sum_of_bad_arguments() -> None:
    with pytest.raises(InputError, match="mu runs from"):
        pbr.split_sum(1.2, 0.5)
    with pytest.raises(InputError, match="broadcast"):
        pbr.split_sum(np.zeros(3), np.zeros(4))


# The shaders

SHADER = """
#extension GL_GOOGLE_include_directive : require
#include "include/brdf.glsl"
layout(local_size_x = 64) in;
struct Case { vec3 n; vec3 v; vec3 l; vec3 albedo; float roughness; float metallic; float specular; };
layout(set = 0, binding = 0, scalar) readonly buffer Cases { Case items[]; } cases;
layout(set = 0, binding = 1, scalar) writeonly buffer Results { vec3 items[]; } results;
void main() {
    uint i = gl_GlobalInvocationID.x;
    if (i >= cases.items.length()) return;
    Case c = cases.items[i];
    Surface s = make_surface(c.albedo, c.roughness, c.metallic, c.specular, dot(c.n, c.v));
    results.items[i] = brdf_cosine(s, c.n, c.v, c.l);
}
"""


def shaded(renderer: vf.Renderer, cases: np.ndarray) -> np.ndarray:
    """Return (n, 3): what the shaders make of (n, 15) float32 cases."""
    device = renderer._device
    owner, split_sum, frame = Owner(device, "cases"), DeviceSplitSum(device), None
    try:
        given = Buffer(owner, "cases", cases.nbytes, frozenset(["storage"]), Intent.UPLOAD)
        results = Buffer(owner, "results", 12 * len(cases), frozenset(["storage"]), Intent.READBACK)
        given.array(np.float32, cases.size)[:] = cases.ravel()
        graph = Graph("cases", load_shader=device_lab.loader({"cases": SHADER}))
        output = graph.import_buffer("results", results)
        table = graph.import_image("split_sum", split_sum.image)
        buffers: Any = {"cases": graph.import_buffer("cases", given), "results": output}
        graph.compute("cases", "cases", (len(cases), 1), split_sum=table, **buffers)
        graph.hand_over("read back", Access.HOST_READ, output)
        frame = Frame(device, graph, slots=1, once=True)
        device_lab.run_frame(frame)
        results.invalidate()
        return results.array(np.float32, 3 * len(cases)).reshape(-1, 3).astype(np.float64)
    finally:
        if frame is not None:
            frame.release()
        split_sum.release()
        owner.release()


def test_shaders_agree(renderer: vf.Renderer) -> None:
    """Random directions and parameters, a third with the light near the mirror's direction, and the extremes.

    To 1e-5 wherever float32 directions say what the BRDF is to 1e-5; in narrow lobes to as much as they leave unsure.
    """
    rng = np.random.default_rng(7)
    count = 30_000
    normal = rng.normal(size=(count, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    view, light = around(rng, normal, 0.001), around(rng, normal, 0.001)
    mirror = 2 * (normal * view).sum(-1, keepdims=True) * normal - view
    near = shading.normalize(mirror + 0.1 * rng.normal(size=(count, 3)))
    light[::3] = np.where((near * normal).sum(-1, keepdims=True) > 0, near, light)[::3]
    numbers = rng.random((count, 6))
    numbers[:3000, 3:] = np.round(numbers[:3000, 3:])  # roughness, metallic and specular of 0 and 1
    cases = np.concatenate([normal, view, light, numbers], axis=1).astype(np.float32)
    found = shaded(renderer, cases)
    n, v, to_light = (shading.normalize(cases[:, i : i + 3].astype(np.float64)) for i in (0, 3, 6))
    color = cases[:, 9:12].astype(np.float64)
    rough, metallic, specular = cases[:, 12:].T.astype(np.float64)

    def reflected(n: np.ndarray, v: np.ndarray, to_light: np.ndarray) -> np.ndarray:
        cosine = (n * to_light).sum(-1, keepdims=True)
        return pbr.evaluate_brdf(n, v, to_light, color, rough, metallic, specular) * np.maximum(cosine, 0)

    expected = reflected(n, v, to_light)

    def errors(of: np.ndarray) -> np.ndarray:
        return (np.abs(of - expected) / np.maximum(1.0, expected)).max(-1)

    # A component is rounded by 2^-25 at most, one of v + l by 2^-24: so far h may turn against n, and errors of length
    # turn it no less. D's logarithm changes by 4 sin / (sin^2 + alpha^2 cos^2) for each radian of that.
    half = v + to_light
    length = np.linalg.norm(half, axis=1)
    turned = np.sqrt(3) * 2.0**-25 * (1 + 4 / length)
    sine = np.linalg.norm(np.cross(n, half), axis=1) / length
    unsure = turned * 4 * sine / (sine**2 + np.maximum(rough**2, pbr.SMOOTHEST) ** 2 * (1 - sine**2))
    error, bar = errors(found), np.maximum(1e-5, unsure)
    worst = int((error / bar).argmax())
    print(f"worst {error.max():.2e}; {error[worst] / bar[worst]:.2f} of the bar at {cases[worst]}: {found[worst]}")
    assert (error < bar).all()
    assert np.mean(bar > 1e-5) < 0.1
    assert expected[bar == 1e-5].max() > 50
    # That the bar is no lower is the inputs' doing: float64 itself misses 1e-5 by their rounding alone.
    assert errors(reflected(normal, view, light)).max() > 2e-5
