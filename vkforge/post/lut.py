"""Three-dimensional look-up tables, as `.cube` files have them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vkforge.errors import InputError, suggest
from vkforge.scene.checks import Vector, file_path, float_array, number, rgb_array, show
from vkforge.scene.frozen import ReadOnlyArrays

SPACES = ("display", "scene")
SMALLEST, LARGEST = 2, 256  # Adobe's limits
# In float32 on the device; the largest half float is as far as radiance goes anywhere.
LARGEST_VALUE = 65504.0
_RANGE = "LUT_3D_INPUT_RANGE"  # DaVinci's word for a domain that is the same in all channels

Pixels = NDArray[np.float64]


class Lut(ReadOnlyArrays):
    """A table from colours to colours, between whose entries colours are interpolated in tetrahedra.

    Attributes:
        table: (n, n, n, 3) numbers, by blue, green and red, as the lines of a `.cube` file run; n from 2 to 256. Kept
            as a read-only float32 copy.
        space: "display": in and out are sRGB-encoded, after tone mapping and grade: the table of a print or of a
            screen. "scene": in and out are exposed, graded radiance with Rec.709 primaries in the logarithm of ACEScct
            (S-2016-001), before tone mapping: a look over many stops.
        domain_min: (r, g, b) of the table's first entry; what is outside of the domain counts as at its border.
        domain_max: (r, g, b) of its last.
        path: the file it came from, or None.
        digest: bytes that tell its table from any other.

    Raises:
        InputError: a table of another shape, too small or too large, or with values that are not finite or beyond
            65504; an empty domain; an unknown space.
    """

    table: NDArray[np.float32]
    space: Literal["display", "scene"]
    domain_min: Vector
    domain_max: Vector
    path: str | None
    digest: bytes

    def __init__(
        self,
        table: ArrayLike,
        space: Literal["display", "scene"] = "display",
        domain_min: Any = (0.0, 0.0, 0.0),
        domain_max: Any = (1.0, 1.0, 1.0),
    ) -> None:
        if not isinstance(space, str) or space not in SPACES:
            raise InputError(
                f"no space called {show(space)}{suggest(str(space), SPACES)} (a Lut's is display or scene)"
            )
        given = float_array("a Lut's table", table, "numbers of shape (n, n, n, 3)")
        with np.errstate(over="ignore"):  # to infinity, which is refused below
            values = np.array(given, np.float32, order="C")
        n = len(values) if values.ndim else 0
        if values.shape != (n, n, n, 3) or not SMALLEST <= n <= LARGEST:
            raise InputError(
                f"a Lut's table has shape {values.shape}; wanted (n, n, n, 3), n from {SMALLEST} to {LARGEST}"
            )
        if not (np.abs(values) <= LARGEST_VALUE).all():  # NaN is not either
            raise InputError(
                f"a Lut's table holds NaN, infinity or values beyond {LARGEST_VALUE:g}; wanted finite ones"
            )
        values.flags.writeable = False
        self.table, self.space, self.path = values, space, None
        self.domain_min, self.domain_max = _corner("domain_min", domain_min), _corner("domain_max", domain_max)
        for low, high in zip(self.domain_min, self.domain_max, strict=True):
            if high - low < 1e-6:
                raise InputError(f"a Lut's domain reaches from {self.domain_min} to {self.domain_max}; wanted more")
        self.digest = hashlib.sha256(values.tobytes()).digest()

    @classmethod
    def open(cls, path: str | os.PathLike[str], space: Literal["display", "scene"] = "display") -> Lut:
        """Read a `.cube` file (Adobe's specification 1.0) with a table of three dimensions.

        Raises:
            InputError: no such file; a table of one dimension; a keyword, a line or a number of lines that a file like
                that can't have; numbers that are not finite.
        """
        source = str(file_path(path))
        try:
            text = Path(source).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise InputError(f"can't read the table {source}: {error.strerror}") from None
        except ValueError as error:  # a null character
            raise InputError(f"can't read the table {show(source)}: {error}") from None
        table, domain_min, domain_max = _parse(source, text)
        try:
            lut = cls(table, space, domain_min, domain_max)
        except InputError as error:
            raise InputError(f"{source}: {error}") from None
        lut.path = source
        return lut

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the table as a `.cube` file; it appears whole or not at all. Return the path."""
        from vkforge.io.atomic import replacing

        target = file_path(path)
        lines = [f"LUT_3D_SIZE {len(self.table)}"]
        for name, corner in (("DOMAIN_MIN", self.domain_min), ("DOMAIN_MAX", self.domain_max)):
            lines.append(" ".join([name, *(f"{value:.9g}" for value in corner)]))
        lines += [" ".join(f"{value:.9g}" for value in entry) for entry in self.table.reshape(-1, 3)]
        with replacing(target) as stream:
            stream.write(("\n".join(lines) + "\n").encode())
        return target

    def apply(self, rgb: ArrayLike) -> Pixels:
        """Return (..., 3) float64: what the table makes of colours in its space, as the device does."""
        values = rgb_array("rgb", rgb)
        low, high = np.array(self.domain_min), np.array(self.domain_max)
        last = len(self.table) - 1
        place = np.clip((values - low) / (high - low), 0.0, 1.0) * last
        cell = np.minimum(place.astype(np.int64), last - 1)
        part = place - cell
        # From the cell's first corner to its last, along one axis after the other, the longest way first.
        order = np.argsort(-part, axis=-1, kind="stable")
        steps = np.take_along_axis(part, order, axis=-1)
        result = np.zeros(values.shape)
        corner, before = cell.copy(), np.ones(values.shape[:-1])
        for axis in range(3):
            result += (before - steps[..., axis])[..., None] * self._entry(corner)
            np.put_along_axis(
                corner, order[..., axis : axis + 1], np.take_along_axis(corner, order[..., axis : axis + 1], -1) + 1, -1
            )
            before = steps[..., axis]
        return result + before[..., None] * self._entry(corner)

    def _entry(self, index: NDArray[np.int64]) -> Pixels:
        return self.table[index[..., 2], index[..., 1], index[..., 0]].astype(np.float64)

    def _key(self) -> tuple[Any, ...]:
        return self.digest, self.table.shape, self.space, self.domain_min, self.domain_max

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lut) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        made = f"Lut.open({self.path!r}, space={self.space!r})" if self.path else f"Lut(space={self.space!r})"
        return f"<{made}, {len(self.table)} a side>"


