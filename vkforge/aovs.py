"""The AOVs: what a frame can hand out beside its picture, by name, with channels, units and names in OpenEXR."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from vkforge.errors import InputError, suggest


@dataclass(frozen=True, slots=True)
class Aov:
    """One arbitrary output variable. Every AOV is float32 and taken at the first hit of a pixel's ray.

    Attributes:
        name: key in `Image.aovs`.
        channels: 1 for an (h, w) array, n for (h, w, n).
        unit: unit of the values; "1" for ratios and directions.
        description: one line for people.
        exr_channels: its channels' names in an OpenEXR file, as compositors expect them.
        kind: "color" for light and colours; "number" for directions and ratios, which half floats hold well enough,
            too; "exact" for what needs all of a float: lengths, ids, variance.
    """

    name: str
    channels: int
    unit: str
    description: str
    exr_channels: tuple[str, ...]
    kind: Literal["color", "number", "exact"] = "number"


_XYZ, _RGB = ("X", "Y", "Z"), ("R", "G", "B")


def _layer(layer: str, parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{layer}.{part}" for part in parts)


AOVS: dict[str, Aov] = {
    aov.name: aov
    for aov in (
        Aov("beauty", 3, "W/m2/sr", "radiance of the picture, as Image.hdr has it", ("R", "G", "B"), "color"),
        Aov("depth", 1, "m", "distance along the ray from the camera; inf where it meets the sky", ("Z",), "exact"),
        Aov("position", 3, "m", "point hit, in world coordinates (x east, y north, z up)", _layer("P", _XYZ), "exact"),
        Aov("normal", 3, "1", "shading normal in world coordinates, unit length", _layer("N", _XYZ)),
        Aov("geometric_normal", 3, "1", "normal of the surface itself, in world coordinates", _layer("Ng", _XYZ)),
        Aov("albedo", 3, "1", "base colour, linear Rec.709", _layer("albedo", _RGB), "color"),
        Aov("roughness", 1, "1", "roughness, 0 (mirror) to 1", ("roughness.V",)),
        Aov("metallic", 1, "1", "0 for dielectrics, 1 for metals", ("metallic.V",)),
        Aov(
            "emission", 3, "W/m2/sr", "radiance that the surface sends out by itself", _layer("emission", _RGB), "color"
        ),
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
            "exact",
        ),
        Aov("coverage", 1, "1", "share of the pixel that terrain and water cover; the picture's alpha", ("A",)),
        Aov("object_id", 1, "1", "what is hit: 0 nothing, 1 terrain, 2 water", ("object_id.V",), "exact"),
        Aov("material_id", 1, "1", "what it is made of: 0 nothing, 1 terrain, 2 water", ("material_id.V",), "exact"),
        Aov(
            "direct", 3, "W/m2/sr", "light of sun, sky and lamps, by way of the ground", _layer("direct", _RGB), "color"
        ),
        Aov("indirect", 3, "W/m2/sr", "light of more bounces, and by way of water", _layer("indirect", _RGB), "color"),
        Aov("emitted", 3, "W/m2/sr", "light that the ground sends, as it arrives", _layer("emitted", _RGB), "color"),
        Aov(
            "air",
            3,
            "W/m2/sr",
            "light that air, fog and sky add; the four make the picture",
            _layer("air", _RGB),
            "color",
        ),
        Aov("ambient_occlusion", 1, "1", "share of directions, by the cosine, that are open", ("ambient_occlusion.V",)),
        Aov("depth_axis", 1, "m", "distance along the camera's axis; inf at the sky", ("depth_axis.Z",), "exact"),
        Aov("motion", 2, "px", "movement while the shutter is open, right and down", _layer("motion", "XY"), "exact"),
        Aov("hit", 1, "1", "1 where the terrain or water is hit, 0 where the ray meets the sky", ("hit.V",)),
        Aov("water", 1, "1", "1 where the surface of water is hit", ("water.V",)),
    )
}
"""Every AOV that vkforge knows, by name."""


def check_aovs(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return `names` as a tuple without repeats, in the order given; a name alone is that one, and "all" every one.

    Raises:
        InputError: a name that isn't in `AOVS`, or anything but names.
    """
    from vkforge.scene.checks import show  # which needs NumPy; `vkforge --help` must not

    try:
        listed = (names,) if isinstance(names, str) else tuple(names)
    except TypeError:
        raise InputError(f"aovs is {show(names)}; wanted a name or several, as ('depth', 'normal')") from None
    for name in listed:
        if name != "all" and (not isinstance(name, str) or name not in AOVS):
            raise InputError(f"unknown AOV {show(name)}{suggest(str(name), AOVS)} (known: {', '.join(AOVS)}, or all)")
    return tuple(AOVS) if "all" in listed else tuple(dict.fromkeys(listed))
