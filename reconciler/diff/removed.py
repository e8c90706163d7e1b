"""Registrations that left the files: what the state knows and no manifest mentions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.device import Desired, OnRemove
from reconciler.core.digest import Digester
from reconciler.core.fields import OWNER
from reconciler.core.live import Found, Gone, Live, LivePerson, LiveRegistration, Unreadable
from reconciler.core.project import Project
from reconciler.core.protection import of_undeclared, protecting
from reconciler.core.record import Record, RecordedDevice, identity_digests
from reconciler.core.safety import ProtectRule
from reconciler.core.source import Source

from .ownership import somebody
from .unreadable import owner_part, unreadable_of_recorded


class Leave(StrEnum):
    """How a device leaves.

    release: forgotten, no call · detach: depersonalized, then forgotten · moved: it should be
    detached, but somebody else owns it now, so it is only forgotten · protected: refused ·
    unreadable: it should be detached, and who owns it cannot be read, so it waits.
    """

    RELEASE = "release"
    DETACH = "detach"
    MOVED = "moved"
    PROTECTED = "protected"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Leaving:
    """One leaving device; `source` is its entry under `removed:`, if it has one.

    `rule` is the project's that protects it; None where its own entry did. `unreadable` is what
    cannot be read.
    """

    recorded: RecordedDevice
    how: Leave
    source: Source | None = None
    registration: LiveRegistration | None = None
    owner: LivePerson | None = None
    rule: ProtectRule | None = None
    unreadable: Unreadable | None = None


def leaving_ids(
    desired: Desired, record: Record, scope: Collection[str] | None = None
) -> list[str]:
    """Return the ids of `scope` (None: all) in the state that no manifest declares any more."""
    leaving = record.devices.keys() - desired.devices.keys()
    return sorted(leaving if scope is None else leaving.intersection(scope))


def intention(recorded: RecordedDevice, desired: Desired, project: Project) -> OnRemove:
    """Return what shall happen: `removed:` says, else the device's own record, else the project."""
    removal = desired.removed.get(recorded.id)
    if removal is not None:
        return removal.on_remove
    return recorded.on_remove or project.on_remove


def leaving(
    desired: Desired,
    record: Record,
    live: Live,
    project: Project,
    scope: Collection[str] | None = None,
) -> list[Leaving]:
    """Decide for each leaving device. A detach is for the owner we applied and nobody else."""
    digester = Digester(record.key)
    return [
        _leave(record.devices[device], desired, live, project, digester)
        for device in leaving_ids(desired, record, scope)
    ]


def _leave(
    recorded: RecordedDevice, desired: Desired, live: Live, project: Project, digester: Digester
) -> Leaving:
    removal = desired.removed.get(recorded.id)
    source = removal.source if removal is not None else None
    registration = live.registrations.get(recorded.id)
    if isinstance(registration, Gone):
        # Nothing is left to be detached, nor to be protected.
        return Leaving(recorded, Leave.RELEASE, source)
    if recorded.protect:
        return Leaving(recorded, Leave.PROTECTED, source)
    rule = protecting(
        project.safety, of_undeclared(recorded.id, recorded.application, registration)
    )
    if rule is not None:
        return Leaving(recorded, Leave.PROTECTED, source, rule=rule)
    if intention(recorded, desired, project) is OnRemove.RELEASE:
        return Leaving(recorded, Leave.RELEASE, source)
    odd = _unreadable(registration, live.owners.get(recorded.id))
    if odd is not None:
        return Leaving(recorded, Leave.UNREADABLE, source, unreadable=odd)
    owner = somebody(live.owners.get(recorded.id))
    if not isinstance(registration, LiveRegistration) or owner is None:
        return Leaving(recorded, Leave.RELEASE, source)
    applied = recorded.fields.get(OWNER, ())
    if applied and set(applied) <= set(identity_digests(owner.identities, digester)):
        return Leaving(recorded, Leave.DETACH, source, registration, owner)
    return Leaving(recorded, Leave.MOVED, source, registration, owner)


def _unreadable(registration: Found | None, owner: LivePerson | None) -> Unreadable | None:
    """Return what keeps from knowing who owns a device that should be detached."""
    if isinstance(registration, Unreadable):
        return registration
    if isinstance(registration, LiveRegistration) and not registration.application_id:
        return unreadable_of_recorded(registration, (OWNER,))
    if owner is not None and owner.unreadable:
        return owner_part(owner)
    return None
