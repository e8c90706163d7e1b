"""Files of a new repository: what fails on the way leaves the directory as it was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from reconciler.cli.errors import exit_code_of
from reconciler.cli.exit_codes import ExitCode
from reconciler.engine.errors import PathsInTheWay, UnwritableFile
from reconciler.engine.init import (
    Obstacle,
    PreparedRepository,
    prepare_files,
    write_repository,
)
from reconciler.engine.starter_files import StarterFile

# Longer than file systems take: the one failure that root meets too.
IMPOSSIBLE: Final = StarterFile("z" * 300, b"never")


def content(root: Path) -> dict[str, bytes | None]:
    """Return what lies below a directory; None: a directory."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


def test_what_fails_on_the_way_is_taken_back(tmp_path: Path) -> None:
    """New files and directories go, and what got more lines has its own ones again."""
    (tmp_path / ".gitignore").write_bytes(b"*.log")
    (tmp_path / "devices").mkdir()
    before = content(tmp_path)
    files = [
        StarterFile(".gitignore", b"x\n"),
        StarterFile("devices/a.yaml", b"a"),
        StarterFile("new/b", b"b"),
    ]
    prepared = prepare_files(tmp_path, [*files, IMPOSSIBLE])

    with pytest.raises(UnwritableFile) as ended:
        write_repository(prepared)

    assert [file.path for file in prepared.files] == [
        *(".gitignore", "devices/a.yaml", "new/b", IMPOSSIBLE.path)
    ]
    assert exit_code_of(ended.value) is ExitCode.ERROR
    assert "cannot be written: file name too long" in ended.value.message
    assert content(tmp_path) == before


def test_a_directory_that_was_missing_goes_too(tmp_path: Path) -> None:
    """Those above it as well, as far as they were made."""
    prepared = prepare_files(tmp_path / "one" / "two", [StarterFile("a", b"a"), IMPOSSIBLE])

    with pytest.raises(UnwritableFile):
        write_repository(prepared)

    assert content(tmp_path) == {}


def test_what_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """Looking and writing are two moments."""
    files = (StarterFile("a", b"a"), StarterFile("b", b"b"))
    prepared = prepare_files(tmp_path, files)
    (tmp_path / "b").write_bytes(b"precious")

    with pytest.raises(PathsInTheWay) as ended:
        write_repository(prepared)

    assert prepared == PreparedRepository(tmp_path, files, ())
    assert "appeared meanwhile" in ended.value.message
    assert content(tmp_path) == {"b": b"precious"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_gitignore_that_is_read_only_is_in_the_way(tmp_path: Path) -> None:
    """Unless it lacks nothing. Its directory would let us replace it."""
    path = tmp_path / ".gitignore"
    path.write_bytes(b"x\n")
    path.chmod(0o440)

    assert prepare_files(tmp_path, [StarterFile(".gitignore", b"x\n")]) == PreparedRepository(
        tmp_path, (), ()
    )
    assert prepare_files(tmp_path, [StarterFile(".gitignore", b"y\n")]).obstacles == (
        Obstacle(".gitignore", "permission denied"),
    )
