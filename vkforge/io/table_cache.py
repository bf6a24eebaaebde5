"""Tables that took long to make, kept on disk from run to run: one file each in the user's cache folder.

A file is written whole or not at all and begins with a digest of its key and contents: one that is torn, edited or made
for something else is passed over, and trouble with the folder is logged and never raised.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from pathlib import Path

import platformdirs

from vkforge.errors import OutputError
from vkforge.io.atomic import replacing

log = logging.getLogger("vkforge")

MOST_FILES = 32  # of a kind; what was not read for longest goes first
_DIGEST = 32  # bytes of SHA-256


def folder() -> Path:
    """Return the cache folder: the user's, or VKFORGE_CACHE_DIR."""
    return Path(os.environ.get("VKFORGE_CACHE_DIR") or platformdirs.user_cache_dir("vkforge"))


def load(kind: str, key: bytes) -> bytes | None:
    """Return what was stored for a key, or None.

    Args:
        kind: What the tables are of; part of the file's name.
        key: All that they depend on.
    """
    path = _path(kind, key)
    try:
        content = path.read_bytes()
    except OSError:
        return None
    data = content[_DIGEST:]
    if content[:_DIGEST] != _digest(key, data):
        log.warning("ignoring the corrupt cache file %s", path)
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # read just now
    return data


def store(kind: str, key: bytes, data: bytes) -> None:
    """Keep `data` for a key, and of its kind no more than MOST_FILES."""
    path = _path(kind, key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as stream:
            stream.write(_digest(key, data) + data)
    except (OSError, OutputError) as error:
        log.warning("the cache file %s could not be written: %s", path, error)
        return
    with contextlib.suppress(OSError):  # of another process that sweeps too, or a folder that changed its owner
        files = sorted(path.parent.glob(f"{kind}-*.bin"), key=lambda file: file.stat().st_mtime)
        for file in files[:-MOST_FILES]:
            file.unlink(missing_ok=True)


def _path(kind: str, key: bytes) -> Path:
    return folder() / f"{kind}-{hashlib.sha256(key).hexdigest()[:16]}.bin"


def _digest(key: bytes, data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(key).digest() + data).digest()
