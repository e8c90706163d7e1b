"""Earlier files of a directory, read from real repositories; and what cannot be read, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.git.history import NoHistory, base_of, contents, files_at

from .test_head import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, {"fleet/a.yaml": b"one\n", "fleet/deep/b.yaml": b"\xff\x00\n", "c": b""})
    return tmp_path


def commit(directory: Path, files: dict[str, bytes]) -> str:
    for name, data in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "--allow-empty", "-m", "a commit")
    return git(directory, "rev-parse", "HEAD")


def read(directory: Path, commit: str) -> dict[str, bytes]:
    blobs = files_at(directory, commit)
    data = contents(directory, blobs.values())
    return {path: data[blob.id] for path, blob in blobs.items()}


def test_files_are_those_below_the_directory_by_their_paths_in_it(repository: Path) -> None:
    """As they were committed, whatever the working tree holds now, byte for byte."""
    first = git(repository, "rev-parse", "HEAD")
    commit(repository, {"fleet/a.yaml": b"two\n", "fleet/new.yaml": b""})
    (repository / "fleet" / "a.yaml").write_text("three\n")

    assert {"a.yaml": b"one\n", "deep/b.yaml": b"\xff\x00\n"} == read(repository / "fleet", first)


def test_odd_names_are_names(repository: Path) -> None:
    """Quotes, tabs, newlines, umlauts and bytes that are no text."""
    names = ['a "b".yaml', "tab\there", "new\nline", "größe.yaml", "b\udcff"]
    now = commit(repository, {f"odd/{name}": name.encode(errors="replace") for name in names})

    assert set(names) == read(repository / "odd", now).keys()


def test_a_directory_that_was_not_there_had_no_files(repository: Path) -> None:
    """A project that a branch begins."""
    (repository / "begun").mkdir()

    assert {} == read(repository / "begun", git(repository, "rev-parse", "HEAD"))


def test_a_blob_knows_its_content(repository: Path) -> None:
    """By what Git calls it, without reading it; a link never is its content."""
    (repository / "fleet" / "link.yaml").symlink_to("a.yaml")
    blobs = files_at(repository / "fleet", commit(repository, {}))

    assert [True, False] == [blobs["a.yaml"].holds(data) for data in (b"one\n", b"one\r\n")]
    assert [True, False] == [blobs["link.yaml"].is_link, blobs["link.yaml"].holds(b"a.yaml")]


def test_the_base_is_where_head_left(repository: Path) -> None:
    """What main did since then is no change of this branch."""
    left = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "-q", "-b", "branch")
    commit(repository, {"fleet/a.yaml": b"two\n"})
    git(repository, "checkout", "-q", "main")
    main = commit(repository, {"fleet/a.yaml": b"three\n"})
    git(repository, "checkout", "-q", "branch")
    found = base_of(repository / "fleet", "main")

    assert (left, main, True) == (found.commit, found.named, found.is_common)


def test_without_a_common_commit_the_base_is_the_named_one(repository: Path) -> None:
    """Two histories that have nothing to do with each other."""
    main = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "-q", "--orphan", "other")
    commit(repository, {"fleet/a.yaml": b"two\n"})
    found = base_of(repository, "main")

    assert (main, False, False) == (found.commit, found.is_common, found.is_shallow)


@pytest.mark.parametrize("ref", ["HEAD", "main", "v1", "HEAD~0", "annotated", "@"])
def test_a_commit_has_many_names(repository: Path, ref: str) -> None:
    """A branch, a tag of either kind, an expression."""
    git(repository, "tag", "v1")
    git(repository, "tag", "-a", "-m", "a tag", "annotated")

    assert git(repository, "rev-parse", "HEAD") == base_of(repository, ref).commit


@pytest.mark.parametrize(
    "ref",
    [
        *("", "-", "--", "--output=x", "-h", "--all", "nope", "ma\nin", "main\n", "a\0b", "a\x1bb"),
        *("main..main", "^main", "main main", "HEAD:fleet/a.yaml", "HEAD^{tree}", "$(id)", "*"),
    ],
)
def test_what_is_no_commit_is_refused(repository: Path, ref: str) -> None:
    """Whatever somebody types, it is never an option of git, nor two commits, nor a file."""
    before = sorted(repository.rglob("*"))
    with pytest.raises(NoHistory, match="no such commit"):
        base_of(repository, ref)

    assert before == sorted(repository.rglob("*"))


def test_a_shallow_clone_says_how_to_get_more(repository: Path, tmp_path: Path) -> None:
    """The commit of yesterday is not there, and a branch of the same clone has no common one."""
    first = git(repository, "rev-parse", "HEAD")
    commit(repository, {"fleet/a.yaml": b"two\n"})
    git(repository, "checkout", "-q", "-b", "branch", first)
    commit(repository, {"fleet/a.yaml": b"three\n"})
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", repository.as_uri(), str(clone))
    with pytest.raises(NoHistory, match="is shallow") as caught:
        base_of(clone, first)
    found = base_of(clone, "origin/main")

    assert "fetch-depth: 0" in caught.value.fix
    assert (False, True) == (found.is_common, found.is_shallow)


def test_outside_of_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that no repository has."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(NoHistory, match="is in no Git repository"):
        base_of(tmp_path, "main")


def test_somebody_elses_repository_says_how_to_trust_it(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container the files often belong to another user than the one who runs."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(NoHistory, match="does not trust") as caught:
        base_of(repository, "main")

    assert "safe.directory" in caught.value.fix


def test_without_the_program_it_says_so(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without git can do all but this."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoHistory, match="git is not there"):
        base_of(repository, "main")


def test_a_git_that_hangs_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time the plan ends with an error."""
    fake = tmp_path / "git"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("reconciler.git.history._SECONDS", 0.1)
    with pytest.raises(NoHistory, match="did not answer"):
        base_of(tmp_path, "main")


def test_a_content_that_is_not_in_the_clone_is_an_error(repository: Path) -> None:
    """A repository that lost an object, or never had it."""
    blobs = files_at(repository, "HEAD")
    lost = blobs["fleet/a.yaml"].id
    (repository / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(NoHistory, match="not in this clone"):
        contents(repository, blobs.values())
