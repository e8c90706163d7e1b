"""Live state: what the service answered, as values; and what could not be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from .absent import ABSENT, Absent
from .device import Attributes
from .fields import LiveValue
from .identity import IdentityValue


class Unreadable(msgspec.Struct, frozen=True):
    """Something that an answer shows and nobody can understand: where, and what stands there.

    `path` is that of a field, or the name of another part of the answer; empty, all of it. `type`
    is that of JSON (`list`, `text`, `missing`, ...) or says why the answer is none. Never a value.
    """

    path: str
    type: str


class LiveRegistration(msgspec.Struct, frozen=True):
    """One registration as the service shows it. ABSENT: this answer did not say.

    `model` is the maker and model of the device, None where the service knows neither. An
    `application_id` that is empty is not known. `unreadable` says which fields were shown in a
    form that means nothing; they are ABSENT. A registration of a browser `is_web`: it has no
    isPrimary, so that it is never primary here.
    """

    id: str
    application_id: str
    is_primary: bool | Absent = ABSENT
    registration_enabled: bool | Absent = ABSENT
    additional_data: Mapping[str, LiveValue] | Absent = ABSENT
    model: str | None = None
    unreadable: tuple[Unreadable, ...] = ()
    is_web: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """The service knows no registration of that id (48013)."""


@dataclass(frozen=True, slots=True)
class WrongApplication:
    """The registration exists, but under `application` of this project, not the declared one."""

    application: str


Found = LiveRegistration | Gone | WrongApplication | Unreadable


@dataclass(frozen=True, slots=True)
class RegistrationKey:
    """A registration as the service asks for its owner: its id, and that of its application."""

    id: str
    application_id: str


# What the service can say the person's number of, for many at once.
Matchable = RegistrationKey | IdentityValue


class LivePerson(msgspec.Struct, frozen=True):
    """A person. Without identities it is an anonymous owner: nobody.

    `number` is the service's own internal id, the only name of an undeclared person in a plan. It
    is negative, and no name, where the service shows none (`unreadable` says so). What is
    `unreadable` otherwise are identities: then whoever seems anonymous may be somebody.
    Not `is_whole`: only the number is known, that it is somebody, and that it has `identities`
    among others; nothing else was read.
    """

    number: int
    identities: frozenset[IdentityValue] = frozenset()
    is_lead: bool = False
    attributes: Attributes | None = None
    registrations: tuple[LiveRegistration, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    is_whole: bool = True

    @property
    def is_somebody(self) -> bool:
        """Whether this is no anonymous owner: a person with an identity, be it one that cannot be
        read."""
        return bool(self.identities or self.unreadable) or not self.is_whole


@dataclass(frozen=True, slots=True)
class LiveApplication:
    """An application of the account, as the service lists it. `code` is as good as a credential,
    and never shown; `registrations` is how many it counts, None where it does not say."""

    code: str = field(repr=False)
    id: str
    name: str = ""
    registrations: int | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """What was read so far. A missing key was not read; a None was read and there is none.

    `registrations` by id: declared, leaving, and undeclared siblings whose flag had to be known.
    `owners` by registration id; an anonymous owner is None too. `people` by identity value.
    `owner_numbers` and `holder_numbers` are what a match answered: the number of the person, which
    may be an anonymous one, or None where it told none, which means nothing. An owner who has all
    values that are declared for it is among `owners` then, known in part.
    """

    registrations: Mapping[str, Found] = field(default_factory=dict)
    owners: Mapping[str, LivePerson | None] = field(default_factory=dict)
    people: Mapping[IdentityValue, LivePerson | None] = field(default_factory=dict)
    owner_numbers: Mapping[str, int | None] = field(default_factory=dict)
    holder_numbers: Mapping[IdentityValue, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Needs:
    """What has to be read next: registration ids with their application's name, owner look-ups
    by registration id, people by identity value. Empty when all that a plan needs is there.

    `matches` are registration ids of which it is enough to know whether their owner has these
    values: the rest of the person matters only if not.
    """

    registrations: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    people: tuple[IdentityValue, ...] = ()
    matches: Mapping[str, tuple[IdentityValue, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.registrations or self.owners or self.people or self.matches)
