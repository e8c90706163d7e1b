"""Two applies at once: exactly one works, the other says who does and ends; nothing is torn."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.platform.worldfile import decode_world, encode_world
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from reconciler.state.local import LocalState
from tests.worlds import canonical

from .forked import Forks
from .harness import Project
from .thirty import PROJECT, RECORD, Json, entries, said, thirty

PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A project with a reviewed plan, and two who apply it."""

    project: Project
    both: tuple[Forks, Forks]
    running: RunningSandbox
    world: Json
    end: Json
    entries: Json

    @property
    def go(self) -> Path:
        """The file for which whoever gets the lock waits."""
        return self.project.root / "go"

    def again(self, *, with_record: bool = True) -> None:
        """Go back to the moment before the apply, if wanted even before the first plan."""
        root = self.project.root
        self.go.unlink(missing_ok=True)
        shutil.rmtree((root / RECORD).parent)
        if with_record:
            (root / RECORD).parent.mkdir()
            shutil.copy(root / "planned.db", root / RECORD)
        self.running.set_world(decode_world(json.dumps(self.world).encode()))
        self.running.forget_calls()

    def writes(self) -> Counter[tuple[str, str]]:
        """Return how often each write was sent, by operation and path."""
        return Counter(
            (call.operation.value, call.path) for call in self.running.calls() if call.is_write
        )

    def on_their_way(self) -> set[tuple[str, str]]:
        """Return the writes whose outcome the journal does not know."""
        plan = json.loads((self.project.root / "plan.json").read_text("utf-8"))
        with LocalState.open(self.project.root / RECORD, create=False) as state:
            unsettled = state.journal.unsettled(plan["id"])
        calls = plan["calls"]
        return {(call["operation"], call["path"]) for call in calls if call["id"] in unsettled}

    def shown(self) -> Json:
        return canonical(json.loads(encode_world(self.running.world())))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    yield from made(tmp_path_factory.mktemp("two"), SandboxOptions(limits=None))


def made(root: Path, options: SandboxOptions) -> Iterator[Stage]:
    """Plan, put the state aside, and see where an undisturbed apply ends."""
    world, manifest = thirty()
    with RunningSandbox(options) as running:
        project = Project(root, running.url)
        project.write("reconciler.yaml", PROJECT)
        project.write("devices.yaml", json.dumps(manifest))
        running.set_world(decode_world(json.dumps(world).encode()))
        with Forks(project, "one") as one, Forks(project, "two") as two:
            assert one.warm_up("plan", "-o", "plan.json").exit == 0
            shutil.copy(root / RECORD, root / "planned.db")
            assert one.warm_up("apply", "plan.json").exit == 0
            assert two.warm_up("plan").exit == 0
            end = canonical(json.loads(encode_world(running.world())))
            yield Stage(project, (one, two), running, world, end, entries(root))


@pytest.mark.parametrize("turn", range(20))
def test_exactly_one_works(stage: Stage, turn: int) -> None:
    """With a saved plan, with a plan of its own, and where there is no state yet.

    Whoever gets the lock keeps it until the other one has ended: that one must not wait for it.
    """
    arguments = ("apply", "plan.json") if turn % 2 else ("apply", "--yes")
    stage.again(with_record=turn % 4 != 0)
    pids = {forks: forks.begin(*arguments, held_until=stage.go) for forks in stage.both}
    refused = first_to_end(stage.both)
    (working,) = (forks for forks in stage.both if forks is not refused)
    told = refused.end().ran
    at_work = stage.writes()
    stage.go.touch()
    worked = working.end().ran

    assert (told.exit, worked.exit) == (5, 0), said(told) + said(worked)
    assert f"process {pids[working]}" in told.err
    assert told.out == ""
    assert at_work == {}
    assert (len(stage.writes()), set(stage.writes().values())) == (30, {1})
    assert (stage.shown(), recorded(entries(stage.project.root))) == (
        stage.end,
        recorded(stage.entries),
    )
    with LocalState.open(stage.project.root / RECORD, create=False) as state:
        assert (state.journal.unfinished(), state.holder()) == (None, None)


def recorded(found: Json) -> dict[str, set[str]]:
    """Return which fields of which devices are recorded; the values depend on the state's key."""
    return {id_: set(entry.fields) for id_, entry in found.items()}


def first_to_end(both: tuple[Forks, Forks]) -> Forks:
    """Wait until one of two commands has ended."""
    with selectors.DefaultSelector() as selector:
        for forks in both:
            selector.register(forks, selectors.EVENT_READ, forks)
        ended = selector.select(PATIENCE)
    assert ended, "neither of two applies ends: both work at once, or both wait"
    found = ended[0][0].data
    assert isinstance(found, Forks)
    return found


