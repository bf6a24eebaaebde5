"""The heightfield on the device: heights, pyramid and albedo as images, and the block that tells shaders about them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from vkforge.errors import InputError
from vkforge.graph.access import Access, Layout
from vkforge.graph.builder import Graph, ImageResource
from vkforge.graph.frame import Frame
from vkforge.passes.materials.textures import ALBEDO_KINDS, DeviceTexture, fill_material, import_maps
from vkforge.passes.terrain.horizons import packed_horizons
from vkforge.passes.terrain.shades import packed_shades, safe_beam
from vkforge.scene.albedo import Albedo
from vkforge.scene.shade import Beam, beam_to_disc
from vkforge.scene.sun import Sun
from vkforge.scene.terrain import Terrain
from vkforge.vk.device import Device, Owner
from vkforge.vk.resources import Image
from vkforge.vk.transfer import upload

HOLE = -1.0e30  # include/terrain.glsl: what shaders take for a hole
LOWEST, HIGHEST = 2.0, 65533.0  # grid z of the lowest and the highest point, see include/terrain.glsl

_serials = itertools.count()


def pyramid_levels(rows: int, cols: int) -> tuple[tuple[int, int], int]:
    """Return ((width, height), levels) of the pyramid's level 1 over `rows` x `cols` samples.

    Level m covers 2^m cells along each axis. Level 1 is padded so that every level halves exactly; levels stop before
    the padding costs more than half of it again.
    """
    width, height = -(-(cols - 1) // 2), -(-(rows - 1) // 2)
    levels = 1
    while 2**levels <= max(width, height):
        step = 2**levels
        if math.ceil(width / step) * math.ceil(height / step) * step * step > 1.5 * width * height + 4096:
            break
        levels += 1
    step = 2 ** (levels - 1)
    return (math.ceil(width / step) * step, math.ceil(height / step) * step), levels


class DeviceHeights:
    """The elevations of one terrain as an image, and the min/max pyramid over them."""

    def __init__(self, device: Device, terrain: Terrain) -> None:
        rows, cols = terrain.shape
        largest = int(device.info.limits["maxImageDimension2D"])
        if max(rows, cols) > largest:
            raise InputError(
                f"the DEM is {cols} x {rows} samples; {device.info.name} takes at most {largest} along a side: "
                "resample it (Terrain.open(path, max_size=...)) or cut it"
            )
        self.owner = Owner(device, f"terrain#{next(_serials)}")
        self.has_holes = bool(np.isnan(terrain.heights).any())
        self._horizons: Image | None = None
        self._shades: Image | None = None
        self._beam: Beam | None = None  # whose bounds `_shades` holds
        with self.owner:
            self.image = Image(
                self.owner, "heights", "r32f", (cols, rows), frozenset(["sampled", "copy_destination"])
            ).allocate()
            (width, height), self.levels = pyramid_levels(rows, cols)
            # One above the other, the coarsest first: include/heightfield.glsl says how.
            self.pyramid = Image(self.owner, "pyramid", "r32ui", (width, 2 * height), frozenset(["storage"])).allocate()
            heights = terrain.heights

            def fill(target: np.ndarray, first: int) -> None:
                target[..., 0] = heights[first : first + len(target)]
                if self.has_holes:
                    np.nan_to_num(target, copy=False, nan=HOLE)

            upload(device, self.image, fill)
            self._build_pyramid(device, terrain)

    def _build_pyramid(self, device: Device, terrain: Terrain) -> None:
        graph = Graph("pyramid")
        heights = graph.import_image("heights", self.image)
        block = graph.block("terrain")
        pyramid = graph.import_image("pyramid", self.pyramid, layout=Layout.UNDEFINED)
        width, rows = self.pyramid.size
        for level in range(1, self.levels + 1):
            graph.compute(
                f"level {level}",
                "terrain/pyramid.comp",
                (width >> (level - 1), rows >> level),
                constants={"index": level},
                terrain=block,
                heights=heights,
                pyramid=pyramid,
            )
        graph.hand_over("ready", Access.STORAGE_READ, pyramid)
        frame = Frame(device, graph, slots=1, once=True)
        try:
            fill_block(frame.blocks[frame.acquire()]["terrain"], terrain, self)
            frame.wait(frame.submit())
        finally:
            frame.release()

    def horizons(self, terrain: Terrain) -> Image:
        """Return which rays leave the ground of the terrain, which has no hole; worked out at the first call."""
        if self._horizons is None:
            packed = packed_horizons(grid_heights(terrain))
            self._horizons = self._bounds_image("horizons", packed.shape, packed)
        return self._horizons

    def shades(self, terrain: Terrain) -> Image:
        """Return the image that `cast_shades` fills."""
        if self._shades is None:
            rows, cols = terrain.shape
            self._shades = self._bounds_image("shades", (rows - 1, cols - 1))
        return self._shades

    def cast_shades(self, terrain: Terrain, beam: Beam) -> None:
        """Fill `shades` for the light of a beam, where it holds another's."""
        if beam != self._beam:
            self._beam = None
            packed = packed_shades(grid_heights(terrain), beam)
            self.owner.device.wait(self.owner.device.submitted, "whatever reads the shades of before")
            self._upload(self.shades(terrain), packed)
            self._beam = beam

    def _bounds_image(self, name: str, shape: tuple[int, ...], packed: np.ndarray | None = None) -> Image:
        """Return an image, filled if with anything; its owner is its own: if it can't be made, nothing else goes."""
        usages = frozenset(["storage", "copy_destination"])
        with Owner(self.owner.device, self.owner.name) as owner:
            image = Image(owner, name, "r32ui", (shape[1], shape[0]), usages).allocate()
            if packed is not None:
                self._upload(image, packed)
            return image

    def _upload(self, image: Image, packed: np.ndarray) -> None:
        def fill(target: np.ndarray, first: int) -> None:
            target[..., 0] = packed[first : first + len(target)]

        upload(self.owner.device, image, fill, then=Access.STORAGE_READ)

    def release(self) -> None:
        """Give the images back."""
        for image in (self._horizons, self._shades):
            if image is not None:
                image.owner.release()
        self.owner.release()


