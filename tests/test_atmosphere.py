"""The physical sky's numbers against float64 quadrature and a Monte Carlo of all orders of scattering."""

from __future__ import annotations

import json
import os
import re
from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from truth import atmosphere as truth

import vkforge as vf
from vkforge.errors import InputError, MissingDependencyError
from vkforge.io import table_cache
from vkforge.passes.atmosphere import air, tables
from vkforge.passes.atmosphere.sky import transmittance_to_space

ROOT = Path(__file__).resolve().parents[1]
STORED = json.loads(truth.STORED.read_text())
NOT_PHYSICAL: Any = vf.Sky.uniform(1)
EAST = 90.0  # where the truth has its sun: in the plane of x and z


def sun(elevation: float) -> vf.Sun:
    return vf.Sun(azimuth=EAST, elevation=elevation, irradiance=1.0)


def differences(low: float, high: float, *, single: bool = False) -> list[np.ndarray]:
    """Relative differences of the sky's radiance, one array a stored sky whose sun is within the elevations."""
    found = []
    for (elevation, altitude, albedo), group in groupby(STORED["sky"], key=lambda row: tuple(row[0][:3])):
        rows = list(group)
        if not low <= elevation <= high:
            continue
        directions = np.array([truth.unit(*row[0][3:]) for row in rows])
        wanted = np.array([row[1] for row in rows])
        got = (
            np.array([row[3] for row in rows])
            if single
            else vf.atmosphere.radiance(vf.Sky(ground_albedo=albedo), sun(elevation), directions, altitude)
        )
        # Where the Monte Carlo itself is unsure (outer space seen through what little air is left) it says nothing.
        sure = np.array([row[2] for row in rows]) < 0.05 * wanted
        found.append((got / wanted - 1)[sure])
    assert found
    return found


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("low", "high", "median", "most"), [(15, 90, 0.02, 0.15), (0, 5, 0.02, 0.15), (-4, -4, 0.05, 0.4)]
)
def test_the_sky_is_that_of_all_orders_of_scattering(low: float, high: float, median: float, most: float) -> None:
    for difference in differences(low, high):
        assert np.median(np.abs(difference)) <= median
        assert np.abs(difference).max() <= most


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("turbidity", "median", "most"), [(1.5, 0.015, 0.08), (2, 0.02, 0.08), (4, 0.03, 0.08), (10, 0.12, 0.4)]
)
def test_hazy_skies_are_those_of_all_orders_of_scattering(turbidity: float, median: float, most: float) -> None:
    """The aerosols' forward peak, scattered again and again; the Monte Carlo is sure to 1 % in the median."""
    rows = [row for row in STORED["hazy"] if row[0][0] == turbidity]
    for elevation, group in groupby(rows, key=lambda row: row[0][1]):
        asked, wanted, error = zip(*group, strict=True)
        directions = [truth.unit(*row[2:]) for row in asked]
        sky = vf.atmosphere.radiance(vf.Sky(turbidity=turbidity), sun(elevation), directions, 2.0)
        difference = np.abs(sky / np.array(wanted) - 1)
        print(f"sun at {elevation}: median {np.median(difference):.4f}, largest {difference.max():.4f}")
        assert np.median(difference) <= median
        assert (difference <= most + 3 * np.divide(error, wanted)).all()


def test_single_scattering_alone_would_fail() -> None:
    for difference in differences(15, 90, single=True):
        assert np.median(np.abs(difference)) > 0.13
        assert np.median(difference) < 0


@pytest.mark.gpu
def test_the_stored_values_are_those_of_the_monte_carlo() -> None:
    """A few of them again, with other random numbers."""
    rng = np.random.default_rng(77)
    for (elevation, altitude, albedo, e, a), wanted, error, first in STORED["sky"][3::61]:
        air, d, s = truth.Air(albedo=albedo), truth.unit(e, a), truth.unit(elevation)
        single = truth.single_scattering(air, altitude, d, s)
        np.testing.assert_allclose(single, first, rtol=1e-3, atol=1e-9)
        rest, noise = truth.higher_orders(air, altitude, d, s, 3000, rng)
        assert (np.abs(single + rest - wanted) < 6 * np.hypot(noise, error) + 1e-9).all()
    for (turbidity, elevation, e, a), wanted, error in STORED["hazy"][5::40]:
        air, d, s = truth.Air.hazy(turbidity), truth.unit(e, a), truth.unit(elevation)
        rest, noise = truth.higher_orders(air, 2, d, s, 2000, rng)
        found = truth.single_scattering(air, 2, d, s) + rest
        assert (np.abs(found - wanted) < 6 * np.hypot(noise, error)).all()


