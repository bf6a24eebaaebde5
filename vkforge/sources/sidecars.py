"""What stands beside a file and says where it lies: `.prj`, and world files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vkforge.scene.terrain import Affine

_WKT = re.compile(r"\s*\ufeff?\s*[A-Za-z_]+\s*\[")

# A grid of two samples a side, for GDAL to read a .prj of ArcInfo with.
_SMALL = "ncols 2\nnrows 2\nxllcorner 0\nyllcorner 0\ncellsize 1\n0 0\n0 0\n"


def beside(name: str, *suffixes: str) -> Path | None:
    """Return the file beside `name` that has its stem and one of these suffixes, in either case."""
    path = Path(name)
    stems = {path.stem, Path(path.stem).stem} if path.suffix.lower() == ".gz" else {path.stem}
    wanted = {(stem + suffix).lower() for stem in stems for suffix in suffixes}
    if not path.parent.is_dir():
        return None
    return next((entry for entry in sorted(path.parent.iterdir()) if entry.name.lower() in wanted), None)


@dataclass(frozen=True)
class Prj:
    """What a `.prj` says.

    Attributes:
        crs: WKT, or an object of rasterio, or the file's text where nobody can read it; None without file.
        z_unit: unit of heights, of the kind that ArcInfo wrote; None where it isn't said.
        z_scale: stored units in one `z_unit`.
    """

    crs: Any = None
    z_unit: str | None = None
    z_scale: float = 1.0


def read_prj(name: str) -> Prj:
    """Read the `.prj` beside a file: WKT, or the keywords of ArcInfo ("Projection UTM", "Units METERS"), by GDAL."""
    path = beside(name, ".prj")
    text = "" if path is None else path.read_text(errors="replace").strip()
    if not text:
        return Prj()
    if _WKT.match(text):
        return Prj(text.lstrip("\ufeff"))
    words = {line.split()[0].lower(): line.split()[1] for line in text.splitlines() if len(line.split()) > 1}
    unit = words.get("zunits")
    known = _by_gdal(text) or text
    if unit is None or unit.upper() == "NO":
        return Prj(known)
    try:
        return Prj(known, None, float(unit))  # so many of them are one metre
    except ValueError:
        return Prj(known, unit)


def _by_gdal(text: str) -> Any:
    """Return the CRS object that GDAL makes of ArcInfo's keywords, or None."""
    try:
        from rasterio.errors import RasterioError
        from rasterio.io import MemoryFile
    except ImportError:
        return None
    folder = "vkforge_prj"
    try:
        with (
            MemoryFile(text.encode(), dirname=folder, filename="grid.prj"),
            MemoryFile(_SMALL.encode(), dirname=folder, filename="grid.asc") as grid,
            grid.open() as dataset,
        ):
            return dataset.crs or None
    except RasterioError:
        return None


# GeoTIFF 1.1: ModelPixelScale, ModelTiepoint, ModelTransformation, GeoKeyDirectory.
GEOREFERENCE_TAGS = (33550, 33922, 34264, 34735)


def has_aux_xml(name: str) -> bool:
    """Return whether GDAL has written down what it knows of a file beside it, which only GDAL reads."""
    return Path(f"{name}.aux.xml").is_file() or beside(name, ".aux.xml") is not None


def read_world(name: str) -> Affine | None:
    """Return the transform of the world file beside a picture (`.pgw`, `.jgw`, `.tfw`, `.wld`, ...), or None.

    Its six lines are a, d, b, e and the centre of the upper left pixel; the result has that pixel's outer corner.
    """
    suffix = Path(name).suffix.lower()
    if len(suffix) < 3:
        return None
    path = beside(name, f"{suffix[:2]}{suffix[-1]}w", f"{suffix}w", ".wld")
    if path is None:
        return None
    try:
        a, d, b, e, x, y = (float(word.replace(",", ".")) for word in path.read_text(errors="replace").split()[:6])
    except ValueError:
        return None
    return (a, b, x - (a + b) / 2.0, d, e, y - (d + e) / 2.0)
