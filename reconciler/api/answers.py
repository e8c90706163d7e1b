"""The service's answers as typed values: bytes in, core values out, Garbled for anything else.

Every rule here is about what the wire may look like; what it means is said in core.live.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeVar

import msgspec

from reconciler.core.absent import ABSENT, Absent
from reconciler.core.fields import Scalar
from reconciler.core.hidden import Hidden
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.live import LivePerson, LiveRegistration

T = TypeVar("T")


class Garbled(ValueError):
    """An answer that is not what the contract says; the message quotes no value of it."""


class _Wire(msgspec.Struct, rename="camel"):
    """camelCase in JSON; unknown fields are ignored, the service may grow."""


class _SystemData(_Wire):
    registration_enabled: bool | None = None


class _Registration(_Wire):
    registration_id: str
    application_id: str
    is_primary: bool | None = None
    system_data: _SystemData | None = None
    additional_data: dict[str, str | int | float | bool | None] | None = None


class _EntrySystemData(_Wire):
    registration_enabled: bool | str | None = None


class _Entry(_Wire):
    """A registration as it stands on a person; here text may stand for what is not text."""

    registration_id: str
    application_id: str
    is_primary: bool | str | None = None
    system_data: _EntrySystemData | None = None
    additional_data: dict[str, str | int | float | bool | None] | None = None


class _Phone(_Wire):
    number: str | None = None


class _Email(_Wire):
    address: str | None = None


class _Contacts(_Wire):
    phone: list[_Phone] | None = None
    email: list[_Email] | None = None
    push: list[_Entry] | None = None


class _Person(_Wire):
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


class _Personalized(_Wire):
    """A person as personalize answers; no number here, and nothing of it is sure to be there."""

    external_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    tags: list[str] | None = None
    custom_attributes: dict[str, object] | None = None
    contact_information: dict[str, object] | None = None


class _People(_Wire):
    persons: list[_Person]


class _Token(_Wire, rename=None):
    access_token: str
    expires_in: float | None = None


_REGISTRATION: Final = msgspec.json.Decoder(_Registration)
_ENVELOPE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PEOPLE: Final = msgspec.json.Decoder(_People)
_PEOPLE_BARE: Final = msgspec.json.Decoder(list[_Person])
_PERSON: Final = msgspec.json.Decoder(_Person)
_PERSONALIZED: Final = msgspec.json.Decoder(_Personalized)
_OBJECT: Final = msgspec.json.Decoder(dict[str, object])
# Token servers write expires_in as a number or as text.
_TOKEN: Final = msgspec.json.Decoder(_Token, strict=False)


def registration(body: bytes) -> LiveRegistration:
    """Read the answer to get and update.

    What a point read leaves out is at rest: not primary, no additional data (the vendor's own
    example has none). registrationEnabled has no such rest state and stays ABSENT.
    """
    wire = _decode(_REGISTRATION, body)
    enabled = None if wire.system_data is None else wire.system_data.registration_enabled
    return LiveRegistration(
        wire.registration_id,
        wire.application_id,
        bool(wire.is_primary),
        ABSENT if enabled is None else enabled,
        _data(wire.additional_data),
    )


def people(body: bytes) -> tuple[LivePerson, ...]:
    """Read the answer to persons, in all three envelopes: a person, a list, `{persons: [...]}`."""
    start = body.lstrip()[:1]
    if start == b"[":
        return tuple(_person(wire) for wire in _decode(_PEOPLE_BARE, body))
    if start == b"{" and "persons" in _decode(_ENVELOPE, body):
        return tuple(map(_person, _decode(_PEOPLE, body).persons))
    return (_person(_decode(_PERSON, body)),)


def personalized(body: bytes) -> None:
    """Check the answer to personalize. Nothing of it is needed, but another thing than a person
    would not say that it was done."""
    # All of it: a member that a type leaves out is skipped, broken text and all.
    _decode(_OBJECT, body)
    _decode(_PERSONALIZED, body)


def nothing(body: bytes) -> None:
    """Check the answer to depersonalize: empty, or JSON that nobody needs."""
    if body.strip():
        _decode(_OBJECT, body)


def token(body: bytes) -> tuple[Hidden[str], float | None]:
    """Read the answer to the token call: the token, and the seconds for which it is good."""
    wire = _decode(_TOKEN, body)
    if not wire.access_token or not all("!" <= c <= "~" for c in wire.access_token):
        raise Garbled("the access token is empty or cannot stand in a header")
    return Hidden(wire.access_token), wire.expires_in


def _decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    if not body.strip():
        raise Garbled("the answer is empty")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        reason = f"the answer is not of the contract's form: {error}"
    except (msgspec.DecodeError, UnicodeDecodeError):
        html = body.lstrip()[:1] == b"<"
        reason = "the answer is HTML or XML, not JSON" if html else "the answer is not whole JSON"
    except RecursionError:
        reason = "the answer is nested too deeply"
    # Raised out here so that no traceback leads to the frames that hold the answer.
    raise Garbled(reason)


def _data(wire: Mapping[str, Scalar | None] | None) -> Mapping[str, Scalar]:
    """Return additionalData; a key that is null is a key that is not there."""
    return {key: value for key, value in (wire or {}).items() if value is not None}


def _entry(wire: _Entry) -> LiveRegistration:
    enabled = None if wire.system_data is None else wire.system_data.registration_enabled
    data = _data(wire.additional_data)
    primary = wire.is_primary if isinstance(wire.is_primary, bool) else ABSENT
    in_doubt = primary is ABSENT or _all_text(data)
    return LiveRegistration(
        wire.registration_id,
        wire.application_id,
        primary,
        _truth_value(enabled),
        ABSENT if in_doubt else data,
    )


def _all_text(data: Mapping[str, Scalar]) -> bool:
    """Whether typed values may have come as text: all are text, and one looks like something else.

    One number or boolean among them shows that this entry is typed.
    """
    texts = [value for value in data.values() if isinstance(value, str)]
    return len(texts) == len(data) and any(_looks_typed(text) for text in texts)


def _looks_typed(text: str) -> bool:
    if text in ("true", "false"):
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True


def _truth_value(wire: bool | str | None) -> bool | Absent:
    match wire:
        case bool():
            return wire
        case "true" | "false":
            return wire == "true"
        case _:
            return ABSENT


def _person(wire: _Person) -> LivePerson:
    contacts = wire.contact_information or _Contacts()
    identities = {
        IdentityValue.of(kind, text)
        for kind, text in (
            (IdentityKind.EXTERNAL_ID, wire.external_id),
            *((IdentityKind.PHONE_NUMBER, phone.number) for phone in contacts.phone or ()),
            *((IdentityKind.EMAIL, email.address) for email in contacts.email or ()),
        )
        if text
    }
    attributes: dict[_Attribute, object] = {
        "firstName": wire.first_name,
        "lastName": wire.last_name,
        "middleName": wire.middle_name,
        # People show as birthDate what a personalize body calls birthday.
        "birthday": wire.birth_date,
        "gender": wire.gender,
        "customAttributes": wire.custom_attributes,
        "tags": wire.tags,
    }
    return LivePerson(
        wire.id,
        frozenset(identities),
        wire.type == "LEAD",
        Hidden({name: value for name, value in attributes.items() if value is not None}),
        tuple(map(_entry, contacts.push or ())),
    )


_Attribute = Literal[
    "firstName", "lastName", "middleName", "birthday", "gender", "customAttributes", "tags"
]
