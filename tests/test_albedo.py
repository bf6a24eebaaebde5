"""Albedo: colours, textures and colormaps against values worked out by hand or given by the libraries themselves."""

import importlib
from typing import Any

import numpy as np
import pytest

from vkforge.errors import InputError, MissingDependencyError
from vkforge.scene import Albedo, Terrain
from vkforge.scene.albedo import NEUTRAL
from vkforge.scene.colormaps import names, resolve

HEIGHTS = np.array([[0.0, 10.0], [20.0, 100.0]])


def albedo(given: Any = None, **arguments: Any) -> Albedo:
    return Terrain(HEIGHTS, albedo=given, **arguments).surface_albedo


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((0.1, 0.2, 0.3), (0.1, 0.2, 0.3)),
        (0.25, (0.25, 0.25, 0.25)),
        (np.array([0, 188, 255], np.uint8), (0.0, 0.502886, 1.0)),
        ("#808080", (0.215861, 0.215861, 0.215861)),
        ("#f80", (1.0, 0.246201, 0.0)),
        ("Tan", (0.644480, 0.456411, 0.262251)),
        ("lightgrey", (0.651406, 0.651406, 0.651406)),
    ],
)
def test_constant_colours(given: Any, expected: tuple[float, float, float]) -> None:
    found = albedo(given)
    assert found.kind == "constant"
    np.testing.assert_allclose(found.color, expected, atol=2e-6)


def test_no_albedo_is_neutral_grey() -> None:
    assert albedo() is NEUTRAL
    assert NEUTRAL.color == (0.5, 0.5, 0.5)


def test_float_images_are_linear_and_uint8_ones_encoded() -> None:
    image = np.zeros((3, 5, 3))
    image[1, 2] = (0.1, 0.5, 1.0)
    linear = albedo(image)
    assert linear.kind == "texture"
    assert linear.pixels is not None
    assert linear.pixels.dtype == np.float16
    assert linear.pixels.shape == (3, 5, 4)
    np.testing.assert_array_equal(linear.pixels[1, 2], np.array([0.1, 0.5, 1.0, 1.0], np.float16))
    encoded = albedo(np.full((2, 2, 3), 7, np.uint8)).pixels
    assert encoded is not None
    assert encoded.dtype == np.uint8
    np.testing.assert_array_equal(encoded[0, 0], (7, 7, 7, 255))
    grey = albedo(np.array([[0.0, 0.5]], np.float32)).pixels
    assert grey is not None
    np.testing.assert_array_equal(grey[0, 1], np.array([0.5, 0.5, 0.5, 1], np.float16))


def test_images_are_copied() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    found = albedo(image)
    image[:] = 9
    assert found.pixels is not None
    assert found.pixels[0, 0, 0] == 0
    assert not found.pixels.flags.writeable


def test_ramp_over_elevation() -> None:
    ramp = albedo(cmap=["black", "white"])
    assert (ramp.kind, ramp.low, ramp.high) == ("ramp", 0.0, 100.0)
    assert ramp.pixels is not None
    assert ramp.pixels.shape == (256, 4)
    np.testing.assert_array_equal(ramp.pixels[:, 0], np.arange(256))
    assert albedo(cmap="vkforge.relief", vmin=-5, vmax=50).low == -5.0
    middle = albedo(cmap="vkforge.relief", percentiles=(25, 75))  # of 0, 10, 20, 100
    assert (middle.low, middle.high) == (7.5, 40.0)
    mixed = albedo(cmap="vkforge.relief", percentiles=(25, 75), vmax=60)
    assert (mixed.low, mixed.high) == (7.5, 60.0)
    flat = Terrain(np.full((2, 2), 4.0), cmap="vkforge.relief").surface_albedo
    assert (flat.low, flat.high) == (3.5, 4.5)


