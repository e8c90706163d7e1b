"""The names of people in plans: manifest pointers, the service's own numbers, or nobody."""

from __future__ import annotations

from functools import cached_property

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, Owner
from reconciler.core.identity import Identity, IdentityValue
from reconciler.core.live import LivePerson

from .model import INCOMPLETE, NOBODY, SOMEBODY


class DeclaredPeople:
    """The declared owners of all devices, found by pointer and by identity value.

    One identity declared in several places has one name among the live people: the first pointer.

    Sought for when a plan first has to name somebody: most name nobody.
    """

    def __init__(self, desired: Desired) -> None:
        self._desired = desired

    @cached_property
    def by_pointer(self) -> dict[str, Owner]:
        owners: dict[str, Owner] = {}
        for device in self._desired.devices.values():
            if device.owner is not ABSENT and device.owner is not None:
                owners.setdefault(device.owner.pointer, device.owner)
        return owners

    @cached_property
    def by_value(self) -> dict[IdentityValue, Owner]:
        owners: dict[IdentityValue, Owner] = {}
        for _, owner in sorted(self.by_pointer.items()):
            for value in owner.identity:
                owners.setdefault(value, owner)
        return owners

    def first_pointer(self, identity: Identity) -> str:
        """Return the one name of a declared identity."""
        return self.by_value[identity.values[0]].pointer

    def name(self, person: LivePerson | None, wanted: Owner | None = None) -> str:
        """Name a live owner: as the wanted owner where it is (or partly is) that one.

        Returns a pointer, a pointer and INCOMPLETE (holds some of the wanted owner's values and
        lacks others), `person 1844` for somebody nobody declares, or NOBODY.
        """
        if person is None or not person.is_somebody:
            return NOBODY
        if wanted is not None:
            held = sum(value in person.identities for value in wanted.identity)
            if held:
                whole = held == len(wanted.identity.values)
                return wanted.pointer if whole else wanted.pointer + INCOMPLETE
        candidates = {
            owner.pointer: owner
            for value in person.identities
            if (owner := self.by_value.get(value)) is not None
        }
        for pointer in sorted(candidates):
            if person.identities.issuperset(candidates[pointer].identity):
                return pointer
        return f"person {person.number}" if person.number >= 0 else SOMEBODY
