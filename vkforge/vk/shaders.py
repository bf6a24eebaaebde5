"""The compiled shaders: found by name, and checked against their sources where those lie beside the package.

Nothing is compiled at run time. ``tools/compile_shaders.py`` (the build hook runs it) writes ``vkforge/_shaders``, with
a manifest of what each shader was made from.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from vkforge.errors import ShaderBuildError, suggest
from vkforge.vk.spirv import COMPILE_COMMAND, Shader, reflect

MANIFEST = "manifest.json"
STAGE_SUFFIXES = (".comp", ".vert", ".frag")
_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.MULTILINE)
_BUILT = files("vkforge") / "_shaders"
_SOURCES = Path(__file__).resolve().parents[2] / "shaders" / "glsl"


@cache
def load(name: str) -> Shader:
    """Return a compiled shader.

    Args:
        name: Path of its source under ``shaders/glsl``, such as "terrain/primary.comp".

    Raises:
        ShaderBuildError: There is no such shader, it was not built, or its source changed since.
    """
    if name not in names():
        raise ShaderBuildError(f"there is no shader {name!r}{suggest(name, names())}; known: {', '.join(names())}")
    known = _manifest()
    if name not in known["shaders"]:
        raise ShaderBuildError(f"shader {name!r} is not compiled; run: {COMPILE_COMMAND}")
    if _SOURCES.is_dir() and source_digest(_SOURCES, name, known["compiler"]) != known["shaders"][name]:
        raise ShaderBuildError(f"shader {name!r} changed since it was compiled; run: {COMPILE_COMMAND}")
    try:
        code = (_BUILT / f"{name}.spv").read_bytes()
    except FileNotFoundError:
        raise ShaderBuildError(f"shader {name!r} is not compiled; run: {COMPILE_COMMAND}") from None
    return reflect(code, name)


def names() -> tuple[str, ...]:
    """Return the names of all shaders, sorted: those in the source tree or, without one, those in the package."""
    return shader_sources(_SOURCES) if _SOURCES.is_dir() else tuple(sorted(_manifest()["shaders"]))


def shader_sources(root: Path) -> tuple[str, ...]:
    """Return the sorted names of the shaders (not the includes) under a ``shaders/glsl`` folder."""
    found = (path.relative_to(root) for suffix in STAGE_SUFFIXES for path in root.rglob(f"*{suffix}"))
    return tuple(sorted(path.as_posix() for path in found if path.parts[0] != "include"))


def source_digest(root: Path, name: str, compiler: str) -> str:
    """Return the SHA-256, in hexadecimal, of all that a compiled shader depends on.

    Args:
        root: The ``shaders/glsl`` folder.
        name: The shader's path under it.
        compiler: Identity of the compiler and its options.
    """
    digest = hashlib.sha256(compiler.encode())
    for path in _closure(root, root / name, set()):
        digest.update(b"\0%s\0" % path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _closure(root: Path, path: Path, seen: set[Path]) -> Iterator[Path]:
    """Yield a source and, depth first and once each, the files it includes; the compiler reports any that lack."""
    seen.add(path)
    yield path
    for match in _INCLUDE.finditer(path.read_bytes()):
        given = match[1].decode()
        for folder in (path.parent, root):
            included = folder / given
            if included.is_file():
                included = root / included.resolve().relative_to(root.resolve())
                if included not in seen:
                    yield from _closure(root, included, seen)
                break


@cache
def _manifest() -> dict:
    try:
        return json.loads((_BUILT / MANIFEST).read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise ShaderBuildError(f"the shaders are not compiled; run: {COMPILE_COMMAND}") from None
    except ValueError:
        raise ShaderBuildError(f"the shaders' {MANIFEST} can't be read; run: {COMPILE_COMMAND}") from None
