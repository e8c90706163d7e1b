"""Read registrations and people of any shape: what cannot be understood is named and left out.

For the few answers that the typed decoders refuse. One odd value, of somebody whom nobody asked
for, must not cost the answer about everybody else: each part is read by itself, and what is no part
of the contract becomes an `Unreadable`, whose path and type hold no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from sys import intern
from typing import Any, Final

import msgspec

from reconciler.core.absent import ABSENT, Absent
from reconciler.core.fields import (
    ADDITIONAL_DATA,
    APPLICATION_ID,
    CLOUD_TYPE,
    FIELDS,
    IS_PRIMARY,
    SYSTEM_DATA,
    WEB,
    Field,
    LiveValue,
)
from reconciler.core.identity import IdentityKind, IdentityValue
from reconciler.core.live import LivePerson, LiveRegistration, Unreadable
from reconciler.core.opaque import Opaque
from reconciler.core.secret import Secret

from .json_part import Part, Parts

MISSING: Final = "missing"
PERSON_ID: Final = "id"


def read_registration(
    part: Part, *, is_page: bool, is_web: bool = False
) -> LiveRegistration | None:
    """Read a registration; None where it has no id, for then nobody can say which it is.

    On a page what is unreadable is in doubt: a point read settles it. There, what is unreadable
    stays so, and is named. A browser's, which says so itself where it stands alone, has no flag.
    """
    members = part.members()
    id_ = None if members is None else _text(members, "registrationId")
    if members is None or id_ is None:
        return None
    unreadable: list[Unreadable] = []
    application_id = _text(members, APPLICATION_ID)
    if application_id is None:
        unreadable.append(Unreadable(APPLICATION_ID, _type(members, APPLICATION_ID)))
    system, system_oddity = _object(members, SYSTEM_DATA)
    is_web = is_web or (system is not None and _text(system, CLOUD_TYPE) == WEB)
    values: dict[str, Any] = {}
    for field in FIELDS:
        if is_web and field.path == IS_PRIMARY:
            values[field.attribute] = False
            continue
        inside = field.wire[0] == SYSTEM_DATA
        if inside and system_oddity is not None:
            values[field.attribute] = ABSENT
            unreadable.append(Unreadable(field.path, system_oddity))
            continue
        parts = system if inside else members
        value, oddity = _field(field, parts, is_page=is_page)
        values[field.attribute] = value
        if oddity is not None:
            unreadable.append(Unreadable(field.path, oddity))
    data, data_oddity = _object(members, ADDITIONAL_DATA)
    if data_oddity is not None:
        unreadable.append(Unreadable(ADDITIONAL_DATA, data_oddity))
    shown = {} if data is None else dict(_data(data))
    in_doubt = data_oddity is not None or (is_page and may_be_untyped(shown))
    return LiveRegistration(
        id_,
        application_id or "",
        additional_data=ABSENT if in_doubt else shown,
        model=None
        if system is None
        else device_model(_text(system, "deviceManufacturer"), _text(system, "deviceModel")),
        unreadable=() if is_page else tuple(unreadable),
        is_web=is_web,
        **values,
    )


def device_model(maker: str | None, model: str | None) -> str | None:
    """Return what a device is, in one text; a fleet has few, and each is kept once."""
    text = f"{maker} {model}" if maker and model else maker or model
    return intern(text) if text else None


def may_be_untyped(data: Mapping[str, LiveValue]) -> bool:
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


def _field(
    field: Field, parts: Parts | None, *, is_page: bool
) -> tuple[LiveValue | Absent | None, str | None]:
    """Return a field as it is shown, and what is odd about it; ABSENT: it is not known."""
    part = None if parts is None else parts.get(field.wire[-1])
    if part is None or part.type == "null":
        is_bare = is_page and not field.page_says_text
        return (ABSENT if parts is None or is_bare else field.at_rest), None
    value = part.value()
    if isinstance(value, field.type):
        return value, None
    if is_page and field.page_says_text and value in ("true", "false"):
        return value == "true", None
    return ABSENT, part.type


def _data(members: Parts) -> Iterator[tuple[str, LiveValue]]:
    for name, part in members.items():
        value = part.value()
        if value is None:
            # A key that is null is a key that is not there.
            continue
        is_text = _is_text(name) or isinstance(value, Opaque)
        yield name, value if is_text else Opaque(part.text.decode("utf-8", "replace"))


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class OddPerson(msgspec.Struct, frozen=True):
    """A person who was read part by part. Not `is_whole` where an entry of theirs has no id that
    can be read, so that it is not known what else they own."""

    person: LivePerson
    is_whole: bool


def read_person(part: Part) -> OddPerson | None:
    """Read a person, all of their registrations and attributes; None where it is no object."""
    members = part.members()
    if members is None:
        return None
    unreadable: list[Unreadable] = []
    unread_entries: list[Unreadable] = []
    number = _number(members)
    if number is None:
        unreadable.append(Unreadable(PERSON_ID, _type(members, PERSON_ID)))
        # Some number that nobody has and that is the same for the same answer.
        number = -1 - int.from_bytes(blake2b(part.text, digest_size=7).digest())
    contacts, contacts_oddity = _object(members, "contactInformation")
    if contacts_oddity is not None:
        unreadable.append(Unreadable("contactInformation", contacts_oddity))
    identities: list[IdentityValue] = []
    external = members.get("externalId")
    if external is not None and external.type != "null":
        identities += _identity(IdentityKind.EXTERNAL_ID, external, "externalId", unreadable)
    registrations: list[LiveRegistration] = []
    if contacts is not None:
        for kind, list_name, name in (
            (IdentityKind.PHONE_NUMBER, "phone", "number"),
            (IdentityKind.EMAIL, "email", "address"),
        ):
            path = f"contactInformation.{list_name}"
            for entry in _list(contacts, list_name, path, unreadable):
                inner = entry.members()
                value = None if inner is None else inner.get(name)
                if value is not None and value.type != "null":
                    identities += _identity(kind, value, f"{path}.{name}", unreadable)
                elif inner is None and entry.type != "null":
                    unreadable.append(Unreadable(path, entry.type))
        for list_name in ("push", "webpush"):
            path, is_web = f"contactInformation.{list_name}", list_name == "webpush"
            for entry in _list(contacts, list_name, path, unread_entries):
                registration = read_registration(entry, is_page=True, is_web=is_web)
                if registration is not None:
                    registrations.append(registration)
                elif entry.type != "null":
                    unread_entries.append(Unreadable(path, entry.type))
    person = LivePerson(
        number,
        frozenset(identities),
        _text(members, "type") == "LEAD",
        Secret(_attributes(members)),
        tuple(registrations),
        tuple(unreadable),
    )
    return OddPerson(person, not unreadable and not unread_entries)


def shown_identities(members: Parts) -> Iterator[IdentityValue]:
    """Yield what names the person in the answer to a personalize; there the lists have other names
    than on a page."""
    ignored: list[Unreadable] = []
    external = members.get("externalId")
    if external is not None and external.type != "null":
        yield from _identity(IdentityKind.EXTERNAL_ID, external, "externalId", ignored)
    contacts, _ = _object(members, "contactInformation")
    for kind, list_name, name in (
        (IdentityKind.PHONE_NUMBER, "phones", "number"),
        (IdentityKind.EMAIL, "emails", "address"),
    ):
        for entry in _list(contacts or {}, list_name, list_name, ignored):
            value = (entry.members() or {}).get(name)
            if value is not None and value.type != "null":
                yield from _identity(kind, value, name, ignored)


def _number(members: Parts) -> int | None:
    """Return the number of a person, which may come as text."""
    part = members.get(PERSON_ID)
    text = None if part is None else part.text_value()
    if text is not None and text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    return None if part is None else part.count()


def _identity(
    kind: IdentityKind, part: Part, path: str, unreadable: list[Unreadable]
) -> list[IdentityValue]:
    """Return a value that names somebody; a whole number is its digits."""
    value = part.value()
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        return [IdentityValue.of(kind, value)] if value else []
    unreadable.append(Unreadable(path, part.type))
    return []


def _attributes(members: Parts) -> dict[str, object]:
    """Return what the contract knows of a person; only texts, and lists and objects of scalars."""
    attributes: dict[str, object] = {}
    for name in ("firstName", "lastName", "middleName", "birthDate", "gender"):
        text = _text(members, name)
        if text is not None:
            # People show as birthDate what a personalize body calls birthday.
            attributes["birthday" if name == "birthDate" else name] = text
    custom, _ = _object(members, "customAttributes")
    if custom is not None:
        attributes["customAttributes"] = {
            name: value
            for name, part in custom.items()
            if (value := part.value()) is not None and not isinstance(value, Opaque)
        }
    tags = members.get("tags")
    elements = None if tags is None else tags.elements()
    if elements is not None:
        texts = (element.text_value() for element in elements)
        attributes["tags"] = [text for text in texts if text is not None]
    return attributes


def _text(members: Parts, name: str) -> str | None:
    part = members.get(name)
    return None if part is None else part.text_value()


def _type(members: Parts, name: str) -> str:
    part = members.get(name)
    return MISSING if part is None else part.type


def _object(members: Parts, name: str) -> tuple[Parts | None, str | None]:
    """Return an object; or None, and what stands there instead, if anything does."""
    part = members.get(name)
    if part is None or part.type == "null":
        return None, None
    inner = part.members()
    return inner, None if inner is not None else part.type


def _list(members: Parts, name: str, path: str, unreadable: list[Unreadable]) -> list[Part]:
    part = members.get(name)
    if part is None or part.type == "null":
        return []
    elements = part.elements()
    if elements is None:
        unreadable.append(Unreadable(path, part.type))
        return []
    return elements
