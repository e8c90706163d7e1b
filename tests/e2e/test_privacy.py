"""Privacy from outside: people that are not in Git, values that no output holds."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.sandbox.serve import RunningSandbox

from .harness import Project, Ran, Sandbox

PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
applications:
  courier: {appCode: courier-app-code}
manifests: ["[dp]*/*.yaml"]
peopleFrom: [people/zg.yaml]
privacy: {show: [externalId], hide: [additionalData.email]}
"""
HEAD: Final = "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"
DEVICES: Final = f"""{HEAD}\
people:
  bo: {{externalId: kurir-2}}
devices:
  ana-phone: {{owner: ana, additionalData: {{email: ana@new.test, shift: night}}}}
  bo-phone: {{owner: bo}}
"""
PEOPLE: Final = """\
apiVersion: reconciler/v1
kind: People
people:
  ana: {externalId: kurir-1}
"""
WORLD: Final[dict[str, Any]] = {
    "applications": {"courier-app-code": "APPLICATION-ID-1"},
    "people": [{"id": 101, "externalId": "kurir-1"}, {"id": 102, "externalId": "kurir-2"}],
    "registrations": [
        {
            "registrationId": id_,
            "applicationId": "APPLICATION-ID-1",
            "owner": owner,
            "additionalData": data,
        }
        for id_, owner, data in (
            ("ana-phone", 101, {"email": "ana@old.test", "mine": 1}),
            ("bo-phone", None, {}),
            ("cy-phone", 101, {}),
        )
    ],
}
PRIVATE: Final = ("ana@new.test", "ana@old.test", "kurir-1")


@pytest.fixture
def sandbox(running: RunningSandbox) -> Sandbox:
    found = Sandbox(running.url)
    found.put_world(WORLD)
    return found


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Project:
    found = Project(tmp_path, sandbox.url)
    found.write("reconciler.yaml", PROJECT)
    found.write("devices/zg.yaml", DEVICES)
    found.write("people/zg.yaml", PEOPLE)
    return found


def said(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"


def data_of(sandbox: Sandbox, id_: str) -> Any:
    return next(
        one.get("additionalData")
        for one in sandbox.world()["registrations"]
        if one["registrationId"] == id_
    )


def test_what_is_hidden_is_sent_and_never_shown(project: Project, sandbox: Sandbox) -> None:
    """A reviewed plan is applied: the values come from the manifests; only Bo is shown."""
    planned = project.run("plan", "-o", "plan.json")
    saved = (project.root / "plan.json").read_text("utf-8")
    applied = project.run("apply", "plan.json", "--format", "json")
    everything = "".join((said(planned), saved, said(applied)))

    assert planned.exit == 0, said(planned)
    assert "(hidden) -> (hidden)" in planned.out
    assert "devices/zg.yaml#people.bo (externalId kurir-2)" in planned.out
    assert applied.exit == 0, said(applied)
    assert [value for value in PRIVATE if value in everything] == []
    assert data_of(sandbox, "ana-phone") == {"email": "ana@new.test", "shift": "night", "mine": 1}
    assert project.run("plan", "--detailed-exitcode").exit == 0


def test_drift_of_a_hidden_key_is_told_and_not_shown(project: Project, sandbox: Sandbox) -> None:
    """Who moved it, and that it moved."""
    assert project.run("apply", "--yes").exit == 0
    world = sandbox.world()
    for one in world["registrations"]:
        if one["registrationId"] == "ana-phone":
            one["additionalData"]["email"] = "third@x.test"
        if one["registrationId"] == "bo-phone":
            one["owner"] = None
    sandbox.put_world(world)
    shown = [project.run("drift", "--format", form) for form in ("text", "json", "markdown")]
    everything = "".join(map(said, shown))

    assert "additionalData.email  is (hidden), applied (hidden)" in shown[0].out
    assert shown[1].json()["people"] == {"devices/zg.yaml#people.bo": {"externalId": "kurir-2"}}
    assert all("(externalId kurir-2)" in shown[number].out for number in (0, 2))
    assert [one for one in (*PRIVATE, "third@x.test") if one in everything] == []


def test_without_the_file_of_people_validate_warns_and_the_rest_refuses(project: Project) -> None:
    """A fork's pipeline has no key to decrypt it; nothing may be planned with half of it."""
    (project.root / "people" / "zg.yaml").unlink()
    checked = project.run("validate")
    refused = [project.run(*one) for one in (("plan",), ("apply", "--yes"), ("drift",))]

    assert (checked.exit, checked.out) == (0, "No mistakes: 2 devices in 2 files.\n")
    assert 'reconciler.yaml:9:14: warning[W303]: The file of people "people/zg.yaml"' in checked.err
    assert "E208" not in checked.err
    for ran in refused:
        assert ran.exit == 1, said(ran)
        assert "reconciler.yaml:9:14: error[E316]" in ran.err
        assert "The pipeline has to put it there" in ran.err
    assert not (project.root / ".reconciler").exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "people/zg.yaml:1:1: error[E157]"),
        ("kind: [", "people/zg.yaml:2:1: error[E104]"),
        (PEOPLE.replace("kurir-1", "[kurir-1]"), "people/zg.yaml:4:21: error[E151]"),
        (PEOPLE + "  bo: {externalId: kurir-9}\n", "devices/zg.yaml:5:3: error[E216]"),
    ],
)
def test_a_file_of_people_with_mistakes(project: Project, text: str, code: str) -> None:
    """They are told as those of manifests are, and no value with them."""
    project.write("people/zg.yaml", text)
    checked = project.run("validate")

    assert checked.exit == 1
    assert code in checked.err, said(checked)
    assert "E208" not in checked.err
    assert [one for one in ("kurir-1", "kurir-9") if one in said(checked)] == []


