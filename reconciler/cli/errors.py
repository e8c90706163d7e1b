"""How each typed error ends a command: one table from error to exit code, and the words it gets."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Final

from reconciler.core.failures import ReconcilerError, StateError
from reconciler.engine import errors

from .exit_codes import ExitCode
from .settings import Options
from .streams import say

if TYPE_CHECKING:
    from reconciler.api.errors import ApiError

# The first class that fits decides, so the special ones come before the general ones.
_EXIT_CODES: Final = (
    (errors.UnknownName, ExitCode.USAGE),
    (errors.NotReplaceable, ExitCode.USAGE),
    (errors.Refused, ExitCode.REFUSED),
    (errors.Cancelled, ExitCode.INTERRUPTED),
    (errors.Incomplete, ExitCode.INCOMPLETE),
    (errors.FailedMidway, ExitCode.INCOMPLETE),
    # Nothing was changed: files, settings, saved documents, the state, Git, or the time.
    (errors.ProjectNotFound, ExitCode.ERROR),
    (errors.InvalidProject, ExitCode.ERROR),
    (errors.InvalidSettings, ExitCode.ERROR),
    (errors.InvalidDocument, ExitCode.ERROR),
    (errors.InvalidCredentials, ExitCode.ERROR),
    (errors.NoSuchCommit, ExitCode.ERROR),
    (errors.UnreadableFile, ExitCode.ERROR),
    (errors.UnwritableFile, ExitCode.ERROR),
    (errors.PathsInTheWay, ExitCode.ERROR),
    (errors.StateMissing, ExitCode.ERROR),
    (errors.StateMoved, ExitCode.ERROR),
    (errors.TimedOut, ExitCode.ERROR),
    (errors.IncompleteInstallation, ExitCode.ERROR),
)

_LOCKED: Final = (
    "Wait for it: --lock-timeout 10m. The lock of a dead run expires by itself: in 30 s, "
    "90 s where it ran on another machine. That of one that hangs is taken away by: "
    "reconciler state unlock"
)


def exit_code_of(error: ReconcilerError) -> ExitCode:
    """Return the exit code of a command that ends with this error."""
    for kind, code in _EXIT_CODES:
        if isinstance(error, kind):
            return code
    from reconciler.state.lease import LeaseHeld

    return ExitCode.LOCKED if isinstance(error, LeaseHeld) else ExitCode.ERROR


def write_error(options: Options, error: ReconcilerError) -> None:
    """Say on stderr what went wrong, and what to do about it."""
    from .views.diagnostics import write_diagnostics

    match error:
        case errors.InvalidProject():
            write_diagnostics(options, error.root, error.diagnostics)
            if error.message:
                say(options, "error", error.message, fix=error.fix)
        case errors.InvalidSettings():
            write_diagnostics(options, error.root or options.directory, error.diagnostics)
        case StateError():
            write_diagnostics(options, options.directory, [error.diagnostic])
        case _:
            message, fix = _words(options, error)
            if message:
                say(options, "error", message, fix=fix)


def _words(options: Options, error: ReconcilerError) -> tuple[str, str]:
    """Return message and fix."""
    match error:
        case errors.StateOfPlanMissing(path=path):
            return error.message, (
                f"Keep {os.path.relpath(path, options.origin)} from the run that planned to the "
                "one that applies; or share the state (state of the project file)."
            )
        case errors.TooLong():
            return _too_long(error)
        case errors.EngineError():
            return error.message, error.fix
    from reconciler.api.errors import ApiError
    from reconciler.state.lease import LeaseHeld

    match error:
        case LeaseHeld():
            page = f" Its run: {error.holder.run_url}" if error.holder.run_url else ""
            return f"Nothing was done: {error}.{page}", _LOCKED
        case ApiError():
            return str(error), _service_fix(error)
        case _:
            return str(error), error.fix


def _service_fix(error: ApiError) -> str:
    from reconciler.api.errors import (
        ApplicationNotFound,
        Denied,
        NoAnswer,
        NotTheContract,
        Rejected,
        WritingSwitchedOff,
    )

    match error:
        case WritingSwitchedOff():
            # Its own text says what to do, wherever it stands.
            return ""
        case Denied():
            return (
                "Check the credentials that api.auth of the project file names, and their scopes."
            )
        case ApplicationNotFound():
            return "Check the application codes under applications in the project file."
        case NoAnswer():
            return "Check api.baseUrl of the project file, and the network."
        case NotTheContract() | Rejected(status=404):
            return "Check that api.baseUrl is the account's own base URL, with nothing in between."
        case _:
            return ""


def _too_long(error: errors.TooLong) -> tuple[str, str]:
    from reconciler.render.sentences import counted, foretold_calls

    forecast = error.forecast
    waits = f", the longest chain {counted(forecast.chain, 'call')}" if forecast.chain > 1 else ""
    before = f"; {counted(error.done, 'call')} of an earlier run left out" if error.done else ""
    return (
        f"{error.message}\n"
        f"  measured  {_exact(forecast.seconds)}: {foretold_calls(forecast.calls)}{waits}{before}\n"
        f"  limit     {_exact(error.limit)}: --max-duration",
        f"Give it longer: --max-duration {math.ceil(forecast.seconds / 60)}m. Or apply parts: "
        "plan --since, --select or --target. Or raise api.limits or api.quotaShare, if the account "
        "has more.",
    )


def _exact(seconds: float) -> str:
    from reconciler.render.sentences import duration

    exact = f"{math.ceil(seconds):,} s"
    short = duration(seconds)
    return short if short == exact else f"{short} ({exact})"
