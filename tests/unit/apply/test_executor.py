"""A whole run against the model: handovers, what goes wrong on the way, and going on after it."""

from __future__ import annotations

import asyncio
import itertools
from itertools import chain, repeat
from typing import Any

import pytest

from reconciler.api.dispatch import Timing
from reconciler.api.errors import Denied, NoAnswer, RegistrationNotFound, Rejected, ServerFailed
from reconciler.api.retry import SURE_AFTER
from reconciler.apply.record_writer import LEASE_LOST
from reconciler.core import codes
from reconciler.core.device import Desired, Lifecycle, OnRemove, Removal
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.events import Settled
from reconciler.core.failures import StateError
from reconciler.core.record import record_entry
from reconciler.core.report import Outcome
from reconciler.core.safety import ProtectRule, Safety
from reconciler.core.secret import Secret
from reconciler.core.source import Source
from reconciler.platform.assumptions import DETACH, DETACH_KEEPS_DATA
from reconciler.platform.operations import Operation
from reconciler.platform.pace import workers
from tests.changed import replace
from tests.contract.memory import MemoryJournal
from tests.fleet import DIGESTER, HERE, desired, device, external, owner, phone

from .model import Run, outcomes, person, refusal, registration, world

ANA, BOB = owner("ana"), owner("bob")
A1 = person(1, external("ana"))
B2 = person(2, external("bob"))
APPLIED, FAILED, SKIPPED = Outcome.APPLIED, Outcome.FAILED, Outcome.SKIPPED
STALE, UNKNOWN, NOT_TRIED = Outcome.STALE, Outcome.UNKNOWN, Outcome.NOT_TRIED
PATCH = ("merge", "replace")


def swapped(assume: dict[str, str] | None = None) -> Run:
    """Two devices change hands; one of them has a flag and data of its own."""
    start = world(
        A1,
        B2,
        registration("a", 1, is_primary=True, data={"k": 1, "theirs": "x"}),
        registration("b", 2),
    )
    first = device("a", owner=BOB, is_primary=True, data={"k": 2})
    return Run(desired(first, device("b", owner=ANA)), start, assume=assume)


def handover() -> Run:
    """The flag goes from a to b."""
    start = world(A1, registration("a", 1, is_primary=True), registration("b", 1))
    return Run(desired(device("a", is_primary=False), device("b", is_primary=True)), start)


def several(count: int = 3) -> Run:
    """As many unconnected devices, each with one update."""
    names = [f"d{number}" for number in range(count)]
    start = world(*(registration(name) for name in names))
    return Run(desired(*(device(name, data={"k": 1}) for name in names)), start)


def fail(run: Run, call: str, kind: type[Any], status: int | None = 500) -> None:
    """Let one call of the run fail before it does anything."""

    def meddle(name: str) -> None:
        if name == call:
            raise refusal(kind, name, status=status)

    run.door.meddle = meddle


@pytest.mark.parametrize(("detach", "patch"), list(itertools.product(DETACH.readings, PATCH)))
def test_owners_are_swapped_under_every_reading(detach: str, patch: str) -> None:
    """What an ownership call clears is no news; afterwards there is nothing left to do."""
    run = swapped({"detach": detach, "additional-data-patch": patch})

    report = run.carry_out()

    assert report.complete
    assert ["personalize/a", "personalize/b", "update/a"] == run.door.writes
    assert [] == run.left()
    kept = {"k": 2} if detach not in DETACH_KEEPS_DATA else {"k": 2, "theirs": "x"}
    assert kept == dict(run.door.world.registrations["a"].additional_data)
    assert {"a", "b"} == set(run.state.read().devices)


def test_the_report_has_a_row_for_each_call_and_each_adopted_device() -> None:
    """Calls in the plan's order, then what was adopted; and the state has them all."""
    start = world(registration("a"), registration("b", data={"k": 1}))
    run = Run(desired(device("a", data={"k": 1}), device("b", data={"k": 1}, label="Bo")), start)

    report = run.carry_out(timing=Timing(clock=chain([5.0], repeat(7.5)).__next__))

    assert [("update/a", APPLIED, 1), (None, Outcome.ADOPTED, 0)] == [
        (row.call, row.outcome, row.attempts) for row in report.rows
    ]
    assert ("Bo", "plan-1", 2.5) == (report.rows[1].label, report.plan, report.seconds)
    assert [record_entry(run.declared.devices[id_], DIGESTER) for id_ in "ab"] == list(
        run.state.read().devices.values()
    )
    assert {"courier": "APP-COURIER"} == run.state.read().application_ids
    assert [Settled("update/a", "a", "applied", "done", 1)] == [
        event for event in run.told if isinstance(event, Settled)
    ]


