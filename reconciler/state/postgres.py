"""A store in a table of PostgreSQL: `state: {backend: postgres, url: ${RECONCILER_STATE_URL}}`.

Promises: a write is one statement, thus one transaction, that finds the expected version or changes
nothing; whoever only reads needs no more than SELECT; no message holds a user or a password.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from os import dup, environ
from threading import Lock, Timer
from typing import TYPE_CHECKING, Final

from reconciler.core.failures import StateError
from reconciler.core.state_backends import PostgresBackend

from .store import Overtaken, Part, Store, StoreContext, Stored, denied, out_of_reach, unusable

if TYPE_CHECKING:
    from psycopg import Connection, Error
    from psycopg.rows import TupleRow

_TABLE: Final = (
    "create table if not exists reconciler_state (name text, part text, version bigint not null, "
    "data bytea not null, written timestamptz not null default now(), primary key (name, part))"
)
_READ: Final = "select version, data from reconciler_state where name = %s and part = %s"
# Counts on from the clock: a part that is made anew, after someone removed it, does not come back
# to a version that a run of before still holds.
_INSERT: Final = (
    "insert into reconciler_state (version, data, name, part) values "
    "((extract(epoch from clock_timestamp()) * 1000000)::bigint, %b, %s, %s) "
    "on conflict do nothing returning version"
)
_UPDATE: Final = (
    "update reconciler_state set version = version + 1, data = %b, written = now() "
    "where name = %s and part = %s and version = %s returning version"
)

# Whatever libpq would read otherwise than we do is refused, so that no piece of a password that
# was not percent-encoded is taken for a host or a database and printed.
_URL: Final = re.compile(
    r"postgres(?:ql)?://(?:[^@/?]*@)?(?P<hosts>[\w.,%:\[\]-]*)(?P<database>/[^@/?#]*)?(?:\?[^@]*)?"
)
_VERSION: Final = re.compile(r"[0-9]{1,18}")
_LONGEST: Final = 200

# A server that turns a connection away tells libpq a code, and libpq tells us the text only.
_REFUSALS: Final = re.compile(
    r"authentication failed|no password supplied|pg_hba\.conf|is not permitted to log in"
    r"|permission denied|role .* does not exist"
)
_NO_DATABASE: Final = re.compile(r"database .* does not exist")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds: to be connected, for a statement, and of it for a row that another one holds.

    `connect` counts in whole seconds and from two up.
    """

    connect: float = 5.0
    statement: float = 30.0
    lock: float = 15.0


@dataclass(frozen=True, slots=True)
class _Session:
    connection: Connection[TupleRow]
    line: socket.socket
    hidden: tuple[str, ...]

    def close(self) -> None:
        self.connection.close()
        self.line.close()


