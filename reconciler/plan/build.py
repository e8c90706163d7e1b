"""Build a plan: from what differs to one that is proven, or says what it withholds and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.core.consent import Consent
from reconciler.core.device import Desired, Owner
from reconciler.core.digest import Digester
from reconciler.core.live import Live, LiveRegistration
from reconciler.core.project import Pattern, Project
from reconciler.core.record import Record
from reconciler.diff.changes import Diff, diff
from reconciler.diff.removed import Leave, intention
from reconciler.diff.required_reads import in_scope
from reconciler.platform.operations import Operation

from .consent import consented
from .device_plan import DevicePlan, leaving_change, named_fields, plan_device, plan_leaving_device
from .document import sealed
from .errors import device_errors, two_primaries, withheld_devices
from .fingerprints import declaration_digest
from .forecast import call_counts, forecast, lookups_of
from .guards import Measured, refusals
from .identity_completion import Completed, one_completion_each
from .model import (
    FORMAT_VERSION,
    Action,
    Change,
    Coverage,
    Drift,
    Forecast,
    Inputs,
    Plan,
    PlanError,
    PlannedCall,
    PlanWarning,
    Proposal,
    Reads,
    StateRef,
    Summary,
)
from .ordering import groups, ordered_calls
from .people import DeclaredPeople
from .privacy import Veil, named_in, shown_people
from .proof import Proof, prove
from .warnings import leaving_notes, notes, side_effects, unreadable_note


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan says of its own making. `rates` are requests a second after the quota share,
    `latency` the seconds of one answer (None: nobody measured it), `can_match` whether the service
    has not refused to match people.

    `scope` are the ids that it is about and `coverage` says so; None: everything.
    """

    id: str
    created_at: str
    reads: Reads
    rates: Mapping[Operation, float]
    latency: float | None = None
    can_match: bool = True
    commit: str | None = None
    scope: frozenset[str] | None = None
    coverage: Coverage | None = None
    empty_patterns: tuple[Pattern, ...] = ()
    accepted: Mapping[str, int] = field(default_factory=dict)
    consents: tuple[Consent, ...] = ()


