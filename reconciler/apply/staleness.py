"""Reads before writes: is the device as the plan saw it, plus what this plan has done? Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from reconciler.core.device import Desired, DesiredDevice, Owner
from reconciler.core.digest import Digester
from reconciler.core.fields import (
    IS_PRIMARY,
    OWNER,
    LiveValue,
    Scalar,
    data_key,
    declared_fields,
    same_value,
    updated_fields,
)
from reconciler.core.live import LivePerson, LiveRegistration
from reconciler.core.protection import of_declared, of_undeclared, protecting
from reconciler.core.safety import ProtectRule, Safety
from reconciler.plan.fingerprints import observed_digest, observed_paths, observed_value
from reconciler.plan.model import Change, FieldChange, HiddenValue, Plan, PlannedCall, Risk
from reconciler.plan.privacy import hidden_digest
from reconciler.platform.operations import Operation


@dataclass(frozen=True, slots=True)
class Subject:
    """A device of a plan: its change, its declaration, and the drift that is left as it is."""

    change: Change
    device: DesiredDevice | None
    left: tuple[FieldChange, ...] = ()


def subjects(plan: Plan, desired: Desired) -> dict[str, Subject]:
    """Return the devices of a plan, by id."""
    reported_fields = {drift.device: drift.fields for drift in plan.drift}
    return {
        change.device: Subject(
            change, desired.devices.get(change.device), reported_fields.get(change.device, ())
        )
        for change in plan.changes
    }


@dataclass(frozen=True, slots=True)
class Effects:
    """What this plan's own calls may have moved of a device by now.

    owner_changed: its own ownership call is applied · promoted: another device that shares people
    with it became primary.
    """

    owner_changed: bool = False
    promoted: bool = False


def moved(
    subject: Subject,
    registration: LiveRegistration,
    owner: LivePerson | None,
    effects: Effects,
    digester: Digester,
) -> str | None:
    """Return the field that is not as the plan saw it, or None for a device that is.

    `owner` counts only where the owner changes and has not been changed yet.
    """
    paths = observed_paths(subject.device, (field.path for field in subject.change.fields))
    if effects.owner_changed:
        return _moved_since(subject, paths, registration, digester)
    seen = [registration]
    if effects.promoted and registration.is_primary is not True:
        # The promotion took the flag; that is no news about anything else.
        seen.append(replace(registration, is_primary=True))
    for candidate in seen:
        if observed_digest(paths, candidate, owner, digester) == subject.change.before:
            return None
    others = [path for path in paths if path != OWNER]
    return _first_moved(subject, others, seen[-1], digester) or (
        OWNER if OWNER in paths else "a declared field"
    )


def protected(
    subject: Subject, registration: LiveRegistration, safety: Safety
) -> ProtectRule | None:
    """Return the rule by which a device is protected from what the plan does with its owner.

    It may fit only since the plan, by what is live.
    """
    change = subject.change
    if {Risk.OWNER_CHANGE, Risk.DETACH}.isdisjoint(change.risks):
        return None
    known = (
        of_undeclared(change.device, change.application, registration)
        if subject.device is None
        else of_declared(subject.device, registration)
    )
    return protecting(safety, known)


def reached(
    call: PlannedCall,
    device: DesiredDevice | None,
    registration: LiveRegistration,
    owner: LivePerson | None,
) -> bool:
    """Whether what a call is for is already so."""
    match Operation(call.operation):
        case Operation.UPDATE:
            return all(
                _same(wanted, observed_value(path, registration))
                for path, wanted in updated_fields(call.body or {})
            )
        case Operation.PERSONALIZE:
            wanted_owner = None if device is None else device.owner
            return (
                owner is not None
                and isinstance(wanted_owner, Owner)
                and owner.identities.issuperset(wanted_owner.identity)
            )
        case Operation.DEPERSONALIZE:
            return owner is None or not owner.is_somebody
        case Operation.GET | Operation.PERSONS | Operation.APPLICATIONS | Operation.MATCH:
            return False


def _moved_since(
    subject: Subject, paths: Iterable[str], registration: LiveRegistration, digester: Digester
) -> str | None:
    """Compare after the device's own ownership call, which may have cleared flag and data."""
    kept = [
        path
        for path in paths
        if path != OWNER and not _is_cleared(path, observed_value(path, registration))
    ]
    return _first_moved(subject, kept, registration, digester)


def _is_cleared(path: str, now: LiveValue | None) -> bool:
    return now is False if path == IS_PRIMARY else data_key(path) is not None and now is None


def _first_moved(
    subject: Subject, paths: Iterable[str], registration: LiveRegistration, digester: Digester
) -> str | None:
    before = _before(subject)
    for path in paths:
        if path not in before:
            continue
        was, now = before[path], observed_value(path, registration)
        if isinstance(was, HiddenValue):
            same = was.digest == hidden_digest(registration.id, path, now, digester)
        else:
            same = _same(was, now)
        if not same:
            return path
    return None


def _before(subject: Subject) -> dict[str, Scalar | HiddenValue | None]:
    """Return the live values at the time of the plan: what is in no list was as declared."""
    values: dict[str, Scalar | HiddenValue | None] = {}
    if subject.device is not None:
        values |= declared_fields(subject.device)
    for field in (*subject.left, *subject.change.fields):
        values[field.path] = field.before
    return values


def _same(one: object, other: object) -> bool:
    return one is other or same_value(one, other)