def test_a_file_of_people_that_leads_elsewhere_is_not_read(project: Project) -> None:
    """A link out of the project, and a directory, are mistakes for validate too."""
    file = project.root / "people" / "zg.yaml"
    elsewhere = project.root.parent / f"{project.root.name}-elsewhere.yaml"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    linked = project.run("validate")
    file.unlink()
    file.mkdir()
    directory = project.run("validate")

    assert (linked.exit, directory.exit) == (1, 1)
    assert "people/zg.yaml:1:1: error[E101]" in linked.err
    assert "people/zg.yaml:1:1: error[E101]" in directory.err


def git(project: Project, *arguments: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@x.test", "-c", "commit.gpgsign=false")
    subprocess.run(
        ("git", "-C", str(project.root), *who, *arguments),
        check=True,
        capture_output=True,
        env=project.environment(),
    )


def test_since_takes_the_people_of_now_for_those_of_then(project: Project) -> None:
    """Their file has no history. Moving Bo into it chooses nothing: he is the same."""
    here = {"GIT_CEILING_DIRECTORIES": str(project.root.parent)}
    project.write(".gitignore", "people/\n.home/\n.reconciler/\n")
    git(project, "init", "-q", "-b", "main")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "one")
    unchanged = project.run("plan", "--since", "main", "--format", "json", **here)
    project.write("people/zg.yaml", f"{PEOPLE}  bo: {{externalId: kurir-2}}\n")
    project.write("devices/zg.yaml", DEVICES.replace("people:\n  bo: {externalId: kurir-2}\n", ""))
    moved = project.run("plan", "--since", "main", "--format", "json", **here)
    project.write("devices/zg.yaml", DEVICES.replace("owner: ana", "owner: bo"))
    project.write("people/zg.yaml", PEOPLE.replace("ana:", "cy:"))
    changed = project.run("plan", "--since", "main", "--format", "json", **here)

    for ran, count in ((unchanged, 0), (moved, 0), (changed, 1)):
        assert ran.exit == 0, said(ran)
        assert ran.json()["coverage"]["chosen"] == count


def test_import_writes_nothing_of_people_from_outside(project: Project) -> None:
    """Their names are owners; their values stay outside of Git."""
    ran = project.run("import", "--application", "courier", "-o", "devices")
    written = (project.root / "devices" / "courier.yaml").read_text("utf-8")

    assert ran.exit == 0, said(ran)
    assert "owner: ana" in written
    assert "people:" not in written
    assert "kurir-1" not in written + said(ran)
