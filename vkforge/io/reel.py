"""Where an animation's frames go: numbered pictures, or the parts of a video that is put together at the end."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from vkforge.errors import InputError, OutputError, suggest
from vkforge.image import Image, check_alpha, check_options, known_extensions
from vkforge.io.atomic import check_target, replacing, sweep
from vkforge.io.lock import locked
from vkforge.scene.checks import file_path

_NUMBER = re.compile(r"%0?\d*d")


class Reel(ABC):
    """Takes frames, knows which are missing, and can be left and taken up again.

    Attributes:
        target: the file that is named, links resolved; of numbered pictures the pattern.
        frames: how many there shall be.
        fps: frames a second.
        size: (width, height) in pixels.
        options: how to encode, only what was given.
        TAKES: the options that mean something here.
    """

    TAKES: ClassVar[tuple[str, ...]] = ()

    def __init__(self, target: Path, frames: int, fps: float, size: tuple[int, int], options: dict[str, Any]) -> None:
        self.target, self.frames, self.fps, self.size, self.options = target, frames, fps, size, options

    def check_alpha(self) -> None:
        """Check that frames may have a transparent background.

        Raises:
            InputError: the format has no alpha.
        """
        raise InputError(
            f"{self.target.suffix} has no alpha, and the background is transparent; make a .webp or numbered pictures "
            f"({self.target.stem}_%04d.png), or give the scene a background"
        )

    @property
    @abstractmethod
    def record(self) -> Path:
        """The JSON file that says what makes the frames."""

    @abstractmethod
    def missing(self) -> list[int]:
        """Return the numbers of the frames that are not there yet, ascending."""

    @abstractmethod
    def write(self, frame: int, image: Image) -> None:
        """Take a frame; they come in the order of `missing`."""

    def stop(self) -> None:  # noqa: B027  # most have nothing to do
        """Keep what came so far, as the job ends before its time."""

    @abstractmethod
    def finish(self) -> None:
        """Put the file together, now that no frame is missing."""

    @abstractmethod
    def discard(self) -> None:
        """Remove every frame of an earlier job."""

    @abstractmethod
    def unknown(self) -> Path | None:
        """Return a file that stands where a frame would go, if there is one."""


def damaged(part: Path) -> InputError:
    """Return the error of a part that an earlier job left and that can't be read."""
    return InputError(
        f"{part} is damaged; remove it and what is missing is made again, or start over with resume=False (--no-resume)"
    )


class NumberedReel(Reel):
    """One file a frame, each whole or not there."""

    TAKES = ("save",)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        if "save" in self.options:
            self.options["save"] = check_options(self.target, self.options["save"])

    def check_alpha(self) -> None:
        """Check that the pictures may have a transparent background."""
        check_alpha(self.target)

    @property
    def record(self) -> Path:
        """Beside the pictures, and stays with them."""
        return self.target.with_name(f"{self.target.name}.json")

    def path(self, frame: int) -> Path:
        """Return the file of a frame."""
        return self.target.with_name(_NUMBER.sub(lambda match: match[0] % frame, self.target.name))

    def missing(self) -> list[int]:
        """Return the numbers that have no file."""
        return [frame for frame in range(self.frames) if not self.path(frame).exists()]

    def write(self, frame: int, image: Image) -> None:
        """Save the picture."""
        info = {**image.info, "frame": frame, "frames_per_second": self.fps}
        dataclasses.replace(image, info=info).save(self.path(frame), **self.options.get("save", {}))

    def finish(self) -> None:
        """Leave all as it is."""

    def discard(self) -> None:
        """Remove the pictures with the numbers of this job, and of the one before, which may have had more."""
        before = 0
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):  # no record, or a damaged one
            before = int(json.loads(self.record.read_text(encoding="utf-8"))["frames"])
        for frame in range(max(self.frames, before)):
            self.path(frame).unlink(missing_ok=True)

    def unknown(self) -> Path | None:
        """Return the first picture that is there."""
        return next((path for path in map(self.path, range(self.frames)) if path.exists()), None)


class PartsReel(Reel):
    """A folder of parts, ``NAME.parts``, beside the file that they become; it goes when the file is there."""

    SUFFIX: ClassVar[str]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.folder = self.target.with_name(f"{self.target.name}.parts")

    @property
    def record(self) -> Path:
        """In the folder of parts."""
        return self.folder / "job.json"

    def path(self, frame: int) -> Path:
        """Return the file of the part that one frame is."""
        return self.folder / f"{frame:06}{self.SUFFIX}"

    def missing(self) -> list[int]:
        """Return the frames that have no part."""
        return [frame for frame in range(self.frames) if not self.path(frame).exists()]

    def write(self, frame: int, image: Image) -> None:
        """Encode a frame as a part."""
        with replacing(self.path(frame)) as stream:
            stream.write(self.encode(image))

    def encode(self, image: Image) -> bytes:
        """Return the part that a frame is, where parts are single frames."""
        raise NotImplementedError

    @abstractmethod
    def join(self, stream: Any) -> None:
        """Write the file made of all parts."""

    def finish(self) -> None:
        """Join the parts and remove them."""
        sweep(self.folder)
        # Among the parts, to go with them if this process is killed meanwhile; a link may lead to another disk.
        with replacing(self.target, within=None if self.folder.is_symlink() else self.folder) as stream:
            self.join(stream)
        _remove(self)

    def discard(self) -> None:
        """Remove the folder with all that is in it."""
        if self.folder.is_dir() and not self.folder.is_symlink():
            shutil.rmtree(self.folder)
        else:
            self.folder.unlink(missing_ok=True)

    def unknown(self) -> Path | None:
        """Return the folder, if there is one."""
        return self.folder if os.path.lexists(self.folder) else None


