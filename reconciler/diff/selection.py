"""Which devices the options of a plan choose: --target, --select, --since."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate

from reconciler.core.device import Desired, DesiredDevice
from reconciler.core.fields import as_yaml, data_key
from reconciler.core.record import Record

from .previous import Previous, changed_since
from .removed import leaving_ids

LABEL = "label"


@dataclass(frozen=True, slots=True)
class Trait:
    """A declared value by which devices are chosen: `label`, or a key of additionalData.

    `glob` is matched in full and by case; a device that does not declare the key never matches.
    """

    key: str
    glob: str

    @property
    def data_key(self) -> str | None:
        """The key of additionalData; the plan's own `additionalData.KEY` is understood too."""
        return None if self.key == LABEL else data_key(self.key) or self.key


@dataclass(frozen=True, slots=True)
class Selection:
    """What the options say; `given` are they as they were typed.

    A device is chosen if it matches each kind that is given: one of the targets, all traits, and
    a declaration that is not what it was in the past.
    """

    given: tuple[str, ...] = ()
    targets: frozenset[str] = frozenset()
    traits: tuple[Trait, ...] = ()
    past: Previous | None = None


def chosen(selection: Selection, desired: Desired, record: Record) -> frozenset[str] | None:
    """Return the chosen ids, declared or left the files; None when nothing narrows them.

    A device that left the files has the traits that it had in the past, if that is known.
    """
    if not selection.given:
        return None
    chosen_ids = desired.devices.keys() | leaving_ids(desired, record)
    if selection.targets:
        chosen_ids &= selection.targets
    if selection.past is not None:
        chosen_ids &= changed_since(selection.past, desired)
    fits = [_matcher(trait) for trait in selection.traits]
    if not fits:
        return frozenset(chosen_ids)
    before = {} if selection.past is None else selection.past.desired.devices
    return frozenset(
        id_
        for id_ in chosen_ids
        if (device := desired.devices.get(id_) or before.get(id_)) is not None
        and all(fit(device) for fit in fits)
    )


def unknown_targets(selection: Selection, desired: Desired, record: Record) -> list[str]:
    """Return the targets that neither the files nor the state know, sorted."""
    return sorted(selection.targets - desired.devices.keys() - record.devices.keys())


def unknown_keys(selection: Selection, desired: Desired) -> list[str]:
    """Return the keys that no device declares, now or in the past; in the order of the traits."""
    devices = list(desired.devices.values())
    if selection.past is not None:
        devices += selection.past.desired.devices.values()
    return [
        trait.key
        for trait in selection.traits
        if (key := trait.data_key) is not None
        and not any(key in device.additional_data for device in devices)
    ]


def _matcher(trait: Trait) -> Callable[[DesiredDevice], bool]:
    fits = re.compile(translate(trait.glob)).match
    key = trait.data_key

    def matches(device: DesiredDevice) -> bool:
        if key is None:
            return device.label is not None and fits(device.label) is not None
        if key not in device.additional_data:
            return False
        return fits(as_yaml(device.additional_data[key])) is not None

    return matches
