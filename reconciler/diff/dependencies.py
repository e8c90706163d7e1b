"""Plans of a part of the fleet: which declared devices must be planned along with chosen ones.

A device is planned by itself but for one thing: who becomes primary takes the flag from its
person's other devices. So the calls of a promotion are right only together with what is declared
of these. Of every person at whom a chosen device becomes primary (where it is now, or where it
will be), a declared device comes along

- that declares `isPrimary: false` and has the flag: it gives it up before, by a call of its own;
- that declares `isPrimary: true`: there may be one such device of a person in an application, and
  one that is declared to belong to somebody else must have left before;
- that has the flag, declares none, and is declared to belong to somebody else: its move comes
  first, or it would lose what nobody declared.

What comes along is planned whole, so it may itself become primary somewhere: that is followed to
its end. A demotion alone, a change of owner and the devices of a person of whom none becomes
primary need nobody. Devices that nobody declares never come along; they are warned of. Nor do
those that left the files: they are as undeclared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from reconciler.core.absent import ABSENT, Absent
from reconciler.core.device import Desired, DesiredDevice, Owner
from reconciler.core.digest import Digester
from reconciler.core.fields import IS_PRIMARY
from reconciler.core.identity import IdentityValue
from reconciler.core.live import Live, LivePerson, LiveRegistration
from reconciler.core.project import Project
from reconciler.core.record import Record
from reconciler.platform.assumptions import primary_scope

from .compare import changes_primary
from .device import is_left, owner_difference
from .ownership import Same, looked_up, relation, somebody, target

GIVES_UP = "it gives up the primary flag first"
LEAVES = "it leaves that person first"
ALSO_PRIMARY = "it is declared primary too, and belongs to the same person"
ARRIVES = "it is declared primary too, and comes to the same person"


@dataclass(frozen=True, slots=True)
class Needed:
    """A declared device that comes along, for which device, and why."""

    device: str
    needed_by: str
    why: str


class Dependencies:
    """What comes along with chosen devices. The answer is final once nothing is missing."""

    def __init__(self, desired: Desired, record: Record, project: Project) -> None:
        self._desired = desired
        self._record = record
        self._project = project
        self._digester = Digester(record.key)

    def of(self, chosen: Collection[str], live: Live) -> dict[str, Needed]:
        """Return the devices that come along, by id, sorted; each for the first that needs it."""
        needed_by_id: dict[str, Needed] = {}
        seen: set[tuple[int, str]] = set()
        level = sorted(chosen)
        while level:
            following: list[str] = []
            for id_ in level:
                for needed in self._needed_by(id_, live, seen):
                    if needed.device not in chosen and needed.device not in needed_by_id:
                        needed_by_id[needed.device] = needed
                        following.append(needed.device)
            level = sorted(following)
        return dict(sorted(needed_by_id.items()))

    def _needed_by(self, id_: str, live: Live, seen: set[tuple[int, str]]) -> Iterator[Needed]:
        device, registration = self._desired.devices.get(id_), live.registrations.get(id_)
        if device is None or not isinstance(registration, LiveRegistration):
            return
        person = self._promoted_at(device, registration, live)
        if person is None:
            return
        # Where a promotion is known to stay within its application, the others do not matter.
        everywhere = not primary_scope(self._project.api.assume, device.application)
        place = (person.number, "" if everywhere else registration.application_id)
        if place in seen:
            return
        seen.add(place)
        for other, why in (*self._siblings(person, live), *self._arriving(person)):
            if everywhere or other.application == device.application:
                yield Needed(other.id, id_, why)

    def _promoted_at(
        self, device: DesiredDevice, registration: LiveRegistration, live: Live
    ) -> LivePerson | None:
        """Return the live person at whom a device gets the flag; None: it does not, nobody has it
        then, or it is not known yet."""
        if device.is_primary is not True or registration.is_web:
            return None
        recorded = self._record.devices.get(device.id)
        flagged = changes_primary(device, registration, recorded, self._digester, self._project)
        if device.id not in live.owners:
            return None
        owner = live.owners[device.id]
        difference = owner_difference(device, owner, recorded, self._digester)
        if difference is None or is_left(difference, self._project):
            return somebody(owner) if flagged else None
        sent = flagged or IS_PRIMARY not in device.lifecycle.ignore
        if not sent or difference.after is None:
            return None
        if any(value not in live.people for value in looked_up(difference.how, difference.after)):
            return None
        reached = target(difference.after, difference.how, owner, live.people)
        return reached if isinstance(reached, LivePerson) else None

    def _siblings(self, person: LivePerson, live: Live) -> Iterator[tuple[DesiredDevice, str]]:
        for entry in person.registrations:
            device = self._desired.devices.get(entry.id)
            if device is None:
                continue
            known = live.registrations.get(entry.id)
            seen = known if isinstance(known, LiveRegistration) else entry
            if seen.is_web:
                # It has no flag, whatever is declared.
                continue
            stays = device.owner is ABSENT or isinstance(relation(device.owner, person), Same)
            wanted = _declared_flag(device)
            if wanted is True:
                yield device, ALSO_PRIMARY if stays else LEAVES
            elif seen.is_primary is False:
                # It has nothing to lose.
                continue
            elif wanted is False:
                yield device, GIVES_UP
            elif not stays:
                yield device, LEAVES

    def _arriving(self, person: LivePerson) -> Iterator[tuple[DesiredDevice, str]]:
        here = {entry.id for entry in person.registrations}
        for value in sorted(person.identities, key=lambda value: (value.kind, value.reveal())):
            for device in self._declared_primaries.get(value, ()):
                if device.id not in here:
                    yield device, ARRIVES

    @cached_property
    def _declared_primaries(self) -> Mapping[IdentityValue, list[DesiredDevice]]:
        primaries_by_value: dict[IdentityValue, list[DesiredDevice]] = {}
        for device in self._desired.devices.values():
            if isinstance(device.owner, Owner) and _declared_flag(device) is True:
                for value in device.owner.identity:
                    primaries_by_value.setdefault(value, []).append(device)
        return primaries_by_value


def _declared_flag(device: DesiredDevice) -> bool | Absent:
    return ABSENT if IS_PRIMARY in device.lifecycle.ignore else device.is_primary
