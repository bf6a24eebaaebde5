"""How a command speaks: errors in one line with the right exit code, notes and progress on stderr."""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import typer

from vkforge.errors import InputError, VkforgeError

Report = Callable[[str, int, int], None]
"""Told what is being done and how far it is: (words, done, total); a total of 0 means that nobody knows."""


def reported(command: Callable[..., None]) -> Callable[..., None]:
    """Wrap a command that has `debug` and perhaps `quiet` arguments so that its errors are one line each.

    Exit codes: 2 for input that can't be used, 1 for any other failure, 130 for Ctrl-C. With `debug` the trace follows.
    """

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        debug = bool(kwargs.get("debug"))
        with _notes(quiet=bool(kwargs.get("quiet")), debug=debug):
            try:
                command(*args, **kwargs)
            except (typer.Exit, BrokenPipeError):
                raise
            except KeyboardInterrupt:
                _complain("interrupted", debug)
                raise typer.Exit(130) from None
            except VkforgeError as error:
                _complain(str(error), debug)
                raise typer.Exit(2 if isinstance(error, InputError) else 1) from None
            except Exception as error:
                hint = "" if debug else " (a fault in vkforge: --debug shows the trace)"
                _complain(f"unexpected {type(error).__name__}: {error}{hint}", debug)
                raise typer.Exit(1) from None

    return wrapper


def _complain(message: str, debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc()
    typer.secho("error: ", err=True, fg="red", bold=True, nl=False)
    typer.echo(" ".join(message.split()), err=True)


class _Notes(logging.Handler):
    """Prints to whatever sys.stderr is at that moment, which a progress bar swaps to stay below the notes."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"note: {record.getMessage()}", file=sys.stderr)


@contextlib.contextmanager
def _notes(quiet: bool, debug: bool) -> Iterator[None]:
    """Show what the library logs, such as how a geographic DEM was turned into metres."""
    logger = logging.getLogger("vkforge")
    handler = _Notes()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if debug else logging.ERROR if quiet else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@contextlib.contextmanager
def progress_bar(quiet: bool, *, steps: bool = False) -> Iterator[Report]:
    """Show a progress bar on stderr while the body runs, if there is a terminal to show it on.

    Where there is none, `steps` says in a line of its own what is being done whenever that changes.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    said = ""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def show(words: str, done: int, total: int) -> None:
            nonlocal said
            bar.update(task, description=words, completed=done, total=total or None)
            if steps and bar.disable and not quiet and words != said:
                print(f"{words} ...", file=sys.stderr, flush=True)
            said = words

        yield show
