"""What becomes of a call whose attempt failed: settled by reading, sent again, or told as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.api.breaker import INTERRUPTED, TIMED_OUT, Breaker
from reconciler.api.errors import (
    ApiError,
    Conflict,
    Denied,
    NoAnswer,
    NotTheContract,
    RateLimited,
    RegistrationNotFound,
    Rejected,
    ServerFailed,
)
from reconciler.api.retry import SURE_AFTER
from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.failures import StateError
from reconciler.core.report import Outcome, Row
from reconciler.platform.operations import Operation
from tests.changed import replace
from tests.contract.memory import MemoryJournal
from tests.fleet import desired, device, external, owner

from .model import Run, outcomes, person, refusal, registration, world

ANA, BOB = owner("ana"), owner("bob")
A1, B2 = person(1, external("ana")), person(2, external("bob"))
LOST = (ServerFailed, NoAnswer, NotTheContract)


def updated(**data: Any) -> Run:
    """One device whose key k is set."""
    start = world(registration("a", data={"theirs": 1, **data}))
    return Run(desired(device("a", data={"k": 1})), start)


def moved(assume: dict[str, str] | None = None) -> Run:
    """One device goes from Ana to Bob."""
    start = world(A1, B2, registration("a", 1, is_primary=True, data={"theirs": 1}))
    return Run(desired(device("a", owner=BOB)), start, assume=assume)


def claimed(assume: dict[str, str] | None = None) -> Run:
    """One device of nobody goes to Ana."""
    return Run(desired(device("a", owner=ANA)), world(A1, registration("a")), assume=assume)


def detached() -> Run:
    return Run(desired(device("a", owner=None)), world(A1, registration("a", 1)))


def rows(run: Run, **more: Any) -> dict[str, Row]:
    return {str(row.call): row for row in run.carry_out(**more).rows}


def fails(
    run: Run, name: str, kind: type[ApiError], *, times: int = 1, done: bool = False, **more: Any
) -> None:
    """Let the first calls of a name end in an error, after they were carried out if `done`."""
    left = [times]
    if kind is NotTheContract:
        # What came with it could not be read.
        more.setdefault("status", 200)

    def meddle(called: str) -> None:
        if called == name and left[0]:
            left[0] -= 1
            if done:
                run.door.carry_out_now()
            raise refusal(kind, called, **more)

    run.door.meddle = meddle


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (updated, "update/a"),
        (moved, "personalize/a"),
        (claimed, "personalize/a"),
        (detached, "depersonalize/a"),
    ],
)
def test_a_lost_answer_to_a_write_that_was_done_is_settled_by_reading(
    make: Callable[[], Run], name: str, kind: type[ApiError]
) -> None:
    """It is not sent a second time."""
    run = make()
    fails(run, name, kind, done=True)

    row = rows(run)[name]

    assert (Outcome.APPLIED, "done", 1) == (row.outcome, row.truth, row.attempts)
    assert 1 == run.door.writes.count(name)
    assert [] == run.left()


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (updated, "update/a"),
        (moved, "personalize/a"),
        (claimed, "personalize/a"),
        (detached, "depersonalize/a"),
    ],
)
def test_a_lost_write_that_was_not_done_is_sent_again(
    make: Callable[[], Run], name: str, kind: type[ApiError]
) -> None:
    """After a wait in which a read that lags has caught up."""
    run = make()
    fails(run, name, kind, times=3)

    row = rows(run)[name]

    assert (Outcome.APPLIED, "done", 4) == (row.outcome, row.truth, row.attempts)
    assert 4 == run.door.writes.count(name)
    assert SURE_AFTER <= min(run.slept)
    assert [] == run.left()


@pytest.mark.parametrize("kind", [RateLimited, Conflict])
def test_what_was_surely_not_done_is_sent_again(kind: type[ApiError]) -> None:
    """429 and 409 pass by; the wait is short."""
    run = moved()
    fails(run, "personalize/a", kind, times=2)

    assert {"personalize/a": Outcome.APPLIED} == outcomes(run.carry_out())
    assert max(run.slept) < SURE_AFTER


def test_a_write_that_never_succeeds_is_read_to_be_not_done() -> None:
    """The row says so, and how often it was tried."""
    run = updated()
    fails(run, "update/a", ServerFailed, times=99, status=503)

    row = rows(run)["update/a"]

    assert (Outcome.FAILED, "not done", 6) == (row.outcome, row.truth, row.attempts)
    assert row.detail is not None
    assert "answered 503 (not done)" in row.detail


def test_a_clash_that_never_ends_fails() -> None:
    """Somebody writes to that person all the time; five attempts are enough."""
    run = moved()
    fails(run, "personalize/a", Conflict, times=99, status=409)

    row = rows(run)["personalize/a"]

    assert (Outcome.FAILED, "not done", 5) == (row.outcome, row.truth, row.attempts)


def test_what_cannot_be_read_either_is_unknown() -> None:
    """And so it stands in the journal, for the next run."""
    run = updated()
    lost: list[str] = []

    def meddle(name: str) -> None:
        if name == "update/a":
            lost.append(name)
            raise refusal(NoAnswer, name)
        if lost:
            raise refusal(ServerFailed, name, status=500)

    run.door.meddle = meddle

    row = rows(run)["update/a"]

    assert (Outcome.UNKNOWN, "unknown") == (row.outcome, row.truth)
    assert frozenset({"update/a"}) == run.state.journal.unsettled(run.plan.id)
    run.door.meddle = lambda name: None
    assert {"update/a": Outcome.APPLIED} == outcomes(run.carry_out())


def test_a_forced_move_that_got_half_way_is_sent_again() -> None:
    """The registration was detached, its flag and data cleared, and then the service failed."""
    run = moved()

    def meddle(name: str) -> None:
        if name == "personalize/a" and len(run.door.writes) == 1:
            before = run.door.world
            bare = replace(
                before.registrations["a"], owner=None, is_primary=False, additional_data={}
            )
            run.door.world = before.with_registration(bare)
            raise refusal(ServerFailed, name, status=500)

    run.door.meddle = meddle

    assert {"personalize/a": Outcome.APPLIED} == outcomes(run.carry_out())
    assert 2 == run.door.world.registrations["a"].owner


def test_somebody_elses_change_after_a_lost_answer_is_left_alone() -> None:
    """Whether ours was done before is not known any more, and not claimed."""
    run = moved()
    stranger = person(3, external("eve"))

    def meddle(name: str) -> None:
        if name == "personalize/a":
            before = run.door.world.with_person(stranger)
            taken = replace(before.registrations["a"], owner=3)
            run.door.world = before.with_registration(taken)
            raise refusal(NoAnswer, name)

    run.door.meddle = meddle

    row = rows(run)["personalize/a"]

    assert (Outcome.STALE, "unknown") == (row.outcome, row.truth)
    assert ["personalize/a"] == run.door.writes


def test_a_repeated_update_carries_what_the_app_has_written_meanwhile() -> None:
    """An old body would take the app's own key back to what it was."""
    run = updated()

    def meddle(name: str) -> None:
        if name == "update/a" and len(run.door.writes) == 1:
            before = run.door.world
            fresh = replace(before.registrations["a"], additional_data={"theirs": 2})
            run.door.world = before.with_registration(fresh)
            raise refusal(ServerFailed, name, status=502)

    run.door.meddle = meddle
    run.carry_out()

    assert {"theirs": 2, "k": 1} == dict(run.door.world.registrations["a"].additional_data)


