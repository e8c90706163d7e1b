"""Progress in a log: a line now and then, and why a call waits; with -v all of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from reconciler.cli.progress.lines import Lines, progress, shows_bars
from reconciler.cli.settings import Options
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


def told(options: Options, capsys: pytest.CaptureFixture[str], *works: str) -> list[str]:
    """Return what is said in twelve seconds, in each of which ten calls of each work are done."""
    now = 0.0
    listen = Lines(options, lambda: now)
    for work in works:
        listen(Progress(work, 0, 200))
    for second in range(1, 13):
        now = float(second)
        for work in works:
            listen(Progress(work, 10 * second, 200))
    return capsys.readouterr().err.splitlines()


def test_a_line_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """How many of how many, how many a second, how long still; the first after five seconds."""
    assert told(Options(Path(), Path()), capsys, "update") == [
        "Updating: 50 of 200, 10.0/s, 15 s left",
        "Updating: 100 of 200, 10.0/s, 10 s left",
    ]


def test_kinds_that_run_side_by_side_share_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A log has one line every few seconds, whatever runs; all as of then."""
    assert told(Options(Path(), Path()), capsys, "get", "persons") == [
        "Reading registrations: 50 of 200, 10.0/s, 15 s left; "
        "Reading owners: 40 of 200, 7.5/s, 22 s left",
        "Reading registrations: 100 of 200, 10.0/s, 10 s left; "
        "Reading owners: 90 of 200, 8.9/s, 13 s left",
    ]


def test_a_program_gets_an_object_for_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    """With the numbers as numbers."""
    said = [
        json.loads(line)
        for line in told(Options(Path(), Path(), log_json=True), capsys, "get", "persons")
    ]

    assert [("get", 50), ("persons", 40), ("get", 100), ("persons", 90)] == [
        (line["work"], line["done"]) for line in said
    ]
    del said[0]["time"]
    assert {
        "level": "info",
        "message": "Reading registrations: 50 of 200, 10.0/s, 15 s left",
        "event": "progress",
        "work": "get",
        "done": 50,
        "total": 200,
        "rate": 10.0,
        "seconds_left": 15.0,
    } == said[0]


def test_what_is_done_or_stands_still_is_not_said_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Only what has moved since the last line, and has something left."""
    now = 0.0
    listen = Lines(Options(Path(), Path()), lambda: now)
    listen(Progress("get", 1, 2))
    listen(Progress("persons", 1, 9))
    now = 6.0
    listen(Progress("get", 2, 2))
    listen(Progress("pages", 3, 9))
    now = 12.0
    listen(Progress("pages", 9, 9))
    listen(Progress("pages", 10, 10))

    assert capsys.readouterr().err.splitlines() == [
        "Reading owners: 1 of 9, 0.0/s",
        "Reading people: 10 so far, 1.2/s",
    ]


def test_bars_only_on_a_terminal_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not where somebody reads every outcome, or a program does."""
    plain = Options(Path(), Path())
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert shows_bars(plain)
    for other in ("verbose", "log_json", "quiet"):
        assert not shows_bars(Options(Path(), Path(), **{other: True}))
    monkeypatch.setenv("TERM", "dumb")
    assert not shows_bars(plain)
