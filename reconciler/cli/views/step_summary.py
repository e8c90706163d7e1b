"""The summary of a pipeline's step: where GitHub names a file for it, what a command found or did
is appended as Markdown, and stands on the page of the run.

Nobody asked for it with an option, so nothing that goes wrong with it ends a command.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from reconciler.cli.settings import Options
from reconciler.cli.streams import say

VARIABLE: Final = "GITHUB_STEP_SUMMARY"
# Of a step whose summary is longer GitHub shows nothing at all.
LIMIT: Final = 1024 * 1024


def append_step_summary(options: Options, document_name: str, markdown: Callable[[], str]) -> None:
    """Append what `markdown` returns, where the environment names a file for it.

    `document_name` names it in messages: "plan".
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return
    try:
        _append(options.origin / named, markdown().encode("utf-8", "backslashreplace"))
    except _TooMuch:
        _warn(options, document_name, "a step's summary is at most 1 MiB, and this one is full")
    except _NoFile:
        _warn(options, document_name, f"{VARIABLE} names something that is no file")
    except ValueError:
        _warn(options, document_name, f"{VARIABLE} is no path")
    except OSError as error:
        _warn(options, document_name, (error.strerror or "unknown").lower())


class _TooMuch(Exception):
    """What would make the whole summary disappear."""


class _NoFile(Exception):
    """A directory, or what would keep the command waiting for a reader."""


def _append(file: Path, data: bytes) -> None:
    size = 0
    if file.exists():
        there = file.stat()
        if not stat.S_ISREG(there.st_mode):
            raise _NoFile
        if _is_stdout(there):
            return
        size = there.st_size
    # Markdown goes on with what stands on the line before.
    gap = b"\n\n" if size else b""
    if size + len(gap) + len(data) > LIMIT:
        raise _TooMuch
    with file.open("ab") as opened:
        opened.write(gap + data)


def _is_stdout(there: os.stat_result) -> bool:
    """Whether the result goes there anyway: `reconciler plan --format markdown >> that file`."""
    try:
        return os.path.samestat(there, os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        return False


def _warn(options: Options, document_name: str, why: str) -> None:
    say(options, "warning", f"The {document_name} is missing in the step's summary: {why}.")
