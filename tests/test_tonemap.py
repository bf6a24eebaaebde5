"""The tone mapping operators against their published values."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vkforge.errors import InputError
from vkforge.post.tone import Tonemap
from vkforge.settings import TONEMAPS, Settings
from vkforge.tonemapping import _AGX_CURVE, OPERATORS, srgb_encode, tonemap

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
        ("hable", 0.0, 0.0),
        ("hable", 11.2, 1.0),
        ("hable", 1.0, 0.3043),
        ("aces-narkowicz", 0.18, 0.2669),
        ("aces-narkowicz", 0.0, 0.0),
        ("aces-narkowicz", 1.0, 2.54 / 3.16),
        ("aces-hill", 0.18, 0.1056),
        ("aces-hill", 0.0, 0.0),
        ("neutral", 0.18, 0.140),
        ("neutral", 0.04, 0.01),  # f = x - x^2/0.16 leaves x^2/0.16
        ("neutral", 0.8, 0.76),
        ("agx", 0.0, 0.0),
        ("agx", 0.18, 0.2145),  # the fit's 0.4968 to the power 2.2
    ],
)
def test_published_values(operator: str, radiance: float, display: float) -> None:
    assert tonemap(np.full(3, radiance), operator, encode=False) == pytest.approx(display, abs=6e-5)


def test_operators_are_the_settings_in_order() -> None:
    assert OPERATORS == TONEMAPS
    for operator in OPERATORS:
        assert tonemap(COLORS[:5], operator).shape == (5, 3)


def closed_forms() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """The operators as their authors write them, which is not how vkforge does."""

    def hable(x: np.ndarray) -> np.ndarray:
        a, b, c, d, e, f = 0.15, 0.50, 0.10, 0.20, 0.02, 0.30

        def curve(x: Any) -> Any:
            return ((x * (a * x + c * b) + d * e) / (x * (a * x + b) + d * f)) - e / f

        return curve(x) / curve(11.2)

    def hill(x: np.ndarray) -> np.ndarray:
        r, g, b = np.moveaxis(x, -1, 0)
        into = [
            0.59719 * r + 0.35458 * g + 0.04823 * b,
            0.07600 * r + 0.90834 * g + 0.01566 * b,
            0.02840 * r + 0.13383 * g + 0.83777 * b,
        ]
        r, g, b = ((v * (v + 0.0245786) - 0.000090537) / (v * (0.983729 * v + 0.4329510) + 0.238081) for v in into)
        return np.stack(
            [
                1.60475 * r - 0.53108 * g - 0.07367 * b,
                -0.10208 * r + 1.10813 * g - 0.00605 * b,
                -0.00327 * r - 0.07276 * g + 1.07602 * b,
            ],
            axis=-1,
        )

    def neutral(color: np.ndarray) -> np.ndarray:
        start, desaturation = 0.8 - 0.04, 0.15
        color = color.copy()
        x = color.min()
        color -= x - 6.25 * x * x if x < 0.08 else 0.04
        peak = color.max()
        if peak < start:
            return color
        d = 1.0 - start
        new_peak = 1.0 - d * d / (peak + d - start)
        color *= new_peak / peak
        g = 1.0 - 1.0 / (desaturation * (peak - new_peak) + 1.0)
        return color * (1.0 - g) + new_peak * g

    return {
        "reinhard": lambda x: x / (x + 1),
        "hable": hable,
        "aces-narkowicz": lambda x: (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14),
        "aces-hill": hill,
        "neutral": lambda x: np.array([neutral(color) for color in x]),
    }


@pytest.mark.parametrize("operator", closed_forms())
def test_closed_forms(operator: str) -> None:
    wanted = np.clip(closed_forms()[operator](COLORS), 0.0, 1.0)
    np.testing.assert_allclose(tonemap(COLORS, operator, encode=False), wanted, atol=1e-9)
    np.testing.assert_allclose(tonemap(COLORS, operator), srgb_encode(wanted), atol=1e-6)


def test_agx_is_that_of_three_js() -> None:
    """Its shader's numbers: matrices with four digits from and to Rec.2020, written column by column."""
    to_2020 = np.array([[0.6274, 0.0691, 0.0164], [0.3293, 0.9195, 0.0880], [0.0433, 0.0113, 0.8956]]).T
    from_2020 = np.array([[1.6605, -0.1246, -0.0182], [-0.5876, 1.1329, -0.1006], [-0.0728, -0.0083, 1.1187]]).T
    inset = np.array(
        [
            [0.856627153315983, 0.137318972929847, 0.11189821299995],
            [0.0951212405381588, 0.761241990602591, 0.0767994186031903],
            [0.0482516061458583, 0.101439036467562, 0.811302368396859],
        ]
    ).T
    outset = np.array(
        [
            [1.1271005818144368, -0.1413297634984383, -0.14132976349843826],
            [-0.11060664309660323, 1.157823702216272, -0.11060664309660294],
            [-0.016493938717834573, -0.016493938717834257, 1.2519364065950405],
        ]
    ).T
    x = np.log2(np.maximum(COLORS @ to_2020.T @ inset.T, 1e-10))
    x = np.clip((x + 12.47393) / (4.026069 + 12.47393), 0.0, 1.0)
    x2 = x * x
    x4 = x2 * x2
    x = 15.5 * x4 * x2 - 40.14 * x4 * x + 31.96 * x4 - 6.868 * x2 * x + 0.4298 * x2 + 0.1191 * x - 0.00232
    wanted = np.clip(np.maximum(x @ outset.T, 0.0) ** 2.2 @ from_2020.T, 0.0, 1.0)
    assert np.abs(tonemap(COLORS, "agx", encode=False) - wanted).max() < 0.005


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [("aces_narkowicz", "aces-narkowicz"), ("aces_hill", "aces-hill"), ("aces", "aces-hill"), ("hable", "hable")],
)
def test_spellings(spelled: str, meant: str) -> None:
    assert np.array_equal(tonemap(COLORS, spelled), tonemap(COLORS, meant))
    assert Settings(tonemap=spelled).tonemap == meant