@pytest.mark.gpu
def test_transmittance() -> None:
    sky = vf.Sky()
    np.testing.assert_allclose(vf.atmosphere.transmittance(sky, 0, 90), (0.94036, 0.86762, 0.76231), atol=1e-3)
    np.testing.assert_allclose(vf.atmosphere.transmittance(sky, 0, 5), (0.54364, 0.24947, 0.06363), atol=1e-3)
    altitudes, elevations = np.array([0.0, 700.0, 4e3, 20e3, 70e3])[:, None], np.linspace(0.0, 90.0, 61)
    got = vf.atmosphere.transmittance(sky, altitudes, elevations)
    assert got.shape == (5, 61, 3)
    wanted = [[truth.transmittance(truth.Air(), h, e) for e in elevations] for h in altitudes.ravel()]
    np.testing.assert_allclose(got, wanted, atol=1e-3)
    assert (vf.atmosphere.transmittance(sky, 0, -1) == 0).all()
    # From space: past the air, through its rim, at the ground.
    np.testing.assert_array_equal(vf.atmosphere.transmittance(sky, 2e6, 0), 1)
    rim = -np.degrees(np.arccos((6360e3 + 15e3) / (6360e3 + 2e6)))
    np.testing.assert_allclose(
        vf.atmosphere.transmittance(sky, 2e6, rim), truth.transmittance(truth.Air(), 2e6, rim), atol=2e-3
    )
    assert (vf.atmosphere.transmittance(sky, 2e6, -80) == 0).all()


def test_the_hosts_transmittance_is_the_same() -> None:
    for altitude in (0.0, 1500.0, 30e3):
        for elevation in (90.0, 20.0, 3.0, 0.5):
            got = transmittance_to_space(vf.Sky(), altitude, float(np.sin(np.radians(elevation))))
            np.testing.assert_allclose(got, truth.transmittance(truth.Air(), altitude, elevation), atol=1e-4)


@pytest.mark.gpu
@pytest.mark.parametrize("sky", [vf.Sky(), vf.Sky(top_radius=6361e3), vf.Sky(ground_radius=1e5, top_radius=1.4e5)])
def test_the_hosts_transmittance_from_above_the_air(sky: vf.Sky) -> None:
    """Over ground higher than the air reaches: light comes past the air, or down through it and out again."""
    thickness = sky.top_radius - sky.ground_radius
    for altitude in (thickness * (1.0 - 1e-9), thickness, 1.001 * thickness, 1.5 * thickness, 40.0 * thickness):
        horizon = -np.degrees(np.arccos(sky.ground_radius / (sky.ground_radius + altitude)))
        for elevation in (90.0, 5.0, 0.0, *np.linspace(0.0, 0.999, 9) * horizon):
            got = transmittance_to_space(sky, altitude, float(np.sin(np.radians(elevation))))
            wanted = vf.atmosphere.transmittance(sky, altitude, elevation)
            np.testing.assert_allclose(got, wanted, atol=4e-3, err_msg=f"{altitude:g} m, {elevation:g} degrees")
        at_horizon = transmittance_to_space(sky, altitude, float(np.sin(np.radians(horizon))))
        assert transmittance_to_space(sky, altitude, -1.0) == pytest.approx(at_horizon, abs=1e-6)


@pytest.mark.gpu
def test_aerial_perspective() -> None:
    everything = []
    for (elevation, altitude), group in groupby(STORED["haze"], key=lambda row: tuple(row[0][:2])):
        rows = list(group)
        directions = np.array([truth.unit(*row[0][2:4]) for row in rows])
        distances = np.array([row[0][4] for row in rows])
        light, left = vf.atmosphere.aerial_perspective(vf.Sky(), sun(elevation), directions, distances, altitude)
        np.testing.assert_allclose(left, [row[3] for row in rows], atol=2e-4)
        difference = light / np.array([row[1] for row in rows]) - 1
        assert np.median(np.abs(difference)) < 0.03
        everything.append(np.abs(difference))
    assert np.max(everything) < 0.15


