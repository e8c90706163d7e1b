"""The store in PostgreSQL, against a server: what breaks on the way, and what is said of it."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from threading import Barrier
from urllib.parse import quote

import psycopg
import pytest

from reconciler.core import codes
from reconciler.core.diagnostics import Code
from reconciler.core.failures import StateError
from reconciler.state.postgres import PostgresStore, Timeouts
from reconciler.state.retrying_store import Steady
from reconciler.state.store import OutOfReach, Overtaken, Part
from tests.stub.postgres import OWNER, PASSWORD, Server, server


@pytest.fixture(name="pg")
def _pg() -> Iterator[Server]:
    """The server, up again whatever the test did to it."""
    running = server()
    yield running
    running.start()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)


def refused(do: Callable[[], object], code: Code) -> str:
    """Return the message of the error, which has the code and keeps every secret."""
    with pytest.raises(StateError) as caught:
        do()
    shown = "".join(traceback.format_exception(caught.value))
    message = caught.value.diagnostic.message
    for piece in (PASSWORD, quote(PASSWORD, safe=""), "hush", "@", OWNER, "role"):
        assert piece not in message
    assert PASSWORD not in shown
    assert "hush" not in shown
    assert caught.value.__suppress_context__
    assert message.isprintable()
    assert code == caught.value.diagnostic.code
    assert isinstance(caught.value, OutOfReach) == (code == codes.STORE_OUT_OF_REACH)
    return message


@contextmanager
def store_of(
    url: str, timeouts: Timeouts | None = None, name: str = "default"
) -> Iterator[PostgresStore]:
    with closing(PostgresStore(url, name, timeouts)) as store:
        yield store


def tables(pg: Server, database: str) -> int:
    with pg.inside(database) as connection:
        row = connection.execute(
            "select count(*) from pg_tables where tablename = 'reconciler_state'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_reading_makes_no_table(pg: Server) -> None:
    """Nor does a write that expects a part; the first one that expects none makes it."""
    database = pg.database()
    with store_of(pg.url(database)) as store:
        assert store.read(Part.RECORD) is None
        with pytest.raises(Overtaken):
            store.write(Part.RECORD, b"{}", "1")
        before = tables(pg, database)
        store.write(Part.RECORD, b"{}", None)

    assert [0, 1] == [before, tables(pg, database)]


def test_names_are_apart(pg: Server) -> None:
    """Several records live in one database."""
    url = pg.url(pg.database())
    with store_of(url, name="one") as one, store_of(url, name="it's two") as two:
        one.write(Part.RECORD, b"1", None)
        two.write(Part.RECORD, b"2", None)
        found = [store.read(Part.RECORD) for store in (one, two)]

    assert [b"1", b"2"] == [part.data for part in found if part is not None]


@pytest.mark.parametrize(
    "expected", ["", "x", "-1", " 1", "1.0", "١", "9" * 19, "9" * 5000, '"etag"', "0"]
)
def test_a_version_of_another_place_is_overtaken(pg: Server, expected: str) -> None:
    """What is no number of ours changes nothing."""
    with store_of(pg.url(pg.database())) as store:
        version = store.write(Part.RECORD, b"1", None)
        with pytest.raises(Overtaken):
            store.write(Part.RECORD, b"2", expected)
        found = store.read(Part.RECORD)

    assert found is not None
    assert (b"1", version) == (found.data, found.version)


def test_a_part_made_anew_has_a_later_version(pg: Server) -> None:
    """A run that still holds the version of before does not overwrite it."""
    database = pg.database()
    with store_of(pg.url(database)) as store:
        first = store.write(Part.RECORD, b"1", None)
        with pg.inside(database) as connection:
            connection.execute("drop table reconciler_state")
        store.write(Part.RECORD, b"2", None)

        with pytest.raises(Overtaken):
            store.write(Part.RECORD, b"3", first)


def test_two_at_once_make_the_table(pg: Server) -> None:
    """Both find none; each writes its part all the same."""
    for _ in range(5):
        url = pg.url(pg.database())
        barrier = Barrier(4)

        def first_write(name: str, url: str = url, barrier: Barrier = barrier) -> bytes | None:
            with store_of(url, name=name) as store:
                store.read(Part.RECORD)
                barrier.wait(60)
                store.write(Part.RECORD, name.encode(), None)
                found = store.read(Part.RECORD)
                return None if found is None else found.data

        with ThreadPoolExecutor(4) as pool:
            assert [b"a", b"b", b"c", b"d"] == list(pool.map(first_write, "abcd"))


def test_a_catalogue_race_is_no_error(pg: Server) -> None:
    """While another one makes the table and has not committed, ours waits, and goes on."""
    database = pg.database()
    with (
        store_of(pg.url(database)) as store,
        pg.inside(database) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        store.read(Part.RECORD)
        with other.transaction():
            other.execute(
                "create table reconciler_state (name text, part text, version bigint not null, "
                "data bytea not null, written timestamptz not null default now(), "
                "primary key (name, part))"
            )
            writing = pool.submit(store.write, Part.RECORD, b"{}", None)
            wait_for_a_lock(pg, database)
        version = writing.result(30)
        found = store.read(Part.RECORD)

    assert found is not None
    assert version == found.version


def wait_for_a_lock(pg: Server, database: str) -> None:
    with pg.inside(database) as connection:
        while True:
            row = connection.execute(
                "select count(*) from pg_stat_activity where datname = current_database() "
                "and application_name = 'reconciler' and wait_event_type = 'Lock'"
            ).fetchone()
            if row is not None and row[0]:
                return


def test_a_heart_beat_and_a_writer_share_a_store(pg: Server) -> None:
    """Threads take turns on one connection."""
    with store_of(pg.url(pg.database())) as store:

        def count_up(part: Part) -> int:
            version = store.write(part, b"0", None)
            for number in range(1, 50):
                version = store.write(part, str(number).encode(), version)
            found = store.read(part)
            assert found is not None
            return int(found.data)

        with ThreadPoolExecutor(2) as pool:
            assert [49, 49] == list(pool.map(count_up, Part))


def test_threads_share_one_connection(pg: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where all of them are the first."""
    connect, barrier = psycopg.connect, Barrier(8)
    made: list[str] = []

    def counted(
        conninfo: str, *, autocommit: bool, prepare_threshold: int | None
    ) -> psycopg.Connection:
        made.append(conninfo)
        return connect(conninfo, autocommit=autocommit, prepare_threshold=prepare_threshold)

    def read(store: PostgresStore) -> None:
        barrier.wait(60)
        store.read(Part.RECORD)

    url = pg.url(pg.database())
    monkeypatch.setattr(psycopg, "connect", counted)
    with store_of(url) as store, ThreadPoolExecutor(8) as pool:
        tuple(pool.map(read, [store] * 8))

    assert 1 == len(made)


