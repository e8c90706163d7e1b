"""A file of the service's webhook bodies, and which devices of the state it is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from reconciler.api.webhooks import decode_events
from reconciler.core.digest import Digester
from reconciler.core.fields import OWNER
from reconciler.core.record import RecordedDevice, identity_digests
from reconciler.core.service_event import ServiceEvent, ServiceEvents
from reconciler.manifest.result import Unreadable

from .errors import InvalidDocument, UnreadableFile
from .files import read_file


def read_service_events(file: Path) -> ServiceEvents:
    """Read a file of events. Raises UnreadableFile; InvalidDocument where no line is an event."""
    data = read_file(file)
    if isinstance(data, Unreadable):
        raise UnreadableFile(f"{file} cannot be read: {data.reason}.")
    found = decode_events(data)
    if found.unreadable and not found.events and not found.others:
        raise InvalidDocument(
            f"{file}: no line of it is an event of the service.",
            "It takes the bodies of webhooks (MOBILE_APP_INSTALL and the like), one JSON object a "
            "line.",
        )
    return found


def events_by_device(
    found: ServiceEvents, devices: Collection[RecordedDevice], digester: Digester
) -> Mapping[str, tuple[ServiceEvent, ...]]:
    """Return the events of each device that they name, or whose applied owner was merged."""
    known = {device.id for device in devices}
    by_owner: dict[str, list[str]] = {}
    for device in devices:
        for digest in device.fields.get(OWNER, ()):
            by_owner.setdefault(digest, []).append(device.id)
    named: dict[str, list[ServiceEvent]] = {}
    for event in found.events:
        ids = dict.fromkeys(
            id_
            for digest in identity_digests(event.identities, digester)
            for id_ in by_owner.get(digest, ())
        )
        if event.registration in known:
            ids[event.registration or ""] = None
        for id_ in ids:
            named.setdefault(id_, []).append(event)
    return {id_: tuple(events) for id_, events in named.items()}
