"""The command line from outside: streams, exit codes, refusals, and what must never be said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from reconciler.platform.operations import WRITES
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from tests.introspection import commands, formats

from .harness import KEY, ROOT, TIMEOUT, Project, Ran, Sandbox

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
MANIFEST: Final = """\
apiVersion: reconciler/v1
kind: Devices
application: courier
people:
  ana: {externalId: courier-118, phoneNumber: "+385911234567"}
devices:
  ana-phone:
    label: Ana's phone
    owner: ana
    isPrimary: true
    additionalData: {shift: night}
  spare-phone: {registrationEnabled: true}
"""
WORLD: Final[dict[str, Any]] = {
    "applications": {"courier-app-code": "APPLICATION-ID-1"},
    "people": [
        {"id": 101, "externalId": "courier-118", "phoneNumbers": ["385911234567"]},
        {"id": 102, "externalId": "courier-204"},
        {"id": 900, "type": "LEAD"},
    ],
    "registrations": [
        {
            "registrationId": "ana-phone",
            "applicationId": "APPLICATION-ID-1",
            "owner": 101,
            "additionalData": {"shift": "day", "theme": "dark"},
        },
        {"registrationId": "spare-phone", "applicationId": "APPLICATION-ID-1", "owner": 900},
    ],
}


@pytest.fixture
def sandbox(running: RunningSandbox) -> Sandbox:
    """The sandbox of this module, with the world above and no calls so far."""
    sandbox = Sandbox(running.url)
    sandbox.put_world(WORLD)
    return sandbox


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Project:
    project = Project(tmp_path, sandbox.url)
    project.write("reconciler.yaml", PROJECT)
    project.write("devices/zagreb.yaml", MANIFEST)
    return project


def calls(sandbox: Sandbox) -> list[Any]:
    found = sandbox.calls()["calls"]
    assert isinstance(found, list)
    return found


def writes(sandbox: Sandbox) -> list[str]:
    return [call["operation"] for call in calls(sandbox) if call["operation"] in set(WRITES)]


def said(ran: Ran) -> str:
    return f"exit {ran.exit}\n{ran.out}\n{ran.err}"


@pytest.mark.parametrize(
    "arguments",
    [
        (*command.path, *before, choice.parameter, "nonsense")
        for command in commands()
        for choice in command.choices
        if choice.parameter.startswith("-")
        for before in [("--application", "a", "-o", "d") if command.name == "import" else ()]
    ],
    ids=" ".join,
)
def test_a_value_that_cannot_be_chosen_is_wrong_usage(
    project: Project, arguments: tuple[str, ...]
) -> None:
    """Of every option that chooses; the message says what can be chosen."""
    ran = project.run(*arguments)

    assert (ran.exit, ran.out) == (64, ""), said(ran)
    assert "'nonsense' is not one of" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [(), ("nonsense",), ("plan", "--format", "poem"), ("plan", "extra"), ("--nonsense", "plan")],
    ids=" ".join,
)
def test_wrong_usage_is_64(project: Project, arguments: tuple[str, ...]) -> None:
    """Wrong usage says so on stderr, prints no result, and has its own exit code."""
    ran = project.run(*arguments)

    assert (ran.exit, ran.out) == (64, ""), said(ran)
    assert ran.err


def test_validate_needs_neither_network_nor_secrets(project: Project, sandbox: Sandbox) -> None:
    """Good files pass with no variable set, and nobody is called."""
    bare = Project(project.root, variables={"SANDBOX_URL": "", "SANDBOX_KEY": ""})
    ran = bare.run("validate")

    assert ran.exit == 0, said(ran)
    assert calls(sandbox) == []


def test_validate_names_every_mistake_with_its_place(project: Project) -> None:
    """All mistakes of all files at once, as places a terminal can jump to; never a value."""
    project.write("devices/a.yaml", MANIFEST.replace("isPrimary: true", "isPrimry: true"))
    project.write("devices/b.yaml", MANIFEST.replace("owner: ana", "owner: anna"))
    ran = project.run("validate")

    assert ran.exit == 1, said(ran)
    assert "devices/a.yaml:10:5: error[" in ran.out + ran.err
    assert "devices/b.yaml:9:12: error[" in ran.out + ran.err
    assert "isPrimary" in ran.out + ran.err
    assert "385911234567" not in ran.out + ran.err


def test_plan_writes_nothing_and_tells_changes_by_its_exit_code(
    project: Project, sandbox: Sandbox
) -> None:
    """0 without --detailed-exitcode, 2 with it; the service sees reads only."""
    plain = project.run("plan")
    detailed = project.run("plan", "--detailed-exitcode")

    assert plain.exit == 0, said(plain)
    assert detailed.exit == 2, said(detailed)
    assert writes(sandbox) == []
    assert "\x1b" not in plain.out + plain.err
    assert "Ana's phone" in plain.out


def test_main_job(project: Project, sandbox: Sandbox) -> None:
    """validate, plan, apply, and an empty plan: the state is written, the undeclared key stays."""
    assert project.start("validate").exit == 0
    assert project.start("plan", "-o", "plan.json").exit == 0
    applied = project.start("apply", "plan.json", "--yes")
    assert applied.exit == 0, said(applied)
    again = project.start("plan", "--detailed-exitcode")
    assert again.exit == 0, said(again)

    registrations = {item["registrationId"]: item for item in sandbox.world()["registrations"]}
    assert registrations["ana-phone"]["isPrimary"] is True
    assert registrations["ana-phone"]["additionalData"] == {"shift": "night", "theme": "dark"}
    assert writes(sandbox) == ["update"]


def test_a_finished_plan_is_not_carried_out_twice(project: Project, sandbox: Sandbox) -> None:
    """The second apply of one plan calls nothing and exits 0."""
    project.run("plan", "-o", "plan.json")
    assert project.run("apply", "plan.json", "--yes").exit == 0
    before = writes(sandbox)
    again = project.run("apply", "plan.json", "--yes")

    assert again.exit == 0, said(again)
    assert writes(sandbox) == before


def test_apply_without_a_terminal_and_without_yes_is_refused(
    project: Project, sandbox: Sandbox
) -> None:
    """Nobody there to ask: 4, and nothing is changed."""
    ran = project.run("apply")

    assert ran.exit == 4, said(ran)
    assert writes(sandbox) == []


def test_apply_plans_by_itself(project: Project, sandbox: Sandbox) -> None:
    """Without FILE and with --yes: plan and apply in one."""
    ran = project.run("apply", "--yes")

    assert ran.exit == 0, said(ran)
    assert writes(sandbox) == ["update"]


def test_a_plan_that_somebody_edited_is_refused(project: Project, sandbox: Sandbox) -> None:
    """Any change that decides the effect breaks the digest."""
    project.run("plan", "-o", "plan.json")
    text = (project.root / "plan.json").read_text("utf-8")
    project.write("plan.json", text.replace('"night"', '"noon"'))
    ran = project.run("apply", "plan.json", "--yes")

    assert ran.exit == 4, said(ran)
    assert writes(sandbox) == []


def test_a_plan_of_other_manifests_is_refused(project: Project, sandbox: Sandbox) -> None:
    """What was reviewed is what happens: the files moved on, so the plan is outdated."""
    project.run("plan", "-o", "plan.json")
    project.write("devices/zagreb.yaml", MANIFEST.replace("night", "noon"))
    ran = project.run("apply", "plan.json", "--yes")

    assert ran.exit == 4, said(ran)
    assert writes(sandbox) == []


def test_a_plan_of_another_record_is_refused(project: Project, sandbox: Sandbox) -> None:
    """A plan belongs to one lineage."""
    project.run("plan", "-o", "plan.json")
    for file in (project.root / ".reconciler").iterdir():
        file.unlink()
    assert project.run("plan").exit == 0
    ran = project.run("apply", "plan.json", "--yes")

    assert ran.exit == 4, said(ran)
    assert writes(sandbox) == []


def test_what_moved_since_the_plan_is_left_alone(project: Project, sandbox: Sandbox) -> None:
    """Stale: somebody changed the declared part after the plan was made; exit 3, nothing sent."""
    project.run("plan", "-o", "plan.json")
    moved = json.loads(json.dumps(WORLD))
    moved["registrations"][0]["additionalData"]["shift"] = "evening"
    sandbox.put_world(moved)
    before = sandbox.world()
    ran = project.run("apply", "plan.json", "--yes")

    assert ran.exit == 3, said(ran)
    assert "stale" in ran.out + ran.err
    assert sandbox.world() == before
    assert writes(sandbox) == []


def test_an_undeclared_key_that_moved_since_the_plan_is_kept(
    project: Project, sandbox: Sandbox
) -> None:
    """Only the declared part counts, and what is carried is what stands there right before."""
    project.run("plan", "-o", "plan.json")
    moved = json.loads(json.dumps(WORLD))
    moved["registrations"][0]["additionalData"]["theme"] = "light"
    sandbox.put_world(moved)
    ran = project.run("apply", "plan.json", "--yes")

    registrations = {item["registrationId"]: item for item in sandbox.world()["registrations"]}
    assert ran.exit == 0, said(ran)
    assert registrations["ana-phone"]["additionalData"] == {"shift": "night", "theme": "light"}


def test_a_pattern_that_matches_nothing_is_refused(project: Project) -> None:
    """A moved folder must not look like a fleet that left."""
    project.write("reconciler.yaml", PROJECT.replace("devices/*.yaml", "device/*.yaml"))
    ran = project.run("plan")

    assert ran.exit == 4, said(ran)
    assert "reconciler.yaml:8" in ran.out + ran.err


@pytest.mark.parametrize("key", ["revoked-key-12345", "forbidden-key-12345"])
def test_a_refused_key_is_an_error_that_does_not_show_it(project: Project, key: str) -> None:
    """401 and 403 end the plan with what the service said, never with the key."""
    ran = project.run("plan", SANDBOX_KEY=key)
    traced = project.run("-v", "plan", SANDBOX_KEY=key)

    assert ran.exit == 1, said(ran)
    assert traced.exit == 1, said(traced)
    assert "40" in ran.err
    assert key not in ran.out + ran.err + traced.out + traced.err


@pytest.mark.parametrize(
    "url",
    [
        "https://attacker.example",
        "http://api.infobip.com",
        "https://api.infobip.com.attacker.example",
        "https://attacker.example/.infobip.com",
        "https://user:pass@attacker.example",
        "file:///etc/passwd",
        "nonsense",
    ],
)
def test_a_base_url_elsewhere_is_refused(project: Project, sandbox: Sandbox, url: str) -> None:
    """A pull request cannot send the key to another host."""
    ran = project.run("plan", SANDBOX_URL=url)

    assert ran.exit == 1, said(ran)
    assert KEY not in ran.out + ran.err
    assert "pass@" not in ran.out + ran.err
    assert calls(sandbox) == []


def test_a_missing_variable_is_named_with_its_place(project: Project) -> None:
    """`${SANDBOX_KEY}` that is not set: which, and where it is asked for."""
    variables = project.environment()
    del variables["SANDBOX_KEY"]
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "reconciler", "plan"],
        cwd=project.root,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert ran.returncode == 1, ran.stderr
    assert "SANDBOX_KEY" in ran.stderr
    assert "reconciler.yaml:5:" in ran.stderr


def test_a_service_that_is_not_there_is_an_error_not_a_crash(project: Project) -> None:
    """No listener: exit 1, and no talk of a bug."""
    ran = project.run("plan", SANDBOX_URL="http://127.0.0.1:9")

    assert ran.exit == 1, said(ran)
    assert "bug in reconciler" not in ran.err


def test_log_lines_are_json_when_asked(project: Project) -> None:
    """Every line of stderr is a JSON object; stdout is still the result."""
    ran = project.run("--log-format", "json", "plan", "--format", "json")
    broken = project.run("--log-format", "json", "plan", SANDBOX_KEY="revoked")

    assert ran.exit == 0, said(ran)
    assert ran.json()["formatVersion"] == "1.0"
    for line in (ran.err + broken.err).splitlines():
        assert isinstance(json.loads(line), dict), line
    assert broken.err


@pytest.mark.parametrize("form", formats("show"))
def test_show_prints_what_plan_printed(project: Project, form: str) -> None:
    """A saved plan shows as the fresh one did, in every form, and holds no identity value."""
    planned = project.run("plan", "-o", "plan.json", "--format", form)
    shown = project.run("show", "plan.json", "--format", form)

    assert (planned.exit, shown.exit) == (0, 0), said(planned) + said(shown)
    assert shown.out == planned.out
    assert "courier-118" not in shown.out
    assert "385911234567" not in shown.out


def test_another_directory_and_a_project_above(project: Project, tmp_path: Path) -> None:
    """-C and the search upwards find the project; file arguments are relative to -C."""
    elsewhere = Project(tmp_path / "devices", project.url)
    upwards = elsewhere.run("plan", "--format", "json")
    away = Project(tmp_path.parent, project.url)
    directed = away.run("-C", str(tmp_path), "plan", "-o", "plan.json", "--format", "json")

    assert upwards.exit == 0, said(upwards)
    assert directed.exit == 0, said(directed)
    assert (tmp_path / "plan.json").is_file()
    assert directed.json()["changes"] == upwards.json()["changes"]


def test_a_second_apply_meets_the_lease_and_its_holder(project: Project) -> None:
    """Of two applies at once one goes on, and the other exits 5 and says who holds the state."""
    assert project.run("plan", "-o", "plan.json").exit == 0
    # Each call takes two seconds: whoever is first is at work when the other one comes.
    with RunningSandbox(SandboxOptions(limits=None, latency=2.0)) as slow:
        Sandbox(slow.url).put_world(WORLD)
        both = [
            subprocess.Popen(
                [sys.executable, "-P", "-m", "reconciler", "apply", "plan.json", "--yes"],
                cwd=project.root,
                env={**project.environment(), "SANDBOX_URL": slow.url},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        told = [process.communicate(timeout=TIMEOUT)[1] for process in both]
        exits = [process.returncode for process in both]
        sent = writes(Sandbox(slow.url))

    assert sorted(exits) == [0, 5], told
    refused = exits.index(5)
    assert str(both[1 - refused].pid) in told[refused]
    assert sent == ["update"]


def test_a_reader_that_goes_away_is_no_error(project: Project) -> None:
    """`reconciler plan | true`: no traceback."""
    ran = subprocess.run(
        f"{sys.executable} -P -m reconciler plan --format json | true",
        shell=True,
        cwd=project.root,
        env=project.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert "Traceback" not in ran.stderr
    assert "bug in reconciler" not in ran.stderr


def test_a_finished_plan_is_a_report_without_rows(project: Project) -> None:
    """Applied again it calls nothing and exits 0; a program that reads JSON gets JSON."""
    assert project.run("plan", "-o", "plan.json").exit == 0
    assert project.run("apply", "plan.json").exit == 0
    again = project.run("apply", "plan.json", "--format", "json")

    assert again.exit == 0, said(again)
    assert (again.json()["complete"], again.json()["rows"]) == (True, [])
    assert "was applied at" in again.err


FOREIGN: Final = "Metadata-Version: 2.1\nName: reconciler\nVersion: 0.2.2\n"


def test_another_projects_distribution_is_told(project: Project) -> None:
    """`version` and `doctor` warn where the public index's `reconciler` was installed as well."""
    project.write("site/reconciler-0.2.2.dist-info/METADATA", FOREIGN)
    path = f"{ROOT}:{project.root / 'site'}"
    alone = project.start("version")
    beside = project.start("version", PYTHONPATH=path)
    lines = project.start("--log-format", "json", "version", PYTHONPATH=path)
    examined = project.start("doctor", "--format", "json", PYTHONPATH=path)
    check = examined.json()["checks"][0]

    assert (alone.exit, alone.err) == (0, ""), said(alone)
    assert (beside.exit, beside.out) == (0, alone.out), said(beside)
    assert beside.err.startswith("warning: The distribution reconciler 0.2.2 is installed beside")
    assert "pip uninstall reconciler, then pip install --force-reinstall push-" in beside.err
    assert json.loads(lines.err)["level"] == "warning"
    assert (examined.exit, check["check"], check["verdict"]) == (0, "version", "warning")
    assert "reconciler 0.2.2" in json.dumps(check)
    assert "push-reconciler" in check["fix"]
