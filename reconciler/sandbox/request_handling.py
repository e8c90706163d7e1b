"""What can be done about a request, with or without a fault, and how it stands in the log."""

from __future__ import annotations

import time

from reconciler.platform.answers import exception
from reconciler.platform.operations import WRITES, Call

from .account import Account
from .authorization import Authorization
from .calls import LoggedCall
from .fault import Effect, Fault
from .fault_effects import Carried, Deed
from .faults import subject_of


def carry_out(account: Account, call: Call) -> Carried:
    """Let the service answer a call, if its limits admit it."""
    now = time.monotonic()
    if not account.limits.admits(call.operation, now):
        return Carried(exception(429), frozenset(), False, now)
    response, people = account.answer(call)
    done = call.operation in WRITES and 200 <= response.status < 300
    return Carried(response, people, done, time.monotonic())


def call_deed(account: Account, call: Call) -> Deed:
    """Return what a fault can do about a call of the API."""
    return Deed(
        lambda: carry_out(account, call),
        lambda: account.preview(call),
        lambda fault: _beside(account, call, fault),
    )


def token_deed(authorization: Authorization, form: bytes) -> Deed:
    """Return what a fault can do about a request for a token."""

    def issue() -> Carried:
        now = time.monotonic()
        return Carried(authorization.issue(form, now), frozenset(), False, now)

    return Deed(issue, lambda: issue().response, lambda fault: None)


def logged(
    call: Call, query: str, start: float, status: int, carried: Carried | None, fault: Fault | None
) -> LoggedCall:
    """Return the entry of a call that has just ended with a status."""
    # What was carried out and not answered has no more effect, however long its client waits.
    end = time.monotonic() if status or carried is None else carried.at
    return LoggedCall(
        call.operation,
        call.method,
        call.path,
        query,
        status,
        frozenset() if carried is None else carried.people,
        start,
        end,
        None if fault is None else fault.spec,
        carried is not None and carried.done,
    )


def _beside(account: Account, call: Call, fault: Fault) -> None:
    """Let somebody else do what the fault says."""
    match fault.effect:
        case Effect.APPEAR:
            account.appear()
        case Effect.VANISH:
            account.vanish(call.query)
        case _:
            device = subject_of(call).device
            if device is not None:
                account.rival(device, fault.merge)
