"""The tables of a physical sky on the device, made again when what they are made of changes."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vkforge.graph.builder import BufferResource, Graph
from vkforge.graph.frame import Frame
from vkforge.memory.intents import Intent
from vkforge.passes.query import ask
from vkforge.scene.checks import Vector
from vkforge.scene.scene import Scene
from vkforge.scene.sky import Sky
from vkforge.scene.sun import Sun
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import Buffer
from vkforge.vk.shaders import load

# Sizes as in include/atmosphere.glsl (a test compares them).
DEPTH_SIZE = (256, 64)
MOMENTS_SIZE = (48, 16)
MOMENTS = 5
HALO_SIZE = (8, 16)
SKY_SIZE = (64, 128)
HAZE_SIZE = (32, 64, 48)
TEXELS = (
    math.prod(DEPTH_SIZE)
    + 3 * math.prod(MOMENTS_SIZE) * (MOMENTS + math.prod(HALO_SIZE))
    + 4 * math.prod(SKY_SIZE)
    + 2 * math.prod(HAZE_SIZE)
)
DIRECTIONS = math.prod(HALO_SIZE)  # invocations that look around from a place, atmosphere/scattering.comp
ORDERS = 4  # of scattering that are computed one by one; a geometric series stands for the rest

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
    """

    sky: Sky
    sun: Sun | None
    ground: float
    camera: Vector

    @classmethod
    def of(cls, scene: Scene) -> Sights:
        """Return those of a scene with a physical sky: lit at the middle of the terrain's heights."""
        assert isinstance(scene.sky, Sky)
        return cls(scene.sky, scene.sun, ground_altitude(scene), scene.camera.position)


def ground_altitude(scene: Scene) -> float:
    """Return the altitude at which a physical sky and its sun light the terrain: the middle of its heights.

    Those of the ground itself: exaggeration makes slopes steep, and no air thin.
    """
    return max(0.0, (scene.terrain.min_height + scene.terrain.max_height) / 2)


class DeviceSky:
    """The tables of one physical sky.

    The tables of the air (transmittance, light scattered before) depend on the `Sky` alone, those of what is seen (the
    sky by direction, aerial perspective) on the sun and the eyes too; `update` makes those anew that need it.

    Attributes:
        tables: The buffer that include/atmosphere.glsl reads.
        now: What the tables fit; None where nothing was asked yet.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self.owner = Owner(device, f"sky#{next(_serials)}")
        head = next(b.dtype for b in load("atmosphere/query.comp").bindings if b.name == "sky_tables")
        assert head is not None
        size = head.itemsize + 16 * TEXELS
        try:
            self.tables = Buffer(self.owner, "sky_tables", size, frozenset(["storage"]), Intent.DEVICE)
        except BaseException:
            self.owner.release()
            raise
        self.now: Sights | None = None
        self._frames: dict[str, Frame] = {}

    def update(self, sights: Sights) -> None:
        """Make the tables fit `sights`; costs nothing where they do.

        What was submitted before is waited for: it may still read the tables as they are.
        """
        if sights == self.now:
            return
        anew = self.now is None or sights.sky != self.now.sky
        self.now = None
        if self._device.submitted:
            self._device.wait(self._device.submitted, "frames under the sky as it was")
        for name in ("air", "sights") if anew else ("sights",):
            frame = self._frame(name)
            fill_atmosphere(frame.blocks[frame.acquire()]["atmosphere"], sights)
            frame.wait(frame.submit())
        self.now = sights

    def pass_times(self) -> dict[str, float]:
        """Return GPU milliseconds by pass of the last time each table was made."""
        return {name: time for frame in self._frames.values() for name, time in frame.pass_times().items()}

    def _frame(self, name: str) -> Frame:
        if name not in self._frames:
            graph = Graph(f"sky {name}")
            tables = graph.import_buffer("sky_tables", self.tables)
            graph.compute(
                f"{name}: describe",
                "atmosphere/describe.comp",
                (1, 1),
                sky_tables=tables,
                atmosphere=graph.block("atmosphere"),
            )
            (_declare_air if name == "air" else _declare_sights)(graph, tables)
            self._frames[name] = Frame(self._device, graph, slots=1)
        return self._frames[name]

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
                sky_tables=graph.import_buffer("sky_tables", self.tables),
                queries=queries,
                answers=answers,
            )

        rows = np.column_stack([directions, distances])
        found = ask(self._device, "sky query", rows, 6, declare)
        return found[:, :3], found[:, 3:]

    def release(self) -> None:
        """Give the tables back."""
        for frame in self._frames.values():
            frame.release()
        self._frames.clear()
        self.owner.release()


def _declare_air(graph: Graph, tables: BufferResource) -> None:
    graph.compute("transmittance", "atmosphere/transmittance.comp", DEPTH_SIZE, sky_tables=tables)
    places = (MOMENTS_SIZE[0] * DIRECTIONS, MOMENTS_SIZE[1])
    for order in range(1, ORDERS + 1):
        constants = {"number": order, "last": order == ORDERS}
        graph.compute(f"order {order}", "atmosphere/scattering.comp", places, constants, sky_tables=tables)


def _declare_sights(graph: Graph, tables: BufferResource) -> None:
    graph.compute("sky view", "atmosphere/sky_view.comp", (SKY_SIZE[0], 2 * SKY_SIZE[1]), sky_tables=tables)
    graph.compute("aerial perspective", "atmosphere/aerial.comp", HAZE_SIZE[:2], sky_tables=tables)


def fill_atmosphere(block: Any, sights: Sights) -> None:
    """Write the Atmosphere of include/atmosphere.glsl."""
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
    block["haze"] = sky.aerial_perspective
    x, y, z = sights.camera
    from_centre = (x, y, z + sky.ground_radius)
    distance = math.hypot(*from_centre)
    eyes = block["eyes"]
    eyes["up"][0], eyes["altitude"][0] = (0.0, 0.0, 1.0), sights.ground
    eyes["up"][1] = np.divide(from_centre, distance)
    # r - R where both are large: (r^2 - R^2) / (r + R), with r^2 - R^2 written out.
    above = x * x + y * y + z * (z + 2.0 * sky.ground_radius)
    eyes["altitude"][1] = max(0.0, above / (distance + sky.ground_radius))