def test_texture_from_another_raster() -> None:
    data = np.array([[0.0, 1.0, np.nan], [0.5, -9.0, 9.0]])
    found = albedo(cmap=["black", "white"], cmap_data=data, vmin=0, vmax=1)
    assert found.kind == "texture"
    assert found.pixels is not None
    assert found.pixels.dtype == np.uint8
    np.testing.assert_array_equal(found.pixels[..., 0], [[0, 255, 188], [128, 0, 255]])
    assert (found.pixels[..., 3] == 255).all()
    masked = np.ma.masked_equal(np.array([[1, 2], [3, 99]]), 99)
    found = albedo(cmap=["black", "white"], cmap_data=masked)
    assert found.pixels is not None
    np.testing.assert_array_equal(found.pixels[..., 0], [[0, 128], [255, 188]])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.float64, ">f4"])
def test_texture_of_any_dtype(dtype: Any) -> None:
    data = np.arange(100, 112).reshape(3, 4).astype(dtype)
    found = albedo(cmap=["black", "white"], cmap_data=data)
    assert found.pixels is not None
    np.testing.assert_array_equal(found.pixels[..., 1].ravel(), np.floor(np.arange(12) * 255 / 11 + 0.5))


def test_texture_keeps_small_steps_on_a_large_datum() -> None:
    data = 1.0e8 + np.arange(256.0).reshape(16, 16)  # float32 alone would round these to multiples of 8
    found = albedo(cmap=["black", "white"], cmap_data=data)
    assert found.pixels is not None
    np.testing.assert_array_equal(found.pixels[..., 0].ravel(), np.arange(256))


@pytest.mark.parametrize("name", ["viridis", "Blues", "terrain_r", "tab10"])
def test_matplotlib_names_and_objects(name: str) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    expected = matplotlib.colormaps[name](np.linspace(0, 1, 256), bytes=True)
    assert np.abs(resolve(name).astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(resolve(matplotlib.colormaps[name]), resolve(name))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("module", "spellings"),
    [
        ("cmocean.cm", ("cmocean.deep", "cmo.deep", "deep")),
        ("cmcrameri.cm", ("cmc.batlow", "cmcrameri.batlow", "batlow")),
        ("colorcet", ("cet_fire", "colorcet.fire", "fire")),
    ],
)
def test_library_names(module: str, spellings: tuple[str, ...]) -> None:
    library = pytest.importorskip(module, exc_type=ImportError)
    plain = spellings[-1]
    source = library.palette[plain] if module == "colorcet" else getattr(library, plain)(np.linspace(0, 1, 256))
    ends = [source[0], source[-1]]
    if module == "colorcet":
        ends = [tuple(bytes.fromhex(color[1:])) for color in ends]
    else:
        ends = [np.rint(np.array(color[:3]) * 255) for color in ends]
    for spelling in spellings:
        found = resolve(spelling)
        assert found.shape == (256, 4)
        assert found.dtype == np.uint8
        assert (found[:, 3] == 255).all()
        np.testing.assert_array_equal(found[[0, -1], :3], ends)
        np.testing.assert_array_equal(resolve(spelling + "_r"), found[::-1])


def test_the_built_in_tint_is_quiet() -> None:
    table = resolve("vkforge.relief")[:, :3].astype(float)
    luma = table @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(luma) > -0.8).all()
    assert luma[-1] - luma[0] > 40
    assert (table.max(axis=1) - table.min(axis=1)).max() < 45  # little chroma
    assert "vkforge.relief" in names()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("viridos", "did you mean 'viridis'"),
        ("vkforge.releif", "did you mean 'vkforge.relief'"),
        ("cmc.batlo", "did you mean 'cmc.batlow'"),
        ("btlow", "did you mean 'cmc.batlow'"),
    ],
)
def test_unknown_names_get_a_suggestion(name: str, message: str) -> None:
    for module in ("matplotlib", "cmcrameri"):
        pytest.importorskip(module)
    with pytest.raises(InputError, match=message):
        resolve(name)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(MissingDependencyError, match=r"'viridis'.*pip install 'vkforge-renderer\[maps\]'"):
        resolve("viridis")
    with pytest.raises(MissingDependencyError, match="cmocean"):
        resolve("cmocean.deep")
    with pytest.raises(InputError, match="did you mean 'vkforge.relief'"):
        resolve("vkforge.relif")
    assert resolve("vkforge.relief_r").shape == (256, 4)  # ours need no library
