"""How fast work goes and how long it still takes, by what it tells of itself. No clock inside."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from reconciler.core.events import Progress
from reconciler.plan.model import Action

# Updates wait for the changes of owner.
_IN_ORDER: Final = (Action.DEPERSONALIZE.value, Action.PERSONALIZE.value, Action.UPDATE.value)
# The rate is that of the last seconds: a pause shows, and is forgotten again.
_WINDOW: Final = 15.0
_SAMPLE_EVERY: Final = 0.2
# A rate of less than a second would jump.
_SETTLED: Final = 1.0
# Whoever stands still takes forever, and a number for that is none.
_FOREVER: Final = 100 * 3600.0


class Meter:
    """One kind of work. Times are seconds of one clock.

    A total may grow. One that is never more than what is done (pages that nobody counted) makes
    the work `open_ended`: how much is left is not known. A count that falls begins a new round.
    """

    def __init__(self, now: float, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.open_ended = False
        self._samples = deque([(now, done)])

    @property
    def finished(self) -> bool:
        """Whether it is done, as far as anybody knows."""
        return self.done >= self.total and not self.open_ended

    def note(self, now: float, done: int, total: int) -> None:
        """Note how far it is now."""
        was_full = self.done >= self.total
        if done < self.done or not self.done:
            # How long the first one took is not the pace.
            self._samples = deque([(now, done)])
        self.open_ended = done == total and was_full and (self.open_ended or total > self.total)
        self.done, self.total = done, total
        if now - self._samples[-1][0] >= _SAMPLE_EVERY:
            self._samples.append((now, done))
        while len(self._samples) > 2 and self._samples[1][0] <= now - _WINDOW:
            self._samples.popleft()

    def rate(self, now: float) -> float | None:
        """Return how many a second were done lately; None when it is too early to tell."""
        since, before = self._samples[0]
        took = now - since
        return (self.done - before) / took if took >= _SETTLED and self.done else None

    def left(self, now: float) -> float | None:
        """Return the seconds that the rest takes at this rate; None when nobody can tell."""
        if self.finished:
            return 0.0
        rate = self.rate(now)
        if not rate or self.open_ended:
            return None
        seconds = (self.total - self.done) / rate
        return seconds if seconds <= _FOREVER else None


class Meters:
    """All the work of a stage, by its name."""

    def __init__(self) -> None:
        self._by_work: dict[str, Meter] = {}

    def note(self, event: Progress, now: float) -> Meter:
        """Note how far a work is now; return its meter, the same each time."""
        meter = self._by_work.get(event.work)
        if meter is None:
            meter = self._by_work[event.work] = Meter(now, event.done, event.total)
        else:
            meter.note(now, event.done, event.total)
        return meter

    def works(self) -> Iterable[str]:
        """Return the works that were noted, in the order in which they came."""
        return self._by_work.keys()

    def of(self, work: str) -> Meter:
        """Return the meter of a work that was noted."""
        return self._by_work[work]

    def left(self, work: str, now: float) -> float | None:
        """Return the seconds until a work is done; None when nobody can tell.

        Updates wait for the changes of owner, however fast those went that need not.
        """
        kinds = _IN_ORDER
        before = kinds[: kinds.index(work)] if work in kinds else []
        longest = 0.0
        for name in (*before, work):
            meter = self._by_work.get(name)
            seconds = 0.0 if meter is None else meter.left(now)
            if seconds is None:
                return None
            longest = max(longest, seconds)
        return longest


def rate_text(rate: float | None) -> str:
    """Return calls a second as they are shown: 39.4/s; nothing while that is unknown."""
    if rate is None:
        return ""
    return f"{rate:.1f}/s" if rate < 100 else f"{rate:,.0f}/s"


def left_text(seconds: float | None) -> str:
    """Return how long the rest takes as it is shown: 9 min left; nothing while it is unknown."""
    from reconciler.render.sentences import duration

    return "" if seconds is None else f"{duration(seconds)} left"
