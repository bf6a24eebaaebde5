"""The one-liner's progress: a line on stderr where somebody sees it, nothing elsewhere."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import pytest

import vkforge as vf
from vkforge import status_line
from vkforge.status_line import StatusLine, is_watched

TERRAIN = vf.Terrain(np.arange(12.0).reshape(3, 4))
NOT_PROGRESS: Any = "yes"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Notebook(io.StringIO):
    pass


Notebook.__module__ = "ipykernel.iostream"


def test_who_is_watched() -> None:
    assert is_watched(Terminal()) and is_watched(Notebook())
    assert not is_watched(io.StringIO()) and not is_watched(None)
    closed = Terminal()
    closed.close()
    assert not is_watched(closed)


def test_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = [10.0], Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(status_line.time, "perf_counter", lambda: clock[0])
    line = StatusLine("rendering")
    said = []
    for seconds in (10.5, 11.5, 11.6, 12.0, 410.0):
        clock[0] = seconds
        line(3, 12)
        said.append(stream.getvalue())
        stream.seek(0)
        stream.truncate()
    assert said[0] == ""  # a second is no wait
    assert said[1] == "\rrendering: 3 of 12 samples, 4 s left"  # nine more at half a second each
    assert said[2] == ""  # not more than five times a second
    assert said[3] == "\rrendering: 3 of 12 samples, 6 s left"
    assert said[4] == "\rrendering: 3 of 12 samples, 20 min left"
    line.close()
    assert stream.getvalue() == "\r" + " " * len("rendering: 3 of 12 samples, 20 min left") + "\r"
    line.close()
    assert stream.getvalue().count("\r") == 2


def test_a_terminal_that_is_gone_disturbs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    line = StatusLine("rendering", patience=0.0)
    stream.close()
    line(1, 2)
    line.close()


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("stream", "progress", "shown"),
    [
        (Terminal, None, True),
        (Notebook, None, True),
        (io.StringIO, None, False),
        (io.StringIO, True, True),
        (Terminal, False, False),
    ],
)
def test_it_is_shown_where_it_is_seen(
    monkeypatch: pytest.MonkeyPatch, stream: type[io.StringIO], progress: bool | None, shown: bool
) -> None:
    monkeypatch.setattr("vkforge.oneliner.StatusLine", lambda what: StatusLine(what, patience=0.0))
    monkeypatch.setattr(sys, "stderr", stream())
    vf.render(TERRAIN, (8, 6), samples=2, progress=progress)
    written = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert ("of 2 samples" in written) == shown == bool(written)
    if shown:
        assert written.endswith(" \r"), "wiped away"


@pytest.mark.gpu
def test_a_failed_picture_leaves_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(vf.InputError, match="samples"):
        vf.render(TERRAIN, (8, 6), samples=0)
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


@pytest.mark.gpu
def test_it_may_be_a_call_and_nothing_else() -> None:
    calls: list[tuple[int, int]] = []
    vf.render(TERRAIN, (8, 6), samples=3, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (3, 3)
    with pytest.raises(vf.InputError, match="progress is 'yes'; wanted True, False, None"):
        vf.render(TERRAIN, (8, 6), progress=NOT_PROGRESS)
