"""Every example runs and leaves the picture that it says it does."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py") if path.stem[0] != "_" and path.stem != "make_docs_pictures")

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("name", NAMES)
def test_example(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    monkeypatch.setattr(sys, "argv", [f"{name}.py", str(tmp_path / "new folder"), "--quick"])
    monkeypatch.syspath_prepend(str(EXAMPLES))
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    written = [Path(line) for line in capsys.readouterr().out.splitlines() if line.startswith(str(tmp_path))]
    assert written, "it says where its picture went"
    assert {path.stem for path in written} == {name}
    assert set(written) == set((tmp_path / "new folder").iterdir())
    pictures = [path for path in written if path.suffix in (".png", ".jpg")]
    assert pictures
    for path in pictures:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        assert pixels.std() > 5.0, f"{path} shows something"


def test_the_documentation_shows_every_example() -> None:
    text = (EXAMPLES.parent / "docs" / "pictures.md").read_text()
    for name in NAMES:
        assert f"## {name}.py" in text
        assert (EXAMPLES.parent / "docs" / "pictures" / f"{name}.jpg").stat().st_size <= 300_000
