"""Who may import what: the binding stays behind two doors, and `import vkforge` costs nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "vkforge"

# Modules and packages that work with no Vulkan on the machine: nothing they import, however far, reaches the binding.
PURE = (
    "vkforge",
    "vkforge.animation.*",
    "vkforge.aovs",
    "vkforge.graph.picture",
    "vkforge.errors",
    "vkforge.graph",
    "vkforge.graph.access",
    "vkforge.graph.alias",
    "vkforge.graph.builder",
    "vkforge.graph.plan",
    "vkforge.graph.sync",
    "vkforge.image",
    "vkforge.io.*",
    "vkforge.memory.*",
    "vkforge.post.*",
    "vkforge.scene.*",
    "vkforge.settings",
    "vkforge.sources.*",
    "vkforge.tonemapping",
    "vkforge.vk",
    "vkforge.vk.shaders",
    "vkforge.vk.spirv",
)
# Imported where they are needed, inside a function: they bring optional extras, or cost too much to import.
OPTIONAL = {"OpenEXR", "PIL", "av", "cmcrameri", "cmocean", "colorcet", "gpxpy", "matplotlib", "pyproj", "rasterio"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py")) if "_shaders" not in path.parts}


def _is_type_checking(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def imports(tree: ast.Module, module: str, *, nested: bool) -> set[str]:
    """Return the dotted names that a module imports, those inside functions only where `nested`.

    What stands under ``if TYPE_CHECKING`` is never executed and does not count.
    """
    found: set[str] = set()
    package = module if SOURCES[module].name == "__init__.py" else module.rpartition(".")[0]
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.stmt) and _is_type_checking(node):
            todo += node.orelse  # type: ignore[attr-defined]
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, *filter(None, [base])])
            found.add(base)
            found |= {f"{base}.{alias.name}" for alias in node.names if f"{base}.{alias.name}" in SOURCES}
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not nested:
            continue
        todo += ast.iter_child_nodes(node)
    return found


def imported_by(module: str, *, nested: bool) -> set[str]:
    return imports(ast.parse(SOURCES[module].read_text()), module, nested=nested)


def top(name: str) -> str:
    return name.partition(".")[0]


def test_the_walk_sees_the_package() -> None:
    assert {"vkforge", "vkforge.renderer", "vkforge.vk.ffi", "vkforge.graph.sync"} <= SOURCES.keys()
    assert "vulkan" in {top(name) for name in imported_by("vkforge.vk.ffi", nested=True)}


@pytest.mark.parametrize("module", SOURCES)
def test_only_two_packages_import_the_binding(module: str) -> None:
    if module.startswith(("vkforge.vk", "vkforge.memory")):
        return
    names = {top(name) for name in imported_by(module, nested=True)}
    assert not names & {"vulkan", "cffi"}, f"{module} imports the binding; that is for vkforge.vk and vkforge.memory"


def pure_modules() -> list[str]:
    found = []
    for pattern in PURE:
        stem = pattern.removesuffix(".*")
        matches = [name for name in SOURCES if name == stem or (stem != pattern and name.startswith(stem + "."))]
        assert matches, f"{pattern} names no module"
        found += matches
    return found


@pytest.mark.parametrize("module", pure_modules())
def test_pure_modules_never_reach_the_binding(module: str) -> None:
    """Follow every import at module level, and say by which way the binding came in."""
    way: dict[str, str] = {module: module}
    todo = [module]
    while todo:
        current = todo.pop()
        for name in imported_by(current, nested=False):
            assert top(name) not in ("vulkan", "cffi"), f"{way[current]} -> {name}"
            # Importing a.b.c imports a and a.b on the way.
            parts = name.split(".")
            for i in range(1, len(parts) + 1):
                parent = ".".join(parts[:i])
                if parent in SOURCES and parent not in way:
                    way[parent] = f"{way[current]} -> {parent}"
                    todo.append(parent)


@pytest.mark.parametrize("module", SOURCES)
def test_optional_libraries_are_imported_where_they_are_needed(module: str) -> None:
    names = {top(name) for name in imported_by(module, nested=False)}
    assert not names & OPTIONAL


def loaded_after(statement: str) -> set[str]:
    """Return the modules that a fresh process has loaded after `statement`."""
    script = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


def test_importing_vkforge_loads_neither_numpy_nor_vulkan() -> None:
    loaded = loaded_after("import vkforge")
    assert "vkforge" in loaded
    assert not {top(name) for name in loaded} & {"numpy", "vulkan", "cffi", "typer", "rich", *OPTIONAL}
    assert {name for name in loaded if name.startswith("vkforge.")} == set()


def test_scene_types_load_no_vulkan() -> None:
    loaded = loaded_after("from vkforge import Terrain, Camera, Sun, Sky, Scene, Material, Settings, Image, tonemap")
    assert "numpy" in loaded
    assert not {top(name) for name in loaded} & {"vulkan", "cffi"}


def test_help_loads_no_vulkan() -> None:
    loaded = loaded_after("import vkforge.cli")
    assert not {top(name) for name in loaded} & {"vulkan", "cffi"}


@pytest.mark.gpu
def test_every_public_name_resolves() -> None:
    import vkforge

    for name in vkforge.__all__:
        if name != "__version__":  # needs the package to be installed
            assert getattr(vkforge, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Terain'"):
        _ = vkforge.Terain
