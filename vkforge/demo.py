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
QUICK_SIZE = (768, 432)
SHEET_SHARE = 0.5  # of the oblique view's sides: the sheet shows each layer smaller still
RELIEF_SCALE = 3  # pixels a cell of the relief: the DEM is a small one
EXAGGERATION = 1.5  # 800 m of relief over 30 km throw next to no shadow as they are
SAMPLES = 16  # of edges and of the sun
SKY_RAYS = 4  # a sample: 64 a pixel leave noise that 128 would not make less to the eye (FLIP 0.0165, not 0.0158)
SHEET_SAMPLES = 4
DULL = ("roughness", "metallic", "emission", "water", "variance")  # on this ground, in this light
SHEET_AOVS = tuple(name for name in AOVS if name not in DULL)


@dataclass(frozen=True)
class Picture:
    """A picture that the demonstration wrote.

    Attributes:
        path: its file.
        shows: what it shows, for people.
        size: (width, height) in pixels.
        render_seconds: how long the render took.
        write_seconds: how long it took to lay out and write.
    """

    path: Path
    shows: str
    size: tuple[int, int]
    render_seconds: float
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


def render_demo(
    folder: Path, device: str, progress: Callable[[str, int, int], None], size: tuple[int, int] = OBLIQUE_SIZE
) -> tuple[list[Picture], str]:
    """Render oblique.png, relief.png and aovs.png into `folder`, which is made if it isn't there.

    Args:
        folder: where the pictures go; earlier ones are replaced.
        device: as `Renderer` takes it.
        progress: called with what is being done, how much of it is done, and the total (0 where that is unknown).
        size: (width, height) of the oblique view in pixels; the others are smaller or larger with it.

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

    progress("reading the DEM", 0, 0)
    terrain = demo_terrain()
    straight_down = Scene.relief(terrain)
    columns, rows = straight_down.camera.natural_size or terrain.shape[::-1]
    scale = RELIEF_SCALE * size[0] / OBLIQUE_SIZE[0]
    relief_size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    sheet_size = (max(1, round(size[0] * SHEET_SHARE)), max(1, round(size[1] * SHEET_SHARE)))
    progress("starting the device", 0, 0)
    with Renderer(device=device) as renderer:

        def render(what: str, scene: Scene, size: tuple[int, int], **settings: Any) -> tuple[Any, float]:
            def show(done: int, total: int) -> None:
                progress(f"rendering {what}, {size[0]}x{size[1]}", done, total)

            settings = {"samples": SAMPLES, "sky_rays": SKY_RAYS, **settings}
            return _timed(lambda: renderer.render(scene, size, progress=show, **settings))

        oblique, oblique_seconds = render("the oblique view", Scene.portrait(terrain, size), size)
        relief, relief_seconds = render("the relief", straight_down, relief_size)
        layers, layers_seconds = render(
            "the layers", Scene.portrait(terrain, sheet_size), sheet_size, aovs=SHEET_AOVS, samples=SHEET_SAMPLES
        )
        device_name = renderer.device.name

    progress("writing the pictures", 0, 0)
    paths = [folder / name for name in ("oblique.png", "relief.png", "aovs.png")]
    _, oblique_write = _timed(lambda: oblique.save(paths[0]))
    _, relief_write = _timed(lambda: relief.save(paths[1]))

    def write_sheet() -> tuple[int, int]:
        sheet = contact_sheet(layers, title="Jacksboro fault, Tennessee: one frame, layer by layer")
        write_png(paths[2], sheet)
        return sheet.shape[1], sheet.shape[0]

    sheet_pixels, sheet_write = _timed(write_sheet)
    return [
        Picture(paths[0], f"the whole block, heights x{EXAGGERATION:g}", oblique.size, oblique_seconds, oblique_write),
        Picture(paths[1], f"shaded relief, heights x{EXAGGERATION:g}", relief.size, relief_seconds, relief_write),
        Picture(paths[2], "contact sheet of the AOVs", sheet_pixels, layers_seconds, sheet_write),
    ], device_name


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start
