"""The example pipelines, played for real: from a branch to a release, on GitHub and on GitLab.

Their commands are taken out of the example files and run as the runners run them, against a sandbox
and a state on another machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import replace

from reconciler.plan.document import decode, digest_of, encode
from reconciler.platform.operations import WRITES
from reconciler.sandbox.fleet import fleet
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from tests.forge.github import GitHub
from tests.forge.gitlab import GitLab
from tests.forge.repository import Repository
from tests.forge.runner import Played
from tests.forge.server import Forge, Request, Text, serving
from tests.stub.terraform_state import PASSWORD

from .harness import ROOT, Project, Sandbox
from .test_drift import behind_our_back

pytestmark = pytest.mark.timeout(400)

EXAMPLES: Final = ROOT / "examples"
DEPOT: Final = "devices/depot.yaml"
SPARE: Final = "30260345-DD9E-4EC1-A000-000000000039"
GATE: Final = "3EE57890-41C9-4AC3-A000-000000000009"
DAY: Final = "{fleet: zagreb, shift: day}"
AT_THE_GATE: Final = "{fleet: split, shift: day}"
READ: Final = "key-that-may-read"
WRITE: Final = "key-that-may-write"
SECRETS: Final = frozenset({READ, WRITE, "courier-app-code", PASSWORD})
Side = GitHub | GitLab


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with RunningSandbox(SandboxOptions(world=fleet(40), limits=None)) as running:
        yield Sandbox(running.url)


@pytest.fixture
def forge() -> Iterator[Forge]:
    with serving() as running:
        yield running


@pytest.fixture(params=["github", "gitlab"])
def side(request: pytest.FixtureRequest, sandbox: Sandbox, forge: Forge, tmp_path: Path) -> Side:
    """A repository that began as the example, with its settings made and its state started."""
    return (
        github(sandbox, forge, tmp_path)
        if request.param == "github"
        else (gitlab(sandbox, forge, tmp_path))
    )


def github(sandbox: Sandbox, forge: Forge, directory: Path) -> GitHub:
    record = (directory / "record").as_uri()
    hub = GitHub(
        directory,
        forge,
        Repository.start(directory, EXAMPLES / "github-actions"),
        variables={"INFOBIP_BASE_URL": sandbox.url, "RECONCILER_STATE_URL": record},
        secrets={"INFOBIP_READ_KEY": READ, "COURIER_APP_CODE": "courier-app-code"},
        protected={"INFOBIP_WRITE_KEY": WRITE},
    )
    begin(hub, RECONCILER_STATE_URL=record)
    return hub


def gitlab(sandbox: Sandbox, forge: Forge, directory: Path) -> GitLab:
    lab = GitLab(
        directory,
        forge,
        Repository.start(directory, EXAMPLES / "gitlab-ci"),
        variables={
            "INFOBIP_BASE_URL": sandbox.url,
            "INFOBIP_READ_KEY": READ,
            "COURIER_APP_CODE": "courier-app-code",
        },
        protected={"INFOBIP_WRITE_KEY": WRITE},
    )
    address = f"{forge.url}/api/v4/projects/{forge.project}/terraform/state/devices"
    begin(lab, RECONCILER_STATE_ADDRESS=address, RECONCILER_STATE_PASSWORD=PASSWORD)
    return lab


def begin(side: Side, **variables: str) -> None:
    """Start the state by hand, once, as the example says."""
    ran = Project(side.repository.clone).run("state", "init", **variables)
    assert ran.exit == 0, ran.err


def branch(side: Side, name: str, old: str, new: str, *, is_fork: bool = False) -> int:
    """Push a change of the depot's devices, and ask for it to be merged."""
    side.repository.push(name, {DEPOT: (old, new)}, f"{name}: {new}")
    return side.request(name, is_fork=is_fork)


def data_of(sandbox: Sandbox, device: str) -> dict[str, Any]:
    found = [one for one in sandbox.world()["registrations"] if one["registrationId"] == device]
    return dict(found[0].get("additionalData", {}))


def others(world: dict[str, Any], *devices: str) -> dict[str, Any]:
    """Return a world without these devices and the times of people."""
    left = [one for one in world["registrations"] if one["registrationId"] not in devices]
    return {**world, "registrations": left}


def plan_of(side: Side, played: Played) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(side.forge.runs[played.number].artifacts["plan"]["plan.json"])
    return kept