def test_a_device_that_goes_during_its_own_write_is_stale() -> None:
    """An app that is uninstalled is no failure."""
    run = updated()
    fails(run, "update/a", RegistrationNotFound, status=400)

    row = rows(run)["update/a"]

    assert (Outcome.STALE, "the registration is gone") == (row.outcome, row.detail)


def test_a_refused_update_is_not_repeated() -> None:
    """The service understood and said no."""
    run = updated()
    fails(run, "update/a", Rejected, times=99)

    assert {"update/a": Outcome.FAILED} == outcomes(run.carry_out())
    assert ["update/a"] == run.door.writes


@pytest.mark.parametrize("status", ["400", "409", "403"])
def test_a_device_that_somebody_claimed_meanwhile_stops_no_other(status: str) -> None:
    """Whatever the refusal is called: the device is read again, that decides, and the rest goes
    on; of a claim that reached its goal too."""
    start = world(A1, B2, *(registration(name) for name in "abc"))
    run = Run(
        desired(*(device(name, owner=ANA) for name in "abc")),
        start,
        assume={"personalize-owned-by-other": status, "personalize-owned-by-same": "400"},
    )

    def meddle(name: str) -> None:
        taken_by = {"personalize/a": 2, "personalize/b": 1}
        if name in taken_by:
            before = run.door.world
            taken = replace(before.registrations[name[-1]], owner=taken_by[name])
            run.door.world = before.with_registration(taken)

    run.door.meddle = meddle
    told = rows(run)

    assert Outcome.STALE is told["personalize/a"].outcome
    assert "owner changed since the plan" == told["personalize/a"].detail
    assert Outcome.APPLIED is told["personalize/b"].outcome
    assert Outcome.APPLIED is told["personalize/c"].outcome
    assert 2 == run.door.world.registrations["a"].owner


