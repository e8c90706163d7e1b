"""The semantics of the service, once: a world and a call give the world after it and the answer.

The sandbox serves it and the proof of a plan replays it. A reading is asked for only where the
outcome depends on it, so that a proof can explore exactly the readings that matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from struct import pack, unpack
from typing import Final

from msgspec.structs import replace

from .answers import (
    APP_CODE_MISSING,
    APPLICATION_NOT_FOUND,
    BAD_REQUEST,
    REGISTRATION_NOT_FOUND,
    Refused,
    push_error,
    registration_json,
)
from .applications import answer_applications, count_registrations
from .assumptions import ADDITIONAL_DATA_PATCH, NORMALISES, Readings
from .lookups import answer_persons
from .matching import answer_match
from .operations import Call, Operation, Response, registration_of
from .ownership import depersonalize, personalize, promote
from .requests import Update, read_personalization, read_update
from .world import FIRST_MOMENT, Registration, World

_LARGEST_FLOAT32: Final = 3.4e38
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def step(
    world: World, call: Call, readings: Readings, now: str = FIRST_MOMENT
) -> tuple[World, Response]:
    """Answer one call. `now` (`YYYY-MM-DDTHH:MM:SS`) is what a new or changed person is dated.

    A refused call leaves the world as it was: the very same object. A read does so always.
    """
    try:
        return _step(world, call, readings, now)
    except Refused as refused:
        return world, refused.response


def _step(world: World, call: Call, readings: Readings, now: str) -> tuple[World, Response]:
    if call.operation is Operation.PERSONS:
        return world, answer_persons(world, call.query, readings)
    if call.operation is Operation.APPLICATIONS:
        return world, answer_applications(world, call.path, count_registrations(world))
    if call.operation is Operation.MATCH:
        return world, answer_match(world, call.body, readings)
    registration = addressed_registration(world, call)
    match call.operation:
        case Operation.GET:
            return world, Response(200, registration_json(registration))
        case Operation.UPDATE:
            after = _apply_update(
                world, registration, read_update(call.body, registration), readings
            )
            return after, Response(200, registration_json(after.registrations[registration.id]))
        case Operation.PERSONALIZE:
            wanted = read_personalization(call.body, call.query)
            return personalize(world, registration, wanted, readings, now)
        case Operation.DEPERSONALIZE:
            return depersonalize(world, registration, readings, now), Response(200)


def addressed_registration(world: World, call: Call) -> Registration:
    """Return the registration that a push call is about; Refused if the service finds none."""
    if not call.app_code:
        raise Refused(push_error(APP_CODE_MISSING, "Application code missing"))
    application_id = world.applications.get(call.app_code)
    if application_id is None:
        raise Refused(push_error(APPLICATION_NOT_FOUND, "Push application not found"))
    registration = world.registrations.get(registration_of(call))
    if registration is None or registration.application_id != application_id:
        raise Refused(push_error(REGISTRATION_NOT_FOUND, "Push registration not found"))
    return registration


def _apply_update(
    world: World, registration: Registration, sent: Update, readings: Readings
) -> World:
    if registration.is_web and "is_primary" in sent.fields:
        raise Refused(push_error(BAD_REQUEST, "A web registration has no isPrimary"))
    stores = readings(NORMALISES)
    if stores == "ignore":
        return world
    changed = replace(registration, **sent.fields)
    if sent.additional_data is not None:
        stored = {name: normalised(value, stores) for name, value in sent.additional_data.items()}
        data = _patch_additional_data(registration.additional_data, stored, readings)
        changed = replace(changed, additional_data=data)
    after = world.with_registration(changed)
    return promote(after, changed, readings) if sent.fields.get("is_primary") else after


def normalised(value: object, reading: str) -> object:
    """Return a value of additionalData as a reading of NORMALISES stores it."""
    match reading, value:
        case "date-time", str() if _DATE.fullmatch(value):
            return f"{value}T00:00:00Z"
        case "text", bool():
            return "true" if value else "false"
        case "text", int() | float():
            return str(value)
        case "trim", str():
            return value.strip()
        case "case", str():
            return value.lower()
        case "float32", float() if abs(value) < _LARGEST_FLOAT32:
            (stored,) = unpack("f", pack("f", value))
            return float(stored)
        case _:
            return value


def _patch_additional_data(
    held: Mapping[str, object], sent: Mapping[str, object], readings: Readings
) -> Mapping[str, object]:
    replaced = {name: value for name, value in sent.items() if value is not None}
    merged = {name: value for name, value in held.items() if name not in sent} | replaced
    if merged == replaced:
        return replaced
    return merged if readings(ADDITIONAL_DATA_PATCH) == "merge" else replaced