def build(
    desired: Desired, record: Record, live: Live, project: Project, circumstances: Circumstances
) -> Plan:
    """Make the plan. `live` holds all that `required_reads` asks for."""
    difference = diff(desired, record, live, project, circumstances.scope)
    people = DeclaredPeople(desired)
    errors = device_errors(difference, project.safety)
    while True:
        withheld = withheld_devices(errors)
        completed = one_completion_each(
            differing for differing in difference.differing if differing.device.id not in withheld
        )
        works = _device_plans(difference, completed, people, record, project, withheld)
        drafted = _draft(works, desired, live, people, project.api.assume)
        fresh = withheld_devices(drafted.errors)
        errors += drafted.errors
        if not fresh.keys() & set(completed.bringer.values()):
            break
        # Who was to bring the values of a person is withheld: another of its devices must.
    adopt = [
        differing.device
        for differing in completed.differing
        if differing.device.id in completed.bringer
        and not differing.changes
        and not differing.drifted
    ]
    difference = replace(
        difference, adopt=tuple(sorted((*difference.adopt, *adopt), key=lambda one: one.id))
    )
    warnings = [
        *drafted.warnings,
        *_notes(difference, desired, live, project, withheld_devices(errors)),
    ]
    return _plan(
        desired, record, difference, people, drafted, warnings, errors, live, project, circumstances
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    """What survives the checks among people and the proof, and what does not."""

    works: tuple[DevicePlan, ...]
    calls: tuple[PlannedCall, ...]
    warnings: tuple[PlanWarning, ...]
    errors: tuple[PlanError, ...]


def _draft(
    works: Sequence[DevicePlan],
    desired: Desired,
    live: Live,
    people: DeclaredPeople,
    pinned: Mapping[str, str],
) -> _Draft:
    errors = two_primaries(desired, live, works, pinned)
    withheld = withheld_devices(errors)
    proven: list[DevicePlan] = []
    calls: list[PlannedCall] = []
    warnings: list[PlanWarning] = []
    for group in groups([work for work in works if work.change.device not in withheld]):
        ordered = ordered_calls(group)
        effects = side_effects(group, desired, live, pinned)
        failure = prove(Proof(group, ordered, effects, desired, live, people, pinned))
        if failure is not None:
            errors.append(failure)
            continue
        proven += group
        calls += ordered
        warnings += effects
    return _Draft(tuple(proven), tuple(calls), tuple(warnings), tuple(errors))


def _device_plans(
    difference: Diff,
    completed: Completed,
    people: DeclaredPeople,
    record: Record,
    project: Project,
    withheld: Collection[str],
) -> list[DevicePlan]:
    digester, pinned = Digester(record.key), project.api.assume
    works = [
        plan_device(differing, people, digester, pinned)
        for differing in completed.differing
        if differing.changes
    ]
    leaving_plans = [
        plan_leaving_device(leaving, people, digester, pinned)
        for leaving in difference.leaving
        if leaving.recorded.id not in withheld
    ]
    return works + [work for work in leaving_plans if work is not None]


def _notes(
    difference: Diff,
    desired: Desired,
    live: Live,
    project: Project,
    withheld: Collection[str],
) -> Iterable[PlanWarning]:
    for differing in difference.differing:
        if differing.device.id not in withheld:
            yield from notes(differing)
    for device, part in difference.unreadable:
        yield unreadable_note(device.id, part, live, str(device.source))
    for leaving in difference.leaving:
        wanted = intention(leaving.recorded, desired, project)
        yield from leaving_notes(leaving, wanted, live, project)


def _plan(
    desired: Desired,
    record: Record,
    difference: Diff,
    people: DeclaredPeople,
    drafted: _Draft,
    warnings: Sequence[PlanWarning],
    errors: Sequence[PlanError],
    live: Live,
    project: Project,
    circumstances: Circumstances,
) -> Plan:
    digester = Digester(record.key)
    veil = Veil(project.privacy, digester)
    changes = [work.change for work in drafted.works]
    changes += [
        Change(
            device.id,
            device.application,
            device.label,
            str(device.source),
            declaration_digest(device, digester),
            None,
            (action,),
            model=_model(device.id, live),
        )
        for action, devices in (
            (Action.ADOPT, difference.adopt),
            (Action.GONE, difference.gone),
            (Action.UNREADABLE, [device for device, _ in difference.unreadable]),
        )
        for device in devices
    ]
    withheld = withheld_devices(errors)
    changes += [
        leaving_change(leaving, people, digester)
        for leaving in difference.leaving
        if leaving.how in (Leave.RELEASE, Leave.MOVED, Leave.UNREADABLE)
    ]
    covered = in_scope(desired, circumstances.scope)
    looked_at = Counter(device.application for device in covered)
    lookups = lookups_of(
        drafted.calls, changes, desired, live.people, can_match=circumstances.can_match
    )
    takes = forecast(drafted.calls, lookups, circumstances.rates, circumstances.latency)
    # From here on nothing has a value that must not be shown; what is consented to neither.
    changes, calls, drift = (
        veil.changes(changes),
        veil.calls(drafted.calls),
        _drift(difference, people, digester),
    )
    proposals = _proposals(difference)
    return sealed(
        Plan(
            format_version=FORMAT_VERSION,
            id=circumstances.id,
            created_at=circumstances.created_at,
            inputs=Inputs(StateRef(record.lineage, record.serial), circumstances.commit),
            summary=_summary(
                desired, difference, changes, drafted.calls, withheld, circumstances.scope, takes
            ),
            reads=circumstances.reads,
            coverage=veil.coverage(circumstances.coverage or _everything(desired)),
            forecast=takes,
            changes=tuple(sorted(changes, key=lambda change: change.device)),
            proposals=proposals,
            drift=veil.drift(drift),
            calls=calls,
            warnings=tuple(sorted(warnings, key=lambda warning: (warning.device, warning.code))),
            errors=tuple(sorted(errors, key=lambda error: (error.devices, error.code))),
            refusals=refusals(
                Measured(difference, record, looked_at, tuple(changes)),
                project.safety,
                circumstances.empty_patterns,
                consented(circumstances.consents, changes, calls) | circumstances.accepted.items(),
            ),
            people=shown_people(named_in(changes, drift, calls, proposals), people, project),
        ),
        digester,
    )


def _model(device: str, live: Live) -> str | None:
    registration = live.registrations.get(device)
    return registration.model if isinstance(registration, LiveRegistration) else None


def _proposals(difference: Diff) -> tuple[Proposal, ...]:
    return tuple(
        Proposal(
            one.device.id,
            one.device.application,
            one.device.label,
            str(one.device.source),
            one.device.owner.pointer if isinstance(one.device.owner, Owner) else "",
            None if one.candidate is None else one.candidate.id,
            one.model,
            one.could_be,
        )
        for one in difference.reregistered
    )


def _everything(desired: Desired) -> Coverage:
    return Coverage(chosen=len(desired.devices))


def _drift(difference: Diff, people: DeclaredPeople, digester: Digester) -> tuple[Drift, ...]:
    return tuple(
        Drift(
            differing.device.id,
            differing.device.application,
            differing.device.label,
            str(differing.device.source),
            tuple(named_fields(differing, people, digester, reported=True)),
        )
        for differing in difference.differing
        if differing.drifted
    )


def _summary(
    desired: Desired,
    difference: Diff,
    changes: Sequence[Change],
    calls: Sequence[PlannedCall],
    withheld: Mapping[str, PlanError],
    scope: frozenset[str] | None,
    takes: Forecast,
) -> Summary:
    called = {call.device for call in calls}
    aside = {device.id for device in difference.gone} | withheld.keys()
    aside |= {device.id for device, _ in difference.unreadable}
    covered = desired.devices.keys() if scope is None else desired.devices.keys() & scope
    return Summary(
        devices=difference.devices,
        unchanged=difference.devices - len((called | aside) & covered),
        changed=len(called),
        adopt=sum(Action.ADOPT in change.actions for change in changes),
        gone=len(difference.gone),
        released=sum(Action.RELEASE in change.actions for change in changes),
        withheld=len(withheld),
        calls=call_counts(calls),
        forecast_seconds=takes.seconds,
    )
