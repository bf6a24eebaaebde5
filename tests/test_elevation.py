"""Terrain.open: every format against a file made here, with cell sizes and georeference worked out by hand."""

import gzip
import logging
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vkforge.errors import InputError, MissingDependencyError
from vkforge.io import elevation_geo
from vkforge.scene import Camera, Terrain
from vkforge.scene.georeferencing import pixel_transform
from vkforge.sources.geodesy import metres_per_degree

HEIGHTS = np.array([[0, 100, 200, 300], [1000, 1100, 1200, 1300], [2000, 2100, 2200, 65535]], np.uint16)
UTM = "EPSG:32616"
UTM_WKT = (
    'PROJCS["mine",GEOGCS["mine",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
    'PARAMETER["Central_Meridian",-87],PARAMETER["Scale_Factor",1],UNIT["Meter",1]]'
)


@pytest.fixture
def rasterio() -> Any:
    return pytest.importorskip("rasterio")


def write_geotiff(path: Path, heights: np.ndarray, transform: tuple[float, ...] | None, **profile: Any) -> Path:
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    bands = heights if heights.ndim == 3 else heights[None]
    tags = {name: profile.pop(name) for name in ("scales", "offsets", "units") if name in profile}
    profile |= {"driver": "GTiff", "count": len(bands), "height": bands.shape[1], "width": bands.shape[2]}
    if transform is not None:
        profile["transform"] = rasterio.Affine(*transform)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", dtype=bands.dtype, **profile) as file:
            file.write(bands)
            for name, value in tags.items():
                setattr(file, name, value)
    return path


def test_metres_per_degree() -> None:
    # National Geospatial-Intelligence Agency's table for WGS 84: degrees of longitude and latitude in metres
    np.testing.assert_allclose(metres_per_degree(0), (111319.5, 110574.3), atol=0.06)
    np.testing.assert_allclose(metres_per_degree(45), (78846.8, 111131.8), atol=0.06)
    np.testing.assert_allclose(metres_per_degree(-60), (55800.0, 111412.3), atol=0.06)


def test_npy(tmp_path: Path) -> None:
    np.save(tmp_path / "dem.npy", np.asfortranarray(HEIGHTS.astype(">f8")))
    terrain = Terrain.open(tmp_path / "dem.npy", cell_size=(5, 7), vertical_exaggeration=2, albedo="tan", skirt="auto")
    np.testing.assert_array_equal(terrain.heights, HEIGHTS)
    assert terrain.cell_size == (5, 7)
    assert terrain.vertical_exaggeration == 2
    assert terrain.skirt is not None
    assert Terrain.open(str(tmp_path / "dem.npy")).cell_size == (1, 1)


