"""The lock in a state's file, confirmed by the transaction of each write that needs it."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Final

from .database import Database
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

_COLUMNS: Final = "token, machine, who, host, pid, run_url, since, beat, ticks"
_SAME: Final = "who = ? AND host = ? AND pid = ? AND run_url IS ? AND since = ?"


class LocalLease(Lease):
    """A lock in SQLite. Whoever was wrong about the time is stopped by the state itself."""

    def __init__(self, database: Database, token: str, beaten: float, clocks: Clocks) -> None:
        super().__init__(token, beaten, clocks)
        self._database = database

    @classmethod
    def acquire(
        cls,
        database: Database,
        holder: Holder,
        *,
        patience: float = 0.0,
        waiting: Callable[[Holder], None] = nobody_waits,
        clocks: Clocks | None = None,
    ) -> LocalLease:
        """Take the lock; of many processes at once exactly one gets it. See lease.patiently."""
        known = clocks or Clocks()
        return patiently(lambda: cls._take(database, holder, known), patience, waiting, known)

    @classmethod
    def _take(cls, database: Database, holder: Holder, clocks: Clocks) -> LocalLease:
        token = secrets.token_hex(16)
        with database.writing() as connection:
            other = current(connection, clocks)
            if other is not None:
                raise LeaseHeld(other)
            ticks = clocks.ticks()
            values = (holder.who, holder.host, holder.pid, holder.run_url)
            connection.execute(
                f"INSERT OR REPLACE INTO lease (only, {_COLUMNS}) VALUES (1,?,?,?,?,?,?,?,?,?)",
                (token, machine(), *values, holder.since.isoformat(), clocks.now(), ticks),
            )
        return cls(database, token, ticks, clocks)

    def look(self) -> None:
        """Do nothing: the transaction that needs the lock sees it."""

    def confirm(self, connection: sqlite3.Connection) -> None:
        """Raise StateError unless the lock is ours still. `connection` is in a transaction that
        writes: what it sees stays true until it commits, for there is no other writer.
        """
        reason = STOOD_STILL
        if self.held():
            row = connection.execute("SELECT token, who, host, since FROM lease").fetchone()
            if row is not None and row[0] == self.token:
                return
            self._taken_away = True
            reason = TAKEN_AWAY
            if row is not None:
                reason = has_it(row[1], row[2], datetime.fromisoformat(row[3]))
        raise lost(reason, self._database.path)

    def _put_beat(self) -> float | None:
        with self._database.writing() as connection:
            # It may have taken long until it was our turn to write.
            ticks = self._clocks.ticks()
            values = (self._clocks.now(), ticks, self.token)
            return ticks if self.held() and _updated(connection, values) else None

    def _is_ours(self) -> bool:
        with self._database.reading() as connection:
            row = connection.execute("SELECT token FROM lease").fetchone()
        return row is not None and row[0] == self.token

    def _give_back(self) -> None:
        with self._database.writing() as connection:
            connection.execute("DELETE FROM lease WHERE token = ?", (self.token,))


def current(connection: sqlite3.Connection, clocks: Clocks) -> Holder | None:
    """Return who has the lock now; None too when it has expired or its process is dead."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM lease").fetchone()
    if row is None:
        return None
    _, its_machine, who, host, pid, run_url, since, beat, ticks = row
    if its_machine == machine():
        if not clocks.alive(pid):
            return None
        # On one machine nothing depends on what somebody sets its clock to.
        silent = clocks.now() - beat if ticks is None else clocks.ticks() - ticks
    else:
        # A beat from the future was written before a clock was set back.
        silent = abs(clocks.now() - beat)
    if not 0 <= silent < EXPIRES_AFTER:
        return None
    return Holder(who, host, pid, run_url, datetime.fromisoformat(since), silent)


def take_away(connection: sqlite3.Connection, holder: Holder) -> bool:
    """Take away the lock of exactly this holder; False when the lock is not that one."""
    values = (holder.who, holder.host, holder.pid, holder.run_url, holder.since.isoformat())
    return connection.execute(f"DELETE FROM lease WHERE {_SAME}", values).rowcount == 1


def _updated(connection: sqlite3.Connection, values: tuple[float, float, str]) -> bool:
    cursor = connection.execute("UPDATE lease SET beat = ?, ticks = ? WHERE token = ?", values)
    return cursor.rowcount == 1
