"""What earlier runs left behind, told before a run begins that goes on from there."""

from __future__ import annotations

from datetime import datetime

from reconciler.plan.model import Plan
from reconciler.state.protocols import State

from .settings import Options
from .streams import say


def at(moment: datetime) -> str:
    """Return a moment as messages show it."""
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z")


def tell_going_on(options: Options, plan: Plan, state: State) -> None:
    """Say how far an earlier run of this plan came; nothing when it did not get to a call."""
    elsewhere = state.journal.elsewhere(plan.id)
    if elsewhere is not None:
        what = (
            f"Going on with this plan, which was begun on another machine at {at(elsewhere)}: each "
            "device is read first, for what was done there is not known here."
        )
        say(options, "info", what, event="going-on", plan=plan.id, elsewhere=True)
        return
    applied, unsettled = len(state.journal.done(plan.id)), len(state.journal.unsettled(plan.id))
    if not applied and not unsettled:
        tell_unfinished(options, state, "each device is read again before it is written")
        return
    total = len(plan.calls)
    parts = [f"{applied:,} of {total:,} calls {_were(applied)} applied by an earlier run"]
    if unsettled:
        its = "its outcome is" if unsettled == 1 else "their outcomes are"
        parts.append(f"{unsettled:,} {_is(unsettled)} read first because {its} unknown")
    say(
        options,
        "info",
        f"Going on with this plan: {', '.join(parts)}.",
        event="going-on",
        plan=plan.id,
        applied=applied,
        unsettled=unsettled,
        total=total,
    )


def tell_unfinished(options: Options, state: State, now: str) -> None:
    """Say that the last run did not finish, if that is so; `now` says how this one copes."""
    found = state.journal.unfinished()
    if found is None:
        return
    came = [f"{found.applied:,} {_call(found.applied)} {_were(found.applied)} applied"]
    if found.unsettled:
        has = "has an unknown outcome" if found.unsettled == 1 else "have an unknown outcome"
        came.append(f"{found.unsettled:,} {has}")
    say(
        options,
        "info",
        f"A run that began at {at(found.started)} did not finish: {', '.join(came)}; {now}.",
        event="unfinished",
        plan=found.plan,
        started=found.started.isoformat(),
        applied=found.applied,
        unsettled=found.unsettled,
    )


def tell_running(
    options: Options,
    state: State,
    reader: str = "this plan",
    now: str = "this plan reads what is true now",
) -> None:
    """Before a plan: say that somebody applies right now, or that the last run did not finish.

    `reader` and `now` say who reads, and how it copes.
    """
    holder = state.holder()
    if holder is None:
        tell_unfinished(options, state, now)
        return
    say(
        options,
        "info",
        f"{holder.who} on {holder.host} is applying since {at(holder.since)}; what {reader} "
        "reads may still change.",
        event="running",
        who=holder.who,
        host=holder.host,
    )


def _call(count: int) -> str:
    return "call" if count == 1 else "calls"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
