"""What tests need to run shaders of their own on the device: a compiler, pipelines by name, and readback."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tools import compile_shaders
from vkforge.graph.access import Access
from vkforge.graph.frame import Frame
from vkforge.vk.device import Device
from vkforge.vk.resources import Image
from vkforge.vk.spirv import Shader, reflect
from vkforge.vk.transfer import Readback

GLSL = compile_shaders.ROOT / "shaders" / "glsl"
HEAD = "#version 460\n#extension GL_EXT_scalar_block_layout : require\n"


@cache
def compile_shader(source: str, name: str) -> Shader:
    """Compile a compute shader as tools/compile_shaders.py does; it may include the renderer's own includes."""
    compiler = compile_shaders.Compiler.find()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "shader.comp").write_text(source)
        out = Path(folder) / "shader.spv"
        command = [compiler.glslang, *compile_shaders.OPTIONS, f"-I{GLSL}", "-o", str(out), "shader.comp"]
        run = compile_shaders.run_tool(command, cwd=Path(folder))
        assert run.returncode == 0, f"{run.stdout}\n{source}"
        return reflect(out.read_bytes(), name)


def loader(sources: dict[str, str]) -> Any:
    """Return a `Graph.load_shader` that knows `sources` by name."""

    def load(name: str) -> Shader:
        return compile_shader(HEAD + sources[name], name)

    return load


def read_images(device: Device, *images: Image) -> list[np.ndarray]:
    """Return the pixels of images that a frame handed over for copying."""
    ring = Readback(device)
    try:
        return ring.start(images).result()
    finally:
        ring.release()


def run_frame(frame: Frame, **blocks: dict[str, Any]) -> None:
    """Acquire, fill the blocks, submit and wait."""
    slot = frame.blocks[frame.acquire()]
    for name, values in blocks.items():
        for field, value in values.items():
            slot[name][field] = value
    frame.wait(frame.submit())


HANDED_OVER = Access.COPY_SOURCE
