"""vkforge beside other renderers: `python -m benchmarks.peers [--quick] [--group GROUP] [--only NAME ...]`.

Same machine, same DEM, same camera and sun as near as each allows, one process each (benchmarks/peer_runs.py says what
each draws): rasterisers, which draw hard shadows, and path tracers, which all do the same work and whose pictures agree
in their mean radiance, printed beside the figures. `pip install vkforge-renderer[peers]` brings them; they may live in
an environment of their own, whose interpreter is `--python`. One that is missing or fails is skipped, with the reason.

CPU seconds are user and system time of all the process's threads; "cold" runs from the start of the process to the
first picture as an array, "warm" is the median of the pictures after it, each from another direction. A peer that needs
a screen gets an Xvfb, whose own time is not counted. The ratios are to a group's first row, vkforge's own.
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
from benchmarks.peer_runs import GROUPS, RUNS
from benchmarks.scenes import CELL, FOV, HARD_SUN, View, fractal_heights, make_terrain
from vkforge import Renderer, VkforgeError
from vkforge.io.png import write_png

ROOT = Path(__file__).resolve().parent.parent
OURS = ("vkforge", "vkforge lit", "vkforge path-traced")
NEEDS_SCREEN = ("threepp",)
PACKAGES = {"cycles": "bpy"}  # on PyPI, where it isn't called like the renderer


@dataclass(frozen=True)
class Job:
    """What the renderers of a group are asked for.

    Attributes:
        size: (width, height) of the pictures, in pixels.
        frames: Warm pictures.
        more: What else the group's jobs say, see benchmarks/peer_runs.py.
        columns: Titles of the figures in the table.
    """

    size: tuple[int, int]
    frames: int
    more: Mapping[str, float]
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Result:
    """What one renderer took.

    Attributes:
        name: The renderer, as in `peer_runs.RUNS`.
        figures: cold_cpu, cold_wall, warm_cpu and warm_wall in seconds, peak_rss in MiB, and mean, the mean of the
            first picture (radiance, or 8-bit colours as 0 to 1). Of path tracers also noise, 1000 times the relative
            variance, var / (mean^2 + 0.01), of a pixel's channel, from two pictures of different seeds, and effort,
            warm_cpu times that: what a picture as quiet as another's costs beside it, as the variance falls with the
            samples (and so with the time) at least. None where it failed.
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
JOBS = {
    "rasterisers": Job((1280, 720), 4, {}, COLUMNS),
    "path-tracers": Job(
        (1024, 1024),
        2,
        {"irradiance": 3.0, "sky": 0.3, "samples": 16, "bounces": 4},
        {**COLUMNS, "mean": "mean radiance", "noise": "noise, 1e-3", "effort": "CPU s x noise"},
    ),
}


def report(results: Sequence[Result], columns: Mapping[str, str] = COLUMNS) -> str:
    """Lay out the results as a table with ratios to the first of them that worked, then the skipped, a line each."""
    worked = [result for result in results if result.figures is not None]
    rows = []
    for result in worked:
        cells = [result.name]
        for key in columns:
            value, first = (item.figures[key] for item in (result, worked[0]) if item.figures is not None)
            cells.append(show(value))
            cells.append("" if result is worked[0] or not first else f"x{show(value / first)}")
        rows.append(cells)
    header = ["renderer", *(cell for title in columns.values() for cell in (title, ""))]
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
        package = PACKAGES.get(name, name)
        return f"not installed ({last.partition(': ')[2]}); pip install {package}, or vkforge-renderer[peers]"
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


def make_job(heights: np.ndarray, size: tuple[int, int], frames: int, device: str, folder: Path) -> dict[str, object]:
    """Write the DEM and return what the processes of any group are told, all but `gpu` and `picture`."""
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
    command = [python, "-c", code, *(PACKAGES.get(name, name) for name in RUNS if name not in OURS)]
    return ", ".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="vkforge beside other renderers.")
    parser.add_argument("--quick", action="store_true", help="a DEM of 512 and one warm frame")
    parser.add_argument("--dem", type=int, metavar="SIDE", help="side of the DEM (default: 1024)")
    sizes = ", ".join(f"{name} {'x'.join(map(str, job.size))}" for name, job in JOBS.items())
    parser.add_argument("--size", metavar="WxH", help=f"size of the pictures (default: {sizes})")
    parser.add_argument("--frames", type=int, help="warm frames (default: rasterisers 4, path-tracers 2)")
    parser.add_argument("--group", choices=["all", *GROUPS], default="all", help="of this group alone (default: all)")
    parser.add_argument("--only", nargs="+", choices=list(RUNS), metavar="NAME", help="of these alone")
    parser.add_argument("--python", default=sys.executable, metavar="PATH", help="interpreter that has the peers")
    parser.add_argument("--device", default="auto", help="vkforge's device, as Renderer takes it")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds a process may take (default: 300)")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="keep each one's first picture there, as PNG")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args(arguments)


def keep_picture(path: Path, picture: np.ndarray) -> None:
    """Write a picture as PNG; radiance with its scale kept, white at twice its mean, by the sRGB curve."""
    if picture.dtype != np.uint8:
        linear = np.clip(picture.astype(np.float64) / (2.0 * max(float(picture.mean()), 1e-9)), 0.0, 1.0)
        curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1.0 / 2.4) - 0.055)
        picture = np.round(255.0 * curve).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, np.ascontiguousarray(picture[..., :3]))


def run_group(
    names: Sequence[str], job: Mapping[str, object], options: argparse.Namespace, folder: Path
) -> list[Result]:
    """Run some renderers, one after the other, and keep their pictures if asked to."""
    results = []
    for name in names:
        print(f"running {name}", file=sys.stderr, flush=True)
        python = sys.executable if name in OURS else options.python
        picture = folder / f"{name}.npy"
        with screen(name in NEEDS_SCREEN) as display:
            told = {**job, "picture": str(picture)}
            results.append(measure(name, python, told, options.timeout, {**os.environ, **display}))
        if options.pictures and picture.exists():
            keep_picture(options.pictures / f"{name.replace(' ', '-')}.png", np.load(picture))
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every renderer; return the process's exit code."""
    options = parse(arguments)
    side = options.dem or (512 if options.quick else 1024)
    try:
        with Renderer(options.device) as renderer:
            device, gpu = renderer.device.name, renderer.device.type != "cpu"
    except VkforgeError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"vkforge on {device}; {versions(options.python)}")
    heights = fractal_heights(side)
    groups = []
    for group, runs in GROUPS.items():
        names = [name for name in runs if not options.only or name in options.only]
        if options.group not in ("all", group) or not names:
            continue
        asked = JOBS[group]
        width, height = (int(part) for part in options.size.split("x")) if options.size else asked.size
        frames = options.frames or (1 if options.quick else asked.frames)
        with tempfile.TemporaryDirectory(prefix="vkforge-peers-") as name_of_folder:
            folder = Path(name_of_folder)
            job = {**make_job(heights, (width, height), frames, options.device, folder), "gpu": gpu, **asked.more}
            results = run_group(names, job, options, folder)
        more = "".join(f", {name} {value:g}" for name, value in asked.more.items())
        print(f"\n{group}: DEM {side}, {width}x{height}, {frames} warm frames{more}\n{report(results, asked.columns)}")
        size = f"{width}x{height}"
        groups.append({"group": group, "size": size, **asked.more, "results": [vars(result) for result in results]})
    if options.json:
        content = {"device": device, "dem": side, "groups": groups}
        options.json.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return 0 if any(result["figures"] for group in groups for result in group["results"]) else 1


if __name__ == "__main__":
    sys.exit(main())
