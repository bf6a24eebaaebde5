"""What a lane is: one way to turn a scene into a picture, with the frames it compiled last."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from vkforge.errors import InputError
from vkforge.graph.plan import Plan
from vkforge.lanes.blocks import camera_variant
from vkforge.passes.atmosphere.tables import DeviceSky
from vkforge.passes.lighting.environment import DeviceEnvironment
from vkforge.passes.materials.split_sum import DeviceSplitSum
from vkforge.passes.materials.textures import DeviceTexture
from vkforge.passes.post.lut import DeviceLut
from vkforge.passes.terrain.heightfield import DeviceAlbedo, DeviceHeights
from vkforge.passes.volumetrics.clouds import DeviceClouds
from vkforge.passes.volumetrics.medium import DeviceFog
from vkforge.scene.scene import Scene
from vkforge.scene.shutter import MovingScene
from vkforge.settings import Settings
from vkforge.vk.device import Device
from vkforge.vk.resources import Image
from vkforge.vk.transfer import Readback

# Images that a frame can hand to the readback, by what the renderer calls them.
OUTPUTS = (
    "display",
    "radiance",
    "position",
    "normal",
    "geometric_normal",
    "albedo",
    "material",
    "emission",
    "sun_visibility",
    "sky_visibility",
    "deviation",
    "direct",
    "indirect",
    "emitted",
    "air",
    "coverage",
    "water_coverage",
    "shares",
    "ambient_occlusion",
    "exposure",
    "motion",
)


@dataclass(frozen=True, eq=False)
class Parts:
    """What of a scene lies on the device. A frame is compiled for its parts, and goes when one of them does.

    Attributes:
        heights: The terrain's shape.
        albedo: Its colour.
        sky: The tables of a physical sky.
        environment: The environment map, where the sky is one.
        fog: The density of what is in the air, where that is a field.
        clouds: Their noise, where there are any.
        split_sum: The directional albedo of GGX, where a surface is glossy.
        albedo_overlay: What lies over that colour, where something does.
        metallic_roughness_map: The material's map of that name, where it has one; and so the next three.
        water_mask: Where there is water, where a mask says so.
        lut: The table of the settings, where they have one.
    """

    heights: DeviceHeights
    albedo: DeviceAlbedo
    sky: DeviceSky | None
    environment: DeviceEnvironment | None
    fog: DeviceFog | None
    clouds: DeviceClouds | None
    split_sum: DeviceSplitSum | None
    albedo_overlay: DeviceTexture | None
    metallic_roughness_map: DeviceTexture | None
    normal_map: DeviceTexture | None
    detail_normal_map: DeviceTexture | None
    emission_map: DeviceTexture | None
    water_mask: DeviceTexture | None
    lut: DeviceLut | None

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, field.name) for field in fields(self))

    @property
    def maps(self) -> dict[str, DeviceTexture | None]:
        """What lies over the ground's own colour, and the material's maps, by their names in `Material`."""
        names = ("albedo_overlay", "metallic_roughness_map", "normal_map", "detail_normal_map", "emission_map")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Request:
    """One picture, checked: what every lane is given.

    Attributes:
        scene: What to render: of a moving scene, how it is in the middle of the exposure.
        size: (width, height) in pixels.
        settings: How.
        outputs: Names out of OUTPUTS that the last frame ends ready to be copied.
        parts: The scene on the device.
        moving: How the scene moves while the shutter is open, where it does.
        during: How it is at some times meanwhile, where samples are taken at many: what is zero at one of them and not
            at another is compiled in.
    """

    scene: Scene
    size: tuple[int, int]
    settings: Settings
    outputs: tuple[str, ...]
    parts: Parts
    moving: MovingScene | None = None
    during: tuple[Scene, ...] = ()

    @property
    def shown(self) -> tuple[Scene, ...]:
        """All that is known of the scene's looks: in the middle of the exposure, and at other times."""
        return (self.scene, *self.during)

    @property
    def moves(self) -> bool:
        """Whether anything changes while the shutter is open."""
        return self.moving is not None or self.scene.camera.shutter_end is not None

    @property
    def by_samples(self) -> bool:
        """Whether it does and samples are taken at many times, to blur what moves; else all are of the middle."""
        return self.moves and self.settings.motion_blur == "samples"


