"""The store in a directory: what stands on the disk, who waits, and what a killed writer leaves."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from shutil import rmtree

import pytest
from filelock import FileLock

from reconciler.core import codes
from reconciler.core.diagnostics import Code
from reconciler.core.failures import StateError
from reconciler.state import directory
from reconciler.state.directory import DirectoryStore
from reconciler.state.retrying_store import RetryingStore
from reconciler.state.store import OutOfReach, Overtaken, Part

NOBODY = 65534


def refused(do: Callable[[], object], code: Code) -> str:
    """Return the message of the error, which has the code."""
    with pytest.raises(StateError) as caught:
        do()
    message = caught.value.diagnostic.message
    assert code == caught.value.diagnostic.code, message
    assert isinstance(caught.value, OutOfReach) == (code == codes.STORE_OUT_OF_REACH)
    assert message.isprintable()
    return message


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A directory that every user gets to, unlike those of pytest."""
    made = Path(tempfile.mkdtemp(prefix="reconciler-"))
    made.chmod(0o755)
    yield made
    rmtree(made)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Let permissions count although the tests may run as root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def test_what_is_made_is_the_owners(tmp_path: Path) -> None:
    """Directories 0700 and files 0600, whatever the umask; what was there stays as it is."""
    there = tmp_path / "there"
    there.mkdir(0o755)
    there.chmod(0o755)
    place = there / "one" / "two"
    before = os.umask(0)
    try:
        DirectoryStore(place).write(Part.RECORD, b"{}", None)
    finally:
        os.umask(before)

    assert [0o755, 0o700, 0o700] == [mode(path) for path in (there, place.parent, place)]
    assert {"record.json": 0o600, ".record.lock": 0o600} == {
        path.name: mode(path) for path in place.iterdir()
    }


def test_reading_makes_nothing(tmp_path: Path) -> None:
    """Nor does a write that expects what is not there."""
    store = DirectoryStore(tmp_path / "record")

    assert store.read(Part.RECORD) is None
    with pytest.raises(Overtaken):
        store.write(Part.RECORD, b"{}", "0" * 64)
    assert [] == list(tmp_path.iterdir())


def test_reading_waits_for_nobody(tmp_path: Path) -> None:
    """The lock is the writers' own, and each part's: a beat does not wait for a large record."""
    store = DirectoryStore(tmp_path, patience=0.1)
    store.write(Part.RECORD, b"{}", None)
    with FileLock(tmp_path / ".record.lock"):
        found = store.read(Part.RECORD)
        message = refused(lambda: store.write(Part.RECORD, b"1", None), codes.STORE_OUT_OF_REACH)
        assert store.write(Part.RUN, b"{}", None)

    assert found is not None
    assert found.data == b"{}"
    assert message == (
        f"The state cannot be reached at {tmp_path.as_uri()}: "
        "another process has locked it for 0.1 seconds (.record.lock)"
    )
    assert found == store.read(Part.RECORD)


def test_who_may_only_read_reads(open_to_all: Path) -> None:
    """And is told that writing is denied, at once."""
    store = DirectoryStore(open_to_all)
    version = store.write(Part.RECORD, b"{}", None)
    for file in open_to_all.iterdir():
        file.chmod(0o444)
    open_to_all.chmod(0o555)
    with as_nobody():
        found = store.read(Part.RECORD)
        message = refused(lambda: store.write(Part.RECORD, b"1", version), codes.STORE_DENIED)
    open_to_all.chmod(0o755)

    assert found is not None
    assert message.endswith(": Permission denied (.record.lock)")


