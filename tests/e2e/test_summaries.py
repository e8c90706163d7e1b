"""The summary of a pipeline's step: what plan, apply and drift append to the file GitHub names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.views.step_summary import LIMIT, VARIABLE
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions

from .harness import Project, Ran, Sandbox
from .test_drift import MANIFEST, PROJECT, WORLD, behind_our_back


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project of three devices, none of which is as declared."""
    with RunningSandbox(SandboxOptions(limits=None)) as running:
        Sandbox(running.url).put_world(WORLD)
        here = Project(tmp_path / "project", running.url)
        here.root.mkdir()
        here.write("reconciler.yaml", PROJECT)
        here.write("devices/all.yaml", MANIFEST)
        yield here


def with_summary(project: Project, summary: Path, *arguments: str) -> Ran:
    return project.run(*arguments, **{VARIABLE: str(summary)})


def test_each_command_appends_what_it_found_or_did(project: Project, tmp_path: Path) -> None:
    """One after another, whatever is printed; `show` repeats a plan, and adds nothing."""
    summary = tmp_path / "summary.md"
    summary.write_text("of the step before")
    told: list[str] = []
    for arguments, code in (
        (("plan", "-o", "plan.json", "--detailed-exitcode"), 2),
        (("show", "plan.json", "--format", "markdown"), 0),
        (("apply", "plan.json", "--format", "markdown"), 0),
        (("apply", "plan.json", "--format", "markdown"), 0),
        (("drift", "--format", "markdown"), 0),
        (("plan", "--format", "json"), 0),
    ):
        ran = with_summary(project, summary, *arguments)
        assert (ran.exit, "summary" in ran.err) == (code, False), ran.err
        told.append(ran.out)
    _, shown, applied, again, drift, _ = told
    written = summary.read_text("utf-8")
    expected = "\n\n".join(["of the step before", shown, applied, again, drift, ""])

    assert written[: len(expected)] == expected
    assert "**Applied: 3 calls (3 update)." in applied
    assert "**This plan was applied before; there was nothing left to do.**" in again
    assert written[len(expected) :].startswith(
        "<!-- reconciler:plan -->\n### Reconciler plan\n\n**No changes."
    )


def test_an_apply_that_is_incomplete_says_what_is_left(project: Project, tmp_path: Path) -> None:
    """The table and how to go on, as on stdout, and the exit code is apply's own."""
    summary = tmp_path / "summary.md"
    assert project.run("plan", "-o", "plan.json").exit == 0
    behind_our_back(project.url, "two", {"additionalData": {"shift": "noon"}})

    ran = with_summary(project, summary, "apply", "plan.json")

    assert ran.exit == 3, ran.err
    text = summary.read_text("utf-8")
    assert "| **stale** | update | not done | `two` | `courier` |" in text
    assert "What is stale needs a new plan" in text or "How to go on: run `reconciler plan`" in text


def test_nothing_is_written_that_nobody_asked_for(project: Project, tmp_path: Path) -> None:
    """Without the variable, and with an empty one."""
    before = sorted(path.name for path in project.root.iterdir())
    for variables in ({}, {VARIABLE: ""}):
        assert project.run("plan", **variables).exit == 0

    assert sorted(path.name for path in project.root.iterdir() if path.name[0] != ".") == [
        name for name in before if name[0] != "."
    ]


def test_what_goes_to_the_summary_anyway_is_there_once(project: Project, tmp_path: Path) -> None:
    """A pipeline that redirects the Markdown itself need not be changed."""
    summary = tmp_path / "summary.md"
    with summary.open("ab") as out:
        subprocess.run(
            [sys.executable, "-P", "-m", "reconciler", "plan", "--format", "markdown"],
            cwd=project.root,
            env={**project.environment(), VARIABLE: str(summary)},
            stdout=out,
            check=True,
            timeout=60,
        )

    assert summary.read_text("utf-8").count("<!-- reconciler:plan -->") == 1


@pytest.mark.parametrize("what", ["directory", "pipe", "device", "nowhere", "full", "no path"])
def test_a_summary_that_cannot_be_written_is_a_warning(
    what: str, project: Project, tmp_path: Path
) -> None:
    """The run goes on, ends as it would, and does not wait for anybody."""
    summary = tmp_path / "summary.md"
    match what:
        case "directory":
            summary.mkdir()
        case "pipe":
            os.mkfifo(summary)
        case "device":
            summary = Path("/dev/full")
        case "nowhere":
            summary = tmp_path / "no" / "where.md"
        case "full":
            summary.write_bytes(b"x" * (LIMIT - 100))
        case "no path":
            summary = tmp_path / ("x" * 5_000)

    planned = with_summary(project, summary, "plan", "-o", "plan.json", "--detailed-exitcode")
    applied = with_summary(project, summary, "apply", "plan.json")

    assert (planned.exit, applied.exit) == (2, 0)
    assert planned.out.rstrip().split("\n")[-1].startswith("Plan: 3 to change.")
    for ran, noun in ((planned, "plan"), (applied, "report")):
        warnings = [line for line in ran.err.split("\n") if "summary" in line]
        assert len(warnings) == 1
        assert warnings[0].startswith(f"warning: The {noun} is missing in the step's summary: "), (
            ran.err
        )
    if what == "full":
        assert summary.stat().st_size == LIMIT - 100
