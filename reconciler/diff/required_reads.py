"""What has to be read next for a plan, from what is known: asked again until nothing is missing.

Registrations first, and the owners that are declared; then owners where the plan must know them;
then the people whom declared identities name; last the flags of undeclared siblings that a
promotion could take.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, DesiredDevice, OnRemove, Owner
from reconciler.core.digest import Digester
from reconciler.core.identity import IdentityValue
from reconciler.core.live import Gone, Live, LivePerson, LiveRegistration, Needs
from reconciler.core.project import Project
from reconciler.core.protection import of_undeclared, protecting
from reconciler.core.record import Record
from reconciler.core.sweep_query import SweepQuery

from .compare import changes_primary
from .device import is_left, owner_difference
from .ownership import looked_up, settling_values, target
from .removed import intention, leaving_ids
from .reregistered import LOOKED_UP, owner_to_look_up
from .unreadable import unreadable_field, unreadable_owner


def required_reads(
    desired: Desired,
    record: Record,
    live: Live,
    project: Project,
    scope: Collection[str] | None = None,
) -> Needs:
    """Return what must still be read for a plan of `scope` (ids; None: everything)."""
    chosen = in_scope(desired, scope)
    unread = {
        device.id: device.application for device in chosen if device.id not in live.registrations
    }
    # Owners that are sure to be needed are read beside the registrations: they are few a second.
    owned = [
        device
        for device in chosen
        if device.owner is not ABSENT and device.id in unread and device.id not in live.owners
    ]
    unread |= _leaving_registrations(desired, record, live, project, scope)
    if unread:
        matches = {
            device.id: values
            for device in owned
            if device.id not in live.owner_numbers and (values := settling_values(device.owner))
        }
        return Needs(
            unread,
            tuple(device.id for device in owned if device.id not in matches),
            matches=matches,
        )
    return _required_owners_and_people(chosen, desired, record, live, project, scope)


def in_scope(desired: Desired, scope: Collection[str] | None) -> list[DesiredDevice]:
    """Return the declared devices that are planned, in the order of their ids."""
    if scope is None:
        return list(desired.devices.values())
    return [device for device in desired.devices.values() if device.id in scope]


def _to_be_detached(
    desired: Desired, record: Record, project: Project, scope: Collection[str] | None
) -> Iterable[str]:
    for device in leaving_ids(desired, record, scope):
        recorded = record.devices[device]
        wants = intention(recorded, desired, project)
        if wants is OnRemove.DEPERSONALIZE and not recorded.protect:
            yield device


def _leaving_to_read(
    desired: Desired, record: Record, project: Project, scope: Collection[str] | None
) -> Iterable[str]:
    """Yield the leaving devices that must be read: to be detached, or because they are protected
    unless they are gone, or perhaps protected by what they hold."""
    safety = project.safety
    for device in leaving_ids(desired, record, scope):
        recorded = record.devices[device]
        if (
            recorded.protect
            or safety.looks_at_data
            or intention(recorded, desired, project) is OnRemove.DEPERSONALIZE
            or protecting(safety, of_undeclared(device, recorded.application)) is not None
        ):
            yield device


def _leaving_registrations(
    desired: Desired,
    record: Record,
    live: Live,
    project: Project,
    scope: Collection[str] | None,
) -> dict[str, str]:
    return {
        device: record.devices[device].application
        for device in _leaving_to_read(desired, record, project, scope)
        if device not in live.registrations
        and record.devices[device].application in project.applications
    }


def _required_owners_and_people(
    chosen: list[DesiredDevice],
    desired: Desired,
    record: Record,
    live: Live,
    project: Project,
    scope: Collection[str] | None,
) -> Needs:
    """Owners, people and siblings: each device asks for the next thing it lacks."""
    digester = Digester(record.key)
    owners: set[str] = set()
    people: set[IdentityValue] = set()
    siblings: dict[str, str] = {}
    matches: dict[str, tuple[IdentityValue, ...]] = {}
    names: Mapping[str, str] | None = None
    gone = [one for one in chosen if isinstance(live.registrations[one.id], Gone)]
    if len(gone) <= LOOKED_UP:
        wanted = (owner_to_look_up(one, live.people) for one in gone)
        people.update(value for value in wanted if value is not None)
    for device in chosen:
        registration = live.registrations[device.id]
        if not isinstance(registration, LiveRegistration):
            continue
        if unreadable_field(device, registration) is not None:
            continue
        recorded = record.devices.get(device.id)
        flagged = changes_primary(device, registration, recorded, digester, project)
        if device.owner is ABSENT and not flagged:
            # Nothing of this device depends on who owns it.
            continue
        if device.id not in live.owners:
            values = settling_values(device.owner)
            if values and not flagged and device.id not in live.owner_numbers:
                matches[device.id] = values
            else:
                owners.add(device.id)
            continue
        if unreadable_owner(device, live) is not None:
            continue
        owner = live.owners[device.id]
        person: LivePerson | None = owner
        difference = owner_difference(device, owner, recorded, digester)
        settles_less = flagged or difference is not None or not settling_values(device.owner)
        if owner is not None and not owner.is_whole and settles_less:
            # Whoever gains or loses anything is known in full: its other values and devices.
            owners.add(device.id)
            continue
        if difference is not None and not is_left(difference, project):
            values = looked_up(difference.how, difference.after)
            unknown = [value for value in values if value not in live.people]
            if unknown:
                people.update(unknown)
                continue
            person = None
            if difference.after is not None:
                reached = target(difference.after, difference.how, owner, live.people)
                person = reached if isinstance(reached, LivePerson) else None
        promotes = device.is_primary is True and not registration.is_web
        if promotes and (flagged or difference is not None):
            names = application_names(desired, record, live) if names is None else names
            siblings |= _unknown_flags(person, live, names)
    owners.update(
        device
        for device in _to_be_detached(desired, record, project, scope)
        if device not in live.owners
        and isinstance(leaving := live.registrations.get(device), LiveRegistration)
        and leaving.application_id
    )
    return Needs(
        siblings,
        tuple(sorted(owners)),
        tuple(sorted(people, key=lambda value: (value.kind, value.reveal()))),
        matches,
    )


def application_names(desired: Desired, record: Record, live: Live) -> dict[str, str]:
    """Return the project's name of each application id that a registration or record linked."""
    names = {number: name for name, number in record.application_ids.items()}
    for device in desired.devices.values():
        registration = live.registrations.get(device.id)
        if isinstance(registration, LiveRegistration):
            names.setdefault(registration.application_id, device.application)
    return names


def _unknown_flags(
    person: LivePerson | None, live: Live, names: Mapping[str, str]
) -> dict[str, str]:
    """Return the undeclared siblings whose isPrimary a page left out and a GET can settle."""
    if person is None:
        return {}
    return {
        sibling.id: names[sibling.application_id]
        for sibling in person.registrations
        if sibling.is_primary is ABSENT
        and sibling.id not in live.registrations
        and sibling.application_id in names
    }


def sweep_query(desired: Desired, record: Record) -> SweepQuery:
    """Return what a sweep can find out for a plan: the registrations that are declared or recorded,
    and the people who are declared.

    It costs nothing more to look for all of them than for the few in scope.
    """
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
