"""A whole record to a place: refused where it would cost another one, under that place's lease."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.failures import StateError
from reconciler.core.project import (
    HttpPlace,
    LocalPlace,
    ObjectStorePlace,
    PostgresPlace,
    StateSettings,
)
from reconciler.core.record import Record
from reconciler.state.protocols import State

from .holders import holder
from .settings import Options
from .states import Places, open_shared, open_state


def push(
    options: Options,
    root: Path,
    settings: StateSettings,
    record: Record,
    *,
    force: bool,
    patience: float,
) -> str:
    """Put a record in the place of what is there; return what was done, in a sentence.

    Raises StateError when another lineage or a later serial stands there, unless `force` is set.
    """
    with (
        _to_write(options, root, settings, record) as state,
        state.lease(holder(), patience=patience),
    ):
        there = state.read()
        if _same(there, record):
            return f"The record at {state.where} is this one already."
        if not force:
            _require_later(there, record, state.where)
        serial = max(record.serial, there.serial + 1)
        state.replace(replace(record, serial=serial))
        return f"Pushed {_count(record)} to {state.where}, serial {serial}."


def copy_to(
    options: Options, root: Path, settings: StateSettings, target: StateSettings, patience: float
) -> str:
    """Copy the record of a project to another place; return what to write in the project file."""
    with (
        open_state(options, root, settings, create=False) as state,
        state.lease(holder(), patience=patience),
    ):
        record = state.read()
        done = push(options, root, target, record, force=False, patience=patience)
        old = state.where
    return (
        f"{done}\nWrite this into the project file:\n\n{_section(target)}\n\n"
        f"The old record stays at {old}; remove it when the new one is in use."
    )


def rewrite(options: Options, root: Path, settings: StateSettings, patience: float) -> str:
    """Write the record anew where it is; return what was done, in a sentence."""
    with (
        open_state(options, root, settings, create=False, plain=True) as state,
        state.lease(holder(), patience=patience),
    ):
        record = state.read()
        if Places(root, settings).is_local:
            # Opening it has brought it up to date.
            return f"The record at {state.where} has today's format."
        state.replace(replace(record, serial=record.serial + 1))
        how = "encrypted" if settings.encryption is not None else "not encrypted"
        return f"Wrote {_count(record)} anew at {state.where}, {how}."


def _to_write(options: Options, root: Path, settings: StateSettings, record: Record) -> State:
    """Open a place that may be new; a new one starts as an empty record of the same lineage."""
    if Places(root, settings).is_local:
        return open_state(options, root, settings, create=True)
    shared = open_shared(root, settings, plain=True)
    try:
        shared.initialise(replace(record, serial=0, devices={}, application_ids={}))
    except BaseException:
        shared.close()
        raise
    return shared


def _same(there: Record, record: Record) -> bool:
    return replace(there, serial=0) == replace(record, serial=0)


def _require_later(there: Record, record: Record, where: str) -> None:
    is_new = there.serial == 0 and not there.devices
    if is_new:
        return
    if there.lineage != record.lineage:
        raise _refused(where, f"its lineage is {there.lineage}, this one's {record.lineage}")
    if there.serial >= record.serial:
        raise _refused(where, f"its serial is {there.serial}, this one's {record.serial}")


def _refused(where: str, what: str) -> StateError:
    message = f"{codes.RECORD_OTHER.title} ({where}): {what}"
    return StateError(Diagnostic(codes.RECORD_OTHER, message))


def _count(record: Record) -> str:
    count = len(record.devices)
    return f"a record of {count:,} device{'' if count == 1 else 's'}"


def _section(settings: StateSettings) -> str:
    match settings.place:
        case LocalPlace(path):
            return f"state: {{backend: local, path: {path.text}}}"
        case ObjectStorePlace(url):
            return f"state: {{backend: objectstore, url: {url.text}}}"
        case PostgresPlace():
            return "state: {backend: postgres, url: '${RECONCILER_STATE_URL}'}"
        case HttpPlace() as place:
            lines = ["state:", "  backend: http", f"  address: {place.address.text}"]
            if place.username is not None:
                lines += [
                    "  username: ${TF_HTTP_USERNAME}",
                    "  password: ${TF_HTTP_PASSWORD}",
                ]
            return "\n".join(lines)
