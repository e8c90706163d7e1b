"""`reconciler fmt` as it is typed, and as pre-commit calls it."""

from __future__ import annotations

import os
import re
import shlex
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from .harness import ROOT, Project

PROJECT = """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
applications:
  courier: {appCode: "${COURIER_APP_CODE}"}
manifests: [devices/*.yaml]
"""
UGLY = """\
kind: Devices
apiVersion: reconciler/v1
application: courier
devices:
    A:    {label: 'Ana'} # the first
"""
TIDY = """\
apiVersion: reconciler/v1
kind: Devices
application: courier
devices:
  A: {label: Ana}  # the first
"""
BROKEN = "apiVersion: reconciler/v1\nkind: Devices\ndevices: {A: {}\n"
FOREIGN = "on:   push\njobs: !reference [a]\nrun: |\n    apiVersion: reconciler/v1\n"
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.write("reconciler.yaml", PROJECT)
    made.write("devices/tidy.yaml", TIDY.replace("A:", "B:"))
    made.write("devices/ugly.yaml", UGLY)
    return made


def test_the_files_of_a_project(project: Project) -> None:
    """The changed ones on stdout; a second time there is none. Their mode stays."""
    ugly = project.root / "devices/ugly.yaml"
    ugly.chmod(0o640)
    ran = project.run("fmt")

    assert (ran.exit, ran.out) == (0, "devices/ugly.yaml\n")
    assert ran.err == "1 file formatted, 2 files as they should be.\n"
    assert ugly.read_text("utf-8") == TIDY
    assert stat.S_IMODE(ugly.stat().st_mode) == 0o640
    assert sorted(os.listdir(ugly.parent)) == ["tidy.yaml", "ugly.yaml"]

    again = project.run("fmt")
    assert (again.exit, again.out, again.err) == (0, "", "3 files as they should be.\n")


def test_the_project_file_is_formatted_too(project: Project) -> None:
    """From a directory below, and by -C, it is named as it is seen from there."""
    (project.root / "devices/ugly.yaml").unlink()
    project.write("reconciler.yaml", PROJECT.replace("kind: Project\n", "") + "kind: Project\n")
    below = Project(project.root / "devices")

    assert below.run("fmt", "--check").out == "../reconciler.yaml\n"
    assert below.run("-C", "..", "fmt", "tidy.yaml").exit == 1
    assert below.run("-C", "..", "fmt").out == "../reconciler.yaml\n"
    assert (project.root / "reconciler.yaml").read_text("utf-8") == PROJECT


def test_check_writes_nothing(project: Project) -> None:
    """Exit code 1 while a file would change."""
    ran = project.run("fmt", "--check")

    assert (ran.exit, ran.out) == (1, "devices/ugly.yaml\n")
    assert ran.err.startswith("1 file would change (to write them: reconciler fmt)")
    assert (project.root / "devices/ugly.yaml").read_text("utf-8") == UGLY
    assert project.run("fmt", "devices/ugly.yaml").exit == 0
    assert project.run("fmt", "--check").exit == 0


def test_diff_writes_nothing_and_shows_it(project: Project) -> None:
    """The exit code is that of --check, if that stands with it."""
    ran = project.run("fmt", "--diff")

    assert ran.exit == 0
    assert ran.out.startswith("--- a/devices/ugly.yaml\n+++ b/devices/ugly.yaml\n@@ -1,5 +1,5 @@\n")
    assert "-    A:    {label: 'Ana'} # the first\n+  A: {label: Ana}  # the first\n" in ran.out
    assert (project.root / "devices/ugly.yaml").read_text("utf-8") == UGLY
    both = project.run("fmt", "--check", "--diff")
    assert (both.exit, both.out) == (1, ran.out)


