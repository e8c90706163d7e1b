"""The judge of an applied plan: is everything as declared, and did nothing else move?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.core.fields import same_value
from tests.worlds import canonical

from .fleets import Declared, Fleet, held, identity

Json = Mapping[str, Any]
_PREFIX: Final = "additionalData."


def broken(before: Json, after: Json, fleet: Fleet, plan: Json) -> list[str]:
    """Return every promise that a world after an apply breaks, in words."""
    return [*missing(after, fleet), *moved(before, after, fleet, plan)]


def missing(after: Json, fleet: Fleet) -> list[str]:
    """Return what is not as declared."""
    two = canonical(after)
    return [fault for device in fleet.devices for fault in _declared(device, two, fleet)]


def moved(before: Json, after: Json, fleet: Fleet, plan: Json) -> list[str]:
    """Return what moved though nobody declares it and no warning of the plan names it."""
    one, two = canonical(before), canonical(after)
    return [
        *_undeclared_devices(one, two, fleet, plan),
        *(
            fault
            for device in fleet.devices
            for fault in _undeclared_fields(device, one, two, plan)
        ),
        *_people(one, two, fleet, plan),
    ]


def _named(plan: Json) -> set[tuple[str, str]]:
    """Return the (device, field) pairs that the plan says may move though nobody declares them."""
    named = {
        (warning["device"], path) for warning in plan["warnings"] for path in warning["fields"]
    }
    return named | {
        (change["device"], field["path"])
        for change in plan["changes"]
        for field in change["fields"]
    }


def _declared(device: Declared, after: Json, fleet: Fleet) -> Iterator[str]:
    registration, fields = after["registrations"][device.id], device.fields
    for name in ("isPrimary", "registrationEnabled"):
        if name in fields and registration[name] is not fields[name]:
            yield f"{device.id}: {name} is {registration[name]}"
    for key, value in fields.get("additionalData", {}).items():
        seen = registration["additionalData"].get(key)
        if value is None and key in registration["additionalData"]:
            yield f"{device.id}: {key} is still there"
        if value is not None and (seen is None or not same_value(seen, value)):
            yield f"{device.id}: {key} is {seen!r}, not {value!r}"
    if "owner" in fields:
        owner = after["people"].get(registration["owner"])
        if fields["owner"] is None:
            if owner is not None:
                yield f"{device.id}: somebody owns it"
        elif owner is None or not identity(fleet.people[fields["owner"]]) <= held(owner):
            yield f"{device.id}: does not belong to {fields['owner']}"


def _undeclared_fields(device: Declared, before: Json, after: Json, plan: Json) -> Iterator[str]:
    was, now = before["registrations"][device.id], after["registrations"][device.id]
    named = _named(plan)
    for name in ("owner", "isPrimary", "registrationEnabled"):
        if name not in device.fields and (device.id, name) not in named and was[name] != now[name]:
            yield f"{device.id}: undeclared {name} moved"
    declared = device.fields.get("additionalData", {})
    yield from _data(device.id, was, now, declared, named)


def _data(
    id_: str, was: Json, now: Json, declared: Json, named: set[tuple[str, str]]
) -> Iterator[str]:
    one, two = was["additionalData"], now["additionalData"]
    for key in sorted((one.keys() | two.keys()) - declared.keys()):
        if (id_, "additionalData") in named or (id_, _PREFIX + key) in named:
            continue
        if key not in one or key not in two or not same_value(one[key], two[key]):
            yield f"{id_}: undeclared key {key} moved"


def _undeclared_devices(before: Json, after: Json, fleet: Fleet, plan: Json) -> Iterator[str]:
    if before["registrations"].keys() != after["registrations"].keys():
        yield "registrations came or went"
    declared, named = {device.id for device in fleet.devices}, _named(plan)
    for id_ in sorted(before["registrations"].keys() - declared):
        was, now = before["registrations"][id_], after["registrations"][id_]
        for name in ("owner", "isPrimary", "registrationEnabled", "applicationId"):
            if was[name] != now[name] and (id_, name) not in named:
                yield f"{id_}: is not declared, and its {name} moved"
        yield from _data(id_, was, now, {}, named)


def _people(before: Json, after: Json, fleet: Fleet, plan: Json) -> Iterator[str]:
    declared = {
        device.owner: identity(fleet.people[device.owner])
        for device in fleet.devices
        if device.owner is not None
    }
    promoted = {
        warning["device"] for warning in plan["warnings"] if warning["code"] == "lead-promotion"
    }
    owned = {
        registration["owner"]: id_
        for id_, registration in after["registrations"].items()
        if id_ in promoted
    }
    for number, was in before["people"].items():
        now = after["people"].get(number)
        if now is None:
            yield f"person {number} is gone"
            continue
        mine = [name for name, values in declared.items() if values & held(now)]
        allowed = {value for name in mine for value in declared[name]}
        if not held(was) <= held(now) or not held(now) - held(was) <= allowed:
            yield f"person {number}: identities moved"
        sent = any("attributes" in fleet.people[name] for name in mine)
        if was["attributes"] != now["attributes"] and not sent:
            yield f"person {number}: attributes moved"
        if was["type"] != now["type"] and number not in owned:
            yield f"person {number}: was {was['type']}, is {now['type']}"
    for number in sorted(after["people"].keys() - before["people"].keys()):
        if held(after["people"][number]) not in declared.values():
            yield f"person {number} came from nowhere"
