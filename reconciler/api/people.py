"""Decode people as the service shows them: looked up one by one, or a page of everybody.

Bytes in, core values out; Garbled for what is no page and no person at all. Of a page only those
who are sought become values: most people own nothing that a project declares. A page on which
anything is odd is read again, person by person, and who is odd is read part by part (lenient).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec

from reconciler.core.absent import ABSENT, Absent
from reconciler.core.fields import FIELDS, SYSTEM_DATA, Field, Scalar
from reconciler.core.identity import IdentityKind, IdentityValue, canonical_identity
from reconciler.core.live import LivePerson, LiveRegistration
from reconciler.core.secret import Secret
from reconciler.core.sweep_query import Page, SweepQuery

from .decode import Garbled, Wire, additional_data_of, decode_json
from .json_part import LARGEST_NUMBER, Part, whole
from .lenient import OddPerson, device_model, may_be_untyped, read_person


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


# A number of somebody; what is none is read part by part, and named.
_Number = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_NUMBER)]


class _Person(Wire):
    id: _Number
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
# Beyond every number that a person has, or is given for want of one.
_NO_NUMBER: Final = 1 << 63


class _Paging(Wire):
    total_count: int | None = None


class _People(Wire):
    persons: list[_Person]
    total_count: int | None = None
    paging: _Paging | None = None


_ANYTHING: Final = msgspec.json.Decoder(msgspec.Raw)
_PEOPLE: Final = msgspec.json.Decoder(_People)
_PERSON: Final = msgspec.json.Decoder(_Person)


def decode_people(body: bytes) -> tuple[LivePerson, ...]:
    """Read the answer to a look-up. A person, a list and `{persons: [...]}` are all accepted.

    Raises Garbled too where somebody stands in it of whom nothing at all can be read: that would
    look like nobody.
    """
    return tuple(map(_to_somebody, _decode(body)[0]))


# As the wire has it; read part by part; or nobody: null, a number, a list.
_Read = _Person | OddPerson | None


def _decode(body: bytes) -> tuple[Sequence[_Read], int | None]:
    """Return the people of an answer, and how many there are in all if it says so."""
    try:
        # As nearly all are.
        page = _PEOPLE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_odd(body)
    if page.total_count is None and page.paging is not None:
        return page.persons, page.paging.total_count
    return page.persons, page.total_count


def _decode_odd(body: bytes) -> tuple[Sequence[_Read], int | None]:
    """Read an answer of another shape than a page, or one that has anything odd."""
    answer = whole(body)
    # Of an answer that is no JSON it says why.
    decode_json(_ANYTHING, answer.text)
    elements = answer.elements()
    if elements is not None:
        return [_read(element) for element in elements], None
    members = answer.members()
    if members is None:
        raise Garbled(f"the answer is not of the contract's form: {answer.type}, not people")
    if "persons" not in members:
        return [_read(answer)], None
    people = members["persons"].elements()
    if people is None:
        kind = members["persons"].type
        raise Garbled(f"the answer is not of the contract's form: persons is {kind}, not a list")
    total = members.get("totalCount")
    if total is None and "paging" in members:
        total = (members["paging"].members() or {}).get("totalCount")
    return [_read(person) for person in people], None if total is None else total.count()


def _read(part: Part) -> _Read:
    if part.has_halves:
        # What stands in for them is text to a typed decoder, and would be shown and written.
        return read_person(part)
    try:
        return _PERSON.decode(part.text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_person(part)


def _to_somebody(read: _Read) -> LivePerson:
    if isinstance(read, _Person):
        return _to_person(read)
    person = None if read is None else read.person
    if person is None or (person.number < 0 and not (person.identities or person.registrations)):
        raise Garbled("the answer is not of the contract's form: it shows no person")
    return person


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
        is_whole = True
        numbers: list[int] = []
        for person in people:
            if person is None:
                is_whole = False
                # Of nobody; the same whenever this page is read again, and on no other page.
                numbers.append(-abs(numbers[-1] if numbers else 0) - _NO_NUMBER)
                continue
            if isinstance(person, OddPerson):
                is_whole = is_whole and person.is_whole
                numbers.append(person.person.number)
                for registration in person.person.registrations:
                    flag = ABSENT if registration.is_web else registration.is_primary
                    shows_flags = shows_flags or flag is not ABSENT
                    shows_types = shows_types or _shows_types(registration)
                if self._wants_odd(person.person):
                    kept.append(person.person)
                continue
            numbers.append(person.id)
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
                if may_be_untyped(data):
                    texts[entry.application_id, entry.registration_id] = data
        return Page(tuple(numbers), tuple(kept), total, shows_flags, shows_types, texts, is_whole)

    def _wants_odd(self, person: LivePerson) -> bool:
        query = self._query
        return (
            query.everybody
            or any(
                registration.id in query.registrations
                or registration.application_id in query.application_ids
                for registration in person.registrations
            )
            or not query.identities.isdisjoint(person.identities)
        )

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


def _shows_types(registration: LiveRegistration) -> bool:
    data = registration.additional_data
    return data is not ABSENT and any(
        isinstance(value, (bool, int, float)) for value in data.values()
    )


# Of each field what an entry is asked for, looked up once.
_PLACES: Final = tuple(
    (field, field.attribute, field.type, field.wire[0] == SYSTEM_DATA) for field in FIELDS
)


def _to_registration(wire: _Entry, *, is_web: bool = False) -> LiveRegistration:
    system = wire.system_data
    data = additional_data_of(wire.additional_data)
    shows_flag = is_web or isinstance(wire.is_primary, bool)
    in_doubt = not shows_flag or may_be_untyped(data)
    # A page has thousands of entries, so each is made once.
    values: dict[str, Any] = {}
    for field, attribute, kind, is_inside in _PLACES:
        part = system if is_inside else wire
        value = ABSENT if part is None else getattr(part, attribute)
        # Nearly always it is of its type already.
        values[attribute] = value if value.__class__ is kind else _on_page(field, value)
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
        _to_registrations(contacts),
    )


def _to_registrations(contacts: _Contacts) -> tuple[LiveRegistration, ...]:
    registrations = tuple(map(_to_registration, contacts.push or ()))
    if not contacts.webpush:
        return registrations
    browsers = (_to_registration(entry, is_web=True) for entry in contacts.webpush)
    return (*registrations, *browsers)


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
