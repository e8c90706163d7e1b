"""`apply --max-duration`: an apply whose forecast is longer does not begin, and nothing is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.platform.operations import WRITES
from reconciler.platform.worldfile import decode_world
from reconciler.sandbox.serve import RunningSandbox

from .harness import Project, Ran

APPLICATION = "APPLICATION-ID-1"
# 160 updates at 50 a second: a forecast of 3.2 s.
DEVICES = 160
PROJECT = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
  limits: {get: 500}
  quotaShare: 1
applications:
  courier: {appCode: courier-app-code}
manifests: [devices.yaml]
"""


def said(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"


@pytest.fixture
def project(running: RunningSandbox, tmp_path: Path) -> Project:
    """A project with a saved plan of 160 updates; the plan's own calls are forgotten."""
    ids = [f"device-{number:03}" for number in range(DEVICES)]
    world = {
        "applications": {"courier-app-code": APPLICATION},
        "people": [],
        "registrations": [{"registrationId": id_, "applicationId": APPLICATION} for id_ in ids],
    }
    running.set_world(decode_world(json.dumps(world).encode()))
    running.clear_faults()
    project = Project(tmp_path, running.url)
    project.write("reconciler.yaml", PROJECT)
    project.write(
        "devices.yaml",
        "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\ndevices:\n"
        + "".join(f"  {id_}: {{additionalData: {{k: 1}}}}\n" for id_ in ids),
    )
    planned = project.run("plan", "-o", "plan.json")
    assert planned.exit == 0, said(planned)
    running.forget_calls()
    return project


def operations(running: RunningSandbox) -> set[str]:
    return {call.operation for call in running.calls()}


def test_a_plan_that_takes_longer_is_refused(project: Project, running: RunningSandbox) -> None:
    """What, measured, limit, fix; nothing is sent, not even a read, and no lock is kept."""
    refused = project.run("apply", "plan.json", "--max-duration", "2s", "--report", "report.json")
    again = project.run("state", "unlock")

    assert refused.exit == 4, said(refused)
    assert refused.out == ""
    assert refused.err.splitlines() == [
        "error: Refused, nothing was changed: this apply would take longer than it may.",
        "  measured  4 s: 160 calls (160 update) and 160 reads (160 get)",
        "  limit     2 s: --max-duration",
        "  Give it longer: --max-duration 1m. Or apply parts: plan --since, --select or --target. "
        "Or raise api.limits or api.quotaShare, if the account has more.",
    ]
    assert running.calls() == ()
    assert not (project.root / "report.json").exists()
    assert (again.exit, "Nobody" in again.out + again.err) == (0, True), said(again)


def test_what_the_document_says_of_its_time_is_not_believed(
    project: Project, running: RunningSandbox
) -> None:
    """It is no part of the digest, so anybody could write a zero there."""
    file = project.root / "plan.json"
    plan: dict[str, Any] = json.loads(file.read_bytes())
    plan["summary"]["forecastSeconds"] = 0.0
    plan["forecast"] = {
        "seconds": 0.0,
        "calls": dict.fromkeys(plan["forecast"]["calls"], 0),
        "chain": 0,
        "latencySeconds": 0.0,
    }
    file.write_text(json.dumps(plan))
    refused = project.run("apply", "plan.json", "--max-duration", "2s")

    assert refused.exit == 4, said(refused)
    assert "160 calls (160 update) and 160 reads (160 get)" in refused.err
    assert running.calls() == ()


def test_without_a_file_it_is_refused_before_the_question(
    project: Project, running: RunningSandbox
) -> None:
    """The plan is made and shown, which only reads; nobody is asked about it."""
    refused = project.run("apply", "--max-duration", "2s")

    assert refused.exit == 4, said(refused)
    assert "Plan: 160 to change" in refused.err
    assert "  limit     2 s: --max-duration" in refused.err
    assert "Make these" not in refused.out + refused.err
    assert not operations(running) & WRITES


def test_what_an_earlier_run_has_done_does_not_count(
    project: Project, running: RunningSandbox
) -> None:
    """100 are done when the key is denied; the rest takes a bit more than a second."""
    running.set_faults(["update:401@#101+"])
    ended = project.run("apply", "plan.json", "--max-duration", "10s")
    running.clear_faults()
    refused = project.run("apply", "plan.json", "--max-duration", "1s")
    went_on = project.run("apply", "plan.json", "--max-duration", "2s")

    assert ended.exit == 3, said(ended)
    assert went_on.exit == 0, said(went_on)
    assert "Going on with this plan" in went_on.err
    assert refused.exit == 4, said(refused)
    assert "100 calls of an earlier run left out" in refused.err, said(refused)


def test_it_is_a_duration(project: Project) -> None:
    """Nothing at all is none."""
    for wrong in ("0", "soon"):
        ran = project.run("apply", "plan.json", "--max-duration", wrong)
        assert ran.exit == 64, said(ran)
