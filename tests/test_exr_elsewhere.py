"""OpenEXR files in other people's programs: OpenImageIO's command line, and Blender."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_exr import HEIGHT, WIDTH, made, planes, read

from vkforge.aovs import AOVS

# OpenImageIO's command line: the one on PATH (Debian: openimageio-tools) and the one of the wheel, years newer


@pytest.fixture(scope="module", params=["PATH", "wheel"])
def oiiotool(request: pytest.FixtureRequest) -> Any:
    beside = str(Path(sys.executable).parent)
    elsewhere = os.pathsep.join(folder for folder in os.environ["PATH"].split(os.pathsep) if folder != beside)
    program = shutil.which("oiiotool", path=beside if request.param == "wheel" else elsewhere)
    if program is None:
        pytest.skip(f"no oiiotool ({request.param})")

    def run(*arguments: object) -> str:
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_oiiotool_sees_layers_types_and_metadata(tmp_path: Path, oiiotool: Any) -> None:
    north = ((1, 0, 0, 0), (0, 0, 1, 0), (0, -1, 0, 0), (0, 0, 0, 1))  # OpenGL's view from the origin
    camera = {"world_to_camera": north, "world_to_ndc": np.eye(4).tolist()}
    info = {"camera": camera, "sun": {"azimuth": 315.0}, "exposure": 2.0, "frames_per_second": 25}
    image = dataclasses.replace(made(info), mattes={"object": {"terrain": np.ones((HEIGHT, WIDTH), np.float32)}})
    said = oiiotool("--info", "-v", image.save(tmp_path / "a.exr", compression="piz"))
    assert f"{WIDTH} x   {HEIGHT}" in said
    listed = next(line for line in said.splitlines() if "channel list:" in line).partition(":")[2]
    types = dict(entry.strip().split(" ") for entry in listed.split(","))
    mattes = {f"CryptoObject0{i}.{c}" for i in range(3) for c in "RGBA"}
    assert set(types) == set(planes(image)) | mattes
    assert types["R"] == types["A"] == types["N.Y"] == types["albedo.G"] == types["sun_visibility.V"] == "(half)"
    assert {types[name] for name in ("Z", "P.X", "variance.V", *mattes)} == {"(float)"}
    for line in (
        'compression: "piz"',
        "chromaticities: 0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329",
        "framesPerSecond: 25/1 (25)",
        'software: "vkforge ',
        "vkforge/exposure: 2",
        "vkforge/sun/azimuth: 315",
        'cryptomatte/3ae39a5/name: "CryptoObject"',
        'cryptomatte/3ae39a5/manifest: "{"terrain":"',
        "worldToCamera: 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1",
        "worldToNDC: ",
    ):
        assert line in said, line


def test_oiiotool_sees_the_parts(tmp_path: Path, oiiotool: Any) -> None:
    path = made().save(tmp_path / "a.exr", parts="multi", compression="dwaa", names="blender")
    said = oiiotool("--info", "-v", "-a", path)
    assert f"{len(AOVS) - 1} subimages" in said
    assert (
        "channel list: ViewLayer.Combined.R, ViewLayer.Combined.G, ViewLayer.Combined.B, ViewLayer.Combined.A" in said
    )
    assert 'name: "ViewLayer.Depth"' in said
    assert said.count('compression: "dwaa') == sum(aov.kind == "color" for aov in AOVS.values())
    assert 'BlenderMultiChannel: "Blender V2.55' in said


@pytest.mark.parametrize("options", [{}, {"parts": "multi", "compression": "dwaa"}], ids=["single", "multi"])
def test_oiiotool_reads_the_values(tmp_path: Path, oiiotool: Any, options: dict[str, Any]) -> None:
    from PIL import Image as Pillow

    image = made()
    path = image.save(tmp_path / "a.exr", **options)
    for part, channel, wanted in ((1, "Z", image.aovs["depth"]), (2, "P.Y", image.aovs["position"][..., 1])):
        chosen = ("--subimage", part) if options else ()
        oiiotool(path, *chosen, "--ch", channel, "-d", "float", "-o", tmp_path / "a.tif")
        with Pillow.open(tmp_path / "a.tif") as seen:
            assert np.array_equal(np.asarray(seen), wanted)


# Blender, where it is installed as a module (extra `peers`)

_IN_BLENDER = """
import json, sys
import bpy
scene = bpy.context.scene
scene.render.engine, scene.cycles.samples = "CYCLES", 1
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = WIDTH, HEIGHT, 100
settings = scene.render.image_settings
settings.file_format, settings.color_depth = "OPEN_EXR", "32"
tree = bpy.data.node_groups.new("tree", "CompositorNodeTree")
scene.compositing_node_group = tree
tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
out = tree.nodes.new("NodeGroupOutput")
image = bpy.data.images.load(sys.argv[1])
node, crypto = tree.nodes.new("CompositorNodeImage"), tree.nodes.new("CompositorNodeCryptomatteV2")
node.image, crypto.source, crypto.image = image, "IMAGE", image
crypto.matte_id = "water"
for name, socket in (("normal", node.outputs[sys.argv[2]]), ("matte", crypto.outputs["Matte"])):
    tree.links.clear()
    tree.links.new(socket, out.inputs[0])
    scene.render.filepath = name + ".exr"
    bpy.ops.render.render(write_still=True)
print("\\n" + json.dumps({socket.name: socket.type for socket in node.outputs}))
"""


@pytest.mark.slow
@pytest.mark.skipif(find_spec("bpy") is None, reason="no bpy, Blender as a module (extra peers)")
@pytest.mark.parametrize("parts", ["single", "multi"])
@pytest.mark.parametrize("names", ["vkforge", "blender"])
def test_blender_has_the_layers_intact(tmp_path: Path, names: str, parts: str) -> None:
    cover = np.random.default_rng(2).random((HEIGHT, WIDTH), np.float32)
    mattes = {"object": {"terrain": 1 - cover, "water": cover}}
    image = dataclasses.replace(made(), mattes=mattes)
    path = image.save(tmp_path / "a.exr", names=names, parts=parts, half=False)
    normal = "Normal" if names == "blender" else "N"
    script = _IN_BLENDER.replace("WIDTH", str(WIDTH)).replace("HEIGHT", str(HEIGHT))
    done = subprocess.run([sys.executable, "-c", script, path, normal], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sockets = json.loads(done.stdout.splitlines()[-1])
    if names == "blender":
        wanted = {
            "Combined": "RGBA",
            "Depth": "VALUE",
            "depth_along_ray": "VALUE",
            "Position": "VECTOR",
            "Diffuse Color": "RGBA",
            "Object Index": "VALUE",
        }
    else:
        wanted = {"P": "VECTOR", "albedo": "RGBA", "roughness": "VALUE", "object_id": "VALUE"}
    assert (
        wanted | {normal: "VECTOR", "CryptoObject00": "RGBA", "direct": "RGBA", "variance": "VALUE"}
    ).items() <= sockets.items()
    channels, _ = read(tmp_path / "normal.exr")
    assert np.array_equal(np.dstack([channels[c] for c in "RGB"]), image.aovs["normal"])
    assert np.array_equal(read(tmp_path / "matte.exr")[0]["R"], cover)
