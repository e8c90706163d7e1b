"""SIGKILL at every step of the journal, and go on: the same world as if nothing had happened."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.platform.world import World
from reconciler.platform.worldfile import decode_world, encode_world
from reconciler.sandbox.calls import overlapping_writes
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from reconciler.state.journal import Unfinished
from reconciler.state.local import LocalState
from tests.worlds import canonical

from .forked import Death, Forks, When
from .harness import Project
from .thirty import PROJECT, RECORD, entries, said, thirty

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """A project with a reviewed plan, its state put aside, and where an undisturbed apply ends."""

    project: Project
    forks: Forks
    running: RunningSandbox
    start: World
    plan: Json
    end: Json
    entries: Json
    transactions: int

    def writes(self) -> Counter[tuple[str, str]]:
        """Return how often each write was sent, by operation and path."""
        return Counter(
            (call.operation.value, call.path) for call in self.running.calls() if call.is_write
        )

    def left(self) -> tuple[set[tuple[str, str]], Unfinished | None]:
        """Return the writes that a killed run cannot know the outcome of, and what it left."""
        with LocalState.open(self.project.root / RECORD, create=False) as state:
            unsettled = state.journal.unsettled(self.plan["id"])
            found = state.journal.unfinished()
        calls = self.plan["calls"]
        unknown = {(call["operation"], call["path"]) for call in calls if call["id"] in unsettled}
        return unknown, found


def again(root: Path, running: RunningSandbox, start: World) -> None:
    """Go back to the moment before the apply."""
    shutil.copy(root / "planned.db", root / RECORD)
    (root / f"{RECORD}-journal").unlink(missing_ok=True)
    running.set_world(start)
    running.forget_calls()


# Here a read shows every write, and a hundred runs have no time to wait for it.
NO_LAG: Final = {"SURE_AFTER": 0.0}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Everything that all kills share."""
    root = tmp_path_factory.mktemp("kill")
    world, manifest = thirty()
    with RunningSandbox(SandboxOptions(limits=None)) as running:
        project = Project(root, running.url)
        project.write("reconciler.yaml", PROJECT)
        project.write("devices.yaml", json.dumps(manifest))
        start = decode_world(json.dumps(world).encode())
        running.set_world(start)
        with Forks(project) as forks:
            planned = forks.warm_up("plan", "-o", "plan.json")
            assert planned.exit == 0, said(planned)
            shutil.copy(root / RECORD, root / "planned.db")
            plan = json.loads((root / "plan.json").read_text("utf-8"))
            assert forks.warm_up("apply", "plan.json").exit == 0
            again(root, running, start)
            applied = forks.run("apply", "plan.json")
            assert applied.ran.exit == 0, said(applied.ran)
            end = json.loads(encode_world(running.world()))
            yield Stage(
                project=project,
                forks=forks,
                running=running,
                start=start,
                plan=plan,
                end=canonical(end),
                entries=entries(root),
                transactions=applied.transactions,
            )


def test_the_plan_is_what_the_kills_need(stage: Stage) -> None:
    """Thirty calls of every kind; handovers, and promotions that need their demotion."""
    calls = stage.plan["calls"]

    assert len(calls) == 30
    assert {call["operation"] for call in calls} == {"depersonalize", "personalize", "update"}
    assert sum("forceDepersonalize" in call["query"] for call in calls) == 4
    # A lock taken and given back, a begin and an end, the state, and two entries for each call.
    assert stage.transactions >= 2 * 30 + 5


@pytest.mark.parametrize("swapped", [False, pytest.param(True, marks=pytest.mark.soak)])
@pytest.mark.parametrize("when", When)
def test_killed_at_any_step_it_goes_on(stage: Stage, when: When, swapped: bool) -> None:
    """With the same plan or a fresh one; and nothing is sent twice but what may not have come.

    Each step is met with both ways to go on, one right before it and one right after.
    """
    for transaction in range(1, stage.transactions + 1):
        is_fresh = (when is When.AFTER) ^ (transaction % 2 == 0) ^ swapped
        go_on(stage, Death(transaction, when), is_fresh=is_fresh)


def go_on(stage: Stage, death: Death, *, is_fresh: bool) -> None:
    """Kill an apply, go on, and hold the world, the state and the call log against each other."""
    note = f"killed {death.when} transaction {death.transaction}, is_fresh={is_fresh}"
    again(stage.project.root, stage.running, stage.start)
    killed = stage.forks.run("apply", "plan.json", death=death).ran
    assert killed.exit == -9, f"{note}: {said(killed)}"
    unknown, found = stage.left()
    if is_fresh:
        planned = stage.forks.run("plan", "-o", "fresh.json").ran
        assert planned.exit == 0, f"{note}: {said(planned)}"
        assert ("A run that began at" in planned.err) is (found is not None), (
            f"{note}: {said(planned)}"
        )
    file = "fresh.json" if is_fresh else "plan.json"
    applied = stage.forks.run("apply", file, seconds=NO_LAG).ran
    assert applied.exit == 0, f"{note}: {said(applied)}"
    # A run that came to no call at all leaves nothing to go on with.
    came_to_calls = found is not None and found.applied + found.unsettled > 0
    going_on = came_to_calls and not is_fresh
    assert ("Going on with this plan" in applied.err) is going_on, f"{note}: {said(applied)}"
    writes = stage.writes()
    twice = {write for write, count in writes.items() if count > 1}

    assert canonical(json.loads(encode_world(stage.running.world()))) == stage.end, note
    assert entries(stage.project.root) == stage.entries, note
    assert twice <= unknown, note
    assert max(writes.values()) <= 2, note
    assert overlapping_writes(stage.running.calls()) == [], note
