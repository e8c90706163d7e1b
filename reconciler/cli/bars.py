"""Bars on the terminal: one line for each kind of work, with its pace and the time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from reconciler.core.events import Progress

from .meter import Meter, left_text, rate_text
from .options import Options
from .streams import colored

# Drawing costs more than reading; ten times a second is plenty.
_DRAW_EVERY: Final = 0.1
_WIDEST: Final = 40
# What stands beside the bar: the work, the counts, the pace, the time left.
_BESIDE: Final = 62

Draw = Callable[[str, Progress], None]


@contextmanager
def bars(
    options: Options, clock: Callable[[], float], console: Console | None = None
) -> Iterator[Draw]:
    """Give a function that draws, under its words, how far a work is; all is gone at the end."""
    console = console or Console(
        file=sys.stderr, no_color=not colored(sys.stderr, options), highlight=False, emoji=False
    )
    width = min(_WIDEST, max(0, console.width - _BESIDE))
    columns: list[ProgressColumn] = [TextColumn("{task.description:<21}"), _Figures(clock)]
    if width >= 5:
        columns.insert(1, BarColumn(width))
    with Bars(*columns, console=console, transient=True) as shown:
        drawn: dict[str, tuple[Task, Meter]] = {}
        last: dict[str, float] = {}

        def draw(words: str, event: Progress) -> None:
            now = clock()
            if words not in drawn:
                meter = Meter(now, event.done, event.total)
                task = shown.add_task(words, total=event.total, meter=meter)
                drawn[words] = (shown.tasks[-1], meter)
            else:
                meter = drawn[words][1]
                meter.note(now, event.done, event.total)
                if event.done < event.total and now - last[words] < _DRAW_EVERY:
                    return
                task = drawn[words][0].id
            last[words] = now
            # Without a total the bar moves without saying how far.
            total = None if meter.open_ended else event.total
            shown.update(task, completed=event.done, total=total)

        yield draw


class _Figures(ProgressColumn):
    """The counts, the pace and the time left, each in its place; as of now, also in a pause."""

    max_refresh = _DRAW_EVERY

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock

    def render(self, task: Task) -> Text:
        meter: Meter = task.fields["meter"]
        now = self._clock()
        counts = f"{meter.done:,}" + ("" if meter.open_ended else f"/{meter.total:,}")
        left = "" if meter.finished else left_text(meter.left(now))
        return Text(f"{counts:>15}  {rate_text(meter.rate(now)):>7}  {left:<11}", no_wrap=True)
