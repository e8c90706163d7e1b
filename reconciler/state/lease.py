"""The lease: while one run applies, no other does; it expires by itself when its holder is gone.

A holder beats every 10 seconds and counts as gone 30 seconds after its last beat, or at once when
its process is seen to be dead. It believes itself to hold the lease for less long than others do,
so that calls already on their way are over before anybody else can start. Whoever was wrong about
the time is stopped by the record itself: each write confirms the lease in its own transaction.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.failures import StateError

from .database import Database
from .machine import alive_here, machine, ticks_here

EXPIRES_AFTER: Final = 30.0
BEAT_EVERY: Final = 10.0
# A lease that was taken away is noticed so soon, even by a run that has nothing to write.
_LOOK_EVERY: Final = 1.0
_ASK_EVERY: Final = 1.0
_SURE_FOR: Final = 24.0
_COLUMNS: Final = "token, machine, who, host, pid, run_url, since, beat, ticks"
_SAME: Final = "who = ? AND host = ? AND pid = ? AND run_url IS ? AND since = ?"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who applies: a person or pipeline, where, since when, and the page of its run if any.

    `silent` is how many seconds ago its last beat was, when it is another run that was looked at.
    """

    who: str
    host: str
    pid: int
    run_url: str | None
    since: datetime
    silent: float = field(default=0.0, compare=False)


def nobody_waits(_: Holder) -> None:
    """Hear for whom a run waits, and do nothing."""


class LeaseHeld(Exception):
    """Another run holds the lease."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(
            f"the record is leased by {holder.who} on {holder.host} (process {holder.pid}) "
            f"since {holder.since.isoformat(timespec='seconds')}"
        )
        self.holder = holder


@dataclass(frozen=True, slots=True)
class Clocks:
    """What a lease goes by. `ticks` pass in a machine's sleep too, and nobody can set them.

    `alive` says whether a process of this machine lives; `pause` waits some seconds.
    """

    now: Callable[[], float] = time.time
    ticks: Callable[[], float] = ticks_here
    alive: Callable[[int], bool] = alive_here
    pause: Callable[[float], None] = time.sleep


class LocalLease:
    """A lease that was taken. As a context it beats in a thread, and is given back at the end."""

    def __init__(self, database: Database, token: str, beaten: float, clocks: Clocks) -> None:
        self.token = token
        self._database = database
        self._beaten = beaten
        self._clocks = clocks
        self._taken_away = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)

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
        """Take the lease; of many processes at once exactly one gets it.

        While another run has it, ask again each second for up to `patience` seconds, then raise
        LeaseHeld. `waiting` is told for whom: once, and again whenever that has changed.
        """
        clocks = clocks or Clocks()
        end = clocks.ticks() + patience
        told: Holder | None = None
        while True:
            try:
                return cls._take(database, holder, clocks)
            except LeaseHeld as held:
                left = end - clocks.ticks()
                if left <= 0:
                    raise
                if told != held.holder:
                    told = held.holder
                    waiting(told)
            clocks.pause(min(_ASK_EVERY, left))

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

    def held(self) -> bool:
        """Whether the lease is surely still ours. Once it is not, it never is again."""
        if self._clocks.ticks() - self._beaten >= _SURE_FOR:
            self._taken_away = True
        return not self._taken_away

    def confirm(self, connection: sqlite3.Connection) -> None:
        """Raise StateError unless the lease is ours still. `connection` is in a transaction that
        writes: what it sees stays true until it commits, for there is no other writer.
        """
        what = "this run stood still for longer than a lease lasts"
        if self.held():
            row = connection.execute("SELECT token, who, host, since FROM lease").fetchone()
            if row is not None and row[0] == self.token:
                return
            self._taken_away = True
            what = "it was taken away"
            if row is not None:
                since = datetime.fromisoformat(row[3]).strftime("%Y-%m-%d %H:%M:%S %Z")
                what = f"{row[1]} on {row[2]} has it since {since}"
        message = f"{codes.LEASE_LOST.title}: {what} ({self._database.path})"
        raise StateError(Diagnostic(codes.LEASE_LOST, message))

    def renew(self) -> bool:
        """Beat once; False when the lease was lost."""
        if not self.held():
            return False
        with self._database.writing() as connection:
            # It may have taken long until it was our turn to write.
            ticks = self._clocks.ticks()
            values = (self._clocks.now(), ticks, self.token)
            if self.held() and not _updated(connection, values):
                self._taken_away = True
        if not self._taken_away:
            self._beaten = ticks
        return self.held()

    def release(self) -> None:
        """Stop beating and give the lease back, if it is still ours."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._taken_away = True
        with self._database.writing() as connection:
            connection.execute("DELETE FROM lease WHERE token = ?", (self.token,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.release()
        except StateError:
            # What the run did is worth more than this: the lease expires by itself.
            return

    def _look(self) -> None:
        with self._database.reading() as connection:
            row = connection.execute("SELECT token FROM lease").fetchone()
        if row is None or row[0] != self.token:
            self._taken_away = True

    def _beat(self) -> None:
        while not self._ended.wait(_LOOK_EVERY) and self.held():
            try:
                if self._clocks.ticks() - self._beaten >= BEAT_EVERY:
                    self.renew()
                else:
                    self._look()
            except StateError:
                # The next beat may succeed; if none does, held() turns false by itself.
                continue


def current(connection: sqlite3.Connection, clocks: Clocks) -> Holder | None:
    """Return who has the lease now; None too when it has expired or its process is dead."""
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
    """Take away the lease of exactly this holder; False when the lease is not that one."""
    values = (holder.who, holder.host, holder.pid, holder.run_url, holder.since.isoformat())
    return connection.execute(f"DELETE FROM lease WHERE {_SAME}", values).rowcount == 1


def _updated(connection: sqlite3.Connection, values: tuple[float, float, str]) -> bool:
    cursor = connection.execute("UPDATE lease SET beat = ?, ticks = ? WHERE token = ?", values)
    return cursor.rowcount == 1
