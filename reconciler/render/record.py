"""Entries of the state as text and JSON. Values are digests there, and are not shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from reconciler.core.counting import counted
from reconciler.core.record import Record, RecordedDevice

from .escape import name


def entries_text(devices: Sequence[RecordedDevice]) -> str:
    """Return a line for each device: id, application, fields."""
    width = max((len(name(device.id)) for device in devices), default=0)
    return "\n".join(
        f"{name(device.id):{width}}  {name(device.application)}  "
        f"{', '.join(name(path) for path in device.fields) or '-'}".rstrip()
        for device in devices
    )


def entries_json(record: Record, devices: Sequence[RecordedDevice]) -> str:
    """Return the lineage and serial of the state, and these devices."""
    return _text(
        {
            "lineage": record.lineage,
            "serial": record.serial,
            "devices": [_plain(device) for device in devices],
        }
    )


def entry_text(device: RecordedDevice) -> str:
    """Return one entry, a line for each thing it says."""
    lines = [
        f"{name(device.id)}",
        f"  application  {name(device.application)}",
        f"  onRemove     {device.on_remove or 'as the project says'}",
        f"  protect      {'true' if device.protect else 'false'}",
        "  applied      " + ("nothing" if not device.fields else ""),
        *(f"    {name(path)}{_people(path, digests)}" for path, digests in _items(device)),
    ]
    return "\n".join(line.rstrip() for line in lines)


def entry_json(device: RecordedDevice) -> str:
    """Return one entry as JSON."""
    return _text(_plain(device))


def _items(device: RecordedDevice) -> list[tuple[str, tuple[str, ...]]]:
    return sorted(device.fields.items())


def _people(path: str, digests: tuple[str, ...]) -> str:
    if path != "owner":
        return ""
    count = len(digests)
    return " (nobody)" if not count else f" ({counted(count, 'identity value')})"


def _plain(device: RecordedDevice) -> dict[str, Any]:
    return {
        "id": device.id,
        "application": device.application,
        "fields": sorted(device.fields),
        "onRemove": device.on_remove,
        "protect": device.protect,
    }


def _text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
