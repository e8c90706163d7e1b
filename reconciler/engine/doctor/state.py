"""The state: whether it opens and can be read, who holds its lock, what an apply left undone.

Nothing is made or written. A state of an earlier format, which opening would upgrade, is not
opened.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.counting import counted
from reconciler.core.failures import StateError
from reconciler.core.record import Record
from reconciler.core.state_backends import StateSettings, backend_spec
from reconciler.engine.errors import InvalidSettings
from reconciler.engine.holder import current_holder
from reconciler.engine.state_access import JOURNAL, StateLocation, open_state
from reconciler.render.sentences import format_moment
from reconciler.state.database import FORMAT, older_format
from reconciler.state.protocols import State

from .results import failed_by, skipped

_UNLOCK: Final = (
    "Wait for it to end. The lock of a dead run expires by itself; that of one that hangs is "
    "taken away by: reconciler state unlock"
)


def check_state(
    location: StateLocation, origin: Path
) -> tuple[tuple[CheckResult, ...], Record | None]:
    """Return the results for the state, its lock and its journal; and the state, if it was read.

    Paths are shown from `origin` on.
    """
    try:
        if location.is_local:
            unopened = _check_unopened(location, os.path.relpath(location.path, origin))
            if unopened is not None:
                return (unopened, *skipped("state", "lock", "journal")), None
        holder = current_holder(location.environ)
        with open_state(location, holder, create=False).state as state:
            record = state.read()
            results = (
                _check_opened(record, location),
                _failed_or("lock", lambda: _check_lock(state)),
                *_check_journal(location, state),
            )
            return results, record
    except InvalidSettings as error:
        failed = failed_by("state", error.diagnostics)
    except StateError as error:
        failed = failed_by("state", (error.diagnostic,))
    return (failed, *skipped("state", "lock", "journal")), None


def _check_unopened(location: StateLocation, shown: str) -> CheckResult | None:
    """Return what can be said of a local state that is not opened; None of one that may be."""
    path = location.path
    if path.exists() and not (path.is_file() and path.stat().st_size == 0):
        return _check_format("state", path, shown)
    return CheckResult(
        "state",
        Verdict.WARNING,
        f"there is none yet at {shown}",
        fix="Right for a new project: the first plan starts one. If there was one, bring it "
        "back before you plan; without it, nothing is known of what was applied.",
    )


def _check_format(check: str, path: Path, shown: str) -> CheckResult | None:
    """Return that a file is of an earlier format, which opening would upgrade."""
    older = older_format(path)
    if older is None:
        return None
    return CheckResult(
        check,
        Verdict.WARNING,
        f"{shown} is of format {older}, and is not opened, which would upgrade it to {FORMAT}",
        fix="Any other command upgrades it: reconciler state list. Earlier versions of "
        "reconciler refuse it then.",
    )


def _check_opened(record: Record, location: StateLocation) -> CheckResult:
    devices = counted(len(record.devices), "device")
    backend = _describe_backend(location.settings)
    message = f"{backend}: {devices}, serial {record.serial}, can be read"
    if not location.is_local:
        return CheckResult("state", Verdict.OK, message)
    problems, fixes = [], []
    path = location.path
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        problems.append("this user may not write to it")
        fixes.append("Give this user write permission for the file and its directory.")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        problems.append("other users of this machine may read it, and the key of all digests in it")
        fixes.append(f"chmod 600 {path.name}")
    verdict = Verdict.WARNING if problems else Verdict.OK
    return CheckResult("state", verdict, message, tuple(problems), " ".join(fixes))


def _describe_backend(settings: StateSettings) -> str:
    name = backend_spec(settings.backend).name
    return name if settings.encryption is None else f"{name}, encrypted"


def _failed_or(check: str, run_check: Callable[[], CheckResult]) -> CheckResult:
    try:
        return run_check()
    except StateError as error:
        return failed_by(check, (error.diagnostic,))


def _check_lock(state: State) -> CheckResult:
    holder = state.holder()
    if holder is None:
        return CheckResult("lock", Verdict.OK, "nobody holds it")
    page = f" Its run: {holder.run_url}" if holder.run_url else ""
    return CheckResult(
        "lock",
        Verdict.WARNING,
        f"{holder.who} on {holder.host} (process {holder.pid}) holds it since "
        f"{format_moment(holder.since)}, last beat {holder.silent:.0f} s ago; an apply of yours "
        f"would end with exit code 5.{page}",
        fix=_UNLOCK,
    )


def _check_journal(location: StateLocation, state: State) -> Iterator[CheckResult]:
    # Calls of a shared state are noted on this machine, in a file that is one of ours too.
    if not location.is_local:
        older = _check_format("journal", location.root / JOURNAL, str(JOURNAL))
        if older is not None:
            yield older
            return
    yield _failed_or("journal", lambda: _check_unfinished(state))


def _check_unfinished(state: State) -> CheckResult:
    run = state.journal.unfinished()
    if run is None:
        return CheckResult("journal", Verdict.OK, "no apply was left unfinished")
    if state.holder() is not None:
        return CheckResult("journal", Verdict.OK, "an apply is under way")
    return CheckResult(
        "journal",
        Verdict.WARNING,
        f"the apply of plan {run.plan}, begun at {format_moment(run.started)}, did not come to its "
        f"end: {counted(run.applied, 'call')} applied, {counted(run.unsettled, 'call')} unknown",
        fix="Go on with that plan: reconciler apply FILE. Or make a new one: reconciler plan; each "
        "device is read again before it is written.",
    )
