"""Power that fails between any two bytes: the state is exactly as before a transaction, or after.

What the disk may hold then follows from what was synced: the journal is, before a page of the file
is written; the file is, before the journal is emptied. What was written since a sync may be there,
missing, or torn. Each test takes bytes in the middle of a real transaction and makes such disks.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from reconciler.core.record import RecordedDevice
from reconciler.core.report import Outcome
from reconciler.state.database import Database
from reconciler.state.lease import Holder
from reconciler.state.local import LocalState
from tests.changed import replace

MAGIC: Final = bytes.fromhex("d9d505f920a163d7")
HOLDER: Final = Holder("ana", "build-7", os.getpid(), None, datetime(2027, 3, 31, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Disk:
    """The bytes of the state's file and of SQLite's rollback journal beside it."""

    file: bytes
    journal: bytes

    def put(self, path: Path) -> None:
        path.write_bytes(self.file)
        path.with_name(f"{path.name}-journal").write_bytes(self.journal)


@dataclass(frozen=True, slots=True)
class Segment:
    """Records of the journal that are synced together; `count` is 0 until they were."""

    start: int
    count: int
    nonce: int
    pages: int
    sector: int
    page: int

    @property
    def end(self) -> int:
        return self.start + self.sector + self.count * (self.page + 8)


def segments(journal: bytes) -> Iterator[Segment]:
    """Read the headers of a rollback journal; the mark of the last one is written by its sync."""
    start = 0
    while len(journal) - start >= 28:
        segment = Segment(start, *struct.unpack_from(">5I", journal, start + 8))
        assert journal[start : start + 8] == (MAGIC if segment.count else bytes(8))
        yield segment
        if segment.count == 0:
            return
        start = -(-segment.end // segment.sector) * segment.sector


def synced(journal: bytes) -> int:
    """Return how many bytes of a journal are surely on the disk."""
    return max((segment.end for segment in segments(journal) if segment.count), default=0)


def completed(journal: bytes, before: bytes, after: bytes) -> bytes:
    """Return a journal as the commit syncs it, before it writes to the file: each page is in it."""
    *_, last = segments(journal)
    assert last.count == 0, "the commit would begin a new segment"
    length = last.page + 8
    start = last.start + last.sector
    records = [journal[at : at + length] for at in range(start, len(journal), length)]
    kept = {
        struct.unpack_from(">I", journal, at)[0]
        for segment in segments(journal)
        for at in range(
            segment.start + segment.sector, segment.end if segment.count else len(journal), length
        )
    }
    for number in sorted(changed(before, after, last.page) - kept):
        page = before[(number - 1) * last.page : number * last.page]
        if page:
            check = last.nonce + sum(page[at] for at in range(last.page - 200, 0, -200))
            records.append(struct.pack(">I", number) + page + struct.pack(">I", check & 0xFFFFFFFF))
    header = MAGIC + struct.pack(">I", len(records)) + journal[last.start + 12 : start][:16]
    return journal[: last.start] + header.ljust(last.sector, b"\0") + b"".join(records)


def changed(before: bytes, after: bytes, size: int) -> set[int]:
    """Return the numbers of the pages that differ, from 1."""
    return {
        at // size + 1
        for at in range(0, len(after), size)
        if before[at : at + size] != after[at : at + size]
    }


def half_written(before: bytes, after: bytes, size: int, chance: random.Random) -> bytes:
    """Return a file of which each changed page is old, new, or torn in the middle."""
    end = chance.randrange(len(before), len(after) + 1) if len(after) > len(before) else len(after)
    made = bytearray(before.ljust(len(after), b"\0"))
    for number in changed(before, after, size):
        at = (number - 1) * size
        torn = chance.choice([0, size, chance.randrange(size), chance.randrange(1, 8) * 512])
        made[at : at + torn] = after[at : at + torn]
    return bytes(made[:end])


def content(path: Path) -> list[object]:
    """Return everything that a state holds, as our own opening finds it."""
    database = Database.open(path, create=False)
    try:
        with database.reading() as connection:
            assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
            schema = connection.execute("SELECT * FROM sqlite_schema").fetchall()
            tables = [row[1] for row in schema if row[0] == "table"]
            return [
                *connection.execute("PRAGMA user_version"),
                *((row[1], row[4]) for row in schema),
                *(
                    (table, connection.execute(f'SELECT * FROM "{table}"').fetchall())
                    for table in tables
                ),
            ]
    finally:
        database.close()


Act = Callable[[LocalState], None]


def taken_down(path: Path, act: Act) -> tuple[Disk, list[Disk], Disk]:
    """Return the disk before an act, at each of its statements, and after it."""
    beside = path.with_name(f"{path.name}-journal")
    moments: list[Disk] = []
    # Closing any descriptor of the file would drop the locks of SQLite: this one stays open.
    descriptor = os.open(path, os.O_RDONLY)

    def now() -> Disk:
        return Disk(os.pread(descriptor, 1 << 26, 0), beside.read_bytes())

    def look(_: str) -> None:
        if beside.stat().st_size:
            moments.append(now())

    with LocalState.open(path, create=False) as state:
        before = now()
        connection = state._database._connection
        # So few pages in memory make SQLite write to the file long before the commit.
        connection.execute("PRAGMA cache_size = 5")
        connection.set_trace_callback(look)
        act(state)
        connection.set_trace_callback(None)
        after = now()
    os.close(descriptor)
    assert moments
    return before, moments, after


def entry(number: int, value: str) -> RecordedDevice:
    return RecordedDevice(f"device-{number:04}", "courier", {"owner": (value * 40,)})


def write_record(state: LocalState) -> None:
    """Change, forget and add many entries at once."""
    changes: dict[str, RecordedDevice | None] = {
        f"device-{number:04}": entry(number, "after") for number in range(0, 400, 2)
    }
    state.write(changes | {f"device-{number:04}": None for number in range(1, 400, 8)}, {"b": "2"})


def write_intents(state: LocalState) -> None:
    """Note a batch of calls about to be made."""

    async def all_of_them() -> None:
        await asyncio.gather(*(state.journal.intent("p", f"update/{n}") for n in range(60)))

    asyncio.run(all_of_them())
    state.journal.close()


def write_outcome(state: LocalState) -> None:
    """Note what became of one call."""
    asyncio.run(state.journal.outcome("p", "update/sent", Outcome.APPLIED))
    state.journal.close()


def take_lease(state: LocalState) -> None:
    """Take the lock."""
    state.lease(replace(HOLDER, who="ivo"))


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A state with 400 entries and a plan half done."""
    path = tmp_path / "state.db"
    with LocalState.open(path, create=True) as state:
        state.write({f"device-{n:04}": entry(n, "before") for n in range(400)}, {"a": "1"})
        state.journal.start("p")
        asyncio.run(state.journal.intent("p", "update/sent"))
    return path


