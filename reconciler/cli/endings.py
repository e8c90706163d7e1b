"""How stages that talk to the service end before their time: by --timeout, Ctrl-C, SIGTERM.

Reading is just cut off, it has changed nothing. Writing is ended by closing the gate: what is on
its way is finished and noted, nothing further is sent. Only a second signal cuts that off too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.api.breaker import INTERRUPTED, TIMED_OUT, Breaker, BreakerTripped

from .durations import Deadline
from .interrupts import Signals

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may end a run before its time."""

    deadline: Deadline = Deadline()  # noqa: RUF009 - frozen
    gate: Breaker = field(default_factory=Breaker)
    signals: Signals = field(default_factory=Signals)


class StoppedNow(Exception):
    """A second signal cut calls off: whether the service carried them out is not known here."""


def completed(runner: asyncio.Runner, work: Awaitable[T]) -> T:
    """Do some work in the loop of a runner, and return its result.

    Not as the result of the runner's own task: a runner asks Python for the signal handler, of
    which that makes a text on its way, with the task and all that it holds in it. Of a large fleet
    that takes seconds.
    """
    results: list[T] = []

    async def keep() -> None:
        results.append(await work)

    runner.run(keep())
    return results[0]


async def cut_off(work: Awaitable[T], deadline: Deadline) -> T:
    """Do some reading; raises GateClosed when its time is over."""
    limit = asyncio.timeout(deadline.left())
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
    raise BreakerTripped(TIMED_OUT)


async def wound_up(work: Awaitable[T], bounds: Bounds, interrupted: Callable[[], object]) -> T:
    """Do some writing that ends soon after its gate is closed; raises StoppedNow if cut off.

    `interrupted` is called at the first signal. When this has ended, signals are ignored, so that
    the record and the lease are left in order: until the block of the bounds' signals ends.
    """
    gate, signals = bounds.gate, bounds.signals
    loop = asyncio.get_running_loop()
    running = asyncio.current_task()
    count = 0

    def react() -> None:
        nonlocal count
        count += 1
        if count == 1:
            gate.close(INTERRUPTED)
            interrupted()
        elif count == 2 and running is not None:
            running.cancel()

    # The handler runs between any two instructions; what it sets off has to wait for its turn.
    signals.answer(lambda: loop.call_soon_threadsafe(react))
    left = bounds.deadline.left()
    timer = None if left is None else loop.call_later(left, gate.close, TIMED_OUT)
    try:
        return await work
    except asyncio.CancelledError:
        if count < 2:
            raise
    finally:
        signals.ignore()
        if timer is not None:
            timer.cancel()
    raise StoppedNow