def test_a_restarted_server_is_gone_on_with(pg: Server) -> None:
    """Between two writes: the store alone says so once, a steady one does not."""
    with store_of(pg.url(pg.database())) as store:
        steady = Steady(store, unit=0.01)
        first = steady.write(Part.RECORD, b"1", None)
        pg.restart()
        second = steady.write(Part.RECORD, b"2", first)
        pg.restart()
        refused(lambda: store.read(Part.RECORD), codes.STORE_OUT_OF_REACH)
        found = store.read(Part.RECORD)

    assert found is not None
    assert (b"2", second) == (found.data, found.version)


def test_a_killed_connection_is_replaced(pg: Server) -> None:
    """pg_terminate_backend: an administrator, or a fail-over."""
    database = pg.database()
    with store_of(pg.url(database)) as store:
        version = store.write(Part.RECORD, b"1", None)
        kill(pg, database)
        said = refused(lambda: store.write(Part.RECORD, b"2", version), codes.STORE_OUT_OF_REACH)
        version = store.write(Part.RECORD, b"2", version)
        kill(pg, database)
        Steady(store, unit=0.01).write(Part.RECORD, b"3", version)

    assert "terminating connection due to administrator command" in said


def kill(pg: Server, database: str) -> None:
    with pg.inside(database) as connection:
        connection.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity "
            "where datname = current_database() and application_name = 'reconciler'"
        )


def test_a_stopped_server_is_out_of_reach(pg: Server) -> None:
    """For one who comes first, and for one who was there."""
    url = pg.url(pg.database())
    with store_of(url) as store, store_of(url) as late:
        store.read(Part.RECORD)
        pg.stop()
        refused(lambda: store.read(Part.RECORD), codes.STORE_OUT_OF_REACH)
        said = refused(lambda: late.read(Part.RECORD), codes.STORE_OUT_OF_REACH)

    assert said.endswith(f"at {late.where}: Connection refused")


def test_a_frozen_server_is_out_of_reach(pg: Server) -> None:
    """It acknowledges every packet and answers none: no time-out of its own helps."""
    url = pg.url(pg.database())
    short = Timeouts(connect=2.0, statement=0.5)
    with store_of(url, short) as store, store_of(url, short) as late:
        Steady(store).read(Part.RECORD)
        with pg.frozen():
            refused(lambda: store.read(Part.RECORD), codes.STORE_OUT_OF_REACH)
            said = refused(lambda: late.read(Part.RECORD), codes.STORE_OUT_OF_REACH)
        assert Steady(store).read(Part.RECORD) is None

    assert said.endswith("connection timeout expired")


