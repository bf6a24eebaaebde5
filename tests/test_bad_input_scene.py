"""Bad input to the scene and the readers: a typed one-line error that says what was given and what is wanted."""

# The arguments are wrong on purpose.
# pyright: reportArgumentType=false, reportCallIssue=false

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vkforge.errors import InputError, MissingDependencyError, VkforgeError
from vkforge.scene import Camera, Clouds, Environment, Material, Scene, Sky, Sun, Terrain
from vkforge.settings import Settings

NAN, INF = float("nan"), float("inf")
FLAT = np.zeros((4, 4))


@pytest.mark.parametrize(
    ("heights", "message"),
    [
        (np.zeros((0, 0)), r"shape \(0, 0\); wanted a 2-D array \(rows, cols\) of at least 2x2"),
        (np.zeros(5), r"shape \(5,\)"),
        (np.zeros((3, 3, 3)), r"shape \(3, 3, 3\)"),
        (np.zeros((1, 1)), r"shape \(1, 1\)"),
        (np.zeros((1, 9)), r"shape \(1, 9\)"),
        (5.0, r"shape \(\)"),
        (np.full((3, 3), NAN), "all 9 heights are NaN or masked"),
        (np.ma.masked_all((3, 3)), "all 9 heights are NaN or masked"),
        (np.array([[0, INF], [1, 2]]), "heights run from 0 to inf m; wanted finite"),
        (np.array([[0, -INF], [1, NAN]]), "heights run from -inf"),
        (np.array([[0, 1e300], [1, 2]]), "heights run from 0 to inf m"),
        (np.zeros((3, 3), complex), "dtype complex128; wanted real numbers"),
        (np.full((3, 3), "high"), "dtype <U4; wanted real numbers"),
        (np.full((3, 3), None), "dtype object; wanted real numbers"),
        (np.zeros((3, 3), "M8[s]"), r"dtype datetime64\[s\]"),
        (np.zeros((3, 3), "f4,f4"), "dtype"),
        ([[1, 2], [3]], "wanted a 2-D array"),
        (None, "dtype object"),
        ("dem.tif", "dtype <U7"),
    ],
)
def test_heights(heights: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Terrain(heights)


@pytest.mark.parametrize("cell", [0, -30, NAN, INF, "30", None, True, (10,), (10, 0), (1, 2, 3), 1 + 2j, (NAN, 1), {}])
def test_cell_size(cell: Any) -> None:
    with pytest.raises(InputError, match="cell_size.* is .*; wanted"):
        Terrain(FLAT, cell)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell_size": 1e300}, "reaches .* m at cell_size"),
        ({"vertical_exaggeration": 0}, "vertical_exaggeration is 0; wanted a finite number from 1e-06 to 1e\\+06"),
        ({"vertical_exaggeration": 1e30}, "vertical_exaggeration is 1e\\+30; wanted"),
        ({"vertical_exaggeration": NAN}, "vertical_exaggeration is nan"),
        ({"skirt": "automatic"}, "skirt is 'automatic'; wanted 'auto'"),
        ({"skirt": NAN}, "skirt .* is nan"),
        ({"floor": "none"}, "floor is 'none'; wanted True or False"),
        ({"skirt_color": (1, 2, 3)}, "skirt_color .* is 2"),
        ({"material": 3}, "material is 3; wanted a Material"),
        ({"crs": 43.26}, "crs is 43.26; wanted WKT, an EPSG number or a string"),
        ({"transform": (1, 2)}, r"transform is \(1, 2\); wanted six numbers"),
        ({"albedo": "tann"}, "no colour 'tann'; did you mean 'tan'"),
        ({"albedo": (255, 0, 0)}, "albedo .* is 255; wanted a finite number from 0 to 1"),
        ({"albedo": np.full((2, 2, 3), 1.5)}, "albedo runs from 1.5 to 1.5"),
        ({"albedo": np.full((2, 2, 3), NAN)}, "with no NaN"),
        ({"albedo": np.zeros((2, 2, 5))}, r"an array of shape \(2, 2, 5\)"),
        ({"albedo": np.zeros((2, 2), np.uint16)}, "dtype uint16; wanted"),
        ({"albedo": [[1], [2, 3]]}, "albedo is"),
        ({"albedo": "tan", "cmap": "vkforge.relief"}, "both albedo and cmap"),
        ({"vmin": 3}, "vmin is given without a colormap"),
        ({"cmap": 3}, "cmap is 3; wanted a name"),
        ({"cmap": ["red"]}, "at least two colours"),
        ({"cmap": "vkforge.relief", "cmap_data": np.zeros(3)}, "cmap_data is an array"),
        ({"cmap": "vkforge.relief", "cmap_data": np.full((2, 2), NAN)}, "wanted finite values"),
        ({"cmap": "vkforge.relief", "vmin": 5, "vmax": 1}, "wanted vmin less than vmax"),
        ({"cmap": "vkforge.relief", "vmin": NAN}, "vmin is nan"),
        ({"cmap": "vkforge.relief", "percentiles": (98, 2)}, "wanted the lower one first"),
        ({"cmap": "vkforge.relief", "percentiles": 2}, r"wanted two numbers in percent"),
        ({"cmap": "vkforge.relief", "percentiles": (0, 101)}, "percentiles is 101"),
    ],
)
def test_terrain_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Terrain(FLAT, **arguments)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Camera.perspective((1, 2, 3), (1, 2, 3)), r"position and target are both \(1.0, 2.0, 3.0\)"),
        (lambda: Camera.perspective((1, NAN, 3), (0, 0, 0)), r"Camera position\[1\] is nan"),
        (lambda: Camera.perspective((1, 2), (0, 0, 0)), r"Camera position is \(1, 2\); wanted three numbers"),
        (lambda: Camera.perspective("xyz", (0, 0, 0)), "Camera position is 'xyz'"),
        (lambda: Camera.perspective((1, 2, 3), None), "Camera target is None"),
        (lambda: Camera.perspective((1, 2, 3), (0, 0, 0), up=(0, 0, 0)), "Camera up is"),
        (lambda: Camera.perspective((1, 2, 3), (0, 0, 0), fov=180), "between 0 and 180"),
        (lambda: Camera.perspective((1, 2, 3), (0, 0, 0), fov=0), "between 0 and 180"),
        (lambda: Camera.perspective((1, 2, 3), (0, 0, 0), fov=1e-45), "fov .* is 1e-45; wanted at least 1e-06"),
        (lambda: Camera.panorama((1, 2, 3), fov=1e-45), "fov .* is 1e-45; wanted at least 1e-06"),
        (lambda: Camera.orthographic((1, 2, 3), (0, 0, 0), height=1e-45), "from 1e-09 to 1e\\+09"),
        (lambda: Material(normal_strength=1e20), "normal_strength is 1e\\+20; wanted a finite number from 0 to 1e"),
        (lambda: Material(detail_normal_period=1e-30), "wanted a finite number from 1e-06 to 1e"),
        (lambda: Clouds(base=1.0, thickness=1.0, extinction=3e38), "extinction .* is 3e\\+38"),
        (lambda: Environment(np.full((2, 4, 3), 1e13)), "comes to 1e\\+13; wanted at most 1e\\+12"),
        (lambda: Camera.perspective((1, 2, 3), (0, 0, 0), fov_x=NAN), "fov_x .* is nan"),
        (lambda: Camera.perspective((1, 2, 3), (0, 0, 0), fov=40, fov_x=40), "wants one of fov"),
        (lambda: Camera.orthographic((1, 2, 3), (0, 0, 0), height=0), "height .* is 0; wanted"),
        (lambda: Camera.orthographic((1, 2, 3), (0, 0, 0), height=-5), "height .* is -5"),
        (
            lambda: Camera.orbit(Terrain(FLAT), elevation=91),
            "elevation .* is 91; wanted a finite number from -90 to 90",
        ),
        (lambda: Camera.orbit(Terrain(FLAT), azimuth=INF), "azimuth .* is inf"),
        (lambda: Camera.orbit(Terrain(FLAT), distance=0), "distance .* is 0"),
        (lambda: Camera("perspectiv", (1, 2, 3), (0, 0, 0)), "did you mean 'perspective'"),
        (lambda: Scene.portrait(Terrain(FLAT), (640, 0)), "height .* is 0; wanted a finite number of at least 1"),
        (lambda: Scene.portrait(Terrain(FLAT), 640), r"size is 640; wanted \(width, height\)"),
        (lambda: Sun(azimuth=NAN), "azimuth .* is nan"),
        (lambda: Sun(elevation=90.5), "elevation .* is 90.5"),
        (lambda: Sun(irradiance=(1, 2)), "Sun irradiance"),
        (lambda: Sun(irradiance=(1, -2, 3)), "is -2; wanted a finite number from 0"),
        (lambda: Sun(angular_diameter=-1), "angular_diameter .* is -1"),
        (lambda: Sky.uniform((1, 2, NAN)), "Sky zenith radiance is nan"),
        (lambda: Sky.uniform("blue"), "is 'blue'; wanted a number or linear RGB"),
        (lambda: Material(roughness=1.1), "roughness is 1.1; wanted a finite number from 0 to 1"),
        (lambda: Scene(FLAT), "Scene terrain is an array .*; wanted a Terrain"),
        (lambda: Scene(Terrain(FLAT), sun=3), "Scene sun is 3; wanted a Sun or None"),
        (lambda: Scene(Terrain(FLAT), camera="map"), "Scene camera is 'map'"),
        (lambda: Scene(Terrain(FLAT), background="whit"), "did you mean 'white'"),
    ],
)
def test_camera_lights_and_scene(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


SUFFIXES = ["npy", "npz", "png", "tif", "asc", "hgt", "asc.gz", "vrt", "xyz", "dat"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_empty_and_damaged_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"dem.{suffix}"
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"the file is empty \(0 bytes\)"):
        Terrain.open(path)
    path.write_bytes(b"not a raster at all " * 7)
    with pytest.raises((InputError, MissingDependencyError), match=path.name):
        Terrain.open(path)


@pytest.mark.parametrize("suffix", ["npy", "npz", "png", "tif"])
def test_truncated_files(tmp_path: Path, suffix: str) -> None:
    from PIL import Image

    heights = np.random.default_rng(3).integers(0, 60000, (64, 64)).astype(np.uint16)
    path = tmp_path / f"dem.{suffix}"
    if suffix == "npy":
        np.save(path, heights)
    elif suffix == "npz":
        np.savez_compressed(path, heights)
    else:
        Image.fromarray(heights).save(path)
    content = path.read_bytes()
    for share in (0.02, 0.3, 0.9):
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(InputError, match=path.name) as caught:
            Terrain.open(path)
        assert "\n" not in str(caught.value)


def test_paths(tmp_path: Path) -> None:
    (tmp_path / "mountain.npy").write_bytes(b"x")
    with pytest.raises(InputError, match="no such file; did you mean 'mountain.npy'"):
        Terrain.open(tmp_path / "mountian.npy")
    with pytest.raises(InputError, match="no such file"):
        Terrain.open(tmp_path / "nowhere" / "dem.tif")
    with pytest.raises(InputError, match="can't be read"):
        Terrain.open("a\0b.npy")
    with pytest.raises(InputError, match="wanted the path of a file"):
        Terrain.open(3)
    with pytest.raises((InputError, MissingDependencyError)):
        Terrain.open(tmp_path)
    (tmp_path / "object.npy").unlink(missing_ok=True)
    np.save(tmp_path / "object.npy", np.full((2, 2), None), allow_pickle=True)
    with pytest.raises(InputError, match="it holds object; wanted real numbers"):
        Terrain.open(tmp_path / "object.npy")
    np.save(tmp_path / "nan.npy", np.full((2, 2), NAN))
    with pytest.raises(InputError, match="nan.npy: all 4 heights are NaN"):
        Terrain.open(tmp_path / "nan.npy")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "dem.npy"
    np.save(path, FLAT)
    path.chmod(0)
    with pytest.raises(InputError, match="can't be read"):
        Terrain.open(path)


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.lists(st.floats(), max_size=4),
    st.tuples(st.floats(), st.floats(), st.floats()),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    arrays.arrays(arrays.scalar_dtypes(), arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)),
)


