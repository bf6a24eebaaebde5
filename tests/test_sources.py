"""What a file says of heights, holes and places, in each spelling and by each reader, against values by hand."""

from __future__ import annotations

import gzip
import io
import logging
import os
import resource
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vkforge as vf
from vkforge.io import elevation_geo
from vkforge.scene.crs import crs_text, read_crs
from vkforge.sources import rasters
from vkforge.sources.load import Averaging, stands_for
from vkforge.sources.units import metres_per_unit

Z = (np.arange(12, dtype="f4") * 100).reshape(3, 4)
PLACE = (30.0, 0.0, 5e5, 0.0, -30.0, 4e6)
UTM = "EPSG:32616"
FOOT, SURVEY = 0.3048, 1200 / 3937

pyproj = pytest.importorskip("pyproj")
rasterio = pytest.importorskip("rasterio")


@pytest.fixture(autouse=True)
def _in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_rasterio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elevation_geo, "available", lambda: False)


def raster(
    path: str, values: np.ndarray, transform: Any = PLACE, crs: Any = UTM, driver: Any = "GTiff", **said: Any
) -> str:
    """Write a raster and return its path; `said` are attributes of a rasterio dataset or of its profile."""
    bands = values if values.ndim == 3 else values[None]
    later = {name: said.pop(name) for name in ("units", "scales", "offsets", "gcps") if name in said}
    profile = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2], "dtype": bands.dtype, **said}
    profile |= {"crs": crs} if crs else {}
    profile |= {"transform": rasterio.Affine(*transform)} if transform else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", driver=driver, **profile) as file:
            file.write(bands)
            for name, value in later.items():
                setattr(file, name, value)
    return path


def warned(caplog: pytest.LogCaptureFixture, path: str, **options: Any) -> tuple[vf.Terrain, str]:
    """Open a file; return its terrain and what was warned of."""
    caplog.clear()
    with caplog.at_level(logging.WARNING, "vkforge"):
        terrain = vf.Terrain.open(path, **options)
    return terrain, caplog.text


# --- Units and direction of heights ----------------------------------------------------------------------------------

SPELLINGS = {
    1.0: ["", "m", "M", "metre", "Metres", "meters", "[m]", "m.", "meters above mean sea level", "m a.s.l", "mtr"],
    1000.0: ["km", "Kilometers", "kilometre"],
    0.1: ["dm", "decimetres"],
    0.01: ["cm", "Centimeters"],
    0.001: ["mm", "millimetre"],
    FOOT: [
        "ft",
        "feet",
        "Foot",
        "international feet",
        "intl ft",
        "foot_intl",
        "feet above sea level",
        "height in feet",
    ],
    SURVEY: [
        *("US survey foot", "us-ft", "ftUS", "ft_us", "Foot_US", "US_Foot", "feet (US)", "usft", "U.S. Survey Feet"),
        *("US_survey_foot", "survey feet", "us feet", "Foot US", "usfoot"),
    ],
    1.8288: ["fathoms", "fathom", "fath"],
    0.9144: ["yd", "yards", "international yard"],
    0.0254: ["in", "inches"],
    1852.0: ["nautical mile", "kmi"],
    0.3047972654: ["Clarke's foot"],
    0.91439523: ["ind-yd", "Indian yard (1937)"],
}


@pytest.mark.parametrize(("metres", "spelled"), [(m, text) for m, texts in SPELLINGS.items() for text in texts])
def test_units_of_length(metres: float, spelled: str) -> None:
    assert metres_per_unit(spelled) == pytest.approx(metres, rel=1e-9)


@pytest.mark.parametrize("spelled", ["K", "degrees", "foo", "m/s", "seconds", "us", "1", "decibar"])
def test_what_is_no_unit_of_length(spelled: str, caplog: pytest.LogCaptureFixture) -> None:
    assert metres_per_unit(spelled) is None
    terrain, words = warned(caplog, raster("u.tif", Z, units=(spelled,)))
    assert terrain.max_height == 1100.0
    assert f"heights are in {spelled!r}, no unit of length" in words
    assert "z_unit=" in words


@pytest.mark.parametrize(
    ("said", "metres"), [("feet", FOOT), ("km", 1000.0), (0.5, 0.5), (-1, -1.0), ("-0.3048", -FOOT), ("us-ft", SURVEY)]
)
def test_z_unit_overrules_the_file(said: Any, metres: float) -> None:
    terrain = vf.Terrain.open(raster("u.tif", Z, units=("cm",)), z_unit=said)
    np.testing.assert_allclose(terrain.heights, Z * metres, rtol=1e-6)
    np.save("u.npy", Z)
    np.testing.assert_allclose(vf.Terrain.open("u.npy", z_unit=said).heights, Z * metres, rtol=1e-6)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("furlongs per week", "no unit of length"),
        ("", "no unit"),
        (0, "z_unit is 0"),
        (np.nan, "z_unit"),
        (True, "z_unit"),
    ],
)
def test_z_unit_refused(said: Any, message: str) -> None:
    np.save("u.npy", Z)
    with pytest.raises(vf.InputError, match=message):
        vf.Terrain.open("u.npy", z_unit=said)


@pytest.mark.parametrize(
    ("vertical", "metres"), [(6360, SURVEY), (5703, 1.0), (8228, FOOT), (5715, -1.0), (6357, -1.0), (6359, -SURVEY)]
)
@pytest.mark.parametrize("driver", ["GTiff", "ENVI"])
def test_vertical_axis_of_a_compound_crs(vertical: int, metres: float, driver: str) -> None:
    """The band's unit is empty in ENVI; GDAL fills it in for GeoTIFF."""
    terrain = vf.Terrain.open(raster("v.img", Z, crs=f"EPSG:26916+{vertical}", driver=driver))
    np.testing.assert_allclose(terrain.heights, Z * metres, rtol=1e-6)
    assert terrain.crs is not None
    assert pyproj.CRS.from_user_input(terrain.crs).sub_crs_list or terrain.crs == "EPSG:26916"