def test_a_held_row_is_waited_for_no_longer_than_said(pg: Server) -> None:
    """lock_timeout ends it, and nothing was written."""
    database = pg.database()
    with store_of(pg.url(database), Timeouts(lock=0.2)) as store, pg.inside(database) as other:
        version = store.write(Part.RECORD, b"1", None)
        with other.transaction():
            other.execute("select * from reconciler_state for update")
            said = refused(
                lambda: store.write(Part.RECORD, b"2", version), codes.STORE_OUT_OF_REACH
            )
        store.write(Part.RECORD, b"2", version)

    assert said.endswith("canceling statement due to lock timeout (55P03)")


def test_a_statement_takes_no_longer_than_said(pg: Server) -> None:
    """statement_timeout ends what lock_timeout does not."""
    database = pg.database()
    timeouts = Timeouts(statement=0.2)
    with store_of(pg.url(database), timeouts) as store, pg.inside(database) as other:
        version = store.write(Part.RECORD, b"1", None)
        with other.transaction():
            other.execute("lock table reconciler_state")
            said = refused(
                lambda: store.write(Part.RECORD, b"2", version), codes.STORE_OUT_OF_REACH
            )

    assert said.endswith("canceling statement due to statement timeout (57014)")


def test_the_user_s_own_settings_count(pg: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Options of the URL, or of the environment, stand beside ours and go before them."""
    database = pg.database()
    with pg.inside(database) as connection:
        connection.execute("create schema apart")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=apart")
    with store_of(pg.url(database)) as store:
        store.write(Part.RECORD, b"1", None)
    monkeypatch.delenv("PGOPTIONS")
    with store_of(f"{pg.url(database)}?options=-c%20search_path%3Dapart") as store:
        found = store.read(Part.RECORD)
    with store_of(pg.url(database)) as store:
        elsewhere = store.read(Part.RECORD)

    assert found is not None
    assert elsewhere is None


def test_the_password_may_come_from_the_environment(
    pg: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGPASSWORD, so that the URL can stand in the project file."""
    url = pg.url(pg.database(), password=None)
    with store_of(url) as store:
        none = refused(lambda: store.read(Part.RECORD), codes.STORE_DENIED)
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
        assert store.read(Part.RECORD) is None

    assert "no password supplied" in none


def test_a_wrong_password_is_denied(pg: Server) -> None:
    """Not tried again; neither the user nor what was tried is told."""
    url = pg.url(pg.database(), password="hush, wrong")
    with store_of(url) as store:
        said = refused(lambda: Steady(store).read(Part.RECORD), codes.STORE_DENIED)

    assert "password authentication failed" in said


def test_a_role_that_may_not_enter_is_denied(pg: Server) -> None:
    """Unknown to the server, or without the right to connect."""
    database = pg.database()
    with pg.inside(database) as connection:
        connection.execute(f"revoke connect on database {database} from public".encode())
    for role in ("role_of_nobody", pg.role()):
        with store_of(pg.url(database, role)) as store:
            refused(partial(store.read, Part.RECORD), codes.STORE_DENIED)


def test_a_reader_reads_and_does_not_write(pg: Server) -> None:
    """SELECT is enough for a plan, before there is a table and after."""
    database, reader = pg.database(), pg.role()
    with store_of(pg.url(database)) as owner, store_of(pg.url(database, reader)) as store:
        assert store.read(Part.RECORD) is None
        making = refused(lambda: store.write(Part.RECORD, b"1", None), codes.STORE_DENIED)
        version = owner.write(Part.RECORD, b"1", None)
        reading = refused(lambda: store.read(Part.RECORD), codes.STORE_DENIED)
        with pg.inside(database) as connection:
            connection.execute(f"grant select on reconciler_state to {reader}".encode())
        found = store.read(Part.RECORD)
        writing = refused(lambda: store.write(Part.RECORD, b"2", version), codes.STORE_DENIED)
        refused(lambda: store.write(Part.RUN, b"2", None), codes.STORE_DENIED)

    assert found is not None
    assert b"1" == found.data
    assert making.endswith("permission denied for schema public (42501)")
    assert writing == reading
    assert writing.endswith("permission denied for table reconciler_state (42501)")


def test_a_read_only_session_is_denied(pg: Server) -> None:
    """As a standby is."""
    database = pg.database()
    url = f"{pg.url(database)}?options=-c%20default_transaction_read_only%3Don"
    with store_of(pg.url(database)) as owner, store_of(url) as store:
        owner.write(Part.RECORD, b"1", None)
        said = refused(lambda: store.write(Part.RUN, b"1", None), codes.STORE_DENIED)

    assert said.endswith("cannot execute INSERT in a read-only transaction (25006)")


def test_a_missing_database_is_unusable(pg: Server) -> None:
    """We make a table, never a database."""
    with store_of(pg.url("nowhere")) as store:
        said = refused(lambda: Steady(store).read(Part.RECORD), codes.STORE_UNUSABLE)

    assert said.endswith(f'127.0.0.1:{pg.port}/nowhere: FATAL: database "nowhere" does not exist')


def test_a_foreign_table_is_unusable(pg: Server) -> None:
    """Somebody else's table of our name is left alone."""
    database = pg.database()
    with pg.inside(database) as connection:
        connection.execute("create table reconciler_state (name text)")
    with store_of(pg.url(database)) as store:
        refused(lambda: store.read(Part.RECORD), codes.STORE_UNUSABLE)
        refused(lambda: store.write(Part.RECORD, b"1", None), codes.STORE_UNUSABLE)


def test_no_schema_to_make_it_in_is_unusable(pg: Server) -> None:
    """The search path leads nowhere."""
    url = f"{pg.url(pg.database())}?options=-c%20search_path%3Dnone"
    with store_of(url) as store:
        assert store.read(Part.RECORD) is None
        refused(lambda: store.write(Part.RECORD, b"1", None), codes.STORE_UNUSABLE)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mysql://owner:hush@host/db",
        "host=h password=hush",
        "postgres://owner:hush@hush@host/db",
        "postgres://owner:hu/sh@host/db",
        "postgres://owner:12?hush@host/db",
        "postgres://owner:12#hush@host:1/x@y",
        "postgres://owner@host:1/db/hush",
        "postgres://owner@host/db?user=a@hush",
        "postgres://owner@host/db\n",
        "postgres://owner@ho st/db",
    ],
)
def test_a_url_half_understood_is_refused(url: str) -> None:
    """A password that was not percent-encoded ends up in no message."""
    with pytest.raises(StateError) as caught:
        PostgresStore(url)
    assert codes.STORE_UNUSABLE == caught.value.diagnostic.code
    message = caught.value.diagnostic.message.replace("user@host", "")
    for piece in ("hush", "owner", "@", "12"):
        assert piece not in message