class DeviceAlbedo(DeviceTexture):
    """The albedo of one terrain as an image: its texture, its ramp, or one texel that nothing reads."""

    def __init__(self, device: Device, albedo: Albedo) -> None:
        pixels = albedo.pixels if albedo.pixels is not None else np.zeros((1, 1, 4), np.uint8)
        super().__init__(device, "albedo_map", pixels[None] if pixels.ndim == 2 else pixels, encoded=True)


def height_scale(terrain: Terrain) -> float:
    """Return the grid z of a metre of stored elevation."""
    low, high = terrain.min_height, terrain.max_height
    # A flat terrain still needs a scale: a cell for 65,535 steps keeps those far below what is seen, and z in so few
    # steps that its rounding far from the ground does not pass for a gap between two cells.
    return (HIGHEST - LOWEST) / max(high - low, min(terrain.cell_size), 1e-6 * max(abs(low), abs(high)))


def grid_heights(terrain: Terrain) -> np.ndarray:
    """Return the samples' grid z, float32."""
    above_low = (terrain.heights - terrain.min_height).astype(np.float32)
    return above_low * np.float32(height_scale(terrain)) + np.float32(LOWEST)


def grid_scale(terrain: Terrain) -> tuple[float, float, float]:
    """Return grid units per metre of the world."""
    dx, dy = terrain.cell_size
    return (1.0 / dx, -1.0 / dy, height_scale(terrain) / terrain.vertical_exaggeration)


def sun_beam(terrain: Terrain, sun: Sun) -> Beam | None:
    """Return the rays to a sun in grid space, with room for rounding; None where bounds for them tell nothing."""
    beam = beam_to_disc(sun.direction, math.radians(sun.angular_diameter / 2), grid_scale(terrain))
    safe = None if beam is None else safe_beam(beam)
    return safe if safe is not None and safe.rise[0] > 0.0 else None


def fill_block(block: Any, terrain: Terrain, heights: DeviceHeights) -> None:
    """Write the `terrain` block: the map from the world to grid space, and what the surface is made of."""
    rows, cols = terrain.shape
    dx, dy = terrain.cell_size
    low, scale = terrain.min_height, height_scale(terrain)
    albedo = terrain.surface_albedo
    block["scale"] = grid_scale(terrain)
    block["origin"] = (-(cols - 1) / 2 * dx, (rows - 1) / 2 * dy, low * terrain.vertical_exaggeration)
    block["height_low"] = low
    block["height_scale"] = scale
    block["cells"] = (cols - 1, rows - 1)
    block["top_level"] = heights.levels
    block["base"] = 0.0 if terrain.skirt is None else (terrain.skirt - low) * scale + LOWEST
    block["albedo_kind"] = ALBEDO_KINDS[albedo.kind]
    block["ramp_low"] = albedo.low
    block["ramp_high"] = albedo.high if albedo.high != albedo.low else albedo.low + 1.0
    block["albedo"] = albedo.color
    block["skirt_albedo"] = terrain.skirt_color
    fill_material(block, terrain.material)


def tracer_variant(device: Device, terrain: Terrain, heights: DeviceHeights, *, water: bool = False) -> dict[str, int]:
    """Return the specialisation constants of include/heightfield.glsl that suit a terrain on a device.

    `water`: whether rays may start on some.
    """
    return {
        "HAS_WATER": water,
        "HAS_SKIRT": terrain.skirt is not None,
        "HAS_HOLES": heights.has_holes,
        "HAS_FLOOR": terrain.floor is not False or not heights.has_holes,
        "WALK_TOGETHER": device.info.type == "cpu",
    }


def import_heightfield(graph: Graph, heights: DeviceHeights) -> dict[str, Any]:
    """Bring the heightfield into a graph; return the bindings that include/heightfield.glsl wants."""
    return {
        "terrain": graph.block("terrain"),
        "heights": graph.import_image("heights", heights.image),
        "pyramid": graph.import_image("pyramid", heights.pyramid, layout=Layout.GENERAL),
    }


def import_surface(
    graph: Graph, albedo: DeviceAlbedo, maps: Mapping[str, DeviceTexture | None]
) -> dict[str, ImageResource]:
    """Bring the ground's colour and its material's maps into a graph; return what include/surface.glsl wants."""
    albedo_map = graph.import_image("albedo_map", albedo.image, sampler="linear")
    return {"albedo_map": albedo_map, **import_maps(graph, maps, albedo_map)}
