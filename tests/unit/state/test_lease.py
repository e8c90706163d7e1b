"""The lock among processes and over time."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.state import lease as lease_module
from reconciler.state import local_lease as local_lease_module
from reconciler.state.database import Database
from reconciler.state.lease import Clocks, Holder, LeaseHeld
from reconciler.state.local_lease import LocalLease, take_away

SINCE = datetime(2027, 3, 31, 12, 0, 5, tzinfo=UTC)
ANA = Holder("ana", "build-7", os.getpid(), "https://ci.example/7", SINCE)
IVO = Holder("ivo", "build-8", os.getpid(), None, SINCE)

TAKE = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from reconciler.state.lease import Holder, LeaseHeld
from reconciler.state.local import LocalState
state = LocalState.open(Path(sys.argv[1]), create=True)
print("ready", flush=True)
sys.stdin.readline()
try:
    me = Holder("run", "here", os.getpid(), None, datetime.now(UTC))
    with state.lease(
        me,
        patience=float(sys.argv[2]),
        waiting=lambda holder: print("waiting", holder.pid, flush=True),
    ):
        print("held", flush=True)
        sys.stdin.readline()
except LeaseHeld as held:
    print("refused", held.holder.pid, flush=True)
"""


class Time:
    """A machine's clock and its ticks, which stand until they are moved; sleeping moves them."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.ticks = 50.0
        self.slept: list[float] = []

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.ticks += seconds

    def pause(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_by(seconds)

    def clocks(self, *, alive: bool = True) -> Clocks:
        return Clocks(lambda: self.now, lambda: self.ticks, lambda _: alive, self.pause)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database.open(tmp_path / "state.db", create=True)


def start(path: Path, patience: float = 0.0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TAKE, str(path), str(patience)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_of_many_processes_exactly_one_gets_it(tmp_path: Path) -> None:
    """All at the same moment, on a file that none of them finds; the others name the winner."""
    processes = [start(tmp_path / "state.db") for _ in range(6)]
    try:
        assert ["ready"] * 6 == [hear(process) for process in processes]
        for process in processes:
            tell(process)
        said = [hear(process) for process in processes]
        (winner,) = (
            process.pid for process, word in zip(processes, said, strict=True) if word == "held"
        )

        assert sorted(["held"] + [f"refused {winner}"] * 5) == sorted(said)
    finally:
        for process in processes:
            process.communicate()


def test_a_dead_holder_is_replaced_at_once(tmp_path: Path) -> None:
    """Killed without a chance to give it back, on this machine: nobody waits 30 seconds."""
    first = start(tmp_path / "state.db")
    hear(first)
    tell(first)
    assert "held" == hear(first)
    first.send_signal(signal.SIGKILL)
    first.communicate()

    second = start(tmp_path / "state.db")
    hear(second)
    tell(second)

    assert "held" == hear(second)
    second.communicate()


def test_the_refusal_names_the_holder(database: Database) -> None:
    """Who, where, which process and since when."""
    LocalLease.acquire(database, ANA)

    with pytest.raises(LeaseHeld) as raised:
        LocalLease.acquire(database, IVO)

    assert ANA == raised.value.holder
    assert (
        f"the state is locked by ana on build-7 (process {os.getpid()}) "
        "since 2027-03-31T12:00:05+00:00"
    ) == str(raised.value)


@pytest.mark.parametrize(("passed", "taken"), [(29.9, False), (30.0, True)])
def test_it_expires_30_seconds_after_the_last_beat(
    database: Database, passed: float, taken: bool
) -> None:
    """Until then its holder may be at work, whatever is not heard of it."""
    time = Time()
    LocalLease.acquire(database, ANA, clocks=time.clocks())
    time.pass_by(passed)

    if taken:
        assert LocalLease.acquire(database, IVO, clocks=time.clocks()).held()
    else:
        with pytest.raises(LeaseHeld):
            LocalLease.acquire(database, IVO, clocks=time.clocks())


@pytest.mark.parametrize("step", [-86_400.0, -5.0, 31.0, 86_400.0])
def test_setting_the_clock_changes_nothing_on_one_machine(database: Database, step: float) -> None:
    """Neither does its holder lose it, nor does another get it sooner or later."""
    time = Time()
    lease = LocalLease.acquire(database, ANA, clocks=time.clocks())
    time.now += step

    assert lease.held()
    with pytest.raises(LeaseHeld) as raised:
        LocalLease.acquire(database, IVO, clocks=time.clocks())
    assert 0.0 == raised.value.holder.silent
    time.ticks += 30
    assert LocalLease.acquire(database, IVO, clocks=time.clocks()).held()


@pytest.mark.parametrize(
    ("apart", "taken"), [(0.0, False), (-29.0, False), (29.0, False), (31.0, True), (-31.0, True)]
)
def test_between_machines_clocks_must_agree(
    database: Database, monkeypatch: pytest.MonkeyPatch, apart: float, taken: bool
) -> None:
    """Ticks of another machine say nothing. A beat from far in the future is an old clock's."""
    here = Time()
    LocalLease.acquire(database, ANA, clocks=here.clocks())
    monkeypatch.setattr(local_lease_module, "machine", lambda: "elsewhere")
    there = Time()
    there.now, there.ticks = here.now + apart, 7_000.0

    if taken:
        assert LocalLease.acquire(database, IVO, clocks=there.clocks()).held()
    else:
        with pytest.raises(LeaseHeld):
            LocalLease.acquire(database, IVO, clocks=there.clocks())


