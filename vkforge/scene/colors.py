"""Colours as users write them: CSS names and hexadecimal (sRGB-encoded), or linear RGB with Rec.709 primaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vkforge.errors import InputError, suggest
from vkforge.scene.checks import Vector, number, show

# What users write: a CSS name or "#rrggbb" (sRGB), a grey number or three floats (linear), a uint8 array (sRGB).
Color = str | float | Sequence[float] | np.ndarray

# The names of CSS Color Module Level 4 with their sRGB bytes in hexadecimal; "grey" is spelt "gray" here.
_TABLE = """
aliceblue=f0f8ff antiquewhite=faebd7 aqua=00ffff aquamarine=7fffd4 azure=f0ffff beige=f5f5dc bisque=ffe4c4
black=000000 blanchedalmond=ffebcd blue=0000ff blueviolet=8a2be2 brown=a52a2a burlywood=deb887 cadetblue=5f9ea0
chartreuse=7fff00 chocolate=d2691e coral=ff7f50 cornflowerblue=6495ed cornsilk=fff8dc crimson=dc143c cyan=00ffff
darkblue=00008b darkcyan=008b8b darkgoldenrod=b8860b darkgray=a9a9a9 darkgreen=006400 darkkhaki=bdb76b
darkmagenta=8b008b darkolivegreen=556b2f darkorange=ff8c00 darkorchid=9932cc darkred=8b0000 darksalmon=e9967a
darkseagreen=8fbc8f darkslateblue=483d8b darkslategray=2f4f4f darkturquoise=00ced1 darkviolet=9400d3
deeppink=ff1493 deepskyblue=00bfff dimgray=696969 dodgerblue=1e90ff firebrick=b22222 floralwhite=fffaf0
forestgreen=228b22 fuchsia=ff00ff gainsboro=dcdcdc ghostwhite=f8f8ff gold=ffd700 goldenrod=daa520 gray=808080
green=008000 greenyellow=adff2f honeydew=f0fff0 hotpink=ff69b4 indianred=cd5c5c indigo=4b0082 ivory=fffff0
khaki=f0e68c lavender=e6e6fa lavenderblush=fff0f5 lawngreen=7cfc00 lemonchiffon=fffacd lightblue=add8e6
lightcoral=f08080 lightcyan=e0ffff lightgoldenrodyellow=fafad2 lightgray=d3d3d3 lightgreen=90ee90
lightpink=ffb6c1 lightsalmon=ffa07a lightseagreen=20b2aa lightskyblue=87cefa lightslategray=778899
lightsteelblue=b0c4de lightyellow=ffffe0 lime=00ff00 limegreen=32cd32 linen=faf0e6 magenta=ff00ff maroon=800000
mediumaquamarine=66cdaa mediumblue=0000cd mediumorchid=ba55d3 mediumpurple=9370db mediumseagreen=3cb371
mediumslateblue=7b68ee mediumspringgreen=00fa9a mediumturquoise=48d1cc mediumvioletred=c71585
midnightblue=191970 mintcream=f5fffa mistyrose=ffe4e1 moccasin=ffe4b5 navajowhite=ffdead navy=000080
oldlace=fdf5e6 olive=808000 olivedrab=6b8e23 orange=ffa500 orangered=ff4500 orchid=da70d6 palegoldenrod=eee8aa
palegreen=98fb98 paleturquoise=afeeee palevioletred=db7093 papayawhip=ffefd5 peachpuff=ffdab9 peru=cd853f
pink=ffc0cb plum=dda0dd powderblue=b0e0e6 purple=800080 rebeccapurple=663399 red=ff0000 rosybrown=bc8f8f
royalblue=4169e1 saddlebrown=8b4513 salmon=fa8072 sandybrown=f4a460 seagreen=2e8b57 seashell=fff5ee
sienna=a0522d silver=c0c0c0 skyblue=87ceeb slateblue=6a5acd slategray=708090 snow=fffafa springgreen=00ff7f
steelblue=4682b4 tan=d2b48c teal=008080 thistle=d8bfd8 tomato=ff6347 turquoise=40e0d0 violet=ee82ee wheat=f5deb3
white=ffffff whitesmoke=f5f5f5 yellow=ffff00 yellowgreen=9acd32
"""

NAMED_COLORS: dict[str, str] = {name: digits for name, _, digits in (entry.partition("=") for entry in _TABLE.split())}


def linear_color(name: str, given: Any) -> Vector:
    """Return a colour as linear RGB in [0, 1].

    Args:
        name: what the colour is for, in error messages.
        given: three floats (linear) or one (grey), a uint8 array of three (sRGB-encoded), or a string (sRGB): a CSS
            name, "#rgb" or "#rrggbb".

    Raises:
        InputError: an unknown name, a wrong number of channels, a channel out of range.
    """
    if isinstance(given, str):
        red, green, blue = (decode_srgb(channel / 255.0) for channel in encoded_color(name, given))
        return red, green, blue
    if isinstance(given, np.ndarray) and given.dtype == np.uint8:
        channels = [decode_srgb(int(channel) / 255.0) for channel in given.ravel()]
    else:
        try:
            channels = [given] * 3 if np.ndim(given) == 0 else list(given)
        except ValueError:
            channels = []
    if len(channels) != 3:
        raise InputError(f"{name} is {show(given)}; wanted linear RGB (r, g, b) or a colour string such as '#c8b89a'")
    red, green, blue = (
        number(f"{name} (linear; uint8 arrays and strings are sRGB)", part, 0.0, 1.0) for part in channels
    )
    return red, green, blue


def encoded_color(name: str, text: str) -> tuple[int, int, int]:
    """Return the sRGB bytes of a colour string.

    Raises:
        InputError: neither a CSS colour name nor "#rgb" nor "#rrggbb".
    """
    plain = text.strip().lower()
    digits = NAMED_COLORS.get(plain.replace("grey", "gray"), plain.removeprefix("#") if plain.startswith("#") else "")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    try:
        if len(digits) != 6:
            raise ValueError
        red, green, blue = bytes.fromhex(digits)
    except ValueError:
        hint = suggest(plain, NAMED_COLORS)
        raise InputError(f"{name}: no colour {text!r}{hint}; wanted a CSS colour name or '#rrggbb'") from None
    return red, green, blue


def decode_srgb(encoded: float) -> float:
    """Return the linear value of an sRGB-encoded one (IEC 61966-2-1)."""
    return encoded / 12.92 if encoded <= 0.04045 else ((encoded + 0.055) / 1.055) ** 2.4


def decode_srgb_array(encoded: np.ndarray) -> np.ndarray:
    """Return the linear values of sRGB-encoded ones, of any shape and float dtype (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def encode_srgb(linear: float) -> float:
    """Return the sRGB-encoded value of a linear one in [0, 1] (IEC 61966-2-1)."""
    return linear * 12.92 if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
