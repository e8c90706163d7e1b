"""An app that was installed again: the plan proposes its new id, and a patch that git takes."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from tests.worlds import identity_values

from .harness import Project, Sandbox

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
  limits: {get: 5000, update: 5000, personalize: 5000, depersonalize: 5000, persons: 5000}
applications:
  courier: {appCode: courier-app-code}
manifests: [devices/*.yaml]
"""
MANIFEST = """\
# Couriers of Zagreb
apiVersion: reconciler/v1
kind: Devices
application: courier
people:
  ana: {externalId: external-ana}
  ivo: {externalId: external-ivo}
devices:
  # Ana's own
  old-phone:
    label: Ana's phone
    owner: ana
    additionalData: {shift: night}
  tablet: {owner: ana}
  # Ivo has left
  lost: {owner: ivo}
  loose: {additionalData: {shift: day}}
"""
FAIRPHONE = {"deviceManufacturer": "Fairphone", "deviceModel": "FP5", "os": "Android"}
TABLET = {"deviceManufacturer": "Samsung", "deviceModel": "Tab", "os": "Android"}


def registration(id_: str, owner: int | None, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "registrationId": id_,
        "applicationId": "A1",
        "owner": owner,
        "systemData": data,
        "additionalData": {},
    }


WORLD: dict[str, Any] = {
    "applications": {"courier-app-code": "A1"},
    "people": [{"id": 1, "externalId": "external-ana"}, {"id": 2, "externalId": "external-ivo"}],
    "registrations": [
        registration("old-phone", 1, FAIRPHONE),
        registration("tablet", 1, TABLET),
        registration("lost", 2, FAIRPHONE),
        registration("loose", None, FAIRPHONE),
    ],
}


@pytest.fixture
def applied(tmp_path: Path) -> Iterator[tuple[Project, Sandbox]]:
    """A project that was applied; the state knows what its devices are."""
    with RunningSandbox(SandboxOptions(limits=None)) as running:
        sandbox = Sandbox(running.url)
        sandbox.put_world(WORLD)
        project = Project(tmp_path, running.url)
        project.write("reconciler.yaml", PROJECT)
        project.write("devices/zagreb.yaml", MANIFEST)
        ran = project.run("apply", "--yes")
        assert ran.exit == 0, ran.err
        yield project, sandbox


def reinstall(sandbox: Sandbox, *new: dict[str, Any]) -> None:
    """Ana's phone and Ivo's are gone; these are new."""
    world = copy.deepcopy(sandbox.world())
    world["registrations"] = [
        one for one in world["registrations"] if one["registrationId"] not in ("old-phone", "lost")
    ] + list(new)
    sandbox.put_world(world)


@pytest.mark.parametrize("choice", ["points", "sweep"])
def test_the_new_id_is_proposed_and_patched(applied: tuple[Project, Sandbox], choice: str) -> None:
    """And the next plan of the patched files has nobody gone."""
    project, sandbox = applied
    reinstall(sandbox, registration("new-phone", 1, FAIRPHONE), registration("watch", 1, TABLET))
    ran = project.run("plan", "--read", choice, "--write-patch", "gone.patch", "-o", "plan.json")
    assert ran.exit == 0, ran.err
    assert (
        "Back: 1 device  gone, and perhaps installed again; only proposed, see --write-patch\n"
        '    old-phone -> new-phone  "Ana\'s phone"  courier  devices/zagreb.yaml:10:3\n'
        '        of devices/zagreb.yaml#people.ana too, and a "Fairphone FP5" as well\n'
    ) in ran.out
    assert "Wrote a patch of 2 entries to gone.patch. To take it: git apply gone.patch" in ran.err
    (proposal,) = json.loads((project.root / "plan.json").read_bytes())["proposals"]
    assert ("old-phone", "new-phone", "Fairphone FP5", 1) == (
        proposal["device"],
        proposal["replacement"],
        proposal["model"],
        proposal["couldBe"],
    )
    for form in ("markdown", "html"):
        shown = project.run("show", "plan.json", "--format", form).out
        assert "new-phone" in shown
        assert [value for value in identity_values(WORLD) if value in shown] == []

    subprocess.run(["git", "apply", "gone.patch"], cwd=project.root, check=True)
    text = (project.root / "devices/zagreb.yaml").read_text()
    wanted = MANIFEST.replace("  old-phone:", "  new-phone:")
    assert wanted.replace("  lost: {owner: ivo}\n", "") == text
    after = project.run("plan", "--format", "json").json()
    assert (0, []) == (after["summary"]["gone"], after["proposals"])
    assert {"new-phone": ["update"], "lost": ["release"], "old-phone": ["release"]} == {
        change["device"]: change["actions"] for change in after["changes"]
    }
    assert 0 == project.run("apply", "--yes").exit


def test_of_several_none_is_proposed(applied: tuple[Project, Sandbox]) -> None:
    """It is said, and the entry stays in the files."""
    project, sandbox = applied
    reinstall(sandbox, registration("new-1", 1, FAIRPHONE), registration("new-2", 1, FAIRPHONE))
    ran = project.run("plan", "--write-patch", "gone.patch")
    assert "2 registrations of devices/zagreb.yaml#people.ana could be it" in ran.out
    assert "Wrote a patch of 1 entry" in ran.err
    assert "old-phone" not in "".join(
        line
        for line in (project.root / "gone.patch").read_text().splitlines(keepends=True)
        if line[0] in "+-"
    )


