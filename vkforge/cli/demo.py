"""`vkforge demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vkforge.cli.options import Debug, Device, Quiet
from vkforge.cli.report import progress_bar, reported


@reported
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pictures.")] = Path("vkforge-demo"),
    device: Device = "auto",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Render a real DEM (Jacksboro fault, Tennessee): oblique view, shaded relief and a contact sheet of the AOVs."""
    from vkforge.demo import render_demo

    with progress_bar(quiet) as progress:
        pictures, device_name = render_demo(output, device, progress)
    if quiet:
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column("picture", no_wrap=True)
    table.add_column("what it shows")
    for column in ("pixels", "render", "write"):
        table.add_column(column, justify="right", no_wrap=True)
    for picture in pictures:
        render_time = f"{picture.render_seconds:.2f} s" if picture.render_seconds is not None else ""
        pixels = f"{picture.size[0]}x{picture.size[1]}"
        table.add_row(picture.path.name, picture.shows, pixels, render_time, f"{picture.write_seconds:.2f} s")
    console = Console(highlight=False)
    console.print(table)
    console.print(f"\nPictures in {output.resolve()}, rendered on {device_name}", markup=False, soft_wrap=True)
