"""A state that lives in memory: the second backend of the suite, and the double for apply."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.failures import StateError
from reconciler.core.record import Record, RecordedDevice
from reconciler.core.report import Outcome
from reconciler.core.secret import Secret
from reconciler.state.journal import Unfinished
from reconciler.state.lease import Holder, LeaseHeld, nobody_waits


class MemoryJournal:
    """Notes every entry in `entries`, in order, too. Under a lock it refuses as the real one."""

    def __init__(self, lease: MemoryLease | None = None) -> None:
        self.plans: dict[str, tuple[datetime, datetime | None]] = {}
        self.calls: dict[tuple[str, str], Outcome | None] = {}
        self.runs: dict[tuple[str, str], MemoryLease | None] = {}
        self.entries: list[tuple[str, Outcome | None]] = []
        self.lease = lease

    def under(self, lease: MemoryLease) -> MemoryJournal:
        """Return the same journal as the run that took this lock writes it."""
        journal = MemoryJournal(lease)
        journal.plans, journal.calls, journal.runs = self.plans, self.calls, self.runs
        journal.entries = self.entries
        return journal

    def start(self, plan: str) -> None:
        self._confirm()
        _, finished = self.plans.get(plan, (None, None))
        self.plans[plan] = (datetime.now(UTC), finished)

    def finish(self, plan: str) -> None:
        self._confirm()
        self.plans[plan] = (self.plans[plan][0], datetime.now(UTC))

    def finished(self, plan: str) -> datetime | None:
        return self.plans[plan][1] if plan in self.plans else None

    def unfinished(self) -> Unfinished | None:
        latest = max((end for _, end in self.plans.values() if end is not None), default=None)
        begun = [
            (start, plan)
            for plan, (start, end) in self.plans.items()
            if end is None and (latest is None or latest < start)
        ]
        if not begun:
            return None
        start, plan = max(begun)
        return Unfinished(plan, start, len(self.done(plan)), len(self.unsettled(plan)))

    def elsewhere(self, plan: str) -> None:
        """Say that all is known here."""

    def done(self, plan: str) -> frozenset[str]:
        return self._of(plan, Outcome.APPLIED)

    def unsettled(self, plan: str) -> frozenset[str]:
        return self._of(plan, None, Outcome.UNKNOWN)

    async def intent(self, plan: str, call: str) -> None:
        self._confirm()
        self._note(plan, call, None)

    async def outcome(self, plan: str, call: str, outcome: Outcome) -> None:
        if self.lease is None or self.lease.ours() or self.runs.get((plan, call)) is self.lease:
            self._note(plan, call, outcome)

    def _note(self, plan: str, call: str, outcome: Outcome | None) -> None:
        self.calls[plan, call] = outcome
        self.runs[plan, call] = self.lease
        self.entries.append((call, outcome))

    def _confirm(self) -> None:
        if self.lease is not None:
            self.lease.confirm()

    def _of(self, plan: str, *outcomes: Outcome | None) -> frozenset[str]:
        return frozenset(
            call for (of, call), outcome in self.calls.items() if of == plan and outcome in outcomes
        )


class MemoryLease:
    """A lock in memory; `lose` takes it away."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self._held = True

    def held(self) -> bool:
        return self._held

    def lose(self) -> None:
        self._held = False

    def ours(self) -> bool:
        """Whether the lock is still this one, held or not."""
        return self._held and self._state.taken is self

    def confirm(self) -> None:
        """Raise StateError unless the lock is this run's still."""
        if not self.ours():
            self._held = False
            raise StateError(Diagnostic(codes.LEASE_LOST, "The lock was lost"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._held = False
        if self._state.taken is self:
            self._state.taken, self._state.held_by = None, None


@dataclass(frozen=True, slots=True)
class MemoryRecords:
    """The state as one run may write it."""

    state: MemoryState
    lease: MemoryLease

    def write(
        self, changed: Mapping[str, RecordedDevice | None], application_ids: Mapping[str, str]
    ) -> int:
        self.lease.confirm()
        return self.state.write(changed, application_ids)


class MemoryState:
    """A state, a journal and a lock in memory."""

    def __init__(self) -> None:
        self.record = Record(os.urandom(4).hex(), 0, Secret(os.urandom(32)))
        self.journal = MemoryJournal()
        self.held_by: Holder | None = None
        self.taken: MemoryLease | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        pass

    def read(self) -> Record:
        return self.record

    def write(
        self, changed: Mapping[str, RecordedDevice | None], application_ids: Mapping[str, str]
    ) -> int:
        was = self.record
        devices = {**was.devices, **changed}
        self.record = Record(
            was.lineage,
            was.serial + 1,
            was.key,
            {id_: entry for id_, entry in sorted(devices.items()) if entry is not None},
            dict(sorted({**was.application_ids, **application_ids}.items())),
        )
        return self.record.serial

    def journal_under(self, lease: MemoryLease) -> MemoryJournal:
        return self.journal.under(lease)

    def records_under(self, lease: MemoryLease) -> MemoryRecords:
        return MemoryRecords(self, lease)

    def lease(
        self,
        holder: Holder,
        *,
        patience: float = 0.0,
        waiting: Callable[[Holder], None] = nobody_waits,
    ) -> MemoryLease:
        """Take the lock. Nobody gives it back while one waits here, so patience is in vain."""
        if self.held_by is not None:
            if patience > 0:
                waiting(self.held_by)
            raise LeaseHeld(self.held_by)
        self.held_by = holder
        self.taken = MemoryLease(self)
        return self.taken

    def holder(self) -> Holder | None:
        return self.held_by

    def unlock(self, holder: Holder) -> bool:
        if self.held_by != holder:
            return False
        self.held_by, self.taken = None, None
        return True
