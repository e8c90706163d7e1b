"""Worlds of the sandbox as plain JSON, in one form that tests compare, and changes to them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]


def canonical(world: Mapping[str, Any]) -> Json:
    """Return people and registrations by their ids, with every default written out.

    Anonymous people are nobody: which number the service gives them means nothing.
    """
    people = {
        person["id"]: {
            "type": person.get("type", "CUSTOMER"),
            "externalId": person.get("externalId"),
            "phoneNumbers": sorted(person.get("phoneNumbers", ())),
            "emails": sorted(person.get("emails", ())),
            "attributes": person.get("attributes", {}),
        }
        for person in world["people"]
    }
    named = {
        number: person
        for number, person in people.items()
        if person["externalId"] or person["phoneNumbers"] or person["emails"]
    }
    return {
        "people": named,
        "registrations": {
            registration["registrationId"]: {
                "applicationId": registration["applicationId"],
                "owner": registration.get("owner") if registration.get("owner") in named else None,
                "isPrimary": registration.get("isPrimary", False),
                "registrationEnabled": registration.get("registrationEnabled", True),
                "additionalData": registration.get("additionalData", {}),
            }
            for registration in world["registrations"]
        },
    }


def merged(held: Any, patch: Any) -> Any:
    """Apply a JSON merge patch: a null takes a key out."""
    if not isinstance(held, dict) or not isinstance(patch, dict):
        return patch
    result = dict(held)
    for key, value in patch.items():
        if value is None and key != "owner":
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def changed(
    world: Mapping[str, Any], registrations: Iterable[Json] = (), people: Iterable[Json] = ()
) -> Json:
    """Return a world with registrations and people merged over those of the same id."""
    result: Json = copy.deepcopy(dict(world))
    for key, name, patches in (
        ("registrations", "registrationId", registrations),
        ("people", "id", people),
    ):
        by_id = {item[name]: item for item in result[key]}
        for patch in patches:
            by_id[patch[name]] = merged(by_id.get(patch[name], {}), patch)
        result[key] = list(by_id.values())
    return result


def identity_values(world: Mapping[str, Any]) -> set[str]:
    """Return every identity value of everybody in a world."""
    return {
        value
        for person in world["people"]
        for value in (
            *([person["externalId"]] if person.get("externalId") else []),
            *person.get("phoneNumbers", ()),
            *person.get("emails", ()),
        )
    }
