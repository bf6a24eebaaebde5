"""What makes an animation's frames, as short texts that two jobs can be compared by."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from vkforge.post.lut import Lut


def fingerprint(value: Any) -> str:
    """Return a hash of plain values, arrays and dataclasses of such: the same for what makes the same frames."""
    digest = hashlib.blake2b(digest_size=12)
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    """Hash a value's kind, its length where it has one, and its contents."""
    if isinstance(value, np.ndarray):
        digest.update(f"array {value.dtype.str} {value.shape}".encode())
        digest.update(np.ascontiguousarray(value).data)
    elif isinstance(value, Lut):
        _feed(digest, [value.table, value.space, value.domain_min, value.domain_max, value.shaper, value.shaper_range])
    elif dataclasses.is_dataclass(value):
        digest.update(f"{type(value).__name__}(".encode())
        for field in (field for field in dataclasses.fields(value) if field.init):
            digest.update(f"{field.name}=".encode())
            _feed(digest, getattr(value, field.name))
    elif isinstance(value, Mapping):
        _feed(digest, sorted(value.items()))
    elif isinstance(value, (tuple, list)):
        digest.update(f"{len(value)} items ".encode())
        for item in value:
            _feed(digest, item)
    elif isinstance(value, np.generic):
        _feed(digest, value.item())
    elif value is None or isinstance(value, (bool, int, float, str, bytes, datetime)):
        digest.update(f"{value!r} ".encode())
    else:
        raise TypeError(f"a {type(value).__name__} has no fingerprint")
