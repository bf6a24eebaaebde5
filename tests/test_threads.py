"""Threads that share a renderer are served one after the other, and each gets its own picture."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge import pbr

pytestmark = pytest.mark.gpu

RNG = np.random.default_rng(21)
TERRAINS = [vf.Terrain(RNG.random((13, 11)) * 5.0) for _ in range(4)]  # more than stay on the device
SIZE = (24, 18)
UP = np.array([[0.0, 0.0, 1.0], [0.6, 0.0, 0.8]])
DOWN = ([[0.0, 0.0, 9.0]], [[0.0, 0.0, -1.0]])


def in_threads(work: Callable[[int], Any], count: int) -> list[Any]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(work, range(count)))


def picture(renderer: vf.Renderer, i: int) -> bytes:
    lane = "path-traced" if i % 8 == 5 else "lit"
    return renderer.render(TERRAINS[i % 4], SIZE, samples=2, lane=lane).hdr.tobytes()


def test_the_kept_renderer_serves_all_threads() -> None:
    environment = vf.Environment(RNG.random((8, 16, 3)))
    works: list[Callable[[int], bytes]] = [
        lambda i: vf.render(TERRAINS[i % 4], SIZE, samples=2).hdr.tobytes(),
        lambda i: vf.atmosphere.radiance(vf.Sky(turbidity=2.0 + i % 2), vf.Sun(0, 30), UP).tobytes(),
        lambda i: environment.prefiltered(UP, 0.2 + 0.1 * (i % 2)).tobytes(),
        lambda i: np.asarray(pbr._device_table.__wrapped__()).tobytes(),
    ]
    wanted = [[work(i) for i in range(4)] for work in works]
    found = in_threads(lambda i: works[i % 4](i // 4 % 4), 24)
    assert [text == wanted[i % 4][i // 4 % 4] for i, text in enumerate(found)] == [True] * 24


def test_one_renderer_in_many_threads(renderer: vf.Renderer) -> None:
    wanted = [picture(renderer, i) for i in range(8)]
    hits = renderer.trace(TERRAINS[0], *DOWN).t

    def work(i: int) -> bool:
        if i % 5 == 4:
            return bool((renderer.trace(TERRAINS[0], *DOWN).t == hits).all())
        return picture(renderer, i % 8) == wanted[i % 8]

    assert all(in_threads(work, 40))


def test_iterators_in_threads(renderer: vf.Renderer) -> None:
    """Many pictures in one thread, one that gets better in another, single ones in two more."""
    many = [image.hdr.tobytes() for image in renderer.render_many(TERRAINS, SIZE, samples=2)]
    better = [image.hdr.tobytes() for image in renderer.accumulate(TERRAINS[0], SIZE, samples=8)]
    single = picture(renderer, 2)

    def work(i: int) -> bool:
        if i % 4 == 0:
            return [image.hdr.tobytes() for image in renderer.render_many(TERRAINS, SIZE, samples=2)] == many
        if i % 4 == 1:
            return [image.hdr.tobytes() for image in renderer.accumulate(TERRAINS[0], SIZE, samples=8)] == better
        return picture(renderer, 2) == single

    assert all(in_threads(work, 16))


def test_a_renderer_that_another_thread_closes() -> None:
    """What is being rendered comes out; whoever comes later is told."""
    renderer = vf.Renderer()
    begun, told = threading.Event(), []

    def progress(done: int, of: int) -> None:
        begun.set()

    def work() -> None:
        told.append(renderer.render(TERRAINS[0], SIZE, samples=20, progress=progress))

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(60)
    renderer.close()
    thread.join()
    assert told[0].info["samples"] == 20
    with pytest.raises(vf.DeviceError, match="closed"):
        renderer.render(TERRAINS[0], SIZE)


def test_a_renderer_for_each_thread() -> None:
    with vf.Renderer() as renderer:
        wanted = [picture(renderer, i) for i in range(4)]

    def work(i: int) -> bool:
        with vf.Renderer() as own:
            return picture(own, i) == wanted[i]

    assert all(in_threads(work, 4))
