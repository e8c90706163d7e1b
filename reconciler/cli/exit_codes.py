"""Exit codes, and the exception with which the command line itself ends a command."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to its caller; permanent."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    INCOMPLETE = 3
    REFUSED = 4
    LOCKED = 5
    USAGE = 64
    INTERRUPTED = 130


class Stop(Exception):
    """End the command with a code, a message of one line, and what to do about it.

    For what only a command line can be told: its terminal, its streams, its ports. The message
    never holds a secret or an identity value.
    """

    def __init__(self, code: ExitCode, message: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
