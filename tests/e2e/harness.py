"""The command line as a user runs it: a subprocess in a directory of files, against a sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from . import warm

ROOT: Final = Path(__file__).resolve().parent.parent.parent
KEY: Final = "secret-key-of-the-tests"
TIMEOUT: Final = 100
# Names the directory of compiled modules where none may be written beside the sources.
BYTECODE: Final = "RECONCILER_TESTS_BYTECODE"


def interpreter() -> dict[str, str]:
    """Return the variables with which Python finds this checkout, and its modules compiled."""
    bytecode = os.environ.get(BYTECODE) or sys.pycache_prefix
    return {"PYTHONPATH": str(ROOT)} | ({"PYTHONPYCACHEPREFIX": bytecode} if bytecode else {})


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command answered."""

    exit: int
    out: str
    err: str

    def json(self) -> Any:
        """Return stdout read as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox by its address; everything goes over HTTP, as for any other client."""

    url: str

    def world(self) -> dict[str, Any]:
        """Return the whole world as the sandbox shows it."""
        shown = self._ask("GET", "/_sandbox/world")
        assert isinstance(shown, dict)
        return shown

    def put_world(self, world: Mapping[str, Any]) -> None:
        """Replace the world, and forget the calls made so far."""
        self._ask("PUT", "/_sandbox/world", world)
        self._ask("DELETE", "/_sandbox/calls")

    def calls(self) -> Any:
        """Return the call log."""
        return self._ask("GET", "/_sandbox/calls")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        # The environment of whoever runs the tests may name a proxy; loopback needs none.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=TIMEOUT) as answer:
            data = answer.read()
        return json.loads(data) if data else None


@dataclass(frozen=True, slots=True)
class Project:
    """A directory with a project in it, and an environment with nothing of the caller's."""

    root: Path
    url: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project and return its path."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    def copy(self, folder: Path, into: str = ".") -> None:
        """Copy the files of a folder (not of those below it) into one of the project."""
        for file in sorted(folder.iterdir()):
            if file.is_file():
                self.write(f"{into}/{file.name}", file.read_text("utf-8"))

    def environment(self) -> dict[str, str]:
        home = self.root / ".home"
        home.mkdir(exist_ok=True)
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "XDG_CACHE_HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            # The checkout may lie inside a repository; a temporary directory must not find it.
            "GIT_CEILING_DIRECTORIES": str(self.root.parent),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "COLUMNS": "100",
            **interpreter(),
            "SANDBOX_URL": self.url,
            "SANDBOX_KEY": KEY,
            **self.variables,
        }

    def run(self, *arguments: str, stdin: str = "", **variables: str) -> Ran:
        """Run `reconciler` with these arguments and wait for its end, in a forked process."""
        environment = {**self.environment(), **variables}
        return Ran(*warm.command(arguments, self.root, environment, stdin, TIMEOUT))

    def start(self, *arguments: str, stdin: str = "", **variables: str) -> Ran:
        """Do the same in a process that starts as a user's does, with the interpreter."""
        ran = subprocess.run(
            [sys.executable, "-P", "-m", "reconciler", *arguments],
            cwd=self.root,
            env={**self.environment(), **variables},
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)