def report_of(side: Side, played: Played) -> dict[str, Any]:
    kept = side.forge.runs[played.number].artifacts
    report: dict[str, Any] = json.loads((kept.get("report") or kept["apply"])["report.json"])
    return report


def forgery(data: bytes) -> bytes:
    """Return a plan that does more, with a digest that fits; nobody but the state has the seal."""
    plan = decode(data)
    first, *rest = plan.calls
    more = replace(first, body={**(first.body or {}), "isPrimary": True})
    forged = replace(plan, calls=(more, *rest))
    return encode(replace(forged, digest=digest_of(forged)))


def shown(summary: str) -> list[int]:
    """Count how often a plan, and the spare phone in one, stand in a summary."""
    return [summary.count("### Reconciler plan"), summary.count(f"**`{SPARE}`")]


def chooser(side: Side) -> str:
    return "choose" if isinstance(side, GitHub) else "reviewed-plan"


def test_from_a_branch_to_a_release(side: Side, sandbox: Sandbox) -> None:
    """Reviewed, merged, approved: exactly the plan of the last push happens, and nothing before."""
    before = sandbox.world()
    number = branch(side, "night", DAY, "{fleet: zagreb, shift: night}")

    stranger = Text(1, "<!-- reconciler:plan -->\nMine, and first", "stranger")
    side.forge.comments[1] = stranger
    first = side.pushed(number, "night")
    assert first.outcomes == {"validate": "success", "plan": "success"}, first.log
    assert stranger.body.endswith("Mine, and first")
    _, comment = side.forge.comments.values()
    assert comment.body.startswith("<!-- reconciler:plan -->")
    assert '"night"' in comment.body
    assert plan_of(side, first)["id"] in comment.body

    side.repository.push("night", {DEPOT: ("shift: night", "shift: evening")}, "Evening")
    second = side.pushed(number, "night")
    assert set(second.outcomes.values()) == {"success"}, second.log
    assert [comment.edits, len(side.forge.comments)] == [1, 2]
    assert '"evening"' in comment.body
    assert '"night"' not in comment.body
    reviewed = plan_of(side, second)
    # The phones of Ana are no change of this branch.
    assert [change["device"] for change in reviewed["changes"]] == [SPARE]

    main = side.merge(number)
    waiting = side.after_push(main, approved=False)
    assert waiting.outcomes == {chooser(side): "success", "apply": "waiting"}, waiting.log
    assert "evening" in waiting.jobs[chooser(side)].told
    if isinstance(side, GitHub):
        assert [1, 1] == shown(second.jobs["plan"].summary)
        assert [1, 1] == shown(waiting.jobs["choose"].summary)
    assert sandbox.world() == before

    released = side.after_push(main)
    assert set(released.outcomes.values()) == {"success"}, released.log
    assert "Applied: 1 call" in released.jobs["apply"].told
    assert report_of(side, released)["plan"] == reviewed["id"]
    assert report_of(side, released)["complete"] is True
    assert data_of(sandbox, SPARE)["shift"] == "evening"
    assert others(sandbox.world(), SPARE) == others(before, SPARE)

    again = side.after_push(main)
    assert set(again.outcomes.values()) == {"success"}, again.log
    assert "was applied at" in again.log


def test_drift_is_told_every_night(side: Side, sandbox: Sandbox) -> None:
    """Nothing while all is as applied; then one issue, or a red pipeline; then nothing again."""
    number = branch(side, "night", DAY, "{fleet: zagreb, shift: night}")
    side.pushed(number, "night")
    released = side.after_push(side.merge(number))
    assert set(released.outcomes.values()) == {"success"}, released.log

    quiet = side.nightly()
    assert quiet.outcomes == {"drift": "success"}, quiet.log
    assert side.forge.issues == {}

    behind_our_back(sandbox.url, SPARE, {"additionalData": {"shift": "noon"}})
    told = side.nightly()
    assert SPARE in told.log
    assert "noon" in told.log
    if isinstance(side, GitHub):
        assert told.outcomes == {"drift": "success"}, told.log
        (issue,) = side.forge.issues.values()
        assert issue.body.startswith("<!-- reconciler:drift -->")
        assert "noon" in issue.body
        side.nightly()
        assert (len(side.forge.issues), issue.edits, issue.is_open) == (1, 1, True)
    else:
        assert told.outcomes == {"drift": "failure"}
        assert "exit code 2" in told.log
        assert b"noon" in side.forge.runs[told.number].artifacts["drift"]["drift.md"]

    behind_our_back(sandbox.url, SPARE, {"additionalData": {"shift": "night"}})
    before = sandbox.world()
    mended = side.nightly()
    assert mended.outcomes == {"drift": "success"}, mended.log
    assert all(not issue.is_open for issue in side.forge.issues.values())
    assert sandbox.world() == before


