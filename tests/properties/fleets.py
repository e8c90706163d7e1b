"""Random worlds, and random manifests that can be satisfied in them, as plain JSON.

Nothing here knows how the program reads, compares or plans: what a manifest means is said once
more, in a few lines, from its description.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import strategies as st

from reconciler.platform.assumptions import ASSUMPTIONS, READ_AFTER_WRITE
from tests.budgets import NO_BUDGETS

Json = dict[str, Any]

APPLICATIONS: Final = {"courier": "APPLICATION-ID-1", "shop": "APPLICATION-ID-2"}
CODES: Final = {f"{name}-app-code": id_ for name, id_ in APPLICATIONS.items()}
KEYS: Final = ("depot", "route", "shift", "größe", "key with: colon")
# Far from the numbers of named people, so that an order by number is not an order of making.
ANONYMOUS: Final = 500

PROJECT: Final = (
    NO_BUDGETS
    + """\
apiVersion: reconciler/v1
kind: Project
api:
  baseUrl: ${SANDBOX_URL}
  auth: {apiKey: "${SANDBOX_KEY}"}
  limits: {get: 5000, update: 5000, personalize: 5000, depersonalize: 5000, persons: 5000}
  quotaShare: 1
applications:
  courier: {appCode: courier-app-code}
  shop: {appCode: shop-app-code}
