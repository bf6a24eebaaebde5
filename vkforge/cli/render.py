"""`vkforge render` and `vkforge relief`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vkforge.cli import options as o
from vkforge.cli.report import progress_bar, reported
from vkforge.errors import InputError
from vkforge.settings import LANES, lane_name

if TYPE_CHECKING:
    from vkforge.scene import Scene


@reported
def render(
    dem: o.Dem,
    output: o.Output = None,
    size: o.Size = None,
    aov: o.Aovs = None,
    half: o.Half = None,
    device: o.Device = "auto",
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    camera: o.CameraKind = None,
    azimuth: o.Azimuth = None,
    elevation: o.Elevation = None,
    distance: o.Distance = None,
    fov: o.Fov = None,
    height: o.Height = None,
    position: o.Position = None,
    target: o.Target = None,
    exaggeration: o.Exaggeration = 1.0,
    cell_size: o.CellSize = None,
    max_size: o.MaxSize = None,
    band: o.Band = None,
    key: o.Key = None,
    nodata: o.Nodata = None,
    z_unit: o.ZUnit = None,
    encoding: o.Encoding = None,
    crs: o.CrsOption = None,
    albedo: o.Colour = None,
    cmap: o.Cmap = None,
    vmin: o.Vmin = None,
    vmax: o.Vmax = None,
    percentiles: o.Percentiles = None,
    water: o.WaterLevel = None,
    water_color: o.WaterColour = None,
    skirt: o.Skirt = None,
    preset: o.Preset = None,
    sun: o.SunOn = True,
    sun_azimuth: o.SunAzimuth = None,
    sun_elevation: o.SunElevation = None,
    sun_size: o.SunSize = None,
    sun_irradiance: o.SunIrradiance = None,
    sky: o.SkyRadiance = None,
    sky_horizon: o.SkyHorizon = None,
    fog: o.FogSeen = None,
    background: o.Background = None,
    settings_file: o.SettingsFile = None,
    lane: o.Lane = LANES[0],
    samples: o.Samples = None,
    sun_rays: o.SunRays = None,
    sky_rays: o.SkyRays = None,
    max_depth: o.MaxDepth = None,
    time_limit: o.TimeLimit = None,
    noise_threshold: o.NoiseThreshold = None,
    seed: o.Seed = None,
    tonemap: o.Tonemap = None,
    exposure: o.Exposure = None,
    denoise: o.Denoise = None,
) -> None:
    """Render a DEM as a lit, shadowed picture, by default the whole block from the side.

    Without -o the picture is DEM_render.png in this folder.
    """
    _produce(o.Options(**locals()), straight_down=False)


@reported
def relief(
    dem: o.Dem,
    output: o.Output = None,
    size: o.Size = None,
    aov: o.Aovs = None,
    half: o.Half = None,
    device: o.Device = "auto",
    quiet: o.Quiet = False,
    debug: o.Debug = False,
    exaggeration: o.Exaggeration = 1.0,
    cell_size: o.CellSize = None,
    max_size: o.MaxSize = None,
    band: o.Band = None,
    key: o.Key = None,
    nodata: o.Nodata = None,
    z_unit: o.ZUnit = None,
    encoding: o.Encoding = None,
    crs: o.CrsOption = None,
    albedo: o.Colour = None,
    cmap: o.Cmap = None,
    vmin: o.Vmin = None,
    vmax: o.Vmax = None,
    percentiles: o.Percentiles = None,
    water: o.WaterLevel = None,
    water_color: o.WaterColour = None,
    preset: o.Preset = None,
    sun: o.SunOn = True,
    sun_azimuth: o.SunAzimuth = None,
    sun_elevation: o.SunElevation = None,
    sun_size: o.SunSize = None,
    sun_irradiance: o.SunIrradiance = None,
    sky: o.SkyRadiance = None,
    sky_horizon: o.SkyHorizon = None,
    fog: o.FogSeen = None,
    background: o.Background = None,
    settings_file: o.SettingsFile = None,
    lane: o.Lane = LANES[0],
    samples: o.Samples = None,
    sun_rays: o.SunRays = None,
    sky_rays: o.SkyRays = None,
    max_depth: o.MaxDepth = None,
    time_limit: o.TimeLimit = None,
    noise_threshold: o.NoiseThreshold = None,
    seed: o.Seed = None,
    tonemap: o.Tonemap = None,
    exposure: o.Exposure = None,
    denoise: o.Denoise = None,
) -> None:
    """Render a DEM as shaded relief: straight down, north up, a pixel for a cell unless --size says otherwise.

    Without -o the picture is DEM_relief.png in this folder; an OUT that ends in .tif is georeferenced.
    """
    _produce(o.Options(**locals()), straight_down=True)


def _produce(options: o.Options, straight_down: bool) -> None:
    from vkforge.image import check_alpha, check_path
    from vkforge.io.exr import write_exr

    # Everything that can be wrong with the words is found before the DEM is read and the device is woken.
    settings, aovs = options.settings(), options.aov_names()
    options.picture_size()
    options.camera_kind()
    options.check_water()
    lane_name(options.lane)
    output = options.output or Path(f"{Path(options.dem).stem}_{'relief' if straight_down else 'render'}.png")
    beside = aovs_beside(output, aovs)
    for path in (output, *beside.values()):
        check_path(path)
        if path.resolve() == Path(options.dem).resolve():
            raise InputError(f"{path} is the DEM itself; choose another name with -o")
    if options.is_transparent:
        check_alpha(output)
    if options.half is not None and output.suffix.lower() != ".exr":
        raise InputError(f"--half and --float are for .exr, and the picture is {output}; leave it out")

    with progress_bar(options.quiet) as progress:
        progress("reading", 0, 0)
        terrain = options.open_terrain()
        if straight_down:
            from vkforge.scene import Scene

            scene, size = options.lit(Scene.relief(terrain, preset=options.preset), on_map=True), options.picture_size()
        else:
            scene, size = options.portrait(terrain)
        asked = aovs
        if output.suffix.lower() in (".tif", ".tiff"):
            _check_map(options.dem, output, scene)
            asked = (*aovs, "coverage", "hit")  # where it is transparent, and where bands have no data

        from vkforge.renderer import Renderer

        progress("starting the device", 0, 0)
        with Renderer(device=options.device) as renderer:
            start = time.perf_counter()
            image = renderer.render(
                scene,
                size,
                lane=options.lane,
                aovs=asked,
                settings=settings,
                progress=lambda done, total: progress("rendering", done, total),
            )
            seconds = time.perf_counter() - start
            device = renderer.device.name
        progress("writing", 0, 0)
        image.save(output, half=options.half)
        for name, path in beside.items():
            if path.suffix == ".exr":
                write_exr(path, None, {name: image.aovs[name]})
            else:
                image.save(path, aovs=(name,))
    if not options.quiet:
        width, height = image.size
        typer.echo(f"{output}: {width}x{height}, {image.info['samples']} samples a pixel, {seconds:.2f} s on {device}")
        for name, path in beside.items():
            typer.echo(f"{path}: {name}")


def _check_map(dem: str, output: Path, scene: Scene) -> None:
    from vkforge.scene.georeferencing import is_plan

    if not is_plan(scene.camera):
        raise InputError(f"can't write {output}: a GeoTIFF is a map; use --camera map, vkforge relief, or .png or .exr")
    if scene.terrain.transform is None:
        raise InputError(f"can't write {output}: {dem} has no georeference to give to a GeoTIFF; use .png or .exr")


def aovs_beside(output: Path, aovs: tuple[str, ...]) -> dict[str, Path]:
    """Return the files of the AOVs that don't fit into `output` itself: one each, named after both."""
    suffix = output.suffix.lower()
    if suffix in (".exr", ".npz"):
        return {}
    extension = ".tif" if suffix in (".tif", ".tiff") else ".exr"
    return {name: output.with_name(f"{output.stem}_{name}{extension}") for name in aovs}
