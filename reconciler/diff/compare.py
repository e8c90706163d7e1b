"""The fields of one registration, declared against live, in canonical form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.core.absent import ABSENT
from reconciler.core.device import DesiredDevice
from reconciler.core.digest import Digester
from reconciler.core.fields import (
    IS_PRIMARY,
    LiveValue,
    Reason,
    Scalar,
    data_key,
    declared_fields,
    field_order,
    field_values,
    live_value,
)
from reconciler.core.live import LiveRegistration
from reconciler.core.opaque import Opaque
from reconciler.core.project import Project
from reconciler.core.record import RecordedDevice, is_stored, value_digest

from .attribution import moved_by_others, policy, reason

# A value in a form whose plain equality is the service's: numbers by value, booleans apart.
Canonical = str | int | float | bytes | Opaque


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """A field whose live value (`before`) is not the declared one (`after`); None: no value.

    `contested`: the file moved, and others moved it too.
    """

    path: str
    before: LiveValue | None
    after: Scalar | None
    reason: Reason
    contested: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """What differs: to be changed, drift that is reported and left, keys handed back, and keys that
    the service stores in another form than they are declared, which is no difference."""

    changed: tuple[FieldDiff, ...] = ()
    reported: tuple[FieldDiff, ...] = ()
    handed_back: tuple[str, ...] = ()
    stored_otherwise: tuple[str, ...] = ()


_NOTHING: Final = Fields()


def canonical(value: LiveValue) -> Canonical:
    """Return the form in which `==` means "the same value to the service"."""
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def managed(device: DesiredDevice, recorded: RecordedDevice | None) -> dict[str, Scalar | None]:
    """Return the declared fields (not the owner) that are compared, by path; None: to be gone.

    A field under `lifecycle.ignore` is set once: when the state has it, it is not compared.
    """
    fields = declared_fields(device)
    if device.lifecycle.ignore and recorded is not None:
        for path in device.lifecycle.ignore & recorded.fields.keys():
            fields.pop(path, None)
    return fields


def compare(
    device: DesiredDevice,
    registration: LiveRegistration,
    recorded: RecordedDevice | None,
    digester: Digester,
    project: Project,
) -> Fields:
    """Compare a device with its registration.

    Equal ones, nearly all of a fleet, are settled by one plain comparison.
    """
    if _is_as_declared(device, registration, recorded):
        return _NOTHING
    wanted = managed(device, recorded)
    removed_keys, handed_back = _left_the_files(device, registration, recorded, digester)
    seen = {
        path: value
        for path in (*wanted, *removed_keys)
        if (value := live_value(path, registration)) is not ABSENT and value is not None
    }
    stored = _stored_otherwise(wanted, registration, recorded, digester)
    for path in stored:
        del wanted[path]
        seen.pop(path, None)
    one = {path: canonical(value) for path, value in wanted.items() if value is not None}
    other = {path: canonical(value) for path, value in seen.items()}
    if one == other:
        return Fields(handed_back=handed_back, stored_otherwise=stored)
    changed: list[FieldDiff] = []
    reported: list[FieldDiff] = []
    for path in _differing(other, one):
        if path in removed_keys:
            changed.append(FieldDiff(path, seen.get(path), None, Reason.REMOVED))
            continue
        after = wanted[path]
        why = reason(path, value_digest(path, after, digester), recorded)
        is_said = path in seen or data_key(path) is not None
        contested = (
            why is Reason.DECLARED
            and is_said
            and moved_by_others(path, seen.get(path), recorded, digester)
        )
        diff = FieldDiff(path, seen.get(path), after, why, contested)
        leave = why is Reason.DRIFT and policy(project, path) == "report"
        (reported if leave else changed).append(diff)
    return Fields(tuple(changed), tuple(reported), handed_back, stored)


def _stored_otherwise(
    wanted: Mapping[str, Scalar | None],
    registration: LiveRegistration,
    recorded: RecordedDevice | None,
    digester: Digester,
) -> tuple[str, ...]:
    """Return the keys whose live value is the form in which the service stored the declared one;
    that may be no value at all."""
    if recorded is None:
        return ()
    return tuple(
        path
        for path, digests in sorted(recorded.fields.items())
        if len(digests) > 1
        and data_key(path) is not None
        and path in wanted
        and (live := live_value(path, registration)) is not ABSENT
        and digests[:1] == value_digest(path, wanted[path], digester)
        and digests[1:] == value_digest(path, live, digester)
    )


def _is_as_declared(
    device: DesiredDevice, registration: LiveRegistration, recorded: RecordedDevice | None
) -> bool:
    """Whether every declared field is as declared and no key has left the files: nearly always.

    It says no in doubt; then the whole comparison decides.
    """
    for declared, shown in zip(field_values(device), field_values(registration), strict=True):
        if declared is shown or declared is ABSENT:
            continue
        if type(shown) is not type(declared) or shown != declared:
            return False
    live = registration.additional_data
    for key, value in device.additional_data.items():
        if live is ABSENT or value is None:
            return False
        live_data_value = live.get(key)
        if type(live_data_value) is not type(value) or live_data_value != value:
            return False
    if recorded is None:
        return True
    return all(
        key is None or key in device.additional_data for key in map(data_key, recorded.fields)
    )


def changes_primary(
    device: DesiredDevice,
    registration: LiveRegistration,
    recorded: RecordedDevice | None,
    digester: Digester,
    project: Project,
) -> bool:
    """Whether a plan would change isPrimary: what `compare` finds of that field, at no cost."""
    if registration.is_web:
        return False
    if device.is_primary is ABSENT or device.is_primary is (registration.is_primary is True):
        return False
    if IS_PRIMARY not in managed(device, recorded):
        return False
    wanted = value_digest(IS_PRIMARY, device.is_primary, digester)
    why = reason(IS_PRIMARY, wanted, recorded)
    return why is not Reason.DRIFT or policy(project, IS_PRIMARY) == "correct"


def _left_the_files(
    device: DesiredDevice,
    registration: LiveRegistration,
    recorded: RecordedDevice | None,
    digester: Digester,
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the keys to remove, and those to hand back.

    A key that we applied and that left the files is removed if the live value is still the one
    we applied; another value is somebody else's and is handed back. Other fields are handed back
    without a word: a deleted `owner` line never detaches.
    """
    if recorded is None:
        return frozenset(), ()
    remove: set[str] = set()
    handed_back: list[str] = []
    for path, digests in recorded.fields.items():
        key = data_key(path)
        live = None if key is None else live_value(path, registration)
        if key is None or key in device.additional_data or live is None or live is ABSENT:
            continue
        if is_stored(digests, value_digest(path, live, digester)):
            remove.add(path)
        elif digests != value_digest(path, None, digester):
            handed_back.append(path)
    return frozenset(remove), tuple(sorted(handed_back))


def _differing(seen: Mapping[str, Canonical], wanted: Mapping[str, Canonical]) -> list[str]:
    """Name the paths at which two flat mappings differ, in field order."""
    from deepdiff import DeepDiff  # loaded late: most runs find nothing to name

    delta = DeepDiff(dict(seen), dict(wanted), view="tree", threshold_to_diff_deeper=0)
    paths = {str(level.path(output_format="list")[0]) for kind in delta.values() for level in kind}
    return sorted(paths, key=field_order)
