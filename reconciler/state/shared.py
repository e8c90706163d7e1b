"""A shared state: one document in a store, changed entry by entry and written by compare-and-set.

Promises: of two writers none loses the other's entries; what could not be written is kept, to be
pushed later; reading writes nothing anywhere.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.failures import StateError
from reconciler.core.record import Record, RecordedDevice
from reconciler.core.secret import Secret

from .encryption import NO_KEYS, Keys
from .lease import Clocks, Holder, Lease, nobody_waits
from .record_codec import decode, encode
from .retrying_store import RetryingStore
from .run_document import RunDesk
from .shared_journal import SharedJournal
from .shared_lease import SharedLease, Watch, unlock
from .store import Overtaken, Part, Store

_TRIES: Final = 10

Changes = Mapping[str, RecordedDevice | None]


class SharedState:
    """A state in a store, with the lock in the same store and the journal on this machine.

    `plain` lets a state that is not encrypted be read although there is a key.
    """

    def __init__(
        self, store: Store, journal: Path, keys: Keys = NO_KEYS, *, plain: bool = False
    ) -> None:
        self._store = RetryingStore(store)
        self._keys = keys
        self._plain = plain
        self._journal = journal
        self._desk = RunDesk(self._store, keys, plain=plain)
        self._journals: list[SharedJournal] = []
        self._read: tuple[Record, str] | None = None
        self._unwritten: Record | None = None

    @property
    def where(self) -> str:
        """The place, as people know it."""
        return self._store.where

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for journal in self._journals:
            journal.close()
        self._store.close()

    def initialise(self, record: Record | None = None) -> bool:
        """Start a state, with a lineage and a key of its own unless one is given.

        False if there is one already, which stays as it is.
        """
        if self._store.read(Part.RECORD) is not None:
            return False
        if record is None:
            record = Record(str(uuid.uuid4()), 0, Secret(secrets.token_bytes(32)))
        try:
            self._store.write(Part.RECORD, encode(record, self._keys), None)
        except Overtaken:
            return False
        return True

    def read(self) -> Record:
        """Read the whole state as it was at one moment."""
        present = self._present()
        if present is None:
            raise self._missing()
        self._read = present
        return present[0]

    def write(
        self,
        changed: Changes,
        application_ids: Mapping[str, str],
        lease: SharedLease | None = None,
    ) -> int:
        """Set the entries of some devices (None: forget it) and return the new serial.

        Others' entries stay, also those that somebody wrote since this was read. Raises StateError
        when there is a lock that was lost; what could not be written is `unwritten` then.
        """
        was = self._unwritten or (None if self._read is None else self._read[0]) or self.read()
        self._unwritten = _changed(was, changed, application_ids)
        if lease is not None:
            lease.require(self._desk.read())
        for _ in range(_TRIES):
            known, version = self._read or self._reread(was.lineage, lease)
            record = _changed(known, changed, application_ids)
            try:
                version = self._store.write(Part.RECORD, encode(record, self._keys), version)
            except Overtaken:
                self._read = None
                continue
            self._read, self._unwritten = (record, version), None
            return record.serial
        message = f"{codes.RECORD_BUSY.title} at {self.where}: others kept writing to it"
        raise StateError(Diagnostic(codes.RECORD_BUSY, message))

    def replace(self, record: Record) -> None:
        """Put a whole state in the place of the one that was read; else StateError."""
        expected = None if self._read is None else self._read[1]
        try:
            version = self._store.write(Part.RECORD, encode(record, self._keys), expected)
        except Overtaken:
            message = (
                f"{codes.RECORD_OTHER.title} at {self.where}: it was written since it was read"
            )
            raise StateError(Diagnostic(codes.RECORD_OTHER, message)) from None
        self._read = (record, version)

    def unwritten(self) -> bytes | None:
        """Return the document of the state as it should be, if a write of it has failed."""
        return None if self._unwritten is None else encode(self._unwritten, self._keys)

    @cached_property
    def journal(self) -> SharedJournal:
        """The journal, for reading it without a lock; closed with the state."""
        return self._opened(SharedJournal(self._desk, self._journal))

    def journal_under(self, lease: Lease) -> SharedJournal:
        """Return the journal as the run that took this lock writes it; closed with the state.

        Once the lock is lost, intents, `start` and `finish` raise StateError.
        """
        assert isinstance(lease, SharedLease)
        return self._opened(SharedJournal(self._desk, self._journal, lease))

    def records_under(self, lease: Lease) -> SharedRecords:
        """Return the state as the run that took this lock writes it."""
        assert isinstance(lease, SharedLease)
        return SharedRecords(self, lease)

    def lease(
        self,
        holder: Holder,
        *,
        patience: float = 0.0,
        waiting: Callable[[Holder], None] = nobody_waits,
    ) -> SharedLease:
        """Take the lock for as long as the returned context lasts; LeaseHeld if another has it.

        StateError where there is no state: a lock must not make a place look like one.
        """
        if self._store.read(Part.RUN) is None and self._present() is None:
            raise self._missing()
        return SharedLease.acquire(
            self._desk, self.where, holder, patience=patience, waiting=waiting
        )

    def holder(self) -> Holder | None:
        """Return who has the lock now; an expired one and a dead process have none."""
        return Watch(Clocks()).holder(self._desk.read())

    def unlock(self, holder: Holder) -> bool:
        """Take the lock away from exactly this holder; False if it is no longer theirs."""
        return unlock(self._desk, holder)

    def _missing(self) -> StateError:
        message = f"{codes.RECORD_MISSING.title} at {self.where}: there is none yet"
        return StateError(Diagnostic(codes.RECORD_MISSING, message))

    def _present(self) -> tuple[Record, str] | None:
        stored = self._store.read(Part.RECORD)
        if stored is None:
            return None
        record = decode(stored.data, self.where, self._keys, plain=self._plain)
        return record, stored.version

    def _reread(self, lineage: str, lease: SharedLease | None) -> tuple[Record, str]:
        """Read what somebody else has written; it must be the same state, and the turn ours."""
        if lease is not None:
            lease.require(self._desk.read())
        present = self._present()
        if present is None or present[0].lineage != lineage:
            reason = "it was removed" if present is None else "it was replaced by another one"
            message = f"{codes.RECORD_OTHER.title} at {self.where}: {reason} since it was read"
            raise StateError(Diagnostic(codes.RECORD_OTHER, message))
        self._read = present
        return present

    def _opened(self, journal: SharedJournal) -> SharedJournal:
        self._journals.append(journal)
        return journal


@dataclass(frozen=True, slots=True)
class SharedRecords:
    """The state as one run may write it: only while the lock is its own."""

    state: SharedState
    lease: SharedLease

    def write(self, changed: Changes, application_ids: Mapping[str, str]) -> int:
        """Set the entries of some devices, as SharedState.write does."""
        return self.state.write(changed, application_ids, self.lease)


def _changed(record: Record, changed: Changes, application_ids: Mapping[str, str]) -> Record:
    entries = sorted({**record.devices, **changed}.items())
    return replace(
        record,
        serial=record.serial + 1,
        devices={id_: entry for id_, entry in entries if entry is not None},
        application_ids={**record.application_ids, **application_ids},
    )
