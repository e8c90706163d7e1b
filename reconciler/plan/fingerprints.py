"""Digests by which apply knows a device again: its declaration, and what the plan saw of it."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.absent import ABSENT
from reconciler.core.device import DesiredDevice, Owner
from reconciler.core.digest import Digester
from reconciler.core.fields import (
    FIELDS,
    OWNER,
    LiveValue,
    declared_fields,
    field_order,
    field_values,
    live_value,
)
from reconciler.core.live import LivePerson, LiveRegistration


def declaration_digest(device: DesiredDevice, digester: Digester) -> str:
    """Digest everything a device declares that a call or the state can depend on.

    Labels and positions do not count: moving an entry changes nothing for the device. A person's
    pointer does, because it stands in the plan.
    """
    document: dict[str, object] = {
        "id": device.id,
        "application": device.application,
        "additionalData": dict(device.additional_data),
        "lifecycle": {
            "protect": device.lifecycle.protect,
            "ignore": sorted(device.lifecycle.ignore),
            "onRemove": device.lifecycle.on_remove,
        },
    }
    for field, value in zip(FIELDS, field_values(device), strict=True):
        if value is not ABSENT:
            document[field.path] = value
    if device.owner is not ABSENT:
        document["owner"] = None if device.owner is None else _owner(device.owner)
    return digester.of("declaration", document)


def _owner(owner: Owner) -> dict[str, object]:
    return {
        "pointer": owner.pointer,
        "identity": [[value.kind, value.reveal()] for value in owner.identity],
        "attributes": None if owner.attributes is None else dict(owner.attributes.reveal()),
        "keepAsLead": owner.keep_as_lead,
    }


def observed_paths(device: DesiredDevice | None, changed: Iterable[str]) -> tuple[str, ...]:
    """Return the fields whose live value the plan of a device rests on, sorted.

    These are the declared ones and the changed ones; the owner only when it changes (an update
    does not read it), and a declared field under `lifecycle.ignore` only when it is set now.
    """
    paths = set(changed)
    if device is not None:
        paths |= declared_fields(device).keys() - device.lifecycle.ignore
    return tuple(sorted(paths, key=field_order))


def observed_value(path: str, registration: LiveRegistration) -> LiveValue | None:
    """Return the live value of a field other than the owner; None where none is known."""
    value = live_value(path, registration)
    return None if value is ABSENT else value


def observed_digest(
    paths: Iterable[str],
    registration: LiveRegistration,
    owner: LivePerson | None,
    digester: Digester,
) -> str:
    """Digest the live values of some fields (of `observed_paths`); an anonymous owner is nobody."""
    seen: dict[str, object] = {}
    for path in paths:
        if path == OWNER:
            seen[path] = owner.number if owner is not None and owner.is_somebody else None
        else:
            seen[path] = observed_value(path, registration)
    return digester.of("before", [registration.id, seen])
