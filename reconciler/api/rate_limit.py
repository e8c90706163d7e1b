"""Rate limit: when the calls of one operation may leave, so that no one-second window has too many.

`Schedule` is the arithmetic, without a clock; `Stream` makes calls wait for it in order.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from reconciler.platform.pace import gap, is_limited, most_a_second

# As many calls as a second may have leave evenly in SPACING seconds and, however unevenly they
# left, not more of them in any WINDOW. What is over a second in both is for wobbles of the way to
# the service; that the even pace is the slower one (SPACING) keeps late calls from adding up.
WINDOW: Final = 1.012
# How far the schedule may run behind the clock and still be caught up: late timers cost no
# throughput, and a stalled process does not answer with a burst.
CATCH_UP: Final = 0.1
# A 429 takes this share of the pace, and the pace doubles again in so many seconds.
SLOWER: Final = 0.7
DOUBLING: Final = 15.0
SLOWEST: Final = 0.05
_NOW: Final = 1e-6


class Schedule:
    """The moments at which calls may leave. Times are seconds of one clock, given by the caller.

    A call that was granted its turn leaves when its connection stands, at once or a good while
    later; what counts in a window is when it left. A `rate` of None is unlimited: then only a pause
    (Retry-After) holds calls back. The count in a window is whole, so 5.6 a second allows 5.
    """

    __slots__ = (
        "_factor",
        "_gap",
        "_leaving",
        "_left",
        "_most",
        "_next",
        "_paused_until",
        "_slowed_at",
    )

    def __init__(self, rate: float | None) -> None:
        self._most = 0 if rate is None else most_a_second(rate)
        self._gap = 0.0 if rate is None else gap(rate)
        self._leaving = 0
        self._left: deque[float] = deque()
        self._next = -math.inf
        self._factor = 1.0
        self._slowed_at = -math.inf
        self._paused_until = -math.inf

    def factor(self, now: float) -> float:
        """Return the share of the pace in force: 1 but for a while after a 429."""
        if self._factor == 1.0:
            return 1.0
        return float(min(1.0, self._factor * 2.0 ** min(16.0, (now - self._slowed_at) / DOUBLING)))

    def wait(self, now: float) -> float:
        """Return how long the next call has to wait: 0 if it may be granted its turn now, infinity
        if calls that were granted theirs must leave first.
        """
        due = max(self._next, self._paused_until)
        if self._most:
            while self._left and self._left[0] + WINDOW - now <= _NOW:
                self._left.popleft()
            excess = len(self._left) + self._leaving - self._most
            if excess >= len(self._left):
                return math.inf
            if excess >= 0:
                due = max(due, self._left[excess] + WINDOW)
        return due - now if due - now > _NOW else 0.0

    def grant(self, now: float, requested_at: float) -> None:
        """Note that a call is granted its turn now that asked for it at `requested_at`."""
        start = max(self._next, requested_at, now - CATCH_UP)
        self._next = start + self._gap / self.factor(now)
        self._leaving += 1

    def leave(self, now: float) -> None:
        """Note that one of the calls that were granted their turn leaves now, or never will."""
        self._leaving -= 1
        if self._most:
            self._left.append(now)

    def slow_down(self, granted_at: float, now: float, pause: float) -> None:
        """Note a 429 to a call that left at `granted_at`; hold all calls for `pause` seconds.

        Calls that left before the last slow-down say nothing new: a hundred 429s of one moment
        slow down once.
        """
        self._paused_until = max(self._paused_until, now + pause)
        if granted_at >= self._slowed_at:
            self._factor = max(SLOWEST, self.factor(now) * SLOWER)
            self._slowed_at = now


class TooLate(Exception):
    """A call could not leave while what it rests on was good; nothing was sent."""


class Turn:
    """What a call is granted: it may leave."""

    __slots__ = ("_leave", "granted_at")

    def __init__(self, granted_at: float, leave: Callable[[], None]) -> None:
        self.granted_at = granted_at
        self._leave: Callable[[], None] | None = leave

    def leave(self) -> None:
        """Note that the call leaves now, or never will; only the first time counts."""
        if self._leave is not None:
            self._leave()
            self._leave = None


class Stream:
    """The calls of one operation in the order in which they asked, paced by a schedule.

    A call that is cancelled while it waits takes nothing from the others.
    """

    __slots__ = ("_clock", "_has_left", "_schedule", "_sleep", "_turn")

    def __init__(
        self,
        rate: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._schedule = Schedule(rate)
        self._clock = clock
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._has_left = asyncio.Event()

    async def grant(self, good_until: float = math.inf) -> Turn:
        """Wait for this call's turn. Whoever is granted one must say when the call leaves.

        Raises TooLate as soon as it is sure that the turn comes after `good_until`; that takes
        nothing from the others.
        """
        requested_at = self._clock()
        async with self._turn:
            while (wait := self._schedule.wait(self._clock())) > 0.0:
                if self._clock() + (wait if wait < math.inf else 0.0) > good_until:
                    raise TooLate
                if wait < math.inf:
                    await self._sleep(wait)
                else:
                    self._has_left.clear()
                    await self._has_left.wait()
            now = self._clock()
            if now > good_until:
                raise TooLate
            self._schedule.grant(now, requested_at)
            return Turn(now, self._leave)

    def slow_down(self, granted_at: float, pause: float) -> None:
        """Take note of a 429 to the call that was granted at `granted_at`."""
        self._schedule.slow_down(granted_at, self._clock(), pause)

    def _leave(self) -> None:
        self._schedule.leave(self._clock())
        self._has_left.set()


def rate_of(limit: float, quota_share: float) -> float | None:
    """Return the calls a second for a limit, or None where there is none (0, negative, inf)."""
    return limit * quota_share if is_limited(limit) else None
