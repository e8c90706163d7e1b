"""The service's answers: every documented error, and registrations and people as it shows them."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.identity import IdentityKind

from .assumptions import PAGE_PUSH, Readings
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
    shown: dict[str, object] = {
        "registrationId": registration.id,
        "applicationId": registration.application_id,
        "isPrimary": registration.is_primary,
        "systemData": {
            **registration.system_data,
            "registrationEnabled": registration.registration_enabled,
        },
    }
    if registration.additional_data:
        shown["additionalData"] = dict(registration.additional_data)
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
        bare = readings(PAGE_PUSH) == "bare"
        contact["push"] = [_push_entry(registration, bare) for registration in registrations]
    shown["contactInformation"] = contact
    return shown


def _push_entry(registration: Registration, bare: bool) -> dict[str, object]:
    """Show a registration inside a person; registrationEnabled is text there in the vendor's own
    example, and `bare` is that example to the letter."""
    enabled = _text(registration.registration_enabled)
    entry: dict[str, object] = {
        "registrationId": registration.id,
        "applicationId": registration.application_id,
    }
    system: Mapping[str, object] = registration.system_data
    data: Mapping[str, object] = registration.additional_data
    if bare:
        system = {name: _text(value) for name, value in system.items()}
        data = {name: _text(value) for name, value in data.items()}
    else:
        entry["isPrimary"] = registration.is_primary
    entry["systemData"] = {**system, "registrationEnabled": enabled}
    if data:
        entry["additionalData"] = dict(data)
    return entry


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
