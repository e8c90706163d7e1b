"""The record: whether it opens and can be read, who holds its lease, what an apply left undone.

Nothing is made or written. A record of an earlier format, which opening would upgrade, is not
opened.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from reconciler.cli.earlier import at
from reconciler.cli.holders import their_run
from reconciler.cli.settings import Options
from reconciler.core.check_result import CheckResult, Verdict
from reconciler.core.counting import counted
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.failures import StateError
from reconciler.core.record import Record
from reconciler.core.state_backends import StateSettings, backend_spec
from reconciler.engine.errors import InvalidSettings
from reconciler.engine.holder import current_holder
from reconciler.engine.state_access import JOURNAL, StateLocation, open_state
from reconciler.state.database import FORMAT, older_format
from reconciler.state.protocols import State

from .skipped import skipped

T = TypeVar("T")
_UNLOCK: Final = (
    "Wait for it to end. The lease of a dead run expires by itself; that of one that hangs is "
    "taken away by: reconciler state unlock"
)


def examine(
    options: Options, root: Path, settings: StateSettings
) -> tuple[tuple[CheckResult, ...], Record | None]:
    """Return what is found of the record, the lease and the journal; and the record, if read."""
    try:
        location = StateLocation(root, settings, os.environ)
        if location.is_local and (early := _without_opening(options, location.path)) is not None:
            return (early, *skipped("record", "lease", "journal")), None
        with open_state(location, current_holder(os.environ), create=False).state as state:
            record = state.read()
            opened = _opened(record, location)
            return (
                opened,
                _told("lease", lambda: _lease(state)),
                *_journal(location, state),
            ), record
    except (InvalidSettings, StateError) as error:
        return (_failure("record", error), *skipped("record", "lease", "journal")), None


def _without_opening(options: Options, path: Path) -> CheckResult | None:
    """Return what can be said of a local record that is not opened; None of one that may be."""
    shown = os.path.relpath(path, options.origin)
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return CheckResult(
            "record",
            Verdict.WARNING,
            f"there is none yet at {shown}",
            fix="Right for a new project: the first plan starts one. If there was one, bring it "
            "back before you plan; without it, nothing is known of what was applied.",
        )
    return _upgrade("record", path, shown)


def _upgrade(check: str, path: Path, shown: str) -> CheckResult | None:
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


def _opened(record: Record, location: StateLocation) -> CheckResult:
    devices = counted(len(record.devices), "device")
    message = f"{_backend(location.settings)}: {devices}, serial {record.serial}, can be read"
    if not location.is_local:
        return CheckResult("record", Verdict.OK, message)
    wrong, fixes = [], []
    path = location.path
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        wrong.append("this user may not write to it")
        fixes.append("Give this user write permission for the file and its directory.")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        wrong.append("other users of this machine may read it, and the key of all digests in it")
        fixes.append(f"chmod 600 {path.name}")
    verdict = Verdict.WARNING if wrong else Verdict.OK
    return CheckResult("record", verdict, message, tuple(wrong), " ".join(fixes))


def _backend(settings: StateSettings) -> str:
    name = backend_spec(settings.backend).name
    return name if settings.encryption is None else f"{name}, encrypted"


def _told(check: str, examine_it: Callable[[], CheckResult]) -> CheckResult:
    try:
        return examine_it()
    except StateError as error:
        return _failure(check, error)


def _lease(state: State) -> CheckResult:
    holder = state.holder()
    if holder is None:
        return CheckResult("lease", Verdict.OK, "nobody holds it")
    return CheckResult(
        "lease",
        Verdict.WARNING,
        f"{holder.who} on {holder.host} (process {holder.pid}) holds it since {at(holder.since)}, "
        f"last beat {holder.silent:.0f} s ago; an apply of yours would end with exit code 5."
        f"{their_run(holder)}",
        fix=_UNLOCK,
    )


def _journal(location: StateLocation, state: State) -> Iterator[CheckResult]:
    # Calls of a shared record are noted on this machine, in a file that is one of ours too.
    if not location.is_local:
        old = _upgrade("journal", location.root / JOURNAL, str(JOURNAL))
        if old is not None:
            yield old
            return
    yield _told("journal", lambda: _unfinished(state))


def _unfinished(state: State) -> CheckResult:
    found = state.journal.unfinished()
    if found is None:
        return CheckResult("journal", Verdict.OK, "no apply was left unfinished")
    if state.holder() is not None:
        return CheckResult("journal", Verdict.OK, "an apply is under way")
    return CheckResult(
        "journal",
        Verdict.WARNING,
        f"the apply of plan {found.plan}, begun at {at(found.started)}, did not come to its end: "
        f"{counted(found.applied, 'call')} applied, {counted(found.unsettled, 'call')} unknown",
        fix="Go on with that plan: reconciler apply FILE. Or make a new one: reconciler plan; each "
        "device is read again before it is written.",
    )


def _failure(check: str, error: InvalidSettings | StateError) -> CheckResult:
    several = error.diagnostics if isinstance(error, InvalidSettings) else (error.diagnostic,)
    first = several[0]
    fix = first.fix or first.code.fix
    return CheckResult(
        check, Verdict.FAILED, _message(first), tuple(map(_message, several[1:])), fix
    )


def _message(one: Diagnostic) -> str:
    return f"{one.code.id}: {one.message}"
