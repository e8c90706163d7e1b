"""Protected devices from outside: what no plan does to them, and no apply of an older plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.sandbox.serve import RunningSandbox

from .harness import Project, Sandbox

PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
applications:
  courier: {appCode: courier-app-code}
manifests: [devices.yaml]
safety:
  protect: [{additionalData: {floor: 2}}, {id: board-*}]
"""
DEVICES: Final = """\
apiVersion: reconciler/v1
kind: Devices
application: courier
people:
  ana: {externalId: kurir-1}
  bo: {externalId: kurir-2}
devices:
  till: {owner: ana}
  board-1: {owner: ana}
  phone: {lifecycle: {protect: true}, owner: ana}
"""
IDS: Final = ("till", "board-1", "phone")


def world(*ids: str, **till: Any) -> dict[str, Any]:
    """Ana has these devices; `till` are keys of that one."""
    return {
        "applications": {"courier-app-code": "APPLICATION-ID-1"},
        "people": [{"id": 101, "externalId": "kurir-1"}, {"id": 102, "externalId": "kurir-2"}],
        "registrations": [
            {
                "registrationId": id_,
                "applicationId": "APPLICATION-ID-1",
                "owner": 101,
                "additionalData": till if id_ == "till" else {},
            }
            for id_ in ids
        ],
    }


@pytest.fixture
def service(running: RunningSandbox) -> Sandbox:
    found = Sandbox(running.url)
    found.put_world(world(*IDS, floor=1))
    return found


@pytest.fixture
def project(service: Sandbox, tmp_path: Path) -> Project:
    """All is applied."""
    found = Project(tmp_path, service.url)
    found.write("reconciler.yaml", PROJECT)
    found.write("devices.yaml", DEVICES)
    assert found.run("apply", "--yes").exit == 0
    return found


def test_who_fits_a_rule_since_the_plan_is_left_alone(project: Project, service: Sandbox) -> None:
    """The app says the floor, and says it as 2.0; apply sees it before it moves the device."""
    project.write("devices.yaml", DEVICES.replace("till: {owner: ana}", "till: {owner: bo}"))
    planned = project.run("plan", "-o", "plan.json")
    service.put_world(world(*IDS, floor=2.0))
    applied = project.run("apply", "plan.json")
    again = project.run("plan")

    assert (planned.exit, applied.exit, again.exit) == (0, 3, 1), applied.err
    assert "protected since the plan, by the rule at reconciler.yaml:10:13" in applied.out
    assert "till is protected: this would change the owner of it" in again.out
    assert {one["owner"] for one in service.world()["registrations"]} == {101}


def test_a_protected_device_leaves_once_it_is_gone(project: Project, service: Sandbox) -> None:
    """As long as it is there its entry is missed; afterwards there is nothing left to protect."""
    lines = DEVICES.splitlines(keepends=True)
    project.write("devices.yaml", "".join(one for one in lines if not one.startswith("  board-")))
    missed = project.run("plan")
    project.write("devices.yaml", "".join(lines[:-2]))
    service.put_world(world("till", floor=1))
    left = project.run("apply", "--yes")

    assert (missed.exit, left.exit) == (1, 0), left.out
    assert "board-1 is protected, but it left the files" in missed.out
    assert project.run("state", "list").out.count("\n") == 1