def netcdf(path: str, lon: np.ndarray, lat: np.ndarray, z: np.ndarray, axes: tuple[str, str], **said: str) -> str:
    """Write a netCDF classic file by hand: no CRS, and what units the axes and the heights say."""

    def name(text: str) -> bytes:
        return struct.pack(">I", len(text)) + text.encode() + b"\0" * (-len(text) % 4)

    def attributes(**given: str) -> bytes:
        parts = [name(k) + struct.pack(">II", 2, len(v)) + v.encode() + b"\0" * (-len(v) % 4) for k, v in given.items()]
        return struct.pack(">II", 12, len(parts)) + b"".join(parts)

    data = [lon.astype(">f8").tobytes(), lat.astype(">f8").tobytes(), z.astype(">f4").tobytes()]
    kinds = [
        ("x", [0], attributes(units=axes[0]), 6),
        ("y", [1], attributes(units=axes[1]), 6),
        ("z", [1, 0], attributes(**said), 5),
    ]

    def head(offsets: list[int]) -> bytes:
        made = b"CDF\x01" + struct.pack(">I", 0) + struct.pack(">II", 10, 2)
        made += name("x") + struct.pack(">I", len(lon)) + name("y") + struct.pack(">I", len(lat))
        made += attributes(Conventions="CF-1.7") + struct.pack(">II", 11, 3)
        for (word, dims, extra, kind), values, offset in zip(kinds, data, offsets, strict=True):
            made += name(word) + struct.pack(">I", len(dims)) + b"".join(struct.pack(">I", d) for d in dims)
            made += extra + struct.pack(">III", kind, len(values), offset)
        return made

    start = len(head([0, 0, 0]))
    offsets = [start, start + len(data[0]), start + len(data[0]) + len(data[1])]
    Path(path).write_bytes(head(offsets) + b"".join(data))
    return path


LON, LAT = np.arange(10.0, 14.0), np.arange(40.0, 43.0)


@pytest.mark.parametrize(
    ("said", "metres"),
    [
        ({"units": "m"}, 1.0),
        ({"units": "km"}, 1000.0),
        ({"units": "m", "positive": "down"}, -1.0),
        ({"units": "fathoms", "standard_name": "sea_floor_depth_below_geoid"}, -1.8288),
        ({"units": "m", "standard_name": "depth", "positive": "up"}, 1.0),
        ({"units": "feet", "standard_name": "surface_altitude"}, FOOT),
    ],
)
def test_attributes_of_netcdf(said: dict[str, str], metres: float) -> None:
    path = netcdf("g.nc", LON, LAT, Z, ("degrees_east", "degrees_north"), **said)
    np.testing.assert_allclose(vf.Terrain.open(path).heights, Z[::-1] * metres, rtol=1e-6)


@pytest.mark.parametrize(
    ("zunits", "metres"), [("METERS", 1.0), ("FEET", FOOT), ("NO", 1.0), ("100", 0.01), ("Fathoms", 1.8288)]
)
@pytest.mark.parametrize("suffix", [".prj", ".PRJ"])
def test_zunits_of_a_prj(zunits: str, metres: float, suffix: str) -> None:
    Path("z.asc").write_text("ncols 2\nnrows 2\nxllcorner 500000\nyllcorner 4000000\ncellsize 30\n100 200\n300 400\n")
    prj = f"Projection    UTM\nZone 16\nDatum         NAD83\nZunits        {zunits}\nUnits         METERS\n"
    Path("z" + suffix).write_text(prj)
    terrain = vf.Terrain.open("z.asc")
    np.testing.assert_allclose(terrain.heights, np.array([[100, 200], [300, 400]]) * metres, rtol=1e-6)
    known = pyproj.CRS.from_user_input(terrain.crs)
    assert known.utm_zone == "16N"
    assert "North American" in known.datum.name or "North_American" in known.datum.name


# --- One path for all readers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("placed", [True, False])
@pytest.mark.parametrize("holes", [True, False])
def test_scale_offset_unit_and_nodata_with_and_without_a_place(placed: bool, holes: bool) -> None:
    stored = (np.arange(12, dtype="i2") * 100).reshape(3, 4)
    said = {"scales": (0.1,), "offsets": (-10.0,), "units": ("ft",)} | ({"nodata": 300} if holes else {})
    path = raster("s.tif", stored, *((PLACE, UTM) if placed else (None, None)), **said)
    wanted = (stored * 0.1 - 10.0) * FOOT
    if holes:
        wanted[stored == 300] = np.nan
    np.testing.assert_allclose(vf.Terrain.open(path).heights, wanted, atol=1e-4)
    # The user's scale and offset come after all that.
    np.testing.assert_allclose(vf.Terrain.open(path, scale=2, offset=1).heights, wanted * 2 + 1, atol=1e-4)


GCPS = [(0, 0, 5e5, 4e6), (0, 4, 500120, 4e6), (3, 0, 5e5, 3999910), (3, 4, 500120, 3999910)]


def test_ground_control_points(caplog: pytest.LogCaptureFixture) -> None:
    from rasterio.control import GroundControlPoint

    points = [GroundControlPoint(*point) for point in GCPS]
    raster("g.tif", Z, None, None, gcps=(points, rasterio.CRS.from_epsg(32616)))
    terrain = vf.Terrain.open("g.tif")
    assert terrain.cell_size == pytest.approx((30.0, 30.0))
    assert terrain.crs == UTM
    assert terrain.transform == pytest.approx(PLACE)
    points[3] = GroundControlPoint(3, 4, 500160, 3999910)
    raster("g.tif", Z, None, None, gcps=(points, rasterio.CRS.from_epsg(32616)))
    with pytest.raises(vf.InputError, match=r"placed by 4 ground control points.*gdalwarp"):
        vf.Terrain.open("g.tif")
    terrain, words = warned(caplog, "g.tif", cell_size=30)
    assert terrain.cell_size == (30.0, 30.0)
    assert "ground control points" in words


