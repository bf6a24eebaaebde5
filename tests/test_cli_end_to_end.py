"""The command line as a user meets it: real processes, a real device, real files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vkforge.aovs import AOVS

pytestmark = pytest.mark.gpu

ROOT = Path(__file__).resolve().parents[1]
SMALL = ("--size", "32x18", "--samples", "2")


def vkforge(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command line in `folder` and check its exit code."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    said = subprocess.run(
        [sys.executable, "-c", "from vkforge.cli import main; main()", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert said.returncode == code, f"exit code {said.returncode}\n{said.stdout}\n{said.stderr}"
    return said


def error_of(said: subprocess.CompletedProcess[str]) -> str:
    """Return what a failed command said, which must be one line on stderr, after notes at most."""
    assert said.stdout == ""
    lines = [line for line in said.stderr.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1, said.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small DEM in it."""
    rows, columns = np.mgrid[0:18, 0:32]
    np.save(tmp_path / "dem.npy", (40.0 * np.sin(columns / 5.0) + 25.0 * np.cos(rows / 4.0)).astype(np.float32))
    return tmp_path


# What works


def test_render(folder: Path) -> None:
    said = vkforge(folder, "render", "dem.npy", "-o", "out.png", "--cell-size", "30", *SMALL)
    with Image.open(folder / "out.png") as picture:
        assert picture.size == (32, 18)
        pixels = np.asarray(picture.convert("RGB"))
    assert np.ptp(pixels) > 60
    assert said.stdout.startswith("out.png: 32x18, 2 samples a pixel, ")
    assert names(folder) == {"dem.npy", "out.png"}


def test_render_is_what_the_library_renders(folder: Path) -> None:
    import vkforge as vf

    vkforge(folder, "render", "dem.npy", "-o", "out.npz", "--cell-size", "30", "--aov", "depth", "--seed", "7", *SMALL)
    terrain = vf.Terrain(np.load(folder / "dem.npy"), 30.0)
    with vf.Renderer() as renderer:
        scene = vf.Scene.portrait(terrain, (32, 18))
        image = renderer.render(scene, (32, 18), samples=2, seed=7, aovs=("depth",))
    with np.load(folder / "out.npz") as written:
        assert np.array_equal(written["rgba"], image.rgba)
        assert np.array_equal(written["hdr"], image.hdr)
        assert np.array_equal(written["depth"], image.aovs["depth"])


def test_every_aov_beside_a_png(folder: Path) -> None:
    OpenEXR = pytest.importorskip("OpenEXR")
    vkforge(folder, "render", "dem.npy", "-o", "out.png", "--aov", "all", "-q", *SMALL)
    assert names(folder) == {"dem.npy", "out.png", *(f"out_{name}.exr" for name in AOVS)}
    depth = OpenEXR.File(str(folder / "out_depth.exr")).channels()["Z"].pixels
    assert depth.shape == (18, 32)
    assert np.isinf(depth).any()
    assert np.isfinite(depth).any()


