"""Formatting as a use-case: a result for each file, in order, each when it is dealt with."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from reconciler.engine.errors import InvalidProject, ProjectNotFound
from reconciler.engine.formatting import (
    Changed,
    Foreign,
    Invalid,
    Unchanged,
    format_bytes,
    format_files,
    format_project,
)

CANONICAL: Final = b"""\
apiVersion: reconciler/v1
kind: Devices
application: courier
devices:
  one: {isPrimary: true}
"""
LOOSE: Final = CANONICAL.replace(b"isPrimary: true", b"isPrimary:   true")
PROJECT: Final = b"""\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${URL}
  auth: {apiKey: "${KEY}"}
applications:
  courier: {appCode: "${CODE}"}
manifests: [devices/*.yaml]
"""


def test_each_file_gets_a_result_of_its_kind(tmp_path: Path) -> None:
    """In the order in which they were named, once each; nothing is written unless that is said."""
    contents = {
        "a.yaml": CANONICAL,
        "b.yaml": LOOSE,
        "c.yaml": b"kind: ConfigMap\n",
        "d.yaml": CANONICAL + b"devices: [\n",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)

    names = [*contents, "b.yaml", "missing.yaml"]
    results = list(format_files(tmp_path, names, write=False))

    same, changed, foreign, invalid, missing = results
    assert same == Unchanged("a.yaml")
    assert changed == Changed("b.yaml", LOOSE, format_written(LOOSE))
    assert foreign == Foreign("c.yaml")
    assert isinstance(invalid, Invalid)
    assert {one.source.file for one in invalid.diagnostics if one.source} == {"d.yaml"}
    assert isinstance(missing, Invalid)
    assert {name: (tmp_path / name).read_bytes() for name in contents} == contents


def format_written(data: bytes) -> bytes:
    """Return a text in canonical layout."""
    result = format_bytes("any", data)
    return result.new if isinstance(result, Changed) else data


def test_a_file_is_written_before_the_next_is_read(tmp_path: Path) -> None:
    """Whoever stops listening stops the writing."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_bytes(LOOSE)

    results = format_files(tmp_path, ["a.yaml", "b.yaml"], write=True)
    first = next(results)

    assert isinstance(first, Changed)
    assert (tmp_path / "a.yaml").read_bytes() == first.new != LOOSE
    assert (tmp_path / "b.yaml").read_bytes() == LOOSE
    assert [type(result) for result in results] == [Changed]
    assert list(format_files(tmp_path, ["a.yaml", "b.yaml"], write=True)) == [
        Unchanged("a.yaml"),
        Unchanged("b.yaml"),
    ]


def test_a_project_is_its_own_file_and_what_it_names(tmp_path: Path) -> None:
    """Other files stay; what its globs name is never taken for somebody else's."""
    (tmp_path / "devices").mkdir()
    (tmp_path / "reconciler.yaml").write_bytes(PROJECT)
    (tmp_path / "devices" / "a.yaml").write_bytes(LOOSE)
    (tmp_path / "devices" / "b.yaml").write_bytes(b"kind: ConfigMap\n")
    (tmp_path / "other.yaml").write_bytes(LOOSE)

    results = list(format_project(tmp_path / "reconciler.yaml", write=True))

    assert [result.path for result in results] == [
        *("reconciler.yaml", "devices/a.yaml", "devices/b.yaml")
    ]
    assert not any(isinstance(result, Foreign) for result in results)
    assert (tmp_path / "other.yaml").read_bytes() == LOOSE


def test_a_project_file_with_mistakes_formats_nothing(tmp_path: Path) -> None:
    """Which manifests it names is not known; that there is none is another error."""
    project_file = tmp_path / "reconciler.yaml"
    with pytest.raises(ProjectNotFound):
        format_project(project_file, write=True)

    project_file.write_bytes(PROJECT.replace(b"manifests", b"manifest"))
    with pytest.raises(InvalidProject) as ended:
        format_project(project_file, write=True)

    assert ended.value.root == tmp_path
    assert ended.value.diagnostics
    assert ended.value.fix.endswith("reconciler fmt reconciler.yaml")


def test_a_diff_shows_no_value_and_line_ends_are_told_apart() -> None:
    """A pipeline prints it; that lines end otherwise is no line of it."""
    result = format_bytes("<stdin>", LOOSE.replace(b"\n", b"\r\n") + b"# 385915001000 \r\n")

    assert isinstance(result, Changed)
    assert result.changes_line_ends
    assert "isPrimary: true" in result.diff("a.yaml")
    assert b"\r" not in result.new
