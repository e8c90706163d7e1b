"""What every state backend does: one suite, run once for each of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest

from reconciler.core import codes
from reconciler.core.device import OnRemove
from reconciler.core.failures import StateError
from reconciler.core.record import RecordedDevice
from reconciler.core.report import Outcome
from reconciler.state.journal import LocalJournal
from reconciler.state.lease import Holder, LeaseHeld
from reconciler.state.local import LocalState
from reconciler.state.shared import SharedState
from reconciler.state.shared_journal import SharedJournal
from tests.changed import replace

from .memory import MemoryJournal, MemoryState
from .places import PLACES

State = LocalState | MemoryState | SharedState
Journal = LocalJournal | MemoryJournal | SharedJournal
# Opens the same state again and again, as further runs would.
Opener = Callable[[], State]

FIRST = RecordedDevice(
    "a", "courier", {"isPrimary": ("11",), "owner": ("22", "33")}, model="Fairphone FP5"
)
SECOND = RecordedDevice("ü/b", "shop", {}, OnRemove.DEPERSONALIZE, protect=True)
IVO = Holder("ivo", "build-8", os.getpid(), None, datetime.now(UTC))
ME = Holder("ana", "build-7", os.getpid(), "https://ci.example/7", datetime.now(UTC))


@pytest.fixture(params=["local", "memory", *(f"shared-{place}" for place in PLACES)])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    kind, _, place = request.param.partition("-")
    match kind:
        case "local":
            yield lambda: LocalState.open(tmp_path / "deep" / "state.db", create=True)
        case "memory":
            state = MemoryState()
            yield lambda: state
        case _:
            opened = import_module(f"{__package__}.places.{place}").opened
            with opened(tmp_path) as opener:
                journal = tmp_path / "deep" / "journal.db"
                with SharedState(opener(), journal) as first:
                    first.initialise()
                yield lambda: SharedState(opener(), journal)


def test_a_new_record_is_empty_and_keeps_its_lineage_and_key(opener: Opener) -> None:
    """Opened again it is the same state: serial 0, no device, a 32-byte key."""
    with opener() as state:
        first = state.read()
    with opener() as state:
        again = state.read()

    assert (0, {}, {}, 32) == (
        first.serial,
        first.devices,
        first.application_ids,
        len(first.key.reveal()),
    )
    assert first == again


def test_what_was_written_is_read(opener: Opener) -> None:
    """Entries, options and application ids come back as they were, and devices sorted by id."""
    with opener() as state:
        state.write({"ü/b": SECOND, "a": FIRST}, {"courier": "0A1"})
    with opener() as state:
        record = state.read()

    assert [("a", FIRST), ("ü/b", SECOND)] == list(record.devices.items())
    assert ["Fairphone FP5", None] == [one.model for one in record.devices.values()]
    assert {"courier": "0A1"} == record.application_ids


def test_a_write_changes_what_it_names_and_nothing_else(opener: Opener) -> None:
    """None forgets a device, a value replaces its entry whole, all others stay."""
    moved = RecordedDevice("a", "shop", {"registrationEnabled": ("44",)})
    other = RecordedDevice("c", "courier", {})
    with opener() as state:
        state.write({"a": FIRST, "ü/b": SECOND, "c": other}, {"courier": "1", "shop": "2"})
        state.write({"a": moved, "ü/b": None, "never": None}, {"shop": "3"})
        record = state.read()

    assert {"a": moved, "c": other} == record.devices
    assert {"courier": "1", "shop": "3"} == record.application_ids


def test_the_serial_grows_by_one_with_every_write(opener: Opener) -> None:
    """A write returns the serial that reading gives from then on."""
    with opener() as state:
        serials = [state.write({"a": FIRST}, {}) for _ in range(3)]

        assert [1, 2, 3] == serials
        assert 3 == state.read().serial


def test_only_one_holds_the_lease(opener: Opener) -> None:
    """The second is told who holds it; given back, it can be taken again."""
    with opener() as state, opener() as other:
        with state.lease(ME) as lease:
            assert lease.held()
            with pytest.raises(LeaseHeld) as raised:
                other.lease(IVO)
            assert ME == raised.value.holder
        assert not lease.held()
        with other.lease(ME) as again:
            assert again.held()


def test_the_journal_knows_what_is_done_and_what_is_unsettled(opener: Opener) -> None:
    """An intent without outcome and an unknown outcome are unsettled; failed is neither."""

    async def run(state: State) -> None:
        for call in ("applied", "failed", "unknown", "cut off"):
            await state.journal.intent("p", call)
        await state.journal.intent("another plan", "applied")
        await state.journal.outcome("p", "applied", Outcome.APPLIED)
        await state.journal.outcome("p", "failed", Outcome.FAILED)
        await state.journal.outcome("p", "unknown", Outcome.UNKNOWN)

    with opener() as state:
        state.journal.start("p")
        asyncio.run(run(state))
    with opener() as state:
        assert {"applied"} == state.journal.done("p")
        assert {"unknown", "cut off"} == state.journal.unsettled("p")
        assert frozenset() == state.journal.done("another plan")


def test_a_further_try_supersedes_what_the_journal_said(opener: Opener) -> None:
    """The intent of the next run makes a failed call unsettled, its outcome settles it."""

    async def run(state: State) -> None:
        await state.journal.intent("p", "call")
        await state.journal.outcome("p", "call", Outcome.FAILED)
        await state.journal.intent("p", "call")
        assert {"call"} == state.journal.unsettled("p")
        await state.journal.outcome("p", "call", Outcome.APPLIED)

    with opener() as state:
        asyncio.run(run(state))

        assert {"call"} == state.journal.done("p")
        assert frozenset() == state.journal.unsettled("p")


def test_a_plan_is_finished_once_that_was_said(opener: Opener) -> None:
    """Neither an unknown plan nor one that was only started is finished."""
    with opener() as state:
        state.journal.start("p")
        assert [None, None] == [state.journal.finished("p"), state.journal.finished("q")]
        state.journal.finish("p")
    with opener() as state:
        state.journal.start("q")
        finished = state.journal.finished("p")

    assert finished is not None
    assert abs(datetime.now(UTC) - finished) < timedelta(minutes=1)


def test_the_holder_is_seen_while_the_lease_lasts(opener: Opener) -> None:
    """By another run too; before and after there is none."""
    with opener() as state, opener() as other:
        before = other.holder()
        with state.lease(ME):
            during = other.holder()

        assert [None, ME, None] == [before, during, other.holder()]


def test_exactly_the_lease_that_was_shown_is_taken_away(opener: Opener) -> None:
    """Not one that somebody else, or the same one again, took meanwhile."""
    with opener() as state, opener() as other:
        lease = state.lease(ME)
        later = replace(ME, since=ME.since + timedelta(microseconds=1))

        assert [False, False, True] == [other.unlock(who) for who in (IVO, later, ME)]
        assert [False, None] == [other.unlock(ME), other.holder()]
        with pytest.raises(StateError):
            state.records_under(lease).write({}, {})


def test_under_a_lease_a_run_writes_as_without_one(opener: Opener) -> None:
    """The journal and the state are the same ones, read by whoever comes."""

    async def run(journal: Journal) -> None:
        await journal.intent("p", "applied")
        await journal.outcome("p", "applied", Outcome.APPLIED)
        await journal.intent("p", "cut off")

    with opener() as state:
        with state.lease(ME) as lease:
            journal = state.journal_under(lease)
            journal.start("p")
            asyncio.run(run(journal))
            serial = state.records_under(lease).write({"a": FIRST}, {"courier": "1"})

        assert ({"applied"}, {"cut off"}) == (state.journal.done("p"), state.journal.unsettled("p"))
        assert (1, {"a": FIRST}) == (serial, state.read().devices)


@pytest.mark.parametrize("taken", [False, True])
def test_a_run_that_lost_its_lease_writes_no_further_intent(opener: Opener, taken: bool) -> None:
    """Nor the state, whether another has the lock by now or nobody; it is told why, and knows."""

    async def run(journal: Journal) -> None:
        await journal.intent("p", "before")

    async def late(journal: Journal) -> str:
        with pytest.raises(StateError) as raised:
            await journal.intent("p", "after")
        return raised.value.diagnostic.code.id

    with opener() as state, opener() as other:
        lease = state.lease(ME)
        journal = state.journal_under(lease)
        journal.start("p")
        asyncio.run(run(journal))
        other.unlock(ME)
        if taken:
            other.lease(IVO)

        assert codes.LEASE_LOST.id == asyncio.run(late(journal))
        assert not lease.held()
        writes: list[Callable[[], object]] = [
            lambda: state.records_under(lease).write({"a": FIRST}, {}),
            lambda: journal.start("q"),
            lambda: journal.finish("p"),
        ]
        for write in writes:
            with pytest.raises(StateError):
                write()
        assert ({"before"}, {}, 0) == (
            state.journal.unsettled("p"),
            state.read().devices,
            state.read().serial,
        )
        assert (None, IVO if taken else None) == (state.journal.finished("p"), state.holder())


def test_what_has_happened_is_noted_without_the_lease(opener: Opener) -> None:
    """A call that was on its way when the lock was lost has an outcome all the same."""

    async def run(state: State, journal: Journal) -> None:
        await journal.intent("p", "sent")
        state.unlock(ME)
        await journal.outcome("p", "sent", Outcome.APPLIED)

    with opener() as state:
        asyncio.run(run(state, state.journal_under(state.lease(ME))))

        assert {"sent"} == state.journal.done("p")


def test_a_late_outcome_is_less_than_what_the_next_run_noted(opener: Opener) -> None:
    """The next run read what became of the call, and perhaps sends it again just now."""

    async def run(state: State, other: State) -> None:
        late = state.journal_under(state.lease(ME))
        await late.intent("p", "again")
        await late.intent("p", "settled")
        other.unlock(ME)
        next_one = other.journal_under(other.lease(IVO))
        await next_one.intent("p", "again")
        await next_one.outcome("p", "settled", Outcome.APPLIED)
        await late.outcome("p", "again", Outcome.FAILED)
        await late.outcome("p", "settled", Outcome.UNKNOWN)

    with opener() as state, opener() as other:
        asyncio.run(run(state, other))

        assert ({"settled"}, {"again"}) == (state.journal.done("p"), state.journal.unsettled("p"))


def test_what_a_killed_run_left_is_told(opener: Opener) -> None:
    """The plan that was begun last, and how much of it is known."""

    async def run(journal: Journal) -> None:
        for call in ("one", "two", "failed", "unknown", "cut off"):
            await journal.intent("p", call)
        await journal.outcome("p", "one", Outcome.APPLIED)
        await journal.outcome("p", "two", Outcome.APPLIED)
        await journal.outcome("p", "failed", Outcome.FAILED)
        await journal.outcome("p", "unknown", Outcome.UNKNOWN)

    with opener() as state:
        assert state.journal.unfinished() is None
        state.journal.start("o")
        state.journal.start("p")
        asyncio.run(run(state.journal))
    with opener() as state:
        left = state.journal.unfinished()

    assert left is not None
    assert ("p", 2, 2) == (left.plan, left.applied, left.unsettled)
    assert abs(datetime.now(UTC) - left.started) < timedelta(minutes=1)


def test_nothing_is_left_once_a_later_plan_was_finished(opener: Opener) -> None:
    """What was planned after it has seen what it did. Begun again, it is left again."""
    with opener() as state:
        state.journal.start("p")
        state.journal.start("q")
        state.journal.finish("q")
        after_q = state.journal.unfinished()
        state.journal.start("p")
        again = state.journal.unfinished()
        state.journal.finish("p")

        assert (None, "p", None) == (
            after_q,
            None if again is None else again.plan,
            state.journal.unfinished(),
        )
