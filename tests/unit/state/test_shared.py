"""A shared state: whose turn it is by whose clock, and that no writer loses another's work."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest

from reconciler.core.failures import StateError
from reconciler.core.record import Record, RecordedDevice
from reconciler.core.report import Outcome
from reconciler.core.secret import Secret
from reconciler.state import shared_lease as shared_lease_module
from reconciler.state.encryption import Key, Keys
from reconciler.state.lease import Clocks, Holder, LeaseHeld
from reconciler.state.record_codec import decode
from reconciler.state.run_document import RunDesk
from reconciler.state.shared import SharedState
from reconciler.state.shared_lease import SharedLease
from reconciler.state.store import OutOfReach, Part, Stored, out_of_reach
from tests.changed import replace
from tests.contract.places.memory import MemoryStore

ANA = Holder("ana", "build-7", os.getpid(), None, datetime(2027, 3, 31, 12, 0, 5, tzinfo=UTC))
IVO = replace(ANA, who="ivo", host="build-8")


@dataclass(slots=True)
class Time:
    """A machine's clock and ticks, which stand until they are moved."""

    now: float = 1_000_000.0
    ticks: float = 50.0
    alive: bool = True

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.now, lambda: self.ticks, lambda _: self.alive, self.passes)

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.ticks += seconds


@dataclass(slots=True)
class Flaky:
    """A store that does what it is told for its next calls, then works again."""

    store: MemoryStore
    trouble: list[str]

    @property
    def where(self) -> str:
        return self.store.where

    def read(self, part: Part) -> Stored | None:
        self._meet("read")
        return self.store.read(part)

    def write(self, part: Part, data: bytes, expected: str | None) -> str:
        self._meet("write")
        version = self.store.write(part, data, expected)
        self._meet("answer")
        return version

    def close(self) -> None:
        pass

    def _meet(self, what: str) -> None:
        if what in self.trouble:
            self.trouble.remove(what)
            raise out_of_reach(self.where, f"no {what}")


def entry(id_: str, digest: str = "11") -> RecordedDevice:
    return RecordedDevice(id_, "courier", {"isPrimary": (digest,)})


@pytest.fixture
def store() -> MemoryStore:
    """A store with an empty state in it."""
    store = MemoryStore()
    SharedState(store, Path("unused")).initialise()
    return store


def opened(store: MemoryStore | Flaky, tmp_path: Path, machine: str = "here") -> SharedState:
    return SharedState(store, tmp_path / machine / "journal.db")


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what follows happen on another machine."""
    monkeypatch.setattr(shared_lease_module, "machine", lambda: "elsewhere")


def take(store: MemoryStore, time: Time, who: Holder = ANA, patience: float = 0.0) -> SharedLease:
    return SharedLease.acquire(
        RunDesk(store), "there", who, clocks=time.clocks(), patience=patience
    )


@pytest.mark.parametrize("apart", [0.0, 59.0, -59.0, -86_400.0])
def test_a_lease_of_another_machine_outlives_a_wrong_clock(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, apart: float
) -> None:
    """Looked at right after a beat it is held, whatever the other clock shows within a minute."""
    here, there = Time(), Time(ticks=9_000.0)
    assert take(store, here).renew()
    there.now += apart
    elsewhere(monkeypatch)

    with pytest.raises(LeaseHeld) as raised:
        take(store, there, IVO)
    assert ANA == raised.value.holder


def test_a_lease_of_another_machine_is_over_when_no_clock_could_be_that_wrong(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its life and a minute after the last beat it is over at first sight, not a second earlier."""
    time = Time()
    assert take(store, time).renew()
    elsewhere(monkeypatch)
    time.passes(89.0)
    with pytest.raises(LeaseHeld):
        take(store, time, IVO)
    time.passes(1.0)

    assert take(store, time, IVO).held()


@pytest.mark.parametrize("apart", [0.0, -300.0, 300.0])
def test_who_waits_sees_that_nobody_beats(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, apart: float
) -> None:
    """After thirty seconds by his own ticks the lock is over, whatever any clock shows."""
    here, there = Time(), Time(ticks=9_000.0)
    take(store, here)
    there.now = here.now + min(apart, 50.0)
    elsewhere(monkeypatch)
    before = there.ticks

    assert take(store, there, IVO, patience=60.0).held()
    assert there.ticks - before <= 31.0


