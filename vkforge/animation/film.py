"""The making of a video: frames rendered, read back and encoded at the same time."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vkforge.animation.fingerprint import fingerprint
from vkforge.animation.progress import Progress, Stopwatch, to_terminal
from vkforge.aovs import check_aovs
from vkforge.errors import InputError
from vkforge.image import Image
from vkforge.io.reel import Reel, job, open_reel
from vkforge.scene.checks import flag, picture_size, show
from vkforge.scene.georeferencing import is_plan
from vkforge.settings import LANES, lane_name

if TYPE_CHECKING:
    from vkforge.animation.animation import Animation
    from vkforge.renderer import Renderer
    from vkforge.scene.scene import Scene
    from vkforge.scene.shutter import MovingScene
    from vkforge.settings import Settings

WAITING = 2  # frames between the renderer and the encoder, so that neither waits for the other's slower moments


class Film:
    """What `Animation.render`, whose arguments these are, shall make: checked as far as can be without a device."""

    def __init__(
        self,
        animation: Animation,
        path: str | os.PathLike[str],
        size: tuple[int, int] | None = None,
        *,
        lane: str = LANES[0],
        aovs: str | Iterable[str] = (),
        **encoding: Any,
    ) -> None:
        from vkforge.renderer import DEFAULT_SIZE

        size = animation.scene(0.0).camera.natural_size or DEFAULT_SIZE if size is None else size
        self._animation, self._path, self._size = animation, path, picture_size(size)
        self._lane, self._aovs = lane_name(lane), check_aovs(aovs)
        self._reel = open_reel(path, animation.frames, animation.fps, self._size, self._aovs, encoding)
        animation.check(self._aovs, lane=self._lane, size=self._size)
        moments = {0.0, *(time for time, _ in animation.tracks.get("background", ()))}
        if any(animation.scene(moment).is_transparent for moment in moments):
            self._reel.check_alpha()
        if self._reel.target.suffix.lower() in (".tif", ".tiff"):
            for frame in range(animation.frames):
                _check_map(animation.scene(animation.time(frame)))

    def make(
        self, renderer: Renderer | None, *, resume: bool = True, progress: Callable[[Progress], None] | None = None
    ) -> Path:
        """Make the frames that are missing and put them together."""
        from vkforge.renderer import Renderer

        if renderer is not None and not isinstance(renderer, Renderer):
            raise InputError(f"renderer is {show(renderer)}; wanted a vkforge.Renderer or None")
        if progress is not None and not callable(progress):
            raise InputError(f"progress is {show(progress)}; wanted a function of a Progress, or None")
        resume, progress = flag("resume", resume), progress or to_terminal
        with contextlib.ExitStack() as ours:
            if not resume:  # what can't be rendered is told before the frames of an earlier job go
                renderer = renderer or ours.enter_context(Renderer())
                (first,) = self._jobs([0])
                renderer.plan(first[0], self._size, lane=self._lane, aovs=self._aovs, settings=first[1])
            with job(self._reel, self._made_of(), resume=resume) as missing:
                if missing:
                    renderer = renderer or ours.enter_context(Renderer())
                    images = renderer.render_many(self._jobs(missing), self._size, lane=self._lane, aovs=self._aovs)
                    encode(missing, images, self._reel, progress)
                self._reel.finish()
        return Path(self._path)

    def _jobs(self, frames: Iterable[int]) -> Iterator[tuple[Scene | MovingScene, Settings]]:
        """Give what each frame shows and how it is rendered."""
        moments = map(self._animation.time, frames)
        return ((self._animation.exposure(moment), self._animation.settings(moment)) for moment in moments)

    def _made_of(self) -> dict[str, str]:
        """Return all that frames depend on, by the words in which an error names it."""
        from vkforge import __version__

        animation, (width, height) = self._animation, self._size
        return {
            "scene": fingerprint(animation._scene),
            "tracks": fingerprint([animation.tracks, animation.interpolation, animation.place]),
            "settings": fingerprint(animation._settings),
            "shutter": fingerprint(animation.shutter),
            "number of frames": f"{animation.frames} at {animation.fps:g} frames a second",
            "size": f"{width}x{height}",
            "lane": self._lane,
            "AOVs": ", ".join(self._aovs),
            "encoding": fingerprint(self._reel.options),
            "version of vkforge": __version__,
        }


def _check_map(scene: Scene) -> None:
    if not is_plan(scene.camera) or scene.terrain.transform is None:
        raise InputError(
            "a GeoTIFF has a georeference, which only a view straight down of a terrain with a transform gives "
            "(Camera.map); use numbered .png or .exr instead"
        )


def encode(
    frames: list[int], images: Generator[Image, None, None], reel: Reel, progress: Callable[[Progress], None]
) -> None:
    """Hand images to a reel in a thread of its own while the next ones are made.

    Args:
        frames: the images' numbers.
        images: made as they are asked for.
        reel: which is stopped, with what it has, when anything fails.
        progress: called in this thread.
    """
    waiting: queue.Queue[tuple[int, Image] | None] = queue.Queue(WAITING)
    failures: list[BaseException] = []
    written: list[float] = []  # when

    def work() -> None:
        while (item := waiting.get()) is not None:
            if not failures:
                try:
                    reel.write(*item)
                    written.append(time.perf_counter())
                except BaseException as error:
                    failures.append(error)
            item = None  # or the last image would live until the next one comes

    thread = threading.Thread(target=work, name="vkforge encoder")

    def finish() -> None:
        if thread.is_alive():
            waiting.put(None)
            thread.join()

    stopwatch, told = Stopwatch(reel.frames - len(frames), reel.frames), 0
    ours = _Ours()
    weakref.finalize(ours, waiting.put, None)  # or, were this cut off on its way out, the thread would wait for ever
    try:
        try:
            thread.start()
            for item in zip(frames, images, strict=True):
                waiting.put(item)
                del item
                if failures:
                    break
                for when in written[told:]:
                    told += 1
                    progress(stopwatch.tick(when))
        finally:
            images.close()  # which waits for frames in flight
            finish()
        if failures:
            raise failures[0]
        for when in written[told:]:
            told += 1
            progress(stopwatch.tick(when))
    except BaseException:
        finish()  # a second interrupt may have cut it off; nobody else writes while the reel is stopped
        with contextlib.suppress(OSError):  # a full disk takes no more; the reason is on its way already
            reel.stop()
        raise


class _Ours:
    """Something that goes with the call that made it."""
