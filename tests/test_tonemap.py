"""The tone mapping operators against their published values."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from vkforge.errors import InputError
from vkforge.settings import TONEMAPS
from vkforge.tonemapping import _AGX_CURVE, OPERATORS, srgb_encode, tonemap, tonemap_linear

GREYS = np.concatenate([np.zeros(1), np.geomspace(1e-6, 1e5, 400)])[:, None] * np.ones(3)
COLORS = np.random.default_rng(7).lognormal(-1.0, 2.5, (4000, 3))
SHADER = Path(__file__).parents[1] / "shaders/glsl/include/tonemap.glsl"


@pytest.mark.parametrize(
    ("operator", "radiance", "display"),
    [
        ("linear", 0.18, 0.18),
        ("linear", 7.0, 1.0),
        ("reinhard", 1.0, 0.5),
        ("reinhard", 3.0, 0.75),
        ("aces", 0.18, 0.1056),
        ("aces", 0.0, 0.0),
        ("neutral", 0.18, 0.140),
        ("neutral", 0.04, 0.01),  # f = x - x^2/0.16 leaves x^2/0.16
        ("neutral", 0.8, 0.76),
        ("agx", 0.0, 0.0),
        ("agx", 0.18, 0.2145),  # the fit's 0.4968 to the power 2.2
    ],
)
def test_published_values(operator: str, radiance: float, display: float) -> None:
    assert tonemap_linear(np.full(3, radiance), operator) == pytest.approx(display, abs=6e-5)


def test_operators_are_the_settings_in_order() -> None:
    assert OPERATORS == TONEMAPS
    for operator in OPERATORS:
        assert tonemap(COLORS[:5], operator).shape == (5, 3)


@pytest.mark.parametrize("operator", OPERATORS)
def test_stays_in_range_and_grey_stays_grey(operator: str) -> None:
    for radiance in (GREYS, COLORS):
        display = tonemap_linear(radiance, operator)
        assert display.dtype == np.float64
        assert display.min() >= 0.0
        assert display.max() <= 1.0
    grey = tonemap_linear(GREYS, operator)
    # Hill's matrices are rounded to five digits, so ACES white is off by as much.
    assert np.ptp(grey, axis=1).max() < 3e-5
    # Wrensch's polynomial sags by a hair at its very top.
    assert np.diff(grey[:, 0]).min() > -1e-3


@pytest.mark.parametrize("operator", OPERATORS)
def test_odd_numbers_are_defined(operator: str) -> None:
    odd = np.array([[np.nan, 0.5, 0.5], [-3.0, 0.5, 0.5], [np.inf, np.inf, np.inf], [-np.inf, np.nan, -0.0]])
    display = tonemap(odd, operator)
    assert np.isfinite(display).all()
    assert np.array_equal(display[0], display[1])
    assert display[2].min() > 0.99
    assert np.array_equal(display[3], tonemap(np.zeros(3), operator))
    assert np.isfinite(tonemap(np.full(3, 1e308), operator, exposure=10.0)).all()


@pytest.mark.parametrize("operator", OPERATORS)
def test_exposure_is_in_stops(operator: str) -> None:
    assert tonemap(COLORS, operator, exposure=-2.0) == pytest.approx(tonemap(COLORS / 4.0, operator))


def test_agx_curve_follows_the_closed_form_it_was_fitted_to() -> None:
    # Sobotka's sigmoid: pivot 0.5 at 10/16.5, slope 2, powers 3 (toe) and 3.25 (shoulder), through (0, 0) and (1, 1).
    pivot, slope = 10.0 / 16.5, 2.0
    x = np.linspace(0.0, 1.0, 101)
    below = x < pivot
    power = np.where(below, 3.0, 3.25)
    reach, limit = np.where(below, pivot, 1.0 - pivot), 0.5
    scale = ((slope * reach / limit) ** power - 1.0) / reach**power
    sigmoid = 0.5 + slope * (x - pivot) * (1.0 + scale * np.abs(x - pivot) ** power) ** (-1.0 / power)
    assert np.abs(np.polyval(_AGX_CURVE, x) - sigmoid).max() < 0.006


def test_neutral_keeps_hues_and_base_colours() -> None:
    base = np.random.default_rng(3).uniform(0.08, 0.8, (500, 3))
    assert tonemap_linear(base, "neutral") == pytest.approx(base - 0.04)
    bright = tonemap_linear(np.array([8.0, 4.0, 0.0]), "neutral")
    assert (bright[1] - bright[2]) / (bright[0] - bright[2]) == pytest.approx(0.5)


def test_srgb_encode() -> None:
    assert srgb_encode([0.0, 0.0031308, 0.18, 0.5, 1.0]) == pytest.approx(
        [0.0, 0.04045, 0.46136, 0.73536, 1.0], abs=1e-5
    )
    assert np.rint(tonemap(np.full(3, 0.2158605), "linear") * 255).tolist() == [128.0, 128.0, 128.0]


def test_refuses() -> None:
    with pytest.raises(InputError, match="did you mean 'reinhard'"):
        tonemap(COLORS, "rheinhard")
    with pytest.raises(InputError, match="exposure is nan"):
        tonemap(COLORS, "aces", exposure=float("nan"))
    with pytest.raises(InputError, match=r"RGB triples"):
        tonemap(np.zeros((4, 4)), "aces")


def test_shader_numbers_the_operators_alike() -> None:
    numbers = dict(re.findall(r"const uint TONEMAP_(\w+) = (\d+)u;", SHADER.read_text()))
    assert {name.lower(): int(index) for name, index in numbers.items()} == {o: i for i, o in enumerate(OPERATORS)}
