"""The state: what we applied, per registration. Values stand in it as digests only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from .absent import ABSENT
from .device import DesiredDevice, OnRemove, Owner
from .digest import Digester
from .fields import OWNER, LiveValue, declared_fields
from .identity import IdentityValue
from .secret import Secret


class RecordedDevice(msgspec.Struct, frozen=True, eq=False):
    """What we applied to one registration.

    `fields` maps a field path (core.fields) to the digests of the applied value: one digest, or
    for `owner` one per identity value (none: nobody). A key of additionalData that the service
    stored in another form than it was sent has two: of what was sent, and of what was stored.

    `model` is what the device was, to know it again when the app is installed anew; it was not
    applied, so it makes no two entries differ.
    """

    id: str
    application: str
    fields: Mapping[str, tuple[str, ...]]
    on_remove: OnRemove | None = None
    protect: bool = False
    model: str | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RecordedDevice):
            return NotImplemented
        return (
            self.fields == other.fields
            and self.id == other.id
            and self.application == other.application
            and self.on_remove == other.on_remove
            and self.protect == other.protect
        )

    # Struct brings one that compares every field.
    __ne__ = object.__ne__


@dataclass(frozen=True, slots=True)
class Record:
    """A whole state. `lineage` and `key` are made together; `serial` grows with every write.

    `application_ids` remembers the service's application id of each application's code.
    """

    lineage: str
    serial: int
    key: Secret[bytes]
    devices: Mapping[str, RecordedDevice] = field(default_factory=dict)
    application_ids: Mapping[str, str] = field(default_factory=dict)


def identity_digests(values: Iterable[IdentityValue], digester: Digester) -> tuple[str, ...]:
    """Digest each identity value by itself, sorted; nobody has none."""
    return tuple(sorted([digester.of(OWNER, [value.kind, value.reveal()]) for value in values]))


def value_digest(path: str, value: LiveValue | None, digester: Digester) -> tuple[str, ...]:
    """Digest the value of a field other than the owner; None is "the key shall be gone"."""
    return (digester.of(path, value),)


def is_sent(digests: tuple[str, ...] | None, wanted: tuple[str, ...]) -> bool:
    """Whether a declared value is the one that was applied; `wanted` is its digest."""
    return digests is not None and digests[:1] == wanted


def is_stored(digests: tuple[str, ...], live: tuple[str, ...]) -> bool:
    """Whether a live value is the one that was applied, as it was sent or in the form that the
    service gave it; `live` is its digest."""
    return live[0] in digests


def owner_digests(owner: Owner | None, digester: Digester) -> tuple[str, ...]:
    """Digest a declared owner as its entry in a state."""
    return () if owner is None else identity_digests(owner.identity, digester)


def record_entry(
    device: DesiredDevice, digester: Digester, before: RecordedDevice | None = None
) -> RecordedDevice:
    """Return what the state says of a device once it is as declared.

    The form in which the service stores a value is kept from the entry `before` for as long as the
    value is the same.
    """
    fields: dict[str, tuple[str, ...]] = {}
    if device.owner is not ABSENT:
        fields[OWNER] = owner_digests(device.owner, digester)
    for path, value in declared_fields(device).items():
        digests = value_digest(path, value, digester)
        known = None if before is None else before.fields.get(path)
        fields[path] = known if known is not None and is_sent(known, digests) else digests
    lifecycle = device.lifecycle
    return RecordedDevice(
        device.id, device.application, fields, lifecycle.on_remove, lifecycle.protect
    )
