"""How far a job is, how fast it goes and how long it will take."""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import dataclass

_WINDOW = 30  # frames over which the speed is taken
_FEWEST = 3  # after the first, before anybody knows it: those in flight come at once


@dataclass(frozen=True)
class Progress:
    """What is known after a frame.

    Attributes:
        done: frames that are there, those of earlier runs included.
        total: frames of the animation.
        frames_per_second: of the last frames, from one to the next; 0 while nobody knows. What comes before the first
            one, the compiling of shaders, is not counted in.
        seconds: since this run began.
        seconds_left: until the end at that speed; None while nobody knows.
    """

    done: int
    total: int
    frames_per_second: float
    seconds: float
    seconds_left: float | None

    def __str__(self) -> str:
        text = f"frame {self.done} of {self.total}"
        if self.seconds_left is None:
            return text
        return f"{text}, {self.frames_per_second:.3g} frames a second, {_clock(self.seconds_left)} left"


class Stopwatch:
    """Makes `Progress` of frames as they come."""

    def __init__(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        self._began = time.perf_counter()
        self._marks: deque[float] = deque(maxlen=_WINDOW + 1)

    def tick(self, now: float) -> Progress:
        """Count a frame that came at a time of `time.perf_counter`."""
        self._done += 1
        self._marks.append(now)
        frames, passed = len(self._marks) - 1, now - self._marks[0]
        speed = frames / passed if frames >= _FEWEST and passed > 0 else 0.0
        left = (self._total - self._done) / speed if speed > 0 else None
        return Progress(self._done, self._total, speed, now - self._began, 0.0 if self._done == self._total else left)


def to_terminal(progress: Progress) -> None:
    """Write one line to stderr over the last one, if that is a terminal."""
    if sys.stderr.isatty():
        end = "\n" if progress.done == progress.total else ""
        print(f"\r\x1b[K{progress}", end=end, file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