def test_npz(tmp_path: Path) -> None:
    path = tmp_path / "dem.npz"
    np.savez(path, z=HEIGHTS, other=HEIGHTS // 2 + 1, flat=np.arange(3))
    assert Terrain.open(path).min_height == 0
    assert Terrain.open(path, key="other").min_height == 1
    with pytest.raises(InputError, match="no array 'othr'; did you mean 'other'"):
        Terrain.open(path, key="othr")
    np.savez(path, a=HEIGHTS, b=HEIGHTS)
    with pytest.raises(InputError, match="wanted one 2-D array"):
        Terrain.open(path)
    np.savez(path, flat=np.arange(3))
    with pytest.raises(InputError, match=r"it holds flat \(3,\)"):
        Terrain.open(path)
    np.savez(path, a=HEIGHTS, dx=20.0, dy=25.0)
    assert Terrain.open(path).cell_size == (20, 25)


def test_jacksboro(caplog: pytest.LogCaptureFixture) -> None:
    cbook = pytest.importorskip("matplotlib.cbook")
    path = cbook.get_sample_data("jacksboro_fault_dem.npz", asfileobj=False)
    with caplog.at_level(logging.INFO, "vkforge"):
        terrain = Terrain.open(path)
    assert terrain.shape == (344, 403)
    assert (terrain.min_height, terrain.max_height) == (236, 1076)
    # 3 arc seconds at 36.5896 N: 74.57 m and 92.48 m
    np.testing.assert_allclose(terrain.cell_size, np.array(metres_per_degree(36.589583)) / 1200, rtol=1e-7)
    np.testing.assert_allclose(terrain.cell_size, (74.573, 92.475), atol=1e-3)
    assert terrain.crs == "EPSG:4326"
    assert terrain.transform is not None
    np.testing.assert_allclose(terrain.transform, (1 / 1200, 0, -84.41375, 0, -1 / 1200, 36.732917), atol=1e-6)
    assert "74.5732 x 92.475 m at the centre latitude, 36.5896 degrees" in caplog.text


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_heightmap_pictures(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"dem.{suffix}"
    Image.fromarray(HEIGHTS).save(path)
    np.testing.assert_array_equal(Terrain.open(path).heights, HEIGHTS)
    scaled = Terrain.open(path, scale=0.1, offset=-5).heights
    np.testing.assert_allclose(scaled, HEIGHTS * 0.1 - 5, rtol=1e-5)
    ranged = Terrain.open(path, height_range=(-100, 900), cell_size=30)
    assert (ranged.min_height, ranged.max_height) == (-100, 900)
    assert ranged.cell_size == (30, 30)
    np.testing.assert_allclose(ranged.heights[1, 0], -100 + 1000 * 1000 / 65535, rtol=1e-6)
    with pytest.raises(InputError, match="both height_range and scale"):
        Terrain.open(path, height_range=(0, 1), scale=2)


def test_eight_bit_and_coloured_pictures(tmp_path: Path) -> None:
    grey = np.array([[0, 51], [102, 255]], np.uint8)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    np.testing.assert_allclose(Terrain.open(tmp_path / "grey.png", height_range=(0, 10)).heights, [[0, 2], [4, 10]])
    Image.fromarray(np.repeat(grey[..., None], 3, axis=2)).save(tmp_path / "rgb.png")
    np.testing.assert_array_equal(Terrain.open(tmp_path / "rgb.png").heights, grey)
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(2, 2, 3)).save(tmp_path / "colour.png")
    with pytest.raises(InputError, match=r"colour picture \(red, green and blue\); wanted one channel"):
        Terrain.open(tmp_path / "colour.png")


ASC = """ncols 3
nrows 2
{origin}
cellsize {cell}
NODATA_value -9999
1 2.5 3
4 -9999 6
"""


def test_asc(tmp_path: Path) -> None:
    path = tmp_path / "dem.asc"
    path.write_text(ASC.format(origin="xllcorner 500000\nyllcorner 4000000", cell=30))
    terrain = Terrain.open(path)
    np.testing.assert_array_equal(terrain.heights, [[1, 2.5, 3], [4, np.nan, 6]])
    assert terrain.cell_size == (30, 30)
    assert terrain.crs is None
    assert terrain.transform == (30, 0, 500000, 0, -30, 4000060)
    path.write_text(ASC.format(origin="XLLCENTER 500000\r\nYLLCENTER 4000000", cell=30).replace(" ", "\t"))
    assert Terrain.open(path).transform == (30, 0, 499985, 0, -30, 4000045)
    with gzip.open(tmp_path / "dem.asc.gz", "wb") as file:
        file.write(path.read_bytes())
    assert Terrain.open(tmp_path / "dem.asc.gz").transform == Terrain.open(path).transform


def test_asc_in_degrees(tmp_path: Path) -> None:
    path = tmp_path / "dem.asc"
    path.write_text(ASC.format(origin="xllcorner 8\nyllcorner 45", cell=0.01))
    terrain = Terrain.open(path)
    assert terrain.crs == "EPSG:4326"
    np.testing.assert_allclose(terrain.cell_size, np.array(metres_per_degree(45.01)) * 0.01)
    (tmp_path / "dem.prj").write_text(UTM_WKT)
    told = Terrain.open(path)
    assert told.cell_size == pytest.approx((0.01, 0.01), rel=0.01)
    assert told.crs is not None
    assert told.crs.startswith("PROJCS")


@pytest.mark.parametrize(("crs", "metres"), [("EPSG:3857", 0.50045), ("EPSG:2274", 1200 / 3937)])
def test_asc_in_a_projection(tmp_path: Path, crs: str, metres: float) -> None:
    """The file has no unit, but its .prj."""
    pyproj = pytest.importorskip("pyproj")
    place = (10.0, 60.0) if crs == "EPSG:3857" else (-84.0, 36.0)
    x, y = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*place)
    (tmp_path / "dem.asc").write_text(ASC.format(origin=f"xllcorner {x}\nyllcorner {y}", cell=30))
    (tmp_path / "dem.prj").write_text(pyproj.CRS.from_user_input(crs).to_wkt("WKT1_ESRI"))
    assert Terrain.open(tmp_path / "dem.asc").cell_size == pytest.approx((30 * metres,) * 2, rel=2e-3)


