"""A compiled frame as text and numbers: passes, images with their bytes, barriers, and GPU times."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from vkforge.io.atomic import replacing


@dataclass(frozen=True)
class PlannedPass:
    """One pass: its shader, the barriers before it, what it reads and writes, and its last GPU time."""

    name: str
    shader: str
    extent: tuple[int, int]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    barriers: tuple[str, ...]
    gpu_ms: float | None = None


@dataclass(frozen=True)
class PlannedImage:
    """One image: where its bytes lie and from which pass to which it lives."""

    name: str
    format: str
    size: tuple[int, int]
    lifetime: str
    bytes: int
    first: int
    last: int
    offset: int | None = None


@dataclass(frozen=True)
class Plan:
    """What `Renderer.plan` returns; print it.

    Attributes:
        name: The frame's name.
        passes: In execution order.
        images: Transients with their offset in shared memory, persistents and imports.
        transient_bytes: Size of the memory that the transients share.
    """

    name: str
    passes: tuple[PlannedPass, ...]
    images: tuple[PlannedImage, ...]
    transient_bytes: int

    def followed_by(self, other: Plan) -> Plan:
        """Return the plan of this frame and then `other`, whose imports may be this one's images."""
        count = len(self.passes)
        own = {image.name for image in self.images}
        shifted = (
            replace(image, first=image.first + count, last=image.last + count)
            for image in other.images
            if image.lifetime != "imported" or image.name not in own
        )
        return Plan(
            f"{self.name}, then {other.name}",
            self.passes + other.passes,
            (*self.images, *shifted),
            self.transient_bytes + other.transient_bytes,
        )

    def __str__(self) -> str:
        lines = [f"frame {self.name}: {len(self.passes)} passes"]
        for index, item in enumerate(self.passes):
            time = "" if item.gpu_ms is None else f"  {item.gpu_ms:.3f} ms"
            lines.append(f"{index:2d} {item.name:<14} {item.shader:<26} {item.extent[0]}x{item.extent[1]}{time}")
            lines += [f"     barrier {barrier}" for barrier in item.barriers]
        own = sum(image.bytes for image in self.images if image.lifetime == "transient")
        lines.append(
            f"images: transients {own / 2**20:.1f} MiB in {self.transient_bytes / 2**20:.1f} MiB of shared memory"
        )
        for image in self.images:
            at = "" if image.offset is None else f" at {image.offset}"
            size = f"{image.size[0]}x{image.size[1]}"
            lines.append(
                f"   {image.name:<18} {image.format:<10} {size:<11} {image.bytes / 2**20:8.2f} MiB "
                f"{image.lifetime}, passes {image.first} to {image.last}{at}"
            )
        return "\n".join(lines)

    def to_png(self, path: str | os.PathLike[str]) -> None:
        """Write the picture of the plan: see `vkforge.graph.picture.draw_plan`.

        The file appears whole or not at all.

        Raises:
            MissingDependencyError: Pillow is not installed.
            OutputError: The file can't be written.
        """
        picture = self._repr_png_()
        with replacing(path) as stream:
            stream.write(picture)

    def _repr_png_(self) -> bytes:
        """Return the picture as PNG bytes, as notebooks show it."""
        from vkforge.graph.picture import draw_plan

        return draw_plan(self)
