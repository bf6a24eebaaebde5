"""Colormaps by name, from vkforge itself and from the libraries that cartographers and scientists use."""

from __future__ import annotations

import importlib
import itertools
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vkforge.errors import InputError, MissingDependencyError, suggest
from vkforge.scene.checks import float_array, number, show
from vkforge.scene.colors import encode_srgb, encoded_color, linear_color
from vkforge.scene.frozen import ReadOnlyArrays

LENGTH = 256
EXTRA = "pip install 'vkforge-renderer[maps]'"

# Hypsometric tints for print: little chroma, lightness that climbs slowly and without steps, so that the relief's
# light and shade stay the subject. (position from low to high, sRGB colour)
_BUILT_IN: dict[str, tuple[tuple[float, str], ...]] = {
    # green-grey lowland, through straw and warm tan, to pale high ground
    "vkforge.relief": (
        (0.00, "#b3b9a6"),
        (0.20, "#c3c6af"),
        (0.40, "#d2ceb6"),
        (0.60, "#d9cdb4"),
        (0.78, "#dccfba"),
        (0.90, "#e6dece"),
        (1.00, "#f3f0e9"),
    ),
    "vkforge.grey": ((0.0, "#b4b4b2"), (1.0, "#eeeeec")),
    # white plaster, all of it
    "vkforge.plaster": ((0.0, "#e4e2de"), (1.0, "#e8e6e2")),
    # blue-green lowland, through yellow-green and ochre, to warm white: after Imhof's hypsometric tints
    "vkforge.swiss": (
        (0.00, "#9fb8a6"),
        (0.20, "#b5c4a3"),
        (0.42, "#d0cda4"),
        (0.62, "#dfd0aa"),
        (0.80, "#ead9be"),
        (1.00, "#faf3e8"),
    ),
}


@dataclass(frozen=True)
class _Library:
    """Where a family of colormaps comes from."""

    name: str
    module: str
    table: str  # the module's attribute that holds the colormaps by name
    prefixes: tuple[str, ...]  # how users mark a name as this library's; the first is the one that vkforge writes

    def maps(self) -> Mapping[str, Any]:
        """Return the library's colormaps by plain name; ImportError where it is not installed."""
        with warnings.catch_warnings():
            # cmocean 4 calls Matplotlib in a way that 3.11 deprecates; that is nothing the user can mend.
            warnings.simplefilter("ignore")
            module = importlib.import_module(self.module)
        return getattr(module, self.table)


# In the order in which a name without a prefix is looked up.
_LIBRARIES = (
    _Library("matplotlib", "matplotlib", "colormaps", ("matplotlib.", "mpl.")),
    _Library("cmocean", "cmocean.cm", "cmap_d", ("cmocean.", "cmo.")),
    _Library("cmcrameri", "cmcrameri.cm", "cmaps", ("cmc.", "cmcrameri.")),
    _Library("colorcet", "colorcet", "palette", ("cet_", "colorcet.")),
)


@dataclass(frozen=True, eq=False)
class Colormap(ReadOnlyArrays):
    """What a terrain's colours mean: `Terrain.colormap`.

    Attributes:
        name: as it was given, or as Matplotlib calls it; "" of a list of colours.
        limits: (low, high), the values of the first and the last colour; what lies beyond has those too. Metres before
            exaggeration where `of_elevation`, else in the unit of `cmap_data`.
        of_elevation: whether it colours the heights, and not a raster of the user's.
        table: (256, 4) uint8, sRGB-encoded and opaque, evenly spaced over the limits; read-only.
    """

    name: str
    limits: tuple[float, float]
    of_elevation: bool
    table: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        self.table.flags.writeable = False

    def __call__(self, values: Any) -> np.ndarray:
        """Return the colours of values.

        Args:
            values: a number or an array of any shape, in the unit of the limits.

        Returns:
            float64 sRGB in 0 to 1 with a last axis of 3; NaN where a value is.

        Raises:
            InputError: not numbers.
        """
        low, high = self.limits
        given = float_array("values", values, "numbers in the unit of the colormap's limits")
        place = (given - low) / (high - low) * (len(self.table) - 1)
        at = np.arange(len(self.table))
        return np.stack([np.interp(place, at, self.table[:, channel] / 255.0) for channel in range(3)], axis=-1)

    def colors(self, count: int = LENGTH) -> np.ndarray:
        """Return `count` colours (from 2) evenly spaced over the limits, low first: (count, 3) float64 sRGB, 0 to 1.

        Raises:
            InputError: not a whole number of at least 2.
        """
        return self(np.linspace(*self.limits, _whole("colors", count, 2)))

    def ticks(self, count: int = 5) -> list[float]:
        """Return round numbers within the limits, for a legend: multiples of 1, 2 or 5 times a power of ten.

        Args:
            count: how many there may be at the most, 2 to 1000; there are some fewer where that makes them rounder.

        Raises:
            InputError: not a whole number, or out of its range.
        """
        low, high = self.limits
        wanted = _whole("ticks", count, 2)
        power = math.floor(math.log10((high - low) / wanted))
        for exponent, factor in itertools.product(range(power, power + 3), (1, 2, 5)):
            # Dividing by a power of ten rounds once: 3 / 10 is 0.3, and 3 * 0.1 is not.
            up, down = (factor * 10**exponent, 1) if exponent >= 0 else (factor, 10**-exponent)
            first, last = math.ceil(low * down / up - 1e-9), math.floor(high * down / up + 1e-9)
            if last - first < wanted:
                return [i * up / down for i in range(first, last + 1)]
        raise AssertionError("a hundred times the spacing leaves few enough")