@pytest.mark.parametrize("without", [False, True])
@pytest.mark.parametrize(
    ("suffix", "world"), [(".png", ".pgw"), (".png", ".wld"), (".jpg", ".jgw"), (".tif", ".tfw"), (".pgm", ".wld")]
)
def test_world_files_and_prj(suffix: str, world: str, without: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if without:
        monkeypatch.setattr(elevation_geo, "available", lambda: False)
        if suffix == ".pgm":
            pytest.skip("takes rasterio")
    values = np.full((8, 8), 77, np.uint8)
    Image.fromarray(values).save("p" + suffix)
    Path("p" + world).write_text("30\n0\n0\n-40\n500015\n3999980\n")
    Path("p.prj").write_text(pyproj.CRS.from_epsg(32616).to_wkt("WKT1_ESRI"))
    terrain = vf.Terrain.open("p" + suffix)
    assert terrain.cell_size == (30.0, 40.0)
    assert terrain.transform == (30.0, 0.0, 5e5, 0.0, -40.0, 4e6)
    assert pyproj.CRS.from_user_input(terrain.crs).to_epsg() == 32616
    np.testing.assert_allclose(terrain.heights, 77.0, atol=1.0)


def test_aux_xml_of_a_png() -> None:
    raster("p.png", Z.astype("u2"), PLACE, UTM, driver="PNG")
    assert Path("p.png.aux.xml").exists()
    terrain = vf.Terrain.open("p.png")
    assert terrain.crs == UTM
    assert terrain.cell_size == (30.0, 30.0)


def test_aux_xml_without_rasterio(no_rasterio: None) -> None:
    raster("p.png", Z.astype("u2"), PLACE, UTM, driver="PNG")
    with pytest.raises(vf.MissingDependencyError, match="aux.xml"):
        vf.Terrain.open("p.png")


@pytest.mark.parametrize("without", [False, True])
def test_clear_pixels_of_pictures_are_holes(without: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if without:
        monkeypatch.setattr(elevation_geo, "available", lambda: False)
    grey = np.array([[1, 2], [3, 4]], np.uint8)
    alpha = np.array([[255, 0], [255, 255]], np.uint8)
    wanted = np.array([[1, np.nan], [3, 4]], np.float32)
    Image.fromarray(np.dstack([grey, alpha]), "LA").save("la.png")
    Image.fromarray(np.dstack([grey, grey, grey, alpha]), "RGBA").save("rgba.png")
    Image.fromarray(grey).save("trns.png", transparency=2)
    for name in ("la.png", "rgba.png", "trns.png"):
        np.testing.assert_array_equal(vf.Terrain.open(name).heights, wanted, err_msg=name)


# --- Readers that narrow ---------------------------------------------------------------------------------------------


def png(path: str, values: np.ndarray, colour_type: int, bits: int) -> str:
    """Write a PNG of any kind by hand."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + (row.astype(">u2") if bits == 16 else row.astype("u1")).tobytes() for row in values)
    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], bits, colour_type, 0, 0, 0)
    made = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    Path(path).write_bytes(made)
    return path


SIXTEEN = (np.arange(12).reshape(3, 4) * 1000 + 7).astype("u2")
FULL = np.full_like(SIXTEEN, 65535)


@pytest.mark.parametrize(
    ("values", "colour_type"),
    [
        (SIXTEEN[..., None], 0),
        (np.stack([SIXTEEN, FULL], -1), 4),
        (np.stack([SIXTEEN] * 3, -1), 2),
        (np.stack([SIXTEEN] * 3 + [FULL], -1), 6),
    ],
)
def test_sixteen_bits_of_any_png(values: np.ndarray, colour_type: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path = png("a.png", values, colour_type, 16)
    np.testing.assert_array_equal(vf.Terrain.open(path).heights, SIXTEEN)
    monkeypatch.setattr(elevation_geo, "available", lambda: False)
    if colour_type == 0:
        np.testing.assert_array_equal(vf.Terrain.open(path).heights, SIXTEEN)
    else:
        with pytest.raises(vf.MissingDependencyError, match=r"16 bits.*\[geo\]"):
            vf.Terrain.open(path)


TIFFS = [Z.astype(kind) for kind in ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8")]


@pytest.mark.parametrize("values", TIFFS, ids=lambda values: values.dtype.name)
@pytest.mark.parametrize("nodata", [None, 100])
def test_plain_tiffs_with_and_without_rasterio(
    values: np.ndarray, nodata: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same heights, or a word that rasterio is wanted: never others."""
    path = raster("p.tif", values, None, None, nodata=nodata)
    wanted = values.astype(np.float32)
    if nodata is not None:
        wanted[values == nodata] = np.nan
    np.testing.assert_array_equal(vf.Terrain.open(path).heights, wanted)
    monkeypatch.setattr(elevation_geo, "available", lambda: False)
    if values.dtype in (np.uint8, np.uint16, np.float32):
        np.testing.assert_array_equal(vf.Terrain.open(path).heights, wanted)
    else:
        with pytest.raises(vf.MissingDependencyError, match=r"\[geo\]"):
            vf.Terrain.open(path)


def test_height_range_is_that_of_the_stored_integers() -> None:
    values = np.array([[0, 4095], [2048, 1]], "u2")
    path = raster("n.tif", values, None, None, NBITS=12)
    np.testing.assert_allclose(vf.Terrain.open(path, height_range=(100, 200)).heights, 100 + values / 40.95, rtol=1e-6)
    path = raster("n.tif", values.astype("i2"), None, None)
    np.testing.assert_allclose(vf.Terrain.open(path, height_range=(0, 1)).heights, values / 32767, rtol=1e-6)


def test_colours_and_palettes_are_no_heights(monkeypatch: pytest.MonkeyPatch) -> None:
    colours = np.stack([Z, Z + 1, Z + 2])
    for kind in ("u1", "u2"):
        raster("c.tif", colours.astype(kind), None, None, photometric="RGB")
        with pytest.raises(vf.InputError, match="colour picture"):
            vf.Terrain.open("c.tif")
    Image.fromarray(np.moveaxis(colours, 0, -1).astype("u1")).save("c.jpg")
    Image.fromarray(np.moveaxis(colours, 0, -1).astype("u1")).save("c.webp", lossless=True)
    Image.fromarray(np.moveaxis(colours, 0, -1).astype("u1")).quantize(8).save("p.png")
    with rasterio.open(
        "p.tif", "w", driver="GTiff", width=4, height=3, count=1, dtype="uint8", photometric="palette"
    ) as file:
        file.write(Z.astype("u1"), 1)
        file.write_colormap(1, {0: (255, 0, 0, 255)})
    for name in ("c.jpg", "c.webp", "p.png", "p.tif"):
        with pytest.raises(vf.InputError, match="colour picture"):
            vf.Terrain.open(name)
    np.testing.assert_array_equal(vf.Terrain.open("p.tif", band=1).heights, Z.astype("u1"))
    monkeypatch.setattr(elevation_geo, "available", lambda: False)
    for name in ("c.jpg", "c.webp", "p.png", "p.tif", "c.tif"):
        with pytest.raises((vf.InputError, vf.MissingDependencyError)):
            vf.Terrain.open(name)


# --- Degrees and bodies ----------------------------------------------------------------------------------------------

BODIES = {
    "Moon": (1737400.0, 0.0),
    "Mars": (3396190.0, 169.894447223612),
    "Mercury": (2439700.0, 0.0),
    "Earth": (6378137.0, 298.257223563),
}


def body_wkt(body: str) -> str:
    radius, inverse = BODIES[body]
    return (
        f'GEOGCS["{body} 2000",DATUM["D_{body}",SPHEROID["{body}",{radius},{inverse}]],'
        'PRIMEM["Reference_Meridian",0],UNIT["Degree",0.0174532925199433]]'
    )


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("latitude", [0.0, 60.0])
def test_a_degree_is_that_of_its_body(body: str, latitude: float) -> None:
    path = raster("b.tif", Z, (0.1, 0, 10, 0, -0.1, latitude + 0.15), body_wkt(body))
    terrain = vf.Terrain.open(path)
    radius, inverse = BODIES[body]
    geod = pyproj.Geod(a=radius, rf=inverse) if inverse else pyproj.Geod(a=radius, b=radius)
    across = geod.inv(10, latitude, 10.1, latitude)[2]
    along = geod.inv(10, latitude - 0.05, 10, latitude + 0.05)[2]
    np.testing.assert_allclose(terrain.cell_size, (across, along), rtol=1e-5)
    # and so are longitudes and latitudes of places
    world = terrain.to_world((10.2, latitude, 0.0))
    np.testing.assert_allclose(world[:2], (0.0, 0.0), atol=1e-6 * radius)
    np.testing.assert_allclose(terrain.to_geographic(world)[:2], (10.2, latitude), atol=1e-9)
    camera = vf.Camera.at(terrain, 10.2, latitude, above_ground=5.0, bearing=0.0)
    np.testing.assert_allclose(camera.position[:2], world[:2], atol=1e-6)


def test_projected_on_another_body() -> None:
    projected = pyproj.crs.ProjectedCRS(
        pyproj.crs.coordinate_operation.EquidistantCylindricalConversion(),
        geodetic_crs=pyproj.CRS.from_wkt(body_wkt("Moon")),
    )
    terrain = vf.Terrain.open(raster("m.tif", Z, (1000, 0, 0, 0, -1000, 1500), projected.to_wkt("WKT2_2019")))
    lon, lat = terrain.to_geographic((0.0, 0.0, 0.0))[:2]
    assert lon == pytest.approx(np.degrees(2000.0 / 1737400.0), rel=1e-6)
    assert lat == pytest.approx(0.0, abs=1e-9)
    pytest.importorskip("astral")
    from datetime import UTC, datetime

    with pytest.raises(vf.InputError, match="another body"):
        vf.Sun.at(0.0, 0.0, datetime(2026, 6, 21, 12, tzinfo=UTC), terrain=terrain)


def test_longitudes_over_180() -> None:
    terrain = vf.Terrain.open(raster("l.tif", Z, (0.01, 0, 275, 0, -0.01, 46), "EPSG:4326"))
    np.testing.assert_allclose(terrain.to_geographic((0.0, 0.0, 0.0))[:2], (-84.98, 45.985))
    np.testing.assert_allclose(terrain.to_geographic((0.0, 0.0, 0.0), None)[:2], (275.02, 45.985))
    for longitude in (-84.98, 275.02):
        np.testing.assert_allclose(terrain.to_world((longitude, 45.985, 0.0))[:2], (0, 0), atol=1e-6)
    pytest.importorskip("astral")
    from datetime import UTC, datetime

    from vkforge.cli.animate import _place

    latitude, longitude = _place(None, terrain)
    noon = datetime(2026, 6, 21, 17, 40, tzinfo=UTC)
    assert (latitude, longitude) == pytest.approx((45.985, -84.98))
    assert vf.Sun.at(latitude, 275.02, noon) == vf.Sun.at(latitude, 275.02 - 360.0, noon)
    assert vf.Sun.at(latitude, longitude, noon, terrain=terrain).elevation > 60.0


@pytest.mark.parametrize("step", [0.05, 1 / 6, 1.0])
def test_axes_in_degrees_at_any_spacing(step: float, caplog: pytest.LogCaptureFixture) -> None:
    lon, lat = np.arange(10, 15.01, step), np.arange(40, 45.01, step)
    path = netcdf("g.nc", lon, lat, np.add.outer(lat, lon) * 10, ("degrees_east", "degrees_north"), units="m")
    terrain, words = warned(caplog, path)
    assert terrain.cell_size[1] == pytest.approx(np.radians(step) * 6367500, rel=2e-3)
    assert terrain.crs == "EPSG:4326"
    assert not words


def asc(path: str, west: float, south: float, cell: float, heights: np.ndarray, nodata: str = "-9999") -> str:
    rows, cols = heights.shape
    head = f"ncols {cols}\nnrows {rows}\nxllcorner {west}\nyllcorner {south}\ncellsize {cell}\nNODATA_value {nodata}\n"
    body = "\n".join(" ".join(map(str, row)) for row in heights.tolist())
    Path(path).write_text(head + body + "\n")
    return path


def test_only_what_can_be_nothing_else_is_taken_for_degrees(caplog: pytest.LogCaptureFixture) -> None:
    # A sand box of half a metre, in metres: as degrees it would be 55 km wide and 4 cm high.
    terrain, words = warned(caplog, asc("box.asc", 1, 2, 0.01, Z / 1e5))
    assert terrain.cell_size == (0.01, 0.01)
    assert terrain.crs is None
    assert not words
    # Mountains on 30 arc seconds: as metres they would be a thousand times as high as wide.
    terrain, words = warned(caplog, asc("alps.asc", 8, 46, 1 / 120, Z))
    assert terrain.crs == "EPSG:4326"
    assert "can only be longitudes and latitudes" in words
    terrain, words = warned(caplog, "alps.asc", crs="EPSG:32632")
    assert terrain.crs == "EPSG:32632"
    assert terrain.cell_size == pytest.approx((1 / 120, 1 / 120), rel=5e-3)
    # The whole globe, flat as it is.
    terrain, words = warned(caplog, raster("globe.tif", np.zeros((18, 36), "f4"), (10, 0, -180, 0, -10, 90), None))
    assert terrain.cell_size == pytest.approx((1113195, 1105743), rel=1e-5)
    assert "can only be" in words


@pytest.mark.parametrize(
    ("relief", "cell", "message"),
    [(5000.0, 10.0, "relief is 5e+03 m over"), (1e-4, 30.0, "relief is 0.0001 m over"), (50.0, 30.0, "")],
)
def test_an_absurd_relief_is_warned_of(
    relief: float, cell: float, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    heights = np.zeros((8, 8), "f4")
    heights[3, 3] = relief
    _, words = warned(caplog, raster("r.tif", heights, (cell, 0, 5e5, 0, -cell, 4e6)))
    assert message in words
    assert bool(words) == bool(message)
    if message:
        assert "z_unit=" in words


# --- Edges of CRS ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "pole"), [(3413, 90), (3031, -90), (3996, 90), (32661, 90)])
def test_scale_at_a_pole(code: int, pole: int) -> None:
    centre = pyproj.Transformer.from_crs(4326, code, always_xy=True).transform(0.0, pole)
    transform = (1000, 0, centre[0] - 20e3, 0, -1000, centre[1] + 20e3)
    terrain = vf.Terrain.open(raster("pole.tif", np.zeros((40, 40), "f4"), transform, f"EPSG:{code}"))
    factor = pyproj.Proj(f"EPSG:{code}").get_factors(0, pole - np.sign(pole) * 1e-4).meridional_scale
    np.testing.assert_allclose(terrain.cell_size, 1000.0 / factor, rtol=2e-4)


@pytest.mark.parametrize("code", range(2046, 2056))
def test_axes_to_the_west_and_the_south(code: int) -> None:
    area = pyproj.CRS.from_epsg(code).area_of_use
    place = (area.west + area.east) / 2, (area.south + area.north) / 2
    x, y = pyproj.Transformer.from_crs(4326, code, always_xy=True).transform(*place)
    for east, south, turned in ((-30, 30, Z), (30, -30, Z[::-1, ::-1])):
        corner = x - east * 2, y - south * 1.5
        path = raster("s.tif", turned, (east, 0, corner[0], 0, south, corner[1]), f"EPSG:{code}")
        terrain = vf.Terrain.open(path)
        np.testing.assert_array_equal(terrain.heights, Z)
        here, north, east_of = terrain.to_world(
            [(*place, 0), (place[0], place[1] + 1e-4, 0), (place[0] + 1e-4, place[1], 0)]
        )
        np.testing.assert_allclose(here[:2], 0.0, atol=0.02)
        assert north[1] > 10.0 and abs(north[0]) < 1.0
        assert east_of[0] > 8.0 and abs(east_of[1]) < 1.0


def test_a_crs_whose_x_runs_south_is_refused() -> None:
    with pytest.raises(vf.InputError, match="runs along the meridians; reproject"):
        vf.Terrain.open(raster("k.tif", Z, (30, 0, 1e6, 0, -30, 7e5), "EPSG:5513"))


@pytest.mark.parametrize(
    ("prj", "degrees"),
    [
        ("Projection    GEOGRAPHIC\nDatum         WGS84\nUnits         DD\n", True),
        ("Projection    UTM\nZone 33\nDatum         WGS84\nUnits         METERS\n", False),
        (pyproj.CRS.from_epsg(4326).to_wkt("WKT1_ESRI"), True),
        ("\ufeff" + pyproj.CRS.from_epsg(4326).to_wkt("WKT1_GDAL"), True),
        (pyproj.CRS.from_epsg(32633).to_wkt("WKT2_2019"), False),
    ],
)
@pytest.mark.parametrize(("name", "beside"), [("p.asc", "p.prj"), ("Q.ASC", "Q.PRJ"), ("p.asc.gz", "p.prj")])
def test_prj_of_any_style(prj: str, degrees: bool, name: str, beside: str) -> None:
    path = asc("t.asc", 10, 45, 0.25, Z)
    content = Path(path).read_bytes()
    Path(path).unlink()
    Path(name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    Path(beside).write_text(prj)
    terrain = vf.Terrain.open(name)
    assert pyproj.CRS.from_user_input(terrain.crs).is_geographic == degrees
    assert (terrain.cell_size[1] > 1000) == degrees


def test_a_crs_that_cannot_be_read_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    path = asc("x.asc", 1000, 2000, 30, Z)
    for text in ('PROJCS["made up",GEOGCS["x"],UNIT["metre",1]]', "gibberish"):
        Path("x.prj").write_text(text)
        terrain, words = warned(caplog, path)
        assert terrain.crs is None
        assert "none that PROJ can read" in words
        assert "crs='EPSG:...'" in words
        assert vf.Terrain.open(path, crs=2274).cell_size == pytest.approx((30 * SURVEY,) * 2, rel=3e-3)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (32616, "EPSG:32616"),
        (np.int64(4326), "EPSG:4326"),
        ("epsg:32616", "EPSG:32616"),
        (rasterio.CRS.from_epsg(32616), "EPSG:32616"),
        (pyproj.CRS.from_epsg(32616), "EPSG:32616"),
        ("+proj=utm +zone=16 +datum=WGS84", None),
        (pyproj.CRS.from_user_input("EPSG:26916+5703"), None),
        (None, None),
    ],
)
def test_crs_in_any_form(given: Any, kept: str | None) -> None:
    terrain = vf.Terrain(Z, crs=given, transform=PLACE)
    if kept is not None or given is None:
        assert terrain.crs == kept
        return
    assert rasterio.CRS.from_user_input(terrain.crs)  # what writers do
    assert terrain.crs is not None
    known = read_crs(terrain.crs)
    assert known is not None
    assert known.unit == 1.0


@pytest.mark.parametrize("given", ["EPSG:999999", "nonsense", 3.5, True, [], 12])
def test_crs_refused(given: Any) -> None:
    with pytest.raises(vf.InputError, match="crs"):
        vf.Terrain(Z, crs=given)
    with pytest.raises(vf.InputError):
        crs_text(given)


def test_no_datum_is_invented() -> None:
    wkt = (
        'PROJCS["mine",GEOGCS["unknown",DATUM["unknown",SPHEROID["S",6378206.4,294.978698213898]],PRIMEM["Greenwich",0],'
        'UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],'
        'PARAMETER["central_meridian",-87],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],'
        'PARAMETER["false_northing",0],UNIT["Meter",1]]'
    )
    terrain = vf.Terrain.open(raster("c.tif", Z, crs=wkt))
    assert terrain.crs is not None
    assert pyproj.CRS.from_user_input(terrain.crs).datum.name.lower().startswith("unknown")


# --- Nodata ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("nan", "nan"),
        ("NaN", "nan"),
        ("null", "null"),
        ("-3.4028235e+38", "-3.40282346638529e+38"),
        ("-3.402823e38", "-3.4028235e38"),
        ("-9999", "-9999.0"),
        ("1e20", "100000000000000000000"),
    ],
)
def test_text_nodata_of_ascii_grids(said: str, word: str) -> None:
    Path("n.asc").write_text(
        f"ncols 2\nnrows 2\nxllcorner 0\nyllcorner 0\ncellsize 30\nNODATA_value {said}\n1 2\n3 {word}\n"
    )
    np.testing.assert_array_equal(vf.Terrain.open("n.asc").heights, [[1, 2], [3, np.nan]])


