"""Look-up tables of three dimensions, and the curves before them, as `.cube` files have them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vkforge.errors import InputError, suggest
from vkforge.post.cube import LARGEST, LONGEST, SMALLEST, parse_cube
from vkforge.scene.checks import Vector, file_path, float_array, number, rgb_array, show
from vkforge.scene.frozen import ReadOnlyArrays

Space = Literal["display", "scene", "linear"]
SPACES = ("display", "scene", "linear")
# In float32 on the device; the largest half float is as far as radiance goes anywhere.
LARGEST_VALUE = 65504.0

Pixels = NDArray[np.float64]


class Lut(ReadOnlyArrays):
    """A table from colours to colours, between whose entries colours are interpolated in tetrahedra.

    Attributes:
        table: (n, n, n, 3) numbers, by blue, green and red, as the lines of a `.cube` file run; n from 2 to 256. Kept
            as a read-only float32 copy.
        space: "display": in and out are sRGB-encoded, after tone mapping and grade: the table of a print or of a
            screen. "scene": in and out are exposed, graded radiance with Rec.709 primaries in the logarithm of ACEScct
            (S-2016-001), before tone mapping: a look over many stops. "linear": from exposed, graded radiance as it is
            to sRGB-encoded values: the table is the tone mapping, as tables with a linear-to-log shaper are.
        domain_min: (r, g, b) of the table's first entry; what is outside of the domain counts as at its border.
        domain_max: (r, g, b) of its last.
        shaper: (m, 3) numbers, a curve for each channel that colours pass before the table, m from 2 to 65536; between
            its entries straight. None for none. Kept as a read-only float32 copy.
        shaper_range: (low, high), where the curves begin and end; what is outside counts as at their ends.
        path: the file it came from, or None.
        digest: bytes that tell its table and its curves from any others.

    Raises:
        InputError: a table or a shaper of another shape, too small or too large, or with values that are not finite or
            beyond 65504; an empty domain; an unknown space.
    """

    table: NDArray[np.float32]
    space: Space
    domain_min: Vector
    domain_max: Vector
    shaper: NDArray[np.float32] | None
    shaper_range: tuple[float, float]
    path: str | None
    digest: bytes

    def __init__(
        self,
        table: ArrayLike,
        space: Space = "display",
        domain_min: Any = (0.0, 0.0, 0.0),
        domain_max: Any = (1.0, 1.0, 1.0),
        shaper: ArrayLike | None = None,
        shaper_range: Any = (0.0, 1.0),
    ) -> None:
        if not isinstance(space, str) or space not in SPACES:
            raise InputError(
                f"no space called {show(space)}{suggest(str(space), SPACES)} (a Lut's is display, scene or linear)"
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
        self.shaper = None if shaper is None else _curves(shaper)
        self.shaper_range = _range(shaper_range)
        curves = b"" if self.shaper is None else self.shaper.tobytes()
        self.digest = hashlib.sha256(values.tobytes() + curves).digest()

    @classmethod
    def open(cls, path: str | os.PathLike[str], space: Space = "display") -> Lut:
        """Read a `.cube` file (Adobe's specification 1.0): a table, a curve a channel, or both.

        Raises:
            InputError: no such file; a keyword, a line or a number of lines that a file like
                that can't have; numbers that are not finite.
        """
        source = str(file_path(path))
        try:
            text = Path(source).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise InputError(f"can't read the table {source}: {error.strerror}") from None
        except ValueError as error:  # a null character
            raise InputError(f"can't read the table {show(source)}: {error}") from None
        table, low, high, shaper, shaper_range = parse_cube(source, text)
        if table is None and shaper is not None:  # what comes out of the curves is left as it is
            low, high = shaper.min(axis=0), shaper.max(axis=0)
            high = np.where(high - low < 1e-3, low + 1.0, high)
            table = np.stack(np.meshgrid(*np.stack([low, high], axis=1)[::-1], indexing="ij")[::-1], axis=-1)
        try:
            lut = cls(np.empty(0) if table is None else table, space, low, high, shaper, shaper_range)
        except InputError as error:
            raise InputError(f"{source}: {error}") from None
        lut.path = source
        return lut

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the table as a `.cube` file; it appears whole or not at all. Return the path."""
        from vkforge.io.atomic import replacing

        target = file_path(path)
        lines = [f"LUT_3D_SIZE {len(self.table)}"]
        if self.shaper is not None:
            low, high = self.shaper_range
            lines += [f"LUT_1D_SIZE {len(self.shaper)}", f"LUT_1D_INPUT_RANGE {low:.9g} {high:.9g}"]
        for name, corner in (("DOMAIN_MIN", self.domain_min), ("DOMAIN_MAX", self.domain_max)):
            lines.append(" ".join([name, *(f"{value:.9g}" for value in corner)]))
        entries = [*(() if self.shaper is None else self.shaper), *self.table.reshape(-1, 3)]
        lines += [" ".join(f"{value:.9g}" for value in entry) for entry in entries]
        with replacing(target) as stream:
            stream.write(("\n".join(lines) + "\n").encode())
        return target

    def apply(self, rgb: ArrayLike) -> Pixels:
        """Return (..., 3) float64: what the table makes of colours in its space, as the device does."""
        values = self._shaped(rgb_array("rgb", rgb))
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

    def _shaped(self, values: Pixels) -> Pixels:
        if self.shaper is None:
            return values
        places = np.linspace(*self.shaper_range, len(self.shaper))
        return np.stack([np.interp(values[..., i], places, self.shaper[:, i]) for i in range(3)], axis=-1)

    def _entry(self, index: NDArray[np.int64]) -> Pixels:
        return self.table[index[..., 2], index[..., 1], index[..., 0]].astype(np.float64)

    def _key(self) -> tuple[Any, ...]:
        return self.digest, self.table.shape, self.space, self.domain_min, self.domain_max, self.shaper_range

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


def _curves(given: ArrayLike) -> NDArray[np.float32]:
    array = float_array("a Lut's shaper", given, "numbers of shape (m, 3)")
    with np.errstate(over="ignore"):  # to infinity, which is refused below
        curves = np.array(array, np.float32, order="C")
    if curves.ndim != 2 or curves.shape[1] != 3 or not SMALLEST <= len(curves) <= LONGEST:
        raise InputError(f"a Lut's shaper has shape {curves.shape}; wanted (m, 3), m from {SMALLEST} to {LONGEST}")
    if not (np.abs(curves) <= LARGEST_VALUE).all():
        raise InputError(f"a Lut's shaper holds NaN, infinity or values beyond {LARGEST_VALUE:g}; wanted finite ones")
    curves.flags.writeable = False
    return curves


def _range(given: Any) -> tuple[float, float]:
    try:
        low, high = given
    except (TypeError, ValueError):
        raise InputError(f"a Lut's shaper_range is {show(given)}; wanted (low, high)") from None
    low, high = (number("a Lut's shaper_range", part, -LARGEST_VALUE, LARGEST_VALUE) for part in (low, high))
    if high - low < 1e-6:
        raise InputError(f"a Lut's shaper_range goes from {low:g} to {high:g}; wanted more")
    return low, high


def _corner(name: str, value: Any) -> Vector:
    try:
        parts = () if isinstance(value, str) else tuple(value)
    except TypeError:
        parts = ()
    if len(parts) != 3:
        raise InputError(f"a Lut's {name} is {show(value)}; wanted (r, g, b)")
    red, green, blue = (number(f"a Lut's {name}", part, -LARGEST_VALUE, LARGEST_VALUE) for part in parts)
    return red, green, blue
