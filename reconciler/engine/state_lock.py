"""The lock of the state, for a run: waited for as long as is allowed, given back at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final

from reconciler.state.lease import Holder, Lease, LeaseHeld
from reconciler.state.protocols import State

from .cancellation import Cancellation
from .errors import Cancelled
from .events import Listener, LockAwaited
from .holder import current_holder

_ASK_EVERY: Final = 1.0


@contextmanager
def locked(
    state: State,
    environ: Mapping[str, str],
    patience: float,
    cancellation: Cancellation,
    listen: Listener,
) -> Iterator[Lease]:
    """Take the lock of the state, wait for it so many seconds, and give it back whatever happens.

    Raises LeaseHeld; Cancelled or TimedOut when the run ends while it waits.
    """
    with ExitStack() as held:
        lease = held.enter_context(_take_lock(state, environ, patience, cancellation, listen))
        try:
            yield lease
        finally:
            # A request now must not keep the next run waiting for a lock that nobody has.
            cancellation.shield()
            held.close()


def _take_lock(
    state: State,
    environ: Mapping[str, str],
    patience: float,
    cancellation: Cancellation,
    listen: Listener,
) -> Lease:
    seconds_left = cancellation.deadline.left()
    end = time.monotonic() + (patience if seconds_left is None else min(seconds_left, patience))
    awaited: Holder | None = None

    def waiting(holder: Holder) -> None:
        nonlocal awaited
        if holder != awaited:
            awaited = holder
            listen(LockAwaited(holder))

    while True:
        # In short waits, so that a request to end is answered soon.
        seconds_left = max(0.0, end - time.monotonic())
        try:
            return state.lease(
                current_holder(environ), patience=min(_ASK_EVERY, seconds_left), waiting=waiting
            )
        except LeaseHeld:
            if cancellation.requested:
                raise Cancelled("Interrupted. Nothing was changed.") from None
            if end - time.monotonic() <= 0:
                raise
