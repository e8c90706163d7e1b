"""The report of a run that was cut off: from what it told, and what the journal and record have."""

from __future__ import annotations

import time
from collections.abc import Iterator

from reconciler.core.events import Event, Listener, Settled
from reconciler.core.report import Outcome, Report, Row
from reconciler.plan.definition import Action, Change, Plan
from reconciler.state.state import State

_CUT_OFF = "the run was cut off by a second signal"
_SENT = "sent, or about to be, when the run was cut off"


class Heard:
    """Passes events on to a listener, and remembers what became of each call."""

    def __init__(self, listen: Listener) -> None:
        self._listen = listen
        self._started = time.monotonic()
        self.outcomes: dict[str, Outcome] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, Settled):
            self.outcomes[event.call] = Outcome(event.outcome)
        self._listen(event)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started


def report_of(plan: Plan, heard: Heard, state: State) -> Report:
    """Return what is known of a run that could not tell it itself."""
    rows = (*_calls(plan, heard, state), *_others(plan, state))
    return Report(plan.id, rows, heard.seconds, interrupted=True)


def _calls(plan: Plan, heard: Heard, state: State) -> Iterator[Row]:
    changes = {change.device: change for change in plan.changes}
    applied, unsettled = state.journal.done(plan.id), state.journal.unsettled(plan.id)
    for call in plan.calls:
        # The outcome may be on disk although nobody was there any more to hear of it.
        done = Outcome.APPLIED if call.id in applied else None
        outcome = heard.outcomes.get(call.id) or done
        detail, attempts = None, 1
        if outcome is None:
            outcome = Outcome.UNKNOWN if call.id in unsettled else Outcome.NOT_TRIED
            detail = _SENT if call.id in unsettled else _CUT_OFF
            attempts = 0
        change = changes[call.device]
        yield Row(
            call.device,
            change.application,
            change.label,
            outcome,
            call.id,
            call.operation,
            call.method,
            call.path,
            attempts,
            _truth(outcome),
            detail,
        )


def _others(plan: Plan, state: State) -> Iterator[Row]:
    """Yield the rows of devices that only the record learns of, or forgets."""
    recorded = state.read().devices
    for change in plan.changes:
        if Action.ADOPT in change.actions:
            yield _other(change, Outcome.ADOPTED, done=change.device in recorded)
        elif Action.RELEASE in change.actions:
            yield _other(change, Outcome.RELEASED, done=change.device not in recorded)


def _other(change: Change, good: Outcome, *, done: bool) -> Row:
    return Row(
        change.device,
        change.application,
        change.label,
        good if done else Outcome.NOT_TRIED,
        operation=change.actions[0].value,
        truth="done" if done else "not done",
        detail=None if done else _CUT_OFF,
    )


def _truth(outcome: Outcome) -> str:
    if outcome is Outcome.APPLIED:
        return "done"
    return "unknown" if outcome is Outcome.UNKNOWN else "not done"
