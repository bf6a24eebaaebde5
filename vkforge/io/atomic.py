"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from vkforge.errors import OutputError
from vkforge.io.lock import is_there, remove, try_lock

TEMPORARY = ".vkforge-"  # what the names of files begin with that are not complete
_IS_TEMPORARY = re.compile(re.escape(TEMPORARY) + r"[0-9a-f]{12}(\..*)?")
_SWEEP_SECONDS = 60.0  # a folder is looked through at most so often: it may have a million pictures
_TRIES = 100  # to make a file that another process does not sweep at once
_swept: dict[Path, float] = {}  # when each folder was, by the monotonic clock

_REASONS = {
    errno.EACCES: "no permission to write there; choose another folder",
    errno.EPERM: "no permission to write there; choose another folder",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EFBIG: "the file would pass the size limit of this process or file system",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


def check_target(path: str | os.PathLike[str]) -> Path:
    """Check that a file could be written at `path`, before anyone spends time on its contents.

    Returns:
        The path with symbolic links resolved, so that a link is written through, as `open` would.

    Raises:
        OutputError: the folder is missing or can't be written to, or `path` is there and not a writable regular file.
    """
    try:
        target = Path(path).resolve()
        if not target.parent.is_dir():
            raise OutputError(f"can't write {path}: the folder {target.parent} does not exist; create it first")
        if target.is_dir():
            raise OutputError(f"can't write {path}: it is a folder; give a file name in it")
        # Renaming over /dev/null or a pipe would replace it, which nobody who names one wants.
        if target.exists() and not target.is_file():
            raise OutputError(f"can't write {path}: it is not a regular file; give the name of one")
        if not os.access(target if target.exists() else target.parent, os.W_OK):
            raise OutputError(f"can't write {path}: {_REASONS[errno.EACCES]}")
    except (OSError, ValueError, RuntimeError) as error:  # ValueError: a null byte; RuntimeError: a loop of links
        if isinstance(error, OutputError):
            raise
        raise _output_error(path, error) from error
    return target


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, within: Path | None = None) -> Iterator[BinaryIO]:
    """Write a file through a temporary one that takes its place only when complete.

    The body writes to the stream it is given. When it ends, the stream is flushed to the disk and its file renamed over
    `path`: whoever looks, and whenever the process is killed, sees the old file or the new one. When it raises, the
    temporary file is removed and `path` keeps what it had. Permissions are those of the file replaced or, for a new
    one, what the umask gives. Temporary files that killed processes left in the folder go too.

    Args:
        path: where the finished file shall be.
        within: folder of the temporary file, on the same file system; None is the file's own.

    Yields:
        A binary stream, open for writing and seeking. Its `name` is the temporary file's path, for libraries that must
        open it themselves.

    Raises:
        OutputError: anything that the operating system refuses, in one line.
    """
    target = check_target(path)
    folder = within or target.parent
    if time.monotonic() - _swept.get(folder, -math.inf) > _SWEEP_SECONDS:
        _swept[folder] = time.monotonic()
        sweep(folder)
    temporary = None
    try:
        temporary, opened = _temporary(folder, target.suffix)
        with opened as stream:
            if target.exists():
                os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            if sys.platform != "win32":  # which renames no open file; elsewhere it is held until it has its name
                os.replace(temporary, target)
        if sys.platform == "win32":
            os.replace(temporary, target)
        _flush_folder(target.parent)
    except OutputError:
        raise
    except OSError as error:
        raise _output_error(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove the temporary files of writers that were killed: those that no process holds.

    Trouble is left alone: they only take room.
    """
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if _IS_TEMPORARY.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError), FileIO(entry.path, "r+") as left:
                    if try_lock(left.fileno()):
                        remove(Path(entry.path), left)


def _temporary(folder: Path, suffix: str) -> tuple[Path, BinaryIO]:
    """Open a new temporary file and hold it, for `sweep` to leave it alone; return where it is, too."""
    for _ in range(_TRIES):
        path = folder / f"{TEMPORARY}{secrets.token_hex(6)}{suffix}"
        stream = open(path, "x+b")  # noqa: SIM115  # whoever asks for it closes it
        try:
            held = try_lock(stream.fileno())
        except OSError:  # no locks here, so that nobody can sweep either
            return path, stream
        if held and is_there(path, stream.fileno()):
            return path, stream
        stream.close()  # somebody swept it between our opening and locking it
    raise OSError(f"{_TRIES} new files in {folder} were gone before they could be locked")


def _flush_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some network file systems refuse it; the file itself is on the disk by now
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _output_error(path: str | os.PathLike[str], error: Exception) -> OutputError:
    number = getattr(error, "errno", None)
    reason = _REASONS.get(number or 0) or getattr(error, "strerror", None) or " ".join(str(error).split())
    return OutputError(f"can't write {os.fspath(path)!r}: {reason}")
