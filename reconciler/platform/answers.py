"""The service's answers: every documented error, and registrations and people as it shows them."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.fields import (
    ADDITIONAL_DATA,
    FIELD_BY_PATH,
    FIELDS,
    IS_PRIMARY,
    SYSTEM_DATA,
    Field,
    field_values,
)
from reconciler.core.identity import IdentityKind

from .assumptions import PAGE_PUSH, PAGES_WITH_TEXTS, PAGES_WITHOUT_FLAGS, Readings
from .operations import Response
from .world import Person, Registration, World

APP_CODE_MISSING = 48001
APPLICATION_NOT_FOUND = 48012
REGISTRATION_NOT_FOUND = 48013
# The contract gives no code for these; the names are those that the mobile SDKs know.
BAD_REQUEST = 40000
USER_IDENTITY_INVALID = 40002
PERSONALIZATION_IMPOSSIBLE = 40010
AMBIGUOUS_CANDIDATES = 40011
NO_REGISTRATION = 40012

_EXCEPTIONS: Mapping[int, tuple[str, str]] = {
    400: ("BAD_REQUEST", "Bad request"),
    401: ("UNAUTHORIZED", "Unauthorized"),
    403: ("FORBIDDEN", "Forbidden"),
    404: ("NOT_FOUND", "Not found"),
    405: ("METHOD_NOT_ALLOWED", "Method not allowed"),
    409: ("CONFLICT", "Conflict"),
    413: ("PAYLOAD_TOO_LARGE", "Payload too large"),
    415: ("UNSUPPORTED_MEDIA_TYPE", "Unsupported media type"),
    429: ("TOO_MANY_REQUESTS", "Too many requests"),
    500: ("GENERAL_ERROR", "Something went wrong. Please contact support."),
}


class Refused(Exception):
    """A request that the service answers with an error; nothing was changed."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"status {response.status}")
        self.response = response


def push_error(code: int, message: str, status: int = 400) -> Response:
    """An error of the push calls themselves."""
    return Response(status, {"errorCode": code, "errorMessage": message})


def service_exception(
    status: int, text: str | None = None, message_id: str | None = None
) -> Response:
    """An error of the API around the calls: authorization, limits, unknown routes, people."""
    known_id, known_text = _EXCEPTIONS[status]
    details = {"messageId": message_id or known_id, "text": text or known_text}
    return Response(status, {"requestError": {"serviceException": details}})


def person_not_found() -> Response:
    return service_exception(404, "Person does not exist", "PERSON_DOES_NOT_EXIST")


def registration_json(registration: Registration) -> dict[str, object]:
    """Show a registration as GET and PATCH do: additionalData only where there is some."""
    shown = _shown_fields(registration)
    return _registration_json(
        registration, shown, registration.system_data, registration.additional_data
    )


def _shown_fields(registration: Registration) -> dict[Field, object]:
    """Return the fields of a registration that it has; a browser has no isPrimary."""
    values = zip(FIELDS, field_values(registration), strict=True)
    shown: dict[Field, object] = {field: value for field, value in values if value is not None}
    if registration.is_web:
        del shown[FIELD_BY_PATH[IS_PRIMARY]]
    return shown


def _registration_json(
    registration: Registration,
    fields: Mapping[Field, object],
    system: Mapping[str, object],
    data: Mapping[str, object],
) -> dict[str, object]:
    shown: dict[str, object] = {
        "registrationId": registration.id,
        "applicationId": registration.application_id,
    }
    writable_system: dict[str, object] = {}
    for field, value in fields.items():
        part = writable_system if field.wire[:-1] == (SYSTEM_DATA,) else shown
        part[field.wire[-1]] = value
    shown[SYSTEM_DATA] = {**system, **writable_system}
    if data:
        shown[ADDITIONAL_DATA] = dict(data)
    return shown


def personalized_json(world: World, person: Person, *, with_push: bool) -> dict[str, object]:
    """Show a person as a personalize does (other names than on a page: birthday, phones, ...)."""
    shown: dict[str, object] = {}
    if person.external_id is not None:
        shown["externalId"] = person.external_id.reveal()
    for name, value in person.attributes.items():
        if name == "birthDate":
            shown["birthday"] = f"{value}T00:00:00Z"
        elif name in _PERSONALIZED_ATTRIBUTES:
            shown[name] = value
    contact: dict[str, object] = {
        "phones": [{"number": text} for text in person.texts(IdentityKind.PHONE_NUMBER)],
        "emails": [{"address": text} for text in person.texts(IdentityKind.EMAIL)],
    }
    if with_push:
        contact["push"] = [
            registration_json(registration)
            for registration in world.registrations_of(person.number)
        ]
    shown["contactInformation"] = contact
    return shown


_PERSONALIZED_ATTRIBUTES = frozenset(
    {"firstName", "lastName", "middleName", "gender", "customAttributes", "tags"}
)


def person_json(world: World, person: Person, readings: Readings) -> dict[str, object]:
    """Show a person as the persons call does, all registrations in it."""
    shown: dict[str, object] = {
        "id": person.number,
        "createdAt": person.created_at,
        "modifiedAt": person.modified_at,
        "type": "LEAD" if person.is_lead else "CUSTOMER",
        "origin": "PUSH" if person.is_anonymous else "API",
        **person.attributes,
    }
    contact: dict[str, object] = {}
    texts = person.texts_by_kind()
    if external := texts.get(IdentityKind.EXTERNAL_ID):
        shown["externalId"] = external[0]
    if phones := texts.get(IdentityKind.PHONE_NUMBER):
        contact["phone"] = [{"number": text} for text in phones]
    if emails := texts.get(IdentityKind.EMAIL):
        contact["email"] = [{"address": text} for text in emails]
    if registrations := world.registrations_of(person.number):
        reading = readings(PAGE_PUSH)
        for name, is_web in (("push", False), ("webpush", True)):
            entries = [_push_entry(one, reading) for one in registrations if one.is_web is is_web]
            if entries:
                contact[name] = entries
    shown["contactInformation"] = contact
    return shown


def _push_entry(registration: Registration, reading: str) -> dict[str, object]:
    """Show a registration inside a person; registrationEnabled is text there in the vendor's own
    example, and the reading `bare` is that example to the letter."""
    leaves_out = reading in PAGES_WITHOUT_FLAGS
    shown = {
        field: _text(value) if field.page_says_text else value
        for field, value in _shown_fields(registration).items()
        if field.page_says_text or not leaves_out
    }
    system: Mapping[str, object] = registration.system_data
    data: Mapping[str, object] = registration.additional_data
    if reading in PAGES_WITH_TEXTS:
        system = {name: _text(value) for name, value in system.items()}
        data = {name: _text(value) for name, value in data.items()}
    return _registration_json(registration, shown, system, data)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
