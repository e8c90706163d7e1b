"""Exit codes, and the one exception that ends a command on purpose."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to its caller; permanent."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    INCOMPLETE = 3
    REFUSED = 4
    LEASED = 5
    USAGE = 64
    INTERRUPTED = 130


class Stop(Exception):
    """End the command with a code, a message of one line, and what to do about it.

    The message never holds a secret or an identity value. It may be empty when everything was
    already said (diagnostics, a table).
    """

    def __init__(self, code: ExitCode, message: str = "", fix: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix


class Midway(Exception):
    """An unexpected exception (the cause) after which it is not true that nothing was changed."""