def test_intents_come_before_calls_and_outcomes_after() -> None:
    """And nothing is written to the journal for a device that is only read."""
    run = several(1)
    order: list[object] = []

    class Journal(MemoryJournal):
        def _note(self, plan: str, call: str, outcome: Outcome | None) -> None:
            super()._note(plan, call, outcome)
            order.append(outcome)

    run.door.meddle = order.append
    run.carry_out(journal=Journal())

    assert ["get/d0", None, "update/d0", APPLIED] == order


def test_reads_come_right_before_writes() -> None:
    """The owner is read before an ownership call only, in one match with who has the values."""
    run = swapped()
    run.carry_out()

    assert ["get/a", "match/2", "personalize/a"] == run.door.calls[:3]
    assert ["get/a", "update/a"] == [c for c in run.door.calls if c.endswith("/a")][-2:]


def test_the_promotion_follows_the_demotion() -> None:
    """And a demotion that fails skips it: two primaries of one person are not made."""
    good, bad = handover(), handover()
    fail(bad, "update/a", ServerFailed)

    assert good.carry_out().complete
    assert ["update/a", "update/b"] == good.door.writes
    report = bad.carry_out()
    assert {"update/a": FAILED, "update/b": SKIPPED} == outcomes(report)
    assert "update/a was not applied" == report.rows[1].detail
    assert {} == bad.state.read().devices


@pytest.mark.parametrize(
    ("kind", "status", "outcome", "truth"),
    [
        (Rejected, 400, FAILED, "not done"),
        (ServerFailed, 500, FAILED, "not done"),
        (NoAnswer, None, FAILED, "not done"),
    ],
)
def test_a_failure_stops_nobody_else(
    kind: type[Any], status: int | None, outcome: Outcome, truth: str
) -> None:
    """It is told with what is true now; the device has no entry in the state."""
    run = several()
    fail(run, "update/d1", kind, status)

    report = run.carry_out()

    assert {"update/d0": APPLIED, "update/d1": outcome, "update/d2": APPLIED} == outcomes(report)
    assert (truth, False) == (report.rows[1].truth, report.complete)
    assert "update of device d1" in (report.rows[1].detail or "")
    assert {"d0", "d2"} == set(run.state.read().devices)
    assert run.state.journal.finished("plan-1") is None


def test_what_follows_a_failure_only_in_order_goes_on() -> None:
    """The second ownership call of a chain does not need the first."""
    run = swapped()
    fail(run, "personalize/a", Rejected, 400)

    assert {"personalize/a": FAILED, "personalize/b": APPLIED, "update/a": SKIPPED} == outcomes(
        run.carry_out()
    )


def test_a_device_that_moved_is_left_alone() -> None:
    """Its call is stale and named by the field; nothing is sent for it, all else goes on."""
    run = several()
    start = run.door.world
    moved = replace(start.registrations["d1"], additional_data={"k": 7, "x": 1})
    run.door.world = start.with_registration(moved)

    report = run.carry_out()

    assert {"update/d0": APPLIED, "update/d1": STALE, "update/d2": APPLIED} == outcomes(report)
    assert "additionalData.k changed since the plan" == report.rows[1].detail
    assert moved == run.door.world.registrations["d1"]
    assert {"d0", "d2"} == set(run.state.read().devices)


def test_undeclared_keys_that_moved_are_nobody_s_business() -> None:
    """They are carried as they are right before the call, and stand in no plan."""
    run = several(1)
    now = replace(run.door.world.registrations["d0"], additional_data={"new": "y"})
    run.door.world = run.door.world.with_registration(now)

    assert run.carry_out().complete
    assert {"additionalData": {"new": "y", "k": 1}} == run.door.bodies["update/d0"]


