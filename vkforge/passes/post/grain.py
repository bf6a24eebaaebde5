"""Film grain, which the display pass puts on the picture."""

from __future__ import annotations

from typing import Any

from vkforge.post.grain import Grain


def fill_grain(block: Any, grain: Grain, seed: int) -> None:
    """Write the `grain` block."""
    block["deviation"] = grain.deviation
    block["per_size"] = 1.0 / grain.size
    block["shared_by_all"], block["single"] = grain.shares
    block["highlights"] = grain.highlights
    block["key"] = grain.key(seed)