def test_a_mistake_stands_beside_its_line(side: Side, sandbox: Sandbox) -> None:
    """A pull request that does not validate is not planned; nobody asks the service."""
    if isinstance(side, GitHub):
        side.variables = {**side.variables, "RECONCILER_CODE_SCANNING": "true"}
    number = branch(side, "slip", "registrationEnabled: true", "registrationEnabeld: true")
    played = side.pushed(number, "slip")

    assert played.outcomes == {"validate": "failure", "plan": "skipped"}, played.log
    assert side.forge.comments == {}
    assert sandbox.calls()["calls"] == []
    if isinstance(side, GitHub):
        assert re.search(
            r"^::error title=E152[^,]*,file=devices/depot.yaml,line=\d", played.log, re.M
        )
        (run,) = side.scanned[0]["runs"]
        assert [result["ruleId"] for result in run["results"]] == ["E152"]
    else:
        assert "devices/depot.yaml:5:3: error[E152]" in played.log


def test_a_plan_that_cannot_be_made_says_so_in_the_same_comment(side: Side) -> None:
    """The plan of an older push must not stand there as if it were of the newer."""
    number = branch(side, "night", DAY, "{fleet: zagreb, shift: night}")
    side.pushed(number, "night")
    side.variables = {**side.variables, "INFOBIP_READ_KEY": "revoked"}
    if isinstance(side, GitHub):
        side.secrets = {**side.secrets, "INFOBIP_READ_KEY": "revoked"}
    played = side.pushed(number, "night")

    assert played.outcomes == {"validate": "success", "plan": "failure"}, played.log
    (comment,) = side.forge.comments.values()
    assert comment.edits == 1
    assert "There is no plan of the last push" in comment.body
    assert "night" not in comment.body


def test_a_plan_that_stands_in_the_repository_is_none_of_this_push(side: Side) -> None:
    """Somebody committed one by mistake: where none can be made, that is what the comment says."""
    number = branch(side, "night", DAY, "{fleet: zagreb, shift: night}")
    made = side.pushed(number, "night")
    plan = side.forge.runs[made.number].artifacts["plan"]["plan.json"].decode()
    side.repository.push("night", {}, "A plan, too", {"plan.json": plan})
    side.variables = {**side.variables, "INFOBIP_READ_KEY": "revoked"}
    if isinstance(side, GitHub):
        side.secrets = {**side.secrets, "INFOBIP_READ_KEY": "revoked"}
    played = side.pushed(number, "night")

    assert played.outcomes == {"validate": "success", "plan": "failure"}, played.log
    (comment,) = side.forge.comments.values()
    assert "There is no plan of the last push" in comment.body


def test_what_a_stranger_wrote_commands_no_runner(
    sandbox: Sandbox, forge: Forge, tmp_path: Path
) -> None:
    """GitHub's runner obeys some of what a step prints; labels and live values are none of it."""
    hub = github(sandbox, forge, tmp_path)
    vile = {"fleet": "##[add-mask]a", "shift": "##[stop-commands]all"}
    behind_our_back(sandbox.url, SPARE, {"additionalData": vile})
    old = f"label: Spare phone of the depot\n    additionalData: {DAY}"
    new = 'label: "##[set-output name=changes]0"\n    additionalData: {fleet: zagreb, shift: night}'
    hub.repository.push("night", {DEPOT: (old, new)}, "Night")
    number = hub.request("night")
    planned = hub.pushed(number, "night")
    assert set(planned.outcomes.values()) == {"success"}, planned.log
    assert "##[add-mask]a" in planned.jobs["plan"].log
    behind_our_back(sandbox.url, SPARE, {"additionalData": {"shift": "##[group]other"}})
    main = hub.merge(number)
    released = hub.after_push(main)
    assert released.outcomes["apply"] == "failure", released.log
    assert "##[set-output name=changes]0" in released.jobs["apply"].log
    anew = hub.by_hand()
    assert set(anew.outcomes.values()) == {"success"}, anew.log
    assert "##[group]other" in anew.jobs["choose"].log

    seen = {
        f"{name} {number}": set(job.commands) - {"stop-commands"}
        for number, played in enumerate((planned, released, anew))
        for name, job in played.jobs.items()
    }
    assert {name: found for name, found in seen.items() if found} == {"apply 1": {"error"}}
    stopped = [job.commands.count("stop-commands") for job in planned.jobs.values()]
    assert stopped == [0, 1]


