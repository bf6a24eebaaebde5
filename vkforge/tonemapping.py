"""Tone mapping: scene-linear radiance to display-referred colour, in float64 NumPy.

This is the reference that `shaders/glsl/include/tonemap.glsl` follows term by term; a test holds the two together.
Every operator takes Rec.709 radiance multiplied by ``2**exposure`` and gives display-linear Rec.709 in [0, 1], which
`srgb_encode` then turns into what a PNG holds:

``linear``
    clip to [0, 1], nothing else.
``reinhard``
    x / (1 + x) on each channel: Reinhard, Stark, Shirley and Ferwerda 2002, "Photographic Tone Reproduction for Digital
    Images", equation 3, without the key value (that is `exposure`) and on channels, not on luminance.
``hable``
    F(x) / F(11.2) on each channel, F(x) = (x (0.15 x + 0.05) + 0.004) / (x (0.15 x + 0.5) + 0.06) - 0.02 / 0.3: John
    Hable's filmic curve of Uncharted 2 ("Filmic Tonemapping Operators", 2010), white at 11.2, no extra exposure.
``aces-narkowicz``
    x (2.51 x + 0.03) / (x (2.43 x + 0.59) + 0.14) on each channel: Krzysztof Narkowicz's fit ("ACES Filmic Tone Mapping
    Curve", 2016), with no extra exposure: 0.18 gives 0.2669.
``aces-hill``
    Stephen Hill's fit of the ACES 1.0 RRT and sRGB ODT (in MJP's BakingLab, 2016), with its two colour matrices and
    no extra exposure: 0.18 gives 0.1056. Plain ``aces`` is this one.
``agx``
    AgX as three.js has it (`AgXToneMapping`, which is Filament's): Troy Sobotka's AgX with Eary Chow's inset and outset
    in Rec.2020, Benjamin Wrensch's sixth-degree fit of the default contrast curve, and 2.2 as the display exponent.
    Sobotka's own configuration and Blender's look-up table are others, up to 0.16 away.
``neutral``
    the Khronos PBR Neutral tone mapper, closed form of its specification (2024): 0.18 gives 0.14, and base colours
    between 0.08 and 0.8 come out shifted by the 0.04 of a dielectric's reflection, otherwise exact.

NaN and negative radiance count as 0 and anything above `BRIGHTEST` (infinity too) as `BRIGHTEST`, so the result is
always finite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vkforge.post.tone import Tonemap, as_tonemap
from vkforge.scene.checks import number, rgb_array
from vkforge.settings import TONEMAPS

BRIGHTEST = 65504.0  # the largest half float: above it every operator is white, and its square still fits a float32

_HILL_INPUT = np.array([[0.59719, 0.35458, 0.04823], [0.07600, 0.90834, 0.01566], [0.02840, 0.13383, 0.83777]])
_HILL_OUTPUT = np.array([[1.60475, -0.53108, -0.07367], [-0.10208, 1.10813, -0.00605], [-0.00327, -0.07276, 1.07602]])

# Between Rec.709 and Rec.2020 primaries, both with white D65, from the chromaticities in ITU-R BT.709 and BT.2020.
REC709_TO_REC2020 = np.array(
    [
        [0.627403895935, 0.329283038378, 0.043313065687],
        [0.069097289358, 0.919540395075, 0.011362315566],
        [0.016391438875, 0.088013307877, 0.895595253248],
    ]
)
REC2020_TO_REC709 = np.linalg.inv(REC709_TO_REC2020)
_AGX_INSET = np.array(
    [
        [0.856627153315983, 0.0951212405381588, 0.0482516061458583],
        [0.137318972929847, 0.761241990602591, 0.101439036467562],
        [0.11189821299995, 0.0767994186031903, 0.811302368396859],
    ]
)
_AGX_OUTSET = np.array(
    [
        [1.1271005818144368, -0.11060664309660323, -0.016493938717834573],
        [-0.1413297634984383, 1.157823702216272, -0.016493938717834257],
        [-0.14132976349843826, -0.11060664309660294, 1.2519364065950405],
    ]
)
_AGX_CURVE = (15.5, -40.14, 31.96, -6.868, 0.4298, 0.1191, -0.00232)  # highest power first
_AGX_MIN_EV, _AGX_MAX_EV = -12.47393, 4.026069  # log2 of 0.18 minus 10 and plus 6.5 stops

NEUTRAL_F90 = 0.04
_LUMINANCE = (0.2126, 0.7152, 0.0722)  # Rec.709

Pixels = NDArray[np.float64]


def _linear(rgb: Pixels, tone: Tonemap) -> Pixels:
    return rgb


def _reinhard(rgb: Pixels, tone: Tonemap) -> Pixels:
    return rgb * (1.0 + rgb / tone.parameter("white") ** 2) / (1.0 + rgb)


def _hable(rgb: Pixels, tone: Tonemap) -> Pixels:
    a, b, c, d, e, f = tone.parameter("coefficients")

    def curve(x: Pixels | float) -> Any:
        return (x * (a * x + c * b) + d * e) / (x * (a * x + b) + d * f) - e / f

    white = tone.parameter("white")
    return curve(rgb) / (curve(white) if np.isfinite(white) else 1.0 - e / f)


def _aces_narkowicz(rgb: Pixels, tone: Tonemap) -> Pixels:
    return rgb * (2.51 * rgb + 0.03) / (rgb * (2.43 * rgb + 0.59) + 0.14)


def _aces_hill(rgb: Pixels, tone: Tonemap) -> Pixels:
    v = rgb @ _HILL_INPUT.T
    fitted = (v * (v + 0.0245786) - 0.000090537) / (v * (0.983729 * v + 0.4329510) + 0.238081)
    return fitted @ _HILL_OUTPUT.T


def _agx(rgb: Pixels, tone: Tonemap) -> Pixels:
    inset = rgb @ (_AGX_INSET @ REC709_TO_REC2020).T
    stops = np.log2(np.clip(inset, 2.0**_AGX_MIN_EV, 2.0**_AGX_MAX_EV))
    curve = np.polyval(_AGX_CURVE, (stops - _AGX_MIN_EV) / (_AGX_MAX_EV - _AGX_MIN_EV))
    if not tone.is_plain:
        curve = np.maximum(curve, 0.0) ** tone.parameter("contrast")
        grey = (curve @ np.array(_LUMINANCE))[..., None]
        curve = grey + tone.parameter("saturation") * (curve - grey)
    display = np.maximum(curve @ _AGX_OUTSET.T, 0.0) ** 2.2
    return display @ REC2020_TO_REC709.T


def _neutral(rgb: Pixels, tone: Tonemap) -> Pixels:
    start, desaturation = tone.parameter("start") - NEUTRAL_F90, tone.parameter("desaturation")
    darkest = rgb.min(axis=-1, keepdims=True)
    offset = np.where(darkest <= 2 * NEUTRAL_F90, darkest - darkest**2 / (4 * NEUTRAL_F90), NEUTRAL_F90)
    shifted = rgb - offset
    peak = shifted.max(axis=-1, keepdims=True)
    beyond = np.maximum(peak, start)  # at the start and below the compression is the identity
    new_peak = 1.0 - (1.0 - start) ** 2 / (beyond + 1.0 - 2.0 * start)
    kept = 1.0 / (desaturation * (beyond - new_peak) + 1.0)
    return shifted * (new_peak / beyond) * kept + new_peak * (1.0 - kept)


_CURVES: dict[str, Callable[[Pixels, Tonemap], Pixels]] = {
    "linear": _linear,
    "reinhard": _reinhard,
    "hable": _hable,
    "aces-narkowicz": _aces_narkowicz,
    "aces-hill": _aces_hill,
    "agx": _agx,
    "neutral": _neutral,
}

OPERATORS: tuple[str, ...] = TONEMAPS
"""Names of the operators; a name's index here is the `operator_index` of the shader."""


