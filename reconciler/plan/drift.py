"""What moved since the last apply, as a document: what `reconciler drift --format json` prints.

People are names, as in a plan; keys that no file declares have no values here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, Owner
from reconciler.core.digest import Digester
from reconciler.core.fields import OWNER, Scalar
from reconciler.core.live import Unreadable
from reconciler.core.project import Project
from reconciler.core.record import Record, owner_digests
from reconciler.core.service_event import ServiceEvent
from reconciler.diff.drift import DeviceMoves, OwnerMove, Side

from .model import NOBODY, HiddenValue, Reads, StateRef
from .people import DeclaredPeople
from .privacy import Veil, shown_people

FORMAT_VERSION = "1.0"


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Frozen, camelCase in JSON."""


class MovedField(_Part, frozen=True):
    """One field. `moved` is service, files or both; values are null where there is none.

    So is `applied` where it is not known, as the state has only a digest of it; `declared` where
    the field is not `managed`: the files say nothing of it now; and all where they are not `shown`.
    """

    path: str
    moved: str
    applied: Scalar | HiddenValue | None
    live: Scalar | HiddenValue | None
    declared: Scalar | HiddenValue | None
    applied_known: bool
    managed: bool
    shown: bool


class Reported(_Part, frozen=True):
    """What the service reported of a device: see core.service_event."""

    kind: str
    at: str
    invoker: str
    source: str


class MovedDevice(_Part, frozen=True, omit_defaults=True):
    """One device: `found` is there, gone, `unreadable` (that says what is) or elsewhere (in
    `found_in`). No `source`: it left the files. `events` are what the service reported of it."""

    device: str
    application: str
    label: str | None
    source: str | None
    found: str
    found_in: str | None
    fields: tuple[MovedField, ...]
    unreadable: str | None = None
    events: tuple[Reported, ...] = ()


class DriftSummary(_Part, frozen=True):
    """Counts of devices: all that were compared; those that others moved, among them those that
    are gone and those of which the files moved the same field (`both`); those that only the files
    moved; those that are as applied. `not_compared` are of no application of the project any more.
    """

    devices: int
    drifted: int
    gone: int
    both: int
    files_moved: int
    as_applied: int
    not_compared: int


class DriftDocument(_Part, frozen=True):
    """The whole document; devices that are as applied are only counted. `application` is the only
    one that was compared; null: all. `people` as in a plan."""

    format_version: str
    created_at: str
    state: StateRef
    commit: str | None
    application: str | None
    summary: DriftSummary
    reads: Reads
    devices: tuple[MovedDevice, ...]
    people: dict[str, dict[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Made:
    """What a drift document says of its own making. `events` are by device."""

    created_at: str
    reads: Reads
    commit: str | None = None
    application: str | None = None
    not_compared: int = 0
    events: Mapping[str, tuple[ServiceEvent, ...]] = field(default_factory=dict)


def drift_document(
    moved_devices: Sequence[DeviceMoves],
    desired: Desired,
    record: Record,
    project: Project,
    origin: Made,
) -> DriftDocument:
    """Name what moved."""
    digester = Digester(record.key)
    namer, veil = _Namer.of(desired, digester), Veil(project.privacy, digester)
    drifted = sum(device.drifted for device in moved_devices)
    files = sum(device.only_files for device in moved_devices)
    moved = [device for device in moved_devices if device.drifted or device.only_files]
    devices = tuple(
        _device(device, namer, veil, origin.events.get(device.recorded.id, ())) for device in moved
    )
    return DriftDocument(
        FORMAT_VERSION,
        origin.created_at,
        StateRef(record.lineage, record.serial),
        origin.commit,
        origin.application,
        DriftSummary(
            devices=len(moved_devices),
            drifted=drifted,
            gone=sum(device.is_gone for device in moved_devices),
            both=sum(Side.BOTH in device.sides for device in moved_devices),
            files_moved=files,
            as_applied=len(moved_devices) - len(moved),
            not_compared=origin.not_compared,
        ),
        origin.reads,
        devices,
        shown_people(_owners(devices), namer.people, project),
    )


def encode(document: DriftDocument) -> bytes:
    """Write the document as indented JSON with a line end."""
    raw = msgspec.json.encode(document, order="deterministic")
    return msgspec.json.format(raw, indent=2) + b"\n"


def _owners(devices: Sequence[MovedDevice]) -> Iterator[str]:
    for device in devices:
        for moved in device.fields:
            if moved.path == OWNER:
                values = (moved.applied, moved.live, moved.declared)
                yield from (name for name in values if isinstance(name, str))


def _device(
    moves: DeviceMoves, namer: _Namer, veil: Veil, events: Sequence[ServiceEvent]
) -> MovedDevice:
    device = moves.device
    return MovedDevice(
        moves.recorded.id,
        moves.recorded.application,
        None if device is None else device.label,
        None if device is None else str(device.source),
        _found(moves),
        moves.elsewhere,
        tuple(_fields(moves, namer, veil)),
        None if moves.unreadable is None else _named(moves.unreadable),
        tuple(Reported(one.kind, one.at, one.invoker, one.source) for one in events),
    )


def _found(moves: DeviceMoves) -> str:
    if moves.is_gone:
        return "gone"
    if moves.unreadable is not None:
        return "unreadable"
    return "there" if moves.elsewhere is None else "elsewhere"


def _named(part: Unreadable) -> str:
    return f"{part.path}: {part.type}" if part.path else part.type


def _fields(moves: DeviceMoves, namer: _Namer, veil: Veil) -> Iterator[MovedField]:
    if moves.owner is not None:
        yield namer.field(moves.owner)
    for move in moves.fields:
        applied, live, declared = (
            veil.value(moves.recorded.id, move.path, one)
            for one in (move.applied, move.live, move.declared)
        )
        yield MovedField(
            move.path,
            move.side,
            applied,
            live,
            declared,
            applied_known=move.known,
            managed=move.managed,
            shown=move.shown,
        )


@dataclass(frozen=True, slots=True)
class _Namer:
    """Names owners. `applied` are the names of declared people by the digests of a state."""

    people: DeclaredPeople
    applied: dict[tuple[str, ...], str]

    @classmethod
    def of(cls, desired: Desired, digester: Digester) -> _Namer:
        people = DeclaredPeople(desired)
        names: dict[tuple[str, ...], str] = {(): NOBODY}
        for pointer, owner in sorted(people.by_pointer.items()):
            names.setdefault(owner_digests(owner, digester), pointer)
        return cls(people, names)

    def field(self, move: OwnerMove) -> MovedField:
        declared = move.declared
        wanted = declared if isinstance(declared, Owner) else None
        name = None if declared is ABSENT else NOBODY if wanted is None else wanted.pointer
        live = self.people.name(move.live, wanted)
        match move.side:
            case Side.SERVICE if name is not None:
                applied: str | None = name
            case Side.FILES if move.applied is not None:
                applied = live
            case _:
                applied = None if move.applied is None else self.applied.get(move.applied)
        return MovedField(
            OWNER,
            move.side,
            applied,
            live,
            name,
            applied_known=applied is not None or move.applied is None,
            managed=name is not None,
            shown=True,
        )