def test_a_fork_is_validated_only(side: Side, sandbox: Sandbox, forge: Forge) -> None:
    """A stranger's branch meets no secret. Once merged there is no reviewed plan, so nothing is
    applied, until somebody plans all of main by hand and that is approved."""
    before = sandbox.world()
    number = branch(side, "stranger", DAY, "{fleet: zagreb, shift: night}", is_fork=True)
    played = side.pushed(number, "stranger")

    ran = {name for name, outcome in played.outcomes.items() if outcome != "skipped"}
    assert ran == {"validate"}
    assert played.outcomes["validate"] == "success", played.log
    seen = {
        value
        for job in played.jobs.values()
        for one in job.environments
        for name, value in one.items()
        if name != "CI_JOB_TOKEN" and not name.startswith("RECONCILER_STATE")
    }
    assert seen
    assert seen.isdisjoint(SECRETS)
    assert forge.comments == {}
    assert sandbox.calls()["calls"] == []

    merged = side.after_push(side.merge(number))
    assert merged.outcomes == {chooser(side): "failure", "apply": "skipped"}, merged.log
    assert "No reviewed plan" in merged.log
    assert sandbox.world() == before

    waiting = side.by_hand(approved=False)
    assert waiting.outcomes["apply"] == "waiting", waiting.log
    assert sandbox.world() == before
    if isinstance(side, GitHub):
        assert [1, 1] == shown(waiting.jobs["choose"].summary)
    released = side.by_hand()
    assert set(released.outcomes.values()) == {"success"}, released.log
    assert data_of(sandbox, SPARE)["shift"] == "night"


def test_a_change_of_no_device_asks_nobody(side: Side, sandbox: Sandbox) -> None:
    """A label is no change: the plan is empty, and so is what is approved or applied."""
    number = branch(side, "label", "Phone at the gate", "Phone at the back gate")
    planned = side.pushed(number, "label")
    assert set(planned.outcomes.values()) == {"success"}, planned.log
    assert plan_of(side, planned)["changes"] == []
    released = side.after_push(side.merge(number))

    if isinstance(side, GitHub):
        assert released.outcomes == {"choose": "success", "apply": "skipped"}, released.log
    else:
        assert set(released.outcomes.values()) == {"success"}, released.log
    assert not {call["operation"] for call in sandbox.calls()["calls"]} & set(WRITES)


def test_main_knows_what_was_merged_into_it(side: Side) -> None:
    """No plan is taken of a commit that was pushed past review, nor where two requests hold it, or
    the one that does was merged elsewhere, or its last run is not green."""
    number = branch(side, "night", DAY, "{fleet: zagreb, shift: night}")
    planned = side.pushed(number, "night")
    main = side.merge(number)
    request = side.forge.requests[number]

    def refused() -> str:
        played = side.after_push(main)
        assert played.outcomes == {chooser(side): "failure", "apply": "skipped"}, played.log
        assert "No reviewed plan" in played.log
        return played.log

    side.forge.runs[planned.number].outcome = "failure"
    assert "green" in refused()
    side.forge.runs[planned.number].outcome = "success"
    side.forge.requests[1] = Request(1, request.head, merged_as=request.merged_as)
    assert "Several" in refused()
    del side.forge.requests[1]
    # Of a fork, although somebody let it run here: on GitLab a member may do that.
    foreign = side.forge.runs[planned.number] if isinstance(side, GitHub) else request
    foreign.is_fork = True
    refused()
    foreign.is_fork = False
    request.base = "another"
    refused()
    request.base, request.merged_as = "main", None
    refused()


