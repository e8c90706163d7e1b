"""Bars on the terminal: one line for each kind of work, with its pace and the time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from reconciler.cli.settings import Options
from reconciler.cli.streams import colored
from reconciler.core.events import Progress

from .meter import Meters, left_text, rate_text

# Drawing costs more than reading; ten times a second is plenty.
_DRAW_EVERY: Final = 0.1
_NARROWEST: Final = 5
_WIDEST: Final = 40
# What stands beside the bar: the work, the counts, the pace, the time left.
_BESIDE: Final = 62

Draw = Callable[[Progress], None]


@contextmanager
def bars(
    options: Options,
    clock: Callable[[], float],
    words: Callable[[str], str],
    console: Console | None = None,
) -> Iterator[Draw]:
    """Give a function that draws how far a work is, under its words; all is gone at the end."""
    console = console or Console(
        file=sys.stderr, no_color=not colored(sys.stderr, options), highlight=False, emoji=False
    )
    meters = Meters()
    columns: list[ProgressColumn] = [
        TextColumn("{task.description:<21}"),
        _Figures(meters, clock),
    ]
    width = min(_WIDEST, console.width - _BESIDE)
    if width >= _NARROWEST:
        columns.insert(1, BarColumn(width))
    with Bars(*columns, console=console, transient=True) as shown:
        tasks: dict[str, TaskID] = {}
        drawn: dict[str, float] = {}

        def draw(event: Progress) -> None:
            work, now = event.work, clock()
            meter = meters.note(event, now)
            if work not in tasks:
                tasks[work] = shown.add_task(words(work), work=work)
            elif event.done < event.total and now - drawn[work] < _DRAW_EVERY:
                return
            drawn[work] = now
            # Without a total the bar moves without saying how far.
            total = None if meter.open_ended else event.total
            shown.update(tasks[work], completed=event.done, total=total)

        yield draw


class _Figures(ProgressColumn):
    """The counts, the pace and the time left, each in its place; as of now, also in a pause."""

    def __init__(self, meters: Meters, clock: Callable[[], float]) -> None:
        super().__init__()
        self._meters = meters
        self._clock = clock

    def render(self, task: Task) -> Text:
        work: str = task.fields["work"]
        now = self._clock()
        meter = self._meters.of(work)
        counts = f"{meter.done:,}" + ("" if meter.open_ended else f"/{meter.total:,}")
        time_left = "" if meter.finished else left_text(self._meters.left(work, now))
        return Text(f"{counts:>15}  {rate_text(meter.rate(now)):>7}  {time_left:<11}", no_wrap=True)
