"""The operations of the service as calls: method, path, query, headers' worth, body.

Source of every rule here: the vendor's OpenAPI for "contact information: push", "persons" and
"persons/match".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, unquote

Json = object
PUSH_PATH: Final = "/people/2/contactInformation/push/"
PERSONS_PATH: Final = "/people/2/persons"
APPLICATIONS_PATH: Final = "/push/1/applications"
MATCH_PATH: Final = "/people/2/persons/match"
TOKEN_PATH: Final = "/auth/1/oauth2/token"


class Operation(StrEnum):
    """The operations, by the names that limits, plans and logs use."""

    GET = "get"
    UPDATE = "update"
    PERSONALIZE = "personalize"
    DEPERSONALIZE = "depersonalize"
    PERSONS = "persons"
    APPLICATIONS = "applications"
    MATCH = "match"


# Requests a second and account; each operation is counted by itself.
DEFAULT_LIMITS: Final[Mapping[Operation, float]] = MappingProxyType(
    {
        Operation.GET: 50.0,
        Operation.UPDATE: 50.0,
        Operation.PERSONALIZE: 50.0,
        Operation.DEPERSONALIZE: 50.0,
        Operation.PERSONS: 5.0,
        # The contract states none; nobody needs more.
        Operation.APPLICATIONS: 5.0,
        Operation.MATCH: 15.0,
    }
)

# The calls of one device come in this order.
IN_ORDER: Final = (Operation.DEPERSONALIZE, Operation.PERSONALIZE, Operation.UPDATE)
WRITES: Final = frozenset(IN_ORDER)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the service. `app_code` is the AppCode header; None where there is none."""

    operation: Operation
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    app_code: str | None = None
    body: Json = None


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. A `body` of None is an empty body."""

    status: int
    body: Json = None


def registration_path(registration_id: str) -> str:
    """Return the path of one registration, the id percent-encoded whole (no `/` survives)."""
    return PUSH_PATH + quote(registration_id, safe="")


def get(registration_id: str, app_code: str) -> Call:
    return Call(Operation.GET, "GET", registration_path(registration_id), app_code=app_code)


def update(registration_id: str, app_code: str, body: Json) -> Call:
    path = registration_path(registration_id)
    return Call(Operation.UPDATE, "PATCH", path, app_code=app_code, body=body)


def personalize(
    registration_id: str, app_code: str, body: Json, query: Mapping[str, str] | None = None
) -> Call:
    path = registration_path(registration_id) + "/personalize"
    return Call(Operation.PERSONALIZE, "POST", path, query or {}, app_code, body)


def depersonalize(registration_id: str, app_code: str) -> Call:
    path = registration_path(registration_id) + "/depersonalize"
    return Call(Operation.DEPERSONALIZE, "POST", path, app_code=app_code)


def person_of_registration(
    registration_id: str, application_id: str, *, is_web: bool = False
) -> Call:
    """Ask for the one person who owns a registration; `sender` is the id that GET shows. One of a
    browser has a type of its own."""
    kind = "WEB_PUSH" if is_web else "PUSH"
    query = {"type": kind, "identifier": registration_id, "sender": application_id}
    return Call(Operation.PERSONS, "GET", PERSONS_PATH, query)


def person_by_identity(identifier_type: str, identifier: str) -> Call:
    """Ask for one person; `identifier_type` is EXTERNAL_ID, PHONE (digits) or EMAIL."""
    query = {"type": identifier_type, "identifier": identifier}
    return Call(Operation.PERSONS, "GET", PERSONS_PATH, query)


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identity that a match asks about: its type, its text, and for a registration the
    application id that GET shows."""

    type: str
    text: str = field(repr=False)
    sender: str | None = None

    def json(self) -> dict[str, str]:
        """Return it as it stands in the body."""
        shown = {"type": self.type, "identifier": self.text}
        return shown if self.sender is None else shown | {"sender": self.sender}


def match(identifiers: Iterable[Identifier]) -> Call:
    """Ask whose these identities are; only the numbers of people come back."""
    body = {"identities": [identifier.json() for identifier in identifiers]}
    return Call(Operation.MATCH, "POST", MATCH_PATH, body=body)


def persons_page(page: int, limit: int = 1000, *, count: bool = True) -> Call:
    """Ask for a page of everybody, oldest first; pages count from 1, `limit` is 1000 at most."""
    query = {"limit": str(limit), "page": str(page), "orderBy": "createdAt:asc"}
    if count:
        query["includeTotalCount"] = "true"
    return Call(Operation.PERSONS, "GET", PERSONS_PATH, query)


def applications() -> Call:
    """Ask for all applications of the account. No code stands in the path, where logs would have
    it."""
    return Call(Operation.APPLICATIONS, "GET", APPLICATIONS_PATH)


def application_code_of(path: str) -> str | None:
    """Return the application code in the path of an applications call; None: it is about all."""
    code = path.removeprefix(APPLICATIONS_PATH).removeprefix("/")
    return unquote(code) if code else None


def is_page(call: Call) -> bool:
    """Whether a call asks for a page of everybody."""
    return call.operation is Operation.PERSONS and "page" in call.query


def registration_of(call: Call) -> str:
    """Return the registration id in the path of a push call, percent-decoded."""
    return unquote(call.path.removeprefix(PUSH_PATH).split("/", 1)[0])
