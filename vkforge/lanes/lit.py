"""The lit lane: traced visibility, the sun with shadows, the sky with traced visibility."""

from __future__ import annotations

from dataclasses import dataclass

from vkforge.errors import InputError
from vkforge.graph.access import Access
from vkforge.graph.builder import Graph
from vkforge.graph.frame import Frame
from vkforge.graph.plan import Plan
from vkforge.lanes.blocks import fill_frame, fill_sample
from vkforge.lanes.lane import Lane, Progress, Rendered, Request
from vkforge.passes.lighting.accumulate import accumulate
from vkforge.passes.lighting.sky import sky
from vkforge.passes.lighting.sun import sun
from vkforge.passes.materials.split_sum import import_split_sum
from vkforge.passes.post.display import display
from vkforge.passes.terrain.heightfield import fill_block, import_albedo, import_heightfield, tracer_variant
from vkforge.passes.terrain.primary import primary
from vkforge.tonemapping import OPERATORS


@dataclass(frozen=True)
class Features:
    """What decides which passes a frame has, and in which variant.

    Attributes:
        tracer: The tracer's variant, as `tracer_variant` gives it.
        sun: Whether there is one.
        soft_sun: Whether it is a disc.
        sky: Whether rays are sent to the sky.
        glossy: Whether the surface is more than Lambert.
        tonemap: Index of the operator in `vkforge.tonemapping.OPERATORS`.
    """

    tracer: tuple[tuple[str, int], ...]
    sun: bool
    soft_sun: bool
    sky: bool
    glossy: bool
    tonemap: int


class LitLane(Lane):
    """The lane of the everyday picture: one sample of each pixel a frame, accumulated over as many as are asked for."""

    name = "lit"
    kind = "terrain"
    unread = ("max_depth", "time_limit", "noise_threshold")

    def features(self, request: Request) -> Features:
        """Return what a picture needs; asked for, the sky's visibility is traced without a sky too."""
        scene, settings = request.scene, request.settings
        return Features(
            tracer=tuple(tracer_variant(self.device, scene.terrain, request.parts.heights).items()),
            sun=scene.sun is not None,
            soft_sun=scene.sun is not None and scene.sun.angular_diameter > 0,
            sky=settings.sky_rays > 0 and (scene.sky is not None or "sky_visibility" in request.outputs),
            glossy=not scene.terrain.material.is_lambert,
            tonemap=OPERATORS.index(settings.tonemap),
        )

    def compile(self, request: Request, features: Features) -> Frame:
        """Return the compiled frame of one sample."""
        return Frame(self.device, self.build(request, features))

    def build(self, request: Request, features: Features) -> Graph:
        """Declare a frame of one sample."""
        graph, size = Graph("lit"), request.size
        heightfield = import_heightfield(graph, request.parts.heights)
        tracer = dict(features.tracer)
        frame = graph.block("frame")
        gbuffer = primary(graph, size, heightfield, frame, import_albedo(graph, request.parts.albedo), tracer=tracer)
        split_sum = import_split_sum(graph, request.parts.split_sum, heightfield["heights"])
        surface = (graph, size, heightfield, frame, gbuffer, split_sum)
        glossy = features.glossy
        sun_light = sun(*surface, tracer=tracer, glossy=glossy, soft=features.soft_sun) if features.sun else None
        sky_light = sky(*surface, tracer=tracer, glossy=glossy) if features.sky else None
        deviation = "deviation" in request.outputs
        means = accumulate(graph, size, frame, gbuffer["position"], sun_light, sky_light, deviation=deviation)
        images = {**gbuffer, **means, "display": display(graph, size, frame, means["radiance"], features.tonemap)}
        graph.hand_over("read back", Access.COPY_SOURCE, *(images[name] for name in request.outputs))
        return graph

    def check(self, request: Request) -> None:
        """Refuse what this lane can't honour."""
        super().check(request)
        camera = request.scene.camera
        if camera.aperture_radius > 0 or camera.shutter_end is not None:
            what = "moves" if camera.shutter_end is not None else "has a lens"
            raise InputError(f"the camera {what}, which the lit lane can't show; render with lane='path-traced'")

    def execute(self, request: Request, progress: Progress | None) -> Rendered:
        """Submit every sample."""
        frame, value = self.compiled(request), 0
        scene, settings = request.scene, request.settings
        for index in range(settings.samples):
            slot = frame.blocks[frame.acquire()]
            if index < len(frame.blocks):  # later samples find the slots filled
                fill_block(slot["terrain"], scene.terrain, request.parts.heights)
                fill_frame(slot["frame"], scene, request.size, settings)
            fill_sample(slot["frame"], index, settings.samples)
            value = frame.submit()
            if progress is not None:
                progress(index + 1, settings.samples)
        return Rendered(frame.images, settings.samples, lambda: frame.wait(value))

    def plan(self, request: Request) -> Plan:
        """Return the frame of one sample."""
        return self.compiled(request).plan()
