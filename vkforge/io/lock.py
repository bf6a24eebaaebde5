"""One process at a time on one output."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from vkforge.errors import OutputError

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 30  # where no words are: on Windows, nobody else can read a byte that is locked

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def remove(path: Path, file: FileIO) -> None:
        """Remove a file that is locked, and let the lock go."""
        file.close()  # first: Windows removes no open file
        with contextlib.suppress(OSError):  # somebody else has opened it, and removes it in turn
            path.unlink(missing_ok=True)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(path: Path, file: FileIO) -> None:
        """Remove a file that is locked, and let the lock go."""
        path.unlink(missing_ok=True)  # first: the next one's file may have this name as soon as the lock is gone
        file.close()


def try_lock(descriptor: int) -> bool:
    """Lock an open file if nobody else has; the lock is the kernel's and ends with the file or its process.

    Raises:
        OSError: The file system knows no locks.
    """
    try:
        _lock(descriptor)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        return False
    return True


def is_there(path: Path, descriptor: int) -> bool:
    """Whether the open file still has its name: somebody may have removed it between our opening and locking it."""
    try:
        return os.stat(path).st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the lock on `target` while the body runs: a file ``.NAME.lock`` beside it, which goes when the body ends.

    The lock itself is the kernel's (flock, or LockFile on Windows), so it ends with the process that holds it, whatever
    becomes of the file.

    Raises:
        OutputError: another process, or another thread, holds it; the message says which.
    """
    path = target.with_name(f".{target.name}.lock")
    try:
        file = _acquire(path, target)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        reason = error.strerror or str(error)
        raise OutputError(f"can't write {os.fspath(target)!r}: no lock on {path.name} ({reason})") from error
    try:
        said = f"process {os.getpid()} on {socket.gethostname()} (since {time.strftime('%Y-%m-%d %H:%M:%S')})"
        with contextlib.suppress(OSError):  # a full disk: the lock holds without words
            _say(file.fileno(), said)
        yield
    finally:
        remove(path, file)


def _say(descriptor: int, said: str) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)  # and no pwrite, which Windows lacks
    os.write(descriptor, said.encode())


def _said(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 200).decode(errors="replace").strip()


def _acquire(path: Path, target: Path) -> FileIO:
    """Return the file, open and locked: whoever drops it lets the lock go."""
    while True:
        file = FileIO(path, "r+", opener=lambda name, flags: os.open(name, flags | os.O_CREAT, 0o666))
        if not try_lock(file.fileno()):
            holder = _said(file.fileno()) or "another process"
            file.close()
            raise OutputError(
                f"can't write {os.fspath(target)!r}: {holder} is writing it; wait for it, or choose another name"
            )
        if is_there(path, file.fileno()):
            return file
        file.close()
