"""Exposure, grade, tone mapping, a table, and the sRGB transfer function."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vkforge.graph.builder import Graph, ImageResource
from vkforge.passes.post.lut import slices_a_row, table_rows
from vkforge.post.exposure import AutoExposure
from vkforge.post.grade import white_balance
from vkforge.post.lut import SPACES
from vkforge.post.tone import Tonemap, as_tonemap
from vkforge.settings import Settings
from vkforge.tonemapping import NEUTRAL_F90, OPERATORS


@dataclass(frozen=True)
class Display:
    """What decides which variant of the pass a picture needs.

    Attributes:
        operator: Index in `vkforge.tonemapping.OPERATORS`.
        custom_tone: Whether the operator has parameters of its own.
        auto_exposure: Whether the exposure is that of `post/exposure.py`.
        graded_light: Whether there is a grade before tone mapping.
        graded_display: Whether there is one after it.
        lut: NO_LUT, DISPLAY_LUT, SCENE_LUT or LINEAR_LUT of post/display.comp.
        shaper: Whether curves come before its table.
        dither: Whether the steps of 8 bits are hidden.
        grain: Whether there is any.
        transparent: Whether there is nothing behind the ground, and alpha says how much of a pixel it covers.
    """

    operator: int
    custom_tone: bool
    auto_exposure: bool
    graded_light: bool
    graded_display: bool
    lut: int
    shaper: bool
    dither: bool
    grain: bool
    transparent: bool

    @classmethod
    def of(cls, settings: Settings, *, smooth: bool, transparent: bool) -> Display:
        """Return what settings need; `smooth` says whether dither is wanted where they don't say."""
        tone, grade, lut = as_tonemap(settings.tonemap), settings.grade, settings.lut
        return cls(
            operator=OPERATORS.index(tone.operator),
            custom_tone=not tone.is_plain,
            auto_exposure=isinstance(settings.exposure, AutoExposure),
            graded_light=grade is not None and grade.changes_light,
            graded_display=grade is not None and grade.changes_display,
            lut=0 if lut is None else 1 + SPACES.index(lut.space),
            shaper=lut is not None and lut.shaper is not None,
            dither=smooth if settings.dither is None else settings.dither,
            grain=settings.grain is not None,
            transparent=transparent,
        )


def display(
    graph: Graph,
    size: tuple[int, int],
    frame: Any,
    radiance: ImageResource,
    variant: Display,
    *,
    exposure: ImageResource | None = None,
    lut: ImageResource | None = None,
    shares: ImageResource | None = None,
) -> ImageResource:
    """Declare the pass; return the display-referred picture."""
    picture = graph.image("display", "rgba8", size)
    graph.compute(
        "display",
        "post/display.comp",
        size,
        specialization={
            "OPERATOR": variant.operator,
            "CUSTOM_TONE": variant.custom_tone,
            "AUTO_EXPOSURE": variant.auto_exposure,
            "GRADED_LIGHT": variant.graded_light,
            "GRADED_DISPLAY": variant.graded_display,
            "LUT": variant.lut,
            "SHAPER": variant.shaper,
            "DITHER": variant.dither,
            "GRAIN": variant.grain,
            "TRANSPARENT": variant.transparent,
        },
        frame=frame,
        tone=graph.block("tone"),
        grain=graph.block("grain"),
        radiance=radiance,
        display=picture,
        # What is not there is not read; something must be bound all the same.
        exposure=exposure or radiance,
        lut=lut or radiance,
        shares=shares or radiance,
    )
    return picture


def fill_tone(block: Any, settings: Settings) -> None:
    """Write the `tone` block: what is not asked for is not read, and stays as it was."""
    _fill_curve(block["curve"], as_tonemap(settings.tonemap))
    grade = settings.grade
    if grade is not None:
        block["white_balance"] = white_balance(grade.temperature, grade.tint)
        block["contrast"] = grade.contrast
        block["saturation"] = grade.saturation
        block["lift"] = grade.lift
        block["inverse_gamma"] = 1.0 / np.asarray(grade.gamma)
        block["gain"] = grade.gain
    if settings.lut is not None:
        low, high = settings.lut.domain_min, settings.lut.domain_max
        block["lut_low"] = low
        block["lut_per_unit"] = [1.0 / (end - start) for start, end in zip(low, high, strict=True)]
        block["lut_side"] = len(settings.lut.table)
        block["lut_slices_a_row"] = slices_a_row(len(settings.lut.table))
        if settings.lut.shaper is not None:
            begin, end = settings.lut.shaper_range
            block["shaper_low"] = begin
            block["shaper_per_unit"] = 1.0 / (end - begin)
            block["shaper_size"] = len(settings.lut.shaper)
            block["shaper_row"] = table_rows(settings.lut)


def _fill_curve(curve: Any, tone: Tonemap) -> None:
    if tone.operator == "reinhard":
        curve["reinhard_bend"] = tone.parameter("white") ** -2.0
    elif tone.operator == "hable":
        a, b, c, d, e, f = tone.parameter("coefficients")
        white = tone.parameter("white")
        at_white = 1.0
        if math.isfinite(white):
            at_white = (white * (a * white + c * b) + d * e) / (white * (a * white + b) + d * f)
        for name, value in (("a", a), ("cb", c * b), ("de", d * e), ("b", b), ("df", d * f), ("toe", e / f)):
            curve[f"hable_{name}"] = value
        curve["hable_scale"] = 1.0 / (at_white - e / f)
    elif tone.operator == "agx":
        curve["agx_contrast"] = tone.parameter("contrast")
        curve["agx_saturation"] = tone.parameter("saturation")
    elif tone.operator == "neutral":
        curve["neutral_start"] = tone.parameter("start") - NEUTRAL_F90
        curve["neutral_desaturation"] = tone.parameter("desaturation")