def test_relief_carries_the_georeference(folder: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    place = rasterio.Affine(25.0, 0.0, 500_000.0, 0.0, -25.0, 4_100_000.0)
    heights = np.load(folder / "dem.npy")
    heights[3, 4] = -9999.0
    profile = {"driver": "GTiff", "width": 32, "height": 18, "count": 1, "dtype": "float32", "nodata": -9999.0}
    with rasterio.open(folder / "dem.tif", "w", crs="EPSG:32616", transform=place, **profile) as dataset:
        dataset.write(heights, 1)
    vkforge(folder, "relief", "dem.tif", "-o", "out.tif", "--aov", "sun_visibility", "--samples", "2")
    with rasterio.open(folder / "out.tif") as written:
        assert (written.width, written.height, written.count) == (32, 18, 4)
        assert written.crs.to_epsg() == 32616
        assert written.transform.almost_equals(place)
        assert np.ptp(written.read(1)) > 20
    with rasterio.open(folder / "out_sun_visibility.tif") as written:
        assert written.crs.to_epsg() == 32616
        assert written.dtypes == ("float32",)
    # Twice as fine: the same ground under half the pixels.
    vkforge(folder, "relief", "dem.tif", "-o", "fine.tif", "--size", "64x36", "--samples", "1", "-q")
    with rasterio.open(folder / "fine.tif") as written:
        assert written.transform.almost_equals(rasterio.Affine(12.5, 0.0, 500_000.0, 0.0, -12.5, 4_100_000.0))


def test_probe(folder: Path) -> None:
    said = vkforge(folder, "probe")
    assert "vkforge takes" in said.stdout
    found = json.loads(vkforge(folder, "probe", "--json").stdout)
    chosen = found["devices"][found["chosen"]]
    assert chosen["suitable"]
    assert f"{chosen['index']}: {chosen['name']}" in said.stdout
    assert {"name", "type", "driver", "api_version", "heaps", "limits", "extensions", "reasons"} <= chosen.keys()
    assert found["reason"]
    again = json.loads(vkforge(folder, "probe", "--json", "--device", str(chosen["index"])).stdout)
    assert again["chosen"] == chosen["index"]


@pytest.mark.slow
def test_demo(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    said = vkforge(folder, "demo", "-o", "made/here", "--size", "320x180")
    assert names(folder / "made" / "here") == {"oblique.png", "relief.png", "aovs.png"}
    for path in (folder / "made" / "here").iterdir():
        with Image.open(path) as picture:
            assert min(picture.size) >= 180
            assert np.ptp(np.asarray(picture.convert("RGB"))) > 150
        assert path.name in said.stdout
    assert str((folder / "made" / "here").resolve()) in said.stdout
    steps = [line for line in said.stderr.splitlines() if line.endswith(" ...")]  # where there is no terminal for a bar
    assert steps[0] == "reading the DEM ..." and "rendering the oblique view, 320x180 ..." in steps
    assert vkforge(folder, "demo", "-o", "more", "--size", "32x18", "--quiet").stderr == ""
    assert "--quick is a size" in error_of(vkforge(folder, "demo", "--quick", "--size", "32x18", code=2))


# Bad input: exit code 2, one line, nothing written


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("dem.npy", "--cmap", "virids"), "did you mean 'viridis'?"),
        (("dem.npy", "--tonemap", "agxx"), "did you mean 'agx'?"),
        (("dem.npy", "--aov", "deppth"), "did you mean 'depth'?"),
        (("dem.npy", "-o", "out.pmg"), "did you mean '.png'?"),
        (("dem.npy", "--device", "voodoo"), "voodoo"),
        (("dem.npy", "--size", "99999x10"), "99999 x 10"),
        (("dem.npy", "--samples", "0"), "samples"),
        (("nothing-here.tif",), "nothing-here.tif"),
        (("empty.npy",), "empty.npy"),
        (("empty.tif",), "empty.tif"),
        (("torn.npy",), "torn.npy"),
        (("words.npy",), "words.npy"),
    ],
)
def test_bad_input(folder: Path, arguments: tuple[str, ...], says: str) -> None:
    (folder / "empty.npy").touch()
    (folder / "empty.tif").touch()
    (folder / "torn.npy").write_bytes((folder / "dem.npy").read_bytes()[:-100])
    (folder / "words.npy").write_text("these are words\n")
    before = names(folder)
    assert says in error_of(vkforge(folder, "render", *arguments, code=2))
    assert names(folder) == before


def test_usage(folder: Path) -> None:
    for arguments in (["render"], ["render", "dem.npy", "--no-such-option"], ["paint", "dem.npy"]):
        said = vkforge(folder, *arguments, code=2)
        assert "Traceback" not in said.stderr
    assert names(folder) == {"dem.npy"}


# Other failures: exit code 1


def test_a_missing_folder(folder: Path) -> None:
    said = vkforge(folder, "render", "dem.npy", "-o", "missing/out.png", *SMALL, code=1)
    assert "does not exist" in error_of(said)
    assert names(folder) == {"dem.npy"}


def test_a_file_for_a_folder(folder: Path) -> None:
    said = vkforge(folder, "demo", "-o", "dem.npy", code=1)
    assert "can't make the folder" in error_of(said)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(folder: Path) -> None:
    locked = folder / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    said = vkforge(folder, "render", "dem.npy", "-o", "locked/out.png", *SMALL, code=1)
    assert "no permission" in error_of(said)
    assert names(locked) == set()


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="/proc is a folder where even root can't write")
def test_a_folder_that_nobody_can_write(folder: Path) -> None:
    said = vkforge(folder, "render", "dem.npy", "-o", "/proc/out.png", *SMALL, code=1)
    assert "can't write '/proc/out.png'" in error_of(said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_device_is_not_replaced(folder: Path) -> None:
    (folder / "out.png").symlink_to("/dev/full")
    said = vkforge(folder, "render", "dem.npy", "-o", "out.png", *SMALL, code=1)
    assert "not a regular file" in error_of(said)
    assert (folder / "out.png").is_symlink()


def test_no_driver(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a loader and no driver: one line with the command that helps."""
    for variable in ("VK_DRIVER_FILES", "VK_ICD_FILENAMES"):
        monkeypatch.setenv(variable, str(folder / "none.json"))
    said = vkforge(folder, "render", "dem.npy", "-o", "out.png", *SMALL, code=1)
    assert "mesa-vulkan-drivers" in error_of(said)
    assert names(folder) == {"dem.npy"}


# --debug


def test_debug_shows_the_trace(folder: Path) -> None:
    said = vkforge(folder, "render", "dem.npy", "--cmap", "virids", "--debug", code=2)
    assert "Traceback (most recent call last)" in said.stderr
    assert said.stderr.splitlines()[-1].startswith("error: ")
    assert "did you mean 'viridis'?" in said.stderr.splitlines()[-1]


def test_a_transparent_background(folder: Path) -> None:
    vkforge(folder, "render", "dem.npy", "-o", "clear.png", "--background", "transparent", *SMALL)
    with Image.open(folder / "clear.png") as picture:
        assert picture.mode == "RGBA"
        alpha = np.asarray(picture)[..., 3]
    assert (alpha.min(), alpha.max()) == (0, 255)
