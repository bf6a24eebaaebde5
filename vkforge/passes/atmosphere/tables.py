"""The tables of a physical sky on the device, made again when what they are made of changes."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from vkforge.graph.access import Access, Layout
from vkforge.graph.builder import BufferResource, Graph
from vkforge.graph.frame import Frame
from vkforge.memory.intents import Intent
from vkforge.passes.atmosphere.air import DEPTH_SIZE, SCATTERED_SIZE, Effort, KeptAirs, declare_air
from vkforge.passes.query import ask
from vkforge.scene.checks import Vector
from vkforge.scene.scene import Scene
from vkforge.scene.sky import Sky
from vkforge.scene.sun import Sun
from vkforge.scene.veil import aerial_perspective
from vkforge.vk.commands import Commands
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import Buffer, Image
from vkforge.vk.shaders import load
from vkforge.vk.transfer import Readback, upload

# Sizes as in include/sight.glsl (a test compares them).
AZIMUTHS = 16
SKY_ROWS = 96
HAZE_ROWS = 64
SLICES = 48
SIGHT_SIZE = (2 * AZIMUTHS, 2 * SKY_ROWS + SLICES * HAZE_ROWS)

# Exponents of the sun's limb darkening, -0.023 + 0.292 / wavelength in micrometres (Hestroffer and Magnan 1998), at the
# wavelengths of Hillaire's coefficients: 680, 550 and 440 nm.
LIMB_EXPONENT = tuple(-0.023 + 0.292 / wavelength for wavelength in (0.680, 0.550, 0.440))

SUBJECTS = ("sky", "transmittance", "air between")  # of atmosphere/query.comp, in its order

_serials = itertools.count()


@dataclass(frozen=True)
class Sights:
    """What the tables depend on: the air, its sun, and from where it is seen.

    Attributes:
        sky: The air.
        sun: None for night without end.
        ground: Metres of altitude from which the sky lights the terrain.
        camera: World position from which camera rays see it.
        haze: What the distances of aerial perspective are scaled by.
    """

    sky: Sky
    sun: Sun | None
    ground: float
    camera: Vector
    haze: float

    @classmethod
    def of(cls, scene: Scene) -> Sights:
        """Return those of a scene with a physical sky: lit at the middle of the terrain's heights."""
        assert isinstance(scene.sky, Sky)
        haze = aerial_perspective(scene.terrain, scene.camera, scene.sky)
        return cls(scene.sky, scene.sun, ground_altitude(scene), scene.camera.position, haze)


def ground_altitude(scene: Scene) -> float:
    """Return the altitude at which a physical sky and its sun light the terrain: the middle of its heights.

    Those of the ground itself: exaggeration makes slopes steep, and no air thin.
    """
    return max(0.0, (scene.terrain.min_height + scene.terrain.max_height) / 2)