def test_files_without_a_project(tmp_path: Path) -> None:
    """Only those that are named; what is none of ours is left alone, and no failure."""
    made = Project(tmp_path)
    made.write("a.yaml", UGLY)
    made.write("b.yaml", UGLY)
    made.write("workflow.yml", FOREIGN)
    ran = made.run("fmt", "a.yaml", "workflow.yml", "a.yaml")

    assert (ran.exit, ran.out) == (0, "a.yaml\n")
    assert "warning: workflow.yml: left as it is, because it is no file of reconciler." in ran.err
    assert ran.err.endswith("1 file formatted, 1 file left as it is.\n")
    texts = [(tmp_path / name).read_text("utf-8") for name in ("a.yaml", "b.yaml", "workflow.yml")]
    assert texts == [TIDY, UGLY, FOREIGN]


def test_a_file_with_mistakes_is_left_alone_and_the_others_are_not(project: Project) -> None:
    """The usual diagnostic, exit code 1."""
    project.write("devices/broken.yaml", BROKEN)
    ran = project.run("fmt")

    assert (ran.exit, ran.out) == (1, "devices/ugly.yaml\n")
    assert "devices/broken.yaml:3:10: error[E104]: A `{` that is not closed" in ran.err
    assert ran.err.endswith("1 file formatted, 2 files as they should be, 1 file left as it is.\n")
    assert (project.root / "devices/broken.yaml").read_text("utf-8") == BROKEN


def test_a_mistake_that_is_none_of_syntax_is_formatted(project: Project) -> None:
    """Unknown fields come last; `validate` is there to tell of them."""
    project.write("devices/ugly.yaml", UGLY.replace("label", "lable"))

    assert project.run("fmt").exit == 0
    assert (project.root / "devices/ugly.yaml").read_text("utf-8") == TIDY.replace("label", "lable")


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        pytest.param("remove", "There is no reconciler.yaml in", id="missing"),
        pytest.param("kind: Nothing\n", "so which manifests it names is not known", id="schema"),
        pytest.param("a: {\n", "so which manifests it names is not known", id="syntax"),
    ],
)
def test_without_a_project_file_nothing_is_formatted(
    project: Project, break_it: str, said: str
) -> None:
    """What is to be formatted has to be known."""
    if break_it == "remove":
        (project.root / "reconciler.yaml").unlink()
    else:
        project.write("reconciler.yaml", break_it)
    ran = project.run("fmt")

    assert (ran.exit, ran.out) == (1, "")
    assert said in ran.err
    assert (project.root / "devices/ugly.yaml").read_text("utf-8") == UGLY


def test_files_that_cannot_be_read_or_written(project: Project) -> None:
    """Each is told; the other is formatted."""
    project.write("a.yaml", UGLY)
    ran = project.run("fmt", "nothing.yaml", "devices", "a.yaml")

    assert (ran.exit, ran.out) == (1, "a.yaml\n")
    assert "nothing.yaml:1:1: error[E101]: Cannot be read: there is no such file" in ran.err
    assert "devices:1:1: error[E101]: Cannot be read: it is a directory" in ran.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_is_read_only_stays(project: Project) -> None:
    """Its directory would let us replace it."""
    (project.root / "devices/ugly.yaml").chmod(0o440)
    ran = project.run("fmt")

    assert (ran.exit, ran.out) == (1, "")
    assert "devices/ugly.yaml cannot be written: permission denied." in ran.err


def test_a_link_leads_to_the_file(project: Project) -> None:
    """What it names is formatted; it stays a link."""
    project.write("elsewhere.yaml", UGLY)
    link = project.root / "devices/link.yaml"
    link.symlink_to("../elsewhere.yaml")

    assert project.run("fmt", "devices/link.yaml").exit == 0
    assert link.is_symlink()
    assert (project.root / "elsewhere.yaml").read_text("utf-8") == TIDY


def test_stdin_to_stdout(tmp_path: Path) -> None:
    """For editors: the text and nothing else; nothing where it cannot be read."""
    made = Project(tmp_path)

    ran = made.run("fmt", "-", stdin=UGLY)
    assert (ran.exit, ran.out, ran.err) == (0, TIDY, "")
    assert made.run("fmt", "-", stdin=TIDY).out == TIDY
    checked = made.run("fmt", "--check", "-", stdin=UGLY)
    assert (checked.exit, checked.out) == (1, "<stdin>\n")
    assert made.run("fmt", "--diff", "-", stdin=UGLY).out.startswith("--- a/<stdin>\n")
    foreign = made.run("fmt", "-", stdin=FOREIGN)
    assert (foreign.exit, foreign.out) == (0, FOREIGN)
    broken = made.run("fmt", "-", stdin=BROKEN)
    assert (broken.exit, broken.out) == (1, "")
    assert "<stdin>:3:10: error[E104]" in broken.err
    assert made.run("fmt", "-", "a.yaml", stdin=UGLY).exit == 64


