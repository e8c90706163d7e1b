"""SIGINT and SIGTERM in a command: passed on to its cancellation, and given back after it."""

from __future__ import annotations

import asyncio
import signal

import pytest

from reconciler.cli.interrupts import Signals, treat_sigterm_as_ctrl_c
from reconciler.engine.cancellation import Cancellation


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_request(number: signal.Signals) -> None:
    """Where something runs that can end in order; else it is a KeyboardInterrupt."""
    cancellation, requests = Cancellation(), list[str]()
    with Signals(cancellation):
        with cancellation.answered_by(lambda: requests.append("asked")):
            signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)

    assert requests == ["asked"]


def test_signals_are_given_back() -> None:
    """Whoever answered before the block does so after it, and one that was ignored stays so."""
    before = signal.getsignal(signal.SIGINT)
    ignored = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    cancellation = Cancellation()
    try:
        with Signals(cancellation):
            signal.raise_signal(signal.SIGTERM)
            cancellation.shield()
            signal.raise_signal(signal.SIGINT)

        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, ignored)

    assert signal.getsignal(signal.SIGINT) is before


def test_one_more_signal_is_ignored_and_no_second() -> None:
    """What was done is being told; a pipe that nobody reads must not keep us for ever."""
    with Signals(Cancellation()) as signals:
        signals.ignore_one_more()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


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
