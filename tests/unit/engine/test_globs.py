"""Globs against names only: the same files as on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.files import expand_globs, match_globs

NAMES = ["a", "b.yaml", ".c", "[d", "e*", "größe.yaml"]
FILES = st.lists(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join), max_size=8, unique=True
)
PARTS = [
    "**",
    "*",
    "*.yaml",
    "a",
    ".c",
    "?",
    ".*",
    "[ab]*",
    "[!a]*",
    "b.yaml",
    ".",
    "",
    "[d",
    "*e*",
]
PATTERNS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("devices/**/*.yaml", ["devices/a.yaml", "devices/deep/er/b.yaml"]),
        ("**", ["devices/a.yaml", "devices/deep/er/b.yaml", "top.yaml"]),
        ("*.yaml", ["top.yaml"]),
        ("devices/*", ["devices/a.yaml"]),
        ("devices/.*", ["devices/.hidden.yaml"]),
        ("./devices//a.yaml", ["devices/a.yaml"]),
        ("**/**/b.yaml", ["devices/deep/er/b.yaml"]),
        ("", []),
    ],
)
def test_the_globs_of_the_project_file(pattern: str, expected: list[str]) -> None:
    """`*` stays within a name, `**` is any number of directories, dots are asked for."""
    paths = ["devices/a.yaml", "devices/.hidden.yaml", "devices/.d/c.yaml", "top.yaml"]

    assert expected == match_globs([*paths, "devices/deep/er/b.yaml"], [pattern])


@settings(max_examples=150, deadline=None)
@given(FILES, PATTERNS)
def test_names_match_as_they_do_on_disk(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], pattern: str
) -> None:
    """Whatever the tree and the glob are."""
    root: Path = tmp_path_factory.mktemp("tree")
    made: list[str] = []
    for path in paths:
        file = root / path
        if any(parent.is_file() for parent in file.parents) or file.is_dir():
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        made.append(path)
    found = [path for path in expand_globs(root, [pattern])[pattern] if (root / path).is_file()]

    assert found == match_globs(made, [pattern])


def test_many_stars_take_no_time() -> None:
    """What backtracking would try in a thousand million ways."""
    path, pattern = "/".join(["a"] * 60), "/".join(["**", "a"] * 25 + ["b"])

    assert match_globs([path], [pattern]) == []
