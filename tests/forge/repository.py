"""A bare repository, as a forge keeps it, and the clone of somebody who works with it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WHO: Final = {
    "GIT_AUTHOR_NAME": "Ana",
    "GIT_AUTHOR_EMAIL": "ana@example.com",
    "GIT_COMMITTER_NAME": "Ana",
    "GIT_COMMITTER_EMAIL": "ana@example.com",
}


def git(directory: Path, *arguments: str) -> str:
    """Run git with nothing of the machine's configuration; return what it printed."""
    ran = subprocess.run(
        ("git", "-C", str(directory), *arguments),
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **_WHO,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, f"git {arguments}: {ran.stderr}"
    return ran.stdout.strip()


@dataclass(frozen=True, slots=True)
class Repository:
    """`bare` is the remote, `clone` a working copy whose main is the remote's."""

    bare: Path
    clone: Path

    @classmethod
    def start(cls, directory: Path, example: Path) -> Repository:
        """Make a repository whose first commit is an example."""
        bare, clone = directory / "remote.git", directory / "clone"
        for path in (bare, clone):
            path.mkdir()
        git(bare, "init", "--quiet", "--bare", "--initial-branch=main")
        # As both forges do, for their runners.
        git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(clone, "init", "--quiet", "--initial-branch=main")
        git(clone, "remote", "add", "origin", bare.as_uri())
        files = {
            path.relative_to(example).as_posix(): path.read_text("utf-8")
            for path in example.rglob("*")
            if path.is_file()
        }
        assert files, example
        here = cls(bare, clone)
        here.commit(files, "The beginning")
        git(clone, "push", "--quiet", "origin", "main")
        return here

    def commit(self, files: Mapping[str, str], message: str) -> None:
        """Write files and commit them on whatever is checked out."""
        for name, text in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--message", message)

    def push(
        self,
        branch: str,
        replaced: Mapping[str, tuple[str, str]],
        message: str,
        added: Mapping[str, str] | None = None,
    ) -> str:
        """Replace text in files on a branch, made from main if it is new, and add files to it;
        return its commit."""
        git(self.clone, "fetch", "--quiet", "origin")
        known = git(self.clone, "branch", "--list", branch)
        git(self.clone, "checkout", "--quiet", *(() if known else ("-b",)), branch, *_from(known))
        texts = dict(added or {})
        for name, (old, new) in replaced.items():
            text = (self.clone / name).read_text("utf-8")
            assert text.count(old) == 1, f"{name}: {old!r} stands {text.count(old)} times"
            texts[name] = text.replace(old, new)
        self.commit(texts, message)
        git(self.clone, "push", "--quiet", "origin", branch)
        return git(self.clone, "rev-parse", "HEAD")

    def merged(self, head: str, into: str) -> str:
        """Push the merge of a commit and main to a reference, as a forge does for its runners."""
        git(self.clone, "fetch", "--quiet", "origin")
        git(self.clone, "checkout", "--quiet", "--detach", "origin/main")
        git(self.clone, "merge", "--quiet", "--no-ff", "--message", f"Merge {head}", head)
        git(self.clone, "push", "--quiet", "--force", "origin", f"HEAD:{into}")
        return git(self.clone, "rev-parse", "HEAD")

    def squash(self, head: str) -> str:
        """Put a branch onto main as one new commit; return that."""
        git(self.clone, "fetch", "--quiet", "origin")
        git(self.clone, "checkout", "--quiet", "-B", "main", "origin/main")
        git(self.clone, "merge", "--quiet", "--squash", head)
        git(self.clone, "commit", "--quiet", "--message", f"Squashed {head}")
        git(self.clone, "push", "--quiet", "origin", "main")
        return self.main()

    def main(self) -> str:
        """Return the commit of the remote's main."""
        return git(self.bare, "rev-parse", "main")

    def check_out(self, directory: Path, commit: str, depth: int) -> None:
        """Check a commit out into an empty directory as runners do; depth 0 is all branches."""
        directory.mkdir(parents=True, exist_ok=True)
        git(directory, "init", "--quiet")
        git(directory, "remote", "add", "origin", self.bare.as_uri())
        if depth:
            git(directory, "fetch", "--quiet", "--depth", str(depth), "origin", commit)
        else:
            everything = "+refs/heads/*:refs/remotes/origin/*"
            git(directory, "fetch", "--quiet", "origin", everything, commit)
        git(directory, "checkout", "--quiet", "--detach", commit)


def _from(known: str) -> tuple[str, ...]:
    return () if known else ("origin/main",)
