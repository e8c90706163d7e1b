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
from reconciler.state.local import LocalState
from tests.worlds import canonical

from .forked import Death, Forks, When
from .harness import Project, Ran

Json = dict[str, Any]

APPLICATION: Final = "APPLICATION-ID-1"
PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
  limits: {get: 5000, update: 5000, personalize: 5000, depersonalize: 5000, persons: 5000}
  quotaShare: 1
applications:
  courier: {appCode: courier-app-code}
manifests: [devices.yaml]
"""


def registration(id_: str, owner: int | None = None, **more: Any) -> Json:
    found = {"registrationId": id_, "applicationId": APPLICATION, **more}
    return found if owner is None else {**found, "owner": owner}


def thirty() -> tuple[Json, Json]:
    """Return a world and a manifest that take thirty calls: every kind, and chains of them."""
    people = [
        {"id": n, "externalId": f"courier-{n}", "emails": [f"{n}@example.com"]}
        for n in range(1, 13)
    ]
    registrations: list[Json] = []
    devices: Json = {}
    for n in (1, 3, 5, 7):
        # From its owner to the next person, whose other phone was the primary one until now.
        registrations += [
            registration(
                f"handed-{n}", n, isPrimary=True, additionalData={"depot": n, "theme": "dark"}
            ),
            registration(f"other-{n}", n + 1, isPrimary=True),
        ]
        devices[f"handed-{n}"] = {
            "owner": f"p{n + 1}",
            "isPrimary": True,
            "additionalData": {"depot": n},
        }
        devices[f"other-{n}"] = {"isPrimary": False}
    for n in (9, 10):
        registrations.append(registration(f"found-{n}", additionalData={"theme": "dark"}))
        devices[f"found-{n}"] = {"owner": f"p{n}", "additionalData": {"shift": "night"}}
    for n in (9, 10, 11):
        registrations.append(registration(f"left-{n}", n))
        devices[f"left-{n}"] = {"owner": None}
    for n in (11, 12):
        registrations += [
            registration(f"first-{n}", n, isPrimary=True),
            registration(f"second-{n}", n),
        ]
        devices[f"first-{n}"] = {"owner": f"p{n}", "isPrimary": False}
        devices[f"second-{n}"] = {"owner": f"p{n}", "isPrimary": True}
    for n in range(7):
        registrations.append(registration(f"plain-{n}", additionalData={"depot": 0, "theme": n}))
        devices[f"plain-{n}"] = {
            "registrationEnabled": n % 2 == 0,
            "additionalData": {"depot": n + 1},
        }
    devices["as-it-is"] = {"registrationEnabled": True}
    registrations.append(registration("as-it-is"))
    world = {
        "applications": {"courier-app-code": APPLICATION},
        "people": people,
        "registrations": registrations,
    }
    manifest = {
        "apiVersion": "reconciler/v1",
        "kind": "Devices",
        "application": "courier",
        "people": {f"p{n}": {"externalId": f"courier-{n}"} for n in range(1, 13)},
        "devices": devices,
    }
    return world, manifest


@dataclass(frozen=True, slots=True)
class Stage:
    """A project with a reviewed plan, its record put aside, and where an undisturbed apply ends."""

    project: Project
    forks: Forks
    running: RunningSandbox
    start: World
    plan: Json
    end: Json
    entries: Json
    transactions: int

    def again(self) -> None:
        """Go back to the moment before the apply."""
        shutil.copy(
            self.project.root / "planned.db", self.project.root / ".reconciler" / "state.db"
        )
        (self.project.root / ".reconciler" / "state.db-journal").unlink(missing_ok=True)
        self.running.set_world(self.start)
        self.running.forget_calls()

    def writes(self) -> Counter[tuple[str, str]]:
        """Return how often each write was sent, by operation and path."""
        return Counter(
            (call.operation.value, call.path) for call in self.running.calls() if call.is_write
        )

    def unsettled(self) -> set[tuple[str, str]]:
        """Return the writes that the killed run cannot have known the outcome of."""
        with LocalState.open(self.project.root / ".reconciler" / "state.db", create=False) as state:
            open_ = state.journal.unsettled(self.plan["id"])
        return {(c["operation"], c["path"]) for c in self.plan["calls"] if c["id"] in open_}


def entries(root: Path) -> Json:
    """Return what the record says of each device."""
    with LocalState.open(root / ".reconciler" / "state.db", create=False) as state:
        return dict(state.read().devices)


def said(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"


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
            planned = forks.run("plan", "-o", "plan.json").ran
            assert planned.exit == 0, said(planned)
            shutil.copy(root / ".reconciler" / "state.db", root / "planned.db")
            plan = json.loads((root / "plan.json").read_text("utf-8"))
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
    # A lease taken and given back, a begin and an end, the record, and two entries for each call.
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
    """Kill an apply, go on, and hold the world, the record and the call log against each other."""
    note = f"killed {death.when} transaction {death.transaction}, is_fresh={is_fresh}"
    stage.again()
    killed = stage.forks.run("apply", "plan.json", death=death).ran
    assert killed.exit == -9, f"{note}: {said(killed)}"
    unknown = stage.unsettled()
    if is_fresh:
        planned = stage.forks.run("plan", "-o", "fresh.json").ran
        assert planned.exit == 0, f"{note}: {said(planned)}"
    applied = stage.forks.run("apply", "fresh.json" if is_fresh else "plan.json").ran
    assert applied.exit == 0, f"{note}: {said(applied)}"
    writes = stage.writes()
    twice = {write for write, count in writes.items() if count > 1}

    assert canonical(json.loads(encode_world(stage.running.world()))) == stage.end, note
    assert entries(stage.project.root) == stage.entries, note
    assert twice <= unknown, note
    assert max(writes.values()) <= 2, note
    assert overlapping_writes(stage.running.calls()) == [], note