@pytest.mark.parametrize("nodata", [-3.4028235e38, -3.40282306e38, -9999.0, 1e20, np.nan])
def test_nodata_of_rasters_in_other_digits(nodata: float) -> None:
    values = Z.copy()
    values[0, 0] = max(nodata, np.finfo(np.float32).min) if nodata < -1e38 else nodata
    terrain = vf.Terrain.open(raster("n.tif", values, nodata=nodata))
    assert np.isnan(terrain.heights[0, 0])
    assert np.isfinite(terrain.heights).sum() == 11
    assert stands_for(values, nodata).sum() == 1


@pytest.mark.parametrize("value", [-32768, -32767, -9999])
@pytest.mark.parametrize("kind", ["tif", "npy", "asc"])
def test_undeclared_nodata_is_warned_of(value: int, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    heights = np.full((8, 8), 300, "i2")
    heights[:2, :3] = value
    heights[4, 4] = 310
    if kind == "tif":
        path = raster("v.tif", heights)
    elif kind == "npy":
        np.save("v.npy", heights)
        path = "v.npy"
    else:
        path = asc("v.asc", 0, 0, 30, heights, "-1")
    terrain, words = warned(caplog, path)
    assert terrain.min_height == value
    assert f"6 samples are {value}" in words
    assert f"nodata={value}" in words
    for said in (value, str(value), [value, 12345]):
        terrain, words = warned(caplog, path, nodata=said)
        assert np.isnan(terrain.heights).sum() == 6
        assert str(value) not in words
    heights[6] = value + 1  # a trench that is that deep
    np.save("v.npy", heights)
    assert "samples are" not in warned(caplog, "v.npy")[1]


def test_numbers_that_are_no_heights_become_holes(caplog: pytest.LogCaptureFixture) -> None:
    for value in (3.4028235e38, -3.4e38, 9.96921e36):
        heights = Z.copy()
        heights[1, 1] = value
        np.save("v.npy", heights)
        terrain, words = warned(caplog, "v.npy", cell_size=100)
        assert np.isnan(terrain.heights).sum() == 1
        assert "1 values are beyond 1e+30" in words


def test_nodata_none_leaves_out_what_the_file_declares() -> None:
    path = raster("v.tif", Z, nodata=100.0)
    assert np.isnan(vf.Terrain.open(path).heights).sum() == 1
    np.testing.assert_array_equal(vf.Terrain.open(path, nodata="none").heights, Z)
    assert np.isnan(vf.Terrain.open(path, nodata=(200, 300)).heights).sum() == 3
    for wrong in ("x", True, [None]):
        with pytest.raises(vf.InputError, match="nodata is"):
            vf.Terrain.open(path, nodata=wrong)


# --- Averaging -------------------------------------------------------------------------------------------------------


def test_max_size_averages_what_the_file_holds() -> None:
    heights = (1000 + 100 * (np.indices((512, 512)).sum(0) % 2)).astype("f4")
    raster("ov.tif", heights, (10, 0, 7e5, 0, -10, 4e6))
    with rasterio.open("ov.tif", "r+") as file:
        file.build_overviews([2, 4, 8], rasterio.enums.Resampling.nearest)
    small = vf.Terrain.open("ov.tif", max_size=128)
    assert (small.min_height, small.max_height) == (1050.0, 1050.0)
    assert small.cell_size == (40.0, 40.0)


@pytest.mark.parametrize("shape", [(31, 57), (64, 64), (100, 33)])
@pytest.mark.parametrize("window", [(7, 57), (16, 11), (100, 100)])
def test_averages_by_area(shape: tuple[int, int], window: tuple[int, int]) -> None:
    """Against samples split into so many pieces that each lies in one coarse cell, with holes, in any windows."""
    rng = np.random.default_rng(7)
    fine = rng.random(shape)
    fine[rng.random(shape) < 0.2] = np.nan
    coarse = 9, 13
    mean = Averaging(shape, coarse)
    for top in range(0, shape[0], window[0]):
        for left in range(0, shape[1], window[1]):
            mean.add(top, left, fine[top : top + window[0], left : left + window[1]].astype(np.float32))
    pieces = np.repeat(np.repeat(fine, coarse[0], 0), coarse[1], 1).reshape(coarse[0], shape[0], coarse[1], shape[1])
    np.testing.assert_allclose(mean.result(), np.nanmean(pieces, axis=(1, 3)), rtol=1e-6)


def test_a_file_of_any_kind_averages_alike() -> None:
    heights = np.random.default_rng(3).random((50, 70)).astype("f4")
    raster("a.tif", heights)
    raster("b.tif", heights, tiled=True, blockxsize=16, blockysize=16)
    np.save("c.npy", heights)
    np.savez("d.npz", z=np.asfortranarray(heights))
    asc("e.asc", 5e5, 4e6, 30, heights)
    found = [vf.Terrain.open(name, max_size=30).heights for name in ("a.tif", "b.tif", "c.npy", "d.npz", "e.asc")]
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-6)
    placed = vf.Terrain.open("a.tif", max_size=30)
    whole = vf.Terrain.open("a.tif")
    assert np.multiply(placed.cell_size, placed.shape[::-1]) == pytest.approx(
        np.multiply(whole.cell_size, whole.shape[::-1])
    )
    assert vf.Terrain.open("c.npy", max_size=35, cell_size=10).cell_size == (20.0, 20.0)


