"""Validate bodies and queries as the service does: read into values, or refused as a 400."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.core.fields import FIELDS, Scalar
from reconciler.core.identity import Identity, IdentityKind, IdentityValue
from reconciler.core.opaque import Opaque
from reconciler.core.value_limits import (
    EMAIL,
    EXTERNAL_ID,
    FIRST_NAME,
    LAST_NAME,
    MIDDLE_NAME,
    NAME,
    PHONE_DIGITS,
    TAG,
    VALUE,
)

from .answers import BAD_REQUEST, USER_IDENTITY_INVALID, Refused, push_error
from .operations import Json
from .world import Registration, same_json

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_PHONE: Final = re.compile(r"\+?([1-9][0-9]*)", re.ASCII)
_BIRTHDAY: Final = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))(?:T\S{1,40})?")
_NAME_PARTS: Final = {"firstName": FIRST_NAME, "lastName": LAST_NAME, "middleName": MIDDLE_NAME}
# The service reads these texts as JSON null.
_NULLS: Final = frozenset({"null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Update:
    """A PATCH: the sent fields by the attribute of a registration that they set. In
    `additional_data` None removes a key; as a whole None is not sent."""

    fields: Mapping[str, Scalar]
    additional_data: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Personalization:
    """A personalize: body and query together."""

    identity: Identity
    attributes: Mapping[str, object]
    force: bool
    keep_as_lead: bool
    return_push: bool
    set_primary: bool


def read_update(body: Json, held: Registration) -> Update:
    """Read the body of an update of a registration. Read-only and unknown fields are ignored.

    What the service shows it takes back: a value that is `held` may be sent again, be it larger
    than one that is set.
    """
    fields = _require_object(body, "body")
    data: Mapping[str, object] | None = None
    if "additionalData" in fields:
        data = {
            name: value
            if name in held.additional_data and same_json(held.additional_data[name], value)
            else _read_data(value, _require_name(name))
            for name, value in _require_object(fields["additionalData"], "additionalData").items()
        }
    return Update(dict(_read_sent_fields(fields)), data)


def _read_sent_fields(fields: Mapping[str, object]) -> Iterator[tuple[str, Scalar]]:
    for field in FIELDS:
        part = fields
        *above, name = field.wire
        for step in above:
            part = _require_object(part.get(step, {}), step)
        if name in part:
            yield field.attribute, _require_type(field.type, part[name], name)


def _require_type(wanted: type[bool] | type[str], value: object, name: str) -> Scalar:
    if not isinstance(value, wanted):
        raise _invalid_value(name)
    return _read_scalar(value, name)


def read_personalization(body: Json, query: Mapping[str, str]) -> Personalization:
    """Read a personalize; Refused with a USER_IDENTITY_INVALID where the identity is no good."""
    fields = _require_object(body, "body")
    options = {
        name: _read_query_boolean(query, name)
        for name in ("forceDepersonalize", "keepAsLead", "returnPush", "setDeviceAsPrimary")
    }
    return Personalization(
        _read_identity(fields.get("identity")),
        _read_attributes(_require_object(fields.get("attributes", {}), "attributes")),
        options["forceDepersonalize"],
        options["keepAsLead"],
        options["returnPush"],
        options["setDeviceAsPrimary"],
    )


def read_identity(body: Json) -> Identity:
    """Return the identity of a personalize body, or the empty one where it is no good."""
    try:
        return _read_identity(_require_object(body, "body").get("identity"))
    except Refused:
        return Identity(())


def _read_identity(value: object) -> Identity:
    values: list[IdentityValue] = []
    for name, text in _require_object(value, "identity").items():
        if name not in list(IdentityKind) or text is None:
            continue
        kind = IdentityKind(name)
        if not isinstance(text, str) or not _is_identity(kind, text):
            raise Refused(push_error(USER_IDENTITY_INVALID, f"Invalid {name}"))
        if kind is not IdentityKind.EXTERNAL_ID or text not in _NULLS:
            values.append(IdentityValue.of(kind, text))
    if not values:
        raise Refused(push_error(USER_IDENTITY_INVALID, "Identity is empty"))
    return Identity.of(*values)


def _is_identity(kind: IdentityKind, text: str) -> bool:
    match kind:
        case IdentityKind.EXTERNAL_ID:
            return EXTERNAL_ID.allows_text(text)
        case IdentityKind.PHONE_NUMBER:
            number = _PHONE.fullmatch(text)
            return number is not None and PHONE_DIGITS.allows_text(number[1])
        case IdentityKind.EMAIL:
            return EMAIL.allows_text(text) and _EMAIL.fullmatch(text) is not None


def _read_attributes(sent: Mapping[str, object]) -> Mapping[str, object]:
    """Return the person attributes by their names on a page (birthday is birthDate there)."""
    attributes: dict[str, object] = {}
    for name, value in sent.items():
        match name:
            case "firstName" | "lastName" | "middleName":
                if not isinstance(value, str) or not _NAME_PARTS[name].allows_text(value):
                    raise _invalid_value(name)
                attributes[name] = value
            case "birthday":
                date = _BIRTHDAY.fullmatch(value) if isinstance(value, str) else None
                if date is None:
                    raise _invalid_value(name)
                attributes["birthDate"] = date[1]
            case "gender":
                if value not in ("MALE", "FEMALE"):
                    raise _invalid_value(name)
                attributes[name] = value
            case "tags":
                if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
                    raise _invalid_value(name)
                if len(set(value)) != len(value) or not all(map(TAG.allows_text, value)):
                    raise _invalid_value(name)
                attributes[name] = list(value)
            case "customAttributes":
                attributes[name] = {
                    _require_name(key): _read_scalar(item, key)
                    for key, item in _require_object(value, name).items()
                }
    return attributes


def _read_scalar(value: object, name: str) -> Scalar:
    match value:
        case bool():
            return value
        case int() | float() if VALUE.allows_number(value):
            return value
        case str() if VALUE.allows_text(value):
            return value
        case _:
            raise _invalid_value(name[: NAME.longest])


def _read_data(value: object, name: str) -> object:
    """Return a value of additionalData. What the service shows it takes back: a list or an object
    that an app wrote is carried as it came."""
    if value is None or isinstance(value, (Mapping, list, Opaque)):
        return value
    return _read_scalar(value, name)


def _require_name(name: str) -> str:
    if not NAME.allows_text(name):
        raise Refused(push_error(BAD_REQUEST, "Invalid name of an attribute"))
    return name


def _require_object(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _invalid_value(name)
    return value


def _read_query_boolean(query: Mapping[str, str], name: str) -> bool:
    match query.get(name, "false").lower():
        case "true":
            return True
        case "false":
            return False
        case _:
            raise _invalid_value(name)


def _invalid_value(name: str) -> Refused:
    return Refused(push_error(BAD_REQUEST, f"Invalid value of {name}"))