def test_what_others_own_is_denied(open_to_all: Path) -> None:
    """A state that is not ours to read is not taken for none; nor is a directory made."""
    if os.geteuid() != 0:
        pytest.skip("needs another user")
    store = DirectoryStore(open_to_all)
    store.write(Part.RECORD, b"{}", None)
    with as_nobody():
        read = refused(lambda: store.read(Part.RECORD), codes.STORE_DENIED)
        below = DirectoryStore(open_to_all / "below")
        made = refused(lambda: below.write(Part.RECORD, b"{}", None), codes.STORE_DENIED)

    assert read.endswith(": Permission denied (record.json)")
    assert made.endswith(": Permission denied (below)")


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    """Neither the place itself nor one above it; and a part is a file."""
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        store = DirectoryStore(place)
        refused(partial(store.read, Part.RECORD), codes.STORE_UNUSABLE)
        refused(partial(store.write, Part.RECORD, b"{}", None), codes.STORE_UNUSABLE)
    (tmp_path / "record.json").mkdir()
    os.mkfifo(tmp_path / "run.json")
    for part in Part:
        message = refused(partial(DirectoryStore(tmp_path).read, part), codes.STORE_UNUSABLE)
        assert message.endswith(f": It is not a regular file ({part.value}.json)")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_full_disk_keeps_the_old_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The error says so; nothing is left beside it, and the next try succeeds."""
    store = DirectoryStore(tmp_path)
    version = store.write(Part.RECORD, b"old", None)

    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        message = refused(
            lambda: store.write(Part.RECORD, b"new", version), codes.STORE_OUT_OF_REACH
        )

    assert message.endswith(f": {os.strerror(number)}")
    assert {".record.lock", "record.json"} == {path.name for path in tmp_path.iterdir()}
    assert (tmp_path / "record.json").read_bytes() == b"old"
    store.write(Part.RECORD, b"new", version)
    assert (tmp_path / "record.json").read_bytes() == b"new"


def test_a_write_that_was_not_synced_is_found_to_be_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new name may not be on the disk; the second try neither writes twice nor is overtaken."""
    store = DirectoryStore(tmp_path)
    version = store.write(Part.RECORD, b"old", None)
    sync, failed = directory._sync, []

    def once(path: Path) -> None:
        if not failed:
            failed.append(path)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(path)

    monkeypatch.setattr(directory, "_sync", once)
    again = RetryingStore(store, unit=0.001).write(Part.RECORD, b"new", version)

    found = store.read(Part.RECORD)
    assert found is not None
    assert (b"new", again) == (found.data, found.version)
    assert [tmp_path] == failed


def test_a_disk_that_is_slow_to_answer_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share that fails twice is no trouble to whoever looks through RetryingStore."""
    store = DirectoryStore(tmp_path)
    store.write(Part.RECORD, b"{}", None)
    content, failures = directory._content, [errno.ESTALE, errno.EIO]

    def sometimes(file: Path) -> bytes | None:
        if failures:
            raise OSError(failures.pop(), "Stale")
        return content(file)

    monkeypatch.setattr(directory, "_content", sometimes)
    found = RetryingStore(store, unit=0.001).read(Part.RECORD)

    assert found is not None
    assert found.data == b"{}"


WRITER = """
import sys
from pathlib import Path
from reconciler.state.directory import DirectoryStore
from reconciler.state.store import Part

store = DirectoryStore(Path(sys.argv[1]))
found = store.read(Part.RECORD)
version = None if found is None else found.version
print("ready", flush=True)
letter = 0
while True:
    version = store.write(Part.RECORD, bytes([97 + letter % 26]) * 2_000_000, version)
    letter += 1
"""


@pytest.mark.parametrize("wait", [0.0, 0.003, 0.011, 0.024, 0.05])
def test_a_killed_writer_leaves_a_whole_part(tmp_path: Path, wait: float) -> None:
    """The old bytes or the new ones; and neither its lock nor its leftovers are in the way."""
    store = DirectoryStore(tmp_path, patience=5)
    store.write(Part.RECORD, b"-" * 2_000_000, None)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(wait)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()

    found = store.read(Part.RECORD)
    assert found is not None
    assert len(found.data) == 2_000_000
    assert found.data == found.data[:1] * 2_000_000
    store.write(Part.RECORD, b"after", found.version)
    assert {".record.lock", "record.json"} == {path.name for path in tmp_path.iterdir()}


def test_a_file_system_without_locks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than written to and hoped for."""

    def none(_: FileLock) -> None:
        raise NotImplementedError

    monkeypatch.setattr(FileLock, "acquire", none)
    store = DirectoryStore(tmp_path)
    message = refused(partial(store.write, Part.RECORD, b"{}", None), codes.STORE_UNUSABLE)

    assert message.endswith(": this file system has no locks")


def test_a_leftover_is_not_followed(tmp_path: Path) -> None:
    """A link at the name of the fresh file is replaced, and where it leads to is left alone."""
    other = tmp_path / "other"
    other.write_bytes(b"mine")
    place = tmp_path / "place"
    place.mkdir()
    (place / ".record.json.new").symlink_to(other)
    DirectoryStore(place).write(Part.RECORD, b"{}", None)

    assert other.read_bytes() == b"mine"
    assert (place / "record.json").read_bytes() == b"{}"
    assert not (place / "record.json").is_symlink()


def test_the_module_loads_no_lock() -> None:
    """Who only reads a directory, or none, does not pay for the library."""
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, reconciler.state.objectstore, reconciler.state.directory\n"
            "print([name for name in ('filelock', 'obstore') if name in sys.modules])",
        ],
        capture_output=True,
        check=True,
        text=True,
    )

    assert loaded.stdout.strip() == "[]"