# --- Refused, leaked, too big ----------------------------------------------------------------------------------------


def test_subdatasets() -> None:
    import rasterio.shutil

    raster("a.tif", Z)
    rasterio.shutil.copy("a.tif", "a.nc", driver="netCDF")
    with zipfile.ZipFile("a.zip", "w") as archive:
        archive.write("a.tif")
    here = os.getcwd()
    for name in (
        f"netcdf:{here}/a.nc:Band1",
        f"NETCDF:{here}/a.nc:Band1",
        "netcdf:a.nc:Band1",
        f"GTIFF_DIR:1:{here}/a.tif",
        f"/vsizip/{here}/a.zip/a.tif",
        f"zip://{here}/a.zip!a.tif",
        "a.tif",
    ):
        np.testing.assert_array_equal(vf.Terrain.open(name).heights, Z, err_msg=name)
    assert vf.Terrain.open("a.nc", key="Band1").max_height == 1100
    with pytest.raises(vf.InputError, match="no variable 'Band2'; did you mean|there are"):
        vf.Terrain.open("a.nc", key="Band2")
    with pytest.raises(vf.InputError, match="No such file|not a raster"):
        vf.Terrain.open("netcdf:missing.nc:z")
    Path("odd:name.npy").write_bytes(b"")
    np.save("odd:name.npy", Z)
    assert vf.Terrain.open("odd:name.npy").max_height == 1100