class PostgresStore:
    """The parts of one name in a database; threads may share it, and take turns.

    Connects when it is first used, and anew after the connection was lost. Raises StateError if
    `url` is none of PostgreSQL.
    """

    def __init__(self, url: str, name: str = "default", timeouts: Timeouts | None = None) -> None:
        self.where = _where(url)
        self._url = url
        self._name = name
        self._timeouts = timeouts or Timeouts()
        self._turn = Lock()
        self._session: _Session | None = None

    def read(self, part: Part) -> Stored | None:
        with self._turn, self._told():
            from psycopg.errors import UndefinedTable

            try:
                row = self._row(_READ, self._name, part.value)
            except UndefinedTable:
                return None
            return None if row is None else Stored(bytes(row[1]), str(row[0]))

    def write(self, part: Part, data: bytes, expected: str | None) -> str:
        with self._turn, self._told():
            if expected is None:
                row = self._inserted(data, part)
            else:
                row = self._updated(data, part, expected)
        if row is None:
            raise Overtaken
        return str(row[0])

    def close(self) -> None:
        with self._turn:
            self._leave()

    def _inserted(self, data: bytes, part: Part) -> TupleRow | None:
        from psycopg.errors import UndefinedTable

        try:
            return self._row(_INSERT, data, self._name, part.value)
        except UndefinedTable:
            self._make_table()
            return self._row(_INSERT, data, self._name, part.value)

    def _updated(self, data: bytes, part: Part, expected: str) -> TupleRow | None:
        from psycopg.errors import UndefinedTable

        if not _VERSION.fullmatch(expected):
            return None
        try:
            return self._row(_UPDATE, data, self._name, part.value, int(expected))
        except UndefinedTable:
            return None

    def _make_table(self) -> None:
        from psycopg.errors import DuplicateObject, DuplicateTable, UniqueViolation

        # "if not exists" looks before it makes: of two at once one may run into the catalogue.
        with suppress(DuplicateTable, DuplicateObject, UniqueViolation):
            self._row(_TABLE)

    def _row(self, statement: str, *values: object) -> TupleRow | None:
        """Run one statement in a transaction of its own; return its first row, if it has any."""
        session = self._connected()
        with self._cut_off(session.line):
            cursor = session.connection.execute(statement.encode(), values or None, binary=True)
            return None if cursor.description is None else cursor.fetchone()

    @contextmanager
    def _cut_off(self, line: socket.socket) -> Iterator[None]:
        """Bring a statement to its end that the server, frozen or gone, does not bring to one.

        The server's own time-outs cannot be relied on for that, nor can those of TCP: a frozen
        process has a kernel that goes on acknowledging.
        """
        timer = Timer(self._timeouts.statement + self._timeouts.connect, _hang_up, (line,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _connected(self) -> _Session:
        if self._session is not None and self._session.connection.closed:
            self._leave()
        if self._session is None:
            self._session = self._connect()
        return self._session

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _connect(self) -> _Session:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        ours: dict[str, str | int] = {
            "connect_timeout": round(self._timeouts.connect),
            "application_name": "reconciler",
            "client_encoding": "utf8",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": round(self._timeouts.statement * 1000),
        }
        given = conninfo_to_dict(self._url)
        # The later one of two settings counts: what the user says goes before what we say.
        options = (
            f"-c statement_timeout={round(self._timeouts.statement * 1000)} "
            f"-c lock_timeout={round(self._timeouts.lock * 1000)} "
            f"{given.get('options') or environ.get('PGOPTIONS', '')}"
        ).strip()
        # Nothing is prepared, as a pooler may give each statement another connection.
        connection = psycopg.connect(
            make_conninfo("", **{**ours, **given, "options": options}),
            autocommit=True,
            prepare_threshold=None,
        )
        line = socket.socket(fileno=dup(connection.fileno()))
        secrets = (connection.pgconn.user, connection.pgconn.password)
        return _Session(connection, line, _hidden(*secrets))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in our words what the driver raises. Nothing of its own goes on with it."""
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            raise self._failure(error) from None

    def _failure(self, error: Error) -> StateError:
        from psycopg import errors

        hidden = self._session.hidden if self._session is not None else ()
        text = str(error)
        if error.pgconn is not None:
            hidden = _hidden(error.pgconn.user, error.pgconn.password)
        reason = _line(error.diag.message_primary or text, error.sqlstate, hidden)
        match error:
            case (
                errors.InvalidPassword()
                | errors.InvalidAuthorizationSpecification()
                | errors.InsufficientPrivilege()
                | errors.ReadOnlySqlTransaction()
            ):
                return denied(self.where, reason)
            case errors.InvalidCatalogName():
                return unusable(self.where, reason)
            case errors.OperationalError() if error.sqlstate is None and _REFUSALS.search(text):
                return denied(self.where, reason)
            case errors.OperationalError() if error.sqlstate is None and _NO_DATABASE.search(text):
                return unusable(self.where, reason)
            case errors.OperationalError() if error.pgconn and error.pgconn.needs_password:
                return denied(self.where, reason)
            case errors.OperationalError() | errors.InterfaceError() | errors.InternalError():
                return out_of_reach(self.where, reason)
            case errors.ProgrammingError() if error.sqlstate is None:
                # Its text repeats pieces of the URL.
                return unusable(self.where, "libpq does not understand the URL")
            case _:
                return unusable(self.where, reason)


class StorePerPart:
    """Opens a store, and with it a connection, for each part.

    The run part carries the heart-beat of a lock; behind the upload of a large record it would
    expire.
    """

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._stores = {part: open_store() for part in Part}
        self.where = self._stores[Part.RECORD].where

    def read(self, part: Part) -> Stored | None:
        return self._stores[part].read(part)

    def write(self, part: Part, data: bytes, expected: str | None) -> str:
        return self._stores[part].write(part, data, expected)

    def close(self) -> None:
        for store in self._stores.values():
            store.close()


def open_postgres_store(backend: PostgresBackend, context: StoreContext) -> Store:
    """Return the store of these settings, without connecting.

    Raises StateError if the URL is none of PostgreSQL, and what the context raises.
    """
    url = context.resolve(backend.url)
    if backend.url.text == url:
        context.require_trusted(backend.url, url)
    return StorePerPart(lambda: PostgresStore(url, backend.name))


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _where(url: str) -> str:
    """Return the address that may be shown: scheme, hosts and database."""
    matched = _URL.fullmatch(url) if url.isprintable() else None
    if matched is None:
        raise unusable(
            "postgres",
            "the URL is not of the form postgres://user@host:port/database (percent-encode what is "
            "neither a letter nor a digit in user and password)",
        )
    return f"postgres://{matched['hosts']}{matched['database'] or ''}"


def _hidden(*secrets: bytes | None) -> tuple[str, ...]:
    return tuple(secret.decode("utf-8", "replace") for secret in secrets if secret)


def _line(text: str, sqlstate: str | None, hidden: tuple[str, ...]) -> str:
    """Return the first line of a message, of a refused connection what follows its address."""
    line = text.strip().partition("\n")[0].rpartition(" failed: ")[2]
    for secret in hidden:
        line = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "…", line)
    line = "".join(letter if letter.isprintable() else " " for letter in line)
    line = " ".join(line.split())[:_LONGEST] or "no answer"
    return line if sqlstate is None else f"{line} ({sqlstate})"
