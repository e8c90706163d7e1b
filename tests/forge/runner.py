"""What both runners have: programs on PATH, a shell, and what became of a job."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.e2e import warm
from tests.e2e.harness import interpreter

TIMEOUT: Final = 100


@dataclass(slots=True)
class Job:
    """One job: success, failure, skipped or waiting (for somebody to approve it)."""

    name: str
    outcome: str = "success"
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    environments: list[Mapping[str, str]] = field(default_factory=list)
    # What GitHub's runner did because a step printed it.
    commands: list[str] = field(default_factory=list)

    @property
    def told(self) -> str:
        """Everything that it says to people."""
        return self.summary + self.log


@dataclass(frozen=True, slots=True)
class Played:
    """What a pipeline did; `number` names it at its forge."""

    number: int
    jobs: Mapping[str, Job]

    @property
    def outcomes(self) -> dict[str, str]:
        """The jobs by their outcomes."""
        return {name: job.outcome for name, job in self.jobs.items()}

    @property
    def log(self) -> str:
        return "\n".join(f"== {job.name}: {job.outcome}\n{job.told}" for job in self.jobs.values())


def programs(directory: Path, *more: str) -> Path:
    """Make the directory of programs that come before all others; return it.

    `pip` installs nothing: the program under test is the one of this checkout, in forked processes.
    """
    directory.mkdir(parents=True)
    python = shlex.quote(sys.executable)
    texts = {
        "reconciler": warm.line_of_shell(),
        "python": f'exec {python} "$@"',
        "pip": '[ "$#" = 2 ] && [ "$1" = install ] && echo "pip $*"',
        **{name: warm.line_of_shell(f"tests.forge.{name}") for name in more},
    }
    for name, text in texts.items():
        (directory / name).write_text(f"#!/bin/sh\n{text}\n", "utf-8")
        (directory / name).chmod(0o755)
    return directory


def surroundings(bin_: Path, home: Path) -> dict[str, str]:
    """Return the variables of every job, with nothing of the caller's."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "LANG": "C.UTF-8",
        **interpreter(),
        "NO_PROXY": "127.0.0.1",
        "CI": "true",
    }


def bash(
    script: str, cwd: Path, environment: Mapping[str, str], options: tuple[str, ...]
) -> tuple[int, str]:
    """Run a script as runners do, from a file; return its exit code and what it said."""
    file = cwd.parent / f"{cwd.name}.sh"
    file.write_text(script, "utf-8")
    process = subprocess.Popen(
        ("bash", *options, str(file)),
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        raise AssertionError(f"it never ends:\n{script}\n{said}") from None
    return process.returncode, said
