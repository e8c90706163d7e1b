"""Decode people as the service shows them: looked up one by one, or a page of everybody.

Bytes in, core values out, Garbled for anything else. Of a page only those who are sought become
values: most people own nothing that a project declares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from reconciler.core.absent import ABSENT, Absent
from reconciler.core.fields import FIELDS, SYSTEM_DATA, Field, Scalar
from reconciler.core.identity import IdentityKind, IdentityValue, canonical_identity
from reconciler.core.live import LivePerson, LiveRegistration
from reconciler.core.secret import Secret
from reconciler.core.sweep_query import Page, SweepQuery

from .decode import Wire, additional_data_of, decode_json, device_model


class _EntrySystemData(Wire):
    registration_enabled: bool | str | None = None
    device_manufacturer: str | None = None
    device_model: str | None = None


class _Entry(Wire):
    """A registration as it stands on a person; here text may stand for what is not text."""

    registration_id: str
    application_id: str
    is_primary: bool | str | None = None
    system_data: _EntrySystemData | None = None
    additional_data: dict[str, str | int | float | bool | None] | None = None


class _Phone(Wire):
    number: str | None = None


class _Email(Wire):
    address: str | None = None


class _Contacts(Wire):
    phone: list[_Phone] | None = None
    email: list[_Email] | None = None
    push: list[_Entry] | None = None
    # Those of browsers; they have no isPrimary.
    webpush: list[_Entry] | None = None


class _Person(Wire):
    id: int
    type: str | None = None
    external_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    birth_date: str | None = None
    gender: str | None = None
    tags: list[str] | None = None
    custom_attributes: dict[str, object] | None = None
    contact_information: _Contacts | None = None


_NO_CONTACTS: Final = _Contacts()


class _Paging(Wire):
    total_count: int | None = None


class _People(Wire):
    persons: list[_Person]
    total_count: int | None = None
    paging: _Paging | None = None


_ENVELOPE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PEOPLE: Final = msgspec.json.Decoder(_People)
_PEOPLE_BARE: Final = msgspec.json.Decoder(list[_Person])
_PERSON: Final = msgspec.json.Decoder(_Person)


def decode_people(body: bytes) -> tuple[LivePerson, ...]:
    """Read the answer to a look-up. A person, a list and `{persons: [...]}` are all accepted."""
    return tuple(map(_to_person, _decode(body)[0]))


def _decode(body: bytes) -> tuple[Sequence[_Person], int | None]:
    """Return the people of an answer, and how many there are in all if it says so."""
    start = body.lstrip()[:1]
    if start == b"[":
        return decode_json(_PEOPLE_BARE, body), None
    wire = _decode_page(body)
    if wire is None:
        if start == b"{" and "persons" not in decode_json(_ENVELOPE, body):
            return [decode_json(_PERSON, body)], None
        wire = decode_json(_PEOPLE, body)
    if wire.total_count is None and wire.paging is not None:
        return wire.persons, wire.paging.total_count
    return wire.persons, wire.total_count


def _decode_page(body: bytes) -> _People | None:
    """Read a page in one go, as nearly all are; None where it is none, or not whole."""
    try:
        return _PEOPLE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class PageReader:
    """Reads pages of people for a query; made once for all pages of a sweep."""

    def __init__(self, query: SweepQuery) -> None:
        self._query = query
        self._texts: dict[IdentityKind, set[str]] = {kind: set() for kind in IdentityKind}
        for value in query.identities:
            self._texts[value.kind].add(value.reveal())

    def read(self, body: bytes) -> Page:
        """Read one page; raises Garbled."""
        people, total = _decode(body)
        kept: list[LivePerson] = []
        texts: dict[tuple[str, str], Mapping[str, Scalar]] = {}
        shows_flags: bool | None = None
        shows_types = False
        for person in people:
            contacts = person.contact_information or _NO_CONTACTS
            entries = _entries_of(contacts)
            for entry in contacts.push or ():
                shows_flags = shows_flags or isinstance(entry.is_primary, bool)
            for entry in entries:
                shows_types = shows_types or _is_typed(entry)
            if not self._wants(person, entries):
                continue
            value = _to_person(person, attributes=self._query.attributes)
            kept.append(value)
            for entry, registration in zip(entries, value.registrations, strict=True):
                if registration.additional_data is not ABSENT:
                    continue
                data = additional_data_of(entry.additional_data)
                if _may_be_untyped(data):
                    texts[entry.application_id, entry.registration_id] = data
        numbers = tuple(person.id for person in people)
        return Page(numbers, tuple(kept), total, shows_flags, shows_types, texts)

    def _wants(self, person: _Person, entries: Sequence[_Entry]) -> bool:
        query = self._query
        if query.everybody:
            return True
        for entry in entries:
            if entry.registration_id in query.registrations:
                return True
            if entry.application_id in query.application_ids:
                return True
        contacts = person.contact_information or _NO_CONTACTS
        return (
            self._has(IdentityKind.EXTERNAL_ID, person.external_id)
            or any(
                self._has(IdentityKind.PHONE_NUMBER, phone.number) for phone in contacts.phone or ()
            )
            or any(self._has(IdentityKind.EMAIL, email.address) for email in contacts.email or ())
        )

    def _has(self, kind: IdentityKind, text: str | None) -> bool:
        texts = self._texts[kind]
        return bool(texts and text) and canonical_identity(kind, text or "") in texts


def _entries_of(contacts: _Contacts) -> Sequence[_Entry]:
    """Return all entries in the order of a person's registrations: phones, then browsers."""
    push, webpush = contacts.push or (), contacts.webpush
    return (*push, *webpush) if webpush else push


