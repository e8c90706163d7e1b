"""The journal's promise: on disk before the call, and many calls share one commit."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.core.failures import StateError
from reconciler.core.report import Outcome
from reconciler.state.database import Database
from reconciler.state.journal import LocalJournal
from reconciler.state.local import LocalState


def test_an_intent_is_on_disk_when_it_returns(tmp_path: Path) -> None:
    """Another connection sees it, while the run that made it is still open."""
    path = tmp_path / "state.db"

    async def run(state: LocalState) -> list[tuple[str, str, str | None]]:
        await state.journal.intent("p", "update/a")
        with contextlib.closing(sqlite3.connect(path)) as other:
            return other.execute("SELECT plan, call, outcome FROM calls").fetchall()

    with LocalState.open(path, create=True) as state:
        assert [("p", "update/a", None)] == asyncio.run(run(state))


def test_calls_in_flight_share_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 500 tasks none waits for 500 commits: what comes during a commit goes into the next."""
    commits: list[None] = []
    writing = Database.writing

    @contextlib.contextmanager
    def counted(self: Database) -> Iterator[sqlite3.Connection]:
        commits.append(None)
        with writing(self) as connection:
            yield connection

    monkeypatch.setattr(Database, "writing", counted)

    async def one(journal: LocalJournal, call: str) -> None:
        await journal.intent("p", call)
        await journal.outcome("p", call, Outcome.APPLIED)

    async def run(journal: LocalJournal) -> None:
        await asyncio.gather(*(one(journal, f"update/{number}") for number in range(500)))

    with LocalState.open(tmp_path / "state.db", create=True) as state:
        commits.clear()
        asyncio.run(run(state.journal))

        assert len(commits) < 100
        assert 500 == len(state.journal.done("p"))


def test_a_disk_that_fails_is_told_to_the_call(tmp_path: Path) -> None:
    """An intent that could not be written raises, so its call is never made."""
    path = tmp_path / "state.db"

    async def run(state: LocalState) -> None:
        with pytest.raises(StateError):
            await state.journal.intent("p", "update/a")

    with LocalState.open(path, create=True) as state:
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("DROP TABLE calls")
        asyncio.run(run(state))


def test_a_cancelled_task_leaves_the_others_alone(tmp_path: Path) -> None:
    """The entries of a cancelled wait are written, and nobody else is disturbed."""

    async def run(journal: LocalJournal) -> None:
        cancelled = asyncio.create_task(journal.intent("p", "one"))
        await asyncio.sleep(0)
        cancelled.cancel()
        await journal.intent("p", "two")

    with LocalState.open(tmp_path / "state.db", create=True) as state:
        asyncio.run(run(state.journal))

        assert {"one", "two"} == state.journal.unsettled("p")


def test_what_is_waiting_is_written_before_it_closes(tmp_path: Path) -> None:
    """A run that is torn down leaves no entry behind that it had handed over."""
    path = tmp_path / "state.db"

    async def run(journal: LocalJournal) -> None:
        for number in range(50):
            asyncio.create_task(journal.intent("p", str(number)))  # noqa: RUF006 - torn down
        await asyncio.sleep(0)

    with LocalState.open(path, create=True) as state:
        asyncio.run(run(state.journal))
    with LocalState.open(path, create=False) as state:
        assert 50 == len(state.journal.unsettled("p"))


def test_the_calls_of_finished_plans_are_dropped(tmp_path: Path) -> None:
    """Only the date of a finished plan is kept, so the file does not grow with every apply."""

    async def run(journal: LocalJournal) -> None:
        await journal.intent("old", "update/a")
        await journal.outcome("old", "update/a", Outcome.APPLIED)

    with LocalState.open(tmp_path / "state.db", create=True) as state:
        state.journal.start("old")
        asyncio.run(run(state.journal))
        state.journal.finish("old")
        state.journal.start("new")

        assert frozenset() == state.journal.done("old")
        assert state.journal.finished("old") is not None
