"""The record: what we applied, per registration. Values stand in it as digests only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .device import OnRemove
from .hidden import Hidden


@dataclass(frozen=True, slots=True)
class RecordedDevice:
    """What we applied to one registration.

    `fields` maps a field path (core.fields) to the digests of the applied value: one digest, or
    for `owner` one per identity value (none: nobody).
    """

    id: str
    application: str
    fields: Mapping[str, tuple[str, ...]]
    on_remove: OnRemove | None = None
    protect: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A whole record. `lineage` and `key` are made together; `serial` grows with every write.

    `application_ids` remembers the service's application id of each application's code.
    """

    lineage: str
    serial: int
    key: Hidden[bytes]
    devices: Mapping[str, RecordedDevice] = field(default_factory=dict)
    application_ids: Mapping[str, str] = field(default_factory=dict)
