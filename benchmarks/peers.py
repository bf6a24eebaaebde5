"""vkforge beside other renderers: `python -m benchmarks.peers [--quick] [--only NAME ...] [--python PATH]`.

Same machine, same DEM, same camera and sun as near as each allows, one process each (benchmarks/peer_runs.py says what
each draws). `pip install vkforge-renderer[peers]` brings them; they may also live in an environment of their own, whose
interpreter is `--python`. One that is missing or fails is skipped, with the reason.

CPU seconds are user and system time of all the process's threads; "cold" runs from the start of the process to the
first picture as an array, "warm" is the median of the pictures after it, each from another direction. A peer that needs
a screen gets an Xvfb, whose own time is not counted. The ratios are to the first row, vkforge's own.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measure import show, table
from benchmarks.peer_runs import RUNS
from benchmarks.scenes import CELL, FOV, HARD_SUN, View, fractal_heights, make_terrain
from vkforge import Renderer, VkforgeError
from vkforge.io.png import write_png

ROOT = Path(__file__).resolve().parent.parent
OURS = ("vkforge", "vkforge lit")
NEEDS_SCREEN = ("threepp",)


@dataclass(frozen=True)
class Result:
    """What one renderer took.

    Attributes:
        name: The renderer, as in `peer_runs.RUNS`.
        figures: cold_cpu, cold_wall, warm_cpu and warm_wall in seconds, peak_rss in MiB; None where it failed.
        reason: Why it failed.
    """

    name: str
    figures: Mapping[str, float] | None
    reason: str = ""


COLUMNS = {
    "warm_cpu": "warm CPU s",
    "warm_wall": "warm wall s",
    "cold_cpu": "cold CPU s",
    "cold_wall": "cold wall s",
    "peak_rss": "peak RSS MiB",
}


def report(results: Sequence[Result]) -> str:
    """Lay out the results as a table with ratios to the first of them that worked, then the skipped, a line each."""
    worked = [result for result in results if result.figures is not None]
    rows = []
    for result in worked:
        cells = [result.name]
        for key in COLUMNS:
            value, first = (item.figures[key] for item in (result, worked[0]) if item.figures is not None)
            cells.append(show(value))
            cells.append("" if result is worked[0] or not first else f"x{show(value / first)}")
        rows.append(cells)
    header = ["renderer", *(cell for title in COLUMNS.values() for cell in (title, ""))]
    lines = [table(header, rows)] if rows else []
    lines += [f"skipped {result.name}: {result.reason}" for result in results if result.figures is None]
    return "\n".join(lines)


def measure(
    name: str, python: str, job: Mapping[str, object], timeout: float, environment: Mapping[str, str]
) -> Result:
    """Run one renderer in a process of its own."""
    command = [python, "-m", "benchmarks.peer_runs", name, json.dumps({**job, "spawned": time.time()})]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return Result(name, None, f"not done within {timeout:.0f} s")
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{"):  # one that dies while Python shuts down has done its work all the same
            return Result(name, json.loads(line))
    return Result(name, None, why(done.returncode, done.stderr, name))


def why(code: int, errors: str, name: str) -> str:
    """Say in one line why a process failed, from its exit code and what it wrote to stderr."""
    last = next((line.strip() for line in reversed(errors.splitlines()) if line.strip()), "")[:200]
    if code < 0:
        return f"died of {signal.Signals(-code).name}{last and '; its last words: '}{last}"
    if last.startswith("ModuleNotFoundError"):
        return f"not installed ({last.partition(': ')[2]}); pip install {name}, or vkforge-renderer[peers]"
    return last or f"exit code {code}"


@contextmanager
def screen(wanted: bool) -> Iterator[dict[str, str]]:
    """Yield environment variables for a screen: the user's, or an Xvfb's for as long as this lasts."""
    if not wanted or os.environ.get("DISPLAY"):
        yield {}
        return
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"]
    try:
        server = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        print("no Xvfb here (Debian: apt install xvfb); peers that need a screen will fail", file=sys.stderr)
        yield {}
        return
    finally:
        os.close(write)
    try:
        with os.fdopen(read) as pipe:
            yield {"DISPLAY": f":{pipe.readline().strip()}"}
    finally:
        server.terminate()
        server.wait()


def make_job(side: int, size: tuple[int, int], frames: int, device: str, folder: Path) -> dict[str, object]:
    """Write the DEM and return what every process is told; `picture` is still to be added."""
    heights = fractal_heights(side)
    np.save(folder / "dem.npy", heights)
    view = View.of(make_terrain(heights))
    eyes = [view.camera(200.0 + 5.0 * frame).position for frame in range(frames + 1)]
    return {
        "dem": str(folder / "dem.npy"),
        "cell": CELL,
        "size": size,
        "eyes": eyes,
        "target": view.target,
        "fov": FOV,
        "sun": HARD_SUN.direction,
        "device": device,
    }


def versions(python: str) -> str:
    """Return which versions of the peers an interpreter has."""
    code = (
        "import importlib.metadata as m, sys\n"
        "for name in sys.argv[1:]:\n"
        "  try: print(name, m.version(name))\n"
        "  except m.PackageNotFoundError: print(name, 'missing')"
    )
    command = [python, "-c", code, *(name for name in RUNS if name not in OURS)]
    return ", ".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="vkforge beside other renderers.")
    parser.add_argument("--quick", action="store_true", help="a DEM of 512 and two warm frames")
    parser.add_argument("--dem", type=int, metavar="SIDE", help="side of the DEM (default: 1024)")
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="size of the pictures (default: 1280x720)")
    parser.add_argument("--frames", type=int, help="warm frames (default: 4)")
    parser.add_argument("--only", nargs="+", choices=list(RUNS), metavar="NAME", help="of these alone")
    parser.add_argument("--python", default=sys.executable, metavar="PATH", help="interpreter that has the peers")
    parser.add_argument("--device", default="auto", help="vkforge's device, as Renderer takes it; peers choose theirs")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds a process may take (default: 300)")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="keep each one's first picture there, as PNG")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every renderer; return the process's exit code."""
    options = parse(arguments)
    side = options.dem or (512 if options.quick else 1024)
    frames = options.frames or (2 if options.quick else 4)
    width, _, height = options.size.partition("x")
    try:
        with Renderer(options.device) as renderer:
            device = renderer.device.name
    except VkforgeError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"DEM {side}, {options.size}, {frames} warm frames; vkforge on {device}; {versions(options.python)}")
    names = [name for name in RUNS if not options.only or name in options.only]
    results = []
    with tempfile.TemporaryDirectory(prefix="vkforge-peers-") as name_of_folder:
        folder = Path(name_of_folder)
        job = make_job(side, (int(width), int(height)), frames, options.device, folder)
        for name in names:
            print(f"running {name}", file=sys.stderr, flush=True)
            python = sys.executable if name in OURS else options.python
            picture = folder / f"{name}.npy"
            with screen(name in NEEDS_SCREEN) as display:
                results.append(
                    measure(name, python, {**job, "picture": str(picture)}, options.timeout, {**os.environ, **display})
                )
            if options.pictures and picture.exists():
                options.pictures.mkdir(parents=True, exist_ok=True)
                write_png(options.pictures / f"{name.replace(' ', '-')}.png", np.load(picture)[..., :3])
    print(report(results))
    if options.json:
        content = {"device": device, "dem": side, "size": options.size, "results": [vars(result) for result in results]}
        options.json.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return 0 if any(result.figures for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
