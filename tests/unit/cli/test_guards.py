"""A guard refuses by exit code 4; consent names the exact count, in plan and in apply."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from reconciler.platform.world import Registration, World
from reconciler.sandbox.account import SandboxOptions
from reconciler.sandbox.serve import RunningSandbox
from tests.e2e.harness import Project, Ran

IDS: Final = tuple(f"phone-{number}" for number in range(10))


def manifest(ids: tuple[str, ...]) -> str:
    devices = "".join(f"  {id_}: {{registrationEnabled: true}}\n" for id_ in ids)
    return f"apiVersion: reconciler/v1\nkind: Devices\napplication: courier\ndevices:\n{devices}"


def run(root: Path, *arguments: str) -> Ran:
    return Project(root).run(*arguments)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """Ten devices are applied; then five of them leave the files."""
    world = World.of(
        registrations=[Registration(id_, "APP") for id_ in IDS], applications={"code": "APP"}
    )
    with RunningSandbox(SandboxOptions(world=world, limits=None)) as sandbox:
        (tmp_path / "reconciler.yaml").write_text(
            "apiVersion: reconciler/v1\nkind: Project\n"
            f"api: {{baseUrl: '{sandbox.url}', auth: {{apiKey: k}}}}\n"
            "applications: {courier: {appCode: code}}\nmanifests: [devices.yaml]\n",
            "utf-8",
        )
        (tmp_path / "devices.yaml").write_text(manifest(IDS), "utf-8")
        assert run(tmp_path, "apply").exit == 0
        (tmp_path / "devices.yaml").write_text(manifest(IDS[:5]), "utf-8")
        yield tmp_path


def test_consent_must_name_the_count(project: Path) -> None:
    """Without consent, or with another count, nothing happens."""
    plain = run(project, "plan")
    wrong = run(project, "apply", "--yes", "--accept", "leaving=4")
    right = run(project, "plan", "--detailed-exitcode", "--accept", "leaving=5")

    assert (plain.exit, wrong.exit, right.exit) == (4, 4, 2)
    assert "--accept leaving=5" in plain.out
    assert "--accept leaving=5" in wrong.err


def test_a_refused_plan_that_was_saved_can_be_consented_to(project: Path) -> None:
    """Apply of the file asks for the same consent as the plan does."""
    assert run(project, "plan", "-o", "plan.json").exit == 4
    refused = run(project, "apply", "plan.json")
    applied = run(project, "apply", "plan.json", "--accept", "leaving=5")

    assert (refused.exit, applied.exit) == (4, 0), applied.err
    assert run(project, "plan", "--detailed-exitcode").exit == 0


def test_consent_stands_in_a_reviewed_file(project: Path) -> None:
    """It is written for this plan, named by the project, and void once the plan does more."""
    config = project / "reconciler.yaml"
    written = run(project, "plan", "-o", "plan.json", "--write-consent", "yes/five.yaml")
    assert (written.exit, (project / "yes/five.yaml").exists()) == (1, False)
    assert "its directory does not exist" in written.err

    (project / "yes").mkdir()
    written = run(project, "plan", "-o", "plan.json", "--write-consent", "yes/five.yaml")
    assert written.exit == 4
    assert "safety.consents of the project file does not name it" in written.err
    config.write_text(config.read_text("utf-8") + "safety: {consents: [yes/*.yaml]}\n", "utf-8")
    assert "5 of 10 devices in the state left the files" in (project / "yes/five.yaml").read_text()
    assert run(project, "validate").exit == 0
    assert run(project, "plan", "--detailed-exitcode").exit == 2

    (project / "devices.yaml").write_text(manifest(IDS[:4]), "utf-8")
    assert run(project, "plan").exit == 4
    (project / "devices.yaml").write_text(manifest(IDS[:5]), "utf-8")
    # The very plan that was refused when it was made.
    applied = run(project, "apply", "plan.json")
    assert applied.exit == 0, applied.err
    nothing = run(project, "plan", "--write-consent", "yes/none.yaml")
    assert (nothing.exit, (project / "yes/none.yaml").exists()) == (0, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: Devices\n", "`kind` is `Devices`, and must be `Consent`"),
        ("kind: Consent\nchanges: abc\naccept: {leaving: 5}\n", "`changes` takes no such value"),
        (f"kind: Consent\nchanges: '{'a' * 64}'\naccept: {{moves: 5}}\n", "no guard `moves`"),
        (f"kind: Consent\nchanges: '{'a' * 64}'\naccept: {{leaving: 0}}\n", "`leaving`"),
        ("kind: Consent\n\t- [\n", "tab"),
        ("", "empty"),
    ],
)
def test_a_consent_with_a_mistake_is_told(project: Path, text: str, said: str) -> None:
    """It is a file of the project like any other: all its mistakes, each with its place."""
    (project / "yes.yaml").write_text(f"apiVersion: reconciler/v1\n{text}" if text else "", "utf-8")
    config = project / "reconciler.yaml"
    config.write_text(config.read_text("utf-8") + "safety: {consents: ['*es.yaml']}\n", "utf-8")
    (project / "devices.yaml").write_text(manifest(IDS), "utf-8")
    told = run(project, "validate")

    assert told.exit == 1
    assert "yes.yaml:" in told.err
    assert said in told.err.lower() or said in told.err


@pytest.mark.parametrize(
    "given",
    [
        ("owner-change",),
        ("owner-change=x",),
        (f"owner-change={'9' * 5000}",),
        ("moves=3",),
        ("gone=3",),
        ("gone:=3",),
        ("detach:a=3",),
        ("detach:=3",),
        ("leaving=39", "leaving=38"),
    ],
)
def test_what_is_no_consent_is_wrong_usage(tmp_path: Path, given: tuple[str, ...]) -> None:
    """Nothing is read before that is said. Of two counts one is wrong, and nobody knows which."""
    told = run(tmp_path, "plan", *(f"--accept={one}" for one in given))

    assert told.exit == 64
    assert "--accept" in told.err


def test_only_what_is_not_consented_to_yet_is_asked_for(project: Path) -> None:
    """Of two guards one is accepted; and once both are, another reason has its own fix."""
    config = project / "reconciler.yaml"
    config.write_text(
        config.read_text("utf-8") + "safety: {budgets: {disable: 0, leaving: 10%}}\n", "utf-8"
    )
    disabled = manifest(IDS[:5]).replace("true", "false", 1)
    (project / "devices.yaml").write_text(disabled, "utf-8")
    assert run(project, "plan", "-o", "plan.json").exit == 4
    both = run(project, "apply", "plan.json")
    one = run(project, "apply", "plan.json", "--accept", "leaving=5", "--accept", "leaving=5")
    (project / "devices.yaml").write_text(disabled.replace("false", "true"), "utf-8")
    other = run(project, "apply", "plan.json", "--accept", "leaving=5", "--accept", "disable=1")

    assert [told.exit for told in (both, one, other)] == [4, 4, 4]
    ways = [told.err.splitlines()[-1].strip() for told in (both, one, other)]
    assert ways == [
        "if it is meant: --accept leaving=5; if it is meant: --accept disable=1",
        "if it is meant: --accept disable=1",
        "Make the plan again, review it, and apply that one.",
    ]