def test_an_owner_that_moved_is_left_alone() -> None:
    """Somebody took the device since the plan: it is not taken from them."""
    run = swapped()
    start = run.door.world.with_person(person(3, external("eve")))
    run.door.world = start.with_registration(replace(start.registrations["a"], owner=3))

    report = run.carry_out()

    assert {"personalize/a": STALE, "personalize/b": APPLIED, "update/a": SKIPPED} == outcomes(
        report
    )
    assert "owner changed since the plan" == report.rows[0].detail


def test_a_device_that_a_rule_protects_by_now_is_stale() -> None:
    """Its role was set between plan and apply, by nobody whom the plan knows. What is claimed from
    nobody is protected from nothing."""
    start = world(
        A1,
        B2,
        *(registration(name, 1, data={"role": "till"}) for name in ("left", "moved")),
        *(registration(name, data={"role": "till"}) for name in ("claimed", "updated")),
    )
    declared = desired(
        device("claimed", owner=BOB),
        device("moved", owner=BOB),
        device("updated", data={"k": 1}),
    )
    gone = device("left", owner=ANA, lifecycle=Lifecycle(on_remove=OnRemove.DEPERSONALIZE))
    run = Run(declared, start, applied=[gone])
    rule = ProtectRule(Source("reconciler.yaml", 9, 3), data={"role": "t*"})

    report = run.carry_out(safety=Safety(protect=(rule,)))

    assert {
        "depersonalize/left": STALE,
        "personalize/moved": STALE,
        "personalize/claimed": APPLIED,
        "update/updated": APPLIED,
    } == outcomes(report)
    assert {"it is protected since the plan, by the rule at reconciler.yaml:9:3", None} == {
        row.detail for row in report.rows
    }


def test_a_registration_that_went_is_stale() -> None:
    """Uninstalled between plan and apply."""
    run = several(1)
    fail(run, "get/d0", RegistrationNotFound, 400)

    report = run.carry_out()

    assert {"update/d0": STALE} == outcomes(report)
    assert "the registration is gone" == report.rows[0].detail


def test_a_refused_claim_is_judged_by_reading() -> None:
    """The goal is reached: applied. It is not: failed. The error text decides nothing."""

    def claim() -> Run:
        return Run(desired(device("a", owner=ANA)), world(A1, registration("a")))

    reached, lost = claim(), claim()

    def meddle(name: str) -> None:
        if name == "personalize/a":
            start = reached.door.world
            taken = replace(start.registrations["a"], owner=1)
            reached.door.world = start.with_registration(taken)
            raise refusal(Rejected, name)

    reached.door.meddle = meddle
    fail(lost, "personalize/a", Rejected, 400)

    assert {"personalize/a": APPLIED} == outcomes(reached.carry_out())
    assert {"personalize/a": FAILED} == outcomes(lost.carry_out())
    assert lost.door.calls.index("personalize/a") < len(lost.door.calls) - 1
    assert ["personalize/a"] == lost.door.writes


def test_denied_ends_the_run() -> None:
    """What is refused for its credentials will be refused again: the rest is not tried."""
    run = several(30)
    fail(run, "update/d0", Denied, 401)

    report = run.carry_out(rates={Operation.UPDATE: 1.0})

    assert FAILED is outcomes(report)["update/d0"]
    tried = [row for row in report.rows if row.outcome is not NOT_TRIED]
    assert len(tried) == len(run.door.writes) <= 8
    assert {report.rows[0].detail} == {
        row.detail for row in report.rows if row.outcome is NOT_TRIED
    }
    assert (report.rows[0].detail, False) == (report.stopped, report.complete)


def test_no_call_starts_after_the_lease_is_lost() -> None:
    """Calls in flight are finished; the state is not written, it is somebody else's now."""
    run = handover()

    def meddle(name: str) -> None:
        if name == "update/a":
            run.lease.lose()

    run.door.meddle = meddle
    report = run.carry_out()

    assert {"update/a": APPLIED, "update/b": NOT_TRIED} == outcomes(report)
    assert ["update/a"] == run.door.writes
    assert [LEASE_LOST, LEASE_LOST, False] == [
        report.stopped,
        report.rows[1].detail,
        report.complete,
    ]
    assert 3 == run.state.read().serial