class DeviceSky:
    """The tables of one physical sky.

    The tables of the air (transmittance, light scattered before) depend on the `Sky` alone, those of what is seen (the
    sky by direction, aerial perspective) on the sun and the eyes too; `update` makes those anew that need it.

    Args:
        device: Where they lie.
        airs: Tables of air that were made before.

    Attributes:
        atmosphere: The block of include/air.glsl.
        optical_depths: The image of include/transmittance.glsl.
        sky_view: That of include/sight.glsl.
        now: What the tables fit; None where nothing was asked yet.
    """

    def __init__(self, device: Device, airs: KeptAirs) -> None:
        self._device, self._airs = device, airs
        self.owner = Owner(device, f"sky#{next(_serials)}")
        dtype = next(b.dtype for b in load("atmosphere/query.comp").bindings if b.name == "atmosphere")
        assert dtype is not None
        made = frozenset(["storage", "sampled", "copy_source", "copy_destination"])
        sizes = {"optical_depths": DEPTH_SIZE, "scattered": SCATTERED_SIZE, "sky_view": SIGHT_SIZE}
        with self.owner:
            self.atmosphere = Buffer(self.owner, "atmosphere", dtype.itemsize, frozenset(["storage"]), Intent.DYNAMIC)
            self._record = self.atmosphere.array(dtype, 1)[0]
            self.optical_depths, self._scattered, self.sky_view = (
                Image(self.owner, name, "rgba32f", size, made).allocate() for name, size in sizes.items()
            )
            with Commands(self.owner, "enter") as commands:
                commands.transition(self.sky_view, None, Access.SAMPLED)
            device.submit(commands.handle, "entering a sky")
        self.now: Sights | None = None
        self._air: Sky | None = None  # that the air's tables fit
        self._air_frame: Frame | None = None
        self._air_effort: Effort | None = None
        self._view_frame: Frame | None = None

    def update(self, sights: Sights) -> None:
        """Make the tables fit `sights`; costs nothing where they do.

        What was submitted before is waited for: it may still read the tables as they are.
        """
        if sights == self.now:
            return
        before, self.now = self.now, None
        if self._device.submitted:
            self._device.wait(self._device.submitted, "frames under the sky as it was")
        if self._air != sights.sky:
            self._air = None
            self._fit_air(sights)
            self._air = sights.sky
        # The eye on the ground sees the same from wherever the camera looks.
        seen = before is not None and replace(sights, camera=before.camera) == before
        self._fit_view(sights, ground_seen=seen)
        self.now = sights

    def _fit_view(self, sights: Sights, *, ground_seen: bool) -> None:
        """Make what is seen of the air: by the camera, and by the eye on the ground unless the table has that."""
        fill_atmosphere(self._record, sights)
        self._record["ground_seen"] = ground_seen
        if self._view_frame is None:
            self._view_frame = self._compile_view()
        self._view_frame.acquire()
        self._view_frame.wait(self._view_frame.submit())

    def _fit_air(self, sights: Sights) -> None:
        """Bring the air's tables here, or make them."""
        targets = self.optical_depths, self._scattered
        known = self._airs.find(sights.sky)
        if known is not None:
            for image, table in zip(targets, known, strict=True):
                upload(self._device, image, partial(_fill_rows, table))
            return
        self._make_air(sights)
        if self._airs.wanted:
            self._keep(sights.sky, targets)

    def _make_air(self, sights: Sights) -> None:
        """Make the air's tables, with a frame that is kept for the next air of as much effort."""
        fill_atmosphere(self._record, replace(sights, sun=Sun()))  # of any sun's width
        effort = Effort.of(sights.sky)
        if self._air_effort != effort:
            if self._air_frame is not None:
                self._air_frame.release()
            self._air_frame = self._air_effort = None
            self._air_frame = self._compile_air(effort)
            self._air_effort = effort
        assert self._air_frame is not None
        self._air_frame.acquire()
        self._air_frame.wait(self._air_frame.submit())

    def _compile_air(self, effort: Effort) -> Frame:
        graph = Graph("sky air")
        atmosphere = graph.import_buffer("atmosphere", self.atmosphere)
        depths = graph.import_image("optical_depths", self.optical_depths, layout=Layout.UNDEFINED)
        scattered = graph.import_image("scattered", self._scattered, layout=Layout.UNDEFINED)
        declare_air(graph, atmosphere, depths, scattered, effort)
        then = Access.COPY_SOURCE if self._airs.wanted else Access.SAMPLED
        graph.hand_over("tables", then, depths, scattered)
        # Every run starts from nothing, and whoever read the tables before is waited for.
        return Frame(self._device, graph, slots=1, once=True)

    def _keep(self, sky: Sky, images: tuple[Image, Image]) -> None:
        """Read the air's tables back for next time, and leave them ready to be read by shaders."""
        ring, owner = Readback(self._device), Owner(self._device, "sky kept")
        try:
            depths, scattered = ring.start(images).result()
            with Commands(owner, "kept") as commands:
                for image in images:
                    commands.transition(image, Access.COPY_SOURCE, Access.SAMPLED)
            self._device.submit(commands.handle, "a sky's tables")
        finally:
            ring.release()
            owner.release()
        self._airs.keep(sky, depths, scattered)

    def _compile_view(self) -> Frame:
        graph = Graph("sky view")
        bindings: dict[str, Any] = {
            "atmosphere": graph.import_buffer("atmosphere", self.atmosphere),
            "optical_depths": graph.import_image("optical_depths", self.optical_depths),
            "scattered": graph.import_image("scattered", self._scattered),
            "sky_view": graph.import_image("sky_view", self.sky_view),
        }
        for name, rows, haze in (("sky view", 2 * SKY_ROWS, 0), ("aerial perspective", HAZE_ROWS, 1)):
            graph.compute(name, "atmosphere/sky_view.comp", (AZIMUTHS, rows), None, {"HAZE": haze}, **bindings)
        graph.hand_over("tables", Access.SAMPLED, bindings["sky_view"])
        return Frame(self._device, graph, slots=1)

    def bindings(self, graph: Graph) -> dict[str, Any]:
        """Bring the tables into a graph; return the bindings of include/sky_view.glsl."""
        return {
            "atmosphere": graph.import_buffer("atmosphere", self.atmosphere),
            "optical_depths": graph.import_image("optical_depths", self.optical_depths),
            "sky_view": graph.import_image("sky_view", self.sky_view),
        }

    def pass_times(self) -> dict[str, float]:
        """Return GPU milliseconds by pass of the last time each table was made; of air that was only kept none."""
        frames = (self._air_frame, self._view_frame)
        return {name: time for frame in frames if frame is not None for name, time in frame.pass_times().items()}

    def look_up(self, subject: str, directions: np.ndarray, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (n, 3) light in the sun's unit and (n, 3) transmittance, float32, as the shaders find them.

        Args:
            subject: One of SUBJECTS.
            directions: (n, 3) unit vectors; for "transmittance" altitude, cosine and anything.
            distances: (n,) metres, for "air between".
        """

        def declare(graph: Graph, extent: tuple[int, int], queries: BufferResource, answers: BufferResource) -> None:
            graph.compute(
                subject,
                "atmosphere/query.comp",
                extent,
                specialization={"SUBJECT": SUBJECTS.index(subject)},
                **self.bindings(graph),
                queries=queries,
                answers=answers,
            )

        rows = np.column_stack([directions, distances])
        found = ask(self._device, "sky query", rows, 6, declare)
        return found[:, :3], found[:, 3:]

    def release(self) -> None:
        """Give the tables back."""
        for frame in (self._air_frame, self._view_frame):
            if frame is not None:
                frame.release()
        self._air_frame = self._air_effort = self._view_frame = None
        self.owner.release()


def _fill_rows(table: np.ndarray, target: np.ndarray, first: int) -> None:
    target[..., :3] = table[first : first + len(target)]
    target[..., 3] = 0.0


def fill_atmosphere(block: Any, sights: Sights) -> None:
    """Write the block of include/air.glsl."""
    sky, sun = sights.sky, sights.sun
    block["ground_radius"] = sky.ground_radius
    block["thickness"] = sky.top_radius - sky.ground_radius
    block["rayleigh"] = sky.rayleigh_scattering
    block["rayleigh_height"] = sky.rayleigh_scale_height
    block["mie_scattering"] = np.multiply(sky.mie_scattering, sky.aerosols)
    block["mie_extinction"] = np.multiply(sky.mie_extinction, sky.aerosols)
    block["mie_height"] = sky.mie_scale_height
    block["mie_anisotropy"] = sky.mie_anisotropy
    block["ozone"] = sky.ozone_absorption
    block["ozone_altitude"] = sky.ozone_altitude
    block["ozone_half_width"] = sky.ozone_half_width
    block["ground_albedo"] = sky.ground_albedo
    block["sun_direction"] = (0.0, 0.0, 1.0) if sun is None else sun.direction
    block["sun_irradiance"] = (0.0, 0.0, 0.0) if sun is None else sun.irradiance
    block["sun_radius"] = 0.0 if sun is None else math.radians(sun.angular_diameter / 2)
    block["limb_exponent"] = LIMB_EXPONENT
    block["haze"] = sights.haze
    x, y, z = sights.camera
    from_centre = (x, y, z + sky.ground_radius)
    distance = math.hypot(*from_centre)
    # r - R where both are large: (r^2 - R^2) / (r + R), with r^2 - R^2 written out.
    above = x * x + y * y + z * (z + 2.0 * sky.ground_radius)
    camera = max(0.0, above / (distance + sky.ground_radius))
    eyes = (((0.0, 0.0, 1.0), sights.ground), (np.divide(from_centre, distance), camera))
    for eye, (up, altitude) in zip(block["eyes"], eyes, strict=True):
        dip = _angle_to(sky.ground_radius, altitude, sky.ground_radius)
        outside = altitude > sky.top_radius - sky.ground_radius
        eye["up"], eye["altitude"], eye["dip"] = up, altitude, dip
        eye["above"] = dip - _angle_to(sky.top_radius, altitude, sky.ground_radius) if outside else math.pi / 2 + dip
        eye["mu_sun"] = np.clip(np.dot(eye["up"], block["sun_direction"]), -1.0, 1.0)


def _angle_to(radius: float, altitude: float, ground_radius: float) -> float:
    """Return how far below the horizontal, in radians, a sphere's rim is seen from an altitude over the ground."""
    over = altitude + ground_radius - radius
    return math.atan2(math.sqrt(over * (over + 2.0 * radius)), radius)
