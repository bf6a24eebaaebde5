"""The lit lane: traced visibility, the sun with shadows, the sky with traced visibility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vkforge.errors import InputError
from vkforge.graph.access import Access
from vkforge.graph.builder import Graph, ImageResource
from vkforge.graph.plan import Plan
from vkforge.lanes.blocks import camera_variant, exposure_share, fill_sample
from vkforge.lanes.lane import Lane, Progress, Rendered, Request
from vkforge.lanes.picture import Finish, Frames, Images, blurs_by_motion, declare_finish, finish_of, light_read
from vkforge.passes.atmosphere.sky import import_sky, sky_kind
from vkforge.passes.lighting.accumulate import ON_REQUEST, accumulate
from vkforge.passes.lighting.environment import fill_environment
from vkforge.passes.lighting.lamps import lamps
from vkforge.passes.lighting.rays import passes_for, rays_at_once
from vkforge.passes.lighting.sky import sky
from vkforge.passes.lighting.sun import sun
from vkforge.passes.lighting.water import fill_water, import_water, water_light, water_surface, water_variant
from vkforge.passes.materials.split_sum import import_split_sum
from vkforge.passes.materials.textures import surface_variant
from vkforge.passes.post.depth_of_field import check_pixels
from vkforge.passes.terrain.heightfield import fill_block, import_heightfield, import_surface, tracer_variant
from vkforge.passes.terrain.primary import EXTRAS, primary
from vkforge.passes.volumetrics.clouds import fill_clouds, import_clouds, show_clouds
from vkforge.passes.volumetrics.fog import fill_volume, fog
from vkforge.passes.volumetrics.medium import fill_lights, fill_medium, import_medium, medium_kind
from vkforge.scene.scene import Scene
from vkforge.settings import Settings


@dataclass(frozen=True)
class Features:
    """What decides which passes the frames have, and in which variant.

    Attributes:
        tracer: The tracer's variant, as `tracer_variant` gives it.
        surface: The surface's, as `surface_variant` gives it.
        sun: Passes that trace the rays to it; 0 where there is none.
        soft_sun: Whether it is a disc.
        sky: Passes that trace the rays to it; 0 where none are.
        sky_kind: SKY_KIND of include/sky.glsl.
        glossy: Whether the surface is more than Lambert.
        extras: Channels of the G-buffer that are not always there.
        kept: What is accumulated on request, out of `ON_REQUEST`.
        medium: What is in the air, as `medium_kind` gives it.
        lamps: Whether there are lights that stand somewhere.
        clouds: Whether there are any.
        water: What of it there is, as `water_variant` gives it, or None.
        finish: How the light becomes a picture.
    """

    tracer: tuple[tuple[str, int], ...]
    surface: tuple[tuple[str, int], ...]
    sun: int
    soft_sun: bool
    sky: int
    sky_kind: int
    glossy: bool
    extras: tuple[str, ...]
    kept: frozenset[str]
    medium: int
    lamps: bool
    clouds: bool
    water: tuple[tuple[str, int], ...] | None
    finish: Finish


class LitLane(Lane):
    """The lane of the everyday picture: one sample of each pixel a frame, accumulated over as many as are asked for."""

    name = "lit"
    kind = "terrain"
    unread = ("max_depth", "time_limit", "noise_threshold")

    def features(self, request: Request) -> Features:
        """Return what a picture needs; asked for, the sky's visibility is traced without a sky too."""
        scene, settings, heights = request.scene, request.settings, request.parts.heights
        at_once = rays_at_once(self.device.info.type)
        soft_sun = any(shown.sun is not None and shown.sun.angular_diameter > 0 for shown in request.shown)
        traced_sky = settings.sky_rays > 0 and (scene.sky is not None or "sky_visibility" in request.outputs)
        finish = finish_of(request, {"sun_visibility": soft_sun, "sky_visibility": traced_sky}, pinhole=True)
        return Features(
            tracer=tuple(tracer_variant(self.device, scene.terrain, heights, water=scene.water is not None).items()),
            surface=tuple(surface_variant(scene.terrain).items()),
            sun=0 if scene.sun is None else passes_for(settings.sun_rays, at_once),
            soft_sun=soft_sun,
            sky=passes_for(settings.sky_rays, at_once) if traced_sky else 0,
            sky_kind=sky_kind(scene.sky),
            glossy=not all(shown.terrain.material.is_lambert for shown in request.shown),
            extras=_extras(request),
            kept=frozenset(ON_REQUEST).intersection((*request.outputs, *light_read(finish))),
            medium=medium_kind(scene.fog),
            lamps=any(shown.lights for shown in request.shown),
            clouds=scene.clouds is not None,
            water=None if scene.water is None else tuple(water_variant(scene.water).items()),
            finish=finish,
        )

    def compile(self, request: Request, features: Features) -> Frames:
        """Return the compiled frames of a picture."""
        graph = Graph("lit", camera_variant(request.scene.camera, request.settings.lens))
        images = self.declare_light(graph, request, features)
        tracer = dict(features.tracer)

        def declare(graph: Graph, light: Images) -> Images:
            heightfield = import_heightfield(graph, request.parts.heights)
            seen: dict[str, Any] = {"frame": graph.block("frame"), "heightfield": heightfield, "tracer": tracer}
            at_once = rays_at_once(self.device.info.type)
            return declare_finish(graph, request, features.finish, light, **seen, at_once=at_once)

        made = {name for name in request.outputs if name in images}
        light = {name: images[name] for name in images if name in made.union(light_read(features.finish))}
        graph.hand_over("finish", Access.COPY_SOURCE, *light.values())
        return Frames(self, graph, light, declare, request)

    def declare_light(self, graph: Graph, request: Request, features: Features) -> Images:
        """Declare a frame of one sample; return its G-buffer and the means over the samples."""
        size = request.size
        heightfield = import_heightfield(graph, request.parts.heights)
        tracer = dict(features.tracer)
        frame = graph.block("frame")
        maps = import_surface(graph, request.parts.albedo, request.parts.maps)
        variant = {"tracer": tracer, "surface": dict(features.surface), "extras": features.extras}
        gbuffer = primary(graph, size, heightfield, frame, maps, **variant)
        split_sum = import_split_sum(graph, request.parts.split_sum, heightfield["heights"])
        surface = (graph, size, heightfield, frame, gbuffer, split_sum)
        glossy = features.glossy
        heavens: dict[str, Any] = {
            "sky_bindings": import_sky(graph, request.parts.sky, request.parts.environment, heightfield["heights"]),
            "sky_kind": features.sky_kind,
        }
        water = self._water(graph, request, features, surface, maps, heavens["sky_bindings"], tracer)
        shading: dict[str, Any] = {
            "tracer": tracer,
            "glossy": glossy,
            "at_once": rays_at_once(self.device.info.type),
        }
        sun_light = sun(*surface, **shading, soft=features.soft_sun, passes=features.sun) if features.sun else None
        sky_light = sky(*surface, **shading, **heavens, passes=features.sky) if features.sky else None
        lamp_light, air = self._air(graph, request, features, surface, heavens["sky_bindings"], sun_light, sky_light)
        means = accumulate(
            graph,
            size,
            frame,
            gbuffer,
            sun_light,
            sky_light,
            **heavens,
            kept=features.kept,
            emissive="emission" in features.extras,
            lamp_light=lamp_light,
            fog=air,
            water_light=water,
            map_water=bool(dict(features.water or ()).get("MAP_WATER")),
        )
        return {**gbuffer, **means}

    def _water(
        self,
        graph: Graph,
        request: Request,
        features: Features,
        surface: Any,
        maps: dict[str, ImageResource],
        sky_bindings: dict[str, Any],
        tracer: dict[str, int],
    ) -> ImageResource | None:
        """Declare the water, first of all light, because it goes into the G-buffer; return its light, if of its own."""
        if features.water is None:
            return None
        heightfield, frame, gbuffer, split_sum = surface[2:]
        seen = (graph, request.size, heightfield, frame, gbuffer)
        water = import_water(graph, request.parts.water_mask, heightfield["heights"])
        variant = dict(features.water)
        water_surface(*seen, water, tracer=tracer, variant=variant, extras=features.extras)
        if variant["MAP_WATER"]:
            return None
        variant |= {
            **dict(features.surface),
            "GLOSSY": features.glossy,
            "SKY_KIND": features.sky_kind,
            "SOFT": features.soft_sun,
            "HAS_SUN": features.sun > 0,
        }
        lit: dict[str, Any] = {"water": water, "surface_maps": maps, "sky_bindings": sky_bindings}
        return water_light(*seen, split_sum, **lit, tracer=tracer, variant=variant)

    def _air(
        self,
        graph: Graph,
        request: Request,
        features: Features,
        surface: Any,
        sky_bindings: dict[str, Any],
        sun_light: ImageResource | None,
        sky_light: ImageResource | None,
    ) -> tuple[ImageResource | None, tuple[ImageResource, ImageResource] | None]:
        """Declare lamps, clouds and fog; return the lamps' light, and what the air adds and lets through."""
        _, size, heightfield, frame, gbuffer, _ = surface
        if not (features.lamps or features.medium or features.clouds):
            return None, None
        tracer, kind = dict(features.tracer), features.medium
        medium, lights = import_medium(graph, request.parts.fog, heightfield["heights"]), graph.block("lights")
        lamp_light = None
        if features.lamps:
            lamp_light = lamps(
                *surface, medium=medium, lights=lights, tracer=tracer, glossy=features.glossy, medium_kind=kind
            )
        has_sky = request.settings.sky_rays > 0 and request.scene.sky is not None
        clouds, seen = import_clouds(graph, request.parts.clouds, heightfield["heights"]), None
        if features.clouds:
            sky_variant: dict[str, Any] = {"sky": sky_bindings, "sky_kind": features.sky_kind, "has_sky": has_sky}
            seen = show_clouds(graph, size, frame, gbuffer["position"], sun_light, clouds=clouds, **sky_variant)
        if not kind:
            return lamp_light, seen
        variant = {
            "SKY_KIND": features.sky_kind,
            "MEDIUM_KIND": kind,
            "HAS_SUN": features.sun > 0,
            "HAS_SKY": has_sky,
            "HAS_LAMPS": features.lamps,
        }
        air = fog(
            graph,
            size,
            heightfield,
            frame,
            gbuffer["position"],
            sun_light,
            sky_light,
            medium=medium,
            sky=sky_bindings,
            lights=lights,
            clouds=clouds,
            clouds_seen=seen,
            tracer=tracer,
            variant=variant,
        )
        return lamp_light, air

    @classmethod
    def refuse(cls, scene: Scene, settings: Settings, size: tuple[int, int]) -> None:
        """Refuse what this lane can't honour on any device."""
        super().refuse(scene, settings, size)
        if scene.camera.lens is not None:
            check_pixels(scene.camera)

    def check(self, request: Request) -> None:
        """Refuse what this lane can't honour."""
        super().check(request)
        most = 2 * rays_at_once(self.device.info.type)  # the pass of the water traces all rays of a sample at once
        water = request.scene.water
        if water is not None and water.tint is None and request.settings.sky_rays > most:
            raise InputError(
                f"sky_rays is {request.settings.sky_rays}, and over water {self.device.info.name} can trace {most} a "
                "sample; take more samples of fewer rays"
            )
        if request.moving is not None and blurs_by_motion(request):
            request.moving.check_that_the_camera_alone_moves()

    def execute(self, request: Request, progress: Progress | None) -> Rendered:
        """Submit every sample, then the picture."""
        frames = self.compiled(request)
        frames.check(request)
        frame, settings = frames.light, request.settings
        by_samples = request.by_samples
        for index in range(settings.samples):
            number = frame.acquire()
            slot = frame.blocks[number]
            if by_samples or index < len(frame.blocks):  # else the slots are filled already
                share = exposure_share(index, settings.samples) if by_samples else 0.5
                scene = self.moment(request, share) if by_samples else request.scene
                frames.write_frame(frame.records[number]["frame"], request, scene, share)
                self._fill(slot, request, scene)
            fill_sample(slot["frame"], index, settings.samples)
            frame.submit()
            if progress is not None:
                progress(index + 1, settings.samples)
        return frames.finish(request, settings.samples)

    def _fill(self, slot: Any, request: Request, scene: Scene) -> None:
        """Write all of a scene but the `frame` block into a slot."""
        fill_block(slot["terrain"], scene.terrain, request.parts.heights)
        fill_environment(slot["environment"], scene.sky)
        if "fog" in slot:
            fill_medium(slot["fog"], scene.fog, request.parts.fog)
        if "lights" in slot:
            fill_lights(slot["lights"], scene.lights)
        if "water" in slot:
            fill_water(slot["water"], scene.water, slot["terrain"], scene.terrain)
        if "clouds" in slot:
            fill_clouds(slot["clouds"], scene.clouds)
        if "volume" in slot:
            fill_volume(slot["volume"], scene, request.size)

    def plan(self, request: Request) -> Plan:
        """Return the frame of one sample's light, then that of the picture."""
        return self.compiled(request).plan()


def _extras(request: Request) -> tuple[str, ...]:
    """Return the G-buffer's channels, out of EXTRAS, that the light or the outputs need."""
    material = request.scene.terrain.material
    glows = any(shown.terrain.material.is_emissive for shown in request.shown)
    needed = {"material": material.metallic_roughness_map is not None, "emission": glows}
    return tuple(name for name in EXTRAS if needed[name] or name in request.outputs)
