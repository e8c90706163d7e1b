"""The journal: each call's intent on disk before it is made, its outcome after.

Promises: when `intent` has returned, the intent survives a power cut. Many calls share one commit:
while the disk writes, the next entries gather, so neither the event loop nor a call waits in line.
Under a lock an intent is written only while the lock is the run's, judged in the transaction that
writes it; an outcome always, for it tells what has happened.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from reconciler.core.failures import StateError
from reconciler.core.report import Outcome

from .database import Database


class Fence(Protocol):
    """The lock that writes are made under. `confirm` raises StateError once it is lost.

    `look` is asked before the transaction, for what may take its time.
    """

    token: str

    def look(self) -> None: ...

    def confirm(self, connection: sqlite3.Connection) -> None: ...


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line to write, and whom to wake when it is on disk. No outcome: an intent."""

    plan: str
    call: str
    outcome: Outcome | None
    loop: asyncio.AbstractEventLoop
    written: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A plan that was begun and has not come to its end, and how many of its calls are known.

    `started` is when its latest run began; the `unsettled` may or may not have reached the service.
    """

    plan: str
    started: datetime
    applied: int
    unsettled: int


def _now() -> datetime:
    return datetime.now(UTC)


class LocalJournal:
    """The journal in a state's file. The async methods may be used by many tasks at once."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime] = _now,
        lease: Fence | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease
        self._entries: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, plan: str) -> None:
        """Note that a run of a plan begins; what an earlier run of it noted stays."""
        with self._database.writing() as connection:
            self._confirm(connection)
            connection.execute(
                "INSERT INTO plans VALUES (?, ?, NULL)"
                " ON CONFLICT (id) DO UPDATE SET started = excluded.started",
                (plan, self._clock().isoformat()),
            )
            # Of a finished plan only the date is ever asked for.
            connection.execute(
                "DELETE FROM calls WHERE plan IN (SELECT id FROM plans WHERE finished IS NOT NULL)"
            )

    def finish(self, plan: str) -> None:
        """Note that every operation of a plan is applied."""
        with self._database.writing() as connection:
            self._confirm(connection)
            connection.execute(
                "UPDATE plans SET finished = ? WHERE id = ?", (self._clock().isoformat(), plan)
            )

    def unfinished(self) -> Unfinished | None:
        """Return the plan that was begun last, unless it or a later one was finished since."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT id, started FROM plans WHERE finished IS NULL AND NOT EXISTS"
                " (SELECT 1 FROM plans AS later WHERE later.finished >= plans.started)"
                " ORDER BY started DESC, id LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            plan, started = row
            applied, unsettled = connection.execute(
                "SELECT count(*) FILTER (WHERE outcome = ?),"
                " count(*) FILTER (WHERE outcome IS NULL OR outcome = ?)"
                " FROM calls WHERE plan = ?",
                (Outcome.APPLIED.value, Outcome.UNKNOWN.value, plan),
            ).fetchone()
        return Unfinished(plan, datetime.fromisoformat(started), applied, unsettled)

    def finished(self, plan: str) -> datetime | None:
        """Return when a plan was finished; None for one that was not, or that nobody began."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT finished FROM plans WHERE id = ?", (plan,)).fetchone()
        return None if row is None or row[0] is None else datetime.fromisoformat(row[0])

    def elsewhere(self, plan: str) -> None:
        """Return None: every run of a plan notes its calls in this file."""

    def done(self, plan: str) -> frozenset[str]:
        """Return the ids of the calls of a plan that are known to be applied."""
        return self._calls(plan, "outcome = ?", Outcome.APPLIED.value)

    def unsettled(self, plan: str) -> frozenset[str]:
        """Return the ids of the calls that may or may not have reached the service."""
        return self._calls(plan, "(outcome IS NULL OR outcome = ?)", Outcome.UNKNOWN.value)

    async def intent(self, plan: str, call: str) -> None:
        """Return when it is on disk that a call is about to be made."""
        await self._write(plan, call, None)

    async def outcome(self, plan: str, call: str, outcome: Outcome) -> None:
        """Return when it is on disk what became of a call."""
        await self._write(plan, call, outcome)

    def close(self) -> None:
        """Write what is waiting, and end."""
        if self._thread is not None:
            self._entries.put(None)
            self._thread.join()
            self._thread = None

    def _calls(self, plan: str, which: str, value: str) -> frozenset[str]:
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT call FROM calls WHERE plan = ? AND {which}", (plan, value)
            )
            return frozenset(call for (call,) in rows)

    async def _write(self, plan: str, call: str, outcome: Outcome | None) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="journal", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()
        self._entries.put(_Entry(plan, call, outcome, loop, written))
        await written

    def _serve(self) -> None:
        """Write entries as they come, all that are waiting in one transaction."""
        while (entry := self._entries.get()) is not None:
            batch = [entry]
            more = True
            while more and not self._entries.empty():
                following = self._entries.get()
                if following is None:
                    # Seen again when this batch is done.
                    self._entries.put(None)
                    more = False
                else:
                    batch.append(following)
            lost: StateError | None = None
            failure: StateError | None = None
            try:
                lost = self._commit(batch)
            except StateError as error:
                failure = error
            _wake([entry for entry in batch if entry.outcome is None], failure or lost)
            _wake([entry for entry in batch if entry.outcome is not None], failure)

    def _commit(self, batch: list[_Entry]) -> StateError | None:
        """Write a batch; return why its intents were left out, if they were."""
        run = None if self._lease is None else self._lease.token
        self._look()
        with self._database.writing() as connection:
            try:
                self._confirm(connection)
            except StateError as lost:
                # The next run may have settled such a call by now, and then knows better.
                connection.executemany(
                    "UPDATE calls SET outcome = ? WHERE plan = ? AND call = ? AND run = ?",
                    [
                        (entry.outcome, entry.plan, entry.call, run)
                        for entry in batch
                        if entry.outcome is not None
                    ],
                )
                return lost
            connection.executemany(
                "INSERT OR REPLACE INTO calls VALUES (?, ?, ?, ?)",
                [(entry.plan, entry.call, entry.outcome, run) for entry in batch],
            )
        return None

    def _look(self) -> None:
        if self._lease is not None:
            self._lease.look()

    def _confirm(self, connection: sqlite3.Connection) -> None:
        if self._lease is not None:
            self._lease.confirm(connection)


def _wake(batch: list[_Entry], failure: StateError | None) -> None:
    """Wake the waiting tasks of a batch, with one visit to each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for entry in batch:
        loops.setdefault(entry.loop, []).append(entry.written)
    for loop, futures in loops.items():
        try:
            loop.call_soon_threadsafe(_resolve, futures, failure)
        except RuntimeError:
            # The loop is closed: its tasks are gone, the entries are on disk all the same.
            continue


def _resolve(futures: list[asyncio.Future[None]], failure: StateError | None) -> None:
    for future in futures:
        if future.cancelled():
            continue
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(failure)
