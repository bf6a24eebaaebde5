"""Where it all meets: scenes in, images out."""

from __future__ import annotations

import logging
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from vkforge.aovs import AOVS, check_aovs
from vkforge.bands import copied
from vkforge.denoising import require_oidn
from vkforge.errors import DeviceError, DeviceLostError, InputError
from vkforge.graph.builder import BufferResource, Graph
from vkforge.graph.plan import Plan
from vkforge.image import GeoReference, Image
from vkforge.lanes.lane import Lane, Progress, Rendered, Request
from vkforge.lanes.lit import LitLane
from vkforge.lanes.path_traced import PathTracedLane
from vkforge.lanes.readout import images_for, read_alpha, read_aovs, read_mattes
from vkforge.memory.report import MemoryReport
from vkforge.passes.atmosphere.tables import DeviceSky, Sights
from vkforge.passes.lighting.prefilter import prefiltered
from vkforge.passes.materials.split_sum import read_split_sum
from vkforge.passes.query import ask
from vkforge.passes.terrain.heightfield import (
    fill_block,
    import_heightfield,
    tracer_variant,
)
from vkforge.post.display import finish, stops_of
from vkforge.post.exposure import AutoExposure
from vkforge.post.primaries import from_rec709
from vkforge.post.tone import as_tonemap
from vkforge.residency import Residency
from vkforge.scene.checks import brief, picture_size, show
from vkforge.scene.environment import Environment
from vkforge.scene.georeferencing import pixel_transform
from vkforge.scene.info import scene_info
from vkforge.scene.scene import Scene
from vkforge.scene.shutter import MovingScene
from vkforge.scene.terrain import Terrain
from vkforge.settings import Settings, lane_name
from vkforge.vk.device import Device
from vkforge.vk.instance import DeviceInfo, check_process, forked, validation_wanted
from vkforge.vk.transfer import PendingCopy, Readback

log = logging.getLogger("vkforge")

AnyScene = Scene | Terrain | MovingScene
LANE_TYPES: dict[str, type[Lane]] = {lane.name: lane for lane in (LitLane, PathTracedLane)}
DEFAULT_SIZE = (1280, 720)
DEFAULT_HOST_MEMORY_CAP = 512 * 2**20

P = ParamSpec("P")
R = TypeVar("R")


def _alone(method: Callable[Concatenate[Renderer, P], R]) -> Callable[Concatenate[Renderer, P], R]:
    """Return a method of an open renderer that one thread runs at a time."""

    @wraps(method)
    def run(self: Renderer, *arguments: P.args, **options: P.kwargs) -> R:
        with self._using():
            return method(self, *arguments, **options)

    return run


@dataclass(frozen=True, eq=False)
class Hits:
    """Where rays met the terrain.

    Attributes:
        t: (n,) float32, metres along each ray; inf for a miss.
        normal: (n, 3) float32, the surface's geometric unit normal; zero for a miss.
    """

    t: np.ndarray
    normal: np.ndarray

    __repr__ = brief


class _PendingImage:
    """An image whose pixels are on their way."""

    def __init__(
        self,
        wait: Callable[[], None],
        copy: PendingCopy,
        request: Request,
        aovs: tuple[str, ...],
        rest: dict[str, Any],
    ) -> None:
        self._wait, self._copy, self._request, self._aovs, self._rest = wait, copy, request, aovs, rest
        self._arrived = False

    def arrive(self) -> None:
        """Wait for the pixels; another thread may then call `result`."""
        if not self._arrived:
            self._wait()
            self._copy.arrive()
            self._arrived = True

    def result(self) -> Image:
        """Wait for the pixels and return the image."""
        self.arrive()
        arrays, settings = dict(zip(self._request.outputs, self._copy.result(), strict=True)), self._request.settings
        aovs = read_aovs(self._aovs, arrays, self._request, self._rest["info"]["samples"])
        mattes = read_mattes(self._aovs, arrays)
        hdr, rgba = from_rec709(copied(arrays["radiance"][..., :3]), settings.primaries), arrays["display"]
        aovs = {n: from_rec709(a, settings.primaries) if AOVS[n].kind == "color" else a for n, a in aovs.items()}
        if "beauty" in aovs:
            aovs["beauty"] = copied(hdr)
        stops = float(arrays["exposure"][0, 0, 1]) if "exposure" in arrays else stops_of(hdr, settings)
        finished = partial(finish, settings=settings, stops=stops)
        rest = {**self._rest, "info": {**self._rest["info"], "exposure": stops}}
        alpha = read_alpha(arrays) if self._request.scene.is_transparent else None
        return Image(rgba=rgba, hdr=hdr, aovs=aovs, mattes=mattes, finish=finished, alpha=alpha, **rest)