ACTS: Final = [write_record, write_intents, write_outcome, take_lease]
acts = pytest.mark.parametrize("act", ACTS)


@acts
def test_a_journal_cut_or_garbled_anywhere(record: Path, tmp_path: Path, act: Act) -> None:
    """While the file is untouched, any beginning of the journal, with any rubbish behind it."""
    chance = random.Random(4711)
    expected = content(record)
    before, moments, after = taken_down(record, act)
    copy = tmp_path / "copy.db"
    journals = [moment.journal for moment in chance.sample(moments, min(len(moments), 2))]
    for whole in [*journals, completed(moments[-1].journal, before.file, after.file)]:
        edges = [at for one in segments(whole) for at in (one.start, one.end)]
        cuts = {max(0, min(len(whole), at + by)) for at in edges for by in (-1, 0, 1)}
        cuts |= {chance.randrange(len(whole) + 1) for _ in range(8)}
        for cut in sorted(cuts):
            for rubbish in (b"", bytes(len(whole) - cut), chance.randbytes(len(whole) - cut)):
                Disk(before.file, whole[:cut] + rubbish).put(copy)

                assert expected == content(copy), (cut, len(whole))


@acts
def test_a_file_half_written(record: Path, tmp_path: Path, act: Act) -> None:
    """While the journal is whole, any page of the file old, new, or torn; and any end of it."""
    chance = random.Random(815)
    expected = content(record)
    before, moments, after = taken_down(record, act)
    copy = tmp_path / "copy.db"
    size = int.from_bytes(before.file[16:18])
    spilled = [moment for moment in moments if synced(moment.journal)]
    disks = [
        # What was not synced with the journal so far may be cut anywhere.
        Disk(
            half_written(before.file, moment.file, size, chance),
            moment.journal[: chance.randrange(synced(moment.journal), len(moment.journal) + 1)],
        )
        for moment in chance.sample(spilled, min(len(spilled), 60))
    ]
    journal = completed(moments[-1].journal, before.file, after.file)
    disks += [Disk(half_written(before.file, after.file, size, chance), journal) for _ in range(60)]
    disks += [Disk(before.file, journal), Disk(after.file, journal)]
    for disk in disks:
        disk.put(copy)

        assert expected == content(copy)


@acts
def test_after_the_commit_it_is_there(record: Path, tmp_path: Path, act: Act) -> None:
    """Once the write has returned, the file alone is the whole truth, journal or not."""
    before, _, after = taken_down(record, act)
    assert b"" == after.journal
    copy = tmp_path / "copy.db"
    with_journal = content(record)
    for journal in (b"", bytes(4096)):
        Disk(after.file, journal).put(copy)
        assert with_journal == content(copy)
    copy.with_name("copy.db-journal").unlink()
    assert with_journal == content(copy)
    Disk(before.file, b"").put(copy)
    assert with_journal != content(copy)


def test_a_record_that_was_only_begun(tmp_path: Path) -> None:
    """Power that fails while the file is made leaves one from which a state is made again."""
    path, copy = tmp_path / "state.db", tmp_path / "copy.db"
    LocalState.open(path, create=True).close()
    whole = path.read_bytes()
    for file in (b"", whole[:1], whole[:4096], whole[:5000], whole):
        # The first transaction found no page to keep: its journal says that there were none.
        header = MAGIC + struct.pack(">5I", 0, 7, 0, 512, 4096)
        Disk(file, header.ljust(512, b"\0")).put(copy)
        with LocalState.open(copy, create=True) as state:
            assert 0 == state.read().serial
        shutil.rmtree(copy, ignore_errors=True)


def test_the_spill_is_real(record: Path) -> None:
    """The tests above meet what they are about: pages in the file before the commit."""
    before, moments, _ = taken_down(record, write_record)

    assert any(moment.file != before.file for moment in moments)
    assert max(len(list(segments(moment.journal))) for moment in moments) > 1


def test_the_disk_is_asked_for_what_the_tests_assume(record: Path) -> None:
    """A rollback journal that is emptied at a commit, and every sync on the way."""
    database = Database.open(record, create=False)
    with database.reading() as connection:
        asked = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "fullfsync")
        ]
    database.close()

    assert ["truncate", 2, 1] == asked
