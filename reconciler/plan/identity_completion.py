"""Adding identity values to a person: one call does it for all devices of that person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.core.identity import Identity
from reconciler.diff.device import DeviceDiff, OwnerDiff
from reconciler.diff.ownership import Claim, Complete, Move


@dataclass(frozen=True, slots=True)
class Completed:
    """The differences with each person's values brought once.

    `bringer` names, for a device that need not call for its owner's values, the one that does.
    """

    differing: tuple[DeviceDiff, ...]
    bringer: Mapping[str, str]


def one_completion_each(differing: Iterable[DeviceDiff]) -> Completed:
    """Leave the adding of identity values to one call for each declared person.

    A claim or a move to the person brings its values along; else the first of its devices does.
    A second call would add nothing, and under one reading of the service be refused for that.
    """
    differing = tuple(differing)
    bringers: dict[tuple[int, Identity], str] = {}
    for difference in differing:
        if difference.owner is not None and isinstance(difference.owner.how, (Claim, Move)):
            place = _brought_to(difference.owner)
            if place is not None:
                bringers.setdefault(place, difference.device.id)
    kept: list[DeviceDiff] = []
    bringer: dict[str, str] = {}
    for difference in differing:
        if difference.owner is not None and isinstance(difference.owner.how, Complete):
            place = _brought_to(difference.owner)
            if place in bringers:
                bringer[difference.device.id] = bringers[place]
                difference = replace(difference, owner=None)
            elif place is not None:
                bringers[place] = difference.device.id
        kept.append(difference)
    return Completed(tuple(kept), bringer)


def _brought_to(owner: OwnerDiff) -> tuple[int, Identity] | None:
    """Return the live person whom a personalize reaches, and the values that it brings."""
    if owner.reached is None or owner.after is None:
        return None
    return owner.reached.number, owner.after.identity
