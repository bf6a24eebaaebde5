"""The demonstration: a real DEM seen obliquely, as shaded relief, and buffer by buffer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vkforge.aovs import AOVS
from vkforge.errors import MissingDependencyError, OutputError

if TYPE_CHECKING:
    from vkforge.scene import Terrain

OBLIQUE_SIZE = (1920, 1080)
RELIEF_SCALE = 3  # pixels a cell of the relief: the DEM is a small one
EXAGGERATION = 1.5  # 800 m of relief over 30 km throw next to no shadow as they are
SAMPLES = 16
DULL = ("roughness", "metallic", "emission", "water", "variance")  # on this ground, in this light
SHEET_AOVS = tuple(name for name in AOVS if name not in DULL)


@dataclass(frozen=True)
class Picture:
    """A picture that the demonstration wrote.

    Attributes:
        path: its file.
        shows: what it shows, for people.
        size: (width, height) in pixels.
        render_seconds: how long the render took, or None where it came from the render before.
        write_seconds: how long it took to lay out and write.
    """

    path: Path
    shows: str
    size: tuple[int, int]
    render_seconds: float | None
    write_seconds: float


def demo_terrain() -> Terrain:
    """Return the DEM that Matplotlib ships, heights times 1.5: Jacksboro fault, Tennessee, 403 x 344 at 3 arc seconds.

    Raises:
        MissingDependencyError: Matplotlib is missing.
    """
    try:
        from matplotlib import get_data_path
    except ImportError as error:
        raise MissingDependencyError(
            "the demo's DEM comes with Matplotlib: pip install 'vkforge-renderer[demo]'"
        ) from error
    from vkforge.scene import Terrain

    path = Path(get_data_path()) / "sample_data" / "jacksboro_fault_dem.npz"
    return Terrain.open(path, vertical_exaggeration=EXAGGERATION)


def render_demo(folder: Path, device: str, progress: Callable[[str, int, int], None]) -> tuple[list[Picture], str]:
    """Render oblique.png, relief.png and aovs.png into `folder`, which is made if it isn't there.

    Args:
        folder: where the pictures go; earlier ones are replaced.
        device: as `Renderer` takes it.
        progress: called with what is being done, how much of it is done, and the total (0 where that is unknown).

    Returns:
        The pictures, and the name of the device.

    Raises:
        MissingDependencyError: Matplotlib is missing.
        OutputError: the folder or a picture can't be written.
        DeviceError: there is no Vulkan device that can render.
    """
    from vkforge.contact_sheet import contact_sheet
    from vkforge.io.png import write_png
    from vkforge.renderer import Renderer
    from vkforge.scene import Scene

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"can't make the folder {folder}: {error.strerror}; choose another with -o") from error

    def timed(work: Callable[[], Any]) -> tuple[Any, float]:
        start = time.perf_counter()
        return work(), time.perf_counter() - start

    progress("reading the DEM", 0, 0)
    terrain = demo_terrain()
    straight_down = Scene.relief(terrain)
    columns, rows = straight_down.camera.natural_size or terrain.shape[::-1]
    relief_size = (columns * RELIEF_SCALE, rows * RELIEF_SCALE)
    progress("starting the device", 0, 0)
    with Renderer(device=device) as renderer:

        def render(what: str, scene: Scene, size: tuple[int, int], aovs: tuple[str, ...]) -> tuple[Any, float]:
            def show(done: int, total: int) -> None:
                progress(f"rendering {what}", done, total)

            return timed(lambda: renderer.render(scene, size, aovs=aovs, samples=SAMPLES, progress=show))

        oblique, oblique_seconds = render(
            "the oblique view", Scene.portrait(terrain, OBLIQUE_SIZE), OBLIQUE_SIZE, SHEET_AOVS
        )
        relief, relief_seconds = render("the relief", straight_down, relief_size, ())
        device_name = renderer.device.name

    progress("writing", 0, 0)
    paths = [folder / name for name in ("oblique.png", "relief.png", "aovs.png")]
    _, oblique_write = timed(lambda: oblique.save(paths[0]))
    _, relief_write = timed(lambda: relief.save(paths[1]))

    def write_sheet() -> tuple[int, int]:
        sheet = contact_sheet(oblique, title="Jacksboro fault, Tennessee: one frame, layer by layer")
        write_png(paths[2], sheet)
        return sheet.shape[1], sheet.shape[0]

    sheet_size, sheet_seconds = timed(write_sheet)
    return [
        Picture(paths[0], f"the whole block, heights x{EXAGGERATION:g}", oblique.size, oblique_seconds, oblique_write),
        Picture(paths[1], f"shaded relief, heights x{EXAGGERATION:g}", relief.size, relief_seconds, relief_write),
        Picture(paths[2], "contact sheet of the AOVs", sheet_size, None, sheet_seconds),
    ], device_name
