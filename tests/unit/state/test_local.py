"""The local file: who may read it, what survives, and what is said of files that are not ours."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest

from reconciler.core.failures import StateError
from reconciler.core.record import RecordedDevice
from reconciler.state.lease import Holder
from reconciler.state.local import LocalState

ME = Holder("ana", "build-7", os.getpid(), None, datetime(2027, 3, 31, 12, 0, 5, tzinfo=UTC))
ENTRY = RecordedDevice("a", "courier", {"isPrimary": ("11",)})


def failure(path: Path, *, create: bool = False) -> tuple[str, str]:
    """Open and read, which must fail; return the code and the message."""
    with pytest.raises(StateError) as raised, LocalState.open(path, create=create) as state:
        state.read()
    diagnostic = raised.value.diagnostic
    assert str(raised.value) == diagnostic.message
    return diagnostic.code.id, diagnostic.message


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A state with one entry."""
    path = tmp_path / "state.db"
    with LocalState.open(path, create=True) as state:
        state.write({"a": ENTRY}, {})
    return path


def test_only_its_user_may_read_the_file(tmp_path: Path) -> None:
    """The key stands in it: 0600, and 0700 for a directory that had to be made."""
    path = tmp_path / ".reconciler" / "state.db"
    was = os.umask(0)
    try:
        LocalState.open(path, create=True).close()
    finally:
        os.umask(was)

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)


def test_one_file_is_the_whole_record(made: Path) -> None:
    """Nothing beside it holds a part of the truth, not even while it is open."""
    with LocalState.open(made, create=False) as state:
        state.write({"b": RecordedDevice("b", "courier", {})}, {})
        beside = [path for path in made.parent.iterdir() if path != made and path.stat().st_size]

        assert [] == beside


def test_a_name_with_the_marks_of_an_address_is_a_plain_name(tmp_path: Path) -> None:
    """`?`, `#` and `%` in a path are no options of SQLite."""
    path = tmp_path / "a b?mode=memory#%41.db"
    LocalState.open(path, create=True).close()

    assert path.exists()


def test_a_missing_record_is_not_made_unasked(tmp_path: Path) -> None:
    """Without `create` a missing file is an error, and is still missing after."""
    path = tmp_path / "state.db"

    assert ("E601", f"No state in {path}: there is no state") == failure(path)
    assert not path.exists()


def test_an_empty_file_becomes_a_record(tmp_path: Path) -> None:
    """It is what a run leaves that was killed between making the file and filling it."""
    path = tmp_path / "state.db"
    path.touch()

    assert "E603" == failure(path)[0]
    with LocalState.open(path, create=True) as state:
        assert 0 == state.read().serial


def test_two_may_make_it_at_once(tmp_path: Path) -> None:
    """Whoever comes while another makes the file finds a state, never half of one."""
    barrier = Barrier(3)

    def make(_: int) -> list[str]:
        found = []
        for number in range(60):
            barrier.wait()
            with LocalState.open(tmp_path / f"{number}.db", create=True) as state:
                found.append(state.read().lineage)
        return found

    with ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(make, range(3))

    assert [first, first] == others


def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    """Neither a text file nor the database of another program is touched."""
    text = tmp_path / "notes.txt"
    text.write_text("not a database, and long enough to have a header of one " * 20)
    foreign = tmp_path / "other.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = [text.read_bytes(), foreign.read_bytes()]

    assert ["E603", "E603"] == [failure(path, create=True)[0] for path in (text, foreign)]
    assert before == [text.read_bytes(), foreign.read_bytes()]


def test_a_record_of_a_newer_format_is_refused(made: Path) -> None:
    """The message names both formats."""
    with sqlite3.connect(made) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()

    assert (
        "E604",
        f"State of a newer reconciler in {made}: written in format 7, this reconciler knows 3",
    ) == failure(made)


