"""The report of a run that a second signal cut off: what it told, what is on disk, what left."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest

from reconciler.core.events import Intended, Settled, nobody_listens
from reconciler.core.report import Outcome, Row
from reconciler.engine.interrupted_report import EventRecorder, report_cut_off
from reconciler.plan.model import Plan
from reconciler.state.protocols import State
from tests.plans import change, plan
from tests.plans import field as changed

ID = "device-1"
CALL = f"update/{ID}"


@dataclass
class Left:
    """How often the call has left; moves on as a test says."""

    times: int = 0

    def __call__(self) -> int:
        return self.times


@dataclass
class Journal:
    """Which calls of the plan are done, and which have an intent and no outcome."""

    applied: frozenset[str] = frozenset()
    intended: frozenset[str] = field(default_factory=frozenset)

    def done(self, plan: str) -> frozenset[str]:
        return self.applied

    def unsettled(self, plan: str) -> frozenset[str]:
        return self.intended


def one_update() -> Plan:
    return plan(change(ID, changed("isPrimary", False, True)))


def row(heard: EventRecorder, journal: Journal) -> Row:
    """The row of the one call."""
    state = SimpleNamespace(journal=journal, read=lambda: SimpleNamespace(devices={}))
    (only,) = report_cut_off(one_update(), heard, cast("State", state)).rows
    return only


def test_what_a_call_came_to_stands_in_its_row_as_it_was_told() -> None:
    """Its attempts and its reason, which the journal does not have."""
    heard = EventRecorder(nobody_listens)
    heard(Settled(CALL, ID, "failed", "not done", 6, "update answered 503"))
    shown = row(heard, Journal(intended=frozenset({CALL})))
    assert (Outcome.FAILED, "not done", 6, "update answered 503") == (
        shown.outcome,
        shown.truth,
        shown.attempts,
        shown.detail,
    )


@pytest.mark.parametrize(
    ("before", "after", "outcome", "truth", "attempts"),
    [
        pytest.param(0, 0, Outcome.NOT_TRIED, "not done", 0, id="never left"),
        pytest.param(0, 1, Outcome.UNKNOWN, "unknown", 0, id="left"),
        pytest.param(2, 2, Outcome.FAILED, "not done", 2, id="left before, not since"),
        pytest.param(2, 3, Outcome.UNKNOWN, "unknown", 0, id="left again"),
    ],
)
def test_only_a_call_that_left_is_unknown(
    before: int, after: int, outcome: Outcome, truth: str, attempts: int
) -> None:
    """An intent on disk is no call: this process knows whether it was written to a connection."""
    heard, left = EventRecorder(nobody_listens), Left(before)
    heard(Intended(CALL, left))
    left.times = after
    shown = row(heard, Journal(intended=frozenset({CALL})))
    assert (outcome, truth, attempts) == (shown.outcome, shown.truth, shown.attempts)


def test_an_intent_of_an_earlier_run_is_unknown() -> None:
    """Nobody here knows whether that one left."""
    shown = row(EventRecorder(nobody_listens), Journal(intended=frozenset({CALL})))
    assert (Outcome.UNKNOWN, "unknown") == (shown.outcome, shown.truth)


def test_an_outcome_on_disk_is_known_though_nobody_heard_of_it() -> None:
    """And a call without an intent was not tried."""
    assert Outcome.APPLIED is row(EventRecorder(nobody_listens), Journal(frozenset({CALL}))).outcome
    assert Outcome.NOT_TRIED is row(EventRecorder(nobody_listens), Journal()).outcome