def test_asc_damaged(tmp_path: Path) -> None:
    path = tmp_path / "dem.asc"
    whole = ASC.format(origin="xllcorner 0\nyllcorner 0", cell=30)
    path.write_text(whole[:-8])
    with pytest.raises(InputError, match="wanted 2 rows of 3 heights, found 4 numbers; is it truncated"):
        Terrain.open(path)
    path.write_text(whole.replace("nrows 2\n", ""))
    with pytest.raises(InputError, match="header lacks nrows"):
        Terrain.open(path)
    path.write_text("it was a dark and stormy night\n")
    with pytest.raises(InputError, match="no Esri ASCII grid"):
        Terrain.open(path)
    path.write_text(whole.replace("2.5", "2,5"))
    with pytest.raises(InputError, match="damaged or no elevation grid"):
        Terrain.open(path)


def test_hgt(tmp_path: Path) -> None:
    heights = np.arange(1201 * 1201, dtype=np.int32).reshape(1201, 1201) % 3000
    heights[3, 4] = -32768
    path = tmp_path / "s34w071.hgt"
    path.write_bytes(heights.astype(">i2").tobytes())
    terrain = Terrain.open(path)
    assert terrain.shape == (1201, 1201)
    assert terrain.heights[7, 1] == heights[7, 1]
    assert np.isnan(terrain.heights[3, 4])
    np.testing.assert_allclose(terrain.cell_size, np.array(metres_per_degree(-33.5)) / 1200)
    assert terrain.transform is not None
    assert terrain.crs == "EPSG:4326"
    # sample (0, 0) is the tile's north-west corner, 71 W 33 S: half a cell inside the outer corner
    np.testing.assert_allclose(terrain.transform[2] + terrain.transform[0] / 2, -71)
    np.testing.assert_allclose(terrain.transform[5] + terrain.transform[4] / 2, -33)
    (tmp_path / "odd.hgt").write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError, match="truncated"):
        Terrain.open(tmp_path / "odd.hgt")


def test_geotiff_in_metres(tmp_path: Path, rasterio: Any) -> None:
    heights = HEIGHTS.astype(np.float32)
    heights[0, 1] = -32767
    path = write_geotiff(tmp_path / "dem.tif", heights, (10, 0, 5e5, 0, -20, 4e6), crs=UTM, nodata=-32767)
    terrain = Terrain.open(path)
    expected = HEIGHTS.astype(np.float32)
    expected[0, 1] = np.nan
    np.testing.assert_array_equal(terrain.heights, expected)
    assert terrain.cell_size == (10, 20)
    assert terrain.crs == UTM
    assert terrain.transform == (10, 0, 5e5, 0, -20, 4e6)
    assert Terrain.open(path, cell_size=3).cell_size == (3, 3)


def test_geotiff_in_degrees(tmp_path: Path, rasterio: Any, caplog: pytest.LogCaptureFixture) -> None:
    path = write_geotiff(tmp_path / "dem.tif", HEIGHTS, (0.01, 0, 8, 0, -0.02, 46), crs="EPSG:4326")
    with caplog.at_level(logging.INFO, "vkforge"):
        terrain = Terrain.open(path)
    np.testing.assert_allclose(terrain.cell_size, np.array(metres_per_degree(45.97)) * (0.01, 0.02))
    assert "centre latitude, 45.9700 degrees" in caplog.text
    assert terrain.transform == (0.01, 0, 8, 0, -0.02, 46)


def test_geotiff_in_feet(tmp_path: Path, rasterio: Any, caplog: pytest.LogCaptureFixture) -> None:
    path = write_geotiff(
        tmp_path / "dem.tif", HEIGHTS, (10, 0, 2e6, 0, -10, 5e5), crs="EPSG:2274", units=("US survey foot",)
    )
    with caplog.at_level(logging.INFO, "vkforge"):
        terrain = Terrain.open(path)
    np.testing.assert_allclose(terrain.cell_size, (12000 / 3937, 12000 / 3937), rtol=1e-9)
    np.testing.assert_allclose(terrain.heights, HEIGHTS * (1200 / 3937), rtol=1e-6)
    assert "US survey foot are turned into metres" in caplog.text


MOON = (  # Mercator, on a sphere that is not the Earth
    'PROJCRS["Moon Mercator",BASEGEOGCRS["Moon",DATUM["Moon",ELLIPSOID["Moon",1737400,0,LENGTHUNIT["metre",1]]],'
    'PRIMEM["Reference meridian",0,ANGLEUNIT["degree",0.0174532925199433]]],'
    'CONVERSION["Mercator",METHOD["Mercator (variant A)"],'
    'PARAMETER["Longitude of natural origin",0,ANGLEUNIT["degree",0.0174532925199433]],'
    'PARAMETER["Scale factor at natural origin",1,SCALEUNIT["unity",1]]],CS[Cartesian,2],'
    'AXIS["(E)",east],AXIS["(N)",north],LENGTHUNIT["metre",1]]'
)