manifests: [devices/*.yaml]
"""
)


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared device: `fields` as written in the manifest, owner as a name or None."""

    id: str
    application: str
    file: int
    fields: Json

    @property
    def owner(self) -> str | None:
        return self.fields.get("owner")


@dataclass(frozen=True, slots=True)
class Fleet:
    """What the manifests say: devices, and people by name with their identity and options."""

    devices: tuple[Declared, ...] = ()
    people: Mapping[str, Json] = field(default_factory=dict)

    def files(self) -> dict[str, str]:
        """Return the manifests as JSON, which is YAML; a document per application and file."""
        documents: dict[tuple[int, str], list[Declared]] = {}
        for device in self.devices:
            documents.setdefault((device.file, device.application), []).append(device)
        texts: dict[str, str] = {}
        for (file, application), devices in documents.items():
            names = {device.owner for device in devices if device.owner is not None}
            document: Json = {
                "apiVersion": "reconciler/v1",
                "kind": "Devices",
                "application": application,
                "people": {name: self.people[name] for name in sorted(names)},
                "devices": {device.id: device.fields for device in devices},
            }
            if not names:
                del document["people"]
            path = f"devices/{file}.yaml"
            text = json.dumps(document, indent=1, ensure_ascii=False)
            texts[path] = texts[path] + "\n---\n" + text if path in texts else text
        return texts


def identity(person: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the identity values of a declared person in the service's own form."""
    values = set()
    if "externalId" in person:
        values.add(("externalId", person["externalId"]))
    if "phoneNumber" in person:
        values.add(("phoneNumber", person["phoneNumber"].removeprefix("+")))
    if "email" in person:
        values.add(("email", person["email"].lower()))
    return values


def held(person: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the identity values of a person of the world."""
    values = {("phoneNumber", number) for number in person.get("phoneNumbers", ())}
    values |= {("email", address) for address in person.get("emails", ())}
    if person.get("externalId"):
        values.add(("externalId", person["externalId"]))
    return values


BROWSER: Final = {"cloudType": "WEB"}
_scalars: Final = st.one_of(
    st.sampled_from(["night", "day", "2027-03-31", "12:30", "true", "12", "ž\u202e", "null"]),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([9223372036854775807, -9223372036854775808, 0.5, 1.0, -2.25, 1e15]),
)
_data: Final = st.dictionaries(st.sampled_from(KEYS), _scalars, max_size=4)


@st.composite
def worlds(draw: st.DrawFn) -> Json:
    """Draw a world of a few people and registrations, each person's flag set at most once."""
    people: list[Json] = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        person: Json = {"id": number, "type": draw(st.sampled_from(["CUSTOMER", "LEAD"]))}
        kinds = draw(st.sets(st.sampled_from(["externalId", "phone", "email"]), min_size=1))
        if "externalId" in kinds:
            person["externalId"] = f"Identity-of-{number}"
        if "phone" in kinds:
            count = draw(st.integers(1, 2))
            person["phoneNumbers"] = [f"3859100{number}{other}7766" for other in range(count)]
        if "email" in kinds:
            count = draw(st.integers(1, 2))
            person["emails"] = [f"mail{number}.{other}@example.com" for other in range(count)]
        if draw(st.booleans()):
            person["attributes"] = {"firstName": f"Firstname{number}", "tags": ["old-tag"]}
        people.append(person)
    named = len(people)
    registrations: list[Json] = []
    flagged: set[int] = set()
    for index in range(draw(st.integers(1, 7))):
        owner = draw(st.integers(1, named + 1))
        if owner > named:
            # What nobody claimed has an anonymous person of its own.
            owner = ANONYMOUS + index
            people.append({"id": owner, "type": "LEAD"})
        browser = draw(st.integers(0, 5)) == 0
        primary = owner < ANONYMOUS and owner not in flagged and not browser and draw(st.booleans())
        if primary:
            flagged.add(owner)
        registrations.append(
            {
                "registrationId": f"device-{index}",
                "applicationId": APPLICATIONS[draw(st.sampled_from(["courier", "shop"]))],
                "owner": owner,
                "isPrimary": primary,
                "registrationEnabled": draw(st.booleans()),
                "additionalData": draw(_data),
                "systemData": BROWSER if browser else {},
            }
        )
    return {"applications": CODES, "people": people, "registrations": registrations}


@st.composite
def _declared_people(draw: st.DrawFn, world: Json) -> dict[str, Json]:
    """Draw one declaration of each person of a world by some of its values, and two newcomers."""
    declared: dict[str, Json] = {}
    for person in world["people"]:
        number, values = person["id"], {}
        if number >= ANONYMOUS:
            continue
        if "externalId" in person:
            values["externalId"] = person["externalId"]
        if "phoneNumbers" in person:
            values["phoneNumber"] = "+" + draw(st.sampled_from(person["phoneNumbers"]))
        if "emails" in person:
            values["email"] = draw(st.sampled_from(person["emails"])).title()
        kept = draw(st.sets(st.sampled_from(sorted(values)), min_size=1))
        entry: Json = {kind: values[kind] for kind in sorted(kept)}
        if draw(st.integers(0, 3)) == 0:
            # A value that the person lacks: it is added.
            entry.setdefault("email", f"added{number}@example.com")
        declared[f"p{number}"] = entry
    declared["new-1"] = {"externalId": "Identity-of-newcomer", "phoneNumber": "+385990001112"}
    declared["new-2"] = {"email": "Newcomer@example.com"}
    for entry in declared.values():
        if draw(st.integers(0, 3)) == 0:
            entry["attributes"] = {"firstName": "Sentname", "tags": ["new-tag"]}
        if draw(st.integers(0, 3)) == 0:
            entry["keepAsLead"] = draw(st.booleans())
    return declared


@st.composite
def fleets(draw: st.DrawFn, world: Json, before: Fleet | None = None) -> Fleet:
    """Draw manifests that the world can satisfy, keeping the people of an earlier fleet.

    Nobody is to have two primary devices. Of the devices of `before` three at most leave: more
    would be refused by a guard.
    """
    people = dict(before.people) if before is not None else draw(_declared_people(world))
    staying = {device.id for device in before.devices[3:]} if before is not None else set()
    devices: list[Declared] = []
    flagged: set[str] = set()
    for registration in world["registrations"]:
        if registration["registrationId"] not in staying and draw(st.integers(0, 3)) == 0:
            continue
        fields: Json = {}
        if draw(st.booleans()):
            fields["owner"] = draw(st.sampled_from([None, *sorted(people)]))
        if draw(st.booleans()):
            fields["registrationEnabled"] = draw(st.booleans())
        # A browser has no flag.
        if registration.get("systemData") != BROWSER and draw(st.booleans()):
            fields["isPrimary"] = draw(st.booleans())
        if draw(st.integers(0, 2)):
            data = draw(st.dictionaries(st.sampled_from(KEYS), st.none() | _scalars, max_size=3))
            if data:
                fields["additionalData"] = data
        owner = final_owner(registration, fields, world, people)
        if fields.get("isPrimary"):
            if owner in flagged:
                fields["isPrimary"] = False
            flagged.add(owner)
        application = next(
            name for name, id_ in APPLICATIONS.items() if id_ == registration["applicationId"]
        )
        file = draw(st.integers(1, 3))
        devices.append(Declared(registration["registrationId"], application, file, fields))
    return Fleet(tuple(devices), people)


def final_owner(registration: Json, fields: Json, world: Json, people: Mapping[str, Json]) -> str:
    """Name who owns a registration once its declared fields are so; each nobody is another one."""
    if fields.get("owner"):
        return str(fields["owner"])
    owner = next(
        (person for person in world["people"] if person["id"] == registration.get("owner")), None
    )
    if "owner" in fields or owner is None or not held(owner):
        return f"nobody, {registration['registrationId']}"
    for name, person in people.items():
        if identity(person) & held(owner):
            return name
    return f"person {owner['id']}"


@st.composite
def readings(draw: st.DrawFn) -> dict[str, str]:
    """Draw a reading of every assumption but the lag of reads, which would take seconds."""
    return {
        name: draw(st.sampled_from(assumption.readings))
        for name, assumption in ASSUMPTIONS.items()
        if name != READ_AFTER_WRITE.name and assumption.is_proven
    }


def values_of(world: Json, fleet: Fleet) -> Iterable[str]:
    """Yield every identity value, as anyone writes it, and attributes: no output may show them."""
    for person in world["people"]:
        yield from (value for _, value in held(person))
    for person in fleet.people.values():
        yield from (str(person[kind]) for kind in person if kind in _KINDS)
        yield from (value for _, value in identity(person))
    yield from ("Sentname", "new-tag", "Firstname1", "old-tag")


_KINDS: Final = frozenset({"externalId", "phoneNumber", "email"})


@st.composite
def drifts(draw: st.DrawFn) -> Json:
    """Draw what an app may do to its registration: a merge patch of its fields.

    It never takes the flag: a person with two flagged devices would need to be told apart.
    """
    patch: Json = {}
    if draw(st.booleans()):
        patch["registrationEnabled"] = draw(st.booleans())
    if draw(st.booleans()):
        patch["isPrimary"] = False
    if draw(st.booleans()):
        patch["additionalData"] = draw(
            st.dictionaries(st.sampled_from(KEYS), st.none() | _scalars, max_size=3)
        )
    return patch
