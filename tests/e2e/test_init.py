"""A repository begins: what `init` writes is right at once, and nothing that is there is lost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from reconciler.engine.shipped_files import schema_bytes
from reconciler.sandbox.fleet import fleet
from reconciler.sandbox.serve import RunningSandbox, SandboxOptions
from tests.forge.repository import git

from .harness import KEY, ROOT, Project

BASE: Final = {
    ".gitignore",
    "devices/first.yaml",
    "reconciler.yaml",
    *(f"schemas/{name}.schema.json" for name in ("consent", "devices", "people", "project")),
}
GITHUB: Final = {f".github/workflows/{name}.yml" for name in ("apply", "drift", "plan")}
WRITTEN: Final = [
    pytest.param((), BASE, id="none-unless-told"),
    pytest.param(("--ci", "none"), BASE, id="none"),
    pytest.param(("--ci", "github"), BASE | GITHUB, id="github"),
    pytest.param(("--ci", "gitlab"), BASE | {".gitlab-ci.yml"}, id="gitlab"),
]


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, str]]:
    """Those of a sandbox with the world that it starts with; nothing here writes to it."""
    with RunningSandbox(SandboxOptions(world=fleet(100), limits=None)) as sandbox:
        yield {
            "INFOBIP_BASE_URL": sandbox.url,
            "INFOBIP_API_KEY": KEY,
            "COURIER_APP_CODE": "courier-app-code",
        }


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def held(root: Path) -> dict[str, bytes]:
    """Return the files below a directory, without Git's and ours of the home directory."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not {".git", ".home"} & set(path.relative_to(root).parts)
    }


@pytest.mark.parametrize(("options", "expected"), WRITTEN)
def test_what_it_writes_stands_on_stdout(
    project: Project, options: tuple[str, ...], expected: set[str]
) -> None:
    """One path a line, in order, and nothing else is written."""
    ran = project.run("init", "fleet", *options)

    assert ran.exit == 0, ran.err
    assert ran.out.splitlines() == sorted(f"fleet/{path}" for path in expected)
    assert held(project.root / "fleet").keys() == expected


def test_it_validates_and_plans_at_once(project: Project, settings: dict[str, str]) -> None:
    """Against the sandbox as it starts, with the settings that are proposed; nothing is to do."""
    project.run("init", "--ci", "github")
    validated = project.run("validate")
    planned = project.run("plan", "--detailed-exitcode", **settings)

    assert (validated.exit, validated.out) == (0, "No mistakes: 2 devices in 2 files.\n")
    assert planned.exit == 0, planned.err
    assert planned.out.endswith("No changes. 2 devices are as declared. 2 to adopt.\n")


def test_the_first_change_is_one_line(project: Project, settings: dict[str, str]) -> None:
    """What a newcomer changes is what the plan shows."""
    project.run("init")
    text = (project.root / "devices/first.yaml").read_text("utf-8")
    project.write("devices/first.yaml", text.replace("shift: day", "shift: night"))
    planned = project.run("plan", "--format", "json", **settings)
    changes = [one for one in planned.json()["changes"] if one["fields"]]

    assert [[field["path"] for field in one["fields"]] for one in changes] == [
        ["additionalData.shift"]
    ]


def test_what_it_proposes_to_type_works(project: Project) -> None:
    """The settings that are not set yet, and where the shell must go."""
    ran = project.run("--log-format", "json", "init", "a fleet")
    said = json.loads(ran.err.splitlines()[0])
    again = project.run(
        "-C", "a fleet", "--log-format", "json", "init", INFOBIP_BASE_URL="http://x"
    )
    other = project.run("--log-format", "json", "init", "b", INFOBIP_BASE_URL="http://127.0.0.1:1")

    assert said["next"] == [
        "cd 'a fleet'",
        "git init",
        "reconciler --quiet sandbox --port 8118 &",
        "export INFOBIP_BASE_URL=http://127.0.0.1:8118 INFOBIP_API_KEY=any-key-will-do "
        "COURIER_APP_CODE=courier-app-code",
        "reconciler validate",
        "reconciler plan",
    ]
    assert (again.exit, again.out) == (0, "")
    assert [line.split()[0] for line in json.loads(other.err.splitlines()[0])["next"]] == [
        *("cd", "git", "export", "reconciler", "reconciler")
    ]


