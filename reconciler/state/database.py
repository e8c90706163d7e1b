"""One SQLite file: opened, checked to be ours, written in transactions that survive a power cut.

A rollback journal, not a write-ahead log: between two transactions the one file is the whole
truth, so a pipeline that keeps `state.db` after a killed run keeps what that run had done.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reconciler.core import codes
from reconciler.core.diagnostics import Code, Diagnostic
from reconciler.core.failures import StateError

FORMAT: Final = 3
_APPLICATION: Final = 0x52434E43  # "RCNC", in the header of every file that is ours
_HEADER: Final = 100  # bytes, in which SQLite keeps user_version at 60 and application_id at 68
_PATIENCE: Final = 20.0  # seconds to wait for another process to finish its transaction
_SCHEMA: Final = (
    "CREATE TABLE about (lineage TEXT NOT NULL, serial INTEGER NOT NULL, key BLOB NOT NULL)",
    "CREATE TABLE devices (id TEXT PRIMARY KEY, application TEXT NOT NULL, fields TEXT NOT NULL,"
    " on_remove TEXT, protect INTEGER NOT NULL, model TEXT) WITHOUT ROWID",
    "CREATE TABLE applications (name TEXT PRIMARY KEY, application_id TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE lease (only INTEGER PRIMARY KEY CHECK (only = 1), token TEXT NOT NULL,"
    " machine TEXT NOT NULL, who TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL,"
    " run_url TEXT, since TEXT NOT NULL, beat REAL NOT NULL, ticks REAL)",
    "CREATE TABLE plans (id TEXT PRIMARY KEY, started TEXT NOT NULL, finished TEXT) WITHOUT ROWID",
    "CREATE TABLE calls (plan TEXT NOT NULL, call TEXT NOT NULL, outcome TEXT, run TEXT,"
    " PRIMARY KEY (plan, call)) WITHOUT ROWID",
)
# From each earlier format to the next one. A run of an older reconciler does not know that its
# writes have to be fenced, so it must not go on with a state that others rely on.
_UPGRADES: Final = {
    1: (
        "ALTER TABLE lease ADD COLUMN ticks REAL",
        "ALTER TABLE calls ADD COLUMN run TEXT",
    ),
    2: ("ALTER TABLE devices ADD COLUMN model TEXT",),
}


class Database:
    """The file and one connection to it, which one thread at a time may use."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._turn = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, create: bool) -> Database:
        """Open the file, made (0600) when it is not there and `create` says so; else StateError."""
        with _translated(path):
            if create:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                # SQLite would make the file by the umask; the key in it is a secret.
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
                _sync_directory(path.parent)
            elif not path.exists():
                raise StateError(_diagnosed(codes.RECORD_MISSING, path, "there is no state"))
            connection = sqlite3.connect(
                path.absolute().as_uri() + "?mode=rw",
                uri=True,
                timeout=_PATIENCE,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                connection.execute("PRAGMA journal_mode = TRUNCATE")
                connection.execute("PRAGMA synchronous = FULL")
                # macOS answers a plain fsync before the disk has it.
                connection.execute("PRAGMA fullfsync = ON")
                database = cls(path, connection)
                database._check(create=create)
            except BaseException:
                connection.close()
                raise
        return database

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give one consistent view of the file."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the only writer's turn, among all processes; on disk when the block has ended."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._turn, _translated(self.path):
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A failed COMMIT may have ended the transaction by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _check(self, *, create: bool) -> None:
        with self.reading() as connection:
            # As of one moment: another process may be making the file right now.
            application, version, tables = self._marks(connection)
        if create and (application, version, tables) == (0, 0, 0):
            with self.writing() as connection:
                # Another process may have made it since.
                application, version, tables = self._marks(connection)
                if (application, version, tables) == (0, 0, 0):
                    _furnish(connection)
                    application, version = _APPLICATION, FORMAT
        if application != _APPLICATION:
            raise StateError(_diagnosed(codes.RECORD_FOREIGN, self.path, "not a state"))
        if version > FORMAT:
            reason = f"written in format {version}, this reconciler knows {FORMAT}"
            raise StateError(_diagnosed(codes.RECORD_NEWER, self.path, reason))
        if version < FORMAT:
            self._upgrade()

    def _upgrade(self) -> None:
        with self.writing() as connection:
            # Another process may have done it since.
            _, version, _ = self._marks(connection)
            for older in range(version, FORMAT):
                if older not in _UPGRADES:
                    raise damaged(self.path, f"there is no format {older}")
                for statement in _UPGRADES[older]:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {FORMAT}")

    @staticmethod
    def _marks(connection: sqlite3.Connection) -> tuple[int, int, int]:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return application, version, tables


def older_format(path: Path) -> int | None:
    """Return the format of a file of ours that opening would upgrade; None for any other.

    Looks at the header only, and so can be asked before a file is opened that must not change.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except OSError:
        return None
    if len(header) < _HEADER or int.from_bytes(header[68:72], "big") != _APPLICATION:
        return None
    version = int.from_bytes(header[60:64], "big")
    return version if version < FORMAT else None


def _furnish(connection: sqlite3.Connection) -> None:
    for statement in _SCHEMA:
        connection.execute(statement)
    connection.execute(
        "INSERT INTO about VALUES (?, 0, ?)", (str(uuid.uuid4()), secrets.token_bytes(32))
    )
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def _sync_directory(path: Path) -> None:
    """Let a new file's name survive a power cut, as its content does."""
    if os.name != "posix":
        return
    directory = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def damaged(path: Path, reason: str) -> StateError:
    """Return the error for a file that is a state by its header and not by its content."""
    return StateError(_diagnosed(codes.RECORD_DAMAGED, path, reason))


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn what SQLite and the operating system raise into a StateError that says what to do."""
    try:
        yield
    except OSError as error:
        raise StateError(
            _diagnosed(codes.RECORD_OUT_OF_REACH, path, error.strerror or type(error).__name__)
        ) from error
    except sqlite3.ProgrammingError:
        raise  # ours: the file has no part in it
    except sqlite3.Error as error:
        # The primary code; the extended ones carry details in the higher bits.
        number = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        match number:
            case sqlite3.SQLITE_NOTADB:
                code = codes.RECORD_FOREIGN
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                code = codes.RECORD_BUSY
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_ERROR | sqlite3.SQLITE_MISMATCH:
                code = codes.RECORD_DAMAGED
            case _:
                code = codes.RECORD_OUT_OF_REACH
        raise StateError(_diagnosed(code, path, str(error))) from error


def _diagnosed(code: Code, path: Path, reason: str) -> Diagnostic:
    return Diagnostic(code, f"{code.title} in {path}: {reason}")
