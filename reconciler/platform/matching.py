"""The match call: whose many identities are. Only numbers of people come back."""

from __future__ import annotations

from collections.abc import Mapping

from .answers import Refused, service_exception
from .assumptions import ANONYMOUS_OWNER, MATCH_SIZE, Readings
from .lookups import find_person
from .operations import Json, Response
from .world import World


def answer_match(world: World, body: Json, readings: Readings) -> Response:
    """Answer a match; Refused where it is wrong, or names more identities than a call may.

    Who is not found is left out, and an identity that is named twice is answered once. The model
    has no type for registrations in browsers here, as the contract has none.
    """
    identities = body.get("identities") if isinstance(body, Mapping) else None
    if not isinstance(identities, list):
        raise _invalid("identities")
    # Whether a few are too many depends on no reading that anybody thinks of.
    if len(identities) > 1 and len(identities) > int(readings(MATCH_SIZE)):
        raise _invalid("identities")
    matches: dict[tuple[str, str, str | None], dict[str, object]] = {}
    for identity in identities:
        kind, identifier, sender = _read_identity(identity)
        person = find_person(world, kind, identifier, sender)
        if person is None or (person.is_anonymous and readings(ANONYMOUS_OWNER) == "404"):
            continue
        shown: dict[str, object] = {"type": kind, "identifier": identifier}
        if sender is not None:
            shown["sender"] = sender
        matches[kind, identifier, sender] = {**shown, "personId": person.number}
    return Response(200, {"matches": list(matches.values())})


def _read_identity(value: object) -> tuple[str, str, str | None]:
    fields = value if isinstance(value, Mapping) else {}
    kind, identifier, sender = (fields.get(name) for name in ("type", "identifier", "sender"))
    if not isinstance(kind, str):
        raise _invalid("type")
    if not isinstance(identifier, str) or not identifier:
        raise _invalid("identifier")
    if sender is not None and not isinstance(sender, str):
        raise _invalid("sender")
    return kind, identifier, sender


def _invalid(name: str) -> Refused:
    return Refused(service_exception(400, f"Invalid value of {name}"))
