"""The documentation builds without a warning, and README and pages link to what is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_every_public_name_is_in_the_reference() -> None:
    import vkforge

    text = (ROOT / "docs" / "api.md").read_text()
    errors = (ROOT / "vkforge" / "errors.py").read_text()
    for name in vkforge.__all__:
        if name != "__version__":
            assert re.search(rf":: vkforge\.{name}$", text, re.MULTILINE) or f"class {name}(" in errors, name
