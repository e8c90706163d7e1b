"""The command line without a service: usage, help, streams, exit codes; in a process each."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from reconciler.cli.exit_codes import ExitCode
from tests.e2e import warm
from tests.introspection import Command, commands

ROOT: Final = Path(__file__).resolve().parents[3]
PROJECT: Final = """\
apiVersion: reconciler/v1
kind: Project
api: {baseUrl: "${URL}", auth: {apiKey: "${KEY}"}}
applications: {courier: {appCode: code}}
manifests: [devices/*.yaml]
"""
DEVICES: Final = """\
apiVersion: reconciler/v1
kind: Devices
application: courier
devices: {one: {isPrimary: true}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "devices").mkdir()
    (tmp_path / "reconciler.yaml").write_text(PROJECT, "utf-8")
    (tmp_path / "devices" / "a.yaml").write_text(DEVICES, "utf-8")
    return tmp_path


def run(
    cwd: Path, *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **(env or {})}
    ended = warm.command(arguments, cwd, variables, "", 60)
    return subprocess.CompletedProcess(arguments, *ended)


@pytest.mark.parametrize("name", [one.name for one in commands() if one.path])
def test_every_command_teaches_by_its_help(tmp_path: Path, name: str) -> None:
    """The help of each command and subcommand is there, on stdout, with nothing on stderr."""
    ended = run(tmp_path, *name.split(), "--help")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"Usage: reconciler {name}")


@pytest.mark.parametrize(
    "group", [one for one in commands() if one.is_group], ids=lambda one: one.name
)
def test_help_lists_every_command(tmp_path: Path, group: Command) -> None:
    """What there is, of the program itself and of each group."""
    ended = run(tmp_path, *group.path, "--help")
    inside = [one.path[-1] for one in commands() if one.path and one.path[:-1] == group.path]

    assert ended.returncode == 0
    assert inside
    assert [name for name in inside if f"\n  {name} " not in ended.stdout] == []


def test_help_lists_every_exit_code(tmp_path: Path) -> None:
    """What each of them means, and none besides."""
    said = run(tmp_path, "--help").stdout.partition("Exit codes:")[2]

    assert [int(code) for code in re.findall(r"^ +(\d+) +\S", said, re.MULTILINE)] == [*ExitCode]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("vlidate",), "Did you mean validate?"),
        (("plan", "--read", "sweeps"), "not one of"),
        (("plan", "-o", "-"), "--format json"),
        (("plan", "-o", "reconciler.yaml"), "is no plan"),
        (("plan", "--target", "onne"), "Did you mean one?"),
        (("plan", "--accept", "leaving"), "GUARD=COUNT"),
        (("sandbox", "--assume", "detatch=keeps"), "Did you mean detach?"),
        (("sandbox", "--assume", "detach=no"), "clears-primary-and-data, keeps"),
        (("sandbox", "--world", "w", "--people", "1"), "exclude each other"),
        (("schema", "manifest"), "devices"),
        (("-C", "nowhere", "plan"), "nowhere"),
    ],
)
def test_wrong_usage_is_64_and_says_what_is_right(
    project: Path, arguments: tuple[str, ...], expected: str
) -> None:
    """Wrong usage has its own exit code, no result, and one message that helps."""
    ended = run(project, *arguments)

    assert (ended.returncode, ended.stdout) == (64, "")
    assert expected in ended.stderr
    assert "Traceback" not in ended.stderr


def test_messages_can_be_json_lines(project: Path) -> None:
    """With --log-format json every line on stderr is an object, diagnostics with their place."""
    (project / "devices" / "a.yaml").write_text(DEVICES + "oops: 1\n", "utf-8")
    lines = run(project, "--log-format", "json", "plan").stderr.splitlines()
    usage = run(project, "--log-format", "json", "plan", "--nope").stderr.splitlines()
    first = json.loads(lines[0])

    assert [json.loads(line)["level"] for line in (*lines, *usage)] == ["error"] * 3
    assert (first["file"], first["line"], first["column"]) == ("devices/a.yaml", 5, 1)


@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_mistakes_in_other_forms_are_the_result(project: Path, form: str) -> None:
    """Forms for programs go to stdout, alone; paths lead there from where the caller stands."""
    (project / "devices" / "a.yaml").write_text(DEVICES + "oops: 1\n", "utf-8")
    ended = run(project.parent, "-C", project.name, "validate", "--format", form)

    assert (ended.returncode, ended.stderr) == (1, "")
    assert f"{project.name}/devices/a.yaml" in ended.stdout


def test_a_pattern_that_matches_nothing_is_a_warning_of_validate(project: Path) -> None:
    """It is told with its place, and is no error."""
    (project / "devices" / "a.yaml").unlink()
    ended = run(project, "validate")

    assert ended.returncode == 0
    assert "reconciler.yaml:5:13: warning[W301]" in ended.stderr


def test_without_a_project_file_it_says_where_it_looked(tmp_path: Path) -> None:
    """No file, no crash; the way on is named."""
    ended = run(tmp_path, "validate")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert str(tmp_path) in ended.stderr


def test_our_own_bug_is_one_line_without_the_text_of_the_exception(project: Path) -> None:
    """An exception may hold personal data: only its type and place are told, -v adds the stack."""
    program = (
        "import sys, reconciler.engine.project_files as project_files\n"
        "def broken(path): raise KeyError('secret' + '-value')\n"
        "project_files.check_files = broken\n"
        "from reconciler.cli.main import outcome\n"
        "sys.exit(outcome(sys.argv[1:]))\n"
    )
    for arguments in (("validate",), ("-v", "validate")):
        ended = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

        assert ended.returncode == 1
        assert "This is a bug in reconciler." in ended.stderr
        assert ("File " in ended.stderr) is ("-v" in arguments)
        assert "secret-value" not in ended.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_asks_us(tmp_path: Path, shell: str) -> None:
    """Each shell gets its script, and the question it asks is answered."""
    assert "_RECONCILER_COMPLETE" in run(tmp_path, "completion", shell).stdout


def test_completion_knows_commands_and_values(tmp_path: Path) -> None:
    """Commands, and the values of an option."""
    asked = {"_RECONCILER_COMPLETE": "bash_complete", "COMP_CWORD": "1"}
    commands = run(tmp_path, env={**asked, "COMP_WORDS": "reconciler va"})
    values = run(
        tmp_path, env={**asked, "COMP_WORDS": "reconciler plan --read ", "COMP_CWORD": "3"}
    )

    assert commands.stdout.split() == ["plain,validate"]
    assert values.stdout.split() == ["plain,auto", "plain,points", "plain,sweep"]


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """`| head` changes neither the exit code nor stderr."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        ended = subprocess.run(
            [sys.executable, "-m", "reconciler", "schema", "plan"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=gone,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("example", ["courier-fleet", "minimal"])
def test_the_examples_are_right(example: str) -> None:
    """The examples that ship have no mistake."""
    ended = run(ROOT / "examples" / example, "validate")

    assert (ended.returncode, ended.stderr) == (0, "")


def test_an_option_behind_the_command_is_told_where_it_stands(tmp_path: Path) -> None:
    """Options before the command are a common slip; the message shows how to write it."""
    ended = run(tmp_path, "plan", "--quiet")

    expected = "error: The option --quiet stands before the command.\n"
    assert (ended.returncode, ended.stderr) == (64, f"{expected}  Write: reconciler --quiet plan\n")


def test_consent_to_a_guard_that_is_none_is_wrong_usage(project: Path) -> None:
    """A typo would be found only when a guard trips."""
    ended = run(project, "plan", "--accept", "nope=1")

    assert ended.returncode == 64
    assert "there is no guard 'nope'" in ended.stderr


def test_a_directory_that_the_demo_cannot_make_is_told(tmp_path: Path) -> None:
    """No crash over a file where a directory should be."""
    (tmp_path / "file").write_text("", "utf-8")
    ended = run(tmp_path, "demo", "--directory", "file/x")

    assert ended.returncode == 1
    assert "cannot be created" in ended.stderr