@pytest.mark.gpu
def test_aerial_perspective_adds_up_to_the_sky() -> None:
    """To the end of the air, what is scattered in is the sky."""
    looks = [truth.unit(e, a) for e in (1.0, 10.0, 60.0) for a in (0.0, 70.0, 180.0)]
    for altitude in (10.0, 5000.0, 150e3):
        light, _ = vf.atmosphere.aerial_perspective(vf.Sky(), sun(20), looks, 1e7, altitude)
        np.testing.assert_allclose(
            light, vf.atmosphere.radiance(vf.Sky(), sun(20), looks, altitude), rtol=0.04, atol=1e-5
        )


@pytest.mark.gpu
def test_no_light_without_a_sun_and_none_in_deep_night() -> None:
    looks = [truth.unit(e, a) for e in (-60.0, 2.0, 45.0, 90.0) for a in (0.0, 90.0)]
    assert (vf.atmosphere.radiance(vf.Sky(), None, looks, 100.0) == 0).all()
    assert vf.atmosphere.radiance(vf.Sky(), sun(-30), looks, 100.0).max() < 1e-9


@pytest.mark.gpu
def test_twilight_fades_evenly_down_to_12_degrees() -> None:
    sky = [vf.atmosphere.radiance(vf.Sky(), sun(-e), truth.unit(20, 0), 100.0) for e in np.arange(0.0, 12.5, 0.5)]
    ratio = np.array(sky)[1:] / np.array(sky)[:-1]
    assert (ratio < 1).all() and (ratio > 0.3).all()
    assert np.min(sky[-1]) > 0


@pytest.mark.gpu
def test_light_is_linear_in_the_suns() -> None:
    looks = np.random.default_rng(3).normal(size=(4, 5, 3))
    one = vf.atmosphere.radiance(vf.Sky(), sun(30), looks, 100.0)
    red = vf.atmosphere.radiance(vf.Sky(), vf.Sun(EAST, 30, (2, 1, 0)), looks, 100.0)
    assert one.shape == looks.shape
    np.testing.assert_allclose(red, one * np.array([2.0, 1.0, 0.0]), rtol=1e-6)
    again = vf.atmosphere.radiance(vf.Sky(), sun(30), looks * 7, 100.0)
    np.testing.assert_array_equal(one, again)


def sights(sky: vf.Sky, elevation: float = 30.0, altitude: float = 2.0) -> tables.Sights:
    return tables.Sights(sky, sun(elevation), 0.0, (0.0, 0.0, altitude), sky.aerial_perspective)


