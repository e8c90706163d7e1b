"""All scenarios in one project and one world, every private value a canary, and some of our own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reconciler.manifest.documents import read_documents
from tests.worlds import changed

from .stems import APP_CODES, TEXT, Substitutes

Json = dict[str, Any]
_APPLICATIONS: Final = {
    "courier": "C0DE0000000000000000000000000001",
    "shop": "C0DE0000000000000000000000000002",
}
_OPERATIONS: Final = ("get", "update", "personalize", "depersonalize", "persons")
# People of one scenario have numbers of their own.
_NUMBERS: Final = 1000
HIDDEN_KEY: Final = "contact"
PEOPLE_FILE: Final = "people/outside.yaml"


@dataclass(slots=True)
class Whole:
    """What the sandbox and the project hold. `before` are the manifests that are applied first,
    `meanwhile` what others change after that, `after` the manifests of then."""

    people: list[Json] = field(default_factory=list)
    registrations: list[Json] = field(default_factory=list)
    meanwhile: list[Json] = field(default_factory=list)
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)

    @property
    def world(self) -> Json:
        codes = {APP_CODES[name]: id_ for name, id_ in _APPLICATIONS.items()}
        return {
            "applications": codes,
            "people": self.people,
            "registrations": self.registrations,
        }


def whole(scenarios: Iterable[Path]) -> Whole:
    """Return all scenarios together; what each is named after stands before its ids."""
    found = Whole()
    for number, folder in enumerate(scenarios, 1):
        _Scenario(folder, number, found).add()
    _add_ours(found)
    return found


def project_file(more: str = "") -> str:
    """Return a project that refuses no plan for its size, and hides a key."""
    budgets = ("owner-change", "detach", "primary-change", "key-removal", "leaving", "gone")
    return (
        "apiVersion: reconciler/v1\nkind: Project\n"
        'api:\n  baseUrl: ${SANDBOX_URL}\n  auth: {apiKey: "${SANDBOX_KEY}"}\n'
        f"  limits: {json.dumps(dict.fromkeys(_OPERATIONS, 1000))}\n"
        f"applications: {json.dumps({name: {'appCode': APP_CODES[name]} for name in APP_CODES})}\n"
        "manifests: [devices/*.yaml]\n"
        f"peopleFrom: [{PEOPLE_FILE}]\n"
        f"privacy: {{hide: [additionalData.{HIDDEN_KEY}]}}\n"
        f"safety: {{budgets: {json.dumps(dict.fromkeys(budgets, '100%'))}}}\n{more}"
    )


@dataclass(slots=True)
class _Scenario:
    folder: Path
    number: int
    into: Whole

    def add(self) -> None:
        canaries = Substitutes(self.number)
        world = json.loads((self.folder / "world.json").read_text("utf-8"))
        scenario = json.loads((self.folder / "scenario.json").read_text("utf-8"))
        assert not scenario.get("assume"), "one sandbox serves all scenarios"
        for person in world["people"]:
            living = canaries.living(person)
            self.into.people.append({**living, "id": self._person(person["id"])})
        self.into.registrations += [self._registration(one) for one in world["registrations"]]
        self.into.meanwhile += [self._registration(one) for one in scenario.get("meanwhile", ())]
        for directory, files in (("before", self.into.before), ("devices", self.into.after)):
            for file in sorted((self.folder / directory).glob("*.yaml")):
                path = f"devices/{self.folder.name}-{file.name}"
                files[path] = "\n---\n".join(
                    json.dumps(self._manifest(document.tree, canaries), ensure_ascii=False)
                    for document in read_documents(path, file.read_bytes()).documents
                )

    def _person(self, number: int | None) -> int | None:
        return None if number is None else self.number * _NUMBERS + number

    def _id(self, registration: str) -> str:
        return f"{self.folder.name}.{registration}"

    def _registration(self, one: Json) -> Json:
        result = {**one, "registrationId": self._id(one["registrationId"])}
        if "owner" in one:
            result["owner"] = self._person(one["owner"])
        return result

    def _manifest(self, tree: Any, canaries: Substitutes) -> Json:
        def device(entry: Json) -> Json:
            owner = entry.get("owner")
            return {**entry, "owner": canaries.declared(owner)} if _is_person(owner) else entry

        result = dict(tree)
        result["people"] = {
            name: canaries.declared(person) for name, person in tree.get("people", {}).items()
        }
        result["defaults"] = device(tree.get("defaults", {}))
        result["devices"] = {
            self._id(id_): device(entry) for id_, entry in tree.get("devices", {}).items()
        }
        result["removed"] = {self._id(id_): how for id_, how in tree.get("removed", {}).items()}
        return {name: part for name, part in result.items() if part != {}}


def _is_person(owner: object) -> bool:
    return isinstance(owner, Mapping)


def _add_ours(found: Whole) -> None:
    """Add what no scenario has: every attribute, hidden and undeclared keys, people outside."""
    canaries = Substitutes(99)
    everything = {
        "firstName": "a",
        "lastName": "b",
        "middleName": "c",
        "birthday": "1990-05-17",
        "gender": "FEMALE",
        "customAttributes": {"vehicle": "van", "score": 5, "isNew": True},
        "tags": ["d", "e"],
    }
    full = {"externalId": "x", "phoneNumber": "+1", "email": "E@X", "attributes": everything}
    for id_ in (1, 2):
        person = {"id": id_, "externalId": f"old-{id_}", "phoneNumbers": [f"{id_}"]}
        found.people.append(canaries.living({**person, "attributes": everything}))
    application = _APPLICATIONS["courier"]
    for id_, owner in (("full", 1), ("outside", 2), ("same", 2)):
        data = {HIDDEN_KEY: f"{TEXT}-{id_}-live", "secretNote": f"{TEXT}-{id_}-undeclared"}
        found.registrations.append(
            {
                "registrationId": f"ours.{id_}",
                "applicationId": application,
                "owner": owner,
                "additionalData": data,
            }
        )
    found.after["devices/ours.yaml"] = json.dumps(
        {
            "apiVersion": "reconciler/v1",
            "kind": "Devices",
            "application": "courier",
            "people": {"full": canaries.declared(full)},
            "devices": {
                "ours.full": {"owner": "full", "additionalData": {HIDDEN_KEY: f"{TEXT}-wanted"}},
                "ours.outside": {"owner": "abroad", "additionalData": {HIDDEN_KEY: None}},
                "ours.same": {"additionalData": {HIDDEN_KEY: f"{TEXT}-other", "shown": 1}},
            },
        }
    )
    found.after[PEOPLE_FILE] = found.before[PEOPLE_FILE] = json.dumps(
        {
            "apiVersion": "reconciler/v1",
            "kind": "People",
            "people": {"abroad": canaries.declared({"externalId": "y", "email": "y@y"})},
        }
    )


def world_after(found: Whole, world: Json) -> Json:
    """Return what others have made of a world meanwhile."""
    return changed(world, found.meanwhile)