def test_what_cannot_be_edited_is_named(applied: tuple[Project, Sandbox]) -> None:
    """Entries in braces are left to a person; nothing else is lost by that."""
    project, sandbox = applied
    reinstall(sandbox, registration("new-phone", 1, FAIRPHONE))
    flow = MANIFEST.replace("  lost: {owner: ivo}\n", "")
    project.write("devices/zagreb.yaml", flow)
    project.write(
        "devices/flow.yaml",
        "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"
        "people: {ivo: {externalId: external-ivo}}\ndevices: {lost: {owner: ivo}}\n",
    )
    ran = project.run("plan", "--write-patch", "gone.patch")
    assert "devices/flow.yaml:5:11: lost is left out of the patch" in ran.err
    assert "Wrote a patch of 1 entry" in ran.err


@pytest.mark.parametrize("choice", ["points", "sweep"])
def test_of_a_part_another_device_may_be_back_instead(
    applied: tuple[Project, Sandbox], choice: str
) -> None:
    """Whether that is gone too, the plan does not know; so nothing is proposed, nor dropped."""
    project, sandbox = applied
    both = MANIFEST.replace("  tablet: {owner: ana}\n", "  old-too: {owner: ana}\n")
    project.write("devices/zagreb.yaml", both)
    reinstall(sandbox, registration("new-phone", 1, FAIRPHONE))
    ran = project.run(
        *("plan", "--target", "old-phone", "--read", choice),
        *("--write-patch", "gone.patch", "--format", "json"),
    )
    (proposal,) = ran.json()["proposals"]
    assert (None, 1) == (proposal["replacement"], proposal["couldBe"])
    assert "There is nothing to patch" in ran.err


def test_what_nobody_looked_for_is_not_dropped(applied: tuple[Project, Sandbox]) -> None:
    """Here no state and no other device of the plan names the application of what Ana has."""
    project, sandbox = applied
    reinstall(sandbox, registration("new-phone", 1, FAIRPHONE))
    (project.root / ".reconciler/state.db").unlink()
    arguments = ("plan", "--target", "old-phone", "--write-patch", "gone.patch")
    ran = project.run(*arguments)
    assert "Not looked for: 1 device that may be back" in ran.out
    assert "There is nothing to patch" in ran.err
    whole = project.run("plan", "--write-patch", "gone.patch")
    assert "old-phone -> new-phone" in whole.out


def test_a_whole_application_that_is_gone_is_not_patched_away(
    applied: tuple[Project, Sandbox],
) -> None:
    """That is what a wrong application code looks like; who consents gets the patch."""
    project, sandbox = applied
    sandbox.put_world({**WORLD, "registrations": []})
    ran = project.run("plan", "--write-patch", "gone.patch")
    assert ran.exit == 4
    assert "The guard gone:courier refuses this plan; its devices are left out" in ran.err
    assert not (project.root / "gone.patch").exists()
    ran = project.run("plan", "--write-patch", "gone.patch", "--accept", "gone:courier=4")
    # A manifest without devices is none: the last entry stays.
    assert "Wrote a patch of 3 entries to gone.patch" in ran.err
    assert 1 == ran.err.count("is left out of the patch; edit its entry by hand.")


def test_a_patch_is_taken_in_the_directory_of_the_project(
    applied: tuple[Project, Sandbox],
) -> None:
    """What is printed works as it stands, from wherever plan was run."""
    project, sandbox = applied
    reinstall(sandbox, registration("new-phone", 1, FAIRPHONE))
    below = Project(project.root / "devices", project.url)
    ran = below.run("plan", "--write-patch", "gone.patch")
    command = ran.err.partition("To take it: ")[2].split()
    assert command[:2] == ["git", "-C"]
    subprocess.run(command, cwd=project.root.parent, check=True)
    assert "  new-phone:" in (project.root / "devices/zagreb.yaml").read_text()


def test_a_change_of_a_device_keeps_what_it_is(applied: tuple[Project, Sandbox]) -> None:
    """Also where the service does not say it any more; then the new registration is known by it."""
    project, sandbox = applied
    world = copy.deepcopy(sandbox.world())
    for one in world["registrations"]:
        one["systemData"] = {}
    sandbox.put_world(world)
    project.write("devices/zagreb.yaml", MANIFEST.replace("shift: night", "shift: noon"))
    assert 0 == project.run("apply", "--yes").exit
    reinstall(sandbox, registration("new", 1, FAIRPHONE), registration("watch", 1, TABLET))
    (proposal,) = project.run("plan", "--format", "json").json()["proposals"]
    assert ("new", "Fairphone FP5") == (proposal["replacement"], proposal["model"])


def test_with_nothing_gone_no_patch_is_written(applied: tuple[Project, Sandbox]) -> None:
    """And what is there and is no patch is not replaced."""
    project, _ = applied
    ran = project.run("plan", "--write-patch", "gone.patch")
    assert "There is nothing to patch; gone.patch was not written." in ran.err
    assert not (project.root / "gone.patch").exists()
    refused = project.run("plan", "--write-patch", "devices/zagreb.yaml")
    assert 64 == refused.exit
    assert "is no patch" in refused.err