def srgb_encode(linear: ArrayLike) -> NDArray[np.float64]:
    """Encode display-linear values with the sRGB transfer function (IEC 61966-2-1).

    Args:
        linear: values of any shape, wanted in [0, 1].

    Returns:
        float64 of the same shape; [0, 1] maps onto [0, 1].
    """
    linear = np.asarray(linear, dtype=np.float64)
    toe = 12.92 * linear
    return np.where(linear <= 0.0031308, toe, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055)


def exposed(radiance: ArrayLike, stops: float = 0.0) -> Pixels:
    """Return radiance times 2 to the stops, NaN and negative values as 0, what is above `BRIGHTEST` as that."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.asarray(radiance, np.float64) * np.exp2(np.float64(stops))
    # fmax, as the shader's `x > 0 ? x : 0`, takes NaN for 0.
    return np.minimum(np.fmax(scaled, 0.0), BRIGHTEST)


def tone_curve(light: Pixels, operator: str | Tonemap) -> Pixels:
    """Return display-linear values in [0, 1] of (..., 3) exposed radiance, as `exposed` gives it."""
    tone = as_tonemap(operator)
    return np.clip(_CURVES[tone.operator](light, tone), 0.0, 1.0)


def tonemap(
    hdr: ArrayLike, operator: str | Tonemap, exposure: float = 0.0, *, encode: bool = True
) -> NDArray[np.float64]:
    """Tone-map radiance to what a display shows.

    Args:
        hdr: (..., 3) scene-linear radiance with Rec.709 primaries.
        operator: one of `OPERATORS`, "aces_hill" is "aces-hill" too; or a `Tonemap` with parameters of its own.
        exposure: stops; radiance is multiplied by ``2**exposure`` first.
        encode: whether to apply the sRGB transfer function. False gives display-linear values, in which operators
            are published: 0.18 is then 0.140 by "neutral", 0.2669 by "aces-narkowicz" and 0.1056 by "aces-hill".

    Returns:
        (..., 3) float64 in [0, 1]; encoded, times 255 and rounded, it is what a PNG holds.

    Raises:
        InputError: unknown operator, an exposure that isn't finite, or an array whose last axis isn't 3 long.
    """
    tone = as_tonemap(operator)
    exposure = number("exposure (EV stops)", exposure)
    display = tone_curve(exposed(rgb_array("hdr", hdr), exposure), tone)
    return srgb_encode(display) if encode else display
