"""What every example takes on its command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple


class Options(NamedTuple):
    """The folder to write into, which exists, and what to multiply picture sizes by."""

    folder: Path
    scale: float

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return (width, height), or less of it with --quick."""
        return round(width * self.scale), round(height * self.scale)


def options(description: str | None) -> Options:
    """Read ``[FOLDER] [--quick]``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path("out"), help="where the pictures go (default: out)"
    )
    parser.add_argument("--quick", action="store_true", help="small pictures, to see whether all works")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    return Options(given.folder, 0.15 if given.quick else 1.0)