def open_reel(
    path: str | os.PathLike[str],
    frames: int,
    fps: float,
    size: tuple[int, int],
    aovs: tuple[str, ...],
    options: Mapping[str, Any],
) -> Reel:
    """Return the reel that a path asks for, checked as far as can be before there is a frame.

    Args:
        path: with an extension that says what, and ``%04d`` or the like where numbers go.
        frames: how many there will be.
        fps: frames a second.
        size: (width, height) in pixels.
        aovs: which go into each frame.
        options: crf, quality and save, the options of `Image.save`; None where not given.

    Raises:
        InputError: an extension that is none, an option or AOVs that mean nothing to it, a size or speed that it can't.
        OutputError: the folder is missing or can't be written to.
        MissingDependencyError: a library is missing.
    """
    from vkforge.io.animated import GifReel, WebpReel
    from vkforge.io.video import Mp4Reel

    videos: dict[str, type[Reel]] = {".mp4": Mp4Reel, ".gif": GifReel, ".webp": WebpReel}
    target = check_target(file_path(path))
    extension = target.suffix.lower()
    numbers = _NUMBER.findall(target.name)
    if len(numbers) > 1 or (numbers and extension not in known_extensions()):
        raise InputError(
            f"can't number {target.name!r}; wanted one %04d and an extension among {' '.join(known_extensions())}"
        )
    if not numbers and extension not in videos:
        hint = suggest(extension, videos)
        also = f"; for numbered pictures say {target.stem}_%04d{extension}" if extension in known_extensions() else ""
        known = " ".join(videos)
        raise InputError(f"can't make a video {target.name!r}{hint} (known extensions: {known}){also}")
    kind = NumberedReel if numbers else videos[extension]
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in kind.TAKES:
            raise InputError(f"{name} means nothing to {target.name!r}; leave it out")
    if aovs and not (numbers and extension in (".exr", ".npz", ".tif", ".tiff")):
        raise InputError(f"{target.name!r} holds no AOVs; use numbered pictures, as frame_%04d.exr")
    reel = kind(target, frames, fps, size, given)
    saved = given.get("save", {}).get("aovs", ())
    if extension in (".tif", ".tiff") and not saved and set(aovs) - {"coverage"}:
        raise InputError(
            f"a GeoTIFF is the picture or bands of AOVs; say which for {target.name!r}, as save={{'aovs': {aovs!r}}} "
            "(the picture's light is 'beauty'), or render none but 'coverage', the picture's alpha"
        )
    for name in saved:
        if name not in (*aovs, "beauty"):
            raise InputError(f"save has the AOV {name!r}, which is not rendered; render with aovs=({name!r},)")
    return reel


@contextlib.contextmanager
def job(reel: Reel, made_of: Mapping[str, str], *, resume: bool) -> Iterator[list[int]]:
    """Have a reel to oneself, with the frames of an earlier job if they are the same.

    Args:
        reel: where the frames go.
        made_of: what makes them, in texts that differ where frames do.
        resume: whether to go on with an earlier job; False removes it.

    Yields:
        The frames that are missing.

    Raises:
        InputError: the earlier job's frames are made of something else.
        OutputError: another process is at it, or nothing can be written.
    """
    with locked(reel.target):
        if not resume:
            _remove(reel)
        _check_record(reel, made_of)
        try:
            reel.record.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"can't write {os.fspath(reel.record.parent)!r}: {error.strerror}") from error
        try:
            if not reel.record.exists():
                with replacing(reel.record) as stream:
                    stream.write(json.dumps({"frames": reel.frames, "made_of": dict(made_of)}, indent=1).encode())
            yield reel.missing()
        finally:
            if len(reel.missing()) == reel.frames:  # it ended before there was anything, or the film stands
                _remove(reel)


def _remove(reel: Reel) -> None:
    """Remove what an earlier job left."""
    try:
        reel.discard()
        reel.record.unlink(missing_ok=True)
    except OSError as error:
        left = f"what an earlier job left for {reel.target.name!r}"
        raise OutputError(f"can't remove {left}: {error.strerror or error}; choose another name") from error


def _check_record(reel: Reel, made_of: Mapping[str, str]) -> None:
    remedy = "; start over with resume=False (--no-resume), which removes them, or choose another name"
    if not reel.record.exists():
        if (there := reel.unknown()) is not None:
            raise InputError(f"{there} is there and nothing says what made it{remedy}")
        return
    try:
        before = json.loads(reel.record.read_text(encoding="utf-8"))["made_of"]
        different = [name for name in made_of if before.get(name) != made_of[name]]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        raise InputError(f"{reel.record} is damaged, so nobody knows what the frames there are{remedy}") from None
    if different:
        raise InputError(
            f"{reel.target.name!r} was begun with other frames (what differs: {', '.join(different)}){remedy}"
        )
