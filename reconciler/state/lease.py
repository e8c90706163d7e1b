"""The lease: while one run applies, no other does; it expires by itself when its holder is gone.

A holder beats every 10 seconds and counts as gone 30 seconds after its last beat, or at once when
its process is seen to be dead. It believes itself to hold the lease for less long than others do,
so that calls already on their way are over before anybody else can start.
"""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from reconciler.core.failures import StateError

from .database import Database

EXPIRES_AFTER: Final = 30.0
BEAT_EVERY: Final = 10.0
_SURE_FOR: Final = 24.0
_COLUMNS: Final = "token, machine, who, host, pid, run_url, since, beat"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who applies: a person or pipeline, where, since when, and the page of its run if any."""

    who: str
    host: str
    pid: int
    run_url: str | None
    since: datetime


class LeaseHeld(Exception):
    """Another run holds the lease."""

    def __init__(self, holder: Holder) -> None:
        super().__init__(
            f"the record is leased by {holder.who} on {holder.host} (process {holder.pid}) "
            f"since {holder.since.isoformat(timespec='seconds')}"
        )
        self.holder = holder


class LocalLease:
    """A lease that was taken. As a context it beats in a thread, and is given back at the end."""

    def __init__(
        self, database: Database, token: str, beaten: float, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._token = token
        self._beaten = beaten
        self._clock = clock
        self._taken_away = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)

    @classmethod
    def acquire(
        cls,
        database: Database,
        holder: Holder,
        *,
        clock: Callable[[], float] = time.time,
        alive: Callable[[int], bool] | None = None,
    ) -> LocalLease:
        """Take the lease, or raise LeaseHeld; of many processes at once exactly one gets it."""
        token = secrets.token_hex(16)
        machine = _machine()
        with database.writing() as connection:
            now = clock()
            row = connection.execute(f"SELECT {_COLUMNS} FROM lease").fetchone()
            if row is not None:
                _, its_machine, who, host, pid, run_url, since, beat = row
                # A beat from the future was written before the clock was set back.
                fresh = abs(now - beat) < EXPIRES_AFTER
                dead = its_machine == machine and not (alive or _alive)(pid)
                if fresh and not dead:
                    raise LeaseHeld(Holder(who, host, pid, run_url, datetime.fromisoformat(since)))
            values = (holder.who, holder.host, holder.pid, holder.run_url)
            connection.execute(
                f"INSERT OR REPLACE INTO lease (only, {_COLUMNS}) VALUES (1,?,?,?,?,?,?,?,?)",
                (token, machine, *values, holder.since.isoformat(), now),
            )
        return cls(database, token, now, clock)

    def held(self) -> bool:
        """Whether the lease is surely still ours. Once it is not, it never is again."""
        if abs(self._clock() - self._beaten) >= _SURE_FOR:
            self._taken_away = True
        return not self._taken_away

    def renew(self) -> bool:
        """Beat once; False when the lease was lost."""
        if not self.held():
            return False
        with self._database.writing() as connection:
            now = self._clock()
            if not self._update(connection, now):
                self._taken_away = True
        if not self._taken_away:
            self._beaten = now
        return self.held()

    def release(self) -> None:
        """Stop beating and give the lease back, if it is still ours."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._taken_away = True
        with self._database.writing() as connection:
            connection.execute("DELETE FROM lease WHERE token = ?", (self._token,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.release()
        except StateError:
            # What the run did is worth more than this: the lease expires by itself.
            return

    def _update(self, connection: sqlite3.Connection, now: float) -> bool:
        cursor = connection.execute("UPDATE lease SET beat = ? WHERE token = ?", (now, self._token))
        return cursor.rowcount == 1

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_EVERY):
            try:
                if not self.renew():
                    return
            except StateError:
                # The next beat may succeed; if none does, held() turns false by itself.
                continue


def _machine() -> str:
    """Name the place in which a process number means the same process as here.

    Containers share host names without sharing process numbers, and a reboot starts them anew.
    """
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        pass
    return " ".join(parts)


def _alive(pid: int) -> bool:
    if os.name != "posix":
        # Elsewhere signal 0 is not a question; expiry will tell.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