@pytest.mark.parametrize(
    ("crs", "place", "stretch"),
    [
        ("EPSG:3857", (10.0, 60.0), 2.0),  # Web Mercator
        ("EPSG:3857", (-84.0, 36.0), 1.2361),
        ("EPSG:3034", (10.0, 60.0), 0.979),  # LCC Europe
        ("EPSG:3413", (-45.0, 80.0), 0.9773),  # polar stereographic
        ("EPSG:6933", (10.0, 50.0), 1.0),  # equal areas: 1.35 times wider, 0.74 times lower
        ("EPSG:2274", (-84.0, 42.0), None),  # feet, far from its zone
        (MOON, (10.0, 60.0), 2.0),
    ],
)
def test_geotiff_in_a_projection_that_stretches(
    tmp_path: Path, rasterio: Any, caplog: pytest.LogCaptureFixture, crs: str, place: Any, stretch: float | None
) -> None:
    """A world metre is one of the ground at the centre, against geodesics; the georeference stays the file's."""
    pyproj = pytest.importorskip("pyproj")
    projected = pyproj.CRS.from_user_input(crs)
    geographic, geod = projected.geodetic_crs, projected.get_geod()
    x, y = pyproj.Transformer.from_crs(geographic, projected, always_xy=True).transform(*place)
    transform = (30.0, 0.0, x - 60.0, 0.0, -30.0, y + 45.0)
    path = write_geotiff(tmp_path / "dem.tif", HEIGHTS, transform, crs=crs)
    with caplog.at_level(logging.INFO, "vkforge"):
        terrain = Terrain.open(path)
    assert "m on the ground at the centre, and not" in caplog.text
    assert terrain.transform == transform
    np.testing.assert_array_equal(terrain.heights, HEIGHTS)
    found = pixel_transform(terrain, Camera.map(terrain, pixels="samples"), (4, 3))
    assert found is not None
    np.testing.assert_allclose(found, transform)
    if stretch is not None:
        dx, dy = terrain.cell_size
        assert 30.0 / np.sqrt(dx * dy) == pytest.approx(stretch, rel=2e-3)
    for bearing in (0.0, 90.0):
        there = geod.fwd(*place, bearing, 100.0)[:2]
        there_and_here = terrain.to_world([(*there, 0.0), (*place, 0.0)], geographic.to_wkt())
        assert np.linalg.norm(there_and_here[0] - there_and_here[1]) == pytest.approx(100.0, abs=0.01)
        np.testing.assert_allclose(terrain.to_geographic(there_and_here, geographic.to_wkt())[0, :2], there)
    assert Terrain.open(path, cell_size=30).cell_size == (30.0, 30.0)


def test_utm_is_true_to_scale_as_it_is(tmp_path: Path, rasterio: Any, caplog: pytest.LogCaptureFixture) -> None:
    """From the middle of a zone, 0.9996, to its edge, 1.001, a unit is a metre to the bit."""
    pytest.importorskip("pyproj")
    for x in (500_000.0, 830_000.0):
        path = write_geotiff(tmp_path / "dem.tif", HEIGHTS / 1e4, (10, 0, x, 0, -20, 4e5), crs=UTM)
        with caplog.at_level(logging.INFO, "vkforge"):
            assert Terrain.open(path).cell_size == (10, 20)
    assert not caplog.text


