"""One cold start, timed in a process of its own: `python -m benchmarks.cold '{"dem": ..., "device": ...}'`.

Prints one JSON object, times in milliseconds from one mark to the next:
import_lazy (`import vkforge`), import_public (`from vkforge import Renderer, Terrain` after that), device (a Renderer),
first_pixel (a terrain uploaded and a 16x9 picture of it as arrays), first_picture (another of the size asked, whose
frame has to be compiled too), and peak_rss in MiB, the DEM's two copies (the array's and the terrain's) included.
"""

from __future__ import annotations

import json
import sys
import time

from benchmarks.measure import peak_rss


def main() -> None:
    job = json.loads(sys.argv[1])
    marks = [time.perf_counter()]
    import vkforge  # noqa: F401

    marks.append(time.perf_counter())
    from vkforge import Renderer, Terrain  # noqa: F401

    marks.append(time.perf_counter())
    import numpy as np

    from benchmarks.scenes import View, make_terrain, sunlit

    heights = np.load(job["dem"])
    skipped = time.perf_counter() - marks[-1]
    with Renderer(job["device"]) as renderer:
        marks.append(time.perf_counter())
        terrain = make_terrain(heights)
        scene = sunlit(terrain, View.of(terrain).camera())
        renderer.render(scene, (16, 9), samples=1)
        marks.append(time.perf_counter())
        renderer.render(scene, tuple(job["size"]), samples=1)
        marks.append(time.perf_counter())
    names = ("import_lazy", "import_public", "device", "first_pixel", "first_picture")
    times = {name: 1e3 * (after - before) for name, before, after in zip(names, marks, marks[1:], strict=False)}
    times["device"] -= 1e3 * skipped
    print(json.dumps({**times, "peak_rss": peak_rss() / 2**20}))


if __name__ == "__main__":
    main()
