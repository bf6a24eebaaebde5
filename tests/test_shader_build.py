"""The shader compiler's bookkeeping, and what `vkforge.vk.shaders` says about its results."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools import compile_shaders
from tools.compile_shaders import Compiler, build
from vkforge.errors import ShaderBuildError
from vkforge.vk import shaders

SHADER = """#version 460
// Doubles what it reads.
//   image  the numbers, in place
#extension GL_GOOGLE_include_directive : require
#include "include/outer.glsl"
layout(local_size_x = 8, local_size_y = 8) in;
layout(r32f, binding = 0) uniform image2D image;
void main() {
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    imageStore(image, at, twice(imageLoad(image, at)));
}
"""
PLAIN = "#version 460\nlayout(local_size_x = 1) in;\nvoid main() {}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder of two shaders; terrain/double.comp includes outer.glsl, which includes inner.glsl."""
    root = tmp_path / "a tree" / "glsl"
    for name, text in {
        "terrain/double.comp": SHADER,
        "plain.comp": PLAIN,
        "include/outer.glsl": '#include "inner.glsl"\nvec4 twice(vec4 x) { return FACTOR * x; }\n',
        "include/inner.glsl": "#define FACTOR 2.0\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "built"


def run(tree: Path, out: Path, *arguments: str) -> int:
    return compile_shaders.main(["--root", str(tree), "--out", str(out), *arguments])


def state(out: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in out.rglob("*")}


def edit(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_second_build_does_nothing(tree, out):
    assert build(tree, out) == ["plain.comp", "terrain/double.comp"]
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*.*")) == [
        "manifest.json",
        "plain.comp.spv",
        "terrain/double.comp.spv",
    ]
    before = state(out)
    assert build(tree, out) == []
    assert state(out) == before


def test_only_what_changed_is_compiled(tree, out):
    build(tree, out)
    edit(tree / "include/inner.glsl", "2.0", "3.0")
    assert build(tree, out) == ["terrain/double.comp"]
    edit(tree / "plain.comp", "= 1", "= 2")
    assert build(tree, out) == ["plain.comp"]
    (out / "plain.comp.spv").unlink()
    assert build(tree, out) == ["plain.comp"]
    (out / "manifest.json").write_text("{")
    assert len(build(tree, out)) == 2


def test_another_compiler_compiles_everything(tree, out):
    found = Compiler.find()
    build(tree, out, found)
    other = Compiler(found.glslang, found.validator, found.origin, found.identity + " -Os")
    assert len(build(tree, out, other)) == 2


def test_what_has_no_source_any_more_is_removed(tree, out):
    build(tree, out)
    (tree / "plain.comp").unlink()
    assert build(tree, out) == []
    assert not (out / "plain.comp.spv").exists()
    assert list(json.loads((out / "manifest.json").read_text())["shaders"]) == ["terrain/double.comp"]


def test_builds_are_reproducible(tree, out, tmp_path):
    build(tree, out)
    moved = tree.rename(tmp_path / "elsewhere")
    build(moved, tmp_path / "again")
    for path in out.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(out)).read_bytes()


def test_check_says_what_is_stale_in_one_line_and_writes_nothing(tree, out, capsys):
    assert run(tree, out, "--check") == 1
    assert not out.exists()
    capsys.readouterr()
    build(tree, out)
    assert run(tree, out, "--check") == 0
    assert capsys.readouterr() == ("", "")
    edit(tree / "include/inner.glsl", "2.0", "3.0")
    before = state(out)
    assert run(tree, out, "--check") == 1
    expected = "stale or missing: terrain/double.comp; run: python tools/compile_shaders.py\n"
    assert capsys.readouterr().err == expected
    assert state(out) == before


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "source"),
    [
        ("terrain/double.comp", "twice(", "thrice(", "double.comp:10: error: 'thrice'", "thrice(imageLoad(image, at))"),
        ("include/outer.glsl", "FACTOR * x", "FACTOR * y", "outer.glsl:2: error: 'y'", "return FACTOR * y;"),
    ],
)
def test_an_error_names_file_and_line_and_shows_it(tree, out, capsys, file, old, new, place, source):
    build(tree, out)
    edit(tree / file, old, new)
    edit(tree / "plain.comp", "= 1", "= 2")
    assert run(tree, out) == 1
    message = capsys.readouterr().err
    assert place in message
    assert source in message
    assert (out / "plain.comp.spv").is_file()  # the others are built
    assert not (out / "terrain/double.comp.spv").exists()  # and nothing old poses as new
    assert not list(out.rglob("*.partial"))


def test_a_missing_include_is_an_error(tree, out):
    edit(tree / "terrain/double.comp", "include/outer.glsl", "include/other.glsl")
    with pytest.raises(ShaderBuildError, match=r"double\.comp:5: error: .*include"):
        build(tree, out)


