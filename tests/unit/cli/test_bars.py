"""Bars: what a terminal of a given width shows, with a clock of the test's own."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from reconciler.cli.progress.bars import bars
from reconciler.cli.progress.lines import words_of
from reconciler.cli.settings import Options
from reconciler.core.events import Progress


class Terminal:
    """A terminal in memory, and a clock that a test moves."""

    def __init__(self, width: int) -> None:
        self.now = 0.0
        self.file = io.StringIO()
        self.console = Console(
            file=self.file, force_terminal=True, width=width, height=20, no_color=True
        )

    def shows(self, *events: tuple[float, Progress]) -> list[str]:
        """Return the lines that stand there after the last of some events."""
        with bars(Options(Path(), Path()), lambda: self.now, words_of, self.console) as draw:
            for self.now, event in events:
                draw(event)
        # At the end all is drawn once more, and then erased.
        frames = [
            frame
            for frame in re.split(r"(?:\x1b\[\d*[AK]|\r)+", self.file.getvalue())
            if re.search(r"\w{3}", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", frame))
        ]
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", frames[-1])
        return [line.rstrip() for line in text.splitlines()]


WHOLE = (
    (0.0, Progress("personalize", 0, 60)),
    (0.0, Progress("update", 0, 1_560)),
    (1.0, Progress("update", 1, 1_560)),
    (1.0, Progress("personalize", 1, 60)),
    (11.0, Progress("update", 391, 1_560)),
    (11.0, Progress("personalize", 13, 60)),
)


@pytest.mark.parametrize("width", [80, 120])
def test_a_line_for_each_kind(width: int) -> None:
    """The work, a bar, how many of how many, how many a second, how long still; in one line."""
    attaching, updating = Terminal(width).shows(*WHOLE)

    assert re.fullmatch(r"Attaching {13}━[━╸╺ ]+ {5,}13/60 {4}1\.2/s {2}40 s left", attaching), (
        attaching
    )
    assert re.fullmatch(r"Updating {14}━[━╸╺ ]+391/1,560 {3}39\.0/s {2}40 s left", updating)
    assert width >= max(len(attaching), len(updating))


def test_a_narrow_terminal_has_no_room_for_a_bar() -> None:
    """The figures say more."""
    _, updating = Terminal(60).shows(*WHOLE)

    assert "Updating                    391/1,560   39.0/s  40 s left" == updating


def test_what_is_done_has_no_time_left() -> None:
    """And its pace stays."""
    (reading,) = Terminal(60).shows(
        (0.0, Progress("get", 1, 11)),
        (5.0, Progress("get", 6, 11)),
        (10.0, Progress("get", 11, 11)),
    )

    assert "Reading registrations           11/11    1.0/s" == reading


def test_pages_that_nobody_counted() -> None:
    """How many there are is not known, so no total and no time left are shown."""
    pages = ((float(number), Progress("pages", number, number)) for number in range(1, 7))
    (reading,) = Terminal(60).shows(*pages)

    assert "Reading people                      6    1.0/s" == reading


def test_a_second_round_draws_the_same_line() -> None:
    """What a first reading made necessary is no work of another kind."""
    shown = Terminal(60).shows(
        (0.0, Progress("get", 1, 2)), (1.0, Progress("get", 2, 2)), (2.0, Progress("get", 1, 3))
    )

    assert ["Reading registrations             1/3"] == shown
