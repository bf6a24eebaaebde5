"""What an OpenEXR header says of the picture, read back by the OpenEXR package."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_exr import HEIGHT, WIDTH, made, read

import vkforge as vf
from vkforge.scene.info import scene_info

REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)


def test_matrices_take_points_where_they_are_seen(tmp_path: Path) -> None:
    fov, aspect = 40.0, WIDTH / HEIGHT
    camera = vf.Camera.perspective((10.0, -50.0, 30.0), (10.0, 0.0, 30.0), fov=fov)
    scene = vf.Scene(vf.Terrain(np.zeros((4, 4), np.float32), 1.0), camera=camera, sun=vf.Sun(azimuth=90, elevation=30))
    _, (header,) = read(made(scene_info(scene, (WIDTH, HEIGHT), 0.0)).save(tmp_path / "a.exr"))
    # Looking north: a point 20 m ahead, 3 m to the east, 2 m up.
    point = np.array([13.0, -30.0, 32.0, 1.0])
    assert point @ header["worldToCamera"] == pytest.approx([3.0, 2.0, 20.0, 1.0], abs=1e-5)  # left-handed
    ndc = point @ header["worldToNDC"]
    half_height = 20 * math.tan(math.radians(fov) / 2)
    seen = (0.5 + 3.0 / (2 * half_height * aspect), 0.5 - 2.0 / (2 * half_height))
    assert ndc[:2] / ndc[3] == pytest.approx(seen, abs=1e-6)
    assert ndc[2:] == pytest.approx([1.0, 20.0], abs=1e-5)
    assert header["vkforge/camera/kind"] == "perspective"
    assert header["vkforge/camera/position"].tolist() == [10.0, -50.0, 30.0]
    assert header["vkforge/sun/direction"] == pytest.approx([math.cos(math.radians(30)), 0, 0.5], abs=1e-6)


def test_matrices_of_every_camera_agree_with_its_projection(tmp_path: Path) -> None:
    terrain = vf.Terrain(100 * np.random.default_rng(1).random((30, 40)).astype(np.float32), 10.0)
    points = np.random.default_rng(2).uniform((-190, -140, 0), (190, 140, 100), (50, 3))
    shifted = dataclasses.replace(vf.Camera.orbit(terrain), shift=(0.2, -0.3))
    for camera in (vf.Camera.orbit(terrain), shifted, vf.Camera.map(terrain), vf.Camera.oblique(terrain)):
        info = scene_info(vf.Scene(terrain, camera=camera), (WIDTH, HEIGHT), 0.0)
        _, (header,) = read(made(info).save(tmp_path / "a.exr"))
        ndc = np.c_[points, np.ones(50)] @ header["worldToNDC"]
        seen = camera.project(points, (WIDTH, HEIGHT))[:, :2] / (WIDTH, HEIGHT)
        assert ndc[:, :2] / ndc[:, 3:] == pytest.approx(seen, abs=2e-5), camera.kind
    info = scene_info(
        vf.Scene(terrain, camera=vf.Camera.panorama((0.0, 0.0, 500.0))), (WIDTH, HEIGHT), vf.CameraExposure(8.0)
    )
    _, (header,) = read(made(info).save(tmp_path / "a.exr"))
    assert not {"worldToCamera", "worldToNDC"} & header.keys()
    assert (header["aperture"], header["isoSpeed"]) == (8.0, 100.0)


def test_metadata(tmp_path: Path) -> None:
    info = {
        "lane": "path-traced",
        "samples": 64,
        "seed": 2**32 - 1,
        "exposure": -1.5,
        "tonemap": "agx",
        "device": "some device",
        "submit_seconds": 0.123,
        "frame": 17,
        "frames_per_second": 24000 / 1001,
        "sun": {"azimuth": 315.0, "elevation": 35.0, "direction": (-0.5, 0.5, 0.75), "irradiance": [3, 3, 2]},
        "camera": {"f_number": 2.8, "focus_distance": 1200.0, "exposure_time": 0.02, "iso": 400, "fov": 40.0},
    }
    _, headers = read(made(info).save(tmp_path / "a.exr", parts="multi"))
    for header in headers:
        assert header["software"].startswith("vkforge ")
        assert header["chromaticities"] == pytest.approx(REC709)
        assert header["vkforge/unit"] == "metre"
        assert (header["vkforge/lane"], header["vkforge/samples"]) == ("path-traced", 64)
        assert (header["vkforge/exposure"], header["vkforge/tonemap"]) == (-1.5, "agx")
        assert header["vkforge/seed"] == "4294967295"
        assert (header["vkforge/sun/azimuth"], header["vkforge/sun/elevation"]) == (315.0, 35.0)
        assert header["vkforge/sun/direction"].tolist() == [-0.5, 0.5, 0.75]
        assert header["vkforge/sun/irradiance"].tolist() == [3.0, 3.0, 2.0]
        assert header["imageCounter"] == 17
        assert header["framesPerSecond"] == Fraction(24000, 1001)
        assert header["aperture"] == pytest.approx(2.8)
        assert (header["focus"], header["isoSpeed"], header["vkforge/camera/fov"]) == (1200.0, 400.0, 40.0)
        assert header["expTime"] == pytest.approx(0.02)
        # nothing of when and where it was made
        assert not {"capDate", "vkforge/device", "vkforge/submit_seconds"} & header.keys()


def photographed(exposure: Any = 0.0, **lens: Any) -> dict[str, Any]:
    terrain = vf.Terrain(np.zeros((4, 4), np.float32), 1.0)
    camera = vf.Camera.photographic((0.0, -50.0, 30.0), (0.0, 0.0, 0.0), **lens)
    return scene_info(vf.Scene(terrain, camera=camera), (WIDTH, HEIGHT), exposure)


def test_the_header_knows_the_lens(tmp_path: Path) -> None:
    info = photographed(focal_length=85.0, f_number=1.8, sensor=(24.0, 16.0), scale=100.0, blades=7, lens_tilt=(2, 0))
    _, (header,) = read(made(info).save(tmp_path / "a.exr"))
    assert header["aperture"] == pytest.approx(1.8)
    assert header["pinholeFocalLength"] == pytest.approx(85.0)
    assert header["sensorOverallDimensions"].tolist() == [24.0, 16.0]
    assert header["focus"] == pytest.approx(math.hypot(50.0, 30.0))
    assert header["vkforge/camera/scale"] == 100.0
    assert header["vkforge/camera/aperture_radius"] == pytest.approx(100 * 0.085 / 3.6)
    assert (header["vkforge/camera/blades"], header["vkforge/camera/blade_rotation"]) == (7, 0.0)
    hinge = math.degrees(math.atan(math.sin(math.radians(2)) / 8.5 * math.hypot(50.0, 30.0)))
    assert header["vkforge/camera/tilt"].tolist() == pytest.approx([hinge, 0.0])
    # The picture is wider than the sensor: all of its width, and less of its height.
    assert math.tan(math.radians(header["vkforge/camera/fov_x"]) / 2) == pytest.approx(12.0 / 85.0)
    assert math.tan(math.radians(header["vkforge/camera/fov"]) / 2) == pytest.approx(12.0 / 85.0 * HEIGHT / WIDTH)


def test_the_lens_is_not_the_exposures(tmp_path: Path) -> None:
    """`CameraExposure` says how bright, and of a pinhole its numbers are the camera's; never those of another lens."""
    exposure = vf.CameraExposure(16.0, 0.01, 400.0)
    terrain = vf.Terrain(np.zeros((4, 4), np.float32), 1.0)
    unknown = vf.Camera.perspective((0, -50, 30), (0, 0, 0), aperture_radius=0.5, shift=(0.0, 0.1))
    _, (known,) = read(made(photographed(exposure, f_number=2.8)).save(tmp_path / "a.exr"))
    info = scene_info(vf.Scene(terrain, camera=unknown), (WIDTH, HEIGHT), exposure)
    _, (header,) = read(made(info).save(tmp_path / "b.exr"))
    assert known["aperture"] == pytest.approx(2.8)
    assert "aperture" not in header  # only its radius is known
    assert header["focus"] == pytest.approx(math.hypot(50.0, 30.0))
    assert header["vkforge/camera/shift"].tolist() == pytest.approx([0.0, 0.1])
    for of in (known, header):
        assert of["vkforge/camera_exposure/f_number"] == 16.0
        assert of["vkforge/camera_exposure/shutter"] == pytest.approx(0.01)
        assert of["isoSpeed"] == of["vkforge/camera_exposure/iso"] == 400.0
        assert of["expTime"] == pytest.approx(0.01)
    pinhole = scene_info(vf.Scene(terrain, camera=vf.Camera.orbit(terrain)), (WIDTH, HEIGHT), 0.0)
    _, (header,) = read(made(pinhole).save(tmp_path / "c.exr"))
    assert not {"aperture", "focus", "pinholeFocalLength", "expTime"} & header.keys()