@settings(max_examples=300, deadline=None)
@given(
    heights=ANYTHING,
    cell=ANYTHING,
    name=st.sampled_from(["albedo", "cmap", "cmap_data", "skirt", "vmin"]),
    value=ANYTHING,
)
def test_fuzz_terrain(heights: Any, cell: Any, name: str, value: Any) -> None:
    messages: list[str] = []
    for arguments in ({"heights": heights}, {"heights": FLAT, "cell_size": cell}, {"heights": FLAT, name: value}):
        try:
            terrain = Terrain(**arguments)
        except VkforgeError as error:
            messages.append(str(error))
        else:
            assert np.isfinite([terrain.min_height, terrain.max_height, *terrain.extent, *terrain.cell_size]).all()
    assert not any("\n" in message for message in messages)


@settings(max_examples=300, deadline=None)
@given(first=ANYTHING, second=ANYTHING)
def test_fuzz_cameras_lights_and_settings(first: Any, second: Any) -> None:
    messages: list[str] = []
    terrain = Terrain(FLAT + 3, 10)
    makers: list[Any] = [
        lambda: Camera.perspective(first, second).rays(64, 32),
        lambda: Camera.perspective((1, 2, 3), first, up=second).rays(64, 32),
        lambda: Camera.orbit(terrain, first, second).rays(64, 32),
        lambda: Camera.orbit(terrain, distance=first, target=second).rays(64, 32),
        lambda: Camera.orthographic((1, 2, 3), (0, 0, 0), height=first).rays(64, 32),
        lambda: Sun(first, second).direction,
        lambda: Sun(irradiance=first, angular_diameter=second).irradiance,
        lambda: Sky.gradient(first, second).radiance((0, 0, 1)),
        lambda: (Material(first, second).roughness,),
        lambda: (Settings(samples=first, exposure=second).samples,),
        lambda: Scene(terrain, background=first).background or (),
    ]
    for make in makers:
        try:
            numbers = np.concatenate([np.ravel(part) for part in make()] or [np.zeros(1)])
        except VkforgeError as error:
            messages.append(str(error))
        else:
            assert np.isfinite(numbers).all()
    assert not any("\n" in message for message in messages)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(min_size=1, max_size=300), suffix=st.sampled_from(SUFFIXES), real_start=st.booleans())
def test_fuzz_files(tmp_path: Path, content: bytes, suffix: str, real_start: bool) -> None:
    messages: list[str] = []
    starts = {"npy": b"\x93NUMPY\x01\x00", "png": b"\x89PNG\r\n\x1a\n", "tif": b"II*\x00", "asc": b"ncols 2\nnrows 2\n"}
    path = tmp_path / f"dem.{suffix}"
    path.write_bytes((starts.get(suffix, b"") if real_start else b"") + content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            Terrain.open(path)
        except VkforgeError as error:
            messages.append(str(error))
    assert not any("\n" in message for message in messages)
