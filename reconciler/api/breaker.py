"""A circuit breaker that calls pass right before they are sent; tripped once, it stays so.

Tripping wakes whoever waits for a place, a turn or the next attempt, so that a run ends within the
time of the calls that are on the wire already. For one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

INTERRUPTED: Final = "interrupted"
TIMED_OUT: Final = "the time of --timeout is over"


class BreakerTripped(Exception):
    """The breaker tripped while a call waited; `reason` says why. Nothing was sent by that wait."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Breaker:
    """Whether calls may still be sent. `watch`, asked at each pass, may say why not any more."""

    def __init__(self) -> None:
        self.watch: Callable[[], str | None] = lambda: None
        self._reason: str | None = None
        self._waiting: set[asyncio.Task[object]] = set()

    @property
    def reason(self) -> str | None:
        """Why the breaker tripped: the first reason it was given. None while calls may pass."""
        if self._reason is None and (reason := self.watch()) is not None:
            self.trip(reason)
        return self._reason

    def trip(self, reason: str) -> None:
        """Let no further call pass. To be called in the thread of the event loop."""
        if self._reason is not None:
            return
        self._reason = reason
        if self._waiting:
            # Who trips it knows by itself; a cancellation would meet it at some later await.
            for task in self._waiting - {asyncio.current_task()}:
                task.cancel()

    def raise_if_tripped(self) -> None:
        """Raise BreakerTripped if no call may be sent any more."""
        if (reason := self.reason) is not None:
            raise BreakerTripped(reason)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around awaits that tripping the breaker cuts short with BreakerTripped.

        A cancellation from elsewhere goes through as it is. Raises BreakerTripped too if it
        has tripped at the beginning or at the end.
        """
        self.raise_if_tripped()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("the breaker is for tasks of an event loop")
        self._waiting.add(task)
        try:
            yield
        except asyncio.CancelledError:
            # Our own cancellation is taken back; if another came too, that one counts.
            if self._reason is None or task.uncancel() > 0:
                raise
            raise BreakerTripped(self._reason) from None
        finally:
            self._waiting.discard(task)
        if self._reason is not None:
            raise BreakerTripped(self._reason)
