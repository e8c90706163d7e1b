"""Gone devices that may be back: the app was installed again, and the service gave the device a new
registration. Proposed to people, never acted on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.device import Desired, DesiredDevice, Owner
from reconciler.core.identity import Identity, IdentityValue
from reconciler.core.live import Live, LivePerson, LiveRegistration
from reconciler.core.record import Record

# Of more gone devices than this no owner is looked up: then the application code is wrong.
LOOKED_UP: Final = 50

People = Mapping[IdentityValue, LivePerson | None]


@dataclass(frozen=True, slots=True)
class Reregistered:
    """A gone device with a declared owner, and what it may be now.

    `candidate` is the only registration that it can be: of its owner and application, neither
    declared nor recorded, and of its model where that is known. `could_be` counts them; none means
    that nobody knows: its owner was not looked up, or what the owner has is of an application that
    nothing read so far names.
    """

    device: DesiredDevice
    candidate: LiveRegistration | None
    model: str | None
    could_be: int


def owner_to_look_up(device: DesiredDevice, people: People) -> IdentityValue | None:
    """Return the next value by which the owner of a gone device may be found; None: all is known,
    or nobody is declared to own it."""
    if isinstance(device.owner, Owner):
        for value in device.owner.identity:
            if value not in people:
                return value
            if people[value] is not None:
                break
    return None


def reregistered(
    gone: Sequence[DesiredDevice],
    desired: Desired,
    record: Record,
    live: Live,
    names: Mapping[str, str],
) -> tuple[Reregistered, ...]:
    """Find what gone devices may be now; those that are certainly nothing are left out.

    `names` are the project's names of application ids (see required_reads.application_names).
    """
    if not gone:
        return ()
    search = _Search.of(desired, record, live, names)
    possible = {device.id: search.candidates(device) for device in gone}
    wanted = Counter(one.id for candidates in possible.values() for one in candidates or ())
    if wanted:
        rivals = _unread(desired, live, search.people)
        wanted.update(one.id for rival in rivals for one in search.candidates(rival) or ())
    result: list[Reregistered] = []
    for device in gone:
        candidates = possible[device.id]
        if candidates == []:
            continue
        sure = (
            candidates[0]
            if candidates and len(candidates) == 1 and wanted[candidates[0].id] == 1
            else None
        )
        model = search.model(device)
        result.append(Reregistered(device, sure, model, len(candidates or ())))
    return tuple(result)


def _unread(desired: Desired, live: Live, people: People) -> Iterator[DesiredDevice]:
    """Yield the declared devices that a plan of a part leaves out, and that nobody's registrations
    show: they may be gone as well, and back under the same new id."""
    shown = {
        one.id for person in people.values() if person is not None for one in person.registrations
    }
    for device in desired.devices.values():
        if device.id not in live.registrations and device.id not in shown:
            yield device


@dataclass(frozen=True, slots=True)
class _Search:
    """Where to look for gone devices. `linked` are the applications whose ids are known."""

    desired: Desired
    record: Record
    people: People
    names: Mapping[str, str]
    linked: frozenset[str]

    @classmethod
    def of(cls, desired: Desired, record: Record, live: Live, names: Mapping[str, str]) -> _Search:
        people = dict(live.people)
        for owner in live.owners.values():
            # Of who is known in part nobody knows what else there is.
            if owner is not None and owner.is_whole:
                people.update((value, owner) for value in owner.identities)
        return cls(desired, record, people, names, frozenset(names.values()))

    def model(self, device: DesiredDevice) -> str | None:
        """Return what the state remembers."""
        recorded = self.record.devices.get(device.id)
        return None if recorded is None else recorded.model

    def candidates(self, device: DesiredDevice) -> list[LiveRegistration] | None:
        """Return what a device can be now, by id; None if that cannot be told."""
        if not isinstance(device.owner, Owner):
            return []
        person = self._person(device.owner.identity)
        if person is None:
            return [] if owner_to_look_up(device, self.people) is None else None
        free = [one for one in person.registrations if self._is_free(device, one)]
        if free and device.application not in self.linked:
            others = [one for one in free if one.application_id not in self.names]
            return None if others else []
        of_application = [
            one for one in free if self.names.get(one.application_id) == device.application
        ]
        return sorted(of_application, key=lambda one: one.id)

    def _person(self, identity: Identity) -> LivePerson | None:
        """Return who has the first value that anybody has."""
        for value in identity:
            person = self.people.get(value)
            if person is not None:
                return person
        return None

    def _is_free(self, device: DesiredDevice, one: LiveRegistration) -> bool:
        model = self.model(device)
        return (
            one.id not in self.desired.devices
            and one.id not in self.desired.removed
            and one.id not in self.record.devices
            and (model is None or one.model == model)
        )