@pytest.mark.parametrize("operator", OPERATORS)
def test_stays_in_range_and_grey_stays_grey(operator: str) -> None:
    for radiance in (GREYS, COLORS):
        display = tonemap(radiance, operator, encode=False)
        assert display.dtype == np.float64
        assert display.min() >= 0.0
        assert display.max() <= 1.0
    grey = tonemap(GREYS, operator, encode=False)
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
    assert tonemap(base, "neutral", encode=False) == pytest.approx(base - 0.04)
    bright = tonemap(np.array([8.0, 4.0, 0.0]), "neutral", encode=False)
    assert (bright[1] - bright[2]) / (bright[0] - bright[2]) == pytest.approx(0.5)


def test_srgb_encode() -> None:
    assert srgb_encode([0.0, 0.0031308, 0.18, 0.5, 1.0]) == pytest.approx(
        [0.0, 0.04045, 0.46136, 0.73536, 1.0], abs=1e-5
    )
    assert np.rint(tonemap(np.full(3, 0.2158605), "linear") * 255).tolist() == [128.0, 128.0, 128.0]


def test_refuses() -> None:
    with pytest.raises(InputError, match="did you mean 'reinhard'"):
        tonemap(COLORS, "rheinhard")
    with pytest.raises(InputError, match=r"exposure \(EV stops\) is nan"):
        tonemap(COLORS, "aces-hill", exposure=float("nan"))
    with pytest.raises(InputError, match=r"RGB triples"):
        tonemap(np.zeros((4, 4)), "aces-hill")


def test_shader_numbers_the_operators_alike() -> None:
    numbers = dict(re.findall(r"const uint TONEMAP_(\w+) = (\d+)u;", SHADER.read_text()))
    assert {name.lower().replace("_", "-"): int(index) for name, index in numbers.items()} == {
        o: i for i, o in enumerate(OPERATORS)
    }


# Parameters


def test_reinhard_has_a_white() -> None:
    """Equation 4 of Reinhard et al. 2002."""
    x = GREYS[:, 0]
    got = tonemap(GREYS, Tonemap("reinhard", white=3.0), encode=False)[:, 0]
    assert got == pytest.approx(np.minimum(x * (1.0 + x / 9.0) / (1.0 + x), 1.0))
    assert tonemap(np.full(3, 3.0), Tonemap("reinhard", white=3.0), encode=False) == pytest.approx(1.0)


def test_hable_has_a_white_and_coefficients() -> None:
    for white in (2.0, 11.2, 30.0):
        assert tonemap(np.full(3, white), Tonemap("hable", white=white), encode=False) == pytest.approx(1.0)
    # With nothing of a toe or a shoulder left, a straight line.
    line = Tonemap("hable", white=2.0, coefficients=(1e-12, 1e-7, 1.0, 1.0, 0.0, 1.0))
    assert tonemap(np.full(3, 1.0), line, encode=False) == pytest.approx(0.5, abs=1e-5)


def test_agx_has_a_look() -> None:
    assert np.ptp(tonemap(COLORS, Tonemap("agx", saturation=0.0), encode=False), axis=-1).max() < 1e-6
    dark, bright = (tonemap(np.full(3, x), "agx") for x in (0.02, 3.0))
    contrasted = [tonemap(np.full(3, x), Tonemap("agx", contrast=1.4)) for x in (0.02, 3.0)]
    assert contrasted[1][0] / contrasted[0][0] > bright[0] / dark[0]


def test_neutral_has_a_start_and_a_desaturation() -> None:
    below = np.random.default_rng(3).uniform(0.1, 0.49, (200, 3))
    assert tonemap(below, Tonemap("neutral", start=0.5), encode=False) == pytest.approx(below - 0.04)
    bright = np.array([8.0, 1.0, 0.5])
    spread = [
        np.ptp(tonemap(bright, Tonemap("neutral", desaturation=amount), encode=False)) for amount in (0.0, 0.15, 1.0)
    ]
    assert spread[0] > spread[1] > spread[2]


@pytest.mark.parametrize("operator", OPERATORS)
def test_without_parameters_it_is_the_operator(operator: str) -> None:
    assert Tonemap(operator).is_plain
    assert np.array_equal(tonemap(COLORS, Tonemap(operator)), tonemap(COLORS, operator))
