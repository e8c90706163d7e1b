"""The report of an apply that was cut off: from its events, the journal and the state."""

from __future__ import annotations

import time
from collections.abc import Iterator

from reconciler.core.events import Event, Intended, Settled
from reconciler.core.report import Outcome, Report, Row
from reconciler.plan.model import Action, Change, Plan
from reconciler.state.protocols import State

from .events import Listener

_CUT_OFF = "the run was cut off by a second signal"
_SENT = "sent when the run was cut off"
_NOT_SENT = "the run was cut off by a second signal right before it was sent"


class EventRecorder:
    """Passes events on to a listener, and remembers what became of each call."""

    def __init__(self, listen: Listener) -> None:
        self._listen = listen
        self._started = time.monotonic()
        self.settled: dict[str, Settled] = {}
        self._intended: dict[str, tuple[Intended, int]] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case Settled():
                self.settled[event.call] = event
            case Intended():
                self._intended[event.call] = event, event.left()
        self._listen(event)

    def unsent(self, call: str) -> int | None:
        """Return how often a call was sent, if it has not left since its last intent was written:
        then it is known that this one was not done. None if it has, or had none in this run."""
        intended = self._intended.get(call)
        if intended is None:
            return None
        event, before = intended
        return before if event.left() == before else None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started


def report_cut_off(plan: Plan, recorder: EventRecorder, state: State) -> Report:
    """Return what is known of a run that could not tell it itself."""
    rows = (*_calls(plan, recorder, state), *_others(plan, state))
    return Report(plan.id, rows, recorder.seconds, interrupted=True)


def _calls(plan: Plan, recorder: EventRecorder, state: State) -> Iterator[Row]:
    changes = {change.device: change for change in plan.changes}
    applied, unsettled = state.journal.done(plan.id), state.journal.unsettled(plan.id)
    for call in plan.calls:
        settled = recorder.settled.get(call.id)
        if settled is not None:
            outcome, truth = Outcome(settled.outcome), settled.truth
            attempts, detail = settled.attempts, settled.detail
        elif call.id in applied:
            # Its outcome is on disk although nobody was there any more to hear of it.
            outcome, truth, attempts, detail = Outcome.APPLIED, "done", 1, None
        elif call.id in unsettled:
            outcome, truth, attempts, detail = _unsettled(recorder.unsent(call.id))
        else:
            outcome, truth, attempts, detail = Outcome.NOT_TRIED, "not done", 0, _CUT_OFF
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
            truth,
            detail,
        )


def _unsettled(unsent: int | None) -> tuple[Outcome, str, int, str]:
    match unsent:
        case None:
            return Outcome.UNKNOWN, "unknown", 0, _SENT
        case 0:
            return Outcome.NOT_TRIED, "not done", 0, _NOT_SENT
        case _:
            # Before each intent it was read, and what was sent before was seen not to be done.
            return Outcome.FAILED, "not done", unsent, _NOT_SENT


def _others(plan: Plan, state: State) -> Iterator[Row]:
    """Yield the rows of devices that only the state learns of, or forgets."""
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