def test_again_it_writes_nothing(project: Project) -> None:
    """Not a byte, and it says so."""
    project.run("init", "--ci", "gitlab")
    before = {path: os.stat(project.root / path).st_mtime_ns for path in held(project.root)}
    ran = project.run("init", "--ci", "gitlab")

    assert (ran.exit, ran.out) == (0, "")
    assert ran.err == "Nothing to write: all of it is there already.\n"
    assert before == {path: os.stat(project.root / path).st_mtime_ns for path in before}


def test_pipelines_can_come_later(project: Project) -> None:
    """What is there already is left, and what is missing is written."""
    project.run("init")
    ran = project.run("init", "--ci", "github")

    assert (ran.exit, set(ran.out.splitlines())) == (0, GITHUB)


def test_a_file_that_differs_is_in_the_way(project: Project) -> None:
    """All of them are named, and nothing is written at all."""
    project.write("reconciler.yaml", "kind: Mine\n")
    project.write("schemas/plan.schema.json", "{}")
    project.write(".github/workflows/plan.yml", "on: push\n")
    before = held(project.root)
    ran = project.run("init", "--ci", "github")

    assert (ran.exit, ran.out) == (1, "")
    assert ran.err.splitlines()[:3] == [
        "error: reconciler.yaml is in the way: it is there, and it differs.",
        "error: .github/workflows/plan.yml is in the way: it is there, and it differs.",
        "error: Nothing was written.",
    ]
    assert held(project.root) == before


def obstacle_directory(root: Path) -> str:
    (root / "reconciler.yaml").mkdir()
    return "reconciler.yaml is in the way: it is a directory"


def obstacle_file(root: Path) -> str:
    (root / "schemas").write_text("")
    return "schemas/devices.schema.json is in the way: schemas is no directory"


def obstacle_dangling(root: Path) -> str:
    (root / "reconciler.yaml").symlink_to("nowhere")
    return "reconciler.yaml is in the way: there is no such file"


def obstacle_pipe(root: Path) -> str:
    os.mkfifo(root / ".gitignore")
    return ".gitignore is in the way: it is not a regular file"


def obstacle_link_of_directory(root: Path) -> str:
    elsewhere = root.parent / f"{root.name}-elsewhere"
    elsewhere.mkdir()
    (root / "devices").symlink_to(elsewhere)
    return "devices/first.yaml is in the way: a link leads out of ."


def obstacle_link_of_file(root: Path) -> str:
    mine = root.parent / f"{root.name}-mine"
    mine.write_text("precious\n")
    (root / ".gitignore").symlink_to(mine)
    return ".gitignore is in the way: it is a link that leads out of the project's directory"


OBSTACLES: Final = [
    pytest.param(made, id=made.__name__.removeprefix("obstacle_"))
    for made in (
        *(obstacle_directory, obstacle_file, obstacle_dangling, obstacle_pipe),
        *(obstacle_link_of_directory, obstacle_link_of_file),
    )
]


@pytest.mark.parametrize("made", OBSTACLES)
def test_what_is_no_file_of_ours_is_in_the_way(project: Project, made: Any) -> None:
    """Links, pipes and directories are left alone, here and where they lead."""
    place = project.root / "place"
    place.mkdir()
    said = made(place)
    before = sorted(os.listdir(place)), sorted(os.listdir(project.root))
    ran = project.run("-C", "place", "init")
    (project.root / ".home").rmdir()

    assert (ran.exit, ran.out) == (1, "")
    assert f"error: {said}.\n" in ran.err
    assert (sorted(os.listdir(place)), sorted(os.listdir(project.root))) == before


def test_a_directory_that_is_a_file_is_told(project: Project) -> None:
    """No crash over it."""
    project.write("fleet", "")
    ran = project.run("init", "fleet")

    assert (ran.exit, ran.out) == (1, "")
    assert ran.err.startswith("error: fleet is no directory.\n")


GROWN: Final = [
    pytest.param("*.log\n", "*.log\n\n", id="lines"),
    pytest.param("*.log", "*.log\n\n", id="no-newline-at-the-end"),
    pytest.param("", "", id="empty"),
]


