"""The main job against a service written by hand from the contract's words.

The sandbox and the proof of a plan share one model, and would share its mistakes. The stub shares
no line with it: the scenarios must leave the same worlds there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from tests.stub.server import Stub
from tests.stub.worldfile import nameless, served, shown
from tests.worlds import changed, identity_values

from .harness import ROOT, Project, Ran

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
