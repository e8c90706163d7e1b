"""A run that stood still, or whose lock is another's by now, writes nothing further."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.core import codes
from reconciler.core.failures import StateError
from reconciler.core.record import RecordedDevice
from reconciler.core.report import Outcome
from reconciler.state.database import Database
from reconciler.state.journal import LocalJournal
from reconciler.state.lease import Clocks, Holder
from reconciler.state.local import LocalState
from reconciler.state.local_lease import LocalLease
from tests.changed import replace

ANA = Holder("ana", "build-7", os.getpid(), None, datetime(2027, 3, 31, 12, 0, 5, tzinfo=UTC))
IVO = replace(ANA, who="ivo", host="build-8")
ENTRY = RecordedDevice("a", "courier", {})


class Time:
    """A clock and ticks that stand until they are moved."""

    def __init__(self) -> None:
        self.now, self.ticks = 1_000_000.0, 50.0


@dataclass(frozen=True, slots=True)
class Run:
    """A run with its lock, at a time of its own, and what it may write."""

    time: Time
    database: Database
    state: LocalState
    lease: LocalLease
    journal: LocalJournal

    def takes_over(self, who: Holder = IVO) -> LocalLease:
        """Let another take the lock, if it is free by the same time."""
        return LocalLease.acquire(self.database, who, clocks=clocks(self.time))

    def refusals(self) -> list[str]:
        """Try every write that needs the lock; return what is said of those that are refused."""
        attempts: list[Callable[[], object]] = [
            lambda: asyncio.run(as_coroutine(self.journal.intent("p", "next"))),
            lambda: self.journal.start("q"),
            lambda: self.journal.finish("p"),
            lambda: self.state.records_under(self.lease).write({"a": ENTRY}, {}),
        ]
        said: list[StateError] = []
        for attempt in attempts:
            try:
                attempt()
            except StateError as error:
                said.append(error)
        assert {error.diagnostic.code for error in said} <= {codes.LEASE_LOST}
        return [str(error).partition(" (")[0] for error in said]


async def as_coroutine(work: Awaitable[None]) -> None:
    await work


def clocks(time: Time) -> Clocks:
    return Clocks(lambda: time.now, lambda: time.ticks, lambda _: True)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """A run of plan p that has sent one call and waits for its answer."""
    database = Database.open(tmp_path / "state.db", create=True)
    time = Time()
    with LocalState(database) as state:
        lease = LocalLease.acquire(database, ANA, clocks=clocks(time))
        journal = state.journal_under(lease)
        journal.start("p")
        asyncio.run(as_coroutine(journal.intent("p", "sent")))
        yield Run(time, database, state, lease, journal)


def test_while_it_beats_nothing_is_refused(run: Run) -> None:
    """And whatever somebody sets the clock to, on one machine."""
    for step in (0.0, 86_400.0, -172_800.0, 31.0):
        run.time.now += step
        run.time.ticks += 20
        assert run.lease.renew()
        assert [] == run.refusals()


@pytest.mark.parametrize("clock", [40.0, 0.0, -3_600.0])
def test_stopped_or_asleep_for_too_long_it_is_over(run: Run, clock: float) -> None:
    """Whether another came meanwhile or not, and whatever the clock shows after waking up."""
    run.time.ticks += 40
    run.time.now += clock

    still = "The lock was lost: this run stood still for longer than a lock lasts"
    assert [still] * 4 == run.refusals()
    assert [False, False] == [run.lease.held(), run.lease.renew()]
    assert (0, {"sent"}) == (run.state.read().serial, run.state.journal.unsettled("p"))


def test_what_another_has_is_left_to_it(run: Run) -> None:
    """Even if the run's own time goes wrong: the state says whose turn it is."""
    run.time.ticks += 40
    other = run.takes_over()
    run.time.ticks -= 35

    assert run.lease.held()
    since = "The lock was lost: ivo on build-8 has it since 2027-03-31 12:00:05 UTC"
    assert since == run.refusals()[0]
    assert 3 == len(run.refusals()[1:])
    assert not run.lease.held()
    run.lease.release()
    assert other.renew()


def test_the_wait_for_the_file_counts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An intent that was in time when it was handed over may be too late when it is its turn."""
    writing = Database.writing

    @contextlib.contextmanager
    def slow(self: Database) -> Iterator[sqlite3.Connection]:
        with writing(self) as connection:
            run.time.ticks += 40
            yield connection

    monkeypatch.setattr(Database, "writing", slow)

    assert 4 == len(run.refusals())


def test_outcomes_are_noted_beside_intents_that_are_refused(run: Run) -> None:
    """In one batch: what has happened is told, what was to happen does not."""

    async def both() -> list[BaseException | None]:
        return await asyncio.gather(
            run.journal.outcome("p", "sent", Outcome.APPLIED),
            run.journal.intent("p", "next"),
            return_exceptions=True,
        )

    run.time.ticks += 40
    written, refused = asyncio.run(both())

    assert written is None
    assert isinstance(refused, StateError)
    assert ({"sent"}, frozenset()) == (
        run.state.journal.done("p"),
        run.state.journal.unsettled("p"),
    )
