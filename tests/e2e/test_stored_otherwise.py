"""Applied means that the answer shows it: a service that stores other values than it was sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

import reconciler
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from tests.stub.odd import OddWorld, serve

from .harness import Project, Ran, Sandbox
from .test_drift import behind_our_back

PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
applications:
  courier: {appCode: code}
manifests: [devices.yaml]
"""
# By reading: what is declared, and how it is stored.
CHANGED: Final[dict[str, tuple[str, str, str]]] = {
    "date-time": ("2027-03-31", '"2027-03-31"', '"2027-03-31T00:00:00Z"'),
    "text": ("7", "7", '"7"'),
    "trim": ("'ring twice '", '"ring twice "', '"ring twice"'),
    "case": ("Night", '"Night"', '"night"'),
    "float32": ("0.1", "0.1", "0.10000000149011612"),
}


def begin(root: Path, url: str, value: str, more: str = "") -> Project:
    """Write a project of one device with one key, in a world that has it with another."""
    registration = {
        "registrationId": "one",
        "applicationId": "A",
        "additionalData": {"note": "before", "theirs": "x"},
    }
    world: dict[str, Any] = {"applications": {"code": "A"}, "registrations": [registration]}
    Sandbox(url).put_world(world)
    project = Project(root, url)
    project.write("reconciler.yaml", PROJECT + more)
    declare(project, f"{{additionalData: {{note: {value}}}}}")
    return project


def declare(project: Project, device: str) -> None:
    project.write(
        "devices.yaml",
        "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"
        f"devices:\n  one: {device}\n  two: {{lifecycle: {{onRemove: release}}}}\n",
    )


def planned(project: Project) -> tuple[list[str], list[str]]:
    """Return the actions on the device, and the warnings about it."""
    ran = project.run("plan", "--format", "json")
    assert ran.exit == 0, ran.err
    document = json.loads(ran.out)
    actions = [one for change in document["changes"] for one in change["actions"] if one != "gone"]
    return actions, [warning["code"] for warning in document["warnings"]]


def rows(ran: Ran) -> dict[str, str]:
    return {row["device"]: row["outcome"] for row in json.loads(ran.out)["rows"]}


@pytest.mark.parametrize("reading", CHANGED)
def test_a_value_in_another_form_is_said_remembered_and_no_drift(
    reading: str, tmp_path: Path
) -> None:
    """Exit 3 with field, sent and stored; then no change and no drift, with a note each time."""
    value, sent, stored = CHANGED[reading]
    with RunningSandbox(SandboxOptions(assume={"normalises": reading}, limits=None)) as running:
        project = begin(tmp_path, running.url, value)
        applied = project.run("apply", "--yes")
        assert 3 == applied.exit, applied.out
        assert "stored-otherwise" in applied.out
        assert f"additionalData.note: sent {sent}, stored {stored}" in applied.out
        assert ([], ["stored-otherwise"]) == planned(project)
        drift = project.run("drift", "--detailed-exitcode", "--format", "json")
        assert [device["device"] for device in drift.json()["devices"]] == []
        again = project.run("apply", "--yes")
        assert (0, "Nothing to apply.\n") == (again.exit, again.out)

        # Somebody else's change is drift, as ever.
        behind_our_back(running.url, "one", {"additionalData": {"note": "theirs"}})
        moved = project.run("drift", "--detailed-exitcode")
        assert 2 == moved.exit
        assert "additionalData.note  is" in moved.out
        assert "(changed by others)" in moved.out
        assert ["update"] == planned(project)[0]
        assert 3 == project.run("apply", "--yes").exit

        # It is still ours when it leaves the files, and a change of the file is a change.
        declare(project, "{additionalData: {note: plain}}")
        assert (["update"], []) == planned(project)
        assert 0 == project.run("apply", "--yes").exit
        declare(project, f"{{additionalData: {{note: {value}}}}}")
        assert 3 == project.run("apply", "--yes").exit
        declare(project, "{}")
        assert ["update"] == planned(project)[0]
        assert 0 == project.run("apply", "--yes").exit
        (device,) = running.world().registrations.values()
        assert {"theirs": "x"} == device.additional_data


def test_what_the_service_ignores_stays_a_change(tmp_path: Path) -> None:
    """It was not applied: each plan says so again, and never that others moved it."""
    with RunningSandbox(SandboxOptions(assume={"normalises": "ignore"}, limits=None)) as running:
        project = begin(tmp_path, running.url, "after")
        declare(project, "{registrationEnabled: false, additionalData: {note: after}}")
        applied = project.run("apply", "--yes")
        assert 3 == applied.exit
        assert 'additionalData.note: sent "after", stored "before"' in applied.out
        assert "registrationEnabled: sent false, stored true" in applied.out
        for _ in range(2):
            plan = project.run("plan")
            assert "1 to change" in plan.out
            assert "others" not in plan.out
        assert 0 == project.run("drift", "--detailed-exitcode").exit


