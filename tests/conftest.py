"""What the tests share: one renderer, the validation layers' verdict after every test, goldens, and a real DEM."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# One test process a core: more threads in NumPy's linear algebra only wait for each other. NumPy reads it once, below.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from vkforge.errors import VulkanMissingError

if TYPE_CHECKING:
    import vkforge as vf

HERE = Path(__file__).parent
GOLDENS = HERE / "goldens"
FAILURES = HERE / ".failures"

# Every renderer a test makes is watched; VKFORGE_VALIDATION=0 runs the tests where the layers are not to be had.
os.environ.setdefault("VKFORGE_VALIDATION", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="rewrite tests/goldens with what is rendered now")
    parser.addoption("--interrupt-stride", type=int, default=97, help="interrupt at each nth line alone; 1 is all")
    parser.addoption(
        "--walk", type=float, default=0.0, help="seconds for which test_random_walk.py goes on, by new seeds"
    )


class Module(pytest.Module):
    """A file of tests, left out by ``-m "not gpu"`` where it imports what needs the Vulkan loader and there is none."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        try:
            return super().collect()
        except VulkanMissingError as error:
            if self.config.getoption("markexpr") != "not gpu":
                raise  # whoever wants all tests wants to know
            pytest.skip(str(error), allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> Module:
    return Module.from_parent(parent, path=module_path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for the renderer needs a device: ``-m gpu`` picks those."""
    for item in items:
        if "renderer" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.gpu)


@pytest.fixture(scope="session")
def renderer() -> Iterator[vf.Renderer]:
    """One renderer for the session, on the device that vkforge chooses (or VKFORGE_DEVICE says)."""
    from vkforge import Renderer

    with Renderer() as made:
        yield made


@pytest.fixture(autouse=True)
def validation_messages() -> Iterator[None]:
    """Fail any test during which the validation layers complained."""
    yield
    instance = sys.modules.get("vkforge.vk.instance")
    messages = instance.drain_validation_messages() if instance else []
    if messages:
        pytest.fail(f"{len(messages)} validation messages:\n" + "\n".join(messages), pytrace=False)


@pytest.fixture
def golden(request: pytest.FixtureRequest, renderer: vf.Renderer) -> Callable[[str, np.ndarray], None]:
    """Return ``check(name, pixels)``, which compares (h, w, 3 or 4) uint8 pixels with ``tests/goldens/NAME.png``.

    On lavapipe alone: goldens are one driver's pixels, other drivers are held against it by ``./dev test-drivers``.
    At most 0.5 % of the pixels may differ by more than 4 of 255 in a channel. On failure the golden, the picture and
    eight times their difference are kept side by side in ``tests/.failures/NAME.png``. A golden is written only with
    ``--update-goldens``.
    """

    def check(name: str, pixels: np.ndarray) -> None:
        from PIL import Image

        if "llvmpipe" not in renderer.device.name:
            pytest.skip(f"goldens are compared on lavapipe alone, this is {renderer.device.name}")
        path = GOLDENS / f"{name}.png"
        got = np.ascontiguousarray(pixels[..., :3])
        if request.config.getoption("--update-goldens"):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(got).save(path, optimize=True)
            return
        if not path.is_file():
            pytest.fail(f"there is no {path}; make it with pytest --update-goldens, and look at it", pytrace=False)
        wanted = np.asarray(Image.open(path).convert("RGB"))
        if wanted.shape != got.shape:
            pytest.fail(f"{path} is {wanted.shape}, the picture {got.shape}", pytrace=False)
        difference = np.abs(wanted.astype(np.int16) - got).astype(np.uint8)
        share = (difference.max(axis=-1) > 4).mean()
        if share > 0.005:
            kept = FAILURES / f"{name}.png"
            kept.parent.mkdir(parents=True, exist_ok=True)
            amplified = np.minimum(difference.astype(np.uint16) * 8, 255).astype(np.uint8)
            Image.fromarray(np.concatenate([wanted, got, amplified], axis=1)).save(kept)
            pytest.fail(f"{share:.2%} of the pixels differ from {path}; see {kept}", pytrace=False)

    return check


@pytest.fixture(scope="session")
def jacksboro() -> tuple[np.ndarray, tuple[float, float]]:
    """The Jacksboro fault, Tennessee, from Matplotlib's sample data: (344, 403) int16 metres, and its cell size.

    The cell size (dx, dy) is in metres: 3 arc seconds on a sphere of the Earth's mean radius, at the DEM's middle.
    """
    from matplotlib import get_data_path

    with np.load(Path(get_data_path()) / "sample_data" / "jacksboro_fault_dem.npz") as data:
        latitude = np.radians((float(data["ymin"]) + float(data["ymax"])) / 2)
        degree = np.radians(6_371_008.8)
        cell_size = (float(data["dx"]) * degree * np.cos(latitude), float(data["dy"]) * degree)
        return data["elevation"], cell_size
