"""What a state costs: `python -m tests.benchmarks.record [DEVICES ...]`.

For each size (1,000, 100,000 and 1,000,000) and place: the bytes that are kept, and the seconds of
a first write, of a write of one entry, and of a read, each in one process; the local file, a shared
directory, and an S3 server on this machine. Every device has an owner and a value of its own, and
two values that it shares with others.
"""

from __future__ import annotations

import hashlib
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from reconciler.core.record import RecordedDevice
from reconciler.state.local import LocalState
from reconciler.state.objectstore import open_object_store
from reconciler.state.record_codec import encode
from reconciler.state.shared import SharedState
from tests.contract.places import s3

SIZES: Final = (1_000, 100_000, 1_000_000)
T = TypeVar("T")


def entries(count: int) -> dict[str, RecordedDevice]:
    """Return so many entries, by id."""

    def digest(*what: object) -> tuple[str, ...]:
        return (hashlib.sha256(repr(what).encode()).hexdigest()[:32],)

    shared = [digest("fleet", number) for number in range(40)]
    flags = digest("primary", False), digest("primary", True)
    found = {}
    for number in range(count):
        (text,) = digest("id", number)
        id_ = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}".upper()
        found[id_] = RecordedDevice(
            id_,
            "courier",
            {
                "additionalData.fleet": shared[number % 40],
                "additionalData.name": digest("name", number),
                "isPrimary": flags[number % 2],
                "owner": digest("owner", number),
            },
        )
    return dict(sorted(found.items()))


def timed(do: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    done = do()
    return time.perf_counter() - began, done


@contextmanager
def places(directory: Path) -> Iterator[dict[str, Callable[[], LocalState | SharedState]]]:
    """Yield how to open a new state of each place."""
    with s3.opened(directory) as store:

        def shared(opened: Callable[[], SharedState]) -> Callable[[], LocalState | SharedState]:
            with opened() as state:
                state.initialise()
            return opened

        yield {
            "local file": lambda: LocalState.open(directory / "state.db", create=True),
            "directory": shared(
                lambda: SharedState(
                    open_object_store((directory / "shared").as_uri()), directory / "journal.db"
                )
            ),
            "object store": shared(lambda: SharedState(store(), directory / "journal.db")),
        }


def size_of(state: LocalState | SharedState, directory: Path) -> int:
    if isinstance(state, SharedState):
        return len(encode(state.read()))
    return (directory / "state.db").stat().st_size


def report(count: int) -> None:
    """Print a line for each place."""
    found = entries(count)
    one = next(iter(found))
    with tempfile.TemporaryDirectory() as name, places(Path(name)) as opened:
        for place, open_ in opened.items():
            with open_() as state:
                state.read()
                # Without a lock: beats would wait behind the one-at-a-time server of the tests.
                first, _ = timed(lambda: state.write(found, {}))
                again, _ = timed(lambda: state.write({one: found[one]}, {}))
            with open_() as state:
                read, record = timed(state.read)
                assert len(record.devices) == count
                size = size_of(state, Path(name))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            sys.stdout.write(
                f"{count:>9,} devices  {place:<12}  {size / 1e6:8.2f} MB  "
                f"{size / count:6.1f} B/device  first write {first:6.2f} s  "
                f"one entry {again:6.2f} s  read {read:6.2f} s  peak {peak:,} MB\n"
            )
            sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    """Measure the given sizes, or all."""
    for count in [int(argument.replace(",", "")) for argument in arguments] or SIZES:
        report(count)


if __name__ == "__main__":
    main(sys.argv[1:])
