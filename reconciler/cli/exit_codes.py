"""Exit codes, and the exception with which the command line itself ends a command."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.core.report import Report
    from reconciler.plan.model import Plan


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


def plan_exit_code(plan: Plan, *, detailed: bool = False) -> ExitCode:
    """Return the exit code of a plan: refused, in error, with changes if asked for, or done."""
    if plan.refusals:
        return ExitCode.REFUSED
    if plan.errors:
        return ExitCode.ERROR
    # What is only noted (adopt) or found missing (gone) is no change.
    if detailed and (plan.calls or plan.summary.released):
        return ExitCode.CHANGES
    return ExitCode.DONE


def apply_exit_code(plan: Plan, report: Report, *, finished: bool = False) -> ExitCode:
    """Return the exit code of an apply; `finished`: an earlier run had left nothing to do."""
    if report.interrupted:
        return ExitCode.INTERRUPTED
    if finished or (report.complete and not plan.errors):
        return ExitCode.DONE
    return ExitCode.ERROR if report.stopped and not report.changed else ExitCode.INCOMPLETE
