"""One renderer in a process of its own, run by benchmarks/peers.py: `python -m benchmarks.peer_runs NAME JOB`.

JOB is JSON: dem (a .npy of float32 heights in metres), cell (metres), size, eyes (world positions, the first for the
cold picture, the others for warm ones), target, fov (vertical degrees), sun (unit vector to it), device (vkforge's),
spawned (`time.time()` at the start of the process), picture (a .npy to write the first picture to). Prints JSON.

Each function below builds its scene as a user of that library would and returns a function that renders one picture,
(height, width, 3 or 4) uint8: the whole DEM at full resolution, grey, with the sun's shadows and, in the peers', a
little ambient light; no antialiasing. It needs NumPy and the library alone, so that it runs in whichever environment
holds that.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import cpu_seconds, median, peak_rss

Job = dict[str, Any]
Picture = Callable[[tuple[float, float, float]], np.ndarray]
GREY = 0.5


def _grid(heights: np.ndarray, cell: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the world x of each column and y of each row."""
    rows, cols = heights.shape
    return (np.arange(cols) - (cols - 1) / 2) * cell, ((rows - 1) / 2 - np.arange(rows)) * cell


def _vkforge(heights: np.ndarray, job: Job, with_sky: bool) -> Picture:
    from vkforge import Camera, Renderer, Scene, Sky, Sun, Terrain

    azimuth = math.degrees(math.atan2(job["sun"][0], job["sun"][1]))
    sun = Sun(azimuth, math.degrees(math.asin(job["sun"][2])), angular_diameter=0.53 if with_sky else 0.0)
    terrain = Terrain(heights, job["cell"])
    renderer = Renderer(job["device"])
    sky = Sky.gradient() if with_sky else None

    def picture(eye: tuple[float, float, float]) -> np.ndarray:
        scene = Scene(terrain, Camera.perspective(eye, job["target"], fov=job["fov"]), sun, sky)
        return renderer.render(scene, job["size"], samples=1, sun_rays=1, sky_rays=16 if with_sky else 0).rgba

    return picture


def vkforge(heights: np.ndarray, job: Job) -> Picture:
    """Trace the ground and hard shadows, one sample a pixel: what the rasterisers below draw."""
    return _vkforge(heights, job, with_sky=False)


def vkforge_lit(heights: np.ndarray, job: Job) -> Picture:
    """Trace a soft sun and 16 rays of sky light a pixel as well: what the rasterisers below can't draw."""
    return _vkforge(heights, job, with_sky=True)


def pyvista(heights: np.ndarray, job: Job) -> Picture:
    """Draw a structured grid with VTK's shadow maps."""
    import pyvista as pv  # pyright: ignore[reportMissingImports]

    x, y = _grid(heights, job["cell"])
    x, y = np.meshgrid(x, y)
    grid = pv.StructuredGrid(x, y, heights)
    plotter = pv.Plotter(off_screen=True, window_size=list(job["size"]), lighting="none")
    plotter.set_background("black")
    plotter.add_mesh(grid, color=(GREY,) * 3, smooth_shading=True, ambient=0.2, diffuse=1.0, specular=0.0)
    far = 2.0 * heights.shape[0] * job["cell"]
    plotter.add_light(pv.Light(position=[far * c for c in job["sun"]], focal_point=(0, 0, 0), light_type="scene light"))
    plotter.enable_shadows()

    def picture(eye: tuple[float, float, float]) -> np.ndarray:
        plotter.camera_position = [eye, job["target"], (0, 0, 1)]
        plotter.camera.view_angle = job["fov"]
        plotter.reset_camera_clipping_range()
        plotter.render()
        return np.asarray(plotter.screenshot(None, return_img=True))

    plotter.show(auto_close=False, interactive=False)
    return picture


