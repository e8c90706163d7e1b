"""What Git knows of a directory: its commit, and its files as they were at another one.

By reading only: nothing is checked out, and no lock is taken.
What somebody types for a commit can be anything, so it is never an option or a second argument.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_OBJECT_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# A plan is not held up for the name of its commit.
_HEAD_SECONDS: Final = 5.0
# A repository on a slow disk, and blobs that a partial clone has to fetch.
_SECONDS: Final = 120.0
_REGULAR: Final = frozenset({"100644", "100755"})
_LINK: Final = "120000"
_FETCH: Final = (
    "Fetch the whole history: fetch-depth: 0 of actions/checkout, GIT_DEPTH: 0 on GitLab, "
    "git fetch --unshallow by hand."
)


class NoHistory(Exception):
    """Why what was there before is not known, and what to do about it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Base:
    """The commit to compare with; `named` is the one that was asked for.

    `is_common`: it is the last one that both this and HEAD have; else it is the named one itself,
    which in a shallow clone may be for want of history (`is_shallow`).
    """

    commit: str
    named: str
    is_common: bool
    is_shallow: bool


@dataclass(frozen=True, slots=True)
class Blob:
    """One file of a commit: the id of its content, and whether it is a regular file or a link."""

    id: str
    mode: str

    @property
    def is_regular(self) -> bool:
        return self.mode in _REGULAR

    @property
    def is_link(self) -> bool:
        return self.mode == _LINK

    def holds(self, data: bytes) -> bool:
        """Whether a file with these bytes is this one, unchanged."""
        algorithm = hashlib.sha1 if len(self.id) == 40 else hashlib.sha256
        content = b"blob %d\0" % len(data) + data
        return self.is_regular and algorithm(content, usedforsecurity=False).hexdigest() == self.id


def head_commit(directory: Path) -> str | None:
    """Return the id of the commit checked out in `directory`; None outside Git or when unsure.

    A plan is worth having without it, so no way in which git can fail fails the plan.
    """
    try:
        answer = _run_git(
            directory, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", seconds=_HEAD_SECONDS
        )
    except NoHistory:
        return None
    commit = _text(answer)
    return commit if answer.returncode == 0 and _OBJECT_ID.fullmatch(commit) else None


def base_of(directory: Path, ref: str) -> Base:
    """Return where to compare from for "what changed since `ref`". Raises NoHistory."""
    _require_repository(directory)
    is_shallow = _text(_run_git(directory, "rev-parse", "--is-shallow-repository")) == "true"
    commit = _resolve_commit(directory, ref)
    if commit is None:
        fix = _FETCH if is_shallow else "Name a commit, a tag or a branch; a remote's: git fetch."
        clone = ", and this clone is shallow" if is_shallow else ""
        raise NoHistory(f"this repository knows no such commit{clone}", fix)
    answer = _run_git(directory, "merge-base", commit, "HEAD")
    common = _text(answer)
    if answer.returncode == 0 and _OBJECT_ID.fullmatch(common):
        return Base(common, commit, is_common=True, is_shallow=is_shallow)
    return Base(commit, commit, is_common=False, is_shallow=is_shallow)


def files_at(directory: Path, commit: str) -> Mapping[str, Blob]:
    """Return the files below a directory at a commit by their paths in it; raises NoHistory."""
    listing = _require_success(_run_git(directory, "ls-tree", "-r", "-z", commit))
    files: dict[str, Blob] = {}
    for line in listing.split(b"\0"):
        facts, _, path = line.partition(b"\t")
        if path:
            mode, kind, id_ = facts.decode("ascii").split()
            # What is no blob is another repository inside of this one.
            if kind == "blob":
                files[os.fsdecode(path)] = Blob(id_, mode)
    return files


def contents(directory: Path, blobs: Iterable[Blob]) -> Mapping[str, bytes]:
    """Return the contents of files by their ids; raises NoHistory."""
    ids = sorted({blob.id for blob in blobs})
    if not ids:
        return {}
    requested = "".join(f"{id_}\n" for id_ in ids).encode()
    answer = _require_success(_run_git(directory, "cat-file", "--batch", stdin=requested))
    contents_by_id: dict[str, bytes] = {}
    at = 0
    for id_ in ids:
        end = answer.find(b"\n", at)
        header = answer[at:end].split()
        if end < 0 or len(header) != 3 or header[0].decode("ascii", "replace") != id_:
            raise NoHistory("the content of a file at that commit is not in this clone", _FETCH)
        size = int(header[2])
        contents_by_id[id_] = answer[end + 1 : end + 1 + size]
        at = end + 2 + size
    return contents_by_id


def _resolve_commit(directory: Path, ref: str) -> str | None:
    # No name of a commit starts so or holds such a character, and an option of git might.
    if not ref or ref.startswith("-") or not ref.isprintable():
        return None
    revision = f"{ref}^{{commit}}"
    answer = _run_git(directory, "rev-parse", "--verify", "--quiet", "--end-of-options", revision)
    # Some versions repeat the marker.
    name = _text(answer).rpartition("\n")[2]
    return name if answer.returncode == 0 and _OBJECT_ID.fullmatch(name) else None


def _require_repository(directory: Path) -> None:
    answer = _run_git(directory, "rev-parse", "--is-inside-work-tree")
    if answer.returncode == 0 and _text(answer) == "true":
        return
    complaint = answer.stderr.decode("utf-8", "replace")
    if "dubious ownership" in complaint:
        raise NoHistory(
            "git does not trust this repository, because somebody else owns its directory",
            f"git config --global --add safe.directory {directory}",
        )
    raise NoHistory(
        f"{directory} is in no Git repository", "Run it in a clone, or leave --since out."
    )


def _require_success(answer: subprocess.CompletedProcess[bytes]) -> bytes:
    if answer.returncode:
        complaint = answer.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise NoHistory(f"git failed: {complaint or 'it does not say why'}", _FETCH)
    return answer.stdout


def _text(answer: subprocess.CompletedProcess[bytes]) -> str:
    return answer.stdout.decode("ascii", "replace").strip()


def _run_git(
    directory: Path, *arguments: str, stdin: bytes | None = None, seconds: float | None = None
) -> subprocess.CompletedProcess[bytes]:
    limit = _SECONDS if seconds is None else seconds
    try:
        return subprocess.run(
            ("git", "-C", str(directory), *arguments),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            timeout=limit,
            check=False,
            env={
                **os.environ,
                "GIT_OPTIONAL_LOCKS": "0",
                "GIT_TERMINAL_PROMPT": "0",
                "LC_ALL": "C",
            },
        )
    except FileNotFoundError:
        raise NoHistory("the program git is not there", "Install git, or leave --since out.") from (
            None
        )
    except subprocess.TimeoutExpired:
        raise NoHistory(f"git did not answer within {limit:.0f} s") from None
    except (OSError, ValueError) as error:
        raise NoHistory(f"git cannot be run ({type(error).__name__})") from None
