"""One device's part of a plan while it is being made: its change, its calls, whom they touch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.core.absent import ABSENT
from reconciler.core.device import DesiredDevice
from reconciler.core.digest import Digester
from reconciler.core.fields import FIELD_BY_PATH, IS_PRIMARY, OWNER, Reason, Risk, data_key
from reconciler.core.live import LivePerson, LiveRegistration
from reconciler.core.opaque import Opaque
from reconciler.diff.device import DeviceDiff, OwnerDiff
from reconciler.diff.ownership import Detach, Move, somebody
from reconciler.diff.removed import Leave, Leaving
from reconciler.platform.operations import Operation

from .calls import calls_of, patchable_paths
from .fingerprints import declaration_digest, observed_digest, observed_paths
from .model import NOBODY, Action, Change, FieldChange, PlannedCall
from .people import DeclaredPeople
from .privacy import opaque_value

OWNERSHIP = frozenset({Operation.PERSONALIZE.value, Operation.DEPERSONALIZE.value})


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """A device that is to be called for.

    `before` is the live owner (None: nobody, or not read because nothing depends on it);
    `reached` the live person that a personalize reaches (None: it makes a new one); `owner_key`
    names the final owner among the people of the plan (None: nobody, or nothing depends on it).
    `left` are the fields whose drift is reported and left.
    """

    change: Change
    calls: tuple[PlannedCall, ...]
    registration: LiveRegistration
    device: DesiredDevice | None
    before: LivePerson | None
    reached: LivePerson | None
    owner_key: str | None
    left: frozenset[str] = frozenset()

    @property
    def settled(self) -> frozenset[str]:
        """The fields that this work answers for: what it changes, and what it may set again."""
        changed = frozenset(field.path for field in self.change.fields)
        return changed if self.device is None else changed | patchable_paths(self.device, self.left)

    @property
    def moves(self) -> bool:
        return any(call.operation in OWNERSHIP for call in self.calls)

    @property
    def changes_owner(self) -> bool:
        """Whether another person owns the device afterwards; adding identity values is no such."""
        stays = (
            self.before is not None
            and self.reached is not None
            and self.before.number == self.reached.number
        )
        return self.moves and not stays

    @property
    def flag(self) -> bool | None:
        """The isPrimary that an update of this work sends; None when it sends none."""
        for call in self.calls:
            if call.operation == Operation.UPDATE and call.body is not None:
                flag = call.body.get(IS_PRIMARY)
                return flag if isinstance(flag, bool) else None
        return None

    @property
    def touched(self) -> tuple[str, ...]:
        """The people whom the calls of this work write to, by key."""
        keys: list[str] = []
        if self.moves and self.before is not None:
            keys.append(person_key(self.before))
        if self.owner_key is not None and (self.moves or self.flag is not None):
            keys.append(self.owner_key)
        return tuple(keys)


def person_key(person: LivePerson) -> str:
    """Name a live person among the people of a plan."""
    return f"person/{person.number}"


def plan_device(
    difference: DeviceDiff, people: DeclaredPeople, digester: Digester, pinned: Mapping[str, str]
) -> DevicePlan:
    """Turn what differs in one declared device into its change and calls."""
    device, owner = difference.device, difference.owner
    live_owner = somebody(None if difference.live_owner is ABSENT else difference.live_owner)
    fields = _fields(difference, people, digester)
    change = Change(
        device=device.id,
        application=device.application,
        label=device.label,
        source=str(device.source),
        declaration=declaration_digest(device, digester),
        before=observed_digest(
            observed_paths(device, [field.path for field in fields]),
            difference.registration,
            live_owner,
            digester,
        ),
        actions=_actions(difference),
        fields=fields,
        risks=_risks(owner, fields),
        model=difference.registration.model,
    )
    reported_paths = frozenset(field.path for field in difference.fields.reported)
    calls = calls_of(device, change, pinned, reported_paths)
    reached = owner.reached if owner is not None else None
    if owner is None:
        key = None if live_owner is None else person_key(live_owner)
    elif owner.after is None:
        key = None
    elif reached is not None:
        key = person_key(reached)
    else:
        key = f"new/{people.first_pointer(owner.after.identity)}"
    return DevicePlan(
        change, calls, difference.registration, device, live_owner, reached, key, reported_paths
    )


def leaving_change(leaving: Leaving, people: DeclaredPeople, digester: Digester) -> Change:
    """Return the change of a device that left the files; only a detach has a call."""
    recorded = leaving.recorded
    source = None if leaving.source is None else str(leaving.source)
    if leaving.how is Leave.UNREADABLE:
        return Change(
            recorded.id, recorded.application, None, source, None, None, (Action.UNREADABLE,)
        )
    if leaving.how is not Leave.DETACH or leaving.registration is None:
        return Change(
            recorded.id, recorded.application, None, source, None, None, (Action.RELEASE,)
        )
    field = FieldChange(OWNER, people.name(leaving.owner), NOBODY, Reason.REMOVED)
    before = observed_digest((OWNER,), leaving.registration, leaving.owner, digester)
    return Change(
        device=recorded.id,
        application=recorded.application,
        label=None,
        source=source,
        declaration=None,
        before=before,
        actions=(Action.DEPERSONALIZE,),
        fields=(field,),
        risks=(Risk.DETACH,),
    )


def plan_leaving_device(
    leaving: Leaving, people: DeclaredPeople, digester: Digester, pinned: Mapping[str, str]
) -> DevicePlan | None:
    """Return the work of a leaving device that is detached; None for one that is forgotten."""
    change = leaving_change(leaving, people, digester)
    if Action.DEPERSONALIZE not in change.actions or leaving.registration is None:
        return None
    calls = calls_of(None, change, pinned)
    return DevicePlan(change, calls, leaving.registration, None, leaving.owner, None, None)


def named_fields(
    difference: DeviceDiff, people: DeclaredPeople, digester: Digester, *, reported: bool
) -> list[FieldChange]:
    """Return the fields that change, or those whose drift is only reported, owner first."""
    owner = difference.reported_owner if reported else difference.owner
    fields = difference.fields.reported if reported else difference.fields.changed
    id_ = difference.device.id
    named = [
        FieldChange(
            diff.path,
            opaque_value(id_, diff.path, diff.before, digester)
            if isinstance(diff.before, Opaque)
            else diff.before,
            diff.after,
            diff.reason,
        )
        for diff in fields
    ]
    if owner is None:
        return named
    after = NOBODY if owner.after is None else owner.after.pointer
    before = people.name(owner.before, owner.after)
    return [FieldChange(OWNER, before, after, owner.reason), *named]


def _fields(
    difference: DeviceDiff, people: DeclaredPeople, digester: Digester
) -> tuple[FieldChange, ...]:
    return tuple(named_fields(difference, people, digester, reported=False))


def _actions(difference: DeviceDiff) -> tuple[Action, ...]:
    actions: list[Action] = []
    if difference.owner is not None:
        detach = isinstance(difference.owner.how, Detach)
        actions.append(Action.DEPERSONALIZE if detach else Action.PERSONALIZE)
    reported_paths = {diff.path for diff in difference.fields.reported}
    if difference.fields.changed or (
        difference.owner is not None and patchable_paths(difference.device, reported_paths)
    ):
        actions.append(Action.UPDATE)
    return tuple(actions)


def promotes_lead(owner: OwnerDiff) -> bool:
    """Whether a personalize would turn a lead into a customer (the service's default)."""
    return (
        owner.after is not None
        and owner.after.keep_as_lead is not True
        and owner.reached is not None
        and owner.reached.is_lead
    )


def _risks(owner: OwnerDiff | None, fields: tuple[FieldChange, ...]) -> tuple[Risk, ...]:
    risks: set[Risk] = set()
    if owner is not None:
        match owner.how:
            case Move():
                risks.add(Risk.OWNER_CHANGE)
            case Detach():
                risks.add(Risk.DETACH)
        if promotes_lead(owner):
            risks.add(Risk.LEAD_PROMOTION)
    for field in fields:
        known = FIELD_BY_PATH.get(field.path)
        if known is not None and known.risk is not None and known.is_risky(field.after):
            risks.add(known.risk)
        elif data_key(field.path) is not None and field.after is None:
            risks.add(Risk.KEY_REMOVAL)
    return tuple(risk for risk in Risk if risk in risks)
