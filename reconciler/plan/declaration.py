"""The digest of one device's resolved declaration: equal exactly when the files say the same."""

from __future__ import annotations

from reconciler.core.absent import ABSENT
from reconciler.core.device import DesiredDevice, Owner
from reconciler.core.digest import Digester
from reconciler.core.fields import FIELDS, field_values


def declaration_digest(device: DesiredDevice, digester: Digester) -> str:
    """Digest everything a device declares that a call or the record can depend on.

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