def _is_typed(entry: _Entry) -> bool:
    data = entry.additional_data or {}
    return any(isinstance(value, (bool, int, float)) for value in data.values())


def _to_registration(wire: _Entry, *, is_web: bool = False) -> LiveRegistration:
    system = wire.system_data
    data = additional_data_of(wire.additional_data)
    shows_flag = is_web or isinstance(wire.is_primary, bool)
    in_doubt = not shows_flag or _may_be_untyped(data)
    # A page has thousands of entries, so each is made once.
    values: dict[str, Any] = {}
    for field in FIELDS:
        part = system if field.wire[0] == SYSTEM_DATA else wire
        value = ABSENT if part is None else getattr(part, field.attribute)
        # Nearly always it is of its type already.
        values[field.attribute] = value if value.__class__ is field.type else _on_page(field, value)
    if is_web:
        values["is_primary"] = False
    return LiveRegistration(
        wire.registration_id,
        wire.application_id,
        additional_data=ABSENT if in_doubt else data,
        model=None
        if system is None
        else device_model(system.device_manufacturer, system.device_model),
        is_web=is_web,
        **values,
    )


def _may_be_untyped(data: Mapping[str, Scalar]) -> bool:
    """Whether typed values may have come as text: all are text, and one looks like something else.

    One number or boolean among them shows that this entry is typed.
    """
    looks_typed = False
    for value in data.values():
        if not isinstance(value, str):
            return False
        looks_typed = looks_typed or _looks_typed(value)
    return looks_typed


def _looks_typed(text: str) -> bool:
    if text in ("true", "false"):
        return True
    if text[:1].isalpha() and text[0] not in "iInN":
        # No number begins so but infinity and what is none; most texts are words.
        return False
    try:
        float(text)
    except ValueError:
        return False
    return True


def _on_page(field: Field, value: Scalar | Absent | None) -> Scalar | Absent | None:
    """Return a field as a page shows it; ABSENT: it is in doubt."""
    if isinstance(value, field.type):
        return value
    if not field.page_says_text:
        return ABSENT
    if value is None:
        return field.at_rest
    return value == "true" if value in ("true", "false") else ABSENT


def _to_person(wire: _Person, *, attributes: bool = True) -> LivePerson:
    contacts = wire.contact_information or _NO_CONTACTS
    return LivePerson(
        wire.id,
        _to_identities(wire, contacts),
        wire.type == "LEAD",
        Secret(_to_attributes(wire)) if attributes else None,
        (
            *map(_to_registration, contacts.push or ()),
            *(_to_registration(entry, is_web=True) for entry in contacts.webpush or ()),
        ),
    )


def _to_identities(wire: _Person, contacts: _Contacts) -> frozenset[IdentityValue]:
    values = [
        IdentityValue.of(IdentityKind.PHONE_NUMBER, phone.number)
        for phone in contacts.phone or ()
        if phone.number
    ]
    values += [
        IdentityValue.of(IdentityKind.EMAIL, email.address)
        for email in contacts.email or ()
        if email.address
    ]
    if wire.external_id:
        values.append(IdentityValue(IdentityKind.EXTERNAL_ID, wire.external_id))
    return frozenset(values)


def _to_attributes(wire: _Person) -> dict[str, object]:
    attributes: dict[str, object] = {}
    if wire.first_name is not None:
        attributes["firstName"] = wire.first_name
    if wire.last_name is not None:
        attributes["lastName"] = wire.last_name
    if wire.middle_name is not None:
        attributes["middleName"] = wire.middle_name
    if wire.birth_date is not None:
        # People show as birthDate what a personalize body calls birthday.
        attributes["birthday"] = wire.birth_date
    if wire.gender is not None:
        attributes["gender"] = wire.gender
    if wire.custom_attributes is not None:
        attributes["customAttributes"] = wire.custom_attributes
    if wire.tags is not None:
        attributes["tags"] = wire.tags
    return attributes
