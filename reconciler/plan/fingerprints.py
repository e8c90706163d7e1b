"""What a plan saw of a device, as a digest that apply compares with what it reads itself."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.absent import ABSENT
from reconciler.core.device import DesiredDevice
from reconciler.core.digest import Digester
from reconciler.core.fields import OWNER, Scalar, declared_fields, field_order, live_value
from reconciler.core.live import LivePerson, LiveRegistration


def observed_paths(device: DesiredDevice | None, changed: Iterable[str]) -> tuple[str, ...]:
    """Return the fields whose live value the plan of a device rests on, sorted.

    These are the declared ones and the changed ones; the owner only when it changes (an update
    does not read it), and a declared field under `lifecycle.ignore` only when it is set now.
    """
    paths = set(changed)
    if device is not None:
        paths |= declared_fields(device).keys() - device.lifecycle.ignore
    return tuple(sorted(paths, key=field_order))


def observed_value(path: str, registration: LiveRegistration) -> Scalar | None:
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
            seen[path] = owner.number if owner is not None and owner.identities else None
        else:
            seen[path] = observed_value(path, registration)
    return digester.of("before", [registration.id, seen])
