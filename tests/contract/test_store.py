"""What every store does, whatever keeps the bytes: one suite, run once for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from threading import Barrier

import pytest

from reconciler.state.retrying_store import RetryingStore
from reconciler.state.store import Overtaken, Part, Store

from .places import PLACES, Opener


@pytest.fixture(params=PLACES)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """A new, empty place of each kind."""
    opened: Callable[[Path], AbstractContextManager[Opener]]
    opened = import_module(f"{__package__}.places.{request.param}").opened
    with opened(tmp_path) as opener:
        yield opener


def put(store: Store, data: bytes, expected: str | None, part: Part = Part.RECORD) -> str | None:
    """Write; return None instead of raising when somebody else was first."""
    try:
        return store.write(part, data, expected)
    except Overtaken:
        return None


def test_a_new_place_has_no_part(opener: Opener) -> None:
    """And reading makes none."""
    store = opener()

    assert [None] * 4 == [store.read(part) for part in (*Part, *Part)]
    store.close()


def test_what_was_written_is_read_by_others(opener: Opener) -> None:
    """Byte for byte, under the version that the write told; parts are apart."""
    whole = (
        b'{"serial": 1, "bytes": "'
        + bytes(range(32, 127)).replace(b'"', b"").replace(b"\\", b"")
        + b'"}'
    )
    store = opener()
    first = store.write(Part.RECORD, whole, None)
    second = store.write(Part.RUN, b'{"serial": 1}', None)
    other = opener()
    record, run = other.read(Part.RECORD), other.read(Part.RUN)

    assert record is not None
    assert run is not None
    assert (whole, first) == (record.data, record.version)
    assert (b'{"serial": 1}', second) == (run.data, run.version)
    assert where(store) == where(other)
    for one in (store, other):
        one.close()


def where(store: Store) -> str:
    assert store.where
    return store.where


def test_a_part_is_made_once(opener: Opener) -> None:
    """Who expects none and finds one has been overtaken, and changes nothing."""
    store = opener()
    version = put(store, b'{"serial": 1}', None)

    assert version is not None
    assert put(store, b'{"serial": 2}', None) is None
    found = store.read(Part.RECORD)
    assert found is not None
    assert (b'{"serial": 1}', version) == (found.data, found.version)
    store.close()


def test_only_the_version_that_was_read_is_replaced(opener: Opener) -> None:
    """A version is good for one write; an old one and one of nothing are overtaken."""
    store, other = opener(), opener()
    first = put(store, b'{"serial": 1}', None)
    second = put(other, b'{"serial": 2}', first)

    assert second is not None
    assert put(store, b'{"serial": 3, "by": "store"}', first) is None
    assert put(other, b'{"serial": 1}', second, Part.RUN) is None
    found = store.read(Part.RECORD)
    assert found is not None
    assert (b'{"serial": 2}', second) == (found.data, found.version)
    assert put(store, b'{"serial": 3}', second) is not None
    for one in (store, other):
        one.close()


def test_a_large_part_is_kept(opener: Opener) -> None:
    """Some megabytes come back as they were."""
    large = b'{"serial": 1, "content": "' + b"0123456789abcdef" * 400_000 + b'"}'
    store = opener()
    version = store.write(Part.RECORD, large, None)
    found = store.read(Part.RECORD)

    assert found is not None
    assert version == found.version
    assert large == found.data
    store.close()


@pytest.mark.timeout(240)
def test_of_two_writers_at_once_exactly_one_succeeds(opener: Opener) -> None:
    """Twenty times: each adds its name to what it has read; no name is ever lost."""
    barrier = Barrier(2)

    def add(name: str) -> int:
        store, lost = RetryingStore(opener(), unit=0.01), 0
        for number in range(20):
            barrier.wait(60)
            while True:
                found = store.read(Part.RECORD)
                before = b'{"serial": 0, "names": "' if found is None else found.data[:-2]
                serial, _, names = before.partition(b", ")
                count = int(serial.rpartition(b" ")[2]) + 1
                data = b'{"serial": %d, %s %s%d"}' % (count, names, name.encode(), number)
                try:
                    store.write(Part.RECORD, data, None if found is None else found.version)
                    break
                except Overtaken:
                    lost += 1
        store.close()
        return lost

    with ThreadPoolExecutor(2) as pool:
        tuple(pool.map(add, ("a", "b")))
    store = opener()
    found = store.read(Part.RECORD)
    store.close()

    assert found is not None
    assert found.data.startswith(b'{"serial": 40, ')
    names = found.data.decode().partition('"names": "')[2].removesuffix('"}').split()
    assert sorted(names) == sorted(f"{name}{number}" for name in "ab" for number in range(20))