def _whole(name: str, given: Any, low: int) -> int:
    count = number(f"Colormap {name}", given, low, 1000)
    if count != int(count):
        raise InputError(f"Colormap {name} is {show(given)}; wanted a whole number")
    return int(count)


def colormap_name(cmap: Any) -> str:
    """Return what `Terrain` keeps as a colormap's name."""
    name = cmap if isinstance(cmap, str) else getattr(cmap, "name", "")
    return name if isinstance(name, str) else ""


def resolve(cmap: Any) -> np.ndarray:
    """Return a colormap as (256, 4) uint8, sRGB-encoded and opaque.

    Args:
        cmap: a name, a Matplotlib colormap, or a list of at least two colours (strings, or linear RGB), which are
            spread evenly. Names are looked up in vkforge ("vkforge.relief"), Matplotlib, cmocean ("cmocean.deep" or
            "deep"), cmcrameri ("cmc.batlow" or "batlow") and colorcet ("cet_fire" or "fire"), in this order; "_r"
            reverses any.

    Raises:
        InputError: no such colormap, or something else than a colormap.
        MissingDependencyError: the library that a name belongs to is not installed.
    """
    if isinstance(cmap, str):
        found = _by_name(cmap)
        if found is None and cmap.endswith("_r") and (forward := _by_name(cmap[:-2])) is not None:
            found = forward[::-1]
        if found is None:
            raise _unknown(cmap)
        return np.ascontiguousarray(found)
    if callable(cmap) and hasattr(cmap, "N"):
        return _sampled(cmap)
    if isinstance(cmap, (list, tuple)) and len(cmap) >= 2:
        return _spread(np.linspace(0.0, 1.0, len(cmap)), [_bytes(color) for color in cmap])
    raise InputError(f"cmap is {show(cmap)}; wanted a name, a Matplotlib colormap or a list of at least two colours")


def names() -> list[str]:
    """Return the names of all colormaps that can be used here, those of the installed libraries with their prefix."""
    known = list(_BUILT_IN)
    for library in _LIBRARIES:
        try:
            maps = library.maps()
        except ImportError:
            continue
        prefix = "" if library.name == "matplotlib" else library.prefixes[0]
        known += [prefix + name for name in maps if not name.startswith(("cet_", "cmo.", "cmc."))]
    return known


def _by_name(name: str) -> np.ndarray | None:
    if name in _BUILT_IN:
        positions, colors = zip(*_BUILT_IN[name], strict=True)
        return _spread(positions, [encoded_color("colormap", color) for color in colors])
    for library in _LIBRARIES:
        prefix = next((prefix for prefix in library.prefixes if name.startswith(prefix)), None)
        if prefix is not None:
            try:
                maps = library.maps()
            except ImportError:
                raise MissingDependencyError(f"colormap {name!r} needs {library.name}: {EXTRA}") from None
            return _from_library(maps, name[len(prefix) :])
    for library in _LIBRARIES:
        try:
            found = _from_library(library.maps(), name)
        except ImportError:
            continue
        if found is not None:
            return found
    return None


def _from_library(maps: Mapping[str, Any], name: str) -> np.ndarray | None:
    if name not in maps:
        return None
    found = maps[name]
    if callable(found):
        return _sampled(found)
    colors = [encoded_color("colormap", color) for color in found]  # colorcet's palettes are lists of "#rrggbb"
    return _spread(np.linspace(0.0, 1.0, len(colors)), colors)


def _unknown(name: str) -> InputError | MissingDependencyError:
    missing = []
    for library in _LIBRARIES:
        try:
            library.maps()
        except ImportError:
            missing.append(library.name)
    known = names()
    plain = {entry.rpartition(".")[2].removeprefix("cet_"): entry for entry in reversed(known)}
    message = f"no colormap called {name!r}{suggest(name, known) or suggest(name, plain)}"
    if not missing:
        return InputError(message)
    message += f" ({' and '.join(missing)} not installed: {EXTRA})"
    if "matplotlib" in missing and "." not in name:
        return MissingDependencyError(message)  # most plain names are Matplotlib's
    return InputError(message)


def _sampled(colormap: Any) -> np.ndarray:
    """Return 256 even samples of a Matplotlib colormap."""
    colors = np.asarray(colormap(np.linspace(0.0, 1.0, LENGTH)), np.float64)
    colors[:, 3] = 1.0
    return np.rint(np.clip(colors, 0.0, 1.0) * 255.0).astype(np.uint8)


def _spread(positions: Any, colors: list[tuple[int, int, int]]) -> np.ndarray:
    """Return 256 colours interpolated, in sRGB encoding, between `colors` at `positions` from 0 to 1."""
    channels = np.array(colors, np.float64)
    places = np.linspace(0.0, 1.0, LENGTH)
    table = np.full((LENGTH, 4), 255.0)
    for channel in range(3):
        table[:, channel] = np.interp(places, positions, channels[:, channel])
    return np.rint(table).astype(np.uint8)


def _bytes(color: Any) -> tuple[int, int, int]:
    if isinstance(color, str):
        return encoded_color("cmap", color)
    red, green, blue = (round(255 * encode_srgb(channel)) for channel in linear_color("cmap colour", color))
    return red, green, blue
