"""The commit of a directory, and the many ways of not having one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from reconciler.git.history import head_commit


def git(directory: Path, *arguments: str) -> str:
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.com")
    return subprocess.run(
        ("git", "-C", str(directory), *who, *arguments), check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


def test_the_commit_checked_out_is_named(repository: Path) -> None:
    """From the top and from below, whether the files have changed since or not."""
    git(repository, "commit", "-q", "--allow-empty", "-m", "first")
    below = repository / "devices"
    below.mkdir()
    (below / "new.yaml").touch()
    commit = git(repository, "rev-parse", "HEAD")

    assert [commit, commit] == [head_commit(repository), head_commit(below)]


def test_there_is_none_before_the_first_commit(repository: Path) -> None:
    """A repository that was only begun has no commit."""
    assert head_commit(repository) is None


def test_there_is_none_outside_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in a plain directory, nor in one that does not exist."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    assert [None, None] == [head_commit(tmp_path), head_commit(tmp_path / "nowhere")]


def test_there_is_none_without_the_program(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without git plans all the same."""
    monkeypatch.setenv("PATH", "")

    assert head_commit(repository) is None


def test_a_git_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few seconds the plan goes on without a commit."""
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("reconciler.git.history._HEAD_SECONDS", 0.1)

    assert head_commit(tmp_path) is None
