"""The stub's world: plain dictionaries, and the default readings of what nobody knows, but for what
detaching clears and what the entries of a person show, which can be chosen.

What it does is written from the contract's words, not from the platform model: if the model is
wrong, the main job run against this says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

Reply = tuple[int, Any]


def refused(code: int, text: str) -> Reply:
    return 400, {"errorCode": code, "errorMessage": text}


def failed(status: int, name: str, text: str) -> Reply:
    return status, {"requestError": {"serviceException": {"messageId": name, "text": text}}}


@dataclass
class World:
    """`applications`: code to id. `people`: number to person. `registrations`: id to registration.

    A registration is what GET shows plus "owner", the number of a person. A person is
    {"externalId", "phones", "emails", "type", "attributes"}; one without values is anonymous.
    `detach` and `pages` are readings of what nobody knows (`detach`, `page-push`). Not every key
    may list applications.
    `most_matched` is how many identities a match call may name.
    """

    applications: dict[str, str] = field(default_factory=lambda: {"code-a": "APP-A"})
    people: dict[int, dict[str, Any]] = field(default_factory=dict)
    registrations: dict[str, dict[str, Any]] = field(default_factory=dict)
    detach: str = "clears-primary-and-data"
    pages: str = "full"
    lists_applications: bool = True
    most_matched: int = 100

    def add_person(self, **values: Any) -> int:
        number = max(self.people, default=1000) + 1
        person = {"externalId": None, "phones": [], "emails": [], "type": "CUSTOMER"}
        self.people[number] = person | {"attributes": {}} | values
        return number

    def add_registration(self, id: str, owner: int | None = None, **fields: Any) -> None:
        self.registrations[id] = {
            "registrationId": id,
            "applicationId": "APP-A",
            "isPrimary": False,
            "systemData": {"registrationEnabled": True, "os": "Android", "cloudType": "GCM"},
            "additionalData": {},
            "owner": self.add_person() if owner is None else owner,
        } | fields

    def owned_by(self, number: int) -> list[dict[str, Any]]:
        return [one for one in self.registrations.values() if one["owner"] == number]

    def is_anonymous(self, number: int) -> bool:
        person = self.people[number]
        return not (person["externalId"] or person["phones"] or person["emails"])

    def find(self, kind: str, value: str) -> int | None:
        for number, person in self.people.items():
            held = {
                "EXTERNAL_ID": [person["externalId"]],
                "PHONE": person["phones"],
                "EMAIL": [mail.lower() for mail in person["emails"]],
            }[kind]
            wanted = value.lower() if kind == "EMAIL" else value.lstrip("+")
            if (value if kind == "EXTERNAL_ID" else wanted) in held:
                return number
        return None

    def shown(self, number: int) -> dict[str, Any]:
        person = self.people[number]
        attributes = dict(person["attributes"])
        if "birthday" in attributes:
            attributes["birthDate"] = attributes.pop("birthday")
        shown = {"id": number, "type": person["type"], **attributes}
        if person["externalId"]:
            shown["externalId"] = person["externalId"]
        owned = self.owned_by(number)
        shown["contactInformation"] = {
            "phone": [{"number": phone} for phone in person["phones"]],
            "email": [{"address": mail} for mail in person["emails"]],
            "push": [entry(one, self.pages) for one in owned if not is_browser(one)],
            "webpush": [entry(one, self.pages) for one in owned if is_browser(one)],
        }
        return shown

    def get(self, registration: dict[str, Any]) -> Reply:
        return 200, bare(registration)

    def update(self, registration: dict[str, Any], body: Any) -> Reply:
        if not isinstance(body, dict):
            return refused(40000, "Not an object")
        if "isPrimary" in body:
            if is_browser(registration):
                return refused(40000, "A browser has no isPrimary")
            if body["isPrimary"]:
                for other in self.owned_by(registration["owner"]):
                    other["isPrimary"] = False
            registration["isPrimary"] = bool(body["isPrimary"])
        if "registrationEnabled" in body.get("systemData", {}):
            enabled = body["systemData"]["registrationEnabled"]
            registration["systemData"]["registrationEnabled"] = enabled
        for key, value in body.get("additionalData", {}).items():
            if value is None:
                registration["additionalData"].pop(key, None)
            else:
                registration["additionalData"][key] = value
        return 200, bare(registration)

    def personalize(self, registration: dict[str, Any], body: Any, query: dict[str, str]) -> Reply:
        identity = body.get("identity", {}) if isinstance(body, dict) else {}
        kinds = {"externalId": "EXTERNAL_ID", "phoneNumber": "PHONE", "email": "EMAIL"}
        if not identity or not set(identity) <= set(kinds):
            return refused(40001, "USER_IDENTITY_INVALID")
        found = {self.find(kinds[kind], value) for kind, value in identity.items()} - {None}
        if len(found) > 1:
            return refused(40002, "AMBIGUOUS_PERSONALIZE_CANDIDATES")
        target = found.pop() if found else None
        old = registration["owner"]
        if not self.is_anonymous(old) and old != target:
            if query.get("forceDepersonalize") != "true":
                return refused(40003, "PERSONALIZATION_IMPOSSIBLE")
            self.depersonalize(registration)
            old = registration["owner"]
        if target is None:
            target = self.add_person(type="LEAD")
        person = self.people[target]
        registration["owner"] = target
        if old != target:
            del self.people[old]
        person["externalId"] = identity.get("externalId") or person["externalId"]
        phone, mail = identity.get("phoneNumber", "").lstrip("+"), identity.get("email", "")
        if phone and phone not in person["phones"]:
            person["phones"].append(phone)
        if mail and mail.lower() not in [known.lower() for known in person["emails"]]:
            person["emails"].append(mail)
        if query.get("keepAsLead") != "true":
            person["type"] = "CUSTOMER"
        for name, value in body.get("attributes", {}).items():
            if name == "customAttributes":
                value = person["attributes"].get(name, {}) | value
            elif name == "tags":
                value = sorted({*person["attributes"].get(name, []), *value})
            person["attributes"][name] = value
        contacts = {
            "phones": [{"number": number} for number in person["phones"]],
            "emails": [{"address": address} for address in person["emails"]],
        }
        shown = {"externalId": person["externalId"], **person["attributes"]}
        return 200, {**shown, "contactInformation": contacts}

    def depersonalize(self, registration: dict[str, Any]) -> Reply:
        if not self.is_anonymous(registration["owner"]):
            registration["owner"] = self.add_person()
            if self.detach in ("clears-primary-and-data", "clears-primary"):
                registration["isPrimary"] = False
            if self.detach in ("clears-primary-and-data", "clears-data"):
                registration["additionalData"] = {}
        return 200, None

    def listed(self) -> Reply:
        if not self.lists_applications:
            return failed(403, "FORBIDDEN", "Forbidden")
        counted = [one["applicationId"] for one in self.registrations.values()]
        shown = [
            {
                "applicationCode": code,
                "applicationId": id,
                "name": f"Push Test {id}",
                "description": "",
                "registrationsCount": counted.count(id),
                "apns": {"enabled": True},
                "gcm": {"enabled": True},
            }
            for code, id in self.applications.items()
        ]
        return 200, {"applications": shown}

    def persons(self, query: dict[str, str]) -> Reply:
        kind, value = query.get("type"), query.get("identifier")
        if kind is None or value is None:
            everybody = [self.shown(number) for number in sorted(self.people)]
            size, page = int(query.get("limit", "20")), int(query.get("page", "1"))
            part = everybody[(page - 1) * size : page * size]
            return 200, {"persons": part, "totalCount": len(everybody), "page": page, "limit": size}
        if kind in ("PUSH", "WEB_PUSH"):
            one = self.registrations.get(value)
            here = one is not None and one["applicationId"] == query.get("sender")
            fits = one is not None and is_browser(one) is (kind == "WEB_PUSH")
            number = one["owner"] if one is not None and here and fits else None
        else:
            number = self.find(kind, value)
        if number is None:
            return 404, {"errorCode": 40401, "errorMessage": "PERSON_DOES_NOT_EXIST"}
        return 200, self.shown(number)

    def match(self, body: Any) -> Reply:
        """Answer as the contract's example: what is found, with its number, and nothing else."""
        if not isinstance(body, dict) or not isinstance(body.get("identities"), list):
            return failed(400, "BAD_REQUEST", "identities is missing")
        if len(body["identities"]) > self.most_matched:
            return failed(400, "BAD_REQUEST", "too many identities")
        matches = []
        for asked in body["identities"]:
            kind, value = asked["type"], asked["identifier"]
            if kind == "PUSH":
                one = self.registrations.get(value)
                here = one is not None and one["applicationId"] == asked["sender"]
                number = one["owner"] if one is not None and here else None
            else:
                number = self.find(kind, value)
            if number is not None:
                matches.append({"personId": number, **asked})
        return 200, {"matches": matches}


def entry(registration: dict[str, Any], pages: str) -> dict[str, Any]:
    """Return a registration as it stands on its person."""
    shown = bare(registration)
    if pages in ("bare", "no-flags"):
        shown.pop("isPrimary", None)
    if pages in ("bare", "text-data"):
        data = shown["additionalData"].items()
        shown["additionalData"] = {
            key: value if isinstance(value, str) else json.dumps(value) for key, value in data
        }
    return shown


def is_browser(registration: dict[str, Any]) -> bool:
    return bool(registration["systemData"].get("cloudType") == "WEB")


def bare(registration: dict[str, Any]) -> dict[str, Any]:
    hidden = {"owner", "isPrimary"} if is_browser(registration) else {"owner"}
    return {name: value for name, value in registration.items() if name not in hidden}
