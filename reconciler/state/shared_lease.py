"""The lock of a shared state: it stands in the run part, and changes hands by compare-and-set.

Clocks of two machines are believed to agree within a minute and no better. A lock whose beat is
later than that and its life together is over at once; a younger one is over when it has not beaten
for its life while somebody watched, by the watcher's own ticks.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import msgspec

from .lease import (
    EXPIRES_AFTER,
    STOOD_STILL,
    TAKEN_AWAY,
    Clocks,
    Holder,
    Lease,
    LeaseHeld,
    has_it,
    lost,
    nobody_waits,
    patiently,
)
from .process_identity import machine
from .run_document import LeaseEntry, Run, RunDesk
from .store import OutOfReach

CLOCKS_AGREE_WITHIN: Final = 60.0
# One reading of a small object each.
_LOOK_EVERY: Final = 3.0


class Watch:
    """Judges whether the holder of a lock lives; remembers since when it has seen no beat."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._seen: tuple[str, int] | None = None
        self._since = 0.0

    def holder(self, run: Run) -> Holder | None:
        """Return who has the lock now; None too when it has expired or its process is dead."""
        entry = run.lease
        if entry is None:
            return None
        ticks = self._clocks.ticks()
        if self._seen != (entry.token, entry.beats):
            self._seen, self._since = (entry.token, entry.beats), ticks
        if entry.machine == machine():
            if not self._clocks.alive(entry.pid):
                return None
            silent = ticks - entry.ticks
            is_over = not 0 <= silent < EXPIRES_AFTER
        else:
            watched = ticks - self._since
            silent = max(self._clocks.now() - entry.beat.timestamp(), watched, 0.0)
            is_over = watched >= EXPIRES_AFTER or silent >= EXPIRES_AFTER + CLOCKS_AGREE_WITHIN
        if is_over:
            return None
        return Holder(entry.who, entry.host, entry.pid, entry.run_url, entry.since, silent)


class SharedLease(Lease):
    """A lock in the run part of a store."""

    look_every = _LOOK_EVERY

    def __init__(
        self, desk: RunDesk, where: str, token: str, beaten: float, clocks: Clocks
    ) -> None:
        super().__init__(token, beaten, clocks)
        self._desk = desk
        self._where = where
        # What is said of a lock that is lost, unless it is known who has it.
        self._why = STOOD_STILL

    @classmethod
    def acquire(
        cls,
        desk: RunDesk,
        where: str,
        holder: Holder,
        *,
        patience: float = 0.0,
        waiting: Callable[[Holder], None] = nobody_waits,
        clocks: Clocks | None = None,
    ) -> SharedLease:
        """Take the lock; of many at once exactly one gets it. See lease.patiently."""
        known = clocks or Clocks()
        watch = Watch(known)

        def take() -> SharedLease:
            token = secrets.token_hex(16)
            ticks = known.ticks()

            def taken(run: Run) -> Run:
                other = watch.holder(run)
                if other is not None:
                    raise LeaseHeld(other)
                return run.with_lease(_entry(holder, token, known))

            desk.change(taken)
            # What passed until it was written counts, as it does for those who read it.
            return cls(desk, where, token, ticks, known)

        return patiently(take, patience, waiting, known)

    def look(self) -> None:
        """Read who has the lock; a store that cannot be read says nothing, and time goes on."""
        if self.held():
            with suppress(OutOfReach):
                self._note(self._desk.read())

    def confirm(self, connection: object = None) -> None:
        """Raise StateError unless the lock is ours by the last look, and surely not expired."""
        if not self.held():
            raise lost(self._why, self._where)

    def require(self, run: Run) -> None:
        """Raise StateError unless this run part says that the lock is ours."""
        self.confirm()
        self._note(run)
        self.confirm()

    def _note(self, run: Run) -> None:
        entry = run.lease
        if entry is None or entry.token != self.token:
            self._taken_away = True
            self._why = TAKEN_AWAY if entry is None else has_it(entry.who, entry.host, entry.since)

    def _put_beat(self) -> float | None:
        ticks = self._clocks.ticks()

        def beaten(run: Run) -> Run:
            entry = run.lease
            if entry is None or entry.token != self.token or not self.held():
                return run
            return run.with_lease(
                msgspec.structs.replace(
                    entry, beat=_now(self._clocks), beats=entry.beats + 1, ticks=ticks
                )
            )

        run = self._desk.change(beaten)
        self._note(run)
        # Its own time was taken before the writing: nobody counts from an earlier moment.
        return ticks if run.lease is not None and run.lease.token == self.token else None

    def _is_ours(self) -> bool:
        run = self._desk.read()
        self._note(run)
        return run.lease is not None and run.lease.token == self.token

    def _give_back(self) -> None:
        def without(run: Run) -> Run:
            is_ours = run.lease is not None and run.lease.token == self.token
            return run.with_lease(None) if is_ours else run

        self._desk.change(without)


def unlock(desk: RunDesk, holder: Holder) -> bool:
    """Take the lock away from exactly this holder; False if it is no longer theirs."""
    taken = False

    def without(run: Run) -> Run:
        nonlocal taken
        entry = run.lease
        taken = entry is not None and (
            (entry.who, entry.host, entry.pid, entry.run_url, entry.since)
            == (holder.who, holder.host, holder.pid, holder.run_url, holder.since)
        )
        return run.with_lease(None) if taken else run

    desk.change(without)
    return taken


def _entry(holder: Holder, token: str, clocks: Clocks) -> LeaseEntry:
    return LeaseEntry(
        token,
        machine(),
        holder.who,
        holder.host,
        holder.pid,
        holder.run_url,
        holder.since,
        _now(clocks),
        0,
        clocks.ticks(),
    )


def _now(clocks: Clocks) -> datetime:
    return datetime.fromtimestamp(clocks.now(), UTC)
