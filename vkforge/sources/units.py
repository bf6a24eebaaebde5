"""Units of length as files and users spell them, in metres."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from vkforge.errors import InputError
from vkforge.scene.checks import number, show

SURVEY = 1200 / 3937 / 0.3048  # the US survey foot by the international one, and so all that is made of them

_METRE, _FOOT, _YARD, _FATHOM = 1.0, 0.3048, 0.9144, 1.8288
_SPELLED = {
    _METRE: "m meter meters metre metres mtr mtrs mts",
    1000.0: "km kilometer kilometers kilometre kilometres kms",
    0.1: "dm decimeter decimeters decimetre decimetres",
    0.01: "cm centimeter centimeters centimetre centimetres cms",
    0.001: "mm millimeter millimeters millimetre millimetres mms",
    _FOOT: "ft feet foot fts",
    _YARD: "yd yard yards yds",
    _FATHOM: "fathom fathoms ftm fath fth",
    0.0254: "in inch inches",
    _FOOT * SURVEY: "usft ftus footus usfoot feetus usfeet ussurveyfoot ussurveyft",
}
_FACTORS = {word: factor for factor, words in _SPELLED.items() for word in words.split()}

_SURVEY_WORDS = {"us", "usa", "survey"}
# Words beside a unit that say nothing of its length: the kind of foot that is usual, what is measured, and from where.
_BESIDE = {"international", "intl", "of", "unit", "units", "height", "heights", "elevation", "elevations", "altitude"}
_BESIDE |= {"above", "over", "sea", "mean", "level", "msl", "asl", "amsl", "geoid", "ellipsoid", "navd88", "ngvd29"}
_BESIDE |= {"egm96", "egm2008", "geopotential", "vertical", "linear"}


def metres_per_unit(unit: str | None) -> float | None:
    """Return the metres in a unit of length as a file names it, or None of a name that is not known.

    Every case, plural, abbreviation and American or British spelling of metres (also kilo-, deci-, centi- and
    millimetres), feet (international and US survey), yards, fathoms and inches is known, and by pyproj, where that is
    installed, all that the EPSG registry has. No name at all is metres.
    """
    text = (unit or "").strip()
    return 1.0 if not text else _spelled(text) or _registered(text)


def _spelled(text: str) -> float | None:
    words = [word for word in re.split(r"[^a-z0-9]+", text.lower().replace(".", "")) if word]
    survey = bool(_SURVEY_WORDS & set(words))
    left = [word for word in words if word not in _SURVEY_WORDS and word not in _BESIDE]
    if len(left) > 1:
        left = [word for word in left if word != "in"]  # "height in feet"
    if len(left) != 1 or left[0] not in _FACTORS:
        return None
    factor = _FACTORS[left[0]]
    return factor * SURVEY if survey and factor in (_FOOT, _YARD, _FATHOM) else factor


def _registered(text: str) -> float | None:
    return _registry().get(re.sub(r"[\s_]+", " ", text.lower()))


@lru_cache(maxsize=1)
def _registry() -> dict[str, float]:
    """Return the EPSG registry's units of length by their names and by PROJ's short ones."""
    try:
        from pyproj.database import get_units_map
    except ImportError:
        return {}
    units = get_units_map(category="linear", allow_deprecated=True).values()
    names = {unit.name.lower(): unit.conv_factor for unit in units}
    return names | {unit.proj_short_name.lower(): unit.conv_factor for unit in units if unit.proj_short_name}


def checked_unit(given: Any) -> float | None:
    """Return the metres in a unit of height that a user says; negative where heights are depths; None of None.

    Args:
        given: a name, as "feet" or "km", or metres for each unit, as 0.3048, or -1.0 for depths in metres.

    Raises:
        InputError: another name, zero or no number.
    """
    if given is None:
        return None
    if isinstance(given, str):
        metres = metres_per_unit(given) if given.strip() else None
        if metres is None:
            try:
                metres = float(given)
            except ValueError:
                wanted = "wanted one as 'm', 'feet', 'us-ft', 'km' or 'fathom', or metres per unit"
                raise InputError(f"z_unit is {show(given)}, no unit of length that is known; {wanted}") from None
        given = metres
    metres = number("z_unit (metres per unit, negative for depths)", given, -1e6, 1e6)
    if metres == 0.0:
        raise InputError("z_unit is 0; wanted metres per unit, negative for depths")
    return metres
