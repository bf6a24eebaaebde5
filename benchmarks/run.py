"""vkforge's own figures: `python -m benchmarks.run [--quick] [--device X] [--json FILE]`.

Prints a table on stdout (progress goes to stderr) and writes the same as JSON, medians of repeated runs beside the best
of them. What the figures are:

- gpu: the passes' own GPU times, from timestamps. "sun frame" is one primary ray and one ray to a hard sun a pixel with
  no sky; "lit frame" is one primary ray, 16 sun rays and 16 sky rays a pixel. One sample a pixel in both.
- wall: from the call to the frame's end on the device; "with readback" is `Renderer.render`, from the call to arrays;
  "in a stream" is a frame of `Renderer.render_many`.
- python: CPU time of the calling thread (`time.thread_time`) a frame of 16x9 pixels when nothing changes but the
  camera. "submit" is from a Scene to the submission of its frame, the driver's part of that call included, while the
  device is idle: no wait is in it. "camera and scene" is making those two objects. "render" is all of
  `Renderer.render_many`, arrays and images included, and what the driver burns while it waits.
- cold: see benchmarks/cold.py; "no caches" is with an empty pipeline cache, vkforge's and the driver's own.
- upload: a new DEM's bytes over the time until it can be rendered: checks, staging, copies and the pyramid.
- animation: see benchmarks/animation.py.
- readback: a frame's picture and radiance, from the device into arrays that the caller owns.

"wanted" stands where the project has set itself a figure for this class of device.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import animation, light, post
from benchmarks.measure import median, repeat, show, table
from benchmarks.scenes import View, fractal_heights, lit, make_terrain, sunlit
from vkforge import Renderer, Scene, Settings, Terrain, VkforgeError
from vkforge.vk.instance import DeviceInfo

ROOT = Path(__file__).resolve().parent.parent
SUN_FRAME = Settings(samples=1, sun_rays=1, sky_rays=0)
LIT_FRAME = Settings(samples=1, sun_rays=16, sky_rays=16)
TINY = (16, 9)
CAP = 32 * 2**20

# (figure, DEM side, picture) -> the most it shall be, by class of device; None stands for any.
_WANTED: dict[str, dict[tuple[str, int | None, str | None], float]] = {
    "any": {("cold: import vkforge", None, None): 150.0, ("host memory, cap 32 MiB", 8192, None): CAP / 2**20},
    "h200": {
        ("gpu: sun frame, primary + sun", 8192, "1920x1080"): 1.0,
        ("gpu: lit frame", None, "1920x1080"): 8.0,
        ("python: submit", None, None): 0.1,
        **light.WANTED,
        **animation.WANTED,
        **post.WANTED,
    },
    "lavapipe, 2 cores": {("gpu: sun frame, primary + sun", 1024, "1280x720"): 250.0},
}


@dataclass(frozen=True)
class Figure:
    """One row of the table.

    Attributes:
        name: What was measured.
        unit: Of the values.
        values: One a run.
        dem: Side of the DEM, None where it plays no part.
        picture: "WIDTHxHEIGHT", None likewise.
        wanted: The most that the median shall be, None where nothing is set for this class of device.
    """

    name: str
    unit: str
    values: Sequence[float]
    dem: int | None = None
    picture: str | None = None
    wanted: float | None = None

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def best(self) -> float:
        return max(self.values) if self.unit == "GB/s" else min(self.values)

    @property
    def met(self) -> bool | None:
        return None if self.wanted is None else self.median <= self.wanted

    def cells(self) -> list[str]:
        """Return the row of the table."""
        met = {None: "", True: "yes", False: "no"}[self.met]
        wanted = "" if self.wanted is None else f"<= {self.wanted:g}"
        place = [str(self.dem or ""), self.picture or ""]
        return [self.name, *place, show(self.median), show(self.best), self.unit, str(len(self.values)), wanted, met]

    def record(self) -> dict[str, Any]:
        """Return the row for the JSON file."""
        rest = {"median": self.median, "best": self.best, "runs": len(self.values), "met": self.met}
        return {**{k: v for k, v in dataclasses.asdict(self).items() if k != "values"}, **rest}


HEADER = ("figure", "DEM", "picture", "median", "best", "unit", "runs", "wanted", "met")
LEFT = frozenset({0, 5})


def device_classes(info: DeviceInfo) -> list[str]:
    """Return the classes of device with wanted figures that `info` belongs to."""
    classes = ["any"]
    if "H200" in info.name:
        classes.append("h200")
    if "llvmpipe" in info.name and len(os.sched_getaffinity(0)) == 2:
        classes.append("lavapipe, 2 cores")
    return classes


class Bench:
    """Measures on one device and collects figures."""

    def __init__(self, device: str | int, info: DeviceInfo, seconds: float) -> None:
        self.device, self.info, self.seconds = device, info, seconds
        self.figures: list[Figure] = []
        self._classes = device_classes(info)
        self._began = time.perf_counter()

    def say(self, text: str) -> None:
        """Print a line of progress."""
        print(f"{time.perf_counter() - self._began:6.1f} s  {text}", file=sys.stderr, flush=True)

    def add(
        self, name: str, unit: str, values: Sequence[float], dem: int | None = None, picture: str | None = None
    ) -> None:
        """Keep a figure, with what is wanted of it here."""
        wanted = None
        for limits in (_WANTED[name] for name in self._classes):
            for (figure, side, size), limit in limits.items():
                if figure == name and side in (None, dem) and size in (None, picture):
                    wanted = limit
        self.figures.append(Figure(name, unit, list(values), dem, picture, wanted))

    # Frames

    def frames(self, renderer: Renderer, terrain: Terrain, size: tuple[int, int]) -> None:
        """Measure the sun frame and the lit frame of one DEM at one size."""
        side, picture = terrain.shape[0], f"{size[0]}x{size[1]}"
        camera = View.of(terrain).camera()
        for kind, scene, settings in (
            ("sun frame", sunlit(terrain, camera), SUN_FRAME),
            ("lit frame", lit(terrain, camera), LIT_FRAME),
        ):
            self.say(f"{kind}, DEM {side}, {picture}")
            times = repeat(lambda: self._frame(renderer, scene, size, settings), self.seconds)  # noqa: B023
            passes = {name: values for name, values in times.items() if name != "wall"}
            if passes:
                if kind == "sun frame":
                    both = [primary + sun for primary, sun in zip(passes["primary"], passes["sun"], strict=True)]
                    self.add("gpu: sun frame, primary + sun", "ms", both, side, picture)
                self.add(f"gpu: {kind}", "ms", [sum(run) for run in zip(*passes.values(), strict=True)], side, picture)
                for name, values in passes.items():
                    self.add(f"gpu: {kind}, pass {name}", "ms", values, side, picture)
            self.add(f"wall: {kind}", "ms", times["wall"], side, picture)
            times = repeat(lambda: self._render(renderer, scene, size, settings), self.seconds, warm=True)  # noqa: B023
            self.add(f"wall: {kind}, with readback", "ms", times["wall"], side, picture)
            if kind == "sun frame":
                times = repeat(lambda: self._stream(renderer, scene, size, settings), self.seconds, least=1, warm=True)  # noqa: B023
                self.add(f"wall: {kind}, with readback in a stream", "ms", times["wall"], side, picture)
                times = repeat(lambda: self._read_back(renderer, scene, size, settings), self.seconds / 4, warm=True)  # noqa: B023
                self.add("readback", "GB/s", times["rate"], side, picture)

    @staticmethod
    def _frame(renderer: Renderer, scene: Scene, size: tuple[int, int], settings: Settings) -> dict[str, float]:
        began = time.perf_counter()
        request = renderer._prepare(scene, size, "lit", (), settings, {})
        lane = renderer._lanes["lit"]
        lane.execute(request, None).wait()
        wall = 1e3 * (time.perf_counter() - began)
        frames = lane.compiled(request)
        return {**frames.light.pass_times(), **frames.picture.pass_times(), "wall": wall}

    @staticmethod
    def _render(renderer: Renderer, scene: Scene, size: tuple[int, int], settings: Settings) -> dict[str, float]:
        began = time.perf_counter()
        renderer.render(scene, size, settings=settings)
        return {"wall": 1e3 * (time.perf_counter() - began)}

    @staticmethod
    def _stream(renderer: Renderer, scene: Scene, size: tuple[int, int], settings: Settings) -> dict[str, float]:
        count = 5
        began = time.perf_counter()
        for _ in renderer.render_many([scene] * count, size, settings=settings):
            pass
        return {"wall": 1e3 * (time.perf_counter() - began) / count}

    @staticmethod
    def _read_back(renderer: Renderer, scene: Scene, size: tuple[int, int], settings: Settings) -> dict[str, float]:
        frames = renderer._lanes["lit"].compiled(renderer._prepare(scene, size, "lit", (), settings, {}))
        images = [frames.images[name] for name in ("display", "radiance")]
        began = time.perf_counter()
        arrays = renderer._readback.start(images).result()
        return {"rate": sum(array.nbytes for array in arrays) / (time.perf_counter() - began) / 1e9}

    # Python

    def python(self, renderer: Renderer, terrain: Terrain) -> None:
        """Measure the calling thread's CPU time a frame while only the camera moves."""
        count = 200 if self.info.type == "cpu" else 1000
        self.say(f"python, {count} frames a run")
        view = View.of(terrain)
        cameras = [view.camera(float(azimuth)) for azimuth in np.linspace(0.0, 360.0, count, endpoint=False)]
        base = lit(terrain, cameras[0])
        scenes = [dataclasses.replace(base, camera=camera) for camera in cameras]

        def submit() -> float:
            cpu = 0.0
            for scene in scenes:
                began = time.thread_time()
                request = renderer._prepare(scene, TINY, "lit", (), SUN_FRAME, {})
                rendered = renderer._lanes["lit"].execute(request, None)
                cpu += time.thread_time() - began
                rendered.wait()
            return cpu

        def construct() -> float:
            began = time.thread_time()
            for azimuth in range(count):
                dataclasses.replace(base, camera=view.camera(float(azimuth)))
            return time.thread_time() - began

        def render() -> float:
            began = time.thread_time()
            for _ in renderer.render_many(scenes, TINY, settings=SUN_FRAME):
                pass
            return time.thread_time() - began

        for name, action in (("submit", submit), ("camera and scene", construct), ("render", render)):
            times = repeat(lambda: {"cpu": 1e3 * action() / count}, self.seconds, most=20)  # noqa: B023
            self.add(f"python: {name}", "ms", times["cpu"])

    # Memory

    def upload(self, renderer: Renderer, terrain: Terrain) -> None:
        """Measure how fast a new DEM comes onto the device."""
        side = terrain.shape[0]
        self.say(f"upload, DEM {side}")

        def once() -> dict[str, float]:
            fresh = make_terrain(terrain.heights.copy())
            began = time.perf_counter()
            renderer._resident.parts(Scene(fresh))
            return {"rate": fresh.heights.nbytes / (time.perf_counter() - began) / 1e9}

        self.add("upload", "GB/s", repeat(once, self.seconds, least=1, most=10, warm=True)["rate"], side)

    def capped(self, side: int) -> None:
        """Upload and render a DEM that is larger than the host-memory cap, and see what the host gave for it."""
        self.say(f"upload under a host-memory cap of 32 MiB, DEM {side}")
        terrain = make_terrain(fractal_heights(side))
        with Renderer(self.device, host_memory_cap=CAP) as renderer:
            began = time.perf_counter()
            renderer._resident.parts(Scene(terrain))
            rate = terrain.heights.nbytes / (time.perf_counter() - began) / 1e9
            renderer.render(sunlit(terrain, View.of(terrain).camera()), (64, 36), settings=SUN_FRAME)
            report = renderer.memory_report()
        self.add("upload, cap 32 MiB", "GB/s", [rate], side)
        self.add("host memory, cap 32 MiB", "MiB", [report.peak.host_reserved / 2**20], side)

    # Cold starts

    def cold(self, side: int, size: tuple[int, int], runs: int) -> None:
        """Measure cold starts in fresh processes, with caches of pipelines and without, and their peak RSS."""
        with tempfile.TemporaryDirectory(prefix="vkforge-bench-") as folder:
            dem = Path(folder, "dem.npy")
            np.save(dem, fractal_heights(side))
            job = json.dumps({"dem": str(dem), "device": self.device, "size": size})
            self.say(f"cold starts, DEM {side}")
            empty = [self._cold_start(job, Path(folder, f"cache {i}")) for i in range(runs)]
            warm = [self._cold_start(job, Path(folder, "cache 0")) for _ in range(runs)]
        picture = f"{size[0]}x{size[1]}"

        def values(starts: list[Mapping[str, float]], *names: str) -> list[float]:
            return [sum(start[name] for name in names) for start in starts]

        imports = ("import_lazy", "import_public")
        self.add("cold: import vkforge", "ms", values(warm, "import_lazy"))
        self.add("cold: import Renderer, Terrain", "ms", values(warm, *imports))
        self.add("cold: import and device", "ms", values(warm, *imports, "device"))
        for name, starts in (("", warm), (", no caches", empty)):
            self.add(f"cold: first pixel{name}", "ms", values(starts, *imports, "device", "first_pixel"), side)
        self.add("cold: a first picture after that", "ms", values(warm, "first_picture"), side, picture)
        self.add("cold: peak RSS", "MiB", values(warm, "peak_rss"), side, picture)

    @staticmethod
    def _cold_start(job: str, cache: Path) -> Mapping[str, float]:
        """Run benchmarks.cold with this cache folder for vkforge, Mesa and NVIDIA's driver alike."""
        cache.mkdir(exist_ok=True)
        variables = ("VKFORGE_CACHE_DIR", "MESA_SHADER_CACHE_DIR", "__GL_SHADER_DISK_CACHE_PATH")
        environment = os.environ | dict.fromkeys(variables, str(cache))
        command = [sys.executable, "-m", "benchmarks.cold", job]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"the cold start failed: {done.stderr.strip().splitlines()[-1]}")
        return json.loads(done.stdout)