_DEFAULTS = Settings()
_OF_THE_MIDDLE = ("finish", "kept")  # features: how light becomes a picture, and what is kept of it for that
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Rendered:
    """A picture on its way.

    Attributes:
        images: The device's images by the names of OUTPUTS; those asked for are ready to be copied.
        samples: How many each pixel has.
        wait: Waits until they are done; a lost device's error then names the pass.
    """

    images: dict[str, Image]
    samples: int
    wait: Callable[[], None]


class Lane(ABC):
    """A way to render, on one device. Keeps the frames it compiled last, so that a new camera costs no compilation.

    Attributes:
        name: What `Renderer.render(lane=...)` calls it.
        kind: What it renders.
        unread: Settings that mean nothing here: any but their default is refused.
    """

    name: ClassVar[str]
    kind: ClassVar[str]
    unread: ClassVar[tuple[str, ...]]
    KEPT_FRAMES: ClassVar[int] = 2

    def __init__(self, device: Device, readback: Readback) -> None:
        self.device = device
        self.readback = readback
        self._compiled: dict[Any, Any] = {}

    @abstractmethod
    def features(self, request: Request) -> Any:
        """Return a hashable record of what decides which passes a picture has, and in which variant."""

    @abstractmethod
    def compile(self, request: Request, features: Any) -> Any:
        """Return the compiled frame or frames, which have a `release`."""

    @abstractmethod
    def execute(self, request: Request, progress: Progress | None) -> Rendered:
        """Submit a picture."""

    @abstractmethod
    def plan(self, request: Request) -> Plan:
        """Return what `execute` would run, compiled, with the GPU times of its last run if any."""

    def check(self, request: Request) -> None:
        """Refuse what this lane can't honour.

        Raises:
            InputError: A setting that it does not read; a lens that does not suit the camera.
        """
        self.refuse(request.scene, request.settings, request.size)

    @classmethod
    def refuse(cls, scene: Scene, settings: Settings, size: tuple[int, int]) -> None:
        """Refuse what this lane can't honour on any device: a film asks for all its frames, before there is one.

        Raises:
            InputError: A setting that it does not read; a lens that does not suit the camera.
        """
        for name in cls.unread:
            if getattr(settings, name) != getattr(_DEFAULTS, name):
                raise InputError(f"the {cls.name} lane has no use for {name}; leave it out, or use another lane")
        if settings.lens is not None:
            settings.lens.frame(scene.camera, size)

    def moment(self, request: Request, share: float) -> Scene:
        """Return the scene as it is when this share of the light has come in.

        Raises:
            InputError: What is compiled for the middle of the exposure can't show it.
        """
        if request.moving is None:
            return request.scene
        scene = request.moving.scene(share)
        request.moving.check(scene, request.scene)
        now, middle = self.features(replace(request, scene=scene)), self.features(request)
        names = [spec.name for spec in fields(now) if getattr(now, spec.name) != getattr(middle, spec.name)]
        if names := [name for name in names if name not in _OF_THE_MIDDLE]:
            raise InputError(
                "while the shutter is open the scene changes in kind (what it has, or the kind of one of its parts: "
                f"{', '.join(names)}); only values may change then"
            )
        return scene

    def compiled(self, request: Request) -> Any:
        """Return what `compile` made for a picture of this size, parts, outputs and features."""
        features = self.features(request)
        camera = camera_variant(request.scene.camera, request.settings.lens)
        key = (request.size, tuple(map(id, request.parts)), request.outputs, features, *camera.values())
        found = self._compiled.pop(key, None)
        if found is None:
            while len(self._compiled) >= self.KEPT_FRAMES:
                self._compiled.pop(next(iter(self._compiled))).release()
            found = self.compile(request, features)
        self._compiled[key] = found
        return found

    def forget(self, part: Any) -> None:
        """Release the frames that use a part of a scene which is about to go; they keep it alive until then."""
        for key in [key for key in self._compiled if id(part) in key[1]]:
            self._compiled.pop(key).release()

    def shutdown(self) -> None:
        """Release every frame."""
        for frames in self._compiled.values():
            frames.release()
        self._compiled.clear()
