"""Look-up tables as text: `.cube` files, by Adobe's specification 1.0 and with Resolve's shapers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vkforge.errors import InputError, suggest
from vkforge.scene.checks import Vector, number, show

SMALLEST, LARGEST, LONGEST = 2, 256, 65_536  # Adobe's limits: of a side of three dimensions, and of one

_LIMITS = {"LUT_1D_SIZE": (SMALLEST, LONGEST), "LUT_3D_SIZE": (SMALLEST, LARGEST)}
_CORNERS = ("DOMAIN_MIN", "DOMAIN_MAX")
_ZEROS: Vector = (0.0, 0.0, 0.0)
_ONES: Vector = (1.0, 1.0, 1.0)
_RANGES = ("LUT_1D_INPUT_RANGE", "LUT_3D_INPUT_RANGE")  # Resolve's words for domains alike in all channels


class Cube(NamedTuple):
    """What a file holds.

    Attributes:
        table: (n, n, n, 3) by blue, green and red, or None where there is but one dimension.
        domain_min: (r, g, b) of its first entry.
        domain_max: (r, g, b) of its last.
        shaper: (m, 3), a curve for each channel that comes before the table, or None.
        shaper_range: where it begins and ends.
    """

    table: NDArray[np.float64] | None
    domain_min: Vector
    domain_max: Vector
    shaper: NDArray[np.float64] | None
    shaper_range: tuple[float, float]


def parse_cube(path: str, text: str) -> Cube:
    """Read a `.cube` file: keywords, each once, then the curve where there is one, then the table where there is one.

    Args:
        path: for error messages.
        text: all of it.

    Raises:
        InputError: a keyword, a line or a number of lines that a file like that can't have.
    """
    sizes, domains, rows = dict[str, int](), dict[str, Vector](), list[Vector]()
    known = (*_LIMITS, *_CORNERS, *_RANGES)
    for count, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words or line.split()[0] == "TITLE":
            continue
        where, keyword = f"{path}, line {count}", words[0]
        if keyword in known and (keyword in sizes or keyword in domains or rows):
            raise InputError(f"{where}: {keyword} {'after the colours' if rows else 'comes twice'}")
        if keyword in _LIMITS:
            sizes[keyword] = _size(where, line, words)
        elif keyword in _CORNERS:
            domains[keyword] = _numbers(where, words[1:])
        elif keyword in _RANGES:
            if len(words) != 3:
                raise InputError(f"{where}: {show(line.strip())}; wanted {keyword} and two numbers")
            domains[keyword] = _numbers(where, [*words[1:], "0"])
        elif keyword[0].isalpha() and keyword.lower() not in ("nan", "inf", "infinity"):
            hint = suggest(keyword, ("TITLE", *known))
            raise InputError(f"{where}: {show(keyword)} is no keyword of a .cube file{hint}")
        elif not sizes:
            raise InputError(f"{where}: numbers before LUT_3D_SIZE; wanted how many there are first")
        else:
            rows.append(_numbers(where, words))
    return _cube(path, sizes, domains, rows)


def _cube(path: str, sizes: dict[str, int], domains: dict[str, Vector], rows: list[Vector]) -> Cube:
    """Return the parts of a file whose lines are read."""
    if not sizes:
        raise InputError(f"{path} has no LUT_3D_SIZE, nor LUT_1D_SIZE; wanted a .cube file with a table")
    long, side = sizes.get("LUT_1D_SIZE", 0), sizes.get("LUT_3D_SIZE", 0)
    wanted = long + side**3
    if len(rows) != wanted:
        what = "it is truncated" if len(rows) < wanted else "it has too many, or its size is wrong"
        shape = " and ".join(
            [f"a curve of {long}"] * bool(long) + [f"a table of {side} x {side} x {side}"] * bool(side)
        )
        raise InputError(f"{path} has {len(rows)} colours for {shape} = {wanted}: {what}")
    colors = np.array(rows)
    low, high = domains.get("DOMAIN_MIN", _ZEROS), domains.get("DOMAIN_MAX", _ONES)
    begin, end = domains.get("LUT_1D_INPUT_RANGE", (0.0, 1.0, 0.0))[:2]
    if side and (both := domains.get("LUT_3D_INPUT_RANGE")):
        low, high = (both[0], both[0], both[0]), (both[1], both[1], both[1])
    if long and not side:
        if "LUT_1D_INPUT_RANGE" not in domains:
            if len({*low}) > 1 or len({*high}) > 1:
                raise InputError(f"{path} has a curve with another domain in each channel; wanted one for all")
            begin, end = low[0], high[0]
        return Cube(None, _ZEROS, _ONES, colors, (begin, end))
    table = colors[long:].reshape(side, side, side, 3)
    return Cube(table, low, high, colors[:long] if long else None, (begin, end))


def _size(where: str, line: str, words: list[str]) -> int:
    low, high = _LIMITS[words[0]]
    size = int(words[1]) if len(words) == 2 and words[1].isdecimal() and len(words[1]) < 9 else 0
    if not low <= size <= high:
        raise InputError(f"{where}: {show(line.strip())}; wanted {words[0]} and a whole number, {low} to {high}")
    return size


def _numbers(where: str, words: list[str]) -> Vector:
    try:
        red, green, blue = (number(where, float(word)) for word in words)
    except ValueError:
        raise InputError(f"{where}: {show(' '.join(words))}; wanted three finite numbers") from None
    return red, green, blue
