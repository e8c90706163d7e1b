"""Whole jobs as folders of data: plan, apply, plan again, and the world that is left.

A folder holds `world.json` (what the sandbox starts from), `reconciler.yaml`, `devices/`, and
`scenario.json`: `about`; `exits` of `plan --detailed-exitcode`, `apply` and the second plan;
`then`, the whole of what has changed in the world afterwards: everything else must be as it was.
With `before/` those manifests are applied first, so that the state knows them, and `meanwhile`
is what others change after that. `assume` switches readings of the sandbox.
`expected/` holds what the plan shows in every form: plan.txt, plan.json, plan.md, plan.html (what
its <main> holds; the whole page stands among the golden files of tests/unit/render), calls.txt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import replace

from reconciler.plan.document import decode
from reconciler.plan.model import Plan
from reconciler.render import calls, markdown
from reconciler.render.html import page as html
from reconciler.render.spans import plain
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from tests.e2e.harness import Project, Ran, Sandbox
from tests.worlds import canonical, changed, identity_values

HERE: Final = Path(__file__).parent
SCENARIOS: Final = sorted(path.parent for path in HERE.glob("*/scenario.json"))
# Random or of this very moment: ids, times, and everything keyed by the state's random key.
VOLATILE: Final = frozenset({"id", "createdAt", "digest", "seal", "lineage"})
KEYED: Final = frozenset({"declaration", "before"})
MEASURED: Final = frozenset({"forecastSeconds", "seconds", "latencySeconds"})


def normalised(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan document without what differs from run to run."""
    result = {key: value for key, value in plan.items() if key not in VOLATILE}
    state = plan["inputs"]["state"]
    result["inputs"] = {"state": {"serial": state["serial"]}}
    result["changes"] = [
        {key: value for key, value in change.items() if key not in KEYED}
        for change in plan["changes"]
    ]
    for part in ("summary", "forecast"):
        result[part] = {key: value for key, value in plan[part].items() if key not in MEASURED}
    return result


def settled(plan: Plan) -> Plan:
    """Return a plan with what differs from run to run always the same."""
    return replace(
        plan,
        id="01J9ZQ4M8T",
        created_at="2026-03-31T09:30:00Z",
        digest="9e107d9d372bb6826bd81d3542a419d6",
        summary=replace(plan.summary, forecast_seconds=1.0),
    )


def rendered(plan: Plan) -> dict[str, str]:
    """Return the renderings of a plan that no other test of a scenario has made already."""
    page = html.render(plan)
    return {
        "plan.md": markdown.render(plan),
        "plan.html": page[page.index("<main>") : page.index("<script>")],
        "calls.txt": plain(calls.lines(plan)),
    }


def compare(file: Path, text: str, update: bool) -> None:
    """Hold a text against its golden file, or write that."""
    if update:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    assert text == (file.read_text("utf-8") if file.exists() else "")


def said(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_scenario(folder: Path, tmp_path: Path, update_golden: bool) -> None:
    """The plan is the expected one, apply does it and nothing else, and nothing is left to do."""
    scenario = json.loads((folder / "scenario.json").read_text("utf-8"))
    world = json.loads((folder / "world.json").read_text("utf-8"))
    exits = scenario["exits"]
    options = SandboxOptions(assume=scenario.get("assume", {}), limits=None)
    with RunningSandbox(options) as running:
        sandbox = Sandbox(running.url)
        sandbox.put_world(world)
        project = Project(tmp_path, running.url)
        project.copy(folder)
        if (folder / "before").is_dir():
            project.copy(folder / "before", "devices")
            applied = project.run("apply", "--yes")
            assert applied.exit == 0, said(applied)
            sandbox.put_world(changed(sandbox.world(), scenario.get("meanwhile", ())))
        before = sandbox.world()
        project.copy(folder / "devices", "devices")

        planned = project.run("plan", "--detailed-exitcode", "-o", "plan.json")
        assert planned.exit == exits["plan"], said(planned)
        assert canonical(sandbox.world()) == canonical(before), "plan wrote"
        document = (tmp_path / "plan.json").read_text("utf-8")
        shown = json.dumps(normalised(json.loads(document)), indent=2, ensure_ascii=False) + "\n"
        compare(folder / "expected" / "plan.json", shown, update_golden)
        compare(folder / "expected" / "plan.txt", without_ids(planned.out), update_golden)
        forms = rendered(settled(decode(document.encode())))
        for name, text in forms.items():
            compare(folder / "expected" / name, text, update_golden)

        applied = project.run("apply", "plan.json", "--yes")
        assert applied.exit == exits["apply"], said(applied)
        then = scenario["then"]
        wanted = changed(before, then.get("registrations", ()), then.get("people", ()))
        assert canonical(sandbox.world()) == canonical(wanted), said(applied)

        again = project.run("plan", "--detailed-exitcode", "--format", "json", "--read", "sweep")
        assert again.exit == exits["again"], said(again)
        assert again.json()["calls"] == []
        assert [change for change in again.json()["changes"] if change["actions"] != ["gone"]] == []

        everything = "".join(
            (
                *(planned.out, planned.err, document, *forms.values()),
                *(applied.out, applied.err, again.out, again.err),
            )
        )
        known = identity_values(before) | identity_values(sandbox.world())
        assert [value for value in sorted(known) if value in everything] == []


def without_ids(text: str) -> str:
    """Return a shown plan without the plan's own id, should it be shown, and without how long
    apply takes on this machine."""
    text = re.sub(r"about [\d.]+ (s|min|h)\b", "about <time>", text)
    return re.sub(
        r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{32,64}\b", "<id>", text
    )


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_every_form_is_kept(folder: Path) -> None:
    """A rendering whose golden file was lost would be compared with nothing."""
    assert sorted(file.name for file in (folder / "expected").iterdir()) == [
        *("calls.txt", "plan.html", "plan.json", "plan.md", "plan.txt")
    ]


def test_the_handovers_have_their_scenarios() -> None:
    """A folder that lost its scenario.json would silently not run."""
    folders = sorted(path for path in HERE.iterdir() if (path / "devices").is_dir())

    assert folders == SCENARIOS
