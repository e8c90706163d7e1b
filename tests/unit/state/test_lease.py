"""The lease among processes and over time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.state import lease as lease_module
from reconciler.state.database import Database
from reconciler.state.lease import Holder, LeaseHeld, LocalLease

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
    with state.lease(Holder("run", "here", os.getpid(), None, datetime.now(UTC))):
        print("held", flush=True)
        sys.stdin.readline()
except LeaseHeld as held:
    print("refused", held.holder.pid, flush=True)
"""


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database.open(tmp_path / "state.db", create=True)


def start(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TAKE, str(path)],
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
        f"the record is leased by ana on build-7 (process {os.getpid()}) "
        "since 2027-03-31T12:00:05+00:00"
    ) == str(raised.value)


@pytest.mark.parametrize(("passed", "taken"), [(29.9, False), (30.0, True), (-3600.0, True)])
def test_it_expires_30_seconds_after_the_last_beat(
    database: Database, passed: float, taken: bool
) -> None:
    """A beat from the future is one from before the clock was set back, and no reason to wait."""
    clock = Clock()
    LocalLease.acquire(database, ANA, clock=clock)
    clock.now += passed

    if taken:
        assert LocalLease.acquire(database, IVO, clock=clock).held()
    else:
        with pytest.raises(LeaseHeld):
            LocalLease.acquire(database, IVO, clock=clock)


def test_a_beat_prolongs_it(database: Database) -> None:
    """With a beat every 10 seconds it is held for as long as that goes on."""
    clock = Clock()
    lease = LocalLease.acquire(database, ANA, clock=clock)
    for _ in range(10):
        clock.now += 10
        assert lease.renew()

    with pytest.raises(LeaseHeld):
        LocalLease.acquire(database, IVO, clock=clock)


def test_a_late_holder_gives_up_before_others_may_start(database: Database) -> None:
    """Its own patience ends first, and no later beat brings the lease back."""
    clock = Clock()
    lease = LocalLease.acquire(database, ANA, clock=clock)
    clock.now += 25

    assert not lease.held()
    clock.now -= 25
    assert [False, False] == [lease.renew(), lease.held()]


def test_a_lease_taken_by_another_is_lost_with_the_next_beat(database: Database) -> None:
    """And giving it back then leaves the other's alone."""
    clock = Clock()
    lost = LocalLease.acquire(database, ANA, clock=clock, alive=lambda pid: True)
    LocalLease.acquire(database, IVO, clock=clock, alive=lambda pid: False)

    assert [False, False] == [lost.renew(), lost.held()]
    lost.release()
    with pytest.raises(LeaseHeld) as raised:
        LocalLease.acquire(database, ANA, clock=clock)
    assert IVO == raised.value.holder


def test_a_process_number_of_another_machine_says_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dead here may be alive there: only time tells."""
    LocalLease.acquire(database, ANA)
    monkeypatch.setattr(lease_module, "_machine", lambda: "elsewhere")

    with pytest.raises(LeaseHeld):
        LocalLease.acquire(database, IVO, alive=lambda pid: False)


def test_as_a_context_it_beats_by_itself(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread renews it while the block runs, and ends with the block."""
    monkeypatch.setattr(lease_module, "BEAT_EVERY", 0.01)
    beats: list[float] = []

    def clock() -> float:
        beats.append(0.0)
        return 1000.0

    with LocalLease.acquire(database, ANA, clock=clock) as lease:
        while len(beats) < 20:
            assert lease.held()

    assert not lease.held()
    with LocalLease.acquire(database, IVO) as other:
        assert other.held()
