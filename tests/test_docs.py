"""The documentation builds without a warning, and README and pages link to what is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    import vkforge as vf

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.gpu
def test_it_builds_without_a_warning(tmp_path: Path) -> None:
    for package in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(package)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "trees")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [*command, str(ROOT / "docs"), str(tmp_path / "html")], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert not run.stdout + run.stderr, "a stray line"
    plan = (tmp_path / "html" / "architecture.html").read_text()
    assert "accumulate" in plan and "when these pages were built" in plan
    assert "sky_visibility" in (tmp_path / "html" / "conventions.html").read_text()
    assert "--sun-elevation" in (tmp_path / "html" / "command-line.html").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text()):
        assert (page.parent / link).exists(), f"{page.name} links to {link}"


CODED = (
    "cameras",
    "data-sets",
    "denoising",
    "environment-maps",
    "exr",
    "fog",
    "getting-started",
    "lens",
    "light",
    "materials",
    "memory",
    "motion-blur",
    "path-tracing",
    "sky",
    "tone",
)


@pytest.mark.gpu
@pytest.mark.parametrize("page", [f"docs/{name}.md" for name in CODED])
def test_its_python_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renderer: vf.Renderer) -> None:
    import vkforge as vf

    text = (ROOT / page).read_text()
    for module, word in (("astral", "Sun.at("), ("pyoidn", 'denoise="oidn"')):
        if word in text:
            pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)
    heights = np.hypot(*np.mgrid[-20:20, -30:30]).astype(np.float32)
    np.save("dem.npy", heights)
    Image.new("RGB", heights.shape[::-1], "tan").save("ortho.tif")
    Path("evening.hdr").write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 4\n" + 8 * b"\x80\x70\x60\x80")
    terrain, radiance = vf.Terrain(heights, 30.0), np.ones((2, 4, 3))
    names = {"vf": vf, "np": np, "heights": heights, "terrain": terrain, "radiance": radiance, "renderer": renderer}
    names |= {"matrix_world": np.eye(4), "scene": vf.Scene(terrain), "camera": vf.Camera.orbit(terrain)}
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        small = code.replace('"dem.tif"', '"dem.npy", cell_size=30.0')
        small = small.replace("vf.render(terrain)", "vf.render(terrain, (96, 54))")
        small = re.sub(r"render\(scene, (?=settings=|lane=)", "render(scene, (96, 54), ", small)
        small = re.sub(r"\((1920, 1080|320, 180)\)", "(96, 54)", small)
        small = small.replace("samples=64", "samples=2").replace("0, 360, 10", "0, 360, 180")
        exec(compile(small, page, "exec"), names)
    if ".save(" in text:
        assert len(list(tmp_path.iterdir())) > 2, "it saved something"


def test_every_public_name_is_in_the_reference() -> None:
    import vkforge

    text = (ROOT / "docs" / "api.md").read_text()
    errors = (ROOT / "vkforge" / "errors.py").read_text()
    for name in vkforge.__all__:
        if name != "__version__":
            assert re.search(rf":: vkforge\.{name}\b", text, re.MULTILINE) or f"class {name}(" in errors, name
