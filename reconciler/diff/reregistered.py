"""Stage 3, devices that are gone and may be back: the app was installed again, and the service gave
the device a new registration. Proposed to people, never acted on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.device import Desired, DesiredDevice, Owner
from reconciler.core.identity import IdentityValue
from reconciler.core.live import Live, LivePerson, LiveRegistration
from reconciler.core.record import Record

# Of more gone devices than this no owner is looked up: then the application code is wrong.
LOOKED_UP: Final = 50


@dataclass(frozen=True, slots=True)
class Reregistered:
    """A gone device with a declared owner, and what it may be now.

    `candidate` is the only registration that it can be: of its owner and application, neither
    declared nor recorded, and of its model where that is known. `could_be` counts them.
    """

    device: DesiredDevice
    candidate: LiveRegistration | None
    model: str | None
    could_be: int


def owner_to_look_up(device: DesiredDevice) -> IdentityValue | None:
    """Return the value by which the owner of a gone device is found."""
    return device.owner.identity.values[0] if isinstance(device.owner, Owner) else None


def reregistered(
    gone: Sequence[DesiredDevice],
    desired: Desired,
    record: Record,
    live: Live,
    names: Mapping[str, str],
) -> tuple[Reregistered, ...]:
    """Find what gone devices may be now; those that may be nothing are left out.

    `names` are the project's names of application ids (see missing.application_names).
    """
    if not gone:
        return ()
    people = _people(live)
    possible = {
        device.id: _candidates(device, desired, record, live, people, names) for device in gone
    }
    wanted = Counter(one.id for found in possible.values() for one in found)
    result: list[Reregistered] = []
    for device in gone:
        found = possible[device.id]
        if not found:
            continue
        is_sure = len(found) == 1 and wanted[found[0].id] == 1
        recorded = record.devices.get(device.id)
        model = None if recorded is None else recorded.model
        result.append(Reregistered(device, found[0] if is_sure else None, model, len(found)))
    return tuple(result)


def _people(live: Live) -> dict[IdentityValue, LivePerson]:
    found: dict[IdentityValue, LivePerson] = {}
    for person in (*live.owners.values(), *live.people.values()):
        if person is not None:
            found.update((value, person) for value in person.identities)
    return found


def _candidates(
    device: DesiredDevice,
    desired: Desired,
    record: Record,
    live: Live,
    people: Mapping[IdentityValue, LivePerson],
    names: Mapping[str, str],
) -> list[LiveRegistration]:
    if not isinstance(device.owner, Owner):
        return []
    owners = {
        people[value].number: people[value] for value in device.owner.identity if value in people
    }
    recorded = record.devices.get(device.id)
    model = None if recorded is None else recorded.model
    return [
        one
        for one in _owned(owners.values())
        if names.get(one.application_id) == device.application
        and one.id not in desired.devices
        and one.id not in desired.removed
        and one.id not in record.devices
        and (model is None or one.model == model)
    ]


def _owned(people: Iterable[LivePerson]) -> list[LiveRegistration]:
    return sorted(
        (one for person in people for one in person.registrations), key=lambda one: one.id
    )
