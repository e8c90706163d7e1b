"""How a running use-case is asked to end before its time: by a deadline, or by a request.

Reading is just cut off, it has changed nothing. Writing ends by tripping the breaker: calls on
their way are finished and noted, nothing further is sent; only a second request cuts these off too.
Who requests (a signal handler, another thread, a cancelled task) is the caller's business.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self, TypeVar

from reconciler.api.breaker import INTERRUPTED, TIMED_OUT, Breaker, BreakerTripped

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a run has to end, on this process's monotonic clock; None: when it is done."""

    at: float | None = None

    @classmethod
    def after(cls, seconds: float | None) -> Self:
        """Return the deadline of a run that begins now."""
        return cls(None if seconds is None else time.monotonic() + seconds)

    def left(self) -> float | None:
        """Return the seconds left, 0 when it is over; None where there is no deadline."""
        return None if self.at is None else max(0.0, self.at - time.monotonic())


class CutOff(Exception):
    """A second request cut calls off: whether the service carried them out is not known here."""


class Cancellation:
    """Asks one run to end. `request` may be called from any thread, and from a signal handler.

    `deadline` ends the run as a request does. Use one for each run.
    """

    def __init__(self, deadline: Deadline = Deadline()) -> None:
        self.deadline = deadline
        self.breaker = Breaker()
        self._requests = 0
        self._react: Callable[[], object] | None = None
        self._is_shielded = False
        self._lock = threading.RLock()

    def request(self) -> bool:
        """Ask the run to end. False if nothing runs that could end in order by itself: whoever
        asks in the same thread may raise then; a run that begins later ends at once."""
        with self._lock:
            self._requests += 1
            react = None if self._is_shielded else self._react
        if react is not None:
            react()
        return self._is_shielded or react is not None

    @property
    def requested(self) -> bool:
        """Whether somebody asked."""
        return self._requests > 0

    @contextmanager
    def answered_by(self, react: Callable[[], object]) -> Iterator[None]:
        """Call `react` at each request within the block, and for each that was made before it."""
        with self._lock:
            before, self._react = self._react, react
            pending = self._requests
        try:
            for _ in range(pending):
                react()
            yield
        finally:
            self._react = before

    def shield(self) -> None:
        """Take requests from now on, and do nothing: what is left is short, and must be done."""
        self._is_shielded = True


class EventLoop:
    """One event loop of its own: made, used for some work, and closed in order.

    No signal handler is installed, other than by asyncio.run; between two works the caller's
    thread is free. What interrupts a work (KeyboardInterrupt) cancels it before it goes on.
    """

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._cancel_all()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    def run(self, work: Awaitable[T]) -> T:
        """Do some work to its end, and return its result."""

        async def awaited() -> T:
            return await work

        task = self._loop.create_task(awaited())
        try:
            return self._loop.run_until_complete(task)
        except BaseException:
            self._cancel_all()
            raise

    def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


async def read_until_cancelled(work: Awaitable[T], cancellation: Cancellation) -> T:
    """Do some reading; raises BreakerTripped when its time is over, or when somebody asks."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    is_cancelled = False

    def cancel() -> None:
        nonlocal is_cancelled
        is_cancelled = True
        task.cancel()

    limit = asyncio.timeout(cancellation.deadline.left())
    with cancellation.answered_by(lambda: loop.call_soon_threadsafe(cancel)):
        try:
            async with limit:
                return await work
        except TimeoutError:
            if not limit.expired():
                raise
        except asyncio.CancelledError:
            if not is_cancelled:
                raise
            task.uncancel()
            raise BreakerTripped(INTERRUPTED) from None
    raise BreakerTripped(TIMED_OUT)


async def write_until_cancelled(
    work: Awaitable[T], cancellation: Cancellation, on_request: Callable[[], object]
) -> T:
    """Do some writing that ends soon after its breaker trips; raises CutOff at a second request.

    `on_request` is called at the first one. When this has ended, requests do nothing any more, so
    that the state and its lock are left in order.
    """
    breaker = cancellation.breaker
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    count = 0

    def react() -> None:
        nonlocal count
        count += 1
        if count == 1:
            breaker.trip(INTERRUPTED)
            on_request()
        elif count == 2:
            task.cancel()

    seconds_left = cancellation.deadline.left()
    timer = None if seconds_left is None else loop.call_later(seconds_left, breaker.trip, TIMED_OUT)
    # A request comes between any two instructions; what it sets off waits for its turn.
    with cancellation.answered_by(lambda: loop.call_soon_threadsafe(react)):
        try:
            return await work
        except asyncio.CancelledError:
            if count < 2:
                raise
        finally:
            cancellation.shield()
            if timer is not None:
                timer.cancel()
    raise CutOff
