"""The words are true: README's blocks print what they show, and nothing goes unmentioned."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
import pytest

from reconciler.cli.exit_codes import ExitCode
from reconciler.core.codes import CODES
from reconciler.plan.glossary import TERMS
from reconciler.platform.assumptions import ASSUMPTIONS
from reconciler.sandbox.fleet import fleet
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions

from .e2e import warm
from .e2e.harness import interpreter
from .introspection import commands
from .readme import RunCommand, WriteFile, blocks, matches, script, within

ROOT: Final = Path(__file__).resolve().parent.parent
README: Final = (ROOT / "README.md").read_text("utf-8") if (ROOT / "README.md").exists() else ""


def rows(text: str) -> str:
    """Return the headings and table rows of a Markdown text: where a thing is introduced."""
    return "\n".join(line for line in text.splitlines() if line.startswith(("#", "|", "- `", "**")))


@pytest.fixture(scope="module")
def introduced() -> str:
    """Everything that README introduces."""
    return rows(README)


def test_every_command_has_its_row(introduced: str) -> None:
    """Each command stands in a heading or a table row as it is typed."""
    names = [command.name for command in commands() if command.path]

    assert [name for name in names if not re.search(rf"`(reconciler )?{name}\b", introduced)] == []


def test_every_option_has_its_row(introduced: str) -> None:
    """Each long option of each command stands in a heading or a table row."""
    options = {
        spelling
        for command in commands()
        for option in command.options
        if not option.hidden
        for spelling in option.opts
        if spelling.startswith("--") or spelling == "-C"
    }

    assert [name for name in sorted(options) if not mentioned(name, introduced)] == []


def test_every_value_that_can_be_chosen_has_its_row() -> None:
    """In the row of the command, or of the option: formats, ways to read, forges, shells."""
    lost = []
    for command in commands():
        begins = f"| `reconciler {command.name}"
        for choice in command.choices:
            row = "\n".join(
                line
                for line in README.splitlines()
                if (command.path and re.match(rf"{re.escape(begins)}[ `]", line))
                or (not command.path and line.startswith(f"| `{choice.parameter} "))
            )
            lost += [
                f"reconciler {command.name} {choice.parameter} {value}"
                for value in choice.values
                if not mentioned(value, row) and (command.name, choice.parameter) != SHOWN_AS_PLAN
            ]

    assert lost == []


# Its row says "`--format` as `plan`"; that the two choose from the same is asked below.
SHOWN_AS_PLAN: Final = ("show", "--format")


def test_show_has_the_formats_of_plan() -> None:
    """README says no more of the one than that they are those of the other."""
    formats = {
        command.name: choice.values
        for command in commands()
        for choice in command.choices
        if choice.parameter == "--format"
    }

    assert formats["show"] == formats["plan"]


def test_every_assumption_has_its_row(introduced: str) -> None:
    """Each has a row with its question, its readings, and what speaks for the default."""
    expected = [
        f"| `{assumption.name}` | {assumption.question} | "
        f"{', '.join(f'`{reading}`' for reading in assumption.readings)} | {assumption.evidence} |"
        for assumption in ASSUMPTIONS.values()
    ]
    table = re.compile(r"^\| name \| question \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", re.MULTILINE)
    rows = table.findall(introduced + "\n")

    assert [[*expected]] == [row.splitlines()[: len(expected)] for row in rows]


def test_the_schema_has_every_assumption() -> None:
    """`api.assume` names each with its readings, its question and what speaks for the default, in
    the order of the table; editors and `explain` take it from there."""
    schema = json.loads((ROOT / "schemas" / "project.schema.json").read_text("utf-8"))
    described = schema["properties"]["api"]["properties"]["assume"]["properties"]
    expected = {
        assumption.name: (
            f"{assumption.question} {assumption.evidence}",
            list(assumption.readings),
        )
        for assumption in ASSUMPTIONS.values()
    }

    assert list(expected) == list(described)
    assert expected == {
        name: (told["description"], told["examples"]) for name, told in described.items()
    }


def test_the_help_of_the_sandbox_lists_every_assumption() -> None:
    """Each with its readings, the default first."""
    [sandbox] = [command for command in commands() if command.name == "sandbox"]
    context = click.Context(sandbox.click, info_name="sandbox")
    told = " ".join(sandbox.click.get_help(context).split())
    listed = " ".join(
        f"{assumption.name} {' | '.join(assumption.readings)}"
        for assumption in ASSUMPTIONS.values()
    )

    assert f"What --assume takes, the default first: {listed} " in told


def mentioned(option: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text) is not None


def test_every_exit_code_has_its_row(introduced: str) -> None:
    """Each exit code begins a table row."""
    codes = [int(code) for code in ExitCode]

    assert [
        code for code in codes if not re.search(rf"^\| *`?{code}`? *\|", introduced, re.M)
    ] == []


def test_every_diagnostic_code_has_its_row(introduced: str) -> None:
    """Each permanent code begins a table row or heading, and none is listed that is not there."""
    listed = set(re.findall(r"^(?:#+|\|) *`?([EW]\d{3})\b", introduced, re.M))

    assert listed == {code.id for code in CODES}


def test_every_warning_of_a_plan_has_its_row(introduced: str) -> None:
    """With the words of `explain`, so that they cannot come apart."""
    rows = [
        f"| `{term.name}` | {term.title} {term.why} | {term.fix} |"
        for term in TERMS
        if "warning" in term.kinds
    ]

    assert [row for row in rows if row not in introduced] == []


def test_the_help_of_every_command_teaches() -> None:
    """Each command and each option says what it is for."""
    silent = [command.name for command in commands() if not command.click.help]
    silent += [
        f"{command.name} {option.opts[-1]}"
        for command in commands()
        for option in command.options
        if not option.help
    ]

    assert silent == []


# Runs in an empty directory, and starts its own sandbox; the rest of README has one that is there.
STORY: Final = "From nothing to applied"
STORY_PORT: Final = "8118"


@pytest.mark.timeout(300)
def test_the_console_blocks_print_what_they_show(tmp_path: Path) -> None:
    """README's files and commands, in one directory and one shell, against a sandbox."""
    steps = [step for step in script(README) if step.line not in within(README, STORY)]
    with RunningSandbox(SandboxOptions(world=fleet(40), limits=None)) as sandbox:
        settings = {
            "INFOBIP_BASE_URL": sandbox.url,
            "INFOBIP_API_KEY": "a-key-for-the-sandbox",
            "COURIER_APP_CODE": "courier-app-code",
            "SHOP_APP_CODE": "shop-app-code",
        }
        printed = run_script(steps, tmp_path, settings)

    assert wrong(steps, printed) == ""


