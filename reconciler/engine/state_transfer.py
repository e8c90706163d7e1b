"""Whole records between places: push, copy to another backend, write anew where they are.

A state that would cost another one is refused, and each place is written under its own lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.failures import StateError
from reconciler.core.record import Record
from reconciler.state.lease import Holder

from .state_access import OpenedState, StateLocation, open_shared_state, open_state


@dataclass(frozen=True, slots=True)
class Pushed:
    """A push has come to its end. `serial` is None if the very same state was there already.

    `is_new` if the push has begun the local file that it wrote to.
    """

    where: str
    devices: int
    serial: int | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class Copied:
    """A state was copied; it still stands at `old_where` too."""

    pushed: Pushed
    old_where: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A state has today's format; a local file, which opening upgrades, is not written."""

    where: str
    devices: int
    is_written: bool
    is_encrypted: bool


def push_record(
    location: StateLocation, record: Record, holder: Holder, *, force: bool, patience: float
) -> Pushed:
    """Put a state in the place of what is there; wait `patience` seconds for the lock.

    Raises StateError when another lineage or a later serial stands there, unless `force` is set;
    InvalidSettings, LeaseHeld.
    """
    with (
        _opened_to_write(location, record, holder) as (state, is_new),
        state.lease(holder, patience=patience),
    ):
        present = state.read()
        devices = len(record.devices)
        if replace(present, serial=0) == replace(record, serial=0):
            return Pushed(state.where, devices, None, is_new)
        if not force:
            _require_later(present, record, state.where)
        serial = max(record.serial, present.serial + 1)
        state.replace(replace(record, serial=serial))
        return Pushed(state.where, devices, serial, is_new)


def copy_record(
    source: StateLocation, target: StateLocation, holder: Holder, *, patience: float
) -> Copied:
    """Copy a state to another place while nobody writes the one that it is copied from."""
    with (
        open_state(source, holder, create=False).state as state,
        state.lease(holder, patience=patience),
    ):
        record = state.read()
        pushed = push_record(target, record, holder, force=False, patience=patience)
        return Copied(pushed, state.where)


def rewrite_record(location: StateLocation, holder: Holder, *, patience: float) -> Rewritten:
    """Write a state anew where it is: with the current key and format."""
    with (
        open_state(location, holder, create=False, plain=True).state as state,
        state.lease(holder, patience=patience),
    ):
        record = state.read()
        is_encrypted = location.settings.encryption is not None
        if not location.is_local:
            state.replace(replace(record, serial=record.serial + 1))
        return Rewritten(state.where, len(record.devices), not location.is_local, is_encrypted)


@contextmanager
def _opened_to_write(
    location: StateLocation, record: Record, holder: Holder
) -> Iterator[OpenedState]:
    """Open a place that may be new; a new one starts as an empty state of the same lineage."""
    if location.is_local:
        opened = open_state(location, holder, create=True)
        with opened.state:
            yield opened
        return
    with open_shared_state(location, holder, plain=True) as shared:
        shared.initialise(replace(record, serial=0, devices={}, application_ids={}))
        yield OpenedState(shared, is_new=False)


def _require_later(present: Record, record: Record, where: str) -> None:
    is_new = present.serial == 0 and not present.devices
    if is_new:
        return
    if present.lineage != record.lineage:
        raise _refused(where, f"its lineage is {present.lineage}, this one's {record.lineage}")
    if present.serial >= record.serial:
        raise _refused(where, f"its serial is {present.serial}, this one's {record.serial}")


def _refused(where: str, reason: str) -> StateError:
    message = f"{codes.RECORD_OTHER.title} ({where}): {reason}"
    return StateError(Diagnostic(codes.RECORD_OTHER, message))
