"""The AOVs: what a frame can hand out beside its picture, by name, with channels, units and names in OpenEXR."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vkforge.errors import InputError, suggest


@dataclass(frozen=True, slots=True)
class Aov:
    """One arbitrary output variable. Every AOV is float32 and taken at the first hit of a pixel's ray.

    Attributes:
        name: key in `Image.aovs`.
        channels: 1 for an (h, w) array, 3 for (h, w, 3).
        unit: unit of the values; "1" for ratios and directions.
        description: one line for people.
        exr_channels: its channels' names in an OpenEXR file, as compositors expect them.
    """

    name: str
    channels: int
    unit: str
    description: str
    exr_channels: tuple[str, ...]


_XYZ, _RGB = ("X", "Y", "Z"), ("R", "G", "B")


def _layer(layer: str, parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{layer}.{part}" for part in parts)


AOVS: dict[str, Aov] = {
    aov.name: aov
    for aov in (
        Aov("depth", 1, "m", "distance along the ray from the camera; inf where it meets the sky", ("Z",)),
        Aov("position", 3, "m", "point hit, in world coordinates (x east, y north, z up)", _layer("P", _XYZ)),
        Aov("normal", 3, "1", "shading normal in world coordinates, unit length", _layer("N", _XYZ)),
        Aov("geometric_normal", 3, "1", "normal of the surface itself, in world coordinates", _layer("Ng", _XYZ)),
        Aov("albedo", 3, "1", "base colour, linear Rec.709", _layer("albedo", _RGB)),
        Aov("roughness", 1, "1", "roughness, 0 (mirror) to 1", ("roughness.V",)),
        Aov("metallic", 1, "1", "0 for dielectrics, 1 for metals", ("metallic.V",)),
        Aov("emission", 3, "W/m2/sr", "radiance that the surface sends out by itself", _layer("emission", _RGB)),
        Aov("sun_visibility", 1, "1", "share of the sun's disc that is seen, 0 in full shadow", ("sun_visibility.V",)),
        Aov(
            "sky_visibility",
            1,
            "1",
            "cosine-weighted share of the sky that is seen",
            ("sky_visibility.V",),
        ),
        Aov(
            "variance",
            1,
            "radiance^2",
            "variance of the mean luminance, as of independent samples",
            ("variance.V",),
        ),
        Aov("hit", 1, "1", "1 where the terrain or water is hit, 0 where the ray meets the sky", ("hit.V",)),
        Aov("water", 1, "1", "1 where the surface of water is hit", ("water.V",)),
    )
}
"""Every AOV that vkforge knows, by name."""


def check_aovs(names: Iterable[str]) -> tuple[str, ...]:
    """Return `names` as a tuple without repeats, in the order given.

    Raises:
        InputError: a name that isn't in `AOVS`, or anything but a list of names.
    """
    if isinstance(names, str):
        raise InputError(f"aovs wants a list of names, not the string {names!r}; write ({names!r},)")
    try:
        listed = tuple(names)
    except TypeError:
        raise InputError(f"aovs is {names!r}; wanted names such as ('depth', 'normal')") from None
    for name in listed:
        if not isinstance(name, str) or name not in AOVS:
            raise InputError(f"unknown AOV {name!r}{suggest(str(name), AOVS)} (known: {', '.join(AOVS)})")
    return tuple(dict.fromkeys(listed))
