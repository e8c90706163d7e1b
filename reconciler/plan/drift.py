"""What moved since the last apply, as a document: what `reconciler drift --format json` prints.

People are names, as in a plan; keys that no file declares have no values here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, Owner
from reconciler.core.fields import OWNER, Scalar
from reconciler.core.record import Record
from reconciler.diff.moved import DeviceMoves, OwnerMove, Side

from .definition import NOBODY, Reads, StateRef
from .people import DeclaredPeople

FORMAT_VERSION = "1.0"


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Frozen, camelCase in JSON."""


class MovedField(_Part, frozen=True):
    """One field. `moved` is service, files or both; values are null where there is none, where the
    record has only a digest (`applied`), and where they are not shown."""

    path: str
    moved: str
    applied: Scalar | None
    live: Scalar | None
    declared: Scalar | None
    shown: bool


class MovedDevice(_Part, frozen=True):
    """One device: `found` is there, gone, or elsewhere (in `found_in`). No `source`: it left the
    files."""

    device: str
    application: str
    label: str | None
    source: str | None
    found: str
    found_in: str | None
    fields: tuple[MovedField, ...]


class DriftSummary(_Part, frozen=True):
    """Counts of devices: all that were compared; those that others moved (`gone` among them);
    those that only the files moved; those that are as applied."""

    devices: int
    drifted: int
    gone: int
    files_moved: int
    as_applied: int


class DriftDocument(_Part, frozen=True):
    """The whole document; devices that are as applied are only counted."""

    format_version: str
    created_at: str
    state: StateRef
    commit: str | None
    summary: DriftSummary
    reads: Reads
    devices: tuple[MovedDevice, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What a drift document says of its own making."""

    created_at: str
    reads: Reads
    commit: str | None = None


def drift_document(
    found: Sequence[DeviceMoves], desired: Desired, record: Record, made: Made
) -> DriftDocument:
    """Name what moved."""
    people = DeclaredPeople.of(desired)
    drifted = sum(device.drifted for device in found)
    files = sum(device.only_files for device in found)
    moved = [device for device in found if device.drifted or device.only_files]
    return DriftDocument(
        FORMAT_VERSION,
        made.created_at,
        StateRef(record.lineage, record.serial),
        made.commit,
        DriftSummary(
            devices=len(found),
            drifted=drifted,
            gone=sum(device.is_gone for device in found),
            files_moved=files,
            as_applied=len(found) - len(moved),
        ),
        made.reads,
        tuple(_device(device, people) for device in moved),
    )


def encode(document: DriftDocument) -> bytes:
    """Write the document as indented JSON with a line end."""
    raw = msgspec.json.encode(document, order="deterministic")
    return msgspec.json.format(raw, indent=2) + b"\n"


def _device(found: DeviceMoves, people: DeclaredPeople) -> MovedDevice:
    device = found.device
    fields = [
        MovedField(move.path, move.side, move.applied, move.live, move.declared, move.shown)
        for move in found.fields
    ]
    if found.owner is not None:
        fields.insert(0, _owner(found.owner, people))
    return MovedDevice(
        found.recorded.id,
        found.recorded.application,
        None if device is None else device.label,
        None if device is None else str(device.source),
        "gone" if found.is_gone else "there" if found.elsewhere is None else "elsewhere",
        found.elsewhere,
        tuple(fields),
    )


def _owner(move: OwnerMove, people: DeclaredPeople) -> MovedField:
    declared = move.declared
    wanted = declared if isinstance(declared, Owner) else None
    name = None if declared is ABSENT else NOBODY if wanted is None else wanted.pointer
    live = people.name(move.live, wanted)
    match move.side:
        case Side.SERVICE:
            applied = name
        case Side.FILES:
            applied = live
        case Side.BOTH:
            applied = None
    return MovedField(OWNER, move.side, applied, live, name, shown=True)
