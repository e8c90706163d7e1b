"""Progress in a log: a line now and then, and why a call waits; with -v all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.options import Options
from reconciler.cli.progress import progress
from reconciler.core.events import Pausing, Progress, Settled

WHY = "get of device a: GET /a answered 503 (nothing was changed)"


def lines(options: Options, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what is said of some events that come all at once."""
    with progress(options) as listen:
        listen(Progress("get", 1, 2))
        listen(Pausing("get", 0.2, 1, WHY))
        listen(Pausing("get", 2.5, 2, WHY))
        listen(Pausing("get", 5.0, 3, WHY))
        listen(Settled("update/a", "a", "applied", "done", 1))
    return capsys.readouterr().err.splitlines()


def test_a_long_pause_is_told_once_in_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    """Short ones are over before they are read, and a thousand alike say nothing new."""
    assert lines(Options(Path(), Path()), capsys) == [f"{WHY}; again in 2.5 s"]


def test_verbose_tells_every_pause_and_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever looks for a cause sees each attempt."""
    assert lines(Options(Path(), Path(), verbose=True), capsys) == [
        f"{WHY}; again in 0.2 s",
        f"{WHY}; again in 2.5 s",
        f"{WHY}; again in 5.0 s",
        "applied: update/a a",
    ]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Only the result, warnings and errors."""
    assert lines(Options(Path(), Path(), quiet=True), capsys) == []
