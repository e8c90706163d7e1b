"""Signals and deadlines around a run: once finishes, twice cuts off, and nothing stays behind."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import pytest

from reconciler.api.breaker import INTERRUPTED, TIMED_OUT, Breaker, BreakerTripped
from reconciler.cli.options.duration import Deadline
from reconciler.engine.cancellation import Bounds, StoppedNow, cut_off, wound_up
from reconciler.cli.interrupts import Signals, treat_sigterm_as_ctrl_c


async def closed(gate: Breaker) -> str:
    """Wait in front of a gate until it is closed; return why."""
    try:
        with gate.waiting():
            await asyncio.Event().wait()
    except BreakerTripped as error:
        return error.reason
    raise AssertionError("nothing else ends this wait")


def run(work: Callable[[Bounds], object], bounds: Bounds) -> object:
    with bounds.signals:
        return asyncio.run(work(bounds))  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_closes_the_gate(number: signal.Signals) -> None:
    """The work ends by itself, is told once, and what it returns is returned."""
    told: list[str] = []

    async def work(bounds: Bounds) -> str:
        asyncio.get_running_loop().call_soon(signal.raise_signal, number)
        return await wound_up(closed(bounds.gate), bounds, lambda: told.append("interrupted"))

    assert run(work, Bounds()) == INTERRUPTED
    assert told == ["interrupted"]


def test_the_second_signal_cuts_off_but_for_what_has_to_be_done() -> None:
    """The end of the work runs undisturbed; a third signal does nothing."""
    done: list[str] = []

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0)
            done.append("written")

    async def work(bounds: Bounds) -> None:
        signals = iter((signal.SIGINT, signal.SIGTERM))
        loop = asyncio.get_running_loop()

        def next_signal() -> None:
            signal.raise_signal(next(signals))

        loop.call_soon(next_signal)
        await wound_up(stubborn(), bounds, lambda: loop.call_soon(next_signal))

    with pytest.raises(StoppedNow):
        run(work, Bounds())

    assert done == ["written"]


def test_the_gate_closes_when_the_time_is_over() -> None:
    """Also a time that was over before the work began."""

    async def work(bounds: Bounds) -> str:
        return await wound_up(closed(bounds.gate), bounds, lambda: None)

    assert run(work, Bounds(Deadline.after(0.01))) == TIMED_OUT
    assert run(work, Bounds(Deadline.after(-5.0))) == TIMED_OUT


def test_a_failure_of_the_work_is_not_taken_for_its_end() -> None:
    """Cancelled by somebody else, timed out by itself: it goes through as it is."""

    async def cancelled() -> None:
        raise asyncio.CancelledError

    async def work(bounds: Bounds) -> None:
        await wound_up(cancelled(), bounds, lambda: None)

    async def own_time_out() -> None:
        raise TimeoutError

    with pytest.raises(asyncio.CancelledError):
        run(work, Bounds())
    with pytest.raises(TimeoutError):
        asyncio.run(cut_off(own_time_out(), Deadline.after(60)))


def test_reading_is_cut_off() -> None:
    """It says so as a closed gate does; without a deadline it takes its time."""
    with pytest.raises(BreakerTripped, match=TIMED_OUT):
        asyncio.run(cut_off(asyncio.sleep(60), Deadline.after(0.01)))

    assert asyncio.run(cut_off(asyncio.sleep(0, "read"), Deadline())) == "read"


def test_signals_are_given_back() -> None:
    """Whoever answered before the block does so after it, and one that was ignored stays so."""
    before = signal.getsignal(signal.SIGINT)
    ignored = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    heard: list[str] = []
    try:
        with Signals() as signals:
            signals.answer(lambda: heard.append("first"))
            signals.answer(lambda: heard.append("second"))
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            signals.ignore()
            signal.raise_signal(signal.SIGINT)

        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, ignored)

    assert heard == ["second"]
    assert signal.getsignal(signal.SIGINT) is before


def test_sigterm_is_a_ctrl_c() -> None:
    """KeyboardInterrupt, in an event loop too; even where a shell has Ctrl-C ignored."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctrl_c = signal.getsignal(signal.SIGINT)

    async def terminated() -> None:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(60)

    try:
        treat_sigterm_as_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(terminated())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, ctrl_c)
        signal.signal(signal.SIGTERM, before)
