"""The compiled plan as a picture: what is drawn where, from a plan made by hand, and from the device's."""

from __future__ import annotations

import dataclasses
import io
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

import vkforge as vf
from vkforge.graph.picture import _BARRIER, _LIFETIMES, _TIME, _Picture
from vkforge.graph.plan import Plan, PlannedImage, PlannedPass

SIZE = (64, 36)
PLAN = Plan(
    "tiny",
    (
        PlannedPass("first", "a/first.comp", SIZE, ("map",), ("light",), ("light: none [undefined -> general]",), 3.0),
        PlannedPass(
            "second", "a/second.comp", SIZE, ("light",), ("sum", "rays"), ("light: w -> r", "rays: w -> w"), 1.0
        ),
        PlannedPass("read back", "(handed over)", (0, 0), ("sum",), (), ("sum: w -> r [general -> transfer_source]",)),
    ),
    (
        PlannedImage("map", "r32f", (9, 7), "imported", 4096, 0, 0),
        PlannedImage("light", "rgba32f", SIZE, "transient", 36864, 0, 1, 0),
        PlannedImage("sum", "rgba32f", SIZE, "persistent", 36864, 1, 2),
    ),
    36864,
)


def drawn(plan: Plan) -> np.ndarray:
    """Return the picture as (h, w, 3) uint8."""
    with Image.open(io.BytesIO(plan._repr_png_())) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


def is_color(pixels: np.ndarray, color: str) -> np.ndarray:
    return (pixels == ImageColor.getrgb(color)).all(axis=-1)


def test_rows_are_lives_in_the_colours_of_the_lifetimes() -> None:
    picture, pixels = _Picture(PLAN), drawn(PLAN)
    assert [image.name for image in picture.images] == ["light", "sum", "map"]
    for row, image in enumerate(picture.images):
        color = _LIFETIMES[image.lifetime][0]
        band = pixels[picture.top + row * 30 + 6 : picture.top + row * 30 + 24]
        for column in range(3):
            left, right = picture.lefts[column], picture.lefts[column + 1]
            share = is_color(band[:, left:right], color).mean()
            if image.first <= column <= image.last:
                assert share > 0.6
            else:  # a transient is gone, the others still exist, as a thin line
                assert share == 0.0 if image.lifetime == "transient" else 0.05 < share < 0.15


def test_barriers_stand_before_their_pass() -> None:
    picture, pixels = _Picture(PLAN), drawn(PLAN)
    # (row, pass): whether the diamond is filled. "rays" is a buffer, which has no row.
    wanted = {(0, 0): True, (0, 1): False, (1, 2): True}
    for row in range(3):
        for column in range(3):
            x, y = picture.lefts[column], picture.top + row * 30 + 15
            diamond = is_color(pixels[y - 6 : y + 7, x - 6 : x + 7], _BARRIER)
            assert diamond.any() == ((row, column) in wanted)
            if diamond.any():
                assert diamond[6, 6] == wanted[row, column]


def test_times_are_bars_that_compare() -> None:
    picture, pixels = _Picture(PLAN), drawn(PLAN)
    head = np.any(is_color(pixels[: picture.top], _TIME), axis=0)
    columns = itertools.pairwise(picture.lefts)
    shares = [np.count_nonzero(head[left:right]) / (right - left - 28) for left, right in columns]
    assert shares == pytest.approx([1.0, 1 / 3, 0.0], abs=0.02)


def test_a_plan_that_never_ran_has_no_times() -> None:
    passes = tuple(dataclasses.replace(item, gpu_ms=None) for item in PLAN.passes)
    assert not is_color(drawn(dataclasses.replace(PLAN, passes=passes)), _TIME).any()


def test_the_page_grows_with_the_plan() -> None:
    many = dataclasses.replace(PLAN, passes=PLAN.passes * 6, images=PLAN.images * 8)
    height, width, _ = drawn(PLAN).shape
    assert drawn(many).shape[0] == height + 21 * 30
    assert drawn(many).shape[1] > width + 12 * 116
    drawn(Plan("empty", (), (), 0))


def test_to_png(tmp_path: Path) -> None:
    PLAN.to_png(tmp_path / "plan.png")
    assert (tmp_path / "plan.png").read_bytes() == PLAN._repr_png_()
    with pytest.raises(vf.OutputError, match="does not exist"):
        PLAN.to_png(tmp_path / "missing" / "plan.png")


def test_without_pillow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(vf.MissingDependencyError, match="pip install pillow"):
        PLAN.to_png(tmp_path / "plan.png")
    assert not list(tmp_path.iterdir())


def test_a_real_frame(renderer: vf.Renderer) -> None:
    scene = vf.Scene(vf.Terrain(np.random.default_rng(5).random((9, 12))))
    renderer.render(scene, SIZE, samples=1, aovs=("depth",))
    plan = renderer.plan(scene, SIZE, samples=1, aovs=("depth",))
    pixels = drawn(plan)
    for color, _ in _LIFETIMES.values():
        assert is_color(pixels, color).sum() > 1000
    assert is_color(pixels, _TIME).any()