def test_no_value_of_anybody_is_printed(project: Project) -> None:
    """Neither by a difference nor by a diagnostic."""
    people = "people:\n  ana:   {phoneNumber: '+385911234567', email: 'ana@example.com'}\n"
    mistakes = "  ivo@example.com: {externalId: x}\n  eva: {externalId: y}\n"
    project.write("devices/ugly.yaml", UGLY + people + mistakes)
    project.write(
        "devices/mistakes.yaml",
        "apiVersion: reconciler/v1\nkind: Devices\napplication: courier\n"
        "people: {eva: {email: e}}\n"
        "devices:\n    A: {owner: 385911234567, isPrimary: '385911234567'}\n"
        "    B: {owner: {eMail: ana@example.com}}\n    C: {owner: eva, isPrimary: true}\n",
    )
    project.write("devices/broken.yaml", UGLY + people + "  ana: {email: ana@example.com}\n")
    ran = project.run("fmt", "--diff")

    assert "…" in ran.out
    assert "E106" in ran.err
    assert "+  C: {owner: eva, isPrimary: true}\n" in ran.out
    assert [one for one in ("385911234567", "example.com") if one in ran.out + ran.err] == []


@pytest.mark.parametrize(
    "example",
    sorted(
        file.parent.relative_to(ROOT / "examples").as_posix()
        for file in (ROOT / "examples").rglob("reconciler.yaml")
    ),
)
def test_the_examples_are_canonical(example: str) -> None:
    """Whoever starts with one has nothing to format."""
    ran = Project(ROOT / "examples" / example).run("fmt", "--check", HOME="/nonexistent")

    assert (ran.exit, ran.out) == (0, "")
    assert re.fullmatch(r"\d+ files as they should be\.\n", ran.err)


def hook(name: str) -> dict[str, Any]:
    [found] = [one for one in HOOKS if one["id"] == name]
    return found


def called(hook: dict[str, Any], project: Project) -> tuple[int, list[str]]:
    """Call a hook as pre-commit does, and return its exit code and what files it was given."""
    files = sorted(
        path.relative_to(project.root).as_posix()
        for path in project.root.rglob("*")
        if path.is_file() and re.search(hook["files"], path.relative_to(project.root).as_posix())
    )
    program, *arguments = shlex.split(hook["entry"])
    assert program == "reconciler"
    given = files if hook.get("pass_filenames", True) else []
    return project.run(*arguments, *given).exit, given


def test_the_hooks_are_what_pre_commit_wants() -> None:
    """Both can be installed: a Python package whose entry is the program."""
    assert [one["id"] for one in HOOKS] == ["reconciler-fmt", "reconciler-validate"]
    for one in HOOKS:
        assert {"id", "name", "description", "entry", "language", "files"} <= one.keys()
        assert one["language"] == "python"


def test_the_hook_that_formats(project: Project) -> None:
    """Whatever YAML is committed: pre-commit sees by itself that files changed."""
    project.write(".github/workflows/ci.yml", FOREIGN)
    code, given = called(hook("reconciler-fmt"), project)

    assert code == 0
    assert "devices/ugly.yaml" in given
    assert ".github/workflows/ci.yml" in given
    assert (project.root / "devices/ugly.yaml").read_text("utf-8") == TIDY
    assert (project.root / ".github/workflows/ci.yml").read_text("utf-8") == FOREIGN


def test_the_hook_that_validates(project: Project) -> None:
    """The project as a whole, whichever file is committed."""
    assert called(hook("reconciler-validate"), project) == (0, [])
    project.write("devices/ugly.yaml", UGLY.replace("label", "lable"))
    assert called(hook("reconciler-validate"), project) == (1, [])
