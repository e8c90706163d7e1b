"""Stage 3, what moved since the last apply: for everything that the record holds, field by field.

The record knows digests of what we applied. A live value with another digest was moved by others, a
declared one by the files; so who moved is known even where the applied value itself is not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, DesiredDevice, Owner
from reconciler.core.digest import Digester
from reconciler.core.fields import (
    IS_PRIMARY,
    OWNER,
    REGISTRATION_ENABLED,
    Scalar,
    data_key,
    data_path,
    field_order,
)
from reconciler.core.live import Gone, Live, LivePerson, LiveRegistration, Needs, WrongApplication
from reconciler.core.project import Project
from reconciler.core.record import (
    Record,
    RecordedDevice,
    identity_digests,
    owner_digests,
    value_digest,
)

from .ownership import somebody


class Side(StrEnum):
    """Who moved a field since it was applied."""

    SERVICE = "service"
    FILES = "files"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class FieldMove:
    """One field that moved, other than the owner. None: no value, or none that may be shown.

    `applied` is known where the files or the service still say it, and of flags. Not `shown`: no
    file declares this key any more, so that its values are nobody's to show.
    """

    path: str
    side: Side
    applied: Scalar | None
    live: Scalar | None
    declared: Scalar | None
    shown: bool = True


@dataclass(frozen=True, slots=True)
class OwnerMove:
    """The owner moved. `declared` is None for nobody, ABSENT where the files leave it open now."""

    side: Side
    live: LivePerson | None
    declared: Owner | object | None


@dataclass(frozen=True, slots=True)
class DeviceMoves:
    """A recorded device: as it was found, and what moved. `device` is None when it left the files;
    `elsewhere` names the application in which it is found instead of its own."""

    recorded: RecordedDevice
    device: DesiredDevice | None
    is_gone: bool = False
    elsewhere: str | None = None
    owner: OwnerMove | None = None
    fields: tuple[FieldMove, ...] = ()

    @property
    def sides(self) -> frozenset[Side]:
        found = {move.side for move in self.fields}
        if self.owner is not None:
            found.add(self.owner.side)
        return frozenset(found)

    @property
    def only_files(self) -> bool:
        """Whether the files moved, or no longer name it, and nobody else touched it."""
        return not self.drifted and (self.device is None or bool(self.sides))

    @property
    def drifted(self) -> bool:
        """Whether others moved anything of it."""
        here = self.is_gone or self.elsewhere is not None
        return here or bool(self.sides & {Side.SERVICE, Side.BOTH})


def recorded_in(
    record: Record, project: Project, applications: Collection[str] | None = None
) -> list[RecordedDevice]:
    """Return the recorded devices by id, of some applications (None: of all the project has)."""
    return [
        record.devices[id_]
        for id_ in sorted(record.devices)
        if record.devices[id_].application in project.applications
        and (applications is None or record.devices[id_].application in applications)
    ]


def unread(devices: Collection[RecordedDevice], live: Live) -> Needs:
    """Return what must still be read: each registration, and the owner where one was applied."""
    registrations = {
        device.id: device.application for device in devices if device.id not in live.registrations
    }
    owners = tuple(
        device.id
        for device in devices
        if OWNER in device.fields
        and device.id not in live.owners
        and not isinstance(live.registrations.get(device.id), (Gone, WrongApplication))
    )
    return Needs(registrations, owners)


def moves(
    devices: Collection[RecordedDevice], desired: Desired, record: Record, live: Live
) -> list[DeviceMoves]:
    """Return every recorded device with what moved of it. `unread` must have nothing left."""
    digester = Digester(record.key)
    return [_moves(device, desired.devices.get(device.id), live, digester) for device in devices]


def _moves(
    recorded: RecordedDevice, device: DesiredDevice | None, live: Live, digester: Digester
) -> DeviceMoves:
    match live.registrations[recorded.id]:
        case Gone():
            return DeviceMoves(recorded, device, is_gone=True)
        case WrongApplication(application):
            return DeviceMoves(recorded, device, elsewhere=application)
        case LiveRegistration() as registration:
            owner = _owner_move(recorded, device, live.owners.get(recorded.id), digester)
            fields = tuple(_field_moves(recorded, device, registration, digester))
            return DeviceMoves(recorded, device, owner=owner, fields=fields)


def _owner_move(
    recorded: RecordedDevice,
    device: DesiredDevice | None,
    found: LivePerson | None,
    digester: Digester,
) -> OwnerMove | None:
    applied = recorded.fields.get(OWNER)
    ignored = device is not None and OWNER in device.lifecycle.ignore
    if applied is None or ignored:
        # What was never applied cannot have moved since.
        return None
    person = somebody(found)
    held = () if person is None else identity_digests(person.identities, digester)
    by_service = not set(applied) <= set(held) if applied else person is not None
    declared: Owner | object | None = ABSENT if device is None else device.owner
    by_files = False
    if device is not None:
        owner = device.owner
        by_files = not isinstance(owner, Owner | None) or (
            owner_digests(owner, digester) != applied
        )
    side = _side(by_service, by_files)
    return None if side is None else OwnerMove(side, person, declared)


def _field_moves(
    recorded: RecordedDevice,
    device: DesiredDevice | None,
    registration: LiveRegistration,
    digester: Digester,
) -> Iterator[FieldMove]:
    declared = _declared(device)
    ignored = frozenset() if device is None else device.lifecycle.ignore
    paths = {path for path in (*recorded.fields, *declared) if path != OWNER} - ignored
    for path in sorted(paths, key=field_order):
        now, is_said = _live_value(path, registration)
        applied = recorded.fields.get(path)
        by_service = (
            is_said and applied is not None and value_digest(path, now, digester) != applied
        )
        by_files = device is not None and (
            path not in declared or value_digest(path, declared[path], digester) != applied
        )
        side = _side(by_service, by_files)
        if side is None:
            continue
        shown = path in declared or data_key(path) is None
        wanted = declared.get(path)
        if shown:
            if not by_files:
                before = wanted
            elif is_said and not by_service and applied is not None:
                before = now
            else:
                before = _flag(path, applied, digester)
            yield FieldMove(path, side, before, now, wanted)
        else:
            yield FieldMove(path, side, None, None, None, shown=False)


def _side(by_service: bool, by_files: bool) -> Side | None:
    match by_service, by_files:
        case True, True:
            return Side.BOTH
        case True, False:
            return Side.SERVICE
        case False, True:
            return Side.FILES
        case _:
            return None


def _declared(device: DesiredDevice | None) -> dict[str, Scalar | None]:
    if device is None:
        return {}
    fields: dict[str, Scalar | None] = {}
    if device.is_primary is not ABSENT:
        fields[IS_PRIMARY] = device.is_primary
    if device.registration_enabled is not ABSENT:
        fields[REGISTRATION_ENABLED] = device.registration_enabled
    return fields | {data_path(key): value for key, value in device.additional_data.items()}


def _live_value(path: str, registration: LiveRegistration) -> tuple[Scalar | None, bool]:
    """Return the live value, and whether the service said anything of it."""
    if path == IS_PRIMARY:
        return registration.is_primary is True, True
    if path == REGISTRATION_ENABLED:
        enabled = registration.registration_enabled
        return (None, False) if enabled is ABSENT else (enabled, True)
    data = registration.additional_data
    key = data_key(path)
    return (None if data is ABSENT or key is None else data.get(key)), True


def _flag(path: str, applied: tuple[str, ...] | None, digester: Digester) -> bool | None:
    """Return the applied value of a flag: of two, the digest tells which."""
    if applied is None or data_key(path) is not None:
        return None
    return next((v for v in (True, False) if value_digest(path, v, digester) == applied), None)
