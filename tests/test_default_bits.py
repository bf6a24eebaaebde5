"""With no option given a picture has the bits that it had before there were options: every effect is opt-in.

The hashes are of pictures rendered before the first effect after light (lens, film, motion, tone beyond its operators)
came in; those under a physical sky were made anew when its tables became smaller. They hold for one driver on the
processors named, for which its compiler turned the shaders into the same instructions; elsewhere the goldens hold the
same pictures to a rounding step, and here the passes are looked at.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf

pytestmark = pytest.mark.gpu

SIZE = (320, 180)
HEIGHTS = np.random.default_rng(3).random((65, 65)).cumsum(0).cumsum(1) * 3
GROUND = vf.Terrain(HEIGHTS, 30.0)
HAZY = {"sky": vf.Sky(), "fog": vf.Fog(scattering=1e-4), "water": vf.Water(level=200.0)}
DRIVER = "llvmpipe (LLVM 15.0.6, 256 bits)"
PROCESSORS = ("AuthenticAMD 26 2", "AuthenticAMD 25 17")  # seen to give these bits

# Scene, options of the render, and the first hex digits of the SHA-256 of `hdr` and of `rgba`.
PICTURES: dict[str, tuple[vf.Scene, dict[str, Any], str, str]] = {
    "portrait": (vf.Scene.portrait(GROUND, SIZE), {}, "0bdbc8a1da32", "6ee3d11d0e52"),
    "relief": (vf.Scene.relief(GROUND), {}, "94e59314a7e6", "c645aa65dd0f"),
    "plain": (vf.Scene(GROUND), {}, "885c35b5d34f", "f8f1401b20fc"),
    "hazy": (vf.Scene(GROUND, **HAZY), {}, "9bf664fc4b17", "0d9a54ea0c6e"),
    "denoised": (vf.Scene(GROUND, sky=vf.Sky.gradient()), {"denoise": "atrous"}, "83412680e754", "6ac45b9b658c"),
    "paths": (vf.Scene(GROUND, sky=vf.Sky.gradient()), {"lane": "path-traced"}, "9732b4f12a6c", "53135ac36a46"),
}


def processor() -> str:
    """Return vendor, family and model, which tell what instructions the driver's compiler may choose."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    fields = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return " ".join(fields.get(name, "") for name in ("vendor_id", "cpu family", "model"))


@pytest.mark.parametrize("name", PICTURES)
def test_the_bits_are_those_of_before(renderer: vf.Renderer, name: str) -> None:
    if renderer.device.name != DRIVER or processor() not in PROCESSORS:
        pytest.skip(f"made by {DRIVER} on {' or '.join(PROCESSORS)}")
    scene, options, hdr, rgba = PICTURES[name]
    image = renderer.render(scene, SIZE, samples=4, **options)
    found = [hashlib.sha256(array.tobytes()).hexdigest()[:12] for array in (image.hdr, image.rgba)]
    assert found == [hdr, rgba]


def test_the_default_has_no_pass_of_an_effect(renderer: vf.Renderer) -> None:
    passes = renderer.plan(vf.Scene.portrait(GROUND, SIZE), SIZE).passes
    assert [item.name for item in passes if item.shader != "(handed over)"] == [
        "primary",
        "sun",
        "sky",
        "accumulate",
        "display",
    ]
