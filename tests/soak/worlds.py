"""Worlds and manifests as `tests.properties.fleets` draws them, here from plain random numbers.

Half of the names are for newcomers; and some worlds are larger, so that calls run side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Final

from tests.properties.fleets import (
    ANONYMOUS,
    APPLICATIONS,
    BROWSER,
    CODES,
    KEYS,
    Declared,
    Fleet,
    final_owner,
)

Json = dict[str, Any]

_SCALARS: Final = (
    *("night", "day", "2027-03-31", "12:30", "true", "12", "ž\u202e", "null"),
    *(True, False, -3, 0, 1, 2, 9223372036854775807, -9223372036854775808),
    *(0.5, 1.0, -2.25, 1e15),
)


def data(chance: Random, most: int, *, nulls: bool = False) -> Json:
    """Draw additionalData of a few keys."""
    values = (*_SCALARS, *([None] * 6)) if nulls else _SCALARS
    keys = chance.sample(KEYS, chance.randint(0, min(most, len(KEYS))))
    return {key: chance.choice(values) for key in keys}


def world(chance: Random) -> Json:
    """Draw a world of a few people and registrations, each person's flag set at most once."""
    is_large = chance.random() < 0.2
    people = [_person(chance, number) for number in range(1, chance.randint(1, 4) + 1)]
    if is_large:
        people = [_person(chance, number) for number in range(1, 9)]
    named = len(people)
    registrations: list[Json] = []
    flagged: set[int] = set()
    for index in range(chance.randint(8, 20) if is_large else chance.randint(1, 7)):
        owner = chance.randint(1, named + 1)
        if owner > named:
            # What nobody claimed has an anonymous person of its own.
            owner = ANONYMOUS + index
            people.append({"id": owner, "type": "LEAD"})
        browser = chance.random() < 0.15
        is_free = owner < ANONYMOUS and owner not in flagged and not browser
        primary = is_free and chance.random() < 0.5
        if primary:
            flagged.add(owner)
        registrations.append(
            {
                "registrationId": f"device-{index:02}",
                "applicationId": APPLICATIONS[chance.choice(["courier", "shop"])],
                "owner": owner,
                "isPrimary": primary,
                "registrationEnabled": chance.random() < 0.5,
                "additionalData": data(chance, 4),
                "systemData": BROWSER if browser else {},
            }
        )
    return {"applications": CODES, "people": people, "registrations": registrations}


def _person(chance: Random, number: int) -> Json:
    person: Json = {"id": number, "type": chance.choice(["CUSTOMER", "LEAD"])}
    kinds = chance.sample(["externalId", "phone", "email"], chance.randint(1, 3))
    if "externalId" in kinds:
        person["externalId"] = f"Identity-of-{number}"
    if "phone" in kinds:
        count = chance.randint(1, 2)
        person["phoneNumbers"] = [f"3859100{number}{other}7766" for other in range(count)]
    if "email" in kinds:
        count = chance.randint(1, 2)
        person["emails"] = [f"mail{number}.{other}@example.com" for other in range(count)]
    if chance.random() < 0.5:
        person["attributes"] = {"firstName": f"Firstname{number}", "tags": ["old-tag"]}
    return person


def fleet(chance: Random, start: Json, before: Fleet | None = None) -> Fleet:
    """Draw manifests that the world can satisfy, keeping the people of earlier ones.

    Nobody is to have two primary devices. Of the devices of `before` three at most leave: more
    would be refused by a guard.
    """
    people = dict(before.people) if before is not None else _declared_people(chance, start)
    staying = {device.id for device in before.devices[3:]} if before is not None else set()
    given = {
        device.id: device.owner
        for device in (before.devices if before is not None else ())
        if "owner" in device.fields
    }
    devices: list[Declared] = []
    flagged: set[str] = set()
    for registration in start["registrations"]:
        if registration["registrationId"] not in staying and chance.random() < 0.2:
            continue
        fields = _fields(chance, people)
        if registration.get("systemData") == BROWSER:
            # A browser has no flag.
            fields.pop("isPrimary", None)
        # By then it belongs to whom the earlier manifests said.
        earlier = {"owner": given[id_]} if (id_ := registration["registrationId"]) in given else {}
        owner = final_owner(registration, earlier | fields, start, people)
        if fields.get("isPrimary"):
            if owner in flagged:
                fields["isPrimary"] = False
            flagged.add(owner)
        application = next(
            name for name, id_ in APPLICATIONS.items() if id_ == registration["applicationId"]
        )
        file = chance.randint(1, 3)
        devices.append(Declared(registration["registrationId"], application, file, fields))
    return Fleet(tuple(devices), people)


def _fields(chance: Random, people: Mapping[str, Json]) -> Json:
    fields: Json = {}
    if chance.random() < 0.5:
        fields["owner"] = chance.choice([None, *sorted(people)])
    if chance.random() < 0.5:
        fields["registrationEnabled"] = chance.random() < 0.5
    if chance.random() < 0.5:
        fields["isPrimary"] = chance.random() < 0.5
    if chance.random() < 0.6 and (wanted := data(chance, 3, nulls=True)):
        fields["additionalData"] = wanted
    return fields


def _declared_people(chance: Random, start: Json) -> dict[str, Json]:
    """Draw one declaration of each person of a world by some of its values, and two newcomers."""
    declared: dict[str, Json] = {}
    for person in start["people"]:
        number, values = person["id"], {}
        if number >= ANONYMOUS:
            continue
        if "externalId" in person:
            values["externalId"] = person["externalId"]
        if "phoneNumbers" in person:
            values["phoneNumber"] = "+" + chance.choice(person["phoneNumbers"])
        if "emails" in person:
            values["email"] = chance.choice(person["emails"]).title()
        kept = chance.sample(sorted(values), chance.randint(1, len(values)))
        entry: Json = {kind: values[kind] for kind in sorted(kept)}
        if chance.random() < 0.25:
            # A value that the person lacks: it is added.
            entry.setdefault("email", f"added{number}@example.com")
        declared[f"p{number}"] = entry
    declared["new-1"] = {"externalId": "Identity-of-newcomer", "phoneNumber": "+385990001112"}
    declared["new-2"] = {"email": "Newcomer@example.com"}
    for entry in declared.values():
        if chance.random() < 0.25:
            entry["attributes"] = {"firstName": "Sentname", "tags": ["new-tag"]}
        if chance.random() < 0.25:
            entry["keepAsLead"] = chance.random() < 0.5
    return declared