@pytest.mark.timeout(300)
def test_from_nothing_to_applied(tmp_path: Path) -> None:
    """Fewer than ten commands in an empty directory, all of them in README, and what they print."""
    steps = [step for step in script(README) if step.line in within(README, STORY)]
    port = free_port()
    commands = [
        replace(step, command=step.command.replace(STORY_PORT, port))
        for step in steps
        if isinstance(step, RunCommand)
    ]
    printed = run_script([*commands], tmp_path, {})
    # Only where it is listened to: what `init` proposes is as README shows it.
    printed = [text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{STORY_PORT}") for text in printed]

    assert len(steps) == len(commands) < 10
    assert all(any(name in step.command for step in commands) for name in ("init", "apply"))
    assert wrong(steps, printed) == ""


def free_port() -> str:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def wrong(steps: Sequence[WriteFile | RunCommand], printed: Sequence[str]) -> str:
    """Return what was not printed as shown, with what was; empty: all of it was."""
    return "\n\n".join(
        f"README.md:{step.line}: $ {step.command}\n--- shown\n"
        + "\n".join(step.output)
        + f"\n--- printed\n{text}"
        for step, text in zip(
            (step for step in steps if isinstance(step, RunCommand)), printed, strict=True
        )
        if step.output and not matches(step.output, text)
    )


def run_script(
    steps: Sequence[WriteFile | RunCommand], directory: Path, settings: Mapping[str, str]
) -> list[str]:
    """Run the steps in one shell, so that `cd`, `export` and `&` last; return what each printed."""
    programs = directory / ".bin"
    programs.mkdir()
    launcher = programs / "reconciler"
    launcher.write_text(f"#!/bin/sh\n{warm.line_of_shell()}\n", "utf-8")
    launcher.chmod(0o755)
    lines = []
    for number, step in enumerate(steps):
        match step:
            case WriteFile():
                source = directory / f".file-{number}"
                source.write_text(step.text, "utf-8")
                path = shlex.quote(step.path)
                lines.append(f'mkdir -p "$(dirname {path})" && cp {source} {path}')
            case RunCommand():
                # An output of its own for each command; what runs in the background keeps it.
                lines.append(f"{{ {step.command}\n}} >{directory}/.out-{number} 2>&1 </dev/null")
    environment = {
        "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        "HOME": str(directory / ".home"),
        **interpreter(),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "COLUMNS": "100",
        "TMPDIR": str(directory),
        # A temporary directory may lie inside of somebody's repository.
        "GIT_CEILING_DIRECTORIES": str(directory.parent),
        **settings,
    }
    shell = subprocess.Popen(
        ["bash", "-c", "\n".join(lines)],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = shell.communicate(timeout=280)
    finally:
        # A sandbox that README starts in the background goes with the shell that started it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGTERM)
    assert said == b"", said.decode(errors="replace")
    return [
        (directory / f".out-{number}").read_text("utf-8", "replace")
        for number, step in enumerate(steps)
        if isinstance(step, RunCommand)
    ]


def test_readme_is_there_and_shows_the_job() -> None:
    """README has blocks that run; an empty one would pass everything above."""
    assert sum(isinstance(step, RunCommand) for step in script(README)) >= 3


def test_every_link_of_readme_leads_somewhere() -> None:
    """Relative links name files of the repository; anchors name headings of README."""
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in README.splitlines()
        if line.startswith("#")
    }
    fenced = {line for block in blocks(README) for line in block.lines}
    prose = "\n".join(line for line in README.splitlines() if line not in fenced)
    targets = re.findall(r"\]\(([^)\s]+)\)", prose)
    lost = [
        target
        for target in targets
        if not re.match(r"[a-z]+:", target)
        and not (
            target.removeprefix("#") in headings
            if target.startswith("#")
            else (ROOT / target.partition("#")[0]).exists()
        )
    ]

    assert lost == []


MATCHED: Final = [
    pytest.param(("one", "two"), "one\ntwo\n", True, id="same"),
    pytest.param(("one", "two"), "one\n", False, id="less"),
    pytest.param(("one",), "one\ntwo\n", False, id="more"),
    pytest.param(("one", "...", "four"), "one\ntwo\nthree\nfour\n", True, id="any-lines"),
    pytest.param(("one", "...", "four"), "one\nfour\n", True, id="no-lines"),
    pytest.param(("about ... s.",), "about 1.2 s.\n", True, id="any-text"),
    pytest.param(("about ... s.",), "about 1\n2 s.\n", False, id="within-a-line"),
    pytest.param(("one  ",), "one\n", True, id="spaces-at-the-end"),
    pytest.param(("a.b",), "acb\n", False, id="dots-are-dots"),
]


@pytest.mark.parametrize(("shown", "printed", "expected"), MATCHED)
def test_what_counts_as_printed(shown: tuple[str, ...], printed: str, expected: bool) -> None:
    """The comparison itself can fail."""
    assert matches(shown, printed) is expected


def test_how_a_readme_is_read() -> None:
    """Files, commands, their continuation and their output, in order; the rest is left out."""
    text = (
        "Text\n<!-- file: devices/a.yaml -->\n```yaml\nkind: Devices\n```\n"
        "```console\n$ one \\\n    --more\nout\n$ two\n```\n"
        "<!-- not run: it needs an account -->\n```console\n$ three\n```\n```sh\nfour\n```\n"
    )

    assert script(text) == [
        WriteFile(3, "devices/a.yaml", "kind: Devices\n"),
        RunCommand(7, "one \\\n    --more", ("out",)),
        RunCommand(10, "two", ()),
    ]
