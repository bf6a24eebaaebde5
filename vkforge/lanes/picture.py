"""From light to a picture: what every lane's light passes through, once a picture, in a frame of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vkforge.graph.access import Access, Layout
from vkforge.graph.builder import Graph, ImageResource
from vkforge.graph.frame import Frame
from vkforge.graph.plan import Plan
from vkforge.lanes.blocks import CENTRE, fill_frame
from vkforge.lanes.lane import Rendered, Request
from vkforge.passes.atmosphere.sky import PHYSICAL, sky_kind
from vkforge.passes.lighting.water import fill_water
from vkforge.passes.post.atrous import atrous, guides
from vkforge.passes.post.display import display
from vkforge.passes.terrain.heightfield import fill_block
from vkforge.tonemapping import OPERATORS
from vkforge.vk.device import Device

Images = dict[str, ImageResource]


@dataclass(frozen=True)
class Finish:
    """What decides which passes make a picture of light, and in which variant.

    Attributes:
        atrous: Whether the device takes the noise out.
        noisy_shares: Visibilities that are handed out and have noise to lose.
        tonemap: Index of the operator in `vkforge.tonemapping.OPERATORS`.
        dither: Whether the steps of 8 bits are hidden.
    """

    atrous: bool
    noisy_shares: tuple[str, ...]
    tonemap: int
    dither: bool


def finish_of(request: Request, noisy: Mapping[str, bool]) -> Finish:
    """Return what a picture needs; `noisy` says which visibilities are estimates in this lane."""
    settings = request.settings
    filtered = settings.denoise == "atrous"
    return Finish(
        atrous=filtered,
        noisy_shares=tuple(name for name in request.outputs if filtered and noisy.get(name)),
        tonemap=OPERATORS.index(settings.tonemap),
        dither=sky_kind(request.scene.sky) == PHYSICAL,
    )


def light_read(finish: Finish) -> tuple[str, ...]:
    """Return the names of the light's images and of the G-buffer's that `declare_finish` reads."""
    filter_reads = ("position", "normal", "albedo", "deviation", *finish.noisy_shares) if finish.atrous else ()
    return ("radiance", *filter_reads)


def declare_finish(graph: Graph, request: Request, finish: Finish, frame: Any, light: Mapping[str, Any]) -> Images:
    """Declare the passes from `light` (at least what `light_read` names) on; return what they make or replace."""
    size, made = request.size, dict[str, Any]()
    radiance = light["radiance"]
    if finish.atrous:
        seen = (graph, size, frame, guides(graph, size, frame, light))
        radiance = atrous(*seen, radiance, light["deviation"])
        made |= {share: atrous(*seen, light[share]) for share in finish.noisy_shares}
    made["radiance"] = radiance
    made["display"] = display(graph, size, frame, radiance, finish.tonemap, dither=finish.dither)
    return made


class Frames:
    """The two compiled frames of a picture: one of light, run sample by sample, and one that makes a picture of it.

    Args:
        device: Where.
        graph: The frame of light; it ends with the images of `light` ready to be copied.
        light: What the picture is made of, by the names of OUTPUTS.
        declare: Declares the frame of the picture from those images; returns what it makes or replaces.
        outputs: What ends ready to be copied.
    """

    def __init__(
        self,
        device: Device,
        graph: Graph,
        light: Images,
        declare: Callable[[Graph, Images], Images],
        outputs: tuple[str, ...],
    ) -> None:
        self.light = Frame(device, graph)
        try:
            graph = Graph("picture")
            seen: Images = {
                name: graph.import_image(name, self.light.images[image.name], layout=Layout.TRANSFER_SOURCE)
                for name, image in light.items()
            }
            images = {**seen, **declare(graph, seen)}
            # The light's own images too: the next sample waits for what was last done with them there.
            handed_over = (*seen.values(), *(images[name] for name in outputs))
            graph.hand_over("read back", Access.COPY_SOURCE, *dict.fromkeys(handed_over))
            self.picture = Frame(device, graph)
        except BaseException:
            self.light.release()
            raise
        self.images = {name: self.picture.images[images[name].name] for name in (*seen, *outputs)}

    def finish(self, request: Request, samples: int) -> Rendered:
        """Submit the picture of light that has so many samples a pixel."""
        frame = self.picture
        slot = frame.blocks[frame.acquire()]
        if "terrain" in slot:
            fill_block(slot["terrain"], request.scene.terrain, request.parts.heights)
        if "water" in slot:
            fill_water(slot["water"], request.scene.water, slot["terrain"])
        fill_frame(slot["frame"], request.scene, request.size, request.settings)
        slot["frame"]["jitter"] = CENTRE
        slot["frame"]["sample_count"] = samples
        value = frame.submit()
        return Rendered(self.images, samples, lambda: frame.wait(value))

    def plan(self) -> Plan:
        """Return the frame of a sample's light, then that of the picture."""
        return self.light.plan().followed_by(self.picture.plan())

    def release(self) -> None:
        """Give both back."""
        self.picture.release()
        self.light.release()
