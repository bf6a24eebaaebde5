"""From radiance to what a screen shows, in float64: what `shaders/glsl/post/display.comp` does, but for its dither."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vkforge.post.exposure import AutoExposure
from vkforge.post.lut import log_decode, log_encode
from vkforge.post.primaries import to_rec709
from vkforge.scene.checks import number, rgb_array
from vkforge.settings import Settings
from vkforge.tonemapping import exposed, srgb_encode, tone_curve


def stops_of(hdr: ArrayLike, settings: Settings) -> float:
    """Return the exposure in stops that settings give a picture, of radiance as `Image.hdr` has it."""
    if isinstance(settings.exposure, AutoExposure):
        return settings.exposure.stops(to_rec709(np.asarray(hdr, np.float64), settings.primaries))
    assert settings.stops is not None  # only an automatic exposure has none
    return settings.stops


def finish(hdr: ArrayLike, settings: Settings, stops: float | None = None) -> NDArray[np.float64]:
    """Return the picture that settings make of radiance: exposure, grade, tone mapping, table, sRGB, grain.

    `Image.rgba` is 255 times this, rounded, where nothing is dithered. Here it has all its bits, for more of them in a
    file, and for radiance that was changed after the render.

    Args:
        hdr: (..., 3) scene-linear radiance, as `Image.hdr` has it: with the primaries that the settings say.
        settings: exposure, grade, lut, tonemap, grain (and its seed) and primaries count.
        stops: the exposure, where it is known already: ``Image.info["exposure"]``. None works it out.

    Returns:
        (..., 3) float64 in [0, 1], sRGB-encoded with Rec.709 primaries.

    Raises:
        InputError: an array whose last axis isn't 3 long; with grain, one that isn't a picture, (h, w, 3).
    """
    hdr = rgb_array("hdr", hdr)
    stops = stops_of(hdr, settings) if stops is None else number("stops", stops)
    light = exposed(to_rec709(hdr, settings.primaries), stops)
    grade, lut = settings.grade, settings.lut
    if grade is not None and grade.changes_light:
        light = exposed(grade.light(light))
    if lut is not None and lut.space == "scene":
        light = exposed(log_decode(lut.apply(log_encode(light))))
    if lut is not None and lut.space == "linear":
        picture = np.clip(lut.apply(light), 0.0, 1.0)
    else:
        picture = srgb_encode(tone_curve(light, settings.tonemap))
    if grade is not None and grade.changes_display:
        picture = grade.display(picture)
    if lut is not None and lut.space == "display":
        picture = np.clip(lut.apply(picture), 0.0, 1.0)
    if settings.grain is not None:
        picture = settings.grain.apply(picture, settings.seed)
    return picture