def log_encode(x: ArrayLike) -> Pixels:
    """ACEScct's curve (S-2016-001): linear, from 0 up, to its logarithm."""
    x = np.asarray(x, np.float64)
    return np.where(
        x <= 0.0078125, 10.5402377416545 * x + 0.0729055341958355, (np.log2(np.maximum(x, 0.0078125)) + 9.72) / 17.52
    )


def log_decode(y: ArrayLike) -> Pixels:
    """The way back of `log_encode`; values below 0 are what is below black."""
    y = np.asarray(y, np.float64)
    return np.where(y <= 0.155251141552511, (y - 0.0729055341958355) / 10.5402377416545, 2.0 ** (17.52 * y - 9.72))


def _parse(path: str, text: str) -> tuple[np.ndarray, Vector, Vector]:
    """Read a `.cube` file: keywords, each once, and then the table."""
    size, rows, said = 0, list[list[float]](), set[str]()
    corners = {"DOMAIN_MIN": (0.0, 0.0, 0.0), "DOMAIN_MAX": (1.0, 1.0, 1.0)}
    for count, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words or line.split()[0] == "TITLE":
            continue
        where, keyword = f"{path}, line {count}", words[0]
        if keyword in ("LUT_3D_SIZE", *corners, _RANGE):
            if keyword in said or rows:
                raise InputError(f"{where}: {keyword} {'comes twice' if keyword in said else 'after the colours'}")
            said.add(keyword)
        if keyword == "LUT_1D_SIZE":
            raise InputError(f"{where}: this is a table of one dimension; wanted three, LUT_3D_SIZE: bake it into one")
        if keyword == "LUT_3D_SIZE":
            size = int(words[1]) if len(words) == 2 and words[1].isdecimal() and len(words[1]) < 9 else 0
            if size < SMALLEST or size > LARGEST:
                raise InputError(
                    f"{where}: {show(line.strip())}; wanted LUT_3D_SIZE and a whole number, {SMALLEST} to {LARGEST}"
                )
        elif keyword in corners:
            corners[keyword] = _numbers(where, words[1:])
        elif keyword == _RANGE:
            if len(words) != 3:
                raise InputError(f"{where}: {show(line.strip())}; wanted {_RANGE} and two numbers")
            low, high, _ = _numbers(where, [*words[1:], "0"])
            corners = {"DOMAIN_MIN": (low, low, low), "DOMAIN_MAX": (high, high, high)}
        elif keyword[0].isalpha() and keyword.lower() not in ("nan", "inf", "infinity"):
            known = ("TITLE", "LUT_3D_SIZE", *corners)
            raise InputError(f"{where}: {show(keyword)} is no keyword of a .cube file{suggest(keyword, known)}")
        elif not size:
            raise InputError(f"{where}: numbers before LUT_3D_SIZE; wanted how many there are first")
        else:
            rows.append(list(_numbers(where, words)))
    if not size:
        raise InputError(f"{path} has no LUT_3D_SIZE; wanted a .cube file with a table of three dimensions")
    if len(rows) != size**3:
        what = "it is truncated" if len(rows) < size**3 else "it has too many, or its size is wrong"
        raise InputError(f"{path} has {len(rows)} colours for a table of {size} x {size} x {size} = {size**3}: {what}")
    return np.array(rows).reshape(size, size, size, 3), corners["DOMAIN_MIN"], corners["DOMAIN_MAX"]


def _numbers(where: str, words: list[str]) -> Vector:
    try:
        red, green, blue = (number(where, float(word)) for word in words)
    except ValueError:
        raise InputError(f"{where}: {show(' '.join(words))}; wanted three finite numbers") from None
    return red, green, blue


def _corner(name: str, value: Any) -> Vector:
    try:
        parts = () if isinstance(value, str) else tuple(value)
    except TypeError:
        parts = ()
    if len(parts) != 3:
        raise InputError(f"a Lut's {name} is {show(value)}; wanted (r, g, b)")
    red, green, blue = (number(f"a Lut's {name}", part, -LARGEST_VALUE, LARGEST_VALUE) for part in parts)
    return red, green, blue
