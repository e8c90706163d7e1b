"""The service's world as a value: people, registrations, who owns what. Changing it copies nothing.

It keeps two promises for itself: an identity value names one person at most, and a registration
has one owner at most, who exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from reconciler.core.fields import CLOUD_TYPE, WEB, field_values, same_value
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.opaque import Opaque

from .table import Table

FIRST_MOMENT = "2026-01-01T00:00:00"
# Asked for once for each person of a page: the member itself, not by way of its class.
_EXTERNAL_ID = IdentityKind.EXTERNAL_ID


def same_json(value: object, other: object) -> bool:
    """Whether two JSON values are the same to the service: True is not 1, and 1 is 1.0."""
    match value, other:
        case Mapping(), Mapping():
            return value.keys() == other.keys() and all(
                same_json(item, other[key]) for key, item in value.items()
            )
        case list() | tuple(), list() | tuple():
            return len(value) == len(other) and all(map(same_json, value, other))
        case _:
            return (
                same_value(value, other)
                or (value is None and other is None)
                or (isinstance(value, Opaque) and value == other)
            )


class Person(msgspec.Struct, frozen=True, eq=False):
    """A person. Without identities it is anonymous: the owner of what nobody claimed.

    `attributes` by the API's names on a page: firstName, birthDate, customAttributes, tags, ...
    The two times do not make two people differ.
    """

    number: int
    identities: frozenset[IdentityValue] = frozenset()
    is_lead: bool = False
    attributes: Mapping[str, object] = msgspec.field(default_factory=dict)
    created_at: str = FIRST_MOMENT
    modified_at: str = FIRST_MOMENT

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Person)
            and self.number == other.number
            and self.identities == other.identities
            and self.is_lead is other.is_lead
            and same_json(self.attributes, other.attributes)
        )

    # Struct brings one that compares every field.
    __ne__ = object.__ne__
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        # Not the attributes, which are a person's own.
        kinds = ", ".join(sorted(map(repr, self.identities)))
        return f"Person({self.number}, {{{kinds}}}, is_lead={self.is_lead})"

    @property
    def is_anonymous(self) -> bool:
        return not self.identities

    @property
    def external_id(self) -> IdentityValue | None:
        for value in self.identities:
            if value.kind is _EXTERNAL_ID:
                return value
        return None

    def texts(self, kind: IdentityKind) -> list[str]:
        """Return the values of one kind, sorted."""
        return sorted(value.reveal() for value in self.identities if value.kind is kind)

    def texts_by_kind(self) -> dict[IdentityKind, list[str]]:
        """Return the values of each kind there is, sorted."""
        texts: dict[IdentityKind, list[str]] = {}
        for value in self.identities:
            kind = value.kind
            if kind in texts:
                texts[kind].append(value.reveal())
                texts[kind].sort()
            else:
                texts[kind] = [value.reveal()]
        return texts


class Registration(
    msgspec.Struct,
    frozen=True,
    eq=False,
    rename="camel",
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """One registration, in JSON as files of worlds have it. `owner` is a person's number, or None
    where there is not even an anonymous one; `system_data` is the read-only part of systemData,
    whose cloudType tells a browser from a phone. A browser has no isPrimary."""

    id: str = msgspec.field(name="registrationId")
    application_id: str
    owner: int | None = None
    is_primary: bool = False
    registration_enabled: bool = True
    # Of any JSON: the service holds more than an update of ours may set.
    additional_data: Mapping[str, Any] = msgspec.field(default_factory=dict)
    system_data: Mapping[str, str | bool] = msgspec.field(default_factory=dict)

    @property
    def is_web(self) -> bool:
        return self.system_data.get(CLOUD_TYPE) == WEB

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Registration)
            and self.id == other.id
            and self.application_id == other.application_id
            and self.owner == other.owner
            and field_values(self) == field_values(other)
            and same_json(self.additional_data, other.additional_data)
            and same_json(self.system_data, other.system_data)
        )

    # Struct brings one that compares every field.
    __ne__ = object.__ne__
    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class World:
    """Everything the service knows. Made with `World.of`; two are equal when they hold the same.

    `holders` and `owned` are the indexes: who has an identity value, what a person owns (in the
    order in which it came). `applications` gives the application id of a code.
    """

    people: Table[int, Person]
    registrations: Table[str, Registration]
    applications: Mapping[str, str]
    holders: Table[IdentityValue, int] = field(compare=False, repr=False)
    owned: Table[int, tuple[str, ...]] = field(compare=False, repr=False)
    next_number: int = field(compare=False)

    @classmethod
    def of(
        cls,
        people: Iterable[Person] = (),
        registrations: Iterable[Registration] = (),
        applications: Mapping[str, str] | None = None,
    ) -> World:
        """Build a world; ValueError where it would break a promise of the service."""
        by_number: dict[int, Person] = {}
        holders: dict[IdentityValue, int] = {}
        for person in people:
            if person.number in by_number:
                raise ValueError(f"two people have the number {person.number}")
            _check_one_external_id(person)
            by_number[person.number] = person
            for value in person.identities:
                if holders.setdefault(value, person.number) != person.number:
                    raise ValueError(
                        f"person {person.number} and person {holders[value]} "
                        f"share a value of {value.kind.value}"
                    )
        by_id: dict[str, Registration] = {}
        owned: dict[int, list[str]] = {}
        for registration in registrations:
            if registration.id in by_id:
                raise ValueError(f"two registrations have the id {registration.id!r}")
            if registration.is_web and registration.is_primary:
                raise ValueError(f"registration {registration.id!r} is WEB and has no isPrimary")
            by_id[registration.id] = registration
            if registration.owner is not None:
                if registration.owner not in by_number:
                    raise ValueError(
                        f"registration {registration.id!r} belongs to person "
                        f"{registration.owner}, who is not there"
                    )
                owned.setdefault(registration.owner, []).append(registration.id)
        return cls(
            Table(by_number),
            Table(by_id),
            dict(applications or {}),
            Table(holders),
            Table({number: tuple(ids) for number, ids in owned.items()}),
            max(by_number, default=0) + 1,
        )

    def holder(self, value: IdentityValue) -> Person | None:
        """Return the person who has an identity value."""
        number = self.holders.get(value)
        return None if number is None else self.people[number]

    def owner(self, registration: Registration) -> Person | None:
        """Return the owner of a registration, an anonymous one too."""
        return None if registration.owner is None else self.people[registration.owner]

    def registrations_of(self, number: int) -> tuple[Registration, ...]:
        return tuple([self.registrations[id_] for id_ in self.owned.get(number, ())])

    def new_person(self, now: str) -> Person:
        """Return a person with the next number, who is not in the world yet and has nothing."""
        return Person(self.next_number, is_lead=True, created_at=now, modified_at=now)

    def with_person(self, person: Person) -> World:
        """Add a person or change one; ValueError if somebody else has one of the identities."""
        _check_one_external_id(person)
        before = self.people.get(person.number)
        holders = self.holders
        held = before.identities if before is not None else frozenset()
        for value in held - person.identities:
            holders = holders.delete(value)
        for value in person.identities - held:
            if value in holders:
                raise ValueError(f"person {holders[value]} has that {value.kind.value} already")
            holders = holders.set(value, person.number)
        people = self.people.set(person.number, person)
        following = max(self.next_number, person.number + 1)
        return replace(self, people=people, holders=holders, next_number=following)

    def without_person(self, number: int) -> World:
        """Take out a person who owns nothing; ValueError otherwise."""
        if self.owned.get(number):
            raise ValueError(f"person {number} owns registrations")
        holders = self.holders
        for value in self.people[number].identities:
            holders = holders.delete(value)
        return replace(self, people=self.people.delete(number), holders=holders)

    def with_registration(self, registration: Registration) -> World:
        """Add a registration or change one, its owner too; ValueError if that one is not there."""
        new = registration.owner
        if new is not None and new not in self.people:
            raise ValueError(f"person {new} is not there")
        before = self.registrations.get(registration.id)
        old = before.owner if before is not None else None
        owned = self.owned
        if old != new:
            if old is not None:
                remaining = tuple(id_ for id_ in owned[old] if id_ != registration.id)
                owned = owned.set(old, remaining) if remaining else owned.delete(old)
            if new is not None:
                owned = owned.set(new, (*owned.get(new, ()), registration.id))
        registrations = self.registrations.set(registration.id, registration)
        return replace(self, registrations=registrations, owned=owned)

    def without_registration(self, registration_id: str) -> World:
        """Take out a registration, as when the app is uninstalled; its owner stays."""
        detached = msgspec.structs.replace(self.registrations[registration_id], owner=None)
        world = self.with_registration(detached)
        return replace(world, registrations=world.registrations.delete(registration_id))

    def with_anonymous_owners(self, now: str = FIRST_MOMENT) -> World:
        """Give every registration that has no owner at all an anonymous person of its own."""
        world = self
        for registration in self.registrations.values():
            if registration.owner is None:
                anonymous = world.new_person(now)
                world = world.with_person(anonymous)
                owned = msgspec.structs.replace(registration, owner=anonymous.number)
                world = world.with_registration(owned)
        return world

    def changed_people(self, before: World) -> frozenset[int]:
        """Return the numbers of the people who came, went or differ."""
        return self.people.differences(before.people)

    def changed_registrations(self, before: World) -> frozenset[str]:
        """Return the ids of the registrations that came, went or differ."""
        return self.registrations.differences(before.registrations)


def _check_one_external_id(person: Person) -> None:
    kinds = [value.kind for value in person.identities]
    if kinds.count(IdentityKind.EXTERNAL_ID) > 1:
        raise ValueError(f"person {person.number} has two external ids")