@pytest.mark.gpu
def test_the_header_knows_the_shutter(tmp_path: Path, renderer: vf.Renderer) -> None:
    terrain = vf.Terrain(np.random.default_rng(1).random((8, 8)).astype(np.float32), 10.0)
    scene = vf.Scene(terrain, camera=vf.Camera.orbit(terrain))
    shutter = vf.Shutter(90.0, ramp=0.25)
    film = vf.Animation(scene, {"sun.azimuth": {0: 0, 1: 90}}, fps=8, shutter=shutter)
    settings = vf.Settings(samples=1, sky_rays=1, exposure=vf.CameraExposure())
    film.with_settings(**{n: getattr(settings, n) for n in ("samples", "sky_rays", "exposure")}).render(
        tmp_path / "a_%d.exr", (WIDTH, HEIGHT), renderer=renderer, progress=lambda _: None
    )
    _, (header,) = read(tmp_path / "a_3.exr")
    assert header["shutterAngle"] == pytest.approx(90.0)
    assert header["expTime"] == pytest.approx(0.25 / 8)
    assert header["vkforge/shutter/open"] == pytest.approx(3 / 8 - 0.125 / 8)
    assert header["vkforge/shutter/close"] == pytest.approx(3 / 8 + 0.125 / 8)
    assert header["vkforge/shutter/ramp"] == 0.25
    assert header["vkforge/camera_exposure/shutter"] == pytest.approx(0.01)


