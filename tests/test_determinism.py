"""The same scene, seed and driver give the same bits, in this process and in the next."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vkforge as vf

pytestmark = pytest.mark.gpu

ROOT = Path(__file__).resolve().parents[1]


def scene() -> vf.Scene:
    """Soft sun, sky and a rough, shiny ground: every random sequence is in use."""
    heights = np.random.default_rng(7).random((31, 26)) * 6.0
    terrain = vf.Terrain(heights, material=vf.Material(roughness=0.4, specular=0.8), skirt="auto")
    sun = vf.Sun(azimuth=290, elevation=25, angular_diameter=5.0)
    return vf.Scene(terrain, camera=vf.Camera.orbit(terrain, azimuth=210, elevation=35), sun=sun)


def digest(renderer: vf.Renderer, **options: Any) -> str:
    """Return a digest of every pixel of the picture and of all AOVs."""
    image = renderer.render(scene(), (48, 32), aovs=tuple(vf.AOVS), **{"samples": 4, "seed": 3, **options})
    parts = hashlib.sha256(image.rgba.tobytes() + image.hdr.tobytes())
    for name in vf.AOVS:
        parts.update(image.aovs[name].tobytes())
    return parts.hexdigest()


def test_twice_the_same(renderer: vf.Renderer) -> None:
    assert digest(renderer) == digest(renderer)


def test_whatever_was_rendered_before(renderer: vf.Renderer) -> None:
    """Neither what is left in memory nor a half-finished picture shows."""
    first = digest(renderer)
    renderer.render(vf.Terrain(np.eye(5)), (48, 32), samples=3)
    digest(renderer, samples=7, seed=1)

    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        renderer.render(scene(), (48, 32), samples=2, progress=stop)
    assert digest(renderer) == first


def test_another_renderer(renderer: vf.Renderer) -> None:
    with vf.Renderer() as other:
        assert digest(other) == digest(renderer)


def test_another_process(renderer: vf.Renderer) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_determinism import digest, vf
with vf.Renderer(validation=False) as renderer:
    print(digest(renderer))
"""
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == digest(renderer)


def test_another_seed_gives_other_bits(renderer: vf.Renderer) -> None:
    assert len({digest(renderer, seed=seed) for seed in (0, 1, 2, 2**32 - 1)}) == 4


def test_seeds_agree_in_the_mean(renderer: vf.Renderer) -> None:
    """Another seed is another draw of the same light, not another light."""
    one, other = (renderer.render(scene(), (48, 32), samples=64, seed=seed).hdr for seed in (1, 2))
    assert np.abs(one - other).max() > 0
    np.testing.assert_allclose(one.mean(axis=(0, 1)), other.mean(axis=(0, 1)), rtol=0.01)


def test_the_samples_of_a_pixel_differ(renderer: vf.Renderer) -> None:
    """More samples are new samples: the noise goes down as they add up."""
    truth = renderer.render(scene(), (48, 32), samples=256, seed=9).hdr
    errors = [np.abs(renderer.render(scene(), (48, 32), samples=n, seed=4).hdr - truth).mean() for n in (1, 4, 16)]
    assert errors[0] > 1.5 * errors[1] > 2.25 * errors[2]


def test_the_first_pixels_do_not_depend_on_threads_or_size(renderer: vf.Renderer) -> None:
    """Work groups run in any order on any thread; a picture larger than one of them still repeats."""
    pictures = [renderer.render(scene(), (333, 127), samples=2).hdr for _ in range(3)]
    digests = {hashlib.sha256(picture.tobytes()).hexdigest() for picture in pictures}
    assert len(digests) == 1