def test_several_variables() -> None:
    for word, factor in (("a", 1), ("b", 2)):
        netcdf(f"{word}.nc", LON, LAT, Z * factor, ("m", "m"), units="m")
    with rasterio.open("two.tif", "w", driver="GTiff", width=4, height=3, count=1, dtype="float32") as file:
        file.write(Z, 1)
    with pytest.raises(vf.InputError, match="means nothing to this kind of file"):
        vf.Terrain.open("two.tif", key="a")


@pytest.mark.parametrize("options", [{"key": "x"}, {"band": 2}, {"encoding": "mapbox"}, {"band": 1}])
@pytest.mark.parametrize("name", ["a.npy", "a.asc", "N40E010.hgt", "a.r32", "a.npz"])
def test_options_that_a_file_cannot_honour(name: str, options: dict[str, Any]) -> None:
    np.save("a.npy", Z)
    np.savez("a.npz", z=Z)
    asc("a.asc", 0, 0, 30, Z)
    np.zeros((1201, 1201), ">i2").tofile("N40E010.hgt")
    np.zeros((4, 4), "<f4").tofile("a.r32")
    (word,) = options
    if name == "a.npz" and word == "key":
        with pytest.raises(vf.InputError, match="holds no array 'x'"):
            vf.Terrain.open(name, **options)
        return
    with pytest.raises(vf.InputError, match=f"{word}=.* means nothing to this kind of file"):
        vf.Terrain.open(name, **options)


