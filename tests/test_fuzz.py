"""The public face under random input: only vkforge's own errors may come out, and the renderer goes on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import vkforge as vf

pytestmark = pytest.mark.gpu

bounded = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
quick = settings(bounded, max_examples=150)
rendering = settings(bounded, max_examples=80)

# Things that are not what was asked for, and numbers at the edge of what floats can say.
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.binary(max_size=4),
    st.lists(st.integers(-3, 3), max_size=5),
    st.complex_numbers(max_magnitude=10),
    st.just(object()),
    st.just(vf),
    st.sampled_from([np.array(1.5), np.array([]), np.zeros((2, 2)), np.datetime64("2026-01-01"), {}, {1: 2}]),
)
EDGES = st.sampled_from(
    [0, -0.0, 1e-45, 1e-38, -1e-30, 1e30, 3.5e38, -1e300, 1e308, math.inf, -math.inf, math.nan, 2**31, 2**63, 10**400]
)
NUMBER = st.one_of(st.floats(-1000, 1000), st.floats(allow_nan=True, allow_infinity=True), st.integers(), EDGES)
SMALL = st.floats(0.1, 10.0)
POINT = st.tuples(st.floats(-30, 30), st.floats(-30, 30), st.floats(-30, 30))
ANY_POINT = st.one_of(POINT, st.tuples(NUMBER, NUMBER, NUMBER), st.lists(NUMBER, max_size=4), ODD)
LIGHT = st.one_of(st.floats(0, 20), st.tuples(st.floats(0, 20), st.floats(0, 20), st.floats(0, 20)))
ANY_LIGHT = st.one_of(LIGHT, NUMBER, ANY_POINT)
COLOR = st.one_of(st.sampled_from(["tan", "#c8b89a", "no colour", "#12", ""]), ANY_LIGHT)


def attempt(make: Any, *arguments: Any, **options: Any) -> Any:
    """Return what was made, or None where vkforge refused in its own words, on one line."""
    try:
        return make(*arguments, **options)
    except vf.VkforgeError as error:
        said = str(error)
    assert said
    assert "\n" not in said
    return None


@st.composite
def plain_heights(draw: st.DrawFn) -> Any:
    """Arrays of any dtype, byte order, shape and stride, with any bits in them."""
    dtype = draw(
        st.one_of(
            hnp.floating_dtypes(),
            hnp.integer_dtypes(),
            hnp.unsigned_integer_dtypes(),
            hnp.boolean_dtypes(),
            hnp.complex_number_dtypes(),
            st.sampled_from([np.dtype("U3"), np.dtype("S2"), np.dtype("M8[s]"), np.dtype(object)]),
        )
    )
    shape = draw(
        st.one_of(hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), hnp.array_shapes(min_dims=0, max_dims=3))
    )
    array = np.zeros(shape, dtype) if dtype.kind in "OUSM" else draw(hnp.arrays(dtype, shape))
    if array.ndim and draw(st.booleans()):
        array = array[(slice(None, None, draw(st.sampled_from([-1, 1, 2]))), ...)]
    if draw(st.booleans()):
        array = array.T
    if draw(st.booleans()) and dtype.kind in "fiu":
        return np.ma.masked_array(array, draw(hnp.arrays(bool, array.shape)))
    return array


@st.composite
def smooth_heights(draw: st.DrawFn) -> np.ndarray:
    """Heights that make a terrain: small, with any relief, perhaps with holes."""
    rows, cols = draw(st.integers(2, 9)), draw(st.integers(2, 9))
    scale = draw(st.sampled_from([0.0, 1e-6, 1.0, 100.0, 8848.0, 1e6]))
    offset = draw(st.sampled_from([0.0, -11000.0, 1e5]))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    heights = rng.random((rows, cols)) * scale + offset
    if draw(st.booleans()):
        heights[rng.random((rows, cols)) < 0.3] = np.nan
        heights.flat[rng.integers(heights.size)] = offset
    return heights


@st.composite
def terrains(draw: st.DrawFn) -> vf.Terrain | None:
    """Terrains that mostly work, with one option or another that may not."""
    options: dict[str, Any] = {
        "cell_size": draw(st.one_of(SMALL, st.tuples(SMALL, SMALL), st.sampled_from([30.0, 1e-3, 1e4])))
    }
    choices: dict[str, st.SearchStrategy[Any]] = {
        "albedo": st.one_of(COLOR, hnp.arrays(np.uint8, (3, 4, 3)), st.none()),
        "cmap": st.sampled_from(["vkforge.relief", "viridis", "virdis", None, 5, ["red", "blue"]]),
        "vertical_exaggeration": st.one_of(SMALL, NUMBER),
        "floor": st.one_of(st.none(), st.booleans()),
        "skirt": st.one_of(st.just("auto"), st.none(), NUMBER),
        "material": st.builds(vf.Material, *[st.floats(0, 1)] * 3),
        "percentiles": st.sampled_from([(2, 98), (98, 2), (0, 0), None, 5]),
    }
    for name in draw(st.lists(st.sampled_from(list(choices)), unique=True, max_size=2)):
        options[name] = draw(choices[name])
    return attempt(vf.Terrain, draw(st.one_of(smooth_heights(), plain_heights())), **options)


@st.composite
def cameras(draw: st.DrawFn, terrain: vf.Terrain) -> vf.Camera | None:
    kind = draw(st.sampled_from(["perspective", "orthographic", "orbit", "map", None]))
    if kind == "perspective":
        fov = draw(st.one_of(st.none(), st.floats(0.001, 179.9), NUMBER))
        return attempt(vf.Camera.perspective, draw(ANY_POINT), draw(ANY_POINT), up=draw(POINT), fov=fov)
    if kind == "orthographic":
        return attempt(vf.Camera.orthographic, draw(ANY_POINT), draw(ANY_POINT), height=draw(st.one_of(SMALL, NUMBER)))
    if kind == "orbit":
        options = {"azimuth": draw(NUMBER), "elevation": draw(st.one_of(st.floats(-90, 90), NUMBER))}
        return attempt(vf.Camera.orbit, terrain, **options)
    return attempt(vf.Camera.map, terrain) if kind == "map" else None


# Making things


@given(
    heights=st.one_of(plain_heights(), ODD, st.lists(st.lists(NUMBER, max_size=3), max_size=3)),
    cell=st.one_of(NUMBER, ODD, st.just(1.0)),
)
@quick
def test_terrains(heights: Any, cell: Any) -> None:
    terrain = attempt(vf.Terrain, heights, cell)
    if terrain is None:
        return
    assert terrain.heights.dtype == np.float32
    assert terrain.heights.flags.c_contiguous
    assert np.isfinite([terrain.min_height, terrain.max_height, *terrain.cell_size, *terrain.extent]).all()
    terrain.height_at(0.0, 0.0)
    repr(terrain)


@given(values=st.tuples(*[st.one_of(NUMBER, ODD)] * 3))
@quick
def test_materials(values: tuple[Any, ...]) -> None:
    material = attempt(vf.Material, *values)
    assert material is None or all(0 <= value <= 1 for value in (material.roughness, material.metallic))
    strength, period, emission = values
    for name in vf.Material().maps:
        attempt(vf.Material, **{name: strength}, normal_strength=strength, emission=emission)
    material = attempt(vf.Material, detail_normal_period=period, emission=emission)
    assert material is None or (material.detail_normal_period > 0 and min(material.emission) >= 0)


@given(st.one_of(NUMBER, ODD), st.one_of(NUMBER, ODD), ANY_LIGHT, st.one_of(NUMBER, ODD))
@quick
def test_suns(azimuth: Any, elevation: Any, irradiance: Any, diameter: Any) -> None:
    sun = attempt(vf.Sun, azimuth, elevation, irradiance, diameter)
    assert sun is None or math.isclose(math.hypot(*sun.direction), 1.0)


@given(ANY_LIGHT, ANY_LIGHT, ANY_LIGHT)
@quick
def test_skies(zenith: Any, horizon: Any, ground: Any) -> None:
    for sky in (
        attempt(vf.GradientSky, zenith, horizon, ground),
        attempt(vf.Sky.uniform, zenith),
        attempt(vf.Sky.gradient, zenith),
    ):
        assert sky is None or np.isfinite([sky.zenith, sky.horizon, sky.ground]).all()


@given(st.data())
@quick
def test_cameras(data: st.DataObject) -> None:
    terrain = vf.Terrain(data.draw(smooth_heights()) if data.draw(st.booleans()) else np.eye(3))
    camera = data.draw(cameras(terrain))
    if camera is not None:
        rays = camera.rays(data.draw(st.integers(1, 5000)), data.draw(st.integers(1, 5000)))
        assert np.isfinite(rays).all()
        assert math.hypot(*rays.direction) > 0


SETTINGS = {
    "samples": st.one_of(st.integers(1, 3), NUMBER, ODD),
    "sun_rays": st.one_of(st.integers(1, 3), NUMBER, ODD),
    "sky_rays": st.one_of(st.integers(0, 3), NUMBER, ODD),
    "seed": st.one_of(st.integers(0, 2**32 - 1), NUMBER, ODD),
    "exposure": st.one_of(st.floats(-32, 32), NUMBER, ODD),
    "tonemap": st.one_of(st.sampled_from(["linear", "reinhard", "aces", "agx", "neutral", "asec"]), ODD),
    "primaries": st.one_of(st.sampled_from(["rec709", "rec2020", "p3"]), ODD),
    "ao_distance": st.one_of(NUMBER, ODD),
    **dict.fromkeys(("grade", "lut", "lens", "bloom", "grain", "miniature"), ODD),
}


@given(st.fixed_dictionaries({}, optional=SETTINGS))
@quick
def test_settings(options: dict[str, Any]) -> None:
    made = attempt(vf.Settings, **options)
    assert made is None or hash(made) is not None


# Rendering them


def check(image: vf.Image) -> None:
    """What is on a picture can always be shown."""
    assert np.isfinite(image.hdr).all()
    if image.info["primaries"] == "rec709":
        assert (image.hdr >= 0).all()
    for name, pixels in image.aovs.items():
        assert not np.isnan(pixels).any(), name


@given(st.data())
@rendering
def test_scenes(renderer: vf.Renderer, data: st.DataObject) -> None:
    terrain = data.draw(terrains())
    if terrain is None:
        return
    parts: dict[str, Any] = {"camera": data.draw(cameras(terrain))}
    if data.draw(st.booleans()):
        parts["sun"] = attempt(vf.Sun, data.draw(st.floats(-720, 720)), data.draw(st.floats(-90, 90)), data.draw(LIGHT))
    if data.draw(st.booleans()):
        parts["sky"] = attempt(vf.GradientSky, data.draw(LIGHT), data.draw(LIGHT), data.draw(LIGHT))
    if data.draw(st.booleans()):
        parts["background"] = data.draw(COLOR)
    scene = attempt(vf.Scene, terrain, **parts)
    if scene is not None:
        size = (data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20)))
        image = attempt(renderer.render, scene, size, samples=1, sky_rays=2, aovs=tuple(vf.AOVS))
        assert image is not None, "a scene that could be made must render"
        check(image)


@given(
    size=st.one_of(
        st.tuples(st.integers(1, 9), st.integers(1, 9)), st.tuples(NUMBER, NUMBER), ODD.filter(lambda x: x is not None)
    ),
    aovs=st.one_of(st.lists(st.sampled_from([*vf.AOVS, "depht"]), max_size=3), ODD),
    lane=st.one_of(st.just("lit"), ODD),
    options=st.fixed_dictionaries({}, optional=SETTINGS),
)
@rendering
def test_arguments_of_render(renderer: vf.Renderer, size: Any, aovs: Any, lane: Any, options: dict[str, Any]) -> None:
    terrain = vf.Terrain(np.arange(9.0).reshape(3, 3))
    if isinstance(size, tuple) and all(isinstance(side, int) and side > 64 for side in size):
        size = (10**6, 10**6)  # a picture that is merely large would take all day
    image = attempt(renderer.render, terrain, size, aovs=aovs, lane=lane, **{"samples": 1, **options})
    if image is not None:
        check(image)


EFFECTS = {
    "exposure": st.one_of(
        st.floats(-32, 32),
        st.builds(vf.CameraExposure, st.floats(0.1, 1000), st.floats(1e-6, 1e6), st.floats(1, 1e7)),
        st.builds(vf.AutoExposure, compensation=st.floats(-32, 32), key=st.floats(0.001, 1)),
    ),
    "tonemap": st.one_of(st.sampled_from(["hable", "agx"]), st.builds(vf.Tonemap, st.just("reinhard"), SMALL)),
    "grade": st.builds(vf.Grade, st.floats(1667, 25000), st.floats(-150, 150), st.floats(0.1, 4), st.floats(0, 4)),
    "lut": st.builds(
        vf.Lut,
        hnp.arrays(np.float32, (2, 2, 2, 3), elements=st.floats(-9, 9, width=32)),
        st.sampled_from(["display", "scene"]),
    ),
    "lens": st.builds(vf.Lens, k1=st.floats(-9, 9), red=st.floats(-0.02, 0.02), mask_strength=st.floats(0, 1)),
    "bloom": st.builds(vf.Bloom, st.floats(0, 1), st.floats(1e-9, 1), st.floats(0, 1e9)),
    "grain": st.builds(vf.Grain, st.floats(0, 1), st.floats(1, 64), frame=st.integers(0, 2**32 - 1)),
    "miniature": st.builds(vf.Miniature, st.floats(0, 0.1), st.floats(0, 1), st.floats(0, 2)),
    "primaries": st.sampled_from(["rec709", "rec2020"]),
    "denoise": st.sampled_from([None, "atrous"]),
}


@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    lane=st.sampled_from(["lit", "path-traced"]),
    aperture=st.one_of(st.just(0.0), st.floats(0, 1e9)),
    options=st.fixed_dictionaries({}, optional=EFFECTS),
)
@settings(rendering, max_examples=25)
def test_effects(renderer: vf.Renderer, size: Any, lane: str, aperture: float, options: dict[str, Any]) -> None:
    terrain = vf.Terrain(np.arange(9.0).reshape(3, 3))
    camera = vf.Camera.perspective((9, 9, 20), (0, 0, 4), aperture_radius=aperture)
    image = attempt(renderer.render, vf.Scene(terrain, camera=camera), size, lane=lane, samples=1, **options)
    if image is None:
        assert "lens" in options, "only a distortion may be refused"
    else:
        check(image)
        assert np.isfinite(image.finish(image.hdr)).all()


@given(
    origins=st.one_of(hnp.arrays(np.float64, st.tuples(st.integers(0, 5), st.just(3))), ODD),
    directions=st.one_of(hnp.arrays(np.float64, st.tuples(st.integers(0, 5), st.just(3))), ODD),
)
@rendering
def test_rays(renderer: vf.Renderer, origins: Any, directions: Any) -> None:
    terrain = vf.Terrain(np.arange(9.0).reshape(3, 3))
    hits = attempt(renderer.trace, terrain, origins, directions)
    if hits is not None:
        assert not np.isnan(hits.t).any()
        assert not np.isnan(hits.normal).any()


@given(ODD)
@quick
def test_what_is_no_scene(renderer: vf.Renderer, thing: Any) -> None:
    assert attempt(renderer.render, thing) is None
    assert attempt(renderer.plan, thing) is None
    assert attempt(renderer.trace, thing, [[0, 0, 1]], [[0, 0, -1]]) is None


def test_the_renderer_still_works(renderer: vf.Renderer) -> None:
    terrain = vf.Terrain(np.arange(9.0).reshape(3, 3))
    with vf.Renderer() as fresh:
        wanted = fresh.render(terrain, (8, 8))
    assert renderer.render(terrain, (8, 8)).rgba.tobytes() == wanted.rgba.tobytes()
