"""What changed since an earlier commit: which declarations are not what they were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.absent import ABSENT, Absent
from reconciler.core.device import Attributes, Desired, DesiredDevice, Owner
from reconciler.core.digest import canonical_json
from reconciler.core.fields import declared_fields

from .compare import canonical


@dataclass(frozen=True, slots=True)
class Previous:
    """The declarations of an earlier commit.

    `same` are the files that are byte for byte what they were; `desired` need not have them.
    `project_changed` tells whether the project file is not what it was.
    """

    desired: Desired
    same: frozenset[str] = frozenset()
    project_changed: bool = False


def changed_since(previous: Previous, desired: Desired) -> frozenset[str]:
    """Return the ids whose declaration is new, another one, or not there any more."""
    return frozenset((*_declared(previous, desired), *_left(previous, desired)))


def _declared(previous: Previous, desired: Desired) -> Iterator[str]:
    for id_, device in desired.devices.items():
        if device.source.file in previous.same:
            continue
        before = previous.desired.devices.get(id_)
        if before is None or not says_the_same(before, device):
            yield id_


def _left(previous: Previous, desired: Desired) -> Iterator[str]:
    """Yield the devices that were declared then and are not now, and those whose entry under
    `removed:` is new or says something else."""
    yield from previous.desired.devices.keys() - desired.devices.keys()
    for id_, removal in desired.removed.items():
        before = previous.desired.removed.get(id_)
        known = removal.source.file in previous.same
        if not known and (before is None or before.on_remove is not removal.on_remove):
            yield id_


def says_the_same(one: DesiredDevice, other: DesiredDevice) -> bool:
    """Whether two declarations ask for the same: defaults and people resolved.

    Where it stands, how it is written, its label and the name of its owner do not count.
    """
    return (
        one.application == other.application
        and one.lifecycle == other.lifecycle
        and _fields(one) == _fields(other)
        and _same_owner(one.owner, other.owner)
    )


def _fields(device: DesiredDevice) -> dict[str, object]:
    return {
        path: None if value is None else canonical(value)
        for path, value in declared_fields(device).items()
    }


def _same_owner(one: Owner | Absent | None, other: Owner | Absent | None) -> bool:
    if one is ABSENT or one is None or other is ABSENT or other is None:
        return one is other
    return (
        one.identity == other.identity
        and one.keep_as_lead is other.keep_as_lead
        and _same_attributes(one.attributes, other.attributes)
    )


def _same_attributes(one: Attributes | None, other: Attributes | None) -> bool:
    if one is None or other is None:
        return one is other
    return canonical_json(dict(one.reveal())) == canonical_json(dict(other.reveal()))