def test_a_projection_that_shears_is_warned_of(tmp_path: Path, rasterio: Any, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("pyproj")
    transform = (1000, 0, 6.2e6, 0, -1000, 5.9e6)
    path = write_geotiff(tmp_path / "dem.tif", HEIGHTS, transform, crs="ESRI:54009")  # Mollweide, far from its middle
    with caplog.at_level(logging.WARNING, "vkforge"):
        Terrain.open(path)
    assert "meet at 5" in caplog.text
    assert "reproject it to UTM" in caplog.text


def test_scale_without_pyproj(
    tmp_path: Path, rasterio: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_geotiff(tmp_path / "dem.tif", HEIGHTS, (10, 0, 1e6, 0, -10, 8e6), crs="EPSG:3857")
    monkeypatch.setitem(sys.modules, "pyproj", None)
    with caplog.at_level(logging.WARNING, "vkforge"):
        assert Terrain.open(path).cell_size == (10, 10)
    assert "taken to be true to scale" in caplog.text
    assert "vkforge-renderer[geo]" in caplog.text


def test_geotiff_south_up_and_rotated(tmp_path: Path, rasterio: Any) -> None:
    path = write_geotiff(tmp_path / "up.tif", HEIGHTS[::-1], (10, 0, 5e5, 0, 10, 4e6), crs=UTM)
    terrain = Terrain.open(path)
    np.testing.assert_array_equal(terrain.heights, HEIGHTS)
    assert terrain.transform == (10, 0, 5e5, 0, -10, 4e6 + 30)
    path = write_geotiff(tmp_path / "rotated.tif", HEIGHTS, (10, 2, 5e5, 2, -10, 4e6), crs=UTM)
    with pytest.raises(InputError, match="rotated against its CRS; make it north-up first: gdalwarp"):
        Terrain.open(path)


def test_geotiff_band_scale_and_mask(tmp_path: Path, rasterio: Any) -> None:
    bands = np.stack([HEIGHTS, HEIGHTS // 2])
    path = write_geotiff(tmp_path / "two.tif", bands, (10, 0, 0, 0, -10, 0), crs=UTM, scales=(1, 0.5), offsets=(0, 3))
    np.testing.assert_allclose(Terrain.open(path, band=2).heights, (HEIGHTS // 2) * 0.5 + 3)
    with pytest.raises(InputError, match="has no band 3; it has 2"):
        Terrain.open(path, band=3)


def test_geotiff_without_georeference_is_a_heightmap(tmp_path: Path, rasterio: Any) -> None:
    path = write_geotiff(tmp_path / "plain.tif", HEIGHTS, None)
    terrain = Terrain.open(path, height_range=(0, 655.35))
    np.testing.assert_allclose(terrain.heights, HEIGHTS / 100, rtol=1e-6)
    assert terrain.cell_size == (1, 1)
    assert terrain.crs is None
    assert terrain.transform is None


def test_other_rasters_open_by_rasterio(tmp_path: Path, rasterio: Any) -> None:
    path = write_geotiff(tmp_path / "dem.tif", HEIGHTS, (10, 0, 5e5, 0, -20, 4e6), crs=UTM)
    vrt = tmp_path / "dem.vrt"
    with rasterio.open(path) as source:
        from rasterio.shutil import copy

        copy(source, vrt, driver="VRT")
    assert Terrain.open(vrt).cell_size == (10, 20)


def test_max_size_averages(tmp_path: Path, rasterio: Any) -> None:
    heights = np.arange(48.0).reshape(6, 8).astype(np.float32)
    heights[0, 0] = np.nan
    np.save(tmp_path / "dem.npy", heights)
    small = Terrain.open(tmp_path / "dem.npy", max_size=4)
    assert small.shape == (3, 4)
    assert small.heights[0, 0] == 6.0
    assert small.heights[2, 3] == 42.5
    path = write_geotiff(tmp_path / "dem.tif", heights, (10, 0, 5e5, 0, -10, 4e6), crs=UTM, nodata=np.nan)
    same = Terrain.open(path, max_size=4)
    np.testing.assert_allclose(same.heights, small.heights)
    assert same.cell_size == (20, 20)
    assert same.transform == (20, 0, 5e5, 0, -20, 4e6)
    assert Terrain.open(path, max_size=8).shape == (6, 8)


def test_tiff_without_rasterio(tmp_path: Path, rasterio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = tmp_path / "plain.tif"
    Image.fromarray(HEIGHTS).save(plain)
    placed = write_geotiff(tmp_path / "placed.tif", HEIGHTS, (10, 0, 5e5, 0, -20, 4e6), crs=UTM)
    monkeypatch.setattr(elevation_geo, "available", lambda: False)
    np.testing.assert_array_equal(Terrain.open(plain).heights, HEIGHTS)
    with pytest.raises(MissingDependencyError, match=r"pip install 'vkforge-renderer\[geo\]'"):
        Terrain.open(placed)
    (tmp_path / "dem.tfi").write_text("x")
    with pytest.raises(InputError, match=r"unknown file extension '.tfi'; did you mean '.tif'.*\[geo\]"):
        Terrain.open(tmp_path / "dem.tfi")


def test_readers_import_no_library_that_they_do_not_need(tmp_path: Path) -> None:
    np.save(tmp_path / "dem.npy", HEIGHTS)
    code = (
        "import sys; from vkforge.scene import Terrain; Terrain.open(sys.argv[1]);"
        "print({'rasterio', 'matplotlib', 'PIL', 'vulkan'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "dem.npy")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
