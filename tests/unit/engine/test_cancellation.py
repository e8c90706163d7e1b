"""Requests and deadlines around a run: once finishes, twice cuts off, and nothing stays behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from reconciler.api.breaker import INTERRUPTED, TIMED_OUT, Breaker, BreakerTripped
from reconciler.engine.cancellation import (
    Cancellation,
    CutOff,
    Deadline,
    EventLoop,
    read_until_cancelled,
    write_until_cancelled,
)


async def tripped(breaker: Breaker) -> str:
    """Wait for a breaker to trip; return why."""
    try:
        with breaker.waiting():
            await asyncio.Event().wait()
    except BreakerTripped as error:
        return error.reason
    raise AssertionError("nothing else ends this wait")


def write(
    work: Awaitable[object], cancellation: Cancellation, on_request: Callable[[], object] = list
) -> object:
    with EventLoop() as loop:
        return loop.run(write_until_cancelled(work, cancellation, on_request))


def test_the_first_request_trips_the_breaker() -> None:
    """The work ends by itself, is told once, and what it returns is returned."""
    told: list[str] = []
    cancellation = Cancellation()

    async def work() -> str:
        asyncio.get_running_loop().call_soon(cancellation.request)
        return await tripped(cancellation.breaker)

    assert write(work(), cancellation, lambda: told.append("interrupted")) == INTERRUPTED
    assert told == ["interrupted"]


def test_a_request_may_come_from_another_thread() -> None:
    """It wakes the loop, and is answered there."""
    cancellation = Cancellation()

    async def work() -> str:
        threading.Timer(0.01, cancellation.request).start()
        return await tripped(cancellation.breaker)

    assert write(work(), cancellation) == INTERRUPTED


def test_the_second_request_cuts_off_but_for_what_has_to_be_done() -> None:
    """The end of the work runs undisturbed; a third request does nothing."""
    done: list[str] = []
    cancellation = Cancellation()

    async def stubborn() -> None:
        asyncio.get_running_loop().call_soon(cancellation.request)
        try:
            await asyncio.Event().wait()
        finally:
            cancellation.request()
            await asyncio.sleep(0)
            done.append("written")

    def again() -> None:
        asyncio.get_running_loop().call_soon(cancellation.request)

    with pytest.raises(CutOff):
        write(stubborn(), cancellation, again)

    assert done == ["written"]
    assert cancellation.request(), "after the work a request is taken, and does nothing"


def test_the_breaker_trips_when_the_time_is_over() -> None:
    """Also a time that was over before the work began."""
    for seconds in (0.01, -5.0):
        cancellation = Cancellation(Deadline.after(seconds))

        assert write(tripped(cancellation.breaker), cancellation) == TIMED_OUT


def test_a_failure_of_the_work_is_not_taken_for_its_end() -> None:
    """Cancelled by somebody else, timed out by itself: it goes through as it is."""

    async def cancelled() -> None:
        raise asyncio.CancelledError

    async def own_time_out() -> None:
        raise TimeoutError

    cancellation = Cancellation(Deadline.after(60))
    with pytest.raises(asyncio.CancelledError):
        write(cancelled(), Cancellation())
    with pytest.raises(TimeoutError), EventLoop() as loop:
        loop.run(read_until_cancelled(own_time_out(), cancellation))


def test_reading_is_cut_off() -> None:
    """By its deadline, by a request, and by one that came before it began; else it takes its
    time."""
    late, asked, early = Cancellation(Deadline.after(0.01)), Cancellation(), Cancellation()
    assert not early.request(), "nothing runs that could end in order"

    async def reading() -> None:
        asyncio.get_running_loop().call_soon(asked.request)
        await asyncio.sleep(60)

    with EventLoop() as loop:
        with pytest.raises(BreakerTripped, match=TIMED_OUT):
            loop.run(read_until_cancelled(asyncio.sleep(60), late))
        with pytest.raises(BreakerTripped, match=INTERRUPTED):
            loop.run(read_until_cancelled(reading(), asked))
        with pytest.raises(BreakerTripped, match=INTERRUPTED):
            loop.run(read_until_cancelled(asyncio.sleep(60), early))

        assert "read" == loop.run(read_until_cancelled(asyncio.sleep(0, "read"), Cancellation()))


def test_a_loop_ends_what_an_exception_left_running() -> None:
    """A KeyboardInterrupt tears through it; the tasks are cancelled, and nothing is left over."""
    ended: list[str] = []

    async def child() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("child")

    async def parent() -> None:
        task = asyncio.ensure_future(child())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(interrupt)
        await task

    def interrupt() -> None:
        raise KeyboardInterrupt

    with EventLoop() as loop, pytest.raises(KeyboardInterrupt):
        loop.run(parent())

    assert ended == ["child"]
