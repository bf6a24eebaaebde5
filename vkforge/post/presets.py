"""Looks by name: plain settings, each the other half of a light of the same name (`Scene.lit_as`)."""

from __future__ import annotations

from typing import Any

from vkforge.post.grade import Grade
from vkforge.post.tone import Tonemap
from vkforge.settings import preset_name

# What each preset sets; everything else is as it is by default. `vkforge/scene/presets.py` has the lights.
LOOKS: dict[str, dict[str, Any]] = {
    "daylight": {"grade": Grade(contrast=1.08, saturation=1.1)},
    "golden-hour": {
        "tonemap": Tonemap("agx", contrast=1.2, saturation=1.15),
        "grade": Grade(temperature=7200.0, saturation=1.1, gain=1.08),
    },
    "overcast": {"grade": Grade(contrast=1.12, saturation=0.9)},
    "blue-hour": {"sky_rays": 16, "denoise": "atrous", "grade": Grade(temperature=4000.0, tint=-75.0, contrast=1.1)},
    "studio-relief": {},
    "swiss": {"grade": Grade(contrast=1.1, lift=(0.0, 0.01, 0.06), gain=(1.02, 1.0, 0.965))},
}


def look(name: str) -> dict[str, Any]:
    """Return the settings that a preset makes.

    Raises:
        InputError: no such preset.
    """
    return LOOKS[preset_name(name)]
