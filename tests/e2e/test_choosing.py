"""Only what matters, from outside: `--since`, `--select` and `--target` against a sandbox."""

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
manifests: [devices/*.yaml]
"""
HEAD: Final = "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"
ANA: Final = f"""{HEAD}\
people:
  ana: {{externalId: courier-1}}
devices:
  new-phone: {{label: New phone, owner: ana}}
  old-phone: {{label: Old phone, owner: ana, isPrimary: false}}
"""
SPARE: Final = f"""{HEAD}\
defaults: {{additionalData: {{fleet: zagreb}}}}
devices:
  spare-1: {{label: Spare, additionalData: {{floor: 1}}}}
  spare-2: {{additionalData: {{floor: 2, ready: true}}}}
  spare-3: {{additionalData: {{fleet: split}}}}
"""
WORLD: Final[dict[str, Any]] = {
    "applications": {"courier-app-code": "APPLICATION-ID-1"},
    "people": [{"id": 101, "externalId": "courier-1"}],
    "registrations": [
        {"registrationId": "new-phone", "applicationId": "APPLICATION-ID-1", "owner": 101},
        {
            "registrationId": "old-phone",
            "applicationId": "APPLICATION-ID-1",
            "owner": 101,
            "isPrimary": True,
        },
        *(
            {"registrationId": f"spare-{number}", "applicationId": "APPLICATION-ID-1"}
            for number in (1, 2, 3)
        ),
    ],
}


@pytest.fixture
def sandbox(running: RunningSandbox) -> Sandbox:
    sandbox = Sandbox(running.url)
    sandbox.put_world(WORLD)
    return sandbox


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Project:
    """A project in a directory of a repository, committed as `main`."""
    project = Project(tmp_path / "fleet", sandbox.url, within(tmp_path.parent))
    project.write("reconciler.yaml", PROJECT)
    project.write("devices/ana.yaml", ANA)
    project.write("devices/spare.yaml", SPARE)
    project.write(".gitignore", ".home/\n.reconciler/\n*.json\n")
    git(project, "init", "-q", "-b", "main", "..")
    commit(project)
    return project


def within(directory: Path) -> dict[str, str]:
    """Let git look for a repository below a directory only."""
    return {"GIT_CEILING_DIRECTORIES": str(directory)}


def git(project: Project, *arguments: str) -> str:
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.com")
    return subprocess.run(
        ("git", "-C", str(project.root), *who, *arguments),
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def commit(project: Project) -> str:
    git(project, "add", "-A", "..")
    git(project, "commit", "-q", "-m", "a commit")
    return git(project, "rev-parse", "HEAD")


def said(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"


def covered(ran: Ran) -> tuple[list[str], dict[str, Any]]:
    """Return the devices in a plan, and its coverage."""
    assert ran.exit == 0, said(ran)
    document = ran.json()
    return [change["device"] for change in document["changes"]], document["coverage"]


def primary(sandbox: Sandbox) -> list[str]:
    registrations = sandbox.world()["registrations"]
    return sorted(one["registrationId"] for one in registrations if one.get("isPrimary"))


def devices_read(sandbox: Sandbox) -> set[str]:
    calls = sandbox.calls()["calls"]
    return {call["path"].rsplit("/", 1)[1] for call in calls if call["operation"] == "get"}


def test_a_branch_plans_and_applies_what_it_changed(project: Project, sandbox: Sandbox) -> None:
    """The promotion that the branch declares takes along the demotion that main declared, and
    nothing else is read, changed, or noted in the state."""
    git(project, "checkout", "-q", "-b", "branch")
    project.write("devices/ana.yaml", ANA.replace("owner: ana}", "owner: ana, isPrimary: true}"))
    commit(project)
    planned = project.run("plan", "--since", "main", "-o", "plan.json")
    read = devices_read(sandbox)
    applied = project.run("apply", "plan.json")
    known = project.run("state", "list", "--format", "json")

    assert planned.exit == 0, said(planned)
    assert (
        "Covers 1 device chosen by --since main, and 1 that comes along; "
        "3 declared devices are left out.\n"
        "    old-phone comes along for new-phone: it gives up the primary flag first\n"
        "\nPlan: 2 to change. 2 calls"
    ) in planned.out
    assert "Comparing with main (" in planned.err
    assert read == {"new-phone", "old-phone"}
    assert applied.exit == 0, said(applied)
    assert primary(sandbox) == ["new-phone"]
    assert "spare" not in known.out, said(known)


def test_what_main_did_meanwhile_is_no_change_of_the_branch(project: Project) -> None:
    """Compared is with the commit at which the branch left."""
    left = git(project, "rev-parse", "HEAD")
    git(project, "checkout", "-q", "-b", "branch")
    project.write("devices/spare.yaml", SPARE.replace("floor: 1", "floor: 7"))
    commit(project)
    git(project, "checkout", "-q", "main")
    project.write("devices/spare.yaml", SPARE.replace("floor: 2", "floor: 8"))
    commit(project)
    git(project, "checkout", "-q", "branch")
    ran = project.run("plan", "--since", "main", "--format", "json")

    assert covered(ran)[0] == ["spare-1"]
    assert f"Comparing with {left[:10]}, where HEAD and main part." in ran.err


def test_nothing_changed_is_a_plan_of_nothing(project: Project, sandbox: Sandbox) -> None:
    """Other words for the same are no change: comments, order, another file, another label."""
    (project.root / "devices" / "spare.yaml").unlink()
    moved = SPARE.replace("label: Spare", "label: Another").replace("zagreb", '"zagreb"')
    project.write("devices/more.yaml", f"# moved\n{moved}")
    ran = project.run("plan", "--since", "main", "--detailed-exitcode")

    assert (ran.exit, ran.out) == (
        0,
        "Covers nothing: no device is chosen by --since main; 5 declared devices are left out.\n"
        "\nNo changes. No devices are chosen.\n",
    ), said(ran)
    assert sandbox.calls()["calls"] == []


def test_defaults_and_people_reach_their_devices(project: Project) -> None:
    """A changed entry above chooses whom it reaches, and not those that say otherwise."""
    project.write("devices/spare.yaml", SPARE.replace("fleet: zagreb", "fleet: osijek"))
    project.write("devices/ana.yaml", ANA.replace("courier-1", "courier-2"))
    _, coverage = covered(project.run("plan", "--since", "HEAD", "--format", "json"))

    assert (coverage["selectors"], coverage["chosen"], coverage["leftOut"]) == (
        ["--since HEAD"],
        4,
        1,
    )


def test_what_left_the_files_leaves_by_since_and_by_target(project: Project) -> None:
    """And what left before is counted, and stays."""
    assert project.run("apply", "--yes").exit == 0
    project.write("devices/spare.yaml", "\n".join(SPARE.splitlines()[:-1]) + "\n")
    commit(project)
    shorter = "\n".join(SPARE.splitlines()[:-2]) + "\n"
    project.write("devices/spare.yaml", shorter)
    since = covered(project.run("plan", "--since", "HEAD", "--format", "json"))
    target = covered(project.run("plan", "--target", "spare-3", "--format", "json"))
    narrowed = project.run("plan", "--since", "HEAD", "--select", "ready=true", "--format", "json")
    nothing = project.run("plan", "--select", "floor=1", "--format", "json")

    assert (since[0], since[1]["leavingLeftOut"]) == (["spare-2"], 1)
    assert (target[0], target[1]["leavingLeftOut"]) == (["spare-3"], 1)
    assert covered(narrowed)[0] == ["spare-2"]
    assert covered(nothing)[1]["leavingLeftOut"] == 2
    released = project.run("apply", "--yes", "--target", "spare-3")
    assert released.exit == 0, said(released)
    assert "spare-2" in project.run("state", "list").out
    assert "spare-3" not in project.run("state", "list").out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--select", "fleet=zag*"], ["spare-1", "spare-2"]),
        (["--select", "fleet=*", "--select", "floor=2"], ["spare-2"]),
        (["--select", "ready=true"], ["spare-2"]),
        (["--select", "label=Spare"], ["spare-1"]),
        (["--select", "label=spare"], []),
        (["--select", "additionalData.fleet=split"], ["spare-3"]),
        (["--select", "fleet=*", "--target", "spare-3", "--target", "new-phone"], ["spare-3"]),
        (["--target", "spare-1", "--target", "spare-3"], ["spare-1", "spare-3"]),
    ],
    ids=" ".join,
)
def test_what_is_declared_chooses(
    project: Project, options: list[str], expected: list[str]
) -> None:
    """By value and by id; kinds narrow each other."""
    devices, coverage = covered(project.run("plan", *options, "--format", "json"))

    assert (devices, coverage["chosen"]) == (expected, len(expected))
    assert coverage["leftOut"] == 5 - len(expected)


def test_a_change_of_the_project_file_chooses_nothing_and_is_told(project: Project) -> None:
    """What follows from it for all other devices would else be seen by nobody before the merge."""
    assert covered(project.run("plan", "--since", "HEAD", "--format", "json"))[1] == {
        "selectors": ["--since HEAD"],
        "chosen": 0,
        "dependencies": [],
        "leftOut": 5,
        "leavingLeftOut": 0,
        "projectChanged": False,
    }
    before = (project.root / "reconciler.yaml").read_text("utf-8")
    project.write("reconciler.yaml", f"{before}onDrift: {{owner: report}}\n")
    ran = project.run("plan", "--since", "HEAD", "--format", "json")
    told = project.run("plan", "--since", "HEAD", "--format", "markdown")

    assert covered(ran)[1]["projectChanged"] is True
    assert covered(ran)[0] == []
    assert "The project file changed as well" in told.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--select", "fleet"], "'fleet' is not KEY=GLOB"),
        (["--select", "=x"], "'=x' is not KEY=GLOB"),
        (["--select", "flet=x"], "no device declares this key of additionalData. Did you mean"),
        (["--target", "spare-4"], "--target spare-4: no manifest declares this id, and the state"),
    ],
    ids=" ".join,
)
def test_what_chooses_nothing_by_mistake_is_wrong_usage(
    project: Project, arguments: list[str], message: str
) -> None:
    """A key or an id that nobody knows is misspelt."""
    ran = project.run("plan", *arguments)

    assert (ran.exit, ran.out) == (64, ""), said(ran)
    assert message in ran.err


@pytest.mark.parametrize("option", ["--since", "--select", "--target"])
def test_a_saved_plan_is_not_narrowed(project: Project, option: str) -> None:
    """It says itself what it is about."""
    assert project.run("plan", "-o", "plan.json").exit == 0
    ran = project.run("apply", "plan.json", option, "fleet=x")

    assert ran.exit == 64, said(ran)
    assert "a saved plan says itself" in ran.err


@pytest.mark.parametrize("ref", ["nope", "--output=x", "ma\nin", "", "HEAD:fleet", "main..HEAD"])
def test_a_commit_that_is_not_known_is_an_error(project: Project, ref: str) -> None:
    """Nothing is read or written for it, and nothing that was typed reaches a terminal raw."""
    ran = project.run("plan", f"--since={ref}")

    assert (ran.exit, ran.out) == (1, ""), said(ran)
    assert "this repository knows no such commit" in ran.err
    assert len(ran.err.splitlines()) == 2
    assert not (project.root / ".reconciler").exists()
    assert not (project.root / "x").exists()


def test_old_files_that_do_not_parse_are_an_error(project: Project) -> None:
    """It names the commit, the place and the mistake; the files of today may be sound."""
    project.write("devices/spare.yaml", SPARE.replace("floor", "isPrimry: 1, floor"))
    project.write("devices/spare.yaml", f"{HEAD}devices: {{spare-1: {{isPrimry: 1}}}}\n")
    broken = commit(project)
    project.write("devices/spare.yaml", SPARE)
    ran = project.run("plan", "--since", "HEAD")

    assert (ran.exit, ran.out) == (1, ""), said(ran)
    assert f"1 mistake in the files at HEAD ({broken[:10]})" in ran.err
    assert "devices/spare.yaml:4:21: error[E152]: Unknown field: `isPrimry`" in ran.err


def test_a_project_that_was_not_there_is_all_new(project: Project) -> None:
    """The branch that brings it plans all of it."""
    project.write("../README", "x")
    git(project, "checkout", "-q", "--orphan", "before")
    git(project, "rm", "-rq", "--cached", "..")
    git(project, "add", "../README")
    git(project, "commit", "-q", "-m", "before")
    git(project, "checkout", "-qf", "main")
    ran = project.run("plan", "--since", "before", "--format", "json")

    assert covered(ran)[1]["chosen"] == 5
    assert "There was no reconciler.yaml at before" in ran.err


def test_a_shallow_clone_without_the_commit_says_how_to_get_it(project: Project) -> None:
    """What actions/checkout makes unless it is told otherwise."""
    commit_of_then = git(project, "rev-parse", "HEAD")
    project.write("devices/spare.yaml", SPARE.replace("floor: 1", "floor: 7"))
    commit(project)
    git(project, "clone", "-q", "--depth=1", project.root.parent.as_uri(), "../clone")
    clone = Project(project.root.parent / "clone" / "fleet", project.url, project.variables)
    ran = clone.run("plan", "--since", commit_of_then)

    assert ran.exit == 1, said(ran)
    assert "this clone is shallow" in ran.err
    assert "fetch-depth: 0" in ran.err


def test_outside_of_git_since_is_an_error_and_the_rest_works(
    project: Project, tmp_path: Path
) -> None:
    """A directory without a repository has no past."""
    bare = Project(tmp_path / "bare", project.url, project.variables)
    bare.root.mkdir()
    bare.copy(project.root)
    bare.copy(project.root / "devices", "devices")
    (tmp_path / ".git").rename(tmp_path / "git-is-gone")
    ran = bare.run("plan", "--since", "main")

    assert ran.exit == 1, said(ran)
    assert "is in no Git repository" in ran.err
    assert bare.run("plan", "--target", "spare-1").exit == 0


def test_without_the_program_since_is_an_error(project: Project, tmp_path: Path) -> None:
    """And everything else works."""
    ran = project.run("plan", "--since", "main", PATH=str(tmp_path))

    assert ran.exit == 1, said(ran)
    assert "the program git is not there" in ran.err
    assert project.run("plan", "--target", "spare-1", PATH=str(tmp_path)).exit == 0


def test_from_elsewhere_and_with_a_project_file_of_another_name(project: Project) -> None:
    """`-C` and `--config` find the same files in the past."""
    (project.root / "reconciler.yaml").rename(project.root / "fleet.yaml")
    project.write("devices/spare.yaml", SPARE.replace("floor: 1", "floor: 6"))
    commit(project)
    project.write("devices/spare.yaml", SPARE.replace("floor: 1", "floor: 7"))
    above = Project(project.root.parent, project.url, project.variables)
    ran = above.run(
        *("-C", "fleet", "--config", "fleet.yaml", "plan"), *("--since", "HEAD", "--format", "json")
    )

    assert covered(ran)[0] == ["spare-1"]


def test_links_to_files_are_followed_in_the_past_too(project: Project) -> None:
    """A manifest that is a link is the file it leads to, then and now."""
    project.write("shared/more.yaml", f"{HEAD}devices: {{spare-4: {{isPrimary: false}}}}\n")
    (project.root / "devices" / "more.yaml").symlink_to("../shared/more.yaml")
    commit(project)
    project.write("shared/more.yaml", f"{HEAD}devices: {{spare-4: {{isPrimary: true}}}}\n")
    changed = covered(project.run("plan", "--since", "HEAD", "--format", "json"))[1]
    commit(project)
    same = covered(project.run("plan", "--since", "HEAD", "--format", "json"))[1]

    assert (changed["chosen"], same["chosen"]) == (1, 0)


def test_apply_without_a_file_takes_the_same_options(project: Project, sandbox: Sandbox) -> None:
    """It plans, shows what it covers, and carries out that much."""
    ran = project.run("apply", "--yes", "--select", "floor=*")
    left = project.run("plan", "--format", "json")

    assert ran.exit == 0, said(ran)
    assert "Covers 2 devices chosen by --select floor=*; 3 declared devices are left out." in (
        ran.err
    )
    assert "Applied: 2 calls" in ran.out
    assert [change["device"] for change in left.json()["changes"]] == [
        *("new-phone", "old-phone", "spare-3"),
    ]
