"""What is shown of a device and means nothing, where a plan of this device would rest on it."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.absent import ABSENT
from reconciler.core.device import DesiredDevice, Owner
from reconciler.core.fields import (
    ADDITIONAL_DATA,
    APPLICATION_ID,
    IS_PRIMARY,
    OWNER,
    data_key,
    declared_fields,
)
from reconciler.core.live import Live, LivePerson, LiveRegistration, Unreadable

from .ownership import Same, looked_up, relation


def unreadable_field(device: DesiredDevice, registration: LiveRegistration) -> Unreadable | None:
    """Return the first declared field that cannot be read, or the application by whose id its owner
    would be looked up; None: all that this device declares is known."""
    if not registration.unreadable:
        return None
    paths = declared_fields(device).keys()
    return _first(registration, paths, needs_owner=_rests_on_owner(device))


def unreadable_of_recorded(
    registration: LiveRegistration, paths: Iterable[str]
) -> Unreadable | None:
    """The same for the fields that were applied to a device."""
    return _first(registration, paths, needs_owner=OWNER in paths)


def unreadable_owner(device: DesiredDevice, live: Live) -> Unreadable | None:
    """Return what of its owner, or of the people whom its declared owner names, cannot be read, if
    it is not known otherwise whether it belongs to whom it should."""
    owner = live.owners.get(device.id)
    if owner is not None and owner.number < 0 and _changes_with_owner(device, live):
        # Nobody can say who that is, nor whose else it is.
        return owner_part(owner)
    if device.owner is ABSENT or device.id not in live.owners:
        return None
    how = relation(device.owner, owner)
    if owner is not None and owner.unreadable and not isinstance(how, Same):
        return owner_part(owner)
    wanted = device.owner if isinstance(device.owner, Owner) else None
    for value in looked_up(how, wanted):
        person = live.people.get(value)
        if person is not None and person.unreadable:
            return owner_part(person)
    return None


def _changes_with_owner(device: DesiredDevice, live: Live) -> bool:
    """Whether the owner is declared, or a flag changes that is one of all that a person has."""
    registration = live.registrations.get(device.id)
    flag = registration.is_primary if isinstance(registration, LiveRegistration) else ABSENT
    return device.owner is not ABSENT or device.is_primary not in (ABSENT, flag)


def _rests_on_owner(device: DesiredDevice) -> bool:
    """Whether it matters to a plan of a device who owns it."""
    return device.owner is not ABSENT or device.is_primary is not ABSENT


def _first(
    registration: LiveRegistration, paths: Iterable[str], *, needs_owner: bool
) -> Unreadable | None:
    needed = set(paths)
    if any(data_key(path) is not None for path in needed):
        needed.add(ADDITIONAL_DATA)
    if needs_owner or IS_PRIMARY in needed:
        needed.add(APPLICATION_ID)
    return next((part for part in registration.unreadable if part.path in needed), None)


def owner_part(person: LivePerson) -> Unreadable:
    """Return what of a person cannot be read, as a part of the device that they own."""
    part = person.unreadable[0]
    return Unreadable(f"{OWNER}.{part.path}" if part.path else OWNER, part.type)
