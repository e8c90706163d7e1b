"""The calls of one device, from its declaration and its change: at most one of each kind.

Apply rebuilds them the same way, so a plan file cannot make it send anything else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reconciler.core.device import DesiredDevice, Owner
from reconciler.core.fields import OWNER, data_key, declared_fields, update_body
from reconciler.platform.assumptions import ADDITIONAL_DATA_PATCH
from reconciler.platform.operations import Operation, registration_path

from .model import INCOMPLETE, NOBODY, Action, Change, Plan, PlannedCall


def call_id(operation: Operation, device: str) -> str:
    """Return the id of a call; there is at most one of a kind for a device."""
    return f"{operation.value}/{device}"


def is_forced(change: Change) -> bool:
    """Whether the owner moves from one person to another: only then it is taken by force."""
    owner = next(field for field in change.fields if field.path == OWNER)
    return owner.before != NOBODY and owner.before != f"{owner.after}{INCOMPLETE}"


def calls_of(
    device: DesiredDevice | None,
    change: Change,
    pinned: Mapping[str, str],
    kept_fields: Collection[str] = frozenset(),
) -> tuple[PlannedCall, ...]:
    """Return the calls that a change of a device consists of, in their order, without edges.

    `device` is None for one that left the files. `pinned` is `api.assume`: who knows that PATCH
    merges additionalData sends only the keys that change; everybody else sends all declared keys
    and carries the undeclared ones, which is right under every reading. `kept_fields` are those
    whose drift is reported and left: no call may set them, so they are carried like undeclared
    ones.
    """
    calls: list[PlannedCall] = []
    if Action.DEPERSONALIZE in change.actions:
        calls.append(_call(Operation.DEPERSONALIZE, "POST", change.device, "/depersonalize"))
    if Action.PERSONALIZE in change.actions and device is not None:
        calls.append(_personalize(device, change))
    if Action.UPDATE in change.actions and device is not None:
        calls.append(_update(device, change, pinned, kept_fields))
    return tuple(calls)


def _call(
    operation: Operation,
    method: str,
    device: str,
    suffix: str = "",
    query: dict[str, str] | None = None,
    body: dict[str, object] | None = None,
    carry: bool = False,
) -> PlannedCall:
    return PlannedCall(
        id=call_id(operation, device),
        operation=operation.value,
        device=device,
        method=method,
        path=registration_path(device) + suffix,
        query=query or {},
        body=body,
        carry_undeclared=carry,
    )


def _personalize(device: DesiredDevice, change: Change) -> PlannedCall:
    owner = device.owner
    if not isinstance(owner, Owner):
        raise ValueError(f"{device.id} is to be personalized but declares no owner")
    query: dict[str, str] = {}
    if is_forced(change):
        query["forceDepersonalize"] = "true"
    if owner.keep_as_lead is not None:
        query["keepAsLead"] = "true" if owner.keep_as_lead else "false"
    body: dict[str, object] = {"identity": {"$person": owner.pointer}}
    if owner.attributes is not None:
        body["attributes"] = {"$person": owner.pointer}
    return _call(Operation.PERSONALIZE, "POST", device.id, "/personalize", query, body)


def left_alone(plan: Plan) -> dict[str, frozenset[str]]:
    """Return the fields of each device whose drift a plan reports and leaves."""
    return {drift.device: frozenset(field.path for field in drift.fields) for drift in plan.drift}


def patchable_paths(
    device: DesiredDevice, kept_fields: Collection[str] = frozenset()
) -> frozenset[str]:
    """Return the declared fields that an update may set: not those ignored, or kept as drifted."""
    return frozenset(
        declared_fields(device).keys() - device.lifecycle.ignore - frozenset(kept_fields)
    )


def _update(
    device: DesiredDevice,
    change: Change,
    pinned: Mapping[str, str],
    kept_fields: Collection[str],
) -> PlannedCall:
    """Build the update: what changes; after an ownership call everything that is declared."""
    moved = Action.PERSONALIZE in change.actions or Action.DEPERSONALIZE in change.actions
    changed = {field.path for field in change.fields} - {OWNER}
    declared, settable = declared_fields(device), patchable_paths(device, kept_fields)
    send = changed | settable if moved else set(changed)
    merges = pinned.get(ADDITIONAL_DATA_PATCH.name) == "merge"
    touches_data = any(data_key(path) is not None for path in send)
    if touches_data and not merges:
        send |= {
            path for path in settable if data_key(path) is not None and declared[path] is not None
        }
    # A key that left the files is not declared: its None removes it.
    body = update_body({path: declared.get(path) for path in send})
    carry = touches_data and not merges
    return _call(Operation.UPDATE, "PATCH", device.id, body=body, carry=carry)
