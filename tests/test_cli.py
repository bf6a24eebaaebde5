"""The command line: what it asks of the renderer, what it writes, how it fails. The renderer here is a stand-in."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from vkforge.aovs import AOVS
from vkforge.cli import app
from vkforge.errors import DeviceError, OutOfMemoryError
from vkforge.image import GeoReference, Image
from vkforge.scene import Scene, WaterTint
from vkforge.settings import Settings

ROOT = Path(__file__).parents[1]


class FakeRenderer:
    """Takes what `Renderer` takes, remembers it, and gives back a grey picture of the right size."""

    calls: list[types.SimpleNamespace] = []  # noqa: RUF012  # emptied for every test
    failure: BaseException | None = None

    def __init__(self, device: str = "auto") -> None:
        self.device = types.SimpleNamespace(name=f"Imaginary GPU ({device})")

    def __enter__(self) -> FakeRenderer:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def render(
        self,
        scene: Scene,
        size: tuple[int, int] | None = None,
        *,
        lane: str = "lit",
        aovs: tuple[str, ...] = (),
        settings: Settings | None = None,
        progress: Callable[[int, int], None] | None = None,
        **overrides: Any,
    ) -> Image:
        if self.failure is not None:
            raise self.failure
        settings = settings or Settings(**overrides)
        width, height = size or scene.camera.natural_size or (64, 36)
        FakeRenderer.calls.append(
            types.SimpleNamespace(scene=scene, size=size, lane=lane, aovs=aovs, settings=settings)
        )
        assert progress is not None
        progress(settings.samples, settings.samples)
        shapes = {1: (height, width), 2: (height, width, 2), 3: (height, width, 3)}
        buffers = {name: np.full(shapes[AOVS[name].channels], 0.5, np.float32) for name in aovs}
        place, info = None, {"samples": settings.samples}
        if scene.camera.kind == "map" and scene.terrain.transform is not None:
            place = GeoReference(scene.terrain.crs, scene.terrain.transform)
        pixels = np.full((height, width, 4), 99, np.uint8)
        return Image(pixels, np.ones((height, width, 3), np.float32), buffers, place, info)


@pytest.fixture(autouse=True)
def _imaginary_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = types.ModuleType("vkforge.renderer")
    module.Renderer = FakeRenderer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vkforge.renderer", module)
    monkeypatch.setattr(FakeRenderer, "calls", [])
    monkeypatch.setattr(FakeRenderer, "failure", None)
    monkeypatch.chdir(tmp_path)
    np.save("dem.npy", np.random.default_rng(2).normal(500.0, 40.0, (20, 30)).astype(np.float32))


def run(*arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == code, (result.output, result.stderr)
    return result


def one_line(result: Any) -> str:
    """The error, which must be one line."""
    lines = [line for line in result.stderr.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


def asked() -> types.SimpleNamespace:
    assert len(FakeRenderer.calls) == 1
    return FakeRenderer.calls[0]


# Good pictures


def test_render_by_default() -> None:
    result = run("render", "dem.npy", "-o", "out.png", "--cell-size", "30")
    call = asked()
    assert call.size == (1920, 1080)
    assert call.settings == Settings()
    assert call.scene.camera.kind == "perspective"
    assert call.scene.terrain.skirt is not None
    assert call.scene.terrain.cell_size == (30.0, 30.0)
    assert Path("out.png").stat().st_size > 0
    assert "out.png: 1920x1080, 16 samples a pixel" in result.stdout
    assert "Imaginary GPU" in result.stdout


def test_output_has_a_default_name() -> None:
    run("render", "dem.npy", "--size", "16x9", "--quiet")
    run("relief", "dem.npy", "--quiet")
    assert {path.name for path in Path().iterdir()} == {"dem.npy", "dem_render.png", "dem_relief.png"}


def test_quiet_says_nothing() -> None:
    result = run("render", "dem.npy", "--size", "16x9", "-q")
    assert result.output == ""
    assert result.stderr == ""


def test_render_options_reach_the_renderer() -> None:
    run(
        *("render", "dem.npy", "-o", "out.exr", "--size", "40X30", "--cell-size", "30,20", "-z", "2.5", "--no-skirt"),
        *("--azimuth", "120", "--elevation", "25", "--fov", "35", "--distance", "5000", "--target", "10,-20,500"),
        *("--sun-azimuth", "200", "--sun-elevation", "12", "--sun-size", "0", "--sun-irradiance", "1,2,3"),
        *("--sky", "0.3", "--sky-horizon", "0.5,0.6,0.7", "--background", "white", "--cmap", "vkforge.relief"),
        *("--percentiles", "2,98", "--samples", "3", "--sun-rays", "2", "--sky-rays", "7", "--seed", "9"),
        *("--tonemap", "agx", "--exposure", "-0.5", "--device", "0"),
    )
    call = asked()
    terrain, camera, scene = call.scene.terrain, call.scene.camera, call.scene
    assert call.size == (40, 30)
    assert terrain.cell_size == (30.0, 20.0)
    assert terrain.vertical_exaggeration == 2.5
    assert terrain.skirt is None
    assert terrain.surface_albedo.kind == "ramp"
    assert camera.fov == 35.0
    assert camera.target == (10.0, -20.0, 500.0)
    assert np.linalg.norm(np.subtract(camera.position, camera.target)) == pytest.approx(5000.0)
    assert (scene.sun.azimuth, scene.sun.elevation, scene.sun.angular_diameter) == (200.0, 12.0, 0.0)
    assert scene.sun.irradiance == (1.0, 2.0, 3.0)
    assert scene.sky.zenith == (0.3, 0.3, 0.3)
    assert scene.sky.horizon == (0.5, 0.6, 0.7)
    assert scene.background == (1.0, 1.0, 1.0)
    assert call.settings == Settings(samples=3, sun_rays=2, sky_rays=7, seed=9, exposure=-0.5, tonemap="agx")


def test_cameras() -> None:
    run("render", "dem.npy", "-o", "a.png", "--size", "16x9", "--position", "-10,-900,2000", "--fov", "50")
    run("render", "dem.npy", "-o", "b.png", "--camera", "map")
    run("render", "dem.npy", "-o", "c.png", "--size", "16x9", "--camera", "orthographic", "--elevation", "60")
    run("render", "dem.npy", "-o", "d.png", "--size", "16x9", "--camera", "orthographic", "--height", "12")
    cameras = [call.scene.camera for call in FakeRenderer.calls]
    assert [camera.kind for camera in cameras] == ["perspective", "map", "orthographic", "orthographic"]
    assert cameras[0].position == (-10.0, -900.0, 2000.0)
    assert FakeRenderer.calls[1].size == (30, 20)
    assert cameras[2].height > 20.0
    assert cameras[3].height == 12.0


def test_water_and_fog() -> None:
    run("render", "dem.npy", "-z", "2", "--water", "480", "--fog", "6000,470,50", "--size", "16x9")
    run("relief", "dem.npy", "--water", "480", "--fog", "3000")
    run("render", "dem.npy", "--preset", "overcast", "--fog", "none", "--size", "16x9")
    run("render", "dem.npy", "--preset", "overcast", "--size", "16x9")
    valley, plain, clear, hazy = (call.scene for call in FakeRenderer.calls)
    assert valley.water.level == plain.water.level == 480.0
    assert valley.fog.extinction == pytest.approx((5e-4,) * 3)
    assert (valley.fog.base, valley.fog.scale_height) == (940.0, 100.0)  # of heights that are exaggerated
    assert plain.fog.kind == "uniform"
    assert plain.fog.extinction == pytest.approx((1e-3,) * 3)
    assert clear.fog is clear.water is None
    assert hazy.fog is not None


def test_water_of_a_relief_is_a_maps_and_of_a_picture_as_light_finds_it() -> None:
    pink = ("--water-color", "pink")
    for arguments in (("relief",), ("relief", *pink), ("relief", "--water-color", "physical"), ("render", *pink)):
        run(arguments[0], "dem.npy", "--water", "500", *arguments[1:])
    tints = [call.scene.water.tint for call in FakeRenderer.calls]
    assert tints[:3] == [WaterTint(), WaterTint("pink"), None]
    assert tints[3] == tints[1]


def test_albedo_is_a_colour_or_a_picture() -> None:
    PIL = pytest.importorskip("PIL.Image")
    PIL.new("RGB", (30, 20), "tomato").save("2024 map.png")
    for given in ("2024 map.png", "tomato"):
        run("render", "dem.npy", "--albedo", given)
    of_file, of_name = (call.scene.terrain.albedo for call in FakeRenderer.calls)
    assert (of_file.kind, of_name.kind) == ("texture", "constant")
    assert of_file.pixels[0, 0].tolist() == [255, 99, 71, 255]


def test_no_sun_no_sky() -> None:
    run("relief", "dem.npy", "--no-sun", "--sky", "none", "--background", "sky", "--albedo", "0.5,0.4,0.3")
    scene = asked().scene
    assert scene.sun is None
    assert scene.sky is None
    assert scene.background is None
    assert scene.terrain.surface_albedo.color == (0.5, 0.4, 0.3)


def test_aovs_go_into_exr() -> None:
    OpenEXR = pytest.importorskip("OpenEXR")
    run("render", "dem.npy", "-o", "out.exr", "--size", "16x9", "--aov", "depth", "--aov", "normal", "--half")
    channels = OpenEXR.File("out.exr", separate_channels=True).channels()
    assert set(channels) == {"R", "G", "B", "A", "Z", "N.X", "N.Y", "N.Z"}
    assert channels["R"].pixels.dtype == np.float16
    assert channels["Z"].pixels.dtype == np.float32
    run("render", "dem.npy", "-o", "out.exr", "--size", "16x9", "--float")
    assert OpenEXR.File("out.exr", separate_channels=True).channels()["R"].pixels.dtype == np.float32


def test_aovs_stand_beside_png() -> None:
    OpenEXR = pytest.importorskip("OpenEXR")
    result = run("render", "dem.npy", "-o", "out.png", "--size", "16x9", "--aov", "all")
    for aov in AOVS.values():
        channels = OpenEXR.File(f"out_{aov.name}.exr", separate_channels=True).channels()
        assert set(channels) == set(aov.exr_channels)
        assert f"out_{aov.name}.exr" in result.stdout


def test_cameras_of_other_projections() -> None:
    run("render", "dem.npy", "-o", "a.png", "--camera", "oblique", "--azimuth", "200", "--elevation", "60")
    run("render", "dem.npy", "-o", "b.png", "--camera", "panorama")
    run("render", "dem.npy", "-o", "c.png", "--camera", "panorama", "--position", "5,6,900", "--target", "905,6,0")
    run("render", "dem.npy", "-o", "d.png", "--camera", "fish-eye", "--fov", "120")
    oblique, panorama, aside, fisheye = (call.scene.camera for call in FakeRenderer.calls)
    assert [camera.kind for camera in (oblique, panorama, fisheye)] == ["oblique", "panorama", "fish-eye"]
    assert panorama.natural_size == (2048, 1024)
    assert aside.position == (5.0, 6.0, 900.0)
    assert aside.fov == pytest.approx(90.0)  # 45 degrees down, and as far as it goes
    assert aside.target[0] > 5.0
    assert fisheye.fov == 120.0


def test_relief_keeps_the_georeference() -> None:
    rasterio = pytest.importorskip("rasterio")
    place = rasterio.Affine(25.0, 0.0, 500_000.0, 0.0, -25.0, 4_100_000.0)
    heights = np.load("dem.npy")
    profile = {"driver": "GTiff", "width": 30, "height": 20, "count": 1, "dtype": "float32"}
    with rasterio.open("dem.tif", "w", crs="EPSG:32633", transform=place, **profile) as dataset:
        dataset.write(heights, 1)
    run("relief", "dem.tif", "-o", "out.tif", "--aov", "sky_visibility")
    for name, bands in (("out.tif", 4), ("out_sky_visibility.tif", 1)):
        with rasterio.open(name) as read:
            assert read.count == bands
            assert read.crs.to_epsg() == 32633
            assert (read.width, read.height) == (30, 20)
            assert read.xy(7, 11) == pytest.approx((500_000 + 11.5 * 25, 4_100_000 - 7.5 * 25), abs=1e-6)


def test_demo() -> None:
    pytest.importorskip("matplotlib")
    result = run("demo", "-o", "pictures/here")
    assert sorted(path.name for path in Path("pictures/here").iterdir()) == ["aovs.png", "oblique.png", "relief.png"]
    for word in ("oblique.png", "relief.png", "aovs.png", "1920x1080", " s", "Imaginary GPU (auto)"):
        assert word in result.stdout
    assert str(Path("pictures/here").resolve()) in result.stdout.replace("\n", "")
    assert {"depth", "normal", "albedo", "sky_visibility"} <= set(FakeRenderer.calls[-1].aovs)
    assert FakeRenderer.calls[0].scene.terrain.shape == (344, 403)
    run("demo", "--quick", "-o", "quick")
    assert FakeRenderer.calls[3].size == (768, 432)


def test_contact_sheet_layout() -> None:
    from vkforge.contact_sheet import contact_sheet
    from vkforge.errors import InputError

    hdr = np.ones((90, 160, 3), np.float32)
    depth = np.full((90, 160), 1200.0, np.float32)
    depth[:30] = np.inf
    depth[60:] = 300.0
    image = Image(np.full((90, 160, 4), 255, np.uint8), hdr, {"depth": depth, "normal": hdr * np.nan})
    page = contact_sheet(image, columns=3, tile=320)
    assert page.dtype == np.uint8
    assert page.shape[1:] == (2 * 44 + 3 * 320 + 2 * 30, 3)
    top = 44 + 84 - 36
    column = page[top : top + 180, 44 + 320 + 30 + 160].astype(int)
    sky, far, near = column[30], column[90], column[150]
    assert sky.tolist() == [232, 229, 221]
    assert near.sum() > far.sum() + 300  # near is light, far is dark
    with pytest.raises(InputError, match="columns"):
        contact_sheet(image, columns=0)


# Bad input: one line, exit code 2, nothing written


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("missing.npy",), "missing.npy"),
        (("dem.npy", "-o", "out.pgn"), "did you mean '.png'"),
        (("dem.npy", "-o", "dem.npy"), "is the DEM itself"),
        (("dem.npy", "-o", "out.tif"), "a GeoTIFF is a map"),
        (("dem.npy", "-o", "out.tif", "--camera", "map"), "has no georeference"),
        (("dem.npy", "--size", "big"), "wanted pixels as WIDTHxHEIGHT"),
        (("dem.npy", "--size", "0x10"), "wanted pixels as WIDTHxHEIGHT"),
        (("dem.npy", "--camera", "orbitt"), "did you mean 'orbit'"),
        (("dem.npy", "--camera", "map", "--fov", "30"), "--fov means nothing to --camera map"),
        (("dem.npy", "--camera", "perspective"), "wants --position"),
        (("dem.npy", "--position", "1,2"), "--position is '1,2'; wanted 3 numbers"),
        (("dem.npy", "--no-skirt", "--position", "0,0,-90"), "inside the ground"),
        (("dem.npy", "--tonemap", "acess"), "did you mean 'aces'"),
        (("dem.npy", "--aov", "dept"), "did you mean 'depth'"),
        (("dem.npy", "--cmap", "vkforge.relieff"), "vkforge.relief"),
        (("dem.npy", "--samples", "0"), "samples is 0"),
        (("dem.npy", "--lane", "lite"), "no lane called 'lite'; did you mean 'lit'"),
        (("dem.npy", "--half"), "--half and --float are for .exr"),
        (("dem.npy", "--cell-size", "-3"), "cell_size"),
        (("dem.npy", "--albedo", "chartroose"), "chartreuse"),
        (("dem.npy", "-z", "0"), "vertical_exaggeration"),
        (("dem.npy", "--fog", "thick"), "--fog is 'thick'; wanted 1 or 3 numbers"),
        (("dem.npy", "--fog", "0"), "--fog is 0.0; wanted a finite number greater than 0"),
        (("dem.npy", "--fog", "100,5,-3"), "Fog scale_height"),
        (("dem.npy", "--water", "1e99"), "Water level"),
        (("dem.npy", "--water-color", "blue"), "--water-color is that of --water; give its level too"),
        (("dem.npy", "--water", "500", "--water-color", "bleu"), "did you mean 'blue'"),
        (("dem.npy", "--albedo", "ortho.tif"), "no such file"),
        (("dem.npy", "--background", "transparent", "-o", "out.jpg"), ".jpg has no alpha"),
    ],
)
def test_bad_input(arguments: tuple[str, ...], says: str) -> None:
    before = Path("dem.npy").read_bytes()
    assert says in one_line(run("render", *arguments, code=2))
    assert [path.name for path in Path().iterdir()] == ["dem.npy"]
    assert Path("dem.npy").read_bytes() == before
    assert not FakeRenderer.calls


def test_usage_errors() -> None:
    run("render", code=2)
    run("render", "dem.npy", "--no-such-option", code=2)
    run("render", "dem.npy", "--samples", "many", code=2)


# Other failures: exit code 1


def test_output_folder_is_missing() -> None:
    assert "does not exist; create it first" in one_line(run("render", "dem.npy", "-o", "no/out.png", code=1))
    assert not FakeRenderer.calls


@pytest.mark.parametrize("error", [DeviceError("no device"), OutOfMemoryError("pass 'lit' ran\nout of memory")])
def test_device_errors(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(FakeRenderer, "failure", error)
    assert " ".join(str(error).split()) in one_line(run("render", "dem.npy", code=1))


def test_unexpected_errors_and_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeRenderer, "failure", ZeroDivisionError("by nought"))
    line = one_line(run("render", "dem.npy", code=1))
    assert "unexpected ZeroDivisionError: by nought" in line
    assert "--debug" in line
    result = run("render", "dem.npy", "--debug", code=1)
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1] == "error: unexpected ZeroDivisionError: by nought"


def test_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeRenderer, "failure", KeyboardInterrupt())
    assert one_line(run("render", "dem.npy", code=130)) == "error: interrupted"


# Without a device


def test_help_and_version_need_neither_vulkan_nor_numpy() -> None:
    code = (
        "import sys\n"
        "for name in ('vulkan', 'numpy', 'PIL', 'OpenEXR', 'rasterio'): sys.modules[name] = None\n"
        "from vkforge.cli import main\n"
        "main()\n"
    )
    for arguments in (["--help"], ["render", "--help"], ["probe", "-h"], ["--version"]):
        said = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert said.returncode == 0, said.stderr
        assert "vkforge" in said.stdout


class _Info(types.SimpleNamespace):
    def to_dict(self) -> dict[str, Any]:
        return dict(vars(self))


def _device(index: int, name: str, kind: str, suitable: bool) -> _Info:
    return _Info(
        index=index,
        name=name,
        type=kind,
        driver="driver 1.2",
        api_version=(1, 3, 0),
        vendor_id=1,
        heaps=({"bytes": 2**33, "device_local": True},),
        limits={"maxImageDimension2D": 16384},
        extensions={"VK_KHR_synchronization2": True, "VK_KHR_ray_query": False},
        suitable=suitable,
        reasons=() if suitable else ("it lacks the feature timelineSemaphore",),
    )


@pytest.mark.gpu
def test_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = pytest.importorskip("vkforge.vk.instance")
    devices = [_device(0, "Slow [red]CPU", "cpu", True), _device(1, "Old GPU", "discrete", False)]
    monkeypatch.setattr(instance, "list_devices", lambda: devices)
    monkeypatch.delenv("VKFORGE_DEVICE", raising=False)
    said = run("probe").stdout
    for words in ("0: Slow [red]CPU", "1: Old GPU", "8.0 GiB", "16,384", "lacks the feature", "vkforge takes 0"):
        assert words in said
    found = json.loads(run("probe", "--json").stdout)
    assert found["chosen"] == 0
    assert found["reason"]
    assert found["devices"][1]["reasons"] == ["it lacks the feature timelineSemaphore"]
    assert "no Vulkan device matches" in one_line(run("probe", "--device", "7", code=2))
    devices.pop(0)
    result = run("probe", code=1)
    assert "Old GPU" in result.stdout
    assert "baseline" in one_line(result)
