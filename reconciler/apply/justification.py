"""May this plan be applied? Pure: the files, the state and the project justify it, or not.

A plan file says which calls are allowed; it can never make apply do what the files do not ask for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise

import msgspec

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, DesiredDevice, OnRemove, Owner
from reconciler.core.digest import Digester
from reconciler.core.fields import OWNER, data_key, declared_fields
from reconciler.core.project import Project
from reconciler.core.protection import Subject, of_declared, of_undeclared, protecting
from reconciler.core.record import Record
from reconciler.plan.calls import calls_of, left_alone
from reconciler.plan.document import is_sealed
from reconciler.plan.fingerprints import declaration_digest
from reconciler.plan.model import Action, Change, Plan, PlannedCall, Risk
from reconciler.plan.privacy import revealed

from .schedule import in_order

_CALLS = frozenset({Action.DEPERSONALIZE, Action.PERSONALIZE, Action.UPDATE})


def refusal_reasons(
    plan: Plan,
    desired: Desired,
    record: Record,
    project: Project,
    done: Collection[str] = frozenset(),
) -> tuple[str, ...]:
    """Return the reasons to refuse a plan; none when it may be applied.

    `done` are the calls that an earlier run of it has made: they need no justification any more.

    A serial that moved since is no reason: each device is read again before it is written.
    """
    if plan.inputs.state.lineage != record.lineage:
        return ("the plan was made with another state: plan again with this one",)
    if not is_sealed(plan, Digester(record.key)):
        return ("the plan was changed after it was made: its digest or seal does not fit",)
    return (
        *(f"{refusal.guard}: {refusal.message}" for refusal in plan.refusals),
        *_unjustified(plan, desired, record, project, done),
    )


def _unjustified(
    plan: Plan, desired: Desired, record: Record, project: Project, done: Collection[str]
) -> Iterator[str]:
    if not in_order(plan.calls):
        yield "its calls are in an order that their edges forbid"
        return
    calls: dict[str, list[PlannedCall]] = {}
    for call in plan.calls:
        calls.setdefault(call.device, []).append(call)
    changed = {change.device for change in plan.changes}
    if len(changed) != len(plan.changes):
        yield "a device stands in it twice"
    for stray in sorted(calls.keys() - changed):
        yield f"{stray}: it has calls but no change"
    digester = Digester(record.key)
    left_alone_paths = left_alone(plan)
    for change in plan.changes:
        planned = calls.get(change.device, [])
        if planned and all(call.id in done for call in planned):
            # The state may have moved on by these very calls.
            continue
        device = desired.devices.get(change.device)
        if change.declaration is None:
            wrong = _leaving(change, desired, record, project)
        elif device is None:
            wrong = "it left the files since the plan"
        elif declaration_digest(device, digester) != change.declaration:
            wrong = "its declaration changed since the plan"
        else:
            wrong = _declared(change, device, record, project)
        if wrong is None and planned and change.application not in project.applications:
            wrong = f"the project has no application {change.application}"
        if wrong is None:
            paths = left_alone_paths.get(change.device, frozenset())
            true = [revealed(call, device, digester) for call in planned]
            wrong = _calls(change, true, calls_of(device, change, project.api.assume, paths))
        if wrong is not None:
            yield f"{change.device}: {wrong}"


def _leaving(change: Change, desired: Desired, record: Record, project: Project) -> str | None:
    """Check a change of a device that no manifest declares: forgotten, or detached if said so."""
    recorded = record.devices.get(change.device)
    if change.device in desired.devices:
        return "it came back into the files since the plan"
    if Action.DEPERSONALIZE not in change.actions:
        return None
    if recorded is None:
        return "it stands neither in the files nor in the state"
    removal = desired.removed.get(change.device)
    said = recorded.on_remove or project.on_remove
    wanted = said if removal is None else removal.on_remove
    if recorded.protect or wanted is not OnRemove.DEPERSONALIZE:
        return "nothing says that it shall be detached"
    return _protected(project, of_undeclared(recorded.id, recorded.application))


def _declared(
    change: Change, device: DesiredDevice, record: Record, project: Project
) -> str | None:
    """Check that each change of a declared device is one of what is declared or recorded."""
    if change.application != device.application:
        return "its application is not the declared one"
    if Action.PERSONALIZE in change.actions and not isinstance(device.owner, Owner):
        return "nobody is declared as its owner"
    if Action.DEPERSONALIZE in change.actions and device.owner is not None:
        return "nothing says that it shall be detached"
    moves = not {Action.PERSONALIZE, Action.DEPERSONALIZE}.isdisjoint(change.actions)
    paths = {field.path for field in change.fields}
    if moves != (OWNER in paths):
        return "its actions are not those of its fields"
    recorded = record.devices.get(change.device)
    declared = declared_fields(device)
    for path in sorted(paths):
        managed = (
            path in declared
            or (path == OWNER and device.owner is not ABSENT)
            or (data_key(path) is not None and recorded is not None and path in recorded.fields)
        )
        if not managed:
            return f"{path} is neither declared nor in the state"
    if moves and {Risk.OWNER_CHANGE, Risk.DETACH} & set(change.risks):
        return _protected(project, of_declared(device))
    return None


def _protected(project: Project, subject: Subject) -> str | None:
    """Say by which rule a device is protected, as far as the files tell: a rule may be new."""
    rule = protecting(project.safety, subject)
    return None if rule is None else f"it is protected by the rule at {rule.source}"


def _calls(
    change: Change, planned: list[PlannedCall], justified: tuple[PlannedCall, ...]
) -> str | None:
    """Check that the calls are exactly those that the change consists of, one after the other."""
    if _CALLS.isdisjoint(change.actions):
        return "it has calls that nothing justifies" if planned else None
    bare = tuple(msgspec.structs.replace(call, after=(), needs=()) for call in planned)
    if bare != justified:
        return "its calls are not those that the files and the project ask for"
    for earlier, later in pairwise(planned):
        if earlier.id not in later.needs:
            return f"{later.id} does not wait for {earlier.id}"
    return None