class Made(list[str]):
    """What is made of the skies' tables while it watches."""

    def watch(self, monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> None:
        real = getattr(where, name)
        monkeypatch.setattr(where, name, lambda *given, **named: [self.append(name), real(*given, **named)][1])


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Made:
    """Watch tables being made, with none kept in memory or on disk."""
    monkeypatch.setenv("VKFORGE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(air, "_kept", OrderedDict())
    names = Made()
    names.watch(monkeypatch, tables.DeviceSky, "_make_air")
    names.watch(monkeypatch, tables.DeviceSky, "_fit_air")
    names.watch(monkeypatch, tables.DeviceSky, "_fit_view")
    return names


@pytest.mark.gpu
def test_tables_are_made_only_when_they_must(made: Made) -> None:
    with vf.Renderer() as renderer:
        sky, hazier, haziest = vf.Sky(), vf.Sky(turbidity=1.2), vf.Sky(turbidity=1.3)

        def makes(*wanted: str, of: tables.Sights) -> None:
            made.clear()
            renderer.sky_tables(of)
            assert made == list(wanted)

        makes("_fit_air", "_make_air", "_fit_view", of=sights(sky))
        makes(of=sights(sky))
        makes("_fit_view", of=sights(sky, elevation=31))
        makes("_fit_view", of=sights(sky, altitude=3))
        makes("_fit_air", "_make_air", "_fit_view", of=sights(hazier))
        makes(of=sights(sky, altitude=3))  # two skies in turn keep their tables
        makes(of=sights(hazier))
        makes("_fit_air", "_make_air", "_fit_view", of=sights(haziest))
        kept = [] if renderer.device.type == "cpu" else ["_make_air"]  # a GPU makes air quicker than it brings it
        makes("_fit_air", *kept, "_fit_view", of=sights(sky))


@pytest.mark.gpu
def test_what_moves_leaves_no_old_sky_behind() -> None:
    """The sky that lights the ground stays while the camera moves; after the sun and the ground did it is new."""
    y, x = np.mgrid[:16, :16]
    heights = 60.0 * np.sin(x / 3) * np.cos(y / 2)
    low, high = (vf.Terrain(heights + base, 30.0) for base in (0.0, 3000.0))
    shots = [(low, 30.0, 10.0), (low, 30.0, 90.0), (low, 5.0, 90.0), (low, 5.0, 200.0), (high, 5.0, 200.0)]
    shots += [(high, 5.0, 20.0), (low, 30.0, 10.0)]

    def seen(renderer: vf.Renderer, ground: vf.Terrain, elevation: float, azimuth: float) -> np.ndarray:
        scene = vf.Scene(ground, vf.Camera.orbit(ground, azimuth=azimuth), sun(elevation), vf.Sky())
        return renderer.render(scene, (24, 16), samples=1, sky_rays=8).hdr

    with vf.Renderer() as renderer:
        found = [seen(renderer, *shot) for shot in shots]
        for shot, picture in zip(shots, found, strict=True):
            renderer.sky_tables(sights(vf.Sky())).now = None  # all of it is made anew
            np.testing.assert_array_equal(picture, seen(renderer, *shot), err_msg=str(shot[1:]))


def numbers(renderer: vf.Renderer, of: tables.Sights) -> np.ndarray:
    looks = np.array([truth.unit(e, a) for e in (-20.0, 1.0, 10.0, 60.0) for a in (0.0, 70.0, 180.0)])
    found = renderer.sky_tables(of).look_up("air between", looks, np.full(len(looks), 1e5))
    return np.concatenate([*found, *renderer.sky_tables(of).look_up("sky", looks, np.zeros(len(looks)))])


@pytest.mark.gpu
def test_kept_tables_have_the_bits_of_new_ones(made: Made, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In memory, on disk, and where what lies there is torn, edited, or another sky's."""
    of = sights(vf.Sky(turbidity=1.1))

    def fresh() -> np.ndarray:
        with vf.Renderer() as renderer:
            if renderer.device.type != "cpu":
                pytest.skip("tables are kept for CPU drivers alone")
            made.clear()
            air._kept.clear()
            return numbers(renderer, of)

    wanted = fresh()
    assert "_make_air" in made
    np.testing.assert_array_equal(fresh(), wanted)
    assert "_make_air" not in made  # from disk
    (file,) = tmp_path.glob("sky-*.bin")
    assert file.stat().st_size < 2e6
    content = file.read_bytes()
    torn = {"torn": content[:-100], "edited": content[:5000] + b"\x00\xff" + content[5002:], "empty": b""}
    for what, wrong in torn.items():
        file.write_bytes(wrong)
        np.testing.assert_array_equal(fresh(), wanted, err_msg=what)
        assert "_make_air" in made and file.read_bytes() == content  # made again, and mended
    assert sum("corrupt" in record.message for record in caplog.records) == len(torn)
    with vf.Renderer() as renderer:
        numbers(renderer, sights(vf.Sky(turbidity=1.15)))
    (other,) = set(tmp_path.glob("sky-*.bin")) - {file}
    other.replace(file)  # whole, but of another sky
    np.testing.assert_array_equal(fresh(), wanted)


@pytest.mark.gpu
def test_a_folder_that_takes_no_tables_is_no_trouble(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VKFORGE_CACHE_DIR", str(tmp_path / "file" / "folder"))
    with vf.Renderer() as renderer:
        assert numbers(renderer, sights(vf.Sky(turbidity=1.1))).max() > 0
    assert "_make_air" in made


def test_the_oldest_files_of_a_kind_go_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VKFORGE_CACHE_DIR", str(tmp_path))
    for index in range(table_cache.MOST_FILES + 3):
        table_cache.store("test", bytes([index]), b"data %d" % index)
        for path in tmp_path.glob("*.bin"):
            os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))
        assert table_cache.load("test", b"\0") == b"data 0"  # read again and again, and so never the oldest
    assert len(list(tmp_path.iterdir())) == table_cache.MOST_FILES
    assert [table_cache.load("test", bytes([index])) is None for index in range(5)] == [False, True, True, True, False]


@pytest.mark.gpu
def test_the_air_does_not_depend_on_what_sun_it_was_first_seen_under(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = []
    for width in (0.53, 20.0):
        with vf.Renderer() as renderer:
            air._kept.clear()
            monkeypatch.setenv("VKFORGE_CACHE_DIR", str(tmp_path / str(width)))
            before = vf.Sun(azimuth=EAST, elevation=5, angular_diameter=width)
            renderer.sky_tables(tables.Sights(vf.Sky(), before, 0.0, (0.0, 0.0, 2.0), 1.0))
            found.append(numbers(renderer, sights(vf.Sky())))
    assert made.count("_make_air") == 2
    np.testing.assert_array_equal(*found)


def test_sizes_are_those_of_the_shaders() -> None:
    include = ROOT / "shaders" / "glsl" / "include"
    sizes = {
        "transmittance": (air, ("DEPTH_SIZE",)),
        "places": (air, ("PLACES", "MOMENTS", "HALO_SIZE")),
        "arriving": (air, ("COSINES",)),
        "sight": (tables, ("AZIMUTHS", "SKY_ROWS", "HAZE_ROWS", "SLICES")),
    }
    for name, (module, constants) in sizes.items():
        source = (include / f"{name}.glsl").read_text()
        for constant in constants:
            found = re.search(rf"const i\w+ {constant} = (?:ivec\d\()?([\d, ]+)", source)[1].split(",")
            wanted = getattr(module, constant)
            assert tuple(map(int, found)) == (wanted if isinstance(wanted, tuple) else (wanted,))


def test_defaults_are_hillaires() -> None:
    sky = vf.Sky()
    assert sky.aerosols == 1.0
    assert sky.mie_scattering == (3.996e-6,) * 3 and sky.mie_extinction == (4.44e-6,) * 3
    assert vf.Sky(turbidity=1).aerosols == 0.0
    # Two thirds of the optical depth at 550 nm are aerosols' at a turbidity of 3.
    assert 4.44e-6 * 1200 * vf.Sky(turbidity=3).aerosols == pytest.approx(2 * 13.558e-6 * 8000)
    assert isinstance(vf.Sky.uniform(1.0), vf.GradientSky) and isinstance(vf.Sky.gradient(), vf.GradientSky)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vf.Sky(turbidity=0.5), "Sky turbidity is 0.5; wanted a finite number from 1 to 10"),
        (lambda: vf.Sky(ground_albedo=1.5), "Sky ground_albedo is 1.5"),
        (lambda: vf.Sky(top_radius=6000e3), "Sky top_radius"),
        (lambda: vf.Sky(mie_extinction=1e-6), "includes scattering"),
        (lambda: vf.Sky(rayleigh_scattering=(1, 2)), "rayleigh_scattering"),
        (lambda: vf.Sky(mie_anisotropy=1.0), "mie_anisotropy"),
        (lambda: vf.Sky(ozone_half_width=0), "ozone_half_width"),
        (lambda: vf.Sky(aerial_perspective=-1), "aerial_perspective"),
        (lambda: vf.atmosphere.radiance(NOT_PHYSICAL, sun(1), [0, 0, 1]), "wanted a physical vkforge.Sky"),
        (lambda: vf.atmosphere.radiance(vf.Sky(), sun(1), [0, 0]), "wanted (..., 3)"),
        (lambda: vf.atmosphere.radiance(vf.Sky(), sun(1), [0, 0, 0]), "a direction is zero"),
        (lambda: vf.atmosphere.radiance(vf.Sky(), sun(1), [0, 0, 1], -5), "altitude"),
        (lambda: vf.atmosphere.transmittance(vf.Sky(), [0, 1], [1, 2, 3]), "wanted shapes that broadcast"),
        (lambda: vf.atmosphere.transmittance(vf.Sky(), 0, 91), "holds 91; wanted finite numbers from -90 to 90"),
        (lambda: vf.atmosphere.aerial_perspective(vf.Sky(), sun(1), [0, 0, 1], -1), "of at least 0"),
    ],
)
def test_what_can_not_be(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        make()


# The real sun

# Reda and Andreas 2004 (NREL/TP-560-34302), table A5.1: Golden, Colorado; without refraction 39.872046 degrees high.
GOLDEN = (39.742476, -105.1786, datetime(2003, 10, 17, 12, 30, 30, tzinfo=timezone(timedelta(hours=-7))))


@pytest.mark.parametrize(("crs", "longitude"), [("EPSG:32632", 11.5), ("EPSG:32632", 6.5), ("EPSG:2056", 10.0)])
def test_the_sun_over_a_projected_terrain_keeps_to_true_north(crs: str, longitude: float) -> None:
    """Grid north is the meridian's turned by its convergence, of which PROJ knows the angle."""
    pytest.importorskip("astral")
    pyproj = pytest.importorskip("pyproj")
    latitude = 46.5
    x, y = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(longitude, latitude)
    terrain = vf.Terrain(np.zeros((3, 3)), 30.0, crs=crs, transform=(30.0, 0.0, x - 45.0, 0.0, -30.0, y + 45.0))
    convergence = pyproj.Proj(crs).get_factors(longitude, latitude).meridian_convergence
    plain = vf.Sun.at(latitude, longitude, GOLDEN[2])
    over = vf.Sun.at(latitude, longitude, GOLDEN[2], terrain=terrain)
    print(f"{crs} at {longitude}: grid north is {convergence:.2f} degrees from true north")
    assert abs(convergence) > 1.0
    assert over.azimuth == pytest.approx(plain.azimuth - convergence, abs=0.01)
    assert over.elevation == plain.elevation
    scene, place = vf.Scene(terrain, sun=plain), (latitude, longitude)
    film = vf.Animation(scene, {"sun": {0: GOLDEN[2]}}, duration=1.0, place=place)
    assert film.scene(0.0).sun == over


def test_the_real_sun_stands_where_the_almanac_says() -> None:
    made = vf.Sun.at(*GOLDEN)
    assert made.azimuth == pytest.approx(194.340241, abs=0.01)
    assert made.elevation == pytest.approx(39.872046 + 0.0199, abs=0.01)  # refraction at 1013 mbar
    assert vf.Sun.at(*GOLDEN, irradiance=2, angular_diameter=1).irradiance == (2.0, 2.0, 2.0)


def test_solstice_and_equinox() -> None:
    # Declination is 23.436 degrees at the solstice of 2025 (21 June, 02:42 UTC), 0 at the equinox (20 March, 09:01).
    # On the meridian below it, by the equation of time (-1.8 and -7.4 minutes), it is 90 - latitude + declination high.
    solstice = vf.Sun.at(60, 139.95, datetime(2025, 6, 21, 2, 42, tzinfo=UTC))
    assert solstice.elevation == pytest.approx(30 + 23.436 + 0.012, abs=0.02)
    equinox = vf.Sun.at(50, 46.6, datetime(2025, 3, 20, 9, 1, tzinfo=UTC))
    assert equinox.elevation == pytest.approx(40 + 0.02, abs=0.02)
    assert equinox.azimuth == pytest.approx(180, abs=0.2)


def test_a_time_without_a_zone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no time zone"):
        vf.Sun.at(47, 8, datetime(2026, 6, 21, 12, 0))
    with pytest.raises(InputError, match="wanted a datetime"):
        vf.Sun.at(47, 8, "noon")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="latitude"):
        vf.Sun.at(97, 8, GOLDEN[2])
    monkeypatch.setitem(__import__("sys").modules, "astral", None)
    with pytest.raises(MissingDependencyError, match=r"vkforge-renderer\[sun\]"):
        vf.Sun.at(*GOLDEN)
