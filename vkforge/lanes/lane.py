"""What a lane is: one way to turn a scene into a frame, with the frames it compiled last."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from vkforge.graph.builder import Graph
from vkforge.graph.frame import Frame
from vkforge.passes.terrain.heightfield import DeviceAlbedo, DeviceHeights
from vkforge.scene.scene import Scene
from vkforge.settings import Settings
from vkforge.vk.device import Device

# Images that a frame can hand to the readback, by what the renderer calls them.
OUTPUTS = (
    "display",
    "radiance",
    "position",
    "normal",
    "geometric_normal",
    "albedo",
    "sun_visibility",
    "sky_visibility",
)


@dataclass(frozen=True)
class Parts:
    """What of a scene lies on the device. A frame is compiled for its parts, and goes when one of them does.

    Attributes:
        heights: The terrain's shape.
        albedo: Its colour.
    """

    heights: DeviceHeights
    albedo: DeviceAlbedo

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True)
class Request:
    """One picture, checked: what every lane is given.

    Attributes:
        scene: What to render.
        size: (width, height) in pixels.
        settings: How.
        outputs: Names out of OUTPUTS that the last frame ends ready to be copied.
        parts: The scene on the device.
    """

    scene: Scene
    size: tuple[int, int]
    settings: Settings
    outputs: tuple[str, ...]
    parts: Parts


class Lane(ABC):
    """A way to render, on one device. Keeps the frames it compiled last, so that a new camera costs no compilation."""

    name: ClassVar[str]
    kind: ClassVar[str]
    KEPT_FRAMES: ClassVar[int] = 2

    def __init__(self, device: Device) -> None:
        self.device = device
        self._frames: dict[Any, Frame] = {}

    @abstractmethod
    def features(self, request: Request) -> Any:
        """Return a hashable record of what decides which passes a frame has, and in which variant."""

    @abstractmethod
    def build(self, request: Request, features: Any) -> Graph:
        """Declare a frame."""

    def frame(self, request: Request) -> Frame:
        """Return the compiled frame for a picture: its size, parts, outputs and features."""
        features = self.features(request)
        key = (request.size, tuple(map(id, request.parts)), request.outputs, features)
        frame = self._frames.pop(key, None)
        if frame is None:
            while len(self._frames) >= self.KEPT_FRAMES:
                self._frames.pop(next(iter(self._frames))).release()
            frame = Frame(self.device, self.build(request, features))
        self._frames[key] = frame
        return frame

    def forget(self, part: Any) -> None:
        """Release the frames that use a part of a scene which is about to go."""
        for key in [key for key in self._frames if id(part) in key[1]]:
            self._frames.pop(key).release()

    def shutdown(self) -> None:
        """Release every frame."""
        for frame in self._frames.values():
            frame.release()
        self._frames.clear()