def test_hidden_values_stay_hidden(tmp_path: Path) -> None:
    """In the table and in the report: that they differ is said, and nothing else."""
    with RunningSandbox(SandboxOptions(assume={"normalises": "trim"}, limits=None)) as running:
        hidden = "privacy: {hide: [additionalData.note]}\n"
        project = begin(tmp_path, running.url, "'ring twice '", hidden)
        applied = project.run("apply", "--yes", "--report", "report.json")
        report = (tmp_path / "report.json").read_text("utf-8")

    assert 3 == applied.exit
    for text in (applied.out + applied.err, report):
        assert "additionalData.note: sent (hidden), stored (hidden)" in text
        assert "ring" not in text


def test_a_shared_state_remembers_both_forms(tmp_path: Path) -> None:
    """The next run may be on another machine."""
    with RunningSandbox(SandboxOptions(assume={"normalises": "case"}, limits=None)) as running:
        (tmp_path / "shared").mkdir()
        shared = f"state: {{backend: objectstore, url: 'file://{tmp_path}/shared'}}\n"
        project = begin(tmp_path, running.url, "Night", shared)
        assert 0 == project.run("state", "init").exit
        assert 3 == project.run("apply", "--yes").exit
        assert ([], ["stored-otherwise"]) == planned(project)


Stored = Callable[[object], object]


def fleet_project(root: Path, url: str, value: object) -> reconciler.Project:
    """Write a project of one device that declares `fleet`; the world has it as zagreb."""
    written = Project(root, url)
    written.write("reconciler.yaml", PROJECT)
    document = {"apiVersion": "reconciler/v1", "kind": "Devices", "application": "courier"}
    devices = {"one": {"additionalData": {"fleet": value}}}
    written.write("devices.yaml", json.dumps({**document, "devices": devices}))
    return reconciler.open(root, environ=written.environment())


def fields_of(plan: reconciler.Plan) -> list[tuple[str, str]]:
    """Return the fields that a plan changes, and why."""
    return [
        (field["path"], field["reason"])
        for change in json.loads(plan.to_json())["changes"]
        for field in change["fields"]
    ]


@pytest.mark.parametrize(
    ("value", "stores", "shown"),
    [
        (True, lambda value: str(value).lower(), '"true"'),
        ("split", lambda value: [value], "(list)"),
        ("split", lambda value: {"value": value}, "(object)"),
        ("split", lambda value: None, "nothing"),
    ],
    ids=["boolean as text", "in a list", "in an object", "dropped"],
)
def test_any_other_form_is_remembered_also_that_of_no_value(
    value: object, stores: Stored, shown: str, tmp_path: Path
) -> None:
    """No change, no drift and a note, however far the form is from what was sent."""
    world = OddWorld(stores=stores)
    world.add(1, "c-one", "one")
    with serve(world) as url:
        project = fleet_project(tmp_path, url, value)
        (row,) = project.apply().rows
        assert f"sent {json.dumps(value)}, stored {shown}" in (row.detail or "")
        plan = project.plan()
        assert [] == fields_of(plan)
        assert ["stored-otherwise"] == [
            warning["code"] for warning in json.loads(plan.to_json())["warnings"]
        ]
        assert [] == list(project.drift().devices)
        assert project.apply().complete

        # What somebody else writes there is drift, as ever.
        world.registrations["one"]["additionalData"]["fleet"] = "theirs"
        (moved,) = project.drift().devices
        assert "one" == moved.device
        assert [("additionalData.fleet", "drift")] == fields_of(project.plan())


@pytest.mark.parametrize("odd", ["text", 7, [1], True])
def test_an_answer_that_says_nothing_of_a_key_teaches_the_state_nothing(
    odd: object, tmp_path: Path
) -> None:
    """Data that cannot be read as a whole are not data without keys: the next plan looks again."""
    world = OddWorld(answers=lambda registration: {**registration, "additionalData": odd})
    world.add(1, "c-one", "one")
    with serve(world) as url:
        project = fleet_project(tmp_path, url, "split")
        (row,) = project.apply().rows
        assert "stored-otherwise" == row.outcome
        world.registrations["one"]["additionalData"]["fleet"] = "theirs"
        assert [("additionalData.fleet", "declared")] == fields_of(project.plan())
