"""README's Python runs as it stands: in an empty folder, with the package installed from a wheel built here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text()
# (heading, code) of each block.
BLOCKS = [
    (section.partition("\n")[0], code)
    for section in re.split(r"^## ", TEXT, flags=re.MULTILINE)
    for code in re.findall(r"```python\n(.*?)```", section, re.DOTALL)
]
CPU_SECONDS = 20.0  # ten on two cores

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the package and nothing else, from a wheel."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    made = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder / "dist"), str(ROOT)]
    subprocess.run(made, check=True, capture_output=True)
    (wheel,) = (folder / "dist").iterdir()
    assert re.fullmatch(r"vkforge_renderer-[\d.]+-py3-none-any\.whl", wheel.name)
    subprocess.run([*pip, "install", "--no-deps", "--target", str(folder / "site"), str(wheel)], check=True)
    return folder / "site"


def test_every_block_is_found() -> None:
    assert [title for title, _ in BLOCKS] == ["One line", "Light", "The knobs"]
    assert TEXT.count("```python") == len(BLOCKS)


@pytest.mark.parametrize(("title", "code"), BLOCKS, ids=[title for title, _ in BLOCKS])
def test_it_runs_as_it_stands(title: str, code: str, installed: Path, tmp_path: Path) -> None:
    for module in ("astral", "matplotlib"):
        pytest.importorskip(module)
    script = tmp_path.parent / f"{tmp_path.name}.py"
    script.write_text(f"{code}\nassert vf.__file__.startswith({str(installed)!r}), vf.__file__\n")
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    before = os.times()
    began = time.perf_counter()
    run = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    after = os.times()
    assert run.returncode == 0, run.stderr
    taken = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{title}: {taken:.1f} CPU seconds, {time.perf_counter() - began:.1f} seconds")
    assert taken < CPU_SECONDS
    written = {path.name for path in tmp_path.iterdir()}
    assert written == set(re.findall(r'\.save\("([^"]+)"\)', code))


def test_the_documented_name_is_ours() -> None:
    """`pip install vkforge` would bring somebody else's package: no page says so."""
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for command in re.findall(r"pip install [^\n`]+", page.read_text()):
            assert not re.search(r"['\" ]vkforge(\[|['\" ]|$)", command), f"{page.name}: {command}"
