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
    plan = (tmp_path / "html" / "architecture.html").read_text()
    assert "accumulate" in plan and "when these pages were built" in plan
    assert "sky_visibility" in (tmp_path / "html" / "conventions.html").read_text()
    assert "--sun-elevation" in (tmp_path / "html" / "command-line.html").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text()):
        assert (page.parent / link).exists(), f"{page.name} links to {link}"


@pytest.mark.gpu
@pytest.mark.parametrize("page", ["README.md", "docs/getting-started.md", "docs/memory.md"])
def test_its_python_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renderer: vf.Renderer) -> None:
    import vkforge as vf

    monkeypatch.chdir(tmp_path)
    heights = np.hypot(*np.mgrid[-20:20, -30:30]).astype(np.float32)
    np.save("dem.npy", heights)
    names = {"vf": vf, "heights": heights, "terrain": vf.Terrain(heights, 30.0), "renderer": renderer}
    for code in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
        small = code.replace('"dem.tif"', '"dem.npy", cell_size=30.0')
        for said, run in (("(1920, 1080)", "(96, 54)"), ("samples=64", "samples=2"), ("0, 360, 10", "0, 360, 180")):
            small = small.replace(said, run)
        exec(compile(small, page, "exec"), names)
    assert list(tmp_path.iterdir()) != [tmp_path / "dem.npy"], "it saved something"


def test_every_public_name_is_in_the_reference() -> None:
    import vkforge

    text = (ROOT / "docs" / "api.md").read_text()
    errors = (ROOT / "vkforge" / "errors.py").read_text()
    for name in vkforge.__all__:
        if name != "__version__":
            assert re.search(rf":: vkforge\.{name}\b", text, re.MULTILINE) or f"class {name}(" in errors, name