def threepp(heights: np.ndarray, job: Job) -> Picture:
    """Draw an indexed mesh with the OpenGL renderer and its default 2048-square shadow map."""
    import threepp as tp  # pyright: ignore[reportMissingImports]

    rows, cols = heights.shape
    # The shadow camera ends at 500 units, three.js' default, which can't be changed from Python.
    scale = 100.0 / (cols * job["cell"])
    x, y = _grid(heights, job["cell"])
    points = np.empty((rows, cols, 3), np.float32)
    points[..., 0], points[..., 1], points[..., 2] = x, y[:, None], heights
    points *= scale
    corner = np.arange(rows * cols, dtype=np.uint32).reshape(rows, cols)
    a, b, c, d = corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]
    triangles = np.stack([a, b, d, b, c, d], axis=-1).reshape(-1, 3)
    geometry = tp.BufferGeometry()
    geometry.set_attribute("position", points.reshape(-1, 3))
    geometry.set_index(triangles)
    geometry.compute_vertex_normals()
    material = tp.MeshLambertMaterial()
    material.color = tp.Color(GREY, GREY, GREY)
    mesh = tp.Mesh(geometry, material)
    mesh.cast_shadow = mesh.receive_shadow = True
    scene = tp.Scene()
    light = tp.DirectionalLight(tp.Color(1, 1, 1), 1.0)
    light.position.set(*(150.0 * c for c in job["sun"]))
    light.cast_shadow = True
    light.set_shadow_frustum(-75.0, 75.0, 75.0, -75.0)
    light.set_shadow_bias(-0.002)
    scene.add(mesh, light, tp.AmbientLight(tp.Color(1, 1, 1), 0.2))
    width, height = job["size"]
    canvas = tp.Canvas("vkforge peers", width, height, antialiasing=0, vsync=False, headless=True)
    renderer = tp.GLRenderer(canvas)
    renderer.set_size(width, height)
    renderer.shadow_map_enabled = True
    camera = tp.PerspectiveCamera(job["fov"], width / height, 0.5, 500.0)
    camera.up.set(0.0, 0.0, 1.0)

    def picture(eye: tuple[float, float, float]) -> np.ndarray:
        camera.position.set(*(scale * c for c in eye))
        camera.look_at(*(scale * c for c in job["target"]))
        renderer.render(scene, camera)
        return renderer.read_pixels()

    picture.keep = canvas  # type: ignore[attr-defined]  # the window must outlive this function
    return picture


def forge3d(heights: np.ndarray, job: Job) -> Picture:
    """Draw the terrain renderer's mesh at its default detail, with its default cascaded shadow maps.

    Its skyline matches the others'; its light does not quite, whatever the azimuth is taken to mean.
    """
    import forge3d as f3d  # pyright: ignore[reportMissingImports]
    from forge3d.terrain_params import make_terrain_params_config  # pyright: ignore[reportMissingImports]

    renderer = f3d.TerrainRenderer(f3d.Session(window=False))
    materials = f3d.MaterialSet.terrain_default()
    with tempfile.TemporaryDirectory() as folder:
        sky = Path(folder, "grey.hdr")  # it takes ambient light from a Radiance file only
        sky.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 4 +X 8\n" + bytes([128] * 4 * 32))
        ambient = f3d.IBL.from_hdr(str(sky), intensity=0.2)
        span = (heights.shape[1] - 1) * job["cell"]

        def picture(eye: tuple[float, float, float]) -> np.ndarray:
            x, y, z = (a - b for a, b in zip(eye, job["target"], strict=True))
            distance = math.hypot(x, y, z)
            config = make_terrain_params_config(
                size_px=tuple(job["size"]),
                render_scale=1.0,
                terrain_span=span,
                msaa_samples=1,
                z_scale=1.0,
                exposure=1.0,
                domain=(float(heights.min()), float(heights.max())),
                albedo_mode="material",
                light_azimuth_deg=math.degrees(math.atan2(job["sun"][0], job["sun"][1])) % 360.0,
                light_elevation_deg=math.degrees(math.asin(job["sun"][2])),
                cam_radius=distance,
                cam_phi_deg=math.degrees(math.atan2(y, x)),
                cam_theta_deg=math.degrees(math.acos(z / distance)),
                fov_y_deg=job["fov"],
                camera_mode="mesh:zup",
                clip=(distance / 100.0, 10.0 * distance),
            )
            params = f3d.TerrainRenderParams(config)
            return renderer.render_terrain_pbr_pom(materials, ambient, params, heights).to_numpy()

        picture(job["eyes"][0])  # reads the file
    return picture


RUNS: dict[str, Callable[[np.ndarray, Job], Picture]] = {
    "vkforge": vkforge,
    "vkforge lit": vkforge_lit,
    "pyvista": pyvista,
    "threepp": threepp,
    "forge3d": forge3d,
}


def main(name: str, job: Job) -> dict[str, float]:
    """Render the cold picture and the warm ones; return what they took."""
    heights = np.load(job["dem"])
    picture = RUNS[name](heights, job)
    first = picture(job["eyes"][0])
    figures = {"cold_cpu": cpu_seconds(), "cold_wall": time.time() - job["spawned"]}
    cpu, wall = [], []
    for eye in job["eyes"][1:]:
        before, began = cpu_seconds(), time.perf_counter()
        picture(eye)
        wall.append(time.perf_counter() - began)
        cpu.append(cpu_seconds() - before)
    figures |= {"warm_cpu": median(cpu), "warm_wall": median(wall), "peak_rss": peak_rss() / 2**20}
    width, height = job["size"]
    if first.shape[:2] != (height, width) or first[..., :3].std() < 1.0:
        raise SystemExit(f"its picture is blank or of the wrong size: {first.shape}, mean {first[..., :3].mean():.1f}")
    np.save(job["picture"], first)
    return figures


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))), flush=True)
