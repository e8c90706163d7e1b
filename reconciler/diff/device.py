"""One declared device against its registration: what differs, owner and fields together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.core.absent import ABSENT, Absent
from reconciler.core.device import DesiredDevice, Owner
from reconciler.core.digest import Digester
from reconciler.core.fields import OWNER, Reason
from reconciler.core.live import Live, LivePerson, LiveRegistration
from reconciler.core.project import Project
from reconciler.core.record import RecordedDevice, owner_digests

from .attribution import owner_moved_by_others, policy, reason
from .compare import Fields, compare
from .ownership import Conflict, Relation, Same, differing_attributes, relation, somebody, target


@dataclass(frozen=True, slots=True)
class OwnerDiff:
    """The live owner is not the declared one.

    `reached` is the live person whom the declared identity names; None: nobody, or a new person.
    `contested`: the file moved, and others moved it too.
    """

    before: LivePerson | None
    after: Owner | None
    how: Relation
    reason: Reason
    reached: LivePerson | None = None
    conflict: Conflict | None = None
    contested: bool = False


@dataclass(frozen=True, slots=True)
class DeviceDiff:
    """All that was found out about one declared and existing device.

    `owner` differs and shall change; `reported_owner` drifted and is left. `live_owner` is ABSENT
    when it did not have to be read.
    """

    device: DesiredDevice
    registration: LiveRegistration
    live_owner: LivePerson | Absent | None
    fields: Fields
    owner: OwnerDiff | None = None
    reported_owner: OwnerDiff | None = None
    attributes: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        return self.owner is not None or bool(self.fields.changed)

    @property
    def has_notes(self) -> bool:
        """Whether there is something to say of it though nothing changes."""
        fields = self.fields
        return bool(fields.handed_back or fields.stored_otherwise or self.attributes)

    @property
    def contested(self) -> tuple[str, ...]:
        """The changed fields that both the files and others moved, the owner first."""
        fields = tuple(diff.path for diff in self.fields.changed if diff.contested)
        return (OWNER, *fields) if self.owner is not None and self.owner.contested else fields

    @property
    def drifted(self) -> bool:
        return self.reported_owner is not None or bool(self.fields.reported)


def owner_difference(
    device: DesiredDevice,
    live_owner: LivePerson | None,
    recorded: RecordedDevice | None,
    digester: Digester,
) -> OwnerDiff | None:
    """Compare the declared owner with the live one; None when they are the same or unmanaged.

    An owner under `lifecycle.ignore` is set once: when the state has it, it is not compared.
    """
    if device.owner is ABSENT:
        return None
    if OWNER in device.lifecycle.ignore and recorded is not None and OWNER in recorded.fields:
        return None
    how = relation(device.owner, live_owner)
    if isinstance(how, Same):
        return None
    why = reason(OWNER, owner_digests(device.owner, digester), recorded)
    contested = why is Reason.DECLARED and owner_moved_by_others(live_owner, recorded, digester)
    return OwnerDiff(somebody(live_owner), device.owner, how, why, contested=contested)


def is_left(diff: OwnerDiff, project: Project) -> bool:
    """Whether an owner difference is drift that the project only reports."""
    return diff.reason is Reason.DRIFT and policy(project, OWNER) == "report"


def diff_device(
    device: DesiredDevice,
    registration: LiveRegistration,
    live: Live,
    recorded: RecordedDevice | None,
    digester: Digester,
    project: Project,
) -> DeviceDiff:
    """Compare one device in full. Everything that `required_reads` asks for must have been read."""
    fields = compare(device, registration, recorded, digester, project)
    if device.id not in live.owners:
        return DeviceDiff(device, registration, ABSENT, fields)
    live_owner = live.owners[device.id]
    difference = owner_difference(device, live_owner, recorded, digester)
    if difference is None:
        owner = device.owner
        names = differing_attributes(owner, live_owner) if isinstance(owner, Owner) else ()
        return DeviceDiff(device, registration, live_owner, fields, attributes=names)
    if is_left(difference, project):
        return DeviceDiff(device, registration, live_owner, fields, reported_owner=difference)
    return DeviceDiff(device, registration, live_owner, fields, _reach(difference, live))


def _reach(diff: OwnerDiff, live: Live) -> OwnerDiff:
    if diff.after is None:
        return diff
    reached = target(diff.after, diff.how, diff.before, live.people)
    if isinstance(reached, Conflict):
        return replace(diff, conflict=reached)
    return replace(diff, reached=reached)
