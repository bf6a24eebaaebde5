"""One process at a time on one output."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from vkforge.errors import OutputError


@contextlib.contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the lock on `target` while the body runs: a file ``.NAME.lock`` beside it, which goes when the body ends.

    The lock itself is the kernel's (flock), so it ends with the process that holds it, whatever becomes of the file.

    Raises:
        OutputError: another process, or another thread, holds it; the message says which.
    """
    path = target.with_name(f".{target.name}.lock")
    try:
        descriptor = _acquire(path, target)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        reason = error.strerror or str(error)
        raise OutputError(f"can't write {os.fspath(target)!r}: no lock on {path.name} ({reason})") from error
    try:
        said = f"process {os.getpid()} on {socket.gethostname()} (since {time.strftime('%Y-%m-%d %H:%M:%S')})"
        with contextlib.suppress(OSError):  # a full disk: the lock holds without words
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, said.encode(), 0)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(path: Path, target: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
            os.close(descriptor)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            raise OutputError(
                f"can't write {os.fspath(target)!r}: {holder} is writing it; wait for it, or choose another name"
            ) from None
        # Whoever held it before may have removed the file between our opening and locking it.
        with contextlib.suppress(FileNotFoundError):
            if os.stat(path).st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        os.close(descriptor)
