"""World files of the sandbox as worlds of the stub, and back, so that both can be compared."""

from __future__ import annotations

import copy
import json
from typing import Any

from tests.worlds import canonical

from .world import World


def served(world: dict[str, Any]) -> World:
    """Return the stub's form of a world file."""
    people = {
        person["id"]: {
            "externalId": person.get("externalId"),
            "phones": list(person.get("phoneNumbers", ())),
            "emails": list(person.get("emails", ())),
            "type": person.get("type", "CUSTOMER"),
            "attributes": dict(person.get("attributes", {})),
        }
        for person in world["people"]
    }
    result = World(dict(world["applications"]), people)
    for item in world["registrations"]:
        result.add_registration(
            item["registrationId"],
            item["owner"],
            applicationId=item["applicationId"],
            isPrimary=item.get("isPrimary", False),
            systemData={
                **item.get("systemData", {}),
                "registrationEnabled": item.get("registrationEnabled", True),
            },
            additionalData=dict(item.get("additionalData", {})),
        )
    return result


def shown(world: World) -> dict[str, Any]:
    """Return a world of the stub in the form of a world file."""
    world = copy.deepcopy(world)
    return {
        "applications": world.applications,
        "people": [
            {
                "id": number,
                "externalId": person["externalId"],
                "phoneNumbers": person["phones"],
                "emails": person["emails"],
                "type": person["type"],
                "attributes": person["attributes"],
            }
            for number, person in world.people.items()
        ],
        "registrations": [
            {
                **{key: value for key, value in item.items() if key != "systemData"},
                "registrationEnabled": item["systemData"]["registrationEnabled"],
                "systemData": {
                    key: value
                    for key, value in item["systemData"].items()
                    if key != "registrationEnabled"
                },
            }
            for item in world.registrations.values()
        ],
    }


def nameless(world: dict[str, Any]) -> dict[str, Any]:
    """Return a world in canonical form, people by what they hold: numbers are the service's own."""
    plain = canonical(world)
    names = {
        number: json.dumps([person["externalId"], person["phoneNumbers"], person["emails"]])
        for number, person in plain["people"].items()
    }
    return {
        "people": {names[number]: person for number, person in plain["people"].items()},
        "registrations": {
            id_: {**item, "owner": names.get(item["owner"])}
            for id_, item in plain["registrations"].items()
        },
    }