def test_a_record_of_the_first_format_is_brought_up_to_date(made: Path) -> None:
    """With what stood in it, in one transaction; a reconciler that cannot fence refuses it then."""
    with LocalState.open(made, create=False) as state:
        before = state.read()
    with sqlite3.connect(made) as connection:
        connection.execute("ALTER TABLE lease DROP COLUMN ticks")
        connection.execute("ALTER TABLE calls DROP COLUMN run")
        connection.execute("ALTER TABLE devices DROP COLUMN model")
        connection.execute("INSERT INTO plans VALUES ('p', '2027-03-31T12:00:05+00:00', NULL)")
        connection.execute("INSERT INTO calls VALUES ('p', 'update/a', 'applied')")
        connection.execute("PRAGMA user_version = 1")
    connection.close()

    for _ in range(2):
        with LocalState.open(made, create=False) as state:
            state.lease(ME).release()
            assert (before, {"update/a"}) == (state.read(), state.journal.done("p"))
    with contextlib.closing(sqlite3.connect(made)) as connection:
        assert (3,) == connection.execute("PRAGMA user_version").fetchone()


def test_the_lease_of_an_older_reconciler_counts(made: Path) -> None:
    """It notes no ticks: then the clock has to tell, and a clock set back is no reason to wait."""
    with LocalState.open(made, create=False) as state:
        lease = state.lease(ME)
        with sqlite3.connect(made) as connection:
            connection.execute("UPDATE lease SET ticks = NULL")
        connection.close()
        assert ME == state.holder()
        with sqlite3.connect(made) as connection:
            connection.execute("UPDATE lease SET beat = beat - 31")
        connection.close()
        assert state.holder() is None
        lease.release()


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE devices SET fields = 'torn'",
        "UPDATE devices SET fields = '{\"isPrimary\": [1]}'",
        "UPDATE devices SET on_remove = 'burn'",
        "UPDATE about SET key = x'00'",
        "DELETE FROM about",
        "DROP TABLE devices",
        "PRAGMA user_version = 0",
    ],
)
def test_content_that_we_cannot_have_written_is_named(made: Path, harm: str) -> None:
    """Whatever does not read as a state is a damaged record, never a crash."""
    with sqlite3.connect(made) as connection:
        connection.execute(harm)
    connection.close()

    assert "E605" == failure(made)[0]


def test_a_damaged_file_is_named(made: Path) -> None:
    """Overwritten in the middle, and cut short."""
    whole = made.read_bytes()
    made.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    overwritten = failure(made)[0]
    made.write_bytes(whole[:5000])

    assert ["E605", "E605"] == [overwritten, failure(made)[0]]


def test_a_directory_in_its_place_is_out_of_reach(tmp_path: Path) -> None:
    """What the operating system refuses is told in its words."""
    assert ("E602", f"The state cannot be used in {tmp_path}: Is a directory") == failure(
        tmp_path, create=True
    )
    assert "E602" == failure(tmp_path)[0]


def test_a_write_is_whole_or_not_there(made: Path) -> None:
    """A process killed inside a write leaves the state as it was before."""
    script = (
        "import os, sys; from pathlib import Path\n"
        "from reconciler.state.database import Database\n"
        "database = Database.open(Path(sys.argv[1]), create=False)\n"
        "with database.writing() as connection:\n"
        "    connection.execute('PRAGMA cache_spill = 1')\n"
        "    connection.execute('PRAGMA cache_size = 1')\n"
        "    connection.execute('DELETE FROM devices')\n"
        "    connection.executemany('INSERT INTO devices VALUES (?, ?, ?, NULL, 0, NULL)',\n"
        "        [(str(n), 'x', '{}') for n in range(5000)])\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    with LocalState.open(made, create=False) as state:
        before = state.read()

    ended = subprocess.run([sys.executable, "-c", script, str(made)], check=False)

    assert -9 == ended.returncode
    with LocalState.open(made, create=False) as state:
        assert before == state.read()