def huge_npz(path: str) -> str:
    """An array of 40,000 squared zero bytes, of which only the first few are there."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (40000, 40000)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("elevation.npy", head.getvalue() + bytes(1000))
    return path


def test_sizes_are_checked_before_anything_is_read() -> None:
    with rasterio.open(
        "t.tif",
        "w",
        driver="GTiff",
        width=100000,
        height=100000,
        count=1,
        dtype="uint8",
        tiled=True,
        sparse_ok=True,
        bigtiff="YES",
    ):
        pass
    Path("t.asc").write_text("ncols 100000\nnrows 50000\nxllcorner 0\nyllcorner 0\ncellsize 1\n1 2 3\n")
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": (90000, 2)})
    Path("t.npy").write_bytes(head.getvalue() + bytes(90000 * 8))
    for name in ("t.tif", "t.asc", "t.npy", huge_npz("t.npz")):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(vf.InputError, match=r"samples, and no device takes more than 32768 a side; max_size="):
            vf.Terrain.open(name)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, name
    with pytest.raises(vf.InputError, match="cut short"):
        vf.Terrain.open("t.npz", max_size=100)
    small = vf.Terrain.open("t.npy", max_size=300)
    assert small.shape == (300, 2)
    with gzip.open("bomb.hgt.gz", "wb", 9) as stream:
        for _ in range(300):
            stream.write(bytes(1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(vf.InputError, match="no tile of 16-bit heights"):
        vf.Terrain.open("bomb.hgt.gz")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000


def test_other_members_of_an_npz_are_left_alone() -> None:
    np.savez("k.npz", elevation=Z, meta=np.array({"source": "survey"}, dtype=object))
    np.testing.assert_array_equal(vf.Terrain.open("k.npz").heights, Z)
    with zipfile.ZipFile("o.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (20000, 10000, 3)})
        archive.writestr("rgb.npy", head.getvalue() + bytes(5000))  # its rest is missing, and nobody asks for it
        body = io.BytesIO()
        np.save(body, Z)
        archive.writestr("elevation.npy", body.getvalue())
        archive.writestr("readme.txt", "hello")
    np.testing.assert_array_equal(vf.Terrain.open("o.npz").heights, Z)


MEMORY = """
import sys
import vkforge as vf

def status(key):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key)) * 1024

vf.Terrain.open(sys.argv[1], max_size=50)
open("/proc/self/clear_refs", "w").write("5")
before = status("VmRSS")
terrain = vf.Terrain.open(sys.argv[1])
print((status("VmHWM") - before) / terrain.heights.nbytes)
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="peaks of memory are reset by Linux alone")
@pytest.mark.parametrize(("kind", "dtype"), [("npy", "f8"), ("npz", "i2"), ("tif", "f4"), ("asc", "i4")])
def test_memory_of_opening(kind: str, dtype: str) -> None:
    """At most three times the array of float32 that is kept, it among them."""
    heights = np.add.outer(np.arange(2500), np.arange(1200 if kind == "asc" else 2500)).astype(dtype)
    path = f"m.{kind}"
    if kind == "npy":
        np.save(path, heights)
    elif kind == "npz":
        np.savez_compressed(path, z=heights)
    elif kind == "asc":
        asc(path, 0, 0, 30, heights)
    else:
        raster(path, heights, compress="deflate")
    command = [sys.executable, "-W", "ignore", "-c", MEMORY, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout.split()[-1]) < 3.0


def test_zero_steps_and_other_broken_places() -> None:
    for place in ("500000,30,0,4000000,0,0", "500000,0,0,4000000,0,-30", "nan,30,0,4000000,0,-30"):
        Path("z.vrt").write_text(
            '<VRTDataset rasterXSize="4" rasterYSize="3"><SRS>EPSG:32616</SRS><GeoTransform>'
            + place
            + "</GeoTransform>"
            '<VRTRasterBand dataType="Float32" band="1"/></VRTDataset>'
        )
        with pytest.raises(vf.InputError, match="cells of no size"):
            vf.Terrain.open("z.vrt")
    with pytest.raises(vf.InputError, match="latitude of"):
        vf.Terrain.open(raster("far.tif", Z, (0.1, 0, 10, 0, -0.1, 120), "EPSG:4326"))


def test_pgm_has_no_place_of_its_own() -> None:
    Image.fromarray(Z.astype(np.uint8)).save("a.pgm")
    for _ in range(3):
        terrain = vf.Terrain.open("a.pgm")
        assert terrain.cell_size == (1.0, 1.0)
        assert terrain.transform is None


