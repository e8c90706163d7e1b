"""How far a long stage is, on stderr: bars on a terminal, a line every few seconds elsewhere.

Nothing with --quiet; with --log-format json a line is an object for each kind of work.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from reconciler.cli.settings import Options
from reconciler.cli.streams import say
from reconciler.core.events import (
    Event,
    Listener,
    MatchRefused,
    Pausing,
    Progress,
    Settled,
    Weighed,
    nobody_listens,
)

from .meter import Meters, left_text, rate_text

_LINE_EVERY: Final = 5.0
# Shorter pauses are over before anybody has read of them.
_WORTH_TELLING: Final = 1.0
# What a stage calls its work, in words.
_WORK: Final = {
    "get": "Reading registrations",
    "match": "Matching owners",
    "persons": "Reading owners",
    "pages": "Reading people",
    "depersonalize": "Detaching",
    "personalize": "Attaching",
    "update": "Updating",
}


def shows_bars(options: Options) -> bool:
    """Whether progress is drawn on the terminal, which then keeps itself in order."""
    can = sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb"
    return can and not (options.quiet or options.log_json or options.verbose)


@contextmanager
def progress(options: Options) -> Iterator[Listener]:
    """Give a listener that shows what it hears for as long as the block lasts."""
    if options.quiet:
        yield nobody_listens
    elif shows_bars(options):
        from .bars import bars

        # What is said appears above the bars.
        aside = Lines(options, time.monotonic)
        with bars(options, time.monotonic, words_of) as draw:

            def listen(event: Event) -> None:
                if isinstance(event, Progress):
                    draw(event)
                elif isinstance(event, (Pausing, Weighed, MatchRefused)):
                    aside(event)

            yield listen
    else:
        yield Lines(options, time.monotonic)


def words_of(work: str) -> str:
    """Return what a stage calls its work, in words."""
    return _WORK.get(work, work)


class Lines:
    """Say one line a few seconds after the last; with -v every outcome."""

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._last = clock()
        self._paused = -_LINE_EVERY
        self._meters = Meters()
        # What has moved since the last line.
        self._moved: set[str] = set()

    def __call__(self, event: Event) -> None:
        match event:
            case Progress():
                self._progress(event)
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
            case Weighed():
                tell_weighed(self._options, event)
            case MatchRefused():
                tell_match_refused(self._options, event)

    def _progress(self, event: Progress) -> None:
        now = self._clock()
        self._meters.note(event, now)
        self._moved.add(event.work)
        if now - self._last < _LINE_EVERY:
            return
        moved = (work for work in self._meters.works() if work in self._moved)
        running = [work for work in moved if not self._meters.of(work).finished]
        if running:
            self._last = now
            self._moved.clear()
            self._say(running, now)

    def _say(self, running: Sequence[str], now: float) -> None:
        """Say how far all that runs is: one line, or one object for each."""
        if not self._options.log_json:
            say(self._options, "info", "; ".join(self._told(work, now) for work in running))
            return
        for work in running:
            meter = self._meters.of(work)
            rate, seconds_left = meter.rate(now), self._meters.left(work, now)
            say(
                self._options,
                "info",
                self._told(work, now),
                event="progress",
                work=work,
                done=meter.done,
                total=None if meter.open_ended else meter.total,
                rate=None if rate is None else round(rate, 2),
                seconds_left=None if seconds_left is None else round(seconds_left, 1),
            )

    def _told(self, work: str, now: float) -> str:
        meter = self._meters.of(work)
        of = " so far" if meter.open_ended else f" of {meter.total:,}"
        pace = (rate_text(meter.rate(now)), left_text(self._meters.left(work, now)))
        said = (f"{words_of(work)}: {meter.done:,}{of}", *(text for text in pace if text))
        return ", ".join(said)

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


def tell_match_refused(options: Options, event: MatchRefused) -> None:
    """Say once why owners are looked up one by one."""
    say(
        options,
        "warning",
        f"Owners are looked up one by one, which takes longer: {event.why}",
        event="match-refused",
    )


def tell_weighed(options: Options, event: Weighed) -> None:
    """Say how live state is read, and what the other way would take; where one page has it all,
    that is over already, and said with -v only."""
    if not (event.sweep_seconds or event.forced or options.verbose or options.log_json):
        return
    from reconciler.render.sentences import duration

    points, sweep = duration(event.points_seconds), duration(event.sweep_seconds)
    among = "" if event.people is None else f" of {event.people:,} people"
    match event.strategy:
        case "points":
            text = f"Reading by point, about {points}; the pages{among} would take {sweep}."
        case "sweep" if not event.sweep_seconds:
            # The page that tells how many there are shows them all.
            text = f"Read from the one page{among}; by point it would take about {points}."
        case "sweep":
            text = f"Reading the pages{among}, about {sweep}; by point it would take {points}."
        case _:
            text = (
                f"Reading owners from the pages{among} and registrations by point, "
                f"about {sweep}; all by point would take {points}."
            )
    say(
        options,
        "info",
        text,
        event="reading",
        strategy=event.strategy,
        people=event.people,
        points_seconds=round(event.points_seconds, 1),
        sweep_seconds=round(event.sweep_seconds, 1),
    )
