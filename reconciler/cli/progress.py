"""How far a long stage is, on stderr: bars on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from reconciler.core.events import (
    Event,
    Listener,
    Pausing,
    Progress,
    Settled,
    nobody_listens,
)

from .options import Options
from .streams import colored, say

_LINE_EVERY: Final = 5.0
_DRAW_EVERY: Final = 0.1
# Shorter pauses are over before anybody has read of them.
_WORTH_TELLING: Final = 1.0
# What a stage calls its work, in words.
_WORK: Final = {
    "get": "Reading registrations",
    "persons": "Reading owners",
    "depersonalize": "Detaching",
    "personalize": "Attaching",
    "update": "Updating",
}


def shows_bars(options: Options) -> bool:
    """Whether progress is drawn on the terminal, which then keeps itself in order."""
    return sys.stderr.isatty() and not (options.quiet or options.log_json or options.verbose)


@contextmanager
def progress(options: Options) -> Iterator[Listener]:
    """Give a listener that shows what it hears for as long as the block lasts."""
    if options.quiet:
        yield nobody_listens
    elif shows_bars(options):
        with _bars(options) as listener:
            yield listener
    else:
        yield _Lines(options, time.monotonic)


class _Lines:
    """Say one line a few seconds after the last; with -v every outcome."""

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._last = clock()
        self._paused = -_LINE_EVERY

    def __call__(self, event: Event) -> None:
        match event:
            case Progress(work, done, total):
                if self._clock() - self._last < _LINE_EVERY:
                    return
                self._last = self._clock()
                words = _WORK.get(work, work)
                say(
                    self._options,
                    "info",
                    f"{words}: {done:,} of {total:,}",
                    event="progress",
                    work=work,
                    done=done,
                    total=total,
                )
            case Settled(call=call, device=device, outcome=outcome):
                if self._options.verbose:
                    say(
                        self._options,
                        "info",
                        f"{outcome}: {call} {device}",
                        event="settled",
                        call=call,
                        device=device,
                        outcome=outcome,
                    )
            case Pausing():
                self._pausing(event)

    def _pausing(self, event: Pausing) -> None:
        """Say why a call waits: with -v of each, else of a long one now and then."""
        if not self._options.verbose:
            if event.seconds < _WORTH_TELLING or self._clock() - self._paused < _LINE_EVERY:
                return
            self._paused = self._clock()
        say(
            self._options,
            "info",
            f"{event.why}; again in {event.seconds:.1f} s",
            event="pausing",
            operation=event.operation,
            seconds=round(event.seconds, 3),
            attempts=event.attempts,
        )


@contextmanager
def _bars(options: Options) -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(
        file=sys.stderr, no_color=not colored(sys.stderr, options), highlight=False, emoji=False
    )
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        shown: dict[str, int] = {}
        drawn: dict[str, float] = {}

        aside = _Lines(options, time.monotonic)

        def listen(event: Event) -> None:
            if isinstance(event, Pausing):
                # Appears above the bars.
                aside(event)
            if not isinstance(event, Progress):
                return
            work, now = event.work, time.monotonic()
            if work not in shown:
                task = bars.add_task(_WORK.get(work, work), total=event.total)
                shown[work] = int(task)
            elif event.done < event.total and now - drawn[work] < _DRAW_EVERY:
                # Drawing costs more than reading; ten times a second is plenty.
                return
            drawn[work] = now
            bars.update(bars.task_ids[shown[work]], completed=event.done, total=event.total)

        yield listen
