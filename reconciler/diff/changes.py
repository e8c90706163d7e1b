"""The whole difference between what is declared, what is there and what we applied."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, DesiredDevice
from reconciler.core.digest import Digester
from reconciler.core.live import Gone, Live, LiveRegistration, Unreadable, WrongApplication
from reconciler.core.project import Project
from reconciler.core.record import Record, record_entry

from .device import DeviceDiff, diff_device
from .removed import Leaving, leaving
from .required_reads import application_names, in_scope
from .reregistered import Reregistered, reregistered
from .unreadable import unreadable_field, unreadable_owner


@dataclass(frozen=True, slots=True)
class Diff:
    """Every list is in the order of device ids.

    `differing` holds devices that change, drifted, or have something to say; all other declared
    devices are as declared. Those among them that the state does not have so stand in `adopt`.
    `web_primaries` declare isPrimary of a browser, which has none; they are not compared.
    """

    devices: int
    differing: tuple[DeviceDiff, ...]
    adopt: tuple[DesiredDevice, ...]
    gone: tuple[DesiredDevice, ...]
    wrong: tuple[tuple[DesiredDevice, str], ...]
    unreadable: tuple[tuple[DesiredDevice, Unreadable], ...]
    leaving: tuple[Leaving, ...]
    web_primaries: tuple[DesiredDevice, ...]
    reregistered: tuple[Reregistered, ...] = ()


def diff(
    desired: Desired,
    record: Record,
    live: Live,
    project: Project,
    scope: Collection[str] | None = None,
) -> Diff:
    """Compare everything in scope. `required_reads` must have nothing left to ask for."""
    digester = Digester(record.key)
    differing: list[DeviceDiff] = []
    adopt: list[DesiredDevice] = []
    gone: list[DesiredDevice] = []
    wrong: list[tuple[DesiredDevice, str]] = []
    unreadable: list[tuple[DesiredDevice, Unreadable]] = []
    web_primaries: list[DesiredDevice] = []
    planned = in_scope(desired, scope)
    for device in planned:
        recorded = record.devices.get(device.id)
        match live.registrations[device.id]:
            case Gone():
                gone.append(device)
            case WrongApplication(application):
                wrong.append((device, application))
            case Unreadable() as part:
                unreadable.append((device, part))
            case LiveRegistration(is_web=True) if device.is_primary is not ABSENT:
                web_primaries.append(device)
            case LiveRegistration() as registration:
                odd = unreadable_field(device, registration) or unreadable_owner(device, live)
                if odd is not None:
                    unreadable.append((device, odd))
                    continue
                difference = diff_device(device, registration, live, recorded, digester, project)
                settled = not difference.changes and not difference.drifted
                if not settled or difference.has_notes:
                    differing.append(difference)
                if settled and record_entry(device, digester, recorded) != recorded:
                    adopt.append(device)
    names = application_names(desired, record, live) if gone else {}
    leaving_devices = leaving(desired, record, live, project, scope)
    return Diff(
        len(planned),
        tuple(differing),
        tuple(adopt),
        tuple(gone),
        tuple(wrong),
        tuple(unreadable),
        tuple(leaving_devices),
        tuple(web_primaries),
        reregistered(gone, desired, record, live, names),
    )