@pytest.mark.parametrize("what", ["heights", "albedo"])
def test_a_server_that_never_answers(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        rasters, "HTTP", {**rasters.HTTP, "GDAL_HTTP_LOW_SPEED_TIME": "1", "GDAL_HTTP_CONNECTTIMEOUT": "1"}
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []
        threading.Thread(target=lambda: [kept.append(server.accept()[0]) for _ in range(4)], daemon=True).start()
        start = time.monotonic()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/dem.tif"
        with pytest.raises(vf.InputError, match="not a raster that rasterio can read|can't be read as a picture"):
            vf.Terrain.open(url) if what == "heights" else vf.Terrain(Z, albedo=url)
        assert time.monotonic() - start < 20.0
    assert float(rasters.HTTP["GDAL_HTTP_LOW_SPEED_TIME"]) <= 20.0


def test_pipes_folders_and_names() -> None:
    os.mkfifo("pipe.npy")
    with pytest.raises(vf.InputError, match="is a pipe or a device"):
        vf.Terrain.open("pipe.npy")
    odd = os.fsdecode(b"caf\xe9.npy")
    np.save(odd, Z)
    np.testing.assert_array_equal(vf.Terrain.open(odd).heights, Z)
    raster("a.tif", Z)
    os.rename("a.tif", os.fsdecode(b"caf\xe9.tif"))
    with pytest.raises(vf.InputError, match=r"caf\\xe9.tif: has a name that is not UTF-8") as caught:
        vf.Terrain.open(os.fsdecode(b"caf\xe9.tif"))
    str(caught.value).encode()
    np.save("grüß.npy", Z)
    assert vf.Terrain.open("grüß.npy").max_height == 1100


def test_gdals_reason_and_the_suffix_that_fits(no_rasterio: None) -> None:
    Path("dem.tfi").write_text("x")
    with pytest.raises(vf.InputError, match="did you mean '.tif'"):
        vf.Terrain.open("dem.tfi")
    Path("dem.hgt.zip").write_text("x")
    with pytest.raises(vf.InputError, match="unknown file extension '.zip'"):
        vf.Terrain.open("dem.hgt.zip")


def test_packed_rasters() -> None:
    raster("a.tif", Z)
    Path("a.tif.gz").write_bytes(gzip.compress(Path("a.tif").read_bytes()))
    np.testing.assert_array_equal(vf.Terrain.open("a.tif.gz").heights, Z)
    Path("b.tif").write_bytes(Path("a.tif").read_bytes()[:200])
    with pytest.raises(vf.InputError, match=r"not a raster that rasterio can read, or truncated \(.+\)"):
        vf.Terrain.open("b.tif")


# --- Tiles and pictures of heights -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "cols"), [(1201, 601), (3601, 1801), (1201, 401), (1201, 1201)])
def test_hgt_of_high_latitudes(rows: int, cols: int) -> None:
    heights = np.zeros((rows, cols), ">i2")
    heights[0, 1], heights[5, 5] = 77, -32768
    heights.tofile("N61E010.hgt")
    terrain = vf.Terrain.open("N61E010.hgt", max_size=None)
    assert terrain.shape == (rows, cols)
    assert terrain.heights[0, 1] == 77
    assert np.isnan(terrain.heights[5, 5])
    assert terrain.transform is not None
    np.testing.assert_allclose(terrain.transform[0], 1 / (cols - 1))
    np.testing.assert_allclose(terrain.transform[4], -1 / (rows - 1))
    np.testing.assert_allclose(terrain.to_world((10.5, 61.5, 0.0))[:2], 0.0, atol=1e-4)


def encode(heights: np.ndarray, encoding: str) -> np.ndarray:
    count = np.round((heights + 10000) * 10 if encoding == "mapbox" else (heights + 32768) * 256).astype(np.int64)
    return np.stack([count >> 16, count >> 8 & 255, count & 255], -1).astype(np.uint8)


@pytest.mark.parametrize("encoding", ["mapbox", "terrarium"])
@pytest.mark.parametrize("suffix", [".png", ".webp"])
@pytest.mark.parametrize("without", [False, True])
def test_heights_in_colours(encoding: str, suffix: str, without: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if without:
        monkeypatch.setattr(elevation_geo, "available", lambda: False)
    heights = np.array([[-10000.0, -0.1, 0.0], [8848.8, 123.4, -431.0]])
    Image.fromarray(encode(heights, encoding)).save("t" + suffix, lossless=True)
    found = vf.Terrain.open("t" + suffix, encoding=encoding).heights
    np.testing.assert_allclose(found, heights, atol=0.05 if encoding == "mapbox" else 0.002)
    alpha = np.full((2, 3, 1), 255, np.uint8)
    alpha[1, 1] = 0
    Image.fromarray(np.concatenate([encode(heights, encoding), alpha], -1)).save("a.png")
    assert np.isnan(vf.Terrain.open("a.png", encoding=encoding).heights).sum() == 1
    with pytest.raises(vf.InputError, match="encoding is 'mapbx'; wanted one of mapbox, terrarium.*did you mean"):
        vf.Terrain.open("a.png", encoding="mapbx")
    Image.fromarray(np.zeros((3, 3), np.uint8)).save("grey.png")
    with pytest.raises(vf.InputError, match="wants red, green and blue"):
        vf.Terrain.open("grey.png", encoding=encoding)


def test_raw_heightmaps() -> None:
    values = np.arange(16, dtype="<u2").reshape(4, 4) * 4096
    values.tofile("a.r16")
    np.testing.assert_array_equal(vf.Terrain.open("a.r16").heights, values)
    ranged = vf.Terrain.open("a.r16", height_range=(0, 65.535), cell_size=10)
    np.testing.assert_allclose(ranged.heights, values / 1000, rtol=1e-6)
    floats = values.astype("<f4") / 7
    floats.tofile("a.r32")
    np.testing.assert_array_equal(vf.Terrain.open("a.r32").heights, floats)
    values[:3].tofile("b.r16")
    with pytest.raises(vf.InputError, match=r"24 bytes are no square of 16-bit heights.*reshape\(rows, cols\)"):
        vf.Terrain.open("b.r16")


def test_exr_heightmaps() -> None:
    import OpenEXR

    kind = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(kind, {"Z": Z}).write("one.exr")
    np.testing.assert_array_equal(vf.Terrain.open("one.exr").heights, Z)
    OpenEXR.File(kind, {"height": Z, "wetness": Z * 0 + 1}).write("two.exr")
    np.testing.assert_array_equal(vf.Terrain.open("two.exr").heights, Z)
    assert vf.Terrain.open("two.exr", key="wetness").max_height == 1.0
    with pytest.raises(vf.InputError, match="no channel 'heigt'; did you mean 'height'"):
        vf.Terrain.open("two.exr", key="heigt")
    OpenEXR.File(kind, {"a": Z, "b": Z}).write("ab.exr")
    with pytest.raises(vf.InputError, match="wanted one channel"):
        vf.Terrain.open("ab.exr")
