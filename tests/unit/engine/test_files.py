"""Globs and reading: what is found, in which order, and what is never opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.engine.files import (
    expand_globs,
    find_project_file,
    leads_outside,
    read_file,
    replace_file,
)
from reconciler.manifest.result import Unreadable


def tree(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path, "utf-8")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a.yaml", ("a.yaml",)),
        ("*.yaml", ("a.yaml", "b.yaml")),
        ("**/*.yaml", ("a.yaml", "b.yaml", "d/c.yaml", "d/e/f.yaml")),
        ("**/**/*.yaml", ("a.yaml", "b.yaml", "d/c.yaml", "d/e/f.yaml")),
        ("./d/**/*.yaml", ("d/c.yaml", "d/e/f.yaml")),
        ("d/*/f.yaml", ("d/e/f.yaml",)),
        ("[ab].yaml", ("a.yaml", "b.yaml")),
        ("d/*", ("d/c.yaml", "d/note.txt")),
        (".hidden/*.yaml", (".hidden/g.yaml",)),
        ("nothing/*.yaml", ()),
        ("d", ("d",)),
    ],
)
def test_a_glob_matches_in_sorted_order(
    tmp_path: Path, pattern: str, expected: tuple[str, ...]
) -> None:
    """Stars stay within a name, two stars cross directories, hidden names need a dot."""
    tree(tmp_path, "b.yaml", "a.yaml", "d/c.yaml", "d/e/f.yaml", "d/note.txt", ".hidden/g.yaml")

    assert expand_globs(tmp_path, [pattern]) == {pattern: expected}


def test_a_directory_that_links_to_itself_ends(tmp_path: Path) -> None:
    """Two stars do not follow links to directories; a link to a file is a file."""
    tree(tmp_path, "d/a.yaml")
    (tmp_path / "d" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "d" / "b.yaml").symlink_to("a.yaml")

    assert expand_globs(tmp_path, ["**/*.yaml"]) == {"**/*.yaml": ("d/a.yaml", "d/b.yaml")}


def test_a_link_out_of_the_project_is_not_read(tmp_path: Path) -> None:
    """What a pull request can link to is limited to the project's own directory."""
    tree(tmp_path, "secret.yaml", "project/a.yaml")
    (tmp_path / "project" / "b.yaml").symlink_to("../secret.yaml")
    project = tmp_path / "project"

    assert read_file(project / "a.yaml", within=project) == b"project/a.yaml"
    assert read_file(project / "b.yaml", within=project) == Unreadable(
        "it is a link that leads out of the project's directory"
    )


def test_what_is_no_file_says_why(tmp_path: Path) -> None:
    """A directory, a pipe, a loop of links and nothing at all are told apart; none blocks."""
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")

    assert read_file(tmp_path / "directory") == Unreadable("it is a directory")
    assert read_file(tmp_path / "pipe") == Unreadable("it is not a regular file")
    assert read_file(tmp_path / "loop") == Unreadable("too many levels of symbolic links")
    assert read_file(tmp_path / "nothing") == Unreadable("there is no such file")


@pytest.mark.parametrize("pattern", ["/etc/*.yaml", "../x.yaml", "a/../../x.yaml", "~/x.yaml"])
def test_a_pattern_that_could_leave_the_project_is_known(pattern: str) -> None:
    """Absolute paths, home directories and steps upwards lead outside."""
    assert leads_outside(pattern)


def test_the_project_file_is_found_upwards(tmp_path: Path) -> None:
    """The nearest one wins."""
    tree(tmp_path, "reconciler.yaml", "a/b/c.yaml")

    assert find_project_file(tmp_path / "a" / "b") == tmp_path / "reconciler.yaml"
    tree(tmp_path, "a/reconciler.yaml")
    assert find_project_file(tmp_path / "a" / "b") == tmp_path / "a" / "reconciler.yaml"


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """Nothing but the new file is left, its permissions kept, a link followed."""
    target = tmp_path / "plan.json"
    target.write_bytes(b"{}")
    target.chmod(0o640)
    (tmp_path / "link.json").symlink_to("plan.json")
    replace_file(tmp_path / "link.json", b'{"new": true}')

    assert target.read_bytes() == b'{"new": true}'
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "plan.json"]