@pytest.mark.parametrize(("before", "kept"), GROWN)
def test_a_gitignore_gets_what_it_lacks(project: Project, before: str, kept: str) -> None:
    """Its own lines stay, ours come behind them, once."""
    ours = (ROOT / "examples/minimal/.gitignore").read_text("utf-8")
    project.write(".gitignore", before)
    first = project.run("init")
    second = project.run("init")

    assert (project.root / ".gitignore").read_text("utf-8") == kept + ours
    assert ".gitignore" in first.out.splitlines()
    assert (second.exit, second.out) == (0, "")


def test_a_gitignore_that_has_it_all_is_left(project: Project) -> None:
    """In another order, without our comments, with another system's ends of lines."""
    text = "report.json\r\nplan.html\r\n.reconciler/\r\nplan.md\r\nplan.json\r\n"
    (project.root / ".gitignore").write_bytes(text.encode())
    ran = project.run("init")

    assert ".gitignore" not in ran.out
    assert (project.root / ".gitignore").read_bytes() == text.encode()


def test_git_does_not_see_what_must_stay_out(project: Project, settings: dict[str, str]) -> None:
    """The state and a saved plan are no files of the repository; all that was written is."""
    git(project.root, "init", "--quiet")
    project.run("init", "--ci", "github")
    project.run("plan", "-o", "plan.json", **settings)
    seen = git(project.root, "ls-files", "--others", "--exclude-standard", "--", ":!.home")

    assert (project.root / "plan.json").exists()
    assert (project.root / ".reconciler/state.db").exists()
    assert set(seen.splitlines()) == BASE | GITHUB


def test_a_directory_of_a_larger_repository_is_warned_of(project: Project) -> None:
    """Forges read pipelines at the root only; and there is a repository already."""
    git(project.root, "init", "--quiet")
    inside = project.run("init", "fleet", "--ci", "github")
    at_root = project.run("init", "--ci", "gitlab")

    assert "  git init\n" not in inside.err + at_root.err
    assert f"warning: The repository begins at {project.root.resolve()}" in inside.err
    assert "reconciler -C fleet" in inside.err
    assert "warning" not in at_root.err


@pytest.mark.parametrize(("ci", "example"), [("github", "github-actions"), ("gitlab", "gitlab-ci")])
def test_the_pipelines_are_those_of_the_examples(project: Project, ci: str, example: str) -> None:
    """Byte for byte; so what is tested of the examples is true of them."""
    project.run("init", "--ci", ci)
    files = held(project.root)
    pipelines = {path: files[path] for path in files.keys() - BASE}

    assert pipelines
    assert {path: (ROOT / "examples" / example / path).read_bytes() for path in pipelines} == (
        pipelines
    )


@pytest.mark.parametrize("example", ["github-actions", "gitlab-ci"])
def test_the_records_that_stand_as_comments_are_those_of_the_pipelines(
    project: Project, example: str
) -> None:
    """Taken out of the comment, one of them is the `state` of the example, and validates."""
    project.run("init")
    text = (project.root / "reconciler.yaml").read_text("utf-8")
    theirs = yaml.safe_load((ROOT / "examples" / example / "reconciler.yaml").read_text("utf-8"))
    head, local, offered = text.partition("state: {backend: local, path: .reconciler/state.db}\n")
    bare = "".join(line.removeprefix("# ") + "\n" for line in offered.splitlines())
    blocks = [f"state:{block}" for block in bare.split("state:")[1:]]
    (chosen,) = [one for one in blocks if yaml.safe_load(one)["state"] == theirs["state"]]
    project.write("reconciler.yaml", head + chosen)
    ran = project.run("validate")

    assert local
    assert len(blocks) == 2
    assert ran.exit == 0, ran.err


def test_the_schemas_are_there_for_editors(project: Project) -> None:
    """Each file names its own by a relative path that leads to it."""
    project.run("init")
    for path, name in (("reconciler.yaml", "project"), ("devices/first.yaml", "devices")):
        file = project.root / path
        first = file.read_text("utf-8").splitlines()[0]
        label, _, target = first.partition("$schema=")

        assert label == "# yaml-language-server: "
        assert (file.parent / target).read_bytes() == schema_bytes(name)