def test_with_patience_both_come_to_an_end(stage: Stage) -> None:
    """The second waits for the first, says for whom, and finds the plan applied."""
    stage.again()
    one, two = stage.both
    pid = one.begin("apply", "plan.json", held_until=stage.go)
    held = stage.project.root / RECORD
    with LocalState.open(held, create=False) as state:
        while state.holder() is None:
            assert one.is_running()
    two.begin("apply", "plan.json", "--lock-timeout", "60s")
    while f"process {pid}" not in two.said_so_far():
        assert two.is_running()
    stage.go.touch()
    first, second = one.end().ran, two.end().ran

    assert (first.exit, second.exit) == (0, 0), said(first) + said(second)
    assert "was applied at" in second.err
    assert (len(stage.writes()), set(stage.writes().values())) == (30, {1})


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The same with a service that takes its time, so that there is a middle of an apply."""
    yield from made(tmp_path_factory.mktemp("slow"), SandboxOptions(limits=None, latency=0.15))


def journaled(root: Path) -> int:
    """Return how many calls the journal knows."""
    with contextlib.closing(sqlite3.connect(root / RECORD)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM calls").fetchone()
    return int(count)


def test_a_lease_taken_away_stops_a_run_before_its_next_write(slow: Stage) -> None:
    """No intent is noted from then on; the next run goes on, and nothing is sent twice."""
    slow.again()
    root, (one, two) = slow.project.root, slow.both
    one.begin("apply", "plan.json")
    while not slow.writes():
        assert one.is_running()
    unlocked = two.run("state", "unlock", "--yes").ran
    begun = journaled(root)
    stopped = one.end().ran

    assert (unlocked.exit, stopped.exit) == (0, 3), said(unlocked) + said(stopped)
    assert "lock" in stopped.out + stopped.err
    assert begun == journaled(root)
    assert slow.writes().total() <= begun < 30
    assert one.run("apply", "plan.json").ran.exit == 0
    assert (len(slow.writes()), set(slow.writes().values())) == (30, {1})
    assert (slow.shown(), entries(root)) == (slow.end, slow.entries)


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the states of threads")
def test_a_stopped_run_that_continues_writes_nothing(slow: Stage) -> None:
    """Another has applied the rest meanwhile; what the first still says changes nothing."""
    root, (one, two) = slow.project.root, slow.both
    pid = stopped_in_the_middle(slow)
    two.begin("apply", "plan.json", "--lock-timeout", "60s", seconds={"EXPIRES_AFTER": 2.0})
    finished = two.end().ran
    sent = slow.writes()
    os.kill(pid, signal.SIGCONT)
    continued = one.end().ran

    assert (finished.exit, continued.exit) == (0, 3), said(finished) + said(continued)
    assert (len(sent), set(sent.values())) == (30, {1})
    assert sent == slow.writes()
    assert (slow.shown(), entries(root)) == (slow.end, slow.entries)
    assert two.run("apply", "plan.json").ran.exit == 0
    assert sent == slow.writes()


def stopped_in_the_middle(slow: Stage) -> int:
    """Begin to apply with the first of both, and stop it when everything it has sent has arrived.

    A process may be stopped within the last instant before a call leaves it; what then happens is
    the service's to judge, and no test of what the run decides when it goes on.
    """
    # Half a minute is too long for a test: this run gives up much sooner.
    short = {"_SURE_FOR": 1.5, "BEAT_EVERY": 0.2, "_LOOK_EVERY": 0.05}
    one, _ = slow.both
    for _ in range(5):
        slow.again()
        pid = one.begin("apply", "plan.json", seconds=short)
        while not slow.writes():
            assert one.is_running()
        stop_outside_of_a_transaction(pid, slow.project.root / RECORD)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            if slow.on_their_way() <= set(slow.writes()):
                return pid
            time.sleep(0.01)
        os.kill(pid, signal.SIGCONT)
        one.end()
    raise AssertionError("a call that was about to be sent, five times")


def stop_outside_of_a_transaction(pid: int, record: Path) -> None:
    """Stop a process while it does not keep the state locked, which would stop all others too."""
    with contextlib.closing(sqlite3.connect(record, timeout=0, isolation_level=None)) as connection:
        while True:
            os.kill(pid, signal.SIGSTOP)
            while states(pid) != {"T"}:
                os.sched_yield()
            try:
                connection.execute("BEGIN EXCLUSIVE")
                connection.execute("ROLLBACK")
            except sqlite3.OperationalError:
                os.kill(pid, signal.SIGCONT)
            else:
                return


def states(pid: int) -> set[str]:
    """Return the states of the threads of a process; a signal takes its time to reach them all."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return {thread.read_text("ascii").rpartition(")")[2].split()[0] for thread in threads}
