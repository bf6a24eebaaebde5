"""`vkforge demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vkforge.cli.options import Debug, Device, Quiet, parsed_size
from vkforge.cli.report import progress_bar, reported


@reported
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pictures.")] = Path("vkforge-demo"),
    size: Annotated[
        str | None, typer.Option("--size", metavar="WxH", help="Pixels of the oblique view; 1920x1080 unless said.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small pictures: 768x432, and so seconds on a CPU.")] = False,
    device: Device = "auto",
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Render a real DEM (Jacksboro fault, Tennessee): oblique view, shaded relief and a contact sheet of the AOVs."""
    from vkforge.demo import OBLIQUE_SIZE, QUICK_SIZE, render_demo
    from vkforge.errors import InputError

    if quick and size is not None:
        raise InputError("--quick is a size of its own; leave it or --size out")
    pixels = parsed_size(size) if size is not None else QUICK_SIZE if quick else OBLIQUE_SIZE
    with progress_bar(quiet, steps=True) as progress:
        pictures, device_name = render_demo(output, device, progress, pixels)
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
        seconds = (f"{picture.render_seconds:.2f} s", f"{picture.write_seconds:.2f} s")
        table.add_row(picture.path.name, picture.shows, f"{picture.size[0]}x{picture.size[1]}", *seconds)
    console = Console(highlight=False)
    console.print(table)
    console.print(f"\nPictures in {output.resolve()}, rendered on {device_name}", markup=False, soft_wrap=True)
