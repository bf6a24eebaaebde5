"""From light to a picture: what every lane's light passes through, once a picture, in a frame of its own."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import numpy as np

from vkforge.denoising import oidn
from vkforge.graph.access import Access, Layout
from vkforge.graph.builder import Graph, ImageResource
from vkforge.graph.frame import Frame
from vkforge.graph.plan import Plan
from vkforge.lanes.blocks import CENTRE, fill_frame
from vkforge.lanes.lane import Lane, Rendered, Request
from vkforge.passes.atmosphere.sky import PHYSICAL, sky_kind
from vkforge.passes.lighting.accumulate import PARTS
from vkforge.passes.lighting.ambient_occlusion import NO_LIMIT, ambient_occlusion
from vkforge.passes.lighting.water import fill_water
from vkforge.passes.post.atrous import atrous, guides
from vkforge.passes.post.bloom import bloom, fill_bloom
from vkforge.passes.post.depth_of_field import Blur, blurs_of, depth_of_field, fill_aperture, fill_miniature
from vkforge.passes.post.display import Display, display, fill_tone
from vkforge.passes.post.exposure import exposure, fill_metering
from vkforge.passes.post.grain import fill_grain
from vkforge.passes.post.lens import LensVariant, fill_lens, lens
from vkforge.passes.post.lut import import_lut
from vkforge.passes.post.motion_blur import fill_shutter, motion, motion_blur
from vkforge.passes.post.shares import pack_shares
from vkforge.passes.terrain.heightfield import fill_block
from vkforge.post.exposure import AutoExposure
from vkforge.scene.scene import Scene
from vkforge.vk.device import Owner
from vkforge.vk.resources import Image
from vkforge.vk.transfer import upload

Images = dict[str, ImageResource]
Effect = Callable[[ImageResource, ImageResource], ImageResource]  # on light, which is all or a part of a picture: both
GUIDES = ("albedo", "normal")  # what the host's denoiser looks at beside the light
_serials = itertools.count()


@dataclass(frozen=True)
class Finish:
    """What decides which passes make a picture of light, and in which variant.

    Attributes:
        denoise: What takes the noise out, if anything: the setting.
        noisy_shares: Visibilities that are handed out and have noise to lose.
        blurs: What spreads points over circles.
        lens: What of a lens there is beside its distortion, or None.
        bloom: Levels of the pyramid that spreads light; 0 where none is.
        display: How radiance becomes what a screen shows.
        ambient_occlusion: Rays and their reach in metres, where it is asked for.
        motion: Whether it is told how what is seen moves while the shutter is open.
        motion_blur: Whether the picture is blurred by that.
        wraps: Whether the left and right borders are one.
        parts: Parts of the light that are handed out with all that the lens does to the picture.
        shares: Whether shares of pixels are handed out with all that spreads points.
    """

    denoise: str | None
    noisy_shares: tuple[str, ...]
    blurs: tuple[Blur, ...]
    lens: LensVariant | None
    bloom: int
    display: Display
    ambient_occlusion: tuple[int, float] | None
    motion: bool
    motion_blur: bool
    wraps: bool
    parts: tuple[str, ...]
    shares: bool


def finish_of(request: Request, noisy: Mapping[str, bool], *, pinhole: bool) -> Finish:
    """Return what a picture needs.

    `noisy` says which visibilities are estimates in this lane, and `pinhole` that its light knows no lens.
    """
    settings, camera = request.settings, request.scene.camera
    tells_motion = "motion" in request.outputs or blurs_by_motion(request)
    if "motion" in request.outputs and request.moving is not None:
        request.moving.check_that_the_ground_stays()
    filtered = settings.denoise == "atrous"
    return Finish(
        denoise=settings.denoise,
        noisy_shares=tuple(name for name in request.outputs if filtered and noisy.get(name)),
        blurs=blurs_of(camera.lens if pinhole else None, settings.lens, settings.miniature),
        lens=LensVariant.of(settings.lens),
        bloom=0 if settings.bloom is None else len(settings.bloom.levels(request.size)),
        display=Display.of(
            settings, smooth=sky_kind(request.scene.sky) == PHYSICAL, transparent=request.scene.is_transparent
        ),
        ambient_occlusion=(settings.ao_rays, min(settings.ao_distance or NO_LIMIT, NO_LIMIT))
        if "ambient_occlusion" in request.outputs
        else None,
        motion=tells_motion,
        motion_blur=blurs_by_motion(request),
        wraps=camera.wraps,
        parts=tuple(name for name in PARTS if settings.aov_effects and name in request.outputs),
        shares="shares" in request.outputs,
    )


def blurs_by_motion(request: Request) -> bool:
    """Whether a picture of one moment is blurred by how things move, in the place of samples at many."""
    return request.moves and request.settings.motion_blur == "vectors"


def light_read(finish: Finish) -> tuple[str, ...]:
    """Return the names of the light's images and of the G-buffer's that `declare_finish` reads."""
    read = ["radiance"]
    if finish.denoise == "atrous":
        read += ["position", "normal", "albedo", "deviation", *finish.noisy_shares]
    if finish.denoise == "oidn":
        read += GUIDES
    if finish.ambient_occlusion:
        read += ["position", "normal"]
    if finish.motion:
        read += ["position"]
    if any(blur.by == "aperture" for blur in finish.blurs):
        read += ["position", "inverse_distance", "light_place"]
    if finish.motion_blur:
        read += ["light_place"]
    if finish.shares:
        read += ["coverage", "water_coverage"]
    return (*read, *finish.parts)


def declare_finish(
    graph: Graph,
    request: Request,
    finish: Finish,
    light: Mapping[str, Any],
    *,
    frame: Any,
    heightfield: Mapping[str, Any],
    tracer: Mapping[str, int],
    at_once: int,
) -> Images:
    """Declare the passes from `light` (at least what `light_read` names) on; return what they make or replace."""
    size, radiance = request.size, light.get("denoised", light["radiance"])
    made = {"coverage": light.get("coverage", light["radiance"])}  # in w, which no pass from here on keeps
    if finish.ambient_occlusion:
        rays, distance = finish.ambient_occlusion
        made["ambient_occlusion"] = ambient_occlusion(
            graph, size, heightfield, frame, light, tracer=tracer, rays=rays, at_once=at_once, distance=distance
        )
    if finish.denoise == "atrous":
        seen = (graph, size, frame, guides(graph, size, frame, light))
        radiance = atrous(*seen, radiance, light["deviation"], wraps=finish.wraps)
        made |= {share: atrous(*seen, light[share], wraps=finish.wraps) for share in finish.noisy_shares}
    if finish.motion:
        made["motion"] = motion(graph, size, frame, graph.block("shutter"), light["position"])

    # What is done to the whole picture, stage by stage, and then to its parts, which add up to it at every stage.
    spreading = _spreading(graph, size, frame, finish, light, made.get("motion"))
    effects, stages = [*spreading, *_behind_the_lens(graph, size, frame, finish)], [radiance]
    for effect in effects:
        stages.append(effect(stages[-1], stages[-1]))
    made["radiance"] = radiance = stages[-1]
    for name in finish.parts:
        with graph.labelled(name):
            part = light[name]
            for effect, whole in zip(effects, stages[:-1], strict=True):
                part = effect(part, whole)
            made[name] = part
    if finish.shares:
        with graph.labelled("shares"):
            packed = pack_shares(graph, size, frame, light)
            spreading = _spreading(graph, size, frame, finish, {**light, "light_place": None}, made.get("motion"))
            made["shares"] = reduce(lambda shares, effect: effect(shares, shares), spreading, packed)
    if finish.display.auto_exposure:
        made["exposure"] = exposure(graph, size, frame, radiance)
    lut = import_lut(graph, request.parts.lut)
    given = {"exposure": made.get("exposure"), "lut": lut, "shares": made.get("shares")}
    made["display"] = display(graph, size, frame, radiance, finish.display, **given)
    return made


def _spreading(
    graph: Graph, size: tuple[int, int], frame: Any, finish: Finish, light: Mapping[str, Any], moved: Any
) -> list[Effect]:
    """Return what makes of what is seen through a pinhole, at one time, what is seen through lens and shutter."""
    effects: list[Effect] = [partial(depth_of_field, graph, size, frame, blur, light) for blur in finish.blurs]
    if finish.motion_blur:
        shutter = graph.block("shutter")
        # Light that is spread already is anywhere.
        seen: dict[str, Any] = {"light_place": None if finish.blurs else light["light_place"], "wraps": finish.wraps}
        effects.append(lambda radiance, _: motion_blur(graph, size, frame, shutter, radiance, moved, **seen))
    return effects


def _behind_the_lens(graph: Graph, size: tuple[int, int], frame: Any, finish: Finish) -> list[Effect]:
    """Return what dims light behind the lens and scatters it."""
    effects: list[Effect] = []
    if finish.lens is not None:
        effects.append(partial(lens, graph, size, frame, finish.lens))
    if finish.bloom:
        effects.append(partial(bloom, graph, size, finish.bloom, wraps=finish.wraps))
    return effects


class Frames:
    """The compiled frames of a picture: one of light, run sample by sample, and one that makes a picture of it.

    Where the host takes the noise out in between, and the light has no guides for that, a third one makes them.

    Args:
        lane: Whose; on its device.
        graph: The frame of light; it ends with the images of `light` ready to be copied.
        light: What the picture is made of, by the names of OUTPUTS.
        declare: Declares the frame of the picture from those images, and from "denoised" where the host takes the noise
            out; returns what it makes or replaces.
        request: The picture; its outputs end ready to be copied.
        declare_guides: Declares a frame of GUIDES and returns them, for light that has none.
    """

    def __init__(
        self,
        lane: Lane,
        graph: Graph,
        light: Images,
        declare: Callable[[Graph, Images], Images],
        request: Request,
        declare_guides: Callable[[Graph], Images] | None = None,
    ) -> None:
        self._device, self._readback = lane.device, lane.readback
        self._parts = request.parts  # which a lane tells apart by their ids, so no other may take them
        everywhere, outputs = graph.everywhere, request.outputs
        with ExitStack() as made:
            self.light = self._compiled(graph, made)
            self._guides: Frame | None = None
            self._denoised: Image | None = None
            if request.settings.denoise == "oidn":
                self._denoised = self._image_from_host(request.size, made)
                if declare_guides is not None:
                    graph = Graph("guides", everywhere)
                    guides = declare_guides(graph)
                    graph.hand_over("denoise", Access.COPY_SOURCE, *(guides[name] for name in GUIDES))
                    self._guides = self._compiled(graph, made)
            graph = Graph("picture", everywhere)
            seen: Images = {
                name: graph.import_image(name, self.light.images[image.name], layout=Layout.TRANSFER_SOURCE)
                for name, image in light.items()
            }
            if self._denoised is not None:
                seen["denoised"] = graph.import_image("denoised", self._denoised, layout=Layout.TRANSFER_SOURCE)
            images = {**seen, **declare(graph, seen)}
            # The light's own images too: the next sample waits for what was last done with them there.
            handed_over = (*seen.values(), *(images[name] for name in outputs))
            graph.hand_over("read back", Access.COPY_SOURCE, *dict.fromkeys(handed_over))
            self.picture = self._compiled(graph, made)
            self._made = made.pop_all()
        self.images = {name: self.picture.images[images[name].name] for name in (*seen, *outputs)}
        self._frame = np.zeros(1, self.light.graph.blocks["frame"])
        self._framed: Callable[[], Request | None] = lambda: None

    def check(self, request: Request) -> None:
        """Check, before anything is rendered, that what comes out can be read back.

        Raises:
            HostCapError: Not even one row fits under the cap.
        """
        self._readback.check([self.images[name] for name in request.outputs])

    def _compiled(self, graph: Graph, made: ExitStack) -> Frame:
        frame = Frame(self._device, graph)
        made.callback(frame.release)
        return frame

    def _image_from_host(self, size: tuple[int, int], made: ExitStack) -> Image:
        owner = Owner(self._device, f"denoised#{next(_serials)}")
        made.callback(owner.release)
        usages = frozenset(["storage", "sampled", "copy_source", "copy_destination"])
        return Image(owner, "denoised", "rgba32f", size, usages).allocate()

    def write_frame(self, record: Any, request: Request, scene: Scene, share: float) -> None:
        """Write the `frame` block of a slot, whose array `record` is: made once for a picture in which all stays."""
        if request.moves or self._framed() is not request:
            fill_frame(self._frame[0], scene, request.size, request.settings, share)
            self._framed = weakref.ref(request)
        record[0] = self._frame[0]

    def _start(self, frame: Frame, request: Request, samples: int) -> Any:
        """Return the blocks of a frame's next slot, with what every pass of a picture may read of a scene in them."""
        index = frame.acquire()
        slot = frame.blocks[index]
        if "terrain" in slot:
            fill_block(slot["terrain"], request.scene.terrain, request.parts.heights)
        if "water" in slot:
            fill_water(slot["water"], request.scene.water, slot["terrain"], request.scene.terrain)
        self.write_frame(frame.records[index]["frame"], request, request.scene, 0.5)
        slot["frame"]["jitter"] = CENTRE
        slot["frame"]["sample_count"] = samples
        return slot

    def _denoise(self, denoised: Image, request: Request, samples: int) -> None:
        """Take the noise out of the light on the host, and bring it back onto the device."""
        guides = self.light
        if self._guides is not None:
            guides = self._guides
            self._start(guides, request, samples)
            guides.submit()
        images = [self.light.images["radiance"], *(guides.images[name] for name in GUIDES)]
        noisy, albedo, normal = (array[..., :3] for array in self._readback.start(images).result())
        clean = oidn(noisy, albedo, normal, wraps=request.scene.camera.wraps)

        def fill(rows: np.ndarray, first: int) -> None:
            rows[..., :3] = clean[first : first + len(rows)]
            rows[..., 3] = 1.0

        upload(self._device, denoised, fill, then=Access.COPY_SOURCE)  # as the picture leaves it

    def finish(self, request: Request, samples: int) -> Rendered:
        """Submit the picture of light that has so many samples a pixel."""
        if self._denoised is not None:
            self._denoise(self._denoised, request, samples)
        frame = self.picture
        slot = self._start(frame, request, samples)
        fill_tone(slot["tone"], request.settings)
        if isinstance(request.settings.exposure, AutoExposure):
            fill_metering(slot["metering"], request.settings.exposure)
        settings, camera = request.settings, request.scene.camera
        if "shutter" in slot:
            fill_shutter(slot["shutter"], request.scene, request.moving, request.settings.lens, request.size)
        if "aperture" in slot:
            fill_aperture(slot["aperture"], camera, request.size)
        if "miniature" in slot and settings.miniature is not None:
            fill_miniature(slot["miniature"], settings.miniature, request.size)
        if "lens" in slot and settings.lens is not None:
            fill_lens(slot["lens"], settings.lens, camera, request.size)
        if "bloom" in slot and settings.bloom is not None:
            fill_bloom(slot["bloom"], settings.bloom, request.size)
        if settings.grain is not None:
            fill_grain(slot["grain"], settings.grain, settings.seed)
        value = frame.submit()
        return Rendered(self.images, samples, lambda: frame.wait(value))

    def plan(self) -> Plan:
        """Return the frame of a sample's light, then that of the picture."""
        frames = (self.light, self._guides, self.picture)
        return reduce(Plan.followed_by, (frame.plan() for frame in frames if frame is not None))

    def release(self) -> None:
        """Give everything back."""
        self._made.close()
