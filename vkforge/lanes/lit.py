"""The lit lane: traced visibility, the sun with shadows, the sky with traced visibility."""

from __future__ import annotations

from dataclasses import dataclass

from vkforge.graph.access import Access
from vkforge.graph.builder import Graph
from vkforge.lanes.lane import Lane, Request
from vkforge.passes.lighting.accumulate import accumulate
from vkforge.passes.lighting.sky import sky
from vkforge.passes.lighting.sun import sun
from vkforge.passes.post.display import display
from vkforge.passes.terrain.heightfield import import_albedo, import_heightfield, tracer_variant
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

    def features(self, request: Request) -> Features:
        """Return what a picture needs; asked for, the sky's visibility is traced without a sky too."""
        scene, settings = request.scene, request.settings
        material = scene.terrain.material
        return Features(
            tracer=tuple(tracer_variant(self.device, scene.terrain, request.parts.heights).items()),
            sun=scene.sun is not None,
            soft_sun=scene.sun is not None and scene.sun.angular_diameter > 0,
            sky=settings.sky_rays > 0 and (scene.sky is not None or "sky_visibility" in request.outputs),
            glossy=material.specular > 0 or material.metallic > 0,
            tonemap=OPERATORS.index(settings.tonemap),
        )

    def build(self, request: Request, features: Features) -> Graph:
        """Declare a frame of one sample."""
        graph, size = Graph("lit"), request.size
        heightfield = import_heightfield(graph, request.parts.heights)
        tracer = dict(features.tracer)
        frame = graph.block("frame")
        gbuffer = primary(graph, size, heightfield, frame, import_albedo(graph, request.parts.albedo), tracer=tracer)
        surface = (graph, size, heightfield, frame, gbuffer)
        glossy = features.glossy
        sun_light = sun(*surface, tracer=tracer, glossy=glossy, soft=features.soft_sun) if features.sun else None
        sky_light = sky(*surface, tracer=tracer, glossy=glossy) if features.sky else None
        means = accumulate(graph, size, frame, gbuffer["position"], sun_light, sky_light)
        images = {**gbuffer, **means, "display": display(graph, size, frame, means["radiance"], features.tonemap)}
        graph.hand_over("read back", Access.COPY_SOURCE, *(images[name] for name in request.outputs))
        return graph
