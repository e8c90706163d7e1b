"""What a sweep can find out for a plan: every registration and person that the files or the record
name. It costs nothing more to look for all of them than for the few in scope."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.device import Desired, Owner
from reconciler.core.identity import IdentityValue
from reconciler.core.record import Record
from reconciler.core.sweep_query import SweepQuery


def sought(desired: Desired, record: Record) -> SweepQuery:
    """Return the registrations that are declared or recorded, and the people who are declared."""
    registrations = {device.id: device.application for device in desired.devices.values()}
    for recorded in record.devices.values():
        registrations.setdefault(recorded.id, recorded.application)
    owners: dict[str, IdentityValue] = {}
    identities: set[IdentityValue] = set()
    for device, owner in _owners(desired):
        # Of one person, whichever device declares them: the first value names who it is.
        owners[device] = owner.identity.values[0]
        identities.update(owner.identity)
    attributes = any(owner.attributes is not None for _, owner in _owners(desired))
    return SweepQuery(registrations, identities, owners, attributes=attributes)


def _owners(desired: Desired) -> Iterable[tuple[str, Owner]]:
    for device in desired.devices.values():
        if isinstance(device.owner, Owner) and device.owner.identity:
            yield device.id, device.owner
