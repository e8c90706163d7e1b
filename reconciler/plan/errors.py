"""What is withheld from a plan, device by device, and why. The rest is planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from reconciler.core.codes import (
    IDENTITY_CONFLICT,
    PROTECTED,
    TWO_LIVE_PRIMARIES,
    WEB_WITHOUT_PRIMARY,
    WRONG_APPLICATION,
)
from reconciler.core.device import Desired, DesiredDevice
from reconciler.core.diagnostics import Code
from reconciler.core.fields import IS_PRIMARY
from reconciler.core.live import Live, LiveRegistration
from reconciler.core.protection import of_declared, protecting
from reconciler.core.safety import ProtectRule, Safety
from reconciler.core.source import Source
from reconciler.core.suggestion import joined
from reconciler.diff.changes import Diff
from reconciler.diff.device import DeviceDiff
from reconciler.diff.ownership import Complete, somebody
from reconciler.diff.removed import Leave, Leaving
from reconciler.platform.assumptions import PROMOTE, primary_scope

from .device_plan import DevicePlan, person_key
from .model import PlanError

_NARROW: Final = (
    "If it is meant, narrow that rule of the project file in a reviewed change, apply, put it back."
)


_FIX_ACROSS: Final = (
    f"{TWO_LIVE_PRIMARIES.fix} Or, if you know that your account keeps one for each application, "
    f"pin it: api.assume.{PROMOTE.name}."
)


def plan_error(
    code: Code,
    message: str,
    devices: Iterable[str],
    source: object = None,
    detail: tuple[str, ...] = (),
) -> PlanError:
    """Return an error of the plan, with the fix that its code gives."""
    place = None if source is None else str(source)
    return PlanError(code.id, code.slug, message, tuple(devices), place, detail, code.fix)


def device_errors(diff: Diff, safety: Safety) -> list[PlanError]:
    """Return the errors that one device has by itself: wrong application, a flag that browsers have
    not, conflict, protected."""
    errors = [_wrong(device, application) for device, application in diff.wrong]
    errors.extend(map(_web_primary, diff.web_primaries))
    for difference in diff.differing:
        errors.extend(_difference_errors(difference, safety))
    errors.extend(
        _protected_leaving(leaving) for leaving in diff.leaving if leaving.how is Leave.PROTECTED
    )
    return errors


def _wrong(device: DesiredDevice, application: str) -> PlanError:
    message = (
        f"{device.id} is declared for application {device.application}, "
        f"but it is a registration of {application}"
    )
    return plan_error(WRONG_APPLICATION, message, [device.id], device.source)


def _web_primary(device: DesiredDevice) -> PlanError:
    message = f"{device.id} is a browser, which has no {IS_PRIMARY}, and declares it"
    return plan_error(WEB_WITHOUT_PRIMARY, message, [device.id], device.source)


def _difference_errors(difference: DeviceDiff, safety: Safety) -> Iterable[PlanError]:
    device, owner = difference.device, difference.owner
    if owner is None:
        return
    if owner.conflict is not None and owner.after is not None:
        yield plan_error(
            IDENTITY_CONFLICT,
            f"{device.id}: owner {owner.after.pointer} cannot be one person: "
            f"{owner.conflict.reason}",
            [device.id],
            device.source,
            tuple(f"person {number}" for number in owner.conflict.people),
        )
    if isinstance(owner.how, Complete) or not owner.before:
        return
    rule = protecting(safety, of_declared(device, difference.registration))
    if device.lifecycle.protect or rule is not None:
        verb = "detach" if owner.after is None else "change the owner of"
        message = f"{device.id} is protected: this would {verb} it"
        by = None if device.lifecycle.protect else rule
        yield _protected(message, device.id, device.source, by)


def _protected_leaving(leaving: Leaving) -> PlanError:
    message = f"{leaving.recorded.id} is protected, but it left the files"
    return _protected(message, leaving.recorded.id, leaving.source, leaving.rule)


def _protected(
    message: str, device: str, source: Source | None, rule: ProtectRule | None
) -> PlanError:
    if rule is None:
        return plan_error(PROTECTED, message, [device], source)
    error = plan_error(
        PROTECTED, message, [device], source, (f"by the rule of safety.protect at {rule.source}",)
    )
    return msgspec.structs.replace(error, fix=_NARROW)


def two_primaries(
    desired: Desired, live: Live, works: Iterable[DevicePlan], pinned: Mapping[str, str]
) -> list[PlanError]:
    """Return an error for each live person to whom calls would bring a second declared primary.

    Counted after the plan, among all devices whose owner is known: of all applications, unless a
    pinned reading keeps them apart. Two that both have the flag already, and that no call touches,
    do not take it from each other.
    """
    works = tuple(works)
    called = {work.change.device for work in works if work.moves or work.flag is not None}
    if not called:
        return []
    final = _final_owners(live, works)
    _add_siblings(final, desired, live)
    browsers = _browsers(live)
    held: dict[tuple[str, str], list[DesiredDevice]] = {}
    for id_, owner in sorted(final.items()):
        device = desired.devices.get(id_)
        if device is None or owner is None or device.is_primary is not True:
            continue
        if id_ in browsers:
            continue
        if IS_PRIMARY not in device.lifecycle.ignore:
            scope = primary_scope(pinned, device.application)
            held.setdefault((owner, scope), []).append(device)
    return [
        _two(devices, may_pin=PROMOTE.name not in pinned)
        for _, devices in sorted(held.items())
        if len(devices) > 1 and any(device.id in called for device in devices)
    ]


def _browsers(live: Live) -> frozenset[str]:
    """Return the registrations of browsers: what they declare of isPrimary can be nobody's flag."""
    people = (person for person in (*live.owners.values(), *live.people.values()) if person)
    entries = (entry for person in people for entry in person.registrations)
    read = (one for one in live.registrations.values() if isinstance(one, LiveRegistration))
    return frozenset(one.id for one in (*entries, *read) if one.is_web)


def _final_owners(live: Live, works: Iterable[DevicePlan]) -> dict[str, str | None]:
    final: dict[str, str | None] = {}
    for device, owner in live.owners.items():
        person = somebody(owner)
        final[device] = None if person is None else person_key(person)
    for work in works:
        if work.moves:
            final[work.change.device] = work.owner_key
    return final


def _add_siblings(final: dict[str, str | None], desired: Desired, live: Live) -> None:
    """Add the declared devices whose owner shows only on the person, and whom nobody moves."""
    people = {
        person.number: person
        for person in (*live.owners.values(), *live.people.values())
        if person is not None and person.is_whole and somebody(person) is not None
    }
    for person in people.values():
        for sibling in person.registrations:
            if sibling.id in desired.devices:
                final.setdefault(sibling.id, person_key(person))


def _two(devices: list[DesiredDevice], *, may_pin: bool) -> PlanError:
    first, *rest = devices
    message = (
        f"{joined([device.id for device in devices])} are declared primary, "
        "and belong to one person"
    )
    places = tuple(f"{device.id} at {device.source}" for device in rest)
    error = plan_error(
        TWO_LIVE_PRIMARIES, message, [device.id for device in devices], first.source, places
    )
    if not may_pin or len({device.application for device in devices}) == 1:
        return error
    return msgspec.structs.replace(error, fix=_FIX_ACROSS)


def withheld_devices(errors: Iterable[PlanError]) -> Mapping[str, PlanError]:
    """Return the devices that errors name, each with its first error."""
    named: dict[str, PlanError] = {}
    for error in errors:
        for device in error.devices:
            named.setdefault(device, error)
    return named