@pytest.mark.parametrize("why", [INTERRUPTED, TIMED_OUT])
def test_closing_the_gate_ends_the_pause_before_another_attempt(why: str) -> None:
    """Known to be not done: failed. Not known: unknown. Not begun: not tried."""
    start = world(*(registration(name) for name in "abc"))
    run = Run(desired(*(device(name, data={"k": 1}) for name in "abc")), start)
    breaker = Breaker()

    def meddle(name: str) -> None:
        if name == "get/c":
            breaker.trip(why)
        if name == "update/a":
            raise refusal(RateLimited, name, status=429)
        if name == "update/b":
            raise refusal(NoAnswer, name)

    run.door.meddle = meddle
    report = run.carry_out(breaker=breaker, rates=dict.fromkeys(Operation, 1000000000.0))

    assert {"update/a", "update/b", "update/c"} == set(outcomes(report))
    assert (why == INTERRUPTED, None if why == INTERRUPTED else why) == (
        report.interrupted,
        report.stopped,
    )
    assert Outcome.NOT_TRIED is outcomes(report)["update/c"]
    assert outcomes(report)["update/a"] in (Outcome.FAILED, Outcome.NOT_TRIED)
    assert outcomes(report)["update/b"] in (Outcome.UNKNOWN, Outcome.NOT_TRIED)


def test_a_call_that_was_tried_and_may_not_be_looked_at_again_has_failed() -> None:
    """Another call meets the denied key first, while this one is read for its second attempt."""
    run, breaker, reads = updated(), Breaker(), [0]

    def meddle(name: str) -> None:
        if name == "update/a":
            raise refusal(RateLimited, name, status=429)
        reads[0] += 1
        if reads[0] == 2:
            breaker.trip("another call was denied")
            raise refusal(Denied, name, status=401)

    run.door.meddle = meddle
    (row,) = run.carry_out(breaker=breaker).rows

    assert (Outcome.FAILED, "not done", 1) == (row.outcome, row.truth, row.attempts)
    assert row.detail is not None
    assert all(text in row.detail for text in ("429", "not sent again", "401"))


def test_a_call_that_was_tried_and_cannot_be_noted_again_has_failed() -> None:
    """The disk is full before the second attempt."""
    run = updated()
    fails(run, "update/a", RateLimited, status=429)

    class Journal(MemoryJournal):
        async def intent(self, plan: str, call: str) -> None:
            if self.entries:
                raise StateError(Diagnostic(codes.RECORD_OUT_OF_REACH, "the disk is full"))
            await super().intent(plan, call)

    report = run.carry_out(journal=Journal())
    (row,) = report.rows

    assert (Outcome.FAILED, "not done", 1) == (row.outcome, row.truth, row.attempts)
    assert report.stopped == "the disk is full"


@pytest.mark.parametrize("why", [INTERRUPTED, TIMED_OUT])
@pytest.mark.parametrize(
    ("kind", "outcome", "detail"),
    [(NoAnswer, Outcome.UNKNOWN, "not read any more"), (RateLimited, Outcome.FAILED, "not sent")],
)
def test_the_last_call_cut_short_is_told_as_such(
    why: str, kind: type[ApiError], outcome: Outcome, detail: str
) -> None:
    """Nothing is left to try then, but the end came too early all the same."""
    run, breaker = updated(), Breaker()

    def meddle(name: str) -> None:
        if name == "update/a":
            breaker.trip(why)
            raise refusal(kind, name, status=429 if kind is RateLimited else None)

    run.door.meddle = meddle
    report = run.carry_out(breaker=breaker)

    assert {"update/a": outcome} == outcomes(report)
    assert detail in str(report.rows[0].detail)
    assert str(report.rows[0].detail).endswith(why)
    assert (why == INTERRUPTED, None if why == INTERRUPTED else why) == (
        report.interrupted,
        report.stopped,
    )