def host() -> dict[str, Any]:
    """Describe what else the figures depend on."""
    try:
        version = importlib.metadata.version("vkforge-renderer")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    return {
        "vkforge": version,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg()[0],
    }


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""

    def picture(text: str) -> tuple[int, int]:
        width, _, height = text.partition("x")
        return int(width), int(height)

    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description="Measure vkforge on this machine.")
    parser.add_argument("--quick", action="store_true", help="fewer sizes and runs; what a CPU device does anyway")
    parser.add_argument("--full", action="store_true", help="every size on a CPU device too")
    parser.add_argument("--device", default="auto", help="as Renderer takes it (default: auto)")
    parser.add_argument("--dem", type=int, nargs="+", metavar="SIDE", help="sides of the DEMs")
    parser.add_argument("--sizes", type=picture, nargs="+", metavar="WxH", help="sizes of the pictures")
    parser.add_argument("--cap-dem", type=int, default=8192, metavar="SIDE", help="DEM under the host cap; 0 for none")
    parser.add_argument("--frames", type=int, help="of the animation (default: 240, on a CPU 12)")
    parser.add_argument("--seconds", type=float, help="how long to repeat each measurement")
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: build/bench-DEVICE.json")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return the process's exit code."""
    options = parse(arguments)
    try:
        with Renderer(options.device) as renderer:
            info = renderer.device
        quick = options.quick or (info.type == "cpu" and not options.full)
        sides = options.dem or ([1024, 4096] if quick else [1024, 4096, 8192])
        sizes = options.sizes or ([(1280, 720)] if quick else [(1280, 720), (1920, 1080)])
        bench = Bench(options.device, info, options.seconds or (2.0 if quick else 4.0))
        bench.say(f"{info.name}, {info.driver}; DEMs {sides}, pictures {sizes}")
        for side in sides[:1] if quick else sides:
            bench.cold(side, sizes[0], 2 if quick else 5)
        with Renderer(options.device) as renderer:
            for side in sides:
                terrain = make_terrain(fractal_heights(side))
                if side == sides[0]:
                    bench.python(renderer, terrain)
                bench.upload(renderer, terrain)
                for size in sizes:
                    bench.frames(renderer, terrain, size)
                    bench.say(f"light, DEM {side}, {size[0]}x{size[1]}")
                    light.measure(renderer, terrain, size, bench.seconds, bench.add)
                    post.measure(renderer, terrain, size, bench.seconds, bench.add)
                if side == sides[-1]:
                    bench.say("sky tables")
                    light.sky_tables(renderer, terrain, bench.seconds, bench.add)
                if side == sides[0]:
                    frames = animation.FEW_FRAMES if info.type == "cpu" else animation.FRAMES
                    bench.say(f"animation, {frames} frames")
                    animation.measure(renderer, terrain, options.frames or frames, sizes[0], bench.add)
        if options.cap_dem:
            bench.capped(options.cap_dem)
    except VkforgeError as error:
        print(error, file=sys.stderr)
        return 1
    described = host()
    print(f"{info.name} ({info.type}), {info.driver}, Vulkan {'.'.join(map(str, info.api_version))}")
    print(f"{', '.join(f'{key} {value}' for key, value in described.items())}\n")
    print(table(HEADER, [figure.cells() for figure in bench.figures], LEFT))
    path = options.json or ROOT / "build" / f"bench-{re.sub(r'[^a-z0-9]+', '-', info.name.lower()).strip('-')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": {"name": info.name, "type": info.type, "driver": info.driver, "api_version": info.api_version},
        "host": described,
        "figures": [figure.record() for figure in bench.figures],
    }
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    print(f"\nwritten to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
