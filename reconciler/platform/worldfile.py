"""A world as JSON and back: the file that a sandbox starts from, and what it shows of itself."""

from __future__ import annotations

from typing import Any

import msgspec

from reconciler.core.identity import IdentityKind, IdentityValue

from .world import FIRST_MOMENT, Person, Registration, World


class _Part(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Frozen, camelCase in JSON, unknown fields refused."""


class _Person(_Part, frozen=True, omit_defaults=True):
    id: int
    type: str = "CUSTOMER"
    external_id: str | None = None
    phone_numbers: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    attributes: dict[str, Any] = {}
    created_at: str = FIRST_MOMENT
    modified_at: str = FIRST_MOMENT


class _World(_Part, frozen=True):
    applications: dict[str, str] = {}
    people: tuple[_Person, ...] = ()
    registrations: tuple[Registration, ...] = ()


def encode_world(world: World) -> bytes:
    """Return a world as JSON, people by number and registrations by id."""
    return msgspec.json.encode(
        _World(
            dict(world.applications),
            tuple(_encode_person(world.people[number]) for number in sorted(world.people)),
            tuple(world.registrations[id_] for id_ in sorted(world.registrations)),
        )
    )


def decode_world(data: bytes) -> World:
    """Read a world; ValueError says what is wrong with it and where (`$.people[3].id`)."""
    document = msgspec.json.decode(data, type=_World)
    return World.of(
        [_decode_person(person) for person in document.people],
        document.registrations,
        document.applications,
    )


def _encode_person(person: Person) -> _Person:
    external_id = person.external_id
    return _Person(
        person.number,
        "LEAD" if person.is_lead else "CUSTOMER",
        None if external_id is None else external_id.reveal(),
        tuple(person.texts(IdentityKind.PHONE_NUMBER)),
        tuple(person.texts(IdentityKind.EMAIL)),
        dict(person.attributes),
        person.created_at,
        person.modified_at,
    )


def _decode_person(document: _Person) -> Person:
    if document.type not in ("CUSTOMER", "LEAD"):
        raise ValueError(f"person {document.id}: type must be CUSTOMER or LEAD")
    values = [IdentityValue.of(IdentityKind.PHONE_NUMBER, text) for text in document.phone_numbers]
    values += [IdentityValue.of(IdentityKind.EMAIL, text) for text in document.emails]
    if document.external_id is not None:
        values.append(IdentityValue.of(IdentityKind.EXTERNAL_ID, document.external_id))
    return Person(
        document.id,
        frozenset(values),
        document.type == "LEAD",
        document.attributes,
        document.created_at,
        document.modified_at,
    )