def test_a_plan_that_is_outdated_is_refused(side: Side, sandbox: Sandbox) -> None:
    """Two branches change one device; what was reviewed of the second is not what it would be now.
    Nor is a plan applied that somebody changed on the way."""
    one = branch(side, "gate", AT_THE_GATE, "{fleet: split, shift: night}")
    side.pushed(one, "gate")
    other = branch(side, "off", "registrationEnabled: true", "registrationEnabled: false")
    planned = side.pushed(other, "off")
    assert set(planned.outcomes.values()) == {"success"}, planned.log
    first = side.after_push(side.merge(one))
    assert set(first.outcomes.values()) == {"success"}, first.log
    before = sandbox.world()

    main = side.merge(other)
    kept = side.forge.runs[planned.number].artifacts["plan"]
    honest = kept["plan.json"]
    kept["plan.json"] = forgery(honest)
    forged = side.after_push(main)
    assert forged.outcomes == {chooser(side): "success", "apply": "failure"}, forged.log
    assert "changed after it was made" in forged.log
    assert "exit code 4" in forged.log

    kept["plan.json"] = honest
    refused = side.after_push(main)
    assert refused.outcomes == {chooser(side): "success", "apply": "failure"}, refused.log
    assert f"{GATE}: its declaration changed since the plan" in refused.log
    assert "exit code 4" in refused.log
    assert "Plan again" in refused.jobs["apply"].told
    assert sandbox.world() == before

    anew = side.by_hand()
    assert set(anew.outcomes.values()) == {"success"}, anew.log
    world = {one["registrationId"]: one for one in sandbox.world()["registrations"]}
    assert world[GATE]["registrationEnabled"] is False
    assert world[GATE]["additionalData"]["shift"] == "night"
    # All that main declares, the phones of Ana too.
    assert world["CC06C316-52EB-4438-A000-00000000002D"]["isPrimary"] is True


def test_of_an_artifact_only_the_plan_is_taken(
    sandbox: Sandbox, forge: Forge, tmp_path: Path
) -> None:
    """Whoever may push a branch decides what its run keeps: no file of that stands among main's,
    and none is run."""
    hub = github(sandbox, forge, tmp_path)
    number = branch(hub, "night", DAY, "{fleet: zagreb, shift: night}")
    planned = hub.pushed(number, "night")
    kept = forge.runs[planned.number].artifacts["plan"]
    kept["json.py"] = b"import sys\nsys.exit('a module of a stranger')\n"
    waiting = hub.after_push(hub.merge(number), approved=False)

    assert waiting.outcomes == {"choose": "success", "apply": "waiting"}, waiting.log
    assert "a module of a stranger" not in waiting.log
    assert {"plan.json"} == forge.runs[waiting.number].artifacts["plan"].keys()


def test_what_moved_meanwhile_is_left_alone(side: Side, sandbox: Sandbox) -> None:
    """Exit code 3: the job is red, and its table says which device and why; the rest is done."""
    number = branch(
        side,
        "night",
        "additionalData: {fleet: zagreb, shift: day}\n",
        "additionalData: {shift: night}\n",
    )
    side.repository.push("night", {DEPOT: (AT_THE_GATE, "{shift: night}")}, "The gate too")
    planned = side.pushed(number, "night")
    assert set(planned.outcomes.values()) == {"success"}, planned.log
    behind_our_back(sandbox.url, GATE, {"additionalData": {"shift": "noon"}})
    released = side.after_push(side.merge(number))

    assert released.outcomes["apply"] == "failure", released.log
    told = released.jobs["apply"].told
    assert "exit code 3" in told
    assert "Incomplete: the table says" in told
    assert re.search(rf"stale .*{GATE}", told)
    assert report_of(side, released)["complete"] is False
    assert data_of(sandbox, GATE)["shift"] == "noon"
    assert data_of(sandbox, SPARE)["shift"] == "night"


def test_no_job_may_more_than_it_does(sandbox: Sandbox, forge: Forge, tmp_path: Path) -> None:
    """Each permission of a token is used; what is not granted would have been refused."""
    hub = github(sandbox, forge, tmp_path)
    number = branch(hub, "night", DAY, "{fleet: zagreb, shift: night}")
    hub.pushed(number, "night")
    hub.after_push(hub.merge(number))
    behind_our_back(sandbox.url, SPARE, {"additionalData": {"shift": "noon"}})
    hub.nightly()
    # Git and the SARIF are no calls of the API that is played here.
    elsewhere = {"contents": "read", "security-events": "write"}
    granted = {
        token.split("-", 2)[2]: {key: value for key, value in one.items() if key not in elsewhere}
        for token, one in forge.granted.items()
    }
    needed = {token.split("-", 2)[2]: one for token, one in forge.needed.items()}

    assert granted.keys() == {"validate", "plan", "choose", "apply", "drift"}
    assert {name: one for name, one in granted.items() if one} == needed
    assert all(one["contents"] == "read" for one in forge.granted.values())