def test_every_binding_must_stand_in_the_head_comment(tree, out):
    edit(tree / "terrain/double.comp", "//   image  the", "//   images  the")
    with pytest.raises(ShaderBuildError, match=r"terrain/double\.comp:1: .* it lacks image$"):
        build(tree, out)
    edit(tree / "terrain/double.comp", "// Doubles what it reads.", "/* Doubles\n   image: the numbers */")
    assert build(tree, out) == ["terrain/double.comp"]


def test_a_comment_after_code_is_no_head_comment(tree, out):
    edit(tree / "terrain/double.comp", "//   image  the numbers, in place\n", "")
    edit(tree / "terrain/double.comp", "void main", "// image\nvoid main")
    with pytest.raises(ShaderBuildError, match="it lacks image"):
        build(tree, out)


def test_the_compiler_can_be_chosen(monkeypatch, tree, out):
    glslang = Compiler.find().glslang
    monkeypatch.setenv("VKFORGE_GLSLANG", glslang)
    assert Compiler.find().origin == "from VKFORGE_GLSLANG"
    assert len(build(tree, out)) == 2
    monkeypatch.setenv("VKFORGE_GLSLANG", "/no/such/glslang")
    with pytest.raises(ShaderBuildError, match=r"'/no/such/glslang' \(from VKFORGE_GLSLANG\) does not run"):
        Compiler.find()


def test_watch_rebuilds_and_survives_errors(tree, out):
    command = [sys.executable, compile_shaders.__file__, "--watch", "--root", str(tree), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        assert "watching" in process.stdout.readline()
        assert process.stdout.readline() == "compiled plain.comp, terrain/double.comp\n"
        edit(tree / "plain.comp", "main()", "main(")
        assert "plain.comp:3: error" in process.stdout.readline()
        time.sleep(0.01)
        edit(tree / "plain.comp", "main(", "main()")
        while "compiled plain.comp" not in (line := process.stdout.readline()):
            assert line
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture
def built(tree, out, monkeypatch):
    """Point `vkforge.vk.shaders` at the small tree, built."""
    build(tree, out)
    monkeypatch.setattr(shaders, "_SOURCES", tree)
    monkeypatch.setattr(shaders, "_BUILT", out)
    forget()
    yield tree
    forget()


def forget() -> None:
    shaders.load.cache_clear()
    shaders._manifest.cache_clear()


def test_load(built):
    shader = shaders.load("terrain/double.comp")
    assert shader is shaders.load("terrain/double.comp")
    assert shader.name == "terrain/double.comp"
    assert [binding.name for binding in shader.bindings] == ["image"]
    assert shaders.names() == ("plain.comp", "terrain/double.comp")


def test_a_stale_shader_is_noticed(built):
    edit(built / "include/inner.glsl", "2.0", "3.0")
    expected = "shader 'terrain/double.comp' changed since it was compiled; run: python tools/compile_shaders.py"
    with pytest.raises(ShaderBuildError, match=f"^{expected}$"):
        shaders.load("terrain/double.comp")
    assert shaders.load("plain.comp")


def test_a_missing_build_is_noticed(built, out):
    (out / "plain.comp.spv").unlink()
    with pytest.raises(ShaderBuildError, match=r"'plain\.comp' is not compiled; run: python tools"):
        shaders.load("plain.comp")
    (built / "new.comp").write_text(PLAIN)
    with pytest.raises(ShaderBuildError, match=r"'new\.comp' is not compiled; run: python tools"):
        shaders.load("new.comp")
    (out / "manifest.json").unlink()
    forget()
    with pytest.raises(ShaderBuildError, match="the shaders are not compiled; run: python tools"):
        shaders.load("plain.comp")


def test_an_unknown_shader_suggests_the_nearest(built):
    with pytest.raises(ShaderBuildError, match="no shader 'terrain/doubel.comp'; did you mean 'terrain/double.comp'"):
        shaders.load("terrain/doubel.comp")


def test_an_installed_package_has_no_sources_to_check(built, monkeypatch, tmp_path):
    monkeypatch.setattr(shaders, "_SOURCES", tmp_path / "nothing")
    assert shaders.names() == ("plain.comp", "terrain/double.comp")
    assert shaders.load("plain.comp").local_size == (1, 1, 1)
    with pytest.raises(ShaderBuildError, match="no shader 'plane.comp'; did you mean 'plain.comp'"):
        shaders.load("plane.comp")


def test_every_shader_of_the_tree_is_built_and_current():
    """The whole tree, as the package loads it."""
    assert shaders.names()
    for name in shaders.names():
        assert shaders.load(name).stage in ("compute", "vertex", "fragment")
