"""What is printed of a record: one short line, and never the numbers of an array."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.aovs import AOVS

rng = np.random.default_rng(3)
IMAGE = rng.uniform(0.6, 1.0, (40, 50, 3)).astype(np.float32)
TERRAIN = vf.Terrain(
    rng.normal(size=(40, 50)),
    30.0,
    albedo=IMAGE,
    material=vf.Material(
        metallic_roughness_map=IMAGE,
        normal_map=IMAGE,
        detail_normal_map=IMAGE,
        emission=1.0,
        emission_map=IMAGE,
    ),
)
ENVIRONMENT = vf.Environment(rng.uniform(size=(30, 60, 3)))
FOG = vf.Fog(1e-3, density=rng.uniform(size=(2, 3, 4)), bounds=(0, 900, 0, 900, 0, 300))
WATER = vf.Water(-100.0, mask=np.ones((40, 50), bool))
SCENE = vf.Scene(
    TERRAIN,
    sky=ENVIRONMENT,
    fog=FOG,
    lights=[vf.PointLight((0, 0, 1000), 10)] * 64,
    clouds=vf.Clouds(),
    water=WATER,
)


def scene_at(seconds: float, scene: vf.Scene = SCENE, numbers: Any = None) -> vf.Scene:
    return scene


# One of each public record that may hold arrays, however deep, with as many of them as it takes.
FULL = {
    "Environment": ENVIRONMENT,
    "Fog": FOG,
    "Image": vf.Image(
        np.zeros((40, 50, 4), np.uint8),
        IMAGE,
        {aov.name: np.zeros((40, 50, *[aov.channels] * (aov.channels > 1)), np.float32) for aov in AOVS.values()},
        vf.GeoReference("EPSG:32616", (30.0, 0.0, 743_000.0, 0.0, -30.0, 4_070_000.0)),
    ),
    "Material": TERRAIN.material,
    "MovingScene": vf.MovingScene(partial(scene_at, scene=SCENE, numbers=IMAGE), 0.0, 1.0),
    "Scene": SCENE,
    "Settings": vf.Settings(lut=vf.Lut(rng.uniform(size=(17, 17, 17, 3)))),
    "Terrain": TERRAIN,
    "Water": WATER,
}
# Public records that are made of plain values alone.
PLAIN = {
    "AutoExposure",
    "Bloom",
    "Camera",
    "CameraExposure",
    "Clouds",
    "GeoReference",
    "GradientSky",
    "Grade",
    "Grain",
    "Lens",
    "Miniature",
    "PointLight",
    "Shutter",
    "Sky",
    "SpotLight",
    "Sun",
    "Tonemap",
    "WaterTint",
}


@pytest.mark.gpu  # for Hits, which come from the device
def test_no_public_record_is_missing_here() -> None:
    public = {name for name in vf.__all__ if dataclasses.is_dataclass(getattr(vf, name))}
    assert public == FULL.keys() | PLAIN | {"Hits"}


def check(record: Any) -> None:
    text = repr(record)
    assert "array(" not in text
    assert "\n" not in text
    assert len(text) < 1000


@pytest.mark.parametrize("name", FULL)
def test_an_array_is_never_printed(name: str) -> None:
    check(FULL[name])


@pytest.mark.gpu
def test_the_arrays_of_hits_are_not_printed() -> None:
    check(hits := vf.Hits(np.ones(2000, np.float32), np.ones((2000, 3), np.float32)))
    assert hits == hits and hits != vf.Hits(hits.t, hits.normal)  # arrays have no one answer


def test_an_array_is_its_shape_and_dtype() -> None:
    assert repr(ENVIRONMENT) == "Environment(radiance=<array (30, 60, 3) float32>, rotation=0.0, intensity=1.0)"
    assert "density=<array (2, 3, 4) float32>, bounds=(0.0, 900.0," in repr(FOG)
    assert "normal_map=Texture(pixels=<array (40, 50, 4) float16>, encoded=False)" in repr(TERRAIN.material)
    assert "mask=Texture(pixels=<array (40, 50, 4) uint8>, encoded=False)" in repr(WATER)


def test_a_long_part_of_a_scene_is_its_type() -> None:
    text = repr(SCENE)
    assert f"terrain={TERRAIN!r}" in text
    assert "camera=Camera(...)" in text
    assert f"sky={ENVIRONMENT!r}" in text
    assert "lights=<64 of them>" in text
    assert len(text) < 500


def test_a_moving_scene_names_its_function() -> None:
    assert repr(vf.MovingScene(scene_at, 0, 1)).startswith("MovingScene(at=<scene_at>, open=0.0, close=1.0")
    assert repr(FULL["MovingScene"]).startswith("MovingScene(at=<partial>")
