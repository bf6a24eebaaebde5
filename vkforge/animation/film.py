"""The making of a video: frames rendered, read back and encoded at the same time."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vkforge.animation.fingerprint import fingerprint
from vkforge.animation.progress import Progress, Stopwatch, to_terminal
from vkforge.aovs import check_aovs
from vkforge.errors import InputError
from vkforge.image import Image
from vkforge.io.reel import Reel, job, open_reel

if TYPE_CHECKING:
    from vkforge.animation.animation import Animation
    from vkforge.renderer import Renderer

WAITING = 2  # frames between the renderer and the encoder, so that neither waits for the other's slower moments


def film(
    animation: Animation,
    path: str | os.PathLike[str],
    size: tuple[int, int] | None,
    renderer: Renderer | None,
    lane: str,
    aovs: tuple[str, ...],
    encoding: dict[str, Any],
    resume: bool,
    progress: Callable[[Progress], None] | None,
) -> Path:
    """Make the frames that are missing and put them together: `Animation.render`, whose arguments these are."""
    from vkforge.renderer import DEFAULT_SIZE, Renderer

    size = _size(animation.scene(0.0).camera.natural_size or DEFAULT_SIZE if size is None else size)
    aovs = check_aovs(aovs)
    reel = open_reel(path, animation.frames, animation.fps, size, aovs, encoding)
    animation.check()
    with job(reel, _made_of(animation, size, lane, aovs, reel), resume=resume) as missing:
        if missing:
            with Renderer() if renderer is None else contextlib.nullcontext(renderer) as rendering:
                moments = [animation.time(frame) for frame in missing]
                jobs = ((animation.exposure(moment), animation.settings(moment)) for moment in moments)
                images = rendering.render_many(jobs, size, lane=lane, aovs=aovs)
                encode(missing, images, reel, to_terminal if progress is None else progress)
        reel.finish()
    return Path(path)


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
    written: list[int] = []

    def work() -> None:
        while (item := waiting.get()) is not None:
            if not failures:
                try:
                    reel.write(*item)
                    written.append(item[0])
                except BaseException as error:
                    failures.append(error)
            item = None  # or the last image would live until the next one comes

    stopwatch, told = Stopwatch(reel.frames - len(frames), reel.frames), 0
    thread = threading.Thread(target=work, name="vkforge encoder")
    thread.start()
    try:
        try:
            for item in zip(frames, images, strict=True):
                waiting.put(item)
                del item
                if failures:
                    break
                for _ in range(len(written) - told):
                    told += 1
                    progress(stopwatch.tick())
        finally:
            images.close()  # which waits for frames in flight
            waiting.put(None)
            thread.join()
        if failures:
            raise failures[0]
        for _ in range(len(written) - told):
            told += 1
            progress(stopwatch.tick())
    except BaseException:
        with contextlib.suppress(OSError):  # a full disk takes no more; the reason is on its way already
            reel.stop()
        raise


def _size(given: Any) -> tuple[int, int]:
    try:
        width, height = (int(side) for side in given if side == int(side))
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"size is {given!r}; wanted (width, height) in whole pixels, as (1280, 720)") from None
    return width, height


def _made_of(
    animation: Animation, size: tuple[int, int], lane: str, aovs: tuple[str, ...], reel: Reel
) -> dict[str, str]:
    """Return all that frames depend on, by the words in which an error names it."""
    from vkforge import __version__

    return {
        "scene": fingerprint(animation._scene),
        "tracks": fingerprint([animation.tracks, animation.interpolation, animation.place]),
        "settings": fingerprint(animation._settings),
        "shutter": fingerprint(animation.shutter),
        "number of frames": f"{animation.frames} at {animation.fps:g} frames a second",
        "size": f"{size[0]}x{size[1]}",
        "lane": lane,
        "AOVs": ", ".join(aovs),
        "encoding": fingerprint(reel.options),
        "version of vkforge": __version__,
    }
