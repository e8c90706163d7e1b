"""The main job against a service written by hand from the contract's words.

The sandbox and the proof of a plan share one model, and would share its mistakes. The stub shares
no line with it: the scenarios must leave the same worlds there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.platform.assumptions import DETACH, PAGE_PUSH
from tests.stub.server import Stub
from tests.stub.worldfile import nameless, served, shown
from tests.worlds import changed, identity_values

from .harness import ROOT, Project, Ran

# In these somebody loses a device, and in most of them others declare what it shows then.
MOVING: Final = (
    "claim",
    "chain-of-five",
    "crossed-handover",
    "detach",
    "leaving",
    "owners-swapped",
)
SCENARIOS: Final = sorted(path.parent for path in ROOT.glob("tests/scenarios/*/scenario.json"))


def said(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_scenario_elsewhere(folder: Path, tmp_path: Path) -> None:
    """Every scenario ends as it says, and is then done."""
    scenario = json.loads((folder / "scenario.json").read_text("utf-8"))
    exits, then = scenario["exits"], scenario["then"]
    with Stub(served(json.loads((folder / "world.json").read_text("utf-8")))) as stub:
        project = Project(tmp_path, stub.url)
        project.copy(folder)
        if (folder / "before").is_dir():
            project.copy(folder / "before", "devices")
            first = project.run("apply", "--yes")
            assert first.exit == 0, said(first)
            stub.world = served(changed(shown(stub.world), scenario.get("meanwhile", ())))
        before = shown(stub.world)
        project.copy(folder / "devices", "devices")

        planned = project.run("plan", "--detailed-exitcode", "-o", "plan.json")
        assert planned.exit == exits["plan"], said(planned)
        assert nameless(shown(stub.world)) == nameless(before)
        applied = project.run("apply", "plan.json", "--yes")
        assert applied.exit == exits["apply"], said(applied)
        wanted = changed(before, then.get("registrations", ()), then.get("people", ()))
        assert nameless(shown(stub.world)) == nameless(wanted), said(applied)
        again = project.run("plan", "--detailed-exitcode", "--format", "json", "--read", "sweep")
        assert again.exit == exits["again"], said(again)
        assert again.json()["calls"] == []

        everything = planned.out + planned.err + applied.out + applied.err + again.out + again.err
        assert [value for value in identity_values(before) if value in everything] == []


def owners(world: dict[str, Any]) -> dict[str, object]:
    """Return who owns what in a world of people without numbers."""
    return {id_: item["owner"] for id_, item in nameless(world)["registrations"].items()}


@pytest.mark.parametrize("reading", DETACH.readings)
@pytest.mark.parametrize("name", MOVING)
def test_whatever_detaching_clears(name: str, reading: str, tmp_path: Path) -> None:
    """A device that changed hands is as declared, and nothing is left to do."""
    folder = ROOT / "tests" / "scenarios" / name
    scenario = json.loads((folder / "scenario.json").read_text("utf-8"))
    with Stub(served(json.loads((folder / "world.json").read_text("utf-8")))) as stub:
        stub.world.detach = reading
        project = Project(tmp_path, stub.url)
        project.copy(folder)
        if (folder / "before").is_dir():
            project.copy(folder / "before", "devices")
            assert project.run("apply", "--yes").exit == 0
        before = shown(stub.world)
        project.copy(folder / "devices", "devices")
        applied = project.run("apply", "--yes")
        again = project.run("plan", "--detailed-exitcode", "--format", "json")

        assert applied.exit == scenario["exits"]["apply"], said(applied)
        assert (again.exit, again.json()["calls"]) == (scenario["exits"]["again"], []), said(again)
        then = scenario["then"]
        wanted = changed(before, then.get("registrations", ()), then.get("people", ()))
        assert owners(shown(stub.world)) == owners(wanted)


@pytest.mark.parametrize("reading", PAGE_PUSH.readings)
@pytest.mark.parametrize("name", ["every-field", "owners-swapped", "primary-moves"])
def test_whatever_the_entries_of_a_person_show(name: str, reading: str, tmp_path: Path) -> None:
    """A sweep makes the plan that point reads make."""
    folder = ROOT / "tests" / "scenarios" / name
    with Stub(served(json.loads((folder / "world.json").read_text("utf-8")))) as stub:
        stub.world.pages = reading
        project = Project(tmp_path, stub.url)
        project.copy(folder)
        project.copy(folder / "devices", "devices")
        sweep, points = (
            project.run("plan", "--format", "json", "--read", how).json()
            for how in ("sweep", "points")
        )

    assert points["calls"]
    for part in ("changes", "calls", "warnings"):
        assert points[part] == sweep[part]
