"""Build hook: compile the shaders into the package, for wheels and editable installs alike."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShaderBuildHook(BuildHookInterface):
    """Runs ``tools/compile_shaders.py`` before hatchling collects the files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile what changed; an sdist carries the sources only.

        Args:
            version: "standard" or "editable".
            build_data: Left as it is: pyproject.toml declares ``vkforge/_shaders`` an artifact.

        Raises:
            ShaderBuildError: A shader does not compile, or there is no compiler.
        """
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root / "tools"))
        import compile_shaders  # pyright: ignore[reportMissingImports]

        compiler = compile_shaders.Compiler.find()
        compiled = compile_shaders.build(root / "shaders" / "glsl", root / "vkforge" / "_shaders", compiler)
        self.app.display_info(f"compiled {len(compiled)} shaders with {compiler}")
