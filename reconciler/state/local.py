"""The record in a local file: `state: {backend: local, path: .reconciler/state.db}`.

Promises: a write is whole or not there, whatever happens to the process or the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from reconciler.core.device import OnRemove
from reconciler.core.hidden import Hidden
from reconciler.core.record import Record, RecordedDevice

from .database import Database, damaged
from .journal import LocalJournal
from .lease import Holder, LocalLease

_Fields = dict[str, tuple[str, ...]]


class LocalState:
    """An open record, with the journal and the lease that stand in the same file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._journal: LocalJournal | None = None

    @classmethod
    def open(cls, path: Path, *, create: bool) -> LocalState:
        """Open the record; make it, with a lineage and a key, if it is missing and `create` is set.

        Raises StateError when it is missing, not ours, damaged, of a newer format or out of reach.
        """
        return cls(Database.open(path, create=create))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
        self._database.close()

    @property
    def journal(self) -> LocalJournal:
        """The journal; closed with the state."""
        if self._journal is None:
            self._journal = LocalJournal(self._database)
        return self._journal

    def lease(self, holder: Holder) -> LocalLease:
        """Take the lease for as long as the returned context lasts; LeaseHeld if another has it."""
        return LocalLease.acquire(self._database, holder)

    def read(self) -> Record:
        """Read the whole record as it was at one moment."""
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
                )
                for id_, application, fields, on_remove, protect in connection.execute(
                    "SELECT id, application, fields, on_remove, protect FROM devices ORDER BY id"
                )
            }
            application_ids: dict[str, str] = dict(
                connection.execute("SELECT name, application_id FROM applications ORDER BY name")
            )
        return Record(lineage, int(serial), Hidden(key), devices, application_ids)

    def write(
        self,
        changed: Mapping[str, RecordedDevice | None],
        application_ids: Mapping[str, str],
    ) -> int:
        """Set the entries of some devices (None: forget it) and return the new serial."""
        encode = msgspec.json.encode
        rows = [
            (
                entry.id,
                entry.application,
                encode(entry.fields).decode(),
                entry.on_remove,
                entry.protect,
            )
            for entry in changed.values()
            if entry is not None
        ]
        gone = [(id_,) for id_, entry in changed.items() if entry is None]
        with self._database.writing() as connection:
            connection.executemany("INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?, ?)", rows)
            connection.executemany("DELETE FROM devices WHERE id = ?", gone)
            connection.executemany(
                "INSERT OR REPLACE INTO applications VALUES (?, ?)", application_ids.items()
            )
            connection.execute("UPDATE about SET serial = serial + 1")
            (serial,) = connection.execute("SELECT serial FROM about").fetchone()
        return int(serial)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Turn content that no version of ours can have written into a StateError."""
        try:
            yield
        except (ValueError, TypeError, msgspec.MsgspecError) as error:
            raise damaged(self._database.path, str(error)) from error