def test_a_lease_lost_while_the_intent_is_written_stops_the_call() -> None:
    """The disk may take long; the journal then says that the call was not made."""
    run = several(1)

    class Journal(MemoryJournal):
        async def intent(self, plan: str, call: str) -> None:
            await super().intent(plan, call)
            run.lease.lose()

    journal = Journal()
    run.carry_out(journal=journal)

    assert [] == run.door.writes
    assert [("update/d0", None), ("update/d0", NOT_TRIED)] == journal.entries


def test_a_journal_that_cannot_be_written_ends_the_run() -> None:
    """Without an intent on disk no call is made, and the report says why."""
    run = several(2)

    class Journal(MemoryJournal):
        async def intent(self, plan: str, call: str) -> None:
            raise StateError(Diagnostic(codes.RECORD_OUT_OF_REACH, "the disk is full"))

    report = run.carry_out(journal=Journal())

    assert {"update/d0": NOT_TRIED, "update/d1": NOT_TRIED} == outcomes(report)
    assert ([], "the disk is full") == (run.door.writes, report.stopped)


def test_a_record_that_cannot_be_written_is_told() -> None:
    """The calls are done and say so; the adopted are not; the run is not complete."""
    start = world(registration("a"), registration("b", data={"k": 1}))
    run = Run(desired(device("a", data={"k": 1}), device("b", data={"k": 1})), start)

    class Records:
        def write(self, changed: object, application_ids: object) -> int:
            raise StateError(Diagnostic(codes.RECORD_OUT_OF_REACH, "the disk is full"))

    report = run.carry_out(records=Records())

    assert {"update/a": APPLIED, "b": NOT_TRIED} == outcomes(report)
    assert ("the disk is full", False) == (report.stopped, report.complete)


def test_going_on_does_the_rest_and_nothing_twice() -> None:
    """Killed after any call, the next run of the same plan ends where the first would have."""
    for killed_after in range(3):
        run = swapped()

        class Killed(BaseException):
            pass

        def meddle(name: str, run: Run = run, after: int = killed_after) -> None:
            if name.startswith(("get/", "persons/")) and len(run.door.writes) == after:
                raise Killed

        run.door.meddle = meddle
        with pytest.raises(BaseExceptionGroup):
            run.carry_out()
        run.door.meddle = lambda name: None
        report = run.carry_out()

        assert report.complete
        assert ["personalize/a", "personalize/b", "update/a"] == run.door.writes
        assert [] == run.left()
        assert {"a", "b"} == set(run.state.read().devices)
        assert run.state.journal.finished("plan-1") is not None


def test_going_on_settles_what_was_sent_by_reading() -> None:
    """The first run died between a call and its answer; the call is not made again."""
    run = swapped()
    run.state.journal.calls = {("plan-1", "personalize/a"): None}
    start = run.door.world
    run.door.world = start.with_registration(
        replace(start.registrations["a"], owner=2, is_primary=False, additional_data={})
    )

    report = run.carry_out()

    assert report.complete
    assert ["personalize/b", "update/a"] == run.door.writes
    assert "sent by an earlier run, and read to be done" == report.rows[0].detail


def test_going_on_waits_until_a_read_tells_what_a_killed_run_has_sent() -> None:
    """A read may lag by two seconds: until then it shows the world before the call."""
    run = swapped()
    run.state.journal.calls = {("plan-1", "personalize/a"): None}
    done = run.door.world.with_registration(
        replace(run.door.world.registrations["a"], owner=2, is_primary=False, additional_data={})
    )
    now = [1000.0]

    async def sleep(seconds: float) -> None:
        run.slept.append(seconds)
        now[0] += seconds
        if now[0] >= 1000.0 + SURE_AFTER:
            run.door.world = done
        await asyncio.sleep(0)

    timing = Timing(clock=lambda: now[0], sleep=sleep, jitter=lambda: 1.0)
    report = run.carry_out(timing=timing)

    assert report.complete
    assert "personalize/a" not in run.door.writes
    assert run.slept[0] == pytest.approx(SURE_AFTER)


def test_what_an_earlier_run_never_sent_is_not_waited_for() -> None:
    """Only calls whose outcome is unknown are."""
    run = swapped()
    run.state.journal.calls = {("plan-1", "personalize/b"): Outcome.NOT_TRIED}

    assert run.carry_out().complete
    assert run.slept == []