def test_who_waits_sees_beats(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each beat starts the thirty seconds anew."""
    here, there = Time(), Time(ticks=9_000.0)
    lease = take(store, here)
    elsewhere(monkeypatch)
    told: list[Holder] = []

    def pause(seconds: float) -> None:
        there.passes(seconds)
        here.passes(seconds)
        if int(there.ticks) % 10 == 0:
            assert lease.renew()

    clocks = replace(there.clocks(), pause=pause)
    with pytest.raises(LeaseHeld):
        SharedLease.acquire(
            RunDesk(store), "there", IVO, clocks=clocks, patience=200.0, waiting=told.append
        )
    assert [ANA] == told
    assert lease.held()


def test_a_dead_process_of_this_machine_is_replaced_at_once(store: MemoryStore) -> None:
    """As with a local state."""
    time = Time()
    take(store, time)
    time.alive = False

    assert take(store, time, IVO).held()


def test_who_stood_still_has_lost_it(store: MemoryStore, tmp_path: Path) -> None:
    """It believes so by its own ticks before anybody else may have it."""
    time = Time()
    lease = take(store, time)
    time.passes(24.0)

    assert [False, False] == [lease.held(), lease.renew()]
    with opened(store, tmp_path) as state:
        state.read()
        with pytest.raises(StateError) as raised:
            state.records_under(lease).write({"a": entry("a")}, {})
    assert "E607" == raised.value.diagnostic.code.id
    assert "stood still" in str(raised.value)


def test_two_at_once_get_one_lease(store: MemoryStore) -> None:
    """Twenty times."""
    for _ in range(20):
        barrier = Barrier(4)

        def attempt(number: int, barrier: Barrier = barrier) -> SharedLease | None:
            barrier.wait(30)
            try:
                return take(store, Time(), replace(ANA, who=str(number)))
            except LeaseHeld:
                return None

        with ThreadPoolExecutor(4) as pool:
            (lease,) = [one for one in pool.map(attempt, range(4)) if one is not None]
        lease.release()


def test_a_writer_adds_to_what_another_wrote_meanwhile(store: MemoryStore, tmp_path: Path) -> None:
    """Read before, written after: both are there, and the serial counts both."""
    with opened(store, tmp_path) as one, opened(store, tmp_path) as other:
        one.read()
        other.read()
        one.write({"a": entry("a"), "b": entry("b")}, {"courier": "1"})
        serial = other.write({"b": entry("b", "22"), "c": entry("c")}, {"shop": "2"})

        record = one.read()
        assert (2, serial) == (record.serial, 2)
        assert {"a": entry("a"), "b": entry("b", "22"), "c": entry("c")} == record.devices
        assert {"courier": "1", "shop": "2"} == record.application_ids


def test_twenty_times_two_writers_at_once_lose_nothing(store: MemoryStore, tmp_path: Path) -> None:
    """Every entry of both is in the state at the end."""
    barrier = Barrier(2)

    def write(name: str) -> None:
        with opened(store, tmp_path, name) as state:
            state.read()
            for number in range(20):
                barrier.wait(30)
                state.write({f"{name}{number}": entry(f"{name}{number}")}, {})

    with ThreadPoolExecutor(2) as pool:
        tuple(pool.map(write, "ab"))
    with opened(store, tmp_path) as state:
        record = state.read()
    assert (40, 40) == (record.serial, len(record.devices))


def test_another_record_in_its_place_is_not_written_to(store: MemoryStore, tmp_path: Path) -> None:
    """Pushed by force while this run had read the one before: nothing of it is changed."""
    with opened(store, tmp_path) as state, opened(store, tmp_path) as other:
        state.read()
        other.read()
        other.replace(Record("another", 9, Secret(bytes(32))))
        with pytest.raises(StateError) as raised:
            state.write({"a": entry("a")}, {})

        assert "E612" == raised.value.diagnostic.code.id
        assert ("another", {}) == (other.read().lineage, dict(other.read().devices))


def test_what_could_not_be_written_is_kept(store: MemoryStore, tmp_path: Path) -> None:
    """All of it, also of writes before that came to nothing; a write that succeeds has it all."""
    flaky = Flaky(store, [])
    with opened(flaky, tmp_path) as state:
        state._store._unit = 0.001  # type: ignore[attr-defined]
        state.read()
        state.write({"a": entry("a")}, {})
        flaky.trouble = ["write"] * 10
        for name in "bc":
            with pytest.raises(OutOfReach):
                state.write({name: entry(name)}, {})
        document = state.unwritten()
        assert document is not None
        kept = decode(document, "kept")

        assert ["a", "b", "c"] == list(kept.devices)
        assert kept.serial > state.read().serial


def test_a_write_whose_answer_was_lost_is_done_once(store: MemoryStore, tmp_path: Path) -> None:
    """It is looked for, and found: the serial has grown by one."""
    flaky = Flaky(store, ["answer"])
    with opened(flaky, tmp_path) as state:
        state.read()

        assert 1 == state.write({"a": entry("a")}, {})
        assert 1 == state.read().serial


def test_reading_writes_nothing(store: MemoryStore, tmp_path: Path) -> None:
    """Neither to the store nor to the disk: what a plan needs is there for read-only eyes."""
    before = dict(store.parts)
    with opened(store, tmp_path) as state:
        state.read()
        seen = [
            state.holder(),
            state.journal.unfinished(),
            state.journal.finished("p"),
            state.journal.elsewhere("p"),
        ]

    assert [None] * 4 == seen
    assert before == store.parts
    assert [] == list(tmp_path.iterdir())


def test_a_plan_begun_on_another_machine_is_told(store: MemoryStore, tmp_path: Path) -> None:
    """There its calls are known; here it is known that each may have been made."""

    async def cut_off(state: SharedState, lease: SharedLease) -> None:
        journal = state.journal_under(lease)
        journal.start("p")
        await journal.intent("p", "sent")
        await journal.outcome("p", "sent", Outcome.APPLIED)
        await journal.intent("p", "cut off")

    with opened(store, tmp_path, "there") as state:
        lease = state.lease(ANA)
        asyncio.run(cut_off(state, lease))
        lease.release()
    with opened(store, tmp_path, "there") as state:
        left = state.journal.unfinished()
        assert left is not None
        assert (1, 1) == (left.applied, left.unsettled)
        assert state.journal.elsewhere("p") is None
        assert {"sent"} == state.journal.done("p")
    with opened(store, tmp_path, "here") as state:
        begun = state.journal.elsewhere("p")
        left = state.journal.unfinished()
        assert begun is not None
        assert left is not None
        assert (begun, frozenset()) == (left.started, state.journal.done("p"))
        lease = state.lease(IVO)
        state.journal_under(lease).start("p")
        # This machine has noted nothing of what was sent there.
        assert state.journal.elsewhere("p") is not None
        state.journal_under(lease).finish("p")
        assert state.journal.elsewhere("p") is None
        assert state.journal.finished("p") is not None
        lease.release()


def test_all_parts_are_encrypted_with_the_key(tmp_path: Path) -> None:
    """Neither an id nor a name stands in either of them in the clear."""
    keys = Keys(Key.parse("11" * 32))
    store = MemoryStore()
    with SharedState(store, tmp_path / "journal.db", keys) as state:
        assert state.initialise()
        state.read()
        lease = state.lease(ANA)
        state.records_under(lease).write({"device-of-ana": entry("device-of-ana")}, {})
        whole = b"".join(stored.data for stored in store.parts.values())
        lease.release()

    assert 2 == whole.count(b"AES-256-GCM")
    with SharedState(store, tmp_path / "journal.db", Keys(Key.parse("22" * 32))) as state:
        failures: list[Callable[[], object]] = [state.read, state.holder, lambda: state.lease(ANA)]
        for attempt in failures:
            with pytest.raises(StateError) as raised:
                attempt()
            assert "E611" == raised.value.diagnostic.code.id


def test_beats_and_looks_share_a_store_with_writes(store: MemoryStore, tmp_path: Path) -> None:
    """While a thread beats, another writes: neither is lost and nothing is torn."""
    done = threading.Event()
    with opened(store, tmp_path) as state:
        state.read()
        lease = state.lease(ANA)

        def beat() -> None:
            while not done.is_set():
                assert lease.renew()

        with ThreadPoolExecutor(1) as pool:
            beating = pool.submit(beat)
            try:
                for number in range(50):
                    state.records_under(lease).write({str(number): entry(str(number))}, {})
                    state.journal_under(lease).start(str(number))
            finally:
                done.set()
            beating.result(60)
        assert 50 == len(state.read().devices)
        assert lease.held()
        lease.release()
