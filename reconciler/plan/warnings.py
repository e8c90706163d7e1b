"""Side effects of the service that nobody declared, and notes. A plan may move only these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.core.absent import ABSENT
from reconciler.core.device import Desired, DesiredDevice, OnRemove
from reconciler.core.fields import ADDITIONAL_DATA, IS_PRIMARY, OWNER, data_key
from reconciler.core.live import Live, LivePerson, LiveRegistration, Unreadable
from reconciler.core.project import Project
from reconciler.diff.device import DeviceDiff
from reconciler.diff.removed import Leave, Leaving
from reconciler.platform.assumptions import DETACH, DETACH_KEEPS_DATA, PROMOTE
from reconciler.platform.operations import Operation

from .device_plan import DevicePlan, promotes_lead
from .model import OTHERS_CHANGED_TOO, UNREADABLE, PlanWarning

PERSON_TYPE = "owner.type"


def side_effects(
    works: Iterable[DevicePlan], desired: Desired, live: Live, pinned: Mapping[str, str]
) -> list[PlanWarning]:
    """Return a warning for everything undeclared that the calls of these works may move."""
    works = tuple(works)
    moved = {work.change.device for work in works if work.changes_owner}
    warnings: dict[tuple[str, str], PlanWarning] = {}
    for work in works:
        for warning in (
            *_lost_by_moving(work, pinned),
            *_demoted_siblings(work, moved, desired, live, pinned),
        ):
            warnings.setdefault((warning.code, warning.device), warning)
    return list(warnings.values())


def _detaches(work: DevicePlan) -> bool:
    return any(
        call.operation == Operation.DEPERSONALIZE or call.query.get("forceDepersonalize") == "true"
        for call in work.calls
    )


def _lost_by_moving(work: DevicePlan, pinned: Mapping[str, str]) -> Iterable[PlanWarning]:
    """Detaching may clear additionalData and isPrimary; what is declared is set again after it.

    A flag that is not cleared comes along to the new person, where a promotion may take it.
    """
    if not work.changes_owner:
        return
    covered = work.settled
    data = work.registration.additional_data
    keys = set() if data is ABSENT else set(data)
    lost = keys - {key for path in covered if (key := data_key(path)) is not None}
    device = work.change.device
    if lost and _detaches(work) and pinned.get(DETACH.name) not in DETACH_KEEPS_DATA:
        count = f"{len(lost)} undeclared key" + ("s" if len(lost) > 1 else "")
        message = f"{device}: {count} of additionalData may be lost when the owner is detached"
        yield PlanWarning(
            "undeclared-data-may-be-lost", device, message, (ADDITIONAL_DATA,), work.change.source
        )
    if IS_PRIMARY not in covered and work.registration.is_primary is True:
        message = f"{device}: isPrimary is not declared and may be lost with the change of owner"
        yield PlanWarning(
            "undeclared-primary-may-change", device, message, (IS_PRIMARY,), work.change.source
        )


def _demoted_siblings(
    work: DevicePlan,
    moved: set[str],
    desired: Desired,
    live: Live,
    pinned: Mapping[str, str],
) -> Iterable[PlanWarning]:
    """Promoting a device may take the flag from siblings that do not declare theirs."""
    person = final_person(work)
    if work.flag is not True or person is None or pinned.get(PROMOTE.name) == "keeps-others":
        return
    same_application = pinned.get(PROMOTE.name) == "demotes-others-of-application"
    for sibling in person.registrations:
        if sibling.id == work.change.device or sibling.id in moved:
            continue
        if same_application and sibling.application_id != work.registration.application_id:
            continue
        declared = desired.devices.get(sibling.id)
        if declared is not None and declared.is_primary is not ABSENT and not _ignores(declared):
            continue
        flag = known_flag(sibling, live)
        if flag is False:
            continue
        loses = "may lose" if flag is ABSENT else "loses"
        yield PlanWarning(
            "sibling-loses-primary",
            sibling.id,
            f"{sibling.id} {loses} isPrimary: {work.change.device} of the same person becomes "
            "primary, and no manifest declares it for this one",
            (IS_PRIMARY,),
            work.change.source,
        )


def _ignores(device: DesiredDevice) -> bool:
    return IS_PRIMARY in device.lifecycle.ignore


def final_person(work: DevicePlan) -> LivePerson | None:
    """Return the live person who owns the device in the end; None: nobody, a new one, unread."""
    return work.reached if work.moves else work.before


def known_flag(sibling: LiveRegistration, live: Live) -> object:
    """Return isPrimary of a registration, by its point read where there was one; ABSENT where that
    cannot be read either."""
    point = live.registrations.get(sibling.id)
    return point.is_primary if isinstance(point, LiveRegistration) else sibling.is_primary


def notes(difference: DeviceDiff) -> Iterable[PlanWarning]:
    """Return what a reader should know of one declared device and nothing will change."""
    device, source = difference.device.id, str(difference.device.source)
    for path in difference.fields.handed_back:
        message = (
            f"{device}: {path} left the files, and its value is no longer the one we applied; "
            "it stays as it is and is not managed any more"
        )
        yield PlanWarning("key-handed-back", device, message, (path,), source)
    for path in difference.fields.stored_otherwise:
        message = (
            f"{device}: {path} is stored in another form than it is declared, as when it was "
            "applied; that is no change"
        )
        yield PlanWarning("stored-otherwise", device, message, (path,), source)
    if difference.attributes:
        message = (
            f"{device}: the person shows other attributes than declared "
            f"({', '.join(difference.attributes)}); they are sent only with a change of owner"
        )
        yield PlanWarning("attributes-differ", device, message, (OWNER,), source)
    if difference.contested:
        message = (
            f"{device}: others changed {', '.join(difference.contested)} too since the last apply; "
            "the plan sets what the file says now"
        )
        yield PlanWarning(OTHERS_CHANGED_TOO, device, message, difference.contested, source)
    owner = difference.owner
    if owner is None or owner.after is None:
        return
    held = frozenset() if owner.reached is None else owner.reached.identities
    if added := [value for value in owner.after.identity if held and value not in held]:
        kinds = ", ".join(value.kind.value for value in added)
        message = f"{device}: {kinds} will be added to {owner.after.pointer}"
        yield PlanWarning("identity-added", device, message, (OWNER,), source)
    if promotes_lead(owner):
        message = f"{device}: {owner.after.pointer} is a lead and becomes a customer"
        yield PlanWarning("lead-promotion", device, message, (PERSON_TYPE,), source)


def unreadable_note(device: str, part: Unreadable, live: Live, source: str | None) -> PlanWarning:
    """Return which part of what the service shows of a device means nothing; never its value."""
    owner = live.owners.get(device)
    known = owner is not None and owner.number >= 0
    whose = f" (person {owner.number})" if owner is not None and known else ""
    what = f"{part.path}: {part.type}" if part.path else part.type
    message = (
        f"{device}{whose}: the service shows something that cannot be understood ({what}); "
        "the device is left as it is"
    )
    return PlanWarning(UNREADABLE, device, message, (part.path,) if part.path else (), source)


def leaving_notes(
    leaving: Leaving, intended: OnRemove, live: Live, project: Project
) -> Iterable[PlanWarning]:
    """Return why a device that should have been detached is only forgotten."""
    source = None if leaving.source is None else str(leaving.source)
    id_ = leaving.recorded.id
    if leaving.unreadable is not None:
        yield unreadable_note(id_, leaving.unreadable, live, source)
    if leaving.how is Leave.MOVED:
        message = f"{id_}: it left the files, but its owner is not the one we applied; not detached"
        yield PlanWarning("not-detached", id_, message, (OWNER,), source)
    elif leaving.how is Leave.RELEASE and intended is OnRemove.DEPERSONALIZE:
        if leaving.recorded.application not in project.applications:
            why = f"the project has no application {leaving.recorded.application} any more"
        elif isinstance(live.registrations.get(id_), LiveRegistration):
            why = "it has no owner to detach"
        else:
            why = "the service knows no such registration in its application"
        message = f"{id_}: it left the files, and {why}; it is only forgotten"
        yield PlanWarning("not-detached", id_, message, (OWNER,), source)
