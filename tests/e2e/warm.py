"""Processes for commands, forked from one that has imported everything.

Python and its imports are most of what a short command costs. A child has a process number, a
directory, an environment, streams and an end of its own; of an interpreter's start it sees
nothing, which tests of streams, signals and imports do not accept: they start one.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from reconciler.cli.main import run

_PROCESSES: Final = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.e2e.everything"])
_STREAMS: Final = ("in", "out", "err")


def command(
    arguments: tuple[str, ...],
    directory: Path,
    environment: Mapping[str, str],
    stdin: str,
    timeout: float,
) -> tuple[int, str, str]:
    """Run a command to its end; return its exit code (-9: killed) and what it wrote.

    Raises `subprocess.TimeoutExpired` if it has not ended within `timeout` seconds.
    """
    with TemporaryDirectory(prefix="command-") as room:
        given, out, err = (Path(room) / name for name in _STREAMS)
        given.write_text(stdin, "utf-8")
        for file in (out, err):
            file.touch()
        process = _PROCESSES.Process(
            target=_be, args=(arguments, str(directory), dict(environment), room)
        )
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, timeout, out.read_text("utf-8"))
        code = process.exitcode
        process.close()
        return code, out.read_text("utf-8"), err.read_text("utf-8")


def _be(arguments: tuple[str, ...], directory: str, environment: dict[str, str], room: str) -> None:
    """Become the process of a command."""
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, name in enumerate(_STREAMS):
        how = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(os.path.join(room, name), how, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = (
        io.TextIOWrapper(
            io.BufferedReader(io.FileIO(number, closefd=False))
            if number == 0
            else io.BufferedWriter(io.FileIO(number, "w", closefd=False)),
            encoding="utf-8",
            errors="backslashreplace" if number == 2 else "strict",
            line_buffering=number == 2,
        )
        for number in range(3)
    )
    sys.argv = ["reconciler", *arguments]
    run()
