"""The persons call: one person by an identifier, or a page of everybody."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.identity import IdentityKind, IdentityValue

from .answers import Refused, person_json, person_not_found, service_exception
from .assumptions import ANONYMOUS_OWNER, Readings
from .operations import Response
from .world import Person, World

DEFAULT_LIMIT: Final = 20
LARGEST_LIMIT: Final = 1000
_LARGEST_INT32: Final = 2147483647
ORDER_FIELDS: Final = ("createdAt", "modifiedAt", "firstName", "lastName")
IDENTITY_TYPES: Final = {
    "EXTERNAL_ID": IdentityKind.EXTERNAL_ID,
    "PHONE": IdentityKind.PHONE_NUMBER,
    "EMAIL": IdentityKind.EMAIL,
}
# Types of other channels: documented, and nobody has any in this world.
OTHER_TYPES: Final = frozenset(
    {
        "LINE",
        "FACEBOOK",
        "TELEGRAM",
        "LIVE_CHAT",
        "VIBER_BOTS",
        "INSTAGRAM",
        "INSTAGRAM_DM",
        "TWITTER",
        "APPLE_BUSINESS_CHAT",
        "KAKAO_SANGDAM",
        "OPEN_CHANNEL",
        "ZALO_FOLLOWER",
        "TIKTOK_BM",
        "WHATSAPP",
    }
)


@dataclass(frozen=True, slots=True)
class Page:
    """What a list asks for; pages count from 1."""

    page: int
    limit: int
    order_by: str
    descending: bool
    count: bool


def answer_persons(world: World, query: Mapping[str, str], readings: Readings) -> Response:
    """Answer a persons call; Refused where it is wrong or there is nobody."""
    if is_lookup(query):
        return Response(200, person_json(world, _look_up(world, query, readings), readings))
    page = parse_page(query)
    people: Iterable[Person] = world.people.values()
    if any(person.is_anonymous for person in people) and readings(ANONYMOUS_OWNER) == "404":
        people = (person for person in world.people.values() if not person.is_anonymous)
    ordered = sorted(people, key=lambda person: order_key(person, page.order_by))
    return show_page(world, [person.number for person in ordered], page, readings)


def is_lookup(query: Mapping[str, str]) -> bool:
    """Whether a query asks for one person."""
    return "identifier" in query or "type" in query or "sender" in query


def parse_page(query: Mapping[str, str]) -> Page:
    """Read the query of a list; Refused where the contract does not allow it."""
    if "filter" in query:
        _refuse_filter(query["filter"])
    order_by, _, direction = query.get("orderBy", "createdAt:asc").partition(":")
    if order_by not in ORDER_FIELDS or direction not in ("", "asc", "desc"):
        raise _invalid_query("orderBy")
    count = query.get("includeTotalCount", "false").lower()
    if count not in ("true", "false"):
        raise _invalid_query("includeTotalCount")
    return Page(
        _parse_integer(query, "page", 1, _LARGEST_INT32),
        _parse_integer(query, "limit", DEFAULT_LIMIT, LARGEST_LIMIT),
        order_by,
        direction == "desc",
        count == "true",
    )


def order_key(person: Person, order_by: str) -> tuple[str, int]:
    """Sort key of a person in a list; people of one moment or name stand by number."""
    match order_by:
        case "createdAt":
            return person.created_at, person.number
        case "modifiedAt":
            return person.modified_at, person.number
        case _:
            return str(person.attributes.get(order_by, "")), person.number


def show_page(world: World, order: Sequence[int], page: Page, readings: Readings) -> Response:
    """Show a page; `order` has the number of everybody who is shown, ascending."""
    start = (page.page - 1) * page.limit
    if page.descending:
        end = max(len(order) - start, 0)
        numbers = order[max(end - page.limit, 0) : end][::-1]
    else:
        numbers = order[start : start + page.limit]
    body: dict[str, object] = {
        "persons": [person_json(world, world.people[number], readings) for number in numbers],
        "page": page.page,
        "limit": page.limit,
    }
    if page.count:
        body["totalCount"] = len(order)
    return Response(200, body)


def _look_up(world: World, query: Mapping[str, str], readings: Readings) -> Person:
    kind = query.get("type")
    identifier = query.get("identifier")
    if not identifier:
        raise _invalid_query("identifier")
    person = find_person(world, kind, identifier, query.get("sender"))
    if person is None or (person.is_anonymous and readings(ANONYMOUS_OWNER) == "404"):
        raise Refused(person_not_found())
    return person


def find_person(
    world: World, kind: str | None, identifier: str, sender: str | None
) -> Person | None:
    """Return who has an identifier of a documented type; Refused where the question is wrong."""
    match kind:
        case "ID":
            return _by_number(world, identifier)
        case "EXTERNAL_ID" | "PHONE" | "EMAIL":
            return world.holder(IdentityValue.of(IDENTITY_TYPES[kind], identifier))
        case "PUSH" | "WEB_PUSH":
            return _by_registration(world, identifier, sender, is_web=kind == "WEB_PUSH")
        case _ if kind in OTHER_TYPES:
            if not sender:
                raise _invalid_query("sender")
            return None
        case _:
            raise _invalid_query("type")


def _by_number(world: World, identifier: str) -> Person | None:
    if not (identifier.isascii() and identifier.isdigit()) or len(identifier) > 19:
        raise _invalid_query("identifier")
    return world.people.get(int(identifier))


def _by_registration(
    world: World, identifier: str, sender: str | None, *, is_web: bool
) -> Person | None:
    if not sender:
        raise _invalid_query("sender")
    registration = world.registrations.get(identifier)
    if registration is None or registration.application_id != sender:
        return None
    if registration.is_web is not is_web:
        return None
    return world.owner(registration)


def _parse_integer(query: Mapping[str, str], name: str, default: int, largest: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or not 1 <= int(text) <= largest:
        raise _invalid_query(name)
    return int(text)


def _refuse_filter(text: str) -> None:
    """Filters are the one documented thing the model has not; better a plain no than all people."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        raise _invalid_query("filter") from None
    raise Refused(service_exception(400, "Filters are not modelled"))


def _invalid_query(name: str) -> Refused:
    return Refused(service_exception(400, f"Invalid value of {name}"))
