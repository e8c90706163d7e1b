"""The state as the content of its document, and back: small, and the same bytes for equal states.

Devices whose entries look alike stand in one group, column by column: their ids, and for each field
their digests. Hexadecimal digests side by side compress to little more than their bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

import msgspec

from reconciler.core.device import OnRemove
from reconciler.core.record import Record, RecordedDevice
from reconciler.core.secret import Secret

from .encryption import NO_KEYS, Keys
from .envelope import Sealed, damaged, open_envelope, seal
from .store import Part

_Shape = tuple[str, tuple[str, ...], str, bool, str]


class _Group(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """`digests` has a list for each field; where a field has several, they are joined by spaces."""

    application: str
    fields: list[str]
    on_remove: str | None
    protect: bool
    ids: list[str]
    digests: list[list[str]]
    model: str | None = None


class _Content(msgspec.Struct, frozen=True, rename="camel"):
    key: str
    applications: dict[str, str]
    groups: list[_Group]


def encode(record: Record, keys: Keys = NO_KEYS) -> bytes:
    """Return the document of a state."""
    members: dict[_Shape, list[RecordedDevice]] = {}
    for device in record.devices.values():
        shape = (
            device.application,
            tuple(sorted(device.fields)),
            device.on_remove or "",
            device.protect,
            device.model or "",
        )
        members.setdefault(shape, []).append(device)
    groups = []
    for shape in sorted(members):
        application, fields, on_remove, protect, model = shape
        devices = sorted(members[shape], key=lambda device: device.id)
        columns = [[" ".join(device.fields[field]) for device in devices] for field in fields]
        ids = [device.id for device in devices]
        groups.append(
            _Group(
                application,
                list(fields),
                on_remove or None,
                protect,
                ids,
                columns,
                model or None,
            )
        )
    key = base64.b64encode(record.key.reveal()).decode()
    content = _Content(key, dict(sorted(record.application_ids.items())), groups)
    return seal(Part.RECORD, record.lineage, record.serial, msgspec.json.encode(content), keys)


def decode(document: bytes, where: str, keys: Keys = NO_KEYS, *, plain: bool = False) -> Record:
    """Return the state of a document; raises StateError, as open_envelope does."""
    return record_of(open_envelope(document, Part.RECORD, where, keys, plain=plain), where)


def record_of(sealed: Sealed, where: str) -> Record:
    """Return the state in an opened document; raises StateError."""
    try:
        content = msgspec.json.decode(sealed.content, type=_Content)
        key = base64.b64decode(content.key, validate=True)
        if len(key) != 32 or not sealed.lineage:
            raise ValueError("its lineage or its key is not one")
        entries = sorted(_entries(content.groups), key=lambda device: device.id)
    except (msgspec.MsgspecError, ValueError) as error:
        raise damaged(where, str(error)) from None
    devices = {device.id: device for device in entries}
    if len(devices) != len(entries):
        raise damaged(where, "a device stands in it twice")
    return Record(sealed.lineage, sealed.serial, Secret(key), devices, dict(content.applications))


def _entries(groups: list[_Group]) -> Iterator[RecordedDevice]:
    # Fleets repeat their values: one tuple serves all who have the same.
    known: dict[str, tuple[str, ...]] = {}

    def digests(text: str) -> tuple[str, ...]:
        entry = known.get(text)
        if entry is None:
            entry = known[text] = tuple(text.split())
        return entry

    for group in groups:
        if len(group.digests) != len(group.fields):
            raise ValueError("its columns are not those of its fields")
        on_remove = None if group.on_remove is None else OnRemove(group.on_remove)
        columns = [[digests(text) for text in column] for column in group.digests]
        rows = zip(*columns, strict=True) if columns else ((),) * len(group.ids)
        for id_, row in zip(group.ids, rows, strict=True):
            fields = dict(zip(group.fields, row, strict=True))
            yield RecordedDevice(
                id_, group.application, fields, on_remove, group.protect, group.model
            )
