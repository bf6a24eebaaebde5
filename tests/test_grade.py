"""The grade and look-up tables: closed forms in NumPy, files, and the device against NumPy in every combination."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge.post.display import finish
from vkforge.post.grade import white_balance, white_point
from vkforge.post.lut import log_decode, log_encode

RNG = np.random.default_rng(8)
COLORS = RNG.random((200, 3)) * 3.0


def cube(n: int) -> np.ndarray:
    """The table that changes nothing: (n, n, n, 3) by blue, green, red."""
    axis = np.linspace(0.0, 1.0, n)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    return np.stack([red, green, blue], axis=-1)


# White balance


@pytest.mark.parametrize(
    ("temperature", "x", "y"),
    [  # CIE 15:2018: illuminants A, D50, D55, D65, D75
        (2856.0, 0.44757, 0.40745),
        (5003.0, 0.34567, 0.35850),
        (5503.0, 0.33242, 0.34743),
        (6504.0, 0.31271, 0.32902),
        (7504.0, 0.29902, 0.31485),
    ],
)
def test_white_points_are_those_of_the_cie(temperature: float, x: float, y: float) -> None:
    assert white_point(temperature) == pytest.approx((x, y), abs=4e-4)


def test_white_balance_takes_the_light_to_white() -> None:
    to_xyz = np.array(
        [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923], [0.0193308, 0.1191948, 0.9505322]]
    )
    for temperature, tint in ((2856.0, 0.0), (4400.0, 20.0), (9000.0, -30.0)):
        x, y = white_point(temperature, tint)
        light = np.linalg.solve(to_xyz, [x / y, 1.0, (1.0 - x - y) / y])
        white = white_balance(temperature, tint) @ light
        assert white == pytest.approx([1.0, 1.0, 1.0], abs=2e-3)
    assert white_balance(6504.0) == pytest.approx(np.eye(3), abs=1e-12)


def test_which_way_temperature_and_tint_go() -> None:
    grey = np.full(3, 0.18)
    warmer, colder = vf.Grade(temperature=9000.0).light(grey), vf.Grade(temperature=4000.0).light(grey)
    assert warmer[0] > warmer[2]
    assert colder[0] < colder[2]
    magenta = vf.Grade(tint=40.0).light(grey)
    assert magenta[1] < min(magenta[0], magenta[2])


def test_white_balance_turns_no_sign() -> None:
    """Wherever a pair is taken, all cones see its light: more tint is more magenta, and gains are above 0."""
    for temperature in (1667.0, 2000.0, 2500.0, 3200.0, 4000.0, 6504.0, 25_000.0):
        before = -np.inf
        for tint in range(-150, 151, 5):
            try:
                vf.Grade(temperature=temperature, tint=tint)
            except vf.InputError:
                break
            balance = white_balance(temperature, tint)
            assert np.linalg.eigvals(balance).min() > 0.0
            grey = balance @ np.full(3, 0.18)
            magenta = (grey[0] + grey[2]) / 2.0 - grey[1]
            assert magenta > before
            before = magenta


def test_contrast_and_saturation() -> None:
    assert vf.Grade(contrast=1.5).light(np.full(3, 0.18)) == pytest.approx(0.18)
    assert vf.Grade(contrast=2.0).light(np.full(3, 0.36)) == pytest.approx(0.72)
    grey = vf.Grade(saturation=0.0).light(COLORS)
    assert np.ptp(grey, axis=-1).max() < 1e-12
    weights = np.array([0.2126, 0.7152, 0.0722])
    assert vf.Grade(saturation=2.0).light(COLORS) @ weights == pytest.approx(COLORS @ weights)


def test_lift_gamma_and_gain() -> None:
    black, white, middle = np.zeros(3), np.ones(3), np.full(3, 0.5)
    assert vf.Grade(lift=0.1).display(black) == pytest.approx(0.1)
    assert vf.Grade(lift=0.1).display(white) == pytest.approx(1.0)
    assert vf.Grade(gain=(0.9, 1.0, 0.8)).display(white) == pytest.approx([0.9, 1.0, 0.8])
    assert vf.Grade(gamma=2.0).display(middle) == pytest.approx(0.5**0.5)


# Tables


def test_a_table_that_changes_nothing() -> None:
    colors = RNG.random((300, 3))
    for n in (2, 3, 17):
        assert vf.Lut(cube(n)).apply(colors) == pytest.approx(colors, abs=1e-6)


def test_tetrahedra() -> None:
    """Along each edge and each diagonal of a cell straight, as no other way to cut a cube has it."""
    table = RNG.random((2, 2, 2, 3))
    lut = vf.Lut(table)
    corner = {(r, g, b): table[b, g, r] for r in (0, 1) for g in (0, 1) for b in (0, 1)}
    for start, end in (((0, 0, 0), (1, 1, 1)), ((0, 0, 0), (1, 1, 0)), ((1, 0, 0), (1, 1, 1)), ((0, 0, 1), (0, 1, 1))):
        for t in (0.0, 0.3, 1.0):
            at = np.array(start) * (1 - t) + np.array(end) * t
            assert lut.apply(at) == pytest.approx(corner[start] * (1 - t) + corner[end] * t, abs=1e-6)
    # Inside of the tetrahedron r > g > b.
    at = np.array([0.7, 0.4, 0.1])
    wanted = 0.3 * corner[0, 0, 0] + 0.3 * corner[1, 0, 0] + 0.3 * corner[1, 1, 0] + 0.1 * corner[1, 1, 1]
    assert lut.apply(at) == pytest.approx(wanted, abs=1e-6)


def test_domain() -> None:
    lut = vf.Lut(cube(5), domain_min=(-1.0, 0.0, 0.0), domain_max=(3.0, 2.0, 4.0))
    assert lut.apply([1.0, 0.5, 3.0]) == pytest.approx([0.5, 0.25, 0.75])
    assert lut.apply([9.0, -9.0, 4.0]) == pytest.approx([1.0, 0.0, 1.0])


def test_the_logarithm_is_acescct() -> None:
    assert float(log_encode(0.18)) == pytest.approx(0.413588, abs=1e-6)  # S-2016-001, table of values
    assert float(log_encode(0.0)) == pytest.approx(0.0729055, abs=1e-6)
    x = np.array([0.0, 1e-4, 0.0078125, 0.18, 16.0, 60000.0])
    assert log_decode(log_encode(x)) == pytest.approx(x, rel=1e-9, abs=1e-12)


def test_files_come_back(tmp_path: Path) -> None:
    lut = vf.Lut(RNG.random((3, 3, 3, 3)), "scene", (-0.5, 0.0, 0.0), (1.0, 1.0, 2.0))
    path = lut.save(tmp_path / "look.cube")
    assert vf.Lut.open(path, "scene") == lut
    assert vf.Lut.open(path) != lut
    assert hash(vf.Lut.open(path, "scene")) == hash(lut)


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_a_file_as_others_write_it(tmp_path: Path, blank: str) -> None:
    rows = "\n".join("{} {} {}".format(*row) for row in cube(2).reshape(-1, 3))
    (tmp_path / "a.cube").write_text(
        f'\ufeff{blank}TITLE "#A look 3"\n# by hand\n\nLUT_3D_SIZE 2\r\nDOMAIN_MAX 1 1 1\n{rows}\n\n'
    )
    assert vf.Lut.open(tmp_path / "a.cube") == vf.Lut(cube(2))


ROW = "0.1 0.2 0.3\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no LUT_3D_SIZE"),
        ("LUT_3D_SIZE 2\n" + 7 * ROW, "7 colours for a table of 2 x 2 x 2 = 8: it is truncated"),
        ("LUT_3D_SIZE 2\n" + 9 * ROW, "9 colours .* too many"),
        ("LUT_3D_SIZE 2\n" + 7 * ROW + "0.1 0.2\n", "line 9: .*wanted three finite numbers"),
        ("LUT_3D_SIZE 2\n" + 7 * ROW + "0.1 nan 0.2\n", "line 9"),
        ("LUT_3D_SIZE 2\n" + 7 * ROW + "nan 0.1 0.2\n", "line 9"),
        ("LUT_3D_SIZE 2\n" + 7 * ROW + "0.1 x 0.2\n", "line 9"),
        ("LUT_3D_SIZE 2\n" + 7 * ROW + "0.1 1e30 0.2\n", "beyond 65504"),
        ("LUT_3D_SIZE 1\n" + ROW, "wanted LUT_3D_SIZE and a whole number, 2 to 256"),
        ("LUT_3D_SIZE 2.5\n", "wanted LUT_3D_SIZE and a whole number"),
        ("LUT_3D_SIZE 257\n", "2 to 256"),
        ("LUT_1D_SIZE 4\n" + 3 * ROW, "3 colours for a curve of 4 = 4: it is truncated"),
        ("LUT_1D_SIZE 65537\n", "wanted LUT_1D_SIZE and a whole number, 2 to 65536"),
        ("LUT_1D_SIZE 2\nLUT_3D_SIZE 2\n" + 8 * ROW, "8 colours for a curve of 2 and a table of 2 x 2 x 2 = 10"),
        ("LUT_1D_SIZE 2\nDOMAIN_MAX 1 2 1\n" + 2 * ROW, "another domain in each channel"),
        ("LUT_1D_SIZE 2\nLUT_1D_INPUT_RANGE 1 0\n" + 2 * ROW, "shaper_range goes from 1 to 0"),
        ("LUT_3D_SIZES 2\n" + 8 * ROW, "no keyword .*did you mean 'LUT_3D_SIZE'"),
        (8 * ROW, "numbers before LUT_3D_SIZE"),
        ("LUT_3D_SIZE 2\nDOMAIN_MIN 1 1 1\n" + 8 * ROW, "domain"),
        ("LUT_3D_SIZE 2\nDOMAIN_MIN 0 0\n" + 8 * ROW, "line 2"),
    ],
)
def test_broken_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "broken.cube").write_text(text)
    with pytest.raises(vf.InputError, match=message) as caught:
        vf.Lut.open(tmp_path / "broken.cube")
    assert "broken.cube" in str(caught.value)


def test_a_missing_file_and_one_of_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(vf.InputError, match=r"none\.cube: No such file"):
        vf.Lut.open(tmp_path / "none.cube")
    (tmp_path / "bytes.cube").write_bytes(bytes(range(256)))
    with pytest.raises(vf.InputError, match="bytes.cube"):
        vf.Lut.open(tmp_path / "bytes.cube")


ANYTHING: Any = vf  # to give what the annotations refuse


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vf.Grade(temperature=1000.0), "temperature .kelvin. is 1000"),
        (lambda: vf.Grade(tint=200.0), "tint is 200"),
        (
            lambda: vf.Grade(temperature=2500.0, tint=55.0),
            "tint is 55 at a temperature of 2500 K.*wanted at most 50 there",
        ),
        (lambda: vf.Grade(temperature=1667.0, tint=12.5), "tint is 12.5 at a temperature of 1667 K.*at most 12 there"),
        (lambda: vf.Grade(contrast=0.0), "contrast is 0.0"),
        (lambda: vf.Grade(saturation=-1.0), "saturation is -1"),
        (lambda: vf.Grade(gamma=(1.0, 0.0, 1.0)), "gamma is 0.0"),
        (lambda: ANYTHING.Grade(lift="dark"), "lift is 'dark'"),
        (lambda: vf.Grade(gain=(1.0, 2.0)), "wanted a number or .r, g, b."),
        (lambda: vf.Lut(np.zeros((3, 3, 3))), "wanted .n, n, n, 3."),
        (lambda: ANYTHING.Lut(cube(2), "log"), "no space called 'log'"),
        (lambda: ANYTHING.Settings(grade=1.2), "wanted a vkforge.Grade"),
        (lambda: ANYTHING.Settings(lut="film.cube"), "wanted a vkforge.Lut, as Lut.open"),
        (lambda: vf.Settings(primaries="rec.2020"), "did you mean 'rec2020'"),
        (
            lambda: vf.Tonemap("agx", white=3.0),
            "'agx' has contrast, saturation, not white, which is for reinhard, hable",
        ),
        (lambda: vf.Tonemap("linear", start=0.5), "'linear' has no parameters"),
        (lambda: vf.Tonemap("hable", coefficients=(1, 2)), "six numbers"),
        (lambda: vf.Tonemap("hable", coefficients=(1, 1, 1, 1, 2, 1)), "E .less than F."),
        (lambda: vf.Tonemap("reinhard", white=0.0), "white"),
    ],
)
def test_bad_values_say_what_is_wanted(make: Any, message: str) -> None:
    with pytest.raises(vf.InputError, match=message):
        make()


# The device


def colourful() -> vf.Scene:
    """Ground whose radiance runs from black through saturated colours to forty times white."""
    rng = np.random.default_rng(11)
    albedo = rng.random((32, 32, 3), dtype=np.float32) ** 3
    terrain = vf.Terrain(rng.random((24, 24)) * 3.0, 1.0, albedo=albedo)
    sun = vf.Sun(azimuth=300, elevation=25, irradiance=(400.0, 240.0, 90.0), angular_diameter=0.0)
    return vf.Scene(terrain, sun=sun, sky=vf.Sky.gradient((0.001, 0.004, 0.03), (0.05, 0.02, 0.2)))


LOOK = np.clip(cube(9) ** 1.3 + 0.03 * np.random.default_rng(3).random((9, 9, 9, 3)), 0.0, 1.0)
GRADE = vf.Grade(4300.0, 25.0, 1.2, 1.4, (0.02, 0.0, 0.05), (1.1, 1.0, 0.9), 1.05)
PUNCHY = vf.Tonemap("agx", contrast=1.35, saturation=1.4)
COMBINATIONS: list[dict[str, Any]] = [
    {"grade": vf.Grade(temperature=3200.0)},
    {"grade": vf.Grade(contrast=1.6, saturation=0.3)},
    {"grade": vf.Grade(lift=-0.1, gamma=(0.8, 1.0, 1.3), gain=1.2)},
    {"grade": GRADE, "tonemap": PUNCHY, "exposure": -2.0},
    {"lut": vf.Lut(LOOK), "exposure": -3.0},
    {"lut": vf.Lut(LOOK, "scene", domain_max=(1.5, 1.5, 1.5)), "tonemap": "agx"},
    {"lut": vf.Lut(LOOK, domain_min=(0.1, 0.0, 0.0), domain_max=(0.9, 1.0, 2.0)), "grade": GRADE},
    {"primaries": "rec2020", "grade": GRADE, "exposure": vf.AutoExposure(), "lut": vf.Lut(LOOK)},
    {"tonemap": vf.Tonemap("reinhard", white=4.0)},
    {"tonemap": vf.Tonemap("hable", white=6.0, coefficients=(0.22, 0.3, 0.1, 0.2, 0.01, 0.3))},
    {"tonemap": vf.Tonemap("neutral", start=0.5, desaturation=0.6)},
]


@pytest.mark.parametrize("settings", COMBINATIONS, ids=str)
def test_the_device_does_what_numpy_does(renderer: vf.Renderer, settings: dict[str, Any]) -> None:
    image = renderer.render(colourful(), (96, 54), samples=2, **settings)
    wanted = 255.0 * finish(image.hdr, vf.Settings(**settings), image.info["exposure"])
    assert np.ptp(wanted) > 100.0
    # Half a step, and what float32 loses: steep tables and pow make most of it.
    assert np.abs(image.rgba[..., :3] - wanted).max() < 0.6  # of a step, as hardware may round to 8 bits


def test_two_tables_on_one_renderer(renderer: vf.Renderer) -> None:
    pictures = []
    for power in (1.0, 2.0, 3.0, 1.0):
        settings = vf.Settings(lut=vf.Lut(cube(5) ** power), samples=1)
        pictures.append(renderer.render(colourful(), (48, 27), settings=settings).rgba.tobytes())
    assert len(set(pictures)) == 3
    assert pictures[0] == pictures[3]


def test_what_changes_nothing_changes_no_bit(renderer: vf.Renderer) -> None:
    plain = renderer.render(colourful(), (96, 54), samples=1)
    assert plain.info["primaries"] == "rec709"
    unchanged: tuple[dict[str, Any], ...] = (
        {"grade": vf.Grade()},
        {"tonemap": vf.Tonemap("neutral")},
        {"tonemap": vf.Tonemap("neutral", start=0.8)},
        {"exposure": 0.0, "dither": False, "primaries": "rec709"},
    )
    for settings in unchanged:
        other = renderer.render(colourful(), (96, 54), samples=1, **settings)
        assert np.array_equal(other.rgba, plain.rgba)
        assert np.array_equal(other.hdr, plain.hdr)


def test_rec2020_is_the_same_light(renderer: vf.Renderer) -> None:
    """Each AOV that is light or colour goes along, and what a screen shows stays."""
    plain = renderer.render(colourful(), (96, 54), samples=2, aovs=("albedo", "depth"))
    wide = renderer.render(colourful(), (96, 54), samples=2, aovs=("albedo", "depth"), primaries="rec2020")
    assert wide.info["primaries"] == "rec2020"
    assert np.array_equal(wide.rgba, plain.rgba)
    # By the chromaticities of ITU-R BT.709 and BT.2020: red 709 in 2020 is (0.6274, 0.0691, 0.0164).
    matrix = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    for got, light in ((wide.hdr, plain.hdr), (wide.aovs["albedo"], plain.aovs["albedo"])):
        assert got == pytest.approx(light @ matrix.T, rel=2e-3, abs=1e-4)
    assert np.array_equal(wide.aovs["depth"], plain.aovs["depth"])