def test_rec2020(tmp_path: Path) -> None:
    _, (header,) = read(made({"primaries": "rec2020"}).save(tmp_path / "a.exr"))
    assert header["chromaticities"] == pytest.approx((0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290))
    assert header["colorInteropID"] == "lin_rec2020_scene"


@pytest.mark.gpu
def test_a_rendered_picture_says_how_it_was_seen(tmp_path: Path, renderer: vf.Renderer) -> None:
    """The header's matrix and the position AOV agree on where each pixel is."""
    heights = 40 * np.hypot(*np.mgrid[-20:20, -30:30]).astype(np.float32)
    aovs = ("position", "hit", "coverage", "object_id")
    image = renderer.render(vf.Terrain(heights, 30.0), (96, 54), samples=2, aovs=aovs)
    channels, (header,) = read(image.save(tmp_path / "a.exr"))
    y, x = np.nonzero(channels["hit.V"])
    points = np.stack([channels[f"P.{c}"][y, x] for c in "XYZ"] + [np.ones(len(x))], axis=1)
    ndc = points @ header["worldToNDC"]
    pixels = ndc[:, :2] / ndc[:, 3:] * (96, 54)
    assert len(x) > 1000
    assert np.abs(pixels - np.stack([x + 0.5, y + 0.5], axis=1)).max() < 0.02
    assert {"vkforge/sun/azimuth", "vkforge/sun/elevation", "vkforge/exposure", "vkforge/tonemap"} <= header.keys()
    assert np.array_equal(channels["A"], image.aovs["coverage"].astype(np.float16))
    assert {"CryptoObject00.R", "CryptoObject02.A"} <= channels.keys()
