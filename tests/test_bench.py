import itertools
import json
import os
import sys

import numpy as np
import pytest

from benchmarks import measure, peers, run
from benchmarks.scenes import CELL, SLOPE, View, fractal_heights, make_terrain


def test_fractal_heights_are_reproducible_and_as_rough_at_every_size():
    for side in (64, 256):
        heights = fractal_heights(side)
        assert heights.shape == (side, side)
        assert heights.dtype == np.float32
        assert heights.min() == 0.0
        rise = np.hypot(np.diff(heights, axis=0)[:, :-1], np.diff(heights, axis=1)[:-1])
        assert rise.mean() / CELL == pytest.approx(SLOPE, rel=1e-4)
        np.testing.assert_array_equal(heights, fractal_heights(side))


def test_view_looks_down_on_the_middle_from_above_the_ground():
    terrain = make_terrain(fractal_heights(64))
    view = View.of(terrain)
    camera = view.camera(90.0)
    x, y, z = camera.position
    assert camera.target == view.target
    assert x > 0.0
    assert y == pytest.approx(0.0, abs=1e-6)
    assert z > terrain.max_height


def test_repeat_counts_at_least_once_and_at_most_so_often():
    calls = itertools.count()
    assert measure.repeat(lambda: {"value": float(next(calls))}, 0.0, least=1, most=1, warm=True) == {"value": [0.0]}
    assert len(measure.repeat(lambda: {"value": float(next(calls))}, 0.01, most=5)["value"]) == 5


def test_table_aligns_columns():
    text = measure.table(("name", "ms"), [("a", "1.00"), ("long name", "12.0")])
    assert text.splitlines() == ["name         ms", "---------  ----", "a          1.00", "long name  12.0"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0123, "0.012"), (1.234, "1.23"), (12.34, "12.3"), (1234.6, "1235"), (0.0, "0.000")],
)
def test_show_keeps_three_digits(value, text):
    assert measure.show(value) == text


def test_figure_says_whether_it_meets_what_is_wanted():
    assert run.Figure("gpu", "ms", [1.0, 3.0, 2.0], wanted=2.0).met is True
    assert run.Figure("gpu", "ms", [1.0, 3.0, 2.5], wanted=2.0).met is False
    assert run.Figure("gpu", "ms", [1.0]).met is None
    assert run.Figure("upload", "GB/s", [1.0, 3.0]).best == 3.0
    assert len(run.Figure("gpu", "ms", [1.0]).cells()) == len(run.HEADER)


def test_report_puts_ratios_to_the_first_that_worked():
    figures = {"warm_cpu": 0.5, "warm_wall": 0.25, "cold_cpu": 1.0, "cold_wall": 1.0, "peak_rss": 300.0}
    slower = {name: 3.0 * value for name, value in figures.items()}
    text = peers.report(
        [
            peers.Result("vkforge", figures),
            peers.Result("other", slower),
            peers.Result("absent", None, "not installed (No module named 'absent')"),
        ]
    )
    lines = text.splitlines()
    assert lines[0].startswith("renderer")
    assert lines[2].split() == ["vkforge", "0.500", "0.250", "1.00", "1.00", "300"]
    other, *cells = lines[3].split()
    assert other == "other"
    assert cells[::2] == ["1.50", "0.750", "3.00", "3.00", "900"]
    assert cells[1::2] == ["x3.00"] * 5
    assert lines[-1] == "skipped absent: not installed (No module named 'absent')"


def test_report_of_nothing_that_worked_is_the_reasons_alone():
    assert peers.report([peers.Result("other", None, "died of SIGSEGV")]) == "skipped other: died of SIGSEGV"


def test_radiance_is_kept_with_white_at_twice_its_mean(tmp_path):
    from PIL import Image

    grey = np.full((2, 4, 3), 3.0, np.float32)
    peers.keep_picture(tmp_path / "new" / "grey.png", grey)
    with Image.open(tmp_path / "new" / "grey.png") as kept:
        np.testing.assert_array_equal(np.asarray(kept), np.full((2, 4, 3), 188))  # half of white by sRGB's curve


@pytest.mark.parametrize(
    ("code", "errors", "reason"),
    [
        (-11, "", "died of SIGSEGV"),
        (-6, "noise\nsomething broke\n\n", "died of SIGABRT; its last words: something broke"),
        (
            1,
            "Traceback\nModuleNotFoundError: No module named 'pyvista'\n",
            "not installed (No module named 'pyvista'); pip install pyvista, or vkforge-renderer[peers]",
        ),
        (1, "Traceback\nRuntimeError: no GL\n", "RuntimeError: no GL"),
        (3, "", "exit code 3"),
    ],
)
def test_why_a_peer_failed_is_one_line(code, errors, reason):
    assert peers.why(code, errors, "pyvista") == reason


def test_a_process_that_fails_is_a_result_with_a_reason(tmp_path):
    job = {**peers.make_job(fractal_heights(16), (32, 18), 1, "auto", tmp_path), "dem": str(tmp_path / "no.npy")}
    result = peers.measure("vkforge", sys.executable, job, 60.0, os.environ)
    assert result.figures is None
    assert result.reason.startswith("FileNotFoundError")


@pytest.mark.gpu
def test_run_prints_a_table_and_writes_the_same_as_json(tmp_path, capsys):
    path = tmp_path / "bench.json"
    small = ["--dem", "65", "--sizes", "64x36", "--cap-dem", "128", "--seconds", "0.05", "--quick", "--json", str(path)]
    small += ["--frames", "3"]
    assert run.main(small) == 0
    content = json.loads(path.read_text())
    figures = {figure["name"]: figure for figure in content["figures"]}
    for name in (
        "cold: import vkforge",
        "python: submit",
        "upload",
        "readback",
        "wall: lit frame, with readback",
        "animation, 1 sample: together",
    ):
        assert figures[name]["median"] > 0.0
    assert figures["host memory, cap 32 MiB"]["median"] <= 32.0
    assert content["device"]["name"]
    printed = capsys.readouterr().out
    assert content["device"]["name"] in printed
    assert all(name in printed for name in figures)


@pytest.mark.gpu
def test_peers_runs_vkforge_and_keeps_its_picture(tmp_path, capsys):
    tiny = ["--dem", "64", "--size", "64x36", "--frames", "1", "--only", "vkforge", "--pictures", str(tmp_path)]
    assert peers.main(tiny) == 0
    assert "vkforge" in capsys.readouterr().out
    assert (tmp_path / "vkforge.png").stat().st_size > 100


@pytest.mark.gpu
def test_peers_runs_the_path_traced_lane_and_says_how_noisy_it_is(tmp_path, capsys):
    path = tmp_path / "peers.json"
    tiny = ["--dem", "64", "--size", "64x36", "--frames", "1", "--only", "vkforge path-traced", "--json", str(path)]
    assert peers.main(tiny) == 0
    assert "noise" in capsys.readouterr().out
    (group,) = json.loads(path.read_text())["groups"]
    assert (group["group"], group["bounces"]) == ("path-tracers", 4)
    figures = group["results"][0]["figures"]
    assert 0.1 < figures["mean"] < 1.0  # a sun of 3 and a sky of 0.3 on ground of 0.5
    assert 0.0 < figures["noise"] < 10.0
    assert figures["effort"] == pytest.approx(figures["warm_cpu"] * figures["noise"])