@pytest.mark.parametrize(
    "url",
    [
        "postgres://owner@host/db?hush=hush",
        "postgres://owner:hush%zz@host/db",
        "postgres://owner:hush@host/db?connect_timeout=hush",
    ],
)
def test_a_url_that_libpq_refuses_is_unusable(url: str) -> None:
    """It repeats pieces of the URL; we do not."""
    with store_of(url) as store:
        said = refused(lambda: store.read(Part.RECORD), codes.STORE_UNUSABLE)

    assert said.endswith("at postgres://host/db: libpq does not understand the URL")


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("postgresql://u:p@h:1/d?sslmode=require", "postgres://h:1/d"),
        ("postgres://h/d", "postgres://h/d"),
        ("postgres://", "postgres://"),
        ("postgres:///d?host=/run/x", "postgres:///d"),
        ("postgres://u:p%40@[::1]:5/d", "postgres://[::1]:5/d"),
        ("postgres://u:p@a:1,b:2/d", "postgres://a:1,b:2/d"),
        ("postgres://%2Frun%2Fx/d", "postgres://%2Frun%2Fx/d"),
    ],
)
def test_the_place_is_named_without_its_secrets(url: str, where: str) -> None:
    """Host, port and database; nothing that says who comes."""
    assert where == PostgresStore(url).where


def test_without_the_driver_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with store_of(f"postgres://{OWNER}:hush@host/db") as store:
        said = refused(lambda: store.read(Part.RECORD), codes.STORE_UNUSABLE)
        assert said == refused(lambda: store.write(Part.RUN, b"", None), codes.STORE_UNUSABLE)

    assert said.endswith("install it with: pip install 'push-reconciler[postgres]'")


def test_the_driver_is_loaded_when_it_is_used() -> None:
    """It costs a tenth of a second at each start."""
    code = (
        "import sys; from reconciler.state.postgres import PostgresStore; "
        "PostgresStore('postgres://h/d').close(); print('psycopg' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )

    assert "False\n" == ran.stdout


def test_a_name_that_postgresql_cannot_hold_is_unusable(pg: Server) -> None:
    """NUL is no letter there."""
    with store_of(pg.url(pg.database()), name="a\0b") as store:
        refused(lambda: store.read(Part.RECORD), codes.STORE_UNUSABLE)


def test_a_lost_race_under_a_stricter_isolation_is_tried_again(pg: Server) -> None:
    """A role may have serializable for its default: the server says so, and we look again."""
    database = pg.database()
    url = f"{pg.url(database)}?options=-c%20default_transaction_isolation%3Dserializable"
    with (
        store_of(url) as store,
        pg.inside(database) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        version = store.write(Part.RECORD, b"1", None)
        with other.transaction():
            other.execute("update reconciler_state set version = version + 1, data = 'other'")
            writing = pool.submit(Steady(store, 0.01).write, Part.RECORD, b"2", version)
            wait_for_a_lock(pg, database)
        with pytest.raises(Overtaken):
            writing.result(30)
