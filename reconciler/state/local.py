"""The state in a local file: `state: {backend: local, path: .reconciler/state.db}`.

Promises: a write is whole or not there, whatever happens to the process or the machine.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import msgspec

from reconciler.core.device import OnRemove
from reconciler.core.record import Record, RecordedDevice
from reconciler.core.secret import Secret

from .database import Database, damaged
from .journal import LocalJournal
from .lease import Clocks, Holder, Lease, nobody_waits
from .local_lease import LocalLease, current, take_away

_Fields = dict[str, tuple[str, ...]]


class LocalState:
    """An open record, with the journal and the lock that stand in the same file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._journals: list[LocalJournal] = []

    @classmethod
    def open(cls, path: Path, *, create: bool) -> LocalState:
        """Open the state; make it, with a lineage and a key, if it is missing and `create` is set.

        Raises StateError when it is missing, not ours, damaged, of a newer format or out of reach.
        """
        return cls(Database.open(path, create=create))

    @property
    def where(self) -> str:
        """The file, as people know it."""
        return str(self._database.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for journal in self._journals:
            journal.close()
        self._database.close()

    @cached_property
    def journal(self) -> LocalJournal:
        """The journal, for reading it without a lock; closed with the state."""
        return self._opened(LocalJournal(self._database))

    def journal_under(self, lease: Lease) -> LocalJournal:
        """Return the journal as the run that took this lock writes it; closed with the state.

        Once the lock is lost, intents, `start` and `finish` raise StateError.
        """
        assert isinstance(lease, LocalLease)
        return self._opened(LocalJournal(self._database, lease=lease))

    def records_under(self, lease: Lease) -> LeasedRecords:
        """Return the state as the run that took this lock writes it."""
        assert isinstance(lease, LocalLease)
        return LeasedRecords(self, lease)

    def lease(
        self,
        holder: Holder,
        *,
        patience: float = 0.0,
        waiting: Callable[[Holder], None] = nobody_waits,
    ) -> LocalLease:
        """Take the lock for as long as the returned context lasts; LeaseHeld if another has it.

        For up to `patience` seconds it is asked for again and again; `waiting` is told who has it,
        at first and whenever that has changed.
        """
        return LocalLease.acquire(self._database, holder, patience=patience, waiting=waiting)

    def holder(self) -> Holder | None:
        """Return who has the lock now; an expired one and a dead process have none."""
        with self._database.reading() as connection, self._understood():
            return current(connection, Clocks())

    def unlock(self, holder: Holder) -> bool:
        """Take the lock away from exactly this holder; False if it is no longer theirs.

        A run that loses it so stops before its next write.
        """
        with self._database.writing() as connection:
            return take_away(connection, holder)

    def read(self) -> Record:
        """Read the whole state as it was at one moment."""
        with self._database.reading() as connection, self._understood():
            about = connection.execute("SELECT lineage, serial, key FROM about").fetchall()
            ((lineage, serial, key),) = about
            if not isinstance(lineage, str) or not isinstance(key, bytes) or len(key) != 32:
                raise ValueError("its lineage or its key is not one")
            decoder = msgspec.json.Decoder(_Fields)
            devices = {
                id_: RecordedDevice(
                    id_,
                    application,
                    decoder.decode(fields),
                    None if on_remove is None else OnRemove(on_remove),
                    bool(protect),
                    model,
                )
                for id_, application, fields, on_remove, protect, model in connection.execute(
                    "SELECT id, application, fields, on_remove, protect, model FROM devices"
                    " ORDER BY id"
                )
            }
            application_ids: dict[str, str] = dict(
                connection.execute("SELECT name, application_id FROM applications ORDER BY name")
            )
        return Record(lineage, int(serial), Secret(key), devices, application_ids)

    def write(
        self,
        changed: Mapping[str, RecordedDevice | None],
        application_ids: Mapping[str, str],
        lease: LocalLease | None = None,
    ) -> int:
        """Set the entries of some devices (None: forget it) and return the new serial.

        Raises StateError when there is a lock that was lost.
        """
        gone = [(id_,) for id_, entry in changed.items() if entry is None]
        with self._database.writing() as connection:
            if lease is not None:
                lease.confirm(connection)
            _insert(connection, (entry for entry in changed.values() if entry is not None))
            connection.executemany("DELETE FROM devices WHERE id = ?", gone)
            connection.executemany(
                "INSERT OR REPLACE INTO applications VALUES (?, ?)", application_ids.items()
            )
            connection.execute("UPDATE about SET serial = serial + 1")
            (serial,) = connection.execute("SELECT serial FROM about").fetchone()
        return int(serial)

    def replace(self, record: Record) -> None:
        """Put a whole state in the place of what is there; whoever calls holds the lock."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM devices")
            connection.execute("DELETE FROM applications")
            _insert(connection, record.devices.values())
            connection.executemany(
                "INSERT INTO applications VALUES (?, ?)", record.application_ids.items()
            )
            connection.execute(
                "UPDATE about SET lineage = ?, serial = ?, key = ?",
                (record.lineage, record.serial, record.key.reveal()),
            )

    def unwritten(self) -> None:
        """Return None: what cannot be written to a file cannot be saved beside it either."""

    def _opened(self, journal: LocalJournal) -> LocalJournal:
        self._journals.append(journal)
        return journal

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Turn content that no version of ours can have written into a StateError."""
        try:
            yield
        except (ValueError, TypeError, msgspec.MsgspecError) as error:
            raise damaged(self._database.path, str(error)) from error


def _insert(connection: sqlite3.Connection, entries: Iterable[RecordedDevice]) -> None:
    encode = msgspec.json.encode
    connection.executemany(
        "INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                entry.id,
                entry.application,
                encode(entry.fields).decode(),
                entry.on_remove,
                entry.protect,
                entry.model,
            )
            for entry in entries
        ),
    )


@dataclass(frozen=True, slots=True)
class LeasedRecords:
    """The state as one run may write it: only while the lock is its own."""

    state: LocalState
    lease: LocalLease

    def write(
        self, changed: Mapping[str, RecordedDevice | None], application_ids: Mapping[str, str]
    ) -> int:
        """Set the entries of some devices, as LocalState.write does."""
        return self.state.write(changed, application_ids, self.lease)
