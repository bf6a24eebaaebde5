"""How far a picture is, in one line on stderr, for people who wait at a terminal or in a notebook."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_PATIENCE = 1.0  # seconds before anything is said: who waits no longer needs no progress
_EVERY = 0.2  # seconds between two lines


def is_watched(stream: TextIO | None) -> bool:
    """Return whether somebody sees what is written there as it is written: in a terminal, or in a notebook."""
    if stream is None or getattr(stream, "closed", False):  # pythonw has none
        return False
    return stream.isatty() or type(stream).__module__.startswith("ipykernel.")


class StatusLine:
    """One line that is written over again, and wiped away at the end.

    Of carriage returns alone, which notebooks understand as terminals do; Rich's bars want a widget there.

    Args:
        what: What is being done.
        patience: Seconds before the first line.
    """

    def __init__(self, what: str, patience: float = _PATIENCE) -> None:
        self._what, self._began = what, time.perf_counter()
        self._next = self._began + patience
        self._width = 0

    def __call__(self, done: int, total: int) -> None:
        """Say that so many of all samples are there."""
        now = time.perf_counter()
        if now < self._next:
            return
        self._next = now + _EVERY
        left = (now - self._began) / done * (total - done) if done else 0.0
        self._write(f"{self._what}: {done} of {total} samples, {_duration(left)} left")

    def close(self) -> None:
        """Wipe the line away, where there is one."""
        if self._width:
            self._write("")
            self._put("\r")
            self._width = 0

    def _write(self, text: str) -> None:
        self._put("\r" + text.ljust(self._width))
        self._width = len(text)

    def _put(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError):  # the terminal is gone; the picture goes on
            pass


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{round(whole / 60)} min"