def test_a_beat_prolongs_it(database: Database) -> None:
    """With a beat every 10 seconds it is held for as long as that goes on."""
    time = Time()
    lease = LocalLease.acquire(database, ANA, clocks=time.clocks())
    for _ in range(10):
        time.pass_by(10)
        assert lease.renew()

    with pytest.raises(LeaseHeld):
        LocalLease.acquire(database, IVO, clocks=time.clocks())


def test_a_late_holder_gives_up_before_others_may_start(database: Database) -> None:
    """Stopped or asleep, its own patience ends first, and no later beat brings the lock back."""
    time = Time()
    lease = LocalLease.acquire(database, ANA, clocks=time.clocks())
    time.pass_by(25)

    with pytest.raises(LeaseHeld):
        LocalLease.acquire(database, IVO, clocks=time.clocks())
    assert [False, False, False] == [lease.held(), lease.renew(), lease.held()]


def test_a_beat_that_waited_too_long_to_be_written_is_none(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait for the file counts: a beat that comes late must not bring the lock back."""
    time = Time()
    lease = LocalLease.acquire(database, ANA, clocks=time.clocks())
    writing = Database.writing

    @contextlib.contextmanager
    def slow(self: Database) -> Iterator[sqlite3.Connection]:
        with writing(self) as connection:
            time.pass_by(25)
            yield connection

    monkeypatch.setattr(Database, "writing", slow)

    assert [False, False] == [lease.renew(), lease.held()]


def test_a_lease_taken_by_another_is_lost_with_the_next_beat(database: Database) -> None:
    """And giving it back then leaves the other's alone."""
    time = Time()
    lost = LocalLease.acquire(database, ANA, clocks=time.clocks())
    LocalLease.acquire(database, IVO, clocks=time.clocks(alive=False))

    assert [False, False] == [lost.renew(), lost.held()]
    lost.release()
    with pytest.raises(LeaseHeld) as raised:
        LocalLease.acquire(database, ANA, clocks=time.clocks())
    assert IVO == raised.value.holder


def test_a_process_number_of_another_machine_says_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dead here may be alive there: only time tells."""
    LocalLease.acquire(database, ANA)
    monkeypatch.setattr(local_lease_module, "machine", lambda: "elsewhere")

    with pytest.raises(LeaseHeld):
        LocalLease.acquire(database, IVO, clocks=Clocks(alive=lambda _: False))


def test_as_a_context_it_beats_by_itself(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread renews it while the block runs, and ends with the block."""
    monkeypatch.setattr(lease_module, "_LOOK_EVERY", 0.001)
    time = Time()
    beaten = threading.Event()

    def alive(_: int) -> bool:
        return True

    def ticks() -> float:
        # Each look at the clock moves it, so that a beat is due again and again.
        time.ticks += 1
        if time.ticks > 200:
            beaten.set()
        return time.ticks

    clocks = Clocks(lambda: time.now, ticks, alive)
    with LocalLease.acquire(database, ANA, clocks=clocks) as lease:
        assert beaten.wait(60)
        assert lease.held()

    assert not lease.held()
    assert LocalLease.acquire(database, IVO).held()


def test_a_lease_that_was_taken_away_is_noticed_without_a_write(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread looks between its beats, so a run that only reads learns of it as well."""
    monkeypatch.setattr(lease_module, "_LOOK_EVERY", 0.001)
    with LocalLease.acquire(database, ANA) as lease:
        with database.writing() as connection:
            assert take_away(connection, ANA)
        lease._thread.join(60)

        assert not lease.held()


def test_who_waits_asks_each_second_and_says_for_whom_once(database: Database) -> None:
    """Until its patience is at an end; the last answer names the holder."""
    time, told = Time(), list[Holder]()
    lease = LocalLease.acquire(database, ANA, clocks=time.clocks())

    def pause(seconds: float) -> None:
        time.pause(seconds)
        lease.renew()

    clocks = Clocks(lambda: time.now, lambda: time.ticks, lambda _: True, pause)
    with pytest.raises(LeaseHeld) as raised:
        LocalLease.acquire(database, IVO, patience=3.5, waiting=told.append, clocks=clocks)

    assert ([1.0, 1.0, 1.0, 0.5], [ANA], ANA) == (time.slept, told, raised.value.holder)


def test_who_waits_gets_it_when_it_is_given_back(database: Database) -> None:
    """And is told when another one was faster in between."""
    time, told = Time(), list[Holder]()
    eve = Holder("eve", "build-9", os.getpid(), None, SINCE)
    held = [LocalLease.acquire(database, ANA, clocks=time.clocks())]

    def pause(seconds: float) -> None:
        time.pause(seconds)
        held.pop().release()
        if len(time.slept) == 1:
            held.append(LocalLease.acquire(database, eve, clocks=time.clocks()))

    clocks = Clocks(lambda: time.now, lambda: time.ticks, lambda _: True, pause)
    lease = LocalLease.acquire(database, IVO, patience=60, waiting=told.append, clocks=clocks)

    assert ([ANA, eve], 2, True) == (told, len(time.slept), lease.held())


def test_without_patience_nobody_waits(database: Database) -> None:
    """Refused at once, and nothing is said of waiting."""
    time, told = Time(), list[Holder]()
    LocalLease.acquire(database, ANA, clocks=time.clocks())
    with pytest.raises(LeaseHeld):
        LocalLease.acquire(database, IVO, waiting=told.append, clocks=time.clocks())

    assert ([], []) == (time.slept, told)


def test_of_many_waiting_processes_one_after_the_other_gets_it(tmp_path: Path) -> None:
    """Given back or left by a killed holder: exactly one of those who wait goes on."""
    processes = [start(tmp_path / "state.db", patience=60) for _ in range(3)]
    try:
        assert ["ready"] * 3 == [hear(process) for process in processes]
        tell(processes[0])
        assert "held" == hear(processes[0])
        for process in processes[1:]:
            tell(process)
            assert f"waiting {processes[0].pid}" == hear(process)
        processes[0].send_signal(signal.SIGKILL)
        processes[0].communicate()
        said = {process: hear(process) for process in processes[1:]}
        (chosen,) = (process for process in said if said[process] == "held")
        (other,) = (process for process in said if process is not chosen)
        assert f"waiting {chosen.pid}" == said[other]
        tell(chosen)
        assert "held" == hear(other)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
