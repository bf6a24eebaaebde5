"""Where the path tracer's camera rays begin: never behind the ground, and most of the way to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from device_lab import HANDED_OVER, read_images
from numpy.typing import NDArray
from truth import heightfield

import vkforge as vf
from vkforge.graph.builder import Graph
from vkforge.graph.frame import Frame
from vkforge.lanes.blocks import camera_variant, fill_frame
from vkforge.passes.lighting.paths import TILE, declare_beams, fill_path
from vkforge.passes.terrain.heightfield import DeviceHeights, fill_block, import_heightfield

pytestmark = pytest.mark.gpu

SIZE = (72, 40)  # pixels: the last column of tiles is whole, and so is the last row
BAND = 8  # the band's first row
RAYS = 200  # of each tile
STEEP = np.cumsum(np.cumsum(np.random.default_rng(41).standard_normal((60, 90)), axis=0), axis=1) * 0.15
PINHOLE = vf.Camera.perspective((10.0, -90.0, 70.0), (0.0, 0.0, 5.0), fov=40)
CAMERAS = {
    "pinhole": PINHOLE,
    "low": vf.Camera.perspective((0.0, -60.0, float(STEEP.max())), (0.0, 0.0, 0.0), fov=60),
    "inside": vf.Camera.perspective((0.0, 0.0, float(STEEP.max()) + 1.0), (10.0, 3.0, 0.0), fov=90),
    "orthographic": vf.Camera.orthographic((50.0, -50.0, 80.0), (0.0, 0.0, 0.0), height=60.0),
    "lens": vf.Camera.perspective(
        (10.0, -90.0, 70.0),
        (0.0, 0.0, 5.0),
        fov=40,
        aperture_radius=4.0,
        focus_distance=60.0,
        blades=5,
        tilt=(10.0, 20.0),
    ),
    "moving": PINHOLE.moving(vf.Camera.perspective((10.0, -60.0, 40.0), (0.0, 0.0, 5.0), fov=40)),
}


def beams_and_path(
    renderer: vf.Renderer, terrain: vf.Terrain, camera: vf.Camera
) -> tuple[NDArray[np.float32], dict[str, NDArray[Any]]]:
    """Return the pass' depths, and the `path` block as the lane fills it."""
    heights = DeviceHeights(renderer._device, terrain)
    graph = Graph("beams", camera_variant(camera))
    bindings = {**import_heightfield(graph, heights), "frame": graph.block("frame"), "path": graph.block("path")}
    variant = {"THIN_LENS": camera.aperture_radius > 0, "SHUTTER": camera.shutter_end is not None}
    beams = declare_beams(graph, (SIZE[0], SIZE[1] - BAND), bindings, variant)
    graph.hand_over("read back", HANDED_OVER, beams)
    frame = Frame(renderer._device, graph)
    try:
        block = frame.blocks[frame.acquire()]
        fill_block(block["terrain"], terrain, heights)
        fill_frame(block["frame"], vf.Scene(terrain, camera), SIZE, vf.Settings())
        fill_path(block["path"], 6, camera, SIZE)
        block["path"]["first_row"] = BAND
        path = {name: np.array(block["path"][name], np.float64) for name in ("lens_u", "lens_v", "inverse_focus")}
        frame.wait(frame.submit())
        (pixels,) = read_images(renderer._device, frame.images["beams"])
    finally:
        frame.release()
        heights.release()
    return pixels[..., 0], path


def random_rays(
    camera: vf.Camera, tile: tuple[int, int], path: dict[str, NDArray[Any]], rng: np.random.Generator
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return RAYS rays o + s d of a tile (column, row), over pixels, lens and time, as paths.comp draws them."""
    pixel = (np.array(tile) + rng.random((RAYS, 2))) * TILE + (0, BAND)
    u, v = ((2.0, -2.0) * pixel / SIZE + (-1.0, 1.0)).T[..., None]
    ends = [camera.rays(*SIZE), (camera.shutter_end or camera).rays(*SIZE)]
    origins = [np.array(r.origin) + u * r.origin_u + v * r.origin_v for r in ends]
    directions = [np.array(r.direction) + u * r.direction_u + v * r.direction_v for r in ends]
    time, angle = rng.random((RAYS, 1)), 2.0 * np.pi * rng.random((RAYS, 1))
    on_lens = np.sqrt(rng.random((RAYS, 1))) * (np.cos(angle) * path["lens_u"] + np.sin(angle) * path["lens_v"])
    near = np.concatenate([np.ones_like(u), u, v], axis=1) @ path["inverse_focus"]
    origin, direction = ((1.0 - time) * start + time * end for start, end in (origins, directions))
    return origin + on_lens, direction - on_lens * near[:, None]


@pytest.mark.parametrize("name", CAMERAS)
@pytest.mark.parametrize("skirt", [None, "auto"])
def test_no_ray_of_a_tile_meets_the_ground_before_its_beam_ends(
    renderer: vf.Renderer, name: str, skirt: str | None
) -> None:
    camera = CAMERAS[name]
    terrain = vf.Terrain(STEEP, cell_size=1.0, skirt=skirt)
    depths, path = beams_and_path(renderer, terrain, camera)
    assert depths.shape == ((SIZE[1] - BAND) // TILE, SIZE[0] // TILE)
    gone, rng = [], np.random.default_rng(5)
    for row, column in np.ndindex(depths.shape):
        rays = random_rays(camera, (column, row), path, rng)
        first = heightfield.intersect(terrain.heights, (1.0, 1.0), *rays, base=terrain.skirt).t.min()
        assert depths[row, column] <= first * (1.0 + 1e-6)
        if np.isfinite(first):
            gone.append(depths[row, column] / first)
    assert np.median(gone) > 0.6  # low cameras look along the ground: their beams are the first to end


@pytest.mark.parametrize(
    "camera",
    [vf.Camera.panorama((0.0, 0.0, 60.0)), vf.Camera.fisheye((0.0, 0.0, 60.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0))],
)
def test_rays_that_are_not_linear_in_the_pixel_begin_at_the_camera(renderer: vf.Renderer, camera: vf.Camera) -> None:
    depths, _ = beams_and_path(renderer, vf.Terrain(STEEP, cell_size=1.0), camera)
    assert (depths == 0.0).all()
