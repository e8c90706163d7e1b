"""What every state backend does: one suite, run once for each of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler.core.device import OnRemove
from reconciler.core.record import RecordedDevice
from reconciler.core.report import Outcome
from reconciler.state.lease import Holder, LeaseHeld
from reconciler.state.local import LocalState

from .memory import MemoryState

State = LocalState | MemoryState
# Opens the same state again and again, as further runs would.
Opener = Callable[[], State]

FIRST = RecordedDevice("a", "courier", {"isPrimary": ("11",), "owner": ("22", "33")})
SECOND = RecordedDevice("ü/b", "shop", {}, OnRemove.DEPERSONALIZE, protect=True)
ME = Holder("ana", "build-7", os.getpid(), "https://ci.example/7", datetime.now(UTC))


@pytest.fixture(params=["local", "memory"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    if request.param == "local":
        return lambda: LocalState.open(tmp_path / "deep" / "state.db", create=True)
    state = MemoryState()
    return lambda: state


def test_a_new_record_is_empty_and_keeps_its_lineage_and_key(opener: Opener) -> None:
    """Opened again it is the same record: serial 0, no device, a 32-byte key."""
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
                other.lease(Holder("ivo", "build-8", os.getpid(), None, datetime.now(UTC)))
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
