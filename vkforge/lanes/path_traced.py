"""The path-traced lane: unbiased, progressive light transport, which the other lanes are held against."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vkforge.errors import InputError
from vkforge.graph.access import Access, Layout
from vkforge.graph.builder import BlockResource, Graph
from vkforge.graph.plan import Plan
from vkforge.lanes.blocks import camera_variant, fill_frame, progressive_share
from vkforge.lanes.lane import Lane, Progress, Rendered, Request
from vkforge.lanes.picture import Finish, Frames, Images, declare_finish, finish_of, light_read
from vkforge.passes.atmosphere.sky import import_sky, sky_kind
from vkforge.passes.lighting.environment import fill_environment
from vkforge.passes.lighting.paths import fill_path, paths
from vkforge.passes.lighting.rays import rays_at_once
from vkforge.passes.lighting.water import fill_water, import_water, water_surface, water_variant
from vkforge.passes.materials.split_sum import import_split_sum
from vkforge.passes.materials.textures import surface_variant
from vkforge.passes.terrain.heightfield import fill_block, import_heightfield, import_surface, sun_beam, tracer_variant
from vkforge.passes.terrain.primary import EXTRAS, primary
from vkforge.passes.terrain.shades import fill_shades
from vkforge.passes.volumetrics.medium import fill_lights, fill_medium, import_medium, medium_kind
from vkforge.scene.scene import Scene
from vkforge.scene.shade import Beam
from vkforge.settings import Settings

# Paths of one submission: a fraction of a second of the slowest scenes, so that no driver's watchdog fires and Ctrl-C
# is heard; and samples of a pixel in one, which keep a GPU's groups full to the end (see path/paths.comp).
PATHS_PER_SUBMISSION = {"cpu": 1 << 16}
PATHS_PER_SUBMISSION_OF_A_GPU = 1 << 25
LARGEST_BATCH = 16
SAMPLES_OF_A_BAND = {"cpu": 8}  # a band is so low that they fit into one submission: groups idle at its end
SEGMENTS_PER_INVOCATION_OF_A_CPU = 64  # of all paths: passes/lighting/rays.py says why there is a limit
PATHS_FOR_HORIZONS = 4  # of a CPU, for each cell of the terrain: fewer cost less than working the horizons out does
MOST_HORIZONS = 1 << 24  # cells: they take 8 bytes each
BAND_ROWS = 8  # bands are whole multiples of this, as tall as a group or taller

# Samples before the noise is looked at: an estimate from fewer says little.
FIRST_LOOK = 16


@dataclass(frozen=True)
class Features:
    """What decides which variant of the path tracer a picture has.

    Attributes:
        tracer: The tracer's variant, as `tracer_variant` gives it.
        surface: The surface's, as `surface_variant` gives it.
        sun: Whether there is one.
        soft_sun: Whether it is a disc.
        medium: What is in the air, as `medium_kind` gives it.
        lamps: Whether there are lights that stand somewhere.
        sky_kind: SKY_KIND of include/sky.glsl.
        glossy: Whether the surface is more than Lambert.
        lens: Whether the camera has one, or is a pinhole.
        shutter: Whether the camera moves.
        water: What of it there is, as `water_variant` gives it, or None.
        horizons: Whether rays that surely leave the ground are not traced.
        shades: Whether rays to the sun are not where it is known beforehand whether they meet ground.
        finish: How the light becomes a picture.
    """

    tracer: tuple[tuple[str, int], ...]
    surface: tuple[tuple[str, int], ...]
    sun: bool
    soft_sun: bool
    sky_kind: int
    glossy: bool
    medium: int
    lamps: bool
    lens: bool
    shutter: bool
    water: tuple[tuple[str, int], ...] | None
    horizons: bool
    shades: bool
    finish: Finish


class PathTracedLane(Lane):
    """Paths from the camera, in batches of samples, until there are enough, the time is up or the noise is low."""

    name = "path-traced"
    kind = "terrain"
    unread = ("sun_rays", "sky_rays")

    @classmethod
    def refuse(cls, scene: Scene, settings: Settings, size: tuple[int, int]) -> None:
        """Refuse what this lane can't honour on any device."""
        super().refuse(scene, settings, size)
        if settings.motion_blur == "vectors":
            raise InputError(
                f"the {cls.name} lane has no use for motion_blur='vectors'; use 'samples' or 'none', or another lane"
            )
        if scene.clouds is not None:
            raise InputError("the path-traced lane knows no clouds; leave them out, or render with lane='lit'")

    def features(self, request: Request) -> Features:
        """Return what a picture needs."""
        scene, heights = request.scene, request.parts.heights
        camera = scene.camera
        soft_sun = any(shown.sun is not None and shown.sun.angular_diameter > 0 for shown in request.shown)
        return Features(
            tracer=tuple(tracer_variant(self.device, scene.terrain, heights, water=scene.water is not None).items()),
            surface=tuple(surface_variant(scene.terrain).items()),
            sun=scene.sun is not None,
            soft_sun=soft_sun,
            sky_kind=sky_kind(scene.sky),
            glossy=not all(shown.terrain.material.is_lambert for shown in request.shown),
            medium=medium_kind(scene.fog),
            lamps=any(shown.lights for shown in request.shown),
            lens=any(shown.camera.aperture_radius > 0 for shown in request.shown),
            shutter=camera.shutter_end is not None and request.by_samples,
            water=None if scene.water is None else tuple(water_variant(scene.water).items()),
            horizons=self._horizons_pay(request),
            shades=self._sun_beam(request) is not None,
            finish=finish_of(request, {"sun_visibility": soft_sun, "sky_visibility": True}, pinhole=False),
        )

    def _horizons_pay(self, request: Request) -> bool:
        """Whether working out what surely leaves the ground is worth it, and what does so meets the sky at once."""
        scene, (width, height) = request.scene, request.size
        rows, cols = scene.terrain.shape
        cells = (rows - 1) * (cols - 1)
        largest = int(self.device.info.limits["maxImageDimension2D"])
        return (
            self.device.info.type == "cpu"
            and not request.parts.heights.has_holes
            and scene.water is None
            and (scene.fog is None or scene.fog.kind == "uniform")
            and width * height * request.settings.samples >= PATHS_FOR_HORIZONS * cells
            and cells <= MOST_HORIZONS
            and 2 * (cols - 1) <= largest
        )

    def _sun_beam(self, request: Request) -> Beam | None:
        """Return the rays to a sun that stands still, where bounds for them pay."""
        still = request.moving is None or not request.by_samples
        if request.scene.sun is None or not still or not self._horizons_pay(request):
            return None
        return sun_beam(request.scene.terrain, request.scene.sun)

    def compile(self, request: Request, features: Features) -> Frames:
        """Return the compiled frames of a picture."""
        graph = Graph("paths", camera_variant(request.scene.camera, request.settings.lens))
        sums = self.declare_paths(graph, request, features)
        graph.hand_over("look", Access.COPY_SOURCE, *sums.values())

        def declare(graph: Graph, light: Images) -> Images:
            return self.declare_picture(graph, request, features, light)

        def declare_guides(graph: Graph) -> Images:
            heightfield = import_heightfield(graph, request.parts.heights)
            return self.declare_gbuffer(graph, request, features, graph.block("frame"), heightfield, extras=())

        return Frames(self, graph, sums, declare, request, declare_guides)

    def _paths_per_submission(self) -> int:
        return PATHS_PER_SUBMISSION.get(self.device.info.type, PATHS_PER_SUBMISSION_OF_A_GPU)

    def _band_rows(self, size: tuple[int, int]) -> int:
        """Return the rows of a band: one sample of all, or a few of a part on a CPU, are a submission's worth."""
        width, height = size
        most = self._paths_per_submission()
        samples = 1 if width * height <= most else SAMPLES_OF_A_BAND.get(self.device.info.type, 1)
        rows = max(1, most // (width * samples * BAND_ROWS)) * BAND_ROWS
        return min(rows, -(-height // BAND_ROWS) * BAND_ROWS)

    def declare_paths(self, graph: Graph, request: Request, features: Features) -> Images:
        """Declare the frame of one batch of a band; return what it accumulates."""
        heightfield = import_heightfield(graph, request.parts.heights)
        bindings = {
            **heightfield,
            "horizons": heightfield["pyramid"],  # not read
            "shades": heightfield["pyramid"],  # likewise
            "frame": graph.block("frame"),
            **import_surface(graph, request.parts.albedo, request.parts.maps),
            "split_sum": import_split_sum(graph, request.parts.split_sum, heightfield["heights"]),
            **import_sky(graph, request.parts.sky, request.parts.environment, heightfield["heights"]),
            **import_medium(graph, request.parts.fog, heightfield["heights"]),
            "lights": graph.block("lights"),
            **import_water(graph, request.parts.water_mask, heightfield["heights"]),
        }
        if features.horizons:
            horizons = request.parts.heights.horizons(request.scene.terrain)
            bindings["horizons"] = graph.import_image("horizons", horizons, layout=Layout.GENERAL)
        if features.shades:
            shades = request.parts.heights.shades(request.scene.terrain)
            bindings["shades"] = graph.import_image("shades", shades, layout=Layout.GENERAL)
        variant = {
            **dict(features.tracer),
            **dict(features.surface),
            "HAS_SUN": features.sun,
            "SOFT": features.soft_sun,
            "GLOSSY": features.glossy,
            "SKY_KIND": features.sky_kind,
            "MEDIUM_KIND": features.medium,
            "HAS_LAMPS": features.lamps,
            "THIN_LENS": features.lens,
            "SHUTTER": features.shutter,
            "HAS_HORIZONS": features.horizons,
            "HAS_SHADES": features.shades,
            **dict(features.water or ()),
        }
        kept = (*request.outputs, *light_read(features.finish))
        return paths(graph, request.size, self._band_rows(request.size), bindings, variant, kept)

    def declare_picture(self, graph: Graph, request: Request, features: Features, light: Images) -> Images:
        """Declare the frame that makes a picture of what was accumulated, with the G-buffer at pixel centres."""
        heightfield = import_heightfield(graph, request.parts.heights)
        frame = graph.block("frame")
        extras = tuple(name for name in EXTRAS if name in request.outputs)
        seen = {**self.declare_gbuffer(graph, request, features, frame, heightfield, extras=extras), **light}
        shared: dict[str, Any] = {"frame": frame, "heightfield": heightfield, "tracer": dict(features.tracer)}
        shared["at_once"] = rays_at_once(self.device.info.type)
        return {**seen, **declare_finish(graph, request, features.finish, seen, **shared)}

    def declare_gbuffer(
        self,
        graph: Graph,
        request: Request,
        features: Features,
        frame: BlockResource,
        heightfield: dict[str, Any],
        *,
        extras: tuple[str, ...],
    ) -> Images:
        """Declare what is seen at pixel centres; return the G-buffer."""
        tracer = dict(features.tracer)
        maps = import_surface(graph, request.parts.albedo, request.parts.maps)
        variant = {"tracer": tracer, "surface": dict(features.surface), "extras": extras}
        gbuffer = primary(graph, request.size, heightfield, frame, maps, **variant)
        if features.water is not None:
            water = import_water(graph, request.parts.water_mask, heightfield["heights"])
            variant = {"tracer": tracer, "variant": dict(features.water), "extras": extras}
            water_surface(graph, request.size, heightfield, frame, gbuffer, water, **variant)
        return gbuffer

    # A picture

    def execute(self, request: Request, progress: Progress | None) -> Rendered:
        """Submit batches until there are enough samples, the time is up or the noise is low; then the picture."""
        frames = self.compiled(request)
        frames.check(request)
        *_, samples = self._batches(frames, request, progress)
        return frames.finish(request, samples)

    def accumulate(self, request: Request, progress: Progress | None) -> Generator[Rendered, None, None]:
        """Yield the picture of 1, 2, 4, ... samples and of the last, on frames of its own."""
        frames = self.compile(request, self.features(request))
        try:
            frames.check(request)
            shown, samples = 0, 0
            for samples in self._batches(frames, request, progress):
                if samples & (samples - 1) == 0:
                    shown = samples
                    yield frames.finish(request, samples)
            if samples != shown:
                yield frames.finish(request, samples)
        finally:
            frames.release()

    def _batches(self, frames: Frames, request: Request, progress: Progress | None) -> Iterator[int]:
        """Submit batch after batch; yield the samples that each pixel has after each."""
        settings, began = request.settings, time.perf_counter()
        width, height = request.size
        rows = self._band_rows(request.size)
        bands = range(0, height, rows)
        largest = LARGEST_BATCH
        if self.device.info.type == "cpu":
            largest = min(largest, SEGMENTS_PER_INVOCATION_OF_A_CPU // settings.max_depth)
        most = max(1, min(largest, self._paths_per_submission() // (width * rows)))
        most = 1 << (most.bit_length() - 1)  # powers of two meet those that `accumulate` shows
        moving = request.moving is not None and request.by_samples
        if moving:
            most = 1  # each at a time of its own
        done, beam = 0, self._sun_beam(request)
        for _ in frames.light.blocks:
            self._fill(frames.light.blocks[frames.light.acquire()], request, request.scene)
        while done < settings.samples:
            batch = min(max(done, 1), most, settings.samples - done)
            if beam is not None:  # another picture under another sun may be made between two batches of this
                request.parts.heights.cast_shades(request.scene.terrain, beam)
            for first_row in bands:
                block = frames.light.blocks[frames.light.acquire()]
                if moving:
                    self._fill(block, request, self.moment(request, progressive_share(done, settings.samples)))
                block["frame"]["sample_index"] = done
                block["path"]["samples"] = batch
                block["path"]["first_row"] = first_row
                frames.light.submit()
            done += batch
            if progress is not None:
                progress(done, settings.samples)
            yield done
            if settings.time_limit is not None and time.perf_counter() - began >= settings.time_limit:
                return
            threshold = settings.noise_threshold
            if threshold is not None and _is_time_to_look(done) and self._noise(frames, done) <= threshold:
                return

    def _fill(self, block: Any, request: Request, scene: Scene) -> None:
        """Write a scene, and what stays the same over the batches, into a slot."""
        fill_block(block["terrain"], scene.terrain, request.parts.heights)
        # A camera that moves by itself does so in the shader, from where it stands first.
        fill_frame(block["frame"], scene, request.size, request.settings, 0.0 if request.by_samples else 0.5)
        fill_environment(block["environment"], scene.sky)
        fill_medium(block["fog"], scene.fog, request.parts.fog)
        fill_lights(block["lights"], scene.lights)
        fill_water(block["water"], scene.water, block["terrain"], scene.terrain)
        camera = scene.camera if request.by_samples else scene.camera.middle
        fill_path(block["path"], request.settings.max_depth, camera, request.size)
        fill_shades(block["path"], self._sun_beam(request))

    def _noise(self, frames: Frames, samples: int) -> float:
        """Return the root mean square of the pixels' standard errors over the mean luminance."""
        copy = self.readback.start([frames.light.images[name] for name in ("radiance", "deviation")])
        radiance, deviation = copy.result()
        mean = float((radiance[..., :3] @ np.array([0.2126, 0.7152, 0.0722])).mean())
        variance = float(deviation.mean(dtype=np.float64)) / (samples * (samples - 1))
        return variance**0.5 / mean if mean > 0 else 0.0

    def plan(self, request: Request) -> Plan:
        """Return the frame of a batch, then that of the picture."""
        return self.compiled(request).plan()


def _is_time_to_look(samples: int) -> bool:
    """Whether the noise is looked at after so many samples: at 16, 24, 32, 48, 64, ..."""
    octave = 1 << (samples.bit_length() - 1)
    return samples >= FIRST_LOOK and samples in (octave, octave + octave // 2)