class Renderer:
    """Renders scenes on one Vulkan device. Use it as a context manager, or call `close`.

    Terrains stay on the device between renders, and a frame is compiled once for a size, a set of outputs and the kinds
    of sun, sky and material: another camera or another sun compiles nothing.

    Threads may share one: it serves them one after the other. To render several pictures at a time, have a renderer for
    each thread. A process that was forked from one that had used Vulkan can have none: start workers by "spawn".

    Args:
        device: "auto" (VKFORGE_DEVICE, else a discrete GPU over an integrated one over the CPU), an index, or part of a
            name; `vkforge probe` lists them.
        host_memory_cap: Most bytes of host-visible memory to hold for uploads and readback; larger data streams.
        validation: Whether to run under the Vulkan validation layers, with synchronization validation; None follows
            VKFORGE_VALIDATION. What they say is raised as ValidationLayerError.

    Raises:
        VulkanMissingError: No Vulkan loader or driver.
        InputError: No such device.
        DeviceError: The device lacks something vkforge needs.
    """

    def __init__(
        self,
        device: str | int = "auto",
        *,
        host_memory_cap: int = DEFAULT_HOST_MEMORY_CAP,
        validation: bool | None = None,
    ) -> None:
        if isinstance(host_memory_cap, bool) or not isinstance(host_memory_cap, int) or host_memory_cap < 2**20:
            raise InputError(f"host_memory_cap is {show(host_memory_cap)}; wanted a number of bytes, at least 1 MiB")
        if not isinstance(device, (str, int)) or isinstance(device, bool):
            raise InputError(f"device is {show(device)}; wanted 'auto', an index or part of a name (see vkforge probe)")
        self._lock = threading.RLock()  # of whoever uses the device
        self._device = Device(device, host_memory_cap, validation_wanted() if validation is None else validation)
        self._readback = Readback(self._device)
        self._lanes: dict[str, Lane] = {name: lane(self._device, self._readback) for name, lane in LANE_TYPES.items()}
        lanes = self._lanes  # and not the renderer, which must go when nobody has it any more

        def forget(part: Any) -> None:
            for lane in lanes.values():
                lane.forget(part)

        self._resident = Residency(self._device, forget)
        self._entered = 0  # how many `with` blocks there are now

    # Rendering

    @_alone
    def render(
        self,
        scene: AnyScene,
        size: tuple[int, int] | None = None,
        *,
        lane: str = "lit",
        aovs: str | Iterable[str] = (),
        settings: Settings | None = None,
        progress: Progress | None = None,
        **overrides: Any,
    ) -> Image:
        """Render one image.

        Args:
            scene: What to render; a bare terrain is shown as `Scene.portrait` shows it, and of a `MovingScene` all
                that happens while the shutter is open.
            size: (width, height) in pixels; None is the camera's natural size (a pixel for a cell of a map), or
                1280 x 720.
            lane: How to render: "lit" (the sun and the sky, with traced shadows) or "path-traced" (light that bounces
                too, unbiased and slower).
            aovs: Names out of `vkforge.aovs.AOVS` to return beside the picture; one alone may be a string.
            settings: Samples, rays, seed, exposure and tone mapping; None is the defaults.
            progress: Called with (samples done, samples in all) as the device gets there.
            overrides: Single settings by name, as in `samples=64`.

        Returns:
            The image, whose arrays belong to the caller.

        Raises:
            InputError: An argument that can't be used.
            OutOfMemoryError: The picture or the terrain does not fit on the device, or under the host cap.
            DeviceLostError: The device was lost; this renderer is finished, a new one can be made.
        """
        return self._start(scene, size, lane, aovs, settings, progress, overrides).result()

    def render_many(
        self,
        scenes: Iterable[AnyScene | tuple[AnyScene, Settings]],
        size: tuple[int, int] | None = None,
        *,
        lane: str = "lit",
        aovs: str | Iterable[str] = (),
        settings: Settings | None = None,
        **overrides: Any,
    ) -> Generator[Image, None, None]:
        """Render one image a scene, while those before are read back.

        Takes what `render` takes, and gives the same pixels. Instead of a scene there may be a pair of a scene and its
        settings. Three images are in flight: one that the device renders, one that a thread brings into arrays, and the
        one that is handed out.
        """
        names = check_aovs(aovs)
        before: _PendingImage | None = None
        reading: Future[Image] | None = None
        failure: InputError | None = None
        with ThreadPoolExecutor(1, "vkforge readback") as reader:
            for scene in scenes:
                scene, own = scene if isinstance(scene, tuple) else (scene, settings)
                try:
                    with self._using():
                        pending = self._start(scene, size, lane, names, own, None, overrides)
                except InputError as error:
                    failure = error  # this scene's alone: raised once the images before are handed out
                    break
                if before is not None:
                    with self._using():
                        before.arrive()
                    done, reading = reading, reader.submit(before.result)
                    if done is not None:
                        yield done.result()
                        del done  # or it would keep the image while the next is made
                before = pending
            if reading is not None:
                yield reading.result()
            if before is not None:
                with self._using():
                    before.arrive()
                yield before.result()
            if failure is not None:
                raise failure

    def accumulate(
        self,
        scene: AnyScene,
        size: tuple[int, int] | None = None,
        *,
        aovs: str | Iterable[str] = (),
        settings: Settings | None = None,
        progress: Progress | None = None,
        **overrides: Any,
    ) -> Generator[Image, None, None]:
        """Path-trace one image, handing it out as it gets better: at 1, 2, 4, ... samples and at the last.

        Takes what `render` takes; the last image is that of `render(scene, lane="path-traced", ...)`, to the bit. Other
        pictures may be rendered in between. Dropping the iterator gives back what it holds.
        """
        began = time.perf_counter()
        lane = self._lanes[PathTracedLane.name]
        assert isinstance(lane, PathTracedLane)
        names = check_aovs(aovs)
        with self._using():
            request = self._prepare(scene, size, lane.name, names, settings, overrides)
            self._resident.hold(request.parts)
            steps = lane.accumulate(request, progress)
        try:
            while True:
                with self._using():
                    rendered = next(steps, None)
                    if rendered is None:
                        return
                    image = self._read(rendered, request, lane.name, names, began).result()
                yield image
                del image  # or it would live while the next is made
        finally:  # a generator that is closed may keep what it has for as long as somebody has it (Python 3.12)
            steps.close()

    def _start(
        self,
        scene: AnyScene,
        size: tuple[int, int] | None,
        lane: str,
        aovs: Iterable[str],
        settings: Settings | None,
        progress: Progress | None,
        overrides: dict[str, Any],
    ) -> _PendingImage:
        """Submit every sample of a picture and the copies of its outputs."""
        began = time.perf_counter()
        names = check_aovs(aovs)
        request = self._prepare(scene, size, lane, names, settings, overrides)
        return self._read(self._lanes[lane].execute(request, progress), request, lane, names, began)

    def _read(
        self, rendered: Rendered, request: Request, lane: str, aovs: tuple[str, ...], began: float
    ) -> _PendingImage:
        """Submit the copies of a picture's outputs."""
        copy = self._readback.start([rendered.images[name] for name in request.outputs])
        settings = request.settings
        info = {
            "device": self._device.info.name,
            "lane": lane,
            "samples": rendered.samples,
            "seed": settings.seed,
            "tonemap": as_tonemap(settings.tonemap).operator,
            "primaries": settings.primaries,
            "submit_seconds": time.perf_counter() - began,
            **scene_info(request.scene, request.size, settings.exposure, settings.lens, request.moving),
        }
        rest = {"georeference": _georeference(request), "info": info}
        # The frame is waited for by its own name, so that a device lost on the way tells the pass.
        return _PendingImage(rendered.wait, copy, request, aovs, rest)

    def _prepare(
        self,
        scene: AnyScene,
        size: tuple[int, int] | None,
        lane: str,
        aovs: tuple[str, ...],
        settings: Settings | None,
        overrides: dict[str, Any],
    ) -> Request:
        """Check the arguments and bring the scene onto the device."""
        moving = scene if isinstance(scene, MovingScene) else None
        if isinstance(scene, MovingScene):
            scene = scene.scene(0.5)
        if isinstance(scene, Terrain):
            scene = Scene.portrait(scene)
        if not isinstance(scene, Scene):
            raise InputError(
                f"render was given a {type(scene).__name__}; wanted a vkforge.Scene, MovingScene or Terrain"
            )
        lane = lane_name(lane)
        if settings is None:
            settings = Settings()
        if not isinstance(settings, Settings):
            raise InputError(
                f"settings is {show(settings)}; wanted a vkforge.Settings, or single settings as samples=64"
            )
        if overrides:
            settings = settings.replace(**overrides)
        if settings.denoise == "oidn":
            require_oidn()
        size = self._check_size(scene.camera.natural_size or DEFAULT_SIZE if size is None else size)
        during = () if moving is None or settings.motion_blur != "samples" else moving.during()
        parts = self._resident.parts(scene, settings.lut, during)
        outputs = _outputs_for(aovs, settings, transparent=scene.is_transparent)
        request = Request(scene, size, settings, outputs, parts, moving, during)
        self._lanes[lane].check(request)
        return request

    def _check_size(self, size: Any) -> tuple[int, int]:
        largest = int(self._device.info.limits["maxImageDimension2D"])
        width, height = picture_size(size)
        if max(width, height) > largest:
            raise InputError(
                f"size is {width} x {height}; wanted 1 to {largest} pixels a side, "
                f"the limit of {self._device.info.name}"
            )
        return width, height

    @_alone
    def sky_tables(self, sights: Sights) -> DeviceSky:
        """Return the tables of a physical sky that fit `sights`: what `vkforge.atmosphere` reads."""
        return self._resident.sky_tables(sights)

    @_alone
    def sky_look_up(
        self, sights: Sights, subject: str, directions: np.ndarray, distances: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what `DeviceSky.look_up` says of the tables that fit `sights`."""
        return self._resident.sky_tables(sights).look_up(subject, directions, distances)

    # Queries

    @_alone
    def prefiltered(self, environment: Environment, directions: np.ndarray, roughness: np.ndarray) -> np.ndarray:
        """Answer `Environment.prefiltered`, which checks the arguments, on this renderer's device."""
        return prefiltered(self._device, self._resident.environment(environment), environment, directions, roughness)

    @_alone
    def trace(self, terrain: Terrain, origins: Any, directions: Any) -> Hits:
        """Return where rays first meet the terrain.

        Args:
            terrain: The ground; its exaggeration and skirt count.
            origins: (n, 3) world metres, finite.
            directions: (n, 3), of any length but zero, finite.

        Raises:
            InputError: Wrong shapes, or values that are not finite, or a zero direction.
        """
        if not isinstance(terrain, Terrain):
            raise InputError(f"trace was given a {type(terrain).__name__}; wanted a vkforge.Terrain")
        origins, directions = _rays("origins", origins), _rays("directions", directions)
        if origins.shape != directions.shape:
            raise InputError(
                f"there are {len(origins)} origins and {len(directions)} directions; wanted as many of each"
            )
        lengths = np.linalg.norm(directions, axis=1, keepdims=True)
        if len(lengths) and lengths.min() == 0:
            raise InputError("a direction is zero; wanted vectors of any length but zero")
        directions = directions / lengths
        heights = self._resident.heights(terrain)

        def declare(graph: Graph, extent: tuple[int, int], rays: BufferResource, results: BufferResource) -> None:
            variant = tracer_variant(self._device, terrain, heights)
            bindings = import_heightfield(graph, heights)
            graph.compute(
                "trace", "query/trace.comp", extent, specialization=variant, **bindings, rays=rays, results=results
            )

        rays = np.concatenate([origins, directions], axis=1)
        fill = lambda blocks: fill_block(blocks["terrain"], terrain, heights)  # noqa: E731
        results = ask(self._device, "trace", rays, 4, declare, fill)
        return Hits(t=results[:, 3].copy(), normal=results[:, :3].copy())

    @_alone
    def split_sum(self) -> np.ndarray:
        """Return the table behind `vkforge.pbr.split_sum`, computed on this device.

        Returns:
            (n, n, 2) float32: scale and bias of GGX's directional albedo, by roughness (rows, 0 to 1) and by the square
            root of the view's cosine (columns, 0 to 1).
        """
        return read_split_sum(self._device)

    # Reports

    @property
    def device(self) -> DeviceInfo:
        """The device that renders."""
        return self._device.info

    @property
    def device_reason(self) -> str:
        """Why that device was chosen."""
        return self._device.reason

    @property
    def lost(self) -> bool:
        """Whether the device was lost; this renderer is then finished, and a new one can be made."""
        return self._device.lost

    @_alone
    def memory_report(self) -> MemoryReport:
        """Return who holds how much memory: by intent, by owner and by block, with the peak and the cap."""
        self._device.collect()
        return self._device.allocator.report()

    @_alone
    def plan(
        self,
        scene: AnyScene,
        size: tuple[int, int] | None = None,
        *,
        lane: str = "lit",
        aovs: str | Iterable[str] = (),
        settings: Settings | None = None,
        **overrides: Any,
    ) -> Plan:
        """Return the compiled frame of a render with the same arguments, with the GPU times of its last run if any."""
        request = self._prepare(scene, size, lane, check_aovs(aovs), settings, overrides)
        return self._lanes[lane].plan(request)

    # Life

    @contextmanager
    def _using(self) -> Iterator[None]:
        """Have the device to oneself; other threads wait.

        Raises:
            DeviceError, DeviceLostError: The renderer is closed, finished, or another process's.
        """
        self._check_open()
        with self._lock:
            self._check_open()  # another thread may have closed it meanwhile
            yield

    def _check_open(self) -> None:
        check_process()
        if self._device.closed:
            raise DeviceError("this renderer is closed; make a new vkforge.Renderer")
        if self._device.lost:
            raise DeviceLostError("this renderer's device was lost; close it and make a new vkforge.Renderer")

    def close(self) -> None:
        """Wait for the device and give everything back; a second call does nothing, nor does one in a forked process.

        Pictures that are still accumulating or on their way go too: whoever asks for more is told.

        Raises:
            DeviceError: Memory was held by nobody, which is a bug in vkforge.
            ValidationLayerError: The validation layers had something to say.
        """
        if forked():  # all of it is the parent's
            return
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._device.gone:
            return
        for lane in self._lanes.values():
            lane.shutdown()
        self._readback.release()
        self._resident.release()
        leaks = self._device.close()
        if self._device.validation:
            self._device.check_validation("closing the renderer")
        if leaks and not self._device.lost:
            raise DeviceError(f"closing the renderer left memory behind: {', '.join(leaks)}; please report this")

    def __reduce__(self) -> Any:
        raise InputError("a Renderer can't be pickled, as its device is this process's; make one in each process")

    def __enter__(self) -> Renderer:
        self._check_open()
        self._entered += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered -= 1
        if self._entered > 0:  # the outer `with` goes on
            return
        try:
            self.close()
        except DeviceError as own:
            if error is None:
                raise
            log.warning("closing the renderer after %s: %s", kind.__name__ if kind else "an error", own)

    def __del__(self) -> None:
        device: Device | None = getattr(self, "_device", None)
        if device is None or device.gone or forked() or sys.is_finalizing():
            return
        warnings.warn(
            "a vkforge.Renderer was never closed; use it as `with vkforge.Renderer() as renderer:`, or call close()",
            ResourceWarning,
            stacklevel=2,
            source=self,
        )
        self.close()


def _outputs_for(aovs: tuple[str, ...], settings: Settings, *, transparent: bool) -> tuple[str, ...]:
    """Return the images to read back for these AOVs, the picture's own two first."""
    found = ("exposure",) if isinstance(settings.exposure, AutoExposure) else ()
    found += ("shares",) if transparent else ()
    return tuple(dict.fromkeys(("display", "radiance", *found, *images_for(aovs, effects=settings.aov_effects))))


def _rays(name: str, values: Any) -> np.ndarray:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} is a {type(values).__name__}; wanted numbers of shape (n, 3)") from None
    if array.ndim != 2 or array.shape[1] != 3:
        raise InputError(f"{name} has shape {array.shape}; wanted (n, 3)")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds NaN or infinite values; wanted finite ones")
    return array


def _georeference(request: Request) -> GeoReference | None:
    """Return where the pixels of a view straight down lie on the Earth, if the terrain knows."""
    terrain, camera = request.scene.terrain, request.scene.camera.middle
    transform = pixel_transform(terrain, camera, request.size)
    return None if transform is None else GeoReference(terrain.crs, transform)
