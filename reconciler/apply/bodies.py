"""From a planned call to the body that is sent. Pure.

People stand in a plan as `{"$person": pointer}`; who that is comes from the manifests here, hidden
until the moment of sending. The undeclared keys to carry come from the read right before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.absent import ABSENT
from reconciler.core.device import Attributes, Owner
from reconciler.core.fields import ADDITIONAL_DATA
from reconciler.core.live import LiveRegistration
from reconciler.core.secret import Secret
from reconciler.plan.model import PlannedCall
from reconciler.plan.privacy import is_hidden

Body = Secret[dict[str, object]]


def update_body(call: PlannedCall, registration: LiveRegistration) -> dict[str, object]:
    """Return the body of an update, with the live keys that it must not drop.

    Under the reading that PATCH replaces the whole object, a key left out would be gone.
    """
    body = dict(call.body or {})
    sent = body.get(ADDITIONAL_DATA)
    if isinstance(sent, dict) and any(map(is_hidden, sent.values())):
        raise ValueError(f"{call.id}: the declaration has no such hidden value")
    if (
        call.carry_undeclared
        and isinstance(sent, dict)
        and registration.additional_data is not ABSENT
    ):
        carried = {k: v for k, v in registration.additional_data.items() if k not in sent}
        body[ADDITIONAL_DATA] = {**carried, **sent}
    return body


def personalize_body(call: PlannedCall, owner: Owner) -> Body:
    """Return the body of a personalize, with each `$person` replaced by the declared owner."""
    body: dict[str, object] = {}
    for part in call.body or {}:
        match part:
            case "identity":
                body[part] = {value.kind.value: value.reveal() for value in owner.identity}
            case "attributes" if owner.attributes is not None:
                body[part] = _attributes(owner.attributes)
            case _:
                raise ValueError(f"{call.id}: the declaration has no {part}")
    return Secret(body)


def _attributes(attributes: Attributes) -> dict[str, object]:
    return {
        # Declared as a date; this operation alone wants a date-time.
        name: f"{value}T00:00:00Z" if name == "birthday" and value is not None else _plain(value)
        for name, value in attributes.reveal().items()
    }


def _plain(value: object) -> object:
    """Return a JSON value made of dicts and lists only, as encoders want them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
