"""Cryptomatte 1.2: mattes of named things as ranked pairs of id and coverage.

Friedman and Jones 2015, "Fully Automatic ID Mattes with Support for Motion Blur and Transparency", and the Cryptomatte
specification, version 1.2. A name's id is its MurmurHash3 (the 32-bit x86 variant of Austin Appleby's), taken as the
bits of a float. A pixel holds the ids of the `RANKS` things that cover most of it, each with its coverage, in layers of
two pairs: ``CryptoObject00`` has ranks 0 and 1, ``CryptoObject01`` ranks 2 and 3, ``CryptoObject02`` ranks 4 and 5.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from vkforge.errors import InputError

RANKS = 6  # what the specification suggests, whatever a frame holds: a sequence's frames must have the same layers

_MASK = 0xFFFFFFFF
_TOLERANCE = 1e-4  # by which a mean of float32 samples may pass 1
_SET = re.compile(r"[a-z]([a-z0-9_]*[a-z_])?")  # no digit at the end, where the layer's number follows


def murmur3_32(data: bytes) -> int:
    """Return the MurmurHash3_x86_32 of `data` with seed 0, an unsigned 32-bit number."""
    blocks, tail = divmod(len(data), 4)
    words = struct.unpack(f"<{blocks}I", data[: 4 * blocks])
    value = 0
    for word in words:
        value ^= _scrambled(word)
        value = (_rotated(value, 13) * 5 + 0xE6546B64) & _MASK
    if tail:
        value ^= _scrambled(int.from_bytes(data[4 * blocks :], "little"))
    value ^= len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        value = ((value ^ (value >> shift)) * factor) & _MASK
    return value ^ (value >> 16)


def _scrambled(word: int) -> int:
    return (_rotated((word * 0xCC9E2D51) & _MASK, 15) * 0x1B873593) & _MASK


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & _MASK


def id_bits(name: str) -> int:
    """Return the 32 bits of a name's id: its hash, with the exponent kept in 1 to 254.

    Exponents 0 and 255 would make the id a denormal, infinite or NaN, which compositors don't keep to the bit.
    """
    value = murmur3_32(name.encode())
    exponent = min(max((value >> 23) & 0xFF, 1), 254)
    return (value & 0x807FFFFF) | (exponent << 23)


def matte_layers(layer: str, mattes: Mapping[str, NDArray[np.float32]]) -> dict[str, tuple[NDArray[np.float32], ...]]:
    """Return the layers that hold `mattes`.

    Args:
        layer: their common name, as "CryptoObject".
        mattes: name to coverage, (h, w) float32, 0 to 1.

    Returns:
        ``layer00``, ``layer01``, ... to four (h, w) float32 planes each: id, coverage, id, coverage. Coverages fall
        from rank to rank; where nothing covers the pixel, id and coverage are 0.

    Raises:
        InputError: coverage outside 0 to 1, or NaN.
    """
    shape = next(iter(mattes.values())).shape
    planes = np.zeros((RANKS, 2, *shape), np.float32)
    for number, (name, coverage) in enumerate(mattes.items()):
        if not (coverage.min() >= 0.0 and coverage.max() <= 1.0 + _TOLERANCE):
            raise InputError(
                f"the matte of {name!r} goes from {coverage.min():g} to {coverage.max():g}; wanted coverage, 0 to 1"
            )
        own = np.uint32(id_bits(name)).view(np.float32)
        # Sorted in from the top: what is displaced from a rank goes on to the next.
        falling, falling_id = coverage, np.where(coverage > 0.0, own, np.float32(0.0))
        for rank_id, rank_coverage in planes[: number + 1]:
            above = falling > rank_coverage
            rank_coverage[:], falling = np.where(above, falling, rank_coverage), np.where(above, rank_coverage, falling)
            rank_id[:], falling_id = np.where(above, falling_id, rank_id), np.where(above, rank_id, falling_id)
    pairs = planes.reshape(RANKS // 2, 4, *shape)
    return {f"{layer}{number:02d}": tuple(pair) for number, pair in enumerate(pairs)}


def matte_header(layer: str, names: Mapping[str, object]) -> dict[str, str]:
    """Return the header attributes that tell a reader about the layers of `matte_layers`.

    The key in their names is the first seven hex digits of the hash of `layer`, so it is the same in every frame.
    """
    key = f"cryptomatte/{murmur3_32(layer.encode()):08x}"[:-1]
    # Not escaped to ASCII: Blender's reader takes \u00e9 for six letters.
    manifest = json.dumps({name: f"{id_bits(name):08x}" for name in names}, ensure_ascii=False, separators=(",", ":"))
    return {
        f"{key}/name": layer,
        f"{key}/hash": "MurmurHash3_32",
        f"{key}/conversion": "uint32_to_float32",
        f"{key}/manifest": manifest,
    }


def layer_of(matte_set: str) -> str:
    """Return the layer of a set of mattes: "CryptoObject" for "object".

    Raises:
        InputError: a name that a layer can't have.
    """
    if not isinstance(matte_set, str) or not _SET.fullmatch(matte_set):
        raise InputError(
            f"{matte_set!r} can't name a set of mattes; wanted small letters, digits and _, with a letter first "
            "and no digit last, as in 'object'"
        )
    return f"Crypto{matte_set[0].upper()}{matte_set[1:]}"
