"""One picture, several Vulkan drivers: they must agree. `./dev test-drivers` calls this.

Usage: ``python -m tests.compare_drivers MANIFEST MANIFEST...`` with the JSON manifests of two drivers or more. Each
renders in a process of its own, chosen with VK_DRIVER_FILES; every pair of pictures must reach a structural similarity
(Wang, Bovik, Sheikh and Simoncelli 2004) of 0.999. Exit code 1 where one does not, or where a driver can't render.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SIZE = (480, 270)
SAMPLES = 8
LEAST_SIMILARITY = 0.999


def render(output: Path) -> None:
    """Render the picture on this process's driver and write pixels, device and driver into an .npz."""
    import vkforge as vf
    from vkforge.demo import demo_terrain

    with vf.Renderer() as renderer:
        image = renderer.render(vf.Scene.portrait(demo_terrain(), SIZE), SIZE, samples=SAMPLES)
        np.savez(output, rgba=image.rgba, device=renderer.device.name, driver=renderer.device.driver)


def render_with(manifest: Path, output: Path) -> tuple[str, np.ndarray]:
    """Render in a new process under one driver; return "device, driver" and the (h, w, 3) uint8 picture."""
    # Loaders older than 1.3.207 know the second name alone.
    environment = {**os.environ, "VK_DRIVER_FILES": str(manifest), "VK_ICD_FILENAMES": str(manifest)}
    command = [sys.executable, "-m", "tests.compare_drivers", "--render", str(output)]
    if subprocess.run(command, env=environment, check=False).returncode:
        sys.exit(f"{manifest} could not render the picture")
    with np.load(output) as data:
        return f"{data['device']}, {data['driver']}", data["rgba"][..., :3].copy()


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Return the structural similarity of two (h, w, 3) uint8 pictures, 1 for equal ones."""
    from skimage.metrics import structural_similarity

    return float(structural_similarity(a, b, channel_axis=-1, data_range=255))  # type: ignore[arg-type]


def compare(pictures: dict[Path, np.ndarray]) -> bool:
    """Print a line for each pair of pictures; return whether all agree."""
    agree = True
    for (one, a), (other, b) in itertools.combinations(pictures.items(), 2):
        found = similarity(a, b)
        apart = np.abs(a.astype(np.int16) - b).max(axis=-1)
        verdict = "agree" if found >= LEAST_SIMILARITY else f"DIFFER: wanted {LEAST_SIMILARITY}"
        print(
            f"{one} and {other}: SSIM {found:.6f}, {(apart > 0).mean():.2%} of the pixels differ, "
            f"by at most {apart.max()} of 255: {verdict}"
        )
        agree = agree and found >= LEAST_SIMILARITY
    return agree


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.compare_drivers", description=__doc__)
    parser.add_argument("manifests", nargs="*", type=Path, metavar="MANIFEST", help="a driver's JSON manifest")
    parser.add_argument("--render", type=Path, metavar="OUT", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.render:
        render(arguments.render)
        return
    manifests = list(dict.fromkeys(path.resolve() for path in arguments.manifests))
    if len(manifests) < 2:
        parser.error("two drivers or more are wanted, each by its JSON manifest")
    pictures = {}
    with tempfile.TemporaryDirectory() as folder:
        for index, manifest in enumerate(manifests):
            who, pictures[manifest] = render_with(manifest, Path(folder) / f"{index}.npz")
            print(f"{manifest}: {who}", flush=True)
    sys.exit(0 if compare(pictures) else 1)


if __name__ == "__main__":
    main()
