"""Repeating, summing up and printing measurements. The standard library alone, since peers' processes use it too."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence


def repeat(
    run: Callable[[], Mapping[str, float]], seconds: float, *, least: int = 3, most: int = 200, warm: bool = False
) -> dict[str, list[float]]:
    """Call `run` for about `seconds` and return every value that it gave, by name.

    Args:
        run: Measures once.
        seconds: How long to go on. A run that takes longer is made once; `least` runs may take up to twice as long.
        least: Fewest calls to count.
        most: Most calls to count.
        warm: Whether what it measures is warm already; otherwise calls come first that don't count, one or as many as
            fit into a fifth of the time.
    """
    began = time.perf_counter()
    while not warm:
        run()
        warm = time.perf_counter() - began > seconds / 5
    began, values = time.perf_counter(), [run()]
    while len(values) < most:
        passed = time.perf_counter() - began
        if passed > (seconds if len(values) >= least else 2 * seconds):
            break
        values.append(run())
    return {name: [value[name] for value in values] for name in values[0]}


def cpu_seconds() -> float:
    """Return the CPU seconds, user and system, of this process's threads and its finished children so far."""
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak_rss() -> int:
    """Return the most bytes of this process that were ever resident.

    From /proc and not from getrusage, whose ru_maxrss a child process inherits from its parent on Linux.
    """
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: frozenset[int] = frozenset({0})) -> str:
    """Lay cells out in aligned columns; those of the indices in `left` are flush left, the others right."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def show(value: float | None) -> str:
    """Write a number with three digits that count, or a dash for None."""
    if value is None:
        return "-"
    if abs(value) >= 100.0:
        return f"{value:.0f}"
    return f"{value:.{1 if abs(value) >= 10.0 else 2 if abs(value) >= 1.0 else 3}f}"


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)
