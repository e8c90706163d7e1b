"""The journal beside a shared state: intents on this machine's disk, plans in the run part.

What a killed run did on this machine is known call by call. On another machine it is known only
that the plan was begun, so each of its calls may have been made and is read first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from reconciler.core.report import Outcome

from .database import Database
from .journal import LocalJournal, Unfinished
from .run_document import PlanEntry, Run, RunDesk
from .shared_lease import SharedLease


def _now() -> datetime:
    return datetime.now(UTC)


class SharedJournal:
    """A journal whose calls stand in a file of this machine. Without a lock it only reads."""

    def __init__(
        self,
        desk: RunDesk,
        path: Path,
        lease: SharedLease | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._desk = desk
        self._path = path
        self._lease = lease
        self._clock = clock
        self._database: Database | None = None
        self._local: LocalJournal | None = None

    def start(self, plan: str) -> None:
        """Note here and in the run part that a run of a plan begins."""
        local = self._opened(create=True)
        assert local is not None
        local.start(plan)
        own_file = self._mine()

        def begun(run: Run) -> Run:
            self._require(run)
            known = run.plan(plan) or PlanEntry(plan, self._clock())
            journals = known.journals if own_file in known.journals else (*known.journals, own_file)
            entry = msgspec.structs.replace(known, started=self._clock(), journals=journals)
            return run.with_plan(entry)

        self._desk.change(begun)

    def finish(self, plan: str) -> None:
        """Note that every operation of a plan is applied."""

        def ended(run: Run) -> Run:
            self._require(run)
            known = run.plan(plan) or PlanEntry(plan, self._clock())
            # Which files have its calls is of no more use.
            return run.with_plan(
                msgspec.structs.replace(known, finished=self._clock(), journals=())
            )

        self._desk.change(ended)
        local = self._opened(create=True)
        assert local is not None
        local.finish(plan)

    def unfinished(self) -> Unfinished | None:
        """Return the plan that was begun last, unless it or a later one was finished since."""
        plans = self._desk.read().plans
        last = max((plan.finished for plan in plans if plan.finished), default=None)
        begun = [
            plan
            for plan in plans
            if plan.finished is None and (last is None or last < plan.started)
        ]
        if not begun:
            return None
        latest = max(begun, key=lambda plan: (plan.started, plan.id))
        applied, unsettled = self.done(latest.id), self.unsettled(latest.id)
        return Unfinished(latest.id, latest.started, len(applied), len(unsettled))

    def finished(self, plan: str) -> datetime | None:
        """Return when a plan was finished; None for one that was not, or that nobody began."""
        entry = self._desk.read().plan(plan)
        return None if entry is None else entry.finished

    def elsewhere(self, plan: str) -> datetime | None:
        """Return when a plan was begun, if some run of it noted its calls on another machine."""
        entry = self._desk.read().plan(plan)
        if entry is None or entry.finished is not None:
            return None
        return entry.started if set(entry.journals) - {self._mine()} else None

    def done(self, plan: str) -> frozenset[str]:
        """Return the ids of the calls of a plan that this machine knows to be applied."""
        local = self._opened(create=False)
        return frozenset() if local is None else local.done(plan)

    def unsettled(self, plan: str) -> frozenset[str]:
        """Return the ids of the calls that this machine may have sent, without knowing more."""
        local = self._opened(create=False)
        return frozenset() if local is None else local.unsettled(plan)

    async def intent(self, plan: str, call: str) -> None:
        """Return when it is on this disk that a call is about to be made."""
        local = self._opened(create=True)
        assert local is not None
        await local.intent(plan, call)

    async def outcome(self, plan: str, call: str, outcome: Outcome) -> None:
        """Return when it is on this disk what became of a call."""
        local = self._opened(create=True)
        assert local is not None
        await local.outcome(plan, call, outcome)

    def close(self) -> None:
        """Write what is waiting, and end."""
        if self._local is not None:
            self._local.close()
            self._local = None
        if self._database is not None:
            self._database.close()
            self._database = None

    def _require(self, run: Run) -> None:
        if self._lease is not None:
            self._lease.require(run)

    def _mine(self) -> str:
        """Return the name of the file on this machine; empty when there is none."""
        if self._opened(create=False) is None or self._database is None:
            return ""
        with self._database.reading() as connection:
            (lineage,) = connection.execute("SELECT lineage FROM about").fetchone()
        return str(lineage)

    def _opened(self, *, create: bool) -> LocalJournal | None:
        if self._local is None and (create or self._path.exists()):
            self._database = Database.open(self._path, create=create)
            self._local = LocalJournal(self._database, lease=self._lease)
        return self._local
