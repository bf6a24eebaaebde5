"""`vkforge.render`: one line from a terrain to a picture."""

from __future__ import annotations

import atexit
import sys
import threading
from typing import Any

from vkforge.errors import InputError
from vkforge.image import Image
from vkforge.lanes.lane import Progress
from vkforge.renderer import Renderer
from vkforge.scene.checks import show
from vkforge.scene.scene import Scene
from vkforge.scene.terrain import Terrain
from vkforge.settings import Settings
from vkforge.status_line import StatusLine, is_watched
from vkforge.vk.instance import check_process, forked

_renderers: dict[str | int, Renderer] = {}
_lock = threading.RLock()  # of those


def render(
    scene: Scene | Terrain,
    size: tuple[int, int] | None = None,
    *,
    preset: str | None = None,
    device: str | int = "auto",
    progress: bool | Progress | None = None,
    **options: Any,
) -> Image:
    """Render a scene, or a terrain as `Scene.portrait` shows it, on a renderer kept for the next call.

    Threads that call it at the same time are served one after the other.

    Args:
        scene: What to render.
        size: (width, height) in pixels; see `Renderer.render`.
        preset: light and look by name: "daylight", "golden-hour", "overcast", "blue-hour", "studio-relief" or "swiss".
            The light replaces a scene's (`Scene.lit_as`), the look is `Settings.preset`.
        device: As `Renderer` takes it; each has a renderer of its own.
        progress: Whether a line on stderr says how far the picture is; None is where stderr is a terminal or a
            notebook. Or what `Renderer.render` takes: called with (samples done, samples in all).
        options: Everything else that `Renderer.render` takes: aovs, samples, tonemap, ...

    Raises:
        InputError: An argument that can't be used.
        DeviceError: Vulkan or the device is missing or fails; the message says what to do.
    """
    if preset is not None:
        if options.get("settings") is not None:
            raise InputError("render was given a preset and settings; give Settings.preset(name).replace(...) alone")
        options["settings"] = Settings.preset(preset)
        if isinstance(scene, Terrain):
            scene = Scene.portrait(scene, size, preset=preset)
        elif isinstance(scene, Scene):
            scene = scene.lit_as(preset)
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise InputError(f"progress is {show(progress)}; wanted True, False, None or something to call")
    if callable(progress):
        return kept_renderer(device).render(scene, size, progress=progress, **options)
    line = StatusLine("rendering") if progress or (progress is None and is_watched(sys.stderr)) else None
    try:
        return kept_renderer(device).render(scene, size, progress=line, **options)
    finally:
        if line is not None:
            line.close()


def kept_renderer(device: str | int = "auto") -> Renderer:
    """Return the renderer that `render` uses on a device, made on first use and closed when Python ends.

    All threads share it, and it serves them one after the other.
    """
    check_process()  # before the lock, which nobody may be there to release
    with _lock:
        renderer = _renderers.get(device) if isinstance(device, (str, int)) else None  # else for Renderer to refuse
        if renderer is None or renderer.lost:
            if renderer is not None:
                renderer.close()
            renderer = _renderers[device] = Renderer(device)
        return renderer


@atexit.register
def _close_all() -> None:
    if forked():
        return
    with _lock:
        for renderer in _renderers.values():
            renderer.close()
        _renderers.clear()
