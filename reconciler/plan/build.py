"""Stage 4: from what differs to a plan that is proven, or says what it withholds and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.device import Desired
from reconciler.core.digest import Digester
from reconciler.core.live import Live
from reconciler.core.project import Pattern, Project
from reconciler.core.record import Record
from reconciler.diff.changes import Diff, diff
from reconciler.diff.leaving import Leave, intention
from reconciler.platform.operations import Operation

from .declaration import declaration_digest
from .definition import (
    FORMAT_VERSION,
    Action,
    Change,
    Drift,
    Inputs,
    Plan,
    PlanError,
    PlannedCall,
    PlanWarning,
    Reads,
    StateRef,
    Summary,
)
from .document import sealed
from .errors import device_errors, two_primaries, withheld_devices
from .forecast import call_counts, forecast_seconds
from .groups import groups, ordered_calls
from .guards import refusals
from .people import DeclaredPeople
from .proof import Proof, prove
from .warnings import leaving_notes, notes, side_effects
from .work import Work, leaving_change, leaving_work, named_fields, work_of


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan says of its own making. `rates` are requests a second after the quota share."""

    id: str
    created_at: str
    reads: Reads
    rates: Mapping[Operation, float]
    commit: str | None = None
    scope: frozenset[str] | None = None
    empty_patterns: tuple[Pattern, ...] = ()
    accepted: Mapping[str, int] = field(default_factory=dict)


def build(
    desired: Desired, record: Record, live: Live, project: Project, made: Circumstances
) -> Plan:
    """Make the plan. `live` holds all that `diff.missing` asks for."""
    found = diff(desired, record, live, project, made.scope)
    people = DeclaredPeople.of(desired)
    errors = device_errors(found)
    works = _works(found, people, record, project, withheld_devices(errors))
    errors += two_primaries(desired, live, works)
    works = _without(works, withheld_devices(errors))
    proven: list[Work] = []
    calls: list[PlannedCall] = []
    warnings: list[PlanWarning] = []
    for group in groups(works):
        ordered = ordered_calls(group)
        effects = side_effects(group, desired, live, project.api.assume)
        failure = prove(Proof(group, ordered, effects, desired, live, people, project.api.assume))
        if failure is not None:
            errors.append(failure)
            continue
        proven += group
        calls += ordered
        warnings += effects
    warnings += _notes(found, desired, project, withheld_devices(errors))
    return _plan(desired, record, found, people, proven, calls, warnings, errors, made)


def _works(
    found: Diff,
    people: DeclaredPeople,
    record: Record,
    project: Project,
    withheld: Collection[str],
) -> list[Work]:
    digester, pinned = Digester(record.key), project.api.assume
    works = [
        work_of(differing, people, digester, pinned)
        for differing in found.differing
        if differing.changes and differing.device.id not in withheld
    ]
    left = [
        leaving_work(leaving, people, digester, pinned)
        for leaving in found.leaving
        if leaving.recorded.id not in withheld
    ]
    return works + [work for work in left if work is not None]


def _without(works: list[Work], withheld: Collection[str]) -> list[Work]:
    return [work for work in works if work.change.device not in withheld]


def _notes(
    found: Diff, desired: Desired, project: Project, withheld: Collection[str]
) -> Iterable[PlanWarning]:
    for differing in found.differing:
        if differing.device.id not in withheld:
            yield from notes(differing)
    for left in found.leaving:
        yield from leaving_notes(left, intention(left.recorded, desired, project))


def _plan(
    desired: Desired,
    record: Record,
    found: Diff,
    people: DeclaredPeople,
    works: Sequence[Work],
    calls: Sequence[PlannedCall],
    warnings: Sequence[PlanWarning],
    errors: Sequence[PlanError],
    made: Circumstances,
) -> Plan:
    digester = Digester(record.key)
    changes = [work.change for work in works]
    changes += [
        Change(
            device.id,
            device.application,
            device.label,
            str(device.source),
            declaration_digest(device, digester),
            None,
            (action,),
        )
        for action, devices in ((Action.ADOPT, found.adopt), (Action.GONE, found.gone))
        for device in devices
    ]
    withheld = withheld_devices(errors)
    changes += [
        leaving_change(left, people, digester)
        for left in found.leaving
        if left.how in (Leave.RELEASE, Leave.MOVED)
    ]
    declared = Counter(device.application for device in desired.devices.values())
    return sealed(
        Plan(
            format_version=FORMAT_VERSION,
            id=made.id,
            created_at=made.created_at,
            inputs=Inputs(StateRef(record.lineage, record.serial), made.commit),
            summary=_summary(desired, found, changes, calls, withheld, made),
            reads=made.reads,
            changes=tuple(sorted(changes, key=lambda change: change.device)),
            drift=_drift(found, people),
            calls=tuple(calls),
            warnings=tuple(sorted(warnings, key=lambda warning: (warning.device, warning.code))),
            errors=tuple(sorted(errors, key=lambda error: (error.devices, error.code))),
            refusals=refusals(found, record, declared, made.empty_patterns, made.accepted),
        )
    )


def _drift(found: Diff, people: DeclaredPeople) -> tuple[Drift, ...]:
    return tuple(
        Drift(
            differing.device.id,
            differing.device.application,
            differing.device.label,
            str(differing.device.source),
            tuple(named_fields(differing, people, reported=True)),
        )
        for differing in found.differing
        if differing.drifted
    )


def _summary(
    desired: Desired,
    found: Diff,
    changes: Sequence[Change],
    calls: Sequence[PlannedCall],
    withheld: Mapping[str, PlanError],
    made: Circumstances,
) -> Summary:
    called = {call.device for call in calls}
    aside = {device.id for device in found.gone} | (withheld.keys() & desired.devices.keys())
    return Summary(
        devices=found.devices,
        unchanged=found.devices - len((called | aside) & desired.devices.keys()),
        changed=len(called),
        adopt=sum(Action.ADOPT in change.actions for change in changes),
        gone=len(found.gone),
        released=sum(Action.RELEASE in change.actions for change in changes),
        withheld=len(withheld),
        calls=call_counts(calls),
        forecast_seconds=forecast_seconds(calls, made.rates),
    )