def test_a_leaving_device_is_detached_and_forgotten() -> None:
    """Or only forgotten, without a call, when that is what the files say; the report has both."""
    left, kept = device("a", owner=ANA), device("b", owner=ANA)
    start = world(A1, registration("a", 1), registration("b", 1))
    removed = {"a": Removal("a", "courier", OnRemove.DEPERSONALIZE, HERE)}
    run = Run(Desired({}, removed), start, [left, kept])

    report = run.carry_out()

    assert [("a", "depersonalize", APPLIED), ("b", "release", Outcome.RELEASED)] == [
        (row.device, row.operation, row.outcome) for row in report.rows
    ]
    assert {} == run.state.read().devices


def test_what_is_sent_names_the_declared_person() -> None:
    """Identity and attributes are put in at the last moment; the birthday becomes a date-time."""
    attributes = {
        "firstName": "Ana",
        "birthday": "1990-02-03",
        "tags": ["x", "y"],
        "customAttributes": {"vehicle": "van"},
    }
    ana = owner("ana", external("ana"), phone("+385911"), attributes=Secret(attributes))
    run = Run(desired(device("a", owner=ana)), world(registration("a")))

    assert run.carry_out().complete
    assert {
        "identity": {"externalId": "ana", "phoneNumber": "385911"},
        "attributes": {
            "firstName": "Ana",
            "birthday": "1990-02-03T00:00:00Z",
            "tags": ["x", "y"],
            "customAttributes": {"vehicle": "van"},
        },
    } == run.door.bodies["personalize/a"]


def test_a_thousand_groups_need_few_workers() -> None:
    """Calls in flight are bounded by the rate, not by the size of the plan."""
    run = several(300)
    busy: set[str] = set()
    most = 0

    def meddle(name: str) -> None:
        nonlocal most
        operation, _, id_ = name.partition("/")
        (busy.add if operation == "get" else busy.discard)(id_)
        most = max(most, len(busy))

    run.door.meddle = meddle

    assert run.carry_out(rates=dict.fromkeys(Operation, 5.0)).complete
    assert most <= 15


@pytest.mark.parametrize(
    ("operation", "rates", "expected"),
    [
        (Operation.UPDATE, {Operation.UPDATE: 40.0, Operation.GET: 40.0}, 120),
        (Operation.UPDATE, {Operation.UPDATE: 40.0, Operation.PERSONS: 4.0}, 120),
        (Operation.PERSONALIZE, {Operation.PERSONALIZE: 40.0, Operation.PERSONS: 4.0}, 120),
        (Operation.PERSONALIZE, {Operation.PERSONALIZE: 40.0, Operation.MATCH: 1.0}, 120),
        (Operation.PERSONALIZE, {Operation.PERSONALIZE: 40.0, Operation.GET: 4.0}, 12),
        (Operation.UPDATE, {Operation.UPDATE: 0.5}, 8),
        (Operation.UPDATE, {Operation.UPDATE: 0.0}, 256),
        (Operation.UPDATE, {}, 256),
    ],
)
def test_the_slowest_stream_decides_how_many_are_in_flight(
    operation: Operation, rates: dict[Operation, float], expected: int
) -> None:
    """Matches are shared by many, and who is looked up one by one waits for a place of its own."""
    assert expected == workers(operation, rates)


def test_values_that_became_two_people_s_since_the_plan_are_not_sent() -> None:
    """One reading of the service would merge the two for good."""
    ana = owner("ana", external("ana"), phone("385911"))
    start = world(person(1, external("ana")), registration("a"))
    run = Run(
        desired(device("a", owner=ana)), start, assume={"identity-matches-two-people": "merges"}
    )
    run.door.world = start.with_person(person(2, phone("385911")))

    report = run.carry_out()

    assert (STALE, []) == (report.rows[0].outcome, run.door.writes)
    assert "the declared identity values belong to different people since the plan" == (
        report.rows[0].detail
    )


def test_a_file_that_moved_between_two_runs_of_a_plan_is_not_recorded_as_applied() -> None:
    """What the first run did is recorded as what it was planned from, or not at all."""
    run = swapped()
    first = run.carry_out()
    assert first.complete
    run.state.record = replace(run.state.record, devices={})
    run.declared = desired(
        *(
            replace(one, owner=owner("carl")) if one.id == "a" else one
            for one in run.declared.devices.values()
        )
    )

    run.carry_out()

    assert {"b"} == set(run.state.read().devices)
