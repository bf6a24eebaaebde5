"""Photographs as iPhones write them, which Pillow opens with a plug-in."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import math
import sys
import types
import zlib
from pathlib import Path

import pytest

import vkforge as vf
from vkforge.io.exif import read_photograph

# 64 x 40 pixels of red, written by pillow-heif 1.8.1: 24 mm of film, at 36 8 34.6 N, 86 59 59.6 W, 11 m, looking north.
HEIC = zlib.decompress(
    base64.b85decode(
        "c-mc2JxCl;5T4m}kA=j41BZwxC>&R5NFmr9=2BkDq|N$nmmApi9(Si)NOOXqc4A>IAtVq8X_FKoNf`u-w6Rbu#43>H5M`aWZ#>0e"
        "-<xl~_q}<uGXO9VwO;F5ND9~zislVYD2M>?dlI$+ur^(*#tp%sNwwgfJ)yXsB`KG{0W=6ttY@2Kj*Yh)<}a@WqLm2b03LA=W-`{)"
        "*3>-QA<;;lwJDPiXlf-OO1L83(Cm*$t2+BNzWWqiL+#kd|H0)|w+k@nzTzAC5<bK<H3HWtT=PwSb4mdp7MBq3o$ODodwb`n@4tTW"
        "Yjaafxn_guWtQj4__O(An;#if^|-O3;x@DWkn1otMok^c@0Mg0R2*o*ruYKfw!}%(^h}yDq^V7Ybba4vmnWUv%mM+ub;tEK7>`pU"
        "jD#Oh)uzgt&l%B4s)3o(cmY3;cDh5yAJWT8A-z~V9Q<?e=KtHBLsMhU_Ow!gB1b;BIAVU==GY|YllmTS&GvBFR`JdgWnSLT*(rhZ"
        "+>X?Ptc9@4d&a*sd|!|M$TvL6`3r`7__ySnk=PgiiI>s5ka*F0EDHbNPA~Bq!tH9}"
    )
)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.heic"
    path.write_bytes(HEIC)
    return path


def test_its_exif_is_read_where_a_plug_in_is_there(photo: Path) -> None:
    if not any(importlib.util.find_spec(name) for name in ("pi_heif", "pillow_heif")):
        pytest.skip("needs pi-heif or pillow-heif")
    found = read_photograph(photo)
    assert found.size == (64, 40)
    assert found.place == pytest.approx((-(86 + 59 / 60 + 59.6 / 3600), 36 + 8 / 60 + 34.6 / 3600))
    assert (found.altitude, found.bearing) == (11.0, 0.0)
    of_diagonal = math.hypot(36.0, 24.0) / 2.0 / 24.0
    assert found.fov_x == pytest.approx(2.0 * math.degrees(math.atan(of_diagonal * 64.0 / math.hypot(64.0, 40.0))))


def test_without_one_the_error_names_it(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pi_heif", "pillow_heif"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(vf.MissingDependencyError, match="is HEIF.*pip install pi-heif"):
        vf.Camera.from_exif(photo, vf.Terrain([[0.0, 1.0], [2.0, 3.0]]))


def test_either_is_asked_and_other_pictures_ask_for_none(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    plugin = types.ModuleType("pillow_heif")
    plugin.register_heif_opener = lambda: asked.append("pillow_heif")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    monkeypatch.setitem(sys.modules, "pillow_heif", plugin)
    with contextlib.suppress(vf.InputError):  # it opens nothing, but a real one may have been here before
        read_photograph(photo)
    assert asked == ["pillow_heif"]
    (photo.parent / "text.jpg").write_text("no picture")
    with pytest.raises(vf.InputError, match="no picture that Pillow opens"):
        read_photograph(photo.parent / "text.jpg")
    assert asked == ["pillow_heif"]
