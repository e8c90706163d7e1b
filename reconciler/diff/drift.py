"""Drift: what moved since the last apply, for everything that the state holds, field by field.

The state knows digests of what we applied. A live value with another digest was moved by others, a
declared one by the files; so who moved is known even where the applied value itself is not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.absent import ABSENT, Absent
from reconciler.core.device import Desired, DesiredDevice, Owner
from reconciler.core.digest import Digester
from reconciler.core.fields import (
    FIELD_BY_PATH,
    OWNER,
    LiveValue,
    Scalar,
    data_key,
    declared_fields,
    field_order,
    live_value,
)
from reconciler.core.identity import IdentityValue
from reconciler.core.live import (
    Found,
    Gone,
    Live,
    LivePerson,
    LiveRegistration,
    Needs,
    Unreadable,
    WrongApplication,
)
from reconciler.core.project import Project
from reconciler.core.record import (
    Record,
    RecordedDevice,
    is_sent,
    owner_digests,
    value_digest,
)

from .attribution import moved_by_others, owner_moved_by_others
from .ownership import somebody
from .unreadable import owner_part, unreadable_of_recorded


class Side(StrEnum):
    """Who moved a field since it was applied."""

    SERVICE = "service"
    FILES = "files"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class FieldMove:
    """One field that moved, other than the owner. None: no value, or none that may be shown.

    `applied` is `known` where the files or the service still say it, of flags, and where nothing
    was applied. `managed`: the files declare it now. Not `shown`: no file declares this key any
    more, so that its values are nobody's to show.
    """

    path: str
    side: Side
    applied: LiveValue | None
    live: LiveValue | None
    declared: Scalar | None
    known: bool = True
    managed: bool = True
    shown: bool = True


@dataclass(frozen=True, slots=True)
class OwnerMove:
    """The owner moved. `declared` is None for nobody, ABSENT where the files leave it open now.

    `applied` are the digests of who was applied: none for nobody, None where no owner was.
    """

    side: Side
    applied: tuple[str, ...] | None
    live: LivePerson | None
    declared: Owner | Absent | None


@dataclass(frozen=True, slots=True)
class DeviceMoves:
    """A recorded device: as it was found, and what moved. `device` is None when it left the files;
    `elsewhere` names the application in which it is found instead of its own, `unreadable` what of
    it means nothing."""

    recorded: RecordedDevice
    device: DesiredDevice | None
    is_gone: bool = False
    elsewhere: str | None = None
    unreadable: Unreadable | None = None
    owner: OwnerMove | None = None
    fields: tuple[FieldMove, ...] = ()

    @property
    def sides(self) -> frozenset[Side]:
        sides = {move.side for move in self.fields}
        if self.owner is not None:
            sides.add(self.owner.side)
        return frozenset(sides)

    @property
    def only_files(self) -> bool:
        """Whether the files moved, or no longer name it, and nobody else touched it."""
        return not self.drifted and (self.device is None or bool(self.sides))

    @property
    def drifted(self) -> bool:
        """Whether others moved anything of it."""
        lost = self.is_gone or self.elsewhere is not None or self.unreadable is not None
        return lost or bool(self.sides & {Side.SERVICE, Side.BOTH})


def recorded_in(
    record: Record, project: Project, applications: Collection[str] | None = None
) -> list[RecordedDevice]:
    """Return the devices in the state by id, of some applications (None: all of the project)."""
    return [
        record.devices[id_]
        for id_ in sorted(record.devices)
        if record.devices[id_].application in project.applications
        and (applications is None or record.devices[id_].application in applications)
    ]


def left_out(record: Record, project: Project) -> list[RecordedDevice]:
    """Return the devices in the state that cannot be compared, by id: the project has lost their
    applications."""
    return [
        record.devices[id_]
        for id_ in sorted(record.devices)
        if record.devices[id_].application not in project.applications
    ]


def required_reads_of_drift(
    devices: Collection[RecordedDevice], desired: Desired, record: Record, live: Live
) -> Needs:
    """Return what must still be read: each registration, and the owner where one was applied or is
    declared now. Where both are the same it is enough that the live one has the declared values."""
    digester = Digester(record.key)
    registrations = {
        device.id: device.application for device in devices if device.id not in live.registrations
    }
    owned = [
        device
        for device in devices
        if device.id not in live.owners
        and _owner_matters(device, desired.devices.get(device.id))
        and _may_have_owner(live.registrations.get(device.id))
    ]
    matches = {
        device.id: values
        for device in owned
        if device.id not in live.owner_numbers
        and (values := _settling_values(device, desired.devices.get(device.id), digester))
    }
    owners = tuple(device.id for device in owned if device.id not in matches)
    return Needs(registrations, owners, matches=matches)


def _settling_values(
    recorded: RecordedDevice, device: DesiredDevice | None, digester: Digester
) -> tuple[IdentityValue, ...]:
    """Return the values that were applied, where the files still say them."""
    owner = ABSENT if device is None else device.owner
    if not isinstance(owner, Owner):
        return ()
    is_as_applied = owner_digests(owner, digester) == recorded.fields.get(OWNER)
    return owner.identity.values if is_as_applied else ()


def _may_have_owner(registration: Found | None) -> bool:
    """Whether its owner can be looked up, as far as is known yet."""
    if isinstance(registration, LiveRegistration):
        return bool(registration.application_id)
    return registration is None


def _owner_matters(recorded: RecordedDevice, device: DesiredDevice | None) -> bool:
    if device is None:
        return OWNER in recorded.fields
    if OWNER in device.lifecycle.ignore:
        return False
    return OWNER in recorded.fields or device.owner is not ABSENT


def drift_of(
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
        case Unreadable() as part:
            return DeviceMoves(recorded, device, unreadable=part)
        case LiveRegistration() as registration:
            odd = _unreadable(recorded, device, registration, live.owners.get(recorded.id))
            if odd is not None:
                return DeviceMoves(recorded, device, unreadable=odd)
            owner = _owner_move(recorded, device, live.owners.get(recorded.id), digester)
            fields = tuple(_field_moves(recorded, device, registration, digester))
            return DeviceMoves(recorded, device, owner=owner, fields=fields)


def _unreadable(
    recorded: RecordedDevice,
    device: DesiredDevice | None,
    registration: LiveRegistration,
    owner: LivePerson | None,
) -> Unreadable | None:
    """Return what means nothing of what was applied or is declared now, if anything does."""
    declared = {} if device is None else declared_fields(device)
    paths = {*recorded.fields, *declared}
    if _owner_matters(recorded, device):
        paths.add(OWNER)
    odd = unreadable_of_recorded(registration, paths)
    if odd is not None or owner is None or not owner.unreadable or OWNER not in paths:
        return odd
    return owner_part(owner)


def _owner_move(
    recorded: RecordedDevice,
    device: DesiredDevice | None,
    live_owner: LivePerson | None,
    digester: Digester,
) -> OwnerMove | None:
    if not _owner_matters(recorded, device):
        return None
    applied = recorded.fields.get(OWNER)
    declared = ABSENT if device is None else device.owner
    by_files = device is not None and _owner_digests(declared, digester) != applied
    side = _side(owner_moved_by_others(live_owner, recorded, digester), by_files)
    return None if side is None else OwnerMove(side, applied, somebody(live_owner), declared)


def _owner_digests(owner: Owner | Absent | None, digester: Digester) -> tuple[str, ...] | None:
    return None if owner is ABSENT else owner_digests(owner, digester)


def _field_moves(
    recorded: RecordedDevice,
    device: DesiredDevice | None,
    registration: LiveRegistration,
    digester: Digester,
) -> Iterator[FieldMove]:
    declared = {} if device is None else declared_fields(device)
    ignored = frozenset() if device is None else device.lifecycle.ignore
    paths = {path for path in (*recorded.fields, *declared) if path != OWNER} - ignored
    for path in sorted(paths, key=field_order):
        shown = live_value(path, registration)
        is_said = shown is not ABSENT
        now = None if shown is ABSENT else shown
        applied = recorded.fields.get(path)
        wanted, is_managed = declared.get(path), path in declared
        by_service = is_said and moved_by_others(path, now, recorded, digester)
        by_files = device is not None and (
            not is_managed or not is_sent(applied, value_digest(path, wanted, digester))
        )
        side = _side(by_service, by_files)
        if side is None:
            continue
        if not is_managed and data_key(path) is not None:
            yield FieldMove(path, side, None, None, None, known=False, managed=False, shown=False)
            continue
        before: LiveValue | None
        if is_managed and not by_files:
            before, is_known = wanted, True
        elif is_said and not by_service and applied is not None:
            before, is_known = now, True
        else:
            before, is_known = _told_by_digest(path, applied, digester)
        yield FieldMove(path, side, before, now, wanted, is_known, is_managed)


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


def _told_by_digest(
    path: str, applied: tuple[str, ...] | None, digester: Digester
) -> tuple[Scalar | None, bool]:
    """Return the applied value and whether it is known: of a flag there are two, and that a key
    was to be gone has one digest too."""
    if applied is None:
        return None, True
    field = FIELD_BY_PATH.get(path)
    candidates = (None,) if field is None else field.possible_values
    for candidate in candidates:
        if value_digest(path, candidate, digester) == applied:
            return candidate, True
    return None, False
