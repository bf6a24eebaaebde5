"""The command line: `vkforge render`, `relief`, `animate`, `probe` and `demo`.

Typer and rich are imported in this package alone; NumPy, Vulkan and the rest only once a command runs, so that `--help`
is quick and works on a machine with no Vulkan.
"""

from __future__ import annotations

from typing import Annotated

import typer

from vkforge.cli.animate import animate
from vkforge.cli.demo import demo
from vkforge.cli.probe import probe
from vkforge.cli.render import relief, render

app = typer.Typer(
    name="vkforge",
    help="Lit, shadowed, physically based pictures of digital elevation models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (render, relief, animate, probe, demo):
    app.command()(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        from vkforge import __version__

        typer.echo(f"vkforge {__version__}")
        raise typer.Exit()


@app.callback()
def _vkforge(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    app()
