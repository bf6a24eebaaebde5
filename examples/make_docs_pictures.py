"""Render the pictures of the documentation again: all, or those named.

Runs every example and keeps what it made, small, in docs/pictures.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

import vkforge as vf
from vkforge.demo import demo_terrain

HERE = Path(__file__).resolve().parent
PICTURES = HERE.parent / "docs" / "pictures"
EXAMPLES = (
    "one_liner",
    "oblique",
    "relief",
    "contact_sheet",
    "sun_sweep",
    "cameras",
    "environment",
    "line_of_sight",
    "god_rays",
    "lake",
    "miniature",
    "old_camera",
    "golden_hour",
    "tone_mapping",
    "presets",
    "time_of_day",
    "flight",
    "motion_blur",
    "compositing",
    "furnace",
    "path_tracer_noise",
    "denoise",
)
LARGEST = 1200  # pixels a side
MOST_BYTES = 300_000


def keep(source: Path) -> None:
    """Write `source` as a JPEG of at most LARGEST pixels a side and MOST_BYTES."""
    picture = Image.open(source).convert("RGB")
    picture.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    target = PICTURES / f"{source.stem}.jpg"
    for quality in range(92, 50, -6):
        picture.save(target, quality=quality, optimize=True, progressive=True)
        if target.stat().st_size <= MOST_BYTES:
            break
    print(target, target.stat().st_size)


PICTURES.mkdir(exist_ok=True)
wanted = sys.argv[1:] or (*EXAMPLES, "memory")
with tempfile.TemporaryDirectory() as scratch:
    for name in wanted:
        if name in EXAMPLES:
            subprocess.run([sys.executable, str(HERE / f"{name}.py"), scratch], check=True)
            keep(next(path for path in Path(scratch).glob(f"{name}.*") if path.suffix in (".png", ".jpg")))
if "memory" in wanted:
    with vf.Renderer() as renderer:
        renderer.render(demo_terrain(), (960, 540), aovs=("depth", "normal"), samples=1)
        renderer.memory_report().to_png(PICTURES / "memory.png")
