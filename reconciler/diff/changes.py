"""The whole difference between what is declared, what is there and what we applied."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from reconciler.core.device import Desired, DesiredDevice
from reconciler.core.digest import Digester
from reconciler.core.identity import Identity
from reconciler.core.live import Gone, Live, LiveRegistration, WrongApplication
from reconciler.core.project import Project
from reconciler.core.record import Record, record_entry

from .device import DeviceDiff, OwnerDiff, diff_device
from .leaving import Leaving, leaving
from .missing import in_scope
from .ownership import Claim, Complete, Move


@dataclass(frozen=True, slots=True)
class Diff:
    """Every list is in the order of device ids.

    `differing` holds devices that change, drifted, or have something to say; all other declared
    devices are as declared. Those among them that the record does not have so stand in `adopt`.
    """

    devices: int
    differing: tuple[DeviceDiff, ...]
    adopt: tuple[DesiredDevice, ...]
    gone: tuple[DesiredDevice, ...]
    wrong: tuple[tuple[DesiredDevice, str], ...]
    leaving: tuple[Leaving, ...]


def diff(
    desired: Desired,
    record: Record,
    live: Live,
    project: Project,
    scope: Collection[str] | None = None,
) -> Diff:
    """Compare everything in scope. `missing` must have nothing left to ask for."""
    digester = Digester(record.key)
    differing: list[DeviceDiff] = []
    adopt: list[DesiredDevice] = []
    gone: list[DesiredDevice] = []
    wrong: list[tuple[DesiredDevice, str]] = []
    chosen = in_scope(desired, scope)
    for device in chosen:
        recorded = record.devices.get(device.id)
        match live.registrations[device.id]:
            case Gone():
                gone.append(device)
            case WrongApplication(application):
                wrong.append((device, application))
            case LiveRegistration() as registration:
                found = diff_device(device, registration, live, recorded, digester, project)
                settled = not found.changes and not found.drifted
                if not settled or found.fields.handed_back or found.attributes:
                    differing.append(found)
                if settled and record_entry(device, digester) != recorded:
                    adopt.append(device)
    left = leaving(desired, record, live, project) if scope is None else []
    kept = _one_completion_each(differing)
    for before, now in zip(differing, kept, strict=True):
        if before.changes and not now.changes and not now.drifted:
            # Another call brings all that it lacked; once it has, this one is as declared.
            adopt.append(now.device)
    return Diff(
        len(chosen),
        tuple(kept),
        tuple(sorted(adopt, key=lambda device: device.id)),
        tuple(gone),
        tuple(wrong),
        tuple(left),
    )


def _one_completion_each(differing: list[DeviceDiff]) -> list[DeviceDiff]:
    """Leave the adding of identity values to one call for each declared person.

    A claim or a move to the person brings its values along; else the first of its devices does.
    A second call would add nothing, and under one reading of the service be refused for that.
    """
    served = {
        place
        for found in differing
        if found.owner is not None
        and isinstance(found.owner.how, (Claim, Move))
        and (place := _brought_to(found.owner)) is not None
    }
    kept: list[DeviceDiff] = []
    for found in differing:
        if found.owner is not None and isinstance(found.owner.how, Complete):
            place = _brought_to(found.owner)
            if place in served:
                found = replace(found, owner=None)
            elif place is not None:
                served.add(place)
        kept.append(found)
    return kept


def _brought_to(owner: OwnerDiff) -> tuple[int, Identity] | None:
    """Return the live person whom a personalize reaches, and the values that it brings."""
    if owner.reached is None or owner.after is None:
        return None
    return owner.reached.number, owner.after.identity
