"""Directives that print what the package itself says, so that the pages can't drift from it.

- `aov-table`: the AOVs with channels, units and names in OpenEXR.
- `command`: the options of one command, by panel.
- `compiled-plan` and `memory-report`: of a small frame that is rendered now, on whatever Vulkan device there is; where
  there is none, a note says so.
"""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
from docutils import nodes
from docutils.parsers.rst import Directive

SIZE = (320, 180)
AOVS = ("depth", "normal")


def _table(head: tuple[str, ...], rows: list[tuple[nodes.Node, ...]], widths: tuple[int, ...]) -> nodes.table:
    """Return a table of inline nodes under words."""
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=width) for width in widths]
    for part, lines in (
        (nodes.thead(), [tuple(nodes.Text(word) for word in head)]),
        (nodes.tbody(), rows),
    ):
        for line in lines:
            row = nodes.row()
            for cell in line:
                row += nodes.entry("", nodes.paragraph("", "", cell))
            part += row
        group += part
    return nodes.table("", group, classes=["colwidths-given"])


class AovTable(Directive):
    """The AOVs, from `vkforge.aovs.AOVS`."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        from vkforge.aovs import AOVS

        rows: list[tuple[nodes.Node, ...]] = [
            (
                nodes.literal(text=aov.name),
                nodes.Text(str(aov.channels)),
                nodes.Text(aov.unit),
                nodes.Text(aov.description),
                nodes.literal(text=" ".join(aov.exr_channels)),
            )
            for aov in AOVS.values()
        ]
        return [_table(("name", "channels", "unit", "what it is", "in OpenEXR"), rows, (16, 9, 6, 44, 25))]


class Command(Directive):
    """The options of the command that the argument names, from the command line's own declarations."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the command's help and a table for each panel of options."""
        import typer

        from vkforge.cli import app

        command: Any = typer.main.get_command(app).commands[self.arguments[0]]  # type: ignore[attr-defined]
        panels: dict[str, list[tuple[nodes.Node, ...]]] = {}
        for option in command.params:
            if option.param_type_name == "argument":
                names, panel = option.name.upper(), "Arguments"
            else:
                names = ", ".join(option.opts + option.secondary_opts) + (
                    f" {option.metavar}" if option.metavar else ""
                )
                panel = option.rich_help_panel or "Options"
            default = option.default if isinstance(option.default, (int, float, str)) else None
            shown = "" if default is None or isinstance(default, bool) else str(default)
            panels.setdefault(panel, []).append(
                (nodes.literal(text=names), nodes.Text(option.help or ""), nodes.Text(shown))
            )
        parts: list[nodes.Node] = [nodes.paragraph(text=text) for text in (command.help or "").split("\n\n")]
        for panel, rows in panels.items():
            parts += [nodes.rubric(text=panel), _table(("option", "what it does", "default"), rows, (38, 47, 15))]
        return parts


@functools.cache
def _rendered() -> tuple[str, str, str]:
    """Render a small frame; return the device's name, the plan and the memory report, or why there are none."""
    import vkforge as vf

    rng = np.random.default_rng(0)
    terrain = vf.Terrain(rng.normal(0.0, 1.0, (64, 64)).cumsum(0).cumsum(1), cell_size=30.0)
    try:
        with vf.Renderer(validation=False) as renderer:
            renderer.render(terrain, SIZE, aovs=AOVS, samples=2)
            plan = str(renderer.plan(terrain, SIZE, aovs=AOVS))
            return renderer.device.name, plan, str(renderer.memory_report())
    except vf.DeviceError as error:
        return "", str(error), ""


class _Rendered(Directive):
    """A text out of the small frame, or a note that there is no device."""

    part = 1

    def run(self) -> list[nodes.Node]:
        """Return the text and where it was made."""
        name, *texts = _rendered()
        if not name:
            words = f"There was no Vulkan device to render on when these pages were built: {texts[0]}"
            return [nodes.note("", nodes.paragraph(text=words))]
        words = (
            f"{SIZE[0]}x{SIZE[1]} pixels with the AOVs {' and '.join(AOVS)}, on {name}, when these pages were built:"
        )
        block = nodes.literal_block(text=texts[self.part - 1])
        block["language"] = "none"
        return [nodes.paragraph(text=words), block]


class CompiledPlan(_Rendered):
    """The compiled plan."""

    part = 1


class MemoryReport(_Rendered):
    """The memory report."""

    part = 2


def _plain_aliases(
    app: Any, what: str, name: str, thing: Any, options: Any, signature: str | None, returns: Any
) -> Any:
    """Write a type alias in a union as its name: autodoc leaves it wrapped there."""
    return (re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", signature), returns) if signature else None


def setup(app: Any) -> dict[str, Any]:
    """Register the directives with Sphinx."""
    app.add_directive("aov-table", AovTable)
    app.add_directive("command", Command)
    app.add_directive("compiled-plan", CompiledPlan)
    app.add_directive("memory-report", MemoryReport)
    app.connect("autodoc-process-signature", _plain_aliases)
    return {"parallel_read_safe": False}
