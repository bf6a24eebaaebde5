"""Clouds: as many as asked for, where the sun puts their shade, and nothing without them."""

from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.passes.volumetrics.clouds import CLOUDS_ACROSS, cloud_noise

LAYER: dict[str, Any] = {"base": 1500.0, "thickness": 500.0, "size": 1000.0}


def shade(renderer: "vf.Renderer", sun: "vf.Sun", clouds: "vf.Clouds", side: float = 9000.0) -> np.ndarray:
    """The share of the sun that reaches level ground, seen from under the clouds; pixels of side / 90 metres."""
    terrain = vf.Terrain(np.zeros((5, 5)), cell_size=side)
    camera = vf.Camera.orthographic((0, 0, 1000), (0, 0, 0), up=(0, 1, 0), height=side)
    lit, bare = (
        renderer.render(vf.Scene(terrain, camera, sun, None, clouds=layer), (90, 90), samples=16).hdr[..., 0]
        for layer in (clouds, None)
    )
    return lit / bare


@pytest.mark.parametrize("coverage", [0.0, 0.2, 0.6, 1.0])
def test_coverage(renderer: "vf.Renderer", coverage: float) -> None:
    """The noise is spread evenly, so a whole period is covered as asked for, less what is gnawed from the edges."""
    side = LAYER["size"] * CLOUDS_ACROSS
    opaque = vf.Clouds(coverage, extinction=50.0, **LAYER)
    through = shade(renderer, vf.Sun(elevation=90.0, angular_diameter=0.0), opaque, side)
    share = 1 - through.mean()
    print(f"coverage {coverage}: {share:.3f} of the ground in shade")
    assert 0.8 * coverage <= share <= coverage + 0.01
    assert through.max() <= 1.0 + 1e-6
    if coverage == 0.0:
        assert (through == 1.0).all()


def test_the_noise_is_even_and_repeats() -> None:
    noise = cloud_noise(3)
    np.testing.assert_allclose(np.quantile(noise, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=1e-3)
    step = np.abs(np.diff(noise, axis=1)).mean()
    assert np.abs(noise[:, 0] - noise[:, -1]).mean() < 1.2 * step
    assert (noise != cloud_noise(4)).any()


def test_shade_falls_where_the_sun_puts_it(renderer: "vf.Renderer") -> None:
    """A thin layer's shade under a sun in the west at 45 degrees lies its height east of that under a sun overhead."""
    layer = vf.Clouds(0.5, base=1500.0, thickness=20.0, size=1500.0, extinction=1.0)
    above = shade(renderer, vf.Sun(elevation=90.0, angular_diameter=0.0), layer)
    aside = shade(renderer, vf.Sun(azimuth=270.0, elevation=45.0, angular_diameter=0.0), layer)
    shifts = range(5, 26)
    matches = [float(np.corrcoef(above[:, :-s].ravel(), aside[:, s:].ravel())[0, 1]) for s in shifts]
    best = shifts[int(np.argmax(matches))]
    print(f"best at {best * 100} m, correlation {max(matches):.3f}")
    assert best == 15
    assert max(matches) > 0.97


def test_fog_under_clouds_is_in_their_shade(renderer: "vf.Renderer") -> None:
    terrain = vf.Terrain(np.zeros((5, 5)), cell_size=9000.0, albedo=0.0)
    camera = vf.Camera.orthographic((0, 0, 1000), (0, 0, 0), up=(0, 1, 0), height=9000.0)
    fog, sun = vf.Fog(1e-4), vf.Sun(elevation=90.0, angular_diameter=0.0)
    layer = vf.Clouds(0.5, base=1500.0, thickness=20.0, size=1500.0, extinction=1.0)
    lit, bare = (
        renderer.render(vf.Scene(terrain, camera, sun, None, fog=fog, clouds=clouds), (90, 90), samples=4).hdr[..., 0]
        for clouds in (layer, None)
    )
    match = np.corrcoef((lit / bare).ravel(), shade(renderer, sun, layer).ravel())[0, 1]
    print(f"correlation of the fog's shade with the ground's: {match:.3f}")
    assert match > 0.97


def test_clouds_hide_what_is_behind(renderer: "vf.Renderer") -> None:
    """Overcast from below and from above: neither sky nor ground shows through, and the light is the clouds' own."""
    terrain = vf.Terrain(np.zeros((5, 5)), cell_size=9000.0, albedo=(1.0, 0.0, 0.0))
    sun = vf.Sun(elevation=60.0, irradiance=(0.0, 3.0, 0.0))
    overcast = vf.Clouds(1.0, base=1000.0, thickness=900.0, size=1e6, extinction=0.2)
    up = vf.Camera.perspective((0, 0, 500), (100, 0, 3000), fov=30)
    down = vf.Camera.perspective((0, 0, 4000), (100, 0, 0), fov=30)
    blue = vf.Sky.uniform((0.0, 0.0, 5.0))
    sky = renderer.render(vf.Scene(terrain, up, sun, None, background=(1.0, 0, 0), clouds=overcast), (32, 18)).hdr
    assert np.median(sky[..., 0]) < 0.01
    above = renderer.render(vf.Scene(terrain, down, sun, blue, clouds=overcast), (32, 18)).hdr
    assert (above[..., 0] < 0.01).all()
    assert (above[..., 1] > 10 * np.median(sky[..., 1])).mean() > 0.9, "the sunlit side is the brighter one"
    assert (above[..., 2] > 0.1).all(), "the sky lights clouds too"


def test_without_clouds_nothing_changes(renderer: "vf.Renderer") -> None:
    terrain = vf.Terrain(np.random.default_rng(2).random((9, 9)) * 30, cell_size=10.0)
    bare, none = vf.Scene(terrain), vf.Scene(terrain, clouds=vf.Clouds(0.0))
    size = (40, 30)
    before = renderer.render(bare, size).hdr
    np.testing.assert_array_equal(renderer.render(none, size).hdr, before)
    cloudy = vf.Scene(terrain, clouds=vf.Clouds())
    assert renderer.render(cloudy, size).hdr.tobytes() == renderer.render(cloudy, size).hdr.tobytes()


def test_the_path_tracer_refuses_them(renderer: "vf.Renderer") -> None:
    scene = vf.Scene(vf.Terrain(np.zeros((3, 3)), cell_size=1.0), clouds=vf.Clouds())
    with pytest.raises(vf.InputError, match="knows no clouds"):
        renderer.render(scene, (8, 8), lane="path-traced")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"coverage": 1.1}, "coverage"),
        ({"thickness": 0.0}, "thickness"),
        ({"extinction": -1.0}, "extinction"),
        ({"size": float("nan")}, "size"),
        ({"anisotropy": 1.0}, "anisotropy"),
        ({"seed": 0.5}, "seed"),
    ],
)
def test_what_clouds_refuse(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        vf.Clouds(**arguments)
